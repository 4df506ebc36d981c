r"""Conversion of resources: distributions, majorisation, rates, and what entropies allow.

A resource is a probability distribution a, and its worth is how much it is spread out. It *converts* into b if b
*majorises* it: for every j the j largest probabilities of b add up to at least as much as those of a. So uniform ones
convert into everything that is no larger, and sharp ones into nothing. k copies of a are the distribution of k
independent draws. The *rate* from a to b is the largest n/k such that k copies of a convert into n copies of b.

Entropies of every order add up over copies and do not grow in a conversion. So k copies of a give at most as many
copies of b as every entropy allows. All probabilities are fractions, and nothing is rounded.
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from memscape.arguments import ArgumentError, require_choice, require_integer, require_sequence

__all__ = ["MEASURES", "allowed", "converts", "copies", "distributions", "entropy_key", "least", "yields"]

MEASURES = ("support", "shannon", "squares", "cubes", "largest")
"""Entropies of the orders 0, 1, 2, 3 and infinity, in a form that is compared in whole numbers."""

MOST_COPIES = 100

Distribution = tuple[Fraction, ...]


def distributions(denominator: int) -> list[Distribution]:
    """All distributions whose probabilities have a common denominator of at most ``denominator``.

    Parameters
    ----------
    denominator
        1 to 12.

    Returns
    -------
    list of tuple of Fraction
        Each without zeros and falling, the sure event first.

    Raises
    ------
    ArgumentError
        If ``denominator`` is no such number.
    """
    require_integer("denominator", denominator, at_least=1, at_most=12)
    found = {
        tuple(Fraction(part, d) for part in parts) for d in range(1, denominator + 1) for parts in _partitions(d, d)
    }
    return sorted(found, key=lambda p: (len(p), p))


def copies(distribution: Sequence[Fraction], count: int) -> list[tuple[Fraction, int]]:
    """Independent draws together: probabilities from the largest down, and how many outcomes have each.

    Parameters
    ----------
    distribution
        Fractions above 0 that add up to 1, at most 12.
    count
        Number of draws k, 0 to 100.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or there are more than a million kinds of outcome.
    """
    own = _require_distribution("distribution", distribution)
    require_integer("count", count, at_least=0, at_most=MOST_COPIES)
    kinds = Counter(own)
    if math.comb(count + len(kinds) - 1, len(kinds) - 1) > 10**6:
        raise ArgumentError("count", "at most a million kinds of outcome", f"{count} copies, {len(kinds)} values")
    found: Counter[Fraction] = Counter()
    for split in _splits(count, len(kinds)):
        value, ways = Fraction(1), math.factorial(count)
        for (probability, times), k in zip(kinds.items(), split, strict=True):
            value *= probability**k
            ways = ways // math.factorial(k) * times**k
        found[value] += ways
    return sorted(found.items(), reverse=True)


def converts(first: Sequence[Fraction], second: Sequence[Fraction], spent: int = 1, gained: int = 1) -> bool:
    """Whether ``spent`` copies of one distribution convert into ``gained`` copies of another.

    Parameters
    ----------
    first, second
        Fractions above 0 that add up to 1, at most 12.
    spent, gained
        Numbers of copies k and n, 0 to 100.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or there are more than a million kinds of outcome.
    """
    one, other = _require_distribution("first", first), _require_distribution("second", second)
    require_integer("spent", spent, at_least=0, at_most=MOST_COPIES)
    require_integer("gained", gained, at_least=0, at_most=MOST_COPIES)
    return _majorised(_whole(copies(one, spent)), _whole(copies(other, gained)))


def allowed(
    first: Sequence[Fraction], second: Sequence[Fraction], spent: int, measure: str, *, most: int = MOST_COPIES
) -> int:
    """Most copies of one distribution that an entropy allows to be had from copies of another.

    Parameters
    ----------
    first, second
        Fractions above 0 that add up to 1, at most 12; the second is not the sure event.
    spent
        Number of copies k of the first, 0 to 100.
    measure
        One of `MEASURES`.
    most
        Where to stop, 1 to 100.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    one, other = _require_distribution("first", first), _require_distribution("second", second)
    if len(other) == 1:
        raise ArgumentError("second", "two outcomes or more", "the sure event, of which any number can be had")
    require_integer("spent", spent, at_least=0, at_most=MOST_COPIES)
    require_choice("measure", measure, MEASURES)
    require_integer("most", most, at_least=1, at_most=MOST_COPIES)
    common = math.lcm(*(p.denominator for p in (*one, *other)))
    if measure == "shannon" and common > 27720:
        raise ArgumentError("measure", "'shannon' for common denominators up to 27720", f"{common}")
    of, per = (_purity(p, measure, common) for p in (one, other))
    budget, bought = of**spent, Fraction(1)
    for gained in range(most):
        bought *= per
        if budget > bought:
            return gained
    return most


