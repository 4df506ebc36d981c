"""Simplices drawn at random, listed in order, and taken to GUDHI and back."""

import itertools
import math
from collections import Counter

import networkx as nx
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.tools import complexes
from memscape.tools.complexes import Simplices, betti_numbers, complete, f_vector, independence_complex, sample

from ..draws import as_sets, every_set, rng

try:
    import gudhi
except ModuleNotFoundError:  # there is no build of it for every machine
    gudhi = None
needs_gudhi = pytest.mark.skipif(gudhi is None, reason="GUDHI has no build for this machine")


@pytest.mark.parametrize(("neurons", "dimension", "count"), [(7, 2, 3), (7, 2, 30), (7, 2, 35), (7, 1, 10), (7, 0, 2)])
def test_samples_are_distinct_and_uniform(neurons, dimension, count):
    draws = 3000
    drawn = sample(neurons, {dimension: count}, networks=(draws,), generator=rng(21)).members[0]
    assert drawn.shape == (draws, count, dimension + 1)
    sets = [frozenset(map(tuple, rows)) for rows in drawn.tolist()]
    assert all(len(rows) == count for rows in sets)
    hits = Counter(sigma for rows in sets for sigma in rows)
    share = count / math.comb(neurons, dimension + 1)
    error = math.sqrt(share * (1 - share) / draws)
    for sigma in every_set(neurons, dimension):
        assert abs(hits[sigma] / draws - share) <= 5 * error
    # Pairs of simplices, too: a set is not only right on average.
    one, two = every_set(neurons, dimension)[:2]
    both = sum(one in rows and two in rows for rows in sets) / draws
    expected = share * (count - 1) / (math.comb(neurons, dimension + 1) - 1)
    assert abs(both - expected) <= 5 * math.sqrt(expected * (1 - expected) / draws) + 1e-12


def test_samples_from_a_space_too_large_to_list():
    drawn = sample(5000, {4: 1000}, generator=rng(22))
    assert drawn.members[0].unique(dim=0).shape == (1000, 5)
    assert drawn.members[0].max() > 4000
    assert abs(drawn.inputs.double().mean().item() - 1.0) < 1e-12


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_rank_is_the_place_in_colexicographic_order(size):
    rows = complete(9, (size - 1,)).members[0]
    order = sorted(itertools.combinations(range(9), size), key=lambda sigma: sigma[::-1])
    assert rows.tolist() == [list(sigma) for sigma in order]


@needs_gudhi
def test_the_complex_has_the_faces_and_says_which_bear_a_weight():
    # A chain weight - no weight - weight: the edge and the tetrahedron count, the triangles are only faces.
    simplices = Simplices(6, (torch.tensor([[0, 1]]), torch.tensor([[0, 1, 2, 3]])))
    tree = complexes.to_gudhi(simplices)
    assert tree.num_vertices() == 6
    assert tree.num_simplices() == 15 + 2
    assert not tree.make_filtration_non_decreasing(), "a filtration must not fall from a face on"
    assert tree.filtration([0, 1]) == 1.0
    assert tree.filtration([0, 2]) == 0.5
    assert tree.filtration([0, 1, 2]) == 1.5
    assert tree.filtration([0, 1, 2, 3]) == 3.0
    assert tree.filtration([5]) == -0.5
    back = complexes.from_gudhi(tree)
    assert back.neurons == 6
    assert as_sets(back) == as_sets(simplices)


@needs_gudhi
def test_a_complex_comes_back_as_it_went():
    simplices = sample(15, {0: 4, 1: 30, 2: 40, 3: 20}, networks=(2, 3), generator=rng(27))
    for network in [(0, 0), (1, 2)]:
        back = complexes.from_gudhi(complexes.to_gudhi(simplices, network))
        assert sorted(as_sets(back)) == sorted(as_sets(simplices, *network))


