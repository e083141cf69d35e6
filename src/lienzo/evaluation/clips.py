"""Clips: features over time and flicker. The interface, until there are families that draw clips."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lienzo.evaluation.features import Extractor

Clips = NDArray[np.uint8]  # (N, T, H, W, C)


def features_over_time(clips: Clips, extractor: Extractor) -> Tensor:
    """Return the features of every picture of clips (N, T, H, W, C) uint8, (N, T, D)."""
    count, length = clips.shape[:2]
    return extractor.features(clips.reshape(count * length, *clips.shape[2:])).reshape(count, length, -1)


def flicker(clips: Clips) -> Tensor:
    """Return the mean absolute second difference over time of clips (N, T, H, W, C) uint8, (N,), in levels.

    |x_{t−1} − 2 x_t + x_{t+1}|: nought of what stands still or changes evenly.

    Raises:
        ValueError: for clips of fewer than three pictures.
    """
    if clips.shape[1] < 3:
        raise ValueError(f"flicker needs three pictures a clip, got {clips.shape[1]}")
    each = [torch.from_numpy(clip).float().diff(n=2, dim=0).abs().mean() for clip in clips]
    return torch.stack(each)
