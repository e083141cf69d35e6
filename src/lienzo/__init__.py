"""Generative models of images and video: draw z from a simple distribution, transform it: x = f(z, c).

Three nouns carry the library: a source of images, a condition c, and a family of distributions p(x | c). The names
below are loaded when they are first used, so that `import lienzo` costs nothing and changes nothing.

>>> import lienzo
>>> lienzo.Streams(seed=0, indices=[4, 5]).normal(3, 8, 8).shape
torch.Size([2, 3, 8, 8])
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lienzo.api import Model, load, models, reproduce, save, train
    from lienzo.api.adapt.run import adapt
    from lienzo.api.compare import compare
    from lienzo.api.edit.run import edit
    from lienzo.api.evaluate.run import evaluate
    from lienzo.core import (
        Batch,
        Conditions,
        Denoises,
        Encodes,
        Family,
        LienzoError,
        Loss,
        Progress,
        Scores,
        Streams,
        build,
        config_of,
        require,
    )
    from lienzo.data import open_source

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "Conditions",
    "Denoises",
    "Encodes",
    "Family",
    "LienzoError",
    "Loss",
    "Model",
    "Progress",
    "Scores",
    "Streams",
    "__version__",
    "adapt",
    "build",
    "compare",
    "config_of",
    "edit",
    "evaluate",
    "load",
    "models",
    "open_source",
    "reproduce",
    "require",
    "save",
    "train",
]

# Where each name lives; whatever is not listed lives in the protocol, `lienzo.core`.
_ELSEWHERE = {
    "Model": "lienzo.api",
    "adapt": "lienzo.api.adapt.run",
    "edit": "lienzo.api.edit.run",
    "evaluate": "lienzo.api.evaluate.run",
    "compare": "lienzo.api.compare",
    "load": "lienzo.api",
    "models": "lienzo.api",
    "open_source": "lienzo.data",
    "reproduce": "lienzo.api",
    "save": "lienzo.api",
    "train": "lienzo.api",
}


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'lienzo' has no attribute {name!r}")
    value: object = getattr(import_module(_ELSEWHERE.get(name, "lienzo.core")), name)
    globals()[name] = value  # from now on without this detour
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
