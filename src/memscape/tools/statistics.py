r"""A measured number and its interval: shares, means, crossings, quotients.

:func:`wilson` and :func:`mean_interval` take arrays and give arrays, for figures and tables: a share by Wilson's score
interval (Wilson 1927), a mean over runs by Student's (Student 1908). :func:`share` does the same for hits that come in
independent trials of several units each, where the interval must say how much the units of a trial go together, and
gives an :class:`Estimate`; :func:`crossing` and :func:`ratio` go on from there. Intervals are of 95 % unless a level is
given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import special

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_kind,
    require_number,
    require_numbers,
    require_sequence,
)

__all__ = ["NORMAL", "Estimate", "columns", "crossing", "mean_interval", "ratio", "share", "wilson"]

Array = npt.NDArray[np.float64]

NORMAL = float(special.ndtri(0.975))
"""Half width of a 95 % interval in standard deviations."""


@dataclass(frozen=True)
class Estimate:
    """A measured number with its 95 % interval.

    Attributes
    ----------
    value, low, high
        The number and the ends of the interval.
    trials
        Number of independent trials behind it.
    """

    value: float
    low: float
    high: float
    trials: int


def wilson(successes: npt.ArrayLike, trials: npt.ArrayLike, level: float = 0.95) -> tuple[Array, Array, Array]:
    """Return the share of successes with its Wilson score interval: (share, low, high).

    Parameters
    ----------
    successes, trials
        Integer counts of any one shape, ``trials`` also a single number.
    level
        The confidence level, in (0, 1).

    Returns
    -------
    tuple of three arrays
        Each of the shape of ``successes``, dimensionless, in [0, 1].

    References
    ----------
    Wilson 1927.
    """
    require_number("level", level, above=0, at_most=1 - 1e-9)
    hits, total = np.asarray(successes), np.asarray(trials)
    try:
        hits, total = np.broadcast_arrays(hits, total)
    except ValueError as error:
        raise ArgumentError("trials", f"shape {hits.shape} or none", f"shape {total.shape}") from error
    for name, counts in (("successes", hits), ("trials", total)):
        if not np.issubdtype(counts.dtype, np.integer):
            raise ArgumentError(name, "integer counts", str(counts.dtype))
    if (total < 1).any() or (hits < 0).any() or (hits > total).any():
        raise ArgumentError("successes", "counts with 0 <= successes <= trials and trials >= 1", "others")
    low, high = _score_interval(hits, total, float(special.ndtri(0.5 + 0.5 * level)))
    return hits / total, low, high


def mean_interval(values: npt.ArrayLike, level: float = 0.95) -> tuple[Array, Array, Array]:
    r"""Return the mean over runs with Student's interval: (mean, low, high).

    .. math:: \bar x \pm t_{n-1} \, s / \sqrt n

    With few runs the quantile :math:`t_{n-1}` is far above 1.96: 12.7 for two runs, 2.8 for five.

    Parameters
    ----------
    values
        Finite numbers (..., n), the last axis the independent runs, at least two.
    level
        The confidence level, in (0, 1).

    Returns
    -------
    tuple of three arrays
        Each of shape (...), in the unit of the values.

    References
    ----------
    Student 1908.
    """
    from scipy.stats import sem, t

    require_number("level", level, above=0, at_most=1 - 1e-9)
    runs = require_numbers("values", values, "finite numbers with axes (..., runs)")
    if runs.ndim == 0 or runs.shape[-1] < 2 or not np.isfinite(runs).all():
        expected = "finite numbers with at least two runs along the last axis"
        raise ArgumentError("values", expected, f"others of shape {runs.shape}")
    mean, count = runs.mean(axis=-1), runs.shape[-1]
    half = np.asarray(t.ppf((1 + level) / 2, count - 1) * sem(runs, axis=-1))
    return mean, mean - half, mean + half


def share(hits: torch.Tensor, *, of: int = 1) -> Estimate:
    """Share of hits with Wilson's 95 % interval (Wilson 1927), widened where the hits of a trial go together.

    Parameters
    ----------
    hits
        Hits of each trial, integers in [0, of], axes ``(trials,)``; trials are independent of each other.
    of
        Units of a trial that could be hit.

    Returns
    -------
    Estimate
        Hits over units. The interval is Wilson's with the number of units divided by the design effect, which is the
        variance of the hits of a trial over its binomial value, and 1 at the least.

    Raises
    ------
    ArgumentError
        If the hits are not integers in that range or there are none.
    """
    require_count("of", of)
    if not isinstance(hits, torch.Tensor) or hits.dtype != torch.int64 or hits.dim() != 1 or len(hits) == 0:
        got = f"{hits.dtype} {tuple(hits.shape)}" if isinstance(hits, torch.Tensor) else type(hits).__name__
        raise ArgumentError("hits", "an int64 tensor with axes (trials)", got, "Write (wrong == 0).long().flatten().")
    if (hits < 0).any() or (hits > of).any():
        raise ArgumentError("hits", f"values in [0, {of}]", f"{hits.min()} to {hits.max()}")
    trials = len(hits)
    value = hits.sum().item() / (trials * of)
    binomial = of * value * (1 - value)
    clustered = of > 1 and trials > 1 and binomial > 0
    effect = max(1.0, hits.double().var().item() / binomial) if clustered else 1.0
    units = trials * of / effect
    low, high = _score_interval(value * units, units, NORMAL)
    return Estimate(value, float(low), float(high), trials)


def _score_interval(hits: npt.ArrayLike, units: npt.ArrayLike, z: float) -> tuple[Array, Array]:
    """Ends of Wilson's interval, ``z`` standard deviations to either side; hits and units need not be whole."""
    k, n = np.asarray(hits, dtype=np.float64), np.asarray(units, dtype=np.float64)
    share = k / n
    # At 0 and 1 the interval ends at the share itself, whatever rounding says.
    centre = (2 * n * share + z**2) / (2 * (n + z**2))
    half = z / (2 * (n + z**2)) * np.sqrt(4 * n * share * (1 - share) + z**2)
    return np.where(k == 0, 0.0, np.maximum(centre - half, 0.0)), np.where(k == n, 1.0, np.minimum(centre + half, 1.0))


