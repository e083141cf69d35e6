"""Small additions to frozen models: what they are, and what becomes of a model that is given one."""

from lienzo.training.adapters.adapter import KIND, LOW_RANK, SHARE, Adapter, adapted, sized

__all__ = ["KIND", "LOW_RANK", "SHARE", "Adapter", "adapted", "sized"]
