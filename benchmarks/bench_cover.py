"""Dale's law: learnable or not, by non-negative least squares, against scipy's HiGHS; and by Cover's count."""

import math

import torch
from harness import MATMUL, Peer
from peers_cover import by_linear_programmes

from memscape.capacity.constrained import draw_tasks, learned, separable_share

DRAWS, INPUTS = 300, 50
"""Tasks at capacity, as many answers as inputs, where they are hardest to decide."""


def bench_signs(race) -> None:
    generator = torch.Generator().manual_seed(1965)
    inputs, answers = draw_tasks(DRAWS, INPUTS, INPUTS, generator=generator)
    signs = torch.ones(INPUTS, dtype=torch.float64)
    ours = learned(inputs, answers, signs)
    assert ours.tolist() == by_linear_programmes(inputs, answers)
    # Both decide tasks; the count knows the share of them without any.
    exact = float(separable_share(INPUTS, 2 * INPUTS))
    assert abs(ours.double().mean().item() - exact) < 4 * math.sqrt(exact * (1 - exact) / DRAWS)
    race.run(
        "tasks of a unit with prescribed signs",
        f"{DRAWS} tasks, N = P = {INPUTS}",
        lambda: learned(inputs, answers, signs),
        {"scipy linprog, HiGHS, one programme a task": Peer(lambda: by_linear_programmes(inputs, answers), target=2.0)},
        {MATMUL: 2.0 * DRAWS * INPUTS**3},
        "each of N columns enters the active set once, at the cost of a product with the matrix",
        rounds=5,
    )
