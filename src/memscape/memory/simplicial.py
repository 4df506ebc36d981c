r"""Simplicial Hopfield networks: connections that join three neurons or more.

A pairwise network joins neurons along the edges of a graph. Burns & Fukai (2023) join them along the simplices of a
complex: a simplex :math:`\sigma` of dimension d is a set of d + 1 neurons, an edge for d = 1, a triangle for d = 2, a
tetrahedron for d = 3. Every simplex learns by Hebb's rule, and the energy is the sum over the simplices,

.. math:: w(\sigma) = \frac1N \sum_{\mu=1}^{P} \prod_{i \in \sigma} \xi_i^\mu, \qquad
          E(s) = -\sum_{\sigma} w(\sigma) \prod_{i \in \sigma} s_i, \qquad
          h_i = \sum_{\sigma \ni i} w(\sigma) \prod_{j \in \sigma \setminus i} s_j .

With all the edges and nothing else this is Hopfield's network of 1982, to the bit.

**All simplices.** The products over all sets of k neurons add up to the elementary symmetric polynomial
:math:`e_k(\xi_1 s_1, \dots, \xi_N s_N)`, and because each factor is a sign it depends on the overlap x alone: it is a
Krawtchouk polynomial,

.. math:: (k + 1)\, e_{k+1}(x) = x\, e_k(x) - (N - k + 1)\, e_{k-1}(x), \qquad e_0 = 1, \quad e_1 = x .

So a complete skeleton is a :class:`~memscape.memory.dense.DenseMemory` whose interaction is the :class:`Skeleton`,
and no simplex is ever listed.

**Some simplices.** :class:`~memscape.tools.complexes.Simplices` lists those that bear a weight, for one network or for
each of many, and :class:`Simplicial` is the network on them.

**Sets and complexes.** A simplicial complex contains the faces of its simplices: whoever has a triangle has its three
edges and three vertices. "Triangles only" therefore speaks of the weights. The faces are there and bear none, and the
number of connections counts weights. :func:`~memscape.tools.complexes.to_gudhi` makes the complex, faces included, and
marks what bears a weight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import torch

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_integer,
    require_number,
    require_tensor,
)
from memscape.memory.dense import DenseMemory
from memscape.memory.patterns import align, flat, require_state
from memscape.tools import pieces
from memscape.tools.complexes import Simplices, require_dimensions, sample
from memscape.tools.models import Model

__all__ = [
    "KEYS",
    "SimplexTracker",
    "Simplicial",
    "Skeleton",
    "diluted",
    "matched",
    "next_overlap",
    "skeleton",
    "store",
]

KEYS: Mapping[str, Mapping[int, float]] = MappingProxyType(
    {
        "K1": {1: 1.0},
        "R_1bar2": {1: 0.75, 2: 0.25},
        "R_12": {1: 0.5, 2: 0.5},
        "R_12bar": {1: 0.25, 2: 0.75},
        "R_2": {2: 1.0},
        "R_1bar3": {1: 0.75, 3: 0.25},
        "R_13": {1: 0.5, 3: 0.5},
        "R_13bar": {1: 0.25, 3: 0.75},
        "R_3": {3: 1.0},
    }
)
"""Share of each dimension among the connections of a network, by the names of Burns & Fukai (2023).

