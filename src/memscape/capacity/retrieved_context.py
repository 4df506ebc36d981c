r"""Retrieved context: recall that is cued by the time at which things happened (Howard & Kahana 2002).

While a list is learned a context of unit length drifts towards each item,

.. math:: t_i = \rho\, t_{i-1} + \beta\, e_i, \qquad \rho = \sqrt{1 - \beta^2} ,

with a direction :math:`e_i` of its own for every item. Item j comes to mind with the strength
:math:`a_j = t \cdot t_j`, and one is chosen, with a probability that goes as a power of strength or as a softmax of
it. A recalled item i brings back a mixture of its own direction and of the context it was learned in,

.. math:: t \leftarrow \rho'\, t + b\, c, \qquad c \propto (1 - g)\, e_i + g\, t_i , \quad |c| = 1,

where :math:`\rho'` keeps t at unit length. The own direction is in later contexts only, which makes recall go forward.

:func:`study` learns a list, with distractors after it or at every gap; :func:`recall` recalls many such lists at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from memscape.arguments import (
    ArgumentError,
    described,
    require_choice,
    require_count,
    require_device,
    require_generator,
    require_kind,
    require_number,
    require_room,
    require_tensor,
)
from memscape.tools import pieces

__all__ = ["CHOICES", "RULES", "Studied", "recall", "study"]

CHOICES = ("power", "softmax")
"""How strengths become probabilities: by a power of them, or by the exponential of a multiple."""

RULES = ("all", "circle")
"""When recall ends: with the last item left, each being recalled once, or with the first repeated transition."""


@dataclass(frozen=True)
class Studied:
    """A list that was learned: directions of items and contexts, in coordinates of which the last are distractors.

    Attributes
    ----------
    items
        Direction of every item, orthonormal, axes ``(items, coordinates)``.
    contexts
        Context right after each item, unit length, same axes.
    end
        Context at the time of recall, unit length, axes ``(coordinates)``.
    """

    items: torch.Tensor
    contexts: torch.Tensor
    end: torch.Tensor

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_tensor("items", self.items, "items coordinates", sizes=sizes)
        same = {"device": self.items.device, "dtype": self.items.dtype}
        require_tensor("contexts", self.contexts, "items coordinates", sizes=sizes, **same)  # type: ignore[arg-type]
        require_tensor("end", self.end, "coordinates", sizes=sizes, **same)  # type: ignore[arg-type]
        for name, vectors in (("items", self.items), ("contexts", self.contexts), ("end", self.end)):
            if not ((vectors.norm(dim=-1) - 1).abs() < 1e-3).all():
                raise ArgumentError(name, "vectors of unit length", "others", "Make them with study.")

    def strengths(self, context: torch.Tensor) -> torch.Tensor:
        r"""How strongly a context brings every item to mind, :math:`t \cdot t_j`: axes ``(..., items)``.

        Parameters
        ----------
        context
            Axes ``(..., coordinates)``, dtype and device of the contexts.

        Raises
        ------
        ArgumentError
            If the axes, the dtype or the device do not fit.
        """
        sizes = {"coordinates": len(self.end)}
        require_tensor("context", context, "... coordinates", sizes=sizes, device=self.end.device, dtype=self.end.dtype)
        return context @ self.contexts.mT

    def retrieved(self, own: float) -> torch.Tensor:
        r"""What each item brings back, :math:`c \propto (1-g)\, e_i + g\, t_i` of unit length.

        Parameters
        ----------
        own
            Share g of the context that the item was learned in, in [0, 1].

        Returns
        -------
        torch.Tensor
            Axes ``(items, coordinates)``.

        Raises
        ------
        ArgumentError
            If the share is out of range.
        """
        require_number("own", own, at_least=0.0, at_most=1.0)
        mixture = (1 - own) * self.items + own * self.contexts
        return mixture / mixture.norm(dim=-1, keepdim=True)


def study(
    length: int, drift: float, *, between: float = 1.0, after: float = 1.0, device: torch.device | str = "cpu"
) -> Studied:
    r"""Learn a list of orthogonal items.

    Parameters
    ----------
    length
        Number of items L, 2 or more.
    drift
        Weight :math:`\beta` of a new item in the context, in (0, 1].
    between
        What a distractor leaves of the context at every gap between two items, in [0, 1]; the rest goes in a direction
        of its own. 1 is no distractor.
    after
        What a distractor after the last item leaves.
    device
        Where tensors live.

    Returns
    -------
    Studied
        float64. Before the list the context has a direction of its own. Contexts have the similarity
        :math:`(\rho d)^{|i-j|}`, with d what is left at a gap.

    Raises
    ------
    ArgumentError
        If a number is out of range.

    References
    ----------
    Howard & Kahana 2002.
    """
    require_count("length", length, at_least=2)
    require_number("drift", drift, above=0.0, at_most=1.0)
    require_number("between", between, at_least=0.0, at_most=1.0)
    require_number("after", after, at_least=0.0, at_most=1.0)
    target = require_device("device", device)
    require_room(length=length, coordinates=4 * length + 2)
    # Before the list, the items, a distractor behind each of them.
    size = 2 * length + 1
    axes = torch.eye(size, dtype=torch.float64, device=target)
    context, items = axes[0], axes[1 : length + 1]
    kept = math.sqrt(1 - drift**2)
    contexts = torch.empty_like(items)
    for position in range(length):
        contexts[position] = context = kept * context + drift * items[position]
        left = after if position == length - 1 else between
        context = left * context + math.sqrt(1 - left**2) * axes[length + 1 + position]
    return Studied(items, contexts, context)


def recall(
    studied: Studied,
    lists: int,
    *,
    renewal: float,
    own: float,
    choice: str = "power",
    sharpness: float,
    rule: str = "all",
    most: int | None = None,
    first: torch.Tensor | None = None,
    generator: torch.Generator,
) -> torch.Tensor:
    r"""Recall lists that were learned alike, each by itself.

    Parameters
    ----------
    studied
        The list.
    lists
        Number of recalls to run.
    renewal
        Weight b of what is brought back in the new context, in [0, 1].
    own
        Share g of the context that the item was learned in, in [0, 1].
    choice
        Item j with a probability :math:`\propto a_j^\kappa` (``"power"``) or :math:`\propto e^{\kappa a_j}`
        (``"softmax"``).
    sharpness
        :math:`\kappa`, positive; :math:`1/T` for a softmax.
    rule
        ``"all"``: chosen is among the items that were not recalled yet, until none is left that has any strength.
        ``"circle"``: the rule of the walk among similar items. Any item but the present one and the one just left may
        come next, and the first transition that repeats ends recall.
    most
        Items recalled at most, L unless given.
    first
        Positions that recall starts from, int64, axes ``(lists)``; by default they are chosen as all others.
    generator
        Source of randomness.

    Returns
    -------
    torch.Tensor
        Positions 0, 1, ... in the order in which they first came to mind, int64, axes ``(lists, items)``, -1 where no
        further one did.

    Raises
    ------
    ArgumentError
        If a number is out of range, a word is unknown, or axes do not fit.

    References
    ----------
    Howard & Kahana 2002. The rule ``"circle"`` is that of Naim et al. 2020, which was not made for this model.
    """
    require_kind("studied", studied, Studied)
    require_count("lists", lists)
    require_number("renewal", renewal, at_least=0.0, at_most=1.0)
    cues = studied.retrieved(own)
    require_choice("choice", choice, CHOICES)
    require_number("sharpness", sharpness, above=0.0, at_most=1e6)
    require_choice("rule", rule, RULES)
    length, size = studied.contexts.shape
    most = length if most is None else require_count("most", most, at_most=length)
    require_generator("generator", generator)
    require_room(lists=lists, length=length)
    if first is not None:
        _require_first(first, lists, length, studied.end.device)
    found = torch.empty(lists, length, dtype=torch.int64, device=studied.end.device)
    for some in pieces.slices(lists, pieces.fitting(8 * (2 * size + 8 * length) + length * length)):
        starts = None if first is None else first[some]
        search = _Search(studied, cues, renewal, choice, sharpness, rule, some.stop - some.start, generator)
        found[some] = search.run(starts, most)
    return found


class _Search:
    """Recalls under way: contexts, what has come to mind, and which transitions were made."""

    def __init__(
        self,
        studied: Studied,
        cues: torch.Tensor,
        renewal: float,
        choice: str,
        sharpness: float,
        rule: str,
        lists: int,
        generator: torch.Generator,
    ) -> None:
        self.studied, self.cues, self.renewal = studied, cues, renewal
        self.choice, self.sharpness, self.rule, self.generator = choice, sharpness, rule, generator
        device, length = studied.end.device, len(studied.items)
        self.context = studied.end.expand(lists, -1).clone()
        self.met = torch.zeros(lists, length, dtype=torch.bool, device=device)
        self.here, self.left = (torch.full((lists,), -1, device=device) for _ in range(2))
        self.count = torch.zeros(lists, dtype=torch.int64, device=device)
        self.order = torch.full((lists, length), -1, dtype=torch.int64, device=device)
        circle = length if rule == "circle" else 0
        self.made = torch.zeros(lists, length, circle, dtype=torch.bool, device=device)

    @torch.no_grad()
    def run(self, first: torch.Tensor | None, most: int) -> torch.Tensor:
        going = torch.arange(len(self.here), device=self.here.device)
        chosen = first if first is not None else self._choose(going)
        while len(going := going[chosen >= 0]):
            chosen = chosen[chosen >= 0]
            if self.rule == "circle":
                going, chosen = self._moved(going, chosen)
            new = ~self.met[going, chosen]
            who = going[new]
            self.order[who, self.count[who]] = chosen[new]
            self.count[who] += 1
            self.met[going, chosen] = True
            self.left[going], self.here[going] = self.here[going], chosen
            self._renew(going, chosen)
            going = going[self.count[going] < most]
            chosen = self._choose(going)
        return self.order

    def _moved(self, going: torch.Tensor, chosen: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """The lists whose transition is a new one, which is noted, and where it leads."""
        here = self.here[going]
        start = here < 0
        fresh = start | ~self.made[going, here.clamp(min=0), chosen]
        going, chosen, here, start = going[fresh], chosen[fresh], here[fresh], start[fresh]
        self.made[going[~start], here[~start], chosen[~start]] = True
        return going, chosen

    def _choose(self, going: torch.Tensor) -> torch.Tensor:
        """An item for each list by Gumbel's trick, -1 where no item that may be chosen has any strength."""
        strength = (self.context[going] @ self.studied.contexts.mT).clamp(min=0.0)
        weight = self.sharpness * (strength.log() if self.choice == "power" else strength)
        if self.rule == "all":
            barred = self.met[going]
        else:
            barred = torch.zeros_like(self.met[going])
            for place in (self.here[going], self.left[going]):
                at = place >= 0
                barred[at, place[at]] = True
        weight = weight.masked_fill(barred, -torch.inf)
        uniform = torch.rand(weight.shape, dtype=torch.float64, generator=self.generator, device="cpu").to(
            weight.device
        )
        noise = -(-uniform.clamp(min=1e-300).log()).clamp(min=1e-300).log()
        best = (weight + noise).max(dim=-1)
        return torch.where(best.values > -torch.inf, best.indices, -1)

    def _renew(self, going: torch.Tensor, chosen: torch.Tensor) -> None:
        context, cue = self.context[going], self.cues[chosen]
        along = (context * cue).sum(dim=-1, keepdim=True)
        # In this form a context that is renewed whole keeps exactly nothing.
        kept = ((1 - self.renewal**2) + (self.renewal * along) ** 2).sqrt() - self.renewal * along
        self.context[going] = kept * context + self.renewal * cue


def _require_first(first: torch.Tensor, lists: int, length: int, device: torch.device) -> None:
    if not isinstance(first, torch.Tensor) or first.dtype != torch.int64 or tuple(first.shape) != (lists,):
        raise ArgumentError("first", f"an int64 tensor of shape ({lists},)", described(first))
    if first.device != device:
        raise ArgumentError("first", f"device {device}", str(first.device), f"Move it with .to('{device}').")
    if first.min() < 0 or first.max() >= length:
        raise ArgumentError("first", f"positions 0 to {length - 1}", f"{first.min()} to {first.max()}")
