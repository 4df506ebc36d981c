"""The peers of the benchmarks do the kernels' work, the page shows the run, and memory stays within the budget."""

import importlib
import json
import math
import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from memscape.capacity.votes import answers, unit
from memscape.memory.classifier import Schedule, random_classifier, train
from memscape.memory.dense import exponential_retrieval
from memscape.tools.training import balanced_batches

ROOT = Path(__file__).parents[1]


@pytest.fixture
def benchmarks(monkeypatch):
    """Imports a module of the folder ``benchmarks``, which is no package."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    return importlib.import_module


def uniform(*shape: int, seed: int) -> torch.Tensor:
    return 2.0 * torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) - 1.0


def test_softmax_peers_retrieve_the_same(benchmarks):
    peers = benchmarks("peers")
    queries, patterns, beta = uniform(7, 5, seed=1), uniform(11, 5, seed=2), 0.7
    state = exponential_retrieval(queries, patterns, beta)
    torch.testing.assert_close(peers.softmax_retrieval(queries, patterns, beta), state)
    torch.testing.assert_close(peers.softmax_passes(queries, patterns, beta, 1), state)
    for _ in range(2):
        state = exponential_retrieval(state, patterns, beta)
    torch.testing.assert_close(peers.softmax_passes(queries, patterns, beta, 3), state)


def test_the_loop_of_the_hopfield_layers_stops_its_heads_one_by_one(benchmarks):
    loop = benchmarks("peers_attention").masked_loop
    patterns = torch.stack([uniform(11, 5, seed=1), torch.zeros(11, 5, dtype=torch.float64)])
    queries, beta = uniform(2, 7, 5, seed=2), 0.7
    state = queries
    for steps in (1, 2, 3):
        state = exponential_retrieval(state, patterns, beta)
        torch.testing.assert_close(loop(queries, patterns, beta, steps, eps=1e-12), state)
    # The second head, whose patterns are all zero, is at rest after one step; with a large eps so is the first.
    lazy = loop(queries, patterns, beta, 9, eps=10.0)
    torch.testing.assert_close(lazy, loop(queries, patterns, beta, 2, eps=1e-12))


def test_the_plain_vote_gives_the_same_answers(benchmarks):
    memories, images, labels = unit(uniform(40, 6, seed=1)), unit(uniform(9, 6, seed=2)), torch.arange(40) % 3
    asked = {"powers": [2, 5, 80, math.inf], "counts": [1, 17, 40], "classes": 3}
    found = benchmarks("peers_votes").plain_votes(memories, labels, images, **asked)
    assert torch.equal(found, answers(memories, labels, images, **asked))
    assert len(found.unique()) == 3


@pytest.mark.parametrize(("power", "loss"), [(2, 4), (3, 6), (8, 10)])
def test_classifier_peers_make_the_same_steps(benchmarks, power, loss):
    peers = benchmarks("peers")
    pixels, classes, batch, steps = 9, 3, 6, 4
    images, digits = uniform(batch * steps, pixels, seed=3), torch.arange(batch * steps) % classes
    start = random_classifier(
        5, pixels, classes, power=power, temperature=4.0, rng=np.random.default_rng(4), dtype=torch.float64
    )
    schedule = Schedule(epochs=1, loss=loss, hot=4.0, cold=4.0, rate=0.03, momentum=0.7, batch=batch)
    ours = list(train(start, images, digits, schedule, generator=torch.Generator().manual_seed(5)))[-1]

    settings = {"n": power, "m": loss // 2, "temperature": 4.0, "rate": 0.03, "momentum": 0.7}
    autograd = torch.cat([start.images, start.labels], dim=1)
    velocity = torch.zeros_like(autograd)
    printed, printed_velocity = autograd.clone().numpy(), velocity.clone().numpy()
    for members in balanced_batches(digits, batch, generator=torch.Generator().manual_seed(5)):
        targets = 2.0 * torch.nn.functional.one_hot(digits[members], classes).double() - 1.0
        outputs = peers.autograd_step(autograd, velocity, images[members], targets, **settings)
        same = peers.notebook_step(printed, printed_velocity, images[members].numpy(), targets.numpy(), **settings)
        np.testing.assert_allclose(outputs.numpy(), same, atol=1e-12)
    moved = torch.cat([ours.images, ours.labels], dim=1)
    assert (moved - torch.cat([start.images, start.labels], dim=1)).abs().max() > 0.03
    torch.testing.assert_close(moved, autograd)
    torch.testing.assert_close(moved, torch.from_numpy(printed))


def test_the_page_shows_the_recorded_runs(benchmarks):
    table = benchmarks("table")
    runs = table.stored(table.RESULTS)
    text = table.README.read_text()
    assert table.replaced(text, table.render(runs)) == text, "run `python benchmarks/table.py`"
    assert [table.kept(results) for results in runs] == sorted(path.name for path in table.RESULTS.iterdir())
    assert runs
    recorded = {record["file"] for results in runs for record in results["kernels"]}
    assert recorded == {path.name for path in (ROOT / "benchmarks").glob("bench_*.py")}
    for results in runs:
        for record in results["kernels"]:
            for name, peer in record["peers"].items():
                assert peer["low"] <= peer["ratio"] <= peer["high"]
                assert peer["target"] is None or peer["ratio"] >= peer["target"], f"{record['kernel']}: {name}"


def run_of(processor: str, ratio: float, *more: str) -> dict:
    """What a benchmark run on a processor may leave, with kernels that other runs do not have."""
    peers = {"a peer": {"ratio": ratio, "low": 1.0, "high": 9.0, "target": ratio - 1.0 or None}}
    bound = [{"resource": "float32 matmul", "amount": 2e9, "unit": "flop", "rate": 1e11}]
    record = {"size": "N = 3", "peers": peers, "bound": bound, "why": "a product", "times_the_bound": 2.0}
    kernels = [{"file": f"bench_{name}.py", "kernel": name} | record for name in ("kernel", *more)]
    return {"processor": processor, "versions": {"torch": "2.1"}, "kernels": kernels}


def test_processors_stand_side_by_side(benchmarks, tmp_path, monkeypatch):
    table = benchmarks("table")
    monkeypatch.setattr(table, "RESULTS", tmp_path / "benchmarks")
    monkeypatch.setattr(table, "README", tmp_path / "README.md")
    table.README.write_text(f"Before.\n{table.BEGIN}old{table.END}\nAfter.")
    for results in (run_of("Y(R) CPU 7, AVX512", 1.0, "other"), run_of("X One, AVX2", 2.0), run_of("X One, AVX2", 3.0)):
        (tmp_path / "run.json").write_text(json.dumps(results))
        table.main(tmp_path / "run.json")
    assert sorted(path.name for path in table.RESULTS.iterdir()) == ["x-one-avx2.json", "y-r-cpu-7-avx512.json"]
    assert not (tmp_path / "run.json").exists()
    lines = table.README.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("Before.", "After.")
    assert "| kernel | N = 3 | a peer | **3** (1 to 9, target 2) | **1** (1 to 9) |" in lines
    assert "| other | N = 3 | a peer | - | **1** (1 to 9) |" in lines
    assert lines.count("| kernel | float32 matmul: 2 Gflop / 100 Gflop/s | a product | 2 |") == 2


def test_a_run_of_some_benchmarks_leaves_the_others_where_versions_are_the_same(benchmarks, tmp_path, monkeypatch):
    table = benchmarks("table")
    monkeypatch.setattr(table, "RESULTS", tmp_path / "benchmarks")
    monkeypatch.setattr(table, "README", tmp_path / "README.md")
    table.README.write_text(f"{table.BEGIN}{table.END}")

    def shown(results: dict) -> list[tuple[str, float]]:
        (tmp_path / "run.json").write_text(json.dumps(results))
        table.main(tmp_path / "run.json")
        (kept,) = table.stored(table.RESULTS)
        return [(record["kernel"], record["peers"]["a peer"]["ratio"]) for record in kept["kernels"]]

    assert shown(run_of("X", 2.0, "other", "a third")) == [("kernel", 2.0), ("other", 2.0), ("a third", 2.0)]
    assert shown(run_of("X", 3.0)) == [("a third", 2.0), ("kernel", 3.0), ("other", 2.0)]
    assert "| other | N = 3 | a peer | **2** (1 to 9, target 1) |" in table.README.read_text()
    more = run_of("X", 5.0)
    assert shown(more | {"versions": more["versions"] | {"a peer": "1.0"}})[1:] == [("kernel", 5.0), ("other", 2.0)]
    assert shown(run_of("X", 6.0))[1:] == [("kernel", 6.0), ("other", 2.0)]
    assert "a peer 1.0" in table.README.read_text()
    assert shown(run_of("X", 4.0) | {"versions": {"torch": "2.2"}}) == [("kernel", 4.0)]


def test_the_table_prints_amounts_with_prefixes(benchmarks):
    quantity = benchmarks("table").quantity
    assert quantity(2.05e9, "flop") == "2.05 Gflop"
    assert quantity(6.6e7, "look-up") == "66 M look-up"
    assert quantity(12.0, "flop") == "12 flop"


class Clock:
    """A processor whose time passes only where it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def work(self, seconds: float):
        def run() -> None:
            self.now += seconds

        return run


