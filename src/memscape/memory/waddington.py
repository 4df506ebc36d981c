r"""Learning by splits: the classifier of Krotov & Hopfield, started from one cluster (Boukacem et al. 2024).

They train the classifier of :mod:`memscape.memory.classifier` in its limit of small labels, on one fixed batch, without
momentum, with the loss exponent 2m = 2n. Their n is the power of the activation, ours that of the energy: ours is one
more, and the factor 2n in front goes into the temperature (:func:`start`).

In the smallest system one memory :math:`M = a A + (1 - a) B` lies between two images A and B of different classes. On
the segment the moves of M add up to

.. math:: \dot a \propto h(a) = g_A - g_B, \qquad
          g_x = \frac{f_x}{M \cdot x} \sum_\gamma \ell_\gamma \, \pi(t_\gamma - \tanh \ell_\gamma f_x), \qquad
          f_x = \Big(\frac{M \cdot x}{T}\Big)^n ,

with the pull :math:`\pi` of the loss :math:`|t - c|^{2n}`. The labels of the two classes settle where the pulls of the
two images balance, those of all other classes at -1.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import brentq, root
from scipy.sparse.csgraph import connected_components

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_integer,
    require_kind,
    require_number,
    require_numbers,
    require_sequence,
    require_tensor,
    wide,
)
from memscape.memory.classifier import Classifier, Schedule, random_classifier

__all__ = ["Agreement", "Pair", "agreement", "appearance", "birth_order", "distinct", "purity", "start"]

Array = npt.NDArray[np.float64]


def start(
    memories: int,
    pixels: int,
    classes: int,
    *,
    n: int,
    temperature: float,
    epochs: int,
    rate: float,
    batch: int,
    rng: np.random.Generator,
) -> tuple[Classifier, Schedule]:
    r"""The start and the schedule of Boukacem et al. 2024, in the terms of :mod:`memscape.memory.classifier`.

    Their output is :math:`\tanh \sum_\mu \ell_\mu (M_\mu \cdot v / T)^n`; the classifier's is
    :math:`\tanh 2 n' T'^{-n'} \sum_\mu \ell_\mu (M_\mu \cdot v)^{n' - 1}`. So :math:`n' = n + 1` and
    :math:`T' = (2 n' T^n)^{1/n'}`.

    Parameters
    ----------
    memories, pixels, classes
        Sizes, at least 1.
    n
        Power of the activation, at least 1.
    temperature
        T, positive, in the unit of an overlap; it scales with the number of pixels. 670 of 784 in their figure 3.
    epochs, rate, batch
        Number of steps on the full batch, largest change of a weight in one (theirs is 0.005), images in the batch.
    rng
        A numpy generator. Every entry starts at -0.003 give or take 1e-5, as in their code.

    Raises
    ------
    ArgumentError
        If a number is out of its range.
    """
    require_count("n", n)
    require_number("temperature", temperature, above=0.0)
    power = n + 1
    scaled = math.exp((math.log(2 * power) + n * math.log(temperature)) / power)
    schedule = Schedule(
        epochs=epochs, loss=2 * n, hot=scaled, cold=scaled, ramp=0, rate=rate, decay=1.0, momentum=0.0, batch=batch
    )
    classifier = random_classifier(
        memories,
        pixels,
        classes,
        power=power,
        temperature=scaled,
        rng=rng,
        size=0.0,
        mean=-0.003,
        deviation=1e-5,
        dtype=torch.float64,  # |t - c| to the power 60 spans more than float32 can hold
    )
    return classifier, schedule


def distinct(points: torch.Tensor, *, radius: float) -> int:
    """Number of groups of points, where points closer than the radius (per axis, root mean square) belong together.

    Parameters
    ----------
    points
        Axes (P, N), finite.
    radius
        Positive, in units of an entry.

    Raises
    ------
    ArgumentError
        If the points are not such a tensor or the radius is not positive.
    """
    require_tensor("points", points, "memories neurons")
    require_number("radius", radius, above=0.0)
    points = wide(points)  # distances are not computed in half precision
    near = torch.cdist(points, points) < radius * math.sqrt(points.shape[1])
    return int(connected_components(near.cpu().numpy(), directed=False)[0])


def purity(classifier: Classifier, *, threshold: float = 0.5) -> float:
    """Share of the memories that vote for one class only: exactly one label above the threshold."""
    require_kind("classifier", classifier, Classifier)
    require_number("threshold", threshold)
    return ((classifier.labels > threshold).sum(dim=1) == 1).double().mean().item()


def appearance(course: Sequence[Classifier]) -> list[int]:
    """First epoch at which a memory's largest label is that of a class, and positive; one number a class, -1 for never.

    Parameters
    ----------
    course
        The classifiers of a training, epoch by epoch, at least one.

    Raises
    ------
    ArgumentError
        If the course is empty.
    """
    for classifier in require_sequence("course", course, "classifiers"):
        require_kind("course", classifier, Classifier)
    if not course:
        raise ArgumentError("course", "at least one classifier", "none")
    labels = torch.stack([classifier.labels for classifier in course])
    largest = labels.amax(dim=2)
    # Where no label is positive the memory counts for no class: for one beyond the last.
    own = torch.where(largest > 0, labels.argmax(dim=2), labels.shape[2])
    there = torch.nn.functional.one_hot(own, labels.shape[2] + 1).amax(dim=1)[:, :-1]
    return torch.where(there.any(dim=0), there.argmax(dim=0), -1).tolist()


def birth_order(course: Sequence[Classifier]) -> tuple[int, ...]:
    """Classes in the order in which memories turn to them (:func:`appearance`); those that never come stand last.

    Parameters
    ----------
    course
        Classifiers of a training, epoch by epoch, at least one.

    Raises
    ------
    ArgumentError
        If the course is empty.
    """
    epochs = appearance(course)
    return tuple(sorted(range(len(epochs)), key=lambda c: (epochs[c] < 0, epochs[c], c)))


@dataclass(frozen=True)
class Agreement:
    """How the second half of some runs keeps to the usual order of the first half.

    Attributes
    ----------
    runs
        Number of runs that are judged, those of the second half.
    first, whole
        How many of them have the usual first classes, and the usual order of all classes.
    pairs
        For each of them, the share of pairs of classes that stand in the usual order; a half for random orders.
    """

    runs: int
    first: int
    whole: int
    pairs: tuple[float, ...]


def agreement(orders: Sequence[Sequence[int]], *, first: int = 3) -> Agreement:
    """Hold the second half of some orders against the first, so that no run takes part in saying what is usual.

    Usual is the order that most runs of the first half have: of the first classes, of all, and of every pair.

    Parameters
    ----------
    orders
        Permutations of the same classes, at least two, as :func:`birth_order` returns them.
    first
        How many classes are the first ones, at least 1.

    Raises
    ------
    ArgumentError
        If there are fewer than two orders, they are not permutations of the same classes, or ``first`` is out of range.
    """
    require_sequence("orders", orders, "orders")
    if len(orders) < 2:
        raise ArgumentError("orders", "two orders or more", str(len(orders)))
    classes = len(require_sequence("orders[0]", orders[0], "classes"))
    for k, order in enumerate(orders):
        if classes < 2 or sorted(require_sequence(f"orders[{k}]", order, "classes")) != list(range(classes)):
            raise ArgumentError(f"orders[{k}]", f"an order of the classes 0 to {max(classes, 2) - 1}", str(order))
    require_integer("first", first, at_least=1, at_most=classes)
    seen, judged = orders[: len(orders) // 2], orders[len(orders) // 2 :]

    def usual(length: int) -> tuple[int, ...]:
        return Counter(tuple(order[:length]) for order in seen).most_common(1)[0][0]

    rank = np.argsort(orders, axis=1)  # the place of every class
    a, b = np.array(list(combinations(range(classes), 2))).T
    ahead = rank[:, a] < rank[:, b]
    expected_ahead = ahead[: len(seen)].mean(axis=0) >= 0.5
    return Agreement(
        runs=len(judged),
        first=sum(tuple(order[:first]) == usual(first) for order in judged),
        whole=sum(tuple(order) == usual(classes) for order in judged),
        pairs=tuple((ahead[len(seen) :] == expected_ahead).mean(axis=1).tolist()),
    )


@dataclass(frozen=True)
class Pair:
    """One memory between two images.

    Parameters
    ----------
    aa, ab, bb
        Products of the images with themselves and each other; aa and bb larger than ab, all positive.
    temperature
        T, positive, in the unit of an overlap.
    others
        Number of further classes, at least 0.

    Raises
    ------
    ArgumentError
        If a number is out of its range.
    """

    aa: float
    ab: float
    bb: float
    temperature: float
    others: int = 8

    def __post_init__(self) -> None:
        require_number("ab", self.ab, above=0.0)
        require_number("aa", self.aa, above=self.ab)
        require_number("bb", self.bb, above=self.ab)
        require_number("temperature", self.temperature, above=0.0)
        require_integer("others", self.others, at_least=0)

    def flow(self, share: npt.ArrayLike, n: float) -> Array:
        """h(a) at shares a of the first image, in [0, 1]; n need not be an integer. In units of 1 / T.

        Raises
        ------
        ArgumentError
            If a number is out of range, or a power of the inputs is beyond what a float holds.
        """
        require_number("n", n, above=0.0)
        a = require_numbers("share", share, "numbers in [0, 1]")
        if not ((a >= 0) & (a <= 1)).all():
            raise ArgumentError("share", "numbers in [0, 1]", "others")
        return self._flow(a, n)

    def _flow(self, a: Array, n: float) -> Array:
        try:
            with np.errstate(over="raise", invalid="raise", divide="raise"):
                return self._unbounded(a, n)
        except FloatingPointError as error:
            raise ArgumentError("n", "a power of the inputs over T that a float holds", f"{n:g}") from error

    def _unbounded(self, a: Array, n: float) -> Array:
        with_a, with_b = a * self.aa + (1 - a) * self.ab, a * self.ab + (1 - a) * self.bb
        f, g = (with_a / self.temperature) ** n, (with_b / self.temperature) ** n
        own, other = _balance(f, g, n), _balance(g, f, n)
        of_a = own * _pull(own * f, n) - other * _pull(-other * f, n) + self.others * _pull(f, n)
        of_b = other * _pull(other * g, n) - own * _pull(-own * g, n) + self.others * _pull(g, n)
        return self.temperature * (f / with_a * of_a - g / with_b * of_b)

    def fixed_points(self, n: float, *, points: int = 2001) -> list[tuple[float, bool]]:
        """Every zero of the flow inside (0, 1) with whether it is stable along the segment.

        Parameters
        ----------
        n
            The power.
        points
            Places at which the sign is looked at first.
        """
        require_number("n", n, above=0.0)
        require_integer("points", points, at_least=3, at_most=10**7)
        grid = np.linspace(1e-6, 1 - 1e-6, points)
        sign = np.sign(self._flow(grid, n))
        found = []
        for k in np.flatnonzero(sign[:-1] * sign[1:] < 0):
            zero = brentq(lambda a: float(self._flow(np.asarray(a), n)), grid[k], grid[k + 1], xtol=1e-14)
            found.append((float(zero), bool(sign[k] > 0)))
        return found

    def fold(self, share: float, n: float) -> tuple[float, float]:
        """The saddle-node near a share and a power: where the flow and its derivative vanish together."""
        require_number("share", share, above=0.0, at_most=1.0)
        require_number("n", n, above=0.0)
        step = 1e-5

        def both(pair: Array) -> list[float]:
            low, middle, high = self._flow(pair[0] + np.array([-step, 0.0, step]), float(pair[1]))
            return [middle, (high - low) / (2 * step)]

        found = root(both, np.array([share, n]), tol=1e-12)
        return float(found.x[0]), float(found.x[1])


def _balance(f: Array, g: Array, n: float) -> Array:
    """The label at which the pulls of an image of its class (f) and of the other one (g) cancel, within [-1, 1]."""
    low, high = -np.ones_like(f), np.ones_like(f)
    for _ in range(60):  # bisection: the difference of the pulls falls with the label
        middle = (low + high) / 2
        up = np.log(f) + _log_pull(middle * f, n) > np.log(g) + _log_pull(-middle * g, n)
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return (low + high) / 2


def _log_pull(t: Array, n: float) -> Array:
    """Logarithm of (1 - tanh t)**(2n - 1) / cosh(t)**2, the pull at distance 1 - tanh t from the target."""
    log_cosh = np.logaddexp(t, -t) - math.log(2.0)
    return (2 * n - 1) * (-t - log_cosh) - 2 * log_cosh


def _pull(t: Array, n: float) -> Array:
    return np.exp(_log_pull(t, n))
