"""Lets the tests import the suite's parts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
