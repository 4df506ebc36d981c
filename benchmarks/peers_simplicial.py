"""Peers of the simplicial networks: the sum over simplices, written as it stands in the equation."""

from __future__ import annotations

import math

import numpy as np
import torch


def looped_energy(weights: dict[tuple[int, ...], float], state: list[float]) -> float:
    """Energy of one state, one simplex after another, in plain numbers."""
    return -sum(weight * math.prod(state[i] for i in simplex) for simplex, weight in weights.items())


def gathered_fields(members: list[torch.Tensor], weights: list[torch.Tensor], states: torch.Tensor) -> torch.Tensor:
    """Local fields of all units by gathering the spins of every simplex.

    Members ``(C, k)`` and weights ``(C)`` for each size; states ``(B, N)`` to fields ``(B, N)``.
    """
    fields = torch.zeros_like(states)
    for rows, weight in zip(members, weights, strict=True):
        products = states[:, rows].prod(dim=-1) * weight
        for vertices in rows.T:
            fields.index_add_(1, vertices, products)
    return fields * states


def dense_fields(pairs: torch.Tensor, triples: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
    """Local fields from tensors of all N**2 and N**3 weights, zero where an index repeats; states ``(B, N)``."""
    batch, neurons = states.shape
    inner = (states @ triples.reshape(neurons, -1)).reshape(batch, neurons, neurons)
    return states @ pairs + torch.bmm(inner, states[..., None])[..., 0] / 2


def listed_fields(incident: list[tuple[np.ndarray, np.ndarray]], states: np.ndarray) -> np.ndarray:
    """Local fields from two arrays for every neuron: the other vertices of its simplices ``(n, k - 1)``, their weights.

    One state after another, one neuron after another: ``(B, N)`` to ``(B, N)``.
    """
    fields = np.empty_like(states)
    for row, state in enumerate(states):
        for neuron, (others, weights) in enumerate(incident):
            fields[row, neuron] = np.sum(weights * np.prod(state[others], axis=1))
    return fields
