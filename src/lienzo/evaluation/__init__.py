"""Features, distances and condition scores: how good pictures are, and whether they show what was said."""

from lienzo.evaluation.classifier import FashionClassifier, fd_clf64, features_of, floor, load_classifier
from lienzo.evaluation.distances import Moments, frechet_distance, kernel_distance, moments

__all__ = [
    "FashionClassifier", "Moments", "fd_clf64", "features_of", "floor", "frechet_distance", "kernel_distance",
    "load_classifier", "moments",
]  # fmt: skip
