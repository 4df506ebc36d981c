"""Linear memories: every dimension against a memory made for it, chains walked one by one, what is lost by hand."""

import math

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import growing
from memscape.tools import pieces

from ..draws import rng


@pytest.mark.parametrize("scheme", growing.SCHEMES)
def test_every_dimension_is_the_memory_of_its_coordinates(scheme):
    shape = {"first": 2, "last": 30, "scheme": scheme, "draws": 2}
    found = growing.grow(12, 3, 1.5, **shape, generator=rng(4))
    stream = rng(4)
    asked, answers = (torch.randn(2, 30, size, generator=stream, dtype=torch.float64) for size in (12, 3))
    frequency = torch.arange(1, 13).double() ** -1.5
    weights = frequency / frequency.sum() if scheme == "frequency" else torch.ones(12).double()
    for draw in range(2):
        for d in (2, 3, 17, 30):
            e, u = asked[draw, :d].T, answers[draw, :d].T
            memory = sum(weights[x] * torch.outer(e[x], u[(x + 1) % 3]) for x in range(12))
            scores = e @ memory @ u.T
            wanted = torch.tensor([(x + 1) % 3 for x in range(12)])
            assert torch.equal(found.right[draw, d - 2], scores.argmax(dim=1) == wanted)
            others = torch.stack([scores[x][[y for y in range(3) if y != wanted[x]]].max() for x in range(12)])
            margin = (scores[torch.arange(12), wanted] - others) / d
            assert torch.allclose(found.margin[draw, d - 2].double(), margin, rtol=1e-5, atol=1e-6)
    assert found.dimensions.tolist() == list(range(2, 31))


def test_every_memory_that_grows_is_drawn_whatever_fits_a_cache(monkeypatch):
    shape = {"first": 1, "last": 5, "scheme": "even", "draws": 3}
    monkeypatch.setattr(pieces, "CACHE", 1)
    parts = growing.grow(4, 2, 0.0, **shape, generator=rng(4))
    stream = rng(4)
    for draw in range(3):
        alone = growing.grow(4, 2, 0.0, **shape | {"draws": 1}, generator=stream)
        assert torch.equal(parts.margin[draw], alone.margin[0])


def grown(*facts, first=2):
    """A growth of one draw from the answers of each fact."""
    right = torch.tensor([[int(c) for c in fact] for fact in facts]).T[None].bool()
    return growing.Growth(torch.arange(first, first + right.shape[1]), right, right.float())


def test_a_fact_is_lost_if_it_was_right_before():
    assert grown("0011", "1011", "0000", "1110").lost.tolist() == [2 / 3]
    assert grown("0000").lost.tolist() == [0.0]


def test_an_octave_is_from_some_dimension_to_its_double():
    # Dimensions 2 to 8. The first is right from 2 to 4 and lost; the second from 3 to 5 only, which is no octave.
    assert grown("1110000").lost_after_octave.tolist() == [1.0]
    assert grown("0111000").lost_after_octave.tolist() == [0.0]
    assert grown("0111100", "0011111", "1111111").lost_after_octave.tolist() == [1 / 3]
    assert grown("1110000", "0111111").lost_after_octave.tolist() == [0.5]


def test_what_is_wrong_from_some_dimension_on_is_counted_once():
    found = grown("0101", "0011", "1111").wrong_from
    assert found.tolist() == [pytest.approx([2 / 3, 2 / 3, 1 / 3, 0])]


def test_a_walk_with_a_drift_is_wrong_later_as_often_as_now():
    # Two values have one rival each; the law is for continuous time, steps of one coordinate take off a tenth.
    found = growing.grow(100, 2, 0.0, first=60, last=1500, scheme="even", draws=60, generator=rng(1))
    now = 1 - found.right[:, 0].double().mean().item()
    assert found.wrong_from[:, 0].mean().item() / now == pytest.approx(1 + math.exp(-1.165 / 10), abs=0.06)


def test_large_memories_are_right():
    found = growing.grow(5, 2, 1.0, first=2000, last=2000, scheme="even", draws=5, generator=rng())
    assert found.right.all()


def test_a_chain_is_walked():
    found = growing.chain_recalls(10, 12, networks=3, generator=rng(2))
    stream = rng(2)
    keys = torch.randn(3, 12, 10, generator=stream, dtype=torch.float64)
    keys = keys / keys.norm(dim=-1, keepdim=True)
    for network, x in enumerate(keys):
        memory = sum(torch.outer(x[(i + 1) % 12], x[i]) for i in range(12))
        answers = [int((x @ (memory @ x[i])).argmax()) for i in range(12)]
        assert found[network].tolist() == [answers[i] == (i + 1) % 12 for i in range(12)]
        for length in (1, 3, 12):
            held = 0
            for start in range(12):
                at = [start]
                for _ in range(length):
                    at.append(answers[at[-1]])
                held += at == [(start + step) % 12 for step in range(length + 1)]
            assert growing.chain_success(found, length)[network].item() == pytest.approx(held / 12)
    assert 0 < found.double().mean() < 1
    with pieces.budget(1):
        assert growing.chain_recalls(10, 12, networks=3, generator=rng(2)).shape == (3, 12)


def test_a_fact_is_learned_over_the_same_number_of_decades():
    rate = torch.tensor([1e-6, 0.01, 0.5, 0.99])
    until = growing.examples_until(rate, 0.9)
    assert torch.allclose(1 - (1 - rate.double()) ** until, torch.full((4,), 0.9, dtype=torch.float64))
    ratio = until / growing.examples_until(rate, 0.1)
    assert torch.allclose(ratio, torch.full((4,), math.log(10) / math.log(10 / 9), dtype=torch.float64))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: growing.chain_recalls(0, 3, networks=1, generator=rng()), "dimension"),
        (lambda: growing.chain_recalls(2, 1, networks=1, generator=rng()), "pairs"),
        (lambda: growing.chain_success(torch.ones(2, 3), 1), "right"),
        (lambda: growing.chain_success(torch.ones(2, 3).bool(), 4), "length"),
        (lambda: growing.examples_until(torch.tensor([0.0]), 0.5), "frequency"),
        (lambda: growing.examples_until(torch.tensor([0.5]), 1.0), "share"),
        (lambda: growing.grow(3, 4, 1.0, first=1, last=2, scheme="even", draws=1, generator=rng()), "values"),
        (lambda: growing.grow(3, 2, 1.0, first=3, last=2, scheme="even", draws=1, generator=rng()), "last"),
        (lambda: growing.grow(3, 2, 1.0, first=1, last=2, scheme="odd", draws=1, generator=rng()), "scheme"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(call, named):
    with pytest.raises(ArgumentError) as caught:
        call()
    assert caught.value.argument == named
