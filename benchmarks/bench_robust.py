"""Minimum probability flow against autograd and plain descent; the network of three parameters against its matrix."""

import pytest
import torch
from harness import LOOK_UP, MATMUL, Peer
from peers_robust import autograd_flow, dense_field, descend

from memscape.memory.hopfield import to_bits
from memscape.memory.patterns import random_patterns
from memscape.memory.probability_flow import log_flow, minimum_probability_flow
from memscape.memory.robust import CliqueNetwork, edges, noise_weights, random_cliques

SEED = 2018


def bench_gradient_of_the_flow(race) -> None:
    cliques = random_cliques(32, 16, 600, generator=torch.Generator().manual_seed(SEED), dtype=torch.float32)
    learned = minimum_probability_flow(cliques, steps=50)
    couplings, thresholds, neurons = learned.couplings, learned.thresholds, cliques.shape[-1]
    bits = (cliques + 1) / 2
    ours = log_flow(couplings, thresholds, cliques)
    flow, by_couplings, by_thresholds = autograd_flow(couplings, thresholds, cliques, bits)
    torch.testing.assert_close(ours.log_flow.exp(), flow, rtol=1e-4, atol=0)
    torch.testing.assert_close(ours.couplings * flow, by_couplings, rtol=1e-3, atol=1e-5)
    torch.testing.assert_close(ours.thresholds * flow, by_thresholds, rtol=1e-3, atol=1e-5)
    race.run(
        "probability flow and its gradient",
        f"N = {neurons}, P = {len(cliques)}",
        lambda: log_flow(couplings, thresholds, cliques),
        {
            "torch autograd on the formula": Peer(
                lambda: autograd_flow(couplings, thresholds, cliques, bits), target=0.8
            )
        },
        {MATMUL: 4.0 * len(cliques) * neurons**2},
        "one product of patterns and couplings, one back; exponentials and checks come on top",
        rounds=15,
    )


def bench_learning_cliques(race) -> None:
    cliques = random_cliques(16, 8, 200, generator=torch.Generator().manual_seed(SEED), dtype=torch.float32)
    bits, neurons, made = (cliques + 1) / 2, cliques.shape[-1], 4000
    slow = descend(cliques, bits, rate=0.02, steps=made)
    # As many of our steps as it takes to have less flow than 4000 plain ones leave.
    steps = next(n for n in range(1, made) if minimum_probability_flow(cliques, steps=n).log_flow.exp() <= slow)
    race.run(
        "learning cliques",
        f"v = 16, k = 8, P = 200, to the flow that 4000 plain steps reach ({steps} steps)",
        lambda: minimum_probability_flow(cliques, steps=steps),
        {
            "plain gradient descent on K, rate 0.02, as in the authors' script": Peer(
                lambda: descend(cliques, bits, rate=0.02, steps=made // 10), target=10.0, share=0.1
            )
        },
        {MATMUL: 4.0 * steps * len(cliques) * neurons**2},
        "two products of matrices a step",
        rounds=9,
    )


@pytest.mark.parametrize(("vertices", "target"), [(64, 4.0), (96, 10.0), (128, 20.0)])
def bench_field_of_three_parameters(race, vertices, target) -> None:
    weights = torch.tensor([float(weight) for weight in noise_weights(vertices, vertices // 2)])
    model, states = CliqueNetwork(vertices, weights), 64
    neurons = edges(vertices).shape[1]
    state = random_patterns(states, neurons, generator=torch.Generator().manual_seed(SEED), dtype=torch.float32)
    couplings, thresholds = to_bits(model.dense())
    torch.testing.assert_close(
        model.field(state), dense_field(couplings, thresholds, state) / 2, rtol=1e-3, atol=1e-3 * vertices
    )
    race.run(
        "field of the clique network",
        f"v = {vertices}, N = {neurons}, {states} states",
        lambda: model.field(state),
        {"torch, the dense N x N matrix": Peer(lambda: dense_field(couplings, thresholds, state), target=target)},
        {LOOK_UP: 4.0 * states * neurons},
        "every edge is added to the degrees of two vertices and reads two of them",
        rounds=15,
    )
