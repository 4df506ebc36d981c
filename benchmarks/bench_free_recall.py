"""Free recall: walks that make no matrix, retrieved context for all lists at once, and counts of lags."""

import numpy as np
import torch
from harness import LOOK_UP, Peer
from peers_free_recall import plain_walks, simulated
from psifr import fr

from memscape.capacity import recall, retrieved_context

ITEMS, WALKS = 1000, 4000
LENGTH, LISTS = 16, 4000
CONTEXT = {"renewal": 0.6, "own": 0.5, "sharpness": 10.0}


def bench_walks(race) -> None:
    def ours() -> torch.Tensor:
        return recall.walk_lengths(ITEMS, WALKS, generator=torch.Generator().manual_seed(0))

    def plainly() -> np.ndarray:
        return plain_walks(ITEMS, 40, np.random.default_rng(0))

    # Random on both sides: the means are to agree within four standard errors of the forty.
    assert abs(ours().double().mean() - plainly().mean()) < 4 * 0.52 * recall.law(ITEMS) / 40**0.5
    race.run(
        "walks among similar items",
        f"M = {ITEMS}, {WALKS} symmetric random matrices",
        ours,
        {"numpy, every matrix made, one step after another": Peer(plainly, target=20.0, share=40 / WALKS)},
        {LOOK_UP: 3.0 * ITEMS * WALKS},
        "3M similarities a list, on average, are compared; drawing them comes on top",
        rounds=5,
    )


def bench_retrieved_context(race) -> None:
    studied = retrieved_context.study(LENGTH, 0.6)

    def ours() -> torch.Tensor:
        generator = torch.Generator().manual_seed(0)
        return retrieved_context.recall(studied, LISTS, choice="softmax", **CONTEXT, generator=generator)

    def theirs() -> list:
        return simulated(LENGTH, 400, drift=0.6, **CONTEXT)

    # The last item comes first in 85 of a hundred lists.
    first = np.mean([order[0] == LENGTH - 1 for order in theirs()])
    assert abs((ours()[:, 0] == LENGTH - 1).double().mean() - first) < 4 * (0.85 * 0.15 / 400) ** 0.5
    race.run(
        "recall by retrieved context",
        f"{LISTS} lists of {LENGTH} items, until none is left",
        ours,
        {"cymr (Cython), one list after another": Peer(theirs, target=5.0, share=400 / LISTS)},
        {LOOK_UP: float(LISTS * LENGTH**2)},
        "one strength an item, recall and list is read; products of contexts and choices come on top",
        rounds=5,
    )


def bench_lags(race) -> None:
    events = fr.merge_free_recall(fr.sample_data("peers_notask"))
    said = events.dropna(subset=["output"]).drop_duplicates(["subject", "list", "output"])
    said = said.assign(input=said["input"].fillna(0).astype(int) - 1)
    said = said.pivot(index=["subject", "list"], columns="output", values="input").fillna(-1).astype(np.int64)
    order = torch.tensor(said.to_numpy())

    def ours() -> recall.Lags:
        return recall.lag_counts(order, LENGTH)

    theirs = fr.lag_crp(events)
    assert int(ours().actual.sum()) == theirs["actual"].sum()
    assert int(ours().possible.sum()) == theirs["possible"].sum()
    race.run(
        "transitions by lag",
        f"{len(order)} lists of {LENGTH} words",
        ours,
        {"psifr.lag_crp": Peer(lambda: fr.lag_crp(events), target=2.0)},
        {LOOK_UP: float(theirs["possible"].sum())},
        "every possible transition is counted once",
        rounds=5,
    )
