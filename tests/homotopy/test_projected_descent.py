"""Descent side by side against torch's own, one network at a time; the threshold; sizes and refusals."""

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import projected_descent as pd
from memscape.tools import perceptrons

RNG = torch.Generator


def data(count=40, seed=0):
    draw = RNG().manual_seed(seed)
    images = torch.rand(count, 6, generator=draw, dtype=torch.float64)
    return images, torch.randint(0, 3, (count,), generator=draw), torch.randint(0, count, (15, 8), generator=draw)


def by_torch(model, k, images, labels, order, rate, positive):
    first, second = torch.nn.Linear(6, 5).double(), torch.nn.Linear(5, 3).double()
    with torch.no_grad():
        for layer, weight, bias in ((first, model.first, model.first_bias), (second, model.second, model.second_bias)):
            layer.weight.copy_(weight[k].T)
            layer.bias.copy_(bias[k])
    net = torch.nn.Sequential(first, torch.nn.ReLU(), second)
    descent = torch.optim.SGD(net.parameters(), lr=rate)
    for batch in order:
        descent.zero_grad()
        torch.nn.functional.cross_entropy(net(images[batch]), labels[batch]).backward()
        descent.step()
        if positive:
            with torch.no_grad():
                first.weight.clamp_(min=0)
                second.weight.clamp_(min=0)
    return net


@pytest.mark.parametrize("positive", [False, True])
def test_each_network_is_trained_as_if_alone(positive):
    images, labels, order = data()
    model = pd.random_perceptrons(3, 6, 5, 3, generator=RNG().manual_seed(2))
    kept = [each.clone() for each in model.parameters]
    after = pd.descend(model, images, labels, order, rate=0.5, positive=positive)
    assert all(torch.equal(a, b) for a, b in zip(kept, model.parameters, strict=True))
    right = perceptrons.accuracy(after, images, labels)
    for k in range(3):
        net = by_torch(model, k, images, labels, order, 0.5, positive)
        torch.testing.assert_close(after.first[k], net[0].weight.T, rtol=0, atol=1e-12)
        torch.testing.assert_close(after.first_bias[k], net[0].bias, rtol=0, atol=1e-12)
        torch.testing.assert_close(after.second[k], net[2].weight.T, rtol=0, atol=1e-12)
        torch.testing.assert_close(after.second_bias[k], net[2].bias, rtol=0, atol=1e-12)
        assert float(right[k]) == float((net(images).argmax(dim=-1) == labels).double().mean())
    low = min(float(each.min()) for each in (after.first, after.second))
    assert (low >= 0) == positive


def test_starts_are_uniform_within_their_bounds_and_given_by_the_seed():
    model = pd.random_perceptrons(2, 100, 50, 10, generator=RNG().manual_seed(1))
    again = pd.random_perceptrons(2, 100, 50, 10, generator=RNG().manual_seed(1))
    assert all(torch.equal(a, b) for a, b in zip(model.parameters, again.parameters, strict=True))
    assert model.first.abs().max() <= 0.1 < model.second.abs().max() <= 50**-0.5
    assert abs(float(model.first.std()) - 0.1 / 3**0.5) < 1e-3


def test_refusals_name_the_argument():
    images, labels, order = data()
    model = pd.random_perceptrons(1, 6, 5, 3, generator=RNG())
    for name, given in (
        ("order", {"order": order.double()}),
        ("order", {"order": order + 40}),
        ("labels", {"labels": labels + 3}),
        ("labels", {"labels": labels[:9]}),
        ("images", {"images": images[:, :5]}),
        ("rate", {"rate": 0.0}),
        ("positive", {"positive": 1}),
        ("model", {"model": 3}),
    ):
        full = {"model": model, "images": images, "labels": labels, "order": order, "rate": 0.1, "positive": False}
        with pytest.raises(ArgumentError, match=name):
            pd.descend(**(full | given))
