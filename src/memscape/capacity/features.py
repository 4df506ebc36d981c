r"""Memories that share hidden features: examples are mixtures of a few patterns that are never stored themselves.

A pattern is the sign of a random sum of D features (:func:`mixtures`). Hebb's rule stores P of them. With few it holds
the patterns; with many it holds the features, which it was never shown, and at last mixtures that it was never shown
(:func:`learning_curve`; Negri et al. 2023; Kalaj et al. 2025). :func:`feature_noise` and :func:`feature_error` say what
one step from a feature does, and :func:`learning_transition` where features become attractors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import optimize, special, stats

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_generator,
    require_integer,
    require_number,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.capacity.correlated import vote_error
from memscape.memory.dynamics import asynchronous
from memscape.memory.hopfield import Hopfield
from memscape.memory.mean_field import mixture_overlap
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces
from memscape.tools.sequences import require_rising
from memscape.tools.statistics import Estimate, mean_interval

__all__ = [
    "KINDS",
    "FeatureNoise",
    "Learned",
    "Transition",
    "feature_error",
    "feature_noise",
    "learned_at",
    "learning_curve",
    "learning_transition",
    "mixtures",
]

KINDS = ("stored", "feature", "unseen")
"""Kinds of start: a stored mixture, a feature, a mixture that was never stored."""

_MOST = 10**6
"""Most patterns or features that a sum over a binomial distribution runs through."""

_OVERLAPS = 80
"""Overlaps at which a state is asked whether it keeps itself up."""

_ANGLES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_COSINES = np.cos((_ANGLES + 1) / 2 * math.pi)
"""Cosines that stand for the eigenvalues of Marchenko and Pastur's law."""

_NODES = 400
"""Values that stand for the distribution of a signal."""

_GAUSSIAN = 1000
"""Voters whose vote is no longer told from a Gaussian."""

_SETTLED = 2**28
"""Bytes of couplings of networks that settle together (256 MiB); orders of units depend on it."""

_DRAWN = 2**27
"""Bytes of mixtures that are drawn together (128 MiB): what is drawn depends on it, so that no caller may set it."""


def mixtures(
    features: torch.Tensor, count: int, *, active: int | None = None, generator: torch.Generator
) -> torch.Tensor:
    r"""Patterns made of hidden features: :math:`\xi_i = \mathrm{sign} \sum_k c_k f_i^k`.

    Parameters
    ----------
    features
        f, axes ``(*G, D, N)``, values in {-1, +1}.
    count
        Number of patterns P of each network.
    active
        Number L of features in a pattern, odd, with coefficients -1 and +1 of random sign; None for all of them with
        Gaussian coefficients (Negri et al. 2023).
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, P, N)``, values -1 and +1, dtype and device of the features.

    Raises
    ------
    ArgumentError
        If the features are not made of spins, a size does not fit or is even, or the generator is not on the CPU.
    """
    require_tensor("features", features, "... features neurons", values="spins")
    require_count("count", count)
    require_generator("generator", generator)
    *networks, hidden, neurons = features.shape
    require_room(networks=math.prod(networks), count=count, neurons=neurons + 2 * hidden)
    shape = (*networks, count, hidden)
    if active is None:
        weights = torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu")
    else:
        _require_active(active, hidden)
        chosen = torch.rand(shape, generator=generator, dtype=torch.float64, device="cpu").argsort(dim=-1)
        signs = 2.0 * torch.randint(0, 2, (*shape[:-1], active), generator=generator, device="cpu").double() - 1
        weights = torch.zeros(shape, dtype=torch.float64, device="cpu").scatter_(-1, chosen[..., :active], signs)
    # Sums of at most D whole numbers are exact in float32; Gaussian ones are never zero.
    precise = torch.float64 if active is None else torch.float32
    sums = weights.to(device=features.device, dtype=precise) @ features.to(precise)
    return torch.where(sums < 0, -1.0, 1.0).to(features.dtype)


