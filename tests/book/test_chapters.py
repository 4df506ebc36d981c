"""The book is found from wherever one stands, and so are its chapters."""

import re

import nbformat
import pytest
from nbformat.v4 import new_output

import memscape
from memscape.arguments import ArgumentError
from memscape.book import chapters

from .conftest import PARAMETERS, chapter, write


def test_home_is_where_the_environment_says(home):
    assert chapters.home() == home


def test_a_wrong_home_is_refused(home, monkeypatch):
    monkeypatch.setenv("MEMSCAPE_HOME", str(home / "chapters"))
    with pytest.raises(
        ArgumentError, match=r"^MEMSCAPE_HOME: expected a folder with chapters/ and pyproject\.toml; got '/"
    ):
        chapters.home()


def test_home_is_above_the_working_directory(home, monkeypatch):
    monkeypatch.delenv("MEMSCAPE_HOME")
    monkeypatch.chdir(home / "chapters/memory")
    assert chapters.home() == home


def test_home_is_otherwise_where_an_editable_install_points(tmp_path, root, monkeypatch):
    monkeypatch.delenv("MEMSCAPE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    assert chapters.home() == root


def test_no_home_at_all_is_refused_with_the_cure(tmp_path, monkeypatch):
    monkeypatch.delenv("MEMSCAPE_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(memscape, "__path__", [str(tmp_path)])
    with pytest.raises(ArgumentError, match=r"expected one inside a clone of the book .* or set MEMSCAPE_HOME to one"):
        chapters.home()


def test_chapters_lie_one_folder_down(add, home):
    add("capacity/toy")
    add("memory/second")
    add(".ipynb_checkpoints/toy")
    (home / "chapters/page.ipynb").write_text("{}")
    assert [page.name for page in chapters.every()] == ["capacity/toy", "memory/second", "memory/toy"]
    assert [page.path.exists() for page in chapters.every(home)] == [True, True, True]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("memory/toy", "memory/toy"),
        ("second", "memory/second"),
        ("chapters/memory/second.ipynb", "memory/second"),
        ("chapters/../chapters/capacity/toy.ipynb", "capacity/toy"),
    ],
)
def test_a_chapter_is_found_by_name_short_name_or_path(add, text, name):
    add("capacity/toy")
    add("memory/second")
    assert chapters.find(text).name == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("toy", "chapter: expected one of capacity/toy, memory/toy; got 'toy'."),
        ("secnd", "got 'secnd'. Did you mean 'second'?"),
        ("memry/toy", "got 'memry/toy'. Did you mean 'memory/toy'?"),
        (
            "memory/toy.ipynb",
            "chapter: expected one of capacity/toy, memory/second, memory/toy; got 'memory/toy.ipynb'.",
        ),
    ],
)
def test_a_chapter_that_is_not_there_is_refused(add, text, message):
    add("capacity/toy")
    add("memory/second")
    with pytest.raises(ArgumentError, match=re.escape(message)):
        chapters.find(text)


@pytest.mark.parametrize("tags", [(), ("parameter",)])
def test_a_chapter_without_a_parameters_cell_is_refused(add, tags):
    add("memory/toy", tags=tags)
    with pytest.raises(ArgumentError, match="^memory/toy: expected one code cell tagged `parameters`; got none"):
        chapters.find("memory/toy").parameters()


def test_two_parameters_cells_are_refused():
    notebook = chapter()
    notebook.cells.append(notebook.cells[1])
    with pytest.raises(ArgumentError, match="got 2"):
        chapters.parameters_cell(notebook, "memory/toy")


def test_what_jupyter_saves_declares_nothing_before_the_chapter_is_executed_anew(home, monkeypatch):
    page = chapters.find("memory/toy")
    notebook = chapter(parameters=PARAMETERS.replace("neurons: int = 20", "neurns: int = 30"))
    notebook.metadata["memscape"] = {"parameters": PARAMETERS}
    write(home, "memory/toy", notebook)
    assert page.parameters()["neurons"].reference == 20
    assert "neurns" not in page.parameters()
    monkeypatch.setenv(chapters.AUTHOR, "1")
    assert page.parameters()["neurns"].reference == 30


CELLS = [
    b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{%s, "id": "a"}]}' % cell
    for cell in (
        b'"cell_type": "code", "source": "1"',
        b'"cell_type": "code", "source": "1", "metadata": {}',
        b'"cell_type": "markdown", "metadata": {}',
    )
]


@pytest.mark.parametrize("checked", [True, False])
@pytest.mark.parametrize(
    "content", [b"", b"[]", b"<<<<<<< HEAD\n{}\n", b"\xff\xfe{}", b"{}", b'{"nbformat": 4, "cells": 3}', *CELLS]
)
def test_a_file_that_is_no_notebook_is_named(home, content, checked):
    (home / "chapters/memory/broken.ipynb").write_bytes(content)
    with pytest.raises(ArgumentError, match=r"memory/broken\.ipynb: expected a notebook; got .* Mend it"):
        chapters.find("broken").read(checked=checked)


def test_a_notebook_can_be_read_without_the_schema_of_notebooks(home, monkeypatch):
    page = chapters.find("toy")
    notebook = page.read()
    notebook.cells[-1].outputs = [new_output("stream", text="a\nb\n")]
    nbformat.write(notebook, page.path)
    monkeypatch.setattr(nbformat, "validate", lambda *_: pytest.fail("held against the schema"))
    assert page.read(checked=False) == notebook


def test_a_folder_is_no_chapter(home):
    (home / "chapters/memory/folder.ipynb").mkdir()
    assert [page.name for page in chapters.every(home)] == ["memory/toy"]


def test_files_with_a_dot_in_front_are_no_chapters(home):
    (home / "chapters/memory/._toy.ipynb").write_bytes(b"\x00\x05\x16\x07")
    assert [page.name for page in chapters.every(home)] == ["memory/toy"]
