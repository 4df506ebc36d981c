"""Minimum probability flow against sums over neighbours, autograd and the dual; the perceptron rule."""

import math

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.hopfield import from_bits, stability, to_bits
from memscape.memory.patterns import random_patterns
from memscape.memory.probability_flow import log_flow, minimum_probability_flow, perceptron

from ..draws import all_bits, bit_energy, real_network, rng

F64 = torch.float64


def summed_flow(couplings: torch.Tensor, thresholds: torch.Tensor, patterns: torch.Tensor) -> torch.Tensor:
    """K from nothing but energies of patterns and their neighbours."""
    total = torch.zeros((), dtype=patterns.dtype)
    for pattern in patterns:
        bits = (pattern + 1) / 2
        for e in range(len(bits)):
            other = bits.clone()
            other[e] = 1 - other[e]
            both = bit_energy(couplings, thresholds, torch.stack([bits, other]))
            total = total + torch.exp((both[0] - both[1]) / 2)
    return total / len(patterns)


def test_flow_is_the_sum_over_neighbours_and_its_gradient_is_autograds():
    couplings, thresholds = real_network(6, 7, (2,))
    xi = random_patterns(5, 7, networks=(2,), generator=rng(7))
    found = log_flow(couplings, thresholds, xi)
    assert found.log_flow.shape == found.margin.shape == found.slope.shape == (2,)
    torch.testing.assert_close(found.share.sum(dim=-1), torch.ones(2, dtype=F64))
    for g in range(2):
        free = couplings[g].clone().requires_grad_()
        theta = thresholds[g].clone().requires_grad_()
        flow = summed_flow((free + free.mT) / 2, theta, xi[g]).log()
        flow.backward()
        torch.testing.assert_close(found.log_flow[g], flow.detach(), rtol=1e-12, atol=1e-12)
        gradient = free.grad - torch.diag(free.grad.diagonal())
        torch.testing.assert_close(found.couplings[g], gradient, rtol=1e-10, atol=1e-12)
        torch.testing.assert_close(found.thresholds[g], theta.grad, rtol=1e-10, atol=1e-12)


def test_a_diagonal_is_a_threshold_of_bits_and_refused_as_it_is_where_networks_are_made():
    couplings, thresholds = real_network(8, 6)
    xi = random_patterns(4, 6, generator=rng(9))
    for call in (from_bits, lambda j, t: log_flow(j, t, xi)):
        with pytest.raises(ArgumentError, match="couplings: expected zeros on the diagonal; got 1"):
            call(couplings + torch.eye(6, dtype=F64), thresholds)
    # Written as thresholds it means the same to both.
    found, model = log_flow(couplings, thresholds - 0.5, xi), from_bits(couplings, thresholds - 0.5)
    length = torch.linalg.vector_norm(torch.cat([couplings, thresholds[None] - 0.5]))
    torch.testing.assert_close(found.margin * length, stability(model, xi).amin(), rtol=1e-12, atol=1e-12)


def test_log_flow_is_convex_along_every_line():
    xi = random_patterns(8, 9, generator=rng(10))
    (j, t), (k, u) = real_network(11, 9), real_network(12, 9)
    values = torch.stack([log_flow(j + s * k, t + s * u, xi).log_flow for s in torch.linspace(-30, 30, 61).tolist()])
    assert (values[2:] - 2 * values[1:-1] + values[:-2] >= -1e-10).all()


def test_margin_is_the_cheapest_flip_over_the_length_and_never_above_the_slope():
    couplings, thresholds = real_network(13, 16, (3,))
    xi = random_patterns(2, 16, networks=(3,), generator=rng(14))
    found = log_flow(couplings, thresholds, xi)
    length = (couplings.square().sum(dim=(-2, -1)) + thresholds.square().sum(dim=-1)).sqrt()
    cheapest = 2 * stability(from_bits(couplings, thresholds), xi).amin(dim=-1)
    torch.testing.assert_close(found.margin, cheapest / (2 * length), rtol=1e-10, atol=1e-12)
    learned = minimum_probability_flow(xi, gap=0.001, steps=5000)
    assert (learned.margin >= 0.999 * learned.slope).all(), "converged, by the gradient of the dual"
    assert (found.margin < learned.slope).all()


