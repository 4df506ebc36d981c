r"""Normal distributions as a space with distances: geodesics, and the two kinds of straight line beside them.

A normal distribution has a mean :math:`\mu` and a deviation :math:`\sigma > 0`. Fisher's information makes a length of

.. math:: ds^2 = \frac{d\mu^2 + 2\, d\sigma^2}{\sigma^2} ,

so that the half-plane :math:`(\mu / \sqrt 2, \sigma)` is the hyperbolic plane with all lengths times
:math:`\sqrt 2` (Costa, Santos & Strapasson 2015). Three paths lead from one distribution to another. Each mixes, in
shares that add up in its own way, two numbers that determine the distribution:

* the mixture path :math:`\mu` and :math:`\mu^2 + \sigma^2`, the expectation parameters, linearly;
* the exponential path :math:`\mu / \sigma^2` and :math:`1 / \sigma^2`, the natural parameters, linearly;
* the geodesic :math:`\mu / \sigma` and :math:`1 / \sigma`, with the weights
  :math:`\sinh((1-t)\delta) / \sinh \delta` and :math:`\sinh(t \delta) / \sinh \delta`, where :math:`\sqrt 2\, \delta`
  is the distance. (With :math:`x = \mu / \sqrt 2` points of the hyperbolic plane are vectors
  :math:`(1, x, x^2 + \sigma^2) / \sigma` on a hyperboloid, and a geodesic is where a plane through the origin cuts it.)

A distribution is a tensor whose last axis holds mean and deviation, in the units of the variable.
"""

from __future__ import annotations

import math

import torch

from memscape.arguments import ArgumentError, require_broadcast, require_fit, require_tensor
from memscape.tools import pieces

__all__ = ["distance", "divergence", "exponential_path", "farthest", "geodesic", "length", "metric", "mixture_path"]


def metric(points: torch.Tensor) -> torch.Tensor:
    r"""Fisher's information in mean and deviation: diagonal, :math:`1/\sigma^2` and :math:`2/\sigma^2`.

    Parameters
    ----------
    points
        Mean and deviation, axes ``(..., 2)``.

    Returns
    -------
    torch.Tensor
        Axes ``(..., 2, 2)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit or a deviation is not positive.
    """
    _require_normals("points", points)
    both = points.new_tensor([1.0, 2.0]) / points[..., 1:].square()
    return require_fit("points", torch.diag_embed(both))


