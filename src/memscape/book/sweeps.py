"""Many executions at once, by dask.distributed: single-threaded processes at the desk, or the workers of any scheduler.

One engine serves both. A job (`memscape.book.execute.Job`) is plain data that any worker can carry out which sees the
same folder; `cluster` opens the processes, joins the scheduler whose address it is given, or asks Slurm for workers;
`execute` yields results as they come. Parallelism comes from processes alone: the sums inside a kernel keep their
order, so its numbers do not depend on its neighbours.

Workers may die, and a scheduler may be restarted. A worker that dies in mid-run has its run repeated by another; a
scheduler that is gone is waited for, and what it had not finished is handed out again. A run that takes down worker
after worker is given up and reported.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask
from distributed import Client, LocalCluster, SpecCluster, WorkerPlugin, as_completed, get_worker
from distributed.client import FutureCancelledError
from distributed.comm import parse_address, parse_host_port
from distributed.comm.registry import get_backend
from distributed.scheduler import KilledWorker

import memscape
from memscape.arguments import ArgumentError, require_integer
from memscape.book import yml
from memscape.book.execute import ChapterFailed, Execution, Job, OnProgress

_LOST = (OSError, TimeoutError, asyncio.CancelledError, FutureCancelledError)
"""What a client meets when its scheduler goes away."""

_DEAF = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""What a worker at the desk begins with: a terminal sends Ctrl-C to all, and it is the sweep that ends its workers."""

_ANY_PORT = ":0"  # Dask's own choice is taken where two sweeps run
_SETTINGS = {
    # A hundred times a second Dask looks what a worker does; of a run in a kernel it sees nothing.
    "distributed.worker.profile.enabled": False,
    # A machine that is busy with runs answers late.
    "distributed.comm.timeouts.connect": "120s",
    "distributed.comm.timeouts.tcp": "120s",
}
_CENSUS = 5.0  # seconds between looks whether a cluster has all its workers
_PAUSE = 2.0  # seconds between attempts to reach a scheduler


@contextmanager
def cluster(
    workers: int,
    scheduler: str | None = None,
    slurm: Mapping[str, Any] | None = None,
    *,
    gpu: bool = False,
    on_dashboard: Callable[[str], None] | None = None,
) -> Iterator[Client]:
    """Open a client of ``workers`` single-threaded processes, of a running scheduler, or of workers that Slurm starts.

    Parameters
    ----------
    workers
        Processes at the desk, or jobs of Slurm. A running scheduler has its own.
    scheduler
        The address of a running scheduler, ``tcp://host:8786``.
    slurm
        Keyword arguments of `dask_jobqueue.SLURMCluster`; see `slurm_settings`.
    gpu
        Whether each process at the desk holds one of Dask's resource ``GPU``.
    on_dashboard
        Called with the address of Dask's dashboard; without it none is served at the desk.
    """
    require_integer("workers", workers, at_least=1)
    with ExitStack() as stack, dask.config.set(_SETTINGS):
        if scheduler is not None:
            client = stack.enter_context(Client(scheduler))
        elif slurm is not None:
            from dask_jobqueue import SLURMCluster

            jobs = stack.enter_context(SLURMCluster(**{"scheduler_options": {"dashboard_address": _ANY_PORT}, **slurm}))
            stack.enter_context(_kept(jobs, jobs=workers))
            client = stack.enter_context(Client(jobs))
        else:
            processes = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                # No limit: what a chapter needs is in its kernel, a process of its own that a worker does not count.
                memory_limit=0,
                dashboard_address=_ANY_PORT,
                scheduler_kwargs={"dashboard": on_dashboard is not None},
                resources={"GPU": 1} if gpu else None,
                silence_logs=logging.ERROR,
                preload=[_DEAF],
            )
            stack.enter_context(processes)
            stack.enter_context(_kept(processes, n=workers))
            client = stack.enter_context(Client(processes))
        if on_dashboard is not None:
            on_dashboard(client.dashboard_link)
        yield client


@contextmanager
def _kept(processes: SpecCluster, **count: int) -> Iterator[None]:
    """Keep a cluster at its number of workers: one that stays away for long it would otherwise forget."""

    async def keep() -> None:
        while True:
            processes.scale(**count)
            await asyncio.sleep(_CENSUS)

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(keep())

    keeping = processes.sync(begin)
    try:
        yield
    finally:
        keeping.get_loop().call_soon_threadsafe(keeping.cancel)


def require_address(scheduler: str) -> None:
    """Raise ArgumentError unless this is an address with a port that Dask can read; whether one answers comes later."""
    try:
        scheme, rest = parse_address(scheduler)
        get_backend(scheme)
        _, port = parse_host_port(rest)
        require_integer("port", port, at_least=1, at_most=65535)
    except ValueError:
        raise ArgumentError("scheduler", "the address of a scheduler, tcp://host:8786", repr(scheduler)) from None


def slurm_settings(path: Path) -> dict[str, Any]:
    """Return the arguments of `dask_jobqueue.SLURMCluster` that a YAML file holds; a job has one worker of one thread.

    Raises
    ------
    ArgumentError
        If the file is not there, is no mapping, or names an argument that SLURMCluster does not know.
    """
    try:
        content = yml.read(path)
    except FileNotFoundError:
        raise ArgumentError("slurm", "a YAML file", f"no {path}") from None
    except ArgumentError as error:  # which names the file; here a refusal names the option
        raise ArgumentError("slurm", error.expected, f"{error.argument}, {error.got}") from None
    if not isinstance(content, dict):
        expected = "a mapping of arguments of SLURMCluster: {queue: gpu, memory: 8GB, walltime: '02:00:00'}"
        raise ArgumentError("slurm", expected, type(content).__name__)
    return {"cores": 1, "processes": 1, **content}


