"""Normal distributions: distances by integrating the metric, paths by their definitions, flows by where they lead."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence

from memscape.arguments import ArgumentError
from memscape.categorical import fisher
from memscape.tools import pieces

from ..draws import rng

real = {"dtype": torch.float64}


def normals(seed, *shape):
    drawn = torch.randn(*shape, 2, generator=rng(seed), **real)
    return torch.stack([drawn[..., 0], drawn[..., 1].exp()], dim=-1)


SHARES = torch.linspace(0, 1, 2001, **real)
PATHS = [fisher.mixture_path, fisher.exponential_path, fisher.geodesic]


def test_divergence_is_that_of_torch():
    laws, models = normals(1, 40), normals(2, 40)
    expected = kl_divergence(Normal(*laws.unbind(-1)), Normal(*models.unbind(-1)))
    torch.testing.assert_close(fisher.divergence(laws, models), expected)


def test_the_metric_is_the_second_derivative_of_the_divergence():
    for point in normals(3, 5):
        second = torch.autograd.functional.hessian(lambda z, at=point: fisher.divergence(at, z), point)
        torch.testing.assert_close(fisher.metric(point), second)


def test_distance_is_the_integral_of_the_metric_along_the_geodesic():
    starts, ends = normals(4, 30), normals(5, 30)
    path = fisher.geodesic(starts, ends, SHARES)
    middle, step = (path[:, 1:] + path[:, :-1]) / 2, path.diff(dim=1)
    squares = torch.einsum("pti,ptij,ptj->pt", step, fisher.metric(middle), step)
    torch.testing.assert_close(squares.sqrt().sum(dim=1), fisher.distance(starts, ends), rtol=1e-5, atol=0)
    # At shares of its length.
    there = fisher.distance(starts[:, None], path)
    torch.testing.assert_close(there, SHARES * fisher.distance(starts, ends)[:, None], rtol=1e-8, atol=1e-9)


def test_distances_by_hand():
    base = torch.tensor([0.0, 1.0], **real)
    ends = torch.tensor([[0.0, math.e], [0.0, 1.0], [3.0, 1.0], [1e-9, 1.0], [0.0, 1e300]], **real)
    far = 2 * math.sqrt(2)
    expected = [math.sqrt(2), 0.0, far * math.asinh(3 / far), 1e-9, math.sqrt(2) * 300 * math.log(10)]
    assert fisher.distance(base, ends).tolist() == pytest.approx(expected, rel=1e-12)


def test_what_each_path_mixes():
    starts, ends = normals(6, 20), normals(7, 20)
    (mean, deviation), (other, wide) = starts[:, None].unbind(-1), ends[:, None].unbind(-1)
    m, s = fisher.mixture_path(starts, ends, SHARES).unbind(-1)
    torch.testing.assert_close(m, torch.lerp(mean, other, SHARES))
    torch.testing.assert_close(m**2 + s**2, torch.lerp(mean**2 + deviation**2, other**2 + wide**2, SHARES))
    m, s = fisher.exponential_path(starts, ends, SHARES).unbind(-1)
    torch.testing.assert_close(m / s**2, torch.lerp(mean / deviation**2, other / wide**2, SHARES))
    torch.testing.assert_close(s**-2, torch.lerp(deviation**-2, wide**-2, SHARES))
    # A geodesic of the half-plane is a circle about a point of the axis: its distance from that point stays.
    m, s = fisher.geodesic(starts, ends, SHARES).unbind(-1)
    centre = ((other**2 - mean**2) / 2 + wide**2 - deviation**2) / (other - mean)
    radius = (m - centre).square() / 2 + s.square()
    torch.testing.assert_close(radius, radius[:, :1].expand_as(radius), rtol=1e-7, atol=0)


@pytest.mark.parametrize("path", PATHS)
def test_paths_lead_from_one_end_to_the_other_and_none_is_shorter_than_the_geodesic(path):
    starts, ends = normals(8, 30), normals(9, 30)
    points = path(starts, ends, SHARES)
    torch.testing.assert_close(points[:, 0], starts)
    torch.testing.assert_close(points[:, -1], ends)
    assert (fisher.length(points) >= fisher.distance(starts, ends) - 1e-9).all()
    # Backwards it is the same path.
    torch.testing.assert_close(path(ends, starts, SHARES).flip(1), points, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("path", PATHS)
def test_a_path_to_where_one_is_stays(path):
    point = normals(10, 4)
    torch.testing.assert_close(path(point, point, SHARES[:3]), point[:, None].expand(4, 3, 2))


def test_lengths_between_equal_deviations_are_closed_forms():
    wide = torch.tensor([1.0, 3.0, 10.0, 100.0], **real)
    starts, ends = torch.tensor([0.0, 1.0], **real).expand(4, 2), torch.stack([wide, torch.ones(4, **real)], dim=-1)
    straight = fisher.exponential_path(starts, ends, SHARES)
    torch.testing.assert_close(fisher.length(straight), wide, rtol=1e-3, atol=0)
    assert (straight[..., 1] - 1).abs().max() < 1e-12
    torch.testing.assert_close(fisher.geodesic(starts, ends, SHARES)[..., 1].amax(1), (1 + wide**2 / 8).sqrt())
    torch.testing.assert_close(fisher.mixture_path(starts, ends, SHARES)[..., 1].amax(1), (1 + wide**2 / 4).sqrt())


def test_the_farthest_point_of_one_path_from_another():
    path = torch.tensor([[0.0, 1.0], [0.0, math.e]], **real)
    points = torch.tensor([[0.0, 1.0], [0.0, math.e**3], [0.0, math.exp(0.5)]], **real)
    expected = 2 * math.sqrt(2)
    assert fisher.farthest(points, path).item() == pytest.approx(expected)
    both = fisher.farthest(normals(1, 3, 7), normals(2, 3, 5))
    with pieces.budget(1):
        torch.testing.assert_close(fisher.farthest(normals(1, 3, 7), normals(2, 3, 5)), both)


def test_what_is_no_distribution_is_refused():
    point = torch.tensor([0.0, 1.0], **real)
    with pytest.raises(ArgumentError, match="starts: expected deviations > 0"):
        fisher.distance(-point, point)
    with pytest.raises(ArgumentError, match="shares: expected numbers from 0 to 1"):
        fisher.geodesic(point, point, 2 * SHARES)
    with pytest.raises(ArgumentError, match="points: expected two points or more"):
        fisher.length(point[None])
    with pytest.raises(ArgumentError, match="path: expected axes in front"):
        fisher.farthest(normals(1, 3, 7), normals(2, 4, 5))
