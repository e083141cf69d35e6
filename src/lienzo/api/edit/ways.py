"""What is done to a picture, each from what the model sees to what it draws, an edit a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from lienzo.api.edit.seen import pictures_in, whole
from lienzo.api.edit.told import CHANGE, PICTURE, changes_pictures, denoises, instruction
from lienzo.api.edit.work import WAY, Work, heard
from lienzo.api.options import checked_options
from lienzo.core import CapabilityError, Conditions, Encodes, Streams, require
from lienzo.editing import (
    Walk,
    between,
    direction,
    inpainted,
    instructed,
    inverted,
    laid_over,
    mixed,
    moved,
    pairs_of,
    recoded,
    redrawn,
    regenerated,
    upscaled,
)  # fmt: skip
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.style_gan import StyleGAN

FRAMES = 8


def redraw(work: Work) -> Tensor:
    """Return what is drawn from the picture under noise: image to image."""
    said = work.said(work.asked.words)
    return redrawn(work.space, work.rows, said, work.strength, streams=work.streams, walk=work.walk)


def inpaint(work: Work) -> Tensor:
    """Return what is drawn where the mask is open, in the company of what it keeps."""
    if isinstance(work.model.family, Autoregressive):
        return complete(work)
    if changes_pictures(work.model) and not denoises(work.model):
        return instruct(work)
    keep = work.keep.expand(len(work.rows), -1, -1, -1)
    said = work.said(work.asked.words)
    return inpainted(
        work.space, work.rows, keep, said, work.strength, streams=work.streams, walk=work.walk, way=work.way
    )


def insert(work: Work) -> Tensor:
    """Return what the model sees with a thing laid over it, which it has drawn alone on plain paper."""
    model, asked = work.model, work.asked
    if "background" not in model.bus.names:
        hint = "emoji-64, or another model of transparent pictures; or --how inpaint"
        raise CapabilityError(f"{model.name} draws nothing alone on plain paper", hint=hint)
    said = heard(model, {"background": "white", "text": asked.words, **asked.said}, len(work.indices))
    own = {name: value for name, value in asked.options.items() if name not in WAY}
    options = checked_options(model.family, {**model.defaults.get("options", {}), **own})
    return laid_over(_sampled(work, said, options), work.rows)


def complete(work: Work) -> Tensor:
    """Return what an autoregressive family draws in the place of what is open, in its own order."""
    family = work.model.family
    if not isinstance(family, Autoregressive):
        hint = "--how inpaint; or a model that does: lienzo train SOURCE --family autoregressive"
        raise CapabilityError(f"{work.model.name} draws in no order", hint=hint)
    keep = work.keep.expand(len(work.rows), -1, -1, -1) > 0.5
    own = {name: value for name, value in work.asked.options.items() if name not in WAY}
    options = checked_options(family, {**work.model.defaults.get("options", {}), **own})
    return family.complete(work.rows, keep, work.said(work.asked.words), streams=work.streams, **options)


def invert(work: Work) -> Tensor:
    """Return what is drawn under other words from the noise, or the code, that the picture comes from."""
    was = work.said(work.asked.was, **dict.fromkeys(work.asked.said))
    if not denoises(work.model) and isinstance(work.model.family, Encodes):
        said = work.said(work.asked.words or work.asked.was)
        return recoded(work.model.family, work.rows.to(work.model.device), was, said)
    plain = Walk(work.walk.steps)
    noise = inverted(work.space, work.rows, was, work.strength, walk=plain)
    said = work.said(work.asked.words or work.asked.was)
    return regenerated(work.space, noise, said, work.strength, walk=work.walk)


def attribute(work: Work) -> Tensor:
    """Return the picture moved along what the pictures of one folder have and those of another lack."""
    coder, device = require(work.model.family, Encodes), work.model.device
    names, shape = (work.asked.like, work.asked.unlike), work.model.family.shape
    having, lacking = (pictures_in(name, shape).to(device) for name in names)
    return moved(coder, work.rows.to(device), direction(coder, having, lacking), work.asked.amount)


def mix(work: Work) -> Tensor:
    """Return this picture's styles of some layers with the other one's of the rest."""
    if not isinstance(work.model.family, StyleGAN):
        hint = "a model that has: lienzo train SOURCE --family style_gan"
        raise CapabilityError(f"{work.model.name} has no styles by layer", hint=hint)
    take = tuple(str(work.asked.options.get("take", "fine")).split(","))
    return mixed(work.model.family, work.rows, _other(work).expand_as(work.rows), take)


def frames(work: Work) -> Tensor:
    """Return the pictures from the one that is edited to `like`, (count, C, H, W)."""
    count = work.asked.count if work.asked.count > 1 else FRAMES
    said = work.said(work.asked.words, count=1)
    return between(work.model.family, work.x, _other(work), count, said, walk=work.walk)[0].clamp(-1, 1)


def double(work: Work) -> Tensor:
    """Return pictures of twice the size, each four pixels' mean what was one."""
    said, walk = work.said(work.asked.words, count=len(work.x)), work.walk
    streams = Streams(work.asked.seed, list(range(len(work.x))), name="upscale")  # x: parts of half the model's size
    return upscaled(work.space, work.x, said, work.strength, streams=streams, walk=walk, way=work.way)


def instruct(work: Work) -> Tensor:
    """Return what a family draws that hears the picture that shall change and, where it hears one, the mask."""
    model, asked = work.model, work.asked
    if denoises(model) and pairs_of(model.family) is not None:
        keep, said = work.keep.expand(len(work.rows), -1, -1, -1), work.said(instruction(asked))
        return instructed(
            work.space, work.rows, keep, said, streams=work.streams, walk=work.walk, way=work.way
        )  # fmt: skip
    if not changes_pictures(model):
        hint = "--how redraw; or a model that does, e.g. a pretrained one for instruction editing"
        raise CapabilityError(f"{model.name} hears no picture that shall change", hint=hint)
    pictures = {PICTURE: work.x[0], CHANGE: 1 - 2 * work.keep[0]}  # white, 1, may change; black, -1, is kept
    heard_too = {name: x for name, x in pictures.items() if name in model.bus.names}
    said = heard(model, {"text": asked.words or None, **asked.said, **heard_too}, len(work.indices))
    options = {name: value for name, value in asked.options.items() if name not in WAY}
    if asked.strength is not None:
        options["strength"] = asked.strength
    options = checked_options(model.family, {**model.defaults.get("options", {}), **options})
    return _sampled(work, said, options)


def _sampled(work: Work, said: Conditions, options: dict[str, Any]) -> Tensor:
    """Return what the family draws by itself, each step told."""
    drawn = work.rows
    for progress in work.model.family.sampling(said, streams=work.streams.to(work.model.device), **options):
        work.called()
        drawn = progress.estimate
    return drawn.clamp(-1, 1).cpu()


def _other(work: Work) -> Tensor:
    return whole(Path(work.asked.like), work.model.family.shape)
