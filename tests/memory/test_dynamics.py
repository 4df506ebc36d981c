"""The dynamics, on networks small enough to know the answer; what holds for every model stands in test_laws.py."""

import math

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.dynamics import (
    asynchronous,
    evolve,
    gradient_flow,
    iterate,
    largest_lyapunov_exponent,
    runge_kutta,
    synchronous,
    trajectory,
)
from memscape.memory.hopfield import Graded, Hopfield, hebbian
from memscape.memory.patterns import flat, flip, random_patterns

from ..draws import rng

F64 = torch.float64


def pair(coupling: float) -> Hopfield:
    """Two units that want to be alike (coupling > 0) or unlike."""
    couplings = torch.tensor([[0, coupling], [coupling, 0]], dtype=F64)
    return Hopfield(couplings, torch.zeros(2, dtype=F64))


def test_two_units_that_imitate_each_other_swap_for_ever_in_step_but_agree_in_turn():
    unlike = torch.tensor([[1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]], dtype=F64)
    together = synchronous(pair(1.0), unlike)
    assert together.period.tolist() == [2, 2, 1]
    assert together.converged.tolist() == [False, False, True]
    in_turn = asynchronous(pair(1.0), unlike, generator=rng())
    assert in_turn.converged.all()
    assert in_turn.sweeps.tolist() == [1, 1, 0]
    assert (in_turn.state[:, 0] == in_turn.state[:, 1]).all()


def test_dynamics_that_are_stopped_too_early_say_so():
    xi = random_patterns(12, 60, generator=rng(1))
    start = random_patterns(200, 60, generator=rng(2))
    short, full = (asynchronous(hebbian(xi), start, sweeps=sweeps, generator=rng(3)) for sweeps in (2, 100))
    assert full.converged.all()
    assert full.sweeps.max() > 2
    assert torch.equal(short.converged, full.sweeps < 2), "rest is known after a sweep without a change"
    assert (synchronous(hebbian(xi), start, steps=1).period == 0).any()


def test_a_small_error_is_mended_in_one_sweep():
    xi = random_patterns(5, 200, generator=rng(4))
    found = asynchronous(hebbian(xi), flip(xi, 20, generator=rng(5)), generator=rng(6))
    assert torch.equal(found.state, xi)
    assert (found.sweeps == 1).all()


def test_a_unit_in_a_bath_is_up_as_often_as_its_field_says():
    thresholds = torch.tensor([-1.0, -0.3, 0.0, 0.8], dtype=F64)
    free = Hopfield(torch.zeros(4, 4, dtype=F64), thresholds)
    start = torch.ones(40_000, 4, dtype=F64)
    final = asynchronous(free, start, sweeps=1, temperature=0.7, generator=rng(7)).state
    expected = 1 / (1 + (2 * thresholds / 0.7).exp())
    error = (expected * (1 - expected) / 40_000).sqrt()
    assert (((final > 0).double().mean(dim=0) - expected).abs() < 5 * error).all()


def test_many_temperatures_run_at_once():
    thresholds = torch.tensor([[-0.5], [0.2]], dtype=F64)
    free = Hopfield(torch.zeros(2, 1, 1, dtype=F64), thresholds)
    start, temperatures = torch.ones(2, 3, 30_000, 1, dtype=F64), torch.tensor([0.3, 1.0, 5.0])
    final = asynchronous(free, start, sweeps=1, temperature=temperatures[:, None], generator=rng(8)).state
    expected = 1 / (1 + (2 * thresholds / temperatures).exp())
    error = (expected * (1 - expected) / 30_000).sqrt()
    assert (((final[..., 0] > 0).double().mean(dim=-1) - expected).abs() < 5 * error).all()
    single = asynchronous(free, start, sweeps=2, temperature=0.3, generator=rng(9)).state
    spread = asynchronous(free, start, sweeps=2, temperature=torch.tensor(0.3, dtype=F64), generator=rng(9)).state
    assert torch.equal(single, spread)


def test_euler_steps_follow_a_free_decay_to_first_order():
    free = Graded(torch.zeros(1, 1, dtype=F64), torch.zeros(1, dtype=F64), gain=1.0, resistance=2.0)
    start = torch.tensor([3.0], dtype=F64)
    errors = []
    for steps in (100, 200):
        path = gradient_flow(free, start, step=1.0 / steps, steps=steps)
        assert path.shape == (steps + 1, 1)
        assert torch.equal(path[0], start)
        errors.append(abs(path[-1].item() - 3.0 * math.exp(-0.5)))
    assert 1.9 < errors[0] / errors[1] < 2.1


def test_flat_puts_networks_first_and_probes_second():
    state = random_patterns(1, 3, networks=(2, 4, 5), generator=rng(8)).squeeze(-2)
    assert torch.equal(flat(state, (2, 4))[5, 3], state[1, 1, 3])
    assert flat(state[0, 0, 0], ()).shape == (1, 1, 3)


STATE = torch.ones(2, dtype=F64)
GRADED = Graded(torch.zeros(2, 2, dtype=F64), STATE, gain=1.0)


def exponent(state: torch.Tensor, *, step: float, steps: int) -> torch.Tensor:
    return largest_lyapunov_exponent(lambda x, v: (-x, -v), state, step=step, steps=steps)


