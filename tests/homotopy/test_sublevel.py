"""Bars of the cube against elimination of boundary matrices, pieces against bars, barriers against a plain search."""

import itertools

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy.landscape import pairwise
from memscape.homotopy.sublevel import (
    Bars,
    audit,
    barriers,
    bars_of,
    basins,
    bottleneck,
    collapsed,
    cube_bars,
    entering,
    jumps,
    nerve_betti,
    piece_bars,
    reached,
    resting,
)
from memscape.memory.patterns import random_patterns
from memscape.tools import pieces

from ..draws import rng

try:
    import gudhi
except ImportError:
    gudhi = None
pytestmark = pytest.mark.skipif(gudhi is None, reason="GUDHI has no build for this machine")


def gaussian(neurons, seed=0, networks=()):
    draw = torch.randn(*networks, neurons, neurons, generator=rng(seed), dtype=torch.float64).triu(1)
    return pairwise(draw + draw.mT)


def hebb(count, neurons, seed=0, networks=()):
    xi = random_patterns(count, neurons, networks=networks, generator=rng(seed))
    return pairwise(xi.mT @ xi)


def arbitrary(neurons, seed=0):
    return torch.randint(0, 9, (2**neurons,), generator=rng(seed)).double()


CASES = [gaussian(4), hebb(2, 5), hebb(5, 5, 1), arbitrary(4), arbitrary(5, 1), torch.zeros(16, dtype=torch.float64)]


def by_elimination(energies, field):
    """Bars by reducing the boundary matrix over a field, cube by cube, no library: cells are words of 0, 1 and 2."""
    neurons = len(energies).bit_length() - 1
    values = energies.numpy().reshape((2,) * neurons)
    cells = []
    for cell in itertools.product(range(3), repeat=neurons):
        corners = values[tuple(slice(None) if c == 2 else c for c in cell)]
        cells.append((corners.max(), cell.count(2), cell))
    cells.sort()
    place = {cell: number for number, (_, _, cell) in enumerate(cells)}
    reduced, found, paired = {}, [], set()
    for number, (value, dimension, cell) in enumerate(cells):
        column, sign = {}, 1
        for axis in (axis for axis in range(neurons) if cell[axis] == 2):
            for end in (0, 1):
                face = place[(*cell[:axis], end, *cell[axis + 1 :])]
                column[face] = (sign if end else -sign) % field
            sign = -sign
        while column:
            low = max(column)
            if low not in reduced:
                reduced[low] = column
                paired |= {low, number}
                if value > cells[low][0]:
                    found.append((dimension - 1, cells[low][0], value))
                break
            other = reduced[low]
            scale = -column[low] * pow(other[low], -1, field)
            for face, entry in other.items():
                total = (column.get(face, 0) + scale * entry) % field
                column.pop(face, None)
                if total:
                    column[face] = total
    essential = [(dim, value, np.inf) for number, (value, dim, _) in enumerate(cells) if number not in paired]
    return sorted(found + essential)


@pytest.mark.parametrize("energies", CASES)
@pytest.mark.parametrize("field", [2, 3])
def test_bars_are_those_of_plain_elimination(energies, field):
    assert cube_bars(energies, field=field).rows() == by_elimination(energies, field)


def test_a_large_prime_stands_for_the_rationals():
    assert by_elimination(CASES[1], 10007) == cube_bars(CASES[1]).rows()


@pytest.mark.parametrize("energies", CASES)
def test_cubes_that_enter_are_bars_born_less_bars_that_die(energies):
    levels, signed = entering(energies)
    assert signed.sum() == 1
    np.testing.assert_array_equal(jumps(cube_bars(energies), levels), signed)
    neurons = len(energies).bit_length() - 1
    shaped = energies.numpy().reshape((2,) * neurons)
    for level, total in zip(levels, np.cumsum(signed), strict=True):
        plain = sum(
            (-1) ** cell.count(2) * (shaped[tuple(slice(None) if c == 2 else c for c in cell)].max() <= level)
            for cell in itertools.product(range(3), repeat=neurons)
        )
        assert plain == total


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("make", [gaussian, lambda n, seed: hebb(2, n, seed), arbitrary])
def test_pieces_without_cubes_are_the_bars_of_dimension_zero(make, seed):
    energies = make(7, seed)
    (found,) = piece_bars(energies)
    assert found.rows() == [row for row in cube_bars(energies).rows() if row[0] == 0]


