"""Put the families' small weights into the package, and their figures into what `lienzo families` prints.

    python benchmarks/families/publish.py --only gan --only flow

Takes the longest training that run.py measured and whose run is there; what is not there stays as it ships.
`lienzo.load("fashion-mnist/FAMILY")` then gives the weights, at 6 or 8 bits with a scale a row, each with the card of
its run; `src/lienzo/assets/families.json` has the figures. At 8 bits FD-clf64 of 1,000 changes by 0.05 at most. At 6
bits it changes by 0.12 at most and bits/dim by 0.02 (the flow's, 0.006 of the others); those named in `BITS` would lose
more (FD-clf64 of a GAN 3.3 → 4.1, 0.04 bits/dim of autoregression). What is larger than `LARGEST` is measured and not
shipped.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.common import ROOT, read
from benchmarks.families.entries import OURS
from benchmarks.families.table import minutes_of

from lienzo.api.share import share

GUESSING = 8.0  # bits/dim of who knows nothing of 8-bit pictures: an estimate above says nothing of the model
ASSETS = ROOT / "src" / "lienzo" / "assets"
BITS = {"gan": "int8", "autoregressive": "int8"}
SMALLER = {"density": "density-small"}  # what ships where the row itself is too large
STANDS = {"few_step": "few_step-distilled"}  # another row that stands for a family, weights and figures
MOST, LARGEST = 5 * 2**20, 1.6 * 2**20  # bytes of all weights, and of one model's


def told(entry: dict[str, Any]) -> dict[str, Any]:
    """What `lienzo families` says of a family."""
    quality, speed, likelihood = dict[str, str](), dict[str, str](), entry.get("likelihood")
    if likelihood and likelihood["mean"] < GUESSING:
        quality["bits/dim"] = f"{likelihood['mean']:.3f} ({likelihood['kind']})"
    distance = entry.get("figures", {}).get("FD-clf64")
    if distance:
        quality["FD-clf64"] = f"{distance['mean']:.2f} (real: {distance['floor']['mean']:.2f})"
    if codes := entry.get("codes"):
        quality = {"codes": f"{codes['psnr']:.1f} dB, FD-clf64 {codes['FD-clf64']:.2f} (real: {codes['real']:.2f})"}
    if "sampling" in entry:
        speed["a picture"] = f"{1000 * entry['sampling']['seconds_a_picture']:.3g} ms"
    speed["training"] = f"{entry['images'] / 60 / minutes_of(entry):.0f} pictures/s"
    machine = entry["measured"]["hardware"]
    minutes = minutes_of(entry)
    how = (f"trained for {minutes:.{int(minutes < 1)}f} min on {entry['threads']} of {machine['cores']} cores, "
           f"{machine['processor']}; {entry['count']:,} pictures drawn, features of clf64")  # fmt: skip
    return {"quality": quality, "speed": speed, "how": how}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--only", action="append", choices=sorted({e.family for e in OURS.values()}), help="all, if none"
    )
    parser.add_argument("--work", type=Path, default=ROOT / "runs" / "families")
    args = parser.parse_args()
    runs, found = dict[str, Path](), dict[str, dict[str, Any]]()
    for entry in sorted(read("families").get("entries", []), key=lambda e: e["minutes"]):
        name = entry["name"]
        run = args.work / f"{name}-{entry['minutes']:g}-{entry['threads']}" / "run"
        if name in OURS and (run.parent / "judged.json").is_file():
            runs[name], family = run, OURS[name].family
            if name == STANDS.get(family, family) and family in (args.only or OURS):
                found[family] = entry
    if not found:
        raise SystemExit(f"nothing that was measured is in {args.work}: python benchmarks/families/run.py")
    print(", ".join(f"{name}: {entry['minutes']:g} min" for name, entry in found.items()))
    for name in found:
        to = ASSETS / "models" / "fashion-mnist" / name
        shutil.rmtree(to, ignore_errors=True)
        share(runs[SMALLER.get(name, STANDS.get(name, name))], to, precision=BITS.get(name, "int6"))
        size = sum(file.stat().st_size for file in to.rglob("*") if file.is_file())
        print(f"{name}: {size / 2**20:.2f} MiB{'' if size <= LARGEST else ', too large to ship'}")
        if size > LARGEST:
            shutil.rmtree(to)
    total = sum(file.stat().st_size for file in (ASSETS / "models" / "fashion-mnist").rglob("*") if file.is_file())
    if total > MOST:
        raise SystemExit(f"{total / 2**20:.2f} MiB in all, {MOST / 2**20:.0f} allowed")
    before = json.loads((ASSETS / "families.json").read_text("utf-8"))["families"]
    families = dict(sorted({**before, **{name: told(entry) for name, entry in found.items()}}.items()))
    about = {"data": "Fashion-MNIST, 28 x 28", "families": families}
    (ASSETS / "families.json").write_text(json.dumps(about, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
