r"""Which hidden unit of one network is which of another, and what the straight line between both looks like.

To rename the hidden units of a network changes its weights and not what it computes. Two networks of one hidden layer
are compared after the renaming that brings their weights closest: a linear assignment problem, solved exactly.
"""

from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment

from memscape.arguments import ArgumentError, require_fit, require_kind, require_number
from memscape.tools.perceptrons import Perceptrons, losses, require_data

__all__ = ["barrier", "between", "line_losses", "matched", "matching", "renamed", "rise"]


def matching(models: Perceptrons, to: Perceptrons) -> torch.Tensor:
    r"""The renaming of hidden units that brings each network closest to its partner.

    Among all permutations :math:`\pi` it minimises :math:`\sum_k \| u_{\pi(k)} - v_k \|^2`, where :math:`u` and
    :math:`v` hold all that belongs to a unit: incoming weights, bias, outgoing weights (Ainsworth and others 2023 for
    networks of one hidden layer, where it is one assignment problem).

    Parameters
    ----------
    models, to
        Networks of the same sizes, dtype and device, paired by their numbers.

    Returns
    -------
    torch.Tensor
        ``[m, k]`` is the unit of network m that plays the part of its partner's unit k: int64, axes
        ``(networks, hidden)``.

    Raises
    ------
    ArgumentError
        If the networks do not fit each other.
    """
    _require_pairs(models, to)
    likeness = _units(models) @ _units(to).mT
    found = [linear_sum_assignment(each, maximize=True) for each in likeness.cpu().numpy()]
    places = np.empty((len(models), likeness.shape[1]), dtype=np.int64)
    for network, (theirs, parts) in enumerate(found):
        places[network, parts] = theirs
    return torch.from_numpy(places).to(models.first.device)


def renamed(models: Perceptrons, places: torch.Tensor) -> Perceptrons:
    """The same networks with unit ``places[m, k]`` of network m as unit k; what they compute does not change.

    Parameters
    ----------
    models
        Networks, left untouched.
    places
        A permutation of the hidden units for each network, int64, axes ``(networks, hidden)``.

    Raises
    ------
    ArgumentError
        If ``places`` is none.
    """
    shape = require_kind("models", models, Perceptrons).first_bias.shape
    if not isinstance(places, torch.Tensor) or places.dtype != torch.int64 or places.shape != shape:
        got = f"{places.dtype}, {tuple(places.shape)}" if isinstance(places, torch.Tensor) else type(places).__name__
        raise ArgumentError("places", f"an int64 tensor of shape {tuple(shape)}", got)
    if places.device != models.first.device:
        raise ArgumentError("places", f"device {models.first.device}", str(places.device))
    if not torch.equal(places.sort(dim=1).values, torch.arange(shape[1], device=places.device).expand(shape)):
        raise ArgumentError("places", "a permutation of the hidden units in each row", "rows that are none")
    return Perceptrons(
        models.first.take_along_dim(places[:, None], dim=2),
        models.first_bias.take_along_dim(places, dim=1),
        models.second.take_along_dim(places[:, :, None], dim=1),
        models.second_bias,
    )


def matched(models: Perceptrons, to: Perceptrons) -> Perceptrons:
    """Each network with its hidden units renamed by :func:`matching`, as close to its partner as they can be.

    Raises
    ------
    ArgumentError
        If the networks do not fit each other.
    """
    return renamed(models, matching(models, to))


