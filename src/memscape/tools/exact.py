r"""Decisions in whole numbers: determinants, linear relations, stability and regions, without rounding.

Arrays of many integers are worked on in 64 bits where a bound, stated with each function, says that no intermediate
number needs more, and in Python's own integers elsewhere. Single systems of fractions are left to SymPy, which is
faster than a loop over fractions from six rows on.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from numbers import Rational
from typing import Any

import numpy as np
import numpy.typing as npt

from memscape.arguments import (
    ArgumentError,
    described,
    require_finite,
    require_integer,
    require_integers,
    require_number,
    require_sequence,
)
from memscape.tools.subsets import mask

__all__ = [
    "affine_regions",
    "characteristic",
    "characteristic_polynomial",
    "determinant",
    "determinants_fit",
    "hurwitz",
    "hurwitz_matrix",
    "largest",
    "lowest_terms",
    "regions",
    "relation",
    "relations",
    "routh",
    "solution",
    "whole",
]

_INT64 = 2**63 - 1
_WIDEST = 64  # rows of a matrix that anybody expands: the work doubles with each


def largest(integers: npt.NDArray[Any]) -> int:
    """The largest absolute value in an array of integers, as a Python integer, since that of -2^63 needs 64 bits."""
    _require_array("integers", integers, "biuO", 0)
    return max(int(integers.max()), -int(integers.min())) if integers.size else 0


def whole(integers: Sequence[int]) -> npt.NDArray[Any]:
    """Python integers as an array: int64 if all of them fit, else of Python integers."""
    for value in require_sequence("integers", integers, "integers"):
        require_integer("integers", value)
    fits = all(abs(value) <= _INT64 for value in integers)
    return np.array(integers, dtype=np.int64 if fits else object)


# Determinants


def determinants_fit(size: int, entry: int) -> bool:
    r"""Whether 64 bits hold all that :func:`determinant` adds up for matrices of a size and largest entry.

    Every partial sum of the expansion of the first r rows has at most r! terms, each a product of r entries, so that
    :math:`n! \, \max(1, m)^n < 2^{63}` is enough.

    Raises
    ------
    ArgumentError
        If the size is not an integer from 0 to 64, or the entry none from 0 on.
    """
    require_integer("size", size, at_least=0, at_most=_WIDEST)
    require_integer("entry", entry, at_least=0)
    return math.factorial(size) * max(1, entry) ** size <= _INT64


def determinant(matrices: npt.NDArray[Any], *, signed: bool = True, entry: int | None = None) -> npt.NDArray[Any]:
    r"""Determinants of many matrices, by expansion without a division: exact for integers.

    Parameters
    ----------
    matrices
        Axes ``(n, n, ...)``: int64, Python integers (dtype object), or float64, which is rounded as usual. The work
        grows as :math:`n 2^n`.
    signed
        False for permanents, the same sums without signs.
    entry
        A bound on the absolute value of the entries, where the caller has one for many calls; by default it is looked
        for, which takes as long as a sixth of the expansion of a small matrix.

    Returns
    -------
    numpy.ndarray
        Axes ``(...)``. int64 becomes Python integers where :func:`determinants_fit` says that 64 bits may not do.

    Raises
    ------
    ArgumentError
        If the matrices are not square, of numbers and finite, have more than 64 rows, or the result is not finite.
    """
    _require_array("matrices", matrices, "iufO", 2)
    size = len(matrices)
    if matrices.shape[1] != size or not 0 < size <= _WIDEST:
        raise ArgumentError("matrices", f"axes (n, n, ...) with n from 1 to {_WIDEST}", f"shape {matrices.shape}")
    if entry is not None:
        require_integer("entry", entry, at_least=0)
    if matrices.dtype == np.int64 and not determinants_fit(size, largest(matrices) if entry is None else entry):
        matrices = matrices.astype(object)
    with np.errstate(over="ignore", invalid="ignore"):  # what does not fit is refused as a whole
        return require_finite("matrices", np.asarray(_expansion(matrices, size, signed), dtype=matrices.dtype))


def _expansion(matrices: npt.NDArray[Any], size: int, signed: bool) -> Any:
    partial: dict[int, Any] = {0: np.ones_like(matrices[0, 0])}
    for row in range(size):
        grown: dict[int, Any] = {}
        for taken, value in partial.items():
            for column in range(size):
                if not taken >> column & 1:
                    # Every column taken before that lies to the right is an inversion.
                    term = matrices[row, column] * value
                    term = -term if signed and (taken >> column).bit_count() & 1 else term
                    key = taken | 1 << column
                    grown[key] = grown[key] + term if key in grown else term
        partial = grown
    return partial[2**size - 1]


# Systems of fractions


def relation(rows: npt.NDArray[Any]) -> list[int] | None:
    """The linear dependence of rows of which one too many is there.

    Parameters
    ----------
    rows
        Integers, axes ``(rows, dimension)``.

    Returns
    -------
    list of int or None
        Coprime whole numbers, the first nonzero one positive, with which the rows add up to zero. None if the rows are
        independent or have more than one dependence.

    Raises
    ------
    ArgumentError
        If ``rows`` is not a matrix of integers.
    """
    found = relations(rows)
    return lowest_terms(found[0]) if len(found) == 1 else None


def relations(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    r"""A basis of the linear dependences among rows, each of them without any one of its rows independent.

    Elimination without fractions (Bareiss 1968): every number on the way is a minor of the rows. With r the smaller of
    the two sizes and entries up to m, minors stay within :math:`(\sqrt r m)^r` (Hadamard), and two products of them are
    subtracted, so that :math:`2 (r m^2)^r < 2^{63}` lets 64 bits hold all.

    Parameters
    ----------
    rows
        Integers, axes ``(rows, dimension)``.

    Returns
    -------
    numpy.ndarray
        Whole numbers, axes ``(dependences, rows)``; int64, or Python integers where these may not do.

    Raises
    ------
    ArgumentError
        If ``rows`` is not a matrix of integers.
    """
    _require_array("rows", rows, "iuO", 2)
    if rows.ndim != 2:
        raise ArgumentError("rows", "axes (rows, dimension)", f"shape {rows.shape}")
    count, dimension = rows.shape
    size = min(count, dimension)
    fits = 2 * (size * largest(rows) ** 2) ** size <= _INT64
    rows = rows.astype(np.int64 if fits else object)
    rest = np.concatenate([rows, np.eye(count, dtype=rows.dtype)], axis=1)
    last = 1
    for _ in range(dimension):
        column = rest[:, 0]
        there = np.flatnonzero(column)
        if not len(there):
            rest = rest[:, 1:]
            continue
        if there[0]:
            rest[[0, there[0]]] = rest[[there[0], 0]]
        pivot, below = rest[0], rest[1:]
        rest = (pivot[0] * below[:, 1:] - below[:, :1] * pivot[1:]) // last
        last = pivot[0]
    return rest


def lowest_terms(integers: npt.NDArray[Any]) -> list[int]:
    """Whole numbers, not all zero, without a common divisor and the first that is not zero positive.

    Raises
    ------
    ArgumentError
        If they are no integers in a row, or all zero.
    """
    _require_array("integers", integers, "iuO", 1)
    if integers.ndim != 1 or not integers.any():
        raise ArgumentError("integers", "a row of integers, not all zero", f"shape {integers.shape}")
    numbers = [int(number) for number in integers]
    divisor = math.gcd(*numbers) * (1 if next(number for number in numbers if number) > 0 else -1)
    return [number // divisor for number in numbers]


def solution(rows: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction] | None:
    """The solution of a square system with its right-hand side, or None where there is no unique one.

    Raises
    ------
    ArgumentError
        If a row or the right-hand side does not have as many rational numbers as there are rows.
    """
    size = len(_require_square("rows", rows))
    if len(_require_rationals("right", right)) != size:
        raise ArgumentError("right", f"{size} numbers, one a row", str(len(right)))
    if not rows:
        return []
    augmented, pivots = _fractions([[*row, side] for row, side in zip(rows, right, strict=True)]).rref()
    if pivots != tuple(range(len(rows))):
        return None
    return [Fraction(int(row[-1].numerator), int(row[-1].denominator)) for row in augmented.to_list()]


def characteristic_polynomial(rows: Sequence[Sequence[Fraction]]) -> list[Fraction]:
    """Coefficients of det(s - A) of a square matrix A, the leading one, which is 1, first.

    Raises
    ------
    ArgumentError
        If a row does not have as many rational numbers as there are rows.
    """
    _require_square("rows", rows)
    if not rows:
        return [Fraction(1)]
    found = _fractions(rows).charpoly()
    return [Fraction(int(value.numerator), int(value.denominator)) for value in found]


def _require_square(name: str, rows: Any) -> Any:
    for row in require_sequence(name, rows, "rows"):
        if len(_require_rationals(name, row)) != len(rows):
            raise ArgumentError(name, f"{len(rows)} rows of as many numbers", f"a row of {len(row)}")
    return rows


def _require_rationals(name: str, values: Any) -> Any:
    for value in require_sequence(name, values, "fractions"):
        if not isinstance(value, Rational):
            raise ArgumentError(name, "fractions or integers", repr(value), "Write Fraction(value).")
    return values


def _require_array(name: str, value: Any, kinds: str, axes: int) -> None:
    """Refuse what is no numpy array of one of these kinds of dtype with so many axes or more."""
    if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds or value.ndim < axes:
        floats = " or floats" * ("f" in kinds)
        raise ArgumentError(name, f"a numpy array of integers{floats} with {axes} axes or more", described(value))


def _fractions(rows: Sequence[Sequence[Fraction]]) -> Any:
    from sympy import QQ
    from sympy.polys.matrices import DomainMatrix

    entries = [[QQ(value.numerator, value.denominator) for value in row] for row in rows]
    return DomainMatrix(entries, (len(rows), len(rows[0])), QQ)


# Stability


def characteristic(minors: npt.NDArray[Any], members: Sequence[int]) -> npt.NDArray[Any]:
    """Coefficients 1, E_1, ..., E_k of det(s + U) on a set, E_m being the sum of its principal minors of size m.

    Parameters
    ----------
    minors
        Integers, axes ``(2**n, ...)``: the principal minor on each set, bit i for row i; 1 on the empty set.
    members
        The set.

    Returns
    -------
    numpy.ndarray
        Python integers, axes ``(k + 1, ...)``.

    Raises
    ------
    ArgumentError
        If the minors are no integers, or the members no set of rows.
    """
    _require_array("minors", minors, "iuO", 1)
    for member in require_sequence("members", members, "rows"):
        require_integer("members", member, at_least=0, at_most=len(minors).bit_length() - 2)
    if len(set(members)) < len(members):
        raise ArgumentError("members", "each row once", str(list(members)))
    sums = np.zeros((len(members) + 1, *minors.shape[1:]), dtype=object)
    for size in range(len(members) + 1):
        for chosen in itertools.combinations(members, size):
            sums[size] += np.asarray(minors[mask(chosen)]).astype(object)
    return sums


def hurwitz(coefficients: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Whether all roots of many polynomials have negative real parts, by the criterion of Lienard and Chipart.

    All coefficients and every other one of Hurwitz's determinants, from the last but one down, must be positive.

    Parameters
    ----------
    coefficients
        Integers, axes ``(degree + 1, ...)``, the leading one first and positive. The work grows as 2 to the degree.

    Returns
    -------
    numpy.ndarray
        Booleans, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If the coefficients are no numbers, or not finite.
    """
    _require_array("coefficients", coefficients, "iufO", 1)
    degree = len(coefficients) - 1
    passed = (coefficients > 0).all(axis=0)
    for size in range(degree - 1, 1, -2):
        passed &= determinant(hurwitz_matrix(coefficients, size)) > 0
    return np.asarray(passed, dtype=bool)


