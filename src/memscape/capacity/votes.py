r"""Labelled memories that vote: what a store of examples knows about an example that it does not hold.

A memory of labelled examples :math:`\xi^\mu` of unit length gives an image x, of unit length too, one vote a class,

.. math:: c_y(x) = \sum_{\mu:\, y_\mu = y} \max(0, \xi^\mu \cdot x)^n ,

and answers with the class of the largest. This is one step of the classifier of Krotov & Hopfield (2016), with the
examples themselves as memories: the answer unit takes the value of lower energy. The power n says how many memories are
heard. At n = 2 all of them are, and for :math:`n \to \infty` the nearest one alone.

:func:`answers` gives the answers of every power at every number of memories in one pass over them;
:func:`recalled` asks the same energy the other question, whether a stored pattern is a state at rest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import torch
from scipy import stats

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_integer,
    require_labels,
    require_number,
    require_numbers,
    require_sequence,
    require_tensor,
    wide,
)
from memscape.memory.dense import DenseMemory, Rectified
from memscape.tools import pieces
from memscape.tools.sequences import require_rising

__all__ = ["answers", "holm", "mcnemar", "recalled", "unit"]

_SILENT = 1e-18
"""Share of the largest power below which a vote counts as none: it is below rounding, and its square still a float."""

_STEEPEST = 10**4  # largest power of an overlap; beyond, take the nearest memory


def unit(images: torch.Tensor, mean: torch.Tensor | None = None) -> torch.Tensor:
    """Images brought to unit length, after the mean image has been subtracted where there is one.

    Parameters
    ----------
    images
        Axes ``(..., pixels)``, finite values.
    mean
        What is subtracted from every image, axes ``(pixels)``.

    Returns
    -------
    torch.Tensor
        Same axes; an image that is the mean itself stays zero and gives no vote.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    sizes: dict[str, int] = {}
    require_tensor("images", images, "... pixels", sizes=sizes)
    if mean is not None:
        require_tensor("mean", mean, "pixels", sizes=sizes, device=images.device, dtype=images.dtype)
        images = images - mean
    # By the largest entry first: its square may be beyond a float.
    largest = images.abs().amax(dim=-1, keepdim=True)
    scaled = wide(images / torch.where(largest > 0, largest, 1.0))
    length = scaled.norm(dim=-1, keepdim=True)
    return (scaled / torch.where(length > 0, length, 1.0)).to(images.dtype)


def answers(
    memories: torch.Tensor,
    labels: torch.Tensor,
    images: torch.Tensor,
    *,
    powers: Sequence[float],
    counts: Sequence[int],
    classes: int = 10,
) -> torch.Tensor:
    r"""The class that wins the vote, for every number of memories and every power, in one pass over the memories.

    Overlaps are computed once, in tiles that fit a core's cache; higher powers are products of lower ones, and the
    votes are read whenever the number of memories heard so far is one of the counts. A vote is kept as a multiple of
    the largest overlap to the power n met so far, so that :math:`0.3^{80}` is no zero.

    Parameters
    ----------
    memories
        Axes ``(memories, pixels)``, of unit length or shorter.
    labels
        Class of each memory, int64 in [0, classes).
    images
        Axes ``(images, pixels)``, of unit length or shorter, dtype and device of the memories.
    powers
        Powers n, whole numbers from 1 on, or ``math.inf`` for the nearest memory.
    counts
        Numbers of memories, rising: the first so many vote.
    classes
        Number of classes, 1 to 1000.

    Returns
    -------
    torch.Tensor
        Classes, int64, axes ``(counts, powers, images)``. Of classes with equal votes the smallest answers.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit, a vector is longer than 1, a power or a count is out of range, or
        counts do not rise.
    """
    sizes: dict[str, int] = {}
    require_tensor("memories", memories, "memories pixels", sizes=sizes)
    require_tensor("images", images, "images pixels", sizes=sizes, device=memories.device, dtype=memories.dtype)
    require_count("classes", classes, at_most=1000)
    require_labels("labels", labels, memories.device, at_least=0)
    if len(labels) != len(memories) or int(labels.max()) >= classes:
        got = f"{len(labels)} labels up to {int(labels.max())}"
        raise ArgumentError("labels", f"one for each of {len(memories)} memories, below {classes}", got)
    for name, vectors in (("memories", memories), ("images", images)):
        if not (wide(vectors).norm(dim=-1) <= 1 + 1e-2).all():
            raise ArgumentError(name, "vectors of unit length or shorter", "longer ones", "Bring them there by unit.")
    whole = [_power(power) for power in _some(powers)]
    wanted = [*require_rising("counts", counts, _RISING, at_most=len(memories))]
    store, probes = wide(memories), wide(images)
    found = torch.empty(len(wanted), len(whole), len(images), dtype=torch.int64, device=images.device)
    for some in pieces.slices(len(images), pieces.fitting(8 * (len(whole) + 2) * classes)):
        found[..., some] = _answers(store, labels, probes[some], whole, wanted, classes)
    return found


