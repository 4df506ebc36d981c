"""What a chapter's outputs came from is known part by part, and a change makes exactly the right chapters stale."""

import shutil
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output

import memscape
from memscape.arguments import ArgumentError
from memscape.book import chapters, digest

from .conftest import BEGIN, CLAIMS, chapter, write

BOOK_CORE = {"memscape", "memscape.book", "memscape.book.run", "memscape.book.parameters", "memscape.book.ledger"}


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    """A copy of the package to edit, with three modules of its own: one, two (which imports one late), and apart."""
    copy = tmp_path / "src/memscape"
    shutil.copytree(memscape.__path__[0], copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "memory/one.py").write_text('"""One."""\n\n\ndef energy(state):\n    """Return it."""\n    return -state\n')
    (copy / "memory/two.py").write_text("def update(state):\n    from memscape.memory import one\n\n    return one\n")
    (copy / "memory/apart.py").write_text("def apart():\n    return 1\n")
    # Where the import system, grimp and the digest look for the package.
    monkeypatch.setattr(memscape, "__path__", [str(copy)])
    monkeypatch.setattr(memscape.__spec__, "submodule_search_locations", [str(copy)])
    return copy


@pytest.fixture
def shelf(home, package):
    """Chapters, stamped: what reaches one, what reaches it through two, what does not, what reads data, and a sweep."""
    imports = {
        "memory/direct": "from memscape.memory import one",
        "memory/through": "import memscape.memory.two as steps",
        "memory/toy": "from memscape.memory.apart import apart",
        "memory/reads": "digits = book.data.mnist()",
        "memory/swept": "from memscape.book import tables",
    }
    (home / "data/digits").mkdir(parents=True)
    (home / "data/digits/SHA256SUMS").write_text("abc  digits.gz\n")
    (home / "results/desk/sweeps/jump").mkdir(parents=True)
    (home / "results/desk/sweeps/jump/table.parquet").write_text("a table")
    for name, line in imports.items():
        page = chapters.Chapter(home, name)
        notebook = chapter(line, "total = 1", begin=BEGIN.replace("memory/toy", name))
        write(home, name, notebook)
        notebook.metadata["memscape"] = {"digest": digest.of(page), "outputs": digest.outputs(notebook)}
        write(home, name, notebook)
    return {name: chapters.Chapter(home, name) for name in imports}


def stale(shelf) -> dict[str, list[str]]:
    return {name: reasons for name, page in shelf.items() if (reasons := digest.stale(page))}


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_nothing_changed_and_nothing_is_stale(shelf):
    assert stale(shelf) == {}


def test_one_function_of_one_module_makes_exactly_the_chapters_that_reach_it_stale(shelf, package):
    edit(package / "memory/one.py", "return -state", "return state")
    reason = ["memscape.memory.one changed"]
    assert stale(shelf) == {"memory/direct": reason, "memory/through": reason}


