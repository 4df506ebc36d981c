"""An epoch of the mixture of Theriault & Tantari 2025 with its gradients written out, against autograd."""

import numpy as np
import torch
from harness import MATMUL, Peer

from memscape.memory.saddles import Recipe, log_normaliser, normalise, random_mixture, soften, train

EPOCH, BATCH, PIXELS, CLASSES, MEMORIES, BETA, SEED = 54_000, 1000, 784, 10, 1000, 16.0, 2025
STEPS = 5
"""Minibatches that one run of the kernel makes; the peer makes one. An epoch is EPOCH / BATCH of them."""


def bench_epoch(race) -> None:
    rng = np.random.default_rng(SEED)
    kinds = rng.integers(0, CLASSES, STEPS * BATCH)
    points = rng.normal(size=(CLASSES, PIXELS))[kinds] + 2.0 * rng.normal(size=(STEPS * BATCH, PIXELS))
    images = normalise(torch.from_numpy(points.astype(np.float32)))
    targets = soften(torch.from_numpy(kinds), classes=CLASSES, softening=0.1)
    start = random_mixture(
        MEMORIES, images.mean(dim=0), targets.mean(dim=0), beta=BETA, spread=1.0, background=1.0, rng=rng
    )
    recipe = Recipe(batch=BATCH)
    rows, columns = start.counts, start.priors

    def ours(images: torch.Tensor = images, targets: torch.Tensor = targets):
        steps = train(start, images, targets, recipe, epochs=1, generator=torch.Generator().manual_seed(SEED))
        return next(steps)

    def by_autograd() -> tuple[torch.Tensor, torch.Tensor]:
        memories, weights = start.memories.clone().requires_grad_(), start.weights.clone().requires_grad_()
        inputs = BETA * images[:BATCH] @ memories.T - log_normaliser(BETA, PIXELS)
        # The textbook formula: a sum of exponentials over memories, safe only through its logarithm.
        terms = torch.cat([inputs, torch.zeros(BATCH, 1)], dim=1)[:, :, None] + weights.log()
        joint = torch.logsumexp(terms, dim=1) - weights.sum().detach().log()
        (-(targets[:BATCH] * joint).sum() / BATCH).backward()
        assert memories.grad is not None
        assert weights.grad is not None
        with torch.no_grad():
            tangent = memories.grad - (memories.grad * memories).sum(dim=1, keepdim=True) * memories
            moved = memories - recipe.rate**2 * tangent
            turned = weights * (-(recipe.rate**2) * weights.grad).exp()
            for _ in range(10):
                turned *= columns / turned.sum(dim=0)
                turned *= (rows / turned.sum(dim=1))[:, None]
            return moved / moved.norm(dim=1, keepdim=True), turned

    once, (memories, weights) = ours(images[:BATCH], targets[:BATCH]), by_autograd()
    torch.testing.assert_close(once.memories, memories, rtol=0, atol=1e-6)
    torch.testing.assert_close(once.weights, weights, rtol=1e-3, atol=1e-5)

    steps = EPOCH / BATCH
    race.run(
        "mixture on the sphere, one epoch",
        f"{EPOCH} x {PIXELS}, P = {MEMORIES}, {CLASSES} classes, minibatches of {BATCH}",
        ours,
        {"torch autograd on the textbook formula, float32": Peer(by_autograd, 3.0, 1 / steps)},
        {MATMUL: 4.0 * EPOCH * PIXELS * MEMORIES},
        "one product of images and memories forward, one back; exponentials and class weights come on top",
        rounds=5,
        share=STEPS / steps,
    )
