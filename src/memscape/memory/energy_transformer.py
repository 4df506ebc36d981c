r"""A transformer block that is gradient descent on an energy (Hoover et al. 2023).

N tokens of D features each, x, are seen through a layer norm, g, which is the gradient of a Lagrangian,

.. math:: L(x) = D \gamma \sqrt{\tfrac1D \sum_i (x_i - \bar x)^2 + \varepsilon} + \sum_i \delta_i x_i, \qquad
          g_i = \frac{\partial L}{\partial x_i}
              = \gamma \frac{x_i - \bar x}{\sqrt{\tfrac1D \sum_j (x_j - \bar x)^2 + \varepsilon}} + \delta_i .

With queries :math:`Q_{hC} = W^Q_h g_C` and keys :math:`K_{hB} = W^K_h g_B` of H heads, and memories :math:`\xi_\mu`,
the energy has two parts, attention between tokens and an associative memory for each of them,

.. math:: E = -\frac1\beta \sum_h \sum_C \ln \sum_{B \ne C} e^{\beta K_{hB} \cdot Q_{hC}}
              - \frac12 \sum_C \sum_\mu \max(\xi_\mu \cdot g_C, 0)^2, \qquad
          \tau \dot x = -\frac{\partial E}{\partial g} .

It falls because L is convex: :math:`\dot E = -\tau \sum_C \dot x_C^T \nabla^2 L(x_C) \, \dot x_C \le 0`. Time is in
units of :math:`\tau`. With :math:`\omega_{hCB}` the softmax of :math:`\beta K_{hB} \cdot Q_{hC}` over B, minus the
gradient has a side for either role of a token in the attention, and one for the memories,

.. math:: -\frac{\partial E}{\partial g_A} = \sum_h (W^Q_h)^T \sum_{B \ne A} \omega_{hAB} K_{hB}
              + \sum_h (W^K_h)^T \sum_{C \ne A} \omega_{hCA} Q_{hC} + \sum_\mu \xi_\mu \max(\xi_\mu \cdot g_A, 0) .

The first sum is ordinary attention whose values are the keys, read out through the queries' weights. The second, over
those who ask for A, is what ordinary attention lacks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar

import networkx as nx
import numpy as np
import torch
import torch.nn.functional as functional

from memscape.arguments import ArgumentError, require_integer, require_number, require_tensor
from memscape.memory.attention import AdditivePower
from memscape.memory.patterns import require_generator

__all__ = [
    "Completer",
    "Detector",
    "EnergyTransformer",
    "Forces",
    "LayerNorm",
    "PlantedGraph",
    "QuerySide",
    "from_patches",
    "gaussian_completion",
    "hide",
    "nearest_completion",
    "planted_graph",
    "random_completer",
    "random_detector",
    "random_transformer",
    "to_patches",
    "train_completer",
    "train_detector",
]

_RECTIFIED = AdditivePower(2)  # max(u, 0)**2 / 2, the Lagrangian of the memory units

Model = TypeVar("Model")


@dataclass(frozen=True)
class LayerNorm:
    r"""Layer norm with one scale for all features, as the gradient of a Lagrangian (module, first formula).

    Parameters
    ----------
    gamma
        Scale, a tensor without axes, positive: the Lagrangian is convex only then.
    delta
        Shift, axes ``(D,)``.
    eps
        Keeps the root away from zero, positive, in units of a squared token entry.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, a value is not finite, or gamma or eps is not positive.
    """

    gamma: torch.Tensor
    delta: torch.Tensor
    eps: float = 1e-5

    def __post_init__(self) -> None:
        require_tensor("delta", self.delta, "features")
        require_tensor("gamma", self.gamma, "", device=self.delta.device, dtype=self.delta.dtype)
        require_number("gamma", self.gamma.item(), above=0.0)
        require_number("eps", self.eps, above=0.0)

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, axes ``(..., D)`` to ``(...)``."""
        spread = (units.var(dim=-1, correction=0) + self.eps).sqrt()
        return units.shape[-1] * self.gamma * spread + units @ self.delta

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """g, the gradient of L, same axes ``(..., D)``."""
        return self.gamma * functional.layer_norm(units, units.shape[-1:], eps=self.eps) + self.delta