def test_a_batch_and_a_small_budget_change_nothing():
    energies = hebb(3, 6, networks=(2, 3))
    whole = [bars.rows() for bars in piece_bars(energies)]
    assert whole == [piece_bars(one)[0].rows() for one in energies.reshape(6, -1)]
    with pieces.budget(50 * 64):
        assert [bars.rows() for bars in piece_bars(energies)] == whole
        assert torch.equal(basins(energies), basins(energies.reshape(6, -1)).reshape(2, 3, -1))


def climb(energies, start):
    """Barrier of a state by raising the level until a state as deep is in its piece."""
    neurons = len(energies).bit_length() - 1
    near = [start ^ 1 << i for i in range(neurons)]
    if any(energies[x] <= energies[start] for x in near):
        return 0.0
    for level in sorted(set(energies.tolist())):
        piece, edge = {start}, [start]
        while edge:
            edge = [
                y for x in edge for y in (x ^ 1 << i for i in range(neurons)) if y not in piece and energies[y] <= level
            ]
            edge = list(dict.fromkeys(edge))
            piece |= set(edge)
        if level >= energies[start] and any(energies[x] <= energies[start] for x in piece - {start}):
            return float(level - energies[start])
    return float(energies.max() - energies[start])


@pytest.mark.parametrize("energies", [gaussian(5), hebb(2, 6), hebb(6, 6, 2), arbitrary(5), arbitrary(6, 3)])
def test_barriers_are_those_of_a_plain_search(energies):
    states = torch.arange(len(energies))
    expected = [climb(energies, x) for x in range(len(energies))]
    torch.testing.assert_close(barriers(energies, states), torch.tensor(expected, dtype=torch.float64), rtol=0, atol=0)


def test_a_lonely_minimum_climbs_to_the_top():
    energies = torch.tensor([0.0, 1.0, 2.0, 3.0])
    assert barriers(energies, torch.tensor([0, 1])).tolist() == [3.0, 0.0]


def test_minima_strict_and_not():
    flat = torch.tensor([0.0, 0.0, 1.0, 2.0])
    assert resting(flat).tolist() == [False, False, False, False]
    assert resting(flat, strict=False).tolist() == [True, True, False, False]
    assert basins(flat).tolist() == [0, 0, 0, 0]


def test_basins_point_to_the_lowest_neighbour():
    energies = torch.tensor([0.0, 3.0, 5.0, 1.0])  # 1 and 2 are neighbours of 0 and of 3
    assert basins(energies).tolist() == [0, 0, 0, 3]


@pytest.mark.parametrize("energies", [gaussian(5, 1), hebb(3, 6), arbitrary(6, 5)])
def test_what_is_reached_is_what_walks_reach(energies):
    neurons, found = len(energies).bit_length() - 1, reached(energies)
    minima = resting(energies, strict=False).nonzero()[:, 0].tolist()
    for start in range(0, len(energies), 5):
        seen, edge = {start}, [start]
        while edge:
            edge = [y for x in edge for y in (x ^ 1 << i for i in range(neurons)) if energies[y] < energies[x]]
            edge = [y for y in dict.fromkeys(edge) if y not in seen]
            seen |= set(edge)
        assert found[start].tolist() == [m in seen for m in minima]


def test_collapse_and_nerve():
    circle = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=bool)
    assert collapsed(circle).shape == (3, 3)
    assert nerve_betti(circle) == (1, 1)
    assert collapsed(np.ones((4, 9), dtype=bool)).tolist() == [[True]]
    path = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=bool)
    assert collapsed(path).tolist() == [[True]]
    assert nerve_betti(np.eye(3, dtype=bool)) == (3,)
    shell = ~np.eye(4, dtype=bool)
    assert nerve_betti(shell) == (1, 0, 1)


