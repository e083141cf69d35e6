"""The conversation between a run and the processes that decode for it; as a program, the decoding side of it.

A message is a length, a JSON head, and the bytes that the head announces. Nothing is pickled.
"""

from __future__ import annotations

import contextlib
import json
import struct
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, BinaryIO

import numpy as np

from lienzo.data.decode import Decoded, decode
from lienzo.data.pixels import Ask

MEMORY = 4 << 30  # bytes of address space that a decoding process may take


def send(pipe: BinaryIO, head: Mapping[str, Any], body: bytes = b"") -> None:
    """Write one message."""
    text = json.dumps({**head, "body": len(body)}).encode()
    pipe.write(struct.pack(">I", len(text)) + text)
    pipe.write(body)
    pipe.flush()


def receive(pipe: BinaryIO) -> tuple[dict[str, Any], bytes]:
    """Read one message.

    Raises:
        EOFError: if the other side is gone.
    """
    length = pipe.read(4)
    if len(length) < 4:
        raise EOFError
    text = pipe.read(struct.unpack(">I", length)[0])
    if not text.endswith(b"}"):
        raise EOFError
    head: dict[str, Any] = json.loads(text)
    body = pipe.read(head["body"])
    if len(body) < head["body"]:
        raise EOFError
    return head, body


def packed(found: Decoded) -> tuple[dict[str, Any], bytes]:
    """A result as a message."""
    pixels = found.pixels
    shape = None if pixels is None else list(pixels.shape)
    head = asdict(replace(found, pixels=None, thumb=b"")) | {"thumb": found.thumb.hex(), "shape": shape}
    return head, b"" if pixels is None else np.ascontiguousarray(pixels).tobytes()


def unpacked(head: Mapping[str, Any], body: bytes) -> Decoded:
    """A message as a result."""
    shape = head["shape"]
    pixels = np.frombuffer(body, np.uint8).reshape(shape) if shape else None
    plain = {k: v for k, v in head.items() if k not in ("shape", "body", "pixels", "thumb", "notes")}
    return Decoded(pixels=pixels, thumb=bytes.fromhex(head["thumb"]), notes=tuple(head["notes"]), **plain)


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Decode what is asked until the other side is gone."""
    while True:
        try:
            head, body = receive(source)
        except EOFError:
            return
        send(sink, *packed(decode(head["path"] or body, Ask(**head["ask"]))))


def _limit_memory() -> None:
    """Bound this process's memory where the system can: without it (Windows, macOS) time alone bounds a decoder."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


if __name__ == "__main__":
    _limit_memory()
    output = sys.stdout.buffer
    sys.stdout = sys.stderr  # a decoder that prints must not disturb the conversation
    serve(sys.stdin.buffer, output)
