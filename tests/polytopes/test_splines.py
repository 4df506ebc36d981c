"""Regions of rectified networks: against closed forms, linear programs, sampled points, and whole-number arithmetic."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from memscape.arguments import ArgumentError
from memscape.polytopes import splines
from memscape.polytopes.polygons import convex, doubts, sides, signs, square
from memscape.polytopes.splines import (
    MaxAffine,
    Network,
    cover,
    crossings,
    folding,
    he,
    patterns_by_programs,
    plane,
    rectified,
    regions,
    train,
    winners,
    zaslavsky,
)
from memscape.tools import pieces

from ..draws import normal

F64 = torch.float64
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def network(seed: int, *widths: int) -> Network:
    return he(widths, rng=np.random.default_rng(seed))


# Closed forms


def test_closed_forms():
    assert [zaslavsky(m, 2) for m in (0, 1, 8, 16, 32)] == [1, 2, 37, 137, 529]
    assert [zaslavsky(m, 3) for m in range(5)] == [1, 2, 4, 8, 15]
    for patterns, neurons in itertools.product(range(1, 9), range(1, 9)):
        if patterns <= neurons:
            assert cover(patterns, neurons) == 2**patterns
        # A new hyperplane cuts as many regions as the old ones make on it.
        if neurons > 1:
            assert cover(patterns + 1, neurons) == cover(patterns, neurons) + cover(patterns, neurons - 1)


@pytest.mark.parametrize(("patterns", "neurons"), [(4, 2), (5, 3), (6, 3), (6, 4)])
def test_cover_against_a_linear_program_for_every_dichotomy(patterns, neurons):
    xi = normal(patterns, patterns, neurons).numpy()
    count = 0
    for signature in itertools.product((-1, 1), repeat=patterns):
        rows = -np.array(signature)[:, None] * xi
        count += linprog(np.zeros(neurons), A_ub=rows, b_ub=-np.ones(patterns), bounds=(None, None)).status == 0
    assert count == cover(patterns, neurons)


# Max-affine layers


@pytest.mark.parametrize(("units", "pieces", "inputs"), [(1, 1, 1), (5, 2, 3), (4, 3, 2), (3, 4, 6)])
def test_the_code_of_a_layer_is_the_nearest_cell_of_its_power_diagram(units, pieces, inputs):
    layer = MaxAffine(normal(1, units, pieces, inputs), normal(2, units, pieces))
    codes = torch.cartesian_prod(*[torch.arange(pieces)] * units).reshape(-1, units)
    centres, weights = layer.cell(codes)
    x = 2 * normal(3, 500, inputs)
    power = (x[:, None] - centres).square().sum(dim=-1) - weights
    assert torch.equal(codes[power.argmin(dim=1)], layer.code(x))
    by_hand = torch.stack(
        [
            torch.stack([x @ a + b for a, b in zip(*unit, strict=True)]).amax(dim=0)
            for unit in zip(layer.slopes, layer.offsets, strict=True)
        ],
        dim=-1,
    )
    torch.testing.assert_close(layer(x), by_hand)
    assert layer(x.reshape(5, 100, inputs)).shape == (5, 100, units)


def test_rectified_units_are_max_affine():
    weights, biases, x = normal(4, 6, 3), normal(5, 6), normal(6, 50, 3)
    layer = rectified(weights, biases)
    torch.testing.assert_close(layer(x), (x @ weights.T + biases).relu())
    assert torch.equal(layer.code(x).bool(), x @ weights.T + biases > 0)


# Networks


def test_potentials_and_code():
    net = network(1, 3, 5, 4, 2)
    x = normal(7, 6, 3)
    first = x @ net.weights[0].T + net.biases[0]
    second = first.clamp(min=0) @ net.weights[1].T + net.biases[1]
    out = second.clamp(min=0) @ net.weights[2].T + net.biases[2]
    for found, expected in zip(net.potentials(x), (first, second, out), strict=True):
        torch.testing.assert_close(found, expected)
    assert torch.equal(net.code(x), torch.cat((first, second), dim=1) > 0)
    assert net.widths == (5, 4)
    assert net.to(torch.float32)(x.float()).dtype == torch.float32


def test_on_a_plane_the_network_is_the_same():
    net, points = network(2, 7, 6, 5, 3), normal(8, 3, 7)
    origin, axes, places = plane(points)
    torch.testing.assert_close(places @ axes + origin, points)
    torch.testing.assert_close(axes @ axes.T, torch.eye(2, dtype=F64))
    assert (places[1, 0] > places[0, 0]) & ((places[1, 1] - places[0, 1]).abs() < 1e-12)
    torch.testing.assert_close(net.on(origin, axes)(places), net(points))


def test_he_networks_have_the_variances_they_should():
    net = network(3, 400, 300, 200)
    assert net.weights[0].std() == pytest.approx(math.sqrt(2 / 400), rel=0.02)  # 120000 draws: 0.2 % standard error
    assert net.weights[1].std() == pytest.approx(math.sqrt(2 / 300), rel=0.02)
    assert net.biases[0].std() == pytest.approx(0.1, rel=0.2)
    assert torch.equal(network(3, 4, 3, 2).weights[0], network(3, 4, 3, 2).weights[0])


def test_folding_is_a_tent_of_tents():
    x = 2 * torch.rand(100, 2, generator=torch.Generator().manual_seed(1), dtype=F64) - 1
    expected = x
    for layers in range(1, 5):
        expected = 2 * expected.abs() - 1
        torch.testing.assert_close(folding(layers)(x), expected)


# Regions

DEEP = [(8,), (5, 5), (8, 8), (6, 6, 6), (4, 9, 3), (3, 3, 3, 3, 3)]


@pytest.mark.parametrize("widths", DEEP)
def test_laws_of_regions(widths):
    net = network(sum(widths), 2, *widths, 3)
    found = regions(net, square(3.0))
    centroids, areas = found.polygons.centroids, found.polygons.areas
    assert torch.equal(net.code(centroids), found.codes)
    assert len(found.codes.unique(dim=0)) == len(found.polygons)
    torch.testing.assert_close(areas.sum(), torch.tensor(36.0, dtype=F64), rtol=1e-13, atol=0)
    values = (found.outputs[..., :2] @ centroids[..., None]).squeeze(-1) + found.outputs[..., 2]
    torch.testing.assert_close(values, net(centroids))
    ends, labels, _ = found.polygons.edges()
    inner = labels >= 0
    middles = ends[inner].mean(dim=1)
    potentials = torch.cat(net.potentials(middles)[:-1], dim=-1)
    assert potentials.gather(1, labels[inner, None]).abs().max() < 1e-12, "every edge is where its unit turns"
    points = 6 * torch.rand(5000, 2, generator=torch.Generator().manual_seed(2), dtype=F64) - 3
    known = {tuple(code) for code in found.codes.tolist()}
    assert {tuple(code) for code in net.code(points).tolist()} <= known


@pytest.mark.parametrize("widths", DEEP[:4])
def test_euler(widths):
    polygons = regions(network(sum(widths), 2, *widths, 1), square(3.0)).polygons
    ends, labels, _ = polygons.edges()
    points = polygons.vertices[polygons.real]
    apart = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist") < 1e-10
    vertices, rim = len(apart.int().unique(dim=0)), int((labels < 0).sum())
    assert (len(ends) - rim) % 2 == 0
    assert vertices - rim - (len(ends) - rim) // 2 + len(polygons) == 1


@pytest.mark.parametrize("units", [8, 16, 32])
def test_one_layer_has_the_regions_of_its_lines(units):
    for seed in range(5):
        net = network(100 * units + seed, 2, units, 1)
        assert len(regions(net, square(1e6)).polygons) == zaslavsky(units, 2)


@pytest.mark.parametrize("widths", [(6,), (4, 4), (3, 3, 3)])
def test_linear_programs_find_the_same_patterns(widths):
    net = network(5, 2, *widths, 1)
    found = regions(net, square(10.0))
    assert set(map(tuple, found.codes.tolist())) == patterns_by_programs(net, 10.0, thinnest=1e-9)


def single(weights: list[list[float]], biases: list[float], *more: tuple[list[list[float]], list[float]]) -> Network:
    layers = [(weights, biases), *more]
    layers.append(([[1.0] * len(layers[-1][1])], [0.0]))
    return Network(*(tuple(torch.tensor(each[k], dtype=F64) for each in layers) for k in (0, 1)))


DEGENERATE = {
    "no weights and no bias": (single([[0.0, 0.0]], [0.0]), {(False,)}),
    "no weights": (single([[0.0, 0.0], [0.0, 0.0]], [1.0, -1.0]), {(True, False)}),
    "hardly any weights": (single([[1e-30, 0.0]], [1.0]), {(True,)}),
    "hardly any weights, off": (single([[1e-200, 1e-300], [1.0, 0.0]], [-1e-3, 0.0]), {(False, True), (False, False)}),
    "the same unit twice": (single([[1.0, 2.0], [1.0, 2.0]], [0.1, 0.1]), {(True, True), (False, False)}),
    "one line, both sides": (single([[0.1, 0.3], [-0.1, -0.3]], [0.1, -0.1]), {(True, False), (False, True)}),
    "the smallest weights of all": (single([[5e-324, 0.0]], [0.0]), {(True,), (False,)}),
    "a sum that is zero and in floats one": (
        single([[0.0, 0.0]] * 4, [1.0, 1e16, 1e16, 1.0], ([[-1.0, -1.0, 1.0, 1.0]], [0.0])),
        {(True, True, True, True, False)},
    ),
}


@pytest.mark.parametrize("name", list(DEGENERATE))
def test_both_ways_to_the_patterns_agree_on_constant_and_equal_units(name):
    net, expected = DEGENERATE[name]
    assert patterns_by_programs(net, 10.0, thinnest=1e-9) == expected
    assert set(map(tuple, regions(net, square(10.0)).codes.tolist())) == patterns_by_programs(net, 10.0, thinnest=1e-9)


@pytest.mark.parametrize("half", [1e-12, 1e12])
def test_programs_count_in_a_square_of_any_size(half):
    net = single([[1.0, 0.5], [0.25, -1.0]], [0.125 * half, 0.25 * half])
    assert len(patterns_by_programs(net, half, thinnest=half * 1e-6)) == 4


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
def test_folding_multiplies_by_four(layers):
    found = regions(folding(layers), square(1.0))
    assert len(found.polygons) == 4**layers
    assert found.settled > 0, "its lines lie on one another, which only whole numbers can tell"
    assert found.polygons.areas.tolist() == pytest.approx([4.0 ** (1 - layers)] * 4**layers)


def test_deep_lines_through_one_point_are_settled_exactly():
    # The first layer is the two coordinates and their negatives, the second has three lines through (1/3, 1/3), the
    # float. The same with one line moved by one unit of rounding has a triangle more.
    third = 1 / 3
    pass_on = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], dtype=F64)
    lines = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], dtype=F64)
    for offset, expected in ((2 / 3, 6), (math.nextafter(2 / 3, 1), 7)):
        biases = -torch.tensor([third, third, offset], dtype=F64)
        weights = (pass_on, lines @ pass_on.T, torch.ones(1, 3, dtype=F64))
        net = Network(weights, (torch.zeros(4, dtype=F64), biases, torch.zeros(1, dtype=F64)))
        found = regions(net, square(1.0))
        assert len(found.codes[:, 4:].unique(dim=0)) == expected


def test_whole_numbers_and_floats_agree_where_both_are_sure():
    net = network(9, 2, 6, 6, 6, 1)
    part = Network((*net.weights[:2], torch.ones(1, 6, dtype=F64)), (*net.biases[:2], torch.zeros(1, dtype=F64)))
    found = regions(part, square(2.0))
    exact = splines._Exact(net, sides(convex(square(2.0))))
    forms, _ = splines._composed(net.weights[2], net.biases[2], *_inputs(net, found))
    line = forms[:, 0].contiguous()
    sure = signs(found.polygons, line, 1e-12 * torch.ones_like(line))
    for region, corner, *meeting in doubts(found.polygons, torch.zeros_like(sure)):
        if sure[region, corner] != 0:
            assert exact(found.codes[region], *meeting) == sure[region, corner]


def _inputs(net: Network, found: splines.Regions) -> tuple[torch.Tensor, torch.Tensor]:
    forms = torch.cat((net.weights[0], net.biases[0][:, None]), dim=1) * found.codes[:, :6, None]
    offset = torch.nn.functional.pad(net.biases[1][:, None], (2, 0))
    forms = (net.weights[1] @ forms + offset) * found.codes[:, 6:, None]
    return forms, torch.zeros_like(forms)


def test_a_network_that_is_flat_somewhere():
    # All units of the first layer off in one quadrant: the second layer is constant there.
    net = Network(
        (torch.eye(2, dtype=F64), normal(11, 4, 2), torch.ones(1, 4, dtype=F64)),
        (torch.zeros(2, dtype=F64), normal(12, 4), torch.zeros(1, dtype=F64)),
    )
    found = regions(net, square(5.0))
    flat = ~found.codes[:, :2].any(dim=1)
    assert flat.sum() == 1
    assert torch.equal(found.codes[flat][0, 2:], net.biases[1] > 0)


def test_winners():
    net = network(13, 2, 8, 8, 5)
    found = regions(net, square(3.0))
    won = winners(found)
    assert torch.equal(net(won.polygons.centroids).argmax(dim=1), won.outputs)
    assert torch.equal(net.code(won.polygons.centroids), found.codes[won.regions])
    torch.testing.assert_close(won.polygons.areas.sum(), torch.tensor(36.0, dtype=F64), rtol=1e-12, atol=0)
    assert len(won.outputs.unique()) > 1


# Segments


@pytest.mark.parametrize("widths", [(8,), (8, 8), (6, 6, 6)])
def test_crossings_against_many_points(widths):
    net, starts, ends = network(14, 4, *widths, 1), normal(15, 30, 4), normal(16, 30, 4)
    found = crossings(net, starts, ends)
    along = torch.lerp(starts[:, None], ends[:, None], torch.linspace(0, 1, 20001, dtype=F64)[:, None])
    on = [each > 0 for each in net.potentials(along)[:-1]]
    expected = torch.stack([(each[:, 1:] != each[:, :-1]).sum(dim=(1, 2)) for each in on], dim=1)
    assert torch.equal(found.counts, expected)
    assert torch.equal(found.flips, torch.stack([(each[:, 0] != each[:, -1]).sum(dim=1) for each in on], dim=1))
    assert torch.equal(found.counts[:, 0], found.flips[:, 0]), "a straight line meets a hyperplane once"
    assert ((found.counts - found.flips) % 2 == 0).all()
    torch.testing.assert_close(found.distances[:, 0], (starts - ends).norm(dim=1))
    inner = net.potentials(torch.stack((starts, ends)))[:-2]
    for layer, values in enumerate(inner, start=1):
        torch.testing.assert_close(found.distances[:, layer], (values[0].relu() - values[1].relu()).norm(dim=1))
    assert torch.equal(found.counts, crossings(net, ends, starts).counts)


def test_crossings_in_chunks_are_the_same():
    net, starts, ends = network(17, 3, 9, 9, 1), normal(18, 40, 3), normal(19, 40, 3)
    whole = crossings(net, starts, ends)
    with pieces.budget(1):
        assert torch.equal(crossings(net, starts, ends).counts, whole.counts)


def test_a_segment_that_crosses_n_boundaries_meets_n_plus_1_regions():
    net, ends = network(20, 2, 10, 10, 1), square(2.0)
    found = crossings(net, ends[:1], ends[2:3])
    diagonal = torch.linspace(-2, 2, 100001, dtype=F64)[:, None].expand(-1, 2)
    codes = net.code(diagonal)
    assert found.counts.sum() + 1 == len(codes.unique_consecutive(dim=0))


# Training


def test_training_learns_and_leaves_its_beginning_alone():
    begin, inputs = network(21, 2, 16, 2), normal(22, 200, 2)
    labels = (inputs.prod(dim=1) > 0).long()
    before = begin.weights[0].clone()
    after = train(begin, inputs, labels, epochs=60, batch=50, rate=0.02, generator=torch.Generator().manual_seed(0))
    assert torch.equal(begin.weights[0], before)
    assert (after(inputs).argmax(dim=1) == labels).double().mean() > 0.9
    again = train(begin, inputs, labels, epochs=60, batch=50, rate=0.02, generator=torch.Generator().manual_seed(0))
    assert all(torch.equal(a, b) for a, b in zip(after.weights, again.weights, strict=True))
    assert not after.weights[0].requires_grad


@CUDA
def test_cpu_and_cuda_agree():
    net = network(23, 2, 12, 12, 1)
    near, far = regions(net, square(3.0)), regions(net.to("cuda"), square(3.0, device="cuda"))
    assert torch.equal(near.codes, far.codes.cpu())
    starts, ends = normal(24, 50, 2), normal(25, 50, 2)
    far_counts = crossings(net.to("cuda"), starts.cuda(), ends.cuda()).counts
    assert torch.equal(crossings(net, starts, ends).counts, far_counts.cpu())


NET, POINTS, LABELS = network(0, 2, 3, 2), normal(0, 4, 2), torch.tensor([0, 1, 0, 1])
GO = {"epochs": 1, "batch": 2, "rate": 0.1, "generator": torch.Generator()}
LAYER = MaxAffine(normal(0, 2, 3, 4), normal(0, 2, 3))
BAD = [
    (lambda: zaslavsky(-1, 2), "hyperplanes: expected an integer >= 0; got -1"),
    (lambda: zaslavsky(3, 0), r"dimension: expected an integer in \[1, 10000\]; got 0"),
    (lambda: cover(0, 2), "patterns: expected an integer >= 1; got 0"),
    (lambda: cover(2, 0), r"neurons: expected an integer in \[1, 10000\]; got 0"),
    (lambda: MaxAffine(normal(0, 2, 3), normal(0, 2, 3)), "slopes: expected axes .units, pieces, inputs."),
    (lambda: MaxAffine(normal(0, 2, 3, 4), normal(0, 2, 2)), "offsets: expected axes .* pieces = 3"),
    (lambda: LAYER(POINTS), "x: expected axes .* inputs = 4"),
    (lambda: LAYER.cell(torch.zeros(1, 3, dtype=torch.int64)), r"codes: expected int64 of shape \(codes, 2\)"),
    (lambda: LAYER.cell(torch.full((1, 2), 3)), r"codes: expected integers in \[0, 2\]"),
    (lambda: rectified(normal(0, 3, 2), normal(0, 2)), "biases: expected axes .* units = 3"),
    (
        lambda: Network(NET.weights[:1], NET.biases[:1]),
        "weights, biases: expected the same number of layers, at least 2",
    ),
    (lambda: Network(NET.weights[:1] * 2, NET.biases[:1] * 2), r"weights\[1\]: expected axes .* inputs = 3"),
    (lambda: Network(NET.weights, NET.biases[::-1]), r"biases\[0\]: expected axes .* units = 3"),
    (lambda: Network((NET.weights[0].float(), NET.weights[1]), NET.biases), r"biases\[0\]: expected float32"),
    (lambda: NET(normal(0, 3)), "x: expected axes .* inputs = 2"),
    (lambda: NET.on(normal(0, 3), normal(0, 2, 3)), "origin: expected axes .* inputs = 2"),
    (lambda: NET.on(normal(0, 2), normal(0, 3, 2)), "axes: expected axes .* coordinates = 2"),
    (lambda: plane(normal(0, 2, 5)), "points: expected axes .* points = 3"),
    (
        lambda: plane(torch.arange(3.0, dtype=F64)[:, None].expand(3, 4)),
        "points: expected three points that span a plane",
    ),
    (lambda: plane(torch.arange(3.0, dtype=F64)[:, None]), "points: expected three points that span a plane"),
    (lambda: he([2, 3], rng=np.random.default_rng(0)), "widths: expected inputs, at least one layer and outputs"),
    (lambda: he([2, 0, 1], rng=np.random.default_rng(0)), r"widths\[1\]: expected an integer >= 1; got 0"),
    (lambda: he([2, 3, 1], bias=-1.0, rng=np.random.default_rng(0)), "bias: expected a finite number >= 0"),
    (lambda: folding(0), "layers: expected an integer >= 1; got 0"),
    (lambda: regions(network(0, 3, 3, 1), square(1.0)), "network: expected 2 inputs in float64; got 3 inputs"),
    (
        lambda: regions(NET.to(torch.float32), square(1.0)),
        "network: expected 2 inputs in float64; got 2 inputs, torch.float32",
    ),
    (lambda: regions(NET, square(1.0)[:2]), "vertices: expected at least 3 vertices"),
    (lambda: patterns_by_programs(NET, 0.0), "half: expected a finite number > 0"),
    (lambda: patterns_by_programs(NET, 1.0, thinnest=0.0), "thinnest: expected a finite number > 0"),
    (lambda: crossings(NET, POINTS, POINTS[:2]), "ends: expected axes .* segments = 4"),
    (lambda: crossings(NET, normal(0, 4, 3), POINTS), "starts: expected axes .* inputs = 2"),
    (lambda: train(NET, POINTS, LABELS[:2], **GO), r"labels: expected int64 of shape \(4,\)"),
    (lambda: train(NET, POINTS, LABELS + 1, **GO), r"labels: expected integers in \[0, 1\]"),
    (lambda: train(NET, POINTS.float(), LABELS, **GO), "inputs: expected float64"),
    (lambda: train(NET, POINTS, LABELS, **GO | {"epochs": -1}), "epochs: expected an integer >= 0"),
    (lambda: train(NET, POINTS, LABELS, **GO | {"batch": 0}), "batch: expected an integer >= 1"),
    (lambda: train(NET, POINTS, LABELS, **GO | {"rate": 0.0}), "rate: expected a finite number > 0"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
