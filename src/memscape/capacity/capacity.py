r"""How many patterns a memory holds: formulas, the exact error of one step, and counting.

A memory of N units stores P random patterns with the energy :math:`E(s) = -\sum_\mu F(\xi^\mu \cdot s)`. Start it at
one of them and set every unit to its value of lower energy. The field of a unit is a signal from the pattern itself
plus a sum over the others,

.. math:: \Psi(N - 1) + \sum_{\mu=2}^{P} \zeta_\mu \Psi(h_\mu), \qquad \Psi(h) = F(h + 1) - F(h - 1),

where :math:`\zeta_\mu = \pm 1` says whether pattern :math:`\mu` agrees with the first one at the unit, and
:math:`h_\mu`, a sum of N - 1 signs, how much it agrees elsewhere. For random patterns the :math:`\zeta_\mu` and
:math:`h_\mu` are all independent. Hence the error of one step is a question about a sum of P - 1 independent,
symmetric terms: :func:`bit_error` answers it exactly, :func:`gaussian_error` as if the sum were Gaussian (variance
:math:`4 n^2 (2n-3)!!\, P N^{n-1}` against the signal :math:`2 n N^{n-1}`), and :func:`asymptotic_error` by the tail of
that Gaussian, which is what the formulas of Krotov & Hopfield (2016) rest on.

What no formula here covers is counted: :func:`one_step`, :func:`from_patterns` and :func:`from_random` run the update
rule of the models on freshly drawn patterns, batched over networks and probes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import optimize, special

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_generator,
    require_integer,
    require_number,
    require_tensor,
)
from memscape.memory.dense import DenseMemory, Exponential, Interaction, Whole
from memscape.memory.dynamics import asynchronous
from memscape.memory.patterns import overlap, random_patterns
from memscape.tools.models import Spins
from memscape.tools.statistics import NORMAL, Estimate, share

__all__ = [
    "EXPONENTIAL",
    "Recall",
    "asymptotic_error",
    "bit_error",
    "capacity",
    "crosstalk",
    "error_free",
    "exact_recall",
    "from_patterns",
    "from_random",
    "gaussian_error",
    "load_at",
    "one_step",
    "step_curve",
]

BUDGET = 2**27
"""Bytes of patterns that are worked on at once (128 MiB): more networks are drawn one batch after another."""

EXPONENTIAL = (2.0 - math.log(math.cosh(2.0))) / math.log(2.0)
r"""Exponent c, 0.974: the exponential memory is stable at its patterns up to :math:`2^{cN}` of them, for large N.

