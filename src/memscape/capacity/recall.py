r"""Free recall as a walk among similar items: how many of M items come back, and in which order.

Naim et al. (2020) let recall go from each item to the one that is most similar to it, except the one just left. The
walk is deterministic; sooner or later it repeats a transition, and from there on it goes round in a circle. The number
of different items met until then is what is recalled. On a symmetric random matrix of similarities it is, for large M,

.. math:: R = \sqrt{3 \pi M / 2} ,

and :math:`\sqrt{\pi M / 2}` where similarity is not mutual (:func:`law`).

:func:`walk` walks on given matrices, many at once. :func:`walk_lengths` walks on random ones without making them. The
walk depends on the order of similarities alone, so let distances be exponential variables. These have no memory: what a
walk has learned of a row is that all items not met yet are farther than some bound, and beyond it their distances are
again exponential. So entries are drawn when they are asked for, and none of the most: an entry far beyond the smallest
of M plays no part. Where similarity is not mutual all that counts of a row is which two items are nearest.

:func:`sparse_overlaps` and :func:`centred_cosines` make similarities out of representations. :func:`lag_counts` and
:func:`uneven` say what orders of recall tell about the order of learning.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from scipy import sparse, stats

from memscape.arguments import (
    ArgumentError,
    described,
    require_count,
    require_device,
    require_fit,
    require_generator,
    require_integer,
    require_number,
    require_numbers,
    require_rng,
    require_room,
    require_tensor,
    wide,
)
from memscape.tools import pieces
from memscape.tools.bootstrap import bootstrapped
from memscape.tools.statistics import Estimate

__all__ = [
    "Lags",
    "centred_cosines",
    "lag_counts",
    "law",
    "ratio_of_means",
    "recalled",
    "sparse_overlaps",
    "uneven",
    "untied",
    "walk",
    "walk_in_time",
    "walk_lengths",
]


def law(count: int, *, mutual: bool = True) -> float:
    r"""Mean number of items that a walk recalls of ``count``, where that is large.

    .. math:: \sqrt{3 \pi M / 2} \text{ where similarity is mutual}, \qquad \sqrt{\pi M / 2} \text{ where it is not}

    Parameters
    ----------
    count
        Number of items M, 3 or more.
    mutual
        Whether the matrix of similarities is symmetric.

    Returns
    -------
    float
        Items; beyond ``count`` itself where M < 5.

    Raises
    ------
    ArgumentError
        If there are fewer than three items.

    References
    ----------
    Naim et al. 2020 (the symmetric one).
    """
    require_count("count", count, at_least=3)
    return math.sqrt((3 if mutual else 1) * math.pi * count / 2)


def recalled(order: torch.Tensor) -> torch.Tensor:
    """How many different items each list brought back: int64, axes ``(...)`` without the last of ``order``.

    Parameters
    ----------
    order
        Positions 0, 1, ... of items in the order of recall, int64, axes ``(..., places)``; negative where nothing of
        the list was recalled. Repetitions count once.

    Raises
    ------
    ArgumentError
        If it is not a tensor of int64 with a last axis.
    """
    _require_order(order)
    return _first_time(order).sum(dim=-1)


def walk(similarity: torch.Tensor, starts: torch.Tensor | None = None) -> torch.Tensor:
    """From each item to the most similar one, except the one just left, until a transition repeats.

    Parameters
    ----------
    similarity
        Axes ``(..., items, items)``, three items or more: row i says how similar every item is to i. The diagonal is
        not looked at. Of equally similar items an arbitrary one is taken: see :func:`untied`.
    starts
        The first items, int64, axes ``(..., walks)`` with the leading axes of ``similarity``. By default one walk from
        every item.

    Returns
    -------
    torch.Tensor
        Items in the order in which they were first met, int64, axes ``(..., walks, items)``, and -1 where no new one
        was met.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.

    References
    ----------
    Naim et al. 2020.
    """
    sizes: dict[str, int] = {}
    require_tensor("similarity", similarity, "... items items", sizes=sizes)
    items = require_integer("similarity.shape[-1]", sizes["items"], at_least=3)
    leading = similarity.shape[:-2]
    if starts is None:
        starts = torch.arange(items, device=similarity.device).expand(*leading, items)
    _require_order(starts, "starts")
    if starts.shape[:-1] != leading or starts.device != similarity.device or starts.shape[-1] == 0:
        expected = f"axes {(*tuple(leading), 'walks')} on {similarity.device}"
        raise ArgumentError("starts", expected, f"{described(starts)} on {starts.device}")
    if starts.min() < 0 or starts.max() >= items:
        raise ArgumentError("starts", f"items 0 to {items - 1}", f"{starts.min()} to {starts.max()}")
    require_room(walks=starts.numel(), items=items)
    rows = similarity.reshape(-1, items, items)
    each = 3 * items * items * similarity.element_size() + 12 * items * starts.shape[-1]
    found = [
        _walk(rows[some], starts.reshape(len(rows), -1)[some])
        for some in pieces.slices(len(rows), pieces.fitting(each))
    ]
    return torch.cat(found).reshape(*leading, starts.shape[-1], items)


@torch.no_grad()
def _walk(rows: torch.Tensor, starts: torch.Tensor) -> torch.Tensor:
    """The walks on as many matrices as fit, axes ``(matrices, walks, items)``."""
    matrices, items = rows.shape[:2]
    near = rows.masked_fill(torch.eye(items, dtype=torch.bool, device=rows.device), -torch.inf).topk(2).indices
    walks = starts.shape[1]
    near = near.flatten(1)
    row = torch.arange(matrices, device=rows.device).repeat_interleave(walks)
    here = starts.flatten().clone()
    left = torch.full_like(here, -1)
    every = torch.arange(len(here), device=rows.device)
    order = torch.full((len(here), items), -1, dtype=torch.int64, device=rows.device)
    order[:, 0] = here
    count = torch.ones_like(here)
    met = torch.zeros(len(here), items, dtype=torch.bool, device=rows.device)
    met[every, here] = True
    # Out of an item lead at most two transitions: to the most similar one, or to the next if that was just left.
    made = torch.zeros(len(here), items, 2, dtype=torch.bool, device=rows.device)
    going = every
    while len(going):
        now = here[going]
        second = (near[row[going], 2 * now] == left[going]).long()
        after = near[row[going], 2 * now + second]
        fresh = ~made[going, now, second]
        going, now, second, after = going[fresh], now[fresh], second[fresh], after[fresh]
        made[going, now, second] = True
        new = ~met[going, after]
        who, what = going[new], after[new]
        order[who, count[who]] = what
        count[who] += 1
        met[who, what] = True
        left[going], here[going] = now, after
    return order.reshape(matrices, walks, items)


def walk_in_time(
    length: int,
    lists: int,
    *,
    strength: float,
    kept: float,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    r"""Walks on random similarities to which one of times is added, one list each, from a random item.

    .. math:: A_{ij} = z_{ij} + \varepsilon \rho^{|i-j|}

    Parameters
    ----------
    length
        Number of items L of a list, 3 or more.
    lists
        Number of lists.
    strength
        Weight :math:`\varepsilon` of the similarity of times, 0 or more. The random ones z are normal and mutual.
    kept
        What is left of the similarity of times from one item to the next, :math:`\rho` in [0, 1].
    generator
        Source of randomness.
    device
        Where tensors live; draws are made on the CPU.

    Returns
    -------
    torch.Tensor
        Positions 0, 1, ... in the order in which they were first met, int64, axes ``(lists, items)``, then -1.

    Raises
    ------
    ArgumentError
        If a number is out of range or memory would not hold one matrix.
    """
    require_count("length", length, at_least=3)
    require_count("lists", lists)
    require_number("strength", strength, at_least=0.0, at_most=1e6)
    require_number("kept", kept, at_least=0.0, at_most=1.0)
    require_generator("generator", generator)
    target = require_device("device", device)
    require_room(length=length, items=4 * length)
    require_room(lists=lists, length=length)
    place = torch.arange(length, dtype=torch.float64, device="cpu")
    times = strength * kept ** (place[:, None] - place).abs()
    found = torch.empty(lists, length, dtype=torch.int64, device=target)
    for some in pieces.slices(lists, pieces.fitting(40 * length * length)):
        shape = some.stop - some.start, length, length
        half = torch.randn(shape, dtype=torch.float64, generator=generator, device="cpu").triu_(1)
        starts = torch.randint(length, (shape[0], 1), generator=generator, device="cpu").to(target)
        found[some] = walk((half + half.mT + times).to(target), starts)[:, 0]
    return found


def walk_lengths(
    count: int,
    lists: int,
    *,
    mutual: bool = True,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """How many items walks on random similarities recall, one matrix each, none of which is made.

    Parameters
    ----------
    count
        Number of items M, 3 or more; a million is no trouble.
    lists
        Number of independent matrices, one walk on each.
    mutual
        Whether the matrices are symmetric; otherwise each of their entries is drawn by itself.
    generator
        Source of randomness.
    device
        Where tensors live; draws are made on the CPU.

    Returns
    -------
    torch.Tensor
        Numbers of different items, int64, axes ``(lists)``.

    Raises
    ------
    ArgumentError
        If a number is out of range or memory would not hold one list.

    Notes
    -----
    The module says how. A mutual list of a thousand items or more takes some :math:`25 R^2/2M` draws, 60 on average,
    for pairs of items met, others one or two an item. That entries beyond 25 / M play no part is wrong less than
    once in :math:`10^7` walks.
    """
    require_count("count", count, at_least=3)
    require_count("lists", lists)
    require_generator("generator", generator)
    target = require_device("device", device)
    # Nobody walks on over six standard deviations; the room grows where somebody does.
    typical = min(count, int(4 * law(count)) + 16)
    require_room(lists=lists, count=1)
    require_room(count=typical, rows=16)
    kind = _Mutual if mutual else _OneSided
    return torch.cat(
        [
            kind(count, part.stop - part.start, generator, target).walk()
            for part in pieces.slices(lists, pieces.fitting(64 * typical))
        ]
    )


class _Frontier:
    """What many walks have learned of their matrices. Items have the numbers 0, 1, ... in the order of being met."""

    TABLES: tuple[str, ...] = ()
    """Attributes with axes (lists, items met and room for more), -1 or infinite where nothing is known."""

    def __init__(self, items: int, lists: int, generator: torch.Generator, device: torch.device) -> None:
        self.items, self.generator, self.device = items, generator, device
        self.lists = torch.arange(lists, device=device)
        self.alive = torch.ones(lists, dtype=torch.bool, device=device)
        self.lengths = torch.ones(lists, dtype=torch.int64, device=device)
        self.count = self.lengths.clone()
        self.here = torch.zeros_like(self.count)
        self.left = torch.full_like(self.count, -1)

    @torch.no_grad()
    def walk(self) -> torch.Tensor:
        """Walk until every list has repeated a transition; numbers of items met."""
        while len(self.lists):
            self._step()
            self.lengths[self.lists[self.alive]] = self.count[self.alive]
            # Lists that have ended go round in their circles until it pays to move the others together.
            if self.alive.sum() < 0.8 * len(self.alive):
                self._keep(self.alive)
        return self.lengths

    def _step(self) -> None:
        raise NotImplementedError

    def _uniform(self, *shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
        return torch.rand(shape, dtype=dtype, generator=self.generator, device="cpu").to(self.device)

    def _widen(self) -> None:
        """Room for one more item in each list."""
        if int(self.count.max()) < getattr(self, self.TABLES[0]).shape[1]:
            return
        for name in self.TABLES:
            table = getattr(self, name)
            blank = torch.inf if table.is_floating_point() else -1
            setattr(self, name, torch.cat([table, torch.full_like(table, blank)], dim=1))

    def _keep(self, going: torch.Tensor) -> None:
        width = max(16, int(self.count[going].max()) + 1) if going.any() else 16
        for name in ("lists", "alive", "count", "here", "left"):
            setattr(self, name, getattr(self, name)[going])
        for name in self.TABLES:
            setattr(self, name, getattr(self, name)[going, :width])


class _OneSided(_Frontier):
    """Every row has two nearest items, any two, and nothing else of it counts: drawn when they are asked for."""

    TABLES = ("first", "second", "made")

    def __init__(self, items: int, lists: int, generator: torch.Generator, device: torch.device) -> None:
        super().__init__(items, lists, generator, device)
        # `made` is -1 before the walk has left an item, then 0, 1 or 2: to the first, to the second, to both.
        self.first, self.second, self.made = (torch.full((lists, 16), -1, device=device) for _ in range(3))

    def _step(self) -> None:
        self._widen()
        every = torch.arange(len(self.lists), device=self.device)
        here, left, first = self.here, self.left, self.first[every, self.here]
        # Items not met yet are alike: whichever is drawn gets the next number.
        drawn = (self._uniform(len(every)) * (self.items - 1)).long()
        first = torch.where(first < 0, torch.minimum(drawn + (drawn >= here), self.count), first)
        self.first[every, here] = first
        barred, target = first == left, first.clone()
        who = every[barred]
        if len(who):
            # Any item but this one and the first.
            low, high = torch.minimum(here, first)[who], torch.maximum(here, first)[who]
            drawn = (self._uniform(len(who)) * (self.items - 2)).long()
            drawn += drawn >= low
            drawn += drawn >= high
            second = self.second[who, here[who]]
            second = torch.where(second < 0, torch.minimum(drawn, self.count[who]), second)
            self.second[who, here[who]] = target[who] = second
        made = self.made[every, here]
        self.alive &= (made < 0) | ((made != 2) & (made != barred))
        self.made[every, here] = torch.where((made < 0) | (made == barred), barred.long(), 2)
        self.count = self.count + (target == self.count)
        self.left, self.here = here, target


class _Mutual(_Frontier):
    """Of each item met, its two nearest among those met, and a bound, beyond which all items not met yet are.

    The bound is infinite where an item is not met itself.
    """

    TABLES = ("bound", "near", "next", "nearest", "second", "once", "twice")

    def __init__(
        self, items: int, lists: int, generator: torch.Generator, device: torch.device, reach: float | None = None
    ) -> None:
        super().__init__(items, lists, generator, device)
        # Draws have a resolution of 2^-24 or 2^-53, and what is compared is as small as 1 / M.
        self.dtype = torch.float32 if items <= 2**15 else torch.float64
        # The nearest of the items not met is within reach, but with a probability of e^-25 or little more. What is
        # beyond it need not be known. A short list may run out of items.
        self.reach = reach or (25 / items if items >= 1000 else math.inf)
        shape = lists, 16
        self.bound, self.near, self.next = (
            torch.full(shape, torch.inf, dtype=self.dtype, device=device) for _ in range(3)
        )
        self.bound[:, 0] = 0.0
        # Who is nearest and next, and where the walk has gone from each item, once or twice.
        self.nearest, self.second, self.once, self.twice = (torch.full(shape, -1, device=device) for _ in range(4))

    def _step(self) -> None:
        at = torch.arange(len(self.lists), device=self.device) * self.bound.shape[1] + self.here
        near, next_, nearest, second, bound, once, twice = (
            getattr(self, name).view(-1).index_select(0, at)
            for name in ("near", "next", "nearest", "second", "bound", "once", "twice")
        )
        # The nearest of the items met, except the one just left, against the nearest of all others.
        barred = nearest == self.left
        known, target = torch.where(barred, next_, near), torch.where(barred, second, nearest)
        others = (self.items - self.count).to(self.dtype)
        beyond = bound - torch.log1p(-self._uniform(len(at), dtype=self.dtype)) / others
        new = beyond < known
        target = torch.where(new, self.count, target)
        self.alive &= (once != target) & (twice != target)
        for name, value in (
            ("bound", torch.maximum(bound, torch.minimum(beyond, known))),
            ("once", torch.where(once < 0, target, once)),
            ("twice", torch.where((once >= 0) & (once != target), target, twice)),
        ):
            getattr(self, name).view(-1).scatter_(0, at, value)
        who = new.nonzero()[:, 0]
        if len(who):
            self._meet(who, beyond[who])
        self.left, self.here = self.here, target

    def _meet(self, who: torch.Tensor, distance: torch.Tensor) -> None:
        """Draw the distances within reach of a new item in some lists from all items that they have met."""
        new, here = self.count[who], self.here[who]
        self._widen()
        near, next_, nearest, second, bound = (
            getattr(self, name).view(-1) for name in ("near", "next", "nearest", "second", "bound")
        )
        first = who * self.bound.shape[1]
        row, item, entry = self._entries(first, new)
        # That from the present item is known, and it is why the new one is met.
        entry = entry.masked_fill_(item == here[row], torch.inf)
        row = torch.cat([row, torch.arange(len(who), device=self.device)])
        item, entry = torch.cat([item, here]), torch.cat([entry, distance])
        # Few entries are among the two nearest of an older item.
        where = first[row] + item
        few = (entry < next_[where]).nonzero()[:, 0]
        value, number, where = entry[few], new[row[few]], where[few]
        least, who_least = near[where], nearest[where]
        nearer = value < least
        next_.scatter_(0, where, torch.where(nearer, least, value))
        second.scatter_(0, where, torch.where(nearer, who_least, number))
        near.scatter_(0, where, torch.where(nearer, value, least))
        nearest.scatter_(0, where, torch.where(nearer, number, who_least))
        # The least two of the new item's own.
        mine = first + new
        bound[mine] = 0.0
        for values, items in ((near, nearest), (next_, second)):
            least = torch.full_like(distance, torch.inf).scatter_reduce_(0, row, entry, "amin")
            values[mine] = least
            found = ((entry == least[row]) & (entry < torch.inf)).nonzero()[:, 0]
            items[mine[row[found]]] = item[found]
            entry[found] = torch.inf
        self.count[who] += 1

    def _entries(self, first: torch.Tensor, new: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Which entries are within reach: new items, older items, and the distances between them."""
        ends = new.cumsum(0)
        within = -math.expm1(-self.reach)
        places = _coins(int(ends[-1]), within, self.generator).to(self.device)
        row = torch.searchsorted(ends, places, right=True)
        item = places - (ends - new)[row]
        excess = -torch.log1p(-within * self._uniform(len(places), dtype=self.dtype))
        return row, item, self.bound.view(-1)[first[row] + item] + excess


