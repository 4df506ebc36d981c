"""How numbers are printed: as in print, with thousands apart, a real minus and powers of ten.

A float may differ in its last digits from one processor to the next. Such a number is printed behind `MARK`, which no
reader sees and by which the comparison of stored outputs knows to leave it out; what holds it is a test with a
tolerance.
"""

from __future__ import annotations

import math

MARK = "\u2060"
"""The word joiner: a character without width, in front of every number that depends on the processor."""

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def exact(value: float, digits: int = 10) -> str:
    """Return a number as in print: an integer whole, a float to so many significant digits, without trailing zeros.

    >>> exact(601080390), exact(-0.25), exact(2.5e-07), exact(1e-6)
    ('601,080,390', '−0.25', '2.5 × 10⁻⁷', '10⁻⁶')
    """
    if isinstance(value, int) or not math.isfinite(value):
        return f"{value:,}".replace("-", "−")
    mantissa, _, exponent = f"{value + 0.0:.{digits - 1}e}".partition("e")  # adding 0.0 turns -0.0 into 0.0
    power = int(exponent)
    if -5 < power < max(digits, 6):
        text = f"{float(f'{mantissa}e{power}'):,.{max(0, digits - 1 - power)}f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
    else:
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        ten = f"10{str(power).translate(_RAISED)}"
        text = {"1": ten, "-1": f"-{ten}"}.get(mantissa, f"{mantissa}\u00a0×\u00a0{ten}")
    return text.replace("-", "−")


def measured(value: float, digits: int = 4) -> str:
    """Return a float as `exact` does, behind `MARK`."""
    return MARK + exact(float(value), digits)