def distance(starts: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    r"""Fisher's distance, the length of the shortest path.

    .. math:: 2 \sqrt 2\, \mathrm{arsinh} \sqrt{x / 2}, \qquad
              x = \frac{(\Delta\mu)^2 / 2 + (\Delta\sigma)^2}{2 \sigma_1 \sigma_2}

    This is :math:`\sqrt 2\, \mathrm{arcosh}(1 + x)`, written so that no digits of small distances are lost.

    Parameters
    ----------
    starts, ends
        Mean and deviation, axes ``(..., 2)`` that broadcast.

    Returns
    -------
    torch.Tensor
        Dimensionless, at least 0, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit or a deviation is not positive.
    """
    return math.sqrt(2) * _hyperbolic(*_pair(starts, ends))


def divergence(laws: torch.Tensor, models: torch.Tensor) -> torch.Tensor:
    r"""What is lost by taking a model for the law, in nats.

    .. math:: \ln \frac{\sigma_2}{\sigma_1} + \frac{\sigma_1^2 + (\mu_1 - \mu_2)^2}{2 \sigma_2^2} - \frac 12 .

    Parameters
    ----------
    laws, models
        Mean and deviation of the first and of the second distribution, axes ``(..., 2)`` that broadcast.

    Returns
    -------
    torch.Tensor
        At least 0, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit or a deviation is not positive.
    """
    (mean, deviation), (other, wide) = (each.unbind(dim=-1) for each in _pair(laws, models))
    ratio = deviation / wide
    return require_fit("models", (ratio.square() - 1 + ((mean - other) / wide).square()) / 2 - ratio.log())


def mixture_path(starts: torch.Tensor, ends: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Distributions whose mean and mean square are mixed linearly.

    Parameters
    ----------
    starts, ends
        Mean and deviation, axes ``(..., 2)`` that broadcast.
    shares
        How much of the end, from 0 to 1, axes ``(shares,)``.

    Returns
    -------
    torch.Tensor
        Axes ``(..., shares, 2)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit, a deviation is not positive or a share is not from 0 to 1.
    """
    (mean, deviation), (other, wide), share = _ends(starts, ends, shares)
    between = torch.lerp(mean, other, share)
    # The variance of a mixture is the mean variance and the variance of the means.
    variance = torch.lerp(deviation.square(), wide.square(), share) + share * (1 - share) * (other - mean).square()
    return require_fit("ends", torch.stack([between, variance.sqrt()], dim=-1))


def exponential_path(starts: torch.Tensor, ends: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Distributions whose natural parameters are mixed linearly, so that logarithms of densities are.

    Parameters, result and errors as for :func:`mixture_path`.
    """
    (mean, deviation), (other, wide), share = _ends(starts, ends, shares)
    old, new = (1 - share) / deviation.square(), share / wide.square()
    return require_fit("ends", torch.stack([(old * mean + new * other) / (old + new), (old + new).rsqrt()], dim=-1))


def geodesic(starts: torch.Tensor, ends: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
    """Distributions along the shortest path, at shares of its length.

    Parameters, result and errors as for :func:`mixture_path`.
    """
    (mean, deviation), (other, wide), share = _ends(starts, ends, shares)
    apart = _hyperbolic(*_pair(starts, ends))[..., None]
    near = apart < 1e-7  # there sinh(t d) / sinh(d) is t to rounding
    safe = torch.where(near, 1.0, apart)
    old, new = (
        torch.where(near, part, torch.exp((part - 1) * safe) * torch.expm1(-2 * part * safe) / torch.expm1(-2 * safe))
        / one
        for part, one in ((1 - share, deviation), (share, wide))
    )
    return require_fit("ends", torch.stack([(old * mean + new * other) / (old + new), 1 / (old + new)], dim=-1))


def length(points: torch.Tensor) -> torch.Tensor:
    """Length of a path through points: the sum of the distances from each to the next.

    Parameters
    ----------
    points
        Mean and deviation, axes ``(..., points, 2)``, two points or more.

    Returns
    -------
    torch.Tensor
        Dimensionless, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If there are fewer than two points, the axes do not fit or a deviation is not positive.
    """
    _require_normals("points", points, "... points 2")
    if points.shape[-2] < 2:
        raise ArgumentError("points", "two points or more", f"shape {tuple(points.shape)}")
    return distance(points[..., :-1, :], points[..., 1:, :]).sum(dim=-1)


def farthest(points: torch.Tensor, path: torch.Tensor) -> torch.Tensor:
    """The largest distance of a point from the nearest of the points of a path.

    Parameters
    ----------
    points, path
        Mean and deviation, axes ``(..., points, 2)`` and ``(..., path, 2)`` with the same axes in front.

    Returns
    -------
    torch.Tensor
        Dimensionless, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit or a deviation is not positive.
    """
    _require_normals("points", points, "... points 2")
    _require_normals("path", path, "... path 2", points)
    if points.shape[:-2] != path.shape[:-2]:
        raise ArgumentError("path", f"axes in front {tuple(points.shape[:-2])}", f"shape {tuple(path.shape)}")
    each = 8 * 4 * path[..., 0].numel()
    nearest = [
        distance(points[..., part, None, :], path[..., None, :, :]).amin(dim=-1)
        for part in pieces.slices(points.shape[-2], pieces.fitting(each))
    ]
    return torch.cat(nearest, dim=-1).amax(dim=-1)


def _hyperbolic(starts: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    (mean, deviation), (other, wide) = starts.unbind(dim=-1), ends.unbind(dim=-1)
    # Divided before squared, so that neither small nor large deviations leave the range.
    geometric = 2 * deviation.sqrt() * wide.sqrt()
    return require_fit(
        "ends", 2 * torch.asinh(torch.hypot((other - mean) / math.sqrt(2), wide - deviation) / geometric)
    )


def _require_normals(argument: str, value: torch.Tensor, axes: str = "... 2", like: torch.Tensor | None = None) -> None:
    device, dtype = (None, None) if like is None else (like.device, like.dtype)
    require_tensor(argument, value, axes, sizes={"2": 2}, device=device, dtype=dtype)
    if not bool((value[..., 1] > 0).all()):
        raise ArgumentError(argument, "deviations > 0", "others")


def _pair(starts: torch.Tensor, ends: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    _require_normals("starts", starts)
    _require_normals("ends", ends, like=starts)
    require_broadcast("ends", tuple(starts.shape), tuple(ends.shape))
    return starts, ends


def _ends(starts: torch.Tensor, ends: torch.Tensor, shares: torch.Tensor) -> tuple[tuple, tuple, torch.Tensor]:
    """Mean and deviation of both ends with an axis for the shares, and the shares."""
    _pair(starts, ends)
    require_tensor("shares", shares, "shares", values="nonnegative", device=starts.device, dtype=starts.dtype)
    if float(shares.max()) > 1:
        raise ArgumentError("shares", "numbers from 0 to 1", f"{float(shares.max()):g}")
    mean, deviation = starts[..., None, :].unbind(dim=-1)
    other, wide = ends[..., None, :].unbind(dim=-1)
    return (mean, deviation), (other, wide), shares
