"""What a person calls: load a model, draw with it, train one of one's own."""

from lienzo.api.find import ModelInfo, models
from lienzo.api.model import Model, load
from lienzo.api.record import Record, save
from lienzo.api.reproduce import Reproduction, reproduce
from lienzo.api.train import train

__all__ = ["Model", "ModelInfo", "Record", "Reproduction", "load", "models", "reproduce", "save", "train"]
