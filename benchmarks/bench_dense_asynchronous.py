"""Asynchronous retrieval of a dense memory to the fixed point, against one-energy-at-a-time recall under jax."""

import equinox
import jax
import jax.numpy as jnp
import numpy as np
import torch
from harness import LOOK_UP, MATMUL, Peer
from peers_jax import PolynomialMemory, recall_in_order

from memscape.memory.dense import DenseMemory, Power
from memscape.memory.dynamics import asynchronous
from memscape.memory.patterns import random_patterns

NEURONS, PATTERNS, PROBES, DEGREE, SEED = 100, 1000, 1000, 3, 2016


def bench_random_starts(race, monkeypatch) -> None:
    generator = torch.Generator().manual_seed(SEED)
    patterns = random_patterns(PATTERNS, NEURONS, generator=generator, dtype=torch.float32)
    starts = random_patterns(PROBES, NEURONS, generator=generator, dtype=torch.float32)
    model = DenseMemory(patterns, Power(DEGREE))

    def ours():
        return asynchronous(model, starts, generator=torch.Generator().manual_seed(SEED))

    flips = count_flips(type(model.track(starts)), ours, monkeypatch)
    retrieval = ours()
    assert retrieval.converged.all()
    # The last sweep of the last probe finds nothing to change; it has to be made to know that.
    sweeps = int(retrieval.sweeps.max()) + 1

    memory = PolynomialMemory(jnp.asarray(patterns.numpy()), DEGREE)
    states = jnp.asarray(starts.numpy())
    keys = jax.random.split(jax.random.key(SEED), PROBES)
    recall = equinox.filter_jit(jax.vmap(lambda state, key: memory.recall(state, sweeps * NEURONS, key)))
    orders = torch.Generator().manual_seed(SEED)
    order = jnp.asarray(np.concatenate([torch.randperm(NEURONS, generator=orders).numpy() for _ in range(sweeps)]))

    # Same orders, same work: the same fixed points, but for near-ties of energies rounded to float32.
    theirs = np.asarray(recall_in_order(memory, states, order))
    assert (theirs == retrieval.state.numpy()).all(axis=1).mean() > 0.97

    race.run(
        "asynchronous retrieval",
        f"N = {NEURONS}, P = {PATTERNS}, n = {DEGREE}, {PROBES} random starts, to the fixed point ({sweeps} sweeps)",
        ours,
        {
            "recall of amtutorial's notebook (jax, vmap, jit), as many visits": Peer(
                lambda: jax.block_until_ready(recall(states, keys)), target=6.0
            ),
            "the same in our order, without its trajectory": Peer(
                lambda: jax.block_until_ready(recall_in_order(memory, states, order)), target=6.0
            ),
        },
        {MATMUL: 4.0 * PROBES * PATTERNS * NEURONS, LOOK_UP: float(flips * PATTERNS)},
        f"overlaps of the starts and fields of the fixed points; per flip ({flips}) one look-up a pattern",
        rounds=5,
    )


def count_flips(tracker: type, run, monkeypatch) -> int:
    """Single-unit flips that ``run`` makes through trackers of the given class."""
    flips, flip = 0, tracker.flip

    def counted(self, neuron, where) -> None:
        nonlocal flips
        flips += int(where.sum())
        flip(self, neuron, where)

    with monkeypatch.context() as patched:
        patched.setattr(tracker, "flip", counted)
        run()
    return flips
