"""Digraphs as integers: codes, canonical forms and composites, against networkx and counts of labelled graphs."""

import itertools
import math

import networkx as nx
import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.polytopes import digraphs
from memscape.polytopes.digraphs import (
    adjacency,
    automorphisms,
    canonical,
    classes,
    compose,
    encode,
    extensions,
    in_neighbours,
    induced,
)


def graph(code: int, nodes: int) -> nx.DiGraph:
    found = nx.DiGraph()
    found.add_nodes_from(range(nodes))
    found.add_edges_from((j, i) for i, j in np.argwhere(adjacency(np.array(code), nodes)).tolist())
    return found


def some(nodes: int, count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2 ** (nodes * (nodes - 1)), count)


def relabel(codes: np.ndarray, nodes: int, order: list[int]) -> np.ndarray:
    """The same digraphs with node i called ``order[i]``."""
    matrices = np.zeros((*codes.shape, nodes, nodes), dtype=bool)
    matrices[..., np.array(order)[:, None], order] = adjacency(codes, nodes)
    return encode(matrices)


def test_the_first_bits_are_the_edges_of_the_first_nodes():
    assert adjacency(1, 2).tolist() == [[False, False], [True, False]]  # 0 -> 1 is received by 1
    assert adjacency(2, 2).tolist() == [[False, True], [False, False]]
    codes = some(5, 50)
    for nodes in (1, 2, 3, 4):
        assert (induced(codes, 5, 2**nodes - 1) == codes & (1 << nodes * (nodes - 1)) - 1).all()


@pytest.mark.parametrize("nodes", [1, 2, 3, 5, 7])
def test_codes_and_matrices_are_one_another(nodes):
    codes = some(nodes, 64).reshape(8, 8)
    assert adjacency(codes, nodes).shape == (8, 8, nodes, nodes)
    assert (encode(adjacency(codes, nodes)) == codes).all()


def test_in_neighbours_are_the_rows_of_the_matrix():
    codes = some(4, 20)
    rows = adjacency(codes, 4)
    assert in_neighbours(codes, 4).tolist() == [[sum(2**j for j in range(4) if r[j]) for r in m] for m in rows]


@pytest.mark.parametrize(("nodes", "count"), [(1, 1), (2, 3), (3, 16), (4, 218), (5, 9608)])
def test_the_classes_are_as_many_as_sequence_a000273_says_and_cover_all_labelled_digraphs(nodes, count):
    found = classes(nodes)
    assert len(found) == count
    assert (np.diff(found) > 0).all()
    assert (canonical(found, nodes) == found).all()
    # Each class has n! over its automorphisms labelled copies, and every labelled digraph is in one class.
    assert (math.factorial(nodes) // automorphisms(found, nodes)).sum() == 2 ** (nodes * (nodes - 1))


@pytest.mark.parametrize("nodes", [2, 3, 4])
def test_canonical_codes_agree_exactly_where_networkx_finds_an_isomorphism(nodes):
    codes = some(nodes, 30, seed=nodes)
    least = canonical(codes, nodes)
    for a, b in itertools.combinations(range(len(codes)), 2):
        isomorphic = nx.is_isomorphic(graph(codes[a], nodes), graph(codes[b], nodes))
        assert (least[a] == least[b]) == isomorphic


def test_a_canonical_code_is_the_smallest_of_all_relabellings():
    codes = some(5, 6)
    everyone = np.stack([relabel(codes, 5, list(order)) for order in itertools.permutations(range(5))])
    assert (canonical(codes, 5) == everyone.min(axis=0)).all()
    assert (automorphisms(codes, 5) == (everyone == codes).sum(axis=0)).all()


def test_canonical_codes_of_six_nodes_do_not_depend_on_the_labels():
    codes = some(6, 20)
    assert (canonical(relabel(codes, 6, [5, 2, 0, 1, 4, 3]), 6) == canonical(codes, 6)).all()


def test_the_automorphisms_of_known_graphs():
    cycle = encode(np.roll(np.eye(5, dtype=int), 1, axis=0))
    assert automorphisms(cycle, 5) == 5
    assert automorphisms(np.array([0, 2**20 - 1]), 5).tolist() == [120, 120]


def test_extensions_contain_the_old_graph_and_are_all_different():
    old = classes(3)
    new = extensions(old, 3)
    assert new.shape == (16, 64)
    assert (induced(new, 4, 7) == old[:, None]).all()
    assert len(np.unique(new)) == 16 * 64
    assert len(np.unique(canonical(new, 4))) == 218


def test_an_induced_subgraph_keeps_the_order_of_its_nodes():
    codes = some(5, 10)
    matrices = adjacency(codes, 5)
    assert (adjacency(induced(codes, 5, 0b11010), 3) == matrices[:, [[1], [3], [4]], [1, 3, 4]]).all()


def test_composites_have_the_edges_of_their_kind():
    edge, point = np.array([1]), np.array([0])
    disjoint, clique, cyclic = (compose(kind, [(edge, 2), (point, 1)]) for kind in ("disjoint", "clique", "cyclic"))
    assert adjacency(disjoint, 3).sum() == 1
    assert adjacency(clique, 3).sum() == 5
    assert clique == cyclic  # of two parts each comes next
    ring = compose("cyclic", [(point, 1)] * 4)
    assert nx.is_isomorphic(graph(ring[0], 4), nx.cycle_graph(4, create_using=nx.DiGraph))
    assert adjacency(ring, 4)[0, 1, 0]  # from each part to the next


def test_composites_broadcast():
    parts = classes(2)
    found = compose("disjoint", [(parts[:, None], 2), (parts, 2)])
    assert found.shape == (3, 3)
    assert (induced(found, 4, 3) == parts[:, None]).all()
    assert (induced(found, 4, 12) == parts).all()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: adjacency([0.5], 2), "codes: expected integer codes; got dtype float64. Codes come from encode"),
        (lambda: adjacency([4], 2), "codes: expected codes of 2 bits, for 2 nodes; got 4."),
        (lambda: adjacency([-1], 2), "got -1."),
        (lambda: adjacency([0], 8), "nodes: expected an integer in [1, 7]; got 8."),
        (lambda: encode([[0, 1]]), "matrices: expected axes (..., nodes, nodes), 1 to 7 nodes; got shape (1, 2)."),
        (lambda: encode([[0, 2], [0, 0]]), "matrices: expected values 0 and 1; got 2"),
        (lambda: encode([[1, 0], [0, 0]]), "matrices: expected no loops; got an edge from a node to itself."),
        (lambda: canonical([0], 7), "nodes: expected an integer in [1, 6]; got 7."),
        (lambda: automorphisms([0], 7), "nodes: expected an integer in [1, 6]; got 7."),
        (lambda: classes(6), "nodes: expected an integer in [1, 5]; got 6."),
        (lambda: extensions([0], 7), "nodes: expected an integer in [1, 6]; got 7."),
        (lambda: compose("loose", [([0], 1), ([0], 1)]), "kind: expected one of 'disjoint', 'clique', 'cyclic'"),
        (lambda: compose("clique", [([0], 1)]), "number of parts: expected an integer >= 2; got 1."),
        (lambda: compose("clique", [([0], 4), ([0], 4)]), "nodes of all parts: expected an integer <= 7; got 8."),
        (lambda: induced([0], 3, 8), "support: expected an integer in [1, 7]; got 8."),
        (lambda: in_neighbours([99], 2), "codes of 2 bits"),
        (lambda: digraphs.require_codes("graph", ["x"], 2), "graph: expected integer codes"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert message in str(caught.value)
