r"""Linear memories one fact at a time: chains of recalls, and memories that grow by a coordinate.

A linear memory :math:`W = \sum_x q(x)\, e_x u_{f(x)}^T` (Cabannes, Dohmatob & Bietti 2024) answers a question x with
the y of the largest :math:`e_x^T W u_y`. Is the curve of a single fact sharp, and does a mean hide it? :func:`grow`
adds coordinates to all vectors, one after another, and says at every dimension which facts are right: with

.. math:: C_d(x, c) = \sum_{k \le d} e_{xk} \sum_{x': f(x') = c} q(x')\, e_{x'k}, \qquad
          B_d(c, y) = \sum_{k \le d} u_{ck} u_{yk}

the scores at the dimension d are the entries of :math:`C_d B_d`, so that cumulative sums give them all.
:func:`chain_recalls` stores a cycle of pairs instead, and :func:`examples_until` asks a memory that only counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch.nn.functional import normalize, one_hot

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_device,
    require_fit,
    require_generator,
    require_integer,
    require_number,
    require_room,
    require_tensor,
)
from memscape.tools import pieces

__all__ = ["SCHEMES", "Growth", "chain_recalls", "chain_success", "examples_until", "grow"]

SCHEMES = ("frequency", "even")
"""Weights q of :func:`grow`: the frequency of a fact, or 1 for every fact."""


def chain_recalls(
    dimension: int, pairs: int, *, networks: int, generator: torch.Generator, device: torch.device | str = "cpu"
) -> torch.Tensor:
    r"""Whether a linear memory finds the successor of each vector in a cycle :math:`x_1 \to x_2 \to \dots \to x_1`.

    :math:`W = \sum_i x_{i+1} x_i^T` with random unit vectors; the answer to :math:`x_i` is the vector of the largest
    :math:`x_j \cdot W x_i`, the first of equals.

    Parameters
    ----------
    dimension
        Dimension d of the vectors.
    pairs
        Pairs n, at least 2.
    networks
        Memories to draw.
    generator
        A CPU generator.
    device
        Where to compute.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(networks, pairs)``, on the CPU.

    Raises
    ------
    ArgumentError
        If a size is out of range.
    """
    require_count("dimension", dimension)
    require_count("pairs", pairs, at_least=2)
    require_count("networks", networks)
    require_room(pairs=pairs, columns=2 * pairs + 2 * dimension)
    require_room(networks=networks, pairs=pairs)
    require_generator("generator", generator)
    place = require_device("device", device)
    found = []
    for some in pieces.slices(networks, pieces.fitting(8 * pairs * (2 * pairs + 2 * dimension))):
        shape = (some.stop - some.start, pairs, dimension)
        drawn = torch.randn(shape, generator=generator, dtype=torch.float64, device="cpu").to(place)
        keys = normalize(drawn, dim=-1)
        after = keys.roll(-1, dims=1)
        scores = keys @ (keys.mT @ after) @ keys.mT  # axes (networks, asked, answer)
        found.append((scores.argmax(dim=-1) == (torch.arange(pairs, device=place) + 1) % pairs).cpu())
    return torch.cat(found)


def chain_success(right: torch.Tensor, length: int) -> torch.Tensor:
    """Share of chains of so many recalls in a row that never err, over all starts in a cycle.

    A recall is right or wrong by itself, because a chain that has not erred asks the next pair.

    Parameters
    ----------
    right
        Booleans of :func:`chain_recalls`, axes ``(networks, pairs)``.
    length
        Recalls L in a row, at most the pairs.

    Returns
    -------
    torch.Tensor
        float64, axes ``(networks,)``.

    Raises
    ------
    ArgumentError
        If ``right`` holds no booleans or the length is out of range.
    """
    _require_booleans(right, "networks, pairs", 2)
    require_integer("length", length, at_least=1, at_most=right.shape[-1])
    twice = torch.cat([right, right[:, : length - 1]], dim=1)
    return twice.unfold(1, length, 1).all(dim=-1).double().mean(dim=-1)


def examples_until(frequency: torch.Tensor, share: float) -> torch.Tensor:
    r"""Number of examples T after which a fact has been seen with a probability: :math:`\ln(1-s) / \ln(1-p)`.

    A memory that counts knows a fact once it has been seen (Hutter 2021), which has the probability
    :math:`1 - (1-p)^T` (T is not rounded). From s = 0.1 to 0.9 T grows by the factor :math:`\ln 10 / \ln(10/9)`,
    whatever p.

    Parameters
    ----------
    frequency
        Frequency p of the fact, in (0, 1), any shape.
    share
        Probability s, in (0, 1).

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    require_tensor("frequency", frequency, "...")
    if not ((frequency > 0) & (frequency < 1)).all():
        raise ArgumentError("frequency", "values in (0, 1)", f"{frequency.min():g} to {frequency.max():g}")
    share = require_number("share", share, above=0.0, at_most=1 - 1e-15)
    return require_fit("frequency", math.log1p(-share) / torch.log1p(-frequency.double()))


