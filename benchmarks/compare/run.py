"""How long is one comparison of four families, five minutes of training each, from the command to the report?

    python benchmarks/compare/run.py                  # about half an hour
    python benchmarks/compare/run.py --threads 1      # on one core

`lienzo compare fashion-mnist --families vae,flow,gan,diffusion --budget 5m`, with its own settings, in a new folder.
Results: `benchmarks/results/compare.json`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import Stamp, write

GOAL = 35.0  # minutes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", default="vae,flow,gan,diffusion")
    parser.add_argument("--budget", default="5m")
    parser.add_argument("--threads", type=int, default=None)
    args = parser.parse_args()
    told = ["compare", "fashion-mnist", "--families", args.families, "--budget", args.budget]
    told += ["--threads", str(args.threads)] if args.threads else []
    stamp = Stamp()
    with tempfile.TemporaryDirectory(prefix="lienzo-compare-") as place:
        since = time.perf_counter()
        subprocess.run([sys.executable, "-m", "lienzo", *told, "--out", place], check=True)
        minutes = (time.perf_counter() - since) / 60
        report = json.loads((Path(place) / "report.json").read_text("utf-8"))
        size = (Path(place) / "report.html").stat().st_size
    result = {
        "asked": " ".join(["lienzo", *told]), "minutes": minutes, "goal_minutes": GOAL, "threads": args.threads,
        "entrants": len(report["entrants"]), "report_bytes": size, "words": report["words"],
    }  # fmt: skip
    write("compare", result, stamp)
    print(f"{minutes:.1f} minutes, a report of {size:,} bytes")


if __name__ == "__main__":
    main()
