r"""One task after the other: many dense memories trained side by side, what they lose, and two cures.

The model is the classifier of Krotov & Hopfield (2016) in the limit of small labels, eq. 10 there
(:mod:`memscape.memory.classifier`): memories with an image part :math:`\xi_i^\mu` and a label part
:math:`\xi_\alpha^\mu` answer

.. math:: c_\alpha = \tanh\Big[ 2 n T^{-n} \sum_\mu \xi_\alpha^\mu
          \max\big(0, \textstyle\sum_i \xi_i^\mu v_i \big)^{n-1} \Big],

and descend on :math:`\sum |c - t|^{2m}`. Here S seeds with data of their own train M models each, all in one product of
matrices a step. A permutation of the pixels costs nothing: a memory that is trained on permuted images is the permuted
memory that is trained on the images as they are, so it is the memories that are permuted, once before and once after.

Two cures. *Rehearsal* mixes stored examples of earlier tasks into every batch, which needs nothing new here. *Elastic
weight consolidation* (Kirkpatrick et al. 2017) holds every weight where an earlier task left it, with a spring as
strong as that task's mean squared derivative (the diagonal of the empirical Fisher information), which for this model
is two products of matrices.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_device,
    require_dtype,
    require_fit,
    require_generator,
    require_integer,
    require_kind,
    require_labels,
    require_number,
    require_rng,
    require_room,
    require_tensor,
)
from memscape.memory.classifier import Classifier, Schedule
from memscape.tools.models import Model
from memscape.tools.training import balanced_batches

__all__ = [
    "Learners",
    "Omega",
    "Springs",
    "TwoTasks",
    "accuracy",
    "course",
    "learners",
    "omega",
    "permute",
    "springs",
    "train",
    "two_tasks",
]

SCALES = ("memory", "network")

_STEEPEST = 60  # power of an overlap that single precision holds, with overlaps of the size of the temperature


@dataclass(frozen=True)
class Learners(Model):
    """Dense memories side by side: M models for each of S seeds.

    Parameters
    ----------
    weights
        Image parts and label parts behind them, axes (S, M, K, pixels + classes), within [-1, 1] once trained.
    classes
        How many of the last entries are labels, at least 1.
    power
        n of the energy, an integer from 2 to 60.

    Raises
    ------
    ArgumentError
        If the axes do not fit or a number is out of its range.
    """

    weights: torch.Tensor
    classes: int
    power: int

    def __post_init__(self) -> None:
        require_tensor("weights", self.weights, "seeds models memories entries")
        require_integer("classes", self.classes, at_least=1, at_most=self.weights.shape[-1] - 1)
        require_integer("power", self.power, at_least=2, at_most=_STEEPEST)

    @property
    def pixels(self) -> int:
        """Pixels of an image."""
        return self.weights.shape[-1] - self.classes

    def one(self, seed: int, model: int, temperature: float) -> Classifier:
        """One of them, as :class:`memscape.memory.classifier.Classifier` at a temperature.

        Raises ArgumentError if there is none of that number.
        """
        for name, value, most in (("seed", seed, self.weights.shape[0]), ("model", model, self.weights.shape[1])):
            require_integer(name, value, at_least=0, at_most=most - 1)
        entries = self.weights[seed, model]
        return Classifier(entries[:, : self.pixels], entries[:, self.pixels :], self.power, temperature, 0.0)


@dataclass(frozen=True)
class Springs(Model):
    """What elastic weight consolidation remembers of the tasks so far: a parabola for every weight.

    Parameters
    ----------
    stiffness
        Sum over tasks of the strength of the spring, axes (S, M, K, pixels + classes), not negative.
    pull
        Sum over tasks of the strength times the place to which it pulls, same axes.

    Raises
    ------
    ArgumentError
        If the axes do not fit.
    """

    stiffness: torch.Tensor
    pull: torch.Tensor

    def __post_init__(self) -> None:
        like = require_tensor("stiffness", self.stiffness, "seeds models memories entries", values="nonnegative")
        require_tensor("pull", self.pull, "seeds models memories entries", device=like.device, dtype=like.dtype)
        if self.pull.shape != like.shape:
            raise ArgumentError("pull", f"shape {tuple(like.shape)}", f"shape {tuple(self.pull.shape)}")


def learners(
    seeds: int,
    memories: int,
    pixels: int,
    classes: int,
    *,
    power: int,
    rng: np.random.Generator,
    mean: float = -0.3,
    deviation: float = 0.3,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Learners:
    """One model a seed, with independent normal entries: the start of training.

    Parameters
    ----------
    seeds, memories, pixels, classes
        S, K and the sizes of the two parts, at least 1.
    power
        n, an integer from 2 to 60.
    rng
        A numpy generator: it draws the same normal numbers on every machine.
    mean, deviation
        Of every entry, at most 1000; the defaults are those of Krotov & Hopfield 2016, appendix A.
    dtype, device
        Of the result, single or double precision.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer or a number is out of range.
    """
    for name, value in (("seeds", seeds), ("memories", memories), ("pixels", pixels), ("classes", classes)):
        require_count(name, value)
    require_room(seeds=seeds, memories=memories, pixels=pixels, classes=classes)
    require_number("mean", mean, at_least=-1e3, at_most=1e3)
    require_number("deviation", deviation, at_least=0.0, at_most=1e3)
    require_rng("rng", rng)
    if require_dtype("dtype", dtype).itemsize < 4:
        raise ArgumentError("dtype", "torch.float32 or torch.float64", str(dtype))
    device = require_device("device", device)
    entries = torch.from_numpy(rng.normal(mean, deviation, (seeds, 1, memories, pixels + classes)))
    return Learners(entries.to(device, dtype), classes, power)


def permute(pixels: int, share: float, *, generator: torch.Generator) -> torch.Tensor:
    """A permutation that moves a share of the pixels, chosen at random, and leaves the others where they are.

    Every pixel chosen moves: the chosen ones change places in one cycle of random order. A single one has nowhere to
    go and stays.

    Parameters
    ----------
    pixels
        Number of pixels.
    share
        Share f of them that moves, in [0, 1]; their number is rounded.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        ``order``, int64, axes ``(pixels)``, on the CPU: the permuted image is ``image[..., order]``.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_count("pixels", pixels)
    require_room(pixels=pixels)
    require_number("share", share, at_least=0.0, at_most=1.0)
    require_generator("generator", generator)
    chosen = torch.randperm(pixels, generator=generator, device="cpu")[: round(share * pixels)]
    order = torch.arange(pixels, device="cpu")
    order[chosen] = chosen.roll(1)
    return order


