"""Intervals hold what they promise: shares, means, crossings and quotients."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.tools import statistics

HALF = [statistics.Estimate(0.4, 0.3, 0.5, 10), statistics.Estimate(0.6, 0.5, 0.7, 10)]


@given(st.integers(1, 400), st.integers(0, 400))
def test_wilson_matches_its_formula(trials, hits):
    hits = min(hits, trials)
    share, low, high = statistics.wilson(hits, trials)
    z = 1.959963984540054
    centre = (hits + z**2 / 2) / (trials + z**2)
    half = z / (trials + z**2) * np.sqrt(hits * (trials - hits) / trials + z**2 / 4)
    assert share == hits / trials
    assert np.allclose([low, high], [max(0, centre - half), min(1, centre + half)], atol=1e-12)
    assert -1e-15 <= low <= share <= high + 1e-15


@given(st.integers(1, 400), st.integers(0, 400), st.sampled_from([0.5, 0.95, 0.999]))
def test_wilson_is_scipys(trials, hits, level):
    from scipy.stats import binomtest

    hits = min(hits, trials)
    expected = binomtest(hits, trials).proportion_ci(level, method="wilson")
    _, low, high = statistics.wilson(hits, trials, level)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-14)


def test_the_interval_of_a_mean_covers_what_it_should():
    values = np.random.default_rng(0).normal(3.0, 2.0, (20000, 4))
    mean, low, high = statistics.mean_interval(values)
    assert np.allclose(mean, values.mean(axis=1))
    # 20000 trials: three standard errors of the coverage are 0.005. The normal quantile would give 0.856.
    assert np.mean((low <= 3.0) & (high >= 3.0)) == pytest.approx(0.95, abs=0.005)
    assert statistics.mean_interval([0.0, 1.0])[2] == pytest.approx(0.5 + 12.7062 / 2, abs=1e-4)


def test_wilson_covers_what_it_should():
    """Of intervals at a share of 0.1 and 200 trials about 95 % hold the truth (exactly, from the binomial law)."""
    from scipy.stats import binom

    hits = np.arange(201)
    _, low, high = statistics.wilson(hits, 200)
    covered = binom.pmf(hits, 200, 0.1)[(low <= 0.1) & (high >= 0.1)].sum()
    assert 0.93 < covered < 0.97


def test_share_is_wilsons_interval():
    # 8 of 20: centre (0.4 + z2/40) / (1 + z2/20), half width z sqrt(0.4 * 0.6 / 20 + z2 / 1600) / (1 + z2/20).
    found = statistics.share(torch.tensor([1] * 8 + [0] * 12))
    z2 = 1.959964**2
    centre, half = (0.4 + z2 / 40) / (1 + z2 / 20), math.sqrt(z2 * (0.012 + z2 / 1600)) / (1 + z2 / 20)
    assert (found.value, found.trials) == (0.4, 20)
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-6)


def test_share_is_wider_where_hits_go_together():
    together = statistics.share(torch.tensor([10, 0] * 20), of=10)
    apart = statistics.share(torch.tensor([5] * 40), of=10)
    assert together.value == apart.value == 0.5
    # All ten hits of a trial at once are worth one: the design effect is ten.
    assert together.high - together.low == pytest.approx(math.sqrt(10) * (apart.high - apart.low), rel=0.05)


def test_shares_of_nothing_and_everything_stay_inside():
    none, every = (
        statistics.share(torch.zeros(30, dtype=torch.int64)),
        statistics.share(torch.ones(30, dtype=torch.int64)),
    )
    assert none.low == 0.0 < none.high < 0.2
    assert every.high == pytest.approx(1.0)
    assert 0.8 < every.low < 1.0


@given(st.integers(1, 10**6), st.integers(1, 300), st.data())
def test_a_share_lies_in_its_interval(of, trials, data):
    hits = data.draw(st.one_of(st.just(0), st.just(of), st.integers(0, of)))
    found = statistics.share(torch.full((trials,), hits), of=of)
    assert 0 <= found.low <= found.value <= found.high <= 1


@given(st.integers(0, 1000))
def test_intervals_of_shares_hold_what_they_promise(seed):
    # 200 experiments of 40 trials with 5 % hits; coverage of 95 % up to three standard deviations.
    draws = np.random.default_rng(seed).binomial(25, 0.05, (200, 40))
    found = [statistics.share(torch.from_numpy(row), of=25) for row in draws]
    assert sum(point.low <= 0.05 <= point.high for point in found) >= 0.9 * 200


def test_crossing_finds_a_straight_line_and_its_error():
    # A share whose probit is 2 - 30 / sqrt(P) crosses one half at P = 225.
    counts = [150, 200, 250, 300]
    rates = torch.special.ndtr(torch.tensor([2 - 30 / math.sqrt(count) for count in counts], dtype=torch.float64))
    precise = [statistics.Estimate(rate, rate - 1e-5, rate + 1e-5, 1) for rate in rates.tolist()]
    assert statistics.crossing(counts, precise, 0.5).value == pytest.approx(225, rel=1e-4)
    generator = np.random.default_rng(6)
    found = []
    for _ in range(200):
        hits = generator.binomial(400, rates.numpy())
        points = [statistics.share(torch.tensor([1] * hit + [0] * (400 - hit))) for hit in hits]
        found.append(statistics.crossing(counts, points, 0.5))
    assert found[0].trials == 1600
    assert np.mean([point.value for point in found]) == pytest.approx(225, rel=0.01)
    covered = np.mean([point.low <= 225 <= point.high for point in found])
    assert 0.9 <= covered <= 0.99


def test_the_error_of_a_ratio_is_that_of_its_parts():
    generator = np.random.default_rng(9)
    over, under = statistics.Estimate(3.0, 2.9, 3.1, 5), statistics.Estimate(2.0, 1.9, 2.1, 7)
    draws = generator.normal(3.0, 0.1 / 1.96, 10**5) / generator.normal(2.0, 0.1 / 1.96, 10**5)
    found = statistics.ratio(over, under)
    assert (found.value, found.trials) == (1.5, 12)
    assert (found.low, found.high) == pytest.approx(np.quantile(draws, [0.025, 0.975]), abs=0.006)
    assert statistics.ratio(over, 2) == statistics.Estimate(1.5, pytest.approx(1.45), pytest.approx(1.55), 5)


def test_columns_are_values_and_ends():
    value, low, high = statistics.columns(HALF)
    assert (value.tolist(), low.tolist(), high.tolist()) == ([0.4, 0.6], [0.3, 0.5], [0.5, 0.7])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: statistics.wilson(2, 1), "successes: expected counts with 0 <= successes <= trials"),
        (lambda: statistics.wilson(-1, 1), "successes: expected counts"),
        (lambda: statistics.wilson(0, 0), "successes: expected counts with 0 <= successes <= trials and trials >= 1"),
        (lambda: statistics.wilson(0.5, 1), "successes: expected integer counts; got float64"),
        (lambda: statistics.wilson(1, 2.0), "trials: expected integer counts; got float64"),
        (lambda: statistics.mean_interval([1.0]), "values: expected finite numbers with at least two runs"),
        (lambda: statistics.mean_interval([1.0, np.nan]), "values: expected finite numbers"),
        (lambda: statistics.wilson(1, 2, level=1.0), "level: expected a finite number > 0"),
        (
            lambda: statistics.share(torch.zeros(3)),
            "hits: expected an int64 tensor with axes (trials); got torch.float32 (3,)",
        ),
        (lambda: statistics.share([1, 0]), "hits: expected an int64 tensor with axes (trials); got list"),
        (
            lambda: statistics.share(torch.zeros(0, dtype=torch.int64)),
            "hits: expected an int64 tensor with axes (trials)",
        ),
        (lambda: statistics.share(torch.tensor([2]), of=1), "hits: expected values in [0, 1]; got 2 to 2"),
        (lambda: statistics.share(torch.tensor([1]), of=0), "of: expected an integer >= 1; got 0"),
        (
            lambda: statistics.crossing([1], HALF, 0.5),
            "counts: expected at least two different counts, one a share; got 1 for 2",
        ),
        (lambda: statistics.crossing([5, 5], HALF, 0.5), "counts: expected at least two different counts"),
        (lambda: statistics.crossing([0, 5], HALF, 0.5), "counts: expected an integer >= 1; got 0"),
        (
            lambda: statistics.crossing([4, 5], HALF, 0.9),
            "level: expected a share between the measured 0.4 and 0.6; got 0.9",
        ),
        (lambda: statistics.crossing([4, 5], HALF, 0.0), "level: expected a finite number > 0"),
        (
            lambda: statistics.ratio(statistics.Estimate(0.0, 0.0, 0.1, 5), HALF[0]),
            "over: expected a finite number > 0; got 0",
        ),
        (
            lambda: statistics.ratio(HALF[0], statistics.Estimate(0.0, 0.0, 0.1, 5)),
            "under: expected a finite number > 0; got 0",
        ),
        (lambda: statistics.columns([]), "estimates: expected one estimate or more; got none"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        call()
