"""Drawing pixel by pixel with kept partial results, against a whole pass of the network for every pixel.

python benchmarks/families/cached.py            # one thread; processor time, so that other work does not count
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from benchmarks.common import Stamp, spread, write

import lienzo
from lienzo.core import Streams
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.orders import Pixels

COUNTS = (1, 8, 64)


def seconds(act: Callable[[], object], repeats: int) -> list[float]:
    """Processor seconds of each repeat, after one that does not count."""
    found = list[float]()
    for _ in range(repeats + 1):
        since = time.process_time()
        act()
        found.append(time.process_time() - since)
    return found[1:]


@torch.no_grad()
def measured(model: lienzo.Model, count: int, repeats: int) -> dict[str, Any]:
    """Seconds of `count` pictures drawn at once, and of as many passes as they have pixels."""
    family = model.family
    assert isinstance(family, Autoregressive)
    assert isinstance(family.order, Pixels)
    network, said = family.order.network, model.bus.parse({}, count)
    channels, x = model.bus(said), torch.zeros(count, *family.shape)
    drawn = seconds(lambda: family.sample(said, streams=Streams(0, range(count)), chunk=count), repeats)
    whole = seconds(lambda: network(x, channels), 3 * repeats)
    pixels = family.shape[1] * family.shape[2]
    ratio = pixels * spread(whole)["median"] / spread(drawn)["median"]
    return {"count": count, "drawn": spread(drawn), "pass": spread(whole), "pixels": pixels, "ratio": ratio}


def main() -> None:
    """Measure, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="fashion-mnist/autoregressive")
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    torch.set_num_threads(1)
    stamp, model = Stamp(), lienzo.load(args.model)
    rows = [measured(model, count, args.repeats) for count in COUNTS]
    write("families_cached", {"model": args.model, "threads": 1, "rows": rows}, stamp)
    print({row["count"]: round(row["ratio"], 1) for row in rows})


if __name__ == "__main__":
    main()
