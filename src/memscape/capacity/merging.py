r"""Memories that merge: a softmax memory is warmed until two of its minima become one.

The memory of :class:`memscape.memory.attention.ModernHopfield` with patterns of one length has minima that move towards
each other as the inverse temperature :math:`\beta` falls. Two patterns at the distance d share one minimum exactly when
:math:`\beta d^2 \le 4`. For K patterns at equal distances the common minimum in their centre is stable up to
:math:`\beta d^2 = 2K`, while each has a minimum of its own already from a lower value on (:func:`window`): in between
both kinds coexist. :func:`merge` follows real patterns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from scipy import optimize

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_fit,
    require_integer,
    require_number,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.memory.attention import ModernHopfield

__all__ = ["Merged", "Window", "equidistant", "merge", "slope", "window"]


_REST = 1e-3
"""A step shorter than this part of the distance at which states count as one is none."""


@dataclass(frozen=True)
class Window:
    r"""Values of :math:`\beta d^2` between which the centre and single memories are both stable.

    Attributes
    ----------
    low
        From here on each pattern has a minimum of its own.
    high
        Up to here the centre of all is a minimum, 2K.
    held
        How far from the centre towards a pattern its minimum lies where it appears: 0 at the centre, 1 at the pattern.
    """

    low: float
    high: float
    held: float


def window(patterns: int) -> Window:
    r"""Where K equidistant patterns of a softmax memory part, in units of :math:`1/d^2`.

    On the line from the centre (t = 0) to a pattern (t = 1) a state stays where
    :math:`\beta d^2 = \frac2t \ln \frac{1 + (K-1) t}{1 - t}`. The least value of the right side is where single minima
    appear; its limit 2K at t = 0 is where the centre turns unstable. For two patterns the two are one: 4.

    Parameters
    ----------
    patterns
        Number K of patterns, 2 to 10**6.

    Raises
    ------
    ArgumentError
        If K is out of range.
    """
    require_integer("patterns", patterns, at_least=2, at_most=10**6)

    def level(t: float) -> float:
        return 2 * (math.log1p((patterns - 1) * t) - math.log1p(-t)) / t

    if patterns == 2:  # the least value is the limit at t = 0
        return Window(4.0, 4.0, 0.0)
    found = optimize.minimize_scalar(level, bounds=(1e-9, 1 - 1e-12), method="bounded", options={"xatol": 1e-12})
    return Window(float(found.fun), 2.0 * patterns, float(found.x))


def equidistant(patterns: int, *, distance: float = 1.0) -> torch.Tensor:
    """K patterns at one distance from each other, about the origin: the corners of a regular simplex.

    Parameters
    ----------
    patterns
        Number K of patterns, at least 2.
    distance
        Their distance d, in [1e-100, 1e100].

    Returns
    -------
    torch.Tensor
        Axes ``(K, K)``, float64: K patterns of K components whose sum is zero.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_count("patterns", patterns, at_least=2)
    require_number("distance", distance, at_least=1e-100, at_most=1e100)
    require_room(patterns=patterns, components=patterns)
    corners = torch.eye(patterns, dtype=torch.float64, device="cpu") - 1 / patterns
    return distance / math.sqrt(2) * corners


def slope(patterns: torch.Tensor, beta: float, state: torch.Tensor) -> float:
    r"""Largest eigenvalue of the derivative of one update of a softmax memory: a fixed point is stable below 1.

    The derivative is :math:`\beta \sum_\mu p_\mu (\xi^\mu - \bar\xi)(\xi^\mu - \bar\xi)^T` with the weights p at the
    state and :math:`\bar\xi` the patterns' mean under them: beta times a covariance.

    Parameters
    ----------
    patterns
        Axes ``(P, N)``, finite.
    beta
        Inverse temperature, positive.
    state
        Axes ``(N,)``, dtype and device of the patterns.

    Raises
    ------
    ArgumentError
        If an argument does not fit, or the slope is beyond a float.
    """
    sizes: dict[str, int] = {}
    require_tensor("patterns", patterns, "patterns neurons", sizes=sizes)
    require_tensor("state", state, "neurons", sizes=sizes, device=patterns.device, dtype=patterns.dtype)
    weights = ModernHopfield(patterns.double(), require_number("beta", beta, above=0.0)).weights(state.double())
    about = patterns.double() - weights @ patterns.double()
    # The covariance has the eigenvalues of the Gram matrix of the weighted deviations.
    sizes_of = require_fit("patterns", torch.linalg.svdvals(weights.sqrt()[:, None] * about))
    return require_number("beta", beta * sizes_of[0].item() ** 2)


