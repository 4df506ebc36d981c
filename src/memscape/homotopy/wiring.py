"""Wirings that differ in shape and agree in degree, and memories on them.

Graphs are *woven* from layers: in each layer the units are parted into blocks of one size, and all units of a block are
joined. A unit then has as many neighbours as it shares blocks with others, whatever the sizes: k - 1 for each layer of
blocks of k. Woven complexes do the same with triples. Closed surfaces on which six triangles meet at every unit are
cut out of the triangular lattice.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    described,
    require_able,
    require_booleans,
    require_count,
    require_integer,
    require_kind,
    require_rng,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.memory.hopfield import Hopfield, hebbian
from memscape.memory.simplicial import Simplicial
from memscape.tools.complexes import Simplices

if TYPE_CHECKING:
    import networkx as nx
    from gudhi import SimplexTree

__all__ = [
    "clustering",
    "copies",
    "flag_complex",
    "layered",
    "layered_betti",
    "on_graph",
    "overlaid",
    "random_sizes",
    "surface",
    "twice_wrong",
    "woven",
    "woven_triples",
]

_SWAPS = 20_000
_DRAWS = 1_000


# Graphs


def woven(neurons: int, sizes: Sequence[int], *, halves: bool = False, rng: np.random.Generator) -> torch.Tensor:
    """A random graph in which every unit lies in one block of each layer, blocks complete and without a common edge.

    Parameters
    ----------
    neurons
        N, a multiple of every size; at most 10,000.
    sizes
        Size of the blocks of each layer, 2 or more: ``(2,) * d`` gives a random regular graph of degree d.
    halves
        Whether every pair joins a unit below N / 2 to one above, so that the graph is bipartite; sizes are 2 then.
    rng
        Layers are drawn one after another; where a block repeats an edge, units of two blocks change places.

    Returns
    -------
    torch.Tensor
        Adjacency, booleans, axes ``(N, N)``, on the CPU.

    Raises
    ------
    ArgumentError
        If a size does not divide N, there are more neighbours than units, or a layer does not fit.
    """
    require_count("neurons", neurons, at_least=2)
    require_integer("neurons", neurons, at_most=10_000)
    layers = _require_layers(sizes, neurons, 2)
    require_kind("halves", halves, bool)
    require_rng("rng", rng)
    if halves and (set(layers) != {2} or len(layers) > neurons // 2):
        raise ArgumentError("sizes", f"at most {neurons // 2} layers of pairs", str(tuple(sizes)))
    if sum(size - 1 for size in layers) >= neurons:
        raise ArgumentError("sizes", f"fewer than {neurons} neighbours", str(tuple(sizes)))
    taken = np.zeros((neurons, neurons), dtype=bool)
    for size in layers:
        blocks = _layer(neurons, size, taken, rng, halves=halves)
        for one, other in itertools.combinations(range(size), 2):
            taken[blocks[:, one], blocks[:, other]] = taken[blocks[:, other], blocks[:, one]] = True
    return torch.from_numpy(taken)


def _layer(neurons: int, size: int, taken: np.ndarray, rng: np.random.Generator, *, halves: bool) -> np.ndarray:
    """Blocks ``(N / size, size)`` without an edge that is taken."""
    order = rng.permutation(neurons)
    if halves:
        order = np.stack([rng.permutation(neurons // 2), neurons // 2 + rng.permutation(neurons // 2)], axis=1)
    blocks = order.reshape(-1, size)
    faults = taken[blocks[:, :, None], blocks[:, None]].sum(axis=(1, 2)) // 2
    for _ in range(_SWAPS):
        wrong = np.flatnonzero(faults)
        if not len(wrong):
            return blocks
        pair = np.array([wrong[rng.integers(len(wrong))], rng.integers(len(blocks))])
        column = rng.integers(size)
        moved = blocks[pair]
        moved[:, column] = moved[::-1, column].copy()
        after = taken[moved[:, :, None], moved[:, None]].sum(axis=(1, 2)) // 2
        if pair[0] != pair[1] and after.sum() <= faults[pair].sum():
            blocks[pair], faults[pair] = moved, after
    raise ArgumentError("sizes", "layers that fit without a common edge", f"a layer of {size} that does not")


def _require_layers(sizes: Sequence[int], neurons: int, least: int) -> list[int]:
    layers = [require_integer("sizes", size, at_least=least) for size in require_sequence("sizes", sizes, "sizes")]
    if not layers or any(neurons % size for size in layers):
        raise ArgumentError("sizes", f"one divisor of {neurons} or more, each at least {least}", str(tuple(layers)[:9]))
    return layers


def clustering(adjacency: torch.Tensor) -> torch.Tensor:
    """Mean over the units of the share of pairs of neighbours that are neighbours of each other.

    Parameters
    ----------
    adjacency
        Booleans, axes ``(*G, N, N)``, symmetric, false on the diagonal.

    Returns
    -------
    torch.Tensor
        float64, axes ``(*G)``, in [0, 1]; a unit with fewer than two neighbours counts as 0.

    Raises
    ------
    ArgumentError
        If the adjacency is none.
    """
    matrix = _require_adjacency(adjacency).double()
    degree = matrix.sum(dim=-1)
    closed = (matrix @ matrix * matrix).sum(dim=-1)
    return (closed / (degree * (degree - 1)).clamp(min=1.0)).mean(dim=-1)


def flag_complex(graph: nx.Graph, dimension: int) -> SimplexTree:
    """The complex of all sets of vertices that are neighbours of each other, up to a dimension.

    Parameters
    ----------
    graph
        Vertices are the integers from 0.
    dimension
        Largest dimension of a simplex, 1 to 20.

    Raises
    ------
    ArgumentError
        If the vertices are others, an edge is a loop, or the dimension is out of range.
    """
    import networkx as nx
    from gudhi import SimplexTree

    require_kind("graph", graph, nx.Graph)
    require_integer("dimension", dimension, at_least=1, at_most=20)
    if set(graph) != set(range(len(graph))) or nx.number_of_selfloops(graph) or not len(graph):
        raise ArgumentError("graph", "vertices 0, 1, ... and no loops", "others")
    tree = SimplexTree()
    tree.insert_batch(np.arange(len(graph))[None], np.zeros(len(graph)))
    edges = np.array(list(graph.edges()), dtype=np.int64).reshape(-1, 2).T
    tree.insert_batch(edges, np.zeros(edges.shape[1]))
    tree.expansion(dimension)
    return tree


def layered(widths: Sequence[int], skips: int) -> nx.Graph:
    """A layered network: a unit is joined to all units of layers at most ``skips`` + 1 away, and to none of its own.

    Parameters
    ----------
    widths
        Units of each layer, 1 to 100; 2 to 20 layers.
    skips
        Layers that a connection may skip; 0 for a plain feed-forward network.

    Returns
    -------
    networkx.Graph
        Units numbered layer by layer.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    import networkx as nx

    widths = _require_widths(widths, skips)
    layers = np.split(np.arange(sum(widths)), np.cumsum(widths)[:-1])
    graph = nx.empty_graph(sum(widths))
    for (a, one), (b, other) in itertools.combinations(enumerate(layers), 2):
        if b - a <= skips + 1:
            graph.add_edges_from(itertools.product(one.tolist(), other.tolist()))
    return graph


