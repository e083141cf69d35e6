"""Networks whose operations torch.compile fuses while they are trained, and only then."""

from __future__ import annotations

import contextlib
import sys

import torch

from lienzo.core import Family


def fuse(family: Family) -> None:
    """Let a family's networks be compiled at their next call. Their parameters and names stay what they are."""
    for module in family.fusible():
        module.compile(dynamic=False)


def part(family: Family) -> None:
    """Undo `fuse`: whoever gets the trained family calls it with sizes of their own."""
    for module in family.fusible():
        module._compiled_call_impl = None  # pyright: ignore[reportPrivateUsage] (torch has no public way back)


def unfused() -> contextlib.AbstractContextManager[object]:
    """Return a context in which nothing is compiled: samples and sheets come in sizes that are seen once."""
    if "torch._dynamo" not in sys.modules:  # nothing is; and loading it would take a second
        return contextlib.nullcontext()
    return torch.compiler.set_stance("force_eager")
