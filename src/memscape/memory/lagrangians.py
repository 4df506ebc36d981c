r"""Lagrangians: scalar functions of a layer's units whose gradients are the units' activations, and what they make.

Krotov & Hopfield (2021) take the sum over memories apart into hidden units. Feature units x and memory units h obey

.. math:: \tau_f \dot x = \xi^T f(h) - x + I, \qquad \tau_h \dot h = \xi g(x) - h,
          \qquad f = \nabla L_h, \quad g = \nabla L_v ,

in which every synapse joins two units only. The Lagrangians :math:`L_h` and :math:`L_v` choose the model: their models
A, B and C are the functions :func:`model_a`, :func:`model_b` and :func:`model_c`. The layer norm of Hoover et al.
(2023), a :class:`LayerNorm`, is another such gradient,

.. math:: L(x) = D \gamma \sqrt{\tfrac1D \sum_i (x_i - \bar x)^2 + \varepsilon} + \sum_i \delta_i x_i, \qquad
          g_i = \frac{\partial L}{\partial x_i}
              = \gamma \frac{x_i - \bar x}{\sqrt{\tfrac1D \sum_j (x_j - \bar x)^2 + \varepsilon}} + \delta_i .

Every function here raises ArgumentError where a result is beyond its dtype.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
import torch.nn.functional as functional

from memscape.arguments import (
    ArgumentError,
    readable,
    require_fit,
    require_integer,
    require_number,
    require_scalar,
    require_tensor,
    wide,
)
from memscape.tools.models import Model, Scalar

__all__ = [
    "AdditivePower",
    "Lagrangian",
    "LayerNorm",
    "LogCosh",
    "LogSumExp",
    "Quadratic",
    "Spherical",
    "TwoBody",
    "in_single",
    "model_a",
    "model_b",
    "model_c",
]

M = TypeVar("M", bound=Model)


class Lagrangian(Protocol):
    """A scalar function of a layer's units; its gradient is their activation."""

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, axes ``(..., units)`` to ``(...)``."""

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """Gradient of L, same axes as the units."""


@dataclass(frozen=True)
class Quadratic(Model):
    """L(u) = sum u**2 / 2: linear units."""

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, ``(..., units)`` to ``(...)``."""
        return require_fit("units", units.square().sum(dim=-1) / 2)

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """u itself."""
        return units


@dataclass(frozen=True)
class LogCosh(Model):
    """L(u) = sum ln cosh(gain u) / gain: saturating units, tanh(gain u); binary as the gain grows."""

    gain: Scalar

    def __post_init__(self) -> None:
        require_scalar("gain", self.gain, above=0.0)

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, ``(..., units)`` to ``(...)``."""
        drive = self.gain * units
        # ln cosh x = ln(1 + 2 sinh(x / 2)**2) has its digits near 0, where the other form cancels.
        near = drive.clamp(-1.0, 1.0)
        far = functional.softplus(-2 * drive) + drive - math.log(2.0)
        logarithm = torch.where(drive.abs() < 1, torch.log1p(2 * torch.sinh(near / 2).square()), far)
        return require_fit("units", (logarithm / self.gain).sum(dim=-1))

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """tanh(gain u)."""
        return require_fit("units", torch.tanh(self.gain * units))


@dataclass(frozen=True)
class AdditivePower(Model):
    """L(u) = sum max(u, 0)**n / n: rectified units of power n - 1; convex for n of at least 1."""

    n: int

    def __post_init__(self) -> None:
        require_integer("n", self.n, at_least=2)

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, ``(..., units)`` to ``(...)``."""
        return require_fit("units", units.clamp(min=0).pow(self.n).sum(dim=-1) / self.n)

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """max(u, 0)**(n - 1)."""
        return require_fit("units", units.clamp(min=0).pow(self.n - 1))


