r"""Hopfield networks that store exponentially many patterns: the cliques of a graph.

A network of N units :math:`x_e \in \{0, 1\}` with symmetric couplings has the energy

.. math:: E(x) = -\tfrac12 \sum_{ef} J_{ef} x_e x_f + \sum_e \theta_e x_e ,

and turning unit e over costs :math:`\sigma_e h_e` with :math:`\sigma_e = 2 x_e - 1` and the field
:math:`h_e = \sum_f J_{ef} x_f - \theta_e`. :func:`memscape.memory.probability_flow.minimum_probability_flow` learns
such a network from patterns. If the units are the edges of a graph, in the order of :func:`edges`, and the patterns are
cliques, a few hundred patterns teach it all of them (Hillar & Tran 2018, Journal of Mathematical Neuroscience 8:1).

By symmetry a network that treats all cliques alike needs three numbers only: the coupling x of two edges that share a
vertex, the coupling y of two that do not, and the threshold. :class:`CliqueCone` says exactly which triples store every
clique, and :class:`CliqueNetwork` runs them in time linear in the number of edges.

Patterns and states are spins (-1 for 0), as everywhere in this folder; :func:`memscape.memory.hopfield.from_bits` and
:func:`memscape.memory.hopfield.to_bits` translate networks, exactly.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from numbers import Real

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_device,
    require_dtype,
    require_integer,
    require_number,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.memory.hopfield import Hopfield, from_bits, require_bits
from memscape.memory.patterns import align, as_probes, flat, random_patterns, require_state
from memscape.tools import pieces
from memscape.tools.models import Model
from memscape.tools.nonnegative import nonnegative_least_squares

__all__ = [
    "Classes",
    "CliqueCone",
    "CliqueNetwork",
    "DegreeTracker",
    "classes",
    "clique_bound",
    "edges",
    "every_clique",
    "noise_limit",
    "noise_weights",
    "random_cliques",
]

Number = int | float | Fraction


_MOST_VERTICES = 2**20  # their pairs are neurons: 2**40 of them fit no memory


def edges(vertices: int) -> torch.Tensor:
    """Both ends of every edge of the complete graph: 01, 02, ..., 12, 13, ... in this order.

    Parameters
    ----------
    vertices
        Number of vertices v, at least 2.

    Returns
    -------
    torch.Tensor
        Integers, axes ``(2, N)`` with N = v (v - 1) / 2; the first end is the smaller.

    Raises
    ------
    ArgumentError
        If ``vertices`` is not an integer of at least 2.
    """
    require_integer("vertices", vertices, at_least=2, at_most=_MOST_VERTICES)
    return torch.triu_indices(vertices, vertices, 1, device="cpu")


def random_cliques(
    vertices: int,
    clique: int,
    count: int,
    *,
    networks: Sequence[int] = (),
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Cliques drawn independently and uniformly: the edges among k vertices are on, all others off.

    Parameters
    ----------
    vertices, clique
        Numbers of vertices v of the graph and k of a clique, 2 <= k <= v.
    count
        Number of cliques P of each network; with few possible ones the same may come twice.
    networks
        Axes G of independent networks.
    generator
        A CPU generator.
    dtype, device
        Of the result.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, P, N)``, one unit an edge, +1 inside the clique and -1 elsewhere.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer or does not fit, or what ``random_patterns`` refuses.
    """
    _require_clique(vertices, clique)
    # One spin a network and pattern is drawn for its checks of the other arguments and for dtype and device.
    like = random_patterns(count, 1, networks=networks, generator=generator, dtype=dtype, device=device)
    require_room(patterns=like.numel(), edges=vertices * (vertices - 1) // 2)
    keys = torch.rand((*like.shape[:-1], vertices), generator=generator, dtype=torch.float64, device="cpu")
    members = keys.argsort(dim=-1)[..., :clique]
    return _induced(members, vertices, like)


def every_clique(
    vertices: int, clique: int, *, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """All C(v, k) cliques as patterns ``(P, N)``, in lexicographic order; see :func:`random_cliques`.

    Raises
    ------
    ArgumentError
        If the sizes do not fit, or there are more than ten million cliques.
    """
    _require_clique(vertices, clique)
    count = math.comb(vertices, clique)
    dtype, device = require_dtype("dtype", dtype), require_device("device", device)
    if count > 10**7:
        raise ArgumentError("clique", "at most 10000000 cliques", str(count), "Draw some with random_cliques.")
    members = np.fromiter(itertools.combinations(range(vertices), clique), dtype=(np.int64, clique), count=count)
    return _induced(torch.from_numpy(members), vertices, torch.empty(0, dtype=dtype, device=device))


@dataclass(frozen=True)
class Classes:
    """A learned network on the edges of a graph, averaged over all ways to rename the vertices.

    Attributes
    ----------
    mean
        Axes ``(*G, 3)``: mean coupling x of two edges that share a vertex, mean coupling y of two that do not, mean
        threshold.
    deviation
        Standard deviation within each of the three classes, same axes.
    """

    mean: torch.Tensor
    deviation: torch.Tensor


def classes(couplings: torch.Tensor, thresholds: torch.Tensor, vertices: int) -> Classes:
    """Collapse a network of units 0 and 1 on the edges of a graph to three numbers.

    Parameters
    ----------
    couplings
        J, axes ``(*G, N, N)``, N = v (v - 1) / 2.
    thresholds
        theta, axes ``(*G, N)``.
    vertices
        v, at least 4, so that there are edges without a common vertex.

    Returns
    -------
    Classes
        Mean and standard deviation of each class.

    Raises
    ------
    ArgumentError
        If the axes do not fit each other or the graph.
    """
    _require_graph(couplings, thresholds, vertices, at_least=4)
    common = _common_ends(vertices, couplings.device)
    members = [couplings[..., common == 1], couplings[..., common == 0], thresholds]
    return Classes(
        torch.stack([m.mean(dim=-1) for m in members], dim=-1),
        torch.stack([m.std(dim=-1, correction=0) for m in members], dim=-1),
    )


def clique_bound(couplings: torch.Tensor, thresholds: torch.Tensor, vertices: int, clique: int) -> torch.Tensor:
    r"""Lower bounds on the cost of every flip at every clique: a proof for all C(v, k) cliques at once.

    For an edge e the field at the clique on the vertices S is a sum over the vertices and pairs of S. The smallest
    value of such a sum over all S of k vertices is at least what one gets if each vertex may choose its partners for
    itself, half of each pair's term charged to either end (Gilmore 1962, Lawler 1963). Sorting does it.

    Parameters
    ----------
    couplings
        J of units 0 and 1, axes ``(*G, N, N)``, N = v (v - 1) / 2, symmetric, zero on the diagonal.
    thresholds
        theta, axes ``(*G, N)``.
    vertices, clique
        v and k, 2 <= k <= v - 2.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, 3)``: bounds on :math:`\sigma_e h_e` for edges inside the clique, with one end in it, and with none.
        Where all three are positive, every clique is a strict local minimum. Where one is not, nothing is proven.
        Nothing is rounded where all weights are whole multiples of one power of two, of which a sum holds fewer than
        2**52 in float64, as in the networks of :meth:`~memscape.memory.probability_flow.LearnedNetwork.network`.

    Raises
    ------
    ArgumentError
        If the axes do not fit each other or the graph, or the clique does not fit the graph.
    """
    _require_graph(couplings, thresholds, vertices, at_least=4)
    _require_clique(vertices, clique, spare=2)
    networks, neurons = thresholds.shape[:-1], thresholds.shape[-1]
    ends = edges(vertices).to(couplings.device)
    number = torch.zeros(vertices, vertices, dtype=torch.int64, device=couplings.device)
    number[ends[0], ends[1]] = number[ends[1], ends[0]] = torch.arange(neurons, device=couplings.device)
    block = pieces.fitting(32 * math.prod(networks) * vertices**2)
    found = []
    for units in torch.arange(neurons, device=couplings.device).split(block):
        # terms[..., e, u, w] is the coupling of edge e to edge uw; loops and the ends of e are left out below.
        terms = couplings[..., units, :][..., number]
        here = torch.arange(len(units), device=couplings.device)
        first, second = ends[0, units], ends[1, units]
        free = torch.ones(len(units), vertices, dtype=torch.bool, device=couplings.device)
        free[here, first] = free[here, second] = False
        by_first, by_second = terms[..., here, first, :], terms[..., here, second, :]
        theta = thresholds[..., units]
        inside = _least(by_first + by_second, terms, free, clique - 2) - theta
        touching = torch.minimum(
            _least(-by_first, -terms, free, clique - 1), _least(-by_second, -terms, free, clique - 1)
        )
        none = _least(torch.zeros_like(by_first), -terms, free, clique)
        found.append(torch.stack([inside, touching + theta, none + theta], dim=-1).amin(dim=-2))
    return torch.stack(found).amin(dim=0)


def _least(single: torch.Tensor, pairs: torch.Tensor, free: torch.Tensor, size: int) -> torch.Tensor:
    """Lower bound on the sum of ``single[u]`` and ``pairs[u, w]``, u < w, over any ``size`` of the ``free`` vertices.

    ``(..., E, V)``, ``(..., E, V, V)`` and booleans ``(E, V)`` to ``(..., E)``.
    """
    if size == 0:
        return single.new_zeros(single.shape[:-1])
    vertices = free.shape[-1]
    loops = torch.eye(vertices, dtype=torch.bool, device=free.device)
    partners = pairs.masked_fill(~free[:, None, :] | loops, torch.inf)
    charged = single + partners.sort(dim=-1).values[..., : size - 1].sum(dim=-1) / 2
    return charged.masked_fill(~free, torch.inf).sort(dim=-1).values[..., :size].sum(dim=-1)


@dataclass(frozen=True)
class CliqueCone:
    r"""The triples (x, y, theta) for which every k-clique of v vertices is a strict local minimum, exactly.

    With the coupling x of edges that share a vertex, y of edges that do not and the threshold theta, the field of an
    edge depends on how many of its ends are in the clique. All flips cost energy if and only if

    .. math:: 2(k-2)\, x + \tbinom{k-2}{2}\, y > \theta, \qquad
              (k-1)\, x + \tbinom{k-1}{2}\, y < \theta, \qquad
              \tbinom{k}{2}\, y < \theta ,

    for edges inside, with one end in it, and with none. Three inequalities in three unknowns: an open cone with three
    rays.

    Parameters
    ----------
    vertices, clique
        v and k, 2 <= k <= v - 2, so that there are edges of all three kinds. v matters for nothing else.

    Raises
    ------
    ArgumentError
        If the sizes are not integers in these ranges.
    """

    vertices: int
    clique: int

    def __post_init__(self) -> None:
        _require_clique(self.vertices, self.clique, spare=2)

    @property
    def inequalities(self) -> tuple[tuple[int, int, int], ...]:
        """Rows (a, b, c), whole: the inequalities are a x + b y + c theta > 0; inside, one end, none."""
        k = self.clique
        return (
            (2 * (k - 2), math.comb(k - 2, 2), -1),
            (-(k - 1), -math.comb(k - 1, 2), 1),
            (0, -math.comb(k, 2), 1),
        )

    @property
    def rays(self) -> tuple[tuple[int, int, int], ...]:
        """The three edges of the cone, as smallest whole vectors: on the i-th only the i-th inequality is strict.

        The open cone is the set of their sums with positive coefficients.
        """
        rows = self.inequalities
        found = []
        for i in range(3):
            (a, b, c), (d, e, f) = rows[(i + 1) % 3], rows[(i + 2) % 3]
            cross = (b * f - c * e, c * d - a * f, a * e - b * d)
            inward = sum(p * q for p, q in zip(rows[i], cross, strict=True)) > 0
            common = math.gcd(*cross) * (1 if inward else -1)
            found.append((cross[0] // common, cross[1] // common, cross[2] // common))
        return tuple(found)

    def costs(self, shared: Number, disjoint: Number, threshold: Number) -> tuple[Fraction, Fraction, Fraction]:
        """What it costs to flip an edge inside, with one end in, and outside every clique, as exact fractions.

        Parameters
        ----------
        shared, disjoint, threshold
            x, y and theta: integers, fractions or finite floats, taken at their exact values.

        Raises
        ------
        ArgumentError
            If one of them is not a finite number.
        """
        point = []
        for name, value in (("shared", shared), ("disjoint", disjoint), ("threshold", threshold)):
            require_number(name, value)
            point.append(Fraction(value))
        inside, touching, none = (sum(a * p for a, p in zip(row, point, strict=True)) for row in self.inequalities)
        return Fraction(inside), Fraction(touching), Fraction(none)

    def contains(self, shared: Number, disjoint: Number, threshold: Number) -> bool:
        """Whether the network with these weights stores every clique, without rounding; see :meth:`costs`."""
        return min(self.costs(shared, disjoint, threshold)) > 0

    def widest(self) -> tuple[float, float, float]:
        r"""The direction (x, y, theta) with the largest margin, scaled so that the cheapest flip costs 1.

        This is where minimum probability flow goes if it is trained on all cliques: by symmetry it stays in the three
        parameters, and there it climbs to the largest margin relative to the length
        :math:`\sqrt{2(v-2) x^2 + \binom{v-2}{2} y^2 + \theta^2}` of a row of (J, theta).
        """
        v = self.vertices
        metric = np.array([2.0 * (v - 2), math.comb(v - 2, 2), 1.0]) ** -0.5
        rows = np.array(self.inequalities, dtype=float) * metric
        # The shortest vector with rows @ p >= 1 (Lawson & Hanson 1974, chapter 23).
        system, target = np.vstack([rows.T, np.ones(3)]), np.array([0.0, 0.0, 0.0, 1.0])
        residual = system @ nonnegative_least_squares(system, target) - target
        x, y, theta = (-residual[:3] / residual[3] * metric).tolist()
        return x, y, theta


def noise_weights(vertices: int, clique: int) -> tuple[Fraction, Fraction, Fraction]:
    r"""Weights x = 1, y and theta made for noisy cliques.

    Flip every edge with probability p. The expected fields of an edge inside the clique and of one with one end in
    it then differ by :math:`(1 - 2p)\,[(k-3) x - (k-2) y]`, which is positive for every p < 1/2 if x > 0 >= y. Both are
    linear in p. The weights returned put the threshold in the middle between them for every p at once. This derivation
    is ours.

    Parameters
    ----------
    vertices, clique
        v and k, 4 <= k <= v - 2.

    Returns
    -------
    tuple of Fraction
        (x, y, theta).

    Raises
    ------
    ArgumentError
        If the sizes do not fit.
    """
    require_integer("clique", clique, at_least=4)
    _require_clique(vertices, clique, spare=2)
    v, k = vertices, clique
    inside, touching = math.comb(k - 2, 2), math.comb(k - 1, 2)
    # Neighbours that are on: for the two kinds of edges together, without noise, and their change with p.
    sharing, sharing_change = 2 * (k - 2) + (k - 1), 4 * (v - 2) - 2 * (2 * (k - 2) + (k - 1))
    apart, apart_change = inside + touching, 2 * math.comb(v - 2, 2) - 2 * (inside + touching)
    y = -Fraction(sharing_change, apart_change)
    return Fraction(1), y, (sharing + y * apart) / 2


def noise_limit(vertices: int, clique: int, weights: Sequence[Number]) -> Fraction:
    r"""Largest share of flipped edges at which expected fields still lead back to the clique, exactly.

    An edge that is flipped with probability p is on with probability :math:`(1 - 2p)\, x_e + p`. So a flip that costs c
    at the clique is expected to cost

    .. math:: (1 - 2p)\, c \pm p\,(T - 2 \theta), \qquad T = 2(v-2)\, x + \tbinom{v-2}{2}\, y ,

    at the damaged one, with + for edges inside and - for the others: noise pulls all fields towards one value. Fields
    scatter about what is expected, so that less noise than this is put right. This derivation is ours.

    Parameters
    ----------
    vertices, clique
        v and k, 2 <= k <= v - 2.
    weights
        (x, y, theta) inside the cone of :class:`CliqueCone`.

    Returns
    -------
    Fraction
        p, dimensionless, at most 1/2, where nothing of the clique is left.

    Raises
    ------
    ArgumentError
        If the sizes do not fit or the weights do not store every clique.
    """
    cone = CliqueCone(vertices, clique)
    given = list(require_sequence("weights", weights, "three numbers (x, y, theta)"))
    if len(given) != 3 or not all(isinstance(weight, Real) and math.isfinite(weight) for weight in given):
        raise ArgumentError(
            "weights", "three finite numbers (x, y, theta)", repr(weights), "Take widest() of the cone."
        )
    costs = cone.costs(*given)
    if min(costs) <= 0:
        raise ArgumentError("weights", "a point of the cone", str(tuple(map(float, weights))), "Take widest() of it.")
    x, y, theta = (Fraction(weight) for weight in weights)
    pull = 2 * (vertices - 2) * x + math.comb(vertices - 2, 2) * y - 2 * theta
    signed = zip(costs, (pull, -pull, -pull), strict=True)
    return min(cost / (2 * cost + max(Fraction(0), -toward)) for cost, toward in signed)


@dataclass(frozen=True)
class CliqueNetwork(Model):
    r"""The network of three parameters on the edges of a graph, in linear time.

    With the degrees :math:`d_u` of the graph of edges that are on, and their number m, the field of the edge uw is

    .. math:: h_{uw} = x\,(d_u + d_w - 2 x_{uw}) + y\,(m - d_u - d_w + x_{uw}) - \theta .

    No matrix of N x N couplings is needed: N numbers are read and N written, and a flip changes two degrees.

    Parameters
    ----------
    vertices
        v, at least 2; N = v (v - 1) / 2.
    weights
        (x, y, theta) of units 0 and 1, axes ``(*G, 3)``.

    Raises
    ------
    ArgumentError
        If ``vertices`` is not an integer of at least 2 or the weights are not a finite tensor with a last axis of 3.
    """

    vertices: int
    weights: torch.Tensor

    def __post_init__(self) -> None:
        require_integer("vertices", self.vertices, at_least=2, at_most=_MOST_VERTICES)
        require_tensor("weights", self.weights, "... parameters", sizes={"parameters": 3})

    @property
    def networks(self) -> tuple[int, ...]:
        """The axes G of independent networks."""
        return tuple(self.weights.shape[:-1])

    @property
    def neurons(self) -> int:
        """Number of edges N = v (v - 1) / 2."""
        return math.comb(self.vertices, 2)

    @property
    def probes_at_once(self) -> None:
        """No limit: a tracker keeps the states and their degrees."""
        return None

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """Energy in the units 0 and 1, which is 0 where no edge is on: ``(*G, ..., N)`` to ``(*G, ...)``.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        degrees = self.degrees(state)
        x, y, theta = self._columns(degrees)
        number = degrees.sum(dim=-1) / 2
        meeting = (degrees * (degrees - 1)).sum(dim=-1) / 2
        apart = number * (number - 1) / 2 - meeting
        return (theta * number - x * meeting - y * apart).reshape(state.shape[:-1])

    def degrees(self, state: torch.Tensor) -> torch.Tensor:
        """Degree of every vertex, axes ``(*G, B, v)`` with the probes flattened to B; refuses what ``energy`` does."""
        require_state("state", state, self.weights[..., None, :1].expand(*self.networks, 1, self.neurons))
        # The edges of a vertex are read and summed as a row: three times as fast as adding each edge to its two ends.
        probes = as_probes(state, self.networks).split(self._probes_in_cache, dim=-2)
        rows = [some.index_select(-1, self._incident).unflatten(-1, (self.vertices, -1)).sum(dim=-1) for some in probes]
        return torch.cat(rows, dim=-2).add_(self.vertices - 1).div_(2)

    def field(self, state: torch.Tensor) -> torch.Tensor:
        """Local fields [E(s_e = -1) - E(s_e = +1)] / 2, half of h above; ``(*G, ..., N)`` to the same axes.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        degrees = self.degrees(state)
        x, y, theta = (value[..., None] for value in self._columns(degrees))
        first, second = edges(self.vertices).to(state.device)
        scaled = (x - y) / 2 * degrees
        common = (y * (degrees.sum(dim=-1, keepdim=True) / 2) - theta) / 2
        found = []
        for where in pieces.slices(degrees.shape[-2], self._probes_in_cache):
            some = scaled[..., where, :]
            fields = some.index_select(-1, first).add_(some.index_select(-1, second)).add_(common[..., where, :])
            twice = as_probes(state, self.networks)[..., where, :] + 1
            found.append(torch.addcmul(fields, twice, (x - y / 2) / 2, value=-1.0))
        return torch.cat(found, dim=-2).reshape(state.shape)

    def update(self, state: torch.Tensor) -> torch.Tensor:
        """Every edge at once takes the sign of its field; an edge without a field keeps its value.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        return align(state, self.field(state))

    def track(self, state: torch.Tensor) -> DegreeTracker:
        """Start asynchronous dynamics at the states ``(*G, ..., N)``; refuses what ``energy`` refuses."""
        return DegreeTracker(self, state)

    def dense(self) -> Hopfield:
        """The same network with its matrix of couplings, ``(*G, N, N)``."""
        common = _common_ends(self.vertices, self.weights.device)
        x, y, theta = (self.weights[..., i, None, None] for i in range(3))
        couplings = torch.where(common == 1, x, torch.where(common == 0, y, 0.0))
        return from_bits(couplings, theta[..., 0].expand(*self.networks, self.neurons))

    @property
    def _probes_in_cache(self) -> int:
        """Probes of which the edges, those of all vertices one after another, stay in a core's own cache."""
        return pieces.cached(2 * self.neurons * self.weights.element_size())

    @cached_property
    def _incident(self) -> torch.Tensor:
        """Numbers of the edges of vertex 0, of vertex 1, ..., axes ``(v (v - 1),)``."""
        first, second = edges(self.vertices).to(self.weights.device)
        number = first.new_zeros(self.vertices, self.vertices)
        number[first, second] = number[second, first] = torch.arange(self.neurons, device=first.device)
        # Without its first entry, the diagonal is every (v + 1)th.
        return number.flatten()[1:].unflatten(0, (self.vertices - 1, -1))[:, :-1].flatten()

    def _columns(self, degrees: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """x, y and theta with an axis for the probes, each ``(*G, 1)``."""
        x, y, theta = self.weights[..., None, :].to(degrees.dtype).unbind(-1)
        return x, y, theta


class DegreeTracker:
    """Fields of a :class:`CliqueNetwork`: reading one and flipping one take a few operations, whatever N is."""

    def __init__(self, model: CliqueNetwork, state: torch.Tensor) -> None:
        degrees = model.degrees(state)
        spins = flat(state, model.networks)
        degrees = degrees.reshape(*spins.shape[:2], model.vertices)
        self._number = degrees.sum(dim=-1) / 2
        # One edge or vertex after the other, so that what a flip reads and writes of one lies together.
        by_edge, by_vertex = (
            part.movedim(-1, 0).clone(memory_format=torch.contiguous_format) for part in (spins, degrees)
        )
        self.state = by_edge.movedim(0, -1)
        self._spins, self._bits, self._degrees = by_edge.unbind(), ((by_edge + 1) / 2).unbind(), by_vertex.unbind()
        self._weights = model.weights.reshape(-1, 1, 3).unbind(-1)
        self._ends = edges(model.vertices).T.tolist()

    def field(self, neuron: int) -> torch.Tensor:
        """Local field of one edge in every state, ``(G', B)``."""
        x, y, theta = self._weights
        u, w = self._ends[neuron]
        bit, both = self._bits[neuron], self._degrees[u] + self._degrees[w]
        touching = x * both.sub(bit, alpha=2)
        return touching.add_(self._number.sub(both).add_(bit).mul_(y)).sub_(theta).div_(2)

    def flip(self, neuron: int, where: torch.Tensor) -> None:
        """Turn the edge over where ``where``, ``(G', B)``, is true."""
        change = torch.where(where, -self._spins[neuron], 0.0)
        self._spins[neuron].add_(change, alpha=2)
        self._bits[neuron].add_(change)
        for vertex in self._ends[neuron]:
            self._degrees[vertex].add_(change)
        self._number += change


def _induced(members: torch.Tensor, vertices: int, like: torch.Tensor) -> torch.Tensor:
    """Spins of the edges of the cliques on ``members``, ``(..., k)`` vertices to ``(..., N)``."""
    marks = torch.zeros(*members.shape[:-1], vertices, dtype=torch.bool, device="cpu").scatter_(-1, members, value=True)
    first, second = edges(vertices)
    inside = marks.index_select(-1, first) & marks.index_select(-1, second)
    return (2 * inside.to(torch.int8) - 1).to(device=like.device, dtype=like.dtype)


def _common_ends(vertices: int, device: torch.device) -> torch.Tensor:
    """How many vertices two edges share, integers 0, 1 or 2 on the diagonal, axes ``(N, N)``."""
    ends = edges(vertices).to(device)
    return (ends[:, None, :, None] == ends[None, :, None, :]).sum(dim=(0, 1))


def _require_clique(vertices: int, clique: int, *, spare: int = 0) -> None:
    require_integer("vertices", vertices, at_least=2 + spare, at_most=_MOST_VERTICES)
    require_integer("clique", clique, at_least=2, at_most=vertices - spare)


def _require_graph(couplings: torch.Tensor, thresholds: torch.Tensor, vertices: int, *, at_least: int) -> None:
    require_integer("vertices", vertices, at_least=at_least, at_most=_MOST_VERTICES)
    require_bits(couplings, thresholds)
    neurons = math.comb(vertices, 2)
    if couplings.shape[-1] != neurons:
        raise ArgumentError("couplings", f"{neurons} units, the edges of {vertices} vertices", str(couplings.shape[-1]))
