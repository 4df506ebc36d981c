"""Peers of the decision whether a unit with prescribed signs can learn: one linear programme for each task."""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linprog


def by_linear_programmes(inputs: torch.Tensor, answers: torch.Tensor) -> list[bool]:
    """HiGHS looks for weights w >= 0 with margins of one; status 0 is found, 2 is infeasible."""
    rows = (answers[..., None] * inputs).numpy()
    return [
        linprog(np.zeros(r.shape[1]), A_ub=-r, b_ub=-np.ones(len(r)), bounds=(0, None), method="highs").status == 0
        for r in rows
    ]
