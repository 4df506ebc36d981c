r"""Memories that write over themselves: couplings that decay, couplings with bounds, synapses with two values.

A palimpsest meets pattern after pattern and never stops. Patterns stand in the order in which they were met, and the
*age* of a pattern is the number of patterns met since: the last one has age 0. Three ways to make room are here, beside
Hebb's rule, which makes none.

*Decay.* Every new pattern multiplies the couplings by :math:`e^{-1/\tau}`. A pattern of age a is heard with the
strength :math:`e^{-a/\tau}` over crosstalk of variance :math:`\tau/(2N)`, so that one step leaves an error
:math:`\Phi(-s)` up to the age

.. math:: a = \frac{\tau}{2} \ln \frac{2N}{\tau s^2} \le \frac{N}{e s^2}, \qquad \text{best at }
          \tau = \frac{2N}{e s^2} .

*Bounds.* A coupling counts the agreements of its two units, and stays where it is if a step would lead beyond
:math:`\pm b`. It walks between two walls. Two walks with the same steps, one of which began a step further up, stay
apart until one of them meets a wall: so a pattern's signal is the share of walks that have met none since.

*Two values.* A synapse is -1 or +1, and every new pattern sets it to the sign that it wants with probability q. A
pattern of age a is heard with :math:`\sqrt N q (1 - q)^a` over noise of variance 1.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from scipy import special

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_integer,
    require_kind,
    require_number,
    require_numbers,
    require_rng,
    require_room,
    require_tensor,
)
from memscape.memory.dynamics import synchronous
from memscape.memory.hopfield import Hopfield
from memscape.tools import pieces
from memscape.tools.statistics import NORMAL, Estimate

__all__ = [
    "agreements",
    "bounded",
    "bounded_lifetime",
    "bounded_signal",
    "decay_lifetime",
    "decay_time",
    "error_age",
    "fading",
    "held",
    "lifetime",
    "settle",
    "two_valued_signal",
    "wrong_once",
]

Array = npt.NDArray[np.float64]

_WIDEST = 10**4  # largest bound whose walk is followed exactly
_OLDEST = 10**6  # largest age
_LARGEST = 10**12  # largest number of units or synapses: a float still counts them one by one


def fading(count: int, time: float, *, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    r"""Strengths :math:`e^{-a/\tau}` of patterns in the order in which they were met; the last has age 0.

    Parameters
    ----------
    count
        Number of patterns P.
    time
        :math:`\tau`, positive, in patterns.
    dtype
        float32 or float64; what has faded below it is zero.

    Returns
    -------
    torch.Tensor
        In [0, 1], axes ``(P)``, on the CPU: the strengths of :func:`memscape.capacity.long_tail.weighted_hebbian`.

    Raises
    ------
    ArgumentError
        If the count or the time is not positive, or the dtype is another.
    """
    require_count("count", count)
    require_room(count=count)
    require_number("time", time, above=0.0)
    if dtype not in (torch.float32, torch.float64):
        raise ArgumentError("dtype", "torch.float32 or torch.float64", str(dtype))
    ages = np.arange(count - 1, -1, -1, dtype=np.float64)
    with np.errstate(over="ignore"):  # an age beyond all times
        return torch.from_numpy(np.exp(-ages / time)).to(dtype)


def decay_time(neurons: int, error: float) -> float:
    r"""The decay :math:`\tau = 2N/(e s^2)` that holds most patterns at a one-step error of :math:`\Phi(-s)`.

    Parameters
    ----------
    neurons
        N, at least 2.
    error
        Tolerated share of wrong units after one step, in (0, 0.5).

    Returns
    -------
    float
        In patterns.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    return 2.0 * require_integer("neurons", neurons, at_least=2, at_most=_LARGEST) / (math.e * _margin(error) ** 2)


