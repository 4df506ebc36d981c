"""Attention as associative memory, against the equations of Ramsauer et al. 2021 and Krotov & Hopfield 2021."""

import itertools
import math
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as functional
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.memory import attention as module
from memscape.memory.attention import (
    Held,
    ModernHopfield,
    attend,
    capacity_constants,
    effective_number,
    fixed_point_bound,
    hold_bounds,
    one_step_bound,
    retrieval_onset,
    separation,
)
from memscape.memory.dynamics import iterate
from memscape.tools import pieces

from ..draws import normal

F64 = torch.float64


def sphere(seed: int, count: int, neurons: int) -> torch.Tensor:
    points = normal(seed, count, neurons)
    return points / points.norm(dim=-1, keepdim=True) * math.sqrt(neurons)


def test_energy_is_the_papers_sum_written_out():
    x, state, beta = normal(1, 5, 4), normal(2, 4), 0.7
    pooled = math.log(sum(math.exp(beta * float(row @ state)) for row in x)) / beta
    expected = -pooled + float(state @ state) / 2 + math.log(5) / beta + max(float(row @ row) for row in x) / 2
    assert ModernHopfield(x, beta).energy(state).item() == pytest.approx(expected, rel=1e-14)


@given(st.integers(0, 2**31), st.floats(0.05, 20.0))
@settings(max_examples=30)
def test_the_update_lowers_the_energy_and_minus_its_gradient_points_there(seed, beta):
    model, state = ModernHopfield(normal(seed, 6, 5), beta), normal(seed + 1, 9, 5).requires_grad_()
    (slope,) = torch.autograd.grad(model.energy(state).sum(), state)
    after = model.update(state.detach())
    torch.testing.assert_close(after, state.detach() - slope, rtol=1e-10, atol=1e-10)
    energies = [model.energy(state.detach())] + [
        model.energy(iterate(model, state.detach(), steps=k)) for k in (1, 2, 3)
    ]
    for before, later in itertools.pairwise(energies):
        assert (later <= before + 1e-12).all()


@given(st.integers(0, 2**31), st.floats(0.05, 20.0))
@settings(max_examples=30)
def test_inside_the_hull_the_energy_lies_between_0_and_2_m_squared(seed, beta):
    x = normal(seed, 6, 5)
    inside = torch.softmax(3 * normal(seed + 1, 50, 6), dim=-1) @ x
    energy = ModernHopfield(x, beta).energy(inside)
    assert (energy >= 0).all()
    assert (energy <= 2 * x.square().sum(dim=-1).max()).all()


def test_networks_and_probes_are_independent():
    x, state = normal(3, 2, 6, 5), normal(4, 2, 3, 4, 5)
    model = ModernHopfield(x, 1.3)
    for g in range(2):
        alone = ModernHopfield(x[g], 1.3)
        torch.testing.assert_close(model.energy(state)[g, 1, 2], alone.energy(state[g, 1, 2]))
        torch.testing.assert_close(model.update(state)[g, 1, 2], alone.update(state[g, 1, 2]))
        torch.testing.assert_close(model.weights(state)[g, 1, 2], alone.weights(state[g, 1, 2]))


def test_attention_is_torchs_with_masks_batches_and_heads():
    q, k, v = normal(5, 2, 3, 4, 8), normal(6, 2, 3, 7, 8), normal(7, 2, 3, 7, 5)
    by_hand = torch.softmax(q @ k.mT / math.sqrt(8), dim=-1) @ v
    torch.testing.assert_close(attend(q, k, v, beta=1 / math.sqrt(8)), by_hand)
    torch.testing.assert_close(by_hand, functional.scaled_dot_product_attention(q, k, v))
    mask = normal(8, 4, 7) > 0
    mask[:, 0] = True
    masked = (q @ k.mT * 0.5).masked_fill(~mask, -math.inf)
    torch.testing.assert_close(attend(q, k, v, beta=0.5, mask=mask), torch.softmax(masked, dim=-1) @ v)


