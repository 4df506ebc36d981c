r"""The networks of Hopfield 1982 and 1984: quadratic energies, binary and graded units.

A network of N binary units :math:`s_i = \pm 1` with symmetric couplings has the energy

.. math:: E(s) = u \Big[ -\tfrac12 \sum_{ij} J_{ij} s_i s_j + \sum_i \theta_i s_i \Big],

where the unit of energy :math:`u` stands apart so that couplings made from patterns can stay whole numbers: sums of
whole numbers are exact in floating point, and a tie is then a tie on every machine. The weights of the textbooks are
:math:`W = u J`. :func:`hebbian` stores patterns by Hebb's rule, :func:`zero_one` does it for the units 0 and 1 of 1982,
:func:`projection` stores correlated patterns, and :func:`from_bits` and :func:`to_bits` translate any network between
spins and the units 0 and 1, exactly. :class:`Graded` is the network of 1984 with continuous outputs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from memscape.arguments import (
    ArgumentError,
    readable,
    require_fit,
    require_number,
    require_scalar,
    require_tensor,
    wide,
)
from memscape.memory.patterns import align, as_probes, flat, require_state
from memscape.tools.models import Model, Scalar

__all__ = [
    "FieldTracker",
    "Graded",
    "Hopfield",
    "from_bits",
    "hebbian",
    "projection",
    "require_bits",
    "require_network",
    "require_symmetric",
    "stability",
    "to_bits",
    "without_diagonal",
    "zero_one",
]


@dataclass(frozen=True)
class Hopfield(Model):
    """Binary units with a quadratic energy (Hopfield 1982).

    Parameters
    ----------
    couplings
        J, axes ``(*G, N, N)``, symmetric. A diagonal shifts the energy by a constant and cancels from every energy
        difference, hence from asynchronous dynamics; ``update`` does feel it.
    thresholds
        theta, axes ``(*G, N)``, in the same units.
    unit
        The unit of energy u of both, positive.

    Raises
    ------
    ArgumentError
        If the axes do not fit, a value is not finite, the couplings are not symmetric or the unit is not positive.
    """

    couplings: torch.Tensor
    thresholds: torch.Tensor
    unit: float = 1.0

    def __post_init__(self) -> None:
        require_network(self.couplings, self.thresholds)
        require_number("unit", self.unit, above=0.0)

    @property
    def networks(self) -> tuple[int, ...]:
        """The axes G of independent networks."""
        return tuple(self.couplings.shape[:-2])

    @property
    def neurons(self) -> int:
        """Number of neurons N."""
        return self.couplings.shape[-1]

    @property
    def probes_at_once(self) -> None:
        """No limit: a tracker keeps no more than the states and their fields."""
        return None

    @property
    def weights(self) -> torch.Tensor:
        """W = u J, axes ``(*G, N, N)``."""
        return self.unit * self.couplings

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """Energy of every state.

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, values in {-1, +1}, dtype and device of the couplings.

        Returns
        -------
        torch.Tensor
            Axes ``(*G, ...)``.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        require_state("state", state, self.couplings)
        probes = as_probes(state, self.networks)
        probes, couplings, thresholds = wide(probes), wide(self.couplings), wide(self.thresholds)
        fields = probes @ couplings / 2 - thresholds[..., None, :]
        energy = -self.unit * (fields * probes).sum(dim=-1).reshape(state.shape[:-1])
        return require_fit("couplings", energy.to(state.dtype))

    def update(self, state: torch.Tensor) -> torch.Tensor:
        """Every unit at once takes the sign of its input, W s - u theta; a unit without input keeps its value.

        Parameters
        ----------
        state
            Axes ``(*G, ..., N)``, values in {-1, +1}.

        Returns
        -------
        torch.Tensor
            The same axes.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        require_state("state", state, self.couplings)
        probes = as_probes(state, self.networks)
        inputs = wide(probes) @ wide(self.couplings) - wide(self.thresholds)[..., None, :]
        return align(probes, require_fit("couplings", inputs)).reshape(state.shape)

    def track(self, state: torch.Tensor) -> FieldTracker:
        """Start asynchronous dynamics at the states ``(*G, ..., N)``; see :mod:`memscape.memory.dynamics`.

        Raises
        ------
        ArgumentError
            If the state does not fit the network.
        """
        require_state("state", state, self.couplings)
        return FieldTracker(self, state)


def without_diagonal(couplings: torch.Tensor) -> torch.Tensor:
    """Couplings ``(*G, N, N)`` of units that do not act on themselves; a copy only where some unit does."""
    diagonal = couplings.diagonal(dim1=-2, dim2=-1)
    return couplings if readable(diagonal) and not diagonal.any() else couplings - torch.diag_embed(diagonal)


class FieldTracker:
    r"""All local fields :math:`h_i = u (\sum_{j \ne i} J_{ij} s_j - \theta_i)`, kept up to date.

    Reading a field costs nothing, a flip costs N additions, and starting costs one matrix product. With whole couplings
    the fields stay exact however many units flip.
    """

    def __init__(self, model: Hopfield, state: torch.Tensor) -> None:
        neurons = model.neurons
        self.state = flat(state, model.networks).clone()
        self._unit = model.unit
        # The fields of half precision are kept in single: they hold sums over all neurons.
        self._couplings = without_diagonal(wide(model.couplings).reshape(-1, neurons, neurons))
        fields = wide(self.state) @ self._couplings - wide(model.thresholds).reshape(-1, 1, neurons)
        self._fields = require_fit("couplings", fields)

    def field(self, neuron: int) -> torch.Tensor:
        """Local field of one neuron in every state, ``(G', B)``."""
        return self._unit * self._fields[..., neuron]

    def flip(self, neuron: int, where: torch.Tensor) -> None:
        """Turn the neuron over where ``where``, ``(G', B)``, is true."""
        network, probe = where.nonzero(as_tuple=True)
        if len(probe) == 0:
            return
        turned = -self.state[network, probe, neuron]
        self.state[network, probe, neuron] = turned
        self._fields[network, probe] += 2 * turned[:, None] * self._couplings[network, neuron]


def hebbian(patterns: torch.Tensor, *, self_coupling: bool = False) -> Hopfield:
    r"""Store patterns by Hebb's rule, :math:`W_{ij} = \frac1N \sum_\mu \xi_i^\mu \xi_j^\mu` (Hopfield 1982).

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    self_coupling
        Whether to keep the diagonal W_ii = P / N. Without it (the default, as in 1982) the diagonal is zero. With it a
        unit holds on to its own value, and for many patterns every state is a fixed point of ``update``.

    Returns
    -------
    Hopfield
        Whole couplings with the unit 1/N. The energy of a lone stored pattern is -(N - 1)/2.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, or too many for whole numbers to be exact in their dtype.
    """
    counts = _correlations(patterns)
    if not self_coupling:
        counts.diagonal(dim1=-2, dim2=-1).zero_()
    return Hopfield(counts, counts.new_zeros(counts.shape[:-1]), 1.0 / patterns.shape[-1])


def zero_one(patterns: torch.Tensor) -> Hopfield:
    r"""Hopfield's network of 1982 to the letter: units :math:`V_i = (s_i + 1)/2` of values 0 and 1, thresholds 0.

    With :math:`T_{ij} = \sum_\mu (2V_i^\mu - 1)(2V_j^\mu - 1)`, zero on the diagonal, the energy of 1982 is
    :math:`-\frac12 \sum_{ij} T_{ij} V_i V_j`. In the spins s it is the quadratic energy with couplings T, unit 1/4 and
    thresholds :math:`-\sum_j T_{ij}`, up to a constant: the units that are on press on all others, which spins do not.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}; -1 stands for 0.

    Returns
    -------
    Hopfield
        The equivalent network of spins.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, or too many for whole numbers to be exact in their dtype.
    """
    counts = _correlations(patterns)
    counts.diagonal(dim1=-2, dim2=-1).zero_()
    return Hopfield(counts, -counts.sum(dim=-1), 0.25)


def projection(patterns: torch.Tensor) -> Hopfield:
    r"""Store correlated patterns: the weights project onto the space that the patterns span.

    .. math:: W_{ij} = \frac1N \sum_{\mu\nu} \xi_i^\mu (C^+)_{\mu\nu} \xi_j^\nu, \qquad
              C_{\mu\nu} = \frac1N \sum_i \xi_i^\mu \xi_i^\nu,

    with the diagonal set to zero. Dividing by the overlaps C takes the crosstalk between patterns away: with linearly
    independent patterns every one of them is a fixed point, however alike they are (Personnaz, Guyon & Dreyfus 1985;
    Kanter & Sompolinsky 1987).

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}; float64 unless N is small, because the weights are rounded.

    Returns
    -------
    Hopfield
        Weights rounded to a power of two near N times the spacing of the dtype, so that sums of them are exact.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, or the rounding is so coarse that one of them is no fixed point.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    neurons = patterns.shape[-1]
    wide = patterns.double()
    # The right singular vectors span what the patterns span; by C^+ the condition of the patterns would count twice.
    _, sizes, vectors = torch.linalg.svd(wide, full_matrices=False)
    precision = max(patterns.shape[-2:]) * torch.finfo(wide.dtype).eps
    spanned = sizes > precision * sizes[..., :1]
    weights = (vectors * spanned[..., None]).mT @ vectors
    weights = (weights + weights.mT) / 2
    # A unit that the patterns leave free has W_ii = 1 and no coupling (W is a projector: sum_j W_ij^2 = W_ii). What is
    # computed there instead of zeros is rounding, and would turn ties over.
    condition = sizes[..., :1] / sizes.masked_fill(~spanned, math.inf).amin(dim=-1, keepdim=True)
    free = 1 - weights.diagonal(dim1=-2, dim2=-1) < 4 * precision * condition
    weights = weights.masked_fill(free[..., None, :] | free[..., :, None], 0)
    weights.diagonal(dim1=-2, dim2=-1).zero_()
    unit = 2.0 ** math.ceil(math.log2(2 * neurons * torch.finfo(patterns.dtype).eps))
    couplings = (weights / unit).round()
    if ((wide @ couplings) * wide < 0).any():
        raise ArgumentError(
            "patterns",
            "patterns that the rounded weights hold",
            f"{neurons} neurons in {patterns.dtype}",
            "Use torch.float64.",
        )
    couplings = couplings.to(patterns.dtype)
    return Hopfield(couplings, couplings.new_zeros(couplings.shape[:-1]), unit)


def from_bits(couplings: torch.Tensor, thresholds: torch.Tensor, *, unit: float = 1.0) -> Hopfield:
    r"""The network of spins that is a network of units 0 and 1.

    Units :math:`x_e \in \{0, 1\}` have the energy
    :math:`-\tfrac12 \sum_{ef} J_{ef} x_e x_f + \sum_e \theta_e x_e`. With :math:`x = (s + 1)/2` it is, up to a
    constant, a quarter of the energy of spins with the same couplings and the thresholds
    :math:`2\theta_e - \sum_f J_{ef}`.

    Parameters
    ----------
    couplings
        J, axes ``(*G, N, N)``, symmetric, zero on the diagonal.
    thresholds
        theta, axes ``(*G, N)``.
    unit
        The unit of energy of both, positive.

    Returns
    -------
    Hopfield
        With the unit of energy ``unit / 4``. Whole couplings and thresholds stay whole, and nothing is rounded.

    Raises
    ------
    ArgumentError
        If the axes do not fit, a value is not finite, the couplings are not symmetric or not zero on the diagonal, or
        the unit is not positive.
    """
    require_bits(couplings, thresholds)
    require_number("unit", unit, above=0.0)
    return Hopfield(couplings, 2 * thresholds - couplings.sum(dim=-1), unit / 4)


def to_bits(model: Hopfield) -> tuple[torch.Tensor, torch.Tensor]:
    """Couplings J ``(*G, N, N)`` and thresholds theta ``(*G, N)`` of the network of units 0 and 1 that ``model`` is.

    The inverse of :func:`from_bits`; a diagonal, which no dynamics of single units feels, is left out.

    Raises
    ------
    ArgumentError
        If ``model`` is not a Hopfield network of spins.
    """
    if not isinstance(model, Hopfield):
        raise ArgumentError("model", "a Hopfield network of spins", type(model).__name__)
    couplings = without_diagonal(model.couplings)
    return 4 * model.unit * couplings, 2 * model.unit * (couplings.sum(dim=-1) + model.thresholds)


def stability(model: Hopfield, patterns: torch.Tensor) -> torch.Tensor:
    """Cost of the cheapest flip, min_e s_e h_e with the field of :mod:`memscape.memory.dynamics`, for every pattern.

    Parameters
    ----------
    model
        A Hopfield network of N spins.
    patterns
        Axes ``(*G, ..., N)``, values in {-1, +1}.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, ...)``, in units of energy. A pattern is a strict local minimum where this is positive.

    Raises
    ------
    ArgumentError
        If ``model`` is not a Hopfield network or the patterns do not fit it.
    """
    if not isinstance(model, Hopfield):
        raise ArgumentError("model", "a Hopfield network of spins", type(model).__name__)
    require_state("patterns", patterns, model.couplings)
    probes = as_probes(patterns, model.networks)
    fields = wide(probes) @ without_diagonal(wide(model.couplings)) - wide(model.thresholds)[..., None, :]
    cheapest = model.unit * (fields * probes).amin(dim=-1).reshape(patterns.shape[:-1])
    return require_fit("couplings", cheapest.to(patterns.dtype))


@dataclass(frozen=True)
class Graded(Model):
    r"""Units with a graded response (Hopfield 1984).

    A unit has a potential :math:`u_i` and the output :math:`V_i = \tanh(\lambda u_i)`. In units of time in which all
    capacitances are 1,

    .. math:: \frac{du_i}{dt} = -\frac{u_i}{R} + \sum_j T_{ij} V_j + I_i ,

    and along every path the energy

    .. math:: E = -\tfrac12 \sum_{ij} T_{ij} V_i V_j - \sum_i I_i V_i
              + \frac1R \sum_i \int_0^{V_i} \frac{\operatorname{artanh} v}{\lambda} \, dv

    never increases: :math:`dE/dt = -\sum_i V_i'(u_i)\, \dot u_i^2`.

    Parameters
    ----------
    weights
        T, axes ``(*G, N, N)``, symmetric.
    inputs
        I, axes ``(*G, N)``, constant currents.
    gain
        lambda, positive. As it grows the outputs become binary and the last term of the energy vanishes.
    resistance
        R, positive.

    Raises
    ------
    ArgumentError
        If the axes do not fit, a value is not finite, the weights are not symmetric, or gain or resistance is not
        positive.
    """

    weights: torch.Tensor
    inputs: torch.Tensor
    gain: Scalar
    resistance: Scalar = 1.0

    def __post_init__(self) -> None:
        require_symmetric("weights", self.weights)
        _require_bias("inputs", self.inputs, self.weights)
        require_scalar("gain", self.gain, above=0.0, device=self.weights.device)
        require_scalar("resistance", self.resistance, above=0.0, device=self.weights.device)

    @property
    def networks(self) -> tuple[int, ...]:
        """The axes G of independent networks."""
        return tuple(self.weights.shape[:-2])

    def output(self, potential: torch.Tensor) -> torch.Tensor:
        """Outputs V = tanh(gain * u), same axes as the potentials ``(..., N)``, values in (-1, 1)."""
        require_tensor("potential", potential, "... neurons")
        return torch.tanh(self.gain * potential)

    def energy(self, potential: torch.Tensor) -> torch.Tensor:
        """Energy of every state, given by its potentials.

        Parameters
        ----------
        potential
            u, axes ``(*G, ..., N)``, finite.

        Returns
        -------
        torch.Tensor
            Axes ``(*G, ...)``.

        Raises
        ------
        ArgumentError
            If the potentials do not fit the network.
        """
        require_state("potential", potential, self.weights, values="finite")
        drive = self.gain * as_probes(potential, self.networks)
        outputs = torch.tanh(drive)
        # int_0^V artanh(v) dv = V artanh(V) + ln(1 - V^2)/2 = V x - ln cosh x with x = artanh(V): no log of 0.
        log_cosh = drive.abs() + torch.log1p(torch.exp(-2 * drive.abs())) - math.log(2.0)
        leak = (outputs * drive - log_cosh) / (self.gain * self.resistance)
        pull = outputs @ self.weights / 2 + self.inputs[..., None, :]
        return (leak - pull * outputs).sum(dim=-1).reshape(potential.shape[:-1])

    def flow(self, potential: torch.Tensor) -> torch.Tensor:
        """Time derivative du/dt of every potential, same axes ``(*G, ..., N)``; refuses what ``energy`` refuses."""
        require_state("potential", potential, self.weights, values="finite")
        probes = as_probes(potential, self.networks)
        drive = torch.tanh(self.gain * probes) @ self.weights + self.inputs[..., None, :]
        return (drive - probes / self.resistance).reshape(potential.shape)


def _correlations(patterns: torch.Tensor) -> torch.Tensor:
    """Sums over patterns of xi_i xi_j, ``(*G, N, N)``, whole numbers."""
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    count, neurons = patterns.shape[-2:]
    exact = int(2 / torch.finfo(patterns.dtype).eps)
    if count * neurons > exact:
        raise ArgumentError(
            "patterns",
            f"patterns * neurons <= {exact} in {patterns.dtype}",
            f"{count} * {neurons}",
            "Beyond it sums are no longer whole; use torch.float64.",
        )
    return patterns.mT @ patterns


def require_network(couplings: torch.Tensor, thresholds: torch.Tensor) -> None:
    """Raise ArgumentError unless couplings ``(*G, N, N)`` are symmetric and thresholds ``(*G, N)`` fit them."""
    require_symmetric("couplings", couplings)
    _require_bias("thresholds", thresholds, couplings)


def require_bits(couplings: torch.Tensor, thresholds: torch.Tensor) -> None:
    """As :func:`require_network`, for units 0 and 1, to which a diagonal is a threshold: it is refused."""
    require_network(couplings, thresholds)
    diagonal = couplings.diagonal(dim1=-2, dim2=-1)
    if diagonal.any():
        raise ArgumentError(
            "couplings",
            "zeros on the diagonal",
            f"{diagonal[diagonal != 0][0].item():g}",
            "A unit 0 or 1 is its own square: J_ee acts as the threshold -J_ee / 2, so write it there.",
        )


def require_symmetric(argument: str, weights: torch.Tensor) -> None:
    """Raise ArgumentError unless weights ``(*G, N, N)`` are finite and symmetric."""
    require_tensor(argument, weights, "... neurons neurons")
    if readable(weights) and not torch.equal(weights, weights.mT):
        raise ArgumentError(argument, "a symmetric matrix", "an asymmetric one", "Only symmetric ones have an energy.")


def _require_bias(argument: str, bias: torch.Tensor, weights: torch.Tensor) -> None:
    require_state(argument, bias, weights, values="finite")
    if bias.shape != weights.shape[:-1]:
        raise ArgumentError(argument, f"shape {tuple(weights.shape[:-1])}", f"shape {tuple(bias.shape)}")
