"""What a recipe may say, as typed models: a name that does not exist fails, and the error lists those that do."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BaseModel, ConfigDict, Field, PositiveInt

from lienzo.core import ConfigurationError
from lienzo.data.built import SAMPLE
from lienzo.training.settings import TrainingSettings


class Part(BaseModel):
    """One table of a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Data(Part):
    """`[data]`: which pictures, and how they become squares. See `lienzo.data.open_source` and `Loader`.

    Attributes:
        source: a built-in set, a folder, a table, tars, or "hub:NAME".
        size: side in pixels.
        channels: 3 for colour, 1 for grey.
        policy: how pictures become square.
        split: which part of the source is learnt.
        background: of transparent pictures; "mixed" draws one anew at each sight.
        flip: probability of mirroring.
        reword: probability with which a word of a caption is replaced by one that nothing else is nearer to.
        where: label → the class or classes to keep.
        max_bad_share: share of unusable files past which this is an error.
        prepare: draw composed pictures (scenes, edits) beforehand, in a process a core, into the cache: for a GPU,
            which would wait for them.
        stream: read tars while training, in the place of decoding them all into the cache beforehand; not said: where
            they are larger than 16 GiB.
        sample: pictures of streamed tars that are decoded beforehand: they tell what columns and classes there are, and
            give the pictures that are held out.
    """

    source: str | None = None
    size: PositiveInt = 64
    channels: Literal[1, 3] = 3
    policy: Literal["crop", "pad", "squash"] = "crop"
    split: str = "train"
    background: Literal["white", "dark", "colour", "mixed"] = "mixed"
    flip: float = Field(default=0.0, ge=0, le=1)
    reword: float = Field(default=0.0, ge=0, le=1)
    where: dict[str, str | list[str]] = Field(default_factory=dict)
    max_bad_share: float = Field(default=0.2, ge=0, le=1)
    prepare: bool = False
    stream: bool | None = None
    sample: PositiveInt = SAMPLE


class Hearing(Part):
    """`[bus]`: the widths of the channels, and how often conditions are left unsaid. See `lienzo.conditions.Bus`."""

    vector: PositiveInt = 256
    token: PositiveInt = 256
    drop: float = Field(default=0.1, ge=0, le=1)
    drop_all: float = Field(default=0.1, ge=0, le=1)
    drops: dict[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)


class Coder(Part):
    """`[codes.recipe]`: how the outer family, which codes pictures, is trained first; `start` as in `Recipe`."""

    family: dict[str, Any] = Field(default_factory=lambda: {"kind": "vae"})
    network: dict[str, Any] | None = None
    training: TrainingSettings = TrainingSettings()
    start: str | None = None


class Codes(Part):
    """`[codes]`: learn the codes of another family in the place of pixels.

    Attributes:
        outer: a trained run, checkpoint or shipped model whose family encodes; or else
        recipe: how to train one first.
        variants: how many backgrounds (and mirrorings) each picture is encoded with, once.
        share: of a budget over the whole run, what the first stage gets.
    """

    outer: str | None = None
    recipe: Coder | None = None
    variants: PositiveInt = 8
    share: float = Field(default=0.25, gt=0, lt=1)


class Samples(Part):
    """`[samples]`: the sheet that is drawn while the run goes on.

    Attributes:
        prompts: a line of the sheet each.
        across: condition → its values, a column of the sheet each.
        count: pictures, where there are no prompts.
        seed: of the pictures.
        options: of the family's `sample`; by default those of `[generate]`.
    """

    prompts: list[str] = Field(default_factory=list)
    across: dict[str, list[str]] = Field(default_factory=dict)
    count: PositiveInt = 16
    seed: int = 0
    options: dict[str, Any] = Field(default_factory=dict)


class Generate(Part):
    """`[generate]`: what the model does when nobody says otherwise.

    Attributes:
        conditions: name → the value that is heard if the user says none.
        options: of the family's `sample` (steps, solver, guidance …).
    """

    conditions: dict[str, str] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)


class Recipe(Part):
    """A whole run.

    Attributes:
        name, summary, licence, limits: for the model card.
        data: which pictures.
        conditions: name of a column → its condition; what is left out is filled in from the data. Not said at all: all
            columns are heard.
        bus: how they are heard.
        network: a network's configuration; the shape and the condition channels are filled in.
        family: a family's configuration; network, bus and shape are filled in.
        training: the loop's settings.
        codes: where the family learns codes in the place of pixels.
        start: a model whose weights to start from, wherever they fit.
        samples: the sheet while it runs.
        generate: defaults of the finished model.
    """

    name: str = "a lienzo model"
    summary: str = ""
    licence: str = "other"
    limits: list[str] = Field(default_factory=list)
    data: Data = Data()
    conditions: dict[str, dict[str, Any]] | None = None
    bus: Hearing = Hearing()
    network: dict[str, Any] | None = None
    family: dict[str, Any] = Field(default_factory=lambda: {"kind": "diffusion"})
    training: TrainingSettings = TrainingSettings()
    codes: Codes | None = None
    start: str | None = None
    samples: Samples = Samples()
    generate: Generate = Generate()

    @classmethod
    def checked(cls, values: Mapping[str, Any]) -> Recipe:
        """Check plain values.

        Raises:
            ConfigurationError: naming the first value that is wrong, and what is allowed.
        """
        try:
            return cls.model_validate(dict(values))
        except pydantic.ValidationError as error:
            raise _sentence(error) from None


def _sentence(error: pydantic.ValidationError) -> ConfigurationError:
    """Return the first fault in one sentence, with names that would do."""
    first = error.errors()[0]
    where = [str(part) for part in first["loc"]]
    path = ".".join(where)
    if first["type"] != "extra_forbidden":
        return ConfigurationError(f"recipe value {path}: {first['msg'].lower()}, got {first['input']!r}")
    fields = _fields(where[:-1])
    close = difflib.get_close_matches(where[-1], fields, n=2, cutoff=0.6)
    known = f"one of {', '.join(fields)}"
    hint = f"{' or '.join(close)}? Else {known}" if close else known
    return ConfigurationError(f"a recipe has no {path!r}", hint=hint)


def _fields(path: list[str]) -> list[str]:
    """Return the names that a table may hold."""
    model: type[BaseModel] = Recipe
    for name in path:
        kinds = {"data": Data, "bus": Hearing, "codes": Codes, "samples": Samples, "generate": Generate,
                 "training": TrainingSettings, "recipe": Coder}  # fmt: skip
        model = kinds.get(name, model)
    return list(model.model_fields)
