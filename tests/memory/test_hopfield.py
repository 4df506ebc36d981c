"""The networks of 1982 and 1984, against the equations they are named after."""

import itertools
import math

import pytest
import torch
from scipy.integrate import quad

from memscape.arguments import ArgumentError
from memscape.memory.dynamics import asynchronous, gradient_flow, synchronous
from memscape.memory.hopfield import Graded, Hopfield, from_bits, hebbian, projection, stability, to_bits, zero_one
from memscape.memory.patterns import flip, overlap, random_patterns

from ..draws import all_bits, bit_energy, rng, whole_network

F64 = torch.float64


def symmetric(seed: int, neurons: int, networks: tuple[int, ...] = ()) -> torch.Tensor:
    half = torch.rand((*networks, neurons, neurons), generator=rng(seed), dtype=F64) - 0.5
    return half + half.mT


def test_hebb_stores_the_mean_product_and_no_diagonal():
    xi = random_patterns(7, 10, networks=(2,), generator=rng(1))
    expected = torch.einsum("gpi,gpj->gij", xi, xi) / 10
    torch.testing.assert_close(hebbian(xi, self_coupling=True).weights, expected, rtol=0, atol=1e-15)
    expected.diagonal(dim1=-2, dim2=-1).zero_()
    torch.testing.assert_close(hebbian(xi).weights, expected, rtol=0, atol=1e-15)
    assert torch.equal(hebbian(xi).couplings, hebbian(xi).couplings.round()), "whole couplings"


def test_energy_of_hebbian_patterns_is_a_sum_of_squared_overlaps():
    xi, state = random_patterns(7, 10, generator=rng(2)), random_patterns(20, 10, generator=rng(3))
    expected = -10 / 2 * overlap(xi, state).square().sum(dim=-1) + 7 / 2
    torch.testing.assert_close(hebbian(xi).energy(state), expected, rtol=1e-13, atol=0)
    assert hebbian(xi[:1]).energy(xi[0]).item() == pytest.approx(-9 / 2)


def test_a_diagonal_shifts_the_energy_and_holds_units_in_synchronous_dynamics_only():
    xi = random_patterns(300, 20, generator=rng(4))
    state = random_patterns(50, 20, generator=rng(5))
    with_it, without = hebbian(xi, self_coupling=True), hebbian(xi)
    shift = with_it.energy(state) - without.energy(state)
    torch.testing.assert_close(shift, torch.full_like(shift, -300 / 2), rtol=1e-12, atol=0)
    one, other = (asynchronous(model, state, generator=rng(6)).state for model in (with_it, without))
    assert torch.equal(one, other), "energy differences do not see the diagonal"
    held = (with_it.update(state) == state).double().mean()
    free = (without.update(state) == state).double().mean()
    assert held > 0.98
    assert free < 0.8


def test_units_0_and_1_move_as_in_the_paper_of_1982():
    xi = random_patterns(4, 9, generator=rng(7))
    counts = torch.einsum("pi,pj->ij", xi, xi).fill_diagonal_(0)
    states = torch.tensor(list(itertools.product((0.0, 1.0), repeat=9)), dtype=F64)
    model = zero_one(xi)
    literal = -torch.einsum("bi,ij,bj->b", states, counts, states) / 2
    shift = model.energy(2 * states - 1) - literal
    torch.testing.assert_close(shift, shift[0].expand_as(shift), rtol=0, atol=1e-12)
    inputs = states @ counts
    literal = torch.where(inputs > 0, 1.0, torch.where(inputs < 0, 0.0, states))
    assert torch.equal((model.update(2 * states - 1) + 1) / 2, literal)


def test_fields_stay_exact_in_float32_over_many_flips():
    xi = random_patterns(100, 500, generator=rng(8), dtype=torch.float32)
    model, state = hebbian(xi), flip(xi[:3], 100, generator=rng(9))
    tracker = model.track(state)
    for neuron in torch.randint(0, 500, (2000,), generator=rng(10)).tolist():
        tracker.flip(neuron, torch.ones(1, 3, dtype=torch.bool))
    fresh = model.track(tracker.state[0])
    assert all(torch.equal(tracker.field(i), fresh.field(i)) for i in range(500))


