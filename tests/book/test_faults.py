"""What breaks while a sweep runs: processes are really killed, and every run is done once or named with a reason."""

import contextlib
import dataclasses
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import dask
import nbformat
import psutil
import pytest

from memscape.arguments import ArgumentError
from memscape.book import chapters, outcomes, sweeps
from memscape.book.execute import ChapterFailed, Execution, Job, Limits, in_turn

from .conftest import chapter, write

PLAIN = "from pathlib import Path\nimport os, time\nhome = Path(os.environ['MEMSCAPE_HOME'])"
LOG = "with (home / 'log').open('a') as log:\n    print(neurons, seed, file=log)"
CHECK = "from memscape.book import ledger\nledger.check('TOY-1', neurons + seed, chapter='memory/toy', reference=False)"
SWEEP = [sys.executable, "-c", "from memscape.book.cli import main; main()", "sweep", "toy"]


def toy(home, *body):
    write(home, "memory/toy", chapter(LOG, *body, CHECK, begin=PLAIN))
    return chapters.find("memory/toy")


def log(home):
    path = home / "log"
    return path.read_text().split("\n")[:-1] if path.exists() else []


def until(condition, seconds=300):
    """Wait for a condition and return it."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
    return found


def jobs(page, folder, count=4, **options):
    return [Job(page, folder / f"{seed}.ipynb", {"neurons": 20, "seed": seed}, **options) for seed in range(count)]


@contextlib.contextmanager
def program(*command, **environment):
    """A process of Dask's, as an operator starts it."""
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        for each in [process, *psutil.Process(process.pid).children(recursive=True)] if process.poll() is None else []:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        process.wait()


@contextlib.contextmanager
def scheduler(port):
    with program("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard") as process:
        until(lambda: listens(port))
        yield process


def listens(port):
    with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
        return True
    return False


def worker(port, memory="0", **environment):
    options = ("--nthreads", 1, "--memory-limit", memory, "--no-dashboard")
    return program("distributed.cli.dask_worker", f"tcp://127.0.0.1:{port}", *options, **environment)


@pytest.fixture
def port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_worker_killed_in_mid_run_loses_nothing(home, tmp_path):
    hold = "while seed and not (home / 'killed').exists(): time.sleep(0.05)"
    page = toy(home, "(home / f'busy{seed}').write_text(os.environ['JPY_PARENT_PID'])\n" + hold)
    results, busy = {}, home / "busy1"
    with sweeps.cluster(2) as client:
        sweeps.require_same_package(client)
        for number, result in sweeps.execute(jobs(page, tmp_path), client):
            assert number not in results
            results[number] = result
            if len(results) == 1:
                os.kill(int(until(lambda: busy.exists() and busy.read_text())), signal.SIGKILL)
                (home / "killed").touch()
    assert sorted(results) == [0, 1, 2, 3]
    assert all(isinstance(result, Execution) for result in results.values())
    assert len(log(home)) == 5  # one run had to begin again


def test_a_run_that_takes_down_every_worker_is_given_up_and_the_others_finish(home, tmp_path):
    kill = "os.kill(int(os.environ['JPY_PARENT_PID']), 9); time.sleep(60)"
    page = toy(home, f"if seed == 1: {kill}")
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}), sweeps.cluster(1) as client:
        results = dict(sweeps.execute(jobs(page, tmp_path, 3), client))
    assert isinstance(results[1], ChapterFailed)
    assert results[1].error == "worker after worker died of it"
    assert [type(results[number]) for number in (0, 2)] == [Execution] * 2


def test_a_run_that_only_waited_at_a_dead_worker_is_not_blamed(home, tmp_path):
    page = toy(home, "if seed == 0: os.kill(int(os.environ['JPY_PARENT_PID']), 9); time.sleep(60)")
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}), sweeps.cluster(1) as client:
        results = dict(sweeps.execute(jobs(page, tmp_path, 2), client))
    assert [type(results[number]) for number in (0, 1)] == [ChapterFailed, Execution]


def test_a_worker_that_stays_away_too_long_is_replaced(home, tmp_path, monkeypatch):
    page = toy(home)
    monkeypatch.setattr(sweeps, "_CENSUS", 0.2)
    with dask.config.set({"distributed.deploy.lost-worker-timeout": "0s"}), sweeps.cluster(1) as client:
        os.kill(*client.run(os.getpid).values(), signal.SIGKILL)
        results = dict(sweeps.execute(jobs(page, tmp_path, 1), client))
    assert isinstance(results[0], Execution)


