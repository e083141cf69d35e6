"""Small additions to frozen models: what they are, how they are taught, and how they find their base again."""

from lienzo.training.adapters.adapter import LOW_RANK, SHARE, Adapter, adapted, sized
from lienzo.training.adapters.load import base_of, load_adapted
from lienzo.training.adapters.teach import teach

__all__ = ["LOW_RANK", "SHARE", "Adapter", "adapted", "base_of", "load_adapted", "sized", "teach"]
