"""The one loop and what it needs: it trains any family, survives anything, and keeps to a budget."""

from lienzo.training.bar import Bar
from lienzo.training.budget import Candidate, Plan, pace_of, plan, seconds_of
from lienzo.training.card import About
from lienzo.training.curves import Board, Curve, draw_losses
from lienzo.training.export import export
from lienzo.training.grid import SampleGrid
from lienzo.training.loop import TrainResult, train
from lienzo.training.observers import Observer, Record, Say
from lienzo.training.opening import load
from lienzo.training.recover import TrainingError
from lienzo.training.settings import TrainingSettings

__all__ = [
    "About", "Bar", "Board", "Candidate", "Curve", "Observer", "Plan", "Record", "SampleGrid", "Say", "TrainResult",
    "TrainingError", "TrainingSettings", "draw_losses", "export", "load", "pace_of", "plan", "seconds_of", "train",
]  # fmt: skip
