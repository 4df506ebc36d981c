"""Counting memories: Zipf's law, what draws have not shown, and nested counts."""

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import counting_memory as counting
from memscape.capacity.long_tail import unseen

from ..draws import rng


def test_zipf_has_its_ratios():
    found = counting.zipf(4, 2.0)
    np.testing.assert_allclose(found / found[0], [1, 1 / 4, 1 / 9, 1 / 16])
    assert found.sum() == pytest.approx(1)


@pytest.mark.parametrize("exponent", [1.8, 2.0, 3.0])
def test_the_law_is_that_of_the_exact_sum(exponent):
    exact = unseen(counting.zipf(10**6, exponent), 10**4)
    assert exact / counting.unseen_law(10**4, exponent) == pytest.approx(1, abs=0.01)


def test_the_law_has_its_power():
    few, many = counting.unseen_law([10.0, 1000.0], 4.0)
    assert few / many == pytest.approx(100**0.75)


def test_counts_of_one_row_are_nested_and_sum_to_the_draws():
    found = counting.counts([0.5, 0.25, 0.25], [3, 10], repeats=5, generator=rng())
    assert found.shape == (5, 2, 3)
    assert found.sum(dim=-1).tolist() == [[3, 10]] * 5
    assert (found[:, 1] >= found[:, 0]).all()
    assert not torch.equal(found[0], found[1]) or not torch.equal(found[0], found[2])


def test_counts_have_the_shares_of_the_probabilities():
    found = counting.counts([0.7, 0.2, 0.0, 0.1], [20000], repeats=2, generator=rng())[:, 0]
    shares = found.double().mean(dim=0) / 20000
    assert torch.allclose(shares, torch.tensor([0.7, 0.2, 0.0, 0.1], dtype=torch.float64), atol=0.01)
    assert (found[:, 2] == 0).all()


def test_counts_are_those_of_their_generator():
    first, again = (counting.counts([0.5, 0.5], [9], repeats=4, generator=rng(3)) for _ in range(2))
    assert torch.equal(first, again)


@pytest.mark.parametrize("draws", [[3, 3], [5, 2], [], [0]])
def test_draws_that_do_not_rise_are_refused(draws):
    with pytest.raises(ArgumentError, match="draws"):
        counting.counts([0.5, 0.5], draws, repeats=1, generator=rng())


def test_what_is_no_probability_is_refused():
    with pytest.raises(ArgumentError, match="probabilities"):
        counting.counts([0.5, 0.6], [3], repeats=1, generator=rng())
