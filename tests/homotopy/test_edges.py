"""Every public callable of Part IV, spoiled: a finite result, or a refusal that names the argument."""

import numpy as np
import torch

from memscape.homotopy import sampling, storage

from .. import edges
from ..edges import Call

COMPLEX = storage.storage_complex(3, (2,))
SETS = torch.tensor([[0, 3], [1, 2]])
RNG = torch.Generator()

CALLS = [
    Call(sampling.draw_sets, {"count": 6, "size": 2, "sets": 3, "generator": RNG}),
    Call(sampling.learn, {"neurons": 3, "degrees": (1, 2), "sets": SETS, "steps": 9}),
    Call(
        sampling.sample,
        {"neurons": 3, "degrees": (2,), "size": 2, "drawn": 3, "generator": RNG, "steps": 9, "device": "cpu"},
    ),
    Call(sampling.climbs, {"neurons": 3, "degrees": (1, 2), "walks": 2, "rng": np.random.default_rng(0)}),
    Call(storage.faces_from_chambers, {"neurons": 3, "degrees": (2,)}),
    Call(COMPLEX.contains, {"sets": np.array([1, 3, 5])}),
    Call(storage.vertices, {"neurons": 3, "degrees": (2,)}),
    Call(storage.storage_complex, {"neurons": 3, "degrees": (2,)}),
    Call(storage.simplex_tree, {"complex_": COMPLEX}),
    Call(storage.cube, {"neurons": 3, "folded": True}),
    Call(storage.only_even, {"degrees": (2, 4)}),
    Call(COMPLEX.every, {"orbits": COMPLEX.faces[0]}),
    Call(COMPLEX.equals, {"other": COMPLEX}),
]


TestSpoiledCalls = edges.laws("memscape.homotopy", CALLS, {})
