"""Peers that run on jax: the recall of ``amtutorial``'s notebook on dense storage, and a layer of ``hamux``.

The recall lives in that project's notebook, not in its package; what follows does the same work in the same order, in
our own words: a module that knows only its energy, a unit is turned over if the energy of the turned state is lower, a
scan over units, vmap over probes.
"""

from __future__ import annotations

import equinox
import hamux
import jax
import jax.numpy as jnp
import numpy as np


class PolynomialMemory(equinox.Module):
    """Dense memory with F(x) = x^n / n; patterns ``(P, N)``."""

    patterns: jax.Array
    n: int

    def energy(self, state: jax.Array) -> jax.Array:
        """Energy of one state ``(N,)``."""
        return -jnp.sum((self.patterns @ state) ** self.n) / self.n

    def visit(self, state: jax.Array, neuron: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Keep the unit or turn it over, whichever has the lower energy; also return that energy."""
        turned = state.at[neuron].multiply(-1)
        here, there = self.energy(state), self.energy(turned)
        return jax.lax.cond(there - here < 0, lambda: (turned, there), lambda: (state, here))

    @equinox.filter_jit
    def recall(self, state: jax.Array, steps: int, key: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
        """Visit ``steps`` units drawn with replacement; return the last state and the trajectory with its energies."""
        order = jax.random.choice(key, np.arange(state.shape[-1]), shape=(steps,))

        def step(state: jax.Array, neuron: jax.Array):
            state, energy = self.visit(state, neuron)
            return state, (state, energy)

        return jax.lax.scan(step, state, order)


@equinox.filter_jit
def recall_in_order(memory: PolynomialMemory, states: jax.Array, order: jax.Array) -> jax.Array:
    """Last states ``(B, N)`` of a recall that visits the units in the given order and keeps nothing on the way."""

    def one(state: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda state, neuron: (memory.visit(state, neuron)[0], None), state, order)[0]

    return jax.vmap(one)(states)


class DenseSynapse(equinox.Module):
    """Energy -sum F(x) of one layer with itself through the patterns ``(P, N)``, F(x) = max(x, 0)^n / n."""

    patterns: jax.Array
    n: int

    def __call__(self, activation: jax.Array) -> jax.Array:
        """Energy of one activation ``(N,)``."""
        return -hamux.lagr_repu(self.patterns @ activation, self.n)


def synchronous_update(patterns: np.ndarray, n: int):
    """A compiled function from states ``(B, N)`` to sign(-dE/dstate), E the synapse's energy in a hamux network."""
    count = patterns.shape[1]
    layer = hamux.NeuronLayer(hamux.lagr_identity, (count,))
    network = hamux.HAM(
        {"visible": layer}, {"dense": DenseSynapse(jnp.asarray(patterns), n)}, [(("visible",), "dense")]
    )
    vectorised = network.vectorize()

    @equinox.filter_jit
    def update(states: jax.Array) -> jax.Array:
        activations = {"visible": states}
        force = vectorised.dEdact(activations, activations)["visible"]
        # The layer's own energy adds the state itself to the gradient.
        return jnp.where(states - force >= 0, 1.0, -1.0)

    return update
