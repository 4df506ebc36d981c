"""Stable fixed points one inside another: pairs of all sizes, chains, and what signs allow."""

from fractions import Fraction

import pytest

from memscape.arguments import ArgumentError
from memscape.polytopes.chirotopes import chirotopes
from memscape.polytopes.nested_supports import copied, nested_pairs, prolonged
from memscape.polytopes.threshold_linear import exact_fixed_point

WITNESS = [[0, -0.25, -1.25], [-2, 0, -0.5], [-1.25, -0.75, 0]]
LINK = [[0, -1.5, -0.125], [-1.125, 0, -0.75], [-1.375, -0.25, 0]]


def stable(weights):
    """Sizes k such that the first k neurons are the support of a stable fixed point."""
    n = len(weights)
    return [k for k in range(1, n + 1) if exact_fixed_point(weights, [1] * n, 2**k - 1).stable]


def test_signs_allow_one_inside_three_only():
    assert nested_pairs(chirotopes(2, inputs=True)) == {(1, 2): 0}
    pairs = nested_pairs(chirotopes(3, inputs=True))
    assert pairs == {(1, 2): 0, (1, 3): 336, (2, 3): 0}


@pytest.mark.parametrize(("inner", "outer"), [(1, 3), (2, 4), (2, 6), (4, 6), (1, 7)])
def test_copies_make_pairs_of_other_sizes(inner, outer):
    grown = copied(WITNESS, [inner, 1, outer - inner - 1])
    assert stable(grown) == [inner, outer]


def test_copies_share_what_a_neuron_gives():
    assert copied([[0, -3], [-1, 0]], [1, 2]) == [
        [0, Fraction(-3, 2), Fraction(-3, 2)],
        [-1, 0, Fraction(-1, 1000)],
        [-1, Fraction(-1, 1000), 0],
    ]


def test_a_chain_grows_by_a_link():
    chain = [[Fraction(value) for value in row] for row in LINK]
    for length in range(2, 6):
        assert stable(chain) == list(range(1, 2 * length, 2))
        assert all(value < 0 for r, row in enumerate(chain) for c, value in enumerate(row) if r != c)
        chain = prolonged(chain, LINK)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nested_pairs("P1"), "patterns"),
        (lambda: copied([[0, 1]], [1]), "weights: expected n rows of n numbers"),
        (lambda: copied(LINK, [1, 1]), "copies: expected 3 counts"),
        (lambda: copied(LINK, [1, 0, 1]), "copies"),
        (lambda: prolonged(LINK, [[0, -1], [-1, 0]]), "link: expected the weights of three neurons"),
        (lambda: prolonged([[0, -2], [-0.5, 0]], LINK), "weights: expected a network with a fixed point on all"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