The bar marks the dimension that prevails. The names with a 3 are the same with tetrahedra in the place of triangles.
"""

_SINGLE = 2**24
"""Whole numbers up to this add up in float32 without rounding, in any order."""


# All simplices


@dataclass(frozen=True)
class Skeleton(Model):
    r"""F(x): the sum of products over all simplices of the given dimensions, for the interaction of a dense memory.

    .. math:: F(x) = \sum_{d} e_{d+1}(x), \qquad x = \sum_i \xi_i s_i .

    Parameters
    ----------
    neurons
        Number of neurons N; the polynomials depend on it.
    dimensions
        Dimensions d of the simplices, distinct, 0 (vertices, which act as thresholds) to N - 1. The complete
        K-skeleton has (1, ..., K).

    Raises
    ------
    ArgumentError
        If a size is out of range or a dimension stands twice.
    """

    neurons: int
    dimensions: tuple[int, ...]

    def __post_init__(self) -> None:
        require_count("neurons", self.neurons)
        require_dimensions(self.dimensions, self.neurons)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """F at real overlaps x, any axes."""
        before, here = torch.zeros_like(require_tensor("x", x, "...")), torch.ones_like(x)
        total = torch.zeros_like(x)
        for k in range(max(self.dimensions) + 1):
            before, here = here, (x * here - (self.neurons - k + 1) * before) / (k + 1)
            if k in self.dimensions:
                total = total + here
        return total

    def derivative(self, x: torch.Tensor) -> torch.Tensor:
        """F'(x), any axes; the recurrence, differentiated."""
        before, here = torch.zeros_like(require_tensor("x", x, "...")), torch.ones_like(x)
        slope_before, slope, total = before, before, before
        for k in range(max(self.dimensions) + 1):
            weight = self.neurons - k + 1
            slope_before, slope = slope, (here + x * slope - weight * slope_before) / (k + 1)
            before, here = here, (x * here - weight * before) / (k + 1)
            if k in self.dimensions:
                total = total + slope
        return total

    def exact(self, x: int) -> int:
        """F at an integer overlap of the parity of N, without rounding."""
        require_integer("x", x, at_least=-self.neurons, at_most=self.neurons)
        before, here, total = 0, 1, 0
        for k in range(max(self.dimensions) + 1):
            before, here = here, (x * here - (self.neurons - k + 1) * before) // (k + 1)
            total += here * (k in self.dimensions)
        return total

    def fit(self, neurons: int) -> None:
        """Raise ArgumentError unless N is the skeleton's own and F(N), the number of simplices, fits a float64."""
        if neurons != self.neurons:
            raise ArgumentError(
                "interaction",
                f"a skeleton on {neurons} neurons",
                f"one on {self.neurons}",
                "Its polynomials depend on the number of neurons.",
            )
        if self.exact(neurons).bit_length() > 1000:
            raise ArgumentError(
                "interaction", "fewer than 2**1000 simplices", "more", "Take fewer neurons or dimensions near 0 or N."
            )


def skeleton(patterns: torch.Tensor, dimension: int) -> DenseMemory:
    r"""The complete K-skeleton: patterns stored in all simplices of dimension 1 to K, none of them listed.

    Its energy is in units of the number of simplices, :math:`\sum_{k=2}^{K+1} \binom Nk`; times that over N it is the
    energy of :func:`store` on the same simplices.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    dimension
        K, 1 (Hopfield's network) to N - 1.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or the dimension is out of range.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    neurons = patterns.shape[-1]
    require_integer("dimension", dimension, at_least=1, at_most=neurons - 1)
    return DenseMemory(patterns, Skeleton(neurons, tuple(range(1, dimension + 1))))


# Some simplices


def diluted(
    neurons: int,
    key: str,
    *,
    connections: int | None = None,
    networks: Sequence[int] = (),
    generator: torch.Generator,
) -> Simplices:
    """A diluted network of Burns & Fukai (2023): as many connections as all pairs, shared out over the dimensions.

    Parameters
    ----------
    neurons
        Number of neurons N.
    key
        One of :data:`KEYS`.
    connections
        Number of simplices in all; by default N (N - 1) / 2. :func:`matched` gives the number that leaves a neuron as
        many inputs as in the pairwise network.
    networks
        Axes G of independent networks.
    generator
        A CPU generator.

    Raises
    ------
    ArgumentError
        If the key is unknown, or there are not enough simplices or connections.
    """
    require_count("neurons", neurons, at_least=2)
    require_choice("key", key, list(KEYS))
    if connections is None:
        connections = math.comb(neurons, 2)
    require_count("connections", connections, at_least=len(KEYS[key]))
    counts, taken, share = {}, 0, 0.0
    for dimension, part in KEYS[key].items():  # rounded in sums, so that no connection is lost
        share += part
        counts[dimension] = round(share * connections) - taken
        taken += counts[dimension]
    return sample(neurons, counts, networks=networks, generator=generator)


def matched(neurons: int, key: str) -> int:
    """Number of connections with which a neuron has N - 1 inputs on average, as in the pairwise network.

    An edge is an input to two neurons, a triangle to three, a tetrahedron to four. With equal numbers of connections
    R_2 gives a neuron 3/2 of the inputs of K1; two thirds of the triangles even that out.

    Parameters
    ----------
    neurons
        Number of neurons N, 2 to 2**53.
    key
        One of :data:`KEYS`.

    Raises
    ------
    ArgumentError
        If the key is unknown or N is out of range.
    """
    require_integer("neurons", neurons, at_least=2, at_most=2**53)
    require_choice("key", key, list(KEYS))
    return round(math.comb(neurons, 2) * 2 / sum((d + 1) * share for d, share in KEYS[key].items()))


def store(patterns: torch.Tensor, simplices: Simplices) -> Simplicial:
    r"""Store patterns in simplices by Hebb's rule, :math:`w(\sigma) = \frac1N \sum_\mu \prod_{i \in \sigma} \xi_i^\mu`.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    simplices
        On N neurons, either one set for all networks or one for each, axes ``(*G, C, k)``.

    Returns
    -------
    Simplicial
        Whole couplings with the unit 1/N, on the device of the patterns.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or the simplices do not fit them.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    if not isinstance(simplices, Simplices):
        raise ArgumentError("simplices", "Simplices", type(simplices).__name__, "Make them with diluted or complete.")
    networks, neurons = tuple(patterns.shape[:-2]), patterns.shape[-1]
    if simplices.neurons != neurons:
        raise ArgumentError("simplices", f"simplices on {neurons} neurons", f"on {simplices.neurons}")
    if simplices.networks not in ((), networks):
        raise ArgumentError(
            "simplices", f"networks {networks} as in the patterns, or one set for all", str(simplices.networks)
        )
    members = tuple(rows.to(patterns.device).expand(*networks, *rows.shape[-2:]) for rows in simplices.members)
    simplices = Simplices(neurons, members)
    couplings = [patterns.new_zeros(rows.shape[:-1]) for rows in members]
    memories = patterns.reshape(-1, *patterns.shape[-2:])
    indices = _flat_indices(simplices)
    for some in memories.split(pieces.fitting(16 * sum(rows.shape[1] for rows in indices)), dim=1):
        columns = _columns(some)
        for coupling, rows in zip(couplings, indices, strict=True):
            coupling += _products(columns, rows).sum(dim=-1, dtype=torch.int64).reshape(coupling.shape)
    return Simplicial(simplices, tuple(couplings), 1.0 / neurons)


