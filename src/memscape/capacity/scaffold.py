r"""A scaffold of grid-like modules: many states at rest from a few that were learned.

Module k has :math:`\lambda_k^2` units, one for each phase of a plane with the period :math:`\lambda_k` along both axes.
A place (x, y) is a state with one active unit a module, :math:`(x \bmod \lambda_k, y \bmod \lambda_k)`. With coprime
periods there are :math:`\prod_k \lambda_k^2` different states of only :math:`N_g = \sum_k \lambda_k^2` units.

Fixed random weights W carry a state g to place-like units :math:`p = \max(0, W g - \theta)`, and learned weights carry
p back, by Hebb's rule :math:`\sum_{learned} g p^T` or by least squares. In every module the unit with the largest input
wins. A state is a fixed point if every module comes back to its phase. (After Chandra, Sharma, Chaudhuri & Fiete 2025,
whose weights and thresholds are not taken over.)

W and :math:`\theta` are whole numbers. With Hebb's rule all inputs are then whole numbers that float64 holds: nothing
is rounded, and a tie is seen as one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_device,
    require_integer,
    require_labels,
    require_number,
    require_rng,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.tools.models import Model

__all__ = ["Scaffold", "scaffold", "shells"]

RULES = ("hebb", "least squares")

UNIT = 64
"""Steps that make one standard deviation of the random weights."""


@dataclass(frozen=True)
class Scaffold(Model):
    """Grid-like modules and the place-like units that they drive.

    Parameters
    ----------
    forward
        Weights W from grid-like to place-like units, whole numbers, axes (N_p, N_g), float64.
    periods
        Periods of the modules, coprime integers of at least 2; their squares add up to N_g.
    threshold
        theta, a whole number.

    Raises
    ------
    ArgumentError
        If the weights are not whole, or sizes or periods do not fit.
    """

    forward: torch.Tensor
    periods: tuple[int, ...]
    threshold: int

    def __post_init__(self) -> None:
        periods = _periods(self.periods)
        require_tensor("forward", self.forward, "places grids", dtype=torch.float64)
        wanted = sum(period**2 for period in periods)
        if self.forward.shape[1] != wanted:
            raise ArgumentError("forward", f"{wanted} grid-like units", f"shape {tuple(self.forward.shape)}")
        if self.forward.abs().max() > 2**16 or (self.forward != self.forward.round()).any():
            raise ArgumentError("forward", "whole numbers up to 65536", "others")
        require_integer("threshold", self.threshold, at_least=-(2**20), at_most=2**20)

    @property
    def side(self) -> int:
        """Places along each axis, the product of the periods."""
        return math.prod(self.periods)

    def phases(self) -> torch.Tensor:
        """Active unit of each module, int64, axes (states, modules); the place (x, y) is state ``x * side + y``."""
        x, y = torch.meshgrid(*2 * [torch.arange(self.side, device=self.forward.device)], indexing="ij")
        columns = [(x % period) * period + y % period for period in self.periods]
        return torch.stack(columns, dim=-1).reshape(-1, len(self.periods))

    def places(self) -> torch.Tensor:
        """Activity p of the place-like units in every state, whole numbers, axes (states, N_p)."""
        first = torch.tensor([0, *itertools.accumulate(period**2 for period in self.periods)][:-1], device="cpu")
        columns, active = self.forward.mT.contiguous(), self.phases() + first.to(self.forward.device)
        inputs = torch.full(
            (len(active), columns.shape[1]), -float(self.threshold), dtype=columns.dtype, device=columns.device
        )
        for units in active.unbind(dim=1):  # module by module
            inputs += columns.index_select(0, units)
        return inputs.relu_()

    @cached_property
    def _placed(self) -> torch.Tensor:
        """Activity of the place-like units, found once however often it is asked which states are at rest."""
        return self.places()

    def fixed(self, learned: torch.Tensor, *, rule: str = "hebb", ridge: float = 0.0) -> torch.Tensor:
        """Which of all states are fixed points after some were learned.

        Parameters
        ----------
        learned
            Numbers of the states that are learned, int64, axes ``(learned)``.
        rule
            ``"hebb"``, exact in whole numbers, or ``"least squares"``, the solution of smallest norm.
        ridge
            Of least squares: what is added to the diagonal of :math:`P^T P`, in the unit of a squared activity.

        Returns
        -------
        torch.Tensor
            Booleans, axes (states). A unit must win outright, and with least squares by 1e-6.

        Raises
        ------
        ArgumentError
            If a state does not exist, sums would no longer be exact, or the rule is unknown.
        """
        states = self.side**2
        require_labels("learned", learned, self.forward.device, at_least=0)
        if learned.max() >= states:
            raise ArgumentError("learned", f"states below {states}", str(learned.max().item()))
        hebb = require_choice("rule", rule, RULES) == "hebb"
        require_number("ridge", ridge, at_least=0.0, at_most=1e12)
        if hebb and ridge:
            raise ArgumentError("ridge", "0 with Hebb's rule", f"{ridge:g}")
        phases, places = self.phases(), self._placed
        units = sum(period**2 for period in self.periods)
        first = [0, *itertools.accumulate(period**2 for period in self.periods)]
        codes = torch.zeros(len(learned), units, dtype=places.dtype, device=places.device)
        codes.scatter_(1, phases[learned] + torch.tensor(first[:-1], device=places.device), 1.0)
        if hebb:
            if len(learned) * places.shape[1] * float(places.max()) ** 2 >= 2**53:
                raise ArgumentError("learned", "fewer, so that sums of products stay exact", str(len(learned)))
            inputs, margin = places @ (places[learned].mT @ codes), 0.0
        else:
            rows = places[learned]
            if len(rows) > rows.shape[1]:  # a small square matrix with the same solutions
                frame, rows = torch.linalg.qr(rows)
                codes = frame.mT @ codes
            if ridge:  # an ordinary fit with more equations, that all weights be zero
                rows = torch.cat(
                    [rows, math.sqrt(ridge) * torch.eye(rows.shape[1], dtype=rows.dtype, device=rows.device)]
                )
                codes = torch.cat([codes, codes.new_zeros(len(rows) - len(codes), units)])
            inputs, margin = places @ (torch.linalg.pinv(rows, rtol=1e-10) @ codes), 1e-6
        right = torch.ones(states, dtype=torch.bool, device=places.device)
        for module, (start, end) in enumerate(itertools.pairwise(first)):
            own = phases[:, module, None]
            block = inputs[:, start:end]
            others = block.scatter(1, own, -torch.inf).amax(dim=1)
            right &= block.gather(1, own)[:, 0] > others + margin
        return right


def scaffold(
    periods: Sequence[int],
    places: int,
    *,
    threshold: float = 2.0,
    rng: np.random.Generator,
    device: torch.device | str = "cpu",
) -> Scaffold:
    """A scaffold with normal weights to the place-like units, rounded to 64ths of their standard deviation.

    Parameters
    ----------
    periods
        Coprime periods of the modules, two or more steps each.
    places
        Number of place-like units N_p.
    threshold
        In standard deviations of a weight; a place-like unit has one input a module.
    rng
        A numpy generator.
    device
        Where the weights live.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    whole = _periods(periods)
    require_count("places", places)
    units = sum(period**2 for period in whole)
    require_room(places=places, states=math.prod(whole) ** 2)
    require_number("threshold", threshold, at_least=-1e3, at_most=1e3)
    require_rng("rng", rng)
    require_device("device", device)
    weights = torch.from_numpy(np.rint(UNIT * rng.standard_normal((places, units))))
    return Scaffold(weights.to(device), whole, round(UNIT * threshold))