def test_projection_stores_patterns_as_alike_as_you_please():
    base = random_patterns(1, 200, generator=rng(11))
    xi = flip(base.expand(30, 200), 15, generator=rng(12))
    assert overlap(xi, xi)[0, 1:].mean() > 0.6
    assert not torch.equal(hebbian(xi).update(xi), xi), "Hebb's rule does not hold them"
    model = projection(xi)
    assert torch.equal(model.update(xi), xi)
    found = asynchronous(model, flip(xi, 3, generator=rng(13)), generator=rng(14))
    assert torch.equal(found.state, xi)


def test_projection_is_the_projector_onto_the_patterns_without_its_diagonal():
    xi = random_patterns(5, 12, networks=(2,), generator=rng(15))
    basis = torch.linalg.svd(xi, full_matrices=False).Vh
    projector = basis.mT @ basis
    expected = projector - torch.diag_embed(projector.diagonal(dim1=-2, dim2=-1))
    torch.testing.assert_close(projection(xi).weights, expected, rtol=0, atol=1e-13)
    doubled = torch.cat([xi, xi], dim=1)
    torch.testing.assert_close(projection(doubled).weights, expected, rtol=0, atol=1e-13)


def test_symmetric_networks_in_step_end_in_a_point_or_a_pair():
    model = Hopfield(symmetric(16, 12, (5,)), torch.zeros(5, 12, dtype=F64))
    found = synchronous(model, random_patterns(40, 12, networks=(5,), generator=rng(17)), steps=200)
    assert set(found.period.unique().tolist()) == {1, 2}


@pytest.mark.parametrize("networks", [(), (3,)])
def test_spins_and_bits_are_one_network_exactly(networks):
    couplings, thresholds = whole_network(2, 8, networks)
    model, bits = from_bits(couplings, thresholds), all_bits(8)
    states = (2 * bits - 1).expand(*networks, -1, -1)
    expected = torch.stack(
        [bit_energy(j, t, bits) for j, t in zip(couplings.reshape(-1, 8, 8), thresholds.reshape(-1, 8), strict=True)]
    ).reshape(*networks, -1)
    found = model.energy(states)
    assert torch.equal(found - found[..., :1], expected - expected[..., :1]), "every energy, up to one constant"
    fields = bits @ couplings - thresholds[..., None, :]
    assert torch.equal(model.update(states), torch.where(fields == 0, states, fields.sign()))
    back = to_bits(model)
    assert torch.equal(back[0], couplings)
    assert torch.equal(back[1], thresholds)


def test_correlated_patterns_are_held_in_half_precision_or_refused():
    dtype = torch.float16
    xi = random_patterns(4, 30, generator=rng(30))
    xi[1] = xi[0]
    xi[1, :3] *= -1
    model = projection(xi.to(dtype))
    assert model.couplings.dtype == dtype
    assert torch.equal(model.update(xi.to(dtype)), xi.to(dtype))
    torch.testing.assert_close(model.weights.double(), projection(xi).weights, rtol=0, atol=model.unit)
    with pytest.raises(ArgumentError, match=r"patterns: expected patterns that the rounded weights hold; got 30"):
        projection(random_patterns(10, 30, generator=rng(31), dtype=torch.bfloat16))


def test_the_diagonal_of_spins_is_nothing_to_bits():
    xi = random_patterns(5, 9, generator=rng(3))
    one, other = to_bits(hebbian(xi)), to_bits(hebbian(xi, self_coupling=True))
    assert torch.equal(one[0], other[0])
    assert torch.equal(one[1], other[1])


def test_stability_is_the_cheapest_flip():
    couplings, thresholds = whole_network(4, 7, (2,))
    model = Hopfield(couplings + 3 * torch.eye(7, dtype=F64), thresholds, 0.5)
    states = random_patterns(6, 7, networks=(2,), generator=rng(5))
    costs = []
    for i in range(7):
        turned = states.clone()
        turned[..., i] *= -1
        costs.append((model.energy(turned) - model.energy(states)) / 2)
    torch.testing.assert_close(stability(model, states), torch.stack(costs).amin(dim=0))
    assert stability(model, states[:, 0]).shape == (2,)


