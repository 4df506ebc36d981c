"""Combinatorial networks: fixed points in integers, the graph rules over all small digraphs, the exception at six."""

import importlib.util
import itertools
from fractions import Fraction

import networkx as nx
import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.book import data
from memscape.polytopes import graph_rules
from memscape.polytopes.digraphs import adjacency, canonical, classes, compose, encode, in_neighbours, induced
from memscape.polytopes.graph_rules import (
    Parameters,
    cliques,
    composed,
    core_structures,
    dominated,
    fixed_points,
    full_support,
    graphical_domination,
    network,
    reductions,
    stability_border,
    target_free_cliques,
    undominated,
    uniform_in_degree,
    vanishing_inhibition,
)
from memscape.polytopes.threshold_linear import exact_fixed_point, written
from memscape.polytopes.threshold_linear import fixed_points as all_supports

USUAL, STRONG, WEAK = Parameters(0.25, 0.5), Parameters(0.51, 1.76), Parameters(0.1, 0.12)
PAIRS = pytest.mark.parametrize("parameters", [USUAL, STRONG, WEAK], ids=["usual", "strong", "weak"])
SIX = np.array([95860095, 95872383])
CYCLE = encode(np.roll(np.eye(3, dtype=int), 1, axis=0))
FIVE = classes(5)


def members(mask: int) -> list[int]:
    return [node for node in range(7) if mask >> node & 1]


# Parameters and weights


def test_parameters_are_the_decimals_they_print_as():
    assert Parameters(0.51, "1.76") == Parameters(Fraction(51, 100), Fraction(44, 25))
    assert Parameters("1/12", Fraction(11, 120)).scaled == (120, 110, 131)


def test_legal_means_that_an_unanswered_edge_has_a_negative_determinant():
    grid = [(Fraction(a, 20), Fraction(b, 10)) for a in range(1, 20) for b in range(1, 40)]
    for epsilon, delta in grid:
        assert Parameters(epsilon, delta).legal == (1 - (1 - epsilon) * (1 + delta) < 0)


def test_weights_are_those_of_another_package():
    # The three-cycle of AlgebraicDynamics.jl, which prints the transpose.
    weights = network(CYCLE, 3, USUAL).weights
    expected = torch.tensor([[0, -0.75, -1.5], [-1.5, 0, -0.75], [-0.75, -1.5, 0]], dtype=torch.float64)
    assert torch.equal(weights, expected) or torch.equal(weights, expected.T)
    assert weights[1, 0] == -0.75  # 0 -> 1


def test_weights_take_a_dtype_and_any_number_of_axes():
    model = network(FIVE[:6].reshape(2, 3), 5, USUAL, dtype=torch.float32)
    assert model.networks == (2, 3)
    assert model.weights.shape == (2, 3, 5, 5)
    assert model.weights.dtype == torch.float32
    assert model.inputs.tolist() == [1] * 5


# Fixed points


@PAIRS
def test_integers_and_the_doubling_of_tableaux_agree_on_every_support_of_every_digraph(parameters):
    for nodes in (2, 3, 4, 5):
        codes = classes(nodes)[:: 7 if nodes == 5 else 1]
        exact = fixed_points(codes, nodes, parameters)
        other = all_supports(network(codes, nodes, parameters))
        assert (exact.exists[:, 1:] == other.exists.numpy()[:, 1:]).all()
        assert (exact.stable_supports[:, 1:] == other.stable.numpy()[:, 1:]).all()
        assert (exact.index[:, 1:] == other.index.numpy()[:, 1:]).all()


def test_integers_and_fractions_agree_on_six_and_seven_neurons():
    rng = np.random.default_rng(6)
    for nodes in (6, 7):
        codes = rng.integers(0, 2 ** (nodes * (nodes - 1)), 3)
        found = fixed_points(codes, nodes, WEAK)
        for graph, code in enumerate(codes):
            edges = adjacency(code, nodes)
            rows = [
                [
                    Fraction(0) if i == j else (Fraction(-9, 10) if edges[i, j] else Fraction(-28, 25))
                    for j in range(nodes)
                ]
                for i in range(nodes)
            ]
            for support in rng.integers(1, 2**nodes, 30).tolist():
                expected = exact_fixed_point(rows, [Fraction(1)] * nodes, support)
                assert found.exists[graph, support] == expected.exists
                assert found.stable_supports[graph, support] == expected.stable
                assert found.index[graph, support] == expected.index


