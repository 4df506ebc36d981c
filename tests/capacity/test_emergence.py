"""Many loads in one product against the models of the book, metrics by hand, widths of curves that are known."""

import math

import numpy as np
import pytest
import torch
from scipy import optimize, special, stats

from memscape.arguments import ArgumentError
from memscape.capacity import emergence as em
from memscape.capacity.features import mixtures
from memscape.capacity.transients import information
from memscape.memory.hopfield import hebbian
from memscape.memory.mean_field import critical_load
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces

from ..draws import rng

COUNTS = [3, 4, 11, 12, 30]


def drawn(neurons=61, patterns=30, seed=0, dtype=torch.float32):
    return random_patterns(patterns, neurons, generator=rng(seed), dtype=dtype)


def by_turns(patterns, start, sweeps):
    """Settle one state with its couplings written out, in two blocks: halves, then even and odd units."""
    couplings, state = hebbian(patterns.double()).couplings, start.double().clone()
    blocks = [[slice(0, 31), slice(31, 61)], [slice(0, None, 2), slice(1, None, 2)]]
    for sweep in range(sweeps):
        before = state.clone()
        for block in blocks[sweep % 2]:
            field = (couplings @ state)[block]
            state[block] = torch.where(field == 0, state[block], field.sign())
        if torch.equal(state, before):
            return state, True
    return state, False


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
@pytest.mark.parametrize("sweeps", [1, 2, 300])
def test_every_load_is_the_network_of_its_first_patterns(dtype, sweeps):
    patterns = drawn(dtype=dtype)
    starts = torch.cat([patterns[:3], drawn(patterns=2, seed=1, dtype=dtype)])
    found = em.nested_recall(patterns, starts, COUNTS, sweeps=sweeps, choose=True)
    assert found.counts == tuple(COUNTS)
    for place, count in enumerate(COUNTS):
        known, begin = patterns[:count].double(), starts.double()
        once = hebbian(known).update(begin)
        assert torch.equal(found.first[place], 1 - 2 * (once != begin).double().mean(dim=-1))
        assert torch.equal(found.chosen_first[place], (once @ known.mT).argmax(dim=-1))
        for probe, start in enumerate(begin):
            end, rests = by_turns(known, start, sweeps)
            assert found.settled[place, probe] == 1 - 2 * (end != start).double().mean()
            assert found.chosen[place, probe] == (known @ end).argmax()
            # A start that one step leaves as it is needs no sweep to be known to rest.
            assert found.resting[place, probe] == rests or torch.equal(once[probe], start)
    assert found.resting.all() == (sweeps == 300)


def test_a_state_at_rest_has_all_units_along_their_fields():
    patterns = drawn(neurons=240, patterns=60, seed=5)
    found = em.nested_recall(patterns, patterns[:9], [60])
    assert found.resting.all()
    assert (found.settled < found.first).any()
    # Found again by single units: such states do not move.
    model = hebbian(patterns.double())
    ends = []
    for start in patterns[:9].double():
        state, rest = start.clone(), False
        for sweep in range(300):
            before = state.clone()
            blocks = (
                [slice(k, k + 48) for k in range(0, 240, 48)]
                if sweep % 2 == 0
                else [slice(k, None, 5) for k in range(5)]
            )
            for block in blocks:
                field = (model.couplings @ state)[block]
                state[block] = torch.where(field == 0, state[block], field.sign())
            rest = torch.equal(before, state)
            if rest:
                break
        assert torch.equal(model.update(state), state)
        ends.append((state @ start).item() / 240)
    assert found.settled[0].tolist() == pytest.approx(ends)


def test_without_sweeps_the_first_step_is_the_last():
    patterns = drawn()
    once = em.nested_recall(patterns, patterns[:3], COUNTS, sweeps=0)
    assert torch.equal(once.first, once.settled)
    assert once.chosen is None
    assert torch.equal(once.resting, once.first == 1)


def test_a_unit_without_field_keeps_its_value():
    # Units 1 and 2 pull each other, unit 3 hears nothing: the sum of both patterns is 0 in its couplings.
    patterns = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, -1.0]])
    for start in ([1.0, -1.0, -1.0], [1.0, -1.0, 1.0]):
        found = em.nested_recall(patterns, torch.tensor([start]), [2], sweeps=0)
        assert found.first.item() == pytest.approx(-1 / 3)


