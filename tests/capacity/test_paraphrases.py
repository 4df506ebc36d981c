"""A linear memory of names in contexts: its laws against least squares, closed forms and brute force."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from memscape.arguments import ArgumentError
from memscape.capacity import paraphrases

from ..draws import rng

counts = st.lists(st.integers(1, 6), min_size=1, max_size=8)


def drawn(copies, name, context, *, networks=4, value=40, seed=0):
    return paraphrases.meetings(copies, name=name, context=context, value=value, networks=networks, generator=rng(seed))


def orthogonal(copies, name, context):
    """People whose names, and whose contexts, are orthogonal: rows of a Hadamard matrix."""
    signs = torch.ones(1, 1, dtype=torch.float64)
    while len(signs) < max(name, context):
        signs = torch.cat([torch.cat([signs, signs], 1), torch.cat([signs, -signs], 1)])
    assert len(signs) == name == context
    person = torch.repeat_interleave(torch.arange(len(copies)), torch.tensor(copies))
    return paraphrases.Meetings(signs[: len(copies)], signs[: sum(copies)], signs[: len(copies)], person)


def test_least_squares_answers_every_meeting_with_the_least_norm():
    facts = drawn([2, 1, 3], 20, 30)
    weights = paraphrases.least_squares(facts)
    torch.testing.assert_close(facts.inputs @ weights, facts.answers)
    torch.testing.assert_close(weights, torch.linalg.lstsq(facts.inputs, facts.answers, driver="gelsd").solution)


def test_with_more_meetings_than_inputs_the_error_is_least():
    facts = drawn([9] * 6, 10, 12)
    expected = torch.linalg.lstsq(facts.inputs, facts.answers, driver="gelsd").solution
    torch.testing.assert_close(paraphrases.least_squares(facts), expected)


@pytest.mark.parametrize("copies", [[1, 1], [3, 3, 3], [1, 4, 2]])
def test_orthogonal_blocks_split_a_fact_as_the_law_without_crowding_says(copies):
    facts = orthogonal(copies, 16, 16)
    found = paraphrases.response(paraphrases.least_squares(facts), facts)
    law = paraphrases.name_response(copies, name=16, context=16, crowded=False)
    np.testing.assert_allclose(found.numpy(), law, rtol=1e-10)


@pytest.mark.parametrize(
    ("copies", "name", "context"), [([3] * 30, 200, 150), ([1] * 40 + [4] * 40, 150, 400), ([4] * 60, 50, 300)]
)
def test_the_law_of_free_directions_holds_in_crowded_random_blocks(copies, name, context):
    facts = drawn(copies, name, context, networks=6)
    found = paraphrases.response(paraphrases.least_squares(facts), facts)
    law = torch.from_numpy(paraphrases.name_response(copies, name=name, context=context))
    plain = torch.from_numpy(paraphrases.name_response(copies, name=name, context=context, crowded=False))
    for each in set(copies):
        of = torch.tensor(copies) == each
        assert found[:, of].mean().item() == pytest.approx(law[of].mean().item(), abs=0.012)
        assert abs(found[:, of].mean() - plain[of].mean()) > 0.02  # the limit of few meetings is another


def test_all_is_answered_by_names_once_differences_fill_the_contexts():
    full, short = [6] * 20, [6] * 19 + [5]
    for copies, whole in ((full, True), (short, False)):
        facts = drawn(copies, 40, 100, networks=1)
        found = paraphrases.response(paraphrases.least_squares(facts), facts)
        assert bool((found > 1 - 1e-9).all()) is whole
        assert bool((paraphrases.name_response(copies, name=40, context=100) == 1).all()) is whole


@given(counts, st.integers(8, 60), st.integers(8, 60))
def test_the_law_is_a_share_that_grows_with_the_copies(copies, name, context):
    if sum(copies) >= name + context:
        return
    law = paraphrases.name_response(copies, name=name, context=context)
    assert ((law > 0) & (law <= 1)).all()
    assert (np.diff(law[np.argsort(copies, kind="stable")]) >= -1e-12).all()
    free, rest = name - law.sum(), context - sum(copies) + law.sum()
    if rest > 1e-9:
        np.testing.assert_allclose(law, free / (free + rest / np.array(copies)), atol=1e-9)


def test_what_cannot_be_answered_has_no_law():
    with pytest.raises(ArgumentError, match=r"^copies: expected fewer than 20 meetings; got 24"):
        paraphrases.name_response([1] * 24, name=10, context=10)


@given(counts, st.integers(2, 60), st.integers(2, 60))
def test_gates_minimise_the_sum_of_the_lengths_of_the_blocks(copies, name, context):
    each = np.array(copies, dtype=float)

    def length(shares):
        return np.sqrt((shares**2).sum() / name) + np.sqrt((each * (1 - shares) ** 2).sum() / context)

    law = paraphrases.gated_response(copies, name=name, context=context)
    best = optimize.minimize(length, np.full(len(each), 0.5), bounds=[(0, 1)] * len(each)).fun
    assert length(law) <= best + 1e-7


def test_learned_gates_end_where_the_law_says():
    for copies, name in (([1] * 6, 90), ([1] * 6, 400), ([1, 5] * 3, 300), ([1, 5] * 3, 90)):
        facts = drawn(copies, name, 200, networks=3)
        gated = paraphrases.learn_gates(facts)
        torch.testing.assert_close(facts.inputs @ gated.weights, facts.answers, atol=1e-6, rtol=0)
        found = paraphrases.response(gated.weights, facts).mean(dim=0)
        law = paraphrases.gated_response(copies, name=name, context=200)
        np.testing.assert_allclose(found.numpy(), law, atol=0.08)
        assert bool((gated.ratio < 1).all()) is bool(law[0] > 0.5)


def test_gates_lower_the_sum_of_lengths_below_that_of_least_squares():
    facts = drawn([2, 2, 2], 30, 70)

    def length(weights):
        return torch.linalg.matrix_norm(weights[..., :30, :]) + torch.linalg.matrix_norm(weights[..., 30:, :])

    assert (length(paraphrases.learn_gates(facts).weights) < length(paraphrases.least_squares(facts))).all()


def test_the_delta_rule_answers_what_it_has_just_met_and_ends_at_least_squares():
    facts = drawn([2, 2, 1], 20, 30)
    once = paraphrases.delta_rule(facts, torch.tensor([0, 3, 4]))
    torch.testing.assert_close((facts.inputs @ once)[..., 4, :], facts.answers[..., 4, :])
    again = paraphrases.delta_rule(facts, torch.arange(5).repeat(400), start=once)
    torch.testing.assert_close(again, paraphrases.least_squares(facts), atol=1e-8, rtol=0)


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_one_pass_over_orthogonal_meetings_is_geometric(rate):
    facts = orthogonal([4, 4], 16, 16)
    found = paraphrases.response(paraphrases.delta_rule(facts, torch.arange(8), rate=rate), facts)
    np.testing.assert_allclose(found.numpy(), 1 - (1 - rate / 2) ** 4, rtol=1e-10)


def test_biographies_differ_as_their_kind_says():
    made = {
        kind: paraphrases.biographies(
            3, 4, kind, name=6, wording=9, slots=4, fact=11, value=5, networks=2, generator=rng()
        )
        for kind in paraphrases.KINDS
    }
    for kind, facts in made.items():
        contexts = facts.contexts.reshape(2, 3, 4, 9 + 44)
        words, told = contexts[..., :9], contexts[..., 9:].reshape(2, 3, 4, 4, 11)
        assert bool((words == words[:, :, :1]).all()) is (kind in ("single", "permuted"))
        assert bool((told == told[:, :, :1]).all()) is (kind in ("single", "reworded"))
        # The same facts, whatever the slot.
        torch.testing.assert_close(told.sum(dim=3), told[:, :, :1].sum(dim=3).expand(2, 3, 4, 11))
        assert torch.equal(facts.person, torch.arange(3).repeat_interleave(4))


@pytest.mark.parametrize("kind", paraphrases.KINDS)
def test_the_order_of_what_is_told_counts_as_its_law_says(kind):
    sizes = {"name": 300, "wording": 400, "slots": 4, "fact": 150}
    facts = paraphrases.biographies(4, 3, kind, value=40, networks=30, generator=rng(), **sizes)
    found = paraphrases.response(paraphrases.least_squares(facts), facts).mean().item()
    assert found == pytest.approx(paraphrases.ordered_response(3, kind, **sizes), abs=0.015)


def test_meetings_that_do_not_fit_are_refused():
    facts = drawn([1, 2], 4, 5)
    with pytest.raises(ArgumentError, match=r"^person: expected people below 2; got 2"):
        paraphrases.Meetings(facts.names, facts.contexts, facts.values, torch.tensor([0, 1, 2]))
    with pytest.raises(ArgumentError, match=r"^values: expected leading axes \(4,\)"):
        paraphrases.Meetings(facts.names, facts.contexts, facts.values[:1], facts.person)
    with pytest.raises(ArgumentError, match=r"^order: expected meetings below 3; got 3"):
        paraphrases.delta_rule(facts, torch.tensor([3]))
