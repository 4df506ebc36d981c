"""The vote of all of MNIST for every number of memories and every power, in one pass, and its nearest memory alone."""

import math
from pathlib import Path

import numpy as np
import torch
from harness import MATMUL, Peer
from peers_votes import one_pass, plain_votes
from sklearn.neighbors import KNeighborsClassifier

from memscape.book import data
from memscape.capacity.votes import answers, unit

MEMORIES, IMAGES, PIXELS = 60_000, 10_000, 784
PART = 2048
"""Images that one run asks about; the time is scaled up to all of them."""

COUNTS = (100, 300, 1000, 3000, 10_000, 30_000, 60_000)
POWERS = (2, 3, 5, 10, 20, 40, 80, math.inf)


def digits() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Memories and their labels, and the part of the test images: without the mean image, of unit length."""
    mnist = data.mnist(Path(__file__).parents[1])
    stored, asked = (
        torch.from_numpy(images.reshape(-1, PIXELS).astype(np.float32))
        for images in (mnist.train_images, mnist.test_images)
    )
    mean = stored.mean(dim=0)
    return unit(stored, mean), torch.from_numpy(mnist.train_labels.astype(np.int64)), unit(asked, mean)[:PART]


def bench_all_votes(race) -> None:
    memories, labels, images = digits()

    def ours() -> torch.Tensor:
        return answers(memories, labels, images, powers=POWERS, counts=COUNTS)

    def plainly() -> torch.Tensor:
        return plain_votes(memories, labels, images[:128], powers=POWERS, counts=COUNTS)

    # Float32 on both sides: of 7168 answers a few are near-ties.
    assert (ours()[..., :128] != plainly()).sum() <= 3
    race.run(
        "label votes, all P and n in one pass",
        f"MNIST, {IMAGES} images, P = {COUNTS[0]} to {MEMORIES}, n = 2 to 80 and the nearest",
        ours,
        {
            "one product of images and memories, and nothing else": Peer(
                lambda: one_pass(memories, images), target=1 / 2.5, share=PART / IMAGES
            ),
            "torch, all overlaps at once, then a power and a sum for each P and n": Peer(
                plainly, target=2.0, share=128 / IMAGES
            ),
        },
        {MATMUL: 2.0 * IMAGES * MEMORIES * PIXELS},
        "one product of images and memories; powers, maxima and votes come on top",
        rounds=5,
        share=PART / IMAGES,
        bounds=2.5,
    )


def bench_nearest_memory(race) -> None:
    memories, labels, images = digits()
    neighbours = KNeighborsClassifier(n_neighbors=1, algorithm="brute").fit(memories.numpy(), labels.numpy())

    def ours() -> torch.Tensor:
        return answers(memories, labels, images, powers=[math.inf], counts=[MEMORIES])[0, 0]

    # The nearest vector of unit length is the one with the largest overlap.
    assert (ours() != torch.from_numpy(neighbours.predict(images.numpy()))).sum() <= 1
    race.run(
        "the nearest memory's label",
        f"MNIST, {IMAGES} images, P = {MEMORIES}",
        ours,
        {
            'scikit-learn KNeighborsClassifier(algorithm="brute")': Peer(
                lambda: neighbours.predict(images.numpy()), target=1.5, share=PART / IMAGES
            )
        },
        {MATMUL: 2.0 * IMAGES * MEMORIES * PIXELS},
        "one product of images and memories",
        rounds=5,
        share=PART / IMAGES,
    )
