"""Execution is repeatable to the byte, and a run that fails touches nothing that was there before."""

import json
import os
import platform
import re
import sys
import tempfile
from pathlib import Path

import nbformat
import papermill
import pytest
from nbformat.v4 import new_output

from memscape.arguments import ArgumentError
from memscape.book import chapters, digest, execute
from memscape.book.numbers import MARK

from .conftest import BEGIN, BODY, PARAMETERS, chapter, write

PLAIN = "started = 1"  # instead of book.begin, where torch need not be loaded


@pytest.fixture
def page(home):
    return chapters.find("memory/toy")


def sources(path) -> list[str]:
    return [cell.source for cell in nbformat.read(path, 4).cells]


def outputs(path) -> str:
    return json.dumps([cell.get("outputs") for cell in nbformat.read(path, 4).cells], ensure_ascii=False)


def test_the_committed_chapter_is_executed_in_place_and_again_to_the_byte(page, home):
    slow = "import time\n\nprint('first', flush=True)\ntime.sleep(0.4)\nprint('second')"  # two messages, one output
    write(home, "memory/toy", chapter(*BODY, slow))
    cells = []
    before = sources(page.path)
    done = execute.in_place(page, lambda position, count: cells.append((position, count)))
    once = page.path.read_bytes()
    assert done.path == page.path
    assert sources(page.path) == before
    assert "reproduced" in outputs(page.path)
    assert MARK + "0.1" in outputs(page.path)
    assert [output.text for output in page.read().cells[-1].outputs] == ["first\nsecond\n"]
    assert cells[0] == (0, 7)
    assert cells[-1] == (7, 7)
    assert digest.stale(page) == []
    assert execute.faults(page) == []
    assert execute.drift(page, page.path) == []
    assert not list((home / "out").rglob("*.ipynb"))
    # What differs between two runs, or names the machine, is not in it.
    text = once.decode()
    assert not re.search(r"papermill\"|T\d\d:\d\d|duration|/tmp/", text)
    assert platform.node() not in text
    assert nbformat.reads(text, 4).metadata.keys() == {"kernelspec", "memscape"}
    execute.in_place(page)
    assert page.path.read_bytes() == once


def saved_by_an_editor(page):
    """Save a chapter as JupyterLab and VS Code do: with metadata of their own, other counts and another indent."""
    notebook = page.read()
    notebook.metadata.update(language_info={"name": "python", "version": "3.9"}, vscode={"interpreter": "x"})
    notebook.metadata.kernelspec.display_name = ".venv"
    for cell in notebook.cells:
        cell.metadata.update(editable=True, slideshow={"slide_type": ""})
        if cell.cell_type == "code":
            cell.execution_count += 30
    page.path.write_text(json.dumps(notebook, indent=2))
    return notebook


def test_a_chapter_saved_by_an_editor_is_fresh_and_normalised_without_a_run(page, monkeypatch):
    execute.in_place(page)
    once = page.path.read_bytes()
    assert execute.normalise(page) is False
    monkeypatch.setattr(execute, "_execute", lambda *_, **__: pytest.fail("a kernel was started"))
    notebook = saved_by_an_editor(page)
    assert digest.stale(page) == []
    assert "not normalised" in execute.faults(page)
    assert execute.normalise(page) is True
    assert page.path.read_bytes() == once
    notebook.cells[-1].outputs = []
    page.path.write_text(json.dumps(notebook))
    before = page.path.read_bytes()
    with pytest.raises(ArgumentError, match="memory/toy: expected a fresh chapter; got outputs edited"):
        execute.normalise(page)
    assert page.path.read_bytes() == before


def test_a_cell_left_by_papermill_does_not_survive(add, home):
    add("memory/toy", "neurons", begin=PLAIN)
    page = chapters.find("memory/toy")
    notebook = page.read()
    injected = nbformat.v4.new_code_cell("# Parameters\nneurons = 50\n", metadata={"tags": ["injected-parameters"]})
    notebook.cells.insert(2, injected)
    write(home, "memory/toy", notebook)
    assert any("papermill's injected parameters" in fault for fault in execute.faults(page))
    execute.in_place(page)
    assert "50" not in outputs(page.path)
    assert len(page.read().cells) == 4


def test_a_failing_chapter_stays_as_it_was_and_its_partial_notebook_is_kept(add, home):
    path = add("memory/toy", "1 + 1", "1 / 0", begin=PLAIN)
    before = path.read_bytes()
    with pytest.raises(execute.ChapterFailed, match="^memory/toy: ZeroDivisionError: division by zero") as caught:
        execute.in_place(chapters.find("memory/toy"))
    assert path.read_bytes() == before
    assert caught.value.partial == home / "out/failed/memory/toy.ipynb"
    assert '"2"' in outputs(caught.value.partial)
    assert "ZeroDivisionError" in outputs(caught.value.partial)


