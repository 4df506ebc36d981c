r"""Order complexes: the holes of a symmetric matrix, from the order of its entries alone.

Let the pairs of N neurons enter as edges, from the largest entry of a symmetric matrix down. After r of the
m = N(N-1)/2 pairs, at the *density* r/m, there is a graph; a set of neurons any two of which are joined, a *clique*,
counts as a simplex. This growing complex is the order complex of the matrix, its k-th Betti number as a function of
the density the k-th *Betti curve* (Giusti, Pastalkova, Curto and Itskov 2015). No increasing function of the entries
changes anything.

Entries that are equal are put in random order by :func:`ranks`, or enter together by :func:`levels`. Time is counted in
edges, in whole numbers, so that all bars and curves are exact.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    described,
    require_count,
    require_generator,
    require_integer,
    require_number,
    require_room,
    require_tensor,
)
from memscape.memory.hopfield import require_symmetric
from memscape.tools.complexes import betti_numbers

if TYPE_CHECKING:
    from gudhi import SimplexTree

__all__ = [
    "betti_curves",
    "betti_integrals",
    "clique_counts",
    "graph_betti",
    "integrals",
    "levels",
    "order_complex",
    "ranks",
]

_MOST = 20_000_000


def ranks(matrix: torch.Tensor, *, generator: torch.Generator, digits: int | None = None) -> torch.Tensor:
    """Place of every pair in the order of the entries, 1 for the largest; equal entries in random order.

    Parameters
    ----------
    matrix
        Axes ``(*G, N, N)``, finite, symmetric, N at least 2; the diagonal does not matter.
    generator
        A CPU generator, which breaks ties. It is asked for one number a pair whether there are ties or not.
    digits
        Where given, entries that agree when rounded to so many decimals are ties, 0 to 15.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, N, N)``, int64, symmetric: 0 on the diagonal, each of 1 to N(N-1)/2 for one pair.

    Raises
    ------
    ArgumentError
        If the matrix is not symmetric, holds NaN or infinity, is too large to be rounded, or another argument is none
        of these.
    """
    entries, neurons = _pairs(matrix, digits)
    require_generator("generator", generator)
    noise = torch.rand(entries.shape, generator=generator, dtype=torch.float64, device="cpu").to(entries.device)
    shuffle = noise.argsort(dim=-1)
    order = entries.gather(-1, shuffle).argsort(dim=-1, descending=True, stable=True)
    places = torch.arange(1, entries.shape[-1] + 1, device=entries.device).expand(entries.shape)
    found = torch.empty_like(shuffle).scatter_(-1, shuffle.gather(-1, order), places)
    return _square(found, neurons)


def levels(matrix: torch.Tensor, *, digits: int | None = None) -> torch.Tensor:
    """Number of pairs whose entries are at least as large as that of a pair: equal entries enter together.

    Parameters
    ----------
    matrix, digits
        As for :func:`ranks`.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, N, N)``, int64, symmetric: 0 on the diagonal, 1 to N(N-1)/2 elsewhere.

    Raises
    ------
    ArgumentError
        As for :func:`ranks`.
    """
    entries, neurons = _pairs(matrix, digits)
    rising = entries.sort(dim=-1).values
    return _square(entries.shape[-1] - torch.searchsorted(rising, entries.contiguous()), neurons)


def order_complex(ranks: torch.Tensor, dimension: int, *, density: float = 0.5) -> SimplexTree:
    """The order complex of one matrix up to a density, as a simplex tree of GUDHI; filtration values count edges.

    Parameters
    ----------
    ranks
        Axes ``(N, N)``, as from :func:`ranks` or :func:`levels`.
    dimension
        Of the holes that are to be right, at least 0: simplices of one dimension more are built.
    density
        Share of the pairs up to which edges enter, in (0, 1].

    Raises
    ------
    ArgumentError
        If the ranks are no such table, an argument is out of range, or graphs with so many edges can have more than
        twenty million cliques of these sizes (Kruskal and Katona's bound).
    ModuleNotFoundError
        Where GUDHI has no build for the machine.
    """
    from gudhi import SimplexTree

    table = _require_ranks(ranks, batched=False)
    last = _require_few(len(table), dimension, density)
    tree = SimplexTree.create_from_array(table.cpu().double().numpy(), max_filtration=float(last))
    tree.expansion(dimension + 1)
    return tree


def betti_curves(ranks: torch.Tensor, dimension: int = 3, *, density: float = 0.5, field: int = 2) -> torch.Tensor:
    """Betti numbers of order complexes after every edge.

    Parameters
    ----------
    ranks
        Axes ``(*G, N, N)``, as from :func:`ranks` or :func:`levels`.
    dimension
        Largest dimension of holes, at least 0.
    density
        Share of the pairs up to which edges enter, in (0, 1]; the last count R is its product with N(N-1)/2, rounded
        down.
    field
        A prime: coefficients are taken modulo it.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, dimension + 1, R + 1)``, int64, on the CPU: number of holes of each dimension after 0, ..., R edges.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or a complex may be too large, as for :func:`order_complex`.
    """
    from gudhi import SimplexTree

    table = _require_ranks(ranks, batched=True)
    neurons = table.shape[-1]
    last = _require_few(neurons, dimension, density)
    point = torch.zeros(1, 1, dtype=torch.int64, device="cpu")
    betti_numbers(order_complex(point, 0), field=field)  # refuses what is no prime
    flat = table.reshape(-1, neurons, neurons).cpu().double().numpy()
    require_room(ranks=len(flat), dimension=(dimension + 1) * (last + 2))
    change = np.zeros((len(flat), dimension + 1, last + 2), dtype=np.int64)
    for each, into in zip(flat, change, strict=True):
        tree = SimplexTree.create_from_array(each, max_filtration=float(last))
        if dimension > 1:  # many edges of a geometric graph change no hole at any density; for loops it does not pay
            tree.collapse_edges()
        tree.expansion(dimension + 1)
        # GUDHI leaves out the holes of the highest dimension that it holds, which is less where cliques are small.
        tree.compute_persistence(homology_coeff_field=field, persistence_dim_max=tree.dimension() <= dimension)
        for k in range(dimension + 1):
            bars = tree.persistence_intervals_in_dimension(k)
            if len(bars):
                born, died = np.minimum(bars, last + 1).astype(np.int64).T
                np.add.at(into[k], born, 1)
                np.add.at(into[k], died, -1)
    curves = torch.from_numpy(change.cumsum(axis=-1)[..., :-1])
    return curves.reshape(*table.shape[:-2], dimension + 1, last + 1)


def integrals(curves: torch.Tensor, neurons: int, *, density: float = 0.5) -> torch.Tensor:
    r"""Integrals of Betti curves over the density, :math:`B_k = \int_0^\rho \beta_k(t) \, dt`, dimensionless.

    Parameters
    ----------
    curves
        Axes ``(..., R + 1)``, int64, as from :func:`betti_curves`.
    neurons
        Number of neurons N.
    density
        Up to which the curves go.

    Returns
    -------
    torch.Tensor
        Axes ``(...)``, float64.

    Raises
    ------
    ArgumentError
        If the curves are none, or of another length than so many neurons and this density give.
    """
    require_count("neurons", neurons, at_least=1, at_most=2**20)
    last = _last(neurons, density)
    if not isinstance(curves, torch.Tensor) or curves.dtype != torch.int64 or curves.dim() < 1:
        raise ArgumentError("curves", "int64 counts with a last axis of edges", described(curves))
    if curves.shape[-1] != last + 1:
        raise ArgumentError("curves", f"{last + 1} counts of edges", str(curves.shape[-1]), "Give the same density.")
    pairs = max(neurons * (neurons - 1) // 2, 1)
    rest = max(0.0, density * pairs - last)  # of the step that the density cuts
    return (curves[..., :-1].sum(dim=-1).double() + rest * curves[..., -1].double()) / pairs


def betti_integrals(
    matrix: torch.Tensor,
    dimension: int = 1,
    *,
    density: float = 0.5,
    generator: torch.Generator,
    digits: int | None = None,
) -> torch.Tensor:
    """Integrals of the Betti curves of matrices: :func:`ranks`, :func:`betti_curves` and :func:`integrals` in a row.

    Parameters
    ----------
    matrix, generator, digits
        As for :func:`ranks`.
    dimension, density
        As for :func:`betti_curves`.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, dimension + 1)``, float64, on the CPU.

    Raises
    ------
    ArgumentError
        As for the three.
    """
    table = ranks(matrix, generator=generator, digits=digits)
    return integrals(betti_curves(table, dimension, density=density), table.shape[-1], density=density)


def clique_counts(graph: torch.Tensor, *, most: int = 2_000_000) -> tuple[int, ...]:
    """Numbers of cliques of 1, 2, 3, ... vertices, each found from the smaller one without its last vertex.

    Parameters
    ----------
    graph
        Booleans, axes ``(N, N)``, symmetric, false on the diagonal.
    most
        Refuse graphs with more cliques than this.

    Raises
    ------
    ArgumentError
        If ``graph`` is none, or has more cliques.
    """
    _require_graph(graph)
    require_count("most", most)
    after = np.triu(graph.cpu().numpy())  # the later neighbours of each vertex
    require_room(graph=len(after), most=max(1, min(most, 2 ** min(len(after), 40)) // 8))
    common, counts = np.ones((1, len(after)), dtype=bool), []
    while (number := int(common.sum())) > 0:
        counts.append(number)
        if sum(counts) > most:
            raise ArgumentError("graph", f"at most {most} cliques", "more", "Take fewer vertices or a lower density.")
        clique, vertex = np.nonzero(common)
        common = common[clique] & after[vertex]
    return tuple(counts)


def graph_betti(graph: torch.Tensor, *, field: int = 2, most: int = 2_000_000) -> tuple[int, ...]:
    """All Betti numbers of the clique complex of a graph, as many as there are sizes of cliques.

    Parameters
    ----------
    graph, most
        As for :func:`clique_counts`.
    field
        A prime.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    counts = clique_counts(graph, most=most)
    from gudhi import SimplexTree

    table = np.where(graph.cpu().numpy(), 1.0, 2.0)
    np.fill_diagonal(table, 0.0)
    tree = SimplexTree.create_from_array(table, max_filtration=1.0)
    tree.expansion(len(counts) - 1)
    return betti_numbers(tree, field=field)