@dataclass(frozen=True)
class FeatureNoise:
    r"""Variance of the crosstalk at a feature, in units of its squared signal, by source.

    Attributes
    ----------
    examples
        From the chance of which examples were drawn; it falls as 1/P and is the same for every N.
    features
        From the overlaps of other features, (D - 1)/N.
    sample
        From the finite number of units that tell how much an example holds of the feature.
    """

    examples: float
    features: float
    sample: float

    @property
    def total(self) -> float:
        """Sum of the three: the load at which random patterns would disturb as much."""
        return self.examples + self.features + self.sample


def feature_noise(count: int, features: int, neurons: int, *, active: int | None = None) -> FeatureNoise:
    r"""Noise at a feature that a memory was never shown, after Hebb's rule has stored mixtures of it.

    Let :math:`g` be the mean of :math:`f_i^k \xi_i` over units, given the coefficients of an example. Examples add up
    to the signal :math:`P \langle g^2 \rangle`, and the variance over its square is

    .. math:: l = \frac{1 - \langle g^4 \rangle / \langle g^2 \rangle}{P \langle g^2 \rangle} + \frac{D - 1}{N}
                  + \frac{1}{P N \langle g^2 \rangle^2}.

    For Gaussian coefficients :math:`\langle g^2 \rangle = \frac2\pi \langle q \arcsin q \rangle` with :math:`q` the
    overlap of two random signs of length D, about :math:`2/(\pi D)`, and :math:`\langle g^4 \rangle` is taken for sums
    that are Gaussian, :math:`12 / (\pi^2 D (D + 2))`. For L active features :math:`g` is 0 or the overlap :math:`m_L`
    of a symmetric mixture: :math:`\langle g^2 \rangle = L m_L^2 / D`. With many examples the error of one step is
    :math:`\Phi(-1/\sqrt l)`; with few, :func:`feature_error` knows better.

    Parameters
    ----------
    count
        Number of stored mixtures P.
    features
        Number of hidden features D, 1 to 10**6.
    neurons
        Number of neurons N.
    active
        Number L of features in a mixture, odd, up to 15, or None for Gaussian coefficients.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    second, fourth = _held(count, features, neurons, active)
    return FeatureNoise(
        examples=(1 - fourth / second) / (count * second),
        features=(features - 1) / neurons,
        sample=1 / (count * neurons * second**2),
    )


def feature_error(count: int, features: int, neurons: int, *, active: int | None = None) -> float:
    r"""Share of wrong bits one step after a feature that was never shown, after Hebb's rule has stored mixtures of it.

    :math:`\Phi(-1/\sqrt l)` with the l of :func:`feature_noise`, but for what few examples change. The signal is a sum
    over the examples that were drawn, and all units share it: for Gaussian coefficients it is spread like a
    chi-squared variable of P degrees, for L active features it is :math:`K m_L^2` with K binomial of mean
    :math:`P L / D`. And K examples of overlap :math:`m_L` vote like those of an archetype
    (:func:`memscape.capacity.correlated.archetype_error`), so that
    their sum is binomial, too; from 1000 examples on it is taken for Gaussian.

    Parameters
    ----------
    count, features, neurons, active
        As for :func:`feature_noise`; count up to 10**6.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("count", count, at_least=1, at_most=_MOST)
    noise = feature_noise(count, features, neurons, active=active)
    levels = (np.arange(_NODES) + 0.5) / _NODES  # equal shares of the chance in the signal, by their middles
    if active is None:
        signal = stats.gamma.ppf(levels, count / 2, scale=2 / count)
        return float(_error_at(noise, signal).mean())
    mean = count * active / features
    held = mixture_overlap(active)
    voters, repeats = np.unique(stats.binom.ppf(levels, count, active / features).astype(int), return_counts=True)
    others = math.sqrt(noise.features * mean**2 + noise.sample * mean**2) * held**2  # in units of one vote at overlap 1
    errors = [
        vote_error(int(number), held, others) if number <= _GAUSSIAN else float(_error_at(noise, number / mean))
        for number in voters
    ]
    return float(np.array(errors) @ repeats / _NODES)


