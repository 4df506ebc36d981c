"""Betti curves of order complexes of 88 neurons up to the density 1/2, against ripser.py and plain GUDHI.

Ripser does not keep the complex. We collapse edges that change no hole and give GUDHI what is left, which pays where
points lie in few dimensions. CliqueTop, the program of Giusti and others, wants Matlab and is not raced.
"""

import numpy as np
import torch
from harness import LOOK_UP, Peer
from peers_clique_topology import gudhi_curves, ripser_curves

from memscape.homotopy.clique_topology import betti_curves, ranks
from memscape.homotopy.random_couplings import distances, gram, symmetric

SEED, NEURONS = 1420, 88
EDGES = NEURONS * (NEURONS - 1) // 4


def table(kind: str) -> torch.Tensor:
    """Ranks of a random symmetric matrix, of distances in a cube, or of the couplings of twelve Gaussian patterns."""
    generator = torch.Generator().manual_seed(SEED)
    made = {
        "random": lambda: symmetric(NEURONS, generator=generator),
        "distances in dimension 5": lambda: distances(NEURONS, 5, generator=generator),
        "couplings of 12 patterns": lambda: gram(NEURONS, 12, generator=generator),
    }
    return ranks(made[kind](), generator=generator)


def raced(race, kind: str, dimension: int, ripser: float | None, gudhi: float | None) -> None:
    order = table(kind)
    plain = order.double().numpy()
    found = betti_curves(order, dimension).numpy()
    assert np.array_equal(found, ripser_curves(plain, dimension, EDGES))
    assert np.array_equal(found, gudhi_curves(plain, dimension, EDGES))
    race.run(
        "Betti curves of order complexes",
        f"N = 88 up to density 1/2, {kind}, holes up to dimension {dimension}",
        lambda: betti_curves(order, dimension),
        {
            "ripser.py": Peer(lambda: ripser_curves(plain, dimension, EDGES), target=ripser),
            "GUDHI, Rips complex expanded whole": Peer(lambda: gudhi_curves(plain, dimension, EDGES), target=gudhi),
        },
        {LOOK_UP: float(EDGES * NEURONS)},
        "every edge looks once at the neighbours of its ends",
        rounds=5,
    )


def bench_loops_of_a_random_matrix(race) -> None:
    raced(race, "random", 1, 1.5, None)


def bench_holes_of_a_random_matrix(race) -> None:
    raced(race, "random", 3, 10.0, None)


def bench_holes_of_distances(race) -> None:
    raced(race, "distances in dimension 5", 3, 2.0, 5.0)


def bench_holes_of_a_memory(race) -> None:
    # Here Ripser is ahead.
    raced(race, "couplings of 12 patterns", 3, None, None)
