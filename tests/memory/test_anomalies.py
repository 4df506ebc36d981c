"""Planted anomalies and the detector that learns to find them."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory import anomalies
from memscape.memory.anomalies import PlantedGraph, planted_graph, random_detector, train_detector
from memscape.memory.completion import hide
from memscape.memory.dynamics import evolve

from ..draws import rng

F64 = torch.float64


def graph(seed: int = 0, **changes) -> PlantedGraph:
    sizes = {"communities": 3, "features": 5, "degree": 6.0, "inside": 0.9, "noise": 0.3, "anomalies": 20} | changes
    return planted_graph(150, rng=np.random.default_rng(seed), dtype=F64, **sizes)


def test_a_planted_graph_is_a_graph_with_as_many_anomalies():
    found = graph()
    assert torch.equal(found.adjacency, found.adjacency.mT)
    assert not found.adjacency.diagonal().any()
    assert found.anomalous.sum() == 20
    assert torch.equal(graph().features, found.features)


@pytest.mark.parametrize("inside", [0.1, 0.9])
def test_a_planted_graph_has_its_mean_degree_wherever_its_edges_go(inside):
    found = graph(inside=inside)
    assert abs(found.adjacency.sum().item() / 150 - 6.0) < 5 * math.sqrt(2 * 6.0 / 150)


def test_planted_nodes_stand_out_from_their_neighbours():
    found = graph(noise=0.0, inside=1.0)
    near = found.adjacency.double()
    mean = near @ found.features / near.sum(dim=1, keepdim=True).clamp(min=1)
    apart = (found.features - mean).norm(dim=1)
    assert apart[found.anomalous].median() > 2 * apart[~found.anomalous].median()


def test_a_detector_scores_nodes_by_themselves_and_their_neighbours_only():
    found = graph()
    model = random_detector(
        5, 8, heads=2, width=3, memories=6, step=0.5, steps=1, rng=np.random.default_rng(1), dtype=F64
    )
    score = model.score(found.features, found.adjacency)
    assert score.shape == (150,)
    order = torch.randperm(150, generator=rng(9))
    moved = model.score(found.features[order], found.adjacency[order][:, order])
    torch.testing.assert_close(moved, score[order])
    # One step reaches the neighbours, and through their sums over those who ask them, the neighbours of these.
    near = found.adjacency[0] | (found.adjacency[0].double() @ found.adjacency.double() > 0)
    near[0] = True
    changed = torch.where(near[:, None], found.features, found.features + 1.0)
    torch.testing.assert_close(model.score(changed, found.adjacency)[0], score[0])


@pytest.mark.parametrize("steep", [1.0, 1e4])
def test_attention_along_edges_is_attention_under_a_mask(steep):
    # One way: who is asked need not ask; a node that asks nobody, one that asks itself alone, and scores of thousands.
    model = random_detector(
        5, 8, heads=2, width=3, memories=6, step=0.5, steps=2, rng=np.random.default_rng(3), dtype=F64
    )
    model = replace(model, block=replace(model.block, beta=steep * model.block.beta))
    adjacency = torch.from_numpy(np.random.default_rng(4).random((30, 30)) < 0.2)
    adjacency[0], adjacency[1] = False, torch.arange(30) == 1
    features = graph().features[:30]
    block = replace(model.block, mask=adjacency)
    first = features @ model.encoder + model.encoder_bias
    ends = [block.norm.activation(state) for state in (first, evolve(block, first, step=0.5, steps=2))]
    expected = torch.cat(ends, dim=-1) @ model.readout + model.readout_bias
    torch.testing.assert_close(model.score(features, adjacency), expected, rtol=0, atol=1e-12)

    def slopes(flow) -> tuple[torch.Tensor, ...]:
        leaves: list[torch.Tensor] = []
        learned = block.map(
            lambda t: t if t.dtype == torch.bool else leaves.append(t.clone().requires_grad_()) or leaves[-1]
        )
        return torch.autograd.grad(flow(learned).sin().sum(), leaves)

    edges = anomalies._edges(adjacency)
    along, masked = slopes(lambda one: one._flow(first, edges)), slopes(lambda one: one.flow(first))
    torch.testing.assert_close(along, masked, rtol=1e-10, atol=1e-10)


def test_training_a_detector_tells_anomalies_apart():
    found = graph(noise=0.1)
    known = hide(1, 150, 100, generator=rng(10))[0]
    start = random_detector(
        5, 16, heads=2, width=8, memories=16, step=0.5, steps=2, rng=np.random.default_rng(2), dtype=F64
    )
    trained = train_detector(start, found, known, epochs=60, rate=1e-2)
    score = trained.score(found.features, found.adjacency)[~known]
    anomalous = found.anomalous[~known]
    wins = (score[anomalous][:, None] > score[~anomalous]).double().mean()  # the area under the ROC curve
    assert wins > 0.8


STATE, GRAPH, SOME = torch.ones(5, 6, dtype=F64), graph(), torch.zeros(150, dtype=torch.bool)
RNG = np.random.default_rng(0)
PLANT = {"communities": 3, "features": 5, "degree": 6.0, "inside": 0.9, "noise": 0.3, "anomalies": 20, "rng": RNG}
DETECTOR = random_detector(5, 8, step=0.5, steps=1, rng=RNG, dtype=F64, heads=1, width=2, memories=3)
REFUSALS = [
    (lambda: planted_graph(150, **PLANT | {"anomalies": 1}), r"anomalies: expected an integer in \[2, 150\]; got 1"),
    (lambda: planted_graph(150, **PLANT | {"degree": 40.0}), "degree: expected a finite number > 0 and <= 25; got 40"),
    (lambda: DETECTOR.score(STATE, STATE @ STATE.mT > 0), "features: expected axes .* inputs = 5"),
    (lambda: DETECTOR.score(GRAPH.features, SOME), r"adjacency: expected shape \(150, 150\); got"),
    (
        lambda: train_detector(DETECTOR, GRAPH, SOME, epochs=1, rate=0.1),
        "known: expected an anomaly and a node that is",
    ),
]


@pytest.mark.parametrize(("call", "message"), REFUSALS)
def test_refusals(call, message):
    with pytest.raises(ArgumentError, match="^" + message):
        call()
