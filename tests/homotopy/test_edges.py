"""Every public callable of Part IV, spoiled: a finite result, or a refusal that names the argument."""

from fractions import Fraction

import networkx as nx
import numpy as np
import torch

from memscape.homotopy import (
    clique_topology,
    codes,
    convex_codes,
    crowd,
    equaliser,
    grafting,
    hopfield_category,
    information,
    landscape,
    links,
    projected_descent,
    random_couplings,
    resources,
    sampling,
    splits,
    storage,
    sublevel,
    summing,
    variance,
    weighted_codes,
    wiring,
    zonotope,
)
from memscape.memory.hopfield import Hopfield

from .. import edges
from ..edges import Call

COMPLEX = storage.storage_complex(3, (2,))
SETS = torch.tensor([[0, 3], [1, 2]])
RNG = torch.Generator()
ENERGIES = torch.tensor([3.0, 1.0, 2.0, 2.0, 0.0, 4.0, 1.0, 5.0], dtype=torch.float64)
BARS = sublevel.bars_of([(0, 0.0, np.inf), (0, 1.0, 2.0), (1, 2.0, 3.0)])
LEVELS = np.array([0.0, 1.0, 2.0, 3.0])
CIRCLE = np.array([[1, 1, 0], [0, 1, 1], [1, 0, 1]], dtype=bool)
PATTERNS = torch.tensor([[[1.0, 1.0, -1.0], [1.0, -1.0, 1.0]]])
NEVER = "one piece never dies"

POINTS = torch.rand(2, 6, 2, dtype=torch.float64)
WORDS = torch.eye(3, dtype=torch.bool)[None]
CODE = np.array([True, True, False, True])
WEIGHTS = torch.tensor([[0.0, 1.0, 0.5], [1.0, 0.0, 0.0], [0.5, -1.0, 0.0]], dtype=torch.float64)
CHAIN = information.heat_bath(WEIGHTS)

TORUS = wiring.surface(1, 7, shift=2)
SQUARE = nx.cycle_graph(4)
RING = torch.tensor([[False, True, True], [True, False, True], [True, True, False]])
DICE = np.random.default_rng(0)
TWO = torch.tensor([[[0.0, 1.0], [-1.0, 0.0]]], dtype=torch.float64)
ONES = torch.ones(1, 2, dtype=torch.float64)
NETWORK = {"couplings": TWO, "inputs": ONES}
ROUND = hopfield_category.complete_wiring(2)
SWITCHING = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
BITS = np.array([[True, False, True], [False, True, True]])
IMAGES, SEVENTY = np.array([[0, 1], [0, 0]]), np.array([[1, 2], [2, 1]])
LISTS = np.ones((1, 2, 2, 1), dtype=np.int64)
NETS = projected_descent.random_perceptrons(1, 3, 2, 2, generator=torch.Generator())
PIXELS, CLASSES = torch.rand(4, 3, dtype=torch.float64), torch.tensor([0, 1, 1, 0])
CLIQUE = equaliser.complete(3)
FLOWS = equaliser.circulations(CLIQUE, 2)
LOOPS = equaliser.Network(1, ((0, 0), (0, 0)))
EDGE = equaliser.Network(2, ((0, 1),))
HALF = (Fraction(1, 2), Fraction(1, 2))
SHARP = (Fraction(3, 4), Fraction(1, 4))
STEP = grafting.System(2, 1, ((0, 0, 1),), (1,))

COUPLINGS = torch.tensor([[0.0, 2.0, 1.0], [2.0, 0.0, 1.0], [1.0, 1.0, 0.0]], dtype=torch.float64)
ORDER = torch.tensor([[0, 1, 2], [1, 0, 3], [2, 3, 0]])
DRAWN = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
GRAPH = torch.tensor([[0, 1, 1], [1, 0, 0], [1, 0, 0]], dtype=torch.bool)
DRAWING = {"networks": (2,), "generator": RNG, "device": "cpu"}

