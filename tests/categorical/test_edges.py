"""Every public callable of Part V, spoiled: a finite result, or a refusal that names the argument."""

import numpy as np
import torch

from memscape.categorical import (
    algebras,
    colimits,
    federated,
    fisher,
    matching,
    moore,
    natural_gradient,
    recall_maps,
    softmax_regression,
    symmetries,
)
from memscape.tools.complexes import Simplices
from memscape.tools.perceptrons import he_perceptrons

from .. import edges
from ..edges import Call

NETS = he_perceptrons(2, 3, 2, 2, rng=np.random.default_rng(0), dtype=torch.float64)
PIXELS, CLASSES = torch.rand(4, 3, dtype=torch.float64), torch.tensor([0, 1, 1, 0])
PLACES = torch.tensor([[0, 1], [1, 0]])
LINE = torch.tensor([[0.0, 2.0, 1.0]], dtype=torch.float64)
NORMALS = torch.tensor([[0.0, 1.0], [3.0, 2.0]], dtype=torch.float64)
SHARES = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
PAIR = {"starts": NORMALS, "ends": NORMALS.flip(0)}
FEATURES, THETA = natural_gradient.pair_features(3), torch.ones(2, 3, dtype=torch.float64)
WEIGHTS, INPUTS = torch.ones(2, 3, 2, dtype=torch.float64), torch.rand(2, 4, 3, dtype=torch.float64)
LABELS = torch.tensor([[0, 1, 1, 0], [1, 1, 0, 0]])
REGRESSION = {"weights": WEIGHTS, "inputs": INPUTS, "labels": LABELS, "decay": 0.1}
FAMILY = {"features": FEATURES, "parameters": THETA}
PAIRS, AXIS = torch.tensor([[0, 1], [1, 0]]), torch.diag(torch.tensor([1.0, 0.0], dtype=torch.float64))
SHARED = {"model": NETS, "images": PIXELS, "labels": CLASSES}
STEPS = {"batch": 1, "rate": 0.1, "rng": np.random.default_rng(0)}
CHANGES = symmetries.Changes(torch.tensor([[1, 0], [0, 1]]), -torch.ones(2, 2, dtype=torch.float64))
SPINS = torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
PATH = Simplices(3, (torch.tensor([[0, 1], [1, 2]]),))
LENS = algebras.reverse(torch.sin)
LEARNER = algebras.descent(torch.mul, algebras.SQUARED, 0.5)
GAP = torch.ones(1, dtype=torch.float64)
RUN = moore.Run(SPINS, GAP)
LATER = moore.Run(SPINS.flip(0), GAP)
SQUARE = moore.Square(SPINS.expand(2, 2, 2).clone(), GAP, GAP)
AFTER = moore.Square(SPINS.flip(0).expand(2, 2, 2).clone(), GAP, GAP)
MAPS = recall_maps.initial(2, 1, 2, generator=torch.Generator().manual_seed(0))
TRIPLES = torch.tensor([[[1.0, -1.0, 1.0]], [[1.0, 1.0, 1.0]]], dtype=torch.float64)
SWAP = torch.tensor([[1, 0], [0, 1]])