def decay_lifetime(neurons: int, time: float, error: float) -> float:
    r"""Age :math:`(\tau/2) \ln(2N/(\tau s^2))` up to which one step leaves an error of at most :math:`\Phi(-s)`.

    Parameters
    ----------
    neurons
        N, at least 2.
    time
        :math:`\tau`, positive, in patterns.
    error
        Tolerated share of wrong units, in (0, 0.5).

    Returns
    -------
    float
        In patterns; 0 where even the last pattern is beyond the error.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("neurons", neurons, at_least=2, at_most=_LARGEST)
    require_number("time", time, above=0.0)
    inner = math.log(2.0 * neurons) - math.log(time) - 2.0 * math.log(_margin(error))
    return max(0.0, time / 2.0 * inner)


def bounded(patterns: torch.Tensor, bound: int) -> Hopfield:
    r"""Couplings that count agreements within bounds: :math:`W_{ij} \leftarrow \mathrm{clip}(W_{ij} + \xi_i \xi_j)`.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, -1 and +1, in the order in which they are met.
    bound
        Largest coupling b in units of 1/N, an integer from 1 to 10,000. The bound :math:`A/\sqrt N` is
        :math:`b = A \sqrt N`.

    Returns
    -------
    Hopfield
        Whole couplings with the unit 1/N, in the dtype of the patterns.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or the bound is out of range.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    require_integer("bound", bound, at_least=1, at_most=_WIDEST)
    # Small integers: a processor adds sixteen or more of them at a time, fastest where they stay in its cache.
    kind = torch.int8 if bound < 127 else torch.int16
    neurons = patterns.shape[-1]
    spins = patterns.to(kind).flatten(0, -3) if patterns.dim() > 2 else patterns.to(kind)[None]
    couplings = torch.zeros(len(spins), neurons, neurons, dtype=kind, device=patterns.device)
    # Couplings are symmetric: of each strip of rows only what stands from the diagonal on is followed.
    height = -(-neurons // _STRIPS)
    for start in range(0, neurons, height):
        rows, columns = slice(start, start + height), slice(start, None)
        shape = min(height, neurons - start), neurons - start
        for some in pieces.slices(len(spins), pieces.cached(2 * kind.itemsize * math.prod(shape))):
            states = spins[some]
            count = states.new_zeros(len(states), *shape)
            change = torch.empty_like(count)
            for state in states.unbind(dim=1):  # one after the other: what it finds depends on all before
                torch.mul(state[:, rows, None], state[:, None, columns], out=change)
                count.add_(change).clamp_(-bound, bound)
            couplings[some, rows, columns] = count
            couplings[some, columns, rows] = count.mT
    couplings = couplings.view(*patterns.shape[:-2], neurons, neurons)
    couplings.diagonal(dim1=-2, dim2=-1).zero_()
    weights = couplings.to(patterns.dtype)
    return Hopfield(weights, weights.new_zeros(weights.shape[:-1]), 1.0 / neurons)


_STRIPS = 4  # more save less and less of the half that could be saved


def bounded_signal(bound: int, ages: npt.ArrayLike) -> Array:
    r"""Mean of :math:`W_{ij} \xi_i \xi_j` for patterns of given ages, with couplings that have forgotten their start.

    In units of 1/N. The walk between the walls is at every place equally often, and its steps are followed backwards,
    :math:`f_{a+1}(w) = \frac12 [f_a(\mathrm{clip}(w + 1)) + f_a(\mathrm{clip}(w - 1))]` from :math:`f_0(w) = w`.

    Parameters
    ----------
    bound
        b, an integer from 1 to 10,000.
    ages
        Whole ages from 0 to a million, any shape.

    Returns
    -------
    array
        In (0, 1], the shape of the ages. The noise beside it has the variance :math:`b(b + 1)/3`.

    Raises
    ------
    ArgumentError
        If the bound or an age is out of range.
    """
    require_integer("bound", bound, at_least=1, at_most=_WIDEST)
    wanted = _ages(ages)
    oldest = int(wanted.max())
    if oldest * bound > 10**9:
        raise ArgumentError("ages", "ages up to 10^9 over the bound", str(oldest))
    place = np.arange(-bound, bound + 1, dtype=np.float64)
    signal = np.empty(oldest + 1)
    for age in range(oldest + 1):
        up = np.append(place[1:], place[-1])
        signal[age] = up.mean()  # the pattern itself stepped up, from a place that was any
        place = (up + np.append(place[:1], place[:-1])) / 2
    return signal[wanted]


def bounded_lifetime(neurons: int, bound: int, error: float) -> float:
    r"""Age up to which one step leaves an error of at most :math:`\Phi(-s)` under a bound, in large networks.

    Parameters
    ----------
    neurons
        N, from 2 to a million.
    bound
        b, an integer from 1 to 10,000, in units of 1/N.
    error
        Tolerated share of wrong units, in (0, 0.5).

    Returns
    -------
    float
        In patterns, between whole ages on a straight line of the signal's logarithm; 0 where even the last pattern is
        beyond the error.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("neurons", neurons, at_least=2, at_most=10**6)
    require_integer("bound", bound, at_least=1, at_most=_WIDEST)
    needed = _margin(error) * math.sqrt(bound * (bound + 1) / 3.0 / neurons)
    last = None
    place = np.arange(-bound, bound + 1, dtype=np.float64)
    for age in range(4 * (bound + 1) ** 2):  # by then the slowest mode has faded to e^-4, and the margin is gone
        up = np.append(place[1:], place[-1])
        now = float(up.mean())
        if now < needed:
            break
        last, place = (age, now), (up + np.append(place[:1], place[:-1])) / 2
        if age * bound > 10**8:
            raise ArgumentError("bound", "a bound whose memories fade in 10^8 steps of a walk", str(bound))
    if last is None:
        return 0.0
    age, before = last
    return age + math.log(before / needed) / math.log(before / now) if now < needed else float(age)


def settle(model: Hopfield, patterns: torch.Tensor, ages: npt.ArrayLike, *, steps: int = 40) -> torch.Tensor:
    """Overlap of patterns of given ages with the state that a start at them leads to, all units updated together.

    Parameters
    ----------
    model
        A network that has met the patterns.
    patterns
        Axes ``(*G, P, N)``, -1 and +1, in the order in which they were met.
    ages
        Whole ages, axes ``(ages)``, each below P.
    steps
        Most steps; where two states alternate, one of them counts.

    Returns
    -------
    torch.Tensor
        float64 in [-1, 1], axes ``(*G, ages)``, on the CPU.

    Raises
    ------
    ArgumentError
        If the patterns do not fit the network or an age is not below their number.
    """
    starts = _starts(model, patterns, ages)
    require_count("steps", steps)
    end = synchronous(model, starts, steps=steps)
    return (end.state * starts).double().mean(dim=-1).cpu()


def wrong_once(model: Hopfield, patterns: torch.Tensor, ages: npt.ArrayLike) -> torch.Tensor:
    """Units that one update of all units turns away from patterns of given ages.

    Parameters
    ----------
    model, patterns, ages
        As for :func:`settle`.

    Returns
    -------
    torch.Tensor
        int64, axes ``(*G, ages)``, on the CPU.

    Raises
    ------
    ArgumentError
        As for :func:`settle`.
    """
    starts = _starts(model, patterns, ages)
    return (model.update(starts) != starts).sum(dim=-1).cpu()


def error_age(wrong: torch.Tensor, neurons: int, ages: npt.ArrayLike, error: float) -> Estimate:
    r"""Age at which the one-step error is the tolerated one, from a line of the logarithm of its probit in age.

    With decay the probit of the error is :math:`-\sqrt{2N/\tau}\, e^{-a/\tau}`: its logarithm is a line, and over a
    short range of ages it is close to one with any memory that fades.

    Parameters
    ----------
    wrong
        Wrong units, int64, axes ``(networks, ages)``, two networks or more.
    neurons
        Units of a network.
    ages
        Whole ages, two or more, different.
    error
        Tolerated share of wrong units, in (0, 0.5).

    Returns
    -------
    Estimate
        In patterns, with a 95 % interval by the jackknife over networks.

    Raises
    ------
    ArgumentError
        If axes do not fit, a count is out of range, or the error does not grow with age.
    """
    require_count("neurons", neurons)
    points = _ages(ages)
    if points.ndim != 1 or len(set(points.tolist())) < 2:
        raise ArgumentError("ages", "two or more different ages on one axis", f"shape {points.shape}")
    if not isinstance(wrong, torch.Tensor) or wrong.dtype != torch.int64 or wrong.dim() != 2 or len(wrong) < 2:
        got = f"{wrong.dtype} {tuple(wrong.shape)}" if isinstance(wrong, torch.Tensor) else type(wrong).__name__
        raise ArgumentError("wrong", "an int64 tensor with axes (networks, ages), two networks or more", got)
    if wrong.shape[1] != len(points) or wrong.min() < 0 or wrong.max() > neurons:
        raise ArgumentError("wrong", f"{len(points)} counts from 0 to {neurons} a network", f"{tuple(wrong.shape)}")
    margin = _margin(error)
    counts = wrong.cpu().numpy()
    networks = len(counts)
    whole = _line(counts.sum(axis=0), networks * neurons, points, margin)
    left = [_line(counts.sum(axis=0) - row, (networks - 1) * neurons, points, margin) for row in counts]
    spread = math.sqrt((networks - 1) / networks * sum((each - sum(left) / networks) ** 2 for each in left))
    if not math.isfinite(whole + spread):
        raise ArgumentError("wrong", "an error that grows with age", "another")
    return Estimate(whole, whole - NORMAL * spread, whole + NORMAL * spread, networks)


def held(overlaps: torch.Tensor, ages: npt.ArrayLike, level: float = 0.9) -> Array:
    """How many recent patterns each network holds: the share of ages with an overlap above the level, times their span.

    Parameters
    ----------
    overlaps
        Axes ``(networks, ages)``, from :func:`settle`.
    ages
        Ages 0, d, 2d, ..., evenly spaced; each stands for the d patterns from it on.
    level
        An overlap in (-1, 1).

    Returns
    -------
    array
        float64, axes ``(networks)``, in patterns.

    Raises
    ------
    ArgumentError
        If axes do not fit, or the ages are not evenly spaced from 0.
    """
    require_tensor("overlaps", overlaps, "networks ages")
    points = _ages(ages)
    spacing = int(points[1] - points[0]) if points.ndim == 1 and len(points) > 1 else 0
    if spacing < 1 or (points != spacing * np.arange(len(points))).any():
        raise ArgumentError("ages", "ages 0, d, 2d, ..., two or more", str(points.tolist())[:60])
    if overlaps.shape[1] != len(points):
        raise ArgumentError("overlaps", f"{len(points)} ages", f"shape {tuple(overlaps.shape)}")
    require_number("level", level, above=-1.0, at_most=1.0)
    found = (overlaps > level).double().sum(dim=1).cpu().numpy()
    return np.asarray(found * spacing, dtype=np.float64)


def two_valued_signal(synapses: int, chance: float, ages: npt.ArrayLike) -> Array:
    r"""Signal over noise :math:`\sqrt N q (1 - q)^a` of patterns in N synapses of two values.

    Parameters
    ----------
    synapses
        N.
    chance
        q in (0, 1], with which a synapse is set to the sign that a new pattern wants.
    ages
        Whole ages, any shape.

    Returns
    -------
    array
        Dimensionless, the shape of the ages.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("synapses", synapses, at_least=1, at_most=_LARGEST)
    require_number("chance", chance, above=0.0, at_most=1.0)
    return np.asarray(math.sqrt(synapses) * chance * (1.0 - chance) ** _ages(ages).astype(np.float64))


def agreements(synapses: int, chance: float, oldest: int, *, units: int, rng: np.random.Generator) -> Array:
    r"""Signals of a pattern in units with synapses of two values, while each unit meets patterns of its own.

    A unit's synapses begin at random and meet the pattern; then come others. All that matters is how many synapses
    agree with the pattern. Of those that do, each new pattern turns every one with probability q/2, and turns as many
    of the others back: two binomial draws a pattern and unit are the same as drawing every synapse.

    Parameters
    ----------
    synapses
        N of each unit.
    chance
        q in (0, 1].
    oldest
        Patterns met after it, at least 0.
    units
        Independent units.
    rng
        A numpy generator.

    Returns
    -------
    array
        :math:`(2A - N)/\sqrt N` with A synapses that agree, axes ``(oldest + 1, units)``, age by age.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("synapses", synapses, at_least=1, at_most=_LARGEST)
    require_number("chance", chance, above=0.0, at_most=1.0)
    require_integer("oldest", oldest, at_least=0, at_most=_OLDEST)
    require_count("units", units)
    require_room(units=units, oldest=oldest + 1)
    if units * (oldest + 1) > 10**8:
        raise ArgumentError("units", "units times ages up to 10^8", f"{units} x {oldest + 1}")
    require_rng("rng", rng)
    agree = rng.binomial(synapses, 0.5, units)
    agree += rng.binomial(synapses - agree, chance)  # the pattern itself: every wrong one with probability q
    found = np.empty((oldest + 1, units))
    for age in range(oldest + 1):
        found[age] = (2.0 * agree - synapses) / math.sqrt(synapses)
        agree = agree + rng.binomial(synapses - agree, chance / 2) - rng.binomial(agree, chance / 2)
    return found


def lifetime(signals: npt.ArrayLike) -> float:
    """Age at which a falling signal is 1, between whole ages on a straight line of its logarithm.

    Parameters
    ----------
    signals
        Signal at ages 0, 1, ..., axes ``(ages)``; the first that is below 1 ends the life.

    Returns
    -------
    float
        In patterns; 0 where the first is below 1 already.

    Raises
    ------
    ArgumentError
        If none is below 1, or they are not finite numbers.
    """
    values = require_numbers("signals", signals)
    if values.ndim != 1 or len(values) == 0 or not np.isfinite(values).all():
        raise ArgumentError("signals", "finite numbers on one axis", f"shape {values.shape}")
    low = np.flatnonzero(values < 1.0)
    if len(low) == 0:
        raise ArgumentError("signals", "a signal that falls below 1", f"{values.min():g} at least", "Go to older ages.")
    first = int(low[0])
    if first == 0:
        return 0.0
    before, after = math.log(values[first - 1]), math.log(max(values[first], 1e-300))
    return first - 1 + before / (before - after)


def _margin(error: float) -> float:
    """The s of an error Phi(-s)."""
    require_number("error", error, above=0.0, at_most=0.5 - 1e-9)
    return -float(special.ndtri(error))


def _ages(ages: npt.ArrayLike) -> npt.NDArray[np.int64]:
    try:
        found = np.asarray(ages)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError("ages", "whole ages", type(ages).__name__) from error
    if not np.issubdtype(found.dtype, np.integer) or found.size == 0 or found.min() < 0 or found.max() > _OLDEST:
        raise ArgumentError("ages", f"whole ages from 0 to {_OLDEST}", str(found.reshape(-1)[:3].tolist()))
    return found.astype(np.int64)


def _starts(model: Hopfield, patterns: torch.Tensor, ages: npt.ArrayLike) -> torch.Tensor:
    """Patterns of the given ages, the starts of both measurements."""
    require_kind("model", model, Hopfield)
    sizes = {"neurons": model.couplings.shape[-1]}
    like = model.couplings
    require_tensor(
        "patterns",
        patterns,
        "... patterns neurons",
        values="spins",
        sizes=sizes,
        device=like.device,
        dtype=like.dtype,
    )
    if patterns.shape[:-2] != like.shape[:-2]:
        raise ArgumentError("patterns", f"leading axes {tuple(like.shape[:-2])}", f"shape {tuple(patterns.shape)}")
    points, count = _ages(ages), patterns.shape[-2]
    if points.ndim != 1 or points.max() >= count:
        raise ArgumentError("ages", f"ages below {count} on one axis", f"{points.max()}, shape {points.shape}")
    return patterns[..., torch.from_numpy(count - 1 - points).to(patterns.device), :]


def _line(hits: npt.NDArray[np.int64], of: int, ages: npt.NDArray[np.int64], margin: float) -> float:
    """Where the line of the logarithm of the probit meets the margin; not finite where it does not fall."""
    shares = (hits + 0.5) / (of + 1.0)  # never 0 or 1
    probit = -special.ndtri(np.minimum(shares, 0.5 - 1e-6))
    # The error of a share k/n, carried to the logarithm of its probit.
    noise = np.sqrt(shares * (1 - shares) / of) / (np.exp(-(probit**2) / 2) / math.sqrt(2 * math.pi)) / probit
    slope, height = np.polyfit(ages.astype(np.float64), np.log(probit), 1, w=1.0 / noise)
    return float((math.log(margin) - height) / slope) if slope < 0 else math.nan
