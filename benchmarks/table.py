"""Write the README's table of figures from benchmarks/results/: python benchmarks/table.py (--check: is it so?)."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.common import ROOT, read
from benchmarks.families.asked import asked
from benchmarks.families.table import families, few
from benchmarks.scenes.table import scenes

from lienzo.evaluation.report import Figure, table, with_spread

README = ROOT / "README.md"
TABLES = ("numbers", "scenes", "families", "asked", "few")  # each between <!-- NAME --> and <!-- /NAME -->
UNKNOWN = "not measured yet"
PEERS = ("diffusers", "ddpt")


def text_to_picture() -> list[Figure]:
    result = read("text_to_picture")
    figures = []
    for kind, goal in (("seen", 0.8), ("held-out", 0.4)):
        what = f"text → picture: the prompt's caption among the scorer's top 5 of all, share of real pictures, {kind}"
        value, met = UNKNOWN, None
        if kind in result:
            told = result[kind]
            shares = [100 * v for v in told["share_of_real"]["values"]]
            met = told["share_of_real"]["mean"] >= goal
            value = (f"{with_spread(shares, 1, ' %')}; {told['captions']} captions; real pictures "
                     f"{told['real']['top5']:.1%}, chance {result['chance_top5']:.2%}")  # fmt: skip
        figures.append(Figure(what, value, f"≥ {goal:.0%}", met, "python benchmarks/text_to_picture/run.py"))
    return figures


def speed() -> list[Figure]:
    result, figures = read("speed"), list[Figure]()
    goals = {"import_lienzo": ("`import lienzo`, process and all", 0.3), "help": ("`lienzo --help`", 0.5),
             "generate": ("16 pictures at 64 × 64 from words, process start included", 15.0),
             "sampling": ("the same, sampling alone", 8.0)}  # fmt: skip
    for name, (what, goal) in goals.items():
        told = result.get(name)
        value = UNKNOWN if told is None else (
            f"{told['median']:.2f} s, median of {told['n']} ({told['min']:.2f} to {told['max']:.2f})")  # fmt: skip
        met = None if told is None else told["median"] <= goal
        figures.append(Figure(what, value, f"≤ {goal:g} s", met, "python benchmarks/speed/run.py"))
    return figures


def latest(entries: list[dict[str, Any]], minutes: float = 20) -> dict[str, dict[str, Any]]:
    """The last entry of each contender at this length, on the wall's clock."""
    return {e["contender"]: e for e in entries if e["minutes"] == minutes and e["clock"] == "wall"}


def behind(entry: dict[str, Any]) -> tuple[int, float]:
    """The order of the peers: a distance grows as pictures get fewer, so one of fewer is the better peer only alone."""
    return -entry["count"], entry["fd"]["mean"]


def fewer(entry: dict[str, Any], by_name: dict[str, dict[str, Any]]) -> str:
    """What is told of a contender that drew fewer pictures than the rest: its trials, beside theirs by as many."""
    others = [
        f"{n} {entry['by_as_many'][n]:.1f}" for n in ("ours", *PEERS) if n in entry["by_as_many"] and n in by_name
    ]
    return f"{entry['contender']} {entry['fd']['mean']:.1f} by {entry['count']} ({', '.join(others)} by as many)"


def fashion() -> list[Figure]:
    by_name = latest(read("fashion").get("entries", []))
    what = "Fashion-MNIST, class-conditional, 20 minutes each on the same cores: FD-clf64 at {count:,} samples"
    memory = "peak memory of that training, over the better peer's"
    command = "python benchmarks/fashion/run.py"
    peers = [by_name[n] for n in PEERS if n in by_name]
    if "ours" not in by_name or not peers:
        return [Figure(what.format(count=10_000), UNKNOWN, "≤ 0.5 × the better peer", None, command),
                Figure(memory, UNKNOWN, "≤ 1.0 ×", None, command)]  # fmt: skip
    ours, best = by_name["ours"], min(peers, key=behind)
    missing, every = [n for n in PEERS if n not in by_name], len(peers) == len(PEERS)
    alike = [e for e in (ours, *peers) if e["count"] == ours["count"]]
    named = "; ".join(f"{e['contender']} {with_spread(e['fd']['values'])}" for e in alike)
    named += "".join(f"; {fewer(e, by_name)}" for e in peers if e not in alike)
    named += "".join(f"; {n} {UNKNOWN}" for n in missing)
    ratio, share = ours["fd"]["mean"] / best["fd"]["mean"], ours["peak_mib"] / best["peak_mib"]
    beside = "" if "floor_count" in ours else " at 10,000"
    value = f"{ratio:.2f} ×: {named}; real against real{beside} {ours['floor']:.2f}"
    again = (
        f" (again, over {ours['memory']['images']:,} images, level after the first minute)" if "memory" in ours else ""
    )
    peaks = f"{ours['peak_mib']:.0f} MiB{again}, {best['contender']} {best['peak_mib']:.0f} MiB"
    return [
        Figure(what.format(count=ours["count"]), value, "≤ 0.5 × the better peer", ratio <= 0.5 if every else None,
               command),
        Figure(memory, f"{share:.2f} ×: {peaks}", "≤ 1.0 ×", share <= 1 if every else None, command),
    ]  # fmt: skip


