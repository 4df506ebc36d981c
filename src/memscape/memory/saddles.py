r"""A dense associative memory that is a mixture on the sphere, and the saddles of its loss (Theriault & Tantari 2025).

An image x is centred and normalised, so it is a point of the unit sphere in N dimensions; so is each of P memories
:math:`w^\mu`. Image and class y have the joint density, relative to the uniform one on the sphere,

.. math:: P(x, y) = \sum_{\mu=1}^{P} g_y^\mu \, \frac{e^{\beta w^\mu \cdot x}}{\Omega_N(\beta) / \Omega_N(0)} + g_y^0 .

The class weights g are not negative; they may have any total, by which P is divided. Row 0 of the formula (the last
row here) is a background unit that takes what no memory explains, and the last class, "none", takes what label
softening gives away. The loss is

.. math:: L = -\Big\langle \sum_y t_y \ln P(x, y) \Big\rangle, \qquad t_y = (1 - q)\,[y = y(x)] + \frac{q}{C + 1} .

With the share :math:`r_\mu(x) = \sum_y t_y g_y^\mu e^{\beta w^\mu \cdot x} / (P(x, y)\,\Omega_N(\beta)/\Omega_N(0))`
that a memory has in explaining an image, its gradients are
:math:`\partial L / \partial w^\mu = -\beta \langle r_\mu(x)\, x \rangle` and
:math:`\partial L / \partial g_y^\mu = -\langle t_y e^{\beta w^\mu \cdot x} / (P\,\Omega_N(\beta)/\Omega_N(0))\rangle`.
A critical point is therefore a solution of the saddle-point equations: every memory lies in the direction of the images
it explains, :math:`w^\mu = \langle r_\mu x \rangle / |\langle r_\mu x \rangle|`, and the gradient in g is a sum of a
term of the row and a term of the column, whose totals are kept.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from scipy.special import hyp0f1

from memscape.arguments import (
    ArgumentError,
    require_count,
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
from memscape.tools.models import Model

__all__ = [
    "Gradient",
    "Mixture",
    "Recipe",
    "critical_point",
    "duplicate",
    "gradient",
    "log_normaliser",
    "normalise",
    "random_mixture",
    "residual",
    "soften",
    "tangent",
    "train",
]

_SWEEPS = 10
"""Sinkhorn sweeps after every step; the authors' code makes as many."""


@dataclass(frozen=True)
class Mixture(Model):
    """Memories on the sphere with their class weights.

    Parameters
    ----------
    memories
        w, axes (P, N), unit vectors.
    weights
        g, axes (P + 1, C + 1), not negative; the last row is the background, the last column the class "none". Only
        ratios matter for the density; the total sets the pace at which weights are learned.
    beta
        Concentration of every memory, positive; dimensionless, since images and memories are unit vectors.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not match, or a value is out of its range.
    """

    memories: torch.Tensor
    weights: torch.Tensor
    beta: float

    def __post_init__(self) -> None:
        require_tensor("memories", self.memories, "memories neurons")
        rows = len(self.memories) + 1
        require_tensor(
            "weights",
            self.weights,
            "rows classes",
            values="nonnegative",
            sizes={"rows": rows},
            device=self.memories.device,
            dtype=self.memories.dtype,
        )
        require_number("beta", self.beta, above=0.0)

    @property
    def counts(self) -> torch.Tensor:
        """Total weight of every memory, and of the background last: axes (P + 1,)."""
        return self.weights.sum(dim=1)

    @property
    def priors(self) -> torch.Tensor:
        """Total weight of every class, and of "none" last: axes (C + 1,)."""
        return self.weights.sum(dim=0)

    def log_joint(self, images: torch.Tensor) -> torch.Tensor:
        """Logarithm of P(x, y) for every class, relative to the uniform density on the sphere.

        Parameters
        ----------
        images
            Axes (samples, N), unit vectors, dtype and device of the memories.

        Returns
        -------
        torch.Tensor
            Axes (samples, C + 1), dimensionless.

        Raises
        ------
        ArgumentError
            If the images do not fit the memories.
        """
        _require_images(images, self)
        inputs = (images @ self.memories.mT).mul_(self.beta).sub_(log_normaliser(self.beta, images.shape[1]))
        top = inputs.amax(dim=1, keepdim=True).clamp(min=0.0)
        joint = inputs.sub_(top).exp_() @ self.weights[:-1] + (-top).exp() * self.weights[-1]
        return joint.log() + (top - self.weights.sum().log())

    def classify(self, images: torch.Tensor) -> torch.Tensor:
        """The likeliest class of every image, "none" excluded: axes (samples,), int64."""
        return self.log_joint(images)[:, :-1].argmax(dim=1)

    def loss(self, images: torch.Tensor, targets: torch.Tensor) -> float:
        """Mean of minus t . ln P over the images, in nats; ``targets`` as :func:`soften` makes them."""
        _require_images(images, self)
        _require_targets(targets, images, self)
        return -(targets * self.log_joint(images)).sum(dim=1).mean().item()


