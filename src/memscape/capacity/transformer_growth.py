r"""How an energy transformer grows: trained on more images, with more memories, wider, or with half a block.

An energy transformer of H heads of width Y, M memories and D features has :math:`D (2HY + M)` weights in its block: so
many *rows* of queries, keys and memories, each of D numbers. One image of N tokens with p pixels each costs it

.. math:: C = 4NDp + S \left[ 4ND(2HY + M) + 6N^2HY \right]

operations in S steps: every row is multiplied with every token twice, on the way in and on the way out, and three
products of all pairs of tokens make the attention. Equal work means equal C times the number of images seen.

Models of one shape are trained as one :class:`~memscape.tools.crowds.Crowd`, each on images of its own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_booleans,
    require_count,
    require_integer,
    require_kind,
    require_number,
    require_numbers,
    require_tensor,
)
from memscape.memory.completion import Completer, hidden_error, hide, random_completer
from memscape.tools import pieces
from memscape.tools.crowds import Crowd, crowd, mine, trained
from memscape.tools.sequences import require_rising

__all__ = [
    "Grown",
    "blank_completer",
    "completed",
    "ends_apart",
    "grow",
    "half_of_rise",
    "operations",
    "train_completers",
]

_FOLLOWED = 100  # own images whose descents are followed to their ends


@dataclass(frozen=True)
class Grown:
    """What became of completers that were trained side by side.

    Attributes
    ----------
    best
        Squared error of a hidden pixel of unseen images at the end of the stretch after which other unseen images were
        completed best, float64, axes ``(models,)``: early stopping.
    unseen, seen
        The same at the end of training, of unseen images and of the model's own.
    apart
        What :func:`ends_apart` finds for the model's own images, a hundred at most.
    """

    best: torch.Tensor
    unseen: torch.Tensor
    seen: torch.Tensor
    apart: torch.Tensor


def operations(tokens: int, pixels: int, features: int, *, heads: int, width: int, memories: int, steps: int) -> int:
    """Multiplications and additions of one image on its way through, C of the module's formula.

    Parameters
    ----------
    tokens, pixels, features
        N, p and D, at least 1.
    heads, width, memories
        H, Y and M; no heads or no memories leave that part of the block out.
    steps
        S, at least 1.

    Raises
    ------
    ArgumentError
        If a size is not an integer in its range.
    """
    for name, value in (("tokens", tokens), ("pixels", pixels), ("features", features), ("steps", steps)):
        require_count(name, value)
    _require_block(heads, width, memories)
    linear = 4 * tokens * features * (2 * heads * width + memories)
    return 4 * tokens * features * pixels + steps * (linear + 6 * tokens**2 * heads * width)


def blank_completer(
    tokens: int,
    pixels: int,
    features: int,
    *,
    heads: int,
    width: int,
    memories: int,
    steps: int,
    rng: np.random.Generator,
    step: float = 0.5,
    sharp: float = 4.0,
    places: float = 1.0,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Completer:
    """A completer at the start of its training, with whole block or half: one that finds its attention soon.

    It is :func:`memscape.memory.completion.random_completer` with longer queries, keys and vectors of places, so that a
    token can tell its neighbours from the first step on. A part that is left out has weights that are zero, and since
    its gradient is zero as well, training leaves them so.

    Parameters
    ----------
    tokens, pixels, features, width, steps
        N, p, D, Y and S, at least 1.
    heads, memories
        H and M; 0 leaves attention or memories out.
    rng
        A numpy generator.
    step
        Length of an Euler step, positive.
    sharp
        How many times longer than there queries and keys are, positive.
    places
        Standard deviation of the vectors of places, positive.
    dtype, device
        Of the weights.

    Raises
    ------
    ArgumentError
        If a number is out of range or ``rng`` is not a numpy generator.
    """
    _require_block(heads, width, memories)
    require_number("sharp", sharp, above=0.0, at_most=1e6)
    require_number("places", places, above=0.0, at_most=1e6)
    drawn = random_completer(
        tokens,
        pixels,
        features,
        heads=max(heads, 1),
        width=width if heads else 1,
        memories=max(memories, 1),
        step=step,
        steps=steps,
        rng=rng,
        dtype=dtype,
        device=device,
    )
    sharp, kept, longer = sharp if heads else 0.0, float(memories > 0), places / drawn.places.std().item()
    queries, keys = (sharp * weight for weight in (drawn.block.queries, drawn.block.keys))
    block = replace(drawn.block, queries=queries, keys=keys, memories=kept * drawn.block.memories)
    return replace(drawn, block=block, places=longer * drawn.places)


def train_completers(
    models: Crowd,
    patches: torch.Tensor,
    owned: Sequence[torch.Tensor],
    *,
    hidden: int,
    batch: int,
    steps: int,
    rate: float,
    decay: float = 0.05,
    stretches: int = 1,
    generator: torch.Generator,
) -> Iterator[Crowd]:
    """Train completers side by side, each on its own images; yield them after every stretch of the way.

    The loss is the squared error of the hidden pixels. Every step draws ``batch`` images with replacement for every
    model, and hides other patches of each. The rate is that of :func:`memscape.tools.training.warm_cosine`.

    Parameters
    ----------
    models
        A crowd of :class:`~memscape.memory.completion.Completer`; left untouched.
    patches
        All images, axes ``(images, N, pixels)``.
    owned
        For every model the numbers of its images, int64, axes ``(own images)``.
    hidden
        Number of patches hidden of each image, 1 to N.
    batch, steps
        Images in a step, and steps.
    rate, decay
        Largest learning rate and weight decay of AdamW, positive and at least 0.
    stretches
        In how many equal parts the way is cut, 1 to ``steps`` and a divisor of it.
    generator
        A CPU generator for what is drawn and what is hidden.

    Raises
    ------
    ArgumentError
        If the tensors do not fit each other or a number is out of range.
    """
    model = _require_completers(models)
    sizes = {"tokens": model.places.shape[0], "pixels": model.encoder.shape[0]}
    require_tensor(
        "patches", patches, "images tokens pixels", sizes=sizes, device=model.encoder.device, dtype=model.encoder.dtype
    )
    require_integer("hidden", hidden, at_least=1, at_most=sizes["tokens"])
    draw = mine(owned, len(models), of=len(patches), batch=batch, generator=generator)

    def loss(current: Crowd) -> torch.Tensor:
        some = patches[next(draw).to(patches.device)]
        covered = hide(some.shape[0] * batch, sizes["tokens"], hidden, generator=generator)
        return current.each(_loss, some, covered.view(some.shape[:3]).to(patches.device)).sum()

    return trained(
        models, loss, steps=steps, stretches=stretches, rate=rate, decay=decay, second=0.99, argument="patches"
    )


def _loss(model: Completer, patches: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    error = (_filled(model, patches, hidden, model.steps) - patches).square().mean(dim=-1)
    return (error * hidden).sum() / hidden.sum()


def _filled(model: Completer, patches: torch.Tensor, hidden: torch.Tensor, steps: int) -> torch.Tensor:
    return model._decode(model._settle(model._embed(patches, hidden), steps))


def completed(models: Crowd, patches: torch.Tensor, hidden: torch.Tensor, *, steps: int | None = None) -> torch.Tensor:
    """Squared error of the hidden pixels of every image, for every model: ``(models, images)``.

    Parameters
    ----------
    models
        A crowd of completers.
    patches
        Axes ``(images, N, pixels)``, the same images for all models, or ``(models, images, N, pixels)``.
    hidden
        Booleans ``(images, N)``, a hidden patch in every row.
    steps
        Euler steps; the models' own by default.

    Raises
    ------
    ArgumentError
        If the tensors do not fit the models, or nothing is hidden of an image.
    """
    patches, steps = _require_tests(models, patches, hidden, steps)
    found = []
    for rows in _rows(models, patches, hidden):
        truth = patches[:, rows]
        guesses = models.each(_settled(steps), truth, hidden[rows].expand(len(models), -1, -1))
        found.append(torch.stack([hidden_error(*each, hidden[rows]) for each in zip(guesses, truth, strict=True)]))
    return torch.cat(found, dim=1)


def ends_apart(models: Crowd, patches: torch.Tensor, hidden: torch.Tensor, *, steps: int) -> torch.Tensor:
    r"""How far two descents from one image end apart, over how far those from two images do: ``(models,)``.

    The first descent of an image starts with what ``hidden`` names hidden, the second with all the rest hidden. Where
    every image has an attractor of its own, both end there, and the ratio is 0; where the end depends on what was seen
    as much as on the image, it is 1. With the ends :math:`a_i` and :math:`b_i` of image i, as pixels,

    .. math:: r = \frac{\langle |a_i - b_i|^2 \rangle_i}{\langle |a_i - b_j|^2 \rangle_{i \ne j}} .

    Parameters
    ----------
    models
        A crowd of completers.
    patches
        Axes ``(images, N, pixels)`` or ``(models, images, N, pixels)``, two images or more.
    hidden
        Booleans ``(images, N)``, neither all true nor all false in any row.
    steps
        Euler steps.

    Raises
    ------
    ArgumentError
        If the tensors do not fit the models, there is one image, a row hides all or nothing, or all ends are the same.
    """
    patches, steps = _require_tests(models, patches, hidden, steps)
    if patches.shape[1] < 2:
        raise ArgumentError("patches", "two images or more", "one")
    if hidden.all(dim=-1).any():
        raise ArgumentError("hidden", "a visible patch in every row", "a row without one")
    ends = []
    for cue in (hidden, ~hidden):
        parts = [
            models.each(_settled(steps), patches[:, rows], cue[rows].expand(len(models), -1, -1))
            for rows in _rows(models, patches, hidden)
        ]
        ends.append(torch.cat(parts, dim=1).flatten(2).double())
    first, second = ends
    count = first.shape[1]
    same = (first - second).square().sum(dim=(1, 2))
    # Of all pairs i, j: the squares of both, less twice the product of the sums.
    every = count * (first.square().sum(dim=(1, 2)) + second.square().sum(dim=(1, 2)))
    every = every - 2 * (first.sum(dim=1) * second.sum(dim=1)).sum(dim=1)
    others = (every - same) / (count * (count - 1))
    if not (others > 0).all():
        raise ArgumentError("patches", "images whose ends differ", "the same end for all")
    return same / count / others


def grow(
    models: Crowd,
    patches: torch.Tensor,
    owned: Sequence[torch.Tensor],
    unseen: torch.Tensor,
    cue: torch.Tensor,
    *,
    hidden: int,
    batch: int,
    steps: int,
    rate: float,
    stretches: int,
    longer: int = 8,
    generator: torch.Generator,
) -> Grown:
    """Train completers side by side and measure what they make of images that they have seen and have not seen.

    Parameters
    ----------
    models, patches, owned, hidden, batch, steps, rate, stretches, generator
        As for :func:`train_completers`.
    unseen
        Images that no model owns, axes ``(images, N, pixels)``: the first third says when to stop, the others are
        measured. Three or more.
    cue
        What is hidden of these, and of own images, booleans ``(images, N)``; neither all nor nothing.
    longer
        How many times the models' own number of steps the descents of :func:`ends_apart` take, at least 1.

    Raises
    ------
    ArgumentError
        If the tensors do not fit, a number is out of range, or a model owns fewer than two images.
    """
    require_count("longer", longer)
    model = _require_completers(models)
    _require_tests(models, unseen, cue, None)
    if len(unseen) < 3:
        raise ArgumentError("unseen", "three images or more", str(len(unseen)))
    third, found = len(unseen) // 3, []
    for current in train_completers(
        models,
        patches,
        owned,
        hidden=hidden,
        batch=batch,
        steps=steps,
        rate=rate,
        stretches=stretches,
        generator=generator,
    ):
        error = completed(current, unseen, cue).double()
        found.append(torch.stack([error[:, :third].mean(dim=1), error[:, third:].mean(dim=1)]))
    judged, measured = torch.stack(found, dim=1)
    best = measured.gather(0, judged.argmin(dim=0, keepdim=True))[0]
    # A model with few images sees each of them several times, with other patches hidden.
    cue = cue[third:]
    own = torch.stack([patches[each[torch.arange(len(cue), device="cpu") % len(each)]] for each in owned])
    seen = completed(current, own, cue).double().mean(dim=1)
    apart = []
    for number, each in enumerate(owned):
        some = min(len(each), len(cue), _FOLLOWED)
        alone = crowd([current.member(number)])
        apart.append(ends_apart(alone, patches[each[:some]], cue[:some], steps=longer * model.steps))
    return Grown(best, measured[-1], seen, torch.cat(apart))


def half_of_rise(counts: Sequence[int], errors: Sequence[float]) -> float:
    """Number of images at which a rising error has made half of its way, from a line in the logarithm of the number.

    Parameters
    ----------
    counts
        Numbers of images, rising, two or more.
    errors
        The error at each; the last must be above the first.

    Returns
    -------
    float
        Where the error first reaches the middle between its first and its last value.

    Raises
    ------
    ArgumentError
        If the lengths differ, the counts do not rise, or the last error is not above the first.
    """
    require_rising("counts", counts, "two or more, rising", shortest=2)
    values = require_numbers("errors", errors, "one finite number a count")
    if values.shape != (len(counts),) or not np.isfinite(values).all():
        raise ArgumentError("errors", f"{len(counts)} finite numbers", f"shape {values.shape}")
    if not values[-1] > values[0]:
        raise ArgumentError("errors", "a last one above the first", f"{values[0]:g} to {values[-1]:g}")
    middle = (values[0] + values[-1]) / 2
    after = int((values >= middle).argmax())
    share = (middle - values[after - 1]) / (values[after] - values[after - 1])
    low, high = (math.log(counts[place]) for place in (after - 1, after))
    return math.exp(low + float(share) * (high - low))


class _settled:
    """What a completer makes of patches in a number of steps, all of them, as a function that vmap takes."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def __call__(self, model: Completer, patches: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        return _filled(model, patches, hidden, self.steps)


