"""Splitting, against the second derivative of the loss along the parting of two copies (Liu, Wu & Wang 2019)."""

import math
from dataclasses import replace

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory import splitting
from memscape.memory.attention import attend
from memscape.memory.saddles import Mixture, Recipe, critical_point, duplicate, gradient
from memscape.memory.splitting import (
    KeyValue,
    Splits,
    Stage,
    attention_gradient,
    descend,
    fit,
    grow,
    grow_keys,
    saving,
    split,
    split_keys,
    splits,
    work_to,
)

from ..draws import normal, rng
from .test_saddles import cloud, mixture

F64 = torch.float64


def layer(seed: int) -> tuple[KeyValue, torch.Tensor, torch.Tensor]:
    model = KeyValue(normal(seed, 4, 5), normal(seed + 1, 4, 3), normal(seed + 2, 4), 0.8)
    return model, normal(seed + 3, 30, 5), normal(seed + 4, 30, 3)


def found_for(model: Mixture, images: torch.Tensor, targets: torch.Tensor, steps: int = 300) -> Splits:
    pulls = -gradient(model, images, targets).shares
    return splits(images, pulls, model.memories, beta=model.beta, spherical=True, steps=steps, generator=rng())


def whole_matrix(model: Mixture, images: torch.Tensor, targets: torch.Tensor, mu: int) -> torch.Tensor:
    """The splitting matrix as its formula says, on the tangent space."""
    shares, w = gradient(model, images, targets).shares[:, mu], model.memories[mu]
    overlaps = images @ w
    aside = images - overlaps[:, None] * w
    spread = (shares[:, None] * aside).T @ aside / len(images)
    return model.beta * (shares * overlaps).mean() * torch.eye(len(w), dtype=F64) - model.beta**2 * spread


def test_power_iteration_finds_the_smallest_eigenvalue_on_the_tangent_space():
    model, images, targets = mixture(1)
    found = found_for(model, images, targets, 3000)
    for mu in range(4):
        matrix = whole_matrix(model, images, targets, mu)
        assert found.values[mu].item() == pytest.approx(torch.linalg.eigvalsh(matrix)[0].item(), rel=1e-6)
        assert abs(float(found.directions[mu] @ model.memories[mu])) < 1e-12
        assert float(found.directions[mu] @ matrix @ found.directions[mu]) == pytest.approx(found.values[mu].item())


@pytest.mark.parametrize("beta", [2.0, 20.0])
def test_parting_copies_change_the_loss_by_half_the_eigenvalue_times_the_distance_squared(beta):
    images, targets = cloud(2)
    start, _, _ = mixture(2, 2, beta)
    point = critical_point(start, images, targets, steps=5000, tolerance=1e-13)
    found, epsilon = found_for(point, images, targets), 1e-3
    for mu in range(2):
        twice = duplicate(point)
        aside = torch.zeros_like(twice.memories)
        aside[mu], aside[mu + 2] = epsilon * found.directions[mu], -epsilon * found.directions[mu]
        moved = twice.memories + aside
        parted = replace(twice, memories=moved / moved.norm(dim=1, keepdim=True))
        change = parted.loss(images, targets) - twice.loss(images, targets)
        assert change / epsilon**2 == pytest.approx(found.values[mu].item() / 2, rel=1e-3)


def test_the_smallest_quotient_changes_sign_with_beta():
    values = []
    for beta in (1.0, 30.0):
        start, images, targets = mixture(3, 1, beta)
        point = critical_point(start, images, targets, steps=5000, tolerance=1e-13)
        values.append(found_for(point, images, targets).values.min().item())
    assert values[0] > 0 > values[1]


def test_pulls_of_both_signs_are_shifted():
    inputs, pulls = normal(4, 50, 6), normal(5, 50, 3)
    keys = normal(6, 3, 6)
    found = splits(inputs, pulls, keys, beta=1.5, spherical=False, steps=5000, generator=rng())
    for mu in range(3):
        matrix = 2.25 * (pulls[:, mu, None] * inputs).T @ inputs / 50
        assert found.values[mu].item() == pytest.approx(torch.linalg.eigvalsh(matrix)[0].item(), rel=1e-4)


def test_split_memories_share_their_weights_and_stay_on_the_sphere():
    model, images, targets = mixture(7)
    found = Splits(torch.tensor([-1.0, 0.5, -3.0, -2.0], dtype=F64), found_for(model, images, targets).directions)
    larger = split(model, found, limit=6)
    assert len(larger.memories) == 6
    torch.testing.assert_close(larger.memories.norm(dim=1), torch.ones(6, dtype=F64))
    # The most negative ones, 2 and 3, and their second copies in that order.
    torch.testing.assert_close(larger.memories[[0, 1]], model.memories[[0, 1]])
    torch.testing.assert_close(larger.weights[[4, 5]], model.weights[[2, 3]] / 2)
    torch.testing.assert_close(larger.weights[[2, 3]], model.weights[[2, 3]] / 2)
    torch.testing.assert_close(larger.priors, model.priors)
    middle = larger.memories[2] + larger.memories[4]
    torch.testing.assert_close(middle / middle.norm(), model.memories[2])
    assert len(split(model, found, limit=40).memories) == 7  # the positive one stays whole


