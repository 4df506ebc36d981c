"""Every public callable of the tools, spoiled: a finite result, or a refusal that names the argument."""

from fractions import Fraction

import networkx as nx
import numpy as np
import torch

from memscape.memory import hopfield
from memscape.tools import (
    bootstrap,
    complexes,
    crowds,
    exact,
    homology,
    nonnegative,
    perceptrons,
    pieces,
    sequences,
    statistics,
    subsets,
    threads,
    training,
)

from .. import edges
from ..draws import rng
from ..edges import Call

half = Fraction(1, 2)
simplices = complexes.complete(4, (1,))
tree = complexes.to_gudhi(simplices)
model = hopfield.Hopfield(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.zeros(2))
normal = training.Normal(np.random.default_rng(0), torch.float64, "cpu")
group = subsets.BitGroup(np.array([[0, 1], [1, 0]]))
high, low = statistics.Estimate(0.5, 0.4, 0.6, 10), statistics.Estimate(0.2, 0.1, 0.3, 10)

dice = np.random.default_rng(0)
nets = perceptrons.he_perceptrons(1, 3, 2, 2, rng=dice, dtype=torch.float64)
pictures, classes = torch.rand(4, 3, dtype=torch.float64), torch.tensor([0, 1, 1, 0])

side_by_side = crowds.crowd([model, model])


def crowd_loss(current):
    return sum(tensor.sum() for tensor in current.tensors)


def losses(current):
    yield current.energy(torch.ones(2))


