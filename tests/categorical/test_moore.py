"""Laws of runs and homotopies for random ones, and what each composition refuses."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.categorical.moore import Run, Square, composites, halved, laws, renamed, straight

from ..draws import normal, rng


def gaps(seed, places):
    return (normal(seed, places - 1).abs() * 16).ceil() / 16


def runs(seed, lengths):
    """Runs that follow each other."""
    made, start = [], normal(seed, 1, 4)
    for number, length in enumerate(lengths):
        points = torch.cat([start, normal(seed + 7 * number + 1, length - 1, 4)])
        made.append(Run(points, gaps(seed + number, length)))
        start = points[-1:]
    return made


def squares(seed, heights, lengths):
    """``[s][t]``: homotopies that fit beside and above each other."""
    whole = normal(seed, sum(heights) - 1, sum(lengths) - 1, 4)
    ends = torch.tensor(lengths).cumsum(0) - torch.arange(1, len(lengths) + 1)
    whole[:, [0, *ends.tolist()]] = whole[:1, [0, *ends.tolist()]]
    durations, rises = gaps(seed, whole.shape[1]), gaps(seed + 1, len(whole))
    grid, low = [], 0
    for height in heights:
        row, left = [], 0
        for length in lengths:
            part = whole[low : low + height, left : left + length]
            row.append(Square(part, durations[left : left + length - 1], rises[low : low + height - 1]))
            left += length - 1
        grid.append(row)
        low += height - 1
    return grid


def same(one, other):
    return all(torch.equal(a, b) for a, b in zip(vars(one).values(), vars(other).values(), strict=True))


@given(seed=st.integers(0, 2**31), lengths=st.lists(st.integers(1, 5), min_size=3, max_size=3))
def test_runs_are_associative_and_have_units(seed, lengths):
    a, b, c = runs(seed, lengths)
    assert same(a.then(b).then(c), a.then(b.then(c)))
    rest = Run(a.points[-1:], a.durations[:0])
    assert same(a.then(rest), a)
    assert same(Run(a.points[:1], a.durations[:0]).then(a), a)


@given(seed=st.integers(0, 2**31), lengths=st.lists(st.integers(2, 5), min_size=2, max_size=2))
def test_homotopies_interchange(seed, lengths):
    (a, b), (c, d) = squares(seed, (3, 2), lengths)
    assert same(a.beside(b).above(c.beside(d)), a.above(c).beside(b.above(d)))
    assert same(a.beside(b).lowest, a.lowest.then(b.lowest))
    assert same(a.above(c).highest, c.highest)


def test_on_the_unit_interval_brackets_matter():
    a, b, c = runs(3, (3, 3, 3))
    left, right = halved(halved(a, b), c), halved(a, halved(b, c))
    assert torch.equal(left.points, right.points)
    torch.testing.assert_close(left.durations.sum(), torch.ones((), dtype=torch.float64))
    assert (left.durations[:2].sum() - 0.25).abs() < 1e-12
    assert (right.durations[:2].sum() - 0.5).abs() < 1e-12


def test_the_straight_homotopy_goes_from_the_run_to_the_line():
    (run,) = runs(5, (4,))
    found = straight(run, 5)
    assert torch.equal(found.points[0], run.points)
    line = found.highest
    share = torch.cat([torch.zeros(1, dtype=torch.float64), run.durations.cumsum(0) / run.durations.sum()])
    torch.testing.assert_close(line.points, run.points[0] + share[:, None] * (run.points[-1] - run.points[0]))
    torch.testing.assert_close(found.points[2], (found.points[0] + found.points[4]) / 2)


def test_what_does_not_fit_is_refused():
    a, b = runs(0, (3, 3))
    with pytest.raises(ArgumentError, match="second"):
        b.then(a)
    (c, d), (e, _) = squares(0, (2, 2), (3, 3))
    with pytest.raises(ArgumentError, match="later"):
        d.beside(c)
    with pytest.raises(ArgumentError, match="upper"):
        e.above(c)
    with pytest.raises(ArgumentError, match="ends"):
        Square(normal(0, 2, 3, 4), gaps(0, 3), gaps(0, 2))
    with pytest.raises(ArgumentError, match="run"):
        straight(Run(a.points[:1], a.durations[:0]), 3)


def test_laws_are_counted():
    found = laws(20, generator=rng())
    assert (found.associativity, found.units, found.interchange, found.renaming) == (0, 0, 0, 0)
    assert found.halves > 0.001


def test_composites_depend_on_the_choice_only_where_two_units_are_equal():
    group = torch.tensor([[0, 1, 2], [1, 0, 2], [0, 2, 1], [2, 1, 0], [1, 2, 0], [2, 0, 1]])
    step = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    for middle, classes in (([1.0, 2.0, 3.0], 1), ([1.0, 1.0, 3.0], 2), ([1.0, 1.0, 1.0], 2)):
        meeting = torch.tensor([middle], dtype=torch.float64)
        first = Run(torch.cat([meeting + step, meeting]), torch.ones(1, dtype=torch.float64))
        second = Run(torch.cat([meeting, meeting + 2 * step]), torch.ones(1, dtype=torch.float64))
        assert composites(first, second, group) == classes
        for places in group:
            assert composites(first, renamed(second, places), group) == classes
            assert composites(renamed(first, places), second, group) in (0, classes)
    assert composites(first, Run(first.points + 9, first.durations), group) == 0
