r"""Symmetric matrices to compare couplings with, and how far a Gram matrix is from a random one.

Three kinds of tables: random symmetric ones, minus distances of points of a cube, Gram matrices. A Gram matrix of N
Gaussian points with d coordinates, :math:`W = X X^T / \sqrt d` off the diagonal, has entries that are normal in the
limit of large d, and that depend on each other in threes: the mean of :math:`W_{ij} W_{jk} W_{ki}` is
:math:`1/\sqrt d`. The sum of these products over all triangles, the *signed triangles* T (Bubeck, Ding, Eldan and Racz
2016), is what a Gram matrix weighs random matrices by, to first order in :math:`1/\sqrt d`: :func:`response`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from memscape.arguments import (
    ArgumentError,
    described,
    require_count,
    require_device,
    require_generator,
    require_integer,
    require_number,
    require_numbers,
    require_rng,
    require_room,
    require_sizes,
    require_tensor,
)
from memscape.memory.hopfield import require_symmetric

__all__ = [
    "beyond_edge",
    "distances",
    "expected_faces",
    "gram",
    "projector",
    "resampled_means",
    "response",
    "signed_triangles",
    "spread",
    "symmetric",
]


def symmetric(
    neurons: int,
    *,
    networks: Sequence[int] = (),
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Symmetric matrices whose entries above the diagonal are independent standard normal numbers.

    Parameters
    ----------
    neurons
        Number of neurons N.
    networks
        Axes G of independent matrices.
    generator
        A CPU generator.
    device
        Of the result.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, N, N)``, float64, zero on the diagonal.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    networks, options, device = _drawing(neurons, 1, networks, generator, device)
    upper = torch.randn(*networks, neurons, neurons, **options).triu(1)
    return (upper + upper.mT).to(device)


def distances(
    neurons: int,
    dimension: int,
    *,
    networks: Sequence[int] = (),
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Minus the Euclidean distances of points that are uniform in the unit cube.

    Parameters
    ----------
    neurons, networks, generator, device
        As for :func:`symmetric`.
    dimension
        Dimension d of the cube.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, N, N)``, float64: the nearest pair has the largest entry off the diagonal.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_count("dimension", dimension)
    networks, options, device = _drawing(neurons, dimension, networks, generator, device)
    points = torch.rand(*networks, neurons, dimension, **options)
    # By differences, not by products: symmetric to the last digit.
    apart = -torch.cdist(points, points, compute_mode="donot_use_mm_for_euclid_dist")
    return torch.maximum(apart, apart.mT).to(device)


def gram(
    neurons: int,
    columns: int,
    *,
    networks: Sequence[int] = (),
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    r"""Gram matrices of Gaussian points, :math:`W = X X^T / \sqrt d`: Hebb's couplings of Gaussian patterns.

    Parameters
    ----------
    neurons, networks, generator, device
        As for :func:`symmetric`.
    columns
        Number of coordinates d, or patterns. From d = N on the time does not depend on it.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, N, N)``, float64, zero on the diagonal.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_count("columns", columns)
    networks, options, device = _drawing(neurons, 1, networks, generator, device)
    require_room(networks=math.prod(networks), neurons=neurons, columns=2 * min(neurons, columns))
    if columns < neurons:
        points = torch.randn(*networks, neurons, columns, **options)
    else:  # Bartlett: a triangle of normal numbers, with a root of chi square on the diagonal, has the same products
        points = torch.randn(*networks, neurons, neurons, **options).tril(-1)
        rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator, device="cpu")))
        squares = rng.chisquare(columns - np.arange(neurons), size=(*networks, neurons))
        points.diagonal(dim1=-2, dim2=-1).copy_(torch.from_numpy(squares).sqrt())
    found = points @ points.mT / math.sqrt(columns)
    found = (found + found.mT) / 2
    found.diagonal(dim1=-2, dim2=-1).zero_()
    return found.to(device)


def projector(patterns: torch.Tensor, *, complement: bool = False) -> torch.Tensor:
    r"""The orthogonal projector on what patterns span, :math:`\Xi^+ \Xi`, or on what is orthogonal to them.

    Off the diagonal these are the couplings of the projection rule, and minus them. Both are made of singular vectors
    of their own, neither by taking the other from the identity.

    Parameters
    ----------
    patterns
        Axes ``(*G, P, N)``, finite, P at most N, linearly independent.
    complement
        Whether to project on the orthogonal complement.

    Returns
    -------
    torch.Tensor
        Axes ``(*G, N, N)``, float64, symmetric.

    Raises
    ------
    ArgumentError
        If the patterns are none of these.
    """
    sizes: dict[str, int] = {}
    require_tensor("patterns", patterns, "... patterns neurons", sizes=sizes)
    count, neurons = sizes["patterns"], sizes["neurons"]
    if count > neurons:
        raise ArgumentError("patterns", f"at most {neurons} patterns", str(count))
    if not isinstance(complement, bool):
        raise ArgumentError("complement", "True or False", repr(complement))
    require_room(patterns=math.prod(patterns.shape[:-2]), neurons=16 * neurons**2)
    largest = patterns.double().abs().amax(dim=(-2, -1), keepdim=True)
    if not (largest > 0).all():
        raise ArgumentError("patterns", "linearly independent patterns", "zeros")
    _, strengths, vectors = torch.linalg.svd(patterns.double() / largest, full_matrices=True)
    if (strengths[..., -1] <= neurons * torch.finfo(torch.float64).eps * strengths[..., 0]).any():
        raise ArgumentError("patterns", "linearly independent patterns", "some that depend on others", "Draw fewer.")
    chosen = vectors[..., count:, :] if complement else vectors[..., :count, :]
    found = chosen.mT @ chosen
    return (found + found.mT) / 2


