r"""Softmax regression: flows to its minimum, and how long they are by Fisher's information.

The weights W of inputs x give the logits :math:`z = W^T x` and the probabilities :math:`p = \mathrm{softmax}(z)`. The
loss is the mean cross-entropy of the labels y and :math:`\lambda |W|^2 / 2`. Along a change :math:`\Delta` of the
weights the logits change by :math:`\delta = \Delta^T x`, and Fisher's information measures

.. math:: |\Delta|^2 = \Big\langle \sum_k p_k \delta_k^2 - \Big(\sum_k p_k \delta_k\Big)^2 \Big\rangle_x
          \quad\text{or}\quad \Big\langle \Big(\sum_k (p_k - y_k)\, \delta_k\Big)^2 \Big\rangle_{x, y} .

The first is the information of the model, the second the *empirical* one, which takes the labels that are there for
those that the model would draw. A constant input is the threshold.
"""

from __future__ import annotations

import torch

from memscape.arguments import ArgumentError, require_count, require_fit, require_labels, require_number, require_tensor

__all__ = ["descent", "fisher_lengths", "gradient", "information"]


def gradient(weights: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor, *, decay: float) -> torch.Tensor:
    r"""Gradient of the loss, :math:`\langle x\, (p - y)^T \rangle + \lambda W`.

    Parameters
    ----------
    weights
        W, axes ``(sets, inputs, classes)``.
    inputs
        x, axes ``(sets, images, inputs)``.
    labels
        Axes ``(sets, images)``, int64.
    decay
        Lambda, at least 0.

    Returns
    -------
    torch.Tensor
        Axes ``(sets, inputs, classes)``.

    Raises
    ------
    ArgumentError
        If axes, dtypes or values do not fit.
    """
    _require_labelled(weights, inputs, labels)
    require_number("decay", decay, at_least=0.0)
    surprise = require_fit("weights", inputs @ weights).softmax(dim=-1) - _one_hot(labels, weights)
    return require_fit("inputs", inputs.mT @ surprise / inputs.shape[1] + decay * weights)


def information(weights: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    r"""Fisher's information of the model, :math:`\langle x x^T \otimes (\mathrm{diag}\, p - p p^T) \rangle`.

    Parameters
    ----------
    weights, inputs
        As for :func:`gradient`.

    Returns
    -------
    torch.Tensor
        Axes ``(sets, inputs * classes, inputs * classes)``, for weights flattened from ``(inputs, classes)``. With the
        decay added to its diagonal it is the second derivative of the loss.

    Raises
    ------
    ArgumentError
        If axes or dtypes do not fit.
    """
    _require(weights, inputs)
    chance = require_fit("weights", inputs @ weights).softmax(dim=-1)
    sets, images, size = inputs.shape
    classes = weights.shape[2]
    # One product of inputs against inputs times what each pair of classes shares; a pair is the same either way round.
    first, second = torch.triu_indices(classes, classes, device=weights.device)
    spread = chance[..., first] * ((first == second).to(chance.dtype) - chance[..., second])
    scaled = (inputs[..., None] * spread[..., None, :]).flatten(2)
    found = (inputs.mT @ scaled).reshape(sets, size, size, -1) / images
    whole = weights.new_empty(sets, size, classes, size, classes)
    whole[:, :, first, :, second] = whole[:, :, second, :, first] = found.permute(3, 0, 1, 2)
    return require_fit("inputs", whole.reshape(sets, size * classes, size * classes))


def descent(
    weights: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor, *, decay: float, steps: int
) -> torch.Tensor:
    r"""Gradient descent with the step 1 / L, where L bounds the second derivative.

    :math:`L = \lambda + \lambda_{\max}(\langle x x^T \rangle) / 2`, since the covariance of one class out of several
    has no eigenvalue above 1/2 (Böhning 1992).

    Parameters
    ----------
    weights, inputs, labels, decay
        As for :func:`gradient`; the weights are where it starts.
    steps
        Number of steps, at least 1.

    Returns
    -------
    torch.Tensor
        Weights before the first step and after each: axes ``(sets, steps + 1, inputs, classes)``.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    _require_labelled(weights, inputs, labels)
    require_number("decay", decay, at_least=0.0)
    require_count("steps", steps, at_most=10**7)
    squares = require_fit("inputs", inputs.mT @ inputs / inputs.shape[1])
    size = torch.linalg.eigvalsh(squares)[:, -1, None, None] / 2 + decay
    path = [weights]
    for _ in range(steps):
        path.append(path[-1] - gradient(path[-1], inputs, labels, decay=decay) / size)
    return torch.stack(path, dim=1)


def fisher_lengths(path: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Length of a path by the information of the model, and by the empirical one.

    Each piece of the path is measured with the probabilities in its middle.

    Parameters
    ----------
    path
        Weights along it, axes ``(sets, points, inputs, classes)``, two points or more.
    inputs, labels
        As for :func:`gradient`.

    Returns
    -------
    tuple of two tensors
        Dimensionless, axes ``(sets,)``.

    Raises
    ------
    ArgumentError
        If axes, dtypes or values do not fit.
    """
    require_tensor("path", path, "sets points inputs classes")
    _require_labelled(path[:, 0], inputs, labels)
    if path.shape[1] < 2:
        raise ArgumentError("path", "two points or more", f"shape {tuple(path.shape)}")
    truth = _one_hot(labels, path)
    model = empirical = path.new_zeros(len(path))
    for before, after in zip(path[:, :-1].unbind(dim=1), path[:, 1:].unbind(dim=1), strict=True):
        chance = require_fit("path", inputs @ ((before + after) / 2)).softmax(dim=-1)
        change = inputs @ (after - before)
        mean = (chance * change).sum(dim=-1)
        model = model + ((chance * change.square()).sum(dim=-1) - mean.square()).clamp(min=0).mean(dim=-1).sqrt()
        empirical = empirical + (mean - (truth * change).sum(dim=-1)).square().mean(dim=-1).sqrt()
    return require_fit("path", model), require_fit("path", empirical)


def _one_hot(labels: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(labels, like.shape[-1]).to(like.dtype)


def _require_labelled(weights: torch.Tensor, inputs: torch.Tensor, labels: torch.Tensor) -> None:
    _require(weights, inputs)
    if not isinstance(labels, torch.Tensor) or labels.dtype != torch.int64 or labels.shape != inputs.shape[:2]:
        got = f"{labels.dtype}, {tuple(labels.shape)}" if isinstance(labels, torch.Tensor) else type(labels).__name__
        raise ArgumentError("labels", f"int64, shape {tuple(inputs.shape[:2])}", got)
    require_labels("labels", labels.flatten(), weights.device, at_least=0)
    if int(labels.max()) >= weights.shape[2]:
        raise ArgumentError("labels", f"classes below {weights.shape[2]}", f"{int(labels.max())}")


def _require(weights: torch.Tensor, inputs: torch.Tensor) -> None:
    sizes: dict[str, int] = {}
    require_tensor("weights", weights, "sets inputs classes", sizes=sizes)
    require_tensor("inputs", inputs, "sets images inputs", sizes=sizes, device=weights.device, dtype=weights.dtype)
