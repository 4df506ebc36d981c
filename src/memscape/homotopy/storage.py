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
:func:`simplex_tree` hands the complex to GUDHI, :func:`betti_numbers` counts its holes. Where the faces are too many,
:func:`sample` estimates which share of all sets of a size are faces: :func:`learn` finds weights by the perceptron
rule, and a linear programme decides what the rule leaves open.

Sets of vertices are bit masks in unsigned 64-bit integers: bit x is set for the state of index x, in the order of
:func:`memscape.polytopes.weight_space.states`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from memscape.arguments import ArgumentError, require_generator, require_integer
from memscape.polytopes.weight_space import arrangement, monomials, normals, storable

if TYPE_CHECKING:
    import networkx as nx
    from gudhi import SimplexTree

__all__ = [
    "Cells",
    "Learned",
    "Orbits",
    "Sample",
    "StorageComplex",
    "betti_numbers",
    "cells",
    "cube",
    "draw_sets",
    "f_vector",
    "independence_complex",
    "learn",
    "members",
    "sample",
    "simplex_tree",
    "storage_complex",
    "vertices",
]

# Most numbers that one block of images or of conditions holds at a time.
_ENTRIES = 2**22
# Bits of 0..63 that differ from their neighbour in bit b of the position: swapping blocks of 2^b bits.
_LOW_BLOCKS = tuple(np.uint64(mask) for mask in (
    0x5555555555555555,
    0x3333333333333333,
    0x0F0F0F0F0F0F0F0F,
    0x00FF00FF00FF00FF,
    0x0000FFFF0000FFFF,
    0x00000000FFFFFFFF,
))  # fmt: skip


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
    return 2 ** (neurons - _even(degrees))


def members(sets: np.ndarray) -> list[list[int]]:
    """The vertices in each of these bit masks, in increasing order.

    Raises
    ------
    ArgumentError
        If ``sets`` is not a one-dimensional array of numpy.uint64.
    """
    _require_sets(sets)
    return [np.flatnonzero(row).tolist() for row in _bits(sets)]


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
        """All sets of some orbits of this complex as bit masks in increasing order, numpy.uint64."""
        return _Symmetry.of(self.neurons, self.degrees).spread(orbits.sets)

    def equals(self, other: StorageComplex) -> bool:
        """Whether both have the same vertices and the same faces.

        Raises
        ------
        ArgumentError
            If ``other`` is not a storage complex.
        """
        if not isinstance(other, StorageComplex):
            raise ArgumentError("other", "a StorageComplex", type(other).__name__)
        if self.vertices != other.vertices or self.f_vector != other.f_vector:
            return False
        # With folded states the permutations act in another way; then all sets are compared.
        if (self.neurons, _even(self.degrees)) != (other.neurons, _even(other.degrees)):
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
        raise ArgumentError("neurons", "at most 64 vertices", str(count), "Use sample for larger networks.")
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


