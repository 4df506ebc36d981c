"""Convex polygons cut by lines: counts, areas, Euler's formula, and decisions by fractions."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.polytopes.polygons import Polygons, arrange, convex, cut, doubts, exact_sign, sides, signs, square

F64 = torch.float64
CUDA = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def random_lines(seed: int, count: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(count, 3)) * [1.0, 1.0, 0.1])


def crossings_inside(lines: torch.Tensor, half: float) -> int:
    pairs = list(itertools.combinations(range(len(lines)), 2))
    first, second = (lines[[pair[i] for pair in pairs]] for i in (0, 1))
    both = torch.stack((first[:, :2], second[:, :2]), dim=1)
    met = torch.linalg.solve(both, -torch.stack((first[:, 2], second[:, 2]), dim=1))
    return int((met.abs() < half).all(dim=1).sum())


def rational_count(corners: torch.Tensor, lines: torch.Tensor) -> int:
    """Regions of a convex window, in fractions: one, one for each line that enters it, and at each point inside where k
    lines meet k - 1 more."""
    rim = [tuple(map(Fraction, corner)) for corner in corners.tolist()]
    walls = [(y - v, u - x, x * v - u * y) for (x, y), (u, v) in zip(rim, rim[1:] + rim[:1], strict=True)]
    real = [tuple(map(Fraction, line)) for line in lines.tolist() if any(line[:2])]
    apart = {tuple(each / (line[0] or line[1]) for each in line) for line in real}
    entering = []
    for a, b, c in apart:
        values = [a * x + b * y + c for x, y in rim]
        if min(values) < 0 < max(values):
            entering.append((a, b, c))
    meetings: dict[tuple[Fraction, Fraction], set[int]] = {}
    for (i, (a, b, c)), (j, (d, e, f)) in itertools.combinations(enumerate(entering), 2):
        if meet := a * e - b * d:
            x, y = (b * f - c * e) / meet, (c * d - a * f) / meet
            sides = [p * x + q * y + r for p, q, r in walls]
            if min(sides) > 0 or max(sides) < 0:
                meetings.setdefault((x, y), set()).update((i, j))
    return 1 + len(entering) + sum(len(each) - 1 for each in meetings.values())


def spins_on_a_plane(seed: int, memories: int, neurons: int) -> torch.Tensor:
    """Overlaps of spins with each point of the plane through the first three, in coordinates in which those are (0, 0),
    (1, 0) and (0, 1): whole numbers."""
    spins = torch.from_numpy(np.random.default_rng(seed).choice([-1.0, 1.0], size=(memories, neurons)))
    overlaps = spins @ spins[:3].T
    return torch.cat((overlaps[:, 1:] - overlaps[:, :1], overlaps[:, :1]), dim=1)


def euler(polygons: Polygons) -> int:
    """Vertices - edges + faces of the subdivision, vertices told apart by their coordinates."""
    ends, labels, _ = polygons.edges()
    points = polygons.vertices[polygons.real]
    apart = torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist") < 1e-9
    vertices = len(apart.int().unique(dim=0))
    rim = int((labels < 0).sum())
    assert (len(ends) - rim) % 2 == 0, "an inner edge has two sides"
    return vertices - (rim + (len(ends) - rim) // 2) + len(polygons)


def astray(polygons: Polygons, lines: torch.Tensor) -> float:
    """How far the ends of an edge are from the line it names, at most."""
    ends, labels, _ = polygons.edges()
    named = lines[labels.clamp_min(0), None]
    away = (ends * named[..., :2]).sum(dim=-1) + named[..., 2]
    return away[labels >= 0].abs().max().item()


@pytest.mark.parametrize("count", [1, 2, 3, 8, 16, 32])
def test_lines_in_general_position_make_as_many_regions_as_zaslavsky_says(count):
    lines = random_lines(count, count)
    # So large a window that it holds every crossing, found from the lines alone.
    half = 1e4
    while crossings_inside(lines, half) < math.comb(count, 2):
        half *= 10
    regions = arrange(square(half), lines)
    assert len(regions.polygons) == 1 + count + math.comb(count, 2)
    assert len(regions.codes.unique(dim=0)) == len(regions.polygons)


@pytest.mark.parametrize("seed", range(5))
def test_in_a_small_window_every_crossing_inside_adds_one_region(seed):
    lines, half = random_lines(seed, 25), 0.3
    corners = square(half)
    values = corners @ lines[:, :2].T + lines[:, 2]
    meeting = int(((values > 0).any(dim=0) & (values < 0).any(dim=0)).sum())
    assert len(arrange(corners, lines).polygons) == 1 + meeting + crossings_inside(lines, half)


@pytest.mark.parametrize("seed", range(4))
def test_a_plane_through_three_spin_states_has_as_many_regions_as_fractions_count(seed):
    # Many lines meet in one point and some coincide: the overlaps of 24 spins are few whole numbers.
    lines, window = spins_on_a_plane(seed, 18, 24), square(1.7)
    count = rational_count(window, lines)
    found = arrange(window, lines)
    assert len(found.polygons) == len(found.codes.unique(dim=0)) == count
    general = random_lines(seed, 18)
    assert count < len(arrange(square(1e4), general).polygons), "it is a degenerate case"
    # The same lines in other coordinates, where every coefficient is rounded: other lines, but their count is right.
    turn = torch.tensor([[math.cos(1.0), math.sin(1.0)], [-math.sin(1.0), math.cos(1.0)]], dtype=F64)
    turned = torch.cat((lines[:, :2] @ turn, lines[:, 2:]), dim=1)
    assert len(arrange(window, turned).polygons) == rational_count(window, turned)


@pytest.mark.parametrize("seed", range(3))
def test_laws_of_an_arrangement(seed):
    lines = random_lines(10 + seed, 20)
    hexagon = torch.tensor([[math.cos(a), math.sin(a)] for a in np.arange(6) * math.pi / 3], dtype=F64)
    regions = arrange(hexagon, lines)
    polygons = regions.polygons
    # Area is conserved up to the rounding of as many terms as there are vertices.
    torch.testing.assert_close(polygons.areas.sum(), convex(hexagon).areas[0], rtol=1e-13, atol=0)
    assert (polygons.areas > 0).all()
    assert euler(polygons) == 1
    inside = polygons.centroids @ lines[:, :2].T + lines[:, 2]
    assert torch.equal(inside.sign().to(torch.int8), regions.codes)
    ends, _, owner = polygons.edges()
    lengths = torch.linalg.vector_norm(ends[:, 1] - ends[:, 0], dim=1)
    assert (lengths > 0).all()
    assert astray(polygons, lines) < 1e-12
    assert torch.equal(owner.bincount(), polygons.counts)
    assert [len(ring) for ring in polygons.rings()] == polygons.counts.tolist()


def test_every_point_lies_in_the_region_of_its_code():
    lines = random_lines(20, 12)
    regions = arrange(square(1.0), lines)
    known = {tuple(code) for code in regions.codes.tolist()}
    points = 2 * torch.rand(20000, 2, generator=torch.Generator().manual_seed(1), dtype=F64) - 1
    codes = (points @ lines[:, :2].T + lines[:, 2]).sign().to(torch.int8)
    assert {tuple(code) for code in codes.tolist()} <= known


@pytest.mark.parametrize(
    ("offset", "regions"), [(2 / 3, 6), (math.nextafter(2 / 3, 1), 7), (math.nextafter(2 / 3, 0), 7)]
)
def test_three_lines_through_one_point_or_past_it_by_one_unit_of_rounding(offset, regions):
    third = 1 / 3  # the float; twice it is the float 2/3, exactly
    lines = torch.tensor([[1.0, 0.0, -third], [0.0, 1.0, -third], [1.0, 1.0, -offset]], dtype=F64)
    assert len(arrange(square(1.0), lines).polygons) == regions
    assert len(arrange(square(1.0), lines, torch.full_like(lines, 1e-15)).polygons) == 6


def test_many_lines_through_one_point_with_uncertain_coefficients():
    angles = torch.arange(1, 10, dtype=F64) / 3
    slopes = torch.stack((angles.cos(), angles.sin()), dim=1)
    point = torch.tensor([0.3, 0.4], dtype=F64)
    lines = torch.cat((slopes, -(slopes @ point)[:, None]), dim=1)
    meant = arrange(square(1.0), lines, 4e-16 * torch.ones_like(lines))
    assert len(meant.polygons) == 18
    assert euler(meant.polygons) == 1
    assert astray(meant.polygons, lines) < 1e-12
    exact = arrange(square(1.0), lines)
    assert len(exact.polygons) > 18, "as floats they do not all meet in one point"


def test_nearly_parallel_lines_keep_their_order():
    # Fan of ten lines, neighbours at angles of 1e-13: all cross each other in the window, at points known to 1e-3.
    slopes = torch.arange(10, dtype=F64) * 1e-13
    lines = torch.stack((slopes, torch.ones_like(slopes), -(slopes**2) * 1e13), dim=1)
    regions = arrange(square(100.0), lines)
    exact = [tuple(map(Fraction, line)) for line in lines.tolist()]
    inside = 0
    for first, second in itertools.combinations(exact, 2):
        meet = first[0] * second[1] - first[1] * second[0]
        x = (first[1] * second[2] - first[2] * second[1]) / meet
        y = (first[2] * second[0] - first[0] * second[2]) / meet
        inside += abs(x) < 100 and abs(y) < 100
    assert inside == 45
    assert len(regions.polygons) == 1 + 10 + 45


def test_the_bound_on_the_error_of_a_vertex_holds():
    lines = random_lines(30, 24)
    polygons = arrange(square(100.0), lines).polygons
    exact = [tuple(map(Fraction, line)) for line in lines.tolist()]
    base = sides(convex(square(100.0)))
    everywhere = doubts(polygons, torch.zeros_like(polygons.walls, dtype=torch.int8))
    shares = []
    for region, corner, *meeting in everywhere:
        (a, b, c), (d, e, f) = (exact[each] if each >= 0 else base[-1 - each] for each in meeting)
        x, y = (Fraction(value) for value in polygons.vertices[region, corner].tolist())
        meet = a * e - b * d
        away = math.hypot(x - (b * f - c * e) / meet, y - (c * d - a * f) / meet)
        bound = polygons.errors[region, corner].item()
        assert away <= bound
        shares.append(away / bound if bound else 0.0)
    assert np.median(shares) > 1e-4, "bounds, and not wild ones"


def test_exact_sign():
    assert exact_sign((1, 1, -1), (1, 0, 0), (0, 1, 0)) == -1
    assert exact_sign((1, 1, -1), (0, 1, 0), (1, 0, 0)) == -1, "whichever line comes first"
    assert exact_sign((1, 1, -1), (1, 0, -1), (0, 1, Fraction(-1, 10**40))) == 1
    assert exact_sign((1, 1, -1), (1, 0, -1), (0, 1, 0)) == 0


def test_cut_numbers_its_parts():
    polygons = convex(square(1.0))
    for label, line in enumerate(torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.5], [1.0, 0.0, 5.0]], dtype=F64)):
        found = signs(polygons, line)
        done = cut(polygons, line, found, label)
        inside = done.polygons.centroids @ line[:2] + line[2]
        assert torch.equal(inside.sign().to(torch.int8), done.sides)
        kept = polygons.centroids[done.parents]
        same = (done.sides[: len(polygons)] != 0) & (torch.bincount(done.parents)[done.parents[: len(polygons)]] == 1)
        assert torch.equal(done.polygons.centroids[: len(polygons)][same], kept[: len(polygons)][same])
        polygons = done.polygons
    assert len(polygons) == 4
    assert sorted(polygons.areas.tolist()) == pytest.approx([0.5, 0.5, 1.5, 1.5])
    assert polygons.labels[polygons.real].unique().tolist() == [-4, -3, -2, -1, 0, 1]


def test_one_line_a_polygon():
    halves = cut(
        convex(square(1.0)), (line := torch.tensor([1.0, 0.0, 0.0], dtype=F64)), signs(convex(square(1.0)), line), 0
    )
    lines = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 9.0]], dtype=F64)
    done = cut(halves.polygons, lines, signs(halves.polygons, lines), 1)
    assert done.parents.tolist() == [0, 1, 0]
    assert done.sides.tolist() == [1, 1, -1]


def test_a_polygon_on_the_line_has_no_side():
    triangle = convex(torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=F64))
    nothing = torch.zeros(3, dtype=F64)
    done = cut(triangle, nothing, signs(triangle, nothing), 0)
    assert done.sides.tolist() == [0]


def test_either_way_round():
    corners = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0]], dtype=F64)
    for vertices in (corners, corners.flip(0)):
        assert convex(vertices).areas.tolist() == [1.0]


@CUDA
def test_cpu_and_cuda_agree():
    lines = random_lines(40, 20)
    near, far = arrange(square(10.0), lines), arrange(square(10.0, device="cuda"), lines.cuda())
    assert torch.equal(near.codes, far.codes.cpu())
    torch.testing.assert_close(near.polygons.vertices, far.polygons.vertices.cpu(), rtol=0, atol=1e-12)


ONE, LINE = convex(square(1.0)), torch.tensor([1.0, 0.0, 0.0], dtype=F64)
SIGNS = signs(ONE, LINE)
PENTAGRAM = torch.tensor([[math.cos(a), math.sin(a)] for a in np.arange(5) * 4 * math.pi / 5], dtype=F64)
BAD = [
    (lambda: square(0.0), "half: expected a finite number > 0; got 0"),
    (lambda: convex(square(1.0)[:2]), "vertices: expected at least 3 vertices; got 2"),
    (lambda: convex(square(1.0).float()), "vertices: expected float64; got float32"),
    (lambda: convex(square(1.0)[[0, 2, 1, 3]]), "vertices: expected a strictly convex polygon"),
    (lambda: convex(PENTAGRAM), "vertices: expected a strictly convex polygon"),
    (lambda: convex(square(1.0)[[0, 1, 1, 2]]), "vertices: expected a strictly convex polygon"),
    (lambda: convex(torch.zeros(3, 3, dtype=F64)), r"vertices: expected axes .* coordinates = 2"),
    (lambda: signs(ONE, LINE[:2]), "lines: expected axes .* coefficients = 3"),
    (lambda: signs(ONE, LINE.float()), "lines: expected float64; got float32"),
    (lambda: signs(ONE, LINE / 0), "lines: expected finite values"),
    (lambda: signs(ONE, LINE.expand(2, 3)), r"lines: expected shape \(3,\) or \(1, 3\); got shape \(2, 3\)"),
    (lambda: signs(ONE, LINE, -LINE), "uncertainty: expected finite values >= 0; got -1"),
    (lambda: signs(ONE, LINE, LINE[None]), r"uncertainty: expected shape \(3,\); got shape \(1, 3\)"),
    (lambda: cut(ONE, LINE, SIGNS[:, :3], 0), r"signs: expected int8 of shape \(1, 4\)"),
    (lambda: cut(ONE, LINE, SIGNS, -1), "label: expected an integer >= 0; got -1"),
    (lambda: arrange(square(1.0), LINE), "lines: expected axes .lines, coefficients."),
    (lambda: arrange(square(1.0), LINE[None], LINE), r"uncertainty: expected shape \(1, 3\); got shape \(3,\)"),
    (lambda: exact_sign((1, 0, 0), (1, 2, 0), (2, 4, 1)), "second: expected a line that meets the first in one point"),
]


@pytest.mark.parametrize(("call", "message"), BAD)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
