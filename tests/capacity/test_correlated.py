import itertools
import math
from fractions import Fraction
from functools import partial

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import capacity as cap
from memscape.capacity import correlated as cor
from memscape.memory.dense import DenseMemory, Power
from memscape.memory.dynamics import asynchronous
from memscape.memory.hopfield import Hopfield, hebbian
from memscape.memory.patterns import random_patterns

from ..draws import rng


def wrong(model, start) -> float:
    return (model.update(start) != start).double().mean().item()


# Bias


def test_biased_bits_have_the_mean_that_was_asked_for_and_are_the_same_in_every_dtype():
    drawn = cor.biased_patterns(50, 400, 0.3, networks=(2, 3), generator=rng(), dtype=torch.float64)
    assert drawn.shape == (2, 3, 50, 400)
    assert drawn.mean().item() == pytest.approx(0.3, abs=4 * math.sqrt(0.91 / drawn.numel()))
    again = cor.biased_patterns(50, 400, 0.3, networks=(2, 3), generator=rng(), dtype=torch.float32)
    assert torch.equal(drawn.float(), again)
    assert (cor.biased_patterns(4, 5, 1.0, generator=rng()) == 1).all()
    assert (cor.biased_patterns(4, 5, -1.0, generator=rng()) == -1).all()


@pytest.mark.parametrize(("bias", "count"), [(0.3, 20), (0.3, 40), (0.5, 9), (0.5, 16), (-0.5, 9)])
def test_the_law_of_one_step_of_biased_patterns_is_what_networks_do(bias, count):
    drawn = cor.biased_patterns(count, 600, bias, networks=(40,), generator=rng(1), dtype=torch.float32)
    found = (hebbian(drawn).update(drawn) != drawn).double().mean(dim=(1, 2))
    law = cor.biased_error(count, 600, bias)
    assert abs(found.mean().item() - law) < max(4 * found.std().item() / math.sqrt(40), 0.05 * law)


def test_one_step_of_biased_networks_is_a_recall_for_every_count():
    found = cor.biased_one_step(hebbian, 300, [3, 20], 0.4, networks=12, generator=rng(31))
    assert [one.wrong.shape for one in found] == [(12, 3), (12, 20)]
    error, law = found[1].bit_error, cor.biased_error(20, 300, 0.4)
    assert 2 * error.low - error.high < law < 2 * error.high - error.low


def test_without_bias_the_law_is_the_gaussian_one_and_with_all_of_it_nothing_errs():
    gaussian = cap.gaussian_error(torch.tensor(0.2, dtype=torch.float64), 2).item()
    assert cor.biased_error(201, 1000, 0.0) == pytest.approx(gaussian, rel=1e-9)
    assert cor.biased_error(50, 1000, 1.0) == 0.0
    assert cor.biased_error(1, 1000, 0.5) == 0.0


def test_plain_hebb_loses_half_of_the_rarer_bits_at_the_inverse_cube_of_the_bias_whatever_the_size():
    for bias in (0.2, 0.3):
        for neurons in (10**3, 10**6):
            at = round(bias**-3) + 1
            assert cor.biased_error(at, neurons, bias) == pytest.approx((1 - bias) / 4, rel=0.12)


def test_covariance_is_the_sum_over_patterns_and_moves_the_field_by_the_mean():
    patterns = random_patterns(3, 7, generator=rng(2))
    means = torch.linspace(-0.5, 0.5, 7, dtype=torch.float64)
    model = cor.covariance(patterns, means)
    state = random_patterns(1, 7, generator=rng(3))[0]
    level = (1 - means**2).mean()
    for unit in range(7):
        field = level * means[unit]
        for pattern, other in itertools.product(range(3), range(7)):
            if other != unit:
                of = (patterns[pattern] - means)[[unit, other]].prod() / 7
                field = field + of * (state[other] - means[other])
        assert model.track(state).field(unit).item() == pytest.approx(field.item(), abs=1e-12)


@pytest.mark.parametrize("bias", [0.0, 0.4, -0.6])
def test_one_step_of_covariance_errs_like_unbiased_patterns_at_a_lower_load(bias):
    drawn = cor.biased_patterns(150, 800, bias, networks=(8,), generator=rng(4), dtype=torch.float32)
    found = wrong(cor.covariance(drawn, torch.full((800,), bias)), drawn)
    law = cap.gaussian_error(torch.tensor((1 - bias**2) * 150 / 800, dtype=torch.float64), 2).item()
    assert found == pytest.approx(law, rel=0.12)


