"""Every refusal of memscape.arguments, word for word."""

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch

from memscape import arguments
from memscape.arguments import (
    ArgumentError,
    readable,
    require_choice,
    require_integer,
    require_number,
    require_rng,
    require_scalar,
    require_tensor,
    transformed,
)

SPINS = torch.tensor([[1.0, -1.0], [-1.0, -1.0], [1.0, 1.0]])


def tensor(*values: float, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.tensor(values, dtype=dtype)


REFUSED_TENSORS = {
    "not a tensor": ([1.0], {}, "x: expected a torch.Tensor; got list. Convert it with torch.as_tensor."),
    "integers": (
        torch.tensor([1, -1]),
        {},
        "x: expected a floating dtype; got int64. Convert it with .to(torch.float32).",
    ),
    "another dtype": (
        tensor(1.0),
        {"dtype": torch.float32},
        "x: expected float32; got float64. Convert it with .to(torch.float32).",
    ),
    "another device": (
        tensor(1.0),
        {"device": torch.device("meta")},
        "x: expected device meta; got cpu. Move it with .to('meta').",
    ),
    "too few axes": (
        tensor(1.0),
        {"axes": "patterns n"},
        "x: expected axes (patterns, n); got shape (1,). Add or remove axes.",
    ),
    "too many axes": (SPINS, {}, "x: expected axes (n); got shape (3, 2). Add or remove axes."),
    "too few axes behind batches": (
        tensor(1.0),
        {"axes": "... patterns n"},
        "x: expected axes (..., patterns, n); got shape (1,). Add or remove axes.",
    ),
    "an empty axis": (
        torch.ones(0, 2),
        {"axes": "patterns n"},
        "x: expected axes (patterns, n) with no empty axis; got shape (0, 2).",
    ),
    "an empty batch axis": (
        torch.ones(0, 2),
        {"axes": "... n"},
        "x: expected axes (..., n) with no empty axis; got shape (0, 2).",
    ),
    "another size": (
        SPINS,
        {"axes": "patterns n", "sizes": {"n": 3}},
        "x: expected axes (patterns, n) with n = 3; got shape (3, 2). Its n axis must match the other arguments.",
    ),
    "not square": (
        SPINS,
        {"axes": "n n"},
        "x: expected axes (n, n) with n = 3; got shape (3, 2). Its n axis must match the other arguments.",
    ),
    "NaN": (tensor(0.0, torch.nan), {}, "x: expected finite values; got nan. Remove NaN and infinite entries."),
    "infinite": (tensor(-torch.inf, 0.0), {}, "x: expected finite values; got -inf. Remove NaN and infinite entries."),
    "no spins": (
        tensor(1.0, 0.5),
        {"values": "spins"},
        "x: expected values in {-1, +1}; got 0.5. Threshold real data first, e.g. torch.where(x > 0, 1.0, -1.0).",
    ),
    "NaN among spins": (
        tensor(torch.nan, 1.0),
        {"values": "spins"},
        "x: expected values in {-1, +1}; got nan. Threshold real data first, e.g. torch.where(x > 0, 1.0, -1.0).",
    ),
    "almost a spin": (
        tensor(0.9999999),
        {"values": "spins"},
        "x: expected values in {-1, +1}; got 0.9999999. Threshold real data first, e.g. torch.where(x > 0, 1.0, -1.0).",
    ),
    "single precision": (
        tensor(0.1, dtype=torch.float32),
        {"values": "spins"},
        "x: expected values in {-1, +1}; got 0.1. Threshold real data first, e.g. torch.where(x > 0, 1.0, -1.0).",
    ),
    "spins for bits": (
        tensor(1.0, -1.0),
        {"values": "bits"},
        "x: expected values in {0, 1}; got -1. Map spins to bits with (s + 1) / 2.",
    ),
    "negative": (
        tensor(0.0, -2.5),
        {"values": "nonnegative"},
        "x: expected finite values >= 0; got -2.5. Clip or shift the input.",
    ),
    "infinite for nonnegative": (
        tensor(torch.inf),
        {"values": "nonnegative"},
        "x: expected finite values >= 0; got inf. Clip or shift the input.",
    ),
}


@pytest.mark.parametrize("case", REFUSED_TENSORS)
def test_a_tensor_is_refused_in_these_words(case):
    value, options, message = REFUSED_TENSORS[case]
    with pytest.raises(ArgumentError) as refusal:
        require_tensor("x", value, **{"axes": "n"} | options)
    assert str(refusal.value) == message
    assert refusal.value.argument == "x"


@pytest.mark.parametrize(
    ("value", "options"),
    [
        (SPINS, {"axes": "patterns n", "values": "spins"}),
        (SPINS.half(), {"axes": "... n", "values": "spins", "dtype": torch.float16}),
        (tensor(0.0, 1.0), {"axes": "n", "values": "bits"}),
        (tensor(0.0, 3.5), {"axes": "n", "values": "nonnegative", "device": torch.device("cpu")}),
        (tensor(torch.nan), {"axes": "n", "values": None}),
        (torch.tensor(1.0), {"axes": "..."}),
        (torch.ones(4, 5, 3, 2), {"axes": "... patterns n", "sizes": {"n": 2}}),
    ],
)
def test_a_good_tensor_comes_back_as_it_is(value, options):
    assert require_tensor("x", value, **options) is value


def test_sizes_tie_the_arguments_of_a_function_together():
    sizes: dict[str, int] = {}
    require_tensor("patterns", SPINS, "patterns n", sizes=sizes)
    assert sizes == {"patterns": 3, "n": 2}
    with pytest.raises(ArgumentError, match=r"state: expected axes \(\.\.\., n\) with n = 2; got shape \(7, 3\)"):
        require_tensor("state", torch.ones(7, 3), "... n", sizes=sizes)


def test_a_device_without_a_number_admits_every_one_of_its_type():
    first, second = torch.device("cuda:0"), torch.device("cuda:1")
    assert arguments._same_device(first, torch.device("cuda"))
    assert arguments._same_device(first, first)
    assert not arguments._same_device(first, second)
    assert not arguments._same_device(torch.device("cpu"), torch.device("cuda"))


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (1.0, {}, "x: expected an integer; got 1.0 (float)."),
        (True, {}, "x: expected an integer; got True (bool)."),
        ("3", {"at_least": 1}, "x: expected an integer >= 1; got '3' (str)."),
        (None, {"at_most": 1}, "x: expected an integer <= 1; got None (NoneType)."),
        (0, {"at_least": 1}, "x: expected an integer >= 1; got 0."),
        (1000001, {"at_most": 1000000}, "x: expected an integer <= 1000000; got 1000001."),
        (-1, {"at_least": 0, "at_most": 9}, "x: expected an integer in [0, 9]; got -1."),
        (np.int64(10), {"at_least": 0, "at_most": 9}, "x: expected an integer in [0, 9]; got 10."),
        (torch.ones(3, 40), {}, "x: expected an integer; got Tensor."),
        (list(range(99)), {}, "x: expected an integer; got list."),
    ],
)
def test_an_integer_is_refused_in_these_words(value, bounds, message):
    with pytest.raises(ArgumentError) as refusal:
        require_integer("x", value, **bounds)
    assert str(refusal.value) == message