@dataclass(frozen=True)
class LogSumExp(Model):
    """L(u) = ln sum exp(beta u) / beta: units that compete, a softmax."""

    beta: Scalar

    def __post_init__(self) -> None:
        require_scalar("beta", self.beta, above=0.0)

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, ``(..., units)`` to ``(...)``."""
        return require_fit("units", torch.logsumexp(self.beta * units, dim=-1) / self.beta)

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """softmax(beta u)."""
        return require_fit("units", torch.softmax(self.beta * units, dim=-1))


@dataclass(frozen=True)
class Spherical(Model):
    """``L(u) = |u|``: units normalised to the sphere. Its Hessian has one zero eigenvalue, along u."""

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, ``(..., units)`` to ``(...)``."""
        return require_fit("units", units.norm(dim=-1))

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """``u / |u|``; the potentials must not all be zero."""
        length = units.norm(dim=-1, keepdim=True)
        if readable(length) and (length == 0).any():
            raise ArgumentError(
                "units", "potentials that are not all zero", "zeros", "A point of no length has no direction."
            )
        return require_fit("units", units / length)


@dataclass(frozen=True)
class LayerNorm(Model):
    r"""Layer norm with one scale for all features, as the gradient of a Lagrangian (module, last formula).

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
        if readable(self.gamma):
            require_number("gamma", self.gamma.item(), above=0.0)
        require_number("eps", self.eps, above=0.0)

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, axes ``(..., D)`` to ``(...)``."""
        spread = (units.var(dim=-1, correction=0) + self.eps).sqrt()
        return require_fit("units", units.shape[-1] * self.gamma * spread + units @ self.delta)

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """g, the gradient of L, same axes ``(..., D)``."""
        normed = functional.layer_norm(units, units.shape[-1:], eps=self.eps)
        return require_fit("units", self.gamma * normed + self.delta)


def in_single(
    argument: str, method: Callable[[M, torch.Tensor], torch.Tensor], model: M, state: torch.Tensor
) -> torch.Tensor:
    """What a model's method makes of a state, dtype of the state; models and states of half precision go in as float32.

    Raises
    ------
    ArgumentError
        If a result is beyond the dtype, under the name of the argument that the state came in.
    """
    if state.element_size() < 4:
        model = model.map(wide)
    return require_fit(argument, method(model, wide(state)).to(state.dtype))