def test_pieces_change_nothing():
    patterns = drawn()
    whole = em.nested_recall(patterns, patterns[:3], COUNTS, choose=True)
    with pieces.budget(1):
        parts = em.nested_recall(patterns, patterns[:3], COUNTS, choose=True)
    for name in ("first", "settled", "resting", "chosen", "chosen_first"):
        assert torch.equal(getattr(whole, name), getattr(parts, name))


def test_sums_beyond_single_precision_are_taken_in_double():
    overlaps, signs = torch.tensor([[2.0**24, 1.0, 2.0**24]]), torch.tensor([[1.0], [1.0], [-1.0]])
    assert em._heard(overlaps, signs).item() == 1.0
    assert em._heard(overlaps.double(), signs.double()).item() == 1.0


def test_patterns_that_are_not_stored_are_not_chosen():
    # Two stored patterns hold the opposite of the second as well, and the third is that opposite.
    patterns = torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0], [-1.0, -1.0, 1.0, 1.0]])
    found = em.nested_recall(patterns, patterns[2:], [2, 3], choose=True)
    assert found.settled.flatten().tolist() == [1, 1]
    assert found.chosen.flatten().tolist() == found.chosen_first.flatten().tolist() == [0, 2]


def test_drawn_networks_store_the_patterns_of_their_loads():
    found = em.stored_recall(50, [0.1, 0.5], networks=2, probes=3, generator=rng(3), choose=True)
    stream = rng(3)
    for network in range(2):
        patterns = random_patterns(25, 50, generator=stream, dtype=torch.float32)
        alone = em.nested_recall(patterns, patterns[:3], [5, 25], choose=True)
        assert torch.equal(found.settled[network], alone.settled)
        assert torch.equal(found.chosen[network], alone.chosen)
    assert found.counts == (5, 25)


def test_features_are_starts_that_were_never_stored():
    found = em.feature_recall(4, 60, [2.0, 5.0], networks=2, probes=3, generator=rng(4))
    stream = rng(4)
    for network in range(2):
        hidden = random_patterns(4, 60, generator=stream, dtype=torch.float32)
        stored = mixtures(hidden, 20, generator=stream)
        assert torch.equal(found.settled[network], em.nested_recall(stored, hidden[:3], [8, 20]).settled)
    assert found.counts == (8, 20)
    assert found.chosen is None


def test_loads_through_the_jump_are_evenly_spaced_around_its_middle():
    loads = em.jump_loads(2500, 5)
    assert np.diff(np.log(loads)) == pytest.approx(np.full(4, 1.65 * 0.27 * 0.2**0.35 / 4))
    assert loads[0] * math.exp(0.8 * 0.27 * 0.2**0.35) == pytest.approx(1.12 * critical_load())


def test_metrics_read_the_states_that_they_are_asked_of():
    first = torch.tensor([[[1.0, 0.9, 0.88]]], dtype=torch.float64)
    settled = torch.tensor([[[0.9, 1.0, 0.0]]], dtype=torch.float64)
    chosen = torch.tensor([[[0, 1, 5]]]), torch.tensor([[[0, 0, 2]]])
    outcome = em.Outcome((9,), first, settled, torch.ones(1, 1, 3, dtype=torch.bool), *chosen)
    marks = {rest: em.scores(outcome, settled=rest) for rest in (False, True)}
    assert list(marks[True]) == list(em.METRICS)
    assert marks[False]["choice"].flatten().tolist() == [1, 1, 0]
    assert marks[True]["choice"].flatten().tolist() == [1, 0, 1]
    assert marks[False]["near"].flatten().tolist() == [1, 1, 0]
    assert marks[True]["exact"].flatten().tolist() == [0, 1, 0]
    assert torch.equal(marks[True]["information"], information(settled))
    assert torch.equal(marks[False]["overlap"], first)
    assert "choice" not in em.scores(em.Outcome((9,), first, settled, chosen[0] > 0), settled=True)


# Widths


def test_the_width_of_a_straight_line_is_that_between_its_levels():
    axis = np.exp([0.0, 1.0, 2.0, 3.0])
    score = torch.tensor([[[0.9], [0.6], [0.3], [0.0]]])
    falling = em.width(axis, score, levels=(0.75, 0.15), generator=rng())
    assert falling.value == pytest.approx(2.0)
    assert falling.resamples == pytest.approx(np.full(1000, 2.0))
    assert em.width(axis, 1 - score, levels=(0.25, 0.85), generator=rng()).value == pytest.approx(2.0)
    assert em.width(axis, 2 * score, levels=(1.8, 0.3), generator=rng()).value == pytest.approx(2.5)


