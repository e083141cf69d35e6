"""Side by side: what is trained, measured and said; and that nothing is done twice."""

import json
import math
import os
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from lienzo.api.compare import compare, work
from lienzo.api.compare.drawing import conditions
from lienzo.api.compare.entrants import Entrant, entrants
from lienzo.api.compare.figures import entrant_of, figures_of, interval, quality_of
from lienzo.api.compare.looking import common_view
from lienzo.api.compare.nearest import Nearest, in_pixels
from lienzo.api.compare.plots import Line, Mark, Plot, apart, axis
from lienzo.api.compare.process import Ear, WorkError
from lienzo.api.compare.process import apart as in_a_process
from lienzo.api.compare.resources import Calls, Others, peak_memory
from lienzo.api.compare.rows import groups
from lienzo.api.compare.words import words
from lienzo.api.view import View
from lienzo.cli import main
from lienzo.core import ConfigurationError, DataError, Family
from lienzo.data import open_source
from lienzo.data.dataset import Column
from lienzo.evaluation.bits import SCORED
from lienzo.evaluation.two_sample import wilson

TRAINING = {"images": 96, "batch_size": 16, "precision": "float32", "threads": 1}
FAMILIES = ["vae", "density", "latent"]
SAID = {"count": 16, "seeds": 1, "scored": 2, "training": TRAINING, "data": {"size": 8}}


