"""What makes a notebook a chapter: strict parameters, the ledger of claims, figures, data, and the command line.

A chapter's second code cell reads::

    from memscape import book

    run = book.begin("memory/hopfield")

``book.figures``, ``book.data`` and ``book.ledger`` are at hand as attributes. Nothing is imported before it is asked
for, so that ``memscape --help`` or a build of the site pays neither for torch nor for matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from memscape.book import data, figures, ledger
    from memscape.book.run import begin

__all__ = ["begin", "data", "figures", "ledger"]


def __getattr__(name: str) -> Any:
    if name == "begin":
        # A plain import statement, not importlib: the digest follows it from every chapter into run.py.
        from memscape.book.run import begin

        return begin
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
