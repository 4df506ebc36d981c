r"""Which threshold-linear networks differ: the signs of determinants, listed without drawing a single network.

Write :math:`u_i` for the columns of :math:`U = I - W`, :math:`e_i` for the unit vectors and b for the inputs. By
Cramer's rule, whether a support is that of a fixed point, and with which index, depends only on the signs of
determinants of n of these 2 n + 1 vectors. Those signs form a *chirotope* (an oriented matroid given by its bases): the
determinants of vectors obey the three-term Grassmann-Pluecker relations

.. math:: [x\,a\,b]\,[x\,c\,d] - [x\,a\,c]\,[x\,b\,d] + [x\,a\,d]\,[x\,b\,c] = 0 ,

so that of the three products, with their signs, never all are positive and never all negative. In a competitive network
u_i and b have positive coordinates, which fixes the signs of all determinants with n - 1 unit vectors.

:func:`chirotopes` lists all sign patterns that the relations allow. Up to n = 3 every one of them belongs to a network:
patterns without zeros of up to eight vectors in the plane or in space all come from vectors (Goodman & Pollack 1980).
So the list of fixed-point sets it gives is complete, and no sample can miss any.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
import numpy.typing as npt
import torch

from memscape.arguments import ArgumentError, require_integer, require_kind, require_sequence, require_tensor
from memscape.polytopes.threshold_linear import ThresholdLinear, require_network, written
from memscape.tools import pieces
from memscape.tools.subsets import BitGroup, pack, unpack

__all__ = [
    "Chirotopes",
    "canonical",
    "chirotope_of",
    "chirotopes",
    "describe",
    "possible_sets",
    "relabelled",
    "set_codes",
    "table_codes",
]

Signs = npt.NDArray[np.int8]
Codes = npt.NDArray[np.int64]

UNDECIDED = -1
"""Code of a table in which rounding could have decided a sign."""

_DOUBT = 1e-12
"""A cofactor or determinant of size below this, relative to the products it is the sum of, is not taken as decided:
rounding unit of float64 times a few thousand; the sums have at most six terms."""


@dataclass(frozen=True)
class Chirotopes:
    """Sign patterns of the vectors e_1..e_n, u_1..u_n and, where there are inputs, b; numbered 0..2n in this order.

    Attributes
    ----------
    neurons
        n.
    signs
        Axes ``(patterns, brackets)``, int8 in {-1, 1}: signs of the determinants of all n-subsets of the vectors, each
        in rising order, the subsets ordered by their last vector, then the one before it, and so on.
    """

    neurons: int
    signs: Signs

    def __len__(self) -> int:
        return len(self.signs)

    def bracket(self, vectors: Sequence[int]) -> Signs:
        """Sign of the determinant of n distinct vectors in any order, axes ``(patterns)``.

        Raises
        ------
        ArgumentError
            If there are not n different vectors, or one is not there.
        """
        chosen = require_sequence("vectors", vectors, "integers")
        last = 2 * self.neurons - (self.signs.shape[1] == comb(2 * self.neurons, self.neurons))
        for vector in chosen:
            require_integer("vectors", vector, at_least=0, at_most=last)
        if len(chosen) != self.neurons or len(set(chosen)) < len(chosen):
            raise ArgumentError("vectors", f"{self.neurons} different ones", repr(vectors)[:60])
        return self.signs[:, _position(tuple(sorted(vectors)))] * np.int8(_parity(vectors))

    @property
    def index(self) -> Signs:
        """Sign of det(I - W_sigma) of every support, axes ``(patterns, 2**n)``; neuron i is bit i."""
        return np.stack([self.bracket(self._columns(support)) for support in range(2**self.neurons)], axis=-1)

    @property
    def exists(self) -> npt.NDArray[np.bool_]:
        """Whether each support is that of a fixed point, axes ``(patterns, 2**n)``; neuron i is bit i.

        b must have positive coordinates along the u_i of the support and negative ones along the e_k outside.
        """
        n, found = self.neurons, []
        for support in range(2**n):
            columns = self._columns(support)
            base, exists = self.bracket(columns), np.ones(len(self), dtype=bool)
            for i in range(n):
                replaced = self.bracket([*columns[:i], 2 * n, *columns[i + 1 :]])
                exists &= replaced == (base if support >> i & 1 else -base)
            found.append(exists)
        return np.stack(found, axis=-1)

    @property
    def codes(self) -> Codes:
        """The table of sgn det(U with column i replaced by e_j) and sgn det U as one integer, axes ``(patterns)``.

        Bit n i + j is set where entry (i, j) is positive, bit n^2 where det U is.
        """
        n = self.neurons
        columns = list(range(n, 2 * n))
        rows = [self.bracket([*columns[:i], j, *columns[i + 1 :]]) for i in range(n) for j in range(n)]
        return pack(np.stack([*rows, self.bracket(columns)], axis=-1) > 0)

    def _columns(self, support: int) -> list[int]:
        return [self.neurons + i if support >> i & 1 else i for i in range(self.neurons)]


def chirotopes(neurons: int, *, inputs: bool = False) -> Chirotopes:
    """All sign patterns of competitive networks of 2 or 3 neurons, with or without an input vector b > 0.

    Parameters
    ----------
    neurons
        n, 2 or 3. For more neurons the relations allow patterns that no vectors have.
    inputs
        Whether b is one of the vectors. Without it there are 120 patterns for n = 3.

    Raises
    ------
    ArgumentError
        If ``neurons`` is neither 2 nor 3.
    """
    n = require_integer("neurons", neurons, at_least=2, at_most=3)
    known = np.ones((1, 1), dtype=np.int8)  # det(e_1, ..., e_n) = 1
    for vector in range(n, 2 * n + (1 if inputs else 0)):
        known = _extended(known, n, vector)
    return Chirotopes(n, known)


def chirotope_of(model: ThresholdLinear) -> Chirotopes:
    """The sign patterns of networks with inputs, one a network.

    Parameters
    ----------
    model
        Networks of two or three neurons; those of several axes come one behind the other.

    Raises
    ------
    ArgumentError
        If the model is none of two or three neurons, or a determinant is so close to zero that rounding could decide
        it.
    """
    n = require_network(model, at_least=2, at_most=3).neurons
    unit = torch.eye(n, dtype=torch.float64, device=model.weights.device).expand(*model.networks, n, n)
    inputs = model.inputs.double().expand(*model.networks, n)
    vectors = torch.cat([unit, unit - model.weights.double(), inputs[..., None]], dim=-1).reshape(-1, n, 2 * n + 1)
    subsets = [list(subset) for subset in _subsets(n, 2 * n + 1)]
    values = torch.stack([torch.linalg.det(vectors[..., subset]) for subset in subsets], dim=-1)
    # Hadamard's bound: a determinant is at most the product of the lengths of its columns.
    lengths = torch.linalg.vector_norm(vectors, dim=-2)
    largest = torch.stack([lengths[..., subset].prod(dim=-1) for subset in subsets], dim=-1)
    if not (values.abs() > _DOUBT * largest).all():
        raise ArgumentError("model", "no determinant within rounding of zero", "some", "Draw those networks anew.")
    return Chirotopes(n, values.sign().to(torch.int8).cpu().numpy())


def table_codes(weights: torch.Tensor) -> torch.Tensor:
    """Codes of the tables of networks of three neurons, as :attr:`Chirotopes.codes`, from their weights.

    Parameters
    ----------
    weights
        W, axes ``(..., 3, 3)``.

    Returns
    -------
    torch.Tensor
        Axes ``(...)``, int64, in 0..1023; -1 where rounding could have decided a sign.

    Raises
    ------
    ArgumentError
        If the weights are not finite or not 3 x 3.
    """
    require_tensor("weights", weights, "... neurons neurons", sizes={"neurons": 3})
    system = torch.eye(3, dtype=torch.float64, device=weights.device) - weights.double()
    # Networks along the last axis. det(U with column i replaced by e_j) is the cofactor of entry (j, i).
    u = system.reshape(-1, 3, 3).permute(1, 2, 0).contiguous()
    codes = torch.zeros(u.shape[-1], dtype=torch.int64, device=u.device)
    certain = torch.ones_like(codes, dtype=torch.bool)
    determinant, size = torch.zeros_like(u[0, 0]), torch.zeros_like(u[0, 0])
    for i, j in itertools.product(range(3), repeat=2):
        (r, s), (a, b) = ((j + 1) % 3, (j + 2) % 3), ((i + 1) % 3, (i + 2) % 3)
        first, second = u[r, a] * u[s, b], u[r, b] * u[s, a]
        cofactor, largest = first - second, first.abs() + second.abs()
        codes |= (cofactor > 0).long() << (3 * i + j)
        certain &= cofactor.abs() > _DOUBT * largest
        if i == 0:
            determinant += u[j, 0] * cofactor
            size += u[j, 0].abs() * largest
    codes |= (determinant > 0).long() << 9
    certain &= determinant.abs() > _DOUBT * size
    return torch.where(certain, codes, UNDECIDED).reshape(weights.shape[:-2])


def relabelled(codes: Codes, neurons: int) -> Codes:
    """Codes of tables after every renumbering of the neurons, axes ``(...)`` to ``(..., n!)``.

    Raises
    ------
    ArgumentError
        If ``neurons`` is not an integer from 2 to 4, or a code is out of range.
    """
    n = require_integer("neurons", neurons, at_least=2, at_most=4)
    bits = _bits("codes", codes, n * n + 1)
    orders = np.array(list(itertools.permutations(range(n))))
    cells = (orders[:, :, None] * n + orders[:, None, :]).reshape(len(orders), -1)
    cells = np.concatenate([cells, np.full((len(orders), 1), n * n)], axis=1)
    return pack(bits[..., cells])


def set_codes(exists: npt.ArrayLike, stable: npt.ArrayLike | None = None) -> Codes:
    """Sets of supports as integers: bit s is set where support s exists, bit 2**n + s where it is stable.

    Parameters
    ----------
    exists, stable
        Booleans, axes ``(..., 2**n)`` with n at most 4, as arrays or as tensors on the CPU.

    Raises
    ------
    ArgumentError
        If they are not booleans over 2, 4, 8 or 16 supports, or differ in shape.
    """
    first = np.asarray(exists)
    second = first if stable is None else np.asarray(stable)
    if first.dtype != bool or first.ndim == 0 or first.shape[-1] not in (2, 4, 8, 16):
        raise ArgumentError("exists", "booleans over 2, 4, 8 or 16 supports", f"{first.dtype} of shape {first.shape}")
    if second.dtype != bool or second.shape != first.shape:
        raise ArgumentError("stable", f"booleans of shape {first.shape}", f"{second.dtype} of shape {second.shape}")
    codes = pack(first)
    return codes if stable is None else codes | pack(second) << first.shape[-1]


def possible_sets(patterns: Chirotopes) -> Codes:
    r"""The sets of fixed points with their stability that sign patterns of three neurons allow, as `set_codes`.

    A support of one or two neurons is stable exactly if its index is +1. All three neurons with index +1 are stable if
    also :math:`3 m > d`, with m the sum of the minors of size two of I - W and d its determinant. Signs do not say
    which of the two is larger, so that such a set counts twice, stable and unstable; but where all three minors are
    negative, so is m, and it counts as unstable alone.

    Parameters
    ----------
    patterns
        Sign patterns of three neurons with an input vector.

    Returns
    -------
    numpy.ndarray
        Distinct codes, rising, one axis.

    Raises
    ------
    ArgumentError
        If the patterns are not those of three neurons.
    """
    require_integer("neurons of the patterns", require_kind("patterns", patterns, Chirotopes).neurons, at_least=3)
    exists, index = patterns.exists, patterns.index
    certain = exists & (index > 0)
    whole = certain[:, 7] & (index[:, [3, 5, 6]] > 0).any(axis=1)
    certain[:, 7] = False
    allowed = certain.copy()
    allowed[:, 7] = whole
    return np.unique(np.concatenate([set_codes(exists, certain), set_codes(exists, allowed)]))


def describe(code: int, neurons: int) -> str:
    """A set of supports in words: ``"1* 12 123*"`` has {1} and {1, 2, 3} as stable ones among three.

    Raises
    ------
    ArgumentError
        If ``neurons`` is not an integer from 1 to 4, or the code is out of range.
    """
    n = require_integer("neurons", neurons, at_least=1, at_most=4)
    bits = _bits("code", np.asarray(code), 2 * 2**n)
    return written(bits[: 2**n], bits[2**n :])


def canonical(sets: Codes, neurons: int) -> Codes:
    """The smallest code of a set of supports over all renumberings of the neurons, same axes.

    Parameters
    ----------
    sets
        Integers, any axes: bit s is set where support s belongs to the set. Where two sets have to be renumbered
        together, such as fixed points and the stable ones among them, the second may stand in the bits from 2**n on.
    neurons
        n, from 1 to 4.

    Raises
    ------
    ArgumentError
        If ``neurons`` is not an integer from 1 to 4, or a set is out of range.
    """
    n = require_integer("neurons", neurons, at_least=1, at_most=4)
    codes = pack(_bits("sets", sets, 2 * 2**n))
    supports, orders = np.arange(2**n), np.array(list(itertools.permutations(range(n))))
    moved = ((supports[:, None] >> np.arange(n) & 1) << orders[:, None]).sum(axis=-1)
    group = BitGroup(np.concatenate([moved, moved + 2**n], axis=1))
    return group.canonical(codes.ravel())[0].reshape(codes.shape)


def _extended(known: Signs, n: int, vector: int) -> Signs:
    """All patterns of the vectors 0..vector that continue the ``known`` ones of 0..vector - 1."""
    new = [subset for subset in _subsets(n, vector + 1) if vector in subset]
    free = [position for position, subset in enumerate(new) if sum(v < n for v in subset) < n - 1]
    choices = np.empty((2 ** len(free), len(new)), dtype=np.int8)
    for position, subset in enumerate(new):
        if position in free:
            choices[:, position] = 1 - 2 * (np.arange(len(choices)) >> free.index(position) & 1)
        else:
            # A positive vector in the place of the one unit vector that is missing.
            missing = next(i for i in range(n) if i not in subset)
            units = [v for v in subset if v < n]
            choices[:, position] = _parity([*units, missing])
    relations = [
        (x, four)
        for x in itertools.combinations(range(vector + 1), n - 2)
        for four in itertools.combinations([v for v in range(vector + 1) if v not in x], 4)
        if vector in (*x, *four)
    ]
    kept, per_pattern = [], len(choices) * (known.shape[1] + len(new))
    # A byte a sign; the products of three brackets and what is kept come on top.
    for block in pieces.slices(len(known), pieces.fitting(8 * per_pattern)):
        some = known[block]
        patterns = np.concatenate([np.repeat(some, len(choices), 0), np.tile(choices, (len(some), 1))], axis=1)
        for x, (a, b, c, d) in relations:
            bracket = Chirotopes(n, patterns).bracket
            first = bracket((*x, a, b)) * bracket((*x, c, d))
            second = -bracket((*x, a, c)) * bracket((*x, b, d))
            third = bracket((*x, a, d)) * bracket((*x, b, c))
            patterns = patterns[(first != second) | (second != third)]
        kept.append(patterns)
    return np.concatenate(kept)


def _subsets(size: int, vectors: int) -> list[tuple[int, ...]]:
    """Rising subsets in the order of :func:`_position`."""
    return sorted(itertools.combinations(range(vectors), size), key=_position)


def _position(subset: Sequence[int]) -> int:
    """Place of a rising subset in the order of its last vector, then the one before it (the combinatorial numbers)."""
    return sum(comb(vector, place + 1) for place, vector in enumerate(subset))


def _parity(vectors: Sequence[int]) -> int:
    return -1 if sum(a > b for a, b in itertools.combinations(vectors, 2)) % 2 else 1


def _bits(name: str, codes: Codes, width: int) -> npt.NDArray[np.bool_]:
    values = np.asarray(codes)
    if not np.issubdtype(values.dtype, np.integer) or (values < 0).any() or (values >> width).any():
        raise ArgumentError(name, f"integers from 0 to 2**{width} - 1", f"{values.dtype} beyond them")
    return unpack(values.astype(np.int64), width).astype(bool)
