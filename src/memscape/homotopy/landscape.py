r"""Energies on all states of a network, and what can be measured of their landscapes.

:func:`pairwise` and :func:`powers` make the table of energies that :mod:`memscape.homotopy.sublevel` takes, in whole
numbers where the couplings are whole. :func:`perceptron_couplings` learns patterns with symmetric couplings;
:func:`survey` measures stored patterns, minima, holes and barriers of a batch of networks; and
:func:`rank_correlation` asks which of these go together when categories and other properties are held fixed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from memscape.arguments import (
    ArgumentError,
    described,
    require_count,
    require_device,
    require_finite,
    require_integer,
    require_numbers,
    require_rng,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.homotopy.sublevel import Bars, barriers, cube_bars, resting
from memscape.homotopy.zonotope import column_types
from memscape.memory.hopfield import require_symmetric
from memscape.tools import pieces
from memscape.tools.bootstrap import bootstrapped
from memscape.tools.statistics import Estimate

__all__ = [
    "Survey",
    "balanced",
    "index_of",
    "pairwise",
    "perceptron_couplings",
    "powers",
    "rank_correlation",
    "survey",
]


def balanced(memories: int, copies: int, *, device: torch.device | str = "cpu") -> torch.Tensor:
    """P patterns in which every type of column occurs equally often: float64, axes ``(P, copies * 2**(P-1))``.

    Parameters
    ----------
    memories
        P, from 1 to 5.
    copies
        Units of each type.
    device
        Where the patterns live.

    Raises
    ------
    ArgumentError
        If a number is out of range or there is no such device.
    """
    columns = column_types(memories)
    require_count("copies", copies)
    require_room(copies=copies, columns=columns.size)
    return torch.from_numpy(columns.repeat(copies, axis=1)).to(require_device("device", device), torch.float64)


def _all_states(neurons: int, like: torch.Tensor) -> torch.Tensor:
    index = torch.arange(2**neurons, device=like.device)[:, None]
    return (2 * (index >> torch.arange(neurons, device=like.device) & 1) - 1).double()


def _require_neurons(name: str, neurons: int) -> None:
    fits = int(math.log2(max(2, pieces.fitting(32))))
    while 32 * fits * 2**fits > pieces.fitting(1) and fits > 1:
        fits -= 1
    if neurons > fits:
        raise ArgumentError(name, f"at most {fits} neurons, whose 2**N states fit the memory budget", str(neurons))


def index_of(states: torch.Tensor) -> torch.Tensor:
    """The index of states in tables of energies: bit i is set where unit i is +1.

    Parameters
    ----------
    states
        Axes ``(..., N)``, values in {-1, +1}, N up to 62.

    Returns
    -------
    torch.Tensor
        int64, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If the states are not made of spins, or N exceeds 62.
    """
    require_tensor("states", states, "... neurons", values="spins")
    require_integer("neurons", states.shape[-1], at_most=62)
    return ((states > 0).long() << torch.arange(states.shape[-1], device=states.device)).sum(dim=-1)


def pairwise(couplings: torch.Tensor) -> torch.Tensor:
    r"""Energies :math:`E(x) = -\frac12 \sum_{ij} J_{ij} x_i x_j` of all states.

    Parameters
    ----------
    couplings
        J, symmetric, axes ``(*G, N, N)``; a diagonal adds a constant. Whole numbers give exact energies.

    Returns
    -------
    torch.Tensor
        float64, axes ``(*G, 2**N)``, in the unit of the couplings. Equal for x and -x to the last digit.

    Raises
    ------
    ArgumentError
        If the couplings are not symmetric and finite, or the states do not fit the memory budget; the message says how
        many neurons fit.
    """
    require_tensor("couplings", couplings, "... neurons neurons")
    require_symmetric("couplings", couplings)
    neurons = couplings.shape[-1]
    _require_neurons("couplings", neurons)
    states, flat = _all_states(neurons, couplings), couplings.double().reshape(-1, neurons, neurons)
    found = flat.new_empty(len(flat), len(states))
    for block in pieces.slices(len(flat), pieces.cached(24 * len(states) * neurons)):
        found[block] = -0.5 * ((states @ flat[block]) * states).sum(dim=-1)
    if not found.isfinite().all():
        raise ArgumentError("couplings", "energies that a float64 holds", "an overflow", "Scale them down.")
    return found.reshape(*couplings.shape[:-2], -1)


def powers(patterns: torch.Tensor, degree: int) -> torch.Tensor:
    r"""Energies :math:`E(x) = -\sum_\mu (\xi^\mu \cdot x)^n` of all states, whole numbers (Krotov & Hopfield 2016).

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    degree
        n, at least 1, with :math:`P N^n` below 2^53.

    Returns
    -------
    torch.Tensor
        float64, axes ``(*G, 2**N)``, dimensionless.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, the degree is out of range, or the states do not fit the memory budget.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    count, neurons = patterns.shape[-2:]
    most = int((53 * math.log(2) - math.log(count)) / math.log(max(2, neurons)))
    require_integer("degree", degree, at_least=1, at_most=most)
    _require_neurons("patterns", neurons)
    states, flat = _all_states(neurons, patterns), patterns.double().reshape(-1, count, neurons)
    found = flat.new_empty(len(flat), len(states))
    for block in pieces.slices(len(flat), pieces.cached(16 * len(states) * count)):
        found[block] = -((states @ flat[block].mT) ** degree).sum(dim=-1)
    return found.reshape(*patterns.shape[:-2], -1)


