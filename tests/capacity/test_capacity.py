"""Capacity: the formulas against what they rest on, the exact law against enumeration, and counting against both."""

import itertools
import math
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.capacity import capacity as cap
from memscape.memory import hopfield, mean_field
from memscape.memory.dense import DenseMemory, Exponential, Power, Rectified
from memscape.tools.statistics import Estimate, crossing

from ..draws import rng

POWERS = [Power(2), Power(3), Power(4), Rectified(2), Rectified(3), Rectified(4)]
loads = st.floats(0.001, 10.0)
degrees = st.integers(2, 8)


def one(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def enumerated(neurons: int, count: int, interaction) -> float:
    """Share of all sets of patterns in which the update of the model turns the first bit of the first pattern."""
    states = list(itertools.product((-1.0, 1.0), repeat=neurons))
    others = torch.tensor(list(itertools.product(states, repeat=count - 1)), dtype=torch.float64)
    first = torch.ones(len(others), 1, neurons, dtype=torch.float64)
    updated = DenseMemory(torch.cat([first, others], dim=1), interaction).update(first)
    return (updated[:, 0, 0] < 0).double().mean().item()


# Formulas


def test_crosstalk_is_a_gaussian_moment():
    z, weights = np.polynomial.hermite_e.hermegauss(20)
    for degree in range(2, 9):
        moment = weights @ z ** (2 * (degree - 1)) / math.sqrt(2 * math.pi)
        assert cap.crosstalk(degree) == pytest.approx(moment, rel=1e-10)


@given(loads)
def test_the_gaussian_error_of_hopfields_memory_is_that_of_mean_field_theory(load):
    torch.testing.assert_close(cap.gaussian_error(one(load), 2), mean_field.one_step_error(one(load)))


@given(loads, degrees)
def test_the_asymptotic_error_bounds_the_gaussian_one_and_meets_it_at_small_load(load, degree):
    gaussian, asymptotic = cap.gaussian_error(one(load), degree), cap.asymptotic_error(one(load), degree)
    assert asymptotic >= gaussian
    # Mills' ratio: the relative difference is below one over the squared separation.
    assert asymptotic * (1 - cap.crosstalk(degree) * load) <= gaussian * (1 + 1e-9)


@given(loads, degrees)
def test_rectifying_halves_the_load_that_is_felt(load, degree):
    torch.testing.assert_close(
        cap.gaussian_error(one(2 * load), degree, rectified=True), cap.gaussian_error(one(load), degree)
    )


@given(st.floats(1e-6, 0.4), degrees, st.sampled_from(["gaussian", "asymptotic"]))
def test_load_at_inverts_the_errors(error, degree, tail):
    forward = cap.gaussian_error if tail == "gaussian" else cap.asymptotic_error
    assert forward(one(cap.load_at(error, degree, tail=tail)), degree).item() == pytest.approx(error, rel=1e-9)


def test_eq_5_divides_hopfields_load_by_the_double_factorial():
    for tail, alpha in (("asymptotic", 0.1463), ("gaussian", 0.1507)):
        assert cap.load_at(0.005, 2, tail=tail) == pytest.approx(alpha, abs=5e-5)
        for degree, factor in ((3, 3), (4, 15), (5, 105)):
            assert cap.load_at(0.005, degree, tail=tail) == pytest.approx(cap.load_at(0.005, 2, tail=tail) / factor)


def test_eq_6_at_100_neurons():
    assert [cap.error_free(100, degree) for degree in (2, 3, 4)] == pytest.approx([10.857, 361.91, 7238.2], rel=1e-4)


@given(st.integers(10, 10**6), degrees)
def test_error_free_is_where_the_bits_at_stake_expect_about_one_error_or_fewer(neurons, degree):
    # The exponential of the tail is 1/N for one pattern, and one over N**n, the order of all bits, for all of them.
    for stable, power in (("pattern", 1), ("all", degree)):
        load = cap.error_free(neurons, degree, stable=stable) / neurons ** (degree - 1)
        assert math.exp(-1 / (2 * cap.crosstalk(degree) * load)) == pytest.approx(neurons**-power, rel=1e-6)


@given(st.floats(0, 1), st.integers(1, 1000))
def test_exact_recall_is_the_power_of_the_bit_accuracy(error, neurons):
    expected = (1 - error) ** neurons
    assert cap.exact_recall(one(error), neurons).item() == pytest.approx(expected, rel=1e-9, abs=1e-300)


# The exact law


@pytest.mark.parametrize("interaction", [*POWERS, Power(1), Rectified(1)], ids=str)
@pytest.mark.parametrize(("neurons", "count"), [(2, 2), (3, 2), (2, 5), (3, 4), (4, 3), (5, 3)])
def test_the_law_of_one_step_is_that_of_all_sets_of_patterns(neurons, count, interaction):
    assert cap.bit_error(neurons, count, interaction) == pytest.approx(
        enumerated(neurons, count, interaction), abs=1e-12
    )


@pytest.mark.parametrize(("neurons", "count"), [(3, 3), (4, 3), (5, 3)])
def test_the_law_of_one_step_of_the_exponential_where_there_are_no_ties(neurons, count):
    expected = enumerated(neurons, count, Exponential())
    assert cap.bit_error(neurons, count, Exponential()) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(
    ("neurons", "count", "interaction"),
    [
        (100, 12, Power(2)),
        (50, 200, Power(3)),
        (50, 400, Rectified(3)),
        (30, 400, Power(4)),
        (14, 1000, Exponential()),
    ],
    ids=str,
)
def test_the_law_of_one_step_is_what_networks_do(neurons, count, interaction):
    measured = cap.one_step(neurons, count, interaction, networks=200, probes=12, generator=rng(1)).bit_error
    # Twice the half width of the interval: four standard deviations.
    assert abs(measured.value - cap.bit_error(neurons, count, interaction)) < measured.high - measured.low
    assert measured.high - measured.low < 0.35 * measured.value


def test_a_coarse_lattice_gives_the_law_of_a_fine_one(monkeypatch):
    cases = [(40, 150, Power(3)), (60, 2500, Rectified(4)), (24, 2**19, Exponential())]
    fine = [cap.bit_error(*case) for case in cases]
    monkeypatch.setattr(cap, "_CELLS", 2**11)
    coarse = [cap.bit_error(*case) for case in cases]
    assert coarse != fine
    assert coarse == pytest.approx(fine, rel=5e-3)


@pytest.mark.parametrize("degree", [2, 3, 4])
def test_the_law_of_one_step_tends_to_the_gaussian_one(degree):
    distances = []
    for neurons in (30, 100, 300):
        load = 0.3 / cap.crosstalk(degree)
        exact = cap.bit_error(neurons, round(load * neurons ** (degree - 1)), Power(degree))
        distances.append(abs(exact / cap.gaussian_error(one(load), degree).item() - 1))
    assert distances[2] < 0.04
    assert distances[2] < distances[1] < distances[0]


@pytest.mark.parametrize("interaction", [Power(3), Rectified(3), Power(4), Exponential()], ids=str)
def test_more_patterns_make_more_errors(interaction):
    errors = [cap.bit_error(30, count, interaction) for count in (1, 30, 100, 300, 1000, 10**4, 10**6, 10**9, 2**60)]
    assert errors[0] == 0.0
    assert errors == sorted(errors)
    assert errors[-1] == pytest.approx(0.5, abs=1e-3)


def test_two_to_the_five_hundred_patterns_can_be_counted():
    # Nearly all of them are silent; the few that are heard sit at the top of the range.
    below, above = cap.bit_error(500, 2**478, Exponential()), cap.bit_error(500, 2**492, Exponential())
    assert below < 1e-3 < 0.1 < above < 0.5


@pytest.mark.parametrize("interaction", [Power(3), Rectified(4), Exponential()], ids=str)
def test_capacity_is_the_last_count_below_the_error(interaction):
    count = cap.capacity(40, interaction, 0.005)
    step = max(1, count >> 12)
    assert cap.bit_error(40, count, interaction) <= 0.005 < cap.bit_error(40, count + step, interaction)


@pytest.mark.parametrize("degree", [3, 4])
def test_capacity_grows_with_the_power_of_eq_5(degree):
    sizes = [60, 120, 240]
    counts = [cap.capacity(neurons, Power(degree), 0.005) for neurons in sizes]
    exponent = np.polyfit(np.log(sizes), np.log(counts), 1)[0]
    assert degree - 1 < exponent < degree - 1 + 0.05
    assert counts[-1] / sizes[-1] ** (degree - 1) == pytest.approx(cap.load_at(0.005, degree), rel=0.02)


@pytest.mark.parametrize("degree", [2, 3, 4])
def test_rectifying_doubles_the_capacity(degree):
    ratio = cap.capacity(200, Rectified(degree), 0.005) / cap.capacity(200, Power(degree), 0.005)
    assert ratio == pytest.approx(2.0, abs=0.02 if degree > 2 else 0.1)


def test_exponential_capacity_grows_with_its_exponent():
    exponents = [math.log2(cap.capacity(neurons, Exponential(), 0.005)) / neurons for neurons in (50, 150, 500)]
    assert exponents == sorted(exponents)
    # What is left shrinks like log(N) / N.
    assert 0 < cap.EXPONENTIAL - exponents[-1] < 0.01


# Counting


def test_estimates_take_networks_for_trials_once_there_are_ten():
    wrong = torch.tensor([[0, 0], [5, 5]]).repeat(5, 1)
    few = cap.Recall(wrong[:8], 5, wrong[:8] == 0)
    many = cap.Recall(wrong, 5, wrong == 0)
    assert (few.exact.trials, many.exact.trials) == (16, 10)
    assert few.exact.value == many.exact.value == many.bit_error.value == 0.5
    assert many.within(4).value == 0.5
    assert many.within(5).value == 1.0
    error = many.bit_error
    assert many.mean_overlap == Estimate(0.0, 1 - 2 * error.high, 1 - 2 * error.low, 10)
    assert many.overlap.tolist() == [[1.0, 1.0], [-1.0, -1.0]] * 5


def test_one_pattern_is_recalled_from_itself_and_from_afar():
    for build in (hopfield.hebbian, partial(DenseMemory, interaction=Power(3))):
        near = cap.from_patterns(build, 20, 1, networks=3, probes=1, generator=rng(0))
        assert near.exact.value == 1.0
        assert near.resting.all()
    # The rectified power has no image of the pattern to fall into; Hopfield's half of the time ends in it.
    far = cap.from_random(partial(DenseMemory, interaction=Power(3)), 21, 1, networks=12, probes=9, generator=rng(0))
    assert far.exact.value == 1.0
    image = cap.from_random(hopfield.hebbian, 21, 1, networks=12, probes=40, generator=rng(0))
    assert set(image.wrong.unique().tolist()) == {0, 21}
    assert image.exact.low < 0.5 < image.exact.high


def test_one_step_counts_what_the_update_turns():
    found = cap.one_step(12, 30, Power(2), networks=4, probes=6, generator=rng(3))
    patterns = cap.random_patterns(30, 12, networks=(4,), generator=rng(3))
    turned = DenseMemory(patterns, Power(2)).update(patterns[:, :6]) != patterns[:, :6]
    assert torch.equal(found.wrong, turned.sum(dim=-1))
    assert torch.equal(found.resting, found.wrong == 0)


def test_a_curve_looks_at_the_bits_it_was_asked_for():
    points = cap.step_curve(20, [5, 60, 1000], Power(3), bits=10_400, generator=rng(8))
    assert [tuple(point.wrong.shape) for point in points] == [(104, 5), (11, 48), (11, 48)]
    errors = [point.bit_error.value for point in points]
    assert errors == sorted(errors)
    # Never fewer than ten networks, which are then the trials.
    assert tuple(cap.step_curve(20, [60], Power(3), bits=500, generator=rng(8))[0].wrong.shape) == (10, 3)


def test_independent_errors_leave_no_excess_and_its_interval_is_honest():
    draws = torch.from_numpy(np.random.default_rng(10).binomial(30, 0.03, (300, 20, 40)))
    found = [cap.Recall(wrong, 30, wrong == 0).excess for wrong in draws]
    # 800 probes: no single one is far from zero, their mean is at it, and the intervals cover it as often as they say.
    assert abs(np.mean([point.value for point in found])) < 0.002
    assert 0.90 <= np.mean([point.low <= 0 <= point.high for point in found]) <= 0.99


def test_errors_that_go_together_leave_an_excess():
    # All wrong or all right: exact recall is 1 - epsilon, and (1 - epsilon)**N is next to nothing.
    wrong = torch.tensor([[0, 0, 0, 10]]).repeat(12, 1)
    found = cap.Recall(wrong, 10, wrong == 0).excess
    assert (found.value, found.trials) == (pytest.approx(0.75 - 0.75**10), 12)


def test_powers_err_in_company_and_rectified_powers_do_not():
    company, alone = (
        cap.step_curve(30, [cap.capacity(30, model, 1 / 30)], model, bits=90_000, generator=rng(11))[0].excess
        for model in (Power(3), Rectified(3))
    )
    assert company.low > 0.04
    assert alone.high < 0.0


def test_settling_from_a_pattern_measures_the_distance_to_it_and_from_random_to_the_nearest():
    build = partial(DenseMemory, interaction=Power(2))
    start = cap.from_patterns(build, 12, 8, networks=5, probes=8, generator=rng(3))
    anywhere = cap.from_random(build, 12, 8, networks=5, probes=8, generator=rng(3))
    assert start.wrong.shape == anywhere.wrong.shape == (5, 8)
    # Eight patterns of twelve bits are too many: some probes leave, and the nearest pattern is never the far side.
    assert 0 < start.exact.value < 1
    assert anywhere.wrong.max() <= 6


def test_networks_come_in_batches_that_do_not_change_the_numbers(monkeypatch):
    measure = partial(cap.one_step, 15, 40, Power(3), networks=7, probes=5)
    whole = measure(generator=rng(4)).wrong
    monkeypatch.setattr(cap, "BUDGET", 1)
    assert torch.equal(measure(generator=rng(4)).wrong, whole)


def test_the_classical_network_loses_its_patterns_between_loads_of_a_tenth_and_a_quarter():
    measured = [
        cap.from_patterns(hopfield.hebbian, 400, round(load * 400), networks=4, probes=8, generator=rng(5))
        for load in (0.05, 0.10, 0.25)
    ]
    overlaps = [found.overlap.mean().item() for found in measured]
    # One wrong bit in ten thousand at a load of 0.05; the theory of Amit et al. gives 0.998 and 0.995 below the jump.
    expected = mean_field.retrieval(torch.tensor([0.05, 0.10], dtype=torch.float64), torch.zeros(2).double()).overlap
    assert overlaps[:2] == pytest.approx(expected.tolist(), abs=0.01)
    assert overlaps[2] < 0.6


def test_crossing_finds_the_capacity_of_the_law():
    counts = [180, 220, 260]
    points = [Estimate(e, 0.98 * e, 1.02 * e, 1) for e in (cap.bit_error(70, count, Power(3)) for count in counts)]
    assert crossing(counts, points, 0.005).value == pytest.approx(cap.capacity(70, Power(3), 0.005), rel=0.005)


# Refusals


def measure(function, **changes):
    """Call a counting function with good arguments but for the changes."""
    good = {"neurons": 10, "count": 4, "networks": 2, "probes": 2, "generator": rng(0)}
    arguments = {**good, **changes}
    rule = Power(2) if function is cap.one_step else hopfield.hebbian
    head = (arguments.pop("neurons"), arguments.pop("count"))
    return function(*head, rule, **arguments) if function is cap.one_step else function(rule, *head, **arguments)


COUNTING = [cap.one_step, cap.from_patterns, cap.from_random]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cap.crosstalk(1), "degree: expected an integer >= 2; got 1"),
        (lambda: cap.gaussian_error(one(0.0), 2), "load: expected positive values; got 0"),
        (lambda: cap.gaussian_error(0.1, 2), "load: expected a torch.Tensor; got float"),
        (lambda: cap.gaussian_error(one(math.nan), 2), "load: expected finite values; got nan"),
        (lambda: cap.asymptotic_error(one(-1.0), 2), "load: expected positive values; got -1"),
        (lambda: cap.asymptotic_error(one(0.1), 0), "degree: expected an integer >= 2; got 0"),
        (lambda: cap.load_at(0.0, 2), "error: expected a finite number > 0"),
        (lambda: cap.load_at(0.5, 2), "error: expected a finite number > 0"),
        (lambda: cap.load_at(0.1, 2, tail="gausian"), "tail: expected one of 'gaussian', 'asymptotic'; got 'gausian'"),
        (lambda: cap.error_free(1, 2), "neurons: expected an integer >= 2; got 1"),
        (lambda: cap.error_free(10, 2, stable="none"), "stable: expected one of 'pattern', 'all'"),
        (lambda: cap.error_free(10, 1), "degree: expected an integer >= 2; got 1"),
        (lambda: cap.exact_recall(one(1.5), 10), "error: expected values in [0, 1]; got 1.5"),
        (lambda: cap.exact_recall(one(-0.5), 10), "error: expected finite values >= 0; got -0.5"),
        (lambda: cap.exact_recall(one(0.5), 0), "neurons: expected an integer >= 1; got 0"),
        (lambda: cap.bit_error(1, 2, Power(2)), "neurons: expected an integer in [2, 500]; got 1"),
        (lambda: cap.bit_error(501, 2, Power(2)), "neurons: expected an integer in [2, 500]; got 501"),
        (lambda: cap.bit_error(10, 0, Power(2)), "count: expected an integer in [1,"),
        (
            lambda: cap.bit_error(10, 2, "power"),
            "interaction: expected a Power, a Rectified or an Exponential; got str",
        ),
        (lambda: cap.capacity(10, Power(2), 0.0), "error: expected a finite number > 0"),
        (lambda: cap.capacity(10, Power(2), 0.3), "error: expected a finite number > 0"),
        (
            lambda: cap.capacity(10, None, 0.1),
            "interaction: expected a Power, a Rectified or an Exponential; got NoneType",
        ),
        (lambda: cap.Recall(torch.zeros(1, 1), 5, torch.ones(1, 1)).within(6), "errors: expected an integer in [0, 5]"),
        *[
            (partial(measure, function, **changes), message)
            for function in COUNTING
            for changes, message in (
                ({"neurons": 1}, "neurons: expected an integer >= 2; got 1"),
                ({"count": 0}, "count: expected an integer >= 1; got 0"),
                ({"networks": 0}, "networks: expected an integer >= 1; got 0"),
                ({"probes": 0}, "probes: expected an integer"),
                ({"generator": 7}, "generator: expected a torch.Generator; got int"),
                ({"device": "nowhere"}, "device: expected a device of this machine; got 'nowhere'"),
            )
        ],
        (lambda: cap.step_curve(10, [5], Power(2), bits=0, generator=rng(0)), "bits: expected an integer >= 1; got 0"),
        (
            lambda: cap.step_curve(10, [0], Power(2), bits=9, generator=rng(0)),
            "counts: expected an integer >= 1; got 0",
        ),
        (
            lambda: cap.step_curve(1, [5], Power(2), bits=9, generator=rng(0)),
            "neurons: expected an integer >= 2; got 1",
        ),
        (lambda: measure(cap.one_step, probes=5), "probes: expected an integer in [1, 4]; got 5"),
        (lambda: measure(cap.from_patterns, probes=5), "probes: expected an integer in [1, 4]; got 5"),
        (lambda: measure(cap.from_random, sweeps=0), "sweeps: expected an integer >= 1; got 0"),
        (lambda: measure(cap.from_patterns, dtype=torch.int64), "dtype: expected a floating torch.dtype"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
