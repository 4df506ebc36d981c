r"""Networks that are to learn what a Hebbian memory does, without being built for its symmetry.

An input is two patterns and a state of N units, 3N signs in a row. The answer asked for is the Hebbian input of every
unit,

.. math:: h_i = \frac1N \sum_{\mu} \sum_{j \ne i} \xi_i^\mu \xi_j^\mu s_j ,

and who turns a unit over in all three turns over its answer. A perceptron with one hidden layer of tanh units knows
nothing of that. Its weights are one vector of :math:`D = 3NH + H + HN + N` numbers; K networks are K vectors.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_fit,
    require_generator,
    require_kind,
    require_number,
    require_room,
    require_tensor,
)
from memscape.tools.models import Model
from memscape.tools.training import adamw

__all__ = ["Maps", "answers", "defect", "initial", "losses", "renamed", "targets", "train"]


@dataclass(frozen=True)
class Maps(Model):
    """Networks side by side: ``weights``, axes ``(K, D)``, float64."""

    weights: torch.Tensor

    def __post_init__(self) -> None:
        require_tensor("weights", self.weights, "networks weights", dtype=torch.float64)


def targets(inputs: torch.Tensor) -> torch.Tensor:
    """The Hebbian input of every unit, ``(..., 3N)`` to ``(..., N)``, dimensionless.

    Parameters
    ----------
    inputs
        Two patterns and a state in a row, values in {-1, +1}, float64.

    Raises
    ------
    ArgumentError
        If they are none.
    """
    require_tensor("inputs", inputs, "... signs", values="spins", dtype=torch.float64)
    units = _units("inputs", inputs)
    patterns, state = inputs.unflatten(-1, (3, units)).split([2, 1], dim=-2)
    overlaps = (patterns * state).sum(dim=-1, keepdim=True)
    return (patterns * overlaps).sum(dim=-2) / units - 2 / units * state[..., 0, :]


def initial(networks: int, units: int, hidden: int, *, generator: torch.Generator) -> Maps:
    """Networks with normal weights of variance one over the number of inputs, and biases zero, on the CPU.

    Parameters
    ----------
    networks, units, hidden
        K, N and H, each at least 1.
    generator
        A CPU generator.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    for name, value in (("networks", networks), ("units", units), ("hidden", hidden)):
        require_count(name, value)
    require_room(networks=networks, units=4 * units + 1, hidden=hidden)
    require_generator("generator", generator)
    draw = {"generator": generator, "dtype": torch.float64, "device": torch.device("cpu")}
    first = torch.randn(networks, 3 * units * hidden, **draw) / (3 * units) ** 0.5  # type: ignore[call-overload]
    second = torch.randn(networks, hidden * units, **draw) / hidden**0.5  # type: ignore[call-overload]
    zeros = first.new_zeros(networks, hidden + units)
    return Maps(torch.cat([first, zeros[:, :hidden], second, zeros[:, hidden:]], dim=1))


