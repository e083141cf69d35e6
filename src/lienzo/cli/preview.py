"""Pictures in the terminal: two pixels a character, the upper one as its ink and the lower one as its paper."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

from PIL import Image
from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

if TYPE_CHECKING:
    from lienzo.core import Progress

MOST = 32  # characters that a picture is wide at most
SHOWN = 8  # pictures that are shown at most


def half_blocks(image: Image.Image, width: int = MOST) -> Text:
    r"""Draw a picture in about `width` characters a line and half as many lines.

    >>> half_blocks(Image.new("RGB", (4, 4), "red")).plain
    '▀▀▀▀\n▀▀▀▀'
    """
    width = min(width, image.width)
    height = max(2, 2 * round(image.height * width / image.width / 2))
    small = image.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
    text = Text(no_wrap=True)
    for row in range(0, height, 2):
        for column in range(width):
            upper, lower = (_hex(small.getpixel((column, row + below))) for below in (0, 1))
            text.append("▀", f"{upper} on {lower}")
        text.append("\n" if row + 2 < height else "")
    return text


def _hex(pixel: object) -> str:
    red, green, blue = pixel if isinstance(pixel, tuple) else (0, 0, 0)
    return f"#{red:02x}{green:02x}{blue:02x}"


class Screen:
    """Where pictures are shown while they come into being, and when they are done.

    Args:
        console: where to.
        live: show every step, where the console is a terminal.
    """

    def __init__(self, console: Console, *, live: bool) -> None:
        self.console, self.live = console, live and console.is_terminal
        self._live: Live | None = None
        self._title = ""

    @contextlib.contextmanager
    def showing(self, title: str) -> Generator[None]:
        """Show steps within the block, under a title."""
        if not self.live:
            yield
            return
        self._title = title
        with Live(console=self.console, transient=True, refresh_per_second=8) as self._live:
            yield
        self._live = None

    def step(self, progress: Progress) -> None:
        """Show a step's estimates."""
        from lienzo.api.model import to_image

        if self._live is not None:
            images = [to_image(x) for x in progress.estimate[:SHOWN]]
            self._live.update(self.drawing(images, f"{self._title}  step {progress.step} of {progress.steps}"))

    def show(self, images: Sequence[Image.Image]) -> None:
        """Show finished pictures."""
        left = len(images) - SHOWN
        self.console.print(self.drawing(images[:SHOWN], f"… and {left} more" if left > 0 else ""))

    def drawing(self, images: Sequence[Image.Image], below: str) -> RenderableType:
        """Return pictures side by side, with a line below."""
        width = max(8, min(MOST, (self.console.width - len(images)) // max(1, min(len(images), 4))))
        pictures = Columns([half_blocks(image, width) for image in images], padding=(0, 1))
        return Group(pictures, Text(below, "dim")) if below else pictures
