"""Chains of a few units against sums over all states, eigenvectors and closed forms."""

import itertools
import math

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.homotopy import information as info
from memscape.homotopy.splits import cuts
from memscape.tools import pieces

from ..draws import rng


def weights_of(units, seed=0, networks=()):
    return torch.randn(*networks, units, units, generator=rng(seed), dtype=torch.float64)


def state(number, units):
    return [2 * (number >> unit & 1) - 1 for unit in range(units)]


def brute_kernel(weights, temperature):
    units = len(weights)
    kernel = np.ones((2**units, 2**units))
    for x, y, i in itertools.product(range(2**units), range(2**units), range(units)):
        field = sum(weights[i][j] * state(x, units)[j] for j in range(units)) / temperature
        kernel[x, y] *= math.exp(state(y, units)[i] * field) / (2 * math.cosh(field))
    return kernel


def brute_law(kernel):
    values, vectors = np.linalg.eig(kernel.T)
    law = vectors[:, np.argmax(values.real)].real
    return law / law.sum()


def marginal(joint, units, part):
    """p(x_A, y_A) as a dictionary, by summing over everything else."""
    found = {}
    for x, y in itertools.product(range(2**units), repeat=2):
        key = tuple((x >> unit & 1, y >> unit & 1) for unit in part)
        found[key] = found.get(key, 0.0) + joint[x, y]
    return found


def entropy(values):
    return -sum(value * math.log(value) for value in values if value > 0)


def split_divergence(joint, units, parts):
    """Divergence from p(x) times p(y_A | x_A) of every part."""
    total = 0.0
    tables = [marginal(joint, units, part) for part in parts]
    for x, y in itertools.product(range(2**units), repeat=2):
        model = joint[x].sum()
        for part, table in zip(parts, tables, strict=True):
            key = tuple((x >> unit & 1, y >> unit & 1) for unit in part)
            model *= table[key] / sum(v for k, v in table.items() if [a for a, _ in k] == [a for a, _ in key])
        total += joint[x, y] * math.log(joint[x, y] / model)
    return total


@pytest.mark.parametrize("units", [2, 3])
def test_kernel_and_law_are_those_of_the_definition(units):
    weights = weights_of(units)
    chain = info.heat_bath(weights, 1.3)
    kernel = brute_kernel(weights.tolist(), 1.3)
    np.testing.assert_allclose(chain.kernel.numpy(), kernel, rtol=1e-12)
    np.testing.assert_allclose(chain.law.numpy(), brute_law(kernel), rtol=1e-10)
    assert chain.units == units


def test_symmetric_networks_have_the_law_of_peretto():
    weights = weights_of(4, 3)
    weights = weights + weights.mT
    closed = info.heat_bath(weights, 2.0)
    torch.testing.assert_close(closed.law, info.stationary(closed.kernel), rtol=1e-11, atol=0)
    torch.testing.assert_close(closed.law @ closed.kernel, closed.law, rtol=1e-11, atol=1e-15)


def test_a_chain_that_hardly_moves_keeps_its_digits():
    stay = torch.tensor([[1 - 3e-30, 3e-30], [1e-30, 1 - 1e-30]], dtype=torch.float64)
    torch.testing.assert_close(
        info.stationary(stay), torch.tensor([0.25, 0.75], dtype=torch.float64), rtol=1e-14, atol=0
    )


