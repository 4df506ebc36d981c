"""Memscape: associative memory networks as they grow, seen through geometry and categories.

The package mirrors the book: ``memscape.memory``, ``memscape.capacity``, ``memscape.polytopes``,
``memscape.homotopy`` and ``memscape.categorical`` hold the models behind the chapters of the same name;
``memscape.tools`` holds what they share, and ``memscape.book`` what makes a notebook a chapter. Nothing is imported
here, so that a build of the site, or ``memscape --help``, never pays for torch.
"""

__version__ = "0.1.0"
