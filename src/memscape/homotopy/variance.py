"""What some properties explain of another, beyond what is held."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from memscape.arguments import ArgumentError, require_count, require_kind, require_numbers, require_rng
from memscape.tools.bootstrap import bootstrapped
from memscape.tools.statistics import Estimate

__all__ = ["explained", "falls_below"]


def explained(
    target: npt.ArrayLike,
    by: Sequence[npt.ArrayLike],
    *,
    held: Sequence[npt.ArrayLike] = (),
    corrected: bool = False,
    resamples: int,
    rng: np.random.Generator,
) -> Estimate:
    r"""Share of the variance of ranks, once a regression on what is held is taken away, that other properties explain.

    .. math:: R^2 = 1 - \frac{S(\text{held, by})}{S(\text{held})}

    with S the sum of squares that a linear regression of ranks, with a constant, leaves. Corrected, each S is divided
    by its degrees of freedom, so that properties made of chance explain nothing on average.

    Parameters
    ----------
    target
        n numbers.
    by, held
        Properties, n numbers each.
    corrected
        Whether to divide by degrees of freedom.
    resamples
        Bootstrap resamples of the n cases for the interval, 1 to 100,000.
    rng
        For the resamples.

    Returns
    -------
    Estimate
        0 where the target does not vary beyond what is held; below 1, and corrected also below 0.

    Raises
    ------
    ArgumentError
        If lengths differ, a number is not finite, or there are no more cases than properties.
    """
    table = [_row("target", target)]
    require_kind("corrected", corrected, bool)
    for name, group in (("by", by), ("held", held)):
        if isinstance(group, str | bytes) or not isinstance(group, Sequence):
            raise ArgumentError(name, "a sequence of properties", type(group).__name__)
        table += [_row(name, row) for row in group]
    if not len(by) or len({len(row) for row in table}) > 1 or len(table[0]) < len(table) + 2:
        raise ArgumentError("by", "one property or more, all of the same cases, more cases than these", "others")
    require_count("resamples", resamples, at_most=100_000)
    require_rng("rng", rng)
    values = np.stack(table)
    value = _share(values, len(by), corrected=corrected)
    picks = rng.integers(values.shape[1], size=(resamples, values.shape[1]))
    drawn = [_share(values[:, pick], len(by), corrected=corrected) for pick in picks]
    return bootstrapped(value, drawn, values.shape[1])


def _row(name: str, row: npt.ArrayLike) -> npt.NDArray[np.float64]:
    values = require_numbers(name, row)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ArgumentError(name, "finite numbers along one axis", f"shape {values.shape}")
    return values


def _share(values: npt.NDArray[np.float64], count: int, *, corrected: bool) -> float:
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    left = []
    for rows in (ranks[1 + count :], ranks[1:]):
        fit = np.linalg.lstsq(rows.T, ranks[0], rcond=1e-9) if len(rows) else ([], None, 0, None)
        rest = ranks[0] - (rows.T @ fit[0] if len(rows) else 0)
        left.append(float(rest @ rest) / (len(rest) - 1 - int(fit[2]) if corrected else 1))
    return 1 - left[1] / left[0] if left[0] > 1e-9 else 0.0


def falls_below(loads: npt.ArrayLike, overlaps: npt.ArrayLike, level: float) -> npt.NDArray[np.float64]:
    """Load at which a curve first falls below a level, between two points by a straight line.

    Parameters
    ----------
    loads
        Ascending, axes ``(L,)``, two or more.
    overlaps
        Axes ``(..., L)``.
    level
        A number; a curve that starts below it gives the first load, one that never falls below it the last.

    Returns
    -------
    numpy.ndarray
        float64, axes ``(...)``, in the unit of the loads.

    Raises
    ------
    ArgumentError
        If axes differ, a number is not finite or the loads do not ascend.
    """
    x, y = _row("loads", loads), require_numbers("overlaps", overlaps)
    height = require_numbers("level", level)
    if height.ndim or not np.isfinite(height):
        raise ArgumentError("level", "a finite number", str(level))
    if len(x) < 2 or (np.diff(x) <= 0).any() or not np.isfinite(np.diff(x)).all():
        raise ArgumentError("loads", "two or more ascending numbers", "others")
    if y.ndim < 1 or y.shape[-1] != len(x) or not np.isfinite(y).all() or np.abs(y).max(initial=0) > 1e300:
        raise ArgumentError("overlaps", f"finite numbers with axes (..., {len(x)})", f"shape {y.shape}")
    under = y < height
    first = np.where(under.any(axis=-1), under.argmax(axis=-1), len(x))
    right = np.clip(first, 1, len(x) - 1)
    above, below = (np.take_along_axis(y, (right - k)[..., None], axis=-1)[..., 0] for k in (1, 0))
    part = np.clip((above - height) / np.where(above > below, above - below, 1.0), 0.0, 1.0)
    found = x[right - 1] + part * (x[right] - x[right - 1])
    return np.asarray(np.where(first == 0, x[0], np.where(first == len(x), x[-1], found)))
