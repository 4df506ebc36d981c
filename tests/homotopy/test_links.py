"""The law of the links, against all colourings, closed forms and independent counts."""

import itertools
import math
from collections import Counter
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import links, wiring
from memscape.memory.simplicial import store
from memscape.tools import pieces
from memscape.tools.complexes import Simplices

HEXAGONS = nx.disjoint_union_all([nx.cycle_graph(6)] * 6)
TRIANGLES = nx.disjoint_union_all([nx.cycle_graph(3)] * 12)
MATCHING = nx.disjoint_union_all([nx.path_graph(2)] * 36)
SMALL = [nx.gnm_random_graph(7, edges, seed=edges) for edges in range(1, 13)] + [nx.complete_bipartite_graph(2, 3)]


def colourings(graph):
    """Number of cuts of each size over all colourings, one by one."""
    counts = Counter()
    for spins in itertools.product((0, 1), repeat=len(graph)):
        colour = dict(zip(graph, spins, strict=True))
        counts[sum(colour[a] != colour[b] for a, b in graph.edges())] += 1
    return [counts[size] for size in range(graph.number_of_edges() + 1)]


@pytest.mark.parametrize("graph", SMALL)
def test_cuts_are_those_of_all_colourings(graph):
    pieces_ = nx.number_connected_components(graph)
    for via in ("cuts", "cycles", "shorter"):
        assert [2**pieces_ * number for number in links.cut_counts(graph, via=via)] == colourings(graph)


@pytest.mark.parametrize("graph", SMALL)
def test_even_sets_are_those_of_all_sets_of_edges(graph):
    counts = Counter()
    for chosen in itertools.product((0, 1), repeat=graph.number_of_edges()):
        part = nx.Graph(edge for edge, taken in zip(graph.edges(), chosen, strict=True) if taken)
        counts[sum(chosen)] += all(degree % 2 == 0 for _, degree in part.degree())
    wanted = tuple(counts[size] for size in range(graph.number_of_edges() + 1))
    assert all(links.cycle_counts(graph, via=via) == wanted for via in ("cuts", "cycles", "shorter"))
    assert sum(wanted) == 2 ** (graph.number_of_edges() - len(graph) + nx.number_connected_components(graph))


def test_the_enumerator_of_the_hamming_code():
    rows = np.array([[1, 0, 0, 0, 1, 1, 0], [0, 1, 0, 0, 1, 0, 1], [0, 0, 1, 0, 0, 1, 1], [0, 0, 0, 1, 1, 1, 1]])
    assert links.weight_enumerator(rows.astype(bool)) == (1, 0, 0, 7, 7, 0, 0, 1)


def test_long_words_are_counted_too():
    rows = np.zeros((2, 130), dtype=bool)
    rows[0, :70] = rows[1, 60:] = True
    counts = links.weight_enumerator(rows)
    assert {size: number for size, number in enumerate(counts) if number} == {0: 1, 70: 2, 120: 1}


def test_too_many_words_are_refused_with_what_fits():
    with pieces.budget(2**16), pytest.raises(ArgumentError, match="at most 11 rows"):
        links.weight_enumerator(np.eye(12, dtype=bool))


def test_a_forest_has_the_law_of_free_signs():
    wanted = tuple(Fraction(math.comb(36, k), 2**36) for k in range(37))
    for graph in (MATCHING, nx.star_graph(36), nx.path_graph(37), nx.random_labeled_tree(37, seed=3)):
        assert links.crosstalk(graph) == wanted


def test_one_odd_cycle_is_not_heard_and_an_even_one_is():
    free = links.crosstalk(MATCHING)
    for length in range(3, 10):
        graph = nx.disjoint_union(nx.cycle_graph(length), nx.star_graph(36 - length))
        assert (links.crosstalk(graph) == free) == (length % 2 == 1)


@pytest.mark.parametrize(
    "graph", [*SMALL, HEXAGONS, TRIANGLES, nx.complete_graph(9), nx.complete_bipartite_graph(6, 6)]
)
def test_cumulants_are_those_of_the_counted_cycles(graph):
    assert links.cumulants(graph) == links.counted_cumulants(graph)
    assert links.counted_cumulants(graph)[1] == -2 * graph.number_of_edges() + 24 * links.four_cycles(graph)


@pytest.mark.parametrize("graph", [*SMALL, HEXAGONS])
def test_the_generating_function_is_that_of_the_even_part_of_the_cycle_code(graph):
    law, cycles = links.crosstalk(graph), links.cycle_counts(graph)
    d = len(law) - 1
    for t in (0.1, 0.7):
        direct = sum(float(chance) * math.exp(t * (2 * k - d)) for k, chance in enumerate(law))
        code = math.cosh(t) ** d * sum(n * math.tanh(t) ** w for w, n in enumerate(cycles) if w % 2 == 0)
        assert direct == pytest.approx(code, rel=1e-12)


