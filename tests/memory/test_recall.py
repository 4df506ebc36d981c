"""Counting against what the models do, and intervals against what they promise."""

from functools import partial

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory import hopfield, mean_field, recall, simplicial
from memscape.memory.dense import DenseMemory, Power
from memscape.memory.dynamics import synchronous
from memscape.memory.patterns import flip, random_patterns
from memscape.tools.complexes import sample
from memscape.tools.statistics import Estimate

from ..draws import rng

SQUARE = partial(DenseMemory, interaction=Power(2))
CUBIC = partial(DenseMemory, interaction=Power(3))


def test_estimates_take_networks_for_trials_once_there_are_ten():
    wrong = torch.tensor([[0, 0], [5, 5]]).repeat(5, 1)
    few = recall.Recall(wrong[:8], 5, wrong[:8] == 0)
    many = recall.Recall(wrong, 5, wrong == 0)
    assert (few.exact.trials, many.exact.trials) == (16, 10)
    assert few.exact.value == many.exact.value == many.bit_error.value == 0.5
    assert many.within(4).value == 0.5
    assert many.within(5).value == 1.0
    error = many.bit_error
    assert many.mean_overlap == Estimate(0.0, 1 - 2 * error.high, 1 - 2 * error.low, 10)
    assert many.overlap.tolist() == [[1.0, 1.0], [-1.0, -1.0]] * 5


def test_one_pattern_is_recalled_from_itself_and_from_afar():
    for build in (hopfield.hebbian, CUBIC):
        near = recall.from_patterns(build, 20, 1, networks=3, probes=1, generator=rng(0))
        assert near.exact.value == 1.0
        assert near.resting.all()
    # The rectified power has no image of the pattern to fall into; Hopfield's half of the time ends in it.
    far = recall.from_random(CUBIC, 21, 1, networks=12, probes=9, generator=rng(0))
    assert far.exact.value == 1.0
    image = recall.from_random(hopfield.hebbian, 21, 1, networks=12, probes=40, generator=rng(0))
    assert set(image.wrong.unique().tolist()) == {0, 21}
    assert image.exact.low < 0.5 < image.exact.high


def test_one_step_counts_what_the_update_turns():
    found = recall.one_step(SQUARE, 12, 30, networks=4, probes=6, generator=rng(3))
    patterns = random_patterns(30, 12, networks=(4,), generator=rng(3))
    turned = DenseMemory(patterns, Power(2)).update(patterns[:, :6]) != patterns[:, :6]
    assert torch.equal(found.wrong, turned.sum(dim=-1))
    assert torch.equal(found.resting, found.wrong == 0)


def test_a_curve_looks_at_the_bits_it_was_asked_for():
    points = recall.step_curve(CUBIC, 20, [5, 60, 1000], bits=10_400, generator=rng(8))
    assert [tuple(point.wrong.shape) for point in points] == [(104, 5), (11, 48), (11, 48)]
    errors = [point.bit_error.value for point in points]
    assert errors == sorted(errors)
    # Never fewer than ten networks, which are then the trials.
    assert tuple(recall.step_curve(CUBIC, 20, [60], bits=500, generator=rng(8))[0].wrong.shape) == (10, 3)


def test_independent_errors_leave_no_excess_and_its_interval_is_honest():
    draws = torch.from_numpy(np.random.default_rng(10).binomial(30, 0.03, (300, 20, 40)))
    found = [recall.Recall(wrong, 30, wrong == 0).excess for wrong in draws]
    # 800 probes: no single one is far from zero, their mean is at it, and the intervals cover it as often as they say.
    assert abs(np.mean([point.value for point in found])) < 0.002
    assert 0.90 <= np.mean([point.low <= 0 <= point.high for point in found]) <= 0.99


def test_errors_that_go_together_leave_an_excess():
    # All wrong or all right: exact recall is 1 - epsilon, and (1 - epsilon)**N is next to nothing.
    wrong = torch.tensor([[0, 0, 0, 10]]).repeat(12, 1)
    found = recall.Recall(wrong, 10, wrong == 0).excess
    assert (found.value, found.trials) == (pytest.approx(0.75 - 0.75**10), 12)


def test_settling_from_a_pattern_measures_the_distance_to_it_and_from_random_to_the_nearest():
    build = SQUARE
    start = recall.from_patterns(build, 12, 8, networks=5, probes=8, generator=rng(3))
    anywhere = recall.from_random(build, 12, 8, networks=5, probes=8, generator=rng(3))
    assert start.wrong.shape == anywhere.wrong.shape == (5, 8)
    # Eight patterns of twelve bits are too many: some probes leave, and the nearest pattern is never the far side.
    assert 0 < start.exact.value < 1
    assert anywhere.wrong.max() <= 6


