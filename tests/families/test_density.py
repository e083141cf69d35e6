"""Probabilistic PCA and Gaussian mixtures: against scikit-learn and torch's own distributions."""

import json
import math

import pytest
import torch

from lienzo.conditions import Bus, LabelCondition
from lienzo.core import Batch, Conditions, ConfigurationError, Streams, build, config_of
from lienzo.networks.mixtures import SubspaceMixtures
from lienzo.training.checkpoint import CONFIG, WEIGHTS, plain, seal
from lienzo.training.export import export
from lienzo.training.opening import load
from lienzo.training.tensors import read_tensors, write_tensors

pytest.importorskip("sklearn")
from lienzo.families.density import Density

SHAPE = (1, 3, 3)
CLASSES = ["dark", "light"]


def make(*, heard=True, **changes):
    bus = Bus({"tone": LabelCondition(CLASSES)} if heard else {}, vector=4)
    values = {"rank": 3, "components": 2, "pictures": 400, **changes}
    return Density(SHAPE, bus, **values)


def batch(density, count=400, seed=0, labels=True):
    """Pictures with three directions of large variance and a class that moves them."""
    streams = Streams(seed, range(count))
    basis = torch.linalg.qr(torch.randn(9, 9, generator=torch.Generator().manual_seed(3)))[0][:3]
    x = streams.child("z").normal(3) * torch.tensor([0.3, 0.2, 0.1]) @ basis + 0.02 * streams.child("e").normal(9)
    tone = streams.child("tone").integers(4) < 1  # a quarter are dark
    x = x + torch.where(tone, -0.3, 0.3)[:, None]
    names = [CLASSES[0] if dark else CLASSES[1] for dark in tone.tolist()]
    said = {"tone": names} if labels and density.bus.names else {}
    return Batch(x.view(-1, *SHAPE), density.bus.parse(said, count), streams)


def fitted(**changes):
    density = make(**changes)
    density.fit([batch(density)])
    return density.eval()


def covariance(density, row):
    """The whole covariance of a single Gaussian, D × D."""
    part = {name: buffer[row].double() for name, buffer in density.mixtures.named_buffers()}
    w, q = part["basis"], part["factors"][0]
    q = q.diag_embed() if density.mixtures.diagonal else q
    s = (2 * density.spread.detach().double()).exp()
    return s * (w.T @ q @ q.T @ w + part["noise"] * (torch.eye(9) - w.T @ w)), part["mean"]


def test_a_single_gaussian_is_the_multivariate_normal_distribution():
    density = fitted(model="ppca", heard=False)
    density.spread.data.fill_(0.1)
    x = batch(density, 20, seed=1)
    matrix, mean = covariance(density, 0)
    expected = torch.distributions.MultivariateNormal(mean, matrix).log_prob(x.x.flatten(1).double())
    assert torch.allclose(density.log_density(x.x, x.conditions), expected, atol=1e-4)


def test_a_mixture_is_a_sum_of_multivariate_normal_distributions():
    density = fitted(heard=False)
    x = batch(density, 20, seed=1).x
    part = {name: buffer[0].double() for name, buffer in density.mixtures.named_buffers()}
    w, off = part["basis"], torch.eye(9) - part["basis"].T @ part["basis"]
    each = [
        torch.distributions.MultivariateNormal(part["mean"] + c @ w, w.T @ f @ f.T @ w + part["noise"] * off)
        for c, f in zip(part["centres"], part["factors"], strict=True)
    ]
    terms = torch.stack([each[k].log_prob(x.flatten(1).double()) + part["weights"][k].log() for k in range(2)])
    assert torch.allclose(density.log_density(x, Conditions(count=20)), terms.logsumexp(0), atol=1e-4)


def test_probabilistic_pca_is_the_maximum_of_its_likelihood():
    """Its covariance has the data's largest eigenvalues, and σ² is the mean of the others (Tipping & Bishop, eq. 8)."""
    density = fitted(model="ppca", heard=False)
    x = density_data = batch(density).x.flatten(1).double()
    values = torch.linalg.eigvalsh(torch.cov(density_data.half().double().T)).flip(0)
    ours = torch.linalg.eigvalsh(covariance(density, 0)[0]).flip(0)
    expected = torch.cat([values[:3], values[3:].mean().repeat(6)])
    assert torch.allclose(ours, expected, rtol=1e-2)
    assert torch.allclose(covariance(density, 0)[1], x.mean(0), atol=1e-4)


