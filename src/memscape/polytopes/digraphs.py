r"""All simple directed graphs on a few nodes, as integers.

A digraph on n nodes without loops has n (n - 1) possible edges, and its *code* is the integer whose bits say which of
them are there. The edges are numbered so that those among the first k nodes come first: the edge u -> v with u < v is
bit v (v - 1) + 2u, and v -> u is the bit after it. So the low k (k - 1) bits of a code are the code of the subgraph on
the first k nodes, and adding a node is adding bits on top.

Codes are NumPy arrays of int64 and all functions work on whole arrays of them. Two digraphs are isomorphic if and only
if their canonical codes agree: :func:`canonical` is the smallest code over all n! relabellings. There are 1, 3, 16,
218, 9608 digraphs on one to five nodes up to isomorphism (sequence A000273 of the OEIS), which :func:`classes` lists.

A set of nodes is an integer, too: node i is bit i.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

from memscape.arguments import ArgumentError, require_broadcast, require_choice, require_integer, require_sequence

__all__ = [
    "MOST_NODES",
    "adjacency",
    "automorphisms",
    "canonical",
    "classes",
    "compose",
    "encode",
    "extensions",
    "in_neighbours",
    "induced",
    "require_codes",
]

Codes = npt.NDArray[np.int64]

MOST_NODES = 7
"""Most nodes of a digraph here; a code of eight nodes would have 56 bits, and 40320 relabellings."""

_CHUNK = 10  # bits that one look-up relabels


def require_codes(argument: str, value: object, nodes: int) -> Codes:
    """Return ``value`` as an int64 array of codes of digraphs on ``nodes`` nodes, otherwise raise.

    Raises
    ------
    ArgumentError
        If ``nodes`` is not an integer from 1 to `MOST_NODES`, or ``value`` is not an array of integers with that many
        bits.
    """
    require_integer("nodes", nodes, at_least=1, at_most=MOST_NODES)
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise ArgumentError(argument, "integer codes", f"dtype {array.dtype}", "Codes come from encode or classes.")
    edges = nodes * (nodes - 1)
    wrong = (array < 0) | (array >= 1 << edges)
    if wrong.any():
        raise ArgumentError(argument, f"codes of {edges} bits, for {nodes} nodes", str(array[wrong].flat[0]))
    return array.astype(np.int64, copy=False)


def adjacency(codes: npt.ArrayLike, nodes: int) -> npt.NDArray[np.bool_]:
    """Adjacency matrices.

    Parameters
    ----------
    codes
        Integer codes, axes ``(...)``.
    nodes
        Number n of nodes, 1 to `MOST_NODES`.

    Returns
    -------
    numpy.ndarray
        Bool, axes ``(..., n, n)``: entry (i, j) says whether there is an edge from j to i, the order of indices of a
        weight matrix.

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes.
    """
    codes = require_codes("codes", codes, nodes)
    heads, tails = _ends(nodes)
    matrices = np.zeros((*codes.shape, nodes, nodes), dtype=bool)
    matrices[..., heads, tails] = codes[..., None] >> np.arange(len(heads)) & 1
    return matrices


def encode(matrices: npt.ArrayLike) -> Codes:
    """Codes of adjacency matrices, the inverse of :func:`adjacency`.

    Parameters
    ----------
    matrices
        Values 0 and 1 or bool, axes ``(..., n, n)``, zero on the diagonal; entry (i, j) is the edge from j to i.

    Raises
    ------
    ArgumentError
        If the matrices are not square, too large, have other values, or a loop.
    """
    array = np.asarray(matrices)
    if array.ndim < 2 or array.shape[-1] != array.shape[-2] or not 1 <= array.shape[-1] <= MOST_NODES:
        expected = f"axes (..., nodes, nodes), 1 to {MOST_NODES} nodes"
        raise ArgumentError("matrices", expected, f"shape {array.shape}")
    if not np.isin(array, (0, 1)).all():
        raise ArgumentError("matrices", "values 0 and 1", f"{array[~np.isin(array, (0, 1))].flat[0]}")
    if array[..., range(array.shape[-1]), range(array.shape[-1])].any():
        raise ArgumentError("matrices", "no loops", "an edge from a node to itself", "Clear the diagonal.")
    heads, tails = _ends(array.shape[-1])
    return array[..., heads, tails].astype(np.int64) @ (1 << np.arange(len(heads), dtype=np.int64))


def in_neighbours(codes: npt.ArrayLike, nodes: int) -> Codes:
    """For each node the set of nodes that send it an edge, as a bit mask: axes ``(..., n)``.

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes.
    """
    return adjacency(codes, nodes) @ (1 << np.arange(nodes, dtype=np.int64))


def canonical(codes: npt.ArrayLike, nodes: int) -> Codes:
    """The smallest code of an isomorphic digraph, for each code.

    Parameters
    ----------
    codes
        Integer codes, axes ``(...)``.
    nodes
        Number n of nodes, 1 to 6: n! relabellings are compared.

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes, or there are more than six.
    """
    codes = require_codes("codes", codes, require_integer("nodes", nodes, at_least=1, at_most=6))
    least = codes.copy()
    for tables in _relabellings(nodes):
        np.minimum(least, _look_up(tables, codes), out=least)
    return least


def automorphisms(codes: npt.ArrayLike, nodes: int) -> Codes:
    """Number of relabellings that leave each digraph as it is; n! over it is the number of its labelled copies.

    Raises
    ------
    ArgumentError
        As :func:`canonical`.
    """
    codes = require_codes("codes", codes, require_integer("nodes", nodes, at_least=1, at_most=6))
    count = np.zeros(codes.shape, dtype=np.int64)
    for tables in _relabellings(nodes):
        count += _look_up(tables, codes) == codes
    return count


def extensions(codes: npt.ArrayLike, nodes: int) -> Codes:
    """Every digraph with one more node that contains each given one on its first nodes: axes ``(..., 4**n)``.

    Raises
    ------
    ArgumentError
        If the codes do not fit, or the new digraphs would have more than `MOST_NODES` nodes.
    """
    require_integer("nodes", nodes, at_least=1, at_most=MOST_NODES - 1)
    codes = require_codes("codes", codes, nodes)
    return codes[..., None] + (np.arange(4**nodes, dtype=np.int64) << nodes * (nodes - 1))


def classes(nodes: int) -> Codes:
    """The canonical code of every digraph on n nodes up to isomorphism, in ascending order.

    Every digraph extends one with a node less, so the classes of n nodes are found among the extensions of those of
    n - 1: 55,808 codes for n = 5 in place of a million.

    Parameters
    ----------
    nodes
        Number n of nodes, 1 to 5: 1, 3, 16, 218, 9608 classes.

    Raises
    ------
    ArgumentError
        If ``nodes`` is not an integer from 1 to 5.
    """
    require_integer("nodes", nodes, at_least=1, at_most=5)
    return _classes(nodes).copy()


def compose(kind: str, parts: Sequence[tuple[npt.ArrayLike, int]]) -> Codes:
    """Join digraphs, nodes of the first part first.

    Parameters
    ----------
    kind
        ``"disjoint"``: no edges between parts. ``"clique"``: all edges between parts, both ways. ``"cyclic"``: all
        edges from each part to the next, and from the last to the first.
    parts
        At least two pairs of codes ``(...)`` and their number of nodes, codes of equal shape, or shapes that broadcast.

    Returns
    -------
    numpy.ndarray
        Codes of the composites, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If the kind is unknown, there are fewer than two parts, codes do not fit, or there are too many nodes.
    """
    require_choice("kind", kind, ("disjoint", "clique", "cyclic"))
    require_integer("number of parts", len(require_sequence("parts", parts, "pairs of codes and nodes")), at_least=2)
    if not all(isinstance(part, list | tuple) and len(part) == 2 for part in parts):
        raise ArgumentError("parts", "pairs of codes and their number of nodes", "others")
    blocks = [adjacency(codes, nodes) for codes, nodes in parts]
    sizes = [nodes for _, nodes in parts]
    require_integer("nodes of all parts", sum(sizes), at_most=MOST_NODES)
    shape = require_broadcast("parts", *(block.shape[:-2] for block in blocks))
    matrices = np.zeros((*shape, sum(sizes), sum(sizes)), dtype=bool)
    part = np.repeat(np.arange(len(sizes)), sizes)
    if kind == "clique":
        matrices |= part[:, None] != part
    elif kind == "cyclic":
        matrices |= part[:, None] == (part + 1) % len(sizes)
    for number, block in enumerate(blocks):
        at = np.flatnonzero(part == number)
        matrices[..., at[:, None], at] = block
    return encode(matrices)


def induced(codes: npt.ArrayLike, nodes: int, support: int) -> Codes:
    """Codes of the subgraphs on a set of nodes, which keep their order.

    Parameters
    ----------
    codes, nodes
        Integer codes, axes ``(...)``, and their number of nodes.
    support
        A non-empty set of nodes as a bit mask.

    Raises
    ------
    ArgumentError
        If the codes do not fit, or the set is empty or has nodes that are not there.
    """
    codes = require_codes("codes", codes, nodes)
    require_integer("support", support, at_least=1, at_most=2**nodes - 1)
    kept = [node for node in range(nodes) if support >> node & 1]
    return encode(adjacency(codes, nodes)[..., np.array(kept)[:, None], kept])


@cache
def _classes(nodes: int) -> Codes:
    if nodes == 1:
        return np.zeros(1, dtype=np.int64)
    return np.unique(canonical(extensions(_classes(nodes - 1), nodes - 1).ravel(), nodes))


@cache
def _ends(nodes: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Head and tail of each edge, by bit."""
    pairs = [pair for v in range(nodes) for u in range(v) for pair in ((v, u), (u, v))]
    heads, tails = np.array(pairs, dtype=np.intp).reshape(-1, 2).T
    return heads, tails


@cache
def _relabellings(nodes: int) -> Codes:
    """What each relabelling makes of each run of ten bits: axes (n!, runs, 1024)."""
    heads, tails = _ends(nodes)
    bit = np.zeros((nodes, nodes), dtype=np.int64)
    bit[heads, tails] = np.arange(len(heads))
    orders = np.array(list(itertools.permutations(range(nodes))))
    weights = np.int64(1) << bit[orders[:, heads], orders[:, tails]]
    runs = max(1, -(-len(heads) // _CHUNK))
    padded = np.zeros((math.factorial(nodes), runs * _CHUNK), dtype=np.int64)
    padded[:, : len(heads)] = weights
    values = np.arange(2**_CHUNK)[:, None] >> np.arange(_CHUNK) & 1
    return padded.reshape(-1, runs, _CHUNK) @ values.T


def _look_up(tables: Codes, codes: Codes) -> Codes:
    mask = 2**_CHUNK - 1
    found = tables[0].take(codes & mask)
    for run in range(1, len(tables)):
        found += tables[run].take(codes >> _CHUNK * run & mask)
    return found
