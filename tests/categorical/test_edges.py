"""Every public callable of Part V, spoiled: a finite result, or a refusal that names the argument."""

import numpy as np
import torch

from memscape.categorical import colimits, federated, matching
from memscape.tools.perceptrons import he_perceptrons

from .. import edges
from ..edges import Call

NETS = he_perceptrons(2, 3, 2, 2, rng=np.random.default_rng(0), dtype=torch.float64)
PIXELS, CLASSES = torch.rand(4, 3, dtype=torch.float64), torch.tensor([0, 1, 1, 0])
PLACES = torch.tensor([[0, 1], [1, 0]])
LINE = torch.tensor([[0.0, 2.0, 1.0]], dtype=torch.float64)
PAIRS, AXIS = torch.tensor([[0, 1], [1, 0]]), torch.diag(torch.tensor([1.0, 0.0], dtype=torch.float64))
SHARED = {"model": NETS, "images": PIXELS, "labels": CLASSES}
STEPS = {"batch": 1, "rate": 0.1, "rng": np.random.default_rng(0)}

CALLS = [
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
