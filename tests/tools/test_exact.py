"""Whole numbers against fractions, other ways of counting, and numbers too large for 64 bits."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.tools.exact import (
    affine_regions,
    characteristic,
    characteristic_polynomial,
    determinant,
    determinants_fit,
    hurwitz,
    largest,
    lowest_terms,
    regions,
    relation,
    relations,
    routh,
    solution,
    whole,
)


def corners(dimension: int) -> np.ndarray:
    return np.array(list(itertools.product((-1, 1), repeat=dimension)))


def leibniz(matrix: list[list[int]], *, signed: bool = True) -> int:
    """A determinant, or a permanent, by its definition, in Python's integers."""
    total = 0
    for order in itertools.permutations(range(len(matrix))):
        odd = sum(a > b for a, b in itertools.combinations(order, 2)) % 2
        total += (-1 if odd and signed else 1) * math.prod(row[k] for row, k in zip(matrix, order, strict=True))
    return total


def regions_in_fractions(rows: list[list[int]]) -> int:
    """Deletion and restriction once more, of hyperplanes a.x = c, row by row in fractions."""
    scaled = set()
    for row in rows:
        lead = Fraction(next(value for value in row if value))
        scaled.add(tuple(value / lead for value in row))

    def count(rows: frozenset) -> int:
        if not rows:
            return 1
        first, *others = sorted(rows)
        pivot = next(i for i, value in enumerate(first) if value)
        inside = []
        for row in others:
            reduced = [a - row[pivot] * f for a, f in zip(row, first, strict=True)]
            del reduced[pivot]
            if any(reduced[:-1]):
                lead = next(value for value in reduced if value)
                inside.append(tuple(value / lead for value in reduced))
        return count(frozenset(others)) + count(frozenset(inside))

    return count(frozenset(scaled))


# Determinants


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("entry", [3, 10**6, 2**31, 2**62, 2**63 - 1, -(2**63)])
def test_determinants_are_those_of_their_definition_however_large_the_entries(entry, signed):
    rng = np.random.default_rng(0)
    for size in (1, 2, 3, 4):
        matrices = rng.choice(np.array([entry, entry + (1 if entry < 0 else -1), 0, 1]), size=(size, size, 20))
        expected = [leibniz(matrix.tolist(), signed=signed) for matrix in np.moveaxis(matrices, -1, 0)]
        assert determinant(matrices, signed=signed).tolist() == expected


def test_no_matrices_have_no_determinants():
    assert determinant(np.zeros((2, 2, 0), dtype=np.int64)).shape == (0,)


def test_determinants_stay_in_64_bits_up_to_the_bound_and_not_beyond():
    # 4! m^4 < 2^63: the largest entry is 24898. All entries m make permanents as large as the bound.
    assert determinants_fit(4, 24898)
    assert not determinants_fit(4, 24899)
    for entry, kind in ((24898, np.int64), (24899, object)):
        found = determinant(np.full((4, 4, 1), entry), signed=False)
        assert found.dtype == kind
        assert found.tolist() == [24 * entry**4]
    # A bound that the caller gives stands for the entries: 64 bits are left where it says so.
    assert determinant(np.ones((4, 4, 1), dtype=np.int64), entry=24899).dtype == object
    assert determinant(np.ones((4, 4, 1), dtype=np.int64), entry=24898).dtype == np.int64
    assert determinants_fit(20, 1)
    assert not determinants_fit(21, 0)  # 21! partial sums of zeros are a bound, not a count


def test_floats_are_rounded_as_usual():
    matrix = np.array([[0.5, 0.25], [3.0, 1.0]])
    assert determinant(matrix) == -0.25
    assert determinant(matrix[..., None]).dtype == np.float64


def test_the_largest_of_all_integers_and_arrays_of_integers_of_any_size():
    assert largest(np.array([-(2**63), 2**63 - 1])) == 2**63
    assert largest(np.array([], dtype=int)) == 0
    assert whole([1, -(2**63) + 1]).dtype == np.int64
    assert whole([1, 2**63]).tolist() == [1, 2**63]


# Stability


def polynomial(roots: list[complex]) -> list[int]:
    return [round(value.real) for value in np.poly(roots)]


