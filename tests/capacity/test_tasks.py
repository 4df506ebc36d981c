"""Memories trained side by side against the classifier trained alone, permutations, springs, Kemker's measures."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import tasks
from memscape.memory import classifier
from memscape.memory.classifier import Schedule

from ..draws import rng

PIXELS, CLASSES = 12, 3


def some(power=3, seeds=2, count=2, memories=5):
    start = tasks.learners(
        seeds, memories, PIXELS, CLASSES, power=power, rng=np.random.default_rng(0), dtype=torch.float64
    )
    more = [start.weights + 0.1 * k for k in range(count)]
    return tasks.Learners(torch.cat(more, dim=1), CLASSES, power)


def data(seeds=2, samples=30, seed=0):
    images = torch.rand(seeds, samples, PIXELS, generator=rng(seed), dtype=torch.float64) * 2 - 1
    return images, torch.stack([torch.arange(samples).roll(s) % CLASSES for s in range(seeds)])


PLAN = Schedule(epochs=2, loss=4, hot=6.0, cold=4.0, ramp=1, rate=0.05, decay=0.9, momentum=0.5, batch=15)


@pytest.mark.parametrize("power", [2, 3, 10])
def test_every_model_descends_as_it_would_alone(power):
    models, (images, digits) = some(power), data()
    step = tasks._descent(models.weights, images, digits, tasks._Recipe(PIXELS, power, 5.0, 6))
    for seed in range(2):
        for model in range(2):
            alone = models.one(seed, model, 5.0)
            expected = torch.cat(classifier.gradient(alone, images[seed], digits[seed], loss=6), dim=1)
            # There it is the sum over images of |c - t|**6, here the mean of its 64th part.
            assert torch.allclose(step[seed, model], -expected / 64 / 30, rtol=1e-9, atol=1e-14)


def test_one_seed_trains_as_the_recipe_does():
    models, (images, digits) = some(seeds=1, count=1), data(seeds=1)
    # At one temperature: where it changes, the momentum of the last epoch is weighed differently.
    plan = replace(PLAN, hot=5.0, cold=5.0)
    found = tasks.train(models, images, digits, plan, generator=rng(4)).weights[0, 0]
    alone = models.one(0, 0, 5.0)
    *_, expected = classifier.train(alone, images[0], digits[0], plan, generator=rng(4))
    assert torch.allclose(found, torch.cat([expected.images, expected.labels], dim=1), atol=1e-9)


def test_a_model_does_not_know_of_its_neighbours():
    models, (images, digits) = some(), data()
    both = tasks.train(models, images, digits, PLAN, generator=rng(1)).weights
    first = tasks.Learners(models.weights[:, :1].clone(), CLASSES, 3)
    assert torch.allclose(tasks.train(first, images, digits, PLAN, generator=rng(1)).weights, both[:, :1], atol=1e-10)


def test_permuted_memories_on_plain_images_are_memories_on_permuted_images():
    models, (images, digits) = some(), data()
    orders = torch.stack([tasks.permute(PIXELS, f, generator=rng(s)) for s, f in ((1, 0.5), (1, 0.5), (2, 1), (2, 1))])
    orders = orders.reshape(2, 2, PIXELS)  # both models of a seed see the same, so that images can be permuted, too
    seen = torch.stack([images[s][:, orders[s, 0]] for s in range(2)])
    expected = tasks.train(models, seen, digits, PLAN, generator=rng(3))
    found = tasks.train(models, images, digits, PLAN, generator=rng(3), orders=orders)
    assert torch.allclose(found.weights, expected.weights, atol=1e-9)
    assert not torch.allclose(
        found.weights, tasks.train(models, images, digits, PLAN, generator=rng(3)).weights, atol=1e-3
    )
    right = tasks.accuracy(expected, seen, digits)
    assert torch.equal(tasks.accuracy(found, images, digits, orders=orders), right)


def test_accuracy_is_one_less_the_error_rate():
    models, (images, digits) = some(10), data(samples=40)
    found = tasks.accuracy(models, images, digits)
    for seed in range(2):
        for model in range(2):
            alone = models.one(seed, model, 5.0)
            assert 1 - found[seed, model].item() == pytest.approx(
                classifier.error_rate(alone, images[seed], digits[seed])
            )


def test_with_one_scale_only_the_memory_that_is_wanted_moves_by_the_rate():
    models, (images, digits) = some(10), data()
    plan = Schedule(epochs=1, loss=4, hot=6.0, cold=6.0, rate=0.01, momentum=0.0, batch=30)
    moved = {
        scale: (tasks.train(models, images, digits, plan, generator=rng(), scale=scale).weights - models.weights)
        .abs()
        .amax(dim=-1)
        for scale in tasks.SCALES
    }
    assert moved["memory"].numpy() == pytest.approx(0.01)
    assert moved["network"].amax(dim=-1).numpy() == pytest.approx(0.01)
    assert moved["network"].amin() < 0.005


@pytest.mark.parametrize(("share", "moved"), [(0.0, 0), (0.5, 10), (1.0, 20), (0.05, 0)])
def test_a_permutation_moves_the_share_it_is_asked_for(share, moved):
    order = tasks.permute(20, share, generator=rng(7))
    assert order.sort().values.tolist() == list(range(20))
    assert (order != torch.arange(20)).sum() == moved


def test_springs_are_mean_squared_derivatives():
    models, (images, digits) = some(4, count=1), data(samples=8)
    found = tasks.springs(
        models, images, digits, temperature=5.0, loss=4, strength=torch.tensor([[2.0], [3.0]], dtype=torch.float64)
    )
    for seed, strength in enumerate((2.0, 3.0)):
        alone = models.one(seed, 0, 5.0)
        each = [
            torch.cat(classifier.gradient(alone, images[seed, i : i + 1], digits[seed, i : i + 1], loss=4), dim=1)
            for i in range(8)
        ]
        squares = torch.stack(each).square().mean(dim=0)
        assert torch.allclose(found.stiffness[seed, 0], strength * squares / squares.max(), atol=1e-12)
    assert torch.allclose(found.pull, found.stiffness * models.weights)
    twice = tasks.springs(
        models,
        images,
        digits,
        temperature=5.0,
        loss=4,
        strength=torch.tensor(0.0, dtype=torch.float64),
        before=found,
    )
    assert torch.equal(twice.stiffness, found.stiffness)


def test_a_strong_spring_holds_the_weights():
    models, (images, digits) = some(), data()
    plan = Schedule(epochs=20, loss=4, hot=6.0, cold=6.0, rate=0.02, decay=0.8, momentum=0.0, batch=15)
    away = {}
    for stiff in (0.0, 1e6):
        springs = tasks.Springs(torch.full_like(models.weights, stiff), stiff * models.weights)
        learned = tasks.train(models, images, digits, plan, generator=rng(2), held=springs, scale="network")
        away[stiff] = (learned.weights - models.weights).abs().mean()
    assert away[1e6] < 0.1 * away[0.0]


def test_rehearsal_of_a_task_keeps_it():
    models, (images, digits) = some(memories=12), data()
    other = -images
    plan = Schedule(epochs=15, loss=4, hot=6.0, cold=6.0, rate=0.05, decay=0.9, momentum=0.5, batch=30)
    first = tasks.train(models, images, digits, plan, generator=rng(1))
    wrong = (digits + 1) % CLASSES
    plain = tasks.train(first, other, wrong, plan, generator=rng(2))
    kept = tasks.train(first, other, wrong, plan, generator=rng(2), rehearsed=(images, digits))
    assert (tasks.accuracy(kept, images, digits) > tasks.accuracy(plain, images, digits)).all()


def test_the_measures_of_a_table_by_hand():
    table = torch.tensor([[0.9, 0.0, 0.0], [0.6, 0.8, 0.0], [0.3, 0.5, 0.7]], dtype=torch.float64)
    found = tasks.omega(table, torch.tensor(0.9, dtype=torch.float64))
    assert found.base.item() == pytest.approx((0.6 + 0.3) / 2 / 0.9)
    assert found.new.item() == pytest.approx((0.8 + 0.7) / 2)
    assert found.every.item() == pytest.approx((0.7 + 0.5) / 2 / 0.9)


def test_orders_and_rehearsal_do_not_go_together():
    models, (images, digits) = some(), data()
    orders = torch.arange(PIXELS).expand(2, 2, -1)
    with pytest.raises(ArgumentError, match="Permute the images"):
        tasks.train(models, images, digits, PLAN, generator=rng(), orders=orders, rehearsed=(images, digits))
    with pytest.raises(ArgumentError, match="permutations"):
        tasks.train(models, images, digits, PLAN, generator=rng(), orders=torch.zeros_like(orders))


def test_two_tasks_are_one_training_after_the_other():
    models, (images, digits) = some(count=1, memories=9), data(samples=60)
    both, wanted = images.reshape(2, 2, 30, PIXELS), digits.reshape(2, 2, 30)
    orders = torch.stack([tasks.permute(PIXELS, f, generator=rng(1)) for f in (0.0, 1.0)]).expand(2, -1, -1)
    asked, answers = data(seeds=1, samples=50, seed=9)
    found = tasks.two_tasks(
        models, both, wanted, asked[0], answers[0], PLAN, orders=orders, generator=rng(5), scale="network"
    )
    draw = rng(5)
    first = tasks.train(models, both[:, 0], wanted[:, 0], PLAN, generator=draw, scale="network")
    test, right = asked.expand(2, -1, -1), answers.expand(2, -1)
    assert torch.equal(found.before, tasks.accuracy(first, test, right))
    twice = tasks.Learners(first.weights.expand(-1, 2, -1, -1), CLASSES, 3)
    second = tasks.train(twice, both[:, 1], wanted[:, 1], PLAN, generator=draw, orders=orders, scale="network")
    assert torch.equal(found.after, tasks.accuracy(second, test, right))
    assert torch.equal(found.second, tasks.accuracy(second, test, right, orders=orders))
    assert torch.equal(found.lost, 100 * (found.before - found.after))


def test_a_course_of_tasks_is_learned_in_order_with_what_was_stored_and_held():
    models, (images, digits) = some(count=1, memories=9), data(samples=90)
    plan = replace(PLAN, batch=18)  # half of it still has as many of each class
    three, wanted = images.reshape(2, 3, 30, PIXELS), digits.reshape(2, 3, 30)
    orders = torch.stack([tasks.permute(PIXELS, 1.0, generator=rng(s)) for s in range(6)]).reshape(2, 3, PIXELS)
    asked, answers = data(seeds=1, samples=50, seed=9)
    strength = torch.tensor(0.1, dtype=torch.float64)
    found = tasks.course(
        models,
        three,
        wanted,
        asked[0],
        answers[0],
        plan,
        orders=orders,
        generator=rng(5),
        stored=6,
        strength=strength,
    )
    seen = torch.stack([torch.stack([three[s, t][:, orders[s, t]] for t in range(3)]) for s in range(2)])
    draw, now, held, old = rng(5), models, None, None
    for task in range(3):
        now = tasks.train(now, seen[:, task], wanted[:, task], plan, generator=draw, held=held, rehearsed=old)
        held = tasks.springs(
            now, seen[:, task], wanted[:, task], temperature=4.0, loss=4, strength=strength, before=held
        )
        old = (seen[:, : task + 1, :6].flatten(1, 2), wanted[:, : task + 1, :6].flatten(1, 2))
        assert not found[:, :, task, task + 1 :].any()
        for asked_of in range(task + 1):
            test = torch.stack([asked[0][:, orders[s, asked_of]] for s in range(2)])
            right = tasks.accuracy(now, test, answers.expand(2, -1))
            assert torch.equal(found[:, :, task, asked_of], right)
