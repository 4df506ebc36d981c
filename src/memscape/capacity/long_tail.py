r"""What has to be memorised: exact scores of a nearest memory, and memories whose strengths follow Zipf's law.

A memory keeps labelled examples and answers with the label of the nearest one. Feldman & Zhang (2020) ask of every
example how much it matters that the learner has seen it. The learner is trained on a random part of the data, every
example being in it with probability q, the *share*:

.. math:: \mathrm{mem}_i = P[\text{right at } x_i \mid i \text{ in}] - P[\text{right at } x_i \mid i \text{ out}],
          \qquad
          \mathrm{infl}(i, z) = P[\text{right at } z \mid i \text{ in}] - P[\text{right at } z \mid i \text{ out}] .

They train thousands of networks. For a nearest memory the answer at z comes from the first of its neighbours that is
kept, and the k-th is that one with probability :math:`q (1-q)^{k-1}`. So all scores are sums over a list of neighbours
(:func:`accuracy`, :func:`influence`, :func:`memorisation`), and nothing is trained. Neighbours at one distance answer
with equal chances: with g of them behind b nearer ones, each with probability :math:`(1-q)^b [1 - (1-q)^g] / g`. Lists
may be cut after K neighbours; what is left out has the weight :math:`(1-q)^K`.

The second half is about memories of unequal strength, :math:`W = \frac1N \sum_\mu w_\mu \xi^\mu \xi^{\mu T}` with
:math:`w_\mu = \mu^{-a}`: :func:`held_at_once` and :func:`held_at_rest` say how many are recalled, by theory, and
:func:`ranked_errors` and :func:`ranked_overlaps` count. :func:`counted` draws examples from a distribution of which
most items are rare.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import special

from memscape.arguments import (
    ArgumentError,
    described,
    require_booleans,
    require_count,
    require_device,
    require_fit,
    require_generator,
    require_integer,
    require_labels,
    require_number,
    require_numbers,
    require_rng,
    require_room,
    require_tensor,
    wide,
)
from memscape.memory.dynamics import synchronous
from memscape.memory.hopfield import Hopfield, without_diagonal
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces
from memscape.tools.sequences import require_probabilities

__all__ = [
    "Counted",
    "Helped",
    "Neighbours",
    "Votes",
    "accuracy",
    "counted",
    "held_at_once",
    "held_at_rest",
    "held_out",
    "helped",
    "influence",
    "memorisation",
    "neighbours",
    "rank_at",
    "ranked_errors",
    "ranked_overlaps",
    "recalled",
    "unseen",
    "votes",
    "weighted_hebbian",
]

_NEVER = 1 - 1e-12  # the largest share: an example that is never left out has no score

# Neighbours


@dataclass(frozen=True)
class Neighbours:
    """The nearest memories of every query, nearest first; of equally near ones the first stored comes first.

    Attributes
    ----------
    distances
        Squared Euclidean distances, floating, axes ``(queries, K)``.
    indices
        Positions of the memories, integers, same axes.
    """

    distances: torch.Tensor
    indices: torch.Tensor


def neighbours(memories: torch.Tensor, count: int, *, queries: torch.Tensor | None = None) -> Neighbours:
    """The ``count`` nearest memories of every query by squared Euclidean distance.

    Parameters
    ----------
    memories
        Axes ``(memories, pixels)``, finite.
    count
        Neighbours K to list; at most all memories.
    queries
        Axes ``(queries, pixels)``, dtype and device of the memories. By default every memory looks for its nearest
        among the *others*.

    Returns
    -------
    Neighbours
        On the device of the memories. Distances are exact where pixels are whole numbers and neither a squared length
        nor a listed distance exceeds the whole numbers of the dtype: pixels of eight bits, less 128, fit float32 up to
        28 x 28 of them.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not match, there are fewer memories than neighbours, or a distance is beyond the
        dtype.

    Notes
    -----
    Blocks of the table of distances are held at a time, never all of it (:mod:`memscape.tools.pieces`).
    """
    sizes: dict[str, int] = {}
    require_tensor("memories", memories, "memories pixels", sizes=sizes)
    among = queries is None
    if queries is not None:
        require_tensor("queries", queries, "queries pixels", sizes=sizes, device=memories.device, dtype=memories.dtype)
    require_integer("count", count, at_least=1, at_most=len(memories) - among)
    stored, asked = wide(memories), wide(memories if queries is None else queries)
    lengths = require_fit("memories", stored.square().sum(dim=1))
    distances, indices = [], []
    for rows in pieces.slices(len(asked), pieces.fitting(3 * len(stored) * stored.element_size())):
        block = asked[rows]
        # The query's own length is the same for a whole row: it is added to the few that are listed.
        keys = torch.addmm(lengths, block, stored.mT, alpha=-2.0)
        if among:
            keys.diagonal(rows.start).fill_(math.inf)
        near, found = keys.topk(count, dim=1, largest=False, sorted=False)
        found, order = found.sort(dim=1)
        near, order = near.gather(1, order).sort(dim=1, stable=True)
        distances.append(near + block.square().sum(dim=1, keepdim=True))
        indices.append(found.gather(1, order))
    # A distance of zero may come out below it by rounding.
    return Neighbours(require_fit("memories", torch.cat(distances)).clamp_(min=0.0), torch.cat(indices))


def recalled(indices: torch.Tensor, right: torch.Tensor, kept: torch.Tensor) -> torch.Tensor:
    """Whether the nearest memory that is kept is right, for every query and every choice of what is kept.

    Parameters
    ----------
    indices
        Memories of every query, nearest first, int64, axes ``(queries, K)``.
    right
        Whether each has the label of the query, booleans, same axes.
    kept
        Which memories are kept, booleans, axes ``(choices, memories)``.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(choices, queries)``; false where none of those listed is kept.

    Raises
    ------
    ArgumentError
        If the axes, dtypes or devices do not fit, or an index is that of no memory.
    """
    require_booleans("kept", kept, "Say which memories are kept by booleans.")
    if kept.dim() != 2 or kept.numel() == 0:
        raise ArgumentError("kept", "axes (choices, memories), none empty", f"shape {tuple(kept.shape)}")
    _require_indices(indices, kept.shape[1])
    require_booleans("right", right, "Compare labels with ==.", shape=tuple(indices.shape), device=indices.device)
    found = []
    for rows in pieces.slices(len(kept), pieces.fitting(8 * indices.numel())):
        there = kept[rows][:, indices]
        first = there & (there.cumsum(dim=2, dtype=torch.int32) == 1)
        found.append((first & right).any(dim=2))
    return torch.cat(found)


def held_out(indices: torch.Tensor, right: torch.Tensor, kept: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How often the memory is right where the first of the listed memories is left out, by counting.

    Parameters
    ----------
    indices, right, kept
        As for :func:`recalled`. For the score of an example, the example itself stands first in its list.

    Returns
    -------
    tuple of torch.Tensor
        Right answers, and choices that leave the first listed memory out: integers, axes ``(queries,)``.

    Raises
    ------
    ArgumentError
        As :func:`recalled`.
    """
    hits = recalled(indices, right, kept)
    out = ~kept[:, indices[:, 0]]
    return (hits & out).sum(dim=0), out.sum(dim=0)


