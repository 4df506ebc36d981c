"""Lines of the teacher-student setting, against the equations and known limits (Theriault & Tantari 2024)."""

import math

import numpy as np
import pytest
from scipy.integrate import quad

from memscape.arguments import ArgumentError
from memscape.memory.teacher_student import (
    free_entropy,
    gardner_line,
    glass,
    glass_line,
    local_line,
    overlap,
    retrieval_line,
)


def gaussian(f):
    return quad(lambda z: math.exp(-z * z / 2) / math.sqrt(2 * math.pi) * f(z), -12, 12, limit=400)[0]


def test_the_overlap_solves_its_equation():
    t, p = 0.6, 3
    q = float(overlap(t, p))
    c, r = 1 / (2 * t * t), p * q ** (p - 1)
    assert q == pytest.approx(gaussian(lambda z: math.tanh(math.sqrt(c * r) * z + c * r)), abs=1e-10)
    # On the Nishimori line the overlap of two students is that of student and teacher.
    assert q == pytest.approx(gaussian(lambda z: math.tanh(math.sqrt(c * r) * z + c * r) ** 2), abs=1e-10)


def test_the_state_is_stationary_for_the_free_entropy():
    t, q, step = 0.6, float(overlap(0.6, 3)), 1e-5
    slope = (free_entropy(t, q + step, 3) - free_entropy(t, q - step, 3)) / (2 * step)
    assert abs(slope) < 1e-7
    assert free_entropy(t, 0.0, 3) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("order", [3, 4])
def test_the_local_line_is_where_the_solution_ends(order):
    line = local_line(order)
    assert overlap(0.99 * line, order) > 0.3
    assert overlap(1.01 * line, order) < 1e-6


@pytest.mark.parametrize("order", [3, 4, 5])
def test_the_two_transitions_coincide(order):
    assert retrieval_line(order) == pytest.approx(glass_line(order), abs=1e-8)
    assert retrieval_line(order) < local_line(order)


def test_large_orders_approach_the_random_energy_model():
    assert retrieval_line(8) == pytest.approx(1 / (2 * math.sqrt(math.log(2))), abs=1e-3)


def test_the_glass_solves_both_equations_and_gives_way_at_gardners_line():
    state = glass(0.5, 3, start=(0.7, 0.89))
    c = 1 / (2 * 0.25)
    root = math.sqrt(c * 3 * state.q**2)
    norm = gaussian(lambda z: math.cosh(root * z) ** state.x)
    mean = gaussian(lambda z: math.cosh(root * z) ** state.x * math.tanh(root * z) ** 2)
    assert mean / norm == pytest.approx(state.q, abs=1e-8)
    quartic = gaussian(lambda z: math.cosh(root * z) ** (state.x - 4))
    assert state.stability == pytest.approx(1 - 6 * c * state.q * quartic / norm, abs=1e-8)

    def phi(x):
        pooled = math.log(gaussian(lambda z: math.cosh(root * z) ** x)) / x
        return c / 2 * (1 - x) * 2 * state.q**3 + pooled

    assert (phi(state.x + 1e-4) - phi(state.x - 1e-4)) / 2e-4 == pytest.approx(0.0, abs=1e-6)
    line = gardner_line(3)
    assert glass(line, 3, start=(0.33, 0.967)).stability == pytest.approx(0.0, abs=1e-8)
    assert 0.23 < line < 0.25


def test_shapes_are_kept():
    t = np.full((2, 3), 0.6)
    assert overlap(t, 3).shape == (2, 3)
    assert free_entropy(t, 0.8 * np.ones((2, 3)), 3).shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: overlap(0.0, 3), "temperature: expected a finite number in [1e-100, 1e+100]; got 0."),
        (lambda: overlap(0.5, 2), "order: expected an integer >= 3; got 2."),
        (lambda: overlap(0.5, 3, steps=0), "steps: expected an integer >= 1; got 0."),
        (lambda: free_entropy(0.5, 0.5, 1), "order: expected an integer >= 3; got 1."),
        (lambda: local_line(2), "order: expected an integer >= 3; got 2."),
        (lambda: retrieval_line(2), "order: expected an integer >= 3; got 2."),
        (lambda: glass_line(2), "order: expected an integer >= 3; got 2."),
        (lambda: gardner_line(2), "order: expected an integer >= 3; got 2."),
        (lambda: glass(-1.0, 3), "temperature: expected a finite number in [1e-100, 1e+100]; got -1."),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)
