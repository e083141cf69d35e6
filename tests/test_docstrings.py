"""Whatever is public says what it is; a method may inherit what its base says."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

import lienzo


def modules() -> Iterator[str]:
    for found in pkgutil.walk_packages(lienzo.__path__, "lienzo."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield found.name


def public(holder: object, module: str) -> Iterator[tuple[str, object]]:
    for name, thing in vars(holder).items():
        own = getattr(thing, "__module__", module) == module
        if not name.startswith("_") and own and (inspect.isclass(thing) or inspect.isroutine(thing)):
            yield name, thing


def undocumented(module: str) -> Iterator[str]:
    loaded = importlib.import_module(module)
    if not loaded.__doc__:
        yield module
    for name, thing in public(loaded, module):
        if not inspect.getdoc(thing):
            yield f"{module}.{name}"
        if inspect.isclass(thing):
            yield from (
                f"{module}.{name}.{method}"
                for method, function in vars(thing).items()
                if not method.startswith("_")
                and (inspect.isroutine(function) or isinstance(function, property))
                and not inspect.getdoc(getattr(thing, method))
            )


@pytest.mark.parametrize("module", sorted(modules()))
def test_everything_public_is_documented(module: str):
    try:
        missing = list(undocumented(module))
    except ModuleNotFoundError as error:
        if (error.name or "lienzo").startswith("lienzo"):
            raise
        pytest.skip(f"needs {error.name}, of an extra")
    assert missing == []
