"""A census of random networks of three neurons, against a plain loop over the same draws."""

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.polytopes.census import census, lognormal
from memscape.polytopes.chirotopes import canonical, set_codes, table_codes
from memscape.polytopes.threshold_linear import ThresholdLinear, fixed_points


def test_a_census_counts_what_networks_show_one_by_one():
    found = census(2, 150, np.random.default_rng(3))
    rng = np.random.default_rng(3)
    tables, steady, equal, free, kinds = np.zeros(1024), np.zeros(1024), {}, {}, []
    for _ in range(2):
        weights = -np.exp(1.5 * rng.standard_normal((150, 3, 3))) * (1 - np.eye(3))
        inputs = np.exp(rng.standard_normal((150, 3)))
        for counts, b in ((equal, np.ones((150, 3))), (free, inputs)):
            for w, drive in zip(weights, b, strict=True):
                points = fixed_points(ThresholdLinear(torch.from_numpy(w), torch.from_numpy(drive)))
                code = int(set_codes(points.exists, points.stable))
                counts[code] = counts.get(code, 0) + 1
            kinds.append(len({int(canonical(np.array(code), 3)) for code in [*equal, *free]}))
        for w in weights:
            code = int(table_codes(torch.from_numpy(w)))
            tables[code] += 1
            steady[code] += np.linalg.eigvals(w - np.eye(3)).real.max() < 0
    assert (found.tables == tables).all()
    assert (found.steady == steady).all()
    for counts, ours in ((equal, found.equal), (free, found.free)):
        assert {int(code): int(ours[code]) for code in np.flatnonzero(ours)} == counts
    assert found.growth == tuple(kinds)
    assert found.exceptions == 0
    torch.testing.assert_close(found.last, torch.from_numpy(weights))


def test_couplings_are_negative_and_of_the_spread_asked_for():
    drawn = lognormal(np.random.default_rng(0), 4000, 3, spread=0.5)
    assert (drawn.diagonal(dim1=-2, dim2=-1) == 0).all()
    sizes = drawn[:, ~torch.eye(3, dtype=torch.bool)].neg().log()
    assert sizes.mean().item() == pytest.approx(0, abs=0.02)
    assert sizes.std().item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: census(0, 1, np.random.default_rng(0)), "rounds"),
        (lambda: census(1, 0, np.random.default_rng(0)), "networks"),
        (lambda: census(1, 1, 0), "rng"),
        (lambda: lognormal(np.random.default_rng(0), 1, 1, spread=-1.0), "spread"),
    ],
)
def test_what_does_not_fit_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()
