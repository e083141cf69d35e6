"""The loss curve of a run, and TensorBoard; both packages are extras, imported where they are used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lienzo.core import ConfigurationError
from lienzo.training.log import read_log
from lienzo.training.observers import Observer, Record
from lienzo.training.run import Run


def draw_losses(log: Path, path: Path) -> bool:
    """Draw every loss of a `log.jsonl` over images seen, with the step size below; False if there is nothing yet.

    Raises:
        ConfigurationError: if matplotlib is not there.
    """
    lines = [line for line in read_log(log) if "learning_rate" in line]
    if not lines:
        return False
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigurationError("a loss curve needs matplotlib", hint="pip install 'lienzo[plots]'") from None
    figure: Any = Figure(figsize=(8, 5), layout="constrained")
    FigureCanvasAgg(figure)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    seen = [line["images"] for line in lines]
    known = {"step", "images", "learning_rate", "images_per_second", "seconds"}
    for name in dict.fromkeys(n for line in lines for n in line if n not in known and not n.endswith("norm")):
        above.plot(seen, [line.get(name, float("nan")) for line in lines], label=name, linewidth=1)
    values = [line[n] for line in lines for n in line if n.endswith("loss")]
    if values and min(values) > 0:
        above.set_yscale("log")
    above.set_ylabel("loss")
    above.legend()
    below.plot(seen, [line["learning_rate"] for line in lines], color="gray", linewidth=1)
    below.set_ylabel("step size")
    below.set_xlabel("images seen")
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    figure.savefig(beside, format="png", dpi=110)
    beside.replace(path)
    return True


class Curve(Observer):
    """Writes `loss.png` when a sitting ends, if matplotlib is there."""

    def started(self, run: Run, out: Path) -> None:
        """Remember where to write."""
        self._out = out

    def ended(self, run: Run, finished: bool) -> None:
        """Draw."""
        try:
            draw_losses(self._out / "log.jsonl", self._out / "loss.png")
        except ConfigurationError:
            return  # a picture more or less is no reason to fail


class Board(Observer):
    """Writes TensorBoard events into `tensorboard/`.

    Raises:
        ConfigurationError: if tensorboard is not there.
    """

    def __init__(self) -> None:
        try:
            from torch.utils.tensorboard.writer import SummaryWriter
        except ImportError:
            what = "TensorBoard events need the tensorboard package"
            raise ConfigurationError(what, hint="pip install 'lienzo[tensorboard]'") from None
        self._open: Any = SummaryWriter
        self._writer: Any = None

    def started(self, run: Run, out: Path) -> None:
        """Begin to write; what a killed sitting wrote after its last checkpoint is hidden."""
        self._writer = self._open(str(out / "tensorboard"), purge_step=run.counters.step + 1)

    def stepped(self, run: Run, record: Record) -> None:
        """Write a step's numbers."""
        if record.step % run.settings.log_every == 0:
            for name, value in {**record.losses, "learning_rate": record.learning_rate}.items():
                self._writer.add_scalar(name, value, record.step)
            self._writer.add_scalar("images_per_second", record.images_per_second, record.step)

    def said(self, message: str) -> None:
        """Write what was said as text."""
        if self._writer is not None:
            self._writer.add_text("said", message)

    def ended(self, run: Run, finished: bool) -> None:
        """Close."""
        self._writer.close()
