"""Counts that rise and numbers that are probabilities, and all that are not."""

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.tools.sequences import require_probabilities, require_rising


def test_rising_counts_come_back_as_a_tuple():
    assert require_rising("counts", [1, 2, 9], "counts") == (1, 2, 9)
    assert require_rising("counts", (np.int64(3),), "counts", at_most=3) == (3,)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "counts: expected things that rise"),
        ([2, 2], "counts: expected things that rise"),
        ([1, 3, 2], r"things that rise; got \[1, 3, 2\]"),
        ([0, 1], "counts"),
        ([1.5], "counts"),
        ([1, 11], "counts"),
        (5, "counts"),
    ],
)
def test_other_counts_are_refused(values, message):
    with pytest.raises(ArgumentError, match=message):
        require_rising("counts", values, "things that rise", at_most=10)


def test_so_many_counts_can_be_asked_for():
    assert require_rising("counts", [1, 2], "two", shortest=2) == (1, 2)
    with pytest.raises(ArgumentError, match="counts: expected two; got"):
        require_rising("counts", [7], "two", shortest=2)


def test_probabilities_come_back_as_an_array():
    found = require_probabilities("chances", [0.25, 0, 0.75])
    assert found.dtype == np.float64
    assert found.tolist() == [0.25, 0.0, 0.75]


@pytest.mark.parametrize(
    "values", [[], [[1.0]], [0.5, 0.6], [1.5, -0.5], [-0.2, 0.6, 0.6], [float("nan"), 1.0], 1.0, [0.5, 0.4999]]
)
def test_other_numbers_are_no_probabilities(values):
    with pytest.raises(ArgumentError, match="chances"):
        require_probabilities("chances", values)
