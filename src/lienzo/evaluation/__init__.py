"""Features, distances and condition scores: how good pictures are, and whether they show what was said."""

from lienzo.evaluation.bits import Bits, bits_per_dimension
from lienzo.evaluation.classes import accuracy_score, by_class, class_distance
from lienzo.evaluation.classifier import FashionClassifier, fd_clf64, features_of, floor, load_classifier
from lienzo.evaluation.clips import features_over_time, flicker
from lienzo.evaluation.copies import copied, repeated
from lienzo.evaluation.distances import Moments, frechet_distance, kernel_distance, moments
from lienzo.evaluation.extractors import extractor_named
from lienzo.evaluation.extrapolation import extrapolated
from lienzo.evaluation.features import Extractor
from lienzo.evaluation.finders import Finder
from lienzo.evaluation.manifold import Manifold, manifold
from lienzo.evaluation.maps import edge_score, kept, keypoints_found, overlap, rank_correlation
from lienzo.evaluation.report import Figure, table
from lienzo.evaluation.scorer import EmojiScorer, english_captions, load_scorer
from lienzo.evaluation.scorers import Scorer, scorer_named
from lienzo.evaluation.sliced import sliced_wasserstein
from lienzo.evaluation.two_sample import TwoSample, two_sample_test
from lienzo.evaluation.vendi import vendi_score

__all__ = [
    "Bits", "EmojiScorer", "Extractor", "FashionClassifier", "Figure", "Finder", "Manifold", "Moments", "Scorer",
    "TwoSample", "accuracy_score", "bits_per_dimension", "by_class", "class_distance", "copied", "edge_score",
    "english_captions", "extractor_named", "extrapolated", "fd_clf64", "features_of", "features_over_time", "flicker",
    "floor", "frechet_distance", "kept", "kernel_distance", "keypoints_found", "load_classifier", "load_scorer",
    "manifold", "moments", "overlap", "rank_correlation", "repeated", "scorer_named", "sliced_wasserstein", "table",
    "two_sample_test", "vendi_score",
]  # fmt: skip
