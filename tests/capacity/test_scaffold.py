"""The scaffold: codes, paths and fixed points written out unit by unit."""

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import scaffold as sc


def made(periods=(2, 3), places=40, seed=0, **also):
    return sc.scaffold(periods, places, rng=np.random.default_rng(seed), **also)


def test_every_state_has_its_own_phases():
    phases = made().phases()
    assert phases.shape == (36, 2)
    assert len(set(map(tuple, phases.tolist()))) == 36
    x, y = 4, 5
    assert phases[x * 6 + y].tolist() == [0 * 2 + 1, 1 * 3 + 2]


def test_place_like_units_hear_one_unit_a_module():
    model = made(threshold=0.5)
    phases, places = model.phases(), model.places()
    assert model.threshold == 32
    for state in (0, 17, 35):
        active = [phases[state, 0], 4 + phases[state, 1]]
        expected = (model.forward[:, active].sum(dim=1) - 32).clamp(min=0)
        assert torch.equal(places[state], expected)


def written_out(model, learned):
    """Fixed points by Hebb's rule, one state and one unit after the other."""
    phases, places = model.phases().tolist(), [[int(p) for p in row] for row in model.places().tolist()]
    found = []
    for state, own in enumerate(phases):
        right = True
        for module, period in enumerate(model.periods):
            inputs = [
                sum(
                    sum(a * b for a, b in zip(places[mu], places[state], strict=True))
                    for mu in learned
                    if phases[mu][module] == unit
                )
                for unit in range(period**2)
            ]
            others = [value for unit, value in enumerate(inputs) if unit != own[module]]
            right &= inputs[own[module]] > max(others)
        found.append(right)
    return found


@pytest.mark.parametrize("learned", [[0], [0, 7, 14, 21, 28, 35], list(range(36))])
def test_fixed_points_are_those_written_out_in_whole_numbers(learned):
    model = made(places=12)
    expected = written_out(model, learned)
    assert model.fixed(torch.tensor(learned)).tolist() == expected
    assert any(expected) or len(learned) == 1


def test_a_tie_is_no_fixed_point():
    silent = sc.Scaffold(torch.zeros(4, 13, dtype=torch.float64), (2, 3), 0)
    assert not silent.fixed(torch.arange(36)).any()
    assert not silent.fixed(torch.arange(36), rule="least squares").any()


def test_least_squares_keeps_whatever_it_has_learned_while_places_are_many():
    model = made(places=200)
    learned = torch.tensor([0, 3, 9, 14, 20, 33])
    assert model.fixed(learned, rule="least squares")[learned].all()


def test_least_squares_is_that_of_the_pseudo_inverse_where_states_are_many():
    model, learned = made(places=9), torch.arange(36)
    phases, places = model.phases(), model.places()
    codes = torch.cat([torch.nn.functional.one_hot(phases[:, k], p**2) for k, p in enumerate((2, 3))], dim=1)
    inputs = places @ torch.linalg.pinv(places) @ codes.double()
    right = inputs[:, :4].argmax(dim=1).eq(phases[:, 0]) & inputs[:, 4:].argmax(dim=1).eq(phases[:, 1])
    assert torch.equal(model.fixed(learned, rule="least squares"), right)
    assert 0 < right.sum() < 36


@pytest.mark.parametrize("count", [4, 9, 36])
def test_a_ridge_is_added_to_the_diagonal(count):
    model, learned, ridge = made(places=9), torch.arange(count), 3000.0
    phases, places = model.phases(), model.places()
    codes = torch.cat([torch.nn.functional.one_hot(phases[:, k], p**2) for k, p in enumerate((2, 3))], dim=1).double()
    gram = places[learned].mT @ places[learned] + ridge * torch.eye(9, dtype=torch.float64)
    inputs = places @ torch.linalg.solve(gram, places[learned].mT @ codes[learned])
    right = inputs[:, :4].argmax(dim=1).eq(phases[:, 0]) & inputs[:, 4:].argmax(dim=1).eq(phases[:, 1])
    found = model.fixed(learned, rule="least squares", ridge=ridge)
    assert torch.equal(found, right)
    assert count < 36 or not torch.equal(found, model.fixed(learned, rule="least squares"))


@pytest.mark.parametrize(("side", "count"), [(6, 1), (6, 9), (6, 36), (6, 23), (60, 200)])
def test_a_path_goes_one_place_at_a_time_and_fills_squares(side, count):
    path = sc.shells(side, count)
    x, y = path // side, path % side
    assert len(set(path.tolist())) == len(path) == count
    assert ((x.diff().abs() + y.diff().abs()) == 1).all()
    if count == 9:
        assert {(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)} == {
            (a, b) for a in range(3) for b in range(3)
        }


def test_what_does_not_fit_is_refused():
    with pytest.raises(ArgumentError, match="coprime"):
        made(periods=(2, 4))
    with pytest.raises(ArgumentError, match="whole numbers"):
        sc.Scaffold(torch.full((4, 13), 0.5, dtype=torch.float64), (2, 3), 0)
    with pytest.raises(ArgumentError, match="below 36"):
        made().fixed(torch.tensor([36]))
    with pytest.raises(ArgumentError, match="Hebb's rule"):
        made().fixed(torch.tensor([1]), ridge=1.0)