# Archetypes


def test_examples_agree_with_their_archetype():
    pure = random_patterns(3, 500, networks=(2,), generator=rng(15))
    noisy = cor.examples_of(pure, 30, 0.4, generator=rng(16))
    assert noisy.shape == (2, 3, 30, 500)
    assert (noisy * pure[..., None, :]).mean().item() == pytest.approx(0.4, abs=0.01)


@pytest.mark.parametrize(
    ("examples", "agreement", "archetypes"), [(5, 0.4, 5), (9, 0.7, 50), (20, 0.4, 50), (12, 0.5, 1)]
)
def test_the_law_of_one_step_from_an_archetype_is_what_networks_do(examples, agreement, archetypes):
    pure = random_patterns(archetypes, 600, networks=(60 if archetypes < 10 else 12,), generator=rng(17))
    noisy = cor.examples_of(pure, examples, agreement, generator=rng(18)).flatten(1, 2)
    found = (hebbian(noisy).update(pure) != pure).double().mean(dim=(1, 2))
    law = cor.archetype_error(examples, agreement, archetypes, 600)
    assert abs(found.mean().item() - law) < max(4 * found.std().item() / math.sqrt(len(found)), 0.03 * law)


def test_one_step_from_archetypes_is_counted_over_networks():
    found = cor.archetype_one_step(hebbian, 5, 0.4, 5, 600, networks=60, generator=rng(40))
    assert found.shape == (60,)
    law = cor.archetype_error(5, 0.4, 5, 600)
    assert abs(found.mean().item() - law) < max(4 * found.std().item() / math.sqrt(60), 0.03 * law)


def test_the_vote_of_a_single_archetype_is_a_count_of_heads():
    right = [math.comb(5, k) * 0.75**k * 0.25 ** (5 - k) for k in range(6)]
    assert cor.archetype_error(5, 0.5, 1, 100) == pytest.approx(sum(right[:3]))
    even = [math.comb(4, k) * 0.75**k * 0.25 ** (4 - k) for k in range(5)]
    assert cor.archetype_error(4, 0.5, 1, 100) == pytest.approx(even[0] + even[1] + even[2] / 2)
    assert cor.archetype_error(7, 1.0, 1, 100) == 0.0


@pytest.mark.parametrize(("degree", "examples", "agreement"), [(2, 3, 0.7), (2, 8, 0.4), (3, 6, 0.7), (4, 4, 0.9)])
def test_the_law_of_one_step_from_an_example_is_what_networks_do(degree, examples, agreement):
    pure = random_patterns(4, 1500, networks=(6,), generator=rng(19))
    noisy = cor.examples_of(pure, examples, agreement, generator=rng(20)).flatten(1, 2)
    found = wrong(DenseMemory(noisy, Power(degree)), noisy)
    law = cor.example_error(examples, agreement, 4, 1500, degree=degree)
    assert found == pytest.approx(law, rel=0.12, abs=2e-4)


def test_an_example_alone_stays_and_one_of_many_goes_to_its_archetype():
    few, many = (cor.staying(hebbian, count, 0.6, 3, 600, networks=3, probes=5, generator=rng(21)) for count in (1, 40))
    assert few[0].shape == (3, 3)
    assert few[0].min() > 0.97
    assert many[0].max() < 0.7
    assert many[1].min() > 0.97
    dense = cor.staying(
        partial(DenseMemory, interaction=Power(8)), 40, 0.6, 3, 600, networks=3, probes=3, generator=rng(22)
    )
    assert dense[0].min() == 1.0


def test_half_way_is_between_the_last_that_stays_and_the_first_that_goes():
    found, shares = cor.half_way(hebbian, 0.7, 5, 600, networks=4, generator=rng(32))
    assert shares[0] == 1.0
    assert shares[-1] <= 0.5 < shares[-2]
    assert len(shares) - 1 <= found <= len(shares)
    assert cor.half_way(hebbian, 0.1, 3, 600, most=2, networks=2, generator=rng(33))[0] == 2.0