def accuracy(
    models: Learners,
    images: torch.Tensor,
    digits: torch.Tensor,
    *,
    orders: torch.Tensor | None = None,
) -> torch.Tensor:
    """Share of images whose largest label input is that of their class; it does not depend on a temperature.

    Parameters
    ----------
    models
        The memories.
    images
        Axes (S, samples, pixels), dtype and device of the memories, in [-1, 1].
    digits
        Classes, int64, axes (S, samples).
    orders
        Permutation of the pixels that each model sees, int64, axes (S, M, pixels); none by default.

    Returns
    -------
    torch.Tensor
        float64 in [0, 1], axes (S, M), on the CPU.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    _require_data(models, images, digits)
    weights = _permuted(models, orders, back=True)
    labels = weights[..., models.pixels :].mT
    right = []
    # One image alone decides which of its labels is largest, so it may be scaled by its own largest overlap.
    for some, wanted in zip(images.split(_SAMPLES, dim=1), digits.split(_SAMPLES, dim=1), strict=True):
        overlaps = _overlaps(weights[..., : models.pixels], some)
        largest = overlaps.amax(dim=2, keepdim=True)
        overlaps /= torch.where(largest > 0, largest, 1.0)
        inputs = labels @ _power(overlaps, models.power - 1)
        right.append(inputs.argmax(dim=2) == wanted[:, None])
    return torch.cat(right, dim=2).double().mean(dim=2).cpu()


_SAMPLES = 1000  # images looked at together


def train(
    models: Learners,
    images: torch.Tensor,
    digits: torch.Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator,
    orders: torch.Tensor | None = None,
    scale: str = "memory",
    held: Springs | None = None,
    rehearsed: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> Learners:
    r"""Train all models by the recipe of Krotov & Hopfield 2016, appendix A, each seed on its own images.

    With the negative gradient :math:`\Delta` of the mean loss of a batch, momentum p and rate :math:`\epsilon`,

    .. math:: V \leftarrow p V + \Delta, \qquad \xi \leftarrow \mathrm{clip}_{[-1, 1]}
              \left( \xi + \epsilon \, \frac{V}{\max |V|} \right),

    the maximum over the entries of one memory, as in the paper, or over those of the whole network.

    Parameters
    ----------
    models
        Where to start; left untouched.
    images
        Axes (S, samples, pixels), dtype and device of the memories, in [-1, 1].
    digits
        Classes, int64, axes (S, samples); every class must occur in every seed.
    schedule
        Epochs, batch, rates and temperatures.
    generator
        A CPU generator for the order of the images.
    orders
        Permutation of the pixels that each model sees, int64, axes (S, M, pixels); none by default.
    scale
        ``"memory"``: every memory moves by the rate in each step, at its largest entry. ``"network"``: the memory
        that is wanted most does, and others as much less as their gradient is smaller.
    held
        Springs of earlier tasks (:func:`springs`).
    rehearsed
        Images and digits of earlier tasks, with axes as above and as they were seen; not with ``orders``. They make
        up half of every batch, drawn with replacement.

    Returns
    -------
    Learners
        After the last epoch.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    _require_data(models, images, digits)
    require_kind("schedule", schedule, Schedule)
    require_generator("generator", generator)
    per_memory = require_choice("scale", scale, SCALES) == "memory"
    if held is not None and require_kind("held", held, Springs).stiffness.shape != models.weights.shape:
        raise ArgumentError("held", f"shape {tuple(models.weights.shape)}", f"shape {tuple(held.stiffness.shape)}")
    if rehearsed is not None:
        _require_rehearsed(models, rehearsed, orders)
    power, seeds = models.power, range(len(images))
    weights = _permuted(models, orders, back=True).clone()
    springs_ = (
        None
        if held is None
        else [_permuted(models, orders, back=True, of=part) for part in (held.stiffness, held.pull)]
    )
    velocity = torch.zeros_like(weights)
    batch = schedule.batch // 2 if rehearsed is not None else schedule.batch
    old, answers = (images, digits) if rehearsed is None else (rehearsed[0].contiguous(), rehearsed[1])
    rows = torch.arange(len(images), device=images.device)[:, None]
    images = images.contiguous()
    for epoch in range(schedule.epochs):
        temperature, rate = schedule.temperature(epoch), schedule.rate * schedule.decay**epoch
        dealt = torch.stack([balanced_batches(digits[s], batch, generator=generator) for s in seeds], dim=1)
        for chosen in dealt:
            some, wanted = _chosen(images, chosen), digits[rows, chosen]
            if rehearsed is not None:
                again = torch.randint(old.shape[1], (len(images), batch), generator=generator, device="cpu")
                again = again.to(images.device)
                some = torch.cat([some, _chosen(old, again)], dim=1)
                wanted = torch.cat([wanted, answers[rows, again]], dim=1)
            step = _descent(weights, some, wanted, _Recipe(models.pixels, power, temperature, schedule.loss))
            if springs_ is not None:
                step += springs_[1] - springs_[0] * weights
            velocity.mul_(schedule.momentum).add_(step)
            largest = velocity.abs().amax(dim=-1, keepdim=True)
            if not per_memory:
                largest = largest.amax(dim=-2, keepdim=True)
            weights.addcdiv_(velocity, largest.clamp(min=_LEAST), value=rate).clamp_(-1.0, 1.0)
    return Learners(_permuted(models, orders, back=False, of=weights), models.classes, power)


