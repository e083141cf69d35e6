"""What every test and every documented example starts from."""

import os
from importlib.util import find_spec
from pathlib import Path

# Before torch is imported: with another busy process beside it, a spinning OpenMP thread costs five times the speed.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

SOURCE = Path(__file__).parent / "src" / "lienzo"

# Rooms whose modules cannot be imported without a package of an extra. Others import such packages where they use them.
NEEDS = {"pretrained": "diffusers"}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the examples of rooms whose extra is not installed."""
    if not collection_path.is_relative_to(SOURCE):
        return None
    needed = NEEDS.get(collection_path.relative_to(SOURCE).parts[0]) if collection_path != SOURCE else None
    return True if needed is not None and find_spec(needed) is None else None
