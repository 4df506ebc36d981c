"""A classifier that starts as a vote: against the vote written out, and trained side by side."""

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity.classifier_growth import calibrated, errors, train_classifiers, voting
from memscape.memory.classifier import Classifier
from memscape.tools.crowds import crowd, mine
from memscape.tools.training import adamw, warm_cosine

from ..draws import normal, rng

F64 = torch.float64


def classes(count: int = 60, pixels: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Three clouds of unit vectors."""
    digits = torch.arange(count) % 3
    images = torch.eye(3, pixels, dtype=F64)[digits] + 0.3 * normal(1, count, pixels)
    return images / images.norm(dim=1, keepdim=True), digits


def test_without_noise_it_is_a_vote_of_images_drawn_from_its_own():
    images, digits = classes(4)
    found = voting(images, digits, 30, power=4, noise=0.0, classes=3, temperature=0.7, generator=rng())
    own = (found.images[:, None] == images).all(dim=2)
    assert (own.sum(dim=1) == 1).all()
    assert own.any(dim=0).all()
    chosen = own.long().argmax(dim=1)
    expected = torch.nn.functional.one_hot(digits[chosen], 3) - 1 / 3
    assert torch.allclose(found.labels, expected.double())
    query = normal(2, 5)
    by_hand = (2 * 4 / 0.7 * ((found.images @ query).clamp(min=0) / 0.7)[:, None] ** 3 * expected).sum(dim=0)
    assert torch.allclose(found.inputs(query[None])[0], by_hand)


def test_noise_has_the_length_that_is_asked_for():
    images, digits = classes(1, pixels=400)
    found = voting(images, digits, 200, power=2, noise=0.5, classes=3, generator=rng())
    assert (found.images - images).norm(dim=1).mean().item() == pytest.approx(0.5, rel=0.02)


@pytest.mark.parametrize("power", [2, 3, 10])
def test_the_temperature_brings_inputs_to_size_one(power):
    images, digits = classes()
    found = voting(images, digits, 9, power=power, classes=3, generator=rng())
    assert found.inputs(images).square().mean().sqrt().item() == pytest.approx(1.0)
    assert calibrated(found, images).temperature == pytest.approx(found.temperature)


def test_nobody_who_hears_has_a_temperature():
    deaf = Classifier(-torch.ones(2, 3), torch.ones(2, 2), 2, 1.0, 0.0)
    with pytest.raises(ArgumentError, match="images: expected images that some memory hears"):
        calibrated(deaf, torch.ones(4, 3))


def test_it_learns_and_each_from_its_own_images():
    images, digits = classes()
    wrong = digits.clone()
    wrong[30:] = (wrong[30:] + 1) % 3  # who learns from these learns the next class
    start = voting(images, digits, 20, power=3, classes=3, temperature=2.0, generator=rng(4))
    models = crowd([start, start])
    owned = [torch.arange(30), torch.arange(30, 60)]
    *_, end = train_classifiers(
        models, images, wrong, owned, batch=20, steps=300, rate=0.03, stretches=3, generator=rng()
    )
    assert errors(end, images, digits).double().mean(dim=1)[0] < 0.1
    assert errors(end, images, (digits + 1) % 3).double().mean(dim=1)[1] < 0.1
    assert torch.equal(models.member(0).images, start.images)


def test_it_learns_from_the_fourth_power_of_the_distance_to_signs():
    images, digits = classes()
    start = voting(images, digits, 4, power=2, classes=3, temperature=1.0, generator=rng())
    owned, batch, generator = [torch.arange(60)], 5, rng(3)
    (end,) = train_classifiers(
        crowd([start]), images, digits, owned, batch=batch, steps=1, rate=0.01, stretches=1, generator=rng(3)
    )
    chosen = next(mine(owned, 1, of=60, batch=batch, generator=generator))[0]

    def once(model):
        told = model.inputs(images[chosen]).tanh()
        yield sum(
            (told[row, kind] - (1 if digits[one] == kind else -1)) ** 4 / batch
            for row, one in enumerate(chosen.tolist())
            for kind in range(3)
        )

    expected, _ = next(adamw(start, once, epochs=1, rate=0.01, schedule=warm_cosine(1)))
    # Where a gradient is nearly nothing, its sign alone moves a parameter by the whole rate: compare what is learned.
    assert torch.allclose(end.member(0).images, expected.images, atol=1e-9)
    assert torch.allclose(end.member(0).labels, expected.labels, atol=1e-9)
    assert not torch.allclose(end.member(0).images, start.images)


def test_stretches_are_parts_of_one_way():
    images, digits = classes()
    models = crowd([voting(images, digits, 4, power=2, classes=3, temperature=1.0, generator=rng())])
    plan = {"owned": [torch.arange(60)], "batch": 5, "steps": 6, "rate": 0.01}
    whole, parts = ([*train_classifiers(models, images, digits, **plan, stretches=k, generator=rng(2))] for k in (1, 3))
    assert [len(whole), len(parts)] == [1, 3]
    assert torch.equal(whole[-1].member(0).images, parts[-1].member(0).images)
    with pytest.raises(ArgumentError, match="stretches: expected a divisor of 6"):
        next(train_classifiers(models, images, digits, **plan, stretches=4, generator=rng()))


def test_errors_are_counted_image_by_image():
    images, digits = classes()
    model = voting(images, digits, 5, power=2, classes=3, generator=rng())
    found = errors(crowd([model]), images, digits)
    assert found.shape == (1, 60)
    assert torch.equal(found[0], model.inputs(images).argmax(dim=1) != digits)
