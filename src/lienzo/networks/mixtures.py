"""Gaussian mixtures in principal subspaces, several of them side by side: densities, draws and codes as arithmetic."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

LOG_2PI = math.log(2 * math.pi)


class SubspaceMixtures(nn.Module):
    r"""M distributions over ℝ^D, each a mixture of K Gaussians in a subspace of q dimensions with round noise off it.

    x = μ + Wᵀ z + σ (I − WᵀW) ε,  z ~ Σ_k π_k N(c_k, L_k L_kᵀ),  ε ~ N(0, I),  W (q, D) with orthonormal rows, so that

        log p(x) = log Σ_k π_k N(W(x − μ); c_k, L_k L_kᵀ) + log N(r; 0, σ² I_{D−q}),  ‖r‖² = ‖x − μ‖² − ‖W(x − μ)‖².

    Every standard deviation counts e^s times, s the `spread` that a caller gives. All numbers are buffers of fixed
    shapes; before they are set, each distribution is N(0, I).

    Args:
        models: M.
        values: D.
        rank: q.
        components: K.
        diagonal: every L_k is diagonal, and kept as its q numbers in the place of q².

    "Probabilistic Principal Component Analysis" (Tipping & Bishop, 1999): K = 1, c = 0, L = diag √λ.
    """

    def __init__(self, models: int, values: int, rank: int, components: int, diagonal: bool = False) -> None:
        super().__init__()
        self.values, self.rank, self.components, self.diagonal = values, rank, components, diagonal
        factor = torch.ones(rank) if diagonal else torch.eye(rank)
        start = {
            "mean": torch.zeros(models, values),
            "basis": torch.eye(rank, values).repeat(models, 1, 1),
            "variance": torch.ones(models, rank),  # λ, of the data along each row of W
            "noise": torch.ones(models),  # σ²
            "weights": torch.full((models, components), 1 / components),
            "centres": torch.zeros(models, components, rank),
            "factors": factor.repeat(models, components, *[1] * factor.ndim),  # L, lower triangular
        }
        for name, tensor in start.items():
            self.register_buffer(name, tensor)

    def log_density(self, x: Tensor, spread: Tensor) -> Tensor:
        """Return log p(x) under each distribution, (B, M) float64 in nats, of x (B, D)."""
        mean, basis, factors, x, s = (t.double() for t in (*self._get("mean", "basis", "factors"), x, spread))
        z = torch.einsum("bd,mqd->bmq", x, basis) - torch.einsum("md,mqd->mq", mean, basis)
        square = x.square().sum(1)[:, None] - 2 * x @ mean.T + mean.square().sum(1)
        away = (square - z.square().sum(2)).clamp_min(0)  # rounding may leave less than nothing
        others, variance = self.values - self.rank, self.get_buffer("noise").double() * (2 * s).exp()
        log_noise = -0.5 * (others * (LOG_2PI + variance.log()) + away / variance)
        from_centre = (z[:, :, None] - self.get_buffer("centres").double()).permute(1, 2, 3, 0)  # (M, K, q, B)
        scales = factors if self.diagonal else factors.diagonal(dim1=2, dim2=3)
        unit = self._whitened(factors, from_centre) * (-s).exp()
        log_det = scales.log().sum(2) + self.rank * s
        log_weight = self.get_buffer("weights").double().log() - log_det
        each = log_weight[..., None] - 0.5 * (self.rank * LOG_2PI + unit.square().sum(2))
        return each.logsumexp(1).T + log_noise

    def component(self, model: Tensor, uniform: Tensor) -> Tensor:
        """Return the component k of distributions `model` (B,) that numbers in [0, 1) pick, (B,)."""
        return picked(self.get_buffer("weights")[model], uniform)

    def draw(self, model: Tensor, component: Tensor, normal: Tensor, noise: Tensor, spread: Tensor) -> Tensor:
        """Return x (B, D) for standard normal numbers (B, q) in the subspace and (B, D) off it."""
        mean, basis, variance = (t[model] for t in self._get("mean", "basis", "noise"))
        centres, factors = (t[model, component] for t in self._get("centres", "factors"))
        s = spread.exp()
        z = centres + s * (factors * normal if self.diagonal else (factors @ normal[..., None])[..., 0])
        off = noise - _across(basis, _along(basis, noise))
        return mean + _across(basis, z) + s * variance.sqrt()[:, None] * off

    def code(self, x: Tensor, model: Tensor, spread: Tensor) -> Tensor:
        """Return E[h | x], (B, q), of x = μ + Wᵀ diag √(λ − σ²) h + σ ε, h ~ N(0, I): √(λ − σ²)/λ · W(x − μ)."""
        mean, basis, variance = (t[model] for t in self._get("mean", "basis", "variance"))
        return _along(basis, x - mean) * self._gain(model) / variance * (-spread).exp()

    def picture(self, h: Tensor, model: Tensor, spread: Tensor) -> Tensor:
        """Return E[x | h], (B, D), of codes h (B, q)."""
        mean, basis = (t[model] for t in self._get("mean", "basis"))
        return mean + _across(basis, h * self._gain(model) * spread.exp())

    @torch.no_grad()
    def set(self, model: int, spread: Tensor, **arrays: Tensor) -> None:
        """Make distribution `model` what was fitted, so that it is that at this spread."""
        power = {"variance": 2, "noise": 2, "factors": 1}
        if self.diagonal:
            arrays["factors"] = arrays["factors"].diagonal(dim1=-2, dim2=-1)
        for name, array in arrays.items():
            self.get_buffer(name)[model].copy_(array * (-power.get(name, 0) * spread).exp().squeeze().to(array))

    def _whitened(self, factors: Tensor, z: Tensor) -> Tensor:
        """Return L⁻¹ z of z (M, K, q, B)."""
        return z / factors[..., None] if self.diagonal else torch.linalg.solve_triangular(factors, z, upper=False)

    def _gain(self, model: Tensor) -> Tensor:
        variance, noise = (t[model] for t in self._get("variance", "noise"))
        return (variance - noise[:, None]).clamp_min(0).sqrt()

    def _get(self, *names: str) -> list[Tensor]:
        return [self.get_buffer(name) for name in names]


def picked(weights: Tensor, uniform: Tensor) -> Tensor:
    """Return the index that a number in [0, 1) picks by weights (B, K) or (K,) that sum to one, (B,)."""
    return (weights.cumsum(-1) <= uniform[:, None]).sum(1).clamp(max=weights.shape[-1] - 1)


def _along(basis: Tensor, x: Tensor) -> Tensor:
    return (basis @ x[..., None])[..., 0]


def _across(basis: Tensor, z: Tensor) -> Tensor:
    return (z[:, None] @ basis)[:, 0]