@dataclass(frozen=True)
class Transition:
    """Where features become attractors.

    Attributes
    ----------
    examples
        Examples of each feature, P/D.
    overlap
        Overlap with a feature at rest, where it first is one.
    """

    examples: float
    overlap: float


def learning_transition(crowding: float) -> Transition:
    r"""Fewest examples for which a feature is an attractor, by a self-consistent law for Gaussian coefficients.

    Near a feature a state has small overlaps :math:`m_\perp` with the others. Both act through the correlations B of
    the examples' coefficients, whose eigenvalues obey Marchenko and Pastur's law of ratio :math:`c = D/P`, and a unit
    responds with :math:`\chi`: :math:`m_\perp = \chi (B m_\perp + m b) + \zeta`, with b the correlations with the
    feature and :math:`\zeta` the overlaps by chance, of variance 1/N. What an example holds beyond features is noise.

    Parameters
    ----------
    crowding
        Hidden features a unit, D/N, in [0, 0.13].

    Raises
    ------
    ArgumentError
        If the number of features is out of range.
    """
    require_number("crowding", crowding, at_least=0.0, at_most=0.13)
    overlaps = np.linspace(0.55, 0.9999, _OVERLAPS)

    def excess(ratio: float) -> np.ndarray:
        return np.array([_excess(overlap, ratio, crowding) for overlap in overlaps])

    ratio = optimize.brentq(lambda ratio: excess(ratio).max(), 1e-3, 0.6)
    return Transition(1 / ratio, float(overlaps[excess(ratio).argmax()]))


