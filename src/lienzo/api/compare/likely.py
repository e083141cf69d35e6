"""Who can say how likely a picture is: exact values, bounds and estimates, each among themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lienzo.api.compare.figures import LOWER, NORMAL
from lienzo.api.compare.ranks import Seen, best, joined, named, number
from lienzo.evaluation.bits import SCORED

Values = dict[str, Any]
SAME = {SCORED[name][0] for name in ("density", "dequantized", "8-bit")}  # of 8-bit pictures; not so the others
DISCRETE = SCORED["8-bit"][0]
PURPOSE = "For saying how likely a picture is"


def likelihoods(told: Mapping[str, Values]) -> list[Values]:
    """Return a sentence about each kind of likelihood that there is.

    Args:
        told: name → "mean" and "error" (standard, over pictures) in bits a dimension, "kind", and "dequantization".
    """
    kinds: dict[str, list[Seen]] = {}
    for name, one in told.items():
        if one["dequantization"] in SAME and one["error"] is not None:
            half = NORMAL * one["error"]
            kinds.setdefault(one["kind"], []).append(Seen(name, one["mean"], one["mean"] - half, one["mean"] + half))
    exact = best(kinds["exact"], LOWER)[0] if "exact" in kinds else []
    found: list[Values] = []
    if exact:
        ways = {told[s.name]["dequantization"] for s in kinds["exact"]}
        beaten = bool(_better(kinds.get("bound", []), exact))
        found.append(_exact(exact, len(kinds["exact"]), mixed=len(ways) > 1 and DISCRETE in ways, beaten=beaten))
    if "bound" in kinds:
        found += _bounds(kinds["bound"], exact)
    if "estimate" in kinds:
        first = best(kinds["estimate"], LOWER)[0]
        text = f"{_bits(first)}, an estimate with an error of its own, so that it is not ranked with others."
        found.append(_said(first, text))
    return found + [_otherwise(name, one) for name, one in told.items() if one["dequantization"] not in SAME]


def _otherwise(name: str, one: Values) -> Values:
    text = f"{named(name)} scores something else than 8-bit pictures, so that its likelihood is not ranked."
    basis = f"{number(one['mean'])} bits/dim, {one['kind']}; dequantization: {one['dequantization']}."
    return {"about": "likelihood", "names": [name], "text": text, "basis": basis}


def _exact(first: list[Seen], count: int, *, mixed: bool, beaten: bool) -> Values:
    names = joined([named(s.name) for s in first])
    basis = f"Bits/dim, exact: {', '.join(f'{named(s.name)} {s.words()}' for s in first)}"
    basis += "; of a density the bits of 8-bit pictures are no more, and may be fewer." if mixed else "."
    if beaten:  # by a bound, which is all the less to be recommended against
        return _said(first, f"{names} {'has' if len(first) == 1 else 'have'} the lowest exact value.", basis)
    if len(first) == 1:
        alone = "" if count > 1 else ", whose value alone is exact"
        return _said(first, f"{PURPOSE} choose {names}{alone}.", basis)
    return _said(first, f"{PURPOSE} there is no difference to see between {names}.", basis)


def _bounds(seen: list[Seen], exact: list[Seen]) -> list[Values]:
    """Say of bounds what they allow: that they are better than an exact value, or nothing."""
    if not exact:
        first = best(seen, LOWER)[0]
        who = "has" if len(first) == 1 else "have"
        lowest = "the lowest bound" if len(seen) > 1 else "a bound"
        basis = "The truth may lie lower, by another amount for each." if len(seen) > 1 else "The truth may lie lower."
        names = joined([named(s.name) for s in first])
        return [_said(first, f"{PURPOSE} {names} {who} {lowest}.", f"{_bits(first)} at most. {basis}")]
    better = _better(seen, exact)
    open_ = [s for s in seen if s not in better]
    found: list[Values] = []
    if better:
        names = joined([named(s.name) for s in better], "or")
        text = f"{PURPOSE} choose {names}: a bound, better than every exact value here."
        found.append(_said(better, text, f"{_bits(better)} at most."))
    if open_:
        text = f"{_bits(open_)} at most, a bound: the truth may lie lower, so that it is not ranked with exact values."
        found.append(_said(open_, text))
    return found


def _better(bounds: list[Seen], exact: list[Seen]) -> list[Seen]:
    """Return the bounds that lie below every exact value."""
    return [s for s in bounds if s.high < min(e.low for e in exact)]


def _bits(seen: list[Seen]) -> str:
    return joined([f"{named(s.name)} takes {number(s.mean)} bits/dim" for s in seen])


def _said(seen: list[Seen], text: str, basis: str = "") -> Values:
    return {"about": "likelihood", "names": [s.name for s in seen], "text": text, "basis": basis}
