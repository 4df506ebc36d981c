"""Jobs are carried out here or by processes, with the same result, and one that fails does not stop the others."""

import os
import signal
import time

import nbformat
import pytest

from memscape.arguments import ArgumentError
from memscape.book import chapters, sweeps
from memscape.book.execute import ChapterFailed, Execution, Job, in_turn

PLAIN = "started = 1"  # instead of book.begin, where torch need not be loaded


@pytest.fixture
def jobs(add, home):
    add("memory/toy", "neurons * 2", begin=PLAIN)
    add("memory/bad", "1 / 0", begin=PLAIN)
    toy, bad = (chapters.Chapter(home, f"memory/{name}") for name in ("toy", "bad"))
    out = home / "out"
    return [Job(toy, out / "a.ipynb", {"neurons": 30}), Job(bad, out / "b.ipynb"), Job(toy)]


def check(jobs, results, seen):
    assert sorted(results) == [0, 1, 2]
    assert isinstance(results[0], Execution)
    assert "60" in (jobs[0].path).read_text()
    assert isinstance(results[1], ChapterFailed)
    assert str(results[1]).startswith("memory/bad: ZeroDivisionError: division by zero")
    assert results[1].partial.exists()
    assert results[2].path == jobs[2].chapter.path
    assert nbformat.read(results[2].path, 4).cells[-1].execution_count == 3
    assert {(number, count) for number, _, count in seen} == {(0, 5), (1, 4), (2, 4)}


def test_jobs_are_carried_out_here(jobs):
    seen = []
    results = dict(in_turn(jobs, lambda *event: seen.append(event)))
    check(jobs, results, seen)


def test_jobs_are_carried_out_by_processes_of_one_thread(jobs):
    seen = []
    with sweeps.cluster(2) as client:
        workers = client.run(os.getpid)
        assert len(set(workers.values()) | {os.getpid()}) == 3
        assert set(client.nthreads().values()) == {1}
        # A scheduler anywhere serves as well as the processes started here.
        with sweeps.cluster(1, client.scheduler.address) as other:
            results = dict(sweeps.execute(jobs, other, lambda *event: seen.append(event)))
    check(jobs, results, seen)


def test_two_sweeps_at_once_do_not_get_in_each_other_s_way():
    with sweeps.cluster(1) as one, sweeps.cluster(1) as other:
        assert one.scheduler.address != other.scheduler.address


@pytest.mark.parametrize("workers", [0, -1, 1.5, True])
def test_a_cluster_has_workers(workers):
    with pytest.raises(ArgumentError, match="^workers: expected an integer >= 1"), sweeps.cluster(workers):
        pass


def test_a_worker_at_the_desk_leaves_ctrl_c_to_the_sweep():
    with sweeps.cluster(1) as client:
        before = client.run(os.getpid)
        (process,) = before.values()
        os.kill(process, signal.SIGINT)
        time.sleep(1.0)
        assert client.run(os.getpid) == before
