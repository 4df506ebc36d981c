"""What a large run measured is recorded with the code, the device and the command that gave it, or not at all."""

import json
import subprocess

import pytest

from memscape.book import chapters, execute, ledger, results

from .conftest import BODY, CLAIMS, chapter, write

LARGE = CLAIMS.replace("desk", "paper").replace("reproduced", "out of reach\n  remark: Takes a large machine.")
BODY_LARGE = [BODY[0], 'run.check("TOY-1", None if run.reference else total)']


@pytest.fixture
def book(home):
    """A book in git whose claim is of the profile ``paper``."""
    (home / "claims/memory.yml").write_text(LARGE)
    (home / "profiles/paper.yml").write_text("memory/toy: {neurons: 30}\n")
    write(home, "memory/toy", chapter(*BODY_LARGE))
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "toy"],
    ):
        subprocess.run(["git", *command], cwd=home, check=True)
    return home


_ran: dict[str, str] = {}  # a run costs a kernel, and does not depend on the folder of the book


def large(home, profile="paper"):
    path = home / "out/toy.ipynb"
    if profile not in _ran:
        execute.to(chapters.find("toy", home), path, {"neurons": 30, "load": 0.2}, profile=profile)
        _ran[profile] = path.read_text()
    path.parent.mkdir(exist_ok=True)
    path.write_text(_ran[profile])
    return path


def test_a_large_run_is_recorded_and_then_judges_the_claim(book):
    (recorded,) = results.record(book, large(book))
    assert recorded == book / "results/paper/TOY-1.json"
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=book, capture_output=True, text=True, check=True).stdout
    found = json.loads(recorded.read_text())
    assert found.pop("device").startswith("one core (")
    assert found == {
        "claim": "TOY-1",
        "measured": 60,
        "commit": head.strip(),
        "command": "memscape run memory/toy --profile paper -p load 0.2",
    }
    result = ledger.recorded("TOY-1", chapter="memory/toy", root=book)
    assert result.measured == 60
    with pytest.raises(execute.ChapterFailed, match="records 'out of reach', this run finds 'not reproduced'"):
        execute.in_place(chapters.find("toy", book))


def test_a_claim_without_a_stored_result_has_none(book):
    assert ledger.recorded("TOY-1", chapter="memory/toy", root=book) is None
    with pytest.raises(ledger.LedgerError, match="TOY-2"):
        ledger.recorded("TOY-2", chapter="memory/toy", root=book)


def edited(home, path):
    write(home, "memory/toy", chapter("total = neurons * 3\ntotal", BODY_LARGE[1]))


def uncommitted(home, path):
    notebook = home / "chapters/memory/toy.ipynb"
    notebook.write_text(notebook.read_text().replace("# Toy", "# Toys"))


def desk(home, path):
    large(home, "desk")


def bare(home, path):
    path.write_text(chapters.find("toy", home).path.read_text())


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (edited, "a run by the code of memory/toy as it stands; got code cells changed. Run it again."),
        (uncommitted, "a run by committed code; got changes in chapters/memory/toy.ipynb. Commit first."),
        (desk, "a measurement of a claim of the run's own, large profile; got none of the profile desk."),
        (bare, "a finished run with checks of the ledger; got "),
        (lambda home, path: path.unlink(), "the notebook of a run; got no file "),
    ],
)
def test_a_number_that_could_not_be_traced_is_not_recorded(book, spoil, message):
    path = large(book)
    spoil(book, path)
    with pytest.raises(results.ArgumentError) as refused:
        results.record(book, path)
    assert f"notebook: expected {message}" in str(refused.value)
    assert not (book / "results").exists()


def test_a_file_that_is_no_notebook_is_named(book):
    (book / "run.ipynb").write_text("<<<<<<< HEAD\n{}")
    with pytest.raises(results.ArgumentError, match=r"run\.ipynb: expected a notebook; got "):
        results.record(book, book / "run.ipynb")
