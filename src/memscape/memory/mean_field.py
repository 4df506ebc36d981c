r"""The mean-field theory of Amit, Gutfreund and Sompolinsky (1985, 1987), replica symmetric.

A Hebbian network of many neurons at load :math:`\alpha = P/N` and temperature T is described by three numbers: the
overlap m with the recalled pattern, the Edwards-Anderson order parameter q, and the mean square overlap r with each of
the other patterns, times N. A unit feels :math:`m + \sigma z` with a Gaussian z and :math:`\sigma^2 = \alpha r`, and

.. math:: m = \langle \tanh \beta (m + \sigma z) \rangle, \quad q = \langle \tanh^2 \beta (m + \sigma z) \rangle, \quad
          r = \frac{q}{(1 - C)^2}, \quad C = \beta (1 - q), \quad \beta = 1/T.

How they are solved here. With the two ratios :math:`y = m / \sigma` and :math:`k = \beta\sigma` the averages

.. math:: M = \langle \tanh k (y + z) \rangle, \quad Q = \langle \tanh^2 k (y + z) \rangle, \quad
          D = \langle z \tanh k (y + z) \rangle

depend on nothing else, and the equations turn explicit: :math:`m = M`, :math:`\sigma = M / y`, :math:`T = M / (k y)`,
and :math:`\alpha = (M / y - D)^2 / Q`, because :math:`\sigma C = D` by parts. So at any temperature the load is a
function of y, as it is at T = 0, where :math:`k = \infty`; retrieval exists up to its maximum, and nothing has to be
iterated from a guess. Averages are trapezoidal sums, which converge faster than any power of the spacing for integrands
that are analytic around the real line.

Loads, temperatures, energies (per neuron) and overlaps are dimensionless. Arguments are float64 tensors of any shape;
results have the same shape, or that to which load and temperature broadcast.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import brentq, elementwise
from scipy.special import erf, ndtri

from memscape.arguments import ArgumentError, require_integer, require_number, require_tensor

__all__ = [
    "Phase",
    "critical_load",
    "first_order_load",
    "mixture_curvature",
    "mixture_energy",
    "mixture_load",
    "mixture_overlap",
    "mixture_temperature",
    "one_step_load",
    "retrieval",
    "retrieval_load",
    "spin_glass",
    "spin_glass_temperature",
]

Array = NDArray[np.float64]

_COLDEST = 1e-3  # below it the steps of tanh need more nodes than they are worth; T = 0 itself has a closed form


@dataclass(frozen=True)
class Phase:
    """One solution of the mean-field equations for each load and temperature; NaN where there is none.

    Attributes
    ----------
    overlap
        m with the recalled pattern, 0 in a spin glass.
    order
        q, the Edwards-Anderson order parameter.
    noise
        r, mean square overlap with each pattern that is not recalled, times N (1 for a random state).
    free_energy
        Per neuron; at T = 0 the energy.
    """

    overlap: torch.Tensor
    order: torch.Tensor
    noise: torch.Tensor
    free_energy: torch.Tensor


def critical_load() -> float:
    r"""Largest load at which T = 0 retrieval exists: the maximum over y of :math:`\alpha(y)`, 0.1379.

    Returns
    -------
    float
        alpha_c. In the variable of Amit, Gutfreund and Sompolinsky,
        :math:`\alpha(y) = \frac12 [\mathrm{erf}(y)/y - (2/\sqrt\pi) e^{-y^2}]^2`; the y of this module is sqrt(2) times
        theirs.
    """
    return retrieval_load(torch.zeros(1, dtype=torch.float64, device="cpu")).item()


def retrieval_load(temperature: torch.Tensor) -> torch.Tensor:
    r"""Largest load with a retrieval state at each temperature: the line :math:`T_M(\alpha)`, read from the side.

    Parameters
    ----------
    temperature
        T, any shape, 0 or in [0.001, 1).

    Returns
    -------
    torch.Tensor
        :math:`\alpha_M(T)`, same shape. At T = 0 the critical load; towards T = 1 it goes to 0.

    Raises
    ------
    ArgumentError
        If a temperature is out of range.
    """
    temperatures = _temperatures(temperature, below=1.0)
    return _like(_load(_steepest(temperatures), temperatures), temperature)


def retrieval(load: torch.Tensor, temperature: torch.Tensor) -> Phase:
    """The retrieval state: the solution with m > 0 that reaches m = 1 when load and temperature go to 0.

    Parameters
    ----------
    load
        alpha = P / N, positive.
    temperature
        T, 0 or in [0.001, 1).

    Returns
    -------
    Phase
        NaN wherever the load is above the retrieval line.

    Raises
    ------
    ArgumentError
        If a load or temperature is out of range or their shapes do not broadcast.
    """
    loads, temperatures = _pairs(load, temperature, below=1.0)
    inner = _steepest(temperatures)
    limit = _load(inner, temperatures)
    exists = loads <= limit * (1 + 1e-12)  # the limit itself counts, whatever rounding does to it
    loads = np.minimum(loads, limit)
    # Past its maximum alpha(y) falls like (m / y)^2, so the outer solution lies below y = 1 / sqrt(alpha) + 1.
    outer = 1 / np.sqrt(loads) + inner + 1
    y = _root(lambda y, a, t: _load(y, t) - a, inner, outer, np.where(exists, loads, np.nan), temperatures)
    m, q, d, _ = _averages(_slope(y, temperatures), y)
    return _phase(load, temperature, loads, temperatures, m, q, m / y, d)


def spin_glass(load: torch.Tensor, temperature: torch.Tensor) -> Phase:
    """The solution with m = 0: a spin glass below T_g = 1 + sqrt(alpha), and above it the paramagnet with q = 0.

    Parameters
    ----------
    load
        alpha = P / N, positive.
    temperature
        T, 0 or at least 0.001.

    Returns
    -------
    Phase
        Its overlap is 0 everywhere.

    Raises
    ------
    ArgumentError
        If a load or temperature is out of range or their shapes do not broadcast.
    """
    loads, temperatures = _pairs(load, temperature)
    # sigma (1 - C) = sqrt(alpha q) with sigma C = D <= sqrt(2 / pi) < 1 bounds sigma from above.
    highest = np.sqrt(loads) + 1

    def excess(sigma: Array, a: Array, t: Array) -> Array:
        _, q, d, _ = _averages(_divide(sigma, t), np.zeros_like(sigma))
        return sigma - d - np.sqrt(a * q)

    lowest = 1e-9 * highest
    frozen = excess(lowest, loads, temperatures) < 0
    sigma = _root(excess, lowest, highest, np.where(frozen, loads, np.nan), temperatures)
    sigma = np.where(frozen, sigma, 0.0)
    _, q, d, _ = _averages(_divide(sigma, temperatures), np.zeros_like(sigma))
    return _phase(load, temperature, loads, temperatures, np.zeros_like(sigma), q, sigma, d)


def spin_glass_temperature(load: torch.Tensor) -> torch.Tensor:
    r"""Temperature :math:`T_g = 1 + \sqrt\alpha` at which the spin-glass order q vanishes.

    Parameters
    ----------
    load
        alpha = P / N, positive, any shape.

    Raises
    ------
    ArgumentError
        If a load is not positive and finite.
    """
    return _like(1 + np.sqrt(_loads(load)), load)


def first_order_load(temperature: torch.Tensor) -> torch.Tensor:
    """Load at which retrieval state and spin glass have the same free energy, the line T_c(alpha) read from the side.

    Below this load the retrieval states are the stable phase; between it and the retrieval line they are metastable.

    Parameters
    ----------
    temperature
        T, any shape, 0 or in [0.001, 1).

    Returns
    -------
    torch.Tensor
        Same shape; at T = 0 close to (pi / 2) (1/2 - 1/pi)^2, which is exact where m = 1.

    Raises
    ------
    ArgumentError
        If a temperature is out of range.
    """
    temperatures = _temperatures(temperature, below=1.0)

    def excess(y: Array, t: Array) -> Array:
        m, q, d, _ = _averages(_slope(y, t), y)
        a = (m / y - d) ** 2 / q
        glass = spin_glass(torch.as_tensor(a, device="cpu"), torch.as_tensor(t, device="cpu")).free_energy.numpy()
        return _free_energy(a, t, m, q, m / y, d) - glass

    inner = _steepest(temperatures)
    crossing = _root(excess, inner, 20 * inner, temperatures)
    return _like(_load(crossing, temperatures), temperature)


def mixture_overlap(size: int, temperature: float = 0.0) -> float:
    r"""Overlap of a symmetric mixture of ``size`` patterns with each of them, at load 0.

    The largest solution of :math:`m = \langle \xi^1 \tanh(\beta m \sum_\mu \xi^\mu) \rangle`, the mean taken over all
    :math:`2^n` signs. At T = 0 and odd n = 2k + 1 it is :math:`\binom{2k}{k} / 4^k`. Size 1 is a stored pattern.

    Parameters
    ----------
    size
        Number n of patterns, 1 to 15.
    temperature
        T in [0, 1).

    Raises
    ------
    ArgumentError
        If size or temperature is out of range.
    """
    sums = _sums(size)
    _below_one("temperature", temperature)
    if temperature == 0.0:
        return float(np.abs(sums).mean() / size)
    m = 1.0
    for _ in range(200):
        # The right side is concave in m > 0, so Newton's steps from the right go down to the largest solution.
        with np.errstate(over="ignore"):  # the hyperbolic tangent of infinity is 1
            fields = np.tanh(sums * m / temperature)
        value = (sums * fields).mean() / size
        slope = (sums**2 * (1 - fields**2)).mean() / (size * temperature)
        step = (m - value) / (1 - slope)
        m -= step
        if abs(step) < 1e-15:
            break
    return float(m)


def mixture_energy(size: int) -> float:
    r"""Energy per neuron :math:`-n m_n^2 / 2` of a symmetric mixture of n patterns at load 0 and T = 0.

    Parameters
    ----------
    size
        Number n of patterns, 1 to 15.

    Raises
    ------
    ArgumentError
        If the size is out of range.
    """
    return -(mixture_overlap(size) ** 2) * size / 2


def mixture_curvature(size: int, temperature: float) -> float:
    r"""Smallest eigenvalue of the free energy's Hessian at a symmetric mixture, at load 0: stable where positive.

    The Hessian in the overlaps is
    :math:`\delta_{\mu\nu} - \beta \langle \xi^\mu \xi^\nu (1 - \tanh^2 \beta m \sum_\lambda \xi^\lambda) \rangle`.

    Parameters
    ----------
    size
        Number n of patterns, 1 to 15.
    temperature
        T in [1e-300, 1).

    Raises
    ------
    ArgumentError
        If size or temperature is out of range.
    """
    sums = _sums(size)
    require_number("temperature", temperature, at_least=1e-300)
    m = mixture_overlap(size, temperature)
    with np.errstate(over="ignore"):  # the hyperbolic tangent of infinity is 1
        widths = 1 - np.tanh(sums * m / temperature) ** 2
    same = widths.mean()
    # By symmetry one off-diagonal mean serves all pairs: sum over pairs of xi xi = (sums^2 - n).
    other = ((sums**2 - size) * widths).mean() / (size * (size - 1)) if size > 1 else 0.0
    eigenvalues = [1 - (same - other) / temperature, 1 - (same + (size - 1) * other) / temperature]
    return float(min(eigenvalues) if size > 1 else eigenvalues[1])


def mixture_temperature(size: int) -> float:
    """Temperature below which symmetric mixtures of an odd number of patterns are stable, at load 0.

    For 3 patterns it solves beta sech^2(beta m) = 1 with m = (tanh 3 beta m + tanh beta m) / 4.

    Parameters
    ----------
    size
        Odd number of patterns, 3 to 15.

    Raises
    ------
    ArgumentError
        If the size is not odd or out of range.
    """
    require_integer("size", size, at_least=3, at_most=15)
    if size % 2 == 0:
        raise ArgumentError("size", "an odd number", str(size), "Mixtures of an even number are never stable.")
    return float(brentq(lambda t: mixture_curvature(size, t), 0.05, 0.9, xtol=1e-14))


def mixture_load(size: int) -> float:
    r"""Largest load at which symmetric mixtures of an odd number of patterns exist at T = 0.

    As for a single pattern, with the averages taken over the signs of the mixed patterns as well:
    :math:`\alpha(y) = (M / y - D)^2` with :math:`M = \langle (s / n)\, \mathrm{erf}(y s / \sqrt2) \rangle`,
    :math:`D = \sqrt{2 / \pi} \langle e^{-y^2 s^2 / 2} \rangle` and :math:`s = \sum_\mu \xi^\mu`. Size 1 gives the
    critical load.

    Parameters
    ----------
    size
        Odd number of patterns, 1 to 15.

    Raises
    ------
    ArgumentError
        If the size is not odd or out of range.
    """
    sums = _sums(size)
    if size % 2 == 0:
        raise ArgumentError("size", "an odd number", str(size), "Mixtures of an even number are never stable.")

    def load(y: Array) -> Array:
        inputs = y[..., None] * sums
        overlaps = (erf(inputs / math.sqrt(2)) @ sums) / (size * len(sums))
        return (overlaps / y - math.sqrt(2 / math.pi) * np.exp(-(inputs**2) / 2).mean(axis=-1)) ** 2

    return float(load(_summit(load)))


def one_step_load(error: torch.Tensor) -> torch.Tensor:
    r"""Load alpha at which one synchronous step from a stored pattern makes the bit error :math:`\Phi(-1/\sqrt\alpha)`.

    The field of a unit is 1 plus Gaussian crosstalk of variance alpha; only this step is described, not where it leads
    (Hertz, Krogh & Palmer 1991).

    Parameters
    ----------
    error
        Fraction of wrong bits, in (0, 1/2), any shape.

    Raises
    ------
    ArgumentError
        If an error is out of range.
    """
    require_tensor("error", error, "...", dtype=torch.float64)
    if bool(((error <= 0) | (error >= 0.5)).any()):
        raise ArgumentError("error", "values in (0, 1/2)", f"{error.min():g} to {error.max():g}")
    return _like(ndtri(error.cpu().numpy()) ** -2.0, error)


def _averages(k: Array, y: Array) -> tuple[Array, Array, Array, Array]:
    """M, Q and D of the module's head, and <z^2 tanh k (y + z)>, for every pair (k, y); k may be infinite."""
    k, y = np.broadcast_arrays(k, y)
    gauss = np.exp(-(y**2) / 2) * math.sqrt(2 / math.pi)
    step = erf(y / math.sqrt(2))
    averages = np.stack([step, np.where(np.isnan(k), np.nan, 1.0), gauss, step - y * gauss])
    for where, z, weights in _nodes(k):
        t = np.tanh(k[where][:, None] * (y[where][:, None] + z))
        averages[:, where] = t @ weights, t**2 @ weights, t @ (z * weights), t @ (z**2 * weights)
    return averages[0], averages[1], averages[2], averages[3]


