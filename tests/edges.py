"""Spoiled calls: every public callable of a part, one argument or several replaced by what should not be there.

A part's table (``tests/<part>/test_edges.py``) holds one valid call of each public function, class and method. What an
argument is decides what it is spoiled with: a whole number by a negative, a huge and a half one, a tensor by NaN, other
axes, another dtype, a model by what is none. A spoiled call may answer, in finite numbers, or be refused by name; it
may not raise anything else, run for long or take much memory.
"""

import contextlib
import copy
import dataclasses
import importlib
import inspect
import math
import pkgutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from numbers import Number
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.memory.hopfield import Hopfield
from memscape.tools.models import Model

SECONDS = 5.0
"""Processor time that one spoiled call may take."""
MEMORY = 2**31
"""Bytes that it may take beyond what the process holds."""

OTHER_MODEL = Hopfield(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.zeros(2))
NO_MODELS = (None, "x", 3, torch.ones(2), OTHER_MODEL)
WHOLES = (-1, 0, 1, 2, True, 1.5, math.nan, 2**63, 10**30, 10**400, "x", None)
REALS = (-1.0, 0.0, 5e-324, 1e-310, 0.5, 1.0, 1 + 2**-52, 1e300, math.inf, math.nan, True, 10**400, "x", None)


@dataclass(frozen=True)
class Call:
    """A valid call of one public callable, and what may come of it.

    Parameters
    ----------
    function
        What is called: a function, a class, or a method of a model.
    arguments
        By name; any number of positional ones (``*shape``) stand under ``*`` in a tuple, after all others.
    also
        More values for an argument, beside those that its kind brings.
    spare
        Arguments that are not spoiled, each with the reason.
    infinite, undefined
        What an infinite value and a NaN mean where the function documents them; empty where there may be none.
    """

    function: Callable[..., Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    also: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    spare: Mapping[str, str] = field(default_factory=dict)
    infinite: str = ""
    undefined: str = ""

    @property
    def name(self) -> str:
        """``module.function``, ``module.Class`` or ``module.Class.method``, without the package and the part."""
        function = self.function
        if not hasattr(function, "__qualname__"):  # a model that is called like a function
            function = type(function).__call__
        return f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"

    def __str__(self) -> str:
        return self.name


def laws(package: str, calls: Sequence[Call], exceptions: Mapping[str, str], *, examples: int = 30) -> type:
    """The tests that a part's table is held to, with so many draws of several spoiled arguments a call."""
    each = pytest.mark.parametrize("call", calls, ids=str)

    class Laws:
        @each
        def test_a_spoiled_call_answers_in_finite_numbers_or_is_refused_by_name(self, call):
            assert faults(call) == []

        @each
        @settings(max_examples=examples)
        @given(data=st.data())
        def test_so_is_one_where_several_arguments_are_spoiled(self, call, data):
            assert answer(call, data.draw(several(call))) == ""

        @each
        def test_where_in_memory_an_array_lies_changes_no_answer(self, call):
            assert differences(call) == []

        def test_no_public_callable_and_no_parameter_is_missing(self):
            assert incomplete(package, calls, exceptions) == []

    return Laws


def faults(call: Call) -> list[str]:
    """What is wrong with a call: one line for each argument and value that is neither answered nor refused by name."""
    found = [f"as it is: {problem}" for problem in [answer(call, {}, refusable=False)] if problem]
    for name in call.arguments:
        for value in spoils(call, name):
            problem = answer(call, {name: value})
            if problem:
                found.append(f"{name} = {shown(value)}: {problem}")
    return found


def several(call: Call) -> st.SearchStrategy[dict[str, Any]]:
    """Two or more arguments spoiled at once."""
    names = [name for name in call.arguments if spoils(call, name)]
    some = st.sets(st.sampled_from(names), min_size=min(2, len(names))) if names else st.just(set())
    return some.flatmap(lambda chosen: st.fixed_dictionaries({n: st.sampled_from(spoils(call, n)) for n in chosen}))


def answer(call: Call, changed: Mapping[str, Any], *, refusable: bool = True) -> str:
    """What is wrong with what a call answers; empty where nothing is."""
    return _judged(call, changed, refusable)[0]


def _judged(call: Call, changed: Mapping[str, Any], refusable: bool) -> tuple[str, Any]:
    """What is wrong with what a call answers, and what it answers."""
    arguments = {name: fresh(value) for name, value in {**call.arguments, **changed}.items()}
    positional: list[Any] = []
    if "*" in arguments:  # what stands before it is positional, too
        rest = arguments.pop("*")
        positional = [*arguments.values(), *(rest if isinstance(rest, tuple) else (rest,))]
        arguments = {}
    try:
        with bounded():
            found = call.function(*positional, **arguments)
            if inspect.isgenerator(found):
                found = next(found, None)
            elif isinstance(found, contextlib.AbstractContextManager):
                with found:
                    pass
    except ArgumentError as refusal:
        return "" if refusable else str(refusal), None
    except TooLong:
        return f"more than {SECONDS:g} s", None
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]}", None
    if not call.undefined and any(np.isnan(part).any() for part in numbers(found)):
        return "NaN", found
    infinite = not call.infinite and any(np.isinf(part).any() for part in numbers(found))
    return "infinite" * infinite, found


