"""How many threads torch computes with: one, unless the machine is yours alone.

Outside the book nobody sets threads. torch takes as many as there are cores, and on a busy machine they wait for each
other: two OpenMP threads beside other work were 20 times slower than one on the same small tensors. So compute with one
thread a process where several processes run, and leave torch its own choice for large tensors on a quiet machine. The
environment variables ``OMP_NUM_THREADS=1`` and ``OMP_WAIT_POLICY=PASSIVE``, set before Python starts, do the same for
all libraries of a process.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from memscape.arguments import require_integer

__all__ = ["threads"]


@contextmanager
def threads(count: int = 1) -> Iterator[None]:
    """Let torch compute with ``count`` threads inside the block, and with as many as before after it.

    Parameters
    ----------
    count
        Threads of one operation, 1 to 32768.

    Raises
    ------
    ArgumentError
        If the count is not an integer in that range.
    """
    require_integer("count", count, at_least=1, at_most=2**15)
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
