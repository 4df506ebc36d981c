"""Time a kernel and its peers in turns, and say how far the kernel is from what the processor can do.

Every round runs each peer, each probe of the processor's rates, and then the kernel. A ratio is taken within a round,
so that a drift of the clock or a busy neighbour touches both sides; what is reported is the median over the rounds with
the quartiles. Seconds are never reported: they belong to a machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

MATMUL, LOOK_UP = "float32 matmul", "table look-up"
UNITS = {MATMUL: "flop", LOOK_UP: "look-up"}


@cache
def rate_probe(resource: str) -> tuple[float, Callable[[], object]]:
    """An amount of work that keeps one resource of the processor busy for some milliseconds, and the call to do it."""
    if resource == MATMUL:
        matrix = torch.rand(768, 768)
        product = torch.empty_like(matrix)
        return 2.0 * 768**3, lambda: torch.mm(matrix, matrix, out=product)
    if resource == LOOK_UP:
        # Small enough to stay in the cache next to the core.
        table, found = torch.rand(101), torch.empty(2**14)
        index = torch.arange(2**14, dtype=torch.int32) % 101

        def look_ups() -> None:
            for _ in range(256):
                torch.index_select(table, 0, index, out=found)

        return 256.0 * 2**14, look_ups
    raise KeyError(resource)


@dataclass(frozen=True)
class Peer:
    """Something to race against.

    Attributes
    ----------
    run
        Does the work once.
    target
        Smallest ratio (peer's time over ours) that passes, or None where there is none to keep.
    share
        Part of the kernel's work that one run does; the time is scaled up by 1 / share.
    """

    run: Callable[[], object]
    target: float | None = None
    share: float = 1.0


class Race:
    """One kernel against its peers.

    Parameters
    ----------
    benchmark
        pytest-benchmark's fixture; it times the kernel, and ``setup`` of each of its rounds times everybody else.
    """

    def __init__(self, benchmark: Any) -> None:
        self._benchmark = benchmark

    def run(
        self,
        kernel: str,
        size: str,
        ours: Callable[[], object],
        peers: Mapping[str, Peer],
        bound: Mapping[str, float],
        why: str,
        *,
        rounds: int = 7,
        share: float = 1.0,
        bounds: float | None = None,
    ) -> None:
        """Run the rounds, store the record with the benchmark and hold every target.

        Parameters
        ----------
        kernel, size
            What is computed and how much of it, as the table prints them.
        ours
            Does the kernel's work (the part ``share`` of it) once.
        peers
            By the name the table prints.
        bound
            Amount of work by resource that no implementation of this method can avoid; the bound on the time is the sum
            of what they take at the measured rates.
        why
            What the amounts count.
        bounds
            How many times the bound our time may take, or None where there is no such target.
        """
        others: dict[str, Callable[[], object]] = {name: peer.run for name, peer in peers.items()}
        others |= {resource: rate_probe(resource)[1] for resource in bound}
        seconds: dict[str, list[float]] = {name: [] for name in others}
        for run in [*others.values(), ours]:
            run()  # compile, fill the caches

        def everybody_else() -> None:
            for name, run in others.items():
                start = time.process_time()
                run()
                seconds[name].append(time.process_time() - start)

        self._benchmark.pedantic(ours, setup=everybody_else, rounds=rounds)
        own = [value / share for value in self._benchmark.stats.stats.data]
        rates = {resource: rate_probe(resource)[0] / statistics.median(seconds[resource]) for resource in bound}
        floor = sum(amount / rates[resource] for resource, amount in bound.items())
        taken = statistics.median(own) / floor
        ratios = {
            name: [theirs / peer.share / mine for theirs, mine in zip(seconds[name], own, strict=True)]
            for name, peer in peers.items()
        }
        self._benchmark.extra_info.update(
            file=Path(self._benchmark.fullname.split("::")[0]).name,
            kernel=kernel,
            size=size,
            rounds=rounds,
            peers={name: _summary(ratios[name]) | {"target": peer.target} for name, peer in peers.items()},
            bound=[
                {"resource": key, "amount": _round(amount), "unit": UNITS[key], "rate": _round(rates[key])}
                for key, amount in bound.items()
            ],
            why=why,
            times_the_bound=_round(taken),
        )
        assert bounds is None or taken <= bounds, f"{kernel}: {taken:.3g} bounds"
        for name, peer in peers.items():
            median = statistics.median(ratios[name])
            assert peer.target is None or median >= peer.target, f"{kernel}: {median:.2f} times {name}"


def _summary(values: list[float]) -> dict[str, float]:
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"ratio": _round(median), "low": _round(low), "high": _round(high)}


def _round(value: float) -> float:
    return float(f"{value:.3g}")


def record(
    benchmark: Any,
    kernel: str,
    size: str,
    ratios: Mapping[str, tuple[float, float | None]],
    times_the_bound: float,
    why: str,
) -> None:
    """Store a comparison that was timed once as a whole, and hold its targets.

    Parameters
    ----------
    benchmark
        pytest-benchmark's fixture.
    kernel, size, why
        As for `Race.run`.
    ratios
        By the name of the peer, the ratio and the smallest one that passes, or None where there is none to keep.
    times_the_bound
        Our time in units of what cannot be avoided.
    """
    benchmark.extra_info.update(
        file=Path(benchmark.fullname.split("::")[0]).name,
        kernel=kernel,
        size=size,
        rounds=1,
        peers={name: _summary([ratio, ratio]) | {"target": target} for name, (ratio, target) in ratios.items()},
        bound=[],
        why=why,
        times_the_bound=_round(times_the_bound),
    )
    for name, (ratio, target) in ratios.items():
        assert target is None or ratio >= target, f"{kernel}: {ratio:.2f} times {name}"
