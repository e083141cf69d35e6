"""How many 64-pixel rows a second the loader makes, once pictures lie decoded in memory.

python benchmarks/loader/run.py

Writes benchmarks/results/loader.json. Time on the wall says little on a machine that others use: the load is written
beside it, rows are also counted by the second that one core really worked, and the same pictures turned into floats by
one line of torch, without streams, order or background, are the measure of comparison.
"""

import os

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch

from lienzo.conditions import Bus, LabelCondition
from lienzo.data import Loader, open_source

RESULTS = Path(__file__).parents[1] / "results" / "loader.json"
BATCH, ROWS, TIMES = 64, 2048, 9


def rows_a_second(batch_at: Callable[[int], object]) -> dict[str, int]:
    """Median and best of several runs on the wall with all cores, and the median by the time that one core worked."""
    wall = speeds(batch_at, time.perf_counter)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    core = speeds(batch_at, time.process_time)
    torch.set_num_threads(threads)
    return {
        "wall, median": round(statistics.median(wall)),
        "wall, best": round(max(wall)),
        "one core's time, median": round(statistics.median(core)),
    }


def speeds(batch_at: Callable[[int], object], clock: Callable[[], float]) -> list[float]:
    """Rows a second by a clock, of several runs."""
    batch_at(0)
    found: list[float] = []
    for number in range(TIMES):
        start = clock()
        for position in range(number * ROWS, (number + 1) * ROWS, BATCH):
            batch_at(position)
        found.append(ROWS / (clock() - start))
    return found


def main() -> None:
    """Measure and write."""
    start = time.perf_counter()
    emoji = open_source("emoji")
    opening = time.perf_counter() - start
    start = time.perf_counter()
    emoji.pictures(range(len(emoji)))
    decoding = time.perf_counter() - start
    clothes = open_source("fashion-mnist", split="test")
    labels = {name: LabelCondition(list(emoji.columns[name].classes)) for name in ("style", "background")}
    rows = torch.arange(BATCH).numpy()
    planes = emoji.pictures(rows).transpose(0, 3, 1, 2)
    result = {
        "rows_a_second": {
            "bare conversion": rows_a_second(lambda position: torch.from_numpy(planes[:, :3]).float() / 127.5 - 1),
            "opaque, unconditional": rows_a_second(Loader(clothes, Bus(), batch_size=BATCH).batch_at),
            "transparent, unconditional": rows_a_second(Loader(emoji, Bus(), batch_size=BATCH).batch_at),
            "transparent, two labels": rows_a_second(Loader(emoji, Bus(labels), batch_size=BATCH).batch_at),
        },
        "emoji": {"rows": len(emoji), "seconds_to_open": round(opening, 2), "seconds_to_decode": round(decoding, 2)},
        "pixels": 64, "batch": BATCH, "cores": os.cpu_count(), "load_1_min": round(os.getloadavg()[0], 2),
    }  # fmt: skip
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
