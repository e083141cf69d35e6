"""A run in the terminal: what it says, its bar, and the command that goes on with it."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from lienzo.api.find import folder_of
from lienzo.api.train import default_out, planned
from lienzo.training import Bar, Observer
from lienzo.training.card import duration
from lienzo.training.distributed import leads
from lienzo.training.recipes import Listeners, Recipe, carry_out, overridden
from lienzo.training.recipes.read import merged


def run(
    source: str | None, out: Path | None, recipe: Path | None, budget: str | None, start: str | None,
    values: Mapping[str, Any], settings: Sequence[str], *, fresh: bool, dry: bool, validate: str | None,
) -> None:  # fmt: skip
    """Plan a run, carry it out, say where its results lie."""
    console = Console(stderr=True)
