"""The loop of hflayers, the Hopfield layers of Ramsauer et al. 2021, written plainly from its order of work."""

from __future__ import annotations

import torch


def masked_loop(queries: torch.Tensor, patterns: torch.Tensor, beta: float, steps: int, eps: float) -> torch.Tensor:
    """``steps`` steps of retrieval for heads that may stop one by one.

    All weights are kept. After the first step each head that still moves has its weights picked out, moved and put
    back, and stops once its weights change by less than ``eps`` in norm. Queries ``(H, Q, N)``, patterns ``(H, P, N)``.
    """
    weights = torch.softmax(beta * torch.bmm(queries, patterns.mT), dim=-1)
    before, moving = weights, torch.full((len(queries), 1, 1), steps > 1)
    for step in range(1, steps):
        if not moving.any():
            break
        held = weights.masked_select(moving).view(-1, *weights.shape[1:])
        known = patterns.masked_select(moving).view(-1, *patterns.shape[1:])
        queries = queries.masked_scatter(moving, torch.bmm(held, known))
        scores = beta * torch.bmm(queries, patterns.mT)
        fresh = torch.softmax(scores.masked_select(moving).view(-1, *weights.shape[1:]), dim=-1)
        weights = weights.masked_scatter(moving, fresh)
        moving = ((weights - before).norm(dim=(1, 2)) > eps)[:, None, None] & torch.tensor(step < steps - 1)
        before = weights
    return torch.bmm(weights, patterns)
