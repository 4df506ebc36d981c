"""The faces of the zonotope by the rules of covectors, bars by hand, and the cube of states beside it."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy.optimize import linprog

from memscape.arguments import ArgumentError
from memscape.homotopy.landscape import balanced, index_of, powers
from memscape.homotopy.sublevel import barriers, bottleneck, cube_bars
from memscape.homotopy.zonotope import (
    column_types,
    covectors,
    critical_faces,
    fixed_points,
    in_overlaps,
    lowest_barrier,
    nearest,
    shares,
    strict_vertices,
    zonotope_bars,
)
from memscape.tools.exact import regions

try:
    import gudhi
except ImportError:
    gudhi = None
needs_gudhi = pytest.mark.skipif(gudhi is None, reason="GUDHI has no build for this machine")
SQUARE = [(0, -1 / 2, -1 / 4)] * 3 + [(0, -1 / 2, np.inf), (1, -1 / 4, 0.0)]
# 6 memories at -1/2, 8 mixtures at -3/8, passes at -1/3, faces at -1/4.
DODECAHEDRON = sorted(
    [(0, -1 / 2, -1 / 3)] * 5 + [(0, -1 / 2, np.inf)] + [(0, -3 / 8, -1 / 3)] * 8
    + [(1, -1 / 3, -1 / 4)] * 11 + [(2, -1 / 4, 0.0)]
)  # fmt: skip


def dimension(face, columns):
    return np.linalg.matrix_rank(columns[:, face == 0]) if (face == 0).any() else 0


@pytest.mark.parametrize("memories", [1, 2, 3, 4])
def test_covectors_are_all_there(memories):
    # Every covector is a composition of cocircuits: all cocircuits are there, and composing leads to nothing else.
    columns, found = column_types(memories), covectors(memories)
    known = {tuple(row) for row in found.tolist()}
    for some in itertools.combinations(range(columns.shape[1]), memories - 1):
        span = columns[:, list(some)].T
        if np.linalg.matrix_rank(span) < memories - 1 or memories == 1:
            continue
        normal = np.linalg.svd(span)[2][-1]
        signs = np.where(abs(normal @ columns) < 1e-9, 0, np.sign(normal @ columns)).astype(int)
        assert tuple(signs) in known
        assert tuple(-signs) in known
    for one in found:
        composed = np.where(one == 0, found, one)
        assert {tuple(row) for row in composed.tolist()} <= known
    numbers = np.bincount([dimension(face, columns) for face in found])
    assert numbers.tolist()[-1] == 1
    assert (numbers * (-1) ** np.arange(memories + 1)).sum() == 1


@pytest.mark.parametrize(("memories", "count"), [(1, 2), (2, 4), (3, 14), (4, 104), (5, 1882)])
def test_vertices_are_threshold_functions(memories, count):
    whole = (covectors(memories) != 0).all(axis=1).sum()
    assert whole == count
    if memories < 5:
        assert regions(column_types(memories).T) == count


def test_nearest_points_of_edges_and_faces():
    signs, quarter = covectors(3).astype(int), np.full(4, 1 / 4)
    squared = nearest(signs, quarter)
    free = (signs == 0).sum(axis=1)
    assert sorted(set(squared[free == 0])) == [0.75, 1.0]
    np.testing.assert_allclose(squared[free == 1], 2 / 3, atol=1e-12)
    np.testing.assert_allclose(squared[free == 2], 1 / 2, atol=1e-12)
    np.testing.assert_array_equal(squared[free == 4], 0)
    # Of every face against many points of it.
    weights, draw = np.array([0.1, 0.2, 0.3, 0.4]), np.random.default_rng(0)
    for face, found in zip(signs, nearest(signs, weights), strict=True):
        a = np.where(face == 0, draw.uniform(-1, 1, size=(4000, 4)), face)
        lengths = ((a * weights @ column_types(3).T) ** 2).sum(axis=1)
        assert found - 1e-9 <= lengths.min() <= found + 0.05


def as_rows(bars):
    return [(d, round(b, 9), round(e, 9)) for d, b, e in bars.rows()]


@needs_gudhi
def test_bars_of_two_and_three_memories_by_hand():
    assert as_rows(zonotope_bars(np.full(2, 1 / 2))) == [(d, round(b, 9), round(e, 9)) for d, b, e in sorted(SQUARE)]
    expected = [(d, round(b, 9), round(e, 9)) for d, b, e in DODECAHEDRON]
    assert as_rows(zonotope_bars(np.full(4, 1 / 4))) == expected


@needs_gudhi
@pytest.mark.parametrize(("memories", "copies", "by_hand"), [(2, 2, SQUARE), (2, 4, SQUARE), (2, 6, SQUARE)])
def test_the_cube_of_states_has_the_bars_by_hand(memories, copies, by_hand):
    xi = balanced(memories, copies)
    scale = xi.shape[1] ** 2
    found = cube_bars(powers(xi, 2) / 2)
    assert found.rows() == sorted((d, b * scale, e * scale) for d, b, e in by_hand)


@needs_gudhi
def test_the_cube_of_three_memories_one_type_each_is_too_coarse():
    assert cube_bars(powers(balanced(3, 1), 2)).counts == (6, 0, 1)
    assert cube_bars(powers(balanced(3, 2), 2)).counts == (14, 11, 1)


@needs_gudhi
def test_types_that_are_missing():
    # Three memories, three types: a cube, of 8 corners, 12 edges and 6 faces; all overlaps 1 or less.
    bars = zonotope_bars(np.array([1, 1, 1, 0]) / 3)
    assert bars.last == (2,)
    assert bars.count(3) == 0
    euler = sum((-1) ** d * (1 - np.isfinite(e)) for d, _, e in bars.rows())
    assert euler == 1
    assert strict_vertices(np.array([[1.0, 1.0, 1.0, 0.0]])).tolist() == [bars.count(0)]


@needs_gudhi
@pytest.mark.parametrize(
    "weights", [[0.3, 0.7], [0.2, 0.2, 0.3, 0.3], [0.13, 0.2, 0.29, 0.38], [0.05, 0.05, 0.45, 0.45]]
)
def test_pieces_are_strict_fixed_points(weights):
    assert zonotope_bars(np.array(weights)).count(0) == strict_vertices(np.array([weights]))[0]


def within(vectors, point):
    """Whether a point is inside the sum of segments of these vectors, off its border, by a linear programme."""
    count = vectors.shape[1]
    bounds = np.block([[np.eye(count), -np.ones((count, 1))], [-np.eye(count), -np.ones((count, 1))]])
    largest = linprog(
        np.r_[np.zeros(count), 1], bounds, np.zeros(2 * count), np.c_[vectors, np.zeros(len(point))], point,
        bounds=[(None, None)] * (count + 1),
    )  # fmt: skip
    return largest.status == 0 and largest.x[-1] < 1 - 1e-9


@pytest.mark.parametrize(("memories", "numbers"), [(1, (2,)), (2, (4, 4)), (3, (14, 24, 12)), (4, (40, 192, 192, 40))])
def test_critical_faces_have_every_type_along_its_field(memories, numbers):
    columns = column_types(memories).astype(float)
    found = [0] * memories
    for face in covectors(memories).astype(int):
        start, span = columns @ face, columns[:, face == 0]
        foot = start - span @ np.linalg.pinv(span) @ start if span.size else start
        if face.any() and (np.sign(np.round(foot @ columns, 9)) == face).all():
            if span.size and not within(span, foot - start):
                continue
            found[dimension(face, columns)] += 1
    types = 2 ** (memories - 1)
    assert critical_faces(np.full(types, 1 / types)) == tuple(found) == numbers


@needs_gudhi
@pytest.mark.parametrize("seed", range(4))
def test_every_critical_face_begins_or_ends_a_bar(seed):
    weights = np.random.default_rng(seed).dirichlet(np.full((2, 4, 8, 8)[seed], 3.0))
    faces, bars = critical_faces(weights), zonotope_bars(weights).counts
    # One piece never dies, and Z itself closes the last hole.
    assert list(faces) == [bars[0], *(bars[d] + bars[d - 1] - (d == 1) for d in range(1, len(bars)))]
    assert faces[0] == strict_vertices(weights[None])[0]


@needs_gudhi
def test_patterns_that_depend_on_each_other():
    assert zonotope_bars(np.array([1.0, 0.0])).rows() == [(0, -1.0, 0.0), (0, -1.0, np.inf)]


@needs_gudhi
def test_lengths_of_overlaps():
    bars = in_overlaps(zonotope_bars(np.full(2, 1 / 2)))
    np.testing.assert_allclose(bars.intervals(0)[0], [-1, -np.sqrt(1 / 2)])
    cube = in_overlaps(cube_bars(powers(balanced(2, 4), 2) / 2), 64.0)
    assert bottleneck(bars, cube) < 1e-9


def test_strict_vertices_in_one_batch_or_alone():
    draw = np.random.default_rng(1).multinomial(11, np.full(4, 1 / 4), size=40).astype(float)
    assert (draw == 0).any()
    assert strict_vertices(draw).tolist() == [strict_vertices(row[None])[0] for row in draw]


@pytest.mark.parametrize(("memories", "strict"), [(1, 2), (2, 4), (3, 14), (4, 40), (5, 1402)])
def test_fixed_points_of_balanced_memories(memories, strict):
    signs, overlaps, whole = fixed_points(memories)
    assert whole.sum() == strict
    assert strict_vertices(np.ones((1, signs.shape[1]))).tolist() == [strict]
    np.testing.assert_array_equal(overlaps, signs.astype(int) @ column_types(memories).T)
    known = {tuple(row) for row in covectors(memories).tolist()}
    assert all(tuple(row) in known for row in signs[whole].tolist())


def test_barriers_at_zero_load():
    assert [lowest_barrier(p) for p in (1, 2, 3)] == [Fraction(1, 2), Fraction(1, 4), Fraction(1, 6)]
    for memories, copies in ((2, 4), (3, 3)):
        xi = balanced(memories, copies)
        found = barriers(powers(xi, 2), index_of(xi)) / 2 / xi.shape[1] ** 2
        np.testing.assert_allclose(found.numpy(), float(lowest_barrier(memories)), rtol=0, atol=1e-12)


def test_shares_count_columns_up_to_sign():
    xi = np.array([[1, 1, -1, 1], [1, -1, 1, 1]])
    assert shares(xi).tolist() == [0.5, 0.5]
    assert shares(balanced(4, 3).numpy().astype(int)).tolist() == [1 / 8] * 8


@pytest.mark.parametrize(("call", "message"), [
    (lambda: column_types(6), "memories: expected an integer in [1, 5]; got 6."),
    (lambda: shares(np.array([[0]])), "patterns: expected values in {-1, +1}; got others."),
    (lambda: nearest(np.array([[2, 0]]), np.ones(2)), "signs: expected values -1, 0 and 1; got others."),
    (lambda: strict_vertices(np.ones((2, 3))), "weights: expected axes (draws, types), 1, 2, 4, 8 or 16 of them"),
    (lambda: in_overlaps(zonotope_bars(np.ones(2)), -1.0), "scale: expected a finite number > 1e-100"),
    (lambda: zonotope_bars(np.ones(16)), "weights: expected at most 8 types, of four memories; got 16."),
    (lambda: critical_faces(np.ones(16)), "weights: expected at most 8 types, of four memories; got 16."),
    (lambda: zonotope_bars(np.array([1.0, -1.0])), "weights: expected finite numbers, none negative"),
])  # fmt: skip
@needs_gudhi
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert message in str(refusal.value)
