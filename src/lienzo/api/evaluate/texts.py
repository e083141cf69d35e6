"""Whether a model's pictures can be held against the words that they were drawn from."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from lienzo.api.model import Model
from lienzo.data.dataset import Bytes, Dataset
from lienzo.evaluation.evaluate import RETRIEVAL
from lienzo.evaluation.features import evenly
from lienzo.evaluation.retrieval import Retrieval, found_among
from lienzo.evaluation.scorer import english_captions
from lienzo.evaluation.scorers import EMOJI, WORDS, scorer_named

Rows = NDArray[np.int64]
Refused = dict[str, dict[str, str]]
LABELS = "labels and maps can be held against what was asked for"
TEXT = "text"
FEWEST = 20  # captions: among fewer, chance finds the right one in a quarter of the cases
TRIED, GOOD = 200, 0.3  # real pictures, and the share of them whose own caption is to be among the first five …
BETTER = 3.0  # … which is at least so many times what chance finds


def texts_of(data: Dataset, rows: Rows) -> list[str | None]:
    """Return what is said of each row: of several texts the first; None where nothing is."""
    return [texts[0] if texts else None for texts in data.values(TEXT, rows)]


def retrieval_of(
    model: Model, held: Dataset, shown: Callable[[Bytes], Bytes], judge: str | None = None
) -> tuple[Retrieval | None, Refused]:
    """Return who ranks the captions of a model's pictures, or why nobody does.

    The shipped scorer has learnt emoji. On other pictures it is asked unasked for only if it finds real ones by their
    captions; whom the user names is asked in any case, and what it makes of real pictures stands beside.

    Args:
        model: that may hear a text.
        held: held-out pictures.
        shown: lays pictures on paper.
        judge: the name of a scorer, see `scorer_named`; None: the shipped one.

    Raises:
        ConfigurationError: for a scorer that there is not.
    """
    if TEXT not in model.bus.names:
        return None, _refused("the model hears no text", LABELS) if judge else {}
    if TEXT not in held.columns or held.columns[TEXT].kind != TEXT:
        return None, _refused(f"nothing is said of {held.name} in words", f"a source with captions; {LABELS}")
    rows = evenly(len(held))
    said = {text for text in texts_of(held, rows) if text is not None}
    if held.name == "emoji":
        said |= set(english_captions())
    if len(said) < FEWEST:
        return None, _refused(f"there are {len(said)} different captions: it needs {FEWEST}", LABELS)
    rank = Retrieval(scorer_named(judge or EMOJI, str(model.device)), sorted(said))
    if judge or held.name == "emoji":
        return rank, {}
    few = rows[:: -(-len(rows) // TRIED)]
    share = found_among(rank(shown(held.pictures(few)), texts_of(held, few)), 5) or 0.0
    needed = max(GOOD, BETTER * 5 / len(said))
    if share < needed:
        why = f"the scorer of emoji has the captions of {share:.0%} of real pictures among its first five"
        return None, _refused(f"{why}: it needs {needed:.0%}", f"--judge {WORDS}")
    return rank, {}


def _refused(why: str, instead: str) -> Refused:
    return {RETRIEVAL: {"why": why, "instead": instead}}
