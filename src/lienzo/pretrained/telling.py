"""What went wrong with a pretrained model, in one sentence that says what to do."""

from __future__ import annotations

import errno
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lienzo.core.errors import CheckpointError, ConfigurationError, LienzoError


@dataclass(frozen=True)
class Sentence:
    """What is said for errors of some names; {name}: the model's, {reason}: the error's first line.

    Attributes:
        errors: names of classes, of the error itself or of a base.
        what, hint: of the error that is raised in its place.
        kind: its class.
    """

    errors: tuple[str, ...]
    what: str
    hint: str
    kind: type[LienzoError] = CheckpointError


# The first row that fits any error of the chain is said: what is special comes first. By name: `diffusers` and
# `huggingface_hub` may be missing, and their errors are raised as causes of plain OSErrors.
SENTENCES = (
    Sentence(("GatedRepoError",), "{name} is given only to those who have accepted its licence",
             "accept it at https://huggingface.co/{name}, then `hf auth login` on this machine", ConfigurationError),
    Sentence(("RevisionNotFoundError", "RevisionResolutionError"), "{name} has no such revision on the hub",
             "revision= a branch, a tag or a commit of its page, or none"),
    Sentence(("RepositoryNotFoundError", "HFValidationError"),
             "no model {name!r}: there is no such folder here, and no such name on the hub (or it is private)",
             "the folder of a pipeline, the name at the top of its page on the hub, or `hf auth login`"),
    Sentence(("OfflineModeIsEnabled", "LocalEntryNotFoundError", "ConnectError", "ConnectionError", "NetworkError",
              "TimeoutException", "Timeout", "LocalTokenNotFoundError"),
             "{name} is not on this machine, and the hub cannot be reached",
             "go online once (and unset HF_HUB_OFFLINE), or name the folder of a copy"),
    Sentence(("EntryNotFoundError",), "{name} lacks a file that a pipeline of diffusers has: {reason}",
             "a model whose page shows `model_index.json`; another variant= or none"),
    Sentence(("OutOfMemoryError", "MemoryError"), "not enough memory for {name}",
             "behind its name: ,dtype=bfloat16 ,offload=model ,tiling=yes or ,quantize=8bit; or a smaller size",
             ConfigurationError),
    Sentence(("ImportError",), "{name} needs a package that is missing: {reason}",
             "pip install 'lienzo[pretrained]', and the package that is named", ConfigurationError),
    Sentence(("SafetensorError", "JSONDecodeError", "UnpicklingError"), "a file of {name} is damaged: {reason}",
             "fetch it again"),
    Sentence(("OSError", "ValueError", "AttributeError", "TypeError", "KeyError", "RuntimeError"),
             "{name} cannot be loaded: {reason}",
             "a folder as `save_pretrained` writes it, with safetensors; other options behind its name"),
)  # fmt: skip
MEMORY = SENTENCES[5]


@contextmanager
def told(name: str) -> Generator[None]:
    """Turn what goes wrong while a model is loaded into one sentence.

    Raises:
        LienzoError: for every error that the table knows.
    """
    try:
        yield
    except LienzoError:
        raise
    except Exception as error:
        found = said_of(error, name, SENTENCES)
        if found is None:
            raise
        raise found from error


@contextmanager
def memory_told(name: str) -> Generator[None]:
    """Turn a lack of memory while a model draws into one sentence; every other error stays what it is.

    Raises:
        ConfigurationError: if memory is lacking.
    """
    try:
        yield
    except Exception as error:
        found = said_of(error, name, (MEMORY,))
        if found is None:
            raise
        raise found from error


def said_of(error: BaseException, name: str, table: tuple[Sentence, ...]) -> LienzoError | None:
    """Return what a table says to an error or to one of its causes; None where it knows none of them."""
    each = list(_chain(error))
    if any(isinstance(one, OSError) and one.errno == errno.ENOSPC for one in each):
        return CheckpointError(f"the disk is full: {name} cannot be fetched", hint="free some space, or set HF_HOME")
    names = [(one, base.__name__) for one in each for base in type(one).__mro__]
    for row in table:
        cause = next((one for one, base in names if base in row.errors), None)
        if cause is not None:
            said = {"name": name.partition(",")[0], "reason": _first_line(cause)}
            return row.kind(row.what.format(**said), hint=row.hint.format(**said))
    return None


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen = set[int]()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:200] if lines else type(error).__name__
