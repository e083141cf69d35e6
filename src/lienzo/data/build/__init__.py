"""Build tools: they turn public packages into the picture sets that ship inside lienzo.

Nothing here is needed to *use* the built sets. The tools need `resvg-py`, `pyarrow` and `npm`, and are imported late.
"""
