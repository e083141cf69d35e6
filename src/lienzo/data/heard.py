"""What the samples of a stream say to a bus that was built before they were read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from typing import Any

from lienzo.conditions.bus import Bus
from lienzo.conditions.label import LabelCondition
from lienzo.conditions.maps import MapCondition
from lienzo.data.columns import is_text, label_of, strings
from lienzo.data.dataset import Column
from lienzo.data.pixels import Pixels
from lienzo.data.planes import recoloured
from lienzo.data.workers import Outcome

SHOWN = 8  # unknown classes that are named
Tell = Callable[[str], None]


class Ears:
    """Hears samples as the conditions of a bus can; what none of them knows is unsaid, counted, and told of once.

    Attributes:
        unknown: condition → how often each class was said that it does not know.

    Args:
        bus: whose conditions are told something.
        columns: what is known of the columns: how many channels their maps have.
        texts: fields that are captions, besides those whose names say so.
        tell: hears of the first unknown class of each condition.
    """

    def __init__(self, bus: Bus, columns: Mapping[str, Column], texts: Collection[str], tell: Tell) -> None:
        self.bus, self.columns, self.texts, self.tell = bus, columns, frozenset(texts), tell
        self.unknown: dict[str, Counter[str]] = {}
        each = {name: bus[name] for name in bus.names}
        self._classes = {name: frozenset(c.classes) for name, c in each.items() if isinstance(c, LabelCondition)}
        self._numbers = {
            name: c.channels for name, c in each.items()
            if isinstance(c, MapCondition) and c.map_kind == "segmentation"
        }  # fmt: skip

    def said(self, outcome: Outcome) -> dict[str, Any]:
        """Return what one sample says: candidates of text, a map's pixels, or a label's name; None for nothing."""
        record, _, maps = outcome
        said: dict[str, Any] = {name: self._label(name, record.fields.get(name)) for name in self.bus.names}
        if "text" in said:
            told = [value for name, value in record.fields.items() if is_text(name) or name in self.texts]
            said["text"] = [text for value in told for text in strings(value)]
        return said | {name: self._map(name, found.pixels) for name, found in maps.items() if name in said}

    def summary(self) -> list[str]:
        """Return a sentence for each condition that did not know everything."""
        return [
            f"{name}: {sum(counts.values()):,} pictures of the stream said one of {len(counts)} classes that the model "
            f"does not hear ({', '.join(f'{value} {n:,}' for value, n in counts.most_common(SHOWN))})"
            for name, counts in self.unknown.items()
        ]  # fmt: skip

    def _label(self, name: str, value: Any) -> str | None:
        found = label_of(value)
        if found is None or found in self._classes.get(name, (found,)):
            return found
        return self._unheard(name, found, f"[conditions.{name}] classes = [\"{found}\", …] names them all, or a larger "
                             "data.sample shows more of them")  # fmt: skip

    def _map(self, name: str, pixels: Pixels | None) -> Pixels | None:
        column = self.columns.get(name)
        if pixels is None or column is None or not column.channels:
            return pixels
        pixels = recoloured(pixels, 1 if column.map_kind == "segmentation" else column.channels)
        highest = int(pixels.max())
        if highest < self._numbers.get(name, highest + 1):
            return pixels
        return self._unheard(name, str(highest), f"[conditions.{name}] channels = {highest + 1}, or a larger "
                             "data.sample")  # fmt: skip

    def _unheard(self, name: str, value: str, hint: str) -> None:
        if name not in self.unknown:
            self.unknown[name] = Counter()
            self.tell(f"{name}: the stream says {value!r}, a class that the model does not hear: not said, as wherever "
                      f"such a class comes; {hint}")  # fmt: skip
        self.unknown[name][value] += 1
