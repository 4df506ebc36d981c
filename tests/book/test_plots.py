"""The figure of a sweep shows what was swept, its seeds as intervals, and nothing that is rounding noise."""

import math

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from memscape.arguments import ArgumentError
from memscape.book import plots

STUDENT = 12.706204736432095  # quantile of Student's distribution for two runs


def table(points, **columns):
    rows = []
    for point in points:
        state = {"state": "done", "reason": "", "seconds": 1.0, "peak_mib": 80}
        rows.append({"units": 20, "load": 0.1, "sizes": [1, 2], "seed": 0, **point, **state})
        rows[-1] |= {name.replace("_", "-"): of(rows[-1]) for name, of in columns.items()}
    return pd.DataFrame(rows)


GRID = [{"units": units, "seed": seed} for units in (20, 30) for seed in (0, 1)]
LISTS = [{"sizes": sizes, "units": units} for sizes in ([1], [1, 2], [3]) for units in (20, 30)]


def drawn(tmp_path, monkeypatch, *arguments):
    """The panels of a figure, as they are saved."""
    kept = []
    monkeypatch.setattr(plt, "close", kept.append)
    plots.against(*arguments, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
    return kept[0]


def test_seeds_become_intervals():
    found = plots.summary(table(GRID, A_1=lambda row: row["units"] + row["seed"]))
    assert list(found.columns) == ["units", "value", "mean", "low", "high", "runs"]
    assert found["mean"].tolist() == [20.5, 30.5]
    assert found["runs"].tolist() == [2, 2]
    assert found["high"][0] == pytest.approx(20.5 + STUDENT / 2)
    assert found["low"][0] == pytest.approx(20.5 - STUDENT / 2)


def test_one_run_has_no_interval_and_one_that_failed_does_not_count():
    rows = table(GRID, A_1=lambda row: row["units"] + row["seed"])
    rows.loc[1, "state"] = "failed"
    found = plots.summary(rows)
    assert found["mean"].tolist() == [20, 30.5]
    assert math.isnan(found["low"][0])
    rows["state"] = "missing"
    with pytest.raises(ArgumentError, match="table: expected a run that is done and measured something; got 4 runs"):
        plots.summary(rows)


def test_lists_are_swept_like_numbers_and_the_longest_axis_comes_first():
    rows = table(LISTS, A_1=lambda row: sum(row["sizes"]) * row["units"])
    assert plots.swept(rows) == ["sizes", "units"]
    found = plots.summary(rows)
    assert len(found) == 6
    assert found["sizes"].tolist()[0] == [1]
    assert found["mean"].tolist() == [20, 30, 60, 90, 60, 90]


def test_rounding_noise_is_left_out_and_zeros_are_not():
    rows = table(GRID, A_1=lambda row: 1e-12 * row["seed"], A_2=lambda row: 0, A_3=lambda row: 1e-8 * row["seed"])
    assert plots.measured(rows) == (["A-2", "A-3"], ["A-1"])
    assert set(plots.summary(rows)["value"]) == {"A-2", "A-3"}
    assert set(plots.summary(rows, up=["A-1"])["value"]) == {"A-1"}
    with pytest.raises(ArgumentError, match="y: expected one of 'A-2', 'A-3', 'A-1'; got 'A-9'"):
        plots.summary(rows, up=["A-9"])


def test_a_panel_a_value_with_a_line_for_each_value_of_a_second_parameter(tmp_path, monkeypatch):
    rows = table(LISTS, A_1=lambda row: sum(row["sizes"]) * row["units"], A_2=lambda row: 7)
    figure = drawn(tmp_path, monkeypatch, rows, None, None)
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["A-1"]  # nothing has moved the other
    assert [len(line.get_xdata()) for line in figure.axes[0].get_lines()] == [3, 3]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["20", "30"]
    figure = drawn(tmp_path, monkeypatch, rows, "units", ["A-2"])
    assert [axes.get_xlabel() for axes in figure.axes] == ["units"]
    with pytest.raises(ArgumentError, match="x: expected one of 'units', 'load', 'sizes', 'seed'; got 'unit'"):
        plots.against(rows, "unit", None, tmp_path / "b.png")


def test_a_sweep_of_seeds_has_a_strip_a_value_with_a_dot_a_run(tmp_path, monkeypatch):
    rows = table([{"seed": seed} for seed in range(4)], A_1=lambda row: row["seed"], A_2=lambda row: row["seed"] ** 2)
    figure = drawn(tmp_path, monkeypatch, rows, None, None)
    assert [axes.get_ylabel() for axes in figure.axes] == ["A-1", "A-2"]
    dots, bar, mean = figure.axes[1].get_lines()
    assert dots.get_xdata().tolist() == [0, 1, 4, 9]
    assert mean.get_xdata().tolist() == [3.5]
    assert bar.get_xdata()[0] < 3.5 < bar.get_xdata()[1]


def test_a_single_run_is_drawn(tmp_path, monkeypatch):
    figure = drawn(tmp_path, monkeypatch, table([{}], A_1=lambda row: 3, A_2=lambda row: 4), None, None)
    assert len(figure.axes) == 2


def test_a_second_parameter_that_is_named_gets_the_axis_though_it_has_fewer_values(tmp_path, monkeypatch):
    rows = table(LISTS, A_1=lambda row: row["units"])
    figure = drawn(tmp_path, monkeypatch, rows, "units", None)
    assert figure.axes[0].get_xlabel() == "units"
    assert len(figure.axes[0].get_lines()) == 3
