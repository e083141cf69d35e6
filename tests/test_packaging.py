"""What a user meets first: the version, the names, how long an import takes; and that the map is the territory."""

import re
import subprocess
import sys
import time
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

import lienzo

ROOT = Path(__file__).parents[1]
LENIENT = 2.0  # another job may be running beside this one: benchmarks measure, tests only catch what is far off


def fastest(command: list[str], tries: int = 5) -> tuple[float, str]:
    """Run a command some times; return the shortest time in seconds, and its output."""
    times: list[float] = []
    output = ""
    for _ in range(tries):
        start = time.perf_counter()
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        times.append(time.perf_counter() - start)
    return min(times), output


def test_the_installed_version_is_the_one_in_the_source():
    assert version("lienzo") == lienzo.__version__


def test_at_most_forty_public_names_and_each_can_be_loaded():
    assert len(lienzo.__all__) <= 40
    assert len(set(lienzo.__all__)) == len(lienzo.__all__)
    assert set(lienzo.__all__) <= set(dir(lienzo))
    for name in lienzo.__all__:
        assert getattr(lienzo, name) is getattr(lienzo, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'no_such_name'"):
        _ = lienzo.no_such_name


def test_import_is_quick_and_brings_no_torch():
    probe = "import sys, time; t = time.perf_counter(); import lienzo; print(time.perf_counter() - t, *sys.modules)"
    runs = [subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True) for _ in range(5)]
    modules = set(runs[0].stdout.split()[1:])
    assert modules.isdisjoint({"torch", "numpy", "PIL", "pyarrow", "pydantic"})
    assert min(float(run.stdout.split()[0]) for run in runs) <= 0.3 * LENIENT


def test_help_is_quick():
    seconds, output = fastest([str(Path(sys.executable).with_name("lienzo")), "--help"])
    assert "Usage" in output
    assert seconds <= 0.5 * LENIENT


def test_help_imports_no_torch():
    probe = "import sys; sys.argv = ['lienzo', '--help']\nfrom lienzo.cli import main\n"
    probe += "try: main()\nexcept SystemExit: pass\nprint('torch' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", probe], check=True, capture_output=True, text=True).stdout
    assert output.splitlines()[-1] == "False"


def test_extras_named_in_dev_exist():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = re.search(r"lienzo\[(.*?)\]", " ".join(extras["dev"]))
    assert named is not None
    assert set(named[1].split(",")) <= set(extras)


def test_every_dependency_is_locked():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for lock, wanted in {
        "run.txt": project["dependencies"],
        "dev.txt": project["dependencies"] + project["optional-dependencies"]["dev"],
    }.items():
        locked = set(re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements" / lock).read_text(), re.MULTILINE))
        names = {re.match(r"[a-z0-9-]+", requirement)[0] for requirement in wanted}  # type: ignore[index]
        assert names - {"torch", "lienzo"} <= locked


def test_no_lock_holds_torch_or_cuda():
    for lock in ("run.txt", "dev.txt"):
        text = (ROOT / "requirements" / lock).read_text()
        assert re.findall(r"^(?:(?:torch|torchvision|triton)==|nvidia-|cuda-).*", text, re.MULTILINE) == []


def rooms_on_the_map() -> list[str]:
    """Return the rooms that a table row of ARCHITECTURE.md names in its first column."""
    page = ROOT / "ARCHITECTURE.md"
    rows = re.findall(r"^\|([^|]*`lienzo\.[^|]*)\|", page.read_text() if page.exists() else "", re.MULTILINE)
    return re.findall(r"`lienzo\.([a-z_.]+)`", " ".join(rows))


@pytest.mark.skipif(not (ROOT / "ARCHITECTURE.md").exists(), reason="there is no map yet")
def test_every_room_on_the_map_exists_and_every_room_is_on_it():
    rooms = rooms_on_the_map()
    source = ROOT / "src" / "lienzo"
    assert [room for room in rooms if not list(source.glob(room.replace(".", "/") + "*"))] == []
    built = {path.parent.name for path in source.glob("*/__init__.py")}
    assert built - set(rooms) == set()


def test_the_wheel_would_hold_the_assets():
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert build == {"packages": ["src/lienzo"]}
    files = map(str, (ROOT / "src/lienzo").rglob("*.*"))  # hatchling leaves out what git ignores
    ignored = subprocess.run(
        ["git", "check-ignore", *files], check=False, cwd=ROOT, capture_output=True, text=True
    ).stdout
    assert [line for line in ignored.splitlines() if "__pycache__" not in line] == []
