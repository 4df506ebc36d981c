"""All cells of a space of weights, of every dimension: the hyperplanes with what they cut out of each other.

The hyperplanes of :mod:`memscape.polytopes.weight_space` cut the space of weights into chambers, each other into facets
of these, and so on down to the origin. :func:`cells` lists them all, for few weights.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from memscape.arguments import ArgumentError, require_integer
from memscape.polytopes.weight_space import arrangement
from memscape.tools import pieces

__all__ = ["Cells", "cells"]


@dataclass(frozen=True, eq=False)
class Cells:
    """All cells into which the hyperplanes of the conditions of stability cut the weights, from the origin to chambers.

    Parameters
    ----------
    signs
        On which side of each hyperplane the cell lies, or 0 where it lies inside: int8, axes ``(cells, hyperplanes)``.
    dimension
        Of each cell, axes ``(cells,)``.
    stored
        Which states its weights store, booleans, axes ``(cells, 2^n)``.
    """

    signs: np.ndarray
    dimension: np.ndarray
    stored: np.ndarray

    @property
    def chambers(self) -> int:
        """Number of cells of full dimension."""
        return int((self.signs != 0).all(axis=1).sum())

    @property
    def euler(self) -> int:
        r"""Euler characteristic of the set of all weights that store something.

        This set U is open in :math:`\mathbb{R}^d`, so a manifold, and a union of cells C. Counted with compact support
        its Euler characteristic is the alternating number of cells; Poincare duality makes it
        :math:`\chi(U) = \sum_{C \subset U} (-1)^{d - \dim C}`.
        """
        inside = self.stored.any(axis=1)
        return int((1 - 2 * ((self.dimension.max() - self.dimension[inside]) % 2)).sum())


def cells(neurons: int, degrees: Sequence[int]) -> Cells:
    """Enumerate all cells of the space of weights; an independent way to the Euler characteristic of the complex.

    Every sign vector of a central arrangement is a composition of those of its rays: go a little from one ray towards
    another, and what was on a hyperplane takes the sign of the second. The rays are the lines in which hyperplanes
    meet.

    Parameters
    ----------
    neurons, degrees
        n and the degrees of the couplings, with at most 200000 ways to choose one hyperplane fewer than couplings.

    Raises
    ------
    ArgumentError
        If the degrees do not fit or the arrangement is too large.
    """
    cut = arrangement(neurons, degrees)
    dimension = cut.dimension
    ways = math.comb(cut.hyperplanes, dimension - 1)
    if ways > 200000:
        raise ArgumentError("degrees", "at most 200000 sets of hyperplanes", str(ways), "Take fewer neurons.")
    require_integer("number of hyperplanes", cut.hyperplanes, at_most=40)
    chosen = np.array(list(itertools.combinations(range(cut.hyperplanes), dimension - 1)), dtype=np.intp)
    rows = cut.normals[chosen].reshape(ways, dimension - 1, dimension).astype(float)
    _, scale, axes = np.linalg.svd(rows, full_matrices=True)
    # Entries of normals are -1, 0, 1: what is not zero here is a ratio of small whole determinants, far above 1e-6.
    rays = axes[(scale > 1e-6).all(axis=1), -1]
    values = rays @ cut.normals.T
    rays_signs = (np.sign(values) * (abs(values) > 1e-6)).astype(np.int8)
    # Sign vectors are compared as numbers in base 3, of size (3^40 - 1) / 2 < 2^63 at most for 40 hyperplanes.
    base = 3 ** np.arange(cut.hyperplanes)
    rays_signs = _first_of_each(np.concatenate([rays_signs, -rays_signs]), base)
    found = fresh = np.zeros((1, cut.hyperplanes), dtype=np.int8)
    codes = found @ base
    while len(fresh):
        # A byte a sign, eight where signs become numbers.
        step = pieces.fitting(16 * rays_signs.size)
        made = [
            _first_of_each(np.where(some[:, None] != 0, some[:, None], rays_signs).reshape(-1, cut.hyperplanes), base)
            for some in np.array_split(fresh, -(-len(fresh) // step))
        ]
        fresh = _first_of_each(np.concatenate(made), base)
        fresh = fresh[~np.isin(fresh @ base, codes)]
        found, codes = np.concatenate([found, fresh]), np.concatenate([codes, fresh @ base])
    flats, which = np.unique(found == 0, axis=0, return_inverse=True)
    rank = np.array([np.linalg.matrix_rank(cut.normals[flat]) if flat.any() else 0 for flat in flats])
    stored = (found[:, cut.edge] * cut.sign > 0).all(axis=2)
    return Cells(found, dimension - rank[which.ravel()], stored)


def _first_of_each(rows: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Different rows of signs, by their numbers in some base."""
    return rows[np.unique(rows @ base, return_index=True)[1]]
