"""Sign patterns of small networks, against networks drawn at random and the relations among determinants."""

import collections
import itertools

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.polytopes.chirotopes import (
    UNDECIDED,
    canonical,
    chirotope_of,
    chirotopes,
    describe,
    possible_sets,
    relabelled,
    set_codes,
    table_codes,
)
from memscape.polytopes.threshold_linear import ThresholdLinear, fixed_points

from ..draws import normal

F64 = torch.float64


def competitive(seed: int, networks: int, neurons: int) -> torch.Tensor:
    return -normal(seed, networks, neurons, neurons).exp() * (1 - torch.eye(neurons, dtype=F64))


# The list of patterns


def test_two_neurons_have_the_patterns_one_can_write_down():
    # Without inputs only det(u_1, u_2) is free. With b, the three directions b, u_1, u_2 of the quarter plane stand in
    # one of 3! orders, which fixes all signs.
    assert len(chirotopes(2)) == 2
    assert len(chirotopes(2, inputs=True)) == 6


@pytest.mark.parametrize(("neurons", "draws"), [(2, 2000), (3, 400_000)])
def test_random_networks_show_all_patterns_without_inputs_and_no_others(neurons, draws):
    listed = chirotopes(neurons)
    couplings = competitive(1, draws, neurons)
    if neurons == 3:
        met = set(table_codes(couplings).tolist()) - {UNDECIDED}
        assert met == set(listed.codes.tolist())
    drawn = chirotope_of(ThresholdLinear(couplings[:2000], torch.ones(2000, neurons, dtype=F64)))
    width = listed.signs.shape[1]
    assert set(map(tuple, drawn.signs[:, :width])) <= set(map(tuple, listed.signs))


@pytest.mark.parametrize("neurons", [2, 3])
def test_random_networks_with_inputs_are_on_the_list_and_their_signs_tell_their_fixed_points(neurons):
    model = ThresholdLinear(competitive(2, 20_000, neurons), normal(3, 20_000, neurons).exp())
    drawn, found = chirotope_of(model), fixed_points(model)
    assert np.array_equal(drawn.exists, found.exists.numpy())
    assert np.array_equal(drawn.index, found.index.numpy())
    listed = chirotopes(neurons, inputs=True)
    assert set(map(tuple, drawn.signs)) <= set(map(tuple, listed.signs))


def test_patterns_of_three_neurons_without_inputs_number_120_in_26_classes():
    codes = chirotopes(3).codes
    assert len(codes) == len(set(codes)) == 120
    assert len(set(codes & 511)) == 102
    classes = relabelled(codes, 3).min(axis=-1)
    sizes = [collections.Counter(collections.Counter(classes[codes >> 9 == sign]).values()) for sign in (1, 0)]
    assert sizes == [{6: 8, 3: 2, 2: 2, 1: 2}, {6: 8, 3: 4}]


def test_the_list_is_closed_under_renumbering():
    codes = chirotopes(3).codes
    assert set(relabelled(codes, 3).ravel()) == set(codes)


def test_indices_sum_to_one_and_counts_are_odd_for_every_pattern():
    for neurons in (2, 3):
        listed = chirotopes(neurons, inputs=True)
        assert ((listed.exists * listed.index).sum(axis=-1) == 1).all()
        assert (listed.exists.sum(axis=-1) % 2 == 1).all()
        assert not listed.exists[:, 0].any()


def test_brackets_change_sign_with_the_order():
    listed = chirotopes(3, inputs=True)
    for order in itertools.permutations((1, 4, 6)):
        odd = sum(a > b for a, b in itertools.combinations(order, 2)) % 2
        assert np.array_equal(listed.bracket(order), listed.bracket((1, 4, 6)) * (-1) ** odd)


def test_codes_of_tables_are_those_of_the_determinants():
    couplings = competitive(4, 200, 3)
    system, codes = torch.eye(3, dtype=F64) - couplings, table_codes(couplings)
    for i, j in itertools.product(range(3), repeat=2):
        replaced = system.clone()
        replaced[:, :, i] = torch.eye(3, dtype=F64)[j]
        assert torch.equal(codes >> (3 * i + j) & 1, (torch.linalg.det(replaced) > 0).long())
    assert torch.equal(codes >> 9 & 1, (torch.linalg.det(system) > 0).long())
    drawn = chirotope_of(ThresholdLinear(couplings, torch.tensor([1.0, 0.9, 1.1], dtype=F64)))
    assert np.array_equal(drawn.codes, codes.numpy())
    assert table_codes(couplings.reshape(4, 50, 3, 3)).shape == (4, 50)


