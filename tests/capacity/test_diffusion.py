"""Diffusion: times against weights written out, valleys against the energy's own gradient and curvature."""

import math

import pytest
import torch
from scipy import special

from memscape.arguments import ArgumentError
from memscape.capacity import diffusion
from memscape.memory.attention import ModernHopfield
from memscape.tools import pieces

from ..draws import rng


def test_the_time_of_collapse_in_closed_form():
    found = [diffusion.collapse_time(*case) for case in ((10, 100), (50, 100), (50, 10**4))]
    assert found == pytest.approx([0.2538, 0.8912, 0.5886], abs=5e-5)


@pytest.mark.parametrize(
    ("dimension", "count", "spread"), [(3, 7, 1.0), (40, 10**6, 0.1), (1, 10**15, 5.0), (10**6, 2, 3.0)]
)
def test_at_the_time_of_collapse_the_clouds_just_fill_the_whole(dimension, count, spread):
    time = diffusion.collapse_time(dimension, count, spread)
    room = dimension / 2 * math.log1p(spread**2 / math.expm1(2 * time))
    assert room == pytest.approx(math.log(count), rel=1e-6)


def test_at_the_time_found_the_own_datum_has_half_of_the_weight():
    found = diffusion.collapse(4, 30, draws=1, starts=10, generator=rng(2))
    draw = rng(2)
    data = torch.randn(30, 4, generator=draw, dtype=torch.float64)
    noise = torch.randn(10, 4, generator=draw, dtype=torch.float64)
    shrunk = torch.exp(-found[0])[:, None]
    state = shrunk * data[:10] + torch.sqrt(1 - shrunk**2) * noise
    square = (state[:, None] - shrunk[:, None] * data).square().sum(dim=-1)
    weights = torch.softmax(-square / (2 * (1 - shrunk**2)), dim=-1)
    torch.testing.assert_close(
        weights[:, :10].diagonal(), torch.full((10,), 0.5, dtype=torch.float64), rtol=1e-6, atol=0
    )


def test_collapse_does_not_depend_on_the_budget():
    whole = diffusion.collapse(4, 30, draws=2, starts=10, generator=rng(2))
    with pieces.budget(1):
        torch.testing.assert_close(diffusion.collapse(4, 30, draws=2, starts=10, generator=rng(2)), whole)


def test_half_of_the_paths_collapse_near_the_time_of_the_law():
    found = diffusion.collapse(50, 1000, draws=4, starts=25, generator=rng(3)).median().item()
    assert found == pytest.approx(diffusion.collapse_time(50, 1000), rel=0.15)


def test_two_data_share_a_valley_where_b_d2_is_below_two():
    for sharpness in (0.01, 1.0, 500.0):
        assert sharpness * diffusion.merging_distance(sharpness) ** 2 == pytest.approx(2.0, abs=1e-9)


def test_a_circle_full_of_data_has_the_energy_of_the_bessel_function():
    angle = 2 * math.pi * torch.arange(400, dtype=torch.float64) / 400
    data = torch.stack([angle.cos(), angle.sin()], dim=-1)
    radius = torch.tensor([0.0, 0.3, 0.9, 1.0, 1.7], dtype=torch.float64)
    state = torch.stack([radius, torch.zeros_like(radius)], dim=-1)
    found = diffusion.energy(state, data, 20.0) + math.log(400) / 20
    torch.testing.assert_close(found, diffusion.ring_energy(radius, 20.0))
    plain = radius**2 + 1 - torch.from_numpy(special.i0(40 * radius.numpy())).log() / 20
    torch.testing.assert_close(found, plain)


