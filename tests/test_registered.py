"""A claim's test is written down before the run that answers it: in the history, and in words where it was not.

A commit may not hold both a new or changed test of a claim and a new measurement of it. What was measured before this
rule is left as it stands.
"""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
SINCE = "47efe39"
"""The commit from which on tests come first."""


def git(*arguments, root=ROOT):
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def asked_at(commit, root):
    """What each claim asks for at a commit: kinds, targets and bounds, without reasons and what is said of them."""
    found = {}
    for path in (git("ls-tree", "-r", "--name-only", commit, "claims/", root=root) or "").split():
        for row in yaml.safe_load(git("show", f"{commit}:{path}", root=root)) or []:
            test = row["test"]
            parts = test.get("parts", {"": test})
            said = ("reason", "pinned")
            found[row["id"]] = {
                name: {key: value for key, value in part.items() if key not in said} for name, part in parts.items()
            }
    return found


def measured_at(commit, path, root):
    """What a chapter stores for each claim at a commit."""
    text = git("show", f"{commit}:{path}", root=root)
    if text is None:
        return {}
    stored = {}
    for cell in json.loads(text)["cells"]:
        for output in cell.get("outputs", []):
            data = output.get("metadata", {}).get("memscape")
            if data is not None:
                stored[data["claim"]] = data["measured"]
    return stored


def together(since, root):
    """Name the claims whose test and measurement came in one commit after `since`."""
    found = []
    for commit in (git("rev-list", "--reverse", f"{since}..HEAD", root=root) or "").split():
        changed = (git("diff-tree", "--no-commit-id", "--name-only", "-r", commit, root=root) or "").split()
        chapters = [path for path in changed if path.startswith("chapters/") and path.endswith(".ipynb")]
        if not chapters or not any(path.startswith("claims/") for path in changed):
            continue
        before, after = asked_at(f"{commit}~1", root), asked_at(commit, root)
        new = {claim for claim, test in after.items() if test != before.get(claim)}
        for path in chapters:
            old, now = measured_at(f"{commit}~1", path, root), measured_at(commit, path, root)
            found += [f"{commit[:7]}: {claim}" for claim in sorted(new & set(now)) if now[claim] != old.get(claim)]
    return found


def test_no_commit_holds_a_test_and_the_first_measurement_that_answers_it():
    if git("cat-file", "-e", SINCE) is None or git("merge-base", "--is-ancestor", SINCE, "HEAD") is None:
        pytest.skip("the history is not here: a shallow clone")
    assert together(SINCE, ROOT) == []


TEST = {"kind": "count", "target": 1, "reason": "exact"}


@pytest.fixture
def history(tmp_path):
    """A way to commit a claim's test, what a chapter stores for it, or both, in a repository of its own."""
    git("init", "-q", root=tmp_path)
    for folder in ("claims", "chapters/memory"):
        (tmp_path / folder).mkdir(parents=True)

    def commit(test=None, measured=None):
        if test is not None:
            (tmp_path / "claims/memory.yml").write_text(yaml.safe_dump([{"id": "TOY-1", "test": test}]))
        if measured is not None:
            outputs = [{"metadata": {"memscape": {"claim": "TOY-1", "measured": measured}}}, {"metadata": {}}]
            cells = [{"outputs": outputs}, {"source": "text"}]
            (tmp_path / "chapters/memory/toy.ipynb").write_text(json.dumps({"cells": cells}))
        git("add", "-A", root=tmp_path)
        who = ("-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false")
        git(*who, "commit", "-qm", "x", root=tmp_path)
        return git("rev-parse", "HEAD", root=tmp_path).strip()

    commit.root = tmp_path
    return commit


def test_a_test_that_comes_first_is_in_order(history):
    start = history(test=TEST)
    history(measured=1)
    history(test=TEST | {"target": 2})
    history(measured=2)
    assert together(start, history.root) == []


def test_a_test_and_its_measurement_in_one_commit_are_seen(history):
    start = history(test=TEST, measured=1)
    bad = history(test={"parts": {"a": TEST | {"target": 2}}}, measured=2)
    assert together(start, history.root) == [f"{bad[:7]}: TOY-1"]


def test_other_words_about_a_test_are_no_other_test(history):
    start = history(test=TEST, measured=1)
    history(test=TEST | {"reason": "another", "pinned": True}, measured=2)
    history(test=TEST | {"target": 3})
    assert together(start, history.root) == []