def test_a_table_that_rounding_could_change_is_undecided():
    couplings = torch.tensor([[0, -2, -1], [-0.5, 0, -3], [-1, -1, 0]], dtype=F64)  # 1 - W_12 W_21 = 0
    assert table_codes(couplings) == UNDECIDED
    assert table_codes(couplings * (1 + 1e-3)) != UNDECIDED


# Sets of supports


def test_canonical_sets_do_not_depend_on_the_numbering():
    couplings = competitive(5, 500, 3)
    ones = torch.ones(3, dtype=F64)
    expected = None
    for order in itertools.permutations(range(3)):
        found = fixed_points(ThresholdLinear(couplings[:, order][:, :, order], ones))
        smallest = canonical(set_codes(found.exists, found.stable), 3)
        assert expected is None or np.array_equal(smallest, expected)
        expected = smallest


def test_canonical_keeps_different_sets_apart():
    # {1} and {2} are one set up to renumbering, {1, 2} is another.
    one, two, both = 1 << 1, 1 << 2, 1 << 3
    assert canonical(np.array([one, two, both]), 2).tolist() == [one, one, both]


def test_codes_and_words_of_a_set():
    exists = np.array([False, True, False, True, False, False, False, True])
    stable = np.array([False, True, False, False, False, False, False, True])
    assert set_codes(exists) == 0b10001010
    assert describe(int(set_codes(exists, stable)), 3) == "1* 12 123*"
    assert describe(1, 2) == "0"
    assert set_codes(torch.from_numpy(exists[None])).shape == (1,)


# Refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: chirotopes(4), "neurons: expected an integer in [2, 3]; got 4."),
        (lambda: table_codes(torch.zeros(2, 2)), "weights: expected axes (..., neurons, neurons) with neurons = 3"),
        (
            lambda: chirotope_of(ThresholdLinear(torch.zeros(1, 2, 2), torch.ones(1, 2))),
            "model: expected no determinant within rounding of zero; got some. Draw those networks anew.",
        ),
        (
            lambda: chirotope_of(ThresholdLinear(torch.zeros(1, 4, 4), torch.ones(1, 4))),
            "the number of neurons of the model: expected an integer in [2, 3]; got 4.",
        ),
        (lambda: chirotope_of(torch.zeros(1, 2, 2)), "model: expected a ThresholdLinear network; got Tensor."),
        (
            lambda: relabelled(np.array([1024]), 3),
            "codes: expected integers from 0 to 2**10 - 1; got int64 beyond them.",
        ),
        (lambda: relabelled(np.array([1.0]), 3), "codes: expected integers from 0 to 2**10 - 1; got float64"),
        (lambda: canonical(np.array([-1]), 2), "sets: expected integers from 0 to 2**8 - 1; got int64 beyond them."),
        (lambda: canonical(np.array([1]), 5), "neurons: expected an integer in [1, 4]; got 5."),
        (
            lambda: set_codes(np.ones(8)),
            "exists: expected booleans over 2, 4, 8 or 16 supports; got float64 of shape (8,)",
        ),
        (lambda: set_codes(np.ones(3, bool)), "exists: expected booleans over 2, 4, 8 or 16 supports; got bool"),
        (lambda: set_codes(np.ones(4, bool), np.ones(2, bool)), "stable: expected booleans of shape (4,); got bool"),
        (lambda: describe(2**16, 3), "code: expected integers from 0 to 2**16 - 1; got int64 beyond them."),
        (lambda: describe(1, 5), "neurons: expected an integer in [1, 4]; got 5."),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)


def test_signs_allow_sixty_sets_with_stability_and_exclude_some():
    allowed = possible_sets(chirotopes(3, inputs=True))
    assert len(np.unique(allowed & 255)) == 47
    assert len(allowed) == 60
    assert len(np.unique(canonical(allowed, 3))) == 16
    rng = np.random.default_rng(2)
    weights = -np.exp(rng.standard_normal((3000, 3, 3))) * (1 - np.eye(3))
    points = fixed_points(ThresholdLinear(torch.from_numpy(weights), torch.ones(3, dtype=F64)))
    sure = points.decided
    assert np.isin(set_codes(points.exists[sure], points.stable[sure]), allowed).all()
    # One fixed point, on all three, may be stable or not; with two others, each of a pair, it never is.
    words = {describe(int(code), 3) for code in allowed}
    assert {"123", "123*"} <= words
    assert "12* 13* 123" in words
    assert "12* 13* 123*" not in words


def test_sets_of_two_neurons_are_not_told_apart_by_stability():
    with pytest.raises(ArgumentError, match="neurons of the patterns"):
        possible_sets(chirotopes(2, inputs=True))
