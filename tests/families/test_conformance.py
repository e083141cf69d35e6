"""What every family promises, asked of every family of the registry: one that is added tomorrow is tested unasked.

What is asked stands in `checks.py`, how a family is built small in `subject.py`, the problem of known density in
`plane.py`.
"""

from __future__ import annotations

import functools

import plane
import pytest
from checks import CHECKS
from subject import Subject

from lienzo.core import Family, Scores
from lienzo.core.registry import REGISTRY

subject_of = functools.cache(Subject)
learnt = functools.cache(plane.learnt)

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
def test_no_likelihood_beats_the_truth(kind: str) -> None:
    family = _learnt(kind)
    if not isinstance(family, Scores):
        pytest.skip("it gives no likelihood")
    plane.no_likelihood_beats_the_truth(family)


def _learnt(kind: str) -> Family:
    assert subject_of(kind).trained  # skips what cannot be trained here
    return learnt(kind)
