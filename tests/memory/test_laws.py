"""All models in two lists, of binary and of graded units, and the laws that each of them obeys.

One more line in a list makes a model obey, or break, every law.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.memory import attention, hopfield, lagrangians, robust, simplicial
from memscape.memory.dense import DenseMemory, Exponential, Power, Rectified
from memscape.memory.dynamics import asynchronous, gradient_flow, iterate, synchronous
from memscape.memory.energy_transformer import EnergyTransformer
from memscape.memory.lagrangians import LayerNorm
from memscape.memory.patterns import random_patterns
from memscape.memory.probability_flow import minimum_probability_flow
from memscape.polytopes.threshold_linear import RectifiedMemory, ThresholdLinear
from memscape.tools.complexes import complete
from memscape.tools.models import Spins

from ..draws import normal, rng


@dataclass(frozen=True)
class Model:
    """A model to be held to the laws.

    ``build`` makes it from patterns ``(*G, P, N)``. ``even``: its energy stays when all spins are turned over.
    ``gauge``: its energy stays when a unit is turned over in the state and in every pattern.
    ``fit``: the number of neurons it can have that is nearest below another. ``names``: an order of 9 neurons, or of as
    many as fit, that its energy does not see.
    """

    name: str
    build: Callable[[torch.Tensor], Spins]
    even: bool = True
    gauge: bool = True
    fit: Callable[[int], int] = lambda neurons: neurons
    names: Callable[[torch.Generator], torch.Tensor] = lambda generator: torch.randperm(9, generator=generator)


def on_every_simplex(xi: torch.Tensor) -> Spins:
    """The complete 2-skeleton with its vertices, every simplex listed; a single neuron has a vertex and no more."""
    neurons = xi.shape[-1] if isinstance(xi, torch.Tensor) else 6
    return simplicial.store(xi, complete(neurons, range(min(neurons, 3))))


def in_closed_form(xi: torch.Tensor) -> Spins:
    """The same without the list."""
    neurons = xi.shape[-1] if isinstance(xi, torch.Tensor) else 6
    return DenseMemory(xi, simplicial.Skeleton(neurons, tuple(range(min(neurons, 3)))))


def probability_flow(xi: torch.Tensor) -> Spins:
    """Few steps: the laws hold wherever learning stops."""
    return minimum_probability_flow(xi, steps=30).network()


def triangular(neurons: int) -> int:
    """Largest number v (v - 1) / 2 of edges that is at most this, and at least 1."""
    vertices = (1 + math.isqrt(1 + 8 * neurons)) // 2
    return vertices * (vertices - 1) // 2


def on_a_graph(xi: torch.Tensor) -> Spins:
    """Three weights moved by mean products of the patterns, in sixteenths: sums are exact and there are ties."""
    vertices = (1 + math.isqrt(1 + 8 * xi.shape[-1])) // 2
    ends = robust.edges(vertices)
    degrees = xi.new_zeros(*xi.shape[:-1], vertices).index_add_(-1, ends[0], xi).index_add_(-1, ends[1], xi)
    meeting = (degrees.square().sum(dim=-1) - 2 * xi.shape[-1]) / 2
    apart = (xi.sum(dim=-1).square() - xi.shape[-1]) / 2 - meeting
    means = torch.stack([meeting, apart, -xi.sum(dim=-1)], dim=-1).mean(dim=-2) / xi.shape[-1]
    usual = xi.new_tensor([1.0, -0.5, 2.0])
    return robust.CliqueNetwork(vertices, usual + (16 * means).round() / 16)


def names_of_edges(generator: torch.Generator) -> torch.Tensor:
    """The six edges of four vertices when the vertices change names."""
    order, ends = torch.randperm(4, generator=generator), robust.edges(4)
    place = {frozenset(pair): index for index, pair in enumerate(ends.T.tolist())}
    return torch.tensor([place[frozenset(order[pair].tolist())] for pair in ends.T])


MODELS = [
    Model("hebbian", hopfield.hebbian),
    Model("units 0 and 1", hopfield.zero_one, even=False, gauge=False),
    Model("projection", hopfield.projection),
    Model("power 2", lambda xi: DenseMemory(xi, Power(2))),
    Model("power 3", lambda xi: DenseMemory(xi, Power(3)), even=False),
    Model("power 6", lambda xi: DenseMemory(xi, Power(6))),
    Model("rectified power 3", lambda xi: DenseMemory(xi, Rectified(3)), even=False),
    Model("exponential", lambda xi: DenseMemory(xi, Exponential()), even=False),
    Model("every triangle, edge and vertex", on_every_simplex, even=False),
    Model("the same in closed form", in_closed_form, even=False),
    Model("minimum probability flow", probability_flow, even=False, gauge=False),
]

MODELS += [Model("clique", on_a_graph, even=False, gauge=False, fit=triangular, names=names_of_edges)]

every_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)

networks_and_probes = pytest.mark.parametrize(
    ("networks", "probes"), [((), ()), ((), (4,)), ((), (2, 3)), ((2,), ()), ((2,), (3,)), ((2, 1), (2, 2))]
)

sizes = {"seed": st.integers(0, 2**31), "neurons": st.integers(1, 10), "count": st.integers(1, 14)}


def spins(seed: int, *shape: int) -> torch.Tensor:
    return random_patterns(1, shape[-1], networks=shape[:-1], generator=rng(seed)).squeeze(-2)


def patterns(seed: int, neurons: int, count: int, networks: tuple[int, ...] = ()) -> torch.Tensor:
    return random_patterns(count, neurons, networks=networks, generator=rng(seed))


def all_states(neurons: int) -> torch.Tensor:
    return torch.tensor(list(itertools.product((-1.0, 1.0), repeat=neurons)), dtype=torch.float64)


def half_differences(built, state: torch.Tensor) -> torch.Tensor:
    """[E(s_i = -1) - E(s_i = +1)] / 2 for each unit of each state, from nothing but the energy."""
    columns = []
    for i in range(state.shape[-1]):
        up, down = state.clone(), state.clone()
        up[..., i], down[..., i] = 1.0, -1.0
        columns.append((built.energy(down) - built.energy(up)) / 2)
    return torch.stack(columns, dim=-1)


def fields(built, state: torch.Tensor) -> torch.Tensor:
    tracker = built.track(state)
    return torch.stack([tracker.field(i) for i in range(state.shape[-1])], dim=-1).reshape(state.shape)


@every_model
@networks_and_probes
def test_energy_is_one_finite_number_a_state(model: Model, networks, probes):
    energy = model.build(patterns(0, model.fit(9), 4, networks)).energy(spins(1, *networks, *probes, model.fit(9)))
    assert energy.shape == (*networks, *probes)
    assert energy.dtype == torch.float64
    assert energy.isfinite().all()


@every_model
@networks_and_probes
def test_a_batch_is_its_members_one_by_one(model: Model, networks, probes):
    xi, state = patterns(2, model.fit(9), 4, networks), spins(3, *networks, *probes, model.fit(9))
    built = model.build(xi)
    energy, update = built.energy(state), built.update(state)
    moved = asynchronous(built, state, generator=rng(4))
    stepped = synchronous(built, state, steps=30)
    assert built.networks == networks
    assert built.neurons == model.fit(9)
    assert update.shape == moved.state.shape == stepped.state.shape == state.shape
    assert moved.period.shape == stepped.sweeps.shape == (*networks, *probes)
    for index in itertools.product(*map(range, (*networks, *probes))):
        alone, one = model.build(xi[index[: len(networks)]]), state[index]
        torch.testing.assert_close(alone.energy(one), energy[index], rtol=1e-12, atol=1e-12)
        assert torch.equal(alone.update(one), update[index])
        assert torch.equal(asynchronous(alone, one, generator=rng(4)).state, moved.state[index])
        assert torch.equal(synchronous(alone, one, steps=30).state, stepped.state[index])


@every_model
def test_every_state_of_a_small_network_has_the_fields_and_the_update_its_energy_implies(model: Model):
    built, state = model.build(patterns(5, model.fit(8), 5)), all_states(model.fit(8))
    expected = half_differences(built, state)
    found = fields(built, state)
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-12)
    # A unit without a field keeps its value; the fields, unlike differences of energies, tell a tie from rounding.
    assert torch.equal(built.update(state), torch.where(found == 0, state, found.sign()))


@every_model
@settings(max_examples=40)
@given(**sizes)
def test_the_tracker_agrees_with_the_energy_after_any_flips(model: Model, seed, neurons, count):
    neurons = model.fit(neurons)
    built, state = model.build(patterns(seed, neurons, count, (2,))), spins(seed + 1, 2, 3, neurons)
    tracker, generator = built.track(state), rng(seed)
    for neuron in torch.randint(0, neurons, (20,), generator=generator).tolist():
        where = torch.rand((2, 3), generator=generator) < 0.5
        tracker.flip(neuron, where)
        state[..., neuron] = torch.where(where, -state[..., neuron], state[..., neuron])
    assert torch.equal(tracker.state, state)
    kept = torch.stack([tracker.field(i) for i in range(neurons)], dim=-1)
    torch.testing.assert_close(kept, fields(built, state), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(kept, half_differences(built, state), rtol=1e-9, atol=1e-12)


@every_model
@settings(max_examples=40)
@given(**sizes)
def test_energy_never_increases_along_asynchronous_dynamics(model: Model, seed, neurons, count):
    neurons = model.fit(neurons)
    built, generator = model.build(patterns(seed, neurons, count)), rng(seed)
    start = state = spins(seed + 1, 6, neurons)
    before = start.clone()
    for _ in range(50):
        moved = asynchronous(built, state, sweeps=1, generator=generator)
        changed = (moved.state != state).any(dim=-1)
        assert torch.equal(moved.converged, ~changed)
        drop = built.energy(state) - built.energy(moved.state)
        assert (drop[changed] > 0).all()
        state = moved.state
        if not changed.any():
            break
    assert torch.equal(start, before), "the initial states are left alone"
    assert not changed.any(), "a descent in a finite number of states ends"
    assert (half_differences(built, state) * state >= -1e-12).all(), "no flip lowers the energy of a state at rest"


@every_model
def test_probes_that_rest_early_do_not_disturb_the_others(model: Model):
    xi = patterns(6, model.fit(40), 10)
    built, state = model.build(xi), torch.cat([xi, spins(7, 20, model.fit(40))])
    together = asynchronous(built, state, generator=rng(8))
    assert together.sweeps.min() < together.sweeps.max()
    for i in range(len(state)):
        alone = asynchronous(built, state[i], generator=rng(8))
        assert torch.equal(alone.state, together.state[i])
        assert alone.sweeps == together.sweeps[i]


@every_model
def test_heat_bath_visits_states_with_boltzmann_weights(model: Model):
    built, states, trials = model.build(patterns(9, model.fit(4), 3)), all_states(model.fit(4)), 2_000
    energy = built.energy(states)
    temperature = energy.std().item()
    expected = torch.softmax(-energy / temperature, dim=0)
    neurons = model.fit(4)
    start = torch.ones(trials, neurons, dtype=torch.float64)
    final = asynchronous(built, start, sweeps=20, temperature=temperature, generator=rng(10))
    assert (final.period == 0).all()
    assert (final.sweeps == 20).all()
    index = ((final.state + 1) / 2 @ 2.0 ** torch.arange(neurons - 1, -1, -1, dtype=torch.float64)).long()
    found = torch.bincount(index, minlength=2**neurons) / trials
    error = (expected * (1 - expected) / trials).sqrt()
    assert ((found - expected).abs() < 5 * error).all()


@every_model
def test_synchronous_dynamics_say_what_they_found(model: Model):
    xi = patterns(11, model.fit(12), 6)
    built, state = model.build(xi), spins(12, 200, model.fit(12))
    found = synchronous(built, state, steps=50)
    once = built.update(found.state)
    still, cycling = found.period == 1, found.period == 2
    assert torch.equal(found.converged, still)
    assert torch.equal(once[still], found.state[still])
    assert (once[cycling] != found.state[cycling]).any(dim=-1).all()
    assert torch.equal(built.update(once)[cycling], found.state[cycling])
    walked = state.clone()
    for step in range(1, 51):
        going = found.sweeps >= step
        walked[going] = built.update(walked)[going]
    assert torch.equal(walked, found.state)


@every_model
def test_names_of_memories_and_of_neurons_do_not_matter(model: Model):
    xi, state = patterns(13, model.fit(9), 5, (2,)), spins(14, 2, 7, model.fit(9))
    energy = model.build(xi).energy(state)
    memories, neurons = torch.randperm(5, generator=rng(15)), model.names(rng(16))
    torch.testing.assert_close(model.build(xi[:, memories]).energy(state), energy, rtol=1e-12, atol=1e-12)
    renamed = model.build(xi[..., neurons]).energy(state[..., neurons])
    torch.testing.assert_close(renamed, energy, rtol=1e-12, atol=1e-12)


@every_model
def test_turning_everything_over(model: Model):
    built, state = model.build(patterns(17, model.fit(9), 5)), spins(18, 30, model.fit(9))
    same = torch.allclose(built.energy(-state), built.energy(state), rtol=1e-12, atol=1e-12)
    assert same == model.even


@every_model
def test_turning_one_unit_over_everywhere(model: Model):
    xi, state, gauge = patterns(19, model.fit(9), 5), spins(20, 30, model.fit(9)), spins(21, model.fit(9))
    same = torch.allclose(model.build(xi * gauge).energy(state * gauge), model.build(xi).energy(state))
    assert same == model.gauge


def twins(tensor: torch.Tensor) -> dict[str, torch.Tensor]:
    """The same values in other places in memory: transposed, Fortran-ordered, every other column of more, expanded."""
    backwards = tuple(range(tensor.ndim))[::-1]
    wider = torch.full((*tensor.shape[:-1], 2 * tensor.shape[-1]), torch.nan, dtype=tensor.dtype)
    wider[..., ::2] = tensor
    found = {
        "transposed": tensor.transpose(0, -1).contiguous().transpose(0, -1),
        "Fortran-ordered": tensor.permute(backwards).contiguous().permute(backwards),
        "sliced": wider[..., ::2],
        "with a batch of one": tensor[None].contiguous()[0],
    }
    if tensor.ndim > 1:
        found["swapped in the middle"] = tensor.transpose(0, -2).contiguous().transpose(0, -2)
    assert all(torch.equal(twin, tensor) for twin in found.values())
    return found


def repeated(tensor: torch.Tensor, axis: int, copies: int) -> torch.Tensor:
    """Copies along an axis that all are the same place in memory."""
    expanded = tensor.select(axis, 0).unsqueeze(axis)
    return expanded.expand(*tensor.shape[:axis], copies, *tensor.shape[axis + 1 :])


@every_model
@pytest.mark.parametrize("networks", [(), (3, 2)])
def test_where_in_memory_patterns_and_states_lie_does_not_matter(model: Model, networks):
    xi, states = patterns(50, model.fit(8), 5, networks), spins(51, *networks, 4, 3, model.fit(8))
    # Either one alone and both; and expanded ones, of which every copy has to have a life of its own.
    cases = [*zip(twins(xi).values(), twins(states).values(), strict=True), (xi, twins(states)["transposed"])]
    cases += [(xi, repeated(states, len(networks), 4))]
    cases += [(repeated(xi, 0, 3), repeated(states, 0, 3))] if networks else []
    for memories, state in cases:
        before = memories.clone(), state.clone()
        near, far = model.build(memories.contiguous()), model.build(memories)
        plain, generator = state.contiguous(), rng(52)
        torch.testing.assert_close(far.energy(state), near.energy(plain), rtol=1e-12, atol=1e-12)
        assert torch.equal(far.update(state), near.update(plain))
        for temperature in (0.0, 0.5):
            found = asynchronous(far, state, sweeps=1, temperature=temperature, generator=rng(53))
            wanted = asynchronous(near, plain, sweeps=1, temperature=temperature, generator=rng(53))
            assert torch.equal(found.state, wanted.state)
        assert torch.equal(synchronous(far, state, steps=5).state, synchronous(near, plain, steps=5).state)
        here, there = far.track(state), near.track(plain)
        assert here.state.data_ptr() != state.data_ptr()
        for neuron in (0, 3, state.shape[-1] - 1, 3):
            torch.testing.assert_close(here.field(neuron), there.field(neuron), rtol=1e-12, atol=1e-12)
            where = torch.rand(here.state.shape[:2], generator=generator) < 0.5
            here.flip(neuron, where)
            there.flip(neuron, where)
            assert torch.equal(here.state, there.state)
        assert torch.equal(memories, before[0])
        assert torch.equal(state, before[1])


@every_model
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cpu_and_cuda_agree(model: Model):
    xi, state = patterns(22, model.fit(60), 12, (2,)), spins(23, 2, 30, model.fit(60))
    near, far = model.build(xi), model.build(xi.cuda())
    torch.testing.assert_close(far.energy(state.cuda()).cpu(), near.energy(state), rtol=1e-12, atol=1e-12)
    assert torch.equal(far.update(state.cuda()).cpu(), near.update(state))
    for temperature in (0.0, 0.3):
        here = asynchronous(near, state, sweeps=20, temperature=temperature, generator=rng(24))
        there = asynchronous(far, state.cuda(), sweeps=20, temperature=temperature, generator=rng(24))
        assert there.state.is_cuda
        assert torch.equal(there.state.cpu(), here.state)


F64 = torch.float64
BAD_STATES = [
    pytest.param([1.0] * 6, r"state: expected a torch\.Tensor; got list\.", id="a list"),
    pytest.param(torch.ones(6, dtype=torch.int64), "state: expected float64; got int64", id="integers"),
    pytest.param(torch.ones(6, dtype=torch.float32), "state: expected float64; got float32", id="another dtype"),
    pytest.param(torch.ones(2, 5, dtype=F64), r"state: .*neurons = 6; got shape \(2, 5\)", id="neurons"),
    pytest.param(torch.ones(3, 6, dtype=F64), r"state: expected leading axes \(2,\).*", id="networks"),
    pytest.param(torch.ones(6, dtype=F64), r"state: expected leading axes \(2,\).*", id="no networks"),
    pytest.param(torch.ones(2, 0, 6, dtype=F64), r"state: .*no empty axis; got shape \(2, 0, 6\)", id="empty"),
    pytest.param(torch.full((2, 6), 0.5, dtype=F64), r"state: .*\{-1, \+1\}; got 0\.5", id="not spins"),
    pytest.param(torch.full((2, 6), float("nan"), dtype=F64), r"state: .*\{-1, \+1\}; got nan", id="nan"),
    pytest.param(torch.ones(2, 6, dtype=F64, device="meta"), "state: expected device cpu; got meta", id="device"),
]


@every_model
@pytest.mark.parametrize(("state", "message"), BAD_STATES)
def test_a_state_that_does_not_fit_is_refused(model: Model, state, message):
    built = model.build(patterns(25, model.fit(6), 3, (2,)))
    calls = [
        built.energy,
        built.update,
        built.track,
        lambda s: asynchronous(built, s, generator=rng(0)),
        lambda s: synchronous(built, s),
    ]
    for call in calls:
        with pytest.raises(ArgumentError, match=message):
            call(state)


BAD_PATTERNS = [
    pytest.param([[1.0]], r"patterns: expected a torch\.Tensor; got list\.", id="a list"),
    pytest.param(torch.ones(3, 6, dtype=torch.int64), "patterns: expected a floating dtype; got int64", id="integers"),
    pytest.param(torch.ones(6, dtype=torch.float64), r"patterns: expected axes .*; got shape \(6,\)", id="one axis"),
    pytest.param(torch.ones(0, 6, dtype=torch.float64), r"patterns: .*no empty axis; got shape \(0, 6\)", id="empty"),
    pytest.param(torch.zeros(3, 6, dtype=torch.float64), r"patterns: .*\{-1, \+1\}; got 0\.", id="not spins"),
]


@every_model
@pytest.mark.parametrize(("xi", "message"), BAD_PATTERNS)
def test_patterns_that_are_none_are_refused(model: Model, xi, message):
    if model.name == "clique":
        pytest.skip("it is made of three weights, not of patterns")
    with pytest.raises(ArgumentError, match=message):
        model.build(xi)


@dataclass(frozen=True)
class Graded:
    """A model of graded units to be held to the laws.

    ``build`` makes it from patterns ``(P, N)``. ``axes``: those of one state, from P and N. ``rename``: a state under
    another order of the memories, for models whose state has a place for each. ``within``: what turns any numbers into
    a state that the model can be in.
    """

    name: str
    build: Callable[[torch.Tensor], Any]
    axes: Callable[[int, int], tuple[int, ...]] = lambda count, neurons: (neurons,)
    rename: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = lambda state, order: state
    within: Callable[[torch.Tensor], torch.Tensor] = lambda numbers: numbers

    def state(self, seed: int, xi: torch.Tensor, *probes: int) -> torch.Tensor:
        """States made of normal numbers."""
        return self.within(normal(seed, *probes, *self.axes(*xi.shape)))


def correlations(xi: torch.Tensor) -> torch.Tensor:
    # A product with its own transpose is symmetric up to rounding only.
    weights = xi.mT @ xi
    return (weights + weights.mT) / 2


def hopfield_1984(xi: torch.Tensor) -> hopfield.Graded:
    return hopfield.Graded(correlations(xi), xi.new_zeros(xi.shape[1]), gain=2.0)


def threshold_linear(xi: torch.Tensor) -> ThresholdLinear:
    """Neurons inhibit each other by as much as the memories correlate them."""
    return ThresholdLinear(-correlations(xi), xi.new_ones(xi.shape[1]))


WEIGHTS = normal(99, 2, 1, 10, 10)


def transformer(xi: torch.Tensor) -> EnergyTransformer:
    """One head of the width of a token, whose weights are not made of the memories."""
    features = xi.shape[1]
    weights = WEIGHTS[..., :features, :features].to(xi.device) / features**0.5
    norm = LayerNorm(xi.new_ones(()), xi.new_zeros(features))
    return EnergyTransformer(weights[0], weights[1], xi, norm, beta=0.7)


def memory_units(state: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    features = state.shape[-1] - len(order)
    return torch.cat([state[..., :features], state[..., features:][..., order]], dim=-1)


def two_body(model: Callable[[torch.Tensor], Any]) -> dict[str, Any]:
    return {"build": model, "axes": lambda count, neurons: (neurons + count,), "rename": memory_units}


GRADED = [
    Graded("Hopfield 1984", hopfield_1984),
    Graded("modern Hopfield", lambda xi: attention.ModernHopfield(xi, 1.3)),
    Graded("two-body A", **two_body(lambda xi: lagrangians.model_a(xi, gain=2.0))),
    Graded("two-body B", **two_body(lambda xi: lagrangians.model_b(xi, beta=0.7))),
    Graded("two-body C", **two_body(lagrangians.model_c)),
    Graded("rectified memory", lambda xi: RectifiedMemory(0.3 * xi, xi.new_ones(xi.shape[1]))),
    Graded("threshold-linear", threshold_linear, within=torch.abs),
    Graded("energy transformer", transformer, axes=lambda count, neurons: (4, neurons)),
]

every_graded_model = pytest.mark.parametrize("model", GRADED, ids=lambda model: model.name)


def motion(built: Any, state: torch.Tensor) -> torch.Tensor:
    """Where the documented dynamics take a state: the flow, or what an update adds."""
    return built.flow(state) if hasattr(built, "flow") else built.update(state) - state


def path(built: Any, state: torch.Tensor) -> torch.Tensor:
    if hasattr(built, "flow"):
        return gradient_flow(built, state, step=1e-3, steps=300)
    return torch.stack([iterate(built, state, steps=steps) for steps in range(1, 8)])


@every_graded_model
@pytest.mark.parametrize("probes", [(), (4,), (2, 3)])
def test_a_graded_energy_is_one_finite_number_a_state_and_a_batch_is_its_members(model: Graded, probes):
    xi = normal(30, 5, 6) / 2
    built, state = model.build(xi), model.state(31, xi, *probes)
    energy, moved = built.energy(state), motion(built, state)
    assert energy.shape == probes
    assert energy.isfinite().all()
    assert moved.shape == state.shape
    for index in itertools.product(*map(range, probes)):
        torch.testing.assert_close(built.energy(state[index]), energy[index], rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(motion(built, state[index]), moved[index], rtol=1e-12, atol=1e-12)


@every_graded_model
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), neurons=st.integers(2, 10), count=st.integers(1, 14))
def test_energy_never_increases_along_graded_dynamics(model: Graded, seed, neurons, count):
    xi = normal(seed, count, neurons) / 2
    energy = model.build(xi).energy(path(model.build(xi), model.state(seed + 1, xi, 5)))
    assert (energy.diff(dim=0) <= 1e-9 * (1 + energy[:-1].abs())).all()


@every_graded_model
def test_graded_motion_is_downhill_by_autograd(model: Graded):
    xi = normal(32, 5, 6) / 2
    built, state = model.build(xi), model.state(33, xi, 200).requires_grad_()
    (slope,) = torch.autograd.grad(built.energy(state).sum(), state)
    moved = motion(built, state.detach())
    falls = (slope * moved).flatten(1).sum(dim=1)
    assert (falls < 1e-12).all()
    assert (falls < -1e-6).double().mean() > 0.9  # rectified units that are all silent leave a state where it is
    ahead = built.energy(state.detach() + 1e-6 * moved) - built.energy(state.detach())
    torch.testing.assert_close(ahead / 1e-6, falls, rtol=1e-3, atol=1e-3)


@every_graded_model
def test_names_of_memories_do_not_matter_to_graded_units(model: Graded):
    xi, order = normal(34, 5, 6) / 2, torch.randperm(5, generator=rng(35))
    state = model.state(36, xi, 7)
    near, far, there = model.build(xi), model.build(xi[order]), model.rename(state, order)
    torch.testing.assert_close(far.energy(there), near.energy(state), rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(motion(far, there), model.rename(motion(near, state), order), rtol=1e-12, atol=1e-12)


@every_graded_model
def test_where_in_memory_patterns_and_graded_states_lie_does_not_matter(model: Graded):
    xi = normal(54, 5, 6) / 2
    states = model.state(55, xi, 4, 3)
    cases = [*zip(twins(xi).values(), twins(states).values(), strict=True), (xi, repeated(states, 0, 4))]
    for memories, state in cases:
        before = memories.clone(), state.clone()
        near, far, plain = model.build(memories.contiguous()), model.build(memories), state.contiguous()
        torch.testing.assert_close(far.energy(state), near.energy(plain), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(motion(far, state), motion(near, plain), rtol=1e-12, atol=1e-12)
        if hasattr(far, "flow"):
            found, wanted = (
                gradient_flow(built, where, step=0.1, steps=3) for built, where in ((far, state), (near, plain))
            )
            torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-12)
        assert torch.equal(memories, before[0])
        assert torch.equal(state, before[1])


@every_graded_model
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_cpu_and_cuda_agree_on_graded_units(model: Graded):
    xi = normal(37, 12, 10) / 2
    state, near, far = model.state(38, xi, 30), model.build(xi), model.build(xi.cuda())
    torch.testing.assert_close(far.energy(state.cuda()).cpu(), near.energy(state), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(motion(far, state.cuda()).cpu(), motion(near, state), rtol=1e-10, atol=1e-10)


@every_graded_model
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda state: state.tolist(), r"expected a torch\.Tensor; got list\."),
        (lambda state: state.float(), "expected float64; got float32"),
        (lambda state: state[..., :-1], r"; got shape \("),
        (lambda state: state * float("nan"), "expected finite values; got nan"),
        (lambda state: state.to("meta"), "expected device cpu; got meta"),
    ],
    ids=["a list", "another dtype", "neurons", "nan", "device"],
)
def test_a_graded_state_that_does_not_fit_is_refused(model: Graded, spoil, message):
    xi = normal(39, 5, 6)
    built = model.build(xi)
    for call in (built.energy, lambda state: motion(built, state)):
        with pytest.raises(ArgumentError, match=rf"^(state|potential): .*{message}"):
            call(spoil(model.state(40, xi, 3)))
