"""Networks on simplices: the complete skeleton in closed form, and sampled triangles, against sums over simplices."""

from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
import torch
from harness import LOOK_UP, MATMUL, Peer
from peers_simplicial import dense_fields, gathered_fields, listed_fields, looped_energy

from memscape.memory import hopfield
from memscape.memory.patterns import flip, random_patterns
from memscape.memory.simplicial import diluted, skeleton, store
from memscape.tools.complexes import complete

NEURONS, PATTERNS, STATES, SEED = 100, 30, 256, 2023
# A call takes less than a millisecond: many in a row are timed, so that what peers left in the caches does not count.
REPEATS = 50.0


def problem() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(SEED)
    patterns = random_patterns(PATTERNS, NEURONS, generator=generator, dtype=torch.float32)
    cues = patterns[torch.arange(STATES) % PATTERNS]
    return patterns, flip(cues, NEURONS // 10, generator=generator)


def repeat(call: Callable[[], object]) -> None:
    for _ in range(int(REPEATS)):
        call()


@pytest.mark.parametrize(("count", "target"), [(1, 1500.0), (STATES, 10_000.0)])
def bench_energy_of_a_complete_skeleton(race, count, target) -> None:
    patterns, states = problem()
    model, state = skeleton(patterns, 2), states[0]
    listed = store(patterns, complete(NEURONS, (1, 2)))
    simplices = [tuple(simplex) for rows in listed.simplices.members for simplex in rows.tolist()]
    assert len(simplices) == 166_650
    weights = dict(zip(simplices, torch.cat(listed.weights).tolist(), strict=True))
    spins = state.tolist()
    energy = model.energy(state).item() * len(simplices) / NEURONS
    assert abs(looped_energy(weights, spins) - energy) < 1e-6 * abs(energy)
    loop = Peer(lambda: looped_energy(weights, spins), target=target, share=1.0 / count)
    race.run(
        "energy of the complete 2-skeleton",
        f"N = {NEURONS}, P = {PATTERNS}, {count} state{'s' * (count > 1)}",
        lambda: repeat(lambda: model.energy(states[:count])),
        {"a Python loop over the simplices": loop},
        {MATMUL: 2.0 * count * PATTERNS * NEURONS, LOOK_UP: float(count * PATTERNS)},
        "one product of states and patterns, one look-up a state and pattern; for one state the calls of torch count",
        rounds=9,
        share=REPEATS,
    )


def bench_fields_of_a_complete_skeleton(race) -> None:
    patterns, states = problem()
    model = skeleton(patterns, 2)
    listed = store(patterns, complete(NEURONS, (1, 2)))
    members, weights = list(listed.simplices.members), list(listed.weights)
    triples = torch.einsum("pi,pj,pk->ijk", patterns, patterns, patterns) / NEURONS
    for i, j in combinations(range(3), 2):
        triples.diagonal(dim1=i, dim2=j).zero_()
    pairs = hopfield.hebbian(patterns).weights
    expected = model.field(states) * sum(map(len, members)) / NEURONS
    for found in (gathered_fields(members, weights, states), dense_fields(pairs, triples, states)):
        torch.testing.assert_close(found.double(), expected, rtol=1e-3, atol=1e-3)
    race.run(
        "all fields of the complete 2-skeleton",
        f"N = {NEURONS}, P = {PATTERNS}, {STATES} states",
        lambda: repeat(lambda: model.field(states)),
        {
            "torch, spins of every simplex gathered": Peer(
                lambda: gathered_fields(members, weights, states[:16]), target=2000.0, share=16 / STATES
            ),
            "torch, a dense tensor of N^3 weights": Peer(lambda: dense_fields(pairs, triples, states), target=40.0),
        },
        {MATMUL: 4.0 * STATES * PATTERNS * NEURONS, LOOK_UP: 2.0 * STATES * PATTERNS},
        "two products of states and patterns; two look-ups a state and pattern",
        rounds=9,
        share=REPEATS,
    )


def bench_fields_of_sampled_triangles(race) -> None:
    patterns, states = problem()
    model = store(patterns, diluted(NEURONS, "R_2", generator=torch.Generator().manual_seed(SEED)))
    rows, weights = model.simplices.members[0].numpy(), model.weights[0].numpy()
    incident = []
    for neuron in range(NEURONS):
        mine = (rows == neuron).any(axis=1)
        incident.append((np.array([simplex[simplex != neuron] for simplex in rows[mine]]), weights[mine]))
    few = states[:16].numpy()
    np.testing.assert_allclose(listed_fields(incident, few), model.field(states[:16]).numpy(), rtol=1e-5, atol=1e-5)
    count = model.simplices.counts[2]
    race.run(
        "all fields of sampled triangles",
        f"N = {NEURONS}, {count} triangles, {STATES} states",
        lambda: repeat(lambda: model.field(states)),
        {
            "numpy, the simplices of one neuron after another": Peer(
                lambda: listed_fields(incident, few), target=120.0, share=len(few) / STATES
            )
        },
        {MATMUL: STATES * count * (2.0 + 2.0 * 3.0)},
        "two multiplications a triangle, and a multiplication and an addition for each of its three vertices",
        rounds=9,
        share=REPEATS,
    )