CALLS = [
    Call(clique_topology.ranks, {"matrix": COUPLINGS, "generator": RNG, "digits": 3}),
    Call(clique_topology.levels, {"matrix": COUPLINGS, "digits": 3}),
    Call(clique_topology.order_complex, {"ranks": ORDER, "dimension": 1, "density": 0.7}),
    Call(clique_topology.betti_curves, {"ranks": ORDER[None], "dimension": 1, "density": 0.7, "field": 2}),
    Call(
        clique_topology.integrals,
        {"curves": torch.tensor([[3, 2, 1], [0, 0, 0]]), "neurons": 3, "density": 0.7},
    ),
    Call(
        clique_topology.betti_integrals,
        {"matrix": COUPLINGS, "dimension": 1, "density": 0.7, "generator": RNG, "digits": 3},
    ),
    Call(clique_topology.clique_counts, {"graph": GRAPH, "most": 9}),
    Call(clique_topology.graph_betti, {"graph": GRAPH, "field": 2, "most": 9}),
    Call(random_couplings.symmetric, {"neurons": 3, **DRAWING}),
    Call(random_couplings.distances, {"neurons": 3, "dimension": 2, **DRAWING}),
    Call(random_couplings.gram, {"neurons": 3, "columns": 2, **DRAWING}),
    Call(random_couplings.projector, {"patterns": PATTERNS, "complement": True}),
    Call(random_couplings.signed_triangles, {"matrix": COUPLINGS}),
    Call(random_couplings.response, {"integrals": DRAWN, "triangles": DRAWN.flip(0)}),
    Call(
        random_couplings.spread,
        {
            **{"ratios": np.array([[0.1, 0.5], [0.2, 0.7]]), "columns": np.array([[5, 20], [8, 30]])},
            **{"sizes": (3, 4), "exponent": 1.0},
        },
    ),
    Call(
        random_couplings.resampled_means,
        {"values": np.array([[0.1, 0.5], [0.2, 0.7]]), "count": 3, "rng": np.random.default_rng(0)},
    ),
    Call(random_couplings.beyond_edge, {"matrix": COUPLINGS, "margin": 1.1}),
    Call(random_couplings.expected_faces, {"vertices": 5, "share": 0.5}),
    Call(links.link, {"simplices": TORUS, "unit": 3}),
    Call(links.weight_enumerator, {"generators": np.eye(3, dtype=bool)}),
    Call(links.cut_counts, {"graph": SQUARE, "via": "cuts"}),
    Call(links.cycle_counts, {"graph": SQUARE, "via": "cycles"}),
    Call(links.crosstalk, {"graph": SQUARE}),
    Call(links.one_step_error, {"graph": SQUARE, "patterns": 3}),
    Call(links.pair_error, {"inputs": 4, "patterns": 3}),
    Call(links.error_curve, {"graph": SQUARE, "patterns": [2, 5]}),
    Call(links.mean_errors, {"simplices": TORUS, "patterns": [2, 5]}),
    Call(links.cumulants, {"graph": SQUARE}),
    Call(links.counted_cumulants, {"graph": SQUARE}),
    Call(links.four_cycles, {"graph": SQUARE}),
    Call(wiring.woven, {"neurons": 12, "sizes": (2, 2), "halves": True, "rng": DICE}),
    Call(wiring.clustering, {"adjacency": RING}),
    Call(wiring.flag_complex, {"graph": SQUARE, "dimension": 2}),
    Call(wiring.layered, {"widths": (2, 3, 2), "skips": 1}),
    Call(wiring.layered_betti, {"widths": (2, 3, 2), "skips": 1}),
    Call(wiring.woven_triples, {"neurons": 12, "sizes": (4, 3), "rng": DICE}),
    Call(wiring.random_sizes, {"triples": 6, "sizes": (3, 4), "rng": DICE}),
    Call(wiring.surface, {"rows": 4, "columns": 5, "shift": 1, "twisted": False}),
    Call(wiring.copies, {"simplices": TORUS, "count": 2}),
    Call(wiring.overlaid, {"simplices": wiring.surface(3, 5), "times": 2, "rng": DICE}),
    Call(wiring.on_graph, {"patterns": PATTERNS[0], "adjacency": RING}),
    Call(wiring.twice_wrong, {"model": wiring.on_graph(PATTERNS[0], RING), "state": PATTERNS[0]}),
    Call(
        variance.explained,
        {
            **{"target": np.array([1.0, 4.0, 2.0, 3.0, 5.0]), "by": (np.array([1.0, 2.0, 3.0, 5.0, 4.0]),)},
            **{"held": (np.array([2.0, 2.0, 1.0, 3.0, 5.0]),), "corrected": True, "resamples": 3, "rng": DICE},
        },
    ),
    Call(variance.falls_below, {"loads": [1.0, 2.0, 3.0], "overlaps": [[1.0, 0.8, 0.5]], "level": 0.7}),
    Call(
        codes.place_holes,
        {"arenas": 2, "count": 2, "radius": 0.1, "gap": 0.1, "generator": RNG},
    ),
    Call(
        codes.positions,
        {
            **{"world": "square", "arenas": 1, "count": 3, "holes": torch.full((1, 1, 2), 0.5, dtype=torch.float64)},
            **{"radius": 0.1, "generator": RNG, "device": "cpu"},
        },
    ),
    Call(codes.firing, {"world": "torus", "points": POINTS, "centres": POINTS[:, :3], "radii": 0.2}),
    Call(codes.covered, {"world": "klein", "centres": POINTS, "radius": 0.2}),
    Call(
        codes.cells,
        {
            **{"world": "square", "arenas": 1, "neurons": 3, "radius": 0.1, "count": 4, "hole_radius": 0.1},
            **{"holes": torch.full((1, 1, 2), 0.5, dtype=torch.float64), "widest": 0.2},
            **{"generator": RNG, "device": "cpu"},
        },
    ),
    Call(codes.betti, {"words": WORDS, "dimension": 1, "fields": (2, 3)}),
    Call(codes.permuted, {"words": WORDS, "generator": RNG}),
    Call(codes.split, {"words": np.eye(3, dtype=bool), "rounds": 2}),
    Call(
        projected_descent.random_perceptrons,
        {"networks": 1, "inputs": 3, "hidden": 2, "classes": 2, "generator": RNG},
    ),
    Call(
        projected_descent.descend,
        {
            **{"model": NETS, "images": PIXELS, "labels": CLASSES, "order": torch.tensor([[0, 1], [2, 3]])},
            **{"rate": 0.1, "positive": True},
        },
    ),
    Call(hopfield_category.complete_wiring, {"vertices": 3, "device": "cpu"}),
    Call(ROUND.breaks, {"values": ONES}),
    Call(hopfield_category.driven, {**NETWORK, "state": ONES}),
    Call(hopfield_category.rests, {**NETWORK, "state": ONES}),
    Call(hopfield_category.thresholded, {"values": TWO, "whole": True}),
    Call(hopfield_category.step, {"rule": "adding", **NETWORK, "state": ONES, "whole": True}),
    Call(hopfield_category.orbits, {"rule": "replacing", **NETWORK, "starts": ONES, "steps": 3, "whole": False}),
    Call(hopfield_category.fates, {"rule": "replacing", **NETWORK, "starts": ONES, "cap": 9.0, "steps": 99}),
    Call(
        hopfield_category.small_networks,
        {"units": 2, "couplings": (0, 1), "inputs": (0, 2), "device": "cpu"},
    ),
    Call(hopfield_category.following, {"orbit": SWITCHING}),
    Call(hopfield_category.doubled, {"couplings": TWO, "thresholds": ONES}),
    Call(hopfield_category.slowed, {"weights": TWO, "supports": torch.tensor([[True, False]])}),
    Call(weighted_codes.parameters, {"code": BITS}),
    Call(weighted_codes.random_code, {"length": 3, "words": 2, "rng": np.random.default_rng(0)}),
    Call(weighted_codes.direct_sum, {"first": BITS, "second": BITS}),
    Call(weighted_codes.glued, {"first": BITS, "second": BITS}),
    Call(weighted_codes.firing, {"code": BITS}),
    Call(weighted_codes.refined, {"code": BITS}),
    Call(weighted_codes.refined_laws, {"codes": BITS[None]}),
    Call(weighted_codes.entropy, {"law": np.array([0.5, 0.5])}),
    Call(weighted_codes.chain_rule, {"law": np.array([0.5, 0.5]), "labels": np.array([0, 1])}),
    Call(weighted_codes.maps, {"source": 2, "target": 2, "factors": (1, 2)}),
    Call(weighted_codes.fibre_sums, {"images": IMAGES, "multiples": SEVENTY, "target": 2}),
    Call(weighted_codes.pulled_back, {"images": IMAGES, "multiples": SEVENTY, "weights": np.array([[1, 3]])}),
    Call(
        weighted_codes.composed,
        {"images": IMAGES, "multiples": SEVENTY, "onto": np.array([[1, 0]]), "scales": np.array([[1, 2]])},
    ),
    Call(
        weighted_codes.glued_orbits,
        {
            **{"rule": "adding", "couplings": np.array([[[0, 1], [-1, 0]]]), "inputs": LISTS, "starts": LISTS},
            **{"steps": 2},
        },
    ),
    Call(codes.partners, {"first": WORDS, "second": WORDS}),
    Call(codes.missed, {"neurons": 20, "radius": 0.2, "positions": 100}),
    Call(codes.deviations, {"hits": [3, 4], "trials": [5, 6], "shares": [0.5, 0.25]}),
    Call(codes.uncovered, {"world": "sphere", "neurons": 20, "share": 0.1}),
    Call(convex_codes.classes, {"neurons": 2}),
    Call(convex_codes.code_of, {"words": np.array([1, 3]), "neurons": 2}),
    Call(convex_codes.complexes, {"codes": CODE}),
    Call(convex_codes.obstructions, {"code": CODE, "every": True}),
    Call(convex_codes.obstructed, {"codes": CODE[None]}),
    Call(convex_codes.fixed_points, {"model": Hopfield(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.zeros(2))}),
    Call(
        convex_codes.random_codes,
        {"sizes": np.array([2, 4]), "neurons": 3, "mirrored": True, "rng": np.random.default_rng(0)},
    ),
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
    Call(
        sublevel.Bars,
        {"dimensions": BARS.dimensions, "births": BARS.births, "deaths": BARS.deaths},
        infinite=NEVER,
    ),
    Call(BARS.count, {"dimension": 0}),
    Call(BARS.dying, {"level": 3.0}),
    Call(sublevel.audit, {"energies": ENERGIES, "bars": sublevel.cube_bars(ENERGIES)}),
    Call(sublevel.bottleneck, {"one": BARS, "other": BARS}),
    Call(zonotope.in_overlaps, {"bars": zonotope.zonotope_bars(np.ones(2)), "scale": 4.0}, infinite=NEVER),
    Call(BARS.rows, infinite=NEVER),
    Call(BARS.intervals, {"dimension": 0}, infinite=NEVER),
    Call(sublevel.bars_of, {"intervals": BARS.rows()}, infinite=NEVER),
    Call(sublevel.cube_bars, {"energies": ENERGIES, "field": 2}, infinite=NEVER),
    Call(sublevel.entering, {"energies": ENERGIES}),
    Call(sublevel.jumps, {"bars": BARS, "levels": LEVELS}),
    Call(sublevel.basins, {"energies": ENERGIES}),
    Call(sublevel.piece_bars, {"energies": ENERGIES}, infinite=NEVER),
    Call(sublevel.barriers, {"energies": ENERGIES, "states": torch.tensor([1, 4])}),
    Call(sublevel.resting, {"energies": ENERGIES, "strict": True}),
    Call(sublevel.reached, {"energies": ENERGIES}),
    Call(sublevel.collapsed, {"incidence": CIRCLE}),
    Call(sublevel.nerve_betti, {"incidence": CIRCLE}),
    Call(zonotope.column_types, {"memories": 3}),
    Call(zonotope.covectors, {"memories": 3}),
    Call(zonotope.shares, {"patterns": np.array([[1, 1, -1], [1, -1, 1]])}),
    Call(zonotope.nearest, {"signs": np.array([[1, 0], [1, 1]]), "weights": np.array([0.25, 0.75])}),
    Call(zonotope.zonotope_bars, {"weights": np.array([0.25, 0.75])}, infinite=NEVER),
    Call(zonotope.strict_vertices, {"weights": np.array([[0.25, 0.75], [1.0, 0.0]])}),
    Call(zonotope.critical_faces, {"weights": np.array([0.5, 0.5])}),
    Call(zonotope.fixed_points, {"memories": 3}),
    Call(zonotope.lowest_barrier, {"memories": 3}),
    Call(landscape.balanced, {"memories": 2, "copies": 2, "device": "cpu"}),
    Call(landscape.index_of, {"states": PATTERNS}),
    Call(landscape.pairwise, {"couplings": torch.tensor([[0.0, 1.0], [1.0, 0.0]])}),
    Call(landscape.powers, {"patterns": PATTERNS, "degree": 3}),
    Call(landscape.perceptron_couplings, {"patterns": PATTERNS, "sweeps": 3}),
    Call(landscape.survey, {"energies": ENERGIES[None], "patterns": PATTERNS}, infinite=NEVER),
    Call(
        landscape.rank_correlation,
        {
            "x": np.array([1.0, 2.0, 3.0, 5.0]),
            "y": np.array([2.0, 1.0, 3.0, 4.0]),
            "categories": (("a", "b", "a", "b"),),
            "held": (np.array([1.0, 4.0, 2.0, 2.0]),),
            "together": ("s", "s", "t", "u"),
            "resamples": 3,
            "rng": np.random.default_rng(0),
        },
    ),
    Call(crowd.complete_cuts, {"units": 4, "temperatures": torch.tensor([1.0, 2.0], dtype=torch.float64)}),
    Call(information.Chain, {"law": CHAIN.law, "kernel": CHAIN.kernel}),
    Call(information.heat_bath, {"weights": WEIGHTS, "temperature": 1.5, "frozen": (0,), "known": True}),
    Call(information.stationary, {"kernel": CHAIN.kernel}),
    Call(information.marginal_entropies, {"table": CHAIN.law, "values": 2}),
    Call(information.stochastic_interaction, {"chain": CHAIN}),
    Call(information.total_interaction, {"chain": CHAIN}),
    Call(information.shared, {"chain": CHAIN}),
    Call(information.transmitted, {"chain": CHAIN}),
    Call(information.link, {"coupling": 1.0, "temperature": 2.0}),
    Call(information.require_units, {"argument": "units", "units": 3}),
    Call(splits.cuts, {"units": 3, "device": "cpu"}),
    Call(splits.crossing, {"weights": WEIGHTS}),
    Call(splits.connected, {"weights": WEIGHTS}),
    Call(splits.log_linear, {"joint": CHAIN.joint, "tolerance": 1e-6, "sweeps": 200}),
    Call(equaliser.Network, {"vertices": 2, "edges": ((0, 1), (1, 0))}),
    Call(equaliser.automorphisms, {"edges": (0, 0), "successors": (1, 0)}),
    Call(equaliser.circulations, {"network": CLIQUE, "total": 2}),
    Call(equaliser.classes, dict(zip(("edges", "successors"), equaliser.tokens(LOOPS, 2), strict=True))),
    Call(equaliser.complete, {"vertices": 3}),
    Call(equaliser.components, {"network": CLIQUE, "most": 3}),
    Call(equaliser.compositions, {"total": 3, "parts": 2}),
    Call(equaliser.cone_dimension, {"network": CLIQUE}),
    Call(equaliser.counted_circulations, {"network": CLIQUE, "most": 3}),
    Call(equaliser.cyclic_rank, {"network": CLIQUE, "cycles_only": True}),
    Call(equaliser.fibre, {"network": CLIQUE, "flows": FLOWS}),
    Call(equaliser.indecomposable, {"network": CLIQUE, "most": 3}),
    Call(equaliser.on_the_nose, {"network": LOOPS, "total": 2, "incoming": (0, 1)}),
    Call(equaliser.require_flows, {"network": CLIQUE, "flows": FLOWS}),
    Call(equaliser.simple_cycles, {"network": CLIQUE}),
    Call(equaliser.spectral_radius, {"matrices": CLIQUE.matrix}),
    Call(equaliser.tokens, {"network": LOOPS, "total": 2}),
    Call(equaliser.zeta, {"network": CLIQUE, "most": 3}),
    Call(grafting.System, {"states": 2, "labels": 1, "moves": ((0, 0, 1),), "final": (1,)}),
    Call(
        grafting.composed,
        {
            **{"network": EDGE, "weights": np.ones((1, 2, 2)), "inputs": np.ones((2, 2)), "order": (0, 1)},
            **{"as_they_come": True},
        },
    ),
    Call(grafting.grafted, {"network": EDGE, "systems": (STEP, STEP)}),
    Call(grafting.maps, {"first": STEP, "second": STEP}),
    Call(grafting.product, {"first": STEP, "second": STEP}),
    Call(grafting.random_network, {"vertices": 4, "share": 0.5, "rng": np.random.default_rng(0)}),
    Call(grafting.random_system, {"most": 3, "labels": 2, "rng": np.random.default_rng(0)}),
    Call(grafting.small_systems, {"states": 2}),
    Call(grafting.spelled, {"network": EDGE, "systems": (STEP, STEP), "most": 3}),
    Call(grafting.sum_of, {"first": STEP, "second": STEP}),
    Call(grafting.words, {"system": STEP, "most": 3}),
    Call(resources.allowed, {"first": HALF, "second": SHARP, "spent": 2, "measure": "shannon", "most": 20}),
    Call(resources.converts, {"first": HALF, "second": SHARP, "spent": 2, "gained": 1}),
    Call(resources.copies, {"distribution": SHARP, "count": 2}),
    Call(resources.distributions, {"denominator": 4}),
    Call(resources.entropy_key, {"distribution": SHARP}),
    Call(resources.least, {"among": (HALF, SHARP), "chosen": (0, 1)}),
    Call(resources.yields, {"first": HALF, "second": SHARP, "spent": 2, "at_least": 0}),
    Call(summing.functors, {"sizes": (1, 1)}),
    Call(summing.invertible, {"size": 2, "prime": 2}),
    Call(summing.labelled, {"points": 2, "total": 3}),
    Call(summing.linear_cardinalities, {"points": 2, "most": 3, "field": 2}),
    Call(summing.linear_fibre, {"network": CLIQUE, "flows": FLOWS, "field": 2}),
    Call(summing.linear_group, {"size": 2, "field": 2}),
    Call(summing.linear_points, {"sizes": (1, 1), "prime": 2}),
    Call(summing.power, {"series": (Fraction(1), Fraction(1, 2)), "exponent": 2}),
    Call(summing.product, {"first": (Fraction(1), Fraction(1, 2)), "second": (Fraction(1), Fraction(1, 3))}),
    Call(summing.set_cardinalities, {"points": 2, "most": 3}),
    Call(summing.whole_functors, {"points": 2, "most": 3, "ordered": True}),
]


TestSpoiledCalls = edges.laws("memscape.homotopy", CALLS, {})
