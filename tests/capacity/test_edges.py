"""Every public callable of the capacities, spoiled: a finite result, or a refusal that names the argument."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.capacity import capacity
from memscape.memory.dense import Power

from .. import edges
from ..edges import Call

load = torch.tensor([0.1])
DEGREES = {"degree": [3, 18, 19, 20, 151, 152, 400]}
WHOLES = {"neurons": [3, 15, 16, 150, 151, 152, 2**53, 2**53 + 1]}
CALLS = [
    Call(capacity.asymptotic_error, {"load": load, "degree": 3}, also=DEGREES),
    Call(capacity.bit_error, {"neurons": 6, "count": 3, "interaction": Power(3)}),
    Call(capacity.capacity, {"neurons": 6, "interaction": Power(3), "error": 0.1}),
    Call(capacity.crosstalk, {"degree": 3}, also=DEGREES),
    Call(capacity.error_free, {"neurons": 9, "degree": 3, "stable": "all"}, also={**DEGREES, **WHOLES}),
    Call(capacity.exact_recall, {"error": load, "neurons": 5}, also=WHOLES),
    Call(capacity.gaussian_error, {"load": load, "degree": 3, "rectified": True}, also=DEGREES),
    Call(
        capacity.load_at, {"error": 0.1, "degree": 3, "tail": "gaussian"}, also=DEGREES | {"error": [1e-200, 0.499999]}
    ),
]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_spoiled_call_answers_in_finite_numbers_or_is_refused_by_name(call):
    assert edges.faults(call) == []


@pytest.mark.parametrize("call", CALLS, ids=str)
@settings(max_examples=60)
@given(data=st.data())
def test_so_is_one_where_several_arguments_are_spoiled(call, data):
    assert edges.answer(call, data.draw(edges.several(call))) == ""


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_where_in_memory_an_array_lies_changes_no_answer(call):
    assert edges.differences(call) == []


def test_no_public_callable_and_no_parameter_is_missing():
    assert edges.incomplete("memscape.capacity", CALLS, {}) == []
