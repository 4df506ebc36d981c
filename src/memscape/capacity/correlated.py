r"""Memories that resemble each other: biased bits, shared features, noisy examples of one archetype, a cycle in time.

Random patterns disturb a memory of quadratic energy like noise. Patterns that resemble each other disturb it in one
direction, and what they have in common may become a memory of its own. Five ways of being alike, each with the law of
one step from a start :math:`x`, at which unit i has the field :math:`h_i = \sum_j W_{ij} x_j`:

* *bias*: a bit is +1 with probability (1 + a)/2 (:func:`biased_patterns`, :func:`biased_error`); :func:`covariance`
  stores what differs from the mean;
* *features*: patterns are signs of random sums of D hidden features (:mod:`memscape.capacity.features`);
* *archetypes*: M examples of each of K archetypes (:func:`examples_of`, :func:`archetype_error`,
  :func:`archetype_one_step`, :func:`example_error`, :func:`staying`);
* *cycles*: every pattern is also tied to the next one (:func:`column_overlaps` for infinitely many units,
  :func:`cycle_rest` for some);
* *real patterns*: :func:`recovered` damages stored patterns of any kind and counts what comes back,
  :func:`dissolve` stores more and more examples of some kinds, and
  :func:`opposing_votes` says which of them no other patterns can move.

Memories that merge as a softmax memory is warmed are the subject of :mod:`memscape.capacity.merging`.
"""

from __future__ import annotations

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
from memscape.memory.patterns import flip, random_patterns
from memscape.memory.recall import Recall
from memscape.tools.models import Spins, Updates

__all__ = [
    "Cycle",
    "archetype_error",
    "archetype_one_step",
    "as_spins",
    "biased_error",
    "biased_one_step",
    "biased_patterns",
    "column_overlaps",
    "covariance",
    "cycle_rest",
    "dissolve",
    "example_error",
    "examples_of",
    "first_to_go",
    "half_way",
    "opposing_votes",
    "recovered",
    "staying",
    "vote_error",
]

_MOST = 10**6
"""Most patterns or examples that a sum over a binomial distribution runs through."""

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


