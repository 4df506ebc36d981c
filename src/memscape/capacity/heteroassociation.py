r"""One pattern calls another: what a matrix of N x N synapses tells for ever, past every capacity.

A heteroassociative memory answers a cue :math:`\xi^\mu` with the signs of :math:`W \xi^\mu`; the answer wanted is
:math:`u^\mu`. Cues and answers are P independent random patterns of N units each, and nothing settles: there is one
step, from one layer to another. Two rules make W,

.. math:: W = \frac1N \sum_\mu u^\mu \xi^{\mu\,T} \quad \text{(Hebb)}, \qquad W = U X^+ \quad \text{(pseudo-inverse)},

with the answers as columns of U, the cues as columns of X and :math:`X^+` the pseudo-inverse. At load
:math:`\alpha = P/N` the answers agree with those wanted with overlap

.. math:: m = \mathrm{erf}\frac{1}{\sqrt{2\alpha}} \quad \text{(Hebb)}, \qquad
          m = \mathrm{erf}\frac{1}{\sqrt{2(\alpha - 1)}} \quad \text{(pseudo-inverse, } \alpha > 1\text{)}.

Each answer bit comes through a channel that errs with probability (1 - m)/2, so a synapse holds
:math:`\alpha\,[1 - H_2((1 - m)/2)]` bits. The second rule is the last step of the scaffold of Sharma et al. (2022).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_generator,
    require_integer,
    require_number,
    require_room,
    require_sequence,
    require_tensor,
    wide,
)
from memscape.memory.dynamics import asynchronous
from memscape.memory.hopfield import Hopfield, hebbian
from memscape.memory.patterns import random_patterns

__all__ = ["FOR_EVER", "Kept", "answered", "associate", "bits_per_synapse", "kept", "overlap"]

RULES = ("hebb", "pseudo-inverse")

FOR_EVER = 1.0 / (math.pi * math.log(2.0))
r"""Bits a synapse at infinite load, :math:`1/(\pi \ln 2) = 0.4592`, for either rule.

An overlap m near 0 leaves :math:`1 - H_2 = m^2/(2 \ln 2)` bits, and :math:`m^2 = 2/(\pi\alpha)`.
"""


def associate(cues: torch.Tensor, wanted: torch.Tensor, *, rule: str = "hebb") -> torch.Tensor:
    """The weights that answer each cue with what is wanted.

    Parameters
    ----------
    cues, wanted
        Axes ``(*G, P, N)`` and ``(*G, P, M)``, -1 and +1, of one dtype and device.
    rule
        ``"hebb"`` or ``"pseudo-inverse"``, the least-squares solution of smallest norm.

    Returns
    -------
    torch.Tensor
        Weights, dimensionless, axes ``(*G, M, N)``.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or do not fit, or the rule is unknown.
    """
    sizes: dict[str, int] = {}
    require_tensor("cues", cues, "... patterns neurons", values="spins", sizes=sizes)
    require_tensor(
        "wanted", wanted, "... patterns answers", values="spins", sizes=sizes, device=cues.device, dtype=cues.dtype
    )
    if cues.shape[:-2] != wanted.shape[:-2]:
        raise ArgumentError("wanted", f"leading axes {tuple(cues.shape[:-2])}", f"shape {tuple(wanted.shape)}")
    inputs, outputs = wide(cues), wide(wanted)
    if require_choice("rule", rule, RULES) == "hebb":
        return (outputs.mT @ inputs / cues.shape[-1]).to(cues.dtype)
    # From the smaller of the two matrices of overlaps; in float64, because it squares the spread of singular values.
    inputs, outputs = inputs.double(), outputs.double()
    few = inputs.shape[-2] <= inputs.shape[-1]
    gram = inputs @ inputs.mT if few else inputs.mT @ inputs
    inverse = torch.linalg.pinv(gram, hermitian=True)
    # X^+ = (X^T X)^+ X^T = X^T (X X^T)^+ for cues in columns of X.
    weights = outputs.mT @ (inverse @ inputs) if few else (outputs.mT @ inputs) @ inverse
    return weights.to(cues.dtype)


def answered(weights: torch.Tensor, cues: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    r"""Overlap :math:`\frac1M \sum_i u_i\, \mathrm{sign}(W\xi)_i` of each answer with the one wanted; a tie is worth 0.

    Parameters
    ----------
    weights, cues, wanted
        Axes ``(*G, M, N)``, ``(*G, P, N)`` and ``(*G, P, M)``, of one dtype and device; cues and wanted -1 and +1.

    Returns
    -------
    torch.Tensor
        float64 in [-1, 1], axes ``(*G, P)``.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    sizes: dict[str, int] = {}
    require_tensor("weights", weights, "... answers neurons", sizes=sizes)
    device, dtype = weights.device, weights.dtype
    require_tensor("cues", cues, "... patterns neurons", values="spins", sizes=sizes, device=device, dtype=dtype)
    require_tensor("wanted", wanted, "... patterns answers", values="spins", sizes=sizes, device=device, dtype=dtype)
    for name, tensor in (("cues", cues), ("wanted", wanted)):
        if tensor.shape[:-2] != weights.shape[:-2]:
            raise ArgumentError(name, f"leading axes {tuple(weights.shape[:-2])}", f"shape {tuple(tensor.shape)}")
    # A sign does not change by a factor, and sums of small numbers stay within half precision's float32.
    largest = wide(weights).abs().amax(dim=(-2, -1), keepdim=True)
    fields = wide(cues) @ (wide(weights) / torch.where(largest > 0, largest, 1.0)).mT
    return (wide(wanted) * fields.sign()).double().mean(dim=-1)


