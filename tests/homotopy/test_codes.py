"""Codes of place cells: geometry by hand, brute force, collapses against whole complexes, laws against draws."""

import itertools
import math

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import codes
from memscape.tools import pieces
from memscape.tools.homology import betti_by_elimination, together

gudhi = pytest.importorskip("gudhi")


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


def test_holes_keep_apart_and_positions_keep_out():
    holes = codes.place_holes(7, 4, 0.1, generator=draw())
    assert holes.shape == (7, 4, 2)
    assert ((holes >= 0.2) & (holes <= 0.8)).all()
    for each in holes:
        assert torch.pdist(each).min() >= 0.3
    points = codes.positions("square", 7, 500, holes=holes, radius=0.1, generator=draw(1))
    assert torch.cdist(points, holes).min() >= 0.1
    # The share of the square that the holes leave is met evenly: the mean lies in the middle within five errors.
    many = codes.positions("torus", 1, 20000, generator=draw(2))
    assert abs(many.mean().item() - 0.5) < 5 / math.sqrt(12 * 40000)
    ball = codes.positions("sphere", 2, 5000, generator=draw(3))
    assert torch.allclose(ball.norm(dim=-1), torch.ones(2, 5000, dtype=torch.float64))
    assert ball.mean(dim=1).abs().max() < 5 / math.sqrt(3 * 5000)


@pytest.mark.parametrize("world", ["square", "torus", "klein"])
def test_firing_by_all_images(world):
    points = codes.positions(world, 2, 60, generator=draw(4))
    centres = codes.positions(world, 2, 9, generator=draw(5))
    found = codes.firing(world, points, centres, 0.2)
    for a, t, n in itertools.product(range(2), range(60), range(9)):
        x, c = points[a, t].tolist(), centres[a, n].tolist()
        images = [c]
        if world != "square":
            flip = world == "klein"
            images = [
                [c[0] + i, (1 - c[1] if flip and i % 2 else c[1]) + j]
                for i in (-2, -1, 0, 1, 2)
                for j in (-2, -1, 0, 1, 2)
            ]
        assert found[a, t, n] == any(math.dist(x, image) < 0.2 for image in images)


def test_firing_on_the_sphere_and_radii_of_their_own():
    points = codes.positions("sphere", 1, 40, generator=draw(6))
    centres = codes.positions("sphere", 1, 5, generator=draw(7))
    radii = torch.linspace(0.2, 1.0, 5, dtype=torch.float64)[None]
    found = codes.firing("sphere", points, centres, radii)
    for t, n in itertools.product(range(40), range(5)):
        angle = math.acos(float(points[0, t] @ centres[0, n]))
        assert found[0, t, n] == (angle < radii[0, n])


@pytest.mark.parametrize("world", codes.WORLDS)
def test_arenas_do_not_see_each_other(world):
    points = codes.positions(world, 5, 400, generator=draw(8))
    centres = codes.positions(world, 5, 30, generator=draw(9))
    found = codes.firing(world, points, centres, 0.2)  # two arenas at a time
    alone = [codes.firing(world, points[i : i + 1], centres[i : i + 1], 0.2) for i in range(5)]
    assert found.any(dim=1).any(dim=1).all()
    assert torch.equal(found, torch.cat(alone))
    with pieces.budget(1):
        assert torch.equal(found, codes.firing(world, points, centres, 0.2))


def test_the_share_that_fires_is_the_area():
    words = codes.cells("torus", 4, 30, 0.1, 4000, generator=draw(8))
    assert abs(words.double().mean().item() - math.pi * 0.01) < 0.001
    wide = codes.cells("torus", 4, 200, 0.1, 1000, widest=0.2, generator=draw(9))
    assert abs(wide.double().mean().item() - math.pi * (0.15**2 + 0.1**2 / 12)) < 0.004


@pytest.mark.parametrize(("world", "radius", "expected"), [
    ("square", 0.25, {2: (1, 0, 0), 3: (1, 0, 0)}),
    ("torus", 0.25, {2: (1, 2, 1), 3: (1, 2, 1)}),
    ("klein", 0.25, {2: (1, 2, 1), 3: (1, 1, 0)}),
    ("sphere", 0.9, {2: (1, 0, 1), 3: (1, 0, 1)}),
])  # fmt: skip
def test_worlds_from_their_codes(world, radius, expected):
    words = codes.cells(world, 1, 60, radius, 20000, generator=draw(10))
    found = codes.betti(words, 2, fields=(2, 3))
    assert found.tolist() == [[list(expected[2]), list(expected[3])]]


