"""The command line. It parses, calls one function, shows the result; nothing heavy is imported before it is used."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line: a user's mistake is one sentence and exit code 2, never a traceback."""
    from lienzo.cli.app import app
    from lienzo.cli.busy import give_way
    from lienzo.core.errors import LienzoError

    give_way(sys.argv[1:])
    try:
        app()
    except BrokenPipeError:  # `lienzo models | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except LienzoError as error:
        _tell(error.what, error.hint)
        sys.exit(2)
    except OSError as error:  # a file that cannot be read or written, a disk that is full
        _tell(": ".join(str(part) for part in (error.filename, error.strerror or error) if part), "")
        sys.exit(2)


def _tell(what: str, hint: str) -> None:
    from rich.console import Console
    from rich.text import Text

    console = Console(stderr=True)
    console.print(Text.assemble(("error: ", "bold red"), what), soft_wrap=True)
    if hint:
        console.print(Text.assemble(("  try: ", "bold"), hint), soft_wrap=True)
