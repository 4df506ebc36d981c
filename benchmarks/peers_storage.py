"""Straightforward versions of what memscape.homotopy.storage does."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from scipy.optimize import linprog


def fits(rows: np.ndarray) -> bool:
    """Whether some w has ``rows @ w >= 1``: one linear programme of scipy (HiGHS)."""
    couplings = rows.shape[1]
    found = linprog(np.zeros(couplings), A_ub=-rows, b_ub=-np.ones(len(rows)), bounds=[(None, None)] * couplings)
    return bool(found.status == 0)


def set_by_set(conditions: np.ndarray) -> list[int]:
    """The f-vector, size by size: a programme for every set whose facets are faces."""
    count, _, couplings = conditions.shape
    faces = {(x,) for x in range(count)}
    vector = []
    while faces:
        vector.append(len(faces))
        larger = {
            (*face, x)
            for face in faces
            for x in range(face[-1] + 1, count)
            if all((*face[:i], *face[i + 1 :], x) in faces for i in range(len(face)))
        }
        faces = {s for s in larger if fits(conditions[list(s)].reshape(-1, couplings))}
    return vector


def one_by_one(conditions: np.ndarray, sets: Iterable[Iterable[int]]) -> list[bool]:
    """Whether each set fits, a programme a set."""
    return [fits(conditions[list(s)].reshape(-1, conditions.shape[-1])) for s in sets]