@pytest.mark.parametrize("value", [0, 9, np.int32(4), np.uint8(9)])
def test_a_good_integer_comes_back_as_an_int(value):
    found = require_integer("x", value, at_least=0, at_most=9)
    assert type(found) is int
    assert found == value


@pytest.mark.parametrize(
    ("value", "bounds", "message"),
    [
        (float("nan"), {}, "x: expected a finite number; got nan (float)."),
        (float("inf"), {"at_least": 0}, "x: expected a finite number >= 0; got inf (float)."),
        (True, {}, "x: expected a finite number; got True (bool)."),
        ("1", {"above": 0}, "x: expected a finite number > 0; got '1' (str)."),
        (1j, {}, "x: expected a finite number; got 1j (complex)."),
        (10**400, {}, "x: expected a finite number; got int."),
        (0, {"above": 0}, "x: expected a finite number > 0; got 0."),
        (-0.5, {"at_least": 0}, "x: expected a finite number >= 0; got -0.5."),
        (1.0000001, {"at_least": 0, "at_most": 1}, "x: expected a finite number in [0, 1]; got 1.0000001."),
        (1.5, {"above": 0, "at_most": 1}, "x: expected a finite number > 0 and <= 1; got 1.5."),
    ],
)
def test_a_number_is_refused_in_these_words(value, bounds, message):
    with pytest.raises(ArgumentError) as refusal:
        require_number("x", value, **bounds)
    assert str(refusal.value) == message


