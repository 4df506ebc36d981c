"""Palimpsests: decay against its closed form, bounds walked by hand, synapses counted one by one."""

import math

import numpy as np
import pytest
import torch
from scipy import special

from memscape.arguments import ArgumentError
from memscape.capacity import forgetting as pal
from memscape.capacity.long_tail import weighted_hebbian
from memscape.memory.hopfield import hebbian
from memscape.memory.patterns import random_patterns

from ..draws import rng


def test_strengths_fade_from_the_last_pattern_back():
    assert torch.allclose(pal.fading(3, 2.0, dtype=torch.float64), torch.tensor([-1.0, -0.5, 0.0]).double().exp())
    assert torch.equal(pal.fading(2, 5e-324), torch.tensor([0.0, 1.0]))


def test_the_best_decay_holds_a_share_of_one_over_e_of_the_one_step_load():
    error, neurons = 0.0036, 1000
    best = pal.decay_time(neurons, error)
    load = 1 / special.ndtri(error) ** 2
    assert pal.decay_lifetime(neurons, best, error) == pytest.approx(neurons * load / math.e)
    others = [pal.decay_lifetime(neurons, best * factor, error) for factor in (0.8, 0.9, 1.1, 1.3)]
    assert max(others) < pal.decay_lifetime(neurons, best, error)
    assert pal.decay_lifetime(neurons, 3 * neurons, error) == 0


def test_a_bound_stops_a_coupling_and_a_wide_one_changes_nothing():
    same = torch.ones(5, 3, dtype=torch.float64)
    same[3:, 2] = -1
    found = pal.bounded(same, 2)
    # Units 0 and 1 agree five times; 0 and 2 three times, stopped at 2, then disagree twice.
    assert found.couplings.tolist() == [[0, 2, 0], [2, 0, 0], [0, 0, 0]]
    assert found.unit == 1 / 3
    patterns = random_patterns(200, 9, networks=(2,), generator=rng())
    for wide in (126, 127, 200):  # in eight bits and in sixteen
        assert torch.equal(pal.bounded(patterns, wide).couplings, hebbian(patterns).couplings.clamp(-wide, wide))


def walked(bound, ages):
    """The signal by following every place of the walk forwards, from the step of the pattern on."""
    width = 2 * bound + 1
    step = np.zeros((width, width))
    up = np.zeros((width, width))
    for place in range(width):
        for turn in (-1, 1):
            step[min(max(place + turn, 0), width - 1), place] += 0.5
        up[min(place + 1, width - 1), place] = 1.0
    start = up @ np.full(width, 1 / width)
    places = np.arange(-bound, bound + 1)
    return [places @ np.linalg.matrix_power(step, age) @ start for age in ages]


@pytest.mark.parametrize("bound", [1, 2, 7])
def test_the_signal_under_a_bound_is_that_of_the_walk(bound):
    ages = [0, 1, 2, 5, 30]
    assert pal.bounded_signal(bound, ages) == pytest.approx(walked(bound, ages))
    assert pal.bounded_signal(bound, 0) == pytest.approx(2 * bound / (2 * bound + 1))


def test_the_signal_under_a_bound_is_met_by_networks():
    patterns = random_patterns(400, 60, networks=(30,), generator=rng(3), dtype=torch.float32)
    couplings = pal.bounded(patterns, 4).couplings
    for age in (0, 3, 12):
        pattern = patterns[:, -1 - age]
        found = (pattern[:, None] @ couplings @ pattern[:, :, None]).flatten() / (60 * 59)
        expected = float(pal.bounded_signal(4, age))
        assert abs(found.mean() - expected) < 4 * found.std() / math.sqrt(30)


def test_the_best_bound_holds_eight_tenths_of_the_best_decay():
    neurons, error = 50000, 0.0036
    best = max(pal.bounded_lifetime(neurons, bound, error) for bound in range(55, 90))
    quotient = best / pal.decay_lifetime(neurons, pal.decay_time(neurons, error), error)
    assert quotient == pytest.approx(768 / math.pi**6, rel=0.006)


def test_a_lifetime_under_a_bound_ends_where_the_signal_meets_the_margin():
    neurons, bound, error = 2000, 9, 0.01
    age = pal.bounded_lifetime(neurons, bound, error)
    needed = -special.ndtri(error) * math.sqrt(bound * (bound + 1) / 3 / neurons)
    below, above = pal.bounded_signal(bound, [math.floor(age), math.ceil(age)])
    assert above < needed < below
    assert pal.bounded_lifetime(2, 50, 0.01) == 0


