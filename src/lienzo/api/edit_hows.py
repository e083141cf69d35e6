"""The ways to edit: a table, and the functions behind it, each from what the model sees to what it draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from lienzo.api.asked import rows_asked
from lienzo.api.edit_asked import Asked
from lienzo.api.edit_seen import pictures_in, whole
from lienzo.api.edit_told import CHANGE, PICTURE, changes_pictures, denoises, instruction
from lienzo.api.model import Model
from lienzo.api.options import checked_options
from lienzo.core import CapabilityError, Conditions, ConfigurationError, Encodes, Streams, require
from lienzo.editing import (
    Space,
    Walk,
    Way,
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
    space_of,
    upscaled,
)  # fmt: skip
from lienzo.editing.space import silent
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.style_gan import StyleGAN
from lienzo.sampling import named

WALK = {"steps": "steps", "solver": "solver", "guidance": "guidance", "guidance_interval": "interval"}
WAY = ("by", "repeats", "length", "rounds", "eta")
FRAMES = 8


@dataclass(frozen=True)
class Work:
    """Everything that an operation needs.

    Attributes:
        model: in use.
        asked: by the user.
        x: (1, C, H, W) in [-1, 1], what the model sees.
        keep: (1, 1, H, W), 1 where it may not change.
        strength: of this operation.
        indices: the numbers of the edits within the seed.
        called: once a network call.
    """

    model: Model
    asked: Asked
    x: Tensor
    keep: Tensor
    strength: float
    indices: Sequence[int]
    called: Callable[[], None] = field(default=silent, repr=False)

    @property
    def rows(self) -> Tensor:
        """What the model sees, once an edit."""
        return self.x.expand(len(self.indices), -1, -1, -1)

    @property
    def streams(self) -> Streams:
        """The randomness of each edit."""
        return Streams(self.asked.seed, list(self.indices), name="edit")

    @property
    def space(self) -> Space:
        """Where the family denoises."""
        return space_of(self.model.family, self.called)

    @property
    def walk(self) -> Walk:
        """How: the model's own defaults, and what was asked for."""
        plain = {**self.model.defaults.get("options", {}), **self.asked.options}
        return Walk(**{WALK[name]: value for name, value in plain.items() if name in WALK})

    @property
    def way(self) -> Way:
        """How what is kept is heard."""
        return Way(**{name: value for name, value in self.asked.options.items() if name in WAY})

    def said(self, words: str, count: int | None = None, **unsaid: None) -> Conditions:
        """Return what the model hears: words and labels."""
        return heard(self.model, {"text": words or None, **self.asked.said, **unsaid}, count or len(self.indices))


def heard(model: Model, said: dict[str, Any], count: int) -> Conditions:
    """Return conditions of `count` equal rows; without the model's defaults: the picture says what it stands on."""
    said = {name: value for name, value in said.items() if value is not None}
    rows = rows_asked(model.bus, said, count, {})
    return model.bus.parse({name: [row.get(name) for row in rows] for name in model.bus.names}, count).to(model.device)


@dataclass(frozen=True)
class How:
    """One way to edit.

    Attributes:
        does: in a line.
        run: (work) → (B, C, H, W), one picture an edit.
        needs: of `Asked`: what must be said.
        strength: unless another is asked for; None: it has none.
        detailed: whether what the model leaves as it is keeps the original's detail.
        lays: whether it lays what it draws over what the model sees, which is then left as it is where nothing lies.
        context: unless another is asked for; None: the usual one.
        recodes: whether a family that only encodes does it by its code under other words.
        gives: edited pictures, frames on a way, or a picture of twice the size.
        example: a command.
    """

    does: str
    run: Callable[[Work], Tensor]
    example: str
    needs: tuple[str, ...] = ()
    strength: float | None = None
    detailed: bool = False
    lays: bool = False
    context: float | None = None
    recodes: bool = False
    gives: Literal["pictures", "frames", "double"] = "pictures"