class Stopwatch:
    """What :class:`harness.Race` needs of pytest-benchmark's fixture."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.fullname, self.extra_info = clock, "folder/bench_x.py::bench_y", {}
        self.stats = SimpleNamespace(stats=SimpleNamespace(data=[]))

    def pedantic(self, target, setup, rounds: int) -> None:
        for _ in range(rounds):
            setup()
            start = self.clock()
            target()
            self.stats.stats.data.append(self.clock() - start)


def test_a_race_compares_whole_kernels_and_holds_targets(benchmarks, monkeypatch):
    harness, clock = benchmarks("harness"), Clock()
    monkeypatch.setattr(harness.time, "process_time", clock)
    monkeypatch.setattr(harness, "rate_probe", lambda resource: (50.0, clock.work(0.5)))
    # Half the kernel in 2 s, so 4 s for all of it; a quarter of the peer's in 3 s, so 12 s; 200 operations at 100/s.
    peer = harness.Peer(clock.work(3.0), target=3.0, share=0.25)
    bound = {harness.MATMUL: 200.0}
    stopwatch = Stopwatch(clock)
    harness.Race(stopwatch).run("k", "s", clock.work(2.0), {"p": peer}, bound, "w", rounds=5, share=0.5)
    assert stopwatch.extra_info == {
        "file": "bench_x.py",
        "kernel": "k",
        "size": "s",
        "rounds": 5,
        "peers": {"p": {"ratio": 3.0, "low": 3.0, "high": 3.0, "target": 3.0}},
        "bound": [{"resource": harness.MATMUL, "amount": 200.0, "unit": "flop", "rate": 100.0}],
        "why": "w",
        "times_the_bound": 2.0,
    }
    with pytest.raises(AssertionError, match="k: 3.00 times p"):
        harness.Race(Stopwatch(clock)).run(
            "k", "s", clock.work(2.0), {"p": replace(peer, target=3.1)}, bound, "w", rounds=5, share=0.5
        )
    for most, outcome in ((2.0, nullcontext()), (1.9, pytest.raises(AssertionError, match="k: 2 bounds"))):
        with outcome:
            harness.Race(Stopwatch(clock)).run(
                "k", "s", clock.work(2.0), {}, bound, "w", rounds=5, share=0.5, bounds=most
            )


PEAKS = """
import gc, json, sys
from pathlib import Path
import torch
from memscape.memory.dense import DenseMemory, Power
from memscape.memory.dynamics import asynchronous
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces

