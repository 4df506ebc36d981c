"""Summing functors: every functor listed, linear groups by all matrices, series by hand."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.homotopy import equaliser, summing


@pytest.mark.parametrize("sizes", [(0,), (3,), (1, 1), (2, 1), (2, 2), (3, 0), (1, 1, 1), (2, 1, 0), (0, 0, 2)])
def test_functors_are_one_class_with_the_automorphisms_of_their_values(sizes):
    found, classes, renamings = summing.functors(sizes)
    assert classes == 1
    assert Fraction(found, renamings) == Fraction(1, math.prod(map(math.factorial, sizes)))


def test_functors_by_hand():
    # Two points with one element each: two ways to put them into a set of two, which one renaming exchanges.
    assert summing.functors((1, 1)) == (2, 1, 2)


def test_whole_numbers_need_their_order():
    assert summing.whole_functors(3, 6, ordered=True) == [math.comb(m + 2, 2) for m in range(7)]
    assert summing.whole_functors(3, 6, ordered=False) == [1, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize(("points", "total"), [(1, 4), (2, 5), (3, 0), (3, 4), (4, 3)])
def test_labelled_functors(points, total):
    classes, cardinality = summing.labelled(points, total)
    assert classes == math.comb(total + points - 1, points - 1)
    assert cardinality == Fraction(points**total, math.factorial(total))
    parts = [c for c in itertools.product(range(total + 1), repeat=points) if sum(c) == total]
    assert cardinality == sum(Fraction(1, math.prod(map(math.factorial, c))) for c in parts)


def test_series():
    exp = summing.set_cardinalities(2, 6)
    assert exp[3] == Fraction(8, 6)
    assert summing.product(exp, summing.set_cardinalities(3, 6)) == summing.set_cardinalities(5, 6)
    assert summing.power(summing.set_cardinalities(1, 6), 4) == summing.set_cardinalities(4, 6)
    assert summing.power([1, 1, 0, 0], 3) == [1, 3, 3, 1]
    assert summing.power([2, 5], 0) == [1, 0]
    with pytest.raises(ArgumentError, match="second"):
        summing.product([1, 2], [1])


@pytest.mark.parametrize(("size", "prime"), [(0, 2), (1, 2), (2, 2), (3, 2), (1, 3), (2, 3)])
def test_linear_groups_by_all_matrices(size, prime):
    matrices = summing.invertible(size, prime)
    assert len(matrices) == summing.linear_group(size, prime) == len(set(matrices))
    for matrix in matrices[:20]:
        assert round(np.linalg.det(np.array(matrix).reshape(size, size))) % prime


def test_all_vector_spaces_add_up_to_the_product_of_rogers_and_ramanujan():
    for q in (2, 3):
        total = sum(summing.linear_cardinalities(1, 12, q))
        product = math.prod((1 - q ** -(5 * j + 1)) * (1 - q ** -(5 * j + 4)) for j in range(60))
        assert float(total) == pytest.approx(1 / product, abs=1e-13)


def test_linear_cardinalities_of_two_points():
    found = summing.linear_cardinalities(2, 3, 2)
    for m in range(4):
        assert found[m] == sum(
            Fraction(1, summing.linear_group(k, 2) * summing.linear_group(m - k, 2)) for k in range(m + 1)
        )


@pytest.mark.parametrize(("sizes", "prime"), [((1,), 2), ((1, 1), 2), ((2, 1), 2), ((3, 0), 2), ((1, 1), 3), ((2,), 3)])
def test_points_over_a_circulation_with_values_in_vector_spaces(sizes, prime):
    network = equaliser.Network(1, ((0, 0),) * len(sizes))
    classes, cardinality = summing.linear_points(sizes, prime)
    assert summing.linear_fibre(network, np.array([sizes]), prime) == [cardinality]
    assert classes >= cardinality


def test_conjugacy_classes_are_the_points_of_one_loop():
    assert [summing.linear_points((k,), 2)[0] for k in range(4)] == [1, 1, 3, 6]
    assert summing.linear_points((2,), 3)[0] == 8


def test_refusals():
    with pytest.raises(ArgumentError, match="sizes"):
        summing.functors((2, 2, 1))
    with pytest.raises(ArgumentError, match="modulo 3"):
        summing.invertible(3, 3)
    with pytest.raises(ArgumentError, match="flows"):
        summing.linear_fibre(equaliser.Network(1, ((0, 0),)), np.array([[401]]), 2)
