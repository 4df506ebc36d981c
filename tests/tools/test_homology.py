"""Homology at hand: closed forms, boundary matrices over three fields, and collapses against whole complexes."""

import itertools

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.tools import pieces
from memscape.tools.complexes import betti_numbers, f_vector
from memscape.tools.homology import bars, betti_by_elimination, boundary, core, holes, rank, together

gudhi = pytest.importorskip("gudhi")

PLANE = ["012", "023", "034", "045", "051", "124", "235", "341", "452", "513"]  # the projective plane
TORUS = [tuple(sorted({i, (i + a) % 7, (i + 3) % 7})) for i in range(7) for a in (1, 2)]  # on seven vertices


def words_of(faces, count):
    table = np.zeros((len(faces), count), dtype=bool)
    for row, face in zip(table, faces, strict=True):
        row[list(map(int, face))] = True
    return table


def klein(side=4):
    """A square of side x side points, glued straight one way and with a flip the other."""

    def at(i, j):
        return (i % side) * side + ((-j if i // side % 2 else j) % side)

    corners = itertools.product(range(side), repeat=2)
    return words_of([
        [at(i, j), at(i + 1, j + 1), at(i + a, j + 1 - a)] for i, j in corners for a in (0, 1)
    ], side**2)  # fmt: skip


SURFACES = {
    "plane": (words_of(PLANE, 6), {2: (1, 1, 1), 3: (1, 0, 0), 0: (1, 0, 0)}),
    "torus": (words_of(TORUS, 7), dict.fromkeys((2, 3, 0), (1, 2, 1))),
    "klein": (klein(), {2: (1, 2, 1), 3: (1, 1, 0), 0: (1, 1, 0)}),
    "sphere": (words_of(["012", "013", "023", "123"], 4), dict.fromkeys((2, 3, 0), (1, 0, 1))),
}


@pytest.mark.parametrize("name", SURFACES)
def test_surfaces_in_three_ways(name):
    words, expected = SURFACES[name]
    tree = together(words, 3)
    for field, numbers in expected.items():
        assert betti_by_elimination(tree, field) == numbers
        if field:
            assert betti_numbers(tree, field=field) == numbers == holes(words, 2, field=field)
    assert sum((-1) ** d * n for d, n in enumerate(f_vector(tree))) == numbers[0] - numbers[1] + numbers[2]


def test_the_complex_holds_what_occurs_together_and_how_often():
    rng = np.random.default_rng(0)
    words = rng.random((30, 7)) < 0.4
    tree = together(words, 3)
    found = {tuple(simplex): value for simplex, value in tree.get_simplices()}
    for size in range(1, 5):
        for face in itertools.combinations(range(7), size):
            count = int(words[:, face].all(axis=1).sum())
            assert found.get(face, 0) == -count


@pytest.mark.parametrize("seed", range(12))
def test_a_collapse_keeps_the_holes(seed):
    rng = np.random.default_rng(seed)
    words = rng.random((25, 9)) < 0.3
    words[0, 0] = True
    whole = together(words, 3)
    small = core(words)
    assert small.shape <= words.shape
    for field in (2, 3):
        every = (*betti_numbers(whole, field=field), 0, 0, 0)
        assert holes(words, 2, field=field) == every[:3]
    assert betti_by_elimination(whole, 2)[:2] == holes(words, 1)
    # Nothing more to take away, from rows or from columns.
    for table in (small, small.T):
        inside = (table[:, None] <= table[None]).all(axis=2)
        assert (inside.sum(axis=1) == 1).all()


def test_a_simplex_collapses_to_a_point_and_a_circle_stays():
    assert core(np.ones((3, 5), dtype=bool)).shape == (1, 1)
    circle = words_of(["01", "12", "23", "03"], 4)
    assert core(circle).shape == (4, 4)
    assert holes(circle, 1) == (1, 1)
    assert holes(np.eye(4, dtype=bool), 2) == (4, 0, 0)


def test_many_rows_pass_the_blocks():
    rng = np.random.default_rng(1)
    words = rng.random((900, 12)) < 0.35
    rows = np.unique(words, axis=0)
    inside = (rows[:, None] <= rows[None]).all(axis=2).sum(axis=1) == 1
    expected = {tuple(row) for row in rows[inside]}
    from memscape.tools.homology import _maximal

    assert {tuple(row) for row in words[_maximal(words)]} == expected


def test_bars_of_a_square_that_fills():
    tree = gudhi.SimplexTree()
    for face, value in [("01", 1), ("12", 1), ("23", 1), ("03", 2), ("02", 4), ("012", 5), ("023", 7)]:
        for vertex in face:
            tree.insert([int(vertex)], 0.0)
        tree.insert([int(vertex) for vertex in face], float(value))
    assert bars(tree, 0).tolist() == [[0, np.inf], [0, 1], [0, 1], [0, 1]]
    assert bars(tree, 1).tolist() == [[2, 7], [4, 5]]
    tree.insert([0, 1, 3], 7.0)  # a triangle that comes with its edge: a bar of no length
    assert bars(tree, 1).tolist() == [[2, 7], [4, 5]]
    tree.assign_filtration([0, 2, 3], float("nan"))
    with pytest.raises(ArgumentError, match="tree"):
        bars(tree, 1)


def test_boundaries_of_boundaries_vanish_and_ranks_depend_on_the_field():
    tree = together(SURFACES["plane"][0], 2)
    assert not (boundary(tree, 1) @ boundary(tree, 2)).any()
    assert [rank(boundary(tree, 2), field) for field in (2, 3, 0)] == [9, 10, 10]
    assert rank(np.array([[2, 4], [1, 2], [3, 7]]), 0) == 2
    assert rank(np.array([[2, 0], [0, 3]]), 2) == 1


@pytest.mark.parametrize(("call", "name"), [
    (lambda: together(np.zeros((2, 2), bool), 1), "words"),
    (lambda: together(np.ones((2, 2)), 1), "words"),
    (lambda: together(np.ones((2, 2), bool), 4), "dimension"),
    (lambda: core(np.zeros((2, 2), bool)), "words"),
    (lambda: holes(np.ones((2, 2), bool), 3), "dimension"),
    (lambda: holes(np.ones((2, 2), bool), 1, field=4), "field"),
    (lambda: rank(np.ones((2, 2)), 2), "matrix"),
    (lambda: rank(np.ones((2, 2), int), 9), "field"),
    (lambda: boundary(None, 1), "tree"),
])  # fmt: skip
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ArgumentError, match=name):
        call()


def test_pieces_of_a_complex_do_not_show():
    words = np.random.default_rng(0).random((2000, 30)) < 0.1
    tree = together(words, 3)  # kept: it goes through its simplices lazily
    whole = list(tree.get_filtration())
    assert sum(len(simplex) == 3 for simplex, _ in whole) > 512  # in several pieces, of about 256 faces
    with pieces.budget(1):
        again = together(words, 3)
    assert list(again.get_filtration()) == whole
    for simplex, value in whole[::50]:
        assert value == -words[:, simplex].all(axis=1).sum()
