"""The number of threads inside a block, and after it."""

import pytest
import torch

from memscape.arguments import ArgumentError
from memscape.tools.threads import threads


def test_the_number_of_threads_is_that_of_the_block_and_comes_back():
    before = torch.get_num_threads()
    with threads(before + 1):
        assert torch.get_num_threads() == before + 1
        with threads():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == before + 1
    assert torch.get_num_threads() == before


def test_it_comes_back_after_an_error():
    before = torch.get_num_threads()
    with pytest.raises(KeyError), threads(before + 1):
        raise KeyError
    assert torch.get_num_threads() == before


def test_no_threads_are_refused():
    with pytest.raises(ArgumentError, match=r"^count: expected an integer in \[1, 32768\]; got 0"), threads(0):
        pass
