"""Every public callable of the tools, spoiled: a finite result, or a refusal that names the argument."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.tools import exact, pieces

from .. import edges
from ..edges import Call

CALLS = [
    Call(pieces.budget, {"size": 2**20}),
    Call(exact.regions, {"normals": np.array([[1, 0], [0, 1]])}),
]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_spoiled_call_answers_in_finite_numbers_or_is_refused_by_name(call):
    assert edges.faults(call) == []


@pytest.mark.parametrize("call", CALLS, ids=str)
@settings(max_examples=30)
@given(data=st.data())
def test_so_is_one_where_several_arguments_are_spoiled(call, data):
    assert edges.answer(call, data.draw(edges.several(call))) == ""
