"""Order complexes: elimination of boundary matrices, closed forms, cliques counted without GUDHI, what is refused."""

import itertools
import math

import networkx as nx
import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import clique_topology as ct
from memscape.homotopy.random_couplings import distances, symmetric
from memscape.memory.hopfield import hebbian
from memscape.memory.patterns import random_patterns
from memscape.tools.homology import bars, betti_by_elimination

gudhi = pytest.importorskip("gudhi")


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def cycle(n, *chords):
    """Ranks of the edges of a cycle first, all others after."""
    matrix = torch.zeros(n, n, dtype=torch.float64)
    for i, j in [(i, (i + 1) % n) for i in range(n)] + list(chords):
        matrix[i, j] = matrix[j, i] = 1.0
    return matrix


def every_kind(patterns):
    """Patterns of 2^P neurons, each kind once: axes (P, 2^P)."""
    return torch.tensor(list(itertools.product((1.0, -1.0), repeat=patterns)), dtype=torch.float64).T


def test_ranks_are_a_permutation_in_the_order_of_the_entries():
    matrix = symmetric(9, networks=(3,), generator=draw(1))
    found = ct.ranks(matrix, generator=draw())
    row, column = torch.triu_indices(9, 9, 1)
    for m, r in zip(matrix, found, strict=True):
        assert r[row, column].sort().values.tolist() == list(range(1, 37))
        assert m[row, column][r[row, column].argsort()].diff().max() < 0
        assert (r == r.T).all()
        assert not r.diagonal().any()
    assert (ct.levels(matrix) == found).all()
    # The diagonal does not matter.
    assert (ct.ranks(matrix + 5 * torch.eye(9), generator=draw()) == found).all()


def test_ties_are_broken_evenly_by_the_seed_and_levels_keep_them():
    matrix = cycle(4)
    assert ct.levels(matrix).tolist() == [[0, 4, 6, 4], [4, 0, 4, 6], [6, 4, 0, 4], [4, 6, 4, 0]]
    assert (ct.ranks(matrix, generator=draw(3)) == ct.ranks(matrix, generator=draw(3))).all()
    first = ct.ranks(matrix.expand(3000, 4, 4), generator=draw(4))[:, 0, 1]
    counts = torch.bincount(first, minlength=5)[1:5]
    assert counts.sum() == 3000
    assert (counts - 750).abs().max() < 5 * math.sqrt(3000 * 3 / 16)
    assert first.max() == 4


def test_digits_make_ties_of_what_rounding_made_unequal():
    matrix = cycle(4)
    matrix[0, 1] = matrix[1, 0] = 1 + 1e-13
    assert ct.levels(matrix)[0, 1] == 1
    assert ct.levels(matrix, digits=9)[0, 1] == 4
    seen = {int(ct.ranks(matrix, generator=draw(s), digits=9)[0, 1]) for s in range(40)}
    assert seen == {1, 2, 3, 4}
    with pytest.raises(ArgumentError, match="matrix: expected entries that can be rounded"):
        ct.levels(matrix * 1e300, digits=15)


@pytest.mark.parametrize("field", [2, 3, 0])
@pytest.mark.parametrize("seed", range(3))
def test_curves_by_elimination(seed, field):
    table = ct.ranks(symmetric(8, generator=draw(seed)), generator=draw())
    curves = ct.betti_curves(table, 2, density=1.0, field=field or 5)
    assert curves.shape == (3, 29)
    for r in range(29):
        tree = gudhi.SimplexTree.create_from_array((table <= r).logical_not().double().numpy(), max_filtration=0.5)
        tree.expansion(7)
        slow = (*betti_by_elimination(tree, field), 0, 0)[:3]
        assert tuple(curves[:, r].tolist()) == slow
        graph = (table <= r) & (table > 0)
        assert (*ct.graph_betti(graph, field=field or 5), 0, 0)[:3] == slow


def test_one_dimension_more_is_built_and_the_highest_is_not_left_out():
    # A four-cycle has no triangle: at its density GUDHI holds edges only, whose loops it would leave out.
    curves = ct.betti_curves(ct.ranks(cycle(4), generator=draw()), 1, density=4 / 6)
    assert curves[:, -1].tolist() == [1, 1]
    curves = ct.betti_curves(ct.ranks(cycle(4), generator=draw()), 3, density=1.0)
    assert curves[:, 4].tolist() == [1, 1, 0, 0]
    assert curves[:, -1].tolist() == [1, 0, 0, 0]
    # Without tetrahedra a complete graph on five vertices would seem to have cavities.
    assert ct.betti_curves(ct.ranks(cycle(5), generator=draw()), 2, density=1.0)[:, -1].tolist() == [1, 0, 0]


def test_curves_end_with_what_bars_say_and_start_with_points():
    table = ct.ranks(distances(12, 2, networks=(2, 2), generator=draw(5)), generator=draw())
    curves = ct.betti_curves(table, 2, density=0.6)
    assert curves.shape == (2, 2, 3, 40)
    assert (curves[..., 0] == torch.tensor([12, 0, 0])).all()
    for k in range(3):
        found = bars(ct.order_complex(table[1, 0], 2, density=0.6), k)
        held = [int(((found[:, 0] <= r) & (found[:, 1] > r)).sum()) for r in range(40)]
        assert curves[1, 0, k].tolist() == held


