r"""Resources that circulate: on the nose, and up to isomorphism.

A network has vertices and directed edges e, each from a source s(e) to a target t(e). A *circulation* puts a whole
number k_e >= 0 on every edge, so that at every vertex as much comes in as goes out. Circulations are the equaliser of
the two maps that add up numbers along sources and along targets.

With finite sets F_e in the place of numbers, what comes in need not be *the same* set as what goes out; a one-to-one
correspondence will do. A point of the *homotopy equaliser* is a family of sets with such a correspondence at every
vertex. Call the elements tokens. Each has a successor, so such a point is a permutation of tokens that sit on edges,
each going to an edge that starts where its own ends. Two points are isomorphic if a renaming of tokens takes one to the
other. The *groupoid cardinality* is the sum of 1/(number of automorphisms) over the classes.

Let A_ij be the number of edges from i to j. Then the cardinality of total m is the coefficient of x^m in the *zeta
function* 1/det(1 - xA), and over one circulation it is prod_v n_v! / prod_e k_e!, where n_v tokens pass v.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from memscape.arguments import (
    ArgumentError,
    require_integer,
    require_integers,
    require_kind,
    require_sequence,
)
from memscape.tools.exact import characteristic_polynomial, relations
from memscape.tools.pieces import fitting

__all__ = [
    "Classes",
    "Network",
    "automorphisms",
    "circulations",
    "classes",
    "complete",
    "components",
    "compositions",
    "cone_dimension",
    "counted_circulations",
    "cyclic_rank",
    "fibre",
    "indecomposable",
    "on_the_nose",
    "require_flows",
    "simple_cycles",
    "spectral_radius",
    "tokens",
    "zeta",
]

Integers = npt.NDArray[np.int64]

MOST_TOTAL = 2000
"""Largest total of a series here."""


@dataclass(frozen=True)
class Network:
    """A directed network; loops and several edges between the same vertices are allowed.

    Parameters
    ----------
    vertices
        Number of vertices, 1 to 64; they are 0, 1, ...
    edges
        Pairs (source, target), at most 512.

    Raises
    ------
    ArgumentError
        If an edge is no pair of vertices.
    """

    vertices: int
    edges: tuple[tuple[int, int], ...]

    def __post_init__(self) -> None:
        """Check the edges and keep them as tuples."""
        require_integer("vertices", self.vertices, at_least=1, at_most=64)
        listed = require_sequence("edges", self.edges, "pairs (source, target)")
        if len(listed) > 512:
            raise ArgumentError("edges", "at most 512 edges", f"{len(listed)}")
        kept = []
        for edge in listed:
            ends = require_sequence("edges", edge, "two vertices, source and target")
            if len(ends) != 2:
                raise ArgumentError("edges", "pairs (source, target)", f"{len(ends)} entries")
            source, target = (require_integer("edges", v, at_least=0, at_most=self.vertices - 1) for v in ends)
            kept.append((source, target))
        object.__setattr__(self, "edges", tuple(kept))

    @property
    def matrix(self) -> Integers:
        """Adjacency matrix, axes ``(vertices, vertices)``: entry (i, j) is the number of edges from i to j."""
        found = np.zeros((self.vertices, self.vertices), dtype=np.int64)
        for source, target in self.edges:
            found[source, target] += 1
        return found

    @property
    def incidence(self) -> Integers:
        """Axes ``(vertices, edges)``: +1 where an edge comes in, -1 where it goes out; a loop is 0."""
        found = np.zeros((self.vertices, len(self.edges)), dtype=np.int64)
        for place, (source, target) in enumerate(self.edges):
            found[source, place] -= 1
            found[target, place] += 1
        return found

    @property
    def graph(self) -> nx.MultiDiGraph:
        """The network as a graph of networkx; the key of an edge is its place in the list."""
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(range(self.vertices))
        graph.add_edges_from((source, target, place) for place, (source, target) in enumerate(self.edges))
        return graph

    @property
    def determinant(self) -> list[int]:
        """Coefficients of det(1 - xA), the constant one, which is 1, first."""
        rows = [[Fraction(int(entry)) for entry in row] for row in self.matrix]
        return [int(value) for value in characteristic_polynomial(rows)]


def complete(vertices: int) -> Network:
    """All edges between different vertices, in both directions: n (n - 1) of them.

    Parameters
    ----------
    vertices
        Number of vertices, 1 to 16.

    Raises
    ------
    ArgumentError
        If ``vertices`` is no such number.
    """
    require_integer("vertices", vertices, at_least=1, at_most=16)
    return Network(vertices, tuple(itertools.permutations(range(vertices), 2)))


def compositions(total: int, parts: int) -> Integers:
    """All ways to write a total as an ordered sum of whole numbers, zero among them.

    Parameters
    ----------
    total
        At least 0.
    parts
        Number of summands, at least 1.

    Returns
    -------
    numpy.ndarray
        Axes ``(ways, parts)``, in lexicographic order; C(total + parts - 1, parts - 1) ways.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or there are more ways than the memory budget allows.
    """
    require_integer("total", total, at_least=0, at_most=MOST_TOTAL)
    require_integer("parts", parts, at_least=1, at_most=512)
    count = math.comb(total + parts - 1, parts - 1)
    _require_fit("total", count, 32 * parts)
    bars = np.fromiter(
        itertools.chain.from_iterable(itertools.combinations(range(total + parts - 1), parts - 1)),
        dtype=np.int64,
        count=count * (parts - 1),
    ).reshape(count, parts - 1)
    edges = [np.full((count, 1), -1), bars, np.full((count, 1), total + parts - 1)]
    return np.diff(np.concatenate(edges, axis=1), axis=1) - 1


def circulations(network: Network, total: int) -> Integers:
    """All circulations of a total, found by trying every assignment.

    Parameters
    ----------
    network
        The network.
    total
        Sum of the numbers on all edges, at least 0.

    Returns
    -------
    numpy.ndarray
        Axes ``(circulations, edges)``, whole numbers >= 0, in lexicographic order.

    Raises
    ------
    ArgumentError
        If there are more assignments than the memory budget allows; :func:`counted_circulations` goes further.
    """
    require_kind("network", network, Network)
    require_integer("total", total, at_least=0, at_most=MOST_TOTAL)
    if not network.edges:
        return np.zeros((int(total == 0), 0), dtype=np.int64)
    tried = compositions(total, len(network.edges))
    kept: Integers = tried[(tried @ network.incidence.T == 0).all(axis=1)]
    return kept


def counted_circulations(network: Network, most: int) -> list[int]:
    """Numbers of circulations of total 0, 1, ..., ``most``, edge by edge without listing them.

    A table holds, for every total and every surplus at all vertices but the last, the number of assignments so far.

    Parameters
    ----------
    network
        The network.
    most
        Largest total, at least 0.

    Returns
    -------
    list of int
        Exact.

    Raises
    ------
    ArgumentError
        If the table, (most + 1) (2 most + 1)^(vertices - 1) numbers, exceeds the memory budget, or a number could
        exceed 64 bits.
    """
    require_kind("network", network, Network)
    require_integer("most", most, at_least=0, at_most=MOST_TOTAL)
    vertices, edges = network.vertices, network.edges
    side = 2 * most + 1
    _require_fit("most", (most + 1) * side ** (vertices - 1), 24)
    if math.comb(most + max(len(edges), 1) - 1, most) >= 2**62:
        raise ArgumentError(
            "most", "counts below 2**62", f"{len(edges)} edges, total {most}", "Ask for a smaller total."
        )
    table: Any = np.zeros((most + 1, *(side,) * (vertices - 1)), dtype=np.int64)
    middle = (most,) * (vertices - 1)
    table[(0, *middle)] = 1
    for source, target in edges:
        shift = [0] * vertices
        shift[source] -= 1
        shift[target] += 1
        into = tuple(slice(max(0, step), side + min(0, step)) for step in shift[:-1])
        out = tuple(slice(max(0, -step), side - max(0, step)) for step in shift[:-1])
        for total in range(1, most + 1):  # one more on this edge, from what has been counted with it
            table[(total, *into)] += table[(total - 1, *out)]
    return [int(table[(total, *middle)]) for total in range(most + 1)]


def zeta(network: Network, most: int) -> list[int]:
    """Coefficients of 1/det(1 - xA) up to x^most: the cardinalities of the homotopy equaliser by total.

    Parameters
    ----------
    network
        The network.
    most
        Largest total, at least 0.

    Returns
    -------
    list of int
        Exact, and whole though cardinalities are sums of fractions.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_kind("network", network, Network)
    require_integer("most", most, at_least=0, at_most=MOST_TOTAL)
    below = network.determinant
    found = [1]
    for total in range(1, most + 1):
        found.append(-sum(below[k] * found[total - k] for k in range(1, min(total, len(below) - 1) + 1)))
    return found


