"""Softmax regression: derivatives by torch, lengths by the matrices they stand for, flows by their ends."""

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.categorical import softmax_regression as sr
from memscape.categorical.natural_gradient import natural_flow

from ..draws import rng

real = {"dtype": torch.float64}
SETS, IMAGES, INPUTS, CLASSES, DECAY = 2, 30, 4, 3, 0.05
X = torch.randn(SETS, IMAGES, INPUTS, generator=rng(1), **real)
Y = torch.randint(0, CLASSES, (SETS, IMAGES), generator=rng(2))
W = torch.randn(SETS, INPUTS, CLASSES, generator=rng(3), **real)


def loss(weights):
    logits = (X @ weights.reshape(SETS, INPUTS, CLASSES)).mT
    cross = torch.nn.functional.cross_entropy(logits, Y, reduction="none").mean(dim=1)
    return cross + DECAY / 2 * weights.reshape(SETS, -1).square().sum(dim=1)


def metric(weights):
    return sr.information(weights.reshape(W.shape), X) + DECAY * torch.eye(INPUTS * CLASSES, **real)


def test_gradient_and_information_are_derivatives_of_the_loss():
    torch.testing.assert_close(sr.gradient(W, X, Y, decay=DECAY), torch.func.grad(lambda w: loss(w).sum())(W))
    second = torch.func.jacrev(torch.func.grad(lambda w: loss(w).sum()))(W.flatten(1))
    blocks = torch.stack([second[each, :, each] for each in range(SETS)])
    torch.testing.assert_close(metric(W.flatten(1)), blocks)


def test_gradients_fall_exponentially_along_the_natural_flow():
    times = torch.tensor([0.0, 0.5, 2.0], **real)
    path = natural_flow(loss, metric, W.flatten(1), times)
    first = sr.gradient(W, X, Y, decay=DECAY)
    for time, weights in zip(times, path.unbind(dim=1), strict=True):
        found = sr.gradient(weights.reshape(W.shape), X, Y, decay=DECAY)
        torch.testing.assert_close(found, first * torch.exp(-time), rtol=1e-5, atol=1e-7)


def test_descent_falls_and_arrives_where_the_natural_flow_does():
    path = sr.descent(W, X, Y, decay=DECAY, steps=2000)
    assert path.shape == (SETS, 2001, INPUTS, CLASSES)
    losses = torch.stack([loss(path[:, each]) for each in range(0, 2001, 50)])
    assert (losses.diff(dim=0) <= 1e-12).all()
    end = natural_flow(loss, metric, W.flatten(1), torch.tensor([25.0], **real))[:, 0]
    torch.testing.assert_close(path[:, -1].flatten(1), end, rtol=1e-4, atol=1e-4)


def test_lengths_are_those_of_the_matrices():
    step = 1e-4 * torch.randn(W.shape, generator=rng(4), **real)
    model, empirical = sr.fisher_lengths(torch.stack([W, W + step], dim=1), X, Y)
    middle, flat = W + step / 2, step.flatten(1)
    whole = sr.information(middle, X)
    torch.testing.assert_close(model, torch.einsum("si,sij,sj->s", flat, whole, flat).sqrt())
    surprise = (X @ middle).softmax(dim=-1) - torch.nn.functional.one_hot(Y, CLASSES)
    each = torch.einsum("sni,snk->snik", X, surprise).flatten(2)
    torch.testing.assert_close(empirical, (each @ flat[..., None])[..., 0].square().mean(dim=1).sqrt())
    there_and_back = torch.stack([W, W + step, W], dim=1)
    torch.testing.assert_close(sr.fisher_lengths(there_and_back, X, Y)[0], 2 * model)


def test_what_does_not_fit_is_refused():
    with pytest.raises(ArgumentError, match="labels: expected int64"):
        sr.gradient(W, X, Y[:1], decay=DECAY)
    with pytest.raises(ArgumentError, match="labels: expected classes below 3"):
        sr.gradient(W, X, Y + 1, decay=DECAY)
    with pytest.raises(ArgumentError, match="decay"):
        sr.gradient(W, X, Y, decay=-1.0)
    with pytest.raises(ArgumentError, match="path: expected two points"):
        sr.fisher_lengths(W[:, None], X, Y)