def test_keys_equal_to_values_are_one_step_of_the_memory():
    x, state = normal(9, 6, 5), normal(10, 4, 5)
    torch.testing.assert_close(attend(state, x, x, beta=2.0), ModernHopfield(x, 2.0).update(state))


def test_effective_number_counts_equal_shares():
    shares = torch.tensor([[1.0, 0, 0, 0], [0.5, 0.5, 0, 0], [0.25] * 4], dtype=F64)
    torch.testing.assert_close(effective_number(shares), torch.tensor([1.0, 2.0, 4.0], dtype=F64))


def test_separation_is_the_gap_to_the_nearest_other_pattern():
    x = torch.tensor([[2.0, 0], [1, 0], [0, 1]], dtype=F64)
    assert separation(x).tolist() == [2.0, -1.0, 1.0]


def test_separation_does_not_depend_on_the_memory_it_may_take():
    x = normal(24, 2, 30, 5)
    whole = separation(x)
    assert whole.shape == (2, 30)
    with pieces.budget(2000):
        torch.testing.assert_close(separation(x), whole)


@pytest.mark.parametrize("patterns", [3, 8, 30])
def test_a_pattern_is_retrieved_from_the_onset_on_and_the_mean_holds_up_to_p(patterns):
    x = torch.eye(patterns, dtype=F64)
    found = {}
    for name, start in (("pattern", x[0]), ("mean", x.mean(dim=0) + 1e-3 * x[0])):
        for factor in (0.98, 1.02):
            beta = factor * (retrieval_onset(patterns) if name == "pattern" else patterns)
            model = ModernHopfield(x, beta)
            found[name, factor] = effective_number(model.weights(iterate(model, start, steps=4000))).item()
    assert found["pattern", 0.98] == pytest.approx(patterns)
    assert found["mean", 0.98] == pytest.approx(patterns)
    assert found["pattern", 1.02] < 0.9 * patterns
    assert found["mean", 1.02] < 0.9 * patterns


def test_the_onset_is_the_smallest_beta_of_a_fixed_point():
    weights = torch.linspace(0, 1, 200_002, dtype=F64)[1:-1]
    for patterns in (2, 3, 50):
        w = weights[weights > 1 / patterns + 1e-4]
        brute = ((patterns - 1) / (patterns * w - 1) * ((patterns - 1) * w / (1 - w)).log()).min().item()
        assert retrieval_onset(patterns) == pytest.approx(brute, abs=1e-6)
    assert retrieval_onset(2) == pytest.approx(2.0, abs=1e-9)
    assert retrieval_onset(10**9) < 25


def test_constants_of_the_storage_theorem_in_its_two_examples():
    for patterns in (10**400, 10**5000):  # beyond any float: it is ln P and a little, from the same equation
        logarithm = math.log(patterns)
        assert logarithm < retrieval_onset(patterns) < logarithm + math.log(logarithm) + 2
    assert capacity_constants(20, radius=3.0, failure=1e-3).c == pytest.approx(3.1546, abs=5e-5)
    assert capacity_constants(75, radius=1.0, failure=1e-3).c == pytest.approx(1.37188, abs=5e-6)
    found = capacity_constants(20, radius=3.0, failure=1e-3, beta=2.0)
    # c solves c ln(c) ... : b / c = W(b e^a) means (b / c) exp(b / c) = b e^a.
    assert found.b / found.c * math.exp(found.b / found.c) == pytest.approx(found.b * math.exp(found.a), rel=1e-12)


