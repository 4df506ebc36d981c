import itertools
import math

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import capacity as cap
from memscape.capacity import features
from memscape.memory.mean_field import critical_load
from memscape.memory.patterns import random_patterns

from ..draws import rng


def test_a_mixture_is_the_majority_of_its_features():
    hidden = random_patterns(5, 300, generator=rng(5))
    drawn = features.mixtures(hidden, 40, active=3, generator=rng(6))
    choices = [
        (hidden[list(members)] * torch.tensor(signs, dtype=torch.float64)[:, None]).sum(dim=0).sign()
        for members in itertools.combinations(range(5), 3)
        for signs in itertools.product((1.0, -1.0), repeat=3)
    ]
    assert all(any(torch.equal(one, choice) for choice in choices) for one in drawn)
    assert torch.equal(features.mixtures(hidden, 9, active=1, generator=rng(7)).abs(), torch.ones(9, 300).double())


def test_mixtures_of_all_features_hold_as_much_of_each_as_the_arcsine_says():
    hidden = random_patterns(7, 400, networks=(30,), generator=rng(8))
    drawn = features.mixtures(hidden, 60, generator=rng(9))
    held = (drawn @ hidden.mT / 400).square().mean().item() - (1 - 0.1) / 400  # minus that of a sample of units
    signs = torch.tensor(list(itertools.product((-1.0, 1.0), repeat=7)), dtype=torch.float64)
    cosine = signs.mean(dim=1)
    assert held == pytest.approx((2 / math.pi * cosine * cosine.arcsin()).mean().item(), rel=0.02)


def test_the_three_sources_of_noise_at_a_feature_are_those_of_the_sum_of_few_dependences():
    noise = features.feature_noise(4000, 400, 10**4)
    assert noise.examples == pytest.approx(math.pi / 2 * 400 / 4000, rel=0.01)
    assert noise.features == 399 / 10**4
    assert noise.sample == pytest.approx((math.pi / 2 * 400) ** 2 / (4000 * 10**4), rel=0.01)
    sparse = features.feature_noise(1000, 20, 500, active=3)
    assert sparse.examples == pytest.approx(0.75 / (1000 * 3 / 20 * 0.25))
    assert sparse.sample == pytest.approx(1 / (1000 * 500 * (3 / 20 * 0.25) ** 2))
    assert sparse.total == sparse.examples + sparse.features + sparse.sample
    # One feature: every example is it, or its opposite, and nothing is left to chance.
    assert features.feature_noise(10, 1, 100).examples == pytest.approx(0.0, abs=1e-15)


@pytest.mark.parametrize(
    ("number", "active", "count"), [(10, None, 20), (40, None, 300), (20, 3, 40), (20, 3, 150), (30, 5, 200)]
)
def test_the_law_of_one_step_from_a_feature_is_what_networks_do(number, active, count):
    found = features.learning_curve(
        [count], number, 700, active=active, networks=40, probes=number, sweeps=0, generator=rng(10)
    ).first["feature"][0]
    error = (1 - found) / 2
    law = features.feature_error(count, number, 700, active=active)
    assert abs(error.mean().item() - law) < max(4 * error.std().item() / math.sqrt(40), 0.04 * law)


def test_with_many_examples_few_examples_make_no_difference():
    for active in (None, 3):
        noise = features.feature_noise(10**5, 50, 200, active=active)
        plain = cap.gaussian_error(torch.tensor(noise.total, dtype=torch.float64), 2).item()
        assert features.feature_error(10**5, 50, 200, active=active) == pytest.approx(plain, rel=0.02)


def test_a_memory_learns_features_and_then_mixtures_that_it_was_never_shown():
    found = features.learning_curve([20, 5000], 10, 400, active=3, networks=3, probes=4, generator=rng(11))
    assert found.counts == (20, 5000)
    assert {part.shape for part in found.settled.values()} == {(2, 3)}
    feature, unseen = found.settled["feature"].mean(dim=1), found.settled["unseen"].mean(dim=1)
    assert feature[0] < 0.6 < 0.99 < feature[1]
    assert unseen[0] < 0.6 < 0.9 < unseen[1]
    assert (found.resting >= 0).all()
    assert (found.resting <= 1).all()


def test_adding_mixtures_one_piece_at_a_time_is_adding_them_at_once(monkeypatch):
    # The first count of a curve stores the mixtures that a curve of it alone stores.
    alone = features.learning_curve([50], 8, 100, active=3, networks=2, sweeps=0, generator=rng(12))
    longer = features.learning_curve([50, 60], 8, 100, active=3, networks=2, sweeps=0, generator=rng(12))
    for kind in alone.first:
        assert torch.equal(alone.first[kind][0], longer.first[kind][0])
    few = features.learning_curve([2], 8, 100, networks=2, probes=5, sweeps=0, generator=rng(13))
    assert torch.isfinite(few.first["stored"]).all()
    monkeypatch.setattr(features, "_DRAWN", 1)
    single = features.learning_curve([2000], 8, 100, active=3, networks=2, sweeps=0, generator=rng(14))
    assert single.first["feature"].mean() > 0.97


