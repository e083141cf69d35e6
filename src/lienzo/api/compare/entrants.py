"""Who takes part in a comparison, and what it was begun with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lienzo.api.choose import OWN
from lienzo.api.evaluate.examined import on_paper, too_few
from lienzo.api.find import folder_of
from lienzo.core import ConfigurationError
from lienzo.core.registry import class_named
from lienzo.evaluation.evaluate import ENOUGH
from lienzo.evaluation.extractors import extractor_named
from lienzo.evaluation.scorers import scorer_named
from lienzo.training.folder import read_json, write_json
from lienzo.training.recipes import Recipe, open_data
from lienzo.training.recipes.read import merged

Values = dict[str, Any]
BEGUN = "begun.json"


@dataclass(frozen=True)
class Entrant:
    """One of those that are compared.

    Attributes:
        name: in the report, and of its folders.
        kind: "family" (is trained) or "model" (is there).
        what: the family's name, its recipe, or the model's name or folder.
        run: the folder of its training, or the model.
        measured: the folder of its figures.
    """

    name: str
    kind: str
    what: str
    run: str
    measured: Path

    @property
    def recipe(self) -> str | None:
        """The file that says how it is trained, where the family's name does not."""
        return self.what if self.kind == "family" and self.what.endswith(".toml") else None


def entrants(families: Sequence[str], models: Sequence[str], out: Path) -> list[Entrant]:
    """Return everybody, in the order in which they were named.

    Args:
        families: names, see `lienzo families`, or recipes (`.toml`).
        models: of `lienzo models`, or folders of runs and checkpoints.
        out: the comparison's folder.

    Raises:
        ConfigurationError: if there are none, or two have one name.
        LienzoError: for a family or a model that is not there.
    """
    found: list[Entrant] = []
    for what in families:
        if what.endswith(".toml") and not Path(what).is_file():
            raise ConfigurationError(f"no recipe {what!r}", hint="a family's name, or a file that is there")
        if not what.endswith(".toml"):
            class_named("family", what)  # raises for a name that there is not
        name = Path(what).stem
        found.append(Entrant(name, "family", what, str(out / "runs" / name), out / "measured" / name))
    for what in models:
        folder_of(what)  # raises likewise
        short, whole = (re.sub(r"[^\w.-]+", "-", text).strip("-.") or "model" for text in (Path(what).name, what))
        name = whole if short in {one.name for one in found} else short
        found.append(Entrant(name, "model", what, what, out / "measured" / name))
    names = [entrant.name for entrant in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigurationError(f"two entrants are called {twice!r}", hint="another folder's name for one of them")
    if not found:
        raise ConfigurationError("who shall be compared?", hint="--families vae,gan --budget 10m, or --models emoji-64")
    return found


def check(
    source: str, tables: Mapping[str, Any], features: str | None, judge: str | None, split: str, *, trained: bool
) -> None:
    """Find out whether the pictures can be measured against before anything is trained on them.

    Args:
        source: of the pictures.
        tables: of every recipe.
        features: the name of an extractor; None: what fits.
        judge: the name of a scorer of texts; None: the shipped one.
        split: what is held out.
        trained: whether somebody learns such pictures: then the extractor must be able to see them.

    Raises:
        LienzoError: for a source, an extractor or a judge that is not there, or too few held-out pictures.
    """
    own: Mapping[str, Any] = OWN.get(source.partition(":")[0], {})
    values = merged({"data": own}, {"data": {**tables.get("data", {}), "source": source}})
    held = open_data(Recipe.checked(values).data, split)
    if len(held) < ENOUGH:
        raise too_few(source, len(held), split)
    if features not in (None, "pca"):  # which is fitted to the pictures and always there
        few = on_paper(held.pictures(range(2)))
        extractor = extractor_named(str(features), few)
        if trained:
            extractor.features(few)
    if judge is not None:
        scorer_named(judge)


def begin(out: Path, asked: Values) -> None:
    """Write down what a comparison is about, or hold it against what was written down: runs go on only with the same.

    Args:
        out: its folder.
        asked: the source, the budget, and everything else that training depends on.

    Raises:
        ConfigurationError: if the folder holds a comparison of something else.
    """
    path = out / BEGUN
    if path.is_file():
        before: Values = read_json(path)
        other = next((name for name in {**before, **asked} if before.get(name) != asked.get(name)), None)
        if other is not None:
            what = f"{out} holds a comparison whose {other} is {before.get(other)!r}, not {asked.get(other)!r}"
            raise ConfigurationError(what, hint="another --out")
        return
    try:
        out.mkdir(parents=True, exist_ok=True)
        write_json(path, asked)
    except OSError as error:
        what = f"cannot write to the folder {out}: {error.strerror or error}"
        raise ConfigurationError(what, hint="a folder that you may write to") from None