@pytest.mark.parametrize("gain", [0.5, 2.0, 30.0])
def test_graded_energy_is_the_integral_of_1984(gain):
    weights, inputs = symmetric(18, 4), torch.tensor([0.3, -0.2, 0.0, 0.5], dtype=F64)
    model = Graded(weights, inputs, gain=gain, resistance=1.7)
    potential = torch.tensor([0.4, -0.02, 0.1, -0.05], dtype=F64)
    outputs = model.output(potential)
    torch.testing.assert_close(outputs, torch.tanh(gain * potential))
    leak = sum(quad(lambda v: math.atanh(v) / gain, 0, v, epsabs=1e-13)[0] for v in outputs.tolist()) / 1.7
    expected = -outputs @ weights @ outputs / 2 - inputs @ outputs + leak
    assert model.energy(potential).item() == pytest.approx(expected.item(), abs=1e-11)


def test_the_flow_goes_down_the_graded_energy_in_the_outputs():
    model = Graded(symmetric(19, 6, (2,)), symmetric(20, 6)[:2], gain=1.3, resistance=0.8)
    potential = (torch.rand((2, 5, 6), generator=rng(21), dtype=F64) - 0.5).requires_grad_()
    (gradient,) = torch.autograd.grad(model.energy(potential).sum(), potential)
    # dE/du = dE/dV V'(u), and dE/dV = -du/dt.
    slope = 1.3 * (1 - torch.tanh(1.3 * potential) ** 2)
    torch.testing.assert_close(gradient, -slope * model.flow(potential), rtol=1e-10, atol=1e-12)
    assert model.networks == (2,)


def test_graded_energy_never_increases():
    model = Graded(symmetric(22, 30, (4,)), symmetric(23, 30)[:4], gain=3.0)
    start = 4 * torch.rand((4, 10, 30), generator=rng(24), dtype=F64) - 2
    path = gradient_flow(model, start, step=0.01, steps=500)
    energy = torch.stack([model.energy(u) for u in path])
    assert energy.diff(dim=0).max() <= 1e-12
    assert (energy[0] - energy[-1]).min() > 0.1


def test_at_high_gain_states_at_rest_are_fixed_points_of_the_binary_network():
    xi = random_patterns(3, 60, generator=rng(25))
    binary = hebbian(xi)
    start = (torch.rand((40, 60), generator=rng(26), dtype=F64) - 0.5) / 5
    corners = []
    for gain in (1.5, 100.0):
        model = Graded(binary.weights, torch.zeros(60, dtype=F64), gain=gain)
        outputs = model.output(gradient_flow(model, start, step=0.05, steps=1500)[-1])
        corners.append(outputs.abs().mean().item())
        signs = outputs.sign()
    assert torch.equal(binary.update(signs), signs)
    assert corners[0] < 0.9
    assert corners[1] > 0.999


def test_no_output_overflows_the_energy():
    model = Graded(symmetric(27, 3), torch.zeros(3, dtype=F64), gain=1e3)
    assert model.energy(torch.tensor([1e5, -1e5, 0.0], dtype=F64)).isfinite()


EYE = torch.eye(3, dtype=F64)
ZERO = torch.zeros(3, dtype=F64)
ONES = torch.ones(2, 3, dtype=F64)
LOPSIDED = torch.tensor([[0.0, 1.0], [0.5, 0.0]], dtype=F64)

