"""The search of chambers against the same search with a linear programme for every hyperplane."""

import numpy as np
from harness import MATMUL, Peer
from peers_weight_space import orbit_search, walls

from memscape.polytopes.chambers import Chambers, chambers
from memscape.polytopes.weight_space import symmetries


def work(found: Chambers, elements: int) -> float:
    """All images of the chamber behind every wall, once, as products of matrices."""
    return 2.0 * float(found.facets.sum()) * found.arrangement.hyperplanes * elements


def bench_search_of_chambers(race) -> None:
    found = chambers(4, (2,))
    normals, action = found.arrangement.normals, symmetries(4).on_hyperplanes(found.arrangement)
    assert orbit_search(normals, *action) == found.number
    race.run(
        "search of chambers",
        "n = 4, degree 2, 3756 chambers",
        lambda: chambers(4, (2,)),
        {
            "breadth-first search on orbits, a programme of HiGHS a new side": Peer(
                lambda: orbit_search(normals, *action), 80.0
            )
        },
        {MATMUL: work(found, 192)},
        "the images of the chamber behind every wall under the 192 symmetries; one chamber of each orbit",
        rounds=5,
        # The bound is some twenty microseconds, and the search a thousand calls of NumPy on arrays of a few orbits.
        bounds=300.0,
    )


def bench_walls_of_chambers(race) -> None:
    found, tested = chambers(4, (1, 2)), 12
    planes = found.arrangement.hyperplanes
    some = np.linspace(0, len(found.size) - 1, tested).astype(int)
    sides = 2 * (found.sides[some, None] >> np.arange(planes) & 1) - 1
    assert (walls(found.arrangement.normals, sides) == found.facets[some]).all()
    race.run(
        "search of chambers with all walls",
        f"n = 4, degrees 1 and 2, {found.number} chambers in {len(found.size)} orbits",
        lambda: chambers(4, (1, 2)),
        {
            "a programme of HiGHS for every orbit and hyperplane": Peer(
                lambda: walls(found.arrangement.normals, sides), target=100.0, share=tested / len(found.size)
            )
        },
        {MATMUL: work(found, 384)},
        "the images of the chamber behind every wall under the 384 symmetries; one chamber of each orbit",
        rounds=5,
    )
