"""The process that kernels are forked from. A program, not a module: nothing of the package is loaded in it.

It forks a kernel for every line of its standard input, an object in JSON with the kernel's ``arguments``,
``environment`` and working ``folder``, and writes the kernel's process number to the file descriptor it is given. When
its input ends, so does it. See `memscape.book.kernels`, which starts it.
"""

import gc
import json
import os
import signal
import sys
from importlib import import_module

# What a kernel imports until it has answered. None of it computes, starts a thread or opens a socket.
LOADED = (
    "ipykernel.kernelapp",
    "ipykernel.debugger",
    "IPython.core.completerlib",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "tornado.platform.asyncio",
)


def serve(answers: int) -> None:
    """Fork kernels until the input ends."""
    for module in LOADED:
        import_module(module)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the kernels: they are gone when they end
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin.buffer:
        if os.fork() == 0:
            become_a_kernel(answers, **json.loads(line))


def become_a_kernel(answers: int, arguments: list[str], environment: dict[str, str], folder: str | None) -> None:
    """Do in a forked process what ``python -m ipykernel_launcher`` does in a new one; never return."""
    os.setsid()  # an interrupt is sent to the whole session
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.write(answers, b"%d\n" % os.getpid())
    os.close(answers)
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    if folder is not None:
        os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    import ipykernel_launcher
    from ipykernel.kernelapp import launch_new_instance

    sys.argv = [ipykernel_launcher.__file__, *arguments]

    launch_new_instance()
    sys.exit()


if __name__ == "__main__":
    del sys.path[0]  # this file's own folder
    serve(int(sys.argv[1]))