def cached() -> list[Figure]:
    what, command = "autoregression by pixels, drawn with kept partial results", "python benchmarks/families/cached.py"
    rows = read("families_cached").get("rows")
    goal = "≥ 20 × a whole pass of the network a pixel"
    if not rows:
        return [Figure(what, UNKNOWN, goal, None, command)]
    named = ", ".join(f"{r['ratio']:.0f} × for {r['count']}" for r in rows)
    most = max(rows, key=lambda r: r["count"])
    value = f"{named} at once; {1000 * most['drawn']['median'] / most['count']:.0f} ms a picture of {most['count']}"
    return [Figure(what, value, goal, min(r["ratio"] for r in rows) >= 20, command)]


def peak() -> list[Figure]:
    result = read("peak")
    what, command = "training: share of the measured fp32 matrix peak", "python benchmarks/peak/run.py --batch 64"
    networks = {n["name"]: n for n in result.get("networks", []) if "failed" not in n}
    if "transformer" not in networks:
        return [Figure(what, UNKNOWN, "transformer ≥ 70 %", None, command)]
    named = ", ".join(f"{name} {n['float32']['share_of_peak']:.0%}" for name, n in networks.items())
    half = ", ".join(f"{name} {n['bfloat16']['share_of_float32_peak']:.0%}" for name, n in networks.items())
    value = f"of {result['gflops_peak']:.0f} GFLOP/s: {named}; in bfloat16, of the same peak: {half}"
    met = networks["transformer"]["float32"]["share_of_peak"] >= 0.7
    low = networks["transformer"]["bfloat16"]["share_of_peak"]
    figures = [Figure(what, value, "transformer ≥ 70 %", met, command),
               Figure("the transformer's training step, share of the measured bfloat16 matrix peak",
                      f"{low:.0%} of {result['peak_bfloat16']['gflops']:.0f} GFLOP/s",
                      "≥ 45 %", low >= 0.45, command)]  # fmt: skip
    if "unet" in networks and "diffusers" in networks:
        ours, peer = (max(networks[n][p]["images_per_second"] for p in ("float32", "bfloat16"))
                      for n in ("unet", "diffusers"))  # fmt: skip
        sizes = " and ".join(f"{networks[n]['parameters'] / 1e6:.1f} M" for n in ("unet", "diffusers"))
        what = f"U-Net against diffusers' ({sizes} parameters), training images/s, each in its faster precision"
        figures.append(
            Figure(what, f"{ours / peer:.2f} ×: {ours:.0f} and {peer:.0f}", "≥ 2 ×", ours / peer >= 2, command)
        )
    return figures


def words() -> list[Figure]:
    figures, told = list[Figure](), read("words").get("retrieval", {})
    for language, short, goal in (("English", "en", 70), ("Spanish", "es", 60)):
        what = f"{language} words of no caption: a fitting one among the 10 nearest captions; words held out"
        held, whole = told.get(f"{short} held-out"), told.get(f"{short} all")
        value, met = UNKNOWN, None
        if held and whole:
            value = f"{held['R@10']:.1f} % of {held['n']}; of all {whole['n']}: {whole['R@10']:.1f} %"
            met = held["R@10"] >= goal
        figures.append(Figure(what, value, f"≥ {goal} %", met, "python benchmarks/words/run.py"))
    return figures


def damaged() -> list[Figure]:
    result = read("damaged")
    what, command = "a folder of 200 damaged images", "python benchmarks/damaged/run.py"
    if not result:
        return [Figure(what, UNKNOWN, "no crash, each with its reason", None, command)]
    met = not result["without_a_reason"] and not result["decoder_processes_lost"]
    value = f"{result['files']} files: {result['reported_bad']} set aside with a reason, {result['usable']} usable"
    return [Figure(what, value, "no crash, each with its reason", met, command)]


def resumed() -> list[Figure]:
    runs = {e["name"]: e for e in read("resume").get("entries", [])}  # the last one of each
    value = "; ".join(
        f"{name}: {e['kills']} kills, {'the same bits' if e['same_bits'] else 'other bits'}" for name, e in runs.items()
    )
    met = all(e["same_bits"] for e in runs.values()) and sum(e["kills"] for e in runs.values()) >= 20 if runs else None
    what, command = "killed at random instants and resumed", "python benchmarks/resume/run.py"
    return [Figure(what, value or UNKNOWN, "20 of 20 bitwise equal", met, command)]


def agreement() -> list[Figure]:
    result = read("agreement")
    what = "FD, KID, precision, recall, density, coverage against torchmetrics, torch-fidelity, prdc on equal features"
    goal, command = "≤ 1e-3, relative", "python benchmarks/agreement/run.py"
    if not result:
        return [Figure(what, UNKNOWN, goal, None, command)]
    value = f"{result['largest']:.0e} at most, of {len(result['entries'])} comparisons on {len(result['sets'])} sets"
    return [Figure(what, value, goal, result["largest"] <= result["goal"], command)]


