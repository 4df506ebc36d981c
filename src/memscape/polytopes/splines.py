r"""Networks of rectified units are splines: affine on each of many convex regions, and the regions can be counted.

A **max-affine** unit takes the largest of some affine functions (Balestriero & Baraniuk 2018),

.. math:: y_k(x) = \max_r \, \langle A_{k,r}, x \rangle + B_{k,r} ,

and a rectified unit is one with two pieces, one of them zero. Which piece wins in every unit is the *code* of x. The
inputs of one layer that share a code form a cell of a power diagram (:meth:`MaxAffine.cell`). The inputs of a whole
:class:`Network` that share a code form a convex polytope, and on it the network is one affine function.

On a plane these polytopes are polygons. :func:`regions` finds all of them in a window, exactly: layer by layer and unit
by unit, each polygon is cut by the unit's own line in that polygon, all polygons at once. Along a straight line they
are intervals, and :func:`crossings` counts those for many lines at once. What random networks have is compared with
what hyperplanes could have (:func:`zaslavsky`, :func:`cover`) and what a network can be built to have
(:func:`folding`).
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as functional
from scipy.optimize import linprog

from memscape.arguments import (
    ArgumentError,
    described,
    require_count,
    require_fit,
    require_generator,
    require_integer,
    require_kind,
    require_number,
    require_rng,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.polytopes.polygons import Line, Polygons, convex, cut, doubts, exact_sign, sides, signs
from memscape.tools import pieces
from memscape.tools.models import Model
from memscape.tools.training import adamw

__all__ = [
    "Crossings",
    "MaxAffine",
    "Network",
    "Regions",
    "Winners",
    "cover",
    "crossings",
    "folding",
    "he",
    "patterns_by_programs",
    "plane",
    "rectified",
    "regions",
    "train",
    "winners",
    "zaslavsky",
]

_EPS = torch.finfo(torch.float64).eps


_MOST_TERMS = 10000
"""Longest sum of binomials: its numbers have thousands of digits."""


def zaslavsky(hyperplanes: int, dimension: int) -> int:
    r"""Regions of hyperplanes in general position, :math:`\sum_{j \le d} \binom{m}{j}` (Zaslavsky 1975).

    Raises
    ------
    ArgumentError
        If ``hyperplanes`` is negative, or ``dimension`` is not an integer from 1 to 10000.
    """
    require_integer("hyperplanes", hyperplanes, at_least=0)
    require_count("dimension", dimension, at_most=_MOST_TERMS)
    # Beyond m all binomials are zero.
    return sum(math.comb(hyperplanes, j) for j in range(min(dimension, hyperplanes) + 1))


def cover(patterns: int, neurons: int) -> int:
    r"""Regions of P hyperplanes through the origin of R^N in general position (Cover 1965).

    .. math:: C(P, N) = 2 \sum_{k < N} \binom{P - 1}{k}

    Raises
    ------
    ArgumentError
        If a number is not a positive integer, or there are more than 10000 neurons.
    """
    require_integer("patterns", patterns, at_least=1)
    require_count("neurons", neurons, at_most=_MOST_TERMS)
    # Beyond P - 1 all binomials are zero.
    return 2 * sum(math.comb(patterns - 1, k) for k in range(min(neurons, patterns)))


@dataclass(frozen=True)
class MaxAffine:
    r"""A layer of K units with R pieces each, of D inputs.

    Parameters
    ----------
    slopes
        A, axes ``(K, R, D)``, a floating dtype.
    offsets
        B, axes ``(K, R)``.

    Notes
    -----
    Balestriero & Baraniuk 2018, ICML.
    """

    slopes: torch.Tensor
    offsets: torch.Tensor

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("slopes", self.slopes, "units pieces inputs", sizes=sizes)
        device, dtype = self.slopes.device, self.slopes.dtype
        require_tensor("offsets", self.offsets, "units pieces", sizes=sizes, device=device, dtype=dtype)

    def pieces(self, x: torch.Tensor) -> torch.Tensor:
        """All affine functions at x, axes ``(..., D)`` to ``(..., K, R)``."""
        sizes = {"inputs": self.slopes.shape[-1]}
        require_tensor("x", x, "... inputs", sizes=sizes, device=self.slopes.device, dtype=self.slopes.dtype)
        return torch.einsum("krd,...d->...kr", self.slopes, x) + self.offsets

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs, axes ``(..., D)`` to ``(..., K)``."""
        return self.pieces(x).amax(dim=-1)

    def code(self, x: torch.Tensor) -> torch.Tensor:
        """Which piece wins in every unit, integers ``(..., K)``; the first of equals."""
        return self.pieces(x).argmax(dim=-1)

    def cell(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        r"""Centres and weights of the power diagram: the layer's cells as those of balls.

        The code of x maximises :math:`\sum_k \langle A_{k,\omega_k}, x \rangle + B_{k,\omega_k}`, unit by unit. With
        :math:`\mu_\omega = \sum_k A_{k,\omega_k}` and :math:`b_\omega = \sum_k B_{k,\omega_k}`, twice this sum is

        .. math:: 2 \langle \mu_\omega, x \rangle + 2 b_\omega
                  = \lVert x \rVert^2 - \left( \lVert x - \mu_\omega \rVert^2 - \tau_\omega \right), \qquad
                  \tau_\omega = \lVert \mu_\omega \rVert^2 + 2 b_\omega ,

        so the code is that of the centre whose power distance :math:`\lVert x - \mu \rVert^2 - \tau` is smallest.

        Parameters
        ----------
        codes
            Integers ``(C, K)`` in 0..R - 1.

        Returns
        -------
        centres, weights
            mu, axes ``(C, D)``, and tau, axes ``(C)``: the square of a radius, up to a constant common to all.

        Raises
        ------
        ArgumentError
            If the codes do not fit.

        Notes
        -----
        Balestriero, Cosentino, Aazhang & Baraniuk 2019, NeurIPS.
        """
        units, pieces, _ = self.slopes.shape
        fits = isinstance(codes, torch.Tensor) and codes.dtype == torch.int64 and codes.ndim == 2
        if not fits or codes.shape[1] != units:
            raise ArgumentError("codes", f"int64 of shape (codes, {units})", described(codes))
        if ((codes < 0) | (codes >= pieces)).any():
            raise ArgumentError("codes", f"integers in [0, {pieces - 1}]", "others")
        each = torch.arange(units, device=codes.device)
        centres = self.slopes[each, codes].sum(dim=1)
        return centres, centres.square().sum(dim=-1) + 2 * self.offsets[each, codes].sum(dim=1)


def rectified(weights: torch.Tensor, biases: torch.Tensor) -> MaxAffine:
    """Rectified units as max-affine ones: piece 0 is zero, piece 1 is W x + b.

    Parameters
    ----------
    weights, biases
        W, axes ``(K, D)``, and b, axes ``(K)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit or a value is not finite.
    """
    sizes: dict[str, int] = {}
    require_tensor("weights", weights, "units inputs", sizes=sizes)
    require_tensor("biases", biases, "units", sizes=sizes, device=weights.device, dtype=weights.dtype)
    slopes = torch.stack((torch.zeros_like(weights), weights), dim=1)
    return MaxAffine(slopes, torch.stack((torch.zeros_like(biases), biases), dim=1))


@dataclass(frozen=True)
class Network(Model):
    """Layers of rectified units and a last layer without rectification.

    Parameters
    ----------
    weights
        One matrix a layer, axes ``(n_l, n_{l-1})``; at least two: the last one reads the units out.
    biases
        One vector a layer, axes ``(n_l)``.
    """

    weights: tuple[torch.Tensor, ...]
    biases: tuple[torch.Tensor, ...]

    def __post_init__(self) -> None:
        require_sequence("weights", self.weights, "matrices, one a layer")
        require_sequence("biases", self.biases, "vectors, one a layer")
        if len(self.weights) < 2 or len(self.biases) != len(self.weights):
            got = f"{len(self.weights)} and {len(self.biases)}"
            raise ArgumentError("weights, biases", "the same number of layers, at least 2", got)
        first = self.weights[0]
        for number, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            sizes = {} if number == 0 else {"inputs": self.weights[number - 1].shape[0]}
            device, dtype = (None, None) if number == 0 else (first.device, first.dtype)
            require_tensor(f"weights[{number}]", weights, "units inputs", sizes=sizes, device=device, dtype=dtype)
            device, dtype = first.device, first.dtype
            require_tensor(f"biases[{number}]", biases, "units", sizes=sizes, device=device, dtype=dtype)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units of each rectified layer."""
        return tuple(len(biases) for biases in self.biases[:-1])

    def potentials(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What each layer computes before rectification, ``(..., n_0)`` to one ``(..., n_l)`` a layer, readout last."""
        first = self.weights[0]
        sizes = {"inputs": first.shape[1]}
        require_tensor("x", x, "... inputs", sizes=sizes, device=first.device, dtype=first.dtype)
        found: list[torch.Tensor] = []
        for weights, biases in zip(self.weights, self.biases, strict=True):
            found.append(functional.linear(found[-1].relu() if found else x, weights, biases))
        return tuple(found)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        """Outputs, axes ``(..., n_0)`` to ``(..., n_L)``."""
        return self.potentials(x)[-1]

    def code(self, x: torch.Tensor) -> torch.Tensor:
        """Which rectified units are on, booleans ``(..., units)``, layer after layer."""
        return torch.cat(self.potentials(x)[:-1], dim=-1) > 0

    def on(self, origin: torch.Tensor, axes: torch.Tensor) -> Network:
        """The network of the two coordinates (u, v) at the input origin + u axes[0] + v axes[1], in float64.

        Parameters
        ----------
        origin, axes
            Axes ``(n_0)`` and ``(2, n_0)``; see :func:`plane`.
        """
        first = self.weights[0].double()
        sizes = {"inputs": first.shape[1], "coordinates": 2}
        require_tensor("origin", origin, "inputs", sizes=sizes, dtype=torch.float64, device=first.device)
        require_tensor("axes", axes, "coordinates inputs", sizes=sizes, dtype=torch.float64, device=first.device)
        weights = (first @ axes.T, *(each.double() for each in self.weights[1:]))
        biases = (first @ origin + self.biases[0].double(), *(each.double() for each in self.biases[1:]))
        return Network(weights, biases)


def plane(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Coordinates of the plane through three points, distances kept.

    Parameters
    ----------
    points
        Axes ``(3, D)``, float64.

    Returns
    -------
    origin, axes, places
        The mean of the points ``(D)``; two orthonormal vectors ``(2, D)``, the first along the side from point 0 to
        point 1; and the coordinates of the points, ``(3, 2)``, so that places @ axes + origin are the points.

    Raises
    ------
    ArgumentError
        If the axes or the dtype are others, or the points lie on one straight line.
    """
    require_tensor("points", points, "points inputs", sizes={"points": 3}, dtype=torch.float64)
    axes, corner = torch.linalg.qr((points[1:] - points[0]).T)
    if points.shape[1] < 2 or corner.diagonal().abs().min() <= 1e-9 * corner.abs().max():
        raise ArgumentError("points", "three points that span a plane", "three on one straight line")
    axes = (axes * corner.diagonal().sign()).T.contiguous()
    origin = points.mean(dim=0)
    return origin, axes, (points - origin) @ axes.T


def he(widths: Sequence[int], *, bias: float = 0.1, rng: np.random.Generator) -> Network:
    r"""A random network: weights of variance 2 / n_{l-1}, so that signals keep their size (He et al. 2015).

    Parameters
    ----------
    widths
        n_0, n_1, ..., n_L: inputs, rectified layers, outputs.
    bias
        Standard deviation of the biases, not negative.
    rng
        The generator of the Gaussian weights and biases.

    Returns
    -------
    Network
        In float64, on the CPU.

    Raises
    ------
    ArgumentError
        If there are fewer than three widths or one is not a positive integer, the bias is negative, or ``rng``
        is no generator of NumPy.
    """
    if len(require_sequence("widths", widths, "integers")) < 3:
        raise ArgumentError("widths", "inputs, at least one layer and outputs", str(list(widths)))
    for number, width in enumerate(widths):
        require_integer(f"widths[{number}]", width, at_least=1)
    require_number("bias", bias, at_least=0.0)
    require_rng("rng", rng)
    weights, biases = [], []
    for before, width in itertools.pairwise(widths):
        weights.append(torch.from_numpy(rng.normal(scale=math.sqrt(2 / before), size=(width, before))))
        biases.append(torch.from_numpy(rng.normal(scale=bias, size=width)))
    return Network(tuple(weights), tuple(biases))


def folding(layers: int) -> Network:
    r"""A network made to have many regions: every layer of four units folds the plane twice.

    The tent :math:`|2x| - 1 = 2 [x]_+ + 2 [-x]_+ - 1`, of both coordinates, maps the square [-1, 1]^2 onto itself, four
    to one. So each layer multiplies the number of regions in the square by four (the idea of Pascanu, Montufar & Bengio
    2014).

    Parameters
    ----------
    layers
        Rectified layers, at least 1.

    Returns
    -------
    Network
        Two inputs, four units a layer and the two folded coordinates as outputs, float64.

    Raises
    ------
    ArgumentError
        If ``layers`` is not a positive integer, or the weights do not fit in memory.
    """
    require_count("layers", layers)
    require_room(layers=layers, units=4 * 4)
    split = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=torch.float64, device="cpu")
    tent = 2 * split.abs().T
    weights = (split, *[split @ tent] * (layers - 1), tent)
    biases = (split.new_zeros(4), *[-split.sum(dim=1)] * (layers - 1), -split.new_ones(2))
    return Network(weights, biases)


@dataclass(frozen=True)
class Regions:
    """The polygons of a window on which a network is affine.

    Attributes
    ----------
    polygons
        R polygons; the label of an edge is the unit whose line it lies on, counted through all layers.
    codes
        Booleans ``(R, units)``: which units are on.
    outputs
        (a_1, a_2, b) of every output in every region, axes ``(R, n_L, 3)``.
    settled
        How many signs were within the bound on rounding and were settled with fractions.
    """

    polygons: Polygons
    codes: torch.Tensor
    outputs: torch.Tensor
    settled: int


def regions(network: Network, vertices: torch.Tensor) -> Regions:
    """All regions of a network of two inputs in a convex window.

    In a region of the layers so far, every unit of the next layer is affine and has one line. A unit's own line cuts
    each polygon in at most two, so that a region of all layers is one polygon: the number of polygons is the number of
    activation patterns that occur in the window.

    Every sign is right: one that rounding may have decided is settled with fractions, the weights being exactly the
    numbers that the floats are.

    Parameters
    ----------
    network
        Two inputs, float64; :meth:`Network.on` gives the one of a plane.
    vertices
        The window, as for :func:`memscape.polytopes.polygons.convex`.

    Returns
    -------
    Regions
        The polygons, their codes and the affine functions on them.

    Raises
    ------
    ArgumentError
        If the network has another number of inputs, or another dtype or device than the window.
    """
    _require_planar(network)
    polygons = convex(vertices)
    if vertices.device != network.weights[0].device:
        raise ArgumentError("vertices", f"device {network.weights[0].device}", str(vertices.device))
    exact = _Exact(network, sides(polygons))
    codes = torch.empty(1, 0, dtype=torch.bool, device=vertices.device)
    # The units of a layer as affine functions, region by region; those of the first are what they are.
    forms = torch.cat((network.weights[0], network.biases[0][:, None]), dim=1)[None]
    errors = torch.zeros_like(forms)
    settled = 0
    for weights, biases in zip(network.weights[1:], network.biases[1:], strict=True):
        home = torch.arange(len(polygons), device=vertices.device)
        for unit in range(weights.shape[1]):
            lines, uncertainty = forms[home, unit], errors[home, unit]
            found = signs(polygons, lines, uncertainty)
            for region, corner, *meeting in doubts(polygons, found):
                found[region, corner] = exact(codes[region], *meeting)
                settled += 1
            done = cut(polygons, lines, found, codes.shape[1], uncertainty)
            polygons, home = done.polygons, home[done.parents]
            codes = torch.cat((codes[done.parents], done.sides[:, None] > 0), dim=1)
        on = codes[:, -weights.shape[1] :, None]
        forms, errors = _composed(weights, biases, forms[home] * on, errors[home] * on)
    return Regions(polygons, codes, forms, settled)


def _composed(
    weights: torch.Tensor, biases: torch.Tensor, forms: torch.Tensor, errors: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Affine functions of the next layer from those of the last, ``(R, n, 3)`` to ``(R, m, 3)``, and their errors."""
    offset = functional.pad(biases[:, None], (2, 0))
    # A sum of n products and a bias is off by at most n + 1 rounding units of the sum of their sizes, in any order; the
    # rest is for the libraries, as in polygons.
    size = weights.abs() @ forms.abs() + offset.abs()
    return weights @ forms + offset, weights.abs() @ errors + (weights.shape[1] + 64) * _EPS * size


class _Exact:
    """Signs of units at vertices in whole numbers: floats are whole multiples of a power of two, and signs keep."""

    def __init__(self, network: Network, base: Sequence[Line]) -> None:
        self._base = base
        self._layers = [_whole(w, b) for w, b in zip(network.weights[:-1], network.biases[:-1], strict=True)]
        self._starts = np.cumsum([0, *network.widths]).tolist()
        self._scales = np.cumprod(np.array([1, *(scale for _, _, scale in self._layers)], dtype=object))
        self._known: dict[tuple[int, tuple[bool, ...]], npt.NDArray[np.object_]] = {}

    def __call__(self, code: torch.Tensor, before: int, after: int) -> int:
        """Sign of the next unit in the region of ``code`` where the lines ``before`` and ``after`` meet."""
        on = tuple(code.tolist())
        return exact_sign(self._line(len(on), on), self._line(before, on), self._line(after, on))

    def _line(self, unit: int, on: tuple[bool, ...]) -> Line:
        if unit < 0:
            return self._base[-1 - unit]
        layer = bisect.bisect_right(self._starts, unit) - 1
        weights, biases, _ = self._layers[layer]
        row = unit - self._starts[layer]
        line = weights[row] @ self._inputs(layer, on[: self._starts[layer]])
        line[2] += biases[row] * self._scales[layer]
        return tuple(line)

    def _inputs(self, layer: int, on: tuple[bool, ...]) -> npt.NDArray[np.object_]:
        """What the layer sees, as affine functions ``(n, 3)`` times a common power of two."""
        if layer == 0:
            return np.array([[1, 0, 0], [0, 1, 0]], dtype=object)
        if (layer, on) not in self._known:
            units = range(self._starts[layer - 1], self._starts[layer])
            rows = [self._line(unit, on) if on[unit] else (0, 0, 0) for unit in units]
            self._known[layer, on] = np.array(rows, dtype=object)
        return self._known[layer, on]


def _whole(weights: torch.Tensor, biases: torch.Tensor) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.object_], int]:
    """Weights and biases times the smallest power of two that makes all of them integers, and that power."""
    rows = torch.cat((weights, biases[:, None]), dim=1).tolist()
    ratios = [[value.as_integer_ratio() for value in row] for row in rows]
    scale = max(denominator for row in ratios for _, denominator in row)
    whole = np.array([[over * (scale // under) for over, under in row] for row in ratios], dtype=object)
    return whole[:, :-1], whole[:, -1], scale


@dataclass(frozen=True)
class Winners:
    """The window cut up further, so that one output is largest in every polygon.

    Attributes
    ----------
    polygons
        S polygons.
    outputs
        Integers ``(S,)``: the largest output.
    regions
        Integers ``(S,)``: the region each polygon is part of.
    """

    polygons: Polygons
    outputs: torch.Tensor
    regions: torch.Tensor


def winners(found: Regions) -> Winners:
    """Which output is largest where: the decision of a classifier, on the plane, for drawing.

    The outputs enter one after another; each takes from the polygons what it wins from the largest so far. One decision
    may be made of several polygons in one region. Ties within rounding go to the earlier output.

    Parameters
    ----------
    found
        As :func:`regions` gives them.

    Raises
    ------
    ArgumentError
        If they are none.
    """
    require_kind("found", found, Regions)
    polygons = found.polygons
    home = torch.arange(len(polygons), device=polygons.counts.device)
    best = torch.zeros_like(home)
    for output in range(1, found.outputs.shape[1]):
        lead = found.outputs[home, output] - found.outputs[home, best]
        uncertainty = _EPS * (found.outputs[home, output].abs() + found.outputs[home, best].abs())
        label = found.codes.shape[1] + output
        done = cut(polygons, lead, signs(polygons, lead, uncertainty), label, uncertainty)
        polygons, home, best = done.polygons, home[done.parents], best[done.parents]
        best = torch.where(done.sides > 0, output, best)
    return Winners(polygons, best, home)


def patterns_by_programs(network: Network, half: float, *, thinnest: float = 1e-7) -> set[tuple[bool, ...]]:
    """Activation patterns that occur in the square [-half, half]^2, by a tree of linear programs.

    An independent way to what :func:`regions` does, slow and plain: unit by unit, each pattern so far is continued by
    "off" and by "on" where a linear program finds a point inside. (Serra, Tjandraatmadja & Ramalingam 2018 count by
    mixed-integer programs in the same spirit.)

    Parameters
    ----------
    network
        Two inputs.
    half
        Half the side of the square, positive.
    thinnest
        A region counts if a circle of this radius fits in, positive.

    Returns
    -------
    set of tuples of bool
        The patterns, unit by unit through all layers.

    Raises
    ------
    ArgumentError
        If the network has another number of inputs or dtype, or a number is not positive.
    """
    _require_planar(network)
    require_number("half", half, above=0.0)
    require_number("thinnest", thinnest, above=0.0)
    patterns: dict[tuple[bool, ...], list[list[float]]] = {(): []}
    for layer, width in enumerate(network.widths):
        before = sum(network.widths[:layer])
        forms = {start: _affine(network, start, layer) for start in {pattern[:before] for pattern in patterns}}
        for unit in range(width):
            grown: dict[tuple[bool, ...], list[list[float]]] = {}
            for pattern, rows in patterns.items():
                slope, other, offset = forms[pattern[:before]][unit]
                steepest = abs(slope) + abs(other)
                if abs(offset) >= 2 * Fraction(half) * steepest:  # constant or a line far outside: no wall
                    grown[*pattern, offset > 0] = rows
                    continue
                line = [float(slope / steepest), float(other / steepest), float(offset / steepest / Fraction(half))]
                for side in (False, True):
                    more = [*rows, line if side else [-value for value in line]]
                    if half * _inradius(np.array(more)) > thinnest:
                        grown[*pattern, side] = more
            patterns = grown
    return set(patterns)


def _affine(network: Network, pattern: tuple[bool, ...], layer: int) -> list[list[Fraction]]:
    """The units of a layer as affine functions (a_1, a_2, b) where the layers before have this pattern, exactly."""
    forms, start = [[Fraction(1), Fraction(0), Fraction(0)], [Fraction(0), Fraction(1), Fraction(0)]], 0
    for number in range(layer + 1):
        units = zip(network.weights[number].tolist(), network.biases[number].tolist(), strict=True)
        made = []
        for weights, bias in units:
            form = [
                sum((Fraction(w) * f[k] for w, f in zip(weights, forms, strict=True) if w), Fraction(0))
                for k in range(3)
            ]
            made.append([*form[:2], form[2] + Fraction(bias)])
        forms = made
        if number < layer:
            on = pattern[start : start + len(forms)]
            forms = [form if there else [Fraction(0)] * 3 for form, there in zip(forms, on, strict=True)]
            start += len(forms)
    return forms


def _inradius(rows: npt.NDArray[np.float64]) -> float:
    """Radius of the largest circle in the square [-1, 1]^2 where all affine functions are positive, below 0 if none."""
    rows = rows / np.hypot(rows[:, 0], rows[:, 1])[:, None]
    rows = np.concatenate((rows, [[1, 0, 1], [-1, 0, 1], [0, 1, 1], [0, -1, 1]]))
    found = linprog(
        [0, 0, -1], A_ub=np.column_stack((-rows[:, :2], np.ones(len(rows)))), b_ub=rows[:, 2], bounds=(None, None)
    )
    return -float(found.fun)  # type: ignore[arg-type]  # feasible and bounded by the square


@dataclass(frozen=True)
class Crossings:
    """Boundaries between regions that straight segments cross.

    Attributes
    ----------
    counts
        Integers ``(S, layers)``: how often a unit of the layer goes on or off along each segment.
    flips
        Integers ``(S, layers)``: units of the layer that differ between the ends (the Hamming distance of their codes).
    distances
        Axes ``(S, layers)``: distance of the two ends where the layer sees them, at its own input. Column 0 is the
        length of the segment.
    """

    counts: torch.Tensor
    flips: torch.Tensor
    distances: torch.Tensor


def crossings(network: Network, starts: torch.Tensor, ends: torch.Tensor) -> Crossings:
    """Count the boundaries along straight segments, without sampling.

    Along a segment the first layer is affine: a unit changes at most once, where its sign at the ends differs. Between
    two such changes the second layer is affine, and so on: each layer is evaluated at all the places found so far, and
    changes between two neighbours are found by their signs.

    No change is missed for lying close to another; what remains is rounding in the network's own dtype, where a unit
    comes within it of zero without crossing.

    Parameters
    ----------
    network
        Any number of inputs n_0.
    starts, ends
        Axes ``(S, n_0)``.

    Returns
    -------
    Crossings
        By segment and layer.

    Raises
    ------
    ArgumentError
        If the points do not fit the network or each other.
    """
    first = require_kind("network", network, Network).weights[0]
    sizes = {"inputs": first.shape[1]}
    require_tensor("starts", starts, "segments inputs", sizes=sizes, device=first.device, dtype=first.dtype)
    require_tensor("ends", ends, "segments inputs", sizes=sizes, device=first.device, dtype=first.dtype)
    both = network.potentials(torch.stack((starts, ends)))[:-1]
    flips = torch.stack([(a > 0).ne(b > 0).sum(dim=-1) for a, b in both], dim=-1)
    inputs = [torch.stack((starts, ends)), *(each.relu() for each in both[:-1])]
    distances = torch.stack([torch.linalg.vector_norm(b - a, dim=-1) for a, b in inputs], dim=-1)
    widest = max(network.widths)
    # Places multiply by a small factor a layer; a chunk whose layers fill the budget is halved where they do not fit.
    chunk = pieces.fitting(8 * widest * 4 * sum(network.widths))
    parts = zip(both[0][0].split(chunk), both[0][1].split(chunk), strict=True)
    counts = torch.cat([_along_segments(network, begin, end) for begin, end in parts])
    return Crossings(counts, flips, require_fit("ends", distances))


def _along_segments(network: Network, begin: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Changes by layer, ``(S, layers)``, from the first layer's potentials ``(S, n_1)`` at both ends."""
    places = begin.new_tensor([0.0, 1.0]).expand(len(begin), 2)
    counts = []
    for layer in range(len(network.widths)):
        values = torch.lerp(begin[:, None], end[:, None], places[..., None])
        for weights, biases in zip(network.weights[1 : layer + 1], network.biases[1 : layer + 1], strict=True):
            values = functional.linear(values.relu(), weights, biases)
        on = values > 0
        changes = on[:, 1:] != on[:, :-1]
        counts.append(changes.sum(dim=(1, 2)))
        if layer + 1 < len(network.widths):
            segment, interval, unit = changes.nonzero(as_tuple=True)
            before, after = values[segment, interval, unit].abs(), values[segment, interval + 1, unit].abs()
            new = torch.lerp(places[segment, interval], places[segment, interval + 1], before / (before + after))
            rank = torch.arange(len(new), device=new.device) - (counts[-1].cumsum(0) - counts[-1])[segment]
            grown = places.new_ones(len(places), int(counts[-1].max()))
            grown[segment, rank] = new
            places = torch.cat((places, grown), dim=1).sort(dim=1).values
    return torch.stack(counts, dim=-1)


def train(
    network: Network,
    inputs: torch.Tensor,
    labels: torch.Tensor,
    *,
    epochs: int,
    batch: int,
    rate: float,
    generator: torch.Generator,
) -> Network:
    """Train a classifier: Adam on the cross-entropy of the outputs, in the network's dtype.

    Parameters
    ----------
    network
        Where to begin; it is not changed.
    inputs, labels
        Axes ``(M, n_0)`` and integers ``(M)`` in 0..n_L - 1.
    epochs, batch
        Passes over the data, and examples a step.
    rate
        Step size of Adam, positive.
    generator
        A CPU generator, for the order of the examples.

    Returns
    -------
    Network
        Trained.

    Raises
    ------
    ArgumentError
        If inputs or labels do not fit the network, or a number is out of range.

    Notes
    -----
    Kingma & Ba 2015, ICLR.
    """
    first = require_kind("network", network, Network).weights[0]
    sizes = {"inputs": first.shape[1]}
    require_tensor("inputs", inputs, "examples inputs", sizes=sizes, device=first.device, dtype=first.dtype)
    classes = len(network.biases[-1])
    if not isinstance(labels, torch.Tensor) or labels.shape != inputs.shape[:1] or labels.dtype != torch.int64:
        expected = f"int64 of shape ({inputs.shape[0]},)"
        raise ArgumentError("labels", expected, described(labels), "One integer an example.")
    if labels.min() < 0 or labels.max() >= classes:
        raise ArgumentError("labels", f"integers in [0, {classes - 1}]", "others")
    require_count("batch", batch)
    require_generator("generator", generator)

    def losses(current: Network) -> Iterator[torch.Tensor]:
        order = torch.randperm(len(inputs), generator=generator, device="cpu").to(inputs.device)
        for some in order.split(batch):
            yield functional.cross_entropy(current(inputs[some]), labels[some])

    for trained, _ in adamw(network, losses, epochs=epochs, rate=rate):
        network = trained
    return network


def _require_planar(network: Network) -> None:
    first = require_kind("network", network, Network).weights[0]
    if first.shape[1] != 2 or first.dtype != torch.float64:
        got = f"{first.shape[1]} inputs, {first.dtype}"
        raise ArgumentError("network", "2 inputs in float64", got, "Take a plane of the inputs with .on(origin, axes).")