def answers(weights: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """What networks answer.

    Parameters
    ----------
    weights
        Axes ``(*G, D)``, float64.
    inputs
        Axes ``(*G, B, 3N)``, float64.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, B, N)``.

    Raises
    ------
    ArgumentError
        If the weights are not those of a network with these inputs.
    """
    require_tensor("weights", weights, "... weights", dtype=torch.float64)
    require_tensor("inputs", inputs, "... examples signs", dtype=torch.float64, device=weights.device)
    if inputs.shape[:-2] != weights.shape[:-1]:
        raise ArgumentError("inputs", f"leading axes {tuple(weights.shape[:-1])}", f"shape {tuple(inputs.shape)}")
    units = _units("inputs", inputs)
    first, bias, second, shift = _parts(weights, units)
    return (inputs @ first + bias[..., None, :]).tanh() @ second + shift[..., None, :]


def losses(weights: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """Mean squared distance of answers and Hebbian inputs, an entry: ``(*G, D)`` and ``(*G, B, 3N)`` to ``(*G,)``.

    Raises
    ------
    ArgumentError
        As :func:`answers`.
    """
    found = (answers(weights, inputs) - targets(inputs)).square().mean(dim=(-2, -1))
    return require_fit("weights", found)


def renamed(weights: torch.Tensor, places: torch.Tensor, units: int) -> torch.Tensor:
    """The same networks with hidden unit ``places[..., k]`` as unit k: ``(*G, D)`` to the same axes.

    Parameters
    ----------
    weights
        Axes ``(*G, D)``, float64.
    places
        Permutations of the hidden units, int64, axes ``(*G, H)``.
    units
        N.

    Raises
    ------
    ArgumentError
        If the axes do not fit, or a row is no permutation.
    """
    require_tensor("weights", weights, "... weights", dtype=torch.float64)
    require_count("units", units)
    first, bias, second, shift = _parts(weights, units)
    if not isinstance(places, torch.Tensor) or places.dtype != torch.int64 or places.shape != bias.shape:
        got = f"{places.dtype} {tuple(places.shape)}" if isinstance(places, torch.Tensor) else type(places).__name__
        raise ArgumentError("places", f"an int64 tensor of shape {tuple(bias.shape)}", got)
    if places.device != weights.device:
        raise ArgumentError("places", f"device {weights.device}", str(places.device))
    everyone = torch.arange(bias.shape[-1], device=places.device).expand(places.shape)
    if not torch.equal(places.sort(dim=-1).values, everyone):
        raise ArgumentError("places", "a permutation in each row", "a row that is none")
    moved = [
        first.take_along_dim(places[..., None, :], dim=-1).flatten(-2),
        bias.take_along_dim(places, dim=-1),
        second.take_along_dim(places[..., :, None], dim=-2).flatten(-2),
        shift,
    ]
    return torch.cat(moved, dim=-1)


def train(
    start: Maps, inputs: torch.Tensor, *, records: int, every: int, rate: float, turn: bool, generator: torch.Generator
) -> torch.Tensor:
    """Follow the losses down by Adam, all examples at every step, and record the weights.

    Parameters
    ----------
    start
        K networks.
    inputs
        Axes ``(K, B, 3N)``, values in {-1, +1}.
    records, every
        How many times weights are recorded, and after how many steps each, at least 1.
    rate
        Of Adam, positive.
    turn
        Whether at every step each example has units turned over at random, in patterns and state.
    generator
        A CPU generator; used only to turn.

    Returns
    -------
    torch.Tensor
        Axes ``(records + 1, K, D)``, the start first.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_kind("start", start, Maps)
    losses(start.weights, inputs)
    require_count("records", records)
    require_count("every", every)
    require_number("rate", rate, above=0.0, at_most=1e3)
    require_kind("turn", turn, bool)
    require_generator("generator", generator)
    require_room(records=records, start=start.weights.numel())
    shape = (*inputs.shape[:-1], 1, _units("inputs", inputs))

    def epoch(current: Maps) -> Iterator[torch.Tensor]:
        for _ in range(every):
            shown = inputs
            if turn:
                signs = 2 * torch.randint(0, 2, shape, generator=generator, device="cpu").double() - 1
                shown = (inputs.unflatten(-1, (3, shape[-1])) * signs.to(inputs.device)).flatten(-2)
            yield losses(current.weights, shown).sum()

    found = [each.weights for each, _ in adamw(start, epoch, epochs=records, rate=rate)]
    return torch.stack([start.weights, *found])


def defect(weights: torch.Tensor, inputs: torch.Tensor, signs: torch.Tensor) -> torch.Tensor:
    r"""How far networks are from equivariance: :math:`\langle |f(gx) - g f(x)|^2 \rangle / \langle |f(x)|^2 \rangle`.

    Parameters
    ----------
    weights
        Axes ``(*G, D)``, float64.
    inputs
        Axes ``(*G, B, 3N)``, values in {-1, +1}.
    signs
        One change of signs an input, axes ``(*G, B, N)``, values in {-1, +1}.

    Returns
    -------
    torch.Tensor
        Dimensionless, axes ``(*G,)``; 2 for answers that know nothing of the changes.

    Raises
    ------
    ArgumentError
        If the axes do not fit, or a network answers nothing but zeros.
    """
    require_tensor("inputs", inputs, "... signs", values="spins", dtype=torch.float64)
    units = _units("inputs", inputs)
    require_tensor("signs", signs, "... units", values="spins", dtype=torch.float64, device=inputs.device)
    if signs.shape != (*inputs.shape[:-1], units):
        raise ArgumentError("signs", f"shape {(*inputs.shape[:-1], units)}", f"shape {tuple(signs.shape)}")
    turned = (inputs.unflatten(-1, (3, units)) * signs[..., None, :]).flatten(-2)
    plain = answers(weights, inputs)
    size = plain.square().mean(dim=(-2, -1))
    found = (answers(weights, turned) - signs * plain).square().mean(dim=(-2, -1)) / size
    if not bool(found.isfinite().all()):
        raise ArgumentError("weights", "networks whose answers are finite and not all zero", "others")
    return found


def _units(argument: str, inputs: torch.Tensor) -> int:
    if inputs.shape[-1] % 3:
        raise ArgumentError(argument, "two patterns and a state, 3 N signs", f"{inputs.shape[-1]} signs")
    return inputs.shape[-1] // 3


def _parts(weights: torch.Tensor, units: int) -> tuple[torch.Tensor, ...]:
    """First layer (*G, 3N, H), its biases, second layer (*G, H, N), its biases."""
    hidden, rest = divmod(weights.shape[-1] - units, 4 * units + 1)
    if hidden < 1 or rest:
        wanted = f"{4 * units + 1} numbers a hidden unit and {units} more"
        raise ArgumentError("weights", wanted, f"{weights.shape[-1]} numbers")
    first, bias, second, shift = weights.split([3 * units * hidden, hidden, hidden * units, units], dim=-1)
    return first.unflatten(-1, (3 * units, hidden)), bias, second.unflatten(-1, (hidden, units)), shift
