"""Names in configurations → classes, and back: what rebuilds an object from a checkpoint's `config.json`.

A configuration is {"kind": name, argument: value, …}; values are plain data or configurations again. Only names that a
room has entered here can be built, so that a configuration never names arbitrary code.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, get_type_hints

import pydantic

from lienzo.core.errors import ConfigurationError

T = TypeVar("T")
Config = dict[str, Any]

# role → name → "module:Class"; a new family, network or condition is one new line.
REGISTRY: dict[str, dict[str, str]] = {
    "family": {
        "diffusion": "lienzo.families.diffusion:Diffusion",
        "density": "lienzo.families.density:Density",
        "vae": "lienzo.families.vae:VAE",
        "hierarchical_vae": "lienzo.families.hierarchical_vae:HierarchicalVAE",
        "latent": "lienzo.families.latent:Latent",
        "vector_quantized": "lienzo.families.vector_quantized:VectorQuantized",
        "autoregressive": "lienzo.families.autoregressive:Autoregressive",
        "flow": "lienzo.families.flow:Flow",
        "few_step": "lienzo.families.few_step:FewStep",
        "gan": "lienzo.families.gan:GAN",
        "style_gan": "lienzo.families.style_gan:StyleGAN",
    },
    "network": {
        "unet": "lienzo.networks.unet:UNet",
        "transformer": "lienzo.networks.transformer:PatchTransformer",
    },
    "condition": {
        "label": "lienzo.conditions.label:LabelCondition",
        "text": "lienzo.conditions.text:TextCondition",
        "image": "lienzo.conditions.image:ImageCondition",
        "map": "lienzo.conditions.maps:MapCondition",
        "codes": "lienzo.conditions.maps:CodedCondition",
    },
    "bus": {"bus": "lienzo.conditions.bus:Bus"},
}


def register(role: str, name: str, target: str) -> None:
    """Enter a class of one's own ("module:Class") under a name, e.g. a family of a plug-in."""
    REGISTRY.setdefault(role, {})[name] = target


def _load(target: str) -> type:
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def classes_of(role: str) -> dict[str, type]:
    """Return every class of a role by name."""
    return {name: _load(target) for name, target in REGISTRY[role].items()}


def class_named(role: str, name: str) -> type:
    """Return the class that `name` stands for.

    Raises:
        ConfigurationError: if the role has no such name.
    """
    if name not in REGISTRY[role]:
        raise ConfigurationError(f"unknown {role} {name!r}", hint=f"one of {', '.join(sorted(REGISTRY[role]))}")
    return _load(REGISTRY[role][name])


def configurable(kind: str) -> Callable[[type[T]], type[T]]:
    """Class decorator: remember the arguments of `__init__`, so that `config_of` can write them down."""

    def decorate(cls: type[T]) -> type[T]:
        original: Callable[..., None] = cls.__init__
        signature = inspect.signature(original)

        @functools.wraps(original)
        def init(self: T, *args: Any, **kwargs: Any) -> None:
            bound = signature.bind(self, *args, **kwargs)
            bound.apply_defaults()
            arguments = dict(bound.arguments)
            arguments.pop("self")
            original(self, *args, **kwargs)
            object.__setattr__(self, "_config", (kind, arguments))

        cls.__init__ = init  # type: ignore[assignment]
        return cls

    return decorate


def config_of(thing: Any) -> Any:
    """Write an object made of configurable classes and plain data as plain data."""
    recorded = getattr(thing, "_config", None)
    if recorded is not None:
        kind, arguments = recorded
        return {"kind": kind, **{name: config_of(value) for name, value in arguments.items()}}
    if dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        return config_of(dataclasses.asdict(thing))
    if isinstance(thing, Mapping):
        return {str(k): config_of(v) for k, v in thing.items()}
    if isinstance(thing, list | tuple):
        return [config_of(v) for v in thing]
    return thing


def build(role: str, config: Mapping[str, Any], **given: Any) -> Any:
    """Build an object from its configuration; `given` are arguments that are objects already.

    Values are checked against the annotations of the class, so that a typo or a wrong type fails with its name.

    Raises:
        ConfigurationError: for an unknown kind, an unknown argument or a value of the wrong type.
    """
    arguments = dict(config)
    kind = arguments.pop("kind", None)
    if not isinstance(kind, str):
        raise ConfigurationError(f"a {role} needs a 'kind', got {config!r}", hint=f"one of {', '.join(REGISTRY[role])}")
    cls = class_named(role, kind)
    names = [p for p in inspect.signature(cls.__init__).parameters if p != "self"]
    unknown = sorted((set(arguments) | set(given)) - set(names))
    if unknown:
        raise ConfigurationError(f"{role} {kind!r} has no argument {unknown[0]!r}", hint=f"one of {', '.join(names)}")
    arguments = {name: _rebuild(value) for name, value in arguments.items()}
    try:
        return checked(cls)(**arguments, **given)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise ConfigurationError(f"{role} {kind!r}, {where}: {first['msg']}, got {first['input']!r}") from None


def completed(config: Any) -> Any:
    """Return plain data with those arguments at their defaults that a class did not have yet when it was written."""
    if isinstance(config, list | tuple):
        return [completed(each) for each in config]
    if not isinstance(config, Mapping):
        return config
    said = {str(name): completed(value) for name, value in config.items()}
    role = _role_of(said.get("kind"))
    if role is None:
        return said
    parameters = inspect.signature(class_named(role, said["kind"]).__init__).parameters.items()
    return {name: p.default for name, p in parameters if p.default is not inspect.Parameter.empty} | said


def _role_of(kind: Any) -> str | None:
    """Return whose kind this is; what is called so may also be a table, of a condition with that name."""
    return next((role for role, names in REGISTRY.items() if isinstance(kind, str) and kind in names), None)


def _rebuild(value: Any) -> Any:
    """Build every configuration found inside plain data; kinds are unique over all roles."""
    if isinstance(value, Mapping):
        role = _role_of(value.get("kind"))
        return build(role, value) if role else {k: _rebuild(v) for k, v in value.items()}
    return [_rebuild(v) for v in value] if isinstance(value, list | tuple) else value


def checked(cls: Callable[..., T]) -> Callable[..., T]:
    """Return a constructor that converts and checks its arguments by the annotations of `__init__`."""

    def make(*args: Any, **kwargs: Any) -> T:
        return cls(*args, **kwargs)

    # pydantic refuses classes: it is shown a function with the signature of one
    hints = get_type_hints(cls.__init__)  # type: ignore[misc]
    make.__signature__ = inspect.signature(cls).replace(return_annotation=inspect.Signature.empty)  # type: ignore[attr-defined]
    make.__annotations__ = {name: hint for name, hint in hints.items() if name != "return"}
    return pydantic.validate_call(config=pydantic.ConfigDict(arbitrary_types_allowed=True))(make)
