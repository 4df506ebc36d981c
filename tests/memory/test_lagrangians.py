"""Lagrangians and the networks they make, against Krotov & Hopfield 2021 and Hoover et al. 2023."""

import itertools
import math

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.attention import ModernHopfield
from memscape.memory.dynamics import gradient_flow
from memscape.memory.lagrangians import (
    AdditivePower,
    LayerNorm,
    LogCosh,
    LogSumExp,
    Quadratic,
    Spherical,
    TwoBody,
    model_a,
    model_b,
    model_c,
)
from memscape.memory.patterns import random_patterns

from ..draws import normal

F64 = torch.float64
LAGRANGIANS = [Quadratic(), LogCosh(3.0), AdditivePower(2), AdditivePower(4), LogSumExp(2.0), Spherical()]
MODELS = {"A": model_a, "B": model_b, "C": model_c}


@pytest.mark.parametrize("neurons", [100, 400])
def test_saturating_memory_units_hold_every_one_of_their_own_states(neurons):
    codes = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=8)), dtype=F64)
    xi = random_patterns(8, neurons, generator=torch.Generator().manual_seed(23)) / math.sqrt(neurons)
    layers = TwoBody(xi, Quadratic(), LogCosh(100.0))
    state = codes @ xi
    for _ in range(20):
        state = layers.adiabatic(state)
    assert torch.equal((state @ xi.mT).sign(), codes)
    torch.testing.assert_close(layers.adiabatic(state), state)


@pytest.mark.parametrize("lagrangian", LAGRANGIANS, ids=str)
def test_activations_are_gradients_of_convex_lagrangians(lagrangian):
    units = normal(13, 20, 6).requires_grad_()
    (slope,) = torch.autograd.grad(lagrangian(units).sum(), units)
    torch.testing.assert_close(lagrangian.activation(units.detach()), slope)
    for row in units.detach():
        hessian = torch.autograd.functional.hessian(lagrangian, row)
        assert torch.linalg.eigvalsh(hessian).min() > -1e-10


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("time_hidden", [0.1, 1.0, 10.0])
def test_two_body_energy_falls_on_every_time_scale(name, time_hidden):
    model = MODELS[name](normal(14, 20, 16) / 4, time_hidden=time_hidden)
    path = gradient_flow(model, normal(15, 8, 36), step=1e-3, steps=1500)
    energy = model.energy(path)
    assert energy.diff(dim=0).max() <= 1e-8
    assert (energy[-1] < energy[0] - 0.1).all()


@pytest.mark.parametrize("name", MODELS)
def test_two_body_energy_changes_as_the_hessians_say(name):
    model, state = MODELS[name](normal(16, 7, 5) / 3, time_hidden=0.4), normal(17, 12).requires_grad_()
    (slope,) = torch.autograd.grad(model.energy(state), state)
    flow = model.flow(state.detach())
    x, h = state.detach()[:5], state.detach()[5:]
    visible = torch.autograd.functional.hessian(model.visible, x)
    hidden = torch.autograd.functional.hessian(model.hidden, h)
    expected = -(flow[:5] @ visible @ flow[:5]) - 0.4 * (flow[5:] @ hidden @ flow[5:])
    torch.testing.assert_close(slope @ flow, expected)


def test_model_b_with_fast_memory_units_is_one_step_of_attention():
    x, state = normal(18, 6, 5), normal(19, 4, 5)
    torch.testing.assert_close(model_b(x, beta=2.0).adiabatic(state), ModernHopfield(x, 2.0).update(state))
    # The same from the flow: memory units at rest, one Euler step of length tau_f = 1.
    settled = torch.cat([state, state @ x.mT], dim=-1)
    path = gradient_flow(model_b(x, beta=2.0), settled, step=1.0, steps=1)
    torch.testing.assert_close(path[1, :, :5], ModernHopfield(x, 2.0).update(state))


def test_an_input_current_pulls_the_features():
    x, current = normal(20, 6, 5), normal(21, 5)
    plain = TwoBody(x, Quadratic(), LogSumExp(1.0))
    driven = TwoBody(x, Quadratic(), LogSumExp(1.0), inputs=current)
    state = normal(22, 3, 11)
    expected = torch.cat([current, torch.zeros(6, dtype=F64)]).expand(3, -1)
    torch.testing.assert_close(driven.flow(state) - plain.flow(state), expected)
    torch.testing.assert_close(driven.energy(state) - plain.energy(state), -(state[:, :5] @ current))
    torch.testing.assert_close(driven.adiabatic(state[:, :5]) - plain.adiabatic(state[:, :5]), current.expand(3, -1))


@pytest.mark.parametrize("name", MODELS)
def test_names_of_memory_units_do_not_matter(name):
    xi, state = normal(29, 6, 5), normal(30, 3, 11)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(31))
    renamed = torch.cat([state[:, :5], state[:, 5:][:, order]], dim=-1)
    torch.testing.assert_close(MODELS[name](xi[order]).energy(renamed), MODELS[name](xi).energy(state))
    torch.testing.assert_close(
        MODELS[name](xi[order]).adiabatic(state[:, :5]), MODELS[name](xi).adiabatic(state[:, :5])
    )