_LEAST = 1e-30  # a gradient below it is none


def springs(
    models: Learners,
    images: torch.Tensor,
    digits: torch.Tensor,
    *,
    temperature: float,
    loss: int,
    strength: torch.Tensor,
    before: Springs | None = None,
) -> Springs:
    r"""Springs that hold every weight where it is, as strong as the task needs it.

    The mean over images of the squared derivative of the loss, divided by its largest value in each network, times a
    strength; added to those of earlier tasks. (Kirkpatrick et al. 2017, with the loss in place of a log-likelihood.)

    Parameters
    ----------
    models
        Memories that have just learned the task.
    images, digits
        The task, axes (S, samples, pixels) and (S, samples).
    temperature, loss
        As the task was learned at last.
    strength
        Axes (S, M) or fewer that broadcast to it, not negative, in the unit of the mean loss of an image.
    before
        Springs of earlier tasks.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    _require_data(models, images, digits)
    require_number("temperature", temperature, above=0.0, at_most=1e10)
    Schedule(epochs=1, loss=loss, hot=1.0, cold=1.0)
    require_tensor("strength", strength, "...", values="nonnegative", device=images.device, dtype=images.dtype)
    weights = models.weights
    try:
        factor = strength.expand(weights.shape[:2])
    except RuntimeError:
        raise ArgumentError("strength", f"axes {tuple(weights.shape[:2])}", f"shape {tuple(strength.shape)}") from None
    if before is not None and require_kind("before", before, Springs).stiffness.shape != weights.shape:
        raise ArgumentError("before", f"shape {tuple(weights.shape)}", f"shape {tuple(before.stiffness.shape)}")
    squares, recipe = torch.zeros_like(weights), _Recipe(models.pixels, models.power, temperature, loss)
    for some, wanted in zip(images.split(_SAMPLES, dim=1), digits.split(_SAMPLES, dim=1), strict=True):
        rising, turned, pull = _derivatives(weights, some, wanted, recipe)
        by_image = turned.square_().flatten(1, 2) @ some.square()
        by_label = rising.square_() @ pull.square().mT
        squares += torch.cat([by_image.view(*weights.shape[:3], -1), by_label], dim=-1)
    largest = squares.amax(dim=(-2, -1), keepdim=True)
    stiffness = squares / torch.where(largest > 0, largest, 1.0) * factor[..., None, None]
    pulled = stiffness * weights
    if before is not None:
        stiffness, pulled = stiffness + before.stiffness, pulled + before.pull
    return Springs(require_fit("strength", stiffness), require_fit("strength", pulled))


@dataclass(frozen=True)
class TwoTasks:
    """What models know of a first task before and after a second one, and of the second.

    Attributes
    ----------
    before, after
        Accuracy on the first task, float64, axes (S, 1) and (S, M).
    second
        Accuracy on the second task once it is learned, axes (S, M).
    """

    before: torch.Tensor
    after: torch.Tensor
    second: torch.Tensor

    @property
    def lost(self) -> torch.Tensor:
        """Points of test error that the second task adds to the first, axes (S, M)."""
        return 100 * (self.before - self.after)


def two_tasks(
    start: Learners,
    images: torch.Tensor,
    digits: torch.Tensor,
    asked: torch.Tensor,
    answers: torch.Tensor,
    schedule: Schedule,
    *,
    orders: torch.Tensor,
    generator: torch.Generator,
    scale: str = "memory",
) -> TwoTasks:
    """Learn a task, then a second one whose images are permuted, in as many ways as there are orders.

    Parameters
    ----------
    start
        One model a seed.
    images, digits
        Both tasks, axes (S, 2, samples, pixels) and (S, 2, samples).
    asked, answers
        Test images and classes, axes (samples, pixels) and (samples), the same for every seed.
    schedule, scale
        As for :func:`train`.
    orders
        Permutations of the second task, int64, axes (S, M, pixels): a model for each.
    generator
        A CPU generator for the order of the images.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    _require_course(start, images, digits, asked, answers)
    if images.shape[1] != 2:
        raise ArgumentError("images", "two tasks", f"shape {tuple(images.shape)}")
    if not isinstance(orders, torch.Tensor) or orders.dim() != 3:
        raise ArgumentError("orders", "axes (seeds, models, pixels)", str(getattr(orders, "shape", type(orders))))
    require_kind("schedule", schedule, Schedule)
    require_generator("generator", generator)
    seeds = len(images)
    test, wanted = asked.expand(seeds, -1, -1), answers.expand(seeds, -1)
    wide = Learners(start.weights.expand(-1, orders.shape[1], -1, -1), start.classes, start.power)
    _permuted(wide, orders, back=True)  # refuses what is no permutation before anything is trained
    one = train(start, images[:, 0], digits[:, 0], schedule, generator=generator, scale=scale)
    many = Learners(one.weights.expand(-1, orders.shape[1], -1, -1), one.classes, one.power)
    two = train(many, images[:, 1], digits[:, 1], schedule, generator=generator, orders=orders, scale=scale)
    return TwoTasks(
        accuracy(one, test, wanted), accuracy(two, test, wanted), accuracy(two, test, wanted, orders=orders)
    )


