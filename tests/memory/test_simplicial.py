"""Simplicial networks against sums over every simplex and Hopfield's network."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.capacity.capacity import bit_error
from memscape.memory import hopfield, simplicial
from memscape.memory.dense import DenseMemory
from memscape.memory.dynamics import asynchronous, synchronous
from memscape.memory.patterns import flip, random_patterns
from memscape.memory.simplicial import KEYS, Simplicial, Skeleton, diluted, store
from memscape.tools import pieces
from memscape.tools.complexes import Simplices, complete, sample

from ..draws import as_sets, every_set, rng

F64 = torch.float64


def patterns(seed: int, count: int, neurons: int, *networks: int) -> torch.Tensor:
    return random_patterns(count, neurons, networks=networks, generator=rng(seed))


def all_states(neurons: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product((-1.0, 1.0), repeat=neurons)), dtype=F64)


def by_hand(memories: torch.Tensor, sets: list[tuple[int, ...]], state: torch.Tensor) -> tuple[int, list[int]]:
    """N times minus the energy and N times the fields, in whole numbers, one simplex after another."""
    xi, s = memories.int().tolist(), state.int().tolist()
    total, fields = 0, [0] * len(s)
    for sigma in sets:
        weight = sum(math.prod(pattern[i] for i in sigma) for pattern in xi)
        total += weight * math.prod(s[i] for i in sigma)
        for i in sigma:
            fields[i] += weight * math.prod(s[j] for j in sigma if j != i)
    return total, fields


@pytest.mark.parametrize("dimensions", [(1,), (2,), (0, 1), (1, 2), (1, 3), (0, 2, 4), (1, 2, 3, 4, 5)])
@pytest.mark.parametrize("neurons", [6, 9, 12])
def test_a_skeleton_is_the_sum_over_every_simplex(neurons, dimensions):
    found = Skeleton(neurons, dimensions)
    for down in range(neurons + 1):
        signs = [-1] * down + [1] * (neurons - down)
        total = sum(math.prod(signs[i] for i in sigma) for sigma in every_set(neurons, *dimensions))
        assert found.exact(neurons - 2 * down) == total
        assert found(torch.tensor(neurons - 2.0 * down, dtype=F64)).item() == pytest.approx(total, abs=1e-9)


def test_the_slope_of_a_skeleton():
    x = torch.linspace(-11, 11, 23, dtype=F64, requires_grad=True)
    interaction = Skeleton(10, (0, 1, 2, 4))
    (slope,) = torch.autograd.grad(interaction(x).sum(), x)
    torch.testing.assert_close(interaction.derivative(x), slope)


@pytest.mark.parametrize("dimension", [1, 2, 3, 7])
def test_a_complete_skeleton_is_a_dense_memory(dimension):
    xi, state = patterns(0, 5, 8, 2), patterns(1, 40, 8, 2)
    closed = simplicial.skeleton(xi, dimension)
    listed = store(xi, complete(8, range(1, dimension + 1)))
    unit = sum(listed.simplices.counts.values()) / 8
    torch.testing.assert_close(closed.energy(state) * unit, listed.energy(state), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(closed.field(state) * unit, listed.field(state), rtol=1e-12, atol=1e-12)
    assert torch.equal(closed.update(state), listed.update(state))
    moved = [asynchronous(model, state, generator=rng(2)).state for model in (closed, listed)]
    assert torch.equal(*moved)


def test_a_complete_skeleton_of_many_neurons_is_recalled():
    # 8 million tetrahedra and all their faces; at 0.3 N Hopfield's network has lost everything.
    xi = patterns(3, 60, 200)
    start = flip(xi, 20, generator=rng(4))
    assert torch.equal(synchronous(simplicial.skeleton(xi, 3), start).state, xi)
    assert (synchronous(simplicial.skeleton(xi, 1), start).state * xi).mean() < 0.7


@pytest.mark.parametrize("dimensions", [(0,), (1,), (2,), (1, 2), (0, 1, 3), (1, 2, 3)])
def test_every_state_of_a_small_network_by_brute_force(dimensions):
    xi, states = patterns(5, 3, 7), all_states(7)
    model = store(xi, complete(7, dimensions))
    energy, field = model.energy(states), model.field(states)
    tracker = model.track(states)
    for row, state in enumerate(states):
        total, fields = by_hand(xi, every_set(7, *dimensions), state)
        assert energy[row].item() == -(1 / 7) * total
        assert field[row].tolist() == [1 / 7 * value for value in fields]
        assert [tracker.field(i)[0, row].item() for i in range(7)] == field[row].tolist()


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    neurons=st.integers(4, 12),
    count=st.integers(1, 9),
    edges=st.integers(1, 6),
    triangles=st.integers(1, 4),
    tetrahedra=st.integers(1, 1),
)
def test_each_network_has_simplices_of_its_own(seed, neurons, count, edges, triangles, tetrahedra):
    xi, state = patterns(seed, count, neurons, 2, 2), patterns(seed + 1, 3, neurons, 2, 2)
    simplices = sample(neurons, {1: edges, 3: tetrahedra, 2: triangles}, networks=(2, 2), generator=rng(seed))
    model = store(xi, simplices)
    energy, update, tracker = model.energy(state), model.update(state), model.track(state)
    generator = rng(seed + 2)
    for index in itertools.product(range(2), repeat=2):
        for probe in range(3):
            total, fields = by_hand(xi[index], as_sets(simplices, *index), state[index][probe])
            assert energy[index][probe].item() == -(1 / neurons) * total
            expected = [
                math.copysign(1, h) if h else s for h, s in zip(fields, state[index][probe].tolist(), strict=True)
            ]
            assert update[index][probe].tolist() == expected
    for neuron in torch.randint(0, neurons, (15,), generator=generator).tolist():
        tracker.flip(neuron, torch.rand((4, 3), generator=generator) < 0.5)
    after = tracker.state.reshape(2, 2, 3, neurons)
    found = torch.stack([tracker.field(i) for i in range(neurons)], dim=-1)
    assert torch.equal(found.reshape(after.shape), model.field(after))


def test_all_edges_are_hopfields_network_to_the_bit():
    xi, state = patterns(6, 12, 60, 3), patterns(7, 20, 60, 3)
    ours, theirs = store(xi, diluted(60, "K1", generator=rng(8))), hopfield.hebbian(xi)
    i, j = ours.simplices.members[0].unbind(dim=-1)
    networks = torch.arange(3)[:, None]
    assert torch.equal(ours.couplings[0], theirs.couplings[networks, i, j])
    assert ours.unit == theirs.unit
    assert torch.equal(ours.energy(state), theirs.energy(state))
    assert torch.equal(ours.update(state), theirs.update(state))
    near, far = ours.track(state), theirs.track(state)
    for neuron in range(60):
        assert torch.equal(near.field(neuron), far.field(neuron))
    for temperature in (0.0, 0.4):
        moved = [
            asynchronous(model, state, sweeps=5, temperature=temperature, generator=rng(9)).state
            for model in (ours, theirs)
        ]
        assert torch.equal(*moved)
    # The third way to the same network: e_2 of the overlap.
    closed = simplicial.skeleton(xi, 1)
    assert torch.equal(closed.update(state), theirs.update(state))


def test_small_pieces_give_the_same():
    xi, state = patterns(10, 9, 12, 2), patterns(11, 7, 12, 2)
    simplices = sample(12, {1: 20, 2: 30}, networks=(2,), generator=rng(12))
    whole = store(xi, simplices)
    calls = (whole.energy, whole.field, whole.update, lambda s: asynchronous(whole, s, generator=rng(13)).state)
    at_once = [call(state) for call in calls]
    with pieces.budget(1):
        assert len(whole._pieces(7)) == 7
        assert whole.probes_at_once == 1
        assert all(torch.equal(call(state), expected) for call, expected in zip(calls, at_once, strict=True))


def test_patterns_are_stored_piece_by_piece():
    xi, simplices = patterns(14, 9, 12, 2), sample(12, {1: 20, 2: 30}, networks=(2,), generator=rng(15))
    whole = store(xi, simplices)
    with pieces.budget(1):
        again = store(xi, simplices)
    for one, other in zip(again.couplings, whole.couplings, strict=True):
        assert torch.equal(one, other)


def test_large_couplings_are_added_exactly():
    # Their sum is beyond float32: 2**30 + 1 - 2**30 must be 1 and not 0.
    simplices = complete(4, (1,))
    big = torch.tensor([2.0**30, 1.0, -(2.0**30), 0.0, 0.0, 0.0], dtype=F64)
    rows = simplices.members[0].tolist()
    model, up = Simplicial(simplices, (big,)), torch.ones(4, dtype=F64)
    expected = [sum(w for w, sigma in zip(big.tolist(), rows, strict=True) if i in sigma) for i in range(4)]
    assert model.field(up).tolist() == expected
    assert model.energy(up).item() == -1.0
    assert [model.track(up).field(i).item() for i in range(4)] == expected


def test_a_neuron_in_no_simplex_keeps_its_value():
    simplices = Simplices(5, (torch.tensor([[0, 1]]), torch.tensor([[0, 1, 3]])))
    assert simplices.inputs.tolist() == [2, 2, 0, 1, 0]
    model, state = store(patterns(16, 3, 5), simplices), all_states(5)
    assert torch.equal(model.field(state)[:, [2, 4]], torch.zeros(32, 2, dtype=F64))
    assert torch.equal(model.update(state)[:, [2, 4]], state[:, [2, 4]])
    assert torch.equal(asynchronous(model, state, generator=rng(17)).state[:, [2, 4]], state[:, [2, 4]])


def test_one_set_of_simplices_serves_all_networks():
    xi, state = patterns(18, 4, 8, 3), patterns(19, 5, 8, 3)
    simplices = sample(8, {1: 9, 2: 9}, generator=rng(20))
    together = store(xi, simplices)
    assert together.networks == (3,)
    for g in range(3):
        assert torch.equal(store(xi[g], simplices).energy(state[g]), together.energy(state)[g])


def test_diluted_networks_have_equal_connections_and_matched_ones_equal_inputs():
    for key in KEYS:
        drawn = diluted(100, key, generator=rng(23))
        assert sum(drawn.counts.values()) == 4950
        for dimension, share in KEYS[key].items():
            assert abs(drawn.counts[dimension] - share * 4950) <= 0.5
        inputs = diluted(100, key, connections=simplicial.matched(100, key), generator=rng(24)).inputs
        assert abs(inputs.double().mean().item() - 99) < 0.05
    assert simplicial.matched(100, "R_2") == 3300
    assert simplicial.matched(100, "R_12") == 3960
    assert diluted(100, "R_2", generator=rng(25)).inputs.sum() == 3 * 4950
    drawn = diluted(100, "R_12", connections=101, generator=rng(26))
    assert drawn.counts == {1: 50, 2: 51}


@pytest.mark.parametrize("inputs", [{1: 99.0}, {2: 99.0}, {1: 49.5, 2: 74.25}, {3: 60.0}])
@pytest.mark.parametrize("wrong", [0, 40])
def test_the_overlap_after_one_step(inputs, wrong):
    # Simplices drawn afresh for each of many networks; 400 neurons, so that few of them share two.
    neurons, count, networks = 400, 40, 12
    counts = {d: round(number * neurons / (d + 1)) for d, number in inputs.items()}
    xi = patterns(29, count, neurons, networks)
    model = store(xi, sample(neurons, counts, networks=(networks,), generator=rng(30)))
    found = (model.update(flip(xi[:, :1], wrong, generator=rng(31))) * xi[:, :1]).mean(dim=-1)
    expected = simplicial.next_overlap(inputs, count, torch.tensor(1 - 2 * wrong / neurons, dtype=F64)).item()
    assert abs(found.mean().item() - expected) < 4 * found.std().item() / networks**0.5 + 0.008


def test_a_lone_pattern_has_no_noise_but_that_of_the_wrong_units():
    m = torch.tensor([0.0, 0.6, 1.0], dtype=F64)
    found = simplicial.next_overlap({1: 3.0, 2: 2.0}, 1, m)
    signal, variance = 3 * 0.6 + 2 * 0.36, 3 * (1 - 0.36) + 2 * (1 - 0.36**2)
    assert found.tolist() == pytest.approx([0.0, math.erf(signal / math.sqrt(2 * variance)), 1.0], abs=1e-12)


def test_at_a_pattern_only_the_number_of_inputs_counts():
    one = torch.tensor(1.0, dtype=F64)
    values = {simplicial.next_overlap({d: 50.0}, 20, one).item() for d in range(1, 5)}
    assert len(values) == 1
    assert simplicial.next_overlap({2: 99.0}, 30, one * 0.8) < simplicial.next_overlap({1: 99.0}, 30, one * 0.8)
    # The exact error of one step from a pattern of the complete skeleton agrees with the Gaussian one.
    inputs = {d: float(math.comb(99, d)) for d in (1, 2)}
    error = (1 - simplicial.next_overlap(inputs, 1000, one).item()) / 2
    assert bit_error(100, 1000, Skeleton(100, (1, 2))) == pytest.approx(error, rel=0.1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cpu_and_cuda_agree_on_diluted_networks():
    xi, state = patterns(32, 20, 60, 2), patterns(33, 10, 60, 2)
    simplices = diluted(60, "R_12", networks=(2,), generator=rng(34))
    near, far = store(xi, simplices), store(xi.cuda(), simplices)
    assert torch.equal(far.energy(state.cuda()).cpu(), near.energy(state))
    assert torch.equal(far.field(state.cuda()).cpu(), near.field(state))
    moved = asynchronous(far, state.cuda(), generator=rng(35)).state
    assert torch.equal(moved.cpu(), asynchronous(near, state, generator=rng(35)).state)


ones = torch.ones(3, 4)
pair = Simplices(4, (torch.tensor([[0, 1]]),))
REFUSED = [
    (lambda: Skeleton(0, (1,)), "neurons: expected an integer >= 1; got 0."),
    (lambda: Skeleton(4, ()), "dimensions: expected a sequence of dimensions; got (). Write (1, 2), for instance."),
    (lambda: Skeleton(4, (4,)), "dimensions: expected an integer in [0, 3]; got 4."),
    (lambda: Skeleton(4, (1, 1)), "dimensions: expected each dimension once; got (1, 1)."),
    (lambda: Skeleton(4, (1,))(2), "x: expected a torch.Tensor; got int. Convert it with torch.as_tensor."),
    (lambda: Skeleton(4, (1,)).derivative(2), "x: expected a torch.Tensor; got int. Convert it with torch.as_tensor."),
    (
        lambda: DenseMemory(ones, Skeleton(5, (1,))),
        "interaction: expected a skeleton on 4 neurons; got one on 5. Its polynomials depend on the number of neurons.",
    ),
    (
        lambda: DenseMemory(torch.ones(2, 1200), Skeleton(1200, (599,))),
        "interaction: expected fewer than 2**1000 simplices; got more. Take fewer neurons or dimensions near 0 or N.",
    ),
    (lambda: simplicial.skeleton(ones, 4), "dimension: expected an integer in [1, 3]; got 4."),
    (
        lambda: simplicial.skeleton(ones / 2, 1),
        "patterns: expected values in {-1, +1}; got 0.5. Threshold real data first, e.g. "
        "torch.where(x > 0, 1.0, -1.0).",
    ),
    (
        lambda: diluted(9, "R_21", generator=rng(0)),
        f"key: expected one of {', '.join(map(repr, KEYS))}; got 'R_21' (str). Did you mean 'R_2'?",
    ),
    (lambda: diluted(9, "R_12", connections=1, generator=rng(0)), "connections: expected an integer >= 2; got 1."),
    (lambda: diluted(1, "K1", generator=rng(0)), "neurons: expected an integer >= 2; got 1."),
    (lambda: simplicial.matched(1, "K1"), "neurons: expected an integer in [2, 9007199254740992]; got 1."),
    (lambda: simplicial.matched(9, "K2"), f"key: expected one of {', '.join(map(repr, KEYS))}; got 'K2' (str)."),
    (lambda: store(ones, [[0, 1]]), "simplices: expected Simplices; got list. Make them with diluted or complete."),
    (lambda: store(torch.ones(3, 5), pair), "simplices: expected simplices on 5 neurons; got on 4."),
    (
        lambda: store(ones, sample(4, {1: 2}, networks=(2,), generator=rng(0))),
        "simplices: expected networks () as in the patterns, or one set for all; got (2,).",
    ),
    (
        lambda: Simplicial([[0, 1]], (ones[0, :1],)),
        "simplices: expected Simplices; got list. Make them with diluted or complete.",
    ),
    (lambda: Simplicial(pair, ones), "couplings: expected a tuple of 1 tensors, one a size; got another."),
    (lambda: Simplicial(pair, (ones[0],)), "couplings: expected shape (1,); got shape (4,)."),
    (
        lambda: Simplicial(pair, (torch.tensor([0.5]),)),
        "couplings: expected whole numbers; got others. Scale them and put the scale into unit.",
    ),
    (
        lambda: Simplicial(pair, (torch.tensor([2.0**53]),)),
        "couplings: expected sums of sizes below 2**53; got larger. Beyond it sums are not exact.",
    ),
    (lambda: Simplicial(pair, (torch.tensor([1.0]),), 0.0), "unit: expected a finite number > 0; got 0."),
    (
        lambda: store(ones, pair).field(torch.ones(5)),
        "state: expected axes (..., neurons) with neurons = 4; got shape (5,). Its neurons axis must match the other "
        "arguments.",
    ),
    (
        lambda: simplicial.next_overlap({}, 3, ones),
        "inputs: expected a dictionary from dimension to inputs of a neuron; got {}.",
    ),
    (lambda: simplicial.next_overlap({1: 0.0}, 3, ones), "inputs: expected a finite number > 0; got 0."),
    (lambda: simplicial.next_overlap({1: -1.0}, 3, ones), "inputs[1]: expected a finite number >= 0; got -1."),
    (lambda: simplicial.next_overlap({-1: 1.0}, 3, ones), "inputs: expected an integer >= 0; got -1."),
    (lambda: simplicial.next_overlap({1: 1.0}, 0, ones), "patterns: expected an integer >= 1; got 0."),
    (lambda: simplicial.next_overlap({1: 1.0}, 3, 2 * ones), "overlap: expected values in [-1, 1]; got 2."),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message.split(";")[0] for _, message in REFUSED])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value) == message
