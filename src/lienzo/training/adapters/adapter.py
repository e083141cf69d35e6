"""An adapter, and what becomes of a model that is given one.

The model keeps its class, so that everything which draws, edits or measures it goes on as before; its network and its
bus are exchanged for ones that hold the old ones, frozen. What it writes down of itself, weights and configuration, is
then the adapter alone: a few percent of the base, and the base's name and hash.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, cast
from weakref import WeakKeyDictionary

from torch import Tensor, nn

from lienzo.conditions.maps import MapCondition, MapKind
from lienzo.core import ConfigurationError, Family
from lienzo.core.registry import class_named
from lienzo.families.diffusion import Diffusion
from lienzo.families.latent import Latent
from lienzo.networks.control import DESIGNS, Controlled
from lienzo.networks.low_rank import lower
from lienzo.networks.places import Controllable, shared
from lienzo.training.seeding import seeded

KIND = "adapter"  # of a checkpoint's configuration
LOW_RANK = "low-rank"
RANKS = (1, 2, 4, 8, 16)
SHARE = 0.1  # of the base's parameters, at most
_own: WeakKeyDictionary[nn.Module, frozenset[str]] = WeakKeyDictionary()  # family → names of the adapter's tensors


@dataclass(frozen=True)
class Adapter:
    """What an adapter's configuration says.

    Attributes:
        base: the name or folder of the model that it was taught to.
        sha256: of that model's weights.
        design: a row of `DESIGNS`, or "low-rank".
        size: width or rank; 0 before it is chosen.
        name, map_kind, channels: of the map that it hears; empty for "low-rank".
        seed: of its first weights.
    """

    base: str
    sha256: str
    design: str
    size: int = 0
    name: str = ""
    map_kind: str = ""
    channels: int = 0
    seed: int = 0

    @classmethod
    def of(cls, config: dict[str, Any]) -> Adapter:
        """Read what a checkpoint's configuration says.

        Raises:
            ConfigurationError: if it says something that this version does not know.
        """
        known = {field.name for field in fields(cls)}
        strange = sorted(set(config) - known - {"kind"})
        if strange or config.get("design") not in (*DESIGNS, LOW_RANK):
            what = f"with {strange[0]!r}" if strange else f"of the design {config.get('design')!r}"
            raise ConfigurationError(f"an adapter {what} is not known", hint="a newer lienzo")
        return cls(**{name: value for name, value in config.items() if name in known})


def adapted(family: Family, adapter: Adapter) -> Family:
    """Give a model an adapter, in place; at first it draws what it drew before, bit for bit.

    Args:
        family: a diffusion over pixels or codes. From now on it is frozen but for the adapter.
        adapter: with its size.

    Raises:
        ConfigurationError: for a family that cannot be adapted, or a map that it hears already.
    """
    inner = _diffusion_in(family)
    family.requires_grad_(False)
    with seeded(adapter.seed, KIND):
        made = _made(family, inner, adapter, adapter.size)
    if adapter.design == LOW_RANK:
        inner.network = made[0]
    else:
        _give_map(inner, adapter, *made)
    object.__setattr__(family, "_config", (KIND, asdict(adapter)))
    if family not in _own:
        family.register_state_dict_post_hook(_keep_own)
    _own[family] = frozenset(name for name, p in family.named_parameters() if p.requires_grad)
    return family


def sized(family: Family, adapter: Adapter) -> Adapter:
    """Return an adapter with the size that learns most within a tenth of a model's parameters.

    Raises:
        ConfigurationError: for a family that cannot be adapted, or one so small that no size does.
    """
    inner = _diffusion_in(family)
    family.requires_grad_(False)
    most = SHARE * sum(parameter.numel() for parameter in family.parameters())
    best, learnt = 0, 0
    for size in RANKS if adapter.design == LOW_RANK else DESIGNS[adapter.design].sizes:
        with seeded(adapter.seed, KIND):
            made = _made(family, inner, adapter, size)
        count = sum(parameter.numel() for parameter in made.parameters() if parameter.requires_grad)
        if count > most:
            break
        best, learnt = (size, count) if count > learnt else (best, learnt)
    if best:
        return replace(adapter, size=best)
    raise ConfigurationError(f"a tenth of this model, {most:,.0f} parameters, is too little for {adapter.design!r}",
                             hint="a larger model, or train this one further: lienzo train --from")  # fmt: skip


def _made(family: Family, inner: Diffusion, adapter: Adapter, size: int) -> nn.ModuleList:
    """Return what an adapter of a size consists of: a network with differences of low rank, or a map and a branch."""
    network = inner.network
    assert isinstance(network, Controllable)
    if adapter.design == LOW_RANK:
        twin = shared(network)
        lower(twin, size)
        return nn.ModuleList([twin])
    side, grid = family.shape[1], inner.shape[1:]
    if side % grid[0]:
        raise ConfigurationError(f"pictures of side {side} on a grid of {grid[0]}", hint="a grid that divides them")
    heard = MapCondition(cast(MapKind, adapter.map_kind), side, adapter.channels, grid[0] if grid[0] < side else None)
    heard.prepare(inner.bus.vector, inner.bus.token)
    return nn.ModuleList([heard, DESIGNS[adapter.design].make(network, heard.heard, (grid[0], grid[1]), size)])


def _give_map(inner: Diffusion, adapter: Adapter, heard: nn.Module, branch: nn.Module) -> None:
    """Give a diffusion a branch, and its bus the map that the branch hears."""
    bus, network = inner.bus, inner.network
    if adapter.name in bus.names:
        raise ConfigurationError(f"{adapter.base} hears {adapter.name!r} already", hint="another --map")
    assert isinstance(network, Controllable)
    assert isinstance(heard, MapCondition)
    inner.network = Controlled(network, branch, _heard_by(network, bus.sizes.maps), heard.sizes(0, 0).maps)
    bus.conditions[adapter.name] = heard
    bus.drop_all, bus.drops[adapter.name] = 0.0, 0.0  # without the map it is the base, which has learnt that


def _heard_by(network: nn.Module, maps: int) -> int:
    """Return how many channels of maps a network heard before it got any branch."""
    while isinstance(network, Controlled):
        maps, network = network.plain, network.network
    return maps


def _diffusion_in(family: Family) -> Diffusion:
    inner = family.inner if isinstance(family, Latent) else family
    if not isinstance(inner, Diffusion) or not isinstance(inner.network, Controllable):
        able = class_named("family", "diffusion").__name__
        raise ConfigurationError(f"a {type(inner).__name__} cannot be adapted", hint=f"a model of the family {able}, "
                                 "over pixels or codes, with a transformer or a U-Net")  # fmt: skip
    return inner


def _keep_own(module: nn.Module, state: dict[str, Tensor], prefix: str, _metadata: Any) -> None:
    """Leave of a family's state only the adapter."""
    own = _own.get(module)
    if own is None:  # a copy, which is whole
        return
    for name in [name for name in state if name.startswith(prefix) and name.removeprefix(prefix) not in own]:
        del state[name]
