"""Every public callable of Part III, spoiled: a finite result, or a refusal that names the argument."""

from fractions import Fraction

import networkx as nx
import numpy as np
import torch

from memscape.polytopes import (
    cells,
    census,
    chambers,
    chirotopes,
    digraphs,
    graph_rules,
    input_space,
    nested_supports,
    polygons,
    separation,
    splines,
    stable_extensions,
    threshold_linear,
    weight_space,
)

from .. import edges
from ..edges import Call

F64 = torch.float64
RNG = np.random.default_rng(0)
DRAWN = torch.Generator()

CODES = {"codes": np.array([3, 25]), "nodes": 3}
LAW = graph_rules.Parameters("1/4", "1/2")
EXTREME = [graph_rules.Parameters("1/4", 10**power) for power in (12, 200, 400)]
PARTS_OF_SETS = [[np.ones(3, bool)] * 2, [np.ones(128, bool)] * 9, [np.ones((2, 4), bool), np.ones((3, 4), bool)]]
PARTS_OF_GRAPHS = [[3, 4], [(np.array([1, 2]), 2), (np.array([1, 2, 3]), 2)]]
POINTS = graph_rules.fixed_points(**CODES, parameters=LAW)
INHIBITED = torch.eye(3, dtype=F64) - 1.5
INHIBITED.diagonal().zero_()
NETWORK = threshold_linear.ThresholdLinear(INHIBITED, torch.tensor([1.0, 0.9, 1.2], dtype=F64))
MEMORY = threshold_linear.RectifiedMemory(torch.eye(2, 3, dtype=F64) / 2, torch.ones(3, dtype=F64))
MANY = threshold_linear.ThresholdLinear(INHIBITED[None], torch.tensor([[1.0, 0.9, 1.2]], dtype=F64))
TRIO = [[0, -1.5, -0.125], [-1.125, 0, -0.75], [-1.375, -0.25, 0]]
SQUARE = polygons.square(1.0)
LINES = torch.tensor([[1.0, 1.0, -0.5], [1.0, -1.0, 0.1]], dtype=F64)
PIECE = polygons.convex(SQUARE)
SIGNS = polygons.signs(PIECE, LINES[0])
CUT = weight_space.arrangement(3, (2,))
FOUND = chambers.chambers(3, (2,))
GROUP = weight_space.symmetries(3)
SIGN_PATTERNS = chirotopes.chirotopes(2, inputs=True)
SIGNS_OF_THREE = chirotopes.chirotope_of(NETWORK)
DEEP = splines.he((2, 3, 2), rng=np.random.default_rng(0))
X = torch.tensor([[0.1, 0.2], [0.5, -0.3]], dtype=F64)
PARTS = splines.rectified(torch.eye(3, 2, dtype=F64), torch.zeros(3, dtype=F64))