def _redraw(work: Work) -> Tensor:
    said = work.said(work.asked.words)
    return redrawn(work.space, work.rows, said, work.strength, streams=work.streams, walk=work.walk)


def _inpaint(work: Work) -> Tensor:
    if isinstance(work.model.family, Autoregressive):
        return _complete(work)
    if changes_pictures(work.model) and not denoises(work.model):
        return _instruct(work)
    keep = work.keep.expand(len(work.rows), -1, -1, -1)
    said = work.said(work.asked.words)
    return inpainted(
        work.space, work.rows, keep, said, work.strength, streams=work.streams, walk=work.walk, way=work.way
    )


def _insert(work: Work) -> Tensor:
    """Return what the model sees with a thing laid over it, which it has drawn alone on plain paper."""
    model, asked = work.model, work.asked
    if "background" not in model.bus.names:
        hint = "emoji-64, or another model of transparent pictures; or --how inpaint"
        raise CapabilityError(f"{model.name} draws nothing alone on plain paper", hint=hint)
    said = heard(model, {"background": "white", "text": asked.words, **asked.said}, len(work.indices))
    own = {name: value for name, value in asked.options.items() if name not in WAY}
    options = checked_options(model.family, {**model.defaults.get("options", {}), **own})
    return laid_over(_sampled(work, said, options), work.rows)


def _complete(work: Work) -> Tensor:
    family = work.model.family
    if not isinstance(family, Autoregressive):
        hint = "--how inpaint; or a model that does: lienzo train SOURCE --family autoregressive"
        raise CapabilityError(f"{work.model.name} draws in no order", hint=hint)
    keep = work.keep.expand(len(work.rows), -1, -1, -1) > 0.5
    own = {name: value for name, value in work.asked.options.items() if name not in WAY}
    options = checked_options(family, {**work.model.defaults.get("options", {}), **own})
    return family.complete(work.rows, keep, work.said(work.asked.words), streams=work.streams, **options)


def _invert(work: Work) -> Tensor:
    was = work.said(work.asked.was, **dict.fromkeys(work.asked.said))
    if not denoises(work.model) and isinstance(work.model.family, Encodes):
        said = work.said(work.asked.words or work.asked.was)
        return recoded(work.model.family, work.rows.to(work.model.device), was, said)
    plain = Walk(work.walk.steps)
    noise = inverted(work.space, work.rows, was, work.strength, walk=plain)
    said = work.said(work.asked.words or work.asked.was)
    return regenerated(work.space, noise, said, work.strength, walk=work.walk)


def _attribute(work: Work) -> Tensor:
    coder, device = require(work.model.family, Encodes), work.model.device
    names, shape = (work.asked.like, work.asked.unlike), work.model.family.shape
    having, lacking = (pictures_in(name, shape).to(device) for name in names)
    return moved(coder, work.rows.to(device), direction(coder, having, lacking), work.asked.amount)


def _mix(work: Work) -> Tensor:
    if not isinstance(work.model.family, StyleGAN):
        hint = "a model that has: lienzo train SOURCE --family style_gan"
        raise CapabilityError(f"{work.model.name} has no styles by layer", hint=hint)
    take = tuple(str(work.asked.options.get("take", "fine")).split(","))
    return mixed(work.model.family, work.rows, _other(work).expand_as(work.rows), take)


def _frames(work: Work) -> Tensor:
    """Return the pictures from the one that is edited to `like`, (count, C, H, W)."""
    count = work.asked.count if work.asked.count > 1 else FRAMES
    said = work.said(work.asked.words, count=1)
    return between(work.model.family, work.x, _other(work), count, said, walk=work.walk)[0].clamp(-1, 1)


def _double(work: Work) -> Tensor:
    said, walk = work.said(work.asked.words, count=len(work.x)), work.walk
    streams = Streams(work.asked.seed, list(range(len(work.x))), name="upscale")  # x: parts of half the model's size
    return upscaled(work.space, work.x, said, work.strength, streams=streams, walk=walk, way=work.way)


def _instruct(work: Work) -> Tensor:
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