def overlap(load: torch.Tensor, *, rule: str = "hebb", cue: float = 1.0) -> torch.Tensor:
    r"""Expected overlap of the answers in the limit of many units.

    Hebb: a unit hears its signal c, the overlap of the cue with the stored one, and crosstalk of variance
    :math:`\alpha`. Pseudo-inverse, with a perfect cue: :math:`X^+X` projects P dimensions on N, so that its diagonal
    is :math:`1/\alpha` and the other entries of a row have squares that sum to :math:`(1/\alpha)(1 - 1/\alpha)`.

    Parameters
    ----------
    load
        :math:`\alpha = P/N`, positive, any shape.
    rule
        ``"hebb"`` or ``"pseudo-inverse"``.
    cue
        Overlap of the cue with the stored one, in (0, 1]; 1 for the pseudo-inverse.

    Returns
    -------
    torch.Tensor
        In (0, 1], axes of the load.

    Raises
    ------
    ArgumentError
        If a load is not positive, the rule is unknown or the cue is out of range.
    """
    require_tensor("load", load, "...")
    if (load <= 0).any():
        raise ArgumentError("load", "positive values", f"{load.min():g}")
    pseudo = require_choice("rule", rule, RULES) == "pseudo-inverse"
    require_number("cue", cue, above=0.0, at_most=1.0)
    if pseudo and cue != 1:
        raise ArgumentError("cue", "1 for the pseudo-inverse", f"{cue:g}")
    variance = wide(load) - 1 if pseudo else wide(load)
    # Without noise the argument is infinite, and the answer exact.
    return torch.erf(cue / (2 * variance.clamp(min=0)).sqrt()).to(load.dtype)


