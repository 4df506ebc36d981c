r"""On the way past a memory: what a network still recalls while it is losing a pattern, step by step.

All units of a memory with P random patterns of N units are updated at once, again and again,

.. math:: s_i \leftarrow \mathrm{sign}\, h_i, \qquad h_i = \sum_\mu \xi_i^\mu\, m_\mu^{n-1}, \qquad
          m_\mu = \frac1N \sum_{j \ne i} \xi_j^\mu s_j,

up to terms of lower order in 1/N. The load is :math:`\alpha = P / N^{n-1}`, the overlap with the pattern started near
is m, and :math:`g = (2n-3)!!\,\alpha` is the variance of the crosstalk in the first step. The degree n is 2 for
Hopfield's network and larger for dense memories.

The first step has no past: :func:`first_step`. In the second a unit hears itself. Its value :math:`s_i` moved the
overlaps with all patterns, these moved the other units, and those come back to it. For the function
:math:`f(c) = \alpha \langle x^{n-1} y^{n-1} \rangle` of the correlation c of two standard normal numbers x, y
(:func:`moment`) the field is, in a large network,

.. math:: h(t) = m(t)^{n-1} + \eta(t) + \sum_{t' < t} K(t, t')\, s(t'), \qquad
          \langle \eta(t)\, \eta(t') \rangle = f(C(t, t')), \quad K(t, t') = f'(C(t, t'))\, G(t, t') \qquad (n \ge 3),

with the correlation :math:`C(t, t') = \langle s(t)\, s(t') \rangle` and the response
:math:`G(t, t') = \partial \langle s(t) \rangle / \partial h(t')` of the same unit. For n = 2 a pattern that has grown a
little grows on, and the matrices are :math:`\alpha (1 - G)^{-1} C (1 - G^T)^{-1}` and :math:`\alpha (1 - G)^{-1} G`.
:func:`second_step` is its second step in closed form, :func:`one_unit` follows it further by drawing noise, and
:func:`without_past` is what is left when :math:`K` is left out.

Overlaps, loads and fields are dimensionless; laws take and give float64 tensors of any shape.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
from scipy import optimize

from memscape.arguments import (
    ArgumentError,
    require_broadcast,
    require_count,
    require_device,
    require_fit,
    require_function,
    require_generator,
    require_integer,
    require_integers,
    require_kind,
    require_number,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.capacity.capacity import crosstalk
from memscape.memory.hopfield import Graded, hebbian
from memscape.memory.patterns import flip, random_patterns
from memscape.tools import pieces
from memscape.tools.models import Updates
from memscape.tools.statistics import NORMAL, Estimate, crossing

__all__ = [
    "OneUnit",
    "Passage",
    "PowerLaw",
    "at_load",
    "break_even",
    "crossing_load",
    "edge",
    "first_step",
    "follow",
    "information",
    "large_network",
    "moment",
    "one_unit",
    "pass_by",
    "second_step",
    "slow_down",
    "steps_above",
    "without_past",
]

_STEEPEST = 50
"""Largest degree n: (2n - 3)!! and the squares of its terms stay far within a float64."""

_FRESH = 1e-4
"""Share of the crosstalk's variance that :func:`one_unit` draws afresh in every step, 1 % of its standard deviation.