@dataclass(frozen=True)
class Gradient:
    """Loss, its derivatives in memories (P, N) and weights (P + 1, C + 1), and the shares r (samples, P)."""

    loss: float
    memories: torch.Tensor
    weights: torch.Tensor
    shares: torch.Tensor


@dataclass(frozen=True)
class Recipe:
    r"""How to train, after the authors' code.

    Parameters
    ----------
    rate, momentum
        :math:`v \leftarrow p v - \eta \nabla L`, then :math:`w \leftarrow w + \eta v`: the rate acts twice, so that the
        step settles at :math:`\eta^2 / (1 - p)`. The authors take 0.1 and 0.99, a step of 1.
    batch
        Images in a step; theirs is 1000 of 54,000.

    Raises
    ------
    ArgumentError
        If a number is out of its range.
    """

    rate: float = 0.1
    momentum: float = 0.99
    batch: int = 1000

    def __post_init__(self) -> None:
        require_number("rate", self.rate, above=0.0)
        require_number("momentum", self.momentum, at_least=0.0, at_most=1.0)
        require_integer("batch", self.batch, at_least=1)

    def faster(self, factor: float) -> Recipe:
        """The same recipe with a step that is larger by the factor."""
        require_number("factor", factor, above=0.0)
        return replace(self, rate=self.rate * math.sqrt(factor))


