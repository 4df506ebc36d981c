"""Random tables of couplings: moments by hand, identities of projectors, laws to first order, what is refused."""

import itertools
import math

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import random_couplings as rc
from memscape.memory.hopfield import projection
from memscape.memory.patterns import random_patterns


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def test_random_symmetric_matrices():
    found = rc.symmetric(30, networks=(40,), generator=draw(1))
    row, column = torch.triu_indices(30, 30, 1)
    entries = found[:, row, column]
    assert torch.equal(found, found.mT)
    assert not found.diagonal(dim1=-2, dim2=-1).any()
    assert abs(entries.mean()) < 5 / math.sqrt(entries.numel())
    assert abs(entries.var() - 1) < 5 * math.sqrt(2 / entries.numel())
    assert torch.equal(found, rc.symmetric(30, networks=(40,), generator=draw(1)))


def test_distances_are_those_of_points_of_the_cube():
    found = rc.distances(25, 1, networks=(200,), generator=draw(2))
    assert torch.equal(found, found.mT)
    row, column = torch.triu_indices(25, 25, 1)
    # On a line the mean distance of two uniform points is 1/3, and of three one distance is the sum of the others.
    assert found[:, row, column].mean() == pytest.approx(-1 / 3, abs=0.01)
    three = found[:, [0, 0, 1], [1, 2, 2]].sort(dim=-1).values
    assert torch.allclose(three[:, 0], three[:, 1] + three[:, 2])
    assert rc.distances(5, 3, generator=draw()).shape == (5, 5)


@pytest.mark.parametrize("columns", [9, 12, 40])
def test_moments_of_gram_matrices(columns):
    found = rc.gram(12, columns, networks=(5000,), generator=draw(3))
    assert torch.equal(found, found.mT)
    assert not found.diagonal(dim1=-2, dim2=-1).any()
    row, column = torch.triu_indices(12, 12, 1)
    # <w^2> = 1 and <w^4> = 3 + 6/d, at the start and at the end of the triangle, where the law of Bartlett is another.
    for first, last in ((0, 1), (0, 11), (10, 11)):
        entry = found[:, first, last]
        assert entry.square().mean() == pytest.approx(1.0, abs=0.12)
        assert entry.square().square().mean() == pytest.approx(3 + 6 / columns, rel=0.35)
    assert found[:, row, column].square().mean() == pytest.approx(1.0, abs=0.02)
    assert found[:, row, column].pow(4).mean() == pytest.approx(3 + 6 / columns, rel=0.05)
    triangles = rc.signed_triangles(found)
    error = triangles.std() / math.sqrt(5000)
    assert abs(triangles.mean() - math.comb(12, 3) / math.sqrt(columns)) < 4 * error
    assert not torch.allclose(found[0], found[1])
    assert torch.equal(found, rc.gram(12, columns, networks=(5000,), generator=draw(3)))


def test_gram_matrices_of_few_points_have_few_dimensions():
    found = rc.gram(12, 3, networks=(2, 3), generator=draw(4))
    assert found.shape == (2, 3, 12, 12)
    # Three coordinates: any four columns of the whole table are dependent; with the diagonal off, four by four minors
    # away from it vanish.
    assert torch.linalg.matrix_rank(found[..., :6, 6:]).max() == 3


def test_signed_triangles_by_brute_force():
    matrix = rc.symmetric(7, generator=draw(5)) + torch.eye(7)
    slow = sum(
        (matrix[i, j] * matrix[j, k] * matrix[i, k]).item() for i, j, k in itertools.combinations(range(7), 3)
    )  # fmt: skip
    assert rc.signed_triangles(matrix).item() == pytest.approx(slow)
    many = rc.signed_triangles(rc.symmetric(9, networks=(20000,), generator=draw(6)))
    assert many.var() == pytest.approx(math.comb(9, 3), rel=0.06)


@pytest.mark.parametrize("count", [1, 4, 9, 10])
def test_projectors(count):
    patterns = torch.randn(3, count, 10, generator=draw(7), dtype=torch.float64)
    one, other = rc.projector(patterns), rc.projector(patterns, complement=True)
    assert torch.allclose(one + other, torch.eye(10, dtype=torch.float64))
    assert torch.allclose(one @ one, one)
    assert torch.allclose(patterns @ one, patterns)
    assert torch.allclose(patterns @ other, torch.zeros_like(patterns), atol=1e-12)
    p = one.diagonal(dim1=-2, dim2=-1)
    assert torch.allclose(6 * rc.signed_triangles(one), (p * (1 - p) * (1 - 2 * p)).sum(dim=-1), atol=1e-12)


