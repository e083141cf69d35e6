"""What the families over one pipeline share: they hold it, know its device, and are not trained."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from lienzo.core import Batch, CapabilityError, Family, Loss


class Held:
    """A pipeline's part that a module keeps but does not own: the pipeline moves it, offloads it, and saves it."""

    def __init__(self, it: Any) -> None:
        self.it = it


class Untrained(Family):
    """A family over a part of a pipeline.

    Args:
        place: an empty tensor on the device that computes; it is the only parameter, by which `Model` knows the device.
    """

    def __init__(self, place: Tensor) -> None:
        super().__init__()
        self.place = nn.Parameter(place.detach(), requires_grad=False)

    def loss(self, batch: Batch, player: str = "model") -> Loss:
        """Raise: pipelines are not trained here.

        Raises:
            CapabilityError: always.
        """
        raise CapabilityError("lienzo does not train pretrained pipelines", hint="a recipe: `lienzo train SOURCE`")
