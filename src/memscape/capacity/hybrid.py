r"""A circuit that keeps biology's constraints and has exponentially many states: features, and memories in groups.

N feature units and M memory units are joined by two-body synapses that are equal in both directions, as Krotov &
Hopfield (2021) have them. A memory unit stands for one *feature*: f of the N units. Memory units form G groups of Q,
and in each group they compete by one inhibitory unit, so that one of them is active. A state is one choice a group,
and the feature units of all chosen memories: :math:`Q^G` states of a network of about N + GQ neurons.

The energy is theirs, with the Lagrangians

.. math:: L_v = \frac1\gamma \sum_i \ln\big(1 + e^{\gamma x_i}\big), \qquad
          L_h = \sum_g \frac1\beta \ln \sum_{\mu \in g} e^{\beta h_\mu},

whose gradients are a logistic function and a softmax within each group (:class:`Firing`, :class:`Competition`).

The softmax is what one inhibitory neuron does. Let memory units fire at the rate :math:`f_\mu = e^{\beta(h_\mu - r)}`,
where r is the activity of their group's inhibitory unit, and let that unit integrate what it hears,
:math:`\dot r = \sum_\mu f_\mu - 1`. It comes to rest at :math:`r = \frac1\beta \ln \sum_\mu e^{\beta h_\mu}`, where the
rates are the softmax, and the winner's excitation and inhibition cancel. One more inhibitory unit hears all memory
units and gives all feature units their threshold. :func:`circuit` writes all synapses into one matrix, +1 and -1.

Synapses are learned by showing each feature once while its memory unit is active: :func:`imprint` turns a synapse on
where both of its units were active together. The sparse one-bit form is ours; distributed memory units with
exponential capacity are the subject of Kafraj, Krotov & Latham (2026).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy import stats

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_fit,
    require_generator,
    require_integer,
    require_kind,
    require_number,
    require_room,
    require_scalar,
    require_tensor,
)
from memscape.capacity.binary_synapses import draw_codes
from memscape.memory.lagrangians import LogSumExp, TwoBody
from memscape.tools.models import Model, Scalar

__all__ = [
    "Competition",
    "Constraints",
    "Currents",
    "Firing",
    "Recalled",
    "circuit",
    "combine",
    "constraints",
    "currents",
    "damage",
    "draw_features",
    "group_error",
    "imprint",
    "memory_circuit",
    "recall_choices",
    "settle",
]


@dataclass(frozen=True)
class Competition(Model):
    """L(u) = sum over groups of ln(sum exp(beta u)) / beta: a softmax within each group.

    Parameters
    ----------
    groups
        Number of groups, which divides the units into equal runs.
    beta
        Sharpness, positive.

    Raises
    ------
    ArgumentError
        If the number is not a positive integer or the sharpness not positive.
    """

    groups: int
    beta: Scalar

    def __post_init__(self) -> None:
        require_count("groups", self.groups)
        require_scalar("beta", self.beta, above=0.0)

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, ``(..., units)`` to ``(...)``."""
        return LogSumExp(self.beta)(self._grouped(units)).sum(dim=-1)

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """The softmax of each group, same axes."""
        return LogSumExp(self.beta).activation(self._grouped(units)).flatten(-2)

    def _grouped(self, units: torch.Tensor) -> torch.Tensor:
        require_tensor("units", units, "... units", values=None)
        if units.shape[-1] % self.groups:
            raise ArgumentError("units", f"a multiple of {self.groups} units", f"{units.shape[-1]}")
        return units.unflatten(-1, (self.groups, -1))