def spoils(call: Call, name: str) -> list[Any]:
    """Everything that the argument is replaced by."""
    return [] if name in call.spare else [*_spoils(call.arguments[name]), *call.also.get(name, ())]


def _spoils(value: Any) -> list[Any]:
    if isinstance(value, torch.Tensor):
        return _spoiled_tensors(value)
    if isinstance(value, np.ndarray):
        return _spoiled_arrays(value)
    if isinstance(value, bool):
        return [None, "x"]
    if isinstance(value, int):
        return list(WHOLES)
    if isinstance(value, float | Fraction):
        return list(REALS)
    if isinstance(value, str):
        return [None, 3, "", "x", ("x",)]
    if isinstance(value, torch.dtype):
        return [None, "x", 3, "float32", torch.int64, torch.complex64]
    if isinstance(value, Mapping):
        return [None, "x", 3, {}, {1: 0}, {-1: 1}, {1: math.nan}, {1: 10**30}, {None: 1}]
    if isinstance(value, list | tuple):
        kind = type(value) if type(value) in (list, tuple) else list
        entries = ([], [None], ["x"], [math.nan], [-1], [1.5], [2**63], [10**30], [[]], [*value, *value])
        return [None, "x", 3, *(kind(entry) for entry in entries)]
    return list(NO_MODELS)


def _spoiled_tensors(value: torch.Tensor) -> list[Any]:
    found = [None, "x", 3, value.numpy(), value[None], value[:0] if value.ndim else value.expand(0)]
    if value.ndim:
        found += [value[..., 0], value[:1], value[:1].expand_as(value)]
    if value.dtype == torch.bool:
        return [*found, ~value, value.float(), value.int()]
    if not value.is_floating_point():
        large = torch.iinfo(value.dtype).max // 2 + 1
        return [*found, value.float(), value.int(), torch.full_like(value, -1), torch.full_like(value, large)]
    double = value.dtype == torch.float64
    entries = (math.nan, math.inf, -math.inf, 1e300 if double else 3e38, 1e-310 if double else 1e-45, 0.0)
    one_nan = value.clone()
    one_nan[(..., -1) if value.ndim else ()] = math.nan
    found += [torch.full_like(value, entry) for entry in entries]
    return [*found, one_nan, value.long(), value.half(), value.to(torch.float32 if double else torch.float64)]