The signal is :math:`e^N`, up to a factor. The crosstalk is a sum of P terms of random sign and variance
:math:`\langle e^{2h} \rangle = \cosh(2)^N`, so the two are equal at :math:`P \cosh(2)^N = e^{2N}`. The variance is
a fair measure here because it comes from patterns of overlap :math:`\tanh 2`, and :math:`P\,2^{-N}` times the number of
states at that overlap is exponentially large. The theorem of Demircigil et al. (2017) guarantees 1/2.
"""

_CELLS = 2**17
"""Cells of the lattice on which :func:`bit_error` adds crosstalk up; sums that fit into so many are exact."""


# Formulas


def crosstalk(degree: int) -> int:
    r"""The double factorial :math:`(2n - 3)!!`, by which the crosstalk of a power n exceeds that of Hopfield's n = 2.

    It is the moment :math:`\langle z^{2(n-1)} \rangle` of a standard Gaussian: a pattern's overlap is Gaussian, its
    crosstalk the overlap to the power n - 1.

    Parameters
    ----------
    degree
        Power n of the energy, at least 2.

    Raises
    ------
    ArgumentError
        If the degree is not an integer of at least 2.
    """
    require_integer("degree", degree, at_least=2)
    return math.prod(range(1, 2 * degree - 2, 2))


def gaussian_error(load: torch.Tensor, degree: int, *, rectified: bool = False) -> torch.Tensor:
    r"""One-step bit error if crosstalk were Gaussian: :math:`\Phi\big(-1/\sqrt{(2n-3)!!\,\alpha}\big)`.

    Parameters
    ----------
    load
        :math:`\alpha = P / N^{n-1}`, positive, any shape.
    degree
        Power n of the energy, at least 2.
    rectified
        Whether the power is rectified: patterns with a negative overlap are then silent, which halves the variance.

    Returns
    -------
    torch.Tensor
        Same shape, in (0, 1/2).

    Raises
    ------
    ArgumentError
        If a load is not positive or the degree is not an integer of at least 2.
    """
    # torch.special.ndtr loses all digits in this tail.
    return torch.special.erfc(_separation(load, degree, rectified) / math.sqrt(2.0)) / 2


def asymptotic_error(load: torch.Tensor, degree: int) -> torch.Tensor:
    r"""One-step bit error in the approximation of Krotov & Hopfield (2016), for powers.

    .. math:: \sqrt{\frac{(2n-3)!!\,\alpha}{2\pi}}\; e^{-1 / [2 (2n-3)!!\,\alpha]}

    This is the leading term of the Gaussian tail at small load, and always above it.

    Parameters
    ----------
    load
        :math:`\alpha = P / N^{n-1}`, positive, any shape.
    degree
        Power n of the energy, at least 2.

    Raises
    ------
    ArgumentError
        If a load is not positive or the degree is not an integer of at least 2.
    """
    separation = _separation(load, degree, rectified=False)
    return torch.exp(-(separation**2) / 2) / (separation * math.sqrt(2 * math.pi))


def load_at(error: float, degree: int, *, tail: str = "gaussian") -> float:
    r"""Load :math:`\alpha_n` at which one step makes the given bit error (Krotov & Hopfield 2016, eq. 5).

    :math:`\alpha_n = \alpha_2 / (2n-3)!!`, and :math:`P_{\max} = \alpha_n N^{n-1}`.

    Parameters
    ----------
    error
        Tolerated share of wrong bits, in (0, 1/2); Krotov & Hopfield take 0.005.
    degree
        Power n of the energy, at least 2. A rectified power holds twice as much.
    tail
        ``"gaussian"`` inverts :func:`gaussian_error`, ``"asymptotic"`` inverts :func:`asymptotic_error`.

    Raises
    ------
    ArgumentError
        If the error is out of range, the degree is not an integer of at least 2, or the tail is unknown.
    """
    require_number("error", error, above=0.0, at_most=0.499999)
    require_choice("tail", tail, ("gaussian", "asymptotic"))
    separation = -float(special.ndtri(error))
    if tail == "asymptotic":
        # The tail bounds the Gaussian from above and falls with the separation, so its root is to the right.
        separation = optimize.brentq(
            lambda z: math.exp(-z * z / 2) / (z * math.sqrt(2 * math.pi)) - error,
            separation,
            separation + 10.0,
            xtol=1e-14,
        )
    return separation**-2 / crosstalk(degree)


def error_free(neurons: int, degree: int, *, stable: str = "pattern") -> float:
    r"""Number of patterns held without errors, :math:`N^{n-1} / (c \ln N)`, as N grows.

    Parameters
    ----------
    neurons
        Number of neurons N, at least 2.
    degree
        Power n of the energy, at least 2.
    stable
        What is to be free of errors with a probability that tends to 1: ``"pattern"``, one pattern, with
        :math:`c = 2 (2n-3)!!` (Krotov & Hopfield 2016, eq. 6); or ``"all"``, all patterns at once, with n times that.

    Raises
    ------
    ArgumentError
        If neurons or degree is not an integer of at least 2, or ``stable`` is unknown.

    Notes
    -----
    With c the bit error is :math:`N^{-c / [2 (2n-3)!!]}` up to a power of :math:`\ln N`. The first choice makes it
    1/N, the second one over the number of all bits of all patterns, of order :math:`N^n`. That is a union bound.
    """
    require_integer("neurons", neurons, at_least=2)
    require_choice("stable", stable, ("pattern", "all"))
    factor = 2 * crosstalk(degree) * (1 if stable == "pattern" else degree)
    return neurons ** (degree - 1) / (factor * math.log(neurons))


def exact_recall(error: torch.Tensor, neurons: int) -> torch.Tensor:
    r"""Probability :math:`(1 - \epsilon)^N` that no bit is wrong, if bits were wrong independently of each other.

    Parameters
    ----------
    error
        Bit error epsilon, in [0, 1], any shape.
    neurons
        Number of neurons N.

    Raises
    ------
    ArgumentError
        If an error is out of range or neurons is not a positive integer.
    """
    require_tensor("error", error, "...", values="nonnegative")
    if (error > 1).any():
        raise ArgumentError("error", "values in [0, 1]", f"{error.max():g}")
    require_integer("neurons", neurons, at_least=1)
    return torch.exp(neurons * torch.log1p(-error))


# The exact error of one step


def bit_error(neurons: int, count: int, interaction: Interaction) -> float:
    """Probability that one step away from a stored pattern turns a given bit of it, for random patterns: exact.

    The distribution of the crosstalk is the (P - 1)-fold convolution of one pattern's share, taken as a power of its
    Fourier transform. A unit whose field is exactly zero keeps its value, as in ``DenseMemory.update``.

    Parameters
    ----------
    neurons
        Number of neurons N, 2 to 500.
    count
        Number of patterns P, the one started from included, 1 to 2**600.
    interaction
        F: a ``Power``, a ``Rectified`` power or the ``Exponential``.

    Returns
    -------
    float
        In [0, 1/2]. Exact up to rounding, about 1e-13, for powers whose crosstalk spans at most 2**17 whole numbers.
        Where it spans more, and for the exponential, each share is split between two cells of a lattice so that its
        variance stays exact, and a tie counts as half an error. The relative error is then below 0.1 %, except for
        an exponential memory of a handful of patterns, where ties are most of what happens.

    Raises
    ------
    ArgumentError
        If an argument is out of range or the interaction is not one of the three.
    """
    require_integer("neurons", neurons, at_least=2, at_most=500)
    require_integer("count", count, at_least=1, at_most=2**600)
    gaps = _gaps(neurons, interaction)
    if count == 1:
        return 0.0
    weights = _binomial(neurons - 1)
    sizes = np.array([abs(gap) / gaps[-1] for gap in gaps])
    # The lattice is a ring. A sum must miss it by five standard deviations before it comes round to the threshold.
    reach = 2 * (1 + 5 * math.sqrt((count - 1) * float(weights @ sizes**2)))
    whole = [gap for gap in gaps if isinstance(gap, int)]
    divisor = math.gcd(*whole)
    exact = len(whole) == len(gaps) and whole[-1] // divisor < _CELLS / reach
    signal = whole[-1] // divisor if exact else int(_CELLS / reach)
    if signal == 0:
        return 0.5
    places = np.array([abs(gap) // divisor for gap in whole], dtype=float) if exact else sizes * signal
    density = _convolved(places, weights, count - 1)
    # Crosstalk below minus the signal is an error; the upper half of the ring holds the negative sums.
    below = density[_CELLS // 2 : _CELLS - signal].sum()
    tie = 0.0 if exact else density[_CELLS - signal] / 2
    return float(np.clip(below + tie, 0.0, 0.5))


def _convolved(places: np.ndarray, weights: np.ndarray, terms: int) -> np.ndarray:
    """Distribution on the ring of the sum of ``terms`` independent values, each at + or - one of the places."""
    low = np.floor(places)
    # Split between the cells below and above so that the square has the right mean.
    upper = weights * (places**2 - low**2) / (2 * low + 1)
    cells = low.astype(np.int64)
    masses = np.zeros(_CELLS)
    for cell, mass in ((cells, weights - upper), (cells + 1, upper)):
        np.add.at(masses, cell, mass / 2)
        np.add.at(masses, -cell, mass / 2)
    # What is in cell 0 adds nothing and is left out: near 1 the transform is known by its distance from 1, so that even
    # 2**500 patterns can be counted of which next to none is heard.
    masses[0] = 0.0
    distance = np.fft.rfft(masses).real - masses.sum()
    with np.errstate(divide="ignore"):
        magnitude = np.where(distance > -1, np.log1p(np.maximum(distance, -1)), np.log(np.maximum(-1 - distance, 0)))
    sign = np.where((distance < -1) & (terms % 2 == 1), -1.0, 1.0)
    return np.fft.irfft(sign * np.exp(terms * magnitude), _CELLS)


def capacity(neurons: int, interaction: Interaction, error: float) -> int:
    """Largest number of patterns whose exact one-step bit error stays at or below ``error``, to four digits.

    Parameters
    ----------
    neurons
        Number of neurons N, 2 to 500.
    interaction
        F: a ``Power``, a ``Rectified`` power or the ``Exponential``.
    error
        Tolerated share of wrong bits, in (0, 0.25].

    Returns
    -------
    int
        P, at least 1, exact up to 8192. Where ties are frequent (n = 2, few patterns) the error rises in zigzags, and P
        is uncertain by 1.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_number("error", error, above=0.0, at_most=0.25)
    # Halving the gap between the digits first, then between the numbers: the exponential holds 2**N of them.
    low, high = 0, 1
    while bit_error(neurons, 2**high, interaction) <= error:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bit_error(neurons, 2**middle, interaction) <= error else (low, middle)
    low, high = 2**low, 2**high
    while high - low > max(1, low >> 13):
        middle = (low + high) // 2
        low, high = (middle, high) if bit_error(neurons, middle, interaction) <= error else (low, middle)
    return low


