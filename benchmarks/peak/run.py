"""What share of this machine's matrix peak does training reach? Ours, and both peers', in float32 and bfloat16.

    python benchmarks/peak/run.py            # on a quiet machine: it takes every core that --threads names

The peak is the best of several sizes of one matrix product, measured before and after the networks; FLOPs of a
training step are counted by torch, not estimated. A step is loss, gradient, clipping and AdamW. Each network has its
own process.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from benchmarks.common import ROOT, Stamp, write
from benchmarks.peak.measure import MADE

SIZES = (512, 1024, 2048, 3072)


def gemm_peak(dtype: torch.dtype, repeats: int) -> dict[str, Any]:
    """The best GFLOP/s of products of square matrices."""
    best: dict[int, float] = {}
    for size in SIZES:
        a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
        torch.mm(a, b)
        times = list[float]()
        for _ in range(repeats):
            since = time.perf_counter()
            torch.mm(a, b)
            times.append(time.perf_counter() - since)
        best[size] = 2 * size**3 / min(times) / 1e9
    return {"gflops": max(best.values()), "by_size": best}


def measured(name: str, args: argparse.Namespace) -> dict[str, Any]:
    command = [args.python, "benchmarks/peak/measure.py", name, "--threads", str(args.threads),
               "--repeats", str(args.repeats), "--batch", str(args.batch)]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": str(args.threads)}
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        print(f"{name} failed: {done.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return {"name": name, "failed": True}
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--batch", type=int, default=0, help="pictures a step; 0: as each recipe or example says")
    parser.add_argument("--only", action="append", choices=MADE)
    parser.add_argument("--python", default=sys.executable, help="of an environment that has the peers")
    parser.add_argument("--trial", action="store_true", help="write to peak_trial.json")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    stamp = Stamp("diffusers", "denoising-diffusion-pytorch")
    before = gemm_peak(torch.float32, args.repeats)
    networks = [measured(name, args) for name in args.only or MADE]
    after, half = gemm_peak(torch.float32, args.repeats), gemm_peak(torch.bfloat16, args.repeats)
    peak = max(before["gflops"], after["gflops"])
    for told in networks:
        if "failed" not in told:
            told["float32"]["share_of_peak"] = told["float32"]["gflops"] / peak
            told["bfloat16"]["share_of_peak"] = told["bfloat16"]["gflops"] / half["gflops"]
            told["bfloat16"]["share_of_float32_peak"] = told["bfloat16"]["gflops"] / peak
            plain, low = told["float32"]["share_of_peak"], told["bfloat16"]["share_of_peak"]
            print(f"{told['name']}: {plain:.0%} of {peak:.0f} GFLOP/s in float32, {low:.0%} of {half['gflops']:.0f} in "
                  "bfloat16", flush=True)  # fmt: skip
    result = {"threads": args.threads, "n": args.repeats, "peak_float32": {"before": before, "after": after},
              "peak_bfloat16": half, "gflops_peak": peak, "networks": networks}  # fmt: skip
    write("peak_trial" if args.trial else "peak", result, stamp)


if __name__ == "__main__":
    main()
