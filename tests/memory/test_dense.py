"""Dense associative memory against its definition, in whole numbers where that is possible."""

import itertools
import math
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.memory import dense, hopfield
from memscape.memory.dense import DenseMemory, Exponential, Power, Rectified, exponential_retrieval
from memscape.memory.dynamics import asynchronous, synchronous
from memscape.memory.patterns import flip, random_patterns
from memscape.tools import pieces

from ..draws import rng

POWERS = [Power(1), Power(2), Power(3), Power(6), Rectified(1), Rectified(2), Rectified(5)]
INTERACTIONS = [*POWERS, Exponential()]
every_interaction = pytest.mark.parametrize("interaction", INTERACTIONS, ids=str)


def patterns(seed: int, count: int, neurons: int, *networks: int) -> torch.Tensor:
    return random_patterns(count, neurons, networks=networks, generator=rng(seed))


def by_definition(interaction, x: int) -> float:
    """F, written out again."""
    if isinstance(interaction, Exponential):
        return math.exp(x)
    return x**interaction.n if isinstance(interaction, Power) or x > 0 else 0


def field_of(interaction, memories: list[list[int]], state: list[int], i: int) -> float:
    """Sum over memories of F(xi_i + h) - F(-xi_i + h), in whole numbers for a power: Krotov & Hopfield 2016, eq. 4."""
    total = 0
    for xi in memories:
        h = sum(x * s for j, (x, s) in enumerate(zip(xi, state, strict=True)) if j != i)
        total += by_definition(interaction, xi[i] + h) - by_definition(interaction, -xi[i] + h)
    return total


@every_interaction
def test_the_interaction_and_its_slope(interaction):
    x = torch.tensor([-2.5, -1.0, 0.5, 3.0], dtype=torch.float64, requires_grad=True)
    value = interaction(x)
    (slope,) = torch.autograd.grad(value.sum(), x)
    torch.testing.assert_close(interaction.derivative(x), slope)
    whole = torch.tensor([-3.0, -1.0, 0.0, 1.0, 2.0], dtype=torch.float64)
    expected = [float(by_definition(interaction, int(one))) for one in whole]
    torch.testing.assert_close(interaction(whole), torch.tensor(expected, dtype=torch.float64))


@every_interaction
def test_energy_is_minus_the_sum_over_memories_in_units_of_one_memory(interaction):
    xi, state = patterns(0, 7, 9), patterns(1, 20, 9)
    depth = by_definition(interaction, 9)
    expected = [-sum(by_definition(interaction, round((m @ s).item())) for m in xi) / depth for s in state]
    found = DenseMemory(xi, interaction).energy(state)
    torch.testing.assert_close(found, torch.tensor(expected, dtype=torch.float64), rtol=1e-13, atol=0)


@every_interaction
def test_update_is_the_energy_difference_rule(interaction):
    xi = patterns(2, 6, 7)
    state = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=7)), dtype=torch.float64)
    memories, updated = xi.int().tolist(), DenseMemory(xi, interaction).update(state)
    for s, after in zip(state.int().tolist(), updated.int().tolist(), strict=True):
        for i in range(7):
            field = field_of(interaction, memories, s, i)
            if isinstance(interaction, Exponential) and abs(field) < 1e-9:
                continue
            assert after[i] == (s[i] if field == 0 else math.copysign(1, field))


def test_the_square_is_hopfields_network():
    xi, state = patterns(3, 9, 30), patterns(4, 50, 30)
    dense, hebbian = DenseMemory(xi, Power(2)), hopfield.hebbian(xi)
    tracker = hebbian.track(state)
    hebbian_field = torch.stack([tracker.field(i)[0] for i in range(30)], dim=-1)
    # F(x) = x**2 with weights sum xi xi / N: fields differ by 2 N, and F(N) = N**2 is the unit.
    torch.testing.assert_close(dense.field(state), hebbian_field * 2 / 30, rtol=1e-12, atol=1e-15)
    moved = asynchronous(dense, state, generator=rng(5)), asynchronous(hebbian, state, generator=rng(5))
    assert torch.equal(moved[0].state, moved[1].state)


@pytest.mark.parametrize("interaction", POWERS, ids=str)
def test_the_sign_of_a_field_is_exact_and_a_tie_is_a_tie(interaction):
    xi, state, ties = patterns(6, 4, 5, 40), patterns(7, 10, 5, 40), 0
    found = DenseMemory(xi, interaction).field(state)
    for memories, states, rows in zip(xi.int().tolist(), state.int().tolist(), found.tolist(), strict=True):
        for s, row in zip(states, rows, strict=True):
            for i, value in enumerate(row):
                exact = field_of(interaction, memories, s, i)
                assert (value > 0) == (exact > 0)
                assert (value < 0) == (exact < 0)
                ties += exact == 0
    assert ties > 20, "hardly a tie among the fields: the test is empty"