# Exact scores


def accuracy(distances: torch.Tensor, right: torch.Tensor, *, share: float) -> torch.Tensor:
    r"""Probability that a nearest memory of a random part of the data is right, :math:`\sum_k w_k [\text{k-th right}]`.

    Parameters
    ----------
    distances
        Distances of the nearest memories, rising, axes ``(..., K)``.
    right
        Whether each has the label of the query, booleans, same axes.
    share
        Probability q with which every memory is kept, independently, in (0, 1).

    Returns
    -------
    torch.Tensor
        Axes ``(...,)``, float64, in [0, 1]; too small by at most :math:`(1-q)^K`, the chance that none of those
        listed is kept.

    Raises
    ------
    ArgumentError
        If axes do not match, distances do not rise, or the share is out of range.
    """
    weights, *_ = _chances(distances, right, share)
    return (weights * right).sum(dim=-1).clamp(max=1.0)


def influence(distances: torch.Tensor, right: torch.Tensor, *, share: float) -> torch.Tensor:
    r"""Influence of every listed memory on its query (Feldman & Zhang 2020, with parts of independent examples).

    The k-th neighbour, alone at its distance, answers if none of the k - 1 nearer ones is kept. Had it been left out,
    the next one that is kept would answer:

    .. math:: \mathrm{infl} = (1-q)^{k-1} \Big( [\text{k-th right}] - \sum_{j > k} q (1-q)^{j-k-1} [\text{j-th right}]
              \Big) .

    Of several memories at one distance each answers with equal chances, with or without this one.

    Parameters
    ----------
    distances, right, share
        As for :func:`accuracy`.

    Returns
    -------
    torch.Tensor
        Axes ``(..., K)``, float64, in [-1, 1].

    Raises
    ------
    ArgumentError
        As :func:`accuracy`.
    """
    weights, before, size, fall = _chances(distances, right, share)
    hits = right.double()
    # What stands behind a memory's own group answers if the group and all nearer ones are left out.
    padded = torch.cat([hits * weights, torch.zeros_like(hits[..., :1])], dim=-1)
    behind = padded.flip(-1).cumsum(-1).flip(-1).gather(-1, before + size)
    within = torch.cat([torch.zeros_like(hits[..., :1]), hits.cumsum(-1)], dim=-1)
    others = within.gather(-1, before + size) - within.gather(-1, before) - hits
    alike, nearer = size.double(), before.double()
    others = others / (alike - 1).clamp(min=1)
    chosen = -torch.expm1(alike * fall) / (alike * share)
    own = chosen * hits + (torch.exp((alike - 1) * fall) - chosen) * others
    return (torch.exp(nearer * fall) * own - behind / math.exp(fall)).clamp(-1.0, 1.0)


