r"""A census of random competitive networks of three neurons: which signs and which fixed points occur.

Couplings are drawn log-normal, :math:`W_{ij} = -e^{1.5 z}` with normal z, so that they differ widely in size. Every
network is solved twice, with equal inputs and with free ones, :math:`b_i = e^z`. What rounding could have decided is
left out of the counts of sets and tables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from memscape.arguments import require_device, require_integer, require_number, require_rng, require_room
from memscape.polytopes.chirotopes import canonical, set_codes, table_codes
from memscape.polytopes.threshold_linear import ThresholdLinear, fixed_points, hurwitz

__all__ = ["Census", "census", "lognormal"]

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Census:
    """What random networks of three neurons showed.

    Attributes
    ----------
    tables
        How many networks have each table of signs, by its code, axes ``(1024,)``.
    steady
        How many of them have a stable -I + W on all three neurons, same axes.
    equal, free
        How many networks have each set of fixed points, by its code (`chirotopes.set_codes`), with equal inputs and
        with free ones, axes ``(2**16,)``.
    growth
        How many kinds of sets, up to renumbering, had been met after each solution of a round.
    exceptions
        Networks whose indices do not sum to 1.
    last
        The weights of the last round, axes ``(networks, 3, 3)``.
    """

    tables: Counts
    steady: Counts
    equal: Counts
    free: Counts
    growth: tuple[int, ...]
    exceptions: int
    last: torch.Tensor


def census(rounds: int, networks: int, rng: np.random.Generator, device: torch.device | str = "cpu") -> Census:
    """Draw networks of three neurons, in rounds that fit into memory, and count what they show.

    Parameters
    ----------
    rounds, networks
        How many rounds, up to 1000, and networks in each of them.
    rng
        Where the couplings and inputs come from.
    device
        Where the networks are solved.

    Raises
    ------
    ArgumentError
        If an argument is of another kind or out of range.
    """
    rounds = require_integer("rounds", rounds, at_least=1, at_most=1000)
    require_integer("networks", networks, at_least=1, at_most=10**7)
    require_rng("rng", rng)
    device = require_device("device", device)
    tables, steady = np.zeros(1024, dtype=np.int64), np.zeros(1024, dtype=np.int64)
    sets = [np.zeros(2**16, dtype=np.int64) for _ in range(2)]
    growth, exceptions = [], 0
    for _ in range(rounds):
        weights = lognormal(rng, networks, 3, spread=1.5).to(device)
        equal = torch.ones(networks, 3, dtype=torch.float64, device=device)
        free = torch.from_numpy(np.exp(rng.standard_normal((networks, 3)))).to(device)
        codes = table_codes(weights).cpu().numpy()
        tables += np.bincount(codes[codes >= 0], minlength=1024)
        calm = hurwitz(weights - torch.eye(3, dtype=torch.float64, device=device)).cpu().numpy()
        steady += np.bincount(codes[(codes >= 0) & calm], minlength=1024)
        for counts, inputs in zip(sets, (equal, free), strict=True):
            points = fixed_points(ThresholdLinear(weights, inputs))
            exceptions += int((points.decided & (points.index_sum != 1)).sum())
            sure = points.exists[points.decided].cpu(), points.stable[points.decided].cpu()
            counts += np.bincount(set_codes(*sure), minlength=2**16)
            growth.append(len(np.unique(canonical(np.flatnonzero(sets[0] + sets[1]), 3))))
    return Census(tables, steady, sets[0], sets[1], tuple(growth), exceptions, weights)


def lognormal(rng: np.random.Generator, networks: int, neurons: int, *, spread: float) -> torch.Tensor:
    r"""Weights of random competitive networks, :math:`W_{ij} = -e^{s z}` with normal z and a zero diagonal.

    Parameters
    ----------
    rng
        Where z comes from.
    networks, neurons
        How many networks, of n neurons each; 1 or more.
    spread
        s, from 0 to 10.

    Returns
    -------
    torch.Tensor
        Axes ``(networks, n, n)``, float64.

    Raises
    ------
    ArgumentError
        If an argument is of another kind or out of range.
    """
    require_rng("rng", rng)
    n = require_integer("neurons", neurons, at_least=1)
    require_room(networks=require_integer("networks", networks, at_least=1) * n * n)
    scale = require_number("spread", spread, at_least=0.0, at_most=10.0)
    drawn = torch.from_numpy(-np.exp(scale * rng.standard_normal((networks, n, n))))
    drawn.diagonal(dim1=-2, dim2=-1).zero_()
    return drawn