def _gaps(neurons: int, interaction: Interaction) -> list[int] | list[float]:
    """Psi(h) at h = -(N-1), ..., N-1, up to a factor: whole numbers for powers."""
    fields = range(1 - neurons, neurons, 2)
    if isinstance(interaction, Exponential):
        return [math.exp(h + 1 - neurons) for h in fields]
    if isinstance(interaction, Whole):
        return [interaction.exact(h + 1) - interaction.exact(h - 1) for h in fields]
    raise ArgumentError(
        "interaction",
        "a Power, a Rectified or an Exponential",
        type(interaction).__name__,
        "Write Power(3), for instance.",
    )


def _binomial(trials: int) -> np.ndarray:
    """Probabilities of 0, ..., trials heads of fair coins; from logarithms, so that 2**-500 keeps its digits."""
    heads = np.arange(trials + 1)
    choices = special.gammaln(trials + 1) - special.gammaln(heads + 1) - special.gammaln(trials - heads + 1)
    return np.exp(choices - trials * math.log(2.0))


def _separation(load: torch.Tensor, degree: int, rectified: bool) -> torch.Tensor:
    """Signal over standard deviation of the crosstalk."""
    require_tensor("load", load, "...")
    if (load <= 0).any():
        raise ArgumentError("load", "positive values", f"{load.min():g}")
    return (load * crosstalk(degree) / (2 if rectified else 1)) ** -0.5