@dataclass(frozen=True)
class Helped:
    """Whom every memory helps.

    Attributes
    ----------
    total
        Sum of its influences on all queries, float64, axes ``(memories,)``.
    best
        Its largest influence on one query, 0 where it is on no list or only harms, same axes.
    query
        The first query with that influence, integers, same axes; -1 where there is none.
    """

    total: torch.Tensor
    best: torch.Tensor
    query: torch.Tensor


def helped(indices: torch.Tensor, influences: torch.Tensor, memories: int) -> Helped:
    """Influences on queries, sorted by whose they are.

    Parameters
    ----------
    indices
        Memories of every query, nearest first, int64, axes ``(queries, K)``.
    influences
        Of each on the query, float64, same axes: :func:`influence`.
    memories
        Number of memories.

    Raises
    ------
    ArgumentError
        If the axes do not match or an index is that of no memory.
    """
    require_count("memories", memories)
    require_room(memories=memories)
    _require_indices(indices, memories)
    sizes = {"queries": indices.shape[0], "neighbours": indices.shape[1]}
    require_tensor(
        "influences", influences, "queries neighbours", sizes=sizes, device=indices.device, dtype=torch.float64
    )
    whose, flat = indices.flatten(), influences.flatten()
    empty = flat.new_zeros(memories)
    best = empty.scatter_reduce(0, whose, flat, "amax")
    reached = (flat == best[whose]) & (flat > 0)
    queries = torch.arange(len(indices), device=indices.device).repeat_interleave(indices.shape[1])
    none = torch.full_like(best, len(indices), dtype=torch.int64)
    first = none.scatter_reduce(0, whose[reached], queries[reached], "amin")
    total = require_fit("influences", empty.index_add(0, whose, flat))
    return Helped(total, best, first.masked_fill(first == len(indices), -1))


