"""From names to a report: train, draw, measure, each in a process of its own, and nothing twice."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lienzo.api.compare import training
from lienzo.api.compare.entrants import Entrant, begin, check, entrants
from lienzo.api.compare.figures import Settings, report_of
from lienzo.api.compare.looking import common_view
from lienzo.api.compare.page import page
from lienzo.api.compare.process import Ear, WorkError, apart
from lienzo.api.compare.words import words
from lienzo.api.files import write_text
from lienzo.api.find import folder_of
from lienzo.api.view import View
from lienzo.core import ConfigurationError, LienzoError
from lienzo.evaluation.evaluate import ENOUGH
from lienzo.training.budget import seconds_of
from lienzo.training.card import version
from lienzo.training.checkpoint import WEIGHTS, plain, resolve
from lienzo.training.folder import fingerprint, locked, read_json, write_json
from lienzo.training.recipes.read import merged

Values = dict[str, Any]
Tell = Callable[[str], None]
Progress = Callable[[str, float], None]  # what is under way, and which share of the whole is done
SEED = 7  # of the samples
WATTS = 65.0
SPLIT = "validation+test"
WORDS = {"train": "training", "draw": "drawing", "measure": "measuring", "nearest": "nearest training pictures"}
HOW = "lienzo compare SOURCE --families vae,gan --budget 10m"


def compare(  # noqa: PLR0913 (as many settings as a comparison has)
    source: str | Path, *, families: Sequence[str] = (), models: Sequence[str] = (), budget: str | float | None = None,
    out: str | Path = "compare", count: int = 1000, seeds: int = 5, features: str | None = None, scored: int = 64,
    judge: str | None = None, watts: float = WATTS, tell: Tell = lambda sentence: None,
    progress: Progress = lambda what, share: None, **overrides: Any,
) -> Values:  # fmt: skip
    """Train what is not trained, measure all alike, and write `report.html` and `report.json`.

    What is there is not done again: begun a second time in the same folder, a comparison goes on where it was. A family
    that fails is named in the report, and the rest goes on.

    Args:
        source: of the pictures.
        families: to train, by name (see `lienzo families`), or recipes (`.toml`).
        models: that are trained already: names of `lienzo models`, folders of runs or checkpoints.
        budget: how long each training may take: "10m", or seconds; None: as long as `overrides` say.
        out: the folder: the report, `runs/NAME` (runs as `lienzo train` makes them), `measured/NAME`.
        count: pictures a seed.
        seeds: sampling seeds, whose spread gives the intervals.
        features: the extractor, as in `evaluate`; None: what fits the pictures.
        judge: who tells whether a picture is what its text says, as in `evaluate`; None: the shipped scorer, where it
            knows such pictures.
        scored: held-out pictures whose likelihood is measured.
        watts: that the machine is taken to draw, for the estimate of energy.
        tell: hears what happens.
        progress: hears how much of the whole is done.
        overrides: tables of every recipe, e.g. `data={"size": 32}`; threads of `training` hold for drawing, too.

    Returns:
        what `report.json` says; its schema is the first words of `lienzo.api.compare`.

    Raises:
        LienzoError: for a source, a name or a value that does not do, before anything is trained.
    """
    if count < ENOUGH or seeds < 1:
        raise ConfigurationError(f"{count} pictures, {seeds} seeds", hint=f"at least {ENOUGH} and 1")
    folder = Path(out)
    takers = entrants(families, models, folder)
    seconds = seconds_of(str(budget)) if budget is not None else None
    said: Values = dict(overrides.get("training", {}))
    if families and seconds is None and not said.get("images"):
        raise ConfigurationError("how long may each training take?", hint=HOW)
    view = common_view(takers, str(source), overrides.get("data", {}))
    check(str(source), merged(overrides, {"data": view.plain()}), features, judge, SPLIT,
          trained=any(taker.kind == "family" and taker.recipe is None for taker in takers))  # fmt: skip
    threads = said.get("threads")
    settings = Settings(str(source), seconds, count, seeds, features, judge, scored, SEED, watts, threads, version())
    begin(folder, {"source": str(source), "budget": seconds, "overrides": plain(overrides)})
    with locked(folder):
        return Comparison(settings, takers, folder, overrides, view, tell, progress).go()


class Comparison:
    """One comparison on its way.

    Args:
        settings: what all have in common.
        takers: who takes part.
        out: its folder.
        tables: of every recipe.
        view: how all look at the pictures.
        tell, progress: hear of it.
    """

    def __init__(
        self, settings: Settings, takers: Sequence[Entrant], out: Path, tables: Values, view: View, tell: Tell,
        progress: Progress,
    ) -> None:  # fmt: skip
        self.settings, self.takers, self.out, self.tables = settings, takers, out, tables
        self.tell, self.progress = tell, progress
        self.view = view.plain()
        self.told: dict[str, Values] = {}
        self._done, self._whole = 0.0, sum(weight for taker in takers for weight in self._weights(taker).values())
        self._whole += self._after()

    def go(self) -> Values:
        """Do what is left to do, and write the report anew after every entrant."""
        report: Values = {}
        try:
            for taker in self.takers:
                self._take(taker)
                report = self._written()
            self._neighbours()
        except KeyboardInterrupt:
            if any(self.told.values()):
                self._written()
            raise
        report = self._written() if self.told else report
        self.progress("done", 1.0)
        return report

    def _take(self, taker: Entrant) -> None:
        """Train, draw and measure one entrant; a failure is an entry."""
        found = self.told[taker.name] = dict[str, Any]()
        stages = {"train": self._trained, "draw": self._drawn, "measure": self._measured}
        weights = self._weights(taker)
        for stage, work in stages.items():
            if stage not in weights:
                continue
            try:
                found[stage] = work(taker, found)
            except LienzoError as error:
                self.tell(f"{taker.name}: {stage} failed: {error.what}")
                found["error"] = {"stage": stage, "what": error.what, "hint": error.hint}
                return
            finally:
                self._done += weights[stage]

    def _trained(self, taker: Entrant, found: Values) -> Values:
        path = taker.measured / training.FILE
        known: Values = read_json(path) if path.is_file() else {}
        if known.get("finished"):
            return known
        taker.measured.mkdir(parents=True, exist_ok=True)
        settings = self.settings
        self.tell(f"{taker.name}: training" + (f", {settings.budget:.0f} s" if settings.budget else ""))
        cost = self._job(taker, {
            "do": "train", "source": settings.source, "family": taker.what, "recipe": taker.recipe, "run": taker.run,
            "budget": settings.budget, "overrides": self.tables, "measured": str(taker.measured), "began": time.time(),
        })  # fmt: skip
        if not cost["finished"]:
            raise WorkError("somebody else stopped it", hint="the same command goes on")
        return cost

    def _drawn(self, taker: Entrant, found: Values) -> Values:
        asked: Values = {
            "do": "draw", "model": _as_trained(taker.run, found),
            "source": self.settings.source, "view": self.view, "split": SPLIT,
            "seed": self.settings.seed, "measured": str(taker.measured),
        }  # fmt: skip
        return self._once(taker, "drawing", asked)

    def _measured(self, taker: Entrant, found: Values) -> Values:
        moments = {share: _as_trained(str(Path(taker.run) / training.MOMENTS / share), found)
                   for share in found.get("train", {}).get("moments", {})}  # fmt: skip
        settings = self.settings
        asked: Values = {
            "do": "measure", "model": _as_trained(taker.run, found),
            "source": settings.source, "view": self.view, "split": SPLIT,
            "count": settings.count, "seeds": settings.seeds, "features": settings.features, "scored": settings.scored,
            "measured": str(taker.measured), "moments": moments,
            **({"judge": settings.judge} if settings.judge else {}),
        }  # fmt: skip
        return self._once(taker, f"measuring, {settings.seeds} × {settings.count} pictures", asked)

    def _neighbours(self) -> None:
        """Look for everybody's nearest training pictures, once for all."""
        drawn = {taker: self.told[taker.name]["draw"] for taker in self.takers if "draw" in self.told[taker.name]}
        if not drawn:
            return
        ours = {
            taker.name: {"folder": str(taker.measured), "shape": one["shape"], "columns": len(one["said"]),
                         "weights": one["weights"]}
            for taker, one in drawn.items()
        }  # fmt: skip
        asked: Values = {"do": "nearest", "source": self.settings.source, "view": self.view, "split": SPLIT,
                         "features": self.settings.features, "entrants": ours}  # fmt: skip
        where = Entrant("all", "model", "", "", self.out / "measured")
        try:
            found = self._once(where, "looking for the nearest training pictures", asked)
        except LienzoError as error:
            self.tell(f"the nearest training pictures were not found: {error.what}")
            return
        for name, one in found.items():
            if name in self.told:
                self.told[name]["nearest"] = one

    def _once(self, taker: Entrant, what: str, job: Values) -> Values:
        """Do a job unless its result is there; what it draws with belongs to the question."""
        weights = "" if job["do"] == "nearest" else fingerprint(resolve(folder_of(job["model"])) / WEIGHTS)
        question = hashlib.sha256(json.dumps([job, weights, version()], sort_keys=True).encode()).hexdigest()
        kept = taker.measured / f"{job['do']}.json"
        known: Values = read_json(kept) if kept.is_file() else {}
        if known.get("question") == question:
            return known["result"]
        self.tell(f"{taker.name}: {what}" if taker in self.takers else what)
        result = self._job(taker, job)
        write_json(kept, {"question": question, "result": result})
        return result

    def _job(self, taker: Entrant, job: Values) -> Values:
        weight = self._after() if job["do"] == "nearest" else self._weights(taker)[job["do"]]
        what = f"{taker.name}: {WORDS[job['do']]}" if taker in self.takers else WORDS[job["do"]]

        def share(done: float) -> None:
            self.progress(what, (self._done + weight * done) / self._whole)

        share(0.0)
        ear = Ear(lambda sentence: self.tell(f"{taker.name}: {sentence}"), share)
        return apart({**job, "threads": self.settings.threads}, taker.measured / "log.txt", ear)

    def _weights(self, taker: Entrant) -> dict[str, float]:
        """Return about how long each stage takes, s: what the bar goes by."""
        rest = {"draw": 15.0, "measure": 20.0 + 0.01 * self.settings.count * self.settings.seeds}
        return {"train": self.settings.budget or 60.0, **rest} if taker.kind == "family" else rest

    def _after(self) -> float:
        return 20.0

    def _written(self) -> Values:
        report = report_of(self.settings, self.takers, self.told)
        report["words"] = words(report)
        write_text(self.out / "report.json", json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        write_text(self.out / "report.html", page(report, self.out))
        return report


def _as_trained(model: str, found: Values) -> str:
    """Return a model's name with the arithmetic in which it learnt: bfloat16 where that was faster, here as there."""
    return f"{model},dtype=bfloat16" if found.get("train", {}).get("precision") == "bfloat16" else model