@pytest.mark.parametrize("value", [1, 0.5, np.float32(0.25), np.float64(1.0), Fraction(1, 3)])
def test_a_good_number_comes_back_as_a_float(value):
    found = require_number("x", value, above=0, at_most=1)
    assert type(found) is float
    assert found == float(value)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("pwer", "x: expected one of 'power', 'exponential'; got 'pwer' (str). Did you mean 'power'?"),
        ("zzz", "x: expected one of 'power', 'exponential'; got 'zzz' (str)."),
        (None, "x: expected one of 'power', 'exponential'; got None (NoneType)."),
        (2, "x: expected one of 'power', 'exponential'; got 2 (int)."),
    ],
)
def test_a_choice_is_refused_in_these_words(value, message):
    with pytest.raises(ArgumentError) as refusal:
        require_choice("x", value, ["power", "exponential"])
    assert str(refusal.value) == message


def test_a_good_choice_comes_back():
    assert require_choice("x", "power", ["power", "exponential"]) == "power"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0, "rng: expected a numpy.random.Generator; got int. Make one with np.random.default_rng(0)."),
        (
            torch.Generator(),
            "rng: expected a numpy.random.Generator; got Generator. Make one with np.random.default_rng(0).",
        ),
    ],
)
def test_another_generator_than_numpys_is_refused(value, message):
    with pytest.raises(ArgumentError) as refusal:
        require_rng("rng", value)
    assert str(refusal.value) == message


def test_a_generator_of_numpy_comes_back():
    generator = np.random.default_rng(0)
    assert require_rng("rng", generator) is generator


def test_a_refusal_is_a_value_error_and_survives_the_way_between_processes():
    refusal = pickle.loads(pickle.dumps(ArgumentError("x", "an integer", "'a' (str)", "Drop the quotes.")))
    assert isinstance(refusal, ValueError)
    assert str(refusal) == "x: expected an integer; got 'a' (str). Drop the quotes."
    assert (refusal.argument, refusal.expected, refusal.got, refusal.cure) == (
        "x",
        "an integer",
        "'a' (str)",
        "Drop the quotes.",
    )


def guarded(tensor):
    return require_tensor("x", tensor, "... neurons", values="spins") * 1.0


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")  # torch's compiler on torch's scripts
def test_values_are_not_looked_at_where_there_are_none_to_look_at():
    # Also that torch still has the private names that tell so.
    half = torch.full((3, 2), 0.5)
    with pytest.raises(ArgumentError, match="x: expected values in"):
        guarded(half)
    assert torch.equal(torch.vmap(guarded)(half), half)
    assert torch.equal(torch.func.grad(lambda x: guarded(x).sum())(half), torch.ones_like(half))
    assert torch.equal(torch.func.jvp(guarded, (half,), (half,))[1], half)
    assert torch.equal(torch.compile(guarded, backend="eager", fullgraph=True)(half), half)
    assert guarded(half.to("meta")).shape == half.shape
    with torch._subclasses.FakeTensorMode():
        assert guarded(torch.empty(3, 2, device="cuda")).is_cuda
    assert readable(half)
    assert not transformed(half)
    assert torch.vmap(lambda x: x + int(transformed(x)) + int(readable(x)))(half).eq(1.5).all()


def test_axes_are_looked_at_under_every_transform():
    two = torch.ones(3, 2)
    for wrapped in (
        lambda f: torch.vmap(f)(two),
        lambda f: torch.func.grad(lambda x: f(x).sum())(two),
        lambda f: f(two.to("meta")),
    ):
        with pytest.raises(ArgumentError, match="x: expected axes"):
            wrapped(lambda x: require_tensor("x", x, "... neurons", sizes={"neurons": 5}))


@pytest.mark.parametrize("value", [2.0, torch.tensor(2.0), torch.tensor(2.0, requires_grad=True)], ids=repr)
def test_a_scalar_may_be_a_number_or_a_tensor_and_stays_what_it_is(value):
    assert require_scalar("beta", value, above=0.0) is value