def memorisation(distances: torch.Tensor, right: torch.Tensor, *, share: float) -> torch.Tensor:
    r"""Memorisation score of every example: its influence on itself, at distance zero (Feldman & Zhang 2020).

    Without a twin it is :math:`\mathrm{mem}_i = 1 - \sum_k q (1-q)^{k-1} [\text{k-th neighbour right}]`.

    Parameters
    ----------
    distances, right
        Distances of its nearest neighbours among the others and whether they have its label, as for :func:`accuracy`.
    share
        Probability q with which every example is in the part that is stored, in (0, 1).

    Returns
    -------
    torch.Tensor
        Axes ``(...,)``, float64, in [0, 1].

    Raises
    ------
    ArgumentError
        As :func:`accuracy`.
    """
    _require_listed(distances, right)
    zero = torch.zeros_like(distances[..., :1])
    itself = torch.ones_like(right[..., :1])
    scores = influence(torch.cat([zero, distances], -1), torch.cat([itself, right], -1), share=share)
    return scores[..., 0].clamp(min=0.0)


@dataclass(frozen=True)
class Votes:
    """How often a label vote is wrong about every example, with the example's own vote and without it.

    Attributes
    ----------
    left_out, stored
        Share of the random parts in which the answer is wrong while the example is left out, and while it is stored:
        float64, axes ``(examples,)``.
    """

    left_out: torch.Tensor
    stored: torch.Tensor

    @property
    def memorisation(self) -> torch.Tensor:
        """Memorisation score of every example, in [0, 1]: an own vote never makes a right answer wrong."""
        return self.left_out - self.stored


def votes(
    images: torch.Tensor,
    labels: torch.Tensor,
    power: int,
    *,
    share: float,
    subsets: int,
    generator: torch.Generator,
) -> Votes:
    r"""Answers of a label vote, :math:`c_y(x) = \sum_{\mu: y_\mu = y} \max(\xi^\mu \cdot x, 0)^n`, to its own examples.

    The same random part of the others answers for every example twice, with the example's own vote and without it.

    Parameters
    ----------
    images
        Axes ``(examples, pixels)``, finite; bring them to unit length.
    labels
        Class of every example, int64, axes ``(examples,)``, counted from 0.
    power
        n of the rectified power, 1 to 1000.
    share
        Probability with which every other example is kept, in (0, 1).
    subsets
        Random parts to draw.
    generator
        A CPU generator.

    Returns
    -------
    Votes
        Shares that are multiples of one over the number of parts.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not match or a number is out of range.
    """
    require_tensor("images", images, "examples pixels")
    require_labels("labels", labels, images.device, at_least=0)
    if len(labels) != len(images):
        raise ArgumentError("labels", f"one for each of {len(images)} images", str(len(labels)))
    require_integer("power", power, at_least=1, at_most=1000)
    require_number("share", share, above=0.0, at_most=_NEVER)
    require_count("subsets", subsets)
    require_generator("generator", generator)
    classes = require_integer("labels", labels.max().item() + 1, at_most=10**6)
    require_room(subsets=subsets, examples=len(images), labels=classes)
    kept = (torch.rand(len(images), subsets, generator=generator, device="cpu") < share).to(images.device)
    vectors, size = wide(images), len(images)
    ballots = torch.nn.functional.one_hot(labels, classes).to(vectors)
    wrong = torch.zeros(2, size, dtype=torch.int64, device=images.device)
    item = vectors.element_size()
    for some in pieces.slices(subsets, pieces.fitting(2 * size * classes * item)):
        cast = (kept[:, some, None] * ballots[:, None]).flatten(1)
        width = cast.shape[1]
        for rows in pieces.slices(size, pieces.fitting(2 * (size + width) * item)):
            overlaps = require_fit("images", vectors[rows] @ vectors.mT).clamp_(min=0.0)
            own = overlaps.diagonal(rows.start).clone()
            overlaps.diagonal(rows.start).zero_()
            # In units of the largest overlap of the row, so that high powers of small ones do not all vanish.
            largest = overlaps.amax(dim=1)
            largest = torch.where(largest > 0, largest, torch.ones_like(largest))
            counts = ((overlaps / largest[:, None]) ** power @ cast).unflatten(1, (-1, classes))
            mine = labels[rows, None, None].expand(-1, counts.shape[1], 1)
            wrong[0, rows] += (counts.argmax(dim=2) != labels[rows, None]).sum(dim=1)
            # An own vote may be infinite in these units: it then outvotes everybody, as it should.
            counts.scatter_add_(2, mine, ((own / largest) ** power)[:, None, None].expand_as(mine))
            wrong[1, rows] += (counts.argmax(dim=2) != labels[rows, None]).sum(dim=1)
    left_out, stored = wrong.double() / subsets
    return Votes(left_out, stored)


