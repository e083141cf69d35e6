"""A model and the real pictures that it is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from lienzo.api.evaluate.labels import label_of, numbers_of
from lienzo.api.evaluate.maps import Maps
from lienzo.api.evaluate.texts import retrieval_of, texts_of
from lienzo.api.find import bare
from lienzo.api.model import AT_ONCE, Model
from lienzo.api.options import all_options, checked_options, judging
from lienzo.api.packed import packed, unpacked
from lienzo.api.view import View
from lienzo.core import DataError, derive_seed, require
from lienzo.core.family import Scores
from lienzo.data.dataset import Bytes, Dataset
from lienzo.evaluation.bits import Bits, bits_per_dimension
from lienzo.evaluation.classifier import classes_of
from lienzo.evaluation.evaluate import ENOUGH, Real, Told, full_name, refusals, told_of
from lienzo.evaluation.extractors import FITTING, extractor_named, usual
from lienzo.evaluation.features import FITTED
from lienzo.evaluation.sketch import Judges, Part, Sketch, sketch
from lienzo.evaluation.small import trained

Rows = NDArray[np.int64]
Progress = Callable[[str, int, int], None]
TRAINING = 20_000  # training pictures, at most, that copies are looked for in
READ = 500  # real pictures that are read at once
PAPER = "white"
HELD_OUT, TRAIN = "held-out", "train"  # where the floor is from
_SEEN: dict[tuple[Any, ...], torch.Tensor] = {}  # of training pictures, the last: moments of one training share them


class Examined:
    """Draws with a model, and measures beside it what real pictures measure.

    Args:
        model: which.
        source: of the data.
        split: what is held out.
        count: pictures a seed.
        features: the name of an extractor; None: what fits.
        finders: name of a map that the model hears → who finds it in a picture.
        view: how the source is looked at.
        judge: the name of a scorer of texts; None: the shipped one, where it knows such pictures.

    Raises:
        LienzoError: for a source or an extractor that does not do.
    """

    def __init__(
        self, model: Model, source: str, split: str, count: int, features: str | None,
        finders: Mapping[str, str] | None = None, view: View | None = None, judge: str | None = None,
    ) -> None:  # fmt: skip
        channels, side, _ = model.family.shape
        self.view = view or View()
        self.options = judging(model.family, model.defaults.get("options", {}), min(count, AT_ONCE))
        self.model, self.source, self.split, self.count = model, source, split, count
        self.held, self.training = (self.view.open(source, model.family.shape, part) for part in (split, "train"))
        if len(self.held) < ENOUGH:
            raise too_few(source, len(self.held), split)
        self.reference_size = min(count, len(self.held) // (2 if self.floor_from == HELD_OUT else 1))
        if self.floor_from == TRAIN:  # and so as many as the floor can have
            self.reference_size = min(self.reference_size, len(self.training))
        if self.reference_size < ENOUGH:
            raise too_few(source, len(self.held), split, 2 * ENOUGH)
        self.label = label_of(model.bus, self.held, self.training, _some(self.training, READ))
        device = str(model.device)  # where all that look at the pictures compute, too
        self.maps = Maps(model.bus, self.held, finders or {}, device)
        self.rank, self.unranked = retrieval_of(model, self.held, on_paper, judge)
        self.classes = self.held.columns[self.label].classes if self.label else ()
        name = features or usual(self.held.name, (side, side, channels))
        few = _some(self.training, FITTED) if name in FITTING else np.arange(1)
        self.judges = Judges(extractor_named(name, on_paper(self.training.pictures(few)), device))
        self._seen: torch.Tensor | None = None

    def at(self, seed: int, progress: Progress) -> tuple[Told, Told]:
        """Measure what a seed draws, and as many real pictures."""
        if self._seen is None:
            self._seen = self._training_features(progress)
            self.judges = self._judges(self._seen)
        order = _order(seed, "reference", len(self.held))
        held, rest = order[: self.reference_size], order[self.reference_size :]
        reference = self._sketched(self.held, held)
        extractor = self.judges.extractor.name
        real = Real(reference, None if self.overlaps else self._seen, self.classes, seed)
        if self.floor_from == HELD_OUT:
            other = self._sketched(self.held, rest[: self.count])
        else:
            other = self._sketched(self.training, _order(seed, "floor", len(self.training))[: self.count])
        told = _order(seed, "conditions", len(self.held))[np.arange(self.count) % len(self.held)]
        drawn = sketch(self._drawn(told, seed, progress), self.judges)
        floor = told_of(other, real, extractor, copies_of=reference.features[1::2])
        return told_of(drawn, real, extractor), floor

    def likelihood(self, count: int, samples: int = 1) -> Bits:
        """Return bits/dim of the first held-out pictures of a random order; of `samples` codes each, where it has."""
        family, rows = require(self.model.family, Scores), _order(0, "likelihood", len(self.held))[:count]
        said = self._said(rows)
        heard = {name: [unpacked(row.get(name)) for row in said] for name in self.model.bus.names}
        conditions = self.model.bus.parse(heard, len(rows))
        pictures = on_paper(self.held.pictures(rows))
        return bits_per_dimension(family, pictures, conditions, device=str(self.model.device), samples=samples)

    @property
    def overlaps(self) -> bool:
        """Whether what is called held out has pictures that were trained on."""
        return any(part.strip() in ("train", "all") for part in self.split.split("+"))

    @property
    def refused(self) -> dict[str, dict[str, str]]:
        """Figures that these pictures do not allow → why, and what means something instead."""
        extractor, held = self.judges.extractor, self.reference_size
        found = refusals(held, extractor.name, extractor.dimension, held if held < self.count else None)
        if self.overlaps:
            why = f"the split {self.split} has pictures that were trained on"
            found[full_name("copied", extractor.name)] = {"why": why, "instead": "--split validation+test"}
        return {**found, **self.maps.refused, **self.unranked}

    @property
    def floor_from(self) -> str:
        """Where the real pictures of the floor come from.

        Training pictures make up for held-out ones that do not suffice for both sides, unless the held-out ones are
        themselves training pictures, or hardly any others are there: then the held-out ones are halved.
        """
        if len(self.held) >= 2 * self.count:
            return HELD_OUT
        return HELD_OUT if self.overlaps or len(self.training) < ENOUGH else TRAIN

    def about_model(self) -> dict[str, Any]:
        """Return what the report says of the model."""
        family = self.model.family
        options = all_options(family, checked_options(family, self.options))
        return {"name": self.model.name, "weights": self.model.weights, "family": type(family).__name__,
                "dtype": str(self.model.dtype).removeprefix("torch."), "loading": sorted(bare(self.model.name)[1]),
                "hears": self.model.bus.names, "options": options}  # fmt: skip

    def about_data(self) -> dict[str, Any]:
        """Return what the report says of the data."""
        return {"source": self.source, **self.view.plain(), "fingerprint": self.held.fingerprint,
                "training": self.training.fingerprint, "split": self.split, "held_out": len(self.held),
                "reference": self.reference_size, "floor_from": self.floor_from}  # fmt: skip

    def about_features(self) -> dict[str, Any]:
        """Return what the report says of the features."""
        extractor = self.judges.extractor
        return {"name": extractor.name, "dimension": extractor.dimension, "sha256": extractor.sha256}

    def about_settings(self) -> dict[str, Any]:
        """Return what the report says of the rest."""
        return {"count": self.count, "label": self.label, "classifier": self.classifier,
                "background": PAPER if self.held.shape[2] == 4 else None,
                "copies_among": min(TRAINING, len(self.training)), "finders": self.maps.about(),
                "captions": len(self.rank.candidates) if self.rank else None, **self._about_judge()}  # fmt: skip

    def _about_judge(self) -> dict[str, Any]:
        """Return who ranks captions; nothing where nobody does, so that keys of old are what they were."""
        if self.rank is None:
            return {}
        return {"judge": {"name": self.rank.scorer.name, "sha256": self.rank.scorer.sha256}}

    @property
    def classifier(self) -> str | None:
        """Who tells which class a picture shows."""
        if not self.label:
            return None
        return "fashion-classifier" if self._fashion else f"logistic regression on {self.judges.extractor.name}"

    @property
    def _fashion(self) -> bool:
        return self.held.name == "fashion-mnist" and self.held.shape == (28, 28, 1)

    def _training_features(self, progress: Progress) -> torch.Tensor:
        """Return the features of some training pictures; those that were seen last are kept for another model."""
        extractor, data = self.judges.extractor, self.training
        which = (data.fingerprint, data.shape, len(data), str(self.view.plain()), extractor.sha256)
        if which not in _SEEN:
            rows, parts = _some(data, TRAINING), list[torch.Tensor]()
            for start in range(0, len(rows), READ):
                progress("training pictures", start, len(rows))
                parts.append(extractor.features(on_paper(data.pictures(rows[start : start + READ]))).float())
            progress("training pictures", len(rows), len(rows))
            _SEEN.clear()
            _SEEN[which] = torch.cat(parts)
        return _SEEN[which]

    def _judges(self, seen: torch.Tensor) -> Judges:
        extractor, rank = self.judges.extractor, self.rank
        if not self.label:
            return Judges(extractor, None, rank, self.maps.judges)
        if self._fashion:
            device = str(self.model.device)
            return Judges(extractor, lambda pictures, _: classes_of(pictures, device=device), rank, self.maps.judges)
        rows = _some(self.training, TRAINING)
        truth = torch.from_numpy(numbers_of(self.training, self.label, self.classes, rows))
        known = truth >= 0
        logits = trained(seen[known], truth[known], len(self.classes))
        return Judges(extractor, lambda pictures, features: logits(features).argmax(1), rank, self.maps.judges)

    def _sketched(self, data: Dataset, rows: Rows) -> Sketch:
        return sketch(self._real(data, rows), self.judges)

    def _real(self, data: Dataset, rows: Rows) -> Iterator[Part]:
        for start in range(0, len(rows), READ):
            part = rows[start : start + READ]
            yield self._part(data, part, on_paper(data.pictures(part)))

    def _drawn(self, rows: Rows, seed: int, progress: Progress) -> Iterator[Part]:
        progress(f"seed {seed}", 0, len(rows))
        for start in range(0, len(rows), AT_ONCE):
            part = rows[start : start + AT_ONCE]
            numbers = range(start, start + len(part))
            images = self.model.draw(self._said(part), seed=seed, indices=numbers, options=self.options)
            pictures = np.stack([np.asarray(image) for image in images])
            pictures = pictures[..., None] if pictures.ndim == 3 else pictures
            yield self._part(self.held, part, pictures)
            progress(f"seed {seed}", start + len(part), len(rows))

    def _part(self, data: Dataset, rows: Rows, pictures: Bytes) -> Part:
        """Return pictures with what is known of rows, whether they show it or shall show it."""
        return Part(pictures, self._labels(data, rows), self._texts(data, rows), self.maps.asked(data, rows))

    def _said(self, rows: Rows) -> list[dict[str, Any]]:
        """Return what a model is told of held-out pictures, all that it can hear; of several texts the first."""
        bus, columns = self.model.bus, self.held.columns
        said: list[dict[str, Any]] = [{} for _ in rows]
        for name in bus.names:
            if name not in columns:
                continue
            for row, value in zip(said, self.held.values(name, rows), strict=True):
                if name == "background":
                    row[name] = PAPER
                elif value is not None:
                    row[name] = packed(bus, name, value[0] if columns[name].kind == "text" else value)
        return said

    def _labels(self, data: Dataset, rows: Rows) -> Rows | None:
        return numbers_of(data, self.label, self.classes, rows) if self.label else None

    def _texts(self, data: Dataset, rows: Rows) -> list[str | None] | None:
        return None if self.rank is None else texts_of(data, rows)


def too_few(source: str, held: int, split: str, least: int = ENOUGH) -> DataError:
    """Return what is said where so few pictures are held out that nothing is measured, and how many it takes."""
    hint = f"at least {least}: a folder validation/ beside the rest, or train/ and validation/ of one's own"
    return DataError(f"{source} has {held} held-out pictures ({split})", hint=hint)


def on_paper(pictures: Bytes) -> Bytes:
    """Lay pictures (N, H, W, 4) uint8 on white; others are left as they are."""
    if pictures.shape[3] != 4:
        return pictures
    colour, alpha = pictures[..., :3].astype(np.float32), pictures[..., 3:].astype(np.float32) / 255
    return (colour * alpha + 255 * (1 - alpha)).round().astype(np.uint8)


def _order(seed: int, use: str, count: int) -> Rows:
    return np.random.default_rng(derive_seed(seed, "evaluate", use)).permutation(count)


def _some(data: Dataset, count: int) -> Rows:
    """Return `count` rows at random, always the same, in order."""
    return np.sort(_order(0, "training", len(data))[:count])
