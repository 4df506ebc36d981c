r"""Sublevel sets of an energy on the cube of states: bars, pieces, barriers, and what a descent can reach.

An energy is a table of :math:`2^N` numbers, one a state; bit i of the index is neuron i, and two states are neighbours
if one flip turns one into the other. At the level t there are the states with :math:`E(x) \le t` and all cubes whose
corners are among them. As t rises pieces join and holes open and close, and each is a *bar* from its birth to its
death. :func:`cube_bars` has GUDHI find them; :func:`entering` counts cubes instead, and :func:`jumps` says what the
bars must then add up to, so that one checks the other.

Pieces alone need no cubes. :func:`basins` lets every state point to its lowest neighbour; along that way it is
connected with a minimum below its own level, and what is left is a small graph of basins whose spanning tree holds
all mergers. :func:`piece_bars` and :func:`barriers` go that way, on any device, for many energies at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.sparse import coo_array
from scipy.sparse.csgraph import minimum_spanning_tree

from memscape.arguments import (
    ArgumentError,
    described,
    require_kind,
    require_number,
    require_numbers,
    require_sequence,
    require_tensor,
)
from memscape.tools import pieces

__all__ = [
    "Bars",
    "audit",
    "barriers",
    "bars_of",
    "basins",
    "bottleneck",
    "collapsed",
    "cube_bars",
    "entering",
    "jumps",
    "nerve_betti",
    "piece_bars",
    "reached",
    "resting",
]

Floats = npt.NDArray[np.float64]

_CELL = 32
"""Bytes that GUDHI and the count of cubes take for one of the 3^N cubes."""


@dataclass(frozen=True, eq=False)
class Bars:
    """Bars of positive length, by dimension, birth and death.

    Parameters
    ----------
    dimensions
        0 for pieces, 1 for loops, 2 for cavities: int64, axes ``(bars,)``.
    births, deaths
        Levels in the unit of the energy, float64, axes ``(bars,)``. One piece never dies: its death is infinite.
    """

    dimensions: npt.NDArray[np.int64]
    births: Floats
    deaths: Floats

    def __post_init__(self) -> None:
        for name in ("dimensions", "births", "deaths"):
            value = getattr(self, name)
            kinds = "iu" if name == "dimensions" else "f"
            if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds or value.ndim != 1:
                raise ArgumentError(name, "an array with one axis", described(value))
        for name in ("dimensions", "births", "deaths"):
            value = getattr(self, name)
            if len(value) != len(self.births) or (value.dtype.kind == "f" and np.isnan(value).any()):
                raise ArgumentError(name, f"{len(self.births)} levels, one a bar", described(value))
        if np.isinf(self.births).any() or (self.births >= self.deaths).any() or (self.dimensions < 0).any():
            raise ArgumentError("deaths", "bars that die after a finite birth, of dimension 0 or more", "others")

    def __len__(self) -> int:
        """Number of bars."""
        return len(self.births)

    def count(self, dimension: int) -> int:
        """Number of bars of one dimension."""
        return int((self.dimensions == dimension).sum())

    @property
    def counts(self) -> tuple[int, ...]:
        """Numbers of bars of dimension 0, 1, ... up to the highest there is."""
        return tuple(np.bincount(self.dimensions).tolist())

    @property
    def holes(self) -> int:
        """Number of bars of dimension 1 or more."""
        return int((self.dimensions > 0).sum())

    @property
    def length(self) -> float:
        """Sum of the lengths of all bars that die, in the unit of the energy."""
        dying = np.isfinite(self.deaths)
        return float((self.deaths - self.births)[dying].sum())

    @property
    def last(self) -> tuple[int, ...]:
        """Dimensions of the bars that die at the highest level of all deaths, ascending."""
        finite = self.deaths[np.isfinite(self.deaths)]
        return tuple(np.sort(self.dimensions[self.deaths == finite.max()]).tolist()) if len(finite) else ()

    def dying(self, level: float) -> tuple[int, ...]:
        """Dimensions of the bars that die at a level, ascending: the holes of the set just below it that it closes."""
        return tuple(np.sort(self.dimensions[self.deaths == require_number("level", level)]).tolist())

    def rows(self) -> list[tuple[int, float, float]]:
        """The bars as sorted (dimension, birth, death), to compare barcodes as multisets."""
        return sorted(zip(self.dimensions.tolist(), self.births.tolist(), self.deaths.tolist(), strict=True))

    def intervals(self, dimension: int) -> Floats:
        """Births and deaths of one dimension, axes ``(bars, 2)``, as `gudhi.bottleneck_distance` takes them."""
        return np.column_stack((self.births, self.deaths))[self.dimensions == dimension]


def bars_of(intervals: Sequence[tuple[int, float, float]]) -> Bars:
    """The bars of a list of (dimension, birth, death), sorted.

    Raises
    ------
    ArgumentError
        If an entry is no such triple of numbers, or no bar of positive length.
    """
    rows = require_sequence("intervals", intervals, "triples (dimension, birth, death)")
    if not all(isinstance(row, tuple) and len(row) == 3 for row in rows):
        raise ArgumentError("intervals", "triples (dimension, birth, death)", described(rows))
    table = require_numbers("intervals", list(map(list, rows)), "triples of numbers")
    table = table.reshape(-1, 3)
    if (table[:, 0] != np.rint(table[:, 0])).any() or not (abs(table[:, 0]) < 2**31).all():
        raise ArgumentError("intervals", "whole dimensions", "others")
    table = table[np.lexsort(table.T[::-1])]
    return Bars(table[:, 0].astype(np.int64), table[:, 1], table[:, 2])


def cube_bars(energies: torch.Tensor, *, field: int = 2) -> Bars:
    """Bars of the cube of states, every cube entering with its highest corner.

    Parameters
    ----------
    energies
        One energy, axes ``(2**N,)``, any unit.
    field
        Coefficients are those of the field of so many elements: 2, 3, 5, 7 or 11.

    Returns
    -------
    Bars
        Those of positive length; levels in the unit of the energies.

    Raises
    ------
    ArgumentError
        If the energies are not finite, are no power of two, or their 3^N cubes do not fit the memory budget; the
        message says how many neurons fit.
    """
    from gudhi import CubicalComplex

    neurons = _require_cube("energies", energies, 1)
    _require_cells(neurons)
    if field not in (2, 3, 5, 7, 11):
        raise ArgumentError("field", "2, 3, 5, 7 or 11", repr(field))
    values = energies.detach().double().cpu().numpy()
    # GUDHI sorts cubes faster if no two states are level. So ties are broken by the index, and the bars between two
    # ranks of one level, which have no length, are left out: the others do not hang on the order.
    order = np.argsort(values, kind="stable")
    ranks = np.empty(len(values))
    ranks[order] = np.arange(len(values))
    levels = np.append(values[order], np.inf)
    cubes, found = CubicalComplex(vertices=ranks.reshape((2,) * neurons)), []
    cubes.compute_persistence(homology_coeff_field=field, min_persistence=0)
    for dimension in range(neurons + 1):
        places = cubes.persistence_intervals_in_dimension(dimension).reshape(-1, 2)
        births, deaths = levels[places.clip(max=len(values)).astype(np.int64)].T
        long = deaths > births
        found += [(dimension, *bar) for bar in zip(births[long].tolist(), deaths[long].tolist(), strict=True)]
    return bars_of(found)


def entering(energies: torch.Tensor) -> tuple[Floats, npt.NDArray[np.int64]]:
    """At every level of an energy, the cubes that enter, counted with the sign of their dimension.

    Parameters
    ----------
    energies
        One energy, axes ``(2**N,)``, any unit.

    Returns
    -------
    tuple of numpy.ndarray
        The levels, ascending, and by how much the Euler characteristic changes at each: axes
        ``(levels,)``. The sum is 1.

    Raises
    ------
    ArgumentError
        As for `cube_bars`.
    """
    neurons = _require_cube("energies", energies, 1)
    _require_cells(neurons)
    levels, place = np.unique(energies.detach().double().cpu().numpy(), return_inverse=True)
    cells = place.astype(np.int32).reshape((2,) * neurons)
    for axis in range(neurons):  # both ends, and the edge between them
        cells = np.concatenate((cells, cells.max(axis=axis, keepdims=True)), axis=axis)
    counted = np.bincount(cells.ravel(), weights=_signs(neurons), minlength=len(levels))
    return levels, np.rint(counted).astype(np.int64)


def _signs(neurons: int) -> npt.NDArray[np.int64]:
    signs = np.ones(1, dtype=np.int64)
    for _ in range(neurons):
        signs = np.multiply.outer(signs, np.array([1, 1, -1])).ravel()
    return signs


def jumps(bars: Bars, levels: Floats) -> npt.NDArray[np.int64]:
    """By how much bars say that the Euler characteristic changes at given levels.

    A bar of dimension d adds (-1)^d at its birth and takes it away at its death.

    Parameters
    ----------
    bars
        The bars.
    levels
        Ascending, finite, axes ``(levels,)``; births and finite deaths must be among them.

    Raises
    ------
    ArgumentError
        If they are not.
    """
    require_kind("bars", bars, Bars)
    if not isinstance(levels, np.ndarray) or levels.ndim != 1 or levels.dtype.kind != "f" or not len(levels):
        raise ArgumentError("levels", "an array of floats with one axis", described(levels))
    if not np.isfinite(levels).all() or (np.diff(levels) <= 0).any():
        raise ArgumentError("levels", "finite ascending levels", "others")
    signs = 1 - 2 * (bars.dimensions % 2)
    dying = np.isfinite(bars.deaths)
    at = np.concatenate((bars.births, bars.deaths[dying]))
    if not np.isin(at, levels).all():
        raise ArgumentError("levels", "all births and deaths of the bars", "others")
    found = np.zeros(len(levels), dtype=np.int64)
    np.add.at(found, np.searchsorted(levels, at), np.concatenate((signs, -signs[dying])))
    return found


def audit(energies: torch.Tensor, bars: Bars) -> tuple[int, int, int]:
    """Three numbers that must be 0, 1 and 0 if bars are those of an energy.

    Parameters
    ----------
    energies
        One energy, axes ``(2**N,)``, any unit.
    bars
        Its bars, all dimensions.

    Returns
    -------
    tuple of int
        Levels at which the cubes that enter, counted with sign, are not the bars that are born less those that die; the
        Euler characteristic at the end, by cubes; and bars of dimension N - 1 or more, which no energy has.

    Raises
    ------
    ArgumentError
        If `entering` or `jumps` refuses.
    """
    levels, signed = entering(energies)
    neurons = energies.shape[-1].bit_length() - 1
    differs = int((jumps(bars, levels) != signed).sum())
    return differs, int(signed.sum()), int((bars.dimensions >= max(1, neurons - 1)).sum())


def bottleneck(one: Bars, other: Bars) -> float:
    """The bottleneck distance of two barcodes, the largest over all dimensions, by GUDHI.

    Every bar of one is matched with a bar of the other of its dimension or with none; the distance is how far the
    worst end must move, in the unit of the levels.

    Parameters
    ----------
    one, other
        Barcodes with as many bars of each dimension that never die.

    Raises
    ------
    ArgumentError
        If they are no bars, or differ in the number of those that never die.
    """
    from gudhi import bottleneck_distance

    for name, bars in (("one", one), ("other", other)):
        require_kind(name, bars, Bars)
    dimensions = np.union1d(one.dimensions, other.dimensions).tolist()
    for dimension in dimensions:
        endless = [np.isinf(bars.intervals(dimension)[:, 1]).sum() for bars in (one, other)]
        if endless[0] != endless[1]:
            raise ArgumentError("other", f"{endless[0]} bars of dimension {dimension} without end", str(endless[1]))
    return max((bottleneck_distance(one.intervals(d), other.intervals(d), 0.0) for d in dimensions), default=0.0)


# Pieces


def basins(energies: torch.Tensor) -> torch.Tensor:
    """The minimum that each state comes to by always flipping to its lowest neighbour.

    Of states of equal energy the one of smaller index counts as lower.

    Parameters
    ----------
    energies
        Axes ``(*G, 2**N)``, any unit.

    Returns
    -------
    torch.Tensor
        Indices of states, int64, axes as the energies.

    Raises
    ------
    ArgumentError
        If the energies are not finite or no power of two, or some 50 bytes a state do not fit the memory budget.
    """
    neurons = _require_cube("energies", energies)
    flat = energies.reshape(-1, energies.shape[-1])
    found = [_basins(_ranks(flat[block]), neurons) for block in _blocks(flat)]
    return torch.cat(found).reshape(energies.shape)


def _ranks(energies: torch.Tensor) -> torch.Tensor:
    order = energies.argsort(dim=-1, stable=True)
    return torch.empty_like(order).scatter_(
        -1, order, torch.arange(order.shape[-1], device=order.device).expand_as(order).contiguous()
    )


def _basins(ranks: torch.Tensor, neurons: int) -> torch.Tensor:
    index = torch.arange(ranks.shape[-1], device=ranks.device)
    lowest, target = ranks, index.expand_as(ranks)
    for neuron in range(neurons):
        there = _flipped(ranks, neuron)
        target = torch.where(there < lowest, index ^ (1 << neuron), target)
        lowest = torch.minimum(lowest, there)
    while True:
        further = target.gather(-1, target)
        if torch.equal(further, target):
            return target
        target = further


def _flipped(table: torch.Tensor, neuron: int) -> torch.Tensor:
    """What the table says of every state with one neuron flipped."""
    return table.reshape(*table.shape[:-1], -1, 2, 1 << neuron).flip(-2).reshape(table.shape)


def _blocks(flat: torch.Tensor) -> list[slice]:
    states = flat.shape[-1]
    room = pieces.fitting(1)
    if 50 * states > room:
        fits = max(1, int(math.log2(max(2, room / 50))))
        raise ArgumentError("energies", f"at most {fits} neurons in the memory budget", f"2**{states.bit_length() - 1}")
    return pieces.slices(len(flat), pieces.fitting(50 * states))


@dataclass(frozen=True)
class _Mergers:
    """Minima of a block of energies, numbered through, and when each meets an older or an equally deep one."""

    network: npt.NDArray[np.int64]
    state: npt.NDArray[np.int64]
    joined: Floats  # the level of its death by the rule that of two the later rank dies; infinite for the lowest
    met: Floats  # the level at which its piece first holds another minimum as deep or deeper


def _mergers(energies: torch.Tensor, neurons: int) -> _Mergers:
    ranks = _ranks(energies)
    target = _basins(ranks, neurons)
    states = ranks.shape[-1]
    index = torch.arange(states, device=ranks.device)
    network, state = (target == index).nonzero(as_tuple=True)
    # Number the minima through all networks by rank, so that within a network a smaller number is a deeper minimum.
    order = (network * states + ranks[network, state]).argsort()
    network, state = network[order], state[order]
    number = torch.empty_like(target)
    number[network, state] = torch.arange(len(state), device=ranks.device)
    owner = number.gather(-1, target)
    pairs, levels = [], []
    for neuron in range(neurons):
        here, there = owner.reshape(-1, 2, 1 << neuron).unbind(1)
        apart = here != there
        here, there = here[apart], there[apart]
        pairs.append(torch.minimum(here, there) * len(state) + torch.maximum(here, there))
        levels.append(ranks.reshape(-1, 2, 1 << neuron).amax(dim=1)[apart])
    keys, place = torch.unique(torch.cat(pairs), return_inverse=True)
    passes = torch.full((len(keys),), states, device=ranks.device).scatter_reduce(0, place, torch.cat(levels), "amin")
    low, high = (part.cpu().numpy() for part in (keys // len(state), keys % len(state)))
    graph = coo_array((passes.cpu().numpy() + 1.0, (low, high)), shape=(len(state), len(state)))
    tree = minimum_spanning_tree(graph.tocsr()).tocoo()
    by_level = np.argsort(tree.data, kind="stable")
    sorted_energies = energies.sort(dim=-1, stable=True).values.double().cpu().numpy()
    network_, state_ = network.cpu().numpy(), state.cpu().numpy()
    heights = sorted_energies[network_[tree.row], tree.data.astype(np.int64) - 1][by_level]
    depth = energies[network, state].double().cpu().numpy()
    joined, met = np.full(len(state), np.inf), np.full(len(state), np.inf)
    parent = list(range(len(state)))
    for a, b, height in zip(tree.row[by_level].tolist(), tree.col[by_level].tolist(), heights.tolist(), strict=True):
        while parent[a] != a:
            parent[a] = a = parent[parent[a]]
        while parent[b] != b:
            parent[b] = b = parent[parent[b]]
        deep, shallow = min(a, b), max(a, b)
        parent[shallow] = deep
        joined[shallow] = height
        met[shallow] = min(met[shallow], height)
        if depth[deep] == depth[shallow]:
            met[deep] = min(met[deep], height)
    return _Mergers(network_, state_, joined, met)


def piece_bars(energies: torch.Tensor) -> list[Bars]:
    """Bars of dimension 0 of many energies, without cubes.

    Parameters
    ----------
    energies
        Axes ``(*G, 2**N)``, any unit.

    Returns
    -------
    list of Bars
        One for each energy, in the order of the axes G; as the bars of dimension 0 of `cube_bars`.

    Raises
    ------
    ArgumentError
        As for `basins`.
    """
    neurons = _require_cube("energies", energies)
    flat = energies.detach().reshape(-1, energies.shape[-1])
    found = []
    for block in _blocks(flat):
        part = flat[block]
        merged = _mergers(part, neurons)
        births = part.double().cpu().numpy()[merged.network, merged.state]
        for network in range(len(part)):
            own = (merged.network == network) & (merged.joined > births)
            found.append(Bars(np.zeros(own.sum(), dtype=np.int64), births[own], merged.joined[own]))
    return found


def barriers(energies: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """How high one has to climb from a state to another that is as deep: its prominence.

    Parameters
    ----------
    energies
        Axes ``(*G, 2**N)``, any unit.
    states
        Indices of states, int64, axes ``(*G, K)``.

    Returns
    -------
    torch.Tensor
        float64, axes ``(*G, K)``, in the unit of the energies: the lowest level at which the piece of the state holds
        another state as deep, less its energy. 0 where some neighbour is as deep. The range of all energies for a
        single lowest state, which has nowhere to go.

    Raises
    ------
    ArgumentError
        As for `basins`, or if the states are not indices with these axes.
    """
    neurons = _require_cube("energies", energies)
    size = energies.shape[-1]
    if not isinstance(states, torch.Tensor) or states.dtype != torch.int64 or states.ndim != energies.ndim:
        raise ArgumentError("states", "an int64 tensor with axes (..., states)", described(states))
    if states.shape[:-1] != energies.shape[:-1] or not states.shape[-1] or states.device != energies.device:
        raise ArgumentError("states", f"axes {tuple(energies.shape[:-1])} and one more", described(states))
    if states.min() < 0 or states.max() >= size:
        raise ArgumentError("states", f"indices 0 to {size - 1}", f"{states.min().item()} to {states.max().item()}")
    flat, asked = energies.detach().reshape(-1, size), states.reshape(-1, states.shape[-1])
    found = []
    for block in _blocks(flat):
        part, own = flat[block], asked[block]
        merged = _mergers(part, neurons)
        met = torch.zeros_like(part, dtype=torch.float64)
        top = part.double().amax(dim=-1)
        level = torch.from_numpy(merged.met).to(part.device)
        network, state = (torch.from_numpy(each).to(part.device) for each in (merged.network, merged.state))
        met[network, state] = torch.minimum(level, top[network])
        here = part.double().gather(-1, own)
        around = part.double()[:, None].gather(-1, (own[..., None] ^ _flips(neurons, own)).reshape(len(own), 1, -1))
        strict = (around.reshape(*own.shape, neurons) > here[..., None]).all(dim=-1)
        found.append(torch.where(strict, met.gather(-1, own) - here, 0.0))
    return torch.cat(found).reshape(states.shape)


def resting(energies: torch.Tensor, *, strict: bool = True) -> torch.Tensor:
    """Whether a state is a minimum: no flip lowers its energy, or every flip raises it.

    Parameters
    ----------
    energies
        Axes ``(*G, 2**N)``, any unit.
    strict
        Whether every flip must raise the energy.

    Returns
    -------
    torch.Tensor
        Booleans, axes as the energies.

    Raises
    ------
    ArgumentError
        If the energies are not finite or no power of two.
    """
    neurons = _require_cube("energies", energies)
    require_kind("strict", strict, bool)
    rests = torch.ones_like(energies, dtype=torch.bool)
    for neuron in range(neurons):
        there = _flipped(energies, neuron)
        rests &= there > energies if strict else there >= energies
    return rests


def _flips(neurons: int, like: torch.Tensor) -> torch.Tensor:
    return 1 << torch.arange(neurons, device=like.device)


# What a descent in random order reaches


def reached(energies: torch.Tensor) -> npt.NDArray[np.bool_]:
    """Which minima each state can reach by flips that lower the energy, in whatever order.

    Parameters
    ----------
    energies
        One energy, axes ``(2**N,)``, any unit.

    Returns
    -------
    numpy.ndarray
        Booleans, axes ``(2**N, minima)``; the minima are the states that no flip lowers, by index.

    Raises
    ------
    ArgumentError
        If the energies are not finite or no power of two, or the table does not fit the memory budget.
    """
    neurons = _require_cube("energies", energies, 1)
    values = energies.detach().double().cpu().numpy()
    minima = np.flatnonzero(resting(energies.detach().cpu(), strict=False).numpy())
    if len(values) * (len(minima) + 9 * neurons) > pieces.fitting(1):
        raise ArgumentError("energies", "states times minima within the memory budget", f"{len(values)} states")
    near = np.arange(len(values))[:, None] ^ (1 << np.arange(neurons))
    lower = values[near] < values[:, None]
    found = np.zeros((len(values), len(minima)), dtype=bool)
    found[minima, np.arange(len(minima))] = True
    order = np.argsort(values, kind="stable")
    ends = np.flatnonzero(np.diff(values[order])) + 1
    for level in np.split(order, ends):  # all below are done, and a level never feeds itself
        found[level] |= (found[near[level]] & lower[level][..., None]).any(axis=1)
    return found


def collapsed(incidence: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The strong core of a complex: rows within other rows and columns within other columns taken away, until none is.

    Rows are simplices and columns vertices, or the other way round: both complexes have the same homotopy type, and
    taking away changes it for neither (Dowker 1952; Barmak & Minian 2012).

    Parameters
    ----------
    incidence
        Booleans, axes ``(simplices, vertices)``, no row and no column empty.

    Returns
    -------
    numpy.ndarray
        Booleans, with axes as few as can be; ``[[True]]`` if the complex can be shrunk to a point this way.

    Raises
    ------
    ArgumentError
        If the incidence is not made of booleans with two axes, or a row or a column is empty.
    """
    table = _require_incidence(incidence)
    while True:
        smaller = _undominated(_undominated(table).T).T
        if smaller.shape == table.shape:
            return table
        table = smaller


