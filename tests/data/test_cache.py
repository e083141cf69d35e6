"""Decoded once, under a key of content and policy; whole or not there; safe for two processes at once."""

import json
import os
import shutil
import subprocess
import sys
import time

import pytest

from lienzo.core import DataError
from lienzo.data import built, open_source
from lienzo.data.cache import DONE, cache_root, once


@pytest.fixture
def builds(monkeypatch):
    """What is decoded, as it is."""
    seen = []
    build = built.build
    monkeypatch.setattr(built, "build", lambda source, *a, **k: seen.append(source.name) or build(source, *a, **k))
    return seen


def opened(spec, cache, **options):
    return open_source(spec, cache=cache, progress=False, **{"size": 8, "split": "all"} | options)


def test_a_set_is_decoded_once(make, cache, builds):
    folder = make.folder(["a/a.png", "b/b.png"])
    first, second = opened(folder, cache), opened(folder, cache)
    assert len(builds) == 1
    assert (first.pictures([0, 1]) == second.pictures([0, 1])).all()
    assert first.fingerprint == second.fingerprint
    opened(folder, cache, split="train")
    opened(folder, cache, where={"label": "a"})
    assert len(builds) == 1


@pytest.mark.parametrize("change", [{"size": 9}, {"policy": "pad"}, {"channels": 1}])
def test_another_policy_is_another_key(make, cache, builds, change):
    folder = make.folder(["a.png", "b.png"])
    opened(folder, cache)
    opened(folder, cache, **change)
    assert len(builds) == 2


def test_other_content_is_another_key(make, cache, builds):
    folder = make.folder(["a.png", "b.png"])
    before = opened(folder, cache)
    picture = (folder / "a.png").stat()
    make.picture(7).save(folder / "a.png")
    os.utime(folder / "a.png", ns=(picture.st_atime_ns, picture.st_mtime_ns))  # as if nothing had happened
    after = opened(folder, cache)
    assert len(builds) == 2
    assert before.fingerprint != after.fingerprint
    (folder / "a.txt").write_text("a caption")
    assert opened(folder, cache).values("text", [0]) == [["a caption"]]


def test_a_copy_shares_the_cache_under_its_own_name(make, cache, builds):
    folder = make.folder(["a.png", "b.png"])
    opened(folder, cache)
    shutil.copytree(folder, make.path / "copy")
    assert opened(make.path / "copy", cache).name.endswith("copy")
    assert len(builds) == 1


def test_what_fails_leaves_nothing(cache):
    def fail(part):
        (part / "half").write_text("half")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError):
        once(cache, "key", fail)
    assert [entry.name for entry in cache.iterdir()] == [".key.lock"]
    assert once(cache, "key", lambda part: (part / DONE).write_text("{}")) == cache / "key"


def test_a_killed_build_is_begun_again(cache):
    (cache / ".key-killed").mkdir(parents=True)
    (cache / ".key-killed" / "pictures.u8").write_bytes(b"half")
    built = once(cache, "key", lambda part: (part / DONE).write_text("whole"))
    assert (built / DONE).read_text() == "whole"


SLOW = """
import pathlib, sys, time
from lienzo.data.cache import DONE, once
def build(part):
    time.sleep(0.5)
    (part / DONE).write_text(sys.argv[2])
    print("built", flush=True)
print(once(pathlib.Path(sys.argv[1]), "key", build) / DONE)
"""


def test_two_processes_at_once_build_one(cache):
    given = {"stdout": subprocess.PIPE, "text": True, "env": os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}}
    both = [subprocess.Popen([sys.executable, "-c", SLOW, str(cache), name], **given) for name in ("one", "two")]
    said = "".join(process.communicate(timeout=60)[0] for process in both)
    assert said.count("built") == 1
    assert said.count(DONE) == 2


def test_without_locks_the_first_to_finish_wins(cache, monkeypatch):
    monkeypatch.setitem(sys.modules, "fcntl", None)

    def build(part):
        (part / DONE).write_text("late")
        other = cache / "key"
        other.mkdir()
        (other / DONE).write_text("first")

    assert (once(cache, "key", build) / DONE).read_text() == "first"


def test_a_cache_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=r"cannot write the cache.*\n.*LIENZO_CACHE"):
        once(tmp_path / "file" / "cache", "key", lambda part: None)


def test_the_cache_is_where_it_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("LIENZO_CACHE", str(tmp_path / "told"))
    assert cache_root() == tmp_path / "told"
    assert cache_root(tmp_path / "given") == tmp_path / "given"
    monkeypatch.delenv("LIENZO_CACHE")
    assert cache_root().parts[-1] in ("lienzo", "cache")


def test_opening_again_is_quick(make, cache):
    folder = make.folder([f"{n}.png" for n in range(100)])
    opened(folder, cache)
    start = time.perf_counter()
    opened(folder, cache)
    assert time.perf_counter() - start < 1


def test_the_share_of_bad_files_holds_for_the_cache_too(make, cache):
    folder = make.folder(["a.png", "b.png", "c.png"])
    (folder / "bad.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"1 of 4 files .* zero bytes.*\n.*max_bad_share"):
        opened(folder, cache)
    dataset = opened(folder, cache, max_bad_share=0.25)
    assert len(dataset) == 3
    assert json.loads(dataset.quarantine.read_text()) == {
        "file": "bad.png", "reason": "zero bytes", "detail": "the file is empty"
    }  # fmt: skip
    assert (folder / "bad.png").exists()  # the user's files are the user's
    with pytest.raises(DataError, match="1 of 4"):
        opened(folder, cache, max_bad_share=0.2)