def test_four_cycles_in_closed_form():
    assert links.four_cycles(nx.complete_graph(9)) == 3 * math.comb(9, 4)
    assert links.four_cycles(nx.complete_bipartite_graph(6, 6)) == 225
    assert links.four_cycles(nx.hypercube_graph(3)) == 6


def brute(graph, patterns):
    """The error by summing over all values of the crosstalk of each other pattern."""
    law = links.crosstalk(graph)
    d = len(law) - 1
    found = Fraction(0)
    for chosen in itertools.product(range(d + 1), repeat=patterns - 1):
        chance = math.prod((law[c] for c in chosen), start=Fraction(1))
        total = sum(d - 2 * c for c in chosen)
        found += chance * (2 * (total < -d) + (total == -d)) / 2
    return found


@pytest.mark.parametrize("graph", [nx.cycle_graph(4), nx.complete_graph(4), nx.path_graph(3)])
def test_the_error_is_that_of_the_sum_of_independent_copies(graph):
    for patterns in (1, 2, 3, 4, 5):
        assert links.one_step_error(graph, patterns) == brute(graph, patterns)


def test_a_matching_errs_like_pairs_and_the_curve_agrees():
    counts = [1, 2, 4, 7, 19]
    for graph in (MATCHING, nx.star_graph(35), nx.complete_graph(9)):
        exact = [float(links.one_step_error(graph, count)) for count in counts]
        assert links.error_curve(graph, counts) == pytest.approx(exact, abs=1e-13)
        if graph.number_of_edges() != 36 or graph is MATCHING:
            pairs = [links.pair_error(graph.number_of_edges(), count) for count in counts]
            assert pairs == pytest.approx(exact, rel=1e-9)


def test_the_link_of_pairs_and_triples_is_what_a_network_of_them_feels():
    members = (torch.tensor([[0, 1], [0, 2], [1, 3]]), torch.tensor([[0, 1, 2], [0, 2, 3], [1, 2, 4]]))
    simplices = Simplices(5, members)
    graph = links.link(simplices, 0)
    assert {frozenset(edge) for edge in graph.edges()} == {frozenset(e) for e in [(0, 1), (0, 2), (1, 2), (2, 3)]}
    # All second patterns: the unit 0 of the first, of all ones, is wrong as often as the law says.
    states = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=5)), dtype=torch.float64)
    patterns = torch.stack([torch.ones_like(states), states], dim=1)
    field = torch.stack([store(each, simplices).field(each[:1])[0, 0] for each in patterns])
    wrong = ((field < 0) * 2 + (field == 0)).sum().item()
    assert Fraction(wrong, 64) == links.one_step_error(graph, 2)


def test_the_mean_error_is_that_of_all_links():
    simplices = wiring.woven_triples(12, (4, 3, 3), rng=np.random.default_rng(0))
    counts = [2, 5]
    each = [links.error_curve(links.link(simplices, unit), counts) for unit in range(12)]
    assert links.mean_errors(simplices, counts) == pytest.approx(np.mean(each, axis=0), abs=1e-14)
    with pytest.raises(ArgumentError, match="every unit"):
        links.mean_errors(Simplices(5, (torch.tensor([[0, 1, 2]]),)), counts)


def test_links_of_surfaces_are_hexagons():
    for simplices in (wiring.surface(6, 7), wiring.surface(5, 6, twisted=True), wiring.surface(1, 7, shift=2)):
        for unit in range(simplices.neurons):
            assert nx.is_isomorphic(links.link(simplices, unit), nx.cycle_graph(6))


@pytest.mark.parametrize(
    "graph", [nx.empty_graph(3), nx.DiGraph([(0, 1)]), nx.Graph([(0, 0)]), nx.MultiGraph([(0, 1)])]
)
def test_what_is_no_simple_graph_with_edges_is_refused(graph):
    with pytest.raises(ArgumentError, match="graph"):
        links.cut_counts(graph)


def test_tetrahedra_have_no_link_here():
    with pytest.raises(ArgumentError, match="simplices"):
        links.link(Simplices(4, (torch.tensor([[0, 1, 2, 3]]),)), 0)


def test_a_law_beyond_the_budget_is_refused():
    with pieces.budget(2**10), pytest.raises(ArgumentError, match="error_curve"):
        links.one_step_error(nx.path_graph(5), 400)
