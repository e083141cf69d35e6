"""Whole jumps along the path from noise: their identities on a Gaussian, and a model that draws in one call."""

from fractions import Fraction

import pytest
import torch
from torch import nn

from lienzo.conditions import Bus, LabelCondition, MapCondition, TextCondition
from lienzo.core import Batch, Conditions, ConfigurationError, Streams, build, config_of
from lienzo.families.diffusion import Diffusion
from lienzo.families.few_step import FewStep
from lienzo.networks import PatchTransformer, UNet
from lienzo.sampling import SCHEDULES
from lienzo.sampling.jumps import along_path, binary_jump, binary_jumps, jumping, mean_flow, shortcut, straight_velocity
from lienzo.sampling.processes import uniform

SHAPE = (1, 4, 4)
MEAN, STD = 0.3, 0.4  # of a Gaussian, whose path is known


def spread(t):
    return (t**2 * STD**2 + (1 - t) ** 2).sqrt()


def velocity(z, t):
    rate = (t * STD**2 - (1 - t)) / spread(t) ** 2  # d log σ_t / dt
    return MEAN + rate * (z - t * MEAN)


def average(z, t, h):
    t, h = t[:, None], h[:, None]
    end = (t + h) * MEAN + spread(t + h) / spread(t) * (z - t * MEAN)
    return torch.where(h > 0, (end - z) / h.clamp(min=1e-9), velocity(z, t))


def places(count=64, shape=(1,)):
    generator = torch.Generator().manual_seed(0)
    t = torch.rand(count, generator=generator, dtype=torch.float64) * 0.9
    h = (1 - t) * torch.rand(count, generator=generator, dtype=torch.float64)
    return torch.randn(count, *shape, generator=generator, dtype=torch.float64), t, h


def make_bus():
    return Bus({"kind_of": LabelCondition(["a", "b"])}, vector=8)


def make(bus=None, net=PatchTransformer, **options):
    torch.manual_seed(0)
    bus = bus if bus is not None else make_bus()
    sizes = {"widths": (8, 8), "depth": 1, "attention": (1,), "heads": 2}
    sizes = sizes if net is UNet else {"patch": 2, "width": 16, "depth": 1, "heads": 2}
    return FewStep(net(SHAPE, bus.sizes, **sizes), bus, SHAPE, **options)


def shaken(family):
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in family.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    return family


def batch(family, count=8, said="a", first=0):
    streams = Streams(0, range(first, first + count))
    x = streams.child("x").uniform(*family.shape) * 2 - 1
    named = {"kind_of": [said] * count} if "kind_of" in family.bus.names else {}
    return Batch(x, family.bus.parse(named, count), streams)


def test_the_mean_flow_identity_holds_for_the_average_velocity_of_a_gaussian():
    z, t, h = places()
    v = velocity(z, t[:, None])
    assert torch.allclose(mean_flow(average, z, t, h, v), average(z, t, h), atol=1e-9)


def test_the_mean_flow_identity_fails_for_another_function():
    z, t, h = places()
    wrong = mean_flow(lambda z, t, h: average(z, t, h / 2), z, t, h, velocity(z, t[:, None]))
    assert (wrong - average(z, t, h / 2)).abs().max() > 0.05


def test_two_exact_jumps_make_one():
    z, t, _ = places()
    h = torch.full_like(t, 1 / 16)
    assert torch.allclose(shortcut(average, z, t, h, z), average(z, t, h), atol=1e-9)


def test_the_shortest_shortcut_is_made_of_velocities():
    heard = []

    def record(z, t, h):
        heard.append(h)
        return average(z, t, h)

    z, t, _ = places()
    shortcut(record, z, t, torch.full_like(t, 1 / 32), z)
    assert [float(h.abs().max()) for h in heard] == [0, 0]


def test_binary_jumps_end_on_their_own_grid():
    t, h = binary_jump(Streams(0, range(500)), uniform())
    assert set((1 / h).tolist()) == {1, 2, 4, 8, 16, 32}
    assert torch.equal((t / h).round(), t / h)
    assert bool((t + h <= 1).all())


@pytest.mark.parametrize("net", [PatchTransformer, UNet])
@pytest.mark.parametrize("predicts", ["velocity", "data"])
def test_the_derivative_along_the_path_is_that_of_finite_differences(net, predicts):
    family = shaken(make(net=net, predicts=predicts, tempo=0.05))
    channels = family.bus(family.bus.parse({}, 4))
    z, t, h = (part.float() for part in places(4, SHAPE))
    t, v, e = t * 0.8, torch.ones_like(z) * 0.7, 5e-4

    def u(z, t, h):
        return family._average(z, t, h, channels)

    with torch.no_grad():
        exact = along_path(u, z, t, h, v)
        apart = (u(z + e * v, t + e, h - e) - u(z - e * v, t - e, h + e)) / (2 * e)
    assert (exact - apart).norm() < 0.01 * exact.norm()


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_teacher_on_any_schedule_gives_the_straight_velocity(name):
    own = SCHEDULES[name]()

    def denoise(x, t):
        alpha, sigma = own.alpha(t)[:, None], own.sigma(t)[:, None]
        return MEAN + alpha * STD**2 / (alpha**2 * STD**2 + sigma**2) * (x - alpha * MEAN)

    z, t, _ = places()
    t = 0.05 + 0.9 * t
    assert torch.allclose(straight_velocity(denoise, own, z, t), velocity(z, t[:, None]), atol=1e-4)


