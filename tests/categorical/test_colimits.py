"""Averages by hand, loops of renamings, glued units counted by their cycles, and joins of subspaces."""

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.categorical import colimits as c
from memscape.categorical.matching import matching, renamed
from memscape.memory.hopfield import projection
from memscape.memory.patterns import random_patterns
from memscape.tools.perceptrons import Perceptrons, accuracy, he_perceptrons


def nets(networks=3, hidden=5, seed=0):
    model = he_perceptrons(networks, 6, hidden, 3, rng=np.random.default_rng(seed), dtype=torch.float64)
    bias = torch.from_numpy(np.random.default_rng(seed + 9).normal(size=(networks, hidden)))
    return Perceptrons(model.first, bias, model.second, model.second_bias)


def data(count=40):
    draw = np.random.default_rng(3)
    return torch.from_numpy(draw.normal(size=(count, 6))), torch.from_numpy(draw.integers(0, 3, count))


def shuffles(networks, hidden, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).permuted(np.tile(np.arange(hidden), (networks, 1)), axis=1))


def cycles(places):
    """Number of cycles of one permutation, by walking them."""
    left, count = set(range(len(places))), 0
    while left:
        here, count = min(left), count + 1
        while here in left:
            left.remove(here)
            here = int(places[here])
    return count


def test_the_average_is_the_mean_of_all_weights():
    models = nets()
    mean = c.average(models, torch.tensor([[0, 2], [1, 1]]))
    for whole, each in zip(mean.parameters, models.parameters, strict=True):
        torch.testing.assert_close(whole[0], (each[0] + each[2]) / 2)
        torch.testing.assert_close(whole[1], each[1])


def test_renamed_copies_of_one_network_average_to_it_only_if_matched():
    models, groups = nets(1).chosen(torch.zeros(4, dtype=torch.int64)), torch.tensor([[0, 1, 2, 3]])
    places = shuffles(4, 5)
    places[0] = torch.arange(5)
    copies = renamed(models, places)
    torch.testing.assert_close(c.matched_average(copies, groups).first[0], models.first[0])
    assert (c.average(copies, groups).first[0] - models.first[0]).abs().max() > 0.1
    torch.testing.assert_close(c.distance(copies, models), torch.zeros(4, dtype=torch.float64))


def test_the_distance_is_the_least_over_renamings():
    models, others = nets(), nets(seed=1)
    assert torch.equal(c.distance(renamed(models, shuffles(3, 5)), others), c.distance(models, others))
    plain = sum((a - b).square().flatten(1).sum(1) for a, b in zip(models.parameters, others.parameters, strict=True))
    assert (c.distance(models, others) < plain.sqrt()).all()


def test_an_ensemble_of_one_is_the_network_and_many_vote_by_their_probabilities():
    models, (images, labels) = nets(), data()
    torch.testing.assert_close(
        c.ensemble_accuracy(models, torch.arange(3)[:, None], images, labels), accuracy(models, images, labels)
    )
    together = models.logits(images).softmax(dim=-1).sum(dim=0).argmax(dim=-1)
    found = c.ensemble_accuracy(models, torch.tensor([[0, 1, 2]]), images, labels)
    assert found.item() == (together == labels).double().mean().item()


def test_a_loop_of_renamed_copies_closes_and_there_and_back_is_the_identity():
    copies = renamed(nets(1).chosen(torch.zeros(3, dtype=torch.int64)), shuffles(3, 5))
    loops = torch.tensor([[0, 1, 2], [2, 1, 0], [1, 1, 1]])
    assert torch.equal(c.round_trip(copies, loops), torch.arange(5).expand(3, -1))
    there_and_back = torch.tensor([[0, 1], [1, 2], [0, 2]])
    assert torch.equal(c.round_trip(nets(hidden=12), there_and_back), torch.arange(12).expand(3, -1))


def test_a_round_trip_is_the_matchings_one_after_the_other():
    models = nets(hidden=12)
    a, b, d = (models.chosen(torch.tensor([k])) for k in range(3))
    by_hand = torch.arange(12)
    for here, there in ((a, b), (b, d), (d, a)):
        by_hand = matching(there, here)[0][by_hand]
    assert torch.equal(c.round_trip(models, torch.tensor([[0, 1, 2]]))[0], by_hand)
    assert not torch.equal(by_hand, torch.arange(12))


def test_glued_units_are_the_cycles_of_the_loop_and_a_tree_glues_no_two_units_of_a_network():
    models = nets(hidden=12)
    trip = c.round_trip(models, torch.tensor([[0, 1, 2]]))[0]
    elements = c.glued(models, torch.tensor([[0, 1], [1, 2], [2, 0]]))
    assert int(elements.max()) + 1 == cycles(trip)
    assert torch.equal(elements[0][trip], elements[0])
    tree = c.glued(models, torch.tensor([[0, 1], [1, 2]]))
    assert int(tree.max()) + 1 == 12
    assert int(c.glued(models, torch.tensor([[0, 1]])).max()) + 1 == 24  # the third network is joined to nobody


def test_the_join_of_projectors_is_the_projector_of_the_union():
    patterns = random_patterns(12, 40, networks=(3,), generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for second in (patterns[:, 6:], patterns[:, 4:9], patterns[:, :6]):
        union = torch.cat([patterns[:, :6], second], dim=1)
        found = c.join(c.projector(patterns[:, :6]), c.projector(second))
        torch.testing.assert_close(found, c.projector(union))
    whole, stored = c.projector(patterns), projection(patterns)
    whole.diagonal(dim1=1, dim2=2).zero_()
    torch.testing.assert_close(whole, stored.weights)
    torch.testing.assert_close(c.projector(torch.zeros(2, 3, dtype=torch.float64)), torch.zeros(3, 3).double())


def test_refusals_name_the_argument():
    models, (images, labels) = nets(), data()
    for wrong in ([[0, 3]], [[-1, 0]], [0, 1], [[0.0, 1.0]]):
        with pytest.raises(ArgumentError, match="groups"):
            c.average(models, torch.tensor(wrong))
    with pytest.raises(ArgumentError, match="groups"):
        c.ensemble_accuracy(models, torch.zeros(0, 2, dtype=torch.int64), images, labels)
    with pytest.raises(ArgumentError, match="pairs"):
        c.glued(models, torch.tensor([[0, 1, 2]]))
    with pytest.raises(ArgumentError, match="first"):
        c.join(2 * torch.eye(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64))
    with pytest.raises(ArgumentError, match="second"):
        c.join(torch.eye(3, dtype=torch.float64), torch.eye(3, dtype=torch.float64).expand(2, 3, 3))