def components(network: Network, most: int) -> list[int]:
    """Coefficients of zeta(x) zeta(x^2) zeta(x^3) ...: the components of the homotopy equaliser by total.

    They are multisets of closed walks, each taken up to its starting point.

    Parameters
    ----------
    network
        The network.
    most
        Largest total, 0 to 400.

    Returns
    -------
    list of int
        Exact.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("most", most, at_least=0, at_most=400)
    series = zeta(network, most)
    found = [1] + [0] * most
    for power in range(1, most + 1):
        found = [
            sum(series[k] * found[total - power * k] for k in range(total // power + 1)) for total in range(most + 1)
        ]
    return found


def fibre(network: Network, flows: Integers) -> list[int]:
    """Cardinality of the homotopy equaliser over circulations: prod_v n_v! / prod_e k_e!.

    Parameters
    ----------
    network
        The network.
    flows
        Circulations, axes ``(circulations, edges)``.

    Returns
    -------
    list of int
        Exact; one for each circulation.

    Raises
    ------
    ArgumentError
        If a row is no circulation.
    """
    rows = require_flows(network, flows)
    sources = np.zeros((len(network.edges), network.vertices), dtype=np.int64)
    sources[np.arange(len(network.edges)), [source for source, _ in network.edges]] = 1
    found = []
    for row, passing in zip(rows.tolist(), (rows @ sources).tolist(), strict=True):
        over = math.prod(math.factorial(n) for n in passing)
        found.append(over // math.prod(math.factorial(k) for k in row))
    return found


def tokens(network: Network, total: int) -> tuple[Integers, Integers]:
    """Every point of the homotopy equaliser on the tokens 0, 1, ..., total - 1, by trying all places and permutations.

    Parameters
    ----------
    network
        The network.
    total
        Number of tokens, 0 to 6.

    Returns
    -------
    edges, successors : numpy.ndarray
        Axes ``(points, total)``: the edge on which each token sits, and the token that it goes to.

    Raises
    ------
    ArgumentError
        If there are more places than the memory budget allows.
    """
    require_kind("network", network, Network)
    require_integer("total", total, at_least=0, at_most=6)
    count = len(network.edges)
    _require_fit("total", count**total, 64 * max(total, 1))
    places = np.array(list(itertools.product(range(count), repeat=total)), dtype=np.int64).reshape(count**total, total)
    ends = np.array(network.edges, dtype=np.int64).reshape(-1, 2)
    found = []
    for order in itertools.permutations(range(total)):
        fits = (ends[places, 1] == ends[places[:, list(order)], 0]).all(axis=1)
        kept = places[fits]
        found.append((kept, np.tile(np.array(order, dtype=np.int64), (len(kept), 1))))
    edges, successors = (np.concatenate([pair[side] for pair in found]) for side in (0, 1))
    return edges, successors


@dataclass(frozen=True)
class Classes:
    """Points of a homotopy equaliser up to renaming of tokens; see :func:`classes`.

    Parameters
    ----------
    edges, successors
        One point of each class, axes ``(classes, total)``.
    sizes
        How many points belong to it, axes ``(classes,)``.
    automorphisms
        How many renamings leave a point as it is, axes ``(classes,)``.
    """

    edges: Integers
    successors: Integers
    sizes: Integers
    automorphisms: Integers

    @property
    def cardinality(self) -> Fraction:
        """Sum of 1/automorphisms over the classes."""
        return sum((Fraction(1, int(each)) for each in self.automorphisms), Fraction(0))


def classes(edges: Integers, successors: Integers) -> Classes:
    """Sort points into classes, by trying all renamings of their tokens.

    Parameters
    ----------
    edges, successors
        All points of a total, as from :func:`tokens`: axes ``(points, total)``, total 0 to 6.

    Returns
    -------
    Classes

    Raises
    ------
    ArgumentError
        If the arrays have other axes or entries.
    """
    for name, value in (("edges", edges), ("successors", successors)):
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu" or value.ndim != 2:
            raise ArgumentError(name, "whole numbers, axes (points, total)", type(value).__name__)
    count, total = edges.shape
    if total > 6 or successors.shape != edges.shape:
        raise ArgumentError("edges, successors", "equal axes, at most six tokens", f"{edges.shape}, {successors.shape}")
    if (np.sort(successors, axis=1) != np.arange(total)).any():
        raise ArgumentError("successors", "permutations of the tokens", "others")
    if edges.size and not 0 <= edges.min() <= edges.max() < 512:
        raise ArgumentError("edges", "integers from 0 to 511", f"{edges.min()} to {edges.max()}")
    base = (int(edges.max(initial=0)) + 1) * max(total, 1)
    weights = base ** np.arange(total, dtype=object)
    plain = base**total < 2**62
    if plain:
        weights = weights.astype(np.int64)
    own = (edges * total + successors) @ weights if total else np.zeros(count, dtype=np.int64)
    least, fixed = own.copy(), np.zeros(count, dtype=np.int64)
    for order in itertools.permutations(range(total)):
        renamed = np.array(order, dtype=np.int64)
        inverse = np.argsort(renamed)
        moved = (edges[:, inverse] * total + renamed[successors[:, inverse]]) @ weights if total else own
        least = np.minimum(least, moved)
        fixed += moved == own
    _, first, sizes = np.unique(least, return_index=True, return_counts=True)
    return Classes(edges[first], successors[first], sizes, fixed[first])


def automorphisms(edges: Sequence[int], successors: Sequence[int]) -> int:
    """Number of automorphisms of one point, read off its closed walks: prod j^r r!.

    A cycle of the permutation is a closed walk. Let it go j times round a shorter one, and let r cycles be the same
    walk up to the starting point: these contribute j^r r!.

    Parameters
    ----------
    edges, successors
        For each token its edge and the token that it goes to; one entry for each token.

    Raises
    ------
    ArgumentError
        If the lengths differ or ``successors`` is no permutation.
    """
    places = [require_integer("edges", e, at_least=0) for e in require_sequence("edges", edges, "integers")]
    onward = [require_integer("successors", s) for s in require_sequence("successors", successors, "integers")]
    if len(places) != len(onward) or sorted(onward) != list(range(len(onward))):
        raise ArgumentError("successors", "a permutation of the tokens, as many as edges", f"{onward}"[:80])
    seen: set[int] = set()
    walks: Counter[tuple[int, ...]] = Counter()
    for token in range(len(onward)):
        walk = []
        while token not in seen:
            seen.add(token)
            walk.append(places[token])
            token = onward[token]
        if walk:
            walks[min(tuple(walk[k:] + walk[:k]) for k in range(len(walk)))] += 1
    found = 1
    for word, times in walks.items():
        period = next(d for d in range(1, len(word) + 1) if len(word) % d == 0 and word[:d] * (len(word) // d) == word)
        found *= (len(word) // period) ** times * math.factorial(times)
    return found


def on_the_nose(network: Network, total: int, incoming: Sequence[int]) -> Fraction:
    """Cardinality of the equaliser on the nose, with the sets {1, ..., k} and sums written one behind the other.

    Its points are the circulations. Its arrows are families of permutations, one for each edge, which written one
    behind the other are the same permutation of what goes out and of what comes in at every vertex. What goes out is
    written in the order of the edges, what comes in in the order ``incoming``.

    Parameters
    ----------
    network
        The network.
    total
        Number of tokens, 0 to 6.
    incoming
        All edges, in the order in which what comes in is written.

    Raises
    ------
    ArgumentError
        If ``incoming`` does not list every edge once.
    """
    require_kind("network", network, Network)
    require_integer("total", total, at_least=0, at_most=6)
    order = [require_integer("incoming", e) for e in require_sequence("incoming", incoming, "edges")]
    if sorted(order) != list(range(len(network.edges))):
        raise ArgumentError("incoming", "every edge once", f"{order}"[:80])
    out = [[e for e, (source, _) in enumerate(network.edges) if source == v] for v in range(network.vertices)]
    into = [[e for e in order if network.edges[e][1] == v] for v in range(network.vertices)]
    found = Fraction(0)
    for flow in circulations(network, total).tolist():
        families = itertools.product(*(itertools.permutations(range(k)) for k in flow))
        kept = sum(
            all(_joined(family, left) == _joined(family, right) for left, right in zip(out, into, strict=True))
            for family in families
        )
        group = math.prod(math.factorial(k) for k in flow)
        assert group % kept == 0  # a subgroup
        found += Fraction(1, kept)
    return found


def simple_cycles(network: Network) -> Integers:
    """The simple directed cycles, each as the circulation that goes once round it.

    Parameters
    ----------
    network
        The network.

    Returns
    -------
    numpy.ndarray
        Axes ``(cycles, edges)``, values 0 and 1, in lexicographic order.

    Raises
    ------
    ArgumentError
        If there are more cycles than the memory budget allows.
    """
    require_kind("network", network, Network)
    divided = nx.DiGraph()  # an edge becomes a vertex, so that parallel edges are told apart
    for place, (source, target) in enumerate(network.edges):
        divided.add_edges_from([(-1 - source, place), (place, -1 - target)])
    count = len(network.edges)
    rows = []
    for cycle in nx.simple_cycles(divided):
        row = [0] * count
        for node in cycle:
            if node >= 0:
                row[node] = 1
        rows.append(row)
        _require_fit("network", len(rows), 64 * count)
    return np.array(sorted(rows), dtype=np.int64).reshape(len(rows), count)


def indecomposable(network: Network, most: int) -> Integers:
    """Circulations up to a total that are no sum of two others, by trying every assignment; zero is none.

    Parameters
    ----------
    network
        The network.
    most
        Largest total, at least 0.

    Returns
    -------
    numpy.ndarray
        Axes ``(circulations, edges)``, in lexicographic order.

    Raises
    ------
    ArgumentError
        If there are more assignments than the memory budget allows.
    """
    require_kind("network", network, Network)
    require_integer("most", most, at_least=0, at_most=MOST_TOTAL)
    kept = np.zeros((0, len(network.edges)), dtype=np.int64)
    for total in range(1, most + 1):
        flows = circulations(network, total)
        # If a smaller circulation is nowhere above, the difference is a circulation as well.
        whole = np.any(np.all(flows[:, None, :] >= kept[None], axis=-1), axis=1)
        kept = np.concatenate([kept, flows[~whole]])
    return kept[np.lexsort(kept.T[::-1])] if kept.size else kept


def cone_dimension(network: Network) -> int:
    """Dimension of the cone of circulations: the rank of the simple cycles over the rationals.

    The number of circulations of a total up to m grows as m to this power.

    Parameters
    ----------
    network
        The network.

    Raises
    ------
    ArgumentError
        If there are more cycles than the memory budget allows.
    """
    cycles = simple_cycles(network)
    return _rank(cycles)


def cyclic_rank(network: Network, *, cycles_only: bool = False) -> int:
    """Edges less vertices plus pieces of the network, ``|E| - |V| + c``.

    Parameters
    ----------
    network
        The network.
    cycles_only
        Leave out edges that lie on no directed cycle before anything is counted.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_kind("network", network, Network)
    require_kind("cycles_only", cycles_only, bool)
    graph = network.graph
    if cycles_only:
        place = {v: i for i, piece in enumerate(nx.strongly_connected_components(graph)) for v in piece}
        graph.remove_edges_from([(u, v, key) for u, v, key in graph.edges(keys=True) if place[u] != place[v]])
    pieces = nx.number_weakly_connected_components(graph)
    return int(graph.number_of_edges() - graph.number_of_nodes() + pieces)


