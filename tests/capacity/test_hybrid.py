"""The circuit: its energy, its inhibitory units, its constraints, and what it recalls."""

import itertools
import math

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import hybrid as hy
from memscape.memory.dynamics import gradient_flow

from ..draws import rng

GROUPS, SIZE, NEURONS, ACTIVE = 4, 8, 400, 12


def made(seed=1, dtype=torch.float64):
    shown = hy.draw_features(GROUPS * SIZE, ACTIVE, NEURONS, generator=rng(seed)).to(dtype)
    synapses = hy.imprint(torch.eye(GROUPS * SIZE, dtype=dtype), shown)
    choices = torch.randint(SIZE, (20, GROUPS), generator=rng(seed + 1))
    return synapses, hy.memory_circuit(synapses, GROUPS), choices


@pytest.mark.parametrize("lagrangian", [hy.Competition(2, 1.5), hy.Firing(2.0)])
def test_activations_are_gradients(lagrangian):
    units = torch.randn(3, 6, generator=rng(1), dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(lagrangian(units).sum(), units)
    assert torch.allclose(gradient, lagrangian.activation(units))


def test_competition_is_one_softmax_a_group():
    found = hy.Competition(2, 2.0).activation(torch.tensor([0.0, 1.0, 5.0, 5.0]))
    assert torch.allclose(found, torch.tensor([1 / (1 + math.e**2), 1 / (1 + math.e**-2), 0.5, 0.5]))
    with pytest.raises(ArgumentError, match="units: expected a multiple of 2 units"):
        hy.Competition(2, 2.0)(torch.zeros(3))


def test_the_energy_never_rises_along_the_flow():
    synapses, _model, _ = made()
    short = hy.memory_circuit(synapses, GROUPS, beta=1.0, gain=4.0)
    potential = torch.randn(5, NEURONS + GROUPS * SIZE, generator=rng(2), dtype=torch.float64)
    steps = short.energy(gradient_flow(short, potential, step=0.02, steps=150)).diff(dim=0)
    assert (steps <= 1e-9).all()
    assert (steps < -1e-3).any()


def test_a_synapse_is_what_its_two_units_did():
    memories = torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    features = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    assert hy.imprint(memories, features).tolist() == [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]


def test_features_have_their_size():
    shown = hy.draw_features(50, 7, 40, generator=rng(1))
    assert (shown.sum(dim=1) == 7).all()
    assert set(shown.unique().tolist()) == {0.0, 1.0}


def test_states_are_unions():
    synapses = torch.tensor([[1.0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 1, 0, 1, 0], [0, 0, 0, 0, 1]])
    states = hy.combine(synapses, torch.tensor([[0, 0], [1, 1]]))
    assert states.tolist() == [[1, 1, 0, 1, 0], [0, 0, 1, 0, 1]]
    with pytest.raises(ArgumentError, match="choices: expected memory units 0 to 1"):
        hy.combine(synapses, torch.tensor([[0, 2]]))


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 1.0])
def test_damage_moves_as_many_units(share):
    states = (torch.rand(6, 60, generator=rng(1)) < 0.2).double()
    cues = hy.damage(states, share, generator=rng(2))
    moved = (share * states.sum(dim=1)).round()
    assert cues.sum(dim=1).equal(states.sum(dim=1))
    assert ((cues == 0) & (states == 1)).sum(dim=1).double().equal(moved)


def test_every_choice_rests_and_a_damaged_one_comes_back():
    synapses, model, choices = made()
    states = hy.combine(synapses, choices)
    assert ((hy.settle(model, states) > 0).double() == states).all()
    cues = hy.damage(states, 0.2, generator=rng(5))
    assert ((hy.settle(model, cues) > 0).double() == states).all(dim=1).double().mean() > 0.8


def test_all_choices_of_a_small_circuit_are_states():
    synapses = hy.draw_features(9, 10, 200, generator=rng(3)).double()
    model = hy.memory_circuit(synapses, 3)
    choices = torch.tensor(list(itertools.product(range(3), repeat=3)))
    states = hy.combine(synapses, choices)
    assert ((hy.settle(model, states) > 0).double() == states).all()
    assert len(states.unique(dim=0)) == 27


def test_the_matrix_of_the_circuit_by_hand():
    synapses = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    # Two features, two memories in one group, its inhibitory unit, and that of the features.
    assert hy.circuit(synapses, 1).tolist() == [
        [0, 0, 1, 0, 0, -1],
        [0, 0, 0, 1, 0, -1],
        [1, 0, 0, 0, -1, 0],
        [0, 1, 0, 0, -1, 0],
        [0, 0, 1, 1, 0, 0],
        [0, 0, 1, 1, 0, 0],
    ]


