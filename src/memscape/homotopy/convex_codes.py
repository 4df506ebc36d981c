r"""Can a code come from convex fields? Local obstructions, and codes made of memories.

A code is a set of words, each a set of neurons; the word of silence always belongs to it. The complex of a code has the
subsets of words as faces. The *link* of a face s consists of the sets that are disjoint from s and make a face with it.
If a face is no word, the field that its neurons have in common is covered by the other fields; if these are convex, the
link, their nerve, can be shrunk to a point. So a face that is no word and whose link cannot be shrunk to a point is a
*local obstruction*: no convex fields, open in some space, have this code.

Words and faces are whole numbers, bit i for neuron i; a code is a table with one boolean for each of the 2^n words.
"""

from __future__ import annotations

import functools
import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from memscape.arguments import (
    ArgumentError,
    described,
    require_integer,
    require_integers,
    require_rng,
    require_room,
)
from memscape.memory.hopfield import Hopfield, without_diagonal
from memscape.polytopes.weight_space import states
from memscape.tools.homology import holes
from memscape.tools.subsets import unpack

__all__ = ["classes", "code_of", "complexes", "fixed_points", "obstructed", "obstructions", "random_codes"]


def classes(neurons: int) -> npt.NDArray[np.bool_]:
    """One code of every class up to names of the neurons, all of them with the word of silence.

    Parameters
    ----------
    neurons
        Number of neurons n, 1 to 4.

    Returns
    -------
    numpy.ndarray
        Booleans, axes ``(classes, 2**n)``: which words belong to the code.

    Raises
    ------
    ArgumentError
        If ``neurons`` is no integer from 1 to 4; five would be two thousand million codes.
    """
    require_integer("neurons", neurons, at_least=1, at_most=4)
    words = np.arange(2**neurons)
    codes = unpack(2 * np.arange(2 ** (len(words) - 1)) + 1, len(words)).astype(bool)
    value = np.int64(1) << words
    smallest = codes @ value
    for order in itertools.permutations(range(neurons)):
        moved = (unpack(words, neurons) << np.array(order)).sum(axis=1)
        smallest = np.minimum(smallest, codes @ value[moved])
    kept: npt.NDArray[np.bool_] = codes[smallest == codes @ value]
    return kept


