"""Freed memory stays with the process: the second large tensor touches no new pages."""

import subprocess
import sys

import pytest

from lienzo.training.pages import keep_pages

PROBE = """
import resource, torch
from lienzo.training.pages import keep_pages
torch.set_num_threads(1)
def faults():
    for _ in range(12):  # aligned blocks settle into their places
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
def step():
    torch.ones(8, 2**20)
    torch.ones(6, 2**20)
plain = faults()
print(keep_pages(), plain, faults())
"""


def test_kept_pages_are_not_asked_for_again():
    said = subprocess.run([sys.executable, "-c", PROBE], check=True, capture_output=True, text=True).stdout.split()
    if said[0] == "False":
        pytest.skip("the C library is not glibc")
    plain, kept = map(int, said[1:])
    if plain < 1000:
        pytest.skip("this system gives memory in large pages")
    assert kept < 100


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr("platform.libc_ver", lambda: ("", ""))
    assert keep_pages() is False
