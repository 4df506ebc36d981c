"""The storage complex against every subset, closed forms, theorems, and the cells of the weights themselves."""

import itertools
import math

import networkx as nx
import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.homotopy import storage
from memscape.homotopy.sampling import draw_sets
from memscape.homotopy.storage import (
    cube,
    faces_from_chambers,
    simplex_tree,
    storage_complex,
    vertices,
)
from memscape.polytopes.cells import cells
from memscape.polytopes.separation import separate
from memscape.polytopes.weight_space import normals, states
from memscape.tools.complexes import betti_numbers, f_vector, independence_complex
from memscape.tools.subsets import members

from ..draws import rng

try:
    import gudhi
except ImportError:
    gudhi = None
needs_gudhi = pytest.mark.skipif(gudhi is None, reason="GUDHI has no build for this machine")

SMALL = [
    (2, (1,)),
    (2, (2,)),
    (2, (1, 2)),
    (3, (2,)),
    (3, (1, 2)),
    (3, (3,)),
    (3, (1, 3)),
    (3, (2, 3)),
    (3, (1, 2, 3)),
    (4, (2,)),
    (4, (4,)),
    (4, (2, 4)),
]
MEDIUM = [
    *((4, degrees) for degrees in ((1, 2), (3,), (1, 3), (2, 3), (1, 2, 3), (3, 4), (1, 2, 3, 4))),
    *((5, degrees) for degrees in ((2,), (4,), (2, 4), (1, 2))),
    (6, (2,)),
]
ALL = [*SMALL, *MEDIUM]


def brute_force(neurons: int, degrees: tuple[int, ...]) -> list[set[tuple[int, ...]]]:
    """Faces by size: one linear programme for every set of states, no symmetry and no monotony."""
    count = vertices(neurons, degrees)
    rows = normals(neurons, degrees)
    levels = []
    for size in range(1, count + 1):
        sets = itertools.combinations(range(count), size)
        levels.append({s for s in sets if separate(rows[list(s)].reshape(-1, rows.shape[-1]))})
        if not levels[-1]:
            return levels[:-1]
    return levels


# Enumeration


@pytest.mark.parametrize(("neurons", "degrees"), SMALL)
def test_faces_are_those_of_one_linear_programme_a_set(neurons, degrees):
    found = storage_complex(neurons, degrees)
    listed = [{tuple(one) for one in members(found.every(level))} for level in found.faces]
    assert listed == brute_force(neurons, degrees)
    assert found.f_vector == tuple(map(len, listed))


@pytest.mark.parametrize(("neurons", "degrees"), SMALL)
def test_obstructions_are_the_minimal_sets_that_are_no_faces(neurons, degrees):
    found = storage_complex(neurons, degrees)
    faces = [set(), *brute_force(neurons, degrees), set()]
    for size, level in enumerate(found.obstructions[1:], start=2):
        minimal = {
            s
            for s in itertools.combinations(range(found.vertices), size)
            if s not in faces[size] and all(f in faces[size - 1] for f in itertools.combinations(s, size - 1))
        }
        assert {tuple(one) for one in members(found.every(level))} == minimal


@pytest.mark.parametrize(("neurons", "degrees"), ALL)
def test_every_orbit_carries_its_proof(neurons, degrees):
    found = storage_complex(neurons, degrees)
    rows = normals(neurons, degrees)
    for level in found.faces:
        for one, weights in zip(members(level.sets), level.proofs, strict=True):
            assert (rows[one] @ weights > 0).all()
    for level in found.obstructions:
        for one, multipliers in zip(members(level.sets), level.proofs, strict=True):
            assert (multipliers >= 0).all()
            assert (multipliers.sum(axis=1) > 0).all()  # minimal: every state is needed
            assert not np.einsum("xi,xik->k", multipliers, rows[one]).any()


@pytest.mark.parametrize(("neurons", "degrees"), ALL)
def test_orbits_are_as_large_as_they_say(neurons, degrees):
    found = storage_complex(neurons, degrees)
    for level in (*found.faces[1:4], *found.obstructions[1:]):
        assert len(found.every(level)) == level.count


