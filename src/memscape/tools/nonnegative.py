r"""Least squares without negative numbers, whose solution is checked before it is used.

A vector x minimises :math:`|A x - b|` over :math:`x \ge 0` if and only if :math:`g = A^T (A x - b)` has no negative
entry and :math:`g \cdot x = 0` (Lawson & Hanson 1974, chapter 23). The solver of scipy is fast, but from version 1.15
on it can stop at a vector that is no minimum, and give the residual as 0 (issue 25389 of scipy). Where a system is
degenerate, the rounding of the processor decides whether that happens. So both conditions are checked, and a slower
solver takes over where one does not hold.
"""

from __future__ import annotations

import contextlib

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear, nnls

from memscape.arguments import ArgumentError, require_finite, require_numbers

__all__ = ["nonnegative_least_squares"]

_TOLERANCE = 1e-9
"""Dimensionless: rounding leaves 1e-12 at a minimum, and where the fast solver fails the conditions miss by 1e-2."""


def nonnegative_least_squares(system: npt.ArrayLike, target: npt.ArrayLike) -> npt.NDArray[np.float64]:
    r"""The vector :math:`x \ge 0` with the least :math:`|A x - b|`.

    Parameters
    ----------
    system
        A, axes ``(rows, columns)``, finite.
    target
        b, axes ``(rows,)``, finite.

    Returns
    -------
    numpy.ndarray
        Axes ``(columns,)``. If several vectors are best, one of them; :math:`A x` is the same for all.

    Raises
    ------
    ArgumentError
        If axes or values do not fit.
    RuntimeError
        If no solver finds a minimum.
    """
    matrix = require_finite("system", require_numbers("system", system))
    aim = require_finite("target", require_numbers("target", target))
    if matrix.ndim != 2 or not matrix.size:
        raise ArgumentError("system", "axes (rows, columns), one or more of each", f"shape {matrix.shape}")
    if aim.shape != matrix.shape[:1]:
        raise ArgumentError("target", f"shape {matrix.shape[:1]}", f"shape {aim.shape}")
    rounds = 100 * sum(matrix.shape)
    with contextlib.suppress(RuntimeError):  # too many rounds
        found, _ = nnls(matrix, aim, maxiter=rounds)
        if _is_minimum(matrix, aim, found):
            return found
    found = lsq_linear(matrix, aim, (0, np.inf), method="bvls", max_iter=rounds).x.clip(min=0.0)
    if not _is_minimum(matrix, aim, found):
        raise RuntimeError("non-negative least squares: neither solver found a minimum")
    return found


def _is_minimum(matrix: npt.NDArray[np.float64], aim: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> bool:
    gradient = matrix.T @ (matrix @ found - aim)
    columns = np.linalg.norm(matrix, axis=0)
    # Rounding of A x - b is in proportion to the terms of the sum.
    size = np.linalg.norm(aim) + columns @ found
    return bool((gradient >= -_TOLERANCE * size * columns).all() and abs(gradient @ found) <= _TOLERANCE * size**2)