def bits_per_synapse(load: torch.Tensor, overlap: torch.Tensor) -> torch.Tensor:
    r"""Information :math:`\alpha\,[1 - H_2((1 - m)/2)]` in bits that answers of overlap m give, for each synapse.

    Parameters
    ----------
    load
        :math:`\alpha = P/N`, not negative, any shape.
    overlap
        Overlap m in [-1, 1], same axes, dtype and device.

    Returns
    -------
    torch.Tensor
        Bits, same axes.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    require_tensor("load", load, "...", values="nonnegative")
    require_tensor("overlap", overlap, "...", device=load.device, dtype=load.dtype)
    if load.shape != overlap.shape or (overlap.abs() > 1).any():
        raise ArgumentError("overlap", f"values in [-1, 1], shape {tuple(load.shape)}", f"{tuple(overlap.shape)}")
    m = overlap.double()
    # 1 - H2 from its two ends, so that an overlap of 1e-9 keeps its m**2 / (2 ln 2).
    nats = ((1 + m) * torch.log1p(m.clamp(min=-1 + 1e-300)) + (1 - m) * torch.log1p(-m)).nan_to_num(nan=math.log(4.0))
    small = m.abs() < 1e-4
    nats = torch.where(small, m.square() * (1 + m.square() / 6), nats)
    return (load.double() * nats / (2 * math.log(2.0))).to(load.dtype)


@dataclass(frozen=True)
class Kept:
    """What networks keep of their starts.

    Attributes
    ----------
    stored, fresh
        Overlap of the state at rest with its start, for starts at stored patterns and at states that were never stored:
        float64, axes ``(networks, starts)``.
    resting
        Share of all starts that had come to rest.
    """

    stored: torch.Tensor
    fresh: torch.Tensor
    resting: float

    @property
    def difference(self) -> tuple[float, float]:
        """Mean overlap of stored starts minus that of fresh ones, and its standard error over networks and starts.

        Starts share their network, but the difference does not depend on what a network does to all of them alike; the
        standard error is that of all pairs.
        """
        pairs = (self.stored - self.fresh).flatten()
        return pairs.mean().item(), pairs.std(correction=min(1, len(pairs) - 1)).item() / math.sqrt(len(pairs))


def kept(
    neurons: int,
    counts: Sequence[int],
    *,
    networks: int,
    starts: int,
    sweeps: int = 60,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> list[Kept]:
    """Store random patterns by Hebb's rule and see what is left, at rest, of stored starts and of others.

    Any start leaves a trace in the state that is reached from it. Memory is what stored starts keep beyond that. The
    networks of all numbers of patterns are updated together, in one order of units.

    Parameters
    ----------
    neurons
        Neurons N of each network.
    counts
        Numbers of patterns P.
    networks, starts
        Networks of each number, and starts of each kind in each; as many as the fewest patterns where they are fewer.
    sweeps
        Most asynchronous sweeps.
    generator
        A CPU generator: draws patterns and fresh starts, network by network, then orders of units.
    device
        Where to compute.

    Returns
    -------
    list of Kept
        One for each number of patterns.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, or too large for whole couplings.
    """
    require_count("neurons", neurons, at_least=2)
    if not len(require_sequence("counts", counts, "numbers of patterns")):
        raise ArgumentError("counts", "at least one number of patterns", "none")
    for count in counts:
        require_integer("counts", count, at_least=1, at_most=2**22)
    require_count("networks", networks)
    require_count("starts", starts)
    require_generator("generator", generator)
    require_room(networks=networks * len(counts), neurons=neurons, count=max(*counts, neurons))
    begun, couplings, probes = [], [], min(starts, *counts)
    for count in (count for count in counts for _ in range(networks)):
        # Whole numbers, in a dtype that holds them all; a coupling itself is at most P, a field far below P N.
        patterns = random_patterns(count, neurons, generator=generator, device=device)
        fresh = random_patterns(probes, neurons, generator=generator, device=device)
        begun.append(torch.cat([patterns[:probes], fresh]).float())
        couplings.append(hebbian(patterns).couplings.float())
    model = Hopfield(torch.stack(couplings), torch.zeros(len(begun), neurons, device=device), 1.0 / neurons)
    state = torch.stack(begun)
    end = asynchronous(model, state, sweeps=sweeps, generator=generator)
    overlaps = (end.state * state).double().mean(dim=-1).reshape(len(counts), networks, 2, -1).cpu()
    resting = end.converged.double().reshape(len(counts), -1).mean(dim=-1).tolist()
    return [Kept(each[:, 0], each[:, 1], rest) for each, rest in zip(overlaps, resting, strict=True)]