def test_networks_and_temperatures_go_in_one_batch():
    weights = weights_of(3, 1, (2, 1))
    temperatures = torch.tensor([0.7, 1.0, 2.0], dtype=torch.float64)
    chain = info.heat_bath(weights, temperatures)
    assert chain.law.shape == (2, 3, 8)
    both = info.stochastic_interaction(chain)
    for network, place in itertools.product(range(2), range(3)):
        single = info.heat_bath(weights[network, 0], float(temperatures[place]))
        torch.testing.assert_close(both[network, place], info.stochastic_interaction(single))
    with pieces.budget(24 * 4**3):
        torch.testing.assert_close(info.stochastic_interaction(chain), both, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("units", [2, 3])
def test_stochastic_interaction_is_a_divergence(units):
    chain = info.heat_bath(weights_of(units, 5), 0.9)
    joint = chain.joint.numpy()
    found = info.stochastic_interaction(chain)
    for cut, value in zip(cuts(units).tolist(), found.tolist(), strict=True):
        parts = [[u for u in range(units) if (cut >> u & 1) == side] for side in (1, 0)]
        assert value == pytest.approx(split_divergence(joint, units, parts), abs=1e-12)
    single = split_divergence(joint, units, [[unit] for unit in range(units)])
    assert info.total_interaction(chain).item() == pytest.approx(single, abs=1e-12)
    assert (found > 1e-3).all()


def test_what_is_shared_and_what_is_transmitted():
    chain = info.heat_bath(weights_of(3, 7), 1.0)
    law, joint = chain.law.numpy(), chain.joint.numpy()
    for cut, value in zip(cuts(3).tolist(), info.shared(chain).tolist(), strict=True):
        sums = [{}, {}]
        for x in range(8):
            for side, key in enumerate((x & cut, x & ~cut)):
                sums[side][key] = sums[side].get(key, 0.0) + law[x]
        assert value == pytest.approx(entropy(sums[0].values()) + entropy(sums[1].values()) - entropy(law), abs=1e-12)
    expected = entropy(law) + entropy(joint.sum(axis=0)) - entropy(joint.ravel())
    assert info.transmitted(chain).item() == pytest.approx(expected, abs=1e-12)


def test_marginal_entropies_of_three_values():
    table = torch.rand(27, generator=rng(), dtype=torch.float64)
    table /= table.sum()
    found = info.marginal_entropies(table, 3)
    box = table.numpy().reshape(3, 3, 3)  # the last axis is variable 0
    for mask in range(8):
        gone = tuple(2 - variable for variable in range(3) if not mask >> variable & 1)
        assert found[mask].item() == pytest.approx(entropy(box.sum(axis=gone).ravel()), abs=1e-13)


def chain_weights(units):
    return torch.diag(torch.ones(units - 1, dtype=torch.float64), -1)


def test_three_readings_of_an_input():
    weights, wrong = chain_weights(2), 1 / (1 + math.e**2)
    h = lambda p: -p * math.log(p) - (1 - p) * math.log(1 - p)  # noqa: E731
    assert info.link(1.0, 1.0) == pytest.approx(math.log(2) - h(wrong), abs=1e-15)
    fresh, frozen, known = (
        info.heat_bath(weights, frozen=f, known=k) for f, k in (((), False), ((0,), False), ((0,), True))
    )
    torch.testing.assert_close(fresh.law, torch.full((4,), 0.25, dtype=torch.float64))
    assert frozen.law.tolist() == pytest.approx([(1 - wrong) / 2, wrong / 2, wrong / 2, (1 - wrong) / 2], abs=1e-15)
    assert known.law.tolist() == pytest.approx([0, wrong, 0, 1 - wrong], abs=1e-15)
    values = [info.stochastic_interaction(each).item() for each in (fresh, frozen, known)]
    assert values == pytest.approx([math.log(2) - h(wrong), h(2 * wrong * (1 - wrong)) - h(wrong), 0], abs=1e-13)
    assert [info.shared(each).item() for each in (fresh, frozen, known)] == pytest.approx(
        [0, math.log(2) - h(wrong), 0], abs=1e-13
    )


@pytest.mark.parametrize("units", [3, 4, 5])
def test_links_add_up_along_chains_and_rings(units):
    chain, ring = chain_weights(units), chain_weights(units)
    ring[0, -1] = -1.0  # the sign of a coupling does not matter
    for weights in (chain, ring):
        found = info.stochastic_interaction(info.heat_bath(weights, 0.8))
        for cut, value in zip(cuts(units).tolist(), found.tolist(), strict=True):
            links = sum(cut >> int(i) & 1 != cut >> int(j) & 1 for i, j in weights.nonzero())
            assert value == pytest.approx(links * info.link(1.0, 0.8), abs=1e-12)


def test_turning_and_renaming_units_changes_nothing():
    weights = weights_of(4, 11)
    signs = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    order = [3, 1, 0, 2]
    found = info.stochastic_interaction(info.heat_bath(weights))
    turned = info.stochastic_interaction(info.heat_bath(weights * signs * signs[:, None]))
    torch.testing.assert_close(found, turned, rtol=1e-10, atol=1e-13)
    renamed = info.stochastic_interaction(info.heat_bath(weights[order][:, order]))
    torch.testing.assert_close(found.sort().values, renamed.sort().values, rtol=1e-10, atol=1e-13)


def test_frozen_units_of_larger_networks_by_a_long_run():
    weights = weights_of(4, 13)
    chain = info.heat_bath(weights, 1.5, frozen=(1, 3))
    start = torch.full((16,), 1 / 16, dtype=torch.float64)
    late = start @ torch.linalg.matrix_power(chain.kernel, 2**12)
    torch.testing.assert_close(chain.law, late, rtol=1e-9, atol=1e-13)
    up = info.heat_bath(weights, 1.5, frozen=(1, 3), known=True)
    assert up.law[[x for x in range(16) if x & 10 != 10]].sum() == 0
    torch.testing.assert_close(up.law @ up.kernel, up.law)


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: info.heat_bath(torch.zeros(14, 14, dtype=torch.float64)), "weights"),
        (lambda: info.heat_bath(torch.zeros(1, 1, dtype=torch.float64)), "weights"),
        (lambda: info.heat_bath(weights_of(2), -1.0), "temperature"),
        (lambda: info.heat_bath(weights_of(2), 1e-6), "temperature"),
        (lambda: info.heat_bath(weights_of(2), torch.ones(3, dtype=torch.float64).neg()), "temperature"),
        (lambda: info.heat_bath(weights_of(2), frozen=(0, 1)), "frozen"),
        (lambda: info.heat_bath(weights_of(2), frozen=(2,)), "frozen"),
        (lambda: info.heat_bath(weights_of(2), known=1), "known"),
        (lambda: info.stationary(torch.eye(2, dtype=torch.float64)), "kernel"),
        (lambda: info.stationary(torch.ones(2, 2, dtype=torch.float64)), "kernel"),
        (lambda: info.stationary(torch.full((3, 3), 1 / 3, dtype=torch.float64)), "kernel"),
        (lambda: info.marginal_entropies(torch.full((6,), 1 / 6, dtype=torch.float64), 2), "table"),
        (lambda: info.Chain(torch.ones(4, dtype=torch.float64), torch.full((4, 4), 0.25, dtype=torch.float64)), "law"),
    ],
)
def test_refusals(call, named):
    with pytest.raises(ArgumentError) as error:
        call()
    assert error.value.argument == named


def test_more_units_than_the_budget_holds_are_refused_with_what_fits():
    with pieces.budget(24 * 4**5):
        info.heat_bath(torch.zeros(5, 5, dtype=torch.float64))
        with pytest.raises(ArgumentError, match="at most 5 units"):
            info.heat_bath(torch.zeros(6, 6, dtype=torch.float64))