_RISING = "at least one number, rising"
_TILE = 1024  # memories heard at once: products of matrices lose nothing there


@torch.no_grad()
def _answers(
    memories: torch.Tensor,
    labels: torch.Tensor,
    images: torch.Tensor,
    powers: list[int],
    counts: list[int],
    classes: int,
) -> torch.Tensor:
    """The answers to as many images as votes are kept of at once, 0 for the power of the nearest memory."""
    finite = sorted({power for power in powers if power})
    votes = images.new_zeros(len(finite), len(images), classes)
    nearest = images.new_full((len(images), classes), -torch.inf)
    top = images.new_full((len(images), 1), torch.finfo(images.dtype).tiny)
    factors, places = _products(finite)
    # Powers are made again and again in the same few places, or the processor would wait for memory.
    rows = pieces.cached(2 * _TILE * images.element_size(), at_least=64)
    room = [images.new_empty(rows * _TILE) for _ in {*places.values()}]
    read, heard = [], 0
    for count in counts:
        for some in pieces.slices(count - heard, _TILE):
            some = slice(some.start + heard, some.stop + heard)
            # Memories of one class side by side: the largest overlap with a class is one among neighbours.
            order = labels[some].argsort(stable=True)
            ends = [0, *torch.bincount(labels[some], minlength=classes).cumsum(0).tolist()]
            where = [(label, slice(*pair)) for label, pair in enumerate(itertools.pairwise(ends))]
            where = [(label, part) for label, part in where if part.start < part.stop]
            tile = memories[some][order].mT
            members = torch.nn.functional.one_hot(labels[some][order], classes).to(images.dtype)
            for asked in pieces.slices(len(images), rows):
                shape = asked.stop - asked.start, len(order)
                parts = [place[: math.prod(shape)].view(shape) for place in room]
                made = {power: parts[place] for power, place in places.items()}
                overlaps = torch.mm(images[asked], tile, out=made[1])
                for label, part in where:
                    closest = nearest[asked, label]
                    torch.maximum(closest, overlaps[:, part].amax(dim=1), out=closest)
                before = top[asked].clone()
                torch.maximum(before, nearest[asked].amax(dim=1, keepdim=True), out=top[asked])
                shrunk = before / top[asked]
                overlaps.div_(top[asked]).relu_()
                for votes_n, power in zip(votes, finite, strict=True):
                    _raise(made, power, factors.get(power))
                    votes_n[asked].mul_(shrunk**power).addmm_(made[power], members)
        heard = count
        by_power = dict(zip(finite, votes.argmax(dim=-1), strict=True))
        by_power[0] = nearest.argmax(dim=-1)
        read.append(torch.stack([by_power[power] for power in powers]))
    return torch.stack(read)


def _products(powers: list[int]) -> tuple[dict[int, tuple[int, int]], dict[int, int]]:
    """Which two lower powers make each of the rising powers, where two do, and which place each is written to.

    A power takes the place of a factor that no later power needs.
    """
    factors: dict[int, tuple[int, int]] = {}
    made, last_use = [1], {1: 1}
    for power in powers:
        pair = next(((low, power - low) for low in made if power - low in made), None)
        if pair:
            factors[power] = pair
        last_use |= dict.fromkeys(pair or (1,), power)
        made.append(power)
    places = {1: 0}
    for power in powers:
        if power > 1:
            spare = [low for low in factors.get(power, (1,)) if last_use[low] == power]
            places[power] = places[spare[0]] if spare else 1 + max(places.values())
    return factors, places


def _raise(made: dict[int, torch.Tensor], power: int, pair: tuple[int, int] | None) -> None:
    """Values in [0, 1] to a power, as a product of two lower powers where there is such a pair."""
    if power == 1:
        return
    if pair is None:
        torch.pow(made[1], power, out=made[power])
    else:
        torch.mul(made[pair[0]], made[pair[1]], out=made[power])
    # Without numbers so small that a processor takes a hundred times as long over them.
    torch.threshold_(made[power], _SILENT, 0.0)


