"""Exact regions of a rectified network against a plain loop; exact crossings against points along the segments."""

import numpy as np
import torch
from harness import LOOK_UP, MATMUL, Peer
from peers_splines import regions_one_by_one

from memscape.polytopes.polygons import square
from memscape.polytopes.splines import crossings, he, regions

HALF = 1e4


def bench_regions_of_a_network(race) -> None:
    network = he([2, 40, 40, 40, 1], rng=np.random.default_rng(3))
    found = regions(network, square(HALF))
    count, vertices = len(found.polygons), int(found.polygons.counts.sum())
    assert regions_one_by_one(network, HALF) == count
    race.run(
        "regions of a rectified network in a plane",
        f"three layers of 40 units, {count} regions",
        lambda: regions(network, square(HALF)),
        {"a Python loop over polygons and edges": Peer(lambda: regions_one_by_one(network, HALF), target=4.0)},
        # The polygons of a layer grow while its units cut; half of them is a fair mean over all units.
        {LOOK_UP: 40.0 * vertices, MATMUL: 2.0 * 3 * 40**2 * count},
        "every unit of the last layer reads every vertex once, on average of half of the regions, for value and cut",
        rounds=5,
    )


def bench_crossings_of_segments(race) -> None:
    rng = np.random.default_rng(4)
    network = he([784, 128, 128, 10], rng=rng).to(torch.float32)
    starts, ends = (torch.from_numpy(rng.random((256, 784), dtype=np.float32)) for _ in range(2))
    places = torch.linspace(0, 1, 100)[:, None]

    def sampled() -> torch.Tensor:
        on = [each > 0 for each in network.potentials(torch.lerp(starts[:, None], ends[:, None], places))[:-1]]
        return torch.stack([(each[:, 1:] != each[:, :-1]).sum(dim=(1, 2)) for each in on], dim=1)

    exact = crossings(network, starts, ends).counts
    assert (exact >= sampled()).all()
    race.run(
        "boundaries crossed by segments",
        "784-128-128-10, 256 segments, exact",
        lambda: crossings(network, starts, ends),
        {"torch, 100 points along each segment (misses some)": Peer(sampled, target=3.0)},
        {MATMUL: 2.0 * 256 * (2 * 784 * 128 + (2 + float(exact[:, 0].double().mean())) * 128**2)},
        "the ends through both layers, and every place where the first layer changes through the second",
        rounds=9,
    )