@pytest.mark.parametrize(("neurons", "degrees"), [(4, (1, 2)), (5, (2,)), (4, (2, 3)), (3, (1, 3))])
def test_random_weights_store_faces(neurons, degrees):
    found = storage_complex(neurons, degrees)
    faces = [set(found.every(level).tolist()) for level in found.faces]
    rows = normals(neurons, degrees)[: found.vertices]
    weights = np.random.default_rng(0).integers(-20, 21, size=(2000, rows.shape[-1]))
    for stored in ((rows @ weights.T) > 0).all(axis=1).T:
        if stored.any():
            assert sum(1 << int(x) for x in np.flatnonzero(stored)) in faces[stored.sum() - 1]


def test_a_set_and_its_images_have_one_canonical_form():
    group = storage._Symmetry.of(5, (2,))
    sets = (1 << draw_sets(16, 4, 50, generator=rng()).numpy()).sum(axis=1).astype(np.uint64)
    for one in sets:
        orbit = group.spread(one[None])
        keys, stabilisers = group.canonical(orbit)
        assert len(np.unique(keys)) == 1
        assert keys[0] in orbit
        assert (stabilisers * len(orbit) == group.order).all()


def test_folded_permutations_are_those_of_states_up_to_their_sign():
    group = storage._Symmetry.of(4, (2,))
    spins = states(4)
    assert group.permutations.shape == (24, 8)
    for moved in group.permutations:
        signs = spins[:8] @ spins[:8].T
        assert (abs(signs[np.ix_(moved, moved)]) == abs(signs)).all()


# Theorems


