"""Homology at hand: complexes of sets that occur together, their strong collapse, bars, and ranks by elimination.

:mod:`memscape.tools.complexes` counts the holes of a complex that somebody has built. Here complexes are built from a
table of what occurs together (rows are occasions, columns are vertices), after :func:`core` has taken away rows and
columns that no hole needs. :func:`betti_by_elimination` counts holes without GUDHI, from the boundary matrices, over a
prime field or the rational numbers, and is slow: a check.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from memscape.arguments import ArgumentError, described, require_integer, require_room
from memscape.tools import pieces
from memscape.tools.complexes import betti_numbers, f_vector

if TYPE_CHECKING:
    from gudhi import SimplexTree

__all__ = ["bars", "below", "betti_by_elimination", "boundary", "core", "holes", "rank", "together"]

_BLOCK = 256
_MOST = 10_000_000


def together(words: npt.NDArray[np.bool_], dimension: int) -> SimplexTree:
    """The complex of all sets of columns that are true together in some row, as a simplex tree with a filtration.

    Parameters
    ----------
    words
        Booleans, axes ``(T, N)``: which of N vertices take part in each of T occasions.
    dimension
        Largest dimension of a simplex that is listed, 0 to 3; holes are right below it.

    Returns
    -------
    gudhi.SimplexTree
        A vertex for every column that is true somewhere. The filtration value of a simplex is minus the number of rows
        in which all of it is true, which never falls from a face to what it is a face of.

    Raises
    ------
    ArgumentError
        If ``words`` is no table of booleans with an entry that is true, the dimension is out of range, or there are
        more than ten million candidates for simplices of a dimension.
    ModuleNotFoundError
        Where GUDHI has no build for the machine.
    """
    from gudhi import SimplexTree

    table = _require_words(words)
    require_integer("dimension", dimension, at_least=0, at_most=3)
    if not table.any():
        raise ArgumentError("words", "at least one entry that is true", "none")
    matrix = table.astype(np.float32)
    tree = SimplexTree()
    faces = np.flatnonzero(table.any(axis=0))[None]
    counts = matrix.sum(axis=0)[faces[0]]
    tree.insert_batch(faces, -counts.astype(np.float64))
    for _ in range(dimension):
        faces, counts = _larger(matrix, faces)
        if faces.shape[1] == 0:
            break
        tree.insert_batch(faces, -counts)
    return tree


def _larger(matrix: npt.NDArray[np.float32], faces: npt.NDArray[np.int64]) -> tuple[npt.NDArray[Any], ...]:
    """The simplices one vertex larger, ``(k + 1, C)``, and how often each occurs."""
    count, neurons = faces.shape[1], matrix.shape[1]
    if count * neurons > _MOST * 50 or count > _MOST:
        raise ArgumentError("words", f"a complex of at most {_MOST} simplices a dimension", f"{count} and more")
    found, often, rows = [], [], np.ascontiguousarray(matrix.T)
    each = 4 * (len(matrix) + neurons)
    for part in pieces.slices(count, min(pieces.fitting(each), pieces.cached(each, at_least=256))):
        some = faces[:, part]
        joint = rows[some[0]]
        for row in some[1:]:
            joint *= rows[row]
        meet = joint @ matrix
        meet[np.arange(neurons) <= some[-1][:, None]] = 0
        face, vertex = np.nonzero(meet)
        found.append(np.concatenate([some[:, face], vertex[None]]))
        often.append(meet[face, vertex])
    return np.concatenate(found, axis=1), np.concatenate(often).astype(np.float64)


def core(words: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The table that is left when dominated vertices and non-maximal rows are taken away, again and again.

    A vertex is *dominated* by another if every maximal simplex that contains it contains the other one, too. To remove
    it is a strong collapse: it changes neither the homotopy type nor the holes over any field. What is left when
    nothing is dominated does not depend on the order, up to names.

    Parameters
    ----------
    words
        Booleans, axes ``(T, N)``, as for :func:`together`.

    Returns
    -------
    numpy.ndarray
        Booleans, axes ``(maximal simplices, vertices)`` of the core: one row and one column if it is a point.

    Raises
    ------
    ArgumentError
        If ``words`` is no table of booleans with an entry that is true.

    References
    ----------
    Barmak and Minian 2012.
    """
    table = _require_words(words)
    table = table[:, table.any(axis=0)]
    if table.size == 0:
        raise ArgumentError("words", "at least one entry that is true", "none")
    while True:
        rows = table[_maximal(table)]
        columns = rows[:, _maximal(rows.T)]
        if columns.shape == table.shape:
            return columns
        table = columns


