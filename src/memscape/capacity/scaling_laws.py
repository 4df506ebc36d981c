r"""Power laws with error bars: exponent, constant and decades, from repeated draws of a whole curve.

A power law :math:`E = c\, s^{-x}` is read off as a straight line through logarithms. Its exponent means little without
its constant, the range of sizes and an interval. Points of one curve share their draws, so that residuals about the
line say nothing of the error. Here whole curves are drawn again (:func:`resample`), the mean of each sample is fitted,
and the interval is that of the fits (:func:`estimate`).

Other forms: a power above a floor (:func:`floored`), and two powers at once (:func:`fit_joint`),

.. math:: E = \big[ (A d^{-x})^r + (B T^{-y})^r \big]^{1/r} ,

with r = 1 for a sum and r = 1/y for the form of Kaplan et al. (2020), :math:`[(N_c/N)^{x/y} + T_c/T]^y`.
:func:`cheapest` finds the least error that a cost allows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import interpolate, optimize

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_finite,
    require_integer,
    require_kind,
    require_number,
    require_numbers,
    require_rng,
    require_room,
)
from memscape.tools.bootstrap import bootstrapped
from memscape.tools.statistics import Estimate

__all__ = [
    "Floored",
    "Joint",
    "PowerLaw",
    "cheapest",
    "estimate",
    "fit_joint",
    "floored",
    "line",
    "power_law",
    "resample",
]

Array = npt.NDArray[np.float64]
FORMS = ("sum", "kaplan", "free")


def resample(values: npt.ArrayLike, resamples: int, *, rng: np.random.Generator) -> Array:
    """The mean over independent draws, and the means of as many draws with replacement, again and again.

    Parameters
    ----------
    values
        Measurements, finite, axes ``(draws, ...)``: what belongs to one draw stays together.
    resamples
        Samples to draw.
    rng
        A numpy generator.

    Returns
    -------
    numpy.ndarray
        Axes ``(1 + resamples, ...)``: the mean of all draws comes first.

    Raises
    ------
    ArgumentError
        If there are fewer than two draws, values are not finite, or the number of samples is not positive.
    """
    data = require_finite("values", require_numbers("values", values))
    if data.ndim < 1 or data.shape[0] < 2 or data.size == 0:
        raise ArgumentError("values", "axes (draws, ...) with two draws or more", f"shape {data.shape}")
    require_count("resamples", resamples)
    require_rng("rng", rng)
    require_room(resamples=resamples, draws=len(data))
    require_room(resamples=resamples, values=data[0].size)
    often = rng.multinomial(len(data), np.full(len(data), 1 / len(data)), size=resamples) / len(data)
    weights = np.concatenate([np.full((1, len(data)), 1 / len(data)), often])
    return np.asarray(np.tensordot(weights, data, axes=1))


def estimate(samples: npt.ArrayLike, *, trials: int) -> Estimate:
    """A number with the interval that holds 95 % of what resampling gave.

    Parameters
    ----------
    samples
        The number from all draws, then those from every sample, finite, axes ``(1 + resamples,)``.
    trials
        Number of independent draws.

    Raises
    ------
    ArgumentError
        If there is no sample, or numbers are not finite.
    """
    found = require_finite("samples", require_numbers("samples", samples))
    if found.ndim != 1 or len(found) < 2:
        raise ArgumentError("samples", "one axis of two numbers or more", f"shape {found.shape}")
    return bootstrapped(float(found[0]), found[1:], trials)


def line(sizes: npt.ArrayLike, errors: npt.ArrayLike) -> tuple[Array, Array]:
    r"""Exponent and constant of :math:`E = c\, s^k`: straight lines through logarithms, every point of one weight.

    Parameters
    ----------
    sizes
        s, positive, two or more that differ, axes ``(sizes,)``.
    errors
        E, positive, axes ``(..., sizes)``.

    Returns
    -------
    tuple of numpy.ndarray
        k and c, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If axes or values do not fit.
    """
    across, up = _curve(sizes, errors)
    along = np.log(across) - np.log(across).mean()
    high = np.log(up)
    slope = (high @ along) / (along @ along)
    return slope, np.exp(high.mean(axis=-1) - slope * np.log(across).mean())


@dataclass(frozen=True)
class PowerLaw:
    """What a power law needs to be one.

    Attributes
    ----------
    exponent, constant
        k and c of :math:`E = c s^k`, with their intervals over independent draws.
    decades
        Decimal logarithm of the largest size over the smallest.
    """

    exponent: Estimate
    constant: Estimate
    decades: float


def power_law(sizes: npt.ArrayLike, errors: npt.ArrayLike, *, resamples: int, rng: np.random.Generator) -> PowerLaw:
    """A power law through the mean of independent curves, with intervals from curves drawn again.

    Parameters
    ----------
    sizes
        Positive, two or more that differ, axes ``(sizes,)``.
    errors
        Axes ``(draws, sizes)``, not negative, every mean positive.
    resamples, rng
        As for :func:`resample`.

    Raises
    ------
    ArgumentError
        If axes or values do not fit, or a resampled mean is zero, which has no logarithm.
    """
    means = resample(errors, resamples, rng=rng)
    slopes, constants = line(sizes, means)
    if slopes.ndim != 1:
        raise ArgumentError("errors", "axes (draws, sizes)", f"{slopes.ndim + 1} axes")
    across = require_numbers("sizes", sizes)
    draws = len(require_numbers("errors", errors))
    decades = math.log10(across.max()) - math.log10(across.min())
    return PowerLaw(estimate(slopes, trials=draws), estimate(constants, trials=draws), decades)


@dataclass(frozen=True)
class Floored:
    r"""A power above a floor, :math:`E = E_\infty + c\, s^{-x}`.

    Attributes
    ----------
    floor, constant, exponent
        :math:`E_\infty`, which may come out below zero, c and x, axes ``(...)``.
    """

    floor: Array
    constant: Array
    exponent: Array


def floored(sizes: npt.ArrayLike, errors: npt.ArrayLike) -> Floored:
    r"""Fit :math:`E = E_\infty + c\, s^{-x}` with the least sum of squared relative residuals.

    For a given x it is a line in :math:`s^{-x}`. The best x from 0.01 to 4 is looked for on a grid, and on a finer one.

    Parameters
    ----------
    sizes
        s, positive, four or more that differ, axes ``(sizes,)``.
    errors
        E, positive, axes ``(..., sizes)``.

    Raises
    ------
    ArgumentError
        If axes or values do not fit.
    """
    across, up = _curve(sizes, errors)
    if len(np.unique(across)) < 4:
        raise ArgumentError("sizes", "four or more that differ", str(len(np.unique(across))))
    if up.max() / up.min() > 1e50 or across.max() / across.min() > 1e50:
        raise ArgumentError("errors", "errors and sizes within fifty decades", f"{up.min():g} to {up.max():g}")
    shape, unit = up.shape[:-1], math.exp(np.log(up).mean())
    flat = up.reshape(-1, up.shape[-1]) / unit
    across = across / math.exp(np.log(across).mean())
    grid = np.broadcast_to(np.geomspace(0.01, 4.0, 121), (len(flat), 121))
    for _ in range(4):
        floors, constants, left = _lines(across, flat, grid)
        best = left.argmin(axis=-1)[:, None]
        near = np.clip(best + np.array([-1, 1]), 0, grid.shape[-1] - 1)
        ends = np.take_along_axis(grid, near, axis=-1)
        taken = [np.take_along_axis(each, best, axis=-1)[:, 0] for each in (floors, constants, grid)]
        grid = ends[:, :1] * (ends[:, 1:] / ends[:, :1]) ** np.linspace(0, 1, 25)
    mean = math.exp(np.log(require_numbers("sizes", sizes)).mean())
    floor, constant, exponent = (each.reshape(shape) for each in taken)
    constant = require_finite("errors", np.asarray(constant * unit * mean**exponent))
    return Floored(np.asarray(floor * unit), constant, exponent)


def _lines(across: Array, up: Array, powers: Array) -> tuple[Array, Array, Array]:
    """Floors, constants and squared relative residuals for every power: axes ``(curves, powers)``."""
    falling = across ** -powers[..., None]
    weight = 1 / up[:, None] ** 2
    total = weight.sum(axis=-1)
    mean = (weight * falling).sum(axis=-1) / total
    middle = (weight * up[:, None]).sum(axis=-1) / total
    about = falling - mean[..., None]
    constants = (weight * about * up[:, None]).sum(axis=-1) / np.maximum((weight * about**2).sum(axis=-1), 1e-300)
    floors = middle - constants * mean
    left = (weight * (floors[..., None] + constants[..., None] * falling - up[:, None]) ** 2).sum(axis=-1)
    return floors, constants, left


@dataclass(frozen=True)
class Joint:
    r"""Two powers at once, :math:`E = [(A d^{-x})^r + (B T^{-y})^r]^{1/r}`.

    Attributes
    ----------
    first, second
        Constants A and B, positive.
    x, y
        Exponents, positive where errors fall.
    r
        Power of the mean: 1 for a sum; the larger, the more the larger term alone counts.
    """

    first: float
    second: float
    x: float
    y: float
    r: float

    def log_error(self, dimensions: npt.ArrayLike, draws: npt.ArrayLike) -> Array:
        """Logarithm of the error, axes ``(dimensions, draws)``; sizes are positive."""
        across = np.log(_positive("dimensions", dimensions))[:, None]
        down = np.log(_positive("draws", draws))[None]
        numbers = np.array([math.log(self.first), math.log(self.second), self.x, self.y, self.r])
        return _log_joint(numbers, across, down)


def fit_joint(
    dimensions: npt.ArrayLike,
    draws: npt.ArrayLike,
    errors: npt.ArrayLike,
    *,
    form: str,
    used: npt.ArrayLike | None = None,
    start: Joint | None = None,
) -> Joint:
    r"""Fit two powers at once to the logarithms of errors on a grid, by least squares.

    Parameters
    ----------
    dimensions, draws
        d and T, positive, axes ``(dimensions,)`` and ``(draws,)``.
    errors
        Positive, axes ``(dimensions, draws)``.
    form
        ``"sum"``, r = 1; ``"kaplan"``, r = 1/y (Kaplan et al. 2020); or ``"free"``.
    used
        Points that the fit sees, booleans, axes of the errors; by default all. At least six.
    start
        Where to begin; by default at exponents of one half.

    Raises
    ------
    ArgumentError
        If axes or values do not fit.
    """
    across, down = _positive("dimensions", dimensions), _positive("draws", draws)
    high = require_finite("errors", require_numbers("errors", errors, "positive numbers"))
    if high.shape != (len(across), len(down)) or (high <= 0).any():
        raise ArgumentError("errors", f"positive, axes {len(across)} x {len(down)}", f"shape {high.shape}")
    require_choice("form", form, FORMS)
    seen = np.ones(high.shape, dtype=bool) if used is None else np.asarray(used)
    if seen.dtype != np.bool_ or seen.shape != high.shape or seen.sum() < 6:
        raise ArgumentError("used", f"booleans with axes {high.shape}, six or more true", f"shape {seen.shape}")
    begin = require_kind("start", start, Joint) if start is not None else _start(across, down, high)
    there = np.broadcast_to(np.log(across)[:, None], high.shape)[seen]
    then = np.broadcast_to(np.log(down)[None], high.shape)[seen]
    target = np.log(high)[seen]
    numbers = np.array([math.log(begin.first), math.log(begin.second), begin.x, begin.y])
    if form == "free":
        numbers = np.append(numbers, math.log(begin.r))

    def whole(some: Array) -> Array:
        r = math.exp(min(5.0, max(-5.0, some[4]))) if form == "free" else 1.0
        return np.append(some[:4], 1 / max(some[3], 1e-3) if form == "kaplan" else r)

    def off(some: Array) -> Array:
        return np.asarray(_log_joint(whole(some), there, then) - target)

    found = optimize.least_squares(off, numbers, method="lm")
    constants = np.exp(np.clip(found.x[:2], -700.0, 700.0))
    return Joint(*(float(each) for each in (*constants, *whole(found.x)[2:])))


def _start(across: Array, down: Array, high: Array) -> Joint:
    """Half of the error at the smallest sizes from either cause, both with the power one half."""
    corner = high[across.argmin(), down.argmin()] / 2
    return Joint(float(corner * across.min() ** 0.5), float(corner * down.min() ** 0.5), 0.5, 0.5, 1.5)


def _log_joint(numbers: Array, across: Array, down: Array) -> Array:
    first, second, x, y, r = numbers
    return np.asarray(np.logaddexp(r * (first - x * across), r * (second - y * down)) / r)


def cheapest(
    dimensions: npt.ArrayLike,
    draws: npt.ArrayLike,
    errors: npt.ArrayLike,
    costs: npt.ArrayLike,
    *,
    power: float = 2.0,
    points: int = 200,
) -> Array:
    r"""The least error at a cost :math:`C = d^k T`, on a measured surface.

    Logarithms are interpolated between neighbouring points of the grid, and the best of many dimensions is taken.

    Parameters
    ----------
    dimensions, draws
        d and T, positive and rising, two or more of each.
    errors
        Positive, axes ``(surfaces, dimensions, draws)``.
    costs
        C, positive, axes ``(costs,)``; for each some d of the range needs a T of the range.
    power
        k, in (0, 10].
    points
        Dimensions tried, evenly spaced in their logarithm.

    Returns
    -------
    numpy.ndarray
        Positive, axes ``(surfaces, costs)``.

    Raises
    ------
    ArgumentError
        If axes or values do not fit, or a cost is out of reach.
    """
    across, down = _positive("dimensions", dimensions), _positive("draws", draws)
    for name, sizes in (("dimensions", across), ("draws", down)):
        if len(sizes) < 2 or (np.diff(sizes) <= 0).any():
            raise ArgumentError(name, "two numbers or more, rising", str(len(sizes)))
    high = require_finite("errors", require_numbers("errors", errors, "positive numbers"))
    if high.ndim != 3 or high.shape[1:] != (len(across), len(down)) or not len(high) or (high <= 0).any():
        raise ArgumentError("errors", "positive, axes (surfaces, dimensions, draws)", f"shape {high.shape}")
    price = np.log(_positive("costs", costs))
    require_number("power", power, above=0.0, at_most=10.0)
    require_integer("points", points, at_least=2, at_most=10**6)
    require_room(costs=len(price), points=points, surfaces=len(high))
    wide = np.linspace(math.log(across[0]), math.log(across[-1]), points)
    long = price[:, None] - power * wide
    reach = (long >= math.log(down[0])) & (long <= math.log(down[-1]))
    if not reach.any(axis=1).all():
        raise ArgumentError("costs", "costs that some dimension and number of draws of the grid has", "others")
    surface = interpolate.RegularGridInterpolator((np.log(across), np.log(down)), np.log(high).transpose(1, 2, 0))
    long = long.clip(math.log(down[0]), math.log(down[-1]))
    logs = surface(np.stack(np.broadcast_arrays(wide, long), axis=-1))
    return np.exp(np.where(reach[..., None], logs, np.inf).min(axis=1)).T


def _curve(sizes: npt.ArrayLike, errors: npt.ArrayLike) -> tuple[Array, Array]:
    across = _positive("sizes", sizes)
    if len(np.unique(across)) < 2:
        raise ArgumentError("sizes", "two or more that differ", str(len(across)))
    up = require_finite("errors", require_numbers("errors", errors, "positive numbers"))
    if up.ndim < 1 or up.shape[-1] != len(across) or not up.size or (up <= 0).any():
        raise ArgumentError("errors", f"positive numbers, {len(across)} on the last axis", f"shape {up.shape}")
    return across, up


def _positive(name: str, values: npt.ArrayLike) -> Array:
    sizes = require_finite(name, require_numbers(name, values, "positive numbers"))
    if sizes.ndim != 1 or not sizes.size or (sizes <= 0).any():
        raise ArgumentError(name, "one axis of positive numbers", f"shape {sizes.shape}")
    return sizes
