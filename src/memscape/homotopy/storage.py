r"""The storage complex: which sets of states one network can hold together.

The vertices are the states of n neurons :math:`x_i = \pm 1`; if all couplings join an even number of neurons, a state
and its negative always come together and count as one vertex. A set of them is a face of :math:`\Delta(n, K)` if some
weights w make all of its states strict fixed points at once,

.. math:: v_{x,i} \cdot w > 0 \quad\text{for every state x of the set and every neuron i},

with the normals of :mod:`memscape.polytopes.weight_space` and K the degrees of the couplings. Fewer conditions are
easier to meet, so every subset of a face is a face: this is a simplicial complex. Its dimension plus one is the exact
capacity, the largest number of states that any weights store.

The weights that store x form an open convex cone :math:`U_x`, and a set is a face if and only if its cones meet. So
:math:`\Delta(n, K)` is the nerve of the cones, and by the nerve theorem (Borsuk 1948) it has the homotopy type of
their union, the set of all weights that store anything.

:func:`storage_complex` enumerates the faces up to symmetry, each orbit with a proof in whole numbers;
:func:`simplex_tree` hands the complex to GUDHI, and :func:`memscape.tools.complexes.betti_numbers` counts its holes.
Where the faces are too many, :mod:`memscape.homotopy.sampling` estimates their number.

Sets of vertices are bit masks in unsigned 64-bit integers: bit x is set for the state of index x, in the order of
:func:`memscape.polytopes.weight_space.states`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from memscape.arguments import ArgumentError, require_integer, require_integers, require_kind, require_sequence
from memscape.polytopes.chambers import chambers
from memscape.polytopes.weight_space import monomials, normals, storable
from memscape.tools import pieces
from memscape.tools.subsets import members, pack, translated, unpack

if TYPE_CHECKING:
    import networkx as nx
    from gudhi import SimplexTree

__all__ = [
    "Orbits",
    "StorageComplex",
    "cube",
    "faces_from_chambers",
    "only_even",
    "simplex_tree",
    "storage_complex",
    "vertices",
]


def vertices(neurons: int, degrees: Sequence[int]) -> int:
    """Number of vertices of the storage complex: 2^n states, or half of them where all degrees are even.

    With even degrees only, the vertices are the states whose last neuron is -1, and stand for their negatives, too:
    they are the first half of the states, so that vertex x is always the state of index x.

    Raises
    ------
    ArgumentError
        If `memscape.polytopes.weight_space.monomials` refuses.
    """
    monomials(neurons, degrees)
    return 2 ** (neurons - only_even(degrees))


@dataclass(frozen=True, eq=False)
class Orbits:
    """Sets of vertices of one size, one of each orbit under signed permutations of the neurons.

    Parameters
    ----------
    sets
        Bit masks, numpy.uint64, axes ``(orbits,)``.
    sizes
        Number of sets in each orbit, axes ``(orbits,)``.
    proofs
        For faces the weights that store the set, whole numbers, axes ``(orbits, couplings)``. For obstructions whole
        numbers m >= 0, axes ``(orbits, states, neurons)``, with which the conditions of the states of the set, in
        increasing order, add up to zero: no weights meet them all.
    """

    sets: np.ndarray
    sizes: np.ndarray
    proofs: np.ndarray

    def __len__(self) -> int:
        """Number of orbits."""
        return len(self.sets)

    @property
    def count(self) -> int:
        """Number of sets in all orbits together."""
        return int(self.sizes.sum())


@dataclass(frozen=True, eq=False)
class StorageComplex:
    """The storage complex, up to symmetry.

    Parameters
    ----------
    neurons, degrees
        n and the degrees K.
    faces
        ``faces[k - 1]`` holds the faces of k states, k = 1, 2, ... up to the capacity.
    obstructions
        ``obstructions[k - 1]`` holds the sets of k states that cannot be stored together although all their proper
        subsets can (the minimal non-faces), up to one more than the capacity.
    """

    neurons: int
    degrees: tuple[int, ...]
    faces: tuple[Orbits, ...]
    obstructions: tuple[Orbits, ...]

    @property
    def vertices(self) -> int:
        """Number of vertices; see `vertices`."""
        return vertices(self.neurons, self.degrees)

    @property
    def f_vector(self) -> tuple[int, ...]:
        """Numbers of faces of 1, 2, ... states."""
        return tuple(level.count for level in self.faces)

    @property
    def capacity(self) -> int:
        """Most states that one vector of weights stores: the dimension of the complex plus one."""
        return len(self.faces)

    @property
    def euler(self) -> int:
        """The Euler characteristic, the alternating sum of the f-vector."""
        return sum((-1) ** k * count for k, count in enumerate(self.f_vector))

    def every(self, orbits: Orbits) -> np.ndarray:
        """All sets of some orbits of this complex as bit masks in increasing order, numpy.uint64.

        Raises
        ------
        ArgumentError
            If ``orbits`` are no Orbits.
        """
        require_kind("orbits", orbits, Orbits)
        return _Symmetry.of(self.neurons, self.degrees).spread(orbits.sets)

    def contains(self, sets: np.ndarray) -> np.ndarray:
        """Whether sets of vertices are faces, by the list of faces.

        Parameters
        ----------
        sets
            Bit masks of any sizes, integers, axes ``(sets,)``; the empty set is no face here.

        Returns
        -------
        numpy.ndarray
            Booleans, axes ``(sets,)``.

        Raises
        ------
        ArgumentError
            If ``sets`` are no integers, or one has a bit that is no vertex.
        """
        masks = require_integers("sets", sets, (None,)).astype(np.uint64)
        if (masks > np.uint64(2**self.vertices - 1)).any():
            raise ArgumentError("sets", f"sets of the vertices 0 to {self.vertices - 1}", str(masks.max()))
        group, sizes = _Symmetry.of(self.neurons, self.degrees), np.bitwise_count(masks)
        found = np.zeros(len(masks), dtype=bool)
        for size, level in enumerate(self.faces, start=1):
            rows = np.flatnonzero(sizes == size)
            if len(rows):
                found[rows] = np.isin(group.canonical(masks[rows])[0], group.canonical(level.sets)[0])
        return found

    def equals(self, other: StorageComplex) -> bool:
        """Whether both have the same vertices and the same faces.

        Raises
        ------
        ArgumentError
            If ``other`` is not a storage complex.
        """
        require_kind("other", other, StorageComplex)
        if self.vertices != other.vertices or self.f_vector != other.f_vector:
            return False
        # With folded states the permutations act in another way; then all sets are compared.
        if (self.neurons, only_even(self.degrees)) != (other.neurons, only_even(other.degrees)):
            pairs = zip(self.obstructions, other.obstructions, strict=False)
            return all(np.array_equal(self.every(ours), other.every(theirs)) for ours, theirs in pairs)
        group = _Symmetry.of(self.neurons, self.degrees)
        return all(
            np.array_equal(np.sort(group.canonical(ours.sets)[0]), np.sort(group.canonical(theirs.sets)[0]))
            for ours, theirs in zip(self.faces, other.faces, strict=True)
        )


def storage_complex(neurons: int, degrees: Sequence[int]) -> StorageComplex:
    """Enumerate the storage complex, every face and every minimal obstruction up to symmetry and with a proof.

    From the orbits of faces of k states to those of k + 1: add each vertex to one face of each orbit, and bring the
    result into canonical form. A weight vector that stores a face stores all its fixed points, so that most larger
    faces need no further question. A set that contains a smaller obstruction needs none, either. Only what is left
    goes to the linear programme, whose answers come with a proof in whole numbers.

    Parameters
    ----------
    neurons
        n, such that there are at most 64 vertices: up to 6, and up to 7 with even degrees only.
    degrees
        Sizes of the sets of neurons that couplings join; see `memscape.polytopes.weight_space.monomials`.

    Returns
    -------
    StorageComplex

    Raises
    ------
    ArgumentError
        If the degrees do not fit, or there are more than 64 vertices.
    """
    count = vertices(neurons, degrees)
    if count > 64:
        raise ArgumentError("neurons", "at most 64 vertices", str(count), "Use sampling.sample for larger networks.")
    conditions = normals(neurons, degrees)[:count]
    group = _Symmetry.of(neurons, degrees)
    # One state alone is stored by the weights that are its own products; all states are alike.
    start = conditions[0].sum(axis=0).clip(-1, 1)[None]
    none = Orbits(np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int64), np.empty((0, 1, neurons), dtype=np.int64))
    faces = [Orbits(np.ones(1, dtype=np.uint64), np.array([count]), start)]
    obstructions = [none]
    while True:
        found, missing = _next_level(faces[-1], len(faces), conditions, group)
        obstructions.append(missing)
        if not len(found):
            return StorageComplex(neurons, tuple(sorted(degrees)), tuple(faces), tuple(obstructions))
        faces.append(found)


def faces_from_chambers(neurons: int, degrees: Sequence[int]) -> np.ndarray:
    """Every face of the storage complex from the chambers of the weights: a count that shares no search with the other.

    Weights off all hyperplanes store the same states as their chamber. Weights that store a set keep it when they are
    moved a little, so some chamber stores it, too: the faces are the subsets of the memories of chambers. The search of
    the chambers crosses one wall after another and never asks which states fit.

    Parameters
    ----------
    neurons, degrees
        As in `memscape.polytopes.chambers.chambers`, with at most ten million chambers.

    Returns
    -------
    numpy.ndarray
        Bit masks without the empty set, numpy.uint64 in increasing order, axes ``(faces,)``.

    Raises
    ------
    ArgumentError
        If the degrees do not fit or there are too many chambers.
    """
    found = chambers(neurons, degrees)
    count = vertices(neurons, degrees)
    sides = unpack(found.every()[0], found.arrangement.hyperplanes)
    blocks = pieces.slices(len(sides), pieces.fitting(8 * found.arrangement.edge.size))
    stored = [np.unique(pack(found.arrangement.fixed(2 * sides[rows] - 1)[:, :count])) for rows in blocks]
    sets = np.unique(np.concatenate(stored)).astype(np.uint64)
    for vertex in range(count):
        sets = np.unique(np.concatenate([sets, sets & ~(np.uint64(1) << np.uint64(vertex))]))
    return sets[sets > 0]


def _next_level(faces: Orbits, size: int, conditions: np.ndarray, group: _Symmetry) -> tuple[Orbits, Orbits]:
    """Orbits of the faces and of the obstructions of ``size`` + 1 states, from those of the faces of ``size``."""
    count, neurons, _ = conditions.shape
    fixed = ((conditions @ faces.proofs.T) > 0).all(axis=1).T  # (orbits, vertices)
    orbit, added = np.nonzero(~unpack(faces.sets, count).astype(bool))
    candidates = faces.sets[orbit] | np.uint64(1) << added.astype(np.uint64)
    stored = fixed[orbit, added]
    keys, stabilisers = group.canonical(candidates)
    # One of each orbit, if possible one whose weights are known: they come first.
    order = np.lexsort((~stored, keys))
    _, first = np.unique(keys[order], return_index=True)
    chosen = order[first]
    open_ = chosen[~stored[chosen]]
    open_ = open_[_all_facets(candidates[open_], faces, group)]
    chosen = chosen[stored[chosen]]
    sets, proofs, where = [candidates[chosen]], [faces.proofs[orbit[chosen]]], [chosen]
    missing, multipliers = [], []
    for one, states in zip(open_, members(candidates[open_]), strict=True):
        answer = storable(states, conditions)
        if answer.weights is None:
            missing.append(one)
            multipliers.append(answer.multipliers)
        else:
            sets.append(candidates[one : one + 1])
            proofs.append(answer.weights[None])
            where.append(np.array([one]))
    found = np.concatenate(where)
    shape = (len(missing), size + 1, neurons)
    blocked = np.array(missing, dtype=np.int64)
    return (
        Orbits(np.concatenate(sets), group.order // stabilisers[found], np.concatenate(proofs)),
        Orbits(
            candidates[blocked],
            group.order // stabilisers[blocked],
            np.array(multipliers, dtype=np.int64).reshape(shape),
        ),
    )


def _all_facets(candidates: np.ndarray, faces: Orbits, group: _Symmetry) -> np.ndarray:
    """Whether every set that lacks one state of the candidate is a face; axes ``(candidates,)``."""
    if not len(candidates):
        return np.empty(0, dtype=bool)
    vertex = np.nonzero(unpack(candidates, 64))[1].reshape(len(candidates), -1)
    facets = candidates[:, None] & ~(np.uint64(1) << vertex.astype(np.uint64))
    unique, inverse = np.unique(facets, return_inverse=True)
    known = np.isin(group.canonical(unique)[0], group.canonical(faces.sets)[0])
    return np.asarray(known[inverse].reshape(facets.shape).all(axis=1))


@dataclass(frozen=True, eq=False)
class _Symmetry:
    """Signed permutations of the neurons, acting on sets of vertices as bit masks.

    Flipping signs adds a fixed vector to the bits of every state, so that a set can be moved to contain state 0 in as
    many ways as it has members, and the permutations are left. They act by tables of bytes: ``tables[b][v]`` holds, for
    every permutation, the image of the byte v at position b.
    """

    order: int
    permutations: np.ndarray
    tables: np.ndarray

    @staticmethod
    def of(neurons: int, degrees: Sequence[int]) -> _Symmetry:
        count = vertices(neurons, degrees)
        index = np.arange(count)
        orders = np.array(list(itertools.permutations(range(neurons))))
        images = (index[None, None] >> np.arange(neurons)[:, None] & 1) << orders[:, :, None]
        moved = images.sum(axis=1)
        if only_even(degrees):  # a state whose last neuron is +1 is known by its negative
            moved = np.where(moved >= count, 2**neurons - 1 - moved, moved)
        moved = np.unique(moved, axis=0)
        tables = np.zeros((-(-count // 8), 256, len(moved)), dtype=np.uint64)
        for state in range(count):
            chosen = np.arange(256) >> state % 8 & 1 == 1
            tables[state // 8, chosen] |= np.uint64(1) << moved[:, state].astype(np.uint64)
        return _Symmetry(count * len(moved), moved, tables)

    def images(self, sets: np.ndarray) -> np.ndarray:
        """All permutations of each set, axes ``(sets, permutations)``."""
        found: np.ndarray = np.zeros((len(sets), len(self.permutations)), dtype=np.uint64)
        for place, table in enumerate(self.tables):
            found |= table[(sets >> np.uint64(8 * place) & np.uint64(255)).astype(np.intp)]
        return found

    def canonical(self, sets: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """For sets of one size, the least mask of each orbit among those with state 0, and the stabiliser's order."""
        vertex = np.nonzero(unpack(sets, 64))[1]
        size = len(vertex) // max(1, len(sets))
        rows = translated(np.repeat(sets, size), vertex)
        least, times = np.empty_like(rows), np.empty(len(rows), dtype=np.int64)
        # The images, and what they are compared with.
        for block in pieces.slices(len(rows), pieces.fitting(32 * len(self.permutations))):
            images = self.images(rows[block])
            smallest = images.min(axis=1)
            least[block] = smallest
            times[block] = (images == smallest[:, None]).sum(axis=1)
        keys = least.reshape(-1, size).min(axis=1)
        counted = np.where(least == np.repeat(keys, size), times, 0)
        return keys, counted.reshape(-1, size).sum(axis=1)

    def spread(self, sets: np.ndarray) -> np.ndarray:
        """All sets of the orbits of ``sets``, in increasing order."""
        count = self.permutations.shape[1]
        if not len(sets):
            return sets
        moved = np.unique(self.images(sets))
        shifts = np.arange(count)
        return np.unique(np.concatenate([translated(moved, np.full(len(moved), shift)) for shift in shifts]))


