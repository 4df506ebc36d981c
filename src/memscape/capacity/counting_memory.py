r"""Counting memories: what a number of draws from Zipf's law has shown, and how many of the draws it takes.

Items have probabilities :math:`p_i \propto i^{-a}`. A memory that knows what it was shown and nothing else errs with
probability :math:`\sum_i p_i (1 - p_i)^T` after T draws (:func:`memscape.capacity.long_tail.unseen`). Hutter (2021)
shows that this is a power law in T; :func:`unseen_law` gives it with its constant. :func:`counts` counts draws, many
numbers of them at once, for memories that store what was counted most.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy import special

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_finite,
    require_generator,
    require_number,
    require_numbers,
    require_room,
)
from memscape.tools.sequences import require_probabilities, require_rising

__all__ = ["counts", "unseen_law", "zipf"]


def zipf(count: int, exponent: float) -> npt.NDArray[np.float64]:
    r"""Probabilities of Zipf's law, :math:`p_i \propto i^{-a}` for i = 1, 2, ..., n.

    Parameters
    ----------
    count
        Number of items n, at most 2**26.
    exponent
        a, in (0, 20].

    Returns
    -------
    numpy.ndarray
        Falling, summing to 1, axes ``(items,)``.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_count("count", count, at_most=2**26)
    require_number("exponent", exponent, above=0.0, at_most=20.0)
    weights = np.arange(1, count + 1, dtype=np.float64) ** -exponent
    return np.asarray(weights / weights.sum())


def unseen_law(draws: npt.ArrayLike, exponent: float) -> npt.NDArray[np.float64]:
    r"""Probability of what T draws have not shown, for endless items of Zipf's law, as T grows.

    With :math:`p_i = A i^{-a}` and :math:`A = 1/\zeta(a)` the sum over items becomes an integral,

    .. math:: \sum_i p_i (1-p_i)^T \approx \int_0^\infty A i^{-a} e^{-A i^{-a} T} di
              = \tfrac1a\, \Gamma(1 - \tfrac1a)\, A^{1/a}\, T^{-(1 - 1/a)} .

    Hutter (2021) has the power.

    Parameters
    ----------
    draws
        T, positive, any shape.
    exponent
        a, in (1, 20].

    Returns
    -------
    numpy.ndarray
        Same axes, positive; a probability where T is large enough for the law.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    times = require_finite("draws", require_numbers("draws", draws, "positive numbers"))
    if not times.size or (times <= 0).any():
        raise ArgumentError("draws", "positive numbers", "others")
    require_number("exponent", exponent, at_least=1 + 1e-6, at_most=20.0)
    scale = special.zeta(exponent) ** (-1 / exponent)
    constant = math.gamma(1 - 1 / exponent) * scale / exponent
    return np.asarray(constant * times ** (1 / exponent - 1))


def counts(
    probabilities: npt.ArrayLike, draws: Sequence[int], *, repeats: int, generator: torch.Generator
) -> torch.Tensor:
    """How often each item comes up among the first T of one row of draws, for several T.

    Parameters
    ----------
    probabilities
        Probability of every item, summing to 1.
    draws
        T, rising: each counts the first so many draws of the row.
    repeats
        Independent rows.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        int64, axes ``(repeats, draws, items)``, on the CPU.

    Raises
    ------
    ArgumentError
        If these are no probabilities, draws do not rise, or a number is not positive.
    """
    chances = require_probabilities("probabilities", probabilities)
    wanted = require_rising("draws", draws, "one number or more, rising")
    require_count("repeats", repeats)
    require_room(repeats=repeats, draws=wanted[-1])
    require_room(repeats=repeats, numbers=len(wanted), items=len(chances))
    require_generator("generator", generator)
    edges = torch.from_numpy(chances.cumsum())
    found = torch.zeros(repeats, len(wanted), len(chances), dtype=torch.int64, device="cpu")
    for place, (start, stop) in enumerate(itertools.pairwise([0, *wanted])):
        chance = torch.rand(repeats, stop - start, generator=generator, dtype=torch.float64, device="cpu")
        items = torch.searchsorted(edges, chance * edges[-1], right=True).clamp(max=len(chances) - 1)
        found[:, place].scatter_add_(1, items, torch.ones_like(items))
    return found.cumsum(dim=1)
