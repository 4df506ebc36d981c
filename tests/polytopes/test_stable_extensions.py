"""The search for stable fixed points on all neurons, against brute force and the two exceptions of six neurons."""

from fractions import Fraction

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.polytopes.digraphs import canonical, classes, induced, require_codes
from memscape.polytopes.graph_rules import Parameters, fixed_points, target_free_cliques
from memscape.polytopes.stable_extensions import stable_extensions

USUAL = Parameters(0.25, 0.5)
SIX = np.array([95860095, 95872383])


def test_no_stable_exception_with_fewer_than_six_neurons_and_two_with_six():
    parameters = Parameters("1/12", "11/120")
    assert parameters.legal
    for nodes in range(1, 5):
        assert len(stable_extensions(classes(nodes), nodes, parameters)) == 0
    # One node of each exception taken away leaves one of these; the search over all 9608 is the chapter's.
    bases = np.unique([canonical(induced(code, 6, 63 & ~(1 << node)), 5) for code in SIX for node in range(6)])
    hits = stable_extensions(bases, 5, parameters)
    assert np.unique(canonical(hits, 6)).tolist() == SIX.tolist()
    assert not target_free_cliques(hits, 6)[:, -1].any()


def test_the_search_finds_what_brute_force_finds():
    # Illegal parameters, where many digraphs have a stable fixed point on all neurons.
    parameters = Parameters(0.6, 0.3)
    for nodes in (3, 4):
        every = require_codes("codes", np.arange(4 ** (nodes * (nodes - 1) // 2)), nodes)
        stable = fixed_points(every, nodes, parameters).stable_supports[:, -1]
        expected = every[stable & (every != every[-1])]
        bases = np.arange(2 ** ((nodes - 1) * (nodes - 2)))
        assert sorted(stable_extensions(bases, nodes - 1, parameters).tolist()) == expected.tolist()
        assert len(expected) > 0


def test_parameters_with_more_digits_than_a_float_has_are_decided_too():
    # Close to 0.6 and 0.3, with numerators that no float holds.
    fine = Fraction(1, 10**400)
    near = stable_extensions(classes(3), 3, Parameters(Fraction(3, 5) + fine, Fraction(3, 10) + fine))
    assert sorted(near.tolist()) == sorted(stable_extensions(classes(3), 3, Parameters(0.6, 0.3)).tolist())


@pytest.mark.parametrize(("call", "message"), [
        (lambda: stable_extensions([[0]], 2, USUAL), "codes: expected axes (graphs,); got shape (1, 1)."),
        (lambda: stable_extensions([0], 7, USUAL), "nodes: expected an integer in [1, 6]; got 7."),
])  # fmt: skip
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert message in str(caught.value)
