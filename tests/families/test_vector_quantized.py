"""Straight-through gradients, codebooks by hand, the critic's game, and tokens that come back."""

import pytest
import torch

from lienzo.core import Batch, Conditions, ConfigurationError, Streams, build, config_of
from lienzo.families.vector_quantized import VectorQuantized
from lienzo.networks.quantizers import Codebook, FiniteScalar, usage
from lienzo.networks.random_features import RandomFeatures


def model(**changes):
    torch.manual_seed(0)
    family = VectorQuantized((1, 8, 8), **{"levels": (4, 3), "size": 12, "codes": 4, "widths": (8, 8), **changes})
    with torch.no_grad():
        for p in family.parameters():
            p.add_(torch.randn(p.shape) * 0.1)
    return family


def batch(count=8, rows=None):
    x = torch.rand(count, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1
    return Batch(x, Conditions(count=count), Streams(0, range(count)))


def test_rounding_passes_the_gradient_of_the_bound_straight_through():
    quantizer = FiniteScalar((8, 5))
    z = torch.linspace(-2, 2, 40).view(4, 2, 5, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(quantizer(z)[0].sum(), z)
    smooth = quantizer._bounded(z) / quantizer.unit
    (expected,) = torch.autograd.grad(smooth.sum(), z)
    assert torch.allclose(gradient, expected)


def test_a_codebook_passes_the_gradient_straight_through_and_asks_for_closeness():
    quantizer = Codebook(3, 2)
    quantizer.book.copy_(torch.tensor([[0.0, 0.0], [1.0, 1.0], [-1.0, 1.0]]))
    z = torch.tensor([[0.9, 0.7], [0.1, -0.2]]).view(2, 2, 1, 1).requires_grad_()
    vectors, tokens, cost = quantizer(z)
    assert tokens.flatten().tolist() == [1, 0]
    assert torch.equal(vectors.flatten(1).detach(), quantizer.book[[1, 0]])
    (gradient,) = torch.autograd.grad((vectors * 3).sum(), z, retain_graph=True)
    assert torch.equal(gradient, torch.full_like(z, 3.0))
    (gradient,) = torch.autograd.grad(cost, z)
    assert torch.allclose(gradient, 2 * (z - vectors).detach() / z.numel())


@pytest.mark.parametrize("levels", [(2,), (3, 2), (8, 5, 5, 5)])
def test_every_number_has_a_vector_and_every_vector_its_number(levels):
    quantizer = FiniteScalar(levels)
    tokens = torch.arange(quantizer.size).view(1, -1, 1)
    vectors = quantizer.vectors(tokens)
    assert torch.equal(quantizer.nearest(vectors), tokens)
    assert len(vectors[0].flatten(1).unique(dim=1).T) == quantizer.size
    assert vectors.min() == -1
    assert vectors.max() <= 1
    far = torch.tensor([-9.0, 9.0]).view(2, 1, 1, 1).expand(2, len(levels), 1, 1)
    assert quantizer.tokens(far).flatten().tolist() == [0, quantizer.size - 1]  # every level can be reached
    raw = torch.randn(2, len(levels), 3, 3)
    assert torch.equal(quantizer(raw)[0].detach(), quantizer.vectors(quantizer.tokens(raw)))


def test_a_codebook_moves_to_the_mean_of_what_it_stands_for_and_the_dead_return():
    quantizer = Codebook(3, 1, decay=0.5)
    z, streams = torch.tensor([[-1.0, -2.0], [5.0, 7.0]]).view(2, 1, 1, 2), Streams(0, [0, 1])
    quantizer.learn(z, torch.zeros(2, 1, 2, dtype=torch.long), streams)
    assert quantizer.book[0].item() == pytest.approx(2.25)  # the mean of all four
    assert set(quantizer.book[1:].flatten().tolist()) <= {-1.0, -2.0, 5.0, 7.0}
    again = Codebook(3, 1, decay=0.5)
    again.learn(z, torch.zeros(2, 1, 2, dtype=torch.long), Streams(0, [0, 1]))
    assert torch.equal(quantizer.book, again.book)


def test_usage_and_perplexity_by_hand():
    used, perplexity = usage(torch.tensor([0, 0, 1, 1]), 4)
    assert used.item() == 0.5
    assert perplexity.item() == pytest.approx(2)


@pytest.mark.parametrize("quantizer", ["fsq", "vq"])
def test_steps_lower_the_loss(quantizer):
    family, losses = model(quantizer=quantizer).train(), []
    optimiser = torch.optim.AdamW(family.parameters(), 3e-3)
    for _ in range(25):
        loss = family.loss(batch())
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
        losses.append(loss.parts["pixels"].item())
    assert losses[-1] < 0.95 * losses[0]
    assert 1 < loss.parts["perplexity"] <= 12


@pytest.mark.parametrize("quantizer", ["fsq", "vq"])
def test_gradients_reach_every_parameter_of_every_player(quantizer):
    family = model(quantizer=quantizer, adversarial=0.1).train()
    assert family.players == ("critic", "model")
    own = [set(map(id, family.parameters_of(player))) for player in family.players]
    assert not own[0] & own[1]
    assert own[0] | own[1] == set(map(id, family.parameters()))
    for player in family.players:
        family.zero_grad()
        family.loss(batch(), player).total.backward()
        wanted = set(map(id, family.parameters_of(player)))
        reached = {id(p) for p in family.parameters() if p.grad is not None and p.grad.any()}
        assert [n for n, p in family.named_parameters() if id(p) in wanted - reached] == []


def test_the_critic_leaves_the_codebook_alone_and_so_does_evaluation():
    family = model(quantizer="vq", adversarial=0.1).train()
    family.loss(batch(), "model")
    before = family.quantizer.book.clone()
    family.loss(batch(), "critic")
    family.eval().loss(batch(), "model")
    assert torch.equal(before, family.quantizer.book)


@pytest.mark.parametrize("quantizer", ["fsq", "vq"])
def test_tokens_are_the_whole_code(quantizer):
    family = model(quantizer=quantizer).train()
    family.loss(batch())
    family.eval()
    x = batch().x
    tokens = family.tokens(x)
    assert tokens.shape == (8, 2, 2)
    assert tokens.dtype == torch.int64
    assert torch.equal(family.from_tokens(tokens), family.decode(family.encode(x)))
    assert torch.equal(family.decode(family.encode(x) + 0.01), family.from_tokens(tokens))  # brought to the list


@pytest.mark.parametrize("quantizer", ["fsq", "vq"])
def test_it_is_rebuilt_bit_for_bit_and_draws_alike_at_any_size(quantizer):
    family = model(quantizer=quantizer).train()
    family.loss(batch())
    again = build("family", config_of(family))
    again.load_state_dict(family.state_dict())
    many = family.sample(Conditions(count=5), streams=Streams(0, range(5)))
    one = again.sample(Conditions(count=1), streams=Streams(0, [3]))
    assert torch.equal(many[3], one[0])


def test_a_list_of_one_level_is_refused():
    with pytest.raises(ConfigurationError, match="levels"):
        model(levels=(4, 1))


def test_the_perceptual_term_sees_what_the_error_of_pixels_does_not():
    features, x = RandomFeatures(1), batch().x
    assert features(x, x) == 0
    grain = 0.2 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    brighter = torch.full_like(x, grain.abs().mean())
    soft = torch.zeros_like(x)  # flat pictures: one with grain is another texture, one that is brighter is not
    assert features(soft + 0.5, soft + 0.5 + grain) > 2 * features(soft + 0.5, soft + 0.5 + brighter)
    with_it, without = model(perceptual=0.5), model()
    assert with_it.state_dict().keys() == without.state_dict().keys()  # features are no weights
    a, b = (f.loss(batch()) for f in (with_it, without))
    assert torch.allclose(a.total, b.total + 0.5 * a.parts["perceptual"])
