"""Errors of linear memories at twenty dimensions in one pass over coordinates, against matrices cut down one by one."""

import numpy as np
import torch
from harness import MATMUL, Peer
from peers_linear_memory import errors_one_by_one

from memscape.capacity.counting_memory import zipf
from memscape.capacity.linear_memory import most_frequent, scheme_errors

TOKENS, ANSWERS, NETWORKS, DIVISOR = 1000, 5, 10, 8
GRID = [int(size) for size in np.geomspace(10, 1000, 20)]


def bench_schemes(race) -> None:
    chances = torch.from_numpy(zipf(TOKENS, 2.0))
    same = torch.stack([torch.ones(TOKENS), chances.float()])[:, None].expand(2, len(GRID), TOKENS)
    strengths = torch.cat([same, most_frequent(TOKENS, GRID, DIVISOR)[None]])

    def ours(networks: int = NETWORKS) -> torch.Tensor:
        drawn = {"answers": ANSWERS, "networks": networks, "generator": torch.Generator().manual_seed(0)}
        return scheme_errors(GRID, strengths, chances, **drawn)

    def one_by_one() -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        drawn = torch.randn(TOKENS + ANSWERS, GRID[-1], generator=generator)
        inputs, outputs = drawn.split([TOKENS, ANSWERS])
        outputs = outputs / outputs.norm(dim=-1, keepdim=True)
        return errors_one_by_one(inputs, outputs, chances, GRID, DIVISOR)

    # One network, the same vectors; a tie within rounding may go either way for a rare token.
    assert (ours(1)[0] - one_by_one()).abs().max() < 0.01
    work = 2.0 * NETWORKS * TOKENS * ANSWERS * (3 * GRID[-1] + 2 * sum(GRID))
    race.run(
        "errors of a linear memory at every dimension",
        f"{NETWORKS} networks of {TOKENS} tokens, three schemes, {len(GRID)} dimensions up to {GRID[-1]}",
        ours,
        {"torch, a matrix cut down for each dimension": Peer(one_by_one, target=16.0, share=1 / NETWORKS)},
        {MATMUL: work},
        "the products alone; drawing the vectors takes most of the time, on both sides",
        rounds=5,
    )
