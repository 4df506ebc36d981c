"""Every public callable of the memories, spoiled: a finite result, or a refusal that names the argument."""

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.memory import (
    anomalies,
    attention,
    classifier,
    completion,
    conversions,
    dense,
    dynamics,
    energy_transformer,
    hopfield,
    lagrangians,
    mean_field,
    patterns,
    probability_flow,
    recall,
    robust,
    saddles,
    simplicial,
    splitting,
    teacher_student,
    waddington,
)
from memscape.tools import complexes

from .. import edges
from ..draws import normal, rng
from ..edges import Call

f64 = torch.float64
BEYOND = "a number beyond the dtype, as torch has it: an interaction is applied to every entry alone"
xi, spins = patterns.random_patterns(2, 6, generator=rng()), patterns.random_patterns(3, 6, generator=rng(1))
bits = (xi + 1) / 2
x = torch.linspace(-1, 1, 12, dtype=f64).reshape(2, 6)
J, theta = torch.ones(3, 3, dtype=f64) - torch.eye(3, dtype=f64), torch.zeros(3, dtype=f64)
one, two = torch.tensor([0.1], dtype=f64), torch.tensor([0.05, 0.1], dtype=f64)
where = torch.tensor([[True, False, True]])


def numpy_rng() -> np.random.Generator:
    return np.random.default_rng(0)


hop = hopfield.hebbian(xi)
graded = hopfield.Graded(J, theta, 1.0)
power, rectified, exponential = dense.Power(3), dense.Rectified(3), dense.Exponential()
memory = dense.DenseMemory(xi, power)
modern = attention.ModernHopfield(x, 1.0)
simplices = complexes.complete(6, (1, 2))
simplicial_memory = simplicial.store(xi, simplices)
skeleton = simplicial.Skeleton(6, (1,))
cliques = robust.CliqueNetwork(4, torch.tensor([1.0, -0.5, 0.2], dtype=f64))
clique_spins = robust.every_clique(4, 3)
cone = robust.CliqueCone(5, 3)
K5, t5 = torch.zeros(15, 15, dtype=f64), torch.zeros(15, dtype=f64)
K4, t4 = torch.zeros(6, 6, dtype=f64), torch.zeros(6, dtype=f64)
two_body = lagrangians.model_b(x)
potential = normal(0, 8)
log_cosh, log_sum, quadratic = lagrangians.LogCosh(1.0), lagrangians.LogSumExp(1.0), lagrangians.Quadratic()
additive, spherical = lagrangians.AdditivePower(3), lagrangians.Spherical()
layer = lagrangians.LayerNorm(torch.ones((), dtype=f64), torch.zeros(6, dtype=f64))
block = energy_transformer.random_transformer(6, heads=1, width=2, memories=3, rng=numpy_rng())
query_side = energy_transformer.QuerySide(block)
draws = classifier.random_classifier(4, 3, 2, power=3, temperature=2.0, rng=numpy_rng())
images, digits = torch.rand(4, 3, generator=rng()), torch.tensor([0, 1, 0, 1])
schedule = classifier.Schedule(epochs=2, loss=2, hot=2.0, cold=1.0, batch=2)
completer = completion.random_completer(
    4, 3, 5, heads=1, width=2, memories=3, step=0.1, steps=2, rng=numpy_rng(), dtype=f64
)
patches = torch.rand(4, 4, 3, dtype=f64, generator=rng())
hidden = torch.zeros(4, 4, dtype=torch.bool)
hidden[:, 0] = True
graph = anomalies.planted_graph(
    12, communities=2, features=3, degree=3.0, inside=0.8, noise=0.1, anomalies=2, rng=numpy_rng()
)
detector = anomalies.random_detector(3, 4, heads=1, width=2, memories=3, step=0.1, steps=2, rng=numpy_rng())
unit = saddles.normalise(normal(1, 6, 4))
targets = saddles.soften(torch.tensor([0, 1, 0, 1, 0, 1]), classes=2, softening=0.1, dtype=f64)
priors = torch.tensor([0.4, 0.4, 0.2], dtype=f64)
mixture = saddles.random_mixture(3, unit[0], priors, beta=5.0, spread=0.1, background=0.1, rng=numpy_rng())
recipe = saddles.Recipe(batch=3)
pair = waddington.Pair(3.0, 1.0, 3.0, 1.0)
pool = splitting.KeyValue(normal(2, 3, 4), normal(3, 3, 3), torch.zeros(3, dtype=f64), 1.0)
found = recall.one_step(hopfield.hebbian, 6, 2, networks=2, probes=2, generator=rng())
learned = probability_flow.minimum_probability_flow(xi, steps=5)
stage = splitting.Stage(mixture, [1.0], torch.arange(3), 0.0)
splits = splitting.Splits(-torch.ones(3, dtype=f64), unit[:3])
drawn = {"networks": 2, "probes": 2, "generator": rng(), "device": "cpu"}

