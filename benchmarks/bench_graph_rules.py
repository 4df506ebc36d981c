"""The table of all digraphs on five nodes, and the search over all on six, against LAPACK in a loop and in batches."""

from harness import LOOK_UP, MATMUL, Peer
from peers_graph_rules import batches_of_lapack, loop_of_solves

from memscape.polytopes.digraphs import classes, extensions
from memscape.polytopes.graph_rules import Parameters, fixed_points, network
from memscape.polytopes.stable_extensions import stable_extensions


def bench_table_of_digraphs(race) -> None:
    codes, parameters = classes(5), Parameters("1/4", "1/2")
    few = codes[::96]
    exact = fixed_points(few, 5, parameters)
    weights = network(few, 5, parameters).weights.numpy()
    exists, stable = loop_of_solves(weights)
    assert (exists == exact.exists).all()
    assert (stable == exact.stable_supports).all()
    race.run(
        "exact fixed points of all digraphs",
        f"n = 5, {len(codes)} digraphs, 31 supports each",
        lambda: fixed_points(codes, 5, parameters),
        {"numpy, one float64 solve and spectrum a support": Peer(lambda: loop_of_solves(weights), 50.0, 1 / 96)},
        # Expansions of the 31 minors and of the 80 with a column of ones: a product and a sum for each partial one.
        {LOOK_UP: len(codes) * 2.0 * (405 + 1485)},
        "products and sums of integers in the expansions of all minors",
        rounds=9,
    )


def bench_search_of_six(race) -> None:
    codes, parameters = classes(5)[::16], Parameters("1/12", "11/120")
    few = codes[::20]
    every = extensions(few, 5).ravel()
    weights = network(every, 6, parameters).weights.numpy()
    theirs = every[batches_of_lapack(weights)]
    assert set(stable_extensions(few, 5, parameters)) == set(theirs[theirs != 2**30 - 1])
    race.run(
        "stable exceptions at six neurons",
        f"{1024 * len(codes)} digraphs",
        lambda: stable_extensions(codes, 5, parameters),
        {"numpy, batched solves and spectra": Peer(lambda: batches_of_lapack(weights), 7.0, len(few) / len(codes))},
        {MATMUL: 2.0 * len(codes) * 5 * (5 * 32 * 5 + 32 * 32 * 5)},
        "products of five matrices with all rows and columns; tests of the results come on top",
        rounds=9,
    )
