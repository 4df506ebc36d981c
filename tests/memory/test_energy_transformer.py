"""The energy transformer, against the equations of Hoover et al. 2023 written out, autograd and its relatives."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.memory.attention import ModernHopfield, attend
from memscape.memory.dense import DenseMemory, Rectified
from memscape.memory.dynamics import evolve, gradient_flow
from memscape.memory.energy_transformer import EnergyTransformer, QuerySide, random_transformer, rises
from memscape.memory.lagrangians import LayerNorm, LogSumExp
from memscape.memory.patterns import random_patterns

from ..draws import normal, rng

F64 = torch.float64


def block(seed: int = 0, features: int = 6, heads: int = 3, width: int = 4, memories: int = 9) -> EnergyTransformer:
    """Weights of order one in all places, so that no part of the energy is small."""
    norm = LayerNorm(torch.tensor(0.8, dtype=F64), 0.3 * normal(seed + 1, features))
    draw = 0.5 * normal(seed, 2, heads, width, features)
    return EnergyTransformer(draw[0], draw[1], 0.5 * normal(seed + 2, memories, features), norm, beta=0.7)


def adjacency(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).random(shape) < 0.5)


def written_out(model: EnergyTransformer, state: torch.Tensor, mask: torch.Tensor | None = None) -> float:
    """The energy of one state (N, D), sum by sum."""
    gamma, delta, tokens = model.norm.gamma.item(), model.norm.delta, len(state)
    g = []
    for x in state:
        centred = x - x.mean()
        g.append(gamma * centred / math.sqrt((centred**2).mean().item() + model.norm.eps) + delta)
    energy = 0.0
    for query, key in zip(model.queries, model.keys, strict=True):
        for c in range(tokens):
            seen = [b for b in range(tokens) if b != c and (mask is None or mask[c, b])]
            if seen:
                terms = [math.exp(model.beta * float((key @ g[b]) @ (query @ g[c]))) for b in seen]
                energy -= math.log(sum(terms)) / model.beta
    for one in g:
        for memory in model.memories:
            energy -= max(float(memory @ one), 0.0) ** 2 / 2
    return energy


@pytest.mark.parametrize("masked", [False, True])
def test_energy_is_the_papers_sum_written_out(masked):
    mask = adjacency(3, 5, 5) if masked else None
    model, state = replace(block(), mask=mask), normal(4, 5, 6)
    assert model.energy(state).item() == pytest.approx(written_out(model, state, mask), rel=1e-13)
    attention, memory = model.parts(model.norm.activation(state))
    assert (attention + memory).item() == model.energy(state).item()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 6), st.integers(1, 5), st.booleans())
def test_flow_is_minus_the_gradient_of_the_energy(seed, tokens, features, masked):
    mask = adjacency(seed, 2, tokens, tokens) if masked else None
    model = replace(block(seed, features + 1), mask=mask)
    state = normal(seed + 3, 2, tokens, features + 1)
    g = model.norm.activation(state).requires_grad_()
    (slope,) = torch.autograd.grad(model.energy_of_outputs(g).sum(), g)
    torch.testing.assert_close(model.flow(state), -slope, rtol=0, atol=1e-10)
    forces = model.forces(state)
    torch.testing.assert_close(forces.query + forces.key + forces.memory, model.flow(state), rtol=0, atol=1e-12)


def test_each_side_of_the_attention_is_the_gradient_with_the_other_side_held():
    model, state = block(), normal(5, 7, 6)
    g = model.norm.activation(state)
    asking, asked = g.clone().requires_grad_(), g.clone().requires_grad_()
    scores = model.beta * torch.einsum("hyd,cd,hye,be->hcb", model.queries, asking, model.keys, asked)
    own = torch.eye(7, dtype=torch.bool)
    energy = -scores.masked_fill(own, -math.inf).logsumexp(dim=-1).sum() / model.beta
    query, key = torch.autograd.grad(energy, [asking, asked])
    forces = model.forces(state)
    torch.testing.assert_close(forces.query, -query, rtol=0, atol=1e-10)
    torch.testing.assert_close(forces.key, -key, rtol=0, atol=1e-10)
    torch.testing.assert_close(QuerySide(model).flow(state), forces.query + forces.memory)


@pytest.mark.parametrize("masked", [False, True])
def test_energy_falls_along_small_steps_as_the_hessian_says(masked):
    model = replace(block(), mask=adjacency(6, 8, 8) if masked else None)
    path = gradient_flow(model, normal(7, 4, 8, 6), step=1e-3, steps=400)
    energy = model.energy(path)
    assert energy.diff(dim=0).max() < 0
    state, flow = path[0, 0], model.flow(path[0, 0])
    expected = -sum(
        float(v @ torch.autograd.functional.hessian(model.norm, x) @ v) for x, v in zip(state, flow, strict=True)
    )
    small = (model.energy(state + 1e-6 * flow) - model.energy(state - 1e-6 * flow)) / 2e-6
    assert small.item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("step", [0.01, 1.0, 100.0])
def test_memories_alone_lower_the_energy_at_any_step(step):
    # The energy of the memories is concave in g, and g moves with x: both follow from convex functions.
    model = replace(block(), mask=torch.zeros(8, 8, dtype=torch.bool))
    energy = model.energy(gradient_flow(model, 0.1 * normal(28, 20, 8, 6), step=step, steps=30))
    assert (energy.diff(dim=0) <= 1e-12 * energy[1:].abs()).all()


def test_an_energy_rises_where_a_step_goes_up_by_more_than_rounding():
    energies = torch.tensor([[4.0, 4.0, 4.0], [3.0, 3.0, 3.0], [2.0, 3.5, 3.0 + 1e-9]], dtype=torch.float64)
    assert rises(energies).tolist() == [False, True, True]
    assert rises(energies, slack=1e-8).tolist() == [False, True, False]


def test_update_is_the_end_of_the_trajectory_and_can_be_differentiated():
    model, state = block(), normal(8, 3, 5, 6)
    torch.testing.assert_close(
        evolve(model, state, step=0.1, steps=7), gradient_flow(model, state, step=0.1, steps=7)[-1], rtol=0, atol=1e-12
    )
    weights = model.memories.clone().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda w: evolve(replace(model, memories=w), state[0], step=0.1, steps=3), weights, atol=1e-6
    )


def test_tokens_memories_and_heads_have_no_order():
    model, state = replace(block(), mask=adjacency(9, 7, 7)), normal(10, 2, 7, 6)
    order = torch.randperm(7, generator=rng(1))
    moved = replace(model, mask=model.mask[order][:, order])
    torch.testing.assert_close(moved.energy(state[:, order]), model.energy(state))
    torch.testing.assert_close(moved.flow(state[:, order]), model.flow(state)[:, order])
    memories, heads = torch.randperm(9, generator=rng(2)), torch.tensor([2, 0, 1])
    shuffled = replace(model, memories=model.memories[memories], queries=model.queries[heads], keys=model.keys[heads])
    torch.testing.assert_close(shuffled.energy(state), model.energy(state))
    torch.testing.assert_close(shuffled.flow(state), model.flow(state))


def test_every_state_of_a_batch_is_alone():
    model, states = block(), normal(11, 2, 3, 5, 6)
    assert model.energy(states).shape == (2, 3)
    assert model.energy(states).isfinite().all()
    torch.testing.assert_close(model.energy(states)[1, 2], model.energy(states[1, 2]))
    torch.testing.assert_close(model.flow(states)[1, 2], model.flow(states[1, 2]))
    masks = adjacency(12, 3, 5, 5)
    many, one = replace(model, mask=masks), replace(model, mask=masks[2])
    torch.testing.assert_close(many.flow(states)[1, 2], one.flow(states[1, 2]))


def test_a_mask_of_all_is_no_mask_and_tokens_apart_do_not_meet():
    model, state = block(), normal(13, 6, 6)
    full = replace(model, mask=torch.ones(6, 6, dtype=torch.bool))
    torch.testing.assert_close(full.flow(state), model.flow(state))
    torch.testing.assert_close(full.energy(state), model.energy(state))
    halves = torch.zeros(6, 6, dtype=torch.bool)
    halves[:3, :3] = halves[3:, 3:] = True
    apart = replace(model, mask=halves)
    torch.testing.assert_close(apart.flow(state), torch.cat([model.flow(state[:3]), model.flow(state[3:])]))
    torch.testing.assert_close(apart.energy(state), model.energy(state[:3]) + model.energy(state[3:]))


def test_a_token_alone_has_only_its_memories():
    model, state = block(), normal(14, 1, 6)
    hidden = model.norm.activation(state) @ model.memories.mT
    torch.testing.assert_close(model.energy(state), -hidden.clamp(min=0).square().sum() / 2)
    assert model.forces(state).query.abs().max() == 0
    assert model.forces(state).key.abs().max() == 0
    nobody = replace(model, mask=torch.zeros(4, 4, dtype=torch.bool))
    crowd = normal(15, 4, 6)
    torch.testing.assert_close(nobody.energy(crowd), sum(model.energy(x[None]) for x in crowd))
    x = crowd.clone().requires_grad_()
    (slope,) = torch.autograd.grad(nobody.flow(x).sum(), x)
    assert slope.isfinite().all()


def test_the_energy_is_bounded_below_whatever_the_tokens():
    model = block()
    states = torch.cat([scale * normal(16, 50, 5, 6) for scale in (1e-6, 1.0, 1e6)])
    radius = model.norm.gamma * math.sqrt(6) + model.norm.delta.norm()
    norms = [w.flatten(0, -2).norm() for w in (model.queries, model.keys, model.memories)]
    lowest = -5 * (3 * math.log(4) / model.beta + radius**2 * (3 * norms[0] * norms[1] + norms[2] ** 2 / 2))
    assert (model.energy(states) > lowest).all()


# The conversion map: which model of the book is which part of this one.


def test_query_side_is_ordinary_attention_with_keys_for_values():
    model, state = block(), normal(17, 2, 7, 6)
    g = model.norm.activation(state)
    queries, keys = (torch.einsum("hyd,bnd->bhny", w, g) for w in (model.queries, model.keys))
    answers = attend(queries, keys, keys, beta=model.beta, mask=~torch.eye(7, dtype=torch.bool))
    torch.testing.assert_close(model.forces(state).query, torch.einsum("bhny,hyd->bnd", answers, model.queries))


def test_one_token_that_looks_at_tokens_that_do_not_look_back_is_a_modern_hopfield_network():
    identity = torch.eye(6, dtype=F64)[None]
    mask = torch.zeros(8, 8, dtype=torch.bool)
    mask[0, 1:] = True
    model = replace(block(), queries=identity, keys=identity, mask=mask)
    g = normal(18, 8, 6)
    memory = ModernHopfield(g[1:], model.beta)
    constant = math.log(7) / model.beta + g[1:].square().sum(dim=-1).max() / 2
    attention = model.parts(g)[0]
    torch.testing.assert_close(attention + g[0].square().sum() / 2 + constant, memory.energy(g[0]))
    torch.testing.assert_close(attention, -LogSumExp(model.beta)(g[1:] @ g[0]))
    state = normal(19, 8, 6)
    g = model.norm.activation(state)
    torch.testing.assert_close(model.forces(state).query[0], ModernHopfield(g[1:], model.beta).update(g[0]))


def test_the_memories_are_a_rectified_dense_memory_of_power_2():
    xi = random_patterns(9, 6, generator=rng(3))
    spins = random_patterns(5, 6, generator=rng(4))
    _, energy = replace(block(), memories=xi).parts(spins)
    torch.testing.assert_close(energy, DenseMemory(xi, Rectified(2)).energy(spins).sum() * 6**2 / 2)


def test_a_token_twice_as_large_takes_twice_the_step():
    model = block()
    model = replace(model, norm=replace(model.norm, eps=1e-30))
    state = normal(31, 5, 6)
    path = gradient_flow(model, state, step=0.3, steps=5)
    torch.testing.assert_close(gradient_flow(model, 2 * state, step=0.6, steps=5), 2 * path)
    torch.testing.assert_close(model.energy(2 * path), model.energy(path))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cpu_and_cuda_agree():
    weights = {"heads": 3, "width": 4, "memories": 9}
    here = random_transformer(6, rng=np.random.default_rng(3), **weights)
    there = random_transformer(6, rng=np.random.default_rng(3), device="cuda", **weights)
    state = normal(26, 2, 7, 6)
    for mask in (None, adjacency(27, 7, 7)):
        near = replace(here, mask=mask)
        far = replace(there, mask=None if mask is None else mask.cuda())
        torch.testing.assert_close(far.energy(state.cuda()).cpu(), near.energy(state), rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(far.flow(state.cuda()).cpu(), near.flow(state), rtol=1e-10, atol=1e-10)


STATE, BLOCK = torch.ones(5, 6, dtype=F64), block()
SEEN, RNG = torch.zeros(3, 4, dtype=torch.bool), np.random.default_rng(0)
SIZES = {"heads": 1, "width": 2, "memories": 3}
REFUSALS = [
    (lambda: replace(BLOCK, queries=STATE), r"queries: expected axes \(heads, width, features\)"),
    (lambda: replace(BLOCK, keys=BLOCK.keys[:2]), "keys: expected axes .* heads = 3"),
    (lambda: replace(BLOCK, keys=BLOCK.keys.float()), "keys: expected float64; got float32"),
    (lambda: replace(BLOCK, memories=BLOCK.memories * math.nan), "memories: expected finite values; got nan"),
    (lambda: replace(BLOCK, beta=0.0), "beta: expected a finite number > 0; got 0"),
    (lambda: replace(BLOCK, mask=STATE), "mask: expected a tensor of booleans; got torch.float64"),
    (lambda: replace(BLOCK, mask=STATE > 0), r"mask: expected axes \(\.\.\., tokens, tokens\); got shape \(5, 6\)"),
    (lambda: BLOCK.energy(STATE[0]), r"state: expected axes \(\.\.\., tokens, features\)"),
    (lambda: BLOCK.flow(STATE[:, :5]), "state: expected axes .* features = 6"),
    (lambda: BLOCK.forces(STATE.float()), "state: expected float64; got float32"),
    (lambda: BLOCK.parts(STATE * math.inf), "outputs: expected finite values; got inf"),
    (lambda: replace(BLOCK, mask=SEEN[:, :3]).energy(STATE), "state: expected axes .* tokens = 3"),
    (lambda: replace(BLOCK, mask=torch.ones(2, 5, 5) > 0).energy(STATE), r"state: expected leading axes that end in"),
    (lambda: random_transformer(0, rng=RNG, **SIZES), "features: expected an integer >= 1; got 0"),
    (lambda: random_transformer(4, rng=RNG, spread=-1.0, **SIZES), "spread: expected a finite number > 0; got -1"),
    (lambda: rises(torch.ones(1, 3)), r"energies: expected axes \(steps, \.\.\.\) with two steps or more; got shape"),
    (lambda: rises(torch.ones(())), r"energies: expected axes \(steps, \.\.\.\) with two steps or more; got shape"),
    (lambda: rises(torch.ones(2), slack=-1.0), "slack: expected a finite number >= 0; got -1"),
    (lambda: random_transformer(4, rng=0, **SIZES), "rng: expected a numpy.random.Generator; got int"),
]


@pytest.mark.parametrize(("call", "message"), REFUSALS)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match="^" + message):
        call()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_block_in_half_precision_is_computed_in_single(dtype):
    double = random_transformer(
        64, heads=2, width=8, memories=9, rng=np.random.default_rng(0), spread=1.0, spread_memories=1.0
    )
    half = double.map(lambda weights: 10 * weights).to(dtype)
    single, state = half.to(torch.float32), (40 * normal(3, 5, 64)).to(dtype)
    if dtype == torch.float16:
        with pytest.raises(ArgumentError, match="state: expected results within float16; got an overflow"):
            half.energy(state)
    else:
        assert torch.equal(half.energy(state), single.energy(state.float()).to(dtype))
    half, single = double.to(dtype), double.to(dtype).to(torch.float32)
    assert torch.equal(half.energy(state), single.energy(state.float()).to(dtype))
    assert torch.equal(half.flow(state), single.flow(state.float()).to(dtype))
    assert torch.equal(half.forces(state).key, single.forces(state.float()).key.to(dtype))
    outputs = half.norm.activation(state)
    assert torch.equal(half.energy_of_outputs(outputs), single.energy_of_outputs(outputs.float()).to(dtype))
    for part, right in zip(half.parts(outputs), single.parts(outputs.float()), strict=True):
        assert torch.equal(part, right.to(dtype))
