"""Walks among similar items: all orders of a small matrix, a plain walk step by step, and counts of lags by hand."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats

from memscape.arguments import ArgumentError
from memscape.capacity import recall
from memscape.tools import pieces

from ..draws import normal, rng


def plain_walk(rows, start):
    """One walk, one step after another."""
    here, left, made, met = start, None, set(), [start]
    while True:
        others = [j for j in range(len(rows)) if j not in (here, left)]
        after = max(others, key=lambda j: rows[here][j])
        if (here, after) in made:
            return met
        made.add((here, after))
        left, here = here, after
        if here not in met:
            met.append(here)


def drawn(seed, *shape, mutual=True):
    half = normal(seed, *shape, shape[-1])
    return half + half.mT if mutual else half


def padded(order, length):
    return order + [-1] * (length - len(order))


@pytest.mark.parametrize("mutual", [True, False])
@pytest.mark.parametrize("items", [3, 4, 9, 30])
def test_a_walk_goes_where_a_plain_one_goes(items, mutual):
    rows = drawn(items, 5, items, mutual=mutual)
    found = recall.walk(rows)
    expected = [[padded(plain_walk(row.tolist(), start), items) for start in range(items)] for row in rows]
    assert found.tolist() == expected


def test_walks_start_where_they_are_told_and_pieces_change_nothing():
    rows = drawn(1, 2, 3, 12)
    starts = torch.tensor([3, 3, 0]).expand(2, 3, 3)
    whole = recall.walk(rows, starts)
    assert starts.tolist() == [[[3, 3, 0]] * 3] * 2  # as they were
    assert whole.shape == (2, 3, 3, 12)
    assert torch.equal(whole[..., 0], starts)
    assert torch.equal(whole[..., 0, :], whole[..., 1, :])
    with pieces.budget(1):
        assert torch.equal(recall.walk(rows, starts), whole)


def test_the_diagonal_and_any_rising_function_of_similarity_change_nothing():
    rows = drawn(2, 20)
    expected = recall.walk(rows)
    assert torch.equal(recall.walk(rows.exp() + 1e3 * torch.eye(20, dtype=torch.float64)), expected)


def every_order(items):
    """All matrices of which only the order of the entries counts, mutual ones."""
    pairs = list(itertools.combinations(range(items), 2))
    for order in itertools.permutations(range(len(pairs))):
        rows = torch.zeros(items, items)
        for value, (i, j) in zip(order, pairs, strict=True):
            rows[i, j] = rows[j, i] = value
        yield rows


def test_lengths_of_walks_have_the_distribution_of_all_matrices_of_four_items():
    rows = torch.stack(list(every_order(4)))
    exact = torch.bincount(recall.recalled(recall.walk(rows)).flatten(), minlength=5).double()
    found = torch.bincount(recall.walk_lengths(4, 20000, generator=rng()), minlength=5).double()
    seen = exact > 0
    assert torch.equal(found[~seen], torch.zeros(int((~seen).sum()), dtype=torch.float64))
    expected = exact[seen] / exact.sum() * 20000
    assert stats.chisquare(found[seen], expected).pvalue > 0.001


@pytest.mark.parametrize("mutual", [True, False])
@pytest.mark.parametrize("items", [5, 12])
def test_lengths_of_walks_are_those_on_matrices_that_are_made(items, mutual):
    made = torch.bincount(
        recall.recalled(recall.walk(drawn(7, 8000, items, mutual=mutual), torch.zeros(8000, 1).long()))[:, 0],
        minlength=items + 1,
    )
    lazy = torch.bincount(recall.walk_lengths(items, 8000, mutual=mutual, generator=rng(1)), minlength=items + 1)
    seen = (made + lazy) > 10
    assert stats.chi2_contingency(torch.stack([made, lazy])[:, seen]).pvalue > 0.001


@pytest.mark.parametrize("mutual", [True, False])
def test_many_items_obey_the_law(mutual):
    lengths = recall.walk_lengths(3000, 1500, mutual=mutual, generator=rng(2)).double()
    expected = recall.law(3000, mutual=mutual)
    assert abs(lengths.mean() / expected - 1) < 4 * lengths.std() / expected / math.sqrt(1500) + 0.02


def test_entries_beyond_reach_play_no_part():
    device = torch.device("cpu")
    every = recall._Mutual(1000, 2000, rng(5), device, reach=math.inf).walk()
    for reach, expected in ((None, True), (0.002, False)):
        few = recall._Mutual(1000, 6000, rng(6), device, reach=reach).walk()
        assert bool(stats.ks_2samp(every.numpy(), few.numpy()).pvalue > 0.001) is expected


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_each_coin_shows_heads_as_often_as_the_others(share):
    generator = rng(9)
    heads = torch.stack([torch.bincount(recall._coins(7, share, generator), minlength=7) for _ in range(2000)])
    assert heads.shape == (2000, 7)
    assert heads.max() == 1
    assert (heads.double().mean(dim=0) - share).abs().max() <= 4 * math.sqrt(share * (1 - share) / 2000)


def test_a_short_walk_may_meet_every_item():
    for mutual in (True, False):
        assert set(recall.walk_lengths(3, 50, mutual=mutual, generator=rng(7)).tolist()) == {3}
        assert recall.walk_lengths(4, 200, mutual=mutual, generator=rng(8)).max() == 4


def test_walk_lengths_are_the_same_for_the_same_generator():
    first, again = (recall.walk_lengths(50, 9, generator=rng(3)) for _ in range(2))
    assert torch.equal(first, again)
    assert len(recall.walk_lengths(1000, 1, generator=rng(4))) == 1


def test_the_law_of_small_numbers():
    assert recall.law(6) == pytest.approx(math.sqrt(9 * math.pi))
    assert recall.law(8, mutual=False) == pytest.approx(math.sqrt(4 * math.pi))


def test_similarity_of_times_alone_walks_along_the_list():
    # Both neighbours are equally similar but for a tiny random part, so the walk goes one way and comes back.
    order = recall.walk_in_time(9, 40, strength=1e6, kept=0.5, generator=rng())
    for one in order.tolist():
        met = [item for item in one if item >= 0]
        assert set(met) == set(range(min(met), max(met) + 1))
        assert abs(met[1] - met[0]) == 1


def test_walks_in_time_start_anywhere_and_need_no_time():
    order = recall.walk_in_time(5, 3000, strength=0.0, kept=0.8, generator=rng(1))
    starts = torch.bincount(order[:, 0], minlength=5)
    assert stats.chisquare(starts).pvalue > 0.001
    lazy = recall.walk_lengths(5, 3000, generator=rng(2))
    both = torch.stack([torch.bincount(some, minlength=6) for some in (recall.recalled(order), lazy)])
    assert stats.chi2_contingency(both[:, both.sum(0) > 10]).pvalue > 0.001
    with pieces.budget(1):
        few = recall.walk_in_time(5, 4, strength=0.0, kept=0.8, generator=rng(1))
    assert few.shape == (4, 5)


# Representations


def test_overlaps_count_units_that_are_active_together():
    gram = recall.sparse_overlaps(40, 500, 0.1, sets=3, generator=rng())
    assert gram.shape == (3, 40, 40)
    assert torch.equal(gram, gram.mT)
    assert torch.equal(gram, gram.round())
    assert (torch.linalg.eigvalsh(gram) > -1e-9).all()  # products of vectors
    own, other = gram.diagonal(dim1=-2, dim2=-1), gram[:, ~torch.eye(40, dtype=torch.bool)]
    assert abs(own.mean() - 50) < 4 * math.sqrt(45 / 120)
    assert abs(other.mean() - 5) < 0.3
    assert abs(own.var() / 45 - 1) < 0.5


def test_half_of_all_units_may_be_active():
    gram = recall.sparse_overlaps(20, 2000, 0.5, generator=rng(1))
    assert abs(gram[0].diagonal().mean() - 1000) < 4 * math.sqrt(500 / 20)


def test_centred_cosines_are_correlations_with_the_mean_taken_off():
    vectors = normal(3, 2, 7, 30) + 5
    centred = vectors - vectors.mean(dim=1, keepdim=True)
    unit = centred / centred.norm(dim=-1, keepdim=True)
    found = recall.centred_cosines(vectors @ vectors.mT)
    torch.testing.assert_close(found, unit @ unit.mT)
    torch.testing.assert_close(found.diagonal(dim1=-2, dim2=-1), torch.ones(2, 7, dtype=torch.float64))


def test_a_vector_that_is_the_mean_has_no_direction():
    vectors = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    found = recall.centred_cosines(vectors @ vectors.mT)
    assert found.tolist() == [
        [pytest.approx(1), pytest.approx(-1), 0],
        [pytest.approx(-1), pytest.approx(1), 0],
        [0, 0, 0],
    ]


def test_ties_are_broken_at_random_and_mutually_and_nothing_else_is_moved():
    whole = torch.randint(0, 3, (2, 6, 6), generator=rng()).double()
    whole = whole + whole.mT
    found = recall.untied(whole, generator=rng(1))
    assert torch.equal(found, found.mT)
    assert torch.equal(found.floor(), whole)
    assert ((found - whole) < 0.5).all()
    assert len(found.triu(1).flatten().unique()) > 20
    with pytest.raises(ArgumentError, match="whole numbers"):
        recall.untied(whole / 3, generator=rng(1))


# Orders


def test_what_is_recalled_counts_once_and_intrusions_do_not():
    order = torch.tensor([[3, 3, -1, 0, 3, 1], [-1, -1, -1, -1, -1, -1], [5, 4, 3, 2, 1, 0]])
    assert recall.recalled(order).tolist() == [3, 0, 6]


def counted_by_hand(order, length):
    """As psifr's masker: a pool that items leave when they are left."""
    actual, possible = [0] * (2 * length - 1), [0] * (2 * length - 1)
    pool = list(range(length))
    for before, after in itertools.pairwise(order):
        if before not in pool:
            continue
        pool.remove(before)
        if after not in pool:
            continue
        actual[after - before + length - 1] += 1
        for item in pool:
            possible[item - before + length - 1] += 1
    return actual, possible


