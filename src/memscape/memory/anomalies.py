"""An energy transformer finds the nodes of a graph that do not belong where they are."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import torch
import torch.nn.functional as functional

from memscape.arguments import (
    ArgumentError,
    require_booleans,
    require_count,
    require_integer,
    require_kind,
    require_number,
    require_room,
    require_tensor,
)
from memscape.memory.dynamics import evolve
from memscape.memory.energy_transformer import EnergyTransformer, random_transformer
from memscape.tools.models import Model
from memscape.tools.training import Normal, adamw, warm_cosine

__all__ = [
    "Detector",
    "PlantedGraph",
    "planted_graph",
    "random_detector",
    "train_detector",
]


@dataclass(frozen=True)
class PlantedGraph(Model):
    """A graph in which some nodes do not belong where they are.

    Attributes
    ----------
    features
        Axes ``(N, F)``.
    adjacency
        Booleans ``(N, N)``, symmetric, with a false diagonal.
    anomalous
        Booleans ``(N,)``: the planted nodes, by either kind.
    """

    features: torch.Tensor
    adjacency: torch.Tensor
    anomalous: torch.Tensor


def planted_graph(
    nodes: int,
    *,
    communities: int,
    features: int,
    degree: float,
    inside: float,
    noise: float,
    anomalies: int,
    rng: np.random.Generator,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> PlantedGraph:
    """A stochastic block model whose communities have features of their own, and anomalies of two kinds.

    Every community has a random vector of normal entries, and a node's features are that of its community plus noise.
    Half of the anomalies have the features of another community (and the edges of their own); the other half keep
    their features and have each of their edges led to a random node instead.

    Parameters
    ----------
    nodes, communities, features
        Numbers of nodes, of communities (equally large up to one node) and of features, at least 2, 2 and 1.
    degree
        Mean number of neighbours, positive, at most half the size of a community.
    inside
        Share of a node's edges that stay in its community, in [0, 1].
    noise
        Standard deviation of the features around those of the community, at least 0.
    anomalies
        Number of planted nodes, 2 to ``nodes``.
    rng
        A numpy generator.
    dtype, device
        Of the features; the booleans lie on the same device.

    Raises
    ------
    ArgumentError
        If a number is out of range or ``rng`` is not a numpy generator.
    """
    require_integer("nodes", nodes, at_least=2, at_most=2**26)
    require_room(nodes=nodes, others=nodes)
    require_integer("communities", communities, at_least=2, at_most=nodes)
    require_count("features", features)
    require_room(nodes=nodes, features=features)
    require_number("degree", degree, above=0.0, at_most=nodes / communities / 2)
    require_number("inside", inside, at_least=0.0, at_most=1.0)
    require_number("noise", noise, at_least=0.0)
    require_integer("anomalies", anomalies, at_least=2, at_most=nodes)
    draw = Normal(rng, dtype, device)
    home = np.arange(nodes) * communities // nodes
    sizes = np.bincount(home)
    near = degree * inside / sizes.mean()
    far = degree * (1 - inside) / (nodes - sizes.mean())
    between = np.where(np.eye(communities, dtype=bool), near, far)
    between[between < 1e-18] = 0.0  # no edge is ever drawn, and NetworkX divides by the logarithm of the rest
    graph = nx.stochastic_block_model(sizes.tolist(), between.tolist(), seed=int(rng.integers(2**31)))
    chosen = rng.choice(nodes, anomalies, replace=False)
    swapped, rewired = chosen[: anomalies // 2], chosen[anomalies // 2 :]
    looks = home.copy()
    looks[swapped] = (home[swapped] + rng.integers(1, communities, len(swapped))) % communities
    edges = nx.to_numpy_array(graph, dtype=bool)
    for node in rewired:
        count = int(edges[node].sum())
        edges[node] = edges[:, node] = False
        others = rng.choice(np.delete(np.arange(nodes), node), count, replace=False)
        edges[node, others] = edges[others, node] = True
    centres = draw(1.0, communities, features)
    seen = centres[torch.from_numpy(looks).to(device)] + draw(noise, nodes, features)
    anomalous = torch.zeros(nodes, dtype=torch.bool, device="cpu")
    anomalous[torch.from_numpy(chosen)] = True
    return PlantedGraph(seen, torch.from_numpy(edges).to(device), anomalous.to(device))


@dataclass(frozen=True)
class Detector(Model):
    """An energy transformer on a graph: nodes are tokens, and each attends to its neighbours.

    A node's features enter by a linear map. Its first and its last outputs g, side by side, are mapped to one number.
    All nodes of a graph descend together, one energy for the whole graph.

    Parameters
    ----------
    block
        The energy transformer, without a mask: the adjacency takes that place.
    encoder, encoder_bias
        Axes ``(F, D)`` and ``(D,)``.
    readout, readout_bias
        Axes ``(2 D,)`` and ``()``.
    step, steps
        Length and number of the Euler steps.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, a value is not finite, or a number is out of range.
    """

    block: EnergyTransformer
    encoder: torch.Tensor
    encoder_bias: torch.Tensor
    readout: torch.Tensor
    readout_bias: torch.Tensor
    step: float
    steps: int

    def __post_init__(self) -> None:
        features = require_kind("block", self.block, EnergyTransformer).queries.shape[-1]
        place: dict[str, Any] = {"device": self.block.queries.device, "dtype": self.block.queries.dtype}
        require_tensor("encoder", self.encoder, "inputs features", sizes={"features": features}, **place)
        require_tensor("encoder_bias", self.encoder_bias, "features", sizes={"features": features}, **place)
        require_tensor("readout", self.readout, "features", sizes={"features": 2 * features}, **place)
        require_tensor("readout_bias", self.readout_bias, "", **place)
        require_number("step", self.step, above=0.0)
        require_count("steps", self.steps)

    def score(self, features: torch.Tensor, adjacency: torch.Tensor) -> torch.Tensor:
        """Log-odds that a node is an anomaly.

        Parameters
        ----------
        features
            Axes ``(N, F)``.
        adjacency
            Booleans ``(N, N)``: who is a neighbour of whom.

        Returns
        -------
        torch.Tensor
            Axes ``(N,)``, dimensionless.

        Raises
        ------
        ArgumentError
            If features or adjacency do not fit.
        """
        sizes = {"inputs": self.encoder.shape[0]}
        device, dtype = self.encoder.device, self.encoder.dtype
        require_tensor("features", features, "nodes inputs", sizes=sizes, device=device, dtype=dtype)
        require_booleans(
            "adjacency", adjacency, "True for neighbours.", shape=(len(features), len(features)), device=device
        )
        return self._score(features, _edges(adjacency))

    def _score(self, features: torch.Tensor, edges: torch.Tensor) -> torch.Tensor:
        state = features @ self.encoder + self.encoder_bias
        first = self.block.norm.activation(state)
        state = evolve(_OnGraph(self.block, edges), state, step=self.step, steps=self.steps)
        return torch.cat([first, self.block.norm.activation(state)], dim=-1) @ self.readout + self.readout_bias


@dataclass(frozen=True)
class _OnGraph:
    """An energy transformer whose mask is given as edges, ``(2, E)``: graded units for the dynamics."""

    block: EnergyTransformer
    edges: torch.Tensor

    def flow(self, potential: torch.Tensor) -> torch.Tensor:
        return self.block._flow(potential, self.edges)


def _edges(adjacency: torch.Tensor) -> torch.Tensor:
    """Who asks and who is asked, ``(2, E)``: nodes ask their neighbours, but never themselves."""
    return adjacency.clone().fill_diagonal_(False).nonzero().T.contiguous()


def random_detector(
    inputs: int,
    features: int,
    *,
    heads: int,
    width: int,
    memories: int,
    step: float,
    steps: int,
    rng: np.random.Generator,
    dtype: torch.dtype = torch.float32,
    device: torch.device | str = "cpu",
) -> Detector:
    """A detector at the start of its training; see :class:`Detector` and :func:`random_transformer`.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, the step is not positive or ``rng`` is not a numpy generator.
    """
    require_count("inputs", inputs)
    block = random_transformer(
        features, heads=heads, width=width, memories=memories, rng=rng, dtype=dtype, device=device
    )
    draw = Normal(rng, dtype, device)
    return Detector(
        block,
        draw(1 / math.sqrt(inputs), inputs, features),
        draw.full(0.0, features),
        draw(1 / math.sqrt(2 * features), 2 * features),
        draw.full(0.0),
        step,
        steps,
    )


def train_detector(
    model: Detector,
    graph: PlantedGraph,
    known: torch.Tensor,
    *,
    epochs: int,
    rate: float,
    decay: float = 0.0,
) -> Detector:
    """Train by AdamW on the nodes whose label is known, the whole graph at every step, and return the detector.

    The loss is binary cross-entropy, in which anomalies weigh as much as the other nodes together.

    Parameters
    ----------
    model
        Where to start; left untouched.
    graph
        The graph with all its labels.
    known
        Booleans ``(N,)``: whose labels may be used; among them an anomaly and a node that is none.
    epochs
        Number of steps, at least 1.
    rate, decay
        Largest learning rate and weight decay of AdamW, positive and at least 0.

    Raises
    ------
    ArgumentError
        If the graph does not fit the model, no known node is an anomaly or all are, or a number is out of range.
    """
    require_kind("model", model, Detector)
    require_kind("graph", graph, PlantedGraph)
    shape, device = graph.anomalous.shape, graph.anomalous.device
    require_booleans("known", known, "True where the label is known.", shape=shape, device=device)
    require_count("epochs", epochs)
    model.score(graph.features, graph.adjacency)  # refuses a graph that does not fit
    target = graph.anomalous[known].to(graph.features.dtype)
    if target.numel() == 0 or not 0 < target.sum() < len(target):
        raise ArgumentError("known", "an anomaly and a node that is none", f"{int(target.sum())} of {len(target)}")
    weight = (len(target) - target.sum()) / target.sum()
    edges = _edges(graph.adjacency)

    def losses(current: Detector) -> Iterator[torch.Tensor]:
        score = current._score(graph.features, edges)[known]
        yield functional.binary_cross_entropy_with_logits(score, target, pos_weight=weight)

    schedule = warm_cosine(epochs)
    for trained, _ in adamw(
        model, losses, epochs=epochs, rate=rate, decay=decay, second=0.99, longest=1.0, schedule=schedule
    ):
        model = trained
    return model