CALLS = [
    Call(
        anomalies.planted_graph,
        {
            **{"nodes": 12, "communities": 2, "features": 3, "degree": 3.0, "inside": 0.8, "noise": 0.1},
            **{"anomalies": 2, "rng": numpy_rng(), "dtype": f64, "device": "cpu"},
        },
    ),
    Call(
        anomalies.random_detector,
        {
            **{"inputs": 3, "features": 4, "heads": 1, "width": 2, "memories": 3, "step": 0.1, "steps": 2},
            **{"rng": numpy_rng(), "dtype": f64, "device": "cpu"},
        },
    ),
    Call(anomalies.Detector, {**vars(detector)}),
    Call(detector.score, {"features": graph.features, "adjacency": graph.adjacency}),
    Call(
        anomalies.train_detector,
        {
            **{"model": detector, "graph": graph, "known": torch.arange(12) % 2 == 0, "epochs": 1, "rate": 0.1},
            **{"decay": 0.1},
        },
    ),
    Call(attention.ModernHopfield, {"patterns": x, "beta": 1.0}),
    Call(modern.energy, {"state": x}),
    Call(modern.update, {"state": x}),
    Call(modern.weights, {"state": x}),
    Call(attention.attend, {"queries": x, "keys": x, "values": x, "beta": 1.0, "mask": torch.eye(2, dtype=torch.bool)}),
    Call(attention.capacity_constants, {"neurons": 20, "radius": 3.0, "failure": 0.001, "beta": 1.0}),
    Call(attention.effective_number, {"weights": torch.tensor([[0.5, 0.5]])}),
    Call(attention.fixed_point_bound, {"patterns": x, "beta": 1.0}),
    Call(attention.hold_bounds, {"patterns": x, "states": x, "beta": 1.0}),
    Call(attention.one_step_bound, {"patterns": x, "distance": two, "beta": 1.0}),
    Call(attention.retrieval_onset, {"patterns": 5}),
    Call(attention.separation, {"patterns": x}),
    Call(
        classifier.Classifier,
        {"images": images, "labels": torch.rand(4, 2, generator=rng()), "power": 3, "temperature": 1.0, "size": 1.0},
    ),
    Call(
        classifier.random_classifier,
        {
            **{"memories": 3, "pixels": 3, "classes": 2, "power": 3, "temperature": 2.0, "rng": numpy_rng()},
            **{"size": 1.0, "mean": 0.0, "deviation": 0.3, "dtype": f64, "device": "cpu"},
        },
    ),
    Call(
        classifier.Schedule,
        {
            **{"epochs": 2, "loss": 2, "hot": 2.0, "cold": 1.0, "ramp": 20, "rate": 0.1, "decay": 0.9},
            **{"momentum": 0.5, "batch": 2},
        },
    ),
    Call(schedule.temperature, {"epoch": 1}),
    Call(classifier.error_rate, {"classifier": draws, "images": images, "digits": digits}),
    Call(classifier.gradient, {"classifier": draws, "images": images, "digits": digits, "loss": 4}),
    Call(
        classifier.train,
        {"classifier": draws, "images": images, "digits": digits, "schedule": schedule, "generator": rng()},
    ),
    Call(draws.contributions, {"images": images, "digits": digits}),
    Call(draws.inputs, {"images": images}),
    Call(completion.to_patches, {"images": torch.rand(2, 4, 4, generator=rng()), "size": 2}),
    Call(completion.from_patches, {"patches": torch.rand(2, 4, 4, generator=rng())}),
    Call(completion.hide, {"images": 2, "tokens": 4, "hidden": 1, "generator": rng()}),
    Call(completion.hidden_error, {"filled": patches, "truth": patches, "hidden": hidden}),
    Call(completion.gaussian_completion, {"training": patches, "patches": patches, "hidden": hidden, "ridge": 0.1}),
    Call(completion.nearest_completion, {"training": patches, "patches": patches, "hidden": hidden, "neighbours": 1}),
    Call(
        completion.random_completer,
        {
            **{"tokens": 4, "pixels": 3, "features": 5, "heads": 1, "width": 2, "memories": 3, "step": 0.1},
            **{"steps": 2, "rng": numpy_rng(), "dtype": f64, "device": "cpu"},
        },
    ),
    Call(completion.Completer, {**vars(completer)}),
    Call(completer.embed, {"patches": patches, "hidden": hidden}),
    Call(completer.complete, {"patches": patches, "hidden": hidden}),
    Call(completer.decode, {"state": torch.rand(4, 5, dtype=f64, generator=rng())}),
    Call(
        completion.train_completer,
        {
            **{"model": completer, "patches": patches, "hidden": 1, "batch": 2, "epochs": 1, "rate": 0.1},
            **{"decay": 0.1, "longest": 2, "generator": rng()},
        },
    ),
    Call(conversions.deviations, {"arrow": conversions.ARROWS[0], "patterns": xi, "state": spins}),
    Call(dense.DenseMemory, {"patterns": xi, "interaction": power}),
    *[Call(method, {"state": spins}) for method in (memory.energy, memory.field, memory.track, memory.update)],
    *[Call(kind, {"n": 3}, also={"n": [18, 19, 20, 151, 400]}) for kind in (dense.Power, dense.Rectified)],
    Call(dense.Exponential),
    *[Call(function, {"x": x}, infinite=BEYOND) for function in (power, rectified, exponential, skeleton)],
    *[Call(f.derivative, {"x": x}, infinite=BEYOND) for f in (power, rectified, exponential, skeleton)],
    *[Call(function.exact, {"x": 3}) for function in (power, rectified, skeleton)],
    *[Call(function.fit, {"neurons": 6}) for function in (power, rectified, exponential, skeleton)],
    Call(dense.exponential_retrieval, {"queries": x, "patterns": x, "beta": 1.0}),
    Call(
        dynamics.asynchronous,
        {"model": hop, "state": spins, "sweeps": 2, "temperature": 0.5, "generator": rng()},
    ),
    Call(dynamics.evolve, {"model": two_body, "potential": potential, "step": 0.1, "steps": 2}),
    Call(dynamics.gradient_flow, {"model": two_body, "potential": potential, "step": 0.1, "steps": 2}),
    Call(dynamics.iterate, {"model": hop, "state": spins, "steps": 2}),
    Call(
        dynamics.largest_lyapunov_exponent,
        {"tangent": lambda u, v: (-u, -v), "state": x, "step": 0.1, "steps": 5},
    ),
    Call(dynamics.synchronous, {"model": hop, "state": spins, "steps": 3}),
    Call(dynamics.trajectory, {"flow": torch.neg, "state": x, "step": 0.1, "steps": 2, "every": 1}),
    Call(energy_transformer.EnergyTransformer, {**vars(block)}),
    Call(block.energy, {"state": x}),
    Call(block.flow, {"state": x}),
    Call(block.forces, {"state": x}),
    Call(block.parts, {"outputs": x}),
    Call(block.energy_of_outputs, {"outputs": x}),
    Call(energy_transformer.QuerySide, {"whole": block}),
    Call(query_side.flow, {"state": x}),
    Call(energy_transformer.rises, {"energies": x, "slack": 0.1}),
    Call(
        energy_transformer.random_transformer,
        {
            **{"features": 4, "heads": 1, "width": 2, "memories": 3, "rng": numpy_rng(), "spread": 0.1},
            **{"spread_memories": 0.1, "dtype": f64, "device": "cpu"},
        },
    ),
    Call(hopfield.Hopfield, {"couplings": J, "thresholds": theta, "unit": 1.0}),
    *[Call(method, {"state": spins}) for method in (hop.energy, hop.track, hop.update)],
    Call(hopfield.Graded, {"weights": J, "inputs": theta, "gain": 1.0, "resistance": 1.0}),
    *[Call(method, {"potential": theta + 0.5}) for method in (graded.energy, graded.flow, graded.output)],
    Call(hopfield.from_bits, {"couplings": J, "thresholds": theta, "unit": 1.0}),
    Call(hopfield.to_bits, {"model": hop}),
    Call(hopfield.hebbian, {"patterns": xi, "self_coupling": True}),
    Call(hopfield.projection, {"patterns": xi}),
    Call(hopfield.zero_one, {"patterns": xi}),
    Call(hopfield.require_bits, {"couplings": J, "thresholds": theta}),
    Call(hopfield.require_network, {"couplings": J, "thresholds": theta}),
    Call(hopfield.require_symmetric, {"argument": "couplings", "weights": J}),
    Call(hopfield.stability, {"model": hop, "patterns": xi}),
    Call(lagrangians.AdditivePower, {"n": 3}),
    Call(lagrangians.LayerNorm, {"gamma": layer.gamma, "delta": layer.delta, "eps": 1e-5}),
    Call(lagrangians.LogCosh, {"gain": 1.0}),
    Call(lagrangians.LogSumExp, {"beta": 1.0}),
    Call(lagrangians.Quadratic),
    Call(lagrangians.Spherical),
    Call(lagrangians.TwoBody, {**vars(two_body), "inputs": torch.zeros(6, dtype=f64)}),
    Call(two_body.adiabatic, {"features": x}),
    Call(two_body.energy, {"potential": potential}),
    Call(two_body.flow, {"potential": potential}),
    Call(lagrangians.model_a, {"patterns": x, "n": 3, "gain": 10.0, "time_hidden": 1.0}),
    Call(lagrangians.model_b, {"patterns": x, "beta": 1.0, "time_hidden": 1.0}),
    Call(lagrangians.model_c, {"patterns": x, "n": 3, "time_hidden": 1.0}),
    Call(mean_field.critical_load),
    Call(mean_field.first_order_load, {"temperature": one}),
    Call(mean_field.mixture_curvature, {"size": 3, "temperature": 0.3}),
    Call(mean_field.mixture_energy, {"size": 3}),
    Call(mean_field.mixture_load, {"size": 3}),
    Call(mean_field.mixture_overlap, {"size": 3, "temperature": 0.3}),
    Call(mean_field.mixture_temperature, {"size": 3}),
    Call(mean_field.one_step_load, {"error": one}),
    Call(mean_field.retrieval, {"load": two, "temperature": one}),
    Call(mean_field.retrieval_load, {"temperature": one}),
    Call(mean_field.spin_glass, {"load": two, "temperature": one}),
    Call(mean_field.spin_glass_temperature, {"load": one}),
    Call(patterns.flip, {"state": spins, "count": 2, "generator": rng()}),
    Call(patterns.mixture, {"patterns": spins, "members": [0, 1, 2]}),
    Call(patterns.overlap, {"patterns": xi, "state": spins}),
    Call(
        patterns.random_patterns,
        {"count": 2, "neurons": 3, "networks": (2,), "generator": rng(), "dtype": f64, "device": "cpu"},
    ),
    Call(
        patterns.require_state,
        {"argument": "state", "state": spins, "like": xi, "values": "spins"},
        spare={"like": "the caller's own tensor", "values": "the caller's own word", "argument": "only said again"},
    ),
    Call(probability_flow.log_flow, {"couplings": J, "thresholds": theta, "patterns": 2 * torch.eye(3, dtype=f64) - 1}),
    Call(probability_flow.minimum_probability_flow, {"patterns": xi, "steps": 5, "gap": 0.05, "hopeless": 0.0}),
    Call(probability_flow.perceptron, {"patterns": xi, "epochs": 5}),
    Call(learned.network),
    Call(
        recall.from_patterns,
        {"build": hopfield.hebbian, "neurons": 6, "count": 2, "sweeps": 3, "dtype": f64, **drawn},
    ),
    Call(
        recall.from_random,
        {"build": hopfield.hebbian, "neurons": 6, "count": 2, "sweeps": 3, "dtype": f64, **drawn},
    ),
    Call(recall.in_step, {"build": hopfield.hebbian, "neurons": 6, "count": 2, "flips": 1, "steps": 3, **drawn}),
    Call(recall.one_step, {"build": hopfield.hebbian, "neurons": 6, "count": 2, **drawn}),
    Call(
        recall.step_curve,
        {"build": hopfield.hebbian, "neurons": 6, "counts": [2], "bits": 12, "generator": rng(), "device": "cpu"},
    ),
    Call(found.within, {"errors": 1}),
    Call(robust.CliqueCone, {"vertices": 5, "clique": 3}),
    Call(cone.contains, {"shared": 1, "disjoint": 0.5, "threshold": 2}),
    Call(cone.costs, {"shared": 1, "disjoint": 0.5, "threshold": 2}),
    Call(cone.widest),
    Call(robust.CliqueNetwork, {"vertices": 4, "weights": cliques.weights}),
    *[
        Call(method, {"state": clique_spins})
        for method in (cliques.degrees, cliques.energy, cliques.field, cliques.track, cliques.update)
    ],
    Call(cliques.dense),
    Call(robust.classes, {"couplings": K4, "thresholds": t4, "vertices": 4}),
    Call(robust.clique_bound, {"couplings": K5[:10, :10], "thresholds": t5[:10], "vertices": 5, "clique": 3}),
    Call(robust.edges, {"vertices": 4}),
    Call(robust.every_clique, {"vertices": 4, "clique": 3, "dtype": f64, "device": "cpu"}),
    Call(robust.noise_limit, {"vertices": 8, "clique": 4, "weights": robust.CliqueCone(8, 4).widest()}),
    Call(robust.noise_weights, {"vertices": 8, "clique": 4}, also={"vertices": [6, 9, 15, 16], "clique": [5, 6]}),
    Call(
        robust.random_cliques,
        {
            **{"vertices": 4, "clique": 3, "count": 2, "networks": (2,), "generator": rng(), "dtype": f64},
            "device": "cpu",
        },
    ),
    Call(saddles.Mixture, {**vars(mixture)}),
    Call(mixture.classify, {"images": unit}),
    Call(mixture.log_joint, {"images": unit}),
    Call(mixture.loss, {"images": unit, "targets": targets}),
    Call(saddles.Recipe, {"rate": 0.1, "momentum": 0.9, "batch": 3}),
    Call(recipe.faster, {"factor": 2.0}),
    Call(
        saddles.critical_point,
        {"model": mixture, "images": unit, "targets": targets, "steps": 3, "tolerance": 1.0, "rate": 1.0},
    ),
    Call(saddles.duplicate, {"model": mixture}),
    Call(saddles.gradient, {"model": mixture, "images": unit, "targets": targets}),
    Call(saddles.log_normaliser, {"beta": 5.0, "neurons": 4, "exact": True}, also={"neurons": [3, 2**53]}),
    Call(saddles.normalise, {"images": torch.rand(2, 3, generator=rng())}),
    Call(
        saddles.random_mixture,
        {
            **{"memories": 3, "centre": unit[0], "priors": priors, "beta": 5.0, "spread": 0.1},
            **{"background": 0.1, "rng": numpy_rng()},
        },
    ),
    Call(saddles.residual, {"model": mixture, "images": unit, "targets": targets}),
    Call(saddles.soften, {"digits": digits, "classes": 2, "softening": 0.1, "dtype": f64}),
    Call(saddles.tangent, {"vectors": unit, "points": unit}),
    Call(
        saddles.train,
        {"model": mixture, "images": unit, "targets": targets, "recipe": recipe, "epochs": 1, "generator": rng()},
    ),
    Call(simplicial.Simplicial, {**simplicial_memory.__getstate__()}),
    *[
        Call(method, {"state": spins})
        for method in (simplicial_memory.energy, simplicial_memory.field, simplicial_memory.track)
    ],
    Call(simplicial_memory.update, {"state": spins}),
    Call(simplicial.Skeleton, {"neurons": 6, "dimensions": (1,)}),
    Call(
        simplicial.diluted,
        {"neurons": 6, "key": "R_12", "connections": 5, "networks": (2,), "generator": rng()},
    ),
    Call(simplicial.matched, {"neurons": 6, "key": "R_12"}, also={"neurons": [2, 3, 2**53]}),
    Call(simplicial.next_overlap, {"inputs": {1: 3.0}, "patterns": 3, "overlap": one}),
    Call(simplicial.skeleton, {"patterns": xi, "dimension": 2}),
    Call(simplicial.store, {"patterns": xi, "simplices": simplices}),
    Call(splitting.KeyValue, {**vars(pool)}),
    Call(pool, {"queries": unit}),
    Call(splitting.attention_gradient, {"model": pool, "queries": unit, "answers": targets}),
    Call(
        splitting.descend,
        {"model": pool, "queries": unit, "answers": targets, "recipe": recipe, "epochs": 1, "generator": rng()},
    ),
    Call(
        splitting.fit,
        {
            **{"model": mixture, "data": (unit, targets), "validation": (unit, targets), "recipe": recipe},
            **{"epochs": 1, "patience": 1, "generator": rng()},
        },
    ),
    Call(
        splitting.grow,
        {
            **{"model": mixture, "data": (unit, targets), "validation": (unit, targets), "recipe": recipe},
            **{"limit": 4, "epochs": 1, "patience": 1, "steps": 2, "scaled": True, "generator": rng()},
        },
    ),
    Call(
        splitting.grow_keys,
        {
            **{"model": pool, "queries": unit, "answers": targets, "recipe": recipe, "limit": 4, "epochs": 1},
            **{"steps": 2, "generator": rng()},
        },
    ),
    Call(splitting.saving, {"whole": stage, "stages": [stage]}),
    Call(splitting.split, {"model": mixture, "found": splits, "limit": 6, "threshold": -0.001, "step": 0.25}),
    Call(splitting.split_keys, {"model": pool, "found": splits, "limit": 6, "threshold": -0.001, "step": 0.25}),
    Call(
        splitting.splits,
        {
            **{"inputs": unit, "pulls": normal(5, 6, 3), "keys": unit[:3], "beta": 1.0, "spherical": True},
            **{"steps": 2, "generator": rng()},
        },
    ),
    Call(splitting.work_to, {"stages": [stage], "target": 2.0}, infinite="the target is never reached"),
    Call(teacher_student.free_entropy, {"temperature": 1.0, "q": 0.5, "order": 3}),
    Call(teacher_student.gardner_line, {"order": 3}),
    Call(teacher_student.glass, {"temperature": 0.5, "order": 3, "start": (1.0, 0.82)}),
    Call(teacher_student.glass_line, {"order": 3}),
    Call(teacher_student.local_line, {"order": 3}),
    Call(teacher_student.overlap, {"temperature": 0.5, "order": 3, "steps": 10}),
    Call(teacher_student.retrieval_line, {"order": 3}),
    Call(waddington.Pair, {"aa": 3.0, "ab": 1.0, "bb": 3.0, "temperature": 1.0, "others": 8}),
    Call(pair.fixed_points, {"n": 3.0, "points": 11}),
    Call(pair.flow, {"share": 0.5, "n": 3.0}),
    Call(pair.fold, {"share": 0.5, "n": 3.0}),
    Call(waddington.agreement, {"orders": [(0, 1, 2), (1, 0, 2)], "first": 2}),
    Call(waddington.birth_order, {"course": [draws]}),
    Call(waddington.appearance, {"course": [draws]}),
    Call(waddington.distinct, {"points": x, "radius": 0.1}),
    Call(waddington.purity, {"classifier": draws, "threshold": 0.5}),
    Call(
        waddington.start,
        {
            **{"memories": 3, "pixels": 3, "classes": 2, "n": 3, "temperature": 1.0, "epochs": 2, "rate": 0.1},
            **{"batch": 2, "rng": numpy_rng()},
        },
    ),
]
STEP = "a step inside functions that check what comes in and are called here; it is made too often to check twice"
RECORD = "what a function returns, no model to start from"
TRACKER = [
    *("dense.OverlapTracker", "hopfield.FieldTracker", "robust.DegreeTracker", "simplicial.SimplexTracker"),
]
LAGRANGIANS = ("AdditivePower", "LayerNorm", "LogCosh", "LogSumExp", "Quadratic", "Spherical")
EXCEPTIONS = {
    **{f"{tracker}{method}": STEP for tracker in TRACKER for method in ("", ".field", ".flip")},
    **{f"lagrangians.{name}.{method}": STEP for name in LAGRANGIANS for method in ("__call__", "activation")},
    **dict.fromkeys(("lagrangians.in_single", "dense.softmax_attention", "hopfield.without_diagonal"), STEP),
    **dict.fromkeys(("patterns.align", "patterns.as_probes", "patterns.flat", "dynamics.runge_kutta"), STEP),
    "anomalies.PlantedGraph": RECORD,
    "energy_transformer.Forces": RECORD,
}


