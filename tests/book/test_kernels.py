"""A forked kernel is a fresh process in which nothing ran, and it ends when it should."""

import asyncio
import contextlib
import functools
import os
import signal
import subprocess
import sys

import psutil
import pytest
from jupyter_client import AsyncKernelManager

from memscape.book import kernels

from .test_faults import until

BUSY = """\
import asyncio, os, signal
from jupyter_client import AsyncKernelManager
from memscape.book import kernels

async def main():
    manager = kernels.forked(AsyncKernelManager())
    await manager.start_kernel()
    print(manager.provisioner.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@contextlib.asynccontextmanager
async def running(argv=None, **options):
    """The manager and the client of a forked kernel that is ready."""
    manager = kernels.forked(AsyncKernelManager())
    manager.kernel_spec.argv = argv or manager.kernel_spec.argv
    await manager.start_kernel(**options)
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=300)
        yield manager, client
    finally:
        client.stop_channels()
        await manager.shutdown_kernel()


def ask(*cells, **options):
    """What a forked kernel prints for each of some cells."""

    async def answers():
        found = []
        async with running(**options) as (_, client):
            for cell in cells:
                texts = []
                keep = functools.partial(lambda kept, message: kept.append(message["content"].get("text", "")), texts)
                reply = await client.execute_interactive(cell, timeout=300, output_hook=keep)
                assert reply["content"]["status"] == "ok", reply["content"]
                found.append("".join(texts).strip())
        return found

    return asyncio.run(answers())


def test_kernels_share_nothing_but_the_process_they_come_from():
    says = "import json, os, random; print(os.getpid(), os.getppid(), random.random(), hasattr(json, 'spoilt'))"
    first, second = (ask(says, "json.spoilt = True")[0].split() for _ in range(2))
    assert first[0] != second[0]
    assert first[1] == second[1] != str(os.getpid())
    assert first[2] != second[2]
    assert first[3] == second[3] == "False"


def test_a_kernel_has_what_it_was_given(tmp_path):
    says = "import os, sys; print(os.getcwd(), os.environ['GIVEN'], os.environ['JPY_PARENT_PID'], '' in sys.path)"
    (found,) = ask(says, env=os.environ | {"GIVEN": "this"}, cwd=str(tmp_path))
    assert found.split() == [str(tmp_path), "this", str(os.getpid()), "True"]


def test_what_kernels_come_from_loads_nothing_that_computes_and_runs_no_thread():
    wanted = "{'numpy', 'torch', 'matplotlib', 'memscape', 'scipy', 'pandas'}"
    found, parent = ask(f"import os, sys; print({wanted} & sys.modules.keys())", "print(os.getppid())")
    assert found == "set()"
    assert psutil.Process(int(parent)).num_threads() == 1


def test_a_program_that_a_kernel_starts_is_waited_for():
    (found,) = ask("import subprocess; print(subprocess.run(['false']).returncode)")
    assert found == "1"


def test_a_kernel_can_be_interrupted_and_is_gone_when_it_is_stopped():
    async def interrupted():
        async with running() as (manager, client):
            client.execute("import time; print('asleep', flush=True); time.sleep(60)")
            while (await client.get_iopub_msg(timeout=300))["content"].get("text") != "asleep\n":
                pass
            await manager.interrupt_kernel()
            reply = await client.get_shell_msg(timeout=300)
            return reply["content"]["ename"], manager.provisioner.pid

    error, pid = asyncio.run(interrupted())
    assert error == "KeyboardInterrupt"
    assert not psutil.pid_exists(pid)


def test_a_signal_to_a_kernel_that_has_ended_is_no_error():
    async def late():
        async with running() as (manager, _):
            os.kill(manager.provisioner.pid, signal.SIGKILL)
            until(lambda: not psutil.pid_exists(manager.provisioner.pid))
            await manager.provisioner.send_signal(signal.SIGTERM)
            await manager.provisioner.kill()
            return await manager.is_alive()

    assert not asyncio.run(late())


def test_where_the_process_they_come_from_dies_there_is_a_new_one():
    parent = "import os; print(os.getppid())"
    (first,) = ask(parent)
    os.kill(int(first), signal.SIGKILL)
    (second,) = ask(parent)
    assert first != second


def test_a_kernel_ends_with_the_process_that_wanted_it():
    wanted = subprocess.run([sys.executable, "-c", BUSY], capture_output=True, text=True, check=False)
    assert wanted.returncode == -signal.SIGKILL
    until(lambda: not psutil.pid_exists(int(wanted.stdout)))


def test_another_command_is_started_as_ever():
    argv = [sys.executable, "-u", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    assert ask("import os; print(os.getppid())", argv=argv) == [str(os.getpid())]
    assert ask("import os; print(os.getppid())") != [str(os.getpid())]


def test_a_kernel_that_cannot_be_had_is_an_error(monkeypatch):
    monkeypatch.setattr(kernels, "_NURSERY", "/nowhere.py")
    monkeypatch.setattr(kernels, "_nursery", None)
    with pytest.raises(ChildProcessError, match="the process that forks kernels is gone"):
        ask("1")