STEEP = [(1, 30, 40), (1, 1000, 2), (2, 60, 3), (3, 60, 5), (5, 101, 20), (10, 300, 1), (10, 300, 3), (20, 100, 30)]


@pytest.mark.parametrize(("neurons", "degree", "count"), STEEP)
@pytest.mark.parametrize("kind", [Power, Rectified])
def test_steep_powers_of_few_neurons_have_the_fields_of_their_whole_numbers(kind, neurons, degree, count):
    interaction, xi = kind(degree), patterns(25, count, neurons)
    one_off = xi[:2].clone()
    one_off[:, 0] *= -1
    state = torch.cat([xi[:2], -xi[:2], one_off, patterns(26, 6, neurons)])
    model = DenseMemory(xi, interaction)
    unit, memories = 2 * interaction.exact(neurons), xi.int().tolist()
    whole = [[field_of(interaction, memories, s, i) for i in range(neurons)] for s in state.int().tolist()]
    tracker = model.track(state)
    tracked = torch.stack([tracker.field(i)[0] for i in range(neurons)], dim=-1)
    for found in (model.field(state), tracked):
        torch.testing.assert_close(
            found,
            torch.tensor([[field / unit for field in row] for row in whole], dtype=found.dtype),
            rtol=1e-6,
            atol=0,
        )
        assert torch.equal(found.sign(), torch.tensor([[(f > 0) - (f < 0) for f in row] for row in whole]).double())
    ends = asynchronous(model, state, generator=rng(27))
    assert ends.converged.all()


def test_the_field_at_a_lone_pattern_is_half_its_depth_however_steep():
    # N = 10, n = 300: F(8) is nothing beside F(10), so turning a unit over costs all of F(N).
    xi = patterns(28, 1, 10)
    torch.testing.assert_close(DenseMemory(xi, Power(300)).field(xi), xi / 2, rtol=1e-15, atol=0)


def test_a_tie_between_two_memories_is_a_tie_for_the_exponential_too():
    # Two opposite bits, and cavity overlaps that are equal: the two terms cancel, in floating point only nearly.
    one, two = torch.ones(41, dtype=torch.float64), torch.ones(41, dtype=torch.float64)
    two[:21] = -1.0
    state = torch.ones(41, dtype=torch.float64)
    state[1:11] = -1.0  # of the 21 bits that differ it has 10 of `two` and 11 of `one`, unit 0 being among these
    model = DenseMemory(torch.stack([one, two]), Exponential())
    tracked = model.track(state).field(0)
    assert model.field(state)[0] == 0.0
    assert tracked.item() == 0.0
    assert model.update(state)[0] == 1.0


@pytest.mark.parametrize(("interaction", "neurons"), [(Power(99), 784), (Rectified(60), 2000), (Exponential(), 350)])
def test_steep_interactions_stay_in_range(interaction, neurons):
    xi = patterns(8, 20, neurons)
    model = DenseMemory(xi, interaction)
    torch.testing.assert_close(model.energy(xi), torch.full((20,), -1.0, dtype=torch.float64), rtol=1e-6, atol=0)
    # Far from every memory, where F is smaller than at a memory by hundreds of orders of magnitude, fields still point.
    start = patterns(9, 10, neurons)
    assert (model.field(start) != 0).any(dim=-1).all()
    moved = asynchronous(model, start, generator=rng(10))
    assert moved.converged.all()
    assert ((moved.state @ xi.mT).amax(dim=-1) == neurons).all()


@every_interaction
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_dtype_of_the_patterns_changes_nothing_else(interaction, dtype):
    xi, state = patterns(11, 30, 25, 2), patterns(12, 8, 25, 2)
    model = DenseMemory(xi.to(dtype), interaction)
    found = asynchronous(model, state.to(dtype), generator=rng(13)).state
    assert found.dtype == dtype
    assert model.field(state.to(dtype)).dtype == torch.float64
    assert torch.equal(found.double(), asynchronous(DenseMemory(xi, interaction), state, generator=rng(13)).state)


@every_interaction
@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_results_do_not_depend_on_the_budget(interaction, temperature):
    xi, state = patterns(14, 15, 20, 2), patterns(15, 6, 20, 2)
    found = []
    for budget in (pieces.BUDGET, 1, 30_000):
        model = DenseMemory(xi, interaction)
        with pieces.budget(budget):
            run = asynchronous(model, state, sweeps=9, temperature=temperature, generator=rng(16))
            found.append((model.field(state), model.energy(state), run))
    plenty, *scarce = found
    for field, energy, run in scarce:
        torch.testing.assert_close(field, plenty[0], rtol=1e-12, atol=1e-15)
        torch.testing.assert_close(energy, plenty[1], rtol=1e-12, atol=1e-15)
        assert torch.equal(run.state, plenty[2].state)
        assert torch.equal(run.sweeps, plenty[2].sweeps)


