"""Simplicial complexes: sets of simplices, drawn or listed, their way to GUDHI and back, their faces and holes.

A simplex of dimension d is a set of d + 1 vertices. :class:`Simplices` lists some of them, for one complex or for each
of many, whatever they are chosen for; :func:`complete` takes all of some dimensions, :func:`sample` draws them.

A complex contains the faces of its simplices: whoever has a triangle has its three edges and three vertices.
:func:`to_gudhi` makes the complex, faces included, and marks what was listed; :func:`from_gudhi` reads it back.
:func:`f_vector` and :func:`betti_numbers` count the faces and the holes of any complex.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_generator,
    require_integer,
    require_kind,
    require_room,
    require_sequence,
    require_sizes,
)
from memscape.tools.models import Model

if TYPE_CHECKING:
    import networkx as nx
    from gudhi import SimplexTree

__all__ = [
    "Simplices",
    "betti_numbers",
    "complete",
    "f_vector",
    "from_gudhi",
    "independence_complex",
    "require_dimensions",
    "sample",
    "to_gudhi",
]


@dataclass(frozen=True)
class Simplices(Model):
    """The simplices that bear a weight, of one network or of each of several.

    Parameters
    ----------
    neurons
        Number of neurons N.
    members
        One tensor for every size k of simplices (dimension k - 1), by ascending k: axes ``(*G, C, k)``, dtype int64,
        every row k distinct neurons 0 to N - 1 in ascending order, no row twice in a network. All tensors have the same
        axes G (which may be none) and the same device; C may differ.

    Raises
    ------
    ArgumentError
        If there is no simplex, or axes, dtype, device, order or values are not as above.
    """

    neurons: int
    members: tuple[torch.Tensor, ...]

    def __post_init__(self) -> None:
        require_count("neurons", self.neurons)
        if not isinstance(self.members, tuple) or not self.members:
            raise ArgumentError(
                "members", "a tuple of tensors, one a size", type(self.members).__name__, "Write (edges, triangles)."
            )
        for rows in self.members:
            if not isinstance(rows, torch.Tensor) or rows.dtype != torch.int64 or rows.dim() < 2 or 0 in rows.shape:
                got = f"{rows.dtype} {tuple(rows.shape)}" if isinstance(rows, torch.Tensor) else type(rows).__name__
                raise ArgumentError("members", "int64 tensors with axes (..., simplices, vertices), none empty", got)
            if rows.shape[:-2] != self.members[0].shape[:-2] or rows.device != self.members[0].device:
                raise ArgumentError("members", "tensors of the same networks and device", "different ones")
            if (rows < 0).any() or (rows >= self.neurons).any() or (rows.diff(dim=-1) <= 0).any():
                raise ArgumentError(
                    "members",
                    f"rows of ascending neurons 0 to {self.neurons - 1}",
                    "another row",
                    "Sort every row, e.g. with rows.sort(dim=-1).values.",
                )
            if _repeated(rows, self.neurons):
                raise ArgumentError("members", "every simplex once", "a simplex that stands twice")
        sizes = [rows.shape[-1] for rows in self.members]
        if sizes != sorted(set(sizes)):
            raise ArgumentError("members", "sizes in ascending order, each once", str(sizes))

    @property
    def networks(self) -> tuple[int, ...]:
        """The axes G of networks, each with simplices of its own."""
        return tuple(self.members[0].shape[:-2])

    @property
    def counts(self) -> dict[int, int]:
        """Number of simplices of each dimension, in every network."""
        return {rows.shape[-1] - 1: rows.shape[-2] for rows in self.members}

    @property
    def inputs(self) -> torch.Tensor:
        """Number of simplices that contain each neuron, hence terms in its field: int64, axes ``(*G, N)``."""
        total = self.members[0].new_zeros((*self.networks, self.neurons))
        for rows in self.members:
            vertices = rows.flatten(-2)
            total.scatter_add_(-1, vertices, torch.ones_like(vertices))
        return total


def complete(neurons: int, dimensions: Sequence[int]) -> Simplices:
    """All simplices of some dimensions, listed: for small N, or for edges.

    Parameters
    ----------
    neurons
        Number of neurons N.
    dimensions
        Distinct dimensions, 0 to N - 1: ``(1,)`` for all edges, ``(1, 2)`` for the complete 2-skeleton.

    Raises
    ------
    ArgumentError
        If a size is out of range or a dimension stands twice.
    """
    require_count("neurons", neurons)
    require_dimensions(dimensions, neurons)
    return sample(neurons, {d: math.comb(neurons, d + 1) for d in dimensions}, generator=torch.Generator())


def sample(
    neurons: int, counts: Mapping[int, int], *, networks: Sequence[int] = (), generator: torch.Generator
) -> Simplices:
    """Simplices drawn at random, uniformly and without repetition, for each network anew.

    Parameters
    ----------
    neurons
        Number of neurons N.
    counts
        Number of simplices of each dimension: ``{1: 2475, 2: 2475}`` for edges and triangles. At most all of them.
    networks
        Axes G of independent networks.
    generator
        A CPU generator. A dimension of which all simplices are taken draws nothing.

    Returns
    -------
    Simplices
        On the CPU, in colexicographic order.

    Raises
    ------
    ArgumentError
        If a size or count is out of range, or ``generator`` is not a CPU generator.
    """
    require_count("neurons", neurons)
    if not isinstance(counts, Mapping) or not counts:
        raise ArgumentError("counts", "a dictionary from dimension to number of simplices", repr(counts))
    networks = require_sizes("networks", networks)
    require_generator("generator", generator)
    members = []
    for d in sorted(require_dimensions(list(counts), neurons)):
        total = math.comb(neurons, d + 1)
        if total >= 2**62:
            raise ArgumentError("neurons", "fewer than 2**62 simplices to draw from", f"{neurons} over {d + 1}")
        require_integer(f"counts[{d}]", counts[d], at_least=1, at_most=total)
        require_room(networks=math.prod(networks), counts=counts[d], dimensions=d + 1)
        ranks = _distinct(counts[d], total, math.prod(networks), generator)
        members.append(_unranked(ranks, d + 1, neurons).reshape(*networks, counts[d], d + 1))
    return Simplices(neurons, tuple(members))


def to_gudhi(simplices: Simplices, network: Sequence[int] = ()) -> SimplexTree:
    """The simplicial complex of one network, with all faces of its simplices, as a simplex tree of GUDHI.

    A filtration must not fall from a face to what it is a face of, so "bears a weight" cannot be written as two levels.
    It is written relative to the dimension d instead: a simplex that bears a weight enters at d, one that is only a
    face at d - 1/2.

    Parameters
    ----------
    simplices
        The simplices that bear a weight.
    network
        Which network, one index for each axis of G.

    Returns
    -------
    gudhi.SimplexTree
        With every neuron as a vertex, also those in no simplex.

    Raises
    ------
    ArgumentError
        If the index does not name one network.
    ModuleNotFoundError
        Where GUDHI has no build for the machine; nothing else here needs it.
    """
    from gudhi import SimplexTree

    require_kind("simplices", simplices, Simplices)
    require_sequence("network", network, "indices")
    if len(network) != len(simplices.networks):
        raise ArgumentError("network", f"{len(simplices.networks)} indices", str(tuple(network)))
    for index, size in zip(network, simplices.networks, strict=True):
        require_integer("network", index, at_least=0, at_most=size - 1)
    tree = SimplexTree()
    tree.insert_batch(np.arange(simplices.neurons)[None], np.zeros(simplices.neurons))
    weighted: set[tuple[int, ...]] = set()
    for rows in simplices.members:
        chosen = rows[tuple(network)].cpu()
        tree.insert_batch(chosen.T.numpy(), np.full(len(chosen), float(rows.shape[-1])))
        weighted.update(map(tuple, chosen.tolist()))
    for vertices, _ in list(tree.get_simplices()):
        bare = tuple(vertices) not in weighted
        tree.assign_filtration(vertices, len(vertices) - 1 - 0.5 * bare)
    return tree


def from_gudhi(tree: SimplexTree, *, neurons: int | None = None, dimensions: Sequence[int] | None = None) -> Simplices:
    """The simplices of a simplex tree that are to bear a weight.

    Parameters
    ----------
    tree
        A complex whose vertices are neurons 0 to N - 1.
    neurons
        Number of neurons N; by default the largest vertex and one.
    dimensions
        Take all simplices of these dimensions, whatever their filtration: ``(1, 2)`` puts weights on the edges and
        triangles of any complex, a Rips complex for instance. By default take those whose filtration equals their
        dimension, which undoes :func:`to_gudhi`.

    Returns
    -------
    Simplices
        Of one network, in the tree's order (lexicographic).

    Raises
    ------
    ArgumentError
        If the tree has no such simplex, a vertex is no neuron, or a dimension is out of range.
    """
    from gudhi import SimplexTree

    if not isinstance(tree, SimplexTree):
        raise ArgumentError("tree", "a gudhi.SimplexTree", type(tree).__name__)
    if neurons is None:
        neurons = 1 + max((vertices[0] for vertices, _ in tree.get_skeleton(0)), default=0)
    require_count("neurons", neurons)
    wanted = None if dimensions is None else set(require_dimensions(dimensions, neurons))
    found: dict[int, list[list[int]]] = {}
    for vertices, value in tree.get_simplices():
        dimension = len(vertices) - 1
        if value == dimension if wanted is None else dimension in wanted:
            found.setdefault(dimension, []).append(sorted(vertices))
    if not found:
        raise ArgumentError(
            "tree", "a simplex that is to bear a weight", "none", "Name the dimensions that do, e.g. dimensions=(1, 2)."
        )
    return Simplices(neurons, tuple(torch.tensor(found[dimension], device="cpu") for dimension in sorted(found)))


def require_dimensions(dimensions: Sequence[int], neurons: int) -> list[int]:
    """Return ``dimensions`` as a list if they are distinct dimensions 0 to N - 1, otherwise raise ArgumentError."""
    require_count("neurons", neurons)
    if isinstance(dimensions, str) or not isinstance(dimensions, Sequence) or len(dimensions) == 0:
        raise ArgumentError("dimensions", "a sequence of dimensions", repr(dimensions), "Write (1, 2), for instance.")
    for dimension in dimensions:
        require_integer("dimensions", dimension, at_least=0, at_most=neurons - 1)
    if len(set(dimensions)) != len(dimensions):
        raise ArgumentError("dimensions", "each dimension once", str(tuple(dimensions)))
    return list(dimensions)


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

    count = require_kind("graph", graph, nx.Graph).number_of_nodes()
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


def _combinations(neurons: int, size: int) -> torch.Tensor:
    """Binomial coefficients n over ``size`` for n = 0, ..., N - 1."""
    return torch.tensor([math.comb(n, size) for n in range(neurons)], device="cpu")


def _repeated(rows: torch.Tensor, neurons: int) -> bool:
    """Whether a row of vertices, ``(..., C, k)``, stands twice in one network."""
    rows = rows.reshape(-1, *rows.shape[-2:])
    # The number whose digits to the base N are network and vertices; numbered anew before it exceeds 63 bits.
    key, bound = torch.arange(len(rows), device=rows.device)[:, None].expand(rows.shape[:-1]), len(rows)
    for vertex in rows.unbind(dim=-1):
        if bound * neurons >= 2**63:
            key, bound = key.unique(return_inverse=True)[1], key.numel()
        key, bound = key * neurons + vertex, bound * neurons
    return key.unique().numel() < key.numel()


def _unranked(ranks: torch.Tensor, size: int, neurons: int) -> torch.Tensor:
    """The ascending set of ``size`` neurons that has each colexicographic rank, ``(...)`` to ``(..., size)``."""
    vertices = []
    for k in range(size, 0, -1):
        table = _combinations(neurons, k)
        vertex = torch.searchsorted(table, ranks.contiguous(), right=True) - 1
        ranks = ranks - table[vertex]
        vertices.append(vertex)
    return torch.stack(vertices[::-1], dim=-1)


def _distinct(count: int, total: int, networks: int, generator: torch.Generator) -> torch.Tensor:
    """``count`` distinct numbers below ``total`` for each network, uniform over all sets, ascending: (G', count)."""
    if count == total:
        return torch.arange(total, device="cpu").expand(networks, total)
    if 2 * count > total:
        taken = torch.ones(networks, total, dtype=torch.bool, device="cpu")
        taken.scatter_(1, _distinct(total - count, total, networks, generator), False)
        return taken.nonzero()[:, 1].reshape(networks, count)
    drawn = torch.randint(total, (networks, count), generator=generator, device="cpu")
    while True:
        # Of equal numbers all but one are drawn again. All numbers are treated alike, so all sets are equally likely.
        drawn = drawn.sort(dim=-1).values
        again = torch.nn.functional.pad(drawn.diff(dim=-1) == 0, (1, 0))
        if not again.any():
            return drawn
        drawn[again] = torch.randint(total, (int(again.sum()),), generator=generator, device="cpu")


def _require_tree(tree: SimplexTree) -> SimplexTree:
    from gudhi import SimplexTree

    if not isinstance(tree, SimplexTree):
        raise ArgumentError("tree", "a gudhi.SimplexTree", type(tree).__name__)
    return tree
