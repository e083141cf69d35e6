"""Edit a picture: what was asked for, the part that the model looks at, what is put back, what that did."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from lienzo.api.edit.able import who_can
from lienzo.api.edit.asked import Asked, EditRecord, heard_of
from lienzo.api.edit.double import doubled
from lienzo.api.edit.hows import HOWS, WAYS, chosen
from lienzo.api.edit.keep import split_keep
from lienzo.api.edit.masks import NO_MASKS, Given, around, given_masks, mask_image, mask_of, still_of
from lienzo.api.edit.said import over_region
from lienzo.api.edit.seen import picture_of
from lienzo.api.edit.told import denoises
from lienzo.api.edit.unheard import unheard
from lienzo.api.edit.work import Work
from lienzo.api.model import Model, load, to_image
from lienzo.api.record import KEY
from lienzo.api.sheets import grid
from lienzo.conditions import TextCondition
from lienzo.core import ConfigurationError
from lienzo.editing import (
    Canvas,
    Changes,
    Met,
    Picked,
    Region,
    changes,
    kept_of,
    looked_at,
    met,
    open_canvas,
    pasted,
    region_of,
    sheet,
    soft,
)  # fmt: skip
from lienzo.editing.canvas import TRANSPARENT, laid
from lienzo.editing.masks import Mask
from lienzo.editing.space import silent
from lienzo.training.card import version
from lienzo.training.folder import fingerprint

BLURRED = 2  # times that what was drawn is enlarged, beyond which it is said
Called = Callable[[], None]


@dataclass(frozen=True)
class Edit:
    """Edited pictures and what is known of them.

    Attributes:
        images: each with its record in `info["lienzo"]`; `lienzo.save` writes both.
        sheet: before, after and difference of the first; of frames, all of them.
        how: the way that was taken.
        words: what was heard of the instruction.
        notes: what was converted, guessed or not heard, in words.
        changes: of each picture; empty where there is nothing to compare with.
        met: how well the words fit each; empty without words, or where the scorer does not apply.
        mask: white where it might change; None where everything might.
        guessed: whether a model guessed the mask.
    """

    images: list[Image.Image]
    sheet: Image.Image
    how: str
    notes: list[str]
    words: str = ""
    changes: list[Changes] = field(default_factory=list[Changes])
    met: list[Met] = field(default_factory=list[Met])
    mask: Image.Image | None = None
    guessed: bool = False

    def plain(self) -> dict[str, Any]:
        """Return what is known as plain data."""
        return {
            "how": self.how, "words": self.words, "notes": self.notes, "changes": [asdict(c) for c in self.changes],
            "met": [asdict(m) for m in self.met], "mask_guessed": self.guessed,
        }  # fmt: skip


def edit(
    picture: Path | str | Image.Image, words: str = "", *, model: str | Path | Model = "emoji-64", **asked: Any
) -> Edit:
    """Edit a picture.

    What the mask keeps is the original's own, pixel for pixel; the result says by how much the rest changed.

    Args:
        picture: a file, or a picture in memory, whose edits cannot be made again by `lienzo reproduce`.
        words: the instruction: what the picture should show.
        model: a name of `lienzo.models`, a run's folder, or a loaded model.
        **asked: the fields of `Asked`: how, keep, change, map, like, strength, seed, count, …; keep and change may be
            pictures in memory, or arrays (H, W) of bool or uint8.

    Raises:
        LienzoError: for a picture, a mask or words that cannot be used.
    """
    unknown = [name for name in asked if name not in Asked.__dataclass_fields__]
    if unknown:
        hint = ", ".join(Asked.__dataclass_fields__)
        raise ConfigurationError(f"an edit has no option {unknown[0]!r}", hint=hint)
    used = model if isinstance(model, Model) else load(model)
    masks = given_masks(asked)
    return edited(used, picture_of(picture), Asked(words, **asked), masks=masks)


def edited(
    model: Model,
    picture: Path | Image.Image,
    asked: Asked,
    indices: Sequence[int] | None = None,
    called: Called = silent,
    masks: Given = NO_MASKS,
) -> Edit:
    """Edit a picture with a loaded model.

    Args:
        model: in use.
        picture: a file, or a picture in memory.
        asked: for what.
        indices: the numbers of the edits within the seed; None: the first `asked.count`.
        called: once a network call.
        masks: that are no files, by "keep" and "change".
    """
    canvas, notes = open_canvas(picture), list[str]()
    notes += canvas.notes
    indices = range(asked.count) if indices is None else indices
    if asked.how != "outpaint" and not (asked.keep or "keep" in masks):
        words, keep = split_keep(asked.words)
        if keep:
            notes.append(f'"keep {keep}" was taken off the words and heard as --keep "{keep}"')
            asked = replace(asked, words=words, keep=keep)
    text = model.bus["text"] if "text" in model.bus.names else None
    if isinstance(text, TextCondition):
        read = dict.fromkeys((asked.words, asked.was, *asked.looked_for()))
        notes += [note for words in read for note in heard_of(words, text)]
    said = any((asked.keep, asked.change, masks)) or asked.how == "outpaint"
    how = chosen(asked, said, model)
    if asked.words and text is None:
        names = who_can(WAYS[how], words=True)
        does = f"--model {' or '.join(names)}" if names else "a model that does"
        other = "--how variation" if denoises(model) and "words" in HOWS[how].needs else "no words"
        raise ConfigurationError(f"{model.name} hears no words", hint=f"{does}, or {other}")
    notes += unheard(asked, how, model, bool(masks))
    if HOWS[how].gives == "frames":
        notes = [note for note in notes if note != TRANSPARENT]  # frames are the model's own pictures
    work = Work(model, asked, torch.empty(0), torch.empty(0), 0.0, indices, called)
    result = _framed(work, canvas, how) if HOWS[how].gives != "pictures" else _changed(work, canvas, how, masks)
    if isinstance(picture, Path) and not masks:
        record = _record(model, picture, asked.settled())
        numbers = indices if HOWS[how].gives == "pictures" else range(len(result.images))
        for image, index in zip(result.images, numbers, strict=True):
            image.info[KEY] = record(index).text()
    else:
        notes.append("it has no record: what was given as a picture in memory cannot be found again")
    result.notes[:0] = notes
    return result


def _changed(work: Work, canvas: Canvas, how: str, masks: Given) -> Edit:
    """Edit the region that may change, and put what was drawn back into it."""
    row, shape, asked = HOWS[how], work.model.family.shape, work.asked
    if how == "outpaint":
        canvas, picked = around(canvas, asked.margin)
    else:
        picked = mask_of(asked, canvas, work.model, masks)
    mask = None if picked is None else picked.mask
    context = row.context if asked.context is None else asked.context
    region = region_of(canvas.size, mask, (shape[2], shape[1]), context)
    work = replace(work, asked=over_region(asked, work.model.bus, region, canvas.size))
    x, keep = looked_at(canvas, region, shape), kept_of(region, shape)
    strength = row.strength if asked.strength is None else asked.strength
    work = _filled(work, x, keep, strength or 0.0)
    drawn = row.run(work).cpu()
    still = (x if row.lays else still_of(work, row))[0].cpu() if row.detailed else None
    feather = max(1, round(region.frame[0] / shape[2])) if asked.feather is None else asked.feather
    weight = None if mask is None else _seam(mask, region, feather)
    after = [pasted(canvas, region, y, weight, still) for y in drawn]
    return _told(canvas, after, picked, region, how, work)


def _seam(mask: Mask, region: Region, feather: int) -> NDArray[np.float32]:
    """Return the weight of what is new in a region: what lies beside it is kept, and so its edge may be a seam too."""
    left, top, right, bottom = region.box
    first, upper = max(0, left - 1), max(0, top - 1)
    weight = soft(mask[upper : bottom + 1, first : right + 1], feather)
    return weight[top - upper : bottom - upper, left - first : right - first]


def _filled(work: Work, x: torch.Tensor, keep: torch.Tensor, strength: float) -> Work:
    return Work(work.model, work.asked, x, keep, strength, work.indices, work.called)


def _told(canvas: Canvas, after: list[Canvas], picked: Picked | None, region: Region, how: str, work: Work) -> Edit:
    asked, (_, high, wide) = work.asked, work.model.family.shape
    mask = None if picked is None else picked.mask
    notes = [] if picked is None else list(picked.notes)
    if region.size != canvas.size:
        looked = f"{region.size[0]} × {region.size[1]} pixels of {canvas.size[0]} × {canvas.size[1]}"
        notes.append(f"the model looked at {looked}")
    if region.frame[0] > BLURRED * wide:
        times = f"{region.frame[0] / wide:.3g}"
        notes.append(f"drawn at {wide} × {high} pixels and enlarged {times} times: what is new is no sharper than that")
    seen = _part(canvas, region)
    words = split_keep(asked.words)[0]  # what stays is measured, not judged
    scores = [met(seen, _part(each, region), words) for each in after] if words else []
    return Edit(
        [each.whole() for each in after], sheet(canvas.seen, after[0].seen, mask), how, notes, words,
        [changes(canvas, each, mask) for each in after], scores,
        None if picked is None else mask_image(picked), picked is not None and picked.guess,
    )  # fmt: skip


def _part(canvas: Canvas, region: Region) -> Image.Image:
    alpha = None if canvas.alpha is None else canvas.alpha.crop(region.box)
    return laid(canvas.colour.crop(region.box), alpha)


def _framed(work: Work, canvas: Canvas, how: str) -> Edit:
    """Frames on the way to another picture, or one picture of twice the size."""
    row, shape = HOWS[how], work.model.family.shape
    strength = (row.strength or 0.0) if work.asked.strength is None else work.asked.strength
    if row.gives == "double":
        large = doubled(canvas, shape, lambda x: row.run(_filled(work, x, work.keep, strength)))
        plain = canvas.seen.resize(large.size, Image.Resampling.BICUBIC)
        return Edit(
            [large.whole()], sheet(plain, large.seen, None), how, ["before, on the sheet: bicubic interpolation"]
        )
    region = region_of(canvas.size, None, (shape[2], shape[1]))
    images = [to_image(x) for x in row.run(_filled(work, looked_at(canvas, region, shape), work.keep, 0.0))]
    ground = "" if canvas.alpha is None else ", and lie on white where the picture is transparent"
    return Edit(images, grid(images, len(images)), how, [f"frames have the model's size{ground}"])


def _record(model: Model, picture: Path, asked: Asked) -> Callable[[int], EditRecord]:
    path = picture.expanduser().resolve()
    files = {str(path): fingerprint(path), **{str(each): fingerprint(each) for each in asked.files()}}

    def of(index: int) -> EditRecord:
        return EditRecord(
            asdict(asked), str(path), files, index, model.name, model.weights, model.device.type,
            torch.get_num_threads(), version(), str(torch.__version__),
        )  # fmt: skip

    return of
