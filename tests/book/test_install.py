"""The first cell of a chapter installs the book where it is not installed, and does nothing where it is."""

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import nbformat
import pytest

from memscape.book import chapters

TRY = """
import json, memscape
from memscape.book.chapters import home
print(json.dumps([memscape.__file__, str(home())]))
"""


@pytest.fixture
def bare(tmp_path):
    """A Python with all that the book needs and without the book: a machine that has never seen it."""
    venv.create(tmp_path / "bare")
    (here,) = (tmp_path / "bare").glob("lib/python*/site-packages")
    # A folder that a .pth file names lends its packages, but not its own .pth files, one of which leads to the book.
    (here / "lent.pth").write_text(sysconfig.get_paths()["purelib"])
    return tmp_path / "bare/bin/python"


def run(python, code, cwd, **environment):
    outside = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MEMSCAPE_HOME")}
    return subprocess.run(
        [python, "-c", code], capture_output=True, text=True, check=False, cwd=cwd, env=outside | environment
    )


def test_the_book_is_installed_from_a_wheel_where_it_was_not(bare, root, tmp_path):
    assert "No module named 'memscape'" in run(bare, TRY, tmp_path).stderr
    # The wheel is built and installed without an index: its dependencies are lent.
    offline = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_IGNORE_INSTALLED": "1"}
    source = tmp_path / "source"
    subprocess.run(["git", "clone", "-q", "--shared", str(root), str(source)], check=True)
    done = run(bare, chapters.INSTALL + TRY, tmp_path, MEMSCAPE_HOME=str(source), **offline)
    assert done.returncode == 0, done.stderr
    found, home = json.loads(done.stdout)
    assert Path(found).is_relative_to(tmp_path / "bare")
    assert home == str(source)


def test_elsewhere_the_cell_does_nothing(tmp_path):
    code = "import subprocess\nsubprocess.run = None\n" + chapters.INSTALL + "\nprint('done')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "done\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("chapter", chapters.every(), ids=lambda chapter: chapter.name)
def test_every_chapter_begins_with_it(chapter):
    first = chapters.code_cells(chapter.read())[0]
    assert first.source == chapters.INSTALL
    assert first.metadata.tags == ["remove-cell"]
    assert isinstance(first, nbformat.NotebookNode)