def test_integers_beyond_64_bits_are_still_exact():
    huge = Parameters(Fraction(10**9 + 7, 4 * 10**9), Fraction(2 * 10**9 + 1, 4 * 10**9))
    codes = classes(4)
    assert (fixed_points(codes, 4, huge).exists == fixed_points(codes, 4, USUAL).exists).all()


@pytest.mark.parametrize("q", [10**6, 10**18, 7 * 10**18, 10**25])
def test_integer_matrices_are_exact_however_large_the_denominator(q):
    # For 7e18 an edge needs 63 bits and a missing edge 64: as floats they would lose their last digits.
    parameters = Parameters(Fraction(1, 4) + Fraction(1, q), Fraction(1, 2) + Fraction(1, q))
    found = graph_rules.integer_matrices(classes(3), 3, parameters)
    edges = np.moveaxis(adjacency(classes(3), 3), 0, -1)
    for i, j in itertools.permutations(range(3), 2):
        assert set(found[i, j][edges[i, j]].tolist()) == {3 * q // 4 - 1}
        assert set(found[i, j][~edges[i, j]].tolist()) == {3 * q // 2 + 1}
    assert set(found[0, 0].tolist()) == {q}
    assert (fixed_points(classes(3), 3, parameters).exists == fixed_points(classes(3), 3, USUAL).exists).all()


@PAIRS
def test_indices_sum_to_one_and_the_number_of_fixed_points_is_odd(parameters):
    for nodes in range(1, 6):
        found = fixed_points(classes(nodes), nodes, parameters)
        assert not found.degenerate.any()
        assert ((found.exists * found.index).sum(axis=-1) == 1).all()
        assert (found.exists.sum(axis=-1) % 2 == 1).all()
        assert not found.exists[:, 0].any()


def test_fixed_points_of_a_subgraph_are_read_from_the_table_of_the_whole():
    codes = FIVE[::97]
    found = fixed_points(codes, 5, USUAL)
    for subset in range(1, 32):
        inside = members(subset)
        part = fixed_points(induced(codes, 5, subset), len(inside), USUAL).exists
        places = [sum(1 << inside[i] for i in members(mask)) for mask in range(2 ** len(inside))]
        assert (found.within(subset)[:, places] == part).all()
        assert found.within(subset).sum() == part.sum()


def test_degenerate_parameters_are_marked():
    # 1 - (1 - epsilon)(1 + delta) = 0: the pair with one edge has a singular matrix.
    assert fixed_points(classes(2), 2, Parameters(Fraction(1, 3), Fraction(1, 2))).degenerate.tolist() == [0, 1, 0]


def test_independent_sets_have_all_supports_and_cliques_and_cycles_one():
    empty, full, ring = np.array([0, 2**20 - 1, encode(np.roll(np.eye(5, dtype=int), 1, axis=0))])
    found = fixed_points(np.array([empty, full, ring]), 5, USUAL)
    assert found.exists.sum(axis=-1).tolist() == [31, 1, 1]
    assert found.core_motif[:, -1].tolist() == [False, True, True]
    assert found.stable_supports[:, -1].tolist() == [False, True, False]


def test_stable_is_what_the_eigenvalues_say():
    codes = FIVE[::31]
    found = fixed_points(codes, 5, STRONG)
    real = np.linalg.eigvals(np.eye(5) - network(codes, 5, STRONG).weights.numpy()).real.min(axis=-1)
    rows = found.permitted[:, -1] & (abs(real) > 1e-9)
    assert rows.any()
    assert (found.stable[rows, -1] == (real[rows] > 0)).all()


def test_the_shipped_tables_are_what_is_computed():
    root = data.chapters.home()
    spec = importlib.util.spec_from_file_location("make_digraphs", root / "data" / "digraphs" / "make.py")
    make = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make)
    for nodes in range(1, 6):
        shipped = data.digraphs(nodes, root)
        assert (shipped.codes == classes(nodes)).all()
        assert shipped.parameters == make.PAIRS
        for number, pair in enumerate(shipped.parameters):
            found = fixed_points(shipped.codes, nodes, Parameters(*pair))
            assert (shipped.exists[number] == found.exists).all()
            assert (shipped.stable[number] == found.stable_supports).all()
    sums = data._sums(root / "data" / "digraphs" / "SHA256SUMS")
    for nodes in (1, 2, 3, 4, 5):
        assert make.hashlib.sha256(make.table(nodes).encode()).hexdigest() == sums[f"n{nodes}.csv"]


def test_every_published_set_that_was_read_is_found_again():
    published = data.published_digraphs()
    codes = encode(published.adjacency)
    assert len(np.unique(canonical(codes, 5))) == len(codes) == 100
    assert (fixed_points(codes, 5, STRONG).exists == published.exists).all()
    differ = (fixed_points(codes, 5, WEAK).core_supports != fixed_points(codes, 5, STRONG).core_supports).any(axis=-1)
    assert (differ == published.parameter_dependent).all()


def test_core_structures_reproduce_the_published_class_sizes():
    found = fixed_points(FIVE, 5, STRONG)
    sizes = np.unique(core_structures(FIVE, found), return_counts=True)[1].tolist()
    # The package keeps apart three graphs without any core motif, which look alike from here.
    assert (~found.core_supports.any(axis=-1)).sum() == 3
    sizes.remove(3)
    assert sorted([*sizes, 1, 1, 1]) == sorted(data.published_digraphs().class_sizes.tolist())


def test_core_structures_do_not_depend_on_the_labels():
    codes = FIVE[::500]
    moved = graph_rules.require_codes("codes", codes, 5)
    moved = encode(adjacency(moved, 5)[:, [[4], [2], [0], [1], [3]], [4, 2, 0, 1, 3]])
    first, second = (core_structures(c, fixed_points(c, 5, USUAL)) for c in (codes, moved))
    assert (first == second).all()
    assert len(np.unique(first)) > 3


# Rules


def test_cliques_and_targets_against_networkx():
    codes = classes(4)[::5]
    for code, found, free in zip(codes, cliques(codes, 4), target_free_cliques(codes, 4), strict=True):
        edges = adjacency(code, 4)
        both = nx.Graph([(i, j) for i, j in itertools.combinations(range(4), 2) if edges[i, j] and edges[j, i]])
        both.add_nodes_from(range(4))
        expected = {frozenset(c) for c in nx.enumerate_all_cliques(both)}
        assert {frozenset(members(mask)) for mask in np.flatnonzero(found)} == expected
        targets = {c for c in expected if any(all(edges[k, i] for i in c) for k in set(range(4)) - c)}
        assert {frozenset(members(mask)) for mask in np.flatnonzero(free)} == expected - targets


@PAIRS
def test_up_to_five_neurons_the_stable_supports_are_the_target_free_cliques(parameters):
    for nodes in range(1, 6):
        codes = classes(nodes)
        found = fixed_points(codes, nodes, parameters)
        assert (found.stable_supports == target_free_cliques(codes, nodes)).all()


def test_sinks_and_uniform_degrees_and_sources():
    found = fixed_points(FIVE, 5, USUAL).exists
    edges = adjacency(FIVE, 5)
    sinks = ~edges.any(axis=1)
    assert (found[:, 1 << np.arange(5)] == sinks).all()
    degree, outside = uniform_in_degree(FIVE, 5)
    uniform = degree >= 0
    assert (found == (outside <= degree))[uniform].all()
    table = fixed_points(FIVE, 5, USUAL)
    for node in range(5):
        source = ~edges[:, node].any(axis=-1) & edges[:, :, node].any(axis=-1)
        assert source.any()
        assert (table.within(31 & ~(1 << node)) == found)[source].all()


def test_uniform_degrees_of_one_graph_by_hand():
    degree, outside = uniform_in_degree(CYCLE, 3)
    assert degree[[0b001, 0b011, 0b111]].tolist() == [0, -1, 1]
    assert outside[[0b001, 0b011, 0b111]].tolist() == [1, 1, 0]


def test_graphical_domination_rules_supports_out():
    found = fixed_points(FIVE, 5, WEAK)
    sets = np.arange(32)
    for j, k in itertools.permutations(range(5), 2):
        rule = graphical_domination(FIVE, 5, j, k)
        inside_j, inside_k = sets >> j & 1 == 1, sets >> k & 1 == 1
        assert not (found.permitted & rule & inside_j & inside_k).any()  # inside-in
        outside_in = rule & inside_j & ~inside_k
        assert not (found.permitted & outside_in & (found.silent >> k & 1 == 1)).any()
        inside_out = rule & inside_k & ~inside_j
        assert (found.silent >> j & 1 == 1)[found.permitted & inside_out].all()


def test_domination_by_its_definition():
    codes = classes(4)
    weak = dominated(codes, 4)
    for graph in range(0, len(codes), 9):
        edges = adjacency(codes[graph], 4)
        for subset in range(16):
            inside = members(subset)
            expected = 0
            for j, k in itertools.permutations(inside, 2):
                follows = all(edges[k, i] for i in inside if i not in (j, k) and edges[j, i])
                expected |= int(follows and edges[k, j] and not edges[j, k]) << j
            assert weak[graph, subset] == expected


@PAIRS
def test_deleting_a_dominated_neuron_changes_nothing(parameters):
    found = fixed_points(FIVE, 5, parameters)
    weak = dominated(FIVE, 5)[:, -1]
    for node in range(5):
        rows = weak >> node & 1 == 1
        assert (found.within(31 & ~(1 << node)) == found.exists)[rows].all()


def test_deletions_in_any_order_end_alike():
    ends = reductions(FIVE, 5)
    assert ends.any(axis=-1).all()
    for code, row in zip(FIVE[::40], ends[::40], strict=True):
        shapes = {
            (mask.bit_count(), int(canonical(induced(code, 5, mask), mask.bit_count())))
            for mask in np.flatnonzero(row).tolist()
        }
        assert len(shapes) == 1


@pytest.mark.parametrize("kind", ["disjoint", "clique", "cyclic"])
@pytest.mark.parametrize("sizes", [(2, 1), (3, 2), (2, 2, 1), (1, 1, 1, 1), (3, 1, 2)])
def test_fixed_points_of_composites(kind, sizes):
    parts = []
    for axis, size in enumerate(sizes):
        shape = [1] * len(sizes)
        shape[axis] = -1
        parts.append((classes(size).reshape(shape), size))
    whole = fixed_points(compose(kind, parts), sum(sizes), USUAL).exists
    predicted = composed(kind, [fixed_points(codes, size, USUAL).exists for codes, size in parts])
    assert predicted.shape == whole.shape
    assert (predicted == whole).all()


def test_written_is_the_notation_of_the_tables():
    found = fixed_points(np.array([0, 15]), 3, USUAL)
    assert [written(e, s) for e, s in zip(found.exists, found.stable, strict=True)] == [
        "1* 2* 3* 12 13 23 123",
        "12* 13* 123",
    ]


# Six neurons


def test_the_exception_in_fractions():
    for code in SIX:
        edges = adjacency(code, 6)
        rows = [
            [Fraction(0) if i == j else Fraction(-11, 12) if edges[i, j] else Fraction(-131, 120) for j in range(6)]
            for i in range(6)
        ]
        found = exact_fixed_point(rows, [Fraction(1)] * 6, 63)
        assert found.exists
        assert found.stable
        assert min(found.activities) > Fraction(1, 30)


def test_maps_of_parameters_agree_with_integers():
    least, growth = full_support(SIX, 6, 1 / 12, 11 / 120)
    assert (least > 0).all()
    assert (growth < 0).all()
    assert full_support(SIX[0], 6, [0.02, 0.05, 0.25], [0.03, 0.06, 0.5])[1].tolist() == pytest.approx(
        [full_support(SIX[0], 6, *pair)[1].item() for pair in ((0.02, 0.03), (0.05, 0.06), (0.25, 0.5))]
    )
    assert not fixed_points(SIX, 6, USUAL).stable_supports[:, -1].any()


def test_a_singular_point_of_a_map_leaves_the_others_their_answers():
    delta = [0.5, 1.0, 2.0]
    least, growth = full_support(5, 3, 0.25, delta)
    assert np.isneginf(least).tolist() == [False, True, False]
    for at in (0, 2):
        assert (least[at], growth[at]) == full_support(5, 3, 0.25, delta[at])


def test_vanishing_inhibition_is_the_limit_of_small_parameters():
    ratio = np.array([1.05, 1.16, 1.3])
    limit = vanishing_inhibition(SIX[0], 6, ratio)
    small = 1e-6
    assert limit == pytest.approx(full_support(SIX[0], 6, small, small * ratio)[1] / small, abs=1e-4)
    assert limit[0] < 0 < limit[2]
    # Without edges the projected matrix is -ratio times the identity: one growth rate, the ratio.
    assert vanishing_inhibition(0, 4, 2.0) == pytest.approx(2.0)


# Refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Parameters(0, 1), "epsilon: expected a number above 0 and below 1; got 0."),
        (lambda: Parameters("1", 1), "epsilon: expected a number above 0 and below 1; got 1."),
        (lambda: Parameters(0.1, -1), "delta: expected a number above 0; got -1."),
        (lambda: Parameters("x", 1), "epsilon: expected a fraction such as '1/12'; got 'x'."),
        (
            lambda: Parameters(0.1, None),
            "delta: expected a fraction, a number or a string such as",
        ),
        (lambda: Parameters(float("nan"), 1), "epsilon: expected a finite number; got nan (float)."),
        (lambda: network([99], 2, USUAL), "codes: expected codes of 2 bits, for 2 nodes; got 99."),
        (lambda: fixed_points([0.0], 2, USUAL), "codes: expected integer codes; got dtype float64."),
        (lambda: fixed_points([0], 2, USUAL).within(4), "subset: expected an integer in [0, 3]; got 4."),
        (lambda: cliques([-1], 2), "codes: expected codes of 2 bits"),
        (lambda: target_free_cliques([4], 2), "codes: expected codes of 2 bits"),
        (lambda: uniform_in_degree([4], 2), "codes: expected codes of 2 bits"),
        (lambda: graphical_domination([0], 2, 0, 0), "k: expected a node other than j; got 0."),
        (lambda: graphical_domination([0], 2, 2, 0), "j: expected an integer in [0, 1]; got 2."),
        (lambda: dominated([4], 2), "codes: expected codes of 2 bits"),
        (lambda: reductions([4], 2), "codes: expected codes of 2 bits"),
        (lambda: composed("loose", []), "kind: expected one of 'disjoint', 'clique', 'cyclic'; got 'loose' (str)."),
        (lambda: composed("clique", []), "number of parts: expected an integer >= 2; got 0."),
        (
            lambda: core_structures([0, 1], fixed_points([0], 2, USUAL)),
            "codes: expected shape (1,), as the fixed points; got shape (2,).",
        ),
        (lambda: full_support([0], 2, 1.0, 1.0), "epsilon: expected finite values > 0 and < 1; got 1."),
        (lambda: full_support([0], 2, 0.5, 0.0), "delta: expected finite values > 0; got 0."),
        (lambda: vanishing_inhibition([0], 1, 1.0), "nodes: expected an integer >= 2; got 1."),
        (lambda: vanishing_inhibition([0], 2, -1.0), "ratio: expected finite values > 0; got -1."),
        (lambda: undominated(6), "nodes: expected an integer in [1, 5]; got 6."),
        (lambda: stability_border(0, 2, 1), "nodes: expected an integer >= 3; got 2."),
        (lambda: stability_border(0, 3, 0), "excess: expected a number above 0 and at most a million; got 0."),
        (lambda: written(np.zeros(3), np.zeros(3)), "exists: expected bool, axes (2**n,), n = 1 to 9; got float64"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert message in str(caught.value)


def test_in_neighbours_name_the_senders():
    assert in_neighbours(CYCLE, 3).tolist() == [4, 1, 2]


def test_two_counts_of_digraphs_without_a_dominated_node_agree():
    by_class = [int((dominated(classes(n), n)[:, -1] == 0).sum()) for n in range(1, 5)]
    assert [undominated(n) for n in range(1, 5)] == by_class == [1, 2, 6, 47]


@pytest.mark.parametrize("excess", [Fraction(3, 25), Fraction(4, 25)])
def test_a_network_turns_stable_where_hurwitz_determinant_vanishes(excess):
    (border,) = stability_border(int(SIX[0]), 6, excess)
    for factor, stable in ((1.001, True), (0.999, False)):
        epsilon = 1 / (1 + factor * border)
        assert (full_support(SIX[0], 6, epsilon, epsilon * (1 + float(excess)))[1] < 0) == stable


def test_beyond_the_limit_there_is_no_border():
    assert stability_border(int(SIX[0]), 6, Fraction(167, 1000)).size == 0