Without it the noise of a unit that has settled repeats itself, and the response to it can no longer be read off.
"""

# Laws


def moment(power: int, correlation: torch.Tensor) -> torch.Tensor:
    r"""The moment :math:`\langle x^k y^k \rangle` of two standard normal numbers with a correlation c.

    .. math:: \sum_{j = k, k-2, \dots \ge 0} \Big[ \frac{k!}{2^l\, l!\, j!} \Big]^2 j!\; c^j, \qquad l = (k - j)/2,

    because :math:`x^k` is the sum of :math:`k! / (2^l l! j!)` times the Hermite polynomials of degree j, which are
    orthogonal with the square j! (Mehler 1866).

    Parameters
    ----------
    power
        k, 0 to 50.
    correlation
        c in [-1, 1], any shape.

    Returns
    -------
    torch.Tensor
        Same shape; at c = 1 it is :math:`(2k - 1)!!`.

    Raises
    ------
    ArgumentError
        If the power or a correlation is out of range.
    """
    require_integer("power", power, at_least=0, at_most=_STEEPEST)
    require_tensor("correlation", correlation, "...", dtype=torch.float64)
    if (correlation.abs() > 1).any():
        raise ArgumentError("correlation", "values in [-1, 1]", f"{correlation.abs().max():g}")
    return _moment(power, correlation)


def first_step(start: torch.Tensor, load: torch.Tensor, degree: int) -> torch.Tensor:
    r"""Overlap after one step, :math:`m_1 = \mathrm{erf}\big(m_0^{n-1} / \sqrt{2g}\big)`.

    Parameters
    ----------
    start
        Overlap :math:`m_0` at the start, in [0, 1]; which units are wrong is random.
    load
        :math:`\alpha = P / N^{n-1}`, in [1e-100, 1e100]; the shapes of both broadcast.
    degree
        Power n of the energy, 2 to 50.

    Returns
    -------
    torch.Tensor
        In [0, 1], the broadcast shape. At start 1 it is 1 - 2 ``capacity.gaussian_error``.

    Raises
    ------
    ArgumentError
        If an argument is out of range or the shapes do not broadcast.
    """
    start, load = _point(start, load, degree)
    return torch.erf(start ** (degree - 1) / (2 * _variance(load, degree)).sqrt())


def second_step(start: torch.Tensor, load: torch.Tensor, degree: int, *, past: bool = True) -> torch.Tensor:
    r"""Overlap after two steps, with what a unit hears of its own past.

    With the density :math:`\varphi` of a standard normal number at :math:`m_0^{n-1} / \sqrt g`, the response
    :math:`U = 2 \varphi / \sqrt g` and the correlation :math:`C = m_0 m_1`, the value at the start comes back with the
    strength :math:`r = (n-1)^2\, U \alpha\, \langle (xy)^{n-2} \rangle_C`. It helps a unit that was right and holds
    one that was wrong:

    .. math:: m_2 = \sum_{s = \pm 1} \frac{1 + s\,m_0}2\, \mathrm{erf}\Big( \frac{m_1^{n-1} + s\,r}{\sqrt{2v}} \Big).

    The variance v of the crosstalk is still g for n > 2, and
    :math:`\alpha + 4\varphi^2 + 4\sqrt\alpha\, C \varphi` for n = 2, where :math:`r = \alpha U`.

    Parameters
    ----------
    start, load, degree
        As for :func:`first_step`.
    past
        Without it r = 0: for n = 2 the second step as it is usually written after Amari & Maginu (1988).

    Returns
    -------
    torch.Tensor
        In [-1, 1], the broadcast shape.

    Raises
    ------
    ArgumentError
        If an argument is out of range or the shapes do not broadcast.
    """
    start, load = _point(start, load, degree)
    once = first_step(start, load, degree)
    variance = _variance(load, degree)
    response = _response(start ** (degree - 1), variance)
    returned = torch.zeros_like(once)
    if past:
        returned = (degree - 1) ** 2 * response * load * _moment(degree - 2, start * once)
    if degree == 2:
        variance = _grown(load, variance, response, start * once)
    signal = once ** (degree - 1)
    width = (2 * variance).sqrt()
    right = (1 + start) / 2 * torch.erf((signal + returned) / width)
    return right + (1 - start) / 2 * torch.erf((signal - returned) / width)


def without_past(start: torch.Tensor, load: torch.Tensor, degree: int, *, steps: int) -> torch.Tensor:
    r"""Overlaps step by step if no unit heard its own past: :math:`m \leftarrow \mathrm{erf}(m^{n-1} / \sqrt{2v})`.

    For n > 2 the variance v stays g. For n = 2 it grows, as is usually written after Amari & Maginu (1988): with the
    response :math:`U = 2\varphi(m / \sqrt v) / \sqrt v` and the next overlap m',
    :math:`v \leftarrow \alpha + U^2 v + 2 \alpha U m m'`.

    Parameters
    ----------
    start, load, degree
        As for :func:`first_step`.
    steps
        Number of steps, at least 1.

    Returns
    -------
    torch.Tensor
        Axes ``(steps + 1, ...)``, the start first.

    Raises
    ------
    ArgumentError
        If an argument is out of range or the shapes do not broadcast.
    """
    start, load = _point(start, load, degree)
    require_count("steps", steps)
    require_room(steps=steps, points=max(1, start.numel()))
    overlaps = [start]
    variance = _variance(load, degree)
    for _ in range(steps):
        now = overlaps[-1]
        overlaps.append(torch.erf(now ** (degree - 1) / (2 * variance).sqrt()))
        if degree == 2:
            variance = _grown(load, variance, _response(now, variance), now * overlaps[-1])
    return torch.stack(overlaps)


def edge(degree: int) -> tuple[float, float]:
    r"""Where the recursion without a past loses the pattern: the largest load with a fixed point, and its overlap.

    With :math:`y = m^{n-1} / \sqrt v` the fixed points are explicit functions of y,
    :math:`m = \mathrm{erf}(y / \sqrt2)` and :math:`v = (m^{n-1} / y)^2`: :math:`\alpha = v / (2n-3)!!` for n > 2, and
    :math:`\alpha = (m^2 / y^2 - 4 \varphi^2) / (1 + 4 \varphi m y)` for n = 2. The largest is the edge.

    Parameters
    ----------
    degree
        Power n of the energy, 2 to 50.

    Returns
    -------
    tuple of two numbers
        The load and the overlap.

    Raises
    ------
    ArgumentError
        If the degree is out of range.
    """
    _require_degree(degree)

    def load(y: float) -> float:
        m = math.erf(y / math.sqrt(2))
        if degree > 2:
            return (m ** (degree - 1) / y) ** 2 / crosstalk(degree)
        density = math.exp(-y * y / 2) / math.sqrt(2 * math.pi)
        return (m * m / y**2 - 4 * density**2) / (1 + 4 * density * m * y)

    best = optimize.minimize_scalar(lambda y: -load(y), bounds=(0.8, 6.0), method="bounded", options={"xatol": 1e-10})
    return load(best.x), math.erf(best.x / math.sqrt(2))


def break_even(start: torch.Tensor, degree: int) -> torch.Tensor:
    r"""Load up to which one step improves a cue: :math:`m_0^{2(n-1)} / [2 (2n-3)!!\, \mathrm{erf}^{-1}(m_0)^2]`.

    Parameters
    ----------
    start
        Overlap :math:`m_0` of the cue, in (0, 1), any shape.
    degree
        Power n of the energy, 2 to 50.

    Returns
    -------
    torch.Tensor
        Same shape. For n = 2 it tends to :math:`2/\pi` as the cue gets weak, for n > 2 to 0.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_tensor("start", start, "...", dtype=torch.float64)
    if ((start <= 0) | (start >= 1)).any():
        raise ArgumentError("start", "values in (0, 1)", f"{start.min():g} to {start.max():g}")
    _require_degree(degree)
    # The quotient first: squares of small overlaps are below a float.
    small = start < 1e-100
    quotient = start.masked_fill(small, 1e-100) / torch.erfinv(start.masked_fill(small, 1e-100))
    return (quotient * start ** (degree - 2)) ** 2 / (2 * float(crosstalk(degree)))


