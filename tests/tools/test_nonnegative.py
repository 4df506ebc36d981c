"""Least squares without negative numbers: every support tried, and a solver that gives a wrong answer."""

import itertools

import numpy as np
import pytest

from memscape.arguments import ArgumentError
from memscape.tools import nonnegative
from memscape.tools.nonnegative import nonnegative_least_squares


def by_every_support(system, target):
    """Least residual of all choices of columns, each by least squares, of those without negative numbers."""
    best, columns = np.linalg.norm(target), system.shape[1]
    for size in range(1, columns + 1):
        for chosen in itertools.combinations(range(columns), size):
            part = system[:, chosen]
            found = np.linalg.lstsq(part, target)[0]
            if (found >= -1e-12).all():
                best = min(best, np.linalg.norm(part @ found - target))
    return best


@pytest.mark.parametrize("seed", range(12))
def test_no_choice_of_columns_is_better(seed):
    rng = np.random.default_rng(seed)
    # Spins are degenerate: rows and columns come twice, and sums cancel.
    rows = rng.choice([-1.0, 1.0], size=(6, 4)) if seed % 2 else rng.normal(size=(6, 4))
    system = np.hstack([rows, -np.eye(6)[:, :4]])
    found = nonnegative_least_squares(system, np.ones(6))
    assert (found >= 0).all()
    assert np.linalg.norm(system @ found - 1) == pytest.approx(by_every_support(system, np.ones(6)), abs=1e-9)


def wrong(system, target, **_):
    return np.full(system.shape[1], 0.5), 0.0


def exhausted(system, target, **_):
    raise RuntimeError("Maximum number of iterations reached.")


@pytest.mark.parametrize("solver", [wrong, exhausted])
def test_a_fast_solver_that_fails_is_not_believed(monkeypatch, solver):
    system, target = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, -1.0]]), np.array([1.0, 2.0, -3.0])
    expected = nonnegative_least_squares(system, target)
    monkeypatch.setattr(nonnegative, "nnls", solver)
    assert nonnegative_least_squares(system, target) == pytest.approx(expected, abs=1e-12)
    monkeypatch.setattr(nonnegative, "lsq_linear", lambda *_, **__: type("Wrong", (), {"x": np.ones(2)}))
    with pytest.raises(RuntimeError, match="neither solver"):
        nonnegative_least_squares(system, target)


@pytest.mark.parametrize("scale", [1e-30, 1e-9, 1e9, 1e30])
def test_the_unit_does_not_matter(scale):
    rng = np.random.default_rng(1)
    system, target = rng.normal(size=(7, 5)), rng.normal(size=7)
    expected = nonnegative_least_squares(system, target)
    assert (expected == 0).any()
    assert nonnegative_least_squares(system * scale, target) * scale == pytest.approx(expected, abs=1e-10)
    assert nonnegative_least_squares(system, target * scale) / scale == pytest.approx(expected, abs=1e-10)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ArgumentError, match="system: expected axes"):
        nonnegative_least_squares([1.0, 2.0], [1.0, 2.0])
    with pytest.raises(ArgumentError, match="target: expected shape"):
        nonnegative_least_squares([[1.0, 2.0]], [1.0, 2.0])
    with pytest.raises(ArgumentError, match="target: expected finite"):
        nonnegative_least_squares([[1.0, 2.0]], [np.inf])
