"""Learned memories: gradients against automatic ones, and what training must bring."""

import math

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.capacity import counting_memory as counting
from memscape.capacity import learned_memory as learned

from ..draws import rng

CHANCES = counting.zipf(6, 1.0)


def by_autograd(optimiser, layer_norm, dimension=4, answers=3, rate=2.0, batch=8, steps=3, seed=5):
    """The same run with torch's own optimisers and gradients."""
    generator = rng(seed)

    def normal(*shape):
        return torch.randn(1, *shape, generator=generator, dtype=torch.float64)[0] / math.sqrt(dimension)

    inputs, outputs, matrix = normal(6, dimension), normal(dimension, answers), normal(dimension, dimension)
    matrix.requires_grad_()
    truth = torch.arange(6) % answers
    if optimiser == "sgd":
        optimiser = torch.optim.SGD([matrix], lr=rate)
    else:
        optimiser = torch.optim.Adam([matrix], lr=rate / dimension, betas=(0.0, 0.0))

    def scores():
        hidden = inputs @ matrix
        if layer_norm:
            hidden = hidden / (hidden.square().sum(dim=-1, keepdim=True) + 1e-6).sqrt()
        return hidden @ outputs

    for _ in range(steps):
        shares = counting.counts(CHANCES, [batch], repeats=1, generator=generator)[0, 0] / batch
        loss = (torch.nn.functional.cross_entropy(scores(), truth, reduction="none") * shares).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    wrong = scores().argmax(dim=-1) != truth
    return float(wrong.double() @ torch.from_numpy(CHANCES))


@pytest.mark.parametrize("optimiser", learned.OPTIMISERS)
@pytest.mark.parametrize("layer_norm", [False, True])
def test_steps_are_those_of_automatic_gradients(optimiser, layer_norm):
    for seed in range(6):
        found = learned.learn_matrix(
            CHANCES,
            4,
            answers=3,
            optimiser=optimiser,
            rate=2.0,
            batch=8,
            steps=3,
            layer_norm=layer_norm,
            runs=1,
            generator=rng(seed),
        )
        assert found.item() == pytest.approx(by_autograd(optimiser, layer_norm, seed=seed))


def test_a_large_memory_learns_everything():
    even = np.full(6, 1 / 6)
    settings = {"answers": 3, "optimiser": "sgd", "rate": 10.0, "batch": 60, "runs": 3}
    early = learned.learn_matrix(even, 50, **settings, steps=1, generator=rng())
    late = learned.learn_matrix(even, 50, **settings, steps=50, generator=rng())
    assert (late == 0).all()
    assert (early >= late).all()


def test_vectors_learn_in_two_dimensions():
    found = learned.learn_vectors(
        np.full(10, 0.1), 2, answers=5, rate=0.1, batch=100, steps=300, runs=4, generator=rng()
    )
    assert found.shape == (4,)
    assert found.mean() < 0.1


def test_learned_vectors_are_those_of_torch_s_own_optimiser():
    generator, truth = rng(4), torch.arange(6) % 3
    shapes = {(6, 4): 0.5, (4, 4): 1.0, (4, 3): 0.5}  # spread of tokens, matrix and answers: d^-1/2, 1, d^-1/2
    parts = [
        spread * torch.randn(5, *shape, generator=generator, dtype=torch.float64) for shape, spread in shapes.items()
    ]
    for part in parts:
        part.requires_grad_()
    adam = torch.optim.Adam(parts, lr=0.3)
    for _ in range(3):
        shares = counting.counts(CHANCES, [8], repeats=5, generator=generator)[:, 0] / 8
        scores = torch.log_softmax(parts[0] @ parts[1] @ parts[2], dim=-1)
        adam.zero_grad()
        (-(shares * scores[:, torch.arange(6), truth]).sum()).backward()
        adam.step()
    wrong = ((parts[0] @ parts[1] @ parts[2]).argmax(dim=-1) != truth).double()
    found = learned.learn_vectors(CHANCES, 4, answers=3, rate=0.3, batch=8, steps=3, runs=5, generator=rng(4))
    assert torch.allclose(found, wrong @ torch.from_numpy(CHANCES), atol=1e-12)
    assert len(found.unique()) > 2


def test_bad_input_is_named():
    settings = {"answers": 3, "optimiser": "sgd", "rate": 1.0, "batch": 4, "steps": 1, "runs": 1, "generator": rng()}
    for name, value in {"optimiser": "newton", "rate": 0.0, "answers": 1, "batch": 0, "layer_norm": 1}.items():
        with pytest.raises(ArgumentError, match=name):
            learned.learn_matrix(CHANCES, 4, **{**settings, name: value})
