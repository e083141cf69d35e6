"""A pipeline whose coder and network are known: it draws as ever, and can be edited with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import torch
from torch import Tensor, nn

from lienzo.core import Conditions, ConfigurationError, Progress, Streams
from lienzo.families.latent import Latent
from lienzo.pretrained.asking import Guidance
from lienzo.pretrained.coder import Coder, unpacked
from lienzo.pretrained.codes import Codes
from lienzo.pretrained.held import Held
from lienzo.pretrained.kinds import Architecture
from lienzo.pretrained.pipeline import Pretrained

OWN = "own"  # the solver of the pipeline's scheduler


class PretrainedLatent(Latent):
    """p(x | c) of a pipeline, over the codes of its autoencoder.

    Args:
        whole: the pipeline.
        architecture: of its network.
    """

    def __init__(self, whole: Pretrained, architecture: Architecture) -> None:
        vae, factor = whole.pipeline.vae, int(whole.pipeline.vae_scale_factor)
        channels = int(vae.config.get("z_dim") or vae.config.get("latent_channels"))
        shape = (channels, whole.shape[1] // factor, whole.shape[2] // factor)
        coder = Coder(vae, whole.shape, whole.place, architecture.frames, whole.name)
        super().__init__(coder, Codes(whole, architecture, shape), chunk=1)
        self.place, self.whole = nn.Parameter(whole.place.detach(), requires_grad=False), Held(whole)
        mean = vae.config.get("latents_mean") or vae.config.get("shift_factor") or 0.0
        deviation = vae.config.get("latents_std") or 1.0
        self.get_buffer("shift").copy_(_column(mean))
        self.get_buffer("scale").copy_(_column(deviation) / (vae.config.get("scaling_factor") or 1.0))
        self.to(whole.place.device)
        offloaded = bool(getattr(whole.pipeline, "_offload_device", None))
        whole.look = None if offloaded else self._look  # else parts would change places at every step

    @property
    def bus(self) -> Any:
        """What may be said to the pipeline."""
        return self.whole.it.bus

    def sampling(
        self,
        conditions: Conditions,
        *,
        streams: Streams,
        previews: Literal["all", "last"] = "last",
        solver: str = OWN,
        steps: int | None = None,
        guidance: Guidance = None,
        negative: str = "",
        size: Any = None,
        extra: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> Iterator[Progress]:
        """Yield every step from noise to picture; see `Pretrained.sampling`.

        Args:
            conditions: B rows.
            streams: B rows.
            previews: "all" decodes every step.
            solver: "own" is the pipeline's scheduler; else a name in `SOLVERS`, which asks the pipeline's network.
            steps: how many; None: the pipeline's own number.
            guidance: how strongly words are obeyed.
            negative: what shall not be seen ("own" alone, as what follows).
            size: of the pictures.
            extra: more arguments of the pipeline's call.
            **options: refused by name.

        Raises:
            ConfigurationError: for an unknown solver, or an option that it does not hear.
        """
        whole: Pretrained = self.whole.it
        if solver == OWN:
            yield from whole.sampling(conditions, streams=streams, steps=steps, guidance=guidance, negative=negative,
                                      size=size, extra=extra, previews=previews, **options)  # fmt: skip
            return
        own = {name: value for name, value in {"negative": negative, "size": size, "extra": extra, **options}.items()
               if value}  # fmt: skip
        if own:
            raise ConfigurationError(f"the solver {solver} hears no {', '.join(own)}", hint="--solver own, or none")
        count = steps or whole.call.steps
        yield from super().sampling(conditions, streams=streams, previews=previews, steps=count, solver=solver,
                                    guidance=guidance)  # fmt: skip

    def sample(self, conditions: Conditions, *, streams: Streams, solver: str = OWN, **options: Any) -> Tensor:
        """Draw one picture a stream; see `sampling`."""
        if solver == OWN:
            return self.whole.it.sample(conditions, streams=streams, **options)
        return super().sample(conditions, streams=streams, solver=solver, **options)

    def _look(self, codes: Tensor, size: tuple[int, int]) -> Tensor:
        """Return the picture that codes of the pipeline show."""
        high = size[1] // int(self.whole.it.pipeline.vae_scale_factor)
        return self.decode((unpacked(codes, high) if codes.ndim == 3 else codes).float()).clamp(-1, 1)


def _column(values: Any) -> Tensor:
    """Return one number, or one a channel, to be laid over (Z, 1, 1)."""
    return torch.as_tensor(values, dtype=torch.float32).reshape(-1, 1, 1)
