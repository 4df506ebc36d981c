import math

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import merging
from memscape.memory.attention import ModernHopfield
from memscape.memory.dynamics import iterate

from ..draws import normal


def slope(model, state):
    return merging.slope(model.patterns, model.beta, state)


def test_the_slope_is_the_largest_eigenvalue_of_the_derivative_of_an_update():
    patterns, state = normal(1, 4, 3), normal(2, 3)
    derivative = torch.autograd.functional.jacobian(ModernHopfield(patterns, 1.7).update, state)
    assert merging.slope(patterns, 1.7, state) == pytest.approx(torch.linalg.eigvals(derivative).real.max().item())


@pytest.mark.parametrize("patterns", [2, 3, 5, 8])
def test_the_centre_is_stable_up_to_the_end_of_the_window(patterns):
    corners = merging.equidistant(patterns, distance=1.5)
    centre = torch.zeros(patterns, dtype=torch.float64)
    beta = merging.window(patterns).high / 1.5**2
    assert slope(ModernHopfield(corners, beta), centre) == pytest.approx(1.0, abs=1e-9)
    assert (
        slope(ModernHopfield(corners, 0.99 * beta), centre) < 1.0 < slope(ModernHopfield(corners, 1.01 * beta), centre)
    )


@pytest.mark.parametrize("patterns", [3, 5, 12])
def test_single_minima_appear_at_the_beginning_of_the_window(patterns):
    corners, found = merging.equidistant(patterns), merging.window(patterns)
    for factor, there in ((0.999, False), (1.001, True)):
        model = ModernHopfield(corners, factor * found.low)
        end = iterate(model, corners, steps=4000)
        held = (end * corners).sum(dim=-1) / corners.square().sum(dim=-1)
        assert (held > 0.9 * found.held).all() == there
        assert (held < 0.01).all() != there
    # Where it appears a state on the line stays, and the derivative along the line is 1.
    edge = ModernHopfield(corners, found.low)
    state = found.held * corners[0]
    torch.testing.assert_close(edge.update(state), state)
    assert slope(edge, state) == pytest.approx(1.0, abs=1e-5)


def test_two_patterns_have_no_window_and_more_have_a_growing_one():
    windows = [merging.window(k) for k in (2, 3, 5, 10, 100, 10**6)]
    assert (windows[0].low, windows[0].high) == (4.0, 4.0)
    sizes = [one.high / one.low for one in windows]
    assert sizes == sorted(sizes)
    assert windows[1].low == pytest.approx(5.4912872, abs=1e-6)


def test_corners_are_at_one_distance_and_sum_to_zero():
    corners = merging.equidistant(6, distance=3.0)
    distances = torch.cdist(corners, corners) + 3.0 * torch.eye(6)
    torch.testing.assert_close(distances, torch.full((6, 6), 3.0).double())
    torch.testing.assert_close(corners.sum(dim=0), torch.zeros(6).double(), atol=1e-12, rtol=0)


def test_two_patterns_merge_at_four_over_their_squared_distance():
    pair = torch.tensor([[1.0, 0.25], [1.0, -0.25]], dtype=torch.float64)
    found = merging.merge(pair, [0.97 * 16, 1.03 * 16], steps=5000)
    assert found.minima.tolist() == [1, 2]
    assert found.alone.tolist() == [[False, False], [True, True]]
    assert (found.moving < 1e-5).all()


def test_what_is_followed_in_weights_is_the_memory_itself():
    patterns = torch.nn.functional.normalize(normal(3, 12, 5), dim=-1)
    betas = [0.5, 5.0, 10.0, 400.0]
    found = merging.merge(patterns, betas, steps=1000)
    for row, beta in enumerate(betas):
        end = iterate(ModernHopfield(patterns, beta), patterns, steps=1000)
        close = torch.cdist(end, end) <= 0.01 * torch.pdist(patterns).min()
        assert torch.equal(found.alone[row], close.sum(dim=-1) == 1)
        assert found.minima[row] == len({tuple(line) for line in close.tolist()})
    assert found.minima[0] == 1
    assert found.minima[-1] == 12


def test_a_single_step_is_still_moving():
    assert merging.merge(normal(3, 4, 5), [1.0], steps=1).moving.item() > 1e-3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: merging.window(1), "patterns: expected an integer in [2, 1000000]; got 1"),
        (lambda: merging.equidistant(1), "patterns: expected an integer >= 2; got 1"),
        (lambda: merging.equidistant(3, distance=0.0), "distance: expected a finite number"),
        (lambda: merging.merge(torch.ones(1, 3), [1.0]), "patterns: expected an integer >= 2; got 1"),
        (lambda: merging.merge(torch.ones(2, 3), [1.0]), "patterns: expected patterns that differ; got two that are"),
        (lambda: merging.merge(normal(0, 2, 3), []), "betas: expected one inverse temperature or more; got none"),
        (lambda: merging.merge(normal(0, 2, 3), [0.0]), "betas: expected a finite number > 0; got 0"),
        (lambda: merging.merge(normal(0, 2, 3), [1.0], close=math.inf), "close: expected a finite number > 0"),
        (lambda: merging.merge(1e200 * normal(0, 2, 3), [1.0]), "patterns: expected patterns whose inner products"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
