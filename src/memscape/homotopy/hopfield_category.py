r"""Resources on the edges of a network, and the two rules by which they change.

Manin and Marcolli (2024) let objects of a category move on a network. On numbers their equations (6.5) and (6.8) read,
as transcribed by others,

.. math:: x \mapsto x + (T x + \Theta)_+ \qquad\text{and}\qquad x \mapsto (T x + \Theta)_+ ,

with :math:`(u)_+ = \max(u, 0)` on each edge. The first *adds* to what there is, the second *replaces* it. Values are
floats; whole numbers below 2^53 are exact in float64, and so are all results on them here. Everything is dimensionless.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import networkx as nx
import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_device,
    require_fit,
    require_integer,
    require_number,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.tools import pieces

__all__ = [
    "RULES",
    "Fates",
    "Wiring",
    "complete_wiring",
    "doubled",
    "driven",
    "fates",
    "following",
    "orbits",
    "rests",
    "slowed",
    "small_networks",
    "step",
    "thresholded",
]

RULES = ("adding", "replacing")
"""Equation (6.5), and equation (6.8)."""

_WHOLE = 2**53
"""Whole numbers below this are exact in float64."""


@dataclass(frozen=True)
class Wiring:
    """A directed network, and the assignments of numbers to its edges that obey Kirchhoff's law.

    Attributes
    ----------
    edges
        Pairs (from, to) of vertices 0, 1, ..., in the order in which values are given.
    balance
        What flows into each vertex less what flows out, axes ``(vertices, edges)``, float64, in {-1, 0, 1}. Values x
        are a *circulation* if ``balance @ x`` is 0.
    cycles
        The simple directed cycles, axes ``(cycles, edges)``, float64, in {0, 1}: shorter ones first. Sums of them are
        all circulations of whole numbers that are not negative.
    basis
        A basis of all circulations of whole numbers, axes ``(rank, edges)``, float64, in {-1, 0, 1}.
    """

    edges: tuple[tuple[int, int], ...]
    balance: torch.Tensor
    cycles: torch.Tensor
    basis: torch.Tensor

    def breaks(self, values: torch.Tensor) -> torch.Tensor:
        """Whether values, axes ``(..., edges)``, whole numbers below 2^53, are no circulation: axes ``(...)``, bool.

        Raises
        ------
        ArgumentError
            If the values have other axes, or are no whole numbers below 2^53.
        """
        _require_whole("values", values, "... edges", {"edges": len(self.edges)})
        return (values @ self.balance.to(values).mT != 0).any(dim=-1)


def complete_wiring(vertices: int, *, device: torch.device | str | None = None) -> Wiring:
    """The network with an edge from every vertex to every other one.

    Parameters
    ----------
    vertices
        Their number, 2 to 6: from seven on there are thousands of simple cycles.
    device
        Where the tensors live; by default the CPU.

    Returns
    -------
    Wiring
        The edges in lexicographic order.

    Raises
    ------
    ArgumentError
        If ``vertices`` or ``device`` is none of these.
    """
    require_integer("vertices", vertices, at_least=2, at_most=6)
    device = require_device("device", "cpu" if device is None else device)
    edges = tuple(itertools.permutations(range(vertices), 2))
    place = {edge: i for i, edge in enumerate(edges)}
    balance = torch.zeros(vertices, len(edges), dtype=torch.float64, device=device)
    for i, (start, end) in enumerate(edges):
        balance[start, i], balance[end, i] = -1, 1
    rings = sorted(nx.simple_cycles(nx.DiGraph(edges)), key=lambda ring: (len(ring), _turned(ring)))
    cycles = torch.zeros(len(rings), len(edges), dtype=torch.float64, device=device)
    for row, ring in zip(cycles, rings, strict=True):
        row[[place[pair] for pair in itertools.pairwise([*ring, ring[0]])]] = 1
    # Every edge outside the star of vertex 0 closes one loop with it: forwards along the edge, back by the star. Of the
    # two edges between 0 and v the one from 0 belongs to the tree.
    basis = torch.zeros((vertices - 1) ** 2, len(edges), dtype=torch.float64, device=device)
    chords = [edge for edge in edges if edge[0] != 0]
    for row, (start, end) in zip(basis, chords, strict=True):
        row[place[start, end]] += 1
        row[place[0, start]] += 1
        if end != 0:
            row[place[0, end]] -= 1
    return Wiring(edges, balance, cycles, basis)


def _turned(ring: list[int]) -> list[int]:
    start = ring.index(min(ring))
    return ring[start:] + ring[:start]


def driven(couplings: torch.Tensor, inputs: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
    r"""What the threshold acts on, :math:`T x + \Theta`.

    Parameters
    ----------
    couplings
        T, axes ``(*G, edges, edges)``, row e holds what edge e receives.
    inputs
        :math:`\Theta`, axes ``(*G, edges)`` with the same G.
    state
        x, axes ``(*G, ..., edges)``.

    Returns
    -------
    torch.Tensor
        Axes of the state.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, a value is not finite, or a result is beyond the dtype.
    """
    networks = _require_network(couplings, inputs)
    _require_state("state", state, couplings, networks)
    return require_fit("state", _driven(couplings, inputs, state, len(networks)))


def _driven(couplings: torch.Tensor, inputs: torch.Tensor, state: torch.Tensor, batch: int) -> torch.Tensor:
    more = state.ndim - 1 - batch
    lead = couplings.shape[:-2]
    if more == 0:
        return (couplings @ state[..., None])[..., 0] + inputs
    probes = state.reshape(*lead, -1, state.shape[-1])
    return (probes @ couplings.mT + inputs[..., None, :]).reshape(state.shape)


def thresholded(values: torch.Tensor, *, whole: bool = False) -> torch.Tensor:
    """What the threshold leaves.

    Parameters
    ----------
    values
        Axes ``(..., edges)``, finite.
    whole
        By default each edge is cut by itself: a negative value becomes 0. Otherwise the assignment is kept as it is
        where its total is not negative, and is 0 on all edges where it is.

    Returns
    -------
    torch.Tensor
        The same axes.

    Raises
    ------
    ArgumentError
        If ``values`` is no such tensor or ``whole`` no bool.
    """
    require_tensor("values", values, "... edges")
    _require_bool("whole", whole)
    return _cut(values, whole)


def _cut(values: torch.Tensor, whole: bool) -> torch.Tensor:
    if whole:
        return torch.where(values.sum(dim=-1, keepdim=True) >= 0, values, 0)
    return values.clamp(min=0)


def step(
    rule: str, couplings: torch.Tensor, inputs: torch.Tensor, state: torch.Tensor, *, whole: bool = False
) -> torch.Tensor:
    """One step: ``"adding"`` is equation (6.5), ``"replacing"`` is equation (6.8).

    Parameters
    ----------
    rule
        One of :data:`RULES`.
    couplings, inputs, state, whole
        As for :func:`driven` and :func:`thresholded`.

    Returns
    -------
    torch.Tensor
        The next state, the same axes.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or a result is beyond the dtype.
    """
    return _orbits("state", rule, couplings, inputs, state, 1, whole)[1]


def orbits(
    rule: str,
    couplings: torch.Tensor,
    inputs: torch.Tensor,
    starts: torch.Tensor,
    *,
    steps: int,
    whole: bool = False,
) -> torch.Tensor:
    """States from each start on, step by step.

    Parameters
    ----------
    rule
        One of :data:`RULES`.
    couplings, inputs
        As for :func:`driven`.
    starts
        Axes ``(*G, ..., edges)``, left untouched.
    steps
        Number of steps, at least 1.
    whole
        As for :func:`thresholded`.

    Returns
    -------
    torch.Tensor
        Axes ``(1 + steps, *G, ..., edges)``, the starts first.

    Raises
    ------
    ArgumentError
        If an argument is none of these, a result is beyond the dtype, or the orbits do not fit in memory.
    """
    require_count("steps", steps)
    return _orbits("starts", rule, couplings, inputs, starts, steps, whole)


def _orbits(
    argument: str,
    rule: str,
    couplings: torch.Tensor,
    inputs: torch.Tensor,
    starts: torch.Tensor,
    steps: int,
    whole: bool,
) -> torch.Tensor:
    require_choice("rule", rule, RULES)
    _require_bool("whole", whole)
    networks = _require_network(couplings, inputs)
    _require_state(argument, starts, couplings, networks)
    require_room(steps=steps + 1, starts=starts.numel())
    kept = [starts]
    for _ in range(steps):
        change = _cut(_driven(couplings, inputs, kept[-1], len(networks)), whole)
        kept.append(kept[-1] + change if rule == "adding" else change)
    return require_fit(argument, torch.stack(kept))


@dataclass(frozen=True)
class Fates:
    """What becomes of orbits of whole numbers.

    Attributes
    ----------
    period
        Axes ``(networks,)``, int64: 1 where the orbit comes to rest, p where it repeats after p steps and not before,
        0 where a value passes the cap, -1 where neither happened within the steps that were allowed.
    largest
        The largest value that was met, same axes, float64.
    """

    period: torch.Tensor
    largest: torch.Tensor


def fates(
    rule: str, couplings: torch.Tensor, inputs: torch.Tensor, starts: torch.Tensor, *, cap: float, steps: int = 2**15
) -> Fates:
    """Whether orbits rest, repeat or grow: exactly, by Brent's search for cycles on all networks at once.

    Each orbit is compared with a state of its past that is put on to the present after 1, 2, 4, 8, ... steps. Once this
    state lies on the cycle, the first return to it is the period. Networks that are decided are stepped no further.

    Parameters
    ----------
    rule
        One of :data:`RULES`.
    couplings
        Axes ``(networks, edges, edges)``, whole numbers.
    inputs, starts
        Axes ``(networks, edges)``, whole numbers.
    cap
        An orbit with a value above it in absolute value counts as growing; positive.
    steps
        Most steps, at least 1.

    Returns
    -------
    Fates
        On the device of the couplings.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or a step from below the cap could pass 2^53, beyond which whole numbers are
        not exact.
    """
    require_choice("rule", rule, RULES)
    sizes: dict[str, int] = {}
    _require_whole("couplings", couplings, "networks edges edges", sizes)
    device, dtype = couplings.device, couplings.dtype
    for name, value in (("inputs", inputs), ("starts", starts)):
        require_tensor(name, value, "networks edges", sizes=sizes, device=device, dtype=dtype)
        _require_whole(name, value, "networks edges", sizes)
    most = require_number("cap", cap, above=0.0)
    require_count("steps", steps)
    widest = float((couplings.abs().double().sum(dim=-1) + 1).max()) * max(most, float(starts.abs().max()))
    if widest + float(inputs.abs().max()) >= _WHOLE:
        raise ArgumentError("cap", "a cap whose next values stay below 2**53", f"{most:g}", "Take a smaller one.")
    networks = len(couplings)
    period = torch.full((networks,), -1, dtype=torch.int64, device=couplings.device)
    largest = starts.abs().amax(dim=-1).double()
    # Networks along the last axis: every step is one sweep over contiguous memory.
    open_ = torch.arange(networks, device=couplings.device)
    t, b, x = (a.double().movedim(0, -1).contiguous() for a in (couplings, inputs, starts))
    past, waited, power = x, 0, 1
    for _ in range(steps):
        change = ((t * x).sum(dim=1) + b).clamp_(min=0)
        x = x + change if rule == "adding" else change
        waited += 1
        size = x.abs().amax(dim=0)
        back, out = (x == past).all(dim=0), size > most
        largest[open_] = torch.maximum(largest[open_], size)
        done = back | out
        if done.any():
            period[open_[back]] = waited
            period[open_[out]] = 0
            keep = ~done
            open_, t, b, x, past = open_[keep], t[..., keep], b[:, keep], x[:, keep], past[:, keep]
            if not len(open_):
                break
        if waited == power:
            past, waited, power = x, 0, 2 * power
    return Fates(period, largest)


def small_networks(
    units: int, couplings: tuple[int, ...], inputs: tuple[int, ...], *, device: torch.device | str | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """All networks with couplings between different units, and inputs, from given whole numbers.

    Parameters
    ----------
    units
        Number of units, at least 1.
    couplings, inputs
        The values that a coupling and an input may take, each once.
    device
        Where the tensors live; by default the CPU.

    Returns
    -------
    tuple of torch.Tensor
        T with axes ``(networks, units, units)`` and zeros on the diagonal, and inputs ``(networks, units)``, float64.
        The inputs run fastest.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or the list is larger than the memory budget.
    """
    n = require_integer("units", units, at_least=1, at_most=8)
    device = require_device("device", "cpu" if device is None else device)
    ranges = []
    for name, value in (("couplings", couplings), ("inputs", inputs)):
        values = [
            require_integer(name, each, at_least=-(2**20), at_most=2**20)
            for each in require_sequence(name, value, "integers")
        ]
        if not values or len(set(values)) != len(values):
            raise ArgumentError(name, "different integers, at least one", repr(value)[:60])
        ranges.append(values)
    pairs = n * (n - 1)
    count = len(ranges[0]) ** pairs * len(ranges[1]) ** n
    if count > (most := pieces.fitting(8 * (n + n * n))):
        raise ArgumentError("units", f"networks that fit the memory budget, {most}", f"{count}", "Take fewer values.")
    weights, supplies = (torch.tensor(each, dtype=torch.float64, device=device) for each in ranges)
    t = torch.zeros(len(ranges[0]) ** pairs, n * n, dtype=torch.float64, device=device)
    if pairs:
        off = [i * n + j for i in range(n) for j in range(n) if i != j]
        t[:, off] = torch.cartesian_prod(*[weights] * pairs).reshape(-1, pairs)
    b = torch.cartesian_prod(*[supplies] * n).reshape(-1, n)
    return t.reshape(-1, n, n).repeat_interleave(len(b), dim=0), b.repeat(len(t), 1)


def rests(couplings: torch.Tensor, inputs: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
    r"""Whether a state is at rest under (6.5): :math:`T x + \Theta \le 0` on every edge. Axes ``(*G, ...)``, bool.

    Parameters
    ----------
    couplings, inputs, state
        As for :func:`driven`.

    Raises
    ------
    ArgumentError
        As for :func:`driven`.
    """
    return (driven(couplings, inputs, state) <= 0).all(dim=-1)


def following(orbit: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Couplings and inputs with which (6.5) runs through a given orbit of bits that never switches a unit off.

    Let :math:`d_n = x_{n+1} - x_n` be what step n switches on, and :math:`j_n` a unit that step n - 1 switches on. Then

    .. math:: T = \sum_{n \ge 1} (d_n - d_{n-1})\, e_{j_n}^\top , \qquad \Theta = d_0

    give :math:`T x_m + \Theta = d_m` for all m, since :math:`x_m` contains :math:`j_n` exactly for :math:`n \le m`.

    Parameters
    ----------
    orbit
        Bits, axes ``(1 + steps, ..., units)``, that once they stay the same stay so for ever.

    Returns
    -------
    tuple of torch.Tensor
        T, axes ``(..., units, units)``, and the inputs, axes ``(..., units)``, whole numbers from -1 to 1.

    Raises
    ------
    ArgumentError
        If ``orbit`` holds other values than bits, switches a unit off, or moves after it stood still.
    """
    if not isinstance(orbit, torch.Tensor) or orbit.ndim < 2 or orbit.shape[0] < 2:
        shown = tuple(orbit.shape) if isinstance(orbit, torch.Tensor) else type(orbit).__name__
        raise ArgumentError("orbit", "a tensor with axes (1 + steps, ..., units), at least one step", f"{shown}")
    require_tensor("orbit", orbit, "... units", values="bits")
    change = orbit.diff(dim=0)
    moves = change.any(dim=-1)
    if bool((change < 0).any()) or bool((moves[1:] & ~moves[:-1]).any()):
        raise ArgumentError("orbit", "orbits that switch units on until they rest", "another")
    more = torch.zeros_like(change[:1])
    after = torch.cat([change, more])  # at the end nothing is left to do
    turn = after[1:] - after[:-1]
    first = torch.nn.functional.one_hot(change.argmax(dim=-1), orbit.shape[-1]).to(orbit) * moves[..., None]
    return torch.einsum("n...i,n...j->...ij", turn, first), change[0]


