"""Functions of numbers at the edges of their documented domains: a finite result, or a refusal that names the argument.

Hypothesis draws whole and real numbers in and around what each function documents, the ends and the huge among them.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.capacity import capacity
from memscape.memory import attention, mean_field, robust, saddles, simplicial

wholes = st.sampled_from([-1, 0, 1, 2, 3, 4, 5, 15, 16, 150, 151, 152, 2**53, 2**53 + 1, 10**30, 10**400])
powers = st.sampled_from([-1, 0, 1, 2, 3, 18, 19, 20, 151, 152, 400])
tiny, huge, none = [5e-324, 1e-310, 1e-200, 1e-8], [700.0, 1e200, 1e300, 1.7e308], [math.inf, -math.inf, math.nan]
reals = st.sampled_from([-1.0, 0.0, *tiny, 0.001, 0.3, 0.499999, 0.5, 1.0, 1 + 2**-52, 3.0, *huge, *none])
small = st.sampled_from([-1, 0, 1, 2, 3, 4, 5, 6, 9, 15, 16])

NUMBERS: list[tuple[Callable[..., Any], dict[str, st.SearchStrategy[Any]]]] = [
    (attention.retrieval_onset, {"patterns": wholes}),
    (attention.capacity_constants, {"neurons": wholes, "radius": reals, "failure": reals, "beta": reals}),
    (capacity.crosstalk, {"degree": powers}),
    (capacity.load_at, {"error": reals, "degree": powers, "tail": st.sampled_from(["gaussian", "asymptotic", "none"])}),
    (capacity.error_free, {"neurons": wholes, "degree": powers, "stable": st.sampled_from(["pattern", "all"])}),
    (mean_field.mixture_overlap, {"size": small, "temperature": reals}),
    (mean_field.mixture_energy, {"size": small}),
    (mean_field.mixture_curvature, {"size": small, "temperature": reals}),
    (robust.noise_weights, {"vertices": small, "clique": small}),
    (saddles.log_normaliser, {"beta": reals, "neurons": wholes, "exact": st.booleans()}),
    (simplicial.matched, {"neurons": wholes, "key": st.sampled_from([*simplicial.KEYS, "K9"])}),
]


def numbers(found: Any) -> list[Any]:
    """All numbers of a result: one, several, or the fields of a dataclass."""
    if isinstance(found, int | float | Fraction):
        return [found]
    return list(found) if isinstance(found, tuple) else list(vars(found).values())


@pytest.mark.parametrize(("function", "domain"), NUMBERS, ids=[function.__name__ for function, _ in NUMBERS])
@settings(max_examples=150)
@given(data=st.data())
def test_the_only_exceptions_are_refusals_and_every_result_is_finite(function, domain, data):
    arguments = {name: data.draw(values, label=name) for name, values in domain.items()}
    try:
        found = function(**arguments)
    except ArgumentError:
        return
    for number in numbers(found):
        assert isinstance(number, int) or math.isfinite(number)