def _undominated(table: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    rows = np.unique(table, axis=0)
    within = rows.astype(np.float32) @ (~rows).T.astype(np.float32) == 0
    np.fill_diagonal(within, False)
    return rows[~within.any(axis=1)]


def nerve_betti(incidence: npt.NDArray[np.bool_]) -> tuple[int, ...]:
    """Betti numbers over two elements of the complex whose simplices are the rows, without zeros at the end.

    Parameters
    ----------
    incidence
        Booleans, axes ``(simplices, vertices)``, no row and no column empty.

    Raises
    ------
    ArgumentError
        As for `collapsed`, or if a simplex of more than 16 vertices is left after collapsing.
    """
    from gudhi import SimplexTree

    core = collapsed(incidence)
    if core.shape[0] < core.shape[1]:
        core = core.T  # the complex of Dowker's other side, with fewer vertices
    if core.sum(axis=1).max() > 16:
        raise ArgumentError(
            "incidence", "at most 16 vertices in a simplex after collapsing", str(core.sum(axis=1).max())
        )
    tree = SimplexTree()
    for row in core:
        tree.insert(np.flatnonzero(row).tolist())
    tree.compute_persistence(homology_coeff_field=2, persistence_dim_max=True)
    numbers = [int(number) for number in tree.betti_numbers()]
    while len(numbers) > 1 and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)


# Checks


def _require_cube(name: str, energies: Any, axes: int | None = None) -> int:
    require_tensor(name, energies, "... states" if axes is None else "states")
    states = energies.shape[-1]
    if states < 2 or states & (states - 1):
        raise ArgumentError(name, "2**N energies, N at least 1", str(states))
    return int(states).bit_length() - 1


def _require_cells(neurons: int) -> None:
    if _CELL * 3**neurons > (room := pieces.fitting(1)):
        fits = int(math.log(max(3, room / _CELL), 3))
        raise ArgumentError(
            "energies", f"at most {fits} neurons, whose 3**N cubes fit the memory budget", f"{neurons} neurons"
        )


def _require_incidence(incidence: Any) -> npt.NDArray[np.bool_]:
    if not isinstance(incidence, np.ndarray) or incidence.dtype != bool or incidence.ndim != 2:
        raise ArgumentError("incidence", "a numpy array of booleans with two axes", described(incidence))
    if not incidence.size or not incidence.any(axis=0).all() or not incidence.any(axis=1).all():
        raise ArgumentError("incidence", "no empty row and no empty column", "one")
    return incidence
