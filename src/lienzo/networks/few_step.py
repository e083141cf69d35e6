"""What a network needs to be asked for jumps: room for one vector more, and where it can the weights of a teacher."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import nn

from lienzo.conditions import Sizes
from lienzo.core import ConfigurationError, build, config_of

WIDTH = 64  # of a vector channel that is there for no condition's sake


def with_vector(network: nn.Module, sizes: Sizes) -> tuple[nn.Module, int]:
    """Return a network with a vector channel, and that channel's width D.

    A network that hears one already, because a condition of the bus does, is returned as it is. One without is built
    again from its own configuration with a channel of width 64, so that a bus with nothing in it needs no care.

    Args:
        network: a registered network whose constructor takes `sizes`.
        sizes: `Bus.sizes`.

    Raises:
        ConfigurationError: if the network cannot say how wide its channel is, or that is not the bus's width.
    """
    config: Any = config_of(network)
    if not isinstance(config, dict) or "sizes" not in config:
        raise ConfigurationError(
            f"a {type(network).__name__} does not say what it hears",
            hint="a network marked with @configurable whose arguments have 'sizes', such as transformer or unet",
        )
    own: dict[str, int] = {**asdict(Sizes()), **(config["sizes"] or {})}
    if sizes.vector and own["vector"] != sizes.vector:
        raise ConfigurationError(
            f"the network hears vectors of {own['vector']} numbers, but conditions are told in {sizes.vector}",
            hint="build the network with sizes=bus.sizes",
        )
    if own["vector"]:
        return network, own["vector"]
    return build("network", {**config, "sizes": {**own, "vector": WIDTH}}), WIDTH


def inherited(heir: nn.Module, elder: nn.Module) -> bool:
    """Copy the weights of `elder` into `heir`, if each of them has its like there; return whether it has.

    What `heir` alone has stays as it is.
    """
    theirs, own = elder.state_dict(), heir.state_dict()
    alike = all(name in own and own[name].shape == tensor.shape for name, tensor in theirs.items())
    if alike:
        heir.load_state_dict(theirs, strict=False)
    return alike
