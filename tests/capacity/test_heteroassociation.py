"""Heteroassociation: the rules against least squares, the laws against networks, the control of what is left."""

import math

import pytest
import torch
from scipy import special

from memscape.arguments import ArgumentError
from memscape.capacity import heteroassociation as hetero
from memscape.memory.patterns import random_patterns

from ..draws import rng


def pair(count, neurons, seed=0, networks=()):
    draw = rng(seed)
    return (
        random_patterns(count, neurons, networks=networks, generator=draw),
        random_patterns(count, neurons, networks=networks, generator=draw),
    )


@pytest.mark.parametrize("count", [5, 30, 31, 90])
def test_the_pseudo_inverse_is_the_least_squares_solution_of_smallest_norm(count):
    cues, wanted = pair(count, 30)
    found = hetero.associate(cues, wanted, rule="pseudo-inverse")
    torch.testing.assert_close(found, torch.linalg.lstsq(cues, wanted, driver="gelsd").solution.T, rtol=1e-6, atol=1e-8)


def test_hebb_sums_the_products():
    cues, wanted = pair(7, 5)
    expected = sum(torch.outer(u, x) for x, u in zip(cues, wanted, strict=True)) / 5
    torch.testing.assert_close(hetero.associate(cues, wanted), expected)


def test_answers_are_compared_sign_by_sign_and_a_tie_is_worth_nothing():
    weights = torch.tensor([[1.0, 0.0], [0.0, 0.0], [-1.0, 0.0]])
    cue, wanted = torch.tensor([[1.0, 1.0]]), torch.tensor([[1.0, 1.0, 1.0]])
    assert hetero.answered(weights, cue, wanted).item() == 0.0
    assert hetero.answered(1e30 * weights, cue, wanted * torch.tensor([1.0, 1.0, -1.0])).item() == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("rule", "load"), [("hebb", 0.5), ("hebb", 3.0), ("pseudo-inverse", 1.5), ("pseudo-inverse", 4.0)]
)
def test_networks_answer_as_the_law_says(rule, load):
    cues, wanted = pair(round(300 * load), 300, networks=(3,))
    found = hetero.answered(hetero.associate(cues, wanted, rule=rule), cues, wanted).mean().item()
    assert found == pytest.approx(hetero.overlap(torch.tensor(load, dtype=torch.float64), rule=rule).item(), abs=0.01)


def test_a_damaged_cue_lowers_the_signal_by_its_overlap():
    load = torch.tensor(0.8, dtype=torch.float64)
    expected = special.erf(0.6 / math.sqrt(1.6))
    assert hetero.overlap(load, cue=0.6).item() == pytest.approx(expected)


def test_the_pseudo_inverse_is_exact_up_to_a_load_of_one():
    cues, wanted = pair(40, 41)
    assert hetero.answered(hetero.associate(cues, wanted, rule="pseudo-inverse"), cues, wanted).min() == 1.0
    assert hetero.overlap(torch.tensor([0.3, 1.0]), rule="pseudo-inverse").tolist() == [1.0, 1.0]


def test_the_values_of_the_information_curve():
    load = torch.tensor([0.138, 1e6], dtype=torch.float64)
    assert hetero.bits_per_synapse(load, hetero.overlap(load)).tolist() == pytest.approx([0.1333, 0.4592], abs=5e-5)
    load = torch.tensor([1.0, 2.0, 5.0, 1e6], dtype=torch.float64)
    found = hetero.bits_per_synapse(load, hetero.overlap(load, rule="pseudo-inverse"))
    assert found.tolist() == pytest.approx([1.0, 0.7378, 0.5426, 0.4592], abs=5e-5)
    assert pytest.approx(0.4592, abs=5e-5) == hetero.FOR_EVER


def test_information_is_the_entropy_of_a_binary_channel_at_every_overlap():
    m = torch.tensor([-1.0, -0.5, 0.0, 1e-9, 1e-5, 2e-4, 0.3, 1 - 1e-9, 1.0], dtype=torch.float64)
    p = ((1 - m) / 2).numpy()
    expected = 1 - (special.entr(p) + special.entr(1 - p)) / math.log(2)
    found = hetero.bits_per_synapse(torch.ones_like(m), m)
    assert found.numpy() == pytest.approx(expected, abs=1e-12)
    assert found[3].item() == pytest.approx(1e-18 / (2 * math.log(2)), rel=1e-9)


def test_below_capacity_stored_starts_are_kept_and_others_are_not():
    found = hetero.kept(200, [6], networks=2, starts=5, generator=rng(1))[0]
    assert found.stored.mean() > 0.99
    assert found.fresh.mean() < 0.7
    value, error = found.difference
    assert value == pytest.approx((found.stored - found.fresh).mean().item())
    assert 0 < error < 0.2
    assert found.resting == 1.0


def test_several_numbers_of_patterns_are_followed_together():
    few, many = hetero.kept(100, [4, 60], networks=3, starts=10, generator=rng(2))
    assert few.stored.shape == many.fresh.shape == (3, 4)
    assert few.stored.mean() > 0.99 > many.stored.mean() > many.fresh.mean()


def test_what_is_left_is_the_same_whatever_the_dtype_that_holds_the_sums():
    # 30000 * 600 bits are more than whole numbers of float32 may sum.
    found = hetero.kept(600, [30_000], networks=1, starts=2, sweeps=1, generator=rng(1))[0]
    assert found.stored.shape == (1, 2)
    assert -1 <= found.fresh.min() <= found.fresh.max() <= 1


one = torch.ones(2, 3)
weights = torch.ones(3, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: hetero.associate(one, one[:1]), "wanted: expected axes (..., patterns, answers) with patterns = 2"),
        (lambda: hetero.associate(one, one, rule="hebbian"), "rule: expected one of 'hebb', 'pseudo-inverse'"),
        (lambda: hetero.associate(one / 2, one), "cues: expected values in {-1, +1}; got 0.5"),
        (lambda: hetero.associate(one[None], one), "wanted: expected leading axes (1,); got shape (2, 3)"),
        (lambda: hetero.answered(weights, one, one[None]), "wanted: expected leading axes (); got shape (1, 2, 3)"),
        (lambda: hetero.overlap(torch.zeros(1)), "load: expected positive values; got 0"),
        (
            lambda: hetero.overlap(torch.ones(1), rule="pseudo-inverse", cue=0.5),
            "cue: expected 1 for the pseudo-inverse",
        ),
        (lambda: hetero.overlap(torch.ones(1), cue=0.0), "cue: expected a finite number > 0"),
        (
            lambda: hetero.bits_per_synapse(torch.ones(2), torch.ones(1)),
            "overlap: expected values in [-1, 1], shape (2,)",
        ),
        (
            lambda: hetero.kept(1, [3], networks=1, starts=1, generator=rng()),
            "neurons: expected an integer >= 2; got 1",
        ),
        (
            lambda: hetero.kept(9, [3, 0], networks=1, starts=1, generator=rng()),
            "counts: expected an integer in [1, 4194304]",
        ),
        (
            lambda: hetero.kept(9, [], networks=1, starts=1, generator=rng()),
            "counts: expected at least one number of patterns; got none",
        ),
        (
            lambda: hetero.kept(9, [3], networks=1, starts=1, generator=0),
            "generator: expected a torch.Generator; got int",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
