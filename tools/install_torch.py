"""Install PyTorch in this Python's environment, in the build that fits the machine; does nothing if it is there.

    python tools/install_torch.py VERSION [--accelerator cpu|cuda]

On Linux the default build of torch brings gigabytes of CUDA packages, so without a GPU another one is looked for, in
this order:

1. the CPU build ("VERSION+cpu") from wherever pip is set up to look: an index, a mirror, a folder of wheels;
2. the CPU build from PyTorch's own index, or from TORCH_INDEX_URL if that is set (then only there);
3. the default build, if pip says that on this machine it brings no CUDA packages (some arm64 releases).

On macOS the default build is right as it is. torch comes without its dependencies: they are in requirements/, hashed.
Only the CUDA build brings its own, since which ones it needs is its own affair.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
QUICK = ["--no-compile"]  # of its 2,000 modules, an import compiles what it meets: a third of the time to install
# A machine without that host should learn so in seconds. A slow one is no matter: the limit is for each answer.
ONE_TRY = ["--retries", "1", "--timeout", "20"]


def installed() -> str:
    """Return the version of torch in this environment, or nothing."""
    try:
        return importlib.metadata.version("torch")
    except importlib.metadata.PackageNotFoundError:
        return ""


def pip(*arguments: str) -> str | None:
    """Run pip with its output shown; return what it complained of, or None if it succeeded."""
    process = subprocess.run([*PIP, *arguments], stderr=subprocess.PIPE, text=True, check=False)
    return (process.stderr.strip() or f"pip ended with {process.returncode}") if process.returncode else None


def brings_cuda(requirement: str) -> bool | None:
    """Ask pip, without installing, whether `requirement` needs CUDA packages here; None if it cannot tell."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        if pip("install", "--quiet", "--dry-run", "--ignore-installed", "--report", str(report), requirement):
            return None
        names = [item["metadata"]["name"].lower() for item in json.loads(report.read_text())["install"]]
    return any(name.startswith(("nvidia-", "cuda-", "triton", "pytorch-triton")) for name in names)


def attempts(version: str, accelerator: str, index: str) -> list[list[str]]:
    """Return the arguments of `pip install` to try in turn."""
    if accelerator == "cuda":
        # "===" is not met by "+cpu", which pip would otherwise take for the newer one where it finds both.
        return [["--index-url", index, f"torch=={version}"]] if index else [[f"torch==={version}"]]
    if index:
        return [["--no-deps", "--index-url", index, f"torch=={version}"]]
    if platform.system() == "Linux":
        cpu = f"torch=={version}+cpu"
        return [["--no-deps", cpu], ["--no-deps", *ONE_TRY, "--index-url", CPU_INDEX, cpu]]
    return [["--no-deps", f"torch=={version}"]]


def main() -> int:
    """Install torch, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("version", help="e.g. 2.13.0")
    parser.add_argument("--accelerator", choices=["cpu", "cuda"], default="cpu")
    wanted = parser.parse_args()
    found = installed()
    if found.partition("+")[0] == wanted.version and not (wanted.accelerator == "cuda" and found.endswith("+cpu")):
        print(f"torch {found} is there")
        return 0
    index = os.environ.get("TORCH_INDEX_URL", "")
    complaints: list[str] = []
    for arguments in attempts(wanted.version, wanted.accelerator, index):
        complaint = pip("install", *QUICK, *arguments)
        if complaint is None:
            return 0
        complaints.append(f"pip install {' '.join(arguments)}\n{complaint}")
    plain = f"torch=={wanted.version}"
    if wanted.accelerator == "cpu" and not index and brings_cuda(plain) is False:
        complaint = pip("install", *QUICK, "--no-deps", plain)
        if complaint is None:
            return 0
        complaints.append(complaint)
    print("\n\n".join(complaints), file=sys.stderr)
    print(
        f"\nNo {wanted.accelerator} build of torch {wanted.version} was found for Python {platform.python_version()} on"
        f" {platform.system()} {platform.machine()}.\nTry: another Python (make PYTHON=python3.11), or"
        " TORCH_INDEX_URL=<an index or mirror that has it>, or ACCELERATOR=cuda for the default build with CUDA"
        " (several GB).",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