def test_a_scheduler_killed_and_restarted_is_waited_for(home, tmp_path, port):
    page = toy(home, "time.sleep(1)")
    lost, results = [], {}

    def connect():
        return sweeps.cluster(1, f"tcp://127.0.0.1:{port}")

    with contextlib.ExitStack() as stack:
        first = stack.enter_context(scheduler(port))
        # Dask's workers end with their scheduler: whoever starts the one again starts the others.
        stack.enter_context(worker(port))
        for number, result in sweeps.persistently(jobs(page, tmp_path), connect, on_lost=lost.append, patience=300):
            assert number not in results
            results[number] = result
            if len(results) == 1:
                first.kill()
                first.wait()
                stack.enter_context(scheduler(port))
                stack.enter_context(worker(port))
    assert lost
    assert sorted(results) == [0, 1, 2, 3]
    assert all(isinstance(result, Execution) for result in results.values())


def test_a_scheduler_that_does_not_come_back_is_given_up(home, tmp_path, port, monkeypatch):
    monkeypatch.setitem(sweeps._SETTINGS, "distributed.comm.timeouts.connect", "1s")
    page = toy(home)

    def connect():
        return sweeps.cluster(1, f"tcp://127.0.0.1:{port}")

    with pytest.raises((OSError, TimeoutError)):
        list(sweeps.persistently(jobs(page, tmp_path), connect, patience=0))
    assert log(home) == []


def test_a_sweep_killed_and_resumed_runs_only_what_is_missing(home):
    toy(home, "time.sleep(0.5)")
    command = [*SWEEP, "-g", "seed=0:5", "-o", str(home / "out"), "-w", "1"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    until(lambda: len(list(home.glob("out/runs/seed=?.ipynb"))) >= 2)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    finished = {path.stem.removeprefix("seed=") for path in home.glob("out/runs/seed=?.ipynb")}
    before = {path: path.read_bytes() for path in home.glob("out/runs/seed=?.ipynb")}
    begun = len(log(home))
    done = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line.split()[1] for line in log(home)[begun:]} == {str(seed) for seed in range(5)} - finished
    assert {path: path.read_bytes() for path in before} == before
    assert outcomes.table(home / "out")["state"].tolist() == ["done"] * 5
    again = subprocess.run([*command, "--resume"], capture_output=True, text=True, check=False)
    assert again.returncode == 0
    assert "0 of 5 runs to do" in again.stdout


