r"""Forms of growth, fitted on half of a grid and judged on the other half.

A form with enough constants fits any curve. What it is worth shows where it was not fitted: at every other size of one
axis (:func:`every_other`), or on the black squares of a grid of two that is coloured like a chessboard
(:func:`chessboard`). Whole draws are drawn again for the intervals, as everywhere in
:mod:`memscape.capacity.scaling_laws`, whose forms these are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from memscape.arguments import ArgumentError, require_numbers
from memscape.capacity.scaling_laws import estimate, fit_joint, floored, resample
from memscape.tools.statistics import Estimate

__all__ = ["EveryOther", "Rivals", "chessboard", "every_other"]


@dataclass(frozen=True)
class EveryOther:
    r"""A power above a floor, :math:`E_\infty + c\, s^{-x}`, fitted at every other size.

    Attributes
    ----------
    floor, constant, exponent
        :math:`E_\infty`, c and x, with intervals over draws.
    worst
        Largest relative error of the form where it was not fitted.
    exponents
        x of the mean of all draws, and of every sample, axes ``(1 + resamples,)``.
    """

    floor: Estimate
    constant: Estimate
    exponent: Estimate
    worst: Estimate
    exponents: npt.NDArray[np.float64]


def every_other(sizes: npt.ArrayLike, errors: npt.ArrayLike, *, resamples: int, rng: np.random.Generator) -> EveryOther:
    """Fit a power above a floor to the first, third, ... of some sizes, and judge it at the others.

    Parameters
    ----------
    sizes
        Positive, seven or more, axes ``(sizes,)``.
    errors
        Positive, axes ``(draws, sizes)``, two draws or more.
    resamples
        Samples of draws for the intervals.
    rng
        A numpy generator.

    Raises
    ------
    ArgumentError
        If axes or values do not fit.
    """
    across, means = require_numbers("sizes", sizes), resample(errors, resamples, rng=rng)
    if across.ndim != 1 or len(across) < 7:
        raise ArgumentError("sizes", "one axis of seven numbers or more", f"shape {across.shape}")
    if means.ndim != 2 or means.shape[1] != len(across):
        raise ArgumentError("errors", f"axes (draws, {len(across)})", f"shape {np.shape(errors)}")
    fit, trials = floored(across[::2], means[:, ::2]), len(np.asarray(errors))
    guess = fit.floor[:, None] + fit.constant[:, None] * across[1::2] ** -fit.exponent[:, None]
    worst = np.abs(guess / means[:, 1::2] - 1).max(axis=1)
    floor, constant, exponent, off = (
        estimate(each, trials=trials) for each in (fit.floor, fit.constant, fit.exponent, worst)
    )
    return EveryOther(floor, constant, exponent, off, fit.exponent)


@dataclass(frozen=True)
class Rivals:
    """The sum of two powers and Kaplan's form, on the squares that neither was fitted to.

    Attributes
    ----------
    ahead
        Mean squared log residual of Kaplan's form minus that of the sum: positive where the sum is better.
    better
        Root mean square log residual of the better of the two.
    """

    ahead: Estimate
    better: Estimate


def chessboard(
    first: npt.ArrayLike, second: npt.ArrayLike, errors: npt.ArrayLike, *, resamples: int, rng: np.random.Generator
) -> Rivals:
    """Fit two joint forms to the logarithms of errors on half of the squares of a grid, and judge them on the others.

    The squares that are fitted are those of the corner with the smallest sizes and all of its colour.

    Parameters
    ----------
    first, second
        Sizes, positive, axes ``(first,)`` and ``(second,)``.
    errors
        Positive, axes ``(draws, first, second)``, two draws or more; twelve squares or more.
    resamples, rng
        As for :func:`every_other`.

    Raises
    ------
    ArgumentError
        If axes or values do not fit.
    """
    means = resample(errors, resamples, rng=rng)
    if means.ndim != 3:
        raise ArgumentError("errors", "axes (draws, first, second)", f"shape {np.shape(errors)}")
    white = np.add.outer(*(np.arange(count) for count in means.shape[1:])) % 2 == 0
    left = []
    for surface in means:
        forms = (fit_joint(first, second, surface, form=form, used=white) for form in ("kaplan", "sum"))
        logs = (each.log_error(first, second) - np.log(surface) for each in forms)
        left.append([np.square(each[~white]).mean() for each in logs])
    squares, trials = np.array(left), len(np.asarray(errors))
    chosen = squares[:, int(squares[0, 1] < squares[0, 0])]
    ahead = estimate(squares[:, 0] - squares[:, 1], trials=trials)
    return Rivals(ahead, estimate(np.sqrt(chosen), trials=trials))
