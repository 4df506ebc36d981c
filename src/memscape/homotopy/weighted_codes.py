r"""Codes with probabilities, codes with weights, and the maps between them.

A code is a set of words of one length; its silent word is not listed. In a *weighted code* every word has a weight
:math:`\omega(c)`. A map to another one is a map f of words together with factors :math:`\lambda`, such that

.. math:: \omega(c) = \lambda(c)\, \omega'(f(c))

(Manin & Marcolli 2024, as transcribed by others). What a word at the other end receives is the *fibre sum*
:math:`\Lambda(c') = \sum_{f(c) = c'} \lambda(c)`, and the total weights are :math:`\sum_c \omega(c) =
\sum_{c'} \Lambda(c')\, \omega'(c')`. Factors are whole numbers over one unit, so that all is exact.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from memscape.arguments import (
    ArgumentError,
    described,
    require_choice,
    require_count,
    require_integer,
    require_integers,
    require_rng,
    require_sequence,
)
from memscape.homotopy.hopfield_category import RULES
from memscape.tools import pieces
from memscape.tools.subsets import unpack

__all__ = [
    "chain_rule",
    "composed",
    "direct_sum",
    "entropy",
    "fibre_sums",
    "firing",
    "glued",
    "glued_orbits",
    "maps",
    "parameters",
    "pulled_back",
    "random_code",
    "refined",
    "refined_laws",
]

Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_LARGEST = 2**31
"""Weights, factors and couplings stay below this, so that products of two fit in 63 bits."""


def parameters(code: Bools) -> tuple[int, int, int]:
    """Length, number of words and least distance of a code.

    Parameters
    ----------
    code
        Different words, axes ``(words, length)``, at least two, bool.

    Returns
    -------
    tuple of int
        The number of information bits is the logarithm to base 2 of the second.

    Raises
    ------
    ArgumentError
        If ``code`` is no such array, or two words are the same.
    """
    _require_code("code", code, at_least=2)
    apart = (code[:, None] != code[None]).sum(axis=-1)
    least = int(apart[np.triu_indices(len(code), 1)].min())
    if least == 0:
        raise ArgumentError("code", "different words", "two that are the same")
    return code.shape[1], len(code), least


def random_code(length: int, words: int, *, rng: np.random.Generator) -> Bools:
    """Different words, none of them silent, drawn uniformly.

    Parameters
    ----------
    length
        1 to 16.
    words
        1 to 2^length - 1.
    rng
        A numpy generator.

    Returns
    -------
    numpy.ndarray
        Axes ``(words, length)``, bool.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("length", length, at_least=1, at_most=16)
    require_integer("words", words, at_least=1, at_most=2**length - 1)
    drawn = require_rng("rng", rng).choice(2**length - 1, size=words, replace=False) + 1
    return unpack(drawn, length).astype(bool)


def direct_sum(first: Bools, second: Bools) -> Bools:
    """The code of all pairs of words, one after the other: axes ``(words * words', length + length')``, bool.

    Parameters
    ----------
    first, second
        Axes ``(words, length)``, bool.

    Raises
    ------
    ArgumentError
        If one of them is no code, or the sum is beyond the memory budget.
    """
    _require_code("first", first)
    _require_code("second", second)
    count = len(first) * len(second)
    if count > (most := pieces.fitting(first.shape[1] + second.shape[1])):
        raise ArgumentError("first", f"codes whose sum fits the memory budget, {most} words", f"{count}")
    return np.concatenate([np.repeat(first, len(second), axis=0), np.tile(second, (len(first), 1))], axis=1)


def glued(first: Bools, second: Bools) -> Bools:
    """Two codes of one length that share nothing but the silent word, which is not listed.

    Parameters
    ----------
    first, second
        Axes ``(words, length)``, bool, none of the words silent. A word of both is kept twice: as words of the sum the
        two are different.

    Returns
    -------
    numpy.ndarray
        Axes ``(words + words', length)``.

    Raises
    ------
    ArgumentError
        If one of them is no such code, or the lengths differ.
    """
    _require_loud("first", first)
    _require_loud("second", second)
    if first.shape[1] != second.shape[1]:
        raise ArgumentError("second", f"words of length {first.shape[1]}", f"length {second.shape[1]}")
    return np.concatenate([first, second])


