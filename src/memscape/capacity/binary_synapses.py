r"""Sparse patterns in one network of binary synapses (after Willshaw, Buneman & Longuet-Higgins 1969).

P patterns of exactly k of N units leave a synapse on between any two units that were ever on together. A pattern
recalls itself without a unit too many if no other unit has all k synapses from it. All synapses are excitatory, have
one bit, and are set by what their two units did: Dale's law, few levels and locality at once.

:func:`density` gives mean and standard deviation of the share of synapses that are on, exactly; :func:`clean_share`
the probability of a clean recall if synapses were on independently of each other; :func:`recall_themselves` counts.
:class:`memscape.capacity.capacity.SparseRecalls` is about pairs of patterns in two layers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_generator,
    require_integer,
    require_room,
)
from memscape.tools import pieces
from memscape.tools.sequences import require_rising

__all__ = ["SelfRecalls", "clean_share", "density", "draw_codes", "recall_themselves"]

_MOST = 2**16  # units: a matrix of four billion synapses


def draw_codes(count: int, active: int, neurons: int, *, generator: torch.Generator) -> torch.Tensor:
    """Sets of exactly k of N units, independent, all sets equally likely.

    Parameters
    ----------
    count
        Sets P.
    active, neurons
        k and N, k at most N / 4.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Units, int64, axes ``(count, active)``, on the CPU.

    Raises
    ------
    ArgumentError
        If a number is not an integer or out of range.
    """
    _require_codes(neurons, active, count)
    require_generator("generator", generator)
    if active**2 > neurons:  # most sets would have a double
        require_room(count=count, neurons=neurons)
        keys = torch.rand(count, neurons, generator=generator, dtype=torch.float64, device="cpu")
        return keys.argsort(dim=1)[:, :active]
    codes = torch.randint(neurons, (count, active), generator=generator, device="cpu")
    # Sets with a double are drawn anew.
    while len(doubled := (codes.sort(dim=1).values.diff(dim=1) == 0).any(dim=1).nonzero()[:, 0]):
        codes[doubled] = torch.randint(neurons, (len(doubled), active), generator=generator, device="cpu")
    return codes


def density(neurons: int, active: int, count: int) -> tuple[float, float]:
    r"""Mean and standard deviation of the share of synapses that are on, exactly.

    A pattern has both units of a synapse with probability :math:`q = \frac{k(k-1)}{N(N-1)}`, so that the mean is
    :math:`1 - (1-q)^P`. Two synapses are both off with probability :math:`(1 - 2q + q_2)^P`, where :math:`q_2` is
    :math:`\frac{k(k-1)(k-2)}{N(N-1)(N-2)}` if they share a unit, and has one more factor if they do not.

    Parameters
    ----------
    neurons, active, count
        Units N, active units k of a pattern, at most N / 4, and patterns P.

    Raises
    ------
    ArgumentError
        If a number is not an integer or out of range.
    """
    _require_codes(neurons, active, count)
    n, k, p = neurons, active, count
    both = k * (k - 1) / (n * (n - 1))
    three = both * max(k - 2, 0) / (n - 2)
    four = three * max(k - 3, 0) / (n - 3)
    off = math.exp(p * math.log1p(-both))
    pairs = n * (n - 1) / 2
    shared, apart = 2 * (n - 2), (n - 2) * (n - 3) / 2

    def covariance(together: float) -> float:
        # log(1 - 2q + q2) - 2 log(1 - q), without a difference of nearly equal numbers.
        more = p * math.log1p((together - both**2) / (1 - both) ** 2)
        return off**2 * math.expm1(more) if more < 1 else math.exp(2 * p * math.log1p(-both) + more) - off**2

    variance = (off * (1 - off) + shared * covariance(three) + apart * covariance(four)) / pairs
    return -math.expm1(p * math.log1p(-both)), math.sqrt(max(variance, 0.0))


def clean_share(neurons: int, active: int, count: int) -> float:
    r"""Probability :math:`(1 - c^k)^{N-k}` of a clean recall, if synapses were on independently of each other.

    Parameters
    ----------
    neurons, active, count
        As for :func:`density`, whose mean is c.

    Raises
    ------
    ArgumentError
        If a number is not an integer or out of range.
    """
    on, _ = density(neurons, active, count)
    return math.exp((neurons - active) * math.log1p(-(on**active))) if on < 1 else 0.0


@dataclass(frozen=True)
class SelfRecalls:
    """What :func:`recall_themselves` counted.

    Attributes
    ----------
    extra
        Units too many of each recall, integers, axes ``(counts, networks, recalls)``.
    on
        Share of the synapses of each network that are on, float64, axes ``(counts, networks)``.
    """

    extra: torch.Tensor
    on: torch.Tensor


def recall_themselves(
    neurons: int,
    active: int,
    counts: Sequence[int],
    *,
    recalls: int,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> SelfRecalls:
    """Fill networks with patterns, and at several numbers of patterns let the first ones recall themselves.

    Parameters
    ----------
    neurons, active
        As for :func:`density`.
    counts
        Numbers of patterns P, rising: each network is read when it holds so many.
    recalls
        Patterns of each network that recall themselves, at most the smallest of the counts.
    networks
        Networks to draw.
    generator
        A CPU generator.
    device
        Where to compute.

    Returns
    -------
    SelfRecalls
        Counts, on the CPU.

    Raises
    ------
    ArgumentError
        If a number is not an integer or out of range, or the counts do not rise.
    """
    numbers = require_rising("counts", counts, "one or more rising numbers of patterns")
    _require_codes(neurons, active, numbers[-1])
    require_integer("recalls", recalls, at_least=1, at_most=numbers[0])
    require_count("networks", networks)
    require_room(networks=networks, recalls=recalls)
    require_generator("generator", generator)
    device = require_device("device", device)
    # A pattern switches both synapses of every pair of its units on.
    ends = (~torch.eye(active, dtype=torch.bool, device=device)).nonzero()
    extra = torch.empty(len(numbers), networks, recalls, dtype=torch.int64, device="cpu")
    on = torch.empty(len(numbers), networks, dtype=torch.float64, device="cpu")
    for network in range(networks):
        codes = draw_codes(numbers[-1], active, neurons, generator=generator).to(device)
        synapses = torch.zeros(neurons * neurons, dtype=torch.bool, device=device)
        for row, (before, count) in enumerate(itertools.pairwise([0, *numbers])):
            for some in codes[before:count].split(max(1, 2**22 // max(1, len(ends)))):
                synapses[(some[:, ends[:, 0]] * neurons + some[:, ends[:, 1]]).flatten()] = True
            square = synapses.view(neurons, neurons)
            asked = codes[:recalls].split(pieces.fitting(8 * active * neurons))
            # A unit of the pattern lacks a synapse onto itself: it hears k - 1 and is not counted.
            extra[row, network] = torch.cat([square[some].all(dim=1).sum(dim=1) for some in asked]).cpu()
            on[row, network] = synapses.count_nonzero().cpu().double() / (neurons * (neurons - 1))
    return SelfRecalls(extra, on)


def _require_codes(neurons: int, active: int, count: int) -> None:
    require_integer("neurons", neurons, at_least=4, at_most=_MOST)
    require_integer("active", active, at_least=1, at_most=max(1, neurons // 4))
    require_count("count", count)
    require_room(count=count, active=active)
    if neurons < 4 * active:
        raise ArgumentError("active", "at most a quarter of the neurons", str(active))