@pytest.mark.parametrize("count", [1, 40, 41])
@pytest.mark.parametrize("neurons", [6, 7])
@pytest.mark.parametrize("networks", [(), (2,)])
def test_overlaps_two_in_a_number_give_the_same_fields(count, neurons, networks, monkeypatch):
    generator = torch.Generator().manual_seed(5)
    patterns = random_patterns(count, neurons, networks=networks, generator=generator)
    state = random_patterns(300, neurons, networks=networks, generator=generator)
    model = DenseMemory(patterns, Rectified(3))
    assert model._doubled(model.memories, 300) is not None
    together = model.field(state)
    monkeypatch.setattr(dense, "_PAIRS", 0)
    assert model._doubled(model.memories, 300) is None
    assert torch.equal(model.field(state), together)


@settings(max_examples=50)
@given(budget=st.integers(500, 2**20), count=st.integers(1, 200), neurons=st.integers(1, 60), probes=st.integers(1, 50))
def test_pieces_keep_to_the_budget(budget, count, neurons, probes):
    model = DenseMemory(torch.ones(2, count, neurons), Power(2))
    with pieces.budget(budget):
        (width, block), tracked = model._piece(probes), model.probes_at_once
    assert 1 <= block <= count
    assert 1 <= width <= probes
    assert block == 1 or 2 * 12 * neurons * block <= budget / 2
    assert width == 1 or 2 * 32 * block * width <= budget / 2
    assert tracked == 1 or 2 * count * (40 * tracked + 12 * neurons) <= budget


