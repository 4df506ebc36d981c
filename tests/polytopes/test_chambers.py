"""Chambers found and counted: by search, by restriction, over finite fields, by orientations, by brute force."""

import itertools
from functools import cache

import networkx as nx
import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.polytopes import chambers as module
from memscape.polytopes.chambers import (
    Chambers,
    acyclic_orientations,
    adjacency,
    chambers,
    memory_classes,
    points_off,
    regions_over_fields,
)
from memscape.polytopes.separation import separate
from memscape.polytopes.weight_space import arrangement, symmetries
from memscape.tools import pieces
from memscape.tools.exact import regions

find = cache(chambers)
SMALL = [
    (2, (2,)),
    (2, (1, 2)),
    (3, (2,)),
    (3, (3,)),
    (3, (2, 3)),
    (3, (1, 3)),
    (3, (1, 2)),
    (3, (1, 2, 3)),
    (4, (2,)),
    (4, (3,)),
]


def sides_of(found: Chambers) -> np.ndarray:
    planes = found.arrangement.hyperplanes
    return 2 * (found.sides[:, None] >> np.arange(planes) & 1) - 1


def folded(neurons: int) -> nx.Graph:
    """The cube of one dimension less with opposite corners joined."""
    graph = nx.hypercube_graph(neurons - 1)
    graph.add_edges_from((x, tuple(1 - b for b in x)) for x in list(graph))
    return graph


# The search


@pytest.mark.parametrize(
    ("neurons", "degrees", "number", "orbits"),
    [
        (1, (1,), 2, 1),
        (2, (1, 2), 14, 3),  # A334247, A334248
        (3, (1, 2, 3), 1862, 54),
        (3, (2,), 24, 1),  # the Weyl chambers of A3
        (4, (2, 4), 6902, 59),  # acyclic orientations of the complete bipartite graph on 4 and 4
    ],
)
def test_known_numbers_of_chambers(neurons, degrees, number, orbits):
    found = find(neurons, degrees)
    assert (found.number, len(found.size)) == (number, orbits)


@pytest.mark.parametrize(("neurons", "degrees"), SMALL)
def test_the_search_agrees_with_deletion_and_restriction(neurons, degrees):
    assert find(neurons, degrees).number == regions(arrangement(neurons, degrees).normals)


@pytest.mark.parametrize(("neurons", "degrees"), SMALL)
def test_every_chamber_is_proved_by_its_weights(neurons, degrees):
    found = find(neurons, degrees)
    values = found.weights @ found.arrangement.normals.T
    np.testing.assert_array_equal(np.sign(values), sides_of(found))


@pytest.mark.parametrize(("neurons", "degrees"), [(3, (2,)), (3, (1, 2)), (3, (2, 3)), (4, (3,))])
def test_every_circuit_is_a_pattern_that_no_weights_have(neurons, degrees):
    found = find(neurons, degrees)
    assert len(found.circuits)
    rng = np.random.default_rng(0)
    for mask, value in rng.permutation(found.circuits)[:60]:
        members = np.flatnonzero(mask >> np.arange(found.arrangement.hyperplanes) & 1)
        sides = 2 * (value >> members & 1) - 1
        rows = sides[:, None] * found.arrangement.normals[members]
        assert not separate(rows)
        assert np.linalg.matrix_rank(rows) == len(rows) - 1


@pytest.mark.parametrize(("neurons", "degrees"), [(2, (1, 2)), (3, (2, 3)), (3, (1, 2))])
def test_walls_are_the_sides_that_can_change_alone(neurons, degrees):
    found = find(neurons, degrees)
    for sides, walls in zip(sides_of(found), found.walls, strict=True):
        for plane in range(len(sides)):
            crossed = sides.copy()
            crossed[plane] *= -1
            assert bool(separate(crossed[:, None] * found.arrangement.normals)) == bool(walls >> plane & 1)


def test_the_perceptron_changes_the_time_and_nothing_else():
    with_it, without = find(3, (1, 2)), chambers(3, (1, 2), steps=0)
    assert without.programmes > with_it.programmes
    assert sorted(with_it.size) == sorted(without.size)
    assert sorted(with_it.facets) == sorted(without.facets)


def test_blocks_change_nothing():
    whole = find(3, (1, 2))
    with pieces.budget(1):
        small, classes = chambers(3, (1, 2)), memory_classes(whole)
    assert sorted(zip(small.size, small.facets, strict=True)) == sorted(zip(whole.size, whole.facets, strict=True))
    assert (memory_classes(whole).chambers == classes.chambers).all()