def _pairs(matrix: torch.Tensor, digits: int | None) -> tuple[torch.Tensor, int]:
    """Entries above the diagonal, ``(*G, N(N-1)/2)``, rounded where that is asked, and N."""
    require_tensor("matrix", matrix, "... neurons others")
    require_symmetric("matrix", matrix)
    neurons = require_count("matrix", matrix.shape[-1], at_least=2)
    require_room(matrix=8 * matrix.numel())
    row, column = torch.triu_indices(neurons, neurons, 1, device=matrix.device)
    entries = matrix[..., row, column]
    if digits is not None:
        require_integer("digits", digits, at_least=0, at_most=15)
        entries = (entries.double() * 10.0**digits).round()
        if not entries.isfinite().all():
            raise ArgumentError("matrix", f"entries that can be rounded to {digits} decimals", "larger ones")
    return entries, neurons


def _square(values: torch.Tensor, neurons: int) -> torch.Tensor:
    """The symmetric table ``(*G, N, N)`` of what stands above the diagonal, ``(*G, N(N-1)/2)``."""
    row, column = torch.triu_indices(neurons, neurons, 1, device=values.device)
    table = values.new_zeros((*values.shape[:-1], neurons, neurons))
    table[..., row, column] = values
    table[..., column, row] = values
    return table


