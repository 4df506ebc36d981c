r"""A transformer block that is gradient descent on an energy (Hoover et al. 2023).

N tokens of D features each, x, are seen through a layer norm, g, which is the gradient of a Lagrangian,

.. math:: L(x) = D \gamma \sqrt{\tfrac1D \sum_i (x_i - \bar x)^2 + \varepsilon} + \sum_i \delta_i x_i, \qquad
          g_i = \frac{\partial L}{\partial x_i}
              = \gamma \frac{x_i - \bar x}{\sqrt{\tfrac1D \sum_j (x_j - \bar x)^2 + \varepsilon}} + \delta_i .

With queries :math:`Q_{hC} = W^Q_h g_C` and keys :math:`K_{hB} = W^K_h g_B` of H heads, and memories :math:`\xi_\mu`,
the energy has two parts, attention between tokens and an associative memory for each of them,

.. math:: E = -\frac1\beta \sum_h \sum_C \ln \sum_{B \ne C} e^{\beta K_{hB} \cdot Q_{hC}}
              - \frac12 \sum_C \sum_\mu \max(\xi_\mu \cdot g_C, 0)^2, \qquad
          \tau \dot x = -\frac{\partial E}{\partial g} .

It falls because L is convex: :math:`\dot E = -\tau \sum_C \dot x_C^T \nabla^2 L(x_C) \, \dot x_C \le 0`. Time is in
units of :math:`\tau`. With :math:`\omega_{hCB}` the softmax of :math:`\beta K_{hB} \cdot Q_{hC}` over B, minus the
gradient has a side for either role of a token in the attention, and one for the memories,

.. math:: -\frac{\partial E}{\partial g_A} = \sum_h (W^Q_h)^T \sum_{B \ne A} \omega_{hAB} K_{hB}
              + \sum_h (W^K_h)^T \sum_{C \ne A} \omega_{hCA} Q_{hC} + \sum_\mu \xi_\mu \max(\xi_\mu \cdot g_A, 0) .

The first sum is ordinary attention whose values are the keys, read out through the queries' weights. The second, over
those who ask for A, is what ordinary attention lacks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from memscape.arguments import (
    ArgumentError,
    require_booleans,
    require_count,
    require_kind,
    require_number,
    require_room,
    require_scalar,
    require_tensor,
)
from memscape.memory.lagrangians import AdditivePower, LayerNorm, in_single
from memscape.tools.models import Model, Scalar
from memscape.tools.training import Normal

__all__ = ["EnergyTransformer", "Forces", "QuerySide", "random_transformer", "rises"]

_RECTIFIED = AdditivePower(2)  # max(u, 0)**2 / 2, the Lagrangian of the memory units


@dataclass(frozen=True)
class Forces(Model):
    """The three parts of minus the gradient of the energy in g, each with the axes ``(..., N, D)`` of the tokens.

    Attributes
    ----------
    query
        What a token hears from the tokens it attends to: ordinary attention.
    key
        What it hears from the tokens that attend to it.
    memory
        What the memories pull it to.
    """

    query: torch.Tensor
    key: torch.Tensor
    memory: torch.Tensor


@dataclass(frozen=True)
class EnergyTransformer(Model):
    r"""The block of Hoover et al. (2023): the energy of N tokens, and its descent.

    Parameters
    ----------
    queries, keys
        W^Q and W^K, axes ``(H, Y, D)``: heads, their width, features.
    memories
        xi, axes ``(M, D)``.
    norm
        The layer norm that makes g of x.
    beta
        Inverse temperature of the attention, positive; 1 / sqrt(Y) in the paper.
    mask
        Booleans ``(N, N)`` or with the leading axes of the states: token C attends to token B where ``mask[C, B]`` is
        true. By default all tokens attend to all others. No token attends to itself, whatever the mask says, and one
        that attends to none has no term in the sum over C.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, a value is not finite, beta is not positive or the mask is not a square
        of booleans.
    """

    queries: torch.Tensor
    keys: torch.Tensor
    memories: torch.Tensor
    norm: LayerNorm
    beta: Scalar
    mask: torch.Tensor | None = None

    def __post_init__(self) -> None:
        sizes: dict[str, int] = {}
        require_kind("norm", self.norm, LayerNorm)
        require_tensor("queries", self.queries, "heads width features", sizes=sizes)
        place: dict[str, Any] = {"sizes": sizes, "device": self.queries.device, "dtype": self.queries.dtype}
        require_tensor("keys", self.keys, "heads width features", **place)
        require_tensor("memories", self.memories, "memories features", **place)
        require_tensor("norm.delta", self.norm.delta, "features", **place)
        require_scalar("beta", self.beta, above=0.0, device=self.queries.device)
        if self.mask is not None:
            require_booleans("mask", self.mask, "True where a token attends to another.")
            if self.mask.ndim < 2 or self.mask.shape[-1] != self.mask.shape[-2]:
                raise ArgumentError("mask", "axes (..., tokens, tokens)", f"shape {tuple(self.mask.shape)}")
            if self.mask.device != self.queries.device:
                raise ArgumentError("mask", f"device {self.queries.device}", str(self.mask.device), "Move the mask.")

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """Energy of the tokens, ``(..., N, D)`` to ``(...)``: that of :meth:`energy_of_outputs` at g(state).

        Raises
        ------
        ArgumentError
            If the state does not fit the weights or the mask.
        """
        self._require("state", state)
        return in_single("state", lambda model, x: model._energy(model.norm.activation(x)), self, state)

    def energy_of_outputs(self, outputs: torch.Tensor) -> torch.Tensor:
        """Energy as a function of g, ``(..., N, D)`` to ``(...)``; minus its gradient is the flow."""
        self._require("outputs", outputs)
        return in_single("outputs", EnergyTransformer._energy, self, outputs)

    def parts(self, outputs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Energies of the attention and of the memories as functions of g, ``(..., N, D)`` to ``(...)`` each."""
        self._require("outputs", outputs)
        attention, memory = in_single("outputs", lambda model, g: torch.stack(model._energies(g)), self, outputs)
        return attention, memory

    def _energy(self, g: torch.Tensor) -> torch.Tensor:
        attention, memory = self._energies(g)
        return attention + memory

    def _energies(self, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        queries, keys, memory = self._project(g)
        scores, alone = self._scores(queries, keys)
        pooled = scores.logsumexp(dim=-1)
        if alone is not None:
            pooled = pooled.masked_fill(alone, 0.0)
        return -pooled.sum(dim=(-2, -1)) / self.beta, -_RECTIFIED(memory).sum(dim=-1)

    def forces(self, state: torch.Tensor) -> Forces:
        """The three parts of the flow, each ``(..., N, D)`` as the state (module, last formula).

        Raises
        ------
        ArgumentError
            If the state does not fit the weights or the mask.
        """
        self._require("state", state)
        return Forces(*in_single("state", EnergyTransformer._forces, self, state))

    def _forces(self, x: torch.Tensor) -> torch.Tensor:
        asked, answered, active = self._pulls(self.norm.activation(x))
        forces = asked @ self.queries.flatten(0, 1), answered @ self.keys.flatten(0, 1), active @ self.memories
        return torch.stack(forces)

    def flow(self, state: torch.Tensor) -> torch.Tensor:
        """Time derivative of every token, minus the gradient of the energy in g, same axes ``(..., N, D)``.

        Raises
        ------
        ArgumentError
            If the state does not fit the weights or the mask.
        """
        self._require("state", state)
        return in_single("state", EnergyTransformer._flow, self, state)

    def _flow(self, x: torch.Tensor, edges: torch.Tensor | None = None) -> torch.Tensor:
        # One product for all weights: (asked, answered, active) times (W^Q, W^K, xi).
        return torch.cat(self._pulls(self.norm.activation(x), edges), dim=-1) @ self._weights()

    def _weights(self) -> torch.Tensor:
        return torch.cat([self.queries.flatten(0, 1), self.keys.flatten(0, 1), self.memories])

    def _project(self, g: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Queries and keys ``(..., H, N, Y)``, and overlaps with the memories ``(..., N, M)``."""
        heads, width, _ = self.queries.shape
        both = heads * width
        queries, keys, memory = (g @ self._weights().mT).split([both, both, len(self.memories)], dim=-1)
        split = (*g.shape[:-1], heads, width)
        return queries.reshape(split).transpose(-2, -3), keys.reshape(split).transpose(-2, -3), memory

    def _scores(self, queries: torch.Tensor, keys: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
        """beta K.Q with minus infinity where C does not see B, ``(..., H, C, B)``; and who sees none, or None."""
        scores = self.beta * (queries @ keys.mT)
        tokens = scores.shape[-1]
        hidden = torch.eye(tokens, dtype=torch.bool, device=scores.device)
        if self.mask is not None:
            hidden = hidden | ~self.mask[..., None, :, :]
        elif tokens > 1:
            return scores.masked_fill(hidden, -math.inf), None
        # A row of minus infinities has no softmax: who sees none is given finite scores, and weight zero afterwards.
        alone = hidden.all(dim=-1)
        return scores.masked_fill(hidden & ~alone[..., None], -math.inf), alone

    def _pulls(
        self, g: torch.Tensor, edges: torch.Tensor | None = None
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Means of the keys a token asks, sums of the queries it answers, ``(..., N, H Y)``, and active memories.

        A mask that lets few tokens see each other may be given as edges instead, who asks and who is asked, ``(2, E)``:
        then the states are those of one graph, ``(N, D)``, and only the edges are looked at.
        """
        queries, keys, memory = self._project(g)
        if edges is not None:
            pulls = _along(edges, queries.transpose(0, 1), keys.transpose(0, 1), self.beta)
            return *pulls, _RECTIFIED.activation(memory)
        scores, alone = self._scores(queries, keys)
        weights = scores.softmax(dim=-1)
        if alone is not None:
            weights = weights.masked_fill(alone[..., None], 0.0)
        asked = (weights @ keys).transpose(-2, -3).flatten(-2)
        answered = (weights.mT @ queries).transpose(-2, -3).flatten(-2)
        return asked, answered, _RECTIFIED.activation(memory)

    def _require(self, argument: str, state: torch.Tensor) -> torch.Tensor:
        sizes = {"features": self.queries.shape[-1]}
        if self.mask is not None:
            sizes["tokens"] = self.mask.shape[-1]
        device, dtype = self.queries.device, self.queries.dtype
        require_tensor(argument, state, "... tokens features", sizes=sizes, device=device, dtype=dtype)
        if self.mask is not None:
            extra = self.mask.shape[:-2]
            if extra and state.shape[:-2][-len(extra) :] != extra:
                raise ArgumentError(argument, f"leading axes that end in {tuple(extra)}", f"shape {tuple(state.shape)}")
        return state


def _along(
    edges: torch.Tensor, queries: torch.Tensor, keys: torch.Tensor, beta: Scalar
) -> tuple[torch.Tensor, torch.Tensor]:
    """What :meth:`EnergyTransformer._pulls` makes of queries and keys ``(N, H, Y)``, edge by edge."""
    askers, asked = edges
    asking, offered = queries.index_select(0, askers), keys.index_select(0, asked)
    scores = beta * (asking * offered).sum(dim=-1)
    # The largest score of every token that asks; a softmax does not depend on what is taken off.
    top = torch.full_like(queries[..., 0], -math.inf)
    top = top.scatter_reduce(0, askers[:, None].expand_as(scores), scores.detach(), "amax")
    weights = (scores - top.index_select(0, askers)).exp()
    total = torch.zeros_like(top).index_add(0, askers, weights)
    weights = (weights / total.index_select(0, askers))[..., None]
    still = torch.zeros_like(queries)
    pulls = still.index_add(0, askers, weights * offered), still.index_add(0, asked, weights * asking)
    return pulls[0].flatten(1), pulls[1].flatten(1)


@dataclass(frozen=True)
class QuerySide(Model):
    """The same tokens under ordinary attention: the flow without its key side. It is no gradient of an energy.

    Parameters
    ----------
    whole
        The energy transformer whose weights are used.
    """

    whole: EnergyTransformer

    def flow(self, state: torch.Tensor) -> torch.Tensor:
        """What tokens hear from those they attend to and from the memories, axes ``(..., N, D)``."""
        forces = self.whole.forces(state)
        return forces.query + forces.memory


def rises(energies: torch.Tensor, *, slack: float = 1e-10) -> torch.Tensor:
    """Whether an energy rises at some step by more than rounding: ``(steps, ...)`` to booleans ``(...)``.

    Parameters
    ----------
    energies
        Energies along a descent, its steps in the first axis, two of them at least.
    slack
        What counts as rounding, in units of the largest energy in absolute value; at least 0.

    Raises
    ------
    ArgumentError
        If the energies have no such axis or are not finite, or the slack is negative.
    """
    if require_tensor("energies", energies, "...").ndim == 0 or len(energies) < 2:
        raise ArgumentError("energies", "axes (steps, ...) with two steps or more", f"shape {tuple(energies.shape)}")
    require_number("slack", slack, at_least=0.0)
    return (energies.diff(dim=0) > slack * energies.abs().max()).any(dim=0)


def random_transformer(
    features: int,
    *,
    heads: int,
    width: int,
    memories: int,
    rng: np.random.Generator,
    spread: float | None = None,
    spread_memories: float = 0.02,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> EnergyTransformer:
    r"""A block with independent normal weights, unit layer norm and beta = 1 / sqrt(width).

    Parameters
    ----------
    features, heads, width, memories
        D, H, Y and M, at least 1.
    rng
        A numpy generator: it draws the same normal numbers on every machine.
    spread
        Standard deviation of the entries of W^Q and W^K; 1 / sqrt(D) by default, which makes queries and keys of
        order 1. The authors' code starts at 0.002.
    spread_memories
        Standard deviation of the entries of the memories, positive; the default is that of the authors' code.
    dtype, device
        Of the weights.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, a spread is not positive or ``rng`` is not a numpy generator.
    """
    for name, value in (("features", features), ("heads", heads), ("width", width), ("memories", memories)):
        require_count(name, value)
    require_room(heads=heads, width=width, features=features)
    require_room(memories=memories, features=features)
    scale = 1 / math.sqrt(features) if spread is None else require_number("spread", spread, above=0.0)
    require_number("spread_memories", spread_memories, above=0.0)
    draw = Normal(rng, dtype, device)
    return EnergyTransformer(
        draw(scale, heads, width, features),
        draw(scale, heads, width, features),
        draw(spread_memories, memories, features),
        LayerNorm(draw.full(1.0), draw.full(0.0, features)),
        1 / math.sqrt(width),
    )
