"""An epoch of the classifier of Krotov & Hopfield 2016 on MNIST, against the formulas as printed and autograd."""

from pathlib import Path

import numpy as np
import torch
from harness import MATMUL, Peer
from peers import autograd_step, notebook_step

from memscape.book import data
from memscape.memory.classifier import Schedule, random_classifier, train
from memscape.tools.training import balanced_batches

EPOCH, BATCH, PIXELS, CLASSES, MEMORIES, SEED = 60_000, 1000, 784, 10, 2000, 2016
POWER, LOSS, TEMPERATURE, RATE, MOMENTUM = 3, 6, 300.0, 0.02, 0.6
STEPS = 5
"""Minibatches that one run of the kernel makes; a peer makes one. An epoch is EPOCH / BATCH of them."""


def bench_epoch(race) -> None:
    mnist = data.mnist(Path(__file__).parents[1])
    digits = torch.from_numpy(mnist.train_labels[: STEPS * BATCH].astype(np.int64))
    images = torch.from_numpy(mnist.train_images[: STEPS * BATCH].reshape(-1, PIXELS) / np.float32(127.5) - 1)
    start = random_classifier(
        MEMORIES, PIXELS, CLASSES, power=POWER, temperature=TEMPERATURE, rng=np.random.default_rng(SEED)
    )
    schedule = Schedule(
        epochs=1, loss=LOSS, hot=TEMPERATURE, cold=TEMPERATURE, rate=RATE, momentum=MOMENTUM, batch=BATCH
    )
    settings = {"n": POWER, "m": LOSS // 2, "temperature": TEMPERATURE, "rate": RATE, "momentum": MOMENTUM}

    def ours(images: torch.Tensor = images, digits: torch.Tensor = digits):
        return list(train(start, images, digits, schedule, generator=torch.Generator().manual_seed(SEED)))[-1]

    batch = balanced_batches(digits, BATCH, generator=torch.Generator().manual_seed(SEED))[0]
    targets = torch.full((BATCH, CLASSES), -1.0)
    targets[range(BATCH), digits[batch]] = 1.0
    memories = torch.cat([start.images, start.labels], dim=1)

    def by_autograd() -> torch.Tensor:
        moved = memories.clone()
        autograd_step(moved, torch.zeros_like(moved), images[batch], targets, **settings)
        return moved

    def as_printed() -> np.ndarray:
        moved = memories.numpy().astype(np.float64)
        pixels, wanted = images[batch].numpy().astype(np.float64), targets.numpy().astype(np.float64)
        notebook_step(moved, np.zeros_like(moved), pixels, wanted, **settings)
        return moved

    # The same step, in units of the largest one.
    once = ours(images[batch], digits[batch])
    moved = torch.cat([once.images, once.labels], dim=1).numpy()
    assert np.abs(moved - as_printed()).max() < 1e-3 * RATE
    assert np.abs(by_autograd().numpy() - as_printed()).max() < 1e-2 * RATE

    steps = EPOCH / BATCH
    race.run(
        "classifier, one epoch of MNIST",
        f"{EPOCH} x {PIXELS}, K = {MEMORIES}, n = {POWER}, 2m = {LOSS}, minibatches of {BATCH}",
        ours,
        {
            "the formulas as printed, numpy, float64 (as the authors' notebook)": Peer(as_printed, 15.0, 1 / steps),
            "torch autograd on the textbook formula, float32": Peer(by_autograd, 10.0, 1 / steps),
        },
        {MATMUL: 4.0 * EPOCH * PIXELS * MEMORIES},
        "one product of memories and images forward, one back; powers and labels come on top",
        rounds=5,
        share=STEPS / steps,
    )