# Counting


@dataclass(frozen=True)
class Recall:
    """What a batch of probes recalled.

    The trials of its estimates are networks where there are ten or more, otherwise probes.

    Attributes
    ----------
    wrong
        Wrong bits of each probe, integers, axes ``(networks, probes)``.
    neurons
        Number of neurons N.
    resting
        Whether each probe had come to rest, same axes.
    """

    wrong: torch.Tensor
    neurons: int
    resting: torch.Tensor

    @property
    def overlap(self) -> torch.Tensor:
        """Overlap 1 - 2 wrong / N with the pattern that was to be recalled, float64, axes ``(networks, probes)``."""
        return 1.0 - 2.0 * self.wrong.double() / self.neurons

    @property
    def bit_error(self) -> Estimate:
        """Share of wrong bits."""
        return self._estimate(self.wrong, self.neurons)

    @property
    def mean_overlap(self) -> Estimate:
        """Mean overlap, 1 - 2 times the bit error."""
        error = self.bit_error
        return Estimate(1 - 2 * error.value, 1 - 2 * error.high, 1 - 2 * error.low, error.trials)

    @property
    def exact(self) -> Estimate:
        """Share of probes without a wrong bit."""
        return self.within(0)

    def within(self, errors: int) -> Estimate:
        """Share of probes with at most so many wrong bits."""
        require_integer("errors", errors, at_least=0, at_most=self.neurons)
        return self._estimate((self.wrong <= errors).long(), 1)

    @property
    def excess(self) -> Estimate:
        """Share of probes without a wrong bit minus (1 - epsilon)**N, epsilon the bit error of the same probes.

        It is zero if bits are wrong independently of each other. The interval follows from the first-order change of
        the difference with the hits of each trial; what both terms have in common cancels.
        """
        error = self.bit_error.value
        trials = (self.wrong if len(self.wrong) >= 10 else self.wrong.reshape(-1, 1)).double()
        slope = self.neurons * (1 - error) ** (self.neurons - 1)
        change = (trials == 0).double().mean(dim=1) + slope * trials.mean(dim=1) / self.neurons
        half = NORMAL * change.std(correction=min(1, len(trials) - 1)).item() / math.sqrt(len(trials))
        value = self.exact.value - (1 - error) ** self.neurons
        return Estimate(value, value - half, value + half, len(trials))

    def _estimate(self, hits: torch.Tensor, of: int) -> Estimate:
        # Probes of one network share its patterns, so networks are the trials wherever there are enough of them to
        # see how much they differ.
        networks, probes = hits.shape
        return share(hits.sum(dim=1), of=of * probes) if networks >= 10 else share(hits.flatten(), of=of)


