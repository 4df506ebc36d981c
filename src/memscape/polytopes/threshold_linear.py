r"""Threshold-linear networks: all fixed points at once, exactly decided.

A network (:class:`ThresholdLinear`) of n neurons with weights W and inputs b follows

.. math:: \frac{dx_i}{dt} = -x_i + \Big[ \sum_j W_{ij} x_j + b_i \Big]_+ , \qquad [u]_+ = \max(u, 0)

(Curto, Langdon & Morrison 2020). On each region of activity space in which the same neurons are above threshold the
flow is linear, so a fixed point is settled by its support :math:`\sigma = \{i : x_i > 0\}`: it exists if and only if

.. math:: x_\sigma = (I - W_\sigma)^{-1} b_\sigma > 0 , \qquad (W x + b)_k \le 0 \quad (k \notin \sigma),

and is stable if and only if all eigenvalues of :math:`-I + W_\sigma` have negative real parts. Its index is the sign of
:math:`\det(I - W_\sigma)`. A support is written as a bit mask: neuron i is bit i, so that the last axis of all results
has :math:`2^n` entries and entry 0 is the silent network.

All supports share their eliminations. :func:`fixed_points` pivots the tableau :math:`[I - W \mid b]` on one neuron
after another; every tableau is kept as it is (neuron out) and pivoted (neuron in), so that their number doubles, while
the column of the neuron is no longer needed. That makes about :math:`4 n 2^n` multiplications instead of :math:`2^n`
solves.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from numbers import Rational

import numpy as np
import numpy.typing as npt
import torch

from memscape.arguments import (
    MOST,
    ArgumentError,
    Values,
    require_fit,
    require_generator,
    require_integer,
    require_number,
    require_sequence,
    require_tensor,
)
from memscape.memory.dense import Rectified
from memscape.memory.dynamics import largest_lyapunov_exponent, trajectory
from memscape.memory.hopfield import require_symmetric
from memscape.memory.lagrangians import in_single
from memscape.memory.patterns import as_probes, require_state
from memscape.tools import pieces
from memscape.tools.exact import characteristic_polynomial, routh, solution
from memscape.tools.models import Model
from memscape.tools.subsets import LARGEST, bits

__all__ = [
    "ExactFixedPoint",
    "FixedPoints",
    "RectifiedMemory",
    "ThresholdLinear",
    "disagreements",
    "exact_fixed_point",
    "exact_rows",
    "fixed_points",
    "hurwitz",
    "lyapunov_exponents",
    "misjudged",
    "require_network",
    "trajectories",
    "written",
]

_CACHED = 16
"""On a processor a tableau takes this part of the memory budget, as much as stays in its last cache; an accelerator is
to be filled."""

_PIVOT = 1e-5
"""A pivot smaller than this, in units of the largest entry of I - W, could spoil the signs: those supports are solved
again, each by its own elimination with row exchanges."""

_DOUBT = 1e-9
"""Signs of numbers this close to zero, relative to the largest of their kind, are not taken as decided: the unit
roundoff of float64, 1e-16, times 1e2 for sums of up to 20 terms, times the 1e5 that one small pivot may cost."""

_OPEN = 1e-6
"""Entries of Routh's array this close to zero, for matrices with entries up to 1, are left to the eigenvalues: what
follows is divided by them, which must not bring the rounding up to the size of what decides."""

_MANY = 64
"""Below this number of matrices their eigenvalues take less time than the many short steps of Routh's array."""

_ROUTH = 6
"""Up to this size the stability of many matrices is read from their characteristic polynomials."""


