"""Measuring a model on held-out pictures, and what is said of the figures: `run.evaluate` is `lienzo.evaluate`."""