CALLS = [
    Call(cells.cells, {"neurons": 2, "degrees": (1, 2)}),
    Call(census.census, {"rounds": 1, "networks": 20, "rng": RNG, "device": "cpu"}),
    Call(census.lognormal, {"rng": RNG, "networks": 2, "neurons": 3, "spread": 1.5}),
    Call(FOUND.every),
    Call(chambers.acyclic_orientations, {"graph": nx.path_graph(4)}),
    Call(chambers.adjacency, {"found": FOUND}),
    Call(chambers.chambers, {"neurons": 3, "degrees": (2,), "steps": 50}),
    Call(chambers.memory_classes, {"found": FOUND}),
    Call(chambers.points_off, {"neurons": 3, "prime": 7, "thresholds": True}),
    Call(chambers.regions_over_fields, {"neurons": 3, "primes": [7, 11], "thresholds": False}),
    Call(SIGN_PATTERNS.bracket, {"vectors": [0, 1]}),
    Call(chirotopes.canonical, {"sets": np.array([3]), "neurons": 2}),
    Call(chirotopes.chirotope_of, {"model": NETWORK}),
    Call(chirotopes.chirotopes, {"neurons": 2, "inputs": True}),
    Call(chirotopes.describe, {"code": 3, "neurons": 2}),
    Call(chirotopes.possible_sets, {"patterns": SIGNS_OF_THREE}),
    Call(chirotopes.relabelled, {"codes": np.array([3]), "neurons": 2}),
    Call(chirotopes.set_codes, {"exists": np.array([[True] * 4]), "stable": np.array([[True] * 4])}),
    Call(chirotopes.table_codes, {"weights": INHIBITED}),
    Call(digraphs.adjacency, CODES),
    Call(digraphs.automorphisms, CODES),
    Call(digraphs.canonical, CODES),
    Call(digraphs.classes, {"nodes": 3}),
    Call(
        digraphs.compose,
        {"kind": "disjoint", "parts": [(np.array([3]), 3), (np.array([1]), 2)]},
        also={"parts": PARTS_OF_GRAPHS},
    ),
    Call(digraphs.encode, {"matrices": digraphs.adjacency(**CODES)}),
    Call(digraphs.extensions, CODES),
    Call(digraphs.in_neighbours, CODES),
    Call(digraphs.induced, {**CODES, "support": 3}),
    Call(digraphs.require_codes, {"argument": "codes", "value": np.array([3]), "nodes": 3}),
    Call(POINTS.within, {"subset": 3}),
    Call(graph_rules.cliques, CODES),
    Call(
        graph_rules.composed,
        {"kind": "disjoint", "parts": [POINTS.exists, POINTS.exists]},
        also={"parts": PARTS_OF_SETS},
    ),
    Call(graph_rules.core_structures, {"codes": CODES["codes"], "points": POINTS}),
    Call(graph_rules.dominated, CODES),
    Call(graph_rules.fixed_points, {**CODES, "parameters": LAW}),
    Call(
        graph_rules.full_support,
        {**CODES, "epsilon": 0.25, "delta": 0.5},
        also={"epsilon": [np.full(5, 0.25)], "delta": [np.array([[1.0], [0.5]]), np.ones(5)]},
        infinite="the least activity is -inf where the matrix is singular",
    ),
    Call(graph_rules.graphical_domination, {**CODES, "j": 0, "k": 1}),
    Call(graph_rules.integer_matrices, {**CODES, "parameters": LAW}),
    Call(
        graph_rules.network, {**CODES, "parameters": LAW, "dtype": F64, "device": "cpu"}, also={"parameters": EXTREME}
    ),
    Call(
        graph_rules.Parameters,
        {"epsilon": 0.25, "delta": 0.5},
        also={"epsilon": ["1/4", "no", "1/0"], "delta": ["1/4", "no", "1/0"]},
    ),
    Call(graph_rules.reductions, CODES),
    Call(graph_rules.stability_border, {"code": 25, "nodes": 3, "excess": Fraction(1, 2)}),
    Call(graph_rules.target_free_cliques, CODES),
    Call(graph_rules.undominated, {"nodes": 3}),
    Call(graph_rules.uniform_in_degree, CODES),
    Call(graph_rules.vanishing_inhibition, {**CODES, "ratio": 0.5}, also={"ratio": [np.ones(5)]}),
    Call(input_space.input_regions, {"weights": INHIBITED}),
    Call(PIECE.edges),
    Call(PIECE.rings),
    Call(PIECE.select, {"index": torch.tensor([0])}),
    Call(nested_supports.copied, {"weights": TRIO, "copies": [1, 2, 1]}),
    Call(nested_supports.nested_pairs, {"patterns": SIGN_PATTERNS}),
    Call(nested_supports.prolonged, {"weights": TRIO, "link": TRIO}),
    Call(polygons.arrange, {"vertices": SQUARE, "lines": LINES, "uncertainty": torch.zeros_like(LINES)}),
    Call(polygons.convex, {"vertices": SQUARE}),
    Call(
        polygons.cut,
        {"polygons": PIECE, "lines": LINES[0], "signs": SIGNS, "label": 3, "uncertainty": torch.zeros(3, dtype=F64)},
    ),
    Call(polygons.doubts, {"polygons": PIECE, "signs": SIGNS}),
    Call(polygons.exact_sign, {"line": (1, 0, 0), "first": (0, 1, 0), "second": (1, 1, 1)}),
    Call(polygons.sides, {"polygon": PIECE}),
    Call(polygons.signs, {"polygons": PIECE, "lines": LINES[0], "uncertainty": torch.zeros(3, dtype=F64)}),
    Call(polygons.square, {"half": 1.0, "device": "cpu"}),
    Call(separation.alternatives, {"normals": np.eye(2, dtype=int), "sides": np.array([[1, 1]]), "steps": 3}),
    Call(separation.circuit, {"rows": np.array([[1], [-1]]), "multipliers": np.array([1, 1])}),
    Call(separation.perceptron, {"rows": torch.ones(1, 2, 2), "steps": 3}),
    Call(separation.separate, {"rows": np.array([[1, 0], [0, 1]])}),
    Call(splines.MaxAffine, {"slopes": PARTS.slopes, "offsets": PARTS.offsets}),
    Call(PARTS.__call__, {"x": X}),
    Call(PARTS.cell, {"codes": PARTS.code(X)}),
    Call(PARTS.code, {"x": X}),
    Call(PARTS.pieces, {"x": X}),
    Call(splines.Network, {"weights": DEEP.weights, "biases": DEEP.biases}),
    Call(DEEP.__call__, {"x": X}),
    Call(DEEP.code, {"x": X}),
    Call(DEEP.on, {"origin": X[0], "axes": torch.eye(2, dtype=F64)}),
    Call(DEEP.potentials, {"x": X}),
    Call(splines.cover, {"patterns": 3, "neurons": 2}),
    Call(splines.crossings, {"network": DEEP, "starts": X, "ends": X + 1}),
    Call(splines.folding, {"layers": 2}),
    Call(splines.he, {"widths": (2, 3, 2), "bias": 0.1, "rng": RNG}),
    Call(splines.patterns_by_programs, {"network": DEEP, "half": 1.0, "thinnest": 1e-7}),
    Call(splines.plane, {"points": torch.eye(3, dtype=F64)}),
    Call(splines.rectified, {"weights": torch.eye(3, 2, dtype=F64), "biases": torch.zeros(3, dtype=F64)}),
    Call(splines.regions, {"network": DEEP, "vertices": SQUARE}),
    Call(
        splines.train,
        {
            **{"network": DEEP, "inputs": X, "labels": torch.tensor([0, 1]), "epochs": 1, "batch": 2, "rate": 0.1},
            "generator": DRAWN,
        },
    ),
    Call(splines.winners, {"found": splines.regions(DEEP, SQUARE)}),
    Call(splines.zaslavsky, {"hyperplanes": 3, "dimension": 2}),
    Call(stable_extensions.stable_extensions, {**CODES, "parameters": LAW}, also={"parameters": EXTREME}),
    Call(threshold_linear.RectifiedMemory, {"memories": MEMORY.memories, "drive": MEMORY.drive}),
    Call(MEMORY.energy, {"state": torch.ones(2, 3, dtype=F64)}),
    Call(MEMORY.flow, {"state": torch.ones(2, 3, dtype=F64)}),
    Call(MEMORY.visible, {"activities": torch.ones(2, dtype=F64)}),
    Call(threshold_linear.ThresholdLinear, {"weights": INHIBITED, "inputs": torch.ones(3, dtype=F64)}),
    Call(NETWORK.energy, {"state": torch.ones(2, 3, dtype=F64)}),
    Call(NETWORK.flow, {"state": torch.ones(2, 3, dtype=F64)}),
    Call(
        threshold_linear.exact_fixed_point,
        {"weights": [[0, -1], [Fraction(-1, 2), 0]], "inputs": [1, 1], "support": 1},
    ),
    Call(threshold_linear.exact_rows, {"argument": "weights", "rows": [[0, -1], [Fraction(-1, 2), 0]]}),
    Call(threshold_linear.disagreements, {"model": NETWORK}),
    Call(threshold_linear.fixed_points, {"model": NETWORK, "activities": True}),
    Call(threshold_linear.hurwitz, {"matrices": -torch.eye(3, dtype=F64)[None]}),
    Call(
        threshold_linear.lyapunov_exponents,
        {"model": NETWORK, "starts": torch.ones(2, 3, dtype=F64), "step": 0.1, "steps": 5},
    ),
    Call(threshold_linear.misjudged, {"model": MANY, "generator": DRAWN, "push": 1e-6, "duration": 1.0}),
    Call(
        threshold_linear.require_network,
        {"model": NETWORK, "at_least": 2, "at_most": 9},
        spare={"at_least": "the calling function's own number", "at_most": "the calling function's own number"},
    ),
    Call(
        threshold_linear.trajectories,
        {"model": NETWORK, "starts": torch.ones(2, 3, dtype=F64), "duration": 0.2, "step": 0.1, "every": 1},
    ),
    Call(threshold_linear.written, {"exists": np.array([True] * 4), "stable": np.array([True] * 4)}),
    Call(CUT.fixed, {"signs": np.ones((1, 6), dtype=np.int8)}),
    Call(GROUP.on_couplings, {"degrees": (2,)}),
    Call(GROUP.on_hyperplanes, {"cut": CUT}),
    Call(GROUP.on_states),
    Call(weight_space.arrangement, {"neurons": 3, "degrees": (2,)}),
    Call(weight_space.expected_fixed_points, {"neurons": 5}),
    Call(weight_space.fixed_point_counts, {"couplings": INHIBITED[None]}),
    Call(weight_space.gaussian_couplings, {"neurons": 3, "networks": 2, "rng": RNG, "device": "cpu"}),
    Call(weight_space.growth_rate),
    Call(weight_space.monomials, {"neurons": 3, "degrees": (2,)}),
    Call(weight_space.normals, {"neurons": 3, "degrees": (2,)}),
    Call(weight_space.solid_angle, {"rays": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]}),
    Call(weight_space.states, {"neurons": 3}),
    Call(weight_space.storable, {"patterns": [0, 3], "conditions": weight_space.normals(3, (2,))}),
    Call(weight_space.symmetries, {"neurons": 3}),
]


TestSpoiledCalls = edges.laws("memscape.polytopes", CALLS, {})
