r"""A dense memory that learns from examples of a teacher: replica-symmetric theory (Theriault & Tantari 2024).

A teacher draws :math:`\alpha N^{p-1}` noisy examples from one pattern at temperature :math:`T^*`; a student of p-body
interactions has to find the pattern at temperature T. With :math:`c = \beta^2 \alpha`, :math:`c_s = \beta \beta^*
\alpha`, overlaps q (student with student) and :math:`q_s` (student with teacher),

.. math:: r = p q^{p-1}, \quad r_s = p q_s^{p-1}, \quad
          q_s = \langle \tanh u \rangle, \quad q = \langle \tanh^2 u \rangle, \qquad u = \sqrt{c r}\, z + c_s r_s ,

over a standard normal z. (An overlap m with a stored example is zero on the lines that this module looks for.) The
free entropy is

.. math:: f = \ln 2 + \tfrac c2 - \tfrac c2 r + \tfrac{p-1}{2} c\, q^p - (p-1)\, c_s q_s^p
          + \langle \ln \cosh u \rangle .

On the Nishimori line :math:`\beta = \beta^*` and :math:`q = q_s`. Without a teacher, :math:`c_s = 0`, the same
interactions are the *direct* model, whose glass needs one step of replica-symmetry breaking with the parameter x,

.. math:: \phi = \ln 2 + \tfrac c2 \big[1 + (1 - x)(p-1)\, q^p - p\, q^{p-1}\big]
          + \tfrac1x \ln \langle \cosh^x(\sqrt{c r}\, z) \rangle .

All lines are straight in T against :math:`\sqrt{2 \alpha}`, because only c matters; temperatures here are in that
unit, :math:`t = T / \sqrt{2 \alpha}` and :math:`c = 1 / (2 t^2)`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq, root

from memscape.arguments import ArgumentError, require_count, require_number, require_numbers

__all__ = ["Glass", "free_entropy", "gardner_line", "glass", "glass_line", "local_line", "overlap", "retrieval_line"]

Array = npt.NDArray[np.float64]

# The trapezoidal rule, not Gauss-Hermite: tanh has poles close to the real axis at low temperature, and a polynomial
# rule of 200 nodes is off by 4 % in the Gardner line. This one converges exponentially in one over the spacing.
_NODES: Array = np.linspace(-12.0, 12.0, 1201)
_DENSITY: Array = np.exp(-(_NODES**2) / 2) / np.exp(-(_NODES**2) / 2).sum()
_CONVERGED = 4 * np.finfo(np.float64).eps  # a last digit may flicker for ever


def overlap(temperature: npt.ArrayLike, order: int, *, steps: int = 4000) -> Array:
    """Overlap q of student and teacher on the Nishimori line, by iteration from q = 1.

    Parameters
    ----------
    temperature
        t, in units of sqrt(2 alpha), positive; any shape.
    order
        p, at least 3.
    steps
        Most iterations, all temperatures at once; they end where no overlap moves any more.

    Returns
    -------
    array
        Same shape; positive where the ferromagnetic state exists, and zero (to rounding) above.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    require_count("order", order, at_least=3)
    require_count("steps", steps)
    t = _temperatures(temperature)
    c = 1 / (2 * t**2)
    q = np.ones_like(t)
    for _ in range(steps):
        field = c * order * q ** (order - 1)
        # On this line <tanh u> = <tanh(u)^2>: one equation is left.
        # Rounding may leave a paramagnet below zero, where a root would fail.
        last, q = q, (np.tanh(np.sqrt(field)[..., None] * _NODES + field[..., None]) @ _DENSITY).clip(min=0.0)
        if np.abs(q - last).max() <= _CONVERGED:
            break
    return q


