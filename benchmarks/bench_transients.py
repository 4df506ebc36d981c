"""The laws of the first steps against networks that are drawn and run until they are as accurate."""

import math
from functools import partial

import torch
from harness import MATMUL, Peer

from memscape.capacity.transients import at_load, one_unit, second_step
from memscape.memory.dense import DenseMemory, Power

SEED = 2025
NEURONS, LOAD = 200, 0.1


def networks(bits: int, steps: int, start: float = 1.0) -> torch.Tensor:
    """Mean overlap after the last step, counted on networks of power 3 from cues of an overlap."""
    draw = torch.Generator().manual_seed(SEED)
    build = partial(DenseMemory, interaction=Power(3))
    return at_load(build, NEURONS, LOAD, 3, start=start, bits=bits, steps=steps, generator=draw)[..., -1].mean()


def bench_second_step(race) -> None:
    points = 101
    start = torch.linspace(0.5, 1.0, points, dtype=torch.float64)
    load = torch.full_like(start, LOAD)
    # The law is that of a large network; of this size it is off by 0.02 at most, with a standard error of 0.006 here.
    for at in (0, 50, 100):
        assert abs(second_step(start, load, 3)[at] - networks(200_000, 2, start[at].item())) < 0.03
    # So 80 starts are enough: where they spread most, at an overlap of 0.75, their mean has a standard error of 0.02.
    bits = 80 * NEURONS
    race.run(
        "overlap after two steps",
        f"n = 3, {points} cues, to 0.02",
        lambda: second_step(start, load, 3),
        {
            f"networks of {NEURONS} units drawn and run": Peer(
                lambda: networks(bits, 2, 0.75), target=1000.0, share=1 / points
            )
        },
        {MATMUL: 200.0 * points},
        "a few hundred operations a point; calls of torch and checks are what takes time",
        rounds=9,
    )


def bench_every_step(race) -> None:
    paths, steps = 10000, 20
    start, load = torch.ones(1, dtype=torch.float64), torch.tensor([LOAD], dtype=torch.float64)

    def ours() -> torch.Tensor:
        return one_unit(start, load, 3, steps=steps, paths=paths, generator=torch.Generator().manual_seed(SEED)).overlap

    assert abs(ours()[0, -1] - networks(paths, steps)) < 8 / math.sqrt(paths)
    race.run(
        "overlap of twenty steps",
        f"n = 3, {paths} paths, as many bits",
        ours,
        {f"networks of {NEURONS} units drawn and run": Peer(lambda: networks(paths, steps), target=2.0)},
        {MATMUL: 6.0 * paths * steps**2 / 2},
        "noise, past and correlations: three products with all earlier steps a step, in float64",
        rounds=9,
    )
