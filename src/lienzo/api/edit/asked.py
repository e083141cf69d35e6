"""What an edit was asked for, and what its picture remembers of that."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from PIL import Image

from lienzo.api.record import KEY, Remembered
from lienzo.conditions import TextCondition
from lienzo.conditions.memory import words
from lienzo.core import ConditionError, ConfigurationError, DataError
from lienzo.editing.masks import is_file

FARTHEST = 100  # sides of the change that a model may be shown
# of `Asked`, what may name a file, and whether a path is one: a folder named "building" is no mask
THERE: Mapping[str, Callable[[Path], bool]] = {
    "keep": Path.is_file, "change": Path.is_file, "map": Path.is_file, "like": Path.exists, "unlike": Path.exists,
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What was asked for; plain data.

    Attributes:
        words: the instruction.
        how: a name in `HOWS`; "auto" takes "instruct" where the model has learnt it; else inpainting where there is a
            mask, image to image where there is none.
        keep, change: a mask's file, a class of `map`, or words.
        map: a segmentation's file, with names.
        like, unlike: another picture, or folders of pictures.
        was: what the picture shows now, in words.
        strength: 0 … 1; None: the operation's own.
        seed, count: of how many edits.
        said: labels, and files of maps and pictures, by the condition's name.
        options: steps, solver, guidance, guidance_interval; by, repeats … of `Way`;
            `take` of "mix", e.g. "middle,fine"; those of the family's sampling for "complete" and "instruct".
        feather: pixels of the seam; None: as many as one of the model covers.
        amount: how far to go along an attribute.
        margin: of outpainting, a share of the longer side.
        context: under a mask, the side of what the model sees over that of what may change; None: 1.5, and not less
            than a pixel of the picture for each of the model's.
    """

    words: str = ""
    how: str = "auto"
    keep: str = ""
    change: str = ""
    map: str = ""
    like: str = ""
    unlike: str = ""
    was: str = ""
    strength: float | None = None
    seed: int = 0
    count: int = 1
    said: dict[str, Any] = field(default_factory=dict[str, Any])
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    feather: int | None = None
    amount: float = 1.0
    margin: float = 0.25
    context: float | None = None

    def __post_init__(self) -> None:
        checks = (
            (self.count >= 1, f"{self.count} edits", "a count of at least 1"),
            (self.strength is None or 0 <= self.strength <= 1, f"strength {self.strength}", "between 0 and 1"),
            (self.feather is None or 0 <= self.feather <= 64, f"a feather of {self.feather} pixels", "0 to 64"),
            (0 < self.margin <= 1, f"a margin of {self.margin:g}", "a share of the longer side, above 0, at most 1"),
            (self.context is None or 1 <= self.context <= FARTHEST, f"a context of {self.context}", f"1 to {FARTHEST}"),
        )
        for holds, what, hint in checks:
            if not holds:
                raise ConfigurationError(what, hint=hint)

    def settled(self) -> Asked:
        """Return the same with full paths, so that it means the same from any folder."""
        named = {name: getattr(self, name) for name in THERE}
        there = {name: Path(said).expanduser() for name, said in named.items() if said}
        full = {name: str(path.resolve()) for name, path in there.items() if THERE[name](path)}
        return replace(self, said={name: _settled(value) for name, value in self.said.items()}, **full)

    def files(self) -> list[Path]:
        """Return the files that it names besides the picture; those of `said` once they are settled."""
        said = [value for value in self.said.values() if isinstance(value, str) and Path(value).is_absolute()]
        named = (self.keep, self.change, self.map, self.like, self.unlike, *said)
        return [path for path in (Path(name).expanduser() for name in named if name) if path.is_file()]

    def looked_for(self) -> list[str]:
        """Return the words by which a model has to look for what is kept or may change."""
        return [said for said in (self.keep, self.change) if said and not self.map and not is_file(said)]


@dataclass(frozen=True)
class EditRecord(Remembered):
    """What an edited picture remembers.

    Attributes:
        edit: the `Asked`, as plain data.
        source: the picture's path when it was edited.
        files: path → SHA-256 of the source and of every file that was named.
        index: which of the edits it is.
        model, weights, device, threads, lienzo, torch: as in `Record`.
    """

    edit: dict[str, Any]
    source: str
    files: dict[str, str]
    index: int
    model: str
    weights: str
    device: str
    threads: int
    lienzo: str
    torch: str

    @property
    def asked(self) -> Asked:
        """What was asked for."""
        return Asked(**self.edit)

    @classmethod
    def of(cls, image: Image.Image) -> EditRecord | None:
        """Read the record of an edit; None where a picture has none, or another one.

        Raises:
            DataError: for a damaged one.
        """
        try:
            plain: Any = json.loads(str(image.info.get(KEY, "null")))
        except ValueError:
            return None
        if not isinstance(plain, dict) or "edit" not in plain:
            return None
        try:
            return cls(**{each.name: plain[each.name] for each in fields(cls)})
        except (KeyError, TypeError):
            raise DataError("the record of this edit is damaged", hint="the file as `lienzo edit` wrote it") from None


def _settled(value: Any) -> Any:
    """Return the full path of a picture's file; a label, or what is no name, as it is."""
    if not isinstance(value, str | Path):
        return value
    path = Path(value).expanduser()
    named = isinstance(value, Path) or path.suffix or path.parent != Path()  # a label may bear the name of a file here
    return str(path.resolve()) if named and path.is_file() else str(value)


def heard_of(text: str, condition: TextCondition) -> list[str]:
    """Return what has to be said about how a model reads a text.

    Raises:
        ConditionError: for a text of which it can read nothing.
    """
    if condition.encoder != "words" or not text.strip():
        return []
    letters = [c for c in text if c.isalpha()]
    latin = [c for c in letters if c < "\u0250"]
    if letters and not latin:
        hint = "the same in English or Spanish"
        raise ConditionError(f"the model cannot read {text[:40]!r}: it knows words in Latin letters", hint=hint)
    notes = list[str]()
    if len(latin) < len(letters):
        notes.append("words in other letters than Latin were not understood: the model reads English and Spanish")
    count = len(words().spoken(text, 10_000))
    if count > condition.length:
        notes.append(f"the model hears the first {condition.length} words of {count:,}; the rest was left out")
    return notes
