"""Saying it again: Hebb's rule on copies, rules that correct errors, moved images."""

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.capacity import augmentation as aug
from memscape.capacity.capacity import gaussian_error
from memscape.memory.hopfield import Hopfield, hebbian, stability
from memscape.memory.patterns import random_patterns
from memscape.memory.recall import Recall
from memscape.tools import pieces

from ..draws import rng


def spins(count, neurons, networks=(2,), dtype=torch.float64):
    return random_patterns(count, neurons, networks=networks, generator=rng(1), dtype=dtype)


# Noisy copies


def test_copies_have_the_noise_asked_for():
    patterns = spins(5, 40)
    copies = aug.noisy_copies(patterns, 200, 0.2, generator=rng())
    assert copies.shape == (2, 1000, 40)
    wrong = (copies.reshape(2, 200, 5, 40) != patterns[:, None]).double().mean(dim=1)
    assert wrong.mean().item() == pytest.approx(0.2, abs=0.005)
    assert wrong.std().item() == pytest.approx(math.sqrt(0.16 / 200), rel=0.2)
    for noise in (0.0, 1.0):
        sign = 1 - 2 * noise
        assert torch.equal(aug.noisy_copies(patterns, 1, noise, generator=rng()), sign * patterns)


def test_on_average_copies_store_the_patterns_times_a_factor():
    noise, pattern = 0.3, torch.tensor([[1.0, -1.0, 1.0]], dtype=torch.float64)
    mean = torch.zeros(3, 3, dtype=torch.float64)
    for wrong in itertools.product((False, True), repeat=3):  # every copy, with its probability
        copy = torch.where(torch.tensor(wrong), -pattern, pattern)
        mean += hebbian(copy).weights * math.prod(noise if bit else 1 - noise for bit in wrong)
    torch.testing.assert_close(mean, (1 - 2 * noise) ** 2 * hebbian(pattern).weights)
    drawn = aug.hebbian_of_copies(pattern, 4000, noise, generator=rng()).weights
    torch.testing.assert_close(drawn, mean, atol=0.02, rtol=0)


def test_copies_are_stored_as_if_they_were_patterns():
    patterns = spins(3, 10)
    network = aug.hebbian_of_copies(patterns, 4, 0.2, generator=rng())
    together = hebbian(aug.noisy_copies(patterns, 4, 0.2, generator=rng()))
    assert torch.equal(network.couplings, together.couplings)
    assert network.unit == pytest.approx(1 / 40)


@given(st.floats(0.01, 2.0), st.integers(1, 30))
def test_without_noise_copies_change_nothing(load, copies):
    expected = gaussian_error(torch.tensor(load, dtype=torch.float64), 2).item()
    assert aug.copies_error(load, copies, 0.0) == pytest.approx(expected, abs=1e-12)


@given(st.floats(0.05, 2.0), st.floats(0.01, 0.45))
def test_many_copies_come_to_the_error_of_the_patterns_and_one_is_worse(load, noise):
    clean = gaussian_error(torch.tensor(load, dtype=torch.float64), 2).item()
    assert aug.copies_error(load, 1, noise) > clean
    assert aug.copies_error(load, 10**4, 0.1) == pytest.approx(clean, abs=1e-3)


@pytest.mark.parametrize(("copies", "noise"), [(1, 0.1), (3, 0.2), (8, 0.3)])
def test_the_law_of_copies_holds_in_a_network(copies, noise):
    patterns = random_patterns(120, 600, networks=(8,), generator=rng(), dtype=torch.float32)
    network = aug.hebbian_of_copies(patterns, copies, noise, generator=rng(3))
    wrong = (network.update(patterns) != patterns).double().mean().item()
    assert wrong == pytest.approx(aug.copies_error(119 / 600, copies, noise), rel=0.05)


# Rules that correct errors


RULES = [aug.perceptron_of_copies, aug.flow_of_copies]


@pytest.mark.parametrize("rule", RULES)
def test_what_is_learned_answers_every_copy_and_keeps_every_pattern(rule):
    patterns = spins(6, 40)
    copies, answers = aug.noisy_copies(patterns, 5, 0.1, generator=rng()), patterns.repeat(1, 5, 1)
    found = rule(copies, answers)
    assert (found.margin > 0).all()
    fields = copies @ found.couplings
    assert torch.equal(fields.sign(), answers)
    least = (fields * answers).amin(dim=(-2, -1)) / torch.linalg.matrix_norm(found.couplings)
    torch.testing.assert_close(found.margin, least)
    network = found.network()
    assert isinstance(network, Hopfield)
    assert torch.equal(network.couplings, network.couplings.mT)
    assert not network.couplings.diagonal(dim1=-2, dim2=-1).any()
    assert (stability(network, patterns) > 0).double().mean() > 0.9


