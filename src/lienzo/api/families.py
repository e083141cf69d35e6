"""Which families there are, what each can do, when to choose it, and what was measured of it."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lienzo.core import Denoises, Encodes, Scores
from lienzo.core.registry import REGISTRY, classes_of
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.latent import Latent
from lienzo.families.style_gan import StyleGAN
from lienzo.training.recipes.make import heard_by

MEASURED = Path(__file__).parents[1] / "assets" / "families.json"
SOURCE = r'[^()"]*?,? (?:19|20)\d\d'
ABLE = {"scores": Scores, "encodes": Encodes, "denoises": Denoises}
SOMETIMES = {"autoregressive": "a bound if masked", "vae": "none with edges"}  # likelihoods that an argument decides
EDITS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (Denoises, ("redraw", "inpaint", "invert", "interpolate")),
    (Latent, ("redraw", "inpaint", "invert")),  # with a family inside that denoises, as its preset has
    (Encodes, ("invert", "interpolate", "attribute")),
    (Autoregressive, ("complete",)),
    (StyleGAN, ("mix",)),
)
CHOOSE = {
    "autoregressive": "where the probability of a picture itself is wanted, or a part of it is given",
    "density": "to know what a learnt family must beat",
    "diffusion": "as the usual way to good-looking pictures under many conditions, and to edit them",
    "few_step": "where a picture must come in one to four network calls",
    "flow": "where the likelihood must be exact, or every picture must have a code that gives it back",
    "gan": "where a picture must come in one call, and nothing has to be said of its likelihood",
    "hierarchical_vae": "for a good bound of the likelihood and samples in one pass",
    "latent": "for pictures of 64 pixels and more: any family over the codes of another",
    "style_gan": "for pictures in one call, with styles to mix and real pictures to project",
    "vae": "for codes to work with, and as the first stage of latent models",
    "vector_quantized": "as the tokenizer of token models; alone it draws no pictures of the data",
}


@dataclass(frozen=True)
class FamilyInfo:
    """A family of models.

    Attributes:
        name: in the registry.
        what: p(x | c) in a sentence, the first of its documentation.
        choose: when to.
        can: besides drawing: "scores (exact)", "encodes", "denoises".
        edits: ways of `lienzo edit` that it can go, the first ones of them.
        hears: kinds of conditions.
        players: who is trained in turn.
        papers: that it follows.
        quality: measured on Fashion-MNIST: figure → value; empty where nothing was.
        speed: measured on Fashion-MNIST: what → value.
        how: by which training and on which machine that was measured.
    """

    name: str
    what: str
    choose: str
    can: list[str]
    edits: list[str]
    hears: list[str]
    players: list[str]
    papers: list[str]
    quality: dict[str, str] = field(default_factory=dict[str, str])
    speed: dict[str, str] = field(default_factory=dict[str, str])
    how: str = ""


def families() -> list[FamilyInfo]:
    """List the families, by name.

    What was measured stands in `assets/families.json`: {"families": {name: {"quality": {figure: value}, "speed": {what:
    value}, "how": words}}}, every value a text that shows its unit.
    """
    measured: Mapping[str, Mapping[str, Any]] = json.loads(MEASURED.read_text("utf-8"))["families"]
    return [_info(name, cls, measured.get(name, {})) for name, cls in sorted(classes_of("family").items())]


def _info(name: str, cls: type, measured: Mapping[str, Any]) -> FamilyInfo:
    text = inspect.getdoc(cls) or ""
    what = " ".join(text.partition("\n\n")[0].split())
    can = [_ability(word, name, cls) for word, capability in ABLE.items() if issubclass(cls, capability)]
    hears = [kind for kind in REGISTRY["condition"] if kind in heard_by({"kind": name})]
    edits = dict.fromkeys(way for kind, ways in EDITS if issubclass(cls, kind) for way in ways)
    told: tuple[str, ...] = getattr(cls, "players", ("model",))
    players = list(dict.fromkeys(told))
    quality, speed = dict(measured.get("quality", {})), dict(measured.get("speed", {}))
    return FamilyInfo(name, what, CHOOSE.get(name, ""), can, list(edits), hears, players, papers(text), quality,
                      speed, str(measured.get("how", "")))  # fmt: skip


def _ability(word: str, name: str, cls: type) -> str:
    kinds = [getattr(cls, "likelihood", ""), SOMETIMES.get(name, "")] if word == "scores" else []
    return f"{word} ({'; '.join(kind for kind in kinds if kind)})" if any(kinds) else word


def papers(text: str) -> list[str]:
    """Return the sources that a documentation names: title and author or, where it has no titles, authors alone.

    >>> papers('"Very Deep VAEs" (Child, 2021); (Zhai et al., 2024)'), papers("Flows (Zhai et al., 2024).")
    (['"Very Deep VAEs" (Child, 2021)'], ['Zhai et al., 2024'])
    """
    words = " ".join(text.split())
    titled = re.findall(rf'"[^"]+" \({SOURCE}\)', words)
    return list(dict.fromkeys(titled or re.findall(rf"\((?=[A-Z])({SOURCE})\)", words)))
