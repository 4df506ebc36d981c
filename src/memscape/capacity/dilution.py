r"""Hebb's network with few synapses, near synapses, or synapses of one bit.

:func:`store` keeps a share c of the synapses of a Hopfield network, drawn at random or those of the nearest units on a
ring, in both directions alike, and may clip them to their signs. :func:`held` starts such networks at their patterns,
updates all units at once, and notes the overlap after the first step and at the end; :func:`load_at_half` reads off
where half of the starts are lost.

If a unit hears K others at random and they do not hear it, and K is so small that the inputs of a unit have no common
past, fields stay Gaussian and independent for ever, and the overlap obeys
:math:`m \leftarrow \mathrm{erf}(m / \sqrt{2\alpha})` (Derrida, Gardner & Zippelius 1987). :func:`one_way` runs such
networks; :func:`gaussian_rest` and :func:`binomial_rest` are the fixed points of the law, the latter for few inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy import special, stats
from torch.nn.functional import embedding_bag

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_function,
    require_generator,
    require_integer,
    require_number,
    require_room,
    require_tensor,
)
from memscape.capacity.transients import follow
from memscape.memory.hopfield import Hopfield, hebbian
from memscape.memory.patterns import random_patterns
from memscape.tools.sequences import require_rising
from memscape.tools.statistics import Estimate, mean_interval, share

__all__ = ["Held", "binomial_rest", "gaussian_rest", "held", "load_at_half", "local_overlap", "one_way", "store"]


def store(
    patterns: torch.Tensor,
    *,
    kept: float = 1.0,
    clip: bool = False,
    near: bool = False,
    generator: torch.Generator,
) -> Hopfield:
    r"""Hebb's network of which a share of the synapses is left.

    Parameters
    ----------
    patterns
        Axes ``(P, N)``, values -1 and +1, N at least 2.
    kept
        Share c of the synapses, in (0, 1]. Each pair of units keeps both of its synapses or none.
    clip
        Whether a synapse is the sign of Hebb's, 0 where that is 0.
    near
        Whether those of the cN nearest units on a ring are kept, an even number of them; otherwise any at random.
    generator
        A CPU generator: draws which are kept.

    Returns
    -------
    Hopfield
        Whole couplings with the unit 1/N.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    require_tensor("patterns", patterns, "patterns neurons", values="spins")
    require_number("kept", kept, above=0.0, at_most=1.0)
    require_generator("generator", generator)
    full = hebbian(patterns)
    if not clip and not near and kept == 1:
        return full
    couplings = full.couplings.sign() if clip else full.couplings
    neurons = patterns.shape[-1]
    if near:
        apart = torch.arange(neurons, device=couplings.device)
        joined = 2 * torch.minimum(apart, neurons - apart) <= round(kept * neurons)
        # Row i is the first one moved by i: a window on two copies of it.
        couplings = couplings * torch.cat([joined, joined]).unfold(0, neurons, 1)[1:].flip(0)
    elif kept < 1:
        drawn = torch.rand(neurons, neurons, generator=generator, dtype=torch.float32, device="cpu") < kept
        upper = drawn.triu_(1)
        couplings = couplings * (upper | upper.mT).to(couplings.device)
    return Hopfield(couplings, full.thresholds, full.unit)


@dataclass(frozen=True)
class Held:
    """What networks made of starts at their own patterns, noted by :func:`held`.

    Attributes
    ----------
    counts
        Numbers of patterns P.
    first, last
        Overlap after the first and after the last step, float64, axes ``(counts, networks, probes)``, on the CPU.
    neurons
        Number of neurons N.
    """

    counts: tuple[int, ...]
    first: torch.Tensor
    last: torch.Tensor
    neurons: int

    @property
    def errors(self) -> list[Estimate]:
        """Share of bits that the first step turns over, for every number of patterns."""
        wrong = ((1 - self.first) * self.neurons / 2).round().long()
        bits = self.neurons * self.first.shape[2]
        return [share(some, of=bits) for some in wrong.sum(dim=2)]


