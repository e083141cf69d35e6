"""`lienzo export`: a model to give away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelName = Annotated[str, typer.Argument(help="The folder of a run, or a name of `lienzo models`.")]
To = Annotated[Path, typer.Argument(help="A folder that does not exist yet.")]
Precision = Annotated[str, typer.Option(help="float32, float16, int8 (a quarter of the bytes) or int6.")]


def export(model: ModelName, to: To, precision: Precision = "float16") -> None:
    """Write a trained model in fewer bytes, without the state of its training: to give away, or to ship.

    [bold]Example[/]

    [cyan]lienzo export runs/photos photos-model[/]
    """
    from typing import get_args

    from rich.console import Console

    from lienzo.api.share import share
    from lienzo.core import ConfigurationError
    from lienzo.training.rounding import Precision as Known

    if precision not in get_args(Known):
        raise ConfigurationError(f"no precision {precision!r}", hint=f"one of {', '.join(get_args(Known))}")
    folder = share(model, to, precision=precision)  # pyright: ignore[reportArgumentType]  (checked just now)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(f"{folder}: {size / 2**20:.1f} MiB; use it: lienzo generate --model {folder}")
