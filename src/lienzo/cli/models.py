"""`lienzo models` and `lienzo families`: what there is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[Path, typer.Option(help="A folder whose runs are listed too.")]
Json = Annotated[bool, typer.Option("--json", help="Print it for programs.")]


def models(runs: Runs = Path("runs"), as_json: Json = False) -> None:
    """List the models that are here, with what was measured of them.

    [bold]Example[/]

    [cyan]lienzo generate "a red apple" --model emoji-64[/]
    """
    import json
    from dataclasses import asdict

    from lienzo.api.find import models as shipped
    from lienzo.api.find import trained

    found, own = shipped(), trained(runs)
    if as_json:
        print(json.dumps([asdict(info) for info in [*found, *own]], default=str, ensure_ascii=False, indent=1))
        return
    from lienzo.cli.lists import show_models

    show_models(found, own)


def families(as_json: Json = False) -> None:
    """List the families of models: what each is and can do, when to choose it, and what was measured of it.

    [bold]Example[/]

    [cyan]lienzo train ./photos --family diffusion --budget 30m[/]
    """
    import json
    from dataclasses import asdict

    from lienzo.api.families import families as known

    infos = known()
    if as_json:
        print(json.dumps([asdict(info) for info in infos], ensure_ascii=False, indent=1))
        return
    from lienzo.cli.lists import show_families

    show_families(infos)
