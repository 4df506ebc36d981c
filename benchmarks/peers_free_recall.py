"""Peers of free recall: the walk written plainly on a matrix that is made, and retrieved context as cymr runs it."""

from __future__ import annotations

import numpy as np
from cymr import cmr


def plain_walks(items: int, lists: int, rng: np.random.Generator) -> np.ndarray:
    """How many items walks recall, one symmetric random matrix after another."""
    return np.array([_plain_walk(_matrix(items, rng)) for _ in range(lists)])


def _matrix(items: int, rng: np.random.Generator) -> np.ndarray:
    half = np.triu(rng.random((items, items)), 1)
    similarity = half + half.T
    np.fill_diagonal(similarity, -1.0)
    return similarity


def _plain_walk(similarity: np.ndarray) -> int:
    here, left, made, met = 0, -1, set(), {0}
    while True:
        row = similarity[here].copy()
        if left >= 0:
            row[left] = -1.0
        after = int(row.argmax())
        if (here, after) in made:
            return len(met)
        made.add((here, after))
        left, here = here, after
        met.add(here)


def simulated(length: int, lists: int, *, drift: float, renewal: float, own: float, sharpness: float) -> list:
    """Lists recalled by cymr's localist network: positions in the order of recall, until none is left.

    Its context is of unit length and drifts as ours; what an item brings back is its own direction (before the
    experiment) and the context of learning, with the weights 1 - g and g. An item's chance goes as exp(2 a / T), so
    that T is 2 over the sharpness.
    """
    param_def, patterns = cmr.config_loc_cmr(length)
    fixed = {"Afc": 0.0, "Acf": 0.0, "Aff": 0.0, "Dff": 1.0, "w0": 1.0}
    weights = {"Dfc": 1.0 - own, "Lfc": own, "Dcf": 0.0, "Lcf": 1.0, "P1": 0.0, "P2": 1.0}
    rates = {"B_enc": drift, "B_start": 0.0, "B_rec": renewal, "X1": 0.0, "X2": 0.0, "T": 2.0 / sharpness}
    param = fixed | weights | rates
    study = {"input": [np.arange(length)] * lists, "item_index": [np.arange(length)] * lists}
    return cmr.CMR().generate_subject(study, study, param, param_def, patterns)
