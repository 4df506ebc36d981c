r"""Linear memories: one matrix that answers for many tokens, at every dimension at once.

Cabannes, Dohmatob & Bietti (2024) store tokens x with answers f(x) in

.. math:: W = \sum_x q(x)\, e_x u_{f(x)}^T , \qquad \text{answer to } x = \operatorname*{argmax}_y\; e_x^T W u_y ,

with random vectors :math:`e_x`, :math:`u_y` of d coordinates and strengths q. The error is the probability of all
tokens answered wrongly. In a smaller dimension one may take the first coordinates of the vectors of a larger one. Then

.. math:: e_x^T W u_y = \sum_c \Big( e_x \cdot \sum_{x':\, f(x') = c} q(x')\, e_{x'} \Big)\, (u_c \cdot u_y) ,

where the inner products for d + 1 coordinates are those for d and one term more. So one pass over the coordinates gives
the errors at every d (:func:`scheme_errors`), in time proportional to the largest d alone, and no matrix W is formed.

The second half is about n pairs with n answers, all different and equally strong: :func:`pairs_recalled` counts them
and :func:`pair_law` calculates their number from the largest of n - 1 scores.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from scipy import optimize, special, stats

from memscape.arguments import (
    ArgumentError,
    require_choice,
    require_count,
    require_device,
    require_finite,
    require_fit,
    require_generator,
    require_integer,
    require_number,
    require_numbers,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.tools import pieces
from memscape.tools.sequences import require_probabilities, require_rising

__all__ = [
    "counted_errors",
    "equal_error",
    "most_frequent",
    "pair_law",
    "pairs_at",
    "pairs_recalled",
    "scheme_errors",
]

_LARGEST = 2**31  # dimensions


def most_frequent(tokens: int, dimensions: Sequence[int], divisor: int) -> torch.Tensor:
    """Strengths of the thresholded scheme: 1 for the first d // divisor tokens, 0 for the others.

    Parameters
    ----------
    tokens
        Number of tokens N, the most frequent first.
    dimensions
        Dimensions d, positive.
    divisor
        Coordinates for every stored token.

    Returns
    -------
    torch.Tensor
        float32, axes ``(dimensions, tokens)``.

    Raises
    ------
    ArgumentError
        If a number is not a positive integer.
    """
    require_count("tokens", tokens)
    require_count("divisor", divisor)
    sizes = [
        require_count("dimensions", size, at_most=_LARGEST)
        for size in require_sequence("dimensions", dimensions, "dimensions")
    ]
    if not sizes:
        raise ArgumentError("dimensions", "one dimension or more", str(sizes))
    require_room(tokens=tokens, dimensions=len(sizes))
    stored = torch.tensor([size // divisor for size in sizes], device="cpu")
    return (torch.arange(tokens, device="cpu") < stored[:, None]).float()


def scheme_errors(
    dimensions: Sequence[int],
    strengths: torch.Tensor,
    probabilities: npt.ArrayLike,
    *,
    answers: int,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Error of linear memories with given strengths, at every dimension, in freshly drawn vectors.

    Vectors have normal entries; those of the answers are of unit length in the largest dimension. Token x has the
    answer x modulo the number of answers. Lower dimensions take the first coordinates.

    Parameters
    ----------
    dimensions
        d, rising.
    strengths
        q, axes ``(schemes, dimensions, tokens)``, or with 1 in the place of the dimensions where none depends on it.
        Finite. A scheme whose strengths are the same at every dimension takes one pass for all of them.
    probabilities
        Of every token, summing to 1, axes ``(tokens,)``.
    answers
        Number of answers M.
    networks
        Networks to draw.
    generator
        A CPU generator.
    device
        Where to compute, in float32.

    Returns
    -------
    torch.Tensor
        float64 in [0, 1], axes ``(networks, schemes, dimensions)``, on the CPU. Of answers with equal scores the first
        is given.

    Raises
    ------
    ArgumentError
        If axes, values or sizes do not fit.
    """
    sizes = require_rising("dimensions", dimensions, "one dimension or more, rising", at_most=_LARGEST)
    weight = torch.from_numpy(require_probabilities("probabilities", probabilities).copy())
    require_tensor("strengths", strengths, "schemes dimensions tokens", sizes={"tokens": len(weight)})
    if strengths.shape[1] not in (1, len(sizes)):
        raise ArgumentError("strengths", f"1 or {len(sizes)} dimensions", f"shape {tuple(strengths.shape)}")
    place = _drawn(sizes, len(weight), answers, networks, generator, device)
    require_room(schemes=len(strengths), answers=answers, tokens=len(weight))
    rows = _by_answer(require_fit("strengths", strengths.to(place, torch.float32)), answers)
    same = (strengths == strengths[:, :1]).all(dim=2).all(dim=1).to(place)
    groups = [(which, some) for which, some in ((same, rows[same, :1]), (~same, rows[~same])) if len(some)]
    found = torch.empty(networks, len(rows), len(sizes), dtype=torch.float64, device=place)
    for part in pieces.slices(networks, pieces.fitting(8 * len(weight) * (sizes[-1] + rows.shape[0] * answers))):
        inputs, outputs = _vectors(part.stop - part.start, len(weight), answers, sizes[-1], generator, place)
        for which, some in groups:
            found[part, which] = _errors(inputs, outputs, some.transpose(0, 1)[None], sizes, weight.to(place))
    return found.cpu()


