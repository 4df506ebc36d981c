r"""Jumps in the network and jumps in the metric: recall at many loads, several scores, and widths of transitions.

Whether something appears suddenly depends on what is measured (Schaeffer, Miranda & Koyejo 2023). Hopfield's network
lets both kinds of sharpness be seen side by side. :func:`stored_recall` draws patterns, stores the first
:math:`P_1, P_2, \dots` of them, starts at some, and says how well they are kept after one step and at rest;
:func:`feature_recall` does the same for hidden features of stored mixtures. :func:`scores` reads these outcomes by
smooth and by sharp metrics. :func:`width` is how far apart, in the logarithm of the load, a score passes two levels,
and :func:`slope` how that changes with the size of the network.

Couplings are never made. With the patterns in the rows of X the fields of a state s are

.. math:: h = X^T (X s) - P s ,

in whole numbers, and one product serves the states of many loads at once: a load that stores fewer patterns sets the
overlaps with the others to zero. A state settles with its units taking turns in small blocks. The overlaps X s are kept
and corrected for the units of a block that have turned, so that a sweep over all blocks costs no more than an update of
all units at once, and it comes to rest much sooner.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from scipy import special

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_generator,
    require_integer,
    require_kind,
    require_number,
    require_numbers,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.capacity.features import mixtures
from memscape.capacity.transients import information
from memscape.memory.mean_field import critical_load
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces
from memscape.tools.bootstrap import bootstrapped
from memscape.tools.sequences import require_rising
from memscape.tools.statistics import Estimate

__all__ = [
    "METRICS",
    "Outcome",
    "Width",
    "all_right",
    "exact_load",
    "feature_recall",
    "first_success",
    "first_success_law",
    "joined",
    "jump_loads",
    "middle",
    "near_width",
    "nested_recall",
    "scores",
    "slope",
    "stored_recall",
    "width",
]

METRICS = ("overlap", "information", "choice", "near", "exact")
"""Metrics of :func:`scores`: the first two are smooth functions of the bit error, the others right or wrong."""

_NEAR = 0.9  # overlap from which a state counts as near
_EXACT = 2**24  # sums of whole numbers below it are exact in single precision
_SPREAD = 1.6  # loads that share a product: the largest stores so many times the patterns of the least
_BLOCK, _BLOCKS = 50, 25  # units that take a turn together, or one of so many parts: few enough for the energy to fall
_MOST = 10**6  # largest number of patterns a unit or a feature
_RESAMPLES = 1000
_NARROWEST = 1e-6  # stands in for a width of 0, which has no logarithm


@dataclass(frozen=True)
class Outcome:
    """What became of starts, axes ``(..., counts, starts)``, on the CPU.

    Attributes
    ----------
    counts
        Numbers P of stored patterns.
    first, settled
        Overlap with the start after one update of all units at once, and where the state has come to rest, float64, in
        [-1, 1].
    resting
        Whether a state rests; where not, sweeps ran out.
    chosen_first, chosen
        Which of the P stored patterns has the largest overlap with these states, int64; the first of equals. None where
        it was not asked.
    """

    counts: tuple[int, ...]
    first: torch.Tensor
    settled: torch.Tensor
    resting: torch.Tensor
    chosen_first: torch.Tensor | None = None
    chosen: torch.Tensor | None = None


def nested_recall(
    patterns: torch.Tensor, starts: torch.Tensor, counts: Sequence[int], *, sweeps: int = 300, choose: bool = False
) -> Outcome:
    r"""Store the first P patterns by Hebb's rule, for several P; update all units once, and by turns until they rest.

    Without self-coupling, :math:`s_i \leftarrow \mathrm{sign} \sum_{j \ne i} W_{ij} s_j`; a unit without field keeps
    its value. Settling begins at the start again: in every sweep blocks of 50 units, or of N/25 if that is more, are
    updated one after another, neighbours together in one sweep and units far apart in the next. Updates of so few units
    nearly always lower the energy, as those of single units do.

    Parameters
    ----------
    patterns
        Axes ``(patterns, neurons)``, -1 and +1.
    starts
        Axes ``(starts, neurons)``, -1 and +1.
    counts
        Numbers P of stored patterns, rising.
    sweeps
        Most sweeps. With 0 nothing settles, and the state after one step takes the place of the one at rest.
    choose
        Whether to look which stored pattern is nearest.

    Returns
    -------
    Outcome
        Axes ``(counts, starts)``.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit, or counts do not rise.
    """
    sizes: dict[str, int] = {}
    require_tensor("patterns", patterns, "patterns neurons", values="spins", sizes=sizes)
    alike = partial(require_tensor, sizes=sizes, device=patterns.device, dtype=patterns.dtype)
    alike("starts", starts, "starts neurons", values="spins")
    require_count("sweeps", sweeps, at_least=0)
    wanted = require_rising("counts", counts, "rising numbers of patterns, one or more", at_most=len(patterns))
    stored = patterns[: wanted[-1]]
    if patterns.dtype not in (torch.float32, torch.float64):
        stored, starts = stored.float(), starts.float()
    each = len(wanted) * (8 * stored.shape[1] + 2 * wanted[-1]) * stored.element_size()
    _require_flag("choose", choose)
    some = pieces.slices(len(starts), pieces.fitting(each))
    parts = [_recalled(stored, starts[part], wanted, sweeps, choose) for part in some]
    return Outcome(wanted, *(torch.cat(kinds, dim=1) for kinds in zip(*parts, strict=True)))


@torch.no_grad()
def _recalled(
    stored: torch.Tensor, starts: torch.Tensor, counts: tuple[int, ...], sweeps: int, choose: bool
) -> list[torch.Tensor]:
    """The tensors of an outcome, for starts that are held at once."""
    once = _first_step(stored, starts, counts)
    ends, resting = once.clone(), (once == starts).all(dim=-1)
    chosen = []
    for group in _groups(counts) if sweeps or choose else []:
        known = stored[: counts[group.stop - 1]]
        held = torch.tensor(counts[group], device=stored.device)[:, None].expand(-1, len(starts)).reshape(-1)
        missing = torch.arange(len(known), device=stored.device) >= held[:, None]
        if sweeps:
            state, rest = starts.repeat(group.stop - group.start, 1), resting[group].flatten()
            _settle(known, held, missing, state, rest, sweeps)
            ends[group], resting[group] = state.view_as(ends[group]), rest.view_as(resting[group])
        if choose:
            states = torch.stack([once[group].flatten(0, 1), ends[group].flatten(0, 1)])
            nearest = (states @ known.mT).masked_fill_(missing, -torch.inf).argmax(dim=-1)
            chosen.append(nearest.view(2, *ends[group].shape[:2]))
    agree = [1 - 2 * (states != starts).sum(dim=-1).double() / starts.shape[-1] for states in (once, ends)]
    return [part.cpu() for part in (*agree, resting, *(torch.cat(chosen, dim=1) if chosen else ()))]


def _first_step(stored: torch.Tensor, starts: torch.Tensor, counts: tuple[int, ...]) -> torch.Tensor:
    """States after one step, axes (counts, starts, neurons): fields grow as patterns are added."""
    fields, before, found = torch.zeros_like(starts), 0, []
    for count in counts:
        more = stored[before:count]
        fields += _heard(starts @ more.mT, more)
        found.append(_aligned(fields - count * starts, starts))
        before = count
    return torch.stack(found)


def _settle(
    stored: torch.Tensor,
    held: torch.Tensor,
    missing: torch.Tensor,
    state: torch.Tensor,
    resting: torch.Tensor,
    sweeps: int,
) -> None:
    """Let states (rows), which store so many patterns each, come to rest by turns; state and resting are written to."""
    exact = stored.dtype if math.prod(stored.shape) < _EXACT else torch.float64  # of sums of as many signs
    units = stored.mT.to(exact).contiguous()  # axes (neurons, patterns)
    # Two units that turn each other back and forth are in one block only in every other sweep.
    count = -(-len(units) // max(_BLOCK, len(units) // _BLOCKS))
    blocks = pieces.slices(len(units), -(-len(units) // count)), [slice(first, None, count) for first in range(count)]
    rows = (~resting).nonzero()[:, 0]
    here = state[rows].to(exact)
    known, own = (~missing[rows]).to(exact), held[rows, None].to(exact)
    overlaps = (here @ units).mul_(known)
    for sweep in range(sweeps):
        if not len(rows):
            return
        moved = torch.zeros(len(rows), dtype=torch.bool, device=rows.device)
        for block in blocks[sweep % 2]:
            before = here[:, block]
            after = _aligned(overlaps @ units[block].mT - own * before, before)
            turned = after - before
            some = turned.any(dim=1)
            if some.any():
                overlaps.addmm_(turned, units[block]).mul_(known)
                here[:, block] = after
                moved |= some
        state[rows] = here.to(state.dtype)
        resting[rows] = ~moved
        if not moved.all():
            rows, here, known, own, overlaps = (part[moved] for part in (rows, here, known, own, overlaps))


def _heard(overlaps: torch.Tensor, stored: torch.Tensor) -> torch.Tensor:
    """Sums over patterns of whole overlaps times the pattern, exact: no partial sum exceeds that of the overlaps."""
    if overlaps.dtype == torch.float32 and overlaps.abs().sum(dim=-1).max() >= _EXACT:
        return (overlaps.double() @ stored.double()).float()
    return overlaps @ stored


def _aligned(fields: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
    return torch.where(fields == 0, state, fields.sign())


def _groups(counts: tuple[int, ...]) -> list[slice]:
    """Neighbouring counts that share a product."""
    ends = [0]
    for place, count in enumerate(counts):
        if count > _SPREAD * counts[ends[-1]]:
            ends.append(place)
    return [slice(*pair) for pair in itertools.pairwise([*ends, len(counts)])]


def jump_loads(neurons: int, points: int) -> np.ndarray:
    r"""Loads through the transition of settled recall of Hopfield's network, evenly spaced in their logarithm.

    They were chosen after a look at networks of 500 to 4000 units: the middle of the transition lies above the critical
    load :math:`\alpha_c` by about :math:`6/\sqrt N` of it, and loads from 0.8 d below to 0.85 d above, with
    :math:`d = 0.27\, (500/N)^{0.35}` in the logarithm, leave room on both sides.

    Parameters
    ----------
    neurons
        Neurons N, 10 to 10**15.
    points
        Loads, two or more.

    Returns
    -------
    numpy.ndarray
        float64, axes ``(points,)``, rising.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("neurons", neurons, at_least=10, at_most=10**15)
    require_integer("points", points, at_least=2, at_most=_MOST)
    centre = critical_load() * (1 + 6 / math.sqrt(neurons))
    spread = 0.27 * (500 / neurons) ** 0.35
    return np.geomspace(centre * math.exp(-0.8 * spread), centre * math.exp(0.85 * spread), points)


