"""Cells of all dimensions: the chambers among them, Euler's number, and signs of random weights."""

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.polytopes.cells import cells
from memscape.polytopes.weight_space import arrangement


@pytest.mark.parametrize(
    ("neurons", "degrees", "chambers"),
    [(2, (2,), 2), (2, (1, 2), 14), (3, (2,), 24), (3, (3,), 2), (3, (1, 3), None), (3, (2, 3), None)],
)
def test_all_of_space_is_contractible(neurons, degrees, chambers):
    found = cells(neurons, degrees)
    assert chambers in (None, found.chambers)
    assert len(np.unique(found.signs, axis=0)) == len(found.signs)
    # Counted with compact support, space gives the sign of its dimension.
    assert ((-1) ** found.dimension).sum() == (-1) ** found.dimension.max()


def test_every_weight_lies_in_a_cell():
    found, cut = cells(3, (2, 3)), arrangement(3, (2, 3))
    listed = set(map(bytes, found.signs))
    small = np.random.default_rng(0).integers(-2, 3, size=(500, cut.dimension))  # many lie on hyperplanes
    met = {bytes(row) for row in np.sign(small @ cut.normals.T).astype(np.int8)}
    assert len(met) > 20
    assert met <= listed


def test_too_many_are_refused():
    with pytest.raises(ArgumentError, match="^degrees: expected at most 200000 sets of hyperplanes; got "):
        cells(5, (1, 2))
