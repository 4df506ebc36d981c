"""Capacity: the formulas against what they rest on, the exact law against enumeration and counting."""

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
from memscape.memory import mean_field
from memscape.memory.dense import DenseMemory, Exponential, Power, Rectified
from memscape.memory.recall import one_step, step_curve
from memscape.memory.simplicial import Skeleton
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
    torch.testing.assert_close(mean_field.one_step_load(cap.gaussian_error(one(load), 2)), one(load))


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
    # N**(n - 1) and (2n - 3)!! beyond a float, their quotient within: logarithms say what it is.
    wanted = 159 * math.log(1000) - math.log(2 * cap.crosstalk(160)) - math.log(math.log(1000))
    assert wanted < 709 < 159 * math.log(1000)
    assert math.log(cap.error_free(1000, 160)) == pytest.approx(wanted, rel=1e-12)
    assert 0 < cap.load_at(0.005, 151) < 1e-300
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
    build = partial(DenseMemory, interaction=interaction)
    measured = one_step(build, neurons, count, networks=200, probes=12, generator=rng(1)).bit_error
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


def test_powers_err_in_company_and_rectified_powers_do_not():
    company, alone = (
        step_curve(
            partial(DenseMemory, interaction=model),
            30,
            [cap.capacity(30, model, 1 / 30)],
            bits=90_000,
            generator=rng(11),
        )[0].excess
        for model in (Power(3), Rectified(3))
    )
    assert company.low > 0.04
    assert alone.high < 0.0


def test_three_answers_of_a_unit_with_two_inputs_are_learnable_and_their_contradiction_is_not():
    patterns = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, -1.0]])
    assert cap.learnable(patterns, torch.tensor([1.0, 1.0, -1.0]))
    assert not cap.learnable(patterns, torch.tensor([1.0, 1.0, 1.0]))  # opposite patterns, the same answer


def test_what_can_be_learned_of_patterns_in_general_position_is_what_cover_counts():
    # Three vectors of signs in three dimensions and minus their product: any three of the four are independent.
    patterns = torch.tensor([[1.0, 1.0, 1.0], [1.0, 1.0, -1.0], [1.0, -1.0, 1.0], [-1.0, 1.0, 1.0]])
    answers = itertools.product((-1.0, 1.0), repeat=4)
    learned = sum(cap.learnable(patterns, torch.tensor(answer)) for answer in answers)
    assert learned == 2 * sum(math.comb(3, k) for k in range(3))


def enumerated_sparse(neurons: int, active: int, pairs: int) -> tuple[float, float]:
    """Mean number of units too many, and the mean of its pairs, over all ways to draw the other pairs."""
    sets = [frozenset(one) for one in itertools.combinations(range(neurons), active)]
    cue = answer = sets[0]
    single = double = count = 0
    for others in itertools.product(itertools.product(sets, repeat=2), repeat=pairs - 1):
        met = [
            (set().union(*(other for other, reply in others if unit in reply)) & cue) == cue
            for unit in range(neurons)
            if unit not in answer
        ]
        single += sum(met)
        double += sum(met) * (sum(met) - 1) // 2
        count += 1
    return single / count, double / count


@pytest.mark.parametrize(("neurons", "active", "pairs"), [(4, 1, 3), (5, 1, 3), (8, 2, 2)])
def test_the_errors_of_sparse_recall_are_those_of_all_draws(neurons, active, pairs):
    single, double = enumerated_sparse(neurons, active, pairs)
    mean, clean = cap.sparse_errors(neurons, active, pairs)
    assert mean == pytest.approx(single, rel=1e-12)
    silent = neurons - active
    spread = double / math.comb(silent, 2) / (single / silent) ** 2 - 1
    assert clean == pytest.approx((1 + mean * spread) ** (-1 / spread) if spread > 0 else math.exp(-mean), rel=1e-9)


def test_sparse_recalls_find_the_exact_mean_and_nearly_the_share_without_an_error():
    found = cap.sparse_recalls(60, 4, 100, recalls=20, networks=400, generator=rng())
    mean, clean = cap.sparse_errors(60, 4, 100)
    by_network = found.extra.double().mean(dim=1)
    assert abs(by_network.mean().item() - mean) < 4 * by_network.std().item() / 20
    assert (found.extra == 0).double().mean().item() == pytest.approx(clean, abs=0.04)
    density = 1 - (1 - (4 / 60) ** 2) ** 100
    assert found.on.mean().item() == pytest.approx(density, abs=0.005)