def log_normaliser(beta: float, neurons: int, *, exact: bool = False) -> float:
    r"""Logarithm of :math:`\Omega_N(\beta) / \Omega_N(0)`, the mean of :math:`e^{\beta w \cdot x}` over the sphere.

    With :math:`\rho = \beta / (N - 2)` and :math:`R = \sqrt{1 + 4 \rho^2}` it is for large N

    .. math:: \Big(\frac N2 - 1\Big) \Big[R - 1 - \ln \frac{1 + R}{2}\Big] - \frac14 \ln(1 + 4 \rho^2) .

    off by less than 1 / (4 (N - 2)) whatever beta is. Exactly it is
    :math:`\Gamma(N/2)\,(2/\beta)^{N/2-1} I_{N/2-1}(\beta) = {}_0F_1(N/2; \beta^2/4)`. The Bessel function underflows at
    N = 784, the hypergeometric one does not.

    Parameters
    ----------
    beta
        Concentration, 0 to 1e300.
    neurons
        N, 3 to 2**53.
    exact
        Take the hypergeometric function instead of the expansion; it overflows for beta above some 700.

    Returns
    -------
    float
        Dimensionless, not negative but for the error of the expansion.

    Raises
    ------
    ArgumentError
        If a number is out of its range, or the exact mean is beyond a float.
    """
    require_number("beta", beta, at_least=0.0, at_most=1e300)
    require_integer("neurons", neurons, at_least=3, at_most=2**53)
    if exact:
        mean = float(hyp0f1(neurons / 2, (beta / 2) ** 2)) if beta < 1e6 else math.inf
        if not 1 <= mean < math.inf:
            raise ArgumentError(
                "beta", f"a mean within a float for {neurons} neurons", f"{beta:g}", "Take the expansion, exact=False."
            )
        return math.log(mean)
    slope = 2 * (beta / (neurons - 2))
    root = math.hypot(1.0, slope)
    above = slope * (slope / (1 + root))  # R - 1 without its cancellation
    return (neurons / 2 - 1) * (above - math.log1p(above / 2)) - 0.5 * math.log1p(above)


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Every image centred on its own mean and brought to length one; a constant image is refused.

    Parameters
    ----------
    images
        Axes (samples, N), finite.

    Returns
    -------
    torch.Tensor
        Same axes; the product of two of them is the correlation of their pixels.

    Raises
    ------
    ArgumentError
        If the images have other axes, or one of them is constant.
    """
    require_tensor("images", images, "samples neurons")
    centred = images - images.mean(dim=1, keepdim=True)
    length = centred.norm(dim=1, keepdim=True)
    if (length == 0).any():
        raise ArgumentError("images", "images that are not constant", "a constant one", "Leave it out.")
    return require_fit("images", centred / length)


def soften(digits: torch.Tensor, *, classes: int, softening: float, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    """Targets t: the class with weight 1 - q, and q spread evenly over all classes and "none".

    Parameters
    ----------
    digits
        Class of every image, integers below ``classes``, axes (samples,).
    classes
        C, at least 2.
    softening
        q, in (0, 1); 0.1 in the authors' code.
    dtype
        Of the result.

    Returns
    -------
    torch.Tensor
        Axes (samples, C + 1), rows summing to 1.

    Raises
    ------
    ArgumentError
        If the digits are not such integers or a number is out of range.
    """
    require_count("classes", classes, at_least=2)
    require_number("softening", softening, above=0.0, at_most=1.0)
    require_labels("digits", digits)
    require_dtype("dtype", dtype)
    require_room(digits=len(digits), classes=classes + 1)
    if digits.min() < 0 or digits.max() >= classes:
        raise ArgumentError("digits", f"classes 0 to {classes - 1}", f"{digits.min().item()} to {digits.max().item()}")
    hard = torch.nn.functional.one_hot(digits, classes + 1).to(dtype)
    return hard * (1 - softening) + softening / (classes + 1)


def _sinkhorn(weights: torch.Tensor, rows: torch.Tensor, columns: torch.Tensor, sweeps: int) -> torch.Tensor:
    """Scale rows and columns in turn until their sums are as wanted (Sinkhorn & Knopp 1967); rows come last.

    The limit is the nearest such matrix in the Kullback-Leibler sense, which is what a multiplicative step wants.
    """
    left = torch.ones_like(rows)
    for _ in range(sweeps):
        right = columns / (left @ weights)
        left = rows / (weights @ right)
    return weights * left[:, None] * right


def random_mixture(
    memories: int,
    centre: torch.Tensor,
    priors: torch.Tensor,
    *,
    beta: float,
    spread: float,
    background: float,
    rng: np.random.Generator,
) -> Mixture:
    """Memories around one direction with nearly even class weights: the start of training.

    Parameters
    ----------
    memories
        P, at least 1.
    centre
        Direction to start around, axes (N,), for instance the mean image.
    priors
        Shares of the classes, axes (C + 1,), positive.
    beta
        Concentration of the memories.
    spread
        Length of the random vector that is added to the unit vector along the centre, at least 0.
    background
        Weight of the background unit in units of that of one memory, positive. The authors' code takes P / P_max for
        a network that is to grow from P to P_max, so that it is 1 in the end.
    rng
        A numpy generator: it draws the same normal numbers on every machine.

    Returns
    -------
    Mixture
        With dtype and device of the centre. Every memory has the weight 1 in all. Class weights differ from even ones
        by a few per cent, at random, since even ones would be a critical point.

    Raises
    ------
    ArgumentError
        If a tensor does not fit or a number is out of range.
    """
    require_count("memories", memories)
    require_tensor("centre", centre, "neurons")
    require_room(memories=memories, neurons=centre.numel())
    require_tensor("priors", priors, "classes", values="nonnegative", dtype=centre.dtype, device=centre.device)
    require_number("spread", spread, at_least=0.0)
    require_number("background", background, above=0.0)
    require_rng("rng", rng)
    noise = torch.from_numpy(rng.normal(size=(memories, len(centre)))).to(centre)
    drawn = centre / centre.norm() + spread * noise / math.sqrt(len(centre))
    rows = torch.full((memories + 1,), 1.0, dtype=centre.dtype, device=centre.device)
    rows[-1] = background
    tilt = torch.from_numpy(rng.normal(0.0, 0.05, (memories + 1, len(priors)))).to(centre)
    return Mixture(
        drawn / drawn.norm(dim=1, keepdim=True),
        _sinkhorn(tilt.exp(), rows, priors * (rows.sum() / priors.sum()), 100),
        beta,
    )


def gradient(model: Mixture, images: torch.Tensor, targets: torch.Tensor) -> Gradient:
    """The loss and its derivatives, written out: two products of images and memories, and two thin ones.

    Parameters
    ----------
    model
        The memories.
    images
        Axes (samples, N), unit vectors.
    targets
        Axes (samples, C + 1), as :func:`soften` makes them.

    Returns
    -------
    Gradient
        Ordinary derivatives, constraints not yet respected.

    Raises
    ------
    ArgumentError
        If images or targets do not fit.
    """
    _require_images(images, model)
    _require_targets(targets, images, model)
    return _gradient(model.memories, model.weights, model.beta, images, targets)


def _gradient(
    memories: torch.Tensor, weights: torch.Tensor, beta: float, images: torch.Tensor, targets: torch.Tensor
) -> Gradient:
    # Memories before images, classes before both: so no product reads a matrix of memories by its columns, and none
    # has the few classes for its columns, which takes up to four times as long.
    offset = -log_normaliser(beta, memories.shape[1])
    inputs = memories @ images.mT
    top = (beta * inputs.amax(dim=0) + offset).clamp_(min=0.0)
    boltzmann = inputs.mul_(beta).add_(offset - top).exp_()
    floor = (-top).exp_()
    joint = (weights[:-1].mT @ boltzmann).addcmul_(weights[-1][:, None], floor)
    ratio = targets.mT / joint
    loss = weights.sum().log() - (targets.mT * (joint.log() + top)).sum() / len(images)
    of_weights = torch.cat([(ratio @ boltzmann.mT).mT, (ratio @ floor)[None]]).div_(-len(images))
    shares = boltzmann.mul_(weights[:-1] @ ratio)
    return Gradient(loss.item(), (shares @ images).mul_(-beta / len(images)), of_weights, shares.mT)


def train(
    model: Mixture,
    images: torch.Tensor,
    targets: torch.Tensor,
    recipe: Recipe,
    *,
    epochs: int,
    generator: torch.Generator,
) -> Iterator[Mixture]:
    """Train by projected gradients for the memories and multiplicative steps for the weights; yield every epoch.

    A memory moves along the part of the gradient that is tangent to the sphere and is brought back to length one. The
    logarithms of the weights move along minus the gradient, and Sinkhorn sweeps restore the totals of rows and columns
    that the model came with.

    Parameters
    ----------
    model
        Where to start; left untouched.
    images, targets
        Axes (samples, N) and (samples, C + 1).
    recipe
        Rate, momentum and batch.
    epochs
        Number of epochs, at least 1.
    generator
        A CPU generator for the order of the images.

    Yields
    ------
    Mixture
        After every epoch.

    Raises
    ------
    ArgumentError
        If images or targets do not fit, or the batch exceeds the images.
    """
    _require_images(images, model)
    _require_targets(targets, images, model)
    require_count("epochs", epochs)
    require_kind("recipe", recipe, Recipe)
    require_integer("batch", recipe.batch, at_least=1, at_most=len(images))
    require_generator("generator", generator)
    return _train(model, images, targets, recipe, epochs, generator)


def _train(
    model: Mixture,
    images: torch.Tensor,
    targets: torch.Tensor,
    recipe: Recipe,
    epochs: int,
    generator: torch.Generator,
) -> Iterator[Mixture]:
    memories, weights = model.memories.clone(), model.weights
    rows, columns = model.counts, model.priors
    moving, turning = torch.zeros_like(memories), torch.zeros_like(weights)
    for _ in range(epochs):
        order = torch.randperm(len(images), generator=generator, device="cpu").to(images.device)
        for batch in order.split(recipe.batch)[: len(images) // recipe.batch]:
            slope = _gradient(memories, weights, model.beta, images[batch], targets[batch])
            along = torch.linalg.vecdot(slope.memories, memories)
            slope.memories.addcmul_(memories, along[:, None], value=-1.0)
            moving.mul_(recipe.momentum).sub_(slope.memories, alpha=recipe.rate)
            turning.mul_(recipe.momentum).sub_(_centred(slope.weights, weights), alpha=recipe.rate)
            memories.add_(moving, alpha=recipe.rate)
            memories.div_(torch.linalg.vector_norm(memories, dim=1, keepdim=True))
            weights = _sinkhorn(weights * (recipe.rate * turning).exp_(), rows, columns, _SWEEPS)
        yield replace(model, memories=memories.clone(), weights=weights)


def _centred(slope: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Slope less its mean in every row under the weights: what a change of the row's total would cost."""
    return slope - ((slope * weights).sum(dim=1) / weights.sum(dim=1))[:, None]