def firing(code: Bools) -> Fraction:
    """The probability p that a place of a word drawn uniformly from a code, axes ``(words, length)``, is on.

    Raises
    ------
    ArgumentError
        If ``code`` is no such array of bool.
    """
    _require_code("code", code)
    return Fraction(int(code.sum()), code.size)


def refined(code: Bools) -> list[Fraction]:
    """The firing law on words: the share of places that are on over the number of words, and the rest for silence.

    Parameters
    ----------
    code
        Axes ``(words, length)``, bool, the silent word left out.

    Returns
    -------
    list of Fraction
        Silence first, then the words as listed; they add up to 1.

    Raises
    ------
    ArgumentError
        If ``code`` is no such array or a word is silent.
    """
    _require_loud("code", code)
    each = [Fraction(int(ones), code.size) for ones in code.sum(axis=1)]
    return [1 - sum(each, Fraction(0)), *each]


def refined_laws(codes: Bools) -> Floats:
    """:func:`refined` of many codes at once: axes ``(..., words, length)`` to ``(..., 1 + words)``, float64.

    Raises
    ------
    ArgumentError
        If ``codes`` is no such array of bool.
    """
    if not isinstance(codes, np.ndarray) or codes.dtype != bool or codes.ndim < 2 or codes.size == 0:
        raise ArgumentError("codes", "a numpy array of bool, axes (..., words, length)", described(codes))
    each = codes.mean(axis=-1) / codes.shape[-2]
    return np.concatenate([1 - each.sum(axis=-1, keepdims=True), each], axis=-1)


def entropy(law: npt.ArrayLike) -> Floats:
    """Shannon's entropy in natural units of laws along the last axis; 0 ln 0 is 0.

    Parameters
    ----------
    law
        Axes ``(..., outcomes)``, each not below 0, with sum 1 to 1e-9.

    Returns
    -------
    numpy.ndarray
        Axes ``(...)``.

    Raises
    ------
    ArgumentError
        If ``law`` is none of these.
    """
    p = _require_law("law", law)
    return np.asarray(-(p * np.log(np.where(p > 0, p, 1))).sum(axis=-1))


def chain_rule(law: npt.ArrayLike, labels: Integers) -> tuple[float, float]:
    r"""Both sides of :math:`S(P) = S(Q) + \sum_y Q(y)\, S(P \mid y)`, Q the law of the label y.

    Parameters
    ----------
    law
        P, axes ``(outcomes,)``.
    labels
        The label of each outcome, axes ``(outcomes,)``, integers from 0 to 10^6.

    Returns
    -------
    tuple of float
        The two sides, in natural units.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    p = _require_law("law", law)
    if p.ndim != 1:
        raise ArgumentError("law", "one law, axes (outcomes,)", f"shape {p.shape}")
    y = require_integers("labels", labels, (len(p),))
    if y.min() < 0 or y.max() > 10**6:
        raise ArgumentError("labels", "integers from 0 to 10**6", f"{y.min()} to {y.max()}")
    q = np.bincount(y, weights=p)
    inside = [float(q[each] * entropy(p[y == each] / q[each])) for each in np.flatnonzero(q)]
    return float(entropy(p)), float(entropy(q / q.sum())) + math.fsum(inside)


def maps(source: int, target: int, factors: tuple[int, ...]) -> tuple[Integers, Integers]:
    """All maps of words with all factors.

    Parameters
    ----------
    source, target
        Numbers of words besides silence, at least 1.
    factors
        The factors, positive whole numbers of some unit.

    Returns
    -------
    tuple of numpy.ndarray
        The image of each word, and its factor: axes ``(maps, source)`` both, int64.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or the list is beyond the memory budget.
    """
    require_integer("source", source, at_least=1, at_most=64)
    require_integer("target", target, at_least=1, at_most=64)
    _require_factors(factors)
    count = (target * len(factors)) ** source
    if count > (most := pieces.fitting(16 * source)):
        raise ArgumentError("source", f"maps that fit the memory budget, {most}", f"{count}", "Take fewer words.")
    images = _lists(range(target), source)
    multiples = _lists(factors, source)
    return np.repeat(images, len(multiples), axis=0), np.tile(multiples, (len(images), 1))


def fibre_sums(images: Integers, multiples: Integers, target: int) -> Integers:
    r"""The sum :math:`\Lambda` of the factors of the words that meet in one word, in units of the factors.

    Parameters
    ----------
    images, multiples
        Axes ``(..., source)``, as from :func:`maps`.
    target
        Number of words at the other end.

    Returns
    -------
    numpy.ndarray
        Axes ``(..., target)``, int64.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("target", target, at_least=1, at_most=2**16)
    f, m = _require_maps(images, multiples, target)
    sums: Integers = ((f[..., None] == np.arange(target)) * m[..., None]).sum(axis=-2)
    return sums