def _nodes(k: Array) -> Iterator[tuple[NDArray[np.bool_], Array, Array]]:
    """Nodes z and Gaussian weights of trapezoidal sums that resolve tanh(k z), for each octave of k that occurs.

    The integrand's nearest poles lie pi / (2 k) off the real line, so a spacing h leaves an error exp(-pi^2 / (h k)).
    """
    octave = np.ceil(np.log2(np.maximum(k, 1.0)))
    for largest in np.unique(octave[np.isfinite(k)]):
        spacing = math.pi**2 / (32 * 2**largest)
        count = math.ceil(9.0 / spacing)
        z = np.arange(-count, count + 1) * spacing
        yield octave == largest, z, np.exp(-(z**2) / 2) * (spacing / math.sqrt(2 * math.pi))


def _slope(y: Array, t: Array) -> Array:
    """Solve M(k, y) = T k y for k. M is concave in k, so Newton's steps from the right, 1 / (T y), never overshoot."""
    y, t = np.broadcast_arrays(y, t)
    k = _divide(np.ones_like(y), t * y)
    moving = np.isfinite(k)
    for _ in range(100):
        here, at, cold = k[moving], y[moving], t[moving]
        m, q, _, second = _averages(here, at)
        slope = at * (1 - q) + (second - m) / here
        step = (m - cold * here * at) / (slope - cold * at)
        k[moving] -= step
        moving[moving] = np.abs(step) > 1e-14 * here
        if not moving.any():
            break
    return k