def tangent(vectors: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """The part of every vector along the sphere at its point, both ``(P, N)``, the points of length one."""
    require_tensor("points", points, "memories neurons")
    require_tensor("vectors", vectors, "memories neurons", device=points.device, dtype=points.dtype)
    if vectors.shape != points.shape:
        raise ArgumentError("vectors", f"shape {tuple(points.shape)}, as the points", f"shape {tuple(vectors.shape)}")
    return require_fit("points", vectors - (vectors * points).sum(dim=1, keepdim=True) * points)


def _tangent(slope: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Velocity of the weights under multiplicative descent that keeps all row and column totals: -g (dL/dg - a - b)."""
    rows, columns = weights.sum(dim=1), weights.sum(dim=0)
    # The best a (rows) and b (columns) in the mean square under the weights; one constant is free, hence the pinv.
    system = torch.cat([torch.cat([rows.diag(), weights], dim=1), torch.cat([weights.mT, columns.diag()], dim=1)])
    force = slope * weights
    dual = torch.linalg.pinv(system, hermitian=True) @ torch.cat([force.sum(dim=1), force.sum(dim=0)])
    return -weights * (slope - dual[: len(rows), None] - dual[len(rows) :])


def residual(model: Mixture, images: torch.Tensor, targets: torch.Tensor) -> float:
    """How far a model is from a critical point: the largest entry of its gradients along the constraints.

    For the memories that is the gradient tangent to the sphere; for the weights the velocity of a multiplicative
    descent that keeps the totals of rows and columns.

    Parameters
    ----------
    model, images, targets
        As for :func:`gradient`.

    Returns
    -------
    float
        0 at a critical point.

    Raises
    ------
    ArgumentError
        If images or targets do not fit.
    """
    slope = gradient(model, images, targets)
    turning = tangent(slope.memories, model.memories)
    return max(turning.abs().max().item(), _tangent(slope.weights, model.weights).abs().max().item())


def critical_point(
    model: Mixture, images: torch.Tensor, targets: torch.Tensor, *, steps: int, tolerance: float, rate: float = 1.0
) -> Mixture:
    r"""Solve the saddle-point equations by iteration.

    Every memory goes to the direction of the images it explains,
    :math:`w^\mu \leftarrow \langle r_\mu x \rangle / |\langle r_\mu x \rangle|`, and every weight makes a
    multiplicative step :math:`g \leftarrow g \, e^{-\eta G \partial L / \partial g}`, G the total of g, followed by
    Sinkhorn sweeps. This
    is expectation maximisation with a cautious second half: a fixed point is a critical point of the loss.

    Parameters
    ----------
    model
        Where to start.
    images, targets
        Axes (samples, N) and (samples, C + 1); float64 for tolerances below 1e-6.
    steps
        Largest number of steps, at least 1.
    tolerance
        Stop when neither memories nor weights change by more in a step.
    rate
        :math:`\eta`, positive.

    Returns
    -------
    Mixture
        The last iterate, converged or not; ask :func:`residual`.

    Raises
    ------
    ArgumentError
        If images or targets do not fit or a number is out of range.
    """
    _require_images(images, model)
    _require_targets(targets, images, model)
    require_count("steps", steps)
    require_number("tolerance", tolerance, above=0.0)
    require_number("rate", rate, above=0.0)
    memories, weights, rows, columns = model.memories, model.weights, model.counts, model.priors
    total = weights.sum()
    for _ in range(steps):
        slope = _gradient(memories, weights, model.beta, images, targets)
        turned = -slope.memories / slope.memories.norm(dim=1, keepdim=True)
        turning = (-rate * total) * _centred(slope.weights, weights)
        scaled = _sinkhorn(weights * turning.exp(), rows, columns, _SWEEPS)
        change = torch.maximum((turned - memories).abs().max(), (scaled - weights).abs().max())
        memories, weights = turned, scaled
        if change < tolerance:
            break
    return replace(model, memories=memories, weights=weights)


def duplicate(model: Mixture) -> Mixture:
    """Every memory twice, each copy with half of the weights: the same density from twice the memories.

    Raises
    ------
    ArgumentError
        Never for a valid model.
    """
    require_kind("model", model, Mixture)
    halves = model.weights[:-1] / 2
    return replace(
        model,
        memories=torch.cat([model.memories, model.memories]),
        weights=torch.cat([halves, halves, model.weights[-1:]]),
    )


def _require_images(images: torch.Tensor, model: Mixture) -> None:
    require_kind("model", model, Mixture)
    memories = model.memories
    require_tensor(
        "images",
        images,
        "samples neurons",
        sizes={"neurons": memories.shape[1]},
        device=memories.device,
        dtype=memories.dtype,
    )


def _require_targets(targets: torch.Tensor, images: torch.Tensor, model: Mixture) -> None:
    require_tensor(
        "targets",
        targets,
        "samples classes",
        values="nonnegative",
        sizes={"samples": len(images), "classes": model.weights.shape[1]},
        device=model.memories.device,
        dtype=model.memories.dtype,
    )