def test_first_to_go_is_where_the_law_of_one_step_crosses():
    found = cor.first_to_go(0.55, 10, 1000, error=0.02)
    low, high = (cor.example_error(m, 0.55, 10, 1000) for m in (math.floor(found), math.ceil(found)))
    assert low <= 0.02 <= high
    assert found % 1 == pytest.approx((0.02 - low) / (high - low))
    assert cor.first_to_go(1e-3, 1, 10**6) == math.inf


# Cycles


@pytest.mark.parametrize("strength", [Fraction(11, 20), Fraction(7, 10), Fraction(19, 20)])
def test_a_cycle_turned_column_by_column_spreads_over_five_patterns(strength):
    found = cor.column_overlaps(11, strength, generator=rng(23))
    assert (found.overlaps * 128 // found.of).tolist() == [77, 51, 13, 3, 1, 0, 0, 1, 3, 13, 51]
    assert (found.period, found.ties) == (1, 0.0)


def test_all_at_once_a_weak_cycle_stays_where_it_is_and_a_strong_one_alternates():
    weak = cor.column_overlaps(7, Fraction(1, 3))
    assert weak.overlaps.tolist() == [128, 0, 0, 0, 0, 0, 0]
    assert (weak.period, weak.steps) == (1, 0)
    strong = cor.column_overlaps(11, Fraction(9, 10))
    assert strong.period == 2
    assert cor.column_overlaps(11, Fraction(9, 10), steps=1).period == 0


def test_columns_are_units_of_a_network_that_holds_each_column_once():
    # Many patterns make what a unit tells itself small against its field.
    columns = torch.tensor(list(itertools.product((1.0, -1.0), repeat=11)), dtype=torch.float64).T
    found = cor.cycle_rest(columns[None], Fraction(3, 5), generator=rng(24))[0]
    assert torch.allclose(128 * found[:6], torch.tensor([77, 51, 13, 3, 1, 0]).double(), rtol=0, atol=0.5)


def test_networks_of_cycles_rest_where_those_with_all_their_couplings_do():
    patterns = random_patterns(5, 60, networks=(3,), generator=rng(41))
    tied = patterns + 0.75 * (patterns.roll(1, dims=1) + patterns.roll(-1, dims=1))
    couplings = patterns.mT @ tied
    couplings.diagonal(dim1=1, dim2=2).zero_()
    model = Hopfield(couplings, couplings.new_zeros(3, 60), 1 / 60)
    end = asynchronous(model, patterns[:, :1], sweeps=20, generator=rng(42)).state
    found = cor.cycle_rest(patterns, Fraction(3, 4), generator=rng(42))
    assert torch.equal(found, (patterns * end).double().mean(dim=-1))
    assert (found[:, 0] < 1).all()
    still = cor.cycle_rest(patterns, Fraction(1, 10**6), sweeps=1, generator=rng(42))
    assert torch.equal(still[:, 0], torch.ones(3, dtype=torch.float64))


# Real patterns


def test_examples_dissolve_and_majorities_hold_where_bits_are_independent():
    pure = random_patterns(20, 900, generator=rng(42))
    found = cor.dissolve(cor.examples_of(pure, 20, 0.5, generator=rng(43)), [1, 20])
    assert found.staying[0] == 1.0
    assert found.staying[1] == 0.0
    assert found.error[1] < 0.05
    assert found.turned_on.min() >= 0
    # Near the agreement that they were drawn with; the mean of few kinds takes a little away.
    assert 0.45 < found.agreement < 0.6


def test_of_the_bits_that_leave_a_majority_those_that_turn_on_are_counted():
    examples = cor.biased_patterns(5, 80, -0.6, networks=(4,), generator=rng(44))
    found = cor.dissolve(examples, [5])
    stored, majority = examples.flatten(0, 1), torch.where(examples.sum(dim=1) > 0, 1.0, -1.0)
    after = cor.covariance(stored, stored.mean(dim=0)).update(majority.to(examples))
    left = after[after != majority]
    assert found.error.item() == pytest.approx(len(left) / after.numel())
    assert found.turned_on.item() == pytest.approx((left > 0).double().mean().item())
    assert found.turned_on.item() > 0.6


def test_recovered_is_what_the_dynamics_say():
    patterns = random_patterns(5, 100, generator=rng(25))
    model = hebbian(patterns)
    found = cor.recovered(model, patterns, [0, 10, 50], generator=rng(26))
    assert found.shape == (3, 5)
    assert found[:2].all()
    assert not found[2].all()
    assert cor.recovered(model, patterns, [50], tolerated=100, generator=rng(27)).all()


@pytest.mark.parametrize("degree", [2, 3, 6, 15])
def test_a_pattern_that_the_others_cannot_outvote_is_a_fixed_point(degree):
    patterns = cor.biased_patterns(12, 60, 0.5, networks=(40,), generator=rng(28))
    votes = cor.opposing_votes(patterns, degree=degree)
    model = DenseMemory(patterns, Power(degree))
    still = (asynchronous(model, patterns, sweeps=1, generator=rng(29)).state == patterns).all(dim=-1)
    assert still[votes < 1].all()
    assert (votes < 1).any() == (degree > 2)
    assert votes.shape == (40, 12)


def test_votes_of_two_patterns_by_hand():
    patterns = torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, -1.0]])
    # Overlap 2, at most 3 on the other units: (4 ** 3 - 2 ** 3) against as much.
    assert cor.opposing_votes(patterns, degree=3).tolist() == [1.0, 1.0]
    patterns = torch.tensor([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0]])
    assert cor.opposing_votes(patterns, degree=3).tolist() == pytest.approx([8 / (64 - 8)] * 2)