REFUSED = {
    "asymmetric couplings": (lambda: Hopfield(LOPSIDED, ZERO[:2]), "couplings: expected a symmetric matrix"),
    "oblong couplings": (lambda: Hopfield(EYE[:2], ZERO), r"couplings: expected axes \(\.\.\., neurons, neurons\)"),
    "infinite couplings": (lambda: Hopfield(EYE / 0, ZERO), "couplings: expected finite values"),
    "whole couplings": (lambda: Hopfield(EYE.long(), ZERO), "couplings: expected a floating dtype; got int64"),
    "thresholds of others": (lambda: Hopfield(EYE, ZERO[:2]), "thresholds: .*neurons = 3"),
    "thresholds of probes": (lambda: Hopfield(EYE, ZERO.expand(2, 3)), r"thresholds: expected shape \(3,\)"),
    "thresholds in float32": (lambda: Hopfield(EYE, ZERO.float()), "thresholds: expected float64; got float32"),
    "thresholds of networks": (lambda: Hopfield(EYE[None], ZERO), r"thresholds: expected leading axes \(1,\)"),
    "no unit": (lambda: Hopfield(EYE, ZERO, 0.0), "unit: expected a finite number > 0; got 0"),
    "too many": (lambda: hebbian(torch.ones(9, 2**21)), r"patterns: expected patterns \* neurons <= 16777216 in"),
    "asymmetric bits": (
        lambda: from_bits(LOPSIDED, ZERO[:2]),
        r"couplings: expected a symmetric matrix; got an asymmetric one\.",
    ),
    "thresholds of other bits": (lambda: from_bits(0 * EYE, ZERO[:2]), r"thresholds: .*neurons = 3; got shape \(2,\)"),
    "thresholds of networks of bits": (
        lambda: from_bits(0 * EYE, ZERO[None]),
        r"thresholds: expected shape \(3,\); got shape \(1, 3\)",
    ),
    "bits without a unit": (lambda: from_bits(0 * EYE, ZERO, unit=0.0), r"unit: expected a finite number > 0; got 0\."),
    "bits with a diagonal": (
        lambda: from_bits(2 * EYE, ZERO),
        r"couplings: expected zeros on the diagonal; got 2\. A unit 0 or 1 is its own square: J_ee acts as the "
        r"threshold -J_ee / 2, so write it there\.",
    ),
    "bits of a number": (lambda: to_bits(3), r"model: expected a Hopfield network of spins; got int\."),
    "stability of nothing": (
        lambda: stability(None, ONES),
        r"model: expected a Hopfield network of spins; got NoneType\.",
    ),
    "patterns halfway": (
        lambda: stability(from_bits(0 * EYE, ZERO), ONES / 2),
        r"patterns: expected values in \{-1, \+1\}; got 0\.5\.",
    ),
    "asymmetric weights": (lambda: Graded(LOPSIDED, ZERO[:2], 1.0), "weights: expected a symmetric matrix"),
    "inputs of others": (lambda: Graded(EYE, ZERO[:2], 1.0), "inputs: .*neurons = 3"),
    "infinite inputs": (lambda: Graded(EYE, ZERO / 0, 1.0), "inputs: expected finite values; got nan"),
    "no gain": (lambda: Graded(EYE, ZERO, 0.0), "gain: expected a finite number > 0; got 0"),
    "no resistance": (lambda: Graded(EYE, ZERO, 1.0, 0.0), "resistance: expected a finite number > 0; got 0"),
    "energy, neurons": (lambda: Graded(EYE, ZERO, 1.0).energy(ZERO[:2]), "potential: .*neurons = 3"),
    "energy, dtype": (lambda: Graded(EYE, ZERO, 1.0).energy(ZERO.float()), "potential: expected float64"),
    "flow, infinite": (lambda: Graded(EYE, ZERO, 1.0).flow(ZERO / 0), "potential: expected finite values"),
    "output, empty": (lambda: Graded(EYE, ZERO, 1.0).output(ZERO[:0]), "potential: .*no empty axis"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_argument(case):
    call, message = REFUSED[case]
    with pytest.raises(ArgumentError, match=message):
        call()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_fields_and_energies_of_half_precision_are_summed_in_single(dtype):
    # Couplings of +-40 in 64 units: a field is 2560, and the sum of all fields is beyond float16.
    single = Hopfield(torch.full((64, 64), 40.0), torch.ones(64), unit=1 / 64)
    half = Hopfield(single.couplings.to(dtype), single.thresholds.to(dtype), unit=1 / 64)
    states = random_patterns(5, 64, generator=rng(31)).float()
    states[0] = 1.0
    assert torch.equal(half.energy(states.to(dtype)), single.energy(states).to(dtype))
    assert half.energy(states.to(dtype))[0].item() == pytest.approx(-1279, rel=2e-3)
    assert torch.equal(half.update(states.to(dtype)), single.update(states).to(dtype))
    assert torch.equal(stability(half, states.to(dtype)), stability(single, states).to(dtype))
    ends = asynchronous(half, states.to(dtype), generator=rng(32)).state
    assert torch.equal(ends, asynchronous(single, states, generator=rng(32)).state.to(dtype))
    with pytest.raises(ArgumentError, match="couplings: expected results within float16; got an overflow"):
        Hopfield(torch.full((64, 64), 40.0).half(), torch.ones(64).half()).energy(states.half())


def test_products_beyond_single_precision_are_refused():
    far = Hopfield(torch.full((4, 4), 3e38), torch.zeros(4))
    for call in (far.energy, far.update, far.track):
        with pytest.raises(ArgumentError, match="couplings: expected results within float32; got an overflow"):
            call(torch.ones(4))
