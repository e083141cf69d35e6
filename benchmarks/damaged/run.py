"""Check, then train-open, a folder of 200 damaged pictures: nothing may crash, hang, or go unmentioned.

    python benchmarks/damaged/run.py [--tarball pillow-*.tar.gz]

Writes benchmarks/results/damaged.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import tempfile
import time
from collections import Counter
from pathlib import Path

import PIL
from make import make

from lienzo.core import DataError
from lienzo.data import check, open_source

RESULTS = Path(__file__).parents[1] / "results" / "damaged.json"


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tarball", type=Path, help="Pillow's source package; without it all files are made up")
    parser.add_argument("--count", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder, cache = Path(place, "pictures"), Path(place, "cache")
        expected = make(folder, count=given.count, tarball=given.tarball)
        result = measure(folder, cache, expected) | {"pillow_test_images": given.count - len(expected)}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k not in ("each_bad", "each_converted")}, indent=1))


def measure(folder: Path, cache: Path, expected: dict[str, tuple[str, str]]) -> dict[str, object]:
    """Check the folder, open it for training twice, and compare with what is known of the made-up files."""
    report = check(folder, seconds=20)
    bad = {entry.file: entry for entry in report.bad}
    notes = {entry.file: entry.notes for entry in report.converted}
    files = {file.name for file in folder.iterdir()}
    wrong = [
        name for name, (verdict, reason) in expected.items()
        if (verdict == "bad") != (name in bad)
        or (verdict == "bad" and reason not in ("", bad[name].reason))
        or (verdict == "converted" and reason not in notes.get(name, ()))
    ]  # fmt: skip
    try:
        open_source(folder, split="all", cache=cache, progress=False)
        default = "opened"
    except DataError as error:
        default = f"refused: {error.what.split(' files of ')[0]} files cannot be used"
    start = time.perf_counter()
    dataset = open_source(folder, split="all", cache=cache, max_bad_share=0.95, progress=False)
    again = time.perf_counter() - start
    return {
        "files": len(files), "reported_bad": len(bad), "usable": report.usable, "converted": len(notes),
        "usable_plus_bad_is_all": report.usable + len(bad) + len(report.ignored) == len(files),
        "without_a_reason": [name for name, entry in bad.items() if not entry.reason],
        "made_up_and_judged_otherwise": wrong,
        "decoder_processes_lost": sum(e.reason in ("too slow", "crashed the decoder") for e in report.bad),
        "reasons": dict(Counter(entry.reason for entry in report.bad).most_common()),
        "notes": dict(Counter(note for each in notes.values() for note in each).most_common()),
        "open_at_the_default_share": default, "pictures_for_training": len(dataset),
        "seconds_check": round(report.seconds, 2), "seconds_open_from_cache": round(again, 3),
        "peak_memory_mib": {
            "run": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            "largest_decoder": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
        },
        "machine": {"cores": os.cpu_count(), "load_1_min": round(os.getloadavg()[0], 2),
                    "python": platform.python_version(), "pillow": PIL.__version__},
        "each_bad": [[entry.file, entry.reason, entry.detail] for entry in report.bad],
        "each_converted": [[file, list(each)] for file, each in notes.items()],
    }  # fmt: skip


if __name__ == "__main__":
    main()
