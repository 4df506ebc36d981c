r"""Sets as integers: element i is bit i, and whole arrays of sets are worked on at once.

Permutations of the elements, with or without a change of sides, act on such integers; :class:`BitGroup` finds what a
set looks like up to such a group, for many sets by one product of matrices.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from memscape.arguments import ArgumentError, described, require_integer
from memscape.tools import pieces

__all__ = ["LARGEST", "BitGroup", "bits", "every", "mask", "members", "pack", "subsets", "translated", "unpack"]

LARGEST = 20
"""Most elements of which all subsets are listed: 2**20 subsets of 20 numbers are 170 MB in float64."""

_MOST_ELEMENTS = 2**16

_MOST = 52
"""Most bits that a group moves: sums of powers of two below 2**53 are exact in float64."""

# Bits of 0..63 that differ from their neighbour in bit b of the position: swapping blocks of 2^b bits.
_LOW_BLOCKS = tuple(np.uint64(mask) for mask in (
    0x5555555555555555,
    0x3333333333333333,
    0x0F0F0F0F0F0F0F0F,
    0x00FF00FF00FF00FF,
    0x0000FFFF0000FFFF,
    0x00000000FFFFFFFF,
))  # fmt: skip


def mask(members: Iterable[int]) -> int:
    """The integer of one set of elements 0 to 65535: ``mask([0, 2]) == 5``."""
    try:
        return sum([1 << member for member in members if member < _MOST_ELEMENTS or _refuse(member)])
    except (TypeError, ValueError):
        return _refuse(members)


def _refuse(members: Any) -> int:
    raise ArgumentError("members", f"integers from 0 to {_MOST_ELEMENTS - 1}", repr(members)[:60])


def subsets(count: int) -> list[list[int]]:
    """All subsets of ``count`` elements but the empty one, by size, then lexicographically.

    Raises
    ------
    ArgumentError
        If ``count`` is not an integer from 0 to 20.
    """
    require_integer("count", count, at_least=0, at_most=LARGEST)
    return [list(chosen) for size in range(1, count + 1) for chosen in itertools.combinations(range(count), size)]


def members(sets: np.ndarray) -> list[list[int]]:
    """The elements in each of these bit masks, in increasing order.

    Raises
    ------
    ArgumentError
        If ``sets`` is not a one-dimensional array of numpy.uint64.
    """
    if not isinstance(sets, np.ndarray) or sets.dtype != np.uint64 or sets.ndim != 1:
        raise ArgumentError("sets", "a one-dimensional array of numpy.uint64", described(sets))
    return [np.flatnonzero(row).tolist() for row in unpack(sets, 64)]


def unpack(packed: npt.NDArray[Any], length: int) -> npt.NDArray[Any]:
    """Bits of integers, 0 or 1 in their dtype: axes ``(...)`` to ``(..., length)``, bit i at place i, at most 64."""
    _require_whole("packed", packed)
    require_integer("length", length, at_least=0, at_most=64)
    one = packed.dtype.type(1)
    return packed[..., None] >> np.arange(length, dtype=packed.dtype) & one


def pack(bits: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Integers of booleans, axes ``(..., length)`` to ``(...)``, at most 63 of them; the inverse of :func:`unpack`."""
    if not isinstance(bits, np.ndarray) or bits.dtype.kind not in "biu" or bits.ndim == 0:
        raise ArgumentError("bits", "an array of booleans with axes (..., length)", described(bits))
    length = require_integer("length of bits", bits.shape[-1], at_most=63)
    found: npt.NDArray[np.int64] = bits @ (np.int64(1) << np.arange(length, dtype=np.int64))
    return found


def _require_whole(name: str, value: Any) -> npt.NDArray[Any]:
    if not isinstance(value, np.ndarray) or value.dtype.kind not in "iu":
        raise ArgumentError(name, "a numpy array of integers", described(value))
    return value


def every(elements: int) -> torch.Tensor:
    """Which elements belong to each subset, axes ``(2**n, n)``, bool: element i is bit i of the row's number.

    Raises
    ------
    ArgumentError
        If ``elements`` is not an integer from 1 to 20.
    """
    require_integer("elements", elements, at_least=1, at_most=LARGEST)
    return bits(torch.arange(2**elements, device="cpu"), elements)


