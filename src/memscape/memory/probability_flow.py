r"""Minimum probability flow and the perceptron rule: two ways to learn a network from its patterns.

A network of N units :math:`x_e \in \{0, 1\}` with symmetric couplings has the energy

.. math:: E(x) = -\tfrac12 \sum_{ef} J_{ef} x_e x_f + \sum_e \theta_e x_e ,

and turning unit e over costs :math:`\sigma_e h_e` with :math:`\sigma_e = 2 x_e - 1` and the field
:math:`h_e = \sum_f J_{ef} x_f - \theta_e`. :func:`minimum_probability_flow` learns such a network from patterns by
making as little probability as possible flow out of them (Sohl-Dickstein, Battaglino & DeWeese 2011),
:func:`perceptron` by correcting one unit after another.

Patterns are spins (-1 for 0), as everywhere in this folder; :func:`memscape.memory.hopfield.from_bits` and
:func:`memscape.memory.hopfield.to_bits` translate networks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from memscape.arguments import require_integer, require_number, require_tensor
from memscape.memory.hopfield import Hopfield, from_bits, require_bits
from memscape.memory.patterns import require_state

__all__ = ["LearnedNetwork", "ProbabilityFlow", "log_flow", "minimum_probability_flow", "perceptron"]


@dataclass(frozen=True)
class ProbabilityFlow:
    r"""Probability flow of a network of units 0 and 1 out of its patterns, and the gradient of its logarithm.

    Attributes
    ----------
    log_flow
        ln K, axes ``(*G)``. If K P < 1, every one of the P patterns is a strict local minimum.
    couplings
        Gradient of ln K by the symmetric matrix J, axes ``(*G, N, N)``: symmetric, zero diagonal, such that a small
        change dJ changes ln K by the sum of all products of entries.
    thresholds
        Gradient of ln K by theta, axes ``(*G, N)``.
    share
        Part of the flow that goes through each unit, axes ``(*G, N)``; sums to 1.
    margin
        Smallest :math:`\sigma_e h_e` over patterns and units, divided by twice the length of (J, theta); axes
        ``(*G)``. Positive where every pattern is a strict local minimum; 0 for the zero network.
    """

    log_flow: torch.Tensor
    couplings: torch.Tensor
    thresholds: torch.Tensor
    share: torch.Tensor
    margin: torch.Tensor

    @property
    def slope(self) -> torch.Tensor:
        """Length of the gradient, axes ``(*G)``; no network at all has a larger margin."""
        return _length(self.couplings, self.thresholds)


def log_flow(couplings: torch.Tensor, thresholds: torch.Tensor, patterns: torch.Tensor) -> ProbabilityFlow:
    r"""Probability flow from the patterns to their neighbours, one flip away, and its gradient.

    .. math:: K = \frac1P \sum_{\mu} \sum_{e} e^{(E(x^\mu) - E(x^{\mu, e}))/2}
                = \frac1P \sum_{\mu e} e^{-\sigma^\mu_e h^\mu_e / 2} ,

    where :math:`x^{\mu, e}` is the pattern with unit e turned over. A sum of exponentials of linear functions of
    (J, theta) is convex, and so is its logarithm. With :math:`w_{\mu e}` the share of each term,

    .. math:: \frac{\partial \ln K}{\partial \theta_e} = \tfrac12 \sum_\mu w_{\mu e} \sigma^\mu_e , \qquad
              \frac{\partial \ln K}{\partial J_{ef}}
                = -\tfrac14 \sum_\mu (w_{\mu e} \sigma^\mu_e x^\mu_f + w_{\mu f} \sigma^\mu_f x^\mu_e) .

    Parameters
    ----------
    couplings
        J of units 0 and 1, axes ``(*G, N, N)``, symmetric, zero on the diagonal.
    thresholds
        theta, axes ``(*G, N)``.
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.

    Returns
    -------
    ProbabilityFlow
        Value, gradient, and what both say about the patterns.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, or couplings or thresholds do not fit them.

    Notes
    -----
    Sohl-Dickstein, Battaglino & DeWeese 2011, Physical Review Letters 107:220601, for neighbours one flip away;
    Hillar & Tran 2018 for Hopfield networks.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    require_bits(couplings, thresholds)
    require_state("patterns", patterns, couplings)
    return _log_flow(couplings, thresholds, patterns, (patterns + 1) / 2)