def signed_triangles(matrix: torch.Tensor) -> torch.Tensor:
    r"""Sum over triangles of the product of their three entries, :math:`T = \sum_{i<j<k} W_{ij} W_{jk} W_{ki}`.

    Parameters
    ----------
    matrix
        Axes ``(*G, N, N)``, finite, symmetric; the diagonal does not count.

    Returns
    -------
    torch.Tensor
        Axes ``(*G,)``, of the dtype of the matrix, in the unit of its entries to the third power.

    Raises
    ------
    ArgumentError
        If the matrix is none of these, or the sum leaves the range of its dtype.
    """
    require_tensor("matrix", matrix, "... neurons others")
    require_symmetric("matrix", matrix)
    bare = matrix.clone()
    bare.diagonal(dim1=-2, dim2=-1).zero_()
    found = ((bare @ bare) * bare).sum(dim=(-2, -1)) / 6
    if not found.isfinite().all():
        raise ArgumentError("matrix", "entries whose products fit", "larger ones", "Divide by their spread.")
    return found


def response(integrals: torch.Tensor, triangles: torch.Tensor) -> tuple[float, float]:
    r"""How fast a mean falls from random matrices to Gram matrices: c in :math:`R = 1 - c/\sqrt d`, with its error.

    .. math:: c = - \mathrm{Cov}(B, T) / \langle B \rangle

    Parameters
    ----------
    integrals, triangles
        B and T of the same independent random matrices, float64, axes ``(draws,)``, at least two.

    Returns
    -------
    tuple of float
        c and its standard error, dimensionless.

    Raises
    ------
    ArgumentError
        If the arguments are none of these, or the mean of B is not positive.
    """
    sizes: dict[str, int] = {}
    require_tensor("integrals", integrals, "draws", dtype=torch.float64, sizes=sizes)
    require_tensor("triangles", triangles, "draws", dtype=torch.float64, device=integrals.device, sizes=sizes)
    count = require_count("integrals", sizes["draws"], at_least=2)
    mean = integrals.mean()
    if not mean > 0:
        raise ArgumentError("integrals", "numbers with a positive mean", f"{mean.item():g}")
    products = -(integrals / mean - 1) * (triangles - triangles.mean())
    value, error = products.sum() / (count - 1), products.std() / math.sqrt(count)
    if not (value.isfinite() and error.isfinite()):
        raise ArgumentError("triangles", "numbers whose products fit", "larger ones")
    return value.item(), error.item()


def spread(
    ratios: npt.NDArray[np.float64], columns: npt.NDArray[np.int64], sizes: Sequence[int], exponent: float
) -> npt.NDArray[np.float64]:
    """How far curves of several sizes are from being one curve in d/N^k: mean squared difference where they overlap.

    Each curve is compared, at its own points, with each other one, which is interpolated linearly in the logarithm.

    Parameters
    ----------
    ratios
        Axes ``(..., sizes, points)``, finite: the curves, for each resample.
    columns
        d of each point, axes ``(sizes, points)``, int64, rising, at least two points.
    sizes
        N of each curve, at least two.
    exponent
        k, from -10 to 10.

    Returns
    -------
    numpy.ndarray
        Axes ``(...)``, of the square of the ratios.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or no two curves overlap.
    """
    curves, d = require_numbers("ratios", ratios), np.asarray(require_numbers("columns", columns))
    chosen = require_sizes("sizes", sizes)
    require_number("exponent", exponent, at_least=-10.0, at_most=10.0)
    if len(chosen) < 2 or d.ndim != 2 or d.shape[0] != len(chosen) or d.shape[1] < 2:
        raise ArgumentError("columns", "d with axes (sizes, points), at least two of each", described(columns))
    if curves.ndim < 2 or curves.shape[-2:] != d.shape or not np.isfinite(curves).all():
        raise ArgumentError("ratios", f"finite numbers with axes (..., {d.shape[0]}, {d.shape[1]})", described(ratios))
    if not (np.isfinite(d).all() and (d[:, 0] >= 1).all() and (np.diff(d, axis=1) > 0).all()):
        raise ArgumentError("columns", "rising numbers, at least 1", "others")
    x = np.log(d) - exponent * np.log(np.asarray(chosen, dtype=np.float64))[:, None]
    total, count = np.zeros(curves.shape[:-2]), 0
    for a in range(len(chosen)):
        for b in range(len(chosen)):
            inside = (x[a] >= x[b, 0]) & (x[a] <= x[b, -1])
            if a == b or not inside.any():
                continue
            at = x[a][inside]
            right = np.clip(np.searchsorted(x[b], at), 1, d.shape[1] - 1)
            part = (at - x[b, right - 1]) / (x[b, right] - x[b, right - 1])
            other = curves[..., b, right - 1] * (1 - part) + curves[..., b, right] * part
            with np.errstate(over="ignore", invalid="ignore"):
                total = total + ((curves[..., a, :][..., inside] - other) ** 2).sum(axis=-1)
            count += len(at)
    if count == 0:
        raise ArgumentError("columns", "curves that overlap", "none that do", "Take more points or a smaller exponent.")
    if not np.isfinite(total).all():
        raise ArgumentError("ratios", "numbers whose squares fit", "larger ones")
    return np.asarray(total / count)


