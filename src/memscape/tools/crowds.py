"""Models of one shape side by side: their tensors stacked, so that one product serves them all.

A question about scale takes many models, and small ones leave a processor idle between two calls. A :class:`Crowd` has
the tensors of G models with an axis for the models in front. What one model computes, ``torch.vmap`` computes for all,
and :func:`memscape.tools.training.adamw` trains all: a sum of losses has gradients that do not know of each other, and
AdamW changes every entry by that entry's own history.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_function,
    require_generator,
    require_integer,
    require_kind,
    require_labels,
    require_sequence,
)
from memscape.tools.models import Model
from memscape.tools.training import adamw, warm_cosine

__all__ = ["Crowd", "crowd", "mine", "trained"]


@dataclass(frozen=True)
class Crowd(Model):
    """G models of one shape; made by :func:`crowd`.

    Parameters
    ----------
    tensors
        Every tensor of the models in their own order, each with the models as its first axis.
    shape
        What the models have in common: kind, names and numbers.

    Raises
    ------
    ArgumentError
        If there is no tensor, one has no first axis, or the first axes differ.
    """

    tensors: tuple[torch.Tensor, ...]
    shape: pytree.TreeSpec

    def __post_init__(self) -> None:
        require_kind("shape", self.shape, pytree.TreeSpec)
        for tensor in require_sequence("tensors", self.tensors, "stacked tensors"):
            require_kind("tensors", tensor, torch.Tensor)
        first = {tuple(tensor.shape[:1]) for tensor in self.tensors}
        if len(first) != 1 or not all(all(axes) for axes in first):
            raise ArgumentError("tensors", "one first axis, the models, the same for all", f"{sorted(first)}")
        if len(self.tensors) != self.shape.num_leaves:
            raise ArgumentError("tensors", f"the {self.shape.num_leaves} of the shape", f"{len(self.tensors)}")

    def __len__(self) -> int:
        return len(self.tensors[0])

    def require_finite(self, argument: str) -> Crowd:
        """The crowd itself if all its numbers are finite; otherwise raise ArgumentError naming the argument."""
        if not all(tensor.isfinite().all() for tensor in self.tensors):
            raise ArgumentError(argument, "what leaves the models finite", "models that are not", "Lower the rate.")
        return self

    def member(self, number: int) -> Any:
        """One of the models, checked anew; its tensors are copies.

        Raises
        ------
        ArgumentError
            If there is no such model.
        """
        if not isinstance(number, int) or not -len(self) <= number < len(self):
            raise ArgumentError("number", f"a model's number, 0 to {len(self) - 1}", repr(number))
        model = pytree.tree_unflatten([tensor[number] for tensor in self.tensors], self.shape)
        return model.map(torch.clone)

    def each(self, function: Callable[..., torch.Tensor], *arguments: torch.Tensor) -> torch.Tensor:
        """What ``function(model, ...)`` gives for every model, stacked: ``arguments`` have the models in front as well.

        Raises
        ------
        ArgumentError
            If the function cannot be called or an argument has not one entry for every model.
        """
        require_function("function", function)
        for argument in arguments:
            if not isinstance(argument, torch.Tensor) or argument.shape[:1] != (len(self),):
                got = f"shape {tuple(argument.shape)}" if isinstance(argument, torch.Tensor) else repr(argument)
                raise ArgumentError("arguments", f"tensors with {len(self)} models in front", got)
        models = pytree.tree_unflatten(list(self.tensors), self.shape)
        found: torch.Tensor = torch.vmap(function, randomness="error")(models, *arguments)
        return found


def crowd(models: Sequence[Model]) -> Crowd:
    """Stack models of one kind that differ in the entries of their tensors only.

    Raises
    ------
    ArgumentError
        If there is none, or they differ in kind, numbers, or axes of a tensor.
    """
    if len(require_sequence("models", models, "models of one shape")) == 0:
        raise ArgumentError("models", "one model or more", "none")
    for model in models:
        require_kind("models", model, Model)
    flat = [pytree.tree_flatten(model) for model in models]
    leaves, shape = flat[0]
    for others, other in flat[1:]:
        same = other == shape and all(
            (a.shape, a.dtype, a.device) == (b.shape, b.dtype, b.device) for a, b in zip(leaves, others, strict=True)
        )
        if not same:
            raise ArgumentError("models", "models that differ in the entries of their tensors only", "others")
    return Crowd(tuple(torch.stack(parts) for parts in zip(*(parts for parts, _ in flat), strict=True)), shape)


def trained(
    models: Crowd,
    loss: Callable[[Crowd], torch.Tensor],
    *,
    steps: int,
    stretches: int,
    rate: float,
    decay: float = 0.0,
    second: float = 0.999,
    argument: str = "rate",
) -> Iterator[Crowd]:
    """Train models side by side by AdamW at the rate of `warm_cosine`; yield them after every stretch of the way.

    Parameters
    ----------
    models
        Where to start; left untouched.
    loss
        The losses of a step, summed over the models, as a function of these; it is called once a step.
    steps, stretches
        Steps in all, and in how many equal parts they are cut, 1 to ``steps`` and a divisor of it.
    rate, decay, second
        As for :func:`memscape.tools.training.adamw`.
    argument
        What is named where training leaves the models not finite.

    Raises
    ------
    ArgumentError
        If a number is out of range, or what comes out is not finite.
    """
    require_kind("models", models, Crowd)
    require_function("loss", loss)
    require_count("steps", steps)
    require_integer("stretches", stretches, at_least=1, at_most=steps)
    if steps % stretches:
        raise ArgumentError("stretches", f"a divisor of {steps}", str(stretches))

    def losses(current: Crowd) -> Iterator[torch.Tensor]:
        for _ in range(steps // stretches):
            yield loss(current)

    way = adamw(models, losses, epochs=stretches, rate=rate, decay=decay, second=second, schedule=warm_cosine(steps))
    return (current.require_finite(argument) for current, _ in way)


def mine(
    owned: Sequence[torch.Tensor], models: int, *, of: int, batch: int, generator: torch.Generator
) -> Iterator[torch.Tensor]:
    """Batches without end, for every model from its own samples, drawn with replacement: int64 ``(models, batch)``.

    Parameters
    ----------
    owned
        For every model the numbers of its samples, int64, axes ``(own samples)``.
    models
        Number of models.
    of
        Number of samples that there are.
    batch
        Samples in a step.
    generator
        A CPU generator.

    Raises
    ------
    ArgumentError
        If there is not one list of samples for every model, or a sample does not exist.
    """
    require_count("models", models)
    require_count("of", of)
    require_count("batch", batch)
    require_generator("generator", generator)
    for own in require_sequence("owned", owned, "numbers of samples, one tensor a model"):
        require_labels("owned", own, at_least=0)
        if own.max() >= of:
            raise ArgumentError("owned", f"samples below {of}", str(own.max().item()))
    if len(owned) != models:
        raise ArgumentError("owned", f"one tensor for each of {models} models", f"{len(owned)}")
    lists, ends = [own.cpu() for own in owned], torch.tensor([len(own) for own in owned], device="cpu")

    def batches() -> Iterator[torch.Tensor]:
        while True:
            places = torch.rand((models, batch), generator=generator, dtype=torch.float64, device="cpu")
            places = (places * ends[:, None]).long()
            yield torch.stack([own[place] for own, place in zip(lists, places, strict=True)])

    return batches()