def crossing(counts: Sequence[int], shares: Sequence[Estimate], level: float) -> Estimate:
    r"""Number of patterns at which a measured share crosses a level, from a straight line in the right coordinates.

    The probit of the share is fitted as :math:`a + b / \sqrt P`, weighted by the intervals. For a one-step bit error
    and Gaussian crosstalk this line is exact, with a = 0; close to a crossing it serves any smooth curve.

    Parameters
    ----------
    counts
        Numbers of patterns P, at least two different ones.
    shares
        The share measured at each.
    level
        The share to find, in (0, 1).

    Returns
    -------
    Estimate
        P at the crossing with its 95 % interval (first-order propagation), and the trials of all points together.

    Raises
    ------
    ArgumentError
        If the lengths differ, a count is not positive, the level is out of range, or the points do not bracket it.
    """
    require_number("level", level, above=0.0, at_most=0.999999)
    require_sequence("counts", counts, "numbers of patterns")
    for point in require_sequence("shares", shares, "estimates"):
        require_kind("shares", point, Estimate)
    for count in counts:
        require_count("counts", count)
    if len(counts) != len(shares) or len(set(counts)) < 2:
        raise ArgumentError("counts", "at least two different counts, one a share", f"{len(counts)} for {len(shares)}")
    values = [point.value for point in shares]
    if not min(values) <= level <= max(values):
        raise ArgumentError(
            "level",
            f"a share between the measured {min(values):g} and {max(values):g}",
            f"{level:g}",
            "Measure further out: a line is no licence to extrapolate.",
        )
    # The middle of Wilson's interval is never 0 or 1, where the probit is infinite.
    centres = np.array([(point.low + point.high) / 2 for point in shares])
    halves = np.array([(point.high - point.low) / 2 for point in shares])
    probits = special.ndtri(centres)
    errors = halves / NORMAL / np.exp(-(probits**2) / 2) * math.sqrt(2 * math.pi)
    design = np.stack([np.ones(len(counts)), np.array(counts, dtype=float) ** -0.5], axis=1)
    covariance = np.linalg.inv(design.T @ (design / errors[:, None] ** 2))
    a, b = covariance @ design.T @ (probits / errors**2)
    root = float((special.ndtri(level) - a) / b)
    gradient = np.array([-1.0, -root]) / b
    half = NORMAL * math.sqrt(gradient @ covariance @ gradient)
    low, high = (root + half) ** -2, max(root - half, 1e-12) ** -2
    return Estimate(root**-2, low, high, sum(point.trials for point in shares))


def ratio(over: Estimate | float, under: Estimate | float) -> Estimate:
    """Quotient of two independent positive numbers, measured or exact, with its 95 % interval.

    Parameters
    ----------
    over, under
        Numerator and denominator; a plain number is exact.

    Returns
    -------
    Estimate
        The relative half widths of both intervals add in squares; the trials are those of both.

    Raises
    ------
    ArgumentError
        If a number is not positive, or the quotient is beyond what a float holds.
    """
    parts = [part if isinstance(part, Estimate) else Estimate(part, part, part, 0) for part in (over, under)]
    for name, part in zip(("over", "under"), parts, strict=True):
        require_number(name, part.value, above=0.0)
    value = parts[0].value / parts[1].value
    require_number("over / under", value, above=0.0)
    spread = math.hypot(*((part.high - part.low) / (2 * part.value) for part in parts))
    return Estimate(value, value * (1 - spread), value * (1 + spread), sum(part.trials for part in parts))


def columns(estimates: Sequence[Estimate]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Values, lower and upper ends of estimates, as a figure wants them: three float64 tensors, axes ``(estimates,)``.

    Raises
    ------
    ArgumentError
        If there are no estimates.
    """
    for estimate in require_sequence("estimates", estimates, "estimates"):
        require_kind("estimates", estimate, Estimate)
    if not estimates:
        raise ArgumentError("estimates", "one estimate or more", "none")
    rows = [(estimate.value, estimate.low, estimate.high) for estimate in estimates]
    value, low, high = torch.tensor(rows, dtype=torch.float64, device="cpu").T
    return value, low, high