CALLS = [
    Call(fisher.metric, {"points": NORMALS}),
    Call(fisher.distance, PAIR),
    Call(fisher.divergence, {"laws": NORMALS, "models": NORMALS.flip(0)}),
    Call(fisher.mixture_path, PAIR | {"shares": SHARES}),
    Call(fisher.exponential_path, PAIR | {"shares": SHARES}),
    Call(fisher.geodesic, PAIR | {"shares": SHARES}),
    Call(fisher.length, {"points": NORMALS}),
    Call(fisher.farthest, {"points": NORMALS, "path": NORMALS}),
    Call(
        natural_gradient.natural_flow,
        {
            "loss": lambda z: z.square().sum(dim=-1),
            "metric": lambda z: torch.eye(2, dtype=z.dtype).expand(len(z), 2, 2),
            "starts": NORMALS,
            "times": SHARES,
            "tolerance": 1e-3,
            "method": "RK45",
        },
    ),
    Call(
        natural_gradient.arrival,
        {"starts": NORMALS, "aims": NORMALS.flip(0), "step": 0.01, "coordinates": "natural", "natural": True},
    ),
    Call(natural_gradient.pair_features, {"units": 3}),
    Call(natural_gradient.law, FAMILY),
    Call(natural_gradient.means, FAMILY),
    Call(natural_gradient.covariance, FAMILY),
    Call(natural_gradient.likelihood, FAMILY | {"aims": THETA / 2}),
    Call(softmax_regression.gradient, REGRESSION),
    Call(softmax_regression.information, {"weights": WEIGHTS, "inputs": INPUTS}),
    Call(softmax_regression.descent, REGRESSION | {"steps": 3}),
    Call(
        softmax_regression.fisher_lengths,
        {"path": torch.stack([WEIGHTS, 2 * WEIGHTS], dim=1), "inputs": INPUTS, "labels": LABELS},
    ),
    Call(matching.matching, {"models": NETS, "to": NETS}),
    Call(matching.matched, {"models": NETS, "to": NETS}),
    Call(matching.renamed, {"models": NETS, "places": PLACES}),
    Call(matching.between, {"starts": NETS, "ends": NETS, "share": 0.5}),
    Call(
        matching.line_losses,
        {"starts": NETS, "ends": NETS, "images": PIXELS, "labels": CLASSES, "points": 3},
    ),
    Call(matching.barrier, {"line": LINE}),
    Call(matching.rise, {"line": LINE}),
    Call(colimits.average, {"models": NETS, "groups": PAIRS}),
    Call(colimits.matched_average, {"models": NETS, "groups": PAIRS}),
    Call(colimits.ensemble_accuracy, {"models": NETS, "groups": PAIRS, "images": PIXELS, "labels": CLASSES}),
    Call(colimits.distance, {"models": NETS, "to": NETS}),
    Call(colimits.round_trip, {"models": NETS, "loops": PAIRS}),
    Call(colimits.glued, {"models": NETS, "pairs": PAIRS}),
    Call(colimits.projector, {"patterns": PIXELS}),
    Call(colimits.join, {"first": AXIS, "second": AXIS.flip(0, 1)}),
    Call(federated.Round, {"clients": NETS, "average": NETS}),
    Call(federated.train_own, {**SHARED, "shards": PAIRS, "epochs": 1, **STEPS, "heads": torch.tensor([0, 1])}),
    Call(federated.federate, {**SHARED, "shards": PAIRS[:, None], "rounds": 1, **STEPS}),
    Call(federated.descend, {**SHARED, "shards": PAIRS, "steps": 1, "rate": 0.1}),
    Call(federated.head_accuracy, {**SHARED, "heads": torch.tensor([0, 1])}),
    Call(symmetries.Changes, {"places": CHANGES.places, "signs": CHANGES.signs}),
    Call(symmetries.Changes.__call__, {"self": CHANGES, "states": SPINS}, spare={"self": "the changes"}),
    Call(
        symmetries.random_changes,
        {"neurons": 2, "many": (3,), "rename": True, "turn": True, "generator": torch.Generator(), "device": "cpu"},
    ),
    Call(symmetries.every_change, {"neurons": 2}),
    Call(symmetries.states_of, {"neurons": 2}),
    Call(symmetries.orbit_counts, {"neurons": 2, "lines": False}),
    Call(symmetries.sweep_counts, {"couplings": torch.zeros(1, 2, 2, dtype=torch.float64)}),
    Call(symmetries.automorphisms, {"simplices": PATH, "most": 5}),
    Call(algebras.Error, {"slope": torch.sub, "target": torch.sub}),
    Call(algebras.Learner, {"implement": torch.mul, "update": torch.mul, "request": torch.mul}),
    Call(algebras.Learner.then, {"self": LEARNER, "second": LEARNER}, spare={"self": "the learner"}),
    Call(algebras.Learner.beside, {"self": LEARNER, "other": LEARNER}, spare={"self": "the learner"}),
    Call(algebras.Learner.at, {"self": LEARNER, "inputs": GAP}, spare={"self": "the learner"}),
    Call(algebras.Lens, {"get": torch.sin, "put": torch.mul}),
    Call(algebras.Lens.then, {"self": LENS, "inner": LENS}, spare={"self": "the lens"}),
    Call(algebras.then, {"first": torch.mul, "second": torch.mul}),
    Call(algebras.beside, {"first": torch.mul, "second": torch.mul}),
    Call(algebras.descent, {"function": torch.mul, "error": algebras.SQUARED, "step": 0.5}),
    Call(algebras.reverse, {"function": torch.sin}),
    Call(algebras.nesterov, {"step": 0.1, "momentum": 0.5}),
    Call(algebras.adam, {"step": 0.1, "first": 0.9, "second": 0.99, "least": 1e-8}),
    Call(
        algebras.defects,
        {"lens": LENS, "state": GAP, "view": GAP, "other": GAP},
        spare={"lens": "any functions", "state": "whatever the functions take"},
    ),
    Call(
        algebras.fold,
        {"cell": torch.add, "state": GAP, "inputs": SPINS},
        spare={"state": "whatever the cell takes", "inputs": "whatever the cell takes"},
    ),
    Call(algebras.apart, {"one": GAP, "other": GAP + 1}),
    Call(algebras.linear, {"weights": SPINS, "inputs": SPINS[0]}),
    Call(algebras.layer, {"weights": SPINS, "inputs": SPINS[0]}),
    Call(algebras.retrieve, {"patterns": SPINS, "query": SPINS}),
    Call(algebras.cell, {"weights": SPINS[:1], "state": GAP, "inputs": GAP}),
    Call(algebras.driven, {"couplings": SPINS @ SPINS.mT, "state": SPINS[0], "inputs": SPINS[1]}),
    Call(algebras.copied_gradients, {"weights": SPINS[:1], "state": GAP, "inputs": SPINS[:, :1]}),
    Call(algebras.tied_gradient, {"weights": SPINS[:1], "state": GAP, "inputs": SPINS[:, :1]}),
    Call(moore.Run, {"points": SPINS, "durations": GAP}),
    Call(moore.Run.then, {"self": RUN, "second": LATER}, spare={"self": "the run"}),
    Call(moore.Square, {"points": SQUARE.points, "durations": GAP, "heights": GAP}),
    Call(moore.Square.above, {"self": SQUARE, "upper": SQUARE}, spare={"self": "the homotopy"}),
    Call(moore.Square.beside, {"self": SQUARE, "later": AFTER}, spare={"self": "the homotopy"}),
    Call(moore.straight, {"run": RUN, "heights": 3}),
    Call(moore.renamed, {"run": RUN, "places": SWAP[0]}),
    Call(moore.composites, {"first": RUN, "second": LATER, "group": SWAP}),
    Call(moore.laws, {"draws": 2, "generator": torch.Generator()}, spare={"draws": "a billion draws are a long run"}),
    Call(moore.halved, {"first": RUN, "second": LATER}),
    Call(recall_maps.Maps, {"weights": MAPS.weights}),
    Call(recall_maps.targets, {"inputs": TRIPLES}),
    Call(recall_maps.initial, {"networks": 2, "units": 2, "hidden": 3, "generator": torch.Generator()}),
    Call(recall_maps.answers, {"weights": MAPS.weights, "inputs": TRIPLES}),
    Call(recall_maps.losses, {"weights": MAPS.weights, "inputs": TRIPLES}),
    Call(recall_maps.renamed, {"weights": MAPS.weights, "places": SWAP, "units": 1}),
    Call(
        recall_maps.train,
        {
            "start": MAPS,
            "inputs": TRIPLES,
            "records": 2,
            "every": 2,
            "rate": 0.1,
            "turn": True,
            "generator": torch.Generator(),
        },
        spare={"records": "a billion records are a long run", "every": "a billion steps are a long run"},
    ),
    Call(recall_maps.defect, {"weights": MAPS.weights, "inputs": TRIPLES, "signs": TRIPLES[..., :1]}),
]
EXCEPTIONS: dict[str, str] = {}


TestSpoiledCalls = edges.laws("memscape.categorical", CALLS, EXCEPTIONS)
