"""Refuse a bad argument before anything is computed, in one sentence that says how to mend it.

Every public function of the package checks what it is given with the functions below, so that all refusals
read alike::

    patterns: expected values in {-1, +1}; got 0.5. Threshold real data first, e.g. torch.where(x > 0, 1.0, -1.0).

This is the bottom layer of the package: it imports nothing else of it, and torch only when a tensor is checked.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    import numpy as np
    import torch

Values = Literal["finite", "spins", "bits", "nonnegative"]

_VALUES = {
    "finite": ("finite values", "Remove NaN and infinite entries."),
    "spins": ("values in {-1, +1}", "Threshold real data first, e.g. torch.where(x > 0, 1.0, -1.0)."),
    "bits": ("values in {0, 1}", "Map spins to bits with (s + 1) / 2."),
    "nonnegative": ("finite values >= 0", "Clip or shift the input."),
}


class ArgumentError(ValueError):
    """A refused argument: which one, what was expected, what came, and the cure.

    Parameters
    ----------
    argument, expected, got, cure
        The parts of the message ``"{argument}: expected {expected}; got {got}. {cure}"``. They stay readable as
        attributes. The cure may be empty where the first half already says it.
    """

    def __init__(self, argument: str, expected: str, got: str, cure: str = "") -> None:
        self.argument, self.expected, self.got, self.cure = argument, expected, got, cure
        super().__init__(f"{argument}: expected {expected}; got {got}. {cure}".rstrip())

    def __reduce__(self) -> tuple[type[ArgumentError], tuple[str, str, str, str]]:
        # An exception is rebuilt from its arguments when it crosses a process; the default would pass the message only.
        return type(self), (self.argument, self.expected, self.got, self.cure)


def require_tensor(
    argument: str,
    value: Any,
    axes: str,
    *,
    values: Values | None = "finite",
    sizes: dict[str, int] | None = None,
    device: torch.device | None = None,
    dtype: torch.dtype | None = None,
) -> torch.Tensor:
    """Return ``value`` if it is a tensor with the stated axes and values, otherwise raise.

    Parameters
    ----------
    argument
        The name the caller knows the tensor by.
    value
        What was passed.
    axes
        Named axes from first to last, ``"patterns neurons"``; a leading ``...`` admits any number of batch axes.
        No axis may be empty.
    values
        ``"finite"``, ``"spins"`` ({-1, +1}), ``"bits"`` ({0, 1}), ``"nonnegative"`` or None for no check.
    sizes
        Sizes already known by axis name. A named axis found here must have that size; the others are added, so that
        one dictionary passed from check to check ties the arguments of a function together.
    device, dtype
        Required device and floating dtype; by default any device and any of float16, bfloat16, float32, float64.

    Notes
    -----
    Values are looked at only where they are :func:`readable`, axes, dtype and device always.

    Raises
    ------
    ArgumentError
        Naming the argument, what was expected, what came and the cure.
    """
    import torch

    if not isinstance(value, torch.Tensor):
        raise ArgumentError(argument, "a torch.Tensor", type(value).__name__, "Convert it with torch.as_tensor.")
    if not value.dtype.is_floating_point or (dtype is not None and value.dtype != dtype):
        wanted = _short(dtype) if dtype is not None else "a floating dtype"
        raise ArgumentError(argument, wanted, _short(value.dtype), f"Convert it with .to({dtype or 'torch.float32'}).")
    if device is not None and value.device != device and not _same_device(value.device, device):
        raise ArgumentError(argument, f"device {device}", str(value.device), f"Move it with .to('{device}').")
    names, shape = axes.split(), value.shape
    ragged = names[:1] == ["..."]
    first = len(shape) - len(names) + ragged  # the axis of the first name
    if first < 0 or (first > 0 and not ragged):
        raise ArgumentError(argument, _axes(names), f"shape {tuple(shape)}", "Add or remove axes.")
    if 0 in shape:
        raise ArgumentError(argument, f"{_axes(names)} with no empty axis", f"shape {tuple(shape)}")
    known = {} if sizes is None else sizes
    for name, size in zip(names[ragged:], shape[first:], strict=True):
        if known.setdefault(name, size) != size:
            raise ArgumentError(
                argument,
                f"{_axes(names)} with {name} = {known[name]}",
                f"shape {tuple(shape)}",
                f"Its {name} axis must match the other arguments.",
            )
    if values is not None and readable(value):
        _require_values(argument, value, values)
    return value


def readable(tensor: torch.Tensor) -> bool:
    """Whether the values of a tensor can be looked at.

    They cannot while ``torch.compile`` traces, inside ``torch.vmap``, ``torch.func.grad`` and their like, nor where
    there are none (fake and meta tensors). Shapes, dtypes and devices are known everywhere.
    """
    import torch

    return not (
        torch.compiler.is_compiling()
        or tensor.is_meta
        or transformed(tensor)
        or isinstance(tensor, torch._subclasses.FakeTensor)
    )


def require_fit(argument: str, result: torch.Tensor) -> torch.Tensor:
    """Return a result that is finite wherever its values are :func:`readable`, otherwise raise ArgumentError.

    Finite arguments may have products that their dtype does not hold.
    """
    # A sum of finite terms may overflow; only then are they looked at one by one.
    if readable(result) and not math.isfinite(result.sum().item()) and not result.isfinite().all():
        raise ArgumentError(
            argument,
            f"results within {_short(result.dtype)}",
            "an overflow",
            "Scale the numbers down or convert them with .to(torch.float64).",
        )
    return result


def wide(tensor: torch.Tensor) -> torch.Tensor:
    """In float32 what is in half precision, whose sums and products are soon beyond it."""
    return tensor.float() if tensor.is_floating_point() and tensor.element_size() < 4 else tensor


def _axes(names: list[str]) -> str:
    return f"axes ({', '.join(names)})"


def _require_values(argument: str, value: torch.Tensor, values: Values) -> None:
    # One pass that keeps two numbers; which entry is wrong is asked only where one is. NaN passes no comparison.
    if values == "finite":
        if math.isfinite(value.sum().item()):
            return  # so are its terms; a sum may overflow, so the other way round they are looked at one by one
        wrong = ~value.isfinite()
    elif values == "nonnegative":
        low, high = value.aminmax()
        if low.item() >= 0 and high.item() < math.inf:
            return
        wrong = ~(value.isfinite() & (value >= 0))
    else:
        wanted = 1 if values == "spins" else 0
        size = value.abs() if values == "spins" else value * value - value
        low, high = size.aminmax()
        if low.item() == wanted == high.item():
            return
        wrong = size != wanted
    if wrong.any():
        # As many digits as the number has: 0.9999999 is not to be refused as "1".
        digits = 15 if value.element_size() == 8 else 7
        expected, cure = _VALUES[values]
        raise ArgumentError(argument, expected, f"{value[wrong][0].item():.{digits}g}", cure)


def transformed(tensor: torch.Tensor) -> bool:
    """Whether a tensor stands for many, or for its derivatives: inside ``torch.vmap``, ``torch.func.grad`` and others.

    While ``torch.compile`` traces the answer is no.
    """
    import torch

    return not torch.compiler.is_compiling() and torch._C._functorch.is_functorch_wrapped_tensor(tensor)


def require_integer(argument: str, value: Any, *, at_least: int | None = None, at_most: int | None = None) -> int:
    """Return ``value`` as an int if it is an integer (not a bool) within the inclusive bounds, otherwise raise.

    Raises
    ------
    ArgumentError
        Naming the argument, what was expected and what came.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ArgumentError(argument, f"an integer{_bounds(at_least, at_most)}", _show(value))
    integer = int(value)
    if (at_least is not None and integer < at_least) or (at_most is not None and integer > at_most):
        raise ArgumentError(argument, f"an integer{_bounds(at_least, at_most)}", _plain(integer))
    return integer