def test_a_point_that_always_fails_is_reported_and_the_others_finish(home):
    toy(home, "assert seed != 1, 'never one'")
    command = [*SWEEP, "-g", "seed=0:3", "-o", str(home / "out"), "-w", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "✗ memory/toy: AssertionError: never one" in done.stdout
    assert "✗ 2 runs done, 1 failed" in done.stdout
    assert "Dask's dashboard: http://127.0.0.1:" in done.stdout
    assert done.stderr == ""
    found = outcomes.table(home / "out")
    assert found["state"].tolist() == ["done", "failed", "done"]
    assert found["reason"].tolist() == ["", "AssertionError: never one", ""]


@pytest.mark.parametrize(
    ("cell", "limits", "reason"),
    [
        ("time.sleep(300)", Limits(seconds=10), "took longer than its limit of 10 s"),
        ("x = bytearray(400 * 2**20)\ntime.sleep(60)", Limits(mib=200), "took .* MiB, more than its limit of 200 MiB"),
        ("os.kill(os.getpid(), 9)", Limits(), "the kernel died, perhaps for want of memory"),
    ],
)
def test_a_run_beyond_its_limits_is_stopped_reported_and_not_repeated(home, tmp_path, cell, limits, reason):
    page = toy(home, f"if seed == 0:\n    {cell}".replace("\ntime", "\n    time"))
    with sweeps.cluster(1) as client:
        first, second = jobs(page, tmp_path, 2, limits=limits)
        if limits.seconds:  # the other has time, however busy the machine is
            second = dataclasses.replace(second, limits=Limits(seconds=300))
        results = dict(sweeps.execute([first, second], client))
    assert isinstance(results[0], ChapterFailed)
    assert re.match(reason, results[0].error)
    assert isinstance(results[1], Execution)
    assert log(home).count("20 0") == 1


def test_a_worker_with_a_memory_limit_holds_the_kernel_to_it(home, tmp_path, port):
    page = toy(home, "if seed == 0:\n    x = bytearray(900 * 2**20)\n    time.sleep(60)")
    with scheduler(port), worker(port, "600MiB"), sweeps.cluster(1, f"tcp://127.0.0.1:{port}") as client:
        results = dict(sweeps.execute(jobs(page, tmp_path, 2), client))
    assert isinstance(results[0], ChapterFailed)
    assert re.match("took .* MiB, more than its limit of 600 MiB", results[0].error)
    assert isinstance(results[1], Execution)
    assert log(home).count("20 0") == 1


@pytest.mark.parametrize(
    ("source", "got"),
    [("__version__ = '9.9'", "version 9.9"), ("raise ImportError('not here')", "no memscape")],
)
def test_a_worker_without_the_package_or_with_another_version_is_refused(home, tmp_path, port, source, got):
    other = tmp_path / "other"
    other.mkdir()
    (other / "memscape.py").write_text(source)
    with scheduler(port), worker(port, PYTHONPATH=str(other)), sweeps.cluster(1, f"tcp://127.0.0.1:{port}") as client:
        client.wait_for_workers(1, timeout=300)
        with pytest.raises(ArgumentError, match=f"workers: expected memscape .* on each; got .*; got {got}"):
            sweeps.require_same_package(client)


def numbers(path: Path):
    """All that a run computed: outputs, without what it took."""
    notebook = nbformat.read(path, as_version=4)
    return [cell.get("outputs") for cell in notebook.cells]


def test_two_workers_over_tcp_give_the_numbers_of_the_desk_bit_for_bit(home, tmp_path, port):
    page = toy(home, "import numpy as np\n(np.random.default_rng(seed).normal(size=1000) ** 3).sum().hex()")
    desk, far = (jobs(page, tmp_path / name, 3) for name in ("desk", "far"))
    assert all(isinstance(result, Execution) for _, result in in_turn(desk))
    with scheduler(port), worker(port), worker(port), sweeps.cluster(1, f"tcp://127.0.0.1:{port}") as client:
        client.wait_for_workers(2, timeout=300)
        assert all(isinstance(result, Execution) for _, result in sweeps.execute(far, client))
    assert [numbers(job.path) for job in desk] == [numbers(job.path) for job in far]


def mountable():
    """Whether this machine lets a process have mounts of its own."""
    asked = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0
    return False


needs_mounts = pytest.mark.skipif(not mountable(), reason="mounts of one's own are not allowed here")


def mounted(mounts, home, *command):
    """Run a command of the book's after some mounts that nobody else sees; return what it said and `ls -A disk`."""
    script = f'{mounts} && "$@"; status=$?; ls -A disk; exit $status'
    run = [sys.executable, "-c", "from memscape.book.cli import main; main()", *command]
    return subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *run],
        capture_output=True,
        text=True,
        check=False,
        cwd=home,
    )


@needs_mounts
def test_a_full_disk_is_named_and_leaves_no_half_of_a_notebook(home):
    toy(home, "print('x' * 200_000)")
    (home / "disk").mkdir()
    done = mounted("mount -t tmpfs -o size=64k tmpfs disk", home, "run", "toy", "-o", "disk/toy.ipynb")
    assert done.returncode == 1
    first, *_, left = done.stdout.strip().split("\n")
    assert first == "✗ memory/toy: OSError: [Errno 28] No space left on device"
    assert left == "toy.partial.ipynb"
    assert done.stderr == ""


@needs_mounts
def test_a_read_only_checkout_runs_elsewhere_and_refuses_to_change_itself(home, tmp_path_factory):
    write(home, "memory/toy", chapter("print('done')", begin=PLAIN))
    (home / "disk").mkdir()
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    locked = f"mount --bind {home} {home} && mount -o remount,ro,bind {home} && cd {home}"
    done = mounted(locked, home, "run", "toy", "-o", str(elsewhere / "toy.ipynb"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "done" in (elsewhere / "toy.ipynb").read_text()
    before = (home / "chapters/memory/toy.ipynb").read_bytes()
    done = mounted(locked, home, "execute", "toy")
    assert done.returncode == 1
    assert done.stdout.startswith("✗ memory/toy: OSError: [Errno 30] Read-only file system: ")
    assert done.stderr == ""
    assert (home / "chapters/memory/toy.ipynb").read_bytes() == before
