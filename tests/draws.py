"""What the tests of science draw with."""

import itertools

import numpy as np
import torch

from memscape.tools.complexes import Simplices


def rng(seed: int = 0) -> torch.Generator:
    """A seeded generator on the CPU."""
    return torch.Generator().manual_seed(seed)


def normal(seed: int, *shape: int) -> torch.Tensor:
    """Normal numbers, float64, the same on every machine."""
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def all_bits(neurons: int) -> torch.Tensor:
    """All states of units 0 and 1, (2**N, N)."""
    return torch.tensor(list(itertools.product((0.0, 1.0), repeat=neurons)), dtype=torch.float64)


def whole_network(seed: int, neurons: int, networks: tuple[int, ...] = ()) -> tuple[torch.Tensor, torch.Tensor]:
    """Symmetric whole couplings without a diagonal and whole thresholds, small."""
    half = torch.randint(-5, 6, (*networks, neurons, neurons), generator=rng(seed)).to(torch.float64).triu(1)
    thresholds = torch.randint(-5, 6, (*networks, neurons), generator=rng(seed + 1)).to(torch.float64)
    return half + half.mT, thresholds


def real_network(seed: int, neurons: int, networks: tuple[int, ...] = ()) -> tuple[torch.Tensor, torch.Tensor]:
    """Symmetric couplings without a diagonal and thresholds in (-1/2, 1/2)."""
    half = (torch.rand((*networks, neurons, neurons), generator=rng(seed), dtype=torch.float64) - 0.5).triu(1)
    return half + half.mT, torch.rand((*networks, neurons), generator=rng(seed + 1), dtype=torch.float64) - 0.5


def bit_energy(couplings: torch.Tensor, thresholds: torch.Tensor, bits: torch.Tensor) -> torch.Tensor:
    """Energy of states of units 0 and 1, term by term."""
    return -((bits @ couplings) * bits).sum(dim=-1) / 2 + bits @ thresholds


def every_set(neurons: int, *dimensions: int) -> list[tuple[int, ...]]:
    """All sets of d + 1 of the neurons, for each dimension d, in lexicographic order."""
    return [sigma for d in dimensions for sigma in itertools.combinations(range(neurons), d + 1)]


def as_sets(simplices: Simplices, *network: int) -> list[tuple[int, ...]]:
    """The simplices of one network as tuples of their vertices."""
    return [tuple(sigma) for rows in simplices.members for sigma in rows[network].tolist()]