def information(overlap: torch.Tensor) -> torch.Tensor:
    r"""Bits a unit that a state tells of a pattern, :math:`1 - H_2\big((1 - m) / 2\big)`, errors being independent.

    Parameters
    ----------
    overlap
        m in [-1, 1], any shape.

    Returns
    -------
    torch.Tensor
        Same shape, in [0, 1]: 0 at m = 0, 1 at m = 1 and at m = -1.

    Raises
    ------
    ArgumentError
        If an overlap is out of range.
    """
    require_tensor("overlap", overlap, "...", dtype=torch.float64)
    if (overlap.abs() > 1).any():
        raise ArgumentError("overlap", "values in [-1, 1]", f"{overlap.abs().max():g}")
    right = (1 + overlap) / 2
    return (1 - (torch.special.entr(right) + torch.special.entr(1 - right)) / math.log(2.0)).clamp(0.0, 1.0)


# The law of all steps


@dataclass(frozen=True)
class OneUnit:
    """One unit of an infinite network, followed by :func:`one_unit`; T steps, leading axes those of its loads.

    Attributes
    ----------
    overlap
        m(t), axes ``(..., T + 1)``, the start first.
    correlation
        C(t, t'), axes ``(..., T + 1, T + 1)``.
    response
        G(t, t'), same axes, zero for t' >= t; its last row stays zero, since no step asks for it.
    """

    overlap: torch.Tensor
    correlation: torch.Tensor
    response: torch.Tensor


