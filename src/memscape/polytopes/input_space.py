r"""The plane of inputs of three threshold-linear neurons, cut where the set of fixed points changes.

The fixed points of a network do not change their supports when all inputs are scaled by a positive number, so positive
inputs b of three neurons are a triangle, b_1 + b_2 + b_3 = 1. A support sigma is that of a fixed point for all b in the
cone of the columns u_i of :math:`I - W` with i in sigma and of :math:`-e_k` with k outside. In the triangle these cones
are convex polygons bounded by the nine lines through u_i and e_k, k other than i, and through u_i and u_j. The
regions between these lines have one set of fixed points each.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch

from memscape.arguments import ArgumentError, require_tensor
from memscape.polytopes.polygons import Polygons, arrange
from memscape.polytopes.threshold_linear import FixedPoints, ThresholdLinear, fixed_points

__all__ = ["GRID", "InputRegions", "input_regions"]

GRID = 2.0**-16
"""Weights are taken as multiples of this, so that the coefficients of all lines are exact in float64."""


@dataclass(frozen=True)
class InputRegions:
    """Regions of the triangle of inputs.

    Attributes
    ----------
    polygons
        R regions in the coordinates (b_2, b_3).
    inputs
        One b inside each region, axes ``(R, 3)``, coordinates that sum to 1.
    points
        The fixed points there, tensors over ``(R, 8)``.
    """

    polygons: Polygons
    inputs: torch.Tensor
    points: FixedPoints


def input_regions(weights: torch.Tensor) -> InputRegions:
    """Regions of the triangle of positive inputs in which the fixed points keep their supports.

    Parameters
    ----------
    weights
        W, axes ``(3, 3)``, of a competitive network: zero diagonal, all others negative and above -64. They are
        rounded to multiples of 2**-16; the lines are then exact.

    Returns
    -------
    InputRegions
        The regions, an input in each of them, and its fixed points.

    Raises
    ------
    ArgumentError
        If the weights are not those of a competitive network of three neurons.
    """
    require_tensor("weights", weights, "neurons neurons", sizes={"neurons": 3})
    rounded = (weights.double().cpu() / GRID).round() * GRID
    off = rounded[~torch.eye(3, dtype=torch.bool, device="cpu")]
    if (rounded.diagonal() != 0).any() or not ((off < 0) & (off > -64)).all():
        raise ArgumentError("weights", "a zero diagonal and all other entries in (-64, 0)", str(weights.tolist()))
    unit = torch.eye(3, dtype=torch.float64, device="cpu")
    u = (unit - rounded).mT
    pairs = [(u[i], unit[k]) for i, k in itertools.permutations(range(3), 2)]
    pairs += [(u[i], u[j]) for i, j in itertools.combinations(range(3), 2)]
    normals = torch.stack([torch.linalg.cross(first, second) for first, second in pairs])
    # normal . b with b = (1 - p - q, p, q)
    lines = torch.stack([normals[:, 1] - normals[:, 0], normals[:, 2] - normals[:, 0], normals[:, 0]], dim=-1)
    corners = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64, device="cpu")
    polygons = arrange(corners, lines).polygons
    inside = polygons.centroids
    inputs = torch.cat([1 - inside.sum(dim=-1, keepdim=True), inside], dim=-1)
    return InputRegions(polygons, inputs, fixed_points(ThresholdLinear(rounded, inputs)))