def test_the_first_passage_counts_and_an_end_stands_in():
    axis = np.exp([0.0, 1.0, 2.0, 3.0, 4.0])
    bumpy = torch.tensor([[[1.0], [0.5], [0.9], [0.2], [0.2]]])
    assert em.width(axis, bumpy, levels=(0.75, 0.4), generator=rng()).value == pytest.approx(2 + 5 / 7 - 0.5)
    assert em.width(axis, bumpy, levels=(0.75, 0.1), generator=rng()).value == pytest.approx(3.5)
    flat = em.width(axis, torch.zeros(1, 5, 1), levels=(0.75, 0.1), generator=rng())
    assert 0 < flat.value <= 1e-6


def test_networks_are_resampled_whole():
    axis = np.exp([0.0, 1.0, 2.0, 3.0])
    curves = torch.tensor([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 0.0]])
    found = em.width(axis, curves[:, :, None].expand(-1, -1, 5), levels=(0.9, 0.1), generator=rng())
    # One alone has the width 0.8; both together pass 0.9 at 0.2 and 0.1 at 2.8.
    assert found.value == pytest.approx(2.6)
    share = np.isclose(found.resamples, 0.8).mean()
    assert share == pytest.approx(0.5, abs=0.06)
    assert np.isclose(found.resamples[~np.isclose(found.resamples, 0.8)], 2.6).all()
    assert found.trials == 2
    estimate = found.estimate
    assert (estimate.low, estimate.high) == (pytest.approx(0.8), pytest.approx(2.6))


def test_a_power_law_of_widths_has_its_exponent_for_a_slope():
    sizes = [100, 400, 900]
    normal = np.random.default_rng(0).normal(size=(3, 1000))
    widths = [em.Width(n**-0.5, n**-0.5 * np.exp(0.1 * row), 7) for n, row in zip(sizes, normal, strict=True)]
    found = em.slope(sizes, widths)
    assert found.value == pytest.approx(-0.5)
    logs = np.log(sizes)
    half = 1.96 * 0.1 / math.sqrt(((logs - logs.mean()) ** 2).sum())
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.1)
    assert found.trials == 21
    # A size that is known badly has little say.
    off = [*widths[:2], em.Width(1.0, np.exp(3 * normal[2]), 7)]
    assert em.slope(sizes, off).value == pytest.approx(-0.5, abs=0.02)


def test_curves_are_joined_by_the_first_that_covers_a_point():
    first, second = ([2.0, 4.0], [20.0, 40.0]), ([1.0, 3.0, 5.0], [-1.0, -3.0, -5.0])
    whole = em.joined([first, second, ([4.0, 4.5, 6.0], [0.0, 0.5, 6.0])])
    assert whole.tolist() == [[1, 2, 4, 5, 6], [-1, 20, 40, -5, 6]]
    assert em.joined([first, ([0.0, 2.0], [9.0, 9.0]), ([4.0, 7.0], [9.0, 9.0])]).tolist() == [
        [0, 2, 4, 7],
        [9, 20, 40, 9],
    ]
    assert em.joined([second]).tolist() == [list(part) for part in second]
    with pytest.raises(ArgumentError, match="curves"):
        em.joined([([2.0, 1.0], [0.0, 0.0])])
    with pytest.raises(ArgumentError, match="curves"):
        em.joined([])


def test_the_middle_is_nearest_to_the_level():
    score = torch.tensor([[[1.0, 0.8], [0.7, 0.7]], [[0.9, 0.9], [0.2, 0.6]]])
    assert [em.middle(score, level) for level in (0.9, 0.5, 0.74)] == [0, 1, 0]


@pytest.mark.parametrize("neurons", [10, 500, 10**6, 10**12])
def test_exact_recall_has_its_share_at_its_load(neurons):
    for share in (0.9, 0.1):
        load = em.exact_load(neurons, share)
        survival = stats.norm.logcdf(1 / math.sqrt(load)) * neurons
        assert math.exp(survival) == pytest.approx(share, rel=1e-6 if neurons < 10**9 else 1e-3)


def test_the_width_of_exact_recall_is_a_logarithm():
    widths = [math.log(em.exact_load(n, 0.1) / em.exact_load(n, 0.9)) * math.log(n) for n in (10**6, 10**14)]
    limit = math.log(math.log(0.1) / math.log(0.9))
    assert abs(widths[1] - limit) < abs(widths[0] - limit) < 0.15 * limit


