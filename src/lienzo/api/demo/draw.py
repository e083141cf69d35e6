"""Draw the demonstration's sections, as far as the model hears what they need."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from lienzo.api.best import best
from lienzo.api.demo.parts import Row, Section, Shown, command, pictures_in, says
from lienzo.api.model import Model, to_image
from lienzo.api.options import all_options
from lienzo.api.record import save, write_png
from lienzo.api.sheets import grid
from lienzo.conditions import LabelCondition
from lienzo.core import Progress
from lienzo.families.latent import Latent

PROMPTS = (
    "a beagle", "a cute beagle smiling while jumping", "it's snowing, everything is covered in snow",
    "a building in the snow", "un perro feliz en la nieve",
)  # fmt: skip
STYLES = ("noto", "noto-blob", "twemoji", "fluent-flat", "fluent-3d")
MOST = 8  # classes of a label that are shown
ALL = 70  # pictures of a whole demonstration, about
BEST = 6  # drawings of each prompt, of which the one is shown that the scorer finds to fit best
AFFORDED = 120.0  # s that all of them may take; a slow machine takes fewer steps
FEWEST = 8  # steps, however slow the machine is
FRAMES = 10  # of the way from noise to picture
Tell = Callable[[str], None]


class Painter:
    """Draws for one model and one seed, and writes what it draws.

    Args:
        model: whose pictures.
        seed: of all of them.
        out: the page's folder.
        tell: hears what is done.
    """

    def __init__(self, model: Model, seed: int, out: Path, tell: Tell) -> None:
        self.model, self.seed, self.out, self.tell = model, seed, out, tell
        self.usual = {n: v for n, v in model.defaults.get("conditions", {}).items() if n in model.bus.names}
        self.styles = self.classes_of("style", STYLES)
        label = "group" if "group" in model.bus.names else self._other_label()
        self.label, self.groups = label, self.classes_of(label)
        self.options: dict[str, Any] = {}
        self.end, self.coming, self.pace = time.monotonic() + AFFORDED, ALL, 0.0

    def classes_of(self, name: str, wanted: Sequence[str] = ()) -> list[str]:
        """Return classes of a label: the wanted ones that it has, else its first ones; none if it is not heard."""
        condition = self.model.bus[name] if name in self.model.bus.names else None
        if not isinstance(condition, LabelCondition):
            return []
        return [c for c in wanted if c in condition.classes] or condition.classes[:MOST]

    def _other_label(self) -> str:
        bus = self.model.bus
        labels = [n for n in bus.names if isinstance(bus[n], LabelCondition) and n not in ("style", "background")]
        return labels[0] if labels else ""

    def row(self, **said: str | None) -> Row:
        """Return what a picture hears: what is said, and the model's defaults."""
        return {**self.usual, **{n: v for n, v in said.items() if v is not None and n in self.model.bus.names}}

    def _usual_steps(self) -> int:
        """Return the model's own number of steps; 0 where it does not go by steps."""
        steps = all_options(self.model.family, self.model.defaults.get("options", {})).get("steps")
        return steps if isinstance(steps, int) else 0

    def _probe(self) -> float:
        """Return how long a step of a picture takes on this machine, s."""
        rows = [self.row()] * 4
        self.model.draw(rows, seed=0, indices=range(4), options={"steps": 2})  # the first call warms up
        since = time.monotonic()
        self.model.draw(rows, seed=0, indices=range(4), options={"steps": 2})
        return (time.monotonic() - since) / len(rows) / 2

    def afford(self) -> None:
        """Choose as many steps as the time that is left allows; say so where these are fewer than usual."""
        usual = self._usual_steps()
        if usual <= FEWEST:
            return
        self.pace = self.pace or self._probe()
        left = max(self.end - time.monotonic(), 0.0)
        steps = max(FEWEST, min(usual, int(left / (self.pace * max(self.coming, 1)))))
        if steps < usual and self.options.get("steps") != steps:
            self.tell(f"this machine is slow or busy: {steps} steps a picture in the place of {usual}")
        self.options = {"steps": steps} if steps < usual else {}

    def _drew(self, count: int, seconds: float) -> None:
        """Learn from what a section took."""
        self.coming -= count
        steps = self.options.get("steps", self._usual_steps())
        self.pace = max(self.pace, seconds / count / steps) if steps else self.pace

    def table(self, name: str, title: str, about: str, rows: Sequence[tuple[str, Row]], columns: Sequence[str],
              *, across: str = "style", of: int = 1) -> Section:  # fmt: skip
        """Draw each row of conditions for every column, the best of so many, write the pictures and their sheet."""
        each = [{**row, across: column} if column else row for _, row in rows for column in columns or [""]]
        self.afford()
        since = time.monotonic()
        images = self._best(each, of)
        seconds = time.monotonic() - since
        self._drew(len(each) * of, seconds)
        shown = [
            self._shown(name, image, row, number, of)
            for number, (image, row) in enumerate(zip(images, each, strict=True))
        ]
        names = [named for named, _ in rows]
        sheet = grid(images, len(columns) or 1, scale=self._scale(), rows_named=names, columns_named=columns)
        write_png(sheet, self.out / f"{name}.png")
        self.tell(f"{title}: {len(images)} pictures in {seconds:.1f} s")
        return Section(name, title, about, names, list(columns), shown, self.seed, seconds)

    def _best(self, rows: Sequence[Row], of: int) -> list[Image.Image]:
        """Draw every row from the same numbers of the seed."""

        def draw(several: Sequence[Row], numbers: Sequence[int]) -> list[Image.Image]:
            indices = [number % of for number in numbers]
            return self.model.draw(several, seed=self.seed, indices=indices, options=self.options)

        return draw(rows, range(0, of * len(rows), of)) if of == 1 else best(draw, rows, of)

    def _shown(self, folder: str, image: Image.Image, row: Row, number: int, of: int = 1) -> Shown:
        file = pictures_in(folder, row, number)
        save(image, self.out / file)
        again = command(self.model.name, row, self.seed, self.options, self.usual, of)
        return Shown(image, file.as_posix(), says(row, self.model.name), again)

    def _scale(self) -> int:
        return max(1, round(128 / self.model.family.shape[2]))

    def prompts(self) -> Section | None:
        """Draw every prompt in every style."""
        if "text" not in self.model.bus.names:
            return None
        of = self._how_many()
        about = f"One prompt a line, one style a column. All start from the same noise{'s' * (of > 1)}"
        about += f"; of {of} drawings each, the one that a small scorer finds to fit the words best." if of > 1 else "."
        rows = [(prompt, self.row(text=prompt)) for prompt in PROMPTS]
        return self.table("prompts", "Pictures from words", about, rows, self.styles, of=of)

    def _how_many(self) -> int:
        """Return how many drawings of each prompt there is time for, in colour: the scorer knows no other."""
        if self.model.family.shape[0] != 3 or not self._usual_steps():
            return 1
        self.pace = self.pace or self._probe()
        columns = max(len(self.styles), 1)
        extra = (self.end - time.monotonic()) / (self.pace * self._usual_steps()) - self.coming
        of = max(1, min(BEST, 1 + int(extra / (len(PROMPTS) * columns))))
        self.coming += (of - 1) * len(PROMPTS) * columns
        return of

    def groups_by_style(self) -> Section | None:
        """Draw every class of a label in every style, with no words."""
        if not self.groups:
            return None
        about = (
            f"Nothing is said but the {self.label} of a line and the style of a column: the model chooses what to draw."
        )
        rows = [(group, self.row(**{self.label: group})) for group in self.groups]
        return self.table("classes", f"Pictures of a {self.label}", about, rows, self.styles)

    def unconditional(self) -> Section:
        """Draw what comes when nothing can be said."""
        self.afford()
        images = self.model.generate(count=16, seed=self.seed, options=self.options)
        write_png(grid(images, 4, scale=self._scale()), self.out / "samples.png")
        row = self.row()
        shown = [self._shown("samples", image, row, number) for number, image in enumerate(images)]
        return Section("samples", "Samples", "The model hears nothing.", ["", "", "", ""], [], shown, self.seed, 0.0)

    def way(self) -> Section | None:
        """Draw the way from noise to one picture: the state at some steps, and below it what the model expects."""
        row = self.row(text=PROMPTS[1], style=next(iter(self.styles), None))
        self.afford()
        steps: list[tuple[int, Image.Image, Image.Image]] = []
        family, since = self.model.family, time.monotonic()

        def keep(progress: Progress) -> None:
            state = family.decode(progress.x) if isinstance(family, Latent) else progress.x
            steps.append((progress.step, to_image(state[0]), to_image(progress.estimate[0])))

        self.model.draw([row], seed=self.seed, indices=[0], previews=keep, options=self.options)
        if len(steps) < 2:
            return None
        chosen = [steps[round(i * (len(steps) - 1) / (FRAMES - 1))] for i in range(min(FRAMES, len(steps)))]
        again = command(self.model.name, row, self.seed, self.options, self.usual)
        says_ = says(row, self.model.name)
        shown = [Shown(state, "", f"step {n}, the state: {says_}", again) for n, state, _ in chosen]
        shown += [Shown(guess, "", f"step {n}, the expectation: {says_}", again) for n, _, guess in chosen]
        names, columns = ["the state", "what is expected"], [f"step {n}" for n, _, _ in chosen]
        sheet = grid(
            [s.image for s in shown], len(chosen), scale=self._scale(), rows_named=names, columns_named=columns
        )
        write_png(sheet, self.out / "steps.png")
        seconds = time.monotonic() - since
        self.tell(f"From noise to picture: {len(steps)} steps in {seconds:.1f} s")
        about = f"“{row.get('text', 'nothing said')}”: above the state, below what the model expects the picture to be."
        return Section("steps", "From noise to picture", about, names, columns, shown, self.seed, seconds)
