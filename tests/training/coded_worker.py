"""Carries out a recipe of two stages in a process of a team: OUT."""

from __future__ import annotations

import sys
from typing import Any

from lienzo.training.recipes import Recipe, carry_out

STEPS: dict[str, Any] = {"batch_size": 8, "precision": "float32", "device": "cpu", "threads": 1, "checkpoint_every": 0}
CODED: dict[str, Any] = {
    "data": {"source": "emoji", "size": 16, "where": {"style": "noto", "group": "activities"}},
    "bus": {"vector": 16, "token": 16},
    "family": {"kind": "diffusion"},
    "network": {"kind": "transformer", "patch": 1, "width": 16, "depth": 1, "heads": 2},
    "conditions": {"background": {}},
    "training": {**STEPS, "images": 16},
    "samples": {"count": 2, "options": {"steps": 2}},
    "codes": {
        "variants": 1,
        "recipe": {
            "family": {"kind": "vae", "codes": 4, "widths": [8, 8]},
            "training": {**STEPS, "images": 8 * 22},  # a checkpoint after 20 steps, and the last one after 22
        },
    },
}

if __name__ == "__main__":
    carry_out(Recipe.checked(CODED), sys.argv[1])