def test_projector_is_the_projection_rule_off_the_diagonal():
    patterns = random_patterns(4, 12, generator=draw(8))
    rule, mine = projection(patterns), rc.projector(patterns)
    mine.fill_diagonal_(0)
    assert torch.allclose(rule.couplings * rule.unit, mine, atol=1e-12)
    with pytest.raises(ArgumentError, match="patterns: expected linearly independent patterns"):
        rc.projector(torch.ones(2, 5))
    with pytest.raises(ArgumentError, match="patterns: expected at most 5 patterns; got 6"):
        rc.projector(random_patterns(6, 5, generator=draw()))


def test_response_of_a_statistic_that_is_linear_in_the_triangles():
    triangles = torch.randn(4000, generator=draw(9), dtype=torch.float64) * 3
    value, error = rc.response(5 - 0.1 * triangles, triangles)
    assert abs(value - 0.1 * 9 / 5) < 4 * error
    # Products of two normal numbers of deviations 3 and 0.06 spread by sqrt(2) of their product.
    assert error == pytest.approx(0.18 * math.sqrt(2 / 4000), rel=0.15)
    with pytest.raises(ArgumentError, match="integrals: expected numbers with a positive mean"):
        rc.response(torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64))


def test_response_to_a_gram_matrix_of_what_is_not_topological():
    """The mean of a smooth statistic of Gram matrices falls as the covariance over random matrices says."""

    def statistic(matrix):
        bare = matrix.clamp(min=0)
        return 50 + rc.signed_triangles(bare)

    chance = rc.symmetric(10, networks=(20000,), generator=draw(10))
    c, error = rc.response(statistic(chance), rc.signed_triangles(chance))
    found = statistic(rc.gram(10, 400, networks=(8000,), generator=draw(11)))
    fall = 1 - found.mean() / statistic(chance).mean()
    noise = math.hypot(error / 20, (found.std() / found.mean()).item() / math.sqrt(8000))
    assert abs(fall - c / 20) < 4 * noise + c**2 / 400
    assert abs(c / 20) > 6 * noise


def test_spread_is_zero_in_the_right_variable_only():
    sizes, shares = (10, 20, 40), np.array([0.25, 0.5, 1, 2, 4, 8, 16])
    for power in (0, 1, 2):
        columns = np.array([[round(100 * share) * n**power for share in shares] for n in sizes])
        x = np.log(columns) - power * np.log(sizes)[:, None]
        ratios = 0.5 + 0.1 * x
        assert rc.spread(ratios, columns, sizes, float(power)) == pytest.approx(0, abs=1e-20)
        assert rc.spread(ratios, columns, sizes, power + 0.5) > 1e-4
    # Two curves of two points by hand: one of four comparisons falls inside on either side.
    by_hand = rc.spread(np.array([[0.0, 1.0], [0.0, 1.0]]), np.array([[1, 4], [2, 8]]), (1, 1), 0.0)
    assert by_hand == pytest.approx(0.25)
    batch = rc.spread(np.stack([ratios, 2 * ratios]), columns, sizes, 1.0)
    assert batch[1] == pytest.approx(4 * batch[0])
    with pytest.raises(ArgumentError, match="columns: expected curves that overlap"):
        rc.spread(np.zeros((2, 2)), np.array([[1, 2], [100, 200]]), (1, 1), 0.0)


def test_resampled_means_spread_as_the_mean_does():
    values = np.random.default_rng(12).normal(size=(2, 50))
    found = rc.resampled_means(values, 4000, rng=np.random.default_rng(13))
    assert found.shape == (4000, 2)
    assert np.allclose(found.mean(axis=0), values.mean(axis=1), atol=0.01)
    assert np.allclose(found.std(axis=0), values.std(axis=1) / math.sqrt(50), rtol=0.08)
    assert abs(np.corrcoef(found.T)[0, 1]) < 0.08


def test_eigenvalues_beyond_the_edge():
    matrix = rc.symmetric(60, networks=(5,), generator=draw(14))
    assert rc.beyond_edge(matrix, margin=1.3).tolist() == [0] * 5
    spike = torch.ones(60, dtype=torch.float64)
    spike[::2] = -1
    assert rc.beyond_edge(matrix + torch.outer(spike, spike), margin=1.3).tolist() == [1] * 5
    # A constant does not count.
    assert torch.equal(rc.beyond_edge(matrix + 7), rc.beyond_edge(matrix))
    with pytest.raises(ArgumentError, match="matrix: expected entries off the diagonal that differ"):
        rc.beyond_edge(torch.ones(4, 4))


def test_expected_faces():
    assert rc.expected_faces(5, 1.0) == pytest.approx((5, 10, 10, 5, 1))
    assert rc.expected_faces(4, 0.5) == pytest.approx((4, 3, 0.5, 1 / 64))
