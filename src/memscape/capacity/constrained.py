r"""A unit whose synapses have prescribed signs: what it can learn, with which weights, and how well they bear noise.

A unit of N inputs gives the answer :math:`y = \mathrm{sign}(w \cdot x)`. By Dale's law the sign of a synapse belongs to
the neuron it comes from: :math:`\sigma_i w_i \ge 0`. In the space of weights an answer is a half-space, and so is a
prescribed sign. M half-spaces through the origin of N dimensions, with normals in general position, have :math:`C = 2
\sum_{k<N} \binom{M-1}{k}` ways to choose their sides that leave them a common point (Cover 1965), out of :math:`2^M`.
:func:`separable_share` is the quotient; P answers and N signs are P + N half-spaces.

:func:`learned` decides single draws, :func:`largest_margin` and :func:`smallest_sum` find weights, and
:func:`most_robust` the weights that bear the largest noise of the inputs or of the output (after Rubin, Abbott &
Sompolinsky 2017). All turn every input over whose synapse is to be negative, so that only :math:`w \ge 0` is left.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch
from scipy.optimize import linprog

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_generator,
    require_integer,
    require_number,
    require_room,
    require_tensor,
)
from memscape.tools.nonnegative import nonnegative_least_squares

__all__ = [
    "draw_tasks",
    "imbalance",
    "largest_margin",
    "learned",
    "most_robust",
    "separable_share",
    "silent_share",
    "smallest_sum",
]

_MOST = 10**5  # half-spaces: binomials of 30,000 digits
_SILENT = 1e-7  # share of the largest weight below which one counts as zero: far above rounding


def separable_share(dimensions: int, halfspaces: int) -> Fraction:
    r"""Probability that random half-spaces through the origin have a common point (Cover 1965), exactly.

    .. math:: \frac{1}{2^{M-1}} \sum_{k < N} \binom{M-1}{k}

    Parameters
    ----------
    dimensions
        N, at least 1.
    halfspaces
        M, at least 1; their normals are in general position, and either side is as likely. P random answers of a unit
        with free weights are M = P, with prescribed signs M = P + N.

    Returns
    -------
    Fraction
        In (0, 1].

    Raises
    ------
    ArgumentError
        If a number is not a positive integer, or there are more than 100,000 half-spaces.
    """
    require_count("dimensions", dimensions)
    require_integer("halfspaces", halfspaces, at_least=1, at_most=_MOST)
    term, total = 1, 0
    for k in range(min(dimensions, halfspaces)):
        total += term
        term = term * (halfspaces - 1 - k) // (k + 1)
    return Fraction(total, 2 ** (halfspaces - 1))


def draw_tasks(
    draws: int, patterns: int, neurons: int, *, kind: str = "gaussian", generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """Random inputs, and random answers to them that are as often yes as no.

    Parameters
    ----------
    draws, patterns, neurons
        Tasks, patterns of each, and inputs.
    kind
        ``"gaussian"``, ``"spins"`` (-1 and +1), ``"sparse"`` (0 and 1, a fifth of them 1), or ``"uniform"`` in [0, 1).
    generator
        A CPU generator: draws inputs, then answers.

    Returns
    -------
    tuple of two tensors
        Inputs ``(draws, patterns, neurons)`` and answers ``(draws, patterns)``, -1 and +1, both float64.

    Raises
    ------
    ArgumentError
        If a number is not a positive integer or the kind is unknown.
    """
    require_count("draws", draws)
    require_count("patterns", patterns)
    require_count("neurons", neurons)
    require_choice("kind", kind, ("gaussian", "spins", "sparse", "uniform"))
    require_generator("generator", generator)
    require_room(draws=draws, patterns=patterns, neurons=neurons)
    place = torch.empty(draws, patterns, neurons, dtype=torch.float64, device="cpu")
    if kind == "gaussian":
        inputs = place.normal_(generator=generator)
    else:
        inputs = place.uniform_(generator=generator)
        inputs = {"spins": (inputs < 0.5) * 2.0 - 1.0, "sparse": (inputs < 0.2) * 1.0, "uniform": inputs}[kind]
    answers = torch.randint(0, 2, (draws, patterns), generator=generator, device="cpu") * 2 - 1
    return inputs.double(), answers.double()


def learned(inputs: torch.Tensor, answers: torch.Tensor, signs: torch.Tensor) -> torch.Tensor:
    r"""Whether some weights of the prescribed signs give every pattern its answer, for many draws.

    The least squares :math:`\min_{w, s \ge 0} |A w - s - 1|` with rows :math:`y_\mu \sigma_i x_i^\mu` of A decide it.
    They are 0 where the draw can be learned. Where it cannot, there are :math:`\lambda \ge 0` with
    :math:`A^T \lambda \le 0`, and then :math:`|A w - s - 1| \ge \lambda \cdot 1 / |\lambda| \ge 1`. So nothing lies
    between 0 and 1, and rounding decides nothing.

    Parameters
    ----------
    inputs
        x, axes ``(draws, patterns, neurons)``. For a threshold append an input that is always -1.
    answers
        y, axes ``(draws, patterns)``, values -1 and +1.
    signs
        sigma, axes ``(neurons)`` or ``(draws, neurons)``, values -1 and +1.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(draws)``, on the CPU.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    found = []
    for rows, _ in _problems(inputs, answers, signs):
        patterns = len(rows)
        system = np.hstack([rows / np.abs(rows).max(axis=1, keepdims=True).clip(1e-300), -np.eye(patterns)])
        missed = system @ nonnegative_least_squares(system, np.ones(patterns)) - 1.0
        found.append(bool(np.linalg.norm(missed) < 0.5))
    return torch.tensor(found, device="cpu")