def _log_flow(
    couplings: torch.Tensor, thresholds: torch.Tensor, patterns: torch.Tensor, bits: torch.Tensor
) -> ProbabilityFlow:
    """As :func:`log_flow`, of couplings without a diagonal; two matrix products in all."""
    exponents = (bits @ couplings - thresholds[..., None, :]).mul_(patterns).mul_(-0.5)
    top = exponents.amax(dim=(-2, -1))
    weights = exponents.sub_(top[..., None, None]).exp_()
    total = weights.sum(dim=(-2, -1))
    weights /= total[..., None, None]
    share = weights.sum(dim=-2)
    weights *= patterns
    by_thresholds = weights.sum(dim=-2) / 2
    by_couplings = weights.mT @ bits
    by_couplings = (by_couplings + by_couplings.mT).mul_(-0.25)
    by_couplings.diagonal(dim1=-2, dim2=-1).zero_()
    length = _length(couplings, thresholds)
    margin = torch.where(length > 0, -top / length.clamp_min(torch.finfo(length.dtype).tiny), 0.0)
    return ProbabilityFlow(top + total.log() - math.log(patterns.shape[-2]), by_couplings, by_thresholds, share, margin)


@dataclass(frozen=True)
class LearnedNetwork:
    """What minimum probability flow learned, in units 0 and 1.

    Attributes
    ----------
    couplings, thresholds
        J ``(*G, N, N)``, symmetric with zero diagonal, and theta ``(*G, N)``.
    log_flow
        ln K, axes ``(*G)``.
    margin
        The margin reached, axes ``(*G)``; see :class:`ProbabilityFlow`.
    slope
        An upper bound on the margin of every network, axes ``(*G)``.
    steps
        Integers ``(*G)``: steps made.
    """

    couplings: torch.Tensor
    thresholds: torch.Tensor
    log_flow: torch.Tensor
    margin: torch.Tensor
    slope: torch.Tensor
    steps: torch.Tensor

    def network(self) -> Hopfield:
        """The network of spins, its weights rounded to about six digits so that sums of them are exact.

        Energies are in units of the power of two next to the largest weight: multiplying all weights by a number
        changes no dynamics at zero temperature.
        """
        neurons = self.thresholds.shape[-1]
        largest = torch.maximum(self.couplings.abs().amax(dim=(-2, -1)), self.thresholds.abs().amax(dim=-1))
        scale = torch.where(largest > 0, torch.exp2(largest.log2().ceil()), 1.0)
        unit = max(2.0**-20, 2.0 ** math.ceil(math.log2(4 * neurons * torch.finfo(self.couplings.dtype).eps)))
        couplings = (self.couplings / (scale * unit)[..., None, None]).round()
        return from_bits(couplings, (self.thresholds / (scale * unit)[..., None]).round(), unit=unit)


