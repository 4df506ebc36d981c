"""One step of the energy transformer: the gradient written by hand against autograd of the energy."""

import numpy as np
import torch
from harness import MATMUL, Peer

from memscape.memory.energy_transformer import random_transformer

FEATURES, HEADS, WIDTH, MEMORIES, TOKENS, BATCH, SEED = 128, 8, 16, 512, 49, 64, 2023


def bench_flow_of_the_energy_transformer(race) -> None:
    rng = np.random.default_rng(SEED)
    model = random_transformer(FEATURES, heads=HEADS, width=WIDTH, memories=MEMORIES, rng=rng, dtype=torch.float32)
    state = torch.from_numpy(rng.normal(size=(BATCH, TOKENS, FEATURES))).float()

    def autograd() -> torch.Tensor:
        outputs = model.norm.activation(state).requires_grad_()
        return -torch.autograd.grad(model.energy_of_outputs(outputs).sum(), outputs)[0]

    torch.testing.assert_close(model.flow(state), autograd(), rtol=1e-4, atol=1e-4)
    rows, inner = BATCH * TOKENS, HEADS * WIDTH
    race.run(
        "energy transformer, one step",
        f"{BATCH} states of {TOKENS} tokens, D = {FEATURES}, {HEADS} heads of {WIDTH}, M = {MEMORIES}",
        lambda: model.flow(state),
        {"torch autograd of the energy": Peer(autograd, target=1.1)},
        {MATMUL: 4.0 * rows * FEATURES * (2 * inner + MEMORIES) + 6.0 * rows * TOKENS * inner},
        "queries, keys and memories there and back, scores, and both sides of the attention; exponentials come on top",
        rounds=15,
    )
