"""The interval of a number that was drawn again and again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from memscape.arguments import ArgumentError, require_count, require_number, require_numbers
from memscape.tools.statistics import Estimate

__all__ = ["bootstrapped"]


def bootstrapped(value: float, resamples: npt.ArrayLike, trials: int) -> Estimate:
    """A number with the middle 95 % of its resamples for an interval, which is widened to hold the number.

    Parameters
    ----------
    value
        What was found.
    resamples
        The same of bootstrap resamples, finite, at least one.
    trials
        Number of independent trials behind it.

    Raises
    ------
    ArgumentError
        If a number is not finite or there are no resamples.
    """
    value = require_number("value", value)
    drawn = require_numbers("resamples", resamples)
    if not drawn.size or not np.isfinite(drawn).all():
        raise ArgumentError("resamples", "finite numbers, at least one", f"others, shape {drawn.shape}")
    require_count("trials", trials)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, min(value, float(low)), max(value, float(high)), trials)
