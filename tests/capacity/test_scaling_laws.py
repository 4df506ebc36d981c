"""Fits of power laws: laws that are put in must come out, and intervals must cover."""

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.capacity import scaling_laws as laws

SIZES = np.geomspace(10, 1000, 6)
DIMENSIONS, DRAWS = np.geomspace(10, 1000, 7), np.geomspace(10, 10000, 9)


def test_a_line_gives_back_its_law():
    slope, constant = laws.line(SIZES, np.stack([3 * SIZES**-0.5, 0.1 * SIZES**2]))
    np.testing.assert_allclose(slope, [-0.5, 2])
    np.testing.assert_allclose(constant, [3, 0.1])


def test_resampling_begins_with_the_mean_and_keeps_draws_whole():
    data = np.array([[1.0, 10.0], [2.0, 20.0], [6.0, 60.0]])
    found = laws.resample(data, 50, rng=np.random.default_rng(0))
    assert found.shape == (51, 2)
    np.testing.assert_allclose(found[0], [3, 30])
    np.testing.assert_allclose(found[:, 1], 10 * found[:, 0])
    assert len(np.unique(found[1:, 0])) > 3


def test_intervals_cover_about_as_often_as_they_say():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(100):
        curves = 2 * SIZES**-0.7 * rng.lognormal(0, 0.3, (40, 1)) * rng.lognormal(0, 0.2, (40, 6))
        found = laws.power_law(SIZES, curves, resamples=200, rng=rng).exponent
        hits += found.low <= -0.7 <= found.high
    assert 85 <= hits <= 100


def test_a_power_law_brings_its_decades_and_its_draws():
    curves = 2 * SIZES**-0.7 * np.array([[1.0], [1.1], [0.9]])
    found = laws.power_law(SIZES, curves, resamples=30, rng=np.random.default_rng(0))
    assert found.decades == pytest.approx(2)
    assert found.exponent.trials == 3
    assert found.constant.low < 2 < found.constant.high
    assert found.exponent.high - found.exponent.low < 1e-12


def test_an_estimate_holds_the_middle_of_its_samples():
    found = laws.estimate([0.5, *np.linspace(0, 1, 101)], trials=7)
    assert (found.value, found.low, found.high, found.trials) == pytest.approx((0.5, 0.025, 0.975, 7))


@pytest.mark.parametrize(("floor", "power"), [(0.2, 0.5), (0.0, 0.3), (0.01, 1.5)])
def test_a_floor_is_found(floor, power):
    found = laws.floored(SIZES, np.stack([floor + 3 * SIZES**-power, 2 * (floor + 3 * SIZES**-power)]))
    np.testing.assert_allclose(found.exponent, power, rtol=1e-3)
    np.testing.assert_allclose(found.floor, [floor, 2 * floor], atol=1e-3)
    np.testing.assert_allclose(found.constant, [3, 6], rtol=1e-2)


@pytest.mark.parametrize(("form", "r"), [("sum", 1.0), ("kaplan", 2.5), ("free", 1.6)])
def test_a_joint_law_is_found_from_half_of_the_points(form, r):
    law = laws.Joint(4.0, 0.7, 0.9, 0.4, r)
    seen = np.add.outer(np.arange(7), np.arange(9)) % 2 == 0
    found = laws.fit_joint(DIMENSIONS, DRAWS, np.exp(law.log_error(DIMENSIONS, DRAWS)), form=form, used=seen)
    for name in ("first", "second", "x", "y", "r"):
        assert getattr(found, name) == pytest.approx(getattr(law, name), rel=1e-3)


def test_a_joint_law_is_a_power_mean():
    law = laws.Joint(4.0, 0.7, 0.9, 0.4, 3.0)
    one, other = 4 * DIMENSIONS[:, None] ** -0.9, 0.7 * DRAWS**-0.4
    np.testing.assert_allclose(np.exp(law.log_error(DIMENSIONS, DRAWS)), (one**3 + other**3) ** (1 / 3))


def test_kaplans_form_is_a_power_mean():
    x, y, first, second = 0.9, 0.4, 30.0, 5.0
    expected = ((first / DIMENSIONS[:, None]) ** (x / y) + second / DRAWS) ** y
    law = laws.Joint(first**x, second**y, x, y, 1 / y)
    np.testing.assert_allclose(np.exp(law.log_error(DIMENSIONS, DRAWS)), expected)


@pytest.mark.parametrize("r", [1.0, 2.0, 6.0])
def test_the_best_error_at_a_cost_has_the_power_that_is_derived(r):
    wide, long = np.geomspace(10, 10000, 40), np.geomspace(10, 10**6, 40)
    law = laws.Joint(4.0, 0.7, 1.0, 0.5, r)
    costs = np.geomspace(1e6, 1e10, 5)
    best = laws.cheapest(wide, long, np.exp(law.log_error(wide, long))[None], costs)
    slope, _ = laws.line(costs, best)
    assert best.shape == (1, 5)
    assert slope[0] == pytest.approx(-1 * 0.5 / (1 + 2 * 0.5), abs=0.005)


def test_the_best_error_is_the_least_that_can_be_had():
    errors = np.array([[[8.0, 4.0], [6.0, 2.0]]])
    # At cost 4 = 1^2 4 = 2^2 1 both corners can be had.
    assert laws.cheapest([1, 2], [1, 4], errors, [4.0])[0, 0] == pytest.approx(4.0)
    assert laws.cheapest([1, 2], [1, 4], errors, [16.0])[0, 0] == pytest.approx(2.0)


def test_bad_input_is_named():
    with pytest.raises(ArgumentError, match="errors"):
        laws.line(SIZES, 0 * SIZES)
    with pytest.raises(ArgumentError, match="sizes"):
        laws.line([1, 1], [1, 2])
    with pytest.raises(ArgumentError, match="values"):
        laws.resample([[1.0]], 3, rng=np.random.default_rng(0))
    with pytest.raises(ArgumentError, match="form"):
        laws.fit_joint(DIMENSIONS, DRAWS, np.ones((7, 9)), form="product")
    with pytest.raises(ArgumentError, match="used"):
        laws.fit_joint(DIMENSIONS, DRAWS, np.ones((7, 9)), form="sum", used=np.zeros((7, 9), bool))
    with pytest.raises(ArgumentError, match="costs"):
        laws.cheapest([1, 2], [1, 4], np.ones((1, 2, 2)), [1e9])
