"""Polytopes: hyperplanes, cones and regions, in the space of weights, of inputs and of states."""