@pytest.mark.parametrize(
    ("roots", "stable"),
    [
        ([-1], True), ([1], False), ([0], False), ([-1, -2, -3, -4], True), ([-1 + 2j, -1 - 2j, -3], True),
        ([1j, -1j, -1], False), ([1 + 3j, 1 - 3j, -9, -9], False), ([-1 + 5j, -1 - 5j] * 2 + [-1], True),
        ([0, -1, -2], False), ([2j, -2j, 1j, -1j], False), ([-1] * 7, True), ([-1] * 6 + [1], False),
    ],
)  # fmt: skip
def test_both_criteria_of_stability_say_where_the_roots_are(roots, stable):
    coefficients = polynomial(roots)
    assert hurwitz(np.array(coefficients)[:, None]).tolist() == [stable]
    assert hurwitz(np.array(coefficients, dtype=object)[:, None]).tolist() == [stable]
    assert routh([Fraction(value) for value in coefficients]) == stable


@pytest.mark.parametrize("power", [1, 20, 40])
def test_both_criteria_are_exact_however_large_the_coefficients(power):
    # (s + 1)(s^2 + 2 d s + m): stable for d > 0 only, however small d is beside m.
    large = 10**power
    for d in (-1, 0, 1):
        coefficients = [1, 2 * d + 1, large + 2 * d, large]
        kind = np.int64 if power == 1 else object
        assert hurwitz(np.array(coefficients, dtype=kind)[:, None]).tolist() == [d > 0]
        assert routh([Fraction(value) for value in coefficients]) == (d > 0)


def test_hurwitz_in_64_bits_does_not_overflow():
    # Hurwitz's determinant a_1 a_2 - a_0 a_3 = 2^62 * 4 - 1 wraps to a negative number in 64 bits.
    assert hurwitz(np.array([1, 2**62, 4, 1])[:, None]).tolist() == [True]
    assert hurwitz(np.array([1, 1, 1, 2**62])[:, None]).tolist() == [False]


def test_sums_of_minors_are_the_characteristic_polynomial():
    rng = np.random.default_rng(1)
    matrix = rng.integers(-9, 10, (4, 4))
    minors = np.array(
        [
            leibniz(matrix[np.ix_(inside, inside)].tolist())
            for inside in ([i for i in range(4) if s >> i & 1] for s in range(16))
        ]
    )
    for inside in ([0], [1, 3], [0, 1, 2, 3]):
        block = matrix[np.ix_(inside, inside)]
        expected = characteristic_polynomial([[Fraction(-int(value)) for value in row] for row in block])
        assert characteristic(minors, inside).tolist() == expected
        np.testing.assert_allclose([float(value) for value in expected], np.poly(-block), atol=1e-9)


# Relations and systems


def test_systems_of_fractions_are_solved_or_have_no_unique_solution():
    rng = np.random.default_rng(2)
    for size in range(5):
        rows = [[Fraction(int(a), int(b)) for a, b in rng.integers(1, 10**9, (size, 2))] for _ in range(size)]
        right = [Fraction(int(a), 7) for a in rng.integers(-9, 10, size)]
        found = solution(rows, right)
        assert [sum((a * x for a, x in zip(row, found, strict=True)), Fraction(0)) for row in rows] == right
    one, two = Fraction(1), Fraction(2)
    assert solution([[one, two], [two, 2 * two]], [one, two]) is None
    assert solution([[one, two], [two, 2 * two]], [one, one]) is None
    assert solution([[0 * one]], [0 * one]) is None
    assert characteristic_polynomial([]) == [1]


def test_relations_are_found_however_large_the_numbers():
    large = 2**62 + 1
    rows = np.array([[large, 3], [1, large], [large + 1, large + 3]])
    assert relation(rows) == [1, 1, -1]
    rows = np.array([[large, 1, 0], [0, large, 1], [1, 0, large], [1, 2, 5]])
    found = relation(rows)
    assert all(sum(m * int(row[k]) for m, row in zip(found, rows, strict=True)) == 0 for k in range(3))
    assert max(map(abs, found)) > 2**63
    assert math.gcd(*found) == 1
    assert relation(np.zeros((0, 3), dtype=int)) is None
    assert relation(np.zeros((1, 3), dtype=int)) == [1]


@pytest.mark.parametrize(("entry", "dtype"), [(3, np.int64), (10**7, object)])
def test_relations_span_all_dependences(entry, dtype):
    rng = np.random.default_rng(entry)
    for count, rank, dimension in ((4, 2, 3), (5, 3, 3), (6, 1, 2), (3, 3, 5), (4, 0, 2)):
        rows = rng.integers(-entry, entry + 1, size=(count, rank)) @ rng.integers(-1, 2, size=(rank, dimension))
        found = relations(rows)
        assert found.dtype == (dtype if rows.any() else np.int64)
        assert not (found.astype(object) @ rows.astype(object)).any()
        true = np.linalg.matrix_rank(rows.astype(float))
        assert found.shape == (count - true, count)
        assert np.linalg.matrix_rank(found.astype(float)) == count - true


