"""Two hundred trivial runs of a chapter by `memscape sweep` against as many plain calls of papermill, one by one."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from harness import record

RUNS = 200
CORES = 2

NOTEBOOK = """\
import nbformat
from nbformat.v4 import new_code_cell, new_notebook

cells = [
    new_code_cell("seed: int = 0  # seed [0, 1000]", metadata={"tags": ["parameters"]}),
    new_code_cell("total = seed * 2\\ntotal"),
]
kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
nbformat.write(new_notebook(cells=cells, metadata=kernel), "chapters/memory/toy.ipynb")
"""

PAPERMILL = """\
import sys, papermill

for seed in range(int(sys.argv[1])):
    papermill.execute_notebook("chapters/memory/toy.ipynb", f"plain/{seed}.ipynb", {"seed": seed}, progress_bar=False)
"""

SWEEP = "from memscape.book.cli import main; main()"

KERNELS = """\
import sys
from jupyter_client.manager import start_new_kernel

for _ in range(int(sys.argv[1])):
    manager, client = start_new_kernel()
    client.execute_interactive("2 * 2", silent=True)
    client.stop_channels()
    manager.shutdown_kernel()
"""


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A book of one trivial chapter, and as many cores as the comparison asks for."""
    (tmp_path / "chapters/memory").mkdir(parents=True)
    (tmp_path / "plain").mkdir()
    for name, text in [("pyproject.toml", '[project]\ndependencies = ["torch==2"]\n'), ("requirements.lock", "")]:
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEMSCAPE_HOME", str(tmp_path))
    subprocess.run([sys.executable, "-c", NOTEBOOK], check=True)
    pinned = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count()))
    if len(os.sched_getaffinity(0)) < CORES:
        pytest.skip(f"this comparison is one of {CORES} cores")
    yield tmp_path
    os.sched_setaffinity(0, pinned)


def seconds(source, *arguments):
    """Wall time of a Python process with all that it starts."""
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", source, *map(str, arguments)], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def bench_sweep(benchmark, book: Path) -> None:
    plain = seconds(PAPERMILL, RUNS)
    sweep = ("sweep", "toy", "-g", f"seed=0:{RUNS}")
    ours = benchmark.pedantic(lambda: seconds(SWEEP, *sweep, "-o", "out", "-w", CORES), rounds=1)
    alone = seconds(SWEEP, *sweep, "-o", "alone", "-w", 1)
    assert len(list((book / "out/runs").glob("*.ipynb"))) == RUNS == len(list((book / "plain").glob("*.ipynb")))
    bare = seconds(KERNELS, RUNS // 10)
    record(
        benchmark,
        "a sweep of trivial runs",
        f"{RUNS} runs, {CORES} cores, a fresh kernel each, from the start of the command to its end; wall time",
        {
            "plain papermill, one call after the other": (plain / ours, 1.7),
            "the same, with one worker": (plain / alone, 0.9),
        },
        ours / (bare * 10 / CORES),
        f"no bound but {RUNS} kernels started from nothing, on {CORES} cores",
    )