@pytest.fixture(scope="module")
def animals(noise_animals):
    """Cats and dogs, 8 × 8: dark and bright noise."""
    return noise_animals(train=24, test=18)


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path_factory.getbasetemp() / "compare-cache"))


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Jobs in this process, which spares the start of a dozen, and few repeats; returns what was done."""
    done = []

    def run(job, log, ear):
        done.append((job["do"], job.get("family") or job.get("model")))

        def send(line):
            ear.share(line["share"]) if "share" in line else ear.tell(line["tell"])

        return json.loads(json.dumps(work.do(job, work.Voice(send))))

    said = {"run.apart": run, "drawing.TIMED": 8, "drawing.LEAST": 2, "drawing.MOST": 2, "training.SHARES": (0.5,)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIENZO_CACHE", str(tmp_path_factory.getbasetemp() / "compare-cache"))
        for name, value in said.items():
            patch.setattr(f"lienzo.api.compare.{name}", value)
        yield done


@pytest.fixture(scope="module")
def compared(animals, here, tmp_path_factory):
    """A comparison of two families and of one that fails: its folder, its report, the shares of the whole it told."""
    out, shares = tmp_path_factory.mktemp("compared"), []
    report = compare(animals, families=FAMILIES, out=out, progress=lambda what, share: shares.append(share), **SAID)
    return out, report, shares


class Reader(HTMLParser):
    """Checks that tags are closed in turn, and collects what stands where."""

    VOID = ("meta", "img", "br", "link")

    def __init__(self, text):
        super().__init__()
        self.open, self.images, self.drawings, self.addresses = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "action", "data")]
        if tag == "img":
            self.images.append(found)
        if tag == "svg":
            self.drawings.append(found)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_it_trains_measures_and_writes_one_page(compared):
    out, report, shares = compared
    assert json.loads((out / "report.json").read_text("utf-8")) == json.loads(json.dumps(report))
    assert shares == sorted(shares)
    assert shares[-1] == 1

    vae, density, failed = (report["entrants"][name] for name in ("vae", "density", "latent"))
    assert (vae["status"], density["status"], failed["status"]) == ("measured", "measured", "failed")
    assert failed["error"]["stage"] == "train"
    assert vae["training"]["images"] >= 96
    assert vae["sampling"]["calls"] == 1
    assert vae["sampling"]["dtype"] == "float32"
    assert "dtype=bfloat16" not in (out / "report.html").read_text("utf-8")
    assert density["sampling"]["calls"] == 0  # it has no network
    assert vae["sampling"]["least"] <= vae["sampling"]["seconds"] <= vae["sampling"]["most"]
    assert vae["training"]["memory"] > 50 * 2**20
    assert vae["energy"]["training"] == pytest.approx(65 * vae["training"]["seconds"] / 3600)
    assert vae["likelihood"]["kind"] == "bound"
    assert vae["standard"] == density["standard"]
    assert {one["share"] for one in vae["curve"]} == {0.5, 1.0}
    for space in ("pixels", "features"):
        near = vae["nearest"][space]
        assert len(near["distances"]) == len(report["data"]["said"]) == 2
        assert all(distance > 0 for distance in near["distances"])
        assert near["typical"] > 0
    about = {one["about"]: one for one in report["words"]}
    assert about["failed"]["names"] == ["latent"]

    text = (out / "report.html").read_text("utf-8")
    page = Reader(text)
    assert len(page.images) == 1 + 2 + 2 * 3  # real, samples, and each with its nearest in two spaces
    assert all(image["src"].startswith("data:image/webp;base64,") and image["alt"] for image in page.images)
    assert all(address.startswith("data:") for address in page.addresses)
    assert all(one.get("aria-label") or one.get("aria-hidden") for one in page.drawings)
    assert not re.search(r"https?://|<script|@import|url\(", text)
    for word in ("cat", "dog", "latent", "energy", "network calls", "prefers-color-scheme", "width=device-width"):
        assert word in text
    assert "$" not in text


def test_what_is_finished_is_not_done_again(animals, compared, here):
    out, report, _ = compared
    here.clear()
    assert compare(animals, families=FAMILIES, out=out, **SAID) == report
    assert here == [("train", "latent")]  # what failed is tried again
    assert compare(animals, families=["density"], out=out, **SAID)["entrants"].keys() == {"density"}
    assert [job for job, _ in here[1:]] == ["nearest"]  # others are asked for
    with pytest.raises(ConfigurationError, match="whose budget is None, not 60"):
        compare(animals, families=["density"], budget="1m", out=out, **SAID)


def test_who_learnt_in_16_bits_draws_in_16_bits(animals, here, tmp_path):
    said = {**SAID, "training": {**TRAINING, "precision": "bfloat16"}}
    report = compare(animals, families=["vae"], out=tmp_path, **said)
    assert report["entrants"]["vae"]["sampling"]["dtype"] == "bfloat16"
    evaluation = json.loads((tmp_path / "measured" / "vae" / "measure.json").read_text("utf-8"))["result"]["evaluation"]
    assert evaluation["model"]["dtype"] == "bfloat16"
    assert "RUN,dtype=bfloat16" in (tmp_path / "report.html").read_text("utf-8")


def test_a_mistake_is_found_before_anything_is_trained(animals, tmp_path, here):
    here.clear()
    few = tmp_path / "few"
    few.mkdir()
    for number, pixels in enumerate(np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)):
        Image.fromarray(pixels).save(few / f"{number}.png")
    with pytest.raises(DataError, match=r"few has \d+ held-out pictures"):
        compare(few, families=["vae"], out=tmp_path, **SAID)
    with pytest.raises(DataError, match="no source"):
        compare(tmp_path / "nowhere", families=["vae"], out=tmp_path, **SAID)
    for said, words_ in (
        ({}, "who shall be compared"),
        ({"families": ["vae"], "features": "clf46"}, "no feature extractor 'clf46'"),
        ({"families": ["vea"]}, "unknown family 'vea'"),
        ({"families": ["vae", "vae"]}, "two entrants are called 'vae'"),
        ({"families": ["vae"], "training": {}}, "how long may each training take"),
        ({"families": ["vae"], "count": 3}, "3 pictures"),
        ({"families": ["vae"], "features": "clf64"}, "clf64 knows grey pictures of 28 × 28, not 8 × 8 × 3"),
        ({"families": ["vae"], "judge": "clip"}, "no judge of words 'clip'"),
        ({"families": ["lost.toml"]}, "no recipe 'lost.toml'"),
    ):
        with pytest.raises(ConfigurationError, match=words_):
            compare(animals, out=tmp_path, **{**SAID, **said})
    assert here == []


def test_all_look_as_they_learnt_to(tmp_path):
    def taker(name, text):
        (tmp_path / f"{name}.toml").write_text(text)
        return Entrant(name, "family", str(tmp_path / f"{name}.toml"), "", tmp_path)

    padded = [taker(name, "[data]\npolicy = 'pad'\nwhere = {label = 'cat'}") for name in ("a", "b")]
    assert common_view(padded, "s", {}).plain() == {"policy": "pad", "where": {"label": ["cat"]}}
    plain = Entrant("vae", "family", "vae", "", tmp_path)
    with pytest.raises(ConfigurationError, match="a and vae see the pictures in two ways: policy 'pad' and 'crop'"):
        common_view([*padded, plain], "s", {})
    assert common_view([*padded, plain], "s", {"policy": "crop", "where": {}}) == View()


def test_what_was_found_before_a_stop_is_in_the_report(animals, tmp_path, here, monkeypatch):
    from lienzo.api.compare.run import Comparison

    def stop(self, taker, found):
        raise KeyboardInterrupt

    monkeypatch.setattr(Comparison, "_measured", stop)
    with pytest.raises(KeyboardInterrupt):
        compare(animals, families=["density"], out=tmp_path, **SAID)
    one = json.loads((tmp_path / "report.json").read_text("utf-8"))["entrants"]["density"]
    assert one["status"] == "waiting"
    assert one["sampling"]["seconds"] > 0


def test_the_command_line_goes_on_and_says_the_words(animals, compared, here, monkeypatch, capsys):
    here.clear()
    said = "--families vae,density,latent --count 16 --seeds 1 --scored 2 --threads 1 --size 8"
    settings = [f"--set=training.{n}={TRAINING[n]}" for n in ("images", "batch_size", "precision")]
    monkeypatch.setattr(
        sys, "argv", ["lienzo", "compare", str(animals), *said.split(), *settings, "--out", str(compared[0])]
    )
    with pytest.raises(SystemExit) as end:
        main()
    shown = capsys.readouterr().out
    assert end.value.code == 1  # since one failed
    assert {job for job, _ in here} <= {"train", "nearest"}
    assert "To draw fast choose" in shown or "In drawing speed there is no difference" in shown  # as the machine was
    assert "latent failed while it was trained" in shown
    assert f"the report: {compared[0] / 'report.html'}" in shown


# A process of its own


def script(body):
    head = "import json, os, signal, sys\njob = json.loads(sys.stdin.readline())\n"
    return [sys.executable, "-u", "-c", head + body]


def heard():
    told = []
    return told, Ear(told.append, told.append)


def test_a_job_tells_and_returns(tmp_path):
    told, ear = heard()
    body = "print(json.dumps({'tell': job['word']})); print(json.dumps({'share': 0.5}))\n"
    body += "print(json.dumps({'done': {'pid': os.getpid()}}))"
    result = in_a_process({"word": "hola"}, tmp_path / "log.txt", ear, script(body))
    assert told == ["hola", 0.5]
    assert result["pid"] > 0


@pytest.mark.parametrize(
    ("body", "words_"),
    [
        ("print(json.dumps({'failed': ['too dark', 'light']}))", "too dark\n  try: light"),
        ("sys.exit('no more memory')", "its process ended with code 1: no more memory"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "was killed by signal 9"),
    ],
)
def test_a_job_that_fails_says_how(tmp_path, body, words_):
    with pytest.raises(WorkError, match=words_):
        in_a_process({}, tmp_path / "log.txt", heard()[1], script(body))


def test_an_interrupted_job_may_save_before_it_ends(tmp_path):
    body = "print(json.dumps({'tell': 'begun'}))\nsys.stdin.read()\nopen(job['file'], 'w').write('saved')"

    def tell(sentence):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        in_a_process({"file": str(tmp_path / "f")}, tmp_path / "log.txt", Ear(tell, print), script(body))
    assert (tmp_path / "f").read_text() == "saved"


def test_training_that_is_left_alone_saves_and_goes_on(animals, tmp_path):
    """The whole chain, in true processes: a kill in the middle costs nothing that was saved."""
    run, measured = tmp_path / "run", tmp_path / "measured"
    long = {**TRAINING, "images": 10**7, "checkpoint_every": 1e6}
    job = {"do": "train", "source": str(animals), "family": "density", "recipe": None, "run": str(run), "budget": None,
           "overrides": {"training": long, "data": {"size": 8}}, "measured": str(measured)}  # fmt: skip
    measured.mkdir()
    process = subprocess.Popen([sys.executable, "-m", "lienzo.api.compare"], text=True, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)  # fmt: skip
    process.stdin.write(json.dumps({**job, "began": time.time()}) + "\n")
    process.stdin.flush()
    end = time.monotonic() + 60
    while not (measured / "training.json").is_file() and time.monotonic() < end:
        time.sleep(0.1)
    process.stdin.close()
    lines = [json.loads(line) for line in process.stdout]
    assert process.wait(60) == 0
    assert lines[-1]["done"]["finished"] is False
    first = json.loads((measured / "training.json").read_text("utf-8"))
    assert (run / "latest").is_file()
    assert first["images"] > 0
    assert 60 * 2**20 < first["memory"] < 8 * 2**30
    overrides = {"training": {**long, "images": first["images"]}, "data": {"size": 8}}
    again = work.do({**job, "overrides": overrides, "began": time.time()}, work.Voice(lambda line: None))
    assert again["finished"]
    assert again["images"] == first["images"]
    assert again["seconds"] > first["seconds"]


# What is counted


class Twice(Family):
    """Calls a small network once and a larger one three times a picture."""

    def __init__(self):
        super().__init__()
        self.small, self.large, self.unused = nn.Linear(2, 2), nn.Linear(2, 50), nn.Linear(50, 500)

    def loss(self, batch, player="model"):
        raise NotImplementedError

    def sampling(self, conditions, *, streams, **options):
        raise NotImplementedError


def test_calls_are_those_of_most_weights():
    family = Twice()
    with Calls(family) as calls:
        for _ in range(2):  # two chunks of four
            family.small(torch.zeros(4, 2))
            for _ in range(3):
                family.large(torch.zeros(4, 2))
    assert calls.of(8) == 3
    family.large(torch.zeros(4, 2))  # after the block nothing is counted
    assert calls.of(8) == 3
    with Calls(family) as none:
        pass
    assert none.of(8) == 0


def test_others_are_seen_and_not_oneself():
    began, own = time.perf_counter(), time.process_time()
    with Others() as alone:
        while time.perf_counter() < began + 0.5:
            pass
    share = (time.process_time() - own) / (time.perf_counter() - began)
    busy = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        with Others() as beside:
            time.sleep(0.6)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    if alone.cores is None or beside.cores is None:
        pytest.skip("this system does not tell")
    assert beside.cores > 0.4
    assert alone.cores < (os.cpu_count() or 1) - share + 0.3  # what this process had is not counted


def test_the_peak_grows_with_what_is_held():
    before = peak_memory()
    held = np.ones(64 * 2**20 // 8 + before // 64)
    assert peak_memory() >= before
    assert peak_memory() >= held.nbytes


def test_everybody_hears_one_picture_of_each_class(animals):
    held = open_source(animals, size=8, split="validation+test")
    rows, said = conditions(held)
    assert said == ["cat", "dog"]
    assert held.values("label", rows) == said
    rows, said = conditions(open_source("emoji", size=16, split="validation"))
    assert len(set(said)) == len(rows) == 10


class Unsaid:
    """Pictures with captions and labels, of which nobody has said anything, or only a label."""

    def __init__(self, *labels):
        self.labels = labels
        self.columns = {"text": Column("text"), "label": Column("label", ("cat", "dog"))}

    def __len__(self):
        return 20

    def values(self, name, rows):
        return [self.labels[row % 2] if name == "label" and self.labels else None for row in rows]


def test_of_whom_nothing_is_said_there_are_pictures_all_the_same():
    rows, said = conditions(Unsaid())
    assert len(set(rows.tolist())) == len(said) == 10
    assert not any(said)
    rows, said = conditions(Unsaid("cat", "dog"))
    assert said == ["cat", "dog"]
    assert (rows % 2).tolist() == [0, 1]


def test_models_of_one_folder_name_are_told_apart(tmp_path):
    for name in ("a/vae", "b/vae"):
        (tmp_path / name).mkdir(parents=True)
    first, second = entrants([], [str(tmp_path / "a/vae"), str(tmp_path / "b/vae")], tmp_path)
    assert first.name == "vae"
    assert second.name.endswith("-b-vae")
    assert first.measured != second.measured


def test_the_nearest_of_all_parts_is_found():
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (50, 4, 4, 3), np.uint8)
    asked = pictures[[33, 7]].copy()
    asked[1, 0, 0, 0] = np.uint8(asked[1, 0, 0, 0]) ^ 48
    seen = Nearest(in_pixels(asked))
    for start in range(0, 50, 20):
        part = np.arange(start, min(start + 20, 50))
        seen.look(in_pixels(pictures[part]), part)
    assert seen.where.tolist() == [33, 7]
    change = abs(int(asked[1, 0, 0, 0]) - int(pictures[7, 0, 0, 0]))
    assert seen.distance.tolist() == pytest.approx([0, change / 48**0.5], abs=1e-5)


def test_an_interval_is_students():
    from scipy import stats

    for count in (2, 3, 7, 10, 15, 40):
        values = np.random.default_rng(count).normal(5, 2, count).tolist()
        low, high = interval(values)
        half = stats.t.ppf(0.975, count - 1) * np.std(values, ddof=1) / count**0.5
        assert (low, high) == pytest.approx((np.mean(values) - half, np.mean(values) + half), rel=0.01)
    assert interval([1.0]) is None
    assert interval([0.0, 1.0], 0.0, 1.0) == (0.0, 1.0)
    low, high = interval([0.5, 0.5], 0.0, 1.0, pictures=50)  # two seeds that agree by chance
    assert (low, high) == pytest.approx(wilson(0.5, 100))
    assert interval([1.0, 1.0], 0.0, 1.0, pictures=50)[0] == pytest.approx(0.963, abs=1e-3)  # not: beyond doubt


def found_by(extractor="x", seeds=2, **values):
    """An evaluation that found these figures, the same by each seed."""
    figures = {
        name: {"mean": value, "values": [value] * seeds, "pictures": 50, "floor": {"mean": 0.5}}
        for name, value in values.items()
    }  # fmt: skip
    return {"figures": figures, "features": {"name": extractor, "sha256": "0"}}


def test_a_figure_is_found_under_the_name_that_it_was_measured_by():
    told = found_by("inception", FID=9.0, **{"KID-inception": 0.1, "recall-inception": 1.0})
    assert figures_of(told)["FD"]["mean"] == 9
    assert quality_of([told]) == {"figure": "FD", "name": "FID", "better": "lower"}
    assert figures_of(told)["recall"]["low"] == pytest.approx(wilson(1.0, 100)[0])  # of as many as were compared


def test_what_was_found_of_maps_is_told():
    told = figures_of(found_by(**{"edge-F-outline": 0.7, "depth-rank-depth": -0.2, "kept-before": 12.0}))
    assert told["obeyed"]["name"] == "edge-F-outline"
    assert "edge-F-outline" not in told
    assert (told["depth-rank-depth"]["low"], told["kept-before"]["mean"]) == (-0.2, 12)


def test_pictures_of_another_size_are_held_against_other_ones(tmp_path):
    found = found_by(recall=0.5) | {
        "data": {"fingerprint": "f", "split": "test", "reference": 50}, "settings": {"count": 50}, "likelihood": None,
        "refused": {}, "seeds": {},
    }  # fmt: skip
    found["features"]["dimension"] = 3
    taker = Entrant("a", "model", "a", "a", tmp_path)
    standards = [
        entrant_of(taker, {"draw": {"shape": shape}, "measure": {"evaluation": found}}, 65.0, None)["standard"]
        for shape in ([3, 16, 16], [3, 32, 32], [3, 16, 16])
    ]
    assert standards[0] == standards[2] != standards[1]


def test_a_figure_of_another_kind_bears_its_name_with_one_seed_too():
    one, other, third = (entrant(10.0, obeyed=0.5) for _ in range(3))
    other["figures"]["obeyed"]["name"] = "retrieval-top1"
    for each in (one, other, third):
        each["figures"]["obeyed"] |= {"low": None, "high": None}
    ours = {"one": one, "other": other, "third": third}
    report = {"entrants": ours, "quality": {"figure": "FD", "name": "FD-x", "better": "lower"}}
    row = next(row for row in groups(report)["What it draws"] if row.title == "condition accuracy")
    assert [row.cell(name, each).small for name, each in ours.items()] == ["", "retrieval-top1", ""]


def test_all_tests_together_tell_whether_pictures_pass():
    one = found_by(seeds=3, **{"two-sample-x": 0.6})
    one["figures"]["two-sample-x"]["values"] = [0.53, 0.57, 0.7]
    told = figures_of(one)["two-sample"]
    assert told["low"] < 0.5 < told["pooled"][0]


# Words


def entrant(look=None, *, spread=1.0, status="measured", speed=0.01, size=10**6, bits=None, standard="a", **more):
    """Return an entrant with figures around the given values."""
    values = {"FD": look, "recall": None, "obeyed": None, "two-sample": None, "copied": None, **more}
    figures = {
        name: {"name": f"{name}-x", "mean": value, "low": value - spread, "high": value + spread, "floor": 0.3}
        for name, value in values.items() if value is not None
    }  # fmt: skip
    if "two-sample" in figures:
        figures["two-sample"]["pooled"] = [values["two-sample"] - spread, values["two-sample"] + spread]
    sampling = {"seconds": speed, "least": 0.9 * speed, "most": 1.1 * speed, "calls": 1, "others": 0.0, "cores": 2}
    return {"kind": "family", "status": status, "error": None, "figures": figures, "parameters": size,
            "sampling": sampling, "likelihood": bits, "standard": standard, "curve": [], "worst": [], "training": None,
            "energy": {"training": None, "thousand": None}}  # fmt: skip


def said_of(**entrants):
    report = {"entrants": entrants, "quality": {"figure": "FD", "name": "FD-x", "better": "lower"}}
    found = {}
    for one in words(report):
        found.setdefault(one["about"], []).append(one)
    return found


def test_the_best_is_named_and_a_tie_is_called_one():
    told = said_of(a=entrant(10.0), b=entrant(20.0))["look"][0]
    assert told["names"] == ["a"]
    assert told["text"] == "For the look of the pictures choose `a`."
    assert told["basis"] == "FD-x: `a` 10.0 (9.00 to 11.0), `b` 20.0 (19.0 to 21.0); as many real pictures 0.300."
    told = said_of(a=entrant(10.0), b=entrant(11.5), c=entrant(20.0))["look"][0]
    assert told["names"] == ["a", "b"]
    assert told["text"] == (
        "For the look of the pictures there is no difference to see between `a` and `b`, ahead of the rest."
    )
    assert "no difference to see" in said_of(a=entrant(10.0), b=entrant(10.5))["look"][0]["text"]
    more = said_of(a=entrant(10.0, recall=0.2, spread=0.01), b=entrant(20.0, recall=0.5, spread=0.01))
    assert more["variety"][0]["names"] == ["b"]  # of recall, more is better


def test_who_began_from_another_model_is_named():
    told = said_of(a=entrant(10.0, speed=0.1) | {"start": "emoji-64"}, b=entrant(20.0) | {"start": ""})["begun"]
    assert [one["names"] for one in told] == [["a"]]
    assert told[0]["text"].startswith("`a` began from the weights of `emoji-64`.")


def test_one_seed_ranks_nothing():
    one, other = entrant(10.0), entrant(90.0)
    for each in (one, other):
        each["figures"]["FD"] |= {"low": None, "high": None}
    told = said_of(a=one, b=other)
    assert "look" not in told
    assert "no reason" not in told
    assert "One sampling seed tells no spread" in told["unranked"][0]["text"]


def bits(mean, kind, scored="density"):
    return {"mean": mean, "error": 0.01, "kind": kind, "dequantization": SCORED[scored][0]}


def test_a_bound_is_never_ranked_against_an_exact_value_in_silence():
    told = said_of(a=entrant(bits=bits(3.0, "exact")), b=entrant(bits=bits(3.5, "bound")))["likelihood"]
    assert [one["names"] for one in told] == [["a"], ["b"]]
    assert "`a`, whose value alone is exact" in told[0]["text"]
    assert "is not ranked with exact values" in told[1]["text"]
    told = said_of(a=entrant(bits=bits(3.0, "exact")), b=entrant(bits=bits(2.5, "bound")))["likelihood"]
    assert told[0]["text"] == "`a` has the lowest exact value."
    assert told[1]["text"].endswith("choose `b`: a bound, better than every exact value here.")  # its truth is no more
    told = said_of(a=entrant(bits=bits(3.0, "bound")), b=entrant(bits=bits(2.5, "bound")))["likelihood"]
    assert told[0]["names"] == ["b"]
    assert "The truth may lie lower, by another amount for each" in told[0]["basis"]
    told = said_of(a=entrant(bits=bits(3.0, "exact")), b=entrant(bits=bits(3.02, "exact")))["likelihood"]
    assert "no difference to see" in told[0]["text"]
    told = said_of(a=entrant(bits=bits(3.0, "exact")), b=entrant(bits=bits(2.0, "estimate")))["likelihood"]
    assert "an estimate with an error of its own" in told[1]["text"]
    told = said_of(a=entrant(bits=bits(3.0, "exact")), b=entrant(bits=bits(3.5, "exact", "8-bit")))["likelihood"]
    assert told[0]["basis"].endswith("of a density the bits of 8-bit pictures are no more, and may be fewer.")
    one = {**bits(3.0, "exact"), "error": None}  # of one picture
    assert "likelihood" not in said_of(a=entrant(bits=one), b=entrant())
    told = said_of(a=entrant(bits=bits(3.0, "exact")), b=entrant(bits=bits(0.2, "exact", "binarized")))["likelihood"]
    assert [one["names"] for one in told] == [["a"], ["b"]]
    assert "scores something else than 8-bit pictures" in told[1]["text"]
    assert "likelihood" not in said_of(a=entrant(1.0), b=entrant(9.0))


def test_speed_is_told_with_its_price():
    told = said_of(a=entrant(10.0, speed=1.0), b=entrant(30.0, speed=0.01))["speed"][0]
    assert told["text"] == "To draw fast choose `b`; `a`, which looks best, takes 100 times as long."
    told = said_of(a=entrant(10.0, speed=1.0), b=entrant(30.0, speed=1.1))["speed"][0]
    assert "no difference to see" in told["text"]


def test_a_time_taken_beside_others_is_told_of():
    calm, disturbed = entrant(10.0), entrant(30.0)
    assert "busy" not in said_of(a=calm, b=disturbed)
    disturbed["sampling"]["others"] = 1.5
    told = said_of(a=calm, b=disturbed)["busy"][0]
    assert told["names"] == ["b"]
    assert told["basis"] == "They had 1.5 of 2 cores at `b`."
    disturbed["sampling"]["threads"] = 1
    assert said_of(a=calm, b=disturbed)["busy"][0]["names"] == ["b"]
    disturbed["sampling"]["others"] = 1.2  # one core was left for them
    assert "busy" not in said_of(a=calm, b=disturbed)
    disturbed["sampling"]["others"] = None  # the system does not tell
    assert "busy" not in said_of(a=calm, b=disturbed)


def test_warnings_have_their_thresholds():
    told = said_of(a=entrant(10.0, spread=0.01, copied=0.9), b=entrant(11.0, spread=0.01, copied=0.31))
    assert [one["names"] for one in told["copied"]] == [["a"]]  # twice the floor of .3 is passed by one alone
    tested = {share: entrant(10.0, spread=0.05, **{"two-sample": share}) for share in (0.52, 0.9, 0.97)}
    told = said_of(a=tested[0.9], b=tested[0.97])
    assert told["real"][0]["text"].endswith("in 90% to 97% of cases, where chance is 50%.")
    told = said_of(a=tested[0.52], b=tested[0.97])
    assert told["real"][0]["names"] == ["a"]
    few = entrant(10.0, **{"two-sample": 0.6})
    few["figures"]["two-sample"]["pooled"] = [0.4, 0.8]
    told = said_of(a=few, b=tested[0.97])["real"][0]
    assert told["names"] == []
    assert told["text"].startswith("Whether a small classifier tells the pictures of `a` from real ones is not known")
    tested[0.9]["figures"]["two-sample"] |= {"low": 0.4, "high": 1.0}  # a few seeds that differ
    assert said_of(a=tested[0.9], b=tested[0.97])["real"][0]["names"] == []
    slow = entrant(10.0)
    slow["curve"] = [{"share": 0.5, "seconds": 5, "value": 15.0}, {"share": 1.0, "seconds": 10, "value": 10.0}]
    told = said_of(a=slow, b=entrant(12.5))
    assert told["time"][0]["names"] == ["a"]
    slow["curve"][0]["value"] = 10.9  # within the interval of the end
    assert "time" not in said_of(a=slow, b=entrant(12.5))


def test_who_is_behind_everywhere_failed_or_stands_apart_is_named():
    behind = entrant(50.0, speed=1.0, size=10**8)
    told = said_of(a=entrant(10.0, size=10**5), b=entrant(20.0, speed=0.001), c=behind)
    assert told["no reason"][0]["names"] == ["c"]
    precise = entrant(50.0, speed=1.0, size=10**8, precision=90.0)
    told = said_of(a=entrant(10.0, size=10**5, precision=30.0), b=entrant(20.0, speed=0.001), c=precise)
    assert "no reason" not in told  # one row of the table has it in bold
    failed = entrant(None, status="failed", standard=None) | {
        "error": {"stage": "train", "what": "no memory.", "hint": "less"}
    }
    told = said_of(a=entrant(10.0), b=entrant(20.0), c=entrant(1.0, standard="b"), d=failed,
                   e=entrant(None, status="waiting", standard=None))  # fmt: skip
    assert told["look"][0]["names"] == ["a"]  # c's 1.0 is on other features
    assert told["apart"][0]["names"] == ["c"]
    assert told["failed"][0]["text"] == "`d` failed while it was trained: no memory."
    assert told["failed"][0]["basis"] == "To try: less."
    assert told["waiting"][0]["names"] == ["e"]
    assert "look" not in said_of(a=entrant(10.0), d=failed)  # there is nothing to compare


# Plots


def test_an_axis_puts_values_where_they_belong():
    place, ticks = axis([2.0, 9.0], 0, 100)
    assert [place(tick) for tick in ticks] == pytest.approx(np.linspace(0, 100, len(ticks)))
    assert ticks[0] <= 2.0
    assert ticks[-1] >= 9.0
    place, ticks = axis([0.001, 10.0], 0, 100)
    assert place(0.1) == pytest.approx((place(0.001) + place(10.0)) / 2)  # logarithmic
    assert all(math.log10(tick) == pytest.approx(round(math.log10(tick))) for tick in ticks)
    place, ticks = axis([5.0, 5.0], 0, 100)
    assert 0 <= place(5.0) <= 100
    place, ticks = axis([-0.01, 0.02], 0, 100)  # a kernel distance may be negative
    assert ticks[0] <= -0.01


def test_names_do_not_lie_on_one_another():
    found = apart({"a": 50.0, "b": 51.0, "c": 52.0, "d": 120.0}, [118.0], 0, 200)
    heights = sorted([*found.values(), 118.0])
    assert min(b - a for a, b in pairwise(heights)) >= 14.9
    assert list(found) == ["a", "b", "c", "d"]


def test_a_plot_says_what_it_shows():
    lines = [Line("v<ae", 0, [Mark(1, 9), Mark(4, 5, 4, 6)]), Line("gan", 1, [Mark(2, 3, 2.5, 3.5)])]
    drawing = Plot("FD against time", "vae 5; gan 3", "time", "FD", lines, (1.0, "real")).svg()
    reader = Reader(drawing)
    assert reader.drawings[0]["aria-label"] == "FD against time. vae 5; gan 3"
    assert drawing.count('class="mark"') == 3
    assert drawing.count('class="bar"') == 2
    assert "v&lt;ae" in drawing
    y = {value: float(at) for at, value in re.findall(r'y="([\d.]+)" text-anchor="end">([\d.]+)<', drawing)}
    assert sorted(y, key=float) == sorted(y, key=lambda value: -y[value])  # more is higher
