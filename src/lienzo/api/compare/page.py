"""The page itself: one file that needs no other, readable on a telephone, in the dark, and by a screen reader."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from lienzo.api.compare.drawing import TIMED
from lienzo.api.compare.drawn import drawings
from lienzo.api.compare.pictures import near, samples
from lienzo.api.compare.ranks import number
from lienzo.api.compare.rows import table
from lienzo.training.card import duration

Values = dict[str, Any]
TEMPLATE = Path(__file__).parents[2] / "assets" / "compare" / "page.html"
WARNINGS = ("busy", "real", "copied", "repeated", "time", "unranked")
MISSING = ("failed", "waiting", "apart")


def page(report: Values, out: Path) -> str:
    """Return the whole page as HTML.

    Args:
        report: as the first words of `lienzo.api.compare` say.
        out: the comparison's folder, where the pictures lie.
    """
    names = list(report["entrants"])
    sections = [_samples(report, out), _table(report), _plots(report), _near(report, out), _how(report)]
    return Template(TEMPLATE.read_text("utf-8")).substitute(
        title=escape(_title(report)), heading=_heading(report), facts=_facts(report), words=_words(report),
        colours=" ".join(f".s{i % 8}{{--s:var(--c{i % 8})}}" for i in range(min(len(names), 8))),
        sections="\n".join(section for section in sections if section), lienzo=escape(report["lienzo"]),
    )  # fmt: skip


def bold(text: str) -> str:
    """Return a sentence as HTML, names between backticks set off."""
    return re.sub(r"`([^`]*)`", r"<b>\1</b>", escape(text, quote=False))


def _title(report: Values) -> str:
    return f"{', '.join(report['entrants'])} on {report['source']}"


def _heading(report: Values) -> str:
    count, source = len(report["entrants"]), escape(Path(report["source"]).name or report["source"])
    families = all(one["kind"] == "family" for one in report["entrants"].values())
    what = ("family" if count == 1 else "families") if families else ("model" if count == 1 else "models")
    return f"{count} {what} on <span>{source}</span>"


def _facts(report: Values) -> str:
    settings, machine = report["settings"], report["machine"]
    trained = any(one["kind"] == "family" for one in report["entrants"].values())
    parts = [f"{duration(report['budget'])} of training each" if trained and report["budget"] else ""]
    parts.append(f"{settings['seeds']} × {settings['count']:,} pictures drawn to measure each")
    if machine:
        parts.append(f"{machine['hardware']}, {machine['threads']} thread{'s' * (machine['threads'] > 1)}")
    return escape(" · ".join(part for part in parts if part))


def _words(report: Values) -> str:
    kinds = {**dict.fromkeys(WARNINGS, "caution"), **dict.fromkeys(MISSING, "missing")}
    lines: list[str] = []
    for one in report["words"]:
        basis = f" <span>{bold(one['basis'])}</span>" if one["basis"] else ""
        lines.append(f'<li class="{kinds.get(one["about"], "say")}">{bold(one["text"])}{basis}</li>')
    return f'<ul class="words">{"".join(lines)}</ul>' if lines else "<p>Nothing was measured that can be compared.</p>"


def _section(name: str, title: str, about: str, inside: str) -> str:
    return f'<section id="{name}"><h2>{title}</h2><p>{about}</p>{inside}</section>'


def _samples(report: Values, out: Path) -> str:
    inside = samples(report, out)
    if not inside:
        return ""
    said = "under each word the same is asked of everybody" if any(report["data"]["said"]) else "nothing is asked for"
    about = f"The first pictures of one seed, none chosen: {said}, and everybody has the same random numbers. Above, "
    return _section("samples", "Samples", f"{about}real pictures that nobody was trained on.", inside)


def _table(report: Values) -> str:
    inside = table(report)
    if not inside:
        return ""
    about = "Below a value stand its 95&nbsp;% bounds over sampling seeds; <b>bold</b> is best, with all that cannot "
    about += "be told from it. ↓ less is better, ↑ more. "
    about += "“Real” is what as many real pictures measure: nobody does better but by chance."
    return _section("figures", "Figures", about, inside)


def _plots(report: Values) -> str:
    inside = drawings(report)
    if not inside:
        return ""
    about = "Left and down is better."
    if any(one["curve"] for one in report["entrants"].values()):
        about += " A point on the way is the averaged model at that moment of a training planned for the whole time "
        about += "(first seed only); a training planned to end there would do better."
    return _section("plots", "Quality against time", about, inside)


def _near(report: Values, out: Path) -> str:
    inside = near(report, out)
    found = next((one["nearest"] for one in report["entrants"].values() if one["nearest"]), None)
    if not inside or found is None:
        return ""
    about = f"Below each of the first samples the nearest of {found['among']:,} training pictures: by the difference "
    about += f"of pixels, and by the features of {escape(found['extractor'])}. The number is the distance, where 1 is "
    about += "how far new real pictures lie in the median; 0 would be a copy."
    return _section("near", "Nearest training pictures", about, inside)


def _how(report: Values) -> str:
    settings, data = report["settings"], report["data"]
    features = next((one["features"] for one in report["entrants"].values() if one["features"]), None)
    lines = [f"Conditions are those of held-out pictures ({data.get('held_out', 0):,} there); every seed draws others."]
    if data.get("reference", settings["count"]) < settings["count"]:
        lines.append(f"Figures that compare equal sets (FD, recall and the like) look at {data['reference']:,} of the "
                     "pictures that a seed draws: so many held-out ones can be compared.")  # fmt: skip
    if features:
        lines.append(f"Features: {features['name']}, {features['dimension']} numbers a picture, sha256 "
                     f"{features['sha256'][:12]}. Distances on other features are other figures.")  # fmt: skip
    judge = next((one["judge"] for one in report["entrants"].values() if one["judge"]), None)
    if judge:
        lines.append(f"Captions: {judge['captions']:,} are ranked for each picture by {judge['name']}, sha256 "
                     f"{judge['sha256'][:12]}; by chance its own is first in {1 / judge['captions']:.2%}.")  # fmt: skip
    lines += [
        f"Time a picture: {TIMED} are drawn together, so that one alone takes longer than its share.",
        "The spread is over sampling seeds: it says nothing of what another training of the same family would give.",
        "Seconds of training are of the whole process, all sittings together. Memory is the most that a process of its "
        "own held, Python and its libraries included: training in one, drawing in another.",
        f"Energy is {number(settings['watts'])} W × seconds, an assumption (--watts) and no measurement.",
        "Network calls are evaluations of the network a picture, guidance included: the median over its weights.",
        *_rounded(report), *_refused(report), *_likelihood(report),
    ]  # fmt: skip
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<section id="how"><h2>How this was measured</h2><ul>{items}</ul></section>'


def _rounded(report: Values) -> Sequence[str]:
    """Say who draws in 16 bits: pictures and times here are those of a name with `,dtype=`."""
    rounded = [name for name, one in report["entrants"].items()
               if one["training"] and (one["sampling"] or {}).get("dtype") == "bfloat16"]  # fmt: skip
    if not rounded:
        return []
    return [f"{', '.join(rounded)}: products in bfloat16, which are faster here, in drawing as in training. "
            "To draw so: RUN,dtype=bfloat16. Likelihoods are computed in float32."]  # fmt: skip


def _refused(report: Values) -> Sequence[str]:
    told: dict[str, str] = {}
    for one in report["entrants"].values():
        for name, why in one["refused"].items():
            if name != "likelihood":  # the table says who has none
                told[name] = f"{name} is refused: {why['why']}; {why['instead']}."
    return list(told.values())


def _likelihood(report: Values) -> Sequence[str]:
    told = {name: one["likelihood"] for name, one in report["entrants"].items() if one["likelihood"]}
    if not told:
        return []
    count = next(iter(told.values()))["pictures"]
    how: dict[str, list[str]] = {}
    for name, one in told.items():
        how.setdefault(one["dequantization"], []).append(name)
    each = "; ".join(f"{', '.join(names)}: {words}" for words, names in how.items())
    kinds = "“Bound”: the truth is no more. “Estimate”: it has an error of its own."
    what = f"bits a dimension of {count} held-out pictures, ± 95 % over them"
    return [f"Likelihood: {what}. {kinds} Dequantization of {each}."]
