"""Features, distances and condition scores: how good pictures are, and whether they show what was said."""

from lienzo.evaluation.classifier import FashionClassifier, fd_clf64, features_of, floor, load_classifier
from lienzo.evaluation.distances import Moments, frechet_distance, kernel_distance, moments
from lienzo.evaluation.report import Figure, table
from lienzo.evaluation.scorer import EmojiScorer, english_captions, load_scorer

__all__ = [
    "EmojiScorer", "FashionClassifier", "Figure", "Moments", "english_captions", "fd_clf64", "features_of", "floor",
    "frechet_distance", "kernel_distance", "load_classifier", "load_scorer", "moments", "table",
]  # fmt: skip
