r"""Cuts of a network in two parts, and the nearest law in which nothing goes across.

A cut is a set A of units, as the bits of a number, and the rest B. :func:`cuts` lists each pair of parts once.
:func:`crossing` says whether couplings go across, :func:`connected` whether they do at every cut. :func:`log_linear`
measures what goes across by the divergence

.. math:: \mathrm{LL} = \min_q D(p \,\|\, q), \qquad
          \ln q(x, y) = a(x) + b(y) + c(x_A, y_A) + d(x_B, y_B),

over all laws of this form: the units of the past may depend on each other in any way, those of the present in a way
that is the same after every past, and each part on its own past, and no more (Oizumi, Tsuchiya & Amari 2016; Amari,
Tsuchiya & Oizumi 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_integer,
    require_number,
    require_tensor,
)
from memscape.tools import pieces

__all__ = ["Projection", "connected", "crossing", "cuts", "log_linear"]


def cuts(units: int, *, device: torch.device | str = "cpu") -> torch.Tensor:
    """The parts A of all cuts of the units in two, int64, axes ``(2**(n-1) - 1,)``; the last unit is in B.

    Parameters
    ----------
    units
        n, from 2 to 24.
    device
        Where the numbers live.

    Raises
    ------
    ArgumentError
        If there is no such number of units, or no such device.
    """
    require_integer("units", units, at_least=2, at_most=24)
    return torch.arange(1, 2 ** (units - 1), device=require_device("device", device))


def crossing(weights: torch.Tensor) -> torch.Tensor:
    """Whether any coupling that is not zero goes from one part to the other, at every cut.

    Parameters
    ----------
    weights
        Axes ``(*G, n, n)``, floating.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(*G, cuts)``.

    Raises
    ------
    ArgumentError
        If the weights are not square or not finite.
    """
    require_tensor("weights", weights, "... units units")
    units = require_integer("weights", weights.shape[-1], at_least=2, at_most=24)
    inside = (cuts(units, device=weights.device)[:, None] >> torch.arange(units, device=weights.device) & 1).float()
    links = (weights != 0).float()
    links = torch.maximum(links, links.mT)
    # Links from A to all, less those that stay in A, counted at the ends in B.
    across = ((inside @ links) * (1 - inside)).sum(dim=-1)
    return across > 0


def connected(weights: torch.Tensor) -> torch.Tensor:
    """Whether every cut is crossed: the network, links taken without direction, is in one piece.

    Parameters
    ----------
    weights
        Axes ``(*G, n, n)``, floating.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(*G,)``.

    Raises
    ------
    ArgumentError
        If the weights are not square or not finite.
    """
    require_tensor("weights", weights, "... units units")
    links = (weights != 0).float()
    reach = torch.maximum(links, links.mT) + torch.eye(links.shape[-1], device=links.device)
    for _ in range((weights.shape[-1] - 1).bit_length()):
        reach = (reach @ reach).clamp(max=1)  # twice as many steps
    return (reach > 0).flatten(-2).all(dim=-1)


@dataclass(frozen=True, eq=False)
class Projection:
    """What the fit of split models found.

    Attributes
    ----------
    divergence
        D(p || q) in nats, axes ``(*G, cuts)``.
    gain
        By how much the last sweep lowered it, the same axes: more than what is left to gain, where a sweep gains less
        than half of the one before.
    residual
        Largest deviation of a marginal of q, in total variation.
    sweeps
        Sweeps made.
    """

    divergence: torch.Tensor
    gain: torch.Tensor
    residual: float
    sweeps: int


def log_linear(joint: torch.Tensor, *, tolerance: float = 1e-11, sweeps: int = 20000) -> Projection:
    r"""Divergence of joint laws from the nearest split law, at every cut, by iterative proportional fitting.

    The nearest law q of the form above is the one that has the marginals of p on x, on y, on :math:`(x_A, y_A)` and on
    :math:`(x_B, y_B)`. From the uniform law, q is scaled to have one of these after the other. Each step
    lowers the divergence by that of the marginal which it mends, so what is returned is an upper bound.

    Parameters
    ----------
    joint
        p(x, y), axes ``(*G, 2**n, 2**n)``, float64.
    tolerance
        A fit ends where all four marginals are off by no more than this in total variation.
    sweeps
        Most sweeps of four steps.

    Returns
    -------
    Projection

    Raises
    ------
    ArgumentError
        If the table is no law, has more than the memory budget, or the fit takes more sweeps.
    """
    require_tensor("joint", joint, "... states states", values="nonnegative", dtype=torch.float64)
    require_number("tolerance", tolerance, above=0.0)
    require_count("sweeps", sweeps)
    states = joint.shape[-1]
    units = states.bit_length() - 1
    if states != 2**units or units < 2:
        raise ArgumentError("joint", "4, 8, 16, ... states of the past and of the present", str(states))
    if 40 * states**2 > pieces.fitting(1):
        raise ArgumentError("joint", "tables within the memory budget", f"{units} units", "Take fewer units.")
    if (joint.sum(dim=(-2, -1)) - 1).abs().max() > 1e-9:
        raise ArgumentError("joint", "probabilities that add up to 1", "another sum")
    networks, one = joint.shape[:-2], cuts(units, device=joint.device)
    tables = joint.reshape(-1, states, states)
    order = torch.stack([_order(int(cut), units, joint.device) for cut in one.tolist()])  # (cuts, states)
    sizes = torch.tensor([int(cut).bit_count() for cut in one.tolist()], device=joint.device)
    divergence = joint.new_empty(len(tables), len(one))
    gain, residual, most = torch.empty_like(divergence), 0.0, 0
    for size in sorted(set(sizes.tolist())):
        places = (sizes == size).nonzero()[:, 0]
        pairs = torch.cartesian_prod(torch.arange(len(tables), device=joint.device), places)
        for block in pieces.slices(len(pairs), pieces.fitting(40 * states**2)):
            network, cut = pairs[block].T
            rows = tables[network[:, None, None], order[cut][:, :, None], order[cut][:, None, :]]
            shape = (-1, 2 ** (units - size), 2**size, 2 ** (units - size), 2**size)
            found, last, worst, made = _fit(rows.reshape(shape), tolerance, sweeps)
            divergence[network, cut], gain[network, cut] = found, last
            residual, most = max(residual, worst), max(most, made)
    axes = (*networks, len(one))
    return Projection(divergence.reshape(axes), gain.reshape(axes), residual, most)


_MARGINALS = ((3, 4), (1, 2), (1, 3), (2, 4))  # what is summed over: the present, the past, B, A


def _fit(p: torch.Tensor, tolerance: float, sweeps: int) -> tuple[torch.Tensor, torch.Tensor, float, int]:
    """Fit split laws to tables ``(K, B, A, B, A)``; those that are done leave the batch."""
    targets = [p.sum(dim=axes, keepdim=True) for axes in _MARGINALS]
    q = torch.full_like(p, 1 / p[0].numel())
    fitted = torch.empty_like(p)
    active = torch.arange(len(p), device=p.device)
    gains = p.new_zeros(len(p))
    worst, made = 0.0, 0
    while len(active):
        made += 1
        off, gained = p.new_zeros(len(active)), p.new_zeros(len(active))
        for axes, target in zip(_MARGINALS, targets, strict=True):
            now = q.sum(dim=axes, keepdim=True)
            off = torch.maximum(off, (now - target[active]).abs().flatten(1).sum(dim=1) / 2)
            ratio = torch.where(now > 0, target[active] / now.clamp(min=1e-300), 0.0)
            gained += torch.special.xlogy(target[active], ratio).flatten(1).sum(dim=1)
            q = q * ratio
        done = off <= tolerance
        if done.any():
            fitted[active[done]], gains[active[done]] = q[done], gained[done]
            worst = max(worst, off[done].max().item())
            q, active = q[~done], active[~done]
        if len(active) and made == sweeps:
            got = f"marginals off by {off.max().item():.1e}"
            raise ArgumentError(
                "sweeps", f"fits that end within {sweeps} sweeps", got, "Allow more, or less exact ones."
            )
    terms = torch.special.xlogy(p, p) - torch.special.xlogy(p, fitted.clamp(min=1e-300))
    return terms.flatten(1).sum(dim=1), gains.clamp(min=0), worst, made


def _order(cut: int, units: int, device: torch.device) -> torch.Tensor:
    """All states, ordered by the bits of B first and those of A last."""
    numbers = torch.arange(2**units, device=device)
    bits = [unit for unit in range(units) if cut >> unit & 1] + [unit for unit in range(units) if not cut >> unit & 1]
    return torch.stack([(numbers >> place & 1) << unit for place, unit in enumerate(bits)]).sum(dim=0)