def course(
    start: Learners,
    images: torch.Tensor,
    digits: torch.Tensor,
    asked: torch.Tensor,
    answers: torch.Tensor,
    schedule: Schedule,
    *,
    orders: torch.Tensor,
    generator: torch.Generator,
    scale: str = "memory",
    stored: int = 0,
    strength: torch.Tensor | None = None,
) -> torch.Tensor:
    """Learn T tasks of permuted images one after the other, and ask all that were met after each.

    Parameters
    ----------
    start
        One model or several a seed.
    images, digits
        The tasks before they are permuted, axes (S, T, samples, pixels) and (S, T, samples).
    asked, answers
        Test images and classes, axes (samples, pixels) and (samples).
    schedule, scale
        As for :func:`train`.
    orders
        Permutation of each task, int64, axes (S, T, pixels).
    generator
        A CPU generator for the order of the images.
    stored
        Rehearsal: so many images of every earlier task, the first ones, make up half of every batch; 0 for none.
    strength
        Elastic weights: strength of the springs, axes (S, M) or fewer that broadcast to it; none by default.

    Returns
    -------
    torch.Tensor
        Accuracy on task j after learning task i, float64, axes (S, M, T, T): rows i, columns j, on the CPU;
        0 for tasks that were not met yet.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    _require_course(start, images, digits, asked, answers)
    seeds, count = images.shape[:2]
    require_integer("stored", stored, at_least=0, at_most=images.shape[2])
    if not isinstance(orders, torch.Tensor) or orders.shape != (seeds, count, start.pixels):
        raise ArgumentError("orders", f"shape {(seeds, count, start.pixels)}", str(getattr(orders, "shape", "another")))
    _permuted(Learners(start.weights[:, :1].expand(-1, count, -1, -1), start.classes, start.power), orders, back=True)
    seen = images.gather(-1, orders[:, :, None].expand_as(images))
    models, held = start, None
    table = torch.zeros(*start.weights.shape[:2], count, count, dtype=torch.float64, device="cpu")
    for task in range(count):
        old = None
        if stored and task:
            old = (seen[:, :task, :stored].flatten(1, 2), digits[:, :task, :stored].flatten(1, 2))
        models = train(
            models, seen[:, task], digits[:, task], schedule, generator=generator, scale=scale, held=held, rehearsed=old
        )
        if strength is not None and task < count - 1:
            held = springs(
                models,
                seen[:, task],
                digits[:, task],
                temperature=schedule.temperature(schedule.epochs - 1),
                loss=schedule.loss,
                strength=strength,
                before=held,
            )
        wanted = answers.expand(seeds, -1)
        for met in range(task + 1):
            table[..., task, met] = accuracy(models, asked[:, orders[:, met]].transpose(0, 1), wanted)
    return table


@dataclass(frozen=True)
class Omega:
    r"""Three measures of learning one task after the other, as Kemker et al. (2018) are quoted for them.

    Attributes
    ----------
    base, new, every
        :math:`\Omega_{base}`, the first task after each later one, over the ideal; :math:`\Omega_{new}`, each later
        task just after it was learned; :math:`\Omega_{all}`, all tasks met so far after each later one, over the
        ideal. float64, leading axes of the accuracies.
    """

    base: torch.Tensor
    new: torch.Tensor
    every: torch.Tensor


def omega(accuracies: torch.Tensor, ideal: torch.Tensor) -> Omega:
    r"""Kemker's measures from a table of accuracies.

    .. math:: \Omega_{base} = \frac1{T-1} \sum_{i=2}^T \frac{a_{i,1}}{a_{ideal}}, \quad
              \Omega_{new} = \frac1{T-1} \sum_{i=2}^T a_{i,i}, \quad
              \Omega_{all} = \frac1{T-1} \sum_{i=2}^T \frac1i \sum_{j \le i} \frac{a_{i,j}}{a_{ideal}}

    Parameters
    ----------
    accuracies
        :math:`a_{i,j}` of task j after learning task i, in [0, 1], axes ``(..., T, T)``, two tasks or more; what stands
        above the diagonal is not looked at.
    ideal
        Accuracy that counts as ideal, in (0, 1], axes ``(...)``.

    Raises
    ------
    ArgumentError
        If axes or values do not fit.
    """
    require_tensor("accuracies", accuracies, "... learned asked")
    count = accuracies.shape[-1]
    if accuracies.shape[-2] != count or count < 2 or accuracies.min() < 0 or accuracies.max() > 1:
        raise ArgumentError("accuracies", "values in [0, 1], two tasks or more", f"shape {tuple(accuracies.shape)}")
    require_tensor("ideal", ideal, "...", device=accuracies.device, dtype=accuracies.dtype)
    if ideal.shape != accuracies.shape[:-2] or ideal.min() < 1e-6 or ideal.max() > 1:
        raise ArgumentError("ideal", f"values in (0, 1], shape {tuple(accuracies.shape[:-2])}", f"{tuple(ideal.shape)}")
    table, best = accuracies.double(), ideal.double()
    met = table.tril().sum(dim=-1) / torch.arange(1, count + 1, dtype=torch.float64, device=table.device)
    return Omega(
        table[..., 1:, 0].mean(dim=-1) / best,
        table.diagonal(dim1=-2, dim2=-1)[..., 1:].mean(dim=-1),
        met[..., 1:].mean(dim=-1) / best,
    )


class _Recipe(NamedTuple):
    """What the derivatives depend on beside weights and data."""

    pixels: int
    power: int
    temperature: float
    loss: int


def _descent(weights: torch.Tensor, images: torch.Tensor, digits: torch.Tensor, recipe: _Recipe) -> torch.Tensor:
    """Negative gradient of the mean over images of the sum of ((c - t) / 2)**loss, axes of the weights."""
    rising, turned, pull = _derivatives(weights, images, digits, recipe)
    by_image = turned.flatten(1, 2) @ images
    step = torch.cat([by_image.view(*weights.shape[:3], -1), rising @ pull.mT], dim=-1)
    return step.mul_(recipe.loss * recipe.power / recipe.temperature / images.shape[1])


def _derivatives(
    weights: torch.Tensor, images: torch.Tensor, digits: torch.Tensor, recipe: _Recipe
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Factors of the derivatives of every image's loss, up to one common factor.

    Powers of the overlaps (S, M, K, samples), derivative by an overlap (S, M, K, samples), and the pull at the label
    inputs (S, M, classes, samples). The derivative by a label weight is a product of the first and the last, that by an
    image weight one of the second and the image.
    """
    pixels, power, temperature, loss = recipe
    labels = weights[..., pixels:]
    overlaps = _overlaps(weights[..., :pixels], images).div_(temperature)
    lower = _power(overlaps, power - 2)
    rising = lower * overlaps
    outputs = (labels.mT @ rising).mul_(2.0 * power / temperature).tanh_()
    targets = torch.full_like(outputs, -1.0)
    targets.scatter_(2, digits[:, None, None].expand(-1, outputs.shape[1], -1, -1), 1.0)
    pull = _power((targets - outputs) / 2.0, loss - 1) * (1.0 - outputs) * (1.0 + outputs)
    turned = (labels @ pull).mul_(lower).mul_((power - 1) / temperature)
    return rising, turned, pull