budget, *sizes = map(int, sys.argv[1:])
generator = torch.Generator().manual_seed(0)
patterns = random_patterns(4000, 32, generator=generator, dtype=torch.float32)
states = random_patterns(max(sizes), 32, generator=generator, dtype=torch.float32)
model = DenseMemory(patterns, Power(4))
kernels = {
    "energy": model.energy,
    "field": model.field,
    "update": model.update,
    "asynchronous": lambda states: asynchronous(model, states, sweeps=2, generator=generator),
}

def kilobytes(field):
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[field].split()[0])

def peak(kernel, states):
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forget the highest use so far
    before = kilobytes("VmRSS")
    with pieces.budget(budget):
        kernel(states)
    return 1024 * (kilobytes("VmHWM") - before)

for kernel in kernels.values():
    kernel(states[:2])  # what libraries set aside at their first call is not ours
print(json.dumps({name: [peak(kernel, states[:size]) for size in sizes] for name, kernel in kernels.items()}))
"""
SIZES, BUDGET = (500, 1000, 2000), 24 * 2**20


@pytest.fixture(scope="module")
def peaks() -> dict[str, list[int]]:
    """Bytes by which the memory of a process grows at its highest, by kernel and number of probes."""
    if sys.platform != "linux":
        pytest.skip("only Linux lets a process reset its own record of the highest memory use")
    # Freed memory goes back to the system at once, so that one measurement does not hide the next.
    environment = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"}
    command = [sys.executable, "-c", PEAKS, *map(str, (BUDGET, *SIZES))]
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return json.loads(found.stdout)


@pytest.mark.parametrize("kernel", ["energy", "field", "update", "asynchronous"])
def test_doubling_the_probes_keeps_peak_memory_within_the_budget(peaks, kernel):
    # Unchunked, 2000 probes times 4000 patterns take 31 MiB as int32 and 61 MiB as float64. States and results are the
    # caller's: a few copies of 2000 states are allowed on top of the budget.
    states = max(SIZES) * 32 * 8
    found = [f"{peak / 2**20:.1f} MiB" for peak in peaks[kernel]]
    assert max(peaks[kernel]) <= BUDGET + 8 * states, found
    assert min(peaks[kernel]) >= 2**19, found  # else nothing was measured


def test_the_plain_census_finds_the_same_fates(benchmarks):
    bench, peers = benchmarks("bench_hopfield_category"), benchmarks("peers_hopfield_category")
    some = [each[::97] for each in bench.networks()]
    periods, steps = peers.plain_census(*(each.long().tolist() for each in some), bench.CAP)
    assert bench.fates("replacing", *some, cap=bench.CAP).period.tolist() == periods
    assert steps >= sum(max(1, period) for period in periods)


def test_sublevel_peers_find_the_same_pieces(benchmarks):
    pytest.importorskip("gudhi")
    peers, energy = benchmarks("peers_sublevel"), benchmarks("bench_sublevel").energy
    plain = energy(7).numpy()
    ours = peers.rows(benchmarks("bench_sublevel").piece_bars(energy(7))[0].rows())
    assert ours == peers.cube_pieces(plain) == peers.graph_pieces(plain) == peers.plain_pieces(plain)


@pytest.mark.parametrize("peer", ["gudhi", "ripser"])
def test_peers_of_order_complexes_find_the_same_curves(benchmarks, peer):
    pytest.importorskip(peer)
    bench, peers = benchmarks("bench_clique_topology"), benchmarks("peers_clique_topology")
    order = bench.table("distances in dimension 5")[:20, :20].double()
    order = bench.ranks(-order, generator=torch.Generator().manual_seed(3))
    found = bench.betti_curves(order, 2).numpy()
    assert found[1].any()
    np.testing.assert_array_equal(found, getattr(peers, f"{peer}_curves")(order.double().numpy(), 2, 95))
