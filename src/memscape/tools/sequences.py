"""What is asked of a list of numbers in several modules: that counts rise, and that probabilities are some."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from memscape.arguments import ArgumentError, require_count, require_numbers, require_sequence

__all__ = ["require_probabilities", "require_rising"]


def require_rising(
    argument: str, values: Sequence[int], expected: str, *, shortest: int = 1, at_most: int = 2**53
) -> tuple[int, ...]:
    """Return positive integers as a tuple if each is larger than the one before, otherwise raise.

    Parameters
    ----------
    argument
        Name of the argument.
    values
        What it holds.
    expected
        What it should hold, for the message.
    shortest
        How many numbers there must be.
    at_most
        The largest that is admitted.

    Raises
    ------
    ArgumentError
        Naming the argument, what was expected and what came.
    """
    require_count("shortest", shortest)
    require_count("at_most", at_most)
    numbers = require_sequence(argument, values, "numbers")
    found = tuple(require_count(argument, number, at_most=at_most) for number in numbers)
    if len(found) < shortest or any(after <= before for before, after in itertools.pairwise(found)):
        raise ArgumentError(argument, expected, str(list(found)[:9]))
    return found


def require_probabilities(argument: str, values: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Return numbers of one axis as an array if none is negative and they sum to 1, otherwise raise.

    Parameters
    ----------
    argument
        Name of the argument.
    values
        What it holds.

    Raises
    ------
    ArgumentError
        Naming the argument, what was expected and what came.
    """
    chances = require_numbers(argument, values)
    fits = chances.ndim == 1 and chances.size > 0 and np.isfinite(chances).all() and (chances >= 0).all()
    if not fits or abs(chances.sum() - 1) > 1e-9 or chances.max() > 1:
        raise ArgumentError(
            argument, "one axis of numbers >= 0 that sum to 1", f"shape {chances.shape}", "Divide by the sum."
        )
    return chances
