"""Spoiled calls are judged as they should be, and no callable or parameter can be forgotten."""

import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings

from memscape.arguments import require_integer, require_tensor
from memscape.memory import simplicial
from memscape.tools import pieces

from . import edges
from .edges import Call


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


def written(x):
    x[..., 0] = 5
    return x.sum()


@pytest.mark.parametrize(
    ("function", "value", "fault"),
    [
        (lambda x: x.sum(dim=0), torch.arange(6.0).reshape(2, 3), ""),
        (lambda x: x.sum(axis=0), np.arange(6.0).reshape(2, 3), ""),
        (lambda x: torch.as_strided(x, (2, 3), (3, 1)), torch.arange(6.0).reshape(2, 3), "every other entry: another"),
        (lambda x: [{"storage": x.storage_offset()}], torch.arange(3), "behind others: another answer"),
        (lambda x: x.ravel("K"), np.arange(6).reshape(2, 3), "last axis first: another answer"),
        (lambda x: x.view(-1), torch.arange(6).reshape(2, 3), "last axis first: RuntimeError"),
        (written, torch.arange(6.0).reshape(2, 3), "every other entry: changed in place"),
    ],
)
def test_an_answer_that_depends_on_where_an_array_lies_is_seen(function, value, fault):
    found = edges.differences(Call(function, {"x": value}))
    assert any(line.startswith(f"x, {fault}") for line in found) if fault else found == []


def test_no_callable_and_no_parameter_can_be_forgotten():
    calls = [Call(pieces.cached, {"each": 1}), Call(pieces.cached, {"each": 1}), Call(simplicial.store, {})]
    found = edges.incomplete("memscape.tools", calls, {"pieces.cached": "", "pieces.nothing": "a reason"})
    assert "pieces.slices: no call" in found
    assert "models.Model.map: no call" in found
    assert {line.partition(": ")[2] for line in found if "no call" not in line} == {
        "in the table and among the exceptions", "no reason", "not public there",
        "at_least is never spoiled", "patterns is never spoiled", "simplices is never spoiled",
    }  # fmt: skip
