r"""A Hopfield network that walks: an item that is active tires, and the network goes on to the next.

Sparse items :math:`\xi^\mu` of zeros and ones, K active of N units in each, are stored by a rule that subtracts means,

.. math:: h_i = \sum_{j \ne i} \sum_\mu w_\mu (\xi_i^\mu - f)(\xi_j^\mu - f)\, s_j, \qquad f = K/N ,

and inhibition lets the K units of the largest fields be active, all updated at once. An item that the network has come
to rest at gets tired, :math:`w_\mu = 0`, and stays so while the next one is active; then it is fresh again,
:math:`w_\mu = 1`. Romani et al. (2013) let inhibition oscillate instead.

Fields are whole numbers, so that ties are ties. Between tied units a random rank decides, drawn once a network.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_generator,
    require_integer,
    require_room,
    require_tensor,
)
from memscape.tools import pieces

__all__ = ["Tour", "sparse_items", "tiring_walk"]


def sparse_items(
    count: int,
    units: int,
    active: int,
    *,
    networks: int = 1,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Random items of zeros and ones with the same number of active units each.

    Parameters
    ----------
    count
        Number of items M of a network.
    units
        Number of units N.
    active
        Active units K, 1 to N - 1.
    networks
        Number of networks.
    generator
        Source of randomness.
    device
        Where tensors live; draws are made on the CPU.

    Returns
    -------
    torch.Tensor
        Axes ``(networks, items, units)``, float64.

    Raises
    ------
    ArgumentError
        If a number is out of range or memory would not hold the items.
    """
    require_count("count", count)
    require_count("units", units, at_least=2)
    require_integer("active", active, at_least=1, at_most=units - 1)
    require_count("networks", networks)
    require_generator("generator", generator)
    target = require_device("device", device)
    require_room(networks=networks, count=count, units=2 * units)
    chosen = (
        torch.rand(networks, count, units, dtype=torch.float64, generator=generator, device="cpu").topk(active).indices
    )
    items = torch.zeros(networks, count, units, dtype=torch.float64, device="cpu")
    return items.scatter_(-1, chosen, 1.0).to(target)


@dataclass(frozen=True)
class Tour:
    """Where networks went.

    Attributes
    ----------
    order
        Items in the order in which they were first met, int64, axes ``(networks, walks, items)``, then -1.
    steps
        Transitions made, int64, axes ``(networks, walks)``.
    nearest
        How many of them led to the most similar item, except the one just left; same axes. Of several equally similar
        ones each will do.
    """

    order: torch.Tensor
    steps: torch.Tensor
    nearest: torch.Tensor


def tiring_walk(items: torch.Tensor, *, walks: int = 1, updates: int = 30, generator: torch.Generator) -> Tour:
    """Let networks wander from item to item until a transition repeats.

    Parameters
    ----------
    items
        Zeros and ones with the same number of active units each, axes ``(networks, items, units)``, three items or
        more.
    walks
        Walks of each network: the first starts at its first item, and so on.
    updates
        Updates of all units, at most, that a network has to come to rest; then it counts as being at the item with the
        largest overlap.
    generator
        Source of the random ranks of units.

    Returns
    -------
    Tour
        On the device of the items.

    Raises
    ------
    ArgumentError
        If axes or values do not fit, or there are fewer items than walks.
    """
    sizes: dict[str, int] = {}
    require_tensor("items", items, "networks items units", values="bits", sizes=sizes)
    networks, count, units = items.shape
    require_integer("items.shape[1]", count, at_least=3)
    sums = items.sum(dim=-1)
    active = int(sums.flatten()[0])
    if (sums != active).any() or not 0 < active < units:
        got = f"{int(sums.min())} to {int(sums.max())}"
        raise ArgumentError("items", "one number of active units, from 1 to all but one", got)
    require_integer("walks", walks, at_least=1, at_most=count)
    require_count("updates", updates)
    require_generator("generator", generator)
    # Whole numbers: each unit's distance from the mean in units of the greatest that divides all.
    common = math.gcd(active, units)
    high, low = (units - active) // common, active // common
    largest = (high + low) * active * max(high, low) * (count + 1)
    if largest > 2**50:
        raise ArgumentError(
            "items", "fields that float64 counts exactly", f"{count} items of {active} in {units} units"
        )
    require_room(networks=networks, walks=walks, units=4 * units)
    require_room(networks=networks * walks, count=count, items=count)
    ranks = torch.rand(networks, units, dtype=torch.float64, generator=generator, device="cpu").to(items.device) / 2
    # Sums that float32 counts exactly are done in it, and of so many networks at once as the processor's cache holds.
    dtype = torch.float32 if largest < 2**24 else torch.float64
    width = pieces.cached(units * (count + 4 * walks) * dtype.itemsize)
    found = [
        _wander(items[some].to(dtype), ranks[some], high, low, active, walks, updates)
        for some in pieces.slices(networks, width)
    ]
    parts = zip(*((tour.order, tour.steps, tour.nearest) for tour in found), strict=True)
    return Tour(*(torch.cat(part) for part in parts))


@torch.no_grad()
def _wander(
    items: torch.Tensor, ranks: torch.Tensor, high: int, low: int, active: int, walks: int, updates: int
) -> Tour:
    networks, count, _ = items.shape
    device = items.device
    centred = items * (high + low) - low
    similar = items @ items.mT
    net = torch.arange(networks, device=device)[:, None].expand(networks, walks)
    who = torch.arange(walks, device=device).expand(networks, walks)
    here, left = who.clone(), torch.full_like(who, -1)
    order = torch.full((networks, walks, count), -1, device=device)
    order[..., 0] = here
    met = torch.zeros(networks, walks, count, dtype=torch.bool, device=device)
    met[net, who, here] = True
    made = torch.zeros(networks, walks, count, count, dtype=torch.bool, device=device)
    number = torch.ones_like(who)
    steps, nearest = torch.zeros_like(who), torch.zeros_like(who)
    going = torch.ones_like(who, dtype=torch.bool)
    while going.any():
        weight = torch.ones(networks, walks, count, dtype=items.dtype, device=device)
        weight[net, who, here] = 0.0
        weight[net, who, left.clamp(min=0)] *= (left < 0).to(items.dtype)
        # What a unit does to itself through the items that are not tired.
        own = weight @ items
        own = own * (high**2 - low**2) + low**2 * weight.sum(dim=-1, keepdim=True)
        state = items[net, here]
        for _ in range(updates):
            overlap = (state @ centred.mT) * weight
            field = (overlap @ centred - own * state).double() + ranks[:, None]
            last = torch.zeros_like(state).scatter_(-1, field.topk(active, sorted=False).indices, 1.0)
            if torch.equal(last, state):
                break
            state = last
        shares = (state @ items.mT).masked_fill(weight == 0, -1.0)
        after = shares.argmax(dim=-1)
        fresh = going & ~made[net, who, here, after]
        made[net, who, here, after] |= fresh
        could = similar[net, here].masked_fill(weight == 0, -1.0)
        nearest += fresh & (could.gather(-1, after[..., None])[..., 0] == could.amax(dim=-1))
        steps += fresh
        new = fresh & ~met[net, who, after]
        order[net[new], who[new], number[new]] = after[new]
        number += new
        met[net, who, after] |= fresh
        left, here = torch.where(fresh, here, left), torch.where(fresh, after, here)
        going = fresh
    return Tour(order, steps, nearest)
