"""Matchings against brute force, renamed networks compute the same, and lines between networks in closed form."""

import itertools

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.categorical import matching as m
from memscape.tools.perceptrons import Perceptrons, he_perceptrons, losses


def nets(networks=4, hidden=5, seed=0):
    model = he_perceptrons(networks, 6, hidden, 3, rng=np.random.default_rng(seed), dtype=torch.float64)
    bias = torch.from_numpy(np.random.default_rng(seed + 9).normal(size=(networks, hidden)))
    return Perceptrons(model.first, bias, model.second, model.second_bias)


def distance(a, b):
    return sum((x - y).square().flatten(1).sum(dim=1) for x, y in zip(a.parameters, b.parameters, strict=True))


def data(count=30):
    draw = np.random.default_rng(3)
    return torch.from_numpy(draw.normal(size=(count, 6))), torch.from_numpy(draw.integers(0, 3, count))


def test_no_other_renaming_of_the_units_comes_closer():
    a, b = nets(), nets(seed=1)
    best = distance(m.matched(a, b), b)
    tried = [distance(m.renamed(a, torch.tensor(order).expand(4, -1)), b) for order in itertools.permutations(range(5))]
    torch.testing.assert_close(best, torch.stack(tried).amin(dim=0))
    assert (best < distance(a, b)).all()


def test_a_network_with_renamed_units_computes_the_same_and_is_matched_back():
    a, (images, _) = nets(), data()
    places = torch.from_numpy(np.random.default_rng(0).permuted(np.tile(np.arange(5), (4, 1)), axis=1))
    other = m.renamed(a, places)
    torch.testing.assert_close(other.logits(images), a.logits(images))
    assert torch.equal(m.matched(other, a).first, a.first)
    assert torch.equal(m.matching(a, other), places)


def test_the_line_begins_and_ends_at_its_ends_and_is_affine_in_the_weights():
    a, b, (images, labels) = nets(), nets(seed=1), data()
    line = m.line_losses(a, b, images, labels, points=5)
    torch.testing.assert_close(line[:, 0], losses(a, images, labels))
    torch.testing.assert_close(line[:, -1], losses(b, images, labels))
    middle = Perceptrons(*((x + y) / 2 for x, y in zip(a.parameters, b.parameters, strict=True)))
    torch.testing.assert_close(line[:, 2], losses(middle, images, labels))
    shares = torch.tensor([0.0, 0.25, 0.5, 1.0], dtype=torch.float64)
    torch.testing.assert_close(losses(m.between(a, b, shares), images, labels), line[[0, 1, 2, 3], [0, 1, 2, 4]])


def test_barriers_and_rises_are_measured_from_different_levels():
    lines = torch.tensor([[0.0, 2.0, 1.0], [3.0, 2.0, 1.0], [3.0, 2.5, 0.0], [1.0, 0.0, 1.0]], dtype=torch.float64)
    assert m.barrier(lines).tolist() == [1.5, 0.0, 1.0, 0.0]
    assert m.rise(lines).tolist() == [1.0, 0.0, 0.0, 0.0]


def test_refusals_name_the_argument():
    a, (images, labels) = nets(), data()
    with pytest.raises(ArgumentError, match="to"):
        m.matching(a, nets(hidden=4))
    with pytest.raises(ArgumentError, match="places"):
        m.renamed(a, torch.zeros(4, 5, dtype=torch.int64))
    with pytest.raises(ArgumentError, match="share"):
        m.between(a, a, float("nan"))
    with pytest.raises(ArgumentError, match="points"):
        m.line_losses(a, a, images, labels, points=1)
    for line in (torch.zeros(3, 1), torch.tensor([0.0, torch.nan]), torch.zeros(2, dtype=torch.int64), "x"):
        with pytest.raises(ArgumentError, match="line"):
            m.barrier(line)