MEASURE = """
import resource, torch
from memscape.memory.dense import DenseMemory, Power, Exponential
from memscape.memory.dynamics import asynchronous
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces
generator = torch.Generator().manual_seed(0)
xi = random_patterns(6000, 32, generator=generator, dtype=torch.float32)
peaks = []
for probes in (20, 300, 600):
    state = random_patterns(probes, 32, generator=generator, dtype=torch.float32)
    for interaction in (Power(3), Exponential()):
        model = DenseMemory(xi, interaction)
        with pieces.budget({budget}):
            model.energy(state), model.update(state), asynchronous(model, state, sweeps=2, generator=generator)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
print(*peaks)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_twice_the_probes_take_no_more_memory():
    budget = 16 * 2**20
    command = [sys.executable, "-c", MEASURE.format(budget=budget)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    few, many, twice = (int(peak) * 1024 for peak in output.split())
    # Tracking all probes at once would take 300 * 6000 * 40 bytes, 69 MiB, more for every 300 probes.
    assert many - few < 1.5 * budget
    assert twice - many < 0.25 * budget


def test_exclusive_or_needs_an_odd_power_of_at_least_three_or_a_rectified_one():
    # Krotov & Hopfield 2016, section 3: the third unit is completed from the first two.
    table = torch.tensor([[-1, -1, -1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]], dtype=torch.float64)
    asked = table.repeat(2, 1)
    asked[:4, 2], asked[4:, 2] = 1.0, -1.0
    solved = {}
    for interaction in (*map(Power, range(1, 10)), *map(Rectified, range(1, 10)), Exponential()):
        answer = DenseMemory(table, interaction).update(asked)[:, 2]
        solved[interaction] = bool((answer == table[:, 2].repeat(2)).all())
    assert {power for power in range(1, 10) if solved[Power(power)]} == {3, 5, 7, 9}
    assert {power for power in range(1, 10) if solved[Rectified(power)]} == set(range(2, 10))
    assert solved[Exponential()]


@pytest.mark.parametrize(
    ("interaction", "count"), [(Power(2), 4), (Power(3), 60), (Rectified(3), 60), (Power(4), 1500)], ids=str
)
def test_few_memories_are_recalled_from_a_few_wrong_bits(interaction, count):
    xi = patterns(17, count, 100)
    start = flip(xi[:60], 10, generator=rng(18))
    found = asynchronous(DenseMemory(xi, interaction), start, generator=rng(19))
    assert (found.state == xi[:60]).all(dim=-1).double().mean() > 0.95


def test_an_exponential_number_of_memories_is_recalled_in_one_step():
    # Demircigil et al. 2017, N = 30: 2**(0.4 N) memories held, and 2**(0.25 N) recalled with a tenth of the bits wrong.
    xi = patterns(20, 2**12, 30)
    held = DenseMemory(xi, Exponential()).update(xi[:500]) == xi[:500]
    assert held.all(dim=-1).double().mean() > 0.99
    few = patterns(21, 180, 30)
    recalled = DenseMemory(few, Exponential()).update(flip(few, 3, generator=rng(22))) == few
    assert recalled.all(dim=-1).double().mean() > 0.98
    assert synchronous(DenseMemory(xi, Power(2)), xi[:500], steps=1).converged.double().mean() < 0.01


@pytest.mark.parametrize("lead", [(), (3,), (2, 2)])
def test_exponential_retrieval_is_a_softmax_average(lead):
    generator = rng(22)
    queries = torch.rand((*lead, 5, 8), generator=generator, dtype=torch.float64)
    memories = torch.rand((*lead, 11, 8), generator=generator, dtype=torch.float64)
    weights = torch.softmax(2.5 * queries @ memories.mT, dim=-1)
    torch.testing.assert_close(exponential_retrieval(queries, memories, 2.5), weights @ memories)


def test_cold_exponential_retrieval_returns_the_memory_itself():
    xi = patterns(23, 5000, 64).float()
    queries = flip(xi[:100], 8, generator=rng(24)) * 0.7
    torch.testing.assert_close(exponential_retrieval(queries, xi, 2.0), xi[:100])


ones = torch.ones(3, 4)
REFUSED = [
    (lambda: Power(0), "n: expected an integer >= 1; got 0."),
    (lambda: Power(2.0), "n: expected an integer >= 1; got 2.0 (float)."),
    (lambda: Rectified(-1), "n: expected an integer >= 1; got -1."),
    (lambda: Rectified(True), "n: expected an integer >= 1; got True (bool)."),
    (lambda: Power(3)([1.0]), "x: expected a torch.Tensor; got list. Convert it with torch.as_tensor."),
    (
        lambda: Rectified(3)(torch.tensor(torch.inf)),
        "x: expected finite values; got inf. Remove NaN and infinite entries.",
    ),
    (
        lambda: Exponential()(torch.tensor(1)),
        "x: expected a floating dtype; got int64. Convert it with .to(torch.float32).",
    ),
    (lambda: Power(3).derivative(3.0), "x: expected a torch.Tensor; got float. Convert it with torch.as_tensor."),
    (lambda: Rectified(3).derivative(3.0), "x: expected a torch.Tensor; got float. Convert it with torch.as_tensor."),
    (lambda: Exponential().derivative(3.0), "x: expected a torch.Tensor; got float. Convert it with torch.as_tensor."),
    (
        lambda: DenseMemory(ones, 3),
        "interaction: expected a Power, a Rectified or an Exponential; got int. Write Power(3), for instance.",
    ),
    (
        lambda: DenseMemory(torch.ones(2, 351), Exponential()),
        "patterns: expected at most 350 neurons for the exponential; got 351 neurons. exp(-N) to exp(N) must fit a "
        "float64; exponential_retrieval has no such bound.",
    ),
    (
        lambda: DenseMemory(torch.ones(2, 1024), Power(101)),
        "interaction: expected n log2(N) <= 1000 with N = 1024; got n = 101. 1 and N**n must fit a float64; use a "
        "smaller n.",
    ),
    (
        lambda: DenseMemory(ones, Power(3)).field(torch.ones(5)),
        "state: expected axes (..., neurons) with neurons = 4; got shape (5,). Its neurons axis must match the other "
        "arguments.",
    ),
    (
        lambda: exponential_retrieval(ones[0], ones),
        "queries: expected axes (..., queries, neurons); got shape (4,). Add or remove axes.",
    ),
    (
        lambda: exponential_retrieval(ones, torch.ones(3, 5)),
        "patterns: expected axes (..., patterns, neurons) with neurons = 4; got shape (3, 5). "
        "Its neurons axis must match the other arguments.",
    ),
    (
        lambda: exponential_retrieval(ones, ones.double()),
        "patterns: expected float32; got float64. Convert it with .to(torch.float32).",
    ),
    (
        lambda: exponential_retrieval(ones, ones.to("meta")),
        "patterns: expected device cpu; got meta. Move it with .to('cpu').",
    ),
    (
        lambda: exponential_retrieval(ones, ones / 0),
        "patterns: expected finite values; got inf. Remove NaN and infinite entries.",
    ),
    (
        lambda: exponential_retrieval(ones, torch.ones(2, 3, 4)),
        "patterns: expected leading axes () as in the queries; got shape (2, 3, 4). Expand one of them.",
    ),
    (lambda: exponential_retrieval(ones, ones, 0.0), "beta: expected a finite number > 0; got 0."),
    (
        lambda: exponential_retrieval(ones, torch.ones(0, 4)),
        "patterns: expected axes (..., patterns, neurons) with no empty axis; got shape (0, 4).",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSED, ids=[message.split(";")[0] for _, message in REFUSED])
def test_bad_input_is_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value) == message