def binomial_capacity(neurons: int, degrees: tuple[int, ...]) -> int:
    if degrees == (1, 2):
        return math.comb(neurons, neurons // 2)
    return math.comb(neurons - 1, neurons // 2 - 1)


@pytest.mark.parametrize(("neurons", "degrees"), [(n, d) for n, d in ALL if d in ((2,), (1, 2))])
def test_capacity_of_pairwise_networks(neurons, degrees):
    assert storage_complex(neurons, degrees).capacity == binomial_capacity(neurons, degrees)


@pytest.mark.parametrize("neurons", [3, 4, 5, 6, 7, 8, 9])
def test_one_square_stores_as_many_states_as_the_formula_says(neurons):
    # E = (a x)^2 / 2 with a = (1, ..., 1), or (1, ..., 1, 2) for odd n, so that a x can be zero.
    a = np.ones(neurons, dtype=int)
    a[-1] += neurons % 2
    weights = np.array([-a[i] * a[j] for i, j in itertools.combinations(range(neurons), 2)])
    stored = (normals(neurons, (2,)) @ weights > 0).all(axis=1)
    assert (stored == (states(neurons) @ a == 0)).all()
    assert stored.sum() == 2 * binomial_capacity(neurons, (2,))


@pytest.mark.parametrize("neurons", [2, 3, 4, 5])
def test_a_clamped_neuron_is_a_threshold(neurons):
    # Hold the last of n + 1 neurons at -1: its couplings are thresholds, and one condition a state falls away.
    inner, outer = storage_complex(neurons + 1, (2,)), storage_complex(neurons, (1, 2))
    assert inner.vertices == outer.vertices
    for ours, theirs in zip(inner.faces, outer.faces, strict=False):
        assert set(inner.every(ours).tolist()) <= set(outer.every(theirs).tolist())
    assert inner.capacity <= outer.capacity


@pytest.mark.parametrize("neurons", [2, 3, 4])
def test_without_the_coupling_of_all_neurons_two_sets_are_lost(neurons):
    full = storage_complex(neurons, tuple(range(1, neurons + 1)))
    less = storage_complex(neurons, tuple(range(1, neurons)))
    parity = states(neurons).prod(axis=1)
    lost = {sum(1 << int(x) for x in np.flatnonzero(parity == sign)) for sign in (-1, 1)}
    half = 2 ** (neurons - 1)
    assert full.f_vector[:-1] == less.f_vector
    assert full.capacity == half
    assert set(full.every(full.faces[-1]).tolist()) == lost
    pairs = set(full.every(full.obstructions[1]).tolist())
    assert set(less.every(less.obstructions[half - 1]).tolist()) - pairs == lost


@pytest.mark.parametrize(("neurons", "degrees", "folded"), [
    (2, (1, 2), None), (3, (1, 2, 3), None), (4, (1, 2, 3, 4), None),
    (4, (2, 4), 4), (5, (2, 4), 5),
    (3, (1, 3), 4), (4, (1, 3), 5),
])  # fmt: skip
@needs_gudhi
def test_with_all_degrees_of_a_parity_it_is_an_independence_complex(neurons, degrees, folded):
    # Odd energies: x and -x exclude each other, which folds the cube of one more dimension.
    graph = cube(neurons) if folded is None else cube(folded, folded=True)
    found = storage_complex(neurons, degrees)
    expected = independence_complex(graph)
    assert found.f_vector == f_vector(expected)
    assert sum(len(level) for level in found.obstructions[2:]) == 0
    edges = {tuple(sorted(one)) for one in members(found.every(found.obstructions[1]))}
    assert nx.is_isomorphic(nx.Graph(list(edges)), graph)
    assert betti_numbers(simplex_tree(found)) == betti_numbers(expected)


def test_equal_complexes_are_told_from_others():
    full = storage_complex(4, (1, 2, 3, 4))
    assert full.equals(storage_complex(4, (3, 4)))
    assert full.equals(storage_complex(4, (4, 3, 1)))
    assert not full.equals(storage_complex(4, (1, 2, 3)))
    assert not full.equals(storage_complex(4, (2, 4)))
    # Same f-vector, other labels: the folded cube of five and the cube of four with its diagonals.
    assert storage_complex(4, (1, 3)).f_vector == storage_complex(5, (2, 4)).f_vector
    assert storage_complex(4, (1, 3)).equals(storage_complex(5, (2, 4)))
    assert not storage_complex(4, (3,)).equals(storage_complex(5, (2, 4)))


# Homology


@needs_gudhi
@pytest.mark.parametrize(("neurons", "degrees"), ALL)
def test_gudhi_expands_to_the_same_faces(neurons, degrees):
    found = storage_complex(neurons, degrees)
    tree = simplex_tree(found)
    assert f_vector(tree) == found.f_vector
    numbers = betti_numbers(tree)
    assert len(numbers) == found.capacity
    assert sum((-1) ** k * number for k, number in enumerate(numbers)) == found.euler
    # The weights that store anything are an open set of directions: no holes from the dimension of the sphere on.
    assert not any(numbers[math.comb(neurons, 2) :]) if degrees == (2,) else True


@needs_gudhi
def test_four_neurons_have_two_hollow_tetrahedra_that_a_fourth_order_fills():
    assert betti_numbers(simplex_tree(storage_complex(4, (2,)))) == (2, 0, 2)
    assert betti_numbers(simplex_tree(storage_complex(4, (2, 4)))) == (2, 0, 0, 0)


@needs_gudhi
def test_the_field_matters_where_there_is_torsion():
    # The projective plane on six vertices.
    tree = gudhi.SimplexTree()
    for face in ["012", "023", "034", "045", "051", "124", "235", "341", "452", "513"]:
        tree.insert([int(vertex) for vertex in face])
    assert [betti_numbers(tree, field=p) for p in (2, 3)] == [(1, 1, 1), (1, 0, 0)]
    six = simplex_tree(storage_complex(6, (2,)))
    differences = np.subtract(betti_numbers(six, field=2), betti_numbers(six, field=3))
    assert differences.tolist() == [0, 0, 0, 16, 16, 0, 0, 0, 0, 0]


def rank(columns: list[dict[int, int]], field: int) -> int:
    """Rank of a matrix, column by column, by elimination modulo a prime."""
    pivots: dict[int, dict[int, int]] = {}
    for start in columns:
        column = dict(start)
        while column and (low := max(column)) in pivots:
            factor = column[low]
            for row, entry in pivots[low].items():
                column[row] = (column.get(row, 0) - factor * entry) % field
                if not column[row]:
                    del column[row]
        if column:
            inverse = pow(column[low], -1, field)
            pivots[low] = {row: entry * inverse % field for row, entry in column.items()}
    return len(pivots)


def test_the_twist_of_six_neurons_without_gudhi():
    found = storage_complex(6, (2,))
    levels = [[tuple(one) for one in members(found.every(level))] for level in found.faces[2:5]]
    b3 = {}
    for field in (2, 3):
        ranks = []
        for lower, upper in itertools.pairwise(levels):
            index = {face: i for i, face in enumerate(lower)}
            boundary = [
                {index[(*face[:i], *face[i + 1 :])]: (-1) ** i % field for i in range(len(face))} for face in upper
            ]
            ranks.append(rank(boundary, field))
        b3[field] = len(levels[1]) - sum(ranks)
    assert b3 == {2: 26, 3: 10}


@pytest.mark.parametrize("neurons", [2, 3, 4, 5])
def test_cubes_and_folded_cubes(neurons):
    assert nx.is_isomorphic(cube(neurons), nx.hypercube_graph(neurons))
    folded = cube(neurons, folded=True)
    assert folded.number_of_nodes() == 2 ** (neurons - 1)
    if neurons > 2:
        assert set(dict(folded.degree).values()) == {neurons}
    if neurons == 4:
        assert nx.is_isomorphic(folded, nx.complete_bipartite_graph(4, 4))


# The weights themselves


@pytest.mark.parametrize(
    ("neurons", "degrees"), [(2, (2,)), (2, (1, 2)), (3, (2,)), (3, (3,)), (3, (1, 3)), (3, (2, 3))]
)
def test_cells_give_the_euler_characteristic_without_the_complex(neurons, degrees):
    assert cells(neurons, degrees).euler == storage_complex(neurons, degrees).euler


@pytest.mark.parametrize(("neurons", "degrees"), [(2, (1, 2)), (3, (2,)), (3, (1, 3)), (3, (2, 3))])
def test_memory_sets_of_chambers_span_the_complex(neurons, degrees):
    found, complex_ = cells(neurons, degrees), storage_complex(neurons, degrees)
    whole = found.stored[(found.signs != 0).all(axis=1)][:, : complex_.vertices]
    assert whole.any(axis=1).all()  # off all hyperplanes something is always stored
    memories = {sum(1 << int(x) for x in np.flatnonzero(row)) for row in whole}
    for level in complex_.faces:
        assert all(any(face & m == face for m in memories) for face in complex_.every(level).tolist())


@pytest.mark.parametrize(("neurons", "degrees"), [*SMALL, (4, (1, 3))])
def test_chambers_give_the_same_faces(neurons, degrees):
    found = storage_complex(neurons, degrees)
    listed = np.sort(np.concatenate([found.every(level) for level in found.faces]))
    np.testing.assert_array_equal(faces_from_chambers(neurons, degrees), listed)


@pytest.mark.parametrize(("neurons", "degrees"), [(3, (1, 2)), (4, (2,)), (4, (2, 4))])
def test_a_complex_contains_its_faces_and_no_other_sets(neurons, degrees):
    found = storage_complex(neurons, degrees)
    every = np.arange(2**found.vertices, dtype=np.uint64)
    listed = np.concatenate([found.every(level) for level in found.faces])
    np.testing.assert_array_equal(found.contains(every), np.isin(every, listed))


# Bad input

REFUSED = [
    (lambda: storage_complex(2, (2,)).contains(np.array([1, 4])), "sets: expected sets of the vertices 0 to 1; got 4."),
    (lambda: storage_complex(7, (1, 2)), "neurons: expected at most 64 vertices; got 128. Use sampling.sample"),
    (lambda: storage_complex(3, (4,)), "degrees: expected an integer in [1, 3]; got 4."),
    (lambda: storage_complex(3, (2, 2)), "degrees: expected different sizes of sets; got (2, 2)."),
    (lambda: vertices(0, (1,)), "neurons: expected an integer in [1, 12]; got 0."),
    (lambda: storage_complex(2, (2,)).equals(3), "other: expected a StorageComplex; got 3 (int)."),
    (lambda: cube(1, folded=True), "neurons: expected an integer in [2, 12]; got 1."),
]
REFUSED_WITH_GUDHI = [
    (lambda: simplex_tree(3), "complex_: expected a StorageComplex; got 3 (int)."),
]


@pytest.mark.parametrize(("call", "message"), REFUSED)
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert message in str(refusal.value)


@needs_gudhi
@pytest.mark.parametrize(("call", "message"), REFUSED_WITH_GUDHI)
def test_bad_complexes_are_refused_in_one_sentence(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert message in str(refusal.value)
