"""What to train when only the pictures and the time are known."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from lienzo.api.find import DEFAULT, SHIPPED, folder_of
from lienzo.core import ConfigurationError
from lienzo.core.registry import class_named
from lienzo.data import Dataset
from lienzo.families.latent import Latent
from lienzo.training.checkpoint import CONFIG, resolve
from lienzo.training.folder import read_json
from lienzo.training.opening import load
from lienzo.training.recipes import Recipe, open_data
from lienzo.training.recipes.planning import Lent, fidelity, fine_tuned, from_scratch
from lienzo.training.recipes.read import merged
from lienzo.training.recipes.stages import GENERATE

SCRATCH = "scratch"
DIFFUSES = ("diffusion", "latent")  # what borrowed weights are for; "latent" means: a diffusion over codes
OWN: dict[str, dict[str, Any]] = {"fashion-mnist": {"size": 28, "channels": 1}}  # sets with a size of their own
FAITHFUL = 24.0  # dB: above, a coder gives pictures back well enough not to be trained again
ALIKE = {"vector_quantized": ("widths", "fold", "depth")}  # whose layers but the innermost are a vae's of these sizes
LARGE = 50_000  # pictures beyond which a model of its own is worth more than borrowed weights
Values = dict[str, Any]
Tell = Callable[[str], None]


def chosen(said: Values, start: str | None, tell: Tell) -> Values:
    """Return a recipe's values for what was said: borrowed weights, or a size that fits into the time.

    Args:
        said: plain values with a source, and a budget or a number of images.
        start: a model, "scratch", or None for what fits.
        tell: hears what was chosen, and why.

    Raises:
        ConfigurationError: if the named model's weights cannot be used.
    """
    source = str(said["data"]["source"]).partition(":")[0]
    values = merged({"data": OWN.get(source, {})}, said)
    kind = str(values.get("family", {}).get("kind", "diffusion"))
    class_named("family", kind)
    diffuses = kind in DIFFUSES
    if start not in (None, SCRATCH) and not diffuses:
        raise ConfigurationError(f"the weights of {start} cannot be used: a {kind} is chosen by size, not by a model",
                                 hint=f"--family {' or '.join(DIFFUSES)}, or a recipe with start = …")  # fmt: skip
    if any(name in said for name in ("network", "codes")):  # sizes are said
        return merged(values, {"family": {"kind": "diffusion"}}) if kind == "latent" and "codes" in said else values
    timed = values["training"].get("budget_seconds") is not None
    if diffuses and timed and start != SCRATCH:
        borrowed = _borrowed(merged(values, {"family": {"kind": "diffusion"}}), start, tell)
        if borrowed is not None:
            return borrowed
    if kind == "diffusion" and not timed:
        return values
    own = diffuses or start == SCRATCH
    return from_scratch(values, tell, folder_of) if own else from_scratch(values, tell, folder_of, partial(_lent, tell))


def _lent(tell: Tell, kind: str, recipe: Recipe, dataset: Dataset) -> Lent | None:
    """Return the usual model's coder where it codes pictures of this size."""
    folder = SHIPPED / DEFAULT
    if not (folder / CONFIG).is_file() or dataset.whole > LARGE:
        return None
    config: Mapping[str, Any] = read_json(resolve(folder) / CONFIG)
    data = recipe.data
    if config.get("kind") != "latent" or kind not in (config["outer"]["kind"], *ALIKE):
        return None
    if list(config["outer"]["shape"]) != [data.channels, data.size, data.size]:
        return None
    family = load(resolve(folder))
    assert isinstance(family, Latent)
    found = fidelity(family.outer, dataset, data.background)
    coder = dict(config["outer"])
    if kind != coder["kind"]:
        coder = {"kind": kind, **{name: coder[name] for name in ALIKE[kind] if name in coder}}
    faithful = found >= FAITHFUL and kind == config["outer"]["kind"]
    how, more = ("is", "") if faithful else ("begins as", ", so it is trained on them first")
    tell(f"its coder {how} {DEFAULT}'s (--from scratch for one of its own): it gives these pictures back with "
         f"{found:.1f} dB{more}")  # fmt: skip
    channels, height, width = config["inner"]["shape"]
    return Lent(DEFAULT, (int(channels), int(height), int(width)), coder, faithful, family.outer)


def _borrowed(values: Values, start: str | None, tell: Tell) -> Values | None:
    """Return values that go on from a model; None where none was named and the usual one does not fit."""
    name = start or DEFAULT
    if start is None and not (SHIPPED / name / CONFIG).is_file():
        return None
    given = folder_of(name)
    folder = resolve(given)
    config: Mapping[str, Any] = read_json(folder / CONFIG)
    why = _misfit(config, Recipe.checked(values))
    if why and start is not None:
        raise ConfigurationError(f"the weights of {name} cannot be used: {why}", hint="--from scratch")
    if why:
        tell(f"from scratch: the weights of {name} cannot be used, {why}")
        return None
    data = Recipe.checked(values).data
    dataset, family = open_data(data), load(folder)
    if start is None and dataset.whole > LARGE:
        tell(f"from scratch: {dataset.whole:,} pictures deserve a model of their own (--from {name} to borrow)")
        return None
    assert isinstance(family, Latent)
    found = fidelity(family.outer, dataset, data.background)
    coder = found < FAITHFUL
    tell(f"starting from {name} (--from scratch for none): its coder gives these pictures back with {found:.1f} dB, "
         + ("so it is trained on them first" if coder else "which is faithful enough"))  # fmt: skip
    return fine_tuned(values, name, config, _options(given, folder), tell, coder=coder,
                      outer=family.outer)  # fmt: skip


def _misfit(config: Mapping[str, Any], recipe: Recipe) -> str:
    """Say why a model cannot be gone on from; nothing if it can."""
    if config.get("kind") != "latent" or config["inner"].get("kind") != "diffusion":
        return "it is no diffusion over codes"
    shape = [recipe.data.channels, recipe.data.size, recipe.data.size]
    if list(config["outer"]["shape"]) != shape:
        return f"it draws {config['outer']['shape']} (channels, height, width), these pictures are {shape}"
    return ""


def _options(*folders: Path) -> Values:
    for folder in folders:
        if (folder / GENERATE).is_file():
            return dict(json.loads((folder / GENERATE).read_text("utf-8")).get("options", {}))
    return {}
