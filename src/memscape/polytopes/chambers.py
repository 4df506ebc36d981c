r"""All chambers of a space of weights, one of each kind; and their number, counted in other ways.

The hyperplanes of :mod:`memscape.polytopes.weight_space` cut the space of weights into chambers, and the signed
permutations of the neurons carry chambers to chambers. :func:`chambers` walks from one chamber through its walls to the
next and keeps one of each orbit. It takes no floating-point number's word for anything:

* that a chamber exists is proved by whole weights inside it;
* that a hyperplane is no wall of it is proved by a *circuit*: whole numbers m > 0 and sides s with
  :math:`\sum_k m_k s_k a_k = 0`, a pattern of sides that no weights can have. One circuit, with its images, settles
  millions of cases, so that few linear programmes are ever solved.

Three functions count without any search: :func:`memscape.tools.exact.regions` by deletion and restriction (Zaslavsky
1975), :func:`regions_over_fields` by the points of vector spaces over finite fields (Athanasiadis 1996), and
:func:`acyclic_orientations`, to which it comes down where couplings of all degrees are there.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import networkx as nx
import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from memscape.arguments import ArgumentError, require_count, require_integer, require_kind, require_sequence
from memscape.polytopes.separation import alternatives, circuit, separate
from memscape.polytopes.weight_space import Arrangement, arrangement, states, symmetries
from memscape.tools import pieces
from memscape.tools.subsets import BitGroup, pack, unpack

__all__ = [
    "Adjacency",
    "Chambers",
    "MemoryClasses",
    "acyclic_orientations",
    "adjacency",
    "chambers",
    "memory_classes",
    "points_off",
    "regions_over_fields",
]

# Sides are packed into bits, and sums of powers of two below this are exact in float64.
_MOST = 52


@dataclass(frozen=True, eq=False)
class Chambers:
    """One chamber of every orbit of the hyperoctahedral group, with what proves it.

    Parameters
    ----------
    arrangement
        The hyperplanes, at most 52 of them.
    sides
        Bit k says that the chamber lies where ``arrangement.normals[k] @ w > 0``; integers, axes ``(orbits,)``.
    walls
        Bit k says that hyperplane k carries a facet; integers, axes ``(orbits,)``.
    size
        Number of chambers in the orbit, axes ``(orbits,)``.
    weights
        Whole weights inside the chamber, axes ``(orbits, couplings)``.
    circuits
        Patterns of sides that no weights have: the mask of the hyperplanes, and the bits of their sides; integers, axes
        ``(circuits, 2)``. They prove that there are no other walls.
    programmes
        Number of linear programmes that were solved.
    """

    arrangement: Arrangement
    sides: np.ndarray
    walls: np.ndarray
    size: np.ndarray
    weights: np.ndarray
    circuits: np.ndarray
    programmes: int

    @property
    def number(self) -> int:
        """Number of all chambers."""
        return int(self.size.sum())

    @property
    def facets(self) -> np.ndarray:
        """Number of walls, axes ``(orbits,)``."""
        return np.bitwise_count(self.walls).astype(np.int64)

    @property
    def fixed(self) -> np.ndarray:
        """Which states are strict fixed points, booleans, axes ``(orbits, 2^n)``."""
        return self.arrangement.fixed(2 * unpack(self.sides, self.arrangement.hyperplanes) - 1)

    @property
    def by_memories(self) -> np.ndarray:
        """Number of chambers with 0, 1, 2, ... strict fixed points."""
        memories = self.fixed.sum(axis=1)
        found = np.zeros(memories.max() + 1, dtype=np.int64)
        np.add.at(found, memories, self.size)
        return found

    def every(self) -> tuple[np.ndarray, np.ndarray]:
        """All chambers by their sides, sorted, and the orbit of each; integers, axes ``(number,)``.

        Raises
        ------
        ArgumentError
            If there are more than ten million.
        """
        if self.number > 10**7:
            raise ArgumentError("number", "at most 10000000 chambers", str(self.number), "Work with the orbits.")
        group = _hyperplane_group(self.arrangement)
        found = [np.unique(group.images(one[None])) for one in self.sides]
        sides = np.concatenate(found).astype(np.int64)
        orbit = np.repeat(np.arange(len(found)), [len(part) for part in found])
        order = sides.argsort()
        return sides[order], orbit[order]


@dataclass(frozen=True, eq=False)
class Adjacency:
    """The chambers as a graph: two are joined if they share a wall.

    Parameters
    ----------
    sides, orbit
        From `Chambers.every`, axes ``(chambers,)``.
    pairs
        Indices of the two chambers of every wall, axes ``(walls, 2)``.
    memories
        The set of strict fixed points as bits, axes ``(chambers,)``.
    """

    sides: np.ndarray
    orbit: np.ndarray
    pairs: np.ndarray
    memories: np.ndarray

    @property
    def diameter(self) -> int:
        """The longest of all shortest paths; one chamber of each orbit is enough to start from."""
        starts = np.unique(self.orbit, return_index=True)[1]
        graph = _graph(len(self.sides), self.pairs)
        return int(dijkstra(graph, directed=False, indices=starts, unweighted=True).max())

    @property
    def crossings(self) -> int:
        """Number of pairs of different memory sets with a wall between them."""
        ends = np.sort(self.memories[self.pairs], axis=1)
        return len(np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0))


@dataclass(frozen=True, eq=False)
class MemoryClasses:
    """The sets of states that are exactly the strict fixed points of some weights, one of each orbit.

    Parameters
    ----------
    memories
        The set: bit x for state x, axes ``(orbits,)``.
    size
        Number of sets in the orbit.
    chambers
        Number of chambers in which this set, and no other state, is fixed.
    pieces
        Number of connected pieces of their union, joined through common walls: 1 if it is connected.
    """

    memories: np.ndarray
    size: np.ndarray
    chambers: np.ndarray
    pieces: np.ndarray

    @property
    def number(self) -> int:
        """Number of all such sets."""
        return int(self.size.sum())


def chambers(neurons: int, degrees: Sequence[int], *, steps: int = 500) -> Chambers:
    """Find every chamber up to symmetry, with all its walls.

    From each new chamber all hyperplanes are tried: known circuits say for most of them that the other side is empty.
    What is left is brought into canonical form, and if it is new, a perceptron of whole numbers looks for weights.
    Where it does not end, a linear programme decides, and where there are no weights its circuit joins the known ones.

    Parameters
    ----------
    neurons
        n, from 1 to 5.
    degrees
        Of the couplings; see `monomials`.
    steps
        Steps of the perceptron before the linear programme is asked. They change the time and nothing else.

    Returns
    -------
    Chambers

    Raises
    ------
    ArgumentError
        If an argument is out of range or there are more than 52 hyperplanes.
    """
    require_integer("neurons", neurons, at_least=1, at_most=5)
    require_count("steps", steps, at_least=0, at_most=10000)
    cut = arrangement(neurons, degrees)
    if cut.hyperplanes > _MOST:
        raise ArgumentError(
            "degrees",
            f"at most {_MOST} hyperplanes",
            str(cut.hyperplanes),
            "regions_over_fields counts without a search.",
        )
    group = _hyperplane_group(cut)
    search = _Search(cut, group, _Circuits(group), steps)
    # Powers of three are in a chamber: no sum of some of them with signs is zero.
    sides = pack(cut.normals @ 3 ** np.arange(cut.dimension) > 0)[None]
    weights, _ = search.weights(sides)
    known, size = group.canonical(sides)
    found = [(sides, size, weights)]
    walls, queue = [], sides
    # Of every chamber the images of all its neighbours, with what they are compared with.
    block = pieces.fitting(32 * len(group) * cut.hyperplanes)
    while len(queue):
        front, queue = queue[:block], queue[block:]
        chamber, plane = np.nonzero(~unpack(search.circuits.blocked(front), cut.hyperplanes) & 1)
        across = front[chamber] ^ (1 << plane)
        keys, sizes = group.canonical(across)
        keys, pick, back = np.unique(keys, return_index=True, return_inverse=True)
        real = known[np.minimum(np.searchsorted(known, keys), len(known) - 1)] == keys
        new = np.flatnonzero(~real)
        weights, real[new] = search.weights(across[pick[new]])
        new = new[real[new]]
        found.append((across[pick[new]], sizes[pick[new]], weights))
        known = np.sort(np.concatenate([known, keys[new]]))
        queue = np.concatenate([queue, found[-1][0]])
        open_ = np.zeros((len(front), cut.hyperplanes), dtype=bool)
        open_[chamber, plane] = real[back]
        walls.append(pack(open_))
    sides, size, weights = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Chambers(cut, sides, np.concatenate(walls), size, weights, search.circuits.patterns, search.programmes)


def adjacency(found: Chambers) -> Adjacency:
    """Join all chambers that share a wall.

    Raises
    ------
    ArgumentError
        If ``found`` are no chambers or more than ten million.
    """
    sides, orbit = require_kind("found", found, Chambers).every()
    planes = found.arrangement.hyperplanes
    memories = pack(found.arrangement.fixed(2 * unpack(sides, planes) - 1))
    return Adjacency(sides, orbit, _neighbours(sides, planes), memories)


def memory_classes(found: Chambers) -> MemoryClasses:
    """Gather the chambers by the set of their strict fixed points, and see whether they hang together.

    Raises
    ------
    ArgumentError
        If ``found`` are no chambers.
    """
    cut = require_kind("found", found, Chambers).arrangement
    group = symmetries(cut.edge.shape[1])
    targets = group.on_states()
    by_states, by_planes = BitGroup(targets, np.ones_like(targets), once=False), _hyperplane_group(cut, once=False)
    fixed = pack(found.fixed)
    least, size = by_states.canonical(fixed)
    memories, first, kind = np.unique(least, return_index=True, return_inverse=True)
    chambers_of: list[list[np.ndarray]] = [[] for _ in memories]
    for block in pieces.slices(len(fixed), pieces.fitting(32 * len(group))):
        # Only those images of a chamber in which the set of its fixed points becomes the one that stands for its orbit.
        one, element = np.nonzero(by_states.images(fixed[block]) == least[block, None])
        sides = by_planes.images(found.sides[block])[one, element].astype(np.int64)
        for k in np.unique(kind[block]):
            chambers_of[k].append(np.unique(sides[kind[block][one] == k]))
    counts, connected = [], []
    for parts in chambers_of:
        sides = np.sort(np.concatenate(parts))
        graph = _graph(len(sides), _neighbours(sides, cut.hyperplanes))
        counts.append(len(sides))
        connected.append(connected_components(graph, directed=False, return_labels=False))
    return MemoryClasses(memories, size[first], np.array(counts), np.array(connected))


def _neighbours(sides: np.ndarray, planes: int) -> np.ndarray:
    """Indices of all pairs that differ in one side only, axes ``(pairs, 2)``; two chambers then share that wall."""
    pairs = []
    for plane in range(planes):
        lower = np.flatnonzero(~(sides >> plane) & 1)
        across = sides[lower] | (1 << plane)
        at = np.minimum(np.searchsorted(sides, across), len(sides) - 1)
        there = sides[at] == across
        pairs.append(np.stack([lower[there], at[there]], axis=1))
    return np.concatenate(pairs)


def _graph(vertices: int, pairs: np.ndarray) -> csr_array:
    return csr_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(vertices, vertices))


# Counting without a search


def points_off(neurons: int, prime: int, *, thresholds: bool = False) -> int:
    r"""Number of pairwise weights over the field of q elements that are on no hyperplane.

    Neuron i forbids its threshold the values :math:`\sum_j \pm w_{ij}` of its own couplings, or, without thresholds,
    couplings with a vanishing sum. So the number is a sum over the couplings of a product of n factors, one a neuron: a
    network of tensors on the complete graph, which is contracted. A factor does not see the signs of its couplings, so
    (q + 1)/2 values stand for q.

    Parameters
    ----------
    neurons
        n, from 3 to 5.
    prime
        q, an odd prime, at most 79.
    thresholds
        Whether there are thresholds.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("neurons", neurons, at_least=3, at_most=5)
    require_integer("prime", prime, at_least=3, at_most=79)
    if any(prime % factor == 0 for factor in range(2, math.isqrt(prime) + 1)):
        raise ArgumentError("prime", "an odd prime", str(prime))
    table = _free_values(neurons - 1, prime, thresholds)
    share = np.full(len(table), 2)
    share[0] = 1
    if neurons == 3:
        return int(np.einsum("ab,ac,bc,a,b,c->", table, table, table, share, share, share))
    if neurons == 4:
        subscripts = "abc,ade,bdf,cef,a,b,c,d,e,f->"
        return int(np.einsum(subscripts, *[table] * 4, *[share] * 6, optimize="greedy"))
    # Multiplying all weights by a number changes nothing: a coupling that is not zero may be taken to be one.
    return _five(table[0], table, share) + (prime - 1) * _five(table[1], table, share)


