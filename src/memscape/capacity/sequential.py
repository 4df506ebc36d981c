r"""Regression tasks one after the other: what the next fit takes from the last, exactly.

A task is a matrix X of inputs, and a solution :math:`w^*` of length 1 that all tasks share says what is asked,
:math:`y = X w^*`. Fitting a task by least squares from where the last one ended moves the weights as little as
possible: the error :math:`e = w - w^*` loses its part in the rows of X and keeps the rest,

.. math:: e \leftarrow (1 - X^+ X)\, e, \qquad e_0 = -w^* .

The forgetting after k fits is the mean over them of :math:`|X_{\tau(t)} e_k|^2`, with the task :math:`\tau(t)` fitted
at step t. (Evron, Moroshko, Ward, Srebro & Soudry 2022.) For two tasks with one input each at an angle t, what the
task that was not fitted last has lost is at worst

.. math:: \cos^{2(k-1)} t \, \sin^2 t .
"""

from __future__ import annotations

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_fit,
    require_integer,
    require_number,
    require_rng,
    require_room,
    require_tensor,
)

__all__ = ["cyclic_bound", "cyclic_forgetting", "descend", "fit", "tasks_at_random", "two_task_loss"]

_MOST = 10**5  # fits that are followed


def two_task_loss(angle: torch.Tensor, fits: int = 2) -> torch.Tensor:
    r"""What the task not fitted last has lost at worst: :math:`\cos^{2(k-1)} t \, \sin^2 t` after k fits in turn.

    Parameters
    ----------
    angle
        t in radians, any shape.
    fits
        k, at least 2.

    Returns
    -------
    torch.Tensor
        Squared error in [0, 1] for a solution of length 1, axes of the angle.

    Raises
    ------
    ArgumentError
        If the angles are not finite or there are fewer than two fits.
    """
    require_tensor("angle", angle, "...")
    require_integer("fits", fits, at_least=2, at_most=_MOST)
    return angle.cos().square() ** (fits - 1) * angle.sin().square()


