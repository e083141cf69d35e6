"""The best of several drawings, by a scorer that looks whether a picture is what its words say."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from torch import Tensor

from lienzo.core import ConfigurationError

Draw = Callable[[Sequence[Mapping[str, Any]], Sequence[int]], list[Image.Image]]
Judge = Callable[[Sequence[Image.Image], Sequence[str]], Tensor]


def by_scorer(pictures: Sequence[Image.Image], texts: Sequence[str]) -> Tensor:
    """Return how well each picture fits its text, (N,): the cosine that the shipped `emoji-scorer` finds.

    On the CPU, wherever they were drawn: a choice between two that are nearly alike is the same everywhere.
    """
    from lienzo.evaluation.scorer import load_scorer  # late: few drawings are judged

    scorer = load_scorer()
    return (scorer.see(pictures) * scorer.read(texts)).sum(1)


@functools.lru_cache(maxsize=1)  # one command asks one judge, of every prompt anew
def judge_named(name: str, device: str) -> Judge:
    """Return who tells how well pictures fit texts.

    Args:
        name: of a scorer, see `lienzo.evaluation.scorer_named`.
        device: on which it computes.

    Raises:
        ConfigurationError: if there is none, or it needs what is not installed.
    """
    from lienzo.evaluation.scorer import on_white
    from lienzo.evaluation.scorers import EMOJI, scorer_named

    if name == EMOJI:
        return by_scorer
    scorer = scorer_named(name, device)

    def judge(pictures: Sequence[Image.Image], texts: Sequence[str]) -> Tensor:
        seen = scorer.see(np.stack([np.asarray(on_white(picture)) for picture in pictures]))
        return (seen * scorer.read(texts)).sum(1)

    return judge


def best(draw: Draw, rows: Sequence[Mapping[str, Any]], of: int, judge: Judge = by_scorer) -> list[Image.Image]:
    """Draw each row several times, and keep the drawing that fits its words best.

    Drawing k of picture i has number i · of + k within the seed: what is kept can be drawn again alone.

    "Zero-Shot Text-to-Image Generation" (Ramesh et al., 2021), section 2.6.

    Args:
        draw: draws rows, each with its number.
        rows: name → value; "text" is what they are judged by.
        of: how many drawings of each.
        judge: pictures and their texts → how well each fits, (N,).

    Raises:
        ConfigurationError: for a row without words, or fewer than one drawing.
    """
    if of < 1:
        raise ConfigurationError(f"the best of {of} drawings", hint="1 keeps the first one")
    if any(not row.get("text") for row in rows):
        raise ConfigurationError(f"the best of {of} drawings: there are no words to judge them by", hint="a prompt")
    each = [row for row in rows for _ in range(of)]
    drawn = draw(each, range(len(each)))
    firsts = judge(drawn, [str(row["text"]) for row in each]).reshape(len(rows), of).argmax(1).tolist()
    return [drawn[i * of + k] for i, k in enumerate(firsts)]
