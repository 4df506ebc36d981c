"""Every public callable of Part IV, spoiled: a finite result, or a refusal that names the argument."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.homotopy import sampling, storage

from .. import edges
from ..edges import Call

COMPLEX = storage.storage_complex(3, (2,))
SETS = torch.tensor([[0, 3], [1, 2]])
RNG = torch.Generator()

CALLS = [
    Call(sampling.draw_sets, {"count": 6, "size": 2, "sets": 3, "generator": RNG}),
    Call(sampling.learn, {"neurons": 3, "degrees": (1, 2), "sets": SETS, "steps": 9}),
    Call(
        sampling.sample,
        {"neurons": 3, "degrees": (2,), "size": 2, "drawn": 3, "generator": RNG, "steps": 9, "device": "cpu"},
    ),
    Call(storage.vertices, {"neurons": 3, "degrees": (2,)}),
    Call(storage.storage_complex, {"neurons": 3, "degrees": (2,)}),
    Call(storage.simplex_tree, {"complex_": COMPLEX}),
    Call(storage.cube, {"neurons": 3, "folded": True}),
    Call(storage.only_even, {"degrees": (2, 4)}),
    Call(COMPLEX.every, {"orbits": COMPLEX.faces[0]}),
    Call(COMPLEX.equals, {"other": COMPLEX}),
]


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_a_spoiled_call_answers_in_finite_numbers_or_is_refused_by_name(call):
    assert edges.faults(call) == []


@pytest.mark.parametrize("call", CALLS, ids=str)
@settings(max_examples=30)
@given(data=st.data())
def test_so_is_one_where_several_arguments_are_spoiled(call, data):
    assert edges.answer(call, data.draw(edges.several(call))) == ""


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_where_in_memory_an_array_lies_changes_no_answer(call):
    assert edges.differences(call) == []


def test_no_public_callable_and_no_parameter_is_missing():
    assert edges.incomplete("memscape.homotopy", CALLS, {}) == []
