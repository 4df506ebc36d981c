r"""Parametrised maps, learners, lenses and folds: what composes with what, as functions of tensors.

A *parametrised map* is a function :math:`f(p, a)` of parameters and an input. Parameters and inputs are tensors or
nested tuples of tensors: the composite of two maps has the pair of their parameters, :func:`then`, and so do two side
by side, :func:`beside`. A *learner* (Fong, Spivak & Tuyeras 2019) can also change its parameters after an example and
say which input it would have liked better. A *lens* (Foster and others 2007) gets a view of a state and puts one back.
Everything is made of tensor operations, so that :func:`torch.vmap` runs many draws at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils import _pytree as pytree

from memscape.arguments import (
    ArgumentError,
    require_fit,
    require_function,
    require_kind,
    require_number,
    require_tensor,
)
from memscape.memory.attention import attend
from memscape.memory.hopfield import Hopfield

__all__ = [
    "LOGISTIC",
    "SQUARED",
    "Error",
    "Learner",
    "Lens",
    "adam",
    "apart",
    "beside",
    "cell",
    "copied_gradients",
    "defects",
    "descent",
    "driven",
    "fold",
    "layer",
    "linear",
    "nesterov",
    "retrieve",
    "reverse",
    "then",
    "tied_gradient",
]

Map = Callable[[Any, Any], Any]
"""A parametrised map: parameters and an input to an output."""


@dataclass(frozen=True)
class Error:
    """An error function, by its slope in the prediction, entry by entry.

    Parameters
    ----------
    slope
        From predictions and targets, the derivative of the error in the prediction.
    target
        From predictions and slopes, the target that gives this slope: the property that makes learners compose.

    Raises
    ------
    ArgumentError
        If one of them is no function.
    """

    slope: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    target: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

    def __post_init__(self) -> None:
        require_function("slope", self.slope)
        require_function("target", self.target)


def _less(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return one - other


def _chance_less(logits: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return logits.sigmoid() - other


SQUARED = Error(_less, _less)
r"""Half the squared distance: slope :math:`z - y`."""

LOGISTIC = Error(_chance_less, _chance_less)
r"""Cross-entropy of logistic units, z their logits: slope :math:`\sigma(z) - y`, for any real y."""


@dataclass(frozen=True)
class Learner:
    """Something that answers, learns and asks (Fong, Spivak & Tuyeras 2019).

    Parameters
    ----------
    implement
        The answer ``f(p, a)``.
    update
        New parameters ``u(p, a, b)`` after the example of a and b.
    request
        The input ``r(p, a, b)`` that would have suited b better.

    Raises
    ------
    ArgumentError
        If one of them is no function.
    """

    implement: Map
    update: Callable[[Any, Any, Any], Any]
    request: Callable[[Any, Any, Any], Any]

    def __post_init__(self) -> None:
        require_function("implement", self.implement)
        require_function("update", self.update)
        require_function("request", self.request)

    def then(self, second: Learner) -> Learner:
        """The composite: the second learner's request is what this one is taught.

        Raises
        ------
        ArgumentError
            If it is no learner.
        """
        require_kind("second", second, Learner)

        def asked(p: Any, a: Any, c: Any) -> Any:
            return second.request(p[1], self.implement(p[0], a), c)

        return Learner(
            then(self.implement, second.implement),
            lambda p, a, c: (
                self.update(p[0], a, asked(p, a, c)),
                second.update(p[1], self.implement(p[0], a), c),
            ),
            lambda p, a, c: self.request(p[0], a, asked(p, a, c)),
        )

    def beside(self, other: Learner) -> Learner:
        """Both, each with its own input and output.

        Raises
        ------
        ArgumentError
            If it is no learner.
        """
        require_kind("other", other, Learner)
        return Learner(
            beside(self.implement, other.implement),
            lambda p, a, b: (self.update(p[0], a[0], b[0]), other.update(p[1], a[1], b[1])),
            lambda p, a, b: (self.request(p[0], a[0], b[0]), other.request(p[1], a[1], b[1])),
        )

    def at(self, inputs: Any) -> Lens:
        """The lens of one input: to get is to predict, to put is to learn."""
        return Lens(lambda p: self.implement(p, inputs), lambda p, target: self.update(p, inputs, target))


@dataclass(frozen=True)
class Lens:
    """A view of a state, and what becomes of the state when the view is changed.

    Parameters
    ----------
    get
        From a state its view.
    put
        From a state and what is put into its view, a state; or, for reverse derivatives, what flows back.

    Raises
    ------
    ArgumentError
        If one of them is no function.
    """

    get: Callable[[Any], Any]
    put: Callable[[Any, Any], Any]

    def __post_init__(self) -> None:
        require_function("get", self.get)
        require_function("put", self.put)

    def then(self, inner: Lens) -> Lens:
        """The view of the view.

        Raises
        ------
        ArgumentError
            If it is no lens.
        """
        require_kind("inner", inner, Lens)
        return Lens(
            lambda state: inner.get(self.get(state)),
            lambda state, view: self.put(state, inner.put(self.get(state), view)),
        )


def then(first: Map, second: Map) -> Map:
    """One parametrised map after another: ``((p, q), a)`` goes to ``g(q, f(p, a))``.

    Raises
    ------
    ArgumentError
        If one of them is no function.
    """
    require_function("first", first)
    require_function("second", second)
    return lambda parameters, inputs: second(parameters[1], first(parameters[0], inputs))


def beside(first: Map, second: Map) -> Map:
    """Two parametrised maps side by side: ``((p, q), (a, b))`` goes to ``(f(p, a), g(q, b))``.

    Raises
    ------
    ArgumentError
        If one of them is no function.
    """
    require_function("first", first)
    require_function("second", second)
    return lambda parameters, inputs: (first(parameters[0], inputs[0]), second(parameters[1], inputs[1]))


def descent(function: Map, error: Error, step: float) -> Learner:
    r"""The learner that makes one step of gradient descent on an error.

    With :math:`g = \partial_z e(z, b)` at :math:`z = f(p, a)` it updates to :math:`p - \eta \, g \cdot \partial_p f`
    and requests the target that would give its input the slope :math:`g \cdot \partial_a f` (Fong, Spivak & Tuyeras
    2019).

    Parameters
    ----------
    function
        f, differentiable.
    error
        Its slope and targets, entry by entry.
    step
        :math:`\eta`, positive.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_function("function", function)
    require_kind("error", error, Error)
    require_number("step", step, above=0.0)

    def slopes(p: Any, a: Any, b: Any) -> tuple[Any, Any]:
        answer, back = torch.func.vjp(function, p, a)  # type: ignore[misc]
        found: tuple[Any, Any] = back(pytree.tree_map(error.slope, answer, b))
        return found

    def update(p: Any, a: Any, b: Any) -> Any:
        return pytree.tree_map(lambda value, slope: value - step * slope, p, slopes(p, a, b)[0])

    def request(p: Any, a: Any, b: Any) -> Any:
        return pytree.tree_map(error.target, a, slopes(p, a, b)[1])

    return Learner(function, update, request)