def one_unit(
    start: torch.Tensor, load: torch.Tensor, degree: int, *, steps: int, paths: int, generator: torch.Generator
) -> OneUnit:
    r"""Follow the process in the module's head by drawing paths of its noise: an infinite network, any number of steps.

    The noise of all steps is one scrambled Sobol point a path, turned into normal numbers: near the end of recall few
    units are wrong, and independent paths would say their share badly.

    Every step needs the correlations and responses of the steps before, and those are averages over paths. The
    response is the correlation of a unit with the noise that drove it (Eissfeller & Opper 1992): with
    :math:`\eta = L z`, L triangular and z independent, :math:`\langle s(t) z^T \rangle = G L`.

    Parameters
    ----------
    start, load, degree
        As for :func:`first_step`.
    steps
        Number of steps T, 1 to 21201.
    paths
        Paths M, 2 to 2^30, best a power of two. The same paths serve all loads. Runs with other generators are
        independent and their spread says how sure an overlap is; errors of a step are fed into all later ones, so
        that where a pattern is about to be lost a bias stays until M is large.
    generator
        A CPU generator: draws the scrambling.

    Returns
    -------
    OneUnit
        On the device of the load. A share 1e-4 of the crosstalk's variance is drawn afresh in every step.

    Raises
    ------
    ArgumentError
        If an argument is out of range or the shapes do not broadcast.
    """
    start, load = _point(start, load, degree)
    require_integer("steps", steps, at_least=1, at_most=torch.quasirandom.SobolEngine.MAXDIM)
    require_integer("paths", paths, at_least=2, at_most=2**torch.quasirandom.SobolEngine.MAXBIT)
    require_room(steps=3 * steps, paths=paths)
    require_room(points=max(1, load.numel()), steps=3 * (steps + 1), also=steps + 1)
    require_generator("generator", generator)
    noise = _spread(steps, paths, generator).to(load.device)
    shape, starts, loads = load.shape, start.reshape(-1), load.reshape(-1)
    # Values and noise of a load in 4 bytes each, and what a step makes of them.
    some = pieces.slices(len(loads), pieces.fitting(4 * paths * (steps + 5)))
    found = [_one_unit(starts[part], loads[part], degree, noise) for part in some]
    overlap, correlation, response = (torch.cat(parts) for parts in zip(*found, strict=True))
    square = (*shape, steps + 1, steps + 1)
    return OneUnit(overlap.reshape(*shape, steps + 1), correlation.reshape(square), response.reshape(square))


def _spread(steps: int, paths: int, generator: torch.Generator) -> torch.Tensor:
    """Normal numbers ``(T, M)``, float32, even over the paths, from points that a generator scrambles."""
    seed = int(torch.randint(2**31, (), generator=generator, device="cpu"))
    points = torch.quasirandom.SobolEngine(steps, scramble=True, seed=seed).draw(paths, dtype=torch.float64)
    # A point on a face of the cube would be an infinite number.
    return torch.special.ndtri(points.T.clamp(2.0**-31, 1 - 2.0**-31)).float().contiguous()