def _coins(total: int, share: float, generator: torch.Generator) -> torch.Tensor:
    """Which of so many independent coins show heads, from the gaps between them."""
    if share == 1:
        return torch.arange(total, device="cpu")
    expected = total * share
    # So many gaps pass the end but once in 10^15 draws.
    most = int(expected + 8 * math.sqrt(expected * (1 - share)) + 16)
    gaps = torch.empty(most, dtype=torch.float64, device="cpu").geometric_(share, generator=generator)
    places = gaps.cumsum(0).long() - 1
    return places[places < total]


def sparse_overlaps(count: int, units: int, share: float, *, sets: int = 1, generator: torch.Generator) -> torch.Tensor:
    r"""Overlaps :math:`\sum_i x_i^\mu x_i^\nu` of random codes of zeros and ones, each unit active by itself.

    Parameters
    ----------
    count
        Number of items in a set.
    units
        Number of units N.
    share
        Probability f that a unit is active, in (0, 0.5].
    sets
        Number of independent sets.
    generator
        Source of randomness.

    Returns
    -------
    torch.Tensor
        Whole numbers, float64, axes ``(sets, items, items)``; the diagonal holds the numbers of active units.

    Raises
    ------
    ArgumentError
        If a number is out of range or memory would not hold the result.

    Notes
    -----
    Only active units are drawn, by the gaps between them, and only pairs that are active together are counted.
    """
    require_count("count", count)
    require_count("units", units)
    require_number("share", share, above=0.0, at_most=0.5)
    require_count("sets", sets)
    require_generator("generator", generator)
    require_room(sets=sets, count=count, items=count)
    require_room(count=count, units=units)
    found = torch.empty(sets, count, count, dtype=torch.float64, device="cpu")
    for overlaps in found:
        places = _coins(count * units, share, generator).numpy()
        ends = np.searchsorted(places, units * np.arange(count + 1))
        codes = sparse.csr_array((np.ones(len(places), np.float32), places % units, ends), shape=(count, units))
        overlaps.copy_(torch.from_numpy((codes @ codes.T).toarray()))
    return found


