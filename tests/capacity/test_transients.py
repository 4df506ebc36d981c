"""Transients: the laws against quadrature, each other and networks; what is read off trajectories against formulas."""

import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.capacity import capacity as cap
from memscape.capacity import transients as tra
from memscape.memory import hopfield
from memscape.memory.dense import DenseMemory, Power
from memscape.memory.dynamics import gradient_flow, iterate
from memscape.memory.patterns import flip, random_patterns
from memscape.memory.recall import one_step
from memscape.tools import pieces
from memscape.tools.statistics import Estimate, crossing

from ..draws import rng

starts = st.floats(0.05, 1.0)
loads = st.floats(0.02, 2.0)
degrees = st.integers(2, 7)


def one(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


# Laws


@pytest.mark.parametrize("correlation", [-1.0, -0.6, 0.0, 0.3, 1.0])
def test_the_moments_are_those_of_two_gaussian_numbers(correlation):
    z, weights = np.polynomial.hermite_e.hermegauss(24)
    weights = weights / weights.sum()
    x, other = z[:, None], z[None]
    y = correlation * x + math.sqrt(1 - correlation**2) * other
    for power in range(9):
        wanted = float(weights @ (x * y) ** power @ weights)
        assert tra.moment(power, one(correlation)).item() == pytest.approx(wanted, rel=1e-9, abs=1e-9)


@given(st.integers(1, 20), st.floats(-0.99, 0.99))
def test_the_slope_of_a_moment_is_the_moment_of_the_slopes(power, correlation):
    c = one(correlation).requires_grad_()
    (slope,) = torch.autograd.grad(tra.moment(power, c), c)
    torch.testing.assert_close(slope, power**2 * tra.moment(power - 1, one(correlation)), rtol=1e-9, atol=1e-9)


@given(loads, degrees)
def test_from_the_pattern_the_first_step_makes_the_gaussian_error(load, degree):
    expected = 1 - 2 * cap.gaussian_error(one(load), degree)
    torch.testing.assert_close(tra.first_step(one(1.0), one(load), degree), expected)


@given(starts, loads)
def test_the_second_step_without_a_past_is_that_of_amari_and_maginu(start, load):
    steps = tra.without_past(one(start), one(load), 2, steps=2)
    torch.testing.assert_close(tra.second_step(one(start), one(load), 2, past=False), steps[2])
    torch.testing.assert_close(tra.first_step(one(start), one(load), 2), steps[1])


@given(starts, loads)
def test_the_strength_of_the_past_at_degrees_two_three_and_four(start, load):
    # By the definition of the strength r from the two values that the second step would have with s = 1 or -1 alone.
    once = tra.first_step(one(start), one(load), 2)
    x = start / math.sqrt(load)
    response = 2 * math.exp(-x * x / 2) / math.sqrt(2 * math.pi * load)
    variance = load + response**2 * load + 2 * load * response * start * once.item()
    values = [math.erf((once.item() + s * load * response) / math.sqrt(2 * variance)) for s in (1, -1)]
    mixed = (1 + start) / 2 * values[0] + (1 - start) / 2 * values[1]
    assert tra.second_step(one(start), one(load), 2).item() == pytest.approx(mixed, abs=1e-12)
    for degree, strength in ((3, lambda c: 4 * c), (4, lambda c: 9 * (1 + 2 * c * c))):
        g = cap.crosstalk(degree) * load
        once = math.erf(start ** (degree - 1) / math.sqrt(2 * g))
        response = 2 * math.exp(-(start ** (2 * degree - 2)) / (2 * g)) / math.sqrt(2 * math.pi * g)
        r = strength(start * once) * load * response
        values = [math.erf((once ** (degree - 1) + s * r) / math.sqrt(2 * g)) for s in (1, -1)]
        mixed = (1 + start) / 2 * values[0] + (1 - start) / 2 * values[1]
        assert tra.second_step(one(start), one(load), degree).item() == pytest.approx(mixed, abs=1e-12)


@pytest.mark.parametrize(
    ("degree", "load", "overlap"),
    [(2, 0.1596, 0.8871), (3, 0.08406, 0.8385), (4, 0.013191, 0.9179), (5, 0.001645, 0.9472)],
)
def test_the_recursion_without_a_past_ends_at_the_edge(degree, load, overlap):
    found = tra.edge(degree)
    assert found == pytest.approx((load, overlap), rel=4e-4)
    inside, outside = tra.without_past(one(1.0), found[0] * torch.tensor([0.999, 1.001]).double(), degree, steps=900)[
        -1
    ]
    assert inside > overlap
    # Past the edge n = 2 keeps a remnant that falls with the steps, the others nothing.
    assert outside < 0.5


@given(st.floats(0.01, 0.99), degrees)
def test_at_break_even_one_step_changes_nothing(start, degree):
    load = tra.break_even(one(start), degree)
    torch.testing.assert_close(tra.first_step(one(start), load, degree), one(start), rtol=1e-6, atol=1e-9)


def test_the_weakest_cues_break_even_at_two_over_pi():
    weak = torch.tensor([1e-3, 1e-200, 5e-324], dtype=torch.float64)
    torch.testing.assert_close(tra.break_even(weak, 2), torch.full_like(weak, 2 / math.pi), rtol=1e-6, atol=0)


@given(st.floats(-1.0, 1.0))
def test_information_is_one_minus_the_entropy_of_an_error(overlap):
    error = (1 - overlap) / 2
    entropy = -sum(p * math.log2(p) for p in (error, 1 - error) if p > 0)
    assert tra.information(one(overlap)).item() == pytest.approx(1 - entropy, abs=1e-12)


# The law of all steps


@pytest.mark.parametrize(("degree", "load"), [(2, 0.2), (3, 0.1), (4, 0.02), (5, 0.003)])
def test_one_unit_makes_the_steps_that_are_known_in_closed_form(degree, load):
    start, paths = 0.8, 40000
    unit = tra.one_unit(one(start), one(load), degree, steps=3, paths=paths, generator=rng(1))
    sure = 4 / math.sqrt(paths)
    assert unit.overlap[0] == start
    assert abs(unit.overlap[1] - tra.first_step(one(start), one(load), degree)) < sure
    assert abs(unit.overlap[2] - tra.second_step(one(start), one(load), degree)) < sure
    assert abs(unit.correlation[1, 0] - start * unit.overlap[1]) < sure
    # The response of the first step is U; it is read from noise of the standard deviation sqrt(g).
    g = cap.crosstalk(degree) * load
    response = 2 * math.exp(-(start ** (2 * degree - 2)) / (2 * g)) / math.sqrt(2 * math.pi * g)
    assert abs(unit.response[1, 0] - response) < sure / math.sqrt(g)


@pytest.mark.parametrize(("degree", "neurons", "load", "start"), [(2, 2000, 0.2, 0.7), (3, 200, 0.12, 0.9)])
def test_one_unit_does_what_networks_do_at_every_step(degree, neurons, load, start):
    build = hopfield.hebbian if degree == 2 else partial(DenseMemory, interaction=Power(degree))
    flips, count = round(neurons * (1 - start) / 2), round(load * neurons ** (degree - 1))
    shape = {"networks": 2, "probes": 60, "steps": 6, "generator": rng(2)}
    found = tra.follow(build, neurons, count, flips=flips, **shape).mean(dim=(0, 1))
    unit = tra.one_unit(one(start), one(load), degree, steps=6, paths=20000, generator=rng(3))
    # Three standard errors of the networks, which share their patterns, and a correction of order 1/N.
    assert (found - unit.overlap).abs().max() < 0.03
    alone = tra.without_past(one(start), one(load), degree, steps=6)
    assert (found - alone).abs().max() > 0.04


def test_one_unit_depends_on_no_budget_and_takes_loads_of_any_shape():
    shape = {"steps": 4, "paths": 50}
    load = torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], dtype=torch.float64)
    whole = tra.one_unit(one(1.0), load, 3, **shape, generator=rng())
    with pieces.budget(1):
        piece = tra.one_unit(one(1.0), load, 3, **shape, generator=rng())
    single = tra.one_unit(one(1.0), load[1, 2], 3, **shape, generator=rng())
    assert whole.overlap.shape == (2, 3, 5)
    assert whole.response.shape == whole.correlation.shape == (2, 3, 5, 5)
    # Sums over paths are in float32, and a response divides them by the hundredth that is drawn afresh.
    close = {"rtol": 1e-3, "atol": 1e-4}
    torch.testing.assert_close(piece.overlap, whole.overlap)
    torch.testing.assert_close(piece.response, whole.response, **close)
    torch.testing.assert_close(single.overlap, whole.overlap[1, 2])


