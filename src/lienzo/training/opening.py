"""A trained model from the disk, whatever it is: a whole one, or an adapter with the base that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from lienzo.core import CheckpointError, Family, build
from lienzo.data.compressed import ASSETS
from lienzo.training.adapters import KIND, Adapter, adapted
from lienzo.training.checkpoint import CONFIG, WEIGHTS, resolve
from lienzo.training.folder import fingerprint, read_json
from lienzo.training.tensors import fill, read_tensors

SHORT = 12  # digits of a hash that are shown


def load(folder: Path | str, device: torch.device | str = "cpu") -> Family:
    """Rebuild a trained family from a checkpoint or a run's folder, ready to sample.

    Args:
        folder: a folder with `config.json` and `model.safetensors`, or a run's folder.
        device: where it shall be.

    Raises:
        CheckpointError: if there is none, or it is damaged; of an adapter, if its base is not there or another one.
        ConfigurationError: if its configuration names what this version does not have.
    """
    found = resolve(Path(folder))
    family = _built(read_json(found / CONFIG), found)
    fill(family, read_tensors(found / WEIGHTS), found / WEIGHTS)
    return family.to(device).eval()


def _built(config: dict[str, Any], folder: Path) -> Family:
    """Build a family from its configuration; of an adapter, its base with the adapter."""
    if config.get("kind") == KIND:
        return _adapted(config, folder)
    family = build("family", config)
    assert isinstance(family, Family)
    return family


def _adapted(config: dict[str, Any], folder: Path) -> Family:
    """Build the base of an adapter and give it the adapter, whose weights are still to be filled in.

    Args:
        config: of the adapter.
        folder: in which it lies; a relative base is looked for here and in the folders above.

    Raises:
        CheckpointError: if the base is not there, or is not the one that the adapter was taught to.
        ConfigurationError: if the configuration says what this version does not know.
    """
    adapter = Adapter.of(config)
    found = resolve(base_of(adapter.base, folder))
    weights = fingerprint(found / WEIGHTS)
    if weights != adapter.sha256:
        raise CheckpointError(
            f"the adapter in {folder} was taught to {adapter.base} with the weights {adapter.sha256[:SHORT]}…, but "
            f"those in {found} are {weights[:SHORT]}…: an adapter fits no other base",
            hint=f"that base as it was, or lienzo adapt {adapter.base} … anew",
        )
    return adapted(load(found), adapter)


def base_of(name: str, folder: Path) -> Path:
    """Return the folder of an adapter's base: a path from here, or from a folder above the adapter, or a shipped name.

    Raises:
        CheckpointError: if there is none.
    """
    above = [parent / name for parent in folder.resolve().parents]
    places = [Path(name).expanduser(), *above, ASSETS / "models" / name]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        what = f"the adapter in {folder} was taught to {name}, which is not here"
        raise CheckpointError(what, hint=f"its base at {name}, from here or from a folder above the adapter")
    return found
