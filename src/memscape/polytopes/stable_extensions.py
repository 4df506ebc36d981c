r"""The search for stable fixed points on all neurons, one node more at a time.

See :mod:`memscape.polytopes.graph_rules` for the networks. A stable fixed point on all neurons of a digraph that is no
clique is an exception to the rule that stable supports are target-free cliques. :func:`stable_extensions` looks for
exceptions of n + 1 neurons among all extensions of digraphs of n.
"""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from memscape.arguments import ArgumentError, require_integer, require_kind
from memscape.polytopes.digraphs import Codes, require_codes
from memscape.polytopes.graph_rules import Parameters, fixed_points, integer_matrices
from memscape.tools import pieces
from memscape.tools.exact import determinant, hurwitz_matrix

__all__ = ["stable_extensions"]


def stable_extensions(codes: npt.ArrayLike, nodes: int, parameters: Parameters) -> Codes:
    r"""Digraphs with one more node that have a stable fixed point on all nodes and are not cliques.

    All :math:`4^n` ways to attach a node to every given digraph are examined. With the old matrix U, the new row r and
    column c, and :math:`\operatorname{adj}(s + U) = \sum_k s^{n-1-k} B_k` by the recursion of Faddeev and Le Verrier,

    .. math::

        \det \begin{pmatrix} s + U & c \\ r & s + q \end{pmatrix}
        = (s + q) \det(s + U) - \sum_k s^{n-1-k}\, r B_k c ,

    so the coefficients of all characteristic polynomials are a few products of small matrices, and so are the
    activities. Whatever passes the necessary conditions within rounding is decided again in exact integers.

    Parameters
    ----------
    codes, nodes
        Digraphs, axes ``(graphs,)``, and their number n of nodes, 1 to 6.
    parameters
        epsilon and delta.

    Returns
    -------
    numpy.ndarray
        Codes of digraphs of n + 1 nodes, axes ``(found,)``, one for each attachment: the same digraph may come several
        times in different order of its nodes.

    Raises
    ------
    ArgumentError
        If the codes do not fit or are not in a row, or ``parameters`` are none.
    """
    require_integer("nodes", nodes, at_least=1, at_most=6)
    codes = require_codes("codes", codes, nodes)
    if codes.ndim != 1:
        raise ArgumentError("codes", "axes (graphs,)", f"shape {codes.shape}")
    one, _, none = require_kind("parameters", parameters, Parameters).scaled
    # A coefficient is a sum of that many products of entries up to none / one, a determinant of coefficients has up to
    # n factors, and one more is for its terms: as long as this is a float, nothing below overflows.
    if (math.factorial(nodes + 1) * Fraction(none, one) ** (nodes + 1)) ** (nodes + 1) > sys.float_info.max:
        raise ArgumentError("parameters", "a delta whose powers floats hold", f"one of more than {none // one - 1}")
    # A chunk of 1024 attachments of 128 digraphs and a dozen arrays of them stay in the cache.
    chunk = pieces.cached(8 * 4**nodes)
    found = [_candidates(codes[at : at + chunk], nodes, parameters) for at in range(0, len(codes), chunk)]
    candidates = np.concatenate([np.empty(0, dtype=np.int64), *found])
    clique = 2 ** (nodes * (nodes + 1)) - 1
    candidates = candidates[candidates != clique]
    exact = fixed_points(candidates, nodes + 1, parameters)
    return candidates[exact.stable_supports[:, -1]]


def _candidates(codes: Codes, nodes: int, parameters: Parameters) -> Codes:
    """Extensions that may have a stable fixed point on all nodes, decided in float64 with a margin."""
    one, edge, none = parameters.scaled
    # As long as sums of products of entries are integers that float64 can hold, all but the last test is exact.
    whole = math.factorial(nodes + 1) * none ** (nodes + 1) < 2**53
    unit = 1 if whole else one
    rounding = 0.0 if whole else 1e-14 * math.factorial(nodes + 1) * (none / one) ** (nodes + 1)
    u = np.moveaxis(integer_matrices(codes, nodes, parameters) / unit, -1, 0).astype(np.float64)
    bits = np.arange(2**nodes)[:, None] >> np.arange(nodes) & 1
    wires = np.where(bits == 1, edge / unit, none / unit)
    # The bits of the new node alternate, to it and from it, as digraphs.extensions numbers them.
    spread = bits @ (1 << 2 * np.arange(nodes, dtype=np.int64))
    adjugate, old, terms = np.broadcast_to(np.eye(nodes), u.shape), [np.ones(len(u))], []
    for k in range(1, nodes + 1):
        columns, ones = adjugate @ wires.T, adjugate.sum(axis=-1)
        terms.append(columns)  # (graphs, nodes, column patterns)
        product = u @ adjugate
        old.append(product.trace(axis1=-2, axis2=-1) / k)
        adjugate = old[-1][:, None, None] * np.eye(nodes) - product
    # What is left of the loop belongs to the adjugate of u itself: columns are adj(u) c, ones are adj(u) 1.
    self = one / unit
    last = old[nodes][:, None] - ones @ wires.T
    determinants = self * old[nodes][:, None, None] - wires @ columns  # (graphs, row patterns, column patterns)
    graph, row, column = np.nonzero((determinants > -rounding) & (last[:, :, None] > -rounding))
    # The activity of an old node, times the determinants of both matrices. Where the old one is zero or in doubt, these
    # products say nothing, and all pass.
    sign = np.where(abs(old[nodes]) > rounding, np.sign(old[nodes]), 0.0)
    for node in range(nodes):
        first = ones[graph, node] * determinants[graph, row, column]
        second = columns[graph, node, column] * last[graph, row]
        doubt = 1e-13 * (abs(first) + abs(second)) + rounding * (abs(ones[graph, node]) + abs(last[graph, row]) + self)
        kept = np.flatnonzero(sign[graph] * (first - second) >= -doubt)
        graph, row, column = graph[kept], row[kept], column[kept]
    polynomial = [np.ones(len(graph)), old[1][graph] + self]
    for k in range(2, nodes + 1):
        through = sum(wires[row, node] * terms[k - 2][graph, node, column] for node in range(nodes))
        polynomial.append(old[k][graph] + self * old[k - 1][graph] - through)
    polynomial.append(determinants[graph, row, column])
    kept = _may_be_hurwitz(np.stack(polynomial), rounding)
    graph, row, column = graph[kept], row[kept], column[kept]
    return codes[graph] + ((2 * spread[column] + spread[row]) << nodes * (nodes - 1))


def _may_be_hurwitz(coefficients: npt.NDArray[np.float64], rounding: float) -> npt.NDArray[np.intp]:
    """Which polynomials may pass Hurwitz's criterion, their coefficients being right up to ``rounding``."""
    degree = len(coefficients) - 1
    kept = np.flatnonzero((coefficients > -rounding).all(axis=0))
    for size in sorted(range(degree - 1, 1, -2)):
        table = hurwitz_matrix(coefficients[:, kept], size)
        # Each of the products in the determinant is off by a few units in the last place and by the relative errors of
        # its coefficients. Small parameters make the coefficients small, one power for each degree: only relative
        # errors say anything.
        least = abs(coefficients[1:, kept]).min(axis=0)
        share = 1e-13 + 2 * size * np.divide(rounding, least, out=np.full_like(least, np.inf), where=least > 0)
        with np.errstate(invalid="ignore"):
            doubt = np.where(share < 1, share * determinant(abs(table), signed=False), np.inf)
        kept = kept[determinant(table) > -doubt]
    return kept