MOST = 2**53
"""Most times that anything is done: no loop comes to its end beyond, and floats no longer count by ones."""


def require_count(argument: str, value: Any, *, at_least: int = 1, at_most: int = MOST) -> int:
    """Return ``value`` as an int if it is an integer that a loop or an axis can count to, otherwise raise.

    The bounds are inclusive; the upper one is 2**53 unless there is a lower one. Whether so many things fit in memory
    is asked by :func:`require_room`.

    Raises
    ------
    ArgumentError
        Naming the argument, what was expected and what came.
    """
    integer = require_integer(argument, value, at_least=at_least, at_most=None if at_most == MOST else at_most)
    if integer > at_most:
        raise ArgumentError(argument, "an integer up to 2**53", _plain(integer))
    return integer


def require_sizes(argument: str, value: Any) -> tuple[int, ...]:
    """Return ``value`` as a tuple if it is a sequence of sizes of axes, each at least 1, otherwise raise ArgumentError.

    There may be none.
    """
    sizes = require_sequence(argument, value, "integers", "Write (10,) for one axis of ten.")
    return tuple(require_count(argument, size) for size in sizes)


def require_room(**sizes: int) -> None:
    """Refuse sizes whose product is more numbers of 64 bits than this machine has memory for, naming the largest.

    Parameters
    ----------
    sizes
        Positive integers by the names of the arguments.

    Raises
    ------
    ArgumentError
        Before anything is allocated.
    """
    most = _memory() // 8
    if math.prod(sizes.values()) > most:
        shown = " x ".join(_plain(size) for size in sizes.values())
        expected = f"{' x '.join(sizes)} to fit in memory, {most} numbers of 64 bits"
        raise ArgumentError(max(sizes, key=lambda name: sizes[name]), expected, shown)


