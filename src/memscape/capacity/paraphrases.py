r"""A linear memory of names in contexts: what it answers to a name alone, and what paraphrases change.

A person is met in one or more *contexts*. Each meeting is an input :math:`x_{im} = [a_i; c_{im}]`, a *name* of
:math:`d_k` signs and a context of :math:`d_c` signs, and asks for the person's *value* :math:`v_i`, signs as well.
Among all matrices with :math:`x_{im} W = v_i` for every meeting, least squares picks the one of least norm. Asked by
the name alone it answers :math:`r_i v_i` and crosstalk; :math:`r_i`, the *response*, is what this module is about.

With few meetings all blocks are orthogonal, and a fact told in M contexts is split between name and context so that
:math:`r = d_k / (d_k + d_c / M)`. With many, directions run out. Differences between two meetings of a person take
:math:`M_i - 1` directions of the contexts away, what is answered by names takes :math:`\sum_i r_i` directions of the
names, and the rest as many of the contexts. The same law holds in the directions that are left
(:func:`name_response`),

.. math:: r_i = \frac{n}{n + f / M_i}, \qquad n = d_k - \sum_i r_i, \qquad f = d_c - \sum_i M_i + \sum_i r_i .

:func:`learn_gates` lets a memory learn one gain for each block besides; then facts move from contexts to names all at
once (:func:`gated_response`). :func:`delta_rule` learns from one meeting after another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import optimize

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_device,
    require_generator,
    require_integer,
    require_kind,
    require_labels,
    require_number,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.memory.patterns import random_patterns

__all__ = [
    "Gated",
    "Meetings",
    "biographies",
    "delta_rule",
    "gated_response",
    "learn_gates",
    "least_squares",
    "meetings",
    "name_response",
    "ordered_response",
    "response",
]

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Meetings:
    """People, and the contexts in which they are met.

    Parameters
    ----------
    names
        Axes ``(*G, people, d_k)``, values -1 and +1.
    contexts
        One row a meeting, axes ``(*G, meetings, d_c)``, finite.
    values
        What is asked for, axes ``(*G, people, d_v)``, values -1 and +1.
    person
        Who is met, int64 ``(meetings,)``.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, or somebody is met who is not there.
    """

    names: torch.Tensor
    contexts: torch.Tensor
    values: torch.Tensor
    person: torch.Tensor

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("names", self.names, "... people name", values="spins", sizes=sizes)
        device, dtype = self.names.device, self.names.dtype
        require_tensor(
            "values", self.values, "... people bits", values="spins", sizes=sizes, device=device, dtype=dtype
        )
        require_labels("person", self.person, self.names.device, at_least=0)
        sizes["meetings"] = len(self.person)
        require_tensor("contexts", self.contexts, "... meetings context", sizes=sizes, device=device, dtype=dtype)
        for argument, tensor in (("values", self.values), ("contexts", self.contexts)):
            if tensor.shape[:-2] != self.names.shape[:-2]:
                raise ArgumentError(
                    argument, f"leading axes {tuple(self.names.shape[:-2])}", f"{tuple(tensor.shape[:-2])}"
                )
        if self.person.max() >= sizes["people"]:
            raise ArgumentError("person", f"people below {sizes['people']}", str(self.person.max().item()))

    @property
    def inputs(self) -> torch.Tensor:
        """Name and context of every meeting side by side, axes ``(*G, meetings, d_k + d_c)``."""
        return torch.cat([self.names[..., self.person, :], self.contexts], dim=-1)

    @property
    def answers(self) -> torch.Tensor:
        """The value asked for at every meeting, axes ``(*G, meetings, d_v)``."""
        return self.values[..., self.person, :]


def meetings(
    copies: Sequence[int],
    *,
    name: int,
    context: int,
    value: int,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Meetings:
    """Draw people with random names and values, and for each of them so many meetings in random contexts.

    Parameters
    ----------
    copies
        Meetings :math:`M_i` of each person, at least 1.
    name, context, value
        Signs of a name, of a context and of a value.
    networks
        Independent draws G.
    generator
        A CPU generator.
    device
        Device of the result, float64.

    Returns
    -------
    Meetings
        Axes ``(networks, ...)``; the meetings of a person stand together.

    Raises
    ------
    ArgumentError
        If a number is not a positive integer or there is nobody.
    """
    each = _require_copies(copies)
    for argument, size in (("name", name), ("context", context), ("value", value), ("networks", networks)):
        require_count(argument, size)
    require_room(networks=networks, meetings=sum(each), context=context + name + value)
    require_generator("generator", generator)
    device = require_device("device", device)

    def drawn(count: int, size: int) -> torch.Tensor:
        return random_patterns(count, size, networks=(networks,), generator=generator, device=device)

    person = torch.arange(len(each), device="cpu").repeat_interleave(torch.tensor(each, device="cpu")).to(device)
    return Meetings(drawn(len(each), name), drawn(sum(each), context), drawn(len(each), value), person)


def least_squares(facts: Meetings) -> torch.Tensor:
    r"""The memory of least norm that answers every meeting, :math:`W = X^+ V`.

    Parameters
    ----------
    facts
        What was met.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, d_k + d_c, d_v)``. Where not all meetings can be answered, the squared error is least.

    Raises
    ------
    ArgumentError
        If ``facts`` is not what was met.
    """
    require_kind("facts", facts, Meetings)
    return _least_norm(facts.inputs.double(), facts.answers.double()).to(facts.names.dtype)


def _least_norm(inputs: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    """X^+ V by the smaller of the two Gram matrices; in float64, since it squares the condition of X."""
    if inputs.shape[-2] <= inputs.shape[-1]:
        return inputs.mT @ (torch.linalg.pinv(inputs @ inputs.mT, hermitian=True) @ answers)
    return torch.linalg.pinv(inputs.mT @ inputs, hermitian=True) @ (inputs.mT @ answers)


def response(weights: torch.Tensor, facts: Meetings) -> torch.Tensor:
    r"""Response to every name alone: :math:`r_i = \frac{1}{d_v} v_i \cdot (a_i W_\text{names})`.

    Parameters
    ----------
    weights
        Axes ``(*G, d_k + d_c, d_v)``, as :func:`least_squares` returns them.
    facts
        What was learned.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, people)``, dimensionless: 1 where the name alone brings the whole value.

    Raises
    ------
    ArgumentError
        If the weights do not fit the meetings.
    """
    require_kind("facts", facts, Meetings)
    size, bits = facts.names.shape[-1], facts.values.shape[-1]
    sizes = {"inputs": size + facts.contexts.shape[-1], "bits": bits}
    require_tensor(
        "weights", weights, "... inputs bits", sizes=sizes, device=facts.names.device, dtype=facts.names.dtype
    )
    if weights.shape[:-2] != facts.names.shape[:-2]:
        raise ArgumentError("weights", f"leading axes {tuple(facts.names.shape[:-2])}", f"shape {tuple(weights.shape)}")
    return ((facts.names @ weights[..., :size, :]) * facts.values).mean(dim=-1)


def name_response(copies: Sequence[int], *, name: int, context: int, crowded: bool = True) -> Array:
    r"""Response to a name alone after least squares, in large random blocks.

    .. math:: r_i = \frac{n}{n + f / M_i}, \qquad n = d_k - \sum_j r_j, \qquad f = d_c - \sum_j M_j + \sum_j r_j .

    Parameters
    ----------
    copies
        Meetings :math:`M_i` of each person.
    name, context
        Signs :math:`d_k` of a name, :math:`d_c` of a context.
    crowded
        Whether to count the directions that are taken; without, n = d_k and f = d_c, the limit of few meetings.

    Returns
    -------
    array
        One number a person, in (0, 1]. It is 1 for all where the differences between meetings of one person,
        :math:`\sum_i (M_i - 1)` of them, leave no direction of the contexts free.

    Raises
    ------
    ArgumentError
        If a number is not a positive integer, or the meetings cannot all be answered, with more people than signs of a
        name and no context left over.
    """
    each = np.array(_require_copies(copies), dtype=np.float64)
    require_integer("name", name, at_least=1, at_most=2**31)
    require_integer("context", context, at_least=1, at_most=2**31)
    people, told = len(each), each.sum()
    if not crowded:
        return name / (name + context / each)
    if told - people >= context and people <= name:
        return np.ones(people)
    if told >= name + context:
        raise ArgumentError(
            "copies", f"fewer than {name + context} meetings", f"{told:.0f}", "Beyond, not all can be answered."
        )

    def shares(answered: float) -> Array:
        free = name - answered
        return np.asarray(free / (free + np.maximum(context - told + answered, 0.0) / each))

    # Falling in what is answered by names: one root, between no free direction of the contexts and none of the names.
    low, high = max(0.0, told - context), min(float(people), float(name))
    answered = optimize.brentq(lambda sum_: shares(sum_).sum() - sum_, low, high, xtol=1e-13)
    return shares(answered)


def gated_response(copies: Sequence[int], *, name: int, context: int) -> Array:
    r"""Response to a name alone where each block also has a gain that is learned, in the limit of few meetings.

    Least squares over weights and gains minimises the sum of the *lengths* of the two blocks,
    :math:`\sqrt{\sum_i r_i^2 / d_k} + \sqrt{\sum_i M_i (1 - r_i)^2 / d_c}`. Hence all is answered by names, r = 1,
    where :math:`d_k / d_c` is at least the mean of :math:`1 / M_i`; nothing, r = 0, where it is at most
    :math:`\sum M_i / \sum M_i^2`; and in between :math:`r_i = M_i \rho / (1 + M_i \rho)` with one number rho.

    Parameters
    ----------
    copies
        Meetings :math:`M_i` of each person.
    name, context
        Signs :math:`d_k` of a name, :math:`d_c` of a context.

    Returns
    -------
    array
        One number a person, in [0, 1].

    Raises
    ------
    ArgumentError
        If a number is not a positive integer.
    """
    each = np.array(_require_copies(copies), dtype=np.float64)
    require_integer("name", name, at_least=1, at_most=2**31)
    require_integer("context", context, at_least=1, at_most=2**31)
    if name >= context * (1 / each).mean():
        return np.ones(len(each))
    if name * (each**2).sum() <= context * each.sum():
        return np.zeros(len(each))

    def slope(log: float) -> float:
        # ln of (d_k |names| / d_c |contexts|) / rho, which is 0 at the minimum.
        pull = each * math.exp(log)
        names, contexts = (pull / (1 + pull)) ** 2 / name, each / (1 + pull) ** 2 / context
        return math.log(name / context) + math.log(names.sum() / contexts.sum()) / 2 - log

    pull = each * math.exp(optimize.brentq(slope, -40.0, 40.0, xtol=1e-12))
    return np.asarray(pull / (1 + pull))


@dataclass(frozen=True)
class Gated:
    """A memory whose blocks have gains, learned.

    Attributes
    ----------
    weights
        Gains times weights, axes ``(*G, d_k + d_c, d_v)``.
    ratio
        Gain of the contexts over that of the names, axes ``(*G)``.
    rounds
        Rounds made.
    """

    weights: torch.Tensor
    ratio: torch.Tensor
    rounds: int


def learn_gates(facts: Meetings, *, rounds: int = 200, tolerance: float = 1e-4) -> Gated:
    r"""Learn weights and one gain a block together: the least :math:`|W|^2 + g_k^2 + g_c^2` that answers every meeting.

    In turn, weights for given gains (least squares) and gains for given answers: of a block :math:`V = g W` the least
    :math:`|W|^2 + g^2` is :math:`2|V|`, at :math:`g^2 = |V|`. So the sum of the lengths of the blocks is minimised, and
    each turn lowers it.

    Parameters
    ----------
    facts
        What was met.
    rounds
        Most turns.
    tolerance
        Stop where no ratio of gains changes by more than this share; a gain below this share of the other is taken for
        nothing, and kept there.

    Returns
    -------
    Gated
        Weights and gains.

    Raises
    ------
    ArgumentError
        If ``rounds`` is not a positive integer or the tolerance not in (0, 1).
    """
    require_kind("facts", facts, Meetings)
    require_count("rounds", rounds)
    require_number("tolerance", tolerance, above=0.0, at_most=0.5)
    size = facts.names.shape[-1]
    inputs, answers = facts.inputs.double(), facts.answers.double()
    ratio = torch.ones_like(inputs[..., 0, 0])
    made = 0
    for _ in range(rounds):
        made += 1
        scale = torch.ones_like(inputs[..., :1, :])
        scale[..., size:] = ratio[..., None, None]
        # Only the ratio of the gains matters to the answers.
        weights = scale.mT * _least_norm(inputs * scale, answers)
        lengths = [torch.linalg.matrix_norm(part) for part in (weights[..., :size, :], weights[..., size:, :])]
        after = (lengths[1] / lengths[0]).sqrt().nan_to_num(1.0).clamp(tolerance, 1 / tolerance)
        still = ((after / ratio).log().abs() <= tolerance).all()
        ratio = after
        if still:
            break
    return Gated(weights.to(facts.names.dtype), ratio.to(facts.names.dtype), made)


def delta_rule(
    facts: Meetings, order: torch.Tensor, *, rate: float = 1.0, start: torch.Tensor | None = None
) -> torch.Tensor:
    r"""Learn from one meeting after another: :math:`W \leftarrow W + \eta\, x (v - x W) / |x|^2`.

    At the rate 1 each meeting is answered without error right after it was met (Kaczmarz). Repeated from nothing it
    ends at the least norm, where all meetings can be answered.

    Parameters
    ----------
    facts
        What was met.
    order
        Which meeting comes when, int64 ``(steps,)``; any number of times each.
    rate
        Learning rate eta, in (0, 1].
    start
        Weights to go on from, axes ``(*G, d_k + d_c, d_v)``; zero by default.

    Returns
    -------
    torch.Tensor
        Weights, axes ``(*G, d_k + d_c, d_v)``.

    Raises
    ------
    ArgumentError
        If a meeting is not there, the rate is out of range, or the start does not fit.
    """
    require_kind("facts", facts, Meetings)
    require_labels("order", order, facts.names.device, at_least=0)
    require_number("rate", rate, above=0.0, at_most=1.0)
    inputs, answers = facts.inputs, facts.answers
    if order.max() >= inputs.shape[-2]:
        raise ArgumentError("order", f"meetings below {inputs.shape[-2]}", str(order.max().item()))
    shape = (*inputs.shape[:-2], inputs.shape[-1], answers.shape[-1])
    if start is None:
        weights = inputs.new_zeros(shape)
    else:
        require_tensor("start", start, "... inputs bits", device=inputs.device, dtype=inputs.dtype)
        if start.shape != shape:
            raise ArgumentError("start", f"shape {tuple(shape)}", f"shape {tuple(start.shape)}")
        weights = start.clone()
    steps = rate * inputs / inputs.square().sum(dim=-1, keepdim=True)
    for meeting in order.tolist():
        error = answers[..., meeting, :] - (inputs[..., meeting, None, :] @ weights)[..., 0, :]
        weights += steps[..., meeting, :, None] * error[..., None, :]
    return weights


KINDS = ("single", "reworded", "permuted", "both")
"""How the copies of a biography differ: not at all, in their words, in the order of what is told, or in both."""


def biographies(
    people: int,
    copies: int,
    kind: str,
    *,
    name: int,
    wording: int,
    slots: int,
    fact: int,
    value: int,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Meetings:
    """People whose last fact is asked for after their other facts were told, one in each slot.

    A context is a block for the wording and one block for each slot, which holds the fact that stands there: the same
    fact in another slot is another input (a code of positions). Rewording draws a new wording for each copy,
    permuting a new order of the facts.

    Parameters
    ----------
    people, copies
        People, and biographies of each; copies of ``"single"`` are all the same.
    kind
        One of ``"single"``, ``"reworded"``, ``"permuted"``, ``"both"``.
    name, wording, fact, value
        Signs of a name, of a wording, of one told fact, and of the one asked for.
    slots
        Facts told before it.
    networks
        Independent draws.
    generator
        A CPU generator.
    device
        Device of the result, float64.

    Returns
    -------
    Meetings
        With contexts of ``wording + slots * fact`` signs.

    Raises
    ------
    ArgumentError
        If a number is not a positive integer or the kind is unknown.
    """
    require_choice("kind", kind, KINDS)
    sizes = {"people": people, "copies": copies, "name": name, "wording": wording, "slots": slots, "fact": fact,
             "value": value, "networks": networks}  # fmt: skip
    for argument, size in sizes.items():
        require_count(argument, size)
    require_room(networks=networks, people=people, copies=copies, slots=slots, fact=fact + wording + name + value)
    require_generator("generator", generator)
    device = require_device("device", device)

    def drawn(*shape: int) -> torch.Tensor:
        signs = random_patterns(math.prod(shape[:-1]), shape[-1], generator=generator, device=device)
        return signs.reshape(shape)

    told = 1 if kind in ("single", "permuted") else copies
    words = drawn(networks, people, told, wording).expand(networks, people, copies, wording)
    facts = drawn(networks, people, slots, fact)
    orders = 1 if kind in ("single", "reworded") else copies
    keys = torch.rand((networks, people, orders, slots), generator=generator, dtype=torch.float64, device="cpu")
    order = keys.argsort(dim=-1).to(device).expand(networks, people, copies, slots)
    placed = torch.gather(
        facts[:, :, None].expand(networks, people, copies, slots, fact),
        3,
        order[..., None].expand(networks, people, copies, slots, fact),
    )
    contexts = torch.cat([words, placed.flatten(3)], dim=-1).flatten(1, 2)
    person = torch.repeat_interleave(torch.arange(people, device=device), copies)
    return Meetings(drawn(networks, people, name), contexts, drawn(networks, people, value), person)


def ordered_response(copies: int, kind: str, *, name: int, wording: int, slots: int, fact: int) -> float:
    r"""Response to a name alone after least squares on :func:`biographies`, in the limit of few people.

    .. math:: r = \frac{d_k}{d_k + d_w / M_w + s\, d_f \left(\frac1s + \frac{1 - 1/s}{M_p}\right)}

    with s slots, :math:`M_w` different wordings and :math:`M_p` orders: two random orders agree in one slot on average,
    so that a fact which happens to stand where it stood tells nothing apart.

    Parameters
    ----------
    copies
        Biographies M of a person.
    kind
        As for :func:`biographies`.
    name, wording, slots, fact
        As for :func:`biographies`.

    Raises
    ------
    ArgumentError
        If a number is not a positive integer or the kind is unknown.
    """
    require_choice("kind", kind, KINDS)
    for argument, size in {"copies": copies, "name": name, "wording": wording, "slots": slots, "fact": fact}.items():
        require_integer(argument, size, at_least=1, at_most=2**31)
    reworded = copies if kind in ("reworded", "both") else 1
    permuted = copies if kind in ("permuted", "both") else 1
    order = slots * fact * (1 / slots + (1 - 1 / slots) / permuted)
    return name / (name + wording / reworded + order)


def _require_copies(copies: Sequence[int]) -> list[int]:
    each = [require_integer("copies", one, at_least=1, at_most=2**31) for one in _some(copies)]
    require_count("copies", sum(each))
    return each


def _some(copies: Sequence[int]) -> Sequence[int]:
    if not require_sequence("copies", copies, "numbers of meetings, one a person"):
        raise ArgumentError("copies", "one person or more", "none")
    return copies
