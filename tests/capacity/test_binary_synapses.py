"""Sparse patterns on binary synapses of one network: counts by brute force."""

import itertools
import math

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.capacity import binary_synapses as bs

from ..draws import rng


@pytest.mark.parametrize(("active", "neurons"), [(3, 12), (5, 20), (100, 400)])
def test_codes_are_sets(active, neurons):
    codes = bs.draw_codes(500, active, neurons, generator=rng(1))
    assert codes.shape == (500, active)
    assert (codes.sort(dim=1).values.diff(dim=1) > 0).all()
    # Every unit is in a set as often as any other.
    often = codes.flatten().bincount(minlength=neurons).double()
    mean = 500 * active / neurons
    assert (often - mean).abs().max() < 5 * math.sqrt(mean * (1 - active / neurons))


def every(neurons, active, count):
    """Density of every sequence of patterns."""
    sets = list(itertools.combinations(range(neurons), active))
    found = []
    for some in itertools.product(sets, repeat=count):
        on = {pair for one in some for pair in itertools.combinations(one, 2)}
        found.append(len(on) / math.comb(neurons, 2))
    return np.array(found)


@pytest.mark.parametrize(("active", "count"), [(1, 2), (2, 1), (2, 2)])
def test_density_of_every_sequence_of_patterns(active, count):
    found = every(8, active, count)
    mean, deviation = bs.density(8, active, count)
    assert mean == pytest.approx(found.mean(), abs=1e-12)
    assert deviation == pytest.approx(found.std(), abs=1e-9)


def test_density_of_larger_patterns():
    found = every(12, 3, 2)
    assert bs.density(12, 3, 2) == pytest.approx((found.mean(), found.std()), rel=1e-9)


def test_density_of_many_patterns_of_a_large_network():
    found = bs.recall_themselves(300, 8, [100, 700], recalls=1, networks=40, generator=rng(2)).on[1]
    mean, deviation = bs.density(300, 8, 700)
    assert abs(found.mean().item() - mean) < 4 * deviation / math.sqrt(40)
    assert 0.6 < found.std().item() / deviation < 1.5


def test_a_clean_share_by_hand():
    on, _ = bs.density(20, 2, 5)
    assert bs.clean_share(20, 2, 5) == pytest.approx((1 - on**2) ** 18)


def test_a_full_network_is_never_clean():
    assert bs.clean_share(20, 5, 10**6) == 0.0
    found = bs.recall_themselves(20, 5, [20_000], recalls=3, networks=1, generator=rng(1))
    assert found.on.tolist() == [[1.0]]
    assert (found.extra == 15).all()


def test_a_lone_pattern_recalls_itself():
    found = bs.recall_themselves(40, 6, [1], recalls=1, networks=3, generator=rng(1))
    assert (found.extra == 0).all()
    assert found.on[0].tolist() == pytest.approx([math.comb(6, 2) / math.comb(40, 2)] * 3)


def test_recalls_by_brute_force():
    neurons, active, counts = 16, 3, [8, 12]
    found = bs.recall_themselves(neurons, active, counts, recalls=8, networks=1, generator=rng(9))
    codes = bs.draw_codes(counts[-1], active, neurons, generator=rng(9)).tolist()
    for row, count in enumerate(counts):
        on = {frozenset(pair) for code in codes[:count] for pair in itertools.combinations(code, 2)}
        extra = [
            sum(all(frozenset((i, j)) in on for j in code) for i in range(neurons) if i not in code)
            for code in codes[:8]
        ]
        assert found.extra[row, 0].tolist() == extra
        assert found.on[row].tolist() == pytest.approx([len(on) / math.comb(neurons, 2)])
    assert found.extra.sum() > 0


def test_counts_must_rise():
    with pytest.raises(ArgumentError, match="counts: expected one or more rising"):
        bs.recall_themselves(16, 3, [4, 4], recalls=2, networks=1, generator=rng(1))


def test_crowded_codes_are_refused():
    with pytest.raises(ArgumentError, match="active"):
        bs.draw_codes(2, 4, 12, generator=rng(1))