def test_ages_count_back_from_the_last_pattern():
    patterns = random_patterns(6, 40, networks=(2,), generator=rng(1))
    model = weighted_hebbian(patterns, pal.fading(6, 0.5, dtype=torch.float64))
    wrong = pal.wrong_once(model, patterns, [0, 1, 5])
    assert wrong.shape == (2, 3)
    assert (wrong[:, 0] == 0).all()
    assert (wrong[:, 2] > 5).all()
    overlaps = pal.settle(model, patterns, [0, 5], steps=20)
    assert torch.equal(overlaps[:, 0], torch.ones(2, dtype=torch.float64))
    assert (overlaps[:, 1] < 0.9).all()


def test_one_step_errors_of_a_decaying_network_follow_the_law():
    neurons, time = 500, 60.0
    patterns = random_patterns(400, neurons, networks=(12,), generator=rng(5), dtype=torch.float32)
    ages = np.arange(10, 60, 4)
    wrong = pal.wrong_once(weighted_hebbian(patterns, pal.fading(400, time)), patterns, ages)
    found = pal.error_age(wrong, neurons, ages, 0.01)
    assert found.trials == 12
    assert abs(found.value - pal.decay_lifetime(neurons, time, 0.01)) < 0.1 * found.value
    assert found.high - found.low < 0.2 * found.value


def test_the_age_of_an_error_is_where_its_line_crosses():
    ages = np.array([0, 10, 20, 30])
    shares = special.ndtr(-3.0 * np.exp(-ages / 25.0))
    wrong = torch.from_numpy(np.rint(shares * 10**7).astype(np.int64)).expand(3, -1).contiguous()
    found = pal.error_age(wrong, 10**7, ages, float(special.ndtr(-2.0)))
    assert found.value == pytest.approx(25 * math.log(1.5), rel=1e-3)
    assert found.high - found.low < 1e-6
    with pytest.raises(ArgumentError, match="grows with age"):
        pal.error_age(wrong.flip(1), 10**7, ages, 0.02)


def test_patterns_held_are_counted_with_the_span_of_each_age():
    overlaps = torch.tensor([[1.0, 0.95, 0.2, 0.92], [0.1, 0.2, 0.3, 0.9]])
    assert pal.held(overlaps, [0, 5, 10, 15]).tolist() == [15, 0]
    assert pal.held(overlaps, [0, 5, 10, 15], 0.15).tolist() == [20, 15]
    with pytest.raises(ArgumentError, match="ages"):
        pal.held(overlaps, [0, 5, 10, 16])


def test_two_binomial_draws_are_a_population_of_synapses():
    synapses, chance, units, oldest = 50, 0.2, 4000, 6
    draw = np.random.default_rng(1)
    states = draw.choice([-1, 1], (units, synapses))
    one_by_one = []
    for age in range(oldest + 1):
        wanted = np.ones((units, synapses)) if age == 0 else draw.choice([-1, 1], (units, synapses))
        states = np.where(draw.random((units, synapses)) < chance, wanted, states)
        one_by_one.append(states.sum(axis=1) / math.sqrt(synapses))
    counted = pal.agreements(synapses, chance, oldest, units=units, rng=np.random.default_rng(2))
    law = pal.two_valued_signal(synapses, chance, np.arange(oldest + 1))
    for found in (np.array(one_by_one), counted):
        assert (abs(found.mean(axis=1) - law) < 4.5 * found.std(axis=1) / math.sqrt(units)).all()
    assert np.array(one_by_one).var(axis=1) == pytest.approx(counted.var(axis=1), rel=0.15)


def test_a_synapse_that_is_always_set_remembers_one_pattern():
    found = pal.agreements(100, 1.0, 1, units=50, rng=np.random.default_rng(0))
    assert (found[0] == 10).all()
    assert abs(found[1].mean()) < 1


def test_a_lifetime_ends_where_the_signal_is_one():
    signal = 8.0 * 0.5 ** np.arange(6)
    assert pal.lifetime(signal) == pytest.approx(3.0)
    assert pal.lifetime(signal * math.sqrt(2)) == pytest.approx(3.5)
    assert pal.lifetime([0.5, 2.0]) == 0
    with pytest.raises(ArgumentError, match="signals"):
        pal.lifetime([3.0, 2.0])
