r"""Whether some weights meet many linear conditions at once, answered with a proof in whole numbers.

Given rows :math:`v_k` of integers, either some w has :math:`v_k \cdot w > 0` for all k, or some whole numbers
:math:`m_k \ge 0`, not all zero, have :math:`\sum_k m_k v_k = 0` (Gordan's alternative). :func:`separate` finds one of
the two: a floating-point solver proposes, and integers decide. :func:`perceptron` finds weights for many sets of
conditions at once and says nothing where it finds none.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from scipy.optimize import linprog

from memscape.arguments import (
    MOST,
    ArgumentError,
    require_fit,
    require_integer,
    require_integers,
    require_tensor,
)
from memscape.tools.exact import largest, lowest_terms, relation, relations, whole

__all__ = ["Separation", "alternatives", "circuit", "perceptron", "separate"]


@dataclass(frozen=True, eq=False)
class Separation:
    """The answer of `separate`, with its proof in integers; exactly one of the two is there.

    Parameters
    ----------
    weights
        Integers w with ``rows @ w >= 1`` in every entry, or None.
    multipliers
        Whole numbers m >= 0, not all 0, with ``m @ rows == 0``, or None. No w can then make all of ``rows @ w``
        positive (Gordan's alternative). The rows with m > 0 are a circuit: without any one of them the others are
        independent. Python integers (dtype object) where one of them needs more than 64 bits.
    """

    weights: np.ndarray | None
    multipliers: np.ndarray | None

    def __bool__(self) -> bool:
        """Whether there are such weights."""
        return self.weights is not None


def separate(rows: np.ndarray) -> Separation:
    """Decide whether some w makes all of ``rows @ w`` positive, and prove it.

    One linear programme (HiGHS) seeks the largest margin in the box of weights from -1 to 1. Its solution, rounded, or
    the exact linear dependence among the rows that its dual solution uses, is then checked in integers; nothing rests
    on a tolerance. Scaling makes a positive margin as good as the margin 1.

    Parameters
    ----------
    rows
        Integers, axes ``(conditions, couplings)``.

    Returns
    -------
    Separation

    Raises
    ------
    ArgumentError
        If ``rows`` is not a matrix of integers, or one of them is beyond 10^15, which the solver does not take.
    RuntimeError
        If neither proof is found, which takes margins near the tolerance of the solver, 1e-7. Those of rows of -1, 0
        and 1 in the dimensions of this part are far above.
    """
    rows = require_integers("rows", rows, (None, None))
    require_integer("largest entry of rows", largest(rows), at_most=10**15)
    count, dimension = rows.shape
    matrix = np.concatenate([-rows.astype(float), np.ones((count, 1))], axis=1)
    cost = np.append(np.zeros(dimension), -1.0)
    bounds = [(-1.0, 1.0)] * dimension + [(None, None)]
    # Dual simplex ends at a vertex, whose dual solution is one of few multipliers: the circuit.
    solution = linprog(cost, A_ub=matrix, b_ub=np.zeros(count), bounds=bounds, method="highs-ds")
    if solution.status != 0:
        raise RuntimeError(f"HiGHS: {solution.message}")
    point = np.asarray(solution.x)
    # The optimum is a ratio of determinants of whole numbers, no larger in order than the dimension: far above 1e-6
    # for the arrangements of this part. Either side is proved below, so that a wrong guess would end in an error.
    if point[-1] > 1e-6:
        weights = _whole_witness(rows, point[:-1])
        if weights is not None:
            return Separation(weights, None)
    multipliers = _circuit(rows, -np.asarray(solution.ineqlin.marginals))
    if multipliers is None:
        raise RuntimeError("no proof in whole numbers for what HiGHS found")
    return Separation(None, multipliers)


def perceptron(rows: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Weights that meet conditions, by the perceptron rule, for many sets of conditions at once.

    Start from the sum of all normals of a set and, while conditions are broken, add the normals of all that are,

    .. math:: w \leftarrow w + \sum_{k:\, v_k \cdot w \le 0} v_k .

    If some weights meet them all, finitely many steps find such weights (Rosenblatt 1962; Novikoff 1962).

    A step adds a vector b with :math:`w \cdot b \le 0`, so that :math:`|w|^2` grows by :math:`|b|^2` at most. With C
    conditions of length :math:`|v| \le \ell` all numbers stay below :math:`C \ell^2 \sqrt{steps + 1}`: whole numbers
    are exact while that is below 2^24 in float32, and below 2^53 in float64.

    Parameters
    ----------
    rows
        Whole numbers: the normals v of each set, axes ``(sets, conditions, couplings)``.
    steps
        Most steps to make; with fewer than 0 not even the start is looked at.

    Returns
    -------
    tuple of torch.Tensor
        The weights, axes ``(sets, couplings)``, and whether they meet all conditions, booleans ``(sets)``. False proves
        nothing.

    Raises
    ------
    ArgumentError
        If the axes do not fit, a value is not finite, or ``steps`` is no integer up to 2**53.
    """
    require_tensor("rows", rows, "sets conditions couplings")
    require_integer("steps", steps, at_most=MOST)
    weights = rows.sum(dim=1)
    found, solved = weights.clone(), torch.zeros(len(weights), dtype=torch.bool, device=rows.device)
    left = torch.arange(len(weights), device=rows.device)
    for step in range(steps + 1):
        broken = (weights[:, None] @ rows.mT)[:, 0] <= 0
        if _look(step, steps):
            keep = broken.any(dim=1)
            found[left], solved[left] = weights, ~keep
            rows, weights, left, broken = rows[keep], weights[keep], left[keep], broken[keep]
            if step == steps or not len(left):
                break
        weights = weights + (broken.to(rows.dtype)[:, None] @ rows)[:, 0]
    return require_fit("rows", found), solved


def alternatives(normals: np.ndarray, sides: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    r"""Gordan's alternative for many sets of conditions at once, as far as the perceptron rule comes.

    The rule works on whole numbers. Where no weights meet the conditions they stay bounded, so that they come back to
    where they were; what was added in between adds up to zero, and how often each condition was broken proves that
    there are no weights. Brent's way to find a cycle (1980): the weights of step 0, 1, 3, 7, ... are kept, one at a
    time, and compared with all that follow.

    Parameters
    ----------
    normals
        Integers v, axes ``(conditions, couplings)``.
    sides
        s, values in {-1, 1}, axes ``(sets, conditions)``: condition k of a set is :math:`s_k v_k \cdot w > 0`.
    steps
        Most steps to make; with fewer than 0 not even the start is looked at.

    Returns
    -------
    tuple of numpy.ndarray
        The weights, axes ``(sets, couplings)``, and the multipliers, axes ``(sets, conditions)``, as in `Separation`,
        but that the multipliers may be those of several circuits. Of each set one row is zero; both, where the steps
        did not suffice.

    Raises
    ------
    ArgumentError
        If the normals are no integers, the sides no signs, or float64 may not hold what so many steps add up.
    """
    normals = require_integers("normals", normals, (None, None))
    sides = require_integers("sides", sides, (None, len(normals)))
    if (abs(sides) != 1).any():
        raise ArgumentError("sides", "values in {-1, 1}", "others")
    require_integer("steps", steps, at_most=MOST)
    count, dimension = normals.shape
    if (count * dimension * largest(normals) ** 2) ** 2 * (steps + 1) >= 2**106:
        raise ArgumentError("steps", "so few that float64 holds their sums", str(steps))
    rows, signs = normals.astype(float), sides.astype(float)
    weights = signs @ rows
    found, multipliers = np.zeros_like(weights), np.zeros_like(signs)
    left, kept, times = np.arange(len(weights)), weights, np.zeros_like(signs)
    for step in range(steps + 1):
        broken = weights @ rows.T * signs <= 0
        again = (weights == kept).all(axis=1) if step else np.zeros(len(left), dtype=bool)
        cycles = again.any()
        if cycles:
            multipliers[left[again]] = times[again]
        if cycles or _look(step, steps):
            keep = broken.any(axis=1)
            found[left[~keep]] = weights[~keep]
            keep &= ~again
            left, signs, weights, broken = left[keep], signs[keep], weights[keep], broken[keep]
            kept, times = kept[keep], times[keep]
            if step == steps or not len(left):
                break
        if not step & (step + 1):
            kept, times = weights, np.zeros_like(times)
        times += broken
        weights = weights + (broken * signs) @ rows
    return found.astype(np.int64), multipliers.astype(np.int64)


def circuit(rows: np.ndarray, multipliers: np.ndarray) -> np.ndarray:
    """One circuit among rows that some multipliers add up to zero: the multipliers of `Separation`, in lowest terms.

    Parameters
    ----------
    rows
        Integers, axes ``(conditions, couplings)``.
    multipliers
        Whole numbers m >= 0, axes ``(conditions)``, not all 0, with ``m @ rows == 0``.

    Raises
    ------
    ArgumentError
        If they are not.
    """
    rows = require_integers("rows", rows, (None, None))
    multipliers = require_integers("multipliers", multipliers, (len(rows),))
    left = np.flatnonzero(multipliers)
    weight = multipliers[left].tolist()
    if not weight or min(weight) < 0 or (np.array(weight, dtype=object) @ rows[left]).any():
        raise ArgumentError("multipliers", "numbers >= 0, not all 0, with which the rows add up to 0", "others")
    while True:
        found = relations(rows[left])
        positive = found[(found >= 0).all(axis=1) | (found <= 0).all(axis=1)]
        if len(positive):
            least = positive[(positive != 0).sum(axis=1).argmin()]
            return _spread(left, lowest_terms(least), len(rows))
        # A dependence with both signs: as much of it as leaves no multiplier negative, and at least one zero.
        other = [int(m) for m in found[0]]
        out = min((k for k, m in enumerate(other) if m > 0), key=lambda k: Fraction(weight[k], other[k]))
        weight = [m * other[out] - z * weight[out] for m, z in zip(weight, other, strict=True)]
        left, weight = left[[m > 0 for m in weight]], [m for m in weight if m]


def _look(step: int, last: int) -> bool:
    """Whether sets that are solved leave the batch: now and then, most of them soon, as to look takes a step's time."""
    return step % 16 == 0 or step in (1, 2, 4, 8, last)


def _whole_witness(rows: np.ndarray, point: np.ndarray) -> np.ndarray | None:
    """Small integers w near a multiple of ``point`` with ``rows @ w >= 1``; None up to a scale that must suffice."""
    # The point lies in the box from -1 to 1, up to rounding: no sum reaches the dimension times the largest entry times
    # 2^31.
    if rows.shape[1] * largest(rows) * 2**31 >= 2**63:
        rows = rows.astype(object)
    for scale in itertools.chain(range(1, 9), (2**power for power in range(4, 31))):
        weights = np.rint(point * scale).astype(np.int64)
        if (rows @ weights >= 1).all():
            return weights
    return None


def _circuit(rows: np.ndarray, guess: np.ndarray) -> np.ndarray | None:
    """Multipliers >= 0 of a circuit inside the rows where ``guess`` is positive, in lowest terms."""
    support = np.flatnonzero(guess > 1e-9)
    found = relation(rows[support])
    if found is None or min(found) < 0:
        return None
    assert not (np.array(found, dtype=object) @ rows[support]).any()
    return _spread(support, found, len(rows))


def _spread(support: np.ndarray, values: Sequence[int], count: int) -> np.ndarray:
    """Values on a support, 0 elsewhere."""
    multipliers = [0] * count
    for row, multiplier in zip(support, values, strict=True):
        multipliers[row] = multiplier
    return whole(multipliers)