def pulled_back(images: Integers, multiples: Integers, weights: Integers) -> Integers:
    """The weights at the source, in units of the factors: each map with each weighting of the target.

    Parameters
    ----------
    images, multiples
        Axes ``(maps, source)``, as from :func:`maps`.
    weights
        Axes ``(weightings, target)``, integers below 2^31 in absolute value.

    Returns
    -------
    numpy.ndarray
        Axes ``(maps, weightings, source)``, int64.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    w = require_integers("weights", weights, (None, None))
    _require_small("weights", w)
    f, m = _require_maps(images, multiples, w.shape[1])
    if f.ndim != 2:
        raise ArgumentError("images", "axes (maps, source)", f"shape {f.shape}")
    return w[:, f].transpose(1, 0, 2) * m[:, None]


def composed(images: Integers, multiples: Integers, onto: Integers, scales: Integers) -> tuple[Integers, Integers]:
    """Every map followed by every other one.

    Parameters
    ----------
    images, multiples
        The first maps, axes ``(maps, source)``.
    onto, scales
        The second maps, axes ``(others, middle)``.

    Returns
    -------
    tuple of numpy.ndarray
        Images and factors of the composites, axes ``(maps, others, source)``; the unit of the factors is the product
        of both units.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    g = require_integers("onto", onto, (None, None))
    s = require_integers("scales", scales, g.shape)
    if g.min() < 0:
        raise ArgumentError("onto", "integers from 0", f"{g.min()}")
    _require_small("scales", s)
    f, m = _require_maps(images, multiples, g.shape[1])
    if f.ndim != 2:
        raise ArgumentError("images", "axes (maps, source)", f"shape {f.shape}")
    return g[:, f].transpose(1, 0, 2), s[:, f].transpose(1, 0, 2) * m[:, None]


def glued_orbits(
    rule: str, couplings: Integers, inputs: Integers, starts: Integers, *, steps: int
) -> tuple[Integers, Bools]:
    r"""Weighted codes on the edges of networks, with sums that glue codes together and rescale their weights.

    On every edge lies a pair of positive codes, each a list of weights; the *total* of an edge is the weight of the
    first less that of the second. A coupling t multiplies all weights by \|t\| and swaps the two codes if t is
    negative. A sum lists all words one after the other; the threshold keeps a pair whose total is not negative, and
    replaces any other by empty codes. Nothing is ever added up before the end.

    Parameters
    ----------
    rule
        ``"adding"``, equation (6.5), or ``"replacing"``, equation (6.8).
    couplings
        Axes ``(networks, edges, edges)``, integers.
    inputs, starts
        Axes ``(networks, edges, 2, words)``, weights, not negative; 0 stands for no word.
    steps
        Number of steps, at least 1. The lists grow by a factor of the number of edges, and by one more with
        ``"adding"``, in every step.

    Returns
    -------
    tuple of numpy.ndarray
        Totals, axes ``(1 + steps, networks, edges)``, int64; and whether the threshold cut something in some step, axes
        ``(networks,)``, bool.

    Raises
    ------
    ArgumentError
        If an argument is none of these, the lists do not fit the memory budget for a single network, or weights could
        pass 2^62.
    """
    require_choice("rule", rule, RULES)
    require_count("steps", steps)
    t = require_integers("couplings", couplings, (None, None, None))
    n, edges = t.shape[:2]
    t = require_integers("couplings", couplings, (None, edges, edges))
    b, x = (
        require_integers(name, value, (n, edges, 2, None)) for name, value in (("inputs", inputs), ("starts", starts))
    )
    for name, value in (("couplings", t), ("inputs", b), ("starts", x)):
        _require_small(name, value)
        if name != "couplings" and value.min() < 0:
            raise ArgumentError(name, "weights that are not negative", f"{value.min()}")
    words, total = x.shape[-1], float(x.sum(axis=(1, 2, 3)).max())
    grow = float(np.abs(t).sum(axis=(1, 2)).max()) + (rule == "adding")
    most = pieces.fitting(16 * edges)
    for _ in range(steps):
        words = edges * words + b.shape[-1] + words * (rule == "adding")
        total = grow * total + float(b.sum(axis=(1, 2, 3)).max())
        if words > most:
            raise ArgumentError("steps", f"fewer steps, lists of {most} words", f"{words} words", "Take fewer steps.")
    if total >= 2**62:
        raise ArgumentError("steps", "fewer steps, so that weights stay below 2**62", f"{total:g}")
    found = [
        _glued(rule, t[some], b[some], x[some], steps) for some in pieces.slices(n, pieces.fitting(32 * edges * words))
    ]
    return np.concatenate([each[0] for each in found], axis=1), np.concatenate([each[1] for each in found])


