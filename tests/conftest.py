"""What all tests share: one thread, one hypothesis profile, a shell that decides nothing, the repository's files."""

import contextlib
import locale
import os
import tempfile
from pathlib import Path

# Before any test imports torch or numpy: sums differ between one thread and two, and two are slower on busy cores.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import pytest
from hypothesis import settings

# The terminal from which the tests are started decides neither the width of a table nor its colours, nor the language
# of a message, the encoding of a file or the time of day; git is neither in a hook of another repository nor anybody's.
for name in list(os.environ):
    if name.startswith(("GIT_", "LC_", "MEMSCAPE_")) or name in (
        *("FORCE_COLOR", "CLICOLOR_FORCE", "PY_COLORS", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "TYPER_USE_RICH"),
        *("LANG", "LANGUAGE", "PYTHONIOENCODING", "PYTHONWARNINGS", "PYTHONSAFEPATH", "PYTHONSTARTUP", "MPLBACKEND"),
    ):
        del os.environ[name]
os.environ |= {"COLUMNS": "200", "LINES": "50", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1", "TZ": "UTC"}
# Nor is there anybody's profile of IPython, which would run in every kernel.
_nobody = tempfile.TemporaryDirectory(prefix="ipython-", ignore_cleanup_errors=True)
os.environ["IPYTHONDIR"] = _nobody.name
os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
with contextlib.suppress(locale.Error):  # not every system has it, and those that do not write UTF-8 anyway
    locale.setlocale(locale.LC_ALL, "C.UTF-8")

# No deadline: the first call of a kernel is slow and says nothing. The same examples every time: a red test stays red.
settings.register_profile("memscape", deadline=None, derandomize=True, database=None)
settings.load_profile("memscape")


# What stands there is asserted in a test, and says as much when it fails.
pytest.register_assert_rewrite("tests.edges")


def pytest_configure(config: pytest.Config) -> None:
    """Forgive what Dask leaves open, which the package itself never opens.

    Where a worker is killed, Dask's end of its connection is closed by the garbage collector, some tests later: the
    warning, an error here, would befall a test that has nothing to do with it.
    """
    config.addinivalue_line("filterwarnings", "ignore:unclosed (<socket|event loop|transport):ResourceWarning")


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return Path(__file__).parents[1]
