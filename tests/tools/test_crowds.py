"""Models side by side: each is what it would be alone."""

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.dense import DenseMemory, Power
from memscape.memory.hopfield import Hopfield
from memscape.memory.patterns import random_patterns
from memscape.tools.crowds import Crowd, crowd, mine, trained
from memscape.tools.training import adamw, warm_cosine

from ..draws import normal, rng


def network(seed: int, neurons: int = 3) -> Hopfield:
    weights = normal(seed, neurons, neurons)
    return Hopfield((weights + weights.mT).fill_diagonal_(0.0), normal(seed + 50, neurons))


def test_a_crowd_gives_what_its_models_give_one_by_one():
    models = [network(seed) for seed in range(4)]
    states = random_patterns(4, 3, generator=rng()).double()
    together = crowd(models)
    expected = torch.stack([model.energy(state) for model, state in zip(models, states, strict=True)])
    assert len(together) == 4
    assert torch.allclose(together.each(Hopfield.energy, states), expected)
    for number in (0, 3, -1):
        assert torch.equal(together.member(number).weights, models[number].weights)
        assert torch.equal(together.member(number).thresholds, models[number].thresholds)


def test_a_member_shares_no_memory_with_the_crowd():
    together = crowd([network(1), network(2)])
    together.member(0).couplings.zero_()
    assert torch.equal(together.member(0).couplings, network(1).couplings)


def test_models_trained_side_by_side_do_not_know_of_each_other():
    target = normal(9, 3)

    def distance(model):
        return (model.thresholds - target).square().sum() + model.weights.square().sum()

    def alone(current):
        for _ in range(3):
            yield distance(current)

    def side_by_side(current):
        for _ in range(3):
            yield current.each(distance).sum()

    models = [network(1), network(2)]
    *_, (together, _) = adamw(crowd(models), side_by_side, epochs=2, rate=0.1)
    for number, model in enumerate(models):
        *_, (trained, _) = adamw(model, alone, epochs=2, rate=0.1)
        assert torch.allclose(together.member(number).weights, trained.weights, atol=1e-12)
        assert torch.allclose(together.member(number).thresholds, trained.thresholds, atol=1e-12)
        assert not torch.allclose(trained.thresholds, model.thresholds)


def test_models_that_differ_in_more_than_entries_are_refused():
    patterns = random_patterns(2, 4, generator=rng())
    for other in (network(1, neurons=4), network(1).to(torch.float32), DenseMemory(patterns, Power(3))):
        with pytest.raises(ArgumentError, match="models"):
            crowd([network(0), other])
    with pytest.raises(ArgumentError, match="models"):
        crowd([DenseMemory(patterns, Power(2)), DenseMemory(patterns, Power(3))])
    with pytest.raises(ArgumentError, match="models"):
        crowd([])


def test_a_crowd_is_checked():
    good = crowd([network(1), network(2)])
    with pytest.raises(ArgumentError, match="tensors: expected one first axis"):
        Crowd((good.tensors[0], good.tensors[1][:1]), good.shape)
    with pytest.raises(ArgumentError, match="tensors: expected the 2 of the shape"):
        Crowd(good.tensors[:1], good.shape)
    with pytest.raises(ArgumentError, match="number: expected a model's number, 0 to 1"):
        good.member(2)
    assert good.require_finite("rate") is good
    good.tensors[1][0, 0] = float("nan")
    with pytest.raises(ArgumentError, match="rate: expected what leaves the models finite"):
        good.require_finite("rate")
    with pytest.raises(ArgumentError, match="arguments: expected tensors with 2 models in front"):
        good.each(Hopfield.energy, torch.ones(3, 3, dtype=torch.float64))


def test_every_model_draws_from_its_own_samples_alone_and_from_all_of_them():
    owned = [torch.tensor([7]), torch.tensor([1, 3, 5, 9]), torch.arange(10)]
    draws = mine(owned, 3, of=10, batch=4000, generator=rng(3))
    first, second = next(draws), next(draws)
    assert first.shape == (3, 4000)
    assert not torch.equal(first, second)
    for own, drawn in zip(owned, first, strict=True):
        values, counts = drawn.unique(return_counts=True)
        assert values.tolist() == own.tolist()
        expected = 4000 / len(own)
        assert ((counts - expected).abs() <= 5 * expected**0.5).all()


def test_samples_that_do_not_exist_are_refused():
    for owned, problem in (([torch.tensor([10])], "samples below 10"), ([torch.arange(2)] * 2, "each of 1 models")):
        with pytest.raises(ArgumentError, match=f"owned: expected .*{problem}"):
            mine(owned, 1, of=10, batch=2, generator=rng())


def test_training_is_that_of_adamw_at_a_warm_rate_and_stops_where_it_is_cut():
    together = crowd([network(1), network(2)])

    def loss(current: Crowd) -> torch.Tensor:
        return sum((tensor - 1).square().sum() for tensor in current.tensors)

    def losses(current):
        for _ in range(6):
            yield loss(current)

    *_, (expected, _) = adamw(together, losses, epochs=1, rate=0.1, decay=0.2, second=0.99, schedule=warm_cosine(6))
    for stretches in (1, 3):
        stops = list(trained(together, loss, steps=6, stretches=stretches, rate=0.1, decay=0.2, second=0.99))
        assert len(stops) == stretches
        assert all(torch.equal(*pair) for pair in zip(stops[-1].tensors, expected.tensors, strict=True))
    assert float(loss(stops[0])) > float(loss(stops[-1]))
    with pytest.raises(ArgumentError, match="stretches: expected a divisor of 6"):
        trained(together, loss, steps=6, stretches=4, rate=0.1)
    with pytest.raises(ArgumentError, match="^pace: expected what leaves the models finite"):
        list(
            trained(
                together, lambda current: loss(current) * torch.nan, steps=1, stretches=1, rate=0.1, argument="pace"
            )
        )
