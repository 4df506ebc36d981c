r"""Stable fixed points one inside another, in competitive threshold-linear networks.

Two stable fixed points are *nested* if the support of one is a proper part of that of the other. Geneson (2025, arXiv
2511.05517) found a competitive network of three neurons that has a pair of them, with the supports {1} and {1, 2, 3},
and two ways of making larger ones of it. The constructions here are our own: :func:`copied` makes pairs of any two
sizes that differ by two or more, :func:`prolonged` makes chains. All weights are fractions, so that
`memscape.polytopes.threshold_linear.exact_fixed_point` decides what became of them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from numbers import Rational

import numpy as np

from memscape.arguments import ArgumentError, require_integer, require_kind, require_sequence
from memscape.polytopes.chirotopes import Chirotopes
from memscape.polytopes.threshold_linear import exact_fixed_point, exact_rows

__all__ = ["copied", "nested_pairs", "prolonged"]

_ALIKE = Fraction(1, 1000)
"""How strongly copies of a neuron inhibit each other: hardly, so that they do not compete."""

_GRID = 1024
"""The weights of a longer chain are multiples of one over this, the same whatever rounds the eigenvector."""

Rows = list[list[Fraction]]


def nested_pairs(patterns: Chirotopes) -> dict[tuple[int, int], int]:
    """How many sign patterns have nested fixed points that both have index +1, by the sizes of the two supports.

    A stable fixed point has index +1, so where there is no such pair no network of these signs has nested stable ones.

    Parameters
    ----------
    patterns
        Sign patterns with an input vector.

    Returns
    -------
    dict
        From (size of the inner support, size of the outer one) to the number of patterns, summed over all pairs of
        supports of these sizes.

    Raises
    ------
    ArgumentError
        If ``patterns`` is no `Chirotopes`.
    """
    upright = require_kind("patterns", patterns, Chirotopes).exists & (patterns.index > 0)
    found: dict[tuple[int, int], int] = {}
    for inner, outer in itertools.combinations(range(1, 2**patterns.neurons), 2):
        if inner & outer == inner:
            sizes = (inner.bit_count(), outer.bit_count())
            found[sizes] = found.get(sizes, 0) + int((upright[:, inner] & upright[:, outer]).sum())
    return found


def copied(weights: Sequence[Sequence[Rational | float]], copies: Sequence[int]) -> Rows:
    r"""A network in which every neuron stands several times.

    The c_j copies of neuron j share what it gave, :math:`W_{ij} / c_j`, and inhibit each other by a thousandth. While
    the copies of a neuron are equally active the network does, up to that thousandth, what the old one did.

    Parameters
    ----------
    weights
        W by rows: integers, fractions or finite floats, taken at their exact values.
    copies
        c, how often each neuron is to stand, 1 or more; the copies of a neuron follow each other.

    Returns
    -------
    list
        The weights of the new network by rows.

    Raises
    ------
    ArgumentError
        If there are not n rows of n numbers, or not n counts of one or more.
    """
    old = _square("weights", weights)
    if len(require_sequence("copies", copies, "integers")) != len(old):
        raise ArgumentError("copies", f"{len(old)} counts, one a neuron", str(len(copies)))
    for count in copies:
        require_integer("copies", count, at_least=1)
    of = [neuron for neuron, count in enumerate(copies) for _ in range(count)]
    return [
        [Fraction(0) if r == c else -_ALIKE if a == b else old[a][b] / copies[b] for c, b in enumerate(of)]
        for r, a in enumerate(of)
    ]


def prolonged(weights: Sequence[Sequence[Rational | float]], link: Sequence[Sequence[Rational | float]]) -> Rows:
    r"""A network with a chain of nested fixed points that is longer by one, for inputs of 1.

    Two neurons are added, and the network as a whole plays the part of neuron 1 of ``link``, a network of three with
    weights V. The new neurons inhibit all old ones alike, by :math:`V_{12}` and :math:`V_{13}`: that only scales the
    old fixed point x on all neurons. They receive from old neuron j the part :math:`V_{21} c_j` and :math:`V_{31} c_j`,
    with c the positive left eigenvector of :math:`I - W` and :math:`c \cdot x = 1`. So :math:`c \cdot x` follows an
    equation of its own, as neuron 1 of ``link`` does.

    Parameters
    ----------
    weights
        W by rows, of a competitive network with a fixed point on all its neurons.
    link
        V, three rows of three.

    Returns
    -------
    list
        The weights of the network of n + 2 neurons by rows.

    Raises
    ------
    ArgumentError
        If the weights are not n rows of n numbers or have no fixed point on all neurons for inputs of 1, or the link
        is not one of three neurons.
    """
    old, part = _square("weights", weights), _square("link", link)
    if len(part) != 3:
        raise ArgumentError("link", "the weights of three neurons", f"those of {len(part)}")
    whole = exact_fixed_point(old, [1] * len(old), 2 ** len(old) - 1)
    if not whole.exists:
        raise ArgumentError("weights", "a network with a fixed point on all its neurons", "one without")
    values, vectors = np.linalg.eig(np.eye(len(old)) - np.array(old, dtype=float).T)
    give = abs(vectors[:, values.real.argmax()].real)
    give /= give @ np.array(whole.activities, dtype=float)
    shares = [Fraction(round(_GRID * value), _GRID) for value in give.tolist()]
    grown = [[*row, part[0][1], part[0][2]] for row in old]
    for new in (1, 2):
        grown.append([*(part[new][0] * share for share in shares), part[new][1], part[new][2]])
    return grown


def _square(argument: str, weights: Sequence[Sequence[Rational | float]]) -> Rows:
    rows = exact_rows(argument, weights)
    if not rows or any(len(row) != len(rows) for row in rows):
        raise ArgumentError(argument, "n rows of n numbers", f"rows of {sorted({len(row) for row in rows})}")
    return rows