def hurwitz_matrix(coefficients: npt.NDArray[Any], size: int) -> npt.NDArray[Any]:
    """The leading block of Hurwitz's matrix of polynomials, entry (i, j) being coefficient 2j - i + 1.

    Parameters
    ----------
    coefficients
        Axes ``(degree + 1, ...)``, the leading one first.
    size
        Rows of the block.

    Returns
    -------
    numpy.ndarray
        Axes ``(size, size, ...)``.

    Raises
    ------
    ArgumentError
        If the coefficients are no numbers or not finite, or the size is not an integer from 0 to 64.
    """
    _require_array("coefficients", coefficients, "iufO", 1)
    require_finite("coefficients", coefficients)
    require_integer("size", size, at_least=0, at_most=_WIDEST)
    table = np.zeros((size, size, *coefficients.shape[1:]), dtype=coefficients.dtype)
    for i, j in itertools.product(range(size), repeat=2):
        if 0 <= 2 * j - i + 1 < len(coefficients):
            table[i, j] = coefficients[2 * j - i + 1]
    return table


def routh(coefficients: Sequence[Fraction]) -> bool:
    """Whether all roots of one polynomial have negative real parts, by Routh's array; its degree may be any.

    Parameters
    ----------
    coefficients
        The leading one first and positive.

    Raises
    ------
    ArgumentError
        If they are not rational numbers, or the leading one is not positive.
    """
    if not _require_rationals("coefficients", coefficients) or coefficients[0] <= 0:
        raise ArgumentError("coefficients", "numbers, the first one positive", str(list(coefficients)[:1]))
    degree = len(coefficients) - 1
    above, row = ([*coefficients[start::2], *[Fraction(0)] * degree][: degree // 2 + 1] for start in (0, 1))
    for _ in range(degree):
        if row[0] <= 0:
            return False
        ratio = above[0] / row[0]
        above, row = row, [a - ratio * r for a, r in zip(above[1:], row[1:], strict=True)] + [Fraction(0)]
    return True


# Regions


def regions(normals: npt.NDArray[Any]) -> int:
    """Number of regions into which central hyperplanes cut space, by deletion and restriction.

    The last hyperplane adds as many regions as the others cut it into (Zaslavsky 1975). All in whole numbers: a
    restriction multiplies the largest entry m to 2 m^2 at most, so that 64 bits hold it while m < 2^31, and Python's
    integers take over beyond. Meant for some tens of regions to some ten thousands.

    Parameters
    ----------
    normals
        Integers, axes ``(hyperplanes, dimension)``, no row zero; rows that are multiples of each other count once.

    Raises
    ------
    ArgumentError
        If ``normals`` is not a matrix of integers or a row is zero.
    """
    normals = require_integers("normals", normals, (None, None))
    if not normals.any(axis=1).all():
        raise ArgumentError("normals", "rows that are not zero", "a zero row", "Leave it out.")
    return _regions(_lines(normals))


def affine_regions(hyperplanes: Sequence[Sequence[Rational | float]]) -> int:
    r"""Number of regions into which hyperplanes cut space, central or not, exactly.

    The hyperplane a.x = c becomes a.x = c t with one coordinate t more, and together with t = 0 these central
    hyperplanes cut space into twice as many regions: those with t > 0, and their negatives.

    Parameters
    ----------
    hyperplanes
        Rows (a_1, ..., a_d, c) of the hyperplanes a.x = c: integers, fractions or finite floats at their exact values.

    Raises
    ------
    ArgumentError
        If the rows differ in length, a number is not finite, or all a_i of a row are zero.
    """
    rows: list[list[int]] = []
    for row in require_sequence("hyperplanes", hyperplanes, "rows"):
        for value in require_sequence("hyperplanes", row, "numbers"):
            require_number("hyperplanes", value)
        if len(row) != len(hyperplanes[0]) or not any(row[:-1]):
            expected = "rows (a_1, ..., a_d, c) of one length, not all a_i zero"
            raise ArgumentError("hyperplanes", expected, repr(tuple(row)))
        exact = [Fraction(value) for value in row]
        common = math.lcm(*(value.denominator for value in exact))
        rows.append([int(value * common) for value in exact])
    if not rows:
        return 1
    cone = [*rows, [0] * (len(rows[0]) - 1) + [1]]
    return _regions(_lines(np.array(cone, dtype=object))) // 2


def _regions(normals: npt.NDArray[Any]) -> int:
    if normals.shape[1] == 1:
        return 2
    if normals.shape[1] == 2:
        return 2 * len(normals)
    if normals.shape[1] == 3:
        # The others meet each plane in lines along cross products: all planes at once, and each with those before it.
        others, last = np.triu_indices(len(normals), 1)
        along = _lowest(np.cross(normals[others], normals[last]))
        return 2 + 2 * len(_distinct(np.column_stack((last, along))))
    total = 2
    for k in range(1, len(normals)):
        last, others = normals[k], normals[:k]
        pivot = int((last != 0).argmax())
        # The others within the last hyperplane, whose first nonzero coordinate follows from the rest.
        inside = others * last[pivot] - others[:, pivot : pivot + 1] * last
        total += _regions(_lines(np.delete(inside, pivot, axis=1)))
    return total


def _lines(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows in lowest terms, first nonzero entry positive, each once; int64 while a restriction of them will fit."""
    return _distinct(_lowest(rows))


def _lowest(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Rows in lowest terms, first nonzero entry positive."""
    if rows.dtype != object and largest(rows) > _INT64 // 2:
        rows = rows.astype(object)  # the absolute value of -2^63
    rows = rows // np.gcd.reduce(rows, axis=1)[:, None]
    lead = np.take_along_axis(rows, (rows != 0).argmax(axis=1)[:, None], axis=1)
    lowest: npt.NDArray[Any] = rows * np.where(lead > 0, 1, -1)
    return lowest


def _distinct(rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Each row once, sorted; int64 while a restriction of them will fit."""
    if (most := largest(rows)) < 2**31:
        rows = rows.astype(np.int64)
        base, digits = 2 * most + 1, rows.shape[1]
        if base**digits <= _INT64:  # a row is one number then, and those are sorted many times as fast
            return rows[np.unique((rows + most) @ base ** np.arange(digits)[::-1], return_index=True)[1]]
        found: npt.NDArray[Any] = np.unique(rows, axis=0)
        return found
    return np.array(sorted(set(map(tuple, rows.tolist()))), dtype=object)
