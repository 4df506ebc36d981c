r"""Patterns to store, probes to start from, and the overlap that says how much of a pattern a state recalls.

Axes, here and in every model of this folder. Patterns have axes ``(*G, P, N)``: ``G`` counts independent networks
(often there is one and ``G`` is empty), ``P`` patterns of ``N`` neurons each. A state has axes ``(*G, ..., N)``: what
stands between ``G`` and ``N`` counts probes, states of the same network that do not know of each other. All values are
-1 or +1, in a floating dtype.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from memscape.arguments import (
    ArgumentError,
    Values,
    require_count,
    require_device,
    require_dtype,
    require_generator,
    require_integer,
    require_room,
    require_sequence,
    require_sizes,
    require_tensor,
)

__all__ = [
    "align",
    "as_probes",
    "flat",
    "flip",
    "mixture",
    "overlap",
    "random_patterns",
    "require_state",
]


def random_patterns(
    count: int,
    neurons: int,
    *,
    networks: Sequence[int] = (),
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Independent, unbiased random patterns.

    Parameters
    ----------
    count
        Number of patterns P of each network.
    neurons
        Number of neurons N.
    networks
        Axes G of independent networks.
    generator
        A CPU generator. Bits are drawn on the CPU, so they are the same on every device.
    dtype, device
        Floating dtype and device of the result.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, P, N)``, values -1 and +1 with equal probability.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, the dtype is not floating, the device is unknown or absent, or
        ``generator`` is not a CPU generator.
    """
    require_count("count", count)
    require_count("neurons", neurons)
    networks = require_sizes("networks", networks)
    require_room(networks=math.prod(networks), count=count, neurons=neurons)
    require_generator("generator", generator)
    dtype, device = require_dtype("dtype", dtype), require_device("device", device)
    bits = torch.randint(0, 2, (*networks, count, neurons), generator=generator, dtype=torch.int8, device="cpu")
    return (2 * bits - 1).to(device=device, dtype=dtype)


def flip(state: torch.Tensor, count: int, *, generator: torch.Generator) -> torch.Tensor:
    """Copy of the state with exactly ``count`` distinct, randomly chosen units of every probe turned over.

    Parameters
    ----------
    state
        Axes ``(..., N)``, values in {-1, +1}.
    count
        Number of units to turn over in each probe, 0 to N.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Same axes, dtype and device as ``state``; each probe is at Hamming distance ``count`` from where it was.

    Raises
    ------
    ArgumentError
        If the state is not made of spins, ``count`` is not an integer in [0, N], or ``generator`` is not on the CPU.
    """
    require_tensor("state", state, "... neurons", values="spins")
    require_integer("count", count, at_least=0, at_most=state.shape[-1])
    require_generator("generator", generator)
    keys = torch.rand(state.shape, generator=generator, dtype=torch.float64, device="cpu")
    chosen = keys.argsort(dim=-1)[..., :count]
    signs = torch.ones_like(state).scatter_(-1, chosen.to(state.device), -1.0)
    return state * signs


def overlap(patterns: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
    r"""Overlap :math:`m^\mu = \frac1N \sum_i \xi_i^\mu s_i` of every state with every pattern of its network.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    state
        Axes ``(*G, ..., N)``, finite values of the same dtype and device.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, ..., P)``, dimensionless; in [-1, 1] for a state of spins. 1 is perfect recall, and a fraction
        (1 - m) / 2 of the bits is wrong.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or the state does not fit them.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    require_state("state", state, patterns, values="finite")
    networks = patterns.shape[:-2]
    products = as_probes(state, networks) @ patterns.mT
    return products.reshape(*state.shape[:-1], patterns.shape[-2]) / patterns.shape[-1]


def mixture(patterns: torch.Tensor, members: Sequence[int]) -> torch.Tensor:
    r"""Symmetric mixture :math:`s_i = \mathrm{sign} \sum_\mu \xi_i^\mu` of an odd number of patterns.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    members
        Indices of the patterns to mix: distinct, an odd number of them, so that no sum is zero.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, N)``, values in {-1, +1}.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, an index is out of range or repeated, or their number is even.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    for member in require_sequence("members", members, "indices"):
        require_integer("members", member, at_least=0, at_most=patterns.shape[-2] - 1)
    if len(members) % 2 == 0 or len(set(members)) != len(members):
        raise ArgumentError(
            "members",
            "an odd number of distinct indices",
            str(list(members)),
            "With an even number a unit can be undecided.",
        )
    return patterns[..., list(members), :].sum(dim=-2).sign()


def as_probes(state: torch.Tensor, networks: Sequence[int]) -> torch.Tensor:
    """View ``(*G, ..., N)`` as ``(*G, B, N)``: all probes of a network along one axis (B = 1 where there is no axis).

    Parameters
    ----------
    state
        Axes ``(*G, ..., N)``.
    networks
        The axes G.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, B, N)``; undo it with ``.reshape(state.shape)``.
    """
    probes = math.prod(state.shape[len(networks) : -1])
    return state.reshape(*networks, probes, state.shape[-1])


def require_state(argument: str, state: torch.Tensor, like: torch.Tensor, *, values: Values = "spins") -> torch.Tensor:
    """Return ``state`` if it is a state of the networks whose patterns or weights are ``like``, otherwise raise.

    Parameters
    ----------
    argument
        The name the caller knows the state by.
    state
        What was passed; it must have axes ``(*G, ..., N)``.
    like
        Patterns ``(*G, P, N)`` or weights ``(*G, N, N)``; they fix G, N, dtype and device.
    values
        What the state may hold; see :func:`memscape.arguments.require_tensor`.

    Raises
    ------
    ArgumentError
        If dtype, device, number of neurons, axes of networks or values differ from that.
    """
    require_tensor(
        argument,
        state,
        "... neurons",
        values=values,
        sizes={"neurons": like.shape[-1]},
        device=like.device,
        dtype=like.dtype,
    )
    networks = tuple(like.shape[:-2])
    if networks and tuple(state.shape[:-1][: len(networks)]) != networks:
        raise ArgumentError(
            argument,
            f"leading axes {networks}, one entry a network",
            f"shape {tuple(state.shape)}",
            "Put the networks first, then the probes, then the neurons.",
        )
    return state


def align(state: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    """Every unit with the sign of its field, axes and dtype of the state; a unit without a field keeps its value."""
    # Exactly the sign where its size is 1 and the state where it is 0: a comparison takes torch three times as long.
    sign = field.sign().to(state.dtype)
    return torch.lerp(state, sign, sign.abs())


def flat(state: torch.Tensor, networks: tuple[int, ...]) -> torch.Tensor:
    """View ``(*G, ..., N)`` as the flat batch ``(G', B, N)`` of a :class:`~memscape.tools.models.Tracker`."""
    return state.reshape(math.prod(networks), math.prod(state.shape[len(networks) : -1]), state.shape[-1])
