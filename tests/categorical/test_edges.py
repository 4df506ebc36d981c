"""Every public callable of Part V, spoiled: a finite result, or a refusal that names the argument."""

import numpy as np
import torch

from memscape.categorical import matching
from memscape.tools.perceptrons import he_perceptrons

from .. import edges
from ..edges import Call

NETS = he_perceptrons(2, 3, 2, 2, rng=np.random.default_rng(0), dtype=torch.float64)
PIXELS, CLASSES = torch.rand(4, 3, dtype=torch.float64), torch.tensor([0, 1, 1, 0])
PLACES = torch.tensor([[0, 1], [1, 0]])
LINE = torch.tensor([[0.0, 2.0, 1.0]], dtype=torch.float64)

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
]
EXCEPTIONS: dict[str, str] = {}


TestSpoiledCalls = edges.laws("memscape.categorical", CALLS, EXCEPTIONS)
