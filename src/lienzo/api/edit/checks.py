"""What can be known to be wrong with an edit before a model is loaded."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lienzo.api.edit.asked import Asked
from lienzo.api.edit.hows import HOWS
from lienzo.api.edit.keep import split_keep
from lienzo.api.edit.ways import FRAMES
from lienzo.core import DataError
from lienzo.editing import combined, open_canvas, read_class, read_mask
from lienzo.editing.masks import is_file
from lienzo.sampling import named


def check_files(picture: Path, asked: Asked) -> None:
    """Read the picture and the masks that need no model.

    Raises:
        LienzoError: for one that cannot be read or does not fit, masks that leave nothing to do, or a way that is none.
    """
    if asked.how != "auto":
        named(HOWS, "way to edit", asked.how)
    size = open_canvas(picture).size
    if asked.how == "outpaint":
        return
    if not asked.keep:
        asked = replace(asked, keep=split_keep(asked.words)[1])
    if asked.looked_for():
        for said in (asked.keep, asked.change):
            if said and is_file(said):
                read_mask(said, size)
    else:
        picked = [
            None if not said else read_mask(said, size) if is_file(said) else read_class(asked.map, said, size)
            for said in (asked.change, asked.keep)
        ]
        combined(picked[0], picked[1], size)
    for name in ("like", "unlike"):
        other = str(getattr(asked, name))
        if other and not Path(other).expanduser().exists():
            raise DataError(f"there is no {other}", hint=f"--{name} names a picture or a folder of pictures")


def count_of(asked: Asked) -> int:
    """Return how many pictures an edit gives."""
    row = HOWS.get(asked.how)
    usual = {"frames": FRAMES if asked.count == 1 else asked.count, "double": 1}
    return asked.count if row is None else usual.get(row.gives, asked.count)
