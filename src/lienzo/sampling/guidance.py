r"""Classifier-free guidance: a denoiser made of a conditional one heard with more and less said.

With conditions c₁ … c_k, each with a weight, and D_j the denoiser that hears c₁ … c_j only,

    D = D₀ + Σ_j w_j (D_j − D_{j−1}).

"Classifier-Free Diffusion Guidance" (Ho & Salimans, 2022); one term a condition: "InstructPix2Pix: Learning to Follow
Image Editing Instructions" (Brooks, 2023), eq. 3; the interval: "Applying Guidance in a Limited Interval Improves
Sample and Distribution Quality in Diffusion Models" (Kynkäänniemi, 2024).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

from lienzo.core import Conditions
from lienzo.sampling.schedule import Denoiser

Branches = Callable[[Tensor, float, Sequence[int]], list[Tensor]]  # (x_t, t, which) → the estimate of each branch


def nest(conditions: Conditions, weights: float | Mapping[str, float]) -> tuple[list[Conditions], list[float]]:
    """Return what each branch hears, from least to most said, and the weight w_j of each step between them.

    One number weighs all that is said at once. A mapping weighs by name, in its order; neighbours of equal weight are
    one step, and a condition that it does not name is heard by every branch. What weighs 0 is heard by none, whatever
    its place in the order; what nobody says costs no step.
    """
    named = dict.fromkeys(conditions, weights) if isinstance(weights, int | float) else weights
    mute = [name for name, w in named.items() if w == 0]
    conditions = conditions.without(*mute) if mute else conditions
    said = [name for name, entry in conditions.items() if bool(entry.present.any())]
    steps = [(name, float(w)) for name, w in named.items() if name in said]
    branches, values = [conditions], list[float]()
    unsaid: list[str] = []
    for i in reversed(range(len(steps))):  # from all that is said, unsay the last group first
        unsaid.append(steps[i][0])
        if i == 0 or steps[i - 1][1] != steps[i][1]:
            branches.insert(0, conditions.without(*unsaid))
            values.insert(0, steps[i][1])
    return branches, values


def branched(
    conditions: Conditions, weights: float | Mapping[str, float], known: Callable[[str], object]
) -> tuple[list[Conditions], list[float]]:
    """Return `nest`'s branches and weights; where there is nothing to guide, all that is said, without weights.

    Args:
        conditions: B rows.
        weights: as in `nest`.
        known: raises for the name of no condition.
    """
    for name in weights if isinstance(weights, Mapping) else ():
        known(name)
    branches, values = nest(conditions, weights)
    return (branches[-1:], []) if all(w == 1 for w in values) else (branches, values)


def combined(branches: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Return D₀ + Σ_j w_j (D_j − D_{j−1})."""
    total = branches[0]
    for w, more, less in zip(weights, branches[1:], branches[:-1], strict=True):
        total = total + w * (more - less)
    return total


def guided(evaluate: Branches, weights: Sequence[float], interval: tuple[float, float] = (0.0, 1.0)) -> Denoiser:
    """Return the guided denoiser of len(weights) + 1 branches.

    Where every weight is 1, or t is outside the interval, it is the last branch alone: the conditional model, bit for
    bit.
    """
    every, last = range(len(weights) + 1), [len(weights)]

    def denoise(x: Tensor, t: float) -> Tensor:
        if all(w == 1 for w in weights) or not interval[0] <= t <= interval[1]:
            return evaluate(x, t, last)[0]
        return combined(evaluate(x, t, every), weights)

    return denoise
