"""Codes and their laws in fractions, maps between weighted codes by brute force, and glued codes against numbers."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import hopfield_category as rd
from memscape.homotopy import weighted_codes as wc


def code(*words):
    return np.array([[letter == "1" for letter in word] for word in words])


def test_parameters_of_known_codes():
    even = code(*("".join(w) for w in itertools.product("01", repeat=4) if w.count("1") % 2 == 0))
    assert wc.parameters(even) == (4, 8, 2)
    assert wc.parameters(code("000", "111")) == (3, 2, 3)
    assert wc.parameters(wc.direct_sum(even, code("000", "111"))) == (7, 16, 2)
    with pytest.raises(ArgumentError, match="code"):
        wc.parameters(code("01", "01"))


def test_the_direct_sum_lists_pairs_in_order():
    assert np.array_equal(wc.direct_sum(code("01", "10"), code("1")), code("011", "101"))
    assert wc.firing(wc.direct_sum(code("01", "10"), code("1"))) == Fraction(2, 3)


def test_laws_by_hand():
    assert wc.refined(code("110", "100")) == [Fraction(1, 2), Fraction(1, 3), Fraction(1, 6)]
    assert wc.glued(code("110"), code("100")).tolist() == code("110", "100").tolist()
    assert np.allclose(wc.refined_laws(np.stack([code("110", "100")] * 2)), [[1 / 2, 1 / 3, 1 / 6]] * 2)
    with pytest.raises(ArgumentError, match="code"):
        wc.refined(code("00", "10"))
    with pytest.raises(ArgumentError, match="second"):
        wc.glued(code("11"), code("111"))


def test_entropy_and_the_chain_rule():
    assert wc.entropy([[0.25] * 4, [1, 0, 0, 0]]).tolist() == pytest.approx([math.log(4), 0])
    left, right = wc.chain_rule([0.5, 0.25, 0.25, 0.0], np.array([0, 0, 3, 1]))
    by_hand = 1.5 * math.log(2)
    two = 0.75 * math.log(4 / 3) + 0.25 * math.log(4)
    inside = 0.75 * (2 / 3 * math.log(3 / 2) + 1 / 3 * math.log(3))
    assert left == pytest.approx(by_hand, abs=1e-14)
    assert right == pytest.approx(two + inside, abs=1e-14)
    with pytest.raises(ArgumentError, match="law"):
        wc.entropy([0.5, 0.4])
    with pytest.raises(ArgumentError, match="labels"):
        wc.chain_rule([0.5, 0.5], np.array([0, -1]))


def plain_maps(source, target, factors):
    return {
        (f, m)
        for f in itertools.product(range(target), repeat=source)
        for m in itertools.product(factors, repeat=source)
    }


def test_maps_sums_and_weights_by_brute_force():
    f, m = wc.maps(3, 2, (1, 2))
    listed = {(tuple(a), tuple(b)) for a, b in zip(f.tolist(), m.tolist(), strict=True)}
    assert listed == plain_maps(3, 2, (1, 2))
    assert len(listed) == len(f)
    sums = wc.fibre_sums(f, m, 2)
    weights = np.array([[1, 3], [2, 2]])
    pulled = wc.pulled_back(f, m, weights)
    for k, (a, b) in enumerate(zip(f.tolist(), m.tolist(), strict=True)):
        assert sums[k].tolist() == [sum(y for x, y in zip(a, b, strict=True) if x == c) for c in (0, 1)]
        for w in range(2):
            assert pulled[k, w].tolist() == [y * weights[w, x] for x, y in zip(a, b, strict=True)]
    # Totals are weighted sums of fibre sums.
    assert np.array_equal(pulled.sum(axis=-1), sums @ weights.T)


def test_two_counterexamples_in_smallest_form():
    f, m = np.array([[0, 0]]), np.array([[1, 1]])
    assert wc.pulled_back(f, m, np.array([[1]])).sum() == 2
    assert wc.pulled_back(np.array([[0]]), np.array([[1]]), np.array([[2]])).sum() == 2  # of 4 halves


def test_composites_carry_weights_back_one_after_the_other():
    f, m = wc.maps(2, 3, (1, 2))
    g, s = wc.maps(3, 2, (1, 2))
    images, multiples = wc.composed(f, m, g, s)
    weights = np.array([[2, 5]])
    for k, n in ((0, 0), (5, 17), (20, 40), (35, 63)):
        middle = wc.pulled_back(g[n : n + 1], s[n : n + 1], weights)[0]
        assert np.array_equal(
            wc.pulled_back(f[k : k + 1], m[k : k + 1], middle)[0],
            wc.pulled_back(images[k, n][None], multiples[k, n][None], weights)[0],
        )
    both = wc.fibre_sums(images, multiples, 2)
    for k, n in ((3, 4), (11, 50)):
        first, second = wc.fibre_sums(f[k], m[k], 3), (g[n], s[n])
        assert both[k, n].tolist() == [int((first * second[1])[second[0] == c].sum()) for c in (0, 1)]


@pytest.mark.parametrize("rule", rd.RULES)
def test_glued_codes_have_the_totals_of_numbers(rule):
    rng = np.random.default_rng(4)
    t = rng.integers(-2, 3, (30, 3, 3))
    b, x = rng.integers(0, 4, (2, 30, 3, 2, 2))
    totals, acted = wc.glued_orbits(rule, t, b, x, steps=3)
    number = [
        torch.tensor(each, dtype=torch.float64) for each in (t, b[:, :, 0].sum(-1) - b[:, :, 1].sum(-1), totals[0])
    ]
    path = rd.orbits(rule, *number, steps=3)
    assert np.array_equal(path.numpy(), totals)
    before = torch.stack([rd.driven(number[0], number[1], state) for state in path[:-1]])
    assert np.array_equal((before < 0).any(dim=0).any(dim=-1).numpy(), acted)
    assert acted.any()
    quiet = wc.glued_orbits(rule, np.abs(t), b * np.array([[1], [0]]), x * np.array([[1], [0]]), steps=3)
    assert not quiet[1].any()


def test_glued_orbits_refuse_what_does_not_fit():
    one = np.ones((1, 2, 2, 1), dtype=np.int64)
    with pytest.raises(ArgumentError, match="steps"):
        wc.glued_orbits("adding", np.ones((1, 2, 2), dtype=np.int64), one, one, steps=40)
    with pytest.raises(ArgumentError, match="starts"):
        wc.glued_orbits("adding", np.ones((1, 2, 2), dtype=np.int64), one, -one, steps=1)
    with pytest.raises(ArgumentError, match="rule"):
        wc.glued_orbits("neither", np.ones((1, 2, 2), dtype=np.int64), one, one, steps=1)
    with pytest.raises(ArgumentError, match="2\\*\\*62"):
        wc.glued_orbits("replacing", np.full((1, 2, 2), 2**30), one, one, steps=3)


def test_maps_beyond_the_budget_are_refused():
    with pytest.raises(ArgumentError, match="source"):
        wc.maps(30, 3, (1, 2))
    with pytest.raises(ArgumentError, match="images"):
        wc.fibre_sums(np.array([2]), np.array([1]), 2)


def test_random_codes_are_different_words_and_uniform():
    rng = np.random.default_rng(0)
    drawn = [wc.random_code(3, 2, rng=rng) for _ in range(3000)]
    words = np.array([each @ [1, 2, 4] for each in drawn])
    assert (words[:, 0] != words[:, 1]).all()
    counts = np.bincount(words.ravel(), minlength=8)
    assert counts[0] == 0
    assert abs(counts[1:] - 6000 / 7).max() < 5 * (6000 / 7) ** 0.5
    assert len(wc.random_code(3, 7, rng=rng)) == 7
    with pytest.raises(ArgumentError, match="words"):
        wc.random_code(3, 8, rng=rng)