def stored_recall(
    neurons: int,
    loads: npt.ArrayLike,
    *,
    networks: int,
    probes: int,
    sweeps: int = 300,
    choose: bool = False,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Outcome:
    r"""Draw networks of random patterns and start at the first few of them, at every load.

    Parameters
    ----------
    neurons
        Neurons N.
    loads
        :math:`\alpha = P/N`, positive, such that the rounded numbers of patterns rise.
    networks
        Networks to draw, one after another.
    probes
        Patterns of each network to start from, at most the smallest P.
    sweeps, choose
        As for :func:`nested_recall`.
    generator
        A CPU generator.
    device
        Where to compute.

    Returns
    -------
    Outcome
        Axes ``(networks, counts, probes)``.

    Raises
    ------
    ArgumentError
        If a size is out of range or the numbers of patterns do not rise.
    """
    require_count("neurons", neurons, at_least=2)
    counts = _counts("loads", loads, neurons)
    require_count("networks", networks)
    require_integer("probes", probes, at_least=1, at_most=counts[0])
    require_count("sweeps", sweeps, at_least=0)
    _require_flag("choose", choose)
    require_room(counts=counts[-1] + 2 * len(counts) * probes, neurons=neurons)
    require_room(networks=networks, probes=probes, counts=5 * len(counts))
    require_generator("generator", generator)
    draw = partial(random_patterns, generator=generator, dtype=torch.float32, device=require_device("device", device))
    found = []
    for _ in range(networks):
        patterns = draw(counts[-1], neurons)
        found.append(nested_recall(patterns, patterns[:probes], counts, sweeps=sweeps, choose=choose))
    return _together(found)


def feature_recall(
    features: int,
    neurons: int,
    ratios: npt.ArrayLike,
    *,
    networks: int,
    probes: int,
    sweeps: int = 300,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Outcome:
    r"""Store mixtures of hidden features, dense with Gaussian coefficients, and start at features, never shown.

    A mixture is :math:`\mathrm{sign} \sum_k c_k f^k` (:func:`memscape.capacity.features.mixtures`).

    Parameters
    ----------
    features, neurons
        Hidden features D, and neurons N.
    ratios
        Examples of each feature, P/D, positive, such that the rounded numbers of mixtures rise.
    networks
        Networks to draw, one after another, each with features of its own.
    probes
        Features of each network to start from, at most D.
    sweeps, generator, device
        As for :func:`stored_recall`.

    Returns
    -------
    Outcome
        Axes ``(networks, counts, probes)``.

    Raises
    ------
    ArgumentError
        If a size is out of range or the numbers of mixtures do not rise.
    """
    require_integer("features", features, at_least=1, at_most=10**6)
    require_count("neurons", neurons, at_least=2)
    counts = _counts("ratios", ratios, features)
    require_count("networks", networks)
    require_integer("probes", probes, at_least=1, at_most=features)
    require_count("sweeps", sweeps, at_least=0)
    require_room(counts=2 * counts[-1] + 2 * len(counts) * probes + features, neurons=neurons + features)
    require_room(networks=networks, probes=probes, counts=5 * len(counts))
    require_generator("generator", generator)
    draw = partial(random_patterns, generator=generator, dtype=torch.float32, device=require_device("device", device))
    found = []
    for _ in range(networks):
        hidden = draw(features, neurons)
        stored = mixtures(hidden, counts[-1], generator=generator)
        found.append(nested_recall(stored, hidden[:probes], counts, sweeps=sweeps))
    return _together(found)


def _together(found: list[Outcome]) -> Outcome:
    tensors = [[part for part in vars(one).values() if isinstance(part, torch.Tensor)] for one in found]
    return Outcome(found[0].counts, *(torch.stack(parts) for parts in zip(*tensors, strict=True)))


def scores(outcome: Outcome, *, settled: bool) -> dict[str, torch.Tensor]:
    r"""Read an outcome by five metrics; the starts are the first stored patterns.

    ``"overlap"`` is m, ``"information"`` is :math:`1 - H_2((1-m)/2)` in bits a unit, ``"choice"`` whether the start is
    nearest of all stored patterns, ``"near"`` whether :math:`m \ge 0.9`, and ``"exact"`` whether no bit is wrong.

    Parameters
    ----------
    outcome
        Of :func:`stored_recall`, or of :func:`nested_recall` started at the first patterns.
    settled
        Whether to read the states at rest; otherwise those after one step.

    Returns
    -------
    dict
        A tensor for each of :data:`METRICS`, float64, in [-1, 1], axes of the outcome; without ``"choice"`` where the
        nearest pattern was not asked.

    Raises
    ------
    ArgumentError
        If the outcome is none.
    """
    require_kind("outcome", outcome, Outcome)
    _require_flag("settled", settled)
    overlap = outcome.settled if settled else outcome.first
    chosen = outcome.chosen if settled else outcome.chosen_first
    found = {"overlap": overlap, "information": information(overlap)}
    if chosen is not None:
        found["choice"] = (chosen == torch.arange(overlap.shape[-1], device="cpu")).double()
    return found | {"near": (overlap >= _NEAR).double(), "exact": (overlap == 1).double()}


# Widths


@dataclass(frozen=True)
class Width:
    """How far a score takes from one level to another, in the logarithm of what it is measured against.

    Attributes
    ----------
    value
        The width, dimensionless, positive.
    resamples
        Widths of bootstrap resamples over networks, float64, axes ``(resamples,)``.
    trials
        Networks.
    """

    value: float
    resamples: np.ndarray
    trials: int

    @property
    def estimate(self) -> Estimate:
        """The width with its 95 % bootstrap interval."""
        return bootstrapped(self.value, self.resamples, self.trials)


def width(
    axis: npt.ArrayLike, score: torch.Tensor, *, levels: tuple[float, float], generator: torch.Generator
) -> Width:
    r"""Width :math:`|\ln x_2 - \ln x_1|` between the points at which the mean score first passes two levels.

    Between neighbouring points the mean is a straight line in :math:`\ln x`. Where it does not pass a level, the end
    of the axis stands in.

    Parameters
    ----------
    axis
        Loads x, positive, rising, at least two.
    score
        Axes ``(networks, axis, probes)``, one network or more.
    levels
        The level passed first and the one passed last. If the second is lower, the score falls.
    generator
        A CPU generator: draws the networks of the resamples, 1000 of them.

    Raises
    ------
    ArgumentError
        If an axis does not fit or does not rise, or the levels are equal.
    """
    points = np.log(_axis(axis))
    require_tensor("score", score, "networks axis probes", sizes={"axis": len(points)})
    require_generator("generator", generator)
    require_sequence("levels", levels, "two numbers")
    if len(levels) != 2 or levels[0] == levels[1]:
        raise ArgumentError("levels", "two different numbers", str(list(levels)[:3]))
    upper, lower = (require_number("levels", level) for level in levels)
    sign = 1.0 if lower < upper else -1.0
    curves = sign * score.double().cpu().mean(dim=-1).numpy()
    networks = len(curves)
    chosen = torch.randint(0, networks, (_RESAMPLES, networks), generator=generator, device="cpu").numpy()
    weights = np.stack([np.bincount(row, minlength=networks) for row in chosen]) / networks
    means = np.concatenate([curves.mean(axis=0)[None], weights @ curves])
    ends = [_passed(points, means, sign * level) for level in (upper, lower)]
    widths = np.maximum(ends[1] - ends[0], _NARROWEST)
    return Width(float(widths[0]), widths[1:], networks)


def _passed(points: np.ndarray, curves: np.ndarray, level: float) -> np.ndarray:
    """Where each row first falls below a level."""
    below = curves < level
    at = np.where(below.any(axis=1), below.argmax(axis=1), len(points))
    right = np.clip(at, 1, len(points) - 1)
    rows = np.arange(len(curves))
    high, low = curves[rows, right - 1], curves[rows, right]
    part = np.divide(high - level, high - low, out=np.zeros(len(curves)), where=high > low)
    inside = points[right - 1] + np.clip(part, 0, 1) * (points[right] - points[right - 1])
    return np.where(at == 0, points[0], np.where(at == len(points), points[-1], inside))


def slope(sizes: Sequence[int], widths: Sequence[Width]) -> Estimate:
    r"""Slope of :math:`\ln` width against :math:`\ln N`, a straight line weighted by the spread of the resamples.

    Parameters
    ----------
    sizes
        Numbers N, at least two different ones.
    widths
        The width at each.

    Returns
    -------
    Estimate
        The interval takes one resample of every size at a time.

    Raises
    ------
    ArgumentError
        If there are no two different sizes, or not one width a size.
    """
    for size in require_sequence("sizes", sizes, "numbers"):
        require_count("sizes", size)
    for one in require_sequence("widths", widths, "widths"):
        require_kind("widths", one, Width)
    if len(sizes) != len(widths) or len(set(sizes)) < 2:
        raise ArgumentError("sizes", "two different sizes or more, one a width", f"{len(sizes)} for {len(widths)}")
    logs = np.log(np.array(sizes, dtype=float))
    heights = np.log([[one.value, *one.resamples] for one in widths])
    weights = 1 / (heights[:, 1:].var(axis=1) + 1e-12)
    away = weights * (logs - weights @ logs / weights.sum())
    slopes = away @ heights / (away @ logs)
    return bootstrapped(float(slopes[0]), slopes[1:], sum(one.trials for one in widths))


def joined(curves: Sequence[tuple[npt.ArrayLike, npt.ArrayLike]]) -> np.ndarray:
    """Curves of several runs as one, for a figure: what lies within the range of an earlier one is left out.

    Parameters
    ----------
    curves
        Pairs of x, rising, and y, of one length each; the most trusted curve first.

    Returns
    -------
    numpy.ndarray
        x and y, float64, axes ``(2, points)``, x rising.

    Raises
    ------
    ArgumentError
        If there are none or one does not fit.
    """
    kept: list[np.ndarray] = []
    for pair in require_sequence("curves", curves, "pairs of x and y"):
        both = require_numbers("curves", pair, "pairs of x and y, of one length")
        if both.ndim != 2 or len(both) != 2 or not both.size or not (np.diff(both[0]) > 0).all():
            raise ArgumentError("curves", "pairs of rising x and y, of one length", f"others, shape {both.shape}")
        inside = [(both[0] >= old[0, 0]) & (both[0] <= old[0, -1]) for old in kept]
        free = both[:, ~np.any(inside, axis=0)] if inside else both
        kept += [free] if free.size else []
    if not kept:
        raise ArgumentError("curves", "one pair or more", "none")
    whole = np.concatenate(kept, axis=1)
    return whole[:, whole[0].argsort(kind="stable")]


def middle(score: torch.Tensor, level: float) -> int:
    """Index of the point of the axis at which the mean score is nearest to a level; the first of equals.

    Parameters
    ----------
    score
        Axes ``(networks, axis, probes)``.
    level
        A finite number.

    Raises
    ------
    ArgumentError
        If the axes or the level do not fit.
    """
    require_tensor("score", score, "networks axis probes")
    require_number("level", level)
    return int((score.double().mean(dim=(0, 2)) - level).abs().argmin())


def exact_load(neurons: int, share: float) -> float:
    r"""Load at which so many patterns are recalled exactly, after one step of a large Hopfield network.

    With independent bits :math:`(1 - \epsilon)^N = q`, and with Gaussian crosstalk
    :math:`\epsilon = \Phi(-1/\sqrt\alpha)`, so that :math:`\alpha = z^{-2}` with :math:`\Phi(-z) = 1 - q^{1/N}`. For
    large N the width between two shares is about :math:`\ln(\ln q_2 / \ln q_1) / \ln N`.

    Parameters
    ----------
    neurons
        Neurons N, 10 to 10**15.
    share
        Share q, above :math:`2^{-N}`, which chance alone gives at any load, and below 1.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("neurons", neurons, at_least=10, at_most=10**15)
    share = require_number("share", share, above=0.0, at_most=1 - 1e-9)
    separation = -float(special.ndtri(-math.expm1(math.log(share) / neurons)))
    if separation <= 0:
        raise ArgumentError("share", f"a share above 2^-{neurons}", f"{share:g}", "Chance alone gives that.")
    return separation**-2


def near_width(neurons: int, level: float, *, high: float = 0.9, low: float = 0.1) -> float:
    r"""Width in :math:`\ln\alpha` over which the share of patterns with an overlap above a level falls, after one step.

    Hopfield's network has the mean overlap :math:`m = \mathrm{erf}(1/\sqrt{2\alpha})`; that of one pattern is spread
    around it by :math:`\sqrt{(1 - m^2)/N}` if its bits are independent. So a sharp level becomes a step of the width

    .. math:: \frac{z_2 - z_1}{\sqrt N} \, \frac{\sqrt{1 - m^2}}{|dm / d\ln\alpha|}, \qquad
              \Big| \frac{dm}{d \ln\alpha} \Big| = \frac{\varphi(1/\sqrt\alpha)}{\sqrt\alpha}

    for large N, with the quantiles z of the two shares and the density :math:`\varphi` of the normal law.

    Parameters
    ----------
    neurons
        Neurons N, 10 to 10**15.
    level
        Overlap, in (0, 1).
    high, low
        Shares between which the width is taken, in (0, 1), ``low`` not above ``high``.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("neurons", neurons, at_least=10, at_most=10**15)
    level = require_number("level", level, at_least=1e-9, at_most=1 - 1e-9)
    high = require_number("high", high, at_least=1e-9, at_most=1 - 1e-9)
    low = require_number("low", low, at_least=1e-9, at_most=high)
    inverse = math.sqrt(2) * float(special.erfinv(level))  # one over the square root of the load
    fall = inverse * math.exp(-(inverse**2) / 2) / math.sqrt(2 * math.pi)
    return float(special.ndtri(high) - special.ndtri(low)) * math.sqrt((1 - level**2) / neurons) / fall


# Tests of a finite size


def first_success(right: torch.Tensor, questions: int) -> torch.Tensor:
    """Where a test of some questions first finds anything right.

    Parameters
    ----------
    right
        Whether each item is right, booleans, axes ``(axis, items)``, in the order in which the axis is walked.
    questions
        Items m of a test; neighbours belong together, and what is left over is not used.

    Returns
    -------
    torch.Tensor
        Index of the first point at which at least one of the m is right, or the length of the axis if none is; int64,
        axes ``(tests,)``.

    Raises
    ------
    ArgumentError
        If ``right`` holds no booleans or a test has more questions than there are items.
    """
    if not isinstance(right, torch.Tensor) or right.dtype != torch.bool or right.dim() != 2 or right.numel() == 0:
        got = f"{right.dtype} {tuple(right.shape)}" if isinstance(right, torch.Tensor) else type(right).__name__
        raise ArgumentError("right", "a non-empty bool tensor with axes (axis, items)", got, "Write wrong == 0.")
    points, items = right.shape
    require_integer("questions", questions, at_least=1, at_most=items)
    tests = items // questions
    found = right[:, : tests * questions].reshape(points, tests, questions).any(dim=-1)
    return torch.where(found.any(dim=0), found.long().argmax(dim=0), points)


def first_success_law(shares: npt.ArrayLike, questions: int) -> np.ndarray:
    r"""Probabilities of the results of :func:`first_success` if all items are independent.

    :math:`[1 - (1 - p_k)^m] \prod_{j<k} (1 - p_j)^m`.

    Parameters
    ----------
    shares
        Probability p of an item to be right at each point, in [0, 1], axes ``(axis,)``.
    questions
        Items m of a test.

    Returns
    -------
    numpy.ndarray
        float64, axes ``(axis + 1,)``, the last for no success at all; their sum is 1.

    Raises
    ------
    ArgumentError
        If a probability is out of range or there are none.
    """
    probabilities = require_numbers("shares", shares, "numbers in [0, 1] with one axis")
    if probabilities.ndim != 1 or not probabilities.size or not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ArgumentError("shares", "numbers in [0, 1] with one axis", f"others, shape {probabilities.shape}")
    require_count("questions", questions)
    none = (1 - probabilities) ** questions
    before = np.concatenate([[1.0], np.cumprod(none)])
    return before * np.append(1 - none, 1.0)


def all_right(right: npt.ArrayLike, items: int, size: int) -> np.ndarray:
    r"""Share of all sets of items in which every item is right, by counting: :math:`\binom{r}{k} / \binom{n}{k}`.

    Parameters
    ----------
    right
        Numbers r of right items, whole, 0 to n, any shape.
    items
        Number n of items, up to 10**9.
    size
        Items k of a set, at most n.

    Returns
    -------
    numpy.ndarray
        float64, in [0, 1], same shape.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    require_integer("items", items, at_least=1, at_most=10**9)
    require_integer("size", size, at_least=1, at_most=items)
    counts = require_numbers("right", right, f"whole numbers from 0 to {items}")
    if not ((counts >= 0) & (counts <= items) & (counts == np.floor(counts))).all():
        raise ArgumentError("right", f"whole numbers from 0 to {items}", "others")
    enough = counts >= size
    held = np.where(enough, counts, size)
    logs = special.gammaln(held + 1) - special.gammaln(held - size + 1)
    logs -= special.gammaln(items + 1) - special.gammaln(items - size + 1)
    return np.where(enough, np.exp(np.minimum(logs, 0.0)), 0.0)


def _require_flag(name: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise ArgumentError(name, "True or False", type(value).__name__)


def _axis(axis: npt.ArrayLike) -> np.ndarray:
    points = require_numbers("axis", axis, "two rising positive numbers or more")
    if points.ndim != 1 or len(points) < 2 or not (points > 0).all() or not (np.diff(points) > 0).all():
        raise ArgumentError("axis", "two rising positive numbers or more", f"others, shape {points.shape}")
    return points


def _counts(name: str, ratios: npt.ArrayLike, size: int) -> tuple[int, ...]:
    """Whole numbers of patterns at so many a unit or a feature."""
    values = require_numbers(name, ratios, "positive numbers with one axis")
    if values.ndim != 1 or not values.size or not ((values > 0) & (values <= _MOST)).all():
        raise ArgumentError(name, f"positive numbers with one axis, up to {_MOST}", f"others, shape {values.shape}")
    found = tuple(max(1, round(value * size)) for value in values.tolist())
    if any(after <= before for before, after in itertools.pairwise(found)):
        expected = "numbers at which whole numbers of patterns rise"
        raise ArgumentError(name, expected, f"{found[:5]} at the first", "Take values farther apart.")
    return found