@dataclass(frozen=True)
class TwoBody(Model):
    r"""Feature units and memory units joined by two-body synapses (Krotov & Hopfield 2021).

    A state is one vector of N + P potentials, features x first and memory units h behind them, so that
    :func:`memscape.memory.dynamics.gradient_flow` moves it like any other graded network. The energy

    .. math:: E = \Big[\sum_i (x_i - I_i) g_i - L_v\Big] + \Big[\sum_\mu h_\mu f_\mu - L_h\Big]
                  - \sum_{\mu i} f_\mu \xi^\mu_i g_i

    never increases where both Lagrangians are convex, whatever the two time constants (their eq. 5 to 7).

    Parameters
    ----------
    patterns
        Synapses xi, axes ``(P, N)``, finite values; the same in both directions.
    visible, hidden
        Lagrangians of features and memory units.
    time_visible, time_hidden
        Time constants, positive.
    inputs
        I, axes ``(N,)``; none by default.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, a value is not finite, or a time constant is not positive.
    """

    patterns: torch.Tensor
    visible: Lagrangian
    hidden: Lagrangian
    time_visible: Scalar = 1.0
    time_hidden: Scalar = 1.0
    inputs: torch.Tensor | None = None

    def __post_init__(self) -> None:
        require_tensor("patterns", self.patterns, "patterns neurons")
        for name in ("time_visible", "time_hidden"):
            require_scalar(name, getattr(self, name), above=0.0, device=self.patterns.device)
        if self.inputs is not None:
            require_tensor(
                "inputs",
                self.inputs,
                "neurons",
                sizes={"neurons": self.patterns.shape[1]},
                dtype=self.patterns.dtype,
                device=self.patterns.device,
            )

    def energy(self, potential: torch.Tensor) -> torch.Tensor:
        """Energy of every state, axes ``(..., N + P)`` to ``(...)``."""
        self._require(potential)
        return in_single("potential", TwoBody._energy, self, potential)

    def _energy(self, potential: torch.Tensor) -> torch.Tensor:
        x, h, g, f = self._layers(potential)
        drive = x if self.inputs is None else x - self.inputs
        features = (drive * g).sum(dim=-1) - self.visible(x)
        memories = (h * f).sum(dim=-1) - self.hidden(h)
        return features + memories - ((f @ self.patterns) * g).sum(dim=-1)

    def flow(self, potential: torch.Tensor) -> torch.Tensor:
        """Time derivative of every potential, same axes ``(..., N + P)``."""
        self._require(potential)
        return in_single("potential", TwoBody._flow, self, potential)

    def _flow(self, potential: torch.Tensor) -> torch.Tensor:
        x, h, g, f = self._layers(potential)
        inputs = 0.0 if self.inputs is None else self.inputs
        features = (f @ self.patterns - x + inputs) / self.time_visible
        memories = (g @ self.patterns.mT - h) / self.time_hidden
        return torch.cat([features, memories], dim=-1)

    def adiabatic(self, features: torch.Tensor) -> torch.Tensor:
        r"""Features after one step of length :math:`\tau_f` with memory units that follow at once.

        .. math:: x \leftarrow \xi^T f(\xi g(x)) + I

        Parameters
        ----------
        features
            Potentials x, axes ``(..., N)``, finite, dtype and device of the patterns.

        Returns
        -------
        torch.Tensor
            Same axes.
        """
        require_tensor(
            "features",
            features,
            "... neurons",
            sizes={"neurons": self.patterns.shape[1]},
            dtype=self.patterns.dtype,
            device=self.patterns.device,
        )
        return in_single("features", TwoBody._adiabatic, self, features)

    def _adiabatic(self, features: torch.Tensor) -> torch.Tensor:
        moved = self.hidden.activation(self.visible.activation(features) @ self.patterns.mT) @ self.patterns
        return moved if self.inputs is None else moved + self.inputs

    def _require(self, potential: torch.Tensor) -> None:
        memories, neurons = self.patterns.shape
        require_tensor(
            "potential",
            potential,
            "... units",
            sizes={"units": neurons + memories},
            dtype=self.patterns.dtype,
            device=self.patterns.device,
        )

    def _layers(self, potential: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        neurons = self.patterns.shape[1]
        x, h = potential[..., :neurons], potential[..., neurons:]
        return x, h, self.visible.activation(x), self.hidden.activation(h)


def model_a(patterns: torch.Tensor, *, n: int = 3, gain: Scalar = 10.0, time_hidden: Scalar = 1.0) -> TwoBody:
    """Model A of Krotov & Hopfield (2021): Lagrangians that are sums over units; dense memory when h is fast.

    Parameters
    ----------
    patterns
        Axes ``(P, N)``, finite values.
    n
        Power of the rectified energy, at least 2.
    gain
        Gain of the features' tanh, positive; they become binary as it grows.
    time_hidden
        Time constant of the memory units in units of the features', positive.
    """
    return TwoBody(patterns, LogCosh(gain), AdditivePower(n), time_hidden=time_hidden)


def model_b(patterns: torch.Tensor, *, beta: Scalar = 1.0, time_hidden: Scalar = 1.0) -> TwoBody:
    """Model B of Krotov & Hopfield (2021): linear features, memory units in a softmax; attention when h is fast."""
    return TwoBody(patterns, Quadratic(), LogSumExp(beta), time_hidden=time_hidden)


def model_c(patterns: torch.Tensor, *, n: int = 3, time_hidden: Scalar = 1.0) -> TwoBody:
    """Model C of Krotov & Hopfield (2021): features normalised to the sphere, rectified memory units of power n."""
    return TwoBody(patterns, Spherical(), AdditivePower(n), time_hidden=time_hidden)