BAD_SCALARS = [
    (0.0, {}, "beta: expected a finite number > 0; got 0"),
    (torch.tensor(-1.0), {}, "beta: expected a finite number > 0; got -1"),
    (torch.tensor(math.nan), {}, "beta: expected a finite number > 0; got nan"),
    (torch.ones(2), {}, r"beta: expected axes \(\); got shape \(2,\)"),
    (torch.tensor(1), {}, "beta: expected a floating dtype; got int64"),
    (torch.tensor(1.0), {"device": torch.device("meta")}, "beta: expected device meta; got cpu"),
    ("1", {}, "beta: expected a finite number > 0; got '1'"),
]


@pytest.mark.parametrize(("value", "place", "message"), BAD_SCALARS)
def test_a_scalar_that_does_not_fit_is_refused(value, place, message):
    with pytest.raises(ArgumentError, match="^" + message):
        require_scalar("beta", value, above=0.0, **place)


def test_integers_of_any_kind_become_64_bits_and_those_beyond_are_refused():
    assert arguments.require_integers("x", np.array([2**63 - 1], dtype=np.uint64), (None,)).tolist() == [2**63 - 1]
    assert arguments.require_integers("x", np.ones((4, 2, 3), dtype=np.int8), (..., 3)).dtype == np.int64
    for value, axes, message in (
        (np.array([2**63], dtype=np.uint64), (None,), "x: expected integers below 2**63; got 9223372036854775808."),
        (np.ones((2, 3), dtype=int), (2, 2), "x: expected shape (2, 2), no axis empty; got shape (2, 3)."),
        (np.ones(2), (None,), "x: expected a numpy array of integers; got dtype float64. Round and convert it with"),
    ):
        with pytest.raises(ArgumentError) as refused:
            arguments.require_integers("x", value, axes)
        assert str(refused.value).startswith(message)


DOORS = [
    (
        lambda: arguments.require_count("steps", 2**53 + 1),
        "steps: expected an integer up to 2**53; got 9007199254740993.",
    ),
    (lambda: arguments.require_count("steps", 0), "steps: expected an integer >= 1; got 0."),
    (
        lambda: arguments.require_integer("n", 10**400, at_most=3),
        "n: expected an integer <= 3; got an integer of 1329 bits.",
    ),
    (
        lambda: arguments.require_sizes("networks", 10),
        "networks: expected a sequence of integers; got 10 (int). Write (10,)",
    ),
    (
        lambda: arguments.require_sizes("networks", (2, 0)),
        "networks: expected an integer >= 1; got 0.",
    ),
    (lambda: arguments.require_room(count=2, neurons=2**50), "neurons: expected count x neurons to fit in memory, "),
    (
        lambda: arguments.require_sequence("members", "01", "indices"),
        "members: expected a sequence of indices; got '01'",
    ),
    (lambda: arguments.require_kind("model", 3, ArgumentError), "model: expected an ArgumentError; got 3 (int)."),
    (lambda: arguments.require_able("model", 3, "flow"), "model: expected a model with flow; got int."),
    (lambda: arguments.require_function("build", None), "build: expected a function; got None (NoneType)."),
    (lambda: arguments.require_dtype("dtype", torch.int64), "dtype: expected a floating torch.dtype; got torch.int64"),
    (lambda: arguments.require_device("device", "x"), "device: expected a device of this machine; got 'x' (str)."),
    (lambda: arguments.require_device("device", 2**63), "device: expected a device of this machine; got 92233"),
    (lambda: arguments.require_finite("rows", np.array([1.0, np.inf])), "rows: expected finite numbers, and results"),
]


@pytest.mark.parametrize(("call", "message"), DOORS)
def test_other_doors_refuse_in_these_words(call, message):
    with pytest.raises(ArgumentError) as refused:
        call()
    assert str(refused.value).startswith(message)


def test_what_fits_passes_every_door():
    assert arguments.require_count("steps", np.int64(2**53)) == 2**53
    assert arguments.require_count("steps", 0, at_least=0) == 0
    assert arguments.require_sizes("networks", []) == ()
    assert arguments.require_sequence("members", (1, 2), "indices") == (1, 2)
    assert arguments.require_kind("x", 1.5, float) == 1.5
    assert arguments.require_function("build", len) is len
    assert arguments.require_dtype("dtype", torch.float16) is torch.float16
    assert arguments.require_device("device", "cpu") == torch.device("cpu")
    assert arguments.require_finite("rows", np.array([10**400], dtype=object)).shape == (1,)
    arguments.require_room(count=2, neurons=2**10)
    arguments.require_able("model", [], "append", "sort")
