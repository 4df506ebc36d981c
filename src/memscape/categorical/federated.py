r"""Networks that see images of their own, and rounds of averages of what they have learned (McMahan and others 2017).

All images lie in one tensor; a *shard* is the list of the numbers of those that one network sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_fit,
    require_labels,
    require_number,
    require_rng,
)
from memscape.categorical.colimits import average
from memscape.tools.models import Model
from memscape.tools.perceptrons import Perceptrons, orders, require_data
from memscape.tools.training import adamw

__all__ = ["Round", "descend", "federate", "head_accuracy", "train_own"]


@dataclass(frozen=True)
class Round(Model):
    """What a round ends with.

    Attributes
    ----------
    clients
        The networks after their own training: for each run all of its clients.
    average
        The mean of the clients, one network a run.
    """

    clients: Perceptrons
    average: Perceptrons


def train_own(
    model: Perceptrons,
    images: torch.Tensor,
    labels: torch.Tensor,
    shards: torch.Tensor,
    *,
    epochs: int,
    batch: int,
    rate: float,
    rng: np.random.Generator,
    heads: torch.Tensor | None = None,
) -> Perceptrons:
    """Train every network by Adam on the mean cross-entropy of its own images, in an order of its own.

    Parameters
    ----------
    model
        Where each network starts; left untouched.
    images, labels
        Axes ``(images, inputs)`` and ``(images,)``, int64 below the number of classes.
    shards
        The numbers of the images that each network sees, int64, axes ``(networks, own)``.
    epochs
        Number of epochs, at least 0.
    batch
        Images in a step, at most all of a network's own.
    rate
        Learning rate of :func:`memscape.tools.training.adamw`.
    rng
        Where the orders are drawn from.
    heads
        The task that each class belongs to, int64, axes ``(classes,)``: an image is then told from the classes of its
        own task only. One task without it.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or training leaves the finite numbers.
    """
    _require_shards(model, images, labels, shards)
    require_count("batch", batch, at_most=shards.shape[1])
    require_rng("rng", rng)
    if heads is not None:
        _require_heads(model, heads)

    def epoch(current: Perceptrons) -> Iterator[torch.Tensor]:
        for taken in orders(len(current), shards.shape[1], batch, rng=rng).to(images.device).unbind(dim=1):
            own = shards.gather(1, taken)
            logits = _of_the_task(current.logits(images[own]), labels[own], heads)
            yield cross_entropy(logits.flatten(0, 1), labels[own].flatten(), reduction="sum") / batch

    trained = model
    for trained, _ in adamw(model, epoch, epochs=epochs, rate=rate):
        for each in trained.parameters:
            require_fit("rate", each)
    return trained


def federate(
    model: Perceptrons,
    images: torch.Tensor,
    labels: torch.Tensor,
    shards: torch.Tensor,
    *,
    rounds: int,
    batch: int,
    rate: float,
    rng: np.random.Generator,
) -> Iterator[Round]:
    """Federated averaging: every client trains for one epoch from the last average, and all are averaged.

    Parameters
    ----------
    model
        Where each run starts, axes of networks ``(runs,)``; left untouched.
    images, labels
        Axes ``(images, inputs)`` and ``(images,)``, int64 below the number of classes.
    shards
        The numbers of each client's images, int64, axes ``(runs, clients, own)``.
    rounds
        Number of rounds, at least 0.
    batch, rate, rng
        As in :func:`train_own`; Adam starts anew in every round.

    Yields
    ------
    Round
        Clients and average after each round.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or training leaves the finite numbers.
    """
    require_count("rounds", rounds, at_least=0)
    require_data(model, images, labels)
    if not isinstance(shards, torch.Tensor) or shards.ndim != 3 or len(shards) != len(model):
        got = tuple(shards.shape) if isinstance(shards, torch.Tensor) else type(shards).__name__
        raise ArgumentError("shards", f"axes (runs, clients, own) with {len(model)} runs", f"{got}")
    runs, clients = shards.shape[:2]
    everybody = torch.arange(runs * clients, device=images.device).reshape(runs, clients)
    own, whose = shards.flatten(0, 1), everybody.flatten() // clients
    for _ in range(rounds):
        trained = train_own(model.chosen(whose), images, labels, own, epochs=1, batch=batch, rate=rate, rng=rng)
        model = average(trained, everybody)
        yield Round(trained, model)


def descend(
    model: Perceptrons, images: torch.Tensor, labels: torch.Tensor, shards: torch.Tensor, *, steps: int, rate: float
) -> Perceptrons:
    """Plain gradient descent of each network on the mean cross-entropy of all its own images at once.

    Parameters
    ----------
    model, images, labels, shards
        As in :func:`train_own`.
    steps
        Number of steps, at least 0.
    rate
        Their size, positive.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or descent leaves the finite numbers.
    """
    _require_shards(model, images, labels, shards)
    require_count("steps", steps, at_least=0)
    require_number("rate", rate, above=0.0, at_most=1e30)
    for _ in range(steps):
        leaves = model.map(lambda each: each.detach().clone().requires_grad_())
        logits = leaves.logits(images[shards]).flatten(0, 1)
        loss = cross_entropy(logits, labels[shards].flatten(), reduction="sum") / shards.shape[1]
        slopes = torch.autograd.grad(loss, leaves.parameters)
        model = Perceptrons(
            *(require_fit("rate", each - rate * slope) for each, slope in zip(model.parameters, slopes, strict=True))
        )
    return model


def head_accuracy(model: Perceptrons, images: torch.Tensor, labels: torch.Tensor, heads: torch.Tensor) -> torch.Tensor:
    """Share of images on which each network finds the right label among those of the image's own task.

    Parameters
    ----------
    model
        Networks.
    images, labels
        Axes ``(images, inputs)`` and ``(images,)``, int64 below the number of classes.
    heads
        The task of each class, int64, axes ``(classes,)``.

    Returns
    -------
    torch.Tensor
        In [0, 1], axes ``(networks,)``, float64.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_data(model, images, labels)
    _require_heads(model, heads)
    logits = _of_the_task(model.logits(images), labels.expand(len(model), -1), heads)
    return (logits.argmax(dim=-1) == labels).double().mean(dim=-1)


def _of_the_task(logits: torch.Tensor, labels: torch.Tensor, heads: torch.Tensor | None) -> torch.Tensor:
    """Logits of other tasks' classes become minus infinity; labels have the logits' axes but the last."""
    return logits if heads is None else logits.masked_fill(heads != heads[labels][..., None], -torch.inf)


def _require_heads(model: Perceptrons, heads: torch.Tensor) -> None:
    require_labels("heads", heads, model.first.device, at_least=0)
    if len(heads) != (classes := model.second.shape[-1]):
        raise ArgumentError("heads", f"{classes} tasks, one a class", f"{len(heads)}")


def _require_shards(model: Perceptrons, images: torch.Tensor, labels: torch.Tensor, shards: torch.Tensor) -> None:
    require_data(model, images, labels)
    if not isinstance(shards, torch.Tensor) or shards.ndim != 2 or len(shards) != len(model):
        got = f"shape {tuple(shards.shape)}" if isinstance(shards, torch.Tensor) else type(shards).__name__
        raise ArgumentError("shards", f"axes (networks, own) with {len(model)} networks", got)
    require_labels("shards", shards.flatten(), images.device, at_least=0)
    if int(shards.max()) >= len(images):
        raise ArgumentError("shards", f"numbers below {len(images)}", f"{int(shards.max())}")
