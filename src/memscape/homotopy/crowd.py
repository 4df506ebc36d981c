r"""Integration of large complete networks, where units of one state are counted instead of listed.

In a complete network with all couplings 1 every unit feels the sum of the others. So only numbers matter: of the units
of part A that are up, and of those of part B. With this a cut costs a sum over few numbers, however many states there
are, and the stochastic interaction of :mod:`memscape.homotopy.information` is exact for a hundred units and more.
"""

from __future__ import annotations

import math

import torch

from memscape.arguments import ArgumentError, require_integer, require_tensor
from memscape.tools import pieces

__all__ = ["complete_cuts"]


def complete_cuts(units: int, temperatures: torch.Tensor) -> torch.Tensor:
    r"""Stochastic interaction of the complete network with couplings 1, for every size of the smaller part.

    Let s units be up. An upper unit stays up with probability :math:`p_+(s) = 1/(1 + e^{-2(2s-n-1)/T})`, a lower one
    comes up with :math:`p_-(s) = 1/(1 + e^{-2(2s-n+1)/T})`, and the stationary law of one state is proportional to
    :math:`\cosh^s((2s-n-1)/T) \cosh^{n-s}((2s-n+1)/T)` (Peretto 1984). Given that i of the a units of a part are up,
    the numbers u and v of those that stay up and come up are mixtures, over j upper units in the other part, of
    products of two binomial laws; all arrangements of the same numbers are alike.

    Parameters
    ----------
    units
        n, from 2 to 1000.
    temperatures
        T > 0, float64, axes ``(temperatures,)``.

    Returns
    -------
    torch.Tensor
        Axes ``(temperatures, n // 2)``, in nats: place a - 1 is the cut of a units from the others.

    Raises
    ------
    ArgumentError
        If the units are out of range, a temperature is not positive or so low that nothing moves.
    """
    require_integer("units", units, at_least=2, at_most=1000)
    require_tensor("temperatures", temperatures, "temperatures", dtype=torch.float64)
    if (temperatures <= 0).any() or (units**2 / temperatures).max() > 1e8:
        raise ArgumentError("temperatures", "numbers > 0 at which something moves", f"{temperatures.min().item():.3g}")
    found = [
        _costs(units, temperatures[block]) for block in pieces.slices(len(temperatures), pieces.fitting(8 * units**3))
    ]
    return torch.cat(found)


def _costs(units: int, temperatures: torch.Tensor) -> torch.Tensor:
    """The same for temperatures that fit in memory at once."""
    up = torch.arange(units + 1, dtype=torch.float64, device=temperatures.device)
    high, low = ((2 * up - units + shift) / temperatures[:, None] for shift in (-1, 1))
    log_choose = _log_choose(units, temperatures.device)
    log_law = up * _log_cosh(high) + (units - up) * _log_cosh(low)
    log_law = log_law - (log_law + log_choose[units]).logsumexp(dim=-1, keepdim=True)  # of one state, by its number up
    number = (log_law + log_choose[units]).exp()
    ahead = (number * (up * _binary_entropy(2 * high) + (units - up) * _binary_entropy(2 * low))).sum(dim=-1)
    # Binomial laws of u of i upper units, for every number up: (temperatures, numbers up, 0..i).
    kept, raised = (
        [(log_choose[i, : i + 1] + _log_powers(field, up[: i + 1], i)).exp() for i in range(units)]
        for field in (2 * high, 2 * low)
    )
    alone = temperatures.new_zeros(len(temperatures), units + 1)
    for part in range(1, units):
        total = temperatures.new_zeros(len(temperatures))
        for i in range(part // 2 + 1):  # turning all units over takes i to part - i
            other = slice(i, i + units - part + 1)  # numbers up in all
            weight = (log_choose[part, i] + log_choose[units - part, : units - part + 1] + log_law[:, other]).exp()
            counts = (kept[i][:, other] * weight[..., None]).mT @ raised[part - i][:, other]
            arranged = log_choose[i, : i + 1, None] + log_choose[part - i, : part - i + 1]
            entropy = torch.special.entr(counts).sum(dim=(1, 2)) - torch.special.entr(weight.sum(dim=1))
            entropy = entropy + (counts * arranged).sum(dim=(1, 2))
            total += entropy * (1 if 2 * i == part else 2)
        alone[:, part] = total
    smaller = torch.arange(1, units // 2 + 1, device=alone.device)
    return alone[:, smaller] + alone[:, units - smaller] - ahead[:, None]


def _log_choose(units: int, device: torch.device) -> torch.Tensor:
    """Logarithms of binomial coefficients, axes ``(n + 1, n + 1)``."""
    rows = [[math.log(math.comb(n, k)) if k <= n else 0.0 for k in range(units + 1)] for n in range(units + 1)]
    return torch.tensor(rows, dtype=torch.float64, device=device)


def _log_cosh(field: torch.Tensor) -> torch.Tensor:
    return field.abs() + torch.log1p(torch.exp(-2 * field.abs()))  # up to ln 2, which every state has n times


def _binary_entropy(logit: torch.Tensor) -> torch.Tensor:
    """Entropy of a unit that is up with the probability 1/(1 + exp(-logit))."""
    return torch.special.entr(torch.sigmoid(logit)) + torch.special.entr(torch.sigmoid(-logit))


def _log_powers(logit: torch.Tensor, ups: torch.Tensor, units: int) -> torch.Tensor:
    """Logarithm of p**u (1 - p)**(i - u), axes ``(temperatures, numbers up, u)``."""
    log = torch.nn.functional.logsigmoid
    return ups * log(logit)[..., None] + (units - ups) * log(-logit)[..., None]