def _chances(
    distances: torch.Tensor, right: torch.Tensor, share: float
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, float]:
    """Chance of each listed memory to answer, how many are nearer, how many as near, and ln(1 - q)."""
    _require_listed(distances, right)
    fall = math.log1p(-require_number("share", share, above=0.0, at_most=_NEVER))
    listed = distances.contiguous()
    before = torch.searchsorted(listed, listed)
    size = torch.searchsorted(listed, listed, right=True) - before
    weights = torch.exp(before.double() * fall) * -torch.expm1(size.double() * fall) / size.double()
    return weights, before, size, fall


def _require_indices(indices: torch.Tensor, memories: int) -> None:
    if not isinstance(indices, torch.Tensor) or indices.dtype != torch.int64 or indices.dim() != 2:
        raise ArgumentError("indices", "an int64 tensor with axes (queries, neighbours)", described(indices))
    if indices.numel() == 0 or indices.min() < 0 or indices.max() >= memories:
        raise ArgumentError("indices", f"positions below {memories}, no empty axis", described(indices))


def _require_listed(distances: torch.Tensor, right: torch.Tensor) -> None:
    require_tensor("distances", distances, "... neighbours", values="nonnegative")
    require_booleans("right", right, "Compare labels with ==.", shape=tuple(distances.shape), device=distances.device)
    if (distances.diff(dim=-1) < 0).any():
        raise ArgumentError("distances", "rising distances", "a fall", "Sort neighbours by their distance.")


# Memories of unequal strength


def weighted_hebbian(patterns: torch.Tensor, strengths: torch.Tensor) -> Hopfield:
    r"""Hebb's rule with a strength for every pattern, :math:`W_{ij} = \frac1N \sum_\mu w_\mu \xi_i^\mu \xi_j^\mu`.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    strengths
        w, axes ``(P,)``, not negative, dtype and device of the patterns.

    Returns
    -------
    Hopfield
        Without self-coupling, in units of 1/N.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    sizes: dict[str, int] = {}
    require_tensor("patterns", patterns, "... patterns neurons", values="spins", sizes=sizes)
    require_tensor(
        "strengths",
        strengths,
        "patterns",
        values="nonnegative",
        sizes=sizes,
        device=patterns.device,
        dtype=patterns.dtype,
    )
    couplings = require_fit("strengths", (patterns * strengths[:, None]).mT @ patterns)
    couplings = without_diagonal((couplings + couplings.mT) / 2)  # a product need not be symmetric to the last bit
    return Hopfield(couplings, couplings.new_zeros(couplings.shape[:-1]), 1.0 / patterns.shape[-1])


def ranked_errors(
    neurons: int,
    strengths: torch.Tensor,
    *,
    probes: int,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Wrong bits one step away from each of the strongest patterns, in freshly drawn networks without self-coupling.

    No couplings are formed: the field of a state is a sum over patterns, which serves any number of strengths at once.

    Parameters
    ----------
    neurons
        Number of neurons N, at least 2.
    strengths
        w, axes ``(laws, P)``, not negative: several laws for the same patterns.
    probes
        Patterns to start from, the first ones, at most P.
    networks
        Networks to draw.
    generator
        A CPU generator.
    device
        Where to compute, in float32.

    Returns
    -------
    torch.Tensor
        Integers, axes ``(laws, networks, probes)``, on the CPU.

    Raises
    ------
    ArgumentError
        If a size is out of range, or the strengths are negative or not finite.
    """
    weights = _ranked(neurons, strengths, probes, networks, device)
    found = []
    for _ in range(networks):
        patterns = random_patterns(strengths.shape[1], neurons, generator=generator, dtype=torch.float32, device=device)
        starts = patterns[:probes]
        overlaps = starts @ patterns.mT
        fields = (weights[:, None] * overlaps) @ patterns - weights.sum(dim=1)[:, None, None] * starts
        found.append((require_fit("strengths", fields) * starts < 0).sum(dim=2).cpu())
    return torch.stack(found, dim=1)


