"""The model card, in the form that the Hugging Face hub reads: YAML between dashes, then Markdown."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import torch

import lienzo
from lienzo.training.run import Run

MEASURED = "Measured"  # the section that an evaluation writes
UNMEASURED = "Not measured yet."


@dataclass(frozen=True)
class About:
    """What only the caller knows about a model.

    Attributes:
        name: the model's name.
        summary: a sentence about it.
        data: the name of the data.
        data_licence: under which the data may be used.
        data_fingerprint: a hash that names exactly these pictures.
        pictures: how many.
        licence: of the weights, an SPDX name in lower case.
        conditions: what may be said to the model → in which words.
        limits: what it cannot do, one sentence each.
        quality: measured: name → value with its unit and conditions.
    """

    name: str = "a lienzo model"
    summary: str = ""
    data: str = "not recorded"
    data_licence: str = "not recorded"
    data_fingerprint: str = "not recorded"
    pictures: int | None = None
    licence: str = "other"
    conditions: Mapping[str, str] = field(default_factory=dict[str, str])
    limits: tuple[str, ...] = ()
    quality: Mapping[str, str] = field(default_factory=dict[str, str])


def render(run: Run, about: About | None = None) -> str:
    """Return the card of a run as it stands."""
    about, family = about or About(), run.family
    channels, height, width = family.shape
    parameters = sum(p.numel() for p in family.parameters())
    trained = sum(p.numel() for p in run.trained.values())
    task = "text-to-image" if "text" in about.conditions else "unconditional-image-generation"
    lines = [
        "---", f"license: {about.licence}", "library_name: lienzo", f"pipeline_tag: {task}",
        f"tags: [lienzo, {type(family).__name__.lower()}]", "---", "", f"# {about.name}", "", about.summary, "",
        "## Model", "", f"- family: {type(family).__name__}",
        f"- pictures: {width} × {height}, {amount(channels, 'channel')}",
        f"- parameters: {parameters:,}" + ("" if trained == parameters else f", {trained:,} of them trained"),
        "", "## Conditions", "",
        *([f"- `{name}`: {words}" for name, words in about.conditions.items()] or ["None: it is unconditional."]),
        "", "## Data", "", f"- {about.data}" + (f", {amount(about.pictures, 'picture')}" if about.pictures else ""),
        f"- licence: {about.data_licence}", f"- fingerprint: `{about.data_fingerprint}`",
        "", "## Training", "", *training_cost(run),
        "", "## Quality", "",
        *([f"- {name}: {value}" for name, value in about.quality.items()] or [UNMEASURED]),
        "", "## Limits", "", *([f"- {limit}" for limit in about.limits] or ["- Not written down yet."]), "",
    ]  # fmt: skip
    return "\n".join(lines)


def with_measured(card: str, lines: Sequence[str]) -> str:
    r"""Return a card with these lines as its section "Measured", in the place of an earlier one.

    >>> with_measured("# a\n\n## Measured\n\nold\n\n## Limits\n", ["- FD: 2"])
    '# a\n\n## Measured\n\n- FD: 2\n\n## Limits\n'
    >>> with_measured("# a\n\n## Quality\n\nNot measured yet.\n\n## Limits\n", ["- FD: 2"])
    '# a\n\n## Measured\n\n- FD: 2\n\n## Limits\n'
    """
    card = card.replace(f"## Quality\n\n{UNMEASURED}\n\n", "")
    section = "\n".join([f"## {MEASURED}", "", *lines, "", ""])
    before = re.compile(rf"^## {MEASURED}\n.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
    if before.search(card):
        return before.sub(lambda found: section, card, count=1).rstrip("\n") + "\n"
    head, limits, tail = card.partition("## Limits\n")
    return (head.rstrip("\n") + "\n\n" + section + limits + tail).rstrip("\n") + "\n"


def with_rounded(card: str, precision: str) -> str:
    r"""Return the card of weights that were rounded after they were measured.

    >>> with_rounded("# a\n\n## Model\n\n- family: VAE\n", "int6")
    '# a\n\n## Model\n\n- weights: rounded to int6; figures are of the weights before\n- family: VAE\n'
    """
    line = f"- weights: rounded to {precision}; figures are of the weights before"
    return card if line in card else card.replace("## Model\n\n", f"## Model\n\n{line}\n", 1)


def training_cost(run: Run) -> list[str]:
    """Return what the training took, as list entries."""
    counters, settings, chosen = run.counters, run.settings, run.chosen
    processes = f"{chosen.processes} processes, " if chosen.processes > 1 else ""
    state = "finished" if run.done else f"under way, {100 * counters.seen / max(run.end, 1):.0f} %"
    entries = [
        f"- {state}: {amount(counters.seen, 'image')} in {amount(counters.step, 'step')} of {settings.batch_size}",
        f"- wall time: {duration(counters.seconds)}; energy: not measured",
        f"- hardware: {hardware(run.team.device)}; {processes}{amount(chosen.threads, 'thread')}",
        f"- {settings.optimiser}, step size {settings.learning_rate:g} ({settings.decay}, warm-up "
        f"{settings.warmup:,} images), {chosen.precision}",
        f"- the weights are an average with a half-life of {settings.ema_half_life:,.0f} images",
        f"- software: torch {torch.__version__}, lienzo {version()}, Python {platform.python_version()}",
    ]
    if counters.rollbacks:
        times = amount(counters.rollbacks, "time")
        entries.append(f"- went back {times} because of NaN; step size × {counters.factor:g}")
    if counters.cut:
        entries.append(f"- ended early, after {run.end:,} of {chosen.images:,} planned images, to keep to its budget")
    return entries


def amount(number: int, noun: str) -> str:
    """Write a number of things.

    >>> amount(1, "step"), amount(2000, "image")
    ('1 step', '2,000 images')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Write seconds for people.

    >>> duration(42), duration(1930), duration(7300)
    ('42 s', '32 min 10 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def hardware(device: torch.device) -> str:
    """Name the processor that computes, and how many cores there are."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        name = next(line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{name}, {os.cpu_count()} cores"


def version() -> str:
    """Return this package's version."""
    try:
        return metadata.version("lienzo")
    except metadata.PackageNotFoundError:  # run from its folder, not installed
        return lienzo.__version__
