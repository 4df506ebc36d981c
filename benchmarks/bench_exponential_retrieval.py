"""Exponential retrieval of real-valued patterns, against torch's fused attention and against softmax passes."""

import torch
from harness import MATMUL, Peer
from peers import softmax_passes, softmax_retrieval
from torch.nn.functional import scaled_dot_product_attention

from memscape.memory.dense import exponential_retrieval

FEATURES, PATTERNS, QUERIES, STEPS, SEED = 64, 10_000, 1000, 3, 2021
BETA = FEATURES**-0.5
SIZE = f"d = {FEATURES}, P = {PATTERNS}, {QUERIES} queries"
WORK = 4.0 * QUERIES * PATTERNS * FEATURES
WHY = "two products of queries and patterns; exponentials come on top"


def problem() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(SEED)
    patterns = 2.0 * torch.rand(PATTERNS, FEATURES, generator=generator) - 1.0
    noise = 2.0 * torch.rand(QUERIES, FEATURES, generator=generator) - 1.0
    return patterns[:QUERIES] + noise, patterns


def bench_one_step(race) -> None:
    queries, patterns = problem()

    def fused() -> torch.Tensor:
        return scaled_dot_product_attention(queries[None, None], patterns[None, None], patterns[None, None], scale=BETA)

    torch.testing.assert_close(exponential_retrieval(queries, patterns, BETA), fused()[0, 0])
    race.run(
        "exponential retrieval, one step",
        SIZE,
        lambda: exponential_retrieval(queries, patterns, BETA),
        {
            # The same kernel is inside; the checks of the arguments are what it may lose, and noise what it may win.
            "torch scaled_dot_product_attention": Peer(fused, target=0.95),
            "softmax(beta Q K) V, written plainly": Peer(
                lambda: softmax_retrieval(queries, patterns, BETA), target=1.5
            ),
        },
        {MATMUL: WORK},
        WHY,
        rounds=15,
    )


def bench_several_steps(race) -> None:
    queries, patterns = problem()

    def ours() -> torch.Tensor:
        state = queries
        for _ in range(STEPS):
            state = exponential_retrieval(state, patterns, BETA)
        return state

    torch.testing.assert_close(ours(), softmax_passes(queries, patterns, BETA, STEPS))
    race.run(
        f"exponential retrieval, {STEPS} steps",
        SIZE,
        ours,
        {
            f"{STEPS + 1} softmax passes, a plain writing of hflayers' loop": Peer(
                lambda: softmax_passes(queries, patterns, BETA, STEPS), target=2.0
            )
        },
        {MATMUL: STEPS * WORK},
        f"{STEPS} times the two products",
        rounds=7,
    )
