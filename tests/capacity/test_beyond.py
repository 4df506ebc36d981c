"""Softmax, random features and sparse retrieval: limits, features by brute force, entmax by its definition."""

import math

import numpy as np
import pytest
import torch
from scipy import special

from memscape.arguments import ArgumentError
from memscape.capacity import beyond
from memscape.capacity.capacity import EXPONENTIAL
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces

from ..draws import rng

# Softmax


def test_the_limit_of_softmax_and_its_values():
    found = [beyond.softmax_limit(sharpness) for sharpness in (0.5, 1.0, 2.0, 4.0, 1e9)]
    assert found == pytest.approx([0.3799, 0.5662, 0.6750, 0.6928, math.log(2)], abs=5e-5)
    for sharpness in (0.1, 1.0, 20.0):
        assert beyond.softmax_limit(sharpness) == pytest.approx(sharpness - math.log(math.cosh(sharpness)))


def test_the_sign_of_the_exponential_memory_has_the_limit_at_twice_the_sharpness():
    # Random signs add in squares: the crosstalk is that of softmax at twice the sharpness, and half its logarithm.
    assert beyond.softmax_limit(2.0) / math.log(2) == pytest.approx(EXPONENTIAL)


def test_half_of_the_weight_is_lost_where_drawn_patterns_lose_it():
    # Few enough patterns to draw them: their number, too, is Poisson.
    neurons, sharpness, draw = 12, 1.0, np.random.default_rng(1)

    def others(load):
        drawn = [draw.binomial(neurons, 0.5, draw.poisson(math.exp(load * neurons))) for _ in range(800)]
        return np.median([special.logsumexp(-2 * sharpness * wrong) if len(wrong) else -math.inf for wrong in drawn])

    at = beyond.half_weight(neurons, sharpness, trials=4000, rng=np.random.default_rng(0))
    assert others(at - 0.02) < 0 < others(at + 0.02)


def test_half_weight_tends_to_the_limit():
    for sharpness in (0.5, 2.0):
        found = beyond.half_weight(200, sharpness, trials=200, rng=np.random.default_rng(0))
        assert found == pytest.approx(beyond.softmax_limit(sharpness), abs=0.01)


# Random features


def test_features_have_length_one_and_estimate_the_kernel():
    patterns = random_patterns(6, 8, generator=rng(1))
    waves = beyond.frequencies(200_000, 8, 0.3, generator=rng(2))
    phi = beyond.features(patterns, waves)
    expected = torch.exp(-0.3 / 2 * torch.cdist(patterns, patterns).square())
    torch.testing.assert_close(phi @ phi.T, expected, rtol=0, atol=0.01)
    torch.testing.assert_close(phi.norm(dim=-1), torch.ones(6, dtype=torch.float64))


def test_the_error_of_the_energy_falls_with_the_root_of_the_features():
    patterns = random_patterns(50, 20, generator=rng(1))
    errors = [
        np.sqrt(np.mean([beyond.feature_error(patterns, beyond.frequencies(count, 20, 0.5, generator=rng(s)), 0.5) ** 2
                         for s in range(20)]))
        for count in (100, 10_000)
    ]  # fmt: skip
    assert errors[0] / errors[1] == pytest.approx(10, rel=0.1)


def test_a_state_is_held_where_no_neighbour_is_lower_by_brute_force():
    patterns, fresh = random_patterns(9, 6, generator=rng(1)), random_patterns(30, 6, generator=rng(5))
    waves = beyond.frequencies(24, 6, 0.4, generator=rng(2))
    memory = beyond.features(patterns, waves).sum(dim=0)
    for state in (patterns, fresh):
        turned = state[:, None] * (1 - 2 * torch.eye(6, dtype=torch.float64))
        depth = beyond.features(state, waves) @ memory
        expected = (beyond.features(turned, waves) @ memory <= depth[:, None]).all(dim=-1)
        assert torch.equal(beyond.held(patterns, waves, state), expected)
        assert expected.any()
        assert not expected.all()
    with pieces.budget(1):
        assert torch.equal(beyond.held(patterns, waves, fresh), expected)


@pytest.mark.parametrize(("count", "features"), [(20, 500), (60, 1000), (160, 2000)])
def test_as_many_are_held_as_the_law_says(count, features):
    draw = rng(3)
    shares = [
        beyond.held(random_patterns(count, 20, generator=draw), beyond.frequencies(features, 20, 0.5, generator=draw))
        for _ in range(30)
    ]
    found = torch.cat(shares).double().mean().item()
    assert found == pytest.approx(beyond.expected_held(count, features, 20, 0.5), abs=0.04)


def test_a_state_never_stored_is_at_rest_as_often_as_the_law_says_whatever_the_load():
    draw = rng(4)
    for count in (5, 100):
        shares = [
            beyond.held(
                random_patterns(count, 20, generator=draw),
                beyond.frequencies(500, 20, 0.5, generator=draw),
                random_patterns(400, 20, generator=draw),
            )
            for _ in range(20)
        ]
        found = torch.cat(shares).double().mean().item()
        assert found == pytest.approx(beyond.expected_held(count, 500, 20, 0.5, stored=False), abs=0.004)


