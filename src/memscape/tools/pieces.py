"""One memory budget for everything large, so that what fits in memory also runs.

A kernel whose intermediate results grow with two of its axes works through one of them in pieces. How many bytes a
piece may take is said once, here, for the whole library; what it is does not depend on what is computed, and results do
not depend on it (beyond rounding, where sums are rounded). A caller sets it around the calls that it is meant for::

    with pieces.budget(2**33):  # eight gigabytes, on a GPU that has them
        model.energy(states)
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from memscape.arguments import require_count, require_integer

__all__ = ["BUDGET", "CACHE", "budget", "cached", "fitting", "slices"]

BUDGET = 2**28
"""Bytes that the intermediate results of one call may take unless :func:`budget` says otherwise (256 MiB)."""

CACHE = 2**21
"""Bytes that one core of a processor works on at once, so that they stay in its own cache (2 MiB)."""

# A global, not a context variable, because torch.compile follows globals only.
_budget = BUDGET


@contextmanager
def budget(size: int) -> Iterator[None]:
    """Let intermediate results take ``size`` bytes inside the block, in every thread of the process.

    Parameters
    ----------
    size
        Bytes, at least 1. A piece is never smaller than one item, so less may not be possible.

    Raises
    ------
    ArgumentError
        If the size is not a positive integer.
    """
    global _budget
    before = _budget
    _budget = require_integer("size", size, at_least=1)
    try:
        yield
    finally:
        _budget = before


def fitting(each: int) -> int:
    """How many items of ``each`` bytes, at least 1, the budget allows at once, at least 1."""
    return max(1, _budget // _positive("each", each))


def cached(each: int, *, at_least: int = 1) -> int:
    """How many items of ``each`` bytes a core's own cache holds, for kernels that pass over a piece several times.

    Parameters
    ----------
    each
        Bytes of one item.
    at_least
        Items that a piece needs for the time between two pieces not to show.
    """
    return max(_positive("at_least", at_least), CACHE // _positive("each", each))


def slices(count: int, width: int) -> list[slice]:
    """The range of ``count`` items in slices of ``width``, at least 1; the last one may be shorter."""
    require_count("count", count, at_least=0)
    _positive("width", width)
    return [slice(start, min(start + width, count)) for start in range(0, count, width)]


def _positive(argument: str, value: int) -> int:
    # The usual case without a call, which torch.compile would follow.
    return value if type(value) is int and value > 0 else require_integer(argument, value, at_least=1)
