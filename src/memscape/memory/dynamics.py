r"""How a network moves: asynchronous, synchronous and gradient dynamics, written once for every model.

What a model of binary units and one of graded units offer is said in :mod:`memscape.tools.models`. Nothing here knows
what the energy is made of.

Asynchronous dynamics turn one unit at a time, in an order drawn afresh for each sweep. The loop is over the neurons of
one sweep only; networks and probes are handled together. What a unit needs to know is its local field

.. math:: h_i = \tfrac12 \left[ E(s_i = -1) - E(s_i = +1) \right],

so that turning :math:`s_i` over costs the energy :math:`2 s_i h_i`. A tracker (:class:`~memscape.tools.models.Tracker`)
keeps whatever makes these fields cheap up to date, instead of computing them anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from memscape.arguments import (
    ArgumentError,
    require_able,
    require_count,
    require_fit,
    require_function,
    require_generator,
    require_number,
    require_room,
    require_tensor,
)
from memscape.memory.patterns import as_probes, flat
from memscape.tools.models import GradedUnits, Spins, Tracker, Updates

__all__ = [
    "Retrieval",
    "asynchronous",
    "evolve",
    "gradient_flow",
    "iterate",
    "largest_lyapunov_exponent",
    "runge_kutta",
    "synchronous",
    "trajectory",
]


@dataclass(frozen=True)
class Retrieval:
    """Where the dynamics led.

    Attributes
    ----------
    state
        Final states, axes ``(*G, ..., N)``.
    period
        Integers ``(*G, ...)``: 1 at a fixed point, 2 in a cycle of two states (synchronous dynamics only), 0 where the
        dynamics were still moving (or, at a positive temperature, always move) when they were stopped.
    sweeps
        Integers ``(*G, ...)``: sweeps that changed something, or steps made to reach the final state.
    """

    state: torch.Tensor
    period: torch.Tensor
    sweeps: torch.Tensor

    @property
    def converged(self) -> torch.Tensor:
        """Booleans ``(*G, ...)``: whether the state is a fixed point."""
        return self.period == 1


def asynchronous(
    model: Spins,
    state: torch.Tensor,
    *,
    sweeps: int = 100,
    temperature: float | torch.Tensor = 0.0,
    generator: torch.Generator,
) -> Retrieval:
    r"""Turn the units one at a time until none wants to, or at a positive temperature for a number of sweeps.

    At temperature 0 a unit is turned over exactly when that strictly lowers the energy (Hopfield 1982), and a state is
    at rest when a whole sweep has changed nothing. At a temperature T > 0 heat-bath (Glauber) dynamics set the unit,

    .. math:: P(s_i = +1) = \frac{1}{1 + e^{-2 h_i / T}},

    for all ``sweeps``. One sweep visits every neuron once, in a random order shared by all networks and probes.

    Parameters
    ----------
    model
        Any model of binary units.
    state
        Initial states, axes ``(*G, ..., N)``, values in {-1, +1}; left untouched.
    sweeps
        Most sweeps to make, at least 1.
    temperature
        In units of the model's energy, at least 0. A tensor of positive temperatures, broadcast to the axes
        ``(*G, ...)`` of the probes, runs many temperatures at once.
    generator
        A CPU generator: orders and uniform numbers are drawn on the CPU and moved.

    Returns
    -------
    Retrieval
        Final states, whether each is at rest, and the sweeps it took.

    Raises
    ------
    ArgumentError
        If the state does not fit the model, ``sweeps`` is not a positive integer, ``temperature`` is negative, not
        finite or does not fit the probes, or ``generator`` is not on the CPU.
    """
    require_able("model", model, "networks", "neurons", "track")
    require_count("sweeps", sweeps)
    require_generator("generator", generator)
    networks, neurons = model.networks, model.neurons
    tracker: Tracker | None = model.track(state)  # refuses a state that does not fit
    warmth = _warmth(temperature, state)
    final = flat(state, networks).clone()
    made = torch.zeros(final.shape[:2], dtype=torch.int64, device=final.device)
    resting = torch.zeros_like(made, dtype=torch.bool)
    # Columns of probes still followed. A column is dropped once its probe is at rest in every network; to drop columns
    # means to start a new tracker, which pays when at least half of them go.
    columns = torch.arange(final.shape[1], device=final.device)
    for _ in range(sweeps):
        order = torch.randperm(neurons, generator=generator, device="cpu").tolist()
        thresholds = None
        if warmth is not None:
            # A uniform number below 1 / (1 + exp(-2 h / T)) is a field above T / 2 times its logit.
            draws = torch.rand((neurons, *made.shape), generator=generator, dtype=torch.float64, device="cpu")
            thresholds = (torch.logit(draws) * (warmth.reshape(made.shape) / 2)).to(final.device)
        blocks = columns.split(model.probes_at_once or len(columns))
        for block in blocks:
            if tracker is None or len(blocks) > 1:  # blocks take turns: one tracker at a time is kept in memory
                tracker = model.track(final[:, block].reshape(*networks, len(block), neurons))
            if thresholds is None:
                moved = _descend(tracker, order)
                resting[:, block] = ~moved
            else:
                moved = _heat_bath(tracker, order, thresholds[..., block])
            made[:, block] += moved
            final[:, block] = tracker.state
        active = (~resting).any(dim=0).nonzero()[:, 0]
        if len(active) == 0:
            break
        if 2 * len(active) <= len(columns):
            columns, tracker = active, None
    axes = state.shape[:-1]
    return Retrieval(final.reshape(state.shape), resting.long().reshape(axes), made.reshape(axes))


def _descend(tracker: Tracker, order: list[int]) -> torch.Tensor:
    """Turn over every unit that lowers the energy by it; return which states ``(G', B)`` changed."""
    moved = torch.zeros(tracker.state.shape[:2], dtype=torch.bool, device=tracker.state.device)
    for neuron in order:
        where = tracker.field(neuron) * tracker.state[..., neuron] < 0
        tracker.flip(neuron, where)
        moved |= where
    return moved


def _heat_bath(tracker: Tracker, order: list[int], thresholds: torch.Tensor) -> torch.Tensor:
    """Set every unit up where its field is above its threshold, (N, G', B); all states ``(G', B)`` count as moved."""
    for neuron in order:
        up = tracker.field(neuron) > thresholds[neuron]
        tracker.flip(neuron, up != (tracker.state[..., neuron] > 0))
    return torch.ones(tracker.state.shape[:2], dtype=torch.bool, device=tracker.state.device)


def _warmth(temperature: float | torch.Tensor, state: torch.Tensor) -> torch.Tensor | None:
    """Return a positive temperature for every probe, ``(*G, ...)`` on the CPU, or None at temperature 0."""
    axes = state.shape[:-1]
    if not isinstance(temperature, torch.Tensor):
        number = require_number("temperature", temperature, at_least=0.0)
        return torch.full(axes, number, dtype=torch.float64, device="cpu") if number > 0.0 else None
    require_tensor("temperature", temperature, "...", values="nonnegative")
    if bool((temperature == 0).any()):
        raise ArgumentError("temperature", "positive values", "0", "Temperature 0 is a run of its own.")
    try:
        return temperature.detach().cpu().double().expand(axes).contiguous()
    except RuntimeError:
        raise ArgumentError(
            "temperature",
            f"axes that broadcast to those of the probes, {tuple(axes)}",
            f"shape {tuple(temperature.shape)}",
        ) from None


def synchronous(model: Spins, state: torch.Tensor, *, steps: int = 100) -> Retrieval:
    """Update all units at once, again and again, until the states repeat.

    Synchronous dynamics need not lower the energy. With symmetric weights they end at a fixed point or in a cycle of
    two states (Goles & Olivos 1981); both are recognised, and such probes are stepped no further.

    Parameters
    ----------
    model
        Any model of binary units; its ``update`` is the step. A unit with zero field keeps its value.
    state
        Initial states, axes ``(*G, ..., N)``, values in {-1, +1}; left untouched.
    steps
        Most steps to make, at least 1.

    Returns
    -------
    Retrieval
        Final states, their period (1, 2, or 0 if still moving) and the steps made to reach them.

    Raises
    ------
    ArgumentError
        If the state does not fit the model or ``steps`` is not a positive integer.
    """
    require_able("model", model, "networks", "update")
    require_count("steps", steps)
    networks = model.networks
    after = as_probes(model.update(state), networks)  # refuses a state that does not fit, before anything else is done
    now = as_probes(state, networks).clone()
    period = torch.zeros(now.shape[:-1], dtype=torch.int64, device=now.device)
    made = torch.zeros_like(period)
    columns = torch.arange(now.shape[-2], device=now.device)
    before = None
    for step in range(steps):
        here = now[..., columns, :]
        if step > 0:
            after = model.update(here)
        fixed = (after == here).all(dim=-1)
        cycling = torch.zeros_like(fixed) if before is None else (after == before).all(dim=-1) & ~fixed
        open_ = period[..., columns] == 0
        settled = ~open_ | fixed | cycling
        now[..., columns, :] = torch.where(settled[..., None], here, after)
        made[..., columns] += (~settled).long()
        period[..., columns] += open_ * (fixed.long() + 2 * cycling.long())
        keep = (period[..., columns] == 0).reshape(-1, len(columns)).any(dim=0)
        if not keep.any():
            break
        before, columns = here[..., keep, :], columns[keep]
    axes = state.shape[:-1]
    return Retrieval(now.reshape(state.shape), period.reshape(axes), made.reshape(axes))


def gradient_flow(model: GradedUnits, potential: torch.Tensor, *, step: float, steps: int) -> torch.Tensor:
    """Follow graded units in time by explicit Euler steps, u(t + step) = u(t) + step * du/dt.

    Parameters
    ----------
    model
        Any model with a ``flow``.
    potential
        Initial potentials u, axes ``(*G, ..., N)``; left untouched.
    step
        Length of a step, positive, in the model's unit of time.
    steps
        Number of steps, at least 1.

    Returns
    -------
    torch.Tensor
        The trajectory, axes ``(steps + 1, *G, ..., N)``, the initial potentials first.

    Raises
    ------
    ArgumentError
        If ``step`` is not positive and finite, ``steps`` is not a positive integer, or the model refuses the potential.
    """
    require_able("model", model, "flow")
    require_number("step", step, above=0.0)
    require_count("steps", steps)
    require_tensor("potential", potential, "... neurons")
    require_room(steps=steps, potential=potential.numel())
    trajectory = potential.new_empty((steps + 1, *potential.shape))
    trajectory[0] = potential
    for k in range(steps):
        trajectory[k + 1] = trajectory[k] + step * model.flow(trajectory[k])
    return require_fit("step", trajectory)


def evolve(model: GradedUnits, potential: torch.Tensor, *, step: float, steps: int) -> torch.Tensor:
    """Where :func:`gradient_flow` ends, ``(*G, ..., N)``, without the way; differentiable in model and potential.

    Raises
    ------
    ArgumentError
        As :func:`gradient_flow`.
    """
    require_able("model", model, "flow")
    require_number("step", step, above=0.0)
    require_count("steps", steps)
    for _ in range(steps):
        potential = potential + step * model.flow(potential)
    return require_fit("step", potential)


def iterate(model: Updates, state: torch.Tensor, *, steps: int) -> torch.Tensor:
    """Every state after a number of updates of a model in discrete time, ``(*G, ..., N)`` to the same axes.

    Parameters
    ----------
    model
        Any model with an ``update``.
    state
        Initial states, axes ``(*G, ..., N)``; left untouched.
    steps
        Number of updates, at least 1.

    Raises
    ------
    ArgumentError
        If the state does not fit the model or ``steps`` is not a positive integer.
    """
    require_able("model", model, "update")
    require_count("steps", steps)
    for _ in range(steps):
        state = model.update(state)
    return state


def runge_kutta(flow: Callable[[torch.Tensor], torch.Tensor], state: torch.Tensor, step: float) -> torch.Tensor:
    r"""State after one step of the Runge-Kutta rule of order four.

    .. math::

        x(t + h) = x + \tfrac h6 (k_1 + 2 k_2 + 2 k_3 + k_4), \quad
        k_1 = f(x), \; k_2 = f(x + \tfrac h2 k_1), \; k_3 = f(x + \tfrac h2 k_2), \; k_4 = f(x + h k_3)

    Parameters
    ----------
    flow
        f, the derivative of the state with respect to time, of the state's own axes.
    state
        x, any axes; it is not changed.
    step
        h, in the unit of time of ``flow``.

    Returns
    -------
    torch.Tensor
        The axes of ``state``. The error of one step is of order h^5.

    References
    ----------
    Kutta 1901.
    """
    first = flow(state)
    second = flow(state + step / 2 * first)
    third = flow(state + step / 2 * second)
    fourth = flow(state + step * third)
    return state + step / 6 * (first + 2 * (second + third) + fourth)


def trajectory(
    flow: Callable[[torch.Tensor], torch.Tensor], state: torch.Tensor, *, step: float, steps: int, every: int = 1
) -> torch.Tensor:
    """States along any flow, by the Runge-Kutta rule of order four.

    Parameters
    ----------
    flow
        f, the derivative of the state with respect to time, of the state's own axes.
    state
        State at time 0, any axes; left untouched.
    step
        Length of a step, positive, in the unit of time of ``flow``.
    steps
        Number of steps, at least 1.
    every
        Every how many steps the state is kept, at least 1.

    Returns
    -------
    torch.Tensor
        Axes ``(1 + steps // every, ...)``, the state at time 0 first.

    Raises
    ------
    ArgumentError
        If ``step`` is not positive and finite, ``steps`` or ``every`` is not a positive integer, or the state is not
        finite.
    """
    require_function("flow", flow)
    require_number("step", step, above=0.0)
    require_count("steps", steps)
    require_count("every", every)
    require_tensor("state", state, "...")
    kept = [state]
    for done in range(1, steps + 1):
        state = runge_kutta(flow, state, step)
        if done % every == 0:
            kept.append(state)
    return require_fit("step", torch.stack(kept))


def largest_lyapunov_exponent(
    tangent: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    state: torch.Tensor,
    *,
    step: float,
    steps: int,
) -> torch.Tensor:
    r"""Largest Lyapunov exponent of the trajectory from each state: how fast close trajectories part.

    A small difference v from a trajectory of :math:`\dot x = f(x)` obeys :math:`\dot v = J(x) v` with the Jacobian J
    of f. Its mean logarithmic growth, a unit of time, is negative at a stable fixed point, zero on a limit cycle or a
    torus, positive in chaos. Both are followed by :func:`runge_kutta`, and v gets length 1 after every step.

    Parameters
    ----------
    tangent
        From x and v, axes ``(..., N)``, f(x) and J(x) v of the same axes; for any flow f
        ``lambda x, v: torch.func.jvp(f, (x,), (v,))``.
    state
        State at time 0, axes ``(..., N)``; left untouched.
    step
        Length of a step, positive, in the unit of time of the flow.
    steps
        Number of steps, at least 5; the first fifth is not counted.

    Returns
    -------
    torch.Tensor
        Axes ``(...)``, in units of one over the flow's unit of time.

    Raises
    ------
    ArgumentError
        If ``step`` is not positive and finite, ``steps`` is no integer of at least 5, or the state is not finite.

    References
    ----------
    Benettin, Galgani & Strelcyn 1976.
    """
    require_function("tangent", tangent)
    require_number("step", step, above=0.0)
    require_count("steps", steps, at_least=5)
    require_tensor("state", state, "... neurons")
    # A fixed direction: whatever it is, the fastest growing one takes over.
    difference = torch.linspace(1.0, 2.0, state.shape[-1], dtype=state.dtype, device=state.device).expand_as(state)
    both = torch.stack([state, difference])
    growth = torch.zeros(state.shape[:-1], dtype=state.dtype, device=state.device)
    for number in range(steps):
        both = runge_kutta(lambda pair: torch.stack(tangent(pair[0], pair[1])), both, step)
        length = both[1].norm(dim=-1)
        both[1] /= length.unsqueeze(-1)
        if number >= steps // 5:
            growth += length.log()
    return require_fit("step", growth / (step * (steps - steps // 5)))
