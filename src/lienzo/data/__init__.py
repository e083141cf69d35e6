"""Sources of pictures (built-in sets, folder, table, shards, hub) → checked, split, shuffled, resumable batches.

Names are loaded when they are first used: the processes that decode strangers' files import this package without torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienzo.data.catalog import SourceInfo, sheet, sources
    from lienzo.data.checking import check
    from lienzo.data.dataset import Column, Dataset
    from lienzo.data.emoji import candidates
    from lienzo.data.loader import Loader
    from lienzo.data.open import open_source
    from lienzo.data.pixels import Policy
    from lienzo.data.report import Report
    from lienzo.data.sample import Sampled
    from lienzo.data.sheets import map_sheet
    from lienzo.data.stream import StreamLoader, peek
    from lienzo.data.taking import take

_HOME = {
    "Column": "dataset", "Dataset": "dataset", "Loader": "loader", "Policy": "pixels", "Report": "report",
    "Sampled": "sample", "SourceInfo": "catalog", "StreamLoader": "stream", "candidates": "emoji", "check": "checking",
    "map_sheet": "sheets", "open_source": "open", "peek": "stream", "sheet": "catalog", "sources": "catalog",
    "take": "taking",
}  # fmt: skip

__all__ = [
    "Column", "Dataset", "Loader", "Policy", "Report", "Sampled", "SourceInfo", "StreamLoader", "candidates", "check",
    "map_sheet", "open_source", "peek", "sheet", "sources", "take",
]  # fmt: skip


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'lienzo.data' has no attribute {name!r}")
    value: object = getattr(import_module(f"lienzo.data.{_HOME[name]}"), name)
    globals()[name] = value
    return value
