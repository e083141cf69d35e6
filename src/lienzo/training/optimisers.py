"""Optimisers by name, and their state as named tensors."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

from lienzo.core import ConfigurationError
from lienzo.training.settings import TrainingSettings

Named = Mapping[str, nn.Parameter]


def optimisers_for(parameters: Named, settings: TrainingSettings, tables: Collection[Tensor] = ()) -> list[Optimizer]:
    """Return the optimisers that together change `parameters`, each once.

    Rows of `tables` (embeddings) are vectors that are looked up, not matrices that multiply.

    "muon" is for matrices ("Muon: an optimizer for hidden layers", Jordan et al., 2024), with steps scaled to those of
    AdamW ("Muon is Scalable for LLM Training", Liu et al., 2025, eq. 4); everything else stays with AdamW.
    """
    muon = settings.optimiser == "muon"
    matrices = {n: p for n, p in parameters.items() if muon and p.ndim == 2 and p not in tables}
    rest = {n: p for n, p in parameters.items() if n not in matrices}
    made: list[Optimizer] = []
    if matrices:
        made.append(_muon(matrices, settings))
    if rest:
        made.append(_adamw(rest, settings))
    return made


def _muon(parameters: Named, settings: TrainingSettings) -> Optimizer:
    try:
        from torch.optim import Muon
    except ImportError:
        raise ConfigurationError("optimiser 'muon' needs torch 2.9 or newer", hint="optimiser adamw") from None
    own = list(parameters.values())
    return Muon(own, settings.learning_rate, settings.weight_decay, adjust_lr_fn="match_rms_adamw")


def _adamw(parameters: Named, settings: TrainingSettings) -> Optimizer:
    decayed = [p for p in parameters.values() if p.ndim >= 2]
    plain = [p for p in parameters.values() if p.ndim < 2]
    groups = [
        {"params": part, "weight_decay": decay}
        for part, decay in ((decayed, settings.weight_decay), (plain, 0.0))
        if part
    ]
    return AdamW(groups, lr=settings.learning_rate, betas=settings.betas, fused=True)


def set_step_size(optimisers: list[Optimizer], value: float) -> None:
    """Use this step size from now on."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = value


def state_tensors(optimisers: list[Optimizer], names: Mapping[Tensor, str], prefix: str) -> dict[str, Tensor]:
    """Return the state as `prefix.parameter.entry` → tensor; the tensors are the optimiser's own."""
    return {
        f"{prefix}.{names[parameter]}.{entry}": value
        for optimiser in optimisers
        for parameter, entries in optimiser.state.items()
        for entry, value in entries.items()
    }


def load_state(
    optimisers: list[Optimizer], names: Mapping[Tensor, str], prefix: str, saved: Mapping[str, Tensor]
) -> None:
    """Make the state what `state_tensors` once returned; copies, in the layout of each parameter."""
    found: dict[str, dict[str, Tensor]] = {}
    for key, value in saved.items():
        if key.startswith(prefix + "."):
            name, _, entry = key[len(prefix) + 1 :].rpartition(".")
            found.setdefault(name, {})[entry] = value
    for optimiser in optimisers:
        optimiser.state.clear()
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                entries = found.get(names[parameter])
                if entries is not None:
                    optimiser.state[parameter] = {e: _like(parameter, v) for e, v in entries.items()}


def _like(parameter: nn.Parameter, value: Tensor) -> Tensor:
    """Copy a state tensor: moments in the parameter's layout and device, counters as they are."""
    if value.shape != parameter.shape or value.ndim == 0:
        return value.to(parameter.device, copy=True)
    return parameter.detach().clone().to(value.dtype).copy_(value)