@dataclass(frozen=True)
class ThresholdLinear(Model):
    r"""A threshold-linear network, :math:`\dot x = -x + [W x + b]_+`, or many of them.

    Its states are activities x, its unit of time is the time constant of a neuron, and all else is dimensionless.
    Activities that start at zero or above stay there. If W is symmetric,

    .. math:: E(x) = \tfrac12\, x \cdot (I - W) x - b \cdot x

    then never increases: with the total input :math:`u = W x + b`, neuron i adds :math:`-(u_i - x_i)^2` to
    :math:`dE/dt` where :math:`u_i \ge 0` and :math:`-x_i (x_i - u_i)` where :math:`u_i < 0`.

    Parameters
    ----------
    weights
        W, axes ``(*G, n, n)``, row i holds what neuron i receives. The diagonal is usually zero but need not be.
    inputs
        b, axes ``(*G, n)``. Axes of networks that one of the two lacks, or has once, are those of the other: one matrix
        for many inputs, one input for many matrices.

    Raises
    ------
    ArgumentError
        If the axes, dtypes or devices do not fit, or a value is not finite.
    """

    weights: torch.Tensor
    inputs: torch.Tensor

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("weights", self.weights, "... neurons neurons", sizes=sizes)
        device, dtype = self.weights.device, self.weights.dtype
        require_tensor("inputs", self.inputs, "... neurons", sizes=sizes, device=device, dtype=dtype)
        try:
            np.broadcast_shapes(self.weights.shape[:-2], self.inputs.shape[:-1])
        except ValueError:
            expected = f"batch axes that broadcast against {tuple(self.weights.shape[:-2])}"
            raise ArgumentError("inputs", expected, f"shape {tuple(self.inputs.shape)}") from None

    @property
    def networks(self) -> tuple[int, ...]:
        """The axes G of independent networks."""
        # numpy's, since the first use of torch's loads sympy, some seconds.
        return np.broadcast_shapes(self.weights.shape[:-2], self.inputs.shape[:-1])

    @property
    def neurons(self) -> int:
        """Number of neurons n."""
        return self.weights.shape[-1]

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """E at activities x, axes ``(*G, ..., n)`` to ``(*G, ...)``, dimensionless.

        Raises
        ------
        ArgumentError
            If the weights are not symmetric, the state does not fit the network, or a result is beyond its dtype.
        """
        require_symmetric("weights", self.weights)
        self._require("state", state)
        return in_single("state", ThresholdLinear._energy, self, state)

    def flow(self, state: torch.Tensor) -> torch.Tensor:
        """Time derivative dx/dt of activities x, same axes ``(*G, ..., n)``; weights need not be symmetric."""
        self._require("state", state)
        return in_single("state", ThresholdLinear._flow, self, state)

    def _require(self, argument: str, state: torch.Tensor, values: Values = "finite") -> None:
        require_state(argument, state, self.weights.expand(*self.networks, -1, -1), values=values)

    def _energy(self, state: torch.Tensor) -> torch.Tensor:
        probes = as_probes(state, self.networks)
        pull = (probes - probes @ self.weights) / 2 - self.inputs[..., None, :]
        return (probes * pull).sum(dim=-1).reshape(state.shape[:-1])

    def _flow(self, state: torch.Tensor) -> torch.Tensor:
        probes = as_probes(state, self.networks)
        total = probes @ self.weights.mT + self.inputs[..., None, :]
        return (total.clamp(min=0.0) - probes).reshape(state.shape)


@dataclass(frozen=True)
class FixedPoints:
    """What there is to know of all :math:`2^n` supports of a batch of networks.

    Attributes
    ----------
    exists
        Whether the support is that of a fixed point, axes ``(..., 2**n)``, bool.
    stable
        Whether it is that of a stable fixed point, same axes, bool.
    index
        Sign of det(I - W_sigma), in {-1, 0, 1}, same axes, int8, also where there is no fixed point; 1 for the empty
        support.
    doubtful
        Whether rounding could have decided one of these, same axes, bool: an activity or a total input so close to zero
        that its sign is not certain, a determinant so close to zero, or a real part. Ask :func:`exact_fixed_point`.
    activities
        Solution x of x = W x + b on the support and 0 outside, axes ``(..., 2**n, n)``, float64, or None if not asked
        for. It is a fixed point only where ``exists``; -inf where I - W_sigma is singular to working precision.
    """

    exists: torch.Tensor
    stable: torch.Tensor
    index: torch.Tensor
    doubtful: torch.Tensor
    activities: torch.Tensor | None = None

    @property
    def count(self) -> torch.Tensor:
        """Number of fixed points, axes ``(...)``, int64."""
        return self.exists.sum(dim=-1)

    @property
    def index_sum(self) -> torch.Tensor:
        """Sum of the indices of the fixed points, axes ``(...)``, int64."""
        return (self.exists * self.index).sum(dim=-1)

    @property
    def decided(self) -> torch.Tensor:
        """Whether no support of the network is doubtful, axes ``(...)``, bool."""
        return ~self.doubtful.any(dim=-1)


