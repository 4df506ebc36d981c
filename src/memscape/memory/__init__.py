"""Associative memory: patterns, the dynamics of binary and graded units, and the models with their theory."""