def test_mean_shift_on_a_circle_is_the_update_of_a_modern_hopfield_network():
    data = diffusion.circle(9, draws=1, generator=rng(1))[0]
    state = torch.randn(5, 2, generator=rng(2), dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(diffusion.energy(state, data, 7.0).sum(), state)
    torch.testing.assert_close(ModernHopfield(data, 14.0).update(state.detach()), state.detach() - slope / 2)


@pytest.mark.parametrize("count", [3, 12, 40])
def test_descents_end_where_the_slope_is_zero_and_the_curvature_positive(count):
    data = diffusion.circle(count, draws=3, generator=rng(4))
    found = diffusion.descend(data, data, 50.0)
    assert found.resting.all()
    assert found.stable.all()
    state = found.state.clone().requires_grad_()
    (slope,) = torch.autograd.grad(diffusion.energy(state, data, 50.0).sum(), state)
    assert slope.abs().max() < 1e-8
    # No step of a thousandth of the unit in any direction goes down.
    angle = math.pi * torch.arange(8, dtype=torch.float64) / 4
    ways = 1e-4 * torch.stack([angle.cos(), angle.sin()], dim=-1)
    for way in ways:
        assert (diffusion.energy(found.state + way, data, 50.0) > diffusion.energy(found.state, data, 50.0)).all()
    assert (diffusion.energy(found.state, data, 50.0) <= diffusion.energy(data, data, 50.0) + 1e-12).all()


def test_descents_are_those_of_plain_mean_shift():
    data = diffusion.circle(6, draws=2, generator=rng(5))
    state = data + 1e-6 * 100**-0.5 * torch.tensor([0.6, 0.8], dtype=torch.float64)
    model = ModernHopfield(data, 100.0)
    for _ in range(5000):
        state = model.update(state)
    torch.testing.assert_close(diffusion.descend(data, data, 50.0).state, state, rtol=0, atol=1e-6)


def test_a_start_on_the_saddle_between_two_data_is_moved_off_it():
    data = torch.tensor([[[1.0, 0.0], [-1.0, 0.0]]], dtype=torch.float64)
    middle = torch.zeros(1, 1, 2, dtype=torch.float64)
    assert not diffusion.descend(data, middle, 50.0, jitter=0.0).stable.any()
    found = diffusion.descend(data, middle, 50.0)
    assert found.stable.all()
    assert found.gap.max() < 1e-6
    assert found.moved.item() == pytest.approx(10.0, abs=1e-6)


state = torch.zeros(1, 1, 2, dtype=torch.float64)
ring = torch.tensor([[[1.0, 0.0]]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: diffusion.collapse_time(0, 5), "dimension: expected an integer >= 1; got 0"),
        (lambda: diffusion.collapse_time(3, 1), "count: expected an integer >= 2; got 1"),
        (lambda: diffusion.collapse_time(3, 5, 0.0), "spread: expected a finite number > 0"),
        (
            lambda: diffusion.collapse(3, 5, draws=0, starts=1, generator=rng()),
            "draws: expected an integer >= 1; got 0",
        ),
        (lambda: diffusion.circle(0, draws=1, generator=rng()), "count: expected an integer >= 1; got 0"),
        (lambda: diffusion.energy(state, ring[0], 1.0), "state: expected leading axes (); got shape (1, 1, 2)"),
        (lambda: diffusion.energy(1e200 * (state + 1), ring, 1.0), "state: expected distances whose squares"),
        (lambda: diffusion.energy(state, ring, 0.0), "sharpness: expected a finite number"),
        (lambda: diffusion.ring_energy(-torch.ones(1), 1.0), "radius: expected finite values >= 0; got -1"),
        (lambda: diffusion.ring_energy(torch.full((1,), 1e30), 1.0), "radius: expected values whose squares the dtype"),
        (lambda: diffusion.merging_distance(-1.0), "sharpness: expected a finite number"),
        (
            lambda: diffusion.descend(2 * ring, state, 1.0),
            "data: expected points on the circle of radius 1; got others",
        ),
        (lambda: diffusion.descend(ring, state, 1.0, steps=0), "steps: expected an integer in [1, 10000000]; got 0"),
        (lambda: diffusion.descend(ring, state, 1.0, jitter=-1.0), "jitter: expected a finite number"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