def _spoiled_arrays(value: np.ndarray) -> list[Any]:
    found = [None, "x", 3, value.tolist(), value[:0], value[None], value[:1], value.astype(object), value.astype(float)]
    found += [np.full(value.shape, entry) for entry in (math.nan, math.inf, 1e300)]
    if value.dtype.kind in "iu":
        found += [np.full_like(value, np.iinfo(value.dtype).max // 2 + 1), -value.astype(np.int64)]
    return found


def fresh(value: Any) -> Any:
    """A generator that has not been drawn from; anything else as it is."""
    if isinstance(value, torch.Generator):
        return value.clone_state()
    return copy.deepcopy(value) if isinstance(value, np.random.Generator) else value


def numbers(found: Any, depth: int = 0) -> Iterator[np.ndarray]:
    """All floating numbers of a result: those of tensors, of sequences, of the fields of a dataclass."""
    if isinstance(found, torch.Tensor):
        if found.is_floating_point() and not found.is_meta:
            yield found.detach().to(torch.float64).numpy()
    elif isinstance(found, np.ndarray):
        if found.dtype.kind in "fc":
            yield found
    elif isinstance(found, float | complex | np.floating):
        yield np.asarray(found)
    elif isinstance(found, Mapping):
        yield from numbers(list(found.values()), depth)
    elif isinstance(found, list | tuple):
        for part in found:
            yield from numbers(part, depth)
    elif dataclasses.is_dataclass(found) and not isinstance(found, type) and depth < 4:
        for part in dataclasses.fields(found):
            yield from numbers(getattr(found, part.name), depth + 1)


def shown(value: Any) -> str:
    """A value in a few words."""
    if isinstance(value, torch.Tensor | np.ndarray):
        return f"{value.dtype} {tuple(value.shape)} {value.reshape(-1)[:2].tolist()}"
    if isinstance(value, Number) and not isinstance(value, float | Fraction) and abs(value) > 10**40:
        return "10**400"
    return repr(value)[:40]


class TooLong(BaseException):
    """Raised inside a call that takes more time than it may."""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Inside, no more time of the processor and no more memory than a spoiled call may take."""

    def stop(*_: Any) -> None:
        raise TooLong

    assert threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        with _address_space():
            yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextlib.contextmanager
def _address_space() -> Iterator[None]:
    if sys.platform != "linux":
        yield
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm", encoding="ascii") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()
    wanted = held + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (wanted if soft == resource.RLIM_INFINITY else min(soft, wanted), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def public(package: str) -> set[str]:
    """Every public function, class and method of a part, as :attr:`Call.name` says them.

    A protocol has nothing to call, and a plain record (a dataclass that is no model and checks nothing) is what a
    function returns: of both only the methods of the record are here.
    """
    names: set[str] = set()
    for info in pkgutil.iter_modules(importlib.import_module(package).__path__):
        module = importlib.import_module(f"{package}.{info.name}")
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", None) != module.__name__:
                continue
            if inspect.isfunction(inspect.unwrap(value)):
                names.add(f"{info.name}.{name}")
            elif inspect.isclass(value) and not getattr(value, "_is_protocol", False):
                checks = hasattr(value, "__post_init__") or issubclass(value, Model)
                if not dataclasses.is_dataclass(value) or checks or not value.__dataclass_params__.init:
                    names.add(f"{info.name}.{name}")
                names |= {f"{info.name}.{name}.{method}" for method in _methods(value)}
    return names


def _methods(kind: type) -> Iterator[str]:
    for name, value in vars(kind).items():
        inner = value.__func__ if isinstance(value, staticmethod | classmethod) else value
        if inspect.isfunction(inner) and (name == "__call__" or not name.startswith("_")):
            yield name


def incomplete(package: str, calls: Sequence[Call], exceptions: Mapping[str, str]) -> list[str]:
    """What a table lacks (a callable, a parameter of one), and what it lists that is not there or twice."""
    listed, there = [*{call.name for call in calls}, *exceptions], public(package)
    found = [f"{name}: no call" for name in sorted(there.difference(listed))]
    found += [f"{name}: not public there" for name in sorted(set(listed) - there)]
    found += [f"{call.name}: in the table and among the exceptions" for call in calls if call.name in exceptions]
    found += [f"{name}: no reason" for name, reason in exceptions.items() if not reason]
    taken: dict[str, set[str]] = {}
    given: dict[str, set[str]] = {}
    for call in calls:
        parameters = inspect.signature(call.function).parameters.values()
        positional = {p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.VAR_POSITIONAL)}
        taken.setdefault(call.name, {p.name for p in parameters if p.kind is not p.VAR_KEYWORD})
        given.setdefault(call.name, set()).update(call.arguments, positional if "*" in call.arguments else ())
    for name, parameters in taken.items():
        found += [f"{name}: {missing} is never spoiled" for missing in sorted(parameters - given[name])]
    return found


def differences(call: Call) -> list[str]:
    """Where an answer depends on how an array lies in memory: one line for each argument and layout that changes it.

    Whole numbers and booleans have to be the same. Sums of floats may be added up in another order: 1e-4 of the largest
    entry in single precision, 1e-9 in double. What was passed must not have changed, either.
    """
    found = []
    for name, value in call.arguments.items():
        for layout, twin in _layouts(value):
            kept = copy.deepcopy(twin)
            plain, expected = _judged(call, {name: _plain(kept)}, refusable=False)
            problem, answered = _judged(call, {name: twin}, refusable=False)
            problem = plain or problem
            if not problem and not _alike(expected, answered):
                problem = "another answer"
            if not problem and not _alike(twin, kept):
                problem = "changed in place"
            if problem:
                found.append(f"{name}, {layout}: {problem}")
    return found


def _layouts(value: Any) -> Iterator[tuple[str, Any]]:
    """The same values, and some repeated ones, in other places of memory."""
    if isinstance(value, torch.Tensor) and value.ndim:
        yield "every other entry", torch.stack([value, value], dim=-1)[..., 0]
        yield "behind others", torch.cat([value[:1], value])[1:]
        yield "last axis first", value.permute(*range(value.ndim)[::-1]).contiguous().permute(*range(value.ndim)[::-1])
    elif isinstance(value, np.ndarray) and value.ndim:
        yield "every other entry", np.stack([value, value], axis=-1)[..., 0]
        yield "behind others", np.concatenate([value[:1], value])[1:]
        yield "last axis first", np.asfortranarray(value)
        yield "from the end", value[::-1].copy()[::-1]


def _plain(value: Any) -> Any:
    return value.clone(memory_format=torch.contiguous_format) if isinstance(value, torch.Tensor) else value.copy()


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        one, other = one.detach().numpy(), other.detach().numpy()
    if isinstance(one, float | np.floating):
        one, other = np.asarray(one), np.asarray(other)
    if isinstance(one, np.ndarray):
        if one.shape != other.shape or one.dtype != other.dtype:
            return False
        if one.dtype.kind not in "fc":
            return bool((one == other).all())
        size = np.abs(np.where(np.isfinite(one), one, 0)).max(initial=0.0)
        tolerance = (1e-9 if one.dtype.itemsize == 8 else 1e-4) * size
        return np.allclose(one, other, rtol=0, atol=tolerance, equal_nan=True)
    if dataclasses.is_dataclass(one) and not isinstance(one, type):
        fields = dataclasses.fields(one)
        return all(_alike(getattr(one, part.name), getattr(other, part.name)) for part in fields)
    if isinstance(one, Mapping):
        return one.keys() == other.keys() and all(_alike(value, other[key]) for key, value in one.items())
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(_alike(a, b) for a, b in zip(one, other, strict=True))
    return one is other or not hasattr(one, "__eq__") or type(one).__eq__ is object.__eq__ or bool(one == other)
