r"""Renaming units and turning them over: the hyperoctahedral group, and what it does to states, memory sets and orders.

A change g of N binary units renames them and turns some over,

.. math:: (g s)_i = \epsilon_i \, s_{\pi(i)},

with a permutation :math:`\pi` and signs :math:`\epsilon_i = \pm 1`. All :math:`2^N N!` of them are the symmetries of
the cube. Whole numbers stay whole: counts are exact, and so are the states that a sweep leads to.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import networkx as nx
import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_generator,
    require_integer,
    require_kind,
    require_room,
    require_sizes,
    require_tensor,
)
from memscape.tools.complexes import Simplices

__all__ = ["Changes", "automorphisms", "every_change", "orbit_counts", "random_changes", "states_of", "sweep_counts"]


@dataclass(frozen=True, eq=False)
class Changes:
    """Elements of the hyperoctahedral group, any number side by side.

    Parameters
    ----------
    places
        Unit ``places[..., i]`` becomes unit i: int64, axes ``(*K, N)``, each row a permutation.
    signs
        By which it is multiplied then, values in {-1, +1}, float64, axes ``(*K, N)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit, or a row is no permutation.
    """

    places: torch.Tensor
    signs: torch.Tensor

    def __post_init__(self) -> None:
        require_tensor("signs", self.signs, "... neurons", values="spins", dtype=torch.float64)
        places = self.places
        if not isinstance(places, torch.Tensor) or places.dtype != torch.int64 or places.shape != self.signs.shape:
            got = f"{places.dtype} {tuple(places.shape)}" if isinstance(places, torch.Tensor) else type(places).__name__
            raise ArgumentError("places", f"an int64 tensor of shape {tuple(self.signs.shape)}", got)
        if places.device != self.signs.device:
            raise ArgumentError("places", f"device {self.signs.device}", str(places.device))
        units = torch.arange(places.shape[-1], device=places.device)
        if not torch.equal(places.sort(dim=-1).values, units.expand(places.shape)):
            raise ArgumentError("places", "a permutation in each row", "a row that is none")

    def __call__(self, states: torch.Tensor) -> torch.Tensor:
        """States renamed and turned over: ``(*K, ..., N)`` to the same axes.

        Raises
        ------
        ArgumentError
            If the states do not have the axes of the changes first and their units last.
        """
        require_tensor("states", states, "... neurons", dtype=torch.float64, device=self.signs.device)
        many, units = tuple(self.signs.shape[:-1]), self.signs.shape[-1]
        if states.shape[: len(many)] != many or states.ndim <= len(many) or states.shape[-1] != units:
            raise ArgumentError("states", f"axes ({', '.join(map(str, many))}, ..., {units})", f"{tuple(states.shape)}")
        between = (1,) * (states.ndim - len(many) - 1)
        places, signs = (part.reshape(*many, *between, units) for part in (self.places, self.signs))
        return states.take_along_dim(places.expand(states.shape), dim=-1) * signs


def random_changes(
    neurons: int,
    many: tuple[int, ...] = (),
    *,
    rename: bool = True,
    turn: bool = True,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Changes:
    """Changes drawn uniformly, or renamings alone, or signs alone.

    Parameters
    ----------
    neurons
        N, at least 1.
    many
        Axes K of the changes.
    rename, turn
        Whether units are renamed, and whether they are turned over.
    generator
        A CPU generator.
    device
        Where the changes lie.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_count("neurons", neurons)
    shape = (*require_sizes("many", many), neurons)
    require_room(many=math.prod(shape[:-1]), neurons=neurons)
    require_generator("generator", generator)
    require_kind("rename", rename, bool)
    require_kind("turn", turn, bool)
    place = require_device("device", device)
    keys = torch.rand(shape, generator=generator, dtype=torch.float64, device="cpu")
    heads = 2 * torch.randint(0, 2, shape, generator=generator, device="cpu").double() - 1
    places = keys.argsort(dim=-1) if rename else torch.arange(neurons, device="cpu").expand(shape).clone()
    return Changes(places.to(place), (heads if turn else torch.ones_like(heads)).to(place))


