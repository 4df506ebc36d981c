r"""The law of the links: what a unit of a memory of pairs and triples hears of one other pattern.

Patterns stored by Hebb's rule in pairs {i, j} and triples {i, j, k} act on unit i through its **link**, a graph:
every triple {i, j, k} is an edge jk, every pair {i, j} an edge from i itself to j. Start at one pattern. Of each other
pattern the unit receives

.. math:: \epsilon \, Q, \qquad Q = \sum_{jk} s_j s_k ,

with fair signs :math:`\epsilon` and s that are independent of each other: Q is the number of edges d less twice the
size of a random cut. With P patterns stored, the unit is wrong after one step if the sum of P - 1 independent copies is
below -d; a sum of -d is a tie and counts one half.

Cuts are the words of a linear code, cycles those of the dual code, and MacWilliams' identity leads from the one to the
other. Each two-connected piece of a graph is counted on the side on which its code is smaller, in whole numbers.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from memscape.arguments import (
    ArgumentError,
    described,
    require_choice,
    require_count,
    require_integer,
    require_kind,
    require_room,
    require_sequence,
)
from memscape.tools import pieces
from memscape.tools.complexes import Simplices

if TYPE_CHECKING:
    import networkx as nx

__all__ = [
    "counted_cumulants",
    "crosstalk",
    "cumulants",
    "cut_counts",
    "cycle_counts",
    "error_curve",
    "four_cycles",
    "link",
    "mean_errors",
    "one_step_error",
    "pair_error",
    "weight_enumerator",
]


def link(simplices: Simplices, unit: int) -> nx.Graph:
    """The link of a unit, with the unit itself as the other end of its pairs.

    Parameters
    ----------
    simplices
        Pairs, triples or both, of one network.
    unit
        i, 0 to N - 1.

    Returns
    -------
    networkx.Graph
        An edge jk for each triple {i, j, k} and an edge ij for each pair {i, j}; only units that have an edge.

    Raises
    ------
    ArgumentError
        If there are several networks or simplices of another size, or the unit is none.
    """
    import networkx as nx

    require_kind("simplices", simplices, Simplices)
    if simplices.networks or not set(simplices.counts) <= {1, 2}:
        raise ArgumentError("simplices", "pairs and triples of one network", f"sizes {list(simplices.counts)}")
    require_integer("unit", unit, at_least=0, at_most=simplices.neurons - 1)
    graph = nx.Graph()
    for rows in simplices.members:
        own = rows[(rows == unit).any(dim=-1)]
        if rows.shape[-1] == 3:
            own = own[own != unit].reshape(-1, 2)
        graph.add_edges_from(own.tolist())
    return graph


def weight_enumerator(generators: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """Number of words of each weight among all sums modulo 2 of some rows.

    Parameters
    ----------
    generators
        Booleans, axes ``(k, n)``: k rows of length n. Rows that depend on each other give every word several times.

    Returns
    -------
    tuple of int
        Counts of weights 0 to n; their sum is 2^k.

    Raises
    ------
    ArgumentError
        If the rows are no table of booleans, or 2^k words do not fit the budget of :mod:`memscape.tools.pieces`.
    """
    if not isinstance(generators, np.ndarray) or generators.dtype != np.bool_ or generators.ndim != 2:
        raise ArgumentError("generators", "booleans with axes (rows, length)", described(generators))
    count, length = generators.shape
    words = max(1, -(-length // 64))
    most = pieces.fitting(24 * words).bit_length() - 1
    if count > most:
        raise ArgumentError(
            "generators", f"at most {most} rows of this length", str(count), "Each further row doubles the memory."
        )
    padded = np.zeros((count, 64 * words), dtype=bool)
    padded[:, :length] = generators
    packed = np.packbits(padded, axis=1, bitorder="little").view(np.uint64)
    found = np.zeros((1, words), dtype=np.uint64)
    for row in packed:
        found = np.concatenate([found, found ^ row])
    weights = np.bitwise_count(found).sum(axis=1, dtype=np.int64)
    return tuple(int(number) for number in np.bincount(weights, minlength=length + 1))


def cut_counts(graph: nx.Graph, *, via: str = "shorter") -> tuple[int, ...]:
    """Number of cuts of each size: of sets of edges between two halves of the vertices, however these are chosen.

    Parameters
    ----------
    graph
        A simple graph, with an edge at least.
    via
        ``"cuts"`` lists the cuts of every two-connected piece, ``"cycles"`` its even sets of edges and transforms,
        ``"shorter"`` does what is less work.

    Returns
    -------
    tuple of int
        Counts of sizes 0 to d, the number of edges; their sum is 2^(vertices - components).

    Raises
    ------
    ArgumentError
        If the graph is none, or a piece has too many cuts and too many cycles.
    """
    return _product(_require_graph(graph), require_choice("via", via, ["cuts", "cycles", "shorter"]), cuts=True)


def cycle_counts(graph: nx.Graph, *, via: str = "shorter") -> tuple[int, ...]:
    """Number of even sets of edges of each size: of those that meet every vertex an even number of times.

    Parameters
    ----------
    graph, via
        As in :func:`cut_counts`.

    Returns
    -------
    tuple of int
        Counts of sizes 0 to d; their sum is 2^b with b the first Betti number of the graph.

    Raises
    ------
    ArgumentError
        As :func:`cut_counts`.
    """
    return _product(_require_graph(graph), require_choice("via", via, ["cuts", "cycles", "shorter"]), cuts=False)


def _product(graph: nx.Graph, via: str, *, cuts: bool) -> tuple[int, ...]:
    """The enumerator of the graph from those of its two-connected pieces."""
    import networkx as nx

    found, bridges = [1], 0
    for edges in nx.biconnected_component_edges(graph):
        edges = list(edges)
        if len(edges) == 1:
            bridges += 1
        else:
            found = np.convolve(_object(found), _object(_piece(edges, via, cuts=cuts))).tolist()
    # A bridge is cut or not, and in no cycle.
    row = [math.comb(bridges, k) if cuts else int(k == 0) for k in range(bridges + 1)]
    return tuple(np.convolve(_object(found), _object(row)).tolist())


def _object(numbers: Sequence[int]) -> npt.NDArray[np.object_]:
    return np.array(numbers, dtype=object)


def _piece(edges: list[tuple[int, int]], via: str, *, cuts: bool) -> Sequence[int]:
    vertices = {vertex: i for i, vertex in enumerate(sorted({v for edge in edges for v in edge}, key=str))}
    rank = len(vertices) - 1
    by_cuts = via == "cuts" or (via == "shorter" and rank <= len(edges) - rank)
    incidence = np.zeros((len(vertices), len(edges)), dtype=bool)
    for column, edge in enumerate(edges):
        incidence[[vertices[edge[0]], vertices[edge[1]]], column] = True
    words = weight_enumerator(incidence[1:] if by_cuts else _cycle_basis(edges))
    return words if by_cuts == cuts else _dual(words)


def _cycle_basis(edges: list[tuple[int, int]]) -> npt.NDArray[np.bool_]:
    import networkx as nx

    index = {frozenset(edge): i for i, edge in enumerate(edges)}
    basis = nx.cycle_basis(nx.Graph(edges))
    table = np.zeros((len(basis), len(edges)), dtype=bool)
    for row, cycle in zip(table, basis, strict=True):
        row[[index[frozenset(edge)] for edge in zip(cycle, [*cycle[1:], cycle[0]], strict=True)]] = True
    return table


def _dual(counts: Sequence[int]) -> tuple[int, ...]:
    r"""MacWilliams: :math:`B(x) = \sum_w A_w (1 - x)^w (1 + x)^{n - w} / \sum_w A_w`, coefficients of x."""
    length, total = len(counts) - 1, sum(counts)
    row = [math.comb(length, k) for k in range(length + 1)]  # (1 + x)^n
    found = [0] * (length + 1)
    for weight, number in enumerate(counts):
        if number:
            found = [a + number * b for a, b in zip(found, row, strict=True)]
        if weight < length:  # times (1 - x) / (1 + x)
            quotient, rest = [], 0
            for coefficient in row:
                rest = coefficient - rest
                quotient.append(rest)
            row = [a - b for a, b in zip(quotient, [0, *quotient[:-1]], strict=True)]
    return tuple(number // total for number in found)


def crosstalk(graph: nx.Graph) -> tuple[Fraction, ...]:
    """The law of what one other pattern adds to the field of a unit with this link.

    Parameters
    ----------
    graph
        The link, with d edges.

    Returns
    -------
    tuple of Fraction
        Probabilities of the values -d, -d + 2, ..., d, symmetric.

    Raises
    ------
    ArgumentError
        As :func:`cut_counts`.
    """
    cuts = cut_counts(graph)
    return tuple(Fraction(a + b, 2 * sum(cuts)) for a, b in zip(cuts, reversed(cuts), strict=True))


def one_step_error(graph: nx.Graph, patterns: int) -> Fraction:
    """Chance that a unit with this link is wrong after one step from one of P random patterns; a tie counts one half.

    Parameters
    ----------
    graph
        The link, with d edges.
    patterns
        P.

    Raises
    ------
    ArgumentError
        As :func:`cut_counts`, or if the numbers do not fit the budget.
    """
    require_count("patterns", patterns)
    law = crosstalk(graph)
    edges, copies = len(law) - 1, patterns - 1
    scale = math.lcm(*(chance.denominator for chance in law))
    width = (max(copies, 1) * (scale.bit_length() + 1)) // 8 + 1  # bytes that hold any coefficient of the power
    most = pieces.fitting(8 * (edges * copies + 1))
    if width > most:
        raise ArgumentError("patterns", "a law that fits the budget", f"{patterns} patterns", "Use error_curve.")
    # One large number holds all coefficients, and its power those of the power.
    row = b"".join(int(chance * scale).to_bytes(width, "little") for chance in law)
    power = (int.from_bytes(row, "little") ** copies).to_bytes(width * (edges * copies + 1), "little")
    numbers = [int.from_bytes(power[i : i + width], "little") for i in range(0, len(power), width)]
    # The sum is edges * copies - 2 c; it is below -edges where 2 c is above edges * patterns.
    wrong = sum(
        number * ((2 * c > edges * patterns) * 2 + (2 * c == edges * patterns)) for c, number in enumerate(numbers)
    )
    return Fraction(wrong, 2 * scale**copies)


def pair_error(inputs: int, patterns: int) -> float:
    """The same for d pairs, whatever the graph: one half of a binomial tie and all of what is beyond it.

    Parameters
    ----------
    inputs
        d, the degree, at least 1.
    patterns
        P.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    from scipy.stats import binom

    d, copies = require_count("inputs", inputs), require_count("patterns", patterns) - 1
    require_room(inputs=d, patterns=patterns)
    # d (P - 1) fair signs of which c are -1 add up to d (P - 1) - 2 c.
    law = binom(d * copies, 0.5)
    beyond, tie = law.sf(d * patterns // 2), law.pmf(d * patterns // 2) if d * patterns % 2 == 0 else 0.0
    return float(beyond + tie / 2)


def error_curve(graph: nx.Graph, patterns: Sequence[int]) -> npt.NDArray[np.float64]:
    """:func:`one_step_error` for several numbers of patterns, in floating point, by Fourier transforms.

    Parameters
    ----------
    graph
        The link.
    patterns
        Numbers of patterns, each at least 1.

    Returns
    -------
    numpy.ndarray
        float64, axes ``(patterns,)``, right to about 1e-15.

    Raises
    ------
    ArgumentError
        As :func:`cut_counts`, or if a number of patterns is none.
    """
    return _curve(crosstalk(graph), patterns)


def _curve(chances: Sequence[Fraction], patterns: Sequence[int]) -> npt.NDArray[np.float64]:
    from scipy.fft import irfft, next_fast_len, rfft

    law = np.array([float(chance) for chance in chances])
    edges, found = len(law) - 1, []
    for count in require_sequence("patterns", patterns, "numbers of patterns"):
        require_count("patterns", count)
        require_room(patterns=count, graph=4 * len(law))
        size = edges * (count - 1) + 1
        padded = next_fast_len(size + 1, real=True)
        sums = irfft(rfft(law, padded) ** (count - 1), padded)[:size]
        middle = edges * count // 2
        tie = sums[middle : middle + 1].sum() / 2 if edges * count % 2 == 0 else 0.0
        found.append(sums[middle + 1 :].sum() + tie)
    return np.clip(np.array(found, dtype=np.float64), 0.0, 0.5)


def mean_errors(simplices: Simplices, patterns: Sequence[int]) -> npt.NDArray[np.float64]:
    """Expected share of wrong units after one step, the mean of :func:`error_curve` over all links of a network.

    Parameters
    ----------
    simplices
        Pairs, triples or both, of one network; every unit in one of them.
    patterns
        Numbers of patterns, each at least 1.

    Returns
    -------
    numpy.ndarray
        float64, axes ``(patterns,)``.

    Raises
    ------
    ArgumentError
        As :func:`link` and :func:`error_curve`.
    """
    require_kind("simplices", simplices, Simplices)
    graphs = [link(simplices, unit) for unit in range(simplices.neurons)]
    if not all(graphs):
        raise ArgumentError("simplices", "every unit in a pair or a triple", "one that is in none")
    laws = Counter(crosstalk(graph) for graph in graphs)
    total = sum(number * _curve(law, patterns) for law, number in laws.items())
    return np.asarray(total / simplices.neurons)


def cumulants(graph: nx.Graph) -> tuple[Fraction, Fraction, Fraction]:
    """Second, fourth and sixth cumulant of :func:`crosstalk`; the odd ones vanish.

    Raises
    ------
    ArgumentError
        As :func:`cut_counts`.
    """
    law = crosstalk(graph)
    values = range(1 - len(law), len(law), 2)
    two, four, six = (
        sum((chance * value**k for chance, value in zip(law, values, strict=True)), Fraction(0)) for k in (2, 4, 6)
    )
    return two, four - 3 * two**2, six - 15 * four * two + 30 * two**3


def counted_cumulants(graph: nx.Graph) -> tuple[int, int, int]:
    r"""The same by counting: d, :math:`-2d + 24 C_4` and :math:`16 d - 960 C_4 + 720 (C_6 + T_2)`.

    C_4 and C_6 are the numbers of 4- and 6-cycles and T_2 that of pairs of triangles without a common edge.

    Parameters
    ----------
    graph
        A simple graph with an edge at least and few cycles of up to six edges, as these are listed.

    Raises
    ------
    ArgumentError
        If the graph is none.
    """
    import networkx as nx

    edges = _require_graph(graph).number_of_edges()
    cycles = [cycle for cycle in nx.simple_cycles(graph, length_bound=6) if len(cycle) != 5]
    four, six = (sum(len(cycle) == size for cycle in cycles) for size in (4, 6))
    sides = [{frozenset(side) for side in itertools.combinations(cycle, 2)} for cycle in cycles if len(cycle) == 3]
    apart = sum(not one & other for one, other in itertools.combinations(sides, 2))
    return edges, -2 * edges + 24 * four, 16 * edges - 960 * four + 720 * (six + apart)


def four_cycles(graph: nx.Graph) -> int:
    """Number of 4-cycles: two vertices with k common neighbours are opposite corners of k (k - 1) / 2.

    Raises
    ------
    ArgumentError
        If the graph is none.
    """
    import networkx as nx

    matrix = nx.to_numpy_array(_require_graph(graph), dtype=np.int64, weight=None)
    common = (matrix @ matrix)[np.triu_indices(len(matrix), 1)]
    return int((common * (common - 1) // 2).sum()) // 2


def _require_graph(graph: nx.Graph) -> nx.Graph:
    import networkx as nx

    require_kind("graph", graph, nx.Graph)
    if graph.is_directed() or graph.is_multigraph() or nx.number_of_selfloops(graph) or not graph.number_of_edges():
        raise ArgumentError("graph", "a simple graph with an edge at least", "another")
    return graph