def _maximal(table: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Indices of the rows that are in no other row; the first of several equal ones."""
    # Larger rows first: a row in another one, or equal to an earlier one, is in one that is kept already.
    size = table.sum(axis=1)
    order = np.argsort(-size, kind="stable")
    rows, size = table[order].astype(np.float32), size[order]
    kept = np.zeros((0, table.shape[1]), dtype=np.float32)
    found = []
    for part in pieces.slices(len(rows), _BLOCK):
        block = np.arange(part.start, part.stop)
        block = block[~(rows[block] @ kept.T == size[block, None]).any(axis=1)]
        inside = rows[block] @ rows[block].T == size[block, None]
        block = block[~np.tril(inside, -1).any(axis=1)]
        kept = np.concatenate([kept, rows[block]])
        found.append(block)
    return np.sort(order[np.concatenate(found)])


def holes(words: npt.NDArray[np.bool_], dimension: int, *, field: int = 2) -> tuple[int, ...]:
    """Betti numbers 0 to ``dimension`` of the complex of sets that are true together, from its core.

    Parameters
    ----------
    words
        Booleans, axes ``(T, N)``, as for :func:`together`.
    dimension
        Largest dimension of holes, 0 to 2.
    field
        A prime.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("dimension", dimension, at_least=0, at_most=2)
    return below(together(core(words), dimension + 1), dimension, field=field)


def below(tree: SimplexTree, dimension: int, *, field: int = 2) -> tuple[int, ...]:
    """Betti numbers 0 to ``dimension`` of a complex of which at least the simplices of one dimension more are listed.

    Parameters
    ----------
    tree
        A GUDHI simplex tree.
    dimension
        Largest dimension of holes, 0 to 1000.
    field
        A prime.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("dimension", dimension, at_least=0, at_most=1000)
    f_vector(tree)
    if tree.dimension() <= dimension:
        found = betti_numbers(tree, field=field)
    else:  # without the holes of the top dimension, which are most of the work
        betti_numbers(type(tree)(), field=field)
        tree.compute_persistence(homology_coeff_field=field)
        found = tuple(map(int, tree.betti_numbers()))
    return (*found, *[0] * (dimension + 1))[: dimension + 1]


def bars(tree: SimplexTree, dimension: int, *, field: int = 2) -> npt.NDArray[np.float64]:
    """The bars of one dimension of a filtered complex: when each hole opens and closes.

    Parameters
    ----------
    tree
        A GUDHI simplex tree with filtration values that are numbers.
    dimension
        Of the holes, 0 to 1000.
    field
        A prime.

    Returns
    -------
    numpy.ndarray
        Axes ``(bars, 2)``, birth and death, longest first; a hole that never closes dies at infinity. Bars of length 0
        are left out.

    Raises
    ------
    ArgumentError
        If ``tree`` is no simplex tree, a filtration value is not a number, or ``field`` is no prime.
    """
    require_integer("dimension", dimension, at_least=0, at_most=1000)
    f_vector(tree)
    if any(math.isnan(value) for _, value in tree.get_filtration()):
        raise ArgumentError("tree", "filtration values that are numbers", "NaN")
    betti_numbers(tree, field=field)
    found = np.asarray(tree.persistence_intervals_in_dimension(dimension), dtype=np.float64).reshape(-1, 2)
    return found[np.lexsort((found[:, 0], found[:, 0] - found[:, 1]))]


def boundary(tree: SimplexTree, dimension: int) -> npt.NDArray[np.int64]:
    """The boundary matrix from simplices of one dimension to those of the next lower, in whole numbers.

    Parameters
    ----------
    tree
        A GUDHI simplex tree.
    dimension
        d, at least 1.

    Returns
    -------
    numpy.ndarray
        Axes ``(simplices of dimension d - 1, simplices of dimension d)``, lexicographic, values -1, 0 and 1.

    Raises
    ------
    ArgumentError
        If ``tree`` is no simplex tree, the dimension is out of range, or the matrix does not fit.
    """
    f_vector(tree)
    require_integer("dimension", dimension, at_least=1)
    lower, upper = (sorted(tuple(s) for s, _ in tree.get_simplices() if len(s) == size)
                    for size in (dimension, dimension + 1))  # fmt: skip
    require_room(tree=max(1, len(lower)) * max(1, len(upper)))
    index = {face: i for i, face in enumerate(lower)}
    matrix = np.zeros((len(lower), len(upper)), dtype=np.int64)
    for column, simplex in enumerate(upper):
        for i in range(len(simplex)):
            matrix[index[(*simplex[:i], *simplex[i + 1 :])], column] = (-1) ** i
    return matrix


def rank(matrix: npt.NDArray[np.int64], field: int) -> int:
    """Rank of a matrix of whole numbers over a prime field, or over the rational numbers.

    Parameters
    ----------
    matrix
        Whole numbers, axes ``(rows, columns)``.
    field
        A prime, or 0 for the rational numbers.

    Raises
    ------
    ArgumentError
        If the matrix is none, or ``field`` neither 0 nor a prime below 46340.
    """
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.dtype.kind not in "iu":
        raise ArgumentError("matrix", "a matrix of integers", described(matrix))
    require_integer("field", field, at_least=0, at_most=46337)
    if field == 1 or any(field % divisor == 0 for divisor in range(2, math.isqrt(field) + 1) if field):
        raise ArgumentError("field", "0 or a prime number", str(field))
    left: Any = matrix.astype(object) if field == 0 else matrix.astype(np.int64) % field
    reduce: Callable[[Any], Any] = _lowest if field == 0 else lambda rows: rows % field
    found = 0
    for column in range(matrix.shape[1]):
        pivot = next((row for row in range(found, len(left)) if left[row, column]), None)
        if pivot is None:
            continue
        left[[found, pivot]] = left[[pivot, found]]
        below = np.flatnonzero(left[found + 1 :, column] != 0) + found + 1
        left[below] = reduce(left[below] * left[found, column] - left[below, column][:, None] * left[found])
        found += 1
    return found


def _lowest(rows: Any) -> Any:
    """Rows of whole numbers without common factors."""
    for i, row in enumerate(rows):
        rows[i] = row // max(math.gcd(*map(int, row)), 1)
    return rows


def betti_by_elimination(tree: SimplexTree, field: int) -> tuple[int, ...]:
    """Betti numbers over a prime field or the rational numbers, from the ranks of the boundary matrices.

    Parameters
    ----------
    tree
        A GUDHI simplex tree, of a few hundred simplices: GUDHI holds the complex and does not count.
    field
        A prime, or 0 for the rational numbers.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    count = f_vector(tree)
    ranks = [0, *(rank(boundary(tree, d), field) for d in range(1, len(count))), 0]
    return tuple(number - ranks[d] - ranks[d + 1] for d, number in enumerate(count))


def _require_words(words: Any) -> npt.NDArray[np.bool_]:
    if not isinstance(words, np.ndarray) or words.dtype != np.bool_ or words.ndim != 2 or 0 in words.shape:
        raise ArgumentError("words", "a table of booleans with axes (T, N), none empty", described(words))
    return words
