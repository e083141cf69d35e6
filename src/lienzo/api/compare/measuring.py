"""The job "measure": what `lienzo evaluate` tells of a model, and the same of what was kept on the way to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lienzo.api.compare.work import Voice
from lienzo.api.evaluate.run import FILE, evaluate
from lienzo.core import LienzoError

Values = dict[str, Any]


def measure(job: Values, voice: Voice) -> Values:
    """Evaluate a model over all seeds, and every moment with the first seed.

    Args:
        job: "model", "source", "view" (how it is looked at), "split", "count", "seeds", "features", "scored",
            "judge" (if one is named), "measured" (the folder), "moments" (share of the training → the folder of what
            was kept then).
        voice: tells how it goes.

    Returns:
        "evaluation", and "moments": share → the figures, or why there are none.
    """
    out, moments = Path(job["measured"]), dict(job["moments"])
    same: Values = {"count": job["count"], "features": job["features"], "judge": job.get("judge"),
                    "split": job["split"], **job["view"]}  # fmt: skip
    parts = job["seeds"] + len(moments)

    def progress(start: int) -> Any:
        def tell(what: str, done: int, total: int) -> None:
            _, _, seed = what.partition("seed ")
            begun = start + (int(seed) if seed.isdecimal() else 0)
            voice.share((begun + (done / max(total, 1) if seed else 0)) / parts)

        return tell

    report = evaluate(
        job["model"], job["source"], seeds=job["seeds"], scored=job["scored"], out=out / FILE, progress=progress(0),
        **same,
    )  # fmt: skip
    told: Values = {}
    for number, (share, folder) in enumerate(moments.items()):
        file = out / f"moment-{share}.json"
        try:
            found = evaluate(folder, job["source"], seeds=1, scored=0, out=file, progress=progress(
                job["seeds"] + number), **same)  # fmt: skip
            told[share] = {"figures": found["figures"]}
        except (LienzoError, ArithmeticError, RuntimeError, ValueError) as error:
            told[share] = {"failed": str(error)}  # an unfinished model need not draw anything that can be measured
    return {"evaluation": report, "moments": told}