def test_growth_reaches_its_limit_lowers_the_loss_and_knows_its_ancestors():
    model, images, targets = mixture(8, 2, 20.0)
    data = (images, targets)
    path = list(grow(model, data, data, Recipe(0.1, 0.9, 10), limit=7, epochs=20, patience=5, generator=rng()))
    counts = [len(stage.model.memories) for stage in path]
    assert counts == [2, 4, 7]
    assert min(path[-1].losses) < min(path[0].losses)
    assert len(path[-1].parents) == 7
    assert path[-1].parents[:2].tolist() == [0, 1]
    assert path[0].splitting == 0 < path[1].splitting
    assert path[1].work == len(path[1].losses) * 4 + path[1].splitting
    once = list(grow(model, data, data, Recipe(0.1, 0.9, 10), limit=4, epochs=3, scaled=True, generator=rng()))
    assert once[-1].model.weights[:-1].sum().item() == pytest.approx(4.0)


def test_fit_keeps_the_best_and_stops_after_patience():
    model, images, targets = mixture(9)
    stage = fit(model, (images, targets), (images, targets), Recipe(3.0, 0.9, 10), epochs=50, generator=rng())
    assert stage.model.loss(images, targets) == min(stage.losses)
    assert len(stage.losses) == 50 or stage.losses[-1] >= min(stage.losses[:-1])


def test_work_to_a_target_counts_all_that_went_before():
    model, _, _ = mixture(10)
    stages = [Stage(model, [3.0, 2.0], torch.arange(4)), Stage(model, [2.5, 1.0], torch.arange(4), 7.0)]
    assert work_to(stages, 2.0) == 8
    assert work_to(stages, 1.5) == 8 + 7 + 8
    assert work_to(stages, 0.0) == math.inf


def test_what_growing_saves_is_the_ratio_of_all_the_work():
    model, _, _ = mixture(10)
    stages = [Stage(model, [3.0, 2.0], torch.arange(4)), Stage(model, [2.5, 1.0], torch.arange(4), 7.0)]
    assert saving(Stage(model, [3.0] * 23, torch.arange(4)), stages) == 4 * 23 / (8 + 7 + 8)


def test_attention_with_log_weights_is_the_softmax_written_out():
    model, queries, _ = layer(11)
    scores = 0.8 * queries @ model.keys.T + model.log_weights
    torch.testing.assert_close(model(queries), torch.softmax(scores, dim=1) @ model.values)
    plain = replace(model, log_weights=torch.zeros(4, dtype=F64))
    torch.testing.assert_close(plain(queries), attend(queries, model.keys, model.values, beta=0.8))


def test_attention_gradients_are_those_of_autograd():
    model, queries, answers = layer(12)
    parts = [part.clone().requires_grad_() for part in (model.keys, model.values, model.log_weights)]
    scores = 0.8 * queries @ parts[0].T + parts[2]
    loss = (torch.softmax(scores, dim=1) @ parts[1] - answers).square().sum() / 60
    loss.backward()
    found = attention_gradient(model, queries, answers)
    assert found.loss == pytest.approx(loss.item(), rel=1e-12)
    for mine, part in zip((found.keys, found.values, found.log_weights), parts, strict=True):
        torch.testing.assert_close(mine, part.grad)


def test_split_keys_answer_alike_and_part_as_their_matrix_says():
    model, queries, answers = layer(13)
    pulls = attention_gradient(model, queries, answers).pulls
    found = splits(queries, pulls, model.keys, beta=0.8, spherical=False, steps=2000, generator=rng())
    assert (found.values < 0).any()
    losses = []
    for step in (1e-9, 1e-3):
        larger = split_keys(model, found, limit=5, threshold=0.0, step=step)
        assert len(larger.keys) == 5
        losses.append(attention_gradient(larger, queries, answers).loss)
    torch.testing.assert_close(split_keys(model, found, limit=5, step=1e-9)(queries), model(queries))
    assert (losses[1] - losses[0]) / 1e-6 == pytest.approx(found.values.min().item() / 2, rel=1e-2)


def test_copies_without_log_weights_draw_twice_the_attention():
    model, queries, _ = layer(14)
    half = Splits(torch.tensor([-1.0, 1.0, 1.0, 1.0], dtype=F64), torch.zeros(4, 5, dtype=F64))
    careful = split_keys(model, half, limit=8)
    careless = replace(careful, log_weights=torch.cat([model.log_weights, model.log_weights[:1]]))
    before = torch.softmax(0.8 * queries @ model.keys.T + model.log_weights, dim=1)[:, :1]
    after = 2 * before / (1 + before)
    rest = (model(queries) - before * model.values[0]) / (1 - before)
    torch.testing.assert_close(careful(queries), model(queries))
    torch.testing.assert_close(careless(queries), after * model.values[0] + (1 - after) * rest)


