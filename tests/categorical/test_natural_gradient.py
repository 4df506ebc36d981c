"""Natural gradient: flows against closed forms, steps against their coordinates, families against sums over states."""

import itertools
import math

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.categorical import fisher
from memscape.categorical import natural_gradient as ng

from ..draws import rng

real = {"dtype": torch.float64}
STARTS = torch.tensor([[0.0, 1.0], [1.0, 2.0]], **real)
AIMS = torch.tensor([[3.0, 1.0], [-1.0, 0.5]], **real)
TIMES = torch.tensor([0.0, 0.3, 1.0, 4.0], **real)


def test_flows_to_normal_distributions_are_straight_each_in_its_coordinates():
    shares = 1 - torch.exp(-TIMES)
    found = ng.natural_flow(lambda z: fisher.divergence(AIMS, z), fisher.metric, STARTS, TIMES)
    torch.testing.assert_close(found, fisher.mixture_path(STARTS, AIMS, shares), rtol=1e-6, atol=1e-6)
    found = ng.natural_flow(lambda z: fisher.divergence(z, AIMS), fisher.metric, STARTS, TIMES)
    torch.testing.assert_close(found, fisher.exponential_path(STARTS, AIMS, shares), rtol=1e-6, atol=1e-6)


def test_a_flow_by_hand():
    # A linear loss and a constant metric: a straight line with constant speed.
    metric = torch.tensor([[2.0, 0.0], [0.0, 4.0]], **real)
    found = ng.natural_flow(lambda z: z.sum(dim=-1), lambda z: metric.expand(len(z), 2, 2), STARTS, TIMES)
    slope = torch.tensor([0.5, 0.25], **real)
    torch.testing.assert_close(found, STARTS[:, None] - TIMES[:, None] * slope)


def test_what_is_no_flow_is_refused():
    with pytest.raises(ArgumentError, match="times: expected rising"):
        ng.natural_flow(lambda z: z.sum(-1), fisher.metric, STARTS, TIMES.flip(0))
    with pytest.raises(ArgumentError, match="loss: expected a function"):
        ng.natural_flow(1.0, fisher.metric, STARTS, TIMES)
    with pytest.raises(ArgumentError, match="method"):
        ng.natural_flow(lambda z: z.sum(-1), fisher.metric, STARTS, TIMES, method="Euler")


def test_one_step_by_hand():
    # From (0, 1) to (3, 1) the divergence has the gradient (-3, -9 + 1 - 1) in mean and deviation.
    start, aim = STARTS[:1], AIMS[:1]
    gradient = torch.tensor([-3.0, 1 - 1 - 9.0], **real)
    plain = ng.arrival(start, aim, 0.01, coordinates="deviation", natural=False)
    torch.testing.assert_close(plain[0], start[0] - 0.01 * gradient)
    natural = ng.arrival(start, aim, 0.01, coordinates="deviation")
    torch.testing.assert_close(natural[0], start[0] - 0.01 * gradient / torch.tensor([1.0, 2.0], **real))
    # A whole step in expectation parameters would arrive; in natural parameters it is straight there.
    with pytest.raises(ArgumentError, match="step: expected a step that stays"):
        ng.arrival(start, aim, 1.0, coordinates="natural")


@pytest.mark.parametrize("coordinates", ng.COORDINATES)
def test_small_steps_follow_the_flow(coordinates):
    there = ng.arrival(STARTS, AIMS, 1e-5, coordinates=coordinates)
    short = fisher.mixture_path(STARTS, AIMS, torch.tensor([1 - math.exp(-1e-5)], **real))[:, 0]
    assert (fisher.distance(there, short) < 1e-3 * fisher.distance(STARTS, there)).all()


def test_plain_steps_depend_on_coordinates_where_their_units_differ():
    apart = [
        fisher.distance(
            *(ng.arrival(STARTS, AIMS, 1e-5, coordinates=each, natural=False) for each in ("deviation", other))
        )
        for other in ("logarithm", "natural")
    ]
    for far in apart:
        assert far[0] < 1e-2 * far[1]  # at the deviation 1 they agree to first order


def test_laws_are_sums_over_states():
    features, parameters = ng.pair_features(3), torch.randn(4, 3, generator=rng(1), **real)
    assert features.shape == (8, 3)
    pairs = list(itertools.combinations(range(3), 2))
    states = [[1 if number >> unit & 1 else -1 for unit in range(3)] for number in range(8)]
    assert features.tolist() == [[state[i] * state[j] for i, j in pairs] for state in states]
    for row in range(4):
        weight = [math.exp(sum(t * f for t, f in zip(parameters[row].tolist(), line, strict=True)))
                  for line in features.tolist()]  # fmt: skip
        assert ng.law(features, parameters)[row].tolist() == pytest.approx([each / sum(weight) for each in weight])


def test_means_and_covariance_are_derivatives():
    features, parameters = ng.pair_features(4), torch.randn(6, generator=rng(2), **real)

    def normaliser(at):
        return (at @ features.mT).logsumexp(dim=-1)

    torch.testing.assert_close(ng.means(features, parameters), torch.func.grad(normaliser)(parameters))
    torch.testing.assert_close(
        ng.covariance(features, parameters), torch.func.jacrev(torch.func.grad(normaliser))(parameters)
    )
    aims = torch.full((6,), 0.25, **real)
    expected = normaliser(parameters) - 0.25 * parameters.sum()
    torch.testing.assert_close(ng.likelihood(features, parameters, aims), expected)


def test_correlations_approach_their_aims_exponentially():
    features = ng.pair_features(4)
    aims = ng.means(features, torch.randn(3, 6, generator=rng(3), **real) / 2)
    found = ng.natural_flow(
        lambda theta: ng.likelihood(features, theta, aims),
        lambda theta: ng.covariance(features, theta),
        torch.zeros(3, 6, **real),
        TIMES,
    )
    missing = aims[:, None] - ng.means(features, found)
    torch.testing.assert_close(missing, aims[:, None] * torch.exp(-TIMES)[:, None], rtol=0, atol=1e-7)


def test_families_that_do_not_fit_are_refused():
    with pytest.raises(ArgumentError, match="units"):
        ng.pair_features(1)
    with pytest.raises(ArgumentError, match="parameters"):
        ng.law(ng.pair_features(3), torch.zeros(2, **real))
    with pytest.raises(ArgumentError, match="aims"):
        ng.likelihood(ng.pair_features(3), torch.zeros(3, **real), torch.zeros(2, **real))
