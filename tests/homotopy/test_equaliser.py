"""Circulations and tokens: closed series, brute force, sympy's determinants, cycles by hand."""

import itertools
import math
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
import sympy

from memscape.arguments import ArgumentError
from memscape.homotopy import equaliser
from memscape.homotopy.equaliser import Network
from memscape.polytopes import digraphs
from memscape.tools import pieces

LOOP = Network(1, ((0, 0),))
LOOPS = Network(1, ((0, 0), (0, 0)))
PAIR = Network(2, ((0, 1), (1, 0)))
RING = Network(3, ((0, 1), (1, 2), (2, 0)))
THETA = Network(2, ((0, 1), (0, 1), (1, 0)))
PATH = Network(3, ((0, 1), (1, 2)))
CLIQUE = equaliser.complete(3)
SEVEN = [LOOP, LOOPS, PAIR, RING, THETA, PATH, CLIQUE]
x = sympy.Symbol("x")


def series(expression, most):
    poly = sympy.series(expression, x, 0, most + 1).removeO()
    return [int(poly.coeff(x, m)) for m in range(most + 1)]


@pytest.mark.parametrize(("total", "parts"), [(0, 1), (0, 3), (4, 1), (5, 3), (3, 4)])
def test_compositions_are_all_of_them(total, parts):
    found = equaliser.compositions(total, parts)
    assert found.tolist() == [list(c) for c in itertools.product(range(total + 1), repeat=parts) if sum(c) == total]


def test_matrices_of_a_network():
    assert THETA.matrix.tolist() == [[0, 2], [1, 0]]
    assert THETA.incidence.tolist() == [[-1, -1, 1], [1, 1, -1]]
    assert LOOPS.incidence.tolist() == [[0, 0]]
    assert CLIQUE.edges == ((0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1))
    assert THETA.graph.number_of_edges(0, 1) == 2


@pytest.mark.parametrize("network", [*SEVEN, equaliser.complete(4)])
def test_determinants_and_zeta_are_sympys(network):
    det = (sympy.eye(network.vertices) - x * sympy.Matrix(network.matrix.tolist())).det()
    coefficients = [int(c) for c in reversed(sympy.Poly(det, x).all_coeffs())]
    padded = coefficients + [0] * (network.vertices + 1 - len(coefficients))
    assert network.determinant == padded
    assert equaliser.zeta(network, 9) == series(1 / det, 9)


def test_zeta_of_the_clique_and_of_loops_in_closed_form():
    assert equaliser.zeta(CLIQUE, 12) == series(1 / ((1 - 2 * x) * (1 + x) ** 2), 12)
    assert equaliser.zeta(LOOPS, 10) == [2**m for m in range(11)]
    assert equaliser.zeta(PATH, 5) == [1, 0, 0, 0, 0, 0]


def test_components_of_one_loop_are_partitions_and_of_two_are_necklaces():
    assert equaliser.components(LOOP, 10) == [1, 1, 2, 3, 5, 7, 11, 15, 22, 30, 42]
    necklaces = [0, 2, 3, 4, 6, 8, 14, 20]  # of two colours
    assert equaliser.components(LOOPS, 7) == series(math.prod((1 - x**k) ** -necklaces[k] for k in range(1, 8)), 7)


@pytest.mark.parametrize("network", SEVEN)
@pytest.mark.parametrize("total", range(5))
def test_tokens_are_counted_by_zeta(network, total):
    edges, successors = equaliser.tokens(network, total)
    assert len(edges) == equaliser.zeta(network, total)[total] * math.factorial(total)
    sources, targets = (np.array([e[side] for e in network.edges]) for side in (0, 1))
    onward = np.take_along_axis(edges, successors, axis=1)
    assert (targets[edges] == sources[onward]).all()
    found = equaliser.classes(edges, successors)
    assert len(found.sizes) == equaliser.components(network, total)[total]
    assert found.cardinality == equaliser.zeta(network, total)[total]
    assert (found.sizes * found.automorphisms == math.factorial(total)).all()
    for place, onward, count in zip(found.edges, found.successors, found.automorphisms, strict=True):
        assert equaliser.automorphisms(place.tolist(), onward.tolist()) == count


def test_automorphisms_by_hand():
    assert equaliser.automorphisms([], []) == 1
    assert equaliser.automorphisms([0, 0, 0], [1, 2, 0]) == 3  # three times round a loop
    assert equaliser.automorphisms([0, 0, 0], [0, 1, 2]) == 6  # three times the loop
    assert equaliser.automorphisms([0, 1, 0, 1], [1, 0, 3, 2]) == 2  # a walk of two, twice
    assert equaliser.automorphisms([0, 1, 0, 1], [1, 2, 3, 0]) == 2  # the same, joined to one
    assert equaliser.automorphisms([0, 1, 1, 0], [1, 0, 3, 2]) == 2  # up to the starting point


@pytest.mark.parametrize("network", [*SEVEN, equaliser.complete(4)])
def test_fibres_are_what_lies_over_a_circulation_and_add_up_to_zeta(network):
    for total in range(5):
        flows = equaliser.circulations(network, total)
        over = equaliser.fibre(network, flows) if len(flows) else []
        assert sum(over) == equaliser.zeta(network, total)[total]
        if network.vertices < 4:
            edges, _ = equaliser.tokens(network, total)
            counts = [tuple(np.bincount(row, minlength=len(network.edges))) for row in edges]
            for flow, size in zip(flows.tolist(), over, strict=True):
                labels = math.factorial(total) // math.prod(map(math.factorial, flow))
                ways = counts.count(tuple(flow))
                assert Fraction(ways, math.factorial(total)) == size
                assert ways % labels == 0