def test_little_flow_proves_that_all_patterns_are_strict_minima():
    xi = random_patterns(6, 20, networks=(4,), generator=rng(15))
    for steps in (5, 20, 60, 200):
        learned = minimum_probability_flow(xi, steps=steps)
        proven = learned.log_flow + math.log(6) < 0
        stored = (stability(learned.network(), xi) > 0).all(dim=-1)
        assert (stored | ~proven).all()
        assert (stored == (learned.margin > 0)).all()
    assert proven.all()


def test_learning_descends_and_says_how_far_it_got():
    xi = random_patterns(10, 30, networks=(2, 1), generator=rng(16))
    values = torch.stack([minimum_probability_flow(xi, steps=n).log_flow for n in (1, 3, 10, 30, 60)])
    assert values[0].shape == (2, 1)
    assert (values.diff(dim=0) < 0).all()
    learned = minimum_probability_flow(xi)
    assert (learned.steps < 1000).all()
    assert (learned.margin >= 0.95 * learned.slope).all()
    assert torch.equal(learned.couplings, learned.couplings.mT)
    assert (learned.couplings.diagonal(dim1=-2, dim2=-1) == 0).all()


def test_the_steepness_that_sets_the_steps_bounds_every_second_derivative():
    xi = random_patterns(4, 5, generator=rng(35))
    upper = torch.triu_indices(5, 5, 1)
    # In these coordinates the length is that of the whole matrix: an entry above the diagonal stands for two.
    scale = torch.cat([torch.full((10,), 0.5, dtype=F64).sqrt(), torch.ones(5, dtype=F64)])

    def flow(point: torch.Tensor) -> torch.Tensor:
        couplings = torch.zeros(5, 5, dtype=F64)
        couplings = couplings.index_put((upper[0], upper[1]), (point * scale)[:10])
        return summed_flow(couplings + couplings.mT, (point * scale)[10:], xi).log()

    for seed in range(5):
        point = 6 * torch.rand(15, generator=rng(seed), dtype=F64) - 3
        steepest = torch.linalg.eigvalsh(torch.autograd.functional.hessian(flow, point))[-1]
        couplings = torch.zeros(5, 5, dtype=F64)
        couplings[upper[0], upper[1]] = (point * scale)[:10]
        share = log_flow(couplings + couplings.mT, (point * scale)[10:], xi).share
        assert 0 < steepest <= (1 + ((xi + 1) / 2).sum(dim=-1).max()) / 4 * share.max()


def test_a_pattern_without_a_unit_on_is_learned():
    xi = -torch.ones(1, 4, dtype=F64)
    assert minimum_probability_flow(xi).margin > 0


def test_where_the_flow_has_a_minimum_it_is_found():
    xi = random_patterns(120, 12, generator=rng(36))
    learned = minimum_probability_flow(xi, steps=400)
    assert learned.slope < 1e-6, "too many patterns: the flow has a minimum, where its gradient is zero"
    near = log_flow(learned.couplings, learned.thresholds + 0.01, xi)
    assert near.log_flow > learned.log_flow


def test_what_is_hopeless_is_given_up():
    xi = random_patterns(120, 12, networks=(3,), generator=rng(36))
    xi[1] = xi[1, :1]  # one pattern, again and again
    found = minimum_probability_flow(xi, steps=400, hopeless=0.01)
    patient = minimum_probability_flow(xi, steps=400)
    assert found.steps[1] == patient.steps[1]
    for g in (0, 2):
        assert found.steps[g] < patient.steps[g] == 400
        assert found.slope[g] <= -0.01 * found.margin[g]
        before = minimum_probability_flow(xi[g], steps=int(found.steps[g]) - 1)
        assert before.slope > -0.01 * before.margin
    with pytest.raises(ArgumentError, match="^hopeless: expected a finite number >= 0"):
        minimum_probability_flow(xi, hopeless=-0.1)


def test_with_a_gap_of_one_learning_stops_when_the_patterns_are_stored():
    xi = random_patterns(10, 30, networks=(2,), generator=rng(16))
    learned = minimum_probability_flow(xi, gap=1.0)
    assert (learned.margin > 0).all()
    for g in range(2):
        assert minimum_probability_flow(xi[g], steps=int(learned.steps[g]) - 1).margin <= 0