def _next_level(faces: Orbits, size: int, conditions: np.ndarray, group: _Symmetry) -> tuple[Orbits, Orbits]:
    """Orbits of the faces and of the obstructions of ``size`` + 1 states, from those of the faces of ``size``."""
    count, neurons, _ = conditions.shape
    fixed = ((conditions @ faces.proofs.T) > 0).all(axis=1).T  # (orbits, vertices)
    orbit, added = np.nonzero(~_bits(faces.sets)[:, :count])
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
    vertex = np.nonzero(_bits(candidates))[1].reshape(len(candidates), -1)
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
        if _even(degrees):  # a state whose last neuron is +1 is known by its negative
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
        vertex = np.nonzero(_bits(sets))[1]
        size = len(vertex) // max(1, len(sets))
        rows = _translated(np.repeat(sets, size), vertex)
        least, times = np.empty_like(rows), np.empty(len(rows), dtype=np.int64)
        step = max(1, _ENTRIES // len(self.permutations))
        for start in range(0, len(rows), step):
            images = self.images(rows[start : start + step])
            smallest = images.min(axis=1)
            least[start : start + step] = smallest
            times[start : start + step] = (images == smallest[:, None]).sum(axis=1)
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
        return np.unique(np.concatenate([_translated(moved, np.full(len(moved), shift)) for shift in shifts]))


def _translated(sets: np.ndarray, shifts: np.ndarray) -> np.ndarray:
    """Every member x of each set moved to x XOR its shift."""
    for bit, low in enumerate(_LOW_BLOCKS):
        width = np.uint64(1 << bit)
        swapped = (sets & low) << width | sets >> width & low
        sets = np.where(shifts >> bit & 1 == 1, swapped, sets)
    return sets


def _bits(sets: np.ndarray) -> np.ndarray:
    """Booleans, axes ``(sets, 64)``."""
    found: np.ndarray = (sets[:, None] >> np.arange(64, dtype=np.uint64) & np.uint64(1)).astype(bool)
    return found


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

    if not isinstance(complex_, StorageComplex):
        raise ArgumentError("complex_", "a StorageComplex", type(complex_).__name__)
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
        If ``neurons`` is out of range.
    """
    import networkx as nx

    require_integer("neurons", neurons, at_least=1 + folded, at_most=12)
    count = 2 ** (neurons - folded)
    flips = [1 << neuron for neuron in range(neurons - folded)]
    # To flip the last neuron is to flip all others and the whole state.
    flips += [count - 1] * folded
    graph = nx.Graph()
    graph.add_nodes_from(range(count))
    graph.add_edges_from((state, state ^ flip) for state in range(count) for flip in flips)
    return graph


def independence_complex(graph: nx.Graph) -> SimplexTree:
    """The sets of vertices no two of which are neighbours, as a GUDHI simplex tree.

    Parameters
    ----------
    graph
        Vertices are the integers from 0.

    Raises
    ------
    ArgumentError
        If the vertices are others.
    """
    import networkx as nx
    from gudhi import SimplexTree

    count = graph.number_of_nodes()
    if set(graph) != set(range(count)):
        raise ArgumentError("graph", "vertices 0, 1, ...", "others", "Use networkx.convert_node_labels_to_integers.")
    tree = SimplexTree()
    tree.insert_batch(np.arange(count)[None], np.zeros(count))
    apart = np.array(list(nx.complement(graph).edges), dtype=np.int64).reshape(-1, 2).T
    tree.insert_batch(apart, np.zeros(apart.shape[1]))
    tree.expansion(count)
    return tree


def f_vector(tree: SimplexTree) -> tuple[int, ...]:
    """Numbers of simplices of dimension 0, 1, ... of a GUDHI simplex tree.

    Raises
    ------
    ArgumentError
        If ``tree`` is not a SimplexTree.
    """
    return tuple(int(number) for number in _require_tree(tree).num_simplices_by_dimension())


def betti_numbers(tree: SimplexTree, *, field: int = 2) -> tuple[int, ...]:
    """Betti numbers over the field of ``field`` elements, from dimension 0 to that of the complex.

    Parameters
    ----------
    tree
        A GUDHI simplex tree.
    field
        A prime. Numbers that differ between two primes reveal torsion.

    Raises
    ------
    ArgumentError
        If ``tree`` is not a SimplexTree or ``field`` not a prime below 46340, GUDHI's limit.
    """
    require_integer("field", field, at_least=2, at_most=46337)
    if any(field % divisor == 0 for divisor in range(2, math.isqrt(field) + 1)):
        raise ArgumentError("field", "a prime number", str(field))
    # Without persistence_dim_max GUDHI leaves out the holes of the top dimension.
    _require_tree(tree).compute_persistence(homology_coeff_field=field, persistence_dim_max=True)
    numbers = [int(number) for number in tree.betti_numbers()]
    return tuple((numbers + [0] * tree.dimension())[: tree.dimension() + 1])


# The weights themselves


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells into which the hyperplanes of the conditions of stability cut the weights, from the origin to chambers.

    Parameters
    ----------
    signs
        On which side of each hyperplane the cell lies, or 0 where it lies inside: int8, axes ``(cells, hyperplanes)``.
    dimension
        Of each cell, axes ``(cells,)``.
    stored
        Which states its weights store, booleans, axes ``(cells, 2^n)``.
    """

    signs: np.ndarray
    dimension: np.ndarray
    stored: np.ndarray

    @property
    def chambers(self) -> int:
        """Number of cells of full dimension."""
        return int((self.signs != 0).all(axis=1).sum())

    @property
    def euler(self) -> int:
        r"""Euler characteristic of the set of all weights that store something.

        This set U is open in :math:`\mathbb{R}^d`, so a manifold, and a union of cells C. Counted with compact support
        its Euler characteristic is the alternating number of cells; Poincare duality makes it
        :math:`\chi(U) = \sum_{C \subset U} (-1)^{d - \dim C}`.
        """
        inside = self.stored.any(axis=1)
        return int((1 - 2 * ((self.dimension.max() - self.dimension[inside]) % 2)).sum())


def cells(neurons: int, degrees: Sequence[int]) -> Cells:
    """Enumerate all cells of the space of weights; an independent way to the Euler characteristic of the complex.

    Every sign vector of a central arrangement is a composition of those of its rays: go a little from one ray towards
    another, and what was on a hyperplane takes the sign of the second. The rays are the lines in which hyperplanes
    meet.

    Parameters
    ----------
    neurons, degrees
        n and the degrees of the couplings, with at most 200000 ways to choose one hyperplane fewer than couplings.

    Raises
    ------
    ArgumentError
        If the degrees do not fit or the arrangement is too large.
    """
    cut = arrangement(neurons, degrees)
    dimension = cut.dimension
    ways = math.comb(cut.hyperplanes, dimension - 1)
    if ways > 200000:
        raise ArgumentError("degrees", "at most 200000 sets of hyperplanes", str(ways), "Take fewer neurons.")
    chosen = np.array(list(itertools.combinations(range(cut.hyperplanes), dimension - 1)), dtype=np.intp)
    rows = cut.normals[chosen].reshape(ways, dimension - 1, dimension).astype(float)
    _, scale, axes = np.linalg.svd(rows, full_matrices=True)
    # Entries of normals are -1, 0, 1: what is not zero here is a ratio of small whole determinants, far above 1e-6.
    rays = axes[(scale > 1e-6).all(axis=1), -1]
    values = rays @ cut.normals.T
    rays_signs = (np.sign(values) * (abs(values) > 1e-6)).astype(np.int8)
    # Sign vectors are compared as numbers in base 3; 3^39 is the last to fit, and ways is exceeded long before.
    base = 3 ** np.arange(cut.hyperplanes)
    rays_signs = _first_of_each(np.concatenate([rays_signs, -rays_signs]), base)
    found = fresh = np.zeros((1, cut.hyperplanes), dtype=np.int8)
    codes = found @ base
    while len(fresh):
        step = max(1, _ENTRIES // rays_signs.size)
        made = [
            _first_of_each(np.where(some[:, None] != 0, some[:, None], rays_signs).reshape(-1, cut.hyperplanes), base)
            for some in np.array_split(fresh, -(-len(fresh) // step))
        ]
        fresh = _first_of_each(np.concatenate(made), base)
        fresh = fresh[~np.isin(fresh @ base, codes)]
        found, codes = np.concatenate([found, fresh]), np.concatenate([codes, fresh @ base])
    flats, which = np.unique(found == 0, axis=0, return_inverse=True)
    rank = np.array([np.linalg.matrix_rank(cut.normals[flat]) if flat.any() else 0 for flat in flats])
    stored = (found[:, cut.edge] * cut.sign > 0).all(axis=2)
    return Cells(found, dimension - rank[which.ravel()], stored)


def _first_of_each(rows: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Different rows of signs, by their numbers in some base."""
    return rows[np.unique(rows @ base, return_index=True)[1]]


# Larger networks


def draw_sets(count: int, size: int, sets: int, *, generator: torch.Generator) -> torch.Tensor:
    """Sets of vertices, each of ``size`` different ones out of ``count``, uniformly and independently.

    Parameters
    ----------
    count
        Number of vertices to draw from.
    size
        Vertices in a set, at most ``count``.
    sets
        How many sets.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        int64 on the CPU, axes ``(sets, size)``, each row increasing.

    Raises
    ------
    ArgumentError
        If a number is not positive or ``size`` exceeds ``count``.
    """
    require_integer("count", count, at_least=1)
    require_integer("size", size, at_least=1, at_most=count)
    require_integer("sets", sets, at_least=1)
    require_generator("generator", generator)
    keys = torch.rand((sets, count), generator=generator, dtype=torch.float64)
    return keys.argsort(dim=1, stable=True)[:, :size].sort(dim=1).values


@dataclass(frozen=True, eq=False)
class Learned:
    """What the perceptron rule found.

    Attributes
    ----------
    weights
        Whole numbers in float32, axes ``(sets, couplings)``: where ``stored``, proofs that the set is a face.
    stored
        Booleans ``(sets,)``. False proves nothing.
    """

    weights: torch.Tensor
    stored: torch.Tensor


def learn(neurons: int, degrees: Sequence[int], sets: torch.Tensor, *, steps: int = 1000) -> Learned:
    r"""Learn to store sets of states by the perceptron rule, all sets at once.

    Start from the Hebbian weights :math:`w = \sum_{x,i} v_{x,i}` and, while conditions are broken, add the normals of
    all that are,

    .. math:: w \leftarrow w + \sum_{x,i:\, v_{x,i} \cdot w \le 0} v_{x,i} .

    If some weights store the set, finitely many steps find weights that do (Rosenblatt 1962; Novikoff 1962); a set that
    is still not stored after ``steps`` steps may be a face or not. All numbers are whole and exact in float32.

    Parameters
    ----------
    neurons, degrees
        n and the degrees of the couplings.
    sets
        Indices of states, int64, axes ``(sets, states)``; the result lives on the same device.
    steps
        Most steps to make, at most 10000 so that float32 stays exact.

    Returns
    -------
    Learned

    Raises
    ------
    ArgumentError
        If the sets are no matrix of int64, name a state that is not there, or ``steps`` is out of range.
    """
    count = vertices(neurons, degrees)
    require_integer("steps", steps, at_least=1, at_most=10000)
    if not isinstance(sets, torch.Tensor) or sets.dtype != torch.int64 or sets.ndim != 2 or 0 in sets.shape:
        got = f"{sets.dtype} of shape {tuple(sets.shape)}" if isinstance(sets, torch.Tensor) else type(sets).__name__
        raise ArgumentError("sets", "an int64 tensor with axes (sets, states), none empty", got, "See draw_sets.")
    if sets.min() < 0 or sets.max() >= count:
        raise ArgumentError("sets", f"states 0 to {count - 1}", f"{sets.min().item()} to {sets.max().item()}")
    table = torch.from_numpy(normals(neurons, degrees)[:count]).to(sets.device, torch.float32)
    couplings = table.shape[-1]
    weights = table.new_zeros(len(sets), couplings)
    stored = torch.zeros(len(sets), dtype=torch.bool, device=sets.device)
    chunk = max(1, _ENTRIES * 4 // (sets.shape[1] * neurons * couplings))
    for start in range(0, len(sets), chunk):
        block = slice(start, start + chunk)
        rows = table[sets[block]].flatten(1, 2)  # (sets, conditions, couplings)
        weights[block], stored[block] = _perceptron(rows, steps)
    return Learned(weights, stored)


def _perceptron(rows: torch.Tensor, steps: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights ``(sets, couplings)`` and whether they meet all conditions ``(sets, conditions, couplings)``."""
    found = rows.sum(dim=1)
    stored = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
    left, weights = torch.arange(len(rows), device=rows.device), found.clone()
    for step in range(steps + 1):
        broken = torch.bmm(rows, weights[:, :, None]).squeeze(2) <= 0
        done = ~broken.any(dim=1)
        # Sets that are learned leave the batch now and then; to look costs a transfer from a GPU.
        if step % 16 == 0 or step == steps:
            found[left] = weights
            stored[left] = done
            keep = ~done
            rows, weights, left, broken = rows[keep], weights[keep], left[keep], broken[keep]
            if step == steps or not len(left):
                break
        weights = weights + torch.bmm(broken[:, None, :].to(rows.dtype), rows).squeeze(1)
    return found, stored


@dataclass(frozen=True)
class Sample:
    """Random sets of one size, and how many of them are faces.

    Attributes
    ----------
    size
        States in a set.
    total
        Number of sets of this size of any vertices; the f-vector is estimated by ``total`` times the share of faces.
    drawn
        Number of sets drawn.
    stored
        Faces among them, each proved by weights in whole numbers.
    refused
        Sets that are no faces, each proved by whole numbers with which its conditions add up to zero.
    programmes
        How many of these answers took a linear programme; the rest came from the perceptron rule or from two states
        that exclude each other.
    """

    size: int
    total: int
    drawn: int
    stored: int
    refused: int
    programmes: int


def sample(
    neurons: int,
    degrees: Sequence[int],
    size: int,
    drawn: int,
    *,
    generator: torch.Generator,
    steps: int = 200,
    device: torch.device | str = "cpu",
) -> Sample:
    """Draw sets of states and decide for each of them, with proof, whether it is a face.

    First sets with two states that differ by one flip are refused: their conditions at the flipped neuron add up to
    zero. Then the perceptron rule learns what it can, in one batch on the device. A linear programme decides the rest.

    Parameters
    ----------
    neurons, degrees
        n and the degrees of the couplings.
    size, drawn
        States in a set, and number of sets.
    generator
        A CPU generator.
    steps
        Most steps of the perceptron rule.
    device
        Where the rule runs.

    Returns
    -------
    Sample
        Stored and refused add up to drawn: no set stays open.

    Raises
    ------
    ArgumentError
        If a number does not fit, see `draw_sets` and `learn`.
    """
    count = vertices(neurons, degrees)
    sets = draw_sets(count, size, drawn, generator=generator)
    require_integer("steps", steps, at_least=1, at_most=10000)
    flips = torch.tensor([1 << neuron for neuron in range(neurons)])
    between = sets[:, :, None] ^ sets[:, None, :]
    if _even(degrees):
        flips[-1] = count - 1
    clash = torch.isin(between, flips).flatten(1).any(dim=1)
    free = sets[~clash]
    stored = torch.zeros(len(free), dtype=torch.bool)
    if len(free):
        stored = learn(neurons, degrees, free.to(device), steps=steps).stored.cpu()
    conditions = normals(neurons, degrees)
    rest = free[~stored].numpy()
    solved = sum(bool(storable(states, conditions)) for states in rest)
    faces = int(stored.sum()) + solved
    return Sample(size, math.comb(count, size), drawn, faces, drawn - faces, len(rest))


def _even(degrees: Sequence[int]) -> bool:
    return all(degree % 2 == 0 for degree in degrees)


def _require_sets(sets: np.ndarray) -> None:
    if not isinstance(sets, np.ndarray) or sets.dtype != np.uint64 or sets.ndim != 1:
        got = f"{sets.dtype} of shape {sets.shape}" if isinstance(sets, np.ndarray) else type(sets).__name__
        raise ArgumentError("sets", "a one-dimensional array of numpy.uint64", got)


def _require_tree(tree: SimplexTree) -> SimplexTree:
    from gudhi import SimplexTree

    if not isinstance(tree, SimplexTree):
        raise ArgumentError("tree", "a gudhi.SimplexTree", type(tree).__name__)
    return tree
