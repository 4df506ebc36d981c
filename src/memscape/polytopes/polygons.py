r"""Convex polygons of the plane, cut by lines: all polygons at once, with a decision that rounding cannot spoil.

A line is the zero set of an affine function

.. math:: f(x) = a_1 x_1 + a_2 x_2 + b , \qquad \text{stored as } (a_1, a_2, b),

and cuts a convex polygon in two where f takes both signs at its vertices. :func:`signs` evaluates f at every vertex of
every polygon, :func:`cut` builds the parts. :func:`arrange` does so for one line after another and returns the regions
of the arrangement, each with its code: on which side of every line it lies.

**The tolerance.** A vertex is where two lines meet, and the more nearly parallel they are the less well it is known. So
every vertex carries a bound on its own error, in the manner of Wilkinson's running error analysis: first order in the
rounding unit, largest where lines meet at small angles. A value of f that is larger than what this bound can explain
has a certain sign. One that is not is called 0 by :func:`signs`: the line passes through the vertex, as far as floating
point can tell. Where the coefficients are meant exactly, :func:`exact_sign` settles those few in rational arithmetic,
from the two lines that meet in the vertex; this is why every edge remembers its line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from numbers import Rational

import torch

from memscape.arguments import (
    ArgumentError,
    described,
    require_count,
    require_device,
    require_kind,
    require_number,
    require_tensor,
)

__all__ = [
    "Arrangement",
    "Cut",
    "Polygons",
    "arrange",
    "convex",
    "cut",
    "doubts",
    "exact_sign",
    "sides",
    "signs",
    "square",
]

_EPS = torch.finfo(torch.float64).eps
# Rounding of a few sums and products, relative to the size of their terms. The plain count is four units. One library
# fuses a product with a sum, another does not, and none promises the last digits; a wider bound costs nothing but some
# more exact decisions.
_ROUNDING = 64 * _EPS

Line = Sequence[Fraction | int]


@dataclass(frozen=True)
class Polygons:
    """Convex polygons, each with its vertices counterclockwise, padded to the largest number of vertices.

    Attributes
    ----------
    vertices
        Axes ``(R, V, 2)``, float64. Vertex ``i`` of a polygon with fewer than V vertices and ``i`` beyond them is a
        copy of its last one.
    counts
        Integers ``(R,)``: vertices of each polygon, at least 3 (fewer only for slivers thinner than rounding).
    errors
        Axes ``(R, V)``: bound on the distance of each vertex from where exact arithmetic would put it.
    walls
        Integers ``(R, V)``: which of the lines below edge ``i``, from vertex ``i`` to the next, lies on.
    lines, uncertainty
        Coefficients of T lines and bounds on their errors, axes ``(T, 3)``.
    names
        Integers ``(T,)``: what whoever cut along a line calls it, from 0; several lines may have one name. The sides
        of the polygon that everything began with are -1, -2, ...
    """

    vertices: torch.Tensor
    counts: torch.Tensor
    errors: torch.Tensor
    walls: torch.Tensor
    lines: torch.Tensor
    uncertainty: torch.Tensor
    names: torch.Tensor

    def __len__(self) -> int:
        return self.counts.shape[0]

    def select(self, index: torch.Tensor) -> Polygons:
        """The polygons at ``index``, integers ``(S,)``, or where a mask ``(R,)`` is true.

        Raises
        ------
        ArgumentError
            If the index is no such tensor.
        """
        kinds, count = (torch.bool, torch.int64), len(self)
        if not isinstance(index, torch.Tensor) or index.dtype not in kinds or index.ndim != 1:
            raise ArgumentError("index", "integers or a mask, one axis", type(index).__name__)
        if len(index) != count if index.dtype == torch.bool else ((index < 0) | (index >= count)).any():
            raise ArgumentError("index", f"a mask of {count} polygons or integers in [0, {count - 1}]", "others")
        return self._taken(index)

    def _taken(self, index: torch.Tensor) -> Polygons:
        fields = {name: getattr(self, name)[index] for name in ("vertices", "counts", "errors", "walls")}
        return replace(self, **fields)

    @property
    def labels(self) -> torch.Tensor:
        """Integers ``(R, V)``: the name of the line that edge ``i`` lies on."""
        return self.names[self.walls]

    @property
    def real(self) -> torch.Tensor:
        """Booleans ``(R, V)``: which entries are vertices, not padding."""
        return torch.arange(self.vertices.shape[1], device=self.counts.device) < self.counts[:, None]

    @property
    def areas(self) -> torch.Tensor:
        """Area of every polygon, axes ``(R,)``: half the sum of cross products around it (the shoelace formula)."""
        return _cross(self._spokes(), self._spokes().roll(-1, dims=1)).sum(dim=-1) / 2

    @property
    def centroids(self) -> torch.Tensor:
        """A point inside every polygon, the mean of its vertices, axes ``(R, 2)``."""
        return (self.vertices * self.real[..., None]).sum(dim=1) / self.counts[:, None]

    def rings(self) -> list[torch.Tensor]:
        """The vertices of every polygon without padding, for drawing: R tensors ``(count, 2)``."""
        return list(self.vertices[self.real].split(self.counts.tolist()))

    def edges(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """All edges of all polygons: both ends ``(M, 2, 2)``, line ``(M,)`` and polygon ``(M,)``.

        An edge inside the first polygon comes twice, once from each side.
        """
        ends = torch.stack((self.vertices, self._following(self.vertices)), dim=2)
        owner = torch.arange(len(self), device=self.counts.device)[:, None].expand_as(self.walls)
        return ends[self.real], self.labels[self.real], owner[self.real]

    def _spokes(self) -> torch.Tensor:
        # Measured from the first vertex, small polygons far from the origin keep their digits.
        return self.vertices - self.vertices[:, :1]

    def _following(self, values: torch.Tensor) -> torch.Tensor:
        """What stands at the next vertex around, for values ``(R, V, ...)``."""
        after = torch.arange(1, values.shape[1] + 1, device=values.device).expand(values.shape[:2])
        after = torch.where(after < self.counts[:, None], after, 0)
        return values.gather(1, after.reshape(*after.shape, *(1,) * (values.ndim - 2)).expand_as(values))


@dataclass(frozen=True)
class Cut:
    """Polygons after a cut, and where they come from.

    Attributes
    ----------
    polygons
        The R' parts. First stand the R old ones in their old order, each cut one replaced by its part on the positive
        side; then the parts on the negative side.
    parents
        Integers ``(R',)``: the polygon each was part of.
    sides
        Integers ``(R',)``: +1 or -1, the sign of f inside; 0 where f cannot be told from zero in all of the polygon.
    """

    polygons: Polygons
    parents: torch.Tensor
    sides: torch.Tensor


@dataclass(frozen=True)
class Arrangement:
    """Regions into which lines cut a polygon.

    Attributes
    ----------
    polygons
        The R regions; an edge's label is the index of its line.
    codes
        Integers ``(R, L)``, +1 or -1: the side of each line that the region is on.
    """

    polygons: Polygons
    codes: torch.Tensor


def convex(vertices: torch.Tensor) -> Polygons:
    """One convex polygon from its vertices.

    Parameters
    ----------
    vertices
        Axes ``(V, 2)``, V at least 3, float64, in order around the polygon, either way round.

    Returns
    -------
    Polygons
        One polygon, counterclockwise, without error; its sides are -1 (from the first vertex to the second), -2, ...

    Raises
    ------
    ArgumentError
        If there are fewer than three vertices or they do not turn strictly the same way at every corner.
    """
    require_tensor("vertices", vertices, "vertices coordinates", sizes={"coordinates": 2}, dtype=torch.float64)
    if vertices.shape[0] < 3:
        raise ArgumentError("vertices", "at least 3 vertices", str(vertices.shape[0]))
    if _turns(vertices).sum() < 0:
        vertices = vertices.flip(0)
    turns = _turns(vertices)
    # Once around and no more: a pentagram turns the same way at every corner, too.
    if (turns <= 0).any() or turns.sum() > 7:
        raise ArgumentError("vertices", "a strictly convex polygon", "corners that do not all turn the same way")
    walls = torch.arange(vertices.shape[0], device=vertices.device)
    (x, y), (u, v) = vertices.unbind(dim=1), vertices.roll(-1, dims=0).unbind(dim=1)
    lines = torch.stack((y - v, u - x, x * v - u * y), dim=1)
    size = torch.stack((y.abs() + v.abs(), x.abs() + u.abs(), (x * v).abs() + (u * y).abs()), dim=1)
    return Polygons(
        vertices[None],
        vertices.new_tensor([vertices.shape[0]]).long(),
        torch.zeros_like(vertices[None, :, 0]),
        walls[None],
        lines,
        2 * _EPS * size,
        -1 - walls,
    )


def square(half: float, *, device: torch.device | str = "cpu") -> torch.Tensor:
    """Corners of the square [-half, half] x [-half, half], axes ``(4, 2)``, counterclockwise.

    Raises
    ------
    ArgumentError
        If ``half`` is not a positive finite number, or there is no such device.
    """
    half = require_number("half", half, above=0.0)
    corners = [[-half, -half], [half, -half], [half, half], [-half, half]]
    return torch.tensor(corners, dtype=torch.float64, device=require_device("device", device))


def signs(polygons: Polygons, lines: torch.Tensor, uncertainty: torch.Tensor | None = None) -> torch.Tensor:
    """Sign of an affine function at every vertex of every polygon; 0 where rounding may have decided it.

    Parameters
    ----------
    polygons
        R polygons.
    lines
        (a_1, a_2, b), float64, axes ``(3,)`` for one line or ``(R, 3)`` for one line a polygon.
    uncertainty
        How far each coefficient may be from what is meant, same axes as ``lines``; none if they are meant exactly.

    Returns
    -------
    torch.Tensor
        Axes ``(R, V)``, int8, values in {-1, 0, 1}. In the padding as at the last vertex.

    Raises
    ------
    ArgumentError
        If the axes, the dtype or the device do not fit the polygons or a value is not finite.
    """
    values, errors = _values(polygons, *_require_lines(polygons, lines, uncertainty))
    return torch.where(values.abs() > errors, values.sign(), 0.0).to(torch.int8)


def cut(
    polygons: Polygons,
    lines: torch.Tensor,
    signs: torch.Tensor,
    label: int,
    uncertainty: torch.Tensor | None = None,
) -> Cut:
    """Cut every polygon that has vertices on both sides of its line.

    A vertex of sign 0 lies on the line and is a corner of both parts. Only the signs decide which polygons are cut and
    where; the coefficients say at which point of the edge, to the nearest float.

    Parameters
    ----------
    polygons
        R polygons.
    lines
        As for :func:`signs`.
    signs
        Axes ``(R, V)``, values in {-1, 0, 1}: those of the function :func:`signs`, or better ones.
    label
        Number of the line, at least 0: the label of the edges along the cuts.
    uncertainty
        As for :func:`signs`.

    Returns
    -------
    Cut
        The parts, their parents and their sides.

    Raises
    ------
    ArgumentError
        As for :func:`signs`; if the signs do not fit, or the label is not an integer of at least 0.
    """
    lines, uncertainty = _require_lines(polygons, lines, uncertainty)
    require_count("label", label, at_least=0)
    _require_signs(polygons, signs)
    above, below = (signs > 0).any(dim=1), (signs < 0).any(dim=1)
    parents = torch.arange(len(polygons), device=signs.device)
    sides = above.to(torch.int8) - below.to(torch.int8)
    crossed = (above & below).nonzero()[:, 0]
    if crossed.numel() == 0:
        return Cut(polygons, parents, sides)
    if (lines[crossed, :2] == 0).all(dim=-1).any():
        raise ArgumentError("lines", "a direction of each line that cuts", "a_1 = a_2 = 0")
    sides[crossed] = 1
    parts = _parts(polygons._taken(crossed), lines[crossed], uncertainty[crossed], signs[crossed], label)
    return Cut(_replaced(polygons, crossed, parts), torch.cat((parents, crossed)), torch.cat((sides, -sides[crossed])))


def arrange(vertices: torch.Tensor, lines: torch.Tensor, uncertainty: torch.Tensor | None = None) -> Arrangement:
    """Regions into which L lines cut a convex polygon.

    Without ``uncertainty`` the coefficients are taken as the exact numbers that the floats are, and every sign is
    right: those within the bound on rounding are computed again with fractions. With it, a vertex closer to a line than
    the uncertainty explains lies on the line, so lines that are meant to meet in one point do.

    Parameters
    ----------
    vertices
        The polygon, as for :func:`convex`.
    lines
        (a_1, a_2, b), axes ``(L, 3)``, float64; a line outside the polygon cuts nothing.
    uncertainty
        How far each coefficient may be from what is meant, axes ``(L, 3)``.

    Returns
    -------
    Arrangement
        The regions and their codes.

    Raises
    ------
    ArgumentError
        If the polygon is not convex, or the lines do not fit or are not finite.

    Examples
    --------
    Two diagonals of a square make four triangles:

    >>> lines = torch.tensor([[1.0, 1.0, 0.0], [1.0, -1.0, 0.0]], dtype=torch.float64)
    >>> regions = arrange(square(1.0), lines)
    >>> regions.polygons.counts.tolist(), regions.codes.tolist()
    ([3, 3, 3, 3], [[1, 1], [-1, 1], [1, -1], [-1, -1]])
    """
    polygons = convex(vertices)
    base = sides(polygons)
    require_tensor("lines", lines, "lines coefficients", sizes={"coefficients": 3}, dtype=torch.float64)
    if uncertainty is not None:
        require_tensor("uncertainty", uncertainty, "...", values="nonnegative", dtype=torch.float64)
        if uncertainty.shape != lines.shape:
            raise ArgumentError("uncertainty", f"shape {tuple(lines.shape)}", f"shape {tuple(uncertainty.shape)}")
    exact = [tuple(map(Fraction, line)) for line in lines.tolist()]
    codes = torch.empty(1, 0, dtype=torch.int8, device=lines.device)
    for label, line in enumerate(lines):
        slack = None if uncertainty is None else uncertainty[label]
        side = signs(polygons, line, slack)
        if uncertainty is None:
            for region, corner, *meeting in doubts(polygons, side):
                first, second = (exact[each] if each >= 0 else base[-1 - each] for each in meeting)
                side[region, corner] = exact_sign(exact[label], first, second)
        done = cut(polygons, line, side, label, slack)
        polygons = done.polygons
        codes = torch.cat((codes[done.parents], done.sides[:, None]), dim=1)
    return Arrangement(polygons, codes)


def doubts(polygons: Polygons, signs: torch.Tensor) -> list[list[int]]:
    """Where the signs are 0: polygon, vertex, and the labels of the two lines that meet there, one list each.

    Raises
    ------
    ArgumentError
        If the signs do not fit the polygons.
    """
    _require_signs(require_kind("polygons", polygons, Polygons), signs)
    region, corner = ((signs == 0) & polygons.real).nonzero(as_tuple=True)
    before = torch.where(corner > 0, corner, polygons.counts[region]) - 1
    meeting = (polygons.names[polygons.walls[region, each]] for each in (before, corner))
    return torch.stack((region, corner, *meeting), dim=1).tolist()


def exact_sign(line: Line, first: Line, second: Line) -> int:
    """Sign of the function of ``line`` where the lines ``first`` and ``second`` meet, in exact arithmetic.

    With the three lines as rows of a matrix and their meeting point in homogeneous coordinates, the value there is a
    quotient of two determinants, of the matrix and of the 2 x 2 block that says whether the two lines meet.

    Parameters
    ----------
    line, first, second
        Coefficients (a_1, a_2, b), exact numbers.

    Returns
    -------
    int
        -1, 0 or 1.

    Raises
    ------
    ArgumentError
        If the two lines are parallel, or one is not given by three exact numbers.
    """
    for name, numbers in (("line", line), ("first", first), ("second", second)):
        exact = isinstance(numbers, tuple | list) and all(isinstance(number, Rational) for number in numbers)
        if not exact or len(numbers) != 3:
            raise ArgumentError(name, "three integers or fractions", repr(numbers)[:60])
    (a, b, c), (d, e, f), (g, h, i) = line, first, second
    meet = d * h - e * g
    if meet == 0:
        raise ArgumentError("second", "a line that meets the first in one point", "a parallel one")
    value = a * (e * i - f * h) - b * (d * i - f * g) + c * meet
    return ((value > 0) - (value < 0)) * (1 if meet > 0 else -1)


def _parts(
    polygons: Polygons, lines: torch.Tensor, uncertainty: torch.Tensor, signs: torch.Tensor, label: int
) -> Polygons:
    """Both parts of C polygons that are all cut: first those on the positive side, then those on the negative side."""
    following = polygons._following
    points, blur = _meetings(polygons, lines, uncertainty)
    cuts = torch.arange(len(polygons.lines), len(polygons.lines) + len(polygons), device=signs.device)

    # Around each part in order: a vertex if it is on this side or on the line, then the cut of the edge behind it.
    # Where the boundary turns off the old one, it goes on along the line.
    here = torch.stack((signs, -signs))
    there = torch.stack((following(signs), -following(signs)))
    keep = torch.stack((here >= 0, here * there < 0), dim=-1) & polygons.real[..., None]
    leaves = torch.stack(((here == 0) & (there < 0), here > 0), dim=-1)
    walls = torch.where(leaves, cuts[:, None, None], polygons.walls[..., None])
    keep, walls = (each.reshape(2 * len(polygons), -1) for each in (keep, walls))
    counts = keep.sum(dim=1)
    width = int(counts.max())
    # The kept entries in their order, and in the padding the last of them again.
    order = keep.to(torch.int8).argsort(dim=1, descending=True, stable=True)[:, :width]
    order = order.gather(1, torch.arange(width, device=counts.device).minimum(counts[:, None] - 1))
    corners = torch.stack((polygons.vertices, points), dim=2).flatten(1, 2).repeat(2, 1, 1)
    blurs = torch.stack((polygons.errors, blur), dim=2).flatten(1, 2).repeat(2, 1)
    return Polygons(
        vertices=corners.gather(1, order[..., None].expand(*order.shape, 2)),
        counts=counts,
        errors=blurs.gather(1, order),
        walls=walls.gather(1, order),
        lines=torch.cat((polygons.lines, lines)),
        uncertainty=torch.cat((polygons.uncertainty, uncertainty)),
        names=torch.cat((polygons.names, polygons.names.new_full((len(lines),), label))),
    )


def _meetings(polygons: Polygons, lines: torch.Tensor, uncertainty: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Where each polygon's line meets each of its edges, ``(C, V, 2)``, and bounds on the errors, ``(C, V)``.

    Right for edges whose ends have opposite signs; anything elsewhere.
    """
    tiny = torch.finfo(lines.dtype).tiny
    # Cramer's rule, from the coefficients: the errors of earlier vertices do not enter.
    (a, b, c), (d, e, f) = lines[:, None].unbind(-1), polygons.lines[polygons.walls].unbind(-1)
    meet = a * e - b * d
    points = torch.stack((b * f - c * e, c * d - a * f), dim=-1) / meet[..., None]
    x, y = points.abs().unbind(-1)
    # How far each line may be from the point in the value of its function, by the errors of its coefficients; then how
    # far the point moves if both are; and the rounding of the rule itself.
    (da, db, dc), (dd, de, df) = (uncertainty[:, None].unbind(-1), polygons.uncertainty[polygons.walls].unbind(-1))
    first, second = da * x + db * y + dc, dd * x + de * y + df
    a, b, c, d, e, f, size = (each.abs() for each in (a, b, c, d, e, f, meet))
    moved = (e + d) * first + (a + b) * second
    rounded = _ROUNDING * (b * f + c * e + c * d + a * f + (x + y) * (a * e + b * d))
    # All this is first order in the relative error of the determinant; a tenth is small enough, with the factor.
    wobble = (da * e + a * de + db * d + b * dd + _ROUNDING * (a * e + b * d)) / size.clamp_min(tiny)
    blur = torch.where(wobble < 0.1, 1.25 * (moved + rounded) / size.clamp_min(tiny), torch.inf)

    # Nearly parallel: at least the point is on the edge between two vertices of which it is known on which side they
    # are. Moving an end by its error moves it no further; moving the line slides it along, not beyond the ends.
    following = polygons._following
    values, errors = _values(polygons, lines, uncertainty)
    total = (values.abs() + following(values).abs()).clamp_min(tiny)
    steps = following(polygons.vertices) - polygons.vertices
    between = polygons.vertices + (values.abs() / total)[..., None] * steps
    slide = ((errors + following(errors)) / total).clamp_max(1.0) * torch.linalg.vector_norm(steps, dim=-1)
    rounding = _ROUNDING * (polygons.vertices.abs() + steps.abs()).sum(dim=-1)
    known = torch.maximum(polygons.errors, following(polygons.errors)) + slide + rounding
    return torch.where((blur < known)[..., None], points, between), torch.minimum(blur, known)


def _replaced(polygons: Polygons, crossed: torch.Tensor, parts: Polygons) -> Polygons:
    """The polygons with those at ``crossed`` replaced by the first half of ``parts``, then the second half."""
    cuts, regions = crossed.shape[0], len(polygons)
    width = max(polygons.vertices.shape[1], parts.vertices.shape[1])
    target = torch.cat((crossed, torch.arange(regions, regions + cuts, device=crossed.device)))
    fields = {}
    for name in ("vertices", "errors", "walls"):
        old, new = getattr(polygons, name), getattr(parts, name)
        field = old.new_empty(regions + cuts, width, *old.shape[2:])
        field[:regions, : old.shape[1]] = old
        field[:regions, old.shape[1] :] = old[:, -1:]
        field[target, : new.shape[1]] = new
        field[target, new.shape[1] :] = new[:, -1:]
        fields[name] = field
    counts = torch.cat((polygons.counts, parts.counts[cuts:])).index_copy(0, target, parts.counts)
    return replace(parts, counts=counts, **fields)


def _values(polygons: Polygons, lines: torch.Tensor, uncertainty: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The affine functions at the vertices and bounds on their errors, both ``(R, V)``."""
    # Coordinate by coordinate: a product over an axis of two is slow.
    (x, y), (a, b, c) = polygons.vertices.unbind(dim=-1), lines[..., None].unbind(dim=1)
    da, db, dc = (uncertainty + _ROUNDING * lines.abs())[..., None].unbind(dim=1)
    rounding = torch.addcmul(torch.addcmul(dc, da, x.abs()), db, y.abs())
    values = torch.addcmul(torch.addcmul(c, a, x), b, y)
    return values, torch.addcmul(rounding, torch.hypot(a, b), polygons.errors)


def _require_lines(
    polygons: Polygons, lines: torch.Tensor, uncertainty: torch.Tensor | None
) -> tuple[torch.Tensor, torch.Tensor]:
    device = require_kind("polygons", polygons, Polygons).vertices.device
    require_tensor("lines", lines, "... coefficients", sizes={"coefficients": 3}, dtype=torch.float64, device=device)
    if lines.shape not in ((3,), (len(polygons), 3)):
        raise ArgumentError("lines", f"shape (3,) or ({len(polygons)}, 3)", f"shape {tuple(lines.shape)}")
    if uncertainty is None:
        uncertainty = torch.zeros_like(lines)
    require_tensor("uncertainty", uncertainty, "...", values="nonnegative", dtype=torch.float64, device=device)
    if uncertainty.shape != lines.shape:
        raise ArgumentError("uncertainty", f"shape {tuple(lines.shape)}", f"shape {tuple(uncertainty.shape)}")
    return lines.expand(len(polygons), 3), uncertainty.expand(len(polygons), 3)


def _require_signs(polygons: Polygons, signs: torch.Tensor) -> None:
    if not isinstance(signs, torch.Tensor) or signs.dtype != torch.int8 or signs.shape != polygons.walls.shape:
        raise ArgumentError("signs", f"int8 of shape {tuple(polygons.walls.shape)}", described(signs))


def _cross(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]


def _turns(vertices: torch.Tensor) -> torch.Tensor:
    """Angle by which the way around turns to the left, at the end of every edge; axes ``(V,)``, radians."""
    steps = vertices.roll(-1, dims=0) - vertices
    onward = steps.roll(-1, dims=0)
    return torch.atan2(_cross(steps, onward), torch.linalg.vecdot(steps, onward))


def sides(polygon: Polygons) -> list[tuple[Fraction, ...]]:
    """The lines along the sides of one polygon as :func:`convex` made it, exact: that of side -1 first.

    Raises
    ------
    ArgumentError
        If ``polygon`` are no polygons.
    """
    require_kind("polygon", polygon, Polygons)
    corners = [tuple(map(Fraction, corner)) for corner in polygon.vertices[0].tolist()]
    around = zip(corners, corners[1:] + corners[:1], strict=True)
    return [(y - v, u - x, x * v - u * y) for (x, y), (u, v) in around]