def test_what_every_chapter_reaches_makes_all_stale(shelf, package):
    edit(package / "book/run.py", "np.uint64", "np.uint32")
    assert stale(shelf) == {name: ["memscape.book.run changed"] for name in shelf}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""Return it."""', '"""Return the energy of a state.\n\n    In units of J.\n    """'),
        ('"""One."""\n', '"""One."""\n\n# Why it is negative: see the book.\n'),
        ("return -state", "return -state  # the sign"),
    ],
)
def test_prose_in_a_module_leaves_all_fresh(shelf, package, old, new):
    edit(package / "memory/one.py", old, new)
    assert stale(shelf) == {}


def test_a_module_reached_anew_says_so(shelf, package):
    (package / "memory/fresh.py").write_text("y = 1\n")
    edit(package / "memory/apart.py", "    return 1", "    from memscape.memory.fresh import y\n\n    return y")
    assert stale(shelf) == {"memory/toy": ["memscape.memory.apart changed", "memscape.memory.fresh added"]}


def test_a_code_cell_makes_its_chapter_stale(shelf):
    edit(shelf["memory/toy"].path, "total = 1", "total = 2")
    assert stale(shelf) == {"memory/toy": ["code cells changed"]}


def test_a_text_cell_does_not(shelf):
    edit(shelf["memory/toy"].path, "# Toy", "# A toy")
    assert stale(shelf) == {}


def test_data_makes_its_readers_stale(shelf, home):
    edit(home / "data/digits/SHA256SUMS", "abc", "abd")
    assert stale(shelf) == {"memory/reads": ["data/digits/SHA256SUMS changed"]}


def test_line_ends_that_git_or_an_editor_turned_make_nothing_stale(shelf, home):
    path = home / "data/digits/SHA256SUMS"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert stale(shelf) == {}


def show(page, *outputs):
    """Save a chapter as an editor does, with these outputs in its last cell."""
    notebook = page.read()
    notebook.cells[-1].outputs = [nbformat.from_dict(output) for output in outputs]
    nbformat.write(notebook, page.path)
    return notebook


def test_outputs_that_are_not_those_of_the_run_make_a_chapter_stale(shelf, home):
    page = shelf["memory/toy"]
    one = new_output("execute_result", {"text/plain": "a\nb"}, execution_count=3)
    notebook = show(page, one)
    assert stale(shelf) == {"memory/toy": ["outputs edited"]}
    notebook.metadata["memscape"]["outputs"] = digest.outputs(notebook)
    nbformat.write(notebook, page.path)
    assert stale(shelf) == {}
    show(page, one | {"execution_count": 7})  # the count is a front end's
    assert stale(shelf) == {}
    show(page, one | {"data": {"text/plain": "a\nc"}})
    assert stale(shelf) == {"memory/toy": ["outputs edited"]}
    show(page, one | {"metadata": {"memscape": {"verdict": "reproduced"}}})
    assert stale(shelf) == {"memory/toy": ["outputs edited"]}
    show(page)
    assert stale(shelf) == {"memory/toy": ["outputs cleared"]}
    del notebook.metadata["memscape"]["outputs"]
    nbformat.write(notebook, page.path)
    assert stale(shelf) == {"memory/toy": ["outputs not stamped"]}


def test_an_output_in_another_cell_is_another_output():
    first, second = chapter("1", "1"), chapter("1", "1")
    first.cells[-1].outputs = second.cells[-2].outputs = [new_output("stream", text="1\n")]
    assert digest.outputs(first) != digest.outputs(second)


def test_a_stored_sweep_makes_its_readers_stale(shelf, home):
    edit(home / "results/desk/sweeps/jump/table.parquet", "a table", "another")
    assert stale(shelf) == {"memory/swept": ["results/desk/sweeps/jump/table.parquet changed"]}


@pytest.mark.parametrize("module", ["execute", "outcomes", "sweeps", "facts"])
def test_how_runs_are_started_and_gathered_makes_no_chapter_stale(shelf, package, module):
    edit(package / f"book/{module}.py", "from __future__ import annotations", "started = 'otherwise'")
    assert stale(shelf) == {}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("requirements.lock", "numpy==2.0", "numpy==2.1"), ("pyproject.toml", "torch==2.0", "torch==2.1")],
)
def test_the_locked_environment_makes_all_stale(shelf, home, name, old, new):
    edit(home / name, old, new)
    assert stale(shelf) == {name: ["locked environment changed"] for name in shelf}


def test_a_comment_in_the_lock_does_not(shelf, home):
    with (home / "requirements.lock").open("a") as lock:
        lock.write("    # via toys\n")
    assert stale(shelf) == {}


def test_a_claim_makes_its_chapter_stale(shelf, home):
    edit(home / "claims/memory.yml", "target: 40", "target: 41")
    assert stale(shelf) == {"memory/toy": ["claim TOY-1 changed"]}


def test_a_claim_that_comes_or_goes_makes_its_chapter_stale(shelf, home):
    (home / "claims/memory.yml").write_text(CLAIMS.replace("TOY-1", "TOY-2"))
    assert stale(shelf) == {"memory/toy": ["claim TOY-1 removed", "claim TOY-2 added"]}


def test_a_stored_result_of_a_large_run_makes_its_chapter_stale(shelf, home):
    (home / "results/desk/TOY-1.json").write_text("{}")
    assert stale(shelf) == {"memory/toy": ["results/desk/TOY-1.json added"]}


def test_a_chapter_never_executed_is_stale(shelf, home):
    write(home, "memory/toy", chapter())
    assert stale(shelf) == {"memory/toy": ["never executed"]}


@pytest.mark.parametrize(
    ("source", "module"),
    [
        ("import memscape.memory.one", "memscape.memory.one"),
        ("import memscape.memory.one as m", "memscape.memory.one"),
        ("from memscape.memory import one as m", "memscape.memory.one"),
        ("from memscape.memory.one import energy", "memscape.memory.one"),
        ("from memscape import book\nbook.data.mnist()", "memscape.book.data"),
        ("from memscape import book as b\nb.data.mnist()", "memscape.book.data"),
        ("import memscape.book\nmemscape.book.data.mnist()", "memscape.book.data"),
        ("from memscape.book import data", "memscape.book.data"),
    ],
)
def test_every_way_to_name_a_module_is_understood(package, source, module):
    assert module in digest.reached(source, "memory/toy")
    assert module.rpartition(".")[0] in digest.reached(source, "memory/toy")


def test_a_chapter_reaches_what_begins_it_and_not_the_tools_around_it(package):
    reached = set(digest.reached(BEGIN, "memory/toy"))
    assert reached >= BOOK_CORE
    assert not reached & {f"memscape.book.{name}" for name in ("cli", "execute", "sweeps", "digest", "data")}


def test_code_that_is_no_python_is_refused(package):
    with pytest.raises(ArgumentError, match=r"^memory/toy: expected code cells of plain Python; got .*%time"):
        digest.reached("%time 1", "memory/toy")


@pytest.mark.parametrize(
    "source",
    [
        'x = 1\n"""A comment on x."""\n',
        "# ä\nx = 1  # ü\n",
        '"""Doc\n\n# no comment\n"""\nx = 1\n\n\n',
    ],
)
def test_prose_and_blank_lines_are_left_out(source):
    assert digest.code_only(source) == b"x = 1"


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("x = ('a'  # \"one\n\n     'b#')  # 'two'\n", b"x = ('a'\n     'b#')"),
        ("x = '\\'#'  # it's\n", b"x = '\\'#'"),
        ("x = '\"\"\"', \"'''#\"  # '''\ny = r'\\\\'  # '\n", b"x = '\"\"\"', \"'''#\"\ny = r'\\\\'"),
        ("x = '''a\\\n# b \n'''; '''c\n \n'''\n", b"x = '''a\\\n# b \n''';"),
        ("if x:\n    pass\nelse:\n    try:\n        'a'\n    except E:\n        'b'; y\n", None),
    ],
)
def test_quotes_in_comments_and_comments_in_strings_are_told_apart(source, code):
    wanted = b"if x:\n    pass\nelse:\n    try:\n    except E:\n         ; y" if code is None else code
    assert digest.code_only(source) == wanted


def test_a_string_that_is_used_keeps_its_lines():
    source = 'x = """a\n\n# b  \n"""  # c\n'
    assert digest.code_only(source) == b'x = """a\n\n# b  \n"""'
    assert digest.code_only('def f(): "ä"; return f"# {1}"  # c') == b'def f():  ; return f"# {1}"'


def test_real_chapters_reach_the_module_of_their_name(root):
    for page in chapters.every(root):
        reached = digest.of(page)["modules"]
        assert f"memscape.{page.name.replace('/', '.')}" in reached
        assert reached.keys() >= BOOK_CORE
