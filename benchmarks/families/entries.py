"""Who is measured: every family by its recipe, some a second time on binarized pictures, and the peers of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PEERS = {
    "pythae-vae": "peer_pythae:Vae", "pythae-iwae": "peer_pythae:Iwae", "pythae-vamp": "peer_pythae:Vamp",
    "normflows-glow": "peer_normflows:Glow", "zuko-nsf": "peer_zuko:Nsf", "mimicry-cgan-pd": "peer_mimicry:CganPd",
}  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """One row of ours.

    Attributes:
        family: `recipes/fashion-mnist/FAMILY.toml`.
        changes: of the recipe, by table.
        hears: whether the classes are said; on binarized pictures nobody hears them, as in the published rows.
        against: peers whose figure it is held against.
        built_on: argument of the family → the row whose trained model it is, in the folder beside its own.
        longer: further changes where it trains for `LONG` minutes or more.
    """

    family: str
    changes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    hears: bool = True
    against: tuple[str, ...] = ()
    built_on: Mapping[str, str] = field(default_factory=dict)
    longer: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def told(self, minutes: float) -> tuple[Mapping[str, Mapping[str, Any]], ...]:
        """Changes of the recipe for a training of so many minutes, the later ones before the earlier."""
        return (self.changes, self.longer) if minutes >= LONG else (self.changes,)


LONG = 30
"""Minutes of a core, from which on a row trains what suits a longer training."""

VAES = ("pythae-vae", "pythae-iwae", "pythae-vamp")
FLOWS = ("normflows-glow", "zuko-nsf")
GANS = ("mimicry-cgan-pd",)
BINARIZED = {"family": {"likelihood": "bernoulli"}}
# dense coders of the peers' size, level with the recipe's convolutions after ten minutes: 232.5 and 232.6 nats
DENSE = {"family": {**BINARIZED["family"], "fold": 28, "kernel": 1, "codes": 32, "widths": [512], "depth": 0,
                    "latent": 0}, "training": {"batch_size": 64}}  # fmt: skip
# nats (IWAE-10, 5,000 pictures) after six minutes of a core with none, one and two residual blocks: coders 236.5,
# 233.0, 233.5; ladders 232.9, 231.9
DEEPER = {"family": {"depth": 1}}
# nats after three minutes of a core: convolutions of 14 × 14 places 246, of 7 × 7 239.6; dense, after two, 233.6
DENSE_LADDER = {"family": {**BINARIZED["family"], "fold": 28, "codes": 24, "widths": [256], "groups": [2], "depth": 0},
                "training": {"batch_size": 128, "learning_rate": 2e-3}}  # fmt: skip
TOKENS = {"family": {"order": "tokens", "width": 128, "depth": 4}, "training": {"batch_size": 64}}
# FD-clf64 of 2,000 after ten minutes of a core: width 192, the recipe's, 4.20; 128, 3.29; 96, 2.81
SMALL = {"network": {"width": 96, "heads": 3}, "bus": {"vector": 96}}
MIDDLE = {"network": {"width": 128, "heads": 4}, "bus": {"vector": 128}}
OURS = {
    "density": Entry("density"),
    "density-small": Entry("density", {"family": {"rank": 32}}),
    "vae": Entry("vae"),
    "vae-binarized": Entry("vae", DENSE, hears=False, against=VAES[:1], longer=DEEPER),
    "hierarchical_vae": Entry("hierarchical_vae"),
    "hierarchical_vae-binarized": Entry("hierarchical_vae", DENSE_LADDER, hears=False, against=VAES, longer=DEEPER),
    "vector_quantized": Entry("vector_quantized"),
    "flow": Entry("flow", against=FLOWS),
    "autoregressive": Entry("autoregressive"),
    "autoregressive-tokens": Entry("autoregressive", TOKENS, built_on={"tokenizer": "vector_quantized"}),
    "gan": Entry("gan", against=GANS),
    "style_gan": Entry("style_gan", against=GANS),
    "diffusion": Entry("diffusion", SMALL, longer=MIDDLE),  # its peers: benchmarks/fashion
    "few_step": Entry("few_step", SMALL, longer=MIDDLE),
    "few_step-distilled": Entry("few_step", SMALL, longer=MIDDLE, built_on={"teacher": "diffusion"}),
}
