"""Causality by gradients, sums over every picture of a tiny domain, and what is remembered against what is computed."""

import itertools
import math

import pytest
import torch

from lienzo.conditions import Bus, Channels, LabelCondition, MapCondition, Sizes
from lienzo.conditions.image import ImageCondition
from lienzo.core import Batch, ConditionError, Conditions, ConfigurationError, Streams, build, config_of, require
from lienzo.core.family import Scores
from lienzo.families.alphabets import Levels
from lienzo.families.autoregressive import Autoregressive
from lienzo.families.orders import BOUND_DRAWS
from lienzo.families.vector_quantized import VectorQuantized
from lienzo.networks.causal import TokenTransformer
from lienzo.networks.pixel_cnn import PixelCache, PixelCNN
from lienzo.sampling.categories import drawn, tempered

SIZES = Sizes(vector=5, token=6, maps=2)
KINDS = {"pixels": {}, "tokens": {"levels": 8}, "masked": {"levels": 8}, "coded": {"order": "tokens"}}


def shaken(module):
    """Make every weight count."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(torch.randn(p.shape, generator=generator) * 0.1)
    return module


def bus(*, all_channels=False):
    torch.manual_seed(1)
    conditions = {"label": LabelCondition(["a", "b"])}
    if all_channels:
        conditions |= {"picture": ImageCondition(8, 1, 4), "edges": MapCondition("edges", size=8)}
    return Bus(conditions, vector=8, token=8)


def model(kind="pixels", shape=(1, 8, 8), said=None, **changes):
    torch.manual_seed(0)
    values = {"order": kind, "width": 16, "depth": 2, "heads": 2, "mixtures": 2, **KINDS[kind], **changes}
    if kind == "coded":
        values["tokenizer"] = VectorQuantized(shape, levels=(3, 3), widths=(8, 8))
    return shaken(Autoregressive(shape, bus() if said is None else said, **values)).eval()


def pictures(count, shape=(1, 8, 8)):
    k = torch.randint(0, 256, (count, *shape), generator=torch.Generator().manual_seed(1))
    return k / 127.5 - 1


def batch(family, count=4, label="a"):
    said = {n: [v] * count for n, v in {"label": label}.items() if n in family.bus.names}
    return Batch(pictures(count, family.shape), family.bus.parse(said, count), Streams(0, range(count)))


def heard(count, rows, columns):
    g = torch.Generator().manual_seed(2)
    mask = torch.tensor([[True, True, False]]).expand(count, 3)
    tokens, maps = torch.randn(count, 3, 6, generator=g), torch.randn(count, 2, rows, columns, generator=g)
    return Channels(torch.randn(count, 5, generator=g), tokens, mask, maps)


def test_a_pixel_hears_those_before_it_all_of_them_and_no_other():
    network = shaken(PixelCNN(1, 3, Sizes(), width=8, dilations=(1, 2, 4)))
    x = torch.zeros(1, 1, 6, 7).requires_grad_()
    for r, c in ((0, 0), (2, 3), (5, 0), (4, 6)):
        (gradient,) = torch.autograd.grad(network(x, Channels())[0, :, r, c].sum(), x)
        before = torch.arange(42).view(6, 7) < 7 * r + c
        assert torch.equal(gradient[0, 0] != 0, before)


def test_a_token_hears_those_before_it_all_of_them_and_no_other():
    network = shaken(TokenTransformer(5, (2, 3, 1), SIZES, width=8, depth=2, heads=2))
    embedded = []
    network.embed.register_forward_hook(lambda module, given, result: embedded.append(result))
    logits = network(torch.randint(0, 5, (1, 6)), heard(1, 2, 3))
    for n in range(6):
        (gradient,) = torch.autograd.grad(logits[0, n].sum(), embedded[0], retain_graph=True)
        assert torch.equal(gradient[0].abs().sum(1) > 1e-9, torch.arange(6) <= n)  # place n holds token n − 1


def test_remembered_pixels_are_those_computed_anew():
    shape = (2, 6, 7)
    network, said = shaken(PixelCNN(2, 4, SIZES, width=8, dilations=(1, 2, 4))), heard(3, 6, 7)
    x = pictures(3, shape)
    cache = PixelCache(network, said, shape, 3)
    with torch.no_grad():
        whole, parts = network(x, said), torch.zeros(3, 4, 6, 7)
        for r, c in itertools.product(range(6), range(7)):
            if c == 0:
                cache.row(r)
            parts[:, :, r, c] = cache.place(c)
            cache.put(c, x[:, :, r, c])
    assert torch.allclose(whole, parts, atol=1e-5)
    assert torch.equal(cache.picture, x)


def test_remembered_tokens_are_those_computed_anew():
    network, said = shaken(TokenTransformer(5, (2, 3, 2), SIZES, width=8, depth=2, heads=2)), heard(3, 2, 3)
    tokens = torch.randint(0, 5, (3, 12), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        kept, whole = network.begin(said, 3), network(tokens, said)
        parts = [network.step(kept, tokens[:, n - 1] if n else None) for n in range(12)]
    assert torch.allclose(whole, torch.stack(parts, 1), atol=1e-5)


def test_words_that_are_masked_are_not_heard():
    said, tokens = heard(1, 2, 3), torch.zeros(1, 6, dtype=torch.long)
    for causal in (True, False):
        network = shaken(TokenTransformer(5, (2, 3, 1), SIZES, width=8, depth=2, heads=2, causal=causal))
        logits = network(tokens, said)
        said.tokens[:, 2] += 9.0  # the one that the mask hides
        assert torch.equal(logits, network(tokens, said))
        assert torch.equal(network.step(network.begin(said, 1), None), network.step(network.begin(said, 1), None))


def test_probabilities_of_all_pictures_of_tokens_sum_to_one():
    family = model("tokens", (1, 2, 2), levels=3)
    numbers = torch.tensor(list(itertools.product(range(3), repeat=4)))
    x = Levels((1, 2, 2), 3).pictures(numbers)
    said = family.bus.parse({"label": ["b"] * 81}, 81)
    total = family.log_prob(x, said, streams=Streams(0, range(81))).double().exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-5)


def test_probabilities_of_all_pictures_of_pixels_sum_to_one():
    family = model("pixels", (1, 1, 2), depth=1)
    pairs = torch.cartesian_prod(torch.arange(256), torch.arange(256))
    x = (pairs / 127.5 - 1).view(-1, 1, 1, 2)
    total = family.log_prob(x, family.bus.parse({}, len(x)), streams=Streams(0, range(len(x)))).double().exp().sum()
    assert total.item() == pytest.approx(1, abs=1e-4)


def test_pixels_are_drawn_as_often_as_they_are_likely():
    family, count = model("pixels", (1, 1, 2), depth=1), 4000
    said = family.bus.parse({}, count)
    x = family.sample(said, streams=Streams(0, range(count)), chunk=count)
    mean = family.log_prob(x, said, streams=Streams(0, range(count))).mean()
    pairs = torch.cartesian_prod(torch.arange(256), torch.arange(256))
    every = (pairs / 127.5 - 1).view(-1, 1, 1, 2)
    logs = family.log_prob(every, family.bus.parse({}, 65536), streams=Streams(0, range(65536)))
    assert mean.item() == pytest.approx((logs.exp() * logs).sum().item(), abs=0.1)  # minus the entropy


def test_tokens_are_drawn_as_often_as_they_are_likely():
    family, count = model("tokens", (1, 1, 2), levels=2), 4000
    x = family.sample(family.bus.parse({}, count), streams=Streams(0, range(count)), chunk=count)
    tokens = Levels((1, 1, 2), 2).tokens(x)
    every = torch.tensor([[0, 0], [0, 1], [1, 0], [1, 1]])
    said = family.bus.parse({}, 4)
    p = family.log_prob(Levels((1, 1, 2), 2).pictures(every), said, streams=Streams(0, range(4))).exp()
    share = torch.bincount(tokens @ torch.tensor([2, 1]), minlength=4) / count
    assert torch.allclose(share, p, atol=0.03)


def test_the_bound_of_masked_is_the_mean_over_stages():
    family, count = model("masked", (1, 2, 2)), 2000
    x, order = pictures(1, (1, 2, 2)), family.order
    tokens, channels = order.alphabet.tokens(x), family.bus(family.bus.parse({}, 1))
    stages = []
    for n in range(1, 5):  # the mean over all ways to hide n of four
        ways = []
        for places in itertools.combinations(range(4), n):
            hidden = torch.tensor([[i in places for i in range(4)]])
            logits = order.network(torch.where(hidden, 8, tokens), channels).log_softmax(2)
            ways.append((logits.gather(2, tokens[..., None])[..., 0] * hidden).sum() * 4 / n)
        stages.append(torch.stack(ways).mean())
    many = family.log_prob(x.expand(count, -1, -1, -1), family.bus.parse({}, count), streams=Streams(0, range(count)))
    assert many.mean().item() == pytest.approx(torch.stack(stages).mean().item(), abs=0.03)
    assert family.likelihood == "bound"
    assert BOUND_DRAWS > 1


def test_likelihoods_are_declared():
    assert model("pixels").likelihood == require(model("tokens"), Scores).likelihood == "exact"


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_does_not_depend_on_how_many_are_drawn(kind):
    family = model(kind)
    said = batch(family, 5).conditions
    many = family.sample(said, streams=Streams(0, range(5)), steps=3)
    one = family.sample(said.rows(slice(3, 4)), streams=Streams(0, [3]), steps=3)
    assert torch.equal(many[3], one[0])
    assert not torch.equal(many[3], many[4])


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_rebuilt_bit_for_bit(kind):
    family = model(kind)
    again = build("family", config_of(family)).eval()
    again.load_state_dict(family.state_dict())
    one, other = (f.sample(f.bus.parse({}, 1), streams=Streams(0, [0]), steps=2) for f in (family, again))
    assert torch.equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_parameter_and_no_tokenizer(kind):
    family = model(kind, said=bus(all_channels=True)).train()
    pixel = pictures(4)
    said = family.bus.parse({"label": ["a", "b", None, "a"], "picture": list(pixel), "edges": list(pixel)}, 4)
    for seed in range(3):  # what is dropped differs
        family.loss(Batch(pixel, said, Streams(seed, range(4)))).total.backward()
    trained = {id(p) for p in family.parameters_of()}
    missing = [n for n, p in family.named_parameters() if id(p) in trained and (p.grad is None or not p.grad.any())]
    assert [n for n in missing if n != "bus.conditions.picture.pool.bias"] == []
    assert all(p.grad is None for p in family.parameters() if id(p) not in trained)
    assert all(not m.training for n, m in family.named_modules() if ".outer" in n)


@pytest.mark.parametrize("kind", ["pixels", "tokens", "masked"])
def test_steps_lower_the_loss(kind):
    family, losses = model(kind, (1, 4, 4)).train(), []
    optimiser = torch.optim.AdamW(family.parameters(), 1e-2)
    for _ in range(12):
        loss = family.loss(batch(family)).total
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.96 * losses[0]


@pytest.mark.parametrize("kind", ["pixels", "tokens", "masked"])
def test_what_is_said_changes_the_picture_and_may_be_left_out(kind):
    family = model(kind)
    a, b, none = (
        family.sample(family.bus.parse(said, 1), streams=Streams(0, [0]))
        for said in ({"label": ["a"]}, {"label": ["b"]}, {})
    )
    assert not torch.equal(a, b)
    assert not torch.equal(a, none)
    bare = model(kind, said=Bus({}))
    assert bare.sample(Conditions(count=2), streams=Streams(0, [0, 1])).shape == (2, 1, 8, 8)


@pytest.mark.parametrize("kind", ["pixels", "tokens"])
def test_guidance_draws_from_the_power_of_what_the_words_change(kind):
    family, count, w = model(kind, (1, 1, 1), **{"levels": 256} if kind == "tokens" else {}), 4000, 8.0
    if kind == "pixels":  # where the label says little at first
        with torch.no_grad():
            [p.mul_(10) for p in family.order.network.heard.parameters()]
    every = (torch.arange(256) / 127.5 - 1).view(-1, 1, 1, 1)

    def logs(said):
        return family.log_prob(every, family.bus.parse(said, 256), streams=Streams(0, range(256)))

    plain, told = logs({}), logs({"label": ["a"] * 256})
    wanted = (plain + w * (told - plain)).softmax(0)
    said = family.bus.parse({"label": ["a"] * count}, count)
    x = family.sample(said, streams=Streams(0, range(count)), guidance=w, chunk=count)
    share = torch.bincount(((x.flatten() + 1) * 127.5).round().long(), minlength=256) / count
    assert (share.cumsum(0) - wanted.cumsum(0)).abs().max() < 0.03  # Kolmogorov and Smirnov: 0.03 is p = 0.001
    assert (told.exp().cumsum(0) - wanted.cumsum(0)).abs().max() > 0.1


@pytest.mark.parametrize("kind", ["pixels", "tokens"])
def test_without_temperature_guidance_takes_the_likeliest(kind):
    family = model(kind)
    said = family.bus.parse({"label": ["a"] * 2}, 2)
    one, other = family.sample(said, streams=Streams(0, [0, 1]), guidance=2.0, temperature=0.0)
    assert one.isfinite().all()
    assert kind == "pixels" or torch.equal(one, other)  # the components of a mixture are still drawn


@pytest.mark.parametrize("kind", KINDS)
def test_guidance_of_one_or_of_nothing_changes_nothing(kind):
    family, streams = model(kind), Streams(0, [0, 1])
    said = family.bus.parse({"label": ["a", None]}, 2)
    plain = family.sample(said, streams=streams)
    assert torch.equal(plain, family.sample(said, streams=streams, guidance=1.0))
    strong = family.sample(said, streams=streams, guidance={"label": 4.0})
    alone = family.sample(said.rows(slice(0, 1)), streams=Streams(0, [0]), guidance=4.0)
    assert torch.equal(strong[0], alone[0])
    assert not torch.equal(strong[0], plain[0])
    if kind != "pixels":  # whose guided levels are drawn by another rule
        assert torch.equal(strong[1], plain[1])


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_given_is_kept_and_heard(kind):
    family, x = model(kind), pictures(2)
    said, mask = family.bus.parse({}, 2), torch.zeros(2, 1, 8, 8, dtype=torch.bool)
    mask[:, :, :4] = True
    done = family.complete(x, mask, said, streams=Streams(0, [0, 1]))
    assert torch.equal(done[:, :, :4], x[:, :, :4])
    other = family.complete(-x, mask, said, streams=Streams(0, [0, 1]))
    assert not torch.equal(done[:, :, 4:], other[:, :, 4:])
    assert torch.equal(done, family.complete(torch.where(mask, x, 0.0), mask, said, streams=Streams(0, [0, 1])))


def test_temperature_top_k_and_nucleus_by_hand():
    logits = torch.log(torch.tensor([0.1, 0.5, 0.15, 0.25]))
    assert torch.allclose(tempered(logits).float(), logits.exp())
    assert torch.allclose(tempered(logits, top_k=2).float(), torch.tensor([0, 2 / 3, 0, 1 / 3]))
    assert torch.allclose(tempered(logits, top_p=0.6).float(), torch.tensor([0, 2 / 3, 0, 1 / 3]))
    squares = logits.exp() ** 2
    assert torch.allclose(tempered(logits, temperature=0.5).float(), squares / squares.sum())
    assert tempered(logits, temperature=0).tolist() == [0, 1, 0, 0]
    with pytest.raises(ConfigurationError, match="top_p"):
        tempered(logits, top_p=0.0)


def test_uniform_numbers_become_the_distribution_asked_for():
    p = torch.tensor([0.25, 0.0, 0.75])
    numbers = drawn(p.expand(1000, 3), (torch.arange(1000) + 0.5) / 1000)
    assert torch.bincount(numbers, minlength=3).tolist() == [250, 0, 750]
    assert drawn(torch.tensor([1.0, 0.0]), torch.tensor(1 - 2.0**-24)).item() == 0


def test_levels_of_8_bits_lose_nothing():
    x = pictures(2, (3, 4, 4))
    alphabet = Levels((3, 4, 4), 256)
    assert torch.allclose(alphabet.pictures(alphabet.tokens(x)), x, atol=1e-6)
    coarse = Levels((3, 4, 4), 7)
    tokens = coarse.tokens(x)
    assert torch.equal(coarse.tokens(coarse.pictures(tokens)), tokens)


def test_what_does_not_fit_is_refused():
    family = model("pixels")
    with pytest.raises(ConfigurationError, match="top_k"):
        family.sample(family.bus.parse({}, 1), streams=Streams(0, [0]), top_k=3)
    with pytest.raises(ConfigurationError, match="solver"):
        family.sample(family.bus.parse({}, 1), streams=Streams(0, [0]), solver="euler")
    with pytest.raises(ConditionError, match="depth"):
        family.sample(family.bus.parse({}, 1), streams=Streams(0, [0]), guidance={"depth": 3.0})
    with pytest.raises(ConfigurationError, match="8-bit"):
        model("pixels", levels=8)
    with pytest.raises(ConfigurationError, match="tokenizer"):
        Autoregressive((1, 8, 8), bus(), "tokens", VectorQuantized((1, 16, 16), widths=(8, 8)))


def test_the_bits_of_the_log_are_those_of_the_likelihood():
    family = model("pixels")
    given = batch(family)
    given = Batch(given.x, family.bus.parse({}, 4), given.streams)
    exact = family.log_prob(given.x, given.conditions, streams=given.streams).mean() / -64 / math.log(2)
    assert family.loss(given).parts["bits"].item() == pytest.approx(exact.item(), rel=1e-5)
