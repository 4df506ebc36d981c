"""Learners, lenses and folds against derivatives by hand, the library's optimisers and each other."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.categorical import algebras

from ..draws import normal

layer, linear = algebras.layer, algebras.linear


def test_a_composite_has_pairs_of_parameters_and_brackets_do_not_matter_otherwise():
    p, q, r, a = normal(0, 3, 2), normal(1, 4, 3), normal(2, 2, 4), normal(3, 2)
    left = algebras.then(algebras.then(layer, layer), layer)(((p, q), r), a)
    right = algebras.then(layer, algebras.then(layer, layer))((p, (q, r)), a)
    assert torch.equal(left, right)
    assert torch.equal(left, layer(r, layer(q, layer(p, a))))
    both = algebras.beside(layer, linear)((p, q), (a, p @ a))
    assert torch.equal(both[0], layer(p, a))
    assert torch.equal(both[1], q @ (p @ a))


def test_a_linear_learner_by_hand():
    learner = algebras.descent(linear, algebras.SQUARED, 0.5)
    p, a, b = normal(0, 3, 2), normal(1, 2), normal(2, 3)
    torch.testing.assert_close(learner.update(p, a, b), p - 0.5 * torch.outer(p @ a - b, a))
    torch.testing.assert_close(learner.request(p, a, b), a - p.T @ (p @ a - b))


@pytest.mark.parametrize("error", [algebras.SQUARED, algebras.LOGISTIC], ids=["squared", "logistic"])
@settings(max_examples=30)
@given(seed=st.integers(0, 2**31), step=st.floats(0.001, 2))
def test_the_learner_of_a_composite_is_the_composite_of_learners(error, seed, step):
    p, q, a, c = normal(seed, 5, 4), normal(seed + 1, 3, 5), normal(seed + 2, 4), normal(seed + 3, 3)
    whole = algebras.descent(algebras.then(layer, linear), error, step)
    parts = algebras.descent(layer, error, step).then(algebras.descent(linear, error, step))
    torch.testing.assert_close(whole.implement((p, q), a), parts.implement((p, q), a))
    for one, other in zip(whole.update((p, q), a, c), parts.update((p, q), a, c), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(whole.request((p, q), a, c), parts.request((p, q), a, c), rtol=1e-10, atol=1e-10)


def test_two_learners_side_by_side():
    p, q, a, b, c, d = (normal(seed, *shape) for seed, shape in enumerate([(3, 2), (2, 3), (2,), (3,), (3,), (2,)]))
    whole = algebras.descent(algebras.beside(layer, linear), algebras.SQUARED, 0.1)
    parts = algebras.descent(layer, algebras.SQUARED, 0.1).beside(algebras.descent(linear, algebras.SQUARED, 0.1))
    for name in ("update", "request"):
        pair = [getattr(each, name)((p, q), (a, b), (c, d)) for each in (whole, parts)]
        for one, other in zip(*pair, strict=True):
            torch.testing.assert_close(one, other)


def test_reverse_derivatives_compose():
    matrix, other, x, slope = normal(0, 3, 4), normal(1, 2, 3), normal(2, 4), normal(3, 2)
    composed = algebras.reverse(lambda a: (matrix @ a).sin()).then(algebras.reverse(lambda b: other @ b))
    by_hand = matrix.T @ ((matrix @ x).cos() * (other.T @ slope))
    torch.testing.assert_close(composed.put(x, slope), by_hand)
    torch.testing.assert_close(composed.get(x), other @ (matrix @ x).sin())


@pytest.mark.parametrize("name", ["nesterov", "adam"])
def test_lenses_step_as_the_library_does(name):
    target, start = normal(0, 6), normal(1, 6)
    shown = start.clone().requires_grad_()
    if name == "nesterov":
        library = torch.optim.SGD([shown], lr=0.05, momentum=0.9, nesterov=True)
        lens, state = algebras.nesterov(0.05, 0.9), (torch.zeros(6, dtype=torch.float64), start)
    else:
        library = torch.optim.Adam([shown], lr=0.05)
        lens, zero = algebras.adam(0.05), torch.zeros(6, dtype=torch.float64)
        state = (0, zero, zero, start)
    trained = lens.then(algebras.reverse(lambda p: (p - target).square().sum()))
    for _ in range(15):
        library.zero_grad()
        (shown - target).square().sum().backward()
        library.step()
        state = trained.put(state, torch.ones((), dtype=torch.float64))
        torch.testing.assert_close(lens.get(state), shown.detach(), rtol=1e-12, atol=1e-12)


def test_the_delta_rule_is_lawful_for_a_key_and_a_smaller_step_is_not():
    weights, key, one, other = normal(0, 3, 5), normal(1, 5), normal(2, 3), normal(3, 3)
    full = algebras.descent(linear, algebras.SQUARED, 1 / float(key @ key)).at(key)
    assert algebras.defects(full, weights, one, other).max() < 1e-12
    half = algebras.descent(linear, algebras.SQUARED, 0.5 / float(key @ key)).at(key)
    found = algebras.defects(half, weights, one, other)
    assert found[0] == 0
    torch.testing.assert_close(found[1], (weights @ key - one).norm() / 2)
    assert found[2] > 0.01


def test_a_projection_obeys_the_laws_and_each_can_be_broken():
    state, one, other = (normal(0, 2), normal(1, 2)), normal(2, 2), normal(3, 2)
    first = algebras.Lens(lambda s: s[0], lambda s, v: (v, s[1]))
    assert algebras.defects(first, state, one, other).tolist() == [0, 0, 0]
    moved = algebras.Lens(lambda s: s[0], lambda s, v: (v, s[1] + 1))
    assert (algebras.defects(moved, state, one, other) > 0).tolist() == [True, False, True]
    deaf = algebras.Lens(lambda s: s[0], lambda s, v: s)
    assert (algebras.defects(deaf, state, one, other) > 0).tolist() == [False, True, False]


def test_a_fold_is_a_loop_and_takes_parameters_along():
    state, inputs, weights = normal(0, 3), normal(1, 4, 3), normal(2, 4, 3, 3)

    def cell(now, given):
        return (given[0] @ now + given[1]).tanh()

    by_hand = state
    for step in range(4):
        by_hand = (weights[step] @ by_hand + inputs[step]).tanh()
    assert torch.equal(algebras.fold(cell, state, (weights, inputs)), by_hand)
    for cut in range(5):
        middle = algebras.fold(cell, state, (weights[:cut], inputs[:cut]))
        assert torch.equal(algebras.fold(cell, middle, (weights[cut:], inputs[cut:])), by_hand)


def test_the_gradient_of_a_tied_fold_is_the_sum_over_copies():
    state, inputs, weight = normal(0, 3), normal(1, 3, 3), normal(2, 3, 3)

    def cell(now, given):
        return (given[0] @ now + given[1]).tanh()

    def value(copies):
        return algebras.fold(cell, state, (copies, inputs)).sum()

    tied = torch.func.grad(lambda p: value(p.expand(3, 3, 3)))(weight)
    apart = torch.func.grad(value)(weight.expand(3, 3, 3).clone())
    torch.testing.assert_close(tied, apart.sum(dim=0))
    step = 1e-6
    for i, j in itertools.product(range(3), repeat=2):
        bent = weight.clone()
        bent[i, j] += step
        difference = (value(bent.expand(3, 3, 3)) - value(weight.expand(3, 3, 3))) / step
        assert abs(difference - tied[i, j]) < 1e-4


def test_tied_and_copied_gradients_of_a_recurrent_network():
    weights, state, inputs = normal(0, 3, 5), normal(1, 3), normal(2, 4, 2)
    torch.testing.assert_close(
        algebras.tied_gradient(weights, state, inputs), algebras.copied_gradients(weights, state, inputs).sum(dim=0)
    )
    now = weights.clone().requires_grad_()
    last = state
    for each in inputs:
        last = (now[:, :3] @ last + now[:, 3:] @ each).tanh()
    last.square().sum().backward()
    torch.testing.assert_close(algebras.tied_gradient(weights, state, inputs), now.grad)


def test_a_driven_network_takes_the_sign_of_its_input():
    couplings, state = normal(0, 5, 5), normal(1, 5).sign()
    couplings = couplings + couplings.mT
    inputs = normal(2, 5)
    assert torch.equal(algebras.driven(couplings, state, inputs), (couplings @ state + inputs).sign())


def test_the_largest_difference():
    pair = (normal(0, 3), (normal(1, 2),))
    assert algebras.apart(pair, pair) == 0
    assert algebras.apart((torch.zeros(2), torch.ones(2)), (torch.ones(2), torch.full((2,), -2.0))) == 3
    with pytest.raises(ArgumentError, match="other"):
        algebras.apart(pair, pair[0])


def test_what_is_none_is_refused():
    with pytest.raises(ArgumentError, match="second"):
        algebras.descent(linear, algebras.SQUARED, 1.0).then(linear)
    with pytest.raises(ArgumentError, match="inner"):
        algebras.reverse(torch.sin).then(torch.sin)
    with pytest.raises(ArgumentError, match="step"):
        algebras.descent(linear, algebras.SQUARED, 0.0)
    with pytest.raises(ArgumentError, match="inputs"):
        algebras.fold(linear, 0, (torch.ones(2), torch.ones(3)))
