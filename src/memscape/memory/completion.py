"""An energy transformer completes images: patches, what is hidden of them, training, and two plain methods."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_booleans,
    require_count,
    require_fit,
    require_generator,
    require_integer,
    require_kind,
    require_number,
    require_room,
    require_tensor,
)
from memscape.memory.dynamics import evolve
from memscape.memory.energy_transformer import EnergyTransformer, random_transformer
from memscape.tools.models import Model
from memscape.tools.training import Normal, adamw, warm_cosine

__all__ = [
    "Completer",
    "from_patches",
    "gaussian_completion",
    "hidden_error",
    "hide",
    "nearest_completion",
    "random_completer",
    "to_patches",
    "train_completer",
]


def to_patches(images: torch.Tensor, size: int) -> torch.Tensor:
    """Cut images into square patches, row by row: ``(..., S, S)`` to ``(..., (S / size)**2, size**2)``.

    Raises
    ------
    ArgumentError
        If the images are not square or ``size`` does not divide their side.
    """
    require_tensor("images", images, "... side side")
    _require_divisor(size, images.shape[-1])
    count = images.shape[-1] // size
    cut = images.reshape(*images.shape[:-2], count, size, count, size).transpose(-2, -3)
    return cut.reshape(*images.shape[:-2], count**2, size**2)


def from_patches(patches: torch.Tensor) -> torch.Tensor:
    """Put square patches together again: ``(..., count**2, size**2)`` to ``(..., S, S)``, S = count * size.

    Raises
    ------
    ArgumentError
        If the numbers of patches and of pixels are not squares.
    """
    require_tensor("patches", patches, "... tokens pixels")
    count, size = (math.isqrt(number) for number in patches.shape[-2:])
    if (count**2, size**2) != tuple(patches.shape[-2:]):
        raise ArgumentError("patches", "square numbers of patches and pixels", f"shape {tuple(patches.shape)}")
    cut = patches.reshape(*patches.shape[:-2], count, count, size, size).transpose(-2, -3)
    return cut.reshape(*patches.shape[:-2], count * size, count * size)


def hide(images: int, tokens: int, hidden: int, *, generator: torch.Generator) -> torch.Tensor:
    """Choose exactly ``hidden`` of the tokens of every image, at random: booleans ``(images, tokens)`` on the CPU.

    Raises
    ------
    ArgumentError
        If a number is out of range or ``generator`` is not on the CPU.
    """
    require_count("images", images)
    require_count("tokens", tokens)
    require_room(images=images, tokens=tokens)
    require_integer("hidden", hidden, at_least=0, at_most=tokens)
    require_generator("generator", generator)
    order = torch.rand((images, tokens), generator=generator, dtype=torch.float64, device="cpu").argsort(dim=-1)
    return order < hidden  # the ranks of independent draws are a random permutation


def hidden_error(filled: torch.Tensor, truth: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Mean squared error of the hidden pixels of every image, in units of a squared pixel.

    Parameters
    ----------
    filled
        Patches that were filled in, axes ``(..., images, N, pixels)``.
    truth
        What they should be, axes ``(images, N, pixels)``.
    hidden
        Booleans ``(images, N)``, at least one true in every row.

    Returns
    -------
    torch.Tensor
        Axes ``(..., images)``.

    Raises
    ------
    ArgumentError
        If the tensors do not fit, or nothing is hidden of an image.
    """
    sizes: dict[str, int] = {}
    require_tensor("truth", truth, "images tokens pixels", sizes=sizes)
    place: dict[str, Any] = {"sizes": sizes, "device": truth.device, "dtype": truth.dtype}
    require_tensor("filled", filled, "... images tokens pixels", **place)
    require_booleans("hidden", hidden, "True where hidden.", shape=truth.shape[:-1], device=truth.device)
    if not hidden.any(dim=-1).all():
        raise ArgumentError("hidden", "a hidden patch in every row", "a row without one")
    error = (filled - truth).square().mean(dim=-1)
    return require_fit("filled", (error * hidden).sum(dim=-1) / hidden.sum(dim=-1))