def centred_cosines(gram: torch.Tensor) -> torch.Tensor:
    """Cosines of vectors less their mean, from the products of the vectors themselves.

    Parameters
    ----------
    gram
        Products of all pairs of vectors, symmetric, axes ``(..., items, items)``.

    Returns
    -------
    torch.Tensor
        Same axes, in [-1, 1] up to rounding; 0 for a vector that is the mean.

    Raises
    ------
    ArgumentError
        If the axes do not fit, or products are beyond the dtype.
    """
    require_tensor("gram", gram, "... items items", sizes={})
    scale = gram.abs().amax(dim=(-2, -1), keepdim=True)
    scaled = wide(gram / torch.where(scale > 0, scale, 1.0))
    mean = scaled.mean(dim=-1, keepdim=True)
    inner = scaled.sub_(mean).sub_(mean.mT).add_(mean.mean(dim=-2, keepdim=True))
    length = inner.diagonal(dim1=-2, dim2=-1).clamp(min=0).sqrt()
    # What rounding leaves of a vector that is the mean is no direction.
    length = torch.where(length > 4 * torch.finfo(length.dtype).eps ** 0.5, length, torch.inf)
    return require_fit("gram", inner.div_(length[..., None]).div_(length[..., None, :]).to(gram.dtype))


def untied(overlaps: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
    """Whole numbers plus a mutual random part below one half, so that of equals any may come first.

    Parameters
    ----------
    overlaps
        Whole numbers, floating, axes ``(..., items, items)``.
    generator
        Source of randomness.

    Returns
    -------
    torch.Tensor
        float64, same axes; symmetric where ``overlaps`` are.

    Raises
    ------
    ArgumentError
        If the axes do not fit or a number is not whole or beyond 2**40.
    """
    require_tensor("overlaps", overlaps, "... items items", sizes={})
    require_generator("generator", generator)
    if (overlaps != overlaps.round()).any() or (overlaps.abs() > 2**40).any():
        raise ArgumentError("overlaps", "whole numbers up to 2**40", "others", "Real similarities have no ties.")
    part = torch.rand(overlaps.shape, dtype=torch.float64, generator=generator, device="cpu").to(overlaps.device) / 4
    # Bracketed, so that both sides of the diagonal round alike.
    return overlaps.double() + (part + part.mT)


# Orders of recall


@dataclass(frozen=True)
class Lags:
    """Transitions by lag, from -(L-1) to L-1, of every list.

    Attributes
    ----------
    actual
        Transitions made, int64, axes ``(..., lags)``.
    possible
        Transitions that would have been possible, same axes.
    """

    actual: torch.Tensor
    possible: torch.Tensor

    @property
    def crp(self) -> torch.Tensor:
        """Conditional response probability: actual over possible of all lists together; 0 where none was possible."""
        actual, possible = (part.reshape(-1, part.shape[-1]).sum(dim=0) for part in (self.actual, self.possible))
        return actual / possible.clamp(min=1)


def lag_counts(order: torch.Tensor, length: int) -> Lags:
    """How far apart in the list two items are that are recalled one after the other, and how far they could have been.

    Parameters
    ----------
    order
        Positions 0, 1, ... in the order of recall, int64, axes ``(..., places)``; negative for what is not of the list
        and after the end.
    length
        Length L of the lists, 2 or more.

    Returns
    -------
    Lags
        On the device of ``order``. A transition counts where both items are of the list and recalled for the first
        time; possible are all items that were not recalled before.

    Raises
    ------
    ArgumentError
        If a position is beyond the list.

    References
    ----------
    Kahana 1996; what counts is as in psifr (Morton 2020).
    """
    _require_order(order)
    require_count("length", length, at_least=2)
    require_room(lists=max(1, order[..., 0].numel()), length=2 * length)
    _require_within(order, length)
    leading, places = order.shape[:-1], order.shape[-1]
    flat = order.reshape(-1, places)
    lags = 2 * length - 1
    actual = torch.zeros(len(flat), lags, dtype=torch.int64, device=order.device)
    possible = torch.zeros_like(actual)
    for some in pieces.slices(len(flat), pieces.fitting(24 * places * length)):
        made, available, start, end = _transitions(flat[some], length)
        ones = made.long()
        actual[some].scatter_add_(1, (end - start + length - 1).clamp(min=0), ones)
        lag = torch.arange(length, device=order.device) - start[..., None] + length - 1
        could = (available & made[..., None]).long()
        possible[some].scatter_add_(1, lag.flatten(1), could.flatten(1))
    return Lags(actual.reshape(*leading, lags), possible.reshape(*leading, lags))


def uneven(order: torch.Tensor, length: int) -> float:
    r"""Probability of first transitions as uneven in lag, or more so, if each available item were equally likely.

    With counts :math:`n_l`, what is expected of them and their covariance, both summed over the transitions,
    :math:`(n - \bar n)^T C^+ (n - \bar n)` has a chi-square distribution with the rank of C as degrees of freedom.

    Parameters
    ----------
    order
        Positions 0, 1, ... in the order of recall, int64, axes ``(lists, places)``, as for :func:`lag_counts`; only
        the first two places are looked at.
    length
        Length L of the lists, 3 to 1024.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ArgumentError
        If no list has a first transition, or a position is beyond the list.
    """
    _require_order(order)
    require_integer("length", length, at_least=3, at_most=1024)
    _require_within(order, length)
    if order.dim() != 2 or order.shape[1] < 2:
        raise ArgumentError("order", "axes (lists, places), two places or more", f"shape {tuple(order.shape)}")
    start, end = order[:, 0], order[:, 1]
    both = (start >= 0) & (end >= 0) & (start != end)
    if not both.any():
        raise ArgumentError("order", "a first transition in at least one list", "none")
    start, end = start[both].cpu(), end[both].cpu()
    lags = 2 * length - 1
    counts = torch.bincount(end - start + length - 1, minlength=lags).double()
    from_ = torch.bincount(start, minlength=length).double()
    # From position i every other of the list has the chance 1 / (L - 1): lags -i to L-1-i but 0.
    lag = torch.arange(lags, device="cpu") - length + 1
    reached = torch.arange(length, device="cpu")[:, None] + lag
    chance = ((reached >= 0) & (reached < length) & (lag != 0)).double() / (length - 1)
    expected = from_ @ chance
    covariance = torch.diag(expected) - (chance.T * from_) @ chance
    inverse = torch.linalg.pinv(covariance, hermitian=True, rtol=1e-10)
    rank = int(torch.linalg.matrix_rank(covariance, hermitian=True, rtol=1e-10))
    away = counts - expected
    return float(stats.chi2.sf(float(away @ inverse @ away), max(rank, 1)))


def ratio_of_means(over: npt.ArrayLike, under: npt.ArrayLike, *, resamples: int, rng: np.random.Generator) -> Estimate:
    """Mean of one number over people over the mean of another, with a 95 % interval from drawing people again.

    Parameters
    ----------
    over, under
        Two finite numbers of each person, axes ``(people)``, two people or more.
    resamples
        How often as many people are drawn with replacement.
    rng
        Source of randomness.

    Returns
    -------
    Estimate
        The middle 95 % of all redrawn ratios is the interval; it always holds the value.

    Raises
    ------
    ArgumentError
        If the numbers do not go together, or a mean of ``under`` is not positive.
    """
    top, bottom = require_numbers("over", over), require_numbers("under", under)
    for name, values in (("over", top), ("under", bottom)):
        if values.ndim != 1 or values.shape != top.shape or len(values) < 2 or not (np.abs(values) < 1e100).all():
            raise ArgumentError(name, "finite numbers of two people or more, one each", f"shape {values.shape}")
    require_count("resamples", resamples, at_least=40)
    require_rng("rng", rng)
    require_room(resamples=resamples, people=len(top))
    if not (bottom > 1e-100).all():
        raise ArgumentError("under", "positive numbers", "others")
    drawn = rng.integers(len(top), size=(resamples, len(top)))
    ratios = top[drawn].mean(axis=1) / bottom[drawn].mean(axis=1)
    return bootstrapped(float(top.mean() / bottom.mean()), ratios, len(top))


def _transitions(order: torch.Tensor, length: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Which transitions count, what was available, from where, to where: ``(lists, places-1)`` and one more axis."""
    first = _first_time(order)
    known = order.clamp(min=0)
    once = torch.nn.functional.one_hot(known, length).bool() & (order >= 0)[..., None]
    met = once.cumsum(dim=1).bool()[:, :-1]
    return first[:, :-1] & first[:, 1:], ~met, known[:, :-1], known[:, 1:]


def _first_time(order: torch.Tensor) -> torch.Tensor:
    """Whether what stands in a place is of the list and stands in no place before."""
    sorted_, where = order.sort(dim=-1, stable=True)
    again = torch.zeros_like(order, dtype=torch.bool)
    again[..., 1:] = sorted_[..., 1:] == sorted_[..., :-1]
    return ~torch.zeros_like(again).scatter(-1, where, again) & (order >= 0)


def _require_order(order: torch.Tensor, name: str = "order") -> None:
    if not isinstance(order, torch.Tensor) or order.dtype != torch.int64 or order.dim() == 0 or order.numel() == 0:
        expected = "a non-empty int64 tensor with axes (..., places)"
        raise ArgumentError(name, expected, described(order), "Convert it with .long().")


def _require_within(order: torch.Tensor, length: int) -> None:
    if order.max() >= length:
        raise ArgumentError("order", f"positions up to {length - 1}", str(int(order.max())))
