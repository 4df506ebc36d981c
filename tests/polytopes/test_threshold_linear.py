"""Fixed points of threshold-linear networks, against fractions, single solves, the flow and theory."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.dense import DenseMemory, Rectified
from memscape.memory.patterns import random_patterns
from memscape.polytopes import graph_rules, threshold_linear
from memscape.polytopes.threshold_linear import (
    FixedPoints,
    RectifiedMemory,
    ThresholdLinear,
    disagreements,
    exact_fixed_point,
    fixed_points,
    hurwitz,
    lyapunov_exponents,
    misjudged,
    trajectories,
)
from memscape.tools import pieces
from memscape.tools.subsets import every

from ..draws import normal

F64 = torch.float64

# The supports {1} and {1, 2, 3} are both those of stable fixed points.
NESTED = [[0, -0.25, -1.25], [-2, 0, -0.5], [-1.25, -0.75, 0]]


def hollow(couplings: torch.Tensor) -> torch.Tensor:
    return couplings * (1 - torch.eye(couplings.shape[-1], dtype=couplings.dtype))


def competitive(seed: int, networks: int, neurons: int) -> torch.Tensor:
    return hollow(-normal(seed, networks, neurons, neurons).exp())


def dyadic(seed: int, *shape: int) -> torch.Tensor:
    return (normal(seed, *shape) * 64).round() / 64


def fields(found: FixedPoints) -> tuple[torch.Tensor, ...]:
    return found.exists, found.stable, found.index, found.doubtful


# Supports


@pytest.mark.parametrize("neurons", [1, 2, 3, 4, 5])
def test_every_support_is_decided_as_in_fractions(neurons):
    couplings, inputs = dyadic(neurons, 12, neurons, neurons), dyadic(neurons + 9, 12, neurons)
    found = fixed_points(ThresholdLinear(couplings, inputs), activities=True)
    for network, support in itertools.product(range(12), range(2**neurons)):
        exact = exact_fixed_point(couplings[network].tolist(), inputs[network].tolist(), support)
        assert not found.doubtful[network, support]
        assert found.exists[network, support] == exact.exists
        assert found.stable[network, support] == exact.stable
        assert found.index[network, support] == exact.index
        expected = torch.tensor([float(x) for x in exact.activities], dtype=F64)
        torch.testing.assert_close(found.activities[network, support], expected, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize(("neurons", "networks"), [(3, 2000), (6, 60), (9, 4)])
def test_every_support_is_decided_as_by_its_own_solve(neurons, networks):
    couplings, inputs = hollow(normal(1, networks, neurons, neurons)), normal(2, networks, neurons)
    found = fixed_points(ThresholdLinear(couplings, inputs))
    system = torch.eye(neurons, dtype=F64) - couplings
    for support, inside in enumerate(every(neurons)):
        block = system[:, inside][:, :, inside]
        x = torch.zeros_like(inputs)
        x[:, inside] = torch.linalg.solve(block, inputs[:, inside])
        total = (couplings @ x[..., None])[..., 0] + inputs
        exists = ((x > 0) == inside).all(dim=-1) & ((total > 0) == inside).all(dim=-1)
        assert torch.equal(found.exists[:, support], exists)
        stable = exists & (torch.linalg.eigvals(-block).real < 0).all(dim=-1)
        assert torch.equal(found.stable[:, support], stable)
        assert torch.equal(found.index[:, support], torch.linalg.det(block).sign().to(torch.int8))
    assert found.decided.all()


def test_two_neurons_in_closed_form():
    # b = 1: neuron i holds out against j alone if and only if W_ij > -1, "there is an edge from j to i".
    couplings = competitive(3, 1000, 2)
    found = fixed_points(ThresholdLinear(couplings, torch.ones(2, dtype=F64)))
    to_first, to_second = couplings[:, 0, 1] > -1, couplings[:, 1, 0] > -1
    assert torch.equal(found.stable[:, 3], to_first & to_second)
    assert torch.equal(found.stable[:, 1], ~to_second)
    assert torch.equal(found.stable[:, 2], ~to_first)
    assert torch.equal(found.exists[:, 3], to_first == to_second)
    assert not found.exists[:, 0].any()


def test_independent_neurons_are_all_on():
    found = fixed_points(ThresholdLinear(torch.zeros(4, 4), torch.ones(4)), activities=True)
    assert found.exists.nonzero().tolist() == [[15]]
    assert found.stable.nonzero().tolist() == [[15]]
    assert found.activities[15].tolist() == [1, 1, 1, 1]


def test_silence_is_the_only_fixed_point_without_input():
    found = fixed_points(ThresholdLinear(competitive(4, 5, 3), torch.full((3,), -1.0, dtype=F64)))
    assert found.exists.nonzero()[:, 1].tolist() == [0] * 5
    assert found.stable[:, 0].all()


@pytest.mark.parametrize("neurons", [2, 3, 4, 5])
def test_the_indices_of_a_competitive_network_sum_to_one_for_inputs_of_any_sign(neurons):
    found = fixed_points(ThresholdLinear(competitive(5, 4000, neurons), normal(6, 4000, neurons)))
    assert (found.index_sum == 1).all()
    assert (found.count % 2 == 1).all()


def test_the_indices_of_other_networks_need_not():
    # A neuron that excites itself twice over has a fixed point at zero and none above, or none at all.
    found = fixed_points(ThresholdLinear(torch.tensor([[2.0]]), torch.tensor([[1.0], [-1.0]])))
    assert found.exists.tolist() == [[False, False], [True, True]]
    assert found.index_sum.tolist() == [0, 0]


def test_a_network_has_one_fixed_point_for_all_inputs_if_and_only_if_all_principal_minors_are_positive():
    couplings, inside = competitive(7, 300, 4) / 2, every(4)
    index = fixed_points(ThresholdLinear(couplings, torch.ones(4, dtype=F64))).index
    good = (index == 1).all(dim=-1)
    assert 10 < good.sum() < 290
    inputs = normal(8, 500, 1, 4)
    assert (fixed_points(ThresholdLinear(couplings[good], inputs)).count == 1).all()
    # Where det(I - W_sigma) < 0, an input from inside the cone of sigma makes at least three.
    support = inside[(index[~good] < 0).to(torch.int8).argmax(dim=-1)]
    system = torch.eye(4, dtype=F64) - couplings[~good]
    chosen = torch.where(support[:, None, :], system, -torch.eye(4, dtype=F64)).sum(dim=-1)
    assert (fixed_points(ThresholdLinear(couplings[~good], chosen)).count >= 3).all()


def test_fixed_points_solve_the_linear_complementarity_problem():
    couplings, inputs = competitive(9, 500, 4), normal(10, 500, 4)
    found = fixed_points(ThresholdLinear(couplings, inputs), activities=True)
    network, support = found.exists.nonzero(as_tuple=True)
    x = found.activities[network, support]
    slack = x - (couplings[network] @ x[..., None])[..., 0] - inputs[network]
    assert (x >= 0).all()
    assert (slack >= -1e-9).all()
    assert (x * slack).abs().max() < 1e-9


def test_all_inputs_may_be_scaled_to_one():
    # x = D y with D = diag(b) turns (W, b) into (D^-1 W D, 1) and the flow into the flow.
    couplings, inputs = competitive(11, 500, 3), normal(12, 500, 3).exp()
    scaled = couplings * inputs[:, None, :] / inputs[:, :, None]
    found = fixed_points(ThresholdLinear(couplings, inputs))
    again = fixed_points(ThresholdLinear(scaled, torch.ones(3, dtype=F64)))
    assert all(torch.equal(one, other) for one, other in zip(fields(found), fields(again), strict=True))


def test_stable_supports_of_a_symmetric_network_are_not_nested():
    couplings = competitive(13, 20_000, 4)
    stable = fixed_points(ThresholdLinear((couplings + couplings.mT) / 2, torch.ones(4, dtype=F64))).stable
    for small, large in itertools.permutations(range(16), 2):
        if small & large == small:
            assert not (stable[:, small] & stable[:, large]).any()


# Nested stable fixed points


def test_stable_supports_can_be_nested():
    exact = {support: exact_fixed_point(NESTED, [1, 1, 1], support) for support in range(8)}
    assert [support for support, point in exact.items() if point.stable] == [1, 7]
    assert exact[7].activities == (Fraction(6, 19), Fraction(2, 19), Fraction(10, 19))


@pytest.mark.parametrize(("small", "large"), [(1, 3), (1, 4), (2, 4), (3, 5), (2, 7)])
def test_blocks_of_copies_nest_larger_supports(small, large):
    sizes = (small, 1, large - small - 1)
    block = [i for i, size in enumerate(sizes) for _ in range(size)]
    # Copies of a neuron share what it gives and barely see each other.
    weights = [[Fraction(NESTED[a][b]) / sizes[b] if a != b else Fraction(-1, 1000) for b in block] for a in block]
    for neuron in range(large):
        weights[neuron][neuron] = Fraction(0)
    inputs = [1] * large
    assert exact_fixed_point(weights, inputs, 2**small - 1).stable
    assert exact_fixed_point(weights, inputs, 2**large - 1).stable


# Rounding


@pytest.mark.parametrize("off", [0.0, 2.0**-40, 2.0**-24])
def test_a_singular_pivot_on_the_way_does_no_harm(off):
    # det(I - W_{12}) is zero or close to it, but the networks of {1, 2, 3} and {1, 2, 3, 4} are regular.
    couplings = torch.tensor(
        [[0, off - 1, -0.5, -0.25], [-1, 0, -0.25, -0.5], [-0.5, -0.75, 0, -0.5], [-0.25, -1.5, -0.5, 0]], dtype=F64
    )
    inputs = torch.tensor([1, 0.75, 1.25, 1], dtype=F64)
    found = fixed_points(ThresholdLinear(couplings, inputs), activities=True)
    assert found.doubtful.nonzero()[:, 0].tolist() == ([3] if off < 1e-9 else [])
    assert off > 0 or found.index[3] == 0
    for support in set(range(16)) - {3}:
        exact = exact_fixed_point(couplings.tolist(), inputs.tolist(), support)
        assert (found.exists[support], found.stable[support], found.index[support]) == (
            exact.exists, exact.stable, exact.index,
        )  # fmt: skip
        expected = torch.tensor([float(x) for x in exact.activities], dtype=F64)
        torch.testing.assert_close(found.activities[support], expected, rtol=1e-9, atol=1e-9)


def test_an_exact_tie_is_doubtful_and_fractions_settle_it():
    # W_21 = -1 and b = 1: neuron 2 is at its threshold when neuron 1 is on alone.
    couplings, inputs = torch.tensor([[0, -0.5], [-1, 0]], dtype=F64), torch.ones(2, dtype=F64)
    found = fixed_points(ThresholdLinear(couplings, inputs))
    assert found.doubtful[1]
    assert not found.decided
    assert exact_fixed_point(couplings.tolist(), [1, 1], 1).exists


def random_couplings_with_loops(count: int) -> torch.Tensor:
    """Couplings of five units, inhibition of very different strength and couplings of units to themselves."""
    rng = np.random.default_rng(5)
    return torch.from_numpy(-np.exp(rng.standard_normal((count, 5, 5))) + 1.5 * rng.random((count, 5, 1)) * np.eye(5))


def test_stability_of_few_supports_is_that_of_many():
    # Few are looked at together, padded to one size; many by their sizes.
    couplings = random_couplings_with_loops(count=64)
    inputs = torch.ones(5, dtype=torch.float64)
    together = fixed_points(ThresholdLinear(couplings, inputs))
    for one, couplings_ in enumerate(couplings):
        alone = fixed_points(ThresholdLinear(couplings_, inputs))
        assert torch.equal(alone.stable, together.stable[one])
        assert torch.equal(alone.doubtful, together.doubtful[one])
    assert 0 < (together.stable & together.exists)[:, 8:].sum() < together.exists[:, 8:].sum()


def test_slow_units_are_decided_beside_a_larger_support():
    # {3} decays at the rate 5e-10, {1, 2} at 4e-10: the doubt is measured by the entries of the support alone.
    slow = torch.tensor([[10, 2, 100], [2, 10, 100], [100, 100, 10]]).double() * 5e-11
    found = fixed_points(ThresholdLinear(torch.eye(3).double() - slow, torch.ones(3).double()))
    assert found.stable.nonzero()[:, 0].tolist() == [0b011, 0b100]
    assert not found.doubtful[[0b011, 0b100]].any()


def test_exactly_neutral_dynamics_is_doubtful_and_not_stable():
    # A 3-cycle with eigenvalues -3 and +-sqrt(3) i of -I + W.
    couplings = torch.tensor([[0, 0, -2], [-2, 0, 0], [0, -2, 0]], dtype=F64)
    found = fixed_points(ThresholdLinear(couplings, torch.ones(3, dtype=F64)))
    assert found.exists[7]
    assert found.doubtful[7]
    assert not exact_fixed_point(couplings.tolist(), [1, 1, 1], 7).stable


@pytest.mark.parametrize("neurons", range(1, 9))
def test_hurwitz_is_what_the_eigenvalues_say(neurons):
    matrices = normal(neurons, 3000, neurons, neurons) - neurons**0.5 * torch.eye(neurons, dtype=F64)
    expected = torch.linalg.eigvals(matrices).real.amax(dim=-1) < 0
    assert expected.any()
    assert neurons == 1 or not expected.all()
    assert torch.equal(hurwitz(matrices), expected)
    assert torch.equal(hurwitz(1000 * matrices.reshape(3, 1000, neurons, neurons)), expected.reshape(3, 1000))


@pytest.mark.parametrize("matrix", [[[0.0, 1.0], [-1.0, 0.0]], [[-1.0, 0.0], [0.0, 0.0]], [[0.0]]])
def test_neutral_matrices_are_not_hurwitz(matrix):
    assert not hurwitz(torch.tensor(matrix))


# Shapes


def test_batches_broadcast_and_do_not_matter():
    couplings, inputs = competitive(14, 6, 3).reshape(2, 3, 1, 3, 3), normal(15, 3, 5, 3)
    model = ThresholdLinear(couplings, inputs)
    found = fixed_points(model, activities=True)
    assert found.exists.shape == (2, 3, 5, 8)
    assert found.activities.shape == (2, 3, 5, 8, 3)
    assert found.count.shape == found.index_sum.shape == found.decided.shape == (2, 3, 5)
    with pieces.budget(1):
        again = fixed_points(model, activities=True)
    assert all(torch.equal(one, other) for one, other in zip(fields(found), fields(again), strict=True))
    alone = fixed_points(ThresholdLinear(couplings[1, 2, 0], inputs[2, 4]))
    assert torch.equal(alone.exists, found.exists[1, 2, 4])
    assert alone.activities is None


def test_single_precision_is_computed_in_double():
    model = ThresholdLinear(competitive(16, 50, 4).float(), normal(17, 50, 4).float())
    one, other = fixed_points(model), fixed_points(model.to(F64))
    assert all(torch.equal(a, b) for a, b in zip(fields(one), fields(other), strict=True))


def test_many_supports_at_once():
    found = fixed_points(ThresholdLinear(competitive(18, 1, 14)[0], torch.ones(14, dtype=F64)))
    assert found.exists.shape == (2**14,)
    assert found.index_sum == 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cpu_and_cuda_agree():
    near = ThresholdLinear(competitive(19, 2000, 5), normal(20, 2000, 5))
    far = near.to("cuda")
    here, there = fixed_points(near), fixed_points(far)
    assert all(torch.equal(a, b.cpu()) for a, b in zip(fields(here), fields(there), strict=True))
    starts = normal(21, 2000, 5).abs()
    slow = trajectories(near, starts, duration=5.0, step=0.1)
    fast = trajectories(far, starts.cuda(), duration=5.0, step=0.1)
    torch.testing.assert_close(fast.cpu(), slow, rtol=1e-9, atol=1e-9)
    one, other = (lyapunov_exponents(m, x, step=0.1, steps=500) for m, x in ((near, starts), (far, starts.cuda())))
    torch.testing.assert_close(other.cpu(), one)


# The flow


def test_the_flow_of_one_neuron_is_exponential():
    model = ThresholdLinear(torch.zeros(1, 1, dtype=F64), torch.tensor([2.0], dtype=F64))
    path = trajectories(model, torch.zeros(1, dtype=F64), duration=1.0, step=0.01)
    assert path.shape == (101, 1)
    torch.testing.assert_close(path[-1, 0].item(), 2 * (1 - np.exp(-1.0)), rtol=1e-9, atol=0)


def test_the_error_of_the_flow_falls_with_the_fourth_power_of_the_step():
    model = ThresholdLinear(hollow(normal(22, 4, 4).abs()) / 8, torch.ones(4, dtype=F64))  # no neuron falls silent
    start = torch.zeros(4, dtype=F64)
    ends = [trajectories(model, start, duration=2.0, step=0.25 / 2**k)[-1] for k in range(4)]
    steps = [(a - b).norm() for a, b in itertools.pairwise(ends)]
    assert all(12 < before / after < 24 for before, after in itertools.pairwise(steps))


def test_trajectories_stay_near_stable_fixed_points_and_leave_unstable_ones():
    couplings, ones = competitive(23, 300, 3), torch.ones(3, dtype=F64)
    found = fixed_points(ThresholdLinear(couplings, ones), activities=True)
    network, support = found.exists.nonzero(as_tuple=True)
    x = found.activities[network, support]
    # Not so close to neutral that a hundred time constants do not show it.
    flow = -torch.where(every(3)[support][:, None, :], torch.eye(3, dtype=F64) - couplings[network], torch.eye(3))
    rate = torch.linalg.eigvals(flow).real.amax(dim=-1)
    clear = rate.abs() > 0.1
    starts = x[clear] * (1 + 1e-6 * normal(24, int(clear.sum()), 3))
    ends = trajectories(ThresholdLinear(couplings[network][clear], ones), starts, duration=150.0, step=0.1)[-1]
    back = (ends - x[clear]).norm(dim=-1) < 1e-6
    assert torch.equal(back, found.stable[network, support][clear])


def test_trajectories_keep_what_was_asked_for():
    model, starts = ThresholdLinear(competitive(25, 2, 3), torch.ones(3, dtype=F64)), torch.zeros(2, 5, 3, dtype=F64)
    every = trajectories(model, starts, duration=1.0, step=0.1)
    some = trajectories(model, starts, duration=1.0, step=0.1, every=5)
    assert len(trajectories(model, starts, duration=1e-12, step=0.1)) == 2  # one step reaches it
    assert every.shape == (11, 2, 5, 3)
    assert torch.equal(some, every[::5])


def test_exponents_of_a_fixed_point_a_cycle_and_chaos():
    start = torch.full((5,), 0.1, dtype=F64) + torch.arange(5) * 0.01
    clique, cycle, chaos = (graph_rules.network(np.array(code), nodes, graph_rules.Parameters("1/4", "1/2"))
                            for code, nodes in ((2**20 - 1, 5), (25, 3), (91525, 5)))  # fmt: skip
    # All perturbations of a clique's fixed point that sum to zero die at the rate epsilon.
    assert lyapunov_exponents(clique, start, step=0.1, steps=2000).item() == pytest.approx(-0.25, abs=5e-3)
    assert lyapunov_exponents(cycle, start[:3], step=0.05, steps=6000).item() == pytest.approx(0, abs=5e-3)
    assert lyapunov_exponents(chaos, start, step=0.05, steps=8000).item() > 0.02


# The energy


def symmetric(seed: int, *networks: int) -> torch.Tensor:
    weights = normal(seed, *networks, 4, 4)
    return (weights + weights.mT) / 2


def test_the_energy_falls_by_the_square_of_the_motion_above_threshold_and_by_what_is_lost_below_it():
    model, x = ThresholdLinear(symmetric(32), normal(33, 4)), normal(34, 1000, 4).abs().requires_grad_()
    (slope,) = torch.autograd.grad(model.energy(x).sum(), x)
    total = torch.einsum("ij,bj->bi", model.weights, x) + model.inputs
    expected = torch.where(total >= 0, -((total - x) ** 2), -x * (x - total))
    assert (expected <= 0).all()
    assert 0.2 < (total >= 0).double().mean() < 0.8
    torch.testing.assert_close(slope * model.flow(x), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("probes", [(), (5,), (2, 3)], ids=str)
def test_networks_that_share_weights_or_inputs_are_each_its_own(probes):
    # Four networks by two: inputs that all have, or that the two of a column share.
    for weights, inputs in ((symmetric(35, 4, 1), normal(36, 2, 4)), (symmetric(37), normal(38, 4, 2, 4)),
                            (symmetric(39, 4, 2), normal(40, 4))):  # fmt: skip
        model, state = ThresholdLinear(weights, inputs), normal(41, 4, 2, *probes, 4).abs()
        assert model.networks == (4, 2)
        energy, flow = model.energy(state), model.flow(state)
        path = trajectories(model, state, duration=1.0, step=0.1)
        growth = lyapunov_exponents(model, state, step=0.1, steps=10)
        assert energy.shape == growth.shape == (4, 2, *probes)
        assert flow.shape == state.shape
        weights, inputs = weights.expand(4, 2, 4, 4), inputs.expand(4, 2, 4)
        for at in itertools.product(range(4), range(2)):
            alone = ThresholdLinear(weights[at], inputs[at])
            torch.testing.assert_close(alone.energy(state[at]), energy[at], rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(alone.flow(state[at]), flow[at], rtol=1e-12, atol=1e-12)
            there = trajectories(alone, state[at], duration=1.0, step=0.1)
            torch.testing.assert_close(there, path[:, *at], rtol=1e-10, atol=1e-12)
            slow = lyapunov_exponents(alone, state[at], step=0.1, steps=10)
            torch.testing.assert_close(slow, growth[at], rtol=1e-9, atol=1e-9)


def test_the_flow_and_the_energy_are_the_sums_of_the_definition():
    model, x = ThresholdLinear(symmetric(42), normal(43, 4)), normal(44, 4).abs()
    w, b = model.weights.tolist(), model.inputs.tolist()
    flow = [max(sum(w[i][j] * x[j].item() for j in range(4)) + b[i], 0) - x[i].item() for i in range(4)]
    torch.testing.assert_close(model.flow(x), torch.tensor(flow, dtype=F64), rtol=1e-12, atol=1e-12)
    energy = sum(x[i].item() * x[j].item() * ((i == j) - w[i][j]) / 2 for i in range(4) for j in range(4))
    energy -= sum(b[i] * x[i].item() for i in range(4))
    assert model.energy(x).item() == pytest.approx(energy, rel=1e-12)
    # Row i of W holds what neuron i receives.
    one_way = ThresholdLinear(torch.tensor([[0, 0.5], [0, 0]], dtype=F64), torch.zeros(2, dtype=F64))
    assert one_way.flow(torch.tensor([0, 1.0], dtype=F64)).tolist() == [0.5, -1]


def test_half_precision_is_computed_in_single():
    # W x is beyond float16, W x + b is not.
    single = ThresholdLinear(torch.full((2, 2), 60000.0), torch.full((2,), -60000.0))
    model, state = single.to(torch.float16), torch.full((2,), 0.6, dtype=torch.float16)
    for name in ("energy", "flow"):
        half, full = getattr(model, name)(state), getattr(single, name)(state.float())
        assert half.dtype == torch.float16
        torch.testing.assert_close(half.float(), full, rtol=1e-3, atol=0)
    with pytest.raises(ArgumentError, match=r"state: expected results within float16; got an overflow\."):
        model.flow(2 * state)


# Rectified dense memories


def rectified(seed: int) -> RectifiedMemory:
    memories = normal(seed, 6, 4)
    return RectifiedMemory(memories / 1.2 / torch.linalg.matrix_norm(memories, 2), normal(seed + 1, 4))


def test_fixed_points_of_a_rectified_memory_are_where_its_energy_is_flat():
    memory = rectified(26)
    found = fixed_points(memory.network, activities=True)
    v = memory.visible(found.activities[found.exists]).requires_grad_()
    (slope,) = torch.autograd.grad(memory.energy(v).sum(), v)
    assert slope.abs().max() < 1e-12
    torch.testing.assert_close((v @ memory.memories.mT).clamp(min=0), found.activities[found.exists])
    assert found.count == 1
    assert found.stable[found.exists].all()


def test_a_rectified_memory_and_its_network_rest_at_the_same_energy():
    # At rest E(v) of the memory is E(y) of the network less |I|^2 / 2.
    memory = rectified(45)
    found = fixed_points(memory.network, activities=True)
    y = found.activities[found.exists]
    expected = memory.network.energy(y) - memory.drive.square().sum() / 2
    torch.testing.assert_close(memory.energy(memory.visible(y)), expected)


def test_the_energy_of_a_rectified_memory_falls_along_its_flow():
    memory = RectifiedMemory(normal(28, 6, 4) / 2, normal(29, 4))
    v = normal(30, 50, 4)
    energies = [memory.energy(v)]
    for _ in range(30):
        v = v - 0.02 * (v - memory.visible((v @ memory.memories.mT).clamp(min=0)))
        energies.append(memory.energy(v))
    assert all((after <= before + 1e-12).all() for before, after in itertools.pairwise(energies))


def test_inside_a_cell_the_rectified_energy_is_hopfields():
    xi = random_patterns(5, 8, generator=torch.Generator().manual_seed(31))
    states = 2.0 * every(8).double() - 1
    active = (states @ xi.mT > 0).double()
    expected = -0.5 * torch.einsum("bi,bm,mi,mj,bj->b", states, active, xi, xi, states) / (0.5 * 8**2)
    torch.testing.assert_close(DenseMemory(xi, Rectified(2)).energy(states), expected)


# Refusals

PAIR = ThresholdLinear(torch.zeros(2, 2), torch.ones(2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ThresholdLinear(torch.zeros(3, 2), torch.ones(2)),
            "weights: expected axes (..., neurons, neurons) with neurons = 3",
        ),
        (
            lambda: fixed_points(ThresholdLinear(torch.zeros(21, 21), torch.ones(21))),
            "the number of neurons of the model: expected an integer in [1, 20]; got 21.",
        ),
        (
            lambda: ThresholdLinear(torch.zeros(3, 3), torch.ones(2)),
            "inputs: expected axes (..., neurons) with neurons = 3; got shape (2,).",
        ),
        (
            lambda: ThresholdLinear(torch.zeros(2, 3, 3), torch.ones(4, 3)),
            "inputs: expected batch axes that broadcast against (2,); got shape (4, 3).",
        ),
        (
            lambda: ThresholdLinear(torch.zeros(3, 3).long(), torch.ones(3)),
            "weights: expected a floating dtype; got int64.",
        ),
        (
            lambda: ThresholdLinear(torch.full((2, 2), torch.nan), torch.ones(2)),
            "weights: expected finite values; got nan.",
        ),
        (lambda: ThresholdLinear(torch.zeros(2, 2), [1, 1]), "inputs: expected a torch.Tensor; got list."),
        (lambda: ThresholdLinear(torch.zeros(2, 2), torch.ones(2, dtype=F64)), "inputs: expected float32; got float64"),
        (
            lambda: ThresholdLinear(torch.tensor([[0, 1.0], [2, 0]]), torch.ones(2)).energy(torch.ones(2)),
            "weights: expected a symmetric matrix; got an asymmetric one. Only symmetric ones have an energy.",
        ),
        (lambda: PAIR.energy(torch.ones(3)), "state: expected axes (..., neurons) with neurons = 2; got shape (3,)."),
        (
            lambda: ThresholdLinear(torch.zeros(2, 2), torch.ones(3, 2)).flow(torch.ones(2)),
            "state: expected leading axes (3,), one entry a network; got shape (2,).",
        ),
        (
            lambda: fixed_points(torch.zeros(2, 2)),
            "model: expected a ThresholdLinear network; got Tensor. Make one with ThresholdLinear(weights, inputs).",
        ),
        (
            lambda: trajectories(torch.zeros(2, 2), torch.ones(2), duration=1, step=1),
            "model: expected a ThresholdLinear",
        ),
        (lambda: hurwitz(torch.zeros(2, 3)), "matrices: expected axes (..., neurons, neurons) with neurons = 2"),
        (
            lambda: exact_fixed_point([[0, 1]], [1, 1], 1),
            "weights: expected 2 rows of 2 numbers, as many as inputs; got 1 rows of 2.",
        ),
        (
            lambda: exact_fixed_point([[0, 1], [1, 0]], [1, float("inf")], 1),
            "inputs: expected a finite number; got inf",
        ),
        (lambda: exact_fixed_point([[0, 1], [1, 0]], [1, 1], 4), "support: expected an integer in [0, 3]; got 4."),
        (
            lambda: trajectories(PAIR, torch.ones(3), duration=1, step=0.1),
            "starts: expected axes (..., neurons) with neurons = 2",
        ),
        (
            lambda: trajectories(PAIR, torch.ones(2), duration=0, step=0.1),
            "duration: expected a finite number > 0; got 0.",
        ),
        (
            lambda: trajectories(PAIR, torch.ones(2), duration=1, step=2),
            "step: expected a finite number > 0 and <= 1; got 2.",
        ),
        (
            lambda: trajectories(PAIR, torch.ones(2), duration=1, step=0.1, every=0),
            "every: expected an integer >= 1; got 0.",
        ),
        (
            lambda: lyapunov_exponents(PAIR, torch.ones(3), step=0.1, steps=9),
            "starts: expected axes (..., neurons) with neurons = 2",
        ),
        (
            lambda: lyapunov_exponents(PAIR, torch.ones(2, dtype=F64), step=0.1, steps=9),
            "starts: expected float32; got float64.",
        ),
        (
            lambda: lyapunov_exponents(PAIR, -torch.ones(2), step=0.1, steps=9),
            "starts: expected finite values >= 0; got -1.",
        ),
        (
            lambda: lyapunov_exponents(PAIR, torch.ones(2), step=1.0, steps=9),
            "step: expected a finite number > 0 and <= 0.5; got 1.",
        ),
        (lambda: lyapunov_exponents(PAIR, torch.ones(2), step=0.1, steps=4), "steps: expected an integer >= 5; got 4."),
        (
            lambda: RectifiedMemory(torch.zeros(2, 3), torch.zeros(2)),
            "drive: expected axes (neurons) with neurons = 3; got shape (2,).",
        ),
        (
            lambda: RectifiedMemory(torch.zeros(2, 3), torch.zeros(3)).energy(torch.zeros(2)),
            "state: expected axes (..., neurons) with neurons = 3",
        ),
        (
            lambda: RectifiedMemory(torch.zeros(2, 3), torch.zeros(3)).visible(torch.zeros(3)),
            "activities: expected axes (..., memories) with memories = 2",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)


def test_the_solver_and_fractions_agree_and_a_wrong_answer_is_counted(monkeypatch):
    rng = np.random.default_rng(5)
    weights = torch.from_numpy(np.round(8 * rng.standard_normal((2, 2, 4, 4))) / 8)
    model = ThresholdLinear(weights, torch.from_numpy(np.round(8 * rng.standard_normal(4)) / 8))
    assert disagreements(model) == 0
    answer = fixed_points(model)
    wrong = answer.exists.clone()
    wrong[1, 0, [3, 7]] ^= True
    given = FixedPoints(wrong, answer.stable, answer.index, answer.doubtful)
    monkeypatch.setattr(threshold_linear, "fixed_points", lambda model: given)
    assert disagreements(model) == 2 - int(answer.doubtful[1, 0, [3, 7]].sum())


def test_a_nearby_trajectory_tells_stable_from_unstable(monkeypatch):
    ring = graph_rules.network(np.array([25]), 3, graph_rules.Parameters("1/4", "1/2"))  # one fixed point, unstable
    free = graph_rules.network(np.array([0]), 3, graph_rules.Parameters("1/4", "1/2"))  # three stable of seven
    for model, stable in ((ring, 0), (free, 3)):
        answer = fixed_points(model, activities=True)
        assert answer.stable.sum() == stable
        assert misjudged(model, torch.Generator().manual_seed(1)) == (0, 0)
        other = FixedPoints(
            answer.exists, answer.exists & ~answer.stable, answer.index, answer.doubtful, answer.activities
        )
        monkeypatch.setattr(threshold_linear, "fixed_points", lambda *_, other=other, **__: other)
        assert misjudged(model, torch.Generator().manual_seed(1)) == (int(answer.count) - stable, stable)
        monkeypatch.undo()


def test_only_one_axis_of_networks_is_followed():
    with pytest.raises(ArgumentError, match="model: expected one axis of networks; got 0 axes"):
        misjudged(graph_rules.network(np.array(25), 3, graph_rules.Parameters("1/4", "1/2")), torch.Generator())