def test_networks_that_settle_together_settle_as_alone_and_only_what_is_asked_for_is_started(monkeypatch):
    some = {"networks": 2, "probes": 3, "generator": rng(20)}
    together = features.learning_curve([4, 40], 8, 100, active=3, sweeps=0, **some)
    monkeypatch.setattr(features, "_SETTLED", 1)
    alone = features.learning_curve([4, 40], 8, 100, active=3, sweeps=0, **(some | {"generator": rng(20)}))
    for kind in features.KINDS:
        assert torch.equal(together.settled[kind], alone.settled[kind])
    single = features.learning_curve([4], 8, 100, kinds=["unseen"], **some)
    assert list(single.first) == list(single.settled) == ["unseen"]


def test_features_are_learned_as_random_patterns_are_stored_where_they_are_as_many():
    # With endless examples a feature is a random pattern and has the critical load of one.
    overlaps = torch.linspace(0.9, 0.99, 40).tolist()
    most = {part: max(features._excess(m, 1e-7, part * critical_load()) for m in overlaps) for part in (0.998, 1.002)}
    assert most[1.002] < 0 < most[0.998]
    # Just before it all noise is fed back but for some of the third term.
    for crowding in (0.12, 0.13):
        crowded, left = features.learning_transition(crowding).examples, critical_load() - crowding
        assert math.pi / 2 / left < crowded < (math.pi / 2 + math.pi**2 / 4 * crowding) / left
    few = [features.learning_transition(crowding) for crowding in (0.0, 0.02, 0.05)]
    assert [one.examples for one in few] == sorted(one.examples for one in few)
    assert few[0].examples < 0.8 * math.pi / 2 / critical_load()


def test_the_integral_of_the_transition_is_over_the_eigenvalues_of_random_correlations():
    ratio, response = 0.1, 0.3
    drawn = torch.randn(4000, 400, generator=rng(21), dtype=torch.float64)
    found = torch.linalg.eigvalsh(drawn.T @ drawn / 4000)
    nodes = torch.from_numpy(1 + ratio + 2 * math.sqrt(ratio) * features._COSINES)
    shares = torch.from_numpy(features._WEIGHTS * (1 - features._COSINES**2)) / nodes
    assert shares.sum().item() == pytest.approx(1.0)
    for power in (1, 2):
        law = (shares * nodes / (1 - response * nodes) ** power).sum().item()
        assert (found / (1 - response * found) ** power).mean().item() == pytest.approx(law, rel=0.02)


def test_where_a_mean_has_risen_to_a_level_is_on_a_line_in_the_logarithm():
    overlaps = torch.tensor([[0.2, 0.2], [0.4, 0.4], [0.3, 0.3], [0.8, 0.8]])
    found = features.learned_at([10, 20, 40, 80], overlaps, 0.6)
    assert found.value == pytest.approx(40 * 2**0.5)
    assert features.learned_at([10, 20, 40, 80], overlaps, 0.9).value == pytest.approx(80)
    spread = features.learned_at([10, 100], torch.tensor([[0.1, 0.3], [0.7, 0.9]]), 0.5)
    assert spread.low < spread.value < spread.high
    with pytest.raises(ArgumentError, match="counts: expected two rising numbers of mixtures or more"):
        features.learned_at([10], overlaps[:1], 0.6)


SPINS = random_patterns(4, 6, generator=rng(30))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: features.mixtures(SPINS, 3, active=2, generator=rng()), "active: expected an odd number; got 2"),
        (
            lambda: features.mixtures(SPINS, 3, active=5, generator=rng()),
            "active: expected an integer in [1, 4]; got",
        ),
        (lambda: features.feature_noise(10, 0, 10), "features: expected an integer in [1, 1000000]; got 0"),
        (
            lambda: features.learning_curve([5], 3, 10, networks=1, kinds=["x"], generator=rng()),
            "kinds: expected one of 'stored', 'feature', 'unseen'",
        ),
        (
            lambda: features.learning_curve([5], 3, 10, networks=1, kinds=["stored"] * 2, generator=rng()),
            "kinds: expected some of stored, feature, unseen, each once",
        ),
        (lambda: features.learning_transition(0.2), "crowding: expected a finite number in [0, 0.13]"),
        (lambda: features.feature_error(10**7, 3, 10), "count: expected an integer in [1, 1000000]; got 10000000"),
        (
            lambda: features.learning_curve([5, 5], 3, 10, networks=1, generator=rng()),
            "counts: expected one rising number of mixtures or more; got [5, 5]",
        ),
        (
            lambda: features.learning_curve([], 3, 10, networks=1, generator=rng()),
            "counts: expected one rising number of mixtures or more; got []",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
