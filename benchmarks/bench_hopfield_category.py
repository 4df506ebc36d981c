"""The census of all small networks under (6.8), all at once, against the loop that one would write.

The bound: every network has to be stepped at least until it repeats or passes the cap, and a step of three units takes
nine products and nine sums.
"""

import torch
from harness import MATMUL, Peer
from peers_hopfield_category import plain_census

from memscape.homotopy.hopfield_category import fates, small_networks

CAP = 300


def networks() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    couplings, inputs = small_networks(3, (-1, 0, 1), (0, 1, 2))
    starts = torch.zeros_like(inputs)
    starts[:, 0] = 1
    return couplings, inputs, starts


def bench_census_of_three_units(race) -> None:
    couplings, inputs, starts = networks()
    plain = [each.long().tolist() for each in (couplings, inputs, starts)]
    periods, steps = plain_census(*plain, CAP)
    assert fates("replacing", couplings, inputs, starts, cap=CAP).period.tolist() == periods
    race.run(
        "census of small networks",
        "19683 networks of three units, cap 300",
        lambda: fates("replacing", couplings, inputs, starts, cap=CAP),
        {"Python, a table of past states for each network": Peer(lambda: plain_census(*plain, CAP), target=10.0)},
        {MATMUL: 18.0 * steps},
        "every network is stepped until it repeats or passes the cap",
        rounds=5,
    )
