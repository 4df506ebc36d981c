"""What a wheel brings: the models by themselves, the command with the book's packages, and what needs a clone."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

import memscape

ROOT = Path(__file__).parents[1]

MODEL = """\
import torch
from memscape.memory.hopfield import hebbian

print(hebbian(torch.ones(1, 4)).update(torch.ones(4)).tolist())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A wheel built from a copy of the sources."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "src", source / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", source]
    subprocess.run([sys.executable, "-m", "pip", "wheel", *options, source], check=True, capture_output=True)
    (found,) = source.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """A way to run a program of a fresh environment that has the wheel and nothing else, or what is locked here too."""
    folder = tmp_path_factory.mktemp("fresh")
    venv.create(folder, with_pip=False, symlinks=True)
    site = sysconfig.get_path("purelib", vars={"base": str(folder)})
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin/python", "install"]
    subprocess.run([*pip, "--quiet", "--no-deps", "--no-index", wheel], check=True, capture_output=True)
    assert Path(site, "memscape/py.typed").is_file()

    def run(*command, book: bool, cwd: Path, **variables: str):
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MEMSCAPE", "PYTHON"))}
        environment |= variables
        if book:  # its packages, without the editable install: a folder on this path has no .pth files
            environment["PYTHONPATH"] = sysconfig.get_path("purelib")
        command = [folder / "bin" / command[0], *command[1:]]
        return subprocess.run(command, env=environment, cwd=cwd, capture_output=True, text=True, check=False)

    return run


def test_the_wheel_holds_types_and_pages_and_its_addresses(wheel):
    with zipfile.ZipFile(wheel) as content:
        names = content.namelist()
        (metadata,) = [name for name in names if name.endswith("METADATA")]
        text = content.read(metadata).decode()
    assert {"memscape/py.typed", "memscape/book/site/static/memscape.css"} <= set(names)
    assert "Project-URL: Repository, https://" in text
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    plain = [line for line in text.splitlines() if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert len(plain) == len(project["dependencies"])


@pytest.mark.parametrize("command", [["memscape", "--help"], ["python", "-m", "memscape", "status"]])
def test_without_the_book_the_command_says_what_to_install(installed, tmp_path, command):
    found = installed(*command, book=False, cwd=tmp_path)
    assert found.returncode == 1
    assert "pip install 'memscape[book]'" in found.stderr
    assert found.stderr.count("\n") == 1


def test_the_models_need_no_clone(installed, tmp_path):
    found = installed("python", "-c", MODEL, book=True, cwd=tmp_path)
    assert found.stdout == "[1.0, 1.0, 1.0, 1.0]\n", found.stderr


@pytest.mark.parametrize("command", [["memscape"], ["python", "-m", "memscape"]])
def test_the_command_knows_its_version(installed, tmp_path, command):
    found = installed(*command, "--version", book=True, cwd=tmp_path)
    assert (found.returncode, found.stdout) == (0, f"memscape {memscape.__version__}\n"), found.stderr


@pytest.mark.parametrize("command", [["status"], ["run", "hopfield"]])
def test_what_needs_a_clone_says_so_in_one_sentence(installed, tmp_path, command):
    found = installed("memscape", *command, book=True, cwd=tmp_path)
    assert found.returncode == 2
    assert found.stderr == ""
    assert found.stdout.startswith("✗ working directory: expected one inside a clone of the book")
    assert "Change into a clone" in found.stdout
    assert found.stdout.count("\n") == 1


def test_the_table_of_a_sweep_needs_none(installed, tmp_path):
    kept = shutil.ignore_patterns("runs", "table.png")
    shutil.copytree(ROOT / "results/desk/sweeps/hopfield1982", tmp_path / "swept", ignore=kept)
    found = installed("memscape", "table", "swept", book=True, cwd=tmp_path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert "✓ swept/table.png" in found.stdout


# `memscape --show-completion` looks at the shell that it was called from, which is another one in CI: the variable that
# the completion's own script sets asks for the same by name.


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_complete_the_command(installed, tmp_path, shell):
    found = installed("memscape", book=True, cwd=tmp_path, _MEMSCAPE_COMPLETE=f"source_{shell}")
    assert found.returncode == 0, found.stderr
    assert f"complete_{shell}" in found.stdout


def test_bash_is_told_the_verbs_that_begin_so(installed, tmp_path):
    asked = {"_MEMSCAPE_COMPLETE": "complete_bash", "COMP_WORDS": "memscape sta", "COMP_CWORD": "1"}
    assert installed("memscape", book=True, cwd=tmp_path, **asked).stdout == "status\n"
