r"""Summing functors on a finite set: how many there are, and how many up to isomorphism.

A *summing functor* on a set of n points gives every subset A an object F(A) and every inclusion a map, so that F of a
disjoint union is the sum of both, by the maps of the inclusions. Here objects are finite sets, and sums are disjoint
unions; or vector spaces over q elements, and direct sums; or whole numbers.

Up to isomorphism such a functor is given by its n values on the points. So with finite sets the classes of total m are
the C(m + n - 1, n - 1) ways to write m as an ordered sum, and the *groupoid cardinality*, the sum of 1/(number of
automorphisms) over the classes, is the sum of 1/prod k_i!, that is n^m/m!. A series is the list of its coefficients.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from memscape.arguments import ArgumentError, require_integer, require_kind, require_sequence
from memscape.homotopy.equaliser import Network, require_flows
from memscape.tools.pieces import fitting

__all__ = [
    "functors",
    "invertible",
    "labelled",
    "linear_cardinalities",
    "linear_fibre",
    "linear_group",
    "linear_points",
    "power",
    "product",
    "set_cardinalities",
    "whole_functors",
]

Map = tuple[int, ...]


def functors(sizes: Sequence[int]) -> tuple[int, int, int]:
    """List every summing functor on all subsets with given finite sets as values, and sort them into classes.

    The values are the sets {0, ..., k_A - 1}, where k_A adds up the sizes of the points of A. All families of
    one-to-one maps along the inclusions of one point more are tried. Kept are those in which all ways from A to a
    larger set agree, and in which the images of F(A) and F(B), for disjoint A and B, make up F of the union, each
    element once. (Only one-to-one maps can do that.) Renamings of all the sets act on what is kept.

    Parameters
    ----------
    sizes
        k_i for each point, 1 to 3 points, with a total of at most 4.

    Returns
    -------
    found, classes, renamings : int
        Number of functors, of classes, and of families of renamings. The cardinality is found/renamings.

    Raises
    ------
    ArgumentError
        If the sizes are none of these.
    """
    counts = [require_integer("sizes", k, at_least=0) for k in require_sequence("sizes", sizes, "integers")]
    if not 1 <= len(counts) <= 3 or sum(counts) > 4 or (len(counts) == 3 and sum(counts) > 3):
        raise ArgumentError("sizes", "1 to 3 sizes, total at most 4 (3 for three points)", f"{counts}"[:80])
    points = range(len(counts))
    sets = [frozenset(s) for r in points for s in itertools.combinations(points, r + 1)]
    size = {s: sum(counts[i] for i in s) for s in sets}
    covers = [(a, b) for a in sets for b in sets if a < b and len(b) == len(a) + 1]
    maps = [list(itertools.permutations(range(size[b]), size[a])) for a, b in covers]
    found = [family for family in itertools.product(*maps) if _sums(dict(zip(covers, family, strict=True)), sets, size)]
    return (
        len(found),
        _count_orbits(set(found), covers, sets, size),
        math.prod(math.factorial(k) for k in size.values()),
    )


def whole_functors(points: int, most: int, *, ordered: bool) -> list[int]:
    """Summing functors with values in whole numbers, by total 0 to ``most``, by trying all values on the points.

    Parameters
    ----------
    points
        Number n of points, 1 to 4.
    most
        Largest total, 0 to 12.
    ordered
        Whether there is an arrow from k to l wherever k <= l. Otherwise only identities are arrows, and a functor must
        give a set and all its subsets, the empty one with value 0 among them, one number.

    Returns
    -------
    list of int
        Number of functors of each total.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("points", points, at_least=1, at_most=4)
    require_integer("most", most, at_least=0, at_most=12)
    require_kind("ordered", ordered, bool)
    counts = [0] * (most + 1)
    for values in itertools.product(range(most + 1), repeat=points):
        if sum(values) > most:
            continue
        on = [sum(values[i] for i in range(points) if s >> i & 1) for s in range(2**points)]
        arrows = ((on[a], on[b]) for a in range(2**points) for b in range(2**points) if a & ~b == 0)
        counts[sum(values)] += all(small <= large if ordered else small == large for small, large in arrows)
    return counts


def labelled(points: int, total: int) -> tuple[int, Fraction]:
    """Summing functors with values in finite sets and a given total, by listing: classes and cardinality.

    A labelled one puts each of the elements 0, ..., total - 1 on a point. All renamings of the elements are applied.

    Parameters
    ----------
    points
        Number n of points, 1 to 6.
    total
        Number m of elements, 0 to 6.

    Returns
    -------
    classes : int
    cardinality : Fraction
        Sum of 1/automorphisms over the classes, automorphisms counted one by one.

    Raises
    ------
    ArgumentError
        If there are more labelled ones than the memory budget allows.
    """
    require_integer("points", points, at_least=1, at_most=6)
    require_integer("total", total, at_least=0, at_most=6)
    if points**total > fitting(64 * max(total, 1)):
        raise ArgumentError("total", f"at most {fitting(64 * max(total, 1))} functors", str(points**total))
    places = np.array(list(itertools.product(range(points), repeat=total)), dtype=np.int64).reshape(
        points**total, total
    )
    weights = points ** np.arange(total, dtype=np.int64)
    own = places @ weights
    least, fixed = own.copy(), np.zeros(len(own), dtype=np.int64)
    for order in itertools.permutations(range(total)):
        moved = places[:, list(order)] @ weights
        least = np.minimum(least, moved)
        fixed += moved == own
    _, first = np.unique(least, return_index=True)
    return len(first), sum((Fraction(1, int(fixed[k])) for k in first), Fraction(0))