def _last(neurons: int, density: float) -> int:
    """Number of edges up to a density."""
    require_number("density", density, above=0.0, at_most=1.0)
    # A density that is a fraction of the pairs up to rounding is one.
    return math.floor(density * (neurons * (neurons - 1) // 2) + 1e-9)


def _require_few(neurons: int, dimension: int, density: float) -> int:
    """Number of edges, unless the complex may be too large: with C(x, 2) edges there are at most C(x, k) k-cliques."""
    require_integer("dimension", dimension, at_least=0, at_most=1000)
    edges = _last(neurons, density)
    x = min(float(neurons), (1 + math.sqrt(1 + 8 * edges)) / 2)
    term, total = x, float(neurons)
    for k in range(2, dimension + 3):
        term *= max(x - k + 1, 0.0) / k
        total += term
        if total > _MOST:
            raise ArgumentError(
                "ranks",
                f"a complex that has surely at most {_MOST} simplices",
                f"{neurons} neurons with {edges} edges, cliques of {dimension + 2}",
                "Take a lower density or dimension, or fewer neurons.",
            )
    return edges


def _require_ranks(ranks: Any, *, batched: bool) -> torch.Tensor:
    axes = "(..., neurons, neurons)" if batched else "(neurons, neurons)"
    whole = isinstance(ranks, torch.Tensor) and ranks.dtype == torch.int64
    if not whole or ranks.dim() < 2 or (ranks.dim() > 2 and not batched) or 0 in ranks.shape:
        raise ArgumentError("ranks", f"int64 ranks with axes {axes}", described(ranks), "Take them from ranks(matrix).")
    neurons = ranks.shape[-1]
    diagonal = ranks.diagonal(dim1=-2, dim2=-1)
    if ranks.shape[-2] != neurons or (ranks != ranks.mT).any() or diagonal.any():
        raise ArgumentError("ranks", "a symmetric table with zeros on the diagonal", "another one")
    pairs = neurons * (neurons - 1) // 2
    if pairs and ((ranks > pairs).any() or (ranks < 1).sum() != diagonal.numel()):
        raise ArgumentError("ranks", f"ranks from 1 to {pairs} off the diagonal", "others")
    return ranks


def _require_graph(graph: Any) -> None:
    if not isinstance(graph, torch.Tensor) or graph.dtype != torch.bool or graph.dim() != 2 or 0 in graph.shape:
        raise ArgumentError("graph", "booleans with axes (vertices, vertices)", described(graph))
    if graph.shape[0] != graph.shape[1] or (graph != graph.T).any() or graph.diagonal().any():
        raise ArgumentError("graph", "a symmetric table that is false on the diagonal", "another one")
