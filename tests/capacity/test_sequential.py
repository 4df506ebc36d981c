"""Tasks of regression: projections against weights that are really fitted, two tasks in closed form."""

import math

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import sequential as seq


def pair(angle):
    return torch.tensor([[[1.0, 0.0]], [[math.cos(angle), math.sin(angle)]]], dtype=torch.float64)


def test_two_tasks_lose_most_at_half_a_right_angle():
    angles = torch.linspace(0, math.pi / 2, 19, dtype=torch.float64)
    loss = seq.two_task_loss(angles)
    assert loss.argmax() == 9
    assert loss[9].item() == pytest.approx(0.25)
    assert loss[[0, 18]].max() < 1e-30


def test_the_worst_solution_of_two_tasks_loses_what_the_law_says():
    for angle in (0.3, 1.1):
        found = 2 * seq.cyclic_forgetting(pair(angle), 2)[1]  # the mean over two tasks, one of which is just fitted
        assert found.item() == pytest.approx(seq.two_task_loss(torch.tensor(angle).double()).item())
        for fits in (4, 7):
            found = seq.cyclic_forgetting(pair(angle), fits)[-1] * fits / (fits // 2)
            assert found.item() == pytest.approx(seq.two_task_loss(torch.tensor(angle).double(), fits).item())


def test_a_fit_takes_the_error_out_of_the_rows_and_leaves_the_rest():
    draw = np.random.default_rng(0)
    inputs = torch.from_numpy(draw.standard_normal((4, 3, 6)))
    solution, weights = (torch.from_numpy(draw.standard_normal((4, 6))) for _ in range(2))
    errors = seq.fit(inputs, weights - solution)
    asked = (inputs @ (solution - weights)[..., None])[..., 0]
    least = weights + torch.linalg.lstsq(inputs, asked[..., None]).solution[..., 0]
    assert torch.allclose(errors, least - solution)
    assert (inputs @ errors[..., None]).abs().max() < 1e-12
    descended = seq.descend(inputs, weights - solution, small=1e-11)
    assert torch.allclose(descended, errors, atol=1e-8)


def test_descent_that_has_not_ended_is_refused():
    with pytest.raises(ArgumentError, match="steps"):
        seq.descend(pair(0.1)[1], torch.tensor([1.0, 0.0]).double(), steps=2)


def test_forgetting_is_that_of_weights_which_are_fitted_one_task_after_the_other():
    tasks = seq.tasks_at_random(1, 3, 4, tilt=0.5, rng=np.random.default_rng(2))[0]
    worst = seq.cyclic_forgetting(tasks, 8)
    draw = np.random.default_rng(3)
    largest = torch.zeros(8, dtype=torch.float64)
    for _ in range(3000):
        errors = torch.from_numpy(draw.standard_normal(4))
        errors /= errors.norm()
        for k in range(8):
            errors = seq.fit(tasks[k % 3], errors)
            seen = [(tasks[t % 3] @ errors).square().sum() for t in range(k + 1)]
            largest[k] = max(largest[k], sum(seen) / (k + 1))
    assert (largest <= worst + 1e-12).all()
    assert torch.allclose(largest, worst, rtol=0.1, atol=1e-12)


def test_random_tasks_have_one_as_their_largest_singular_value_and_share_a_rank():
    inputs = seq.tasks_at_random(30, 4, 5, tilt=0.1, rng=np.random.default_rng(1))
    values = torch.linalg.svdvals(inputs)
    assert torch.allclose(values[..., 0], torch.ones(30, 4).double())
    ranks = (values > 1e-9).sum(dim=-1)
    assert (ranks == ranks[:, :1]).all()
    assert set(ranks[:, 0].tolist()) == {1, 2, 3, 4}


def test_a_small_tilt_makes_tasks_alike():
    def likeness(tilt):
        inputs = seq.tasks_at_random(40, 2, 8, tilt=tilt, rng=np.random.default_rng(4))[:, :, 0]
        return (inputs[:, 0] * inputs[:, 1]).sum(dim=-1).abs().mean()

    assert likeness(0.05) > 0.95
    assert likeness(100.0) < 0.5


def test_the_bound_is_the_smaller_of_its_two_parts():
    bound = seq.cyclic_bound(3, 5, 100)
    assert bound[3].item() == pytest.approx(9 / 2)
    assert bound[99].item() == pytest.approx(9 * 0.05)
