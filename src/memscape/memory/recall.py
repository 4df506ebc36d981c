"""Store random patterns, start near or far from them, let the network move, and count the bits that are wrong.

Every function draws its networks afresh, hands their patterns to ``build`` (which makes a model of binary units of
them: ``hopfield.hebbian``, or a ``DenseMemory`` with its interaction) and says what became of the probes as a
:class:`Recall`. :func:`one_step` and :func:`step_curve` update once, :func:`from_patterns` and :func:`from_random`
let units turn one after another until they rest, and :func:`in_step` updates all at once, again and again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from memscape.arguments import (
    require_count,
    require_function,
    require_generator,
    require_integer,
    require_room,
    require_sequence,
)
from memscape.memory.dynamics import asynchronous, synchronous
from memscape.memory.patterns import flip, overlap, random_patterns
from memscape.tools.models import Spins, Updates
from memscape.tools.statistics import NORMAL, Estimate, share

__all__ = ["InStep", "Recall", "from_patterns", "from_random", "in_step", "one_step", "step_curve"]

_DRAWN = 2**27
"""Bytes of patterns, or of couplings, of the networks that are drawn together (128 MiB).

Not the budget of :mod:`memscape.tools.pieces`: all of a batch's patterns are drawn before anything else is, so what
is drawn depends on the batch, and a budget must change no result.
"""


@dataclass(frozen=True)
class Recall:
    """What a batch of probes recalled.

    The trials of its estimates are networks where there are ten or more, otherwise probes.

    Attributes
    ----------
    wrong
        Wrong bits of each probe, integers, axes ``(networks, probes)``.
    neurons
        Number of neurons N.
    resting
        Whether each probe had come to rest, same axes.
    """

    wrong: torch.Tensor
    neurons: int
    resting: torch.Tensor

    @property
    def overlap(self) -> torch.Tensor:
        """Overlap 1 - 2 wrong / N with the pattern that was to be recalled, float64, axes ``(networks, probes)``."""
        return 1.0 - 2.0 * self.wrong.double() / self.neurons

    @property
    def by_network(self) -> torch.Tensor:
        """Mean overlap of the probes of each network, float64, axes ``(networks,)``."""
        bits = self.neurons * self.wrong.shape[1]
        return (bits - 2 * self.wrong.sum(dim=1)).double() / bits

    @property
    def bit_error(self) -> Estimate:
        """Share of wrong bits."""
        return self._estimate(self.wrong, self.neurons)

    @property
    def mean_overlap(self) -> Estimate:
        """Mean overlap, 1 - 2 times the bit error."""
        error = self.bit_error
        return Estimate(1 - 2 * error.value, 1 - 2 * error.high, 1 - 2 * error.low, error.trials)

    @property
    def exact(self) -> Estimate:
        """Share of probes without a wrong bit."""
        return self.within(0)

    def within(self, errors: int) -> Estimate:
        """Share of probes with at most so many wrong bits."""
        require_integer("errors", errors, at_least=0, at_most=self.neurons)
        return self._estimate((self.wrong <= errors).long(), 1)

    @property
    def excess(self) -> Estimate:
        """Share of probes without a wrong bit minus (1 - epsilon)**N, epsilon the bit error of the same probes.

        It is zero if bits are wrong independently of each other. The interval follows from the first-order change of
        the difference with the hits of each trial; what both terms have in common cancels.
        """
        error = self.bit_error.value
        trials = (self.wrong if len(self.wrong) >= 10 else self.wrong.reshape(-1, 1)).double()
        slope = self.neurons * (1 - error) ** (self.neurons - 1)
        change = (trials == 0).double().mean(dim=1) + slope * trials.mean(dim=1) / self.neurons
        half = NORMAL * change.std(correction=min(1, len(trials) - 1)).item() / math.sqrt(len(trials))
        value = self.exact.value - (1 - error) ** self.neurons
        return Estimate(value, value - half, value + half, len(trials))

    def _estimate(self, hits: torch.Tensor, of: int) -> Estimate:
        # Probes of one network share its patterns, so networks are the trials wherever there are enough of them to
        # see how much they differ.
        networks, probes = hits.shape
        return share(hits.sum(dim=1), of=of * probes) if networks >= 10 else share(hits.flatten(), of=of)


def one_step(
    build: Callable[[torch.Tensor], Updates],
    neurons: int,
    count: int,
    *,
    networks: int,
    probes: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> Recall:
    """Draw networks of random patterns, start at some of the patterns, and update all units once.

    Parameters
    ----------
    build
        Makes a model of patterns ``(G, P, N)``, float32.
    neurons, count
        Neurons N and patterns P of each network.
    networks
        Networks to draw.
    probes
        Patterns of each network to start from, at most P.
    generator
        A CPU generator.
    device
        Where to compute.

    Returns
    -------
    Recall
        Axes ``(networks, probes)``; a probe is resting if no bit turned.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, there are more probes than patterns, or a model refuses its argument.
    """

    def step(patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        wrong = _wrong(build(patterns).update(patterns[:, :probes]), patterns[:, :probes])
        return wrong, wrong == 0

    require_function("build", build)
    _require_probes(probes, count)
    return _batched(step, neurons, count, networks, generator, torch.float32, device)


def step_curve(
    build: Callable[[torch.Tensor], Updates],
    neurons: int,
    counts: Sequence[int],
    *,
    bits: int,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> list[Recall]:
    """What :func:`one_step` finds at several numbers of patterns, with as many networks and probes as the bits ask for.

    Probes of one network have crosstalk in common: at n = 3 the bit error of whole networks differs by some 10 %. So
    at least ten networks are drawn, and at most 50 probes share one.

    Parameters
    ----------
    build
        Makes a model of patterns ``(G, P, N)``, float32.
    neurons
        Number of neurons N.
    counts
        Numbers of patterns P.
    bits
        Bits to look at for each count, rounded up to whole probes and networks.
    generator, device
        As for :func:`one_step`.

    Raises
    ------
    ArgumentError
        If ``bits`` is not a positive integer or :func:`one_step` refuses an argument.
    """
    require_count("bits", bits)
    require_count("neurons", neurons, at_least=2)
    require_sequence("counts", counts, "numbers of patterns")
    require_room(bits=bits)
    wanted = -(-bits // neurons)
    found = []
    for count in counts:
        networks = max(10, -(-wanted // min(require_count("counts", count), 50)))
        found.append(
            one_step(
                build,
                neurons,
                count,
                networks=networks,
                probes=-(-wanted // networks),
                generator=generator,
                device=device,
            )
        )
    return found


def from_patterns(
    build: Callable[[torch.Tensor], Spins],
    neurons: int,
    count: int,
    *,
    networks: int,
    probes: int,
    sweeps: int = 100,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Recall:
    """Draw networks of random patterns, start at some of the patterns, and let the network settle.

    Parameters
    ----------
    build
        Makes a model of patterns ``(G, P, N)``.
    neurons, count
        Neurons N and patterns P of each network.
    networks
        Networks to draw.
    probes
        Patterns of each network to start from, at most P.
    sweeps
        Most asynchronous sweeps to make at temperature 0.
    generator
        A CPU generator.
    dtype, device
        Dtype and device of the patterns.

    Returns
    -------
    Recall
        Axes ``(networks, probes)``: bits that differ from the pattern started from.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer, there are more probes than patterns, or the model refuses its argument.
    """

    def settle(patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        start = patterns[:, :probes]
        end = asynchronous(build(patterns), start, sweeps=sweeps, generator=generator)
        return _wrong(end.state, start), end.converged

    require_function("build", build)
    _require_probes(probes, count)
    return _batched(settle, neurons, count, networks, generator, dtype, device)


def from_random(
    build: Callable[[torch.Tensor], Spins],
    neurons: int,
    count: int,
    *,
    networks: int,
    probes: int,
    sweeps: int = 100,
    generator: torch.Generator,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> Recall:
    """Draw networks of random patterns, start at random states, let the network settle, and find the nearest pattern.

    Parameters
    ----------
    build
        Makes a model of patterns ``(G, P, N)``.
    neurons, count
        Neurons N and patterns P of each network.
    networks
        Networks to draw.
    probes
        Random starts of each network.
    sweeps
        Most asynchronous sweeps to make at temperature 0.
    generator
        A CPU generator.
    dtype, device
        Dtype and device of the patterns.

    Returns
    -------
    Recall
        Axes ``(networks, probes)``: bits that differ from the pattern nearest to the final state. The negative of a
        pattern is no pattern here, also where an even power makes it as stable.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer or the model refuses its argument.
    """

    def settle(patterns: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        start = random_patterns(
            probes, neurons, networks=patterns.shape[:1], generator=generator, dtype=dtype, device=device
        )
        end = asynchronous(build(patterns), start, sweeps=sweeps, generator=generator)
        nearest = overlap(patterns, end.state).amax(dim=-1)
        return (neurons * (1 - nearest.double()) / 2).round().long(), end.converged

    require_function("build", build)
    require_count("probes", probes)
    return _batched(settle, neurons, count, networks, generator, dtype, device)


@dataclass(frozen=True)
class InStep:
    """What :func:`in_step` recalled.

    Attributes
    ----------
    first
        After one update of all units.
    last
        Where the synchronous dynamics ended: at rest, in a cycle of two, or when they were stopped.
    """

    first: Recall
    last: Recall


def in_step(
    build: Callable[[torch.Tensor], Spins],
    neurons: int,
    count: int,
    *,
    networks: int,
    probes: int = 10,
    flips: int = 0,
    steps: int = 50,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> InStep:
    """Draw networks of random patterns, start near some of the patterns, and update all units at once until they rest.

    Parameters
    ----------
    build
        Makes a model of the patterns of all networks, ``(G, P, N)``, float32: a diluted network has connections of
        its own for each, so that networks cannot come batch by batch.
    neurons, count
        Neurons N and patterns P of each network.
    networks
        Networks to draw.
    probes
        Patterns of each network to start from; all of them where there are fewer.
    flips
        Wrong units at the start, 0 to N.
    steps
        Most steps to make.
    generator
        A CPU generator: draws patterns, then wrong units.
    device
        Where to compute.

    Returns
    -------
    InStep
        After the first step and at the end.

    Raises
    ------
    ArgumentError
        If a size is out of range, or the model refuses its argument.
    """
    require_function("build", build)
    require_count("neurons", neurons, at_least=2)
    require_count("networks", networks)
    require_count("probes", probes)
    patterns = random_patterns(
        count, neurons, networks=(networks,), generator=generator, dtype=torch.float32, device=device
    )
    model, wanted = build(patterns), patterns[:, :probes]
    start = flip(wanted, flips, generator=generator)
    once = model.update(start)
    end = synchronous(model, start, steps=steps)
    return InStep(
        Recall(_wrong(once, wanted).cpu(), neurons, (once == start).all(dim=-1).cpu()),
        Recall(_wrong(end.state, wanted).cpu(), neurons, end.converged.cpu()),
    )


def _batched(
    measure: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    neurons: int,
    count: int,
    networks: int,
    generator: torch.Generator,
    dtype: torch.dtype,
    device: torch.device | str,
) -> Recall:
    """Draw ``networks`` networks, some at a time, and measure each batch."""
    require_count("neurons", neurons, at_least=2)
    require_count("count", count)
    require_count("networks", networks)
    require_room(networks=networks)  # what is counted for each stays in memory
    require_generator("generator", generator)
    # Patterns, or couplings where those are larger, in 8 bytes each.
    together = max(1, _DRAWN // (8 * neurons * max(count, neurons)))
    found = []
    for first in range(0, networks, together):
        batch = (min(together, networks - first),)
        found.append(
            measure(random_patterns(count, neurons, networks=batch, generator=generator, dtype=dtype, device=device))
        )
    wrong, resting = (torch.cat(parts).cpu() for parts in zip(*found, strict=True))
    return Recall(wrong, neurons, resting)


def _wrong(state: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    return (state != target).sum(dim=-1)


def _require_probes(probes: int, count: int) -> None:
    require_count("count", count)
    require_integer("probes", probes, at_least=1, at_most=count)