@pytest.mark.parametrize(("degree", "load"), [(2, 0.15), (3, 0.125)])
def test_twice_the_paths_of_one_unit_say_the_same(degree, load):
    # Near the end of recall. Three standard errors of the difference; independent paths, as many, scatter more widely.
    sure = 0.012
    runs = {
        paths: torch.stack(
            [
                tra.one_unit(one(1.0), one(load), degree, steps=20, paths=paths, generator=rng(seed)).overlap
                for seed in range(4)
            ]
        )
        for paths in (8192, 16384)
    }
    some, twice = (found.mean(dim=0) for found in runs.values())
    assert (some - twice).abs().max() < sure
    assert runs[16384].std(dim=0).max() < sure


# Networks


@pytest.mark.parametrize("build", [hopfield.hebbian, partial(DenseMemory, interaction=Power(3))], ids=["2", "3"])
def test_follow_notes_what_the_updates_do(build):
    # Few patterns, so that the paths come to rest and the shortcut is taken; many, so that some end in cycles of two.
    for count in (2, 9):
        found = tra.follow(build, 12, count, flips=6, networks=20, probes=2, steps=7, generator=rng(4))
        draw = rng(4)
        for network in range(20):
            patterns = random_patterns(count, 12, generator=draw, dtype=torch.float32)
            state = flip(patterns[:2], 6, generator=draw)
            for step in range(8):
                wanted = (state * patterns[:2]).mean(dim=-1).double()
                torch.testing.assert_close(found[network, :, step], wanted)
                state = iterate(build(patterns), state, steps=1)