def reverse(function: Callable[[Any], Any]) -> Lens:
    """The lens whose view is the value of a function, and that sends a derivative back (Cruttwell and others 2022).

    Raises
    ------
    ArgumentError
        If it is no function.
    """
    require_function("function", function)
    return Lens(function, lambda state, slope: torch.func.vjp(function, state)[1](slope)[0])


def nesterov(step: float, momentum: float) -> Lens:
    r"""Nesterov's momentum as a lens from the state (velocity, parameters) to the point it looks ahead to.

    The view is :math:`p + \mu v`. A gradient g put there makes :math:`v' = \mu v - \eta g`, :math:`p' = p + v'`.

    Parameters
    ----------
    step
        :math:`\eta`, positive.
    momentum
        :math:`\mu`, from 0 to 1.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    require_number("step", step, above=0.0)
    require_number("momentum", momentum, at_least=0.0, at_most=1.0)

    def put(state: Any, gradient: torch.Tensor) -> Any:
        velocity = momentum * state[0] - step * gradient
        return velocity, state[1] + velocity

    return Lens(lambda state: state[1] + momentum * state[0], put)


def adam(step: float, *, first: float = 0.9, second: float = 0.999, least: float = 1e-8) -> Lens:
    """Adam as a lens from the state (steps made, mean gradient, mean square, parameters) to the parameters.

    Parameters
    ----------
    step
        Length of a step, positive.
    first, second
        Decay of the mean gradient and of the mean square, in [0, 1).
    least
        What is added to the root of the mean square, positive.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    require_number("step", step, above=0.0)
    require_number("first", first, at_least=0.0, at_most=1 - 2**-53)
    require_number("second", second, at_least=0.0, at_most=1 - 2**-53)
    require_number("least", least, above=0.0)

    def put(state: Any, gradient: torch.Tensor) -> Any:
        count, mean, square, parameters = state
        count = count + 1
        mean = first * mean + (1 - first) * gradient
        square = second * square + (1 - second) * gradient**2
        size = (square / (1 - second**count)).sqrt() + least
        return count, mean, square, parameters - step * mean / (1 - first**count) / size

    return Lens(lambda state: state[3], put)


