"""The small networks that judge pictures or look for things in them, and ship: a folder each, its hash on a card."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from lienzo.core import CheckpointError
from lienzo.training.folder import fingerprint

MODELS = Path(__file__).parents[1] / "assets" / "models"
WEIGHTS, CONFIG, CARD = "model.safetensors", "judge.json", "README.md"  # not config.json: no model to draw with
M = TypeVar("M", bound=nn.Module)


def folder_of(name: str) -> Path:
    """Return where a shipped judge lies.

    Raises:
        CheckpointError: if this installation lacks it.
    """
    folder = MODELS / name
    if not is_there(name):
        raise CheckpointError(f"{name} is not part of this installation", hint="install lienzo with its assets again")
    return folder


def is_there(name: str) -> bool:
    """Tell whether this installation has it."""
    return (MODELS / name / WEIGHTS).is_file()


def config_of(folder: Path) -> dict[str, Any]:
    """Read what is written about a judge: the arguments of its class, and its measured quality."""
    return json.loads((folder / CONFIG).read_text(encoding="utf-8"))


def hash_on_card(folder: Path) -> str:
    """Return the SHA-256 of the weights that a judge's card states, or "" if it states none."""
    found = re.search(r"sha256: `?([0-9a-f]{64})", (folder / CARD).read_text(encoding="utf-8"))
    return found.group(1) if found else ""


def restored(module: M, folder: Path) -> M:
    """Fill a network with the weights of a folder, and freeze it.

    Raises:
        CheckpointError: if the weights are not the ones that the card names: figures must be comparable.
    """
    if fingerprint(folder / WEIGHTS) != hash_on_card(folder):
        raise CheckpointError(f"{folder / WEIGHTS} is not what its card says", hint="install lienzo again")
    state = {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}
    module.load_state_dict(state)
    return module.requires_grad_(False).eval()


def digest(state: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of a network's names and numbers, in whatever files they came."""
    whole = hashlib.sha256()
    for name, tensor in sorted(state.items()):
        whole.update(name.encode() + tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes())
    return whole.hexdigest()


def ship(module: nn.Module, folder: Path, config: dict[str, Any], card: str) -> None:
    """Write a judge's folder: weights in half precision, configuration, and the card with the hash.

    Args:
        module: the network.
        folder: is created, or its files are replaced.
        config: what `config_of` gives back.
        card: Markdown with "{sha256}" and "{bytes}" where the weights' hash and size belong.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach().half().contiguous() for name, tensor in module.state_dict().items()}
    kept = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    save_file(kept, folder / WEIGHTS)
    (folder / WEIGHTS).chmod(0o644)  # a package's file is for everyone
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    filled = card.replace("{sha256}", fingerprint(folder / WEIGHTS))
    filled = filled.replace("{bytes}", f"{(folder / WEIGHTS).stat().st_size:,}")
    (folder / CARD).write_text(filled, encoding="utf-8")


@torch.no_grad()
def rounded(module: M) -> M:
    """Bring weights to what half precision keeps of them, so that what is measured is what is shipped."""
    for tensor in module.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half().float())
    return module