REFUSED = {
    "sweeps": (lambda: asynchronous(pair(1.0), STATE, sweeps=0, generator=rng()), "sweeps: expected an integer >= 1"),
    "cold": (lambda: asynchronous(pair(1.0), STATE, temperature=-0.1, generator=rng()), "temperature: .*>= 0; got -0"),
    "hot": (lambda: asynchronous(pair(1.0), STATE, temperature=math.inf, generator=rng()), "temperature: .*finite"),
    "frozen": (lambda: asynchronous(pair(1.0), STATE, temperature=0 * STATE, generator=rng()), "temp.*posi"),
    "below": (
        lambda: asynchronous(pair(1.0), STATE, temperature=-STATE[0], generator=rng()),
        "temperature: .*>= 0; got",
    ),
    "misfit": (lambda: asynchronous(pair(1.0), STATE, temperature=STATE, generator=rng()), "temperature: .*broadcast"),
    "generator": (lambda: asynchronous(pair(1.0), STATE, generator=1), r"generator: expected a torch\.Generator"),
    "steps": (lambda: synchronous(pair(1.0), STATE, steps=0), "steps: expected an integer >= 1; got 0"),
    "step": (lambda: gradient_flow(GRADED, STATE, step=0.0, steps=1), "step: expected a finite number > 0; got 0"),
    "flow, steps": (lambda: gradient_flow(GRADED, STATE, step=0.1, steps=0), "steps: expected an integer >= 1; got 0"),
    "evolve": (lambda: evolve(GRADED, STATE, step=0.0, steps=1), "step: expected a finite number > 0; got 0"),
    "evolve, steps": (lambda: evolve(GRADED, STATE, step=0.1, steps=0), "steps: expected an integer >= 1; got 0"),
    "iterate": (lambda: iterate(pair(1.0), STATE, steps=0), "steps: expected an integer >= 1; got 0"),
    "path": (lambda: trajectory(torch.neg, STATE, step=0.0, steps=1), "step: expected a finite number > 0; got 0"),
    "path, steps": (lambda: trajectory(torch.neg, STATE, step=0.1, steps=0), "steps: expected an integer >= 1; got 0"),
    "every": (lambda: trajectory(torch.neg, STATE, step=0.1, steps=1, every=0), "every: expected an integer >= 1"),
    "path, state": (lambda: trajectory(torch.neg, STATE / 0, step=0.1, steps=1), "state: expected finite values"),
    "exponent": (lambda: exponent(STATE, step=0.0, steps=5), "step: expected a finite number > 0; got 0"),
    "exponent, steps": (lambda: exponent(STATE, step=0.1, steps=4), "steps: expected an integer >= 5; got 4"),
    "exponent, state": (lambda: exponent(STATE / 0, step=0.1, steps=5), "state: expected finite values"),
    "potential": (lambda: gradient_flow(GRADED, STATE / 0, step=0.1, steps=1), "potential: expected finite values"),
    "neurons": (lambda: gradient_flow(GRADED, STATE[:1], step=0.1, steps=1), "potential: .*neurons = 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_argument(case):
    call, message = REFUSED[case]
    with pytest.raises(ArgumentError, match=message):
        call()


def test_a_runge_kutta_step_is_right_to_the_fourth_power_of_the_step():
    # dx/dt = x: one step is the Taylor polynomial of the exponential, 1 + h + h^2/2 + h^3/6 + h^4/24.
    start = torch.tensor([1.0, -2.0], dtype=F64)
    for step in (0.5, 0.1):
        expected = start * sum(step**k / math.factorial(k) for k in range(5))
        torch.testing.assert_close(runge_kutta(lambda x: x, start, step), expected, rtol=1e-15, atol=0)
    assert start.tolist() == [1.0, -2.0]


def test_a_trajectory_keeps_every_so_many_states_of_runge_kutta():
    start = torch.tensor([[1.0, -2.0]], dtype=F64)
    path = trajectory(torch.neg, start, step=0.1, steps=11, every=3)
    assert path.shape == (4, 1, 2)
    factor = sum((-0.1) ** k / math.factorial(k) for k in range(5))
    expected = start * torch.tensor([factor**k for k in (0, 3, 6, 9)], dtype=F64)[:, None, None]
    torch.testing.assert_close(path, expected, rtol=1e-14, atol=0)
    assert start.tolist() == [[1.0, -2.0]]


def test_the_exponent_of_a_linear_flow_is_its_largest_eigenvalue():
    # The first fifth leaves of the other direction a share of exp(-1.5 * 20).
    turn = torch.tensor([[0.8, -0.6], [0.6, 0.8]], dtype=F64)
    matrix = turn @ torch.tensor([[0.5, 0.0], [0.0, -1.0]], dtype=F64) @ turn.mT
    found = largest_lyapunov_exponent(lambda x, v: (x @ matrix, v @ matrix), STATE[None], step=0.05, steps=2000)
    assert found.shape == (1,)
    assert found.item() == pytest.approx(0.5, abs=1e-6)


# torch's own rules for forward derivatives are loaded through what torch has deprecated.
@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_the_exponent_of_a_limit_cycle_by_jvp_is_zero_and_at_its_inside_positive():
    def flow(x: torch.Tensor) -> torch.Tensor:  # radius: r (1 - r^2); angle: 1
        return x * (1 - x.square().sum(dim=-1, keepdim=True)) + torch.stack([-x[..., 1], x[..., 0]], dim=-1)

    start = torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=F64)  # on the circle, and at rest in the unstable middle
    found = largest_lyapunov_exponent(lambda x, v: torch.func.jvp(flow, (x,), (v,)), start, step=0.05, steps=1000)
    torch.testing.assert_close(found, torch.tensor([0.0, 1.0], dtype=F64), rtol=0, atol=1e-3)
