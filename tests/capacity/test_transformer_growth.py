"""Completers side by side: halves of a block, work by counting, ends of descents against pairs written out."""

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity.transformer_growth import (
    blank_completer,
    completed,
    ends_apart,
    grow,
    half_of_rise,
    operations,
    train_completers,
)
from memscape.memory.completion import hidden_error, hide
from memscape.tools.crowds import crowd

from ..draws import normal, rng

F64 = torch.float64
TOKENS, PIXELS = 4, 6
HIDDEN = hide(8, TOKENS, 2, generator=rng(3))


def completer(seed: int = 0, **changes):
    sizes = {"heads": 2, "width": 3, "memories": 5, "steps": 2} | changes
    return blank_completer(TOKENS, PIXELS, 8, rng=np.random.default_rng(seed), dtype=F64, **sizes)


def patches(count: int = 8, seed: int = 5) -> torch.Tensor:
    return normal(seed, count, TOKENS, PIXELS)


def test_operations_are_those_of_all_products():
    tokens, pixels, features, heads, width, memories, steps = 5, 7, 11, 2, 3, 13, 4
    rows = 2 * heads * width + memories
    way_in_and_out = 2 * 2 * tokens * pixels * features
    projections = 2 * 2 * tokens * features * rows
    pairs = 3 * 2 * heads * width * tokens * tokens  # scores, what is asked, what is answered
    sizes = {"heads": heads, "width": width, "memories": memories, "steps": steps}
    assert operations(tokens, pixels, features, **sizes) == way_in_and_out + steps * (projections + pairs)
    none = operations(tokens, pixels, features, heads=0, width=1, memories=memories, steps=steps)
    assert none == way_in_and_out + steps * 2 * 2 * tokens * features * memories


def test_a_blank_completer_has_the_spreads_that_are_asked_for():
    model = blank_completer(
        40, 5, 50, heads=4, width=25, memories=9, steps=2, rng=np.random.default_rng(0), sharp=3.0, places=0.7, step=0.2
    )
    assert model.block.queries.std().item() == pytest.approx(3 * 0.06, rel=0.05)
    assert model.places.std().item() == pytest.approx(0.7, rel=1e-4)
    assert (model.step, model.steps) == (0.2, 2)


def train(models, owned, **changes):
    plan = {"hidden": 2, "batch": 4, "steps": 30, "rate": 0.05, "generator": rng(8)} | changes
    *_, end = train_completers(models, patches(12), owned, **plan)
    return end


def test_a_part_that_is_left_out_stays_out():
    everything = [torch.arange(12)]
    silent = train(crowd([completer(heads=0)]), everything).member(0)
    assert not silent.block.queries.any()
    assert not silent.block.keys.any()
    assert silent.block.memories.any()
    forgetful = train(crowd([completer(memories=0)]), everything).member(0)
    assert not forgetful.block.memories.any()
    assert forgetful.block.queries.any()


def test_memories_alone_cannot_tell_what_is_seen():
    model = train(crowd([completer(heads=0)]), [torch.arange(12)]).member(0)
    filled = model.complete(patches(), HIDDEN)
    other = model.complete(patches(seed=6), HIDDEN)
    assert torch.equal(filled[HIDDEN], other[HIDDEN])
    whole = train(crowd([completer()]), [torch.arange(12)]).member(0)
    assert not torch.allclose(
        whole.complete(patches(), HIDDEN)[HIDDEN], whole.complete(patches(seed=6), HIDDEN)[HIDDEN]
    )


def test_errors_are_those_of_every_model_alone():
    models = [completer(seed) for seed in range(3)]
    found = completed(crowd(models), patches(), HIDDEN)
    for model, errors in zip(models, found, strict=True):
        assert torch.allclose(errors, hidden_error(model.complete(patches(), HIDDEN), patches(), HIDDEN))
    own = torch.stack([patches(seed=seed) for seed in (5, 6, 7)])
    mixed = completed(crowd(models), own, HIDDEN)
    assert torch.allclose(mixed[0], found[0])
    assert not torch.allclose(mixed[1], found[1])


