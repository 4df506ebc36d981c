"""Prescribed signs: Cover's count, decisions against HiGHS, margins by hand."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.optimize import linprog

from memscape.arguments import ArgumentError
from memscape.capacity import constrained as sc

from ..draws import rng


def drawn(draws, patterns, neurons, generator, *, spins=False):
    shape = (draws, patterns, neurons)
    inputs = torch.randn(shape, generator=generator, dtype=torch.float64)
    answers = torch.randint(0, 2, shape[:2], generator=generator).double() * 2 - 1
    return (inputs.sign() if spins else inputs), answers


def test_cover_counts_by_hand():
    # In a plane M lines cut 2M sectors out of 2^M choices; on a line two half-lines meet with chance one half.
    assert [sc.separable_share(2, m) for m in (1, 2, 3, 4)] == [1, 1, Fraction(3, 4), Fraction(1, 2)]
    assert [sc.separable_share(1, m) for m in (1, 2, 5)] == [1, Fraction(1, 2), Fraction(1, 16)]
    assert sc.separable_share(7, 3) == 1


@pytest.mark.parametrize("neurons", [1, 2, 5, 33, 200])
def test_signs_cost_exactly_half(neurons):
    # N answers with N signs are as many half-spaces as 2N answers without.
    assert sc.separable_share(neurons, 2 * neurons) == Fraction(1, 2)
    assert sc.separable_share(neurons, 2 * neurons + 1) < Fraction(1, 2) < sc.separable_share(neurons, 2 * neurons - 1)


def test_the_count_of_sectors_is_that_of_every_choice_of_signs():
    # All 2^(P+N) choices of sides of the same normals: the count does not depend on where they point.
    inputs, _ = drawn(1, 3, 2, rng(3))
    found = 0
    for answers in itertools.product([-1.0, 1.0], repeat=3):
        for signs in itertools.product([-1.0, 1.0], repeat=2):
            found += sc.learned(inputs, torch.tensor([answers]).double(), torch.tensor(signs).double()).item()
    assert Fraction(found, 2**5) == sc.separable_share(2, 5)


@pytest.mark.parametrize("spins", [False, True])
@pytest.mark.parametrize("shape", [(6, 6), (9, 5), (4, 9), (25, 20)])
def test_decisions_are_those_of_a_linear_programme(shape, spins):
    # Spins are degenerate: there scipy's non-negative least squares alone takes some draws for learned that are not.
    inputs, answers = drawn(30, *shape, rng(1), spins=spins)
    signs = torch.where(torch.rand(30, shape[1], generator=rng(2)) < 0.3, -1.0, 1.0).double()
    rows = (answers[..., None] * inputs).numpy()
    by_highs = []
    for matrix, sign in zip(rows, signs.numpy(), strict=True):
        bounds = [(0, None) if one > 0 else (None, 0) for one in sign]
        found = linprog(np.zeros(len(sign)), A_ub=-matrix, b_ub=-np.ones(len(matrix)), bounds=bounds, method="highs")
        by_highs.append(found.status == 0)
    ours = sc.learned(inputs, answers, signs)
    assert ours.tolist() == by_highs
    assert 0 < ours.sum() < 30 or shape in [(9, 5), (4, 9)]


def test_decisions_know_no_scale():
    inputs, answers = drawn(20, 6, 6, rng(1))
    signs = torch.ones(6, dtype=torch.float64)
    same = sc.learned(inputs, answers, signs)
    assert sc.learned(inputs * 1e-12, answers, signs).equal(same)
    assert sc.learned(inputs * 1e12, answers, signs).equal(same)


def test_a_silent_input_decides_nothing():
    # A row of zeros cannot be answered.
    assert not sc.learned(torch.zeros(1, 1, 2), torch.ones(1, 1), torch.ones(2)).item()


def test_the_largest_margin_by_hand():
    inputs = torch.tensor([[[3.0, 4.0]]])
    assert torch.allclose(
        sc.largest_margin(inputs, torch.ones(1, 1), torch.ones(2)), torch.tensor([[3.0, 4.0]]).double() / 25
    )
    # The second synapse may not be positive and falls silent.
    one = sc.largest_margin(inputs, torch.ones(1, 1), torch.tensor([1.0, -1.0]))
    assert torch.allclose(one, torch.tensor([[1 / 3, 0.0]]).double())
    assert sc.silent_share(one).tolist() == [0.5]
    assert sc.largest_margin(inputs, -torch.ones(1, 1), torch.ones(2)).tolist() == [[0.0, 0.0]]


def test_margins_and_sums_are_solutions_and_best_of_their_kind():
    inputs, answers = drawn(4, 20, 40, rng(4))
    signs = torch.ones(40, dtype=torch.float64)
    signs[::3] = -1
    short, small = sc.largest_margin(inputs, answers, signs), sc.smallest_sum(inputs, answers, signs)
    for weights in (short, small):
        margins = (inputs @ weights[..., None])[..., 0] * answers
        assert torch.allclose(margins.amin(dim=1), torch.ones(4, dtype=torch.float64))
        assert (weights * signs >= 0).all()
    assert (short.norm(dim=1) < small.norm(dim=1)).all()
    assert (small.abs().sum(dim=1) < short.abs().sum(dim=1)).all()
    # A corner has no more weights than answers.
    assert ((small != 0).sum(dim=1) <= 20).all()


def test_silence_is_relative():
    weights = torch.tensor([[1.0, 1e-9, 0.0, -2.0], [1e-9, 1e-9, 1e-9, 0.0]])
    assert sc.silent_share(weights).tolist() == [0.5, 0.25]


def test_robust_weights_by_hand():
    # Two inputs, yes to the first and no to the second: w1 - 1 and 1 - w2 are the margins of the output.
    inputs, answers = torch.eye(2)[None], torch.tensor([[1.0, -1.0]])
    signs = torch.tensor([1.0, -1.0])
    output = sc.most_robust(inputs, answers, signs, noise="output", largest=3.0)
    assert output[0, 0] >= 2.0
    assert -3.0 <= output[0, 1] <= 0.0
    inner = sc.most_robust(inputs, answers, torch.ones(2), noise="inputs")
    assert torch.allclose(inner, torch.tensor([[2.0, 0.0]]).double())


def test_robust_weights_are_better_at_their_own_noise():
    generator = rng(6)
    inputs = torch.rand(3, 15, 100, generator=generator, dtype=torch.float64)
    answers = torch.randint(0, 2, (3, 15), generator=generator).double() * 2 - 1
    signs = torch.ones(100, dtype=torch.float64)
    signs[80:] = -1
    weights = {noise: sc.most_robust(inputs, answers, signs, noise=noise) for noise in ("output", "inputs")}
    margin = {n: (((inputs @ w[..., None])[..., 0] - 1) * answers).amin(dim=1) for n, w in weights.items()}
    assert (margin["output"] > margin["inputs"]).all()
    borne = {n: margin[n] / weights[n].abs().sum(dim=1) for n in weights}
    assert (borne["inputs"] > borne["output"]).all()
    assert all((w * signs >= 0).all() and (m > 0).all() for w, m in zip(weights.values(), margin.values(), strict=True))


def test_robust_weights_refuse_what_cannot_be_learned():
    with pytest.raises(ArgumentError, match="answers: expected answers that can be learned"):
        sc.most_robust(torch.ones(1, 2, 2), torch.tensor([[1.0, -1.0]]), torch.ones(2), noise="output")


def test_imbalance_by_hand():
    e, i = torch.tensor([3.0, 1.0, 0.0, 2.0]), torch.tensor([1.0, 1.0, 0.0, 0.0])
    assert sc.imbalance(e, i).tolist() == [0.5, 0.0, 0.0, 1.0]
    assert sc.imbalance(i, e).tolist() == [0.5, 0.0, 0.0, 1.0]
    large = torch.tensor([3e38])
    assert math.isclose(sc.imbalance(large, large / 3).item(), 0.5, rel_tol=1e-6)


@pytest.mark.parametrize(
    ("kind", "values"), [("spins", {-1.0, 1.0}), ("sparse", {0.0, 1.0}), ("gaussian", None), ("uniform", None)]
)
def test_tasks_are_drawn_as_asked(kind, values):
    inputs, answers = sc.draw_tasks(20, 30, 10, kind=kind, generator=rng(1))
    mean, spread = {"spins": (0, 1), "sparse": (0.2, 0.4), "gaussian": (0, 1), "uniform": (0.5, 12**-0.5)}[kind]
    assert values is None or set(inputs.unique().tolist()) == values
    assert abs(inputs.mean().item() - mean) < 4 * spread / math.sqrt(6000)
    assert inputs.std().item() == pytest.approx(spread, rel=0.1)
    assert set(answers.unique().tolist()) == {-1.0, 1.0}
    assert abs(answers.mean().item()) < 4 / math.sqrt(600)


def test_signs_of_another_number_of_draws_are_refused():
    inputs, answers = drawn(3, 2, 4, rng(0))
    with pytest.raises(ArgumentError, match="signs: expected axes"):
        sc.learned(inputs, answers, torch.ones(2, 4, dtype=torch.float64))
    with pytest.raises(ArgumentError, match="inputs: expected values whose products"):
        sc.learned(inputs * 1e30, answers, torch.ones(4, dtype=torch.float64))