def test_one_pair_of_sparse_patterns_is_recalled_without_a_unit_too_many():
    assert cap.sparse_errors(100, 5, 1) == (0.0, 1.0)
    assert not cap.sparse_recalls(100, 5, 1, recalls=1, networks=3, generator=rng()).extra.any()


def test_crossing_finds_the_capacity_of_the_law():
    counts = [180, 220, 260]
    points = [Estimate(e, 0.98 * e, 1.02 * e, 1) for e in (cap.bit_error(70, count, Power(3)) for count in counts)]
    assert crossing(counts, points, 0.005).value == pytest.approx(cap.capacity(70, Power(3), 0.005), rel=0.005)


# Refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cap.crosstalk(1), "degree: expected an integer in [2, 10000]; got 1"),
        (lambda: cap.gaussian_error(one(0.0), 2), "load: expected positive values; got 0"),
        (lambda: cap.gaussian_error(0.1, 2), "load: expected a torch.Tensor; got float"),
        (lambda: cap.gaussian_error(one(math.nan), 2), "load: expected finite values; got nan"),
        (lambda: cap.asymptotic_error(one(-1.0), 2), "load: expected positive values; got -1"),
        (lambda: cap.asymptotic_error(one(0.1), 0), "degree: expected an integer in [2, 10000]; got 0"),
        (lambda: cap.load_at(0.0, 2), "error: expected a finite number > 0"),
        (lambda: cap.load_at(0.5, 2), "error: expected a finite number > 0"),
        (lambda: cap.load_at(0.1, 2, tail="gausian"), "tail: expected one of 'gaussian', 'asymptotic'; got 'gausian'"),
        (lambda: cap.error_free(1, 2), "neurons: expected an integer >= 2; got 1"),
        (lambda: cap.error_free(10, 2, stable="none"), "stable: expected one of 'pattern', 'all'"),
        (lambda: cap.error_free(10**6, 200), "neurons: expected a number of patterns within a float at degree 200"),
        (lambda: cap.error_free(10**400, 2), "neurons: expected a number of patterns within a float at degree 2"),
        (lambda: cap.load_at(0.005, 152), "degree: expected (2n - 3)!! within a float, n <= 151"),
        (
            lambda: cap.gaussian_error(torch.ones(1), 152),
            "degree: expected (2n - 3)!! within a float, n <= 151",
        ),
        (lambda: cap.error_free(10, 1), "degree: expected an integer in [2, 10000]; got 1"),
        (lambda: cap.exact_recall(one(1.5), 10), "error: expected values in [0, 1]; got 1.5"),
        (lambda: cap.exact_recall(one(-0.5), 10), "error: expected finite values >= 0; got -0.5"),
        (
            lambda: cap.learnable(torch.ones(3, 2), torch.ones(2)),
            "answers: expected axes (patterns) with patterns = 3; got shape (2,)",
        ),
        (lambda: cap.exact_recall(one(0.5), 0), "neurons: expected an integer in [1, "),
        (lambda: cap.sparse_errors(100, 26, 10), "active: expected an integer in [1, 25]; got 26"),
        (lambda: cap.sparse_errors(100, 15, 10), "active: expected an integer in [1, 14]; got 15"),
        (
            lambda: cap.sparse_recalls(100, 5, 10, recalls=11, networks=1, generator=rng()),
            "recalls: expected an integer in [1, 10]; got 11",
        ),
        (lambda: cap.bit_error(1, 2, Power(2)), "neurons: expected an integer in [2, 500]; got 1"),
        (lambda: cap.bit_error(501, 2, Power(2)), "neurons: expected an integer in [2, 500]; got 501"),
        (lambda: cap.bit_error(10, 0, Power(2)), "count: expected an integer in [1,"),
        (
            lambda: cap.bit_error(10, 2, "power"),
            "interaction: expected a Power, a Rectified or an Exponential; got str",
        ),
        (
            lambda: cap.bit_error(10, 2, Skeleton(12, (1, 2))),
            "interaction: expected a skeleton on 10 neurons; got one on 12",
        ),
        (lambda: cap.capacity(10, Power(2), 0.0), "error: expected a finite number > 0"),
        (lambda: cap.capacity(10, Power(2), 0.3), "error: expected a finite number > 0"),
        (
            lambda: cap.capacity(10, None, 0.1),
            "interaction: expected a Power, a Rectified or an Exponential; got NoneType",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ArgumentError) as error:
        call()
    assert message in str(error.value)
