"""Patterns, probes and overlaps."""

import pytest
import torch

from memscape.arguments import ArgumentError, require_generator
from memscape.memory.patterns import as_probes, flip, mixture, overlap, random_patterns, require_state

from ..draws import rng


def test_random_patterns_are_unbiased_and_independent_spins():
    xi = random_patterns(200, 300, networks=(2, 3), generator=rng())
    assert xi.shape == (2, 3, 200, 300)
    assert xi.dtype == torch.float64
    assert torch.equal(xi.abs(), torch.ones_like(xi))
    assert abs(xi.mean()) < 5 / xi.numel() ** 0.5
    # Overlaps of different patterns have mean 0 and variance 1 / N.
    products = (xi @ xi.mT / 300)[..., *torch.triu_indices(200, 200, 1)]
    assert abs(products.mean()) < 5 / (300 * products.numel()) ** 0.5
    assert (300 * products.var()).item() == pytest.approx(1.0, abs=0.02)


def test_random_patterns_depend_on_the_generator_alone():
    one = random_patterns(3, 50, generator=rng(1))
    assert torch.equal(one, random_patterns(3, 50, generator=rng(1)))
    assert not torch.equal(one, random_patterns(3, 50, generator=rng(2)))
    assert torch.equal(one.float(), random_patterns(3, 50, generator=rng(1), dtype=torch.float32))


@pytest.mark.parametrize("count", [0, 1, 7, 20])
def test_flip_turns_over_exactly_that_many_units_of_each_state(count):
    state = random_patterns(5, 20, networks=(3,), generator=rng(3))
    turned = flip(state, count, generator=rng(4))
    assert (turned != state).sum(dim=-1).eq(count).all()
    if count in (1, 7):
        assert (turned != state).unique(dim=1).shape[1] > 1, "other units in other states"


def test_flip_favours_no_unit():
    state = torch.ones(40_000, 5, dtype=torch.float64)
    share = (flip(state, 2, generator=rng(5)) < 0).double().mean(dim=0)
    assert (share - 0.4).abs().max() < 5 * (0.24 / 40_000) ** 0.5


def test_overlap_is_the_mean_product():
    xi = random_patterns(4, 11, networks=(2,), generator=rng(6))
    state = random_patterns(3, 11, networks=(2, 5), generator=rng(7))
    expected = torch.einsum("gpn,gbcn->gbcp", xi, state) / 11
    torch.testing.assert_close(overlap(xi, state), expected, rtol=0, atol=1e-15)
    assert torch.equal(overlap(xi[0], xi[0]).diagonal(), torch.ones(4, dtype=torch.float64))
    assert overlap(xi, state[:, 0, 0]).shape == (2, 4)


def test_a_mixture_takes_the_majority():
    xi = random_patterns(6, 400, networks=(2,), generator=rng(8))
    mixed = mixture(xi, (0, 2, 5))
    votes = (xi[:, [0, 2, 5]] > 0).sum(dim=1)
    assert torch.equal(mixed > 0, votes >= 2)
    assert torch.equal(mixture(xi, [3]), xi[:, 3])


def test_probes_are_a_view_that_can_be_undone():
    state = random_patterns(1, 5, networks=(2, 3, 4), generator=rng(9)).squeeze(-2)
    flat = as_probes(state, (2,))
    assert flat.shape == (2, 12, 5)
    assert torch.equal(flat.reshape(state.shape), state)
    assert as_probes(state, (2, 3, 4)).shape == (2, 3, 4, 1, 5)


XI = torch.ones(3, 4, dtype=torch.float64)
HALF = torch.full((4,), 0.5, dtype=torch.float64)

REFUSED = {
    "no patterns": (lambda: random_patterns(0, 4, generator=rng()), "count: expected an integer >= 1; got 0"),
    "half a pattern": (lambda: random_patterns(1.5, 4, generator=rng()), r"count: expected an integer >= 1; got 1\.5"),
    "no neurons": (lambda: random_patterns(1, 0, generator=rng()), "neurons: expected an integer >= 1; got 0"),
    "networks a number": (lambda: random_patterns(1, 1, networks=3, generator=rng()), "networks: expected a sequence"),
    "no networks": (lambda: random_patterns(1, 1, networks=(0,), generator=rng()), "networks: expected an integer"),
    "no generator": (lambda: random_patterns(1, 1, generator=0), r"generator: expected a torch\.Generator; got int"),
    "whole numbers": (lambda: random_patterns(1, 1, generator=rng(), dtype=torch.int8), "dtype: expected a floating"),
    "nowhere": (lambda: random_patterns(1, 1, generator=rng(), device="nowhere"), "device: expected a device of this"),
    "flip no spins": (lambda: flip(HALF, 1, generator=rng()), r"state: expected values in \{-1, \+1\}; got 0\.5"),
    "flip too many": (lambda: flip(XI, 5, generator=rng()), r"count: expected an integer in \[0, 4\]; got 5"),
    "flip fewer than none": (lambda: flip(XI, -1, generator=rng()), r"count: expected an integer in \[0, 4\]; got -1"),
    "flip unguided": (lambda: flip(XI, 1, generator=None), r"generator: expected a torch\.Generator; got NoneType"),
    "overlap, patterns": (lambda: overlap(HALF[None], XI), r"patterns: expected values in \{-1, \+1\}; got 0\.5"),
    "overlap, one axis": (lambda: overlap(XI[0], XI[0]), r"patterns: expected axes \(\.\.\., patterns, neurons\)"),
    "overlap, neurons": (lambda: overlap(XI, XI[:, :3]), r"state: .*neurons = 4; got shape \(3, 3\)"),
    "overlap, dtype": (lambda: overlap(XI, XI.float()), "state: expected float64; got float32"),
    "overlap, device": (lambda: overlap(XI, XI.to("meta")), "state: expected device cpu; got meta"),
    "overlap, networks": (lambda: overlap(XI[None], XI), r"state: expected leading axes \(1,\)"),
    "overlap, infinite": (lambda: overlap(XI, XI[0] / 0), "state: expected finite values; got inf"),
    "mixture of two": (lambda: mixture(XI, (0, 1)), r"members: expected an odd number .*; got \[0, 1\]"),
    "mixture twice": (lambda: mixture(XI, (0, 1, 1)), r"members: expected an odd number of distinct indices"),
    "mixture of others": (lambda: mixture(XI, (3,)), r"members: expected an integer in \[0, 2\]; got 3"),
    "mixture of no spins": (lambda: mixture(HALF[None], (0,)), "patterns: expected values in"),
    "state of halves": (lambda: require_state("s", HALF, XI), r"s: expected values in \{-1, \+1\}; got 0\.5"),
    "no generator at all": (lambda: require_generator("g", rng), r"g: expected a torch\.Generator; got function"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refusals_name_the_argument(case):
    call, message = REFUSED[case]
    with pytest.raises(ArgumentError, match=message):
        call()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_draws_are_the_same_on_cuda():
    there = random_patterns(3, 50, generator=rng(), device="cuda")
    assert torch.equal(there.cpu(), random_patterns(3, 50, generator=rng()))
    state = torch.ones(4, 30)
    assert torch.equal(flip(state.cuda(), 5, generator=rng()).cpu(), flip(state, 5, generator=rng()))
    with pytest.raises(ArgumentError, match="generator: expected a generator on the CPU"):
        random_patterns(1, 1, generator=torch.Generator("cuda"))
