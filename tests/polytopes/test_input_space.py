"""The triangle of inputs, against fixed points at random inputs and the cones of the theory."""

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.polytopes.chirotopes import chirotopes, relabelled, table_codes
from memscape.polytopes.input_space import GRID, input_regions
from memscape.polytopes.threshold_linear import ThresholdLinear, fixed_points

F64 = torch.float64


def competitive(seed: int, networks: int) -> torch.Tensor:
    drawn = torch.from_numpy(np.random.default_rng(seed).normal(size=(networks, 3, 3)))
    return (-drawn.exp() * (1 - torch.eye(3, dtype=F64)) / GRID).round() * GRID


@pytest.mark.parametrize("seed", range(8))
def test_regions_tile_the_triangle_and_agree_with_random_inputs(seed):
    couplings = competitive(seed, 1)[0]
    found = input_regions(couplings)
    torch.testing.assert_close(found.polygons.areas.sum(), torch.tensor(0.5, dtype=F64))
    assert (found.polygons.areas > 0).all()
    assert found.points.decided.all()
    inputs = torch.from_numpy(np.random.default_rng(seed).dirichlet((1.0, 1.0, 1.0), size=500))
    exists = fixed_points(ThresholdLinear(couplings, inputs)).exists
    # Each input belongs to the region it lies in, and has its fixed points.
    v, after = found.polygons.vertices, found.polygons.vertices.roll(-1, dims=1)
    counts, last = found.polygons.counts, torch.arange(v.shape[1])
    after = torch.where((last + 1 < counts[:, None])[..., None], after, v[:, :1])
    edge, spoke = after - v, inputs[:, None, None, 1:] - v
    turn = edge[..., 0] * spoke[..., 1] - edge[..., 1] * spoke[..., 0]
    inside = ((turn > 1e-12) | (last >= counts[:, None])).all(dim=-1)
    owned, region = inside.nonzero(as_tuple=True)
    assert len(owned.unique()) == len(owned) > 490
    assert torch.equal(exists[owned], found.points.exists[region])


def test_one_fixed_point_everywhere_where_all_principal_minors_are_positive():
    couplings = torch.tensor([[0, -0.5, -0.25], [-0.25, 0, -0.5], [-0.5, -0.25, 0]], dtype=F64)
    found = input_regions(couplings)
    assert (found.points.count == 1).all()
    assert len(found.points.exists.unique(dim=0)) == 7


def test_the_sets_of_a_network_are_those_of_its_signs_and_their_number_those_of_its_class():
    couplings, listed, numbers = competitive(9, 60), chirotopes(3, inputs=True), {}
    codes = table_codes(couplings).numpy()
    for code, kind, network in zip(codes, relabelled(codes, 3).min(axis=-1), couplings, strict=True):
        met = set(map(tuple, input_regions(network).points.exists.tolist()))
        assert met <= set(map(tuple, listed.exists[listed.codes == code].tolist()))
        assert numbers.setdefault(kind, len(met)) == len(met)


@pytest.mark.parametrize(
    ("couplings", "message"),
    [
        (torch.zeros(2, 2), "weights: expected axes (neurons, neurons) with neurons = 3; got shape (2, 2)."),
        (torch.zeros(3, 3), "weights: expected a zero diagonal and all other entries in (-64, 0); got [[0.0, 0.0"),
        (-torch.ones(3, 3), "weights: expected a zero diagonal and all other entries in (-64, 0); got [[-1.0"),
        (-65 * (1 - torch.eye(3)), "weights: expected a zero diagonal and all other entries in (-64, 0); got [[-0.0"),
    ],
)
def test_other_networks_are_refused(couplings, message):
    with pytest.raises(ArgumentError) as refusal:
        input_regions(couplings)
    assert str(refusal.value).startswith(message)
