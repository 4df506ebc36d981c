"""What a run cost and what it ran on, measured in the kernel that ran it: never which machine it was."""

from __future__ import annotations

import platform
import resource
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

PACKAGES = ("torch", "numpy", "scipy", "matplotlib")
"""The packages whose versions are recorded."""


_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def facts() -> dict[str, Any]:
    """Return peak memory, versions, and the kind of processor and GPU of this process.

    Returns
    -------
    dict
        ``user_seconds`` (user time on one core of this process and of those it has waited for, which says little of
        what else the machine did), ``peak_mib`` (the largest resident memory so far, in MiB), ``python``, ``versions``
        (by package), ``processor`` and, where this process has used a GPU, ``gpu`` and ``gpu_peak_mib``.
    """
    found: dict[str, Any] = {
        "user_seconds": round(sum(resource.getrusage(who).ru_utime for who in _WHO), 1),
        "peak_mib": round(_peak_bytes() / 2**20),
        "python": platform.python_version(),
        "versions": {package: version(package) for package in PACKAGES},
        "processor": platform.machine(),
    }
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
