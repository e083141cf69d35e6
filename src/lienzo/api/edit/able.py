"""Which ways to edit a model can go, by what it is made of; who can where it cannot, and what it can do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lienzo.api.edit.told import PICTURE, changes_pictures
from lienzo.api.find import described
from lienzo.api.model import Model
from lienzo.api.options import drawing
from lienzo.core import CapabilityError, Denoises, Encodes, LienzoError
from lienzo.core.registry import REGISTRY, class_named
from lienzo.editing import pairs_of
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.latent import Latent
from lienzo.families.style_gan import StyleGAN
from lienzo.training.checkpoint import CONFIG
from lienzo.training.folder import read_json

NAMED = 4  # models that can, at most
TEXT, PAPER = "text", "background"


@dataclass(frozen=True)
class Makeup:
    """What a model is made of, as far as ways to edit ask for it: known without its weights.

    Attributes:
        whole: the class of its family.
        draws: of the family that draws; of one over codes, the inner one.
        hears: names of its conditions.
        taught: whether it has learnt to change pictures, from pairs or as a pretrained pipeline.
    """

    whole: type
    draws: type
    hears: frozenset[str]
    taught: bool

    @classmethod
    def of(cls, model: Model) -> Makeup:
        """Return what a loaded model is made of."""
        family, draws = model.family, drawing(model.family)
        taught = changes_pictures(model) or (isinstance(draws, Denoises) and pairs_of(family) is not None)
        return cls(type(family), type(draws), frozenset(model.bus.names), taught)

    @classmethod
    def written(cls, config: Mapping[str, Any]) -> Makeup:
        """Return what a checkpoint's configuration says.

        Raises:
            LienzoError, KeyError: for one that is no family's of the registry.
        """
        inner: Mapping[str, Any] = config.get("inner") or config
        said: Mapping[str, Any] = (inner.get("bus") or {}).get("conditions", {})
        before = any(each.get("before") for each in said.values()) and TEXT in said
        changed = said.get(PICTURE, {}).get("kind") in ("map", "codes")
        whole, draws = (class_named("family", str(each["kind"])) for each in (config, inner))
        return cls(whole, draws, frozenset(said), changed or (before and issubclass(draws, Denoises)))

    @property
    def name(self) -> str:
        """The family, as people call it."""
        return f"{_kind(self.draws)}, over codes" if issubclass(self.whole, Latent) else _kind(self.whole)


@dataclass(frozen=True)
class Takes:
    """What a way takes.

    Attributes:
        what: the end of a sentence.
        holds: whether a model has it.
    """

    what: str
    holds: Callable[[Makeup], bool]


DENOISING = Takes("a family that denoises (diffusion, few_step)", lambda it: issubclass(it.draws, Denoises))
FILLING = Takes(
    "a family that denoises (diffusion, few_step) or draws in reading order (autoregressive)",
    lambda it: DENOISING.holds(it) or ORDERED.holds(it) or it.taught,
)
RECODING = Takes(
    "a family that denoises (diffusion, few_step) or has a code for every picture (vae, flow …)",
    lambda it: issubclass(it.draws, Denoises | Encodes),
)
BETWEEN = Takes(RECODING.what, lambda it: DENOISING.holds(it) or CODING.holds(it))
CODING = Takes("a family that has a code for every picture (vae, flow …)", lambda it: issubclass(it.whole, Encodes))
STYLES = Takes("styles by layer (style_gan)", lambda it: issubclass(it.whole, StyleGAN))
ORDERED = Takes("pixels or tokens drawn in order (autoregressive)", lambda it: issubclass(it.whole, Autoregressive))
TAUGHT = Takes("a model that was taught to change pictures, by edit pairs or as a pretrained one", lambda it: it.taught)
ALONE = Takes("a model that draws things alone on plain paper, of transparent ones", lambda it: PAPER in it.hears)


@dataclass(frozen=True)
class Way:
    """A way to edit, as far as it is asked who can go it.

    Attributes:
        takes: of a model.
        needs: what must be said, as in `How`.
    """

    takes: Takes
    needs: tuple[str, ...]

    def open_to(self, it: Makeup) -> bool:
        """Tell whether a model can go it, and hears what must be said."""
        deaf = ("words" in self.needs and TEXT not in it.hears) or ("said" in self.needs and not it.hears - {TEXT})
        return self.takes.holds(it) and not deaf


def demand(how: str, ways: Mapping[str, Way], model: Model, *, words: bool) -> None:
    """Demand that a model can go a way.

    Args:
        how: the way.
        ways: all of them.
        model: in use.
        words: whether words are said: who can instead has to hear them.

    Raises:
        CapabilityError: if it cannot, with who can, and what it can do.
    """
    it = Makeup.of(model)
    if ways[how].takes.holds(it):
        return
    others = who_can(ways[how], but=model.name, words=words) or who_can(ways[how], but=model.name)
    first = f"--model {' or '.join(others)}" if others else "a model that does"
    what = f"{model.name} cannot edit by {how}: that takes {ways[how].takes.what}; its family is {it.name}"
    raise CapabilityError(what, hint=f"{first}; {instead(ways, it)}")


def instead(ways: Mapping[str, Way], it: Makeup) -> str:
    """Say which ways a model can go."""
    able = [name for name, way in ways.items() if way.open_to(it)]
    return f"this one can --how {', '.join(able)} (lienzo edit --hows)" if able else "this one can draw, but not edit"


def who_can(way: Way, *, but: str = "", words: bool = False) -> list[str]:
    """Return the names of models that can go a way: some that ship, and runs here.

    Args:
        way: to edit.
        but: a name that is left out.
        words: whether they must hear words.
    """
    found = (name for name, it in _here() if name != but and way.open_to(it) and (TEXT in it.hears or not words))
    return [name for name, _ in zip(found, range(NAMED), strict=False)]


def _here() -> Iterator[tuple[str, Makeup]]:
    for name, folder in described():
        try:
            yield name, Makeup.written(read_json(folder / CONFIG))
        except (LienzoError, LookupError, AttributeError):
            continue  # an adapter's, a plug-in's or a damaged one


def _kind(cls: type) -> str:
    return next((name for name, at in REGISTRY["family"].items() if at.endswith(f":{cls.__name__}")), cls.__name__)
