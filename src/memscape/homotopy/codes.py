r"""Codes of place cells: which cells fire together where, on five kinds of world.

A world is the unit *square* less round holes, the flat *torus* and the flat *klein* bottle of area 1, or the unit
*sphere*. Cell i fires at the points nearer to its centre than its radius; on the sphere the radius is an angle. Each
of T points gives a *word*, the set of cells that fire there. The complex of the words contains every set of cells that
has fired together (:func:`memscape.tools.homology.together`). If all fields and whatever some of them have in
common can be shrunk to a point, this nerve has the homotopy type of what the fields cover.

The fields leave holes open where none of them reaches. :func:`uncovered` is their expected number on closed surfaces,
and :func:`covered` says for tori and Klein bottles that are given whether there is one.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from memscape.arguments import (
    ArgumentError,
    described,
    require_choice,
    require_count,
    require_device,
    require_generator,
    require_integer,
    require_number,
    require_room,
    require_sequence,
    require_tensor,
)
from memscape.tools import pieces
from memscape.tools.homology import below, core, together

__all__ = [
    "WORLDS",
    "betti",
    "cells",
    "covered",
    "deviations",
    "firing",
    "missed",
    "partners",
    "permuted",
    "place_holes",
    "positions",
    "split",
    "uncovered",
]

WORLDS = ("square", "torus", "klein", "sphere")
"""The unit square, the flat torus and Klein bottle of area 1, and the unit sphere."""


def place_holes(
    arenas: int, count: int, radius: float, *, gap: float = 0.1, generator: torch.Generator
) -> torch.Tensor:
    """Centres of round holes in the unit square, uniform in [0.2, 0.8]^2 given that no two are too near.

    Parameters
    ----------
    arenas
        Number of arenas A.
    count
        Holes k in each, 0 to 5.
    radius, gap
        Two centres are at least twice the radius plus the gap apart; the radius is in (0, 0.2], the gap at least 0.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Axes ``(A, k, 2)``, float64, on the CPU.

    Raises
    ------
    ArgumentError
        If an argument is out of range, or holes of this size have found no room in a hundred times 4096 trials.
    """
    require_count("arenas", arenas)
    require_integer("count", count, at_least=0, at_most=5)
    require_number("radius", radius, above=0.0, at_most=0.2)
    require_number("gap", gap, at_least=0.0, at_most=1.0)
    require_generator("generator", generator)
    require_room(arenas=arenas, count=max(count, 1) * 2)
    found = torch.zeros(0, count, 2, dtype=torch.float64, device="cpu")
    for _ in range(100 + arenas // 8):
        if len(found) >= arenas:
            break
        drawn = 0.2 + 0.6 * torch.rand(4096, count, 2, generator=generator, dtype=torch.float64, device="cpu")
        apart = torch.cdist(drawn, drawn) + 10 * torch.eye(count, dtype=torch.float64, device="cpu")
        found = torch.cat([found, drawn[(apart >= 2 * radius + gap).flatten(1).all(dim=1)]])
    if len(found) < arenas:
        raise ArgumentError("radius", f"{count} holes with room in the square", f"{radius:g}", "Make them smaller.")
    return found[:arenas]


def positions(
    world: str,
    arenas: int,
    count: int,
    *,
    holes: torch.Tensor | None = None,
    radius: float = 0.1,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Points of a world, uniform and independent: where an animal has been, or centres of fields.

    Parameters
    ----------
    world
        One of :data:`WORLDS`.
    arenas, count
        Number of arenas A and of points T in each.
    holes
        For the square: centres of holes, axes ``(A, k, 2)``, as from :func:`place_holes`; no point lies in them.
    radius
        Of the holes, in (0, 0.2].
    generator
        A CPU generator.
    device
        Of the result.

    Returns
    -------
    torch.Tensor
        Axes ``(A, T, 2)``, float64, in the unit square; axes ``(A, T, 3)`` on the sphere.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or holes are given for another world.
    """
    require_choice("world", world, WORLDS)
    require_count("arenas", arenas)
    require_count("count", count)
    require_number("radius", radius, above=0.0, at_most=0.2)
    require_generator("generator", generator)
    device = require_device("device", device)
    require_room(arenas=arenas, count=count * 16)
    options: dict[str, Any] = {"generator": generator, "dtype": torch.float64, "device": "cpu"}
    if world == "sphere":
        normal = torch.randn(arenas, count, 3, **options)
        drawn = normal / normal.norm(dim=-1, keepdim=True)
    else:
        drawn = torch.rand(arenas, count, 2, **options)
    if holes is None:
        return drawn.to(device)
    require_tensor("holes", holes, "arenas holes 2", sizes={"arenas": arenas})
    if world != "square" or holes.shape[1] > 5 or holes.dtype != torch.float64:
        raise ArgumentError("holes", "float64 centres of at most five holes, for the square only", described(holes))
    holes = holes.cpu()
    while True:
        inside = _inside(drawn, holes, radius)
        if not inside.any():
            return drawn.to(device)
        drawn[inside] = torch.rand(int(inside.sum()), 2, **options)


