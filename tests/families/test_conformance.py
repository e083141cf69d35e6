"""What every family promises, asked of every family of the registry: one that is added tomorrow is tested unasked.

What is asked stands in `checks.py`, how a family is built small in `subject.py`, the problem of known density in
`plane.py`.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import plane
import pytest
import torch
from checks import CHECKS
from subject import SHAPE, Subject, made, options

from lienzo.conditions import Bus, MapCondition, TextCondition
from lienzo.core import Batch, Encodes, Family, Scores, Streams
from lienzo.core.registry import REGISTRY
from lienzo.training.recipes.make import heard_by

subject_of = functools.cache(Subject)
learnt = functools.cache(plane.learnt)

# Rows of a family's tables that are not its default, and what may go wrong in one of them alone.
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "tokens": ("autoregressive", {"order": "tokens", "levels": 8}),
    "masked": ("autoregressive", {"order": "masked", "levels": 8}),
    "vector_quantized vq": ("vector_quantized", {"quantizer": "vq", "size": 16}),
    "vector_quantized with a critic": ("vector_quantized", {"adversarial": 0.1, "perceptual": 0.5}),
    "gan wasserstein": ("gan", {"rules": {"contest": "wasserstein-gp", "critic_steps": 2}}),
    "gan hinge": ("gan", {"rules": {"contest": "hinge", "augment": 0.2}}),
    "flow transformer": ("flow", {"transform": "transformer", "layers": 1, "patch": 4}),
    "flow dense": ("flow", {"transform": "dense"}),
    "hierarchical_vae spectral": ("hierarchical_vae", {"spectral": 1e-3}),
    "latent of a gan": ("latent", {"inner": "gan"}),
}
OF_VARIANTS = (
    "a_player_trains_its_own_parameters_and_no_others",
    "a_loss_is_the_mean_over_rows",
    "the_same_stream_gives_the_same_sample_at_any_batch_size",
    "training_goes_on_from_a_snapshot_with_the_same_bits",
    "what_is_drawn_in_order_hears_what_is_before_it_alone",
)


@functools.cache
def variant(name: str) -> Subject:
    kind, more = VARIANTS[name]
    return Subject(kind, **more)


# Other tests enter families of their own, which are not the library's to keep.
kinds = pytest.mark.parametrize("kind", [k for k, t in REGISTRY["family"].items() if t.startswith("lienzo.")])


@pytest.mark.parametrize("check", CHECKS)
@kinds
def test_family(kind: str, check: str) -> None:
    CHECKS[check](subject_of(kind))


@kinds
def test_a_problem_of_known_density_is_learnt(kind: str) -> None:
    plane.it_draws_what_it_learnt(_learnt(kind), kind)


@kinds
def test_what_is_encoded_comes_back_as_well_as_is_stated(kind: str) -> None:
    family = _learnt(kind)
    if not isinstance(family, Encodes):
        pytest.skip("it has no codes")
    plane.what_is_encoded_comes_back(family)


@pytest.mark.parametrize("check", OF_VARIANTS)
@pytest.mark.parametrize("name", VARIANTS)
def test_a_variant(name: str, check: str) -> None:
    CHECKS[check](variant(name))


@kinds
def test_no_likelihood_beats_the_truth(kind: str) -> None:
    family = _learnt(kind)
    if not isinstance(family, Scores):
        pytest.skip("it gives no likelihood")
    plane.no_likelihood_beats_the_truth(family)


@kinds
def test_it_hears_words_and_maps(kind: str) -> None:
    if not {"text", "map"} <= heard_by({"kind": kind}) or kind == "latent":
        pytest.skip("it hears no words and maps; or what is within it does, which is asked by itself")
    torch.manual_seed(0)
    heard = {"text": TextCondition(length=4, depth=1, heads=2), "edges": MapCondition("edges", size=SHAPE[1])}
    family = made(kind, bus=Bus(heard, vector=16, token=16)).eval()
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    edges = torch.eye(SHAPE[1])[None] * 2 - 1
    drawn = [_drawn(family, {"text": text, "edges": map_}) for text in ("a red apple", None) for map_ in (edges, None)]
    assert all(not torch.equal(a, b) for a, b in itertools.combinations(drawn, 2))


def _drawn(family: Any, said: dict[str, Any]) -> torch.Tensor:
    conditions, streams = family.bus.parse({n: [v] * 2 for n, v in said.items()}, 2), Streams(0, [0, 1])
    with torch.no_grad():
        assert family.loss(Batch(torch.zeros(2, *SHAPE), conditions, streams), family.players[0]).total.isfinite()
        return family.sample(conditions, streams=Streams(0, [0, 1]), **options(family))


def _learnt(kind: str) -> Family:
    assert subject_of(kind).trained  # skips what cannot be trained here
    return learnt(kind)
