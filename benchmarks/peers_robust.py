"""Peers of minimum probability flow: the formula under autograd, plain descent, and fields from a dense matrix."""

from __future__ import annotations

import torch


def autograd_flow(
    couplings: torch.Tensor, thresholds: torch.Tensor, patterns: torch.Tensor, bits: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """K and its gradients by the symmetric couplings ``(N, N)`` and the thresholds ``(N)``, by autograd."""
    free, theta = couplings.clone().requires_grad_(), thresholds.clone().requires_grad_()
    symmetric = (free + free.T) / 2
    symmetric = symmetric - torch.diag(symmetric.diagonal())
    flow = torch.exp(-patterns * (bits @ symmetric - theta) / 2).sum() / len(patterns)
    by_couplings, by_thresholds = torch.autograd.grad(flow, (free, theta))
    return flow.detach(), by_couplings, by_thresholds


def descend(patterns: torch.Tensor, bits: torch.Tensor, *, rate: float, steps: int) -> float:
    """K after plain gradient descent from zero; a step by J counts both of its entries, as in the authors' script."""
    neurons = patterns.shape[-1]
    couplings, thresholds = patterns.new_zeros(neurons, neurons), patterns.new_zeros(neurons)
    for _ in range(steps):
        terms = torch.exp(-patterns * (bits @ couplings - thresholds) / 2) * patterns / len(patterns)
        push = terms.T @ bits
        push = (push + push.T) / 2
        push.diagonal().zero_()
        couplings += rate * push
        thresholds -= rate * terms.sum(dim=0) / 2
    return torch.exp(-patterns * (bits @ couplings - thresholds) / 2).sum().item() / len(patterns)


def dense_field(couplings: torch.Tensor, thresholds: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
    """Fields of units 0 and 1 from all N**2 couplings; states of spins ``(B, N)`` to ``(B, N)``."""
    return ((state + 1) / 2) @ couplings - thresholds