def _one_unit(
    start: torch.Tensor, load: torch.Tensor, degree: int, noise: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Overlap ``(B, T + 1)``, correlation and response ``(B, T + 1, T + 1)`` at loads ``(B,)``; noise ``(T, M)``."""
    steps, paths = noise.shape
    # What there is of every path is in float32, for speed; averages over paths are in float64.
    kept = noise.new_empty(len(load), steps + 1, paths)
    # The shares of right and wrong at the start are exact, which units are wrong does not matter.
    where = (torch.arange(paths, dtype=load.dtype, device=load.device) + 0.5) / paths
    kept[:, 0] = torch.where(where < (1 + start[:, None]) / 2, 1.0, -1.0)
    overlap = load.new_zeros(len(load), steps + 1)
    overlap[:, 0] = start
    correlation = torch.eye(steps + 1, dtype=load.dtype, device=load.device).repeat(len(load), 1, 1)
    response, factor = torch.zeros_like(correlation), torch.zeros_like(correlation)
    for t in range(steps):
        now = slice(t + 1)
        if t > 0:
            driven = (kept[:, t] @ noise[:t].T).double()[:, None] / paths
            before = factor[:, :t, :t]
            response[:, t, :t] = torch.linalg.solve_triangular(before, driven, upper=False, left=False)[:, 0]
        covariance, kernel = _felt(correlation[:, now, now], response[:, now, now], load, degree)
        if t > 0:
            factor[:, t, :t] = torch.linalg.solve_triangular(before, covariance[:, :t, t:], upper=False)[..., 0]
        rest = covariance[:, t, t] - factor[:, t, :t].square().sum(dim=-1)
        factor[:, t, t] = (rest.clamp(min=0.0) + _FRESH * _variance(load, degree)).sqrt()
        field = factor[:, t, now].float() @ noise[now] + (kernel[:, None].float() @ kept[:, now])[:, 0]
        field += (overlap[:, t] ** (degree - 1))[:, None]
        kept[:, t + 1] = torch.where(field > 0, 1.0, -1.0)
        after = slice(t + 2)
        products = (kept[:, after] @ kept[:, t + 1, :, None])[..., 0].double() / paths
        correlation[:, t + 1, after] = correlation[:, after, t + 1] = products
        overlap[:, t + 1] = kept[:, t + 1].mean(dim=-1, dtype=torch.float64)
    return overlap, correlation, response


def _felt(
    correlation: torch.Tensor, response: torch.Tensor, load: torch.Tensor, degree: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Covariance of the noise ``(B, T, T)``, and the weights ``(B, T)`` of the past in the last field."""
    alpha = load[:, None, None]
    if degree == 2:
        one = torch.eye(response.shape[-1], dtype=load.dtype, device=load.device)
        grown = torch.linalg.solve_triangular(one - response, one.expand_as(response), upper=False)
        return alpha * grown @ correlation @ grown.mT, (alpha * (grown - one))[:, -1]
    # A correlation of paths is 1 up to rounding.
    c = correlation.clamp(-1.0, 1.0)
    return alpha * _moment(degree - 1, c), (alpha * (degree - 1) ** 2 * _moment(degree - 2, c) * response)[:, -1]


# Networks


def follow(
    build: Callable[[torch.Tensor], Updates],
    neurons: int,
    count: int,
    *,
    flips: int = 0,
    networks: int,
    probes: int,
    steps: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Draw networks of random patterns, start near some of them, and note the overlap after every synchronous step.

    Parameters
    ----------
    build
        Makes a model of patterns ``(P, N)``, float32: ``hopfield.hebbian``, or a ``DenseMemory`` with its interaction.
    neurons, count
        Neurons N and patterns P of each network.
    flips
        Wrong units at the start, 0 to N, chosen at random for every probe.
    networks
        Networks to draw, one after another.
    probes
        Patterns of each network to start from, at most P.
    steps
        Steps to make, at least 1.
    generator
        A CPU generator: draws patterns, then wrong units.
    device
        Where to compute.

    Returns
    -------
    torch.Tensor
        Overlap with the pattern started from, float64, on the CPU, axes ``(networks, probes, steps + 1)``.

    Raises
    ------
    ArgumentError
        If a size is out of range, there are more probes than patterns, or a model refuses its argument.
    """
    require_function("build", build)
    overlap = _paths(neurons, count, flips, networks, probes, steps, generator)
    for network in range(networks):
        wanted, state = _drawn(overlap, network, neurons, count, flips, generator, device)
        model, before, wanted = build(wanted), None, wanted[:probes]
        for step in range(steps):
            after = model.update(state)
            if before is not None and torch.equal(after, before):
                # All at rest or in cycles of two: the overlaps repeat from here on.
                for rest in range(step + 1, steps + 1):
                    overlap[network, :, rest] = overlap[network, :, rest - 2]
                break
            overlap[network, :, step + 1] = _agreement(after, wanted)
            before, state = state, after
    return overlap


def at_load(
    build: Callable[[torch.Tensor], Updates],
    neurons: int,
    load: float,
    degree: int,
    *,
    start: float = 1.0,
    bits: int,
    steps: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    r"""What :func:`follow` finds at a load and an overlap of the start, with as many starts as the bits ask for.

    Parameters
    ----------
    build, neurons, steps, generator, device
        As for :func:`follow`.
    load
        :math:`\alpha = P / N^{n-1}`, positive; P is rounded, and at least 1.
    degree
        Power n of the energy, 2 to 50.
    start
        Overlap of the start, in [-1, 1], rounded to whole units.
    bits
        Bits to look at, rounded up to whole starts; at most 100 starts share a network.

    Returns
    -------
    torch.Tensor
        Overlaps, axes ``(networks, probes, steps + 1)``.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    _require_degree(degree)
    require_count("neurons", neurons, at_least=2)
    load = require_number("load", load, above=0.0, at_most=1e100)
    require_number("start", start, at_least=-1.0, at_most=1.0)
    starts = -(-require_count("bits", bits) // neurons)
    count = max(1, round(Fraction(load) * neurons ** (degree - 1)))  # whole numbers, which no size overflows
    probes = min(count, starts, 100)
    shape = {"networks": -(-starts // probes), "probes": probes, "steps": steps}
    flips = round(neurons * (1 - start) / 2)
    return follow(build, neurons, count, flips=flips, **shape, generator=generator, device=device)


@dataclass(frozen=True)
class Passage:
    r"""Paths of graded units past a pattern, noted by :func:`pass_by`; axes ``(networks, probes, steps + 1)``.

    Attributes
    ----------
    overlap
        Cosine of the angle between the outputs and the pattern, :math:`\xi \cdot V / (\sqrt N |V|)`, in [-1, 1].
    speed
        Mean square of the time derivative of the potentials, :math:`|\dot u|^2 / N`.
    """

    overlap: torch.Tensor
    speed: torch.Tensor

    @property
    def slow_points(self) -> torch.Tensor:
        """Overlap where the speed of a path has its first dip or, if it has none, is least: axes (networks, probes)."""
        inner = self.speed[..., 1:-1]
        dips = (inner < self.speed[..., :-2]) & (inner < self.speed[..., 2:])
        at = torch.where(dips.any(dim=-1), 1 + dips.cumsum(dim=-1).eq(0).sum(dim=-1), self.speed.argmin(dim=-1))
        return self.overlap.gather(-1, at[..., None])[..., 0]


def pass_by(
    neurons: int,
    count: int,
    *,
    flips: int = 0,
    gain: float = 1.2,
    step: float = 0.02,
    steps: int = 500,
    networks: int,
    probes: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Passage:
    r"""Follow the graded network of 1984 with Hebbian weights from damaged patterns: :math:`\dot u = -u + W \tanh(gu)`.

    The potentials start at the cue, -1 and +1.

    Parameters
    ----------
    neurons, count, flips, networks, probes, generator, device
        As for :func:`follow`.
    gain
        g, positive.
    step
        Length of an Euler step, positive, in units of the time constant of a unit.
    steps
        Steps to make, at least 1.

    Returns
    -------
    Passage
        Float64, on the CPU.

    Raises
    ------
    ArgumentError
        If an argument is out of range, or the potentials grow beyond float32.
    """
    require_number("gain", gain, above=0.0)
    require_number("step", step, above=0.0)
    overlap = _paths(neurons, count, flips, networks, probes, steps, generator)
    speed = torch.zeros_like(overlap)
    for network in range(networks):
        wanted, potential = _drawn(overlap, network, neurons, count, flips, generator, device)
        weights = hebbian(wanted).weights
        model, wanted = Graded(weights, torch.zeros_like(weights[0]), gain), wanted[:probes]
        for at in range(steps + 1):
            velocity = model.flow(potential)
            outputs = model.output(potential)
            # A potential of zero has no direction; neither has it an overlap.
            length = outputs.norm(dim=-1).clamp(min=torch.finfo(outputs.dtype).tiny) * math.sqrt(neurons)
            overlap[network, :, at] = ((outputs * wanted).sum(dim=-1) / length).double().clamp(-1.0, 1.0)
            speed[network, :, at] = require_fit("step", velocity.square().mean(dim=-1)).double()
            potential = potential + step * velocity
    return Passage(overlap, speed)


def _paths(
    neurons: int, count: int, flips: int, networks: int, probes: int, steps: int, generator: torch.Generator
) -> torch.Tensor:
    """Room for overlaps, ``(networks, probes, steps + 1)``, if all sizes are in order."""
    require_count("neurons", neurons, at_least=2)
    require_count("count", count)
    require_integer("flips", flips, at_least=0, at_most=neurons)
    require_count("networks", networks)
    require_integer("probes", probes, at_least=1, at_most=count)
    require_count("steps", steps)
    require_room(networks=networks, probes=probes, steps=2 * (steps + 1))
    require_generator("generator", generator)
    return torch.zeros(networks, probes, steps + 1, dtype=torch.float64, device="cpu")


def _drawn(
    overlap: torch.Tensor,
    network: int,
    neurons: int,
    count: int,
    flips: int,
    generator: torch.Generator,
    device: torch.device | str,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Patterns ``(P, N)`` of one network and its probes ``(B, N)``; notes the overlap of these."""
    patterns = random_patterns(
        count, neurons, generator=generator, dtype=torch.float32, device=require_device("device", device)
    )
    wanted = patterns[: overlap.shape[1]]
    probes = flip(wanted, flips, generator=generator)
    overlap[network, :, 0] = _agreement(probes, wanted)
    return patterns, probes


def _agreement(state: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return 1.0 - 2.0 * (state != wanted).sum(dim=-1).double().cpu() / wanted.shape[-1]


# Reading trajectories


def steps_above(overlap: torch.Tensor, level: float) -> torch.Tensor:
    """Number of steps until an overlap first falls below a level.

    Parameters
    ----------
    overlap
        Axes ``(..., T + 1)``, the start first.
    level
        The level, a finite number.

    Returns
    -------
    torch.Tensor
        Integers, axes ``(...)``: 0 where the start is below, T + 1 where no step is.

    Raises
    ------
    ArgumentError
        If an overlap or the level is not finite.
    """
    require_tensor("overlap", overlap, "... steps")
    require_number("level", level)
    below = overlap < level
    return torch.where(below.any(dim=-1), below.long().argmax(dim=-1), overlap.shape[-1])


def crossing_load(counts: Sequence[int], shares: Sequence[Estimate], level: float) -> Estimate:
    """Number of patterns at which a rising share first crosses a level, between the two neighbours that enclose it.

    A share that falls or rises like a cliff is no straight line over many loads; between two it may be taken for one
    (:func:`memscape.tools.statistics.crossing`).

    Parameters
    ----------
    counts
        Numbers of patterns P, rising, at least two.
    shares
        The share measured at each.
    level
        The share to find, in (0, 1).

    Raises
    ------
    ArgumentError
        If the counts do not rise, the lengths differ, or no two neighbours enclose the level.
    """
    require_sequence("counts", counts, "numbers of patterns")
    require_number("level", level, above=0.0, at_most=0.999999)
    for point in require_sequence("shares", shares, "estimates"):
        require_kind("shares", point, Estimate)
    for count in counts:
        require_count("counts", count)
    if len(counts) != len(shares) or any(after <= before for before, after in itertools.pairwise(counts)):
        raise ArgumentError("counts", "rising counts, one a share", f"{len(counts)} for {len(shares)}")
    for at in range(len(counts) - 1):
        if shares[at].value <= level < shares[at + 1].value:
            return crossing(counts[at : at + 2], shares[at : at + 2], level)
    raise ArgumentError("level", "a level that the shares rise through", f"{level:g}", "Measure at more loads.")


def large_network(sizes: Sequence[int], found: Sequence[Estimate]) -> Estimate:
    """What estimates at several sizes N tend to as N grows: a weighted straight line in 1/N, read at 0.

    Parameters
    ----------
    sizes
        Numbers of neurons N, at least two different ones.
    found
        The estimate at each, with an interval that is no point.

    Returns
    -------
    Estimate
        With its 95 % interval, widened by the scatter about the line where that is more than the estimates' own, and
        the trials of all sizes together.

    Raises
    ------
    ArgumentError
        If the lengths differ, there are fewer than two sizes, or an interval has no width.
    """
    require_sequence("sizes", sizes, "numbers of neurons")
    for one in require_sequence("found", found, "estimates"):
        require_kind("found", one, Estimate)
    for size in sizes:
        require_count("sizes", size)
    if len(sizes) != len(found) or len(set(sizes)) < 2:
        raise ArgumentError("sizes", "at least two different sizes, one an estimate", f"{len(sizes)} for {len(found)}")
    errors = np.array([(one.high - one.low) / (2 * NORMAL) for one in found])
    if not (np.isfinite(errors) & (errors > 0)).all():
        raise ArgumentError("found", "intervals of a finite width above 0", f"{errors.min():g} and more")
    values = np.array([one.value for one in found])
    design = np.stack([np.ones(len(sizes)), 1.0 / np.array(sizes, dtype=float)], axis=1) / errors[:, None]
    covariance = np.linalg.inv(design.T @ design)
    line = covariance @ design.T @ (values / errors)
    spare = len(sizes) - 2
    scatter = float(((values / errors - design @ line) ** 2).sum()) / spare if spare else 1.0
    half = NORMAL * math.sqrt(covariance[0, 0] * max(1.0, scatter))
    return Estimate(float(line[0]), float(line[0]) - half, float(line[0]) + half, sum(one.trials for one in found))


@dataclass(frozen=True)
class PowerLaw:
    r"""A fit :math:`t = A\,(\alpha - \alpha_*)^{-x}` of times against loads, by :func:`slow_down`.

    Attributes
    ----------
    exponent, pole
        x and :math:`\alpha_*`, with 95 % intervals of a bootstrap over trials.
    misfit
        Root mean square of what is left of ln t.
    """

    exponent: Estimate
    pole: Estimate
    misfit: float


def slow_down(
    loads: Sequence[float], times: np.ndarray, *, resamples: int = 400, generator: torch.Generator
) -> PowerLaw:
    r"""Fit :math:`t = A\,(\alpha - \alpha_*)^{-x}` to the mean times at several loads, all three free.

    For every pole on a grid between 0 and the smallest load the rest is a straight line of :math:`\ln t` against
    :math:`\ln(\alpha - \alpha_*)`; the pole with the least squares wins.

    Parameters
    ----------
    loads
        Loads, rising, positive, at least four.
    times
        Positive integers, axes ``(loads, trials)``: steps of each of two or more trials, others at each load.
    resamples
        Resamples of the trials, at least 2.
    generator
        A CPU generator.

    Raises
    ------
    ArgumentError
        If the loads do not rise, the times do not fit them or are not positive, or there are too few of either.
    """
    require_sequence("loads", loads, "loads")
    places = np.array([require_number("loads", load, above=0.0, at_most=1e100) for load in loads])
    if len(places) < 4 or (np.diff(places) <= 1e-9 * places[-1]).any() or places[0] < 1e-9 * places[-1]:
        raise ArgumentError("loads", "four or more rising loads", f"{len(places)} loads")
    found = require_integers("times", times, (None, None))
    if len(found) != len(places) or found.shape[1] < 2 or (found < 1).any() or (found > 2**53).any():
        expected = f"positive steps with axes (loads, trials), {len(places)} loads and two or more trials"
        raise ArgumentError("times", expected, f"shape {found.shape}")
    require_count("resamples", resamples, at_least=2)
    require_room(resamples=resamples, loads=len(places), poles=400)
    require_generator("generator", generator)
    trials = found.shape[1]
    drawn = torch.randint(trials, (resamples, *found.shape), generator=generator, device="cpu").numpy()
    again = np.take_along_axis(found[None].astype(float), drawn, axis=2).mean(axis=-1)
    (exponent,), (pole,), misfit = _fitted(places, found.mean(axis=1)[None])
    exponents, poles, _ = _fitted(places, again)
    ends = [np.quantile(values, [0.025, 0.975]) for values in (exponents, poles)]
    estimates = [
        Estimate(float(value), float(min(value, low)), float(max(value, high)), trials)
        for value, (low, high) in zip((exponent, pole), ends, strict=True)
    ]
    return PowerLaw(estimates[0], estimates[1], float(misfit[0]))


def _fitted(loads: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Exponent, pole and misfit of every row of mean times ``(B, loads)``."""
    span = loads[-1] - loads[0]
    # Distances of the pole from the smallest load: log-spaced, since near it a little matters much.
    poles = loads[0] - np.geomspace(1e-3 * span, loads[0], 400)
    x = np.log(loads - poles[:, None])
    x -= x.mean(axis=1, keepdims=True)
    y = np.log(times)
    y -= y.mean(axis=1, keepdims=True)
    slopes = y @ x.T / (x**2).sum(axis=1)
    left = (y**2).sum(axis=1, keepdims=True) - slopes**2 * (x**2).sum(axis=1)
    best = left.argmin(axis=1)
    rows = np.arange(len(y))
    return -slopes[rows, best], poles[best], np.sqrt(np.maximum(left[rows, best], 0.0) / len(loads))


# What the laws share


def _moment(power: int, correlation: torch.Tensor) -> torch.Tensor:
    found = torch.zeros_like(correlation)
    for degree in range(power % 2, power + 1, 2):
        pairs = (power - degree) // 2
        factor = math.factorial(power) // (2**pairs * math.factorial(pairs) * math.factorial(degree))
        found = found + float(factor**2 * math.factorial(degree)) * correlation**degree
    return found


def _variance(load: torch.Tensor, degree: int) -> torch.Tensor:
    """g, the variance of the crosstalk in the first step."""
    return float(crosstalk(degree)) * load


def _response(signal: torch.Tensor, variance: torch.Tensor) -> torch.Tensor:
    """U, the change of the mean sign of a Gaussian field with its mean."""
    return math.sqrt(2 / math.pi) * torch.exp(-(signal**2) / (2 * variance)) / variance.sqrt()


def _grown(
    load: torch.Tensor, variance: torch.Tensor, response: torch.Tensor, correlation: torch.Tensor
) -> torch.Tensor:
    """Variance of the next crosstalk at n = 2: overlaps with other patterns feed on themselves."""
    return load + response**2 * variance + 2 * load * response * correlation


def _require_degree(degree: int) -> None:
    require_integer("degree", degree, at_least=2, at_most=_STEEPEST)


def _point(start: torch.Tensor, load: torch.Tensor, degree: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Start and load, broadcast to one shape, if they and the degree are in order."""
    _require_degree(degree)
    require_tensor("load", load, "...", dtype=torch.float64)
    require_tensor("start", start, "...", dtype=torch.float64, device=load.device)
    if ((start < 0) | (start > 1)).any():
        raise ArgumentError("start", "values in [0, 1]", f"{start.min():g} to {start.max():g}")
    if ((load < 1e-100) | (load > 1e100)).any():
        raise ArgumentError("load", "values in [1e-100, 1e100]", f"{load.min():g} to {load.max():g}")
    shape = require_broadcast("start", tuple(start.shape), tuple(load.shape))
    return start.expand(shape), load.expand(shape)
