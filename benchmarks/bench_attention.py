"""Modern Hopfield retrieval against hflayers' loop, and one step over sixty thousand patterns the size of a digit."""

import pytest
import torch
from harness import MATMUL, Peer
from peers import softmax_retrieval
from peers_attention import masked_loop

from memscape.memory.attention import ModernHopfield
from memscape.memory.dynamics import iterate

SEED = 2021


def problem(patterns: int, features: int, queries: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(SEED)
    stored = 2.0 * torch.rand(patterns, features, generator=generator) - 1.0
    noise = 2.0 * torch.rand(queries, features, generator=generator) - 1.0
    return stored[:queries] + noise, stored


@pytest.mark.parametrize(("steps", "target"), [(1, 2.0), (4, 8.0)])
def bench_retrieval(race, steps, target) -> None:
    queries, stored = problem(10_000, 64, 1000)
    beta = 64**-0.5
    model = ModernHopfield(stored, beta)

    def loop() -> torch.Tensor:
        # No head stops early: the work is that of all the steps, as it is for us.
        return masked_loop(queries[None], stored[None], beta, steps, eps=1e-30)

    torch.testing.assert_close(iterate(model, queries, steps=steps), loop()[0])
    race.run(
        f"modern Hopfield, {steps} step{'s' * (steps > 1)}",
        "d = 64, P = 10000, 1000 queries",
        lambda: iterate(model, queries, steps=steps),
        {"hflayers' loop, a plain writing": Peer(loop, target=target)},
        {MATMUL: 4.0 * steps * 1000 * 10_000 * 64},
        "two products of queries and patterns a step; exponentials come on top. All weights are 40 MB: the loop moves "
        "them through memory several times a step, the fused kernel never stores them",
        rounds=7,
    )


def bench_digits(race) -> None:
    queries, stored = problem(60_000, 784, 200)
    beta = 784**-0.5
    model = ModernHopfield(stored, beta)

    def plain() -> torch.Tensor:
        return softmax_retrieval(queries, stored, beta)

    torch.testing.assert_close(model.update(queries), plain())
    race.run(
        "modern Hopfield, one step over images",
        "d = 784, P = 60000, 200 queries",
        lambda: model.update(queries),
        {"softmax(beta Q K) V, written plainly": Peer(plain)},
        {MATMUL: 4.0 * 200 * 60_000 * 784},
        "two products of queries and patterns; to read the patterns, 188 MB, once for each adds a few per cent",
        rounds=5,
    )
