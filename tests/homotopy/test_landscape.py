"""Energies against the models of the book, the symmetric rule against its stop, a survey against its parts."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from memscape.arguments import ArgumentError
from memscape.homotopy.landscape import (
    balanced,
    index_of,
    pairwise,
    perceptron_couplings,
    powers,
    rank_correlation,
    survey,
)
from memscape.homotopy.sublevel import barriers, resting
from memscape.memory.dense import DenseMemory, Power
from memscape.memory.hopfield import hebbian
from memscape.memory.patterns import random_patterns
from memscape.polytopes.weight_space import fixed_point_counts, states
from memscape.tools import pieces

from ..draws import rng


def test_energies_are_those_of_the_models():
    xi = random_patterns(3, 7, networks=(2,), generator=rng())
    every = torch.from_numpy(states(7)).double()
    model = hebbian(xi)
    expected = model.energy(every.expand(2, -1, -1)) * 7
    torch.testing.assert_close(pairwise(model.couplings), expected)
    dense = DenseMemory(xi, Power(3)).energy(every.expand(2, -1, -1)) * 7**3
    torch.testing.assert_close(powers(xi, 3), dense)
    assert (powers(xi, 4) == powers(xi, 4).round()).all()
    # The square of the overlaps is the pairwise energy up to a constant.
    torch.testing.assert_close(powers(xi, 2) / 2 + 3 * 7 / 2, pairwise(model.couplings))


def test_even_energies_are_even_to_the_last_digit():
    draw = torch.randn(6, 6, generator=rng(), dtype=torch.float64)
    energies = pairwise(draw + draw.mT)
    assert torch.equal(energies, energies.flip(0))


def test_a_small_budget_changes_no_energy():
    xi = random_patterns(3, 5, networks=(4,), generator=rng())
    whole = powers(xi, 3), pairwise(xi.mT @ xi)
    with pieces.budget(32 * 32 * 5):
        assert torch.equal(powers(xi, 3), whole[0])
        assert torch.equal(pairwise(xi.mT @ xi), whole[1])


def test_indices_of_states_are_those_of_all_states():
    assert index_of(torch.from_numpy(states(5)).double()).tolist() == list(range(32))


def test_minima_are_the_fixed_points_of_the_other_chapter():
    draw = torch.randn(5, 7, 7, generator=rng(), dtype=torch.float64).triu(1)
    couplings = draw + draw.mT
    assert resting(pairwise(couplings)).sum(dim=-1).tolist() == fixed_point_counts(couplings).tolist()


def test_the_symmetric_rule_stores_what_hebb_does_not():
    xi = random_patterns(4, 12, networks=(20,), generator=rng())
    couplings = perceptron_couplings(xi)
    assert torch.equal(couplings, couplings.mT)
    assert not couplings.diagonal(dim1=-2, dim2=-1).any()
    assert (couplings == couplings.round()).all()
    hebb = xi.mT @ xi
    hebb.diagonal(dim1=-2, dim2=-1).zero_()
    assert torch.equal(perceptron_couplings(xi, sweeps=0), hebb)
    before, after = (((xi @ j) * xi > 0).all(dim=-1).double().mean() for j in (hebb, couplings))
    assert before < after == 1.0


def test_a_survey_is_made_of_its_parts():
    pytest.importorskip("gudhi")
    xi = random_patterns(3, 6, networks=(4,), generator=rng())
    energies = pairwise(xi.mT @ xi)
    found = survey(energies, xi)
    height = barriers(energies, index_of(xi)).mean(dim=-1)
    span = energies.amax(dim=-1) - energies.amin(dim=-1)
    np.testing.assert_allclose(found.barrier, (height / span).numpy())
    strict = resting(energies).gather(-1, index_of(xi)).double().mean(dim=-1)
    np.testing.assert_array_equal(found.stored, strict.numpy())
    assert found.minima.tolist() == [bars.count(0) for bars in found.bars]
    assert found.holes.tolist() == [len(bars) - bars.count(0) for bars in found.bars]
    flat = survey(torch.zeros(1, 8, dtype=torch.float64), xi[:1, :, :3])
    assert (flat.barrier, flat.length, flat.stored) == (0.0, 0.0, 0.0)


def test_rank_correlation_without_categories_is_spearmans():
    draw = np.random.default_rng(0)
    x, y = draw.integers(0, 6, size=(2, 50))
    found = rank_correlation(x, y, resamples=20, rng=draw)
    assert found.value == pytest.approx(spearmanr(x, y).statistic)
    assert found.low <= found.value <= found.high


def test_categories_take_away_what_they_explain():
    draw = np.random.default_rng(0)
    kind = np.repeat(np.arange(10), 20)
    x, y = (10.0 * kind + draw.normal(size=200) for _ in range(2))
    plain = rank_correlation(x, y, resamples=50, rng=draw)
    partial = rank_correlation(x, y, [kind.tolist()], resamples=50, rng=draw)
    assert plain.value > 0.9
    assert abs(partial.value) < 0.2
    assert rank_correlation(kind, y, [kind.tolist()], resamples=5, rng=draw).value == 0.0


def test_pairs_of_categories_take_away_what_they_do_together():
    draw = np.random.default_rng(0)
    rule, load = (each.ravel().tolist() for each in np.mgrid[0:4, 0:5].repeat(10, axis=2))
    both = 10.0 * (np.array(rule) * np.array(load))
    x, y = (both + draw.normal(size=200) for _ in range(2))
    apart = rank_correlation(x, y, [rule, load], resamples=5, rng=draw).value
    cells = rank_correlation(x, y, [[*zip(rule, load, strict=True)]], resamples=5, rng=draw).value
    assert apart > 0.5
    assert abs(cells) < 0.2


def test_properties_held_are_taken_away_by_their_ranks():
    draw = np.random.default_rng(0)
    z = draw.normal(size=300)
    x, y = (z + draw.normal(size=300) for _ in range(2))
    found = rank_correlation(x, y, held=[np.exp(z)], resamples=5, rng=draw).value
    # The formula for one property.
    xy, xz, yz = spearmanr(x, y).statistic, spearmanr(x, z).statistic, spearmanr(y, z).statistic
    assert found == pytest.approx((xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2)))
    assert rank_correlation(x, y, held=[x], resamples=5, rng=draw).value == 0.0


def test_sets_are_drawn_again_whole():
    draw = np.random.default_rng(0)
    x, y = draw.normal(size=(2, 40))
    copies, sets = [side.repeat(25) for side in (x, y)], np.arange(40).repeat(25).tolist()
    alone, whole, fooled = (
        rank_correlation(*sides, together=each, resamples=400, rng=draw)
        for sides, each in (((x, y), None), (copies, sets), (copies, None))
    )
    assert alone.value == pytest.approx(whole.value)
    assert (alone.trials, whole.trials, fooled.trials) == (40, 40, 1000)
    assert whole.high - whole.low == pytest.approx(alone.high - alone.low, rel=0.2)
    assert fooled.high - fooled.low < 0.4 * (whole.high - whole.low)


@pytest.mark.parametrize(("call", "message"), [
    (lambda: pairwise(torch.tensor([[0.0, 1.0], [2.0, 0.0]])), "couplings: expected"),
    (lambda: pairwise(torch.zeros(24, 24)), "couplings: expected at most 18 neurons, whose 2**N states fit"),
    (lambda: powers(torch.ones(1, 4), 30), "degree: expected an integer in [1, 26]; got 30."),
    (lambda: powers(torch.ones(1, 30), 2), "patterns: expected at most 18 neurons"),
    (lambda: balanced(0, 1), "memories: expected an integer in [1, 5]; got 0."),
    (lambda: perceptron_couplings(torch.ones(2, 3), sweeps=-1), "sweeps: expected an integer in [0, 10000]; got -1."),
    (lambda: survey(torch.zeros(1, 4), torch.ones(1, 2, 3)), "energies: expected"),
    (lambda: rank_correlation([1, 2, 3], [1, 2], rng=np.random.default_rng(0)), "y: expected one axis"),
    (
        lambda: rank_correlation([1, 2, 3], [1, 2, 4], held=[[1, 2]], rng=np.random.default_rng(0)),
        "held: expected one axis of three networks or more, as long as x; got shape (2,).",
    ),
    (
        lambda: rank_correlation([1, 2, 3], [1, 2, 4], together=["a"], rng=np.random.default_rng(0)),
        "together: expected a sequence of 3 sets",
    ),
])  # fmt: skip
def test_bad_input_is_refused_in_one_sentence(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert message in str(refusal.value)
