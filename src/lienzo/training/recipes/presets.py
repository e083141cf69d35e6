"""What a budget picks from: for every family what it learns, in which sizes, and the settings that go with them.

Sizes are plain recipe values, small to large; `lienzo.training.budget` measures for which of them the time suffices.
Widths of more levels than a picture can be halved are left out, see `lienzo.training.recipes.suits`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lienzo.training.recipes.suits import Facts, counted, folded, guarded, halved

Values = dict[str, Any]
Sizes = Mapping[str, Values]
NAMES = ("tiny", "small", "medium", "large")


@dataclass(frozen=True)
class Ground:
    """What a family learns: pictures, or the codes of another that is trained first.

    Attributes:
        what: for people.
        sizes: name → the values of a recipe by which it differs from the others, small to large.
        rate: the largest step size that suits them, at a batch of 64.
        common: values of a recipe that all sizes have.
        coder: how the family that codes is trained; None: pictures are learnt.
        share: of a budget, what the coder gets.
        sides: the least side of a picture, and of what it must be a multiple.
        when: argument of the family → the values that mean this ground, where a person says it.
        suit: brings a family's or a network's values to the pictures.
        note: what a person should know of it at the start.
    """

    what: str
    sizes: Sizes
    rate: float
    common: Values = field(default_factory=dict[str, Any])
    coder: Values | None = None
    share: float = 0.0
    sides: tuple[int, int] = (1, 1)
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict[str, tuple[Any, ...]])
    suit: Callable[[Values, Facts], Values] = halved
    note: str = ""


@dataclass(frozen=True)
class Preset:
    """A row: a family's grounds, the first that suits the pictures counts.

    Attributes:
        grounds: the last one suits all pictures, as far as the family does.
        kind: of the family that is trained.
        training: settings that are not measured.
        options: of `sample`.
        guided: options where something is said.
        shares: arguments of the family that count images, as shares of the run's.
        note: what a person should know at the start.
    """

    grounds: tuple[Ground, ...]
    kind: str = ""
    training: Values = field(default_factory=dict[str, Any])
    options: Values = field(default_factory=dict[str, Any])
    guided: Values = field(default_factory=dict[str, Any])
    shares: Mapping[str, float] = field(default_factory=dict[str, float])
    note: str = ""


def table(part: str, **columns: tuple[Any, ...]) -> Sizes:
    """Return the sizes of a family, a column an argument: the n-th values are those of the n-th size.

    >>> table("family", width=(8, 16))
    {'tiny': {'family': {'width': 8}}, 'small': {'family': {'width': 16}}}
    """
    rows = zip(*columns.values(), strict=True)
    return {name: {part: dict(zip(columns, row, strict=True))} for name, row in zip(NAMES, rows, strict=False)}


HEARING: Values = {"vector": 256, "token": 192}
SLOW: Values = {"batch_size": 32, "learning_rate": 2e-3, "warmup": 1000, "ema_half_life": 2000}
CODER: Values = {"family": {"kind": "vae", "codes": 8, "widths": [48, 96, 160]}, "training": SLOW}
TOKENIZER: Values = {"family": {"kind": "vector_quantized", "widths": [48, 96, 160]}, "training": SLOW}
CODED = (48, 8)  # from this side on a picture is worth coding, in codes of an eighth of its side
TRANSFORMERS = {"width": (128, 192, 256, 320), "depth": (4, 6, 6, 8), "heads": (4, 4, 4, 5)}
OVER_CODES: Values = {"network": {"kind": "transformer", "patch": 1}}

CODES = Ground(
    "the codes of an autoencoder", table("network", **TRANSFORMERS), 1e-3, OVER_CODES, CODER, 0.3, CODED,
)  # fmt: skip
PIXELS = Ground(
    "pixels",
    table("network", widths=((24, 48, 64), (32, 64, 96), (48, 96, 144), (64, 128, 192))), 2e-3,
    {"network": {"kind": "unet", "depth": 1, "attention": [2], "heads": 4}},
)  # fmt: skip
DIFFUSION: Values = {
    "options": {"steps": 20, "solver": "dpm++2m", "guidance": 1.0},
    "guided": {"guidance": 2.5},
}
JUMPS: Values = {"family": {"objective": "shortcut"}}
DUEL = {"widths": ((16, 32, 64, 96), (24, 48, 96, 128), (32, 64, 128, 192), (48, 96, 192, 256))}
# no momentum: the direction of an opponent that moves is soon out of date
APART: Values = {"batch_size": 32, "betas": [0.0, 0.99], "weight_decay": 0.0, "clip_norm": 1000.0}
RULES: Values = {"family": {"rules": {"contest": "relativistic", "r1": 0.5, "r2": 0.5, "share": 0.25}}}
DUELLING = Ground("pixels", table("family", **DUEL), 1.4e-3, RULES, suit=guarded)

PRESETS: dict[str, Preset] = {
    "diffusion": Preset((CODES, PIXELS), **DIFFUSION),
    "latent": Preset(
        (Ground(CODES.what, CODES.sizes, CODES.rate, OVER_CODES, CODER, CODES.share),), kind="diffusion", **DIFFUSION
    ),
    "few_step": Preset(
        (
            Ground(CODES.what, CODES.sizes, CODES.rate, {**OVER_CODES, **JUMPS}, CODER, CODES.share, CODED),
            Ground("patches of pixels", table("network", width=(96, 128, 192, 256), depth=(4, 5, 6, 8),
                   heads=(3, 4, 4, 4)), 1e-3, {"network": {"kind": "transformer", "patch": 4}, **JUMPS}),
        ),
        options={"steps": 4},
    ),
    "flow": Preset(
        (
            Ground("the codes of an autoencoder", table("family", width=(64, 96, 128, 192), depth=(4, 4, 6, 6),
                   layers=(1, 2, 2, 3)), 1e-3,
                   {"family": {"transform": "transformer", "dequantization": "gaussian 0.1", "patch": 1}},
                   CODER, 0.3, CODED, {"transform": ("transformer",)},
                   note="over codes it has no likelihood of pictures; --set family.transform=glow learns pixels, whose "
                        "density is exact, more slowly"),
            Ground("pixels", table("family", width=(32, 48, 64, 96), depth=(4, 6, 8, 10)), 2e-3,
                   {"family": {"transform": "glow", "levels": 2, "logit": 0.001, "components": 4}}),
        ),
        options={"temperature": 0.9},
    ),
    "autoregressive": Preset(
        (
            Ground("the tokens of a vector_quantized", table("family", width=(128, 192, 256, 384), depth=(4, 6, 6, 8),
                   heads=(4, 6, 8, 8)), 1e-3, {"family": {"order": "tokens"}}, TOKENIZER, 0.3, (16, 4),
                   {"order": ("tokens", "masked")}),
            Ground("pixels", table("family", width=(32, 48, 64, 80), depth=(4, 6, 6, 9)), 2e-3,
                   {"family": {"order": "pixels"}}, when={"order": ("pixels",)}),
        ),
        guided={"guidance": 2.0},
        note="drawn token by token; --set family.order=pixels gives the exact probability of pixels, far more slowly",
    ),
    "vae": Preset(
        (
            Ground("pixels", table("family", widths=((32, 48, 64), (48, 96, 128), (64, 128, 192), (96, 192, 256)),
                   latent=(32, 48, 64, 96)), 1e-3,
                   {"family": {"likelihood": "logistic-mixture 5", "codes": 32, "prior": "conditional"}}),
        ),
        shares={"warmup": 0.1},
    ),
    "hierarchical_vae": Preset(
        (
            Ground("pixels", table("family",
                   widths=((48, 64, 96), (64, 96, 128), (96, 128, 192), (128, 192, 256)),
                   groups=((1, 2, 1), (2, 2, 2), (3, 3, 2), (4, 4, 3))), 2e-3,
                   # after two minutes of a core on emoji of side 64: 5.0 bits/dim, with 2 × 2 pixels 5.3
                   {"family": {"fold": 4}}, suit=folded),
        ),
        options={"temperature": 0.9},
        shares={"warmup": 0.1},
    ),
    "vector_quantized": Preset(
        (
            Ground("pixels", table("family", widths=((32, 64, 96), (48, 96, 160), (64, 128, 192), (96, 192, 256))),
                   2e-3),
        ),
        note="it codes pictures; alone it draws its tokens uniformly, which shows codes and no pictures of the data",
    ),
    "gan": Preset((DUELLING,), training=APART),
    "style_gan": Preset((DUELLING,), training=APART),
    "density": Preset(
        (Ground("pixels", {"fitted": {"family": {"covariance": "diag"}}}, 3e-3, suit=counted),),
        training={"batch_size": 128, "warmup": 0, "precision": "float32"},
        note="it is fitted, not trained: it ends once it has seen enough pictures, long before the time is over",
    ),
}  # fmt: skip