def held(
    build: Callable[[torch.Tensor], Hopfield],
    neurons: int,
    counts: Sequence[int],
    *,
    networks: int,
    probes: int,
    steps: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Held:
    """Start networks at their patterns and update all units at once, for several numbers of patterns.

    Parameters
    ----------
    build
        Makes a network of patterns ``(P, N)``, float32.
    neurons, networks, probes, steps, generator, device
        As for :func:`memscape.capacity.transients.follow`. With fewer patterns than probes every pattern is a probe,
        some of them twice.
    counts
        Numbers of patterns P, rising.

    Returns
    -------
    Held
        Overlaps with the pattern started from.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    require_function("build", build)
    numbers = require_rising("counts", counts, "one or more rising numbers of patterns")
    require_count("probes", probes)
    require_count("networks", networks)
    require_room(counts=len(numbers), networks=networks, probes=probes)
    again = torch.arange(probes, device="cpu")
    first, last = [], []
    for count in numbers:
        some = min(probes, count)
        paths = follow(
            build, neurons, count, networks=networks, probes=some, steps=steps, generator=generator, device=device
        )
        first.append(paths[:, again % some, 1])
        last.append(paths[:, again % some, -1])
    return Held(numbers, torch.stack(first), torch.stack(last), neurons)


def load_at_half(counts: Sequence[int], overlaps: torch.Tensor, *, level: float = 0.9) -> Estimate:
    """Number of patterns at which half of the starts have fallen below an overlap, on straight lines between counts.

    Parameters
    ----------
    counts
        Numbers of patterns P, rising, at least two.
    overlaps
        Overlaps at the end, axes ``(counts, networks, probes)``, two networks or more.
    level
        Overlap that must be kept, in (0, 1).

    Returns
    -------
    Estimate
        Mean over networks of the crossing of each, an end of the counts where one half is not passed, with Student's
        interval. The networks that are drawn in the same place at all counts stand for one.

    Raises
    ------
    ArgumentError
        If an argument does not fit.
    """
    numbers = require_rising("counts", counts, "2 or more rising numbers of patterns", shortest=2)
    require_tensor("overlaps", overlaps, "counts networks probes", sizes={"counts": len(numbers)})
    require_integer("networks", overlaps.shape[1], at_least=2)
    require_number("level", level, above=0.0, at_most=0.999999)
    lost = (overlaps.double().cpu() <= level).double().mean(dim=2).cummax(dim=0).values.numpy()
    value, low, high = mean_interval([np.interp(0.5, curve, numbers) for curve in lost.T])
    return Estimate(float(value), float(low), float(high), overlaps.shape[1])


def local_overlap(state: torch.Tensor, pattern: torch.Tensor, width: int) -> torch.Tensor:
    """Overlap of a state with a pattern in a window around every unit of a ring.

    Parameters
    ----------
    state, pattern
        Axes ``(neurons)``, values -1 and +1.
    width
        Units of the window, an odd number of at most N.

    Returns
    -------
    torch.Tensor
        Axes ``(neurons)``, in [-1, 1].

    Raises
    ------
    ArgumentError
        If axes or values do not fit, or the width is even or out of range.
    """
    sizes: dict[str, int] = {}
    require_tensor("state", state, "neurons", values="spins", sizes=sizes)
    require_tensor("pattern", pattern, "neurons", values="spins", sizes=sizes, device=state.device, dtype=state.dtype)
    require_integer("width", width, at_least=1, at_most=len(state))
    if width % 2 == 0:
        raise ArgumentError("width", "an odd number", str(width))
    agree, half = state * pattern, width // 2
    around = torch.cat([agree[len(agree) - half :], agree, agree[:half]])
    return around.unfold(0, width, 1).mean(dim=1)


def one_way(
    neurons: int,
    inputs: int,
    patterns: int,
    *,
    probes: int,
    steps: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    r"""Overlaps of a network in which every unit hears K others at random, which need not hear it.

    Synapses are :math:`\sum_\mu \xi_i^\mu \xi_j^\mu` for the K sources j of unit i, drawn with repetition among all
    units but i itself. All units are updated at once; a unit without a field keeps its value.

    Parameters
    ----------
    neurons
        N, at least 2.
    inputs
        K, 1 to 10^6.
    patterns
        P, at least 1.
    probes
        Patterns to start from, at most P.
    steps
        Steps to make, at least 1.
    generator
        A CPU generator: draws patterns, then sources.
    device
        Where to compute.

    Returns
    -------
    torch.Tensor
        Overlap of each probe with its pattern, float64, axes ``(probes, steps + 1)``, on the CPU.

    Raises
    ------
    ArgumentError
        If an argument is out of range.
    """
    require_count("neurons", neurons, at_least=2)
    require_integer("inputs", inputs, at_least=1, at_most=10**6)
    require_count("patterns", patterns)
    require_integer("probes", probes, at_least=1, at_most=patterns)
    require_count("steps", steps)
    require_generator("generator", generator)
    device = require_device("device", device)
    require_room(neurons=neurons, inputs=inputs, probes=probes)
    require_room(probes=probes, steps=steps)
    stored = random_patterns(patterns, neurons, generator=generator, dtype=torch.float32, device=device)
    others = torch.randint(1, neurons, (neurons, inputs), generator=generator, device="cpu")
    sources = ((others + torch.arange(neurons, device="cpu")[:, None]) % neurons).to(device)
    synapses = torch.zeros(neurons, inputs, dtype=torch.float32, device=device)
    for pattern in stored.split(max(1, 2**24 // (neurons * inputs))):
        synapses += (pattern[:, sources] * pattern[..., None]).sum(dim=0)
    wanted = stored[:probes]
    state, found = wanted.mT.contiguous(), [torch.ones(probes, dtype=torch.float64, device="cpu")]
    for _ in range(steps):
        field = embedding_bag(sources, state, per_sample_weights=synapses, mode="sum")
        state = torch.where(field == 0, state, field.sign())
        found.append((state * wanted.mT).double().mean(dim=0).cpu())
    return torch.stack(found, dim=1)


def gaussian_rest(load: torch.Tensor) -> torch.Tensor:
    r"""Largest fixed point of :math:`m = \mathrm{erf}(m / \sqrt{2\alpha})`: zero from :math:`2/\pi` on.

    Parameters
    ----------
    load
        :math:`\alpha`, patterns other than the one recalled over inputs of a unit, positive, any shape.

    Returns
    -------
    torch.Tensor
        Same shape, float64, in [0, 1), on the CPU.

    Raises
    ------
    ArgumentError
        If a load is not positive.
    """
    require_tensor("load", load, "...", values="nonnegative")
    alpha = load.double().cpu().numpy()
    if (alpha <= 0).any():
        raise ArgumentError("load", "positive loads", f"{alpha.min():g}")
    # With m = erf(y) the load is m^2 / (2 y^2), which falls with y from 2/pi.
    low, high = np.full(alpha.shape, 1e-9), np.full(alpha.shape, 1e9)
    for _ in range(120):
        middle = np.sqrt(low * high)
        above = (special.erf(middle) / middle) ** 2 / 2 > alpha
        low, high = np.where(above, middle, low), np.where(above, high, middle)
    return torch.from_numpy(np.asarray(np.where(alpha < 2 / np.pi, special.erf(low), 0.0)))


def binomial_rest(inputs: int, patterns: int, *, steps: int = 200) -> float:
    r"""Overlap that a unit with few inputs of independent pasts comes to, started at the pattern.

    Of K inputs A agree with the pattern, each with probability (1 + m)/2, and of K (P - 1) terms of crosstalk B are on
    its side, each with one half. A step takes the overlap to the chance that :math:`2A + 2B > KP` less that of the
    opposite; where both are equal the unit keeps its value. The law takes that value for independent of the tie, which
    it is in the first step only: afterwards the same synapses have decided it. Where KP is odd there are no ties.

    Parameters
    ----------
    inputs
        K, 1 to 10,000.
    patterns
        P, 1 to 10,000.
    steps
        Steps to make, at least 1.

    Raises
    ------
    ArgumentError
        If a number is not an integer in range.
    """
    require_integer("inputs", inputs, at_least=1, at_most=10**4)
    require_integer("patterns", patterns, at_least=1, at_most=10**4)
    require_integer("steps", steps, at_least=1, at_most=10**6)
    agree, crossed = np.arange(inputs + 1), inputs * (patterns - 1)
    # Crosstalk on the pattern's side must exceed this for the pattern to win.
    needed = (inputs * patterns - 2 * agree) / 2
    tie = np.where(needed == np.floor(needed), stats.binom.pmf(np.floor(needed), crossed, 0.5), 0.0)
    wins = stats.binom.sf(np.floor(needed), crossed, 0.5)
    overlap = 1.0
    for _ in range(steps):
        weights = stats.binom.pmf(agree, inputs, (1 + overlap) / 2)
        after = float(weights @ (2 * wins + tie - 1)) + float(weights @ tie) * overlap
        if after == overlap:
            break
        overlap = after
    return overlap