@dataclass(frozen=True)
class Firing(Model):
    """L(u) = sum ln(1 + exp(gain u)) / gain: rates between 0 and 1, one half at potential 0.

    Parameters
    ----------
    gain
        Steepness of the rate, positive.

    Raises
    ------
    ArgumentError
        If the gain is not positive.
    """

    gain: Scalar

    def __post_init__(self) -> None:
        require_scalar("gain", self.gain, above=0.0)

    def __call__(self, units: torch.Tensor) -> torch.Tensor:
        """L, ``(..., units)`` to ``(...)``."""
        require_tensor("units", units, "... units", values=None)
        scaled = self.gain * units
        return require_fit("units", torch.logaddexp(scaled, torch.zeros_like(scaled)).sum(dim=-1) / self.gain)

    def activation(self, units: torch.Tensor) -> torch.Tensor:
        """1 / (1 + exp(-gain u)), same axes."""
        require_tensor("units", units, "... units", values=None)
        return require_fit("units", torch.sigmoid(self.gain * units))


def draw_features(
    count: int, active: int, neurons: int, *, generator: torch.Generator, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Features of exactly f of N units at random.

    Parameters
    ----------
    count, active, neurons
        Features M, units f of each, at most N / 4, and feature units N.
    generator
        A CPU generator.
    device
        Of the result.

    Returns
    -------
    torch.Tensor
        Axes ``(count, neurons)``, float32, 1 where a unit belongs to the feature and 0 elsewhere.

    Raises
    ------
    ArgumentError
        If a number is not an integer or out of range.
    """
    device = require_device("device", device)
    codes = draw_codes(count, active, neurons, generator=generator)
    require_room(count=count, neurons=neurons)
    shown = torch.zeros(count, neurons, dtype=torch.float32, device="cpu").scatter_(1, codes, 1.0)
    return shown.to(device)


def imprint(memories: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """One-bit synapses, on where both units were ever active together.

    Parameters
    ----------
    memories, features
        Activities of memory and of feature units at the times of learning, axes ``(times, memories)`` and
        ``(times, neurons)``, values 0 and 1.

    Returns
    -------
    torch.Tensor
        Axes ``(memories, neurons)``, values 0 and 1.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    sizes: dict[str, int] = {}
    require_tensor("memories", memories, "times memories", values="bits", sizes=sizes)
    device, dtype = memories.device, memories.dtype
    require_tensor("features", features, "times neurons", values="bits", sizes=sizes, device=device, dtype=dtype)
    return (memories.mT @ features > 0).to(memories.dtype)


def memory_circuit(
    synapses: torch.Tensor, groups: int, *, beta: float = 10.0, gain: float = 50.0, threshold: float = 0.8
) -> TwoBody:
    """The circuit as a two-body network of Krotov and Hopfield, inhibitory units eliminated.

    Parameters
    ----------
    synapses
        Axes ``(memories, neurons)``, values 0 and 1.
    groups
        Groups G, which divide the memories.
    beta
        Sharpness of the competition, positive.
    gain
        Steepness of the rate of feature units, positive.
    threshold
        Threshold of feature units in units of one synapse, in (0, 1).

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    _require_synapses(synapses, groups)
    require_number("threshold", threshold, above=0.0, at_most=0.999999)
    inputs = torch.full_like(synapses[0], -threshold)
    return TwoBody(synapses, Firing(gain), Competition(groups, beta), inputs=inputs)


def combine(synapses: torch.Tensor, choices: torch.Tensor) -> torch.Tensor:
    """The states of the feature units for choices of one memory unit a group: on where a chosen one has a synapse.

    Parameters
    ----------
    synapses
        Axes ``(memories, neurons)``, values 0 and 1.
    choices
        Which of the Q memory units of each group, int64 in [0, Q), axes ``(states, groups)``.

    Returns
    -------
    torch.Tensor
        Axes ``(states, neurons)``, values 0 and 1, dtype of the synapses.

    Raises
    ------
    ArgumentError
        If axes or values do not fit.
    """
    if (
        not isinstance(choices, torch.Tensor)
        or choices.dtype != torch.int64
        or choices.dim() != 2
        or 0 in choices.shape
    ):
        raise ArgumentError("choices", "an int64 tensor with axes (states, groups)", type(choices).__name__)
    groups = choices.shape[1]
    _require_synapses(synapses, groups)
    size = len(synapses) // groups
    if choices.device != synapses.device or choices.min() < 0 or choices.max() >= size:
        raise ArgumentError("choices", f"memory units 0 to {size - 1} on {synapses.device}", "others")
    first = torch.arange(groups, device=choices.device) * size
    active = torch.zeros(len(choices), len(synapses), dtype=synapses.dtype, device=synapses.device)
    return (active.scatter_(1, choices + first, 1.0) @ synapses > 0).to(synapses.dtype)


def damage(states: torch.Tensor, share: float, *, generator: torch.Generator) -> torch.Tensor:
    """Cues: a share of the active units of each state turned off, and as many silent ones on.

    Parameters
    ----------
    states
        Axes ``(states, neurons)``, values 0 and 1.
    share
        In [0, 1]; the number of units is rounded, and no more than are silent.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Same axes; as many units are active as before.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    require_tensor("states", states, "states neurons", values="bits")
    require_number("share", share, at_least=0.0, at_most=1.0)
    require_generator("generator", generator)
    keys = torch.rand(states.shape, generator=generator, dtype=torch.float64, device="cpu").to(states.device)
    on = states > 0
    turned = torch.minimum((share * on.sum(dim=1)).round(), (~on).sum(dim=1))[:, None]
    # The key of rank `turned` among the active, and among the silent units: what is below it changes sides.
    rank = turned.long()
    most = min(int(rank.max()) + 1, on.shape[1])
    limit_on, limit_off = (
        keys.masked_fill(kept, 2.0).topk(most, dim=1, largest=False).values.gather(1, rank.clamp(max=most - 1))
        for kept in (~on, on)
    )
    return ((on & (keys >= limit_on)) | (~on & (keys < limit_off))).to(states.dtype)


def settle(model: TwoBody, cues: torch.Tensor, *, steps: int = 4) -> torch.Tensor:
    """Potentials of the feature units after some steps, memory units following at once.

    Parameters
    ----------
    model
        What :func:`memory_circuit` makes.
    cues
        Activities of the feature units at the start, axes ``(states, neurons)``, values 0 and 1.
    steps
        Steps to make, at least 1.

    Returns
    -------
    torch.Tensor
        Axes ``(states, neurons)``; units with a positive potential are active.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    require_kind("model", model, TwoBody)
    require_tensor(
        "cues",
        cues,
        "states neurons",
        values="bits",
        sizes={"neurons": model.patterns.shape[1]},
        device=model.patterns.device,
        dtype=model.patterns.dtype,
    )
    require_integer("steps", steps, at_least=1, at_most=10**6)
    potentials = 2 * cues - 1
    for _ in range(steps):
        potentials = model.adiabatic(potentials)
    return potentials


def circuit(synapses: torch.Tensor, groups: int) -> torch.Tensor:
    """All synapses of the circuit, its inhibitory neurons among them.

    Parameters
    ----------
    synapses
        Axes ``(memories, neurons)``, values 0 and 1.
    groups
        Groups G, which divide the memories.

    Returns
    -------
    torch.Tensor
        Weights onto a neuron (rows) from a neuron (columns), int8, values -1, 0 and +1: feature units, memory units,
        one inhibitory unit for each group, and the inhibitory unit of the feature units.

    Raises
    ------
    ArgumentError
        If the synapses are not of these values or the groups do not divide the memories.
    """
    _require_synapses(synapses, groups)
    memories, neurons = synapses.shape
    first, end = neurons + memories, neurons + memories + groups
    weights = torch.zeros(end + 1, end + 1, dtype=torch.int8, device=synapses.device)
    joined = synapses.to(torch.int8)
    weights[:neurons, neurons:first], weights[neurons:first, :neurons] = joined.mT, joined
    group = torch.arange(memories, device=synapses.device) // (memories // groups)
    member = torch.arange(neurons, first, device=synapses.device)
    weights[first + group, member], weights[member, first + group] = 1, -1
    weights[end, neurons:first], weights[:neurons, end] = 1, -1
    return weights


@dataclass(frozen=True)
class Constraints:
    """Facts of a weight matrix, read by :func:`constraints`.

    Attributes
    ----------
    mixed
        Neurons with synapses of both signs onto others: none by Dale's law.
    joined
        Share of the ordered pairs of neurons that have a synapse.
    levels
        Values of synapses other than 0.
    synapses
        Number of synapses.
    """

    mixed: int
    joined: float
    levels: int
    synapses: int


def constraints(weights: torch.Tensor) -> Constraints:
    """Signs, sparseness and levels of a weight matrix.

    Parameters
    ----------
    weights
        Onto a neuron (rows) from a neuron (columns), axes ``(neurons, neurons)``, two neurons or more, any dtype.

    Raises
    ------
    ArgumentError
        If the weights are no square matrix of real numbers.
    """
    if not isinstance(weights, torch.Tensor) or weights.dim() != 2 or weights.shape[0] != weights.shape[1]:
        raise ArgumentError("weights", "a square matrix", type(weights).__name__)
    if len(weights) < 2 or weights.is_complex() or not weights.isfinite().all():
        raise ArgumentError("weights", "finite weights of two neurons or more", f"{weights.dtype} {len(weights)}")
    synapses = int((weights != 0).sum())
    mixed = int(((weights > 0).any(dim=0) & (weights < 0).any(dim=0)).sum())
    levels = int((weights.unique() != 0).sum())
    return Constraints(mixed, synapses / (len(weights) * (len(weights) - 1)), levels, synapses)


@dataclass(frozen=True)
class Recalled:
    """What :func:`recall_choices` brought, of every cue.

    Attributes
    ----------
    exact
        Whether all feature units came back as they were, booleans ``(states)``.
    wrong
        Share of the groups whose memory unit a rival equals or beats in the first step, ``(states)``.
    potentials
        Of the feature units at the end, ``(states, neurons)``.
    activity
        Share of feature units that are active in the states, a number.
    """

    exact: torch.Tensor
    wrong: torch.Tensor
    potentials: torch.Tensor
    activity: float


def recall_choices(
    synapses: torch.Tensor, groups: int, *, states: int, share: float, steps: int = 4, generator: torch.Generator
) -> Recalled:
    """Damage states of random choices, and let the circuit recall them.

    Parameters
    ----------
    synapses, groups
        As for :func:`memory_circuit`, at its default sharpness, gain and threshold.
    states
        Random choices to make.
    share
        Damage, in [0, 1]; see :func:`damage`.
    steps
        Steps to make, at least 1.
    generator
        A CPU generator: draws choices, then damage.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    model = memory_circuit(synapses, groups)
    require_count("states", states)
    require_generator("generator", generator)
    require_room(states=states, units=synapses.shape[0] + synapses.shape[1])
    size = len(synapses) // groups
    choices = torch.randint(size, (states, groups), generator=generator, device="cpu").to(synapses.device)
    wanted = combine(synapses, choices)
    cues = damage(wanted, share, generator=generator)
    heard = (cues @ synapses.mT).unflatten(-1, (groups, size))
    own = heard.gather(-1, choices[..., None])
    rival = heard.scatter(-1, choices[..., None], -1.0).amax(dim=-1, keepdim=True)
    potentials = settle(model, cues, steps=steps)
    exact = ((potentials > 0) == (wanted > 0)).all(dim=1)
    return Recalled(exact, (rival >= own)[..., 0].double().mean(dim=1), potentials, wanted.double().mean().item())


@dataclass(frozen=True)
class Currents:
    """Activities and currents of all neurons of :func:`circuit` in some states; axes ``(states, all neurons)``.

    Attributes
    ----------
    activity
        Rates of excitatory neurons, activities of inhibitory ones, in units of a synapse.
    excitation, inhibition
        Sums over the synapses of either sign, both as positive numbers.
    """

    activity: torch.Tensor
    excitation: torch.Tensor
    inhibition: torch.Tensor


def currents(model: TwoBody, weights: torch.Tensor, potentials: torch.Tensor) -> Currents:
    """What every neuron of the circuit gets, summed over the rows of its weight matrix.

    Parameters
    ----------
    model
        What :func:`memory_circuit` makes.
    weights
        What :func:`circuit` makes of the same synapses and groups.
    potentials
        Potentials of the feature units, axes ``(states, neurons)``.

    Returns
    -------
    Currents
        Of all neurons, in the order of the weights.

    Raises
    ------
    ArgumentError
        If the model, the weights and the potentials do not fit each other.
    """
    require_kind("model", model, TwoBody)
    competition = require_kind("model", model.hidden, Competition)
    like = model.patterns
    memories, neurons = like.shape
    require_tensor(
        "potentials", potentials, "states neurons", sizes={"neurons": neurons}, device=like.device, dtype=like.dtype
    )
    size = neurons + memories + competition.groups + 1
    if not isinstance(weights, torch.Tensor) or weights.dtype != torch.int8 or weights.shape != (size, size):
        raise ArgumentError(
            "weights", f"int8 weights of {size} neurons", type(weights).__name__, "Make them by circuit."
        )
    if weights.device != like.device:
        raise ArgumentError("weights", f"device {like.device}", str(weights.device))
    rates = model.visible.activation(potentials)
    heard = rates @ like.mT
    grouped = competition.beta * heard.unflatten(-1, (competition.groups, -1))
    held_back = torch.logsumexp(grouped, dim=-1) / competition.beta
    threshold = torch.zeros_like(rates[:, :1]) if model.inputs is None else -model.inputs[0].expand(len(rates), 1)
    activity = torch.cat([rates, competition.activation(heard), held_back, threshold], dim=1)
    joined = weights.to(like.dtype)
    return Currents(activity, activity @ joined.clamp(min=0).mT, activity @ joined.clamp(max=0).neg().mT)


def group_error(active: int, size: int, activity: float, share: float, *, neurons: int | None = None) -> float:
    r"""Probability that a group's memory unit is equalled or beaten by a rival after one step from a damaged cue.

    The unit hears :math:`t \sim \mathrm{Bin}(f, 1-d)` of its f feature units, each of its Q - 1 rivals
    :math:`\mathrm{Bin}(f, a)`:

    .. math:: 1 - \sum_t \Pr(t)\, \Pr\big(\mathrm{Bin}(f, a) < t\big)^{Q-1}

    Parameters
    ----------
    active
        f, 1 to 10,000.
    size
        Q, at least 1.
    activity
        a, share of feature units that are active, in [0, 1].
    share
        d, share of active units that the damage turns off, in [0, 1].
    neurons
        N, at least f. Where it is given, units are drawn without replacement, as they are in the circuit: both
        binomial laws are replaced by hypergeometric ones, with aN active units rounded to whole ones.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("active", active, at_least=1, at_most=10**4)
    require_count("size", size)
    require_number("activity", activity, at_least=0.0, at_most=1.0)
    require_number("share", share, at_least=0.0, at_most=1.0)
    heard = np.arange(active + 1)
    own: Any = stats.binom(active, 1 - share)
    rival: Any = stats.binom(active, activity)
    if neurons is not None:
        require_integer("neurons", neurons, at_least=active, at_most=10**9)
        on = max(active, round(activity * neurons))
        own, rival = stats.hypergeom(on, on - round(share * on), active), stats.hypergeom(neurons, on, active)
    behind = rival.logcdf(heard - 1)
    # 1 - x^(Q-1) for x near 1; with no rival nothing is lost even where nothing is heard.
    lost = -np.expm1((size - 1) * behind) if size > 1 else np.zeros(active + 1)
    return float(own.pmf(heard) @ lost)


def _require_synapses(synapses: torch.Tensor, groups: int) -> None:
    require_tensor("synapses", synapses, "memories neurons", values="bits")
    require_count("groups", groups)
    if len(synapses) % groups:
        raise ArgumentError("groups", f"a number that divides {len(synapses)} memories", str(groups))