def learned_at(counts: Sequence[int], overlaps: torch.Tensor, level: float) -> Estimate:
    """Number of mixtures at which the mean overlap has risen to a level, on straight lines in its logarithm.

    Parameters
    ----------
    counts
        Numbers of mixtures P, rising, at least two.
    overlaps
        Overlaps of each network, axes ``(counts, networks)``, two networks or more.
    level
        Overlap, in (0, 1).

    Returns
    -------
    Estimate
        An end of the counts where the level is not passed. The interval is where the ends of the 95 % intervals of the
        means pass.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    numbers = require_rising("counts", counts, "two rising numbers of mixtures or more", shortest=2)
    require_tensor("overlaps", overlaps, "counts networks", sizes={"counts": len(numbers)})
    require_number("level", level, above=0.0, at_most=0.999999)
    require_integer("networks", overlaps.shape[1], at_least=2)
    curves = [np.maximum.accumulate(curve) for curve in mean_interval(overlaps.double().cpu())]
    at, last, first = (float(np.exp(np.interp(level, curve, np.log(numbers)))) for curve in curves)
    return Estimate(at, first, last, overlaps.shape[1])


def _excess(overlap: float, ratio: float, crowding: float) -> float:
    """How many standard deviations more signal than an overlap with a feature needs to keep itself up."""
    beyond = math.pi / 2 - 1  # what an example holds beyond features, over what it holds of them
    eigenvalues = 1 + ratio + 2 * math.sqrt(ratio) * _COSINES
    shares = _WEIGHTS * (1 - _COSINES**2) / eigenvalues
    needed = math.sqrt(2) * float(special.erfinv(overlap))

    def parts(response: float) -> tuple[float, float]:
        echo = 1 - response * ratio * beyond  # an example's own part of a state returns to it
        strengths, residual = eigenvalues / echo, beyond * ratio / echo
        left = 1 - response * strengths
        linear, once, twice = (
            shares @ part for part in (strengths / left, strengths / left**2, (strengths / left) ** 2)
        )
        others = ratio / echo * overlap**2 * once + crowding * (twice + residual * once)
        signal = overlap / echo + response * overlap * ratio / echo * linear
        heard = overlap * signal + response * others + crowding * (linear * (1 + response * residual) + beyond)
        return signal, math.sqrt(others + residual * heard)

    density = 2 * math.exp(-(needed**2) / 2) / math.sqrt(2 * math.pi)
    most = 1 / ((1 + math.sqrt(ratio)) ** 2 + ratio * beyond)
    response = optimize.brentq(lambda x: x * parts(x)[1] - density, 1e-12, most * (1 - 1e-9))
    signal, noise = parts(response)
    return signal / noise - needed


def _held(count: int, features: int, neurons: int, active: int | None) -> tuple[float, float]:
    """Second and fourth moment of what an example holds of a feature."""
    require_count("count", count)
    require_integer("features", features, at_least=1, at_most=_MOST)
    require_count("neurons", neurons)
    if active is not None:
        _require_active(active, features)
        held = mixture_overlap(active)
        return active / features * held**2, active / features * held**4
    ups = np.arange(features + 1)
    cosines = (2 * ups - features) / features
    second = float(2 / math.pi * (stats.binom.pmf(ups, features, 0.5) @ (cosines * np.arcsin(cosines))))
    # At D = 1 the sum is no Gaussian: every example is the feature.
    return second, 12 / (math.pi**2 * features * (features + 2)) if features > 1 else second


@dataclass(frozen=True)
class Learned:
    """Overlaps of a memory of mixtures with what it was started from.

    Attributes
    ----------
    counts
        Numbers P of stored mixtures.
    first, settled
        Mean overlap with the start after one step and at rest, by kind of start: ``"stored"``, ``"feature"`` or
        ``"unseen"`` (a mixture that was not stored). Each float64, axes ``(counts, networks)``.
    resting
        Share of starts that had come to rest, same axes, over all kinds.
    """

    counts: tuple[int, ...]
    first: dict[str, torch.Tensor]
    settled: dict[str, torch.Tensor]
    resting: torch.Tensor


def learning_curve(
    counts: Sequence[int],
    features: int,
    neurons: int,
    *,
    active: int | None = None,
    networks: int,
    probes: int = 8,
    sweeps: int = 30,
    kinds: Sequence[str] = KINDS,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Learned:
    """Store more and more mixtures by Hebb's rule; start at stored ones, at features and at mixtures never stored.

    Parameters
    ----------
    counts
        Numbers P of mixtures, rising; the first are kept when more are added.
    features, neurons
        Hidden features D and neurons N of each network.
    active
        As in :func:`mixtures`.
    networks
        Independent networks, each with features of its own.
    probes
        Starts of each kind in each network; of features and stored mixtures no more than there are.
    sweeps
        Most asynchronous sweeps at temperature 0; with 0 the first step is also the last.
    kinds
        Kinds of start, out of ``"stored"``, ``"feature"`` and ``"unseen"``.
    generator
        A CPU generator: draws features, unseen mixtures, then mixtures, then orders of units.
    device
        Where to compute.

    Raises
    ------
    ArgumentError
        If a size is out of range, the counts do not rise, a kind is unknown, or the generator is not on the CPU.
    """
    wanted = require_rising("counts", counts, "one rising number of mixtures or more")
    for name, value in (("features", features), ("networks", networks), ("probes", probes)):
        require_count(name, value)
    asked = tuple(require_choice("kinds", kind, KINDS) for kind in require_sequence("kinds", kinds, "kinds of start"))
    if not asked or len(set(asked)) < len(asked):
        raise ArgumentError("kinds", f"some of {', '.join(KINDS)}, each once", str(list(asked)[:5]))
    require_count("sweeps", sweeps, at_least=0)
    require_count("neurons", neurons, at_least=2)
    require_room(networks=networks, neurons=neurons, neurons_again=neurons)
    require_room(networks=networks, probes=probes, neurons=neurons)
    # Whole numbers up to 2 ** 24 are exact in single precision, and so are all fields up to there.
    precise = torch.float32 if wanted[-1] * neurons < 2**24 else torch.float64
    hidden = random_patterns(features, neurons, networks=(networks,), generator=generator, dtype=precise, device=device)
    if active is not None:
        _require_active(active, features)
    unseen = mixtures(hidden, probes, active=active, generator=generator)
    couplings = hidden.new_zeros(networks, neurons, neurons)
    stored = hidden[:, :0]
    found: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    sizes: list[list[int]] = []
    waiting: list[tuple[torch.Tensor, torch.Tensor]] = []
    room = max(1, _SETTLED // couplings.nbytes)
    before = 0
    for place, count in enumerate(wanted):
        # Mixtures come in pieces, so that no more than a piece of them is ever held.
        for piece in pieces.slices(count - before, _together(networks, neurons + 4 * features)):
            more = mixtures(hidden, piece.stop - piece.start, active=active, generator=generator)
            single = more.float()  # sums of fewer than 2 ** 24 signs are exact in it
            couplings += single.mT @ single
            stored = torch.cat([stored, more[:, : probes - stored.shape[1]]], dim=1)
        before = count
        couplings.diagonal(dim1=-2, dim2=-1).zero_()
        every = dict(zip(KINDS, (stored, hidden[:, :probes], unseen), strict=True))
        starts = [every[kind] for kind in asked]
        sizes.append([some.shape[1] for some in starts])
        waiting.append((couplings.clone(), torch.cat(starts, dim=1)))
        # Networks of several numbers of mixtures settle together: a step costs little more for many than for one.
        if len(waiting) == room or place == len(wanted) - 1 or stored.shape[1] < probes:
            found += _settled(waiting, sweeps, generator)
            waiting = []
    at_first, at_last = (_by_kind([row[part] for row in found], sizes, asked) for part in (0, 1))
    return Learned(wanted, at_first, at_last, torch.stack([row[2] for row in found]))


def _settled(
    networks: list[tuple[torch.Tensor, torch.Tensor]], sweeps: int, generator: torch.Generator
) -> list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    """Overlaps after one step and at rest, axes (networks, starts), and the share at rest, for couplings and starts."""
    couplings, start = (torch.stack(parts) for parts in zip(*networks, strict=True))
    model = Hopfield(couplings, couplings.new_zeros(couplings.shape[:-1]), 1 / couplings.shape[-1])
    once = model.update(start)
    end, resting = once, (once == start).all(dim=-1)
    if sweeps:
        rest = asynchronous(model, start, sweeps=sweeps, generator=generator)
        end, resting = rest.state, rest.converged
    first, last = ((state * start).double().mean(dim=-1).cpu() for state in (once, end))
    return list(zip(first, last, resting.double().mean(dim=-1).cpu(), strict=True))


def _together(networks: int, numbers: int) -> int:
    """How many mixtures of every network, so many numbers each, are drawn together."""
    return max(1, _DRAWN // (8 * networks * numbers))


def _by_kind(rows: list[torch.Tensor], sizes: list[list[int]], asked: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Means over the starts of each kind: rows ``(networks, starts)`` to ``(counts, networks)`` by kind."""
    apart = [row.split(parts, dim=1) for row, parts in zip(rows, sizes, strict=True)]
    return {kind: torch.stack([parts[place].mean(dim=1) for parts in apart]) for place, kind in enumerate(asked)}


def _error_at(noise: FeatureNoise, signal: np.ndarray | float) -> np.ndarray:
    """Error at a feature where chance has made the signal of the examples so many times its mean."""
    with np.errstate(divide="ignore"):
        total = noise.examples / np.asarray(signal) + noise.features + noise.sample / np.asarray(signal) ** 2
    return special.ndtr(-1 / np.sqrt(total))


def _require_active(active: int, features: int) -> None:
    require_integer("active", active, at_least=1, at_most=min(15, features))
    if active % 2 == 0:
        raise ArgumentError("active", "an odd number", str(active), "With an even number a unit can be undecided.")
