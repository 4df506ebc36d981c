r"""Grafting along a network: transition systems end to start, and modules that read each other.

A *transition system* has states, a start, labels, and moves (state, label, state); here some states are final, too. A
*map* of systems takes states to states and start to start, final states to final ones, and labels to labels or to
nothing; a move goes to a move with the image of its label, and where that is nothing, both its states go to one. The
*sum* of two systems joins them at their starts. The *product* has pairs of states, and moves of the one, of the other,
or of both at once.

Along an acyclic network systems are grafted: from every final state of a system a move, which bears the name of the
edge, leads to the start of the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import numpy.typing as npt

from memscape.arguments import (
    ArgumentError,
    require_integer,
    require_kind,
    require_number,
    require_rng,
    require_sequence,
)
from memscape.homotopy.equaliser import Network

__all__ = [
    "System",
    "composed",
    "grafted",
    "maps",
    "product",
    "random_network",
    "random_system",
    "small_systems",
    "spelled",
    "sum_of",
    "words",
]


@dataclass(frozen=True)
class System:
    """A transition system with final states; states and labels are 0, 1, ..., and the start is state 0.

    Parameters
    ----------
    states
        Number of states, 1 to 4096.
    labels
        Number of labels, 0 to 4096.
    moves
        Triples (state, label, state).
    final
        Final states.

    Raises
    ------
    ArgumentError
        If a move or a final state is none.
    """

    states: int
    labels: int
    moves: tuple[tuple[int, int, int], ...]
    final: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check moves and final states, and keep them in order and once."""
        require_integer("states", self.states, at_least=1, at_most=4096)
        require_integer("labels", self.labels, at_least=0, at_most=4096)
        kept = set()
        for move in require_sequence("moves", self.moves, "triples (state, label, state)"):
            triple = require_sequence("moves", move, "three integers")
            if len(triple) != 3:
                raise ArgumentError("moves", "triples (state, label, state)", f"{len(triple)} entries")
            ends = [require_integer("moves", triple[i], at_least=0, at_most=self.states - 1) for i in (0, 2)]
            kept.add((ends[0], require_integer("moves", triple[1], at_least=0, at_most=self.labels - 1), ends[1]))
        final = {
            require_integer("final", state, at_least=0, at_most=self.states - 1)
            for state in require_sequence("final", self.final, "states")
        }
        object.__setattr__(self, "moves", tuple(sorted(kept)))
        object.__setattr__(self, "final", tuple(sorted(final)))


def small_systems(states: int) -> list[System]:
    """All systems of one label with so many states, of which the last is final: one for every set of moves.

    Parameters
    ----------
    states
        1 to 3.

    Raises
    ------
    ArgumentError
        If ``states`` is no such number.
    """
    require_integer("states", states, at_least=1, at_most=3)
    every = [(a, 0, b) for a in range(states) for b in range(states)]
    return [
        System(states, 1, moves, (states - 1,))
        for size in range(len(every) + 1)
        for moves in itertools.combinations(every, size)
    ]


