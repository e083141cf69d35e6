"""Freed memory stays with the process: the second large tensor touches no new pages."""

import subprocess
import sys

import pytest

from lienzo.training.pages import keep_pages

PROBE = """
import resource, sys, torch
from lienzo.training.pages import keep_pages
torch.set_num_threads(1)
kept = keep_pages() if sys.argv[1] == "keep" else None
def step():
    torch.ones(8, 2**20)
    torch.ones(6, 2**20)
for _ in range(12):  # aligned blocks settle into their places
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
step()
print(kept, resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(how: str) -> int:
    said = subprocess.run([sys.executable, "-c", PROBE, how], check=True, capture_output=True, text=True).stdout.split()
    if said[0] == "False":
        pytest.skip("the C library is not glibc")
    return int(said[1])


def test_kept_pages_are_not_asked_for_again():
    assert faults("keep") < 100
    assert faults("plain") > 100  # what it is for


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert keep_pages() is False