def test_inhibitory_units_do_what_the_softmax_does():
    synapses, model, choices = made()
    states = hy.combine(synapses, choices)
    potentials = hy.settle(model, states)
    found = hy.currents(model, hy.circuit(synapses, GROUPS), potentials)
    members = slice(NEURONS, NEURONS + GROUPS * SIZE)
    net = found.excitation - found.inhibition
    # Memory units: rates exp(beta (E - I)); inhibitory units: what they integrate adds up to one.
    assert torch.allclose(found.activity[:, members], (10.0 * net[:, members]).exp())
    inhibitory = slice(NEURONS + GROUPS * SIZE, NEURONS + GROUPS * SIZE + GROUPS)
    assert torch.allclose(found.excitation[:, inhibitory], torch.ones(20, GROUPS, dtype=torch.float64))
    # Feature units: the net current is the potential that they have come to.
    assert torch.allclose(net[:, :NEURONS], potentials, atol=1e-6)
    assert torch.allclose(found.activity[:, -1], torch.full((20,), 0.8, dtype=torch.float64))


def test_errors_of_a_group_by_hand():
    # One unit of one: a rival ties it where its own unit is on, or both hear nothing.
    assert hy.group_error(1, 2, 0.25, 0.0) == pytest.approx(0.25)
    assert hy.group_error(1, 2, 0.25, 1.0) == pytest.approx(1.0)
    assert hy.group_error(1, 3, 0.25, 0.5) == pytest.approx(0.5 + 0.5 * (1 - 0.75**2))
    assert hy.group_error(5, 1, 0.25, 0.5) == 0.0
    assert hy.group_error(40, 2, 0.01, 0.0) == pytest.approx(1e-80, rel=1e-6)


def test_errors_of_a_group_without_replacement_by_hand():
    # Two units of a feature, four active of eight, one of the four turned off: both are kept with chance 1/2. The one
    # rival is met by both of its units with chance 3/14, by one or more with 11/14.
    assert hy.group_error(2, 2, 0.5, 0.25, neurons=8) == pytest.approx(0.5 * 3 / 14 + 0.5 * 11 / 14)
    far = hy.group_error(8, 16, 0.2, 0.5, neurons=10**8)
    assert far == pytest.approx(hy.group_error(8, 16, 0.2, 0.5), rel=1e-5)


def test_errors_of_groups_are_those_of_the_circuit():
    generator = rng(4)
    shown = hy.draw_features(4 * 16, 8, 400, generator=generator).double()
    found = hy.recall_choices(shown, 4, states=2000, share=0.5, generator=generator)
    assert found.wrong.mean().item() == pytest.approx(hy.group_error(8, 16, found.activity, 0.5), rel=0.15)


def test_a_choice_is_recalled_where_no_group_is_wrong():
    synapses, _, _ = made()
    found = hy.recall_choices(synapses, GROUPS, states=300, share=0.5, generator=rng(8))
    assert 0.3 < found.exact.double().mean() < 0.95
    assert found.exact[found.wrong == 0].all()
    assert not found.exact[found.wrong == 1].any()
    assert found.activity == pytest.approx(1 - (1 - ACTIVE / NEURONS) ** GROUPS, rel=0.05)


def test_facts_of_a_matrix_by_hand():
    weights = torch.tensor([[0.0, 2.0, -1.0], [1.0, 0.0, 0.0], [-1.0, 2.0, 0.0]])
    assert hy.constraints(weights) == hy.Constraints(mixed=1, joined=5 / 6, levels=3, synapses=5)
    synapses, _, _ = made()
    facts = hy.constraints(hy.circuit(synapses, GROUPS))
    assert (facts.mixed, facts.levels) == (0, 2)
    assert facts.synapses == 2 * GROUPS * SIZE * ACTIVE + 3 * GROUPS * SIZE + NEURONS


def test_groups_divide_the_memories():
    with pytest.raises(ArgumentError, match="groups: expected a number that divides 6 memories"):
        hy.circuit(torch.ones(6, 3), 4)
    synapses, model, _ = made()
    with pytest.raises(ArgumentError, match="weights: expected int8 weights of 437 neurons"):
        hy.currents(model, torch.zeros(3, 3, dtype=torch.int8), synapses[:2])