def every_change(neurons: int) -> Changes:
    """The whole group, its identity first: ``2**N N!`` changes of up to six units, on the CPU.

    Raises
    ------
    ArgumentError
        If the number of units is none from 1 to 6.
    """
    require_integer("neurons", neurons, at_least=1, at_most=6)
    orders = torch.tensor(list(itertools.permutations(range(neurons))), device="cpu")
    signs = -states_of(neurons)
    return Changes(orders.repeat_interleave(len(signs), dim=0), signs.repeat(len(orders), 1))


def states_of(neurons: int) -> torch.Tensor:
    """All states of N units in the order of their numbers, unit i up where bit i is 1: float64, ``(2**N, N)``.

    Raises
    ------
    ArgumentError
        If the number of units is none from 1 to 16.
    """
    require_integer("neurons", neurons, at_least=1, at_most=16)
    numbers = torch.arange(2**neurons, device="cpu")
    return 2.0 * (numbers[:, None] >> torch.arange(neurons, device="cpu") & 1).double() - 1


def _numbers(states: torch.Tensor) -> torch.Tensor:
    """The number of each state, ``(..., N)`` to ``(...)``."""
    return ((states > 0) << torch.arange(states.shape[-1], device=states.device)).sum(dim=-1)


def orbit_counts(neurons: int, *, lines: bool = False) -> tuple[int, ...]:
    r"""Sets of k states up to renaming and turning units over, for every k, the empty set first.

    By Burnside's lemma it is the mean over the group of the number of sets that a change leaves alone: the coefficient
    of :math:`t^k` in :math:`\prod_c (1 + t^{|c|})` over the cycles c of the change among the states.

    Parameters
    ----------
    neurons
        N, 1 to 6.
    lines
        Whether a state and its negative count as one.

    Returns
    -------
    tuple of int
        Exact, for k = 0 up to the number of states, or of lines.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    group = every_change(neurons)
    require_kind("lines", lines, bool)
    states = states_of(neurons)
    if lines:
        states = states[: len(states) // 2]  # last unit down: one of each pair
    size = len(states)
    images = _numbers(group(states.expand(len(group.signs), *states.shape)))
    moved = (torch.minimum(images, 2 * size - 1 - images) if lines else images).numpy()
    # Numbers of cycles of each length: a place is back after as many steps as its cycle has members.
    start = np.arange(size)
    now, lengths = moved, np.zeros(moved.shape, dtype=np.int64)
    for steps in itertools.count(1):
        lengths[(now == start) & (lengths == 0)] = steps
        if lengths.all():
            break
        now = np.take_along_axis(moved, now, axis=1)
    kinds, times = np.unique(np.sort(lengths, axis=1), axis=0, return_counts=True)
    total = [0] * (size + 1)
    for kind, count in zip(kinds.tolist(), times.tolist(), strict=True):
        for k, sets in enumerate(_fixed(kind, size)):
            total[k] += count * sets
    return tuple(number // len(group.signs) for number in total)


def _fixed(lengths: list[int], size: int) -> list[int]:
    """Coefficients of the product of 1 + t^c over cycles, given the length of every member's cycle."""
    product = [1] + [0] * size
    for length in set(lengths):
        for _ in range(lengths.count(length) // length):
            for k in range(size, length - 1, -1):
                product[k] += product[k - length]
    return product


def sweep_counts(couplings: torch.Tensor) -> torch.Tensor:
    r"""How many orders of the units lead from one state to another in one sweep of descent.

    In an order, each unit in turn takes the sign of its input :math:`\sum_j J_{ij} s_j`, and keeps its value without
    one. Over all N! orders the counts say what a random order does: divided by N!, they are the matrix of a Markov
    chain.

    Parameters
    ----------
    couplings
        J, axes ``(*G, N, N)``, float64, N up to 6; whole numbers make ties exact. The diagonal is not used.

    Returns
    -------
    torch.Tensor
        int64, axes ``(*G, 2**N, 2**N)``, from the first to the second, numbered as in :func:`states_of`.

    Raises
    ------
    ArgumentError
        If the couplings are not square, too large or not finite.
    """
    sizes: dict[str, int] = {}
    require_tensor("couplings", couplings, "... units units", dtype=torch.float64, sizes=sizes)
    units = require_integer("couplings", sizes["units"], at_most=6)
    flat = couplings.reshape(-1, units, units)
    require_room(couplings=len(flat), states=4**units)
    starts = states_of(units).to(flat.device)
    found = [_sweeps(some, starts) for some in flat.split(max(1, 2**22 // (math.factorial(units) * len(starts))))]
    return torch.cat(found).reshape(*couplings.shape[:-2], len(starts), len(starts))


def _sweeps(couplings: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """Numbers of orders from state to state, (G, 2**N, 2**N), by tables of what each unit does to each state."""
    units = states.shape[1]
    fields = states @ (couplings - torch.diag_embed(couplings.diagonal(dim1=-2, dim2=-1)))  # (G, 2**N, N)
    up = torch.where(fields == 0, states > 0, fields > 0).long()
    places = torch.arange(units, device=states.device)
    numbers = torch.arange(len(states), device=states.device)[:, None]
    tables = ((numbers & ~(1 << places)) + (up << places)).mT.contiguous()  # (G, N, 2**N)
    # Orders that begin alike are walked together as far as they go.
    begun: list[tuple[int, ...]] = [()]
    now = numbers[:, 0].expand(len(couplings), 1, len(states))
    for _ in range(units):
        longer = [(parent, unit) for parent, order in enumerate(begun) for unit in range(units) if unit not in order]
        parents, turns = torch.tensor(longer, device=states.device).T
        now = tables[:, turns].gather(2, now[:, parents])
        begun = [(*begun[parent], unit) for parent, unit in longer]
    counts = torch.zeros(len(couplings), len(states), len(states), dtype=torch.int64, device=states.device)
    return counts.scatter_add_(2, now.mT, torch.ones_like(now.mT))


def automorphisms(simplices: Simplices, *, most: int = 1000) -> torch.Tensor:
    """Renamings of the units that carry every simplex to a simplex.

    They are the isomorphisms of the graph of units and simplices, in which a simplex is joined to its members, with
    itself (networkx, VF2).

    Parameters
    ----------
    simplices
        Of one network.
    most
        Stop after so many, at least 1.

    Returns
    -------
    torch.Tensor
        ``[a, i]`` is where unit i goes: int64, axes ``(automorphisms, N)``, on the CPU.

    Raises
    ------
    ArgumentError
        If there are several networks, or an argument is none of these.
    """
    require_kind("simplices", simplices, Simplices)
    require_count("most", most)
    if simplices.networks:
        raise ArgumentError("simplices", "simplices of one network", f"networks {simplices.networks}")
    graph = nx.Graph()
    graph.add_nodes_from(((0, unit) for unit in range(simplices.neurons)), kind=0)
    for rows in simplices.members:
        for number, row in enumerate(rows.tolist()):
            graph.add_node((len(row), number), kind=len(row))
            graph.add_edges_from(((len(row), number), (0, unit)) for unit in row)
    matcher = nx.isomorphism.GraphMatcher(graph, graph, node_match=lambda one, other: one["kind"] == other["kind"])
    found = itertools.islice(matcher.isomorphisms_iter(), most)
    rows_found = [[each[0, unit][1] for unit in range(simplices.neurons)] for each in found]
    return torch.tensor(rows_found, dtype=torch.int64, device="cpu")
