"""A model in use: say something, get pictures."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from lienzo.api.asked import rows_asked
from lienzo.api.best import best, by_scorer, judge_named
from lienzo.api.find import SHIPPED, bare, card_of, folder_of
from lienzo.api.options import all_options, checked_options, decodes_previews
from lienzo.api.packed import packed, unpacked
from lienzo.api.record import KEY, Record
from lienzo.api.words import read_pairs
from lienzo.conditions import Bus
from lienzo.core import CheckpointError, ConfigurationError, Family, Progress, Streams
from lienzo.pretrained import is_pretrained, opened
from lienzo.training.card import version
from lienzo.training.checkpoint import WEIGHTS, resolve
from lienzo.training.folder import fingerprint
from lienzo.training.opening import load as load_family
from lienzo.training.recipes.stages import GENERATE

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
AT_ONCE = 64  # pictures that are drawn together: what memory has to hold
Previews = Callable[[Progress], None]


class Model:
    """A trained family with its name, its card and its defaults.

    Args:
        family: p(x | c).
        name: by which it was loaded.
        folder: of its checkpoint.
        defaults: "conditions" and "options" that hold where nobody says otherwise.
        weights: SHA-256 of its weights, where they are not one file of the folder.
        dtype: in which large products are computed when it draws, a name in `DTYPES`.

    Attributes:
        family: p(x | c), in evaluation mode.
        bus: what may be said.
        card: the model card, Markdown.
        weights: SHA-256 of its weights.
    """

    def __init__(
        self, family: Family, *, name: str, folder: Path, defaults: Mapping[str, Any] | None = None, weights: str = "",
        dtype: str = "float32",
    ) -> None:  # fmt: skip
        self.dtype = DTYPES[dtype]
        self.family, self.name, self.folder = family, name, folder
        self.defaults: Mapping[str, Any] = defaults or {}
        bus = getattr(family, "bus", None)
        self.bus = bus if isinstance(bus, Bus) else Bus({})
        self.card, self.weights = card_of(folder), weights or fingerprint(folder / WEIGHTS)

    def __repr__(self) -> str:
        hears = ", ".join(self.bus.names) or "nothing"
        channels, height, width = self.family.shape
        return f"Model({self.name!r}: {type(self.family).__name__}, {width}×{height}×{channels}, hears {hears})"

    def generate(  # noqa: PLR0913 (as many as there are things to say)
        self, text: str | Sequence[str] | None = None, *, label: Any = None, image: Any = None,
        map: Any = None, count: int | None = None, seed: int = 0,  # noqa: A002  (what users call it)
        steps: int | None = None, solver: str | None = None, guidance: float | Mapping[str, float] | None = None,
        best_of: int = 1, judge: str | None = None, previews: Previews | None = None,
        options: Mapping[str, Any] | None = None, **conditions: Any,
    ) -> list[Image.Image]:  # fmt: skip
        """Draw pictures.

        The same seed gives the same pictures, each by its number, however many are asked for.

        Args:
            text: a prompt, or one a picture.
            label: the name of a class; `{"gender": "woman"}` where a model has several labels.
            image: a picture to take after: a file, a PIL image, an array.
            map: a map to lie under the picture, or {name or kind: map}.
            count: how many; 4 if nothing says otherwise.
            seed: of all of them.
            steps: from noise to picture.
            solver: how they are taken, e.g. "dpm++2m".
            guidance: how strongly all is obeyed; `{"text": 5, "style": 2}` weighs each.
            best_of: drawings of each picture, of which that one is kept that fits the words best by the judge.
            judge: who tells: "emoji", the folder of a contrastive `transformers` model (CLIP, SigLIP),
                "hub:OWNER/NAME", or "module:Class"; None: the shipped scorer, which knows drawings like emoji.
            previews: called with each step's `Progress`, estimates decoded.
            options: more of the family's `sample`.
            conditions: whatever the model hears, by name: `style="noto", group="animals-nature"`.

        Returns:
            PIL images; `image.info["lienzo"]` is the record of each, and `lienzo.save` writes both.

        Raises:
            LienzoError: for a condition, a value or an option that the model does not understand.
        """
        said = {"text": text, "label": label, "image": image, "map": map, **conditions}
        asked = {"steps": steps, "solver": solver, "guidance": guidance, **(options or {})}
        rows = rows_asked(self.bus, said, count, self.defaults.get("conditions", {}))
        asked = {name: value for name, value in asked.items() if value is not None}
        if best_of == 1:
            if judge is not None:
                what = f"{judge} has one drawing of each to choose from"
                raise ConfigurationError(what, hint="--best-of 4, or best_of=4")
            return self.draw(rows, seed=seed, indices=range(len(rows)), previews=previews, options=asked)
        return best(
            lambda several, numbers: self.draw(several, seed=seed, indices=numbers, previews=previews, options=asked),
            rows, best_of, by_scorer if judge is None else judge_named(judge, str(self.device)),
        )  # fmt: skip

    def draw(
        self, rows: Sequence[Mapping[str, Any]], *, seed: int, indices: Sequence[int],
        previews: Previews | None = None, options: Mapping[str, Any] | None = None,
    ) -> list[Image.Image]:  # fmt: skip
        """Draw one picture a row, each from the stream of its own number.

        Args:
            rows: name → value, exactly what is heard.
            seed: of all.
            indices: the number of each within the seed.
            previews: called with each step's `Progress`.
            options: of the family's `sample`; the model's own defaults hold where they are silent.
        """
        asked = checked_options(self.family, {**self.defaults.get("options", {}), **(options or {})})
        effective = all_options(self.family, asked)
        kept = [{name: packed(self.bus, name, value) for name, value in row.items()} for row in rows]
        images: list[Image.Image] = []
        for start in range(0, len(kept), AT_ONCE):
            part = slice(start, start + AT_ONCE)
            with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
                pixels = self._pixels(kept[part], Streams(seed, list(indices)[part]), previews, asked)
            images += [to_image(x) for x in pixels]
        for image, said, index in zip(images, kept, indices, strict=True):
            image.info[KEY] = self._record(said, seed, index, effective).text()
        return images

    @torch.no_grad()
    def _pixels(
        self, rows: Sequence[Mapping[str, Any]], streams: Streams, previews: Previews | None, options: dict[str, Any]
    ) -> Tensor:
        said = {name: [unpacked(row.get(name)) for row in rows] for name in self.bus.names}
        conditions = self.bus.parse(said, len(rows)).to(self.device)
        if previews is None:
            return self.family.sample(conditions, streams=streams.to(self.device), **options)
        decoded = {"previews": "all"} if decodes_previews(self.family) else {}
        progress = None
        for progress in self.family.sampling(conditions, streams=streams.to(self.device), **options, **decoded):
            previews(progress)
        assert progress is not None
        return progress.estimate.clamp(-1, 1)

    @property
    def device(self) -> torch.device:
        """Where it computes."""
        return next((p.device for p in self.family.parameters()), torch.device("cpu"))

    def _record(self, said: dict[str, Any], seed: int, index: int, options: dict[str, Any]) -> Record:
        return Record(
            self.name, self.weights, said, seed, index, options, self.device.type, torch.get_num_threads(), version(),
            str(torch.__version__),
        )  # fmt: skip


def to_image(x: Tensor) -> Image.Image:
    """Turn x (C, H, W) in [-1, 1] into a picture."""
    pixels = ((x.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)


def load(name: str | Path = "emoji-64", *, device: str = "auto", **loading: Any) -> Model:
    """Load a model, ready to generate.

    Args:
        name: of one that ships (see `lienzo.models`), the folder of a run or a checkpoint, or a pretrained pipeline:
            its folder or its name on the hub. "emoji-64,dtype=bfloat16" draws with products in 16 bits: about twice
            as fast where the processor has them, with differences that cannot be seen. Records keep the whole name.
        device: "cpu", "cuda"; "auto" takes a GPU where there is one.
        **loading: `dtype`; of a pretrained pipeline also offload, size …, see `lienzo.pretrained.Loading`.

    Raises:
        CheckpointError: if there is none, or it is damaged.
        ConfigurationError: for an option of loading that it does not have.
    """
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if is_pretrained(str(name), SHIPPED):
        its = opened(str(name), where, loading)
        defaults = {"options": its.options}
        return Model(its.family, name=its.name, folder=its.folder, defaults=defaults, weights=its.weights)
    own, dtype = _asked(str(name), loading)
    given = folder_of(own)
    try:
        found = resolve(given)
    except CheckpointError as error:
        raise CheckpointError(f"{name}: {error.what}", hint=error.hint) from None
    called = own if dtype == "float32" else f"{own},dtype={dtype}"
    return Model(load_family(found, where), name=called, folder=found, defaults=_defaults(given, found), dtype=dtype)


def _asked(text: str, loading: Mapping[str, Any]) -> tuple[str, str]:
    """Return the name and the dtype of a model that is no pretrained pipeline.

    Raises:
        ConfigurationError: for another option, or another dtype.
    """
    own, told = bare(text)
    options = {**read_pairs(told, "option", "dtype=bfloat16"), **loading}
    dtype = str(options.pop("dtype", "float32"))
    if options:
        raise ConfigurationError(f"{own} is no pretrained pipeline: it hears no {', '.join(options)}", hint="dtype")
    if dtype not in DTYPES:
        raise ConfigurationError(f"dtype={dtype}", hint=f"one of {', '.join(DTYPES)}")
    return own, dtype


def _defaults(given: Path, found: Path) -> dict[str, Any]:
    """Read what a model does by default: beside its weights, or in its run's folder."""
    for folder in (found, given, found.parent.parent):
        if (folder / GENERATE).is_file():
            return json.loads((folder / GENERATE).read_text("utf-8"))
    return {}
