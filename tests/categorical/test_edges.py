"""Every public callable of Part V, spoiled: a finite result, or a refusal that names the argument."""

import numpy as np
import torch

from memscape.categorical import colimits, federated, fisher, matching, natural_gradient, softmax_regression
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
]
EXCEPTIONS: dict[str, str] = {}


TestSpoiledCalls = edges.laws("memscape.categorical", CALLS, EXCEPTIONS)
