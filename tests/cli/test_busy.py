"""Threads that wait asleep where others compute."""

import os

import pytest

from lienzo.cli.busy import SETTINGS, give_way


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for name in SETTINGS:
        monkeypatch.setenv(name, "")  # so that what is set in a test is taken back
        monkeypatch.delenv(name)


@pytest.mark.parametrize(("running", "sleeps"), [("1/90", False), ("3/90", True), ("?", False)])
def test_threads_sleep_only_beside_others(tmp_path, running, sleeps):
    file = tmp_path / "loadavg"
    file.write_text(f"0.5 0.4 0.3 {running} 77")
    assert give_way(["generate", "a cat"], file) is sleeps
    assert os.environ.get("OMP_WAIT_POLICY") == ("PASSIVE" if sleeps else None)


def test_what_the_user_said_stays_and_help_is_not_delayed(tmp_path, monkeypatch):
    file = tmp_path / "loadavg"
    file.write_text("4 4 4 5/90 77")
    assert not give_way(["generate", "--help"], file)
    assert not give_way(["generate"], tmp_path / "missing")
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    assert not give_way(["generate"], file)