def spectral_radius(matrices: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Largest absolute eigenvalue of matrices with entries >= 0.

    Entries between different strongly connected parts are left out first. They change no eigenvalue, and without them
    the largest one is no multiple root of a Jordan block, which rounding would spoil.

    Parameters
    ----------
    matrices
        Whole numbers >= 0 or bool, axes ``(..., n, n)``, n from 1 to 64.

    Returns
    -------
    numpy.ndarray
        Axes ``(...)``, rounded to ten digits behind the point so that equal ones are equal.

    Raises
    ------
    ArgumentError
        If the matrices are none of these.
    """
    array = np.asarray(matrices) if isinstance(matrices, np.ndarray | list | tuple) else np.empty(0)
    if array.ndim < 2 or array.dtype.kind not in "biu" or array.shape[-1] != array.shape[-2] or array.size == 0:
        raise ArgumentError("matrices", "square matrices of whole numbers", f"shape {array.shape}, {array.dtype}")
    size = array.shape[-1]
    if size > 64 or array.min() < 0 or array.max() > 2**20:
        raise ArgumentError("matrices", "entries from 0 to 2**20, at most 64 rows", f"{array.min()} to {array.max()}")
    joined = (array > 0) | np.eye(size, dtype=bool)
    for _ in range(max(1, (size - 1).bit_length())):
        joined = joined @ joined
    within = array * (joined & np.swapaxes(joined, -1, -2))
    found = np.abs(np.linalg.eigvals(within.astype(np.float64))).max(axis=-1)
    rounded: npt.NDArray[np.float64] = np.round(found, 10)
    return rounded


def _joined(family: Sequence[tuple[int, ...]], edges: Sequence[int]) -> list[int]:
    """Permutations written one behind the other."""
    found: list[int] = []
    for edge in edges:
        start = len(found)
        found += [start + value for value in family[edge]]
    return found


def _rank(rows: Integers) -> int:
    """Rank over the rationals: columns less the relations among them."""
    if not rows.size:
        return 0
    return int(rows.shape[0] - len(relations(rows)))


def require_flows(network: Network, flows: Any) -> Integers:
    """Return ``flows`` as int64 if its rows are circulations, axes ``(circulations, edges)``, otherwise raise.

    Parameters
    ----------
    network
        A network with edges.
    flows
        Whole numbers from 0 to 2000.

    Raises
    ------
    ArgumentError
        Naming what was expected and what came.
    """
    require_kind("network", network, Network)
    if not network.edges:
        raise ArgumentError("network", "a network with edges", "none")
    rows: Integers = require_integers("flows", flows, (None, len(network.edges)))
    if rows.min() < 0 or rows.max() > MOST_TOTAL:
        raise ArgumentError("flows", f"integers from 0 to {MOST_TOTAL}", f"{rows.min()} to {rows.max()}")
    surplus: Integers = rows @ network.incidence.T
    if surplus.any():
        raise ArgumentError("flows", "circulations: what comes in goes out at every vertex", "others")
    return rows


def _require_fit(argument: str, count: int, each: int) -> None:
    most = fitting(each)
    if count > most:
        shown = str(count) if count < 10**30 else "a number of more than thirty digits"
        raise ArgumentError(argument, f"at most {most} things to list within the memory budget", shown, "Ask for less.")
