"""The VAE, and a family over its codes."""

from dataclasses import replace

import pytest
import torch

from lienzo.conditions import Bus, LabelCondition
from lienzo.core import Batch, Conditions, ConfigurationError, Streams, build, config_of
from lienzo.families.diffusion import Diffusion
from lienzo.families.latent import Latent
from lienzo.families.vae import VAE
from lienzo.networks import PatchTransformer


def make_vae():
    torch.manual_seed(0)
    return VAE((3, 16, 16), codes=2, widths=(8, 8), fold=2)


def make_latent():
    vae = make_vae()
    bus = Bus({"kind_of": LabelCondition(["a", "b"])}, vector=8)
    network = PatchTransformer(vae.code_shape, bus.sizes, patch=2, width=16, depth=1, heads=2)
    return Latent(vae, Diffusion(network, bus, vae.code_shape, sigma_data=1.0))


def pictures(count):
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1


def batch(count, bus=None):
    said = bus.parse({"kind_of": ["a"] * count}, count) if bus else Conditions(count=count)
    return Batch(pictures(count), said, Streams(0, range(count)))


def test_steps_lower_the_loss_of_a_vae():
    vae, first = make_vae(), None
    optimiser = torch.optim.AdamW(vae.parameters(), 3e-3)
    for _ in range(20):
        optimiser.zero_grad()
        loss = vae.loss(batch(8)).total
        first = first if first is not None else loss.item()
        loss.backward()
        optimiser.step()
    assert loss.item() < 0.95 * first


def test_the_kl_term_is_that_of_two_gaussians():
    vae = make_vae()
    part = vae.loss(batch(4)).parts["kl"]
    mean, log_variance = vae.posterior(pictures(4))
    q = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).mean()
    assert torch.allclose(part, expected, atol=1e-5)


def test_gradients_reach_every_parameter_of_the_vae():
    vae = make_vae()
    for parameter in vae.parameters():
        torch.nn.init.normal_(parameter, std=0.1) if not parameter.detach().any() else None
    vae.loss(batch(4)).total.backward()
    assert [n for n, p in vae.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_codes_are_normalised_by_calibration():
    latent = make_latent()
    latent.calibrate(pictures(64))
    codes = latent.encode(pictures(64))
    assert torch.allclose(codes.mean((0, 2, 3)), torch.zeros(2), atol=1e-4)
    assert torch.allclose(codes.std((0, 2, 3)), torch.ones(2), atol=1e-3)


def test_decoding_undoes_the_normalisation():
    latent = make_latent()
    latent.calibrate(pictures(64))
    x = pictures(8)
    assert torch.allclose(latent.decode(latent.encode(x)), latent.outer.decode(latent.outer.encode(x)), atol=1e-5)


def test_only_the_inner_family_is_trained():
    latent = make_latent()
    latent.loss(batch(4, latent.bus)).total.backward()
    assert all(p.grad is None for p in latent.outer.parameters())
    assert set(latent.parameters_of()) == set(latent.inner.parameters())
    assert latent.train().outer.training is False


def test_ready_codes_give_the_loss_of_their_pictures():
    latent = make_latent()
    raw = batch(4, latent.bus)
    coded = Batch(latent.encode(raw.x), raw.conditions, Streams(0, range(4)))
    fresh = replace(raw, streams=Streams(0, range(4)))
    assert torch.equal(latent.loss(fresh).total, latent.loss(coded).total)


def test_a_picture_does_not_depend_on_how_many_are_drawn():
    latent = make_latent()
    for parameter in latent.inner.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    said = latent.bus.parse({"kind_of": ["a"] * 5}, 5)
    many = latent.sample(said, streams=Streams(0, range(5)), steps=3)
    one = latent.sample(said.rows(slice(3, 4)), streams=Streams(0, [3]), steps=3)
    assert torch.equal(many[3], one[0])


def test_previews_are_pictures_at_every_step():
    latent = make_latent()
    said = latent.bus.parse({}, 2)
    steps = list(latent.sampling(said, streams=Streams(0, [0, 1]), steps=3, previews="all"))
    assert [p.estimate.shape for p in steps] == [(2, 3, 16, 16)] * 3


def test_it_is_rebuilt_bit_for_bit():
    latent = make_latent()
    again = build("family", config_of(latent))
    again.load_state_dict(latent.state_dict())
    said = latent.bus.parse({"kind_of": ["b"]}, 1)
    one, other = (f.sample(said, streams=Streams(0, [0]), steps=2) for f in (latent, again))
    assert torch.equal(one, other)


def test_codes_of_another_shape_are_refused():
    bus = Bus({})
    network = PatchTransformer((3, 8, 8), bus.sizes, patch=4, width=16, depth=1, heads=2)
    with pytest.raises(ConfigurationError, match="codes"):
        Latent(make_vae(), Diffusion(network, bus, (3, 8, 8)))
