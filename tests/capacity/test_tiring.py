"""A network that walks: its fields against the couplings written out, and its order against a walk among the items."""

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import recall, tiring
from memscape.tools import pieces

from ..draws import rng


def test_items_have_one_number_of_active_units():
    items = tiring.sparse_items(5, 40, 7, networks=3, generator=rng())
    assert items.shape == (3, 5, 40)
    assert (items.sum(dim=-1) == 7).all()
    assert ((items == 0) | (items == 1)).all()
    assert len(items.reshape(15, 40).unique(dim=0)) == 15


def plain_walk(items, ranks, start, updates):
    """One walk with the couplings written out; where it went, and how often that was the most similar item."""
    count, units = items.shape
    active = int(items[0].sum())
    away = items - active / units
    here, left, made, met, nearest = start, None, set(), [start], 0
    while True:
        fresh = torch.ones(count, dtype=torch.float64)
        fresh[[place for place in (here, left) if place is not None]] = 0
        couplings = torch.einsum("m,mi,mj->ij", fresh, away, away)
        couplings.fill_diagonal_(0)
        state = items[here]
        for _ in range(updates):
            # The whole numbers of the module are these fields times 100, and ranks are below one half.
            field = (100 * state @ couplings).round() + ranks
            last = torch.zeros(units, dtype=torch.float64)
            last[field.topk(active).indices] = 1
            if torch.equal(last, state):
                break
            state = last
        overlaps = items @ state
        overlaps[fresh == 0] = -1
        after = int(overlaps.argmax())
        if (here, after) in made:
            return met, len(made), nearest
        made.add((here, after))
        similar = items @ items[here]
        similar[fresh == 0] = -1
        nearest += bool(similar[after] == similar.max())
        left, here = here, after
        if here not in met:
            met.append(here)


def test_walks_are_those_with_couplings_written_out():
    items = tiring.sparse_items(6, 60, 6, networks=4, generator=rng(1))
    ranks = torch.rand(4, 60, dtype=torch.float64, generator=rng(2)) / 2
    tour = tiring.tiring_walk(items, walks=6, updates=20, generator=rng(2))
    for network in range(4):
        for start in range(6):
            met, steps, nearest = plain_walk(items[network], ranks[network], start, 20)
            assert tour.order[network, start].tolist() == met + [-1] * (6 - len(met))
            assert (tour.steps[network, start], tour.nearest[network, start]) == (steps, nearest)
    assert tour.nearest.sum() < tour.steps.sum()


def test_large_networks_mostly_walk_to_the_most_similar_item():
    items = tiring.sparse_items(8, 4000, 200, networks=3, generator=rng(3))
    tour = tiring.tiring_walk(items, walks=2, generator=rng(4))
    assert tour.nearest.sum() > 0.8 * tour.steps.sum()
    walks = recall.walk(items @ items.mT, torch.tensor([0, 1]).expand(3, 2))
    assert (tour.order == walks)[..., 1].double().mean() > 0.6


def test_pieces_change_nothing():
    items = tiring.sparse_items(5, 40, 4, networks=3, generator=rng(5))
    whole = tiring.tiring_walk(items, walks=2, generator=rng(6))
    with pieces.budget(1):
        few = tiring.tiring_walk(items, walks=2, generator=rng(6))
    assert torch.equal(whole.order, few.order)
    assert torch.equal(whole.steps, few.steps)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: tiring.sparse_items(3, 5, 5, generator=rng()), "active"),
        (lambda: tiring.tiring_walk(torch.eye(4)[None, :2], generator=rng()), "items"),
        (lambda: tiring.tiring_walk(torch.eye(4)[None] * 2, generator=rng()), "items"),
        (lambda: tiring.tiring_walk(torch.ones(1, 4, 4), generator=rng()), "items"),
        (lambda: tiring.tiring_walk(torch.eye(4)[None], walks=5, generator=rng()), "walks"),
        (lambda: tiring.tiring_walk(torch.eye(4)[None], updates=0, generator=rng()), "updates"),
    ],
)
def test_what_does_not_fit_is_refused(call, named):
    with pytest.raises(ArgumentError, match=named):
        call()