def test_layer_norm_is_the_gradient_of_its_convex_lagrangian():
    norm = LayerNorm(torch.tensor(1.7, dtype=F64), normal(1, 8), eps=1e-3)
    units = normal(2, 5, 8).requires_grad_()
    (slope,) = torch.autograd.grad(norm(units).sum(), units)
    torch.testing.assert_close(norm.activation(units.detach()), slope, rtol=0, atol=1e-12)
    expected = 8 * 1.7 * ((units[0] - units[0].mean()).square().mean() + 1e-3).sqrt() + norm.delta @ units[0]
    assert norm(units)[0].item() == pytest.approx(expected.item(), rel=1e-13)
    for row in units.detach():
        values = torch.linalg.eigvalsh(torch.autograd.functional.hessian(norm, row))
        assert values.min() > -1e-12
        assert values[0].abs() < 1e-12  # all features moved by the same: g does not see it


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cpu_and_cuda_agree(dtype):
    x, potential = normal(32, 300, 40).to(dtype) / 20, normal(36, 4, 340).to(dtype)
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype == torch.float32 else {"rtol": 1e-11, "atol": 1e-11}
    for build in MODELS.values():
        torch.testing.assert_close(build(x.cuda()).flow(potential.cuda()).cpu(), build(x).flow(potential), **close)


X, STATE = torch.ones(3, 4, dtype=F64), torch.ones(2, 4, dtype=F64)
NORM = LayerNorm(torch.tensor(0.8, dtype=F64), torch.zeros(6, dtype=F64))
REFUSALS = [
    (lambda: LogCosh(0.0), "gain: expected a finite number > 0; got 0"),
    (lambda: AdditivePower(1), "n: expected an integer >= 2; got 1"),
    (lambda: LogSumExp(0.0), "beta: expected a finite number > 0; got 0"),
    (lambda: TwoBody(torch.ones(4), Quadratic(), Quadratic()), r"patterns: expected axes \(patterns, neurons\)"),
    (lambda: model_b(X, time_hidden=0.0), "time_hidden: expected a finite number > 0; got 0"),
    (lambda: TwoBody(X, Quadratic(), Quadratic(), -1.0), "time_visible: expected a finite number > 0; got -1"),
    (lambda: TwoBody(X, Quadratic(), Quadratic(), inputs=X[0, :3]), "inputs: expected axes .* neurons = 4"),
    (lambda: model_b(X).flow(STATE), "potential: expected axes .* units = 7"),
    (lambda: model_b(X).adiabatic(STATE[:, :3]), "features: expected axes .* neurons = 4"),
    (lambda: LayerNorm(torch.tensor(0.0, dtype=F64), NORM.delta), "gamma: expected a finite number > 0; got 0"),
    (lambda: LayerNorm(NORM.delta, NORM.delta), r"gamma: expected axes \(\); got shape \(6,\)"),
    (lambda: LayerNorm(NORM.gamma, NORM.delta, eps=0.0), "eps: expected a finite number > 0; got 0"),
]


@pytest.mark.parametrize(("call", "message"), REFUSALS)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match="^" + message):
        call()


@pytest.mark.parametrize("gain", [1e-12, 1e-6, 1e-3, 1.0, 30.0])
@pytest.mark.parametrize(("dtype", "digits"), [(torch.float32, 1e-5), (torch.float64, 1e-13)])
def test_the_logarithm_of_a_hyperbolic_cosine_keeps_its_digits_near_zero(gain, dtype, digits):
    units = torch.tensor([[-3.0], [-1e-3], [0.0], [0.4], [1.0], [2.0]], dtype=torch.float64)
    drive = gain * units[:, 0]
    # By its series where that serves, and by its definition where that does not overflow.
    series = drive**2 / 2 - drive**4 / 12 + drive**6 / 45
    exact = torch.where(drive.abs() < 0.005, series, drive.cosh().log()) / gain
    torch.testing.assert_close(LogCosh(gain)(units.to(dtype)).double(), exact, rtol=max(digits, 1e-11), atol=0)


HALVES = [torch.float16, torch.bfloat16]


@pytest.mark.parametrize("dtype", HALVES)
def test_two_layers_in_half_precision_are_computed_in_single(dtype):
    far = torch.full((2, 64), 40.0)
    far[1] = -40.0
    state = torch.cat([far[0] / 64, torch.tensor([3.0, 1.0])])
    for single in (model_a(far), model_b(far), model_c(far)):
        half = single.to(dtype)
        assert torch.equal(half.energy(state.to(dtype)), single.energy(state.to(dtype).float()).to(dtype))
    whole = model_b(far, beta=0.01)
    assert torch.equal(whole.to(dtype).adiabatic(far.to(dtype)), far.to(dtype))  # their overlap is 102400
    assert torch.equal(whole.to(dtype).flow(state.to(dtype)), whole.flow(state.to(dtype).float()).to(dtype))


@pytest.mark.parametrize(
    "call",
    [
        lambda: model_b(torch.full((2, 64), 40.0, dtype=torch.float16)).flow(torch.full((66,), 40.0).half()),
        lambda: model_a(torch.full((2, 4), 1e20)).energy(torch.full((6,), 1e20)),
        lambda: LogSumExp(1e-40)(torch.ones(3)),
        lambda: LogSumExp(1e300).activation(torch.ones(3)),
        lambda: AdditivePower(3)(torch.full((2,), 1e20)),
        lambda: AdditivePower(4).activation(torch.full((2,), 1e20)),
        lambda: Quadratic()(torch.full((2,), 300.0).half()),
        lambda: Spherical().activation(torch.zeros(3)),
    ],
)
def test_what_is_beyond_the_dtype_is_refused(call):
    with pytest.raises(ArgumentError, match="(units|potential): expected (results within float|potentials that)"):
        call()


def test_units_that_compete_keep_their_digits_at_small_beta():
    units = torch.tensor([1.0, 0.0, 3.0])
    for beta in (1e-4, 1e-20, 1e-36):
        right = LogSumExp(beta)(units.double()).item()
        assert LogSumExp(beta)(units).item() == pytest.approx(right, rel=1e-6)
        shares = LogSumExp(beta).activation(units.double())
        torch.testing.assert_close(LogSumExp(beta).activation(units), shares.float(), rtol=1e-6, atol=0)
