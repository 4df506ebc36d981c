"""Regions of a rectified network the plain way: one polygon after another, one edge after another."""

from __future__ import annotations

from memscape.polytopes.splines import Network

Point = tuple[float, float]
Line = tuple[float, float, float]


def clipped(polygon: list[Point], line: Line) -> tuple[list[Point], list[Point]]:
    """Both parts of a convex polygon, by walking around it (Sutherland and Hodgman 1974)."""
    a, b, c = line
    values = [a * x + b * y + c for x, y in polygon]
    above: list[Point] = []
    below: list[Point] = []
    for i, (point, value) in enumerate(zip(polygon, values, strict=True)):
        (above if value >= 0 else below).append(point)
        after, other = polygon[(i + 1) % len(polygon)], values[(i + 1) % len(polygon)]
        if (value >= 0) != (other >= 0):
            t = value / (value - other)
            met = (point[0] + t * (after[0] - point[0]), point[1] + t * (after[1] - point[1]))
            above.append(met)
            below.append(met)
    return above, below


def regions_one_by_one(network: Network, half: float) -> int:
    """Number of regions in the square [-half, half]^2."""
    weights = [each.tolist() for each in network.weights]
    biases = [each.tolist() for each in network.biases]
    window = [(-half, -half), (half, -half), (half, half), (-half, half)]
    found: list[tuple[list[Point], list[Line]]] = [(window, [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0)])]
    for rows, offsets in zip(weights[:-1], biases[:-1], strict=True):
        grown: list[tuple[list[Point], list[Line]]] = []
        for polygon, inputs in found:
            lines = []
            for row, offset in zip(rows, offsets, strict=True):
                a = sum(w * line[0] for w, line in zip(row, inputs, strict=True))
                b = sum(w * line[1] for w, line in zip(row, inputs, strict=True))
                c = sum(w * line[2] for w, line in zip(row, inputs, strict=True)) + offset
                lines.append((a, b, c))
            parts: list[tuple[list[Point], list[Line]]] = [(polygon, [])]
            for line in lines:
                both: list[tuple[list[Point], list[Line]]] = []
                for part, outputs in parts:
                    above, below = clipped(part, line)
                    if above:
                        both.append((above, [*outputs, line]))
                    if below:
                        both.append((below, [*outputs, (0.0, 0.0, 0.0)]))
                parts = both
            grown.extend(parts)
        found = grown
    return len(found)
