"""What is drawn part by part: each part hears those before it alone; what is remembered is what is computed anew."""

from __future__ import annotations

import itertools

import torch
from subject import SHAPE
from torch import Tensor

from lienzo.conditions import Channels
from lienzo.families.orders import Pixels, Tokens
from lienzo.networks.pixel_cnn import PixelCache


def pixels_in_order(order: Pixels, x: Tensor, channels: Channels) -> None:
    """A pixel of x (B, C, H, W) has no gradient by itself or later ones, and the cache says what the whole says."""
    network, rows, columns = order.network, *SHAPE[1:]
    x = x.clone().requires_grad_()
    whole = network(x, channels)
    for place in (0, 19, 63):
        (gradient,) = torch.autograd.grad(whole[0, :, place // columns, place % columns].sum(), x, retain_graph=True)
        assert not gradient[0].flatten()[place:].any(), f"pixel {place} hears itself or a later one"
    cache, parts = PixelCache(network, channels, SHAPE, 2), torch.zeros_like(whole)
    with torch.no_grad():
        for r, c in itertools.product(range(rows), range(columns)):
            if c == 0:
                cache.row(r)
            parts[:, :, r, c] = cache.place(c)
            cache.put(c, x[:, :, r, c])
    assert torch.allclose(whole, parts, atol=1e-4)


def tokens_in_order(order: Tokens, x: Tensor, channels: Channels) -> None:
    """The same of tokens."""
    network, tokens, embedded = order.network, order.alphabet.tokens(x), list[Tensor]()
    hook = network.embed.register_forward_hook(lambda module, given, result: embedded.append(result))
    whole = network(tokens, channels)
    hook.remove()
    for place in (0, 19, tokens.shape[1] - 1):
        (gradient,) = torch.autograd.grad(whole[0, place].sum(), embedded[0], retain_graph=True)
        assert not gradient[0, place + 1 :].any(), f"token {place} hears itself or a later one"  # n holds token n − 1
    with torch.no_grad():
        kept = network.begin(channels, len(tokens))
        parts = [network.step(kept, tokens[:, n - 1] if n else None) for n in range(tokens.shape[1])]
    assert torch.allclose(whole, torch.stack(parts, 1), atol=1e-4)
