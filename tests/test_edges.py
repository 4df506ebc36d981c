"""Spoiled calls are judged as they should be, and no callable or parameter can be forgotten.

And functions of numbers at the edges of their documented domains: a finite result, or a refusal by name. Hypothesis
draws whole and real numbers in and around what each function documents, the ends and the huge among them.
"""

import math
import sys
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError, require_integer, require_tensor
from memscape.capacity import capacity
from memscape.memory import attention, mean_field, robust, saddles, simplicial
from memscape.tools import pieces

from . import edges
from .edges import Call

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


def clean(count: int, units: torch.Tensor) -> torch.Tensor:
    require_integer("count", count, at_least=1, at_most=9)
    return require_tensor("units", units, "neurons") / 2


def test_a_function_that_checks_what_it_is_given_has_no_faults():
    assert edges.faults(Call(clean, {"count": 2, "units": torch.ones(3)})) == []


@pytest.mark.parametrize(
    ("function", "value", "fault"),
    [
        (lambda x: x + 1, 1, "x = 'x': TypeError"),
        (lambda x: x.energy, torch.ones(2), "x = None: AttributeError"),
        (lambda x: 0.0 if isinstance(x, torch.Tensor) else x, torch.ones(2), ""),
        (lambda x: {"a": [(float("nan"),)]} if x == 3 else 0.0, [1], "x = 3: NaN"),
        (lambda x: np.array([np.inf]) if x is None else 0.0, {}, "x = None: infinite"),
        pytest.param(
            *(lambda x: torch.empty(2**33, dtype=torch.uint8) if x is None else 0, True, "x = None: RuntimeError"),
            marks=pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only"),
        ),
        (lambda x: int(x == "x") and [None for _ in iter(int, 1)], True, "x = 'x': more than"),
        (lambda x: require_integer("x", x, at_least=2), 1, "as it is: x: expected an integer >= 2; got 1."),
    ],
)
def test_a_fault_is_seen_and_said(function, value, fault, monkeypatch):
    monkeypatch.setattr(edges, "SECONDS", 0.1)
    found = edges.faults(Call(function, {"x": value}))
    assert any(line.startswith(fault) for line in found) if fault else found == []


def test_what_a_function_documents_as_infinite_is_no_fault():
    call = {"function": lambda x: float("inf"), "arguments": {"x": 1.0}}
    assert edges.faults(Call(**call)) != []
    assert edges.faults(Call(**call, infinite="nothing is stored")) == []
    assert edges.faults(Call(**call, undefined="nothing is stored")) != []


def test_the_values_of_a_call_are_added_and_a_spared_argument_stays():
    call = Call(clean, {"count": 2, "units": torch.ones(3)}, also={"count": [8]}, spare={"units": "a reason"})
    assert 8 in edges.spoils(call, "count")
    assert edges.spoils(call, "units") == []


@settings(max_examples=10)
@given(drawn=edges.several(Call(clean, {"count": 2, "units": torch.ones(3)})))
def test_at_least_two_are_spoiled_where_there_are_two(drawn):
    assert set(drawn) == {"count", "units"}


def test_no_callable_and_no_parameter_can_be_forgotten():
    calls = [Call(pieces.cached, {"each": 1}), Call(pieces.cached, {"each": 1}), Call(simplicial.store, {})]
    found = edges.incomplete("memscape.tools", calls, {"pieces.cached": "", "pieces.nothing": "a reason"})
    assert "pieces.slices: no call" in found
    assert "models.Model.map: no call" in found
    assert {line.partition(": ")[2] for line in found if "no call" not in line} == {
        "in the table and among the exceptions", "no reason", "not public there",
        "at_least is never spoiled", "patterns is never spoiled", "simplices is never spoiled",
    }  # fmt: skip