def _inside(points: torch.Tensor, holes: torch.Tensor, radius: float) -> torch.Tensor:
    """Whether each point ``(A, T, 2)`` lies in a hole ``(A, k, 2)``."""
    near = torch.zeros(points.shape[:-1], dtype=torch.bool, device=points.device)
    for hole in holes.unbind(dim=1):
        near |= (points - hole[:, None]).square().sum(dim=-1) < radius**2
    return near


def firing(world: str, points: torch.Tensor, centres: torch.Tensor, radii: torch.Tensor | float) -> torch.Tensor:
    """Which cells fire at which points.

    Parameters
    ----------
    world
        One of :data:`WORLDS`. The torus is the square with opposite sides glued; the Klein bottle glues left and right
        with a flip: (x + 1, y) is (x, 1 - y).
    points, centres
        Axes ``(A, T, 2)`` and ``(A, N, 2)``, or 3 coordinates on the sphere; floating, of one dtype and device.
    radii
        One number or axes ``(A, N)``, at most 1/4 on the torus and the Klein bottle and 1 elsewhere: fields and what
        they have in common are then convex.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(A, T, N)``.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_choice("world", world, WORLDS)
    axes = 3 if world == "sphere" else 2
    sizes: dict[str, int] = {}
    require_tensor("points", points, f"arenas points {axes}", sizes=sizes)
    require_tensor("centres", centres, f"arenas cells {axes}", dtype=points.dtype, device=points.device, sizes=sizes)
    most = 0.25 if world in ("torus", "klein") else 1.0
    if isinstance(radii, torch.Tensor):
        require_tensor("radii", radii, "arenas cells", dtype=points.dtype, device=points.device, sizes=sizes)
        if (radii <= 0).any() or (radii > most).any():
            raise ArgumentError("radii", f"numbers above 0, at most {most:g}", f"up to {radii.max().item():g}")
    else:
        require_number("radii", radii, above=0.0, at_most=most)
        radii = centres.new_full(centres.shape[:-1], radii)
    require_room(points=sizes["arenas"] * sizes["points"], centres=sizes["cells"])
    found = torch.empty(*points.shape[:-1], sizes["cells"], dtype=torch.bool, device=points.device)
    each = 64 * sizes["points"] * sizes["cells"]
    width = pieces.fitting(each)
    if points.device.type == "cpu":  # one that stays in the cache is passed over faster
        width = min(width, pieces.cached(each))
    for part in pieces.slices(sizes["arenas"], width):
        x, c, r = points[part], centres[part], radii[part, None]
        if world == "sphere":
            found[part] = x @ c.mT > r.cos()
            continue
        across, up = _apart(world, x, c)
        found[part] = across.square_().add_(up.square_()) < r.square()
    return found


def _apart(world: str, x: torch.Tensor, c: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How far points ``(A, T, 2)`` lie to the right of centres ``(A, N, 2)`` and above, from the nearest image."""
    across, up = (x[..., None, axis] - c[:, None, :, axis] for axis in (0, 1))
    if world == "klein":
        turns = across.round()
        up = torch.where(turns % 2 == 0, up, x[..., None, 1] - 1 + c[:, None, :, 1])
    if world != "square":
        across, up = across.sub_(across.round()), up.sub_(up.round())
    return across, up


