r"""Perceptrons of one hidden layer of rectified units, many side by side, each trained as if it were alone.

A network gives the logits :math:`z = B^T \max(0, A^T x + a) + b` of an image x. K networks are one batch: their weights
have the networks as first axis, and one product serves them all. The sum of their losses has gradients that do not know
of each other, and Adam changes every entry by that entry's own history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_fit,
    require_kind,
    require_labels,
    require_rng,
    require_tensor,
)
from memscape.tools import pieces
from memscape.tools.models import Model
from memscape.tools.training import Normal, adamw

__all__ = [
    "Perceptrons",
    "accuracy",
    "he_perceptrons",
    "losses",
    "orders",
    "require_data",
    "require_images",
    "train",
]


@dataclass(frozen=True)
class Perceptrons(Model):
    """Networks of one hidden layer of rectified units, one for each entry of the first axis.

    Parameters
    ----------
    first, first_bias, second, second_bias
        Axes ``(networks, inputs, hidden)``, ``(networks, hidden)``, ``(networks, hidden, classes)`` and
        ``(networks, classes)``.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, or a value is not finite.
    """

    first: torch.Tensor
    first_bias: torch.Tensor
    second: torch.Tensor
    second_bias: torch.Tensor

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("first", self.first, "networks inputs hidden", sizes=sizes)
        device, dtype = self.first.device, self.first.dtype
        require_tensor("first_bias", self.first_bias, "networks hidden", sizes=sizes, device=device, dtype=dtype)
        require_tensor("second", self.second, "networks hidden classes", sizes=sizes, device=device, dtype=dtype)
        require_tensor("second_bias", self.second_bias, "networks classes", sizes=sizes, device=device, dtype=dtype)

    def __len__(self) -> int:
        return len(self.first)

    @property
    def parameters(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """All weights and biases, as they are listed above."""
        return self.first, self.first_bias, self.second, self.second_bias

    def positive(self) -> Perceptrons:
        """The same with every negative weight replaced by 0; biases stay."""
        return Perceptrons(self.first.clamp(min=0), self.first_bias, self.second.clamp(min=0), self.second_bias)

    def chosen(self, networks: torch.Tensor) -> Perceptrons:
        """Some of the networks, by their numbers, int64 with axes ``(chosen,)``; one may come more than once.

        Raises
        ------
        ArgumentError
            If there is no network of a number.
        """
        require_labels("networks", networks, self.first.device, at_least=0)
        if int(networks.max()) >= len(self):
            raise ArgumentError("networks", f"numbers below {len(self)}", f"{int(networks.max())}")
        return Perceptrons(*(each[networks] for each in self.parameters))

    def hidden(self, images: torch.Tensor) -> torch.Tensor:
        """Activities of the hidden units, at least 0: axes ``(networks, images, hidden)``.

        Images have the axes ``(images, inputs)``, or ``(networks, images, inputs)`` where each network sees its own.

        Raises
        ------
        ArgumentError
            If the images do not fit the networks.
        """
        require_images(self, images)
        return torch.relu(images @ self.first + self.first_bias[:, None])

    def logits(self, images: torch.Tensor) -> torch.Tensor:
        """Unnormalised logarithms of the classes' probabilities: axes ``(networks, images, classes)``.

        Images have the axes ``(images, inputs)``, or ``(networks, images, inputs)`` where each network sees its own.

        Raises
        ------
        ArgumentError
            If the images do not fit the networks.
        """
        return torch.baddbmm(self.second_bias[:, None], self.hidden(images), self.second)


def he_perceptrons(
    networks: int,
    inputs: int,
    hidden: int,
    classes: int,
    *,
    rng: np.random.Generator,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Perceptrons:
    """Weights of variance 2 / inputs and 1 / hidden, normal and independent, and biases of zero (He and others 2015).

    Parameters
    ----------
    networks, inputs, hidden, classes
        Sizes, at least 1.
    rng
        Where the weights are drawn from.
    dtype, device
        Of the networks.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    for name, size in (("networks", networks), ("inputs", inputs), ("hidden", hidden), ("classes", classes)):
        require_count(name, size, at_most=2**24)
    normal = Normal(rng, dtype, device)
    return Perceptrons(
        normal((2 / inputs) ** 0.5, networks, inputs, hidden),
        normal.full(0.0, networks, hidden),
        normal((1 / hidden) ** 0.5, networks, hidden, classes),
        normal.full(0.0, networks, classes),
    )


