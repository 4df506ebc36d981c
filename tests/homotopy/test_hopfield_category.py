"""Rules on numbers against brute force, Kirchhoff's law, Brent's search, and binary networks inside the second rule."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
import sympy
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import hopfield_category as rd
from memscape.memory.hopfield import hebbian
from memscape.memory.patterns import random_patterns

F = torch.float64


def whole(*shape, low, high, seed):
    return torch.randint(low, high + 1, shape, generator=torch.Generator().manual_seed(seed)).to(F)


def plain_step(rule, t, b, x):
    change = [max(0, sum(t[i][j] * x[j] for j in range(len(x))) + b[i]) for i in range(len(x))]
    return [a + c for a, c in zip(x, change, strict=True)] if rule == "adding" else change


@pytest.mark.parametrize("rule", rd.RULES)
def test_steps_are_those_of_a_plain_loop(rule):
    t, b = whole(5, 3, 3, low=-2, high=2, seed=1), whole(5, 3, low=-1, high=1, seed=2)
    x = whole(5, 4, 3, low=0, high=3, seed=3)
    path = rd.orbits(rule, t, b, x, steps=4)
    for net, probe in itertools.product(range(5), range(4)):
        state = x[net, probe].tolist()
        for k in range(4):
            state = plain_step(rule, t[net].tolist(), b[net].tolist(), state)
            assert path[k + 1, net, probe].tolist() == state
    assert torch.equal(rd.step(rule, t, b, x), path[1])
    assert torch.equal(rd.orbits(rule, t, b, x[:, 2], steps=4), path[:, :, 2])


def test_the_ring_freezes_and_blinks():
    t = torch.tensor([[0, -1.5, -0.75], [-0.75, 0, -1.5], [-1.5, -0.75, 0]], dtype=F)
    b, x = torch.full((3,), 10.0, dtype=F), torch.tensor([3.0, 2.0, 1.0], dtype=F)
    frozen = rd.orbits("adding", t, b, x, steps=2)
    assert frozen[1].tolist() == frozen[2].tolist() == [9.25, 8.25, 5.0]
    assert rd.rests(t, b, frozen[1])
    assert not rd.rests(t, b, x)
    blink = rd.orbits("replacing", t, b, x, steps=4)
    assert blink[2].tolist() == blink[4].tolist() == [0, 0, 0]
    assert blink[3].tolist() == [10, 10, 10]
    exact = plain_step("adding", [[Fraction(e) for e in row] for row in t.tolist()], [1, 1, 1],
                       [Fraction(3, 10), Fraction(1, 5), Fraction(1, 10)])  # fmt: skip
    assert exact == [Fraction(37, 40), Fraction(33, 40), Fraction(1, 2)]


@pytest.mark.parametrize("vertices", [2, 3, 4])
def test_wiring_by_closed_forms_and_elimination(vertices):
    wiring = rd.complete_wiring(vertices)
    counts = {2: 1, 3: 5, 4: 20}  # sum of C(n, k) (k - 1)!
    assert len(wiring.cycles) == counts[vertices]
    assert len(wiring.basis) == len(wiring.edges) - vertices + 1
    assert not wiring.breaks(wiring.cycles).any()
    assert not wiring.breaks(wiring.basis).any()
    balance = sympy.Matrix(wiring.balance.int().tolist())
    assert len(balance.nullspace()) == len(wiring.basis)
    # A basis over the whole numbers, not a part of them: the greatest common divisor of its largest minors is 1.
    minors = [
        round(float(torch.linalg.det(wiring.basis[:, list(columns)])))
        for columns in itertools.islice(itertools.combinations(range(len(wiring.edges)), len(wiring.basis)), 300)
    ]
    assert np.gcd.reduce(minors) == 1
    assert wiring.breaks(torch.eye(len(wiring.edges), dtype=F)).all()


def test_circulations_of_total_four_are_sums_of_cycles():
    wiring = rd.complete_wiring(3)
    every = [x for x in itertools.product(range(5), repeat=6) if sum(x) == 4]
    kept = {x for x in every if not wiring.breaks(torch.tensor(x, dtype=F))}
    rings = [tuple(int(e) for e in row) for row in wiring.cycles.tolist()]
    sums = set()
    for counts in itertools.product(range(3), repeat=5):
        total = tuple(sum(c * ring[e] for c, ring in zip(counts, rings, strict=True)) for e in range(6))
        if sum(total) == 4:
            sums.add(total)
    assert kept == sums


def test_thresholds():
    x = torch.tensor([[1.0, -2.0, 0.5], [3.0, -2.0, 0.0]], dtype=F)
    assert rd.thresholded(x).tolist() == [[1, 0, 0.5], [3, 0, 0]]
    assert rd.thresholded(x, whole=True).tolist() == [[0, 0, 0], [3, -2, 0]]
    zero = torch.tensor([1.0, -1.0], dtype=F)
    assert rd.thresholded(zero, whole=True).tolist() == [1, -1]


def test_the_threshold_breaks_the_law_exactly_where_its_cut_does():
    wiring = rd.complete_wiring(3)
    values = whole(500, 4, low=-2, high=2, seed=5) @ wiring.basis
    after, cut = wiring.breaks(values.clamp(min=0)), wiring.breaks(values.clamp(max=0))
    assert torch.equal(after, cut)
    assert after.any()
    assert not after.all()


def plain_fate(rule, t, b, x, cap):
    seen, path = {}, []
    while max(x) <= cap:
        if (key := tuple(x)) in seen:
            return len(path) - seen[key]
        seen[key] = len(path)
        path.append(key)
        x = plain_step(rule, t, b, x)
    return 0


@pytest.mark.parametrize("rule", rd.RULES)
def test_fates_are_those_of_a_search_in_the_past(rule):
    t, b = rd.small_networks(3, (-1, 0, 1), (0, 1, 2))
    some = torch.randperm(len(t), generator=torch.Generator().manual_seed(7))[:400]
    start = torch.zeros(400, 3, dtype=F)
    start[:, 0] = 1
    found = rd.fates(rule, t[some], b[some], start, cap=300)
    expected = [
        plain_fate(rule, *(e.long().tolist() for e in (t[k], b[k], x)), 300) for k, x in zip(some, start, strict=True)
    ]
    assert found.period.tolist() == expected
    assert ((found.largest > 300) == (found.period == 0)).all()
    # The same up to the names of units 1 and 2, which start alike.
    swap = [0, 2, 1]
    turned = rd.fates(rule, t[some][:, swap][:, :, swap], b[some][:, swap], start, cap=300)
    assert torch.equal(turned.period, found.period)


def test_fates_left_open_and_refused():
    ring = torch.tensor([[[0.0, 0, 1], [1, 0, 0], [0, 1, 0]]], dtype=F)
    none, start = torch.zeros(1, 3, dtype=F), torch.tensor([[1.0, 0, 0]], dtype=F)
    assert rd.fates("replacing", ring, none, start, cap=5).period.tolist() == [3]
    assert rd.fates("replacing", ring, none, start, cap=5, steps=2).period.tolist() == [-1]
    assert rd.fates("replacing", ring, none, start, cap=0.5).period.tolist() == [0]
    with pytest.raises(ArgumentError, match="cap"):
        rd.fates("replacing", ring, none, start, cap=2.0**53)
    with pytest.raises(ArgumentError, match="inputs"):
        rd.fates("replacing", ring, none + 0.5, start, cap=5)
    with pytest.raises(ArgumentError, match="rule"):
        rd.fates("both", ring, none, start, cap=5)


def test_small_networks_are_all_there_once():
    t, b = rd.small_networks(2, (-1, 2), (0, 1, 5))
    assert len(t) == 2**2 * 3**2
    assert len({(*x.flatten().tolist(), *y.tolist()) for x, y in zip(t, b, strict=True)}) == len(t)
    assert set(t.flatten().tolist()) == {-1, 0, 2}
    assert (t.diagonal(dim1=1, dim2=2) == 0).all()
    assert b[:3, 1].tolist() == [0, 1, 5]
    with pytest.raises(ArgumentError, match="units"):
        rd.small_networks(5, (-1, 0, 1), (0, 1))
    with pytest.raises(ArgumentError, match="couplings"):
        rd.small_networks(2, (1, 1), (0,))


def test_following_runs_through_orbits_that_only_switch_on():
    orders = torch.stack([torch.randperm(6, generator=torch.Generator().manual_seed(s)) for s in range(40)])
    at = torch.randint(0, 5, (40, 1), generator=torch.Generator().manual_seed(9)) + 1
    orbit = torch.stack([(orders < 2 + at * 0 + k).to(F) for k in (0, 1, 3, 3, 3)])
    t, b = rd.following(orbit)
    assert torch.equal(rd.orbits("adding", t, b, orbit[0], steps=4), orbit)
    assert t.abs().max() == 1
    # One that is at its end while it still moves is followed, and rests from then on.
    t, b = rd.following(orbit[:3])
    more = rd.orbits("adding", t, b, orbit[0], steps=5)
    assert torch.equal(more[:3], orbit[:3])
    assert torch.equal(more[5], orbit[2])
    with pytest.raises(ArgumentError, match="orbit"):
        rd.following(orbit.flip(0))
    with pytest.raises(ArgumentError, match="orbit"):
        rd.following(orbit[[0, 0, 1]])


def test_twice_the_edges_run_a_binary_network():
    model = hebbian(random_patterns(3, 7, networks=(6,), generator=torch.Generator().manual_seed(3)))
    j, theta = 2 * model.couplings.to(F), -model.couplings.to(F).sum(dim=-1)
    t, b = rd.doubled(j, theta)
    bits = torch.tensor(list(itertools.product((0.0, 1.0), repeat=7)), dtype=F).expand(6, -1, -1)
    path = rd.orbits("replacing", t, b, torch.cat([bits, torch.zeros_like(bits)], dim=-1), steps=3)
    for k in range(1, 4):
        bits = ((bits @ j.mT + theta[:, None]) > 0).to(F)
        assert torch.equal(path[k, ..., :7] - path[k, ..., 7:], bits)
    with pytest.raises(ArgumentError, match="thresholds"):
        rd.doubled(j, theta + 0.5)


def test_slowed_steps_of_a_clique_in_closed_form():
    w = torch.full((3, 4, 4), -0.5, dtype=F)
    w.diagonal(dim1=1, dim2=2).zero_()
    inside = torch.tensor([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0]], dtype=torch.bool)
    radius, bound = rd.slowed(w, inside)
    torch.testing.assert_close(radius, torch.tensor([0.0, 0.5, 1.0], dtype=F))
    # The eigenvalues are .5 and minus the radius, those of silent units are 0.
    torch.testing.assert_close(bound, 2 / (1 + radius))
    with pytest.raises(ArgumentError, match="supports"):
        rd.slowed(w, inside[0])


def test_shapes_are_refused_by_name():
    t, b = torch.zeros(2, 3, 3, dtype=F), torch.zeros(2, 3, dtype=F)
    with pytest.raises(ArgumentError, match="inputs"):
        rd.driven(t, b[0], b)
    with pytest.raises(ArgumentError, match="state"):
        rd.step("adding", t, b, b[0])
    with pytest.raises(ArgumentError, match="starts"):
        rd.orbits("adding", t, b, b[:, :2], steps=1)
    with pytest.raises(ArgumentError, match="values"):
        rd.complete_wiring(3).breaks(torch.full((6,), 0.5, dtype=F))
    with pytest.raises(ArgumentError, match="values"):
        rd.complete_wiring(3).breaks(torch.full((6,), 2.0**53, dtype=F))
