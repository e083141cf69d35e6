"""Backbones: shapes, conditions heard, gradients everywhere, and the identity that they start from."""

import pytest
import torch

from lienzo.conditions import Channels, Sizes
from lienzo.core import ConfigurationError
from lienzo.networks import Decoder, Encoder, PatchTransformer, UNet, layers
from lienzo.networks.layers import attend

SIZES = Sizes(vector=8, token=6, maps=2)


def networks():
    return [
        PatchTransformer((3, 16, 16), SIZES, patch=4, width=32, depth=2, heads=2, bottleneck=8),
        PatchTransformer((3, 16, 16), SIZES, patch=4, width=32, depth=2, heads=2, words_from=1),
        UNet((3, 16, 16), SIZES, widths=(8, 16), depth=1, attention=(1,), heads=2),
    ]


def heard(count=2):
    mask = torch.ones(count, 5, dtype=torch.bool)
    mask[:, 3:] = False
    return Channels(torch.randn(count, 8), torch.randn(count, 5, 6), mask, torch.randn(count, 2, 16, 16))


def waken(network):
    """Give layers that start at zero some weight, as training would."""
    for parameter in network.parameters():
        if not parameter.detach().any():
            torch.nn.init.normal_(parameter, std=0.1)
    return network


@pytest.mark.parametrize("network", networks())
def test_every_channel_and_the_time_are_heard(network):
    torch.manual_seed(0)
    network, x, t, said = waken(network), torch.randn(2, 3, 16, 16), torch.rand(2), heard()
    before = network(x, t, said)
    assert before.shape == x.shape
    assert not torch.allclose(before, network(x, t + 0.3, said))
    for name in ("vector", "tokens", "maps"):
        other = Channels(**{**vars(said), name: torch.randn_like(getattr(said, name))})
        assert not torch.allclose(before, network(x, t, other)), name


@pytest.mark.parametrize("network", networks())
def test_masked_tokens_are_not_heard(network):
    torch.manual_seed(0)
    network, x, t, said = waken(network), torch.randn(2, 3, 16, 16), torch.rand(2), heard()
    tokens = said.tokens.clone()
    tokens[:, 3:] = 9.0
    other = Channels(said.vector, tokens, said.mask, said.maps)
    assert torch.allclose(network(x, t, said), network(x, t, other), atol=1e-5)


@pytest.mark.parametrize("network", networks())
def test_gradients_reach_every_parameter(network):
    torch.manual_seed(0)
    network = waken(network)
    network(torch.randn(2, 3, 16, 16), torch.rand(2), heard()).square().sum().backward()
    assert [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("network", networks())
def test_the_result_starts_at_zero(network):
    fresh = type(network)(**dict(network._config[1]))
    assert not fresh(torch.randn(2, 3, 16, 16), torch.rand(2), heard()).any()


def test_patches_are_cut_and_pasted_without_loss():
    net, x = PatchTransformer((3, 8, 12), patch=4, width=32, depth=1, heads=2), torch.randn(2, 3, 8, 12)
    assert torch.equal(net.paste(net.cut(x)), x)
    assert torch.equal(net.cut(x)[0, 1].view(3, 4, 4), x[0, :, :4, 4:8])


def test_sizes_that_do_not_fit_are_named():
    with pytest.raises(ConfigurationError, match="tile"):
        PatchTransformer((3, 10, 10), patch=4)
    with pytest.raises(ConfigurationError, match="levels"):
        UNet((3, 10, 10), widths=(8, 16, 16))


def test_coders_mirror_each_other():
    encoder, decoder = Encoder(3, 4, (8, 16), fold=2), Decoder(3, 4, (8, 16), fold=2)
    z = encoder(torch.zeros(1, 3, 16, 16))
    assert z.shape == (1, 4, 4, 4)
    assert decoder(z).shape == (1, 3, 16, 16)


def test_attention_in_bfloat16_is_that_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    q, k, v = (torch.randn(2, 3, 7, 16, generator=torch.Generator().manual_seed(seed)) for seed in range(3))
    mask = torch.ones(2, 7, dtype=torch.bool)
    mask[1, 4:] = False
    plain = attend(q, k, v, mask)
    assert torch.allclose(plain[1], attend(q[1:, :, :], k[1:, :, :4], v[1:, :, :4], None)[0], atol=1e-6)
    assert torch.allclose(attend(*(z.bfloat16() for z in (q, k, v)), mask).float(), plain, atol=0.03)
    monkeypatch.setattr(layers, "SHORT", 3)  # where pairs are too many to keep
    assert torch.allclose(attend(*(z.bfloat16() for z in (q, k, v)), mask).float(), plain, atol=0.03)
