"""Explained variance against closed forms, and where a curve falls below a level."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from memscape.arguments import ArgumentError
from memscape.homotopy.variance import explained, falls_below

RNG = np.random.default_rng(0)


def test_one_property_explains_the_square_of_spearmans_correlation():
    x, y = RNG.normal(size=(2, 30))
    found = explained(y, [x], resamples=50, rng=np.random.default_rng(1))
    assert found.value == pytest.approx(spearmanr(x, y).statistic ** 2, rel=1e-9)
    assert found.low <= found.value <= found.high
    assert found.trials == 30


def test_what_is_held_is_taken_away():
    a, b, c = RNG.normal(size=(3, 40))
    r = spearmanr(np.stack([a, b, c], axis=1)).statistic
    partial = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    found = explained(a, [b], held=[c], resamples=5, rng=np.random.default_rng(1))
    assert found.value == pytest.approx(partial**2, rel=1e-9)
    assert explained(c, [b], held=[c], resamples=5, rng=np.random.default_rng(1)).value == 0


def test_corrected_chance_explains_nothing_on_average():
    source = np.random.default_rng(2)
    plain, mended = [], []
    for _ in range(300):
        y, a, b, c = source.normal(size=(4, 20))
        for found, corrected in ((plain, False), (mended, True)):
            found.append(explained(y, [a, b], held=[c], corrected=corrected, resamples=1, rng=source).value)
    assert np.mean(plain) == pytest.approx(2 / 18, abs=0.02)
    assert np.mean(mended) == pytest.approx(0, abs=0.02)


def test_a_property_that_does_not_vary_costs_no_degree_of_freedom():
    y, a = RNG.normal(size=(2, 20))
    one = explained(y, [a], held=[np.ones(20)], corrected=True, resamples=1, rng=np.random.default_rng(1))
    assert one.value == explained(y, [a], corrected=True, resamples=1, rng=np.random.default_rng(1)).value


def test_where_a_curve_falls_below_a_level():
    curves = [[1.0, 0.95, 0.85, 0.7], [0.8, 0.7, 0.6, 0.5], [1.0, 0.99, 0.98, 0.97], [1.0, 0.8, 0.95, 0.5]]
    assert falls_below([2, 4, 6, 8], curves, 0.9) == pytest.approx([5.0, 2.0, 8.0, 3.0])


@pytest.mark.parametrize("loads", [[2, 2], [3, 1], [1.0], [1, np.nan]])
def test_loads_that_do_not_ascend_are_refused(loads):
    with pytest.raises(ArgumentError, match="loads"):
        falls_below(loads, np.ones(len(loads)), 0.5)


def test_properties_of_other_lengths_are_refused():
    with pytest.raises(ArgumentError, match="by"):
        explained(np.arange(9), [np.arange(8)], resamples=2, rng=RNG)