def set_cardinalities(points: int, most: int) -> list[Fraction]:
    """Coefficients n^m/m! of exp(nx), the cardinalities with values in finite sets, for totals m = 0 to ``most``.

    Parameters
    ----------
    points
        Number n of points, at least 0.
    most
        Largest total, 0 to 200.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("points", points, at_least=0, at_most=10**6)
    require_integer("most", most, at_least=0, at_most=200)
    return [Fraction(points**m, math.factorial(m)) for m in range(most + 1)]


def product(first: Sequence[Fraction], second: Sequence[Fraction]) -> list[Fraction]:
    """Product of two series of equal length, to that length.

    Parameters
    ----------
    first, second
        Coefficients, fractions or integers, the constant one first.

    Raises
    ------
    ArgumentError
        If a coefficient is none, or the lengths differ.
    """
    one, other = (_require_series(name, value) for name, value in (("first", first), ("second", second)))
    if len(one) != len(other):
        raise ArgumentError("second", f"{len(one)} coefficients, as first", f"{len(other)}")
    return [sum((one[k] * other[m - k] for k in range(m + 1)), Fraction(0)) for m in range(len(one))]


def power(series: Sequence[Fraction], exponent: int) -> list[Fraction]:
    """Power of a series, to its length.

    Parameters
    ----------
    series
        Coefficients, fractions or integers, the constant one first.
    exponent
        0 to 50.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    own = _require_series("series", series)
    require_integer("exponent", exponent, at_least=0, at_most=50)
    found = [Fraction(int(m == 0)) for m in range(len(own))]
    for _ in range(exponent):
        found = product(found, own)
    return found


def linear_group(size: int, field: int) -> int:
    """Number of invertible matrices of ``size`` rows over ``field`` elements: prod (q^k - q^i) for i < k.

    Parameters
    ----------
    size
        k, 0 to 400.
    field
        q, 2 to 2^16; a prime power if it is to mean something.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("size", size, at_least=0, at_most=400)
    require_integer("field", field, at_least=2, at_most=2**16)
    return math.prod(field**size - field**i for i in range(size))


def invertible(size: int, prime: int) -> list[tuple[Map, ...]]:
    """All invertible matrices modulo a prime, by trying all matrices.

    Parameters
    ----------
    size
        Number of rows, 0 to 3.
    prime
        2 or 3.

    Returns
    -------
    list of tuple
        Rows of entries; in lexicographic order.

    Raises
    ------
    ArgumentError
        If an argument is none of these; three rows over three elements would be too slow.
    """
    require_integer("size", size, at_least=0, at_most=3)
    require_integer("prime", prime, at_least=2, at_most=3)
    if size == 3 and prime == 3:
        raise ArgumentError("size", "at most 2 rows modulo 3", "3")
    rows = list(itertools.product(range(prime), repeat=size))
    return [matrix for matrix in itertools.product(rows, repeat=size) if _determinant(matrix) % prime]


def linear_cardinalities(points: int, most: int, field: int) -> list[Fraction]:
    """Cardinalities of summing functors with values in vector spaces, for dimensions 0 to ``most``.

    The sum of ``1 / prod |GL(k_i)|`` over k_1 + ... + k_n = m.

    Parameters
    ----------
    points
        Number n of points, 1 to 50.
    most
        Largest dimension, 0 to 40.
    field
        Number q of elements of the field, 2 to 2^16.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("points", points, at_least=1, at_most=50)
    require_integer("most", most, at_least=0, at_most=40)
    return power([Fraction(1, linear_group(k, field)) for k in range(most + 1)], points)


def linear_fibre(network: Network, flows: npt.NDArray[np.int64], field: int) -> list[Fraction]:
    """Cardinality of the homotopy equaliser with values in vector spaces, over circulations.

    ``prod_v |GL(n_v)| / prod_e |GL(k_e)|``, where k_e are dimensions and n_v passes the vertex v.

    Parameters
    ----------
    network
        The network.
    flows
        Circulations, axes ``(circulations, edges)``, entries up to 400 in all at a vertex.
    field
        Number q of elements of the field, 2 to 2^16.

    Raises
    ------
    ArgumentError
        If a row is no circulation.
    """
    found = []
    for row in require_flows(network, flows).tolist():
        passing = [0] * network.vertices
        for (source, _), k in zip(network.edges, row, strict=True):
            passing[source] += k
        if max(passing) > 400:
            raise ArgumentError("flows", "at most 400 dimensions at a vertex", f"{max(passing)}")
        over = math.prod(linear_group(n, field) for n in passing)
        found.append(Fraction(over, math.prod(linear_group(k, field) for k in row)))
    return found


