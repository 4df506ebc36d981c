r"""What a model is: the contract that every model of the book keeps, said once.

A model is a frozen dataclass of tensors and numbers and has no other state. Networks come first among the axes: with
independent networks ``G`` a state has the axes ``(*G, ..., N)``, and what stands between ``G`` and ``N`` counts probes
that do not know of each other. Three methods mean the same everywhere:

``energy(state)``
    Energy of every state, ``(*G, ..., N)`` to ``(*G, ...)``, in the unit that the model's class names.
``update(state)``
    Every state after one step of a model in discrete time, ``(*G, ..., N)`` to the same axes. Several steps are a loop
    of :mod:`memscape.memory.dynamics`. A unit without a field keeps its value.
``flow(potential)``
    Time derivative of every potential of a model in continuous time, ``(*G, ..., N)`` to the same axes.

Each takes a tensor that fits the model's own in its last axes, its leading ``G``, dtype, device and values (binary
units: -1 and +1; graded units: finite), leaves it untouched and raises ArgumentError otherwise. A tensor is a value:
neither strides nor storage of what comes in matter.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, Protocol, Self

import torch
from torch.utils import _pytree as pytree

from memscape.arguments import require_device, require_dtype, require_function

__all__ = ["GradedUnits", "Model", "Scalar", "Spins", "Tracker", "Updates"]

Scalar = float | torch.Tensor
"""A real parameter: a number, or a tensor without axes, which may require a gradient."""


class Model:
    """What every model can do: a mixin of the frozen dataclasses.

    A model is a pytree whose leaves are its tensors, those of its parts included; all else (numbers, functions) stays
    with the structure. ``torch.save`` takes a model, and ``torch.load`` as it comes (``weights_only``) gives it back
    wherever its module is imported. Neither way runs the checks of the constructor again.
    """

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        pytree.register_pytree_node(
            cls,
            _flatten,
            lambda leaves, context: _unflatten(cls, leaves, context),
            serialized_type_name=f"{cls.__module__}.{cls.__qualname__}",
            flatten_with_keys_fn=_flatten_with_keys,
        )
        torch.serialization.add_safe_globals([cls])

    def map(self, change: Callable[[torch.Tensor], torch.Tensor]) -> Self:
        """The same model with every floating tensor changed, those of its parts included; it is checked anew."""
        require_function("change", change)
        return _mapped(self, lambda tensor: change(tensor) if tensor.is_floating_point() else tensor)

    def to(self, *place: torch.device | str | torch.dtype) -> Self:
        """The same model on a device, in a floating dtype, or both, as ``torch.Tensor.to`` takes them."""
        for where in place:
            (require_dtype if isinstance(where, torch.dtype) else require_device)("place", where)

        def moved(tensor: torch.Tensor) -> torch.Tensor:
            for where in place:
                if tensor.is_floating_point() or not isinstance(where, torch.dtype):
                    tensor = tensor.to(where)
            return tensor

        return _mapped(self, moved)

    def __getstate__(self) -> dict[str, Any]:
        # What a model holds, without the tables that it made of it on the way.
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]


class Tracker(Protocol):
    """Fields of a batch of states, kept up to date while units flip.

    The batch is flat: axes ``(G', B, N)`` with G' networks and B probes of each.
    """

    state: torch.Tensor
    """The current states, ``(G', B, N)``, a copy of its own."""

    def field(self, neuron: int) -> torch.Tensor:
        """Local field of one neuron in every state, axes ``(G', B)``, in units of energy."""

    def flip(self, neuron: int, where: torch.Tensor) -> None:
        """Turn the neuron over in the states where the boolean ``where``, axes ``(G', B)``, is true."""


class Spins(Protocol):
    """A model of binary units."""

    @property
    def networks(self) -> tuple[int, ...]:
        """The axes G of independent networks."""

    @property
    def neurons(self) -> int:
        """Number of neurons N."""

    @property
    def probes_at_once(self) -> int | None:
        """Most probes of each network to track at a time, where a tracker takes much memory; None for no limit.

        Such a tracker takes the memory only once it is asked for a field.
        """

    def energy(self, state: torch.Tensor) -> torch.Tensor:
        """Energy of every state: ``(*G, ..., N)`` to ``(*G, ...)``."""

    def update(self, state: torch.Tensor) -> torch.Tensor:
        """Every state after one synchronous step: ``(*G, ..., N)`` to the same axes."""

    def track(self, state: torch.Tensor) -> Tracker:
        """A tracker started at the states ``(*G, ..., N)``; it refuses what ``energy`` refuses."""


class Updates(Protocol):
    """A model in discrete time."""

    def update(self, state: torch.Tensor) -> torch.Tensor:
        """Every state after one step: ``(*G, ..., N)`` to the same axes."""


class GradedUnits(Protocol):
    """A model of graded units that move in continuous time."""

    def flow(self, potential: torch.Tensor) -> torch.Tensor:
        """Time derivative of every potential: ``(*G, ..., N)`` to the same axes."""


_PARTS = "_parts"

_Context = tuple[tuple[str, ...], tuple[tuple[str, Any], ...]]
"""Names of the fields that hold tensors, and the other fields with their values."""


def _flatten(model: Model) -> tuple[list[Any], _Context]:
    held = model.__getstate__()
    known = vars(model).get(_PARTS)
    parts = {name: value for name, value in held.items() if (_holds_tensors(value) if known is None else name in known)}
    return list(parts.values()), (tuple(parts), tuple(item for item in held.items() if item[0] not in parts))


def _flatten_with_keys(model: Model) -> tuple[list[tuple[Any, Any]], _Context]:
    leaves, context = _flatten(model)
    return [(pytree.GetAttrKey(name), leaf) for name, leaf in zip(context[0], leaves, strict=True)], context


def _unflatten(kind: type[Model], leaves: Iterable[Any], context: _Context) -> Model:
    # Leaves need not be tensors (torch.vmap puts the axes to map over in their places): nothing is checked, and the
    # model remembers where they are.
    model = object.__new__(kind)
    vars(model).update(zip(context[0], leaves, strict=True), **dict(context[1]), **{_PARTS: context[0]})
    return model


def _holds_tensors(value: Any) -> bool:
    if isinstance(value, tuple):
        return any(map(_holds_tensors, value))
    return isinstance(value, torch.Tensor | Model)


def _mapped(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    if isinstance(value, Model):
        held = {name: _mapped(part, change) for name, part in value.__getstate__().items()}
        return dataclasses.replace(value, **held)  # type: ignore[type-var]
    if isinstance(value, tuple):
        return tuple(_mapped(part, change) for part in value)
    return change(value) if isinstance(value, torch.Tensor) else value
