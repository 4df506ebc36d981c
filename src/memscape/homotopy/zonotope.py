r"""The zonotope of P memories, whose boundary is the landscape of the energy at zero load.

A unit i sees the column :math:`c_i = (\xi_i^1, \dots, \xi_i^P)`. Up to sign there are :math:`2^{P-1}` types of columns;
if the type t has the share :math:`w_t` of all units, the overlaps of all states of graded units fill

.. math:: Z = \Big\{ \sum_t a_t w_t c_t : -1 \le a_t \le 1 \Big\} \subset \mathbb{R}^P ,

and the energy over :math:`N^2` is :math:`-|y|^2/2` at :math:`y \in Z`. A face of Z is a choice of +1, -1 or 0 (free)
for each type. Sublevel sets of the energy have the homotopy type of the part of the boundary of Z that lies far from
zero, and this part that of the faces whose nearest point does (:func:`zonotope_bars`); :func:`critical_faces` counts
those that change it.
"""

from __future__ import annotations

import itertools
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import lsq_linear
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from memscape.arguments import (
    ArgumentError,
    described,
    require_integer,
    require_integers,
    require_kind,
    require_number,
    require_numbers,
)
from memscape.homotopy.sublevel import Bars, bars_of
from memscape.tools import pieces

__all__ = [
    "column_types",
    "covectors",
    "critical_faces",
    "fixed_points",
    "in_overlaps",
    "lowest_barrier",
    "nearest",
    "shares",
    "strict_vertices",
    "zonotope_bars",
]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_LARGEST_WEIGHT = {1: 1, 2: 1, 3: 2, 4: 3, 5: 3}
"""Weights of whole numbers up to these meet every cell of the arrangement; the tests prove it by its own rules."""
_DIGITS = 12
"""Decimal digits to which squared distances are rounded, so that equal ones are equal."""


def column_types(memories: int) -> Ints:
    """The types of columns of P memories up to sign: integers -1 and 1, axes ``(P, 2**(P-1))``, the first row all 1.

    Raises
    ------
    ArgumentError
        If ``memories`` is not an integer from 1 to 5.
    """
    require_integer("memories", memories, at_least=1, at_most=5)
    rest = np.array(list(itertools.product((1, -1), repeat=memories - 1)), dtype=np.int64)
    rest = rest.reshape(2 ** (memories - 1), memories - 1)
    return np.column_stack((np.ones(len(rest), dtype=np.int64), rest)).T


def covectors(memories: int) -> npt.NDArray[np.int8]:
    r"""All faces of the zonotope of P memories in which every type occurs: the signs of :math:`w \cdot c_t` for all w.

    Parameters
    ----------
    memories
        P, from 1 to 5; from 5 only the vertices.

    Returns
    -------
    numpy.ndarray
        Integers -1, 0 and 1, axes ``(faces, types)``, each row once, sorted; 0 means that the type is free on the face.
        The row of zeros stands for Z itself.

    Raises
    ------
    ArgumentError
        If ``memories`` is not an integer from 1 to 5.
    """
    columns = column_types(memories)
    most = _LARGEST_WEIGHT[memories]
    weights = np.array(list(itertools.product(range(-most, most + 1), repeat=memories)), dtype=np.int64)
    found = np.unique(np.sign(weights @ columns).astype(np.int8), axis=0)
    return found if memories < 5 else found[(found != 0).all(axis=1)]


def shares(patterns: npt.NDArray[Any]) -> Floats:
    """How large a part of the units has each type of column.

    Parameters
    ----------
    patterns
        Integers -1 and 1, axes ``(P, N)``, P from 1 to 5.

    Returns
    -------
    numpy.ndarray
        float64, axes ``(2**(P-1),)``, in the order of `column_types`; they add up to 1.

    Raises
    ------
    ArgumentError
        If the patterns are no such matrix.
    """
    patterns = require_integers("patterns", patterns, (None, None))
    if (abs(patterns) != 1).any():
        raise ArgumentError("patterns", "values in {-1, +1}", "others")
    columns = column_types(len(patterns))
    same = (patterns * patterns[0]).T @ columns == len(patterns)
    return same.mean(axis=0)


