"""Modulated convolutions, filtered resampling, and the family that is told styles."""

import pytest
import torch
from torch.nn import functional as F

from lienzo.conditions import Bus, ImageCondition, LabelCondition, MapCondition
from lienzo.core import Batch, Conditions, ConfigurationError, Encodes, Streams, build, config_of, require
from lienzo.families.duel import Rules
from lienzo.families.style_gan import StyleGAN
from lienzo.networks.style import ModulatedConv, enlarged

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
    family = StyleGAN(
        SHAPE, bus or Bus({}), **{"latent": 4, "style": 8, "widths": (8, 8, 8), "path_share": 0.5, **options}
    )
    if shake:
        for parameter in family.parameters():
            parameter.data += 0.1 * torch.randn_like(parameter)
        family.get_buffer("average").normal_()
    return family


def batch(count, bus=None):
    streams = Streams(0, range(count))
    if bus is None:
        said = Conditions(count=count)
    else:
        shown = [(torch.arange(192).view(8, 8, 3) * 5 % 256).to(torch.uint8).numpy(), None] * (count // 2)
        said = bus.parse({"label": ["a", None] * (count // 2), "picture": shown, "outline": shown}, count)
    return Batch(streams.child("x").uniform(*SHAPE) * 2 - 1, said, streams)


def test_demodulated_outputs_have_unit_variance():
    torch.manual_seed(0)
    layer = ModulatedConv(32, 16, 8)
    w = 3 * torch.randn(4, 8)
    with torch.no_grad():
        y = layer(torch.randn(4, 32, 40, 40), w)[:, :, 1:-1, 1:-1]
    assert torch.allclose(y.square().mean((2, 3)).mean(1), torch.ones(4), atol=0.05)
    assert (y.square().mean((2, 3)) - 1).abs().max() < 0.35  # every channel, not only their mean


def test_scaling_x_and_y_is_modulating_the_weights():
    torch.manual_seed(0)
    layer, x, w = ModulatedConv(4, 6, 8), torch.randn(3, 4, 5, 5), torch.randn(3, 8)
    for row in range(3):
        weight = layer.weight * layer.style(w[row : row + 1])[0][None, :, None, None]
        weight = weight / weight.square().sum((1, 2, 3), keepdim=True).sqrt()
        expected = F.conv2d(x[row : row + 1], weight, padding=1)
        assert torch.allclose(layer(x, w)[row : row + 1], expected, atol=1e-5)


def test_enlarging_is_zeros_between_and_a_filter():
    x = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    wide = torch.zeros(2, 3, 12, 12)
    wide[:, :, ::2, ::2] = x
    tap = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 4
    kernel = (tap[:, None] * tap).expand(3, 1, 4, 4)
    expected = F.conv2d(F.pad(wide, (2, 1, 2, 1)), kernel, groups=3)
    assert torch.allclose(enlarged(x, (12, 12))[:, :, 2:-2, 2:-2], expected[:, :, 2:-2, 2:-2], atol=1e-6)
    assert torch.allclose(enlarged(torch.ones(1, 2, 4, 4), (7, 7)), torch.ones(1, 2, 7, 7))


def test_truncation_zero_gives_the_average_picture():
    bus = everything()
    family = make(bus)
    said = bus.parse({"label": ["a", "b"]}, 2)
    drawn = family.sample(said, streams=Streams(0, [0, 1]), truncation=0.0, noise=False)
    average = family.draw(family.get_buffer("average")[None], said.rows(slice(0, 1))).clamp(-1, 1)
    assert torch.allclose(drawn, average.expand(2, -1, -1, -1), atol=1e-5)
    one, half = (family.styles(said, streams=Streams(0, [0, 1]), truncation=t) for t in (1.0, 0.5))
    assert torch.allclose(half, (one + family.get_buffer("average")) / 2, atol=1e-6)


def test_guidance_moves_styles_away_from_those_of_nothing_said():
    """At weight 1 it is the identity, at 0 nothing is said; between and beyond, w lies on the line through both."""
    bus = everything()
    family, streams = make(bus), Streams(0, [0, 1])
    said, unsaid = bus.parse({"label": ["a", "b"]}, 2), Conditions(count=2)
    plain, none = (family.styles(each, streams=streams) for each in (said, unsaid))
    assert not torch.allclose(plain, none)
    assert torch.equal(family.styles(said, streams=streams, guidance=1.0), plain)
    every = {"streams": streams, "guided": "coarse,middle,fine"}
    assert torch.allclose(family.styles(said, guidance=0.0, **every), none, atol=1e-6)
    whole = family.styles(said, guidance={"label": 1.5}, **every)
    assert torch.allclose(whole, none + 1.5 * (plain - none), atol=1e-6)
    part = family.styles(said, streams=streams, guidance=1.5, guided="coarse")
    assert torch.equal(part, family.mixed(plain, whole, ("coarse",)))
    with pytest.raises(ConfigurationError, match="no layers are called"):
        family.styles(said, streams=streams, guidance=1.5, guided="rough")
    guided = family.sample(said, streams=streams, guidance=1.5)
    assert not torch.allclose(guided, family.sample(said, streams=streams))
    assert torch.equal(guided[1:], family.sample(said.rows(slice(1, 2)), streams=Streams(0, [1]), guidance=1.5))
    assert torch.equal(family.sample(unsaid, streams=streams, guidance=2.0), family.sample(unsaid, streams=streams))


def test_training_moves_the_average_style_towards_the_mean():
    family = make(mixing=0.0).train()
    before = family.get_buffer("average").clone()
    family.loss(batch(4), "generator")
    mean = family.styles(Conditions(count=4), streams=Streams(0, range(4)))[:, 0].mean(0)
    expected = before + (1 - 0.5 ** (4 / 5000)) * (mean - before)
    assert torch.allclose(family.get_buffer("average"), expected, atol=1e-6)


def test_the_path_penalty_is_that_of_the_jacobian():
    family = make(path_share=1.0).eval()
    penalty = family._path_penalty(Conditions(count=2), Streams(0, [0, 1]))
    own = Streams(0, [0, 1]).child("path")
    z, noise, y = own.normal(4), own.normal(family.synthesis.noise), own.normal(*SHAPE) / 8
    channels, lengths = family.bus(Conditions(count=1)), []
    for row in range(2):
        w = family.mapping(z[row : row + 1], channels)[:, None].expand(-1, family.code_shape[0], -1)
        jacobian = torch.autograd.functional.jacobian(
            lambda w, row=row: family.synthesis(w, noise[row : row + 1], channels)[0], w
        )
        slope = torch.einsum("chw,chwbld->ld", y[row], jacobian)
        lengths.append(slope.square().sum(1).mean().sqrt())
    lengths = torch.stack(lengths)
    assert torch.allclose(penalty, (lengths - 0.01 * lengths.mean()).square().mean(), rtol=1e-4)


def test_the_path_length_follows_in_training_alone():
    family = make()
    family.eval().loss(batch(4), "generator")
    assert family.get_buffer("length") == 0
    family.train().loss(batch(4), "generator")
    assert family.get_buffer("length") > 0


def test_mixing_takes_the_second_style_from_a_layer_on():
    family = make(mixing=1.0)
    w = family._mixed(Conditions(count=32), Streams(0, range(32)))
    for row in w:
        changes = [n for n in range(1, len(row)) if not torch.equal(row[n], row[n - 1])]
        assert len(changes) == 1
    same = make(mixing=0.0)._mixed(Conditions(count=4), Streams(0, range(4)))
    assert torch.equal(same, same[:, :1].expand_as(same))


def test_styles_of_two_pictures_are_mixed_by_grade():
    family = make()
    own, other = (family.styles(Conditions(count=1), streams=Streams(0, [n])) for n in (0, 1))
    parts = [family.mixed(own, other, [grade]) for grade in ("coarse", "middle", "fine")]
    taken = [[n for n in range(5) if torch.equal(part[0, n], other[0, n])] for part in parts]
    assert taken == [[0], [1, 2], [3, 4]]
    assert torch.equal(family.mixed(own, other, ["coarse", "middle", "fine"]), other)
    with pytest.raises(ConfigurationError, match="layers"):
        family.mixed(own, other, ["finest"])
    with pytest.raises(ConfigurationError, match="middle"):
        make(widths=(8, 8)).mixed(own[:, :3], other[:, :3], ["middle"])  # two grids have no layers between


def test_a_late_style_leaves_the_first_grids_alone():
    family = make(fold=1)
    w = torch.randn(1, 5, 8, generator=torch.Generator().manual_seed(0), requires_grad=True)
    seen = []
    family.synthesis.layers[2].register_forward_hook(lambda *call: seen.append(call[2]))
    family.draw(w)
    (slope,) = torch.autograd.grad(seen[0].sum(), w)
    assert slope[0, :3].any(1).all()
    assert not slope[0, 3:].any()


def test_gradients_reach_every_parameter_of_the_player_and_none_of_the_other():
    bus = everything()
    family = make(bus)
    owners = {p: {id(q) for q in family.parameters_of(p)} for p in family.players}
    assert not owners["critic"] & owners["generator"]
    assert len(owners["critic"] | owners["generator"]) == len(list(family.parameters()))
    for player in family.players:
        family.zero_grad(set_to_none=True)
        family.loss(batch(8, bus), player).total.backward()
        for name, parameter in family.named_parameters():
            if id(parameter) not in owners[player]:
                assert parameter.grad is None, name
            else:
                assert parameter.grad is not None, name
                assert parameter.grad.any(), name


def test_losses_survive_bfloat16():
    family = make()
    for player in family.players:
        with torch.autocast("cpu", torch.bfloat16):
            total = family.loss(batch(4), player).total
        total.backward()
        assert all(torch.isfinite(p.grad).all() for p in family.parameters_of(player) if p.grad is not None)


def test_a_picture_is_found_again_among_the_styles():
    family = make(steps=150)
    assert require(family, Encodes) is family
    w = family.styles(Conditions(count=2), streams=Streams(0, [0, 1]))
    x = family.decode(w).detach()
    found = family.encode(x)
    start = family.draw(family.get_buffer("average")[None]).detach()
    error = (family.decode(found) - x).square().mean((1, 2, 3))
    assert (error < 0.05 * (start - x).square().mean((1, 2, 3))).all()
    assert torch.equal(family.encode(x[1:]), found[1:])
    assert all(p.grad is None and p.requires_grad for p in family.parameters())


def test_a_picture_does_not_depend_on_how_many_are_drawn():
    bus = everything()
    family = make(bus)
    said = bus.parse({"label": ["a", "b", "a", "b", None]}, 5)
    many = family.sample(said, streams=Streams(0, range(5)))
    one = family.sample(said.rows(slice(3, 4)), streams=Streams(0, [3]))
    assert torch.equal(many[3], one[0])


def test_conditions_change_the_picture_and_may_be_absent():
    bus = everything()
    family = make(bus)
    edges = torch.zeros(8, 8, 3, dtype=torch.uint8)
    edges[2:5] = 255
    said = [{}, {"label": ["a"]}, {"label": ["b"]}, {"picture": [edges.numpy()]}, {"outline": [edges.numpy()]}]
    drawn = {tuple(family.sample(bus.parse(s, 1), streams=Streams(0, [0])).flatten().tolist()) for s in said}
    assert len(drawn) == len(said)
    assert family.sample(Conditions(count=2), streams=Streams(0, [0, 1])).shape == (2, *SHAPE)


def test_it_is_rebuilt_bit_for_bit():
    bus = everything()
    family = make(bus, rules=Rules(contest="non-saturating", r1=3.0))
    again = build("family", config_of(family))
    again.load_state_dict(family.state_dict())
    said = bus.parse({"label": ["b"]}, 1)
    one, other = (f.sample(said, streams=Streams(0, [0]), truncation=0.7) for f in (family, again))
    assert torch.equal(one, other)


def test_a_critic_learns_to_tell_and_a_generator_to_please():
    family = make(shake=False, path=0.0)
    for player in family.players:
        losses, optimiser = [], torch.optim.AdamW(family.parameters_of(player), 3e-3, betas=(0.0, 0.99))
        for _ in range(10):
            loss = family.loss(batch(8), player).total
            losses.append(loss.item())
            family.zero_grad()
            loss.backward()
            optimiser.step()
        assert losses[-1] < 0.95 * losses[0]
