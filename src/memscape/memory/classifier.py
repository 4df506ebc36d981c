r"""A dense associative memory that learns to complete an image with its label (Krotov & Hopfield 2016, section 4).

The visible units are the pixels v of an image and one unit for each class. A memory :math:`\mu` has an image part
:math:`\xi_i^\mu` and a label part :math:`\xi_\alpha^\mu`, real numbers in [-1, 1] that are learned. The pixels are
clamped, all label units start at :math:`-\varepsilon`, and one update of the label units is the answer. With the
rectified power F(x) = max(x, 0)**n and :math:`b_\mu = \sum_i \xi_i^\mu v_i - \varepsilon \sum_\gamma \xi_\gamma^\mu`,
the input of a label unit that could turn to :math:`+\varepsilon` is (Krotov & Hopfield 2016, eq. 9, with
:math:`\varepsilon = 1` and :math:`\beta = T^{-n}`)

.. math:: a_\alpha = \frac{T^{-n}}{\varepsilon} \sum_\mu \left[ F(b_\mu + 2 \varepsilon \xi_\alpha^\mu) - F(b_\mu)
          \right], \qquad c_\alpha = \tanh a_\alpha .

For small labels the difference becomes a derivative, and the update is a feed-forward network with one hidden layer of
activation F' (their eq. 10):

.. math:: a_\alpha = 2 T^{-n} \sum_\mu \xi_\alpha^\mu F'\Big(\sum_i \xi_i^\mu v_i\Big) .

Both forms are trained here on :math:`\sum |c - t|^{2m}` by the recipe of their appendix A. Two things make it fast:
turning a label over moves the overlap of a memory by :math:`2 \varepsilon \xi_\alpha^\mu`, so that one product of
memories and images serves all the labels; and gradients are written out, with powers by repeated squaring.

What keeps it in floating range: every update is divided by its largest entry, memory by memory, so that only the
direction matters. Overlaps are divided by the memory's largest one before they are raised to a power, and the scale
is kept as a logarithm. With that float32 serves the loss exponents 2m <= 8 of small powers; the steep loss of large
powers (2m = 60) spans more than float32 can hold and wants float64.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
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
from memscape.tools import pieces
from memscape.tools.models import Model
from memscape.tools.training import balanced_batches

__all__ = ["Classifier", "Schedule", "error_rate", "gradient", "random_classifier", "train"]


_STEEPEST = 512  # exponent of a loss: errors of 2, their largest value, to that power fit a float64


@dataclass(frozen=True)
class Classifier(Model):
    """Memories with an image part and a label part.

    Parameters
    ----------
    images
        Image parts, axes (K, pixels), finite, within [-1, 1] once trained.
    labels
        Label parts, axes (K, classes), same dtype and device.
    power
        n of the rectified power, an integer of at least 2.
    temperature
        T, positive, in the unit of an overlap (pixels times [-1, 1]).
    size
        Size epsilon of the label units, positive; 1 is the associative memory of eq. 9, and 0 stands for the limit of
        small labels, the feed-forward network of eq. 10.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not match, a value is not finite, or a number is out of its range.
    """

    images: torch.Tensor
    labels: torch.Tensor
    power: int
    temperature: float
    size: float = 1.0

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("images", self.images, "memories pixels", sizes=sizes)
        require_tensor(
            "labels", self.labels, "memories classes", sizes=sizes, device=self.images.device, dtype=self.images.dtype
        )
        require_integer("power", self.power, at_least=2)
        require_number("temperature", self.temperature, above=0.0)
        require_number("size", self.size, at_least=0.0)

    def inputs(self, images: torch.Tensor) -> torch.Tensor:
        """Input of every label unit after one look at every image, before the tanh.

        Parameters
        ----------
        images
            Axes (samples, pixels), pixels in [-1, 1], dtype and device of the memories.

        Returns
        -------
        torch.Tensor
            Axes (samples, classes), dimensionless. The label unit takes the value tanh of it, and the largest is the
            answer.

        Raises
        ------
        ArgumentError
            If the images do not fit the memories, or an input is beyond the dtype's range.
        """
        _require_images(images, self)
        columns = []
        for block in images.split(_block(self)):
            overlaps, weight = self._overlaps(self.images @ block.mT, _shifts(self))
            if self.size == 0.0:
                columns.append((weight[:, None] * self.labels).mT @ _power(overlaps[:, 0], self.power - 1))
            else:
                sums = (weight @ _power(overlaps, self.power).flatten(1)).view(overlaps.shape[1:])
                columns.append(sums[:-1] - sums[-1])
        return require_fit("power", torch.cat(columns, dim=1).mT)

    def contributions(self, images: torch.Tensor, digits: torch.Tensor) -> torch.Tensor:
        """What every memory adds to the input of one label unit.

        Parameters
        ----------
        images
            Axes (samples, pixels), pixels in [-1, 1], dtype and device of the memories.
        digits
            The label unit to look at for every image, integers, axes (samples,).

        Returns
        -------
        torch.Tensor
            Axes (samples, K), dimensionless; its sum over the memories is the input of that unit.

        Raises
        ------
        ArgumentError
            If images or digits do not fit the memories, or a contribution is beyond the dtype's range.
        """
        _require_images(images, self)
        _require_digits(digits, images, self.labels.shape[1])
        products, labels, shifts = self.images @ images.mT, self.labels[:, digits], _shifts(self)
        if self.size == 0.0:
            overlaps, weight = self._overlaps(products, shifts)
            return require_fit("power", (weight[:, None] * labels * _power(overlaps[:, 0], self.power - 1)).mT)
        # Two cases are enough: the label unit of each image turned over, and none.
        none = shifts[:, -1:]
        largest = _largest(products, shifts)
        turned, still = ((products + shift).relu_() / largest[:, None] for shift in (shifts[:, digits], none))
        differences = _power(turned, self.power) - _power(still, self.power)
        return require_fit("power", (_weight(self, largest)[:, None] * differences).mT)

    def _overlaps(self, products: torch.Tensor, shifts: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Rectified overlaps (K, cases, samples) over the memory's largest, and the weight (K,) of their powers."""
        largest = _largest(products, shifts)
        return _rectified(products, shifts, largest), _weight(self, largest)


