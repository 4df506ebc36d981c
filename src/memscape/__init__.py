"""Memscape: associative memory networks as they grow, seen through geometry and categories.

The package mirrors the book: ``memscape.memory``, ``memscape.capacity``, ``memscape.polytopes``,
``memscape.homotopy`` and ``memscape.categorical`` hold the models behind the chapters of the same name;
``memscape.tools`` holds what they share, and ``memscape.book`` what makes a notebook a chapter. Nothing is imported
here, so that a build of the site, or ``memscape --help``, never pays for torch: the names below are fetched from their
modules when they are asked for.
"""

from importlib import import_module as _import_module
from typing import Any as _Any

__version__ = "0.1.0"

_HOMES = {
    "DenseMemory": "memory.dense",
    "EnergyTransformer": "memory.energy_transformer",
    "Exponential": "memory.dense",
    "ModernHopfield": "memory.attention",
    "Power": "memory.dense",
    "Rectified": "memory.dense",
    "asynchronous": "memory.dynamics",
    "attend": "memory.attention",
    "evolve": "memory.dynamics",
    "flip": "memory.patterns",
    "gradient_flow": "memory.dynamics",
    "hebbian": "memory.hopfield",
    "iterate": "memory.dynamics",
    "overlap": "memory.patterns",
    "random_patterns": "memory.patterns",
    "random_transformer": "memory.energy_transformer",
    "synchronous": "memory.dynamics",
    "threads": "tools.threads",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> _Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'memscape' has no attribute '{name}'")
    return getattr(_import_module(f"memscape.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
