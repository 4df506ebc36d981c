"""Learning by splits, against the conventions and the small system written out (Boukacem et al. 2024)."""

import math

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.classifier import Classifier, gradient, train
from memscape.memory.waddington import Pair, agreement, appearance, birth_order, distinct, purity, start

F64 = torch.float64
SYSTEM = Pair(748.835, 529.057, 716.086, 750.0)


def begin(**changes):
    given = {"n": 5, "temperature": 30.0, "epochs": 3, "rate": 0.01, "batch": 4, **changes}
    return start(3, 6, 2, rng=np.random.default_rng(0), **given)


def labelled(*rows: list[float]) -> Classifier:
    return Classifier(torch.zeros(len(rows), 3, dtype=F64), torch.tensor(rows, dtype=F64), 3, 1.0, 0.0)


def test_the_conventions_are_translated():
    """Their output tanh sum l (M v / T)^n is that of the classifier at its own power and temperature."""
    classifier, schedule = begin(temperature=2.0)
    moved = Classifier(
        classifier.images.abs() * 100,
        torch.rand(3, 2, dtype=F64, generator=torch.Generator().manual_seed(0)),
        6,
        classifier.temperature,
        0.0,
    )
    image = torch.rand(1, 6, dtype=F64, generator=torch.Generator().manual_seed(1))
    theirs = moved.labels.T @ ((moved.images @ image[0]) / 2.0) ** 5
    torch.testing.assert_close(moved.inputs(image)[0], theirs)
    assert (schedule.loss, schedule.momentum, schedule.decay, schedule.hot) == (10, 0.0, 1.0, classifier.temperature)


def test_memories_start_in_one_cluster_and_training_runs():
    classifier, schedule = begin()
    assert distinct(classifier.images, radius=0.01) == 1
    images = torch.rand(4, 6, dtype=F64, generator=torch.Generator().manual_seed(2)) * 2 - 1
    course = list(train(classifier, images, torch.tensor([0, 1, 0, 1]), schedule, generator=torch.Generator()))
    assert len(course) == 3


def test_distinct_groups_are_chains_of_near_points():
    points = torch.tensor([[0.0, 0.0], [0.1, 0.1], [0.2, 0.2], [1.0, 1.0]], dtype=F64)
    assert distinct(points, radius=0.11) == 2
    assert distinct(points, radius=0.05) == 4
    assert distinct(points, radius=2.0) == 1


def test_purity_counts_memories_with_one_vote():
    assert purity(labelled([1.0, -1.0], [0.6, 0.7], [0.2, -1.0], [-1.0, 0.9])) == 0.5


def test_appearance_is_the_first_epoch_of_a_positive_largest_label():
    course = [labelled([-0.1, -0.5, -1.0]), labelled([0.2, -0.5, -1.0]), labelled([0.2, 0.5, -1.0])]
    assert appearance(course) == [1, 2, -1]


def test_classes_stand_in_the_order_of_their_first_epochs_and_the_missing_last():
    course = [labelled([-0.1, -0.5, 0.3]), labelled([0.2, -0.5, -1.0])]
    assert birth_order(course) == (2, 0, 1)


def test_usual_is_what_the_first_half_says_and_only_the_second_half_is_judged():
    orders = [(0, 1, 2), (0, 1, 2), (1, 0, 2), (0, 1, 2), (0, 2, 1), (2, 1, 0)]
    found = agreement(orders, first=1)
    assert (found.runs, found.first, found.whole) == (3, 2, 1)
    assert found.pairs == (1.0, pytest.approx(2 / 3), 0.0)


def test_of_an_odd_number_of_runs_one_more_is_judged():
    assert agreement([(1, 0), (0, 1), (1, 0)], first=2).runs == 2


def test_random_orders_have_half_of_their_pairs_in_common():
    draw = np.random.default_rng(3)
    found = agreement([tuple(draw.permutation(6).tolist()) for _ in range(2000)])
    assert np.mean(found.pairs) == pytest.approx(0.5, abs=0.02)


def small_flow(a: float, n: int, system: Pair, own: float, other: float) -> float:
    """The difference of the coefficients with which the two images enter minus the gradient, by the chain rule."""
    with_a, with_b = a * system.aa + (1 - a) * system.ab, a * system.ab + (1 - a) * system.bb
    labels = [own, other] + [-1.0] * system.others
    total = []
    for overlap, right in ((with_a, 0), (with_b, 1)):
        f = (overlap / system.temperature) ** n
        push = 0.0
        for k, label in enumerate(labels):
            target, c = (1.0 if k == right else -1.0), math.tanh(label * f)
            push += (target - c) ** (2 * n - 1) * (1 - c * c) * label
        total.append(push * f / overlap)
    return system.temperature * (total[0] - total[1])


