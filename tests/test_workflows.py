"""The workflows: valid, pinned, each job with the least permissions; and the linters that say so can say no."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / ".github/workflows"
WORKFLOWS = sorted(FOLDER.glob("*.yml"))
READ = {"contents": "read"}
# Every job's permissions, in full: a new job or a wider permission has to be written down here as well.
PERMISSIONS = {
    "ci.yml": {"test": READ},
    "cold.yml": {"cold": READ, "rounding": READ, "corners": READ, "report": {"issues": "write"}},
    "pages.yml": {"build": READ, "deploy": {"pages": "write", "id-token": "write"}},
}


def run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name(tool), *arguments]
    return subprocess.run(command, env=os.environ | {"NO_COLOR": "1"}, capture_output=True, text=True, check=False)


def schema(name: str, *files: Path) -> subprocess.CompletedProcess[str]:
    # Both schemas come with the tool: nothing is fetched.
    return run("check-jsonschema", "--builtin-schema", name, *files)


def zizmor(*files: Path) -> subprocess.CompletedProcess[str]:
    return run("zizmor", "--offline", "--no-progress", "--persona", "auditor", *files)


def unpinned(text: str) -> list[str]:
    """The actions that are not given by a full commit hash with the version behind it."""
    used = re.findall(r"uses: *(.*)", text)
    return [action for action in used if not re.fullmatch(r"[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+(\.\d+)*", action)]


def changed(folder: Path, name: str, old: str, new: str) -> Path:
    """A copy of a workflow in which one thing is different."""
    text = (FOLDER / name).read_text()
    assert old in text
    copy = folder / ".github/workflows" / name
    copy.parent.mkdir(parents=True)
    copy.write_text(text.replace(old, new, 1))
    return copy


def test_these_are_the_workflows():
    assert [path.name for path in WORKFLOWS] == sorted(PERMISSIONS)


@pytest.mark.parametrize("name", ["vendor.github-workflows", "custom.github-workflows-require-timeout"])
def test_the_schemas_hold(name):
    found = schema(name, *WORKFLOWS)
    assert found.returncode == 0, found.stdout


def test_zizmor_finds_nothing():
    found = zizmor(*WORKFLOWS)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "No findings" in found.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit(path):
    assert unpinned(path.read_text()) == []


def test_an_action_has_one_version():
    used = {line for path in WORKFLOWS for line in re.findall(r"uses: *(.*)", path.read_text())}
    assert len({line.split("@")[0] for line in used}) == len(used)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_permissions_are_the_least(path):
    content = yaml.safe_load(path.read_text())
    assert content["permissions"] == {}
    assert {name: job["permissions"] for name, job in content["jobs"].items()} == PERMISSIONS[path.name]


def test_ci_runs_what_everyone_runs():
    content = yaml.safe_load((FOLDER / "ci.yml").read_text())
    assert content["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.13"]
    runs = {step["run"]: step.get("if") for step in content["jobs"]["test"]["steps"] if "run" in step}
    # The book is of one Python, by the lock; a second one says whether the models hold elsewhere.
    assert runs == {".ci/run": "matrix.python == '3.11'", "make library": "matrix.python != '3.11'"}
    assert (ROOT / ".ci/run").read_text().rstrip().endswith("make test")
    assert os.access(ROOT / ".ci/run", os.X_OK)


STAND_IN = """\
#!/bin/sh
tool=$(basename "$0")
case "$tool $*" in
    pytest*--nbval*) tool=chapters ;;
    pytest*) tool=tests ;;
    jupyter-book*) mkdir -p "$SITE" ;;
esac
echo "$tool" >> "$CALLED"
test "$tool" != "$BROKEN"
"""


@pytest.mark.parametrize(
    ("broken", "left_out"),
    [
        ("", set()),
        ("ruff", {"lint-imports", "mypy", "jupyter-book", "memscape", "chapters", "tests"}),
        ("lint-imports", {"mypy", "jupyter-book", "memscape", "chapters", "tests"}),
        ("mypy", {"jupyter-book", "memscape", "tests"}),
        ("jupyter-book", {"memscape", "tests"}),
        ("memscape", {"tests"}),  # the site is built and found unsound
        ("chapters", set()),
        ("tests", set()),
    ],
)
def test_make_test_fails_with_each_of_its_parts_and_compares_chapters_whatever_the_site(tmp_path, broken, left_out):
    tools = {"ruff", "lint-imports", "mypy", "jupyter-book", "memscape", "pytest"}
    for tool in tools:
        (tmp_path / tool).write_text(STAND_IN)
        (tmp_path / tool).chmod(0o755)
    # These tests may have been started by make, whose own flags are not for this one.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    environment |= {"SITE": str(tmp_path / "site"), "CALLED": str(tmp_path / "called"), "BROKEN": broken}
    command = ["make", "test", "--old-file=environment", f"BIN={tmp_path}", f"SITE={tmp_path / 'site'}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (broken == "")
    called = set((tmp_path / "called").read_text().split())
    assert called == (tools - {"pytest"} | {"chapters", "tests"}) - left_out


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("ci.yml", "@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6", "unpinned-uses"),
        ("ci.yml", "permissions: {}", "permissions: write-all", "excessive-permissions"),
        ("ci.yml", "persist-credentials: false", "persist-credentials: true", "artipacked"),
        ("ci.yml", "run: .ci/run", "run: echo ${{ github.head_ref }}", "template-injection"),
    ],
)
def test_zizmor_can_say_no(tmp_path, name, old, new, message):
    found = zizmor(changed(tmp_path, name, old, new))
    assert found.returncode != 0
    assert message in found.stdout


@pytest.mark.parametrize(
    ("name", "old", "new", "broken"),
    [
        ("ci.yml", "runs-on: ubuntu-24.04", "run-on: ubuntu-24.04", "vendor.github-workflows"),
        ("ci.yml", "timeout-minutes: 90\n", "\n", "custom.github-workflows-require-timeout"),
    ],
)
def test_the_schemas_can_say_no(tmp_path, name, old, new, broken):
    assert schema(broken, changed(tmp_path, name, old, new)).returncode != 0


def test_a_loose_pin_is_seen():
    loose = "uses: actions/checkout@v6\n- uses: actions/checkout@0123456789012345678901234567890123456789\n"
    assert len(unpinned(loose)) == 2


def test_the_citation_file_is_valid(tmp_path):
    assert schema("vendor.citation-file-format", ROOT / "CITATION.cff").returncode == 0
    broken = tmp_path / "CITATION.cff"
    broken.write_text((ROOT / "CITATION.cff").read_text().replace("title:", "titel:"))
    assert schema("vendor.citation-file-format", broken).returncode != 0


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash on this machine")
def test_the_script_of_ci_is_well_formed():
    found = subprocess.run(["bash", "-n", ROOT / ".ci/run"], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