# Homology


def simplex_tree(complex_: StorageComplex) -> SimplexTree:
    """The complex as a GUDHI simplex tree.

    Vertices and edges are inserted, and GUDHI expands them. It asks of every larger set whose faces are all there
    whether to block it: it is blocked if it is an obstruction.

    Raises
    ------
    ArgumentError
        If ``complex_`` is not a StorageComplex.
    """
    from gudhi import SimplexTree

    require_kind("complex_", complex_, StorageComplex)
    tree = SimplexTree()
    tree.insert_batch(np.arange(complex_.vertices)[None], np.zeros(complex_.vertices))
    if complex_.capacity == 1:
        return tree
    edges = np.array(members(complex_.every(complex_.faces[1]))).T
    tree.insert_batch(edges, np.zeros(edges.shape[1]))
    blocked = {mask for level in complex_.obstructions[2:] for mask in complex_.every(level).tolist()}
    if blocked:
        tree.expansion_with_blocker(complex_.capacity, lambda face: sum(1 << vertex for vertex in face) in blocked)
    else:
        tree.expansion(complex_.capacity)
    return tree


def cube(neurons: int, *, folded: bool = False) -> nx.Graph:
    """The graph of single flips on the states: the hypercube, or the folded cube of states up to a global flip.

    Parameters
    ----------
    neurons
        n, from 1 to 12; from 2 for the folded cube.
    folded
        Whether a state and its negative are one vertex; then the vertices are the states whose last neuron is -1.

    Returns
    -------
    networkx.Graph
        Vertices 0, ..., 2^n - 1, or 2^(n-1) - 1.

    Raises
    ------
    ArgumentError
        If ``neurons`` is out of range, or ``folded`` is neither true nor false.
    """
    import networkx as nx

    require_kind("folded", folded, bool)
    require_integer("neurons", neurons, at_least=1 + folded, at_most=12)
    count = 2 ** (neurons - folded)
    flips = [1 << neuron for neuron in range(neurons - folded)]
    # To flip the last neuron is to flip all others and the whole state.
    flips += [count - 1] * folded
    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from((state, state ^ flip) for state in range(count) for flip in flips)
    return graph


def only_even(degrees: Sequence[int]) -> bool:
    """Whether all couplings join an even number of neurons, so that a state and its negative are one vertex.

    Raises
    ------
    ArgumentError
        If the degrees are no sequence of integers.
    """
    found = [require_integer("degrees", degree) for degree in require_sequence("degrees", degrees, "integers")]
    return all(degree % 2 == 0 for degree in found)