def minimum_probability_flow(
    patterns: torch.Tensor, *, steps: int = 1000, gap: float = 0.05, hopeless: float = 0.0
) -> LearnedNetwork:
    r"""Learn a network from patterns by making little probability flow out of them.

    Accelerated gradient descent (Nesterov 1983, restarted where it overshoots: O'Donoghue & Candes 2015) on ln K of
    :func:`log_flow`, from zero, all networks at once.

    Where some network makes all patterns strict local minima, K has no minimum: multiply all weights by a large number
    and K goes to zero. What converges is the direction, towards the largest margin. The length of the gradient of ln K
    bounds every margin from above, since the gradient is an average of the (negative) gradients of single costs; a
    network stops when its own margin is within ``gap`` of that bound. Where no network stores all patterns, K has a
    minimum, and the bound goes to zero. The steps need no tuning: ln K is no steeper than
    :math:`\tfrac14 (1 + \max_\mu |x^\mu|) \max_e \sum_\mu w_{\mu e}` in its second derivatives.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}. float32 is enough.
    steps
        Most steps to make.
    gap
        Relative distance of the margin from its bound at which to stop, in (0, 1]; 1 stops as soon as every pattern
        is a strict local minimum.
    hopeless
        Stop also where the bound is at most this share of what the margin lies below zero, so that no network has a
        margin to speak of; at least 0, and with 0 go on to the minimum of K.

    Returns
    -------
    LearnedNetwork
        The networks and how far they got.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, ``steps`` is not positive, ``gap`` not in (0, 1] or ``hopeless`` below 0.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    require_integer("steps", steps, at_least=1)
    require_number("gap", gap, above=0.0, at_most=1.0)
    require_number("hopeless", hopeless, at_least=0.0)
    spins = patterns.reshape(-1, *patterns.shape[-2:])
    count, _, neurons = spins.shape
    learned, learned_thresholds = spins.new_zeros(count, neurons, neurons), spins.new_zeros(count, neurons)
    made = torch.zeros(count, dtype=torch.int64, device=spins.device)
    # What moves, a row a network: its place among all, and the state of its descent.
    places, bits = torch.arange(count, device=spins.device), (spins + 1) / 2
    steepness = (1 + bits.sum(dim=-1).amax(dim=-1)) / 4
    couplings = ahead = torch.zeros_like(learned)
    thresholds = ahead_thresholds = torch.zeros_like(learned_thresholds)
    pace = torch.ones_like(steepness)
    for _ in range(steps):
        flow = _log_flow(ahead, ahead_thresholds, spins, bits)
        moving = (flow.margin <= (1 - gap) * flow.slope) & (-hopeless * flow.margin <= flow.slope)
        if not moving.all():
            # Networks that have arrived are put aside: the others go on without them.
            learned[places], learned_thresholds[places] = ahead, ahead_thresholds
            if not moving.any():
                break
            flow = ProbabilityFlow(*(part[moving] for part in vars(flow).values()))
            places, spins, bits, steepness, pace, couplings, thresholds, ahead, ahead_thresholds = (
                part[moving]
                for part in (places, spins, bits, steepness, pace, couplings, thresholds, ahead, ahead_thresholds)
            )
        made[places] += 1
        rate = 1 / (steepness * flow.share.amax(dim=-1))
        landed = ahead - rate[..., None, None] * flow.couplings
        landed_thresholds = ahead_thresholds - rate[..., None] * flow.thresholds
        step, step_thresholds = landed - couplings, landed_thresholds - thresholds
        uphill = (flow.couplings * step).sum(dim=(-2, -1)) + (flow.thresholds * step_thresholds).sum(dim=-1) > 0
        pace = torch.where(uphill, 1.0, pace)
        longer = (1 + (1 + 4 * pace.square()).sqrt()) / 2
        push = (pace - 1) / longer
        pace, couplings, thresholds = longer, landed, landed_thresholds
        ahead = landed + push[..., None, None] * step
        ahead_thresholds = landed_thresholds + push[..., None] * step_thresholds
    else:
        learned[places], learned_thresholds[places] = ahead, ahead_thresholds
    couplings = learned.reshape(*patterns.shape[:-2], neurons, neurons)
    thresholds = learned_thresholds.reshape(*patterns.shape[:-2], neurons)
    flow = _log_flow(couplings, thresholds, patterns, (patterns + 1) / 2)
    steps_made = made.reshape(patterns.shape[:-2])
    return LearnedNetwork(couplings, thresholds, flow.log_flow, flow.margin, flow.slope, steps_made)


def perceptron(patterns: torch.Tensor, *, epochs: int = 1000) -> Hopfield:
    r"""Learn a network from patterns by correcting the units that are wrong, one pattern after another.

    At a pattern x every unit e with :math:`\sigma_e h_e \le 0` adds :math:`\sigma_e x_f` to its couplings, which
    are shared by both ends, and takes :math:`2 \sigma_e` from its threshold. If any network of units 0 and 1 makes all
    patterns strict local minima, this ends with one (Rosenblatt's theorem in the space of symmetric couplings).

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    epochs
        Most rounds through the patterns; a network without an error in a round learns no more.

    Returns
    -------
    Hopfield
        Whole couplings, with the unit 1/4 of :func:`~memscape.memory.hopfield.from_bits`.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or ``epochs`` is not positive.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    require_integer("epochs", epochs, at_least=1)
    spins = patterns.reshape(-1, *patterns.shape[-2:])
    bits = (spins + 1) / 2
    couplings = spins.new_zeros(len(spins), spins.shape[-1], spins.shape[-1])
    diagonal = couplings.diagonal(dim1=-2, dim2=-1)
    thresholds = spins.new_zeros(len(spins), spins.shape[-1])
    for _ in range(epochs):
        wrong = False
        for x, sigma in zip(bits.unbind(1), spins.unbind(1), strict=True):
            fields = (x[:, None] @ couplings)[:, 0] - thresholds
            push = torch.where(sigma * fields <= 0, sigma, 0.0)
            if not push.any():
                continue
            wrong = True
            couplings.baddbmm_(torch.stack([push, x], dim=2), torch.stack([x, push], dim=1))
            diagonal.zero_()
            thresholds -= 2 * push
        if not wrong:
            break
    axes = (*patterns.shape[:-2], -1)
    return from_bits(couplings.reshape(*axes, spins.shape[-1]), thresholds.reshape(axes))


def _length(couplings: torch.Tensor, thresholds: torch.Tensor) -> torch.Tensor:
    """Euclidean length of (J, theta), every entry of the matrix counted, axes ``(*G)``."""
    return torch.hypot(torch.linalg.matrix_norm(couplings), torch.linalg.vector_norm(thresholds, dim=-1))