def test_at_full_rank_there_is_no_noise_and_the_covariance_is_that_of_the_data():
    density = fitted(model="ppca", heard=False, rank=9)
    expected = torch.cov(batch(density).x.flatten(1).double().T)
    assert torch.allclose(covariance(density, 0)[0], expected, atol=1e-4)
    assert density.log_density(batch(density).x, Conditions(count=400)).isfinite().all()


def test_a_density_integrates_to_one():
    density = SubspaceMixtures(1, 2, 1, 2)
    density.set(
        0,
        torch.zeros(1),
        mean=torch.tensor([0.1, -0.2]),
        basis=torch.tensor([[0.6, 0.8]]),
        variance=torch.tensor([0.1]),
        noise=torch.tensor(0.01),
        weights=torch.tensor([0.3, 0.7]),
        centres=torch.tensor([[-0.3], [0.4]]),
        factors=torch.tensor([[[0.1]], [[0.2]]]),
    )
    line = torch.linspace(-2, 2, 401)
    grid = torch.cartesian_prod(line, line)
    assert density.log_density(grid, torch.zeros(1)).exp().sum() * 0.01**2 == pytest.approx(1, abs=1e-4)


def test_diagonal_factors_are_the_same_distribution_in_fewer_numbers():
    generator = torch.Generator().manual_seed(0)
    scales = torch.rand(2, 3, generator=generator) + 0.5
    whole, diagonal = (SubspaceMixtures(1, 6, 3, 2, diagonal=d) for d in (False, True))
    for one in (whole, diagonal):
        one.set(0, torch.zeros(1), centres=torch.tensor([[-1.0, 0, 1], [0.5, 2, 0]]), factors=scales.diag_embed())
    x, normal, noise = (torch.randn(5, n, generator=generator) for n in (6, 3, 6))
    model, component, spread = torch.zeros(5, dtype=torch.long), torch.tensor([0, 1, 1, 0, 1]), torch.tensor([0.3])
    assert torch.allclose(whole.log_density(x, spread), diagonal.log_density(x, spread))
    drawn = [one.draw(model, component, normal, noise, spread) for one in (whole, diagonal)]
    assert torch.allclose(*drawn, atol=1e-6)


def test_without_a_label_it_is_the_mixture_of_its_classes():
    density = fitted()
    x = batch(density, 10, seed=1).x
    share = density.get_buffer("share")
    assert share[0] == pytest.approx(0.25, abs=0.06)
    each = [density.log_density(x, density.bus.parse({"tone": [name] * 10}, 10)) for name in CLASSES]
    mixed = torch.logsumexp(torch.stack(each) + share.double().log()[:, None], 0)
    assert torch.allclose(density.log_density(x, Conditions(count=10)), mixed)
    assert torch.allclose(density.log_density(x, density.bus.parse({}, 10)), mixed)


def test_drawn_pictures_have_its_mean_and_covariance():
    density = fitted(model="ppca")
    said = density.bus.parse({"tone": ["dark"] * 20_000}, 20_000)
    steps = list(density.sampling(said, streams=Streams(0, range(20_000))))
    x = steps[-1].x.flatten(1).double()
    matrix, mean = covariance(density, 0)
    assert torch.allclose(x.mean(0), mean, atol=0.01)
    assert torch.allclose(torch.cov(x.T), matrix, atol=0.003)


def test_unsaid_classes_are_drawn_by_their_share():
    density = fitted()
    x = density.sample(Conditions(count=2000), streams=Streams(0, range(2000)))
    dark = (x.mean((1, 2, 3)) < 0).float().mean()
    assert dark == pytest.approx(float(density.get_buffer("share")[0]), abs=0.04)


def test_noise_can_be_left_out():
    density = fitted(heard=False)
    (step,) = density.sampling(Conditions(count=8), streams=Streams(0, range(8)), noise=0.0)
    w, mean = density.mixtures.get_buffer("basis")[0], density.mixtures.get_buffer("mean")[0]
    z = (step.x.flatten(1) - mean) @ w.T
    assert torch.allclose(mean + z @ w, step.x.flatten(1), atol=1e-5)
    with pytest.raises(ConfigurationError, match="option"):
        density.sample(Conditions(count=1), streams=Streams(0, [0]), steps=3)


def test_a_code_is_the_mean_of_the_latent_given_the_picture():
    density = fitted(model="ppca", heard=False)
    x = batch(density, 5, seed=1).x
    part = {name: buffer[0].double() for name, buffer in density.mixtures.named_buffers()}
    w = (part["variance"] - part["noise"]).sqrt()[:, None] * part["basis"]  # Tipping & Bishop's Wᵀ
    m = w @ w.T + part["noise"] * torch.eye(3)
    expected = torch.linalg.solve(m, w @ (x.flatten(1).double() - part["mean"]).T).T
    code = density.encode(x)
    assert torch.allclose(code.flatten(1).double(), expected, atol=1e-4)
    back = part["mean"] + code.flatten(1).double() @ w
    assert torch.allclose(density.decode(code).flatten(1).double(), back, atol=1e-5)
    assert (density.decode(code) - x).square().mean() < 0.05 * x.var()