def free_entropy(temperature: npt.ArrayLike, q: npt.ArrayLike, order: int) -> Array:
    """Free entropy on the Nishimori line less that of the paramagnet, q = q_s given.

    Parameters
    ----------
    temperature, q
        t in [1e-100, 1e100] and the overlap in [0, 1], of one shape.
    order
        p, at least 3.

    Returns
    -------
    array
        Same shape; positive where the ferromagnet is the stable state, zero at q = 0.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    require_count("order", order, at_least=3)
    t, overlaps = _temperatures(temperature), _numbers("q", q)
    for value in (overlaps.min(), overlaps.max()):
        require_number("q", float(value), at_least=0.0, at_most=1.0)
    c = 1 / (2 * t**2)
    field = c * order * overlaps ** (order - 1)
    u = np.sqrt(field)[..., None] * _NODES + field[..., None]
    return -field / 2 - (order - 1) * c * overlaps**order / 2 + _log_cosh(u) @ _DENSITY


def local_line(order: int) -> float:
    """Temperature up to which the ferromagnetic state exists on the Nishimori line (the dynamic transition).

    The equation q = <tanh u> is solved for the temperature at every q, with the field as the parameter, and maximised.
    """
    require_count("order", order, at_least=3)
    fields = np.linspace(0.5, 12.0, 4000)
    temperatures = _temperature_at(fields, order)
    best = fields[temperatures.argmax()]
    finer = np.linspace(0.98 * best, 1.02 * best, 2001)
    return float(_temperature_at(finer, order).max())


def _temperature_at(fields: Array, order: int) -> Array:
    """t at which u has the field c r: q follows from the field, and c from both."""
    q = np.tanh(np.sqrt(fields)[:, None] * _NODES + fields[:, None]) @ _DENSITY
    return np.sqrt(order * q ** (order - 1) / (2 * fields))


def retrieval_line(order: int) -> float:
    """Temperature below which the ferromagnet is the stable state on the Nishimori line: its free entropies cross."""
    top = local_line(order)

    def gain(t: float) -> float:
        return float(free_entropy(t, overlap(t, order), order))

    return float(brentq(gain, 0.5 * top, 0.9999 * top, xtol=1e-10))


@dataclass(frozen=True)
class Glass:
    """The one-step state of the direct model: its parameter x, overlap q, and stability (negative: breaks further)."""

    x: float
    q: float
    stability: float


def glass(temperature: float, order: int, *, start: tuple[float, float] = (1.0, 0.82)) -> Glass:
    r"""Solve for the glass of the direct model at one temperature.

    The stability is :math:`1 - c\,p\,(p-1)\,q^{p-2} \langle \cosh^{x-4} \rangle / \langle \cosh^x \rangle`
    (Gardner 1985).

    Parameters
    ----------
    temperature
        t, positive.
    order
        p, at least 3.
    start
        Where to start looking for (x, q).

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    require_number("temperature", temperature, at_least=1e-100, at_most=1e100)
    require_count("order", order, at_least=3)
    first = _numbers("start", start)
    if first.shape != (2,):
        raise ArgumentError("start", "two numbers, x and q", f"shape {first.shape}")
    c = 1 / (2 * temperature**2)
    found = root(_glass_slopes, first, args=(c, order), tol=1e-13)
    x, q = (float(value) for value in found.x)
    u, tilted, _ = _tilted(x, q, c, order)
    return Glass(x, q, float(1 - c * order * (order - 1) * q ** (order - 2) * (tilted @ np.cosh(u) ** -4.0)))


def glass_line(order: int) -> float:
    """Temperature at which the glass of the direct model appears: its x reaches 1."""
    require_count("order", order, at_least=3)
    top = local_line(order)

    def excess(t: float) -> float:
        # At x = 1 the glass has the overlap of the Nishimori line: a good start nearby.
        return glass(t, order, start=(1.0, float(overlap(t, order)))).x - 1

    return float(brentq(excess, 0.7 * top, 0.999 * top, xtol=1e-10))


def gardner_line(order: int) -> float:
    """Temperature at which the glass of the direct model loses its stability: one step of breaking is not enough."""
    line = glass_line(order)
    cold = 0.99 * line
    state = glass(cold, order, start=(1.0, float(overlap(cold, order))))
    while state.stability > 0 and cold > 0.05:  # follow the state down, so that every start is close
        warm, last, cold = cold, state, 0.97 * cold
        state = glass(cold, order, start=(last.x, last.q))
    return float(brentq(lambda t: glass(t, order, start=(last.x, last.q)).stability, cold, warm, xtol=1e-10))


def _tilted(x: float, q: float, c: float, order: int) -> tuple[Array, Array, float]:
    """The field at every node, the density tilted by cosh**x, and the logarithm of its norm."""
    u = np.sqrt(c * order * q ** (order - 1)) * _NODES
    exponent = x * _log_cosh(u)
    top = float(exponent.max())
    weights = np.exp(exponent - top) * _DENSITY
    norm = float(weights.sum())
    return u, weights / norm, float(np.log(norm)) + top


def _glass_slopes(state: Array, c: float, order: int) -> list[float]:
    """Derivatives of phi in q and x, up to factors; both vanish in the glass."""
    x, q = (float(value) for value in state)
    u, tilted, log_norm = _tilted(x, q, c, order)
    of_x = -c / 2 * (order - 1) * q**order - log_norm / x**2 + float(tilted @ _log_cosh(u)) / x
    return [q - float(tilted @ np.tanh(u) ** 2), of_x]


def _log_cosh(u: Array) -> Array:
    return np.logaddexp(u, -u) - np.log(2.0)


def _temperatures(temperature: npt.ArrayLike) -> Array:
    t = _numbers("temperature", temperature)
    for value in (t.min(), t.max()):
        require_number("temperature", float(value), at_least=1e-100, at_most=1e100)
    return t


def _numbers(name: str, values: npt.ArrayLike) -> Array:
    found = require_numbers(name, values)
    if found.size == 0 or not np.isfinite(found).all():
        raise ArgumentError(name, "finite numbers", "others" if found.size else "none")
    return found