@functools.cache
def _memory() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # a system that does not say
        return 2**40


def require_sequence(argument: str, value: Any, what: str, cure: str = "") -> Sequence[Any]:
    """Return ``value`` if it is a sequence (a list or a tuple, no text), otherwise raise ArgumentError."""
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise ArgumentError(argument, f"a sequence of {what}", _show(value), cure)
    return value


_Kind = TypeVar("_Kind")


def require_kind(argument: str, value: Any, kind: type[_Kind], cure: str = "") -> _Kind:
    """Return ``value`` if it is of a class, otherwise raise ArgumentError."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise ArgumentError(argument, f"{article} {kind.__name__}", _show(value), cure)
    return value


def require_able(argument: str, value: Any, *members: str) -> None:
    """Refuse what lacks a method or property of the model that is needed.

    Raises
    ------
    ArgumentError
        Naming the argument, the members that a model needs here and what came.
    """
    if not all(hasattr(value, member) for member in members):
        raise ArgumentError(argument, f"a model with {' and '.join(members)}", type(value).__name__)


def require_function(argument: str, value: Any) -> Callable[..., Any]:
    """Return ``value`` if it can be called, otherwise raise ArgumentError."""
    if not callable(value):
        raise ArgumentError(argument, "a function", _show(value))
    found: Callable[..., Any] = value
    return found


def require_dtype(argument: str, value: Any) -> torch.dtype:
    """Return ``value`` if it is a floating ``torch.dtype``, otherwise raise ArgumentError."""
    import torch

    if not isinstance(value, torch.dtype) or not value.is_floating_point:
        raise ArgumentError(argument, "a floating torch.dtype", _show(value), "Use torch.float64 or torch.float32.")
    return value


def require_device(argument: str, value: Any) -> torch.device:
    """Return ``value`` as the ``torch.device`` it names if tensors can be made there, otherwise raise ArgumentError."""
    import torch

    try:
        return torch.empty(0, device=value).device
    except (RuntimeError, AssertionError, TypeError, ValueError) as error:
        raise ArgumentError(argument, "a device of this machine", _show(value), "Use 'cpu'.") from error


def require_integers(name: str, value: np.ndarray, axes: tuple) -> np.ndarray:
    """Return ``value`` as int64 if it is an array of integers with the stated axes, otherwise raise.

    Parameters
    ----------
    name
        The name the caller knows the array by.
    value
        What was passed.
    axes
        Sizes from first to last, None for any; a leading ``...`` admits any number of batch axes. None may be empty.

    Raises
    ------
    ArgumentError
        Naming the argument, what was expected, what came and the cure.
    """
    import numpy as np

    if not isinstance(value, np.ndarray) or not np.issubdtype(value.dtype, np.integer):
        kind = f"dtype {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise ArgumentError(name, "a numpy array of integers", kind, "Round and convert it with .astype(np.int64).")
    wanted = axes[1:] if axes[0] is ... else axes
    fits = value.ndim >= len(wanted) if axes[0] is ... else value.ndim == len(wanted)
    tail = value.shape[value.ndim - len(wanted) :] if fits else ()
    if not fits or 0 in value.shape or any(w not in (None, s) for w, s in zip(wanted, tail, strict=True)):
        shown = ", ".join("..." if a is ... else "any" if a is None else str(a) for a in axes)
        raise ArgumentError(name, f"shape ({shown}), no axis empty", f"shape {value.shape}")
    # Beyond 64 bits a cast would turn the sign over.
    if value.dtype == np.uint64 and value.size and value.max() > 2**63 - 1:
        raise ArgumentError(name, "integers below 2**63", str(value.max()))
    return value.astype(np.int64)


def require_numbers(name: str, value: Any, expected: str = "finite numbers") -> np.ndarray:
    """Return ``value`` as an array of float64, NaN among them as it is, or raise ArgumentError if it cannot be one."""
    import numpy as np

    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(name, expected, type(value).__name__) from error


def require_broadcast(argument: str, *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that all of these broadcast to, otherwise raise ArgumentError."""
    import numpy as np

    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise ArgumentError(argument, "axes that broadcast", f"shapes {', '.join(map(str, shapes))}") from None