def _load(y: Array, t: Array) -> Array:
    """The load alpha at which the retrieval solution at temperature t has m / sigma = y."""
    m, q, d, _ = _averages(_slope(y, t), y)
    return (m / y - d) ** 2 / q


def _steepest(t: Array) -> Array:
    """The y at which the load is largest, for every temperature."""
    distinct, where = np.unique(t, return_inverse=True)
    return _summit(_load, distinct)[where].reshape(t.shape)


def _root(function: Callable[..., Array], low: Array, high: Array, *args: Array) -> Array:
    """The x between low and high where function(x, *args) = 0, elementwise; NaN where the arguments are NaN."""
    found = elementwise.find_root(
        function, (low, high), args=args, tolerances={"xatol": 1e-13, "xrtol": 1e-13, "fatol": 0.0, "frtol": 0.0}
    )
    return np.where(found.success, found.x, np.nan)


def _summit(function: Callable[..., Array], *args: Array) -> Array:
    """The y where function(y, *args) is largest, elementwise: the best of a grid, then refined."""
    shape = np.broadcast_shapes(*(arg.shape for arg in args))
    grid = np.geomspace(0.5, 8.0, 49)
    best = function(grid.reshape(-1, *[1] * len(shape)), *args).argmax(axis=0)
    bracket = (grid[best - 1], grid[best], grid[best + 1])
    return np.asarray(elementwise.find_minimum(lambda y, *rest: -function(y, *rest), bracket, args=args).x)


