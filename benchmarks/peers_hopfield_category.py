"""Fates of small networks of whole numbers, network by network, as one writes it down."""

from __future__ import annotations


def plain_census(
    couplings: list[list[list[int]]], inputs: list[list[int]], starts: list[list[int]], cap: int
) -> tuple[list[int], int]:
    """Period of each orbit of x <- (T x + b)_+, 0 where a value passes the cap; and the number of steps in all."""
    periods, steps = [], 0
    for rows, supply, start in zip(couplings, inputs, starts, strict=True):
        seen: dict[tuple[int, ...], int] = {}
        state, time = tuple(start), 0
        while max(state) <= cap and state not in seen:
            seen[state] = time
            state = tuple(
                max(0, sum(t * x for t, x in zip(row, state, strict=True)) + b)
                for row, b in zip(rows, supply, strict=True)
            )
            time += 1
        periods.append(0 if max(state) > cap else time - seen[state])
        steps += time
    return periods, steps
