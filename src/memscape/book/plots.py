"""A sweep at a glance: each measured value against what was swept, with intervals over seeds, as rows and as a figure.

`summary` is what `memscape table` prints, and `against` draws the same numbers. Only what was swept is set apart; runs
that differ in nothing but their seeds, or in parameters that a figure has no room for, are repetitions.
"""

from __future__ import annotations

import math
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from memscape.arguments import ArgumentError, require_choice
from memscape.book import figures
from memscape.tools import statistics

PLAIN = ("state", "reason", "seconds", "peak_mib")
"""Columns of `outcomes.table` that are neither parameters nor measurements."""

NOISE = 1e-9
"""A value that is nowhere larger, and not zero everywhere, is what rounding has left of a zero."""

_COLUMNS = 3  # panels in a row
_LETTERS = 34  # of a panel's title in a line


def swept(table: pd.DataFrame) -> list[str]:
    """Return the parameters with more than one value in a sweep's table, the one with the most first, without seeds."""
    counts = {name: table[name].astype(str).nunique() for name in _split(table)[0] if name != "seed"}
    return sorted((name for name in counts if counts[name] > 1), key=lambda name: -counts[name])


def measured(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the measured columns of a sweep's table, and apart from them those that are rounding noise."""
    names = [name for name in _split(table)[1] if name not in PLAIN]
    largest = {name: pd.to_numeric(table[name], errors="coerce").abs().max() for name in names}
    noise = [name for name in names if 0 < largest[name] < NOISE]
    return [name for name in names if name not in noise], noise


def summary(table: pd.DataFrame, by: list[str] | None = None, up: list[str] | None = None) -> pd.DataFrame:
    """Return one row a measured value and point of what was swept.

    Parameters
    ----------
    table
        From `memscape.book.outcomes.table`.
    by
        The parameters that tell points apart; by default `swept`.
    up
        The measured columns; by default all but rounding noise.

    Returns
    -------
    pandas.DataFrame
        Columns: the parameters; ``value``, its name; ``mean`` over the runs of the point; ``low`` and ``high``, the
        ends of the mean's 95 % interval by Student's distribution, NaN for a single run; and ``runs``.

    Raises
    ------
    ArgumentError
        If no run is done and measured something, or a name is none of a measured column.
    """
    names, noise = measured(table)
    done = table[table["state"] == "done"]
    if done.empty or not names + noise:
        raise ArgumentError("table", "a run that is done and measured something", f"{len(table)} runs without")
    for name in up or []:
        require_choice("y", name, names + noise)
    by = swept(table) if by is None else by
    # A list is a value like any other, and not hashable.
    points = done.groupby([done[name].map(_key) for name in by], sort=True) if by else [((), done)]
    rows = []
    for name in up or names:
        for _, runs in points:
            values = pd.to_numeric(runs[name], errors="coerce").dropna().to_numpy(dtype=float)
            if not len(values):
                continue
            mean, low, high = (values[0], math.nan, math.nan)
            if len(values) > 1:
                mean, low, high = (float(each) for each in statistics.mean_interval(values))
            point = {parameter: runs[parameter].iloc[0] for parameter in by}
            rows.append(point | {"value": name, "mean": mean, "low": low, "high": high, "runs": len(values)})
    return pd.DataFrame(rows)


def against(table: pd.DataFrame, across: str | None, up: list[str] | None, path: Path) -> None:
    """Draw measured values against a swept parameter, one panel a value, and save the figure.

    A second swept parameter gives a line for each of its values; a bar is the 95 % interval of the mean over the other
    runs. Where only seeds were swept, each value has a strip of its own with a dot a run.

    Parameters
    ----------
    table
        From `memscape.book.outcomes.table`.
    across
        The parameter; by default the first of `swept`.
    up
        The measured columns; by default all that differ between runs by more than rounding, or all where none does.
    path
        Where the figure goes; its suffix settles the format.

    Raises
    ------
    ArgumentError
        If no run is done, or a name is not a column of the table.
    """
    by = swept(table)
    if across is not None:
        require_choice("x", across, _split(table)[0])
        by = [across, *(name for name in by if name != across)]
    by = by[:2]
    found = summary(table, by, up or _moved(table))
    figures.style()
    figure = _panels(found, by) if by else _strips(found, table[table["state"] == "done"])
    figure.savefig(path, facecolor="white")
    plt.close(figure)


def _split(table: pd.DataFrame) -> tuple[list[str], list[str]]:
    """Return the columns of a sweep's table before ``state``, which are the parameters, and the others."""
    names = list(table.columns)
    return names[: names.index("state")], names[names.index("state") :]


def _moved(table: pd.DataFrame) -> list[str]:
    """Return the measured columns that what was swept, seeds included, has moved by more than rounding."""
    done = table[table["state"] == "done"]
    spread = {name: np.ptp(pd.to_numeric(done[name], errors="coerce").dropna()) for name in measured(table)[0]}
    return [name for name, width in spread.items() if width > NOISE * done[name].abs().max()]


def _panels(found: pd.DataFrame, by: list[str]) -> plt.Figure:
    names = list(dict.fromkeys(found["value"]))
    columns = min(_COLUMNS, len(names))
    rows = math.ceil(len(names) / columns)
    figure, grid = plt.subplots(rows, columns, figsize=(3.6 * columns, 2.9 * rows + 0.4), squeeze=False)
    lines = list(dict.fromkeys(map(_key, found[by[1]]))) if len(by) > 1 else [None]
    colours = figures.series(len(lines)) if len(lines) > 1 else [to_rgb(figures.COLOURS["measured"])]
    for axes, name in zip(grid.flat, names, strict=False):
        here = found[found["value"] == name]
        for line, colour in zip(lines, colours, strict=True):
            rows_of_line = here if line is None else here[here[by[1]].map(_key) == line]
            _line(axes, rows_of_line, by[0], colour)
        axes.set_title(textwrap.fill(name, _LETTERS), fontsize=10, loc="left")
        axes.set_xlabel(by[0])
    for axes in list(grid.flat)[len(names) :]:
        axes.remove()
    if len(lines) > 1:
        handles = grid.flat[0].get_lines()
        labels = [_text(found.loc[found[by[1]].map(_key) == line, by[1]].iloc[0]) for line in lines]
        figure.legend(handles[: len(lines)], labels, title=by[1], loc="outside upper right", ncols=min(len(lines), 6))
    return figure


def _line(axes: Axes, rows: pd.DataFrame, across: str, colour: tuple[float, float, float]) -> None:
    numbers = pd.api.types.is_numeric_dtype(rows[across]) and not pd.api.types.is_bool_dtype(rows[across])
    x = rows[across] if numbers else rows[across].map(_text)
    axes.plot(x, rows["mean"], marker="o", color=colour)
    some = rows["low"].notna().to_numpy()
    axes.vlines(x[some], rows["low"][some], rows["high"][some], color=colour, linewidth=1.2)


def _strips(found: pd.DataFrame, done: pd.DataFrame) -> plt.Figure:
    figure, grid = plt.subplots(len(found), 1, figsize=(7.2, 0.8 * len(found) + 0.4), squeeze=False)
    for axes, row in zip(grid[:, 0], found.itertuples(index=False), strict=True):
        values = pd.to_numeric(done[row.value], errors="coerce").dropna().to_numpy(dtype=float)
        axes.plot(values, np.zeros(len(values)), "o", color=figures.COLOURS["bound"], alpha=0.5, markersize=4)
        axes.plot([row.low, row.high], [0, 0], color=figures.COLOURS["measured"])
        axes.plot(row.mean, 0, "o", color=figures.COLOURS["measured"])
        axes.set_ylim(-1, 1)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="x", labelsize=9)
        axes.locator_params(axis="x", nbins=5)
        label = textwrap.fill(row.value, _LETTERS)
        axes.set_ylabel(label, rotation=0, ha="right", va="center", fontsize=9)
    figure.supxlabel("a dot: one run; a bar: 95 % interval of the mean over seeds", fontsize=9)
    return figure


def _key(value: object) -> object:
    return tuple(value) if isinstance(value, list | np.ndarray) else value


def _text(value: object) -> str:
    return str(list(value)) if isinstance(value, list | np.ndarray) else str(value)
