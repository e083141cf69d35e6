"""How near unseen words land to the captions that they mean: `python benchmarks/words/run.py [--dev]`.

Every word of `pairs.csv` occurs in no caption and in no tag, of any split and in neither language. It is found at k
when one of its accepted captions is among its k nearest of all captions in its own language. Results go to
`benchmarks/results/words.json`.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet as pq

from lienzo.conditions.words import WordTable

HERE = Path(__file__).parent
ASSETS = HERE.parents[1] / "src" / "lienzo" / "assets"
AT = (1, 5, 10)


def read_captions() -> dict[str, tuple[str, str]]:
    """English caption → both captions, of every split of the embedded set."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((ASSETS / "emoji").glob("*.parquet")):
        for row in pq.read_table(path, columns=["caption_en", "caption_es"]).to_pylist():
            found[row["caption_en"]] = (row["caption_en"], row["caption_es"])
    return found


def seen_words(table: WordTable) -> set[str]:
    """All words of captions and tags of both languages."""
    words: set[str] = set()
    for path in sorted((ASSETS / "emoji").glob("*.parquet")):
        for row in pq.read_table(path, columns=["caption_en", "caption_es", "tags_en", "tags_es"]).to_pylist():
            for text in (row["caption_en"], row["caption_es"], *(row["tags_en"] or []), *(row["tags_es"] or [])):
                words.update(table.split(text))
    return words


def measure(table: WordTable, halves: tuple[str, ...]) -> list[dict[str, object]]:
    """The rank of the first accepted caption for every pair of the given halves."""
    pairs = [row for row in csv.DictReader((HERE / "pairs.csv").open(encoding="utf-8")) if row["half"] in halves]
    both = list(read_captions().values())
    found: list[dict[str, object]] = []
    for place, language in enumerate(("en", "es")):
        captions = sorted({pair[place] for pair in both})
        pooled = table.pool(captions)
        for row in (row for row in pairs if row["language"] == language):
            accepted = set(row["captions"].split("|"))
            order = (pooled @ table.pool([row["word"]])[0]).argsort(descending=True, stable=True).tolist()
            rank = next((n for n, i in enumerate(order, 1) if captions[i] in accepted), len(order))
            nearest = [captions[i] for i in order[:4]]
            found.append({**{k: row[k] for k in ("language", "word", "half")}, "rank": rank, "nearest": nearest,
                          "in_table": table.lookup(row["word"]) is not None})  # fmt: skip
    return found


def summarise(found: list[dict[str, object]]) -> dict[str, dict[str, float]]:
    """Shares found at 1, 5 and 10, in percent, by language and half."""
    groups: dict[str, list[dict[str, object]]] = defaultdict(list)
    for one in found:
        for half in (one["half"], "all"):
            groups[f"{one['language']} {half}"].append(one)
    return {
        name: {"n": len(group), **{f"R@{k}": share(group, k) for k in AT}} for name, group in sorted(groups.items())
    }


def share(found: list[dict[str, object]], k: int) -> float:
    """How many are found among the k nearest, in percent."""
    return round(100 * sum(int(str(one["rank"])) <= k for one in found) / len(found), 1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dev", action="store_true", help="only the half that choices may look at; writes nothing")
    given = parser.parse_args()
    table = WordTable.load()
    found = measure(table, ("dev",) if given.dev else ("dev", "held-out"))
    summary = summarise(found)
    for name, row in summary.items():
        print(f"{name:12}", *(f"{key} {value:g}" for key, value in row.items()))
    worst = sorted(found, key=lambda one: -int(str(one["rank"])))[:20]
    for one in worst:
        print(f"  {one['language']} {one['word']} ({one['half']}): rank {one['rank']}, nearest {one['nearest']}")
    if not given.dev:
        seen = seen_words(table)
        leaked = sorted(str(one["word"]) for one in found if one["word"] in seen)
        print("words that captions or tags hold:", leaked or "none")
        path = HERE.parent / "results" / "words.json"
        path.parent.mkdir(exist_ok=True)
        result = {
            "rows": len(table),
            "dimension": table.dimension,
            "seen": leaked,
            "retrieval": summary,
            "worst": worst,
        }
        path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
