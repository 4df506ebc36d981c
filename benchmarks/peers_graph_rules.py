"""Peers of combinatorial networks: a loop of solves over supports, and batches of LAPACK over six-neuron digraphs."""

from __future__ import annotations

import numpy as np


def loop_of_solves(weights: np.ndarray) -> np.ndarray:
    """Supports and stability of each network ``(graphs, n, n)``, one solve and one spectrum a support."""
    graphs, nodes, _ = weights.shape
    found = np.zeros((2, graphs, 2**nodes), dtype=bool)
    system, ones = np.eye(nodes) - weights, np.ones(nodes)
    for graph in range(graphs):
        for mask in range(1, 2**nodes):
            inside = [node for node in range(nodes) if mask >> node & 1]
            block = system[graph][np.ix_(inside, inside)]
            active = np.linalg.solve(block, ones[inside])
            if (active <= 0).any():
                continue
            state = np.zeros(nodes)
            state[inside] = active
            outside = [node for node in range(nodes) if not mask >> node & 1]
            if (weights[graph][outside] @ state + 1 <= 0).all():
                found[0, graph, mask] = True
                found[1, graph, mask] = np.linalg.eigvals(block).real.min() > 0
    return found


def batches_of_lapack(weights: np.ndarray) -> np.ndarray:
    """Whether each network ``(graphs, n, n)`` has a stable fixed point on all neurons: batched solves, then spectra."""
    system = np.eye(weights.shape[-1]) - weights
    active = np.linalg.solve(system, np.ones((*system.shape[:-1], 1)))[..., 0].min(axis=-1) > 0
    active[active] = np.linalg.eigvals(system[active]).real.min(axis=-1) > 0
    return active