CALLS = [
    Call(complexes.Simplices, {"neurons": 3, "members": (torch.tensor([[0, 1]]),)}),
    Call(complexes.betti_numbers, {"tree": tree, "field": 2}),
    Call(complexes.complete, {"neurons": 4, "dimensions": (1,)}),
    Call(complexes.f_vector, {"tree": tree}),
    Call(complexes.from_gudhi, {"tree": tree, "neurons": 6, "dimensions": (1,)}),
    Call(complexes.independence_complex, {"graph": nx.path_graph(4)}),
    Call(nonnegative.nonnegative_least_squares, {"system": [[1.0, 2.0], [0.0, 1.0]], "target": [1.0, 2.0]}),
    Call(bootstrap.bootstrapped, {"value": 1.0, "resamples": [0.5, 1.5], "trials": 2}),
    Call(complexes.require_dimensions, {"dimensions": (1,), "neurons": 3}),
    Call(complexes.sample, {"neurons": 4, "counts": {1: 2}, "networks": (2,), "generator": rng()}),
    Call(complexes.to_gudhi, {"simplices": simplices, "network": ()}),
    Call(homology.together, {"words": np.eye(3, dtype=bool), "dimension": 2}),
    Call(homology.core, {"words": np.eye(3, dtype=bool)}),
    Call(homology.holes, {"words": np.eye(3, dtype=bool), "dimension": 1, "field": 2}),
    Call(homology.below, {"tree": tree, "dimension": 1, "field": 2}),
    Call(homology.bars, {"tree": tree, "dimension": 0, "field": 2}, infinite="bars that never end"),
    Call(homology.boundary, {"tree": tree, "dimension": 1}),
    Call(homology.rank, {"matrix": np.array([[1, 2], [3, 4]]), "field": 3}),
    Call(homology.betti_by_elimination, {"tree": tree, "field": 2}),
    Call(crowds.Crowd, {"tensors": side_by_side.tensors, "shape": side_by_side.shape}),
    Call(
        side_by_side.each,
        {"function": hopfield.Hopfield.energy, "*": (torch.ones(2, 2),)},
        spare={"*": "what the function takes is the function's to say"},
    ),
    Call(side_by_side.require_finite, {"argument": "rate"}, spare={"argument": "a name that is given back as it is"}),
    Call(side_by_side.member, {"number": 1}),
    Call(crowds.crowd, {"models": [model, model]}),
    Call(
        crowds.trained,
        {
            "models": side_by_side,
            "loss": crowd_loss,
            "steps": 2,
            "stretches": 1,
            "rate": 0.1,
            "decay": 0.0,
            "second": 0.9,
            "argument": "rate",
        },
        spare={"argument": "a name that is given back as it is"},
    ),
    Call(crowds.mine, {"owned": [torch.arange(3)], "models": 1, "of": 3, "batch": 2, "generator": rng()}),
    Call(exact.affine_regions, {"hyperplanes": [[1, 0, 1], [0, 1, 1]]}),
    Call(exact.characteristic, {"minors": np.array([1, 2, 3, 4]), "members": [0, 1]}),
    Call(exact.characteristic_polynomial, {"rows": [[half, half], [half, 1 - half]]}),
    Call(exact.determinant, {"matrices": np.eye(2, dtype=np.int64)[..., None], "signed": True, "entry": 1}),
    Call(exact.determinants_fit, {"size": 2, "entry": 3}),
    Call(exact.hurwitz, {"coefficients": np.array([[1], [2], [1]])}),
    Call(exact.hurwitz_matrix, {"coefficients": np.array([[1], [2], [1]]), "size": 2}),
    Call(exact.largest, {"integers": np.array([1, 2])}),
    Call(exact.regions, {"normals": np.array([[1, 0], [0, 1]])}),
    Call(exact.lowest_terms, {"integers": np.array([2, 4])}),
    Call(exact.relations, {"rows": np.array([[1], [2]])}),
    Call(exact.relation, {"rows": np.array([[1], [2]])}),
    Call(exact.routh, {"coefficients": [Fraction(1), half, half]}),
    Call(exact.solution, {"rows": [[half, Fraction(0)], [half, half]], "right": [half, half]}),
    Call(exact.whole, {"integers": [1, 2]}),
    Call(model.map, {"change": torch.neg}),
    Call(model.to, {"*": (torch.float64,)}),
    Call(
        perceptrons.Perceptrons,
        dict(zip(("first", "first_bias", "second", "second_bias"), nets.parameters, strict=True)),
    ),
    Call(nets.positive),
    Call(nets.chosen, {"networks": torch.tensor([0, 0])}),
    Call(nets.hidden, {"images": pictures}),
    Call(nets.logits, {"images": pictures[None]}),
    Call(perceptrons.accuracy, {"model": nets, "images": pictures, "labels": classes}),
    Call(perceptrons.losses, {"model": nets, "images": pictures, "labels": classes}),
    Call(
        perceptrons.he_perceptrons,
        {
            **{"networks": 1, "inputs": 3, "hidden": 2, "classes": 2, "rng": dice},
            **{"dtype": torch.float64, "device": "cpu"},
        },
    ),
    Call(perceptrons.orders, {"networks": 2, "images": 4, "batch": 2, "rng": dice}),
    Call(perceptrons.require_data, {"model": nets, "images": pictures, "labels": classes}),
    Call(perceptrons.require_images, {"model": nets, "images": pictures}),
    Call(
        perceptrons.train,
        {
            **{"model": nets, "images": pictures, "labels": classes, "epochs": 1, "batch": 2},
            **{"rate": 0.1, "rng": dice, "decay": 0.1},
        },
    ),
    Call(pieces.budget, {"size": 2**20}),
    Call(pieces.cached, {"each": 4, "at_least": 1}),
    Call(pieces.fitting, {"each": 4}),
    Call(pieces.slices, {"count": 3, "width": 2}),
    Call(
        sequences.require_probabilities,
        {"argument": "chances", "values": [0.25, 0.75]},
        spare={"argument": "a name that is given back as it is"},
    ),
    Call(
        sequences.require_rising,
        {"argument": "counts", "values": [1, 3], "expected": "rising", "shortest": 2, "at_most": 9},
        spare={"argument": "a name that is given back as it is", "expected": "words of the message"},
    ),
    Call(statistics.columns, {"estimates": [high]}),
    Call(statistics.crossing, {"counts": [1, 2], "shares": [high, low], "level": 0.4}),
    Call(statistics.mean_interval, {"values": [1.0, 2.0], "level": 0.95}),
    Call(statistics.ratio, {"over": high, "under": low}),
    Call(statistics.ratio, {"over": 1.0, "under": 2.0}),
    Call(statistics.share, {"hits": torch.tensor([0, 1]), "of": 1}),
    Call(statistics.wilson, {"successes": 1, "trials": 3, "level": 0.95}),
    Call(statistics.wilson, {"successes": np.array([1, 2]), "trials": [3, 3]}),
    Call(subsets.BitGroup, {"target": np.array([[0, 1]]), "sign": np.array([[1, -1]]), "once": True}),
    Call(group.canonical, {"packed": np.array([1, 2])}),
    Call(group.images, {"packed": np.array([1, 2])}),
    Call(subsets.bits, {"sets": torch.tensor([3]), "elements": 3}),
    Call(subsets.every, {"elements": 3}),
    Call(subsets.mask, {"members": [0, 2]}),
    Call(subsets.members, {"sets": np.array([3], dtype=np.uint64)}),
    Call(subsets.pack, {"bits": np.array([[True, False]])}),
    Call(subsets.subsets, {"count": 3}),
    Call(subsets.translated, {"sets": np.array([3], dtype=np.uint64), "shifts": np.array([1])}),
    Call(subsets.unpack, {"packed": np.array([3]), "length": 2}),
    Call(threads.threads, {"count": 1}),
    Call(training.Normal, {"rng": np.random.default_rng(0), "dtype": torch.float64, "device": "cpu"}),
    Call(normal, {"spread": 0.5, "*": (3,)}),
    Call(normal.full, {"value": 0.5, "*": (3,)}),
    Call(
        training.adamw,
        {
            **{"model": model, "losses": losses, "epochs": 1, "rate": 0.1, "decay": 0.1, "second": 0.9},
            **{"longest": 1.0, "schedule": lambda step: 1.0},
        },
    ),
    Call(training.balanced_batches, {"digits": torch.tensor([0, 1, 0, 1]), "batch": 2, "generator": rng()}),
    Call(training.warm_cosine, {"steps": 4}),
]
EXCEPTIONS = {
    "models.Model": "a mixin without a constructor of its own; every model's is called in its part",
}


TestSpoiledCalls = edges.laws("memscape.tools", CALLS, EXCEPTIONS)
