"""Every public callable of the capacities, spoiled: a finite result, or a refusal that names the argument."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import (
    augmentation,
    beyond,
    binary_synapses,
    capacity,
    classifier_growth,
    constrained,
    correlated,
    counting_memory,
    diffusion,
    dilution,
    emergence,
    features,
    forgetting,
    growing,
    held_out,
    heteroassociation,
    hybrid,
    learned_memory,
    linear_memory,
    long_tail,
    merging,
    paraphrases,
    recall,
    retrieved_context,
    scaffold,
    scaling_laws,
    sequential,
    tasks,
    tiring,
    transformer_growth,
    transients,
    votes,
)
from memscape.memory import hopfield
from memscape.memory.classifier import Schedule
from memscape.memory.dense import Power
from memscape.memory.hopfield import hebbian
from memscape.memory.patterns import random_patterns
from memscape.tools.crowds import crowd
from memscape.tools.statistics import Estimate

from .. import edges
from ..draws import rng
from ..edges import Call

load = torch.tensor([0.1])
spins = random_patterns(3, 4, generator=rng())
DEGREES = {"degree": [3, 18, 19, 20, 151, 152, 400]}
one, part = torch.tensor([0.2], dtype=torch.float64), torch.tensor([0.5, 0.7], dtype=torch.float64)
point = {"start": part, "load": one, "degree": 3}
shares = [Estimate(value, value - 0.05, value + 0.05, 9) for value in (0.1, 0.3, 0.5)]
drawn = {"neurons": 6, "count": 4, "flips": 1, "networks": 2, "probes": 2, "generator": rng(), "device": "cpu"}
times = np.array([[40, 41], [30, 29], [20, 21], [9, 10]])
near = torch.tensor([[1.0, 2.0, 2.0], [0.0, 0.0, 3.0]])
right = torch.tensor([[True, False, True], [False, True, True]])
RANKED = {"neurons": 9, "strengths": torch.tensor([[1.0, 0.5, 0.25]]), "probes": 2, "networks": 2}
WHOLES = {"neurons": [3, 15, 16, 150, 151, 152, 2**53, 2**53 + 1]}
networks = random_patterns(2, 5, networks=(2,), generator=rng())
copies = augmentation.noisy_copies(networks, 2, 0.1, generator=rng())
trained = augmentation.perceptron_of_copies(copies, networks.repeat(1, 2, 1), rounds=5)
recalled = augmentation.basins(hebbian(networks), networks, [0, 2], generator=rng())
images = (torch.arange(18.0) % 5 / 5).reshape(3, 3, 2)
ink = (torch.arange(48) % 3 == 0).double().reshape(2, 2, 4, 3)
met = paraphrases.meetings([2, 1], name=4, context=5, value=3, networks=2, generator=rng())
SOME = [[], [1], [0], [-1, 2], [1, 10**30], [1.5], "x", None, [True], [2**31]]
DRAWN = {"draws": SOME}
TELL = {"copies": [2, 1], "name": 4, "context": 5}
corners = torch.eye(3, dtype=torch.float64)
labels = torch.tensor([0, 1, 2])
errs = torch.tensor([True, False, True])
waves = torch.tensor([[0.1, 0.2, 0.3, 0.4], [1.0, -1.0, 0.5, 0.0]], dtype=torch.float64)
ring = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]], dtype=torch.float64)
RNG = np.random.default_rng(0)
FEW = {"networks": 2, "probes": 1, "sweeps": 2, "generator": rng(), "device": "cpu"}
kept = emergence.stored_recall(6, [0.3, 0.6], **FEW, choose=True)
WIDTH = {"axis": [0.5, 1.0], "score": kept.first, "levels": (0.9, 0.1), "generator": rng()}
LARGE = {"neurons": [10, 2000, 10**15, 10**15 + 1]}
ONE_NETWORK = {"networks": 1, "starts": 2, "sweeps": 3, "generator": rng()}
ZIPF = counting_memory.zipf(6, 1.0)
CURVES = np.array([[9.0, 5.0, 3.0, 2.0], [8.0, 5.0, 4.0, 2.0]])
LAW = {"first": 2.0, "second": 1.0, "x": 1.0, "y": 0.5, "r": 2.0}
SURFACE = {"dimensions": [1.0, 2.0, 4.0], "draws": [1.0, 4.0, 9.0]}
MEMORY = {"probabilities": ZIPF, "answers": 3, "generator": rng(), "device": "cpu"}
LEARN = {"dimension": 3, "rate": 0.5, "batch": 4, "steps": 2, "runs": 2, **MEMORY}
PSEUDO = {"rule": ["pseudo-inverse"]}
three = torch.tensor([[[1.0, 2.0], [2.0, -1.0]]])
yes, positive = torch.ones(1, 2), torch.ones(2)
ones = {"inputs": three, "answers": yes, "signs": positive}
joined = torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
small = hybrid.memory_circuit(joined, 1)
CODES = {"neurons": 12, "active": 3, "count": 5}
CALLS = [
    Call(binary_synapses.clean_share, CODES),
    Call(binary_synapses.density, CODES),
    Call(binary_synapses.draw_codes, {**CODES, "generator": rng()}),
    Call(
        binary_synapses.recall_themselves,
        {
            "neurons": 12,
            "active": 3,
            "counts": [3, 5],
            "recalls": 2,
            "networks": 2,
            "generator": rng(),
            "device": "cpu",
        },
    ),
    Call(dilution.binomial_rest, {"inputs": 5, "patterns": 3, "steps": 4}),
    Call(dilution.gaussian_rest, {"load": load}),
    Call(
        dilution.held,
        {
            "build": hebbian,
            "neurons": 9,
            "counts": [1, 2],
            "networks": 2,
            "probes": 3,
            "steps": 2,
            "generator": rng(),
            "device": "cpu",
        },
    ),
    Call(dilution.load_at_half, {"counts": [3, 5], "overlaps": torch.rand(2, 3, 4, generator=rng()), "level": 0.5}),
    Call(
        dilution.one_way,
        {"neurons": 9, "inputs": 3, "patterns": 2, "probes": 2, "steps": 2, "generator": rng(), "device": "cpu"},
    ),
    Call(
        dilution.store,
        {"patterns": spins, "kept": 0.5, "clip": True, "near": False, "generator": rng()},
    ),
    Call(hybrid.Competition, {"groups": 2, "beta": 1.0}),
    Call(hybrid.Competition(2, 1.0).__call__, {"units": spins}),
    Call(hybrid.Competition(2, 1.0).activation, {"units": spins}),
    Call(hybrid.Firing, {"gain": 1.0}),
    Call(hybrid.Firing(1.0).__call__, {"units": spins}),
    Call(hybrid.Firing(1.0).activation, {"units": spins}),
    Call(hybrid.circuit, {"synapses": joined, "groups": 1}),
    Call(hybrid.combine, {"synapses": joined, "choices": torch.tensor([[0], [1]])}),
    Call(
        hybrid.currents,
        {"model": small, "weights": hybrid.circuit(joined, 1), "potentials": torch.rand(2, 3, generator=rng())},
    ),
    Call(hybrid.damage, {"states": joined, "share": 0.5, "generator": rng()}),
    Call(hybrid.draw_features, {"count": 3, "active": 2, "neurons": 9, "generator": rng(), "device": "cpu"}),
    Call(hybrid.group_error, {"active": 4, "size": 3, "activity": 0.2, "share": 0.5, "neurons": 40}),
    Call(hybrid.imprint, {"memories": joined, "features": joined}),
    Call(hybrid.memory_circuit, {"synapses": joined, "groups": 1, "beta": 1.0, "gain": 2.0, "threshold": 0.5}),
    Call(hybrid.settle, {"model": small, "cues": joined, "steps": 2}),
    Call(dilution.local_overlap, {"state": spins[0], "pattern": spins[1], "width": 3}),
    Call(hybrid.constraints, {"weights": hybrid.circuit(joined, 1)}),
    Call(
        hybrid.recall_choices,
        {"synapses": joined, "groups": 1, "states": 3, "share": 0.5, "steps": 2, "generator": rng()},
    ),
    Call(
        constrained.draw_tasks,
        {"draws": 2, "patterns": 3, "neurons": 4, "kind": "sparse", "generator": rng()},
    ),
    Call(constrained.imbalance, {"excitation": load, "inhibition": load}),
    Call(constrained.largest_margin, ones),
    Call(constrained.learned, ones),
    Call(constrained.most_robust, {**ones, "noise": "output", "largest": 1.0}, also={"noise": ["inputs"]}),
    Call(constrained.separable_share, {"dimensions": 3, "halfspaces": 5}),
    Call(constrained.silent_share, {"weights": spins}),
    Call(constrained.smallest_sum, ones),
    Call(beyond.entmax, {"scores": waves, "alpha": 1.5}, also={"alpha": [1.05, 2.0, 1.999]}),
    Call(beyond.expected_held, {"count": 9, "features": 8, "neurons": 4, "beta": 0.5, "stored": True}),
    Call(beyond.feature_error, {"patterns": spins, "waves": waves, "beta": 0.5}),
    Call(beyond.features, {"state": spins, "waves": waves}),
    Call(beyond.frequencies, {"count": 4, "neurons": 4, "beta": 0.5, "generator": rng()}),
    Call(beyond.half_weight, {"neurons": 9, "sharpness": 1.0, "trials": 3, "rng": RNG}),
    Call(beyond.held, {"patterns": spins, "waves": waves, "state": spins}),
    Call(beyond.margin, {"scores": waves}),
    Call(beyond.softmax_limit, {"sharpness": 1.0}),
    Call(diffusion.circle, {"count": 3, "draws": 2, "generator": rng(), "device": "cpu"}),
    Call(
        diffusion.collapse,
        {"dimension": 2, "count": 3, "spread": 1.0, "draws": 1, "starts": 2, "generator": rng(), "device": "cpu"},
    ),
    Call(diffusion.collapse_time, {"dimension": 5, "count": 9, "spread": 1.0}),
    Call(diffusion.descend, {"data": ring, "state": ring, "sharpness": 9.0, "steps": 20, "jitter": 1e-6}),
    Call(diffusion.energy, {"state": ring, "data": ring, "sharpness": 9.0}),
    Call(diffusion.merging_distance, {"sharpness": 9.0}),
    Call(diffusion.ring_energy, {"radius": load, "sharpness": 9.0}),
    Call(heteroassociation.answered, {"weights": spins.mT @ spins, "cues": spins, "wanted": spins}),
    Call(heteroassociation.associate, {"cues": spins, "wanted": spins, "rule": "hebb"}, also=PSEUDO),
    Call(heteroassociation.bits_per_synapse, {"load": load, "overlap": load}),
    Call(heteroassociation.kept, {"neurons": 6, "counts": [3], **ONE_NETWORK, "device": "cpu"}),
    Call(heteroassociation.overlap, {"load": load, "rule": "hebb", "cue": 0.5}, also=PSEUDO),
    Call(
        votes.answers,
        {
            "memories": corners,
            "labels": labels,
            "images": corners,
            "powers": [2, math.inf],
            "counts": [2, 3],
            "classes": 3,
        },
    ),
    Call(
        emergence.nested_recall,
        {"patterns": spins, "starts": spins, "counts": [2, 3], "sweeps": 2, "choose": True},
        also={"counts": SOME},
    ),
    Call(emergence.stored_recall, {"neurons": 6, "loads": [0.3, 0.6], **FEW, "choose": True}, also={"loads": SOME}),
    Call(emergence.feature_recall, {"features": 2, "neurons": 6, "ratios": [1.0, 2.0], **FEW}, also={"ratios": SOME}),
    Call(emergence.jump_loads, {"neurons": 100, "points": 3}, also=LARGE),
    Call(emergence.joined, {"curves": [([1.0, 3.0], [0.5, 0.4]), ([2.0, 4.0], [0.1, 0.2])]}),
    Call(emergence.scores, {"outcome": kept, "settled": True}),
    Call(emergence.width, WIDTH, also={"axis": SOME, "levels": SOME}),
    Call(emergence.slope, {"sizes": [5, 9], "widths": [emergence.width(**WIDTH)] * 2}, also={"sizes": SOME}),
    Call(emergence.middle, {"score": kept.first, "level": 0.5}),
    Call(emergence.exact_load, {"neurons": 100, "share": 0.5}, also=LARGE),
    Call(emergence.near_width, {"neurons": 100, "level": 0.9, "high": 0.9, "low": 0.1}, also=LARGE),
    Call(emergence.first_success, {"right": right, "questions": 2}),
    Call(emergence.first_success_law, {"shares": [0.1, 0.5], "questions": 3}, also={"shares": SOME}),
    Call(emergence.all_right, {"right": [2, 3], "items": 4, "size": 2}, also={"right": SOME}),
    Call(
        growing.chain_recalls,
        {"dimension": 3, "pairs": 4, "networks": 2, "generator": rng(), "device": "cpu"},
    ),
    Call(growing.chain_success, {"right": right, "length": 2}),
    Call(growing.examples_until, {"frequency": part, "share": 0.5}),
    Call(
        growing.grow,
        {
            **{"facts": 4, "values": 2, "exponent": 2.0, "first": 2, "last": 5, "scheme": "even", "draws": 2},
            **{"generator": rng(), "device": "cpu"},
        },
        also={"scheme": ["frequency"]},
    ),
    Call(votes.holm, {"probabilities": [0.5, 0.1]}),
    Call(votes.mcnemar, {"worse": errs, "better": errs}),
    Call(votes.recalled, {"patterns": spins, "powers": [2, 3], "counts": [2, 3], "probes": 2}),
    Call(votes.unit, {"images": corners, "mean": corners[0]}),
    Call(trained.network),
    Call(
        augmentation.noisy_copies,
        {"patterns": networks, "copies": 2, "noise": 0.1, "generator": rng()},
    ),
    Call(augmentation.hebbian_of_copies, {"patterns": networks, "copies": 2, "noise": 0.1, "generator": rng()}),
    Call(augmentation.copies_error, {"load": 0.1, "copies": 3, "noise": 0.1}),
    Call(
        augmentation.perceptron_of_copies,
        {"copies": copies, "answers": networks.repeat(1, 2, 1), "rounds": 5},
        spare={"rounds": "as many as are asked for"},
    ),
    Call(
        augmentation.perceptron_of_fresh_copies,
        {"patterns": networks, "noise": 0.1, "margin": 0.5, "rounds": 5, "generator": rng()},
    ),
    Call(
        augmentation.flow_of_copies,
        {"copies": copies, "answers": networks.repeat(1, 2, 1), "rounds": 5, "gap": 0.5, "hopeless": 0.1},
    ),
    Call(
        augmentation.basins,
        {"model": hebbian(networks), "patterns": networks, "flips": [0, 2], "sweeps": 2, "generator": rng()},
    ),
    Call(augmentation.radius, {"flips": [0, 2], "recalled": recalled, "level": 0.9}),
    Call(augmentation.complete_name, {"patterns": networks, "known": 2, "power": 3}),
    Call(augmentation.move, {"images": images, "down": 1, "right": -1}),
    Call(
        augmentation.nearest_right,
        {
            "memories": images,
            "labels": torch.arange(3),
            "images": images,
            "answers": torch.arange(3),
            "counts": [1, 3],
            "centre": images[0],
            "moves": [(0, 0), (1, 0)],
        },
    ),
    Call(augmentation.shared_ink, {"memories": ink, "images": ink, "reach": 1}),
    Call(augmentation.hausdorff, {"memories": ink, "images": ink}),
    Call(
        paraphrases.Meetings,
        {"names": met.names, "contexts": met.contexts, "values": met.values, "person": met.person},
    ),
    Call(
        paraphrases.meetings,
        {"copies": [2, 1], "name": 4, "context": 5, "value": 3, "networks": 2, "generator": rng(), "device": "cpu"},
        also={"copies": SOME},
    ),
    Call(paraphrases.least_squares, {"facts": met}),
    Call(paraphrases.response, {"weights": paraphrases.least_squares(met), "facts": met}),
    Call(paraphrases.name_response, {**TELL, "crowded": True}, also={"copies": SOME}),
    Call(paraphrases.gated_response, TELL, also={"copies": SOME}),
    Call(paraphrases.learn_gates, {"facts": met, "rounds": 3, "tolerance": 0.01}),
    Call(
        paraphrases.delta_rule,
        {"facts": met, "order": torch.arange(3), "rate": 0.5, "start": paraphrases.least_squares(met)},
    ),
    Call(
        paraphrases.biographies,
        {
            "people": 2,
            "copies": 2,
            "kind": "both",
            "name": 3,
            "wording": 4,
            "slots": 2,
            "fact": 3,
            "value": 2,
            "networks": 1,
            "generator": rng(),
            "device": "cpu",
        },
    ),
    Call(
        paraphrases.ordered_response,
        {"copies": 2, "kind": "both", "name": 3, "wording": 4, "slots": 2, "fact": 3},
    ),
    Call(capacity.asymptotic_error, {"load": load, "degree": 3}, also=DEGREES),
    Call(capacity.bit_error, {"neurons": 6, "count": 3, "interaction": Power(3)}),
    Call(capacity.capacity, {"neurons": 6, "interaction": Power(3), "error": 0.1}),
    Call(capacity.crosstalk, {"degree": 3}, also=DEGREES),
    Call(capacity.error_free, {"neurons": 9, "degree": 3, "stable": "all"}, also={**DEGREES, **WHOLES}),
    Call(capacity.exact_recall, {"error": load, "neurons": 5}, also=WHOLES),
    Call(capacity.learnable, {"patterns": spins, "answers": spins[:, 0]}),
    Call(capacity.sparse_errors, {"neurons": 40, "active": 3, "pairs": 20}),
    Call(
        capacity.sparse_recalls,
        {"neurons": 40, "active": 3, "pairs": 20, "recalls": 2, "networks": 2, "generator": rng()},
    ),
    Call(capacity.gaussian_error, {"load": load, "degree": 3, "rectified": True}, also=DEGREES),
    Call(
        capacity.load_at, {"error": 0.1, "degree": 3, "tail": "gaussian"}, also=DEGREES | {"error": [1e-200, 0.499999]}
    ),
    Call(
        transients.at_load,
        {"build": hopfield.hebbian, "neurons": 6, "load": 0.5, "degree": 2, "start": 0.5, "bits": 12, "steps": 3}
        | {"generator": rng(), "device": "cpu"},
        also=DEGREES,
    ),
    Call(transients.break_even, {"start": part, "degree": 3}, also=DEGREES),
    Call(transients.crossing_load, {"counts": [10, 20, 30], "shares": shares, "level": 0.2}),
    Call(transients.edge, {"degree": 3}, also=DEGREES),
    Call(transients.first_step, point, also=DEGREES),
    Call(transients.follow, {"build": hopfield.hebbian, "steps": 3, **drawn}),
    Call(transients.information, {"overlap": part}),
    Call(transients.large_network, {"sizes": [10, 20, 30], "found": shares}),
    Call(transients.moment, {"power": 3, "correlation": part}),
    Call(transients.one_unit, {**point, "steps": 3, "paths": 20, "generator": rng()}, also=DEGREES),
    Call(transients.pass_by, {"gain": 1.2, "step": 0.1, "steps": 3, **drawn}),
    Call(transients.second_step, {**point, "past": True}, also=DEGREES),
    Call(
        transients.slow_down,
        {"loads": [0.1, 0.2, 0.3, 0.5], "times": times, "resamples": 3, "generator": rng()},
    ),
    Call(transients.steps_above, {"overlap": part, "level": 0.6}),
    Call(transients.without_past, {**point, "steps": 3}, also=DEGREES),
    Call(
        counting_memory.counts, {"probabilities": ZIPF, "draws": [2, 5], "repeats": 2, "generator": rng()}, also=DRAWN
    ),
    Call(counting_memory.unseen_law, {"draws": np.array([10.0, 100.0]), "exponent": 2.0}),
    Call(counting_memory.zipf, {"count": 5, "exponent": 2.0}),
    Call(learned_memory.learn_matrix, {"optimiser": "adam", "layer_norm": True, **LEARN}),
    Call(learned_memory.learn_vectors, LEARN),
    Call(
        linear_memory.counted_errors,
        {"dimensions": [2, 4], "counts": torch.ones(2, 2, 6, dtype=torch.int64), "divisor": 2, **MEMORY},
        also={"dimensions": SOME},
    ),
    Call(linear_memory.equal_error, {"ratio": np.array([0.1, 2.0]), "answers": 5}),
    Call(linear_memory.most_frequent, {"tokens": 6, "dimensions": [2, 4], "divisor": 2}, also={"dimensions": SOME}),
    Call(linear_memory.pair_law, {"pairs": 9.0, "dimension": 16, "tail": "field"}),
    Call(linear_memory.pairs_at, {"dimension": 16, "all_pairs": True, "tail": "sphere"}),
    Call(
        linear_memory.pairs_recalled,
        {"pairs": 4, "dimension": 5, "probes": 2, "networks": 2, "generator": rng(), "device": "cpu"},
    ),
    Call(
        linear_memory.scheme_errors,
        {"dimensions": [2, 4], "strengths": torch.ones(1, 2, 6), "networks": 2, **MEMORY},
        also={"dimensions": SOME},
    ),
    Call(scaling_laws.Joint(**LAW).log_error, SURFACE),
    Call(
        scaling_laws.cheapest,
        {**SURFACE, "errors": np.exp(scaling_laws.Joint(**LAW).log_error(**SURFACE))[None], "costs": [4.0, 9.0]}
        | {"power": 2.0, "points": 9},
    ),
    Call(scaling_laws.estimate, {"samples": np.array([1.0, 0.5, 2.0]), "trials": 3}),
    Call(
        scaling_laws.fit_joint,
        {**SURFACE, "errors": np.exp(scaling_laws.Joint(**LAW).log_error(**SURFACE)), "form": "free"}
        | {"used": np.ones((3, 3), dtype=bool), "start": scaling_laws.Joint(**LAW)},
    ),
    Call(scaling_laws.floored, {"sizes": [1.0, 3.0, 9.0, 20.0], "errors": CURVES}),
    Call(scaling_laws.line, {"sizes": [1.0, 3.0, 9.0, 20.0], "errors": CURVES}),
    Call(
        scaling_laws.power_law,
        {"sizes": [1.0, 3.0, 9.0, 20.0], "errors": CURVES, "resamples": 3, "rng": np.random.default_rng(0)},
    ),
    Call(scaling_laws.resample, {"values": CURVES, "resamples": 3, "rng": np.random.default_rng(0)}),
    Call(long_tail.accuracy, {"distances": near, "right": right, "share": 0.7}),
    Call(
        long_tail.counted,
        {"probabilities": np.array([0.5, 0.5]), "draws": 3, "repeats": 2, "rng": np.random.default_rng(0)},
    ),
    Call(long_tail.held_at_once, {"neurons": 9, "count": 5, "exponent": 1.0, "error": 0.01}),
    Call(long_tail.held_at_rest, {"neurons": 9, "count": 5, "exponent": 1.0}),
    Call(long_tail.held_out, {"indices": torch.tensor([[0, 1], [2, 1]]), "right": right[:, :2].clone(), "kept": right}),
    Call(
        long_tail.helped,
        {"indices": torch.tensor([[0, 1], [2, 1]]), "influences": torch.eye(2, dtype=torch.float64), "memories": 3},
    ),
    Call(long_tail.influence, {"distances": near, "right": right, "share": 0.7}),
    Call(long_tail.memorisation, {"distances": near, "right": right, "share": 0.7}),
    Call(long_tail.neighbours, {"memories": torch.eye(4), "count": 2, "queries": torch.ones(2, 4)}),
    Call(long_tail.rank_at, {"errors": np.array([0.0, 0.01, 0.02, 0.05]), "level": 0.01}),
    Call(long_tail.ranked_errors, {**RANKED, "generator": rng(), "device": "cpu"}),
    Call(long_tail.ranked_overlaps, {**RANKED, "steps": 9, "generator": rng(), "device": "cpu"}),
    Call(long_tail.recalled, {"indices": torch.tensor([[0, 1], [2, 1]]), "right": right[:, :2].clone(), "kept": right}),
    Call(long_tail.unseen, {"probabilities": np.array([0.5, 0.5]), "draws": 3}),
    Call(
        long_tail.votes,
        {
            "images": torch.eye(4),
            "labels": torch.tensor([0, 1, 0, 1]),
            "power": 3,
            "share": 0.7,
            "subsets": 5,
            "generator": rng(),
        },
    ),
    Call(long_tail.weighted_hebbian, {"patterns": spins, "strengths": torch.ones(3, dtype=torch.float64)}),
]

# correlated, merging
corners = torch.eye(4, dtype=torch.float64)
EXAMPLES = {"examples": 4, "agreement": 0.6, "archetypes": 2, "neurons": 9}
CALLS += [
    Call(
        correlated.biased_patterns,
        {
            **{"count": 3, "neurons": 4, "bias": 0.5, "networks": (2,), "generator": rng()},
            **{"dtype": torch.float32, "device": "cpu"},
        },
    ),
    Call(correlated.biased_error, {"count": 5, "neurons": 9, "bias": 0.5}),
    Call(
        correlated.biased_one_step,
        {
            **{"build": hopfield.hebbian, "neurons": 9, "counts": [2, 3], "bias": 0.5, "networks": 2},
            **{"generator": rng(), "device": "cpu"},
        },
        also={"build": [None, "x", 3]},
    ),
    Call(
        correlated.half_way,
        {
            **{"build": hopfield.hebbian, "agreement": 0.6, "archetypes": 2, "neurons": 9, "kept": 0.9, "most": 3},
            **{"networks": 2, "generator": rng(), "device": "cpu"},
        },
        also={"build": [None, "x", 3]},
        spare={"most": "the loop ends where examples go, and takes as long as they stay"},
    ),
    Call(
        correlated.first_to_go,
        {"agreement": 0.6, "archetypes": 2, "neurons": 9, "degree": 2, "error": 0.1},
        infinite="so few are moved by no number of examples",
    ),
    Call(correlated.as_spins, {"images": torch.ones(2, 4, 4), "side": 2, "ink": 0.3}),
    Call(merging.slope, {"patterns": corners, "beta": 2.0, "state": torch.zeros(4, dtype=torch.float64)}),
    Call(correlated.covariance, {"patterns": spins, "means": torch.zeros(4, dtype=torch.float64)}),
    Call(features.mixtures, {"features": spins, "count": 5, "active": 3, "generator": rng()}),
    Call(features.feature_noise, {"count": 5, "features": 7, "neurons": 9, "active": 3}),
    Call(features.feature_error, {"count": 5, "features": 7, "neurons": 9, "active": 3}),
    Call(
        features.learning_curve,
        {
            **{"counts": [3, 5], "features": 4, "neurons": 9, "active": 3, "networks": 2, "probes": 2, "sweeps": 2},
            **{"kinds": ["stored", "unseen"], "generator": rng(), "device": "cpu"},
        },
    ),
    Call(correlated.examples_of, {"archetypes": spins, "count": 3, "agreement": 0.5, "generator": rng()}),
    Call(correlated.vote_error, {"voters": 4, "agreement": 0.5, "noise": 0.3}),
    Call(correlated.archetype_error, EXAMPLES),
    Call(correlated.example_error, {**EXAMPLES, "degree": 3}),
    Call(
        correlated.staying,
        {
            **{"build": hopfield.hebbian, **EXAMPLES, "networks": 2, "probes": 2, "steps": 3},
            **{"generator": rng(), "device": "cpu"},
        },
        also={"build": [None, "x", 3]},
    ),
    Call(correlated.column_overlaps, {"patterns": 4, "strength": Fraction(3, 5), "steps": 3, "generator": rng()}),
    Call(
        correlated.archetype_one_step,
        {"build": hopfield.hebbian, **EXAMPLES, "networks": 2, "generator": rng(), "device": "cpu"},
        also={"build": [None, "x", 3]},
    ),
    Call(
        correlated.cycle_rest,
        {"patterns": spins[:3][None], "strength": Fraction(3, 5), "sweeps": 2, "generator": rng()},
    ),
    Call(
        correlated.dissolve,
        {"examples": networks, "counts": [1, 2], "kept": 0.9, "steps": 3},
        also={"counts": SOME},
    ),
    Call(features.learning_transition, {"crowding": 0.02}),
    Call(
        features.learned_at,
        {"counts": [2, 5], "overlaps": torch.tensor([[0.1, 0.3], [0.7, 0.9]]), "level": 0.6},
        also={"counts": SOME},
    ),
    Call(
        correlated.recovered,
        {
            **{"model": hopfield.hebbian(spins), "patterns": spins, "flips": [0, 2], "tolerated": 1, "sweeps": 2},
            "generator": rng(),
        },
    ),
    Call(correlated.opposing_votes, {"patterns": spins, "degree": 3}, also={"degree": [999, 1000, 1001]}),
    Call(merging.window, {"patterns": 3}),
    Call(merging.equidistant, {"patterns": 3, "distance": 1.0}),
    Call(merging.merge, {"patterns": corners, "betas": [2.0, 9.0], "steps": 3, "close": 0.01}),
]

# forgetting
net, walls = hopfield.hebbian(networks), torch.tensor([[3, 5, 9], [2, 6, 8]])
AGES = {"ages": [[0, 1], 0, [[0]], [10**7], [0.5], "x", None]}
FITS = {"fits": [2, 3, 10**5 + 1]}
lines = torch.tensor([[[1.0, 0.0]], [[0.6, 0.8]]], dtype=torch.float64)
two_errors = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
side_by_side = tasks.learners(2, 3, 4, 2, power=3, rng=np.random.default_rng(0))
seen = (torch.arange(2 * 2 * 6 * 4.0) % 7 / 4 - 0.75).reshape(2, 2, 6, 4)
named = (torch.arange(24) % 2).reshape(2, 2, 6)
swapped = torch.tensor([1, 0, 3, 2]).expand(2, 2, 4).contiguous()
ONE_TASK = {"images": seen[:, 0].contiguous(), "digits": named[:, 0].contiguous()}
TWO = {"images": seen, "digits": named, "asked": seen[0, 0], "answers": named[0, 0]}
short = Schedule(epochs=1, loss=4, hot=2.0, cold=2.0, batch=4)
soft = tasks.springs(side_by_side, **ONE_TASK, temperature=2.0, loss=4, strength=torch.tensor(0.1))
frame = scaffold.scaffold((2, 3), 5, rng=np.random.default_rng(0))
CALLS += [
    Call(forgetting.fading, {"count": 3, "time": 2.0, "dtype": torch.float32}),
    Call(forgetting.decay_time, {"neurons": 9, "error": 0.1}),
    Call(forgetting.decay_lifetime, {"neurons": 9, "time": 2.0, "error": 0.1}),
    Call(forgetting.bounded, {"patterns": networks, "bound": 2}),
    Call(forgetting.bounded_signal, {"bound": 2, "ages": [0, 3]}, also=AGES),
    Call(forgetting.bounded_lifetime, {"neurons": 90, "bound": 2, "error": 0.1}),
    Call(forgetting.settle, {"model": net, "patterns": networks, "ages": [0, 1], "steps": 3}, also=AGES),
    Call(forgetting.wrong_once, {"model": net, "patterns": networks, "ages": [0, 1]}, also=AGES),
    Call(
        forgetting.error_age,
        {"wrong": walls, "neurons": 20, "ages": [0, 4, 9], "error": 0.2},
        also=AGES,
    ),
    Call(forgetting.held, {"overlaps": near / 3, "ages": [0, 2, 4], "level": 0.5}, also=AGES),
    Call(forgetting.two_valued_signal, {"synapses": 9, "chance": 0.5, "ages": [0, 2]}, also=AGES),
    Call(forgetting.agreements, {"synapses": 9, "chance": 0.5, "oldest": 2, "units": 3, "rng": RNG}),
    Call(forgetting.lifetime, {"signals": np.array([3.0, 2.0, 0.5])}),
    Call(sequential.two_task_loss, {"angle": one, "fits": 3}, also=FITS),
    Call(sequential.fit, {"inputs": lines, "errors": two_errors}),
    Call(sequential.descend, {"inputs": lines, "errors": two_errors, "small": 1e-6, "steps": 100}),
    Call(sequential.tasks_at_random, {"sets": 2, "tasks": 2, "dimensions": 3, "tilt": 0.5, "rng": RNG}),
    Call(sequential.cyclic_forgetting, {"inputs": lines, "fits": 3}),
    Call(sequential.cyclic_bound, {"tasks": 2, "dimensions": 3, "fits": 4}),
    Call(tasks.Learners, {"weights": side_by_side.weights, "classes": 2, "power": 3}),
    Call(side_by_side.one, {"seed": 1, "model": 0, "temperature": 2.0}),
    Call(tasks.Springs, {"stiffness": side_by_side.weights.abs(), "pull": side_by_side.weights}),
    Call(
        tasks.learners,
        {
            **{"seeds": 2, "memories": 3, "pixels": 4, "classes": 2, "power": 3, "rng": RNG, "mean": 0.1},
            **{"deviation": 0.3, "dtype": torch.float32, "device": "cpu"},
        },
    ),
    Call(tasks.permute, {"pixels": 9, "share": 0.5, "generator": rng()}),
    Call(tasks.accuracy, {"models": side_by_side, **ONE_TASK, "orders": swapped[:, :1]}),
    Call(
        tasks.train,
        {
            **{"models": side_by_side, **ONE_TASK, "schedule": short, "generator": rng(), "scale": "network"},
            **{"orders": None, "held": soft, "rehearsed": (ONE_TASK["images"], ONE_TASK["digits"])},
        },
        also={"orders": [swapped[:, :1], swapped], "rehearsed": [(seen[:, 0], None), (seen, named), (1, 2)]},
    ),
    Call(
        tasks.springs,
        {
            **{"models": side_by_side, **ONE_TASK, "temperature": 2.0, "loss": 4, "strength": torch.tensor([0.5])},
            "before": soft,
        },
    ),
    Call(
        tasks.two_tasks,
        {
            **{"start": side_by_side, **TWO, "schedule": short, "orders": swapped, "generator": rng()},
            "scale": "memory",
        },
    ),
    Call(
        tasks.course,
        {
            **{"start": side_by_side, **TWO, "schedule": short, "orders": swapped, "generator": rng()},
            **{"scale": "memory", "stored": 2, "strength": torch.tensor(0.5)},
        },
    ),
    Call(tasks.omega, {"accuracies": torch.eye(3) / 2, "ideal": torch.tensor(0.5)}),
    Call(scaffold.Scaffold, {"forward": frame.forward, "periods": (2, 3), "threshold": 9}),
    Call(frame.phases),
    Call(frame.places),
    Call(
        frame.fixed, {"learned": torch.tensor([0, 7]), "rule": "hebb", "ridge": 0.0}, also={"rule": ["least squares"]}
    ),
    Call(frame.fixed, {"learned": torch.tensor([0, 7]), "rule": "least squares", "ridge": 1.0}),
    Call(
        scaffold.scaffold,
        {"periods": (2, 3), "places": 5, "threshold": 2.0, "rng": RNG, "device": "cpu"},
    ),
    Call(scaffold.shells, {"side": 6, "count": 9}),
]

# transformer_growth, classifier_growth, held_out
SMALL = {"heads": 1, "width": 2, "memories": 3, "steps": 2}
small = crowd([transformer_growth.blank_completer(4, 2, 3, **SMALL, rng=np.random.default_rng(k)) for k in range(2)])
cut, gone = torch.rand(5, 4, 2, generator=rng()), torch.tensor([[True, False, True, False]] * 5)
LESSONS = {"hidden": 2, "batch": 2, "steps": 2, "rate": 0.01, "stretches": 2, "generator": rng()}
whose = [torch.arange(3), torch.arange(2, 5)]
clouds, kinds = torch.eye(4)[torch.arange(6) % 3], torch.arange(6) % 3
voters = classifier_growth.voting(clouds, kinds, 4, power=3, classes=3, generator=rng())
school = crowd([voters, voters])
DIVISOR = {"stretches": "a divisor of the steps, and as many are made as are asked for"}
LONG = {"steps": "as many are made as are asked for", **DIVISOR}
curve = np.geomspace(1, 0.1, 7)
CALLS += [
    Call(transformer_growth.operations, {"tokens": 4, "pixels": 2, "features": 3, **SMALL}),
    Call(
        transformer_growth.blank_completer,
        {
            **{"tokens": 4, "pixels": 2, "features": 3, **SMALL, "rng": np.random.default_rng(0), "step": 0.5},
            **{"sharp": 4.0, "places": 1.0, "dtype": torch.float32, "device": "cpu"},
        },
    ),
    Call(
        transformer_growth.train_completers,
        {"models": small, "patches": cut, "owned": whose, "decay": 0.05, **LESSONS},
        spare=LONG,
    ),
    Call(transformer_growth.completed, {"models": small, "patches": cut, "hidden": gone, "steps": 2}, spare=LONG),
    Call(transformer_growth.ends_apart, {"models": small, "patches": cut, "hidden": gone, "steps": 2}, spare=LONG),
    Call(
        transformer_growth.grow,
        {"models": small, "patches": cut, "owned": whose, "unseen": cut, "cue": gone, "longer": 2, **LESSONS},
        spare={**LONG, "longer": "so many steps are made"},
    ),
    Call(transformer_growth.half_of_rise, {"counts": [1, 10, 100], "errors": [0.1, 0.2, 0.5]}),
    Call(
        classifier_growth.voting,
        {
            **{"images": clouds, "digits": kinds, "memories": 4, "power": 3, "noise": 0.5, "classes": 3},
            **{"temperature": 1.0, "generator": rng()},
        },
    ),
    Call(classifier_growth.calibrated, {"classifier": voters, "images": clouds}),
    Call(
        classifier_growth.train_classifiers,
        {"models": school, "images": clouds, "digits": kinds, "owned": whose}
        | {key: value for key, value in LESSONS.items() if key != "hidden"},
        spare=LONG,
    ),
    Call(classifier_growth.errors, {"models": school, "images": clouds, "digits": kinds}),
    Call(
        held_out.every_other,
        {"sizes": np.geomspace(1, 100, 7), "errors": np.stack([curve, curve]), "resamples": 2}
        | {"rng": np.random.default_rng(0)},
    ),
    Call(
        held_out.chessboard,
        {"first": np.geomspace(1, 9, 4), "second": np.geomspace(1, 9, 4), "errors": np.full((2, 4, 4), 0.5)}
        | {"resamples": 2, "rng": np.random.default_rng(0)},
    ),
]

# recall, retrieved_context, tiring
orders = torch.tensor([[0, 2, 1], [2, 1, -1]])
learned = retrieved_context.study(3, 0.6)
RANDOM = {"generator": rng(), "device": "cpu"}
CALLS += [
    Call(recall.centred_cosines, {"gram": corners}),
    Call(recall.lag_counts, {"order": orders, "length": 3}),
    Call(recall.law, {"count": 9, "mutual": True}),
    Call(recall.recalled, {"order": orders}),
    Call(
        recall.ratio_of_means,
        {"over": np.array([1.0, 2.0, 3.0]), "under": np.array([2.0, 1.0, 2.0]), "resamples": 50, "rng": RNG},
    ),
    Call(recall.sparse_overlaps, {"count": 3, "units": 9, "share": 0.2, "sets": 2, "generator": rng()}),
    Call(recall.uneven, {"order": orders, "length": 3}),
    Call(recall.untied, {"overlaps": corners, "generator": rng()}),
    Call(recall.walk, {"similarity": waves[:, :, None] * waves[:, None], "starts": torch.tensor([[0], [3]])}),
    Call(recall.walk_in_time, {"length": 4, "lists": 2, "strength": 0.5, "kept": 0.8, **RANDOM}),
    Call(recall.walk_lengths, {"count": 9, "lists": 2, "mutual": True, **RANDOM}),
    Call(
        retrieved_context.Studied,
        {"items": learned.items, "contexts": learned.contexts, "end": learned.end},
    ),
    Call(
        retrieved_context.recall,
        {
            **{"studied": learned, "lists": 2, "renewal": 0.6, "own": 0.5, "choice": "power", "sharpness": 4.0},
            **{"rule": "all", "most": 3, "first": torch.tensor([0, 2]), "generator": rng()},
        },
        also={"choice": ["softmax"], "rule": ["circle"]},
    ),
    Call(retrieved_context.study, {"length": 3, "drift": 0.6, "between": 1.0, "after": 0.5, "device": "cpu"}),
    Call(learned.strengths, {"context": learned.end}),
    Call(learned.retrieved, {"own": 0.5}),
    Call(tiring.sparse_items, {"count": 3, "units": 9, "active": 2, "networks": 2, **RANDOM}),
    Call(
        tiring.tiring_walk,
        {"items": torch.eye(4)[None], "walks": 2, "updates": 5, "generator": rng()},
        spare={"updates": "the loop ends with the state at rest, and takes as long as it does not"},
    ),
]


SIZES = {
    "recall.sparse_overlaps": "count units sets",
    "recall.walk_in_time": "length lists",
    "recall.walk_lengths": "lists",
    "retrieved_context.recall": "lists",
    "retrieved_context.study": "length",
    "tiring.sparse_items": "count units networks",
    "emergence.feature_recall": "features neurons networks",
    "emergence.stored_recall": "neurons networks",
    "growing.chain_recalls": "dimension pairs networks",
    "growing.grow": "last draws",
    "transients.at_load": "neurons bits steps",
    "transients.follow": "neurons count networks steps",
    "transients.one_unit": "steps paths",
    "transients.pass_by": "neurons count networks steps",
    "transients.slow_down": "resamples",
    "transients.without_past": "steps",
}


@pytest.mark.parametrize(("name", "size"), [(name, size) for name in SIZES for size in SIZES[name].split()])
def test_what_no_memory_holds_is_refused_before_it_is_drawn(name, size):
    (call,) = [call for call in CALLS if call.name == name]
    with pytest.raises(ArgumentError), edges.bounded():
        call.function(**{**call.arguments, size: 2**50})


TestSpoiledCalls = edges.laws("memscape.capacity", CALLS, {}, examples=10)