def nearest(signs: npt.NDArray[Any], weights: npt.NDArray[Any]) -> Floats:
    r"""Squared distance from zero to the nearest point of each face of a zonotope.

    Parameters
    ----------
    signs
        -1, 0 and 1, axes ``(faces, types)``, as of `covectors`.
    weights
        Shares of the types, none negative, axes ``(types,)`` with 1, 2, 4, 8 or 16 types.

    Returns
    -------
    numpy.ndarray
        float64, axes ``(faces,)``, dimensionless, rounded to 12 decimals. With one free type the nearest point is
        calculated, with more it is that of a bounded least-squares problem.

    Raises
    ------
    ArgumentError
        If signs or weights are others.
    """
    weights = _require_weights(weights)
    signs = require_integers("signs", signs, (None, len(weights)))
    if (abs(signs) > 1).any():
        raise ArgumentError("signs", "values -1, 0 and 1", "others")
    columns = column_types(len(weights).bit_length()) * weights
    start = signs @ columns.T
    free = (signs == 0) & (weights > 0)
    number = free.sum(axis=1)
    found = (start**2).sum(axis=1)
    one = np.flatnonzero(number == 1)
    along = columns.T[free[one].argmax(axis=1)]
    step = np.clip(-(start[one] * along).sum(axis=1) / (along**2).sum(axis=1), -1, 1)
    found[one] = ((start[one] + step[:, None] * along) ** 2).sum(axis=1)
    for face in np.flatnonzero(number > 1):
        moved = columns[:, free[face]]
        solution = lsq_linear(moved, -start[face], bounds=(-1, 1), method="bvls", tol=1e-14)
        found[face] = 2 * solution.cost
    return np.round(found, _DIGITS)


def zonotope_bars(weights: npt.NDArray[Any]) -> Bars:
    """Bars of the energy of P memories at zero load, from the faces of the zonotope alone.

    Each face enters with its point nearest to zero, where the energy on it is highest; Z itself enters last, at energy
    0. The bars are those of the chains of faces, by GUDHI.

    Parameters
    ----------
    weights
        Shares of the types of columns, none negative, axes ``(2**(P-1),)``, P from 1 to 4. If the columns that occur
        span fewer dimensions, the sphere has fewer, too.

    Returns
    -------
    Bars
        Levels in units of N^2.

    Raises
    ------
    ArgumentError
        If the weights are others.
    """
    from gudhi import SimplexTree

    signs, level, inside = _faces(weights)
    chains = np.arange(len(signs))[:, None]
    tree = SimplexTree()
    while len(chains):
        tree.insert_batch(chains.T.astype(np.int32), level[chains].max(axis=1))
        chain, larger = inside[chains[:, -1]].nonzero()
        chains = np.column_stack((chains[chain], larger))
    found = tree.persistence(homology_coeff_field=2, min_persistence=0, persistence_dim_max=True)
    return bars_of([(dimension, birth, death) for dimension, (birth, death) in found if death > birth])


def critical_faces(weights: npt.NDArray[Any]) -> tuple[int, ...]:
    r"""How many faces of the zonotope of P memories change the homotopy type when they enter, by dimension.

    Let p be the point of a face F that is nearest to zero. It lies on the border of F if and only if a smaller face has
    it for its nearest point as well; and an edge that leaves F leads no nearer to zero if and only if a larger face
    does. So F is critical if no smaller and no larger face enters at its level.

    Parameters
    ----------
    weights
        As of `zonotope_bars`.

    Returns
    -------
    tuple of int
        Vertices, edges and so on; without Z itself, which closes the last hole.

    Raises
    ------
    ArgumentError
        If the weights are others.
    """
    signs, level, inside = _faces(weights)
    with_same = inside & (level[:, None] == level[None])
    critical = ~with_same.any(axis=0) & ~with_same.any(axis=1) & (level < 0)
    there = np.asarray(weights) > 0
    free = (signs == 0) & there
    columns = column_types(len(there).bit_length()).astype(np.float64)
    dimension = np.linalg.matrix_rank(columns * free[:, None, :])
    return tuple(np.bincount(dimension[critical]).tolist())