def test_follow_makes_the_one_step_of_recall():
    shape = {"networks": 1, "probes": 5, "generator": rng(5)}
    once = one_step(hopfield.hebbian, 30, 6, **shape)
    found = tra.follow(hopfield.hebbian, 30, 6, steps=1, **(shape | {"generator": rng(5)}))
    torch.testing.assert_close(found[0, :, 1], once.overlap[0])


def test_graded_units_pass_by_as_the_flow_of_their_network_says():
    shape = {"gain": 2.0, "step": 0.1, "steps": 20}
    found = tra.pass_by(15, 3, flips=2, networks=1, probes=2, generator=rng(6), **shape)
    draw = rng(6)
    patterns = random_patterns(3, 15, generator=draw, dtype=torch.float32)
    weights = hopfield.hebbian(patterns).weights
    model = hopfield.Graded(weights, torch.zeros(15), 2.0)
    path = gradient_flow(model, flip(patterns[:2], 2, generator=draw), step=0.1, steps=20)
    cosine = torch.nn.functional.cosine_similarity(torch.tanh(2.0 * path), patterns[:2], dim=-1)
    torch.testing.assert_close(found.overlap[0], cosine.T.double(), rtol=1e-5, atol=1e-5)
    speed = model.flow(path.permute(1, 0, 2)).square().mean(dim=-1)
    torch.testing.assert_close(found.speed[0], speed.double(), rtol=1e-4, atol=1e-6)


def test_a_load_and_a_number_of_bits_say_how_many_patterns_and_starts_there_are():
    build = partial(DenseMemory, interaction=Power(3))
    found = tra.at_load(build, 10, 0.08, 3, start=0.6, bits=155, steps=2, generator=rng(7))
    same = tra.follow(build, 10, 8, flips=2, networks=2, probes=8, steps=2, generator=rng(7))
    torch.testing.assert_close(found, same)


