"""Nothing takes longer than it may: a chapter, a test file of science, all tests of the book; and how that is known."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from memscape.book import chapters, execute

ROOT = Path(__file__).parents[1]
TIMES = Path("results/desk/test_times.json")

# Seconds of user time on an ordinary core: what a chapter took is divided by the pace that its run has measured.
CHAPTER = 60
SCIENCE = 30
BOOK = 19 * 60  # of which every chapter at the least of its values takes five
PARTS = {"memory", "capacity", "polytopes", "homotopy", "categorical", "tools"}


def ordinary(took: dict) -> float | None:
    """The user seconds of a run on an ordinary core; a run of before the pace was measured counts as it is."""
    return round(took["user_seconds"] / took.get("pace", 1.0), 1) if "user_seconds" in took else None


def chapters_over(taken: dict[str, dict], names: list[str]) -> list[str]:
    """Which chapters took too long or were never measured, given what `memscape execute` has recorded."""
    seconds = {name: ordinary(taken.get(name, {})) for name in names}
    unknown = [f"{name}: not measured, execute it" for name, found in seconds.items() if found is None]
    measured = {name: found for name, found in seconds.items() if found is not None}
    return unknown + [f"{name}: {found} s" for name, found in measured.items() if found > CHAPTER]


def files_over(seconds: dict[str, float], files: list[str]) -> list[str]:
    """Which test files took too long or were never measured, given what `pytest --record-times` has recorded."""
    science = {name for name in files if name.split("/")[1] in PARTS}
    unknown = [name for name in files if name not in seconds]
    found = [f"{name}: not measured, run pytest --record-times {name}" for name in unknown]
    found += [f"{name}: {seconds[name]} s" for name in sorted(science) if seconds.get(name, 0.0) > SCIENCE]
    book = sum(seconds.get(name, 0.0) for name in set(files) - science)
    return found + ([f"the book's tests: {book:.0f} s"] if book > BOOK else [])


def test_no_chapter_takes_longer_than_it_may():
    taken = json.loads((ROOT / execute.STATUS).read_text())
    assert chapters_over(taken, [page.name for page in chapters.every(ROOT)]) == []


def test_no_test_file_takes_longer_than_it_may():
    seconds = json.loads((ROOT / TIMES).read_text()) if (ROOT / TIMES).exists() else {}
    files = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("test_*.py"))
    assert files_over(seconds, files) == []


def test_what_is_over_or_unknown_is_named():
    taken = {"memory/a": {"user_seconds": 60.0}, "memory/b": {"user_seconds": 60.1}, "memory/c": {"seconds": 1.0}}
    assert chapters_over(taken, ["memory/a", "memory/b", "memory/c", "memory/d"]) == [
        "memory/c: not measured, execute it", "memory/d: not measured, execute it", "memory/b: 60.1 s",
    ]  # fmt: skip
    slow = {"memory/a": {"user_seconds": 90.0, "pace": 1.5}, "memory/b": {"user_seconds": 50.0, "pace": 0.8}}
    assert chapters_over(slow, list(slow)) == ["memory/b: 62.5 s"]
    seconds = {"tests/memory/test_a.py": 30.0, "tests/tools/test_b.py": 30.1, "tests/book/test_c.py": 1100.0}
    assert files_over(seconds, list(seconds)) == ["tests/tools/test_b.py: 30.1 s"]
    assert files_over(seconds | {"tests/test_d.py": 41.0}, [*seconds, "tests/test_d.py"])[1:] == [
        "the book's tests: 1141 s"
    ]
    for name in ("tests/memory/test_a.py", "tests/book/test_c.py", "tests/test_d.py"):
        assert files_over({}, [name]) == [f"{name}: not measured, run pytest --record-times {name}"]


@pytest.fixture
def house(tmp_path):
    """A house with three test files, of which the second takes a second."""
    shutil.copy(ROOT / "conftest.py", tmp_path)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    nothing = "def test_one(): pass\n\n\ndef test_two(): pass\n"
    work = "    end = time.process_time() + 1\n    while time.process_time() < end: sum(range(10**5))\n"
    busy = f"import time\n\n\ndef test_one():\n{work}"
    for name, text in [("a", nothing), ("b", busy), ("c", nothing)]:
        (tmp_path / "tests").mkdir(exist_ok=True)
        (tmp_path / f"tests/test_{name}.py").write_text(text)

    def run(*arguments):
        command = [sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return tmp_path, run


def order(text: str) -> list[str]:
    return [line.split("::")[0][-4] for line in text.splitlines() if "::" in line and "PASSED" in line]


@pytest.mark.parametrize("processes", [(), ("-n", "2")])
def test_times_are_recorded_and_the_longest_begins(house, processes):
    root, run = house
    assert run("--record-times", *processes).returncode == 0
    seconds = json.loads((root / TIMES).read_text())
    assert list(seconds) == [f"tests/test_{name}.py" for name in "abc"]
    assert seconds["tests/test_b.py"] >= 0.4 > 0.3 > seconds["tests/test_a.py"]
    assert order(run().stdout) == ["b", "a", "a", "c", "c"]
    # A file that is not known goes first; one that has gone is forgotten.
    (root / "tests/test_b.py").rename(root / "tests/test_d.py")
    assert order(run().stdout)[0] == "d"
    assert run("--record-times", "tests/test_d.py").returncode == 0
    assert list(json.loads((root / TIMES).read_text())) == [f"tests/test_{name}.py" for name in "acd"]


@pytest.mark.parametrize("narrowed", [["-k", "one"], ["-x"], ["tests/test_a.py::test_one"]])
def test_half_a_file_is_not_recorded(house, narrowed):
    root, run = house
    found = run("--record-times", *narrowed)
    assert found.returncode == 4
    assert "whole files" in found.stderr
    assert not (root / TIMES).exists()


def test_chapters_begin_with_the_longest(house):
    root, run = house
    cell = {"cell_type": "code", "id": "a", "execution_count": 1, "metadata": {}, "source": "1", "outputs": []}
    notebook = {"cells": [cell], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
    (root / "chapters/memory").mkdir(parents=True)
    for name in "xyz":
        (root / f"chapters/memory/{name}.ipynb").write_text(json.dumps(notebook))
    taken = {"memory/x": {"seconds": 1.0}, "memory/y": {"seconds": 5.0}, "memory/z": {"seconds": 2.0}}
    (root / execute.STATUS).parent.mkdir(parents=True)
    (root / execute.STATUS).write_text(json.dumps(taken))
    found = run("--nbval", "--collect-only", "-q", "-q", "chapters").stdout
    assert [line.partition(".ipynb")[0][-1] for line in found.splitlines() if "::" in line] == ["y", "z", "x"]
