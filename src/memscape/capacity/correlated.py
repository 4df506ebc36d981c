r"""Memories that resemble each other: biased bits, shared features, noisy examples of one archetype, a cycle in time.

Random patterns disturb a memory of quadratic energy like noise. Patterns that resemble each other disturb it in one
direction, and what they have in common may become a memory of its own. Five ways of being alike, each with the law of
one step from a start :math:`x`, at which unit i has the field :math:`h_i = \sum_j W_{ij} x_j`:

* *bias*: a bit is +1 with probability (1 + a)/2 (:func:`biased_patterns`, :func:`biased_error`); :func:`covariance`
  stores what differs from the mean;
* *features*: patterns are signs of random sums of D hidden features (:func:`mixtures`, :func:`feature_noise`,
  :func:`learning_curve`);
* *archetypes*: M examples of each of K archetypes (:func:`examples_of`, :func:`archetype_error`,
  :func:`example_error`, :func:`staying`);
* *cycles*: every pattern is also tied to the next one (:func:`column_overlaps` for infinitely many units,
  :func:`cycle_overlaps` for some);
* *real patterns*: :func:`recovered` damages stored patterns of any kind and counts what comes back, and
  :func:`opposing_votes` says which of them no other patterns can move.

Memories that merge as a softmax memory is warmed are the subject of :mod:`memscape.capacity.merging`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from scipy import special, stats

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_dtype,
    require_function,
    require_generator,
    require_integer,
    require_kind,
    require_number,
    require_room,
    require_sequence,
    require_sizes,
    require_tensor,
    wide,
)
from memscape.memory.dynamics import asynchronous, synchronous
from memscape.memory.hopfield import Hopfield
from memscape.memory.mean_field import mixture_overlap
from memscape.memory.patterns import flip, random_patterns
from memscape.tools import pieces
from memscape.tools.models import Spins

__all__ = [
    "Cycle",
    "FeatureNoise",
    "Learned",
    "archetype_error",
    "biased_error",
    "biased_patterns",
    "column_overlaps",
    "covariance",
    "cycle_overlaps",
    "example_error",
    "examples_of",
    "feature_error",
    "feature_noise",
    "learning_curve",
    "mixtures",
    "opposing_votes",
    "recovered",
    "staying",
]

_MOST = 10**6
"""Most patterns or examples that a sum over a binomial distribution runs through."""

_NODES = 400
"""Values that stand for the distribution of a signal."""

_GAUSSIAN = 1000
"""Voters whose vote is no longer told from a Gaussian."""

_DRAWN = 2**27
"""Bytes of mixtures that are drawn together (128 MiB): what is drawn depends on it, so that no caller may set it."""

# Bias


def biased_patterns(
    count: int,
    neurons: int,
    bias: float,
    *,
    networks: Sequence[int] = (),
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Independent patterns whose bits are +1 with probability (1 + a)/2.

    Parameters
    ----------
    count
        Number of patterns P of each network.
    neurons
        Number of neurons N.
    bias
        Mean a of a bit, in [-1, 1].
    networks
        Axes G of independent networks.
    generator
        A CPU generator.
    dtype, device
        Floating dtype and device of the result.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, P, N)``, values -1 and +1.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, the bias is out of range, the dtype is not floating, the device is absent
        or the generator is not on the CPU.
    """
    require_count("count", count)
    require_count("neurons", neurons)
    networks = require_sizes("networks", networks)
    require_number("bias", bias, at_least=-1.0, at_most=1.0)
    require_room(networks=math.prod(networks), count=count, neurons=neurons)
    require_generator("generator", generator)
    dtype, device = require_dtype("dtype", dtype), require_device("device", device)
    drawn = torch.rand((*networks, count, neurons), generator=generator, dtype=torch.float64, device="cpu")
    return torch.where(drawn < (1 + bias) / 2, 1.0, -1.0).to(device=device, dtype=dtype)