def _free_energy(a: Array, t: Array, m: Array, q: Array, sigma: Array, d: Array) -> Array:
    """Free energy per neuron of Amit, Gutfreund & Sompolinsky (1987) at a solution; sigma^2 = alpha r, d = sigma C."""
    with np.errstate(divide="ignore", invalid="ignore"):
        c = np.where(sigma > 0, d / sigma, (1 - q) / t)
        noise = q / (1 - c) ** 2
        cold = (-(m**2) + a * (1 - noise)) / 2
        log_cosh = np.full_like(m, np.nan)
        for where, z, weights in _nodes(np.where(t > 0, sigma / t, np.inf)):
            h = np.abs(m[where][:, None] + sigma[where][:, None] * z)
            log_cosh[where] = (h + t[where][:, None] * np.log1p(np.exp(-2 * h / t[where][:, None]))) @ weights
        chain = t * np.log1p(-c) - q / (1 - c) + noise * c
        warm = m**2 / 2 + a / 2 * (1 + chain) - log_cosh
    return np.where(t > 0, warm, cold)


def _phase(
    load: torch.Tensor, temperature: torch.Tensor, a: Array, t: Array, m: Array, q: Array, sigma: Array, d: Array
) -> Phase:
    shape = torch.broadcast_shapes(load.shape, temperature.shape)
    values = (m, q, sigma**2 / a, _free_energy(a, t, m, q, sigma, d))
    return Phase(*(torch.as_tensor(value, device=load.device).reshape(shape) for value in values))