@dataclass(frozen=True)
class Growth:
    """Which facts a growing memory has right.

    Attributes
    ----------
    dimensions
        Dimensions d, int64, one apart, axes ``(dimensions,)``.
    right
        Booleans, axes ``(draws, dimensions, facts)``.
    margin
        Score of the right value minus the largest other, over the dimension, float32, same axes.
    """

    dimensions: torch.Tensor
    right: torch.Tensor
    margin: torch.Tensor

    @property
    def lost(self) -> torch.Tensor:
        """Share of the facts ever right that are wrong at a larger dimension than some at which they were right."""
        return _share_lost(self.right, self.right.cumsum(dim=1) > 0)

    @property
    def lost_after_octave(self) -> torch.Tensor:
        """Share lost of the facts that were right all the time from some d to 2 d, float64, axes ``(draws,)``."""
        return _share_lost(self.right, self._steady.cumsum(dim=1) > 0)

    @property
    def wrong_from(self) -> torch.Tensor:
        """Share of the facts that are wrong at a dimension or a larger one, float64, axes ``(draws, dimensions)``."""
        later = (~self.right).to(torch.uint8).flip(1).cummax(dim=1).values.flip(1)
        return later.double().mean(dim=-1)

    @property
    def _steady(self) -> torch.Tensor:
        """Whether a fact is right and has been since half of the dimension or longer."""
        wrong_at = torch.where(self.right, int(self.dimensions[0]) - 1, self.dimensions[:, None])
        since = wrong_at.cummax(dim=1).values + 1
        return self.right & (2 * since <= self.dimensions[:, None])


def _share_lost(right: torch.Tensor, had: torch.Tensor) -> torch.Tensor:
    """Share of the facts that were ever had and are wrong later; 0 where none was had."""
    ever = had[:, -1]
    lost = (had & ~right).any(dim=1)
    return lost.sum(dim=-1).double() / ever.sum(dim=-1).clamp_min(1)


def grow(
    facts: int,
    values: int,
    exponent: float,
    *,
    first: int,
    last: int,
    scheme: str,
    draws: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Growth:
    r"""Let linear memories of facts grow by one coordinate at a time.

    Fact x = 1, 2, ..., n has the frequency :math:`p(x) \propto x^{-a}` and the value x mod v. All coordinates are
    standard normal; those of smaller memories are the first ones of larger ones.

    Parameters
    ----------
    facts, values
        Facts n, and values v that they have, 2 to n.
    exponent
        Exponent a, 0 to 10.
    first, last
        Dimensions to report, ``first`` to ``last``, one apart.
    scheme
        ``"frequency"`` weighs a fact by q = p, ``"even"`` by q = 1.
    draws
        Memories to draw.
    generator
        A CPU generator: draws questions, then values, for some memories at a time.
    device
        Where to compute.

    Raises
    ------
    ArgumentError
        If a size is out of range or the scheme is unknown.
    """
    require_integer("facts", facts, at_least=2, at_most=10**6)
    require_integer("values", values, at_least=2, at_most=facts)
    exponent = require_number("exponent", exponent, at_least=0.0, at_most=10.0)
    require_count("first", first)
    require_integer("last", last, at_least=first, at_most=10**7)
    require_choice("scheme", scheme, SCHEMES)
    require_count("draws", draws)
    require_room(draws=draws, last=last, facts=2 * facts)
    require_room(last=last, facts=facts, values=4 * values)
    require_generator("generator", generator)
    place = require_device("device", device)
    names = torch.arange(1, facts + 1, dtype=torch.float64, device=place)
    weights = names**-exponent / (names**-exponent).sum() if scheme == "frequency" else torch.ones_like(names)
    holds = (torch.arange(facts, device=place) + 1) % values
    members = one_hot(holds, values).double()
    dimensions = torch.arange(first, last + 1, device="cpu")
    right, margin = [], []
    for some in pieces.slices(draws, pieces.cached(32 * last * facts * values)):
        count = some.stop - some.start
        asked, answers = (
            torch.randn(count, last, size, generator=generator, dtype=torch.float64, device="cpu").to(place)
            for size in (facts, values)
        )
        spoken = (asked * weights) @ members  # axes (draws, coordinates, values)
        strength = (asked[..., :, None] * spoken[..., None, :]).cumsum(dim=1)[:, first - 1 :]
        alike = (answers[..., :, None] * answers[..., None, :]).cumsum(dim=1)[:, first - 1 :]
        scores = strength @ alike
        own = scores.gather(-1, holds[:, None].expand(*scores.shape[:-1], 1))[..., 0]
        lead = own - scores.masked_fill_(members.bool(), -torch.inf).amax(dim=-1)
        right.append((lead > 0).cpu())
        margin.append((lead / dimensions.to(place)[:, None]).float().cpu())
    return Growth(dimensions, torch.cat(right), torch.cat(margin))


def _require_booleans(right: torch.Tensor, axes: str, count: int) -> None:
    if not isinstance(right, torch.Tensor) or right.dtype != torch.bool or right.dim() != count or not right.numel():
        got = f"{right.dtype} {tuple(right.shape)}" if isinstance(right, torch.Tensor) else type(right).__name__
        raise ArgumentError("right", f"a non-empty bool tensor with axes ({axes})", got)
