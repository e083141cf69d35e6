"""The picture at the head of the README: eleven prompts in three styles, one seed, nothing chosen among drawings.

Run it by `python examples/words.py docs/words.webp`.
"""

import sys

import numpy as np
from PIL import Image

import lienzo

PROMPTS = ("red apple", "smiling face with sunglasses", "rocket", "fox", "a house in the snow", "sailboat", "hamburger",
           "cactus", "owl", "un gato", "tulip")  # fmt: skip
STYLES = ("noto", "twemoji", "fluent-3d")

model = lienzo.load("emoji-64")
rows = [model.generate(text=list(PROMPTS), style=style, count=len(PROMPTS), seed=3) for style in STYLES]
sheet = np.concatenate([np.concatenate([np.asarray(p.convert("RGB")) for p in row], axis=1) for row in rows])
Image.fromarray(sheet).save(sys.argv[1], quality=85, method=6)
