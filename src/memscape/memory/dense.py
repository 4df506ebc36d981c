r"""Dense associative memory: few neurons, many memories.

Hopfield's energy is a sum of squared overlaps, and the overlaps with all the memories that are *not* meant drown the
one that is as soon as there are more than about 0.14 N of them. Krotov & Hopfield (2016) replace the square by a
function that grows faster,

.. math:: E(s) = -\sum_{\mu=1}^{P} F(x_\mu), \qquad x_\mu = \sum_{i=1}^{N} \xi_i^\mu s_i,

so that large overlaps count for more: a power :math:`x^n`, a rectified power :math:`\max(x, 0)^n`, or, with Demircigil
et al. (2017), the exponential :math:`e^x`. A unit is set to the value of lower energy (Krotov & Hopfield 2016, eq. 4),

.. math:: s_i \leftarrow \mathrm{sign} \sum_\mu \left[ F(\xi_i^\mu + h_\mu) - F(-\xi_i^\mu + h_\mu) \right],
          \qquad h_\mu = \sum_{j \ne i} \xi_j^\mu s_j .

An overlap takes only the N + 1 values -N, -N + 2, ..., N, so all that is ever needed of F are tables of N + 1 entries.
With :math:`\Psi(h) = F(h + 1) - F(h - 1)`, the local fields of all the units come from one look-up and one product:

.. math:: h_i = \tfrac12 [E(s_i = -1) - E(s_i = +1)] = \sum_\mu \xi_i^\mu A(x_\mu) - s_i \sum_\mu B(x_\mu), \qquad
          A(x) = \tfrac14 [\Psi(x + 1) + \Psi(x - 1)], \quad B(x) = \tfrac14 [\Psi(x + 1) - \Psi(x - 1)] .

Energies and fields are given in units of F(N), the depth of one lone memory: they are dimensionless, about -1 at a
memory, and do not overflow, however steep F is.
"""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
import torch.nn.functional as functional

from memscape.arguments import (
    MOST,
    ArgumentError,
    require_count,
    require_fit,
    require_integer,
    require_scalar,
    require_tensor,
    transformed,
)
from memscape.memory.patterns import align, flat, require_state
from memscape.tools import pieces
from memscape.tools.models import Model, Scalar

__all__ = [
    "DenseMemory",
    "Exponential",
    "Interaction",
    "Power",
    "Rectified",
    "Whole",
    "exponential_retrieval",
]


_DIGITS = {torch.float32: 24, torch.float64: 53}
"""Binary digits of a float: integers up to 2**digits add up without rounding, in any order."""

_SURE = 2**20
"""Factor by which a field must be larger than the rounding noise of its sum to be taken from it: six digits."""

_FEW = 2**20
"""Multiplications up to which the calls of torch take longer than what they do."""

_PAIRS = 2**18
"""Most entries of a table of pairs of overlaps: 4 MB, of which the overlaps that occur touch a small part."""


@runtime_checkable
class Whole(Protocol):
    """A function F of the overlap that is a whole number, of either sign, at every overlap that N spins can have."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """F at real overlaps x, any axes."""

    def derivative(self, x: torch.Tensor) -> torch.Tensor:
        """F'(x), any axes."""

    def exact(self, x: int) -> int:
        """F at an integer overlap, without rounding; asked for at -N, -N + 2, ..., N."""

    def fit(self, neurons: int) -> None:
        """Raise ArgumentError unless F is meant for N neurons and F(N) is positive and within a float64."""


