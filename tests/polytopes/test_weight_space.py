"""Stability conditions, the oracle and the symmetries against energies and every state; Gaussian networks."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.hopfield import Hopfield, from_bits, stability
from memscape.memory.robust import CliqueCone, every_clique
from memscape.polytopes.weight_space import (
    arrangement,
    expected_fixed_points,
    fixed_point_counts,
    gaussian_couplings,
    growth_rate,
    monomials,
    normals,
    solid_angle,
    states,
    storable,
    symmetries,
)
from memscape.tools import pieces

FAMILIES = [
    (2, (2,)),
    (2, (1, 2)),
    (3, (2,)),
    (3, (1, 3)),
    (3, (1, 2, 3)),
    (4, (2,)),
    (4, (1, 2)),
    (4, (2, 4)),
    (5, (2, 3)),
]


def energies(neurons: int, degrees: tuple[int, ...], weights: np.ndarray) -> np.ndarray:
    """Term by term, as it stands in the definition."""
    family = [s for d in sorted(degrees) for s in itertools.combinations(range(neurons), d)]
    return np.array(
        [-sum(w * math.prod(x[i] for i in s) for w, s in zip(weights, family, strict=True)) for x in states(neurons)]
    )


def whole(seed: int, count: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-20, 21, size=count)


# States, monomials, normals


def test_states_are_the_bits_of_their_index():
    assert states(3)[[0, 1, 6]].tolist() == [[-1, -1, -1], [1, -1, -1], [-1, 1, 1]]
    assert len(np.unique(states(5), axis=0)) == 32


def test_monomials_are_the_subsets_of_these_sizes():
    family = monomials(4, (3, 1))
    assert [np.flatnonzero(row).tolist() for row in family] == [
        [0],
        [1],
        [2],
        [3],
        [0, 1, 2],
        [0, 1, 3],
        [0, 2, 3],
        [1, 2, 3],
    ]


@pytest.mark.parametrize(("neurons", "degrees"), FAMILIES)
def test_a_condition_is_half_the_energy_of_a_flip(neurons, degrees):
    rows = normals(neurons, degrees)
    weights = whole(neurons, rows.shape[-1])
    energy = energies(neurons, degrees, weights)
    flipped = np.arange(2**neurons)[:, None] ^ (1 << np.arange(neurons))
    np.testing.assert_array_equal(2 * rows @ weights, energy[flipped] - energy[:, None])


@pytest.mark.parametrize(
    ("neurons", "degrees", "planes", "dimension"),
    [
        (2, (2,), 1, 1), (2, (1, 2), 4, 3), (3, (2,), 6, 3), (3, (3,), 1, 1), (3, (2, 3), 12, 4), (3, (1, 2), 12, 6),
        (3, (1, 2, 3), 12, 7), (4, (2,), 16, 6), (4, (1, 2), 32, 10), (5, (2,), 40, 10), (5, (1, 2), 80, 15),
    ],
)  # fmt: skip
def test_hyperplanes_are_counted_once(neurons, degrees, planes, dimension):
    cut = arrangement(neurons, degrees)
    assert (cut.hyperplanes, cut.dimension) == (planes, dimension)
    lines = {frozenset([tuple(row), tuple(-row)]) for row in cut.normals.tolist() for row in [np.array(row)]}
    assert len(lines) == planes


@pytest.mark.parametrize(("neurons", "degrees"), FAMILIES)
def test_an_arrangement_gives_every_condition_back(neurons, degrees):
    cut = arrangement(neurons, degrees)
    np.testing.assert_array_equal(cut.sign[..., None] * cut.normals[cut.edge], normals(neurons, degrees))


@pytest.mark.parametrize(("neurons", "degrees"), FAMILIES)
def test_fixed_states_are_strict_minima_of_the_energy(neurons, degrees):
    cut = arrangement(neurons, degrees)
    weights = 3 ** np.arange(cut.dimension)  # on no hyperplane
    energy = energies(neurons, degrees, weights)
    flipped = np.arange(2**neurons)[:, None] ^ (1 << np.arange(neurons))
    minima = (energy[flipped] > energy[:, None]).all(axis=1)
    signs = np.sign(cut.normals @ weights)
    np.testing.assert_array_equal(cut.fixed(signs), minima)
    np.testing.assert_array_equal(cut.fixed(np.stack([signs, -signs]))[0], minima)


def test_pairwise_conditions_are_those_of_a_hopfield_network():
    weights = whole(3, 6)
    couplings = torch.zeros(4, 4, dtype=torch.float64)
    couplings[tuple(torch.triu_indices(4, 4, 1))] = torch.from_numpy(weights).double()
    model = Hopfield(couplings + couplings.mT, torch.zeros(4, dtype=torch.float64), 1.0)
    margins = normals(4, (2,)) @ weights
    assert margins.all()  # no ties
    x = torch.from_numpy(states(4)).double()
    np.testing.assert_array_equal((model.update(x) == x).numpy(), margins > 0)


# Symmetry


@pytest.mark.parametrize(("neurons", "degrees"), [(2, (1, 2)), (3, (1, 2)), (3, (2, 3)), (4, (2,))])
def test_symmetries_keep_the_energy_and_carry_conditions_to_conditions(neurons, degrees):
    group, cut = symmetries(neurons), arrangement(neurons, degrees)
    assert len(group) == 2**neurons * math.factorial(neurons)
    weights = whole(1, cut.dimension)
    energy = energies(neurons, degrees, weights)
    where = group.on_states()
    target, sign = group.on_couplings(degrees)
    plane, side = group.on_hyperplanes(cut)
    for g in range(len(group)):
        moved, values = np.empty_like(weights), np.empty(cut.hyperplanes, dtype=int)
        moved[target[g]] = sign[g] * weights
        np.testing.assert_array_equal(energies(neurons, degrees, moved)[where[g]], energy)
        values[plane[g]] = side[g] * (cut.normals @ weights)
        np.testing.assert_array_equal(values, cut.normals @ moved)


def test_symmetries_start_with_the_identity_and_are_all_different():
    group = symmetries(3)
    assert group.on_states()[0].tolist() == list(range(8))
    assert len(np.unique(group.on_states(), axis=0)) == 48


# The oracle


def test_storable_sets_of_two_neurons_with_thresholds():
    conditions = normals(2, (1, 2))
    pairs = {pair for pair in itertools.combinations(range(4), 2) if storable(pair, conditions)}
    assert pairs == {(0, 3), (1, 2)}  # neighbours on the square exclude each other
    assert all(storable([x], conditions) for x in range(4))


# Gaussian networks


def test_counts_agree_with_the_conditions_of_every_state():
    couplings = gaussian_couplings(5, 20, rng=np.random.default_rng(1))
    upper = torch.triu_indices(5, 5, 1)
    weights = couplings[:, upper[0], upper[1]].numpy()
    expected = (np.einsum("xik,bk->bxi", normals(5, (2,)), weights) > 0).all(axis=-1).sum(axis=-1)
    assert fixed_point_counts(couplings).tolist() == expected.tolist()
    assert fixed_point_counts(couplings.reshape(4, 5, 5, 5)).tolist() == expected.reshape(4, 5).tolist()
    assert fixed_point_counts(couplings[0]).item() == expected[0]


def test_counts_do_not_depend_on_the_blocks():
    couplings = gaussian_couplings(13, 3, rng=np.random.default_rng(2))
    whole_ = fixed_point_counts(couplings)
    with pieces.budget(1):
        assert torch.equal(fixed_point_counts(couplings), whole_)


def test_a_ferromagnet_has_two_fixed_points_and_no_couplings_have_none():
    assert fixed_point_counts(torch.ones(6, 6) - torch.eye(6)).item() == 2
    assert fixed_point_counts(torch.zeros(3, 3)).item() == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_counts_are_the_same_on_cuda():
    couplings = gaussian_couplings(10, 50, rng=np.random.default_rng(3))
    assert torch.equal(fixed_point_counts(couplings.cuda()).cpu(), fixed_point_counts(couplings))


def test_gaussian_couplings_are_symmetric_and_of_unit_variance():
    couplings = gaussian_couplings(20, 500, rng=np.random.default_rng(4))
    assert torch.equal(couplings, couplings.mT)
    assert not couplings.diagonal(dim1=-2, dim2=-1).any()
    values = couplings[:, *torch.triu_indices(20, 20, 1)]
    # 95000 values: five standard errors of mean and variance.
    assert abs(values.mean()) < 5 / 95000**0.5
    assert abs(values.var() - 1) < 5 * (2 / 95000) ** 0.5


def test_mean_count_is_two_for_two_and_three_neurons_and_the_orthant_probability_for_four():
    assert expected_fixed_points(2) == 2
    assert expected_fixed_points(3) == pytest.approx(2, rel=1e-9)
    # Four fields with correlation 1/3: Monte Carlo of a million draws, five standard errors.
    z = np.random.default_rng(5).normal(size=(1_000_000, 5))
    share = ((z[:, :4] * 2**0.5 + z[:, 4:]) > 0).all(axis=1).mean()
    assert abs(16 * share - expected_fixed_points(4)) < 16 * 5 * (share / 1e6) ** 0.5


def test_mean_counts_are_right_up_to_the_largest_number_of_neurons():
    # The growth from 3400 to 3500 neurons is that from 1700 to 1750, squared, up to terms of order 1/n.
    slopes = [math.log(expected_fixed_points(n) / expected_fixed_points(n - n // 35)) / (n // 35) for n in (1750, 3500)]
    assert slopes == pytest.approx([growth_rate()[0]] * 2, abs=1e-6)


def test_mean_count_grows_at_its_rate():
    rate, peak = growth_rate()
    assert 0.19 < rate < 0.21
    slopes = [math.log(expected_fixed_points(2 * n) / expected_fixed_points(n)) / n for n in (100, 200, 400)]
    assert abs(slopes[2] - rate) < abs(slopes[1] - rate) < abs(slopes[0] - rate) < 1e-4
    grid = np.linspace(-1, 2, 3001)
    value = math.log(2) + np.log(np.array([0.5 * math.erfc(-u / 2**0.5) for u in grid])) - grid**2 / 2
    assert rate == pytest.approx(value.max(), abs=1e-6)
    assert peak == pytest.approx(grid[value.argmax()], abs=2e-3)


# The cone of cliques


def test_an_octant_is_an_eighth_of_all_directions_and_halves_add_up():
    assert solid_angle(np.eye(3)) == pytest.approx(1 / 8)
    for size in (1e300, 1e-200, 5e-324):
        assert solid_angle(size * np.eye(3)) == solid_angle(np.eye(3))
    half = [1, 1, 0]
    parts = solid_angle([[1, 0, 0], half, [0, 0, 1]]) + solid_angle([half, [0, 1, 0], [0, 0, 1]])
    assert parts == pytest.approx(1 / 8)
    assert solid_angle([[-1, 1, 1], [1, -1, 1], [1, 1, -1]]) + 0 == pytest.approx(
        solid_angle([[2, -2, 2], [2, 2, -2], [-3, 3, 3]])
    )
    # Wider than a half circle seen from one ray: four of these make everything.
    corner = [[1, 1, 1], [1, -1, -1], [-1, 1, -1]]
    assert solid_angle(corner) == pytest.approx(1 / 4)


@pytest.mark.parametrize("clique", [3, 4, 8])
def test_share_of_the_clique_cone_agrees_with_sampling(clique):
    cone = CliqueCone(2 * clique, clique)
    points = np.random.default_rng(clique).normal(size=(400_000, 3))
    share = (points @ np.array(cone.inequalities).T > 0).all(axis=1).mean()
    assert abs(share - solid_angle(cone.rays)) < 5 * (share / 400_000) ** 0.5


def test_a_point_of_the_cone_stores_all_seventy_cliques():
    cone = CliqueCone(8, 4)
    x, y, theta = (sum(ray[i] for ray in cone.rays) for i in range(3))
    assert cone.contains(x, y, theta)
    ends = [set(pair) for pair in itertools.combinations(range(8), 2)]
    couplings = torch.tensor([[0 if a == b else (x if a & b else y) for b in ends] for a in ends], dtype=torch.float64)
    network = from_bits(couplings, torch.full((28,), float(theta), dtype=torch.float64))
    cliques = every_clique(8, 4)
    assert len(cliques) == 70
    assert (stability(network, cliques) > 0).all()
    outside = from_bits(couplings, torch.full((28,), float(theta) * 2, dtype=torch.float64))
    assert not cone.contains(x, y, Fraction(2 * theta))
    assert not (stability(outside, cliques) > 0).any()


# Refusals

CUT = arrangement(3, (2,))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: states(0), "neurons: expected an integer in [1, 12]; got 0."),
        (lambda: monomials(3, ()), "degrees: expected a sequence of sizes of sets; got (). For example (1, 2)."),
        (lambda: monomials(3, "12"), "degrees: expected a sequence of sizes of sets; got '12'."),
        (lambda: monomials(3, (4,)), "degrees: expected an integer in [1, 3]; got 4."),
        (lambda: monomials(3, (2, 2)), "degrees: expected different sizes of sets; got (2, 2). Name each once."),
        (lambda: normals(13, (2,)), "neurons: expected an integer in [1, 12]; got 13."),
        (lambda: symmetries(7), "neurons: expected an integer in [1, 6]; got 7."),
        (lambda: symmetries(3).on_couplings((5,)), "degrees: expected an integer in [1, 3]; got 5."),
        (lambda: symmetries(4).on_hyperplanes(CUT), "cut: expected an arrangement of 4 neurons; got 3."),
        (lambda: CUT.fixed(np.zeros(6, dtype=int)), "signs: expected values in {-1, 1}; got 0. Take np.sign first."),
        (lambda: CUT.fixed(np.ones(5, dtype=int)), "signs: expected shape (..., 6), no axis empty; got shape (5,)"),
        (lambda: storable([9], normals(3, (2,))), "patterns: expected an integer in [0, 7]; got 9."),
        (lambda: storable([0], np.ones((2, 2), dtype=int)), "conditions: expected shape (any, any, any)"),
        (lambda: gaussian_couplings(0, 1, rng=np.random.default_rng()), "neurons: expected an integer >= 1; got 0."),
        (lambda: gaussian_couplings(1, 0, rng=np.random.default_rng()), "networks: expected an integer >= 1; got 0."),
        (lambda: fixed_point_counts(torch.ones(3, 3)), "couplings: expected zeros on the diagonal; got a"),
        (lambda: fixed_point_counts(torch.ones(3, 2)), "couplings: expected axes (..., neurons, neurons)"),
        (lambda: fixed_point_counts(torch.zeros(25, 25)), "neurons: expected an integer <= 24; got 25."),
        (lambda: gaussian_couplings(2, 1, rng=None), "rng: expected a numpy.random.Generator; got NoneType. Make"),
        (lambda: expected_fixed_points(3501), "neurons: expected at most 3500; got 3501. growth_rate gives"),
        (lambda: expected_fixed_points(1), "neurons: expected an integer >= 2; got 1."),
        (lambda: solid_angle([[1, 0], [0, 1]]), "rays: expected three vectors of three finite numbers; got"),
        (lambda: solid_angle([[1, 0, 0], [2, 0, 0], [0, 1, 0]]), "rays: expected linearly independent vectors; got"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_in_words(call, message):
    with pytest.raises(ArgumentError) as refused:
        call()
    assert str(refused.value).startswith(message)