HOWS: dict[str, How] = {
    "redraw": How("noise on the picture, and back under the words (image to image)", _redraw,
                  "lienzo edit house.png 'a house in the snow' --strength 0.6", ("words",), 0.6, detailed=True),
    "inpaint": How("draw what the mask leaves open, in the company of what it keeps", _inpaint,
                   "lienzo edit house.png 'it is snowing' --keep house-mask.png", ("mask",), 1.0),
    "insert": How("draw a thing alone, cut it out, and lay it into what the mask opens", _insert,
                  "lienzo edit meadow.png 'a dog' --how insert --change spot.png --style twemoji", ("mask", "words"),
                  detailed=True, lays=True, context=1.0),
    "outpaint": How("draw what lies around the picture, all of which is kept", _inpaint,
                    "lienzo edit house.png 'a house in the snow' --how outpaint --margin 0.25", (), 1.0),
    "variation": How("the same, a little different", _redraw,
                     "lienzo edit house.png --how variation --count 4 --strength 0.4", (), 0.45, detailed=True),
    "invert": How("find the picture's noise (or its code), and draw from it under other words", _invert,
                  "lienzo edit dog.png 'a cat' --how invert --was 'a dog'", ("words",), 0.7, detailed=True,
                  recodes=True),
    "style": How("find the picture's noise, and draw from it in another style", _invert,
                 "lienzo edit dog.png --how style --style twemoji --was 'a dog'", ("said",), 0.7, detailed=True,
                 recodes=True),
    "interpolate": How("pictures on the way to another one (--like), --count of them", _frames,
                       "lienzo edit dog.png --how interpolate --like cat.png --count 8", ("like",), gives="frames"),
    "attribute": How("what pictures in one folder have and those in another lack, added (--amount)", _attribute,
                     "lienzo edit me.png --how attribute --like smiling/ --unlike serious/ --amount 1",
                     ("like", "unlike"), detailed=True),
    "mix": How("this picture's forms with another one's surfaces (style GANs)", _mix,
               "lienzo edit a.png --how mix --like b.png --model runs/gan", ("like",)),
    "complete": How("draw what the mask leaves open in reading order (autoregressive models)", _complete,
                    "lienzo edit half.png --how complete --keep mask.png --model runs/pixels", ("mask",)),
    "instruct": How("by a model that was taught to change pictures: by edit pairs, or a pretrained one",
                    _instruct, "lienzo edit house.png 'it is snowing' --how instruct --model scenes-64", ("words",),
                    detailed=True),
    "upscale": How("twice the size; every pixel is the mean of the four that it becomes", _double,
                   "lienzo edit small.png 'a house' --how upscale", (), 0.4, gives="double"),
}  # fmt: skip


def chosen(asked: Asked, masked: bool, model: Model) -> str:
    """Return the name of the way that was asked for, or that suits what was.

    Raises:
        ConfigurationError: for an unknown one, or one that needs what was not said.
    """
    if asked.how == "auto":
        if not denoises(model):
            name = "instruct" if changes_pictures(model) else "complete" if masked else "redraw"
        else:
            learnt = bool(asked.words) and pairs_of(model.family) is not None
            name = "instruct" if learnt else "inpaint" if masked else "redraw" if asked.words else "variation"
        if not (masked or asked.words):
            raise ConfigurationError("nothing was asked for", hint='words, e.g. "it is snowing", or --how variation')
    else:
        named(HOWS, "way to edit", asked.how)
        name = asked.how
    options = {"mask": masked, "words": bool(asked.words), "like": bool(asked.like), "unlike": bool(asked.unlike),
               "said": bool(asked.said)}  # fmt: skip
    missing = [need for need in HOWS[name].needs if not options[need]]
    if missing:
        spelt = {"mask": "--keep or --change", "words": "words", "like": "--like FILE", "unlike": "--unlike FOLDER",
                 "said": "--style NAME"}  # fmt: skip
        raise ConfigurationError(f"{name} needs {spelt[missing[0]]}", hint=HOWS[name].example)
    return name