def defects(lens: Lens, state: Any, view: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    r"""How far a lens is from its three laws, as Euclidean distances.

    GetPut: :math:`\mathrm{put}(s, \mathrm{get}\,s) = s`. PutGet: :math:`\mathrm{get}(\mathrm{put}(s, v)) = v`. PutPut:
    :math:`\mathrm{put}(\mathrm{put}(s, v), w) = \mathrm{put}(s, w)`.

    Parameters
    ----------
    lens
        The lens.
    state
        s, a tensor or nested tuples of tensors.
    view, other
        v and w.

    Returns
    -------
    torch.Tensor
        Three numbers in the order above.

    Raises
    ------
    ArgumentError
        If it is no lens, or the views are not finite tensors of one shape.
    """
    require_kind("lens", lens, Lens)
    require_tensor("view", view, "...")
    require_tensor("other", other, "...")
    if view.shape != other.shape:
        raise ArgumentError("other", f"shape {tuple(view.shape)}", f"shape {tuple(other.shape)}")
    changed = lens.put(state, view)
    found = [
        _distance(lens.put(state, lens.get(state)), state),
        _distance(lens.get(changed), view),
        _distance(lens.put(changed, other), lens.put(state, other)),
    ]
    return require_fit("view", torch.stack(found))


def apart(one: Any, other: Any) -> float:
    """Largest difference of two entries, over tensors or nested tuples of tensors of the same axes.

    Raises
    ------
    ArgumentError
        If they are none, or do not fit each other.
    """
    pairs = list(zip(_tensors("one", one), _tensors("other", other), strict=False))
    if len(pairs) != len(pytree.tree_leaves(one)) or len(pairs) != len(pytree.tree_leaves(other)):
        raise ArgumentError("other", "as many tensors as the first", f"{len(pytree.tree_leaves(other))}")
    if any(a.shape != b.shape or a.device != b.device for a, b in pairs):
        raise ArgumentError("other", "the axes and devices of the first", "others")
    return float(require_fit("one", torch.stack([(a - b).abs().max().double() for a, b in pairs])).max())


def _tensors(argument: str, values: Any) -> list[torch.Tensor]:
    leaves = pytree.tree_leaves(values)
    if not leaves:
        raise ArgumentError(argument, "tensors", "none")
    return [require_tensor(argument, leaf, "...") for leaf in leaves]


def linear(weights: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """The linear map ``W a``: axes ``(..., outputs, inputs)`` and ``(..., inputs)`` to ``(..., outputs)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit.
    """
    sizes: dict[str, int] = {}
    require_tensor("weights", weights, "... outputs inputs", sizes=sizes)
    require_tensor("inputs", inputs, "... inputs", sizes=sizes, dtype=weights.dtype, device=weights.device)
    if weights.shape[:-2] != inputs.shape[:-1]:
        raise ArgumentError("inputs", f"leading axes {tuple(weights.shape[:-2])}", f"shape {tuple(inputs.shape)}")
    return require_fit("weights", (weights @ inputs[..., None])[..., 0])


def layer(weights: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    r"""A layer :math:`\tanh(W a)` of the axes of :func:`linear`.

    Raises
    ------
    ArgumentError
        If the axes do not fit.
    """
    return linear(weights, inputs).tanh()


def retrieve(patterns: torch.Tensor, query: torch.Tensor) -> torch.Tensor:
    """Attention with a memory, inverse temperature 1, as a parametrised map: ``(*G, P, N)`` and ``(*G, Q, N)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit.
    """
    return attend(query, patterns, patterns, beta=1.0)


def cell(weights: torch.Tensor, state: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """The next state of a recurrent network, a :func:`layer` of state and input in a row.

    Parameters
    ----------
    weights
        Axes ``(*G, H, H + I)``.
    state, inputs
        Axes ``(*G, H)`` and ``(*G, I)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit.
    """
    require_tensor("state", state, "... hidden")
    require_tensor("inputs", inputs, "... inputs", dtype=state.dtype, device=state.device)
    if state.shape[:-1] != inputs.shape[:-1]:
        raise ArgumentError("inputs", f"leading axes {tuple(state.shape[:-1])}", f"shape {tuple(inputs.shape)}")
    together = torch.cat([state, inputs], dim=-1)
    require_tensor("weights", weights, "... hidden both", sizes={"hidden": state.shape[-1], "both": together.shape[-1]})
    return layer(weights, together)


def driven(couplings: torch.Tensor, state: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """The next state of a synchronous Hopfield network with inputs, which act as thresholds of the other sign.

    Parameters
    ----------
    couplings
        Axes ``(*G, N, N)``, symmetric.
    state, inputs
        Axes ``(*G, N)``, spins and real numbers in units of the couplings.

    Raises
    ------
    ArgumentError
        If the axes do not fit.
    """
    require_tensor("inputs", inputs, "... neurons")
    return Hopfield(couplings, -inputs).update(state)


def _unrolled(copies: torch.Tensor, state: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    return fold(lambda now, given: cell(given[0], now, given[1]), state, (copies, inputs)).square().sum()


def copied_gradients(weights: torch.Tensor, state: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Gradients of the last state's square in copies of a :func:`cell`, one a step, all equal.

    Parameters
    ----------
    weights, state
        Of one network, axes ``(H, H + I)`` and ``(H,)``.
    inputs
        A sequence, axes ``(T, I)``.

    Returns
    -------
    torch.Tensor
        Axes ``(T, H, H + I)``.

    Raises
    ------
    ArgumentError
        If the axes do not fit.
    """
    copies = _copies(weights, state, inputs)
    return torch.func.grad(_unrolled)(copies, state, inputs)


def tied_gradient(weights: torch.Tensor, state: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Gradient of the same number in the one parameter that all steps share, axes ``(H, H + I)``.

    Raises
    ------
    ArgumentError
        As :func:`copied_gradients`.
    """
    _copies(weights, state, inputs)
    return torch.func.grad(lambda p: _unrolled(p.expand(len(inputs), *p.shape), state, inputs))(weights)


def _copies(weights: torch.Tensor, state: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    sizes: dict[str, int] = {}
    require_tensor("weights", weights, "hidden both", sizes=sizes)
    require_tensor("state", state, "hidden", sizes=sizes, dtype=weights.dtype, device=weights.device)
    require_tensor("inputs", inputs, "steps inputs", dtype=weights.dtype, device=weights.device)
    if inputs.shape[1] + len(state) != sizes["both"]:
        raise ArgumentError("inputs", f"{sizes['both'] - len(state)} numbers a step", f"shape {tuple(inputs.shape)}")
    return weights.expand(len(inputs), *weights.shape)


def _distance(one: Any, other: Any) -> torch.Tensor:
    pairs = zip(pytree.tree_leaves(one), pytree.tree_leaves(other), strict=True)
    return torch.stack([(a - b).square().sum() for a, b in pairs]).sum().sqrt()


def fold(cell: Map, state: Any, inputs: Any) -> Any:
    """The state after a sequence: the algebra of lists that a cell is part of.

    Parameters
    ----------
    cell
        From a state and one input, the next state.
    state
        What the empty sequence leaves.
    inputs
        A tensor, or nested tuples of tensors, whose first axis is the sequence.

    Raises
    ------
    ArgumentError
        If the cell is no function, or there is no sequence.
    """
    require_function("cell", cell)
    leaves = pytree.tree_leaves(inputs)
    if not leaves or not all(isinstance(leaf, torch.Tensor) and leaf.ndim > 0 for leaf in leaves):
        raise ArgumentError("inputs", "tensors whose first axis is the sequence", type(inputs).__name__)
    if len({len(leaf) for leaf in leaves}) > 1:
        raise ArgumentError("inputs", "sequences of one length", str(sorted({len(leaf) for leaf in leaves})))
    for step in range(len(leaves[0])):
        state = cell(state, pytree.tree_map(lambda leaf, now=step: leaf[now], inputs))
    return state
