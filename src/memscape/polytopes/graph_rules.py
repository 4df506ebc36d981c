r"""Combinatorial threshold-linear networks: what a directed graph says about the fixed points of a network.

A threshold-linear network obeys :math:`\dot x = -x + [W x + b]_+`. It is *combinatorial* if a digraph G and two numbers
make up its weights: with :math:`W_{ii} = 0` and :math:`b_i = \theta > 0`,

.. math:: W_{ij} = -1 + \varepsilon \ \text{ if } j \to i, \qquad W_{ij} = -1 - \delta \ \text{ otherwise.}

An edge is weak inhibition, a missing edge strong inhibition. The parameters are *legal* if :math:`\delta > 0` and
:math:`0 < \varepsilon < \delta / (1 + \delta)`. FP(G) is the set of supports of fixed points (Curto, Geneson & Morrison
2023, Advances in Applied Mathematics 154:102652).

Everything here is exact. With rational parameters the matrix :math:`U = q\,(I - W)` is an integer one for a common
denominator q, and by Cramer's rule the sign of every activity is the sign of an integer determinant. Write
:math:`D_\tau` for the principal minor of U on a set of neurons :math:`\tau`, and :math:`T_{\tau i}` for the same with
column i replaced by ones. Then :math:`\sigma` is the support of a fixed point if and only if

.. math:: D_\sigma T_{\sigma i} > 0 \ (i \in \sigma), \qquad D_\sigma T_{\sigma \cup k,\, k} \le 0 \ (k \notin \sigma) ,

and since these minors belong to subsets, one table of them answers the question for every subgraph at once. The
characteristic polynomial of U on :math:`\sigma` has sums of the minors :math:`D_\tau`, :math:`\tau \subseteq \sigma`,
as coefficients, and the criterion of Hurwitz, in the form of Lienard and Chipart, decides stability in integers.

Digraphs are integer codes, see `memscape.polytopes.digraphs`; sets of neurons are bit masks, neuron i being bit i.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from memscape.arguments import (
    ArgumentError,
    require_broadcast,
    require_choice,
    require_device,
    require_dtype,
    require_integer,
    require_kind,
    require_number,
    require_numbers,
    require_room,
    require_sequence,
)
from memscape.polytopes.digraphs import Codes, adjacency, in_neighbours, require_codes
from memscape.polytopes.threshold_linear import ThresholdLinear
from memscape.tools.exact import (
    characteristic,
    characteristic_polynomial,
    determinant,
    determinants_fit,
    hurwitz,
    hurwitz_matrix,
    largest,
    solution,
)
from memscape.tools.subsets import BitGroup, mask, pack, subsets

__all__ = [
    "FixedPoints",
    "Parameters",
    "cliques",
    "composed",
    "core_structures",
    "dominated",
    "fixed_points",
    "full_support",
    "graphical_domination",
    "integer_matrices",
    "network",
    "reductions",
    "stability_border",
    "target_free_cliques",
    "undominated",
    "uniform_in_degree",
    "vanishing_inhibition",
]

Bools = npt.NDArray[np.bool_]
Rational = int | float | str | Fraction


@dataclass(frozen=True, init=False)
class Parameters:
    r"""The two parameters of a combinatorial network, as exact fractions.

    Parameters
    ----------
    epsilon
        How much weaker than 1 inhibition along an edge is, 0 < epsilon < 1. A float is read as the decimal number that
        it prints as: 0.51 is 51/100.
    delta
        How much stronger than 1 inhibition without an edge is, > 0.

    Raises
    ------
    ArgumentError
        If a value is no number or out of range. Illegal pairs are allowed, since one may ask what they do: see `legal`.
    """

    epsilon: Fraction
    delta: Fraction

    def __init__(self, epsilon: Rational, delta: Rational) -> None:
        for name, value in (("epsilon", _fraction("epsilon", epsilon)), ("delta", _fraction("delta", delta))):
            if value <= 0 or (name == "epsilon" and value >= 1):
                bounds = "a number above 0 and below 1" if name == "epsilon" else "a number above 0"
                raise ArgumentError(name, bounds, str(value))
            object.__setattr__(self, name, value)

    @property
    def legal(self) -> bool:
        """Whether epsilon < delta / (1 + delta): then no edge that is answered by none is a stable pair."""
        return self.epsilon < self.delta / (1 + self.delta)

    @property
    def scaled(self) -> tuple[int, int, int]:
        """The smallest integers in the ratio 1 : 1 - epsilon : 1 + delta."""
        q = math.lcm(self.epsilon.denominator, self.delta.denominator)
        return q, int(q * (1 - self.epsilon)), int(q * (1 + self.delta))


@dataclass(frozen=True)
class FixedPoints:
    """What every subset of every digraph does, exactly; see :func:`fixed_points`.

    All axes are ``(..., 2**n)``, the last one being the set of neurons as a bit mask; the empty set is never anything.

    Parameters
    ----------
    permitted
        Whether the set is the support of a fixed point of the subgraph on itself: a *permitted motif*.
    silent
        Bit mask of the neurons outside that a fixed point on this set, if there is one, keeps silent.
    stable
        Whether the eigenvalues of -I + W on a permitted set have negative real parts; False where it is not permitted.
    index
        Sign of det(I - W) on the set: -1, 0 or 1, int8.
    degenerate
        Axes ``(...)``: whether some determinant that decides is exactly zero, so that the parameters lie on a wall.
    """

    permitted: Bools
    silent: Codes
    stable: Bools
    index: npt.NDArray[np.int8]
    degenerate: Bools

    @property
    def nodes(self) -> int:
        """Number n of neurons."""
        return self.permitted.shape[-1].bit_length() - 1

    @property
    def exists(self) -> Bools:
        """Whether each set is the support of a fixed point: the set FP(G)."""
        return self.within(2**self.nodes - 1)

    def within(self, subset: int) -> Bools:
        """FP of the subgraph on a set of neurons, which is found in the same table: axes ``(..., 2**n)``.

        Raises
        ------
        ArgumentError
            If ``subset`` is not a set of the neurons.
        """
        require_integer("subset", subset, at_least=0, at_most=2**self.nodes - 1)
        sets = np.arange(2**self.nodes)
        inside = sets & ~subset == 0
        return self.permitted & inside & (subset & ~sets & ~self.silent == 0)

    @property
    def stable_supports(self) -> Bools:
        """Whether each set is the support of a stable fixed point."""
        return self.exists & self.stable

    @property
    def core_motif(self) -> Bools:
        """Whether each set, taken by itself, has one fixed point only, the one on all its neurons."""
        core = np.zeros_like(self.permitted)
        for subset in range(1, 2**self.nodes):
            core[..., subset] = self.permitted[..., subset] & (self.within(subset).sum(axis=-1) == 1)
        return core

    @property
    def core_supports(self) -> Bools:
        """The fixed points of the whole network whose support is a core motif."""
        return self.exists & self.core_motif


def network(
    codes: npt.ArrayLike,
    nodes: int,
    parameters: Parameters,
    *,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> ThresholdLinear:
    """The combinatorial networks of digraphs, with all inputs 1.

    Parameters
    ----------
    codes, nodes
        Digraphs, axes ``(*G)``, and their number n of nodes.
    parameters
        epsilon and delta.
    dtype, device
        Of the result.

    Returns
    -------
    ThresholdLinear
        Weights ``(*G, n, n)`` and inputs ``(n)``; dimensionless.

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes.
    """
    law = require_kind("parameters", parameters, Parameters)
    dtype, device = require_dtype("dtype", dtype), require_device("device", device)
    try:
        edge, none = float(law.epsilon - 1), float(-1 - law.delta)
    except OverflowError:
        raise ArgumentError("parameters", "a delta that floats hold", "a larger one") from None
    weights = np.where(adjacency(codes, nodes), edge, none)
    weights[..., range(nodes), range(nodes)] = 0.0
    return ThresholdLinear(
        torch.from_numpy(weights).to(dtype=dtype, device=device), torch.ones(nodes, dtype=dtype, device=device)
    )


def integer_matrices(codes: npt.ArrayLike, nodes: int, parameters: Parameters) -> npt.NDArray[Any]:
    """The matrices q (I - W) of combinatorial networks, with the smallest q that makes them whole.

    Parameters
    ----------
    codes, nodes
        Digraphs, axes ``(graphs,)``, and their number n of nodes.
    parameters
        epsilon and delta.

    Returns
    -------
    numpy.ndarray
        Axes ``(n, n, graphs)``: int64 where 64 bits hold all that their determinants add up, else Python integers.

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes.
    """
    one, edge, none = require_kind("parameters", parameters, Parameters).scaled
    kind = np.int64 if determinants_fit(nodes, none) else object
    edges = adjacency(codes, nodes)
    matrices = np.full(edges.shape, none, dtype=kind)
    matrices[edges] = edge
    matrices[..., range(nodes), range(nodes)] = one
    return np.ascontiguousarray(np.moveaxis(matrices, 0, -1))


def fixed_points(codes: npt.ArrayLike, nodes: int, parameters: Parameters) -> FixedPoints:
    """Decide every support of every network exactly.

    Integers of 64 bits carry the determinants as long as they can, and Python's own beyond; both are exact.

    Parameters
    ----------
    codes, nodes
        Digraphs, axes ``(...)``, and their number n of nodes, 1 to 7.
    parameters
        epsilon and delta.

    Returns
    -------
    FixedPoints

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes.
    """
    codes = require_codes("codes", codes, nodes)
    matrices = integer_matrices(codes.ravel(), nodes, parameters)
    batch, size, entry = matrices.shape[-1], 2**nodes, max(1, largest(matrices))
    minors = np.ones((size, batch), dtype=matrices.dtype)
    replaced = np.zeros((nodes, size, batch), dtype=matrices.dtype)
    for members in subsets(nodes):
        block = matrices[np.ix_(members, members)]
        at = mask(members)
        minors[at] = determinant(block, entry=entry)
        for place, node in enumerate(members):
            column = block.copy()
            column[:, place] = 1
            replaced[node, at] = determinant(column, entry=entry)
    sign = np.sign(minors).astype(np.int8)
    activity = np.sign(replaced).astype(np.int8)
    permitted, degenerate = np.zeros((size, batch), dtype=bool), (sign == 0).any(axis=0)
    silent = np.zeros((size, batch), dtype=np.int64)
    for members in subsets(nodes):
        at = mask(members)
        permitted[at] = (activity[members, at] * sign[at] > 0).all(axis=0)
        for node in set(range(nodes)) - set(members):
            push = activity[node, at | 1 << node] * sign[at]
            silent[at] |= (push <= 0).astype(np.int64) << node
            degenerate |= permitted[at] & (push == 0)
    stable = np.zeros((size, batch), dtype=bool)
    for members in subsets(nodes):
        at = mask(members)
        rows = np.flatnonzero(permitted[at])
        stable[at, rows] = hurwitz(characteristic(minors[:, rows], members))
    shape = (*codes.shape, size)
    return FixedPoints(
        permitted.T.reshape(shape),
        silent.T.reshape(shape),
        stable.T.reshape(shape),
        np.where(np.arange(size)[:, None] > 0, sign, 0).astype(np.int8).T.reshape(shape),
        degenerate.reshape(codes.shape),
    )


def cliques(codes: npt.ArrayLike, nodes: int) -> Bools:
    """Which sets of nodes have all edges among them, both ways: axes ``(..., 2**n)``; a single node is one.

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes.
    """
    senders = in_neighbours(codes, nodes)
    sets = np.arange(2**nodes)
    found = np.broadcast_to(sets > 0, (*senders.shape[:-1], len(sets))).copy()
    for node in range(nodes):
        found &= (sets >> node & 1 == 0) | (sets & ~(1 << node) & ~senders[..., node, None] == 0)
    return found


def target_free_cliques(codes: npt.ArrayLike, nodes: int) -> Bools:
    """Which sets are cliques without a target, a node outside that receives an edge from every node of the set.

    Raises
    ------
    ArgumentError
        As :func:`cliques`.
    """
    senders = in_neighbours(codes, nodes)
    sets = np.arange(2**nodes)
    found = cliques(codes, nodes)
    for node in range(nodes):
        found &= (sets >> node & 1 == 1) | (sets & ~senders[..., node, None] != 0)
    return found


def uniform_in_degree(codes: npt.ArrayLike, nodes: int) -> tuple[Codes, Codes]:
    """Degrees inside a set, and the most edges that a node outside receives from it.

    Parameters
    ----------
    codes, nodes
        Digraphs, axes ``(...)``, and their number n of nodes.

    Returns
    -------
    tuple
        Two integer arrays ``(..., 2**n)``: the common in-degree of the nodes of the set within it, or -1 where the
        degrees differ; and the largest number of edges from the set to one node outside, or 0.

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes.
    """
    senders = in_neighbours(codes, nodes)
    sets = np.arange(2**nodes)
    least = np.full((*senders.shape[:-1], len(sets)), nodes)
    most, outside = np.zeros_like(least), np.zeros_like(least)
    for node in range(nodes):
        degree = np.bitwise_count(sets & senders[..., node, None]).astype(np.int64)
        member = sets >> node & 1 == 1
        least = np.where(member, np.minimum(least, degree), least)
        most = np.where(member, np.maximum(most, degree), most)
        outside = np.where(member, outside, np.maximum(outside, degree))
    return np.where((least == most) & (sets > 0), most, -1), outside


def graphical_domination(codes: npt.ArrayLike, nodes: int, j: int, k: int) -> Bools:
    r"""Whether node k graphically dominates node j with respect to each set.

    With respect to :math:`\sigma`, which contains j or k, three things are asked: :math:`i \to j` implies
    :math:`i \to k` for all :math:`i \in \sigma` other than j and k; :math:`j \to k` if :math:`j \in \sigma`; and no
    edge :math:`k \to j` if :math:`k \in \sigma`.

    Returns
    -------
    numpy.ndarray
        Bool, axes ``(..., 2**n)``.

    Raises
    ------
    ArgumentError
        If the codes do not fit, or j and k are not two different nodes.
    """
    senders = in_neighbours(codes, nodes)
    require_integer("j", j, at_least=0, at_most=nodes - 1)
    if require_integer("k", k, at_least=0, at_most=nodes - 1) == j:
        raise ArgumentError("k", "a node other than j", str(k))
    sets = np.arange(2**nodes)
    to_j, to_k = senders[..., j, None], senders[..., k, None]
    others = sets & ~(1 << j) & ~(1 << k)
    inputs = others & to_j & ~to_k == 0
    j_in, k_in = sets >> j & 1 == 1, sets >> k & 1 == 1
    return inputs & (j_in | k_in) & (~j_in | (to_k >> j & 1 == 1)) & (~k_in | (to_j >> k & 1 == 0))


def dominated(codes: npt.ArrayLike, nodes: int) -> Codes:
    """The dominated nodes of every subgraph, as a bit mask: axes ``(..., 2**n)``, the last one the subgraph.

    Node j is dominated by k within a set that holds both if every other node of the set that sends an edge to j sends
    one to k, j sends one to k, and k sends none to j (Curto 2025, arXiv 2510.05098).

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes.
    """
    codes = require_codes("codes", codes, nodes)
    sets = np.arange(2**nodes)
    found = np.zeros((*codes.shape, len(sets)), dtype=np.int64)
    for j, k in itertools.permutations(range(nodes), 2):
        both = (sets >> j & 1 == 1) & (sets >> k & 1 == 1)
        found |= (graphical_domination(codes, nodes, j, k) & both).astype(np.int64) << j
    return found


def undominated(nodes: int) -> int:
    r"""How many digraphs on n nodes have no dominated node, up to isomorphism, counted without classes.

    By Burnside's lemma: the mean, over all renumberings of the nodes, of the number of labelled digraphs that have no
    dominated node and that the renumbering leaves as they are. Every labelled digraph is looked at, and domination
    is read off its arrows by definition.

    Parameters
    ----------
    nodes
        n, 1 to 5; five nodes have 2**20 labelled digraphs.

    Raises
    ------
    ArgumentError
        If ``nodes`` is out of range.
    """
    from sympy.combinatorics import Permutation  # not above: loading it takes longer than most that is done here

    n = require_integer("nodes", nodes, at_least=1, at_most=5)
    arrows = {(j, i): column for (i, j), column in _columns(n).items()}  # from j to i
    free = np.ones(2 ** (n * (n - 1)), dtype=bool)
    for j, k in itertools.permutations(range(n), 2):
        over = arrows[j, k] & ~arrows[k, j]
        for i in set(range(n)) - {j, k}:
            over &= ~arrows[i, j] | arrows[i, k]
        free &= ~over
    # Relabellings with cycles of the same lengths leave the same number of digraphs as they are: one stands for all.
    alike: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
    for order in itertools.permutations(range(n)):
        alike.setdefault(tuple(sorted(map(len, Permutation(order).full_cyclic_form))), []).append(order)
    fixed = 0
    for order, *others in alike.values():
        same = free.copy()
        for i, j in arrows:
            if (i, j) != (order[i], order[j]):
                same &= arrows[i, j] == arrows[order[i], order[j]]
        fixed += (1 + len(others)) * int(same.sum())
    return fixed // math.factorial(n)


def _columns(nodes: int) -> dict[tuple[int, int], Bools]:
    """Entry (i, j) of the adjacency matrix of every labelled digraph, as far as i and j differ."""
    matrices = adjacency(np.arange(2 ** (nodes * (nodes - 1))), nodes)
    return {(i, j): np.ascontiguousarray(matrices[:, i, j]) for i, j in itertools.permutations(range(nodes), 2)}


def reductions(codes: npt.ArrayLike, nodes: int) -> Bools:
    """Sets of nodes that are left when dominated nodes are deleted one by one, in any order, until none is dominated.

    Returns
    -------
    numpy.ndarray
        Bool, axes ``(..., 2**n)``: every set that some order of deletions ends in.

    Raises
    ------
    ArgumentError
        If the codes are not integers or do not fit the number of nodes.
    """
    weak = dominated(codes, nodes)
    reached = np.zeros(weak.shape, dtype=bool)
    reached[..., -1] = True
    for subset in range(2**nodes - 1, 0, -1):  # a subset is a smaller number, so larger sets come first
        for node in range(nodes):
            if subset >> node & 1:
                reached[..., subset & ~(1 << node)] |= reached[..., subset] & (weak[..., subset] >> node & 1 == 1)
    return reached & (weak == 0)


def composed(kind: str, parts: list[Bools]) -> Bools:
    r"""Fixed points that the rules predict for a composite, from those of its parts.

    For a cyclic union and for a clique union the supports are all unions of one support of each part. For a disjoint
    union a part may also be left out, but not all of them.

    Parameters
    ----------
    kind
        ``"disjoint"``, ``"clique"`` or ``"cyclic"``, as in `digraphs.compose`.
    parts
        FP of each part, axes ``(..., 2**n)``.

    Returns
    -------
    numpy.ndarray
        Bool, axes ``(..., 2**N)`` for N nodes in all.

    Raises
    ------
    ArgumentError
        If the kind is unknown or there are fewer than two parts.
    """
    require_choice("kind", kind, ("disjoint", "clique", "cyclic"))
    require_integer("number of parts", len(require_sequence("parts", parts, "arrays of booleans")), at_least=2)
    for part in parts:
        if not isinstance(part, np.ndarray) or part.dtype != bool or part.ndim == 0:
            raise ArgumentError("parts", "arrays of booleans, axes (..., 2**n)", type(part).__name__)
        if part.shape[-1].bit_count() != 1:
            raise ArgumentError("parts", "arrays of booleans, axes (..., 2**n)", f"shape {part.shape}")
    batch = require_broadcast("parts", *(part.shape[:-1] for part in parts))
    require_room(parts=math.prod((*batch, *(part.shape[-1] for part in parts))))
    whole: Bools = np.ones(1, dtype=bool)
    for part in parts:
        choice = part.copy()
        choice[..., 0] = kind == "disjoint"
        whole = choice[..., :, None] & whole[..., None, :]  # the nodes of the first part are the lowest bits
        whole = whole.reshape(*whole.shape[:-2], -1)
    whole[..., 0] = False
    return whole


def core_structures(codes: npt.ArrayLike, points: FixedPoints) -> Codes:
    """What the core motifs of each network look like, up to isomorphism.

    The core motifs are the supports of fixed points that have one fixed point by themselves. Two networks have the same
    structure if a relabelling matches their core motifs as sets and the edges inside them.

    Parameters
    ----------
    codes
        Digraphs, axes ``(graphs,)``, of at most five nodes.
    points
        Their fixed points.

    Returns
    -------
    numpy.ndarray
        Integers, axes ``(graphs,)``: equal for equal structures.

    Raises
    ------
    ArgumentError
        If the codes do not fit the fixed points.
    """
    nodes = require_integer("nodes", require_kind("points", points, FixedPoints).nodes, at_most=5)
    codes = require_codes("codes", codes, nodes)
    core = points.core_supports
    if core.shape[:-1] != codes.shape:
        raise ArgumentError("codes", f"shape {core.shape[:-1]}, as the fixed points", f"shape {codes.shape}")
    matrices, sets = adjacency(codes, nodes), np.arange(2**nodes)
    together = np.zeros_like(matrices)
    for i, j in itertools.permutations(range(nodes), 2):
        together[:, i, j] = (core & (sets >> i & 1 == 1) & (sets >> j & 1 == 1)).any(axis=-1)
    kept = matrices & together
    heads, tails = np.nonzero(~np.eye(nodes, dtype=bool))
    place = {pair: len(sets) + edge for edge, pair in enumerate(zip(heads.tolist(), tails.tolist(), strict=True))}
    moves = []
    for order in itertools.permutations(range(nodes)):
        images = [mask(order[i] for i in range(nodes) if s >> i & 1) for s in range(len(sets))]
        moves.append(images + [place[order[i], order[j]] for i, j in place])
    return BitGroup(np.array(moves)).canonical(pack(np.concatenate([core, kept[:, heads, tails]], axis=-1)))[0]


def full_support(
    codes: npt.ArrayLike, nodes: int, epsilon: npt.ArrayLike, delta: npt.ArrayLike
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    r"""How far networks are from having a stable fixed point on all neurons, in floating point, for maps of parameters.

    Parameters
    ----------
    codes, nodes
        Digraphs, axes ``(...)``, and their number n of nodes.
    epsilon, delta
        Parameters, which broadcast against the codes; above 0, epsilon below 1.

    Returns
    -------
    tuple
        Two arrays of float64 ``(...)``: the smallest activity of the solution of :math:`(I - W) x = 1`, and the
        largest real part of the eigenvalues of :math:`-I + W`. The fixed point exists if the first is positive and
        is stable if the second is negative. Where I - W is singular in floating point the first is -inf.

    Raises
    ------
    ArgumentError
        If the codes do not fit, or a parameter is out of range.
    """
    edges = adjacency(codes, nodes)
    epsilon, delta = _require_range("epsilon", epsilon, 1.0), _require_range("delta", delta, np.inf)
    require_broadcast("epsilon, delta", edges.shape[:-2], epsilon.shape, delta.shape)
    matrices = np.where(edges, 1 - epsilon[..., None, None], 1 + delta[..., None, None])
    matrices[..., range(nodes), range(nodes)] = 1.0
    ones = np.ones((*matrices.shape[:-1], 1))
    try:
        least = np.linalg.solve(matrices, ones)[..., 0].min(axis=-1)
    except np.linalg.LinAlgError:  # raised for one of them; the rest of a map has its answer
        singular = np.linalg.det(matrices) == 0
        regular = np.where(singular[..., None, None], np.eye(nodes), matrices)
        least = np.where(singular, -np.inf, np.linalg.solve(regular, ones)[..., 0].min(axis=-1))
    return least, -np.linalg.eigvals(matrices).real.min(axis=-1)


def vanishing_inhibition(codes: npt.ArrayLike, nodes: int, ratio: npt.ArrayLike) -> npt.NDArray[np.float64]:
    r"""Growth rate of the fixed point on all neurons, over epsilon, as epsilon and delta go to zero in a fixed ratio.

    At :math:`\varepsilon = \delta = 0` all weights are -1, and I - W is the matrix of ones: one eigenvalue n, all
    others zero. Small parameters split the zeros by the matrix with -1 for an edge and the ratio for none, projected
    on the activities that sum to zero.

    Parameters
    ----------
    codes, nodes
        Digraphs, axes ``(...)``, and their number n of nodes, at least 2.
    ratio
        delta / epsilon, > 0, which broadcasts against the codes.

    Returns
    -------
    numpy.ndarray
        The largest real part of an eigenvalue of :math:`-I + W` over epsilon, to leading order; float64 ``(...)``.

    Raises
    ------
    ArgumentError
        If the codes do not fit, there is one node only, or the ratio is out of range.
    """
    edges = adjacency(codes, require_integer("nodes", nodes, at_least=2))
    ratio = _require_range("ratio", ratio, np.inf)
    require_broadcast("ratio", edges.shape[:-2], ratio.shape)
    change = np.where(edges, -1.0, ratio[..., None, None])
    change[..., range(nodes), range(nodes)] = 0.0
    balanced = np.linalg.qr(np.eye(nodes) - 1 / nodes)[0][:, : nodes - 1]
    return -np.linalg.eigvals(balanced.T @ change @ balanced).real.min(axis=-1)


def stability_border(code: int, nodes: int, excess: Fraction) -> npt.NDArray[np.float64]:
    r"""Where a network on the line of one :math:`u = \delta / \varepsilon - 1` may become stable on all neurons.

    With :math:`t = (1 - \varepsilon) / \varepsilon` the flow on all neurons is :math:`-\varepsilon K`,
    :math:`K = I + (2 + u) N + t J`, where N marks the missing edges and J is the matrix of ones. The last but one
    of Hurwitz's determinants of K is a polynomial in t, found here by exact interpolation. A pair of complex
    eigenvalues can reach the imaginary axis at its zeros only.

    Parameters
    ----------
    code, nodes
        A digraph and its number n of nodes, 3 to `MOST_NODES`.
    excess
        u, exact, above 0 and at most a million.

    Returns
    -------
    numpy.ndarray
        The positive zeros t, rising, float64.

    Raises
    ------
    ArgumentError
        If the code does not fit, or ``excess`` is no fraction or out of range.
    """
    edges = adjacency(code, require_integer("nodes", nodes, at_least=3))
    u = _fraction("excess", excess)
    if not 0 < u <= 10**6:
        raise ArgumentError("excess", "a number above 0 and at most a million", str(u))
    values, places = [], range((nodes - 1) * nodes // 2 + 1)
    missing = [[i != j and not edges[i, j] for j in range(nodes)] for i in range(nodes)]
    for t in places:
        flow = [[-t - (i == j) - gone * (2 + u) for j, gone in enumerate(row)] for i, row in enumerate(missing)]
        coefficients: npt.NDArray[Any] = np.array(characteristic_polynomial(flow), dtype=np.object_)[:, None]
        values.append(Fraction(determinant(hurwitz_matrix(coefficients, nodes - 1))[0]))
    found = solution([[Fraction(t) ** power for power in places] for t in places], values)
    roots = np.roots([float(value) for value in reversed(found or [])])
    real = roots[abs(roots.imag) < 1e-9 * abs(roots)].real
    return np.sort(real[real > 0])


def _require_range(argument: str, value: npt.ArrayLike, below: float) -> npt.NDArray[np.float64]:
    bound = "" if below == np.inf else f" and < {below:g}"
    array = require_numbers(argument, value, f"finite values > 0{bound}")
    wrong = ~((array > 0) & (array < below))
    if wrong.any():
        raise ArgumentError(argument, f"finite values > 0{bound}", f"{array[wrong].flat[0]:g}")
    return array


def _fraction(name: str, value: Any) -> Fraction:
    if isinstance(value, float):
        require_number(name, value)
        return Fraction(repr(value))
    if isinstance(value, bool) or not isinstance(value, int | str | Fraction):
        raise ArgumentError(name, "a fraction, a number or a string such as '1/12'", type(value).__name__)
    try:
        return Fraction(value)
    except (ValueError, ZeroDivisionError):
        raise ArgumentError(name, "a fraction such as '1/12'", repr(value)) from None