def test_a_top_sphere_and_no_bar_above_it():
    # A theorem: the last bar of an even energy with one pair of summits has dimension N - 2.
    for neurons in (3, 4, 6):
        bars = cube_bars(gaussian(neurons, neurons))
        assert bars.last == (neurons - 2,)
        assert bars.count(neurons - 1) == 0


def test_symmetries_of_the_cube_change_no_bar():
    energies = arbitrary(5, 8)
    cube = energies.reshape((2,) * 5)
    for moved in (cube.permute(3, 0, 4, 1, 2), cube.flip(0, 3)):
        assert cube_bars(moved.reshape(-1)).rows() == cube_bars(energies).rows()
    assert cube_bars(2 * energies + 1).rows() == [(d, 2 * b + 1, 2 * e + 1) for d, b, e in cube_bars(energies).rows()]


def test_an_audit_finds_a_bar_too_many():
    energies = arbitrary(5, 8)
    bars = cube_bars(energies)
    assert audit(energies, bars) == (0, 1, 0)
    low, high = energies.min().item(), energies.max().item()
    assert audit(energies, bars_of([*bars.rows(), (4, low, high)])) == (2, 1, 1)


def test_bottleneck_distances_by_hand():
    one = bars_of([(0, 0.0, np.inf), (0, 1.0, 4.0), (1, 2.0, 2.2)])
    other = bars_of([(0, 0.5, np.inf), (0, 1.0, 3.0)])
    assert bottleneck(one, other) == pytest.approx(1.0)
    assert bottleneck(one, one) == 0


def test_a_record_of_bars():
    bars = bars_of([(1, 2.0, 3.0), (0, 0.0, np.inf), (0, 1.0, 3.0)])
    assert bars.counts == (2, 1)
    assert (len(bars), bars.holes, bars.length, bars.last) == (3, 1, 3.0, (0, 1))
    assert bars.dying(3.0) == (0, 1)
    assert bars.intervals(0).tolist() == [[0.0, np.inf], [1.0, 3.0]]
    assert bars_of([]).last == ()


@pytest.mark.parametrize(("call", "message"), [
    (lambda: cube_bars(torch.tensor([0.0, np.nan])), "energies: expected finite values; got nan."),
    (lambda: cube_bars(torch.zeros(6)), "energies: expected 2**N energies, N at least 1; got 6."),
    (lambda: cube_bars(torch.zeros(2**15)), "energies: expected at most 14 neurons, whose 3**N cubes fit the memory"),
    (lambda: cube_bars(torch.zeros(4), field=4), "field: expected 2, 3, 5, 7 or 11; got 4."),
    (lambda: barriers(torch.zeros(4), torch.tensor([4])), "states: expected indices 0 to 3; got 4 to 4."),
    (lambda: Bars(np.array([0]), np.array([1.0]), np.array([1.0])), "deaths: expected bars that die after a finite"),
    (lambda: jumps(bars_of([(0, 0.0, 1.0)]), np.array([0.0])), "levels: expected all births and deaths of the bars"),
    (lambda: collapsed(np.zeros((2, 2), dtype=bool)), "incidence: expected no empty row and no empty column"),
    (lambda: nerve_betti(~np.eye(18, dtype=bool)), "incidence: expected at most 16 vertices in a simplex"),
])  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert message in str(refusal.value)


def test_pieces_that_do_not_fit_say_what_does():
    with pieces.budget(50 * 2**6), pytest.raises(ArgumentError) as refusal:
        piece_bars(torch.zeros(2**8))
    assert "energies: expected at most 6 neurons in the memory budget" in str(refusal.value)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_finds_the_same_pieces():
    energies = hebb(4, 8, networks=(5,))
    states = torch.arange(16).expand(5, -1)
    assert torch.equal(barriers(energies, states), barriers(energies.cuda(), states.cuda()).cpu())
    assert [b.rows() for b in piece_bars(energies)] == [b.rows() for b in piece_bars(energies.cuda())]