def _chosen(images: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """Images (S, batch, pixels) of indices (S, batch): whole rows, which are copied faster than by two indices."""
    first = torch.arange(len(images), device=images.device)[:, None] * images.shape[1]
    rows = images.flatten(0, 1).index_select(0, (indices + first).flatten())
    return rows.view(*indices.shape, -1)


def _overlaps(memories: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    """Rectified overlaps, axes (S, M, K, samples): one product of matrices a seed."""
    found = memories.flatten(1, 2) @ images.mT
    return found.view(*memories.shape[:3], -1).relu_()


def _power(base: torch.Tensor, exponent: int) -> torch.Tensor:
    """A power that is none of torch's slow ones; for exponent 0 the step function, the derivative of a rectified x."""
    if exponent < 2:
        return base if exponent else (base > 0).to(base.dtype)
    squares = _power(base * base, exponent // 2)
    return squares * base if exponent % 2 else squares


def _permuted(
    models: Learners, orders: torch.Tensor | None, *, back: bool, of: torch.Tensor | None = None
) -> torch.Tensor:
    """Weights with their pixels in the order of the images (``back``), or in that of what the models see."""
    weights = models.weights if of is None else of
    if orders is None:
        return weights
    seeds, count, _, entries = weights.shape
    pixels = models.pixels
    if not isinstance(orders, torch.Tensor) or orders.dtype != torch.int64:
        raise ArgumentError("orders", "an int64 tensor", str(getattr(orders, "dtype", type(orders).__name__)))
    if orders.shape != (seeds, count, pixels) or orders.device != weights.device:
        raise ArgumentError("orders", f"shape {(seeds, count, pixels)} on {weights.device}", f"{tuple(orders.shape)}")
    inverse = orders.argsort(dim=-1)
    if not torch.equal(orders.gather(-1, inverse), torch.arange(pixels, device=orders.device).expand_as(orders)):
        raise ArgumentError("orders", f"permutations of 0 to {pixels - 1}", "others")
    whole = torch.arange(entries, device=orders.device).expand(seeds, count, -1).clone()
    whole[..., :pixels] = inverse if back else orders
    return weights.gather(-1, whole[:, :, None].expand_as(weights))


def _require_data(models: Learners, images: torch.Tensor, digits: torch.Tensor, name: str = "") -> None:
    weights = require_kind("models", models, Learners).weights
    sizes = {"seeds": weights.shape[0], "pixels": models.pixels}
    require_tensor(
        f"{name}images", images, "seeds samples pixels", sizes=sizes, device=weights.device, dtype=weights.dtype
    )
    if weights.element_size() < 4:
        raise ArgumentError("models", "single or double precision", str(weights.dtype))
    if images.abs().max() > 1:
        raise ArgumentError(f"{name}images", "pixels in [-1, 1]", f"{images.abs().max().item():g}")
    if weights.abs().max() > 1e3:
        raise ArgumentError("models", "weights up to 1000", f"{weights.abs().max().item():g}")
    if not isinstance(digits, torch.Tensor) or digits.dtype != torch.int64 or digits.shape != images.shape[:2]:
        got = f"{digits.dtype} {tuple(digits.shape)}" if isinstance(digits, torch.Tensor) else type(digits).__name__
        raise ArgumentError(f"{name}digits", f"int64, shape {tuple(images.shape[:2])}", got)
    if digits.device != images.device or digits.min() < 0 or digits.max() >= models.classes:
        got = f"{digits.min().item()} to {digits.max().item()} on {digits.device}"
        raise ArgumentError(f"{name}digits", f"classes from 0 to {models.classes - 1} on {images.device}", got)


def _require_course(
    start: Learners, images: torch.Tensor, digits: torch.Tensor, asked: torch.Tensor, answers: torch.Tensor
) -> None:
    weights = require_kind("start", start, Learners).weights
    sizes = {"seeds": weights.shape[0], "pixels": start.pixels}
    device, dtype = weights.device, weights.dtype
    require_tensor("images", images, "seeds tasks samples pixels", sizes=sizes, device=device, dtype=dtype)
    if not isinstance(digits, torch.Tensor) or digits.shape != images.shape[:3]:
        raise ArgumentError("digits", f"shape {tuple(images.shape[:3])}", str(getattr(digits, "shape", "another")))
    _require_data(start, images.flatten(1, 2), digits.flatten(1, 2))
    require_tensor("asked", asked, "samples pixels", sizes={"pixels": start.pixels}, device=device, dtype=dtype)
    if asked.abs().max() > 1:
        raise ArgumentError("asked", "pixels in [-1, 1]", f"{asked.abs().max().item():g}")
    require_labels("answers", answers, asked.device, at_least=0)
    if len(answers) != len(asked) or answers.max() >= start.classes:
        raise ArgumentError("answers", f"one class below {start.classes} for each of {len(asked)} images", "others")


def _require_rehearsed(
    models: Learners, rehearsed: tuple[torch.Tensor, torch.Tensor], orders: torch.Tensor | None
) -> None:
    if not isinstance(rehearsed, tuple) or len(rehearsed) != 2 or not isinstance(rehearsed[0], torch.Tensor):
        raise ArgumentError("rehearsed", "a pair of images and digits", type(rehearsed).__name__)
    if orders is not None:
        raise ArgumentError("orders", "none beside rehearsed images", "some", "Permute the images themselves.")
    _require_data(models, *rehearsed, name="rehearsed ")
