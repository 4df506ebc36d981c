"""The oracle and its proofs, against brute force; the perceptron rule against the oracle."""

import itertools

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.polytopes import separation
from memscape.polytopes.separation import alternatives, circuit, perceptron, separate
from memscape.polytopes.weight_space import states


def by_brute_force(rows: np.ndarray, reach: int) -> bool:
    grid = np.array(list(itertools.product(range(-reach, reach + 1), repeat=rows.shape[1])))
    return bool((grid @ rows.T > 0).all(axis=1).any())


@pytest.mark.parametrize("seed", range(40))
def test_separate_proves_its_answer_and_agrees_with_brute_force(seed):
    rng = np.random.default_rng(seed)
    rows = rng.integers(-1, 2, size=(rng.integers(1, 8), 3))
    answer = separate(rows)
    assert bool(answer) == by_brute_force(rows, 6)
    if answer.weights is not None:
        assert answer.multipliers is None
        assert (rows @ answer.weights >= 1).all()
    else:
        m = answer.multipliers
        assert m.min() == 0 or len(m) == np.count_nonzero(m)
        assert m.sum() > 0
        assert not (m @ rows).any()
        support = rows[m > 0]
        assert np.linalg.matrix_rank(support) == len(support) - 1


def test_alternatives_prove_one_or_the_other_and_agree_with_the_oracle():
    rng = np.random.default_rng(1)
    normals = rng.integers(-2, 3, size=(9, 3))
    normals = normals[normals.any(axis=1)]
    sides = rng.choice([-1, 1], size=(60, len(normals)))
    weights, multipliers = alternatives(normals, sides, 2000)
    kinds = set()
    for side, w, m in zip(sides, weights, multipliers, strict=True):
        rows = side[:, None] * normals
        answer = separate(rows)
        kinds.add(bool(answer))
        if answer:
            assert (rows @ w > 0).all()
            assert not m.any()
        else:
            assert not w.any()
            assert m.min() >= 0
            assert m.any()
            assert not (m @ rows).any()
            one = circuit(rows, m)
            assert set(np.flatnonzero(one)) <= set(np.flatnonzero(m))
            assert np.gcd.reduce(one) == 1
            assert one.min() >= 0
            assert not (one @ rows).any()
            support = rows[one > 0]
            assert np.linalg.matrix_rank(support) == len(support) - 1
    assert kinds == {False, True}


def test_alternatives_say_nothing_where_the_steps_do_not_suffice():
    normals, sides = np.array([[1, 0], [9, -10]]), np.array([[1, -1]])
    weights, multipliers = alternatives(normals, sides, 1)
    assert not weights.any()
    assert not multipliers.any()
    weights, _ = alternatives(normals, sides, 100)
    assert (weights[0] @ (sides[0, :, None] * normals).T > 0).all()
    with pytest.raises(ArgumentError, match="steps: expected so few that float64 holds their sums; got 9"):
        alternatives(10**7 * normals, sides, 9)


@pytest.mark.parametrize(("variables", "count"), [(1, 4), (2, 14), (3, 104)])
def test_threshold_functions_are_counted_by_the_oracle(variables, count):
    inputs = np.concatenate([np.ones((2**variables, 1), dtype=int), states(variables)], axis=1)
    labels = 2 * (np.arange(2 ** len(inputs))[:, None] >> np.arange(len(inputs)) & 1) - 1
    assert sum(bool(separate(label[:, None] * inputs)) for label in labels) == count


def test_separate_says_so_where_floats_cannot_tell_and_proves_where_they_can():
    large = 10**5
    narrow = np.array([[large, large + 1], [-large + 1, -large]])  # a margin of one part in 10^10
    with pytest.raises(RuntimeError, match="no proof"):
        separate(narrow)
    assert separate(np.array([[large, large + 1], [-large, -large - 1]])).multipliers.tolist() == [1, 1]
    wider = np.array([[100, 101], [-99, -100]])
    assert (wider @ separate(wider).weights >= 1).all()


def test_a_dependence_with_both_signs_is_no_proof():
    rows = np.array([[1, 2], [3, 4], [4, 6]])
    assert separation._circuit(rows, np.ones(3)) is None
    assert separation._circuit(np.array([[1, 2], [3, 4], [-4, -6]]), np.ones(3)).tolist() == [1, 1, 1]


# The perceptron rule


def test_what_the_rule_finds_is_right_and_what_it_does_not_find_the_oracle_refuses():
    rng = np.random.default_rng(0)
    rows = torch.from_numpy(rng.integers(-2, 3, size=(200, 6, 4))).double()
    weights, solved = perceptron(rows, 2000)
    assert torch.equal((torch.einsum("skd,sd->sk", rows, weights) > 0).all(dim=1), solved)
    possible = torch.tensor([bool(separate(one.numpy().astype(int))) for one in rows])
    assert not (solved & ~possible).any()
    assert 20 < solved.sum() < 180
    assert (possible & ~solved).sum() <= 1  # False proves nothing: one has a margin that 2000 steps do not reach


def test_shared_rows_with_sides_are_rows_of_their_own():
    rng = np.random.default_rng(1)
    rows = torch.from_numpy(rng.integers(-2, 3, size=(8, 5))).double()
    sides = torch.from_numpy(rng.choice([-1.0, 1.0], size=(100, 8)))
    shared, multipliers = map(torch.from_numpy, alternatives(rows.long().numpy(), sides.long().numpy(), 40))
    weights, solved = perceptron(sides[:, :, None] * rows, 40)
    assert torch.equal(shared, torch.where(solved[:, None], weights, 0).long())
    assert not multipliers[solved].any()
    assert 0 < solved.sum() < 100


def test_the_number_of_steps_is_the_number_of_steps():
    # (1, 0) and (-3, 1) are met by w = (1, 4); the rule goes (-2, 1), (-1, 1), (0, 1), (1, 1), ...
    rows = torch.tensor([[[1.0, 0.0], [-3.0, 1.0]]])
    assert [perceptron(rows, steps)[0].tolist() for steps in (0, 1, 2)] == [[[-2, 1]], [[-1, 1]], [[0, 1]]]
    needed = next(steps for steps in range(100) if perceptron(rows, steps)[1].all())
    assert not perceptron(rows, needed - 1)[1].any()
    assert perceptron(rows, needed + 50)[0].tolist() == perceptron(rows, needed)[0].tolist()
    assert not perceptron(torch.ones(1, 1, 1), -1)[1].any()


@pytest.mark.parametrize(("call", "message"), [
        (lambda: separate(np.ones((2, 2))), "rows: expected a numpy array of integers; got dtype float64. Round and"),
        (lambda: separate([[1]]), "rows: expected a numpy array of integers; got list. Round and"),
        (lambda: separate(np.ones(3, dtype=int)), "rows: expected shape (any, any), no axis empty; got shape (3,)"),
        (lambda: separate(np.ones((0, 3), dtype=int)), "rows: expected shape (any, any), no axis empty; got"),
])  # fmt: skip
def test_what_is_wrong_is_refused_in_words(call, message):
    with pytest.raises(ArgumentError) as refused:
        call()
    assert str(refused.value).startswith(message)
