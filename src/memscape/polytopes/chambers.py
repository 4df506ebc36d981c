r"""All chambers of an arrangement of stability conditions, one of each kind, and their number by other ways.

The hyperplanes of :mod:`memscape.polytopes.weight_space` cut the space of weights into chambers, and the signed
permutations of the neurons carry chambers to chambers. :func:`chambers` walks from one chamber through its walls to the
next and keeps one of each orbit. It never takes a floating-point number's word for anything:

* a chamber is proved to exist by whole weights inside it;
* a side of a hyperplane that is no wall is proved by a *circuit*: whole numbers m > 0 and sides s with
  :math:`\sum_k m_k s_k a_k = 0`, a pattern of sides that no weights can have. One circuit, with its images, settles
  millions of cases, so that few linear programmes are ever solved.

Three functions count without any search: :func:`regions` by deletion and restriction (Zaslavsky 1975),
:func:`points_off` over a finite field (Athanasiadis 1996), and :func:`acyclic_orientations`, where all degrees are there.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from memscape.arguments import ArgumentError, require_integer
from memscape.polytopes.weight_space import Arrangement, arrangement, separate, states, symmetries

__all__ = ["Chambers", "chambers"]

_ENTRIES = 2**23
_MOST = 52
"""Sides are packed into the 53 bits in which floating-point sums of powers of two are exact."""


@dataclass(frozen=True, eq=False)
class Chambers:
    """One chamber of every orbit of the hyperoctahedral group, with what proves it.

    Parameters
    ----------
    arrangement
        The hyperplanes.
    sides
        Bit k says that the chamber lies where ``arrangement.normals[k] @ w > 0``; axes ``(orbits,)``.
    walls
        Bit k says that hyperplane k carries a facet; axes ``(orbits,)``.
    size
        Number of chambers in the orbit, axes ``(orbits,)``.
    weights
        Whole weights in the chamber, axes ``(orbits, couplings)``.
    circuits
        The patterns of sides that no weights have and that proved the walls complete: pairs of a mask of hyperplanes and
        the bits of their sides, axes ``(circuits, 2)``.
    programmes
        Number of linear programmes that were solved.
    """

    arrangement: Arrangement
    sides: np.ndarray
    walls: np.ndarray
    size: np.ndarray
    weights: np.ndarray
    circuits: np.ndarray
    programmes: int

    @property
    def number(self) -> int:
        """Number of all chambers."""
        return int(self.size.sum())


def unpack(packed: np.ndarray, length: int) -> np.ndarray:
    return packed[..., None] >> np.arange(length) & 1


class _Group:
    """Signed permutations of bits, all images of many bit vectors in one matrix product."""

    def __init__(self, target: np.ndarray, sign: np.ndarray) -> None:
        # Elements that do the same to the bits are one.
        moves = np.unique(np.concatenate([target, sign], axis=1), axis=0)
        self.length = target.shape[1]
        self.target, self.sign = moves[:, : self.length], moves[:, self.length :]
        powers = 2.0**self.target
        self.matrix = (self.sign * powers).T.copy()
        self.offset = np.where(self.sign < 0, powers, 0.0).sum(axis=1)

    def __len__(self) -> int:
        return len(self.target)

    def images(self, packed: np.ndarray) -> np.ndarray:
        images: np.ndarray = unpack(packed, self.length).astype(float) @ self.matrix
        images += self.offset
        return images

    def canonical(self, packed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The least image of each bit vector and the size of its orbit."""
        least = np.empty(len(packed), dtype=np.int64)
        size = np.empty(len(packed), dtype=np.int64)
        step = max(1, _ENTRIES // len(self))
        for start in range(0, len(packed), step):
            images = self.images(packed[start : start + step])
            first = images.min(axis=1)
            least[start : start + step] = first
            size[start : start + step] = len(self) // (images == first[:, None]).sum(axis=1)
        return least, size


class _Circuits:
    """A growing list of patterns of sides that no weights have."""

    def __init__(self, group: _Group) -> None:
        self._group = group
        self.patterns = np.empty((0, 2), dtype=np.int64)

    def add(self, mask: int, value: int) -> None:
        group = self._group
        members = np.flatnonzero(mask >> np.arange(group.length) & 1)
        sides = value >> members & 1
        moved = 1 << group.target[:, members]
        masks = moved.sum(axis=1)
        values = np.where(group.sign[:, members] > 0, sides, 1 - sides)
        values = (values * moved).sum(axis=1)
        # With a pattern the opposite one is impossible, too.
        found = np.stack([np.tile(masks, 2), np.concatenate([values, values ^ masks])], axis=1)
        self.patterns = np.concatenate([self.patterns, np.unique(found, axis=0)])

    def blocked(self, sides: np.ndarray) -> np.ndarray:
        """Bits of the hyperplanes that are no walls of chambers: changing that side alone completes a pattern."""
        bits = np.zeros_like(sides)
        for mask, value in self.patterns:
            rest = (sides ^ value) & mask
            bits |= np.where(rest & (rest - 1), 0, rest)
        return bits

    def possible(self, sides: np.ndarray, since: int = 0) -> np.ndarray:
        """Whether none of the patterns found since then is contained."""
        free = np.ones(len(sides), dtype=bool)
        for mask, value in self.patterns[since:]:
            free &= ((sides ^ value) & mask) != 0
        return free


def _perceptron(normals: np.ndarray, sides: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Whole weights on the given sides, found by adding every violated condition; and for which sides they were found.

    It never stops where there are none.
    """
    signs = 2.0 * unpack(sides, len(normals)) - 1
    rows = normals.astype(float)
    weights = signs @ rows
    open_ = np.arange(len(sides))
    for _ in range(steps):
        violated = np.where(weights[open_] @ rows.T * signs[open_] <= 0, signs[open_], 0.0)
        wrong = violated.any(axis=1)
        open_, violated = open_[wrong], violated[wrong]
        if not len(open_):
            break
        weights[open_] += violated @ rows
    solved = np.ones(len(sides), dtype=bool)
    solved[open_] = False
    return weights.astype(np.int64), solved


def chambers(neurons: int, degrees: Sequence[int], steps: int = 60, chunk: int = 2048, log=None) -> Chambers:
    cut = arrangement(neurons, degrees)
    group = _Group(*symmetries(neurons).on_hyperplanes(cut))
    circuits = _Circuits(group)
    planes = cut.hyperplanes
    first = np.sign(cut.normals @ (3 ** np.arange(cut.dimension)))
    start, weights = (1 << np.flatnonzero(first > 0)).sum(keepdims=True), 3 ** np.arange(cut.dimension)[None]
    key, size = group.canonical(start)
    known = key
    all_sides, all_walls, all_size, all_weights = [start], [], [size], [weights]
    queue, programmes = [start], 0
    while queue:
        sides = np.concatenate(queue) if len(queue) > 1 else queue[0]
        sides, rest = sides[:chunk], sides[chunk:]
        queue = [rest] if len(rest) else []
        free = unpack(~circuits.blocked(sides), planes).astype(bool)
        chamber, plane = np.nonzero(free)
        candidates = sides[chamber] ^ (1 << plane)
        keys, sizes = group.canonical(candidates)
        keys, pick, back = np.unique(keys, return_index=True, return_inverse=True)
        at = np.searchsorted(known, keys)
        old = known[np.minimum(at, len(known) - 1)] == keys
        feasible = old.copy()
        new = np.flatnonzero(~old)
        tested = candidates[pick[new]]
        weights, solved = _perceptron(cut.normals, tested, steps)
        unsolved = np.flatnonzero(~solved)
        while len(unsolved):
            k, unsolved = unsolved[0], unsolved[1:]
            signs = 2 * unpack(tested[k], planes) - 1
            answer = separate(signs[:, None] * cut.normals)
            programmes += 1
            if answer.weights is not None:
                weights[k], solved[k] = answer.weights, True
            else:
                mask = int((1 << np.flatnonzero(answer.multipliers)).sum())
                before = len(circuits.patterns)
                circuits.add(mask, int(tested[k]) & mask)
                unsolved = unsolved[circuits.possible(tested[unsolved], before)]
        feasible[new] = solved
        walls = np.zeros(len(sides), dtype=np.int64)
        yes = feasible[back]
        np.bitwise_or.at(walls, chamber[yes], 1 << plane[yes])
        all_walls.append(walls)
        found = new[solved]
        if len(found):
            queue.append(tested[solved])
            all_sides.append(tested[solved])
            all_size.append(sizes[pick[found]])
            all_weights.append(weights[solved])
            known = np.sort(np.concatenate([known, keys[found]]))
        if log:
            log(len(known), sum(map(len, queue)), len(circuits.patterns), programmes)
    return Chambers(
        cut,
        np.concatenate(all_sides),
        np.concatenate(all_walls),
        np.concatenate(all_size),
        np.concatenate(all_weights),
        circuits.patterns,
        programmes,
    )
