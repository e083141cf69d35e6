"""`python -m lienzo.data.build emoji openmoji-maps`: build sets that ship inside the package."""

import argparse
import logging
import sys
from pathlib import Path

from lienzo.core.errors import LienzoError
from lienzo.data.build.emoji import build_emoji
from lienzo.data.build.openmoji import build_openmoji_maps

ASSETS = Path(__file__).parents[2] / "assets"
CACHE = Path.home() / ".cache" / "lienzo" / "packages"
log = logging.getLogger("lienzo.data.build")


def main() -> None:
    """Build the sets that the command line names, into the folder of embedded assets unless it says otherwise."""
    parser = argparse.ArgumentParser(prog="python -m lienzo.data.build", description=__doc__)
    parser.add_argument("sets", nargs="+", choices=("emoji", "openmoji-maps"))
    parser.add_argument("--out", type=Path, default=ASSETS, help="each set gets a folder of its name in here")
    parser.add_argument("--cache", type=Path, default=CACHE, help="where the packages' tarballs are, or are to be put")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name in asked.sets:
        built = build_emoji if name == "emoji" else lambda out, cache: [build_openmoji_maps(out, cache=cache)]
        for path in built(asked.out / name, cache=asked.cache):
            log.info("%s: %d bytes", path, path.stat().st_size)


if __name__ == "__main__":
    try:
        main()
    except LienzoError as error:
        sys.exit(str(error))
