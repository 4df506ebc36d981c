"""Counting units instead of listing states gives the same numbers."""

import math

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy.crowd import complete_cuts
from memscape.homotopy.information import heat_bath, link, stochastic_interaction
from memscape.homotopy.splits import cuts
from memscape.tools import pieces


@pytest.mark.parametrize("units", [2, 3, 4, 5, 6])
def test_counts_agree_with_the_list_of_all_states(units):
    temperatures = torch.tensor([0.3, 1.0, 2.5, 7.0], dtype=torch.float64)
    weights = torch.ones(units, units, dtype=torch.float64) - torch.eye(units, dtype=torch.float64)
    listed = stochastic_interaction(heat_bath(weights.expand(4, -1, -1), temperatures))
    counted = complete_cuts(units, temperatures)
    assert counted.shape == (4, units // 2)
    for cut, values in zip(cuts(units).tolist(), listed.T, strict=True):
        size = min(cut.bit_count(), units - cut.bit_count())
        torch.testing.assert_close(values, counted[:, size - 1], rtol=1e-10, atol=1e-12)
    with pieces.budget(1):
        torch.testing.assert_close(complete_cuts(units, temperatures), counted, rtol=1e-12, atol=1e-12)


def test_two_units_carry_two_links():
    found = complete_cuts(2, torch.tensor([0.5, 3.0], dtype=torch.float64))
    assert found[:, 0].tolist() == pytest.approx([2 * link(1.0, 0.5), 2 * link(1.0, 3.0)], abs=1e-13)


def test_far_above_the_transition_a_unit_hears_little_of_many():
    units = 40
    hot = complete_cuts(units, torch.tensor([20.0 * units], dtype=torch.float64))[0]
    # To leading order each of the 2 a (n - a) links carries 1/(2 T**2).
    sizes = torch.arange(1, units // 2 + 1, dtype=torch.float64)
    torch.testing.assert_close(hot, sizes * (units - sizes) / (20.0 * units) ** 2, rtol=0.02, atol=0)


@pytest.mark.parametrize(
    ("units", "temperatures", "named"),
    [(1, [1.0], "units"), (4, [0.0], "temperatures"), (4, [1e-9], "temperatures"), (4, [math.nan], "temperatures")],
)
def test_refusals(units, temperatures, named):
    with pytest.raises(ArgumentError) as error:
        complete_cuts(units, torch.tensor(temperatures, dtype=torch.float64))
    assert error.value.argument == named