@pytest.mark.parametrize("rule", RULES)
def test_the_ceiling_bounds_every_margin(rule):
    patterns = spins(3, 12)
    copies, answers = aug.noisy_copies(patterns, 2, 0.05, generator=rng()), patterns.repeat(1, 2, 1)
    found = rule(copies, answers)
    widest = aug.flow_of_copies(copies, answers, rounds=5000, gap=0.02)
    assert (widest.margin <= found.ceiling * (1 + 1e-9)).all()
    assert (widest.margin >= 0.97 * widest.ceiling).all()


@pytest.mark.parametrize("rule", RULES)
def test_what_cannot_be_learned_is_not(rule):
    copies = torch.ones(2, 4, dtype=torch.float64)
    answers = torch.tensor([[1.0, 1, 1, 1], [-1, -1, -1, -1]], dtype=torch.float64)
    found = rule(copies, answers, rounds=200)
    assert found.margin <= 0
    if rule is aug.flow_of_copies:
        assert found.ceiling < 0.01 * max(1.0, -found.margin.item())


def test_fresh_copies_without_noise_are_the_patterns():
    patterns = spins(6, 40)
    fresh = aug.perceptron_of_fresh_copies(patterns, 0.0, generator=rng())
    assert torch.equal(fresh.couplings, aug.perceptron_of_copies(patterns, patterns).couplings)
    assert (fresh.margin > 0).all()


def test_patterns_without_noise_are_learned_with_the_margin_that_is_asked_for():
    patterns = spins(10, 80, (2,))
    found = aug.perceptron_of_fresh_copies(patterns, 0.0, margin=1.0, generator=rng())
    rows = torch.linalg.vector_norm(found.couplings, dim=-1)
    assert (patterns * (patterns @ found.couplings) > rows[:, None]).all()
    assert found.rounds < 400


def test_fresh_copies_keep_the_patterns_and_widen_their_basins():
    patterns = spins(10, 80)
    margins = [aug.perceptron_of_fresh_copies(patterns, p, rounds=200, generator=rng()).margin for p in (0.0, 0.2)]
    assert (margins[1] > margins[0]).all()


def test_the_margin_of_the_widest_is_that_of_a_quadratic_programme():
    # Two units: J_12 alone, and every answer must be the other's value.
    copies = torch.tensor([[1.0, 1.0], [1.0, -1.0]], dtype=torch.float64)
    answers = torch.tensor([[1.0, 1.0], [-1.0, 1.0]], dtype=torch.float64)
    found = aug.flow_of_copies(copies, answers, gap=0.01)
    assert found.margin.item() == pytest.approx(1 / math.sqrt(2), rel=0.01)


def test_networks_that_have_arrived_do_not_depend_on_the_others():
    patterns = spins(8, 30, (3,), torch.float64)
    copies, answers = aug.noisy_copies(patterns, 3, 0.1, generator=rng()), patterns.repeat(1, 3, 1)
    whole = aug.flow_of_copies(copies, answers, gap=0.5)
    alone = torch.stack([aug.flow_of_copies(c, a, gap=0.5).couplings for c, a in zip(copies, answers, strict=True)])
    torch.testing.assert_close(whole.couplings, alone)


def test_basins_count_what_is_wrong_after_settling():
    patterns = spins(2, 60)
    found = aug.basins(hebbian(patterns), patterns, [0, 5, 30], generator=rng())
    assert not found[0].wrong.any()
    assert found[0].wrong.shape == (2, 2)
    assert found[1].wrong.sum() <= found[2].wrong.sum()


def test_the_radius_is_where_exact_recall_falls_through_the_level():
    def recall(share):
        return Recall((torch.arange(10)[None] >= round(10 * share)).long(), 50, torch.ones(1, 10, dtype=torch.bool))

    assert aug.radius([0, 5, 10], [recall(1.0), recall(1.0), recall(0.8)]) == pytest.approx(7.5 / 50)
    assert aug.radius([0, 5], [recall(0.5), recall(0.1)]) == 0.0
    assert aug.radius([0, 5], [recall(1.0), recall(1.0)]) == 0.1
    with pytest.raises(ArgumentError, match=r"^flips: expected rising numbers, one a recall"):
        aug.radius([5, 5], [recall(1.0), recall(1.0)])