def _divide(above: Array, below: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return above / below


def _loads(load: torch.Tensor) -> Array:
    require_tensor("load", load, "...", dtype=torch.float64)
    if bool((load <= 0).any()):
        raise ArgumentError("load", "values > 0", f"{load.min():g}")
    if bool((load < 1e-100).any() or (load > 1e100).any()):
        raise ArgumentError("load", "values in [1e-100, 1e100]", f"{load.min():g} to {load.max():g}")
    return np.atleast_1d(load.cpu().numpy())


def _temperatures(temperature: torch.Tensor, *, below: float = math.inf) -> Array:
    require_tensor("temperature", temperature, "...", dtype=torch.float64)
    values = np.atleast_1d(temperature.cpu().numpy())
    wrong = (values != 0) & ((values < _COLDEST) | (values >= below))
    if wrong.any():
        upper = f" and < {below:g}" if math.isfinite(below) else ""
        raise ArgumentError("temperature", f"0, or values >= {_COLDEST:g}{upper}", f"{values[wrong][0]:g}")
    return values


def _pairs(load: torch.Tensor, temperature: torch.Tensor, *, below: float = math.inf) -> tuple[Array, Array]:
    """Return the values of load and temperature, broadcast to one shape."""
    loads, temperatures = _loads(load), _temperatures(temperature, below=below)
    try:
        loads, temperatures = np.broadcast_arrays(loads, temperatures)
    except ValueError:
        raise ArgumentError(
            "temperature",
            f"a shape that broadcasts with that of load, {tuple(load.shape)}",
            f"shape {tuple(temperature.shape)}",
        ) from None
    return loads, temperatures


def _sums(size: int) -> Array:
    """Sum of the signs for each of the 2^n combinations of n signs."""
    require_integer("size", size, at_least=1, at_most=15)
    return np.array([sum(signs) for signs in product((-1.0, 1.0), repeat=size)])


def _below_one(argument: str, value: float) -> None:
    if require_number(argument, value, at_least=0.0) >= 1.0:
        raise ArgumentError(argument, "a number in [0, 1)", f"{value:g}", "At T >= 1 nothing is recalled.")


def _like(values: Array, tensor: torch.Tensor) -> torch.Tensor:
    return torch.as_tensor(values, dtype=torch.float64, device=tensor.device).reshape(tensor.shape)