@pytest.mark.parametrize(
    ("network", "formula"),
    [
        (RING, 1 / (1 - x**3)),
        (PAIR, 1 / (1 - x**2)),
        (LOOPS, 1 / (1 - x) ** 2),
        (CLIQUE, (1 - x**6) / ((1 - x**2) ** 3 * (1 - x**3) ** 2)),
        (PATH, sympy.Integer(1)),
    ],
)
def test_circulations_are_those_of_closed_series(network, formula):
    expected = series(formula, 8)
    assert [len(equaliser.circulations(network, total)) for total in range(9)] == expected
    assert equaliser.counted_circulations(network, 8) == expected


def test_the_table_of_circulations_agrees_with_the_list_on_all_digraphs_of_three():
    for code in digraphs.classes(3):
        matrix = digraphs.adjacency(code, 3)
        network = Network(3, tuple((int(j), int(i)) for i, j in np.argwhere(matrix)))
        listed = [len(equaliser.circulations(network, total)) for total in range(7)]
        assert equaliser.counted_circulations(network, 6) == listed


def test_circulations_without_edges_and_beyond_the_budget():
    assert equaliser.circulations(Network(2, ()), 0).shape == (1, 0)
    assert equaliser.circulations(Network(2, ()), 1).shape == (0, 0)
    with pieces.budget(2**10), pytest.raises(ArgumentError, match="memory budget"):
        equaliser.circulations(CLIQUE, 9)
    with pieces.budget(2**10), pytest.raises(ArgumentError, match="memory budget"):
        equaliser.counted_circulations(CLIQUE, 9)
    with pytest.raises(ArgumentError, match="2\\*\\*62"):
        equaliser.counted_circulations(Network(1, ((0, 0),) * 60), 60)


@pytest.mark.parametrize("vertices", [2, 3, 4, 5])
def test_simple_cycles_of_complete_digraphs(vertices):
    cycles = equaliser.simple_cycles(equaliser.complete(vertices))
    assert len(cycles) == sum(math.comb(vertices, k) * math.factorial(k - 1) for k in range(2, vertices + 1))
    assert not (cycles @ equaliser.complete(vertices).incidence.T).any()


def test_parallel_edges_and_loops_are_cycles_of_their_own():
    assert equaliser.simple_cycles(LOOPS).tolist() == [[0, 1], [1, 0]]
    assert equaliser.simple_cycles(THETA).tolist() == [[0, 1, 1], [1, 0, 1]]
    assert equaliser.simple_cycles(PATH).shape == (0, 2)


@pytest.mark.parametrize("network", SEVEN)
def test_what_is_no_sum_is_a_simple_cycle(network):
    assert equaliser.indecomposable(network, 5).tolist() == equaliser.simple_cycles(network).tolist()


def test_dimensions_of_cones():
    assert equaliser.cone_dimension(CLIQUE) == equaliser.cyclic_rank(CLIQUE) == 4
    assert equaliser.cone_dimension(equaliser.complete(4)) == 9
    triangle = Network(3, ((0, 1), (1, 2), (0, 2)))
    assert equaliser.cone_dimension(triangle) == 0
    assert equaliser.cyclic_rank(triangle) == 1
    assert equaliser.cyclic_rank(triangle, cycles_only=True) == 0
    assert equaliser.cyclic_rank(Network(4, ((0, 1), (1, 0), (2, 2)))) == 2
    rank = np.linalg.matrix_rank(equaliser.simple_cycles(CLIQUE))
    assert rank == 4


def test_on_the_nose_hangs_on_the_order():
    assert equaliser.on_the_nose(LOOPS, 3, (0, 1)) == Fraction(8, 6)
    assert equaliser.on_the_nose(LOOPS, 3, (1, 0)) == Fraction(14, 6)
    assert equaliser.on_the_nose(LOOP, 4, (0,)) == Fraction(1, 24)
    # By hand: both edges carry the same permutation of two.
    assert equaliser.on_the_nose(PAIR, 4, (0, 1)) == Fraction(1, 2)


def test_spectral_radii():
    codes = digraphs.classes(4)
    matrices = digraphs.adjacency(codes, 4)
    found = equaliser.spectral_radius(matrices)
    for matrix, radius in zip(matrices[::9], found[::9], strict=True):
        roots = sympy.Poly(sympy.Matrix(matrix.astype(int).tolist()).charpoly(x).as_expr(), x)
        assert max(abs(complex(r)) for r in roots.sqf_part().nroots()) == pytest.approx(radius, abs=1e-9)
        assert (radius == 0) == nx.is_directed_acyclic_graph(nx.DiGraph(matrix))
    assert equaliser.spectral_radius(digraphs.adjacency(codes[-1:], 4))[0] == 3
    # Two cycles of two, one feeding the other: a double root in a Jordan block.
    chained = np.array([[0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 1, 0]])
    assert equaliser.spectral_radius(chained) == 1
    assert len(np.unique(found)) == len(np.unique(np.round(found, 4)))


def test_flows_are_refused_by_name():
    with pytest.raises(ArgumentError, match="circulations"):
        equaliser.fibre(CLIQUE, np.array([[1, 0, 0, 0, 0, 0]]))
    with pytest.raises(ArgumentError, match="pairs"):
        Network(2, ((0, 1, 1),))
    with pytest.raises(ArgumentError, match="edges"):
        Network(2, ((0, 2),))
    with pytest.raises(ArgumentError, match="successors"):
        equaliser.classes(np.array([[0, 0]]), np.array([[0, 0]]))
    with pytest.raises(ArgumentError, match="incoming"):
        equaliser.on_the_nose(LOOPS, 2, (0, 0))