def test_lags_of_the_example_in_psifr():
    # Its documentation: a list of four, recalled as 4, 2, 3, 1.
    lags = recall.lag_counts(torch.tensor([3, 1, 2, 0]), 4)
    assert lags.actual.tolist() == [0, 2, 0, 0, 1, 0, 0]
    assert lags.possible.tolist() == [1, 2, 2, 0, 1, 0, 0]


def test_lags_are_counted_as_by_hand_with_repetitions_and_intrusions():
    order = torch.randint(-2, 6, (200, 9), generator=rng())
    lags = recall.lag_counts(order, 6)
    expected = [counted_by_hand(one, 6) for one in order.tolist()]
    assert lags.actual.tolist() == [actual for actual, _ in expected]
    assert lags.possible.tolist() == [possible for _, possible in expected]
    with pieces.budget(1):
        again = recall.lag_counts(order.reshape(4, 50, 9), 6)
    assert torch.equal(again.possible.reshape(200, -1), lags.possible)
    assert again.actual.shape == (4, 50, 11)


def test_conditional_response_probability_is_of_all_lists_together():
    lags = recall.lag_counts(torch.tensor([[0, 1, -1], [0, 2, -1]]), 3)
    assert lags.crp.tolist() == [0.0, 0.0, 0.0, 0.5, 0.5]