def shells(side: int, count: int) -> torch.Tensor:
    """States along a connected path that fills squares: 1 x 1, 2 x 2, 3 x 3, and so on, one place a step.

    Parameters
    ----------
    side
        Places along each axis.
    count
        Length of the path, at most side * side.

    Returns
    -------
    torch.Tensor
        Numbers ``x * side + y`` of the states, int64, axes ``(count)``, on the CPU.

    Raises
    ------
    ArgumentError
        If the path is longer than there are places.
    """
    require_count("side", side, at_most=10**4)
    require_integer("count", count, at_least=1, at_most=side**2)
    found: list[int] = []
    for size in range(math.isqrt(count - 1) + 1):
        # Along one edge of the new square to its corner and back along the other; every second time the other way.
        edge = [(size, y) for y in range(size + 1)] + [(x, size) for x in range(size - 1, -1, -1)]
        found += [x * side + y for x, y in (edge if size % 2 else edge[::-1])]
    return torch.tensor(found[:count], device="cpu")


def _periods(periods: Sequence[int]) -> tuple[int, ...]:
    some = tuple(require_sequence("periods", periods, "integers"))
    if not some:
        raise ArgumentError("periods", "one period or more", "none")
    for period in some:
        require_integer("periods", period, at_least=2, at_most=100)
    if any(math.gcd(one, other) > 1 for one, other in itertools.combinations(some, 2)) or math.prod(some) > 1000:
        raise ArgumentError("periods", "coprime integers with a product of at most 1000", str(some))
    return some