def doubled(couplings: torch.Tensor, thresholds: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    r"""Couplings and inputs with which (6.8) on twice the units runs a binary network of whole numbers.

    A unit of the binary network is on after a step if :math:`h = J s + \theta` is positive. On whole numbers that is
    :math:`(h)_+ - (h - 1)_+`. So each unit becomes two, y and z, with inputs :math:`\theta` and :math:`\theta - 1`, and
    whoever listened to s listens to y - z.

    Parameters
    ----------
    couplings
        J, axes ``(*G, units, units)``, whole numbers.
    thresholds
        :math:`\theta`, axes ``(*G, units)``, whole numbers.

    Returns
    -------
    tuple of torch.Tensor
        T, axes ``(*G, 2 * units, 2 * units)``, and inputs ``(*G, 2 * units)``: first all y, then all z.

    Raises
    ------
    ArgumentError
        If axes do not fit or a value is no whole number below 2^52.
    """
    sizes: dict[str, int] = {}
    _require_whole("couplings", couplings, "... units units", sizes)
    device, dtype = couplings.device, couplings.dtype
    require_tensor("thresholds", thresholds, "... units", sizes=sizes, device=device, dtype=dtype)
    _require_whole("thresholds", thresholds, "... units", sizes)
    if thresholds.shape[:-1] != couplings.shape[:-2]:
        shown = tuple(thresholds.shape)
        raise ArgumentError("thresholds", f"networks {tuple(couplings.shape[:-2])}", f"shape {shown}")
    row = torch.cat([couplings, -couplings], dim=-1)
    return torch.cat([row, row], dim=-2), torch.cat([thresholds, thresholds - 1], dim=-1)


def slowed(weights: torch.Tensor, supports: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    r"""How (6.8) contracts around a fixed point with some units active, and how slow it must be made to do so.

    Near such a point (6.8) is linear with the weights between active units, of eigenvalues z. It contracts if the
    largest \|z\| is below 1. If only a part s of each value is replaced, the eigenvalues are 1 - s (1 - z), and if all
    real parts of z are below 1 this contracts if and only if s is below the least of
    :math:`2 \operatorname{Re}(1 - z) / |1 - z|^2`.

    Parameters
    ----------
    weights
        Axes ``(..., n, n)``.
    supports
        Which units are active, axes ``(..., n)``, bool, with the same batch axes.

    Returns
    -------
    tuple of torch.Tensor
        The spectral radius and the bound on s, axes ``(...)``, float64. The bound is not positive where the flow is
        unstable.

    Raises
    ------
    ArgumentError
        If axes, dtype or device do not fit, or a weight is not finite.
    """
    require_tensor("weights", weights, "... units units")
    if not isinstance(supports, torch.Tensor) or supports.dtype != torch.bool:
        shown = supports.dtype if isinstance(supports, torch.Tensor) else type(supports).__name__
        raise ArgumentError("supports", "a tensor of bool", f"{shown}")
    if supports.shape != weights.shape[:-1] or supports.device != weights.device:
        raise ArgumentError("supports", f"shape {tuple(weights.shape[:-1])} on {weights.device}", f"{supports.shape}")
    inside = supports[..., :, None] & supports[..., None, :]
    roots = torch.linalg.eigvals(torch.where(inside, weights.double(), 0.0))
    gap = 1 - roots
    bound = 2 * gap.real / gap.abs().square().clamp(min=np.finfo(np.float64).tiny)
    return roots.abs().amax(dim=-1), bound.amin(dim=-1)


def _require_bool(name: str, value: bool) -> None:
    if not isinstance(value, bool):
        raise ArgumentError(name, "a bool", type(value).__name__)


def _require_network(couplings: torch.Tensor, inputs: torch.Tensor) -> tuple[int, ...]:
    sizes: dict[str, int] = {}
    require_tensor("couplings", couplings, "... edges edges", sizes=sizes)
    require_tensor("inputs", inputs, "... edges", sizes=sizes, device=couplings.device, dtype=couplings.dtype)
    networks = tuple(couplings.shape[:-2])
    if tuple(inputs.shape[:-1]) != networks:
        raise ArgumentError("inputs", f"networks {networks}, as couplings", f"shape {tuple(inputs.shape)}")
    return networks


def _require_state(argument: str, state: torch.Tensor, like: torch.Tensor, networks: tuple[int, ...]) -> None:
    sizes = {"edges": like.shape[-1]}
    require_tensor(argument, state, "... edges", sizes=sizes, device=like.device, dtype=like.dtype)
    if tuple(state.shape[: len(networks)]) != networks or state.ndim <= len(networks):
        raise ArgumentError(argument, f"axes that begin with {networks}", f"shape {tuple(state.shape)}")


def _require_whole(argument: str, value: torch.Tensor, axes: str, sizes: dict[str, int]) -> None:
    require_tensor(argument, value, axes, sizes=sizes)
    if bool((value != value.round()).any()) or float(value.abs().max()) >= _WHOLE:
        raise ArgumentError(argument, "whole numbers below 2**53", "others", "Round them.")
    if value.dtype != torch.float64 and float(value.abs().max()) > 2 ** (8 if value.element_size() == 2 else 24):
        raise ArgumentError(argument, "float64 for numbers so large", str(value.dtype), "Convert them.")
