"""What the figures say, in plain words, by rules.

The rules, in full. Entrants are ranked together if they were measured against the same. The best by a figure is the one
with the best mean, and with it everybody whose 95 % interval overlaps its own: between these there is no difference to
see. With one sampling seed there are no intervals, and nothing is ranked by a figure. Nothing speaks for whom neither a
sentence nor a row of the table has at its top. A classifier cannot tell pictures from real ones if the interval of all
its tests holds ½ and ends below 0.6; if it ends above, too few were tested to say so. A likelihood that is a bound is
not ranked against an exact one unless the bound alone is better already, estimates stand for themselves, and what is
not a likelihood of 8-bit pictures is not ranked. Times differ where the slowest repeat of the one took less than the
fastest of the other; where other programs were at work meanwhile, that is said. Of what was not measured nothing is
said. Names stand between backticks.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lienzo.api.compare.figures import HIGHER, LOWER, SHARES, alike, ranked
from lienzo.api.compare.likely import likelihoods
from lienzo.api.compare.ranks import Seen, best, joined, named, number, seconds, written
from lienzo.api.compare.rows import ahead, groups
from lienzo.evaluation.copies import RARE

Values = dict[str, Any]
STAGES = {"train": "while it was trained", "draw": "while it drew", "measure": "while it was measured"}
CHANCE, CLOSE = 0.5, 0.6  # of a two-sample test: a guess, and where its interval must end to be one
SHARE = 0.05  # by which quality must have improved in the last half of a training to be worth a word
BUSY = 0.25  # cores of other programs beside which a time is not to be trusted
FACTOR = 2.0  # between sizes, or beyond a floor, that is worth a word
PURPOSES = (
    ("look", "For the look of the pictures", None, ""),
    ("variety", "For variety", "recall", HIGHER),
    ("obedience", "For pictures of what was asked for", "obeyed", HIGHER),
)


def words(report: Values) -> list[Values]:
    """Return sentences: "about", "names" (whom they recommend or warn of), "text", and "basis", the figures behind it.

    Args:
        report: as the first words of `lienzo.api.compare` say, "words" left out.
    """
    ours = {name: report["entrants"][name] for name in ranked(report)}
    told: list[Values] = []
    if len(ours) > 1:
        told += _purposes(report, ours)
        told += likelihoods({name: one["likelihood"] for name, one in ours.items() if one["likelihood"]})
        told += [*_speed(ours, _single(told, "look")), *_busy(ours), *_size(ours)]
        told += _no_reason(report, ours, told)
    told += [*_begun(ours), *_passing(ours), *_copies(ours), *_unfinished_learning(ours, report["quality"])]
    return told + _left_out(report, ours)


def said(about: str, names: Sequence[str], text: str, basis: str = "") -> Values:
    """Return one sentence."""
    return {"about": about, "names": list(names), "text": text, "basis": basis}


def _purposes(report: Values, ours: Values) -> list[Values]:
    """Say who is best for what the figures on features tell."""
    told: list[Values] = []
    for about, purpose, figure, better in PURPOSES:
        short, direction = figure or report["quality"]["figure"], better or LOWER
        found = alike({name: one["figures"][short] for name, one in ours.items() if short in one["figures"]})
        if len(found) < 2:
            continue
        what = next(iter(found.values()))["name"]
        if any(one["low"] is None for one in found.values()):
            if about == "look":
                text = f"One sampling seed tells no spread, so nothing is ranked by {what} and the like: --seeds 5."
                told.append(said("unranked", [], text))
            continue
        seen = [Seen(name, one["mean"], one["low"], one["high"]) for name, one in found.items()]
        floor = next(iter(found.values()))["floor"]
        first, rest = best(seen, direction)
        shown = [*first, *rest[:1]]
        share = short in SHARES
        each = ", ".join(f"{named(s.name)} {s.words(share=share)}" for s in shown)
        real = f"; as many real pictures {written(floor, share=share)}" if floor is not None else ""
        told.append(said(about, [s.name for s in first], choice(purpose, first, rest), f"{what}: {each}{real}."))
    return told


def choice(purpose: str, first: Sequence[Seen], rest: Sequence[Seen]) -> str:
    """Say whom to choose, or that there is no difference to see."""
    if len(first) == 1:
        return f"{purpose} choose {named(first[0].name)}."
    ahead = ", ahead of the rest" if rest else ""
    return f"{purpose} there is no difference to see between {_list([s.name for s in first])}{ahead}."


def _single(told: Sequence[Values], about: str) -> str | None:
    """Return whom the sentence about something recommends alone."""
    names = next((one["names"] for one in told if one["about"] == about), [])
    return names[0] if len(names) == 1 else None


def _speed(ours: Values, best_looking: str | None) -> list[Values]:
    """Say who draws fastest, and how much longer the best-looking one takes, or the slowest."""
    times = {name: one["sampling"] for name, one in ours.items() if one["sampling"]}
    if len(times) < 2:
        return []
    seen = [Seen(name, t["seconds"], t["least"], t["most"]) for name, t in times.items()]
    first, rest = best(seen, LOWER)
    names = [s.name for s in first]
    each = ", ".join(f"{named(s.name)} {_took(times[s.name])}" for s in [*first, *rest]) + "."
    if not rest:
        return [said("speed", names, f"In drawing speed there is no difference to see between {_list(names)}.", each)]
    slow = best_looking if best_looking in times and best_looking not in names else rest[-1].name
    who = f"{named(slow)}, which looks best," if slow == best_looking else named(slow)
    ratio = number(times[slow]["seconds"] / first[0].mean, 2)
    return [said("speed", names, f"To draw fast choose {_list(names, 'or')}; {who} takes {ratio} times as long.", each)]


def _busy(ours: Values) -> list[Values]:
    """Warn of times that were taken while other programs wanted the same cores."""
    times = {name: one["sampling"] for name, one in ours.items() if one["sampling"]}
    others = {name: t["others"] for name, t in times.items() if (t["others"] or 0) > BUSY + _spare(t)}
    if not others:
        return []
    each = joined([f"{number(n, 2)} of {times[name]['cores']} cores at {named(name)}" for name, n in others.items()])
    text = "Other programs were at work while drawing was timed: times may be too long, and their differences false."
    return [said("busy", list(others), text, f"They had {each}.")]


def _spare(sampling: Values) -> int:
    """Return how many cores drawing leaves to others."""
    cores = sampling["cores"] or 0
    return max(0, cores - sampling.get("threads", cores))


def _took(sampling: Values) -> str:
    calls = sampling["calls"]
    network = "no network" if not calls else f"{calls} network call{'s' if calls > 1 else ''}"
    return f"{seconds(sampling['seconds'])} a picture, {network}"


def _size(ours: Values) -> list[Values]:
    """Name the smallest, if the next has at least twice as many parameters."""
    sizes = sorted((one["parameters"], name) for name, one in ours.items() if one["parameters"])
    if len(sizes) < 2 or sizes[1][0] < FACTOR * sizes[0][0]:
        return []
    (count, name), (more, second) = sizes[:2]
    after = f"next is {named(second)} with {number(more / 1e6, 2)} million"
    basis = f"{number(count / 1e6, 2)} million parameters; {after}."
    return [said("size", [name], f"The smallest is {named(name)}.", basis)]


def _no_reason(report: Values, ours: Values, told: Sequence[Values]) -> list[Values]:
    """Name those whom no sentence recommends, and who are first in no row of the table."""
    if any(one["about"] == "unranked" for one in told):
        return []
    chosen = {name for one in told for name in one["names"] if one["about"] != "busy"}
    for row in (row for rows in groups(report).values() for row in rows):
        chosen |= ahead(row, report["entrants"], ours)
    left = [name for name in ours if name not in chosen]
    if not left:
        return []
    text = f"No figure here speaks for {_list(left, 'or')}: in each somebody else is ahead."
    return [said("no reason", left, text)]


def _begun(ours: Values) -> list[Values]:
    """Name those who began from another model's weights, which may have learnt from these very pictures."""
    begun = {name: one["start"] for name, one in ours.items() if one.get("start")}
    text = ("{name} began from the weights of {start}. What that model learnt from is not held out here: if these "
            "pictures were among it, the figures flatter {name}.")  # fmt: skip
    return [said("begun", [name], text.format(name=named(name), start=named(start))) for name, start in begun.items()]


