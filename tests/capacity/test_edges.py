"""Every public callable of the capacities, spoiled: a finite result, or a refusal that names the argument."""

import torch

from memscape.capacity import capacity
from memscape.memory.dense import Power
from memscape.memory.patterns import random_patterns

from .. import edges
from ..draws import rng
from ..edges import Call

load = torch.tensor([0.1])
spins = random_patterns(3, 4, generator=rng())
DEGREES = {"degree": [3, 18, 19, 20, 151, 152, 400]}
WHOLES = {"neurons": [3, 15, 16, 150, 151, 152, 2**53, 2**53 + 1]}
CALLS = [
    Call(capacity.asymptotic_error, {"load": load, "degree": 3}, also=DEGREES),
    Call(capacity.bit_error, {"neurons": 6, "count": 3, "interaction": Power(3)}),
    Call(capacity.capacity, {"neurons": 6, "interaction": Power(3), "error": 0.1}),
    Call(capacity.crosstalk, {"degree": 3}, also=DEGREES),
    Call(capacity.error_free, {"neurons": 9, "degree": 3, "stable": "all"}, also={**DEGREES, **WHOLES}),
    Call(capacity.exact_recall, {"error": load, "neurons": 5}, also=WHOLES),
    Call(capacity.learnable, {"patterns": spins, "answers": spins[:, 0]}),
    Call(capacity.gaussian_error, {"load": load, "degree": 3, "rectified": True}, also=DEGREES),
    Call(
        capacity.load_at, {"error": 0.1, "degree": 3, "tail": "gaussian"}, also=DEGREES | {"error": [1e-200, 0.499999]}
    ),
]


TestSpoiledCalls = edges.laws("memscape.capacity", CALLS, {}, examples=60)