@dataclass(frozen=True)
class Merged:
    """What became of the minima of a softmax memory as it was warmed.

    Attributes
    ----------
    minima
        Number of different minima reached from the patterns, integers, axes ``(betas,)``.
    alone
        Whether no other pattern reached the minimum that a pattern reached, booleans, axes ``(betas, patterns)``.
    moving
        Length of the last step of the slowest state at each beta, axes ``(betas,)``.
    """

    minima: torch.Tensor
    alone: torch.Tensor
    moving: torch.Tensor


def merge(patterns: torch.Tensor, betas: Sequence[float], *, steps: int = 200, close: float = 0.01) -> Merged:
    r"""Start a softmax memory at each of its patterns, at many inverse temperatures, and see which minima are one.

    A state stays in the span of the patterns, so it is followed as its weights :math:`p`: the scores are
    :math:`\beta G p` with :math:`G` the inner products of the patterns, and the next weights their softmax.

    Parameters
    ----------
    patterns
        Axes ``(P, N)``, finite, of whatever lengths.
    betas
        Inverse temperatures, positive.
    steps
        Steps to make at each; fewer where all states have come to rest.
    close
        Two states count as one minimum up to this distance, in units of the smallest distance of two patterns.

    Returns
    -------
    Merged
        In the order of ``betas``.

    Raises
    ------
    ArgumentError
        If the patterns are not finite, fewer than two or not all different, or another argument is out of range.
    """
    require_tensor("patterns", patterns, "patterns neurons")
    require_integer("patterns", len(patterns), at_least=2)
    require_count("steps", steps)
    require_number("close", close, above=0.0, at_most=1.0)
    warmth = [require_number("betas", beta, above=0.0) for beta in require_sequence("betas", betas, "numbers")]
    if not warmth:
        raise ArgumentError("betas", "one inverse temperature or more", "none")
    require_room(betas=len(warmth), patterns=len(patterns), patterns_again=len(patterns))
    inner = patterns.double() @ patterns.double().mT
    if not torch.isfinite(inner).all():
        raise ArgumentError("patterns", "patterns whose inner products a float holds", "larger ones", "Scale them.")
    least = _distances(inner).fill_diagonal_(math.inf).min().sqrt().item()
    if least == 0.0:
        raise ArgumentError("patterns", "patterns that differ", "two that are equal", "Leave one of them out.")
    rows = [_settle(inner, beta, steps, close * least) for beta in warmth]
    minima, alone, moving = zip(*rows, strict=True)
    counted = torch.tensor(minima, device="cpu")
    return Merged(counted, torch.stack(alone).cpu(), torch.tensor(moving, dtype=torch.float64, device="cpu"))


def _settle(inner: torch.Tensor, beta: float, steps: int, close: float) -> tuple[int, torch.Tensor, float]:
    """Number of minima, who is alone in his, and the last step, at one inverse temperature."""
    weights = torch.eye(len(inner), dtype=inner.dtype, device=inner.device)
    moving = torch.arange(len(inner), device=inner.device)
    last = torch.zeros(len(inner), dtype=inner.dtype, device=inner.device)
    for _ in range(steps):
        after = torch.softmax(beta * (weights[moving] @ inner), dim=-1)
        change = after - weights[moving]
        weights[moving] = after
        last[moving] = ((change @ inner) * change).sum(dim=-1).clamp(min=0).sqrt()
        moving = moving[last[moving] >= _REST * close]  # a state at rest is stepped no further
        if len(moving) == 0:
            break
    one = _distances(weights @ inner @ weights.mT) <= close**2
    alone = one.sum(dim=-1) == 1
    # A minimum is counted by the first pattern that reaches it.
    first = one.long().argmax(dim=-1) == torch.arange(len(one), device=one.device)
    return int(first.sum()), alone, last.max().item()


def _distances(inner: torch.Tensor) -> torch.Tensor:
    """Squared distances of vectors of which the inner products are given."""
    squares = inner.diagonal()
    return (squares[:, None] + squares - 2 * inner).clamp(min=0)
