"""A small book in a folder of its own: one chapter, one claim, one profile, and everything that makes it one."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PATIENT = {"timeout": 600, "startup_timeout": 600, "iopub_timeout": 600}
"""Seconds that nbclient waits for a kernel of a test: a busy machine is no fault."""

PARAMETERS = """\
neurons: int = 20  # N: units in the network [10, 5000]
load: float = 0.1  # alpha: patterns per unit [0, 1]
clamp: bool = False  # whether the first unit is held
loads: list[float] = [0.05, 0.1]  # alpha: loads to compare [0, 1]
rule: str = "hebbian"  # how the weights are learned {hebbian, inverse}
seed: int = 3  # seed of every random draw [0, 1000]
device: str = "auto"  # where tensors live {auto, cpu, cuda}
"""
BEGIN = 'from memscape import book\n\nrun = book.begin("memory/toy")'
BODY = ["total = neurons * 2\ntotal", 'run.check("TOY-1", total)', 'run.glue("load", load)']

CLAIMS = """\
- id: TOY-1
  origin: published
  source: toy1982
  where: eq. 1
  statement: Twice the number of units.
  published: {value: "2 N", known: read}
  test: {kind: count, target: 40, reason: arithmetic}
  chapter: memory/toy
  profile: desk
  verdict: reproduced
"""
BIBLIOGRAPHY = "@article{toy1982, author = {Toy, Ada}, title = {Toys}, journal = {J}, year = {1982}}\n"


def chapter(*body: str, parameters: str = PARAMETERS, begin: str = BEGIN, tags: tuple[str, ...] = ("parameters",)):
    """A notebook with a parameters cell, a cell that begins, and a body."""
    first = new_code_cell(parameters, metadata={"tags": list(tags)}, id="parameters")
    rest = [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate([begin, *body])]
    notebook = new_notebook(cells=[new_markdown_cell("# Toy", id="title"), first, *rest])
    notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return notebook


def write(home: Path, name: str, notebook: nbformat.NotebookNode) -> Path:
    """Put a notebook into a book as a chapter."""
    path = home / "chapters" / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, path)
    return path


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A book with the chapter memory/toy, which the package takes for the one it serves."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "toy"\ndependencies = ["torch==2.0"]\n')
    (tmp_path / "requirements.lock").write_text("numpy==2.0\n")
    for folder, name, content in [
        ("claims", "memory.yml", CLAIMS),
        ("chapters", "references.bib", BIBLIOGRAPHY),
        ("profiles", "large.yml", "memory/toy: {neurons: 30, load: 1}\n"),
    ]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(content)
    write(tmp_path, "memory/toy", chapter(*BODY))
    monkeypatch.setenv("MEMSCAPE_HOME", str(tmp_path))
    monkeypatch.delenv("MEMSCAPE_AUTHOR", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def add(home: Path) -> Callable[..., Path]:
    """A way to write one more chapter into the book."""
    return lambda name, *body, **options: write(home, name, chapter(*body, **options))
