"""Peers that need no package beyond the project's own: textbook formulas, written plainly.

They are what a reader would write from the equations, so they are also what the tests hold the kernels to.
"""

from __future__ import annotations

import numpy as np
import torch


def softmax_retrieval(queries: torch.Tensor, patterns: torch.Tensor, beta: float) -> torch.Tensor:
    """One step q <- softmax(beta q X^T) X (Ramsauer et al. 2021, eq. 3), all weights in memory.

    Queries ``(Q, N)`` and patterns ``(P, N)`` to ``(Q, N)``.
    """
    return torch.softmax(beta * (queries @ patterns.T), dim=-1) @ patterns


def softmax_passes(queries: torch.Tensor, patterns: torch.Tensor, beta: float, steps: int) -> torch.Tensor:
    """``steps`` steps by steps + 1 softmax passes.

    The order of work of the Hopfield layers of Ramsauer et al.: a loop moves the queries and computes the weights of
    the next step each time, and after it comes one more softmax, over the last weights.
    """
    weights = beta * (queries @ patterns.T)
    for _ in range(steps - 1):
        weights = beta * ((torch.softmax(weights, dim=-1) @ patterns) @ patterns.T)
    state = torch.softmax(weights, dim=-1) @ patterns
    torch.softmax(beta * (state @ patterns.T), dim=-1)
    return state


def notebook_step(
    memories: np.ndarray,
    velocity: np.ndarray,
    images: np.ndarray,
    targets: np.ndarray,
    *,
    n: int,
    m: int,
    temperature: float,
    rate: float,
    momentum: float,
) -> np.ndarray:
    """One minibatch of the classifier of Krotov & Hopfield 2016 (eq. 9, 12-14) by the formulas as printed.

    Every image is presented once per class, with that label unit on and off, the others off; the powers and the
    derivative are those of the rectified polynomial. Memories ``(K, N + C)`` and velocity ``(K, N + C)`` are changed in
    place; images ``(B, N)`` in [-1, 1], targets ``(B, C)`` in {-1, +1}. Returns the outputs ``(B, C)`` before the step.
    """
    batch, classes = targets.shape
    pixels = images.shape[1]
    off = np.concatenate([images, -np.ones((batch, classes), dtype=images.dtype)], axis=1)
    off = np.repeat(off[None], classes, axis=0)
    on = off.copy()
    for label in range(classes):
        on[label, :, pixels + label] = 1.0
    on, off = on.reshape(classes * batch, -1), off.reshape(classes * batch, -1)
    field_on = np.maximum(on @ memories.T, 0) / temperature
    field_off = np.maximum(off @ memories.T, 0) / temperature
    outputs = np.tanh((field_on**n - field_off**n).sum(axis=1))
    error = targets.T.reshape(-1) - outputs
    signal = (error ** (2 * m - 1) * (1 - outputs) * (1 + outputs))[:, None]
    gradient = (signal * field_on ** (n - 1)).T @ on - (signal * field_off ** (n - 1)).T @ off
    velocity *= momentum
    velocity += gradient
    largest = np.abs(velocity).max(axis=1, keepdims=True)
    memories += rate * velocity / np.maximum(largest, np.finfo(memories.dtype).tiny)
    np.clip(memories, -1.0, 1.0, out=memories)
    return outputs.reshape(classes, batch).T


def autograd_step(
    memories: torch.Tensor,
    velocity: torch.Tensor,
    images: torch.Tensor,
    targets: torch.Tensor,
    *,
    n: int,
    m: int,
    temperature: float,
    rate: float,
    momentum: float,
) -> torch.Tensor:
    """The step of :func:`notebook_step` with the loss written down and differentiated by torch."""
    batch, classes = targets.shape
    pixels = images.shape[1]
    off = torch.cat([images, -images.new_ones(batch, classes)], dim=1).expand(classes, -1, -1)
    on = off.clone()
    on[:, :, pixels:] += 2.0 * torch.eye(classes, dtype=images.dtype)[:, None]
    weights = memories.clone().requires_grad_()
    field_on = torch.relu(on @ weights.T) / temperature
    field_off = torch.relu(off @ weights.T) / temperature
    outputs = torch.tanh((field_on**n - field_off**n).sum(dim=-1)).T
    loss = ((outputs - targets).abs() ** (2 * m)).sum()
    loss.backward()
    velocity.mul_(momentum).sub_(weights.grad)
    largest = velocity.abs().amax(dim=1, keepdim=True).clamp(min=torch.finfo(memories.dtype).tiny)
    memories.add_(rate * velocity / largest).clamp_(-1.0, 1.0)
    return outputs.detach()