def one_step(
    neurons: int,
    count: int,
    interaction: Interaction,
    *,
    networks: int,
    probes: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Recall:
    """Draw networks of random patterns, start at some of the patterns, and update all units once.

    Parameters
    ----------
    neurons, count
        Neurons N and patterns P of each network.
    interaction
        F: a ``Power``, a ``Rectified`` power or the ``Exponential``; ``Power(2)`` is Hopfield's memory.
    networks
        Networks to draw.
    probes
        Patterns of each network to start from, at most P.
    generator
        A CPU generator.
    device
        Where to compute.

    Returns
    -------
    Recall
        Axes ``(networks, probes)``; a probe is resting if no bit turned.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, there are more probes than patterns, or a model refuses its argument.
    """

    def step(patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        wrong = _wrong(DenseMemory(patterns, interaction).update(patterns[:, :probes]), patterns[:, :probes])
        return wrong, wrong == 0

    _require_probes(probes, count)
    return _batched(step, neurons, count, networks, generator, torch.float32, device)


def step_curve(
    neurons: int,
    counts: Sequence[int],
    interaction: Interaction,
    *,
    bits: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> list[Recall]:
    """What :func:`one_step` finds at several numbers of patterns, with as many networks and probes as the bits ask for.

    Probes of one network have crosstalk in common: at n = 3 the bit error of whole networks differs by some 10 %. So
    at least ten networks are drawn, and at most 50 probes share one.

    Parameters
    ----------
    neurons
        Number of neurons N.
    counts
        Numbers of patterns P.
    interaction
        F: a ``Power``, a ``Rectified`` power or the ``Exponential``.
    bits
        Bits to look at for each count, rounded up to whole probes and networks.
    generator, device
        As for :func:`one_step`.

    Raises
    ------
    ArgumentError
        If ``bits`` is not a positive integer or :func:`one_step` refuses an argument.
    """
    require_integer("bits", bits, at_least=1)
    require_integer("neurons", neurons, at_least=2)
    wanted = -(-bits // neurons)
    found = []
    for count in counts:
        networks = max(10, -(-wanted // min(require_integer("counts", count, at_least=1), 50)))
        found.append(
            one_step(
                neurons,
                count,
                interaction,
                networks=networks,
                probes=-(-wanted // networks),
                generator=generator,
                device=device,
            )
        )
    return found


def from_patterns(
    build: Callable[[torch.Tensor], Spins],
    neurons: int,
    count: int,
    *,
    networks: int,
    probes: int,
    sweeps: int = 100,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Recall:
    """Draw networks of random patterns, start at some of the patterns, and let the network settle.

    Parameters
    ----------
    build
        Makes a model of patterns ``(G, P, N)``: ``hopfield.hebbian``, or a ``DenseMemory`` with its interaction.
    neurons, count
        Neurons N and patterns P of each network.
    networks
        Networks to draw.
    probes
        Patterns of each network to start from, at most P.
    sweeps
        Most asynchronous sweeps to make at temperature 0.
    generator
        A CPU generator.
    dtype, device
        Dtype and device of the patterns.

    Returns
    -------
    Recall
        Axes ``(networks, probes)``: bits that differ from the pattern started from.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, there are more probes than patterns, or the model refuses its argument.
    """

    def settle(patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        start = patterns[:, :probes]
        end = asynchronous(build(patterns), start, sweeps=sweeps, generator=generator)
        return _wrong(end.state, start), end.converged

    _require_probes(probes, count)
    return _batched(settle, neurons, count, networks, generator, dtype, device)


def from_random(
    build: Callable[[torch.Tensor], Spins],
    neurons: int,
    count: int,
    *,
    networks: int,
    probes: int,
    sweeps: int = 100,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Recall:
    """Draw networks of random patterns, start at random states, let the network settle, and find the nearest pattern.

    Parameters
    ----------
    build
        Makes a model of patterns ``(G, P, N)``: ``hopfield.hebbian``, or a ``DenseMemory`` with its interaction.
    neurons, count
        Neurons N and patterns P of each network.
    networks
        Networks to draw.
    probes
        Random starts of each network.
    sweeps
        Most asynchronous sweeps to make at temperature 0.
    generator
        A CPU generator.
    dtype, device
        Dtype and device of the patterns.

    Returns
    -------
    Recall
        Axes ``(networks, probes)``: bits that differ from the pattern nearest to the final state. The negative of a
        pattern is no pattern here, also where an even power makes it as stable.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer or the model refuses its argument.
    """

    def settle(patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        start = random_patterns(
            probes, neurons, networks=patterns.shape[:1], generator=generator, dtype=dtype, device=device
        )
        end = asynchronous(build(patterns), start, sweeps=sweeps, generator=generator)
        nearest = overlap(patterns, end.state).amax(dim=-1)
        return (neurons * (1 - nearest.double()) / 2).round().long(), end.converged

    require_integer("probes", probes, at_least=1)
    return _batched(settle, neurons, count, networks, generator, dtype, device)


def _batched(
    measure: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    neurons: int,
    count: int,
    networks: int,
    generator: torch.Generator,
    dtype: torch.dtype,
    device: torch.device | str,
) -> Recall:
    """Draw ``networks`` networks, as many at a time as fit the budget, and measure each batch."""
    require_integer("neurons", neurons, at_least=2)
    require_integer("count", count, at_least=1)
    require_integer("networks", networks, at_least=1)
    require_generator("generator", generator)
    # Patterns, or couplings where those are larger, in 8 bytes each.
    together = max(1, BUDGET // (8 * neurons * max(count, neurons)))
    found = []
    for first in range(0, networks, together):
        batch = (min(together, networks - first),)
        found.append(
            measure(random_patterns(count, neurons, networks=batch, generator=generator, dtype=dtype, device=device))
        )
    wrong, resting = (torch.cat(parts).cpu() for parts in zip(*found, strict=True))
    return Recall(wrong, neurons, resting)


def _wrong(state: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (state != target).sum(dim=-1)


def _require_probes(probes: int, count: int) -> None:
    require_integer("count", count, at_least=1)
    require_integer("probes", probes, at_least=1, at_most=count)