def bits(sets: torch.Tensor, elements: int) -> torch.Tensor:
    """Bit masks ``(M)`` of at most 31 elements to booleans ``(M, n)``, on the device of the masks."""
    if not isinstance(sets, torch.Tensor) or sets.is_floating_point() or sets.dim() != 1:
        raise ArgumentError("sets", "a one-dimensional tensor of integers", described(sets))
    require_integer("elements", elements, at_least=0, at_most=31)
    place = torch.arange(elements, dtype=torch.int32, device=sets.device)
    return (sets.to(torch.int32)[:, None] >> place & 1).bool()  # 32 bits are enough, and half the work


def translated(sets: npt.NDArray[np.uint64], shifts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Every member x, from 0 to 63, of each set moved to x XOR its shift; both axes ``(sets)``."""
    if not isinstance(sets, np.ndarray) or sets.dtype != np.uint64:
        raise ArgumentError("sets", "an array of numpy.uint64", described(sets))
    _require_whole("shifts", shifts)
    if sets.shape != shifts.shape:
        raise ArgumentError("shifts", f"shape {sets.shape}, one a set", f"shape {shifts.shape}")
    for bit, low in enumerate(_LOW_BLOCKS):
        width = np.uint64(1 << bit)
        swapped = (sets & low) << width | sets >> width & low
        sets = np.where(shifts >> bit & 1 == 1, swapped, sets)
    return sets


class BitGroup:
    """A group of signed permutations of bits; all images of many bit vectors are one product of matrices.

    Parameters
    ----------
    target
        Where each of at most 52 bits goes, axes ``(elements of the group, bits)``.
    sign
        -1 where the bit is also turned over, else 1; the same axes, or None for permutations alone.
    once
        Whether elements that do the same to all bits are kept once.
    """

    def __init__(self, target: np.ndarray, sign: np.ndarray | None = None, *, once: bool = True) -> None:
        for name, table in [("target", target)] + ([("sign", sign)] if sign is not None else []):
            if _require_whole(name, table).ndim != 2 or 0 in table.shape or table.shape != target.shape:
                raise ArgumentError(name, "axes (elements of the group, bits), none empty", f"shape {table.shape}")
        self.length = require_integer("bits", target.shape[1], at_least=1, at_most=_MOST)
        target = target.astype(np.int64)
        inside = target.min() >= 0 and target.max() < self.length
        # As many bits as there are places: all are set if and only if no place comes twice.
        if not inside or (np.bitwise_or.reduce(1 << target, axis=1) != (1 << self.length) - 1).any():
            raise ArgumentError("target", f"permutations of 0 to {self.length - 1}", "another row")
        if sign is not None and (abs(sign) != 1).any():
            raise ArgumentError("sign", "values -1 and 1", "others")
        sign = np.ones_like(target) if sign is None else sign
        if once:
            # Rows as strings of bytes, which are sorted many times faster than rows of numbers and in the same order.
            moves = np.ascontiguousarray(np.concatenate([target, sign > 0], axis=1), dtype=np.uint8)
            first = np.unique(moves.view(f"V{moves.shape[1]}")[:, 0], return_index=True)[1]
            target, sign = target[first], sign[first]
        self.target, self.sign = target, sign
        self._matrix = np.ldexp(sign.T.astype(float), target.T)
        self._offset = -np.minimum(self._matrix, 0.0).sum(axis=0)

    def __len__(self) -> int:
        """Number of elements."""
        return len(self.target)

    def images(self, packed: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Every image of each bit vector, axes ``(vectors)`` to ``(vectors, elements)``: whole numbers below 2**52."""
        if _require_whole("packed", packed).ndim != 1:
            raise ArgumentError("packed", "axes (vectors)", f"shape {packed.shape}")
        images: npt.NDArray[np.float64] = unpack(packed, self.length).astype(float) @ self._matrix
        images += self._offset
        return images

    def canonical(self, packed: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """The least image of each bit vector and the size of its orbit, each axes ``(vectors)``."""
        if _require_whole("packed", packed).ndim != 1:
            raise ArgumentError("packed", "axes (vectors)", f"shape {packed.shape}")
        least, size = np.empty((2, len(packed)), dtype=np.int64)
        # The images, and what they are compared with.
        for block in pieces.slices(len(packed), pieces.fitting(32 * len(self))):
            images = self.images(packed[block])
            first = images.min(axis=1)
            least[block] = first
            size[block] = len(self) // (images == first[:, None]).sum(axis=1)
        return least, size
