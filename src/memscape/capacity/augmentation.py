r"""What saying it again buys: noisy copies under three rules, shifted copies of images, one example of a character.

* Hebb's rule on M copies of every pattern, each bit wrong with probability p: on average the couplings of the patterns
  themselves times :math:`(1 - 2p)^2`, and for few copies noise besides (:func:`hebbian_of_copies`,
  :func:`copies_error`).
* Rules that correct errors, shown a damaged copy and asked for the clean pattern: :func:`perceptron_of_copies` and, by
  the least probability flow out of the copies, :func:`flow_of_copies`. :func:`basins` counts from how far away what
  was learned is recalled.
* The nearest memory, where copies are made by moving an image: :func:`nearest_right` for digits, :func:`shared_ink`
  and :func:`hausdorff` for characters seen once.

The linear memory of names in contexts has a module of its own, :mod:`memscape.capacity.paraphrases`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from scipy import special, stats
from scipy.spatial import KDTree

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_generator,
    require_integer,
    require_kind,
    require_labels,
    require_number,
    require_sequence,
    require_tensor,
)
from memscape.memory.dynamics import asynchronous
from memscape.memory.hopfield import Hopfield
from memscape.memory.patterns import flip
from memscape.memory.recall import Recall
from memscape.tools import pieces
from memscape.tools.models import Spins
from memscape.tools.sequences import require_rising

__all__ = [
    "Trained",
    "basins",
    "complete_name",
    "copies_error",
    "flow_of_copies",
    "hausdorff",
    "hebbian_of_copies",
    "move",
    "nearest_right",
    "noisy_copies",
    "perceptron_of_copies",
    "perceptron_of_fresh_copies",
    "radius",
    "shared_ink",
]


Array = npt.NDArray[np.float64]


# Noisy copies


def noisy_copies(patterns: torch.Tensor, copies: int, noise: float, *, generator: torch.Generator) -> torch.Tensor:
    """Copies of every pattern, each bit turned over with probability ``noise``, independently of all others.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    copies
        Copies M of each pattern.
    noise
        Probability p of a wrong bit, in [0, 1].
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, M * P, N)``: all patterns once, then all of them again.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, or a number is out of range.
    """
    _require_copies(patterns, copies, noise, generator)
    return torch.cat([_noisy(patterns, noise, generator) for _ in range(copies)], dim=-2)


def _require_copies(patterns: torch.Tensor, copies: int, noise: float, generator: torch.Generator) -> None:
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    require_count("copies", copies)
    require_number("noise", noise, at_least=0.0, at_most=1.0)
    require_generator("generator", generator)
    _require_fewer("copies", copies, patterns.numel())


def _noisy(patterns: torch.Tensor, noise: float, generator: torch.Generator) -> torch.Tensor:
    wrong = torch.rand(patterns.shape, generator=generator, device="cpu") < noise
    return torch.where(wrong.to(patterns.device), -patterns, patterns)


def _require_fewer(argument: str, times: int, entries: int) -> None:
    """Refuse what would be more numbers than any machine holds, before it is drawn piece by piece."""
    if times * entries > 2**33:
        raise ArgumentError(argument, f"at most {2**33 // entries} of {entries} numbers each", str(times))


def hebbian_of_copies(patterns: torch.Tensor, copies: int, noise: float, *, generator: torch.Generator) -> Hopfield:
    r"""Hebb's rule on noisy copies instead of the patterns.

    With p = ``noise`` the mean of the couplings is :math:`(1 - 2p)^2 M` times those of the patterns, off the diagonal:
    two bits of one copy are wrong independently of each other.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    copies
        Copies M of each pattern; they are drawn and stored one set after another.
    noise
        Probability p of a wrong bit, in [0, 1].
    generator
        A CPU generator.

    Returns
    -------
    Hopfield
        Whole couplings with the unit 1 / (M N).

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, or a number is out of range.
    """
    _require_copies(patterns, copies, noise, generator)
    if copies * patterns.shape[-2] * patterns.shape[-1] > 2 / torch.finfo(patterns.dtype).eps:
        raise ArgumentError("copies", f"sums that are exact in {patterns.dtype}", str(copies), "Use torch.float64.")
    couplings = patterns.new_zeros(*patterns.shape[:-2], patterns.shape[-1], patterns.shape[-1])
    for _ in range(copies):
        copy = _noisy(patterns, noise, generator)
        couplings += copy.mT @ copy
    couplings.diagonal(dim1=-2, dim2=-1).zero_()
    return Hopfield(couplings, couplings.new_zeros(couplings.shape[:-1]), 1.0 / (copies * patterns.shape[-1]))


def copies_error(load: float, copies: int, noise: float) -> float:
    r"""Share of wrong bits after one step from a clean pattern, Hebb's rule on noisy copies, for many neurons.

    With :math:`r = 1 - 2p`, and k of the M copies right at a unit, the pattern's own copies pull with
    :math:`(2k - M) r`, and those of the others add Gaussian noise of variance :math:`\alpha\,(M + M(M-1) r^4)`:

    .. math:: \epsilon = \sum_{k=0}^{M} \binom{M}{k} (1-p)^k p^{M-k}\,
              \Phi\!\left(-\frac{(2k - M)\, r}{\sqrt{\alpha\,(M + M (M-1) r^4)}}\right) .

    Parameters
    ----------
    load
        :math:`\alpha = P / N`, patterns per neuron, positive.
    copies
        M, 1 to 10,000.
    noise
        p, in [0, 1/2).

    Returns
    -------
    float
        In [0, 1]; for many copies, or without noise, :math:`\Phi(-1/\sqrt\alpha)`.

    Raises
    ------
    ArgumentError
        If a number is out of range.
    """
    require_number("load", load, above=0.0, at_most=1e9)
    require_integer("copies", copies, at_least=1, at_most=10**4)
    require_number("noise", noise, at_least=0.0, at_most=0.499999)
    right, r = np.arange(copies + 1), 1 - 2 * noise
    spread = math.sqrt(load * copies) * math.sqrt(1 + (copies - 1) * r**4)
    odds = stats.binom.pmf(right, copies, 1 - noise)
    return float(np.clip(odds @ special.ndtr(-(2 * right - copies) * r / spread), 0.0, 1.0))


# Rules that correct errors


@dataclass(frozen=True)
class Trained:
    """Couplings that were taught to answer damaged copies with clean patterns.

    Attributes
    ----------
    couplings
        Symmetric, zero on the diagonal, axes ``(*G, N, N)``; no thresholds.
    margin
        Smallest x_i h_i over all copies and units, x_i the clean bit and h_i the field of the copy, over the length of
        the couplings; axes ``(*G)``. Positive where every copy is answered without an error.
    ceiling
        No couplings at all have a larger margin; axes ``(*G)``.
    rounds
        Rounds made.
    """

    couplings: torch.Tensor
    margin: torch.Tensor
    ceiling: torch.Tensor
    rounds: int

    def network(self) -> Hopfield:
        """The network of spins, its couplings rounded to about six digits so that sums of them are exact."""
        largest = self.couplings.abs().amax(dim=(-2, -1), keepdim=True)
        neurons = self.couplings.shape[-1]
        unit = max(2.0**-20, 2.0 ** math.ceil(math.log2(4 * neurons * torch.finfo(self.couplings.dtype).eps)))
        scale = torch.where(largest > 0, torch.exp2(largest.log2().ceil()), 1.0)
        couplings = (self.couplings / (scale * unit)).round()
        return Hopfield(couplings, couplings.new_zeros(couplings.shape[:-1]), unit)


@dataclass(frozen=True)
class _Flow:
    """Margin, bound on all margins, its direction and the share of each unit; see :func:`flow_of_copies`."""

    margin: torch.Tensor
    ceiling: torch.Tensor
    downhill: torch.Tensor
    share: torch.Tensor


def _flow(couplings: torch.Tensor, copies: torch.Tensor, answers: torch.Tensor) -> _Flow:
    costs = (copies @ couplings).mul_(answers)
    least = costs.amin(dim=(-2, -1))
    weights = (least[:, None, None] - costs).exp_()
    weights /= weights.sum(dim=(-2, -1), keepdim=True)
    share = weights.sum(dim=-2)
    downhill = weights.mul_(answers).mT @ copies
    downhill = (downhill + downhill.mT) / 2
    downhill.diagonal(dim1=-2, dim2=-1).zero_()
    length = torch.linalg.matrix_norm(couplings)
    margin = torch.where(length > 0, least / length.clamp_min(torch.finfo(length.dtype).tiny), 0.0)
    return _Flow(margin, torch.linalg.matrix_norm(downhill), downhill, share)


def perceptron_of_copies(copies: torch.Tensor, answers: torch.Tensor, *, rounds: int = 1000) -> Trained:
    r"""Correct every unit that answers a copy wrongly, all copies at once: :math:`J \leftarrow J + x y^T + y x^T`.

    A unit with clean value x and field :math:`h = J y` of a copy y is wrong where :math:`x h \le 0`. If some symmetric
    couplings answer every copy, the number of corrections is finite (Rosenblatt's theorem; corrections made together
    only change the bound), and this ends with such couplings, the first that it meets.

    Parameters
    ----------
    copies
        What is shown, axes ``(*G, R, N)``, values in {-1, +1}.
    answers
        The clean pattern of each, of the same axes.
    rounds
        Most rounds through all copies.

    Returns
    -------
    Trained
        Whole couplings.

    Raises
    ------
    ArgumentError
        If copies or answers are not made of spins or differ in shape, or ``rounds`` is not positive.
    """
    shown, wanted = _require_pairs(copies, answers)
    require_count("rounds", rounds)
    couplings = shown.new_zeros(len(shown), shown.shape[-1], shown.shape[-1])
    made = 0
    for _ in range(rounds):
        push = torch.where((shown @ couplings) * wanted <= 0, wanted, 0.0)
        if not push.any():
            break
        made += 1
        correction = push.mT @ shown
        couplings += correction + correction.mT
        couplings.diagonal(dim1=-2, dim2=-1).zero_()
    return _trained(couplings, shown, wanted, made, copies)


def perceptron_of_fresh_copies(
    patterns: torch.Tensor, noise: float, *, margin: float = 0.0, rounds: int = 400, generator: torch.Generator
) -> Trained:
    r"""As :func:`perceptron_of_copies`, with a new copy of every pattern in every round.

    No copy comes twice, so that none can be learned by heart. With noise the rule never settles for good. With a margin
    :math:`\kappa` a unit is corrected where :math:`x_i h_i \le \kappa \sqrt{\sum_j J_{ij}^2}`.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    noise
        Probability p of a wrong bit, in [0, 1].
    margin
        kappa, at least 0; at 0 a unit is corrected where it is wrong.
    rounds
        Rounds, 1 to 100,000; without noise the rule stops where every pattern is answered, with the margin.
    generator
        A CPU generator.

    Returns
    -------
    Trained
        Whole couplings; margin and ceiling are those of the clean patterns.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins, or a number is out of range.
    """
    clean, _ = _require_pairs(patterns, patterns)
    require_number("noise", noise, at_least=0.0, at_most=1.0)
    require_number("margin", margin, at_least=0.0)
    require_integer("rounds", rounds, at_least=1, at_most=10**5)
    require_generator("generator", generator)
    couplings = clean.new_zeros(len(clean), clean.shape[-1], clean.shape[-1])
    made = 0
    for _ in range(rounds):
        shown = _noisy(clean, noise, generator)
        needed = margin * torch.linalg.vector_norm(couplings, dim=-1)[:, None] if margin else 0.0
        push = torch.where((shown @ couplings) * clean <= needed, clean, 0.0)
        if noise == 0 and not push.any():
            break
        made += 1
        correction = push.mT @ shown
        couplings += correction + correction.mT
        couplings.diagonal(dim1=-2, dim2=-1).zero_()
    return _trained(couplings, clean, clean, made, patterns)


def flow_of_copies(
    copies: torch.Tensor, answers: torch.Tensor, *, rounds: int = 1000, gap: float = 0.1, hopeless: float = 0.01
) -> Trained:
    r"""Let the least probability flow out of the answers, with the fields that the copies bring.

    Minimum probability flow (Sohl-Dickstein, Battaglino & DeWeese 2011) where a unit is asked for its clean value
    :math:`x_i` while the others show a copy y: with :math:`z = x_i (J y)_i`, the convex function
    :math:`\ln \sum e^{-z}` over copies and units, by accelerated descent with restarts. The length of its gradient
    bounds every margin from above, since the gradient is an average of those of single z. So it is known how far the
    margin is from the largest one, and where no couplings have any.

    Parameters
    ----------
    copies
        What is shown, axes ``(*G, R, N)``, values in {-1, +1}.
    answers
        The clean pattern of each, of the same axes.
    rounds
        Most steps.
    gap
        Relative distance of the margin from its ceiling at which to stop, in (0, 1]; 1 stops at the first couplings
        without an error.
    hopeless
        Stop also where the ceiling is at most this share of what the margin lies below zero; at least 0.

    Returns
    -------
    Trained
        Where the margin is positive every copy is answered; where it is not, the ceiling says how little any couplings
        could have.

    Raises
    ------
    ArgumentError
        If copies or answers are not made of spins or differ in shape, or a number is out of range.
    """
    shown, wanted = _require_pairs(copies, answers)
    require_count("rounds", rounds)
    require_number("gap", gap, above=0.0, at_most=1.0)
    require_number("hopeless", hopeless, at_least=0.0)
    neurons = shown.shape[-1]
    couplings = ahead = shown.new_zeros(len(shown), neurons, neurons)
    pace = shown.new_ones(len(shown))
    made = 0
    for _ in range(rounds):
        flow = _flow(ahead, shown, wanted)
        moving = (flow.margin <= (1 - gap) * flow.ceiling) & (-hopeless * flow.margin <= flow.ceiling)
        if not moving.any():
            break
        made += 1
        # No steeper in its second derivatives than the largest share of a unit times the squared length of a row.
        rate = 1 / (max(1, neurons - 1) * flow.share.amax(dim=-1))
        # Networks that have arrived stay where they are.
        rate = torch.where(moving, rate, 0.0)[:, None, None]
        landed = ahead + rate * flow.downhill
        step = landed - couplings
        uphill = (flow.downhill * step).sum(dim=(-2, -1)) < 0
        pace = torch.where(uphill, 1.0, pace)
        longer = (1 + (1 + 4 * pace.square()).sqrt()) / 2
        push = ((pace - 1) / longer)[:, None, None]
        stay = ~moving[:, None, None]
        couplings, pace = torch.where(stay, couplings, landed), torch.where(moving, longer, pace)
        ahead = torch.where(stay, ahead, landed + push * step)
    return _trained(ahead, shown, wanted, made, copies)


def _trained(
    couplings: torch.Tensor, shown: torch.Tensor, wanted: torch.Tensor, rounds: int, copies: torch.Tensor
) -> Trained:
    flow, networks = _flow(couplings, shown, wanted), copies.shape[:-2]
    couplings = couplings.reshape(*networks, *couplings.shape[-2:])
    return Trained(couplings, flow.margin.reshape(networks), flow.ceiling.reshape(networks), rounds)


def _require_pairs(copies: torch.Tensor, answers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    require_tensor("copies", copies, "... copies neurons", values="spins")
    require_tensor("answers", answers, "... copies neurons", values="spins", device=copies.device, dtype=copies.dtype)
    if answers.shape != copies.shape:
        raise ArgumentError("answers", f"shape {tuple(copies.shape)}", f"shape {tuple(answers.shape)}")
    if copies.dtype not in (torch.float32, torch.float64):
        raise ArgumentError("copies", "float32 or float64", str(copies.dtype), "Whole sums must be exact.")
    return copies.reshape(-1, *copies.shape[-2:]), answers.reshape(-1, *answers.shape[-2:])


def basins(
    model: Spins, patterns: torch.Tensor, flips: Sequence[int], *, sweeps: int = 50, generator: torch.Generator
) -> list[Recall]:
    """Turn bits of every pattern over, let the units settle one after another, and count what is still wrong.

    Parameters
    ----------
    model
        Any model of binary units.
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    flips
        Numbers of bits to turn over, 0 to N each.
    sweeps
        Most sweeps over the units.
    generator
        A CPU generator: draws the bits, then the orders.

    Returns
    -------
    list of Recall
        One for each number of flips, axes ``(G', P)`` with all networks along one axis.

    Raises
    ------
    ArgumentError
        If the patterns do not fit the model or a number is out of range.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    found, neurons = [], patterns.shape[-1]
    for count in require_sequence("flips", flips, "numbers of bits"):
        end = asynchronous(model, flip(patterns, count, generator=generator), sweeps=sweeps, generator=generator)
        wrong = (end.state != patterns).sum(dim=-1).reshape(-1, patterns.shape[-2])
        found.append(Recall(wrong.cpu(), neurons, end.converged.reshape(wrong.shape).cpu()))
    return found


def radius(flips: Sequence[int], recalled: Sequence[Recall], *, level: float = 0.9) -> float:
    """Share of bits that may be wrong at the start so that patterns are recalled exactly as often as ``level``.

    Parameters
    ----------
    flips
        Numbers of bits turned over, rising.
    recalled
        What came of each; see :func:`basins`.
    level
        Share of exact recalls, in (0, 1).

    Returns
    -------
    float
        By straight lines between the points; 0 where the first is already below the level, the last number of flips
        where none is.

    Raises
    ------
    ArgumentError
        If the numbers do not rise or there is not one recall for each.
    """
    require_number("level", level, above=0.0, at_most=1.0)
    counts = [require_count("flips", count, at_least=0) for count in require_sequence("flips", flips, "numbers")]
    for recall in require_sequence("recalled", recalled, "recalls"):
        require_kind("recalled", recall, Recall)
    if not counts or len(counts) != len(recalled) or any(b <= a for a, b in pairwise(counts)):
        raise ArgumentError("flips", "rising numbers, one a recall", f"{counts} for {len(recalled)}")
    exact = [(recall.wrong == 0).double().mean().item() for recall in recalled]
    below = next((i for i, share in enumerate(exact) if share < level), None)
    neurons = recalled[0].neurons
    if below is None:
        return counts[-1] / neurons
    if below == 0:
        return 0.0
    part = (exact[below - 1] - level) / (exact[below - 1] - exact[below])
    return (counts[below - 1] + part * (counts[below] - counts[below - 1])) / neurons


def complete_name(patterns: torch.Tensor, known: int, power: int) -> torch.Tensor:
    r"""What the first ``known`` units of every pattern alone say of the others, in a dense memory, in one step.

    .. math:: s_i = \mathrm{sign} \sum_\mu \xi_i^\mu \Big( \sum_{j < \text{known}} \xi_j^\mu \xi_j^\nu \Big)^{n-1}

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, values in {-1, +1}.
    known
        Units that are shown, 1 to N - 1; the others are silent.
    power
        n of the memory, 2 to 8; 2 is Hebb's rule.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, P, N)``: the shown units as they are, +1 where the sum is zero.

    Raises
    ------
    ArgumentError
        If the patterns are not made of spins or a number is out of range.
    """
    require_tensor("patterns", patterns, "... patterns neurons", values="spins")
    require_integer("known", known, at_least=1, at_most=patterns.shape[-1] - 1)
    require_integer("power", power, at_least=2, at_most=8)
    shown = patterns[..., :known].double()
    fields = (shown @ shown.mT) ** (power - 1) @ patterns[..., known:].double()
    answers = torch.where(fields >= 0, 1.0, -1.0).to(patterns.dtype)
    return torch.cat([patterns[..., :known], answers], dim=-1)


# Moved images


def move(images: torch.Tensor, down: int, right: int) -> torch.Tensor:
    """Images moved by whole pixels; what leaves the frame is lost, and what comes in is 0.

    Parameters
    ----------
    images
        Axes ``(..., rows, columns)``.
    down, right
        Pixels, negative for up and left.

    Returns
    -------
    torch.Tensor
        The same axes.

    Raises
    ------
    ArgumentError
        If there are no two axes or a number is not an integer.
    """
    require_tensor("images", images, "... rows columns")
    rows, columns = images.shape[-2:]
    down = require_integer("down", down, at_least=-rows, at_most=rows)
    right = require_integer("right", right, at_least=-columns, at_most=columns)
    moved = torch.zeros_like(images)
    kept = images[..., max(0, -down) : rows - max(0, down), max(0, -right) : columns - max(0, right)]
    moved[..., max(0, down) : rows + min(0, down), max(0, right) : columns + min(0, right)] = kept
    return moved


def nearest_right(
    memories: torch.Tensor,
    labels: torch.Tensor,
    images: torch.Tensor,
    answers: torch.Tensor,
    counts: Sequence[int],
    *,
    centre: torch.Tensor,
    moves: Sequence[tuple[int, int]] = ((0, 0),),
) -> torch.Tensor:
    """Whether the nearest of the first memories, and of their moved copies, has the label of an image.

    Nearest is the largest cosine after the centre has been taken off. One pass over the memories gives all counts.

    Parameters
    ----------
    memories
        Axes ``(P, rows, columns)``, finite.
    labels
        int64 ``(P,)``.
    images
        Axes ``(T, rows, columns)``.
    answers
        int64 ``(T,)``.
    counts
        Numbers of memories to stop at, rising, 1 to P.
    centre
        What is taken off every memory, after it was moved, and every image: axes ``(rows, columns)``.
    moves
        (down, right) of every copy that is stored; (0, 0) is the memory itself.

    Returns
    -------
    torch.Tensor
        Booleans ``(counts, T)``.

    Raises
    ------
    ArgumentError
        If axes, dtypes or devices do not fit, counts do not rise, or there is no move.
    """
    sizes: dict[str, int] = {}
    require_tensor("memories", memories, "memories rows columns", sizes=sizes)
    for name, given, axes in (("images", images, "images rows columns"), ("centre", centre, "rows columns")):
        require_tensor(name, given, axes, sizes=sizes, device=memories.device, dtype=memories.dtype)
    for argument, given, axis in (("labels", labels, "memories"), ("answers", answers, "images")):
        if len(require_labels(argument, given, memories.device)) != sizes[axis]:
            raise ArgumentError(argument, f"{sizes[axis]} labels", str(len(given)))
    stops = require_rising("counts", counts, "rising numbers, one or more", at_most=len(memories))
    steps = [_require_move(one) for one in require_sequence("moves", moves, "pairs")]
    if not steps:
        raise ArgumentError("moves", "one move or more", "none", "(0, 0) is the memory itself.")
    queries = _unit(images, centre)
    best = queries.new_full((len(images),), -math.inf)
    found = torch.zeros_like(answers)
    right, start = [], 0
    width = pieces.fitting(4 * queries.element_size() * max(len(images), centre.numel()))
    for stop in stops:
        for part in pieces.slices(stop - start, width):
            block = slice(start + part.start, start + part.stop)
            for down, across in steps:
                likeness, place_of = (queries @ _unit(move(memories[block], down, across), centre).mT).max(dim=1)
                nearer = likeness > best
                best = torch.where(nearer, likeness, best)
                found = torch.where(nearer, labels[block][place_of], found)
        start = stop
        right.append(found == answers)
    return torch.stack(right)


def _unit(images: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    """Images less the centre, of length 1, axes ``(images, pixels)``; an image that is the centre stays 0."""
    return torch.nn.functional.normalize((images - centre).flatten(1), dim=1)


def _require_move(pair: tuple[int, int]) -> tuple[int, int]:
    if len(require_sequence("moves", pair, "two integers")) != 2:
        raise ArgumentError("moves", "pairs (down, right)", f"{len(pair)} numbers")
    return require_integer("moves", pair[0]), require_integer("moves", pair[1])


def shared_ink(memories: torch.Tensor, images: torch.Tensor, reach: int) -> torch.Tensor:
    r"""Most ink that a moved memory and an image have in common, for moves of up to 0, 1, ..., ``reach`` pixels.

    .. math:: b_r = \max_{|u|, |v| \le r} \sum_{yx} \xi_{y-u,\,x-v}\, q_{yx}

    The largest overlap of an image with :math:`(2r + 1)^2` stored copies of a memory, for all r at once: correlations
    by fast Fourier transform, rounded to the whole numbers that they are.

    Parameters
    ----------
    memories
        Axes ``(*G, C, rows, columns)``, 1 for ink and 0 for paper.
    images
        Axes ``(*G, Q, rows, columns)``, likewise.
    reach
        Largest move R in either direction, 0 to the smaller side less 1.

    Returns
    -------
    torch.Tensor
        Whole numbers, axes ``(R + 1, *G, Q, C)``.

    Raises
    ------
    ArgumentError
        If memories or images are not made of 0 and 1 or do not fit each other, or the reach is out of range.
    """
    _require_ink(memories, images)
    rows, columns = images.shape[-2:]
    require_integer("reach", reach, at_least=0, at_most=min(rows, columns) - 1)
    networks, size = images.shape[:-3], (rows + reach, columns + reach)
    stored, asked = memories.reshape(-1, *memories.shape[-3:]), images.reshape(-1, *images.shape[-3:])
    # float32 keeps sums of ink apart: they are whole, and at most the number of pixels.
    waves = torch.fft.rfft2(stored.float(), s=size).conj()
    window = torch.arange(-reach, reach + 1, device=images.device)
    far = torch.maximum(window.abs()[:, None], window.abs()[None, :])
    best = asked.new_empty(reach + 1, *asked.shape[:2], stored.shape[1])
    width = pieces.fitting(32 * size[0] * size[1] * stored.shape[1])
    for network in range(len(asked)):
        for part in pieces.slices(asked.shape[1], width):
            wave = torch.fft.rfft2(asked[network, part].float(), s=size)
            common = torch.fft.irfft2(wave[:, None] * waves[network], s=size)[..., window % size[0], :]
            common = common[..., window % size[1]].round()
            ring = common.flatten(-2)
            for r in range(reach + 1):
                found = ring[..., (far == r).flatten()].amax(dim=-1)
                best[r, network, part] = (found if r == 0 else torch.maximum(best[r - 1, network, part], found)).to(
                    best.dtype
                )
    return best.reshape(reach + 1, *networks, *best.shape[-2:])


def hausdorff(memories: torch.Tensor, images: torch.Tensor) -> torch.Tensor:
    r"""Modified Hausdorff distance of the ink of every image to that of every memory (Dubuisson & Jain 1994).

    Both sets of inked pixels are moved to their centres of gravity. Then, with d(a, B) the distance of a pixel to the
    nearest one of the other set, :math:`\max(\langle d(a, B) \rangle_{a \in A}, \langle d(b, A) \rangle_{b \in B})`.

    Parameters
    ----------
    memories
        Axes ``(*G, C, rows, columns)``, 1 for ink and 0 for paper; some ink in each.
    images
        Axes ``(*G, Q, rows, columns)``, likewise.

    Returns
    -------
    torch.Tensor
        In pixels, axes ``(*G, Q, C)``.

    Raises
    ------
    ArgumentError
        If memories or images are not made of 0 and 1, do not fit each other, or one has no ink.
    """
    _require_ink(memories, images)
    for argument, given in (("memories", memories), ("images", images)):
        if not given.flatten(-2).any(dim=-1).all():
            raise ArgumentError(argument, "some ink in each", "one without")
    networks = images.shape[:-3]
    stored, asked = ([[_ink(image) for image in each] for each in given.reshape(-1, *given.shape[-3:]).cpu().numpy()]
                     for given in (memories, images))  # fmt: skip
    found = np.empty((len(asked), images.shape[-3], memories.shape[-3]))
    for network, pair in enumerate(zip(asked, stored, strict=True)):
        to_memory, to_image = _reach(*pair), _reach(*pair[::-1])
        found[network] = np.maximum(to_memory, to_image.T)
    return torch.from_numpy(found.reshape(*networks, *found.shape[-2:])).to(images)


def _ink(image: Array) -> Array:
    """Inked pixels about their centre of gravity, axes ``(ink, 2)``."""
    points = np.argwhere(image > 0).astype(np.float64)
    return points - points.mean(axis=0)


def _reach(here: list[Array], there: list[Array]) -> Array:
    """Mean distance of the points of each set here to the nearest one of each set there, axes ``(here, there)``."""
    starts = np.cumsum([0, *map(len, here[:-1])])
    points, sizes = np.concatenate(here), np.array([len(some) for some in here])
    # A tree of neighbours: ten times faster than all distances.
    near = np.stack([KDTree(some).query(points)[0] for some in there], axis=1)
    return np.asarray(np.add.reduceat(near, starts, axis=0) / sizes[:, None])


def _require_ink(memories: torch.Tensor, images: torch.Tensor) -> None:
    sizes: dict[str, int] = {}
    require_tensor("memories", memories, "... memories rows columns", values="bits", sizes=sizes)
    require_tensor(
        "images", images, "... images rows columns", values="bits", sizes=sizes,
        device=memories.device, dtype=memories.dtype,
    )  # fmt: skip
    if memories.shape[:-3] != images.shape[:-3]:
        raise ArgumentError("images", f"leading axes {tuple(memories.shape[:-3])}", f"shape {tuple(images.shape)}")