@dataclass(frozen=True)
class Schedule:
    """The recipe of Krotov & Hopfield 2016, appendix A.

    Parameters
    ----------
    epochs
        Passes through the training images; the paper makes 3000.
    loss
        The exponent 2m of the loss, an even integer: 4 to 8 for small n, about 60 for n = 20 and 30 in the paper.
    hot, cold, ramp
        The temperature goes linearly from ``hot`` to ``cold`` in the first ``ramp`` epochs and stays there. In the
        paper 250..400 to 30..100 in 200 epochs for small n, a constant 500..700 for large n.
    rate, decay
        Largest change of a weight in one step of the first epoch, and the factor by which it falls every epoch; in the
        paper 0.01 to 0.04, and 0.998.
    momentum
        Share of the last update kept in the next, in [0, 1); in the paper 0.6 to 0.95.
    batch
        Images in a step, a multiple of the number of classes: 1000 in the paper, 100 of every class.

    Raises
    ------
    ArgumentError
        If a number is out of its range.
    """

    epochs: int
    loss: int
    hot: float
    cold: float
    ramp: int = 200
    rate: float = 0.02
    decay: float = 0.998
    momentum: float = 0.6
    batch: int = 1000

    def __post_init__(self) -> None:
        require_count("epochs", self.epochs)
        require_integer("loss", self.loss, at_least=2, at_most=_STEEPEST)
        if self.loss % 2:
            raise ArgumentError("loss", "an even exponent", str(self.loss), "The loss is |c - t| to the power 2m.")
        require_number("hot", self.hot, above=0.0)
        require_number("cold", self.cold, above=0.0)
        require_integer("ramp", self.ramp, at_least=0)
        require_number("rate", self.rate, above=0.0)
        require_number("decay", self.decay, above=0.0, at_most=1.0)
        require_number("momentum", self.momentum, at_least=0.0, at_most=1.0)
        require_integer("batch", self.batch, at_least=1)

    def temperature(self, epoch: int) -> float:
        """Temperature in an epoch, counted from 0."""
        require_count("epoch", epoch, at_least=0)
        done = 1.0 if epoch >= self.ramp else epoch / self.ramp
        return self.hot + (self.cold - self.hot) * done


