"""The VAE, and a family over its codes."""

from dataclasses import replace

import pytest
import torch

from lienzo.conditions import Bus, LabelCondition
from lienzo.core import (
    Batch,
    CapabilityError,
    Conditions,
    ConfigurationError,
    Scores,
    Streams,
    build,
    config_of,
    require,
)
from lienzo.families.density import Density
from lienzo.families.diffusion import Diffusion
from lienzo.families.flow import Flow
from lienzo.families.gan import GAN
from lienzo.families.latent import Latent
from lienzo.families.style_gan import StyleGAN
from lienzo.families.vae import VAE
from lienzo.networks import PatchTransformer
from lienzo.training.recipes.make import code_shape


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


def test_codes_are_decoded_as_they_are_drawn():
    vae = make_vae()
    flow = Flow(vae.code_shape, Bus({}), dequantization="none", levels=1, depth=1, width=8)
    latent, streams = Latent(vae, flow), Streams(0, range(8))
    (codes,) = (p.estimate for p in flow.sampling(Conditions(count=8), streams=streams, temperature=2.0))
    assert codes.abs().max() > 2  # codes have deviation 1: most would be lost between -1 and 1
    (last,) = latent.sampling(Conditions(count=8), streams=Streams(0, range(8)), temperature=2.0)
    assert torch.equal(last.estimate, latent.decode(codes))
    assert latent.sample(Conditions(count=8), streams=Streams(0, range(8))).abs().max() <= 1


def test_a_player_has_the_parameters_of_the_inner_familys_player():
    vae = make_vae()
    latent = Latent(vae, GAN(vae.code_shape, Bus({}), latent=4, widths=(8,)))
    assert latent.players == ("critic", "generator")
    for player in latent.players:
        assert set(latent.parameters_of(player)) == set(latent.inner.parameters_of(player))
    assert not set(latent.parameters_of("critic")) & set(latent.parameters_of("generator"))


def test_codes_without_a_grid_are_one_of_one_place():
    torch.manual_seed(0)
    vae = VAE((3, 16, 16), codes=2, widths=(8, 8), latent=6)
    assert code_shape(vae) == (6, 1, 1)
    latent = Latent(vae, Flow((6, 1, 1), Bus({}), "dense", dequantization="none", width=8, depth=2))
    latent.calibrate(pictures(32))
    x = pictures(5)
    assert torch.allclose(latent.decode(latent.encode(x)), vae.decode(vae.encode(x)), atol=1e-5)
    assert latent.loss(batch(4)).total.isfinite()
    styles = StyleGAN((3, 16, 16), Bus({}), latent=4, style=4, widths=(8,), steps=1)
    with pytest.raises(ConfigurationError, match="neither a grid nor one vector"):
        code_shape(styles)


def test_a_likelihood_of_pictures_is_refused_with_its_reason():
    with pytest.raises(CapabilityError, match=r"knows it of no picture\n.*flow"):
        require(make_latent(), Scores)


def curve(rows, seed=1):
    """Return pictures whose halves have the greys u and v = 2 u² − 0.3, about, u ~ N(0, 0.4²)."""
    streams = Streams(seed, range(rows))
    u = 0.4 * streams.normal(1)
    v = 2 * u.square() - 0.3 + 0.03 * streams.child("v").normal(1)
    x = torch.cat([u.expand(-1, 8), v.expand(-1, 8)], 1).view(-1, 1, 1, 16).expand(-1, 1, 4, 16)
    return Batch(x + 0.02 * streams.child("grain").normal(1, 4, 16), Conditions(count=rows), streams)


def test_a_flow_over_principal_components_learns_what_no_gaussian_is():
    torch.manual_seed(0)
    whole = curve(1024)
    pca = Density((1, 4, 16), Bus({}), model="ppca", rank=2, pictures=512)
    pca.fit([whole])
    latent = Latent(pca, Flow((2, 1, 1), Bus({}), "dense", dequantization="none", width=32, depth=3))
    latent.calibrate(whole.x)
    whole = replace(whole, x=latent.encode(whole.x))  # codes, ready
    optimiser = torch.optim.Adam(latent.train().parameters_of(), 1e-2)
    for step in range(80):
        optimiser.zero_grad()
        latent.loss(whole.rows(step % 8 * 128, step % 8 * 128 + 128)).total.backward()
        optimiser.step()
    latent.eval()
    with torch.no_grad():
        (last,) = latent.sampling(Conditions(count=256), streams=Streams(0, range(256)))
    u, v = (part.mean((1, 2, 3)) for part in last.estimate.split(8, 3))
    assert u.std() > 0.3
    assert (v - (2 * u.square() - 0.3)).abs().mean() < 0.1  # of the Gaussian with this covariance nearly .5
