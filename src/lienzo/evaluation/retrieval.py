"""Is a picture what its caption says? Its rank among all that might have been said."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from lienzo.evaluation.features import Bytes
from lienzo.evaluation.scorers import Scorer

NOTHING = -1  # the rank of a picture of which nothing was said


class Retrieval:
    """Ranks captions by how well they fit a picture; what all of them mean is read once.

    "Learning Transferable Visual Models From Natural Language Supervision" (Radford et al., 2021), section 3.1.

    Args:
        scorer: of pictures against words.
        candidates: all that might have been said, each once.
    """

    def __init__(self, scorer: Scorer, candidates: Sequence[str]) -> None:
        self.scorer, self.candidates = scorer, tuple(candidates)
        self._number = {text: number for number, text in enumerate(self.candidates)}
        self._read: Tensor | None = None

    def __call__(self, pictures: Bytes, texts: Sequence[str | None]) -> Tensor:
        """Return how many other candidates fit each picture better than its own text, (N,), −1 where it has none.

        A text that is no candidate is ranked among them and itself.
        """
        if self._read is None:
            self._read = self.scorer.read(self.candidates)
        seen = self.scorer.see(pictures)
        scores = seen @ self._read.T
        strange = sorted({text for text in texts if text is not None and text not in self._number})
        if strange:  # after the candidates, whose scores stay what they are
            scores = torch.cat([scores, seen @ self.scorer.read(strange).T], 1)
        place = {**self._number, **{text: len(self.candidates) + n for n, text in enumerate(strange)}}
        ranks = torch.full((len(scores),), NOTHING)
        for row, text in enumerate(texts):
            if text is not None:
                better = scores[row, : len(self.candidates)] > scores[row, place[text]]
                ranks[row] = int(better.sum())
        return ranks


def found_among(ranks: Tensor, k: int) -> float | None:
    """Return which share of the pictures of which something was said have their text among the first k."""
    told = ranks[ranks > NOTHING]
    return float((told < k).double().mean()) if len(told) else None