def _passing(ours: Values) -> list[Values]:
    """Say whether a classifier tells the pictures from real ones."""
    found = {n: one["figures"]["two-sample"] for n, one in ours.items() if "two-sample" in one["figures"]}
    if not found:
        return []
    open_ = [name for name, one in found.items() if one["pooled"][0] <= CHANCE]
    passing = [name for name in open_ if found[name]["pooled"][1] < CLOSE]
    if passing:
        text = f"A small classifier cannot tell the pictures of {_list(passing, 'or')} from real ones."
        return [said("real", passing, text)]
    if open_:
        text = f"Whether a small classifier tells the pictures of {_list(open_, 'or')} from real ones is not known"
        return [said("real", [], f"{text}: too few were drawn. A larger --count would say.")]
    shares = sorted((one["mean"], name) for name, one in found.items())
    (least, _), (most, _) = shares[0], shares[-1]
    how = f"{least:.0%}" if f"{least:.0%}" == f"{most:.0%}" else f"{least:.0%} to {most:.0%}"
    whose = "of each" if len(found) > 1 else f"of {named(shares[0][1])}"
    text = f"None passes for real: a small classifier tells the pictures {whose} from real ones in {how} of cases"
    return [said("real", [], f"{text}, where chance is 50%.")]


def _copies(ours: Values) -> list[Values]:
    """Warn of pictures that lie too near to training pictures, or to one another."""
    told: list[Values] = []
    for short, text in (
        ("copied", "Look twice at {name}: {share} of its pictures lie as near to training pictures as 1% of new ones."),
        ("repeated", "{name} repeats itself: {share} of its pictures have a twin as near as 1% of real ones have."),
    ):
        for name, one in ours.items():
            figure = one["figures"].get(short)
            if figure and figure["low"] is not None and figure["low"] > FACTOR * max(figure["floor"] or 0, RARE):
                told.append(said(short, [name], text.format(name=named(name), share=f"{figure['mean']:.0%}")))
    return told


