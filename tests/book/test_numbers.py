"""Numbers are printed as in print, and those that depend on the processor behind a mark that nobody sees."""

import math
import unicodedata

import pytest

from memscape.book import numbers


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (7, 3, "7"),
        (-12757, 3, "−12,757"),
        (27676839334648, 3, "27,676,839,334,648"),
        (0.0, 3, "0"),
        (-0.0, 3, "0"),
        (0.13790563, 3, "0.138"),
        (0.1, 3, "0.1"),
        (-0.25, 3, "−0.25"),
        (0.9999, 3, "1"),
        (99.96, 3, "100"),
        (1234.5, 3, "1,230"),
        (123456.0, 3, "123,000"),
        (1234567.0, 3, "1.23 × 10⁶"),
        (1234567.0, 10, "1,234,567"),
        (0.0001, 3, "0.0001"),
        (0.00001, 3, "10⁻⁵"),
        (-1e-12, 3, "−10⁻¹²"),
        (2.5e-7, 3, "2.5 × 10⁻⁷"),
        (math.inf, 3, "inf"),
        (-math.inf, 3, "−inf"),
        (math.nan, 3, "nan"),
    ],
)
def test_a_number_is_printed_as_in_print(value, digits, text):
    assert numbers.exact(value, digits).replace("\u00a0", " ") == text


def test_a_measured_number_stands_behind_a_mark_without_width():
    assert numbers.measured(0.5) == numbers.MARK + "0.5"
    assert unicodedata.category(numbers.MARK) == "Cf"
    assert numbers.measured(3) == numbers.MARK + "3"
