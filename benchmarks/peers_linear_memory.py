"""Peers of linear memories: matrices formed and cut down, one dimension after another."""

from __future__ import annotations

import torch


def errors_one_by_one(
    inputs: torch.Tensor, outputs: torch.Tensor, probabilities: torch.Tensor, dimensions: list[int], divisor: int
) -> torch.Tensor:
    """Errors of three ways to write, dimension by dimension, as Cabannes and coauthors (2024) describe their sweep.

    Each matrix is formed in the largest dimension and cut down to every smaller one; that of the thresholded scheme is
    formed anew for each. All scores come from products with the matrix. Axes ``(schemes, dimensions)``.
    """
    answers = torch.arange(len(inputs)) % len(outputs)
    wanted = outputs[answers]
    equal, weighted = inputs.T @ wanted, inputs.T * probabilities.float() @ wanted
    found = []
    for size in dimensions:
        stored = size // divisor
        first = inputs[:stored].T @ wanted[:stored]
        row = []
        for matrix in (equal, weighted, first):
            said = (inputs[:, :size] @ matrix[:size, :size] @ outputs[:, :size].T).argmax(dim=1)
            row.append(probabilities[said != answers].sum())
        found.append(torch.stack(row))
    return torch.stack(found, dim=1)