@needs_gudhi
def test_any_complex_of_gudhi_becomes_a_network():
    # Five points of a circle: the Rips complex is a pentagon without triangles until it is filled.
    points = [[math.cos(a), math.sin(a)] for a in torch.arange(5).mul(2 * math.pi / 5).tolist()]
    tree = gudhi.RipsComplex(points=points, max_edge_length=1.3).create_simplex_tree(max_dimension=2)
    ring = complexes.from_gudhi(tree, dimensions=(1,))
    assert ring.counts == {1: 5}
    assert ring.inputs.tolist() == [2] * 5
    filled = gudhi.RipsComplex(points=points, max_edge_length=3.0).create_simplex_tree(max_dimension=2)
    assert complexes.from_gudhi(filled, dimensions=(1, 2)).counts == {1: 10, 2: 10}
    assert complexes.from_gudhi(filled, neurons=8, dimensions=(2,)).neurons == 8


@needs_gudhi
def test_labels_of_vertices_may_be_as_large_as_gudhi_takes_them():
    last = 2**31 - 1
    tree = gudhi.SimplexTree()
    for simplex in ([0, 1, 2, 3, last], [0, 1, 2, 4, last], [1, 2, 3, 4, last]):
        tree.insert(simplex)
    found = complexes.from_gudhi(tree, dimensions=(1, 4))
    assert found.neurons == 2**31
    assert found.members[1].tolist() == [[0, 1, 2, 3, last], [0, 1, 2, 4, last], [1, 2, 3, 4, last]]
    with pytest.raises(ArgumentError, match="every simplex once"):
        Simplices(2**31, (found.members[1][[0, 1, 0]],))
    # The same simplex in two networks stands once in each.
    assert Simplices(10**6, (torch.arange(5).expand(2, 1, 5),)).counts == {4: 1}


pair = Simplices(4, (torch.tensor([[0, 1]]),))
ones = torch.ones(3, 4)
REFUSED = [
    (
        lambda: Simplices(4, ()),
        "members: expected a tuple of tensors, one a size; got tuple. Write (edges, triangles).",
    ),
    (
        lambda: Simplices(4, (ones,)),
        "members: expected int64 tensors with axes (..., simplices, vertices), none empty; got torch.float32 (3, 4).",
    ),
    (
        lambda: Simplices(4, ([[0, 1]],)),
        "members: expected int64 tensors with axes (..., simplices, vertices), none empty; got list.",
    ),
    (
        lambda: Simplices(4, (torch.tensor([[1, 0]]),)),
        "members: expected rows of ascending neurons 0 to 3; got another row. Sort every row, e.g. with "
        "rows.sort(dim=-1).values.",
    ),
    (
        lambda: Simplices(4, (torch.tensor([[1, 4]]),)),
        "members: expected rows of ascending neurons 0 to 3; got another row. Sort every row, e.g. with "
        "rows.sort(dim=-1).values.",
    ),
    (
        lambda: Simplices(4, (torch.tensor([[-1, 1]]),)),
        "members: expected rows of ascending neurons 0 to 3; got another row. Sort every row, e.g. with "
        "rows.sort(dim=-1).values.",
    ),
    (
        lambda: Simplices(4, (torch.tensor([[0, 1], [2, 3], [0, 1]]),)),
        "members: expected every simplex once; got a simplex that stands twice.",
    ),
    (
        lambda: Simplices(4, (torch.tensor([[0, 1, 2]]), torch.tensor([[0, 1]]))),
        "members: expected sizes in ascending order, each once; got [3, 2].",
    ),
    (
        lambda: Simplices(4, (torch.tensor([[0, 1]]), torch.tensor([[[0, 1, 2]]]))),
        "members: expected tensors of the same networks and device; got different ones.",
    ),
    (
        lambda: Simplices(10**6, (torch.arange(5).expand(2, 3, 5) + torch.tensor([0, 7, 7])[:, None],)),
        "members: expected every simplex once; got a simplex that stands twice.",
    ),
    (lambda: complete(4, (1, 5)), "dimensions: expected an integer in [0, 3]; got 5."),
    (lambda: complete(4, "12"), "dimensions: expected a sequence of dimensions; got '12'. Write (1, 2), for instance."),
    (
        lambda: sample(4, {}, generator=rng(0)),
        "counts: expected a dictionary from dimension to number of simplices; got {}.",
    ),
    (lambda: sample(4, {1: 7}, generator=rng(0)), "counts[1]: expected an integer in [1, 6]; got 7."),
    (lambda: sample(4, {1: 2}, networks=(0,), generator=rng(0)), "networks: expected an integer >= 1; got 0."),
    (
        lambda: sample(4, {1: 2}, generator=None),
        "generator: expected a torch.Generator; got NoneType. Make one with torch.Generator().manual_seed(0).",
    ),
    (
        lambda: sample(10**6, {4: 2}, generator=rng(0)),
        "neurons: expected fewer than 2**62 simplices to draw from; got 1000000 over 5.",
    ),
]

