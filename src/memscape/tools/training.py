"""Training: batches, weights to start from, and one loop of gradient descent for every model."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import torch
from torch.optim.adamw import adamw as functional_adamw

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_dtype,
    require_function,
    require_generator,
    require_integer,
    require_kind,
    require_labels,
    require_number,
    require_rng,
    require_room,
    require_sizes,
)
from memscape.tools.models import Model

__all__ = ["Normal", "adamw", "balanced_batches", "warm_cosine"]

Trained = TypeVar("Trained", bound=Model)


class Normal:
    """Normal entries from a numpy generator, as tensors of one floating dtype and device.

    Everything is drawn in float64 on the CPU. Raises ArgumentError for what is no generator, dtype or device.
    """

    def __init__(self, rng: np.random.Generator, dtype: torch.dtype, device: torch.device | str) -> None:
        self.rng = require_rng("rng", rng)
        self.dtype, self.device = require_dtype("dtype", dtype), require_device("device", device)

    def __call__(self, spread: float, *shape: int) -> torch.Tensor:
        """Independent normal entries of mean 0 and the standard deviation ``spread``, at least 0."""
        require_number("spread", spread, at_least=0.0, at_most=self._largest)
        self._require_shape(shape)
        return torch.from_numpy(self.rng.normal(0.0, spread, shape)).to(self.device, self.dtype)

    def full(self, value: float, *shape: int) -> torch.Tensor:
        """Entries that are all the same."""
        require_number("value", value, at_least=-10 * self._largest, at_most=10 * self._largest)
        self._require_shape(shape)
        return torch.full(shape, value, dtype=self.dtype, device=self.device)

    @property
    def _largest(self) -> float:
        # No normal number that a computer draws lies ten standard deviations out.
        return torch.finfo(self.dtype).max / 10

    @staticmethod
    def _require_shape(shape: tuple[int, ...]) -> None:
        require_sizes("shape", shape)
        require_room(**{f"axis {axis}": size for axis, size in enumerate(shape)})


def balanced_batches(digits: torch.Tensor, batch: int, *, generator: torch.Generator) -> torch.Tensor:
    """Minibatches with the same number of images of every class, for one epoch.

    Every class is dealt out in a random order; a class that runs out before the epoch ends is shuffled and dealt again.

    Parameters
    ----------
    digits
        Class of every image, integers 0, 1, ..., axes (samples,); every class must occur.
    batch
        Images in a batch, a multiple of the number of classes and at most the number of images.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Indices of images, axes (samples // batch, batch), int64, on the device of ``digits``.

    Raises
    ------
    ArgumentError
        If the digits are not integers, a class is missing, or the batch does not fit.
    """
    require_labels("digits", digits, at_least=0)
    require_generator("generator", generator)
    if digits.max() >= len(digits):
        raise ArgumentError("digits", "every class 0, 1, ... at least once", f"a class {digits.max()}")
    count = digits.cpu().bincount()
    if (count == 0).any():
        raise ArgumentError(
            "digits",
            "every class 0, 1, ... at least once",
            f"no {int(count.argmin())}",
            "Relabel the classes without a gap.",
        )
    require_integer("batch", batch, at_least=1, at_most=len(digits))
    if batch % len(count):
        raise ArgumentError("batch", f"a multiple of the {len(count)} classes", str(batch), "Take 100 of each class.")
    batches, share = len(digits) // batch, batch // len(count)
    dealt = []
    for members in digits.cpu().argsort(stable=True).split(count.tolist()):
        rounds = math.ceil(batches * share / len(members))
        order = torch.cat(
            [members[torch.randperm(len(members), generator=generator, device="cpu")] for _ in range(rounds)]
        )
        dealt.append(order[: batches * share].reshape(batches, share))
    return torch.cat(dealt, dim=1).to(digits.device)


def adamw(
    model: Trained,
    losses: Callable[[Trained], Iterator[torch.Tensor]],
    *,
    epochs: int,
    rate: float,
    decay: float = 0.0,
    second: float = 0.999,
    longest: float | None = None,
    schedule: Callable[[int], float] | None = None,
) -> Iterator[tuple[Trained, float]]:
    """Follow losses down by AdamW (Loshchilov & Hutter 2019; without decay, Adam); yield model and loss every epoch.

    Parameters
    ----------
    model
        Where to start; left untouched. All its floating tensors are trained, those of its parts included.
    losses
        The losses of one epoch, one scalar a step, as functions of the tensors of the model that it is given.
    epochs
        Number of epochs, at least 0.
    rate, decay
        Learning rate, positive, and weight decay, at least 0; both at most 1e30.
    second
        Decay of the mean of squared gradients, in [0, 1); that of the mean of gradients is 0.9.
    longest
        Gradients longer than this, over all tensors together, are shortened to it; by default none is.
    schedule
        Factor of the rate at step 0, 1, ...; 1 by default.

    Yields
    ------
    tuple
        A detached copy of the model, and the mean loss of the epoch.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    require_kind("model", model, Model)
    require_function("losses", losses)
    require_count("epochs", epochs, at_least=0)
    require_number("rate", rate, above=0.0, at_most=1e30)
    require_number("decay", decay, at_least=0.0, at_most=1e30)
    require_number("second", second, at_least=0.0, at_most=1 - 2**-53)
    if longest is not None:
        require_number("longest", longest, above=0.0)
    if schedule is not None:
        require_function("schedule", schedule)
    leaves: list[torch.Tensor] = []

    def leaf(tensor: torch.Tensor) -> torch.Tensor:
        leaves.append(tensor.detach().clone().requires_grad_())
        return leaves[-1]

    current = model.map(leaf)
    means, squares = ([torch.zeros_like(each) for each in leaves] for _ in range(2))
    counts = [torch.zeros((), device="cpu") for _ in leaves]
    steps = 0
    for _ in range(epochs):
        found = []
        for loss in losses(current):
            for each in leaves:
                each.grad = None
            loss.backward()
            if longest is not None:
                torch.nn.utils.clip_grad_norm_(leaves, longest)
            # The function and not the class of torch.optim, whose first use loads torch's compiler: some seconds.
            reached = [(*parts, parts[0].grad) for parts in zip(leaves, means, squares, counts, strict=True)]
            held, firsts, seconds, passed, slopes = map(
                list, zip(*[r for r in reached if r[-1] is not None], strict=True)
            )
            with torch.no_grad():
                functional_adamw(
                    held,
                    slopes,
                    firsts,
                    seconds,
                    [],
                    passed,
                    amsgrad=False,
                    beta1=0.9,
                    beta2=second,
                    lr=rate * (schedule(steps) if schedule else 1.0),
                    weight_decay=decay,
                    eps=1e-8,
                    maximize=False,
                )
            steps += 1
            found.append(loss.detach())
        yield current.map(lambda tensor: tensor.detach().clone()), torch.stack(found).mean().item()


def warm_cosine(steps: int) -> Callable[[int], float]:
    """Factor of the rate that rises over the first twentieth of the steps and falls along a cosine to a hundredth.

    Raises
    ------
    ArgumentError
        If ``steps`` is not an integer from 1 to 2**53.
    """
    require_count("steps", steps)
    warm = max(1, steps // 20)
    return lambda k: min((k + 1) / warm, 0.01 + 0.99 * (1 + math.cos(math.pi * min(k / steps, 1.0))) / 2)
