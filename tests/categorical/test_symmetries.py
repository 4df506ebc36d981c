"""The hyperoctahedral group against lists of sets, and every model of the book under it."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.categorical import symmetries
from memscape.memory.dynamics import synchronous
from memscape.memory.hopfield import hebbian
from memscape.tools.complexes import Simplices, complete

from ..draws import rng
from ..memory.test_laws import MODELS, Model, patterns, spins


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**31), neurons=st.integers(1, 9), count=st.integers(1, 6))
def test_every_model_keeps_the_changes_of_its_own(model: Model, seed, neurons, count):
    """Energies stay and synchronous steps commute: signs where a model says so, renamings but for networks of edges."""
    neurons = model.fit(neurons)
    xi, state = patterns(seed, neurons, count, (3,)), spins(seed + 1, 3, neurons)
    change = symmetries.random_changes(neurons, (3,), rename=model.fit(9) == 9, turn=model.gauge, generator=rng(seed))
    here, there = model.build(xi), model.build(change(xi))
    torch.testing.assert_close(there.energy(change(state)), here.energy(state), rtol=1e-10, atol=1e-10)
    if model.name != "minimum probability flow":  # fields so near 0 that their sign is rounding
        assert torch.equal(there.update(change(state)), change(here.update(state)))


def test_a_change_renames_and_then_turns():
    change = symmetries.Changes(torch.tensor([2, 0, 1]), torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64))
    assert change(torch.tensor([[4.0, 5.0, 6.0]], dtype=torch.float64)).tolist() == [[6.0, -4.0, 5.0]]


@pytest.mark.parametrize("neurons", [1, 2, 3, 4])
def test_the_group_is_whole_and_starts_with_its_identity(neurons):
    group = symmetries.every_change(neurons)
    matrices = group(torch.eye(neurons, dtype=torch.float64).expand(len(group.signs), neurons, neurons))
    assert len(matrices.unique(dim=0)) == 2**neurons * math.factorial(neurons) == len(matrices)
    assert torch.equal(matrices[0], torch.eye(neurons, dtype=torch.float64))


@pytest.mark.parametrize("neurons", [1, 2, 3])
@pytest.mark.parametrize("lines", [False, True])
def test_orbits_are_those_of_a_list(neurons, lines):
    states = symmetries.states_of(neurons).tolist()
    if lines:
        states = states[: len(states) // 2]
    group = symmetries.every_change(neurons)

    def named(state):
        return tuple(max(state, [-x for x in state]) if lines else state)

    classes = [0] * (len(states) + 1)
    for size in range(len(states) + 1):
        found = set()
        for some in itertools.combinations(states, size):
            images = set()
            for places, signs in zip(group.places.tolist(), group.signs.tolist(), strict=True):
                moved = [[sign * s[place] for place, sign in zip(places, signs, strict=True)] for s in some]
                images.add(tuple(sorted(named(s) for s in moved)))
            found.add(min(images, default=()))
        classes[size] = len(found)
    assert symmetries.orbit_counts(neurons, lines=lines) == tuple(classes)


def test_a_sweep_is_counted_as_it_is_walked():
    couplings = torch.randint(-3, 4, (2, 3, 3), generator=rng(1)).double()
    couplings = couplings + couplings.mT
    counts = symmetries.sweep_counts(couplings)
    states = [[2 * (number >> unit & 1) - 1 for unit in range(3)] for number in range(8)]
    for network, start in itertools.product(range(2), range(8)):
        ends = [0] * 8
        for order in itertools.permutations(range(3)):
            now = list(states[start])
            for unit in order:
                field = sum(float(couplings[network, unit, j]) * now[j] for j in range(3) if j != unit)
                now[unit] = now[unit] if field == 0 else int(math.copysign(1, field))
            ends[states.index(now)] += 1
        assert counts[network, start].tolist() == ends


def test_a_memory_of_one_pattern_draws_every_order_to_it_or_its_negative():
    counts = symmetries.sweep_counts(hebbian(torch.ones(1, 5, dtype=torch.float64)).couplings)
    assert set(counts.nonzero()[:, 1].tolist()) == {0, 31}


def test_automorphisms_of_a_cycle_of_a_complete_complex_and_of_none():
    ring = Simplices(5, (torch.tensor([[0, 1], [1, 2], [2, 3], [3, 4], [0, 4]]),))
    assert len(symmetries.automorphisms(ring)) == 10
    assert len(symmetries.automorphisms(complete(4, (1, 2)))) == 24
    assert len(symmetries.automorphisms(complete(4, (1, 2)), most=5)) == 5
    edge_and_triangle = Simplices(3, (torch.tensor([[0, 1]]), torch.tensor([[0, 1, 2]])))
    assert sorted(symmetries.automorphisms(edge_and_triangle).tolist()) == [[0, 1, 2], [1, 0, 2]]


def test_renamings_alone_and_signs_alone():
    turned = symmetries.random_changes(6, (50,), rename=False, generator=rng())
    renamed = symmetries.random_changes(6, (50,), turn=False, generator=rng())
    assert torch.equal(turned.places, torch.arange(6).expand(50, 6))
    assert torch.equal(renamed.signs, torch.ones(50, 6, dtype=torch.float64))
    assert len(turned.signs.unique(dim=0)) > 20
    assert len(renamed.places.unique(dim=0)) > 40


def test_synchronous_ends_are_equivariant_too():
    xi, state = patterns(3, 8, 3, (20,)), spins(4, 20, 8)
    change = symmetries.random_changes(8, (20,), generator=rng(5))
    ends = [synchronous(hebbian(some), start).state for some, start in ((xi, state), (change(xi), change(state)))]
    assert torch.equal(change(ends[0]), ends[1])


def test_what_is_no_change_is_refused():
    ones = torch.ones(2, dtype=torch.float64)
    with pytest.raises(ArgumentError, match="permutation"):
        symmetries.Changes(torch.tensor([0, 0]), ones)
    with pytest.raises(ArgumentError, match="states"):
        symmetries.Changes(torch.tensor([0, 1]), ones)(torch.ones(3, dtype=torch.float64))
    with pytest.raises(ArgumentError, match="simplices"):
        symmetries.automorphisms(Simplices(3, (torch.tensor([[[0, 1]]]),)))
