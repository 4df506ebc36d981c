"""Few synapses, near ones, and one bit each: stores by hand, laws in closed form."""

import math
from functools import partial

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import dilution as dil
from memscape.memory.hopfield import hebbian
from memscape.memory.patterns import random_patterns
from memscape.tools.statistics import Estimate

from ..draws import rng


def test_a_store_with_everything_is_hebbs():
    patterns = random_patterns(5, 12, generator=rng(1), dtype=torch.float32)
    assert dil.store(patterns, generator=rng(2)).couplings.equal(hebbian(patterns).couplings)
    clipped = dil.store(patterns, clip=True, generator=rng(2))
    assert clipped.couplings.equal(hebbian(patterns).couplings.sign())
    assert set(clipped.couplings.unique().tolist()) == {-1.0, 0.0, 1.0}
    assert clipped.unit == 1 / 12


def test_a_thinned_store_is_symmetric_and_keeps_its_share():
    patterns = random_patterns(3, 400, generator=rng(1), dtype=torch.float32)
    thin = dil.store(patterns, kept=0.25, generator=rng(2)).couplings
    full = hebbian(patterns).couplings
    assert thin.equal(thin.mT)
    assert thin[thin != 0].equal(full[thin != 0])  # an odd number of patterns: no synapse is zero by itself
    pairs = 400 * 399 / 2
    assert abs((thin != 0).sum().item() / 2 / pairs - 0.25) < 5 * math.sqrt(0.25 * 0.75 / pairs)
    assert dil.store(patterns, kept=0.25, generator=rng(2)).couplings.equal(thin)
    assert not dil.store(patterns, kept=0.25, generator=rng(3)).couplings.equal(thin)


def test_a_ring_joins_the_nearest():
    patterns = random_patterns(3, 10, generator=rng(1), dtype=torch.float32)
    ring = dil.store(patterns, kept=0.4, near=True, generator=rng(2)).couplings != 0
    assert ring[0].tolist() == [False, True, True, False, False, False, False, False, True, True]
    assert (ring.sum(dim=1) == 4).all()
    assert ring.equal(ring.mT)


def test_one_pattern_is_held_and_the_first_step_is_noted():
    found = dil.held(partial(dil.store, generator=rng(1)), 30, [1, 2], networks=2, probes=3, steps=4, generator=rng(2))
    assert found.first.shape == found.last.shape == (2, 2, 3)
    assert (found.last[0] == 1).all()
    assert found.errors[0].value == 0.0


def test_errors_count_the_bits_of_the_first_step():
    first = torch.tensor([[[0.5, 1.0], [0.0, 1.0]]], dtype=torch.float64)
    found = dil.Held((3,), first, first, 8)
    assert found.errors[0].value == 6 / 32


def test_half_of_the_starts():
    kept = torch.tensor([[[0.95, 0.95], [1.0, 0.92]], [[0.95, 0.1], [0.95, 0.1]], [[0.2, 0.1], [0.3, 0.1]]])
    assert dil.load_at_half([10, 20, 30], kept) == Estimate(20.0, 20.0, 20.0, 2)
    assert dil.load_at_half([10, 20, 30], kept, level=0.05).value == 30.0
    # One network passes one half in the middle, the other at the first count already.
    some = torch.tensor([[[1.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]])
    found = dil.load_at_half([10, 20], some)
    assert found.value == 12.5
    assert found.low < 12.5 < found.high


def test_a_local_overlap_goes_round():
    state = torch.tensor([1.0, 1.0, -1.0, 1.0, 1.0])
    found = dil.local_overlap(state, torch.ones(5), 3)
    assert torch.allclose(found, torch.tensor([1.0, 1 / 3, 1 / 3, 1 / 3, 1.0]))
    assert dil.local_overlap(state, state, 5).tolist() == [1.0] * 5
    with pytest.raises(ArgumentError, match="width: expected an odd number"):
        dil.local_overlap(state, state, 2)


def test_counts_must_rise():
    with pytest.raises(ArgumentError, match="counts: expected 2 or more rising"):
        dil.load_at_half([3, 3], torch.ones(2, 2, 2))
    with pytest.raises(ArgumentError, match="counts: expected 2 or more rising"):
        dil.load_at_half([3], torch.ones(1, 2, 2))


def test_a_single_pattern_stays_where_units_hear_one_way():
    assert dil.one_way(50, 3, 1, probes=1, steps=3, generator=rng(1)).tolist() == [[1.0] * 4]


def test_one_way_networks_step_by_hand():
    # The same draws made plainly.
    neurons, inputs, count = 40, 4, 5
    found = dil.one_way(neurons, inputs, count, probes=2, steps=1, generator=rng(7))
    again = rng(7)
    stored = random_patterns(count, neurons, generator=again, dtype=torch.float32)
    others = torch.randint(1, neurons, (neurons, inputs), generator=again)
    after = []
    for probe in stored[:2]:
        fields = []
        for i in range(neurons):
            sources = [(i + int(o)) % neurons for o in others[i]]
            assert i not in sources
            fields.append(sum(float((stored[:, i] * stored[:, j]).sum()) * float(probe[j]) for j in sources))
        new = [math.copysign(1, h) if h else float(s) for h, s in zip(fields, probe, strict=True)]
        after.append(float(np.mean(np.array(new) * probe.numpy())))
    assert found[:, 1].tolist() == pytest.approx(after)


def test_the_gaussian_law_is_a_fixed_point_and_ends():
    load = torch.tensor([0.05, 0.3, 0.5, 0.63, 0.64, 2.0], dtype=torch.float64)
    rest = dil.gaussian_rest(load)
    assert torch.allclose(torch.erf(rest / (2 * load).sqrt()), rest, atol=1e-9)
    assert (rest[:4] > 0.1).all()
    assert (rest[4:] == 0).all()
    assert (rest.diff() <= 0).all()


def test_the_binomial_law_by_hand():
    # One input and two patterns: crosstalk agrees with the pattern or cancels it, and then the value is kept.
    # m' = 1/2 (m) + 1/2 (m) = m for a tie that keeps m: every overlap rests, and the pattern does.
    assert dil.binomial_rest(1, 2) == 1.0
    # Two other patterns against one input: +3, +1, -1 times the input's side; the chances are 1/4, 1/2, 1/4.
    # m' = m (1/4 + 1/2 - 1/4) = m / 2.
    assert dil.binomial_rest(1, 3, steps=1) == pytest.approx(0.5)
    assert dil.binomial_rest(1, 3, steps=3) == pytest.approx(0.125)
    assert dil.binomial_rest(7, 1) == 1.0


def test_the_binomial_law_tends_to_the_gaussian():
    near = [abs(dil.binomial_rest(k, k // 4 + 1) - dil.gaussian_rest(torch.tensor([0.25])).item()) for k in (20, 2000)]
    assert near[1] < 1e-3 < near[0]


def test_the_binomial_law_is_what_networks_do():
    paths = dil.one_way(4000, 9, 4, probes=4, steps=1, generator=rng(5))
    law = dil.binomial_rest(9, 4, steps=1)
    assert abs(paths[:, 1].mean().item() - law) < 4 * math.sqrt((1 - law**2) / 16000)
