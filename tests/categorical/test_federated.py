"""Rounds of one client are training, gradients of clients add up, and a task hides the classes of others."""

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.categorical import federated as f
from memscape.categorical.colimits import average
from memscape.tools.perceptrons import accuracy, he_perceptrons, train


def nets(networks=2, hidden=4, seed=0):
    return he_perceptrons(networks, 6, hidden, 4, rng=np.random.default_rng(seed), dtype=torch.float64)


def data(count=24):
    draw = np.random.default_rng(3)
    labels = torch.from_numpy(draw.integers(0, 4, count))
    return torch.from_numpy(draw.normal(size=(count, 6))) + labels[:, None], labels


def same(a, b):
    for one, other in zip(a.parameters, b.parameters, strict=True):
        torch.testing.assert_close(one, other)


def test_networks_that_see_everything_train_as_without_shards():
    images, labels = data()
    options = {"epochs": 2, "batch": 5, "rate": 0.01}
    everything = torch.arange(24).expand(2, -1)
    own = f.train_own(nets(), images, labels, everything, **options, rng=np.random.default_rng(1))
    *_, plain = train(nets(), images, labels, **options, rng=np.random.default_rng(1))
    same(own, plain)


def test_a_network_learns_its_own_images_and_none_of_the_others():
    images, labels = data()
    shards = torch.stack([torch.arange(12), torch.arange(12, 24)])
    options = {"epochs": 1, "batch": 4, "rate": 0.01}
    before = f.train_own(nets(), images, labels, shards, **options, rng=np.random.default_rng(1))
    images[12:] += 1
    after = f.train_own(nets(), images, labels, shards, **options, rng=np.random.default_rng(1))
    assert torch.equal(before.first[0], after.first[0])
    assert not torch.equal(before.first[1], after.first[1])


def test_a_round_of_one_client_is_an_epoch_and_of_several_their_mean():
    images, labels = data()
    options = {"batch": 4, "rate": 0.01}
    shards = torch.arange(24).reshape(2, 2, 6)
    first, second = f.federate(nets(), images, labels, shards, rounds=2, **options, rng=np.random.default_rng(1))
    same(first.average, average(first.clients, torch.tensor([[0, 1], [2, 3]])))
    dice = np.random.default_rng(1)
    for each, start in ((first, nets()), (second, first.average)):
        four = start.chosen(torch.tensor([0, 0, 1, 1]))
        same(each.clients, f.train_own(four, images, labels, shards.flatten(0, 1), epochs=1, **options, rng=dice))
    (alone,) = f.federate(nets(), images, labels, shards[:, :1], rounds=1, **options, rng=np.random.default_rng(1))
    same(alone.clients, alone.average)


def test_one_step_of_clients_averages_to_one_step_of_all_and_two_do_not():
    images, labels = data()
    start, shards = nets(1), torch.arange(24).reshape(3, 8)
    gaps = []
    for steps in (1, 2):
        clients = start.chosen(torch.zeros(3, dtype=torch.int64))
        apart = f.descend(clients, images, labels, shards, steps=steps, rate=0.1)
        whole = f.descend(start, images, labels, torch.arange(24)[None], steps=steps, rate=0.1)
        gaps.append(float((average(apart, torch.tensor([[0, 1, 2]])).first - whole.first).abs().max()))
    assert gaps[0] < 1e-12 < 1e-4 < gaps[1]


def test_descent_goes_down_and_matches_the_derivative():
    images, labels = data()
    model, everything = nets(1), torch.arange(24)[None]
    after = f.descend(model, images, labels, everything, steps=1, rate=1e-6)
    moved = torch.zeros_like(model.first)
    moved[0, 2, 1] = 1e-5
    losses = [
        torch.nn.functional.cross_entropy((images @ (model.first + s * moved)[0]).relu() @ model.second[0], labels)
        for s in (1, -1)
    ]
    slope = (losses[0] - losses[1]) / 2e-5
    torch.testing.assert_close((model.first - after.first)[0, 2, 1] / 1e-6, slope, rtol=1e-4, atol=1e-7)


def test_heads_hide_other_tasks_in_training_and_in_testing():
    images, labels = data()
    heads, shards = torch.tensor([0, 0, 1, 1]), torch.arange(24).expand(2, -1)
    options = {"epochs": 1, "batch": 4, "rate": 0.01}
    first = labels < 2
    only = shards[:, first]
    trained = f.train_own(nets(), images, labels, only, **options, rng=np.random.default_rng(1), heads=heads)
    assert torch.equal(trained.second[..., 2:], nets().second[..., 2:])
    assert not torch.equal(trained.second[..., :2], nets().second[..., :2])
    shifted = nets()
    shifted.second_bias[:, 2:] += 100
    torch.testing.assert_close(
        f.head_accuracy(shifted, images, labels, heads), f.head_accuracy(nets(), images, labels, heads)
    )
    assert accuracy(shifted, images[first], labels[first]).max() == 0
    one = torch.zeros(4, dtype=torch.int64)
    torch.testing.assert_close(f.head_accuracy(nets(), images, labels, one), accuracy(nets(), images, labels))


def test_refusals_name_the_argument():
    images, labels = data()
    options = {"epochs": 1, "batch": 2, "rate": 0.01, "rng": np.random.default_rng(1)}
    for shards in (torch.arange(24), torch.arange(24)[None], torch.tensor([[0, 24], [0, 1]]), torch.ones(2, 3)):
        with pytest.raises(ArgumentError, match="shards"):
            f.train_own(nets(), images, labels, shards, **options)
    with pytest.raises(ArgumentError, match="batch"):
        f.train_own(nets(), images, labels, torch.zeros(2, 1, dtype=torch.int64), **options)
    with pytest.raises(ArgumentError, match="heads"):
        f.head_accuracy(nets(), images, labels, torch.zeros(3, dtype=torch.int64))
    with pytest.raises(ArgumentError, match="shards"):
        next(
            f.federate(
                nets(), images, labels, torch.arange(24)[None, None], rounds=1, batch=2, rate=0.1, rng=options["rng"]
            )
        )
