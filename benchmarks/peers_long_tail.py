"""Peers of the exact scores: one digit after another in numpy, and the data values of pyDVL."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.neighbors import KNeighborsClassifier

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of how it names its own arguments
    from pydvl.valuation import Dataset, KNNShapleyValuation


def memorisation_one_by_one(images: np.ndarray, labels: np.ndarray, some: range, share: float) -> np.ndarray:
    """Memorisation scores of some digits, 1 - sum_k q (1-q)^(k-1) [k-th neighbour right], all neighbours sorted."""
    weights = share * (1 - share) ** np.arange(len(images) - 1)
    scores = []
    for i in some:
        distances = ((images - images[i]) ** 2).sum(axis=1)
        distances[i] = -1.0
        others = distances.argsort(kind="stable")[1:]
        scores.append(1.0 - weights @ (labels[others] == labels[i]))
    return np.array(scores)


def data_values(images: np.ndarray, labels: np.ndarray, asked: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Exact Shapley values of stored images for a nearest memory (Jia et al. 2019), the mean over the images asked."""
    model = KNeighborsClassifier(n_neighbors=1, algorithm="brute")
    test = Dataset(asked, answers)
    return KNNShapleyValuation(model, test, progress=False).fit(Dataset(images, labels)).result.values
