"""Pretrained pipelines of `diffusers` as families: drawn with, edited with and remembered like every other model."""

from lienzo.pretrained.names import Loading, is_pretrained
from lienzo.pretrained.opening import Opened, opened

__all__ = ["Loading", "Opened", "is_pretrained", "opened"]