def test_more_probes_than_patterns_are_refused():
    with pytest.raises(ArgumentError, match="^probes: "):
        tra.follow(hopfield.hebbian, 10, 2, networks=1, probes=3, steps=1, generator=rng())


# Reading trajectories


def test_steps_above_counts_until_the_first_fall():
    paths = torch.tensor([[1.0, 0.9, 0.4, 0.7], [1.0, 1.0, 0.9, 0.6], [0.2, 0.3, 0.4, 0.5]])
    assert tra.steps_above(paths, 0.5).tolist() == [2, 4, 0]


def test_the_slow_point_of_a_path_is_where_its_speed_first_dips():
    speed = torch.tensor([[[5.0, 3.0, 2.0, 4.0, 1.0], [5.0, 2.0, 3.0, 1.0, 4.0]], [[5.0, 5.0, 2.0, 4.0, 0.0]] * 2])
    overlap = torch.tensor([0.9, 0.8, 0.7, 0.6, 0.5]).expand_as(speed)
    torch.testing.assert_close(tra.Passage(overlap, speed).slow_points, torch.tensor([[0.7, 0.8], [0.7, 0.7]]))
    # Only ever slower: the end.
    slower = tra.Passage(overlap, speed.sort(dim=-1, descending=True).values)
    torch.testing.assert_close(slower.slow_points, torch.full((2, 2), 0.5))
    one_step = tra.Passage(overlap[..., :2], speed[..., :2])
    torch.testing.assert_close(one_step.slow_points, torch.tensor([[0.8, 0.8], [0.9, 0.9]]))


def test_a_crossing_is_read_between_the_neighbours_that_enclose_it():
    shares = [Estimate(value, value - 0.01, value + 0.01, 10) for value in (0.01, 0.02, 0.3, 0.5)]
    found = tra.crossing_load([10, 20, 30, 40], shares, 0.2)
    assert found == crossing([20, 30], shares[1:3], 0.2)
    assert 20 < found.value < 30
    with pytest.raises(ArgumentError, match="^level: "):
        tra.crossing_load([10, 20, 30, 40], shares, 0.6)


def test_large_networks_are_read_off_a_line_in_one_over_their_size():
    sizes = [100, 200, 400]
    found = tra.large_network(sizes, [Estimate(2 + 30 / n, 2 + 30 / n - 0.1, 2 + 30 / n + 0.1, 4) for n in sizes])
    assert found.value == pytest.approx(2.0)
    assert found.trials == 12
    # Ordinary least squares of three points: the variance at 0 is sum(x^2) / (3 sum(x^2) - sum(x)^2) of one point's.
    x = 1 / np.array(sizes)
    assert found.high - found.value == pytest.approx(0.1 * math.sqrt((x**2).sum() / (3 * (x**2).sum() - x.sum() ** 2)))


@pytest.mark.parametrize(("exponent", "pole"), [(0.5, 0.1), (1.0, 0.05)])
def test_a_power_law_of_times_is_found_again(exponent, pole):
    places = [0.11, 0.12, 0.14, 0.17, 0.2]
    times = np.array([[round(1e6 * (load - pole) ** -exponent)] * 3 for load in places])
    found = tra.slow_down(places, times, resamples=10, generator=rng())
    assert found.exponent.value == pytest.approx(exponent, abs=0.02)
    assert found.pole.value == pytest.approx(pole, abs=0.001)
    assert found.misfit < 1e-3
    # Networks that are all the same leave nothing to the bootstrap.
    assert [found.exponent.low, found.exponent.high] == pytest.approx([found.exponent.value] * 2, rel=1e-12)


def test_intervals_of_a_power_law_are_those_of_the_networks():
    draw = np.random.default_rng(0)
    places = np.array([0.11, 0.12, 0.14, 0.17, 0.2])
    hits = 0
    for seed in range(20):
        noise = draw.lognormal(0, 0.2, (5, 12))
        times = np.round(1e6 * (places[:, None] - 0.1) ** -0.5 * noise).astype(int)
        found = tra.slow_down(places.tolist(), times, resamples=100, generator=rng(seed)).exponent
        hits += found.low <= 0.5 <= found.high
    assert hits >= 15