def recalled(patterns: torch.Tensor, *, powers: Sequence[int], counts: Sequence[int], probes: int) -> torch.Tensor:
    r"""Whether stored patterns are states at rest of a dense memory :math:`E = -\sum_\mu \max(0, \xi^\mu \cdot s)^n`.

    A start at a stored pattern ends there exactly if no single unit lowers the energy by turning: asynchronous dynamics
    never come back to an energy that they have left. So one update of all units decides.

    Parameters
    ----------
    patterns
        Axes ``(patterns, neurons)``, -1 and +1; the first ``probes`` of them are the starts.
    powers
        Powers n of the energy, 2 to 1000.
    counts
        Numbers of patterns stored, rising: the first so many are.
    probes
        Starts, 1 to the smallest count.

    Returns
    -------
    torch.Tensor
        Wrong units after one update, int64, axes ``(counts, powers, probes)``; none is exact recall.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, or a power, a count or the probes are out of range.
    """
    require_tensor("patterns", patterns, "patterns neurons", values="spins")
    for power in _some(powers):
        require_integer("powers", power, at_least=2, at_most=1000)
    wanted = [*require_rising("counts", counts, _RISING, at_most=len(patterns))]
    require_integer("probes", probes, at_least=1, at_most=wanted[0])
    starts = patterns[:probes]
    models = ([DenseMemory(patterns[:count], Rectified(power)) for power in powers] for count in wanted)
    wrong = [[(model.update(starts) != starts).sum(dim=-1) for model in row] for row in models]
    return torch.stack([torch.stack(row) for row in wrong])


def mcnemar(worse: torch.Tensor, better: torch.Tensor) -> float:
    r"""Exact one-sided probability that one rule is no worse than another on the same images (McNemar 1947).

    Only images that exactly one of the rules gets right tell them apart. If both err equally often, each of these goes
    to either rule like a fair coin, and the probability of at least so many errors of the first is a binomial tail.

    Parameters
    ----------
    worse, better
        Whether each rule errs, booleans with axes ``(images)``.

    Returns
    -------
    float
        In (0, 1]: small where ``worse`` errs more often than chance would have it.

    Raises
    ------
    ArgumentError
        If they are not booleans of one length.
    """
    for name, errs in (("worse", worse), ("better", better)):
        if not isinstance(errs, torch.Tensor) or errs.dtype != torch.bool or errs.dim() != 1 or len(errs) == 0:
            got = f"{errs.dtype} {tuple(errs.shape)}" if isinstance(errs, torch.Tensor) else type(errs).__name__
            raise ArgumentError(name, "a non-empty bool tensor with axes (images)", got, "Write answers != labels.")
    if len(worse) != len(better) or worse.device != better.device:
        raise ArgumentError("better", f"{len(worse)} images on {worse.device}", f"{len(better)} on {better.device}")
    first, second = int((worse & ~better).sum()), int((better & ~worse).sum())
    return float(stats.binom.sf(first - 1, first + second, 0.5)) if first else 1.0


def holm(probabilities: Sequence[float]) -> np.ndarray:
    """Probabilities of several tests, adjusted so that any one below a level is one error at that level (Holm 1979).

    Parameters
    ----------
    probabilities
        One for each test, in [0, 1].

    Returns
    -------
    numpy.ndarray
        float64, in [0, 1], in the order given.

    Raises
    ------
    ArgumentError
        If there are none, or one is out of range.
    """
    raw = require_numbers("probabilities", probabilities, "numbers in [0, 1]")
    if raw.ndim != 1 or not raw.size or not ((raw >= 0) & (raw <= 1)).all():
        raise ArgumentError("probabilities", "numbers in [0, 1], at least one", f"others, shape {raw.shape}")
    order = raw.argsort(kind="stable")
    stepped = np.maximum.accumulate(raw[order] * np.arange(len(raw), 0, -1))
    adjusted = np.empty_like(raw)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def _some(powers: Sequence[float]) -> Sequence[float]:
    if not len(require_sequence("powers", powers, "numbers")):
        raise ArgumentError("powers", "at least one power", "none")
    return powers


def _power(power: float) -> int:
    """A power as a whole number, 0 for the nearest memory."""
    if isinstance(power, float) and power == math.inf:
        return 0
    number = require_number("powers", power, at_least=1, at_most=_STEEPEST)
    if number != int(number):
        raise ArgumentError("powers", "whole numbers or math.inf", f"{power:g}")
    return int(number)