def covered(world: str, centres: torch.Tensor, radius: float) -> torch.Tensor:
    """Whether discs leave no point of a torus or a Klein bottle uncovered: exact up to rounding, without positions.

    What is left uncovered is bordered by arcs of the circles. So nothing is left if every circle lies in the other
    discs, and this is asked of the arcs that they cut out of it. If a world is covered, the fields have its holes.

    Parameters
    ----------
    world
        "torus" or "klein".
    centres
        Axes ``(A, N, 2)``, floating, N at least 2.
    radius
        Of all discs, at most 1/4.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(A,)``.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_choice("world", world, ("torus", "klein"))
    sizes: dict[str, int] = {}
    require_tensor("centres", centres, "arenas cells 2", sizes=sizes)
    require_number("radius", radius, above=0.0, at_most=0.25)
    neurons = require_count("centres", sizes["cells"], at_least=2)
    turn = 2 * math.pi
    found = torch.empty(sizes["arenas"], dtype=torch.bool, device=centres.device)
    for part in pieces.slices(sizes["arenas"], pieces.fitting(128 * neurons**2)):
        across, up = _apart(world, centres[part], centres[part])
        square = across.square() + up.square()
        square.diagonal(dim1=1, dim2=2).fill_(1.0)  # no arc of its own
        most = max(1, int((square < 4 * radius**2).sum(dim=-1).max()))
        square, near = square.topk(most, dim=-1, largest=False)
        half = (square.sqrt() / (2 * radius)).clamp(max=1).acos()
        start = (torch.atan2(-up.gather(-1, near), -across.gather(-1, near)) - half).remainder(turn)
        start, order = start.sort(dim=-1)
        reach = (start + 2 * half.gather(-1, order)).cummax(dim=-1).values
        # Up to where a circle is covered when the next arc begins; the last arcs go on beyond a full turn.
        before = torch.maximum(reach.roll(1, dims=-1), reach[..., -1:] - turn)
        before[..., 0] = reach[..., -1] - turn
        found[part] = (start <= before).flatten(1).all(dim=1)
    return found


def cells(
    world: str,
    arenas: int,
    neurons: int,
    radius: float,
    count: int,
    *,
    holes: torch.Tensor | None = None,
    hole_radius: float = 0.1,
    widest: float | None = None,
    generator: torch.Generator,
    device: torch.device | str = "cpu",
) -> torch.Tensor:
    """Words of place cells: centres uniform in the world, and what fires at points uniform in it.

    Parameters
    ----------
    world, arenas, holes, hole_radius, generator, device
        As for :func:`positions`.
    neurons, radius
        Number of cells N and radius of their fields.
    count
        Number of points T.
    widest
        Where given, radii are uniform between ``radius`` and this one.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(A, T, N)``.

    Raises
    ------
    ArgumentError
        If :func:`positions` or :func:`firing` refuses, or the words do not fit in memory.
    """
    require_count("neurons", neurons)
    require_count("count", count)
    require_count("arenas", arenas)
    require_room(arenas=arenas, count=count, neurons=neurons)
    require_number("radius", radius, above=0.0, at_most=1.0)
    require_number("hole_radius", hole_radius, above=0.0, at_most=0.2)
    where: dict[str, Any] = {"holes": holes, "radius": hole_radius, "generator": generator, "device": device}
    centres = positions(world, arenas, neurons, **where)
    points = positions(world, arenas, count, **where)
    if widest is None:
        return firing(world, points, centres, radius)
    require_number("widest", widest, at_least=radius, at_most=1.0)
    free = torch.rand(arenas, neurons, generator=generator, dtype=torch.float64, device="cpu").to(centres.device)
    return firing(world, points, centres, radius + (widest - radius) * free)


def betti(words: torch.Tensor, dimension: int, *, fields: Sequence[int] = (2,)) -> torch.Tensor:
    """Betti numbers of the complex of every code.

    Parameters
    ----------
    words
        Booleans, axes ``(A, T, N)``; in every arena some cell fires.
    dimension
        Largest dimension of holes d, 0 to 2.
    fields
        Primes; numbers that differ between two of them reveal torsion.

    Returns
    -------
    torch.Tensor
        Whole numbers, axes ``(A, fields, d + 1)``, on the CPU.

    Raises
    ------
    ArgumentError
        If an argument is none of these, or a complex is too large (:func:`memscape.tools.homology.together`).
    """
    table = _require_words(words)
    require_integer("dimension", dimension, at_least=0, at_most=2)
    if not require_sequence("fields", fields, "primes"):
        raise ArgumentError("fields", "at least one prime", "none")
    found = []
    for each in table:
        tree = together(core(each), dimension + 1)
        tree.reset_filtration(0.0, 0)  # how often a set fires does not count here, and without it less is sorted
        found.append([below(tree, dimension, field=field) for field in fields])
    return torch.tensor(found, device="cpu")


def permuted(words: torch.Tensor, *, generator: torch.Generator) -> torch.Tensor:
    """Words with the spikes of each cell permuted in time, each cell for itself: a control.

    Parameters
    ----------
    words
        Booleans, axes ``(A, T, N)``.
    generator
        A CPU generator.

    Returns
    -------
    torch.Tensor
        Booleans with the same axes and device; every cell fires as often as before.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    _require_words(words)
    require_generator("generator", generator)
    order = torch.rand(words.shape, generator=generator, device="cpu").argsort(dim=1).to(words.device)
    return words.gather(1, order)


