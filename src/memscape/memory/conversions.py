r"""Which model is which limit of which: a map whose every arrow can be measured.

The memories of this folder are one family. An arrow of :data:`ARROWS` says how to read one model as another, and
:func:`deviations` measures by how much the reading is off: an identity to rounding, a limit by less and less. A new
model joins the map with one more function and one more line.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as functional

from memscape.arguments import require_kind, require_tensor
from memscape.memory import hopfield, robust, saddles, simplicial
from memscape.memory.attention import ModernHopfield, attend
from memscape.memory.dense import DenseMemory, Exponential, Power, Rectified
from memscape.memory.energy_transformer import EnergyTransformer
from memscape.memory.lagrangians import LayerNorm, LogCosh, Quadratic, TwoBody, model_a, model_b, model_c
from memscape.memory.patterns import require_state
from memscape.tools import complexes

__all__ = ["ARROWS", "Arrow", "deviations"]

POWER = 3
"""Power of the memories compared where any power will do."""


@dataclass(frozen=True)
class Arrow:
    """One model read as another.

    Attributes
    ----------
    source, target
        Names of the two models.
    reading
        What of the source, under which condition, is what of the target.
    differences
        From patterns ``(P, N)`` and states ``(B, N)`` to the differences between the two readings, in units of the
        largest value of the target: one tensor for an identity, one for each stage of a limit.
    tolerance
        Largest deviation of an identity, or of the last stage of a limit.
    """

    source: str
    target: str
    reading: str
    differences: Callable[[torch.Tensor, torch.Tensor], Sequence[torch.Tensor]]
    tolerance: float


def deviations(arrow: Arrow, patterns: torch.Tensor, state: torch.Tensor) -> list[float]:
    """Largest deviation of an arrow over all states: one number for an identity, one for each stage of a limit.

    Parameters
    ----------
    arrow
        One of :data:`ARROWS`.
    patterns
        Axes ``(P, N)``, values in {-1, +1}, float64, 8 to 100 neurons, more than one pattern. The tolerances of limits
        hold from 64 neurons on, where twenty random patterns are far from each other.
    state
        Axes ``(B, N)``, values in {-1, +1}, float64.

    Returns
    -------
    list of float
        Relative, dimensionless.

    Raises
    ------
    ArgumentError
        If the patterns or the state do not fit.
    """
    require_kind("arrow", arrow, Arrow)
    require_tensor("patterns", patterns, "patterns neurons", values="spins", dtype=torch.float64)
    require_state("state", state, patterns)
    return [difference.abs().max().item() for difference in arrow.differences(patterns, state)]


def _relative(found: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    return (found - wanted) / wanted.abs().max()


def _hopfield_to_dense(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # F(N) = N**2 is the unit of the dense fields, and (x + 1)**2 - (x - 1)**2 = 4 x: their half difference is 2 x.
    field = hopfield.hebbian(xi).weights @ s.mT
    return [_relative(DenseMemory(xi, Power(2)).field(s) * xi.shape[1] / 2, field.mT)]


def _edges_to_hopfield(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    edges = simplicial.store(xi, complexes.complete(xi.shape[1], (1,)))
    return [_relative(edges.energy(s), hopfield.hebbian(xi).energy(s))]


def _simplices_to_dense(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    neurons = xi.shape[1]
    listed = complexes.complete(neurons, (1, 2))
    depth = sum(listed.counts.values()) / neurons
    closed = DenseMemory(xi, simplicial.Skeleton(neurons, (1, 2)))
    return [_relative(closed.energy(s) * depth, simplicial.store(xi, listed).energy(s))]


def _power_to_exponential(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # (x / N)**N = (1 - (N - x) / N)**N goes to exp(x - N) as N grows; at N - x = 2 it is off by 2 exp(-2) / N.
    found = []
    for neurons in (xi.shape[1] // 4, xi.shape[1] // 2, xi.shape[1]):
        some = xi[:, :neurons]
        near = some.clone()
        near[:, 0] *= -1
        wanted = DenseMemory(some, Exponential()).energy(near)
        found.append(_relative(DenseMemory(some, Rectified(neurons)).energy(near), wanted))
    return found


def _exponential_to_modern(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # On spins, s.s / 2 + M**2 / 2 = N, which is the logarithm of the unit exp(N) of the dense energy.
    wanted = ModernHopfield(xi, 1.0).energy(s)
    return [_relative(math.log(len(xi)) - (-DenseMemory(xi, Exponential()).energy(s)).log(), wanted)]


def _modern_to_attention(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # Not by the model's own update: by the gradient of its energy, along which the step of length one is the update.
    where = s.detach().requires_grad_()
    (slope,) = torch.autograd.grad(ModernHopfield(xi, s.shape[1] ** -0.5).energy(where).sum(), where)
    return [_relative(s - slope, functional.scaled_dot_product_attention(s, xi, xi))]


def _attention_to_nearest(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # A tie has no nearest pattern: the overlaps of spins are whole, and a cue with one unit turned over has none.
    near = xi.clone()
    near[:, 0] *= -1
    return [_relative(attend(near, xi, xi, beta=beta), xi[(near @ xi.mT).argmax(dim=-1)]) for beta in (0.2, 0.4, 0.8)]


def _graded_to_hopfield(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    binary = hopfield.hebbian(xi)
    wanted, none = binary.energy(s), s.new_zeros(s.shape[1])
    return [_relative(hopfield.Graded(binary.weights, none, gain).energy(s), wanted) for gain in (1e2, 1e4, 1e6)]


def _two_body_to_graded(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    scaled = xi / xi.shape[1] ** 0.5
    layers = TwoBody(scaled, LogCosh(2.0), Quadratic())
    # The product scaled^T scaled, from whole numbers: a rounded one need not be symmetric.
    weights = hopfield.hebbian(xi, self_coupling=True).weights
    graded = hopfield.Graded(weights, s.new_zeros(s.shape[1]), 2.0)
    moves = _relative(_settled(layers, s).flow, graded.flow(s))
    return [torch.cat([moves, _relative(_settled(layers, s).energy, graded.energy(s))[:, None]], dim=-1)]


def _model_a_to_dense(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    wanted, unit = DenseMemory(xi, Rectified(POWER)).energy(s), POWER / xi.shape[1] ** POWER
    return [
        _relative(_settled(model_a(xi, n=POWER, gain=gain), s).energy * unit, wanted) for gain in (1.0, 10.0, 100.0)
    ]


def _model_b_to_attention(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    return [_relative(model_b(xi, beta=0.1).adiabatic(s), attend(s, xi, xi, beta=0.1))]


def _model_c_to_dense(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # Spins lie on the sphere of radius sqrt(N), features of model C on that of radius 1.
    unit = POWER / xi.shape[1] ** (POWER / 2)
    return [_relative(_settled(model_c(xi, n=POWER), s).energy * unit, DenseMemory(xi, Rectified(POWER)).energy(s))]


def _three_weights_to_hopfield(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # The largest graph whose edges are among the units; its matrix is written from who shares a vertex with whom.
    vertices = max(v for v in range(2, xi.shape[1]) if math.comb(v, 2) <= xi.shape[1])
    ends = robust.edges(vertices)
    shares = (ends[:, None, :, None] == ends[None, :, None, :]).any(dim=0).any(dim=0).to(s.dtype)
    shared, disjoint, threshold = 1.0, -0.2, 0.3
    matrix = (disjoint + (shared - disjoint) * shares).fill_diagonal_(0.0)
    wanted = hopfield.from_bits(matrix, torch.full_like(matrix[0], threshold))
    few = s[:, : ends.shape[1]]
    found = robust.CliqueNetwork(vertices, s.new_tensor([shared, disjoint, threshold]))
    # An energy has no zero of its own: differences from the first state.
    return [_relative(found.energy(few) - found.energy(few[0]), wanted.energy(few) - wanted.energy(few[0]))]


def _transformer(xi: torch.Tensor, attending: float, memories: torch.Tensor, mask: torch.Tensor) -> EnergyTransformer:
    neurons = xi.shape[1]
    norm = LayerNorm(xi.new_ones(()), xi.new_zeros(neurons))
    same = attending * torch.eye(neurons, dtype=xi.dtype, device=xi.device)[None]
    return EnergyTransformer(same, same, memories, norm, beta=0.1, mask=mask)


def _transformer_to_dense(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # One token, so that there is nobody to attend to.
    alone = torch.zeros(1, 1, dtype=torch.bool, device=s.device)
    found = _transformer(xi, 0.0, xi, alone).energy_of_outputs(s[:, None])
    return [_relative(found * 2 / xi.shape[1] ** 2, DenseMemory(xi, Rectified(2)).energy(s))]


def _transformer_to_attention(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # The first token attends to the patterns, and nobody to it: by the slope of the energy, not by the model's flow.
    mask = torch.zeros(1 + len(xi), 1 + len(xi), dtype=torch.bool, device=s.device)
    mask[0, 1:] = True
    tokens = torch.cat([s[:, None], xi.expand(len(s), -1, -1)], dim=1).requires_grad_()
    energy = _transformer(xi, 1.0, torch.zeros_like(xi), mask).energy_of_outputs(tokens)
    (slope,) = torch.autograd.grad(energy.sum(), tokens)
    return [_relative(-slope[:, 0], attend(s, xi, xi, beta=0.1))]


def _mixture_to_modern(xi: torch.Tensor, s: torch.Tensor) -> list[torch.Tensor]:
    # No background and one class: minus the log-likelihood is the energy, up to the normaliser of the density.
    beta, memories, images = 10.0, functional.normalize(xi, dim=1), functional.normalize(s, dim=1)
    weights = torch.cat([xi.new_ones(len(xi), 1), xi.new_zeros(1, 1)])
    likelihood = saddles.Mixture(memories, weights, beta).log_joint(images)[:, 0]
    found = 1 - (likelihood + saddles.log_normaliser(beta, xi.shape[1])) / beta
    return [_relative(found, ModernHopfield(memories, beta).energy(images))]


@dataclass(frozen=True)
class _Settled:
    """Energy and flow of the features, both with memory units at rest."""

    energy: torch.Tensor
    flow: torch.Tensor


def _settled(layers: TwoBody, features: torch.Tensor) -> _Settled:
    memories = layers.visible.activation(features) @ layers.patterns.mT
    potential = torch.cat([features, memories], dim=-1)
    return _Settled(layers.energy(potential), layers.flow(potential)[..., : features.shape[-1]])


ARROWS = (
    Arrow("Hopfield 1982", "dense, n = 2", "local fields", _hopfield_to_dense, 1e-12),
    Arrow("all edges", "Hopfield 1982", "energies", _edges_to_hopfield, 1e-12),
    Arrow("all edges and triangles", "dense, Krawtchouk", "energies", _simplices_to_dense, 1e-12),
    Arrow("dense, n = N", "exponential", "energies, N growing", _power_to_exponential, 0.05),
    Arrow("exponential", "modern Hopfield", "energies of spins, minus the log", _exponential_to_modern, 1e-12),
    Arrow("modern Hopfield", "attention", "a step of length one downhill", _modern_to_attention, 1e-12),
    Arrow("attention", "nearest pattern", "beta growing", _attention_to_nearest, 1e-3),
    Arrow("Hopfield 1984", "Hopfield 1982", "energies, gain growing", _graded_to_hopfield, 1e-3),
    Arrow("two-body, linear memory units", "Hopfield 1984", "flow and energy, fast", _two_body_to_graded, 1e-12),
    Arrow("two-body A", "dense, rectified", "energies, fast, gain growing", _model_a_to_dense, 1e-3),
    Arrow("two-body B", "attention", "one step, fast", _model_b_to_attention, 1e-12),
    Arrow("two-body C", "dense, rectified", "energies on the sphere, fast", _model_c_to_dense, 1e-12),
    Arrow("three weights on a graph", "Hopfield 1982", "energies", _three_weights_to_hopfield, 1e-12),
    Arrow("energy transformer", "dense, rectified", "energies, one token", _transformer_to_dense, 1e-12),
    Arrow("energy transformer", "attention", "slope, keys held fixed", _transformer_to_attention, 1e-12),
    Arrow("mixture on the sphere", "modern Hopfield", "minus the log-likelihood", _mixture_to_modern, 1e-12),
)
"""The map; *fast* means that memory units are at rest."""