def require_finite(name: str, value: np.ndarray) -> np.ndarray:
    """Return an array that holds neither NaN nor infinite numbers, otherwise raise ArgumentError."""
    import numpy as np

    if value.dtype.kind == "f" and not np.isfinite(value).all():
        raise ArgumentError(name, "finite numbers, and results that a float holds", "others", "Scale them down.")
    return value


def require_number(
    argument: str,
    value: Any,
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> float:
    """Return ``value`` as a float if it is a finite real number within the bounds, otherwise raise.

    Raises
    ------
    ArgumentError
        Naming the argument, what was expected and what came.
    """
    try:
        number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else math.nan
    except OverflowError:
        number = math.inf
    low = (above is not None and number <= above) or (at_least is not None and number < at_least)
    if not math.isfinite(number) or low or (at_most is not None and number > at_most):
        bounds = _bounds(at_least, at_most)
        if above is not None:
            bounds = f" > {_plain(above)}{' and' if bounds else ''}{bounds}"
        got = _plain(number) if math.isfinite(number) else _show(value)
        raise ArgumentError(argument, f"a finite number{bounds}", got)
    return number


def require_scalar(
    argument: str, value: Any, *, above: float | None = None, device: torch.device | None = None
) -> float | torch.Tensor:
    """Return ``value`` if it is a finite number, or a floating tensor without axes that holds one, otherwise raise.

    A tensor may require a gradient. It must lie on the device, where one is given, and is returned as it is.

    Raises
    ------
    ArgumentError
        Naming the argument, what was expected and what came.
    """
    import torch

    if not isinstance(value, torch.Tensor):
        return require_number(argument, value, above=above)
    require_tensor(argument, value, "", values=None, device=device)
    if readable(value):
        require_number(argument, value.item(), above=above)
    return value


def require_booleans(
    argument: str,
    value: torch.Tensor,
    cure: str,
    *,
    shape: tuple[int, ...] | None = None,
    device: torch.device | None = None,
) -> torch.Tensor:
    """Return ``value`` if it is a tensor of booleans of the shape and on the device, otherwise raise.

    Raises
    ------
    ArgumentError
        Naming the argument, what was expected, what came and the cure.
    """
    import torch

    if not isinstance(value, torch.Tensor) or value.dtype != torch.bool:
        got = str(value.dtype) if isinstance(value, torch.Tensor) else type(value).__name__
        raise ArgumentError(argument, "a tensor of booleans", got, cure)
    if shape is not None and tuple(value.shape) != tuple(shape):
        raise ArgumentError(argument, f"shape {tuple(shape)}", f"shape {tuple(value.shape)}")
    if device is not None and value.device != device:
        raise ArgumentError(argument, f"device {device}", str(value.device), f"Move it with .to('{device}').")
    return value


def require_labels(
    argument: str, labels: torch.Tensor, device: torch.device | None = None, *, at_least: int | None = None
) -> torch.Tensor:
    """Return ``labels`` if they are int64 with axes (samples,), not empty, on the device and in range, or raise."""
    import torch

    if not isinstance(labels, torch.Tensor) or labels.dtype != torch.int64 or labels.dim() != 1 or len(labels) == 0:
        got = f"{labels.dtype} {tuple(labels.shape)}" if isinstance(labels, torch.Tensor) else type(labels).__name__
        raise ArgumentError(argument, "a non-empty int64 tensor with axes (samples)", got, "Convert it with .long().")
    if device is not None and labels.device != device:
        raise ArgumentError(argument, f"device {device}", str(labels.device), f"Move it with .to('{device}').")
    if at_least is not None and readable(labels) and labels.min() < at_least:
        raise ArgumentError(argument, f"classes {at_least}, {at_least + 1}, ...", str(labels.min().item()))
    return labels


def require_generator(argument: str, generator: torch.Generator) -> torch.Generator:
    """Return ``generator`` if it is a CPU ``torch.Generator``, otherwise raise ArgumentError."""
    import torch

    if not isinstance(generator, torch.Generator):
        raise ArgumentError(
            argument, "a torch.Generator", type(generator).__name__, "Make one with torch.Generator().manual_seed(0)."
        )
    if generator.device.type != "cpu":
        raise ArgumentError(
            argument,
            "a generator on the CPU",
            f"one on {generator.device}",
            "Draws are made on the CPU, so that every device sees the same ones.",
        )
    return generator


def require_rng(argument: str, rng: np.random.Generator) -> np.random.Generator:
    """Return ``rng`` if it is a ``numpy.random.Generator``, otherwise raise ArgumentError."""
    import numpy as np

    if not isinstance(rng, np.random.Generator):
        raise ArgumentError(
            argument, "a numpy.random.Generator", type(rng).__name__, "Make one with np.random.default_rng(0)."
        )
    return rng


def require_choice(argument: str, value: Any, options: Sequence[str]) -> str:
    """Return ``value`` if it is one of ``options``, otherwise raise.

    Raises
    ------
    ArgumentError
        Naming the argument, the options, what came and the nearest option.
    """
    if isinstance(value, str) and value in options:
        return value
    raise ArgumentError(argument, "one of " + ", ".join(map(repr, options)), _show(value), nearest(str(value), options))


def nearest(name: str, options: Sequence[str]) -> str:
    """``"Did you mean 'x'?"`` for the closest of ``options``, or an empty string where none is close."""
    import difflib

    close = difflib.get_close_matches(name, options, n=1)
    return f"Did you mean '{close[0]}'?" if close else ""


def _bounds(at_least: float | None, at_most: float | None) -> str:
    if at_least is not None and at_most is not None:
        return f" in [{_plain(at_least)}, {_plain(at_most)}]"
    if at_least is not None:
        return f" >= {_plain(at_least)}"
    return "" if at_most is None else f" <= {_plain(at_most)}"


def _plain(number: float) -> str:
    if isinstance(number, int):  # not all of them are floats, and very long ones are not written out
        return str(number) if number.bit_length() < 256 else f"an integer of {number.bit_length()} bits"
    return f"{number:.15g}"


def _same_device(found: torch.device, wanted: torch.device) -> bool:
    # A device without a number ("cuda") means any of its type; the devices of tensors always have theirs ("cuda:0").
    return found.type == wanted.type and wanted.index in (None, found.index)


def _short(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")


def described(value: Any) -> str:
    """What a refusal says of a tensor or an array, dtype and shape, and of anything else, its class."""
    if hasattr(value, "dtype") and hasattr(value, "shape"):
        return f"{value.dtype} of shape {tuple(value.shape)}"
    return type(value).__name__


def _show(value: Any) -> str:
    kind, text = type(value).__name__, repr(value)
    return f"{text} ({kind})" if len(text) <= 60 and "\n" not in text else kind
