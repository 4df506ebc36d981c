"""Many executions at once, by dask.distributed: single-threaded processes at the desk, or the workers of any scheduler.

One engine serves both. A `Job` is plain data that any worker can carry out which sees the same folder; `cluster` opens
the processes, or joins the scheduler whose address it is given; `execute` yields results as they come. Parallelism
comes from processes alone: the sums inside a kernel keep their order, so its numbers do not depend on its neighbours.
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distributed import Client, LocalCluster, as_completed, get_worker

from memscape.arguments import require_integer
from memscape.book import execute as chapter_execution
from memscape.book.chapters import Chapter
from memscape.book.execute import Execution

OnProgress = Callable[[int, int, int], None]
"""Called as a job begins a cell: the job's number, the cell's position, the number of cells."""


@dataclass(frozen=True)
class Job:
    """One execution: a chapter, where its notebook goes (None: in place), and the values to run it at."""

    chapter: Chapter
    path: Path | None = None
    values: dict[str, Any] = field(default_factory=dict)
    profile: str = "desk"

    def run(self, on_cell: chapter_execution.OnCell | None = None) -> Execution:
        """Carry the job out in this process."""
        if self.path is None:
            return chapter_execution.in_place(self.chapter, on_cell)
        return chapter_execution.to(self.chapter, self.path, self.values, profile=self.profile, on_cell=on_cell)


@contextmanager
def cluster(workers: int, scheduler: str | None = None) -> Iterator[Client]:
    """Open a client of ``workers`` processes with one thread each, or of the scheduler at the address ``scheduler``."""
    require_integer("workers", workers, at_least=1)
    if scheduler is not None:
        with Client(scheduler) as client:
            yield client
        return
    # No memory limit: what a chapter needs is in its kernel, a process of its own that a worker does not count.
    with (
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            memory_limit=0,
            dashboard_address=None,
            silence_logs=logging.ERROR,
        ) as processes,
        Client(processes) as client,
    ):
        yield client


def execute(
    jobs: Sequence[Job], client: Client | None = None, on_progress: OnProgress = lambda number, position, count: None
) -> Iterator[tuple[int, Execution | Exception]]:
    """Yield the number of each job with its execution, or with the exception that ended it, as they come.

    Without a client the jobs are carried out here, one after the other. One that fails does not stop the others.
    """
    if client is None:
        for number, job in enumerate(jobs):
            try:
                yield number, job.run(functools.partial(on_progress, number))
            except Exception as error:
                yield number, error
        return
    topic = f"memscape-{uuid.uuid4()}"  # of this call alone: a scheduler may serve several
    client.subscribe_topic(topic, lambda event: on_progress(*event[1]))
    numbers = {client.submit(_work, job, number, topic, pure=False): number for number, job in enumerate(jobs)}
    for future in as_completed(numbers):
        failure = future.exception()
        yield numbers[future], future.result() if failure is None else failure
    client.unsubscribe_topic(topic)


def _work(job: Job, number: int, topic: str) -> Execution:
    worker = get_worker()
    return job.run(lambda position, count: worker.log_event(topic, (number, position, count)))
