"""Sets as integers, against lists; groups of signed permutations of bits, against one image after another."""

import itertools

import numpy as np
import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.tools import pieces
from memscape.tools.subsets import BitGroup, bits, every, mask, members, pack, subsets, translated, unpack


def test_masks_members_and_bits_are_one_another():
    sets = np.array([0, 5, 2**63, 2**64 - 1], dtype=np.uint64)
    listed = members(sets)
    assert listed[:3] == [[], [0, 2], [63]]
    assert listed[3] == list(range(64))
    assert [mask(one) for one in listed] == sets.tolist()
    assert unpack(sets, 64).dtype == np.uint64
    low = np.array([[0, 5], [2**62, 2**63 - 1]])
    assert (pack(unpack(low, 63).astype(bool)) == low).all()


def test_subsets_come_by_size_and_every_by_their_bits():
    assert subsets(3) == [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]]
    assert every(3).long().tolist() == [
        [0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1],
    ]  # fmt: skip
    assert bits(torch.tensor([2**30]), 31).nonzero().tolist() == [[0, 30]]


def test_a_translation_moves_every_member():
    rng = np.random.default_rng(0)
    sets, shifts = rng.integers(0, 2**64, 200, dtype=np.uint64), rng.integers(0, 64, 200)
    for before, shift, after in zip(members(sets), shifts, members(translated(sets, shifts)), strict=True):
        assert sorted(x ^ int(shift) for x in before) == after


@pytest.mark.parametrize("length", [4, 52])
def test_images_orbits_and_least_images_are_those_of_one_element_after_another(length):
    # Permutations of the last four bits, the others stay; with or without turning bit 0 over.
    rng = np.random.default_rng(1)
    orders = np.array(list(itertools.permutations(range(4))))
    target = np.concatenate([np.tile(np.arange(length - 4), (24, 1)), length - 4 + orders], axis=1)
    target, sign = np.tile(target, (2, 1)), np.ones((48, length), dtype=int)
    sign[24:, 0] = -1
    if length == 4:
        sign[24:] = -1
    sets = np.append(rng.integers(0, 2**length, 30), 2**length - 1)
    group = BitGroup(target, sign)
    expected = [
        {sum((x >> i & 1 ^ (s[i] < 0)) << int(t[i]) for i in range(length)) for t, s in zip(target, sign, strict=True)}
        for x in sets.tolist()
    ]
    least, size = group.canonical(sets)
    assert least.tolist() == [min(one) for one in expected]
    assert size.tolist() == [len(one) for one in expected]
    assert [set(row) for row in group.images(sets).astype(int).tolist()] == expected
    with pieces.budget(1):
        assert all((a == b).all() for a, b in zip(group.canonical(sets), (least, size), strict=True))


def test_elements_that_do_the_same_are_one():
    assert len(BitGroup(np.array([[0, 1], [0, 1], [1, 0]]))) == 2
    assert len(BitGroup(np.array([[0, 1], [0, 1], [1, 0]]), once=False)) == 3


@pytest.mark.parametrize(("call", "message"), [
    (lambda: every(21), "elements: expected an integer in [1, 20]; got 21."),
    (lambda: members([3]), "sets: expected a one-dimensional array of numpy.uint64; got list."),
    (lambda: members(np.zeros((2, 2), dtype=np.uint64)), "sets: expected a one-dimensional array of numpy.uint64; got"),
    (lambda: BitGroup(np.arange(53)[None]), "bits: expected an integer in [1, 52]; got 53."),
    (lambda: BitGroup(np.array([[0, 1], [1, 1]])), "target: expected permutations of 0 to 1; got another row."),
    (lambda: BitGroup(np.array([[0, 1], [-1, 1]])), "target: expected permutations of 0 to 1; got another row."),
    (lambda: BitGroup(np.array([[0, 1], [64, 1]])), "target: expected permutations of 0 to 1; got another row."),
    (lambda: pack(np.ones(64, dtype=bool)), "length of bits: expected an integer <= 63; got 64."),
])  # fmt: skip
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(ArgumentError) as refusal:
        call()
    assert str(refusal.value).startswith(message)