def test_a_small_klein_bottle_by_elimination():
    # A regular grid of fields, so few that the boundary matrices can be eliminated over three fields of numbers.
    at = (torch.arange(5, dtype=torch.float64) + 0.5) / 5
    centres = torch.cartesian_prod(at, at)[None]
    points = codes.positions("klein", 1, 6000, generator=draw(11))
    words = codes.firing("klein", points, centres, 0.19)
    tree = together(words[0].numpy(), 3)
    assert codes.betti(words, 2, fields=(2, 3)).tolist() == [[[1, 2, 1], [1, 1, 0]]]
    for field, numbers in ((2, (1, 2, 1)), (3, (1, 1, 0)), (0, (1, 1, 0))):
        assert betti_by_elimination(tree, field)[:3] == numbers


def test_permuted_spikes_keep_their_number_and_lose_their_company():
    words = codes.cells("square", 2, 20, 0.15, 1000, generator=draw(12))
    noise = codes.permuted(words, generator=draw(13))
    assert torch.equal(noise.sum(dim=1), words.sum(dim=1))
    joint = [(each.float().mT @ each.float()).triu(1) for each in (words, noise)]
    assert joint[1].std() < 0.5 * joint[0].std()


def test_cells_are_split_where_their_partners_fall_apart():
    words = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [1, 0, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0]], dtype=bool)
    # Cell 0 fires with 1, and with 2 and 3: two groups; the word in which it fires alone goes to the larger one.
    found = codes.split(words)
    assert found.T.tolist() == [
        [True, False, False, False, False],
        [False, True, True, True, False],
        [True, False, False, False, True],
        [False, True, True, False, False],
        [False, False, True, False, False],
    ]
    assert codes.split(found).shape == found.shape
    assert np.array_equal(codes.split(words, rounds=5), found)
    together_ = words.copy()
    together_[3] = True
    assert np.array_equal(codes.split(together_), together_)
    assert codes.split(np.array([[True, False]])).tolist() == [[True]]