def fixed_points(model: ThresholdLinear, *, activities: bool = False) -> FixedPoints:
    r"""Existence, stability and index of the fixed points of all supports, by principal pivoting.

    Parameters
    ----------
    model
        Networks of at most 20 neurons.
    activities
        Whether to return the solutions x of all supports too.

    Returns
    -------
    FixedPoints
        Tensors with axes ``(*G, 2**n)`` on the device of the model, dimensionless. All is computed in float64. A
        neuron outside the support whose total input is exactly zero is at its threshold: that support is doubtful.

    Raises
    ------
    ArgumentError
        If the model is no threshold-linear network or has more than 20 neurons.
    """
    n = require_network(model, at_most=LARGEST).neurons
    system = torch.eye(n, dtype=torch.float64, device=model.weights.device) - model.weights.double()
    # Networks along the last axis: every step below is one sweep over contiguous memory, for one network of many
    # supports as for many networks of few.
    inputs = model.inputs.double().expand(*model.networks, n)
    tableau = torch.cat([system.expand(*model.networks, n, n), inputs[..., None]], dim=-1)
    tableau = tableau.reshape(-1, n, n + 1).permute(1, 2, 0)
    widest = max(2**k * (n + 1 - k) for k in range(n + 1)) * n * 8
    together = pieces.fitting(widest * (_CACHED if tableau.device.type == "cpu" else 1))
    found = [_all_supports(piece, activities=activities) for piece in tableau.split(together, dim=-1)]
    columns = (parts[0] if len(parts) == 1 else torch.cat(parts) for parts in zip(*found, strict=True))
    return FixedPoints(*(column.reshape(*model.networks, *column.shape[1:]) for column in columns))


def _all_supports(tableau: torch.Tensor, *, activities: bool) -> tuple[torch.Tensor, ...]:
    """The fields of :class:`FixedPoints` for tableaux ``(n, n + 1, networks)``, with networks as the first axis."""
    n, _, networks = tableau.shape
    system = tableau[:, :n]
    rows, size = tableau[:, :, None].contiguous(), system.abs().amax(dim=(0, 1))
    # Of every support the pivot of its last neuron, and 1 for the empty one.
    pivots = rows.new_ones(2**n, networks)
    for k in range(n):
        # Axes (row, column, supports of the neurons before k, networks); column 0 is neuron k's.
        pivot = pivots[2**k : 2 ** (k + 1)].copy_(rows[k, 0])
        changed = rows[k, 1:] / pivot
        doubled = rows.new_empty(n, n - k, 2, *pivot.shape)
        out, inside = doubled.unbind(dim=2)
        out.copy_(rows[:, 1:])
        # Total inputs have to be negative, activities positive: from here on row k of those without k is turned over.
        out[k].neg_()
        torch.addcmul(rows[:, 1:], rows[:, :1], changed, value=-1, out=inside)
        inside[k] = changed
        rows = doubled.reshape(n, n - k, -1, networks)
    # What is left is the column of inputs: activities of the neurons in the support, total inputs of the others.
    solution, index = rows[:, 0], pivots.sign().to(torch.int8)
    for k in range(n):
        index[2**k : 2 ** (k + 1)] *= index[: 2**k]
    weak = ~(pivots.abs() > _PIVOT * size)  # true for NaN, which follows a pivot of zero
    weak[0] = False
    doubtful = torch.zeros_like(weak)
    if weak.any():
        for k in range(n):  # one weak pivot on the way is enough
            weak[2**k : 2 ** (k + 1)] |= weak[: 2**k]
        support, network = weak.nonzero(as_tuple=True)
        solved, index[support, network], doubtful[support, network] = _solve_apart(tableau[:, :, network], support)
        solution[:, support, network] = torch.where(bits(support, n).T, solved, -solved)
    # Now all signs must be positive.
    margin = solution.amin(dim=0)
    doubtful |= margin.abs() <= _DOUBT * torch.maximum(solution.amax(dim=0), -margin)
    exists = margin > 0
    # Networks first, and only then the list of fixed points: it has an entry for few of the supports.
    exists, index, doubtful = exists.T.contiguous(), index.T.contiguous(), doubtful.T.contiguous()
    # A stable fixed point has index 1. Without self-couplings the trace is negative, and up to two neurons that is all.
    stable = wanted = exists & (index > 0)
    if (system.diagonal() == 1).all():
        rest = torch.arange(2**n, device=exists.device)
        for _ in range(2):
            rest &= rest - 1  # takes the last neuron out
        wanted = stable & (rest > 0)
    network, support = wanted.nonzero(as_tuple=True)
    if len(network):
        stable[network, support], close = _stable(-system.permute(2, 0, 1), network, support)
        doubtful[network, support] |= close
    if not activities:
        return exists, stable, index, doubtful
    inside = bits(torch.arange(2**n, device=exists.device), n)
    return exists, stable, index, doubtful, torch.where(inside, solution.permute(2, 1, 0), 0.0)


