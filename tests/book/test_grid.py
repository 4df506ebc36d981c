"""A grid means what it says, and a slip in it is refused with the name of what was wrong."""

import pytest

from memscape.arguments import ArgumentError
from memscape.book import grid, parameters

from .conftest import PARAMETERS

DECLARED = parameters.declared(PARAMETERS)


def points(*axes, **fixed):
    return grid.points(axes, DECLARED, "memory/toy", fixed)


@pytest.mark.parametrize(
    ("axis", "name", "values"),
    [
        ("neurons=64,128,256", "neurons", [64, 128, 256]),
        ("seed=0:4", "seed", [0, 1, 2, 3]),
        ("seed=0:10:4", "seed", [0, 4, 8]),
        ("seed=3:0:-1", "seed", [3, 2, 1]),
        ("seed=7,0:2", "seed", [7, 0, 1]),
        ("load=0.1, 0.5,1", "load", [0.1, 0.5, 1.0]),
        ("clamp=true,False", "clamp", [True, False]),
        ("rule=hebbian,inverse", "rule", ["hebbian", "inverse"]),
        ("loads=[0.1],[0.1, 0.2]", "loads", [[0.1], [0.1, 0.2]]),
    ],
)
def test_an_axis_is_read_as_its_parameter_is_declared(axis, name, values):
    found = points(axis)
    assert found == [{name: value} for value in values]
    assert [type(point[name]) for point in found] == [type(value) for value in values]


def test_a_grid_is_the_product_of_its_axes_over_what_all_share():
    found = points("neurons=20,30", "seed=0:2", load=0.5, neurons=99)
    assert found == [{"load": 0.5, "neurons": n, "seed": s} for n in (20, 30) for s in (0, 1)]
    assert points() == [{}]


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        (["neurns=20"], "neurns: expected a parameter of memory/toy .*; got an unknown name. Did you mean 'neurons'?"),
        (["neurons"], "-g: expected a name and its values, `neurons=64,128` or `seed=0:20`; got 'neurons'."),
        (["neurons="], "-g: expected a name and its values"),
        (["neurons=20,5"], "neurons: expected an integer in \\[10, 5000\\]; got 5."),
        (["neurons=20,many"], "neurons: expected an integer in \\[10, 5000\\]; got 'many'"),
        (["seed=0:2000"], "seed: expected an integer in \\[0, 1000\\]; got 1001."),
        (["seed=5:5"], "-g seed: expected a range start:stop:step with a value in it; got '5:5'."),
        (["seed=0:5:0"], "-g seed: expected a range start:stop:step with a value in it; got '0:5:0'."),
        (["seed=0:10000000"], "values of seed: expected an integer <= 1000000; got 10000000."),
        (["seed=0:1000", "neurons=10:1011"], "points of the grid: expected an integer <= 1000000; got 1001000."),
        (["seed=1,0:2"], "-g seed: expected each value once; got 1 twice."),
        (["seed=1", "seed=2"], "-g: expected each parameter once; got seed twice."),
        (["rule=hebian"], "rule: expected text in {hebbian, inverse}; got 'hebian' .*Did you mean 'hebbian'?"),
        (["loads=0.1,0.2"], "-g loads: expected lists in brackets, `\\[0.1\\],\\[0.1,0.2\\]`; got '0.1'."),
    ],
)
def test_a_slip_is_refused(axes, message):
    with pytest.raises(ArgumentError, match=message):
        points(*axes)


def test_points_whose_values_do_not_go_together_are_refused():
    cell = PARAMETERS + "# requires neurons * load >= 1: a network stores a pattern\n"
    assert len(grid.points(["neurons=10,20"], parameters.declared(cell), "memory/toy")) == 2
    with pytest.raises(ArgumentError, match=r"neurons, load: expected .* got neurons = 10, load = 0.05"):
        grid.points(["neurons=20,10"], parameters.declared(cell), "memory/toy", {"load": 0.05})


def test_quotes_hold_commas_together():
    cell = 'names: list[str] = ["a"]  # which\nlabel: str = "a"  # one\n'
    found = grid.points(["names=['a,b',c],[d]", "label='x,y',z"], parameters.declared(cell), "memory/toy")
    assert [point["names"] for point in found] == [["a,b", "c"], ["a,b", "c"], ["d"], ["d"]]
    assert [point["label"] for point in found[:2]] == ["x,y", "z"]