def test_partners_of_two_fields():
    first = torch.tensor([[[1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]], dtype=torch.bool)
    second = torch.zeros_like(first)
    second[0, 1, 0] = True  # cell 0 fires with 1, and, far away, with 2
    assert codes.partners(first, second).tolist() == [[False] * 4]
    second[0, 1, 1] = True  # cell 1, its partner, has a second field there, too: both share a partner now
    assert codes.partners(first, second).tolist() == [[True, True, False, False]]
    meets = torch.zeros_like(first)
    meets[0, 0, 0] = True  # a second field on the first one
    assert codes.partners(first, meets).tolist() == [[True, False, False, False]]


def test_one_cell_with_two_fields_adds_a_loop_or_none():
    for seed in range(6):
        generator = draw(seed)
        points = codes.positions("square", 1, 2000, generator=generator)
        centres = codes.positions("square", 1, 70, generator=generator)
        first = codes.firing("square", points, centres, 0.17)
        other = codes.positions("square", 1, 1, generator=generator)
        second = torch.zeros_like(first)
        second[..., :1] = codes.firing("square", points, other, 0.17)
        apart = torch.cat([first, second[..., :1]], dim=2)
        more = (codes.betti(first | second, 1) - codes.betti(apart, 1))[0, 0].tolist()
        assert more[0] == 0
        assert more[1] <= 0 if codes.partners(first, second)[0, 0] else more[1] == 1


def test_the_expected_number_of_uncovered_regions():
    # Closed forms: one cap leaves one disc; two caps leave a disc if they meet and a ring if not.
    for p in (0.05, 0.3):
        assert codes.uncovered("sphere", 2, p) == pytest.approx(4 * p * (1 - p))
        assert codes.uncovered("torus", 2, p) == pytest.approx(2 * (2 * p - 1))
    assert codes.uncovered("klein", 90, 0.08) == codes.uncovered("torus", 90, 0.08)
    # Draws: pixels of the torus, Euler characteristic of what is left by counting corners, edges and squares.
    grid = 300
    axis = (torch.arange(grid, dtype=torch.float64) + 0.5) / grid
    pixels = torch.cartesian_prod(axis, axis)[None]
    found = []
    for seed in range(40):
        centres = codes.positions("torus", 1, 25, generator=draw(seed))
        free = ~codes.firing("torus", pixels, centres, 0.2)[0].any(dim=1).reshape(grid, grid)
        right, down = free.roll(-1, 0), free.roll(-1, 1)
        corner = right.roll(-1, 1)
        count = free.sum() - (free & right).sum() - (free & down).sum() + (free & right & down & corner).sum()
        found.append(float(count))
    mean, error = np.mean(found), np.std(found) / math.sqrt(len(found))
    assert abs(mean - codes.uncovered("torus", 25, math.pi * 0.04)) < 4 * error


def test_lattices_cover_when_their_squares_are_covered():
    axis = (torch.arange(3, dtype=torch.float64) + 0.5) / 3
    lattice = torch.cartesian_prod(axis, axis)[None]
    for world in ("torus", "klein"):
        for shift in (0.0, 0.05):  # moved to the right, a lattice stays one
            moved = lattice + torch.tensor([shift, 0.0])
            assert codes.covered(world, moved, math.sqrt(0.5) / 3 + 1e-6).tolist() == [True]
            assert codes.covered(world, moved, math.sqrt(0.5) / 3 - 1e-6).tolist() == [False]
    assert codes.covered("torus", lattice[:, :2], 0.25).tolist() == [False]


@pytest.mark.parametrize("world", ["torus", "klein"])
def test_covered_is_no_uncovered_crossing(world):
    # Where something is left, two circles cross at a point that no third disc covers: all crossings by all images.
    radius = 0.25
    centres = codes.positions(world, 40, 30, generator=draw(3))
    free = []
    for some in centres:
        copies = [
            torch.stack([some[:, 0] + i, (1 - some[:, 1] if world == "klein" and i % 2 else some[:, 1]) + j], dim=1)
            for i, j in itertools.product((-1, 0, 1), repeat=2)
        ]
        every = torch.cat(copies)
        apart = every - some[:, None]
        half = apart.norm(dim=2, keepdim=True) / 2
        normal = torch.stack([-apart[..., 1], apart[..., 0]], dim=2) / (2 * half) * (radius**2 - half**2).sqrt()
        middle = some[:, None] + apart / 2
        meet = ((half > 0) & (half < radius))[..., 0]
        points = torch.cat([(middle + normal)[meet], (middle - normal)[meet]])
        free.append(bool((torch.cdist(points, every) < radius - 1e-9).any(dim=1).logical_not().any()))
    found = codes.covered(world, centres, radius)
    assert 5 < sum(free) < 35
    assert found.tolist() == [not each for each in free]
    assert codes.covered(world, centres[7:8], radius).tolist() == found[7:8].tolist()


def test_missed_faces_fall_with_the_root_of_the_sample():
    one, four = (codes.missed(90, 0.16, count) for count in (1000, 4000))
    assert one == pytest.approx(2 * four)
    # The integral over directions by another way: random directions.
    rng = np.random.default_rng(0)
    angles = np.sort(rng.random((400_000, 3)) * 2 * np.pi, axis=1)
    gaps = np.diff(angles, axis=1, append=angles[:, :1] + 2 * np.pi)
    gaps = gaps[(gaps < np.pi).all(axis=1)]
    integrand = np.sin(gaps).sum(axis=1) / np.sqrt(np.tan(gaps / 2).sum(axis=1))
    expected = integrand.sum() / 400_000 * (2 * np.pi) ** 3
    assert codes._directions() == pytest.approx(expected, rel=0.01)


def test_deviations_from_a_law():
    assert codes.deviations([5, 9], [10, 36], [0.5, 0.5]).tolist() == [0.0, 3.0]
    with pytest.raises(ArgumentError, match="trials"):
        codes.deviations([1], [2, 3], [0.5])


@pytest.mark.parametrize(("call", "name"), [
    (lambda: codes.place_holes(1, 5, 0.2, generator=draw()), "radius"),
    (lambda: codes.positions("disc", 1, 5, generator=draw()), "world"),
    (lambda: codes.positions("torus", 1, 5, holes=torch.zeros(1, 1, 2).double(), generator=draw()), "holes"),
    (lambda: codes.firing("torus", torch.zeros(1, 3, 2), torch.zeros(1, 3, 2), 0.3), "radii"),
    (lambda: codes.firing("square", torch.full((1, 3, 2), math.nan), torch.zeros(1, 3, 2), 0.3), "points"),
    (lambda: codes.betti(torch.zeros(1, 2, 2, dtype=torch.bool), 1), "words"),
    (lambda: codes.betti(torch.ones(1, 2, 2, dtype=torch.bool), 1, fields=(4,)), "field"),
    (lambda: codes.split(np.zeros((2, 2), bool)), "words"),
    (lambda: codes.uncovered("square", 5, 0.1), "world"),
    (lambda: codes.covered("square", torch.zeros(1, 3, 2), 0.1), "world"),
    (lambda: codes.covered("torus", torch.zeros(1, 1, 2), 0.1), "centres"),
    (lambda: codes.covered("torus", torch.zeros(1, 3, 2), 0.3), "radius"),
    (lambda: codes.missed(2, 0.1, 5), "neurons"),
])  # fmt: skip
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ArgumentError, match=name):
        call()