def random_classifier(
    memories: int,
    pixels: int,
    classes: int,
    *,
    power: int,
    temperature: float,
    rng: np.random.Generator,
    size: float = 1.0,
    mean: float = -0.3,
    deviation: float = 0.3,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Classifier:
    """Memories with independent normal entries, the start of training.

    Parameters
    ----------
    memories, pixels, classes
        Sizes, at least 1.
    power, temperature, size
        See :class:`Classifier`.
    rng
        A numpy generator: it draws the same normal numbers on every machine.
    mean, deviation
        Of every entry; the defaults are those of Krotov & Hopfield 2016, appendix A.
    dtype, device
        Of the result.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, a number is out of range or ``rng`` is not a numpy generator.
    """
    for name, value in (("memories", memories), ("pixels", pixels), ("classes", classes)):
        require_count(name, value)
    require_room(memories=memories, entries=pixels + classes)
    require_number("mean", mean)
    require_number("deviation", deviation, at_least=0.0, at_most=1e300)
    dtype, device = require_dtype("dtype", dtype), require_device("device", device)
    require_rng("rng", rng)
    entries = torch.from_numpy(rng.normal(mean, deviation, (memories, pixels + classes))).to(device, dtype)
    return Classifier(entries[:, :pixels].contiguous(), entries[:, pixels:].contiguous(), power, temperature, size)


def error_rate(classifier: Classifier, images: torch.Tensor, digits: torch.Tensor) -> float:
    """Share of the images whose largest label input is not that of their class, in [0, 1].

    Parameters
    ----------
    classifier
        The memories.
    images
        Axes (samples, pixels).
    digits
        Class of every image, integers, axes (samples,).

    Raises
    ------
    ArgumentError
        If images or digits do not fit.
    """
    _require_images(images, classifier)
    _require_digits(digits, images, classifier.labels.shape[1])
    return (classifier.inputs(images).argmax(dim=1) != digits).double().mean().item()


def gradient(
    classifier: Classifier, images: torch.Tensor, digits: torch.Tensor, *, loss: int
) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Gradient of the loss :math:`\sum_{\alpha, \text{images}} |c_\alpha - t_\alpha|^{2m}` in the memories.

    Targets t are +1 for an image's class and -1 for the others.

    Parameters
    ----------
    classifier
        The memories.
    images
        Axes (samples, pixels), pixels in [-1, 1].
    digits
        Class of every image, integers, axes (samples,).
    loss
        The exponent 2m, an even integer.

    Returns
    -------
    tuple of torch.Tensor
        For the image parts, axes (K, pixels), and the label parts, axes (K, classes).

    Raises
    ------
    ArgumentError
        If images or digits do not fit, the exponent is not even and positive, or a derivative is beyond the range of
        the dtype.
    """
    Schedule(epochs=1, loss=loss, hot=1.0, cold=1.0)
    _require_images(images, classifier)
    _require_digits(digits, images, classifier.labels.shape[1])
    descent = _descent(classifier, images, digits, loss)
    # Errors count in units of 2, their largest value, and every memory has a scale of its own.
    factor = -loss * 2.0 ** (loss - 1) * _slope(classifier)
    uphill = require_fit("power", factor * descent.scale.exp()[:, None] * descent.entries)
    return uphill[:, : images.shape[1]], uphill[:, images.shape[1] :]


def train(
    classifier: Classifier,
    images: torch.Tensor,
    digits: torch.Tensor,
    schedule: Schedule,
    *,
    generator: torch.Generator,
) -> Iterator[Classifier]:
    r"""Train by the recipe of Krotov & Hopfield 2016, appendix A, and yield the classifier after every epoch.

    With the negative gradient :math:`\Delta` of a minibatch, momentum p and rate :math:`\epsilon`, a memory moves by

    .. math:: V \leftarrow p V + \Delta, \qquad \xi \leftarrow \mathrm{clip}_{[-1, 1]}
              \left( \xi + \epsilon \, \frac{V}{\max_I |V_I|} \right),

    the maximum being over the entries of that memory.

    Parameters
    ----------
    classifier
        Where to start; left untouched. Its temperature is replaced by that of the schedule.
    images
        Training images, axes (samples, pixels), pixels in [-1, 1], dtype and device of the memories.
    digits
        Class of every image, integers, axes (samples,).
    schedule
        Epochs, rates and temperatures.
    generator
        A CPU generator for the order of the images.

    Yields
    ------
    Classifier
        After every epoch, at that epoch's temperature. For the last alone: ``*_, trained = train(...)``.

    Raises
    ------
    ArgumentError
        If images or digits do not fit the memories, or the batch does not fit the images.
    """
    _require_images(images, classifier)
    _require_digits(digits, images, classifier.labels.shape[1])
    require_kind("schedule", schedule, Schedule)
    require_generator("generator", generator)
    return _train(classifier, images, digits, schedule, generator)


def _train(
    classifier: Classifier, images: torch.Tensor, digits: torch.Tensor, schedule: Schedule, generator: torch.Generator
) -> Iterator[Classifier]:
    pixels = images.shape[1]
    weights = torch.cat([classifier.images, classifier.labels], dim=1)
    velocity = _Direction(torch.zeros_like(weights), torch.full_like(weights[:, 0], -torch.inf))
    for epoch in range(schedule.epochs):
        weights = weights.clone()  # those of the last epoch belong to whoever received them
        moving = replace(
            classifier, images=weights[:, :pixels], labels=weights[:, pixels:], temperature=schedule.temperature(epoch)
        )
        rate = schedule.rate * schedule.decay**epoch
        for batch in balanced_batches(digits, schedule.batch, generator=generator):
            step = _descent(moving, images.index_select(0, batch), digits[batch], schedule.loss)
            velocity = _add(velocity, schedule.momentum, step)
            weights.add_(velocity.entries, alpha=rate).clamp_(-1.0, 1.0)
        yield replace(moving)  # checks once more that all is finite


class _Direction(NamedTuple):
    """A change of the memories: ``exp(scale)`` (K,) times ``entries`` (K, pixels + classes)."""

    entries: torch.Tensor
    scale: torch.Tensor


def _add(velocity: _Direction, momentum: float, step: _Direction) -> _Direction:
    """``momentum * velocity + step`` in place of the velocity, scaled so that a memory's largest entry is 1 (or 0)."""
    kept = velocity.scale + (math.log(momentum) if momentum > 0.0 else -math.inf)
    scale = torch.maximum(kept, step.scale)
    # The scale of a step is finite, that of a velocity -inf where the memory has never moved: its weight is then zero.
    old, new = ((part - scale).exp()[:, None] for part in (kept, step.scale))
    entries = velocity.entries.mul_(old).addcmul_(step.entries, new)
    largest = entries.abs().amax(dim=1)  # ten times as fast as the norm of order infinity, and the same
    entries.div_(torch.where(largest > 0, largest, 1.0)[:, None])
    return _Direction(entries, scale + largest.log())


def _descent(classifier: Classifier, images: torch.Tensor, digits: torch.Tensor, loss: int) -> _Direction:
    """Negative gradient of the loss, without the factor ``loss * 2**(loss - 1) * _slope``, common to all memories."""
    labels, power, limit = classifier.labels, classifier.power, classifier.size == 0.0
    products = classifier.images @ images.mT
    shifts = _shifts(classifier)
    largest = _largest(products, shifts)
    weight = _weight(classifier, largest)
    by_label = torch.zeros_like(labels)
    for start in range(0, len(images), step := _block(classifier)):
        block = products[:, start : start + step]  # a view: what is left in it below is the gradient in the products
        targets = torch.full((labels.shape[1], block.shape[1]), -1.0, dtype=labels.dtype, device=labels.device)
        targets.scatter_(0, digits[None, start : start + step], 1.0)
        overlaps = _rectified(block, shifts, largest)
        rising = _power(overlaps, power - 1)
        if limit:
            inputs = (weight[:, None] * labels).mT @ rising[:, 0]
        else:
            sums = (weight @ (rising * overlaps).flatten(1)).view(overlaps.shape[1:])
            inputs = sums[:-1] - sums[-1]
        pull = _pull(inputs, targets, loss)
        if limit:
            by_label += rising[:, 0] @ pull.mT
            block[:] = (power - 1) * _power(overlaps[:, 0], power - 2) * (labels @ pull) / largest[:, None]
        else:
            rising *= torch.cat([pull, -pull.sum(dim=0, keepdim=True)])
            block[:] = rising.sum(dim=1)
            by_label += classifier.size * (2.0 * rising[:, :-1].sum(dim=2) - block.sum(dim=1, keepdim=True))
    return _Direction(torch.cat([products @ images, by_label], dim=1), (power - 1) * largest.log())


def _pull(inputs: torch.Tensor, targets: torch.Tensor, loss: int) -> torch.Tensor:
    """How hard the loss pulls at every label input: ((t - c) / 2)**(loss - 1) (1 - c**2) with c = tanh(input)."""
    outputs = inputs.tanh()
    return _power((targets - outputs) / 2.0, loss - 1) * (1.0 - outputs) * (1.0 + outputs)


def _shifts(classifier: Classifier) -> torch.Tensor:
    """What the label units add to the overlap of every memory, axes (K, cases).

    The cases are: one label unit after the other turned to +epsilon, then none. In the limit of small labels there is
    one case, and nothing to add.
    """
    labels = classifier.labels
    none = torch.zeros_like(labels[:, :1])
    if classifier.size == 0.0:
        return none
    return classifier.size * (torch.cat([2.0 * labels, none], dim=1) - labels.sum(dim=1, keepdim=True))


def _largest(products: torch.Tensor, shifts: torch.Tensor) -> torch.Tensor:
    """Largest overlap of every memory, axes (K,); 1 where none is positive, so that it can divide."""
    largest = products.amax(dim=1) + shifts.amax(dim=1)
    return torch.where(largest > torch.finfo(largest.dtype).eps, largest, 1.0)


def _rectified(products: torch.Tensor, shifts: torch.Tensor, largest: torch.Tensor) -> torch.Tensor:
    """Rectified overlaps in units of the memory's largest, axes (K, cases, samples), within [0, 1]."""
    scaled = products / largest[:, None]
    return (scaled[:, None] + (shifts / largest[:, None])[:, :, None]).relu_()


def _weight(classifier: Classifier, largest: torch.Tensor) -> torch.Tensor:
    """Factor (K,) that turns powers of scaled overlaps into contributions to the label inputs."""
    power, temperature, size = classifier.power, classifier.temperature, classifier.size
    if size == 0.0:
        return 2.0 * power / temperature * (largest / temperature).pow(power - 1)
    return (largest / temperature).pow(power) / size


def _slope(classifier: Classifier) -> float:
    """Common factor of all derivatives of label inputs by overlaps."""
    power, size = classifier.power, classifier.size
    return power * classifier.temperature**-power * (2.0 if size == 0.0 else 1.0 / size)


def _power(base: torch.Tensor, exponent: int) -> torch.Tensor:
    """``base**exponent`` by repeated squaring; for exponent 0 the step function, the derivative of a rectified x.

    For exponent 1 it is the base itself, not a copy.
    """
    if exponent == 0:
        return (base > 0).to(base.dtype)
    result = None
    while exponent:
        if exponent % 2:
            result = base if result is None else result * base
        exponent //= 2
        base = base * base if exponent else base
    assert result is not None
    return result


def _block(classifier: Classifier) -> int:
    """Images worked on at once."""
    memories, classes = classifier.labels.shape
    each = 4 * memories * (1 if classifier.size == 0.0 else classes + 1)
    return min(pieces.fitting(each), pieces.cached(each))


def _require_images(images: torch.Tensor, classifier: Classifier) -> None:
    memories = require_kind("classifier", classifier, Classifier).images
    require_tensor(
        "images",
        images,
        "samples pixels",
        sizes={"pixels": memories.shape[1]},
        device=memories.device,
        dtype=memories.dtype,
    )


def _require_digits(digits: torch.Tensor, images: torch.Tensor, classes: int) -> None:
    require_labels("digits", digits, images.device, at_least=0)
    if len(digits) != len(images):
        raise ArgumentError("digits", f"one class for each of {len(images)} images", f"{len(digits)}")
    if digits.max() >= classes:
        raise ArgumentError("digits", f"classes below {classes}", str(digits.max().item()))