def test_the_law_by_drawing_its_gaussians():
    g, neurons, draw = math.exp(-1.0), 20, np.random.default_rng(0)
    covariance = np.full((neurons + 1, neurons + 1), g**2)
    covariance[0, :] = covariance[:, 0] = g
    np.fill_diagonal(covariance, 1.0)
    errors = math.sqrt(99 / 700) * draw.multivariate_normal(np.zeros(neurons + 1), covariance, size=40_000)
    found = ((1 - g) + errors[:, :1] >= errors[:, 1:]).all(axis=1).mean()
    assert found == pytest.approx(beyond.expected_held(100, 700, neurons, 0.5), abs=0.01)


# Sparse retrieval


@pytest.mark.parametrize("alpha", [1.05, 1.25, 1.5, 2.0])
def test_entmax_has_the_form_of_its_definition(alpha):
    scores = 3 * torch.randn(50, 4, 17, generator=rng(1), dtype=torch.float64)
    weights = beyond.entmax(scores, alpha)
    torch.testing.assert_close(weights.sum(dim=-1), torch.ones(50, 4, dtype=torch.float64))
    # One threshold a row: (alpha - 1) z - p^(alpha - 1) is the same where p > 0, and no larger elsewhere.
    threshold = (alpha - 1) * scores - weights ** (alpha - 1)
    top = torch.where(weights > 0, threshold, -math.inf).amax(dim=-1, keepdim=True)
    low = torch.where(weights > 0, threshold, math.inf).amin(dim=-1, keepdim=True)
    torch.testing.assert_close(low, top, rtol=0, atol=1e-7)
    assert ((alpha - 1) * scores <= top + 1e-7)[weights == 0].all()


def test_sparsemax_is_the_projection_onto_probabilities():
    scores = torch.randn(200, 6, generator=rng(2), dtype=torch.float64)
    falling = scores.sort(dim=-1, descending=True).values
    steps = torch.arange(1, 7)
    mean = (falling.cumsum(dim=-1) - 1) / steps
    threshold = mean.gather(1, (falling > mean).sum(dim=-1, keepdim=True) - 1)
    torch.testing.assert_close(beyond.entmax(scores), (scores - threshold).clamp(min=0))


def test_near_one_entmax_is_softmax():
    scores = torch.randn(20, 6, generator=rng(2), dtype=torch.float64)
    torch.testing.assert_close(beyond.entmax(scores, 1.05), torch.softmax(scores, -1), rtol=0, atol=0.05)


@pytest.mark.parametrize("alpha", [1.5, 2.0])
def test_a_lead_of_the_margin_and_no_less_takes_all_the_weight(alpha):
    edge = 1 / (alpha - 1)
    scores = torch.tensor(
        [[edge + 1e-9, 0.0, -5.0], [edge - 1e-6, 0.0, -5.0], [1e300, -1e300, 0.0]], dtype=torch.float64
    )
    weights = beyond.entmax(scores, alpha)
    assert weights[0].tolist() == [1.0, 0.0, 0.0]
    assert weights[1, 0] < 1 < weights[1, :2].sum() + 1e-9
    assert weights[2].tolist() == [1.0, 0.0, 0.0]
    assert beyond.margin(scores)[:2].tolist() == pytest.approx([edge, edge], abs=1e-5)


def test_equal_scores_share_equally_in_every_dtype():
    for dtype in (torch.float16, torch.bfloat16, torch.float32, torch.float64):
        found = beyond.entmax(torch.zeros(2, 4, dtype=dtype), 1.5)
        assert found.dtype == dtype
        assert found.double().flatten().tolist() == pytest.approx([0.25] * 8, abs=1e-3)


pattern, waves = torch.ones(2, 3), torch.ones(4, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: beyond.softmax_limit(0.0), "sharpness: expected a finite number > 0; got 0"),
        (lambda: beyond.half_weight(0, 1.0, trials=1, rng=np.random.default_rng()), "neurons: expected an integer in"),
        (lambda: beyond.half_weight(9, 1.0, trials=1, rng=0), "rng: expected a numpy.random.Generator"),
        (lambda: beyond.frequencies(3, 5, 1.0, generator=rng()), "count: expected an even number of features; got 3"),
        (lambda: beyond.frequencies(4, 5, 0.0, generator=rng()), "beta: expected a finite number > 0"),
        (
            lambda: beyond.features(pattern, waves[:, :2]),
            "waves: expected axes (frequencies, neurons) with neurons = 3",
        ),
        (lambda: beyond.feature_error(pattern / 2, waves, 1.0), "patterns: expected values in {-1, +1}; got 0.5"),
        (
            lambda: beyond.held(pattern, waves, pattern[:, :2]),
            "state: expected axes (states, neurons) with neurons = 3",
        ),
        (lambda: beyond.expected_held(0, 4, 3, 1.0), "count: expected an integer >= 1; got 0"),
        (lambda: beyond.entmax(pattern, 1.0), "alpha: expected a finite number in [1.05, 2]; got 1"),
        (lambda: beyond.entmax(pattern * math.nan), "scores: expected finite values; got nan"),
        (lambda: beyond.margin(pattern[:, :1]), "scores: expected at least two scores; got one"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
