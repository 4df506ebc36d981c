"""What the tests of science draw with."""

import numpy as np
import torch


def rng(seed: int = 0) -> torch.Generator:
    """A seeded generator on the CPU."""
    return torch.Generator().manual_seed(seed)


def normal(seed: int, *shape: int) -> torch.Tensor:
    """Normal numbers, float64, the same on every machine."""
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))