def largest_margin(inputs: torch.Tensor, answers: torch.Tensor, signs: torch.Tensor) -> torch.Tensor:
    r"""The shortest weights of the prescribed signs with :math:`y_\mu\, w \cdot x^\mu \ge 1`: the largest margin.

    By least distance programming (Lawson & Hanson 1974, chapter 23), which is a problem of non-negative least squares.

    Parameters
    ----------
    inputs, answers, signs
        As for :func:`learned`.

    Returns
    -------
    torch.Tensor
        Axes ``(draws, neurons)``, float64, on the CPU; zero where a draw cannot be learned.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    found = []
    for rows, turned in _problems(inputs, answers, signs):
        patterns, neurons = rows.shape
        system = np.vstack([np.hstack([rows.T, np.eye(neurons)]), np.r_[np.ones(patterns), np.zeros(neurons)]])
        target = np.r_[np.zeros(neurons), 1.0]
        residual = system @ nonnegative_least_squares(system, target) - target
        # The distance is 1 / sqrt(1 + |w|^2), and 0 where there are no such weights.
        weights = residual[:-1] / -residual[-1] if np.linalg.norm(residual) > 1e-6 else np.zeros(neurons)
        found.append(weights.clip(min=0.0) * turned)
    return torch.from_numpy(np.stack(found))


def smallest_sum(inputs: torch.Tensor, answers: torch.Tensor, signs: torch.Tensor) -> torch.Tensor:
    r"""Weights of the prescribed signs with :math:`y_\mu\, w \cdot x^\mu \ge 1` and the smallest sum of sizes.

    Parameters
    ----------
    inputs, answers, signs
        As for :func:`learned`.

    Returns
    -------
    torch.Tensor
        Axes ``(draws, neurons)``, float64, on the CPU; zero where a draw cannot be learned.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    found = []
    for rows, turned in _problems(inputs, answers, signs):
        best = linprog(np.ones(rows.shape[1]), A_ub=-rows, b_ub=-np.ones(len(rows)), method="highs")
        found.append((best.x if best.status == 0 else np.zeros(rows.shape[1])) * turned)
    return torch.from_numpy(np.stack(found))


def silent_share(weights: torch.Tensor) -> torch.Tensor:
    """Share of the synapses of each unit that are silent: below a ten-millionth of its largest one.

    Parameters
    ----------
    weights
        Axes ``(..., neurons)``.

    Returns
    -------
    torch.Tensor
        Axes ``(...)``, float64, in [0, 1].

    Raises
    ------
    ArgumentError
        If the weights are not a tensor of finite values.
    """
    require_tensor("weights", weights, "... neurons")
    sizes = weights.abs()
    return (sizes <= _SILENT * sizes.amax(dim=-1, keepdim=True)).double().mean(dim=-1)