def _solve_apart(tableau: torch.Tensor, support: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Solutions ``(n, M)``, indices and doubts of M supports, each of a tableau of its own, ``(n, n + 1, M)``."""
    n = len(tableau)
    inside = bits(support, n).T
    system, inputs = tableau[:, :n].permute(2, 0, 1), tableau[:, n].T
    # Unit columns for the neurons outside: the unknowns are then their total inputs.
    columns = torch.where(inside.T[:, None, :], system, torch.eye(n, dtype=system.dtype, device=system.device))
    factors, order, _ = torch.linalg.lu_factor_ex(columns)
    pivots = factors.diagonal(dim1=-2, dim2=-1)
    swaps = (order != torch.arange(1, n + 1, device=order.device)).sum(dim=-1)
    index = pivots.sign().prod(dim=-1) * (1 - 2 * (swaps % 2))
    singular = pivots.abs().amin(dim=-1) <= _DOUBT * system.abs().amax(dim=(-2, -1))
    solution = torch.linalg.lu_solve(factors, order, inputs[..., None])[..., 0].T
    return torch.where(singular, -torch.inf, solution), index.to(torch.int8), singular


def _stable(flows: torch.Tensor, network: torch.Tensor, support: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Whether the flow matrices ``(networks, n, n)``, restricted to supports, are stable, and whether that is close."""
    n = flows.shape[-1]
    inside = bits(support, n)
    # The neurons of each support first, in order.
    order = torch.argsort((~inside).to(torch.int8), dim=-1, stable=True)
    sizes = inside.sum(dim=-1)
    if len(support) < _MANY:
        # All at once, with a decay of its own for every place beyond the support: of the block's size, so that neither
        # its sign nor its distance from zero decides.
        kept = order[:, : max(1, int(sizes.max()))]
        there = torch.arange(kept.shape[1], device=kept.device) < sizes[:, None]
        blocks = flows[network[:, None, None], kept[:, :, None], kept[:, None, :]]
        blocks = torch.where(there[:, :, None] & there[:, None, :], blocks, 0.0)
        size = blocks.abs().amax(dim=(-2, -1))
        blocks.diagonal(dim1=-2, dim2=-1).sub_(torch.where(size > 0, size, 1.0)[:, None] * ~there)
        return _hurwitz(blocks)
    stable, close = torch.ones_like(support, dtype=torch.bool), torch.zeros_like(support, dtype=torch.bool)
    for size in sizes[sizes > 0].unique().tolist():
        for some in (sizes == size).nonzero()[:, 0].split(pieces.fitting(64 * size**2)):
            kept = order[some, :size]
            blocks = flows[network[some, None, None], kept[:, :, None], kept[:, None, :]]
            stable[some], close[some] = _hurwitz(blocks)
    return stable, close


def hurwitz(matrices: torch.Tensor) -> torch.Tensor:
    """Whether all eigenvalues have negative real parts, ``(..., n, n)`` to bool ``(...)``.

    Small matrices by Routh's array of the characteristic polynomial, which is one sweep over all of them at once;
    large ones, and those of which rounding could decide the sign, by their eigenvalues.

    Raises
    ------
    ArgumentError
        If the matrices are not square and finite.
    """
    require_tensor("matrices", matrices, "... neurons neurons")
    return _hurwitz(matrices.reshape(-1, *matrices.shape[-2:]).double())[0].reshape(matrices.shape[:-2])


def _hurwitz(matrices: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Whether ``(M, n, n)`` matrices are stable, and whether the largest real part is too close to zero to say."""
    n = matrices.shape[-1]
    size = matrices.abs().amax(dim=(-2, -1))
    if n > _ROUTH or len(matrices) < _MANY:
        real = torch.linalg.eigvals(matrices).real.amax(dim=-1)
        return real < 0, real.abs() <= _DOUBT * size
    smallest = _routh(matrices / torch.where(size > 0, size, 1.0)[:, None, None])
    stable, close = smallest > 0, torch.zeros_like(smallest, dtype=torch.bool)
    open_ = ~(smallest.abs() > _OPEN)
    if open_.any():
        real = torch.linalg.eigvals(matrices[open_]).real.amax(dim=-1)
        stable[open_] = real < 0
        close[open_] = real.abs() <= _DOUBT * size[open_]
    return stable, close


def _routh(matrices: torch.Tensor) -> torch.Tensor:
    """Smallest entry of the first column of Routh's array, ``(M, n, n)`` to ``(M)``: positive if and only if stable."""
    n = matrices.shape[-1]
    flow = matrices.permute(1, 2, 0).contiguous()
    # Faddeev and LeVerrier: P_1 = A, c_k = -tr(P_k) / k, P_{k+1} = A (P_k + c_k I).
    power, coefficients = flow.clone(), [torch.ones_like(flow[0, 0])]
    for k in range(1, n + 1):
        coefficients.append(power.diagonal().sum(dim=-1) / -k)
        if k < n:
            power.diagonal().add_(coefficients[-1][:, None])
            power = torch.stack([sum(flow[i, j] * power[j] for j in range(n)) for i in range(n)])  # type: ignore[misc]
    zero = torch.zeros_like(coefficients[0])
    above, row = ((coefficients[start::2] + [zero] * n)[: n // 2 + 1] for start in (0, 1))
    smallest = row[0]
    for _ in range(n - 1):
        ratio = above[0] / row[0]
        above, row = row, [a - ratio * r for a, r in zip(above[1:], row[1:], strict=True)] + [zero]
        smallest = torch.minimum(smallest, row[0])
    return smallest


def disagreements(model: ThresholdLinear) -> int:
    """On how many supports :func:`fixed_points` and :func:`exact_fixed_point` differ, doubtful ones left out.

    Parameters
    ----------
    model
        Networks of at most 20 neurons; each support of each is decided in fractions, which takes its time.

    Raises
    ------
    ArgumentError
        As :func:`fixed_points`.
    """
    found = fixed_points(model)
    n = model.neurons
    weights = model.weights.expand(*model.networks, n, n).reshape(-1, n, n).tolist()
    inputs = model.inputs.expand(*model.networks, n).reshape(-1, n).tolist()
    fields = [getattr(found, name).reshape(-1, 2**n).tolist() for name in ("exists", "stable", "index", "doubtful")]
    count = 0
    for network, support in itertools.product(range(len(weights)), range(2**n)):
        exists, stable, index, doubtful = (field[network][support] for field in fields)
        one = exact_fixed_point(weights[network], inputs[network], support)
        count += not doubtful and (one.exists, one.stable, one.index) != (exists, stable, index)
    return count


def misjudged(
    model: ThresholdLinear, generator: torch.Generator, *, push: float = 1e-6, duration: float = 150.0
) -> tuple[int, int]:
    """Whether fixed points attract or repel as their eigenvalues say, by starting a little off each of them.

    Fixed points whose slowest rate is below a tenth in size are left out: the duration could not tell.

    Parameters
    ----------
    model
        Networks, one axis of them.
    generator
        Of the pushes.
    push
        Size of the push, in units of each activity.
    duration
        How long to wait, in units of the time constant of a neuron.

    Returns
    -------
    tuple
        How many stable fixed points are left by a nearby trajectory, and how many unstable ones are reached again.

    Raises
    ------
    ArgumentError
        If the model has other axes, or a number is out of range.
    """
    require_network(model, at_most=LARGEST)
    if len(model.networks) != 1:
        raise ArgumentError("model", "one axis of networks", f"{len(model.networks)} axes")
    require_generator("generator", generator)
    require_number("push", push, above=0.0, at_most=1.0)
    require_number("duration", duration, above=0.0, at_most=1e5)
    found, n = fixed_points(model, activities=True), model.neurons
    network, support = found.exists.nonzero(as_tuple=True)
    x, stable = found.activities[network, support], found.stable[network, support]  # type: ignore[index]
    weights = model.weights.double().expand(*model.networks, n, n)[network]
    inputs = model.inputs.double().expand(*model.networks, n)[network]
    inside = bits(support, n)
    flow = torch.where(inside[:, None, :], weights, 0.0) - torch.eye(n, dtype=torch.float64, device=x.device)
    clear = torch.linalg.eigvals(flow).real.amax(dim=-1).abs() > 0.1
    noise = torch.randn(x.shape, generator=generator, dtype=torch.float64, device="cpu").to(x.device)
    pushed = ThresholdLinear(weights, inputs), x * (1 + push * noise)
    moved = trajectories(*pushed, duration=duration, step=0.1, every=max(1, math.ceil(10 * duration - 1e-8)))[-1]
    back = (moved - x).norm(dim=-1) < push
    return int((stable & ~back & clear).sum()), int((~stable & back & clear).sum())


def trajectories(
    model: ThresholdLinear, starts: torch.Tensor, *, duration: float, step: float, every: int = 1
) -> torch.Tensor:
    """Activities along the flow, by the Runge-Kutta rule of order four, all networks and starts together.

    Parameters
    ----------
    model
        The networks.
    starts
        Activities at time 0, axes ``(*G, ..., n)``; left untouched.
    duration, step
        In units of the time constant of a neuron; the step is at most 1, and the last one reaches the duration.
    every
        Every how many steps the activities are kept.

    Returns
    -------
    torch.Tensor
        Axes ``(times, *G, ..., n)``, the first at time 0.

    Raises
    ------
    ArgumentError
        If the starts do not fit the model, or a number is out of range.
    """
    require_network(model)._require("starts", starts)
    require_number("duration", duration, above=0.0)
    require_number("step", step, above=0.0, at_most=1.0)
    steps = max(1, math.ceil(require_number("duration / step", duration / step, at_most=MOST) - 1e-9))
    # Checked once, not four times a step.
    return trajectory(model._flow, starts, step=step, steps=steps, every=every)


def lyapunov_exponents(model: ThresholdLinear, starts: torch.Tensor, *, step: float, steps: int) -> torch.Tensor:
    r"""Largest Lyapunov exponent of the trajectory from each start: how fast close trajectories part.

    A small difference v obeys :math:`\dot v = -v + H W v`, with H the diagonal matrix that says which neurons are
    driven above threshold; see :func:`memscape.memory.dynamics.largest_lyapunov_exponent`.

    Parameters
    ----------
    model
        The networks.
    starts
        Activities at time 0, axes ``(*G, ..., n)``, >= 0; left untouched.
    step
        Length of a step of Runge and Kutta's method, in units of the time constant of a neuron, at most 0.5.
    steps
        Number of steps, at least 5; the first fifth is not counted.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, ...)``, in units of one over the time constant.

    Raises
    ------
    ArgumentError
        If the starts do not fit the model or one is negative, or a number is out of range.
    """
    require_network(model)._require("starts", starts, "nonnegative")
    require_number("step", step, above=0.0, at_most=0.5)
    weights, inputs = model.weights[..., None, :, :], model.inputs[..., None, :]

    def apply(state: torch.Tensor) -> torch.Tensor:
        # For a few neurons a sum over products is several times as fast as a batch of small matrix products.
        return (weights * state.unsqueeze(-2)).sum(dim=-1)

    def tangent(state: torch.Tensor, difference: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        total = apply(state) + inputs
        return torch.relu(total) - state, torch.where(total > 0, apply(difference), 0) - difference

    probes = as_probes(starts, model.networks)
    return largest_lyapunov_exponent(tangent, probes, step=step, steps=steps).reshape(starts.shape[:-1])


def written(exists: npt.ArrayLike, stable: npt.ArrayLike) -> str:
    """One network's fixed points in words: ``1* 23 123`` has {1} as a stable one.

    Parameters
    ----------
    exists, stable
        Bool, axes ``(2**n,)``: which sets of neurons are supports of a fixed point, and of a stable one.

    Returns
    -------
    str
        The supports by size, then in lexicographic order. Neurons are numbered from 1; a star says stable, and 0 is the
        silent network.

    Raises
    ------
    ArgumentError
        If the two are not arrays of bool for the subsets of one to nine neurons.
    """
    found, marked = np.asarray(exists), np.asarray(stable)
    sizes = [(2**n,) for n in range(1, 10)]
    for name, array in (("exists", found), ("stable", marked)):
        if array.dtype != bool or array.shape not in sizes or array.shape != found.shape:
            raise ArgumentError(name, "bool, axes (2**n,), n = 1 to 9", f"{array.dtype}, shape {array.shape}")
    sets = [[node + 1 for node in range(9) if mask >> node & 1] for mask in range(len(found))]
    chosen = sorted(np.flatnonzero(found).tolist(), key=lambda mask: (len(sets[mask]), sets[mask]))
    return " ".join(("".join(map(str, sets[mask])) or "0") + "*" * bool(marked[mask]) for mask in chosen)


@dataclass(frozen=True)
class RectifiedMemory(Model):
    r"""A dense memory of graded units whose fixed points are those of a threshold-linear network of its memories.

    The visible units follow the gradient of

    .. math:: E(v) = \tfrac12 |v|^2 - I \cdot v - \tfrac12 \sum_\mu [\xi_\mu \cdot v]_+^2 ,

    the two-layer network of Krotov & Hopfield (2021) with linear visible and rectified hidden units. At rest
    :math:`v = I + \sum_\mu y_\mu \xi_\mu` with :math:`y_\mu = [\xi_\mu \cdot v]_+`, so that y is a fixed point of
    the symmetric threshold-linear network with weights :math:`K_{\mu\nu} = \xi_\mu \cdot \xi_\nu` and inputs
    :math:`c_\mu = \xi_\mu \cdot I`: one neuron a memory.

    Parameters
    ----------
    memories
        Axes ``(P, N)``, real. Below its largest eigenvalue 1, K leaves E bounded from below.
    drive
        I, axes ``(N)``.

    Raises
    ------
    ArgumentError
        If the two do not fit or are not finite.
    """

    memories: torch.Tensor
    drive: torch.Tensor

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("memories", self.memories, "memories neurons", sizes=sizes)
        device, dtype = self.memories.device, self.memories.dtype
        require_tensor("drive", self.drive, "neurons", sizes=sizes, device=device, dtype=dtype)

    @property
    def network(self) -> ThresholdLinear:
        """The network of P neurons with weights K, whose diagonal is not zero, and inputs c."""
        weights = self.memories @ self.memories.mT  # symmetric up to rounding only
        return ThresholdLinear((weights + weights.mT) / 2, self.memories @ self.drive)

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """E at visible activities v, axes ``(..., N)`` to ``(...)``."""
        self._require("state", state)
        return in_single("state", RectifiedMemory._energy, self, state)

    def flow(self, state: torch.Tensor) -> torch.Tensor:
        r"""Minus the gradient of E, :math:`I + \sum_\mu [\xi_\mu \cdot v]_+ \xi_\mu - v`, axes as the state."""
        self._require("state", state)
        return in_single("state", RectifiedMemory._flow, self, state)

    def visible(self, activities: torch.Tensor) -> torch.Tensor:
        """v = I + sum of y xi, from activities y ``(..., P)`` of the memories to ``(..., N)``.

        Raises
        ------
        ArgumentError
            If y does not fit the memories.
        """
        sizes = {"memories": self.memories.shape[0]}
        device, dtype = self.memories.device, self.memories.dtype
        require_tensor("activities", activities, "... memories", sizes=sizes, device=device, dtype=dtype)
        return require_fit("activities", self.drive + activities @ self.memories)

    def _energy(self, state: torch.Tensor) -> torch.Tensor:
        quadratic = (state * (state / 2 - self.drive)).sum(dim=-1)
        return quadratic - Rectified(2)(state @ self.memories.mT).sum(dim=-1) / 2

    def _flow(self, state: torch.Tensor) -> torch.Tensor:
        return self.drive + (state @ self.memories.mT).clamp(min=0.0) @ self.memories - state

    def _require(self, argument: str, state: torch.Tensor) -> None:
        sizes = {"neurons": self.memories.shape[1]}
        device, dtype = self.memories.device, self.memories.dtype
        require_tensor(argument, state, "... neurons", sizes=sizes, device=device, dtype=dtype)


@dataclass(frozen=True)
class ExactFixedPoint:
    """The solution on one support, without rounding.

    Attributes
    ----------
    exists
        Whether it is a fixed point: positive on the support, and no total input above zero outside.
    stable
        Whether it is a stable fixed point.
    index
        Sign of det(I - W_sigma); 0 means that there is no unique solution, and none is given.
    activities
        x, with 0 outside the support; empty if the index is 0.
    totals
        (W x + b)_i of all neurons, which equals x_i on the support; empty if the index is 0.
    """

    exists: bool
    stable: bool
    index: int
    activities: tuple[Fraction, ...]
    totals: tuple[Fraction, ...]


def exact_fixed_point(
    weights: Sequence[Sequence[Rational | float]], inputs: Sequence[Rational | float], support: int
) -> ExactFixedPoint:
    """What :func:`fixed_points` says of one support, in rational arithmetic; stability by Routh's array.

    Parameters
    ----------
    weights, inputs
        W by rows and b: integers, fractions or finite floats, taken at their exact values.
    support
        Bit mask of the support, 0 to 2**n - 1.

    Raises
    ------
    ArgumentError
        If the weights are not n rows of n numbers, the inputs not n numbers, or there is no such support.
    """
    (b,), w = exact_rows("inputs", [inputs]), exact_rows("weights", weights)
    n = len(b)
    if len(w) != n or any(len(row) != n for row in w):
        raise ArgumentError("weights", f"{n} rows of {n} numbers, as many as inputs", _lengths(w))
    require_integer("support", support, at_least=0, at_most=2**n - 1)
    inside = [i for i in range(n) if support >> i & 1]
    # det(s - A) for A = -I + W_sigma; at s = 0 it is det(I - W_sigma).
    polynomial = characteristic_polynomial([[w[i][j] - int(i == j) for j in inside] for i in inside])
    found = solution([[int(i == j) - w[i][j] for j in inside] for i in inside], [b[i] for i in inside])
    if found is None:
        return ExactFixedPoint(False, False, 0, (), ())
    x = [Fraction(0)] * n
    for i, value in zip(inside, found, strict=True):
        x[i] = value
    totals = [sum((a * y for a, y in zip(row, x, strict=True)), start) for row, start in zip(w, b, strict=True)]
    exists = all(total > 0 if support >> i & 1 else total <= 0 for i, total in enumerate(totals))
    stable = exists and routh(polynomial)
    return ExactFixedPoint(exists, stable, 1 if polynomial[-1] > 0 else -1, tuple(x), tuple(totals))


def exact_rows(argument: str, rows: Sequence[Sequence[Rational | float]]) -> list[list[Fraction]]:
    """Rows of integers, fractions or finite floats at their exact values, or ArgumentError with the argument's name."""
    found = [require_sequence(argument, row, "numbers") for row in require_sequence(argument, rows, "rows")]
    for value in itertools.chain(*found):
        require_number(argument, value)
    return [[Fraction(value) for value in row] for row in found]


def _lengths(rows: Sequence[Sequence[object]]) -> str:
    return f"{len(rows)} rows of {', '.join(str(length) for length in sorted({len(row) for row in rows}))}"


def require_network(model: ThresholdLinear, *, at_least: int = 1, at_most: int | None = None) -> ThresholdLinear:
    """Return ``model`` if it is a threshold-linear network of as many neurons, otherwise raise ArgumentError."""
    if not isinstance(model, ThresholdLinear):
        cure = "Make one with ThresholdLinear(weights, inputs)."
        raise ArgumentError("model", "a ThresholdLinear network", type(model).__name__, cure)
    require_integer("the number of neurons of the model", model.neurons, at_least=at_least, at_most=at_most)
    return model