def test_euler_characteristic_after_every_edge():
    table = ct.ranks(symmetric(10, generator=draw(6)), generator=draw())
    curves = ct.betti_curves(table, 8, density=1.0)
    for r in range(0, 46, 5):
        counts = ct.clique_counts((table <= r) & (table > 0))
        assert counts[0] == 10
        assert sum((-1) ** k * n for k, n in enumerate(counts)) == sum((-1) ** k * int(b) for k, b in
                                                                       enumerate(curves[:, r]))  # fmt: skip


def test_integrals_by_hand():
    curves = torch.tensor([[4, 3, 2, 1]])
    # Six pairs of four neurons; 0.6 of them are 3.6, so the last value counts for 0.6 of a step.
    assert ct.integrals(curves, 4, density=0.6).tolist() == pytest.approx([(4 + 3 + 2 + 0.6) / 6])
    assert ct.integrals(curves, 4, density=0.5).tolist() == pytest.approx([9 / 6])
    with pytest.raises(ArgumentError, match="curves: expected 4 counts of edges; got 3"):
        ct.integrals(curves[..., :3], 4, density=0.6)


def test_integral_of_a_curve_is_the_length_of_bars():
    table = ct.ranks(symmetric(11, generator=draw(7)), generator=draw())
    found = bars(ct.order_complex(table, 1, density=0.5), 1)
    length = (np.minimum(found[:, 1], 27.5) - found[:, 0]).sum() / 55
    assert ct.integrals(ct.betti_curves(table, 1), 11)[1].item() == pytest.approx(length)


def test_integrals_of_matrices_in_one_call():
    matrix = hebbian(random_patterns(3, 12, networks=(3,), generator=draw(9))).couplings
    table = ct.ranks(matrix, generator=draw(10))
    slow = ct.integrals(ct.betti_curves(table, 2, density=0.4), 12, density=0.4)
    assert torch.equal(ct.betti_integrals(matrix, 2, density=0.4, generator=draw(10)), slow)
    assert torch.equal(ct.betti_integrals(matrix * 3, 2, density=0.4, generator=draw(10), digits=9), slow)


@pytest.mark.parametrize("patterns", [1, 2, 3])
def test_all_levels_but_the_last_are_a_sphere(patterns):
    table = ct.levels(hebbian(every_kind(patterns)).couplings)
    opposite = 2 ** (patterns - 1)
    pairs = 2**patterns * (2**patterns - 1) // 2
    graph = (table <= pairs - opposite) & (table > 0)
    found = ct.graph_betti(graph)
    sphere = [0] * opposite
    sphere[0] += 1
    sphere[-1] += 1
    assert list(found) == sphere
    assert ct.clique_counts(graph) == tuple(2**k * math.comb(opposite, k) for k in range(1, opposite + 1))


def test_cube_at_distance_two():
    for m, spheres in ((3, 1), (4, 9)):
        graph = hebbian(every_kind(m)).couplings >= m - 4
        graph.fill_diagonal_(False)
        assert ct.graph_betti(graph)[:4] == (1, 0, 0, spheres)


def test_couplings_of_hebb_are_distances_of_columns():
    patterns = random_patterns(6, 20, networks=(4,), generator=draw(8))
    apart = (patterns.mT[:, :, None] != patterns.mT[:, None]).sum(dim=-1)
    assert (ct.levels(hebbian(patterns).couplings) == ct.levels(-apart.double())).all()


def test_cliques_are_counted_up_to_a_limit():
    complete = ~torch.eye(6, dtype=torch.bool)
    assert ct.clique_counts(complete, most=63) == (6, 15, 20, 15, 6, 1)
    with pytest.raises(ArgumentError, match="graph: expected at most 62 cliques; got more"):
        ct.clique_counts(complete, most=62)
    assert ct.clique_counts(torch.zeros(3, 3, dtype=torch.bool)) == (3,)
    graph = symmetric(14, generator=draw(11)) > -0.3
    sizes = [
        len(clique) for clique in nx.enumerate_all_cliques(nx.from_numpy_array(graph.numpy() & ~np.eye(14, dtype=bool)))
    ]
    assert ct.clique_counts(graph & ~torch.eye(14, dtype=torch.bool)) == tuple(np.bincount(sizes)[1:])
    assert ct.graph_betti(torch.zeros(3, 3, dtype=torch.bool)) == (3,)


def test_what_gudhi_would_take_is_refused_by_name():
    nan = cycle(4)
    nan[0, 1] = nan[1, 0] = math.nan
    with pytest.raises(ArgumentError, match=r"matrix: expected finite values; got .*nan"):
        ct.ranks(nan, generator=draw())
    with pytest.raises(ArgumentError, match="matrix: expected a symmetric matrix"):
        ct.levels(torch.arange(9.0).reshape(3, 3))
    table = ct.ranks(cycle(4), generator=draw())
    with pytest.raises(ArgumentError, match="ranks: expected ranks from 1 to 6"):
        ct.betti_curves(table + (table == 6).long(), 1)
    with pytest.raises(ArgumentError, match="ranks: expected ranks from 1 to 6"):
        ct.betti_curves(-table, 1)
    with pytest.raises(ArgumentError, match="ranks: expected int64 ranks"):
        ct.order_complex(table.double(), 1)
    with pytest.raises(ArgumentError, match="ranks: expected a complex that has surely at most 20000000 simplices"):
        ct.order_complex(ct.ranks(symmetric(300, generator=draw()), generator=draw()), 3)
    with pytest.raises(ArgumentError, match="field"):
        ct.betti_curves(table, 1, field=4)
