"""What a run cost and what it ran on, measured in the kernel that ran it: never which machine it was."""

from __future__ import annotations

import platform
import resource
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

PACKAGES = ("torch", "numpy", "scipy", "matplotlib")
"""The packages whose versions are recorded."""

ORDINARY = 0.085
"""User seconds that the piece of work which measures the pace takes on a core that counts as ordinary."""

_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def facts() -> dict[str, Any]:
    """Return peak memory, versions, and the kind of processor and GPU of this process.

    Returns
    -------
    dict
        ``user_seconds`` (user time on one core of this process and of those it has waited for, which says little of
        what else the machine did), ``pace`` (how many times as long as an ordinary core this one takes for the same
        work, dimensionless: shared machines are slower at some hours than at others), ``peak_mib``
        (the largest resident memory so far, in MiB), ``python``, ``versions``
        (by package), ``processor`` and, where this process has used a GPU, ``gpu`` and ``gpu_peak_mib``.
    """
    found: dict[str, Any] = {
        "user_seconds": round(sum(resource.getrusage(who).ru_utime for who in _WHO), 1),
        "peak_mib": round(_peak_bytes() / 2**20),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in PACKAGES},
        "processor": platform.machine(),
    }
    found["pace"] = round(_pace(), 2)
    torch = sys.modules.get("torch")  # not imported here: that would add to the memory it measures
    if torch is not None:
        # The instruction set decides the last digits of a sum.
        found["processor"] += f", {torch.backends.cpu.get_cpu_capability()}"
        if torch.cuda.is_initialized():
            found["gpu"] = torch.cuda.get_device_name()
            found["gpu_peak_mib"] = round(torch.cuda.max_memory_allocated() / 2**20)
    return found


def _peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        # Not getrusage, which on Linux starts from the peak of the process that launched this one.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS


def _pace() -> float:
    # What chapters do: the interpreter, products of matrices, sweeps over memory, a third of the time each.
    begin, total = time.process_time(), 0
    for n in range(6 * 10**5):
        total += n
    matrix = np.full((400, 400), 1 / 400)
    for _ in range(12):
        matrix = matrix @ matrix
    sweep = np.ones(2**17)
    for _ in range(200):
        sweep = np.sqrt(sweep + 1.0)
    return (time.process_time() - begin) / ORDINARY
