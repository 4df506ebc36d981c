"""Pytest for the whole house: the longest files begin first, and what each test file takes can be recorded."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

TIMES = "results/desk/test_times.json"
"""Seconds of one core by test file, from `make times`."""
CHAPTERS = "results/desk/status.json"
"""What executing each chapter took, from `memscape execute`."""

_last = pytest.StashKey[float]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-times", action="store_true", help=f"Record the seconds of whole test files in {TIMES}.")


def pytest_configure(config: pytest.Config) -> None:
    if not config.getoption("--record-times") or hasattr(config, "workerinput"):
        return
    narrowed = [config.getoption(name, False) for name in ("keyword", "markexpr", "maxfail", "lf")]
    if any(narrowed) or any("::" in argument for argument in config.args):
        raise pytest.UsageError("--record-times takes whole files: no -k, -m, -x, --lf and no single tests")
    config.pluginmanager.register(Recorder(config.rootpath), "memscape-times")


def recorded(root: Path) -> dict[str, float]:
    """The seconds of test files and of chapters, by path below the root."""
    found: dict[str, float] = {}
    if (root / TIMES).exists():
        found |= json.loads((root / TIMES).read_text(encoding="utf-8"))
    if (root / CHAPTERS).exists():
        chapters = json.loads((root / CHAPTERS).read_text(encoding="utf-8"))
        found |= {f"chapters/{name}.ipynb": took["seconds"] for name, took in chapters.items()}
    return found


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    seconds = recorded(config.rootpath)
    # A file that was never recorded may be long: it goes first. Within a file the order stays.
    items.sort(key=lambda item: -seconds.get(_file(item.nodeid), float("inf")))


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]


def _used() -> float:
    """User time of this process and of those it has waited for: it hangs little on what else the machine does."""
    times = os.times()
    return times.user + times.children_user


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    item.config.stash[_last] = _used()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    before, item.config.stash[_last] = item.config.stash[_last], _used()
    report.user_seconds = item.config.stash[_last] - before  # travels with the report where several processes test
    return report


class Recorder:
    """Adds up what the tests of each file take, and writes it down beside what is known of other files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.seconds[_file(report.nodeid)] += report.user_seconds  # type: ignore[attr-defined]

    def pytest_sessionfinish(self, exitstatus: int) -> None:
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            return  # interrupted: not all that was asked for has run
        path = self.root / TIMES
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        known |= {name: round(seconds, 1) for name, seconds in self.seconds.items()}
        there = {name: known[name] for name in sorted(known) if (self.root / name).exists()}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(there, indent=1) + "\n", encoding="utf-8")
