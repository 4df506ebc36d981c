"""Convex codes: counts by Burnside, obstructions by hand and by brute force, codes of memories state by state."""

import itertools

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import convex_codes
from memscape.memory.hopfield import Hopfield, hebbian
from memscape.memory.patterns import random_patterns
from memscape.tools.homology import betti_by_elimination, together

pytest.importorskip("gudhi")


def code(words, neurons):
    return convex_codes.code_of(np.array([sum(1 << int(n) - 1 for n in word) for word in words.split()]), neurons)


def burnside(neurons):
    """Codes with silence up to names: half of the Boolean functions up to permutations of their variables."""
    orders = list(itertools.permutations(range(neurons)))
    total = 0
    for order in orders:
        moved = [sum(1 << order[i] for i in range(neurons) if word >> i & 1) for word in range(2**neurons)]
        seen, cycles = set(), 0
        for word in range(2**neurons):
            cycles += word not in seen
            while word not in seen:
                seen.add(word)
                word = moved[word]
        total += 2 ** (cycles - 1)
    return total // len(orders)


@pytest.mark.parametrize("neurons", [1, 2, 3, 4])
def test_classes_are_counted_by_burnside(neurons):
    found = convex_codes.classes(neurons)
    assert len(found) == burnside(neurons)
    assert found[:, 0].all()
    assert len(np.unique(found, axis=0)) == len(found)


def test_complexes_by_hand():
    rng = np.random.default_rng(0)
    codes = rng.random((20, 16)) < 0.2
    faces = convex_codes.complexes(codes)
    for each, table in zip(codes, faces, strict=True):
        words = np.flatnonzero(each)
        assert all(table[face] == any(word & face == face for word in words) for face in range(16))


def test_obstructions_by_hand():
    assert convex_codes.obstructions(code("13 23", 3)) == [4]
    assert convex_codes.obstructions(code("13 23 3", 3)) == []
    assert convex_codes.obstructions(code("123", 3)) == []
    assert convex_codes.obstructions(code("12 23 13", 3)) == [1, 2, 4]
    # The cone over a hollow triangle: its tip never fires alone, and its link is a circle.
    assert convex_codes.obstructions(code("124 234 134 14 24 34", 4)) == [8]
    # Five cells: no obstruction, and yet no code of convex open fields, as the chapter proves. A public program by
    # another author gives it as that of Lienkaemper, Shiu and Woodstock, of whom we have read the abstract only.
    assert convex_codes.obstructions(code("2345 123 134 145 13 14 23 34 45 3 4", 5), every=True) == []


def shrinks(faces, face, neurons):
    """Whether a link has the holes of a point over the rational numbers, by elimination."""
    link = [t for t in range(1, len(faces)) if t & face == 0 and faces[t | face]]
    if not link:
        return False
    words = np.array([[t >> n & 1 for n in range(neurons)] for t in link], dtype=bool)
    return betti_by_elimination(together(words, 3), 0)[0] == 1 and sum(betti_by_elimination(together(words, 3), 0)) == 1


@pytest.mark.parametrize("neurons", [2, 3, 4])
def test_three_ways_agree(neurons):
    codes = convex_codes.classes(neurons)[:: 1 if neurons < 4 else 37]
    blocked = convex_codes.obstructed(codes)
    for each, answer in zip(codes, blocked, strict=True):
        faces = convex_codes.complexes(each)
        expected = [
            face
            for face in range(1, len(faces))
            if faces[face] and not each[face] and not shrinks(faces, face, neurons)
        ]
        assert convex_codes.obstructions(each) == convex_codes.obstructions(each, every=True) == expected
        assert answer == bool(expected)


def test_names_of_neurons_do_not_matter():
    rng = np.random.default_rng(1)
    for _ in range(10):
        words = rng.choice(256, 9, replace=False)
        order = rng.permutation(8)
        moved = ((words[:, None] >> np.arange(8) & 1) << order).sum(axis=1)
        one, two = (convex_codes.obstructions(convex_codes.code_of(each, 8)) for each in (words, moved))
        renamed = sorted(sum(1 << int(order[i]) for i in range(8) if face >> i & 1) for face in one)
        assert renamed == two


def test_a_link_with_a_large_hole():
    # The boundary of a simplex of seven vertices, coned by neuron 7: a hole of dimension 5.
    words = np.array([255 - (1 << n) for n in range(7)])
    table = convex_codes.code_of(words, 8)
    assert 128 in convex_codes.obstructions(table)
    # Intersections of two facets and more are faces with spheres as links, all of them.
    assert len(convex_codes.obstructions(table)) == 2**7 - 1 - 7


def test_fixed_points_state_by_state():
    model = hebbian(random_patterns(3, 6, networks=(4,), generator=torch.Generator().manual_seed(0)))
    found = convex_codes.fixed_points(model)
    for network in range(4):
        expected = []
        for word in range(64):
            x = torch.tensor([1.0 if word >> n & 1 else -1.0 for n in range(6)], dtype=torch.float64)
            field = model.couplings[network] @ x - model.thresholds[network]
            if (field * x >= 0).all():
                expected.append(word)
        assert found[network].tolist() == expected
        assert (63 - found[network][::-1] == found[network]).all()
    tie = Hopfield(torch.zeros(2, 2), torch.zeros(2))  # every neuron stays as it is
    assert convex_codes.fixed_points(tie)[0].tolist() == [0, 1, 2, 3]
    one = Hopfield(torch.zeros(2, 2), torch.tensor([1.0, -1.0]))
    assert convex_codes.fixed_points(one)[0].tolist() == [2]


def test_random_codes_have_their_sizes_and_complements():
    rng = np.random.default_rng(2)
    sizes = np.array([2, 4, 10, 16])
    for mirrored in (False, True):
        found = convex_codes.random_codes(sizes, 4, mirrored=mirrored, rng=rng)
        assert [len(np.unique(each)) for each in found] == sizes.tolist()
        if mirrored:
            assert all(np.array_equal(np.sort(15 - each), each) for each in found)
    many = np.concatenate(convex_codes.random_codes(np.full(2000, 4), 3, rng=rng))
    assert abs(np.bincount(many, minlength=8) - 1000).max() < 5 * np.sqrt(1000)


@pytest.mark.parametrize(("call", "name"), [
    (lambda: convex_codes.classes(5), "neurons"),
    (lambda: convex_codes.code_of(np.array([8]), 3), "words"),
    (lambda: convex_codes.obstructions(np.zeros(8, bool)), "code"),
    (lambda: convex_codes.obstructions(np.ones(2**9, bool)), "code"),
    (lambda: convex_codes.obstructed(np.zeros((1, 8), bool)), "codes"),
    (lambda: convex_codes.complexes(np.ones(7, bool)), "codes"),
    (lambda: convex_codes.fixed_points(None), "model"),
    (lambda: convex_codes.random_codes(np.array([3]), 3, mirrored=True, rng=np.random.default_rng()), "sizes"),
])  # fmt: skip
def test_bad_arguments_are_named(call, name):
    with pytest.raises(ArgumentError, match=name):
        call()
