"""Networks that learn Hebbian inputs: targets by sums, symmetries that hold, and training that goes down."""

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.categorical import recall_maps as maps
from memscape.memory.hopfield import hebbian

from ..draws import rng
from ..memory.test_laws import spins

EXAMPLES = spins(0, 2, 30, 12)


def test_targets_are_the_inputs_of_hebbian_networks():
    patterns = EXAMPLES[..., :8].unflatten(-1, (2, 4))
    state = EXAMPLES[..., 8:]
    fields = (hebbian(patterns).weights @ state[..., None])[..., 0]
    torch.testing.assert_close(maps.targets(EXAMPLES), fields)


def test_targets_are_equivariant_and_networks_are_not():
    signs = spins(1, 2, 30, 4)
    turned = (EXAMPLES.unflatten(-1, (3, 4)) * signs[..., None, :]).flatten(-2)
    assert torch.equal(maps.targets(turned), signs * maps.targets(EXAMPLES))
    weights = maps.initial(2, 4, 6, generator=rng()).weights
    found = maps.defect(weights, EXAMPLES, signs)
    by_hand = (maps.answers(weights, turned) - signs * maps.answers(weights, EXAMPLES)).square().sum(dim=(1, 2))
    torch.testing.assert_close(found, by_hand / maps.answers(weights, EXAMPLES).square().sum(dim=(1, 2)))
    assert (found > 0.5).all()
    assert maps.defect(weights, EXAMPLES, torch.ones_like(signs)).tolist() == [0, 0]


def test_answers_by_hand_and_hidden_units_by_other_names():
    weights = maps.initial(2, 4, 6, generator=rng()).weights + 0.1
    first, bias = weights[:, :72].unflatten(1, (12, 6)), weights[:, 72:78]
    second, shift = weights[:, 78:102].unflatten(1, (6, 4)), weights[:, 102:]
    expected = (EXAMPLES @ first + bias[:, None]).tanh() @ second + shift[:, None]
    torch.testing.assert_close(maps.answers(weights, EXAMPLES), expected)
    places = torch.stack([torch.randperm(6, generator=rng(k)) for k in range(2)])
    other = maps.renamed(weights, places, 4)
    assert not torch.equal(other, weights)
    torch.testing.assert_close(maps.answers(other, EXAMPLES), expected)
    assert torch.equal(maps.renamed(other, places.argsort(dim=1), 4), weights)


@pytest.mark.parametrize("turn", [False, True])
def test_training_goes_down_and_each_network_is_alone(turn):
    start = maps.initial(2, 4, 16, generator=rng())
    options = {"records": 5, "every": 20, "rate": 0.01, "turn": turn}
    found = maps.train(start, EXAMPLES, **options, generator=rng(1))
    assert found.shape == (6, 2, start.weights.shape[1])
    assert torch.equal(found[0], start.weights)
    assert (maps.losses(found[-1], EXAMPLES) < 0.5 * maps.losses(found[0], EXAMPLES)).all()
    if not turn:
        alone = maps.train(maps.Maps(start.weights[:1]), EXAMPLES[:1], **options, generator=rng(1))
        torch.testing.assert_close(alone[:, 0], found[:, 0], rtol=1e-9, atol=1e-9)


def test_what_does_not_fit_is_refused():
    weights = maps.initial(2, 4, 6, generator=rng()).weights
    with pytest.raises(ArgumentError, match="weights"):
        maps.answers(weights[:, 1:], EXAMPLES)
    with pytest.raises(ArgumentError, match="places"):
        maps.renamed(weights, torch.zeros(2, 6, dtype=torch.int64), 4)
    with pytest.raises(ArgumentError, match="inputs"):
        maps.targets(torch.ones(4, dtype=torch.float64))
