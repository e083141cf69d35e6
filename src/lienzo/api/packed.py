"""What was said, as plain data: texts as they are, pictures and maps as PNGs in base64, at the model's own size."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image

from lienzo.conditions import Bus, ImageCondition, MapCondition
from lienzo.conditions.image import as_numbers
from lienzo.core import ConditionError

PNG, CHANNELS = "png", "channels"


def packed(bus: Bus, name: str, value: Any) -> Any:
    """Return what a record keeps of a value. Condition after condition it is what the model hears, bit for bit.

    Raises:
        ConditionError: for a name or a value that the model does not understand.
    """
    condition = bus[name]
    if not isinstance(condition, ImageCondition | MapCondition) or isinstance(value, Mapping):
        return value
    if isinstance(value, str | bytes) and not value:
        raise ConditionError(f"no file is named for {name!r}", hint="a PNG, JPEG or WebP file")
    parsed = condition.parse([value]).values[0]
    said = (condition.numbers if isinstance(condition, MapCondition) else as_numbers)(parsed)[0]
    if isinstance(condition, MapCondition) and condition.map_kind == "segmentation":
        return {PNG: _png(said.argmax(0).numpy().astype(np.uint8)), CHANNELS: 0}
    tall = ((said.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).flatten(0, 1).numpy()
    return {PNG: _png(tall), CHANNELS: len(said)}


def unpacked(value: Any) -> Any:
    """Return what `packed` kept, as a condition parses it.

    Raises:
        ConditionError: for what cannot be read.
    """
    if not isinstance(value, Mapping):
        return value
    try:
        array = np.asarray(Image.open(io.BytesIO(base64.b64decode(value[PNG]))))
        channels = int(value[CHANNELS])
    except (OSError, ValueError, KeyError) as error:
        raise ConditionError(f"a picture in a record cannot be read: {error}", hint="the file as written") from None
    if not channels:
        return array
    return torch.from_numpy(array.astype(np.float32)).reshape(channels, -1, array.shape[1]) / 127.5 - 1


def _png(array: np.ndarray[Any, np.dtype[np.uint8]]) -> str:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format="PNG", optimize=True)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