def test_networks_come_in_batches_that_do_not_change_the_numbers(monkeypatch):
    measure = partial(recall.one_step, CUBIC, 15, 40, networks=7, probes=5)
    whole = measure(generator=rng(4)).wrong
    monkeypatch.setattr(recall, "_DRAWN", 1)
    assert torch.equal(measure(generator=rng(4)).wrong, whole)


def test_the_classical_network_loses_its_patterns_between_loads_of_a_tenth_and_a_quarter():
    measured = [
        recall.from_patterns(hopfield.hebbian, 400, round(load * 400), networks=4, probes=8, generator=rng(5))
        for load in (0.05, 0.10, 0.25)
    ]
    overlaps = [found.overlap.mean().item() for found in measured]
    # One wrong bit in ten thousand at a load of 0.05; the theory of Amit et al. gives 0.998 and 0.995 below the jump.
    expected = mean_field.retrieval(torch.tensor([0.05, 0.10], dtype=torch.float64), torch.zeros(2).double()).overlap
    assert overlaps[:2] == pytest.approx(expected.tolist(), abs=0.01)
    assert overlaps[2] < 0.6


def test_in_step_is_one_update_and_where_the_steps_end():
    simplices = sample(40, {1: 300, 2: 300}, networks=(3,), generator=rng(36))
    build = partial(simplicial.store, simplices=simplices)
    found = recall.in_step(build, 40, 12, networks=3, probes=5, flips=4, generator=rng(37))
    generator = rng(37)
    xi = random_patterns(12, 40, networks=(3,), generator=generator)
    start = flip(xi[:, :5], 4, generator=generator)
    model = build(xi)
    once, end = model.update(start), synchronous(model, start)
    assert torch.equal(found.first.by_network, (once * xi[:, :5]).mean(dim=(1, 2)))
    assert torch.equal(found.last.by_network, (end.state * xi[:, :5]).mean(dim=(1, 2)))
    assert torch.equal(found.first.wrong, (once != xi[:, :5]).sum(dim=-1))
    assert torch.equal(found.first.resting, (once == start).all(dim=-1))
    assert torch.equal(found.last.resting, end.converged)
    assert found.last.overlap.mean(dim=1).tolist() == pytest.approx(found.last.by_network.tolist())
    mended = recall.in_step(build, 40, 1, networks=3, probes=9, flips=4, generator=rng(38))
    assert mended.last.by_network.tolist() == [1.0, 1.0, 1.0]
    assert mended.last.wrong.shape == (3, 1), "all patterns where there are fewer than the probes asked for"
    assert mended.last.resting.all()
    assert torch.equal(mended.first.wrong, mended.last.wrong)
    assert not mended.first.resting.any(), "the first step turned what was wrong"


# Refusals


def measure(function, **changes):
    """Call a counting function with good arguments but for the changes."""
    good = {"neurons": 10, "count": 4, "networks": 2, "probes": 2, "generator": rng(0)}
    arguments = {**good, **changes}
    return function(hopfield.hebbian, arguments.pop("neurons"), arguments.pop("count"), **arguments)


COUNTING = [recall.one_step, recall.from_patterns, recall.from_random, recall.in_step]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: recall.Recall(torch.zeros(1, 1), 5, torch.ones(1, 1)).within(6),
            "errors: expected an integer in [0, 5]",
        ),
        *[
            (partial(measure, function, **changes), message)
            for function in COUNTING
            for changes, message in (
                ({"neurons": 1}, "neurons: expected an integer >= 2; got 1"),
                ({"count": 0}, "count: expected an integer >= 1; got 0"),
                ({"networks": 0}, "networks: expected an integer >= 1; got 0"),
                ({"probes": 0}, "probes: expected an integer"),
                ({"generator": 7}, "generator: expected a torch.Generator; got int"),
                ({"device": "nowhere"}, "device: expected a device of this machine; got 'nowhere'"),
            )
        ],
        (lambda: recall.step_curve(SQUARE, 10, [5], bits=0, generator=rng(0)), "bits: expected an integer >= 1; got 0"),
        (
            lambda: recall.step_curve(SQUARE, 10, [0], bits=9, generator=rng(0)),
            "counts: expected an integer >= 1; got 0",
        ),
        (
            lambda: recall.step_curve(SQUARE, 1, [5], bits=9, generator=rng(0)),
            "neurons: expected an integer >= 2; got 1",
        ),
        (lambda: measure(recall.one_step, probes=5), "probes: expected an integer in [1, 4]; got 5"),
        (lambda: measure(recall.from_patterns, probes=5), "probes: expected an integer in [1, 4]; got 5"),
        (lambda: measure(recall.from_random, sweeps=0), "sweeps: expected an integer >= 1; got 0"),
        (lambda: measure(recall.from_patterns, dtype=torch.int64), "dtype: expected a floating torch.dtype"),
        (lambda: measure(recall.in_step, flips=11), "count: expected an integer in [0, 10]; got 11"),
        (lambda: measure(recall.in_step, steps=0), "steps: expected an integer >= 1; got 0"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