def test_attention_learns():
    model, queries, answers = layer(15)
    *_, trained = descend(model, queries, answers, Recipe(0.3, 0.9, 10), epochs=50, generator=rng())
    before, after = (attention_gradient(m, queries, answers).loss for m in (model, trained))
    assert after < 0.7 * before


def call_grow_keys(**changes):
    model, queries, answers = layer(18)
    given = {"limit": 7, "epochs": 3, "generator": rng(), **changes}
    return list(grow_keys(model, queries, answers, Recipe(0.3, 0.9, 2), **given))


def test_grown_keys_reach_their_limit_learn_and_count_their_work():
    path = call_grow_keys()
    _, queries, answers = layer(18)
    sizes = [len(model.keys) for model, _ in path]
    assert sizes[0] == 4
    assert sizes[-1] == 7
    # Ten minibatches of two are two thirds of thirty queries; eight power steps and two more.
    search = [10 * size * 20 / 30 for size in sizes[:-1]]
    spent = [3 * sum(sizes[: k + 1]) + sum(search[:k]) for k in range(len(sizes))]
    assert [work for _, work in path] == pytest.approx(spent)
    losses = [attention_gradient(model, queries, answers).loss for model, _ in path]
    assert losses[-1] < losses[0]


def test_keys_that_do_not_want_to_split_end_the_growth(monkeypatch):
    content = Splits(torch.ones(4, dtype=F64), torch.zeros(4, 5, dtype=F64))
    monkeypatch.setattr(splitting, "splits", lambda *arguments, **options: content)
    assert [len(model.keys) for model, _ in call_grow_keys()] == [4]


def call_splits(**changes):
    given = {"beta": 1.0, "spherical": False, "steps": 1, "generator": rng(), **changes}
    inputs, pulls, keys = (given.pop(name, normal(0, *shape)) for name, shape in SHAPES.items())
    return splits(inputs, pulls, keys, **given)


SHAPES = {"inputs": (6, 3), "pulls": (6, 2), "keys": (2, 3)}


def call_split(**changes):
    model, images, targets = mixture(16)
    found = found_for(model, images, targets, 2)
    return split(model, changes.pop("found", found), **{"limit": 5, **changes})


def call_grow(**changes):
    model, images, targets = mixture(17)
    given = {"limit": 5, "epochs": 1, "generator": rng(), **changes}
    return list(grow(model, (images, targets), (images, targets), Recipe(batch=5), **given))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: call_splits(inputs=normal(0, 6, 4)), "inputs: expected axes (samples, neurons) with neurons = 3"),
        (lambda: call_splits(pulls=normal(0, 6, 3)), "pulls: expected axes (samples, memories) with memories = 2"),
        (lambda: call_splits(keys=normal(0, 3)), "keys: expected axes (memories, neurons); got shape (3,)."),
        (lambda: call_splits(beta=0.0), "beta: expected a finite number > 0 and <= 1e+100; got 0."),
        (lambda: call_splits(steps=0), "steps: expected an integer >= 1; got 0."),
        (lambda: call_splits(generator=None), "generator: expected a torch.Generator; got NoneType."),
        (lambda: call_split(limit=3), "limit: expected an integer >= 4; got 3."),
        (lambda: call_split(step=0.0), "step: expected a finite number > 0; got 0."),
        (lambda: call_split(threshold=math.nan), "threshold: expected a finite number; got nan"),
        (lambda: call_split(found=Splits(normal(0, 3), normal(0, 3, 12))), "values: expected axes (memories) with me"),
        (lambda: call_grow(limit=3), "limit: expected an integer >= 4; got 3."),
        (lambda: call_grow(patience=0), "patience: expected an integer >= 1; got 0."),
        (lambda: call_grow(epochs=0), "epochs: expected an integer >= 1; got 0."),
        (lambda: call_grow_keys(limit=3), "limit: expected an integer >= 4; got 3."),
        (lambda: call_grow_keys(epochs=0), "epochs: expected an integer >= 1; got 0."),
        (lambda: saving(Stage(mixture(10)[0], [1.0], torch.arange(4)), []), "stages: expected at least one stage; got"),
        (lambda: saving(None, []), "whole: expected a Stage; got None (NoneType)."),
        (lambda: work_to([], math.inf), "target: expected a finite number; got inf"),
        (lambda: KeyValue(normal(0, 2, 3), normal(0, 3, 1), normal(0, 2), 1.0), "values: expected axes (memories, out"),
        (lambda: KeyValue(normal(0, 2, 3), normal(0, 2, 1), normal(0, 3), 1.0), "log_weights: expected axes (memories"),
        (lambda: KeyValue(normal(0, 2, 3), normal(0, 2, 1), normal(0, 2), -1.0), "beta: expected a finite number > 0"),
        (lambda: layer(0)[0](normal(0, 2, 4)), "inputs: expected axes (samples, neurons) with neurons = 5"),
        (lambda: attention_gradient(layer(0)[0], normal(0, 2, 5), normal(0, 2, 2)), "answers: expected axes (samples"),
        (
            lambda: next(descend(*layer(0), Recipe(batch=50), epochs=1, generator=rng())),
            "batch: expected an integer in [1, 30]; got 50.",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)
