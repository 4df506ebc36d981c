r"""Diffusion from finitely many data as an associative memory: when a datum catches, and when it stops being a valley.

Data :math:`\xi^\mu` that diffuse for a time t, :math:`x_t = e^{-t}\xi + \sqrt{1 - e^{-2t}}\,z` with Gaussian z, lose
their names: seen from :math:`x_t` a datum has the weight

.. math:: w_\mu \propto \exp\Bigl(-\frac{|x_t - e^{-t}\xi^\mu|^2}{2(1 - e^{-2t})}\Bigr) ,

a softmax over the data. Going back in time the weight of one datum takes over. :func:`collapse_time` says when that is
for Gaussian data, by counting how much entropy is left (Biroli et al. 2024 call it the excess entropy), and
:func:`collapse` finds it.

Near the end all of it is an energy with the data as memories,

.. math:: E(x) = -\frac1b \ln \sum_\mu e^{-b |x - \xi^\mu|^2},

whose valleys Pham et al. (2025) follow as data are added. For data on a circle of radius 1 a step of mean shift down
this energy is the update of a modern Hopfield network with :math:`\beta = 2b`, and the energy of infinitely many data
is :math:`R^2 + 1 - \frac1b \ln I_0(2bR)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from scipy import optimize

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_fit,
    require_generator,
    require_integer,
    require_number,
    require_room,
    require_tensor,
)
from memscape.tools import pieces

__all__ = ["Valleys", "circle", "collapse", "collapse_time", "descend", "energy", "merging_distance", "ring_energy"]


def collapse_time(dimension: int, count: int, spread: float = 1.0) -> float:
    r"""Time :math:`t_C = \frac12 \ln\bigl(1 + s^2/(n^{2/d} - 1)\bigr)` below which one of n Gaussian data catches.

    At time t a datum is blurred into a cloud of variance :math:`1 - e^{-2t}` a coordinate, and all data together into
    one of variance :math:`1 - e^{-2t} + s^2 e^{-2t}`. One cloud stands alone as long as n of them do not fill the
    whole, :math:`n < [1 + s^2/(e^{2t} - 1)]^{d/2}`.

    Parameters
    ----------
    dimension
        Coordinates d, at least 1.
    count
        Data n, at least 2.
    spread
        Standard deviation s of the data in each coordinate, positive.

    Returns
    -------
    float
        Time, dimensionless; the noise has variance 1 - exp(-2t).

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_count("dimension", dimension)
    require_count("count", count, at_least=2)
    require_number("spread", spread, above=0.0, at_most=1e100)
    # The logarithm first: n^(2/d) - 1 is small in many dimensions and beyond a float in few.
    crowding = 2.0 * math.log(count) / dimension
    exponent = 2.0 * math.log(spread) - crowding - math.log(-math.expm1(-crowding))
    return math.log1p(math.exp(exponent)) / 2.0


