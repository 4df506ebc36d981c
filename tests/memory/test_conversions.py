"""The map of models: every arrow measured, and an arrow that is wrong seen to be wrong."""

import itertools
from dataclasses import replace

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.conversions import ARROWS, Arrow, deviations
from memscape.memory.dense import DenseMemory, Power
from memscape.memory.patterns import random_patterns

every_arrow = pytest.mark.parametrize("arrow", ARROWS, ids=lambda arrow: f"{arrow.source} as {arrow.target}")


def problem(seed: int, patterns: int = 20, neurons: int = 64, states: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return random_patterns(patterns, neurons, generator=generator), random_patterns(
        states, neurons, generator=generator
    )


@every_arrow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_an_identity_holds_to_rounding_and_a_limit_is_approached(arrow: Arrow, seed):
    found = deviations(arrow, *problem(seed))
    assert found[-1] <= arrow.tolerance
    for before, after in itertools.pairwise(found):
        assert after < before, "a limit gets closer with every stage"


@every_arrow
@pytest.mark.parametrize("neurons", [9, 27, 100])
def test_an_identity_holds_at_any_size(arrow: Arrow, neurons):
    found = deviations(arrow, *problem(7, neurons=neurons))
    assert len(found) > 1 or found[0] <= arrow.tolerance


@every_arrow
def test_only_a_limit_may_be_off_by_more_than_rounding(arrow: Arrow):
    assert arrow.tolerance <= 1e-12 or len(deviations(arrow, *problem(4))) > 1


def test_a_power_goes_to_the_exponential_like_one_over_n():
    (arrow,) = (arrow for arrow in ARROWS if arrow.source == "dense, n = N")
    few, _, many = deviations(arrow, *problem(5, patterns=2, neurons=96))
    # One flip from a lone memory: (1 - 2 / N)**N exp(2) - 1 = -2 / N to first order.
    assert few == pytest.approx(1 - (1 - 2 / 24) ** 24 * 2.718281828459045**2, rel=1e-2)
    assert many == pytest.approx(2 / 96, rel=0.03)


def test_no_arrow_is_drawn_twice():
    assert len({(arrow.source, arrow.target) for arrow in ARROWS}) == len(ARROWS)


def test_a_wrong_arrow_is_seen():
    arrow = ARROWS[0]

    def cubes(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
        return [DenseMemory(xi, Power(3)).field(s) - arrow.differences(xi, s)[0]]

    assert deviations(replace(arrow, differences=cubes), *problem(6))[0] > arrow.tolerance


@pytest.mark.parametrize(
    ("patterns", "state", "message"),
    [
        (
            torch.zeros(3, 8, dtype=torch.float64),
            torch.ones(2, 8, dtype=torch.float64),
            r"patterns: .*\{-1, \+1\}; got 0",
        ),
        (torch.ones(3, 8), torch.ones(2, 8), "patterns: expected float64; got float32"),
        (torch.ones(8, dtype=torch.float64), torch.ones(2, 8, dtype=torch.float64), "patterns: expected axes"),
        (torch.ones(3, 8, dtype=torch.float64), torch.ones(2, 9, dtype=torch.float64), "state: .*neurons = 8"),
    ],
)
def test_refusals(patterns, state, message):
    with pytest.raises(ArgumentError, match="^" + message):
        deviations(ARROWS[0], patterns, state)