SIZES = {
    "anomalies.planted_graph": "nodes features",
    "anomalies.random_detector": "inputs features heads width memories",
    "classifier.random_classifier": "memories pixels classes",
    "completion.hide": "images tokens",
    "completion.random_completer": "tokens pixels features heads width memories",
    "dynamics.gradient_flow": "steps",
    "energy_transformer.random_transformer": "features heads width memories",
    "patterns.random_patterns": "count neurons",
    "recall.from_patterns": "neurons count networks",
    "recall.from_random": "neurons count networks probes",
    "recall.in_step": "neurons count networks",
    "recall.one_step": "neurons count networks",
    "recall.step_curve": "neurons bits",
    "robust.random_cliques": "vertices count",
    "saddles.random_mixture": "memories",
    "saddles.soften": "classes",
    "waddington.start": "memories pixels classes",
}


@pytest.mark.parametrize(("name", "size"), [(name, size) for name in SIZES for size in SIZES[name].split()])
def test_what_no_memory_holds_is_refused_before_it_is_drawn(name, size):
    (call,) = [call for call in CALLS if call.name == name]
    with pytest.raises(ArgumentError), edges.bounded():
        call.function(**{**call.arguments, size: 2**50})


TestSpoiledCalls = edges.laws("memscape.memory", CALLS, EXCEPTIONS, examples=10)