@pytest.mark.parametrize("objective", ["mean-flow", "shortcut"])
def test_one_call_lands_near_the_modes(objective):
    bus = Bus({})
    torch.manual_seed(0)
    network = PatchTransformer((1, 2, 2), bus.sizes, patch=2, width=64, depth=1, heads=2)
    family = FewStep(network, bus, (1, 2, 2), objective, times="uniform", share=0.5, sigma_data=0.6)
    mode, steps, size = torch.tensor([[[0.6, -0.6], [-0.6, 0.6]]]), 120, 128
    optimiser = torch.optim.AdamW(family.parameters(), 5e-3)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 5e-3 * min(1, 2 * (1 - step / steps))
        streams = Streams(0, range(step * size, (step + 1) * size))
        sign = (streams.child("sign").integers(2, 1, 1, 1) * 2 - 1).float()
        x = sign * mode + 0.05 * streams.child("x").normal(1, 2, 2)
        optimiser.zero_grad()
        family.loss(Batch(x, Conditions(count=size), streams)).total.backward()
        nn.utils.clip_grad_norm_(family.parameters(), 1.0)
        optimiser.step()
    x = family.sample(Conditions(count=400), streams=Streams(9, range(400)), chunk=400)
    side = (x * mode).sum((1, 2, 3), keepdim=True).sign()
    near = ((x - side * mode).abs().amax((1, 2, 3)) < 0.25).float().mean()
    assert near > 0.8
    assert 0.35 < (side > 0).float().mean() < 0.65


@pytest.mark.parametrize("objective", ["mean-flow", "shortcut"])
def test_gradients_reach_every_parameter(objective):
    bus = Bus({"text": TextCondition(length=4, depth=1, heads=2), "kind_of": LabelCondition(["a", "b"]),
               "edges": MapCondition("edges", size=4)}, vector=8, token=8)  # fmt: skip
    family = shaken(make(bus, objective=objective))
    said = bus.parse({"text": ["a cat", None] * 8, "kind_of": ["a", None] * 8, "edges": [None] * 16}, 16)
    b = batch(family, 16)
    family.loss(Batch(b.x, said, b.streams)).total.backward()
    silent = [n for n, p in family.named_parameters() if p.grad is None or not p.grad.any()]
    assert [n for n in silent if not n.startswith("bus.")] == []


def test_no_gradient_flows_through_the_target():
    family = shaken(make(share=1.0))
    b = batch(family)
    streams, channels = b.streams, family.bus(family.bus.drop(b.conditions, b.streams))
    rows = torch.arange(8)
    t, h = family._places(streams, rows)
    noise = streams.child("noise").normal(*SHAPE)
    z = t.view(-1, 1, 1, 1) * b.x + (1 - t).view(-1, 1, 1, 1) * noise
    with torch.no_grad():
        target = mean_flow(lambda z, t, h: family._average(z, t, h, channels), z, t, h, b.x - noise)
    error = (family._average(z, t, h, channels) - target).square().mean((1, 2, 3))
    by_hand = torch.autograd.grad((error / (error.detach() + 1e-3)).mean(), family.network.unembed.weight)[0]
    family.loss(batch(family)).total.backward()
    assert torch.allclose(family.network.unembed.weight.grad, by_hand, atol=1e-6)


def test_a_batch_in_parts_has_the_loss_of_the_whole():
    family = shaken(make())
    b = batch(family, 12, first=5)
    parts = [family.loss(b.rows(i, i + 4)).total for i in (0, 4, 8)]
    assert torch.allclose(torch.stack(parts).mean(), family.loss(b).total, atol=1e-5)
    assert len(jumping(b.streams.indices, 0.25, torch.device("cpu"))) == 3


def test_guidance_moves_the_velocity_away_from_what_is_unsaid():
    family, v = shaken(make(guidance=3.0)), torch.randn(4, *SHAPE)
    said = family.bus.parse({"kind_of": ["a", None, "b", None]}, 4)
    z, t = torch.randn(4, *SHAPE), torch.full((4,), 0.5)
    with torch.no_grad():
        guided = family._velocity(z, t, v, said)
        plain = family._average(z, t, torch.zeros(4), family.bus(family.bus.parse({}, 4)))
    assert torch.equal(guided[1::2], v[1::2])
    assert torch.allclose(guided[::2], 3 * v[::2] - 2 * plain[::2], atol=1e-5)