@dataclass(frozen=True)
class Completer(Model):
    """An energy transformer between an encoder and a decoder: it completes images cut into patches.

    A visible patch enters as a linear map of its pixels, a hidden one as a vector of its own, the same for all. Both
    have their place added. After ``steps`` Euler steps of length ``step``, every token is normed and decoded.

    Parameters
    ----------
    block
        The energy transformer, with D features.
    encoder, encoder_bias
        Axes ``(pixels, D)`` and ``(D,)``.
    hidden
        The token of a hidden patch, axes ``(D,)``.
    places
        Axes ``(N, D)``.
    decoder, decoder_bias
        Axes ``(D, pixels)`` and ``(pixels,)``.
    step, steps
        Length and number of the Euler steps.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, a value is not finite, or a number is out of range.
    """

    block: EnergyTransformer
    encoder: torch.Tensor
    encoder_bias: torch.Tensor
    hidden: torch.Tensor
    places: torch.Tensor
    decoder: torch.Tensor
    decoder_bias: torch.Tensor
    step: float
    steps: int

    def __post_init__(self) -> None:
        require_kind("block", self.block, EnergyTransformer)
        sizes = {"features": self.block.queries.shape[-1]}
        place: dict[str, Any] = {
            "sizes": sizes,
            "device": self.block.queries.device,
            "dtype": self.block.queries.dtype,
        }
        require_tensor("encoder", self.encoder, "pixels features", **place)
        require_tensor("encoder_bias", self.encoder_bias, "features", **place)
        require_tensor("hidden", self.hidden, "features", **place)
        require_tensor("places", self.places, "tokens features", **place)
        require_tensor("decoder", self.decoder, "features pixels", **place)
        require_tensor("decoder_bias", self.decoder_bias, "pixels", **place)
        require_number("step", self.step, above=0.0)
        require_count("steps", self.steps)

    def embed(self, patches: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Tokens at the start of the descent.

        Parameters
        ----------
        patches
            Axes ``(..., N, pixels)``; what stands in hidden ones does not matter.
        hidden
            Booleans ``(..., N)``.

        Returns
        -------
        torch.Tensor
            Axes ``(..., N, D)``.

        Raises
        ------
        ArgumentError
            If patches or booleans do not fit.
        """
        sizes = {"tokens": self.places.shape[0], "pixels": self.encoder.shape[0]}
        device, dtype = self.encoder.device, self.encoder.dtype
        require_tensor("patches", patches, "... tokens pixels", values=None, sizes=sizes, device=device, dtype=dtype)
        require_booleans("hidden", hidden, "True where a patch is hidden.", shape=patches.shape[:-1], device=device)
        return self._embed(_seen(patches, hidden), hidden)

    def decode(self, state: torch.Tensor) -> torch.Tensor:
        """Patches ``(..., N, pixels)`` that tokens ``(..., N, D)`` stand for, with the layer norm before the map."""
        return self._decode(self.block._require("state", state))

    def complete(self, patches: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Patches with the hidden ones filled in and the visible ones as given; arguments as for :meth:`embed`."""
        state = self._settle(self.embed(patches, hidden), self.steps)
        return torch.where(hidden[..., None], self._decode(state), patches)

    def _embed(self, patches: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        seen = patches @ self.encoder + self.encoder_bias
        return torch.where(hidden[..., None], self.hidden, seen) + self.places

    def _settle(self, state: torch.Tensor, steps: int) -> torch.Tensor:
        return evolve(self.block, state, step=self.step, steps=steps)

    def _decode(self, state: torch.Tensor) -> torch.Tensor:
        return self.block.norm.activation(state) @ self.decoder + self.decoder_bias


def random_completer(
    tokens: int,
    pixels: int,
    features: int,
    *,
    heads: int,
    width: int,
    memories: int,
    step: float,
    steps: int,
    rng: np.random.Generator,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Completer:
    """A completer at the start of its training; see :class:`Completer` and :func:`random_transformer`.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, the step is not positive or ``rng`` is not a numpy generator.
    """
    for name, value in (("tokens", tokens), ("pixels", pixels)):
        require_count(name, value)
    require_room(tokens=tokens, pixels=pixels)
    block = random_transformer(
        features,
        heads=heads,
        width=width,
        memories=memories,
        rng=rng,
        spread=0.06,
        spread_memories=0.125,  # larger than the authors': so that the memories take part from the first step on
        dtype=dtype,
        device=device,
    )
    draw = Normal(rng, dtype, device)
    return Completer(
        block,
        draw(1 / math.sqrt(pixels), pixels, features),
        draw.full(0.0, features),
        draw(0.02, features),
        draw(0.3, tokens, features),
        draw(1 / features, features, pixels),
        draw.full(0.0, pixels),
        step,
        steps,
    )


def train_completer(
    model: Completer,
    patches: torch.Tensor,
    *,
    hidden: int,
    batch: int,
    epochs: int,
    rate: float,
    decay: float = 0.05,
    longest: int | None = None,
    generator: torch.Generator,
) -> Iterator[tuple[Completer, float]]:
    """Train by AdamW through the unrolled steps; yield the model and its mean training loss after every epoch.

    The loss is the squared error of all pixels. Those of the visible patches are easy, and teach encoder and decoder
    what a patch is before there is anything to say about the hidden ones. The rate rises over the first twentieth of
    the steps and then falls along a cosine to a hundredth.

    Parameters
    ----------
    model
        Where to start; left untouched.
    patches
        Training images, axes ``(images, N, pixels)``.
    hidden
        Number of patches hidden of each image, drawn anew every time, 1 to N.
    batch, epochs
        Images in a step, and passes through all images; at least 1.
    rate, decay
        Largest learning rate and weight decay of AdamW, positive and at least 0.
    longest
        Draw the number of steps anew for every batch, from the model's ``steps`` to this number, so that the image has
        to stay good once it is good; by default it is always ``steps``.
    generator
        A CPU generator for the order of the images, for what is hidden and for the number of steps.

    Raises
    ------
    ArgumentError
        If the patches do not fit the model or a number is out of range.
    """
    require_kind("model", model, Completer)
    sizes = {"tokens": model.places.shape[0], "pixels": model.encoder.shape[0]}
    device, dtype = model.encoder.device, model.encoder.dtype
    require_tensor("patches", patches, "images tokens pixels", sizes=sizes, device=device, dtype=dtype)
    require_integer("hidden", hidden, at_least=1, at_most=sizes["tokens"])
    require_count("batch", batch)
    require_count("epochs", epochs)
    require_integer("longest", model.steps if longest is None else longest, at_least=model.steps, at_most=2**20)
    require_generator("generator", generator)

    def losses(current: Completer) -> Iterator[torch.Tensor]:
        for chosen in torch.randperm(len(patches), generator=generator, device="cpu").split(batch):
            covered = hide(len(chosen), patches.shape[1], hidden, generator=generator).to(device)
            some = patches[chosen.to(device)]
            steps = current.steps
            if longest is not None:
                steps += int(torch.randint(longest - steps + 1, (1,), generator=generator, device="cpu"))
            state = current._settle(current._embed(some, covered), steps)
            yield (current._decode(state) - some).square().mean()

    schedule = warm_cosine(epochs * -(-len(patches) // batch))
    yield from adamw(model, losses, epochs=epochs, rate=rate, decay=decay, second=0.99, longest=1.0, schedule=schedule)


def gaussian_completion(
    training: torch.Tensor, patches: torch.Tensor, hidden: torch.Tensor, *, ridge: float
) -> torch.Tensor:
    r"""Linear regression of the hidden pixels on the visible ones, for every image's own choice of hidden patches.

    With the mean and the covariance S of the training pixels, the hidden ones h given the visible ones v are

    .. math:: \hat x_h = \bar x_h + S_{hv} (S_{vv} + \lambda)^{-1} (x_v - \bar x_v) ,

    ridge regression with the penalty :math:`\lambda` times the number of training images.

    Parameters
    ----------
    training
        Axes ``(images, N, pixels)``.
    patches
        Axes ``(tests, N, pixels)``.
    hidden
        Booleans ``(tests, N)``, as many true in each row.
    ridge
        The penalty, positive, in units of a squared pixel.

    Returns
    -------
    torch.Tensor
        Axes ``(tests, N, pixels)``: hidden patches filled in, visible ones as given.

    Raises
    ------
    ArgumentError
        If the tensors do not fit, rows hide different numbers of patches, or the penalty is not positive.
    """
    patches = _require_completion(training, patches, hidden)
    require_number("ridge", ridge, above=0.0)
    counts = hidden.sum(dim=-1)
    if (counts != counts[0]).any():
        raise ArgumentError("hidden", "as many hidden patches in every row", f"{counts.unique().tolist()}")
    pixels = hidden.repeat_interleave(patches.shape[-1], dim=-1)
    covered = pixels.nonzero()[:, 1].reshape(len(patches), -1)
    seen = (~pixels).nonzero()[:, 1].reshape(len(patches), -1)
    flat, mean = patches.flatten(1), training.flatten(1).mean(dim=0)
    centred = training.flatten(1) - mean
    covariance = centred.mT @ centred / len(training)
    filled = flat.clone()
    # A few images at a time: each needs a matrix of its own.
    for rows in torch.arange(len(patches), device=patches.device).split(32):
        v, h = seen[rows], covered[rows]
        square = covariance[v[:, :, None], v[:, None, :]] + ridge * torch.eye(v.shape[1], device="cpu").to(covariance)
        offset = flat[rows].gather(1, v) - mean[v]
        factor, failed = torch.linalg.cholesky_ex(square)
        if failed.any():
            cure = "Take a larger one, or more training images than pixels."
            raise ArgumentError("ridge", "a covariance that is positive definite in its dtype", f"{ridge:g}", cure)
        solved = torch.cholesky_solve(offset[..., None], factor)
        filled[rows] = filled[rows].scatter(1, h, mean[h] + (covariance[h[:, :, None], v[:, None, :]] @ solved)[..., 0])
    return filled.reshape(patches.shape)


def nearest_completion(
    training: torch.Tensor, patches: torch.Tensor, hidden: torch.Tensor, *, neighbours: int
) -> torch.Tensor:
    """Hidden patches as the mean of the training images that are nearest in the visible pixels.

    Parameters
    ----------
    training, patches, hidden
        As for :func:`gaussian_completion`.
    neighbours
        Number of training images to average, 1 to all.

    Returns
    -------
    torch.Tensor
        Axes ``(tests, N, pixels)``: hidden patches filled in, visible ones as given.

    Raises
    ------
    ArgumentError
        If the tensors do not fit or the number is out of range.
    """
    patches = _require_completion(training, patches, hidden)
    require_integer("neighbours", neighbours, at_least=1, at_most=len(training))
    images = training.flatten(1)
    seen = (~hidden)[..., None].expand(patches.shape).flatten(1).to(images)
    cues = seen * patches.flatten(1)
    distance = seen @ images.square().mT - 2 * cues @ images.mT  # but for the cue's own square, the same for all
    nearest = distance.topk(neighbours, largest=False).indices
    return torch.where(hidden[..., None], training[nearest].mean(dim=1), patches)


def _seen(patches: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Patches ``(..., N, pixels)`` with zeros for the hidden ones, if the others are finite; otherwise raise."""
    return require_tensor("patches", patches.masked_fill(hidden[..., None], 0.0), "... tokens pixels")


def _require_completion(training: torch.Tensor, patches: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """The patches with zeros for the hidden ones, if all fits."""
    sizes: dict[str, int] = {}
    require_tensor("training", training, "images tokens pixels", sizes=sizes)
    device, dtype = training.device, training.dtype
    require_tensor("patches", patches, "tests tokens pixels", values=None, sizes=sizes, device=device, dtype=dtype)
    require_booleans("hidden", hidden, "True where hidden.", shape=patches.shape[:-1], device=device)
    return _seen(patches, hidden)


def _require_divisor(size: int, side: int) -> None:
    require_integer("size", size, at_least=1, at_most=side)
    if side % size:
        raise ArgumentError("size", f"a divisor of the images' side {side}", str(size))
