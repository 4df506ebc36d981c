"""Pieces of a range, and the one budget that says how large they are."""

import re
import threading

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.tools import pieces


@given(count=st.integers(0, 60), width=st.integers(1, 80))
def test_slices_cover_every_item_once_in_order(count, width):
    found = pieces.slices(count, width)
    assert [i for piece in found for i in range(count)[piece]] == list(range(count))
    assert all(0 < piece.stop - piece.start <= width and piece.stop <= count for piece in found)
    assert len(found) == -(-count // width)


@given(size=st.integers(1, 2**40), each=st.integers(1, 2**40))
def test_what_fits_takes_no_more_than_the_budget(size, each):
    with pieces.budget(size):
        number = pieces.fitting(each)
        assert number >= 1
        assert number == 1 or number * each <= size
        assert (number + 1) * each > size


def test_the_budget_holds_inside_its_block_and_is_restored_after_an_error():
    assert pieces.fitting(1) == pieces.BUDGET
    with pieces.budget(100):
        assert pieces.fitting(10) == 10
        with pytest.raises(ZeroDivisionError), pieces.budget(pieces.fitting(10) - 3):
            _ = 1 / (pieces.fitting(2) - 3)
        assert pieces.fitting(10) == 10
    assert pieces.fitting(1) == pieces.BUDGET


def test_the_budget_holds_in_every_thread():
    found = []
    with pieces.budget(100):
        thread = threading.Thread(target=lambda: found.append(pieces.fitting(10)))
        thread.start()
        thread.join()
    assert found == [10]


def test_a_cached_piece_keeps_to_the_cache_or_to_its_least_size():
    assert pieces.cached(1) == pieces.CACHE
    assert pieces.cached(pieces.CACHE // 8) == 8
    assert pieces.cached(2 * pieces.CACHE) == 1
    assert pieces.cached(pieces.CACHE // 8, at_least=32) == 32


def test_compiled_code_follows_the_budget():
    compiled = torch.compile(
        lambda x: x.new_tensor([len(pieces.slices(len(x), pieces.fitting(8)))]), fullgraph=True, backend="eager"
    )
    x = torch.ones(10)
    assert compiled(x).item() == 1
    with pieces.budget(24):
        assert compiled(x).item() == 4


@pytest.mark.parametrize("size", [0, 2.0**20, True])
def test_another_budget_is_refused(size):
    with pytest.raises(ArgumentError, match=re.escape("size: expected an integer >= 1")), pieces.budget(size):
        pass
