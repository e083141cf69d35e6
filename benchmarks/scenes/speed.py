"""How many scenes a second one core draws, and with all their maps: `python benchmarks/scenes/speed.py`.

Counted by the time that one core worked, five times, each over scenes of its own. Writes results/scenes_speed.json.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import Stamp, spread, write

from lienzo.data import open_source

SCENES, TIMES = 600, 5
MAPS = ("segmentation", "depth", "lines", "pose")


def main() -> None:
    """Measure and write."""
    stamp, data = Stamp(), open_source(f"scenes:{SCENES * (TIMES + 1)}")
    data.pictures(range(SCENES))  # what is read and cut out once
    alone, maps = list[float](), list[float]()
    for number in range(1, TIMES + 1):
        rows = range(number * SCENES, (number + 1) * SCENES)
        since = time.process_time()
        data.pictures(rows)
        alone.append(SCENES / (time.process_time() - since))
        for name in MAPS:
            data.values(name, rows)
        maps.append(SCENES / (time.process_time() - since))
    result = {"scenes": SCENES, "pictures_a_second": spread(alone), "with_maps_a_second": spread(maps), "maps": MAPS}
    write("scenes_speed", result, stamp)
    print(f"{spread(alone)['median']:.0f} pictures/s, {spread(maps)['median']:.0f} with maps")


if __name__ == "__main__":
    main()