def yields(first: Sequence[Fraction], second: Sequence[Fraction], spent: int, *, at_least: int = 0) -> int:
    """Most copies of one distribution that copies of another convert into, found from below.

    Parameters
    ----------
    first, second
        Fractions above 0 that add up to 1, at most 12; the second is not the sure event.
    spent
        Number of copies of the first, 0 to 100.
    at_least
        A number that is known to be had, where to begin.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or there are more than a million kinds of outcome.
    """
    one, other = _require_distribution("first", first), _require_distribution("second", second)
    if len(other) == 1:
        raise ArgumentError("second", "two outcomes or more", "the sure event, of which any number can be had")
    require_integer("spent", spent, at_least=0, at_most=MOST_COPIES)
    gained = require_integer("at_least", at_least, at_least=0, at_most=MOST_COPIES)
    source = _whole(copies(one, spent))
    while gained < MOST_COPIES and _majorised(source, _whole(copies(other, gained + 1))):
        gained += 1
    return gained


def entropy_key(distribution: Sequence[Fraction]) -> Fraction:
    """exp(-27720 H) with H Shannon's entropy, which is a fraction: smaller is more entropy.

    27720 is a multiple of all denominators up to 12, so that equal entropies have equal keys.

    Parameters
    ----------
    distribution
        Fractions above 0 that add up to 1, with a common denominator of at most 12.

    Raises
    ------
    ArgumentError
        If the distribution is none of these.
    """
    own = _require_distribution("distribution", distribution)
    if math.lcm(*(p.denominator for p in own)) > 12:
        raise ArgumentError("distribution", "a common denominator of at most 12", f"{own}"[:80])
    return math.prod((p ** int(27720 * p) for p in own), start=Fraction(1))


def least(among: Sequence[Sequence[Fraction]], chosen: Sequence[int]) -> list[int]:
    """Those of the chosen distributions into which all chosen ones convert; there may be none.

    Parameters
    ----------
    among
        Distributions, as `distributions` lists them.
    chosen
        Places in the list.

    Returns
    -------
    list of int
        Places.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    own = [_require_distribution("among", p) for p in require_sequence("among", among, "distributions")]
    places = [
        require_integer("chosen", place, at_least=0, at_most=len(own) - 1)
        for place in require_sequence("chosen", chosen, "places")
    ]
    return [place for place in places if all(converts(own[other], own[place]) for other in places)]


def _majorised(lower: list[tuple[int, int, int]], upper: list[tuple[int, int, int]]) -> bool:
    """Whether the j largest of ``upper`` add up to at least those of ``lower``, for every j.

    Both are lists of (numerator, common denominator, how many). Sums of the largest are concave in j, and straight
    where the probability stays the same; over a straight piece of ``lower`` the difference is concave, so it is enough
    to compare at the ends of these pieces.
    """
    below, above = lower[0][1], upper[0][1]
    step = iter(upper)
    value, _, left = next(step)
    low = high = 0
    for probability, _, many in lower:
        low += probability * many
        while many and left:
            taken = min(many, left)
            high += value * taken
            many -= taken
            left -= taken
            if not left:
                value, _, left = next(step, (0, above, 0))
        if high * below < low * above:
            return False
    return True


def _whole(outcomes: list[tuple[Fraction, int]]) -> list[tuple[int, int, int]]:
    common = math.lcm(*(p.denominator for p, _ in outcomes))
    return [(int(p * common), common, many) for p, many in outcomes]


def _purity(distribution: Distribution, measure: str, common: int) -> Fraction:
    """A number that multiplies over copies and does not fall in a conversion."""
    if measure == "support":
        return Fraction(1, len(distribution))
    if measure == "largest":
        return max(distribution)
    if measure == "shannon":  # exp(-common * entropy)
        return math.prod((p ** int(common * p) for p in distribution), start=Fraction(1))
    return sum((p ** (2 if measure == "squares" else 3) for p in distribution), Fraction(0))


def _partitions(total: int, largest: int) -> list[tuple[int, ...]]:
    if total == 0:
        return [()]
    return [(part, *rest) for part in range(min(total, largest), 0, -1) for rest in _partitions(total - part, part)]


def _splits(total: int, parts: int) -> Any:
    for bars in itertools.combinations(range(total + parts - 1), parts - 1):
        places = (-1, *bars, total + parts - 1)
        yield [b - a - 1 for a, b in itertools.pairwise(places)]


def _require_distribution(name: str, value: Any) -> Distribution:
    entries = require_sequence(name, value, "fractions")
    if not 1 <= len(entries) <= 12:
        raise ArgumentError(name, "1 to 12 probabilities", f"{len(entries)}")
    for entry in entries:
        if isinstance(entry, bool) or not isinstance(entry, int | Fraction) or not 0 < entry <= 1:
            raise ArgumentError(name, "fractions above 0 that add up to 1", f"{entry}"[:80])
        if Fraction(entry).denominator > 1000:
            raise ArgumentError(name, "denominators up to 1000", f"{entry}"[:80])
    if sum(entries) != 1:
        raise ArgumentError(name, "fractions above 0 that add up to 1", f"a sum of {sum(entries)}"[:80])
    return tuple(sorted((Fraction(entry) for entry in entries), reverse=True))
