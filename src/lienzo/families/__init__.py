"""Families of generative models, one file each; the registry in `lienzo.core.registry` names them."""