def biased_one_step(
    build: Callable[[torch.Tensor], Updates],
    neurons: int,
    counts: Sequence[int],
    bias: float,
    *,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> list[Recall]:
    """Draw networks of biased patterns, start at all of the patterns, and update all units once.

    Parameters
    ----------
    build
        Makes a model of patterns ``(1, P, N)``, float32.
    neurons
        Number of neurons N.
    counts
        Numbers of patterns P.
    bias
        Mean a of a bit, in [-1, 1].
    networks
        Networks to draw for each number of patterns.
    generator
        A CPU generator.
    device
        Where to compute.

    Returns
    -------
    list of Recall
        One a count, axes ``(networks, P)``.

    Raises
    ------
    ArgumentError
        If an argument is out of range or the model refuses the patterns.
    """
    require_function("build", build)
    require_count("neurons", neurons, at_least=2)
    require_count("networks", networks)
    require_room(networks=networks)
    found = []
    for count in require_sequence("counts", counts, "numbers of patterns"):
        rows = []
        for _ in range(networks):
            drawn = biased_patterns(
                count, neurons, bias, networks=(1,), generator=generator, dtype=torch.float32, device=device
            )
            rows.append((build(drawn).update(drawn) != drawn).sum(dim=-1).cpu())
        wrong = torch.cat(rows)
        found.append(Recall(wrong, neurons, wrong == 0))
    return found


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


def vote_error(voters: int, agreement: float, noise: float) -> float:
    """Error of a unit for which voters of strength r, each right with probability (1 + r)/2, outvote Gaussian noise.

    Parameters
    ----------
    voters
        Number of voters, 0 to 10**6.
    agreement
        r, in [0, 1].
    noise
        Standard deviation of the noise, at least 0, in units of one vote of strength 1.

    Returns
    -------
    float
        In [0, 1]; a sum of exactly zero counts as half an error.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("voters", voters, at_least=0, at_most=_MOST)
    require_number("agreement", agreement, at_least=0.0, at_most=1.0)
    require_number("noise", noise, at_least=0.0)
    right = np.arange(voters + 1)
    weights = stats.binom.pmf(right, voters, (1 + agreement) / 2)
    return float(weights @ _tail(agreement * (2 * right - voters), noise))


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
    return vote_error(examples, agreement, _from_others(examples, agreement, archetypes, neurons))


def archetype_one_step(
    build: Callable[[torch.Tensor], Updates],
    examples: int,
    agreement: float,
    archetypes: int,
    neurons: int,
    *,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Store examples, start at their archetypes, update all units once, and return the share of wrong bits.

    Parameters
    ----------
    build
        Makes a model of patterns ``(1, K M, N)``, float32.
    examples, agreement, archetypes, neurons
        M, r, K and N.
    networks
        Independent networks.
    generator
        A CPU generator.
    device
        Where to compute.

    Returns
    -------
    torch.Tensor
        Float64, axes ``(networks,)``.

    Raises
    ------
    ArgumentError
        If an argument is out of range or the model refuses the patterns.
    """
    require_function("build", build)
    require_count("networks", networks)
    found = []
    for _ in range(networks):
        pure, noisy = _drawn(examples, agreement, archetypes, neurons, 1, generator, device)
        found.append((build(noisy.flatten(1, 2)).update(pure) != pure).double().mean().cpu())
    return torch.stack(found)


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
    require_count("probes", probes)
    require_count("steps", steps)
    pure, noisy = _drawn(examples, agreement, archetypes, neurons, networks, generator, device)
    start, wanted = noisy[:, :probes, 0], pure[:, :probes]
    end = synchronous(build(noisy.flatten(1, 2)), start, steps=steps).state
    return (end * start).double().mean(dim=-1).cpu(), (end * wanted).double().mean(dim=-1).cpu()


def half_way(
    build: Callable[[torch.Tensor], Spins],
    agreement: float,
    archetypes: int,
    neurons: int,
    *,
    kept: float = 0.97,
    most: int = 80,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> tuple[float, list[float]]:
    """Number M of examples at which half of them no longer stay, by adding one at a time.

    Parameters
    ----------
    build, agreement, archetypes, neurons
        As in :func:`staying`.
    kept
        Overlap with itself above which an example counts as staying, in (0, 1).
    most
        Most examples to try, at least 2.
    networks
        Independent networks for every M.
    generator, device
        As in :func:`staying`.

    Returns
    -------
    float
        M where the share that stays crosses one half, on straight lines between whole numbers; ``most`` if it never
        does.
    list of float
        The shares at M = 1, 2, ...

    Raises
    ------
    ArgumentError
        If an argument is out of range or the model refuses the patterns.
    """
    require_number("kept", kept, above=0.0, at_most=1 - 1e-9)
    require_integer("most", most, at_least=2, at_most=_MOST)
    require_count("archetypes", archetypes)
    shares = [1.0]
    while shares[-1] > 0.5 and len(shares) < most:
        own, _ = staying(
            build,
            len(shares) + 1,
            agreement,
            archetypes,
            neurons,
            networks=networks,
            probes=min(archetypes, 10),
            generator=generator,
            device=device,
        )
        shares.append((own > kept).double().mean().item())
    if shares[-1] > 0.5:
        return float(most), shares
    return len(shares) - (0.5 - shares[-1]) / (shares[-2] - shares[-1]), shares


def first_to_go(agreement: float, archetypes: int, neurons: int, *, degree: int = 2, error: float = 0.015) -> float:
    """Number M of examples at which one step moves more than this share of an example's bits, by the law of one step.

    Parameters
    ----------
    agreement, archetypes, neurons, degree
        As in :func:`example_error`.
    error
        Share of bits, in (0, 1/2); 0.015 leaves an overlap of 0.97.

    Returns
    -------
    float
        On straight lines between whole numbers; infinite where a thousand examples do not move so many.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_number("error", error, above=0.0, at_most=0.499999)
    before = 0.0
    for examples in range(1, 1001):
        after = example_error(examples, agreement, archetypes, neurons, degree=degree)
        if after > error:
            return examples - (after - error) / (after - before)
        before = after
    return math.inf


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
    _require_strength(strength)
    require_count("steps", steps)
    columns = torch.cartesian_prod(*[torch.tensor([1, -1], device="cpu")] * patterns)

    def pull(held: torch.Tensor) -> torch.Tensor:
        return strength.denominator * held + strength.numerator * (held.roll(1) + held.roll(-1))

    def field(state: torch.Tensor) -> torch.Tensor:
        return (columns * pull((columns * state[:, None]).sum(dim=0))).sum(dim=1)

    def turn(state: torch.Tensor) -> torch.Tensor:
        # As in cycle_rest, but for one network: without an axis of networks a column takes half the time.
        bits, signs = columns.numpy(), state.numpy().copy()
        held = signs @ bits
        felt = pull(torch.from_numpy(held)).numpy()
        for column in torch.randperm(len(bits), generator=generator, device="cpu").tolist():
            if (bits[column] @ felt) * signs[column] < 0:
                held = held - 2 * signs[column] * bits[column]
                signs[column] = -signs[column]
                felt = pull(torch.from_numpy(held)).numpy()
        return torch.from_numpy(signs)

    if generator is not None:
        require_generator("generator", generator)
    state, period, made, ties = _followed(field, columns[:, 0].clone(), steps, turn if generator is not None else None)
    return Cycle((columns * state[:, None]).sum(dim=0), 2**patterns, period, made, ties)


def cycle_rest(
    patterns: torch.Tensor, strength: Fraction, *, sweeps: int = 20, generator: torch.Generator
) -> torch.Tensor:
    """Overlaps at rest of networks with the couplings of :func:`column_overlaps` whose units turn one after another.

    Parameters
    ----------
    patterns
        Axes ``(networks, p, N)``, values in {-1, +1}, at least three; networks start at the first.
    strength
        a, a fraction in [0, 10] with a denominator up to 10**6: fields are whole numbers, and a tie is a tie.
    sweeps
        Most asynchronous sweeps at temperature 0.
    generator
        A CPU generator of the orders of units, one a sweep for all networks.

    Returns
    -------
    torch.Tensor
        Overlaps with all patterns, axes ``(networks, p)``, float64, on the CPU.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or fewer than three, or another argument is out of range.
    """
    require_tensor("patterns", patterns, "networks patterns neurons", values="spins")
    require_integer("patterns", patterns.shape[-2], at_least=3)
    _require_strength(strength)
    require_count("sweeps", sweeps)
    require_generator("generator", generator)
    # The couplings have rank p, so that overlaps are all that a unit needs to know of the others.
    bits = patterns.cpu().double().permute(2, 0, 1).contiguous().numpy()
    pull = strength.denominator * bits + strength.numerator * (np.roll(bits, 1, -1) + np.roll(bits, -1, -1))
    own, signs = (bits * pull).sum(axis=-1), bits[:, :, 0].copy()
    held = (signs[:, :, None] * bits).sum(axis=0)
    for _ in range(sweeps):
        moved = False
        for unit in torch.randperm(len(bits), generator=generator, device="cpu").tolist():
            against = (pull[unit] * held).sum(axis=-1) * signs[unit] < own[unit]
            if against.any():
                held[against] -= 2 * signs[unit, against, None] * bits[unit, against]
                signs[unit, against] *= -1
                moved = True
        if not moved:
            break
    return torch.from_numpy(held / len(bits))


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


def as_spins(images: torch.Tensor, side: int, *, ink: float = 0.25) -> torch.Tensor:
    """Images as patterns of +-1: averaged to side x side pixels, +1 where more than a share of the pixel is ink.

    Parameters
    ----------
    images
        Axes ``(..., rows, columns)``, values 0 and 1, at least ``side`` of each.
    side
        Rows and columns of the result.
    ink
        Share of ink above which a pixel is on, in [0, 1).

    Returns
    -------
    torch.Tensor
        Axes ``(..., side * side)``, dtype of the images.

    Raises
    ------
    ArgumentError
        If the images are not made of 0 and 1 or too small, or another argument is out of range.
    """
    require_tensor("images", images, "... rows columns", values="bits")
    require_integer("side", side, at_least=1, at_most=min(images.shape[-2:]))
    require_number("ink", ink, at_least=0.0, at_most=1 - 1e-9)
    flat = wide(images).reshape(-1, *images.shape[-2:])
    small = torch.nn.functional.adaptive_avg_pool2d(flat, side)
    return torch.where(small > ink, 1.0, -1.0).to(images.dtype).reshape(*images.shape[:-2], side * side)


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


@dataclass(frozen=True)
class Dissolved:
    """What became of real examples, and of what they have in common, as more of each kind were stored.

    Attributes
    ----------
    staying
        Share of first examples that a network holds, axes ``(counts,)``.
    error
        Share of bits that leave the majority of all examples of a kind in one step, same axes.
    turned_on
        Share of these that turn from -1 to +1, same axes; one half where none leaves.
    agreement
        Mean cosine of an example and the majority of its kind, both without the mean of all examples.
    """

    staying: torch.Tensor
    error: torch.Tensor
    turned_on: torch.Tensor
    agreement: float


def dissolve(examples: torch.Tensor, counts: Sequence[int], *, kept: float = 0.97, steps: int = 30) -> Dissolved:
    """Store the first examples of each kind without their mean (:func:`covariance`), more and more of them.

    Parameters
    ----------
    examples
        Axes ``(kinds, examples, N)``, values in {-1, +1}.
    counts
        Numbers M of examples of each kind to store.
    kept
        Overlap with itself above which an example counts as held, in (0, 1).
    steps
        Most steps to make, all units at once.

    Raises
    ------
    ArgumentError
        If the examples are not made of spins or another argument is out of range.
    """
    require_tensor("examples", examples, "kinds examples neurons", values="spins")
    require_number("kept", kept, above=0.0, at_most=1 - 1e-9)
    wanted = [
        require_integer("counts", count, at_least=1, at_most=examples.shape[1])
        for count in require_sequence("counts", counts, "numbers of examples")
    ]
    if not wanted:
        raise ArgumentError("counts", "one number of examples or more", "none")
    majority = torch.where(examples.sum(dim=1) > 0, 1.0, -1.0).to(examples.dtype)
    mean = examples.mean(dim=(0, 1))
    cosine = torch.nn.functional.cosine_similarity(examples - mean, majority[:, None] - mean, dim=-1)
    start, rows = examples[:, 0], []
    for count in wanted:
        stored = examples[:, :count].flatten(0, 1)
        model = covariance(stored, stored.mean(dim=0))
        end, after = synchronous(model, start, steps=steps).state, model.update(majority)
        held = ((end * start).mean(dim=-1) > kept).double().mean().item()
        left, on = (after != majority).sum().item(), (after > majority).sum().item()
        rows.append((held, left / majority.numel(), on / left if left else 0.5))
    staying, error, turned_on = torch.tensor(rows, dtype=torch.float64, device="cpu").T
    return Dissolved(staying, error, turned_on, cosine.mean().item())


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

    votes = strength(against) / strength(torch.tensor(neurons - 1.0, dtype=torch.float64, device=against.device))
    return votes.sum(dim=-1) - votes.diagonal(dim1=-2, dim2=-1)


# What several need


def _tail(margin: np.ndarray, noise: float) -> np.ndarray:
    """Probability that Gaussian noise of this width turns a margin over; half of the ties turn."""
    if noise == 0.0:
        return (1 - np.sign(margin)) / 2
    with np.errstate(over="ignore"):  # infinitely many standard deviations
        return special.ndtr(-margin / noise)


def _from_others(examples: int, agreement: float, archetypes: int, neurons: int) -> float:
    """Width of the field that the other archetypes add, in units in which one example at overlap 1 adds 1."""
    own = examples**2 * agreement**4 + examples * (1 - agreement**4)
    return math.sqrt((archetypes - 1) / neurons * own)


def _require_examples(examples: int, agreement: float, archetypes: int, neurons: int) -> None:
    require_integer("examples", examples, at_least=1, at_most=_MOST)
    require_number("agreement", agreement, above=0.0, at_most=1.0)
    require_count("archetypes", archetypes)
    require_count("neurons", neurons, at_least=2)


def _drawn(
    examples: int,
    agreement: float,
    archetypes: int,
    neurons: int,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Archetypes of some networks, axes ``(networks, K, N)``, and examples of each, ``(networks, K, M, N)``."""
    _require_examples(examples, agreement, archetypes, neurons)
    require_count("networks", networks)
    require_room(networks=networks, archetypes=archetypes, examples=examples, neurons=neurons)
    pure = random_patterns(
        archetypes, neurons, networks=(networks,), generator=generator, dtype=torch.float32, device=device
    )
    return pure, examples_of(pure, examples, agreement, generator=generator)


def _require_strength(strength: Fraction) -> None:
    require_kind("strength", strength, Fraction)
    if not 0 <= strength <= 10 or strength.denominator > 10**6:
        raise ArgumentError("strength", "a fraction in [0, 10] with a denominator up to 10**6", str(strength))