def most_robust(
    inputs: torch.Tensor, answers: torch.Tensor, signs: torch.Tensor, *, noise: str, largest: float = 1.0
) -> torch.Tensor:
    r"""Weights of the prescribed signs that bear the most noise, in units of the threshold.

    The unit says yes where :math:`w \cdot x > 1`. Noise of the output is borne up to

    .. math:: \max_w \min_\mu y_\mu (w \cdot x^\mu - 1), \qquad |w_i| \le w_{\max} .

    Inputs may each be off by as much as

    .. math:: \max_w \min_\mu y_\mu (w \cdot x^\mu - 1) \big/ \sum_i |w_i| .

    Both are linear programmes. Rubin, Abbott & Sompolinsky (2017) bound lengths of vectors where we bound single
    entries.

    Parameters
    ----------
    inputs, answers, signs
        As for :func:`learned`, without an input for the threshold.
    noise
        ``"output"`` or ``"inputs"``.
    largest
        :math:`w_{\max}`, positive, in units of the threshold; for noise of the output.

    Returns
    -------
    torch.Tensor
        Axes ``(draws, neurons)``, float64, on the CPU.

    Raises
    ------
    ArgumentError
        If an argument does not fit, or a draw cannot be learned with a positive threshold.
    """
    require_choice("noise", noise, ("output", "inputs"))
    require_number("largest", largest, above=0.0, at_most=1e6)
    found = []
    for row, (rows, turned) in enumerate(_problems(inputs, answers, signs)):
        patterns, neurons = rows.shape
        wanted = answers[row].double().cpu().numpy()[:, None]
        ones = np.ones((patterns, 1))
        # Unknown are the weights, turned, the threshold, and the noise, which is maximised.
        system = np.hstack([-rows, wanted, ones])
        cost = np.r_[np.zeros(neurons + 1), -1.0]
        if noise == "output":
            bounds = [(0, largest)] * neurons + [(1, 1), (0, None)]
            best = linprog(cost, A_ub=system, b_ub=np.zeros(patterns), bounds=bounds, method="highs")
        else:
            total = np.r_[np.ones(neurons), 0.0, 0.0][None]
            best = linprog(cost, A_ub=system, b_ub=np.zeros(patterns), A_eq=total, b_eq=[1.0], method="highs")
        if best.x is None or best.x[neurons] < 1e-9 or best.x[-1] < 1e-12:
            raise ArgumentError("answers", "answers that can be learned with a positive threshold", f"draw {row}")
        found.append(best.x[:neurons] / best.x[neurons] * turned)
    return torch.from_numpy(np.stack(found))


def imbalance(excitation: torch.Tensor, inhibition: torch.Tensor) -> torch.Tensor:
    """How far excitation and inhibition are from cancelling: abs(E - I) / (E + I).

    Parameters
    ----------
    excitation, inhibition
        Sizes of both currents, non-negative, of one shape and dtype.

    Returns
    -------
    torch.Tensor
        Same axes, dimensionless, from 0 (they cancel) to 1 (one of them is alone); 0 where there is no current.

    Raises
    ------
    ArgumentError
        If axes, values, dtypes or devices do not fit.
    """
    require_tensor("excitation", excitation, "...", values="nonnegative")
    require_tensor(
        "inhibition", inhibition, "...", values="nonnegative", device=excitation.device, dtype=excitation.dtype
    )
    if excitation.shape != inhibition.shape:
        raise ArgumentError("inhibition", f"shape {tuple(excitation.shape)}", f"shape {tuple(inhibition.shape)}")
    # Halves, so that no sum is beyond a float.
    total = excitation / 2 + inhibition / 2
    return torch.where(total > 0, (excitation / 2 - inhibition / 2).abs() / torch.where(total > 0, total, 1.0), 0.0)


def _problems(inputs: torch.Tensor, answers: torch.Tensor, signs: torch.Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
    """For every draw the rows y x sigma, ``(patterns, neurons)``, and the signs, ``(neurons)``, both in float64."""
    sizes: dict[str, int] = {}
    require_tensor("inputs", inputs, "draws patterns neurons", sizes=sizes)
    device, dtype = inputs.device, inputs.dtype
    require_tensor("answers", answers, "draws patterns", values="spins", sizes=sizes, device=device, dtype=dtype)
    require_tensor("signs", signs, "... neurons", values="spins", sizes=sizes, device=device, dtype=dtype)
    if signs.dim() > 2 or (signs.dim() == 2 and len(signs) != len(inputs)):
        raise ArgumentError("signs", "axes (neurons) or (draws, neurons)", f"shape {tuple(signs.shape)}")
    if inputs.abs().max() > math.sqrt(torch.finfo(torch.float32).max):
        raise ArgumentError("inputs", "values whose products a float holds", f"{inputs.abs().max():g}")
    turned = signs.double().expand(len(inputs), signs.shape[-1])
    rows = answers.double()[..., None] * inputs.double() * turned[:, None, :]
    return list(zip(rows.cpu().numpy(), turned.cpu().numpy(), strict=True))