def test_a_notebook_is_saved_once_a_second_while_it_runs_and_at_its_end(add, home, monkeypatch):
    saved, write_notebook = [], papermill.engines.write_ipynb

    def noted(notebook, path):
        write_notebook(notebook, path)
        saved.append(outputs(path))

    monkeypatch.setattr(papermill.engines, "write_ipynb", noted)
    add("memory/toy", "print('early')", "import time\ntime.sleep(1.1)", *["1 + 1"] * 20, "print('late')", begin=PLAIN)
    execute.in_place(chapters.find("memory/toy"))
    assert 3 <= len(saved) < 12
    assert any("early" in text and "late" not in text for text in saved)
    assert "late" in saved[-1]


def test_a_drifted_claim_fails_and_leaves_the_chapter_as_it_was(add, home):
    check = "from memscape.book import ledger\nledger.check('TOY-1', 41, chapter='memory/toy', reference=True)"
    path = add("memory/toy", check, begin=PLAIN)
    before = path.read_bytes()
    with pytest.raises(execute.ChapterFailed, match="LedgerDrift: TOY-1: the ledger records 'reproduced'"):
        execute.in_place(chapters.find("memory/toy"))
    assert path.read_bytes() == before


def test_a_chapter_edited_while_it_runs_is_not_overwritten(add, home):
    path = add("memory/toy", f"open({str(home / 'chapters/memory/toy.ipynb')!r}, 'a').write(' ')", begin=PLAIN)
    with pytest.raises(execute.ChapterFailed, match="edited while it ran"):
        execute.in_place(chapters.find("memory/toy"))
    assert path.read_text().endswith(" ")


def test_a_kernel_that_dies_is_a_failure(add, home):
    add("memory/toy", "import os", "os._exit(1)", begin=PLAIN)
    with pytest.raises(execute.ChapterFailed, match="the kernel died"):
        execute.in_place(chapters.find("memory/toy"))


@pytest.mark.parametrize("failures", [1, 2, 3])
def test_a_kernel_that_does_not_start_gets_two_more_chances(page, monkeypatch, failures):
    managers = []
    start = execute._Client.start_new_kernel_client

    def unlucky(client):
        managers.append(client.km)
        if len(managers) <= failures:
            client._cleanup_kernel()
            raise RuntimeError("Kernel died before replying to kernel_info")
        return start(client)

    monkeypatch.setattr(execute._Client, "start_new_kernel_client", unlucky)
    if failures < 3:
        assert execute.in_place(page).facts["seconds"] > 0
    else:
        with pytest.raises(RuntimeError, match="Kernel died before replying"):
            execute.in_place(page)
    assert len(set(map(id, managers))) == len(managers) == min(failures + 1, 3)


def test_a_run_at_other_values_goes_to_its_own_file(page, home):
    before = page.path.read_bytes()
    out = home / "elsewhere/run.ipynb"
    done = execute.to(page, out, {"neurons": 30, "load": 1}, profile="large")
    stamp = chapters.stamp(nbformat.read(out, 4))
    assert page.path.read_bytes() == before
    assert done.path == out
    assert stamp["values"] == {name: p.reference for name, p in page.parameters().items()} | {
        "neurons": 30,
        "load": 1.0,
    }
    assert stamp["parameters"] == PARAMETERS
    assert stamp["profile"] == "large"
    assert stamp["digest"] == digest.of(page)
    assert stamp["outputs"] == digest.outputs(nbformat.read(out, 4))
    assert stamp["facts"] == done.facts
    assert done.facts["peak_mib"] > 50
    assert done.facts["seconds"] > 0
    assert "# Parameters\nneurons = 30\nload = 1.0\n" in sources(out)
    assert "exploratory" in outputs(out)
    assert [path.name for path in out.parent.iterdir()] == ["run.ipynb"]


def test_a_failed_run_leaves_an_earlier_result_and_keeps_its_partial_notebook(add, home):
    add("memory/toy", "1 / 0", begin=PLAIN)
    out = home / "out/run.ipynb"
    out.parent.mkdir()
    out.write_text("an earlier result")
    with pytest.raises(execute.ChapterFailed) as caught:
        execute.to(chapters.find("memory/toy"), out)
    assert out.read_text() == "an earlier result"
    assert caught.value.partial == home / "out/run.partial.ipynb"
    assert "ZeroDivisionError" in outputs(caught.value.partial)


