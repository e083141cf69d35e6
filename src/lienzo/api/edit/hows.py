"""The ways to edit: a table, and which of them suits what was asked for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from lienzo.api.edit.able import (
    ALONE,
    BETWEEN,
    CODING,
    DENOISING,
    FILLING,
    ORDERED,
    RECODING,
    STYLES,
    TAUGHT,
    Makeup,
    Takes,
    Way,
    demand,
    instead,
)  # fmt: skip
from lienzo.api.edit.asked import Asked
from lienzo.api.edit.told import changes_pictures, denoises
from lienzo.api.edit.ways import attribute, complete, double, frames, inpaint, insert, instruct, invert, mix, redraw
from lienzo.api.edit.work import Work
from lienzo.api.model import Model
from lienzo.core import ConfigurationError
from lienzo.editing import pairs_of
from lienzo.sampling import named


@dataclass(frozen=True)
class How:
    """One way to edit.

    Attributes:
        does: in a line.
        run: (work) → (B, C, H, W), one picture an edit.
        needs: of `Asked`: what must be said.
        takes: of a model.
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
    takes: Takes = DENOISING
    strength: float | None = None
    detailed: bool = False
    lays: bool = False
    context: float | None = None
    recodes: bool = False
    gives: Literal["pictures", "frames", "double"] = "pictures"


HOWS: dict[str, How] = {
    "redraw": How("noise on the picture, and back under the words (image to image)", redraw,
                  "lienzo edit house.png 'a house in the snow' --strength 0.6", ("words",), strength=0.6,
                  detailed=True),
    "inpaint": How("draw what the mask leaves open, in the company of what it keeps", inpaint,
                   "lienzo edit house.png 'it is snowing' --keep house-mask.png", ("mask",), FILLING, 1.0),
    "insert": How("draw a thing alone, cut it out, and lay it into what the mask opens", insert,
                  "lienzo edit meadow.png 'a dog' --how insert --change spot.png --style twemoji", ("mask", "words"),
                  ALONE, detailed=True, lays=True, context=1.0),
    "outpaint": How("draw what lies around the picture, all of which is kept", inpaint,
                    "lienzo edit house.png 'a house in the snow' --how outpaint --margin 0.25", (), FILLING, 1.0),
    "variation": How("the same, a little different", redraw,
                     "lienzo edit house.png --how variation --count 4 --strength 0.4", strength=0.45, detailed=True),
    "invert": How("find the picture's noise (or its code), and draw from it under other words", invert,
                  "lienzo edit dog.png 'a cat' --how invert --was 'a dog'", ("words",), RECODING, 0.7,
                  detailed=True, recodes=True),
    "style": How("find the picture's noise, and draw from it in another style", invert,
                 "lienzo edit dog.png --how style --style twemoji --was 'a dog'", ("said",), RECODING, 0.7,
                 detailed=True, recodes=True),
    "interpolate": How("pictures on the way to another one (--like), --count of them", frames,
                       "lienzo edit dog.png --how interpolate --like cat.png --count 8", ("like",), BETWEEN,
                       gives="frames"),
    "attribute": How("what pictures in one folder have and those in another lack, added (--amount)", attribute,
                     "lienzo edit me.png --how attribute --like smiling/ --unlike serious/ --amount 1",
                     ("like", "unlike"), CODING, detailed=True),
    "mix": How("this picture's forms with another one's surfaces (style GANs)", mix,
               "lienzo edit a.png --how mix --like b.png --model runs/gan", ("like",), STYLES),
    "complete": How("draw what the mask leaves open in reading order (autoregressive models)", complete,
                    "lienzo edit half.png --how complete --keep mask.png --model runs/pixels", ("mask",), ORDERED),
    "instruct": How("by a model that was taught to change pictures: by edit pairs, or a pretrained one",
                    instruct, "lienzo edit house.png 'it is snowing' --how instruct --model scenes-64", ("words",),
                    TAUGHT, detailed=True),
    "upscale": How("twice the size; every pixel is the mean of the four that it becomes", double,
                   "lienzo edit small.png 'a house' --how upscale", strength=0.4, gives="double"),
}  # fmt: skip
WAYS = {name: Way(row.takes, row.needs) for name, row in HOWS.items()}


def chosen(asked: Asked, masked: bool, model: Model) -> str:
    """Return the name of the way that was asked for, or that suits what was.

    Raises:
        ConfigurationError: for an unknown one, or one that needs what was not said.
        CapabilityError: for one that the model cannot go.
    """
    it = Makeup.of(model)
    if asked.how == "auto":
        if not denoises(model):
            filling = "complete" if ORDERED.holds(it) else "inpaint"
            name = "instruct" if changes_pictures(model) else filling if masked else "redraw"
        else:
            learnt = bool(asked.words) and pairs_of(model.family) is not None
            name = "instruct" if learnt else "inpaint" if masked else "redraw" if asked.words else "variation"
        if not (masked or asked.words):
            hint = 'words, e.g. "it is snowing", or --how variation' if denoises(model) else instead(WAYS, it)
            raise ConfigurationError("nothing was asked for", hint=hint)
    else:
        named(HOWS, "way to edit", asked.how)
        name = asked.how
    demand(name, WAYS, model, words=bool(asked.words))
    options = {"mask": masked, "words": bool(asked.words), "like": bool(asked.like), "unlike": bool(asked.unlike),
               "said": bool(asked.said)}  # fmt: skip
    missing = [need for need in HOWS[name].needs if not options[need]]
    if missing:
        spelt = {"mask": "--keep or --change", "words": "words", "like": "--like FILE", "unlike": "--unlike FOLDER",
                 "said": "--style NAME"}  # fmt: skip
        raise ConfigurationError(f"{name} needs {spelt[missing[0]]}", hint=HOWS[name].example)
    return name