@pytest.mark.parametrize("power", [2, 3, 4])
def test_a_name_completes_its_memory_as_the_sum_says(power):
    patterns = spins(4, 9)
    found = aug.complete_name(patterns, 5, power)
    for network, each in enumerate(patterns):
        for index, pattern in enumerate(each):
            field = sum(memory[5:] * (memory[:5] @ pattern[:5]) ** (power - 1) for memory in each)
            assert torch.equal(found[network, index, 5:], torch.where(field >= 0, 1.0, -1.0).double())
    assert torch.equal(found[..., :5], patterns[..., :5])


# Moved images


@given(st.integers(-4, 4), st.integers(-4, 4))
def test_an_image_moves_by_whole_pixels(down, right):
    image = torch.arange(1.0, 13.0).reshape(3, 4)
    if abs(down) > 3:
        return
    moved = aug.move(image, down, right)
    for y, x in itertools.product(range(3), range(4)):
        inside = 0 <= y - down < 3 and 0 <= x - right < 4
        assert moved[y, x] == (image[y - down, x - right] if inside else 0)


MOVES = [(0, 0), (1, 0), (0, -1)]


@pytest.mark.parametrize("budget", [1, 2**28])
def test_the_nearest_memory_is_that_of_brute_force(budget):
    draw = rng()
    memories, images = torch.rand(12, 4, 5, generator=draw), torch.rand(30, 4, 5, generator=draw)
    labels, answers = torch.arange(12) % 3, torch.arange(30) % 3
    centre = memories.mean(dim=0)
    with pieces.budget(budget):
        right = aug.nearest_right(memories, labels, images, answers, [2, 7, 12], centre=centre, moves=MOVES)
    assert right.shape == (3, 30)
    for count, row in zip([2, 7, 12], right, strict=True):
        for query, image in enumerate(images):
            cosines = {
                torch.nn.functional.cosine_similarity(
                    (aug.move(memories[i], *move) - centre).flatten(), (image - centre).flatten(), dim=0
                ).item(): labels[i].item()
                for i in range(count)
                for move in MOVES
            }
            assert row[query].item() == (cosines[max(cosines)] == answers[query].item())


@pytest.mark.parametrize("budget", [1, 2**28])
def test_shared_ink_is_that_of_brute_force(budget):
    draw = rng()
    memories, images = ((torch.rand(2, n, 7, 6, generator=draw) < 0.4).double() for n in (3, 4))
    with pieces.budget(budget):
        found = aug.shared_ink(memories, images, 2)
    assert found.shape == (3, 2, 4, 3)
    for r, g, q, c in itertools.product(range(3), range(2), range(4), range(3)):
        moves = itertools.product(range(-r, r + 1), repeat=2)
        assert found[r, g, q, c] == max((aug.move(memories[g, c], *m) * images[g, q]).sum() for m in moves)


@pytest.mark.parametrize("budget", [1, 2**28])
def test_the_hausdorff_distance_is_that_of_brute_force_and_ignores_moves(budget):
    draw = rng()
    memories, images = ((torch.rand(2, n, 7, 6, generator=draw) < 0.4).double() for n in (3, 4))
    with pieces.budget(budget):
        found = aug.hausdorff(memories, images)
    for g, q, c in itertools.product(range(2), range(4), range(3)):
        sets = [np.argwhere(image.numpy() == 1).astype(float) for image in (images[g, q], memories[g, c])]
        one, two = (points - points.mean(axis=0) for points in sets)
        apart = np.linalg.norm(one[:, None] - two[None], axis=2)
        assert found[g, q, c].item() == pytest.approx(max(apart.min(1).mean(), apart.min(0).mean()), rel=1e-5)
    framed = torch.nn.functional.pad(images, (2, 2, 2, 2))
    torch.testing.assert_close(
        aug.hausdorff(framed, aug.move(framed, 2, -1)), aug.hausdorff(images, images), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("counts", [[], [2, 2], [3, 13], [0, 3]])
def test_counts_of_memories_that_do_not_rise_or_fit_are_refused(counts):
    some, labels = torch.rand(12, 4, 5, generator=rng()), torch.arange(12) % 3
    with pytest.raises(ArgumentError, match=r"^counts: expected"):
        aug.nearest_right(some, labels, some, labels, counts, centre=some.mean(dim=0))


def test_an_image_without_ink_is_refused():
    ink = torch.ones(1, 2, 3, dtype=torch.float64)
    with pytest.raises(ArgumentError, match=r"^images: expected some ink in each; got one without"):
        aug.hausdorff(ink, torch.zeros(1, 2, 3, dtype=torch.float64))
    with pytest.raises(ArgumentError, match=r"^reach: expected an integer in \[0, 1\]; got 2"):
        aug.shared_ink(ink, ink, 2)
