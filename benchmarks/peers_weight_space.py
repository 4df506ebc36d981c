"""Peers of the search of chambers: a linear programme for every chamber and hyperplane, with and without symmetry."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog


def feasible(rows: np.ndarray) -> bool:
    """Whether some w has ``rows @ w >= 1``, by HiGHS."""
    zero = np.zeros(rows.shape[1])
    return bool(linprog(zero, A_ub=-rows, b_ub=-np.ones(len(rows)), bounds=(None, None), method="highs").status == 0)


def walls(normals: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Number of walls of chambers given by signs ``(chambers, hyperplanes)``: a programme for every sign."""
    found = np.zeros(len(sides), dtype=int)
    for chamber, signs in enumerate(sides):
        for plane in range(len(signs)):
            crossed = signs.copy()
            crossed[plane] *= -1
            found[chamber] += feasible(crossed[:, None] * normals)
    return found


def orbit_search(normals: np.ndarray, target: np.ndarray, sign: np.ndarray) -> int:
    """Number of chambers by breadth-first search on orbits; the group acts on signs as ``(g s)[target] = sign * s``."""
    start = np.sign(normals @ 3 ** np.arange(normals.shape[1]))
    inverse = target.argsort(axis=1)
    seen: dict[bytes, int] = {}
    queue = [start]

    def orbit(signs: np.ndarray) -> tuple[bytes, int]:
        images = np.unique(np.take_along_axis(sign * signs, inverse, axis=1), axis=0)
        return images[0].tobytes(), len(images)

    key, size = orbit(start)
    seen[key] = size
    while queue:
        signs = queue.pop()
        for plane in range(len(signs)):
            crossed = signs.copy()
            crossed[plane] *= -1
            key, size = orbit(crossed)
            if key not in seen and feasible(crossed[:, None] * normals):
                seen[key] = size
                queue.append(crossed)
    return sum(seen.values())