def collapse(
    dimension: int,
    count: int,
    *,
    spread: float = 1.0,
    draws: int,
    starts: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    r"""Time at which the datum that a path started from holds half of the weight, for many paths, by bisection.

    Parameters
    ----------
    dimension, count
        Coordinates d and data n of each draw.
    spread
        Standard deviation of the data, 1e-3 to 1e3.
    draws, starts
        Sets of data, and paths of each, from different data (all of them where there are fewer).
    generator
        A CPU generator.
    device
        Where to compute.

    Returns
    -------
    torch.Tensor
        Times in (1e-6, 20), float64, axes ``(draws, starts)``. Each path keeps its noise z at all times.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_count("dimension", dimension)
    require_count("count", count, at_least=2)
    require_number("spread", spread, at_least=1e-3, at_most=1e3)
    require_count("draws", draws)
    require_count("starts", starts)
    require_room(count=count, dimension=dimension)
    require_room(draws=draws, starts=min(starts, count))
    require_generator("generator", generator)
    device, found = require_device("device", device), []
    for _ in range(draws):
        data = spread * torch.randn(count, dimension, generator=generator, dtype=torch.float64, device="cpu")
        noise = torch.randn(min(starts, count), dimension, generator=generator, dtype=torch.float64, device="cpu")
        found.append(_halves(data.to(device), noise.to(device)).cpu())
    return torch.stack(found)


def _halves(data: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Times at which the first data hold half of the weight, seen from where the noise carries them."""
    times = []
    for some in pieces.slices(len(noise), pieces.fitting(4 * 8 * len(data))):
        z, own = noise[some], data[some]
        # |x - e^-t xi|^2 = |e^-t (a - xi) + sigma z|^2: distances and products do not change with t.
        square = (own.square().sum(dim=1)[:, None] + data.square().sum(dim=1) - 2 * own @ data.mT).clamp(min=0)
        along = (z * own).sum(dim=1)[:, None] - z @ data.mT
        index = torch.arange(some.start, some.stop, device=data.device)[:, None]
        low, high = (torch.full((len(z), 1), value, dtype=data.dtype, device=data.device) for value in (1e-6, 20.0))
        for _ in range(40):
            middle = (low * high).sqrt()
            shrunk = torch.exp(-middle)
            sigma = torch.sqrt(-torch.expm1(-2 * middle))
            others = -(shrunk / sigma) * (square * (shrunk / sigma) / 2 + along)
            caught = torch.logsumexp(others.scatter(1, index, -torch.inf), dim=1, keepdim=True) <= 0
            low, high = torch.where(caught, middle, low), torch.where(caught, high, middle)
        times.append((low * high).sqrt()[:, 0])
    return torch.cat(times)


def energy(state: torch.Tensor, data: torch.Tensor, sharpness: float) -> torch.Tensor:
    r"""Energy :math:`-\frac1b \ln \sum_\mu e^{-b|x - \xi^\mu|^2}` of every state.

    Parameters
    ----------
    state
        Axes ``(*G, S, D)``, finite.
    data
        Axes ``(*G, K, D)``, finite, dtype and device of the state.
    sharpness
        b, in units of one over a squared distance, 1e-6 to 1e6.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, S)``, in units of a squared distance.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    _require_data(state, data, sharpness)
    square = torch.cdist(state, data, compute_mode="donot_use_mm_for_euclid_dist").square()
    result = -torch.logsumexp(-sharpness * square, dim=-1) / sharpness
    if not result.isfinite().all():
        raise ArgumentError("state", "distances whose squares the dtype holds", "larger ones", "Scale all down.")
    return result


def ring_energy(radius: torch.Tensor, sharpness: float) -> torch.Tensor:
    r"""Energy :math:`R^2 + 1 - \frac1b \ln I_0(2bR)` at distance R from the middle of a circle full of data.

    It is the energy above for K data spread evenly on a circle of radius 1, plus :math:`\frac1b \ln K`, as K grows.

    Parameters
    ----------
    radius
        R, not negative, any shape.
    sharpness
        b, 1e-6 to 1e6.

    Returns
    -------
    torch.Tensor
        Same axes, in units of the squared radius of the circle.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_tensor("radius", radius, "...", values="nonnegative")
    require_number("sharpness", sharpness, at_least=1e-6, at_most=1e6)
    wide = radius.double()
    # I0 grows like exp, which is taken out: (R - 1)^2 is what is left of R^2 + 1 - 2R.
    result = ((wide - 1).square() - torch.special.i0e(2 * sharpness * wide).log() / sharpness).to(radius.dtype)
    if not result.isfinite().all():
        raise ArgumentError("radius", "values whose squares the dtype holds", f"{radius.max():g}")
    return result


def merging_distance(sharpness: float) -> float:
    r"""Distance below which two data share one valley, found as the zero of the curvature half-way between them.

    In closed form :math:`b\,d^2 = 2`: there the second derivative along their line, :math:`2 - b\,d^2`, changes sign.

    Parameters
    ----------
    sharpness
        b, 1e-6 to 1e6.

    Raises
    ------
    ArgumentError
        If b is out of range.
    """
    require_number("sharpness", sharpness, at_least=1e-6, at_most=1e6)

    def curvature(distance: float) -> float:
        ends = torch.tensor([-distance / 2, distance / 2], dtype=torch.float64, device="cpu")
        middle = torch.zeros((), dtype=torch.float64, device="cpu", requires_grad=True)
        along = -torch.logsumexp(-sharpness * (middle - ends).square(), dim=0) / sharpness
        (slope,) = torch.autograd.grad(along, middle, create_graph=True)
        return float(torch.autograd.grad(slope, middle)[0])

    unit = sharpness**-0.5
    return float(optimize.brentq(curvature, 0.1 * unit, 10.0 * unit, xtol=1e-12 * unit))


def circle(count: int, *, draws: int, generator: torch.Generator, device: torch.device | str = "cpu") -> torch.Tensor:
    """Points at independent uniform angles on the circle of radius 1.

    Parameters
    ----------
    count, draws
        Points K of a draw, and draws.
    generator
        A CPU generator.
    device
        Where they live.

    Returns
    -------
    torch.Tensor
        float64, axes ``(draws, K, 2)``.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, or there is no such device.
    """
    require_count("count", count)
    require_count("draws", draws)
    require_room(draws=draws, count=count)
    require_generator("generator", generator)
    device = require_device("device", device)
    angle = 2 * math.pi * torch.rand(draws, count, generator=generator, dtype=torch.float64, device="cpu")
    return torch.stack([angle.cos(), angle.sin()], dim=-1).to(device)


@dataclass(frozen=True)
class Valleys:
    r"""Where descents on the circle ended.

    Attributes
    ----------
    state
        float64, axes ``(draws, starts, 2)``.
    gap
        Distance of each to the nearest datum, in units of :math:`1/\sqrt{2b}`, axes ``(draws, starts)``.
    moved
        Distance of each from its start, in the same unit.
    stable
        Whether each is a minimum: the smaller curvature is positive; same axes.
    resting
        Whether each had stopped moving, same axes.
    """

    state: torch.Tensor
    gap: torch.Tensor
    moved: torch.Tensor
    stable: torch.Tensor
    resting: torch.Tensor


def descend(
    data: torch.Tensor, state: torch.Tensor, sharpness: float, *, steps: int = 2000, jitter: float = 1e-6
) -> Valleys:
    """Go down the energy of data on a circle by mean shift and, where it is convex, by Newton's method.

    Parameters
    ----------
    data
        Axes ``(draws, K, 2)``, float64, on the circle of radius 1.
    state
        Starts, axes ``(draws, S, 2)``, float64; left untouched.
    sharpness
        b, 1e-6 to 1e6.
    steps
        Most steps; they end when the mean shift of no state is above 1e-9 of the unit of length.
    jitter
        How far starts are moved along a fixed direction, in the unit of length, so that none rests on a saddle.

    Raises
    ------
    ArgumentError
        If axes, values or dtypes do not fit, the data are not on the circle, or an argument is out of range.
    """
    require_tensor("data", data, "draws data 2", dtype=torch.float64)
    _require_data(state, data, sharpness)
    if data.shape[-1] != 2 or state.dim() != 3:
        raise ArgumentError("data", "axes (draws, data, 2)", f"shape {tuple(data.shape)}")
    if ((data.norm(dim=-1) - 1).abs() > 1e-9).any():
        raise ArgumentError("data", "points on the circle of radius 1", "others", "Divide by their length.")
    require_integer("steps", steps, at_least=1, at_most=10**7)
    require_number("jitter", jitter, at_least=0.0, at_most=1.0)
    unit = (2 * sharpness) ** -0.5
    here = state + jitter * unit * torch.tensor([0.6, 0.8], dtype=state.dtype, device=state.device)
    flat = torch.tensor([1.0, 0.0, 1.0], dtype=state.dtype, device=state.device)
    outer = (data[..., :, None] * data[..., None, :]).flatten(-2)[..., [0, 1, 3]]
    for step in range(steps + 1):
        weights = torch.softmax(2 * sharpness * here @ data.mT, dim=-1)
        pull = weights @ data - here
        # Curvature over 2: one minus 2 b times the covariance of the data as seen from here.
        mean = here + pull
        second = (weights @ outer) - torch.stack([mean[..., 0] ** 2, mean.prod(dim=-1), mean[..., 1] ** 2], dim=-1)
        xx, xy, yy = (flat - 2 * sharpness * second).unbind(dim=-1)
        determinant = xx * yy - xy**2
        stable = (determinant > 0) & (xx + yy > 0)
        still = pull.norm(dim=-1) <= 1e-9 * unit
        if still.all() or step == steps:
            break
        # Where the energy is convex, Newton's step, at most a tenth of the unit: mean shift is slow on a flat ring.
        newton = torch.stack([yy * pull[..., 0] - xy * pull[..., 1], xx * pull[..., 1] - xy * pull[..., 0]], dim=-1)
        newton = newton / torch.where(stable, determinant, 1.0)[..., None]
        newton = newton * (0.1 * unit / newton.norm(dim=-1, keepdim=True).clamp(min=0.1 * unit))
        here = here + torch.where(stable[..., None], newton, pull)
    gap, moved = torch.cdist(here, data).amin(dim=-1) / unit, (here - state).norm(dim=-1) / unit
    return Valleys(require_fit("state", here), require_fit("state", gap), require_fit("state", moved), stable, still)


def _require_data(state: torch.Tensor, data: torch.Tensor, sharpness: float) -> None:
    sizes: dict[str, int] = {}
    require_tensor("data", data, "... data coordinates", sizes=sizes)
    require_tensor("state", state, "... states coordinates", sizes=sizes, device=data.device, dtype=data.dtype)
    if state.shape[:-2] != data.shape[:-2]:
        raise ArgumentError("state", f"leading axes {tuple(data.shape[:-2])}", f"shape {tuple(state.shape)}")
    require_number("sharpness", sharpness, at_least=1e-6, at_most=1e6)