def _rows(models: Crowd, patches: torch.Tensor, hidden: torch.Tensor) -> Iterator[slice]:
    """Images to work on at once: each needs its scores, in every head of every model."""
    block = models.member(0).block
    tokens, entries = hidden.shape[-1], 4 * (2 * block.queries.shape[0] * block.queries.shape[1] + len(block.memories))
    each = patches.element_size() * len(models) * tokens * (entries + 4 * tokens * block.queries.shape[0])
    yield from pieces.slices(patches.shape[1], pieces.fitting(each))


def _require_block(heads: int, width: int, memories: int) -> None:
    require_count("heads", heads, at_least=0)
    require_count("width", width)
    require_count("memories", memories, at_least=0)


def _require_completers(models: Crowd) -> Completer:
    model: Completer = require_kind("models", require_kind("models", models, Crowd).member(0), Completer)
    return model


def _require_tests(
    models: Crowd, patches: torch.Tensor, hidden: torch.Tensor, steps: int | None
) -> tuple[torch.Tensor, int]:
    model = _require_completers(models)
    sizes = {"tokens": model.places.shape[0], "pixels": model.encoder.shape[0], "models": len(models)}
    shared = isinstance(patches, torch.Tensor) and patches.ndim == 3
    axes = "images tokens pixels" if shared else "models images tokens pixels"
    device, dtype = model.encoder.device, model.encoder.dtype
    require_tensor("patches", patches, axes, sizes=sizes, device=device, dtype=dtype)
    shape = (sizes["images"], sizes["tokens"])
    require_booleans("hidden", hidden, "True where hidden.", shape=shape, device=device)
    if not hidden.any(dim=-1).all():
        raise ArgumentError("hidden", "a hidden patch in every row", "a row without one")
    steps = require_integer("steps", model.steps if steps is None else steps, at_least=1, at_most=2**20)
    return patches.expand(len(models), *patches.shape[-3:]), steps