def test_it_learns_and_each_from_its_own_images():
    start = crowd([completer(), completer()])
    end = train(start, [torch.tensor([0]), torch.tensor([1])], steps=300)
    cue = hide(2, TOKENS, 2, generator=rng(1))
    errors = completed(end, patches(12)[:2], cue)
    assert errors.diag().max() < 0.05
    assert errors[0, 1] > 0.2
    assert errors[1, 0] > 0.2
    assert torch.equal(start.member(0).encoder, completer().encoder)


def test_ends_are_compared_over_all_pairs():
    models = crowd([completer(seed) for seed in range(2)])
    found = ends_apart(models, patches(), HIDDEN, steps=3)
    for number in range(2):
        model = models.member(number)
        first, second = (
            model.decode(model._settle(model.embed(patches(), cue), 3)).flatten(1) for cue in (HIDDEN, ~HIDDEN)
        )
        pairs = torch.cdist(first, second).square()
        others = (pairs.sum() - pairs.diag().sum()) / (8 * 7)
        assert found[number].item() == pytest.approx((pairs.diag().mean() / others).item())


def test_images_known_by_heart_have_ends_of_their_own():
    end = train(crowd([completer(memories=20)]), [torch.tensor([0, 1])], steps=600, rate=0.03)
    assert ends_apart(end, patches(12)[:2], HIDDEN[:2], steps=2)[0] < 0.2
    untrained = crowd([completer(memories=20)])
    assert ends_apart(untrained, patches(12)[:2], HIDDEN[:2], steps=2)[0] > 0.3


def test_growth_measures_seen_and_unseen_and_stops_early():
    plan = {"hidden": 2, "batch": 4, "steps": 300, "rate": 0.05, "stretches": 3}
    owned, images, start = [torch.tensor([0, 1]), torch.arange(12)], patches(12), crowd([completer()] * 2)
    found = grow(start, images, owned, patches(8, seed=9), HIDDEN, generator=rng(8), longer=1, **plan)
    stretches = [*train_completers(start, images, owned, generator=rng(8), **plan)]
    judged, measured = (
        torch.stack([completed(each, patches(8, seed=9)[rows], HIDDEN[rows]).mean(dim=1) for each in stretches])
        for rows in (slice(0, 2), slice(2, 8))
    )
    expected = measured.gather(0, judged.argmin(dim=0, keepdim=True))[0]
    assert torch.allclose(found.best, expected)
    assert torch.allclose(found.unseen, measured[-1])
    assert found.seen[0] < 0.1 < found.unseen[0]
    again = completed(stretches[-1], images[[0, 1, 0, 1, 0, 1]], HIDDEN[2:]).mean(dim=1)
    assert found.seen[0].item() == pytest.approx(again[0].item())
    alone = ends_apart(crowd([stretches[-1].member(0)]), images[:2], HIDDEN[2:4], steps=2)
    assert torch.allclose(found.apart[:1], alone)


def test_half_of_the_rise_lies_on_a_line_in_the_logarithm():
    assert half_of_rise([10, 100, 1000], [0.0, 0.2, 1.0]) == pytest.approx(100 * 10 ** (0.3 / 0.8))
    assert half_of_rise([10, 1000], [1.0, 2.0]) == pytest.approx(100)
    assert half_of_rise([1, 10, 100], [0.0, 0.5, 1.0]) == pytest.approx(10)
    with pytest.raises(ArgumentError, match="errors: expected a last one above the first"):
        half_of_rise([10, 100], [1.0, 0.5])
    with pytest.raises(ArgumentError, match="counts: expected two or more, rising"):
        half_of_rise([100, 10], [0.5, 1.0])


def test_bad_plans_are_refused():
    with pytest.raises(ArgumentError, match="stretches: expected a divisor of 30"):
        train(crowd([completer()]), [torch.arange(12)], stretches=7)
    with pytest.raises(ArgumentError, match="owned"):
        train(crowd([completer()]), [torch.arange(13)])
    with pytest.raises(ArgumentError, match="hidden: expected a visible patch"):
        ends_apart(crowd([completer()]), patches(), torch.ones_like(HIDDEN), steps=1)
    with pytest.raises(ArgumentError, match="patches: expected two images"):
        ends_apart(crowd([completer()]), patches(1), HIDDEN[:1], steps=1)