def _free_values(couplings: int, prime: int, thresholds: bool) -> np.ndarray:
    """How many thresholds a neuron may have with couplings from 0 to (q - 1)/2, axes one a coupling."""
    grid = np.indices([(prime + 1) // 2] * couplings)
    # Sums with all signs, up to the sign of the first: half of them, and their negatives.
    half = np.tensordot(states(couplings)[1::2], grid, axes=1) % prime
    if not thresholds:
        return (half != 0).all(axis=0).astype(np.int64)
    values = np.sort(np.concatenate([half, -half % prime]), axis=0)
    return prime - 1 - (np.diff(values, axis=0) != 0).sum(axis=0)


def _five(first: np.ndarray, table: np.ndarray, share: np.ndarray) -> int:
    """The sum over the couplings of five neurons, that of neurons 1 and 2 given; ``first`` is the table with it put in.

    Every entry of an intermediate is below q^6, so that float64 is exact; the last sums are made of limbs of 16 bits.
    """
    size = len(table)
    square = size * size
    rest, weight = table.astype(float), share.astype(float)
    pair = np.multiply.outer(share, share).ravel()
    total = 0
    # Couplings: b..d of neuron 1 with 3..5, e..g of 2 with 3..5, h and i of 3 with 4 and 5, j of 4 with 5.
    for b in range(size):
        second = np.tensordot(first * weight[:, None, None], rest[b], axes=(0, 0))  # f g h i
        third = np.tensordot(first[b] * weight, rest, axes=(1, 0))  # c g i j
        third = (third * weight[:, None, None, None] * weight).transpose(0, 3, 1, 2)  # c j g i
        fourth = rest.transpose(1, 2, 0, 3).reshape(square, square)  # f h, c j
        joined = (fourth @ third.reshape(square, square)).reshape([size] * 4).transpose(0, 2, 1, 3)  # f g h i
        left = second.astype(np.int64).reshape(square, square) * np.multiply.outer(pair, pair)
        right = joined.astype(np.int64).reshape(square, square)
        for limb in range(3):
            part = int((left * (right >> 16 * limb & 0xFFFF)).sum())
            total += int(share[b]) * (part << 16 * limb)
    return total


def regions_over_fields(neurons: int, primes: Sequence[int], *, thresholds: bool = False) -> int:
    r"""Number of chambers of pairwise networks from points over finite fields.

    For all but finitely many primes q, `points_off` is the value :math:`\chi(q)` of the characteristic polynomial of
    the arrangement (Athanasiadis 1996), and :math:`|\chi(-1)|` is the number of regions (Zaslavsky 1975). Of d weights
    and H hyperplanes the polynomial is :math:`t^d - H t^{d-1} + \dots`, with a root at 1, so d - 2 primes fix it. All
    further primes must lie on it; that there is none of the exceptions among them is what this checks.

    Parameters
    ----------
    neurons, thresholds
        As in `points_off`.
    primes
        Different odd primes, at least d - 1 of them.

    Raises
    ------
    ArgumentError
        If the primes are no sequence, too few, or one does not lie on the polynomial that the first ones fix.
    """
    for prime in require_sequence("primes", primes, "integers"):
        require_integer("primes", prime, at_least=3)
    cut = arrangement(neurons, (1, 2) if thresholds else (2,))
    degree, planes = cut.dimension - 1, cut.hyperplanes
    if len(set(primes)) < len(primes) or len(primes) < degree:
        raise ArgumentError("primes", f"{degree} or more different primes", repr(list(primes)))
    # chi(t) / (t - 1) without its two leading terms has degree d - 3.
    values = {
        q: Fraction(points_off(neurons, q, thresholds=thresholds), q - 1) - q**degree + (planes - 1) * q ** (degree - 1)
        for q in primes
    }
    nodes = list(values)[: degree - 1]
    for q in list(values)[degree - 1 :]:
        if _lagrange(nodes, values, q) != values[q]:
            raise ArgumentError("primes", "primes on one polynomial", f"{q} off it", "Leave out the small ones.")
    quotient = (-1) ** degree - (planes - 1) * (-1) ** (degree - 1) + _lagrange(nodes, values, -1)
    return abs(int(2 * quotient))


def _lagrange(nodes: list[int], values: dict[int, Fraction], at: int) -> Fraction:
    return sum(
        (values[x] * math.prod((Fraction(at - y, x - y) for y in nodes if y != x), start=Fraction(1)) for x in nodes),
        start=Fraction(0),
    )


def acyclic_orientations(graph: nx.Graph) -> int:
    r"""Number of orientations of a graph without a directed cycle.

    The sinks of an orientation are an independent set I, and without them it is an orientation of the rest, so that for
    any set S of vertices :math:`a(S) = \sum_{\emptyset \ne I \subseteq S} (-1)^{|I|+1} a(S \setminus I)`.

    Parameters
    ----------
    graph
        At most 16 vertices; no direction, no loops. Of several edges between two vertices one counts.

    Raises
    ------
    ArgumentError
        If it is no such graph.
    """
    if (
        not isinstance(graph, nx.Graph)
        or graph.is_directed()
        or not 1 <= len(graph) <= 16
        or nx.number_of_selfloops(graph)
    ):
        got = f"{len(graph)} vertices" if isinstance(graph, nx.Graph) else type(graph).__name__
        raise ArgumentError("graph", "an undirected networkx.Graph of 1 to 16 vertices without loops", got)
    index = {vertex: k for k, vertex in enumerate(graph)}
    subsets = np.arange(2 ** len(graph))
    free = np.ones(len(subsets), dtype=bool)
    for one, other in nx.Graph(graph).edges:  # edges between the same ends point the same way
        both = 1 << index[one] | 1 << index[other]
        free &= subsets & both != both
    independent = subsets[free][1:]
    odd = np.where(np.bitwise_count(independent) % 2, 1, -1)
    count = np.ones(len(subsets), dtype=np.int64)
    for subset in subsets[1:]:
        inside = independent & ~subset == 0
        count[subset] = odd[inside] @ count[subset ^ independent[inside]]
    return int(count[-1])


# The search


class _Circuits:
    """A growing list of patterns of sides that no weights have."""

    def __init__(self, group: BitGroup) -> None:
        self._group = group
        self.patterns = np.empty((0, 2), dtype=np.int64)

    def add(self, members: np.ndarray, sides: np.ndarray) -> None:
        """Add a pattern, the sides (0 or 1) of some hyperplanes, with all its images."""
        moved = 1 << self._group.target[:, members]
        masks = moved.sum(axis=1)
        values = (np.where(self._group.sign[:, members] > 0, sides, 1 - sides) * moved).sum(axis=1)
        # If no weights have these sides, their negatives do not have the opposite ones.
        masks, values = np.tile(masks, 2), np.concatenate([values, values ^ masks])
        order = np.lexsort((values, masks))
        found = np.stack([masks[order], values[order]], axis=1)
        fresh = np.append(True, (found[1:] != found[:-1]).any(axis=1))
        self.patterns = np.concatenate([self.patterns, found[fresh]])

    def blocked(self, sides: np.ndarray) -> np.ndarray:
        """Bits of the hyperplanes that are no walls of chambers: to change that side alone completes a pattern."""
        bits = np.zeros_like(sides)
        for block, other in self._other_sides(sides):
            bits[block] = np.bitwise_or.reduce(np.where(other & (other - 1), 0, other), axis=1)
        return bits

    def contained(self, sides: np.ndarray, since: int) -> np.ndarray:
        """Whether there is one of the patterns added since then in these sides."""
        found = np.zeros(len(sides), dtype=bool)
        for block, other in self._other_sides(sides, since):
            found[block] = (other == 0).any(axis=1)
        return found

    def _other_sides(self, sides: np.ndarray, since: int = 0) -> Iterator[tuple[slice, np.ndarray]]:
        """In blocks, the hyperplanes of a pattern where sides are not the pattern's; axes ``(sides, patterns)``."""
        masks, values = self.patterns[since:].T
        for block in pieces.slices(len(sides), pieces.cached(32 * max(1, len(masks)))):
            yield block, (sides[block, None] ^ values) & masks


@dataclass
class _Search:
    """Which sides have weights: a perceptron, the known circuits, and linear programmes where both are silent."""

    arrangement: Arrangement
    group: BitGroup
    circuits: _Circuits
    steps: int
    programmes: int = 0

    def weights(self, sides: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Whole weights of those sides that have some, and which those are."""
        normals = self.arrangement.normals
        signs = 2 * unpack(sides, len(normals)) - 1
        weights, solved = np.zeros((len(sides), normals.shape[1]), dtype=np.int64), np.zeros(len(sides), dtype=bool)
        left, steps = np.arange(len(sides)), 0
        while len(left) and steps < self.steps:
            # A few steps solve most, and a circuit that they come upon spares others the many that they would make.
            steps = min(self.steps, 4 * steps or 4)
            weights[left], multipliers = alternatives(normals, signs[left], steps - 1)
            solved[left] = weights[left].any(axis=1)
            rows_of = np.count_nonzero(multipliers, axis=1)
            # Those that may have weights after all, then those that have none, the shortest proof first.
            order = rows_of.argsort(kind="stable")
            order = order[~solved[left[order]]]
            while len(order) and rows_of[order[-1]]:
                k, before = order[rows_of[order].searchsorted(1)], len(self.circuits.patterns)
                self._exclude(sides[left[k]], circuit(signs[left[k]][:, None] * normals, multipliers[k]))
                order = order[~self.circuits.contained(sides[left[order]], before)]
            left = left[np.sort(order)]
        while len(left):
            one, before = left[0], len(self.circuits.patterns)
            answer = separate(signs[one][:, None] * normals)
            self.programmes += 1
            if answer.weights is not None:
                weights[one], solved[one] = answer.weights, True
            elif answer.multipliers is not None:
                self._exclude(sides[one], answer.multipliers)
            left = left[1:][~self.circuits.contained(sides[left[1:]], before)]
        return weights[solved], solved

    def _exclude(self, sides: np.int64, multipliers: np.ndarray) -> None:
        members = np.flatnonzero(multipliers)
        self.circuits.add(members, sides >> members & 1)


def _hyperplane_group(cut: Arrangement, *, once: bool = True) -> BitGroup:
    return BitGroup(*symmetries(cut.edge.shape[1]).on_hyperplanes(cut), once=once)