def orders(networks: int, images: int, batch: int, *, rng: np.random.Generator) -> torch.Tensor:
    """One epoch of every network, its images in an order of its own: axes ``(networks, images // batch, batch)``.

    The numbers of images are int64; those that fill no batch are left out.

    Raises
    ------
    ArgumentError
        If a size is not at least 1, or a batch has more images than there are.
    """
    require_count("networks", networks, at_most=2**24)
    require_count("images", images, at_most=2**31)
    require_count("batch", batch, at_most=images)
    require_rng("rng", rng)
    order = rng.permuted(np.tile(np.arange(images), (networks, 1)), axis=1)
    return torch.from_numpy(order[:, : images // batch * batch].reshape(networks, -1, batch))


def train(
    model: Perceptrons,
    images: torch.Tensor,
    labels: torch.Tensor,
    *,
    epochs: int,
    batch: int,
    rate: float,
    rng: np.random.Generator,
    decay: float = 0.0,
) -> Iterator[Perceptrons]:
    """Train every network by Adam on the mean cross-entropy, each in its own order; yield all of them every epoch.

    Parameters
    ----------
    model
        Where each network starts; left untouched.
    images, labels
        Axes ``(images, inputs)`` and ``(images,)``, int64 below the number of classes.
    epochs
        Number of epochs, at least 0.
    batch
        Images in a step, at most all.
    rate, decay
        Learning rate and weight decay of :func:`memscape.tools.training.adamw`.
    rng
        Where the orders are drawn from.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or training leaves the finite numbers.
    """
    require_data(model, images, labels)
    require_count("batch", batch, at_most=len(images))
    require_rng("rng", rng)

    def epoch(current: Perceptrons) -> Iterator[torch.Tensor]:
        for taken in orders(len(current), len(images), batch, rng=rng).to(images.device).unbind(dim=1):
            found = torch.nn.functional.cross_entropy(
                current.logits(images[taken]).flatten(0, 1), labels[taken].flatten(), reduction="sum"
            )
            yield found / batch

    for current, _ in adamw(model, epoch, epochs=epochs, rate=rate, decay=decay):
        for each in current.parameters:
            require_fit("rate", each)
        yield current


def losses(model: Perceptrons, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Mean cross-entropy of each network in nats: axes ``(networks,)``, float64.

    Raises
    ------
    ArgumentError
        If the images, axes ``(images, inputs)``, or the labels, axes ``(images,)`` and int64, do not fit the model.
    """
    require_data(model, images, labels)
    found = torch.zeros(len(model), dtype=torch.float64, device=images.device)
    for x, y in _piecewise(model, images, labels):
        logits = model.logits(x)
        chosen = logits.gather(2, y.expand(len(model), -1)[..., None])[..., 0]
        found += (logits.logsumexp(dim=-1) - chosen).sum(dim=1, dtype=torch.float64)
    return found / len(images)


def accuracy(model: Perceptrons, images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Share of images on which each network gives the right label: axes ``(networks,)``, float64.

    Raises
    ------
    ArgumentError
        If the images, axes ``(images, inputs)``, or the labels, axes ``(images,)`` and int64, do not fit the model.
    """
    require_data(model, images, labels)
    right = torch.zeros(len(model), dtype=torch.float64, device=images.device)
    for x, y in _piecewise(model, images, labels):
        right += (model.logits(x).argmax(dim=-1) == y).sum(dim=-1)
    return right / len(images)


def require_images(model: Perceptrons, images: torch.Tensor) -> None:
    """Raise ArgumentError unless ``images`` fit the networks: ``(images, inputs)``, or with the networks in front."""
    sizes = {"inputs": require_kind("model", model, Perceptrons).first.shape[1], "networks": len(model)}
    own = isinstance(images, torch.Tensor) and images.ndim == 3
    axes = "networks images inputs" if own else "images inputs"
    require_tensor("images", images, axes, sizes=sizes, device=model.first.device, dtype=model.first.dtype)


def require_data(model: Perceptrons, images: torch.Tensor, labels: torch.Tensor) -> None:
    """Raise ArgumentError unless ``images``, ``(images, inputs)``, and ``labels``, ``(images,)``, fit the networks."""
    require_kind("model", model, Perceptrons)
    if isinstance(images, torch.Tensor) and images.ndim != 2:
        raise ArgumentError("images", "axes (images, inputs)", f"shape {tuple(images.shape)}")
    require_images(model, images)
    require_labels("labels", labels, images.device, at_least=0)
    if len(labels) != len(images):
        raise ArgumentError("labels", f"{len(images)} labels, one an image", f"{len(labels)}")
    if int(labels.max()) >= (classes := model.second.shape[-1]):
        raise ArgumentError("labels", f"classes below {classes}", f"{int(labels.max())}")


def _piecewise(
    model: Perceptrons, images: torch.Tensor, labels: torch.Tensor
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    widest = 2 * len(model) * (model.second.shape[1] + model.second.shape[2]) * images.element_size()
    for part in pieces.slices(len(images), pieces.fitting(widest)):
        yield images[part], labels[part]
