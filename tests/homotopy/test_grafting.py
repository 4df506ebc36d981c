"""Transition systems: laws by counting maps, words by hand; modules in whole numbers and every order."""

import itertools

import networkx as nx
import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.homotopy import grafting
from memscape.homotopy.equaliser import Network
from memscape.homotopy.grafting import System

STEP = System(2, 1, ((0, 0, 1),), (1,))
TURN = System(1, 1, ((0, 0, 0),), (0,))
STILL = System(1, 0, (), (0,))
SOME = [STEP, TURN, STILL, System(2, 2, ((0, 0, 1), (1, 1, 0)), (0, 1)), System(3, 1, ((0, 0, 1), (0, 0, 2)), (2,))]


def test_small_systems():
    assert [len(grafting.small_systems(n)) for n in (1, 2)] == [2, 16]
    assert len(set(grafting.small_systems(2))) == 16


def test_maps_by_hand():
    assert grafting.maps(STEP, TURN) == 2  # the label goes to the label, or to nothing
    assert grafting.maps(TURN, STEP) == 0  # the start is final, and its image is not
    assert grafting.maps(STEP, STEP) == 1  # the end must go to the end, so the label cannot go to nothing
    assert grafting.maps(STILL, STILL) == 1


@pytest.mark.parametrize(("a", "b", "c"), list(itertools.product(SOME, repeat=3))[::3])
def test_sums_and_products_have_their_maps(a, b, c):
    assert grafting.maps(grafting.sum_of(a, b), c) == grafting.maps(a, c) * grafting.maps(b, c)
    assert grafting.maps(c, grafting.product(a, b)) == grafting.maps(c, a) * grafting.maps(c, b)


def test_sums_and_products_by_hand():
    both = grafting.sum_of(STEP, STEP)
    assert (both.states, both.labels, both.moves, both.final) == (3, 2, ((0, 0, 1), (0, 1, 2)), (1, 2))
    pairs = grafting.product(STEP, STEP)
    assert (pairs.states, pairs.labels, pairs.final) == (4, 3, (3,))
    assert pairs.moves == ((0, 0, 2), (0, 1, 1), (0, 2, 3), (1, 0, 3), (2, 1, 3))


def test_words_and_grafts_by_hand():
    assert grafting.words(STEP, 3) == {(0,)}
    assert grafting.words(TURN, 3) == {(), (0,), (0, 0), (0, 0, 0)}
    network = Network(2, ((0, 1),))
    joined = grafting.grafted(network, (STEP, TURN))
    assert (joined.states, joined.labels) == (3, 3)
    assert grafting.words(joined, 4) == {(0, 2), (0, 2, 1), (0, 2, 1, 1)}
    assert grafting.spelled(network, (STEP, TURN), 4) == {(0, 2), (0, 2, 1), (0, 2, 1, 1)}


def test_two_paths_through_a_diamond():
    network = Network(4, ((0, 1), (0, 2), (1, 3), (2, 3)))
    systems = (STEP, TURN, STEP, STILL)
    joined = grafting.grafted(network, systems)
    assert joined.states == 6
    assert len(joined.moves) == 1 + 1 + 1 + 4
    assert grafting.words(joined, 5) == grafting.spelled(network, systems, 5)
    assert len(grafting.words(joined, 4)) == 3


def modules(seed, kind):
    rng = np.random.default_rng(seed)
    network = grafting.random_network(5, 0.5, rng=rng)
    weights = rng.integers(-3, 4, (len(network.edges), 2, 2)).astype(kind)
    return network, weights, rng.integers(1, 5, (5, 2)).astype(kind)


@pytest.mark.parametrize("kind", [np.int64, np.float64])
@pytest.mark.parametrize("as_they_come", [False, True])
def test_orders_that_respect_the_arrows_agree(kind, as_they_come):
    for seed in range(5):
        network, weights, inputs = modules(seed, kind)
        found = [
            grafting.composed(network, weights, inputs, order, as_they_come=as_they_come)
            for order in nx.all_topological_sorts(network.graph)
        ]
        assert all((each == found[0]).all() for each in found)


def test_modules_by_hand():
    network = Network(2, ((0, 1),))
    weights, inputs = np.array([[[2]]]), np.array([[3], [-1]])
    assert grafting.composed(network, weights, inputs, (0, 1)).tolist() == [[3], [5]]
    assert grafting.composed(network, weights, inputs, (1, 0)).tolist() == [[3], [0]]


def test_inputs_as_they_come_are_rounded_in_another_order():
    network = Network(4, ((0, 3), (1, 3), (2, 3)))
    weights, inputs = np.ones((3, 1, 1)), np.array([[0.1], [0.2], [0.3], [0.0]])
    first, second = (0, 1, 2, 3), (2, 1, 0, 3)
    fixed = [grafting.composed(network, weights, inputs, order)[3, 0] for order in (first, second)]
    loose = [grafting.composed(network, weights, inputs, order, as_they_come=True)[3, 0] for order in (first, second)]
    assert fixed[0] == fixed[1]
    assert loose[0] != loose[1]


def test_random_networks_are_acyclic():
    for seed in range(5):
        network = grafting.random_network(8, 0.4, rng=np.random.default_rng(seed))
        assert nx.is_directed_acyclic_graph(network.graph)
    assert grafting.random_network(6, 1.0, rng=np.random.default_rng(0)).edges != ()
    assert len(grafting.random_network(6, 1.0, rng=np.random.default_rng(0)).edges) == 15


def test_refusals():
    with pytest.raises(ArgumentError, match="acyclic"):
        grafting.grafted(Network(2, ((0, 1), (1, 0))), (STEP, STEP))
    with pytest.raises(ArgumentError, match="one first"):
        grafting.grafted(Network(2, ()), (STEP, STEP))
    with pytest.raises(ArgumentError, match="systems"):
        grafting.grafted(Network(2, ((0, 1),)), (STEP,))
    with pytest.raises(ArgumentError, match="ten million"):
        grafting.maps(grafting.product(SOME[4], SOME[4]), grafting.product(SOME[4], SOME[4]))
    with pytest.raises(ArgumentError, match="order"):
        grafting.composed(Network(2, ()), np.zeros((0, 1, 1)), np.zeros((2, 1)), (0, 0))
