"""Conversions: majorisation by plain sums, entropies in floating point, counts by hand."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.homotopy import resources

ALL = resources.distributions(6)
HALF = (Fraction(1, 2), Fraction(1, 2))
SHARP = (Fraction(3, 4), Fraction(1, 4))


def draws(distribution, count):
    return sorted((math.prod(way) for way in itertools.product(distribution, repeat=count)), reverse=True)


def majorised(lower, upper):
    size = max(len(lower), len(upper))
    sums = [list(itertools.accumulate([*p, *[0] * (size - len(p))])) for p in (lower, upper)]
    return all(low <= high for low, high in zip(*sums, strict=True))


def test_distributions_are_partitions():
    assert len(ALL) == 20
    assert all(sum(p) == 1 and list(p) == sorted(p, reverse=True) for p in ALL)
    assert len(resources.distributions(4)) == 1 + 1 + 2 + 3


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_copies_are_all_outcomes(count):
    for p in ALL[::3]:
        listed = [value for value, many in resources.copies(p, count) for _ in range(many)]
        assert listed == draws(p, count)


def test_conversions_are_majorisation():
    for a, b in itertools.product(ALL[::2], ALL[1::3]):
        for spent, gained in ((1, 1), (2, 1), (2, 3), (3, 2)):
            assert resources.converts(a, b, spent, gained) == majorised(draws(a, spent), draws(b, gained))


def test_conversions_by_hand():
    assert resources.converts(HALF, SHARP)
    assert not resources.converts(SHARP, HALF)
    assert resources.converts(SHARP, HALF, 3, 1)  # the largest outcome is 27/64
    assert not resources.converts(SHARP, HALF, 2, 1)
    assert resources.yields(SHARP, HALF, 3) == 1
    assert resources.yields((Fraction(1, 4),) * 4, HALF, 3) == 6
    assert resources.converts(HALF, (Fraction(1),), 0, 5)


def test_entropies_allow_what_floating_point_says():
    def entropy(p, order):
        p = np.array([float(v) for v in p])
        if order == 1:
            return -(p * np.log(p)).sum()
        return -np.log(p.max()) if order == math.inf else np.log((p**order).sum()) / (1 - order)

    orders = dict(zip(resources.MEASURES, (0, 1, 2, 3, math.inf), strict=True))
    for a, b in itertools.product(ALL[1::3], ALL[1::2]):
        for measure, order in orders.items():
            ratio = 5 * entropy(a, order) / entropy(b, order)
            assert resources.allowed(a, b, 5, measure) == math.floor(ratio + 1e-9)


def test_no_entropy_is_broken_and_starting_higher_finds_the_same():
    for a, b in itertools.product(ALL[1::3], ALL[1::2]):
        found = resources.yields(a, b, 3)
        assert found <= min(resources.allowed(a, b, 3, m) for m in resources.MEASURES)
        assert found == resources.yields(a, b, 3, at_least=found)
        assert resources.converts(a, b, 3, found)
        assert not resources.converts(a, b, 3, found + 1)


def test_keys_order_entropies():
    entropies = [-sum(float(v) * math.log(v) for v in p) for p in ALL]
    keys = [resources.entropy_key(p) for p in ALL]
    for (h, key), (other, least) in itertools.combinations(zip(entropies, keys, strict=True), 2):
        assert (h > other + 1e-12) == (key < least and h != other) or abs(h - other) < 1e-12


def test_least_distributions_by_hand():
    half, sharp, three = HALF, SHARP, (Fraction(1, 3),) * 3
    assert resources.least([half, sharp, three], [0, 1, 2]) == [1]
    # Neither of these converts into the other.
    one, other = (Fraction(1, 2),) * 2, (Fraction(2, 3), Fraction(1, 6), Fraction(1, 6))
    assert resources.least([one, other], [0, 1]) == []
    assert resources.least([one, other], []) == []


def test_refusals():
    with pytest.raises(ArgumentError, match="add up to 1"):
        resources.copies((Fraction(1, 2),), 1)
    with pytest.raises(ArgumentError, match="sure event"):
        resources.yields(HALF, (Fraction(1),), 1)
    with pytest.raises(ArgumentError, match="common denominator"):
        resources.entropy_key((Fraction(12, 13), Fraction(1, 13)))
    with pytest.raises(ArgumentError, match="million"):
        resources.copies(tuple(Fraction(k, 78) for k in range(1, 13)), 20)
