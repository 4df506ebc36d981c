"""Peers of the label vote: the table that one writes plainly, and the one product of matrices that nobody avoids."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch


def plain_votes(
    memories: torch.Tensor,
    labels: torch.Tensor,
    images: torch.Tensor,
    *,
    powers: Sequence[float],
    counts: Sequence[int],
    classes: int = 10,
) -> torch.Tensor:
    """All overlaps at once, then for every power the votes of the first so many: ``(counts, powers, images)``.

    Overlaps are divided by the largest of each image, else their eightieth power would be zero.
    """
    overlaps = images @ memories.T
    members = torch.nn.functional.one_hot(labels, classes).to(images.dtype)
    found = torch.empty(len(counts), len(powers), len(images), dtype=torch.int64)
    for row, count in enumerate(counts):
        heard = overlaps[:, :count]
        shares = heard.clamp(min=0.0) / heard.amax(dim=1, keepdim=True)
        for column, power in enumerate(powers):
            if math.isinf(power):
                found[row, column] = labels[heard.argmax(dim=1)]
            else:
                found[row, column] = (shares**power @ members[:count]).argmax(dim=1)
    return found


def one_pass(memories: torch.Tensor, images: torch.Tensor, tile: int = 512) -> None:
    """Every overlap of images and memories once, in tiles of which none is kept."""
    made = images.new_empty(tile * tile)
    for some in images.split(tile):
        for stored in memories.split(tile):
            torch.mm(some, stored.T, out=made[: len(some) * len(stored)].view(len(some), len(stored)))
