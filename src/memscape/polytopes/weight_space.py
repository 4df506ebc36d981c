r"""The space of weights of binary networks, cut into polyhedral cones by the conditions of stability.

A network of n neurons :math:`x_i = \pm 1` whose couplings join the sets S of a family K has the energy

.. math:: E(x) = -\sum_{S \in K} w_S \prod_{i \in S} x_i .

The state x is a strict fixed point, a state from which every flip of one neuron costs energy, if and only if

.. math:: v_{x,i} \cdot w > 0 \quad\text{for every } i, \qquad v_{x,i}(S) = [i \in S] \prod_{j \in S} x_j .

Flipping neuron i reverses the normal: :math:`v_{x^i, i} = -v_{x, i}`. So every edge of the hypercube carries one
hyperplane, and a vector of weights off all of them directs every edge downhill. A *chamber* is the open cone of the
weights that direct the edges alike: it fixes the whole synchronous map, every asynchronous run, and the memories.

Families K are given by the sizes of their sets: degrees (2,) are the Hopfield network, (1, 2) has thresholds, and
(2, 3) couplings of three neurons. The oracle answers with certificates of integers: a floating-point solver
proposes, and integers decide.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import log_ndtr

from memscape.arguments import (
    ArgumentError,
    require_count,
    require_device,
    require_integer,
    require_integers,
    require_kind,
    require_numbers,
    require_rng,
    require_room,
    require_tensor,
)
from memscape.polytopes.separation import Separation, separate
from memscape.tools import pieces

__all__ = [
    "Arrangement",
    "Symmetries",
    "arrangement",
    "expected_fixed_points",
    "fixed_point_counts",
    "gaussian_couplings",
    "growth_rate",
    "monomials",
    "normals",
    "solid_angle",
    "states",
    "storable",
    "symmetries",
]

# Most neurons where all states are listed.
_LARGEST = 12
# Most neurons whose mean number of fixed points, of the order of exp(0.1992 n), is a float: 10^302.
_MOST = 3500


def states(neurons: int) -> np.ndarray:
    """All states of n neurons: integers -1 and 1, axes ``(2^n, n)``; neuron i is bit i of the index, 1 for set.

    Raises
    ------
    ArgumentError
        If ``neurons`` is not an integer from 1 to 12.
    """
    require_integer("neurons", neurons, at_least=1, at_most=_LARGEST)
    return 2 * (np.arange(2**neurons)[:, None] >> np.arange(neurons) & 1) - 1


def monomials(neurons: int, degrees: Sequence[int]) -> np.ndarray:
    """The family K: every set of neurons whose size is among ``degrees``.

    Parameters
    ----------
    neurons
        n, from 1 to 12.
    degrees
        Different sizes from 1 to n.

    Returns
    -------
    numpy.ndarray
        Booleans, axes ``(couplings, neurons)``: whether the neuron is in the set. By size, then lexicographically.

    Raises
    ------
    ArgumentError
        If ``neurons`` or a degree is out of range, or a degree comes twice.
    """
    require_integer("neurons", neurons, at_least=1, at_most=_LARGEST)
    if isinstance(degrees, str) or not isinstance(degrees, Sequence) or not degrees:
        raise ArgumentError("degrees", "a sequence of sizes of sets", repr(degrees), "For example (1, 2).")
    for degree in degrees:
        require_integer("degrees", degree, at_least=1, at_most=neurons)
    if len(set(degrees)) < len(degrees):
        raise ArgumentError("degrees", "different sizes of sets", repr(degrees), "Name each once.")
    members = [subset for degree in sorted(degrees) for subset in itertools.combinations(range(neurons), degree)]
    family = np.zeros((len(members), neurons), dtype=bool)
    for row, subset in zip(family, members, strict=True):
        row[list(subset)] = True
    return family


def normals(neurons: int, degrees: Sequence[int]) -> np.ndarray:
    r"""The normals :math:`v_{x,i}(S) = [i \in S] \prod_{j \in S} x_j` of all conditions of stability.

    The state x is a strict fixed point of the weights w if and only if ``normals[x] @ w > 0``, entry by entry; entry i
    is half the energy that the flip of neuron i costs.

    Parameters
    ----------
    neurons, degrees
        As in `monomials`.

    Returns
    -------
    numpy.ndarray
        Integers -1, 0 and 1, axes ``(2^n, n, couplings)``, states in the order of `states`.

    Raises
    ------
    ArgumentError
        If `monomials` refuses.
    """
    family = monomials(neurons, degrees)
    products = np.where(family, states(neurons)[:, None, :], 1).prod(axis=-1)
    return products[:, None, :] * family.T


@dataclass(frozen=True, eq=False)
class Arrangement:
    """The hyperplanes of the conditions of stability, each once.

    Parameters
    ----------
    normals
        One normal a hyperplane, its first nonzero entry positive; integers, axes ``(hyperplanes, couplings)``.
    edge
        The hyperplane of neuron i at state x, axes ``(2^n, n)``.
    sign
        The condition is ``sign * normals[edge] @ w > 0``: -1 or 1, axes ``(2^n, n)``.
    """

    normals: np.ndarray
    edge: np.ndarray
    sign: np.ndarray

    @property
    def hyperplanes(self) -> int:
        """Number of different hyperplanes."""
        return len(self.normals)

    @property
    def dimension(self) -> int:
        """Number of weights, the dimension of the space that is cut."""
        return self.normals.shape[1]

    def fixed(self, signs: np.ndarray) -> np.ndarray:
        """Which states are strict fixed points on given sides of the hyperplanes.

        Parameters
        ----------
        signs
            Integers -1 and 1, axes ``(..., hyperplanes)``.

        Returns
        -------
        numpy.ndarray
            Booleans, axes ``(..., 2^n)``.

        Raises
        ------
        ArgumentError
            If the last axis is not that of the hyperplanes or a value is not -1 or 1.
        """
        signs = require_integers("signs", signs, (..., self.hyperplanes))
        if (abs(signs) != 1).any():
            raise ArgumentError("signs", "values in {-1, 1}", str(signs[abs(signs) != 1][0]), "Take np.sign first.")
        found: np.ndarray = np.ones((*signs.shape[:-1], len(self.edge)), dtype=bool)
        for edge, sign in zip(self.edge.T, self.sign.T, strict=True):
            found &= signs[..., edge] == sign
        return found


def arrangement(neurons: int, degrees: Sequence[int]) -> Arrangement:
    """The arrangement of n neurons with couplings of the given degrees; see `monomials`, which says what is refused."""
    rows = normals(neurons, degrees)
    flat = rows.reshape(-1, rows.shape[-1])
    lead = np.take_along_axis(flat, (flat != 0).argmax(axis=1)[:, None], axis=1)[:, 0]
    unique, edge = np.unique(flat * lead[:, None], axis=0, return_inverse=True)
    shape = rows.shape[:2]
    return Arrangement(unique, edge.reshape(shape), lead.reshape(shape))


# Symmetry


@dataclass(frozen=True, eq=False)
class Symmetries:
    """Signed permutations of the neurons, and how they act.

    The element g sends the state x to the state y with ``y[permutation[i]] = flip[i] * x[i]``, and the weights w to the
    weights with the same energy there: ``E(g w, g x) = E(w, x)``.

    Parameters
    ----------
    permutation, flip
        Axes ``(elements, neurons)``; flips are -1 and 1.
    """

    permutation: np.ndarray
    flip: np.ndarray

    def __len__(self) -> int:
        """Number of elements."""
        return len(self.permutation)

    def on_states(self) -> np.ndarray:
        """Where every state goes: indices into `states`, axes ``(elements, 2^n)``."""
        neurons = self.permutation.shape[1]
        # A spin of 1 or -1 sets its bit or clears it: half of one more than the spin.
        return ((self.flip << self.permutation) @ states(neurons).T + 2**neurons - 1) >> 1

    def on_couplings(self, degrees: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """Where every coupling goes and the sign it takes: ``(g w)[target[g]] = sign[g] * w``.

        Returns
        -------
        tuple of numpy.ndarray
            ``target`` and ``sign``, axes ``(elements, couplings)``, couplings in the order of `monomials`.

        Raises
        ------
        ArgumentError
            If `monomials` refuses.
        """
        family = monomials(self.permutation.shape[1], degrees)
        keys = family @ (1 << np.arange(family.shape[1]))
        images = family.astype(np.int64) @ (1 << self.permutation).T
        order = np.argsort(keys)
        target = order[np.searchsorted(keys, images.T, sorter=order)]
        return target, np.where(family, self.flip[:, None, :], 1).prod(axis=-1)

    def on_hyperplanes(self, cut: Arrangement) -> tuple[np.ndarray, np.ndarray]:
        """Where every hyperplane goes and whether its sides change: ``(g s)[target[g]] = sign[g] * s`` for signs s.

        Returns
        -------
        tuple of numpy.ndarray
            ``target`` and ``sign``, axes ``(elements, hyperplanes)``.

        Raises
        ------
        ArgumentError
            If ``cut`` is no arrangement, or one of another number of neurons.
        """
        neurons = self.permutation.shape[1]
        if require_kind("cut", cut, Arrangement).edge.shape[1] != neurons:
            raise ArgumentError("cut", f"an arrangement of {neurons} neurons", str(cut.edge.shape[1]))
        _, first = np.unique(cut.edge, return_index=True)
        state, neuron = np.divmod(first, neurons)
        images = self.on_states()[:, state], self.permutation[:, neuron]
        return cut.edge[images], cut.sign[images] * cut.sign[state, neuron]


def symmetries(neurons: int) -> Symmetries:
    """The hyperoctahedral group: all 2^n n! signed permutations of n neurons, the identity first.

    Raises
    ------
    ArgumentError
        If ``neurons`` is not an integer from 1 to 6.
    """
    require_integer("neurons", neurons, at_least=1, at_most=6)
    permutations = np.array(list(itertools.permutations(range(neurons))))
    flips = -states(neurons)
    return Symmetries(np.repeat(permutations, len(flips), axis=0), np.tile(flips, (len(permutations), 1)))


# The oracle


def storable(patterns: Sequence[int], conditions: np.ndarray) -> Separation:
    """Whether one vector of weights makes all these states strict fixed points; `separate` on all their conditions.

    Parameters
    ----------
    patterns
        Indices into `states`.
    conditions
        From `normals`.

    Raises
    ------
    ArgumentError
        If there is no pattern, or one that is not a state.
    """
    conditions = require_integers("conditions", conditions, (None, None, None))
    chosen = require_integers("patterns", np.asarray(patterns), (None,))
    for pattern in chosen:
        require_integer("patterns", pattern, at_least=0, at_most=len(conditions) - 1)
    return separate(conditions[chosen].reshape(-1, conditions.shape[-1]))


# Gaussian networks


def gaussian_couplings(
    neurons: int, networks: int, *, rng: np.random.Generator, device: torch.device | str = "cpu"
) -> torch.Tensor:
    """Symmetric couplings of mean 0 and variance 1, no self-coupling: float64, axes ``(networks, neurons, neurons)``.

    Raises
    ------
    ArgumentError
        If a size is not a positive integer or does not fit in memory, ``rng`` is no generator of NumPy, or there is no
        such device.
    """
    require_count("neurons", neurons)
    require_count("networks", networks)
    require_room(networks=networks, neurons=neurons**2)
    require_rng("rng", rng)
    device = require_device("device", device)
    half = torch.from_numpy(rng.normal(size=(networks, neurons, neurons))).triu(1)
    return (half + half.mT).to(device)


def fixed_point_counts(couplings: torch.Tensor) -> torch.Tensor:
    r"""Number of strict fixed points of pairwise networks, by looking at every state.

    Parameters
    ----------
    couplings
        Axes ``(..., neurons, neurons)``, zero on the diagonal; at most 24 neurons.

    Returns
    -------
    torch.Tensor
        Integers, axes ``(...)``: how many x have :math:`x_i \sum_j J_{ij} x_j > 0` for every i.

    Raises
    ------
    ArgumentError
        If the couplings are not square, finite, and zero on the diagonal, or there are more than 24 neurons.
    """
    sizes: dict[str, int] = {}
    require_tensor("couplings", couplings, "... neurons neurons", sizes=sizes)
    neurons = require_integer("neurons", sizes["neurons"], at_most=24)
    if couplings.diagonal(dim1=-2, dim2=-1).any():
        raise ArgumentError("couplings", "zeros on the diagonal", "a self-coupling", "Remove it.")
    batch = couplings.reshape(-1, neurons, neurons)
    counts = torch.zeros(len(batch), dtype=torch.int64, device=batch.device)
    # A state and its negative are fixed together: the last neuron stays at -1, and every hit counts twice.
    number = 2 ** (neurons - 1)
    block = min(number, 2**12)
    # Fields, their products with the states, and their signs.
    together = pieces.fitting(32 * block * neurons)
    shifts = torch.arange(neurons, device=batch.device)
    for start in range(0, number, block):
        index = torch.arange(start, min(start + block, number), device=batch.device)
        x = (2 * (index[:, None] >> shifts & 1) - 1).to(batch.dtype)
        for first in range(0, len(batch), together):
            fields = x @ batch[first : first + together].mT
            counts[first : first + together] += 2 * (fields * x > 0).all(dim=-1).sum(dim=-1)
    return counts.reshape(couplings.shape[:-2])


def expected_fixed_points(neurons: int) -> float:
    r"""Mean number of strict fixed points of a pairwise network with independent Gaussian couplings, exactly.

    By symmetry every state is fixed as often as the one of all ones, whose fields :math:`h_i = \sum_j J_{ij}` have the
    variance n - 1 and share one coupling each: covariance 1. Jointly they are :math:`\sqrt{n-2}\, z_i + z` with
    independent normal numbers, so that

    .. math:: \mathbb{E}[\#] = 2^n \int \varphi(z)\, \Phi\!\left(z / \sqrt{n-2}\right)^n dz .

    Raises
    ------
    ArgumentError
        If ``neurons`` is not an integer of at least 2, or exceeds 3500: the number is then too large
        for a float.
    """
    if require_integer("neurons", neurons, at_least=2) > _MOST:
        raise ArgumentError("neurons", f"at most {_MOST}", str(neurons), "growth_rate gives the logarithm a neuron.")
    if neurons == 2:
        return 2.0
    width = math.sqrt(neurons - 2)

    def density(z: float) -> float:
        return math.exp(neurons * (math.log(2) + float(log_ndtr(z / width))) - z * z / 2) / math.sqrt(2 * math.pi)

    peak = growth_rate()[1] * math.sqrt(neurons)
    return float(quad(density, peak - 12, peak + 12, epsabs=0, epsrel=1e-10, limit=200)[0])


def growth_rate() -> tuple[float, float]:
    r"""How :func:`expected_fixed_points` grows: the rate :math:`\max_u [\ln 2 + \ln \Phi(u) - u^2/2]`, and that u.

    The integral is Laplace's, with :math:`z = u \sqrt n`: the logarithm of the mean number over n goes to this rate.
    """
    found = minimize_scalar(
        lambda u: u * u / 2 - log_ndtr(u), bounds=(0.0, 2.0), method="bounded", options={"xatol": 1e-10}
    )
    return math.log(2) - float(found.fun), float(found.x)


def solid_angle(rays: Sequence[Sequence[float]]) -> float:
    r"""The share of all directions of space that lie in the cone of three rays.

    .. math:: \tan(\Omega / 2) = \frac{|\det(a, b, c)|}{1 + a \cdot b + b \cdot c + c \cdot a}

    for unit vectors (van Oosterom & Strackee 1983); the share is :math:`\Omega / 4\pi`.

    Raises
    ------
    ArgumentError
        If ``rays`` are not three linearly independent vectors of three finite numbers.
    """
    vectors = require_numbers("rays", rays, "three vectors of three finite numbers")
    if vectors.shape != (3, 3) or not np.isfinite(vectors).all():
        raise ArgumentError("rays", "three vectors of three finite numbers", f"shape {vectors.shape}")
    # By powers of two, which change no digit: no square of a length overflows or vanishes.
    vectors = np.ldexp(vectors, -np.frexp(abs(vectors).max(axis=1, keepdims=True))[1])
    a, b, c = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    volume = abs(np.linalg.det(np.stack([a, b, c])))
    if not volume > 0:
        raise ArgumentError("rays", "linearly independent vectors", "dependent ones")
    return float(np.arctan2(volume, 1 + a @ b + b @ c + c @ a) / (2 * np.pi))
