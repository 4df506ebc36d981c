"""A sweep at a glance: what was measured against a swept parameter, with intervals over the other runs."""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import pandas as pd
import seaborn as sns

from memscape.arguments import ArgumentError, require_choice
from memscape.book import figures

PLAIN = ("state", "reason", "seconds", "peak_mib")
"""Columns of `outcomes.table` that are neither parameters nor measurements."""


def against(table: pd.DataFrame, across: str | None, up: list[str] | None, path: Path) -> None:
    """Draw measured values against a parameter, one panel a value, and save the figure.

    A point is the mean over all runs with that value of the parameter, a bar the 95 % bootstrap interval of the mean;
    where only seeds differ between those runs, it is the interval over seeds.

    Parameters
    ----------
    table
        From `memscape.book.outcomes.table`.
    across
        The parameter; by default the swept one with the most values that is not the seed.
    up
        The measured columns; by default all.
    path
        Where the figure goes; its suffix settles the format.

    Raises
    ------
    ArgumentError
        If no run is done, or a name is not a column of the table.
    """
    end = list(table.columns).index("state")
    names, measured = list(table.columns[:end]), [name for name in table.columns[end:] if name not in PLAIN]
    done = table[table["state"] == "done"]
    if done.empty or not measured:
        raise ArgumentError("table", "a run that is done and measured something", f"{len(table)} runs without")
    if across is None:
        counts = {name: done[name].astype(str).nunique() for name in names if name != "seed"}
        across = max(counts, key=lambda name: counts[name])
    require_choice("x", across, names)
    for name in up or []:
        require_choice("y", name, measured)
    long = done.melt(id_vars=across, value_vars=up or measured, var_name="quantity", value_name="value").dropna()
    if not pd.api.types.is_numeric_dtype(long[across]):
        long[across] = long[across].astype(str)
    figures.style()
    # A panel cannot be laid out by the style's own layout engine and by seaborn's grid at once.
    with mpl.rc_context({"figure.constrained_layout.use": False}):
        grid = sns.relplot(
            long, x=across, y="value", col="quantity", col_wrap=min(3, long["quantity"].nunique()),
            kind="line", marker="o", errorbar=("ci", 95), err_style="bars", seed=0,
            height=2.6, aspect=1.3, facet_kws={"sharey": False},
        )  # fmt: skip
        grid.set_titles("{col_name}")
        grid.set_axis_labels(across, "")
        grid.savefig(path, facecolor="white")
