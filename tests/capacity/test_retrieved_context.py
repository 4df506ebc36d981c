"""Retrieved context: closed forms of strengths, exact probabilities of first recalls, and lists recalled one by one."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from memscape.arguments import ArgumentError
from memscape.capacity import recall, retrieved_context
from memscape.tools import pieces

from ..draws import rng

PLAIN = {"renewal": 0.6, "own": 0.5, "sharpness": 4.0}


@pytest.mark.parametrize("between", [1.0, 0.5, 0.0])
def test_contexts_are_alike_by_a_power_of_their_distance(between):
    studied = retrieved_context.study(7, 0.6, between=between, after=0.3)
    place = torch.arange(7.0)
    expected = (0.8 * between) ** (place[:, None] - place).abs().double()
    torch.testing.assert_close(studied.contexts @ studied.contexts.mT, expected.double(), atol=1e-14, rtol=0)
    torch.testing.assert_close(studied.items @ studied.items.mT, torch.eye(7, dtype=torch.float64))
    torch.testing.assert_close(studied.strengths(studied.end), 0.3 * expected[-1], atol=1e-14, rtol=0)
    assert studied.end.norm().item() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("own", [0.3, 0.5, 0.7, 1.0])
def test_strengths_of_both_neighbours_are_in_the_ratio_of_the_closed_form(own):
    studied = retrieved_context.study(9, 0.6)
    strengths = studied.strengths(studied.retrieved(own))
    for item in range(1, 8):
        ratio = strengths[item, item + 1] / strengths[item, item - 1]
        assert ratio.item() == pytest.approx(((1 - own) * 0.6 + own) / own, abs=1e-12)


def test_an_item_alone_brings_back_nothing_that_was_before_it():
    studied = retrieved_context.study(9, 0.6)
    strengths = studied.strengths(studied.retrieved(0.0))
    assert (strengths.tril(-1) == 0).all()
    assert (strengths.triu() > 0).sum() == 45


@pytest.mark.parametrize("choice", retrieved_context.CHOICES)
def test_first_recalls_have_the_probabilities_of_the_choice(choice):
    studied = retrieved_context.study(6, 0.5, after=0.7)
    order = retrieved_context.recall(
        studied, 8000, renewal=0.4, own=0.3, choice=choice, sharpness=2.5, most=1, generator=rng()
    )
    assert (order[:, 1:] == -1).all()
    strength = studied.strengths(studied.end)
    weight = strength**2.5 if choice == "power" else torch.exp(2.5 * strength)
    counts = torch.bincount(order[:, 0], minlength=6)
    assert stats.chisquare(counts, 8000 * weight / weight.sum()).pvalue > 0.001


def plain_recall(studied, draws, renewal, own, kappa, rule, start):
    """One list, one item after another, with the choices that a row of uniform numbers makes."""
    items, contexts, context = (part.numpy() for part in (studied.items, studied.contexts, studied.end))
    length = len(items)
    here, left, made, met = start, None, set(), [start]
    for uniform in draws:
        cue = (1 - own) * items[here] + own * contexts[here]
        cue = cue / np.linalg.norm(cue)
        along = context @ cue
        context = (math.sqrt(1 + renewal**2 * (along**2 - 1)) - renewal * along) * context + renewal * cue
        weight = np.maximum(contexts @ context, 0) ** kappa
        weight[met if rule == "all" else [place for place in (here, left) if place is not None]] = 0
        if weight.sum() == 0 or len(met) == length:
            break
        after = int(np.searchsorted(np.cumsum(weight) / weight.sum(), uniform))
        if rule == "circle" and (here, after) in made:
            break
        made.add((here, after))
        left, here = here, after
        if here not in met:
            met.append(here)
    return met


@pytest.mark.parametrize(("rule", "own"), [("all", 0.5), ("circle", 0.5), ("all", 0.0), ("circle", 0.2)])
def test_recall_is_distributed_as_one_list_after_another(rule, own):
    studied, lists = retrieved_context.study(5, 0.6), 4000
    first = torch.full((lists,), 2)
    order = retrieved_context.recall(
        studied, lists, renewal=0.7, own=own, sharpness=2.0, rule=rule, first=first, generator=rng(1)
    )
    draws = np.random.default_rng(0).random((lists, 40))
    plain = [plain_recall(studied, row, 0.7, own, 2.0, rule, 2) for row in draws]
    plain = torch.tensor([one + [-1] * (5 - len(one)) for one in plain])
    kinds = torch.cat([order, plain]).unique(dim=0, return_inverse=True)[1]
    both = torch.stack(
        [torch.bincount(some, minlength=int(kinds.max()) + 1) for some in (kinds[:lists], kinds[lists:])]
    )
    assert stats.chi2_contingency(both[:, both.sum(dim=0) >= 10]).pvalue > 0.001


def test_without_a_rule_everything_is_recalled_once():
    order = retrieved_context.recall(retrieved_context.study(8, 0.6), 50, **PLAIN, generator=rng())
    assert torch.equal(order.sort(dim=1).values, torch.arange(8).expand(50, 8))


def test_with_a_circle_something_is_left_and_nothing_comes_twice():
    order = retrieved_context.recall(retrieved_context.study(8, 0.6), 300, **PLAIN, rule="circle", generator=rng())
    counts = recall.recalled(order)
    assert torch.equal((order >= 0).sum(dim=1), counts)
    assert counts.min() >= 2
    assert counts.float().mean() < 7


def test_an_item_that_brings_back_itself_alone_goes_forward_to_the_end():
    order = retrieved_context.recall(
        retrieved_context.study(8, 0.6),
        200,
        renewal=1.0,
        own=0.0,
        sharpness=4.0,
        first=torch.full((200,), 3),
        generator=rng(),
    )
    for one in order.tolist():
        met = [item for item in one if item >= 0]
        assert met == sorted(met)
        assert met[-1] == 7  # and from the last one nowhere


def test_a_power_does_not_see_a_distractor_and_a_softmax_does():
    shares = {}
    for choice in retrieved_context.CHOICES:
        for after in (1.0, 0.2):
            order = retrieved_context.recall(
                retrieved_context.study(8, 0.6, after=after), 2000, **PLAIN, choice=choice, most=1, generator=rng(2)
            )
            shares[choice, after] = (order[:, 0] == 7).double().mean().item()
    assert shares["power", 1.0] == shares["power", 0.2]
    assert shares["softmax", 1.0] > shares["softmax", 0.2] + 0.05


def test_pieces_and_generators():
    studied = retrieved_context.study(6, 0.6)
    one, two = (retrieved_context.recall(studied, 20, **PLAIN, generator=rng(3)) for _ in range(2))
    assert torch.equal(one, two)
    with pieces.budget(1):
        few = retrieved_context.recall(studied, 5, **PLAIN, first=torch.arange(5), generator=rng(3))
    assert few[:, 0].tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: retrieved_context.study(1, 0.5), "length"),
        (lambda: retrieved_context.study(5, 0.0), "drift"),
        (lambda: retrieved_context.study(5, 0.5, between=1.5), "between"),
        (lambda: retrieved_context.study(5, 0.5).retrieved(-0.1), "own"),
        (lambda: recalled(rule="round"), "rule"),
        (lambda: recalled(choice="luck"), "choice"),
        (lambda: recalled(most=6), "most"),
        (lambda: recalled(first=torch.tensor([5, 0])), "first"),
        (lambda: recalled(first=torch.tensor([0])), "first"),
        (lambda: retrieved_context.Studied(torch.ones(2, 3), torch.ones(2, 3), torch.ones(3)), "items"),
    ],
)
def test_what_does_not_fit_is_refused(call, named):
    with pytest.raises(ArgumentError, match=named):
        call()


def recalled(**changed):
    return retrieved_context.recall(retrieved_context.study(5, 0.5), 2, **{**PLAIN, "generator": rng(), **changed})
