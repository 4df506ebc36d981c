"""Homotopy: complexes made from memories, and their holes."""
