r"""Gradient descent as a dynamics of resources, with and without the threshold.

With the step :math:`\theta \mapsto \theta - \eta \nabla L(\theta)` as its only interaction, no input and no threshold,
Manin and Marcolli's second equation is gradient descent (Marcolli 2022). With the threshold on the weights it is
descent projected on weights that are not negative. Many networks of one hidden layer of rectified units are trained
side by side, each as if it were alone.
"""

from __future__ import annotations

import torch

from memscape.arguments import ArgumentError, require_count, require_fit, require_generator, require_number
from memscape.tools.perceptrons import Perceptrons, require_data

__all__ = ["descend", "random_perceptrons"]


def random_perceptrons(
    networks: int, inputs: int, hidden: int, classes: int, *, generator: torch.Generator
) -> Perceptrons:
    """Weights and biases uniform between plus and minus one over the square root of what a unit listens to; float64.

    Parameters
    ----------
    networks, inputs, hidden, classes
        Sizes, at least 1.
    generator
        On the CPU.

    Returns
    -------
    Perceptrons
        On the CPU.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    for name, size in (("networks", networks), ("inputs", inputs), ("hidden", hidden), ("classes", classes)):
        require_count(name, size, at_most=2**24)
    require_generator("generator", generator)

    def draw(fan: int, *shape: int) -> torch.Tensor:
        return (
            2 * torch.rand(networks, *shape, generator=generator, dtype=torch.float64, device=generator.device) - 1
        ) / fan**0.5

    return Perceptrons(
        draw(inputs, inputs, hidden), draw(inputs, hidden), draw(hidden, hidden, classes), draw(hidden, classes)
    )


def descend(
    model: Perceptrons, images: torch.Tensor, labels: torch.Tensor, order: torch.Tensor, *, rate: float, positive: bool
) -> Perceptrons:
    """Gradient descent on the mean cross-entropy, batch after batch.

    Parameters
    ----------
    model
        Where each network starts; left untouched.
    images
        Axes ``(images, inputs)``, of the dtype and on the device of the model.
    labels
        Axes ``(images,)``, int64, below the number of classes.
    order
        Which images are taken at each step, axes ``(steps, batch)``, int64. All networks see the same.
    rate
        Length of a step, positive.
    positive
        Whether every weight below 0 is put to 0 after each step. The start is not changed beforehand.

    Returns
    -------
    Perceptrons
        The networks after the last step.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or the descent leaves the finite numbers.
    """
    require_data(model, images, labels)
    if not isinstance(order, torch.Tensor) or order.dtype != torch.int64 or order.ndim != 2 or 0 in order.shape:
        shown = f"{order.dtype}, {tuple(order.shape)}" if isinstance(order, torch.Tensor) else type(order).__name__
        raise ArgumentError("order", "an int64 tensor with axes (steps, batch)", shown)
    if int(order.min()) < 0 or int(order.max()) >= len(images):
        raise ArgumentError(
            "order", f"integers from 0 to {len(images) - 1}", f"{int(order.min())} to {int(order.max())}"
        )
    require_number("rate", rate, above=0.0)
    if not isinstance(positive, bool):
        raise ArgumentError("positive", "a bool", type(positive).__name__)
    a, p, b, q = (each.clone() for each in model.parameters)
    targets = torch.nn.functional.one_hot(labels, b.shape[-1]).to(images)
    for batch in order.to(images.device):
        x = images[batch]
        hidden = (x @ a + p[:, None]).clamp_(min=0)
        # The derivative of the mean cross-entropy in the outputs is the softmax less the target.
        out = (torch.softmax(hidden @ b + q[:, None], dim=-1) - targets[batch]) / len(batch)
        back = (out @ b.mT).mul_(hidden > 0)
        b.baddbmm_(hidden.mT, out, alpha=-rate)
        q.sub_(out.sum(dim=1), alpha=rate)
        a.sub_(x.T @ back, alpha=rate)
        p.sub_(back.sum(dim=1), alpha=rate)
        if positive:
            a.clamp_(min=0)
            b.clamp_(min=0)
    return Perceptrons(*(require_fit("rate", each) for each in (a, p, b, q)))
