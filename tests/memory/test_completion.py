"""Completion of images: patches, training, and the two plain methods against formulas written out."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory.completion import (
    Completer,
    from_patches,
    gaussian_completion,
    hidden_error,
    hide,
    nearest_completion,
    random_completer,
    to_patches,
    train_completer,
)
from memscape.memory.dynamics import gradient_flow

from ..draws import normal, rng

F64 = torch.float64


def test_patches_are_cut_row_by_row_and_put_together_again():
    images = torch.arange(2.0 * 36).reshape(2, 6, 6)
    patches = to_patches(images, 2)
    assert patches.shape == (2, 9, 4)
    assert patches[0, 1].tolist() == [2, 3, 8, 9]
    assert torch.equal(from_patches(patches), images)
    assert torch.equal(from_patches(patches[0]), images[0])


def test_exactly_so_many_patches_are_hidden_and_all_alike():
    hidden = hide(4000, 6, 2, generator=rng(5))
    assert (hidden.sum(dim=1) == 2).all()
    share = hidden.double().mean(dim=0)
    assert ((share - 1 / 3).abs() < 5 * math.sqrt(2 / 9 / 4000)).all()
    assert not hide(3, 6, 0, generator=rng(6)).any()


def completer(**changes) -> Completer:
    sizes = {"heads": 2, "width": 3, "memories": 5, "step": 0.5, "steps": 3} | changes
    return random_completer(4, 9, 8, rng=np.random.default_rng(0), dtype=F64, **sizes)


def test_a_completer_shows_what_is_seen_and_never_sees_what_is_hidden():
    model, patches, hidden = completer(), normal(20, 5, 4, 9), hide(5, 4, 2, generator=rng(7))
    filled = model.complete(patches, hidden)
    assert torch.equal(filled[~hidden], patches[~hidden])
    other = torch.where(hidden[..., None], 100.0, patches)
    assert torch.equal(model.complete(other, hidden)[hidden], filled[hidden])
    for nothing in (math.nan, math.inf):
        unknown = torch.where(hidden[..., None], nothing, patches)
        assert torch.equal(model.complete(unknown, hidden), filled)
        assert torch.equal(model.embed(unknown, hidden), model.embed(patches, hidden))
        with pytest.raises(ArgumentError, match="patches: expected finite values"):
            model.complete(torch.where(hidden[..., None], patches, nothing), hidden)
    state = gradient_flow(model.block, model.embed(patches, hidden), step=0.5, steps=3)[-1]
    torch.testing.assert_close(model.decode(state)[hidden], filled[hidden])


def test_plain_methods_never_see_what_is_hidden():
    training, patches, hidden = normal(21, 9, 4, 2), normal(22, 5, 4, 2), hide(5, 4, 2, generator=rng(7))
    unknown = torch.where(hidden[..., None], math.nan, patches)
    for complete in (
        lambda cues: gaussian_completion(training, cues, hidden, ridge=0.1),
        lambda cues: nearest_completion(training, cues, hidden, neighbours=2),
    ):
        assert torch.equal(complete(unknown), complete(patches))
        with pytest.raises(ArgumentError, match="patches: expected finite values"):
            complete(torch.where(hidden[..., None], patches, math.nan))


def test_training_a_completer_lowers_its_error_and_leaves_the_start_alone():
    patches = torch.outer(normal(21, 60), normal(22, 36)).reshape(60, 4, 9)
    start = completer()
    before = start.encoder.clone()
    runs = [
        [
            error
            for _, error in train_completer(start, patches, hidden=1, batch=7, epochs=8, rate=1e-2, generator=rng(8))
        ]
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    assert runs[0][-1] < 0.5 * runs[0][0]
    assert torch.equal(start.encoder, before)


def test_training_for_many_numbers_of_steps_keeps_the_image_good_for_longer():
    patches = torch.outer(normal(21, 60), normal(22, 36)).reshape(60, 4, 9)
    hidden = hide(60, 4, 1, generator=rng(12))
    later = {}
    for longest in (None, 12):
        plan = {"hidden": 1, "batch": 7, "epochs": 12, "rate": 1e-2, "longest": longest, "generator": rng(8)}
        *_, (trained, _) = train_completer(completer(), patches, **plan)
        error = [
            (replace(trained, steps=steps).complete(patches, hidden) - patches)[hidden].square().mean()
            for steps in (3, 12)
        ]
        later[longest] = error[1] / error[0]
    assert later[12] < later[None]


def test_hidden_error_is_the_mean_over_the_hidden_pixels_alone():
    truth = torch.zeros(2, 3, 4)
    filled = torch.tensor([1.0, 2.0, 3.0])[None, :, None].expand(2, 3, 4)
    hidden = torch.tensor([[True, False, True], [False, True, False]])
    torch.testing.assert_close(hidden_error(filled, truth, hidden), torch.tensor([5.0, 4.0]))
    both = hidden_error(torch.stack([filled, truth]), truth, hidden)
    torch.testing.assert_close(both, torch.tensor([[5.0, 4.0], [0.0, 0.0]]))


def test_gaussian_completion_is_ridge_regression():
    training, patches = normal(23, 200, 3, 2) @ normal(24, 2, 2), normal(25, 5, 3, 2)
    hidden = torch.tensor([[True, False, False]] * 2 + [[False, False, True]] * 3)
    filled = gaussian_completion(training, patches, hidden, ridge=0.1)
    assert torch.equal(filled[~hidden], patches[~hidden])
    flat, mean = training.flatten(1), training.flatten(1).mean(dim=0)
    x, y = (flat - mean)[:, 2:], (flat - mean)[:, :2]
    weights = torch.linalg.solve(x.mT @ x + 200 * 0.1 * torch.eye(4, dtype=F64), x.mT @ y)
    torch.testing.assert_close(filled[0, 0], mean[:2] + (patches[0].flatten() - mean)[2:] @ weights)


def test_nearest_completion_looks_at_visible_pixels_only():
    training, patches = normal(29, 40, 3, 2), normal(30, 5, 3, 2)
    hidden = hide(5, 3, 1, generator=rng(11))
    filled = nearest_completion(training, patches, hidden, neighbours=3)
    assert torch.equal(filled[~hidden], patches[~hidden])
    for cue, covered, found in zip(patches, hidden, filled, strict=True):
        distance = (training - cue)[:, ~covered].square().sum(dim=(1, 2))
        torch.testing.assert_close(found[covered], training[distance.argsort()[:3]].mean(dim=0)[covered])


STATE, ONES = torch.ones(5, 6, dtype=F64), torch.ones(3, 4, 9, dtype=F64)
COMPLETER, SEEN = completer(), torch.zeros(3, 4, dtype=torch.bool)
PLAN = {"hidden": 2, "batch": 3, "epochs": 1, "rate": 0.1, "generator": rng(0)}
REFUSALS = [
    (lambda: to_patches(torch.ones(2, 6, 5), 2), "images: expected axes .* side = 6"),
    (lambda: to_patches(torch.ones(6, 6), 4), "size: expected a divisor of the images' side 6; got 4"),
    (lambda: from_patches(torch.ones(3, 4)), "patches: expected square numbers of patches and pixels"),
    (lambda: hide(2, 3, 4, generator=rng(0)), r"hidden: expected an integer in \[0, 3\]; got 4"),
    (lambda: hide(2, 3, 1, generator=None), "generator: expected a torch.Generator; got NoneType"),
    (lambda: replace(COMPLETER, places=STATE), "places: expected axes .* features = 8"),
    (lambda: completer(steps=0), "steps: expected an integer >= 1; got 0"),
    (lambda: COMPLETER.complete(ONES[:, :3], SEEN[:, :3]), "patches: expected axes .* tokens = 4"),
    (lambda: COMPLETER.embed(ONES, ONES), "hidden: expected a tensor of booleans; got torch.float64"),
    (lambda: COMPLETER.embed(ONES, SEEN[:2]), r"hidden: expected shape \(3, 4\); got shape \(2, 4\)"),
    (lambda: COMPLETER.decode(STATE), "state: expected axes .* features = 8"),
    (lambda: next(train_completer(COMPLETER, ONES, **PLAN | {"hidden": 5})), r"hidden: .*\[1, 4\]; got 5"),
    (lambda: next(train_completer(COMPLETER, ONES, **PLAN | {"rate": 0.0})), "rate: expected a finite number > 0"),
    (lambda: next(train_completer(COMPLETER, ONES, **PLAN | {"epochs": 0})), "epochs: expected an integer >= 1"),
    (lambda: gaussian_completion(ONES, ONES[:, :2], SEEN[:, :2], ridge=1.0), "patches: expected axes .* tokens = 4"),
    (
        lambda: next(train_completer(COMPLETER, ONES, **PLAN | {"longest": 2})),
        r"longest: expected an integer in \[3, 1048576\]",
    ),
    (lambda: hidden_error(ONES, ONES, SEEN), "hidden: expected a hidden patch in every row; got a row without one"),
    (lambda: hidden_error(ONES[:, :3], ONES, SEEN), "filled: expected axes .* tokens = 4"),
    (lambda: hidden_error(ONES, ONES, SEEN[:, :3]), r"hidden: expected shape \(3, 4\)"),
    (lambda: nearest_completion(ONES, ONES, SEEN, neighbours=4), r"neighbours: expected an integer in \[1, 3\]; got 4"),
    (lambda: gaussian_completion(ONES, ONES, SEEN, ridge=0.0), "ridge: expected a finite number > 0; got 0"),
    (
        lambda: gaussian_completion(ONES, ONES, torch.eye(4)[1:] * torch.arange(3)[:, None] > 0, ridge=1.0),
        "hidden: expected as many hidden patches in every row; got",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSALS)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match="^" + message):
        call()


def test_a_batch_may_be_larger_than_the_images():
    model, loss = next(train_completer(COMPLETER, ONES, **PLAN | {"batch": 4096}))
    assert math.isfinite(loss)
    assert model.steps == COMPLETER.steps
