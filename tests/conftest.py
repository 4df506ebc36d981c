"""What all tests share: one thread, one hypothesis profile, the way to the repository's files."""

import os
from pathlib import Path

# Before any test imports torch or numpy: sums differ between one thread and two, and two are slower on busy cores.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import pytest
from hypothesis import settings

# No deadline: the first call of a kernel is slow and says nothing. The same examples every time: a red test stays red.
settings.register_profile("memscape", deadline=None, derandomize=True, database=None)
settings.load_profile("memscape")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return Path(__file__).parents[1]
