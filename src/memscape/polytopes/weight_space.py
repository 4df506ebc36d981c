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
from fractions import Fraction

import numpy as np
import torch
from scipy.integrate import quad
from scipy.optimize import linprog, minimize_scalar
from scipy.special import log_ndtr

from memscape.arguments import ArgumentError, require_integer, require_tensor

__all__ = [
    "Arrangement",
    "Separation",
    "Symmetries",
    "arrangement",
    "expected_fixed_points",
    "fixed_point_counts",
    "gaussian_couplings",
    "growth_rate",
    "monomials",
    "normals",
    "require_integers",
    "separate",
    "solid_angle",
    "states",
    "storable",
    "symmetries",
]

# Most neurons where all states are listed, and most numbers that one block holds at a time.
_LARGEST = 12
_ENTRIES = 2**23


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
        bits = (states(neurons)[None] * self.flip[:, None] + 1) // 2
        return (bits << self.permutation[:, None]).sum(axis=-1)

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
            If the arrangement has another number of neurons.
        """
        neurons = self.permutation.shape[1]
        if cut.edge.shape[1] != neurons:
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


@dataclass(frozen=True, eq=False)
class Separation:
    """The answer of `separate`, with its proof in integers; exactly one of the two is there.

    Parameters
    ----------
    weights
        Integers w with ``rows @ w >= 1`` in every entry, or None.
    multipliers
        Whole numbers m >= 0, not all 0, with ``m @ rows == 0``, or None. No w can then make all of ``rows @ w``
        positive (Gordan's alternative). The rows with m > 0 are a circuit: without any one of them the others are
        independent.
    """

    weights: np.ndarray | None
    multipliers: np.ndarray | None

    def __bool__(self) -> bool:
        """Whether there are such weights."""
        return self.weights is not None


def separate(rows: np.ndarray) -> Separation:
    """Decide whether some w makes all of ``rows @ w`` positive, and prove it.

    One linear programme (HiGHS) seeks the largest margin in the box of weights from -1 to 1. Its solution, rounded, or
    the exact linear dependence among the rows that its dual solution uses, is then checked in integers; nothing rests
    on a tolerance. Scaling makes a positive margin as good as the margin 1.

    Parameters
    ----------
    rows
        Integers, axes ``(conditions, couplings)``.

    Returns
    -------
    Separation

    Raises
    ------
    ArgumentError
        If ``rows`` is not a matrix of integers.
    RuntimeError
        If neither proof is found, which takes margins near the tolerance of the solver, 1e-7. Those of rows of -1, 0
        and 1 in the dimensions of this part are far above.
    """
    rows = require_integers("rows", rows, (None, None))
    count, dimension = rows.shape
    matrix = np.concatenate([-rows, np.ones((count, 1), dtype=rows.dtype)], axis=1)
    cost = np.append(np.zeros(dimension), -1.0)
    bounds = [(-1.0, 1.0)] * dimension + [(None, None)]
    # Dual simplex ends at a vertex, whose dual solution is one of few multipliers: the circuit.
    solution = linprog(cost, A_ub=matrix, b_ub=np.zeros(count), bounds=bounds, method="highs-ds")
    if solution.status != 0:
        raise RuntimeError(f"HiGHS: {solution.message}")
    point = np.asarray(solution.x)
    # The optimum is a ratio of determinants of whole numbers, no larger in order than the dimension: far above 1e-6
    # for the arrangements of this part. Either side is proved below, so that a wrong guess would end in an error.
    if point[-1] > 1e-6:
        weights = _whole_witness(rows, point[:-1])
        if weights is not None:
            return Separation(weights, None)
    multipliers = _circuit(rows, -np.asarray(solution.ineqlin.marginals))
    if multipliers is None:
        raise RuntimeError("no proof in whole numbers for what HiGHS found")
    return Separation(None, multipliers)


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
        If a size is not a positive integer.
    """
    require_integer("neurons", neurons, at_least=1)
    require_integer("networks", networks, at_least=1)
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
    together = max(1, _ENTRIES // (block * neurons))
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
        If ``neurons`` is not an integer of at least 2.
    """
    require_integer("neurons", neurons, at_least=2)
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
    vectors = np.asarray(rays, dtype=float)
    if vectors.shape != (3, 3) or not np.isfinite(vectors).all():
        raise ArgumentError("rays", "three vectors of three finite numbers", f"shape {vectors.shape}")
    a, b, c = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    volume = abs(np.linalg.det(np.stack([a, b, c])))
    if not volume > 0:
        raise ArgumentError("rays", "linearly independent vectors", "dependent ones")
    return float(np.arctan2(volume, 1 + a @ b + b @ c + c @ a) / (2 * np.pi))


def _whole_witness(rows: np.ndarray, point: np.ndarray) -> np.ndarray | None:
    """Small integers w near a multiple of ``point`` with ``rows @ w >= 1``; None up to a scale that must suffice."""
    for scale in itertools.chain(range(1, 9), (2**power for power in range(4, 31))):
        weights = np.rint(point * scale).astype(np.int64)
        if (rows @ weights >= 1).all():
            return weights
    return None


def _circuit(rows: np.ndarray, guess: np.ndarray) -> np.ndarray | None:
    """Multipliers >= 0 of a circuit inside the rows where ``guess`` is positive, in lowest terms."""
    support = np.flatnonzero(guess > 1e-9)
    relation = _relation(rows[support])
    if relation is None or min(relation) < 0:
        return None
    multipliers = np.zeros(len(rows), dtype=np.int64)
    multipliers[support] = relation
    assert not (multipliers @ rows).any()
    return multipliers


def _relation(rows: np.ndarray) -> list[int] | None:
    """The linear dependence of rows of which one too many is there: coprime, first entry positive. Else None."""
    # Gauss-Jordan elimination in fractions on the columns' equations: rows.T @ m = 0.
    table = [[Fraction(int(entry)) for entry in column] for column in rows.T]
    pivots: list[int] = []
    for column in range(len(rows)):
        level = len(pivots)
        found = next((r for r in range(level, len(table)) if table[r][column]), None)
        if found is None:
            continue
        table[level], table[found] = table[found], table[level]
        lead = table[level][column]
        table[level] = [entry / lead for entry in table[level]]
        for r, row in enumerate(table):
            if r != level and row[column]:
                factor = row[column]
                table[r] = [a - factor * b for a, b in zip(row, table[level], strict=True)]
        pivots.append(column)
    free = sorted(set(range(len(rows))) - set(pivots))
    if len(free) != 1:
        return None
    relation = [Fraction(0)] * len(rows)
    relation[free[0]] = Fraction(1)
    for level, column in enumerate(pivots):
        relation[column] = -table[level][free[0]]
    common = math.lcm(*(entry.denominator for entry in relation))
    whole = [int(entry * common) for entry in relation]
    divisor = math.gcd(*whole) * (1 if next(entry for entry in whole if entry) > 0 else -1)
    return [entry // divisor for entry in whole]


def require_integers(name: str, value: np.ndarray, axes: tuple) -> np.ndarray:
    """``value`` as int64 if it is an array of integers with these axes: a size, None for any, or ... in front."""
    if not isinstance(value, np.ndarray) or not np.issubdtype(value.dtype, np.integer):
        kind = f"dtype {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
        raise ArgumentError(name, "a numpy array of integers", kind, "Round and convert it with .astype(np.int64).")
    wanted = axes[1:] if axes[0] is ... else axes
    fits = value.ndim >= len(wanted) if axes[0] is ... else value.ndim == len(wanted)
    tail = value.shape[value.ndim - len(wanted) :] if fits else ()
    if not fits or 0 in value.shape or any(w not in (None, s) for w, s in zip(wanted, tail, strict=True)):
        shown = ", ".join("..." if a is ... else "any" if a is None else str(a) for a in axes)
        raise ArgumentError(name, f"shape ({shown}), no axis empty", f"shape {value.shape}")
    return value.astype(np.int64)