def test_the_width_of_a_threshold_is_that_of_a_gaussian_step():
    def share(log_load, neurons, level):
        mean = special.erf(1 / math.sqrt(2 * math.exp(log_load)))
        return special.ndtr((mean - level) / math.sqrt((1 - level**2) / neurons))

    for level in (0.5, 0.9):
        ends = [optimize.brentq(lambda x, q=q, m=level: share(x, 10**8, m) - q, -2, 2) for q in (0.9, 0.1)]
        assert em.near_width(10**8, level) == pytest.approx(ends[1] - ends[0], rel=1e-3)
    assert em.near_width(400, 0.9) == pytest.approx(2 * em.near_width(1600, 0.9))


def test_widths_after_one_step_are_those_of_the_laws():
    ask = {"networks": 20, "probes": 40, "sweeps": 0, "generator": rng(1)}
    loads = np.geomspace(0.2, 0.7, 20).tolist()
    near = em.stored_recall(400, loads, **ask)
    found = em.width(
        np.array(near.counts) / 400, em.scores(near, settled=False)["near"], levels=(0.9, 0.1), generator=rng()
    )
    assert found.value == pytest.approx(em.near_width(400, 0.9), rel=0.12)


# Tests of a finite size


def test_first_success_is_where_the_first_of_neighbours_is_right():
    right = torch.tensor([[0, 0, 0, 0, 0, 0, 1], [0, 1, 0, 0, 0, 0, 1], [1, 1, 1, 0, 0, 0, 1]]).bool()
    assert em.first_success(right, 2).tolist() == [1, 2, 3]
    assert em.first_success(right, 7).tolist() == [0]
    assert em.first_success(right, 1).tolist() == [2, 1, 2, 3, 3, 3, 0]


def test_the_law_of_first_success_is_that_of_independent_items():
    shares = np.array([0.0, 0.01, 0.2, 0.6])
    law = em.first_success_law(shares, 5)
    assert law.sum() == pytest.approx(1.0)
    assert law[1] == pytest.approx(1 - 0.99**5)
    assert law[2] == pytest.approx(0.99**5 * (1 - 0.8**5))
    assert law[4] == pytest.approx((0.99 * 0.8 * 0.4) ** 5)
    right = torch.rand(4, 200000, generator=rng()) < torch.tensor(shares)[:, None]
    counted = np.bincount(em.first_success(right, 5).numpy(), minlength=5) / 40000
    assert np.abs(counted - law).max() < 0.01


def test_sets_of_items_are_counted():
    assert em.all_right([0, 2, 3, 5, 6], 6, 3) == pytest.approx([0, 0, 1 / 20, 10 / 20, 1])
    assert em.all_right([[4]], 4, 4).tolist() == [[1.0]]
    assert em.all_right(999, 1000, 100) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: em.nested_recall(drawn(), drawn()[:1], [4, 4]), "counts"),
        (lambda: em.nested_recall(drawn(), drawn()[:1], [31]), "counts"),
        (lambda: em.nested_recall(drawn(), drawn(neurons=60)[:1], [3]), "starts"),
        (lambda: em.nested_recall(drawn(), drawn()[:1], [3], choose=1), "choose"),
        (lambda: em.stored_recall(50, [0.1, 0.105], networks=1, probes=1, generator=rng()), "loads"),
        (lambda: em.stored_recall(50, [0.1], networks=1, probes=6, generator=rng()), "probes"),
        (lambda: em.feature_recall(4, 50, [2.0, 1.0], networks=1, probes=1, generator=rng()), "ratios"),
        (lambda: em.feature_recall(4, 50, [2.0], networks=1, probes=5, generator=rng()), "probes"),
        (lambda: em.width([1.0, 1.0], torch.ones(1, 2, 1), levels=(1, 0), generator=rng()), "axis"),
        (lambda: em.width([1.0, 2.0], torch.ones(1, 2, 1), levels=(1, 1), generator=rng()), "levels"),
        (lambda: em.slope([9, 9], [em.Width(1.0, np.ones(3), 1)] * 2), "sizes"),
        (lambda: em.exact_load(10, 1e-4), "share"),
        (lambda: em.first_success(torch.ones(2, 3), 1), "right"),
        (lambda: em.first_success_law([0.5, 1.5], 1), "shares"),
        (lambda: em.all_right([7], 6, 2), "right"),
        (lambda: em.scores(None, settled=True), "outcome"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, named):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == named