def biased_error(count: int, neurons: int, bias: float) -> float:
    r"""Share of wrong bits one step after a stored pattern, for Hebb's rule and biased patterns.

    Every other pattern has the overlap :math:`a^2` with the pattern started from, up to :math:`\sqrt{(1 - a^4)/N}`. The
    field of a unit of value s is therefore :math:`s` plus :math:`a^2` times the sum of the unit's bits in all other
    patterns, a binomial variable of mean :math:`(P-1) a`, plus Gaussian noise of variance :math:`(P-1)(1-a^4)/N`. The
    mean of that sum turns the rarer bits once :math:`P a^3 > 1`, whatever N is.

    Parameters
    ----------
    count
        Number of patterns P, 1 to 10**6.
    neurons
        Number of neurons N.
    bias
        Mean a of a bit, in [-1, 1].

    Returns
    -------
    float
        In [0, 1]; a field of exactly zero counts as half an error.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("count", count, at_least=1, at_most=_MOST)
    require_count("neurons", neurons)
    require_number("bias", bias, at_least=-1.0, at_most=1.0)
    ups = np.arange(count)
    weights = stats.binom.pmf(ups, count - 1, (1 + bias) / 2)
    pull = bias**2 * (2 * ups - (count - 1))
    noise = math.sqrt((count - 1) * (1 - bias**4) / neurons)
    values = ((sign, (1 + sign * bias) / 2) for sign in (1, -1))
    return float(sum(share * (weights @ _tail(1 + sign * pull, noise)) for sign, share in values))


def covariance(patterns: torch.Tensor, means: torch.Tensor) -> Hopfield:
    r"""Store what differs from the mean: :math:`W_{ij} = \frac1N \sum_\mu (\xi_i^\mu - a_i)(\xi_j^\mu - a_j)`.

    The field of a unit is :math:`\sum_j W_{ij} (s_j - a_j) + v a_i` with :math:`v` the mean of :math:`1 - a_i^2` over
    the units: at a stored pattern its signal is :math:`v \xi_i`, of one size for both values, so that the rarer one is
    no easier to lose. With one mean a for all units the error of one step is
    :math:`\Phi(-1/\sqrt{(1 - a^2) \alpha})` (Amit, Gutfreund & Sompolinsky 1987 store biased patterns so).

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    means
        Means a of the bits, axes ``(N,)``, values in [-1, 1], dtype and device of the patterns.

    Returns
    -------
    Hopfield
        Couplings without a diagonal, in the unit 1/N, with the thresholds that move the field.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or the means do not fit them.
    """
    sizes: dict[str, int] = {}
    require_tensor("patterns", patterns, "... patterns neurons", values="spins", sizes=sizes)
    require_tensor("means", means, "neurons", sizes=sizes, device=patterns.device, dtype=patterns.dtype)
    if (means.abs() > 1).any():
        raise ArgumentError("means", "values in [-1, 1]", f"{means[means.abs() > 1][0]:g}")
    centred = wide(patterns) - wide(means)
    couplings = centred.mT @ centred
    # A product of matrices need not be symmetric to the last bit.
    couplings = (couplings + couplings.mT) / 2
    couplings.diagonal(dim1=-2, dim2=-1).zero_()
    thresholds = couplings @ wide(means) - (1 - wide(means) ** 2).sum() * wide(means)
    kind = patterns.dtype
    return Hopfield(couplings.to(kind), thresholds.to(kind), 1.0 / patterns.shape[-1])


# Hidden features


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
        weights = torch.zeros(shape, dtype=torch.float64).scatter_(-1, chosen[..., :active], signs)
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
    (:func:`archetype_error`), so that their sum is binomial, too; from 1000 examples on it is taken for Gaussian.

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
        _vote_error(int(number), held, others) if number <= _GAUSSIAN else float(_error_at(noise, number / mean))
        for number in voters
    ]
    return float(np.array(errors) @ repeats / _NODES)


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
        Mean overlap with the start after one step and at rest, by kind of start: ``"stored"``, ``"feature"`` and
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
    generator
        A CPU generator: draws features, unseen mixtures, then mixtures, then orders of units.
    device
        Where to compute.

    Raises
    ------
    ArgumentError
        If a size is out of range, the counts do not rise, or the generator is not on the CPU.
    """
    wanted = tuple(require_count("counts", count) for count in require_sequence("counts", counts, "numbers"))
    if not wanted or any(after <= before for before, after in itertools.pairwise(wanted)):
        raise ArgumentError("counts", "one rising number of mixtures or more", str(list(wanted)[:5]))
    for name, value in (("features", features), ("networks", networks), ("probes", probes)):
        require_count(name, value)
    require_count("sweeps", sweeps, at_least=0)
    require_count("neurons", neurons, at_least=2)
    require_room(networks=networks, neurons=neurons, neurons_again=neurons)
    require_room(networks=networks, probes=probes, neurons=neurons)
    hidden = random_patterns(features, neurons, networks=(networks,), generator=generator, device=device)
    if active is not None:
        _require_active(active, features)
    unseen = mixtures(hidden, probes, active=active, generator=generator)
    couplings = hidden.new_zeros(networks, neurons, neurons)
    stored = hidden[:, :0]
    found: list[tuple[torch.Tensor, torch.Tensor, torch.Tensor]] = []
    sizes: list[int] = []
    before = 0
    for count in wanted:
        # Mixtures come in pieces, so that no more than a piece of them is ever held.
        for piece in pieces.slices(count - before, _together(networks, neurons + 4 * features)):
            more = mixtures(hidden, piece.stop - piece.start, active=active, generator=generator)
            couplings += more.mT @ more
            stored = torch.cat([stored, more[:, : probes - stored.shape[1]]], dim=1)
        before = count
        couplings.diagonal(dim1=-2, dim2=-1).zero_()
        model = Hopfield(couplings, hidden.new_zeros(networks, neurons), 1 / neurons)
        kinds = (stored, hidden[:, :probes], unseen)
        sizes = [kind.shape[1] for kind in kinds]
        start = torch.cat(kinds, dim=1)
        once = model.update(start)
        end, resting = once, (once == start).all(dim=-1)
        if sweeps:
            rest = asynchronous(model, start, sweeps=sweeps, generator=generator)
            end, resting = rest.state, rest.converged
        first, last = ((state * start).mean(dim=-1).cpu() for state in (once, end))
        found.append((first, last, resting.double().mean(dim=1).cpu()))
    at_first, at_last = (_by_kind([row[part] for row in found], sizes) for part in (0, 1))
    return Learned(wanted, at_first, at_last, torch.stack([row[2] for row in found]))