def _glued(rule: str, t: Integers, b: Integers, x: Integers, steps: int) -> tuple[Integers, Bools]:
    acted, totals = np.zeros(len(t), dtype=bool), [_total(x)]
    for _ in range(steps):
        moved = np.where((t < 0)[..., None, None], x[:, None, :, ::-1], x[:, None]) * np.abs(t)[..., None, None]
        lists = moved.transpose(0, 1, 3, 2, 4).reshape(*x.shape[:3], -1)
        change = np.concatenate([lists, b], axis=-1)
        cut = _total(change) < 0
        acted |= cut.any(axis=-1)
        change[cut] = 0
        x = np.concatenate([x, change], axis=-1) if rule == "adding" else change
        totals.append(_total(x))
    return np.stack(totals), acted


def _total(pair: Integers) -> Integers:
    both = pair.sum(axis=-1)
    difference: Integers = both[..., 0] - both[..., 1]
    return difference


def _lists(values: Sequence[int], length: int) -> Integers:
    return np.array(list(itertools.product(values, repeat=length)), dtype=np.int64).reshape(-1, length)


def _require_code(name: str, code: Any, *, at_least: int = 1) -> None:
    fits = isinstance(code, np.ndarray) and code.dtype == bool and code.ndim == 2
    if not fits or code.shape[0] < at_least or code.shape[1] < 1:
        raise ArgumentError(name, f"a numpy array of bool, axes (words, length), {at_least} words", described(code))


def _require_loud(name: str, code: Any) -> None:
    _require_code(name, code)
    if not code.any(axis=1).all():
        raise ArgumentError(name, "words other than the silent one", "a silent word", "Leave it out.")


def _require_law(name: str, law: npt.ArrayLike) -> Floats:
    try:
        p = np.asarray(law, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(name, "an array of probabilities", described(law)) from None
    if p.ndim < 1 or p.size == 0 or not (p >= 0).all() or not (np.abs(p.sum(axis=-1) - 1) <= 1e-9).all():
        raise ArgumentError(name, "probabilities that add up to 1 along the last axis", "others")
    return p


def _require_factors(factors: Any) -> None:
    for each in require_sequence("factors", factors, "integers"):
        require_integer("factors", each, at_least=1, at_most=_LARGEST - 1)
    if not factors:
        raise ArgumentError("factors", "at least one integer", "none")


def _require_maps(images: Integers, multiples: Integers, target: int) -> tuple[Integers, Integers]:
    f = require_integers("images", images, (..., None))
    m = require_integers("multiples", multiples, f.shape)
    if f.min() < 0 or f.max() >= target:
        raise ArgumentError("images", f"integers from 0 to {target - 1}", f"{f.min()} to {f.max()}")
    _require_small("multiples", m)
    return f, m


def _require_small(name: str, value: Integers) -> None:
    if max(int(value.max()), -int(value.min())) >= _LARGEST:
        raise ArgumentError(name, "integers below 2**31 in absolute value", "larger ones")
