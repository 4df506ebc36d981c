"""Votes: one pass against the sum written out, ties, floats that underflow, and tests of hypotheses by enumeration."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy import stats
from sklearn.neighbors import KNeighborsClassifier

from memscape.arguments import ArgumentError
from memscape.capacity import votes
from memscape.memory.dense import DenseMemory, Rectified
from memscape.memory.dynamics import asynchronous
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces

from ..draws import rng

POWERS = [2, 3, 5, 7, 10, 20, 40, 80, 200, math.inf]


def drawn(memories=1500, images=40, pixels=12, classes=4, seed=0, dtype=torch.float64):
    store = votes.unit(torch.randn(memories, pixels, generator=rng(seed), dtype=torch.float64))
    probes = votes.unit(torch.randn(images, pixels, generator=rng(seed + 1), dtype=torch.float64))
    return store.to(dtype), torch.randint(0, classes, (memories,), generator=rng(seed + 2)), probes.to(dtype)


def written_out(store, labels, probes, powers, counts, classes):
    overlaps, labels = (probes.double() @ store.double().T).numpy(), labels.numpy()
    found = np.empty((len(counts), len(powers), len(probes)), dtype=int)
    for i, count in enumerate(counts):
        for j, power in enumerate(powers):
            for k, row in enumerate(overlaps[:, :count]):
                if power == math.inf:
                    found[i, j, k] = labels[int(row.argmax())]
                    continue
                score = [math.fsum(max(x, 0.0) ** power for x in row[labels[:count] == c]) for c in range(classes)]
                found[i, j, k] = int(np.argmax(score))
    return torch.from_numpy(found)


def test_one_pass_gives_the_votes_written_out_for_every_power_and_count():
    store, labels, probes = drawn()
    counts = [1, 7, 300, 511, 513, 1500]
    expected = written_out(store, labels, probes, POWERS, counts, 4)
    assert torch.equal(votes.answers(store, labels, probes, powers=POWERS, counts=counts, classes=4), expected)
    assert len(set(expected[-1].flatten().tolist())) == 4


@pytest.mark.parametrize("powers", [[1], [80], [2, 1], [9, 4, 1, 5, 3], [math.inf], [6, 2, 300, 8, 3, 2]])
def test_powers_do_not_write_over_each_other(powers):
    store, labels, probes = drawn(memories=300)
    expected = written_out(store, labels, probes, powers, [20, 300], 4)
    assert torch.equal(votes.answers(store, labels, probes, powers=powers, counts=[20, 300], classes=4), expected)


def test_the_nearest_memory_is_that_of_scikit_learn():
    store, labels, probes = drawn(seed=7)
    nearest = KNeighborsClassifier(1, algorithm="brute").fit(store.numpy(), labels.numpy()).predict(probes.numpy())
    found = votes.answers(store, labels, probes, powers=[math.inf], counts=[len(store)], classes=4)
    assert found[0, 0].tolist() == nearest.tolist()


def test_steep_powers_of_small_overlaps_are_no_zeros():
    # 0.1 ** 80 is no float32; memories that come later and agree more must still win.
    store = torch.zeros(3, 4)
    store[0, 0], store[1, 1], store[2, 1] = 0.1, 0.05, 0.2
    probe = torch.tensor([[0.6, 0.5, 0.0, 0.0]])
    found = votes.answers(store, torch.tensor([1, 2, 3]), probe, powers=[80], counts=[1, 2, 3], classes=4)
    assert found.flatten().tolist() == [1, 1, 3]


def test_single_precision_and_double_agree_but_for_ties():
    store, labels, probes = drawn(images=300)
    single = votes.answers(store.float(), labels, probes.float(), powers=POWERS, counts=[1500], classes=4)
    double = votes.answers(store, labels, probes, powers=POWERS, counts=[1500], classes=4)
    assert (single != double).double().mean() < 0.002


def test_of_equal_votes_the_smallest_class_answers_and_so_it_does_where_nobody_votes():
    store = torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    labels = torch.tensor([2, 1])
    probes = torch.tensor([[1.0, 0.0], [-1.0, 0.0]])
    found = votes.answers(store, labels, probes, powers=[2, math.inf], counts=[2], classes=3)
    assert found[0].tolist() == [[1, 0], [1, 1]]


def test_the_size_of_a_piece_changes_nothing(monkeypatch):
    store, labels, probes = drawn(images=200)
    whole = votes.answers(store, labels, probes, powers=POWERS, counts=[1000], classes=4)
    monkeypatch.setattr(pieces, "CACHE", 1)
    assert torch.equal(votes.answers(store, labels, probes, powers=POWERS, counts=[1000], classes=4), whole)


def test_the_order_of_memories_changes_no_vote():
    store, labels, probes = drawn()
    order = torch.randperm(len(store), generator=rng(3))
    first = votes.answers(store, labels, probes, powers=POWERS, counts=[1500], classes=4)
    assert torch.equal(
        votes.answers(store[order], labels[order], probes, powers=POWERS, counts=[1500], classes=4), first
    )


def test_unit_takes_the_mean_away_and_brings_to_length_one_at_any_scale():
    images = torch.tensor([[3.0, 5.0], [1e200, 0.0], [1.0, 1.0]], dtype=torch.float64)
    found = votes.unit(images, torch.tensor([1.0, 1.0], dtype=torch.float64))
    torch.testing.assert_close(found[0], torch.tensor([2.0, 4.0], dtype=torch.float64) / math.sqrt(20))
    torch.testing.assert_close(found[1:], torch.tensor([[1.0, 0.0], [0.0, 0.0]], dtype=torch.float64))


def test_a_pattern_is_recalled_exactly_where_asynchronous_dynamics_end_at_it():
    patterns = random_patterns(60, 16, generator=rng(5))
    counts, powers = [4, 12, 60], [2, 3, 5]
    found = votes.recalled(patterns, powers=powers, counts=counts, probes=4)
    for i, count in enumerate(counts):
        for j, power in enumerate(powers):
            model = DenseMemory(patterns[:count], Rectified(power))
            end = asynchronous(model, patterns[:4], generator=rng(6)).state
            assert torch.equal((end == patterns[:4]).all(dim=-1), found[i, j] == 0)
    assert (found == 0).any()
    assert (found > 0).any()


@pytest.mark.parametrize(("first", "second"), [(0, 0), (3, 1), (1, 5), (6, 6), (0, 4), (9, 0)])
def test_mcnemar_is_the_tail_of_all_ways_to_share_out_what_one_rule_gets_wrong(first, second):
    worse = torch.tensor([True] * first + [False] * second + [True, False])
    better = torch.tensor([False] * first + [True] * second + [True, False])
    shares = list(itertools.product((0, 1), repeat=first + second))
    expected = sum(sum(share) >= first for share in shares) / len(shares)
    assert votes.mcnemar(worse, better) == pytest.approx(expected, rel=1e-12)


def test_holm_rejects_what_the_step_down_rule_rejects():
    raw = [0.04, 0.001, 0.03, 0.9, 0.012]
    np.testing.assert_allclose(votes.holm(raw), [0.09, 0.005, 0.09, 0.9, 0.048])
    # All hypotheses true: hardly more than a share of the level has any rejection.
    draws = stats.uniform.rvs(size=(4000, 6), random_state=np.random.default_rng(0))
    assert np.mean([votes.holm(row).min() < 0.1 for row in draws]) == pytest.approx(1 - (1 - 0.1 / 6) ** 6, abs=0.02)


X, Y = torch.eye(3), torch.tensor([0, 1, 2])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: votes.answers(2 * X, Y, X, powers=[2], counts=[3]), "memories: expected vectors of unit length or"),
        (lambda: votes.answers(X, Y, 2 * X, powers=[2], counts=[3]), "images: expected vectors of unit length or"),
        (lambda: votes.answers(X, Y[:2], X, powers=[2], counts=[3]), "labels: expected one for each of 3 memories"),
        (lambda: votes.answers(X, Y, X, powers=[2], counts=[3], classes=2), "labels: expected one for each of 3"),
        (
            lambda: votes.answers(X, Y, X, powers=[2.5], counts=[3]),
            "powers: expected whole numbers or math.inf; got 2.5",
        ),
        (lambda: votes.answers(X, Y, X, powers=[0], counts=[3]), "powers: expected a finite number"),
        (lambda: votes.answers(X, Y, X, powers=[2], counts=[2, 2]), "counts: expected at least one number, rising"),
        (lambda: votes.answers(X, Y, X, powers=[2], counts=[4]), "counts: expected an integer in [1, 3]; got 4"),
        (lambda: votes.answers(X, Y, X, powers=[], counts=[3]), "powers: expected at least one power; got none"),
        (lambda: votes.answers(X, Y, X[:, :2], powers=[2], counts=[3]), "images: expected axes (images, pixels) with"),
        (lambda: votes.recalled(X, powers=[2], counts=[3], probes=1), "patterns: expected values in {-1, +1}"),
        (lambda: votes.recalled(2 * X - 1, powers=[2], counts=[2], probes=3), "probes: expected an integer in [1, 2]"),
        (lambda: votes.recalled(2 * X - 1, powers=[1], counts=[2], probes=1), "powers: expected an integer in [2,"),
        (lambda: votes.recalled(2 * X - 1, powers=[], counts=[2], probes=1), "powers: expected at least one power"),
        (lambda: votes.mcnemar(Y, Y), "worse: expected a non-empty bool tensor with axes (images); got torch.int64"),
        (lambda: votes.mcnemar(Y > 0, Y[:2] > 0), "better: expected 3 images on cpu; got 2 on cpu"),
        (lambda: votes.holm([]), "probabilities: expected numbers in [0, 1], at least one"),
        (lambda: votes.holm([1.5]), "probabilities: expected numbers in [0, 1], at least one"),
        (lambda: votes.unit(X, X), "mean: expected axes (pixels); got shape (3, 3)"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
