"""Branches and low-rank differences: nothing at first, nothing without a map, and within their share."""

from dataclasses import replace

import pytest
import torch

from lienzo.conditions import Channels, Sizes
from lienzo.networks import PatchTransformer, UNet
from lienzo.networks.control import DESIGNS, Controlled
from lienzo.networks.low_rank import LowRank, lower, merge

SIZES = Sizes(vector=8, token=6, maps=2)
OWN = 3  # channels of the new map, and the one that tells whether it is said
BACKBONES = {
    "transformer": lambda: PatchTransformer((3, 16, 16), SIZES, patch=4, width=32, depth=3, heads=2, words_from=1),
    "one block": lambda: PatchTransformer((3, 16, 16), SIZES, patch=4, width=32, depth=1, heads=2),
    "unet": lambda: UNet((3, 16, 16), SIZES, widths=(8, 16), depth=1, attention=(1,), heads=2),
}


@pytest.fixture(params=BACKBONES)
def network(request):
    torch.manual_seed(0)
    made = BACKBONES[request.param]()
    for parameter in made.parameters():  # layers that start at zero too
        torch.nn.init.normal_(parameter, std=0.1)
    return made.requires_grad_(False)


def said(told, count=2):
    """Everything that the backbone hears and, of the new map, noise and whether it is there."""
    generator = torch.Generator().manual_seed(1)
    draw = lambda *shape: torch.randn(count, *shape, generator=generator)  # noqa: E731
    plain = Channels(draw(8), draw(5, 6), torch.ones(count, 5, dtype=torch.bool), draw(2, 16, 16))
    flag = torch.tensor(told, dtype=torch.float32).view(count, 1, 1, 1).expand(-1, 1, 16, 16)
    return plain, replace(plain, maps=torch.cat([plain.maps, draw(OWN - 1, 16, 16), flag], 1))


def states():
    generator = torch.Generator().manual_seed(2)
    return torch.randn(2, 3, 16, 16, generator=generator), torch.tensor([0.2, 0.7])


def branched(network, design, size=4):
    torch.manual_seed(3)
    return Controlled(network, DESIGNS[design].make(network, OWN - 1, (16, 16), size), SIZES.maps, OWN)


def wake(module):
    for parameter in module.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.3)


@pytest.mark.parametrize("design", DESIGNS)
def test_a_fresh_branch_changes_not_one_bit_and_a_trained_one_none_where_its_map_is_unsaid(network, design):
    controlled, (plain, more), (x, t) = branched(network, design), said([1.0, 0.0]), states()
    before = network(x, t, plain)
    assert torch.equal(controlled(x, t, more), before)
    wake(controlled.branch)
    after = controlled(x, t, more)
    assert torch.equal(after[1], before[1])
    assert not torch.allclose(after[0], before[0], atol=1e-3)


@pytest.mark.parametrize("design", DESIGNS)
def test_gradients_reach_every_weight_of_a_branch_and_none_of_the_backbone(network, design):
    controlled, (_, more), (x, t) = branched(network, design), said([1.0, 1.0]), states()
    wake(controlled.branch)
    controlled(x, t, more).square().sum().backward()
    learnt = {name: p for name, p in controlled.named_parameters() if p.requires_grad}
    assert learnt
    assert {name for name, p in learnt.items() if p.grad is None or not p.grad.any()} == set()
    assert all(p.grad is None for p in network.parameters())


def test_a_copy_holds_the_very_weights_of_what_it_copies(network):
    own = {id(p) for p in network.parameters()}
    twin = network.early()
    assert {id(p) for p in twin.parameters()} < own
    whole, (plain, _), (x, t) = network.states(*states(), said([1.0, 1.0])[0]), said([1.0, 1.0]), states()
    for mine, theirs in zip(twin.states(x, t, plain), whole, strict=False):
        assert torch.equal(mine, theirs)


def test_what_is_added_at_a_place_is_what_the_state_there_gains(network):
    (plain, _), (x, t) = said([1.0, 1.0]), states()
    before = network.states(x, t, plain)
    for place, where in enumerate(network.places):
        assert before[place].shape[1:] == (where.width, *where.grid)
        added = [torch.zeros(2, p.width, *p.grid) for p in network.places]
        added[place] = torch.ones_like(added[place])
        after = network.states(x, t, plain, added)
        assert torch.allclose(after[place] - before[place], added[place], atol=1e-5)
        assert not torch.allclose(network(x, t, plain, added), network(x, t, plain))


def test_two_branches_add_up(network):
    (_, more), (x, t) = said([1.0, 1.0]), states()
    one = branched(network, "features")
    two = Controlled(one, DESIGNS["copy"].make(one, OWN - 1, (16, 16), 2), SIZES.maps, OWN)
    wake(one.branch)
    both = replace(more, maps=torch.cat([more.maps, more.maps[:, -OWN:]], 1))
    assert torch.equal(two(x, t, both), one(x, t, more))  # the second is fresh
    wake(two.branch)
    assert not torch.allclose(two(x, t, both), one(x, t, more), atol=1e-3)


def test_low_rank_is_nothing_at_first_and_merges_into_the_weights(network):
    (plain, _), (x, t) = said([1.0, 1.0]), states()
    before, count = network(x, t, plain), sum(p.numel() for p in network.parameters())
    lower(network, 2)
    assert torch.equal(network(x, t, plain), before)
    wake(network)
    lower(network, 1)  # another on top
    wake(network)
    after = network(x, t, plain)
    assert not torch.allclose(after, before, atol=1e-2)
    merge(network)
    assert not any(isinstance(module, LowRank) for module in network.modules())
    assert sum(p.numel() for p in network.parameters()) == count
    assert torch.allclose(network(x, t, plain), after, rtol=1e-4, atol=1e-3 * float(after.detach().abs().max()))
