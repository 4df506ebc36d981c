"""Cuts, and the nearest law without anything across: against graphs and against another way to fit."""

import math

import networkx as nx
import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from memscape.arguments import ArgumentError
from memscape.homotopy.information import Chain, heat_bath, stationary, stochastic_interaction, transmitted
from memscape.homotopy.splits import connected, crossing, cuts, log_linear
from memscape.tools import pieces

from ..draws import rng


def test_cuts_name_every_pair_of_parts_once():
    assert cuts(4).tolist() == list(range(1, 8))


def test_crossings_and_connection_are_those_of_the_graph():
    draw = rng(2)
    weights = (torch.rand(60, 5, 5, generator=draw) < 0.12).float() * torch.randn(60, 5, 5, generator=draw)
    weights.diagonal(dim1=-2, dim2=-1).normal_(generator=draw)  # what a unit does to itself crosses nothing
    found, whole = crossing(weights), connected(weights)
    assert whole.any()
    assert not whole.all()
    for each, row, one in zip(weights, found, whole, strict=True):
        graph = nx.Graph()
        graph.add_nodes_from(range(5))
        graph.add_edges_from([(int(i), int(j)) for i, j in each.nonzero()])
        assert one.item() == nx.is_connected(graph)
        assert one.item() == row.all().item()
        for cut, crossed in zip(cuts(5).tolist(), row.tolist(), strict=True):
            assert crossed == any(cut >> i & 1 != cut >> j & 1 for i, j in graph.edges)


def by_newton(joint, cut, units):
    """The same minimum over the fields of the split law themselves, by a quasi-Newton method."""
    states = 2**units
    features = []
    part = lambda x: x & cut  # noqa: E731
    rest = lambda x: x & ~cut  # noqa: E731
    for key in (
        lambda x, y: (0, x),
        lambda x, y: (1, y),
        lambda x, y: (2, part(x), part(y)),
        lambda x, y: (3, rest(x), rest(y)),
    ):
        keys = [key(x, y) for x in range(states) for y in range(states)]
        names = {name: place for place, name in enumerate(dict.fromkeys(keys))}
        features.append(np.eye(len(names))[[names[k] for k in keys]])
    table = np.concatenate(features, axis=1)
    p = joint.numpy().ravel()
    goal = p @ table

    def loss(field):
        energy = table @ field
        top = energy.max()
        norm = top + math.log(np.exp(energy - top).sum())
        return norm - goal @ field, np.exp(energy - norm) @ table - goal

    best = minimize(loss, np.zeros(table.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 4000})
    return best.fun + (p * np.log(p)).sum()


def random_chain(units, seed):
    kernel = torch.rand(2**units, 2**units, generator=rng(seed), dtype=torch.float64).log().neg()
    kernel /= kernel.sum(dim=-1, keepdim=True)
    return Chain(stationary(kernel), kernel)


@pytest.mark.parametrize(("units", "seed"), [(2, 0), (2, 1), (3, 2)])
def test_fitting_finds_the_minimum_that_a_descent_finds(units, seed):
    chain = random_chain(units, seed)
    found = log_linear(chain.joint)
    assert found.residual <= 1e-11
    for cut, value in zip(cuts(units).tolist(), found.divergence.tolist(), strict=True):
        assert value == pytest.approx(by_newton(chain.joint, cut, units), abs=1e-8)
    assert (found.divergence <= stochastic_interaction(chain) + 1e-10).all()
    assert (found.divergence <= transmitted(chain) + 1e-10).all()
    assert (found.divergence > 1e-3).all()


def test_batches_and_pieces_change_nothing():
    joint = torch.stack([random_chain(3, seed).joint for seed in range(4)]).reshape(2, 2, 8, 8)
    found = log_linear(joint)
    assert found.divergence.shape == (2, 2, 3)
    torch.testing.assert_close(found.divergence[1, 0], log_linear(joint[1, 0]).divergence, rtol=1e-10, atol=1e-13)
    with pieces.budget(40 * 64):
        torch.testing.assert_close(found.divergence, log_linear(joint).divergence, rtol=1e-10, atol=1e-13)


def test_a_frozen_input_costs_nothing_and_a_fresh_one_a_link():
    weights = torch.tensor([[0.0, 0.0], [1.0, 0.0]], dtype=torch.float64)
    assert log_linear(heat_bath(weights, frozen=(0,)).joint).divergence.item() == pytest.approx(0, abs=1e-10)
    fresh = heat_bath(weights)
    torch.testing.assert_close(log_linear(fresh.joint).divergence, stochastic_interaction(fresh))


def test_the_gain_says_how_far_the_fit_is():
    joint = random_chain(3, 5).joint
    exact, rough = log_linear(joint), log_linear(joint, tolerance=1e-4)
    assert (rough.divergence >= exact.divergence - 1e-13).all()
    assert (rough.divergence - exact.divergence <= rough.gain).all()
    assert rough.sweeps < exact.sweeps


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: cuts(1), "units"),
        (lambda: crossing(torch.zeros(2, 3)), "weights"),
        (lambda: connected(torch.full((2, 2), math.nan)), "weights"),
        (lambda: log_linear(torch.full((4, 4), 0.1, dtype=torch.float64)), "joint"),
        (lambda: log_linear(torch.full((2, 2), 0.25, dtype=torch.float64)), "joint"),
        (lambda: log_linear(random_chain(2, 0).joint, sweeps=2), "sweeps"),
        (lambda: log_linear(random_chain(2, 0).joint, tolerance=0.0), "tolerance"),
    ],
)
def test_refusals(call, named):
    with pytest.raises(ArgumentError) as error:
        call()
    assert error.value.argument == named


def test_tables_beyond_the_budget_are_refused():
    with pieces.budget(40 * 64 - 1), pytest.raises(ArgumentError, match="3 units"):
        log_linear(random_chain(3, 0).joint)