@pytest.mark.parametrize("beta", [0.2, 0.4, 1.0, 3.0])
def test_the_bounds_of_theorems_4_and_5_hold(beta):
    x = sphere(11, 30, 64)
    model, largest = ModernHopfield(x, beta), math.sqrt(64)
    fixed = iterate(model, x, steps=200)
    start = x + 0.02 * normal(12, 30, 64)
    distance = torch.maximum((start - x).norm(dim=-1), (fixed - x).norm(dim=-1))
    assert ((model.update(start) - fixed).norm(dim=-1) <= one_step_bound(x, distance, beta=beta)).all()
    near = (fixed - x).norm(dim=-1) <= 1 / (2 * beta * largest)
    assert ((fixed - x).norm(dim=-1) <= fixed_point_bound(x, beta=beta) + 1e-12)[near].all()
    assert near.all() or beta < 0.3


def test_the_one_step_bound_is_the_formula():
    x = torch.tensor([[3.0, 0], [0, 4]], dtype=F64)
    bound = one_step_bound(x, torch.tensor([0.1, 0.2], dtype=F64), beta=0.5)
    assert bound.tolist() == pytest.approx([8 * math.exp(-0.5 * (9 - 0.8)), 8 * math.exp(-0.5 * (16 - 1.6))])
    assert fixed_point_bound(x, beta=0.5)[0].item() == pytest.approx(8 * math.e * math.exp(-4.5))


@pytest.mark.parametrize("beta", [15.0, 30.0])
def test_bounds_are_held_against_every_state_and_a_broken_one_is_counted(beta, monkeypatch):
    x = normal(41, 50, 32)
    x = x / x.norm(dim=-1, keepdim=True)
    states = x[:20] + torch.tensor([0.01, 0.05], dtype=F64)[:, None, None] * normal(42, 20, 32)
    found = hold_bounds(x, states, beta=beta)
    fixed = iterate(ModernHopfield(x, beta), x[:20], steps=5)
    moved = (fixed - x[:20]).norm(dim=-1)
    steps = 0
    for some in states:
        distance = torch.cat([torch.maximum((some - x[:20]).norm(dim=-1), moved), torch.zeros(30, dtype=F64)])
        steps += int((one_step_bound(x, distance, beta=beta)[:20] < 2).sum())
    speaks = (moved <= 1 / (2 * beta)) & (fixed_point_bound(x, beta=beta)[:20] < 2)
    assert found == Held(steps, int(speaks.sum()), 0, 0)
    assert 0 < found.steps < 40 or beta > 20
    monkeypatch.setattr(module, "one_step_bound", lambda _, distance, **__: torch.zeros_like(distance))
    monkeypatch.setattr(module, "fixed_point_bound", lambda *_, **__: torch.zeros(50, dtype=F64))
    assert hold_bounds(x, states, beta=beta) == Held(40, 20, 40, 20)


def test_names_of_patterns_and_the_axes_of_space_do_not_matter():
    x, state = normal(25, 6, 5), normal(26, 4, 5)
    model = ModernHopfield(x, 1.3)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(27))
    turn = torch.linalg.qr(normal(28, 5, 5))[0]
    renamed, turned = ModernHopfield(x[order], 1.3), ModernHopfield(x @ turn, 1.3)
    torch.testing.assert_close(renamed.energy(state), model.energy(state))
    torch.testing.assert_close(renamed.update(state), model.update(state))
    torch.testing.assert_close(turned.energy(state @ turn), model.energy(state))
    torch.testing.assert_close(turned.update(state @ turn), model.update(state) @ turn)