def linear_points(sizes: Sequence[int], prime: int) -> tuple[int, Fraction]:
    """Points over one circulation of a vertex with loops, with values in vector spaces: classes and cardinality.

    A point is an invertible matrix; changes of basis on every loop act on it from both sides, by a block diagonal
    matrix and its inverse. All matrices and all changes of basis are tried, and stabilisers counted.

    Parameters
    ----------
    sizes
        Dimensions k_e on the loops, with a total of at most 3.
    prime
        2 or 3; modulo 3 the total is at most 2.

    Returns
    -------
    classes : int
    cardinality : Fraction

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    counts = [require_integer("sizes", k, at_least=0) for k in require_sequence("sizes", sizes, "integers")]
    if not 1 <= len(counts) <= 4 or sum(counts) > 3:
        raise ArgumentError("sizes", "1 to 4 dimensions with a total of at most 3", f"{counts}"[:80])
    total = sum(counts)
    matrices = [np.array(m, dtype=np.int64).reshape(total, total) for m in invertible(total, prime)]
    changes = [_blocks(family) for family in itertools.product(*(invertible(k, prime) for k in counts))]
    pairs = [(change, next(m for m in matrices if _is_one(change @ m % prime))) for change in changes]
    left: dict[bytes, Any] = {matrix.tobytes(): matrix for matrix in matrices}
    classes, cardinality = 0, Fraction(0)
    while left:
        _, matrix = left.popitem()
        orbit, fixed = {matrix.tobytes()}, 0
        for change, inverse in pairs:
            moved = (change @ matrix @ inverse % prime).tobytes()
            fixed += moved == matrix.tobytes()
            orbit.add(moved)
        for other in orbit:
            left.pop(other, None)
        classes += 1
        cardinality += Fraction(1, fixed)
    return classes, cardinality


def _sums(maps: dict[Any, Map], sets: list[frozenset[int]], size: dict[frozenset[int], int]) -> bool:
    """Whether maps along single steps make a functor that takes disjoint unions to sums."""
    along: dict[Any, Map] = {(s, s): tuple(range(size[s])) for s in sets}
    for small, large in sorted(itertools.product(sets, sets), key=lambda pair: len(pair[1]) - len(pair[0])):
        if small < large:
            ways = {
                tuple(maps[middle, large][x] for x in along[small, middle])
                for middle in (large - {i} for i in large - small)
            }
            if len(ways) != 1:
                return False
            along[small, large] = ways.pop()
    return all(
        sorted(along[a, a | b] + along[b, a | b]) == list(range(size[a | b]))
        for a, b in itertools.combinations(sets, 2)
        if not a & b
    )


def _count_orbits(
    left: set[Any], covers: list[Any], sets: list[frozenset[int]], size: dict[frozenset[int], int]
) -> int:
    """Orbits under renamings of all the sets, which exchanges of two neighbours generate."""
    swaps = [(s, k) for s in sets for k in range(size[s] - 1)]
    orbits = 0
    while left:
        orbits += 1
        reached = [left.pop()]
        while reached:
            family = reached.pop()
            for where, k in swaps:
                new = tuple(_swapped(m, a == where, b == where, k) for (a, b), m in zip(covers, family, strict=True))
                if new in left:
                    left.remove(new)
                    reached.append(new)
    return orbits


def _swapped(values: Map, source: bool, target: bool, k: int) -> Map:
    if source:
        values = (*values[:k], values[k + 1], values[k], *values[k + 2 :])
    return tuple({k: k + 1, k + 1: k}.get(x, x) for x in values) if target else values


def _determinant(matrix: tuple[Map, ...]) -> int:
    if not matrix:
        return 1
    return sum(
        (-1) ** j * entry * _determinant(tuple((*row[:j], *row[j + 1 :]) for row in matrix[1:]))
        for j, entry in enumerate(matrix[0])
    )


def _blocks(family: tuple[tuple[Map, ...], ...]) -> npt.NDArray[np.int64]:
    total = sum(len(block) for block in family)
    found = np.zeros((total, total), dtype=np.int64)
    start = 0
    for block in family:
        for i, row in enumerate(block):
            found[start + i, start : start + len(block)] = row
        start += len(block)
    return found


def _is_one(matrix: npt.NDArray[np.int64]) -> bool:
    return bool((matrix == np.eye(len(matrix), dtype=np.int64)).all())


def _require_series(name: str, value: Any) -> list[Fraction]:
    entries = require_sequence(name, value, "fractions")
    if not 1 <= len(entries) <= 2001:
        raise ArgumentError(name, "1 to 2001 coefficients", f"{len(entries)}")
    for entry in entries:
        if isinstance(entry, bool) or not isinstance(entry, int | Fraction) or abs(Fraction(entry)) > 10**4000:
            raise ArgumentError(name, "fractions or integers of at most 4000 digits", type(entry).__name__)
    return [Fraction(entry) for entry in entries]
