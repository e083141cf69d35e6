"""The demonstration: what a model draws, on one page, with the command that makes each picture again."""

from lienzo.api.demo.draw import PROMPTS, STYLES
from lienzo.api.demo.run import demo

__all__ = ["PROMPTS", "STYLES", "demo"]
