r"""Linear memories that are learned: gradient descent on the matrix, and on the vectors as well.

The memory of :mod:`memscape.capacity.linear_memory` answers token x with the softmax of the scores :math:`e_x^T W u_y`.
:func:`learn_matrix` follows Cabannes, Dohmatob & Bietti (2024): W starts at random and descends the cross-entropy of
batches drawn from the tokens' probabilities, by stochastic gradient descent or by Adam without moments, whose step has
the sign of the gradient and one length. In :func:`learn_vectors` the vectors of tokens and answers are learned, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy.typing as npt
import torch

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_device,
    require_fit,
    require_generator,
    require_integer,
    require_number,
    require_room,
)
from memscape.capacity.counting_memory import counts
from memscape.tools.models import Model
from memscape.tools.sequences import require_probabilities
from memscape.tools.training import adamw

__all__ = ["learn_matrix", "learn_vectors"]

OPTIMISERS = ("sgd", "adam")


def learn_matrix(
    probabilities: npt.ArrayLike,
    dimension: int,
    *,
    answers: int,
    optimiser: str,
    rate: float,
    batch: int,
    steps: int,
    layer_norm: bool = False,
    runs: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    r"""Error of linear memories after gradient descent on the matrix, many runs at once.

    Tokens' vectors, answers' vectors and the first W have normal entries of variance 1/d. The gradient is
    :math:`\sum_x \hat p_x\, e_x (\text{softmax} - 1_{f(x)})^T U^T` with the shares :math:`\hat p` of the batch. Adam
    has no moments: its step is the rate over d, times :math:`g / (|g| + 10^{-8})` for each entry.

    Parameters
    ----------
    probabilities
        Of every token, summing to 1, axes ``(tokens,)``; token x has the answer x modulo the number of answers.
    dimension
        d.
    answers
        Number of answers M, at least 2.
    optimiser
        ``"sgd"`` or ``"adam"``.
    rate
        Learning rate, positive, at most 1e6.
    batch, steps
        Examples of a batch, and batches, each seen once.
    layer_norm
        Whether :math:`W^T e_x` is brought to unit length before it meets the answers.
    runs
        Independent runs.
    generator
        A CPU generator.
    device
        Where to compute, in float64.

    Returns
    -------
    torch.Tensor
        float64 in [0, 1], axes ``(runs,)``, on the CPU.

    Raises
    ------
    ArgumentError
        If an argument is out of range, or a step leaves what a float holds.
    """
    chances = torch.from_numpy(require_probabilities("probabilities", probabilities).copy())
    require_count("dimension", dimension)
    require_choice("optimiser", optimiser, OPTIMISERS)
    require_number("rate", rate, above=0.0, at_most=1e6)
    if not isinstance(layer_norm, bool):
        raise ArgumentError("layer_norm", "a bool", type(layer_norm).__name__)
    place = _sizes(len(chances), answers, batch, steps, runs, generator, device)
    require_room(runs=runs, dimension=dimension, dimension_again=dimension)
    require_room(runs=runs, tokens=len(chances), dimension=dimension)

    def normal(*shape: int) -> torch.Tensor:
        drawn = torch.randn(runs, *shape, generator=generator, dtype=torch.float64, device="cpu")
        return drawn.to(place) / math.sqrt(dimension)

    inputs, outputs = normal(len(chances), dimension), normal(dimension, answers)
    matrix = normal(dimension, dimension)
    truth = torch.arange(len(chances), device=place) % answers
    target = torch.nn.functional.one_hot(truth, answers).double()
    for _ in range(steps):
        shares = counts(probabilities, [batch], repeats=runs, generator=generator)[:, 0].to(place) / batch
        hidden = inputs @ matrix
        length = (hidden.square().sum(dim=-1, keepdim=True) + 1e-6).sqrt()
        hidden = hidden / length if layer_norm else hidden
        back = (torch.softmax(hidden @ outputs, dim=-1) - target) * shares[..., None] @ outputs.mT
        if layer_norm:
            back = (back - hidden * (hidden * back).sum(dim=-1, keepdim=True)) / length
        slope = inputs.mT @ back
        step = rate * slope if optimiser == "sgd" else rate / dimension * slope / (slope.abs() + 1e-8)
        matrix = matrix - step
    hidden = inputs @ require_fit("rate", matrix)
    hidden = hidden / (hidden.square().sum(dim=-1, keepdim=True) + 1e-6).sqrt() if layer_norm else hidden
    wrong = (hidden @ outputs).argmax(dim=-1) != truth
    return (wrong.double() @ chances.to(place)).cpu()


def learn_vectors(
    probabilities: npt.ArrayLike,
    dimension: int,
    *,
    answers: int,
    rate: float,
    batch: int,
    steps: int,
    runs: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Error of linear memories whose matrix and vectors are all learned by Adam, many runs at once.

    Parameters
    ----------
    probabilities, dimension, answers, batch, steps, runs, generator, device
        As for :func:`learn_matrix`. The first matrix has normal entries of variance 1.
    rate
        Learning rate of Adam, in (0, 10].

    Returns
    -------
    torch.Tensor
        float64 in [0, 1], axes ``(runs,)``, on the CPU.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    chances = torch.from_numpy(require_probabilities("probabilities", probabilities).copy())
    require_count("dimension", dimension)
    require_number("rate", rate, above=0.0, at_most=10.0)
    place = _sizes(len(chances), answers, batch, steps, runs, generator, device)
    require_room(runs=runs, dimension=dimension, tokens=max(len(chances), dimension, answers))
    small = dimension**-0.5

    def normal(spread: float, *shape: int) -> torch.Tensor:
        drawn = torch.randn(runs, *shape, generator=generator, dtype=torch.float64, device="cpu")
        return spread * drawn.to(place)

    start = _Vectors(
        normal(small, len(chances), dimension), normal(1.0, dimension, dimension), normal(small, dimension, answers)
    )
    truth = torch.arange(len(chances), device=place) % answers

    def losses(learned: _Vectors) -> Iterator[torch.Tensor]:
        for _ in range(steps):
            shares = counts(probabilities, [batch], repeats=runs, generator=generator)[:, 0].to(place) / batch
            chosen = torch.log_softmax(learned.scores, dim=-1).gather(-1, truth.expand(runs, -1)[..., None])[..., 0]
            # Runs do not meet: the sum of their losses has each one's own gradient.
            yield -(shares * chosen).sum()

    (learned, _) = next(adamw(start, losses, epochs=1, rate=rate))
    wrong = learned.scores.argmax(dim=-1) != truth
    return (wrong.double() @ chances.to(place)).cpu()


@dataclass(frozen=True)
class _Vectors(Model):
    """Vectors of tokens, matrices, and vectors of answers of some runs."""

    inputs: torch.Tensor
    matrix: torch.Tensor
    outputs: torch.Tensor

    @property
    def scores(self) -> torch.Tensor:
        """Axes ``(runs, tokens, answers)``."""
        return self.inputs @ self.matrix @ self.outputs


def _sizes(
    tokens: int,
    answers: int,
    batch: int,
    steps: int,
    runs: int,
    generator: torch.Generator,
    device: torch.device | str,
) -> torch.device:
    require_integer("answers", answers, at_least=2, at_most=10**6)
    require_count("batch", batch)
    require_count("steps", steps)
    require_count("runs", runs)
    require_room(runs=runs, batch=batch)
    require_room(runs=runs, tokens=tokens, answers=answers)
    require_generator("generator", generator)
    return require_device("device", device)