def split(words: npt.NDArray[np.bool_], *, rounds: int = 1) -> npt.NDArray[np.bool_]:
    """Cells split by their partners: one cell for every part of its firing that shares no partner with the others.

    Parameters
    ----------
    words
        Booleans, axes ``(T, N)``. Take the partners of cell i to be the cells that ever fire together with it, joined
        where two of them fire together *and with it*. Each connected group of partners makes one cell of cell i.
    rounds
        How often this is done; nothing changes after the first round in which no cell was split.

    Returns
    -------
    numpy.ndarray
        Booleans, axes ``(T, M)`` with M at least the number of cells that fire; words in which a cell fires alone go to
        its largest part. A cell that never fires is left out.

    Raises
    ------
    ArgumentError
        If ``words`` is no table of booleans with an entry that is true.
    """
    from scipy.sparse.csgraph import connected_components

    if not isinstance(words, np.ndarray) or words.dtype != np.bool_ or words.ndim != 2 or not words.any():
        raise ArgumentError("words", "a table of booleans with axes (T, N) and an entry that is true", described(words))
    require_count("rounds", rounds)
    if rounds > 1:
        once = split(words)
        return once if once.shape[1] == words.any(axis=0).sum() else split(once, rounds=rounds - 1)
    columns = []
    for cell in np.flatnonzero(words.any(axis=0)):
        rows = words[words[:, cell]]
        rows[:, cell] = False
        partners = np.flatnonzero(rows.any(axis=0))
        if partners.size == 0:
            columns.append(words[:, cell])
            continue
        linked = rows[:, partners].astype(np.float32)
        meet = linked.T @ linked > 0
        reached, before = meet[0], 0
        while before < (before := int(reached.sum())) < len(meet):
            reached = meet[reached].any(axis=0)
        if before == len(meet):  # the usual case, without a search
            columns.append(words[:, cell])
            continue
        number, label = connected_components(meet, directed=False)
        # A word lies in the part of its partners; words without partners in the largest part.
        size = np.bincount(label, weights=linked.sum(axis=0), minlength=number)
        part = np.where(linked.any(axis=1), label[linked.argmax(axis=1)], size.argmax())
        for one in range(number):
            column = np.zeros(len(words), dtype=bool)
            column[np.flatnonzero(words[:, cell])[part == one]] = True
            columns.append(column)
    return np.stack(columns, axis=1)