def test_memories_of_all_degrees_are_the_independent_sets_of_the_cube():
    for neurons, number in ((2, 6), (3, 34)):
        assert memory_classes(find(neurons, tuple(range(1, neurons + 1)))).number == number
    fixed = find(3, (1, 2, 3)).fixed
    for x, i in itertools.product(range(8), range(3)):
        assert not (fixed[:, x] & fixed[:, x ^ (1 << i)]).any()


def test_all_degrees_leave_every_independent_set_as_a_memory_set():
    graph, group = nx.hypercube_graph(3), symmetries(3).on_states()
    free = set()
    for size in range(1, 5):
        for chosen in itertools.combinations(graph, size):
            if not graph.subgraph(chosen).edges:
                free.add(sum(1 << sum(b << i for i, b in enumerate(x)) for x in chosen))
    sets = memory_classes(find(3, (1, 2, 3))).memories
    members = [np.flatnonzero(m >> np.arange(8) & 1) for m in sets]
    assert {int((1 << image[one]).sum()) for image in group for one in members} == free


# All chambers, joined through walls


@pytest.mark.parametrize(("neurons", "degrees"), SMALL)
def test_all_chambers_are_there_once_with_their_walls(neurons, degrees):
    found = find(neurons, degrees)
    graph = adjacency(found)
    assert len(np.unique(graph.sides)) == found.number
    assert 2 * len(graph.pairs) == (found.facets * found.size).sum()
    # The farthest chamber is the opposite one, and every hyperplane is crossed once on the way.
    assert graph.diameter == found.arrangement.hyperplanes
    assert set((1 << found.arrangement.hyperplanes) - 1 - graph.sides) == set(graph.sides)


def test_the_graph_of_the_pairwise_chambers_of_three_neurons_is_that_of_the_permutohedron():
    graph = adjacency(find(3, (2,)))
    ours = nx.Graph(graph.pairs.tolist())
    swaps = nx.Graph()
    for p in itertools.permutations(range(4)):
        for i in range(3):
            swaps.add_edge(p, (*p[:i], p[i + 1], p[i], *p[i + 2 :]))
    assert nx.is_isomorphic(ours, swaps)


@pytest.mark.parametrize(("neurons", "degrees"), [(3, (2,)), (3, (1, 2)), (3, (1, 3)), (4, (2,)), (4, (3,))])
def test_memory_classes_agree_with_the_whole_graph(neurons, degrees):
    found = find(neurons, degrees)
    classes, graph = memory_classes(found), adjacency(find(neurons, degrees))
    sets, counts = np.unique(graph.memories, return_counts=True)
    assert classes.number == len(sets)
    assert (classes.size * classes.chambers).sum() == found.number
    assert (
        dict(zip(classes.memories, classes.chambers, strict=True)).items()
        <= dict(zip(sets, counts, strict=True)).items()
    )
    whole = nx.Graph()
    whole.add_nodes_from(range(found.number))
    whole.add_edges_from((a, b) for a, b in graph.pairs.tolist() if graph.memories[a] == graph.memories[b])
    assert (classes.size * classes.pieces).sum() == nx.number_connected_components(whole)
    ends = {frozenset(graph.memories[[a, b]].tolist()) for a, b in graph.pairs}
    assert graph.crossings == sum(len(pair) == 2 for pair in ends)


def test_pieces_are_counted_where_there_are_several():
    # Without one of its three chambers in a row, a class would fall apart: remove the middle of a path.
    assert module._neighbours(np.array([0b00, 0b11]), 2).tolist() == []
    assert module._neighbours(np.array([0b00, 0b01, 0b11]), 2).tolist() == [[0, 1], [1, 2]]


def test_by_memories_counts_chambers():
    found = find(3, (1, 2))
    graph = adjacency(found)
    assert found.by_memories.tolist() == np.bincount(np.bitwise_count(graph.memories)).tolist() == [0, 728, 428, 8]


# Counting without a search


@pytest.mark.parametrize(
    ("neurons", "thresholds", "primes"),
    [
        (3, False, (5, 7, 11)),
        (3, True, (5, 7, 11, 13, 17, 19)),
        (4, False, (5, 7, 11, 13, 17, 19)),
    ],
)
def test_finite_fields_agree_with_the_search(neurons, thresholds, primes):
    degrees = (1, 2) if thresholds else (2,)
    assert regions_over_fields(neurons, primes, thresholds=thresholds) == find(neurons, degrees).number


