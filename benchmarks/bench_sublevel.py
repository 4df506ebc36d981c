"""Pieces of the sublevel sets of an energy by basins and a spanning tree, against GUDHI's cube and graph.

Cubical Ripser (cripser 0.0.37) takes arrays of one to four axes, and a network of N neurons has N. The cubical complex
of giotto-tda 0.6.2 is an older GUDHI's, which takes values of cubes of the highest dimension and not of corners. So the
peers are GUDHI, whose cube also finds the higher holes, and union-find as one writes it down.
"""

import torch
from harness import LOOK_UP, Peer
from peers_sublevel import cube_pieces, graph_pieces, plain_pieces, rows

from memscape.homotopy.landscape import powers
from memscape.homotopy.sublevel import piece_bars
from memscape.memory.patterns import random_patterns

SEED, NETWORKS = 1410, 16


def energy(neurons: int, networks: int = 1) -> torch.Tensor:
    generator = torch.Generator().manual_seed(SEED)
    patterns = [random_patterns(6, neurons, generator=generator) for _ in range(networks)]
    return powers(torch.stack(patterns) if networks > 1 else patterns[0], 2) / 2


def bench_pieces_beside_the_cube(race) -> None:
    energies = energy(12, NETWORKS)
    plain = energies[0].numpy()
    assert rows(piece_bars(energies)[0].rows()) == cube_pieces(plain)
    race.run(
        "pieces of sublevel sets",
        f"N = 12, 4096 states, {NETWORKS} networks",
        lambda: piece_bars(energies),
        {
            "GUDHI, bars of the cube of all dimensions": Peer(
                lambda: cube_pieces(plain), target=80.0, share=1 / NETWORKS
            )
        },
        {LOOK_UP: NETWORKS * 2.0 * 12 * 2**12},
        "every state looks at its neighbours twice",
        rounds=7,
    )


def bench_pieces_of_sixteen_neurons(race) -> None:
    energies = energy(16)
    plain = energies.numpy()
    found = rows(piece_bars(energies)[0].rows())
    assert found == graph_pieces(plain) == plain_pieces(plain)
    race.run(
        "pieces of sublevel sets",
        "N = 16, 65536 states, one network",
        lambda: piece_bars(energies),
        {
            "GUDHI, bars of the graph of states": Peer(lambda: graph_pieces(plain), target=5.0),
            "Python, union-find in order of energy": Peer(lambda: plain_pieces(plain), target=4.0),
        },
        {LOOK_UP: 2.0 * 16 * 2**16},
        "every state looks at its neighbours twice",
        rounds=7,
    )