def ranked_overlaps(
    neurons: int,
    strengths: torch.Tensor,
    *,
    probes: int,
    networks: int,
    steps: int = 50,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Overlap with each of the strongest patterns after a start at it, once the network has settled.

    All units are updated at once until the state repeats itself or has moved for so many steps.

    Parameters
    ----------
    neurons, strengths, probes, networks, generator, device
        As for :func:`ranked_errors`.
    steps
        Most steps to make.

    Returns
    -------
    torch.Tensor
        Float64, axes ``(laws, networks, probes)``, in [-1, 1], on the CPU.

    Raises
    ------
    ArgumentError
        If a size is out of range, or the strengths are negative or not finite.
    """
    weights = _ranked(neurons, strengths, probes, networks, device)
    require_count("steps", steps)
    found = []
    for _ in range(networks):
        patterns = random_patterns(strengths.shape[1], neurons, generator=generator, dtype=torch.float32, device=device)
        starts = patterns[:probes]
        ends = [synchronous(weighted_hebbian(patterns, each), starts, steps=steps).state for each in weights]
        found.append(((torch.stack(ends) * starts).sum(dim=2).double() / neurons).cpu())
    return torch.stack(found, dim=1)


def rank_at(errors: npt.ArrayLike, level: float) -> float:
    r"""Rank at which the bit error of patterns crosses a level, from a straight line through several ranks.

    With Gaussian crosstalk :math:`-\Phi^{-1}(\text{error})` falls as the strength of the pattern does, as a power of
    its rank. So its logarithm is fitted by a line in the logarithm of the rank.

    Parameters
    ----------
    errors
        Bit errors of the ranks 1, 2, ..., in [0, 1].
    level
        The error to find, in (0, 1/2).

    Returns
    -------
    float
        A rank, not whole in general.

    Raises
    ------
    ArgumentError
        If fewer than two ranks have an error strictly between 0 and a quarter, or the line does not fall.
    """
    values = require_numbers("errors", errors)
    require_number("level", level, above=0.0, at_most=0.499999)
    if values.ndim != 1 or not np.isfinite(values).all() or (values < 0).any() or (values > 1).any():
        raise ArgumentError("errors", "one axis of numbers in [0, 1]", f"shape {values.shape}")
    usable = np.flatnonzero((values > 0) & (values < 0.25))
    if len(usable) < 2:
        raise ArgumentError("errors", "two ranks or more with an error in (0, 0.25)", str(len(usable)))
    ranks, depth = np.log1p(usable), np.log(-special.ndtri(values[usable]))
    slope, start = np.polyfit(ranks, depth, 1)
    if slope >= 0:
        raise ArgumentError("errors", "errors that grow with the rank", f"a slope of {slope:.3g}")
    return math.exp(min(700.0, (math.log(-special.ndtri(level)) - start) / slope))


def held_at_once(neurons: int, count: int, exponent: float, error: float) -> float:
    r"""Number of patterns with a one-step bit error below a level, at strengths :math:`w_\mu = \mu^{-a}`.

    The crosstalk of rank k has the variance :math:`(S - k^{-2a}) / (N - 1)` with :math:`S = \sum_\mu \mu^{-2a}`, the
    signal is :math:`k^{-a}`. With :math:`s = -\Phi^{-1}(\text{error})`

    .. math:: k = \left( \frac{N - 1 + s^2}{s^2 S} \right)^{1/2a} .

    Parameters
    ----------
    neurons
        Number of neurons N, at least 2.
    count
        Number of patterns P, at most 2**26.
    exponent
        a, in (0, 20].
    error
        Tolerated share of wrong bits, in [1e-12, 1/2).

    Returns
    -------
    float
        A rank, not whole; below 1 where not even the strongest is held, and at most P.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("neurons", neurons, at_least=2, at_most=2**53)
    strengths = _zipf(count, exponent)
    require_number("error", error, at_least=1e-12, at_most=0.499999)
    threshold = float(special.ndtri(error)) ** 2
    total = float((strengths**2).sum())
    return min(float(count), ((neurons - 1 + threshold) / (threshold * total)) ** (0.5 / exponent))


def held_at_rest(neurons: int, count: int, exponent: float) -> float:
    r"""Number of patterns whose neighbourhood has a state at rest, at strengths :math:`w_\mu = \mu^{-a}`: mean field.

    Close to the pattern of rank k, with overlap m, the fields have the mean :math:`w_k m` and the variance
    :math:`\sigma^2`. A pattern :math:`\nu` that is not the one recalled has a small overlap, which its own field feeds:
    it is enlarged by :math:`1 / (1 - \chi w_\nu)`, where :math:`\chi` says how many units a small field turns. So

    .. math:: m = \mathrm{erf}\,\frac{w_k m}{\sqrt2\,\sigma}, \qquad
              \chi = \sqrt{\frac2\pi}\, \frac1\sigma\, e^{-w_k^2 m^2 / 2\sigma^2}, \qquad
              \sigma^2 = \frac1N \sum_{\nu \ne k} \frac{w_\nu^2}{(1 - \chi w_\nu)^2} .

    With equal strengths these are the equations of Amit, Gutfreund & Sompolinsky (1985) at temperature 0. A solution
    needs :math:`\chi w_1 < 1`: otherwise the strongest pattern pulls the state away.

    Parameters
    ----------
    neurons
        Number of neurons N, at least 2.
    count
        Number of patterns P, at most 2**17.
    exponent
        a, in (0, 20].

    Returns
    -------
    float
        The largest rank with a solution, not whole; below 1 where there is none for the strongest, and at most P.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("neurons", neurons, at_least=2, at_most=2**53)
    require_count("count", count, at_most=2**17)
    strengths = _zipf(count, exponent)
    low, high = math.log(1e-3), math.log(count)
    if _rests(neurons, strengths, math.exp(-exponent * high)):
        return float(count)
    while high - low > 1e-4:
        middle = (low + high) / 2
        low, high = (middle, high) if _rests(neurons, strengths, math.exp(-exponent * middle)) else (low, middle)
    return math.exp(low)


_DEPTHS = np.linspace(0.5, 5.0, 181)
"""Values of :math:`w_k m / \\sqrt2 \\sigma` among which a solution is looked for."""


def _rests(neurons: int, strengths: npt.NDArray[np.float64], strength: float) -> bool:
    """Whether the three equations have a solution for a pattern of this strength, beside those of ``strengths``."""
    spread = strength * special.erf(_DEPTHS) / (math.sqrt(2) * _DEPTHS)
    turned = math.sqrt(2 / math.pi) / spread * np.exp(-(_DEPTHS**2))
    # At a given depth the noise that the patterns make must not exceed the noise that the depth allows.
    for noise, chi in zip(spread, turned, strict=True):
        if chi * max(strengths[0], strength) < 1:
            made = ((strengths / (1 - chi * strengths)) ** 2).sum() - (strength / (1 - chi * strength)) ** 2
            if made <= neurons * noise**2:
                return True
    return False


def _zipf(count: int, exponent: float) -> npt.NDArray[np.float64]:
    require_count("count", count, at_most=2**26)
    require_number("exponent", exponent, above=0.0, at_most=20.0)
    return np.arange(1, count + 1, dtype=np.float64) ** -exponent


def _ranked(
    neurons: int, strengths: torch.Tensor, probes: int, networks: int, device: torch.device | str
) -> torch.Tensor:
    """The strengths where they are needed, once all sizes are in order."""
    require_tensor("strengths", strengths, "laws patterns", values="nonnegative")
    require_count("neurons", neurons, at_least=2)
    require_integer("probes", probes, at_least=1, at_most=strengths.shape[1])
    require_count("networks", networks)
    require_room(neurons=neurons, patterns=max(strengths.shape[1], neurons))
    require_room(networks=networks, probes=probes)
    return require_fit("strengths", strengths.to(require_device("device", device), torch.float32))


# Rare items


@dataclass(frozen=True)
class Counted:
    """What :func:`counted` found.

    Attributes
    ----------
    unseen
        Probability of all items that were not drawn, axes ``(repeats,)``, in [0, 1].
    single
        Number of items that were drawn exactly once, integers, axes ``(repeats,)``.
    """

    unseen: npt.NDArray[np.float64]
    single: npt.NDArray[np.int64]


def unseen(probabilities: npt.ArrayLike, draws: int) -> float:
    r"""Expected probability of what a number of draws has not shown, :math:`\sum_i p_i (1 - p_i)^T`.

    It is the error of a memory that knows the answer to every item it was shown, and to no other. It is also the
    expected number of items seen exactly once in T + 1 draws, over T + 1 (Good 1953).

    Parameters
    ----------
    probabilities
        Probability of every item, summing to 1.
    draws
        Number of draws T, at least 0.

    Raises
    ------
    ArgumentError
        If these are no probabilities, or the number of draws is negative.
    """
    chances = require_probabilities("probabilities", probabilities)
    require_count("draws", draws, at_least=0)
    with np.errstate(divide="ignore"):  # an item of probability 1 has been seen: the power is 0
        return float(chances @ np.exp(draws * np.log1p(-chances))) if draws else 1.0


def counted(probabilities: npt.ArrayLike, draws: int, *, repeats: int, rng: np.random.Generator) -> Counted:
    """Draw items with replacement, again and again, and count what was seen once and what was never seen.

    Parameters
    ----------
    probabilities
        Probability of every item, summing to 1.
    draws
        Draws T of one repeat, at least 1.
    repeats
        Independent repeats.
    rng
        A numpy generator.

    Raises
    ------
    ArgumentError
        If these are no probabilities, a number is not positive, or ``rng`` is no numpy generator.
    """
    chances = require_probabilities("probabilities", probabilities)
    require_count("draws", draws)
    require_count("repeats", repeats)
    require_room(draws=draws)
    require_room(repeats=repeats)
    require_rng("rng", rng)
    edges = chances.cumsum()
    missing, single = np.empty(repeats), np.empty(repeats, dtype=np.int64)
    for repeat in range(repeats):
        # The last edge may fall short of 1 by rounding.
        drawn = np.searchsorted(edges, rng.random(draws) * edges[-1], side="right").clip(max=len(chances) - 1)
        items, times = np.unique(drawn, return_counts=True)
        missing[repeat], single[repeat] = 1.0 - chances[items].sum(), (times == 1).sum()
    return Counted(missing.clip(0.0, 1.0), single)