def between(starts: Perceptrons, ends: Perceptrons, share: float | torch.Tensor) -> Perceptrons:
    """The networks whose weights lie at a share of the straight way, 0 the starts and 1 the ends.

    Parameters
    ----------
    starts, ends
        Networks of the same sizes, paired by their numbers.
    share
        Dimensionless; a number, or one a pair with the axes ``(networks,)``.

    Raises
    ------
    ArgumentError
        If the networks do not fit each other, or the share is none or not finite.
    """
    _require_pairs(starts, ends)
    like = starts.first
    if not isinstance(share, torch.Tensor):
        require_number("share", share, at_least=-1e30, at_most=1e30)
    weight = torch.as_tensor(share, dtype=like.dtype, device=like.device)
    if weight.shape not in ((), (len(starts),)) or not bool(weight.isfinite().all()):
        got = f"shape {tuple(weight.shape)}"
        raise ArgumentError("share", "a finite number, or one for each pair of networks", got)

    def mixed(start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
        return torch.lerp(start, end, weight.reshape(-1, *(1,) * (start.ndim - 1)).expand_as(start))

    return Perceptrons(
        *(require_fit("share", mixed(*pair)) for pair in zip(starts.parameters, ends.parameters, strict=True))
    )


def line_losses(
    starts: Perceptrons, ends: Perceptrons, images: torch.Tensor, labels: torch.Tensor, *, points: int = 11
) -> torch.Tensor:
    """Mean cross-entropy at equally spaced points of the straight way between networks, both ends included.

    Parameters
    ----------
    starts, ends
        Networks of the same sizes, paired by their numbers.
    images, labels
        Axes ``(images, inputs)`` and ``(images,)``, int64.
    points
        How many points, at least 2.

    Returns
    -------
    torch.Tensor
        Nats, axes ``(networks, points)``, float64.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    _require_pairs(starts, ends)
    require_data(starts, images, labels)
    if not isinstance(points, int) or isinstance(points, bool) or not 2 <= points <= 2**16:
        raise ArgumentError("points", "an integer from 2 to 65536", repr(points))
    shares = torch.linspace(0, 1, points, dtype=torch.float64, device="cpu").tolist()
    return torch.stack([losses(between(starts, ends, share), images, labels) for share in shares], dim=1)


def barrier(line: torch.Tensor) -> torch.Tensor:
    """How far a way rises above the straight line between the losses of its ends (Ainsworth and others 2023).

    Parameters
    ----------
    line
        Losses at equally spaced points, axes ``(..., points)`` with at least two points.

    Returns
    -------
    torch.Tensor
        At least 0, in the unit of the losses, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If there are fewer than two points or one is not finite.
    """
    _require_line(line)
    shares = torch.linspace(0, 1, line.shape[-1], dtype=line.dtype, device=line.device)
    return (line - torch.lerp(line[..., :1], line[..., -1:], shares)).amax(dim=-1).clamp(min=0)


def rise(line: torch.Tensor) -> torch.Tensor:
    """How far a way rises above its worse end; unlike the barrier it is 0 on every way that stays below that end.

    Parameters
    ----------
    line
        Losses along the way, axes ``(..., points)`` with at least two points.

    Returns
    -------
    torch.Tensor
        At least 0, in the unit of the losses, axes ``(...)``.

    Raises
    ------
    ArgumentError
        If there are fewer than two points or one is not finite.
    """
    _require_line(line)
    return line.amax(dim=-1) - torch.maximum(line[..., 0], line[..., -1])


def _units(models: Perceptrons) -> torch.Tensor:
    """All that belongs to each hidden unit, axes (networks, hidden, inputs + 1 + classes), in float64."""
    return torch.cat([models.first.mT, models.first_bias[..., None], models.second], dim=2).double()


def _require_pairs(models: Perceptrons, to: Perceptrons) -> None:
    first, other = require_kind("models", models, Perceptrons), require_kind("to", to, Perceptrons)
    for a, b in zip(first.parameters, other.parameters, strict=True):
        if (a.shape, a.dtype, a.device) != (b.shape, b.dtype, b.device):
            raise ArgumentError(
                "to",
                f"networks like the others: {tuple(a.shape)}, {a.dtype}, {a.device}",
                f"{tuple(b.shape)}, {b.dtype}, {b.device}",
            )


def _require_line(line: torch.Tensor) -> None:
    if not isinstance(line, torch.Tensor) or not line.is_floating_point() or line.ndim == 0 or line.shape[-1] < 2:
        got = f"{line.dtype}, {tuple(line.shape)}" if isinstance(line, torch.Tensor) else type(line).__name__
        raise ArgumentError("line", "losses with axes (..., points), two points or more", got)
    if 0 in line.shape or not bool(line.isfinite().all()):
        raise ArgumentError("line", "finite losses", "none, or one that is not finite")