@dataclass(frozen=True)
class Power(Model):
    """F(x) = x**n (Krotov & Hopfield 2016, eq. 2).

    For even n the energy does not change when all spins are turned over: the negative of a memory is as deep a minimum
    as the memory.

    Parameters
    ----------
    n
        Degree, an integer of at least 1; n = 2 is Hopfield's energy.
    """

    n: int

    def __post_init__(self) -> None:
        require_integer("n", self.n, at_least=1)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """F at real overlaps x, any axes."""
        return require_tensor("x", x, "...").pow(self.n)

    def derivative(self, x: torch.Tensor) -> torch.Tensor:
        """F'(x) = n x**(n - 1), any axes."""
        return self.n * require_tensor("x", x, "...").pow(self.n - 1)

    def fit(self, neurons: int) -> None:
        """Raise ArgumentError if N**n is beyond a float64, n log2(N) > 1000."""
        _fit_power(self.n, neurons)

    def exact(self, x: int) -> int:
        """F at an integer overlap, without rounding."""
        return require_integer("x", x, at_least=-MOST, at_most=MOST) ** self.n


@dataclass(frozen=True)
class Rectified(Model):
    """F(x) = max(x, 0)**n (Krotov & Hopfield 2016, eq. 3).

    Parameters
    ----------
    n
        Degree, an integer of at least 1.
    """

    n: int

    def __post_init__(self) -> None:
        require_integer("n", self.n, at_least=1)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """F at real overlaps x, any axes."""
        return require_tensor("x", x, "...").clamp(min=0).pow(self.n)

    def derivative(self, x: torch.Tensor) -> torch.Tensor:
        """F'(x) = n max(x, 0)**(n - 1), any axes; 0 for x <= 0."""
        return torch.where(require_tensor("x", x, "...") > 0, self.n * x.clamp(min=0).pow(self.n - 1), 0.0)

    def fit(self, neurons: int) -> None:
        """Raise ArgumentError if N**n is beyond a float64, n log2(N) > 1000."""
        _fit_power(self.n, neurons)

    def exact(self, x: int) -> int:
        """F at an integer overlap, without rounding."""
        return max(require_integer("x", x, at_least=-MOST, at_most=MOST), 0) ** self.n


@dataclass(frozen=True)
class Exponential(Model):
    """F(x) = exp(x) (Demircigil et al. 2017)."""

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """F at real overlaps x, any axes."""
        return require_tensor("x", x, "...").exp()

    def derivative(self, x: torch.Tensor) -> torch.Tensor:
        """F'(x) = exp(x), any axes."""
        return self(x)

    def fit(self, neurons: int) -> None:
        """Raise ArgumentError if exp(-N) to exp(N) do not fit a float64, N > 350."""
        if require_count("neurons", neurons) > 350:
            raise ArgumentError(
                "patterns",
                "at most 350 neurons for the exponential",
                f"{neurons} neurons",
                "exp(-N) to exp(N) must fit a float64; exponential_retrieval has no such bound.",
            )


Interaction = Whole | Exponential