def precision() -> list[Figure]:
    result, command = read("precision"), "python benchmarks/precision/run.py"
    what = "training in bfloat16 beside float32, as many pictures: FD-clf64 in the end"
    if not result:
        return [Figure(what, UNKNOWN, "equal quality", None, command)]
    half, full = result["bfloat16"], result["float32"]
    faster = half["images_a_core_second"]["median"] / full["images_a_core_second"]["median"]
    value = (f"bfloat16 {with_spread(half['fd']['values'])}, float32 {with_spread(full['fd']['values'])}, training "
             f"seeds; {result['images']:,} pictures each, {faster:.2f} × as fast")  # fmt: skip
    return [Figure(what, value, "within the seeds' spread", half["fd"]["min"] <= full["fd"]["max"], command)]


def growth() -> list[Figure]:
    result, command = read("growth"), "python benchmarks/growth/run.py"
    what = "growth of a training step's time with the pixels of a picture (28, 64, 128 a side)"
    streamed = "pictures in tars, opened for the first time and again"
    if not result:
        return [Figure(what, UNKNOWN, command=command), Figure(streamed, UNKNOWN, command=command)]
    powers = result["exponents"]
    sides = ", ".join(f"{name} to the {powers[f'{name} by pixels']:.2f}" for name in ("transformer", "unet"))
    most = max(result["data"], key=lambda row: row["of"])
    value = (f"{most['of']:,}: {most['first_seconds']:.0f} s and {most['again_seconds']:.2f} s of computing, "
             f"{most['peak_mib']:,.0f} MiB at most; from 1,000 on to the {powers['first_seconds']:.2f} and "
             f"{powers['again_seconds']:.2f} of their number")  # fmt: skip
    return [Figure(what, f"{sides} (plot: `benchmarks/results/growth.svg`)", command=command),
            Figure(streamed, value, command=command)]  # fmt: skip


def comparison() -> list[Figure]:
    result, command = read("compare"), "python benchmarks/compare/run.py"
    what = "one `lienzo compare` of four families with budgets of five minutes, from the command to the report"
    if not result:
        return [Figure(what, UNKNOWN, "≤ 35 min", None, command)]
    cores = f" on {result['threads']} core" if result["threads"] == 1 else ""
    return [Figure(what, f"{result['minutes']:.1f} min{cores}", f"≤ {result['goal_minutes']:g} min",
                   result["minutes"] <= result["goal_minutes"], command)]  # fmt: skip


def evaluate_memory() -> list[Figure]:
    result = read("evaluate_memory")
    what, goal = "memory of `lienzo evaluate` on 50,000 drawn pictures of 28 × 28", "≤ 2,048 MiB"
    command = "python benchmarks/evaluate_memory/run.py"
    if not result:
        return [Figure(what, UNKNOWN, goal, None, command)]
    value = f"{result['peak_mib']:,.0f} MiB at most, {result['seconds'] / 60:.0f} minutes with a stand-in as the model"
    return [Figure(what, value, goal, result["peak_mib"] <= result["goal_mib"], command)]


def loading() -> list[Figure]:
    scenes, loader, figures = read("scenes_speed"), read("loader"), list[Figure]()
    if scenes:
        alone, maps = scenes["pictures_a_second"], scenes["with_maps_a_second"]["median"]
        value = f"{alone['median']:.0f} ({alone['min']:.0f} to {alone['max']:.0f}); with four maps each {maps:.0f}"
        figures.append(Figure("scenes drawn a second of one core", value, "> 300",
                              alone["min"] > 300, "python benchmarks/scenes/speed.py"))  # fmt: skip
    if loader:
        opened, rows = loader["emoji"]["seconds_to_open"], loader["rows_a_second"]["opaque, unconditional"]
        value = f"{opened:.2f} s; {rows['wall, median']:,} rows/s of 28 × 28, decoded once"
        figures.append(Figure("the emoji open; rows that the loader makes of a memory map", value, "< 1 s", opened < 1,
                              "python benchmarks/loader/run.py"))  # fmt: skip
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the README says something else")
    args = parser.parse_args()
    figures = [*text_to_picture(), *words(), *speed(), *fashion(), *cached(), *peak(), *resumed(), *damaged(),
               *loading(), *precision(), *growth(), *agreement(), *evaluate_memory(), *comparison()]  # fmt: skip
    made = text = README.read_text(encoding="utf-8")
    for name, rows in zip(TABLES, (table(figures), scenes(), families(), asked(), few()), strict=True):
        begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        if begin not in made or end not in made:
            print(f"{README.name} has no {begin} … {end} to write between", file=sys.stderr)
            return 1
        head, tail = made.partition(begin)[0], made.partition(end)[2]
        made = f"{head}{begin}\n{rows}\n{end}{tail}"
    if args.check:
        return int(made != text)
    README.write_text(made, encoding="utf-8")
    print(table(figures))
    return 0


if __name__ == "__main__":
    sys.exit(main())