def test_images_become_spins_pixel_by_pixel():
    images = torch.zeros(2, 4, 4)
    images[0, 0, 0] = images[1, 2:, 2:] = 1.0
    assert cor.as_spins(images, 2).tolist() == [[-1.0] * 4, [-1.0, -1.0, -1.0, 1.0]]
    assert cor.as_spins(images, 2, ink=0.2)[0].tolist() == [1.0, -1.0, -1.0, -1.0]
    assert torch.equal(cor.as_spins(images, 4), 2 * images.flatten(1) - 1)


# Refusals

SPINS = random_patterns(4, 6, generator=rng(30))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cor.biased_patterns(3, 4, 1.5, generator=rng()), "bias: expected a finite number in [-1, 1]"),
        (lambda: cor.biased_patterns(0, 4, 0.5, generator=rng()), "count: expected an integer >= 1; got 0"),
        (lambda: cor.biased_error(0, 10, 0.5), "count: expected an integer in [1, 1000000]; got 0"),
        (lambda: cor.covariance(SPINS, torch.zeros(5).double()), "means: expected axes (neurons) with neurons = 6"),
        (lambda: cor.covariance(SPINS, torch.full((6,), 2.0).double()), "means: expected values in [-1, 1]; got 2"),
        (lambda: cor.archetype_error(3, 0.0, 2, 10), "agreement: expected a finite number > 0"),
        (lambda: cor.example_error(3, 0.5, 2, 10, degree=1), "degree: expected an integer in [2, 100]; got 1"),
        (lambda: cor.column_overlaps(2, Fraction(1, 2)), "patterns: expected an integer in [3, 16]; got 2"),
        (lambda: cor.column_overlaps(5, 0.5), "strength: expected"),
        (lambda: cor.column_overlaps(5, Fraction(-1, 2)), "strength: expected a fraction in [0, 10]"),
        (
            lambda: cor.cycle_rest(SPINS[None, :2], Fraction(1, 2), generator=rng()),
            "patterns: expected an integer >= 3; got 2",
        ),
        (lambda: cor.cycle_rest(SPINS[None], 0.5, generator=rng()), "strength: expected"),
        (lambda: cor.dissolve(SPINS[None], [5]), "counts: expected an integer in [1, 4]; got 5"),
        (lambda: cor.recovered(hebbian(SPINS), SPINS, [], generator=rng()), "flips: expected one number of units"),
        (lambda: cor.recovered(hebbian(SPINS), SPINS, [7], generator=rng()), "count: expected an integer in [0, 6]"),
        (lambda: cor.opposing_votes(SPINS, degree=1), "degree: expected an integer in [2, 1000]; got 1"),
        (lambda: cor.opposing_votes(2 * SPINS, degree=2), "patterns: expected"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
