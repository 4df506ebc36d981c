"""All supports of threshold-linear networks against a loop of solves, many small networks against batched solves."""

import numpy as np
import pytest
import torch
from harness import MATMUL, Peer
from peers_threshold_linear import batched_solves, loop_of_solves

from memscape.polytopes.chirotopes import chirotopes, table_codes
from memscape.polytopes.threshold_linear import ThresholdLinear, fixed_points

SEED = 2020


def networks(count: int, neurons: int) -> torch.Tensor:
    sizes = torch.from_numpy(np.exp(np.random.default_rng(SEED).standard_normal((count, neurons, neurons))))
    return -sizes * (1 - torch.eye(neurons, dtype=torch.float64))


def flops(neurons: int) -> float:
    """Multiplications and additions of the doubling: n rows, and one column less at every pivot."""
    return sum(2.0 * neurons * (neurons - k) * 2**k for k in range(neurons))


@pytest.mark.parametrize(
    ("neurons", "count", "target", "solved"),
    [(12, 1, 40.0, 1024), (12, 16, 25.0, 1024), (16, 1, 25.0, 1024), (18, 1, 25.0, 1024)],
)
def bench_all_supports(race, neurons, count, target, solved) -> None:
    model = ThresholdLinear(networks(count, neurons), torch.ones(neurons, dtype=torch.float64))
    # Drawn from all supports, so that small and large ones are as frequent as among all of them.
    some = np.random.default_rng(SEED).permutation(2**neurons)[:solved].tolist()
    arrays = model.weights[0].numpy(), model.inputs.numpy()
    found = fixed_points(model)
    exists, stable = loop_of_solves(*arrays, some)
    assert np.array_equal(found.exists[0, some].numpy(), exists)
    assert np.array_equal(found.stable[0, some].numpy(), stable)
    share = solved / (count * 2**neurons)
    # A call may take a millisecond or two: then many in a row, so that what peers left in the caches does not count.
    calls = max(1, 2**16 // (count * 2**neurons))
    race.run(
        "fixed points of all supports",
        f"n = {neurons}, {2**neurons} supports" + (f", {count} networks" if count > 1 else ""),
        lambda: [fixed_points(model) for _ in range(calls)],
        {"numpy, one solve a support": Peer(lambda: loop_of_solves(*arrays, some), target=target, share=share)},
        {MATMUL: count * flops(neurons)},
        "one multiplication and addition an entry of every tableau; float64 and memory traffic come on top",
        rounds=9,
        share=calls,
    )


@pytest.mark.parametrize(("neurons", "count", "target"), [(3, 200_000, 2.0), (6, 10_000, 2.5)])
def bench_many_networks(race, neurons, count, target) -> None:
    model = ThresholdLinear(networks(count, neurons), torch.ones(count, neurons, dtype=torch.float64))
    found = fixed_points(model)
    tensors = model.weights, model.inputs
    exists, stable = batched_solves(*tensors)
    assert torch.equal(found.exists, exists)
    assert torch.equal(found.stable, stable)
    race.run(
        "fixed points of many networks",
        f"n = {neurons}, {count} networks",
        lambda: fixed_points(model),
        {"torch, one batched solve a support": Peer(lambda: batched_solves(*tensors), target=target)},
        {MATMUL: count * flops(neurons)},
        "one multiplication and addition an entry of every tableau; float64 and stability come on top",
        rounds=5,
    )


def bench_sign_patterns(race) -> None:
    couplings = networks(200_000, 3)
    met = set(table_codes(couplings).tolist())
    assert met == set(chirotopes(3).codes.tolist())
    race.run(
        "all sign patterns of three neurons with inputs",
        "6432 patterns of 35 signs",
        lambda: chirotopes(3, inputs=True),
        {"two hundred thousand random networks, ten signs only": Peer(lambda: table_codes(couplings), target=None)},
        {MATMUL: 120.0 * 2**12 * 65},
        "every relation looks at every candidate once, if none is dropped early",
        rounds=9,
    )