def resampled_means(
    values: npt.NDArray[np.float64], count: int, *, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Means of bootstrap resamples of independent draws, for each row by itself.

    Parameters
    ----------
    values
        Axes ``(*G, draws)``, finite.
    count
        Number of resamples S.
    rng
        A generator of numpy.

    Returns
    -------
    numpy.ndarray
        Axes ``(S, *G)``.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    drawn = require_numbers("values", values)
    require_count("count", count)
    require_rng("rng", rng)
    if drawn.ndim < 1 or drawn.size == 0 or not np.isfinite(drawn).all():
        raise ArgumentError("values", "finite numbers with a last axis of draws", described(values))
    require_room(count=count, values=2 * drawn.size)
    if abs(drawn).max() > 1e300 / drawn.shape[-1]:
        raise ArgumentError("values", "numbers whose sums fit", "larger ones")
    rows = drawn.reshape(-1, drawn.shape[-1])
    found = np.empty((count, len(rows)))
    for number, row in enumerate(rows):
        found[:, number] = row[rng.integers(len(row), size=(count, len(row)))].mean(axis=1)
    return found.reshape(count, *drawn.shape[:-1])


def beyond_edge(matrix: torch.Tensor, *, margin: float = 1.1) -> torch.Tensor:
    r"""Number of eigenvalues beyond a multiple of :math:`2 \sigma \sqrt N`, the edge of the semicircle law.

    Parameters
    ----------
    matrix
        Axes ``(*G, N, N)``, finite, symmetric, N at least 3. The mean of the entries off the diagonal is taken away,
        sigma is their standard deviation, and the diagonal is set to zero.
    margin
        The multiple, positive, at most 1000.

    Returns
    -------
    torch.Tensor
        Axes ``(*G,)``, int64.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or all entries off the diagonal are equal.
    """
    require_tensor("matrix", matrix, "... neurons others")
    require_symmetric("matrix", matrix)
    require_number("margin", margin, above=0.0, at_most=1000.0)
    neurons = require_count("matrix", matrix.shape[-1], at_least=3)
    row, column = torch.triu_indices(neurons, neurons, 1, device=matrix.device)
    wide = matrix.double()
    entries = wide[..., row, column]
    largest = entries.abs().amax(dim=-1, keepdim=True)
    scaled = entries / largest
    if not scaled.isfinite().all() or (scaled.std(dim=-1) < 1e-12).any():
        raise ArgumentError("matrix", "entries off the diagonal that differ", "equal ones")
    bare = wide / largest[..., None] - scaled.mean(dim=-1)[..., None, None]
    bare.diagonal(dim1=-2, dim2=-1).zero_()
    edge = 2 * scaled.std(dim=-1) * math.sqrt(neurons)
    return (torch.linalg.eigvalsh(bare).abs() > margin * edge[..., None]).sum(dim=-1)


def expected_faces(vertices: int, share: float) -> tuple[float, ...]:
    r"""Expected number of cliques of a random graph, :math:`\binom{n}{k+1} p^{k(k+1)/2}`, for k = 0, ..., n - 1.

    Parameters
    ----------
    vertices
        Number of vertices n, at most 1000.
    share
        Probability p of an edge, in (0, 1].

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_integer("vertices", vertices, at_least=1, at_most=1000)
    require_number("share", share, above=0.0, at_most=1.0)
    log = math.log(share)
    return tuple(math.exp(math.log(math.comb(vertices, k + 1)) + log * k * (k + 1) / 2) for k in range(vertices))


def _drawing(
    neurons: int, each: int, networks: Sequence[int], generator: torch.Generator, device: torch.device | str
) -> tuple[tuple[int, ...], dict[str, Any], torch.device]:
    """Axes of networks, how numbers are drawn and where they go, once all is checked."""
    require_count("neurons", neurons)
    networks = require_sizes("networks", networks)
    require_generator("generator", generator)
    found = require_device("device", device)
    require_room(networks=math.prod(networks), neurons=neurons, others=4 * neurons + each)
    return networks, {"generator": generator, "dtype": torch.float64, "device": "cpu"}, found
