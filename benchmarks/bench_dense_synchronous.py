"""One synchronous update of a dense memory, against a hamux network under jit."""

import jax
import jax.numpy as jnp
import torch
from harness import LOOK_UP, MATMUL, Peer
from peers_jax import synchronous_update

from memscape.memory.dense import DenseMemory, Rectified
from memscape.memory.patterns import flip, random_patterns

NEURONS, PATTERNS, PROBES, DEGREE, SEED = 100, 1000, 1000, 3, 2016


def bench_update(race) -> None:
    generator = torch.Generator().manual_seed(SEED)
    patterns = random_patterns(PATTERNS, NEURONS, generator=generator, dtype=torch.float32)
    states = flip(patterns[:PROBES], NEURONS // 10, generator=generator)
    model = DenseMemory(patterns, Rectified(DEGREE))
    update = synchronous_update(patterns.numpy(), DEGREE)
    theirs = jnp.asarray(states.numpy())

    # Not our rule: theirs follows the gradient, ours compares energies (Krotov & Hopfield 2016, eq. 4), which differ by
    # a unit's coupling to itself. So it is held to its own formula.
    gradient = (states @ patterns.T).relu() ** (DEGREE - 1) @ patterns
    assert (torch.tensor(jax.device_get(update(theirs))) == torch.where(gradient >= 0, 1.0, -1.0)).all()

    # Two products of matrices on both sides: the ratio is that of the libraries that multiply. Machines of one make
    # gave .92 to 1.04.
    race.run(
        "synchronous update",
        f"N = {NEURONS}, P = {PATTERNS}, n = {DEGREE} rectified, {PROBES} states",
        lambda: model.update(states),
        {"hamux (jax, jit), float32, gradient rule": Peer(lambda: jax.block_until_ready(update(theirs)), 0.9)},
        {MATMUL: 4.0 * PROBES * PATTERNS * NEURONS, LOOK_UP: float(PROBES * PATTERNS)},
        "two products of states and patterns; one look-up a state and pattern",
        rounds=60,
    )
