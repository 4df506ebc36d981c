"""Linear memories: nested dimensions against matrices that are formed, and the law of pairs against counting."""

import math

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import counting_memory as counting
from memscape.capacity import linear_memory as linear
from memscape.tools import pieces

from ..draws import rng

SIZES = [3, 5, 9]


def one_by_one(strengths, probabilities, answers, dimensions, inputs, outputs):
    """Errors from matrices that are formed, one dimension after another."""
    found = []
    for place, size in enumerate(dimensions):
        first, last = inputs[:, :size].double(), outputs[:, :size].double()
        matrix = torch.zeros(size, size, dtype=torch.float64)
        for token in range(len(first)):
            matrix += strengths[place][token] * torch.outer(first[token], last[token % answers])
        said = [int((first[token] @ matrix @ last.mT).argmax()) for token in range(len(first))]
        found.append(sum(p for token, p in enumerate(probabilities) if said[token] != token % answers))
    return found


def drawn(tokens, answers, dimension, generator):
    inputs, outputs = torch.randn(tokens + answers, dimension, generator=generator).split([tokens, answers])
    return inputs, outputs / outputs.norm(dim=-1, keepdim=True)


@pytest.mark.parametrize("nested", [True, False])
def test_one_pass_over_coordinates_gives_every_dimension(nested):
    chances = counting.zipf(12, 1.5)
    strengths = torch.rand(2, 1 if nested else 3, 12, generator=rng(1))
    found = linear.scheme_errors(SIZES, strengths, chances, answers=3, networks=1, generator=rng(7))[0]
    inputs, outputs = drawn(12, 3, 9, rng(7))
    for scheme in range(2):
        rows = strengths[scheme].expand(3, 12).double()
        assert found[scheme].tolist() == pytest.approx(one_by_one(rows, chances, 3, SIZES, inputs, outputs))