@dataclass(frozen=True)
class _Tables:
    """F, A and B at the overlaps -N, -N + 2, ..., N, axes (N + 1,).

    ``energy`` is F in units of F(N), float64. ``linear`` and ``curved`` are A and B in units of F(N) * ``unit``, a unit
    chosen so that the entries of a power are integers times a power of two; so are all fields below. Where float32 has
    the digits for sums over all patterns they are float32, which halves the bytes to move, otherwise float64. ``slack``
    is zero where one of the two has: the sums are exact, hence the same in any order and on any device. Otherwise a
    field below ``slack`` times the sum of ``|A|`` is rounding noise. For a power ``gaps`` then holds Psi at -N + 1, ...
    in whole numbers, to be divided by ``whole``: A and B need not keep the digits of A - B and A + B, of which a unit
    feels one only, and a field near the noise is summed again from those.
    """

    energy: torch.Tensor
    linear: torch.Tensor
    curved: torch.Tensor
    unit: float
    slack: float
    gaps: tuple[int, ...] = ()
    whole: int = 1

    def to(self, device: torch.device) -> _Tables:
        """The same on another device."""
        energy, linear, curved = (table.to(device) for table in (self.energy, self.linear, self.curved))
        return _Tables(energy, linear, curved, self.unit, self.slack, self.gaps, self.whole)

    def field(
        self, product: torch.Tensor, spins: torch.Tensor, curvature: torch.Tensor, noise: torch.Tensor | None
    ) -> torch.Tensor:
        """Field from sum xi A, s, sum B and the size of rounding noise; noise counts as a tie."""
        field = torch.addcmul(product, spins.to(product.dtype), curvature, value=-1.0)
        if noise is not None:
            field = torch.where(field.abs() > noise, field, 0.0)
        return field

    def scaled(self, field: torch.Tensor) -> torch.Tensor:
        """The same fields in units of F(N), float64."""
        return field.double().mul_(self.unit)

    def doubtful(self, field: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Where a field is not larger than its rounding noise by the factor that leaves six digits."""
        return field.abs() < noise * _SURE

    def feel(self, index: torch.Tensor, bits: torch.Tensor, spins: torch.Tensor) -> torch.Tensor:
        """Fields ``(R,)`` from the one Psi of every memory that its unit feels, at the overlap with the other units.

        ``index`` ``(R, P)`` says where the overlaps stand, ``bits`` ``(R, P)`` what the memories have at the unit,
        int32, and ``spins`` ``(R,)`` what the state has there.
        """
        felt = index - (1 + bits * spins.int()[:, None]) // 2
        # How often each Psi enters, with its sign: whole numbers, so the rest can be done without rounding.
        counts = torch.zeros(len(felt), len(self.gaps), dtype=torch.int64, device=felt.device)
        counts.scatter_add_(1, felt.long(), bits.long())
        terms = counts * counts.new_tensor([gap / self.whole for gap in self.gaps], dtype=torch.float64)
        field = terms.sum(dim=-1)
        noise = len(self.gaps) * torch.finfo(torch.float64).eps * terms.abs().sum(dim=-1)
        for row in self.doubtful(field, noise).nonzero()[:, 0].tolist():
            field[row] = sum(map(operator.mul, counts[row].tolist(), self.gaps)) / self.whole
        return field


def _tables(interaction: Interaction, neurons: int, patterns: int) -> _Tables:
    overlaps = range(-neurons, neurons + 1, 2)
    if isinstance(interaction, Exponential):
        energy = torch.tensor([math.exp(x - neurons) for x in overlaps], dtype=torch.float64, device="cpu")
        return _Tables(
            energy,
            0.5 * math.sinh(2.0) * energy,
            0.5 * (math.cosh(2.0) - 1.0) * energy,
            1.0,
            # Half a unit in the last place a pattern for the sums, and what exp, sinh and cosh, which differ from one
            # library to the next by some units, leave in the entries: a tie of two memories is none in the tables.
            (patterns / 2 + 16) * torch.finfo(torch.float64).eps,
        )
    values = [interaction.exact(x) for x in overlaps]
    depth = values[-1]
    gaps = [after - before for before, after in itertools.pairwise(values)]
    # Psi(x + 1) and Psi(x - 1). At x = N no spin is unlike its memory's and at x = -N none is like it: nobody feels one
    # of the two, and equal to the other it takes no digits from it.
    above, below = [*gaps, gaps[-1]], [gaps[0], *gaps]
    linear = [up + down for up, down in zip(above, below, strict=True)]
    curved = [up - down for up, down in zip(above, below, strict=True)]
    # All entries share a power of two: without it, fewer digits are needed for exact sums. They may all be zero.
    shared = math.gcd(*linear, *curved) or 1
    shared &= -shared
    largest = patterns * (max(map(abs, linear)) + max(map(abs, curved))) // shared
    exact = [dtype for dtype, digits in _DIGITS.items() if largest < 2**digits]
    dtype = exact[0] if exact else torch.float64
    shift = (4 * depth).bit_length()
    return _Tables(
        torch.tensor([value / depth for value in values], dtype=torch.float64, device="cpu"),
        torch.tensor([entry / (1 << shift) for entry in linear], dtype=dtype, device="cpu"),
        torch.tensor([entry / (1 << shift) for entry in curved], dtype=dtype, device="cpu"),
        (1 << shift) / (4 * depth),
        0.0 if exact else patterns * torch.finfo(dtype).eps / 2,
        () if exact else tuple(gaps),
        1 << (shift - 1),
    )


@dataclass(frozen=True)
class DenseMemory(Model):
    r"""Dense associative memory with energy :math:`E(s) = -\sum_\mu F(x_\mu) / F(N)`.

    Parameters
    ----------
    patterns
        The memories, axes ``(*G, P, N)``, values in {-1, +1}.
    interaction
        F: a :class:`Power`, a :class:`Rectified` power, the :class:`Exponential` or another :class:`Whole` one.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, the interaction is none of these or does not fit N (for the exponential
        N > 350, for a power n log2(N) > 1000).

    Notes
    -----
    Energies and fields are float64 whatever the dtype of the patterns. Sums over patterns are made in float32 where it
    has the digits to make them exactly (powers with P n N**(n-1) below about 2**24, at torch's default precision of
    products), and else in float64, which is exact up to about 2**53. Where a power goes beyond that, fields near their
    rounding noise are summed again in whole numbers: every field has six digits at the least, and a tie is a tie. For
    the exponential a field within rounding error of zero counts as zero, so that no unit can turn for ever.

    Probes and patterns are worked through in pieces that fit the budget of :mod:`memscape.tools.pieces`, whatever their
    number. Results do not depend on it beyond rounding, and not at all where sums are exact.
    """

    patterns: torch.Tensor
    interaction: Interaction

    def __post_init__(self) -> None:
        require_tensor("patterns", self.patterns, "... patterns neurons", values="spins")
        if not isinstance(self.interaction, Whole | Exponential):
            raise ArgumentError(
                "interaction",
                "a Power, a Rectified or an Exponential",
                type(self.interaction).__name__,
                "Write Power(3), for instance.",
            )
        self.interaction.fit(self.neurons)

    @property
    def networks(self) -> tuple[int, ...]:
        """The axes G of independent networks."""
        return tuple(self.patterns.shape[:-2])

    @property
    def neurons(self) -> int:
        """Number of neurons N."""
        return self.patterns.shape[-1]

    @property
    def memories(self) -> torch.Tensor:
        """The patterns with the networks along one axis, ``(G', P, N)``."""
        return self.patterns.reshape(-1, *self.patterns.shape[-2:])

    @cached_property
    def _tables(self) -> _Tables:
        return _tables(self.interaction, self.neurons, self.patterns.shape[-2]).to(self.patterns.device)

    @cached_property
    def _depths(self) -> torch.Tensor:
        """Energy of a memory at the overlaps 0, 1, ..., N, -N, ..., -1: there, a negative index is the overlap."""
        table = self._tables.energy
        depths = torch.zeros(2 * self.neurons + 1, dtype=table.dtype, device=table.device)
        overlaps = 2 * torch.arange(len(table), device=table.device) - self.neurons
        return depths.index_put_((overlaps,), 0.0 - table)

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """Energy of every state in units of F(N).

        It has no gradient in the state: overlaps of spins are whole numbers, whose energies are looked up in a table.

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, values in {-1, +1}, dtype and device of the patterns.

        Returns
        -------
        torch.Tensor
            Axes ``(*G, ...)``, float64, dimensionless.

        Raises
        ------
        ArgumentError
            If the state does not fit the patterns.
        """
        require_state("state", state, self.patterns)
        if self.patterns.dim() == 2 and state.numel() * len(self.patterns) <= min(_FEW, pieces.fitting(32)):
            overlaps = functional.linear(state.float(), self.patterns.float()).long()
            return self._depths[overlaps].sum(dim=-1)
        table, probes, memories = self._tables.energy, flat(state, self.networks), self.memories
        count, (rows, block) = probes.shape[1], self._piece(probes.shape[1])
        energy = torch.zeros(probes.shape[:-1], dtype=torch.float64, device=probes.device)
        for some in pieces.slices(memories.shape[1], block):
            for where in pieces.slices(count, rows):
                energy[:, where] -= _look_up(table, _indices(probes[:, where], memories[:, some])).sum(dim=-1)
        return energy.reshape(state.shape[:-1])

    def field(self, state: torch.Tensor) -> torch.Tensor:
        """Local fields of all units, half the energy gained by setting a unit to +1 rather than -1, in units of F(N).

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, values in {-1, +1}, dtype and device of the patterns.

        Returns
        -------
        torch.Tensor
            Axes ``(*G, ..., N)``, float64. Turning unit i over costs the energy ``2 * state[i] * field[i]``.

        Raises
        ------
        ArgumentError
            If the state does not fit the patterns.
        """
        require_state("state", state, self.patterns)
        return self._fields(state, lambda _, field: self._tables.scaled(field))

    def update(self, state: torch.Tensor) -> torch.Tensor:
        """Set every unit to its value of lower energy, all at once (Krotov & Hopfield 2016, eq. 4).

        Each unit decides as if the others stayed; a unit for which both values are equal keeps its own.

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, values in {-1, +1}, dtype and device of the patterns.

        Returns
        -------
        torch.Tensor
            Same axes and dtype.

        Raises
        ------
        ArgumentError
            If the state does not fit the patterns.
        """
        require_state("state", state, self.patterns)
        return self._fields(state, align)  # a sign needs no unit

    def track(self, state: torch.Tensor) -> OverlapTracker:
        """Follow the fields while units flip one at a time; see :class:`OverlapTracker`.

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, values in {-1, +1}, dtype and device of the patterns.

        Raises
        ------
        ArgumentError
            If the state does not fit the patterns.
        """
        require_state("state", state, self.patterns)
        # Whatever the strides of what came in, views of the copy have to be views: a flip writes through them.
        return OverlapTracker(self, flat(state, self.networks).clone(memory_format=torch.contiguous_format))

    def _fields(
        self, state: torch.Tensor, finish: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    ) -> torch.Tensor:
        """What ``finish`` makes of states and their fields, axes of the state; fields in the unit of the tables.

        It is called for pieces ``(G', B, N)`` of the probes, whose fields are still in the processor's cache.
        """
        probes = flat(state, self.networks)
        step, width = self._piece(probes.shape[1])
        rows, blocks = pieces.slices(probes.shape[1], step), pieces.slices(self.patterns.shape[-2], width)
        sums: list[tuple[torch.Tensor, ...]] = []
        found: list[torch.Tensor] = []
        for block in blocks:
            memories = self.memories[:, block]
            weights, doubled = memories.to(self._tables.linear.dtype), self._doubled(memories, probes.shape[1])
            for place, where in enumerate(rows):
                some = probes[:, where]
                parts: tuple[torch.Tensor, ...] = self._sums(some, memories, weights, doubled)
                if len(blocks) > 1:
                    if block is blocks[0]:
                        sums.append(parts)
                        continue
                    parts = sums[place] = tuple(map(torch.add, sums[place], parts))
                if block is blocks[-1]:
                    found.append(finish(some, self._field(some, *parts)))
        return (found[0] if len(found) == 1 else torch.cat(found, dim=1)).reshape(state.shape)

    def _field(
        self, probes: torch.Tensor, product: torch.Tensor, curvature: torch.Tensor, noise: torch.Tensor
    ) -> torch.Tensor:
        """Fields ``(G', B, N)`` in the unit of the tables, from the sums of :meth:`_sums` over all patterns."""
        tables = self._tables
        field = tables.field(product, probes, curvature[..., None], noise[..., None] if tables.slack else None)
        if tables.gaps:
            self._sharpen(field, tables.doubtful(field, noise[..., None]), probes)
        return field

    def _sharpen(self, field: torch.Tensor, doubtful: torch.Tensor, probes: torch.Tensor) -> None:
        """Sum the doubtful fields ``(G', B, N)`` again, from the terms that their units feel."""
        for some in doubtful.nonzero().split(self.felt_at_once):
            for network in some[:, 0].unique().tolist():
                _, rows, units = some[some[:, 0] == network].unbind(dim=-1)
                memories, (seen, where) = self.memories[network], rows.unique(return_inverse=True)
                index = _indices(probes[network, seen][None], memories[None])[0, where]
                bits = memories.mT[units].int()
                field[network, rows, units] = self._tables.feel(index, bits, probes[network, rows, units])

    @property
    def probes_at_once(self) -> int:
        """Probes of every network that fit the budget while they are tracked, at least 1."""
        networks, patterns, neurons = self.memories.shape
        # At worst, when all probes flip at once: 40 bytes for a probe and a pattern; copies of a pattern take 12 N.
        return max(1, (pieces.fitting(networks * patterns) - 12 * neurons) // 40)

    @property
    def felt_at_once(self) -> int:
        """Fields that fit the budget while they are summed again, at least 1."""
        return pieces.fitting(64 * self.patterns.shape[-2])

    def _piece(self, probes: int) -> tuple[int, int]:
        """How many probes and how many patterns at once have overlaps and look-ups that fit the budget."""
        count, neurons = self.patterns.shape[-2:]
        networks = math.prod(self.networks)
        # Half the budget for copies of the patterns, 12 bytes a bit, half for 32 bytes a probe and a pattern.
        block = min(count, 4096, pieces.fitting(24 * networks * neurons))
        rows = pieces.fitting(64 * networks * block)
        if self.patterns.device.type == "cpu":
            rows = min(rows, pieces.cached(8 * networks * block, at_least=32))
        return min(rows, probes), block

    def _sums(
        self, probes: torch.Tensor, memories: torch.Tensor, weights: torch.Tensor, doubled: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Sums of xi A, axes ``(G', B, N)``, of B, ``(G', B)``, and the size of rounding noise, ``(G', B)``.

        ``weights`` are the memories in the dtype of the tables, ``doubled`` is from :meth:`_doubled`.
        """
        tables = self._tables
        if doubled is None:
            index = _indices(probes, memories)
            linear, curved = _look_up(tables.linear, index), _look_up(tables.curved, index)
        else:
            index = _indices(probes, doubled, self.neurons + 2)
            linear, curved = _look_up(self._pairs[0], index).view(torch.float32), _look_up(self._pairs[1], index)
            if memories.shape[1] % 2:  # the last one is paired with itself
                linear = linear[..., :-1]
                curved[..., -1] /= 2
        curvature = curved.sum(dim=-1)
        noise = tables.slack * linear.abs().sum(dim=-1) if tables.slack else curvature
        return torch.bmm(linear, weights), curvature, noise

    @cached_property
    def _pairs(self) -> tuple[torch.Tensor, torch.Tensor]:
        """A of two overlaps, as the 64 bits of two float32, and the sum of their B, axes ``((N + 1)**2,)``."""
        linear, curved = self._tables.linear, self._tables.curved
        both = torch.stack([linear[:, None].expand(-1, len(linear)), linear.expand(len(linear), -1)], dim=-1)
        return both.view(torch.int64).reshape(-1), (curved[:, None] + curved).reshape(-1)

    def _doubled(self, memories: torch.Tensor, probes: int) -> torch.Tensor | None:
        """Weights ``(G', P / 2, N)`` with which one product gives the overlaps with two patterns, or None.

        An overlap is a whole number and has few digits, so that a float32 holds two: the products, and the look-ups in
        tables of pairs, are half as many, and the same whole numbers come out. It pays where the tables are small
        against the work and sums are exact in float32.
        """
        size = (self.neurons + 1) ** 2
        if self._tables.linear.dtype != torch.float32 or size > min(_PAIRS, probes * memories.shape[1] // 4):
            return None
        first, second = memories[:, ::2].float(), memories[:, 1::2].float()
        if second.shape[1] < first.shape[1]:
            second = torch.cat([second, first[:, -1:]], dim=1)
        return torch.add(second, first, alpha=self.neurons + 1)


class OverlapTracker:
    """Local fields of a batch of states, kept up to date while units flip one at a time.

    What is kept is, for every probe, the overlap with every pattern (as an index into the tables), A there, and the sum
    of B. The field of a unit in all probes is then one matrix-vector product; a flip moves the overlaps of the
    probes that flipped by one table entry, and only those are looked up again.

    Parameters
    ----------
    model
        The memory.
    state
        States ``(G', B, N)``, contiguous; kept and changed in place.
    """

    def __init__(self, model: DenseMemory, state: torch.Tensor) -> None:
        self.state = state
        self._model = model
        self._tables = model._tables

    @cached_property
    def _columns(self) -> torch.Tensor:
        """Bits of all patterns, neuron by neuron, (G', N, P), in the dtype of the tables."""
        return self._model.memories.mT.to(self._tables.linear.dtype).contiguous()

    @cached_property
    def _steps(self) -> torch.Tensor:
        """The same as int32, by which an index moves when a neuron flips."""
        return self._columns.int()

    @cached_property
    def _index(self) -> torch.Tensor:
        """Where in the tables every overlap stands, (G', B, P), int32."""
        return _indices(self.state, self._model.memories).contiguous()

    @cached_property
    def _linear(self) -> torch.Tensor:
        """A at every overlap, (G', B, P)."""
        return _look_up(self._tables.linear, self._index)

    @cached_property
    def _curved(self) -> torch.Tensor:
        """Sum of B over the patterns, (G', B)."""
        return _look_up(self._tables.curved, self._index).sum(dim=-1)

    @cached_property
    def _noise(self) -> torch.Tensor:
        """Size of rounding noise in a field, (G', B)."""
        return self._tables.slack * self._linear.abs().sum(dim=-1)

    def field(self, neuron: int) -> torch.Tensor:
        """Local field of one unit in every state, axes ``(G', B)``, float64, in units of F(N)."""
        # The column from the left: a batch of products with one column each takes torch up to five times as long.
        product = (self._columns[:, neuron, None] @ self._linear.mT)[:, 0]
        spins = self.state[..., neuron]
        field = self._tables.field(product, spins, self._curved, self._noise if self._tables.slack else None)
        if self._tables.gaps:
            places = self._tables.doubtful(field, self._noise).nonzero()
            for some in places.split(self._model.felt_at_once) if len(places) else ():
                network, probe = some.unbind(dim=-1)
                index, bits = self._index[network, probe], self._steps[network, neuron]
                field[network, probe] = self._tables.feel(index, bits, spins[network, probe])
        return self._tables.scaled(field)

    def flip(self, neuron: int, where: torch.Tensor) -> None:
        """Turn the unit over in the states where the boolean ``where``, axes ``(G', B)``, is true."""
        rows = where.reshape(-1).nonzero()[:, 0]  # networks and probes as one axis
        if len(rows) == 0:
            return
        states, index, linear = (kept.flatten(0, 1) for kept in (self.state, self._index, self._linear))
        column = states[:, neuron]
        spins = column.index_select(0, rows)
        moved = index.index_select(0, rows)
        steps = self._steps[:, neuron]
        if len(steps) > 1:
            steps = steps.index_select(0, rows // where.shape[1])
        moved.addcmul_(spins.int()[:, None], steps, value=-1)
        values = _look_up(self._tables.linear, moved)
        if self._tables.slack:
            self._noise.view(-1).index_copy_(0, rows, self._tables.slack * values.abs().sum(dim=-1))
        self._curved.view(-1).index_copy_(0, rows, _look_up(self._tables.curved, moved).sum(dim=-1))
        linear.index_copy_(0, rows, values)
        index.index_copy_(0, rows, moved)
        column.index_copy_(0, rows, -spins)


def _fit_power(n: int, neurons: int) -> None:
    require_count("neurons", neurons)
    if n * math.log2(neurons) > 1000:
        raise ArgumentError(
            "interaction",
            f"n log2(N) <= 1000 with N = {neurons}",
            f"n = {n}",
            "1 and N**n must fit a float64; use a smaller n.",
        )


def exponential_retrieval(queries: torch.Tensor, patterns: torch.Tensor, beta: Scalar = 1.0) -> torch.Tensor:
    r"""One step of retrieval for real-valued patterns with exponential weights.

    .. math:: q \leftarrow \sum_\mu w_\mu \xi^\mu, \qquad w_\mu = \frac{e^{\beta \xi^\mu \cdot q}}
              {\sum_\nu e^{\beta \xi^\nu \cdot q}}

    Every memory gets a vote that grows exponentially with its overlap, as in Demircigil et al. (2017); with real-valued
    units this is the update of Ramsauer et al. (2021, eq. 3), and attention with keys and values equal.

    Parameters
    ----------
    queries
        Axes ``(..., Q, N)``, finite values.
    patterns
        Axes ``(..., P, N)``, finite values, dtype and device of the queries; leading axes as in the queries.
    beta
        Inverse temperature, positive, in units of one over a squared pattern entry.

    Returns
    -------
    torch.Tensor
        Axes of the queries.

    Raises
    ------
    ArgumentError
        If a tensor has wrong axes, dtype, device or values, or beta is not positive.
    """
    sizes: dict[str, int] = {}
    require_tensor("queries", queries, "... queries neurons", sizes=sizes)
    require_tensor(
        "patterns", patterns, "... patterns neurons", sizes=sizes, device=queries.device, dtype=queries.dtype
    )
    if queries.shape[:-2] != patterns.shape[:-2]:
        raise ArgumentError(
            "patterns",
            f"leading axes {tuple(queries.shape[:-2])} as in the queries",
            f"shape {tuple(patterns.shape)}",
            "Expand one of them.",
        )
    require_scalar("beta", beta, above=0.0, device=queries.device)
    # Four axes, (batch, heads, tokens, features), is what selects the fused kernel that never stores Q times P weights.
    keys = patterns.reshape(-1, 1, *patterns.shape[-2:])
    retrieved = softmax_attention(queries.reshape(-1, 1, *queries.shape[-2:]), keys, keys, beta)
    return require_fit("patterns", retrieved).reshape(queries.shape)


def softmax_attention(
    queries: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, beta: Scalar, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Values weighted by softmax(beta keys.queries), unchecked: fused where torch has a kernel for it.

    Under ``torch.vmap`` there is none on a CPU, and the weights are written out.
    """
    if isinstance(beta, torch.Tensor):
        queries, beta = queries * beta, 1.0  # the kernel scales by numbers only
    if not any(map(transformed, (queries, keys, values))):
        return functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=beta)
    scores = beta * (queries @ keys.mT)
    return torch.softmax(scores if mask is None else scores.masked_fill(~mask, -math.inf), dim=-1) @ values


def _indices(probes: torch.Tensor, memories: torch.Tensor, weight: int = 1) -> torch.Tensor:
    """Index (x + weight N) / 2 into the tables of every overlap, axes ``(G', B, P)``, int32."""
    # float32 holds integers up to 2**24 exactly, far beyond any overlap.
    zero = torch.full((), weight * probes.shape[-1] / 2, dtype=torch.float32, device=probes.device)
    return torch.baddbmm(zero, probes.float(), memories.float().mT, alpha=0.5).int()


def _look_up(table: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
    """``table[index]``; index_select on a flat index is several times as fast as indexing on a CPU."""
    return table.index_select(0, index.reshape(-1)).view(index.shape)