REFUSED_BY_GUDHI = [
    (lambda: complexes.to_gudhi(pair, (0,)), "network: expected 0 indices; got (0,)."),
    (
        lambda: complexes.to_gudhi(Simplices(4, (torch.tensor([[[0, 1]]]),)), (1,)),
        "network: expected an integer in [0, 0]; got 1.",
    ),
    (lambda: complexes.from_gudhi([[0, 1]]), "tree: expected a gudhi.SimplexTree; got list."),
    (
        lambda: complexes.from_gudhi(gudhi.SimplexTree()),
        "tree: expected a simplex that is to bear a weight; got none. Name the dimensions that do, e.g. "
        "dimensions=(1, 2).",
    ),
    (
        lambda: complexes.from_gudhi(complexes.to_gudhi(pair), neurons=1),
        "members: expected rows of ascending neurons 0 to 0; got another row. Sort every row, e.g. with "
        "rows.sort(dim=-1).values.",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message.split(";")[0] for _, message in REFUSED])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value) == message


@needs_gudhi
@pytest.mark.parametrize(("call", "message"), REFUSED_BY_GUDHI, ids=[row[1].split(";")[0] for row in REFUSED_BY_GUDHI])
def test_a_bad_complex_is_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value) == message


# Faces and holes


@needs_gudhi
def test_the_field_matters_where_there_is_torsion():
    # The projective plane on six vertices.
    tree = gudhi.SimplexTree()
    for face in ["012", "023", "034", "045", "051", "124", "235", "341", "452", "513"]:
        tree.insert([int(vertex) for vertex in face])
    assert [betti_numbers(tree, field=p) for p in (2, 3)] == [(1, 1, 1), (1, 0, 0)]


@needs_gudhi
def test_the_top_dimension_counts():
    sphere = gudhi.SimplexTree()
    for face in itertools.combinations(range(4), 3):
        sphere.insert(face)
    assert betti_numbers(sphere) == (1, 0, 1)
    assert f_vector(sphere) == (4, 6, 4)


@needs_gudhi
def test_independent_sets_of_a_cycle_are_those_of_brute_force():
    # Of a cycle of seven: no two neighbours. Its independence complex is a circle (Kozlov 1999).
    tree = independence_complex(nx.cycle_graph(7))
    free = [
        sum(
            1
            for one in itertools.combinations(range(7), size)
            if not any((b - a) % 7 in (1, 6) for a, b in itertools.combinations(one, 2))
        )
        for size in (1, 2, 3)
    ]
    assert f_vector(tree) == tuple(free)
    assert betti_numbers(tree) == (1, 1, 0)


@needs_gudhi
@pytest.mark.parametrize(("call", "message"), [
    (lambda: f_vector(3), "tree: expected a gudhi.SimplexTree; got int."),
    (lambda: betti_numbers(3), "tree: expected a gudhi.SimplexTree; got int."),
    (lambda: betti_numbers(gudhi.SimplexTree(), field=4), "field: expected a prime number; got 4."),
    (lambda: betti_numbers(gudhi.SimplexTree(), field=1), "field: expected an integer in [2, 46337]; got 1."),
    (lambda: independence_complex(nx.Graph([(1, 2)])), "graph: expected vertices 0, 1, ...; got others."),
])  # fmt: skip
def test_bad_complexes_are_refused_in_one_sentence(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert message in str(refusal.value)
