"""What a check found, as a value, as JSON and as text."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

LINES = 50  # of a list that are shown as text; the JSON has all


@dataclass(frozen=True)
class Bad:
    """A file that cannot be used, in words that are always the same, and what was found."""

    file: str
    reason: str
    detail: str = ""


@dataclass(frozen=True)
class Converted:
    """A file that is converted on the way in: 16-bit, CMYK, palette, EXIF-rotated, or animated (its first picture)."""

    file: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Leak:
    """The "same" or a "near" picture in two splits."""

    first: str
    first_split: str
    second: str
    second_split: str
    how: str


@dataclass(frozen=True)
class Captions:
    """What captions say.

    Attributes:
        with_text, without: pictures.
        distinct: different captions.
        vocabulary: different words.
        mean_words, most_words: of a caption.
        common: the commonest words and how often they occur.
    """

    with_text: int = 0
    without: int = 0
    distinct: int = 0
    vocabulary: int = 0
    mean_words: float = 0.0
    most_words: int = 0
    common: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything that a check found.

    Attributes:
        path, kind: what was read.
        files: entries that were read, bad ones included.
        usable: pictures that training would see.
        bad, converted: which not, and which not as they are.
        ignored: files that nothing says are pictures.
        sizes: "smallest", "median", "largest" → (width, height); "below the size asked" → a count.
        modes, formats: how many of each.
        same, near: groups, and pairs, of pictures.
        captions: of the text.
        classes: label column → class → pictures.
        splits: pictures of each split.
        leaks: between splits.
        dropped: columns that are neither labels nor text.
        seconds: that it took.
    """

    path: str
    kind: str
    files: int
    usable: int
    bad: tuple[Bad, ...] = ()
    converted: tuple[Converted, ...] = ()
    ignored: tuple[str, ...] = ()
    sizes: Mapping[str, Any] = field(default_factory=dict[str, Any])
    modes: Mapping[str, int] = field(default_factory=dict[str, int])
    formats: Mapping[str, int] = field(default_factory=dict[str, int])
    same: tuple[tuple[str, ...], ...] = ()
    near: tuple[tuple[str, str], ...] = ()
    captions: Captions = Captions()
    classes: Mapping[str, Mapping[str, int]] = field(default_factory=dict[str, Mapping[str, int]])
    splits: Mapping[str, int] = field(default_factory=dict[str, int])
    leaks: tuple[Leak, ...] = ()
    dropped: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """True if every file can be used and no split leaks."""
        return not self.bad and not self.leaks

    @property
    def bad_share(self) -> float:
        """Share of the entries that cannot be used."""
        return len(self.bad) / self.files if self.files else 0.0

    def to_json(self) -> str:
        """Everything, as JSON."""
        return json.dumps(asdict(self) | {"ok": self.ok}, indent=1, ensure_ascii=False)

    def text(self, width: int = 100) -> str:
        """What is shown, as plain text."""
        console = Console(width=width, record=True, file=io.StringIO())
        console.print(self)
        return console.export_text()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(f"{self.path} ({self.kind})", style="bold")
        yield _pairs(_summary(self))
        for column, counts in self.classes.items():
            yield Text(f"{column} ({len(counts)} classes)", style="bold")
            yield _pairs([(name, str(n)) for name, n in counts.items()])
        yield from _lists(self)
        yield Text(_verdict(self), style="green" if self.ok else "bold red")


def _summary(report: Report) -> list[tuple[str, str]]:
    said = report.captions
    rows = [
        ("entries", str(report.files)),
        ("usable", f"{report.usable}, {len(report.converted)} of them converted"),
        ("cannot be used", f"{len(report.bad)} ({report.bad_share:.1%})"),
        ("sizes", ", ".join(f"{name} {_size(value)}" for name, value in report.sizes.items())),
        ("modes", _counts(report.modes)),
        ("formats", _counts(report.formats)),
        ("splits", _counts(report.splits)),
        ("same pictures", f"{len(report.same)} groups" if report.same else ""),
        ("near pictures", f"{len(report.near)} pairs" if report.near else ""),
        ("columns not used", ", ".join(report.dropped)),
    ]
    if said.with_text:
        rows.append(("captions", f"{said.with_text} pictures ({said.without} without), {said.distinct} distinct"))
        longest = f"{said.mean_words:.1f} a caption, at most {said.most_words}"
        rows.append(("words", f"{said.vocabulary} different, {longest}"))
        rows.append(("commonest", ", ".join(f"{word} {n}" for word, n in said.common)))
    return [(name, value) for name, value in rows if value]


def _lists(report: Report) -> Iterator[Table | Text]:
    converted = [(entry.file, ", ".join(entry.notes), "") for entry in report.converted]
    leaks = [(x.first, f"{x.how} as", f"{x.second} ({x.first_split}, {x.second_split})") for x in report.leaks]
    yield from _listed("cannot be used", [(bad.file, bad.reason, bad.detail) for bad in report.bad])
    yield from _listed("leaks between splits", leaks)
    yield from _listed("converted", converted)
    yield from _listed("the same picture", [(group[0], "same as", ", ".join(group[1:])) for group in report.same])
    yield from _listed("nearly the same", [(one, "near", other) for one, other in report.near])
    yield from _listed("passed over: no picture by their name", [(file, "", "") for file in report.ignored])


def _listed(title: str, rows: list[tuple[str, str, str]]) -> Iterator[Table | Text]:
    if rows:
        yield Text(f"{title} ({len(rows)})", style="bold")
        table = Table(show_header=False, box=None, padding=(0, 1))
        table.add_column(overflow="fold")  # a name that is cut would be of no use
        for row in rows[:LINES]:
            table.add_row(*map(Text, row))  # as text: a file's name is no markup
        if len(rows) > LINES:
            table.add_row(Text(f"… and {len(rows) - LINES} more (all are in the JSON)"))
        yield table


def _pairs(rows: list[tuple[str, str]]) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 1))
    for name, value in rows[:LINES]:
        table.add_row(Text(name), Text(value))
    return table


def _verdict(report: Report) -> str:
    if report.ok:
        return f"fine: nothing to mend ({report.seconds:.1f} s)"
    problems = [f"{len(report.bad)} cannot be used"] if report.bad else []
    problems += [f"{len(report.leaks)} leaks between splits"] if report.leaks else []
    return f"{' and '.join(problems)} ({report.seconds:.1f} s)"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counts.items())


def _size(value: Any) -> str:
    return str(value) if isinstance(value, int) else " × ".join(map(str, value))
