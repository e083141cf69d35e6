"""Contests, penalties, augmentation, and the family that is made of them."""

import pytest
import torch
from torch.nn import functional as F

from lienzo.conditions import Bus, ImageCondition, LabelCondition, MapCondition
from lienzo.core import Batch, Conditions, ConfigurationError, Streams, build, config_of
from lienzo.families.duel import Rules
from lienzo.families.gan import GAN
from lienzo.networks.heard import pooled
from lienzo.sampling.adversarial import CONTESTS, one_centred, squared_slopes
from lienzo.sampling.augmentation import augmented

SHAPE = (3, 8, 8)


def everything():
    torch.manual_seed(0)
    conditions = {
        "label": LabelCondition(["a", "b"]), "picture": ImageCondition(size=8, patch=4),
        "outline": MapCondition("edges", size=8),
    }  # fmt: skip
    return Bus(conditions, vector=8, token=8, drop=0.0, drop_all=0.0)


def make(bus=None, shake=True, **options):
    torch.manual_seed(0)
    gan = GAN(SHAPE, bus or Bus({}), latent=4, widths=(8, 8), **options)
    if shake:
        for parameter in gan.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
    return gan


def batch(count, bus=None, start=0):
    streams = Streams(0, range(start, start + count))
    said = bus.parse({"label": ["a", "b"] * (count // 2)}, count) if bus else Conditions(count=count)
    return Batch(streams.child("x").uniform(*SHAPE) * 2 - 1, said, streams)


def with_gradient(module):
    return {n for n, p in module.named_parameters() if p.grad is not None and p.grad.any()}


def test_slopes_of_a_linear_critic_are_its_weights():
    weight = torch.randn(12, generator=torch.Generator().manual_seed(0), requires_grad=True)
    x = torch.ones(5, 3, 2, 2, requires_grad=True)
    squared = squared_slopes(x.flatten(1) @ weight, x)
    assert torch.allclose(squared, weight.square().sum().expand(5))
    (gradient,) = torch.autograd.grad(squared.mean(), weight, retain_graph=True)
    assert torch.allclose(gradient, 2 * weight)
    (gradient,) = torch.autograd.grad(one_centred(squared).mean(), weight)
    norm = weight.norm()
    assert torch.allclose(gradient, 2 * (norm - 1) * weight / norm, atol=1e-5)


def test_slopes_of_a_quadratic_critic():
    x = torch.randn(4, 6, generator=torch.Generator().manual_seed(0), requires_grad=True)
    a = torch.tensor(0.7, requires_grad=True)
    squared = squared_slopes(a * x.square().sum(1), x)
    assert torch.allclose(squared, 4 * a**2 * x.square().sum(1))


@pytest.mark.parametrize("name", list(CONTESTS))
def test_both_players_pull_in_opposite_directions(name):
    real, fake = torch.tensor([0.3], requires_grad=True), torch.tensor([-0.2], requires_grad=True)
    up, down = torch.autograd.grad(CONTESTS[name].critic(real, fake).sum(), [real, fake])
    assert up < 0 < down
    (own,) = torch.autograd.grad(CONTESTS[name].generator(real, fake).sum(), fake)
    assert own < 0


def test_the_relativistic_contest_does_not_see_a_constant():
    row = CONTESTS["relativistic"]
    real, fake = torch.randn(2, 6, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(row.critic(real + 5, fake + 5), row.critic(real, fake), atol=1e-5)
    assert torch.allclose(row.critic(real, fake), -torch.log(torch.sigmoid(real - fake)), atol=1e-5)


def test_the_penalties_are_those_of_the_whole_critic():
    gan, given = make(rules=Rules(r1=2.0, r2=3.0)), batch(4)
    loss = gan.loss(given, "critic")
    with torch.no_grad():
        fake = gan.draw(given.rows(0, 4).streams.child("z").normal(4), given.conditions)
    channels, expected = gan.bus(given.conditions), 0.0
    values = []
    for weight, x in ((2.0, given.x), (3.0, fake)):
        for row in range(4):
            jacobian = torch.autograd.functional.jacobian(lambda r: gan.duel.network(r[None], channels), x[row])
            expected += weight / 2 * jacobian.square().sum() / 4
        values.append(gan.duel.network(x, channels))
    expected += F.softplus(values[1] - values[0]).mean()
    assert torch.allclose(loss.total, expected, rtol=1e-4)


@pytest.mark.parametrize("share", [0.5, 1.0])
def test_penalties_of_a_share_leave_the_contest_as_it_is(share):
    whole, part = (make(rules=Rules(share=s)).loss(batch(6), "critic") for s in (1.0, share))
    assert torch.allclose(whole.parts["contest"], part.parts["contest"], atol=1e-6)


@pytest.mark.parametrize("contest", list(CONTESTS))
@pytest.mark.parametrize("hears", ["projection", "concatenation"])
def test_gradients_reach_every_parameter_of_the_player_and_none_of_the_other(contest, hears):
    bus = everything()
    gan = make(bus, hears=hears, rules=Rules(contest=contest, augment=0.3))
    given = batch(48, bus)  # so many that no activation pattern lets a condition cancel between pairs
    shown = [(torch.arange(192).view(8, 8, 3) * 5 % 256).to(torch.uint8).numpy(), None] * 24
    said = {"label": ["a", None] * 24, "picture": shown, "outline": shown}
    given = Batch(given.x, bus.parse(said, 48), given.streams)
    owners = {p: {id(q) for q in gan.parameters_of(p)} for p in gan.players}
    assert not owners["critic"] & owners["generator"]
    assert len(owners["critic"] | owners["generator"]) == len(list(gan.parameters()))
    for player in gan.players:
        gan.zero_grad(set_to_none=True)
        gan.loss(given, player).total.backward()
        for name, parameter in gan.named_parameters():
            if id(parameter) not in owners[player]:
                assert parameter.grad is None, name
        reached = with_gradient(gan)
        missing = {n for n, p in gan.named_parameters() if id(p) in owners[player] and n not in reached}
        assert not missing


def test_players_are_complete_and_unknown_ones_are_refused():
    with pytest.raises(ConfigurationError, match="player"):
        make().parameters_of("referee")


def test_rules_that_do_not_exist_are_refused():
    with pytest.raises(ConfigurationError, match="contest"):
        make(rules=Rules(contest="chess"))
    with pytest.raises(ConfigurationError, match="rules"):
        build("family", {"kind": "gan", "shape": [3, 8, 8], "rules": {"r3": 1.0}}, bus=Bus({}))
    with pytest.raises(ConfigurationError, match="share"):
        make(rules=Rules(share=0.0))


def test_penalties_survive_bfloat16_and_a_missing_graph():
    gan = make()
    plain = gan.loss(batch(4), "critic").parts
    with torch.autocast("cpu", torch.bfloat16):
        loss = gan.loss(batch(4), "critic")
    loss.total.backward()
    assert torch.allclose(loss.parts["r1"], plain["r1"], rtol=1e-5)  # at real pictures: float32 in both
    assert all(torch.isfinite(p.grad).all() for p in gan.parameters_of("critic") if p.grad is not None)
    with torch.no_grad():
        assert torch.allclose(gan.loss(batch(4), "critic").parts["r1"], plain["r1"])


def test_augmentation_at_zero_is_the_identity():
    x = batch(5).x
    assert torch.equal(augmented(x, Streams(0, range(5)), 0.0), x)
    assert torch.equal(augmented(x[:, :1], Streams(0, range(5)), torch.tensor(0.0)), x[:, :1])


def test_augmentation_is_differentiable_and_each_row_has_its_own():
    x = batch(16).x.double().requires_grad_()
    seen = augmented(x, Streams(0, range(16)), 1.0)
    (gradient,) = torch.autograd.grad(seen.sum(), x)
    assert (gradient.flatten(1).abs().sum(1) > 0).all()
    step = 1e-4 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = augmented(x + step, Streams(0, range(16)), 1.0)
    assert torch.allclose((moved - seen).sum(), (gradient * step).sum(), atol=1e-6)
    alone = augmented(x[3:4], Streams(0, [3]), 1.0)
    assert torch.allclose(alone, seen[3:4])
    same = augmented(x[:1].expand(16, -1, -1, -1), Streams(0, range(16)), 1.0)
    assert len({tuple(row.flatten().tolist()) for row in same.detach()}) > 12


def test_augmentation_adapts_to_an_overfitting_critic():
    gan = make(rules=Rules(augment=0.5, adapt=100)).train()
    for right, expected in ((1.0, 0.54), (-1.0, 0.5)):
        gan.duel._adapt(torch.full((4,), right))
        assert gan.duel.get_buffer("probability").item() == pytest.approx(expected)
    gan.eval().duel._adapt(torch.ones(4))
    assert gan.duel.get_buffer("probability").item() == pytest.approx(0.5)


def test_tokens_are_pooled_over_those_that_say_something():
    tokens = torch.randn(2, 3, 4, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[True, True, False], [True, False, False]])
    assert torch.allclose(pooled(tokens, mask), torch.stack([tokens[0, :2].mean(0), tokens[1, 0]]))


def test_a_picture_does_not_depend_on_how_many_are_drawn():
    bus = everything()
    gan = make(bus)
    said = bus.parse({"label": ["a", "b", "a", "b", None]}, 5)
    many = gan.sample(said, streams=Streams(0, range(5)))
    one = gan.sample(said.rows(slice(3, 4)), streams=Streams(0, [3]))
    assert torch.equal(many[3], one[0])


def test_conditions_change_picture_and_judgement_and_may_be_absent():
    bus = everything()
    gan = make(bus)
    edges = torch.zeros(8, 8, 3, dtype=torch.uint8)
    edges[2:5] = 255
    said = [{}, {"label": ["a"]}, {"label": ["b"]}, {"picture": [edges.numpy()]}, {"outline": [edges.numpy()]}]
    x, drawn, values = batch(1).x, [], []
    for each in said:
        conditions = bus.parse(each, 1)
        drawn.append(tuple(gan.sample(conditions, streams=Streams(0, [0])).flatten().tolist()))
        values.append(gan.duel.network(x, gan.duel.bus(conditions)).item())
    assert len(set(drawn)) == len(set(values)) == len(said)
    assert gan.sample(Conditions(count=2), streams=Streams(0, [0, 1])).shape == (2, *SHAPE)


def test_it_is_rebuilt_bit_for_bit():
    bus = everything()
    gan = make(bus, rules=Rules(contest="hinge", augment=0.25, adapt=1000))
    again = build("family", config_of(gan))
    again.load_state_dict(gan.state_dict())
    assert again.duel.rules == gan.duel.rules
    said = bus.parse({"label": ["b"]}, 1)
    one, other = (f.sample(said, streams=Streams(0, [0])) for f in (gan, again))
    assert torch.equal(one, other)
    one, other = (f.loss(batch(4, bus), "critic").total for f in (gan, again))
    assert torch.equal(one, other)


def test_a_critic_learns_to_tell_and_a_generator_to_please():
    gan = make(shake=False)
    for player in gan.players:
        losses, optimiser = [], torch.optim.AdamW(gan.parameters_of(player), 3e-3, betas=(0.0, 0.99))
        for _ in range(10):
            loss = gan.loss(batch(8), player).total
            losses.append(loss.item())
            gan.zero_grad()
            loss.backward()
            optimiser.step()
        assert losses[-1] < 0.95 * losses[0]


def test_odd_sides_are_rounded_up_and_drawn_exactly():
    gan = GAN((1, 28, 28), Bus({}), latent=4, widths=(8, 8, 8))
    assert gan.generator.grids == [(4, 4), (7, 7), (14, 14)]
    assert gan.sample(Conditions(count=1), streams=Streams(0, [0])).shape == (1, 1, 28, 28)
    with pytest.raises(ConfigurationError, match="multiple"):
        GAN((1, 27, 27), Bus({}))


def test_a_critic_may_take_several_steps():
    assert make(rules=Rules(contest="wasserstein-gp", critic_steps=3)).players == ("critic",) * 3 + ("generator",)
    with pytest.raises(ConfigurationError, match="critic_steps"):
        make(rules=Rules(critic_steps=0))