def perceptron_couplings(patterns: torch.Tensor, *, sweeps: int = 400) -> torch.Tensor:
    r"""Symmetric couplings that store patterns where they can, by the perceptron rule with both ends of a pair moved.

    Start from :math:`J_{ij} = \sum_\mu \xi_i^\mu \xi_j^\mu`. In a sweep every pattern adds
    :math:`\xi_i^\mu \xi_j^\mu` to :math:`J_{ij} = J_{ji}` for each of its units i with
    :math:`\xi_i^\mu \sum_j J_{ij} \xi_j^\mu \le 0`; the diagonal stays zero.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    sweeps
        Most sweeps, at most 10000; it ends when all patterns of all networks are strict.

    Returns
    -------
    torch.Tensor
        Whole numbers in float64, axes ``(*G, N, N)``.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or ``sweeps`` is out of range.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    require_integer("sweeps", sweeps, at_least=0, at_most=10000)
    wide = patterns.double()
    couplings = wide.mT @ wide
    couplings.diagonal(dim1=-2, dim2=-1).zero_()
    for _ in range(sweeps):
        unstable = (wide @ couplings) * wide <= 0
        if not unstable.any():
            break
        added = (wide * unstable).mT @ wide
        couplings += added + added.mT
        couplings.diagonal(dim1=-2, dim2=-1).zero_()
    return couplings


@dataclass(frozen=True, eq=False)
class Survey:
    """What a batch of landscapes shows, one number a network, axes ``(networks,)``, float64.

    Attributes
    ----------
    stored
        Share of the patterns that are strict minima.
    minima, holes
        Numbers of bars of dimension 0, and of dimension 1 or more.
    barrier, length
        Mean barrier of the patterns, and sum of the lengths of all bars that die, over the range of the energy; 0 where
        the energy is constant.
    bars
        All bars, one entry a network.
    """

    stored: npt.NDArray[np.float64]
    minima: npt.NDArray[np.float64]
    holes: npt.NDArray[np.float64]
    barrier: npt.NDArray[np.float64]
    length: npt.NDArray[np.float64]
    bars: tuple[Bars, ...]


def survey(energies: torch.Tensor, patterns: torch.Tensor) -> Survey:
    """Measure the landscapes of networks that were meant to store patterns.

    Parameters
    ----------
    energies
        Axes ``(networks, 2**N)``, any unit.
    patterns
        Axes ``(networks, P, N)``, values in {-1, +1}.

    Returns
    -------
    Survey

    Raises
    ------
    ArgumentError
        If the axes do not fit, or as for `memscape.homotopy.sublevel.cube_bars`.
    """
    sizes: dict[str, int] = {}
    require_tensor("patterns", patterns, "networks patterns neurons", values="spins", sizes=sizes)
    require_integer("neurons", sizes["neurons"], at_most=40)
    sizes["states"] = 2 ** sizes["neurons"]
    require_tensor("energies", energies, "networks states", sizes=sizes, device=patterns.device)
    places = index_of(patterns)
    stored = resting(energies).gather(-1, places).double().mean(dim=-1)
    height = barriers(energies, places).mean(dim=-1)
    span = energies.double().amax(dim=-1) - energies.double().amin(dim=-1)
    scale = torch.where(span > 0, span, 1.0)
    bars = tuple(cube_bars(energy) for energy in energies)
    return Survey(
        stored.cpu().numpy(),
        np.array([float(each.count(0)) for each in bars]),
        np.array([float(each.holes) for each in bars]),
        (height / scale).cpu().numpy(),
        np.array([each.length for each in bars]) / scale.cpu().numpy(),
        bars,
    )


def rank_correlation(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    categories: Sequence[Sequence[Any]] = (),
    *,
    held: Sequence[npt.ArrayLike] = (),
    together: Sequence[Any] | None = None,
    resamples: int = 1000,
    rng: np.random.Generator,
) -> Estimate:
    """Spearman's rank correlation, of what categories and other properties leave unexplained where there are any.

    Both sides are replaced by their ranks (ties share the mean), the mean effect of every category and a line in the
    ranks of every property held are taken away by least squares, and the rests are correlated. Two kinds of category
    lose their main effects, each on its own; to compare within each pair of them give one kind, the pairs.

    Parameters
    ----------
    x, y
        Finite numbers, axes ``(networks,)``, three or more.
    categories
        For each kind of category the one of each network, such as its rule.
    held
        Other properties, as x and y, whose ranks are taken away as well.
    together
        The set that each network belongs to, such as its patterns; sets are drawn again whole. Without it every
        network is drawn on its own.
    resamples
        Bootstrap resamples.
    rng
        Draws the resamples.

    Returns
    -------
    Estimate
        In [-1, 1]; 0 where one side has nothing left. The interval holds the middle 95 % of the resamples.

    Raises
    ------
    ArgumentError
        If the lengths differ or a number is not finite.
    """
    others = require_sequence("held", held, "properties of networks")
    given = [("x", x), ("y", y), *(("held", each) for each in others)]
    columns = [require_finite(name, require_numbers(name, value)) for name, value in given]
    for (name, _), column in zip(given, columns, strict=True):
        if column.ndim != 1 or len(column) < 3 or len(column) != len(columns[0]):
            raise ArgumentError(name, "one axis of three networks or more, as long as x", f"shape {column.shape}")
    count = len(columns[0])
    design = [np.ones((count, 1))]
    for kind in require_sequence("categories", categories, "sequences of categories"):
        which = _require_labels("categories", kind, count)
        design.append(np.equal.outer(which, np.arange(which.max() + 1)).astype(np.float64))
    sets = np.arange(count) if together is None else _require_labels("together", together, count)
    members = np.split(np.argsort(sets, kind="stable"), np.cumsum(np.bincount(sets))[:-1])
    require_count("resamples", resamples, at_most=10**6)
    require_rng("rng", rng)
    # Ranks hang on the order alone, so whole numbers in the place of values will do, and these are counted.
    table, sides = np.hstack(design), [np.unique(column, return_inverse=True)[1].ravel() for column in columns]
    drawn = [
        _correlation(
            sides, table, np.concatenate([members[one] for one in rng.integers(len(members), size=len(members))])
        )
        for _ in range(resamples)
    ]
    return bootstrapped(_correlation(sides, table, np.arange(count)), drawn, len(members))


def _require_labels(name: str, labels: Any, count: int) -> npt.NDArray[np.int64]:
    if isinstance(labels, str) or not isinstance(labels, Sequence) or len(labels) != count:
        expected = f"sequences of {count} categories" if name == "categories" else f"a sequence of {count} sets"
        raise ArgumentError(name, expected, described(labels))
    return np.unique(list(map(str, labels)), return_inverse=True)[1].ravel()


def _correlation(sides: Any, design: Any, chosen: Any) -> float:
    ranks = np.column_stack([_ranks(side[chosen]) for side in sides]) / len(chosen)
    table = np.hstack((design[chosen], ranks[:, 2:] - ranks[:, 2:].mean(axis=0)))
    rest = ranks[:, :2] - table @ np.linalg.lstsq(table, ranks[:, :2], rcond=1e-10)[0]
    sizes = np.linalg.norm(rest, axis=0)
    if (sizes < 1e-9).any():
        return 0.0
    return float(np.clip(rest[:, 0] @ rest[:, 1] / sizes.prod(), -1, 1))


def _ranks(places: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    count = np.bincount(places)
    return (np.cumsum(count) - (count - 1) / 2)[places]