def code_of(words: npt.NDArray[np.int64], neurons: int) -> npt.NDArray[np.bool_]:
    """The table of a code that is given by its words; silence is added.

    Parameters
    ----------
    words
        Whole numbers 0 to 2^n - 1, axes ``(words,)``; there may be none.
    neurons
        Number of neurons n, 1 to 16.

    Returns
    -------
    numpy.ndarray
        Booleans, axes ``(2**n,)``.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("neurons", neurons, at_least=1, at_most=16)
    require_integers("words", words, (None,))
    if words.size and (words.min() < 0 or words.max() >= 2**neurons):
        raise ArgumentError("words", f"integers from 0 to {2**neurons - 1}", f"{words.min()} to {words.max()}")
    table = np.zeros(2**neurons, dtype=bool)
    table[words] = True
    table[0] = True
    return table


def complexes(codes: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """The faces of codes: all subsets of their words.

    Parameters
    ----------
    codes
        Booleans, axes ``(..., 2**n)``, n from 1 to 16.

    Returns
    -------
    numpy.ndarray
        Booleans with the same axes.

    Raises
    ------
    ArgumentError
        If ``codes`` are no such tables.
    """
    neurons = _require_codes(codes)
    faces = codes.copy()
    for neuron in range(neurons):
        halves = faces.reshape(*codes.shape[:-1], 2 ** (neurons - 1 - neuron), 2, 2**neuron)
        halves[..., 0, :] |= halves[..., 1, :]
    return faces


def obstructions(code: npt.NDArray[np.bool_], *, every: bool = False) -> list[int]:
    """The local obstructions of one code: faces that are no words and whose links are not like a point.

    Parameters
    ----------
    code
        Booleans, axes ``(2**n,)``, n from 1 to 8. A link has at most 7 vertices, and a complex of so few that has the
        holes of a point over Z/2 can be shrunk to one (Bagchi and Datta 2005).
    every
        Ask about every face that is no word. Otherwise only about intersections of maximal words: the link of another
        face is a cone over a vertex.

    Returns
    -------
    list of int
        Ascending.

    Raises
    ------
    ArgumentError
        If ``code`` is no such table, or the word of silence does not belong to it.
    """
    neurons = _require_codes(code, axes=1, at_most=8)
    if not code[0]:
        raise ArgumentError("code", "the word of silence among the words", "a code without it")
    faces = complexes(code)
    asked = np.flatnonzero(faces & ~code) if every else _intersections(faces, neurons)
    return [int(face) for face in asked if not code[face] and not _shrinks(_link(faces, int(face)), neurons)]


def _maximal(faces: npt.NDArray[np.bool_], neurons: int) -> npt.NDArray[np.int64]:
    """The faces of a complex that are in no other face."""
    index = np.flatnonzero(faces)
    larger = index[:, None] | (1 << np.arange(neurons))
    found: npt.NDArray[np.int64] = index[~(faces[larger] & (larger != index[:, None])).any(axis=1)]
    return found


def _intersections(faces: npt.NDArray[np.bool_], neurons: int) -> npt.NDArray[np.int64]:
    """All intersections of maximal faces, ascending, but for the empty one."""
    top = _maximal(faces, neurons)
    found = np.unique(top)
    while True:
        more = np.union1d(found, found[:, None] & top)
        if len(more) == len(found):
            return found[found > 0]
        found = more


def _link(faces: npt.NDArray[np.bool_], face: int) -> bytes:
    """The link of a face, as a table of its faces."""
    index = np.arange(len(faces))
    return bytes((index & face == 0) & faces[index | face])


@functools.lru_cache(maxsize=2**14)
def _shrinks(link: bytes, neurons: int) -> bool:
    """Whether a complex of at most seven vertices can be shrunk to a point; the empty one cannot."""
    top = _maximal(np.frombuffer(link, dtype=bool), neurons)
    words = unpack(top, neurons).astype(bool)
    if not words.any():
        return False
    if words.all(axis=0).any():  # a cone
        return True
    # Of seven vertices the largest hole is that of the boundary of a simplex: up to dimension 5.
    from memscape.tools.complexes import betti_numbers
    from memscape.tools.homology import core

    rest = core(words)
    if rest.shape[1] <= 4:
        return holes(rest, 2) == (1, 0, 0)
    from gudhi import SimplexTree

    tree = SimplexTree()
    for row in rest:
        tree.insert(np.flatnonzero(row).tolist())
    return sum(betti_numbers(tree)) == 1


def obstructed(codes: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which codes have a local obstruction, many at once, by a table of all links.

    Parameters
    ----------
    codes
        Booleans, axes ``(codes, 2**n)``, n from 1 to 4, all with the word of silence.

    Returns
    -------
    numpy.ndarray
        Booleans, axes ``(codes,)``.

    Raises
    ------
    ArgumentError
        If ``codes`` are no such tables, or silence is missing.
    """
    neurons = _require_codes(codes, axes=2, at_most=4)
    if not codes[:, 0].all():
        raise ArgumentError("codes", "the word of silence in every code", "a code without it")
    faces, shrinks = complexes(codes), _table()
    found = np.zeros(len(codes), dtype=bool)
    for face in range(1, 2**neurons):
        others = [neuron for neuron in range(neurons) if not face >> neuron & 1]
        link = np.zeros((len(codes), 8), dtype=bool)
        for small in range(2 ** len(others)):
            link[:, small] = faces[:, face | sum(1 << n for i, n in enumerate(others) if small >> i & 1)]
        found |= faces[:, face] & ~codes[:, face] & ~shrinks[link @ (1 << np.arange(8))]
    return found


