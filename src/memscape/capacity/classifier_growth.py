r"""How a learning dense memory grows: classifiers with more memories, more images and other powers.

The classifier is that of :mod:`memscape.memory.classifier` in its limit of small labels. It starts as what it can be
without learning: K of its own images, with some noise, vote for their labels with the power n - 1,

.. math:: a_\alpha(x) = \frac{2n}{T} \sum_\mu \xi_\alpha^\mu
          \left[ \frac{\max(0, \xi^\mu \cdot x)}{T} \right]^{n-1} , \qquad
          \xi_\alpha^\mu = \delta_{\alpha y_\mu} - \frac1{\text{classes}} ,

at the temperature T at which these inputs have root mean square 1. Then image parts and label parts are learned, on the
loss :math:`\sum_\alpha (\tanh a_\alpha - t_\alpha)^4`. What the growth shows beyond that of the vote is what learning
adds to storing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from torch.nn import functional

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_generator,
    require_integer,
    require_kind,
    require_labels,
    require_number,
    require_tensor,
)
from memscape.memory.classifier import Classifier
from memscape.tools.crowds import Crowd, mine, trained

__all__ = ["calibrated", "errors", "train_classifiers", "voting"]


def voting(
    images: torch.Tensor,
    digits: torch.Tensor,
    memories: int,
    *,
    power: int,
    noise: float = 0.5,
    classes: int = 10,
    temperature: float | None = None,
    generator: torch.Generator,
) -> Classifier:
    """A classifier whose memories are images drawn with replacement, made different by noise: see the module.

    Parameters
    ----------
    images
        Axes ``(samples, pixels)``, of unit length or so.
    digits
        Their classes, int64 in [0, classes), axes ``(samples,)``.
    memories
        K, at least 1.
    power
        n, at least 2.
    noise
        Length of the noise in units of an image of length 1, at least 0.
    classes
        Number of classes, at least 2.
    temperature
        T; by default that of :func:`calibrated` at the first 1000 images.
    generator
        A CPU generator.

    Raises
    ------
    ArgumentError
        If the tensors do not fit or a number is out of range.
    """
    sizes: dict[str, int] = {}
    require_tensor("images", images, "samples pixels", sizes=sizes)
    _require_digits(digits, images, classes)
    require_count("memories", memories)
    require_number("noise", noise, at_least=0.0, at_most=1e6)
    require_generator("generator", generator)
    chosen = torch.randint(len(images), (memories,), generator=generator, device="cpu").to(images.device)
    noises = torch.randn((memories, sizes["pixels"]), generator=generator, dtype=torch.float64, device="cpu")
    parts = images[chosen] + noise / math.sqrt(sizes["pixels"]) * noises.to(images)
    labels = functional.one_hot(digits[chosen], classes).to(images) - 1 / classes
    start = Classifier(parts, labels, power, 1.0 if temperature is None else temperature, 0.0)
    return calibrated(start, images[:1000]) if temperature is None else start


def calibrated(classifier: Classifier, images: torch.Tensor) -> Classifier:
    """The same memories at the temperature at which the label inputs of some images have root mean square 1.

    Inputs go as :math:`T^{-n}`, so that the temperature is the n-th root of what is measured at T = 1.

    Raises
    ------
    ArgumentError
        If the images do not fit, no memory hears any of them, or what they give is beyond the dtype.
    """
    require_kind("classifier", classifier, Classifier)
    found = replace(classifier, temperature=1.0).inputs(images).double().square().mean().sqrt().item()
    if not found > 0.0:
        raise ArgumentError("images", "images that some memory hears", "none")
    return replace(classifier, temperature=found ** (1 / classifier.power))


def train_classifiers(
    models: Crowd,
    images: torch.Tensor,
    digits: torch.Tensor,
    owned: Sequence[torch.Tensor],
    *,
    batch: int,
    steps: int,
    rate: float,
    stretches: int = 1,
    generator: torch.Generator,
) -> Iterator[Crowd]:
    """Train classifiers side by side, each on its own images, by Adam; yield them after every stretch of the way.

    Every step draws ``batch`` images with replacement for every model. The rate is that of
    :func:`memscape.tools.training.warm_cosine`.

    Parameters
    ----------
    models
        A crowd of :class:`~memscape.memory.classifier.Classifier`; left untouched.
    images, digits
        All images, axes ``(samples, pixels)``, and their classes, int64 ``(samples,)``.
    owned
        For every model the numbers of its images, int64, axes ``(own images)``.
    batch, steps
        Images in a step, and steps, at least 1.
    rate
        Largest learning rate, positive.
    stretches
        In how many equal parts the way is cut, 1 to ``steps`` and a divisor of it.
    generator
        A CPU generator for what is drawn.

    Raises
    ------
    ArgumentError
        If the tensors do not fit each other or a number is out of range.
    """
    model = _require_classifiers(models, images)
    _require_digits(digits, images, model.labels.shape[1])
    draw = mine(owned, len(models), of=len(images), batch=batch, generator=generator)
    targets = 2 * functional.one_hot(digits, model.labels.shape[1]).to(images) - 1

    def loss(current: Crowd) -> torch.Tensor:
        chosen = next(draw).to(images.device)
        return current.each(_loss, images[chosen], targets[chosen]).sum()

    return trained(models, loss, steps=steps, stretches=stretches, rate=rate, argument="images")


def _loss(model: Classifier, images: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    return (model.inputs(images).tanh() - targets).square().square().sum(dim=-1).mean()


def errors(models: Crowd, images: torch.Tensor, digits: torch.Tensor) -> torch.Tensor:
    """Whether every model gets every image wrong: booleans ``(models, samples)``.

    Raises
    ------
    ArgumentError
        If images or classes do not fit the models.
    """
    model = _require_classifiers(models, images)
    _require_digits(digits, images, model.labels.shape[1])
    answers = [models.member(number).inputs(images).argmax(dim=1) for number in range(len(models))]
    return torch.stack(answers) != digits


def _require_classifiers(models: Crowd, images: torch.Tensor) -> Classifier:
    model: Classifier = require_kind("models", require_kind("models", models, Crowd).member(0), Classifier)
    pixels = {"pixels": model.images.shape[1]}
    require_tensor(
        "images", images, "samples pixels", sizes=pixels, device=model.images.device, dtype=model.images.dtype
    )
    return model


def _require_digits(digits: torch.Tensor, images: torch.Tensor, classes: int) -> None:
    require_integer("classes", classes, at_least=2, at_most=2**20)
    require_labels("digits", digits, images.device, at_least=0)
    if len(digits) != len(images):
        raise ArgumentError("digits", f"one class for each of {len(images)} images", f"{len(digits)}")
    if digits.max() >= classes:
        raise ArgumentError("digits", f"classes below {classes}", str(digits.max().item()))