@dataclass(frozen=True)
class Forces:
    """The three parts of minus the gradient of the energy in g, each with the axes ``(..., N, D)`` of the tokens.

    Attributes
    ----------
    query
        What a token hears from the tokens it attends to: ordinary attention.
    key
        What it hears from the tokens that attend to it.
    memory
        What the memories pull it to.
    """

    query: torch.Tensor
    key: torch.Tensor
    memory: torch.Tensor


@dataclass(frozen=True)
class EnergyTransformer:
    r"""The block of Hoover et al. (2023): the energy of N tokens, and its descent.

    Parameters
    ----------
    queries, keys
        W^Q and W^K, axes ``(H, Y, D)``: heads, their width, features.
    memories
        xi, axes ``(M, D)``.
    norm
        The layer norm that makes g of x.
    beta
        Inverse temperature of the attention, positive; 1 / sqrt(Y) in the paper.
    mask
        Booleans ``(N, N)`` or with the leading axes of the states: token C attends to token B where ``mask[C, B]`` is
        true. By default all tokens attend to all others. No token attends to itself, whatever the mask says, and one
        that attends to none has no term in the sum over C.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, a value is not finite, beta is not positive or the mask is not a square
        of booleans.
    """

    queries: torch.Tensor
    keys: torch.Tensor
    memories: torch.Tensor
    norm: LayerNorm
    beta: float
    mask: torch.Tensor | None = None

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("queries", self.queries, "heads width features", sizes=sizes)
        place: dict[str, Any] = {"sizes": sizes, "device": self.queries.device, "dtype": self.queries.dtype}
        require_tensor("keys", self.keys, "heads width features", **place)
        require_tensor("memories", self.memories, "memories features", **place)
        require_tensor("norm.delta", self.norm.delta, "features", **place)
        require_number("beta", self.beta, above=0.0)
        if self.mask is not None:
            _require_booleans("mask", self.mask, "True where a token attends to another.")
            if self.mask.ndim < 2 or self.mask.shape[-1] != self.mask.shape[-2]:
                raise ArgumentError("mask", "axes (..., tokens, tokens)", f"shape {tuple(self.mask.shape)}")
            if self.mask.device != self.queries.device:
                raise ArgumentError("mask", f"device {self.queries.device}", str(self.mask.device), "Move the mask.")

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """Energy of the tokens, ``(..., N, D)`` to ``(...)``: that of :meth:`energy_of_outputs` at g(state).

        Raises
        ------
        ArgumentError
            If the state does not fit the weights or the mask.
        """
        return self.energy_of_outputs(self.norm.activation(self._require("state", state)))

    def energy_of_outputs(self, outputs: torch.Tensor) -> torch.Tensor:
        """Energy as a function of g, ``(..., N, D)`` to ``(...)``; minus its gradient is the flow."""
        attention, memory = self.parts(outputs)
        return attention + memory

    def parts(self, outputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Energies of the attention and of the memories as functions of g, ``(..., N, D)`` to ``(...)`` each."""
        g = self._require("outputs", outputs)
        queries, keys, memory = self._project(g)
        scores, alone = self._scores(queries, keys)
        pooled = scores.logsumexp(dim=-1)
        if alone is not None:
            pooled = pooled.masked_fill(alone, 0.0)
        return -pooled.sum(dim=(-2, -1)) / self.beta, -_RECTIFIED(memory).sum(dim=-1)

    def forces(self, state: torch.Tensor) -> Forces:
        """The three parts of the flow, each ``(..., N, D)`` as the state (module, last formula).

        Raises
        ------
        ArgumentError
            If the state does not fit the weights or the mask.
        """
        g = self.norm.activation(self._require("state", state))
        asked, answered, active = self._pulls(g)
        return Forces(
            asked @ self.queries.flatten(0, 1),
            answered @ self.keys.flatten(0, 1),
            active @ self.memories,
        )

    def flow(self, state: torch.Tensor) -> torch.Tensor:
        """Time derivative of every token, minus the gradient of the energy in g, same axes ``(..., N, D)``.

        Raises
        ------
        ArgumentError
            If the state does not fit the weights or the mask.
        """
        return self._flow(self._require("state", state))

    def update(self, state: torch.Tensor, *, step: float, steps: int = 1) -> torch.Tensor:
        """Tokens after explicit Euler steps x + step * flow(x); differentiable in the weights and in the state.

        Parameters
        ----------
        state
            Axes ``(..., N, D)``.
        step
            Length of a step in units of tau, positive.
        steps
            Number of steps, at least 1.

        Raises
        ------
        ArgumentError
            If the state does not fit the weights or the mask, or a number is out of range.
        """
        require_number("step", step, above=0.0)
        require_integer("steps", steps, at_least=1)
        x = self._require("state", state)
        for _ in range(steps):
            x = x + step * self._flow(x)
        return x

    def _flow(self, x: torch.Tensor) -> torch.Tensor:
        # One product for all weights: (asked, answered, active) times (W^Q, W^K, xi).
        return torch.cat(self._pulls(self.norm.activation(x)), dim=-1) @ self._weights()

    def _weights(self) -> torch.Tensor:
        return torch.cat([self.queries.flatten(0, 1), self.keys.flatten(0, 1), self.memories])

    def _project(self, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Queries and keys ``(..., H, N, Y)``, and overlaps with the memories ``(..., N, M)``."""
        heads, width, _ = self.queries.shape
        both = heads * width
        queries, keys, memory = (g @ self._weights().mT).split([both, both, len(self.memories)], dim=-1)
        split = (*g.shape[:-1], heads, width)
        return queries.reshape(split).transpose(-2, -3), keys.reshape(split).transpose(-2, -3), memory

    def _scores(self, queries: torch.Tensor, keys: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """beta K.Q with minus infinity where C does not see B, ``(..., H, C, B)``; and who sees none, or None."""
        scores = self.beta * (queries @ keys.mT)
        tokens = scores.shape[-1]
        hidden = torch.eye(tokens, dtype=torch.bool, device=scores.device)
        if self.mask is not None:
            hidden = hidden | ~self.mask[..., None, :, :]
        elif tokens > 1:
            return scores.masked_fill(hidden, -math.inf), None
        # A row of minus infinities has no softmax: who sees none is given finite scores, and weight zero afterwards.
        alone = hidden.all(dim=-1)
        return scores.masked_fill(hidden & ~alone[..., None], -math.inf), alone

    def _pulls(self, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Means of the keys a token asks, sums of the queries it answers, ``(..., N, H Y)``, and active memories."""
        queries, keys, memory = self._project(g)
        scores, alone = self._scores(queries, keys)
        weights = scores.softmax(dim=-1)
        if alone is not None:
            weights = weights.masked_fill(alone[..., None], 0.0)
        asked = (weights @ keys).transpose(-2, -3).flatten(-2)
        answered = (weights.mT @ queries).transpose(-2, -3).flatten(-2)
        return asked, answered, _RECTIFIED.activation(memory)

    def _require(self, argument: str, state: torch.Tensor) -> torch.Tensor:
        sizes = {"features": self.queries.shape[-1]}
        if self.mask is not None:
            sizes["tokens"] = self.mask.shape[-1]
        device, dtype = self.queries.device, self.queries.dtype
        require_tensor(argument, state, "... tokens features", sizes=sizes, device=device, dtype=dtype)
        if self.mask is not None:
            extra = self.mask.shape[:-2]
            if extra and state.shape[:-2][-len(extra) :] != extra:
                raise ArgumentError(argument, f"leading axes that end in {tuple(extra)}", f"shape {tuple(state.shape)}")
        return state


@dataclass(frozen=True)
class QuerySide:
    """The same tokens under ordinary attention: the flow without its key side. It is no gradient of an energy.

    Parameters
    ----------
    whole
        The energy transformer whose weights are used.
    """

    whole: EnergyTransformer

    def flow(self, state: torch.Tensor) -> torch.Tensor:
        """What tokens hear from those they attend to and from the memories, axes ``(..., N, D)``."""
        forces = self.whole.forces(state)
        return forces.query + forces.memory


def random_transformer(
    features: int,
    *,
    heads: int,
    width: int,
    memories: int,
    rng: np.random.Generator,
    spread: float | None = None,
    spread_memories: float = 0.02,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> EnergyTransformer:
    r"""A block with independent normal weights, unit layer norm and beta = 1 / sqrt(width).

    Parameters
    ----------
    features, heads, width, memories
        D, H, Y and M, at least 1.
    rng
        A numpy generator: it draws the same normal numbers on every machine.
    spread
        Standard deviation of the entries of W^Q and W^K; 1 / sqrt(D) by default, which makes queries and keys of
        order 1. The authors' code starts at 0.002.
    spread_memories
        Standard deviation of the entries of the memories, positive; the default is that of the authors' code.
    dtype, device
        Of the weights.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, a spread is not positive or ``rng`` is not a numpy generator.
    """
    for name, value in (("features", features), ("heads", heads), ("width", width), ("memories", memories)):
        require_integer(name, value, at_least=1)
    scale = 1 / math.sqrt(features) if spread is None else require_number("spread", spread, above=0.0)
    require_number("spread_memories", spread_memories, above=0.0)
    draw = _Draw(rng, dtype, device)
    return EnergyTransformer(
        draw(scale, heads, width, features),
        draw(scale, heads, width, features),
        draw(spread_memories, memories, features),
        LayerNorm(draw.full(1.0), draw.full(0.0, features)),
        1 / math.sqrt(width),
    )


class _Draw:
    """Normal entries from a numpy generator, as tensors of one dtype and device."""

    def __init__(self, rng: np.random.Generator, dtype: torch.dtype, device: torch.device | str) -> None:
        if not isinstance(rng, np.random.Generator):
            raise ArgumentError(
                "rng", "a numpy.random.Generator", type(rng).__name__, "Use numpy.random.default_rng(0)."
            )
        self.rng, self.dtype, self.device = rng, dtype, device

    def __call__(self, spread: float, *shape: int) -> torch.Tensor:
        return torch.from_numpy(self.rng.normal(0.0, spread, shape)).to(self.device, self.dtype)

    def full(self, value: float, *shape: int) -> torch.Tensor:
        return torch.full(shape, value, dtype=self.dtype, device=self.device)


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
    require_integer("images", images, at_least=1)
    require_integer("tokens", tokens, at_least=1)
    require_integer("hidden", hidden, at_least=0, at_most=tokens)
    require_generator("generator", generator)
    order = torch.rand((images, tokens), generator=generator, dtype=torch.float64).argsort(dim=-1)
    return order < hidden  # the ranks of independent draws are a random permutation


@dataclass(frozen=True)
class Completer:
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
        require_integer("steps", self.steps, at_least=1)

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
        require_tensor("patches", patches, "... tokens pixels", sizes=sizes, device=device, dtype=dtype)
        _require_booleans("hidden", hidden, "True where a patch is hidden.", shape=patches.shape[:-1], device=device)
        return self._embed(patches, hidden)

    def decode(self, state: torch.Tensor) -> torch.Tensor:
        """Patches ``(..., N, pixels)`` that tokens ``(..., N, D)`` stand for, with the layer norm before the map."""
        return self._decode(self.block._require("state", state))

    def complete(self, patches: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Patches with the hidden ones filled in and the visible ones as given; arguments as for :meth:`embed`."""
        state = self.block.update(self.embed(patches, hidden), step=self.step, steps=self.steps)
        return torch.where(hidden[..., None], self._decode(state), patches)

    def _embed(self, patches: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        seen = patches @ self.encoder + self.encoder_bias
        return torch.where(hidden[..., None], self.hidden, seen) + self.places

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
        require_integer(name, value, at_least=1)
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
    draw = _Draw(rng, dtype, device)
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
    sizes = {"tokens": model.places.shape[0], "pixels": model.encoder.shape[0]}
    device, dtype = model.encoder.device, model.encoder.dtype
    require_tensor("patches", patches, "images tokens pixels", sizes=sizes, device=device, dtype=dtype)
    require_integer("hidden", hidden, at_least=1, at_most=sizes["tokens"])
    require_integer("batch", batch, at_least=1)
    require_integer("longest", model.steps if longest is None else longest, at_least=model.steps)
    require_generator("generator", generator)

    def losses(current: Completer) -> Iterator[torch.Tensor]:
        for chosen in torch.randperm(len(patches), generator=generator).split(batch):
            covered = hide(len(chosen), patches.shape[1], hidden, generator=generator).to(device)
            some = patches[chosen.to(device)]
            state = current._embed(some, covered)
            extra = 0
            if longest is not None:
                extra = int(torch.randint(longest - current.steps + 1, (1,), generator=generator))
            for _ in range(current.steps + extra):
                state = state + current.step * current.block._flow(state)
            yield (current._decode(state) - some).square().mean()

    yield from _train(model, losses, -(-len(patches) // batch), epochs=epochs, rate=rate, decay=decay)


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
    _require_completion(training, patches, hidden)
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
        square = covariance[v[:, :, None], v[:, None, :]] + ridge * torch.eye(v.shape[1]).to(covariance)
        offset = flat[rows].gather(1, v) - mean[v]
        solved = torch.cholesky_solve(offset[..., None], torch.linalg.cholesky(square))
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
    _require_completion(training, patches, hidden)
    require_integer("neighbours", neighbours, at_least=1, at_most=len(training))
    images = training.flatten(1)
    seen = (~hidden)[..., None].expand(patches.shape).flatten(1).to(images)
    cues = seen * patches.flatten(1)
    distance = seen @ images.square().mT - 2 * cues @ images.mT  # but for the cue's own square, the same for all
    nearest = distance.topk(neighbours, largest=False).indices
    return torch.where(hidden[..., None], training[nearest].mean(dim=1), patches)


def _require_completion(training: torch.Tensor, patches: torch.Tensor, hidden: torch.Tensor) -> None:
    sizes: dict[str, int] = {}
    require_tensor("training", training, "images tokens pixels", sizes=sizes)
    device, dtype = training.device, training.dtype
    require_tensor("patches", patches, "tests tokens pixels", sizes=sizes, device=device, dtype=dtype)
    _require_booleans("hidden", hidden, "True where hidden.", shape=patches.shape[:-1], device=device)


@dataclass(frozen=True)
class PlantedGraph:
    """A graph in which some nodes do not belong where they are.

    Attributes
    ----------
    features
        Axes ``(N, F)``.
    adjacency
        Booleans ``(N, N)``, symmetric, with a false diagonal.
    anomalous
        Booleans ``(N,)``: the planted nodes, by either kind.
    """

    features: torch.Tensor
    adjacency: torch.Tensor
    anomalous: torch.Tensor


def planted_graph(
    nodes: int,
    *,
    communities: int,
    features: int,
    degree: float,
    inside: float,
    noise: float,
    anomalies: int,
    rng: np.random.Generator,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> PlantedGraph:
    """A stochastic block model whose communities have features of their own, and anomalies of two kinds.

    Every community has a random vector of normal entries, and a node's features are that of its community plus noise.
    Half of the anomalies have the features of another community (and the edges of their own); the other half keep
    their features and have each of their edges led to a random node instead.

    Parameters
    ----------
    nodes, communities, features
        Numbers of nodes, of communities (equally large up to one node) and of features, at least 2, 2 and 1.
    degree
        Mean number of neighbours, positive, at most half the size of a community.
    inside
        Share of a node's edges that stay in its community, in [0, 1].
    noise
        Standard deviation of the features around those of the community, at least 0.
    anomalies
        Number of planted nodes, 2 to ``nodes``.
    rng
        A numpy generator.
    dtype, device
        Of the features; the booleans lie on the same device.

    Raises
    ------
    ArgumentError
        If a number is out of range or ``rng`` is not a numpy generator.
    """
    require_integer("nodes", nodes, at_least=2)
    require_integer("communities", communities, at_least=2, at_most=nodes)
    require_integer("features", features, at_least=1)
    require_number("degree", degree, above=0.0, at_most=nodes / communities / 2)
    require_number("inside", inside, at_least=0.0, at_most=1.0)
    require_number("noise", noise, at_least=0.0)
    require_integer("anomalies", anomalies, at_least=2, at_most=nodes)
    draw = _Draw(rng, dtype, device)
    home = np.arange(nodes) * communities // nodes
    sizes = np.bincount(home)
    near = degree * inside / sizes.mean()
    far = degree * (1 - inside) / (nodes - sizes.mean())
    between = np.where(np.eye(communities, dtype=bool), near, far)
    graph = nx.stochastic_block_model(sizes.tolist(), between.tolist(), seed=int(rng.integers(2**31)))
    chosen = rng.choice(nodes, anomalies, replace=False)
    swapped, rewired = chosen[: anomalies // 2], chosen[anomalies // 2 :]
    looks = home.copy()
    looks[swapped] = (home[swapped] + rng.integers(1, communities, len(swapped))) % communities
    edges = nx.to_numpy_array(graph, dtype=bool)
    for node in rewired:
        count = int(edges[node].sum())
        edges[node] = edges[:, node] = False
        others = rng.choice(np.delete(np.arange(nodes), node), count, replace=False)
        edges[node, others] = edges[others, node] = True
    centres = draw(1.0, communities, features)
    seen = centres[torch.from_numpy(looks).to(device)] + draw(noise, nodes, features)
    anomalous = torch.zeros(nodes, dtype=torch.bool)
    anomalous[torch.from_numpy(chosen)] = True
    return PlantedGraph(seen, torch.from_numpy(edges).to(device), anomalous.to(device))


@dataclass(frozen=True)
class Detector:
    """An energy transformer on a graph: nodes are tokens, and each attends to its neighbours.

    A node's features enter by a linear map. Its first and its last outputs g, side by side, are mapped to one number.
    All nodes of a graph descend together, one energy for the whole graph.

    Parameters
    ----------
    block
        The energy transformer, without a mask: the adjacency takes that place.
    encoder, encoder_bias
        Axes ``(F, D)`` and ``(D,)``.
    readout, readout_bias
        Axes ``(2 D,)`` and ``()``.
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
    readout: torch.Tensor
    readout_bias: torch.Tensor
    step: float
    steps: int

    def __post_init__(self) -> None:
        features = self.block.queries.shape[-1]
        place: dict[str, Any] = {"device": self.block.queries.device, "dtype": self.block.queries.dtype}
        require_tensor("encoder", self.encoder, "inputs features", sizes={"features": features}, **place)
        require_tensor("encoder_bias", self.encoder_bias, "features", sizes={"features": features}, **place)
        require_tensor("readout", self.readout, "features", sizes={"features": 2 * features}, **place)
        require_tensor("readout_bias", self.readout_bias, "", **place)
        require_number("step", self.step, above=0.0)
        require_integer("steps", self.steps, at_least=1)

    def score(self, features: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """Log-odds that a node is an anomaly.

        Parameters
        ----------
        features
            Axes ``(N, F)``.
        adjacency
            Booleans ``(N, N)``: who is a neighbour of whom.

        Returns
        -------
        torch.Tensor
            Axes ``(N,)``, dimensionless.

        Raises
        ------
        ArgumentError
            If features or adjacency do not fit.
        """
        sizes = {"inputs": self.encoder.shape[0]}
        device, dtype = self.encoder.device, self.encoder.dtype
        require_tensor("features", features, "nodes inputs", sizes=sizes, device=device, dtype=dtype)
        _require_booleans(
            "adjacency", adjacency, "True for neighbours.", shape=(len(features), len(features)), device=device
        )
        return self._score(features, replace(self.block, mask=adjacency))

    def _score(self, features: torch.Tensor, block: EnergyTransformer) -> torch.Tensor:
        state = features @ self.encoder + self.encoder_bias
        first = block.norm.activation(state)
        for _ in range(self.steps):
            state = state + self.step * block._flow(state)
        return torch.cat([first, block.norm.activation(state)], dim=-1) @ self.readout + self.readout_bias


def random_detector(
    inputs: int,
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
) -> Detector:
    """A detector at the start of its training; see :class:`Detector` and :func:`random_transformer`.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, the step is not positive or ``rng`` is not a numpy generator.
    """
    require_integer("inputs", inputs, at_least=1)
    block = random_transformer(
        features, heads=heads, width=width, memories=memories, rng=rng, dtype=dtype, device=device
    )
    draw = _Draw(rng, dtype, device)
    return Detector(
        block,
        draw(1 / math.sqrt(inputs), inputs, features),
        draw.full(0.0, features),
        draw(1 / math.sqrt(2 * features), 2 * features),
        draw.full(0.0),
        step,
        steps,
    )


def train_detector(
    model: Detector,
    graph: PlantedGraph,
    known: torch.Tensor,
    *,
    epochs: int,
    rate: float,
    decay: float = 0.0,
) -> Detector:
    """Train by AdamW on the nodes whose label is known, the whole graph at every step, and return the detector.

    The loss is binary cross-entropy, in which anomalies weigh as much as the other nodes together.

    Parameters
    ----------
    model
        Where to start; left untouched.
    graph
        The graph with all its labels.
    known
        Booleans ``(N,)``: whose labels may be used; among them an anomaly and a node that is none.
    epochs
        Number of steps, at least 1.
    rate, decay
        Largest learning rate and weight decay of AdamW, positive and at least 0.

    Raises
    ------
    ArgumentError
        If the graph does not fit the model, no known node is an anomaly or all are, or a number is out of range.
    """
    shape, device = graph.anomalous.shape, graph.anomalous.device
    _require_booleans("known", known, "True where the label is known.", shape=shape, device=device)
    model.score(graph.features, graph.adjacency)  # refuses a graph that does not fit
    target = graph.anomalous[known].to(graph.features.dtype)
    if target.numel() == 0 or not 0 < target.sum() < len(target):
        raise ArgumentError("known", "an anomaly and a node that is none", f"{int(target.sum())} of {len(target)}")
    weight = (len(target) - target.sum()) / target.sum()

    def losses(current: Detector) -> Iterator[torch.Tensor]:
        score = current._score(graph.features, replace(current.block, mask=graph.adjacency))[known]
        yield functional.binary_cross_entropy_with_logits(score, target, pos_weight=weight)

    for trained, _ in _train(model, losses, 1, epochs=epochs, rate=rate, decay=decay):
        model = trained
    return model


def _train(
    model: Model,
    losses: Callable[[Model], Iterator[torch.Tensor]],
    steps: int,
    *,
    epochs: int,
    rate: float,
    decay: float,
) -> Iterator[tuple[Model, float]]:
    """Follow the losses of every epoch down by AdamW; yield a detached copy and the mean loss after each."""
    require_integer("epochs", epochs, at_least=1)
    require_number("rate", rate, above=0.0)
    require_number("decay", decay, at_least=0.0)
    leaves: list[torch.Tensor] = []

    def leaf(tensor: torch.Tensor) -> torch.Tensor:
        leaves.append(tensor.detach().clone().requires_grad_())
        return leaves[-1]

    current = _mapped(model, leaf)
    total = epochs * steps
    warm = max(1, total // 20)
    optimiser = torch.optim.AdamW(leaves, lr=rate, weight_decay=decay, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda k: min((k + 1) / warm, 0.01 + 0.99 * (1 + math.cos(math.pi * min(k / total, 1.0))) / 2),
    )
    for _ in range(epochs):
        found = []
        for loss in losses(current):
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(leaves, 1.0)
            optimiser.step()
            schedule.step()
            found.append(loss.detach())
        yield _mapped(current, lambda tensor: tensor.detach().clone()), torch.stack(found).mean().item()


def _mapped(model: Model, change: Callable[[torch.Tensor], torch.Tensor]) -> Model:
    """The model with every floating tensor changed, those of its parts included."""
    changed: dict[str, Any] = {}
    for field in fields(model):  # type: ignore[arg-type]
        value = getattr(model, field.name)
        if is_dataclass(value):
            changed[field.name] = _mapped(value, change)
        elif isinstance(value, torch.Tensor) and value.dtype.is_floating_point:
            changed[field.name] = change(value)
    return replace(model, **changed)  # type: ignore[type-var]


def _require_booleans(
    argument: str,
    value: torch.Tensor,
    cure: str,
    *,
    shape: tuple[int, ...] | None = None,
    device: torch.device | None = None,
) -> None:
    if not isinstance(value, torch.Tensor) or value.dtype != torch.bool:
        got = str(value.dtype) if isinstance(value, torch.Tensor) else type(value).__name__
        raise ArgumentError(argument, "a tensor of booleans", got, cure)
    if shape is not None and tuple(value.shape) != tuple(shape):
        raise ArgumentError(argument, f"shape {tuple(shape)}", f"shape {tuple(value.shape)}")
    if device is not None and value.device != device:
        raise ArgumentError(argument, f"device {device}", str(value.device), f"Move it with .to('{device}').")


def _require_divisor(size: int, side: int) -> None:
    require_integer("size", size, at_least=1, at_most=side)
    if side % size:
        raise ArgumentError("size", f"a divisor of the images' side {side}", str(size))
