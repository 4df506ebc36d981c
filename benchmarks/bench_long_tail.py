"""Exact memorisation and influence of ten thousand digits, against plain loops, scikit-learn's lists and pyDVL."""

from pathlib import Path

import numpy as np
import torch
from harness import MATMUL, Peer
from peers_long_tail import data_values, memorisation_one_by_one
from sklearn.neighbors import NearestNeighbors

from memscape.book import data
from memscape.capacity.long_tail import Helped, helped, influence, memorisation, neighbours

DIGITS, PIXELS, LISTED, SHARE = 10_000, 784, 12, 0.7
BOUNDS = 3.0
"""Five seconds, where 95 Gflop/s are had, are three times what the table of distances takes."""


def digits() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Stored digits and their labels, test digits and theirs; grey values less 128, whose distances are exact."""
    mnist = data.mnist(Path(__file__).parents[1])
    found = []
    for images, labels in ((mnist.train_images, mnist.train_labels), (mnist.test_images, mnist.test_labels)):
        found.append(torch.from_numpy(images[:DIGITS].reshape(-1, PIXELS).astype(np.float32) - 128))
        found.append(torch.from_numpy(labels[:DIGITS].astype(np.int64)))
    return tuple(found)


def bench_memorisation(race) -> None:
    stored, labels, _, _ = digits()

    def ours() -> torch.Tensor:
        near = neighbours(stored, LISTED)
        return memorisation(near.distances, labels[near.indices] == labels[:, None], share=SHARE)

    def one_by_one() -> np.ndarray:
        return memorisation_one_by_one(stored.numpy(), labels.numpy(), range(100), SHARE)

    lists = NearestNeighbors(n_neighbors=LISTED, algorithm="brute").fit(stored.numpy())
    # Lists are cut after twelve neighbours, which leaves 0.3^12 out.
    assert np.abs(ours()[:100].numpy() - one_by_one()).max() < 1e-6
    race.run(
        "exact memorisation scores",
        f"{DIGITS} digits of MNIST, {LISTED} neighbours each",
        ours,
        {
            "numpy, one digit after another, all others sorted": Peer(one_by_one, target=10.0, share=100 / DIGITS),
            "scikit-learn's brute-force lists (no scores)": Peer(
                lambda: lists.kneighbors(stored.numpy()[:1000]), target=1.0, share=1000 / DIGITS
            ),
        },
        {MATMUL: 2.0 * DIGITS**2 * PIXELS},
        "one product of the digits with themselves; the twelve nearest of each and the scores come on top",
        rounds=5,
        bounds=BOUNDS,
    )


def bench_influence(race) -> None:
    stored, labels, asked, answers = digits()

    def ours() -> Helped:
        near = neighbours(stored, LISTED, queries=asked)
        return helped(
            near.indices, influence(near.distances, labels[near.indices] == answers[:, None], share=SHARE), DIGITS
        )

    def values(some: int = DIGITS, queries: int = 10) -> np.ndarray:
        return data_values(
            stored[:some].numpy(), labels[:some].numpy(), asked[:queries].numpy(), answers[:queries].numpy()
        )

    # A Shapley value is the influence averaged over all shares; with 30 stored it is of degree 29 in the share.
    near = neighbours(stored[:30], 30, queries=asked[:10])
    right = labels[near.indices] == answers[:10, None]
    points, weights = np.polynomial.legendre.leggauss(15)
    totals = [helped(near.indices, influence(near.distances, right, share=(1 + at) / 2), 30).total for at in points]
    np.testing.assert_allclose(weights / 2 @ torch.stack(totals).numpy() / 10, values(30), atol=1e-12)
    race.run(
        "exact influences, and whom every digit helps",
        f"{DIGITS} stored and {DIGITS} test digits of MNIST, {LISTED} neighbours each",
        ours,
        {
            "pyDVL, exact Shapley values of the nearest memory": Peer(values, target=100.0, share=10 / DIGITS),
        },
        {MATMUL: 2.0 * DIGITS**2 * PIXELS},
        "one product of stored and test digits; the twelve nearest of each and the influences come on top",
        rounds=5,
        bounds=BOUNDS,
    )
