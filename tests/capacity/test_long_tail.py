"""The long tail: scores against all subsets one by one, laws against the networks that they are about."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.capacity import capacity as cap
from memscape.capacity import long_tail as lt
from memscape.memory import hopfield, mean_field
from memscape.memory.dynamics import synchronous
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces

from ..draws import rng

shares = st.sampled_from([0.1, 0.5, 0.7, 0.95])


def answered(distances, right, kept, share):
    """Probability that the memory is right, over all subsets, with some members fixed to be in or out."""
    total = 0.0
    for subset in itertools.product((False, True), repeat=len(right)):
        if any(subset[member] != there for member, there in kept.items()):
            continue
        chance = math.prod(share if subset[i] else 1 - share for i in range(len(right)) if i not in kept)
        present = [i for i in range(len(right)) if subset[i]]
        if present:
            first = min(distances[i] for i in present)
            ties = [i for i in present if distances[i] == first]
            total += chance * sum(right[i] for i in ties) / len(ties)
    return total


@st.composite
def lists(draw):
    """Distances with ties, and whether each neighbour is right."""
    size = draw(st.integers(1, 6))
    distances = sorted(draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)))
    return distances, draw(st.lists(st.booleans(), min_size=size, max_size=size))


def tensors(distances, right):
    return torch.tensor(distances, dtype=torch.float64), torch.tensor(right)


@given(lists(), shares)
def test_scores_are_what_all_subsets_say(case, share):
    distances, right = case
    given_ = tensors(*case)
    assert lt.accuracy(*given_, share=share).item() == pytest.approx(answered(distances, right, {}, share), abs=1e-12)
    wanted = [
        answered(distances, right, {i: True}, share) - answered(distances, right, {i: False}, share)
        for i in range(len(right))
    ]
    assert lt.influence(*given_, share=share).tolist() == pytest.approx(wanted, abs=1e-12)
    itself = ([0, *distances], [True, *right])
    wanted = answered(*itself, {0: True}, share) - answered(*itself, {0: False}, share)
    assert lt.memorisation(*given_, share=share).item() == pytest.approx(wanted, abs=1e-12)


def test_a_lone_neighbour_counts_as_the_series_says():
    right = torch.tensor([[False, True, False, True], [True, True, True, True]])
    distances = torch.arange(1.0, 5.0, dtype=torch.float64).expand(2, 4)
    q = 0.7
    series = torch.tensor([q * (1 - q) ** k for k in range(4)], dtype=torch.float64)
    torch.testing.assert_close(lt.memorisation(distances, right, share=q), 1 - (series * right).sum(dim=1))


@given(st.lists(st.booleans(), min_size=2, max_size=12))
def test_above_one_half_no_score_lies_between_what_the_first_neighbour_decides(right):
    found = lt.memorisation(*tensors(range(1, len(right) + 1), right), share=0.7).item()
    assert (found <= 0.3 + 1e-12) if right[0] else (found >= 0.7 - 1e-12)


def test_the_mean_score_is_the_error_on_an_example_that_was_left_out():
    # All of a small population take turns at being the test example.
    points = torch.randn(9, 2, generator=rng(), dtype=torch.float64)
    labels = torch.arange(9) % 2
    near = lt.neighbours(points, 8)
    right = labels[near.indices] == labels[:, None]
    left_out = [answered(near.distances[i].tolist(), right[i].tolist(), {}, 0.6) for i in range(len(points))]
    mean = lt.memorisation(near.distances, right, share=0.6).mean().item()
    assert mean == pytest.approx(1 - np.mean(left_out), abs=1e-12)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("size", [1, 2**28])
def test_neighbours_are_those_of_the_whole_table(dtype, size):
    points = torch.randint(0, 4, (60, 5), generator=rng()).to(dtype)  # many ties
    asked = torch.randint(0, 4, (13, 5), generator=rng(1)).to(dtype)
    table = (asked[:, None] - points).square().sum(dim=2)
    with pieces.budget(size):
        found = lt.neighbours(points, 60, queries=asked)
        among = lt.neighbours(points, 59)
    order = table.sort(dim=1, stable=True)
    assert torch.equal(found.distances, order.values)
    assert torch.equal(found.indices, order.indices)
    table = (points[:, None] - points).square().sum(dim=2).fill_diagonal_(math.inf)
    order = table.sort(dim=1, stable=True)
    assert torch.equal(among.distances, order.values[:, :-1])
    assert torch.equal(among.indices, order.indices[:, :-1])


def test_pixels_of_eight_bits_have_exact_distances_in_single_precision():
    pixels = torch.randint(-128, 128, (40, 784), generator=rng()).float()
    pixels[1::2] = (pixels[::2] + torch.randint(-9, 10, (20, 784), generator=rng(1))).clamp(-128, 127)
    found, exact = lt.neighbours(pixels, 1), lt.neighbours(pixels.double(), 1)
    assert torch.equal(found.distances.double(), exact.distances)
    assert torch.equal(found.indices, exact.indices)


def test_half_precision_is_computed_in_single():
    points = torch.randint(-100, 100, (20, 30), generator=rng()).half()
    found = lt.neighbours(points, 5)
    assert found.distances.dtype == torch.float32
    assert torch.equal(found.distances, lt.neighbours(points.float(), 5).distances)


def test_the_first_kept_answers_choice_by_choice():
    indices = torch.stack([torch.randperm(9, generator=rng(i))[:4] for i in range(6)])
    right = torch.rand(6, 4, generator=rng(8)) < 0.5
    kept = torch.rand(20, 9, generator=rng(7)) < 0.3
    wanted = [
        [next((right[q, k].item() for k in range(4) if keep[indices[q, k]]), False) for q in range(6)] for keep in kept
    ]
    assert lt.recalled(indices, right, kept).tolist() == wanted
    with pieces.budget(1):
        assert lt.recalled(indices, right, kept).tolist() == wanted
    assert {answer for row in wanted for answer in row} == {False, True}


def test_answers_without_the_first_are_counted():
    indices = torch.stack([torch.randperm(9, generator=rng(i))[:4] for i in range(6)])
    right = torch.rand(6, 4, generator=rng(7)) < 0.5
    kept = torch.rand(50, 9, generator=rng(8)) < 0.5
    hits, choices = lt.held_out(indices, right, kept)
    for query in range(6):
        without = [keep for keep in kept if not keep[indices[query, 0]]]
        answers = [next((right[query, k] for k in range(4) if keep[indices[query, k]]), False) for keep in without]
        assert (hits[query], choices[query]) == (sum(answers), len(without))
    assert 0 < hits.sum() < choices.sum()


def test_who_is_helped_is_found_one_by_one():
    indices = torch.stack([torch.randperm(9, generator=rng(i))[:4] for i in range(6)])
    scores = torch.randint(-2, 3, (6, 4), generator=rng(7)).double() / 4
    found = lt.helped(indices, scores, 12)
    for memory in range(12):
        mine = [(scores[q, k].item(), q) for q in range(6) for k in range(4) if indices[q, k] == memory]
        best = max([score for score, _ in mine] + [0.0])
        assert found.total[memory] == sum(score for score, _ in mine)
        assert found.best[memory] == best
        assert found.query[memory] == min([q for score, q in mine if score == best > 0], default=-1)
    assert (found.query == -1).any()
    assert (found.query >= 0).any()


@pytest.mark.parametrize("power", [1, 3, 40])
def test_a_vote_is_counted_part_by_part(power):
    images = torch.nn.functional.normalize(torch.randn(14, 3, generator=rng(), dtype=torch.float64), dim=1)
    labels = torch.arange(14) % 3
    given_ = {"share": 0.7, "subsets": 9}
    kept = torch.rand(14, 9, generator=rng(1)) < 0.7
    voices = (images @ images.T).clamp(min=0) ** power
    wanted = torch.zeros(2, 14, dtype=torch.float64)
    for i, part in itertools.product(range(14), range(9)):
        votes = [sum(voices[i, j] for j in range(14) if kept[j, part] and j != i and labels[j] == y) for y in range(3)]
        wanted[0, i] += (max(range(3), key=lambda y: votes[y]) != labels[i]) / 9
        votes[labels[i]] += voices[i, i]
        wanted[1, i] += (max(range(3), key=lambda y: votes[y]) != labels[i]) / 9
    for budget in (1, 2**28):
        with pieces.budget(budget):
            found = lt.votes(images, labels, power, generator=rng(1), **given_)
        torch.testing.assert_close(torch.stack([found.left_out, found.stored]), wanted)
        torch.testing.assert_close(found.memorisation, wanted[0] - wanted[1])
    assert 0 < found.memorisation.mean() < 1


def test_a_steep_vote_memorises_what_the_nearest_memory_does():
    images = torch.nn.functional.normalize(torch.randn(40, 4, generator=rng(), dtype=torch.float64), dim=1)
    labels = torch.randint(0, 2, (40,), generator=rng(1))
    near = lt.neighbours(images, 39)
    exact = lt.memorisation(near.distances, labels[near.indices] == labels[:, None], share=0.7)
    found = lt.votes(images, labels, 1000, share=0.7, subsets=4000, generator=rng(2)).memorisation
    # 40 shares of 4000 parts each: four standard errors of the worst.
    assert (found - exact).abs().max() < 4 * 0.5 / math.sqrt(4000)


def test_equal_strengths_are_the_rule_of_hebb():
    patterns = random_patterns(7, 12, networks=(3,), generator=rng())
    found = lt.weighted_hebbian(patterns, torch.ones(7, dtype=torch.float64))
    torch.testing.assert_close(found.couplings, hopfield.hebbian(patterns).couplings)
    assert found.unit == hopfield.hebbian(patterns).unit


def test_a_strength_of_two_is_a_pattern_stored_twice():
    patterns = random_patterns(3, 12, generator=rng())
    twice = hopfield.hebbian(torch.cat([patterns, patterns[:1]]))
    strengths = torch.tensor([2.0, 1.0, 1.0], dtype=torch.float64)
    torch.testing.assert_close(lt.weighted_hebbian(patterns, strengths).couplings, twice.couplings)


def test_what_is_counted_is_what_the_couplings_do():
    strengths = torch.tensor([[4.0, 2.0, 1.0, 1.0, 1.0, 0.5], [1.0] * 6])
    size = {"probes": 4, "networks": 5}
    errors = lt.ranked_errors(15, strengths, generator=rng(), **size)
    ends = lt.ranked_overlaps(15, strengths, generator=rng(), **size)
    draw = rng()
    for network in range(5):
        patterns = random_patterns(6, 15, generator=draw, dtype=torch.float32)
        for law in range(2):
            model = lt.weighted_hebbian(patterns, strengths[law])
            wrong = (model.update(patterns[:4]) != patterns[:4]).sum(dim=1)
            assert torch.equal(errors[law, network], wrong)
            overlap = (synchronous(model, patterns[:4]).state * patterns[:4]).double().mean(dim=1)
            torch.testing.assert_close(ends[law, network], overlap)
    assert errors.sum() > 0


@pytest.mark.parametrize("exponent", [0.3, 0.75, 1.0, 2.0])
def test_the_rank_held_at_once_has_the_error_asked_for(exponent):
    rank = lt.held_at_once(5000, 3000, exponent, 0.01)
    strengths = np.arange(1, 3001) ** -exponent
    noise = math.sqrt(((strengths**2).sum() - rank ** (-2 * exponent)) / 4999)
    load = torch.tensor((noise / rank**-exponent) ** 2, dtype=torch.float64)
    assert cap.gaussian_error(load, 2).item() == pytest.approx(0.01, rel=1e-9)


def test_ranks_held_at_once_are_those_counted():
    strengths = torch.arange(1, 301, dtype=torch.float64)[None] ** -0.5
    errors = lt.ranked_errors(300, strengths, probes=60, networks=40, generator=rng())[0].double().mean(dim=0) / 300
    ranks = [10, 20, 30, 40, 50]
    for rank in ranks:  # 12,000 bits a rank
        law = lt.held_at_once(300, 300, 0.5, errors[rank - 1].item())
        assert law == pytest.approx(rank, rel=0.12)
    assert lt.rank_at(errors, 0.1) == pytest.approx(lt.held_at_once(300, 300, 0.5, 0.1), rel=0.05)


def test_equal_strengths_rest_up_to_the_critical_load():
    critical = mean_field.critical_load()
    for factor, held in ((0.99, True), (1.01, False)):
        count = round(factor * critical * 20000)
        assert (lt.held_at_rest(20000, count, 1e-9) == count) == held


def test_ranks_at_rest_grow_with_the_network_and_strong_patterns_pull():
    assert lt.held_at_rest(400, 800, 1.0) < lt.held_at_rest(1600, 3200, 1.0) < lt.held_at_once(1600, 3200, 1.0, 0.0036)


def test_the_rank_at_an_error_is_read_off_the_line():
    ranks = np.arange(1, 30)
    errors = [
        cap.gaussian_error(torch.tensor(float(rank) ** 1.4 / 60, dtype=torch.float64), 2).item() for rank in ranks
    ]
    wanted = (60 * cap.load_at(0.0036, 2)) ** (1 / 1.4)
    assert lt.rank_at(errors, 0.0036) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("errors", [[0.0, 0.1], [0.2, 0.1, 0.05], [0.1, math.nan], [0.1, 1.1], [[0.1, 0.2]]])
def test_errors_without_a_line_are_refused(errors):
    with pytest.raises(ArgumentError, match=r"^errors: expected"):
        lt.rank_at(errors, 0.01)


def test_unseen_mass_is_that_of_all_sequences():
    chances = [0.5, 0.3, 0.2]
    wanted = sum(
        math.prod(chances[i] for i in drawn) * (1 - sum(chances[i] for i in set(drawn)))
        for drawn in itertools.product(range(3), repeat=4)
    )
    assert lt.unseen(chances, 4) == pytest.approx(wanted, abs=1e-14)
    single = sum(
        math.prod(chances[i] for i in drawn) * sum(drawn.count(i) == 1 for i in range(3))
        for drawn in itertools.product(range(3), repeat=5)
    )
    assert lt.unseen(chances, 4) == pytest.approx(single / 5, abs=1e-14)
    assert (lt.unseen([1.0], 1), lt.unseen([1.0], 0), lt.unseen([1.0, 0.0], 2)) == (0.0, 1.0, 0.0)


def test_draws_are_counted():
    chances = np.arange(1, 40) ** -1.5
    chances /= chances.sum()
    found = lt.counted(chances, 30, repeats=2000, rng=np.random.default_rng(0))
    error = found.unseen.std() / math.sqrt(2000)
    assert abs(found.unseen.mean() - lt.unseen(chances, 30)) < 4 * error
    error = found.single.std() / math.sqrt(2000)
    assert abs(found.single.mean() - 30 * lt.unseen(chances, 29)) < 4 * error
    alone = lt.counted([1.0], 1, repeats=3, rng=np.random.default_rng(0))
    assert (alone.unseen.tolist(), alone.single.tolist()) == ([0.0] * 3, [1] * 3)


REFUSED = {
    "distances": lambda: lt.accuracy(*tensors([2, 1], [True, False]), share=0.5),
    "share": lambda: lt.accuracy(*tensors([1, 2], [True, False]), share=1.0),
    "right": lambda: lt.influence(torch.ones(2), torch.tensor([True]), share=0.5),
    "count": lambda: lt.neighbours(torch.ones(3, 2), 3),
    "memories": lambda: lt.neighbours(torch.full((3, 2), 3e38), 1),
    "queries": lambda: lt.neighbours(torch.ones(3, 2), 3, queries=torch.ones(2, 3)),
    "kept": lambda: lt.recalled(torch.zeros(2, 2, dtype=torch.int64), torch.ones(2, 2) > 0, torch.ones(3, 4)),
    "indices": lambda: lt.recalled(torch.full((2, 2), 4), torch.ones(2, 2) > 0, torch.ones(3, 4) > 0),
    "strengths": lambda: lt.weighted_hebbian(random_patterns(3, 4, generator=rng()), -torch.ones(3).double()),
    "probabilities": lambda: lt.unseen([0.5, 0.4], 3),
    "labels": lambda: lt.votes(
        torch.ones(3, 2), torch.zeros(2, dtype=torch.int64), 2, share=0.5, subsets=1, generator=rng()
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_named(name):
    with pytest.raises(ArgumentError, match=f"^{name}: expected"):
        REFUSED[name]()