@pytest.mark.parametrize("divisor", [None, 2])
def test_what_was_counted_most_is_stored(divisor):
    chances = counting.zipf(8, 2.0)
    counts = torch.tensor([[[5, 0, 2, 2, 0, 1, 0, 0]]])
    found = linear.counted_errors(SIZES, counts, chances, answers=3, divisor=divisor, generator=rng(2))[0, 0]
    order = [0, 2, 3, 5]  # of equally frequent ones the first
    kept = [order if divisor is None else order[: size // divisor] for size in SIZES]
    strengths = [[float(token in some) for token in range(8)] for some in kept]
    inputs, outputs = drawn(8, 3, 9, rng(2))
    assert found.tolist() == pytest.approx(one_by_one(strengths, chances, 3, SIZES, inputs, outputs))


def test_pieces_change_nothing():
    chances, strengths, sizes = counting.zipf(12, 2.0), torch.ones(1, 1, 12), [3, 8, 16]
    arguments = {"answers": 4, "networks": 5}
    whole = linear.scheme_errors(sizes, strengths, chances, **arguments, generator=rng(4))
    with pieces.budget(1):
        some = linear.scheme_errors(sizes, strengths, chances, **arguments, generator=rng(4))
    assert whole.shape == (5, 1, 3)
    # To rounding: a product of another shape may add the same probabilities in another order.
    torch.testing.assert_close(whole, some, rtol=0, atol=1e-12)


def test_schemes_that_change_with_the_dimension_and_others_stand_together():
    chances, changing = counting.zipf(12, 1.5), torch.rand(1, 3, 12, generator=rng(1))
    same = torch.rand(1, 1, 12, generator=rng(2))
    arguments = {"answers": 3, "networks": 2}
    both = torch.cat([changing, same.expand(1, 3, 12)])
    found = linear.scheme_errors(SIZES, both, chances, **arguments, generator=rng(7))
    for scheme, alone in ((0, changing), (1, same)):
        expected = linear.scheme_errors(SIZES, alone, chances, **arguments, generator=rng(7))
        torch.testing.assert_close(found[:, [scheme]], expected, rtol=0, atol=1e-12)


def test_a_lone_token_is_recalled():
    strengths = torch.tensor([[[0.0, 1.0, 0.0]]])
    found = linear.scheme_errors([400], strengths, [0.0, 1.0, 0.0], answers=3, networks=3, generator=rng())
    assert (found == 0).all()


def test_thresholds():
    assert linear.most_frequent(4, [3, 8, 99], 4).tolist() == [[0] * 4, [1, 1, 0, 0], [1] * 4]


def test_equal_strengths_have_the_error_of_the_closed_form():
    found = linear.scheme_errors(
        [200], torch.ones(1, 1, 400), np.full(400, 1 / 400), answers=5, networks=20, generator=rng()
    )
    assert found.mean().item() == pytest.approx(float(linear.equal_error(0.5, 5)), abs=0.01)


def test_closed_form_at_its_ends():
    assert float(linear.equal_error(0.0, 5)) == pytest.approx(0.8)
    # Two answers: the difference of two scores has variance 2 N / (M d).
    assert float(linear.equal_error(1.0, 2)) == pytest.approx(0.5 * math.erfc(1 / math.sqrt(2)), abs=1e-9)


def test_two_pairs_are_a_normal_question():
    # With two pairs and a Gaussian tail the right score beats one other: a difference of two normal numbers.
    spread = math.sqrt(1 / 25 + 2 / 5)
    expected = 0.5 * math.erfc(-1 / spread / math.sqrt(2))
    assert linear.pair_law(2, 5, tail="gaussian") == pytest.approx(expected, abs=1e-6)


def test_the_tail_on_the_sphere_is_lighter():
    found = [linear.pair_law(72, 32, tail=tail) for tail in linear.TAILS]
    assert found == sorted(found)
    assert found[-1] - found[0] > 0.05


def test_the_law_of_pairs_is_what_is_counted():
    recalled = linear.pairs_recalled(300, 128, probes=300, networks=8, generator=rng())
    assert recalled.shape == (8, 300)
    assert recalled.double().mean().item() == pytest.approx(linear.pair_law(300, 128, tail="field"), abs=0.005)
    crowded = linear.pairs_recalled(1161, 128, probes=1161, networks=4, generator=rng())
    assert crowded.double().mean().item() == pytest.approx(linear.pair_law(1161, 128, tail="field"), abs=0.02)


def test_few_pairs_are_all_recalled_and_crowds_are_not():
    assert linear.pairs_recalled(3, 200, probes=3, networks=5, generator=rng()).all()
    assert not linear.pairs_recalled(500, 4, probes=50, networks=2, generator=rng()).all()


def test_crossings_solve_their_equations():
    one, every = linear.pairs_at(64), linear.pairs_at(64, all_pairs=True)
    assert linear.pair_law(one, 64) == pytest.approx(0.5, abs=1e-6)
    assert linear.pair_law(every, 64) ** every == pytest.approx(0.5, abs=1e-4)
    assert every < one


def test_bad_input_is_named():
    ones = torch.ones(1, 1, 3)
    with pytest.raises(ArgumentError, match="dimensions: expected one dimension or more"):
        linear.most_frequent(4, [], 4)
    with pytest.raises(ArgumentError, match="dimensions"):
        linear.scheme_errors([5, 5], ones, [1, 0, 0], answers=2, networks=1, generator=rng())
    with pytest.raises(ArgumentError, match="strengths"):
        linear.scheme_errors([5, 6], torch.ones(1, 3, 3), [1, 0, 0], answers=2, networks=1, generator=rng())
    with pytest.raises(ArgumentError, match="probabilities"):
        linear.scheme_errors([5], ones, [0.5, 0, 0], answers=2, networks=1, generator=rng())
    with pytest.raises(ArgumentError, match="counts"):
        linear.counted_errors([5], torch.ones(1, 1, 3), [1, 0, 0], answers=2, generator=rng())
    with pytest.raises(ArgumentError, match="probes"):
        linear.pairs_recalled(3, 5, probes=4, networks=1, generator=rng())
