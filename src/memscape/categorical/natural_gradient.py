r"""Natural gradient: its flow, single steps of it, and families of laws on finitely many states.

The flow is :math:`\dot z = -G(z)^{-1} \nabla f(z)`. G is Fisher's information in the coordinates z (Amari 1998). The
flow does not depend on the coordinates, a step of finite size does (:func:`arrival`).

A family on finitely many states s has the features :math:`T_{sj}` and the laws
:math:`p_\theta(s) = e^{T_s \cdot \theta - A(\theta)}`. The means :math:`\eta = \nabla A` of the features and the
parameters :math:`\theta` are the two straight coordinates of it, and :math:`G = \nabla^2 A` is the covariance of the
features. With the products of all pairs of units for features it is a Boltzmann machine, with the states themselves
all laws.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from scipy.integrate import solve_ivp

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_function,
    require_number,
    require_room,
    require_tensor,
)
from memscape.categorical import fisher
from memscape.tools.subsets import every

__all__ = ["COORDINATES", "arrival", "covariance", "law", "likelihood", "means", "natural_flow", "pair_features"]

Field = Callable[[torch.Tensor], torch.Tensor]

COORDINATES = ("deviation", "logarithm", "natural")
"""Of a normal distribution: mean and deviation; mean and logarithm of the deviation; mean and 1, over the variance."""


def natural_flow(
    loss: Field,
    metric: Field,
    starts: torch.Tensor,
    times: torch.Tensor,
    *,
    tolerance: float = 1e-8,
    method: Literal["RK23", "RK45", "DOP853"] = "DOP853",
) -> torch.Tensor:
    r"""Where :math:`\dot z = -G(z)^{-1} \nabla f(z)` leads, for many starts at once.

    Parameters
    ----------
    loss
        f, from ``(starts, parameters)`` to ``(starts,)``, differentiated by :mod:`torch`; each value depends on its own
        row alone.
    metric
        G, from ``(starts, parameters)`` to ``(starts, parameters, parameters)``, positive definite.
    starts
        Axes ``(starts, parameters)``, float64.
    times
        Not negative, rising, axes ``(times,)``, float64, in units in which G and f are given.
    tolerance
        Relative tolerance of the solver in a step; its absolute tolerance is a hundredth of it.
    method
        Of :func:`scipy.integrate.solve_ivp`.

    Returns
    -------
    torch.Tensor
        Axes ``(starts, times, parameters)``, float64, on the device of the starts.

    Raises
    ------
    ArgumentError
        If an argument does not fit, or the flow ends before the last time.
    """
    require_function("loss", loss)
    require_function("metric", metric)
    require_tensor("starts", starts, "starts parameters", dtype=torch.float64)
    require_tensor("times", times, "times", values="nonnegative", device=starts.device, dtype=torch.float64)
    if bool((times.diff() <= 0).any()):
        raise ArgumentError("times", "rising numbers", "others")
    require_number("tolerance", tolerance, at_least=1e-13, at_most=0.1)
    require_choice("method", method, ("RK23", "RK45", "DOP853"))

    def slope(_: float, flat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        at = torch.from_numpy(flat).to(starts.device).reshape(starts.shape)
        return np.asarray(-_natural(loss, metric, at).reshape(-1).cpu(), dtype=np.float64)

    found = solve_ivp(
        slope,
        (0.0, max(float(times[-1]), 1e-300)),
        starts.reshape(-1).cpu().numpy(),
        method=method,
        t_eval=times.cpu().numpy(),
        rtol=tolerance,
        atol=tolerance / 100,
    )
    if not found.success:
        raise ArgumentError("times", "times that the flow reaches", found.message)
    return torch.from_numpy(found.y).to(starts.device).reshape(*starts.shape, -1).movedim(1, 2)


def arrival(
    starts: torch.Tensor, aims: torch.Tensor, step: float, *, coordinates: str, natural: bool = True
) -> torch.Tensor:
    r"""Normal distributions after one step down the divergence from the aim to the model, in some coordinates.

    .. math:: z' = z - h\, G(z)^{-1} \nabla_z D(p^* \| p_z) ,

    or the same with the unit matrix in the place of G for the plain gradient.

    Parameters
    ----------
    starts, aims
        Mean and deviation, axes ``(starts, 2)``.
    step
        h, dimensionless, positive.
    coordinates
        One of :data:`COORDINATES`, in which the step is straight.
    natural
        Whether G is Fisher's information.

    Returns
    -------
    torch.Tensor
        Mean and deviation, axes ``(starts, 2)``.

    Raises
    ------
    ArgumentError
        If an argument does not fit, or the step leads out of the normal distributions.
    """
    require_tensor("starts", starts, "starts 2", sizes={"2": 2})
    fisher.distance(starts, aims)
    require_number("step", step, above=0.0)
    there, back = _MAPS[require_choice("coordinates", coordinates, COORDINATES)]

    def metric(at: torch.Tensor) -> torch.Tensor:
        if not natural:
            return torch.eye(2, dtype=at.dtype, device=at.device).expand(len(at), 2, 2)
        turn = torch.func.vmap(torch.func.jacrev(back))(at)
        return turn.mT @ fisher.metric(back(at)) @ turn

    at = there(starts)
    arrived = back(at - step * _natural(lambda z: _relative(aims, back(z)), metric, at))
    if not bool(arrived.isfinite().all() and (arrived[..., 1] > 0).all()):
        raise ArgumentError("step", "a step that stays among normal distributions", f"{step:g}", "Make it smaller.")
    return arrived


def pair_features(units: int) -> torch.Tensor:
    """Products of every two units in every state: axes ``(2**units, pairs)``, float64, values -1 and +1.

    Raises
    ------
    ArgumentError
        If the number of units is not from 2 to 20.
    """
    require_count("units", units, at_least=2, at_most=20)
    require_room(states=2**units, pairs=units * (units - 1) // 2)
    spins = 2 * every(units).double() - 1
    first, second = torch.triu_indices(units, units, offset=1, device="cpu")
    return spins[:, first] * spins[:, second]


def law(features: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    """Probabilities of the states, axes ``(..., states)``.

    Parameters
    ----------
    features
        T, axes ``(states, parameters)``.
    parameters
        theta, axes ``(..., parameters)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit.
    """
    _require_family(features, parameters)
    return (parameters @ features.mT).softmax(dim=-1)


def means(features: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    """Means of the features, axes ``(..., parameters)``. Arguments and errors as for :func:`law`."""
    return law(features, parameters) @ features


def covariance(features: torch.Tensor, parameters: torch.Tensor) -> torch.Tensor:
    """Covariance of the features, Fisher's information in the parameters: axes ``(..., parameters, parameters)``.

    Arguments and errors as for :func:`law`.
    """
    chance = law(features, parameters)
    centred = features - (chance @ features)[..., None, :]
    return centred.mT @ (chance[..., None] * centred)


def likelihood(features: torch.Tensor, parameters: torch.Tensor, aims: torch.Tensor) -> torch.Tensor:
    r"""Mean negative logarithm of a law that has given means of the features, up to what no parameter changes.

    .. math:: A(\theta) - \theta \cdot \eta^*

    Parameters
    ----------
    features, parameters
        As for :func:`law`.
    aims
        The means, axes ``(..., parameters)``.

    Returns
    -------
    torch.Tensor
        Nats, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit.
    """
    _require_family(features, parameters)
    require_tensor("aims", aims, "... parameters", sizes={"parameters": features.shape[1]}, dtype=features.dtype)
    return (parameters @ features.mT).logsumexp(dim=-1) - (parameters * aims).sum(dim=-1)


def _natural(loss: Field, metric: Field, at: torch.Tensor) -> torch.Tensor:
    gradient = torch.func.grad(lambda z: loss(z).sum())(at)
    return torch.cholesky_solve(gradient[..., None], torch.linalg.cholesky(metric(at)))[..., 0]


def _relative(aims: torch.Tensor, models: torch.Tensor) -> torch.Tensor:
    """The divergence from the aims without its constant, for tensors under differentiation."""
    (mean, deviation), (other, wide) = aims.unbind(dim=-1), models.unbind(dim=-1)
    return wide.log() + (deviation.square() + (mean - other).square()) / (2 * wide.square())


def _pairwise(first: Callable[..., torch.Tensor], second: Callable[..., torch.Tensor]) -> Field:
    return lambda at: torch.stack([first(*at.unbind(dim=-1)), second(*at.unbind(dim=-1))], dim=-1)


_MAPS: dict[str, tuple[Field, Field]] = {
    "deviation": (lambda at: at, lambda at: at),
    "logarithm": (_pairwise(lambda m, s: m, lambda m, s: s.log()), _pairwise(lambda m, r: m, lambda m, r: r.exp())),
    "natural": (
        _pairwise(lambda m, s: m / s**2, lambda m, s: -0.5 / s**2),
        _pairwise(lambda a, b: -a / (2 * b), lambda a, b: (-0.5 / b) ** 0.5),
    ),
}
"""From mean and deviation to the coordinates, and back."""


def _require_family(features: torch.Tensor, parameters: torch.Tensor) -> None:
    sizes: dict[str, int] = {}
    require_tensor("features", features, "states parameters", sizes=sizes)
    require_tensor(
        "parameters", parameters, "... parameters", sizes=sizes, device=features.device, dtype=features.dtype
    )