def fit(inputs: torch.Tensor, errors: torch.Tensor) -> torch.Tensor:
    """The error of the weights after a least-squares fit of one task: its part in the rows of the inputs is gone.

    Parameters
    ----------
    inputs
        Axes ``(*G, examples, dimensions)``.
    errors
        Weights minus solution, axes ``(*G, dimensions)``, same dtype and device.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, dimensions)``.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    _require_pair(inputs, errors)
    rows = _rows(inputs)
    return require_fit("errors", errors - ((errors[..., None, :] @ rows.mT) @ rows)[..., 0, :])


def descend(inputs: torch.Tensor, errors: torch.Tensor, *, small: float = 1e-10, steps: int = 10000) -> torch.Tensor:
    """The same by gradient descent, until the largest error on an example is small.

    Parameters
    ----------
    inputs, errors
        As for :func:`fit`.
    small
        Largest error on any example at which descent ends, positive.
    steps
        Most steps. A step is half of one over the largest squared singular value of the inputs.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, dimensions)``.

    Raises
    ------
    ArgumentError
        If axes or values do not fit, or the errors are still larger after so many steps.
    """
    _require_pair(inputs, errors)
    require_number("small", small, above=0.0)
    require_integer("steps", steps, at_least=1, at_most=10**6)
    largest = inputs.abs().amax(dim=(-2, -1), keepdim=True)
    scaled = inputs / torch.where(largest > 0, largest, 1.0)
    rate = 0.5 / torch.linalg.matrix_norm(scaled, 2).square().clamp(min=1e-30)[..., None]
    found = errors.clone()
    for _ in range(steps):
        missed = (scaled @ found[..., None])[..., 0]
        if (missed * largest[..., 0]).abs().max() <= small:
            return found
        found -= rate * (missed[..., None, :] @ scaled)[..., 0, :]
    missed = (scaled @ found[..., None])[..., 0] * largest[..., 0]
    if missed.abs().max() > small:
        got = f"{missed.abs().max():.2g}"
        raise ArgumentError("steps", f"enough for errors of {small:g}", got, "Take more steps or a larger error.")
    return found


def tasks_at_random(sets: int, tasks: int, dimensions: int, *, tilt: float, rng: np.random.Generator) -> torch.Tensor:
    r"""Sets of tasks with random inputs, from independent ones to tasks that differ by a slight turn.

    Each set draws a rank r from 1 to d - 1 that its tasks share, a frame of r directions, and turns it for every task:
    rows are orthonormal and span what the frame plus a normal matrix of size tilt spans. The largest singular value is
    1; the others of a task are drawn from (0, 1].

    Parameters
    ----------
    sets, tasks
        Number of sets, and of tasks T in each.
    dimensions
        d, at least 2.
    tilt
        Size of the turn, positive: 0.1 gives tasks that are nearly parallel, 100 independent ones.
    rng
        A numpy generator.

    Returns
    -------
    torch.Tensor
        float64, axes ``(sets, tasks, d - 1, d)``; a task of smaller rank has rows of zeros.

    Raises
    ------
    ArgumentError
        If a size or the tilt is out of range.
    """
    for name, size, least in (("sets", sets, 1), ("tasks", tasks, 1), ("dimensions", dimensions, 2)):
        require_count(name, size, at_least=least)
    require_room(sets=sets, tasks=tasks, dimensions=dimensions, rows=dimensions)
    if sets * tasks * dimensions**3 > 10**9:
        raise ArgumentError("sets", "sets x tasks x dimensions^3 up to 10^9", f"{sets} x {tasks} x {dimensions}^3")
    require_number("tilt", tilt, above=0.0, at_most=1e100)
    require_rng("rng", rng)
    ranks = rng.integers(1, dimensions, sets)
    frame = rng.standard_normal((sets, 1, dimensions, dimensions - 1))
    turned = frame + tilt * rng.standard_normal((sets, tasks, dimensions, dimensions - 1))
    rows = np.linalg.qr(turned)[0].swapaxes(-1, -2)
    values = 1.0 - rng.random((sets, tasks, dimensions - 1))
    values[..., 0] = 1.0
    values *= np.arange(dimensions - 1) < ranks[:, None, None]
    return torch.from_numpy(values[..., None] * rows)


def cyclic_forgetting(inputs: torch.Tensor, fits: int) -> torch.Tensor:
    r"""Forgetting after 1, 2, ..., k fits in cyclic order, for the solution of length 1 that suffers most.

    After k fits the errors are a matrix times the solution, and the mean loss over the k tasks fitted is a quadratic
    form of it. Its largest eigenvalue is the worst case, so that no solution has to be tried.

    Parameters
    ----------
    inputs
        Axes ``(*G, tasks, examples, dimensions)``.
    fits
        k, at least 1.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, fits)``, not negative.

    Raises
    ------
    ArgumentError
        If axes or values do not fit.
    """
    require_tensor("inputs", inputs, "... tasks examples dimensions")
    _require_wide(inputs)
    require_integer("fits", fits, at_least=1, at_most=_MOST)
    tasks, dimensions = inputs.shape[-3], inputs.shape[-1]
    rows = _rows(inputs)
    squares = require_fit("inputs", inputs.mT @ inputs)
    left = torch.eye(dimensions, dtype=inputs.dtype, device=inputs.device).expand(*inputs.shape[:-3], -1, -1)
    seen, worst = torch.zeros_like(squares[..., 0, :, :]), []
    for k in range(fits):
        task = k % tasks
        basis = rows[..., task, :, :]
        left = left - basis.mT @ (basis @ left)
        seen = seen + squares[..., task, :, :]
        form = left.mT @ (seen / (k + 1)) @ left
        worst.append(torch.linalg.eigvalsh((form + form.mT) / 2)[..., -1].clamp(min=0))
    return require_fit("inputs", torch.stack(worst, dim=-1))


def cyclic_bound(tasks: int, dimensions: int, fits: int) -> torch.Tensor:
    r"""The bound :math:`T^2 \min(1/\sqrt k, d/k)` for k = 1, ..., ``fits`` (Evron et al. 2022, abstract).

    Parameters
    ----------
    tasks, dimensions, fits
        T, d and the largest k, positive.

    Returns
    -------
    torch.Tensor
        float64, axes ``(fits)``.

    Raises
    ------
    ArgumentError
        If one of them is not a positive integer.
    """
    require_count("tasks", tasks)
    require_count("dimensions", dimensions)
    require_integer("fits", fits, at_least=1, at_most=10**7)
    k = torch.arange(1, fits + 1, dtype=torch.float64, device="cpu")
    return float(tasks) ** 2 * torch.minimum(k.rsqrt(), dimensions / k)


def _rows(inputs: torch.Tensor) -> torch.Tensor:
    """Orthonormal rows that span those of the inputs, and zeros: axes of the inputs with at most d rows."""
    largest = inputs.abs().amax(dim=(-2, -1), keepdim=True)
    _, sizes, rows = torch.linalg.svd(inputs / torch.where(largest > 0, largest, 1.0), full_matrices=False)
    precision = max(inputs.shape[-2:]) * torch.finfo(inputs.dtype).eps
    return rows * (sizes > precision * sizes[..., :1])[..., None]


def _require_pair(inputs: torch.Tensor, errors: torch.Tensor) -> None:
    sizes: dict[str, int] = {}
    require_tensor("inputs", inputs, "... examples dimensions", sizes=sizes)
    require_tensor("errors", errors, "... dimensions", sizes=sizes, device=inputs.device, dtype=inputs.dtype)
    _require_wide(inputs)
    if errors.shape[:-1] != inputs.shape[:-2]:
        raise ArgumentError("errors", f"leading axes {tuple(inputs.shape[:-2])}", f"shape {tuple(errors.shape)}")


def _require_wide(inputs: torch.Tensor) -> None:
    if inputs.element_size() < 4:
        raise ArgumentError("inputs", "float32 or float64", str(inputs.dtype), "Convert it with .double().")