def test_the_estimate_behind_a_noisy_picture_is_the_end_of_the_velocity():
    family = shaken(make(predicts="data"))
    said, z, t = family.bus.parse({}, 3), torch.randn(3, *SHAPE), torch.tensor([0.0, 0.4, 0.9])
    u = family._average(z, t, torch.zeros(3), family.bus(said))
    assert torch.allclose(family.denoise(z, t, said), z + (1 - t).view(-1, 1, 1, 1) * u, atol=1e-6)


def test_a_teacher_is_heard_and_stays_as_it_is():
    bus = make_bus()
    teacher = shaken(Diffusion(PatchTransformer(SHAPE, bus.sizes, patch=2, width=16, depth=1, heads=2), bus, SHAPE,
                               process="denoising-diffusion"))  # fmt: skip
    family = shaken(make(teacher=teacher, guidance=2.0)).train()
    b = batch(family)
    with_teacher = family.loss(b)
    with_teacher.total.backward()
    assert not teacher.training
    assert all(p.grad is None for p in teacher.parameters())
    assert not set(teacher.parameters()) & set(family.parameters_of())
    family.teacher = None
    assert family.loss(batch(family)).total != with_teacher.total


@pytest.mark.parametrize("target", ["data", "velocity"])
@pytest.mark.parametrize("net", [PatchTransformer, UNet])
def test_a_student_like_its_teacher_begins_as_it(target, net):
    bus, its = make_bus(), make_bus()
    teacher = shaken(make(its, net, predicts="data"))  # for a network and a bus whose weights are not the first ones
    teacher = Diffusion(teacher.network, its, SHAPE, target=target)
    family = make(bus, net, objective="shortcut", teacher=teacher)
    z, t, said = torch.randn(3, *SHAPE), torch.tensor([0.0, 0.4, 0.9]), {"kind_of": ["a", "b", "a"]}
    mine, theirs = (f.denoise(z, t, f.bus.parse(said, 3)) for f in (family, teacher))
    assert (family.predicts, family.tempo) == (target, 1)
    assert torch.allclose(mine, theirs, atol=1e-5)
    assert not {id(p) for p in teacher.network.parameters()} & {id(p) for p in family.network.parameters()}


@pytest.mark.parametrize(("other", "words"), [({"objective": "mean-flow"}, {}), ({"predicts": "velocity"}, {}),
                                              ({"tempo": 0.1}, {}), ({}, {"sigma_data": 1.0}),
                                              ({}, {"process": "edm"})])  # fmt: skip
def test_a_student_unlike_its_teacher_begins_anew(other, words):
    bus = make_bus()
    network = PatchTransformer(SHAPE, bus.sizes, patch=2, width=16, depth=1, heads=2)
    teacher = shaken(Diffusion(network, bus, SHAPE, **{"target": "data", **words} if "process" not in words else words))
    family = make(teacher=teacher, **{"objective": "shortcut", **other})
    assert family.tempo == other.get("tempo", 0.02)
    assert not all(torch.equal(p, q) for p, q in zip(network.parameters(), family.network.parameters(), strict=True))


def test_a_larger_student_begins_anew():
    bus = make_bus()
    teacher = Diffusion(PatchTransformer(SHAPE, bus.sizes, patch=2, width=32, depth=1, heads=2), bus, SHAPE)
    family = make(bus, objective="shortcut", teacher=teacher)
    assert (family.tempo, family.predicts) == (0.02, "data")


def test_a_student_with_its_teacher_is_rebuilt_bit_for_bit():
    bus = make_bus()
    teacher = Diffusion(PatchTransformer(SHAPE, bus.sizes, patch=2, width=16, depth=1, heads=2), bus, SHAPE)
    family = shaken(make(teacher=teacher, objective="shortcut", predicts="data"))
    again = build("family", config_of(family))
    again.load_state_dict(family.state_dict())
    said = family.bus.parse({"kind_of": ["b"]}, 1)
    one, other = (f.sample(said, streams=Streams(0, [0]), steps=2) for f in (family, again))
    assert torch.equal(one, other)
    assert torch.equal(family.loss(batch(family)).total, again.loss(batch(again)).total)


@pytest.mark.parametrize("net", [PatchTransformer, UNet])
def test_a_model_to_which_nothing_can_be_said_hears_how_far_to_jump(net):
    family = shaken(make(Bus({}), net))
    again = build("family", config_of(family))
    again.load_state_dict(family.state_dict())
    z, t = torch.randn(2, *SHAPE), torch.tensor([0.2, 0.2])
    near, far = (family._average(z, t, torch.full((2,), h), family.bus(Conditions(count=2))) for h in (0.1, 0.8))
    assert not torch.allclose(near, far, atol=1e-6)
    assert family.sample(Conditions(count=2), streams=Streams(0, [0, 1]), steps=4).shape == (2, *SHAPE)