def _unfinished_learning(ours: Values, quality: Values | None) -> list[Values]:
    """Name those whose quality still rose in the last half of their training, beyond their interval."""
    told: list[str] = []
    for name, one in ours.items():
        points = {point["share"]: point["value"] for point in one["curve"]}
        figure = one["figures"].get(quality["figure"]) if quality else None
        if figure is None or figure["high"] is None or not {0.5, 1.0} <= set(points):
            continue
        half, end = points[0.5], points[1.0]
        if half > max(figure["high"], end * (1 + SHARE)):
            told.append(f"{named(name)} ({number(half)} at half of its time, {number(end)} at the end)")
    if not told or quality is None:
        return []
    text = f"More time may help {joined(told)}: {quality['name']} was still falling."
    return [said("time", [name for name in ours if any(named(name) in one for one in told)], text)]


def _left_out(report: Values, ours: Values) -> list[Values]:
    """Name those who failed, are still to come, or were measured against something else."""
    told: list[Values] = []
    for name, one in report["entrants"].items():
        if one["status"] == "failed":
            error = one["error"]
            text = f"{named(name)} failed {STAGES[error['stage']]}: {error['what'].rstrip('.')}."
            told.append(said("failed", [name], text, f"To try: {error['hint']}." if error.get("hint") else ""))
        elif one["status"] == "waiting":
            told.append(said("waiting", [name], f"{named(name)} is still to come."))
        elif name not in ours:
            text = f"{named(name)} was measured against other features or pictures and is not ranked with the rest."
            told.append(said("apart", [name], text))
    return told


def _list(names: Sequence[str], last: str = "and") -> str:
    return joined([named(name) for name in names], last)