def test_a_declaration_that_breaks_its_own_rules_is_refused_before_a_kernel_starts(add, monkeypatch):
    monkeypatch.setattr(execute, "_execute", lambda *_, **__: pytest.fail("a kernel was started"))
    path = add("memory/toy", begin=PLAIN, parameters=PARAMETERS + "# requires neurons * load > 2: more than two\n")
    before = path.read_bytes()
    with pytest.raises(ArgumentError, match=r"^neurons, load: expected neurons \* load > 2 \(more than two\); got neu"):
        execute.in_place(chapters.find("memory/toy"))
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("out", "values", "message"),
    [
        ("/proc/nowhere/toy.ipynb", {}, "out: expected a folder that can be written to; got /proc/nowhere: "),
        ("chapters/memory/toy.ipynb", {}, "out: expected an .ipynb file outside chapters/; got '"),
        ("chapters/new.ipynb", {}, "out: expected an .ipynb file outside chapters/"),
        ("out/run.txt", {}, "out: expected a notebook to write, NAME.ipynb; got /"),
        ("out/run.ipynb", {"neurns": 3}, "neurns: expected a parameter of memory/toy"),
        ("out/run.ipynb", {"neurons": "30"}, "neurons: expected an integer in [10, 5000]; got '30' (str)."),
    ],
)
def test_what_is_wrong_is_refused_before_a_kernel_starts(page, home, monkeypatch, out, values, message):
    monkeypatch.setattr(execute, "_execute", lambda *_, **__: pytest.fail("a kernel was started"))
    before = page.path.read_bytes()
    with pytest.raises(ArgumentError, match=re.escape(message.removesuffix("'"))):
        execute.to(page, home / out, values)
    assert page.path.read_bytes() == before


def test_an_author_changes_the_parameters_by_executing(add, home):
    page = chapters.Chapter(home, "memory/toy")
    add("memory/toy", "import os", "os.environ.get('MEMSCAPE_AUTHOR')", begin=PLAIN)
    notebook = page.read()
    notebook.cells[1].source = PARAMETERS.replace("load:", "share:")
    notebook.metadata["memscape"] = {"parameters": PARAMETERS, "digest": digest.of(page)}
    write(home, "memory/toy", notebook)
    assert "share" not in page.parameters()
    execute.to(page, home / "out.ipynb")
    assert PARAMETERS in sources(home / "out.ipynb")
    execute.in_place(page)
    assert "share" in page.parameters()
    assert "'1'" in outputs(page.path)  # what begin goes by


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda cell: cell.outputs.append(new_output("error", ename="E", evalue="v")), "stores an error, E: v"),
        (
            lambda cell: cell.update(execution_count=None),
            "not executed from top to bottom: code cell 3 bears the count None",
        ),
        (lambda cell: cell.update(execution_count=7), "not executed from top to bottom: code cell 3 bears the count 7"),
        (lambda cell: cell.outputs.append(new_output("stream", name="stderr", text="Warning: x\n")), "text on stderr"),
        (lambda cell: cell.outputs.append(new_output("stream", text="<A at 0x7f0123456789>")), "a memory address"),
        (lambda cell: cell.metadata.update(execution={"iopub.status.idle": "2026"}), "not normalised"),
    ],
)
def test_what_must_not_be_published_is_named(home, page, change, fault):
    notebook = chapter("1 + 1", begin=BEGIN)
    for count, cell in enumerate(chapters.code_cells(notebook), start=1):
        cell.execution_count = count
    page.path.write_text(execute.text(execute.normalised(notebook)))
    assert execute.faults(page) == []
    change(notebook.cells[-1])
    page.path.write_text(execute.text(notebook))
    assert len(execute.faults(page)) == 1
    assert fault in execute.faults(page)[0]


def test_a_claim_that_is_not_checked_has_drifted(page, home):
    write(home, "memory/toy", chapter("1 + 1"))
    assert execute.drift(page, page.path) == ["TOY-1: the ledger records 'reproduced', memory/toy finds 'nothing'"]


def test_what_a_run_took_is_kept_by_chapter(home):
    execute.record(home, [execute.Execution("memory/b", home, {"seconds": 1.0})])
    execute.record(home, [execute.Execution("memory/a", home, {"seconds": 2.0})])
    execute.record(home, [execute.Execution("memory/b", home, {"seconds": 3.0})])
    assert json.loads((home / execute.STATUS).read_text()) == {
        "memory/a": {"seconds": 2.0, "profile": "desk"},
        "memory/b": {"seconds": 3.0, "profile": "desk"},
    }
    assert [path.name for path in (home / execute.STATUS).parent.iterdir()] == ["status.json"]