@pytest.mark.parametrize("steps", [1, 4])
def test_a_picture_does_not_depend_on_how_many_are_drawn(steps):
    family = shaken(make())
    said = family.bus.parse({"kind_of": ["a"] * 5}, 5)
    many = family.sample(said, streams=Streams(0, range(5)), steps=steps)
    one = family.sample(said.rows(slice(3, 4)), streams=Streams(0, [3]), steps=steps)
    assert torch.equal(many[3], one[0])


def test_what_is_said_changes_the_sample():
    family = shaken(make())
    pictures = [family.sample(family.bus.parse(said, 1), streams=Streams(0, [0]))
                for said in ({"kind_of": ["a"]}, {"kind_of": ["b"]}, {})]  # fmt: skip
    assert len({tuple(p.flatten().tolist()) for p in pictures}) == 3


def test_the_last_estimate_is_the_state():
    family = shaken(make())
    steps = list(family.sampling(family.bus.parse({}, 2), streams=Streams(0, [0, 1]), steps=3))
    assert [p.step for p in steps] == [1, 2, 3]
    assert torch.equal(steps[-1].x, steps[-1].estimate)


@pytest.mark.parametrize(
    ("options", "word"),
    [({"objective": "none"}, "objective"), ({"predicts": "noise"}, "predicts"), ({"share": 0.0}, "share"),
     ({"objective": "shortcut", "share": 0.6}, "at most 0.5"),
     ({"bus": Bus({}), "guidance": 2.0}, "guidance")],
)  # fmt: skip
def test_what_cannot_be_is_refused(options, word):
    with pytest.raises(ConfigurationError, match=word):
        make(**options)


def test_a_network_of_another_width_is_refused():
    with pytest.raises(ConfigurationError, match="vectors of 0"):
        FewStep(PatchTransformer(SHAPE, patch=2, width=16, depth=1, heads=2), make_bus(), SHAPE)
    with pytest.raises(ConfigurationError, match="Identity"):
        FewStep(nn.Identity(), Bus({}), SHAPE)


def test_options_that_it_does_not_have_are_refused():
    family = make()
    with pytest.raises(ConfigurationError, match="solver"):
        family.sample(family.bus.parse({}, 1), streams=Streams(0, [0]), solver="heun")


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 7, 8, 11, 32])
def test_shortcuts_take_any_number_of_jumps_and_none_that_they_never_learnt(steps):
    lengths = binary_jumps(steps)
    starts = [sum(lengths[:n], Fraction(0)) for n in range(steps)]
    assert len(lengths) == steps
    assert sum(lengths) == 1
    drawn = {Fraction(1, 2**k) for k in range(6)}  # as `binary_jump` does
    assert all(h in drawn and (t / h).denominator == 1 for t, h in zip(starts, lengths, strict=True))


def test_a_model_is_asked_for_the_jumps_that_it_learnt(monkeypatch):
    asked = []

    def jumps(objective, steps):
        family = shaken(make(objective=objective))
        average = family._average
        asked.clear()

        def heard(z, t, h, channels):
            asked.append((float(t[0]), float(h[0])))
            return average(z, t, h, channels)

        monkeypatch.setattr(family, "_average", heard)
        family.sample(family.bus.parse({}, 1), streams=Streams(0, [0]), steps=steps, chunk=1)
        return list(asked)

    assert jumps("shortcut", 3) == [(0, 0.25), (0.25, 0.25), (0.5, 0.5)]
    assert jumps("shortcut", 4) == [(n / 4, 0.25) for n in range(4)]
    thirds = [each for jump in jumps("mean-flow", 3) for each in jump]
    assert thirds == pytest.approx([0, 1 / 3, 1 / 3, 1 / 3, 2 / 3, 1 / 3])
    assert {h for _, h in jumps("shortcut", 33)} == {0.0, 1 / 32}, "shorter than any that was learnt: the velocity"


def test_jumps_of_a_straight_path_end_in_one_place_however_many():
    family = make(objective="shortcut")
    family._average = lambda z, t, h, channels: (0.3 - z) / (1 - t).view(-1, 1, 1, 1)  # all to one point
    said = family.bus.parse({}, 2)
    for steps in (1, 3, 6, 7):
        x = family.sample(said, streams=Streams(0, [0, 1]), steps=steps)
        assert torch.allclose(x, torch.full_like(x, 0.3), atol=1e-5)
    with pytest.raises(ConfigurationError, match="0 steps"):
        family.sample(said, streams=Streams(0, [0, 1]), steps=0)