@pytest.mark.parametrize("a", [0.2, 0.46, 0.8])
def test_the_flow_is_the_chain_rule_with_labels_at_rest(a):
    n = 10
    grid = np.linspace(-1, 1, 200_001)
    with_a, with_b = a * SYSTEM.aa + (1 - a) * SYSTEM.ab, a * SYSTEM.ab + (1 - a) * SYSTEM.bb
    f, g = (with_a / 750) ** n, (with_b / 750) ** n

    def rest(f, g):  # where the pulls on a label cancel
        c, d = np.tanh(grid * f), np.tanh(grid * g)
        pull = f * (1 - c) ** (2 * n - 1) * (1 - c * c) - g * (1 + d) ** (2 * n - 1) * (1 - d * d)
        return float(grid[np.abs(pull).argmin()]) if pull[0] * pull[-1] < 0 else math.copysign(1.0, pull[0])

    expected = small_flow(a, n, SYSTEM, rest(f, g), rest(g, f))
    assert float(SYSTEM.flow(a, n)) == pytest.approx(expected, abs=2e-3)


def test_the_flow_has_the_direction_of_the_classifiers_gradient():
    rng = np.random.default_rng(3)
    images = torch.from_numpy(np.sign(rng.normal(size=(2, 400))))
    images[1, :280] = images[0, :280]
    products = images @ images.T
    system = Pair(products[0, 0].item(), products[0, 1].item(), products[1, 1].item(), 380.0, others=0)
    n, a, own, other = 4, 0.7, 0.3, -0.2
    memory = (a * images[0] + (1 - a) * images[1])[None]
    power, scaled = n + 1, (2 * (n + 1) * 380.0**n) ** (1 / (n + 1))
    model = Classifier(memory, torch.tensor([[own, other]], dtype=F64), power, scaled, 0.0)
    slope, _ = gradient(model, images, torch.tensor([0, 1]), loss=2 * n)
    shares = torch.linalg.lstsq(images.T, -slope[0][:, None]).solution[:, 0]
    expected = small_flow(a, n, system, own, other) * 2 * n * n / 380.0
    assert (shares[0] - shares[1]).item() == pytest.approx(expected, rel=1e-8)


def test_the_middle_is_always_a_fixed_point():
    middle = (SYSTEM.bb - SYSTEM.ab) / (SYSTEM.aa + SYSTEM.bb - 2 * SYSTEM.ab)
    for n in (5.0, 12.0, 30.0):
        assert any(abs(a - middle) < 1e-6 for a, _ in SYSTEM.fixed_points(n))


def test_stable_and_unstable_points_alternate():
    kinds = [stable for _, stable in SYSTEM.fixed_points(5.0)]
    assert len(kinds) == 3
    assert kinds == [True, False, True]


def test_two_points_meet_at_the_fold_and_are_gone_behind_it():
    share, n = SYSTEM.fold(0.476, 9.6)
    assert abs(float(SYSTEM.flow(share, n))) < 1e-9
    assert SYSTEM.fold(0.48, 9.5) == pytest.approx((share, n), rel=1e-6)
    before, after = (SYSTEM.fixed_points(n + d, points=20_001) for d in (-0.01, 0.01))
    assert len(before) == len(after) + 2


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: begin(n=0), "n: expected an integer >= 1; got 0."),
        (lambda: begin(temperature=0.0), "temperature: expected a finite number > 0; got 0."),
        (lambda: begin(epochs=0), "epochs: expected an integer >= 1; got 0."),
        (lambda: distinct(torch.zeros(3), radius=1.0), "points: expected axes (memories, neurons); got shape (3,)."),
        (lambda: distinct(torch.zeros(3, 2), radius=0.0), "radius: expected a finite number > 0; got 0."),
        (lambda: purity(labelled([1.0, 0.0]), threshold=math.nan), "threshold: expected a finite number; got nan"),
        (lambda: appearance([]), "course: expected at least one classifier; got none."),
        (lambda: birth_order([]), "course: expected at least one classifier; got none."),
        (lambda: agreement([(0, 1)]), "orders: expected two orders or more; got 1."),
        (lambda: agreement([(0, 1), (0, 0)]), "orders[1]: expected an order of the classes 0 to 1; got (0, 0)."),
        (lambda: agreement([(0, 1), (0, 1, 2)]), "orders[1]: expected an order of the classes 0 to 1; got (0, 1, 2)."),
        (lambda: agreement([(0,), (0,)]), "orders[0]: expected an order of the classes 0 to 1; got (0,)."),
        (lambda: agreement([(0, 1), (1, 0)], first=3), "first: expected an integer in [1, 2]; got 3."),
        (lambda: Pair(1.0, 2.0, 3.0, 1.0), "aa: expected a finite number > 2; got 1."),
        (lambda: Pair(3.0, 2.0, 1.0, 1.0), "bb: expected a finite number > 2; got 1."),
        (lambda: Pair(3.0, 2.0, 3.0, 0.0), "temperature: expected a finite number > 0; got 0."),
        (lambda: Pair(3.0, 2.0, 3.0, 1.0, others=-1), "others: expected an integer >= 0; got -1."),
        (lambda: SYSTEM.flow(0.5, 0.0), "n: expected a finite number > 0; got 0."),
        (lambda: SYSTEM.fixed_points(5.0, points=2), "points: expected an integer in [3, 10000000]; got 2."),
        (lambda: SYSTEM.fold(2.0, 5.0), "share: expected a finite number > 0 and <= 1; got 2."),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)
