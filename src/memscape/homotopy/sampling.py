"""How many sets of states one network can hold together, where they are too many to list.

Sets of vertices of the storage complex (see :mod:`memscape.homotopy.storage`) are drawn at random, and each is decided
with a proof: :func:`learn` finds weights by the perceptron rule, and a linear programme decides what the rule leaves
open.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import linprog

from memscape.arguments import (
    ArgumentError,
    described,
    require_count,
    require_generator,
    require_integer,
    require_rng,
    require_room,
)
from memscape.homotopy.storage import only_even, vertices
from memscape.polytopes.separation import perceptron
from memscape.polytopes.weight_space import normals, storable
from memscape.tools import pieces
from memscape.tools.subsets import mask

__all__ = ["Perceptron", "Sample", "climbs", "draw_sets", "learn", "sample"]

# A margin that is not zero is a ratio of small determinants of entries 0 and +-1: far above what the solver tolerates.
_POSITIVE = 1e-6


def draw_sets(count: int, size: int, sets: int, *, generator: torch.Generator) -> torch.Tensor:
    """Sets of vertices, each of ``size`` different ones out of ``count``, uniformly and independently.

    Parameters
    ----------
    count
        Number of vertices to draw from.
    size
        Vertices in a set, at most ``count``.
    sets
        How many sets.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        int64 on the CPU, axes ``(sets, size)``, each row increasing.

    Raises
    ------
    ArgumentError
        If a number is not positive, ``size`` exceeds ``count``, or the keys of all vertices do not fit in memory.
    """
    require_count("count", count)
    require_integer("size", size, at_least=1, at_most=count)
    require_count("sets", sets)
    require_generator("generator", generator)
    require_room(sets=sets, count=count)
    keys = torch.rand((sets, count), generator=generator, dtype=torch.float64, device="cpu")
    return keys.argsort(dim=1, stable=True)[:, :size].sort(dim=1).values


@dataclass(frozen=True, eq=False)
class Perceptron:
    """What the perceptron rule found.

    Attributes
    ----------
    weights
        Whole numbers, axes ``(sets, couplings)``: where ``stored``, proofs that the set is a face.
    stored
        Booleans ``(sets,)``. False proves nothing.
    """

    weights: torch.Tensor
    stored: torch.Tensor


def learn(neurons: int, degrees: Sequence[int], sets: torch.Tensor, *, steps: int = 1000) -> Perceptron:
    r"""Learn to store sets of states by the perceptron rule, all sets at once.

    Start from the Hebbian weights :math:`w = \sum_{x,i} v_{x,i}` and, while conditions are broken, add the normals of
    all that are,

    .. math:: w \leftarrow w + \sum_{x,i:\, v_{x,i} \cdot w \le 0} v_{x,i} .

    If some weights store the set, finitely many steps find weights that do (Rosenblatt 1962; Novikoff 1962); a set that
    is still not stored after ``steps`` steps may be a face or not. All numbers are whole and
    exact: in float32 where the bound of :func:`memscape.polytopes.separation.perceptron` proves it, else in float64.

    Parameters
    ----------
    neurons, degrees
        n and the degrees of the couplings.
    sets
        Indices of states, int64, axes ``(sets, states)``; the result lives on the same device.
    steps
        Most steps to make, at most 10000.

    Returns
    -------
    Perceptron

    Raises
    ------
    ArgumentError
        If the sets are no matrix of int64, name a state that is not there, or ``steps`` is out of range.
    """
    count = vertices(neurons, degrees)
    require_integer("steps", steps, at_least=1, at_most=10000)
    if not isinstance(sets, torch.Tensor) or sets.dtype != torch.int64 or sets.ndim != 2 or 0 in sets.shape:
        expected = "an int64 tensor with axes (sets, states), none empty"
        raise ArgumentError("sets", expected, described(sets), "See draw_sets.")
    if sets.min() < 0 or sets.max() >= count:
        raise ArgumentError("sets", f"states 0 to {count - 1}", f"{sets.min().item()} to {sets.max().item()}")
    conditions = normals(neurons, degrees)[:count]
    bound = sets.shape[1] * neurons * int((conditions**2).sum(axis=-1).max()) * math.sqrt(steps + 1)
    table = torch.from_numpy(conditions).to(sets.device, torch.float32 if bound < 2**24 else torch.float64)
    couplings = table.shape[-1]
    weights = table.new_zeros(len(sets), couplings)
    stored = torch.zeros(len(sets), dtype=torch.bool, device=sets.device)
    # The conditions of every set, and a copy without the sets that are learned.
    for block in pieces.slices(len(sets), pieces.fitting(16 * sets.shape[1] * neurons * couplings)):
        rows = table[sets[block]].flatten(1, 2)  # (sets, conditions, couplings)
        weights[block], stored[block] = perceptron(rows, steps)
    return Perceptron(weights, stored)


@dataclass(frozen=True)
class Sample:
    """Random sets of one size, and how many of them are faces.

    Attributes
    ----------
    size
        States in a set.
    total
        Number of sets of this size of any vertices; the f-vector is estimated by ``total`` times the share of faces.
    drawn
        Number of sets drawn.
    stored
        Faces among them, each proved by weights in whole numbers.
    refused
        Sets that are no faces, each proved by whole numbers with which its conditions add up to zero.
    programmes
        How many of these answers took a linear programme; the rest came from the perceptron rule or from two states
        that exclude each other.
    """

    size: int
    total: int
    drawn: int
    stored: int
    refused: int
    programmes: int


def sample(
    neurons: int,
    degrees: Sequence[int],
    size: int,
    drawn: int,
    *,
    generator: torch.Generator,
    steps: int = 200,
    device: torch.device | str = "cpu",
) -> Sample:
    """Draw sets of states and decide for each of them, with proof, whether it is a face.

    First sets with two states that differ by one flip are refused: their conditions at the flipped neuron add up to
    zero. Then the perceptron rule learns what it can, in one batch on the device. A linear programme decides the rest.

    Parameters
    ----------
    neurons, degrees
        n and the degrees of the couplings.
    size, drawn
        States in a set, and number of sets.
    generator
        A CPU generator.
    steps
        Most steps of the perceptron rule.
    device
        Where the rule runs.

    Returns
    -------
    Sample
        Stored and refused add up to drawn: no set stays open.

    Raises
    ------
    ArgumentError
        If a number does not fit, see `draw_sets` and `learn`.
    """
    count = vertices(neurons, degrees)
    require_count("drawn", drawn)
    sets = draw_sets(count, size, drawn, generator=generator)
    require_integer("steps", steps, at_least=1, at_most=10000)
    flips = torch.tensor([1 << neuron for neuron in range(neurons)], device="cpu")
    between = sets[:, :, None] ^ sets[:, None, :]
    if only_even(degrees):
        flips[-1] = count - 1
    clash = torch.isin(between, flips).flatten(1).any(dim=1)
    free = sets[~clash]
    stored = torch.zeros(len(free), dtype=torch.bool, device="cpu")
    if len(free):
        stored = learn(neurons, degrees, free.to(device), steps=steps).stored.cpu()
    conditions = normals(neurons, degrees)
    rest = free[~stored].numpy()
    solved = sum(bool(storable(states, conditions)) for states in rest)
    faces = int(stored.sum()) + solved
    return Sample(size, math.comb(count, size), drawn, faces, drawn - faces, len(rest))


def climbs(
    neurons: int, degrees: Sequence[int], walks: int, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    r"""Sets of states at the border of what fits together, each decided by one linear programme and nothing else.

    A walk takes all vertices in random order and keeps each one that fits together with those it has kept. So it asks
    about one set a vertex, and ends at a face that no vertex can join. The programme is in floating point,

    .. math:: \max t \quad\text{such that}\quad v_{x,i} \cdot w \ge t, \quad -1 \le w_S \le 1, \quad t \le 1 ,

    and its set fits if t is positive. It knows of no symmetry, obstruction or proof, and so tests
    the complex.

    Parameters
    ----------
    neurons, degrees
        n, with at most 64 vertices, and the degrees of the couplings.
    walks
        Number of walks.
    rng
        Orders the vertices.

    Returns
    -------
    tuple of numpy.ndarray
        The sets that were asked about, bit masks in numpy.uint64, and whether they fit: axes ``(walks * vertices,)``.

    Raises
    ------
    ArgumentError
        If the degrees do not fit, ``walks`` is not positive, ``rng`` is no generator of NumPy, or there are more than
        64 vertices.
    """
    count = vertices(neurons, degrees)
    if count > 64:
        raise ArgumentError("neurons", "at most 64 vertices", str(count), "Take fewer neurons.")
    require_count("walks", walks)
    require_rng("rng", rng)
    require_room(walks=walks, vertices=2 * count)
    conditions = normals(neurons, degrees)[:count]
    asked, fits = [], []
    for order in (rng.permutation(count) for _ in range(walks)):
        kept: list[int] = []
        for vertex in order.tolist():
            asked.append(mask([*kept, vertex]))
            fits.append(_margin(conditions[[*kept, vertex]].reshape(-1, conditions.shape[-1])) > _POSITIVE)
            kept += [vertex] * fits[-1]
    return np.array(asked, dtype=np.uint64), np.array(fits)


def _margin(rows: np.ndarray) -> float:
    """The largest t such that some weights of at most 1 give ``rows @ w >= t``; 1 at most."""
    conditions = np.column_stack([-rows, np.ones(len(rows))])
    goal = np.append(np.zeros(rows.shape[1]), -1.0)
    # The last unknown is t; there is always a solution, since zeros meet all conditions.
    solution = linprog(goal, A_ub=conditions, b_ub=np.zeros(len(rows)), bounds=(-1, 1)).x
    return float(np.asarray(solution, dtype=np.float64)[-1])