def layered_betti(widths: Sequence[int], skips: int) -> tuple[int, ...]:
    r"""Betti numbers of the flag complex of :func:`layered`, by a formula.

    With L layers and :math:`d = \min(s, L - 2) + 1` there is one reduced Betti number that may not vanish,

    .. math:: \tilde b_d = \prod_{l=0}^{d} (w_l - 1) + \sum_{j=1}^{L-1-d} w_{j+d} \prod_{l=j}^{j+d-1} (w_l - 1) .

    Parameters
    ----------
    widths, skips
        As in :func:`layered`.

    Returns
    -------
    tuple of int
        Dimensions 0 to d; the number of pieces is one more than the reduced one.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    widths = _require_widths(widths, skips)
    top = min(skips, len(widths) - 2) + 1
    less = [width - 1 for width in widths]
    holes = math.prod(less[: top + 1])
    holes += sum(widths[j + top] * math.prod(less[j : j + top]) for j in range(1, len(widths) - top))
    return (1, *[0] * (top - 1), holes)


def _require_widths(widths: Sequence[int], skips: int) -> list[int]:
    found = [
        require_integer("widths", w, at_least=1, at_most=100) for w in require_sequence("widths", widths, "widths")
    ]
    if not 2 <= len(found) <= 20:
        raise ArgumentError("widths", "2 to 20 layers", str(len(found)))
    require_integer("skips", skips, at_least=0)
    return found


# Complexes


def woven_triples(neurons: int, sizes: Sequence[int], *, rng: np.random.Generator) -> Simplices:
    """Random triples such that every unit lies in one block of each layer, all triples of a block and none twice.

    Parameters
    ----------
    neurons
        N, a multiple of every size.
    sizes
        Size of the blocks of each layer, 3 or more. A unit is in (k - 1)(k - 2) / 2 triples for each layer of blocks of
        k.
    rng
        A layer that repeats a triple is drawn again.

    Returns
    -------
    Simplices
        Of one network, on the CPU.

    Raises
    ------
    ArgumentError
        If a size does not divide N, or a layer without repetition is not found.
    """
    require_count("neurons", neurons, at_least=3)
    layers = _require_layers(sizes, neurons, 3)
    require_rng("rng", rng)
    if sum(math.comb(size - 1, 2) for size in layers) > math.comb(neurons - 1, 2):
        raise ArgumentError("sizes", f"at most {math.comb(neurons - 1, 2)} triples at a unit", "more")
    require_room(neurons=neurons, sizes=sum(math.comb(size - 1, 2) for size in layers))
    keys = np.empty(0, dtype=np.int64)
    for size in layers:
        inside = np.array(list(itertools.combinations(range(size), 3)))
        for _ in range(_DRAWS):
            blocks = rng.permutation(neurons).reshape(-1, size)
            key = _keys(blocks[:, inside].reshape(-1, 3), neurons)
            if not len(np.intersect1d(key, keys)):
                break
        else:
            raise ArgumentError("sizes", "layers without a common triple", f"a layer of {size} that has one")
        keys = np.concatenate([keys, key])
    return _triples(keys, neurons)


def random_sizes(triples: int, sizes: Sequence[int], *, rng: np.random.Generator) -> tuple[int, ...]:
    """Random sizes of blocks such that a unit of :func:`woven_triples` is in a given number of triples.

    Parameters
    ----------
    triples
        At every unit, 1 to 100.
    sizes
        Sizes to choose from, distinct, each 3 to 100.
    rng
        All choices, up to the order of layers, are equally likely.

    Returns
    -------
    tuple of int
        In descending order.

    Raises
    ------
    ArgumentError
        If a number is out of range, or the sizes do not add up to so many triples.
    """
    require_integer("triples", triples, at_least=1, at_most=100)
    wanted = [require_integer("sizes", k, at_least=3, at_most=100) for k in require_sequence("sizes", sizes, "sizes")]
    require_rng("rng", rng)
    if not wanted or len(set(wanted)) < len(wanted):
        raise ArgumentError("sizes", "distinct sizes", str(tuple(wanted)[:9]))
    wanted.sort(reverse=True)
    # ways[i][m]: choices from the sizes from i on that make m triples.
    ways = [[int(m == 0) for m in range(triples + 1)]]
    for size in reversed(wanted):
        row, each = list(ways[0]), math.comb(size - 1, 2)
        for m in range(each, triples + 1):
            row[m] += row[m - each]
        ways.insert(0, row)
    if not ways[0][triples]:
        raise ArgumentError("sizes", f"sizes that add up to {triples} triples", str(tuple(wanted)[:9]))
    found: list[int] = []
    place, left = 0, triples
    while left:
        each = math.comb(wanted[place] - 1, 2)
        again = ways[place][left - each] if left >= each else 0
        if rng.random() * ways[place][left] < again:
            found.append(wanted[place])
            left -= each
        else:
            place += 1
    return tuple(found)


def surface(rows: int, columns: int, *, shift: int = 0, twisted: bool = False) -> Simplices:
    """A torus or a Klein bottle on which six triangles meet at every unit, cut out of the triangular lattice.

    Unit (r, c) has the triangles with (r, c + 1) and (r + 1, c + 1), and with (r + 1, c) and (r + 1, c + 1). Columns
    close up; a step beyond the last row leads back to row 0, ``shift`` columns further, or, twisted, to column r - c by
    the reflection of the lattice.

    Parameters
    ----------
    rows, columns
        Sizes of the piece, 1 to 1000; the surface must be large enough not to touch itself.
    shift
        For the torus: ``surface(1, 7, shift=2)`` is the one of seven units.
    twisted
        Whether it is a Klein bottle.

    Returns
    -------
    Simplices
        2 N triples on N = rows times columns units.

    Raises
    ------
    ArgumentError
        If a size is out of range or two triangles are the same three units.
    """
    require_integer("rows", rows, at_least=1, at_most=1000)
    require_integer("columns", columns, at_least=1, at_most=1000)
    require_integer("shift", shift, at_least=0, at_most=10**6)
    require_kind("twisted", twisted, bool)
    r, c = (each.ravel() for each in np.mgrid[:rows, :columns])
    corners = []
    for down, right in ((0, 0), (0, 1), (1, 1), (1, 0)):
        row, column = r + down, c + right
        over = row // rows
        row = row - over * rows
        column = np.where(over > 0, row - column if twisted else column + over * shift, column)
        corners.append(row * columns + column % columns)
    triangles = np.concatenate([np.stack(corners[:3], axis=1), np.stack([corners[0], corners[3], corners[2]], axis=1)])
    count = rows * columns
    keys = _keys(triangles, count)
    links = np.sort(triangles, axis=1)
    pairs = np.concatenate([links[:, [0, 1]], links[:, [0, 2]], links[:, [1, 2]]])
    often = np.unique(pairs, axis=0, return_counts=True)[1]
    if (np.diff(links, axis=1) == 0).any() or len(np.unique(keys)) < len(keys) or (often != 2).any():
        raise ArgumentError(
            "rows", "a surface that does not touch itself", f"{rows} times {columns}", "Make it larger."
        )
    return _triples(keys, count)


def copies(simplices: Simplices, count: int) -> Simplices:
    """Several copies side by side, with no simplex in common.

    Parameters
    ----------
    simplices
        Of one network.
    count
        Number of copies, at least 1.

    Raises
    ------
    ArgumentError
        If there are several networks or too many copies.
    """
    require_kind("simplices", simplices, Simplices)
    require_count("count", count)
    if simplices.networks:
        raise ArgumentError("simplices", "simplices of one network", f"of {simplices.networks}")
    require_room(simplices=sum(rows.numel() for rows in simplices.members), count=count)
    members = []
    for rows in simplices.members:
        start = simplices.neurons * torch.arange(count, device=rows.device)[:, None, None]
        members.append((rows + start).flatten(0, 1))
    return Simplices(simplices.neurons * count, tuple(members))


def overlaid(simplices: Simplices, times: int, *, rng: np.random.Generator) -> Simplices:
    """The same triples several times on the same units, each time with the units in another random order.

    Parameters
    ----------
    simplices
        Triples of one network.
    times
        How often, at least 1.
    rng
        An order that repeats a triple is drawn again.

    Raises
    ------
    ArgumentError
        If the simplices are no triples of one network, or an order without repetition is not found.
    """
    require_kind("simplices", simplices, Simplices)
    require_count("times", times)
    require_rng("rng", rng)
    if simplices.networks or set(simplices.counts) != {2}:
        raise ArgumentError("simplices", "triples of one network", "others")
    neurons, triples = simplices.neurons, simplices.members[0].cpu().numpy()
    if times * len(triples) > math.comb(neurons, 3):
        raise ArgumentError("times", "fewer triples than there are", str(times))
    keys = np.empty(0, dtype=np.int64)
    for _ in range(times):
        for _ in range(_DRAWS):
            key = _keys(rng.permutation(neurons)[triples], neurons)
            if not len(np.intersect1d(key, keys)):
                break
        else:
            raise ArgumentError("times", "orders without a common triple", "none found")
        keys = np.concatenate([keys, key])
    return _triples(keys, neurons)


def _keys(triples: np.ndarray, neurons: int) -> np.ndarray:
    """One number for each triple, whatever its order."""
    ordered = np.sort(triples, axis=1).astype(np.int64)
    return np.asarray((ordered[:, 0] * neurons + ordered[:, 1]) * neurons + ordered[:, 2])


def _triples(keys: np.ndarray, neurons: int) -> Simplices:
    keys = np.sort(keys)
    rows = np.stack([keys // neurons**2, keys // neurons % neurons, keys % neurons], axis=1)
    return Simplices(neurons, (torch.from_numpy(rows),))


# Memories


def on_graph(patterns: torch.Tensor, adjacency: torch.Tensor) -> Hopfield:
    r"""Patterns stored by Hebb's rule along the edges of a graph.

    .. math:: W_{ij} = \frac{A_{ij}}{N} \sum_\mu \xi_i^\mu \xi_j^\mu

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    adjacency
        Booleans, axes ``(*G, N, N)`` or ``(N, N)``, symmetric, false on the diagonal, on the device of the patterns.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or the adjacency does not fit them.
    """
    model = hebbian(patterns)
    _require_adjacency(adjacency)
    shape, networks = tuple(adjacency.shape), tuple(patterns.shape[:-2])
    if adjacency.device != patterns.device or shape[-1] != patterns.shape[-1] or shape[:-2] not in ((), networks):
        raise ArgumentError("adjacency", f"axes ({networks}, N, N) or (N, N) for the patterns", f"shape {shape}")
    return Hopfield(model.couplings.masked_fill(~adjacency, 0), model.thresholds, model.unit)


def twice_wrong(model: Hopfield | Simplicial, state: torch.Tensor) -> torch.Tensor:
    """Twice the number of units that want to turn over, all of them asked at once: 2 for a wrong one, 1 for a tie.

    Parameters
    ----------
    model
        A Hopfield network without thresholds, or one of simplices.
    state
        Axes ``(*G, B, N)``, values in {-1, +1}.

    Returns
    -------
    torch.Tensor
        int64, axes ``(*G, B)``.

    Raises
    ------
    ArgumentError
        If the model is none of these, has thresholds, or the state does not fit.
    """
    require_tensor("state", state, "... probes neurons", values="spins")
    if isinstance(model, Hopfield):
        if model.thresholds.any():
            raise ArgumentError("model", "a network without thresholds", "one with some")
        model.energy(state)  # refuses a state that does not fit
        field = state @ model.couplings
    else:
        require_able("model", model, "field")
        field = require_kind("model", model, Simplicial).field(state)
    aligned = field * state
    return ((aligned < 0).sum(dim=-1) * 2 + (aligned == 0).sum(dim=-1)).long()


def _require_adjacency(adjacency: torch.Tensor) -> torch.Tensor:
    if not isinstance(adjacency, torch.Tensor) or adjacency.dim() < 2 or adjacency.shape[-1] != adjacency.shape[-2]:
        raise ArgumentError("adjacency", "booleans with axes (..., N, N)", described(adjacency))
    require_booleans("adjacency", adjacency, "Write matrix != 0.")
    if 0 in adjacency.shape or not torch.equal(adjacency, adjacency.mT) or adjacency.diagonal(dim1=-2, dim2=-1).any():
        raise ArgumentError("adjacency", "a symmetric one, false on the diagonal", "another")
    return adjacency
