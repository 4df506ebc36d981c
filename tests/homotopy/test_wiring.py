"""Wirings: degrees, Betti numbers counted twice, closed forms, and memories on them against brute force."""

import itertools
import math
from collections import Counter

import networkx as nx
import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import links, wiring
from memscape.memory.hopfield import Hopfield
from memscape.memory.patterns import random_patterns
from memscape.memory.simplicial import store
from memscape.tools.complexes import betti_numbers, f_vector, to_gudhi
from memscape.tools.homology import below, betti_by_elimination


def rng(seed=0):
    return np.random.default_rng(seed)


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("sizes", [(2,) * 5, (3, 3, 2), (4, 2, 2), (6, 3), (6, 6)])
def test_woven_graphs_have_the_degree_of_their_layers(sizes):
    adjacency = wiring.woven(60, sizes, rng=rng())
    assert torch.equal(adjacency, adjacency.mT)
    assert not adjacency.diagonal().any()
    assert (adjacency.sum(dim=-1) == sum(size - 1 for size in sizes)).all()


def test_blocks_are_there_and_layers_differ_between_draws():
    graph = nx.from_numpy_array(wiring.woven(24, (4, 2), rng=rng(1)).numpy())
    fours = {frozenset(clique) for clique in nx.find_cliques(graph) if len(clique) == 4}
    assert len(fours) == 6
    assert len(frozenset().union(*fours)) == 24
    source = rng()
    assert not torch.equal(wiring.woven(24, (4, 2), rng=source), wiring.woven(24, (4, 2), rng=source))


def test_halves_make_it_bipartite():
    graph = nx.from_numpy_array(wiring.woven(20, (2,) * 6, halves=True, rng=rng()).numpy())
    assert nx.is_bipartite(graph)
    assert set(dict(graph.degree()).values()) == {6}
    assert wiring.woven(20, (2,) * 10, halves=True, rng=rng()).sum() == 200


def test_layers_that_cannot_fit_are_refused():
    with pytest.raises(ArgumentError, match="sizes"):
        wiring.woven(4, (2, 2, 2, 2), rng=rng())
    with pytest.raises(ArgumentError, match="does not"):
        wiring.woven(6, (3, 3), rng=rng())
    with pytest.raises(ArgumentError, match="sizes"):
        wiring.woven(8, (4,), halves=True, rng=rng())


def test_clustering_is_that_of_networkx():
    for seed in range(4):
        graph = nx.gnp_random_graph(12, 0.1 + 0.2 * seed, seed=seed)
        adjacency = torch.from_numpy(nx.to_numpy_array(graph) > 0)
        assert float(wiring.clustering(adjacency)) == pytest.approx(nx.average_clustering(graph), abs=1e-12)


def test_flag_complexes_against_elimination():
    for seed in range(4):
        tree = wiring.flag_complex(nx.gnp_random_graph(9, 0.5, seed=seed), 8)
        for field in (2, 3):
            assert betti_numbers(tree, field=field) == betti_by_elimination(tree, field)
        assert betti_by_elimination(tree, 0) == betti_by_elimination(tree, 2)


def test_betti_numbers_of_the_four_graphs_in_closed_form():
    half = wiring.woven(40, (2,) * 7, halves=True, rng=rng())
    for graph, wanted in [
        (nx.disjoint_union_all([nx.complete_graph(8)] * 5), (5, 0)),
        (nx.circulant_graph(40, [1, 2, 3, 20]), (1, 21)),
        (nx.from_numpy_array(half.numpy()), (1, 140 - 40 + 1)),
    ]:
        assert below(wiring.flag_complex(graph, 2), 1) == wanted
    small = wiring.flag_complex(nx.circulant_graph(16, [1, 2, 8]), 2)  # chords short enough to eliminate
    assert below(small, 1) == betti_by_elimination(small, 3)[:2] == (1, 9)


@pytest.mark.parametrize("widths", [(3, 4, 2), (3, 4, 4, 2), (2, 3, 3, 3, 2), (2, 1, 3), (2, 2, 2, 2, 2, 2), (4, 5)])
@pytest.mark.parametrize("skips", range(5))
def test_layered_networks_have_one_reduced_betti_number(widths, skips):
    tree = wiring.flag_complex(wiring.layered(widths, skips), len(widths))
    wanted = wiring.layered_betti(widths, skips)
    padded = (*wanted, *[0] * len(widths))[: tree.dimension() + 1]
    assert betti_numbers(tree) == betti_numbers(tree, field=3) == padded
    if sum(f_vector(tree)) < 150:
        assert betti_by_elimination(tree, 0) == padded
    euler = sum((-1) ** d * number for d, number in enumerate(f_vector(tree)))
    assert euler == sum((-1) ** d * number for d, number in enumerate(wanted))


def test_layers_in_closed_form():
    assert wiring.layered_betti((3, 4, 2), 0) == (1, 3 * 4 + 4 * 2 - 9 + 1)
    assert wiring.layered_betti((3, 4, 4, 2), 2) == wiring.layered_betti((3, 4, 4, 2), 9) == (1, 0, 0, 2 * 3 * 3 * 1)


def inputs(simplices):
    return set(simplices.inputs.tolist())