def test_lowest_terms():
    assert lowest_terms(np.array([0, -4, 6])) == [0, 2, -3]
    assert lowest_terms(np.array([2**70, 3 * 2**69], dtype=object)) == [2, 3]


def test_relation_of_independent_rows_is_none_and_of_too_many_is_none():
    assert relation(np.eye(3, dtype=int)) is None
    assert relation(np.array([[1], [2], [3]])) is None
    assert relation(np.array([[1, 2], [3, 4], [4, 6]])) == [1, 1, -1]


# Regions


def test_regions_of_lines_of_general_position_and_of_the_coordinate_planes():
    rng = np.random.default_rng(1)
    assert regions(rng.integers(-50, 51, size=(7, 2))) == 14
    # m planes in general position in three dimensions: m (m - 1) + 2.
    assert regions(rng.integers(-50, 51, size=(6, 3))) == 32
    assert regions(np.eye(5, dtype=int)) == 32
    assert regions(np.array([[1, 2], [-2, -4], [3, 6]])) == 2


@pytest.mark.parametrize(("variables", "number"), [(1, 4), (2, 14), (3, 104), (4, 1882)])
def test_regions_count_threshold_functions(variables, number):
    assert regions(corners(variables + 1)) == number  # A000609


@pytest.mark.parametrize(("count", "dimension"), [(4, 2), (6, 3), (8, 4), (7, 1)])
def test_hyperplanes_in_general_position_make_the_known_number_of_affine_regions(count, dimension):
    # On the moment curve any d of the normals are independent; the offsets are generic.
    planes = [[Fraction(i + 1) ** k for k in range(dimension)] + [Fraction(3**i, 7)] for i in range(count)]
    assert affine_regions(planes) == sum(math.comb(count, k) for k in range(dimension + 1))


@pytest.mark.parametrize("count", [3, 5, 7])
def test_central_hyperplanes_make_covers_number_of_cells(count):
    planes = [[Fraction(i + 1) ** k for k in range(3)] + [0] for i in range(count)]
    assert affine_regions(planes) == 2 * sum(math.comb(count - 1, k) for k in range(3))


def test_special_positions_count():
    assert affine_regions([]) == 1
    assert affine_regions([[1, 0, 0], [2, 0, 0]]) == 2  # twice the same line
    assert affine_regions([[1, 0, 0], [1, 0, 1], [1, 0, 2]]) == 4  # parallel
    assert affine_regions([[1, 0, 0], [0, 1, 0], [1, 1, 0]]) == 6  # through one point
    assert affine_regions([[1, -1, 0, 0], [1, 0, -1, 0], [0, 1, -1, 0]]) == 6  # the braid arrangement


@pytest.mark.parametrize("entry", [2**15, 2**31 - 1, 2**31, 2**40, 2**62, 2**63 - 2])
def test_regions_are_right_however_large_the_entries(entry):
    # Normals within one of multiples of (1, 1, 1, 1): restrictions cancel all but the last digits.
    rng = np.random.default_rng(3)
    for dimension in (3, 4):
        rows = entry - rng.integers(-1, 2, (7, dimension))
        expected = regions_in_fractions([[*row, 0] for row in rows.tolist()])
        assert regions(rows) == regions(-rows) == expected
        shifted = [[*row, k] for k, row in enumerate(rows.tolist())]
        assert affine_regions(shifted) == regions_in_fractions(shifted)


def test_the_smallest_integer_of_64_bits_is_no_exception():
    small = -(2**63)
    assert regions(np.array([[small, 0], [0, small], [small, small], [1, 1]])) == 6
    assert regions(np.array([[small, 1, 0], [0, small, 1], [1, 0, small]])) == 8


# Refusals


@pytest.mark.parametrize(("call", "message"), [
        (lambda: regions(np.zeros((2, 2), dtype=int)), "normals: expected rows that are not zero; got a zero row."),
        (lambda: regions(np.ones((2, 2))), "normals: expected a numpy array of integers; got dtype float64."),
        (lambda: affine_regions([[0, 0, 1]]), "hyperplanes: expected rows (a_1, ..., a_d, c) of one length"),
        (lambda: affine_regions([[1, 0, 1], [1, 0]]), "hyperplanes: expected rows (a_1, ..., a_d, c) of one length"),
        (lambda: affine_regions([[1, float("nan"), 1]]), "hyperplanes: expected a finite number; got nan"),
])  # fmt: skip
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)
