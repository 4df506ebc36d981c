"""Where the chapters are, and how to read one.

A chapter is a notebook one folder below ``chapters/``: ``chapters/memory/hopfield.ipynb`` is the chapter
``memory/hopfield`` of the part ``memory``. Notebooks directly in ``chapters/`` are pages of the book, not chapters.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import memscape
from memscape.arguments import ArgumentError, nearest
from memscape.book.parameters import Declaration, declared

if TYPE_CHECKING:
    from nbformat import NotebookNode

INSTALL = """\
# Where the book is not installed, as on Colab, this fetches it; elsewhere nothing happens.
import importlib.util
import os
import subprocess
import sys

if importlib.util.find_spec("memscape") is None:
    home = os.environ.setdefault("MEMSCAPE_HOME", os.path.abspath("memscape"))
    address = "https://github.com/memscape/memscape"
    os.path.isdir(home) or subprocess.run(["git", "clone", "-q", "--depth", "1", address, home], check=True)
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", f"{home}[book]"], check=True)
    importlib.invalidate_caches()"""
"""What the first code cell of every chapter holds; the site leaves the cell out."""

AUTHOR = "MEMSCAPE_AUTHOR"
"""Environment variable of a chapter's author: its parameters cell counts as it stands, executed and stamped or not."""


def home() -> Path:
    """Return the root of the book: the folder that holds ``chapters/`` and ``pyproject.toml``.

    It is ``$MEMSCAPE_HOME`` where that is set; otherwise the nearest such folder at or above the working directory;
    otherwise the one an editable install of the package points into.

    Raises
    ------
    ArgumentError
        Where there is none, or ``$MEMSCAPE_HOME`` is not one.
    """
    named = os.environ.get("MEMSCAPE_HOME")
    if named:
        if _is_home(Path(named)):
            return Path(named).resolve()
        raise ArgumentError("MEMSCAPE_HOME", "a folder with chapters/ and pyproject.toml", repr(named))
    package = Path(memscape.__path__[0])
    for start in (Path.cwd(), package.resolve()):
        for folder in (start, *start.parents):
            if _is_home(folder):
                return folder
    raise ArgumentError(
        "working directory",
        "one inside a clone of the book (chapters/, pyproject.toml)",
        str(Path.cwd()),
        "Change into a clone, or set MEMSCAPE_HOME to one; the models and `memscape table` need none.",
    )


def _is_home(folder: Path) -> bool:
    return (folder / "chapters").is_dir() and (folder / "pyproject.toml").is_file()


@dataclass(frozen=True)
class Chapter:
    """One chapter of the book in one folder: ``Chapter(home(), "memory/hopfield")``."""

    home: Path
    name: str

    @property
    def path(self) -> Path:
        """The committed notebook."""
        return self.home / "chapters" / f"{self.name}.ipynb"

    def read(self, *, checked: bool = True) -> NotebookNode:
        """Return the committed notebook.

        Parameters
        ----------
        checked
            Whether to hold it against the schema of notebooks, which takes longer than to read it.

        Raises
        ------
        ArgumentError
            Naming the file, where it is no notebook: empty, cut short, or with the marks of a merge in it.
        """
        return load(self.path, checked=checked, cure="Mend it, or take it out of chapters/.")

    def parameters(self) -> Declaration:
        """Return the parameters the chapter declares, by name, and the relations between them."""
        return declared(self.declaration())

    def declaration(self) -> str:
        """Return the source of the parameters cell, as it counts.

        Jupyter saves as one types, and a value tried out must not become the reference value that way, nor a misspelt
        name a declared one. So the cell counts as it was when the chapter was last executed, which its stamp
        remembers. An author who means the change executes the chapter anew, or sets ``MEMSCAPE_AUTHOR=1`` while
        working in Jupyter.
        """
        notebook = self.read()
        cell = parameters_cell(notebook, self.name)
        return cell.source if os.environ.get(AUTHOR) else stamp(notebook).get("parameters", cell.source)


def load(path: Path, *, checked: bool = True, cure: str = "") -> NotebookNode:
    """Return the notebook in a file.

    Parameters
    ----------
    path
        The file.
    checked
        As in `Chapter.read`.
    cure
        What to do where it is none, for the message.

    Raises
    ------
    ArgumentError
        Naming the file, where it is no notebook: empty, cut short, with the marks of a merge, or of another shape.
    """
    import nbformat  # not above: loading it takes longer than all else that `memscape --help` loads

    try:
        notebook = nbformat.convert(nbformat.reader.reads(path.read_text(encoding="utf-8")), 4)
        if checked:
            nbformat.validate(notebook)
        for cell in notebook.cells:  # what all who read a notebook ask for
            asked = ("source", "metadata", "outputs") if cell.cell_type == "code" else ("source", "metadata")
            if missing := [name for name in asked if name not in cell]:
                raise KeyError(f"a cell without {missing[0]}")
    except (ValueError, LookupError, AttributeError, TypeError, nbformat.ValidationError) as error:
        got = f"{type(error).__name__}: {str(error)[:80]!r}" if path.stat().st_size else "an empty file"
        raise ArgumentError(str(path), "a notebook", got, cure) from None
    return notebook


def every(root: Path | None = None) -> list[Chapter]:
    """Return all chapters, by name."""
    root = home() if root is None else root
    names = sorted(
        path.relative_to(root / "chapters") for path in (root / "chapters").glob("*/*.ipynb") if path.is_file()
    )
    # A name that begins with a dot is Jupyter's (.ipynb_checkpoints) or macOS's (._hopfield.ipynb).
    shown = (name for name in names if not any(part.startswith(".") for part in name.parts))
    return [Chapter(root, name.with_suffix("").as_posix()) for name in shown]


def find(text: str, root: Path | None = None) -> Chapter:
    """Return the chapter called ``memory/hopfield``, ``hopfield`` where only one part has it, or by a notebook's path.

    Raises
    ------
    ArgumentError
        Suggesting the nearest name.
    """
    chapters = every(root)
    for chapter in chapters:
        if chapter.name == text or chapter.path == Path(text).resolve():
            return chapter
    short: dict[str, list[Chapter]] = {}
    for chapter in chapters:
        short.setdefault(chapter.name.partition("/")[2], []).append(chapter)
    if len(short.get(text, [])) == 1:
        return short[text][0]
    names = [chapter.name for chapter in short.get(text, chapters)]
    inside = [name for name in names if name.startswith(f"{text}/")]
    if inside:
        raise ArgumentError("chapter", "one of " + ", ".join(inside), f"{text!r}, a part of the book")
    raise ArgumentError("chapter", "one of " + ", ".join(names), repr(text), nearest(text, [*names, *short]))


def parameters_cell(notebook: NotebookNode, name: str) -> NotebookNode:
    """Return the one code cell tagged ``parameters``, or raise ArgumentError."""
    cells = [cell for cell in code_cells(notebook) if "parameters" in cell.metadata.get("tags", [])]
    if len(cells) != 1:
        raise ArgumentError(
            name,
            "one code cell tagged `parameters`",
            str(len(cells) or "none"),
            "Tag the cell that declares the chapter's parameters.",
        )
    return cells[0]


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """Return the code cells that hold code."""
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def stamp(notebook: NotebookNode) -> dict[str, Any]:
    """Return what the last execution left in the notebook's metadata; empty where it was never executed."""
    return dict(notebook.metadata.get("memscape", {}))