PEAK = """
from pathlib import Path
import torch
from memscape.memory.attention import ModernHopfield

x = torch.rand(20_000, 64, generator=torch.Generator().manual_seed(37)) - 0.5
model = ModernHopfield(x, 1.0)
model.update(x[:10])
Path("/proc/self/clear_refs").write_text("5")
lines = lambda: dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
before = int(lines()["VmRSS"].split()[0])
model.update(x[:4000])
print(int(lines()["VmHWM"].split()[0]) - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the peak of memory is read from /proc")
def test_an_update_never_stores_all_its_weights():
    found = subprocess.run([sys.executable, "-c", PEAK], capture_output=True, text=True, check=True)
    assert 1024 * int(found.stdout) < 4000 * 20_000 * 4 / 10, "the weights alone are 320 MB"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_cpu_and_cuda_agree(dtype):
    x, state = normal(32, 2, 300, 40).to(dtype), normal(33, 2, 50, 40).to(dtype)
    near, far = ModernHopfield(x, 0.4), ModernHopfield(x.cuda(), 0.4)
    close = {"rtol": 1e-4, "atol": 1e-4} if dtype == torch.float32 else {"rtol": 1e-11, "atol": 1e-11}
    for method in ("energy", "weights", "update"):
        found = getattr(far, method)(state.cuda())
        assert found.is_cuda
        torch.testing.assert_close(found.cpu(), getattr(near, method)(state), **close)
    seen = normal(34, 50, 300) > 0
    values = normal(35, 2, 300, 7).to(dtype)
    on_device = attend(state.cuda(), x.cuda(), values.cuda(), beta=0.4, mask=seen.cuda())
    torch.testing.assert_close(on_device.cpu(), attend(state, x, values, beta=0.4, mask=seen), **close)
    torch.testing.assert_close(separation(x.cuda()).cpu(), separation(x), **close)


@pytest.mark.parametrize("beta", [1e-37, 1e-8, 1e-6, 1e-5, 1.0, 1e4, 1e37])
@pytest.mark.parametrize("count", [1, 2, 1000])
def test_the_energy_keeps_its_digits_at_every_beta(beta, count):
    xi, state = normal(50, count, 6), normal(51, 7, 6)
    scores = state @ xi.mT
    wide = state.square().sum(dim=-1) / 2 + xi.square().sum(dim=-1).max() / 2
    # Without exponentials: beta times a variance is all that is left of them at small beta, nothing at large.
    limit = scores.mean(dim=-1) + beta * scores.var(dim=-1, correction=0) / 2 if beta < 1e-3 else scores.amax(dim=-1)
    if beta == 1.0:
        limit = torch.logsumexp(scores, dim=-1) - math.log(count)
    for dtype, digits in ((torch.float64, 1e-10), (torch.float32, 2e-6)):
        found = ModernHopfield(xi.to(dtype), beta).energy(state.to(dtype))
        exact = wide - limit if beta < 1e4 else wide - limit + math.log(count) / beta
        torch.testing.assert_close(found.double(), exact, rtol=digits, atol=10 * digits)
    assert ModernHopfield(torch.eye(2), 1e-6).energy(torch.eye(2)[0]).item() == pytest.approx(0.5, abs=1e-6)


def test_products_beyond_half_precision_are_taken_in_float32():
    far = torch.full((2, 64), 40.0, dtype=torch.float16)
    far[1] *= -1
    model = ModernHopfield(far, 1.0)  # x.x = 102400, and float16 ends at 65504
    assert model.weights(far[0]).tolist() == [1.0, 0.0]
    assert model.energy(far[0]).item() == pytest.approx(math.log(2), abs=0.01)
    assert torch.equal(model.update(far[0]), far[0])


def test_products_that_no_float_holds_are_refused():
    far = torch.full((2, 64), 40.0, dtype=torch.float16)
    vast = torch.full((2, 4), 1e20)
    calls = [
        lambda: separation(far),
        lambda: ModernHopfield(vast, 1.0).energy(vast),
        lambda: ModernHopfield(vast, 1.0).weights(vast),
        lambda: ModernHopfield(vast, 1.0).update(vast),
    ]
    for call in calls:
        with pytest.raises(ArgumentError, match=r"patterns: expected results within float\d+; got an overflow"):
            call()
    with pytest.raises(ArgumentError, match=r"keys: expected results within float32; got an overflow"):
        attend(vast, vast, vast, beta=1.0)
    for beta in (1e-300, 1e300):
        with pytest.raises(ArgumentError, match=r"beta: expected a finite number in \[1\.17549435082229e-38, 3\.4"):
            ModernHopfield(torch.eye(2), beta)
        assert ModernHopfield(torch.eye(2).double(), beta).energy(torch.eye(2).double()).isfinite().all()


X, STATE = torch.ones(3, 4, dtype=F64), torch.ones(2, 4, dtype=F64)
REFUSALS = [
    (lambda: ModernHopfield(torch.ones(3), 1.0), r"patterns: expected axes \(\.\.\., patterns, neurons\); got shape"),
    (lambda: ModernHopfield(X * math.nan, 1.0), "patterns: expected finite values; got nan"),
    (lambda: ModernHopfield(X, 0.0), "beta: expected a finite number > 0; got 0"),
    (lambda: ModernHopfield(X, 1.0).energy(torch.ones(2, 5, dtype=F64)), "state: expected axes .* neurons = 4"),
    (lambda: ModernHopfield(X, 1.0).energy(STATE.float()), "state: expected float64; got float32"),
    (lambda: attend(STATE, X[:, :3], X, beta=1.0), "keys: expected axes .* neurons = 4"),
    (lambda: attend(STATE, X, X[:2], beta=1.0), "values: expected axes .* patterns = 3"),
    (lambda: attend(STATE[None], X, X, beta=1.0), r"keys: expected leading axes \(1,\)"),
    (lambda: attend(STATE, X, X, beta=-1.0), "beta: expected a finite number > 0; got -1"),
    (lambda: attend(STATE, X, X, beta=1.0, mask=X), "mask: expected a tensor of booleans; got torch.float64"),
    (lambda: attend(STATE, X, X, beta=1.0, mask=X > 0), r"mask: expected the last axes of \(2, 3\); got"),
    (lambda: attend(STATE, X, X, beta=1.0, mask=torch.zeros(2, 3) > 0), "mask: expected at least one visible pattern"),
    (lambda: effective_number(-X), "weights: expected finite values >= 0; got -1"),
    (lambda: effective_number(X), "weights: expected weights that sum to 1; got 4"),
    (lambda: separation(X[:1]), "patterns: expected an integer >= 2; got 1"),
    (lambda: one_step_bound(X, torch.ones(4, dtype=F64), beta=1.0), "distance: expected axes .* patterns = 3"),
    (lambda: fixed_point_bound(X, beta=0.0), "beta: expected a finite number > 0; got 0"),
    (lambda: hold_bounds(X[None], X, beta=1.0), r"patterns: expected axes \(patterns, neurons\)"),
    (lambda: hold_bounds(X, X[:, :3], beta=1.0), "states: expected axes .* neurons = 4"),
    (lambda: hold_bounds(X, torch.ones(4, 4, dtype=F64), beta=1.0), "states: expected an integer .* 3.*; got 4"),
    (lambda: hold_bounds(X, X, beta=0.0), "beta: expected a finite number > 0; got 0"),
    (lambda: capacity_constants(10_000, radius=3.0, failure=1e-3), r"radius: expected constants within a float with"),
    (lambda: capacity_constants(20, radius=1e-200, failure=0.1), r"radius: .*; got b = exp\(-921\.95\) at radius"),
    (lambda: capacity_constants(20, radius=1.0, failure=0.1, beta=1e200), r"radius: .*the number of patterns = exp"),
    (lambda: retrieval_onset(1), "patterns: expected an integer >= 2; got 1"),
    (lambda: capacity_constants(1, radius=1.0, failure=0.1), r"neurons: expected an integer in \[2, 9"),
    (lambda: capacity_constants(9, radius=0.0, failure=0.1), "radius: expected a finite number > 0; got 0"),
    (lambda: capacity_constants(9, radius=1.0, failure=1.5), "failure: expected a finite number > 0 and <= 1; got 1.5"),
]


@pytest.mark.parametrize(("call", "message"), REFUSALS)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match="^" + message):
        call()