def test_patterns_that_no_network_stores_leave_no_slope():
    # All four states of two units: each is to be lower than its two neighbours, which is impossible.
    xi = 2 * all_bits(2) - 1
    learned = minimum_probability_flow(xi, steps=50)
    assert learned.slope < 1e-12
    assert learned.margin <= 0


def test_one_network_among_many_learns_as_it_would_alone():
    xi = random_patterns(12, 15, networks=(3,), generator=rng(17))
    together = minimum_probability_flow(xi)
    for g in range(3):
        alone = minimum_probability_flow(xi[g])
        assert alone.steps == together.steps[g]
        torch.testing.assert_close(alone.couplings, together.couplings[g], rtol=1e-9, atol=1e-9)


def test_rounded_weights_are_whole_in_their_unit_and_keep_the_patterns():
    for dtype in (torch.float32, F64):
        xi = random_patterns(20, 60, generator=rng(18), dtype=dtype)
        learned = minimum_probability_flow(xi)
        network = learned.network()
        assert network.couplings.dtype == dtype
        assert torch.equal(network.couplings, network.couplings.round())
        assert network.couplings.abs().sum(dim=-1).max() * 2 < 2 / torch.finfo(dtype).eps, "sums are exact"
        scale = (learned.couplings / to_bits(network)[0]).nanmedian()
        torch.testing.assert_close(to_bits(network)[0] * scale, learned.couplings, rtol=0, atol=1e-3 * scale.item())
        assert (stability(network, xi) > 0).all()


def test_the_perceptron_rule_ends_with_all_patterns_stored_or_makes_all_its_epochs():
    xi = random_patterns(25, 50, networks=(3,), generator=rng(19))
    learned = perceptron(xi)
    assert (stability(learned, xi) > 0).all()
    assert torch.equal(learned.couplings, learned.couplings.round())
    hopeless = perceptron(2 * all_bits(3) - 1, epochs=3)
    assert not (stability(hopeless, 2 * all_bits(3) - 1) > 0).all()


def test_one_correction_of_the_perceptron_by_hand():
    # From zero every unit of 1 0 is wrong. Unit 0: J gains sigma_0 x_1 = 0, unit 1: J gains sigma_1 x_0 = -1.
    couplings, thresholds = to_bits(perceptron(torch.tensor([[1.0, -1.0]], dtype=F64), epochs=1))
    assert couplings.tolist() == [[0.0, -1.0], [-1.0, 0.0]]
    assert thresholds.tolist() == [-2.0, 2.0]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cpu_and_cuda_agree():
    xi = random_patterns(40, 45, networks=(2,), generator=rng(32))
    near, far = minimum_probability_flow(xi), minimum_probability_flow(xi.cuda())
    torch.testing.assert_close(far.couplings.cpu(), near.couplings, rtol=1e-9, atol=1e-9)
    assert torch.equal(far.steps.cpu(), near.steps)
    assert torch.equal(perceptron(xi.cuda()).couplings.cpu(), perceptron(xi).couplings)


XI = torch.ones(3, 6, dtype=F64)
J, THETA = torch.zeros(6, 6, dtype=F64), torch.zeros(6, dtype=F64)
BAD = [
    (lambda: log_flow(J, THETA, XI[:, :5]), r"patterns: .*neurons = 6; got shape \(3, 5\)"),
    (lambda: log_flow(J, THETA.float(), XI), r"thresholds: expected float64; got float32"),
    (lambda: log_flow(J * torch.nan, THETA, XI), r"couplings: expected finite values; got nan"),
    (lambda: minimum_probability_flow(XI[0]), r"patterns: expected axes .*; got shape \(6,\)"),
    (lambda: minimum_probability_flow(XI, steps=0), r"steps: expected an integer >= 1; got 0\."),
    (lambda: minimum_probability_flow(XI, gap=0.0), r"gap: expected a finite number > 0 and <= 1; got 0\."),
    (lambda: minimum_probability_flow(XI, gap=1.5), r"gap: expected a finite number .*<= 1; got 1\.5\."),
    (lambda: perceptron(XI * 0), r"patterns: expected values in \{-1, \+1\}; got 0\."),
    (lambda: perceptron(XI, epochs=0.5), r"epochs: expected an integer >= 1; got 0\.5 \(float\)\."),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