@pytest.mark.parametrize("content", ["", "<<<<<<< HEAD\n{}", "[1]"])
def test_notes_that_are_broken_are_named(home, content):
    (home / execute.STATUS).parent.mkdir(parents=True)
    (home / execute.STATUS).write_text(content)
    with pytest.raises(ArgumentError, match=r"results/desk/status\.json: expected what `memscape execute` notes"):
        execute.record(home, [])
    assert (home / execute.STATUS).read_text() == content


def test_another_kernel_called_python3_is_not_taken(page, add, tmp_path, monkeypatch):
    add("memory/toy", "import sys\nsys.executable", begin=PLAIN)
    (tmp_path / "jupyter/kernels/python3").mkdir(parents=True)
    spec = {"argv": ["/nowhere/python", "-f", "{connection_file}"], "display_name": "Other", "language": "python"}
    (tmp_path / "jupyter/kernels/python3/kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))  # where jupyter_client looks first
    assert sys.executable in outputs(execute.to(page, tmp_path / "out.ipynb").path)


def test_what_a_user_has_at_home_changes_nothing(page, add, tmp_path, monkeypatch):
    width = "matplotlib.rcParams['lines.linewidth']"
    add("memory/toy", f"import matplotlib\n'mine' in globals(), 'yours' in globals(), {width}", begin=PLAIN)
    (tmp_path / "rc").write_text("lines.linewidth: 9")
    monkeypatch.setenv("MATPLOTLIBRC", str(tmp_path / "rc"))
    (tmp_path / "ipython/profile_default/startup").mkdir(parents=True)
    (tmp_path / "ipython/profile_default/startup/00.py").write_text("mine = 1")
    (tmp_path / "startup.py").write_text("yours = 1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "startup.py"))
    assert "(False, False, 1.5)" in outputs(execute.to(page, tmp_path / "out.ipynb").path)


def test_a_locale_without_greek_letters_changes_nothing(page, add, tmp_path, monkeypatch):
    add("memory/toy", "open('a.txt', 'w').write('α')\nopen('a.txt').read(), f'{1234.5:n}'", begin=PLAIN)
    for name, value in [("LC_ALL", "C"), ("PYTHONUTF8", "0"), ("PYTHONCOERCECLOCALE", "0")]:
        monkeypatch.setenv(name, value)
    assert "('α', '1234.5')" in outputs(execute.to(page, tmp_path / "out.ipynb").path)


@pytest.mark.parametrize(("folder", "transport"), [("t", "ipc"), ("t" * 90, "tcp")])
def test_kernels_are_spoken_to_by_sockets_that_no_other_can_take(page, add, tmp_path, monkeypatch, folder, transport):
    ask = (
        "import json\nfrom ipykernel.connect import get_connection_info\njson.loads(get_connection_info())['transport']"
    )
    add("memory/toy", ask, begin=PLAIN)
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        (Path(short) / folder).mkdir()
        monkeypatch.setattr(tempfile, "tempdir", str(Path(short) / folder))
        assert f"'{transport}'" in outputs(execute.to(page, tmp_path / "out.ipynb").path)
        assert not list((Path(short) / folder).iterdir())


@pytest.mark.parametrize("mask", [0o022, 0o077])
def test_what_is_written_is_the_same_under_any_umask_and_as_open_as_it_says(page, home, mask):
    before = os.umask(mask)
    try:
        page.path.chmod(0o644)
        execute.in_place(page)
        new = execute.to(page, home / "new.ipynb").path
    finally:
        os.umask(before)
    assert digest.stale(page) == []
    assert page.path.stat().st_mode & 0o777 == 0o644  # what was there keeps its permissions
    assert new.stat().st_mode & 0o777 == 0o666 & ~mask


def test_a_file_that_cannot_be_written_stays_as_it_was_without_a_draft(tmp_path):
    (tmp_path / "a").write_text("before")
    for content in ("\udc80", None):
        with pytest.raises((UnicodeEncodeError, TypeError)):
            execute.replace(tmp_path / "a", content)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "before"


def test_what_takes_the_place_of_a_file_has_its_permissions_and_comes_where_a_link_leads(tmp_path):
    (tmp_path / "a").write_text("before")
    (tmp_path / "a").chmod(0o600)
    (tmp_path / "b").symlink_to("a")
    execute.replace(tmp_path / "b", "after")
    assert (tmp_path / "a").read_text() == "after"
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "b").is_symlink()
