"""A grid of parameter values, written as on a command line and checked point by point before the first one runs.

An axis is ``name=values``: values with commas between them, or for an integer a range as Python slices have it.
``neurons=64,128,256`` has three values, ``seed=0:20`` has twenty, ``seed=0:20:5`` has four, and for a parameter that is
a list ``loads=[0.1],[0.1,0.2]`` has two. The grid is the product of its axes, the last one changing fastest.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from memscape.arguments import ArgumentError, require_integer
from memscape.book import parameters
from memscape.book.parameters import Declaration, Parameter

MOST = 1_000_000
"""Most points of a grid: a slip such as seed=0:1000000000 is refused before it fills the memory."""

_RANGE = re.compile(r"(-?\d+):(-?\d+)(?::(-?\d+))?$")


def points(
    axes: Sequence[str], declared: Declaration, owner: str, fixed: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return the values of every point of a grid: what the axes say, and the fixed values, by parameter.

    Parameters
    ----------
    axes
        Texts ``name=values``; none makes one point.
    declared
        The parameters of the chapter.
    owner
        The chapter's name, for messages.
    fixed
        Values that all points share. An axis of the same name goes before.

    Raises
    ------
    ArgumentError
        Naming the axis or the parameter, on a name that is unknown or comes twice, a value of the wrong type or out of
        range, an empty range, a value that comes twice, a point whose values do not go together, or a grid of more than
        a million points.
    """
    found: dict[str, list[Any]] = {}
    for axis in axes:
        name, equals, text = axis.partition("=")
        if not equals or not text.strip():
            raise ArgumentError("-g", "a name and its values, `neurons=64,128` or `seed=0:20`", repr(axis))
        parameter = parameters.require_known(name.strip(), declared, owner)
        if parameter.name in found:
            raise ArgumentError("-g", "each parameter once", f"{parameter.name} twice")
        found[parameter.name] = _values(parameter, text)
    count = 1
    for values in found.values():
        count *= len(values)
    require_integer("points of the grid", count, at_most=MOST)
    shared = {
        name: parameters.require_known(name, declared, owner).check(value) for name, value in (fixed or {}).items()
    }
    all_of_them = [shared | dict(zip(found, values, strict=True)) for values in itertools.product(*found.values())]
    rest = {name: each.reference for name, each in declared.items()}
    for point in all_of_them if declared.relations else ():
        declared.require(rest | point)
    return all_of_them


def _values(parameter: Parameter, text: str) -> list[Any]:
    values: list[Any] = []
    for piece in parameters.sequence(f"-g {parameter.name}", text):
        if parameter.kind.startswith("list") and not isinstance(piece, list):
            # One list or as many values? Brackets tell.
            raise ArgumentError(f"-g {parameter.name}", "lists in brackets, `[0.1],[0.1,0.2]`", repr(piece))
        bounds = _RANGE.match(piece) if parameter.kind == "int" and isinstance(piece, str) else None
        if bounds is None:
            values.append(parameter.take(piece))
            continue
        start, stop, step = int(bounds[1]), int(bounds[2]), int(bounds[3] or 1)
        steps = range(start, stop, step) if step else ()
        if not steps:
            raise ArgumentError(f"-g {parameter.name}", "a range start:stop:step with a value in it", repr(piece))
        require_integer(f"values of {parameter.name}", len(steps), at_most=MOST)
        values += [parameter.check(value) for value in steps]
    seen: set[str] = set()
    for value in values:
        if repr(value) in seen:
            raise ArgumentError(f"-g {parameter.name}", "each value once", f"{value!r} twice")
        seen.add(repr(value))
    return values