@pytest.mark.parametrize("neurons", [3, 4])
@pytest.mark.parametrize("thresholds", [False, True])
def test_points_off_are_counted_one_by_one(neurons, thresholds):
    prime = 5 if neurons == 3 else 3
    normals = arrangement(neurons, (1, 2) if thresholds else (2,)).normals
    points = np.indices([prime] * normals.shape[1]).reshape(normals.shape[1], -1)
    assert points_off(neurons, prime, thresholds=thresholds) == (normals @ points % prime != 0).all(axis=0).sum()


@pytest.mark.parametrize("prime", [7, 11])
def test_points_off_of_five_neurons_agree_with_the_plain_contraction(prime):
    table = module._free_values(4, prime, True)
    share = np.array([1] + [2] * (len(table) - 1))
    network = "abcd,aefg,behi,cfhj,dgij," + ",".join("abcdefghij") + "->"
    direct = np.einsum(network, *[table] * 5, *[share] * 10, optimize="greedy")
    assert points_off(5, prime, thresholds=True) == direct


def test_five_neurons_over_fields():
    assert regions_over_fields(5, (7, 11, 13, 17, 19, 23, 29, 31, 37, 41)) == 47501600


def test_a_prime_that_is_too_small_is_found_out():
    # Modulo three 1 + 1 + 1 vanishes, and so does a determinant of the normals that is not zero.
    with pytest.raises(ArgumentError, match=r"^primes: expected primes on one polynomial; got 29 off it"):
        regions_over_fields(4, (3, 5, 7, 11, 13, 17, 19, 23, 29), thresholds=True)


@pytest.mark.parametrize(
    ("graph", "number"),
    [
        (nx.path_graph(6), 32),
        (nx.cycle_graph(7), 126),
        (nx.complete_graph(5), 120),
        (nx.hypercube_graph(2), 14),
        (nx.hypercube_graph(3), 1862),
        (folded(3), 24),
        (folded(4), 6902),
        (nx.empty_graph(3), 1),
        (nx.MultiGraph([(0, 1), (0, 1), (1, 2)]), 4),
    ],
)
def test_acyclic_orientations(graph, number):
    assert acyclic_orientations(graph) == number


def test_acyclic_orientations_of_a_small_graph_one_by_one():
    graph = nx.gnp_random_graph(6, 0.5, seed=3)
    ends = list(graph.edges)
    count = 0
    for flips in itertools.product((False, True), repeat=len(ends)):
        directed = nx.DiGraph([(b, a) if flip else (a, b) for (a, b), flip in zip(ends, flips, strict=True)])
        count += nx.is_directed_acyclic_graph(directed)
    assert acyclic_orientations(graph) == count


# Refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chambers(6, (2,)), "neurons: expected an integer in [1, 5]; got 6."),
        (lambda: chambers(3, (2,), steps=-1), "steps: expected an integer in [0, 10000]; got -1."),
        (lambda: chambers(5, (1, 2)), "degrees: expected at most 52 hyperplanes; got 80. regions_over_fields counts"),
        (lambda: chambers(3, (0,)), "degrees: expected an integer in [1, 3]; got 0."),
        (lambda: points_off(6, 5), "neurons: expected an integer in [3, 5]; got 6."),
        (lambda: points_off(3, 83), "prime: expected an integer in [3, 79]; got 83."),
        (lambda: points_off(3, 9), "prime: expected an odd prime; got 9."),
        (lambda: points_off(3, 4), "prime: expected an odd prime; got 4."),
        (lambda: regions_over_fields(4, (5, 7, 11)), "primes: expected 5 or more different primes; got [5, 7, 11]."),
        (lambda: regions_over_fields(3, (5, 5)), "primes: expected 2 or more different primes; got [5, 5]."),
        (lambda: acyclic_orientations(nx.DiGraph([(0, 1)])), "graph: expected an undirected networkx.Graph of 1 to 16"),
        (lambda: acyclic_orientations(nx.path_graph(17)), "graph: expected an undirected networkx.Graph of 1 to 16"),
        (lambda: acyclic_orientations([(0, 1)]), "graph: expected an undirected networkx.Graph of 1 to 16"),
        (lambda: acyclic_orientations(nx.Graph([(0, 0)])), "graph: expected an undirected networkx.Graph of 1 to 16"),
    ],
)
def test_what_is_wrong_is_refused_in_words(call, message):
    with pytest.raises(ArgumentError) as refused:
        call()
    assert str(refused.value).startswith(message)


def test_too_many_chambers_are_not_listed():
    found = find(3, (2,))
    many = Chambers(
        found.arrangement, found.sides, found.walls, found.size * 10**6, found.weights, found.circuits, found.programmes
    )
    with pytest.raises(ArgumentError, match="number: expected at most 10000000 chambers; got 24000000"):
        many.every()
