r"""Stochastic networks of a few units, and what the parts of one know of each other.

Units :math:`x_i = \pm 1` are all renewed at once, each by itself: with the field :math:`h_i = \sum_j W_{ij} x_j`,

.. math:: p(y \mid x) = \prod_i \frac{e^{y_i h_i / T}}{2 \cosh(h_i / T)} .

:func:`heat_bath` lists this chain over all :math:`2^n` states with its stationary law. Units may be frozen. The
measures below take a :class:`Chain` and give one number for every cut of the units in two parts A and B
(:func:`memscape.homotopy.splits.cuts`). All logarithms are natural, so that the unit is the nat. A state is numbered
by its bits: unit i is up, +1, where bit i of the number is 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from memscape.arguments import (
    ArgumentError,
    require_broadcast,
    require_integer,
    require_kind,
    require_number,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.homotopy.splits import cuts
from memscape.tools import pieces
from memscape.tools.subsets import every

__all__ = [
    "Chain",
    "heat_bath",
    "link",
    "marginal_entropies",
    "require_units",
    "shared",
    "stationary",
    "stochastic_interaction",
    "total_interaction",
    "transmitted",
]

_LARGEST = 600.0  # beyond, a product of probabilities leaves the range of float64


@dataclass(frozen=True, eq=False)
class Chain:
    """A law of states and the probabilities of what follows.

    Parameters
    ----------
    law
        p(x), axes ``(*G, 2**n)``, float64.
    kernel
        p(y | x), axes ``(*G, 2**n, 2**n)``, first x and then y, rows adding up to 1.

    Raises
    ------
    ArgumentError
        If the axes do not fit, a number is negative, a law does not add up to 1, or the states are no power of two.
    """

    law: torch.Tensor
    kernel: torch.Tensor

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("law", self.law, "... states", values="nonnegative", sizes=sizes, dtype=torch.float64)
        _require_kernel(self.kernel, sizes, self.law.device)
        if self.law.shape[:-1] != self.kernel.shape[:-2]:
            got = f"{tuple(self.law.shape)} and {tuple(self.kernel.shape)}"
            raise ArgumentError("law", "the networks of the kernel", got)
        if (self.law.sum(dim=-1) - 1).abs().max() > 1e-9:
            raise ArgumentError("law", "probabilities that add up to 1", f"{self.law.sum(dim=-1).max().item():.6g}")

    @property
    def units(self) -> int:
        """Number of units n."""
        return self.law.shape[-1].bit_length() - 1

    @property
    def joint(self) -> torch.Tensor:
        """p(x, y), axes ``(*G, 2**n, 2**n)``."""
        return self.law[..., None] * self.kernel


def require_units(argument: str, units: int) -> int:
    """Return a number of units whose pairs of states fit the memory budget, otherwise raise ArgumentError.

    A chain of n units is :math:`4^n` numbers, and a measure takes three times that.

    Parameters
    ----------
    argument
        The name the caller knows the number by.
    units
        n, at least 2.
    """
    require_integer(argument, units, at_least=2)
    most = int(math.log(pieces.fitting(24), 4) + 1e-9)
    if units > most:
        cure = "Set a larger budget with pieces.budget, or count units (memscape.homotopy.crowd)."
        raise ArgumentError(argument, f"at most {most} units within the memory budget", str(units), cure)
    return units


def heat_bath(
    weights: torch.Tensor,
    temperature: float | torch.Tensor = 1.0,
    *,
    frozen: Sequence[int] = (),
    known: bool = False,
) -> Chain:
    r"""The chain of a network whose units are renewed at once, over all states, with its stationary law.

    Parameters
    ----------
    weights
        W, axes ``(*G, n, n)``, float64: row i is what acts on unit i. A unit that nothing acts on, itself included, is
        a fair coin at every step.
    temperature
        T > 0, a number or float64 that broadcasts with G, in units of the weights.
    frozen
        Units that keep their value for ever, whatever acts on them.
    known
        Whether frozen units are all up. Otherwise they are fair coins, thrown once.

    Returns
    -------
    Chain
        On the device of the weights. For symmetric weights without frozen units the law is
        :math:`p(x) \propto \prod_i \cosh(h_i / T)` (Peretto 1984); otherwise it comes from :func:`stationary`, for
        every state of the frozen units by itself.

    Raises
    ------
    ArgumentError
        If axes or values do not fit, there are too many units for the memory budget, or the temperature is so low that
        a probability underflows.
    """
    require_tensor("weights", weights, "... units units", dtype=torch.float64)
    units = require_units("weights", weights.shape[-1])
    scaled = weights / _temperatures(temperature, weights)[..., None, None]
    kept = _frozen(frozen, units)
    require_kind("known", known, bool)
    require_room(networks=max(1, math.prod(scaled.shape[:-2])), pairs=4**units)
    if not scaled.isfinite().all() or scaled.abs().sum(dim=(-2, -1)).max() > _LARGEST / 2:
        got = f"couplings over T that add up to {scaled.abs().sum(dim=(-2, -1)).max().item():.3g}"
        raise ArgumentError("temperature", f"at most {_LARGEST / 2:.0f} in all", got, "Raise it.")
    spins = (2 * every(units).double() - 1).to(weights.device)
    fields = spins @ scaled.mT
    kernel = fields.new_ones(*fields.shape[:-1], 1)
    for unit in range(units):
        up, down = torch.sigmoid(2 * fields[..., unit, None]), torch.sigmoid(-2 * fields[..., unit, None])
        if unit in kept:
            up = ((spins[:, unit, None] + 1) / 2).expand_as(up)
            down = 1 - up
        kernel = torch.cat([kernel * down, kernel * up], dim=-1)
    if not kept and torch.equal(scaled, scaled.mT):
        log_law = (fields.abs() + torch.log1p(torch.exp(-2 * fields.abs()))).sum(dim=-1)
        return Chain(log_law.softmax(dim=-1), kernel)
    numbers = torch.arange(2**units, device=weights.device)
    marks = torch.stack([numbers >> unit & 1 for unit in kept], dim=-1) if kept else numbers.new_zeros(2**units, 0)
    block = (marks * 2 ** torch.arange(len(kept), device=weights.device)).sum(dim=-1)
    places = block.argsort(stable=True).reshape(2 ** len(kept), -1)  # the states of each block
    inside = kernel[..., places[:, :, None], places[:, None, :]]
    law = kernel.new_zeros(kernel.shape[:-1])
    share = kernel.new_full((2 ** len(kept), 1), 2.0 ** -len(kept))
    if known:
        share = (torch.arange(len(share), device=share.device) == len(share) - 1).double()[:, None]
    law[..., places] = stationary(inside) * share
    return Chain(law, kernel)


def stationary(kernel: torch.Tensor) -> torch.Tensor:
    r"""The stationary law of chains, :math:`\pi K = \pi`, without a subtraction.

    States are taken out one after another, and what went through them is given to the others (Grassmann, Taksar &
    Heyman 1985). Nothing is subtracted, so small probabilities keep their digits where a chain hardly ever leaves a
    state.

    Parameters
    ----------
    kernel
        Axes ``(*G, states, states)``, float64, rows adding up to 1.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, states)``.

    Raises
    ------
    ArgumentError
        If the kernel is none, or some state never comes to state 0.
    """
    _require_kernel(kernel, {}, None)
    left = kernel.clone()
    for state in range(kernel.shape[-1] - 1, 0, -1):
        out = left[..., state, :state].sum(dim=-1)
        if (out <= 0).any():
            raise ArgumentError(
                "kernel", "a chain in which every state comes to state 0", f"state {state}, which stays"
            )
        left[..., :state, state] /= out[..., None]
        left[..., :state, :state] += left[..., :state, state, None] * left[..., state, None, :state]
    law = torch.ones_like(left[..., 0])
    for state in range(1, kernel.shape[-1]):
        law[..., state] = (law[..., :state] * left[..., :state, state]).sum(dim=-1)
    return law / law.sum(dim=-1, keepdim=True)


def marginal_entropies(table: torch.Tensor, values: int) -> torch.Tensor:
    """Entropies of all marginals of laws of n variables, in nats.

    Parameters
    ----------
    table
        Probabilities, axes ``(*G, values**n)``, float64; variable i is digit i of the place, the lowest first.
    values
        Number of values of a variable, at least 2.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, 2**n)``: the entropy of the variables whose bits are set.

    Raises
    ------
    ArgumentError
        If a number is negative or the table is no power of ``values`` long.
    """
    require_tensor("table", table, "... places", values="nonnegative", dtype=torch.float64)
    require_integer("values", values, at_least=2)
    count = round(math.log(table.shape[-1], values))
    if values**count != table.shape[-1] or count < 1:
        raise ArgumentError("table", f"a power of {values} places", str(table.shape[-1]))
    found = table.new_zeros(table.shape[:-1].numel(), 2**count)

    def visit(mask: int, part: torch.Tensor, first: int) -> None:
        found[:, mask] = torch.special.entr(part).reshape(len(part), -1).sum(dim=-1)
        left = [variable for variable in range(count) if mask >> variable & 1]
        for place, variable in enumerate(left):
            if variable >= first:  # every set of variables is come to in one way
                visit(mask & ~(1 << variable), part.sum(dim=-1 - place), variable + 1)

    visit(2**count - 1, table.reshape(-1, *[values] * count), 0)
    return found.reshape(*table.shape[:-1], 2**count)


def stochastic_interaction(chain: Chain) -> torch.Tensor:
    r"""What the parts of a cut lose if each goes on by itself (Ay 2015; Barrett & Seth 2011).

    .. math:: \mathrm{SI} = H(Y_A \mid X_A) + H(Y_B \mid X_B) - H(Y \mid X)

    It is the divergence of :math:`p(x, y)` from the nearest law under which :math:`Y_A` depends on :math:`X_A`,
    :math:`Y_B` on :math:`X_B`, and each on nothing else.

    Parameters
    ----------
    chain
        Of n units.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, cuts)``, in nats, not negative beyond rounding.
    """
    past, both, units = *_entropies(chain), chain.units
    ahead = both - past
    one = cuts(units, device=past.device)
    return ahead[..., one] + ahead[..., 2**units - 1 - one] - ahead[..., -1:]


def total_interaction(chain: Chain) -> torch.Tensor:
    r"""The same for a cut into single units, :math:`\sum_i H(Y_i \mid X_i) - H(Y \mid X)`, axes ``(*G,)``, in nats."""
    past, both = _entropies(chain)
    ahead = both - past
    return ahead[..., 2 ** torch.arange(chain.units, device=past.device)].sum(dim=-1) - ahead[..., -1]


def shared(chain: Chain) -> torch.Tensor:
    r"""What the parts of a cut share at one time, :math:`H(X_A) + H(X_B) - H(X)`, axes ``(*G, cuts)``, in nats.

    This is the mutual information between parts of the toolbox of Kitazono and Oizumi. It knows of no time.
    """
    require_kind("chain", chain, Chain)
    past = marginal_entropies(chain.law, 2)
    one = cuts(chain.units, device=past.device)
    return past[..., one] + past[..., 2**chain.units - 1 - one] - past[..., -1:]


def transmitted(chain: Chain) -> torch.Tensor:
    r"""What the past says of the present, :math:`I(X; Y) = H(Y) - H(Y \mid X)`, axes ``(*G,)``, in nats."""
    require_kind("chain", chain, Chain)
    ahead = (chain.law * torch.special.entr(chain.kernel).sum(dim=-1)).sum(dim=-1)
    present = torch.einsum("...x,...xy->...y", chain.law, chain.kernel)
    return torch.special.entr(present).sum(dim=-1) - ahead


def link(coupling: float, temperature: float) -> float:
    r"""What one link carries, :math:`\ln 2 - h(p)` nats.

    A unit that hears a fair coin through one coupling J copies it and errs with probability
    :math:`p = 1/(1 + e^{2 |J| / T})`; h is the entropy of p and 1 - p.

    Parameters
    ----------
    coupling
        J, of either sign.
    temperature
        T > 0, in units of J.
    """
    require_number("coupling", coupling)
    require_number("temperature", temperature, above=0.0)
    ratio = min(2 * abs(coupling) / temperature, 700.0)
    wrong = 1 / (1 + math.exp(ratio))
    return math.log(2) + wrong * math.log(wrong) + (1 - wrong) * math.log1p(-wrong)


def _entropies(chain: Chain) -> tuple[torch.Tensor, torch.Tensor]:
    """Entropies of the past, and of past and present, of every set of units, both ``(*G, 2**n)``."""
    require_kind("chain", chain, Chain)
    units, networks = require_units("chain", chain.units), chain.law.shape[:-1]
    past = marginal_entropies(chain.law, 2)
    law, kernel = chain.law.reshape(-1, 2**units), chain.kernel.reshape(-1, 2**units, 2**units)
    both = torch.empty_like(law)
    # Unit i is one variable of four values: what it was, and what it is.
    order = [0, *(axis for unit in range(1, units + 1) for axis in (unit, unit + units))]
    for block in pieces.slices(len(law), pieces.fitting(24 * 4**units)):
        joint = law[block, :, None] * kernel[block]
        paired = joint.reshape(-1, *[2] * (2 * units)).permute(order).reshape(-1, 4**units)
        both[block] = marginal_entropies(paired, 4)
    return past, both.reshape(*networks, 2**units)


def _temperatures(temperature: float | torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    if not isinstance(temperature, torch.Tensor):
        return weights.new_tensor(require_number("temperature", temperature, above=0.0))
    require_tensor("temperature", temperature, "...", device=weights.device, dtype=torch.float64)
    if (temperature <= 0).any():
        raise ArgumentError("temperature", "numbers > 0", f"{temperature.min().item():.6g}")
    require_broadcast("temperature", tuple(temperature.shape), tuple(weights.shape[:-2]))
    return temperature


def _frozen(frozen: Sequence[int], units: int) -> list[int]:
    require_sequence("frozen", frozen, "units", "Write (0,) for the first unit.")
    kept = [require_integer("frozen", unit, at_least=0, at_most=units - 1) for unit in frozen]
    if len(set(kept)) != len(kept) or len(kept) == units:
        raise ArgumentError("frozen", "different units, not all of them", str(list(frozen))[:60])
    return sorted(kept)


def _require_kernel(kernel: torch.Tensor, sizes: dict[str, int], device: torch.device | None) -> None:
    require_tensor(
        "kernel", kernel, "... states states", values="nonnegative", sizes=sizes, device=device, dtype=torch.float64
    )
    states = kernel.shape[-1]
    if states & (states - 1) or states < 2:
        raise ArgumentError("kernel", "a power of two of states, at least 2", str(states))
    if (kernel.sum(dim=-1) - 1).abs().max() > 1e-9:
        got = f"a row with {kernel.sum(dim=-1).flatten()[(kernel.sum(dim=-1) - 1).abs().argmax()].item():.6g}"
        raise ArgumentError("kernel", "rows that add up to 1", got, "Divide each row by its sum.")
