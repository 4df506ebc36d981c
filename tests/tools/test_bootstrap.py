"""The interval of what was drawn again and again."""

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.tools.bootstrap import bootstrapped


def test_an_interval_of_resamples_holds_their_middle_and_the_number():
    found = bootstrapped(50.0, np.arange(101.0), 9)
    assert (found.value, found.low, found.high, found.trials) == (50.0, 2.5, 97.5, 9)
    assert bootstrapped(99.0, np.arange(101.0), 9).high == 99.0
    assert bootstrapped(-1.0, np.arange(101.0), 9).low == -1.0


def test_what_is_no_sample_is_refused():
    with pytest.raises(ArgumentError, match="resamples: expected finite numbers"):
        bootstrapped(1.0, [], 2)
    with pytest.raises(ArgumentError, match="trials"):
        bootstrapped(1.0, [1.0], 0)