def in_overlaps(bars: Bars, scale: float = 1.0) -> Bars:
    r"""Bars with the length of the vector of overlaps, with a minus, in the place of the energy.

    Parameters
    ----------
    bars
        Levels E, none above zero, such as :math:`-\frac12 \sum_\mu (\xi^\mu \cdot x)^2`.
    scale
        What the energies are divided by, positive: :math:`N^2`. The new levels are :math:`-\sqrt{-2 E / \text{scale}}`.

    Raises
    ------
    ArgumentError
        If a finite level is above zero, or bars or scale are others.
    """
    require_kind("bars", bars, Bars)
    require_number("scale", scale, above=1e-100, at_most=1e100)
    finite = np.isfinite(bars.deaths)
    deaths = np.where(finite, bars.deaths, 0.0)
    if (bars.births > 0).any() or (deaths > 0).any():
        raise ArgumentError("bars", "levels of zero or less", "others")
    births, ends = (-np.sqrt(-2 * level / scale) for level in (bars.births, deaths))
    return Bars(bars.dimensions, births, np.where(finite, ends, np.inf))


def strict_vertices(weights: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    r"""How many states are strict fixed points at zero load: every type points along its field :math:`y \cdot c_t`.

    A strict fixed point maximises :math:`y \cdot z` over Z at one point, so it is a vertex.

    Parameters
    ----------
    weights
        Numbers or shares of the types, none negative, axes ``(draws, types)`` with 1, 2, 4, 8 or 16 types; types that
        do not occur are left out of the conditions. Whole numbers decide ties exactly.

    Returns
    -------
    numpy.ndarray
        Axes ``(draws,)``.

    Raises
    ------
    ArgumentError
        If the weights are others.
    """
    weights = _require_weights(weights, axes=2)
    memories = weights.shape[1].bit_length()
    columns, signs = column_types(memories), covectors(memories).astype(np.int64)
    signs = signs[(signs != 0).all(axis=1)]
    along = columns.T @ columns
    found = np.zeros(len(weights), dtype=np.int64)
    kinds, kind = np.unique(weights > 0, axis=0, return_inverse=True)
    for place, there in enumerate(kinds):
        # Where a type does not occur its sign means nothing: states that differ there alone are one.
        some = signs[np.unique(signs[:, there], axis=0, return_index=True)[1]][:, there]
        own = np.flatnonzero(kind.ravel() == place)
        for block in pieces.slices(len(own), pieces.fitting(16 * some.size)):
            share = weights[own[block]][:, there]
            fields = (some * share[:, None]) @ along[there][:, there]
            found[own[block]] = (fields * some > 0).all(axis=2).sum(axis=1)
    return found


def fixed_points(memories: int) -> tuple[npt.NDArray[np.int8], Ints, npt.NDArray[np.bool_]]:
    r"""All fixed points of P balanced memories at zero load, by looking at every choice of signs of the types.

    Parameters
    ----------
    memories
        P, from 1 to 5.

    Returns
    -------
    tuple of numpy.ndarray
        Signs of the types, axes ``(points, types)``; the overlaps times the number of types, whole numbers, axes
        ``(points, P)``; and whether no field is zero, axes ``(points,)``. Where a field is zero the type may point
        either way, and the point counts as fixed.

    Raises
    ------
    ArgumentError
        If ``memories`` is not an integer from 1 to 5.
    """
    columns = column_types(memories)
    types = columns.shape[1]
    signs = (2 * (np.arange(2**types)[:, None] >> np.arange(types) & 1) - 1).astype(np.int8)
    overlaps = signs.astype(np.int64) @ columns.T
    stable = signs * (overlaps @ columns)
    fixed = (stable >= 0).all(axis=1)
    return signs[fixed], overlaps[fixed], np.asarray((stable[fixed] > 0).all(axis=1))


def lowest_barrier(memories: int) -> Fraction:
    """The barrier of one of P balanced memories at zero load in the limit of many neurons, over N^2, exactly.

    Pieces join along edges of the zonotope. Of all ways along edges, from the memory to another vertex as far from
    zero, the one is taken whose nearest point to zero is farthest.

    Parameters
    ----------
    memories
        P, from 1 to 5.

    Raises
    ------
    ArgumentError
        If ``memories`` is not an integer from 1 to 5.
    """
    columns = column_types(memories)
    types = columns.shape[1]
    if memories == 1:
        return Fraction(1, 2)
    signs = covectors(memories).astype(np.int64)
    signs = signs[(signs != 0).all(axis=1)]
    codes = (signs > 0) @ (1 << np.arange(types))
    order = np.argsort(codes)
    signs, codes = signs[order], codes[order]
    overlaps = signs @ columns.T
    # Neighbours differ in one sign. All numbers are P times those of the squared length, times the types squared.
    one, other, height = [], [], []
    for kind in range(types):
        flipped = codes ^ (1 << kind)
        place = np.searchsorted(codes, flipped).clip(max=len(codes) - 1)
        near = np.flatnonzero((codes[place] == flipped) & (signs[:, kind] > 0))
        middle = overlaps[near] - columns[:, kind]
        along = middle @ columns[:, kind]
        ends = np.minimum((overlaps[near] ** 2).sum(axis=1), (overlaps[place[near]] ** 2).sum(axis=1))
        foot = memories * (middle**2).sum(axis=1) - along**2
        one.append(near)
        other.append(place[near])
        height.append(np.where(abs(along) < memories, foot, memories * ends))
    edges, heights = np.stack((np.concatenate(one), np.concatenate(other))), np.concatenate(height)
    far = (overlaps**2).sum(axis=1) >= types**2
    start = int(np.flatnonzero(far)[0])
    for level in np.unique(heights)[::-1]:
        kept = edges[:, heights >= level]
        graph = coo_array((np.ones(kept.shape[1]), kept), shape=(len(codes), len(codes)))
        piece = connected_components(graph, directed=False)[1]
        if (piece[far] == piece[start]).sum() > 1:
            return (1 - Fraction(int(level), memories * types**2)) / 2
    raise AssertionError("the edges of a zonotope join all of its vertices")


def _faces(weights: npt.NDArray[Any]) -> tuple[Ints, Floats, npt.NDArray[np.bool_]]:
    """Faces in which the types that do not occur are 0, the level at which each enters, and which lies in which."""
    weights = _require_weights(weights)
    memories = len(weights).bit_length()
    if memories > 4:
        raise ArgumentError("weights", "at most 8 types, of four memories", str(len(weights)))
    there = weights > 0
    signs = np.unique(covectors(memories).astype(np.int64) * there, axis=0)
    level = -nearest(signs, weights) / 2
    # One face lies in another if it fixes all that the other fixes, to the same signs.
    inside = ((signs[:, None] == signs[None]) | (signs[None] == 0)).all(axis=-1)
    np.fill_diagonal(inside, False)
    return signs, level, inside


def _require_weights(weights: Any, axes: int = 1) -> Floats:
    found = require_numbers("weights", weights, "numbers, none negative")
    if found.ndim != axes or 0 in found.shape or found.shape[-1] not in (1, 2, 4, 8, 16):
        expected = "one axis of types" if axes == 1 else "axes (draws, types)"
        raise ArgumentError("weights", f"{expected}, 1, 2, 4, 8 or 16 of them", f"shape {found.shape}")
    if not np.isfinite(found).all() or (found < 0).any() or not (found.sum(axis=-1) > 0).all():
        raise ArgumentError("weights", "finite numbers, none negative and not all zero", "others")
    if (found.max() > 1e6) or (found[found > 0].min() < 1e-6):
        raise ArgumentError("weights", "zeros, or numbers from 1e-6 to 1e6", described(found))
    return found
