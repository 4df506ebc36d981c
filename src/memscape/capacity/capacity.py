r"""How many patterns a memory holds: formulas and the exact error of one step.

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

What no formula here covers is counted: :mod:`memscape.memory.recall` runs the update rule of the models on freshly
drawn patterns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from scipy import optimize, special
from torch.nn.functional import embedding_bag

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_fit,
    require_generator,
    require_integer,
    require_number,
    require_room,
    require_tensor,
)
from memscape.memory.dense import Exponential, Interaction, Whole
from memscape.memory.simplicial import Skeleton

__all__ = [
    "EXPONENTIAL",
    "SparseRecalls",
    "asymptotic_error",
    "bit_error",
    "capacity",
    "crosstalk",
    "error_free",
    "exact_recall",
    "gaussian_error",
    "learnable",
    "load_at",
    "sparse_errors",
    "sparse_recalls",
]

EXPONENTIAL = (2.0 - math.log(math.cosh(2.0))) / math.log(2.0)
r"""Exponent c, 0.974: the exponential memory is stable at its patterns up to :math:`2^{cN}` of them, for large N.

The signal is :math:`e^N`, up to a factor. The crosstalk is a sum of P terms of random sign and variance
:math:`\langle e^{2h} \rangle = \cosh(2)^N`, so the two are equal at :math:`P \cosh(2)^N = e^{2N}`. The variance is
a fair measure here because it comes from patterns of overlap :math:`\tanh 2`, and :math:`P\,2^{-N}` times the number of
states at that overlap is exponentially large. The theorem of Demircigil et al. (2017) guarantees 1/2.
"""

_CELLS = 2**17
"""Cells of the lattice on which :func:`bit_error` adds crosstalk up; sums that fit into so many are exact."""


_STEEPEST = 10**4  # largest degree: the double factorial has 70,000 digits

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
    require_integer("degree", degree, at_least=2, at_most=_STEEPEST)
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
    return require_fit("load", torch.exp(-(separation**2) / 2) / (separation * math.sqrt(2 * math.pi)))


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
    return separation**-2 / _float_crosstalk(degree)


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
    try:
        # The quotient of two whole numbers may fit a float where they do not.
        return neurons ** (degree - 1) / factor / math.log(neurons)
    except OverflowError:
        raise ArgumentError(
            "neurons", f"a number of patterns within a float at degree {degree}", "too many", "Take fewer neurons."
        ) from None


def exact_recall(error: torch.Tensor, neurons: int) -> torch.Tensor:
    r"""Probability :math:`(1 - \epsilon)^N` that no bit is wrong, if bits were wrong independently of each other.

    Parameters
    ----------
    error
        Bit error epsilon, in [0, 1], any shape.
    neurons
        Number of neurons N, 1 to 2**53.

    Raises
    ------
    ArgumentError
        If an error is out of range or neurons is not a positive integer.
    """
    require_tensor("error", error, "...", values="nonnegative")
    if (error > 1).any():
        raise ArgumentError("error", "values in [0, 1]", f"{error.max():g}")
    require_integer("neurons", neurons, at_least=1, at_most=2**53)
    return torch.exp(neurons * torch.log1p(-error))


def learnable(patterns: torch.Tensor, answers: torch.Tensor) -> bool:
    r"""Whether some weights w of a single unit without threshold give every pattern its answer.

    A linear programme looks for w with :math:`y_\mu\, (w \cdot \xi^\mu) \ge 1` for every :math:`\mu`. The scale of w is
    free, so that 1 stands for any positive margin (Gardner 1988, without margin).

    Parameters
    ----------
    patterns
        Inputs, (patterns, neurons), -1 and +1.
    answers
        Wanted outputs, (patterns,), -1 and +1.

    Raises
    ------
    ArgumentError
        If a shape or a value does not fit.
    """
    sizes: dict[str, int] = {}
    require_tensor("patterns", patterns, "patterns neurons", values="spins", sizes=sizes)
    require_tensor("answers", answers, "patterns", values="spins", sizes=sizes)
    rows = (answers[:, None] * patterns).double().cpu().numpy()
    # Only feasibility is asked, so nothing is minimised. Status 0 is found, 2 is infeasible.
    found = optimize.linprog(
        np.zeros(rows.shape[1]), A_ub=-rows, b_ub=-np.ones(len(rows)), bounds=(None, None), method="highs"
    )
    return bool(found.status == 0)


# Sparse codes on binary synapses


@dataclass(frozen=True)
class SparseRecalls:
    """What recalls from networks of binary synapses brought.

    Attributes
    ----------
    extra
        Units too many of each recall, integers, axes ``(networks, recalls)``.
    on
        Share of the synapses of each network that are on, float64, axes ``(networks,)``.
    """

    extra: torch.Tensor
    on: torch.Tensor


def sparse_recalls(
    neurons: int, active: int, pairs: int, *, recalls: int, networks: int, generator: torch.Generator
) -> SparseRecalls:
    """Fill networks of binary synapses with pairs of sparse patterns, and recall answers from their whole cues.

    A synapse from a unit of the cue to a unit of the answer is on if one pair has both active. A unit comes on where
    all k synapses from the active units of the cue are on (Willshaw, Buneman & Longuet-Higgins 1969). The units of the
    answer always do, so that every wrong unit is one too many.

    Parameters
    ----------
    neurons
        Units N of the cue, and as many of the answer, 2 to 2**14.
    active
        Active units k of every pattern, 1 to N / 4.
    pairs
        Pairs of patterns stored in each network.
    recalls
        Answers asked for in each network, at most the pairs.
    networks
        Networks to draw.
    generator
        A CPU generator.

    Raises
    ------
    ArgumentError
        If a number is not an integer or out of range.
    """
    _require_sparse(neurons, active, pairs)
    require_integer("recalls", recalls, at_least=1, at_most=pairs)
    require_count("networks", networks)
    require_room(pairs=pairs, active=active**2)
    require_room(networks=networks, recalls=recalls, neurons=neurons)
    require_generator("generator", generator)
    extra, on = [], []
    for _ in range(networks):
        cues, answers = (_codes(pairs, active, neurons, generator) for _ in range(2))
        synapses = torch.zeros(neurons, neurons, dtype=torch.bool, device="cpu")
        synapses[cues[:, :, None], answers[:, None, :]] = True
        # One row of synapses for each active unit of the cue is added up; only a full sum lets a unit come on.
        inputs = embedding_bag(cues[:recalls], synapses.float(), mode="sum")
        extra.append((inputs == active).sum(dim=1) - active)
        on.append(synapses.double().mean())
    return SparseRecalls(torch.stack(extra), torch.stack(on))


def _codes(count: int, active: int, neurons: int, generator: torch.Generator) -> torch.Tensor:
    """So many sets of distinct units, (count, active), all sets equally likely: those with a double are drawn anew."""
    codes = torch.randint(neurons, (count, active), generator=generator, device="cpu")
    while len(doubled := (codes.sort(dim=1).values.diff(dim=1) == 0).any(dim=1).nonzero()[:, 0]):
        codes[doubled] = torch.randint(neurons, (len(doubled), active), generator=generator, device="cpu")
    return codes


def sparse_errors(neurons: int, active: int, pairs: int) -> tuple[float, float]:
    r"""Mean number of units too many in a recall from binary synapses, and the share of recalls without any.

    A given unit outside the answer comes on if each of the k units of the cue has met it in one of the other P - 1
    pairs. By inclusion and exclusion over the s of them that have not,

    .. math:: p = \sum_s (-1)^s \binom ks \Big[ 1 - f\,\big(1 - u_s\big) \Big]^{P-1}, \qquad
              f = \frac kN, \quad u_s = \binom{N-s}{k} \Big/ \binom Nk .

    f is the chance that a pair has the unit in its answer, :math:`u_s` that its cue misses s given units. The same sum
    over two sets of the cue, one for each of two units, gives the probability :math:`p_2` that both come on. The mean
    :math:`\lambda = (N - k)\,p` is exact. If the chance of a unit too many differs from cue to cue by a gamma
    distribution with that mean and the variance :math:`v = p_2 / p^2 - 1` over the square of it, the number too many
    has a negative binomial distribution, and none comes on with probability :math:`(1 + \lambda v)^{-1/v}`. Both
    numbers are dimensionless.

    Parameters
    ----------
    neurons
        Units N, 2 to 2**14.
    active
        Active units k of every pattern, 1 to the smaller of 14 and N / 4: with more, the alternating sums lose their
        digits.
    pairs
        Pairs of patterns stored, P.

    Raises
    ------
    ArgumentError
        If a number is not an integer or out of range.
    """
    _require_sparse(neurons, active, pairs)
    require_integer("active", active, at_least=1, at_most=14)
    missed = [math.comb(neurons - s, active) / math.comb(neurons, active) for s in range(2 * active + 1)]
    one = active / neurons
    both = one * (active - 1) / (neurons - 1)
    single = math.fsum(
        (-1) ** s * math.comb(active, s) * (1 - one * (1 - missed[s])) ** (pairs - 1) for s in range(active + 1)
    )
    # Of the cue, i units have not met the first unit alone, j the second alone, and o neither of the two.
    double = math.fsum(
        (-1) ** (i + j)
        * math.comb(active, o)
        * math.comb(active - o, i)
        * math.comb(active - o - i, j)
        * (1 - (one - both) * (2 - missed[i + o] - missed[j + o]) - both * (1 - missed[i + j + o])) ** (pairs - 1)
        for o in range(active + 1)
        for i in range(active + 1 - o)
        for j in range(active + 1 - o - i)
    )
    mean = (neurons - active) * single
    spread = double / single**2 - 1 if single > 0 else 0.0
    return mean, math.exp(-mean) if spread <= 0 else math.exp(-math.log1p(mean * spread) / spread)


def _require_sparse(neurons: int, active: int, pairs: int) -> None:
    require_integer("neurons", neurons, at_least=2, at_most=2**14)
    require_integer("active", active, at_least=1, at_most=max(1, neurons // 4))
    require_count("pairs", pairs)


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
        if isinstance(interaction, Skeleton):
            interaction.fit(neurons)
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
    return (load * _float_crosstalk(degree) / (2 if rectified else 1)) ** -0.5


def _float_crosstalk(degree: int) -> float:
    whole = crosstalk(degree)
    if whole.bit_length() > 1023:
        raise ArgumentError("degree", "(2n - 3)!! within a float, n <= 151", str(degree), "Take a smaller degree.")
    return float(whole)
