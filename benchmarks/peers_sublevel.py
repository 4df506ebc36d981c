"""Pieces of sublevel sets as GUDHI finds them: in the cube of all states, and in its graph."""

from __future__ import annotations

import numpy as np
from gudhi import CubicalComplex, SimplexTree


def cube_pieces(energies: np.ndarray) -> list[tuple[float, float]]:
    """Bars of dimension 0 of one energy, axes (2^N,), from all 3^N cubes."""
    neurons = len(energies).bit_length() - 1
    cube = CubicalComplex(vertices=energies.reshape((2,) * neurons))
    cube.compute_persistence(homology_coeff_field=2, min_persistence=0)
    return sorted(map(tuple, cube.persistence_intervals_in_dimension(0).tolist()))


def graph_pieces(energies: np.ndarray) -> list[tuple[float, float]]:
    """The same from the states and the N 2^(N-1) flips between them."""
    states = np.arange(len(energies))
    tree = SimplexTree()
    tree.insert_batch(states[None].astype(np.int32), energies)
    for bit in range(len(energies).bit_length() - 1):
        low = states[(states >> bit & 1) == 0]
        pairs = np.stack((low, low | 1 << bit)).astype(np.int32)
        tree.insert_batch(pairs, energies[pairs].max(axis=0))
    tree.compute_persistence(homology_coeff_field=2, min_persistence=0)
    return sorted(map(tuple, tree.persistence_intervals_in_dimension(0).tolist()))


def plain_pieces(energies: np.ndarray) -> list[tuple[float, float]]:
    """The same by union-find over the states in order of energy, in Python."""
    neurons, values = len(energies).bit_length() - 1, energies.tolist()
    parent: dict[int, int] = {}
    bars = []
    order = np.argsort(energies, kind="stable").tolist()
    place = {state: number for number, state in enumerate(order)}
    for state in order:
        parent[state] = state
        for near in (state ^ 1 << bit for bit in range(neurons)):
            if near in parent:
                one, other = (_root(parent, each) for each in (near, state))
                if one != other:
                    old, young = sorted((one, other), key=place.__getitem__)
                    parent[young] = old
                    bars.append((values[young], values[state]))
    return sorted([bar for bar in bars if bar[1] > bar[0]] + [(values[order[0]], float("inf"))])


def _root(parent: dict[int, int], state: int) -> int:
    while parent[state] != state:
        parent[state] = state = parent[parent[state]]
    return state


def rows(bars: list[tuple[int, float, float]]) -> list[tuple[float, float]]:
    """Our bars of dimension 0, as the peers give them."""
    return sorted((birth, death) for dimension, birth, death in bars if dimension == 0)