def require_same_package(client: Client) -> None:
    """Refuse workers that lack the package or have another version of it, now and whenever one joins.

    Raises
    ------
    ArgumentError
        Naming the worker, the version here and the one there.
    """
    wanted = memscape.__version__

    # A class made here travels by value: a worker without the package could not even name one of its classes.
    class SamePackage(WorkerPlugin):
        name = "memscape-same-package"

        def setup(self, worker: Any) -> None:
            try:
                import memscape as there

                found = f"version {there.__version__}"
            except ImportError:
                found = "no memscape"
            if found != f"version {wanted}":
                raise RuntimeError(f"worker {worker.address}: expected memscape version {wanted}; got {found}.")

    try:
        client.register_plugin(SamePackage())
    except RuntimeError as error:
        raise ArgumentError(
            "workers", f"memscape {wanted} on each", str(error), "Install the same version there."
        ) from None


def execute(
    jobs: Sequence[Job],
    client: Client,
    on_progress: OnProgress = lambda number, position, count: None,
    resources: Mapping[str, float] | None = None,
) -> Iterator[tuple[int, Execution | Exception]]:
    """Yield the number of each job with its execution, or with the exception that ended it, as they come.

    One that fails does not stop the others. `memscape.book.execute.in_turn` does the same without a client.

    Raises
    ------
    OSError, TimeoutError, CancelledError
        Where the scheduler goes away; see `persistently`.
    """
    topic = f"memscape-{uuid.uuid4()}"  # of this call alone: a scheduler may serve several
    client.subscribe_topic(topic, lambda event: on_progress(*event[1]))

    def hand_out(some: Sequence[int]) -> Iterator[tuple[int, Execution | Exception]]:
        numbers = {
            client.submit(_work, jobs[number], number, topic, pure=False, resources=resources): number
            for number in some
        }
        for future in as_completed(numbers):
            if future.status in ("cancelled", "lost"):
                raise FutureCancelledError(future.key, "the scheduler is gone")
            yield numbers[future], future.exception() or future.result()
            future.release()

    suspects = []
    for number, result in hand_out(range(len(jobs))):
        if isinstance(result, KilledWorker):
            suspects.append(number)
        else:
            yield number, result
    # Dask blames a worker's death on every run that waited there too: each is heard once more, alone.
    for suspect in suspects:
        for number, result in hand_out([suspect]):
            yield number, _outcome(result, jobs[number])
    client.unsubscribe_topic(topic)


def persistently(
    jobs: Sequence[Job],
    connect: Callable[[], AbstractContextManager[Client]],
    on_progress: OnProgress = lambda number, position, count: None,
    *,
    resources: Mapping[str, float] | None = None,
    patience: float = 600.0,
    on_lost: Callable[[str], None] = lambda reason: None,
) -> Iterator[tuple[int, Execution | Exception]]:
    """As `execute`, and where the scheduler goes away, wait for it and hand out again what was not finished.

    Parameters
    ----------
    jobs, on_progress, resources
        As for `execute`.
    connect
        Opens a client, as `cluster` does.
    patience
        Seconds without any scheduler after which it is given up.
    on_lost
        Called with the reason whenever the scheduler cannot be reached.

    Raises
    ------
    OSError, TimeoutError, CancelledError
        Where the scheduler does not come back.
    """
    waiting = dict(enumerate(jobs))
    gone: float | None = None
    while waiting:
        numbers = list(waiting)
        try:
            with connect() as client:
                require_same_package(client)
                gone = None
                some = [waiting[number] for number in numbers]
                tell = functools.partial(_renumbered, on_progress, numbers)
                for position, result in execute(some, client, tell, resources):
                    del waiting[numbers[position]]
                    yield numbers[position], result
        except _LOST as error:
            now = time.monotonic()
            gone = now if gone is None else gone
            if now - gone > patience:
                raise
            on_lost(f"{type(error).__name__}: {error}")
            time.sleep(_PAUSE)


def _renumbered(on_progress: OnProgress, numbers: Sequence[int], position: int, cell: int, count: int) -> None:
    on_progress(numbers[position], cell, count)


def _outcome(result: Execution | Exception, job: Job) -> Execution | Exception:
    if isinstance(result, KilledWorker):
        reason = "worker after worker died of it"
        return ChapterFailed(job.chapter.name, reason, job.path or job.chapter.path)
    return result


def _work(job: Job, number: int, topic: str) -> Execution | Exception:
    worker = get_worker()
    if job.limits.mib is None and worker.memory_manager.memory_limit:
        # The kernel is a process of its own, which Dask would neither count nor stop.
        job = replace(job, limits=replace(job.limits, mib=worker.memory_manager.memory_limit / 2**20))
    try:
        return job.run(lambda position, count: worker.log_event(topic, (number, position, count)))
    except ChapterFailed as failure:
        return failure  # an outcome like any other: raised, every worker would log it with a traceback
