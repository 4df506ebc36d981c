"""Forms judged where they were not fitted: exact curves, and curves that break at a point not fitted."""

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.capacity.held_out import chessboard, every_other

SIZES = np.array([10, 30, 100, 300, 1000, 3000, 10000])
RNG = np.random.default_rng


def test_a_curve_of_the_form_is_found_and_holds_where_it_was_not_fitted():
    curve = 0.02 + 3.0 * SIZES**-0.7
    found = every_other(SIZES, [curve, curve], resamples=5, rng=RNG(0))
    assert found.exponent.value == pytest.approx(0.7, abs=1e-3)
    assert found.floor.value == pytest.approx(0.02, abs=1e-4)
    assert found.constant.value == pytest.approx(3.0, rel=1e-2)
    assert found.worst.value < 1e-3
    assert found.exponent.trials == 2
    assert found.exponents.shape == (6,)


def test_a_deviation_at_a_size_that_is_not_fitted_is_seen_and_does_not_move_the_fit():
    curve = 0.02 + 3.0 * SIZES**-0.7
    bent = curve.copy()
    bent[3] *= 1.25
    found = every_other(SIZES, [bent, bent], resamples=5, rng=RNG(0))
    assert found.worst.value == pytest.approx(0.2, abs=1e-3)  # the form over what is measured: 1 / 1.25
    assert found.exponent.value == pytest.approx(0.7, abs=1e-3)


def test_the_interval_is_that_of_draws():
    curves = [0.02 + 3.0 * SIZES**-x for x in (0.6, 0.7, 0.8)]
    found = every_other(SIZES, curves, resamples=200, rng=RNG(0)).exponent
    assert found.low < found.value < found.high
    assert (found.low, found.high) == pytest.approx((0.6, 0.8), abs=1e-3)  # three draws: often all the same one


def test_short_curves_are_refused():
    with pytest.raises(ArgumentError, match="sizes: expected one axis of seven"):
        every_other(SIZES[:6], np.ones((2, 6)), resamples=2, rng=RNG(0))
    with pytest.raises(ArgumentError, match=r"errors: expected axes \(draws, 7\)"):
        every_other(SIZES, np.ones((2, 6)), resamples=2, rng=RNG(0))


def test_the_form_that_made_the_errors_wins_on_the_squares_it_did_not_see():
    first, second = np.geomspace(10, 2000, 5), np.geomspace(100, 60000, 5)
    sums = 3.0 * first[:, None] ** -0.8 + 5.0 * second**-0.5
    kaplan = ((40 / first[:, None]) ** (0.8 / 0.5) + 30 / second) ** 0.5
    for surface, sign in ((sums, 1), (kaplan, -1)):
        found = chessboard(first, second, [surface, surface], resamples=3, rng=RNG(0))
        assert sign * found.ahead.value > 1e-4
        assert sign * found.ahead.low > 0 or sign * found.ahead.high > 0
        assert found.better.value < 1e-3


def test_only_squares_of_the_other_colour_are_judged():
    first, second = np.geomspace(10, 2000, 5), np.geomspace(100, 60000, 5)
    surface = 3.0 * first[:, None] ** -0.8 + 5.0 * second**-0.5
    surface[1, 2] *= np.exp(0.6)  # an odd square: not fitted
    found = chessboard(first, second, [surface, surface], resamples=2, rng=RNG(0))
    assert found.better.value == pytest.approx(0.6 / np.sqrt(12), rel=1e-2)
