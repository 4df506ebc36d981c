"""Kernels forked from a process that has IPython loaded: loading it is most of what a short run costs.

Every kernel is a fresh process in which nothing was ever executed; only the modules of IPython are there already. The
process they come from, `memscape.book.nursery`, loads no package that computes, so nothing of one run can reach
another. Where a system cannot fork, and for a kernel of another kind, jupyter_client starts it as it always does.
"""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, TypeVar

import psutil
from jupyter_client import KernelConnectionInfo, KernelManager
from jupyter_client.provisioning import LocalProvisioner

__all__ = ["ForkProvisioner", "forked"]

_NAME = "memscape-fork"  # of the entry point in pyproject.toml, by which jupyter_client finds `ForkProvisioner`
_LAUNCH = [sys.executable, "-m", "ipykernel_launcher"]  # what the kernel specification "python3" starts
_NURSERY = Path(__file__).with_name("nursery.py")


_Manager = TypeVar("_Manager", bound=KernelManager)


def forked(manager: _Manager) -> _Manager:
    """Return a manager of a kernel that is not started yet, told to have it forked."""
    assert manager.kernel_spec is not None  # or there is no kernel of that name, which the manager has refused
    manager.kernel_spec.metadata["kernel_provisioner"] = {"provisioner_name": _NAME}
    return manager


class _Kernel(psutil.Process):
    """A kernel's process, with what jupyter_client asks of a `subprocess.Popen` beyond what psutil has."""

    stdin = stdout = stderr = None

    def poll(self) -> int | None:
        """Return None while the process runs."""
        return None if self.is_running() else 0

    def send_signal(self, sig: int) -> None:
        """Send a signal; to a process that has just ended that is no error, as for a Popen."""
        with contextlib.suppress(psutil.NoSuchProcess):
            super().send_signal(sig)


class _Nursery:
    """The process that forks kernels, as seen from the one that wants them."""

    def __init__(self, environment: dict[str, str]) -> None:
        answers, theirs = os.pipe()
        command = [sys.executable, str(_NURSERY), str(theirs)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[theirs], env=environment)
        os.close(theirs)
        self._answers = os.fdopen(answers)
        atexit.register(self.close)

    def kernel(self, arguments: list[str], environment: dict[str, str], folder: str | None) -> _Kernel:
        """Have a kernel forked.

        Raises
        ------
        OSError
            If the process that forks is gone.
        """
        assert self._process.stdin is not None  # it is a pipe
        order = {"arguments": arguments, "environment": environment, "folder": folder}
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._answers.readline()
        if not answer:
            raise ChildProcessError("the process that forks kernels is gone")
        return _Kernel(int(answer))

    def close(self) -> None:
        """Let the process end, and with it the kernels that still run."""
        atexit.unregister(self.close)
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._answers.close()


class ForkProvisioner(LocalProvisioner):
    """How jupyter_client starts, watches and stops a forked kernel."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork a kernel; the command tells its arguments."""
        if cmd[: len(_LAUNCH)] != _LAUNCH or not hasattr(os, "fork"):
            return await super().launch_kernel(cmd, **kwargs)
        environment = {**kwargs["env"], "JPY_PARENT_PID": str(os.getpid())}  # with which a kernel ends
        kernel = _fork(cmd[len(_LAUNCH) :], environment, kwargs.get("cwd"))
        self.process = kernel  # type: ignore[assignment]  # a Popen in all that is asked of it
        self.pid = self.pgid = kernel.pid
        return self.connection_info


_nursery: _Nursery | None = None  # one for this process, from its first kernel on


def _fork(arguments: list[str], environment: dict[str, str], folder: str | None) -> _Kernel:
    """Have a kernel forked by the nursery of this process, by a new one if that is gone."""
    global _nursery
    if _nursery is not None:
        try:
            return _nursery.kernel(arguments, environment, folder)
        except OSError:
            _nursery.close()
    # With the environment of a kernel, for there are modules of IPython that read it as they are imported.
    _nursery = _Nursery(environment)
    return _nursery.kernel(arguments, environment, folder)