def partners(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Whether the two fields of each cell meet, or have a partner in common: then the second one adds no loop.

    Parameters
    ----------
    first, second
        Booleans, axes ``(A, T, N)``: what the first fields of all cells say, and the second ones. A cell without a
        second field is false everywhere in ``second``.

    Returns
    -------
    torch.Tensor
        Booleans, axes ``(A, N)``: whether cell i has two fields, and these meet each other or both meet a field of one
        other cell, first or second.

    Raises
    ------
    ArgumentError
        If the two are not words with the same axes.
    """
    _require_words(first, "first")
    _require_words(second, "second")
    if first.shape != second.shape or first.device != second.device:
        raise ArgumentError("second", f"axes and device of first, {tuple(first.shape)}", str(tuple(second.shape)))
    found = []
    for one, two in zip(first, second, strict=True):
        number = one.shape[1]
        fields = torch.cat([one, two], dim=1).float()
        meet = (fields.mT @ fields > 0).reshape(2, number, 2, number).any(dim=2)  # field of cell i, cell j
        common = meet[0] & meet[1]
        common.diagonal().copy_((one & two).any(dim=0))  # a field always meets itself
        found.append(common.any(dim=1))
    return torch.stack(found)


def missed(neurons: int, radius: float, positions: int) -> float:
    r"""Expected number of faces that a sample of positions on the torus misses, to leading order in its size.

    .. math:: V = \frac{N (N-1) (N-2)\, r^3}{12}\, q^{N-3} \sqrt{\frac{\pi}{T}}\; C, \qquad q = 1 - \pi r^2

    counts the small triangles, each common to three discs and to no other, in which none of T positions lies. C is
    an integral over the directions of three lines around a circle.

    Parameters
    ----------
    neurons, radius
        Number of discs N, at least 3, and their radius, at most 1/4.
    positions
        Number of positions T.

    Returns
    -------
    float
        Dimensionless.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_count("neurons", neurons, at_least=3)
    require_number("radius", radius, above=0.0, at_most=0.25)
    require_count("positions", positions)
    log = (neurons - 3) * math.log1p(-math.pi * radius**2)
    triples = neurons * (neurons - 1) * (neurons - 2) * radius**3 / 12
    return math.exp(log) * triples * math.sqrt(math.pi / positions) * _directions()


@functools.cache
def _directions() -> float:
    """Integral over three directions that surround a point, of twice the area they span over the root of that around.

    Three unit vectors with angles a, b, c between them, all below pi, span the area (sin a + sin b + sin c) / 2; the
    triangle of the tangents there has the area tan a/2 + tan b/2 + tan c/2.
    """
    nodes, weights = np.polynomial.legendre.leggauss(400)
    a = (nodes[:, None] + 1) * math.pi / 2
    b = math.pi - a + a * (nodes + 1) / 2  # from pi - a to pi
    c = 2 * math.pi - a - b
    spanned = np.sin(a) + np.sin(b) + np.sin(c)
    around = np.tan(a / 2) + np.tan(b / 2) + np.tan(c / 2)
    inner = (spanned / np.sqrt(around) * weights).sum(axis=1) * a[:, 0] / 2
    return float(2 * math.pi * 2 * (inner * weights).sum() * math.pi / 2)


def uncovered(world: str, neurons: int, share: float) -> float:
    r"""Expected Euler characteristic of what N random discs leave uncovered: the number of regions, when few are left.

    .. math:: N (1-p)^{N-2} [(N-1) p - (1-p)] \quad\text{on the torus and the Klein bottle,}

    .. math:: (1-p)^{N-1} [2 (1-p) - N (1-2p) + N (N-1) p] \quad\text{on the sphere.}

    Parameters
    ----------
    world
        "torus", "klein" or "sphere".
    neurons
        Number of discs N, at least 2.
    share
        Share p of the area that one disc covers, in (0, 1); discs are so small that they do not meet themselves.

    Returns
    -------
    float
        Dimensionless. Each region that is a disc counts 1, one with h holes of its own 1 - h.

    Raises
    ------
    ArgumentError
        If an argument is none of these.
    """
    require_choice("world", world, ("torus", "klein", "sphere"))
    require_count("neurons", neurons, at_least=2)
    p = require_number("share", share, above=0.0, at_most=1 - 1e-9)
    q = 1 - p
    log = math.log1p(-p)
    if world == "sphere":
        return math.exp((neurons - 1) * log) * (2 * q - neurons * (1 - 2 * p) + neurons * (neurons - 1) * p)
    return math.exp((neurons - 2) * log) * neurons * ((neurons - 1) * p - q)


def deviations(hits: Sequence[int], trials: Sequence[int], shares: Sequence[float]) -> npt.NDArray[np.float64]:
    """How far numbers of hits are from what a law expects, in standard errors of the law.

    Parameters
    ----------
    hits, trials
        Numbers of hits and of trials, at least 1, one of each for every case.
    shares
        The share of hits that the law expects, in (0, 1).

    Returns
    -------
    numpy.ndarray
        Axes ``(cases,)``, at least 0, dimensionless: the distance of k from m q, over the root of m q (1 - q).

    Raises
    ------
    ArgumentError
        If lengths differ or a number is out of range.
    """
    sequences = {"hits": hits, "trials": trials, "shares": shares}
    for name, each in sequences.items():
        if len(require_sequence(name, each, "numbers")) != len(hits) or len(hits) == 0:
            raise ArgumentError(name, f"{max(len(hits), 1)} numbers, one a case", str(len(each)))
    k = np.array([require_integer("hits", each, at_least=0, at_most=2**53) for each in hits], dtype=np.float64)
    m = np.array([require_count("trials", each) for each in trials], dtype=np.float64)
    q = np.array([require_number("shares", each, above=0.0, at_most=1 - 1e-12) for each in shares])
    if (q < 1e-12).any() or (k > m).any():
        raise ArgumentError("shares", "shares of at least 1e-12, and no more hits than trials", "others")
    found: npt.NDArray[np.float64] = np.abs(k - m * q) / np.sqrt(m * q * (1 - q))
    return found


def _require_words(words: Any, name: str = "words") -> npt.NDArray[np.bool_]:
    if not isinstance(words, torch.Tensor) or words.dtype != torch.bool or words.dim() != 3 or 0 in words.shape:
        raise ArgumentError(name, "a tensor of booleans with axes (arenas, points, cells)", described(words))
    table: npt.NDArray[np.bool_] = words.cpu().numpy()
    return table