@dataclass(frozen=True)
class Simplicial(Model):
    r"""Binary units joined by simplices, with energy :math:`E(s) = -u \sum_\sigma J(\sigma) \prod_{i \in \sigma} s_i`.

    Parameters
    ----------
    simplices
        The simplices that bear a weight, for the networks G.
    couplings
        J, one tensor for each of ``simplices.members``: axes ``(*G, C)``, whole numbers in one floating dtype, which
        states must share.
    unit
        The unit of energy u, positive; the weights are w = u J.

    Raises
    ------
    ArgumentError
        If couplings and simplices do not fit, a coupling is not a whole number, their sum is beyond 2**53, or the
        unit is not positive.

    Notes
    -----
    Energies and fields are float64. Sums of products are made in float32 where the couplings are small enough for
    that to be exact, else in float64; a tie is always a tie. Probes are worked through in pieces that fit the budget of
    :mod:`memscape.tools.pieces`; results do not depend on it.
    """

    simplices: Simplices
    couplings: tuple[torch.Tensor, ...]
    unit: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.simplices, Simplices):
            raise ArgumentError(
                "simplices", "Simplices", type(self.simplices).__name__, "Make them with diluted or complete."
            )
        members = self.simplices.members
        if not isinstance(self.couplings, tuple) or len(self.couplings) != len(members):
            raise ArgumentError("couplings", f"a tuple of {len(members)} tensors, one a size", "another")
        for coupling, rows in zip(self.couplings, members, strict=True):
            require_tensor("couplings", coupling, "... simplices", device=rows.device, dtype=self.couplings[0].dtype)
            if coupling.shape != rows.shape[:-1]:
                raise ArgumentError("couplings", f"shape {tuple(rows.shape[:-1])}", f"shape {tuple(coupling.shape)}")
            if (coupling != coupling.round()).any():
                raise ArgumentError("couplings", "whole numbers", "others", "Scale them and put the scale into unit.")
        if self._weight >= 2**53:
            raise ArgumentError("couplings", "sums of sizes below 2**53", "larger", "Beyond it sums are not exact.")
        require_number("unit", self.unit, above=0.0)

    @property
    def networks(self) -> tuple[int, ...]:
        """The axes G of independent networks."""
        return self.simplices.networks

    @property
    def neurons(self) -> int:
        """Number of neurons N."""
        return self.simplices.neurons

    @property
    def weights(self) -> tuple[torch.Tensor, ...]:
        """w = u J, one tensor ``(*G, C)`` a size."""
        return tuple(self.unit * coupling for coupling in self.couplings)

    @property
    def probes_at_once(self) -> int:
        """Probes of every network that fit the budget while they are tracked, at least 1."""
        networks, neurons, most = self._incident.shape
        width, size = self._vertices.shape[1:]
        # A product and a field each in at most 8 bytes; where all probes flip at once, indices and changes.
        each = 8 * (width + 3 * neurons) + most * (24 + 16 * size)
        return pieces.fitting(networks * each)

    @cached_property
    def _weight(self) -> float:
        """Largest sum of |J| over the simplices of a network."""
        sums = [coupling.double().abs().sum(dim=-1) for coupling in self.couplings]
        return float(torch.stack(sums).sum(dim=0).max())

    @cached_property
    def _dtype(self) -> torch.dtype:
        return torch.float32 if self._weight < _SINGLE else torch.float64

    @cached_property
    def _like(self) -> torch.Tensor:
        """What a state has to fit: networks, neurons, dtype and device, in no memory."""
        return self.couplings[0].new_empty(()).expand(*self.networks, 1, self.neurons)

    @cached_property
    def _indices(self) -> list[torch.Tensor]:
        return _flat_indices(self.simplices)

    @cached_property
    def _strengths(self) -> torch.Tensor:
        """J of all simplices of all networks in one row, sizes outermost, as the products come."""
        return torch.cat([coupling.reshape(-1) for coupling in self.couplings]).to(self._dtype)

    @cached_property
    def _incidence(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Simplices by neuron in compressed rows: places, where each neuron's begin, and J at the places."""
        owners = torch.cat([index.T.reshape(-1) for index in self._indices])
        sizes = torch.cat([index.new_full(index.shape[1:], len(index)) for index in self._indices])
        places = torch.arange(len(sizes), device=sizes.device).repeat_interleave(sizes)
        order = owners.argsort(stable=True)
        ends = torch.bincount(owners, minlength=math.prod(self.networks) * self.neurons).cumsum(dim=0)
        starts = torch.cat([ends.new_zeros(1), ends])
        return places[order], starts, self._strengths[places[order]]

    @cached_property
    def _vertices(self) -> torch.Tensor:
        """Vertices of every simplex, (G', C + 1, k); N stands where there is none, as in all of the last simplex."""
        members = [rows.reshape(-1, *rows.shape[-2:]) for rows in self.simplices.members]
        size = max(rows.shape[-1] for rows in members)
        padded = [torch.nn.functional.pad(rows, (0, size - rows.shape[-1]), value=self.neurons) for rows in members]
        return torch.nn.functional.pad(torch.cat(padded, dim=1), (0, 0, 0, 1), value=self.neurons)

    @cached_property
    def _incident(self) -> torch.Tensor:
        """Simplices that contain every neuron, (G', N, most); C stands where there are fewer than most."""
        vertices = self._vertices[:, :-1]
        networks, count, size = vertices.shape
        owners = vertices.reshape(networks, -1)
        order = owners.argsort(dim=-1, stable=True)
        owners = owners.gather(1, order)
        inputs = self.simplices.inputs.reshape(networks, -1)
        table = inputs.new_full((networks, self.neurons + 1, int(inputs.max())), count)
        begins = torch.nn.functional.pad(inputs.cumsum(dim=-1), (1, 0))
        rank = torch.arange(count * size, device=owners.device) - begins.gather(1, owners)
        real = owners < self.neurons
        network = torch.arange(networks, device=owners.device)[:, None].expand_as(owners)
        table[network[real], owners[real], rank[real]] = (order // size)[real]
        return table[:, :-1]

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """Energy of every state.

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, values in {-1, +1}, dtype and device of the couplings.

        Returns
        -------
        torch.Tensor
            Axes ``(*G, ...)``, float64.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        require_state("state", state, self._like)
        probes = flat(state, self.networks)
        energy = torch.empty(probes.shape[:-1], dtype=torch.float64, device=probes.device)
        for piece in self._pieces(probes.shape[1]):
            products = self._all_products(probes[:, piece])
            products *= self._strengths[:, None]
            parts = products.split([index.shape[1] for index in self._indices])
            sums = [part.reshape(len(probes), -1, part.shape[-1]).sum(dim=1, dtype=torch.float64) for part in parts]
            energy[:, piece] = -self.unit * torch.stack(sums).sum(dim=0)
        return energy.reshape(state.shape[:-1])

    def field(self, state: torch.Tensor) -> torch.Tensor:
        """Local fields of all units, half the energy gained by setting a unit to +1 rather than -1.

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, values in {-1, +1}, dtype and device of the couplings.

        Returns
        -------
        torch.Tensor
            Axes ``(*G, ..., N)``, float64.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        require_state("state", state, self._like)
        probes = flat(state, self.networks)
        field = torch.empty(probes.shape, dtype=torch.float64, device=probes.device)
        for piece in self._pieces(probes.shape[1]):
            field[:, piece] = self._sums(self._all_products(probes[:, piece])).mT
        return (field * probes * self.unit).reshape(state.shape)

    def update(self, state: torch.Tensor) -> torch.Tensor:
        """Every unit at once takes the sign of its field; a unit without field keeps its value.

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, values in {-1, +1}, dtype and device of the couplings.

        Returns
        -------
        torch.Tensor
            Same axes and dtype.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        return align(state, self.field(state))

    def track(self, state: torch.Tensor) -> SimplexTracker:
        """Follow the fields while units flip one at a time; see :class:`SimplexTracker`.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        require_state("state", state, self._like)
        return SimplexTracker(self, flat(state, self.networks).clone())

    def _pieces(self, probes: int) -> list[slice]:
        """Slices of the probes whose products fit the budget."""
        width = pieces.fitting(20 * len(self._strengths))
        if self.couplings[0].device.type == "cpu":
            width = min(width, pieces.cached(8 * len(self._strengths), at_least=64))
        return pieces.slices(probes, width)

    def _all_products(self, probes: torch.Tensor) -> torch.Tensor:
        """Product of the spins of every simplex of every network, probes along the rows: (simplices, B)."""
        columns = _columns(probes)
        products = torch.empty((len(self._strengths), columns.shape[1]), dtype=self._dtype, device=columns.device)
        parts = products.split([index.shape[1] for index in self._indices])
        for part, index in zip(parts, self._indices, strict=True):
            part.copy_(_products(columns, index))
        return products

    def _sums(self, products: torch.Tensor) -> torch.Tensor:
        """Sum of J times product over the simplices of every neuron, (G', N, B)."""
        places, starts, strengths = self._incidence
        sums = torch.nn.functional.embedding_bag(
            places, products, starts, mode="sum", per_sample_weights=strengths, include_last_offset=True
        )
        return sums.reshape(-1, self.neurons, products.shape[-1])


class SimplexTracker:
    r"""Local fields of a batch of states, kept up to date while units flip one at a time.

    What is kept is, for every probe, :math:`J(\sigma) \prod_{i \in \sigma} s_i` of every simplex and the sum of these
    over the simplices of every unit. To read a field then costs nothing, and a flip touches the simplices of one unit,
    in the probes that flipped. All numbers are whole, so that the fields stay exact however many units flip.

    Parameters
    ----------
    model
        The network.
    state
        States ``(G', B, N)``, kept and changed in place.
    """

    def __init__(self, model: Simplicial, state: torch.Tensor) -> None:
        self.state = state
        self._model = model

    @cached_property
    def _kept(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Signed couplings (G', B, C + 1) and their sums by neuron (G', B, N + 1); the last of each is for padding."""
        model, networks = self._model, len(self.state)
        products = model._all_products(self.state)
        sums = torch.nn.functional.pad(model._sums(products).mT, (0, 1))
        products *= model._strengths[:, None]
        parts = products.split([index.shape[1] for index in model._indices])
        signed = torch.cat([part.reshape(networks, -1, part.shape[-1]) for part in parts], dim=1)
        return torch.nn.functional.pad(signed.mT, (0, 1)), sums.contiguous()

    def field(self, neuron: int) -> torch.Tensor:
        """Local field of one unit in every state, axes ``(G', B)``, float64."""
        return self._kept[1][..., neuron].double() * self.state[..., neuron] * self._model.unit

    def flip(self, neuron: int, where: torch.Tensor) -> None:
        """Turn the unit over in the states where the boolean ``where``, axes ``(G', B)``, is true."""
        network, probe = where.nonzero(as_tuple=True)
        if len(probe) == 0:
            return
        signed, sums = self._kept
        self.state[network, probe, neuron] = -self.state[network, probe, neuron]
        touched = self._model._incident[network, neuron]  # (flips, most)
        rows, columns = network[:, None], probe[:, None]
        turned = -signed[rows, columns, touched]
        signed[rows, columns, touched] = turned
        vertices = self._model._vertices[rows, touched]  # (flips, most, size)
        changes = (2 * turned)[..., None].expand(vertices.shape).flatten(1)
        change = sums.new_zeros(len(probe), sums.shape[-1]).scatter_add_(1, vertices.flatten(1), changes)
        sums[network, probe] += change


def next_overlap(inputs: Mapping[int, float], patterns: int, overlap: torch.Tensor) -> torch.Tensor:
    r"""Overlap after one synchronous step from a state at a given overlap with one of P random patterns.

    A unit that :math:`k_d` simplices of each dimension d contain has, in units of 1/N, the signal
    :math:`\sum_d k_d m^d`. The other patterns add a noise of variance :math:`(P - 1) \sum_d k_d`, because products over
    different simplices are uncorrelated, whatever their sizes; and the signal has a spread of
    :math:`\sum_d k_d (1 - m^{2d})`, as the wrong units fall. With Gaussian noise

    .. math:: m' = \mathrm{erf} \frac{\sum_d k_d m^d}{\sqrt{2 \left[ (P - 1) \sum_d k_d + \sum_d k_d (1 - m^{2d})
              \right]}} .

    At m = 1 only the number of inputs counts, and their dimension does not. Simplices that share neurons spread the
    signal a little more than this.

    Parameters
    ----------
    inputs
        :math:`k_d` by dimension d, at least 0 and not all 0: ``{1: 99.0}`` for the pairwise network of 100.
    patterns
        Number of patterns P, at least 1.
    overlap
        m, any axes, values in [-1, 1].

    Returns
    -------
    torch.Tensor
        m', same axes.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    if not isinstance(inputs, Mapping) or not inputs:
        raise ArgumentError("inputs", "a dictionary from dimension to inputs of a neuron", repr(inputs))
    for dimension in inputs:
        require_count("inputs", dimension, at_least=0)
    inputs = {d: require_number(f"inputs[{d}]", number, at_least=0.0) for d, number in inputs.items()}
    total = require_number("inputs", sum(inputs.values()), above=0.0)
    require_count("patterns", patterns)
    require_tensor("overlap", overlap, "...")
    if (overlap.abs() > 1).any():
        raise ArgumentError("overlap", "values in [-1, 1]", f"{overlap[overlap.abs() > 1][0].item():.7g}")
    signal, variance = torch.zeros_like(overlap), torch.full_like(overlap, (patterns - 1) * total)
    for dimension, number in inputs.items():
        signal += number * overlap**dimension
        variance += number * (1 - overlap ** (2 * dimension))
    return torch.erf(signal / (2 * variance).sqrt())


def _flat_indices(simplices: Simplices) -> list[torch.Tensor]:
    """For every size the vertices as rows of :func:`_columns`, axes (k, G' C), one contiguous row a vertex."""
    found = []
    for rows in simplices.members:
        rows = rows.reshape(-1, *rows.shape[-2:])
        start = torch.arange(len(rows), device=rows.device)[:, None, None] * simplices.neurons
        found.append((rows + start).flatten(0, 1).T.contiguous())
    return found


def _columns(probes: torch.Tensor) -> torch.Tensor:
    """Spins as int8, one row a neuron of a network, probes next to each other: (G', B, N) to (G' N, B)."""
    return probes.to(torch.int8).mT.flatten(0, 1).contiguous()


def _products(columns: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """Product of the rows that each column of the index names, (k, C) to (C, B), int8."""
    product = columns.index_select(0, index[0])
    for row in index[1:]:
        product *= columns.index_select(0, row)
    return product