@functools.cache
def _table() -> npt.NDArray[np.bool_]:
    """Of all sets of subsets of three vertices, as bytes: which are complexes that can be shrunk to a point.

    With at most three vertices these are the trees and the triangle: connected, and as many vertices as edges and one
    more, or full.
    """
    sets = unpack(np.arange(256), 8).astype(bool)
    vertices, edges = sets[:, [1, 2, 4]].sum(axis=1), sets[:, [3, 5, 6]].sum(axis=1)
    answer: npt.NDArray[np.bool_] = sets[:, 7] | ((vertices > 0) & (edges == vertices - 1))
    return answer


def fixed_points(model: Hopfield) -> list[npt.NDArray[np.int64]]:
    """The fixed points of networks as codes: the neurons that are on, as whole numbers; a tie leaves a neuron as it is.

    Parameters
    ----------
    model
        Networks of 1 to 16 neurons, axes G of networks one or none; fields should be exact, as those of Hebbian
        couplings in whole numbers.

    Returns
    -------
    list of numpy.ndarray
        For each network the words, ascending: bit i is set where neuron i is +1. Self-couplings are not felt.

    Raises
    ------
    ArgumentError
        If ``model`` is none, has more neurons or more axes.
    """
    if not isinstance(model, Hopfield):
        raise ArgumentError("model", "a Hopfield network", described(model))
    neurons = model.couplings.shape[-1]
    if neurons > 16 or model.couplings.dim() > 3:
        raise ArgumentError("model", "at most 16 neurons and one axis of networks", str(tuple(model.couplings.shape)))
    couplings = model.couplings.reshape(-1, neurons, neurons)
    x = torch.from_numpy(states(neurons)).to(couplings)
    fields = x @ without_diagonal(couplings).mT - model.thresholds.reshape(-1, 1, neurons)
    stays = (fields * x >= 0).all(dim=-1).cpu().numpy()
    value = (x.cpu().numpy() > 0) @ (1 << np.arange(neurons))
    return [np.sort(value[each]) for each in stays]


def random_codes(
    sizes: npt.NDArray[np.int64], neurons: int, *, mirrored: bool = False, rng: np.random.Generator
) -> list[npt.NDArray[np.int64]]:
    """Random sets of words of given sizes, uniform, as controls.

    Parameters
    ----------
    sizes
        Number of words of each code, axes ``(codes,)``, 1 to 2^n.
    neurons
        Number of neurons n, 1 to 16.
    mirrored
        Draw words together with their complements; the sizes are then even.
    rng
        A numpy generator.

    Returns
    -------
    list of numpy.ndarray
        Ascending words, 0 to 2^n - 1.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("neurons", neurons, at_least=1, at_most=16)
    require_integers("sizes", sizes, (None,))
    require_rng("rng", rng)
    count = 2**neurons
    if sizes.size and (sizes.min() < 1 or sizes.max() > count or (mirrored and (sizes % 2).any())):
        raise ArgumentError("sizes", f"integers from 1 to {count}, even if mirrored", f"{sizes.min()} to {sizes.max()}")
    require_room(sizes=max(1, sizes.size) * count)
    if not mirrored:
        return [np.sort(rng.choice(count, size, replace=False)) for size in sizes]
    halves = [rng.choice(count // 2, size // 2, replace=False) for size in sizes]
    return [np.sort(np.concatenate([half, count - 1 - half])) for half in halves]


def _require_codes(codes: Any, *, axes: int = 0, at_most: int = 16) -> int:
    length = codes.shape[-1] if isinstance(codes, np.ndarray) and codes.ndim else 0
    neurons = length.bit_length() - 1
    fits = length == 2**neurons and 1 <= neurons <= at_most if length else False
    if not fits or codes.dtype != np.bool_ or (axes and codes.ndim != axes):
        raise ArgumentError(
            "codes" if axes != 1 else "code", f"booleans of 2**n words, n <= {at_most}", described(codes)
        )
    return neurons
