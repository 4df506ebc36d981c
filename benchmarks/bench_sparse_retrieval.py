"""Sparse retrieval, one step, by Newton's method for the threshold, against the functions of the package entmax."""

from functools import partial

import pytest
import torch
from entmax import entmax15, entmax_bisect, sparsemax
from harness import MATMUL, Peer

from memscape.capacity.beyond import entmax

SEED, FEATURES, PATTERNS, QUERIES = 2024, 64, 10_000, 1000
PART = 200
"""Queries that one run of a peer makes; the time is scaled up to all of them."""


@pytest.mark.parametrize(
    ("alpha", "name", "by_sorting"), [(2.0, "sparsemax", sparsemax), (1.5, "1.5-entmax", entmax15)]
)
def bench_retrieval(race, alpha, name, by_sorting) -> None:
    draw = torch.Generator().manual_seed(SEED)
    stored = 2.0 * torch.rand(PATTERNS, FEATURES, generator=draw) - 1.0
    queries = stored[:QUERIES] + 2.0 * torch.rand(QUERIES, FEATURES, generator=draw) - 1.0

    def retrieve(weights, some: int = PART) -> torch.Tensor:
        return weights(FEATURES**-0.5 * (queries[:some] @ stored.T)) @ stored

    ours = partial(entmax, alpha=alpha)
    peers = {
        f"entmax.{by_sorting.__name__}, all scores sorted": (by_sorting, 1.5),
        f"entmax.{by_sorting.__name__}, the largest hundred first": (partial(by_sorting, k=100), None),
        "entmax.entmax_bisect": (partial(entmax_bisect, alpha=alpha), 4.0),
    }
    for map_, _ in peers.values():
        torch.testing.assert_close(retrieve(map_), retrieve(ours), rtol=0, atol=1e-4)
    race.run(
        f"sparse retrieval, one step of {name}",
        f"d = {FEATURES}, P = {PATTERNS}, {QUERIES} queries",
        lambda: retrieve(ours, QUERIES),
        {about: Peer(partial(retrieve, map_), target, PART / QUERIES) for about, (map_, target) in peers.items()},
        {MATMUL: 4.0 * QUERIES * PATTERNS * FEATURES},
        "two products of queries and patterns; the thresholds of the queries come on top",
        rounds=7,
    )
