"""What a tokenizer keeps of test pictures: their distance after coding, and how many of its tokens they need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import lienzo
from lienzo.evaluation import fd_clf64, floor
from lienzo.families.vector_quantized import VectorQuantized
from lienzo.networks.quantizers import usage
from lienzo.training.card import with_measured
from lienzo.training.checkpoint import CARD, resolve

AT_ONCE = 100


def coded(model: lienzo.Model, count: int) -> dict[str, Any]:
    """PSNR in dB (of the mean error, a range of 2), FD-clf64 of what comes back, and the tokens' use."""
    family = model.family
    assert isinstance(family, VectorQuantized)
    data = lienzo.open_source("fashion-mnist", size=28, channels=1, split="test")
    squared, tokens, back = list[Tensor](), list[Tensor](), list[Tensor]()
    with torch.no_grad():
        for rows in torch.arange(min(count, len(data))).split(AT_ONCE):
            x = torch.from_numpy(data.pictures(rows.tolist()).copy()).permute(0, 3, 1, 2).float() / 127.5 - 1
            tokens.append(family.tokens(x))
            y = family.from_tokens(tokens[-1]).clamp(-1, 1)
            squared.append((y - x).square().mean((1, 2, 3)))
            back.append(((y + 1) * 127.5).round().to(torch.uint8)[:, 0])
    error, distance = torch.cat(squared).mean(), fd_clf64(torch.cat(back).numpy())
    used, perplexity = usage(torch.cat(tokens), family.vocabulary)
    return {"psnr": float(10 * (4 / error).log10()), "FD-clf64": distance, "real": floor(), "used": float(used),
            "perplexity": float(perplexity), "tokens": family.vocabulary, "pictures": sum(map(len, back))}  # fmt: skip


def write_down(run: Path, told: dict[str, Any]) -> None:
    """Write what was measured into the card of a run."""
    card = resolve(run) / CARD
    lines = [
        f"On fashion-mnist (test), {told['pictures']:,} pictures coded and decoded; in brackets real pictures.", "",
        f"- PSNR: {told['psnr']:.1f} dB", f"- FD-clf64: {told['FD-clf64']:.3f} ({told['real']:.3f})",
        f"- tokens used: {told['used']:.0%} of {told['tokens']:,}, perplexity {told['perplexity']:.0f}",
    ]  # fmt: skip
    card.write_text(with_measured(card.read_text("utf-8"), lines), encoding="utf-8")