def random_system(most: int, labels: int, *, rng: np.random.Generator) -> System:
    """A random system: its number of states, and of the labels in use, uniform; moves and final states by fair coins.

    Parameters
    ----------
    most
        Most states, 1 to 16.
    labels
        Most labels, 1 to 16.
    rng
        Draws the system.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("most", most, at_least=1, at_most=16)
    require_integer("labels", labels, at_least=1, at_most=16)
    require_rng("rng", rng)
    states, used = int(rng.integers(1, most + 1)), int(rng.integers(1, labels + 1))
    every = itertools.product(range(states), range(used), range(states))
    moves = tuple(move for move in every if rng.random() < 0.5)
    return System(states, used, moves, tuple(state for state in range(states) if rng.random() < 0.5))


def sum_of(first: System, second: System) -> System:
    """The sum of two systems: side by side, with one start.

    Parameters
    ----------
    first, second
        Systems; the states of the second but its start follow those of the first, and so do its labels.

    Raises
    ------
    ArgumentError
        If an argument is no system, or the sum is too large for one.
    """
    _require_two(first, second)

    def place(state: int) -> int:
        return first.states + state - 1 if state else 0

    moved = tuple((place(a), first.labels + label, place(b)) for a, label, b in second.moves)
    final = (*first.final, *map(place, second.final))
    return System(first.states + second.states - 1, first.labels + second.labels, first.moves + moved, final)


def product(first: System, second: System) -> System:
    """The product of two systems: pairs of states; labels of the first, of the second, and pairs of labels.

    Parameters
    ----------
    first, second
        Systems. The pair (a, b) of states is a times the number of states of the second plus b.

    Raises
    ------
    ArgumentError
        If an argument is no system, or the product is too large for one.
    """
    _require_two(first, second)
    wide, tall = second.states, first.states
    if tall * wide > 4096:
        raise ArgumentError("first, second", "at most 4096 pairs of states", f"{tall * wide}")
    one, two = first.labels, second.labels
    moves = [(a * wide + b, label, c * wide + b) for a, label, c in first.moves for b in range(wide)]
    moves += [(a * wide + b, one + label, a * wide + d) for b, label, d in second.moves for a in range(tall)]
    moves += [
        (a * wide + b, one + two + left * two + right, c * wide + d)
        for a, left, c in first.moves
        for b, right, d in second.moves
    ]
    final = tuple(a * wide + b for a in first.final for b in second.final)
    return System(tall * wide, one + two + one * two, tuple(moves), final)


def maps(first: System, second: System) -> int:
    """Number of maps from one system to another, by trying all functions on states and all partial ones on labels.

    Parameters
    ----------
    first, second
        Systems with at most ten million pairs of such functions.

    Raises
    ------
    ArgumentError
        If an argument is no system, or there are more.
    """
    _require_two(first, second)
    too_long = first.states > 24 or first.labels > 24
    if too_long or second.states ** (first.states - 1) * (second.labels + 1) ** first.labels > 10**7:
        got = f"{first.states} states and {first.labels} labels into {second.states} and {second.labels}"
        raise ArgumentError("first, second", "at most ten million pairs of functions", got)
    there, final = set(second.moves), set(second.final)
    count = 0
    nothing = second.labels
    for states in itertools.product(range(second.states), repeat=first.states - 1):
        on = (0, *states)
        if not all(on[state] in final for state in first.final):
            continue
        for labels in itertools.product(range(second.labels + 1), repeat=first.labels):
            count += all(
                on[a] == on[b] if labels[label] == nothing else (on[a], labels[label], on[b]) in there
                for a, label, b in first.moves
            )
    return count


def grafted(network: Network, systems: Sequence[System]) -> System:
    """Systems joined along a network: a move for every edge, from every final state to the start of the next system.

    Parameters
    ----------
    network
        Acyclic, with one vertex that nothing comes into and one that nothing goes out of.
    systems
        One for each vertex. Labels are kept apart; the edges are labels behind them.

    Returns
    -------
    System
        Starts in the system of the first vertex; final are the final states of the last one.

    Raises
    ------
    ArgumentError
        If the network is not of this kind, or the systems are not as many as vertices.
    """
    each = _require_systems(network, systems)
    order = list(nx.topological_sort(network.graph))
    at, before, total, labels = {}, {}, 0, 0
    for v in order:
        at[v], before[v] = total, labels
        total, labels = total + each[v].states, labels + each[v].labels
    moves = [(at[v] + a, before[v] + label, at[v] + b) for v in order for a, label, b in each[v].moves]
    for place, (source, target) in enumerate(network.edges):
        moves += [(at[source] + state, labels + place, at[target]) for state in each[source].final]
    last = order[-1]
    return System(total, labels + len(network.edges), tuple(moves), tuple(at[last] + s for s in each[last].final))


def words(system: System, most: int) -> set[tuple[int, ...]]:
    """The words that a system accepts, by running it: labels on the way from the start to a final state.

    Parameters
    ----------
    system
        A system.
    most
        Longest word, 0 to 16.

    Raises
    ------
    ArgumentError
        If there are more than a hundred thousand beginnings of words.
    """
    require_kind("system", system, System)
    require_integer("most", most, at_least=0, at_most=16)
    onward: dict[int, list[tuple[int, int]]] = {}
    for a, label, b in system.moves:
        onward.setdefault(a, []).append((label, b))
    reached: set[tuple[tuple[int, ...], int]] = {((), 0)}
    found: set[tuple[int, ...]] = set()
    final = set(system.final)
    for _ in range(most + 1):
        found |= {word for word, state in reached if state in final}
        reached = {((*word, label), b) for word, state in reached for label, b in onward.get(state, [])}
        if len(reached) > 10**5:
            raise ArgumentError("most", "at most 100000 beginnings of words", f"{len(reached)}", "Ask for shorter.")
    return found


def spelled(network: Network, systems: Sequence[System], most: int) -> set[tuple[int, ...]]:
    """The words that paths through a network spell: one of each system on the path, joined by the names of the edges.

    Parameters
    ----------
    network, systems
        As in :func:`grafted`.
    most
        Longest word, 0 to 16.

    Raises
    ------
    ArgumentError
        As in :func:`grafted` and :func:`words`.
    """
    each = _require_systems(network, systems)
    order = list(nx.topological_sort(network.graph))
    before, labels = {}, 0
    for v in order:
        before[v], labels = labels, labels + each[v].labels
    own = {v: [tuple(before[v] + label for label in word) for word in words(each[v], most)] for v in order}
    ending: dict[int, set[tuple[int, ...]]] = {v: set() for v in order}
    ending[order[0]] = set(own[order[0]])
    for v in order[1:]:
        for place, (source, target) in enumerate(network.edges):
            if target == v:
                joined = ((*word, labels + place, *more) for word in ending[source] for more in own[v])
                ending[v] |= {word for word in joined if len(word) <= most}
    return ending[order[-1]]


def composed(
    network: Network,
    weights: npt.NDArray[Any],
    inputs: npt.NDArray[Any],
    order: Sequence[int],
    *,
    as_they_come: bool = False,
) -> npt.NDArray[Any]:
    """Rectified modules on a network, evaluated one after the other in a given order.

    Module v computes max(0, b_v + sum over edges (u, v) of W_e x_u) from what is there when its turn comes; what has
    not been computed is zero.

    Parameters
    ----------
    network
        The network.
    weights
        One matrix for each edge, axes ``(edges, channels, channels)``; whole numbers, or float64.
    inputs
        b, axes ``(vertices, channels)``, of the same kind.
    order
        All vertices.
    as_they_come
        Add the inputs of a module in the order in which they were computed; otherwise in that of the edges.

    Returns
    -------
    numpy.ndarray
        Axes ``(vertices, channels)``, of the kind that was given.

    Raises
    ------
    ArgumentError
        If axes or kinds do not fit, or ``order`` does not list every vertex once.
    """
    require_kind("network", network, Network)
    require_kind("as_they_come", as_they_come, bool)
    turns = [require_integer("order", v) for v in require_sequence("order", order, "vertices")]
    if sorted(turns) != list(range(network.vertices)):
        raise ArgumentError("order", "every vertex once", f"{turns}"[:80])
    for name, value, axes in (("weights", weights, 3), ("inputs", inputs, 2)):
        if not isinstance(value, np.ndarray) or value.dtype not in (np.int64, np.float64) or value.ndim != axes:
            raise ArgumentError(name, f"int64 or float64, {axes} axes", type(value).__name__)
        # Beyond, products over the network could leave 64 bits.
        if value.size and not (np.abs(value.astype(np.float64)) <= 1000).all():
            raise ArgumentError(name, "entries from -1000 to 1000", "others")
    channels = inputs.shape[1]
    if weights.shape != (len(network.edges), channels, channels) or len(inputs) != network.vertices:
        expected = f"({len(network.edges)}, {channels}, {channels}) and ({network.vertices}, {channels})"
        raise ArgumentError("weights, inputs", f"axes {expected}", f"{weights.shape} and {inputs.shape}")
    if weights.dtype != inputs.dtype:
        raise ArgumentError("inputs", f"dtype {weights.dtype}, as weights", f"{inputs.dtype}")
    if network.vertices > 8 or channels > 64:
        raise ArgumentError("network", "at most 8 modules of 64 channels", f"{network.vertices} of {channels}")
    turn = {v: k for k, v in enumerate(turns)}
    into: dict[int, list[tuple[int, int]]] = {v: [] for v in turns}
    for place, (source, target) in enumerate(network.edges):
        into[target].append((source, place))
    values = np.zeros_like(inputs)
    for v in turns:
        total = inputs[v].copy()
        for source, place in sorted(into[v], key=lambda pair: turn[pair[0]]) if as_they_come else into[v]:
            total = total + weights[place] @ values[source]
        values[v] = np.maximum(total, 0)
    return values


def random_network(vertices: int, share: float, *, rng: np.random.Generator) -> Network:
    """A random acyclic network: vertices in a random order, every forward pair joined with a given probability.

    Parameters
    ----------
    vertices
        1 to 32.
    share
        Probability of an edge, 0 to 1.
    rng
        Draws the network.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("vertices", vertices, at_least=1, at_most=32)
    require_number("share", share, at_least=0, at_most=1)
    require_rng("rng", rng)
    order = rng.permutation(vertices).tolist()
    pairs = [(order[i], order[j]) for i, j in itertools.combinations(range(vertices), 2)]
    return Network(vertices, tuple(pair for pair in pairs if rng.random() < share))


def _require_two(first: Any, second: Any) -> None:
    require_kind("first", first, System)
    require_kind("second", second, System)


def _require_systems(network: Any, systems: Any) -> list[System]:
    require_kind("network", network, Network)
    graph = network.graph
    if not nx.is_directed_acyclic_graph(graph):
        raise ArgumentError("network", "an acyclic network", "one with a directed cycle")
    ends = [sum(degree == 0 for _, degree in of) for of in (graph.in_degree, graph.out_degree)]
    if ends != [1, 1]:
        raise ArgumentError("network", "one first and one last vertex", f"{ends[0]} and {ends[1]}")
    each = [require_kind("systems", s, System) for s in require_sequence("systems", systems, "systems")]
    if len(each) != network.vertices:
        raise ArgumentError("systems", f"{network.vertices} systems, one a vertex", f"{len(each)}")
    return each