def _together(networks: int, numbers: int) -> int:
    """How many mixtures of every network, so many numbers each, are drawn together."""
    return max(1, _DRAWN // (8 * networks * numbers))


def _by_kind(rows: list[torch.Tensor], sizes: list[int]) -> dict[str, torch.Tensor]:
    """Means over the starts of each kind: rows ``(networks, starts)`` to ``(counts, networks)`` by kind."""
    kinds = [
        row.split([row.shape[1] - sizes[1] - sizes[2], *sizes[1:]], dim=1)  # stored ones may be fewer at first
        for row in rows
    ]
    return {
        kind: torch.stack([parts[place].mean(dim=1) for parts in kinds])
        for place, kind in enumerate(("stored", "feature", "unseen"))
    }


# Archetypes


def examples_of(archetypes: torch.Tensor, count: int, agreement: float, *, generator: torch.Generator) -> torch.Tensor:
    """Noisy examples of archetypes: each bit agrees with probability (1 + r)/2.

    Parameters
    ----------
    archetypes
        Axes ``(*G, K, N)``, values in {-1, +1}.
    count
        Number M of examples of each archetype.
    agreement
        Mean overlap r of an example with its archetype, in [-1, 1].
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, K, M, N)``, dtype and device of the archetypes.

    Raises
    ------
    ArgumentError
        If the archetypes are not made of spins, another argument is out of range or the generator is not on the CPU.
    """
    require_tensor("archetypes", archetypes, "... archetypes neurons", values="spins")
    require_number("agreement", agreement, at_least=-1.0, at_most=1.0)
    *batch, neurons = archetypes.shape
    noise = biased_patterns(
        count, neurons, agreement, networks=batch, generator=generator, dtype=archetypes.dtype, device=archetypes.device
    )
    return archetypes[..., None, :] * noise


def archetype_error(examples: int, agreement: float, archetypes: int, neurons: int) -> float:
    r"""Share of wrong bits one step after an archetype that was never stored, only its examples (Hebb's rule).

    The examples of the archetype vote: a unit's signal is r times the sum of M bits that agree with probability
    (1 + r)/2, which is binomial. The other archetypes add Gaussian noise. Where the vote is nearly Gaussian, too, the
    error is :math:`\Phi(-1/\sqrt l)` with

    .. math:: l = \frac{1 - r^2}{M r^2} + \frac{K - 1}{N} \Big[ 1 + \frac{1 - r^4}{M r^4} \Big].

    Parameters
    ----------
    examples
        Examples M of each archetype, 1 to 10**6.
    agreement
        Overlap r of an example with its archetype, in (0, 1].
    archetypes
        Number K of archetypes.
    neurons
        Number of neurons N.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    _require_examples(examples, agreement, archetypes, neurons)
    return _vote_error(examples, agreement, _from_others(examples, agreement, archetypes, neurons))


def example_error(examples: int, agreement: float, archetypes: int, neurons: int, *, degree: int = 2) -> float:
    r"""Share of bits that leave a stored example in one step, for a power n of the overlap.

    The example itself holds a unit with strength 1. The M - 1 others of its archetype have the overlap :math:`r^2` with
    it and vote with strength :math:`r^{2(n-1)}` each; their sum is binomial given the bit of the archetype. If every
    vote were the mean one, bits that disagree with the archetype would turn at :math:`M = 1 + r^{-(2n-1)}`. At n = 2
    the other archetypes add Gaussian noise; at higher powers it is of the order :math:`N^{-(n-1)/2}` and left out.

    Parameters
    ----------
    examples
        Examples M of each archetype, 1 to 10**6.
    agreement
        Overlap r of an example with its archetype, in (0, 1].
    archetypes
        Number K of archetypes.
    neurons
        Number of neurons N.
    degree
        Power n, 2 to 100.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    _require_examples(examples, agreement, archetypes, neurons)
    require_integer("degree", degree, at_least=2, at_most=100)
    agreeing = np.arange(examples)
    weights = stats.binom.pmf(agreeing, examples - 1, (1 + agreement) / 2)
    vote = agreement ** (2 * (degree - 1)) * (2 * agreeing - (examples - 1))
    noise = _from_others(examples, agreement, archetypes, neurons) if degree == 2 else 0.0
    kept, odd = (weights @ _tail(1 + sign * vote, noise) for sign in (1, -1))
    return float((1 + agreement) / 2 * kept + (1 - agreement) / 2 * odd)


def staying(
    build: Callable[[torch.Tensor], Spins],
    examples: int,
    agreement: float,
    archetypes: int,
    neurons: int,
    *,
    networks: int,
    probes: int = 10,
    steps: int = 50,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> tuple[torch.Tensor, torch.Tensor]:
    """Store examples, start at some of them, let the network settle: overlaps with the example and with its archetype.

    Parameters
    ----------
    build
        Makes a model of patterns ``(G, P, N)``, float32.
    examples, agreement, archetypes, neurons
        As in :func:`archetype_error`.
    networks
        Independent networks.
    probes
        Starts in each network, the first examples of as many archetypes; no more than archetypes.
    steps
        Most steps to make, all units at once.
    generator
        A CPU generator.
    device
        Where to compute.

    Returns
    -------
    tuple of two tensors
        Overlaps at the end with the example started from and with its archetype, float64, axes ``(networks, probes)``.

    Raises
    ------
    ArgumentError
        If an argument is out of range or the model refuses the patterns.
    """
    require_function("build", build)
    _require_examples(examples, agreement, archetypes, neurons)
    require_count("networks", networks)
    require_count("probes", probes)
    require_count("steps", steps)
    require_room(networks=networks, archetypes=archetypes, examples=examples, neurons=neurons)
    pure = random_patterns(
        archetypes, neurons, networks=(networks,), generator=generator, dtype=torch.float32, device=device
    )
    noisy = examples_of(pure, examples, agreement, generator=generator)
    start, wanted = noisy[:, :probes, 0], pure[:, :probes]
    end = synchronous(build(noisy.flatten(1, 2)), start, steps=steps).state
    return (end * start).double().mean(dim=-1).cpu(), (end * wanted).double().mean(dim=-1).cpu()


# Cycles


@dataclass(frozen=True)
class Cycle:
    """Where a memory of a cycle of patterns came to rest.

    Attributes
    ----------
    overlaps
        Overlap with each of the p patterns: whole numbers over ``of`` for :func:`column_overlaps`, axes ``(p,)``.
    of
        What an overlap of 1 is.
    period
        1 at a fixed point, 2 in a cycle of two states, 0 if still moving.
    steps
        Steps made.
    ties
        Share of units without a field at the end; they keep their values.
    """

    overlaps: torch.Tensor
    of: int
    period: int
    steps: int
    ties: float


def column_overlaps(
    patterns: int, strength: Fraction, *, steps: int = 100, generator: torch.Generator | None = None
) -> Cycle:
    r"""State reached from a pattern of a cycle of p, for infinitely many units, in whole numbers.

    The couplings are :math:`W_{ij} = \frac1N \sum_\mu [\xi_i^\mu \xi_j^\mu + a (\xi_i^{\mu+1} \xi_j^\mu + \xi_i^\mu
    \xi_j^{\mu+1})]` (Griniasty, Tsodyks & Amit 1993). Of infinitely many units every one of the :math:`2^p` columns of
    p bits has the same share. So a state is one sign a column, the overlaps :math:`m_\mu` are means over the columns
    :math:`x`, and a unit takes the sign of :math:`\sum_\mu x_\mu [m_\mu + a (m_{\mu-1} + m_{\mu+1})]`. With a a
    fraction all of it is done in whole numbers, and a tie is a tie.

    Parameters
    ----------
    patterns
        Length p of the cycle, 3 to 16.
    strength
        a, a fraction in [0, 10] with a denominator up to 10**6.
    steps
        Most steps to make: each once over all columns.
    generator
        A CPU generator: columns turn one after another, in a random order for each step. Without one, all at once.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("patterns", patterns, at_least=3, at_most=16)
    require_kind("strength", strength, Fraction)
    require_count("steps", steps)
    if not 0 <= strength <= 10 or strength.denominator > 10**6:
        raise ArgumentError("strength", "a fraction in [0, 10] with a denominator up to 10**6", str(strength))
    columns = torch.cartesian_prod(*[torch.tensor([1, -1])] * patterns)

    def pull(held: torch.Tensor) -> torch.Tensor:
        return strength.denominator * held + strength.numerator * (held.roll(1) + held.roll(-1))

    def field(state: torch.Tensor) -> torch.Tensor:
        return (columns * pull((columns * state[:, None]).sum(dim=0))).sum(dim=1)

    def turn(state: torch.Tensor) -> torch.Tensor:
        state = state.clone()
        held = (columns * state[:, None]).sum(dim=0)
        felt = pull(held)
        for column in torch.randperm(len(columns), generator=generator).tolist():
            bits = columns[column]
            if torch.dot(bits, felt) * state[column] < 0:
                held = held - 2 * state[column] * bits
                state[column] = -state[column]
                felt = pull(held)
        return state

    if generator is not None:
        require_generator("generator", generator)
    state, period, made, ties = _followed(field, columns[:, 0].clone(), steps, turn if generator is not None else None)
    return Cycle((columns * state[:, None]).sum(dim=0), 2**patterns, period, made, ties)


def cycle_overlaps(patterns: torch.Tensor, strength: float, *, steps: int = 100) -> Cycle:
    """State reached from the first pattern of a cycle that finitely many units store, without self-couplings.

    Parameters
    ----------
    patterns
        Axes ``(p, N)``, values in {-1, +1}, at least three.
    strength
        a, in [0, 10].
    steps
        Most steps to make, all units at once.

    Returns
    -------
    Cycle
        Overlaps in whole numbers over N.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or fewer than three, or another argument is out of range.
    """
    require_tensor("patterns", patterns, "patterns neurons", values="spins")
    require_integer("patterns", len(patterns), at_least=3)
    require_number("strength", strength, at_least=0.0, at_most=10.0)
    require_count("steps", steps)
    columns = patterns.double()
    # What a unit would say to itself: sum over patterns of x_mu x_mu + a (x_mu+1 x_mu + x_mu x_mu+1).
    self_coupling = (1 + 2 * strength * columns * columns.roll(1, dims=0)).sum(dim=0)

    def field(state: torch.Tensor) -> torch.Tensor:
        held = columns @ state
        return columns.mT @ (held + strength * (held.roll(1) + held.roll(-1))) - self_coupling * state

    state, period, made, ties = _followed(field, columns[0].clone(), steps)
    return Cycle((columns @ state).long(), patterns.shape[1], period, made, ties)


def _followed(
    field: Callable[[torch.Tensor], torch.Tensor],
    state: torch.Tensor,
    steps: int,
    turn: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> tuple[torch.Tensor, int, int, float]:
    """Step until the states repeat, all units at once unless ``turn`` says how: state, period, steps, share of ties."""
    before, period, made = None, 0, 0
    while True:
        fields = field(state)
        after = torch.where(fields == 0, state, fields.sign()) if turn is None else turn(state)
        if torch.equal(after, state):
            period = 1
        elif turn is None and before is not None and torch.equal(after, before):
            period = 2
        if period or made == steps:
            return state, period, made, (fields == 0).double().mean().item()
        before, state, made = state, after, made + 1


# Real patterns


def recovered(
    model: Spins,
    patterns: torch.Tensor,
    flips: Sequence[int],
    *,
    tolerated: int = 0,
    sweeps: int = 30,
    generator: torch.Generator,
) -> torch.Tensor:
    """Damage stored patterns more and more, let the network settle, and say which came back.

    Parameters
    ----------
    model
        A model of binary units, one network.
    patterns
        Patterns to damage, axes ``(B, N)``, values in {-1, +1}.
    flips
        Numbers of units to turn over, each 0 to N.
    tolerated
        Wrong units at the end that still count as recovered.
    sweeps
        Most asynchronous sweeps at temperature 0.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(flips, B)``.

    Raises
    ------
    ArgumentError
        If the patterns do not fit the model or another argument is out of range.
    """
    require_tensor("patterns", patterns, "patterns neurons", values="spins")
    require_integer("tolerated", tolerated, at_least=0, at_most=patterns.shape[-1])
    counts = require_sequence("flips", flips, "numbers of units")
    if not counts:
        raise ArgumentError("flips", "one number of units or more", "none")
    require_room(flips=len(counts), patterns=len(patterns), neurons=patterns.shape[-1])
    start = torch.stack([flip(patterns, count, generator=generator) for count in counts])
    end = asynchronous(model, start, sweeps=sweeps, generator=generator).state
    return ((end != patterns).sum(dim=-1) <= tolerated).cpu()


def opposing_votes(patterns: torch.Tensor, *, degree: int) -> torch.Tensor:
    r"""What all other stored patterns can say against a pattern, in units of what it says for itself.

    In a memory of the energy :math:`-\sum_\mu (\xi^\mu \cdot s)^n` a pattern speaks to a unit with the strength
    :math:`\Psi(x) = (x+1)^n - (x-1)^n`, where x is its overlap with the state on the other units, a sum. So no unit of
    pattern :math:`\mu` can turn where

    .. math:: v_\mu = \sum_{\nu \ne \mu} \frac{\Psi(|\xi^\mu \cdot \xi^\nu| + 1)}{\Psi(N - 1)} < 1 ,

    whatever the patterns are: it is a fixed point. Where the votes exceed one, a unit at which all others agree turns.

    Parameters
    ----------
    patterns
        Axes ``(..., P, N)``, values in {-1, +1}, N at least 2.
    degree
        Power n, 2 to 1000.

    Returns
    -------
    torch.Tensor
        v, axes ``(..., P)``, float64.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or the degree is out of range.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    require_integer("degree", degree, at_least=2, at_most=1000)
    count, neurons = patterns.shape[-2:]
    require_integer("neurons", neurons, at_least=2)
    require_room(patterns=count, batch=patterns.numel() // neurons)
    whole = patterns.double()
    against = (whole @ whole.mT).abs() + 1

    def strength(overlap: torch.Tensor) -> torch.Tensor:
        return ((overlap + 1) / neurons) ** degree - ((overlap - 1) / neurons) ** degree

    votes = strength(against) / strength(torch.tensor(neurons - 1.0, dtype=torch.float64))
    return votes.sum(dim=-1) - votes.diagonal(dim1=-2, dim2=-1)


# What several need


def _tail(margin: np.ndarray, noise: float) -> np.ndarray:
    """Probability that Gaussian noise of this width turns a margin over; half of the ties turn."""
    if noise == 0.0:
        return (1 - np.sign(margin)) / 2
    return special.ndtr(-margin / noise)


def _error_at(noise: FeatureNoise, signal: np.ndarray | float) -> np.ndarray:
    """Error at a feature where chance has made the signal of the examples so many times its mean."""
    with np.errstate(divide="ignore"):
        total = noise.examples / np.asarray(signal) + noise.features + noise.sample / np.asarray(signal) ** 2
    return special.ndtr(-1 / np.sqrt(total))


def _vote_error(voters: int, agreement: float, noise: float) -> float:
    """Error of a unit for which voters of strength r, each right with probability (1 + r)/2, outvote Gaussian noise."""
    right = np.arange(voters + 1)
    weights = stats.binom.pmf(right, voters, (1 + agreement) / 2)
    return float(weights @ _tail(agreement * (2 * right - voters), noise))


def _from_others(examples: int, agreement: float, archetypes: int, neurons: int) -> float:
    """Width of the field that the other archetypes add, in units in which one example at overlap 1 adds 1."""
    own = examples**2 * agreement**4 + examples * (1 - agreement**4)
    return math.sqrt((archetypes - 1) / neurons * own)


def _require_examples(examples: int, agreement: float, archetypes: int, neurons: int) -> None:
    require_integer("examples", examples, at_least=1, at_most=_MOST)
    require_number("agreement", agreement, above=0.0, at_most=1.0)
    require_count("archetypes", archetypes)
    require_count("neurons", neurons, at_least=2)


def _require_active(active: int, features: int) -> None:
    require_integer("active", active, at_least=1, at_most=min(15, features))
    if active % 2 == 0:
        raise ArgumentError("active", "an odd number", str(active), "With an even number a unit can be undecided.")