def test_in_training_it_fits_itself_to_what_it_has_and_then_forgets_the_pictures():
    density, losses = make(pictures=256).train(), []
    for seed in range(8):
        losses.append(density.loss(batch(density, 32, seed=seed)).total.item())
        if seed == 3:
            assert density.get_buffer("kept")[:128].any(1).all()
    assert losses[1] < losses[0] - 0.5, "64 pictures are enough for a first fit"
    assert losses[7] < losses[1] + 0.3
    assert int(density.get_buffer("count")) == 256
    assert not density.get_buffer("kept").any()
    before = density.mixtures.get_buffer("mean").clone()
    density.loss(batch(density, 32, seed=9))
    assert torch.equal(density.mixtures.get_buffer("mean"), before)
    assert int(density.eval().get_buffer("count")) == 256


def test_the_same_pictures_give_the_same_bits():
    one, other = fitted().mixtures.state_dict(), fitted().mixtures.state_dict()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_spread_learns_that_a_fit_was_too_narrow():
    density = make(rank=8, model="ppca", heard=False, pictures=64)
    density.fit([batch(density, 20)])
    few, fresh = density.eval(), batch(density, 400, seed=7)
    optimiser = torch.optim.Adam([few.spread], 0.03)
    losses = []
    for _ in range(30):
        optimiser.zero_grad()
        loss = few.loss(Batch(fresh.x, fresh.conditions, Streams(7, range(400)))).total
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert few.spread.item() > 0.05
    assert losses[-1] < losses[0]


def test_a_class_with_too_few_pictures_is_taken_to_be_like_all():
    density = make()
    seen = batch(density, labels=False)
    density.fit([seen])
    x = seen.x[:4]
    dark, unsaid = (density.log_density(x, density.bus.parse(s, 4)) for s in ({"tone": ["dark"] * 4}, {}))
    assert torch.allclose(dark, unsaid)


def test_it_is_rebuilt_bit_for_bit():
    density = fitted()
    again = build("family", config_of(density))
    again.load_state_dict(density.state_dict())
    said = density.bus.parse({"tone": ["dark", "light", None]}, 3)
    one, other = (d.sample(said, streams=Streams(0, range(3))) for d in (density, again))
    assert torch.equal(one, other)


def test_dequantized_pictures_are_scored_unless_they_are_taken_as_they_are():
    density = fitted()
    x, said = batch(density, 6, seed=1).x, Conditions(count=6)
    streams = Streams(5, range(6))
    exact = density.log_prob(x, said, streams=streams, dequantize=False)
    assert torch.allclose(exact, density.log_density(x, said).float())
    moved = x + (streams.child("dequantize").uniform(*SHAPE) - 0.5) / 127.5
    assert torch.allclose(density.log_prob(x, said, streams=streams), density.log_density(moved, said).float())
    bits = density.loss(Batch(x, said, streams)).parts["bits"]
    mean = -density.log_prob(x, said, streams=streams).mean() / 9 / math.log(2)
    assert float(bits) == pytest.approx(float(mean) + math.log2(127.5), abs=1e-4)


@pytest.mark.parametrize("wrong", [{"rank": 10}, {"rank": 0}, {"pictures": 5}, {"by": "style"}])
def test_what_does_not_fit_is_refused(wrong):
    with pytest.raises(ConfigurationError):
        make(**wrong)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    density = make().train()
    with pytest.raises(ConfigurationError, match=r"pip install 'lienzo\[density\]'"):
        density.loss(batch(density, 8))


def test_an_export_leaves_out_the_pictures_of_the_fit(tmp_path):
    density = make(pictures=64).train()
    density.loss(batch(density, 64))
    folder = tmp_path / "run"
    folder.mkdir()
    write_tensors(density.state_dict(), folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(plain(config_of(density))))
    seal(folder)
    export(folder, tmp_path / "small", "float32")
    assert "kept" not in read_tensors(tmp_path / "small" / WEIGHTS)
    again, said = load(tmp_path / "small"), Conditions(count=2)
    drawn = [family.eval().sample(said, streams=Streams(0, [0, 1])) for family in (density, again)]
    assert torch.equal(*drawn)
