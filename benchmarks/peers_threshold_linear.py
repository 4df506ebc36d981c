"""Fixed points of threshold-linear networks as the official packages find them: one support after the other."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import torch

Floats = npt.NDArray[np.float64]


def loop_of_solves(
    couplings: Floats, inputs: Floats, supports: Iterable[int]
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Existence and stability for one network, by one solve a support and eigenvalues where there is a fixed point."""
    neurons, found = len(inputs), []
    unit = np.eye(neurons)
    for support in supports:
        inside = np.array([support >> i & 1 for i in range(neurons)], dtype=bool)
        block = (unit - couplings)[np.ix_(inside, inside)]
        x = np.zeros(neurons)
        x[inside] = np.linalg.solve(block, inputs[inside])
        totals = couplings @ x + inputs
        exists = bool((x[inside] > 0).all() and (totals[~inside] <= 0).all())
        found.append((exists, exists and (support == 0 or np.linalg.eigvals(-block).real.max() < 0)))
    exists_, stable = np.array(found).T
    return exists_, stable


def batched_solves(couplings: torch.Tensor, inputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The same for many networks: one batched solve a support, batched eigenvalues where there are fixed points."""
    neurons = inputs.shape[-1]
    unit = torch.eye(neurons, dtype=couplings.dtype)
    exists = torch.zeros(len(couplings), 2**neurons, dtype=torch.bool)
    stable = exists.clone()
    for support in range(2**neurons):
        inside = torch.tensor([bool(support >> i & 1) for i in range(neurons)])
        block = (unit - couplings)[:, inside][:, :, inside]
        x = torch.zeros_like(inputs)
        x[:, inside] = torch.linalg.solve(block, inputs[:, inside])
        totals = (couplings @ x[..., None])[..., 0] + inputs
        exists[:, support] = (x[:, inside] > 0).all(dim=-1) & (totals[:, ~inside] <= 0).all(dim=-1)
        there = exists[:, support].nonzero()[:, 0]
        stable[there, support] = (torch.linalg.eigvals(-block[there]).real < 0).all(dim=-1)
    return exists, stable