@pytest.mark.parametrize(("sizes", "each"), [((3,) * 6, 6), ((4, 5), 3 + 6), ((10,), 36)])
def test_woven_triples_are_regular(sizes, each):
    simplices = wiring.woven_triples(60, sizes, rng=rng())
    assert inputs(simplices) == {each}
    assert simplices.counts == {2: 60 * each // 3}


def test_random_sizes_are_uniform_over_all_choices():
    source = rng(5)
    drawn = Counter(wiring.random_sizes(7, (3, 4, 5), rng=source) for _ in range(4000))
    wanted = {(3,) * 7, (4, 3, 3, 3, 3), (4, 4, 3), (5, 3)}
    assert set(drawn) == wanted
    assert all(abs(number - 1000) < 120 for number in drawn.values())
    with pytest.raises(ArgumentError, match="add up"):
        wiring.random_sizes(7, (4, 5), rng=source)


def test_triples_that_cannot_fit_are_refused():
    with pytest.raises(ArgumentError, match="sizes"):
        wiring.woven_triples(6, (6, 3), rng=rng())
    with pytest.raises(ArgumentError, match="common triple"):
        wiring.woven_triples(9, (3,) * 28, rng=rng(2))


@pytest.mark.parametrize("field", [2, 3])
def test_tori_and_klein_bottles(field):
    for simplices in (
        wiring.surface(3, 4),
        wiring.surface(6, 7),
        wiring.surface(1, 7, shift=2),
        wiring.surface(4, 4, shift=1),
    ):
        assert betti_numbers(to_gudhi(simplices), field=field) == (1, 2, 1)
    for rows, columns in ((4, 5), (5, 6), (6, 6)):
        tree = to_gudhi(wiring.surface(rows, columns, twisted=True))
        assert betti_numbers(tree, field=field) == ((1, 2, 1) if field == 2 else (1, 1, 0))
        assert f_vector(tree) == (rows * columns, 3 * rows * columns, 2 * rows * columns)


def test_surfaces_by_elimination():
    torus, bottle = to_gudhi(wiring.surface(3, 4)), to_gudhi(wiring.surface(4, 4, twisted=True))
    assert [betti_by_elimination(torus, field) for field in (0, 2, 3)] == [(1, 2, 1)] * 3
    assert [betti_by_elimination(bottle, field) for field in (0, 2, 3)] == [(1, 1, 0), (1, 2, 1), (1, 1, 0)]


def test_surfaces_that_touch_themselves_are_refused():
    for rows, columns in ((1, 7), (2, 5), (1, 1), (2, 2)):
        with pytest.raises(ArgumentError, match="touch"):
            wiring.surface(rows, columns)


def test_copies_add_up_and_overlays_keep_degrees():
    torus = wiring.surface(3, 4)
    three = wiring.copies(torus, 3)
    assert betti_numbers(to_gudhi(three)) == (3, 6, 3)
    assert inputs(three) == {6}
    six = wiring.overlaid(wiring.surface(6, 10), 6, rng=rng())
    assert inputs(six) == {36}
    assert six.counts == {2: 720}
    with pytest.raises(ArgumentError, match="times"):
        wiring.overlaid(wiring.surface(1, 7, shift=2), 3, rng=rng())


def test_memories_on_a_graph_have_hebbian_couplings_where_there_is_an_edge():
    patterns = random_patterns(3, 10, networks=(2,), generator=draw())
    adjacency = torch.stack([wiring.woven(10, (2, 2, 2), rng=rng(seed)) for seed in (0, 1)])
    model = wiring.on_graph(patterns, adjacency)
    for g, i, j in itertools.product(range(2), range(10), range(10)):
        wanted = (patterns[g, :, i] * patterns[g, :, j]).sum() * adjacency[g, i, j] if i != j else 0
        assert model.couplings[g, i, j] == wanted
    with pytest.raises(ArgumentError, match="adjacency"):
        wiring.on_graph(patterns, adjacency[:1])


def test_wrong_units_and_ties_one_by_one():
    patterns = random_patterns(4, 12, networks=(3,), generator=draw(1))
    adjacency = wiring.woven(12, (3, 2, 2), rng=rng())
    model = wiring.on_graph(patterns, adjacency)
    found = wiring.twice_wrong(model, patterns)
    for g, p in itertools.product(range(3), range(4)):
        field = [float(model.couplings[g, i] @ patterns[g, p]) * float(patterns[g, p, i]) for i in range(12)]
        assert found[g, p] == sum(2 * (f < 0) + (f == 0) for f in field)
    edges = adjacency.triu().nonzero()
    from memscape.tools.complexes import Simplices

    assert torch.equal(wiring.twice_wrong(store(patterns, Simplices(12, (edges,))), patterns), found)
    with pytest.raises(ArgumentError, match="model"):
        wiring.twice_wrong(Hopfield(model.couplings, torch.ones(3, 12, dtype=torch.float64)), patterns)


def test_one_step_errors_are_the_exact_ones():
    """All pairs of patterns on six units, in pairs on a ring and in triples on a torus of seven."""
    states = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=7)), dtype=torch.float64)
    patterns = torch.stack([torch.ones_like(states), states], dim=1)
    ring = torch.from_numpy(nx.to_numpy_array(nx.circulant_graph(7, [1, 2])) > 0)
    wrong = wiring.twice_wrong(wiring.on_graph(patterns, ring), patterns)[:, 0].sum().item()
    assert wrong / (2 * 7 * 128) == links.pair_error(4, 2)
    torus = wiring.surface(1, 7, shift=2)
    wrong = wiring.twice_wrong(store(patterns, torus), patterns)[:, 0].sum().item()
    assert math.isclose(wrong / (2 * 7 * 128), float(links.one_step_error(nx.cycle_graph(6), 2)), rel_tol=1e-12)
