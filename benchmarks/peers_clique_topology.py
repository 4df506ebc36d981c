"""Betti curves of order complexes from the bars of Ripser, and from GUDHI without our shortcuts."""

from __future__ import annotations

import numpy as np
from gudhi import RipsComplex


def ripser_curves(ranks: np.ndarray, dimension: int, edges: int) -> np.ndarray:
    """Betti numbers after 0, ..., R edges of one table of ranks, axes (dimension + 1, R + 1), with ripser.py 0.6.15."""
    from ripser import ripser

    # Ranks are whole numbers below 2^24, which its single precision holds.
    return _curves(ripser(ranks, maxdim=dimension, thresh=float(edges), distance_matrix=True)["dgms"], edges)


def gudhi_curves(ranks: np.ndarray, dimension: int, edges: int) -> np.ndarray:
    """The same as one asks GUDHI for it: a Rips complex of the table of distances, expanded, and its bars."""
    tree = RipsComplex(distance_matrix=ranks, max_edge_length=float(edges)).create_simplex_tree(
        max_dimension=dimension + 1
    )
    tree.compute_persistence(homology_coeff_field=2)
    return _curves([tree.persistence_intervals_in_dimension(k) for k in range(dimension + 1)], edges)


def _curves(bars: list[np.ndarray], edges: int) -> np.ndarray:
    """Bars of each dimension, counted after every edge."""
    change = np.zeros((len(bars), edges + 2), dtype=np.int64)
    for k, each in enumerate(bars):
        born, died = np.minimum(each, edges + 1).astype(np.int64).reshape(-1, 2).T
        np.add.at(change[k], born, 1)
        np.add.at(change[k], died, -1)
    return change.cumsum(axis=1)[:, :-1]
