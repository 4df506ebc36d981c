"""Networks side by side: each is trained as if it were alone, and by torch's own Adam to the same weights."""

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.tools import perceptrons, pieces

from ..draws import rng as generator


def data(count=60):
    draw = np.random.default_rng(0)
    return torch.from_numpy(draw.random((count, 6))), torch.from_numpy(draw.integers(0, 3, count))


def start(networks=3, **options):
    rng = np.random.default_rng(1)
    return perceptrons.he_perceptrons(networks, 6, 5, 3, rng=rng, dtype=torch.float64, **options)


def by_torch(model, k):
    net = torch.nn.Sequential(torch.nn.Linear(6, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3)).double()
    with torch.no_grad():
        for layer, weight, bias in (
            (net[0], model.first, model.first_bias),
            (net[2], model.second, model.second_bias),
        ):
            layer.weight.copy_(weight[k].T)
            layer.bias.copy_(bias[k])
    return net


def test_each_network_follows_torch_own_adam_as_if_it_were_alone():
    images, labels = data()
    model = start()
    kept = [each.clone() for each in model.parameters]
    *_, after = perceptrons.train(
        model, images, labels, epochs=3, batch=7, rate=1e-2, decay=1e-2, rng=np.random.default_rng(5)
    )
    assert all(torch.equal(a, b) for a, b in zip(kept, model.parameters, strict=True))
    rng = np.random.default_rng(5)
    order = torch.cat([perceptrons.orders(3, 60, 7, rng=rng) for _ in range(3)], dim=1)
    for k in range(3):
        net = by_torch(model, k)
        descent = torch.optim.AdamW(net.parameters(), lr=1e-2, weight_decay=1e-2)
        for batch in order[k]:
            descent.zero_grad()
            torch.nn.functional.cross_entropy(net(images[batch]), labels[batch]).backward()
            descent.step()
        torch.testing.assert_close(after.first[k], net[0].weight.detach().T, rtol=0, atol=1e-10)
        torch.testing.assert_close(after.second_bias[k], net[2].bias.detach(), rtol=0, atol=1e-10)


def test_losses_and_accuracies_are_those_of_torch_whatever_the_pieces():
    images, labels = data()
    model = start()
    nets = [by_torch(model, k) for k in range(3)]
    with torch.no_grad():
        expected = torch.stack([torch.nn.functional.cross_entropy(net(images), labels) for net in nets])
        right = torch.stack([(net(images).argmax(dim=1) == labels).double().mean() for net in nets])
    for budget in (1, 2**10, 2**28):
        with pieces.budget(budget):
            torch.testing.assert_close(perceptrons.losses(model, images, labels), expected, rtol=0, atol=1e-14)
            torch.testing.assert_close(perceptrons.accuracy(model, images, labels), right)


def test_each_network_may_see_its_own_images():
    images, _ = data()
    own = images.reshape(3, 20, 6)
    model = start()
    for k in range(3):
        alone = model.chosen(torch.tensor([k]))
        torch.testing.assert_close(model.logits(own)[k], alone.logits(own[k])[0])
    assert model.hidden(own).min() >= 0
    assert model.hidden(own).shape == (3, 20, 5)


def test_every_image_comes_once_an_epoch_and_networks_have_orders_of_their_own():
    order = perceptrons.orders(4, 20, 5, rng=np.random.default_rng(0))
    assert order.shape == (4, 4, 5)
    assert (order.reshape(4, 20).sort(dim=1).values == torch.arange(20)).all()
    assert not (order[0] == order[1]).all()
    assert perceptrons.orders(1, 20, 6, rng=np.random.default_rng(0)).shape == (1, 3, 6)


def test_starts_have_the_variance_that_they_say():
    model = perceptrons.he_perceptrons(20, 100, 50, 10, rng=np.random.default_rng(0))
    # 100,000 and 10,000 draws: a relative standard error of 1/sqrt(2 n), .0022 and .007, times four.
    assert abs(float(model.first.std()) / 0.02**0.5 - 1) < 0.009
    assert abs(float(model.second.std()) / 0.02**0.5 - 1) < 0.028
    assert not model.first_bias.any()
    assert not model.second_bias.any()
    assert len(model) == 20


def test_negative_weights_go_and_biases_stay():
    model = start().map(lambda each: each - 0.1)
    clipped = model.positive()
    assert torch.equal(clipped.first, model.first.clamp(min=0))
    assert torch.equal(clipped.second, model.second.clamp(min=0))
    assert torch.equal(clipped.first_bias, model.first_bias)
    assert (clipped.second_bias < 0).all()


def test_refusals_name_the_argument():
    images, labels = data()
    model = start()
    for name, given in (
        ("images", {"images": images[:, :5]}),
        ("images", {"images": images.expand(3, -1, -1)}),
        ("labels", {"labels": labels + 3}),
        ("labels", {"labels": labels[:9]}),
        ("batch", {"batch": 61}),
        ("rate", {"rate": 0.0}),
        ("rng", {"rng": generator()}),
        ("model", {"model": 3}),
    ):
        full = {"model": model, "images": images, "labels": labels, "epochs": 1, "batch": 6, "rate": 0.1}
        with pytest.raises(ArgumentError, match=name):
            list(perceptrons.train(**(full | {"rng": np.random.default_rng(0)} | given)))
    with pytest.raises(ArgumentError, match="networks"):
        model.chosen(torch.tensor([3]))
