"""Measure a model: every figure beside what real pictures measure.

`evaluation.json`, schema 4; `docs/measuring.md` says what each figure means:

- "model": name, weights (SHA-256), family, dtype and loading (how it computes), options of sampling (`chunk`: pictures
  a network call, more than where a person draws); "data": source, policy and where (how it is looked at), fingerprint,
  split, held_out (pictures there), reference (of them held against), floor_from ("held-out", or "train" where held-out
  ones do not suffice); "features": name, dimension, sha256;
  "settings": count, label, classifier, finders (of maps), captions (candidates of a retrieval) and judge (who ranks
  them: name, sha256; where somebody does), scored, samples;
  "key": a hash of these four, but for the last two and the name, and of lienzo's version, under which the seeds below
  are kept. A file under another key is not lost: it is set aside as `evaluation-KEY.json`.
- "figures": name → mean, deviation (over seeds; null for one), values (one a seed), "pictures" (of those drawn, how
  many a seed's value looks at), and "floor", the same of as many real pictures. A figure on features ends with the
  extractor's name; "of_real" is a retrieval's share of the floor, and "chance" what guessing would find.
- "refused": name → why, instead: figures that so few pictures do not allow, and a likelihood that the model has not.
- "likelihood": mean (bits/dim), error (standard, over pictures), kind, pictures, dequantization; null where the family
  has none.
- "seeds": seed → "drawn" and "floor", each with figures, intervals (95 %), counts (of figures that only some of the
  pictures have) and classes (class → asked, found, recall; this is null where nobody asked for the class).
- "times": seconds by seed. Nothing else differs between two runs on one machine.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lienzo.api.evaluate.examined import Examined
from lienzo.api.evaluate.said import measured
from lienzo.api.files import write_text
from lienzo.api.find import card_of, folder_of
from lienzo.api.model import Model, load
from lienzo.api.view import view_for
from lienzo.core import CapabilityError, CheckpointError, ConfigurationError
from lienzo.data.pixels import Policy
from lienzo.data.splits import Where
from lienzo.evaluation.evaluate import ENOUGH, RETRIEVAL, Told, pictures_of, summary
from lienzo.training.card import version, with_measured
from lienzo.training.checkpoint import CARD
from lienzo.training.folder import read_json

SCHEMA, FILE = 4, "evaluation.json"
LIKELIHOOD = ("scored", "samples")  # settings of the likelihood alone: the seeds do not depend on them
Progress = Callable[[str, int, int], None]  # what is done, how many so far, of how many
Values = dict[str, Any]


def evaluate(  # noqa: PLR0913 (as many settings as a measurement has)
    model: Model | str | Path, data: str | Path, *, count: int = 1000, seeds: int = 5, features: str | None = None,
    scored: int = 64, samples: int = 1, split: str = "validation+test", out: str | Path | None = None,
    finders: Mapping[str, str] | None = None, judge: str | None = None, policy: Policy | None = None,
    where: Where | None = None, progress: Progress = lambda what, done, total: None,
) -> Values:  # fmt: skip
    """Measure a model on held-out pictures, and write `evaluation.json` after every seed.

    Conditions are those of held-out pictures that each seed draws at random. What a seed has measured before, with the
    same weights, data and settings, is not measured again.

    Args:
        model: a model, its name, or its folder.
        data: a source of pictures.
        count: pictures a seed.
        seeds: how many, from 0.
        features: "clf64", "emoji", "pca", "efficientnet-lite0", "inception:FILE", the folder of a `transformers` model,
            "hub:OWNER/NAME", "module:Class"; None: what fits.
        scored: held-out pictures whose likelihood is measured, where the family can; 0: none.
        samples: K of the importance-weighted bound of a family with codes (IWAE-K); 1: the likelihood that it has.
        split: what is held out.
        finders: name of a map that the model hears → who finds it in a picture: the folder of a `transformers`
            pipeline, or "module:Class", a `lienzo.evaluation.Finder`. Lines are found without.
        judge: who tells whether a picture is what its text says: "emoji", the folder of a contrastive `transformers`
            model (CLIP, SigLIP), "hub:OWNER/NAME", or "module:Class", a `lienzo.evaluation.Scorer`; None: the shipped
            "emoji", if it finds such pictures by their captions.
        out: the file; None: `evaluation.json` in the run's folder, or `evaluation-NAME.json` here if there is none.
        policy: how pictures become square, see `lienzo.open_source`; None: as the model's recipe says.
        where: label → the class or classes to keep; None: as the model's recipe says, on the source that it learnt.
        progress: called as pictures are drawn.

    Returns:
        What the file says; its schema is this module's first words.

    Raises:
        LienzoError: for a model, a source or an extractor that does not do.
    """
    if count < ENOUGH or seeds < 1:
        raise ConfigurationError(f"{count} pictures, {seeds} seeds", hint=f"at least {ENOUGH} and 1")
    used = model if isinstance(model, Model) else load(model)
    path = Path(out) if out is not None else default_file(used)
    view = view_for(used, str(data), policy, where)
    examined = Examined(used, str(data), split, count, features, finders, view, judge)
    report = _begun(examined, {"scored": scored, "samples": samples})
    before = _earlier(path, report["key"])
    names = [str(seed) for seed in range(seeds)]
    for part in ("seeds", "times"):
        report[part] = {name: before[part][name] for name in names if name in before.get(part, {})}
    report["likelihood"] = _known_likelihood(report, before)
    _write(path, report)  # before any work: a place that cannot be written to is told of now
    if report["likelihood"] is None and scored:
        try:
            report["likelihood"] = _likelihood(examined, scored, samples, progress)
            _write(path, report)
        except CapabilityError as error:
            report["refused"]["likelihood"] = {"why": error.what, "instead": error.hint}
    for seed in (seed for seed in range(seeds) if str(seed) not in report["seeds"]):
        begun = time.monotonic()
        report["seeds"][str(seed)] = _plain(examined.at(seed, progress))
        report["times"][str(seed)] = round(time.monotonic() - begun, 2)
        _write(path, report)
    _write(path, report)
    run = used.folder.parent.parent
    if (run / "latest").is_file() and path.resolve() == (run / FILE).resolve():  # its run's own, and so its card's
        write_text(used.folder / CARD, with_measured(card_of(used.folder), measured(report)))
    return report


def default_file(model: Model) -> Path:
    """Return where a model's figures go: into its run's folder, else beside whoever asks."""
    for folder in (folder_of(model.name), model.folder.parent.parent):
        if (folder / "latest").is_file():
            return folder / FILE
    return Path(f"evaluation-{Path(model.name).name}.json")


def _begun(examined: Examined, likelihood: Mapping[str, int]) -> Values:
    told: Values = {
        "schema": SCHEMA, "lienzo": version(), "model": examined.about_model(), "data": examined.about_data(),
        "features": examined.about_features(), "settings": examined.about_settings(),
    }  # fmt: skip
    unnamed = {**told, "model": {k: v for k, v in told["model"].items() if k != "name"}}  # a folder may be moved
    told["key"] = hashlib.sha256(json.dumps(unnamed, sort_keys=True, default=str).encode()).hexdigest()
    told["settings"] = {**told["settings"], **likelihood}
    return {**told, "refused": examined.refused, "likelihood": None, "figures": {}, "seeds": {}}


def _likelihood(examined: Examined, scored: int, samples: int, progress: Progress) -> Values:
    progress("likelihood", 0, 1)
    found = asdict(examined.likelihood(scored, samples))
    progress("likelihood", 1, 1)
    return found


def _known_likelihood(report: Values, before: Values) -> Values | None:
    """Return what was measured before of as many pictures and samples."""
    same = before and all(before["settings"].get(name) == report["settings"][name] for name in LIKELIHOOD)
    return before["likelihood"] if same else None


def _earlier(path: Path, key: str) -> Values:
    """Return an earlier report under the same key, else nothing; one under another key is set aside."""
    there = _read(path)
    if there.get("key") == key:
        return there
    if there.get("key") and (there.get("seeds") or there.get("likelihood")):
        write_text(_aside(path, there["key"]), path.read_text("utf-8"))
    before = _read(_aside(path, key))
    return before if before.get("key") == key else {}


def _aside(path: Path, key: str) -> Path:
    return path.with_name(f"{path.stem}-{key[:8]}{path.suffix}")


def _read(path: Path) -> Values:
    try:
        found = read_json(path) if path.is_file() else {}
    except CheckpointError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(path: Path, report: Values) -> None:
    write_text(path, _text(_with_figures(report)))


def _plain(pair: tuple[Told, Told]) -> Values:
    drawn, floor = pair
    return json.loads(json.dumps({"drawn": asdict(drawn), "floor": asdict(floor)}))


def _with_figures(report: Values) -> Values:
    pairs = [report["seeds"][seed] for seed in sorted(report["seeds"], key=int)]
    drawn, floors = ([Told(pair[side]["figures"]) for pair in pairs] for side in ("drawn", "floor"))
    drew, compared = report["settings"]["count"], report["data"]["reference"]
    report["figures"] = summary(drawn, floors)
    for name, figure in report["figures"].items():
        counts = [pair["drawn"].get("counts", {}) for pair in pairs]  # files of earlier releases have none
        figure["pictures"] = min(each.get(name, pictures_of(name, drew, compared)) for each in counts)
        if name.startswith(RETRIEVAL):
            figure["chance"] = min(1.0, int(name.rpartition("top")[2]) / report["settings"]["captions"])
    return report


def _text(report: Values) -> str:
    return json.dumps(report, indent=1, ensure_ascii=False) + "\n"
