"""Fits the distributions of `SubspaceMixtures` by scikit-learn: principal axes, then a mixture along them."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from lienzo.core import ConfigurationError

GRAIN = (1 / 127.5) ** 2 / 12  # the variance that uniform dequantization of 8-bit values adds
LARGEST = 2048  # values up to which the whole covariance is decomposed

Part = dict[str, Tensor]


def library(name: str) -> Any:
    """Import a module of scikit-learn, or one that comes with it.

    Raises:
        ConfigurationError: if it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        what = "a density is fitted by scikit-learn, which is not installed"
        raise ConfigurationError(what, hint="pip install 'lienzo[density]'") from None


def fit(x: Tensor, rank: int, components: int, model: str, covariance: str) -> Part:
    """Return the buffers of one distribution, fitted to x (n, D), n > rank. One thread: the same bits each time.

    Args:
        x: pictures as rows.
        rank: q.
        components: K.
        model: a name in `MODELS`.
        covariance: of a mixture's components: "full" or "diag".
    """
    with library("threadpoolctl").threadpool_limits(1):
        part, z = axes(x.double(), rank)
        return part | MODELS[model](part, z, components, covariance)


def axes(x: Tensor, rank: int) -> tuple[Part, Tensor]:
    """Return μ, W, λ and σ² of probabilistic PCA by maximum likelihood, and W(x − μ), (n, q).

    λ are the q largest eigenvalues of the covariance and σ² is the mean of the others; the grain of 8-bit values is
    added to both.
    """
    values = x.shape[1]
    solver = "covariance_eigh" if values <= LARGEST else "randomized"
    pca = library("sklearn.decomposition").PCA(rank, svd_solver=solver, random_state=0)
    z = torch.from_numpy(pca.fit_transform(x.numpy()))
    largest = torch.from_numpy(pca.explained_variance_)
    left = (x.var(0).sum() - largest.sum()).clamp_min(0) / max(values - rank, 1)
    part = {"mean": torch.from_numpy(pca.mean_), "basis": torch.from_numpy(pca.components_)}
    return part | {"variance": largest.clamp_min(0) + GRAIN, "noise": left + GRAIN}, z


def one_gaussian(part: Part, z: Tensor, components: int, covariance: str) -> Part:
    """Return N(0, diag λ) as a mixture: what probabilistic PCA is along its axes."""
    factor = part["variance"].sqrt().diag()
    return {
        "weights": torch.full((components,), 1 / components),
        "centres": torch.zeros(components, z.shape[1]),
        "factors": factor.repeat(components, 1, 1),
    }


def mixture(part: Part, z: Tensor, components: int, covariance: str) -> Part:
    """Return a mixture of `components` Gaussians, fitted to z (n, q) by expectation-maximisation."""
    gmm = library("sklearn.mixture").GaussianMixture(
        components, covariance_type=covariance, reg_covar=GRAIN, max_iter=200, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", library("sklearn.exceptions").ConvergenceWarning)  # close to it is enough
        gmm.fit(z.numpy())
    spread = torch.from_numpy(gmm.covariances_)
    factors = spread.sqrt().diag_embed() if covariance == "diag" else torch.linalg.cholesky(spread)
    return {"weights": torch.from_numpy(gmm.weights_), "centres": torch.from_numpy(gmm.means_), "factors": factors}


# name → what is fitted along the principal axes
MODELS: dict[str, Callable[[Part, Tensor, int, str], Part]] = {"ppca": one_gaussian, "gmm": mixture}