def test_one_recall_has_no_transition():
    lags = recall.lag_counts(torch.tensor([[2]]), 3)
    assert lags.actual.sum() == lags.possible.sum() == 0


def test_even_transitions_are_found_even_and_a_preference_is_found():
    generator = rng(5)
    chances = []
    for _ in range(1000):
        start = torch.randint(6, (400,), generator=generator)
        end = (start + 1 + torch.randint(5, (400,), generator=generator)) % 6
        chances.append(recall.uneven(torch.stack([start, end], dim=1), 6))
    assert stats.kstest(chances, "uniform").pvalue > 0.001
    ahead = torch.where(torch.rand(400, generator=generator) < 0.3, (start + 1) % 6, end)
    assert recall.uneven(torch.stack([start, ahead], dim=1), 6) < 1e-6


def test_from_one_position_the_test_is_that_of_pearson():
    end = torch.tensor([1] * 9 + [2] * 14 + [3] * 7)
    order = torch.stack([torch.zeros_like(end), end], dim=1)
    assert recall.uneven(order, 4) == pytest.approx(stats.chisquare(np.array([9, 14, 7])).pvalue)


def test_a_ratio_of_means_has_the_interval_of_people_drawn_again():
    generator = np.random.default_rng(0)
    under = generator.uniform(1, 2, 400)
    over = 2 * under + generator.normal(0, 1, 400)
    found = recall.ratio_of_means(over, under, resamples=4000, rng=generator)
    assert found.value == pytest.approx(over.mean() / under.mean())
    error = (over - found.value * under).std() / under.mean() / 20  # to first order
    assert (found.high - found.value) / error == pytest.approx(1.96, abs=0.15)
    assert (found.value - found.low) / error == pytest.approx(1.96, abs=0.15)
    assert found.trials == 400


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: recall.law(2), "count"),
        (lambda: recall.walk(torch.zeros(2, 2)), "similarity"),
        (lambda: recall.walk(torch.zeros(3, 4)), "similarity"),
        (lambda: recall.walk(torch.zeros(4, 4), torch.tensor([4])), "starts"),
        (lambda: recall.walk(torch.zeros(4, 4), torch.tensor([-1])), "starts"),
        (lambda: recall.walk(torch.zeros(2, 4, 4), torch.tensor([1])), "starts"),
        (lambda: recall.walk_lengths(5, 0, generator=rng()), "lists"),
        (lambda: recall.sparse_overlaps(5, 5, 0.6, generator=rng()), "share"),
        (lambda: recall.lag_counts(torch.tensor([[3]]), 3), "order"),
        (lambda: recall.lag_counts(torch.tensor([[1.0]]), 3), "order"),
        (lambda: recall.uneven(torch.tensor([[1, -1]]), 3), "order"),
        (lambda: recall.uneven(torch.tensor([[1]]), 3), "order"),
        (lambda: recall.ratio_of_means([1, 2], [1, 2, 3], resamples=40, rng=np.random.default_rng(0)), "under"),
        (lambda: recall.ratio_of_means([1, 2], [1, 0], resamples=40, rng=np.random.default_rng(0)), "under"),
    ],
)
def test_what_does_not_fit_is_refused(call, named):
    with pytest.raises(ArgumentError, match=named):
        call()
