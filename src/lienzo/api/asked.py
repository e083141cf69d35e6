"""From the words of a call to one mapping a picture: which condition is meant, and what is heard if nobody says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lienzo.conditions import Bus, ImageCondition, LabelCondition, MapCondition
from lienzo.core import ConditionError

Rows = list[dict[str, Any]]


def rows_asked(bus: Bus, said: Mapping[str, Any], count: int | None, defaults: Mapping[str, Any]) -> Rows:
    """Return what each picture hears.

    Args:
        bus: what may be said.
        said: name → a value for all pictures, or a list with one each; None is unsaid. "label", "image" and "map" find
            the condition of that kind.
        count: how many pictures; None: as many as the lists are long, or 4.
        defaults: name → what is heard where nothing is said.

    Raises:
        ConditionError: for a name that the model does not hear, or lists that do not fit.
    """
    named = {
        name: value for asked, value in said.items() if value is not None for name, value in _named(bus, asked, value)
    }
    for name in named:
        bus[name]  # raises for a name that no condition has
    lengths = {name: len(value) for name, value in named.items() if _is_list(value)}
    total = count if count is not None else next(iter(lengths.values()), 4)
    wrong = next((name for name, length in lengths.items() if length != total), None)
    if wrong is not None:
        raise ConditionError(
            f"{lengths[wrong]} values of {wrong!r} for {total} pictures", hint="one value, or one each"
        )
    if total < 1:
        raise ConditionError(f"{total} pictures", hint="a count of at least 1")
    plain = {name: value for name, value in defaults.items() if name in bus.names}
    each = [{name: value[i] if name in lengths else value for name, value in named.items()} for i in range(total)]
    return [{**plain, **{n: v for n, v in row.items() if v is not None}} for row in each]


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _named(bus: Bus, asked: str, value: Any) -> list[tuple[str, Any]]:
    """Return (condition's name, value) for what a keyword says."""
    if asked in ("label", "map") and isinstance(value, Mapping):
        return [(_name(bus, str(name), asked), each) for name, each in value.items()]
    return [(_name(bus, asked, asked, value), value)]


def _knowing(bus: Bus, labels: Sequence[str], value: Any) -> list[str]:
    """Return the labels that know what is said of one of them."""
    classes = {name: bus[name] for name in labels}
    said = [each for each in (value if _is_list(value) else [value]) if each is not None]
    return [n for n, c in classes.items() if isinstance(c, LabelCondition) and all(v in c.classes for v in said)]


def _name(bus: Bus, asked: str, role: str, value: Any = None) -> str:
    """Return the condition that a word means: by its name, else the only one of its kind, or that knows the class.

    Raises:
        ConditionError: if none, or more than one, is meant.
    """
    if asked in bus.names:
        return asked
    kinds = {"label": LabelCondition, "image": ImageCondition, "map": MapCondition}
    if role not in kinds:
        bus[asked]  # raises
    able = [name for name in bus.names if isinstance(bus[name], kinds[role]) and name != "background"]
    if role == "map" and asked != "map":
        able = [name for name in able if getattr(bus[name], "map_kind", "") == asked]
    elif asked != role:
        bus[asked]  # raises
    if len(able) > 1 and role == "label":
        able = _knowing(bus, able, value) or able
    if len(able) != 1:
        known = ", ".join(able) or ", ".join(bus.names) or "nothing"
        what = f"this model has no condition {asked!r}" if not able else f"{asked!r} may mean {known}"
        taught = "; scenes-64 hears maps, and `lienzo adapt` teaches a model one" if role == "map" else ""
        hint = f"what it hears is {known}{taught}" if not able else f"say which, e.g. {role} {able[0]}=VALUE"
        raise ConditionError(what, hint=hint)
    return able[0]