def counted_errors(
    dimensions: Sequence[int],
    counts: torch.Tensor,
    probabilities: npt.ArrayLike,
    *,
    answers: int,
    divisor: int | None = None,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Error of linear memories that store with equal strength what was counted most often.

    Parameters
    ----------
    dimensions, probabilities, answers, generator, device
        As for :func:`scheme_errors`.
    counts
        How often each token was seen, int64, axes ``(networks, draws, tokens)``: a memory is made for each row of the
        last axis, those of one network with the same vectors.
    divisor
        The d // divisor tokens counted most often are stored, of equally frequent ones the first; by default all that
        were seen.

    Returns
    -------
    torch.Tensor
        float64 in [0, 1], axes ``(networks, draws, dimensions)``, on the CPU.

    Raises
    ------
    ArgumentError
        If axes, values or sizes do not fit.
    """
    sizes = require_rising("dimensions", dimensions, "one dimension or more, rising", at_most=_LARGEST)
    weight = torch.from_numpy(require_probabilities("probabilities", probabilities).copy())
    if not isinstance(counts, torch.Tensor) or counts.dtype != torch.int64 or counts.dim() != 3 or not counts.numel():
        got = f"{counts.dtype} {tuple(counts.shape)}" if isinstance(counts, torch.Tensor) else type(counts).__name__
        raise ArgumentError("counts", "an int64 tensor with axes (networks, draws, tokens)", got)
    if counts.shape[2] != len(weight) or (counts < 0).any():
        raise ArgumentError("counts", f"{len(weight)} tokens, none counted below zero", f"shape {tuple(counts.shape)}")
    if divisor is not None:
        require_count("divisor", divisor)
    place = _drawn(sizes, len(weight), answers, len(counts), generator, device)
    kept = 1 if divisor is None else len(sizes)
    each = 4 * len(weight) * (sizes[-1] + counts.shape[1] * answers * (kept + 2))
    found = []
    for part in pieces.slices(len(counts), pieces.fitting(2 * each)):
        some = counts[part].to(place)
        inputs, outputs = _vectors(len(some), len(weight), answers, sizes[-1], generator, place)
        if divisor is None:
            stored = (some > 0).float()[:, None]
        else:
            rank = some.argsort(dim=-1, descending=True, stable=True).argsort(dim=-1)
            room = torch.tensor([size // divisor for size in sizes], device=place)
            stored = ((rank[:, None] < room[:, None, None]) & (some > 0)[:, None]).float()
        found.append(_errors(inputs, outputs, _by_answer(stored, answers), sizes, weight.to(place)))
    return torch.cat(found).cpu()


def _by_answer(strengths: torch.Tensor, answers: int) -> torch.Tensor:
    """Strengths of each answer's tokens: axes ``(..., dimensions, answers, tokens)``."""
    classes = torch.arange(strengths.shape[-1], device=strengths.device) % answers
    member = torch.nn.functional.one_hot(classes, answers).mT.to(strengths.dtype)
    return strengths[..., None, :] * member


def _vectors(
    networks: int, tokens: int, answers: int, dimension: int, generator: torch.Generator, place: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    # All of one network together: pieces of other sizes give it the same numbers where these are a multiple of sixteen,
    # which torch draws at a time.
    shape = (networks, tokens + answers, dimension)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu").to(place)
    inputs, outputs = drawn.split([tokens, answers], dim=1)
    return inputs, outputs / outputs.norm(dim=-1, keepdim=True)


def _errors(
    inputs: torch.Tensor, outputs: torch.Tensor, rows: torch.Tensor, sizes: Sequence[int], weight: torch.Tensor
) -> torch.Tensor:
    """Errors, axes ``(networks, memories, dimensions)``.

    Strengths of each answer's tokens have axes ``(networks or 1, dimensions or 1, memories, answers, tokens)``.
    """
    networks, (_, kept, memories, answers, tokens) = len(inputs), rows.shape
    truth = torch.arange(tokens, device=inputs.device) % answers
    rows = rows.flatten(2, 3)
    stored = rows.flatten(0, 2).any(dim=0).nonzero()
    known = int(stored.max()) + 1 if len(stored) else 1
    alike = inputs.new_zeros(networks, answers, answers)
    heard = inputs.new_zeros(networks, *rows.shape[1:])
    found, start = [], 0
    for place, size in enumerate(sizes):
        new, first = slice(start, size), min(place, kept - 1)
        alike = alike + outputs[..., new] @ outputs[..., new].mT
        # New coordinates reach this dimension and all larger ones: few wide products in place of many narrow ones.
        sums = rows[:, first:, :, :known].flatten(1, 2) @ inputs[:, :known, new]
        heard[:, first:].flatten(1, 2).baddbmm_(sums, inputs[..., new].mT)
        scores = alike[:, None] @ heard[:, first].view(networks, memories, answers, tokens)
        wrong = scores.max(dim=2).indices != truth  # several times as fast as argmax across the inner axis
        found.append(wrong.double() @ weight)
        start = size
    return torch.stack(found, dim=-1)


def equal_error(ratio: npt.ArrayLike, answers: int) -> npt.NDArray[np.float64]:
    r"""Error where all tokens are equally strong, :math:`1 - \int \varphi(z)\, \Phi(z + \sqrt{Mr})^{M-1} dz`.

    Every answer's score has noise from N/M stored tokens, of variance N/(M d), and the right one is 1 above the others;
    the answers' vectors are taken for orthogonal. So the error depends on r = d/N alone, and not on the probabilities.

    Parameters
    ----------
    ratio
        r = d/N, not negative, any shape.
    answers
        Number of answers M, at most 10**6.

    Returns
    -------
    numpy.ndarray
        In [0, 1), same axes.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    loads = require_finite("ratio", require_numbers("ratio", ratio, "numbers >= 0"))
    if not loads.size or (loads < 0).any():
        raise ArgumentError("ratio", "numbers >= 0", "others")
    require_count("answers", answers, at_most=10**6)
    above = _NORMAL + np.sqrt(answers * loads[..., None])
    # 1 - Phi^(M-1) without loss of digits where it is small
    missed = -np.expm1((answers - 1) * special.log_ndtr(above))
    return np.asarray((missed * _WEIGHTS).sum(axis=-1))


_NORMAL = np.linspace(-9.0, 9.0, 1801)
_WEIGHTS = np.exp(-(_NORMAL**2) / 2)
_WEIGHTS /= _WEIGHTS.sum()
"""A standard normal number on a fine grid: for smooth functions the trapezoidal rule is exact to rounding."""


# Pairs

TAILS = ("gaussian", "sphere", "field")
_QUANTILES = (np.arange(24) + 0.5) / 24
"""Middles of 24 parts of equal probability."""


def pairs_recalled(
    pairs: int,
    dimension: int,
    *,
    probes: int,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    r"""Whether Hebb's rule recalls pairs of random unit vectors: :math:`y_i \cdot W x_i` largest, W the sum of y x^T.

    Parameters
    ----------
    pairs
        Number n of pairs stored.
    dimension
        d, of both vectors, at least 2.
    probes
        Pairs asked for, the first ones, at most n.
    networks
        Networks to draw.
    generator
        A CPU generator.
    device
        Where to compute, in float32.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(networks, probes)``, on the CPU.

    Raises
    ------
    ArgumentError
        If a size is out of range.
    """
    require_count("pairs", pairs)
    require_count("dimension", dimension, at_least=2)
    require_integer("probes", probes, at_least=1, at_most=pairs)
    require_count("networks", networks)
    require_room(networks=networks, probes=probes)
    require_room(pairs=pairs, dimension=dimension)
    require_room(pairs=pairs, probes=probes)
    require_generator("generator", generator)
    place = require_device("device", device)
    found = []
    for part in pieces.slices(networks, pieces.fitting(4 * (2 * pairs * (dimension + probes) + dimension**2))):
        shape = (part.stop - part.start, 2, pairs, dimension)
        drawn = torch.randn(shape, generator=generator, dtype=torch.float32, device="cpu").to(place)
        asked, wanted = (drawn / drawn.norm(dim=-1, keepdim=True)).unbind(dim=1)
        scores = (asked[:, :probes] @ (asked.mT @ wanted)) @ wanted.mT
        found.append(scores.argmax(dim=-1) == torch.arange(probes, device=place))
    return torch.cat(found).cpu()


def pair_law(pairs: float, dimension: int, *, tail: str = "sphere") -> float:
    r"""Probability that Hebb's rule recalls one of n pairs: its score against the largest of n - 1 others.

    .. math:: \mathbb E_z\, F\Big(\frac{1 + s z}{s'}\Big)^{n-1}, \qquad s^2 = \frac{n-1}{d^2}, \quad
              s'^2 = \frac{n-2}{d^2} + \frac2d .

    Parameters
    ----------
    pairs
        n, at least 2, not whole in general; at most 1e300.
    dimension
        d, 3 to 10**9.
    tail
        F: ``"gaussian"``, the normal distribution, or ``"sphere"``, that of :math:`\sqrt d` times one coordinate of a
        random unit vector, since every answer meets the field :math:`W x_i` at a random angle. With ``"field"`` the
        length of that field is that beside a right score of :math:`1 + sz`,

        .. math:: d s'^2 = (1 + sz)^2 + 1 + \frac{n-2}{d} \Big(1 - \frac1d\Big) \rho ,

        and :math:`\rho` is averaged over a chi-squared distribution with d - 1 degrees of freedom divided by d - 1.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_number("pairs", pairs, at_least=2.0, at_most=1e300)
    require_integer("dimension", dimension, at_least=3, at_most=10**9)
    require_choice("tail", tail, TAILS)
    spread = math.sqrt(pairs - 1) / dimension
    right = 1 + spread * _NORMAL
    if tail == "field":
        length = stats.chi2.ppf(_QUANTILES, dimension - 1)[:, None] / (dimension - 1)
        along = right**2 + 1 + (pairs - 2) / dimension * (1 - 1 / dimension) * length
        at = right / np.sqrt(along / dimension)
    else:
        at = right / math.hypot(math.sqrt(pairs - 2) / dimension, math.sqrt(2 / dimension))
    if tail == "gaussian":
        beyond = special.ndtr(-at)
    else:
        half = (dimension - 1) / 2
        beyond = special.betainc(half, half, np.clip((1 - at / math.sqrt(dimension)) / 2, 0.0, 1.0))
    with np.errstate(divide="ignore"):  # a score that everything exceeds
        below = np.exp((pairs - 1) * np.log1p(-beyond))
    return float(min(1.0, (below * _WEIGHTS).sum(axis=-1).mean()))


def pairs_at(dimension: int, *, all_pairs: bool = False, tail: str = "sphere") -> float:
    r"""Number n of pairs at which one is recalled with probability one half, or all are, by :func:`pair_law`.

    Failures of different pairs are taken for independent: all n are recalled with the n-th power of the probability.

    Parameters
    ----------
    dimension
        d, 16 to 10**9.
    all_pairs
        Whether all are asked for.
    tail
        As for :func:`pair_law`.

    Returns
    -------
    float
        n, not whole in general.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_integer("dimension", dimension, at_least=16, at_most=10**9)
    require_choice("tail", tail, TAILS)

    def above(log_pairs: float) -> float:
        pairs = math.exp(log_pairs)
        chance = pair_law(pairs, dimension, tail=tail)
        # n ln p is -ln 2 for all; ln p is for one.
        times = pairs if all_pairs else 1.0
        return times * math.log(max(chance, 1e-300)) + math.log(2)

    return math.exp(optimize.brentq(above, math.log(2.0), 2.5 * math.log(dimension), xtol=1e-9))


def _drawn(
    sizes: Sequence[int],
    tokens: int,
    answers: int,
    networks: int,
    generator: torch.Generator,
    device: torch.device | str,
) -> torch.device:
    require_count("answers", answers, at_least=2)
    require_count("networks", networks)
    require_room(tokens=tokens, dimensions=sizes[-1])
    require_room(answers=answers, dimensions=sizes[-1])
    require_room(networks=networks, dimensions=len(sizes))
    require_generator("generator", generator)
    return require_device("device", device)
