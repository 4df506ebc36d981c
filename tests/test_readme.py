"""What the README shows, works: its commands exist, its parameters too, its code runs, its paths are there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from memscape.book import chapters, claims, cli, ledger, parameters

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "README.md").read_text()
CHEAP = {"status", "ledger", "parameters"}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


LINES = [shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()]
VERBS = sorted(set(re.findall(r"\bmake ([a-z]+)", TEXT)))


def given(line: list[str]) -> dict[str, str]:
    return {line[i + 1]: line[i + 2] for i, word in enumerate(line) if word == "-p"}


def test_the_verbs_are_those_of_the_makefile():
    phony = re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert sorted(set(phony[0].split()) - {"environment"}) == VERBS


@pytest.mark.parametrize("verb", VERBS)
def test_make_knows_the_verb(verb):
    # -n prints what would be done and does nothing.
    found = subprocess.run(["make", "-n", verb], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stderr == ""


@pytest.mark.parametrize("line", [line for line in LINES if line[0] == "memscape" and line[1] in CHEAP], ids=" ".join)
def test_a_cheap_command_runs(line):
    command = [Path(sys.executable).with_name(line[0]), *line[1:]]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert found.stdout.strip()


@pytest.mark.parametrize("line", [line for line in LINES if line[1] == "run"], ids=" ".join)
def test_a_run_would_be_accepted(line, monkeypatch):
    accepted = []
    monkeypatch.setattr(cli, "_carry_out", lambda jobs, workers=1: (accepted.extend(jobs), []))
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit) as end:
        cli.main(line[1:])
    assert not end.value.code
    (job,) = accepted
    assert given(line).keys() <= job.values.keys()


@pytest.mark.parametrize("line", [line for line in LINES if line[0] == "papermill"], ids=" ".join)
def test_papermill_is_given_what_the_chapter_has(line):
    page = chapters.find(line[1])
    declared = page.parameters()
    texts = given(line)
    assert texts
    values = {name: parameters.require_known(name, declared, page.name).read(text) for name, text in texts.items()}
    parameters.resolve(declared, values, page.name)


def test_every_line_is_tested():
    tested = [line for line in LINES if line[0] in ("make", "papermill") or line[:2] == ["memscape", "run"]]
    tested += [line for line in LINES if line[0] == "memscape" and line[1] in CHEAP]
    assert [line for line in LINES if line not in tested] == [["source", ".venv/bin/activate"]]


def test_the_code_runs_and_finds_every_memory():
    (code,) = blocks("python")
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    assert re.findall(r"-?[\d.]+", found.stdout.partition("]")[0]) == ["1."] * 10


def test_the_paths_exist():
    made = {".venv", "out/"}
    paths = set(re.findall(r"`([\w./-]+)`", TEXT)) - made
    paths = {path for path in paths if re.search(r"/|\.\w+$|^LICENSE|^[A-Z_]+\.", path)}
    assert len(paths) > 10
    ignored = {"book/", "book.begin", "run.check"}  # in src/memscape, and two names of Python
    assert sorted(path for path in paths - ignored if not (ROOT / path).exists()) == []


def test_chapters_rows_and_verdicts_are_counted():
    rows = claims.load(ROOT).values()
    (counts,) = re.findall(r"So far there are (\d+) chapters and a ledger of (\d+) rows", TEXT)
    assert tuple(map(int, counts)) == (len(chapters.every(ROOT)), len(rows))
    tally = ledger.tally(rows)
    (published,) = re.findall(r"^\* \d+ published results: [^.]*", TEXT, re.MULTILINE)
    (ours,) = re.findall(r"^\* \d+ questions of our own: [^.]*", TEXT, re.MULTILINE)
    for text, found in ((published, tally.published), (ours, tally.ours)):
        told = re.findall(
            r"(\d+) (reproduced|agree|partly|not reproduced|refuted|hold|fail|undecided|not run|out of reach)", text
        )
        assert int(re.search(r"\d+", text)[0]) == sum(found.values())
        assert {(int(count), verdict) for count, verdict in told} == {
            (count, {"agrees": "agree", "holds": "hold", "fails": "fail"}.get(verdict, verdict))
            for verdict, count in found.items()
            if count
        }
    assert f"* {tally.pinned} numbers are pinned" in TEXT
    assert f"Rows that hold nothing else: {tally.regression}." in TEXT
