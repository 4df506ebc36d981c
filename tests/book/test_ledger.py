"""The ledger and the chapters hold each other: in a kernel, on disk, and whenever either is changed by itself."""

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from memscape.arguments import ArgumentError
from memscape.book import claims, ledger
from memscape.book.numbers import MARK

from .conftest import PATIENT

BIBLIOGRAPHY = """
@book{hopfield1982, author = {Hopfield, John J.}, title = {T}, publisher = {}, year = {1982}}
@book{amit1985, author = {Amit, D. and Gut, H. and van der S{\\"o}, H.}, title = {}, publisher = {}, year = {1985}}
"""
VALUE = {"kind": "value", "target": 0.5, "tolerance": 0.01, "reason": "rounding"}
ROWS = [
    {
        "id": "TOY-1",
        "origin": "published",
        "source": "hopfield1982",
        "where": "p. 1",
        "statement": "The share is a half for $N < 10$.",
        "published": {"value": "0.4711", "known": "unverified"},
        "test": VALUE,
        "chapter": "memory/toy",
        "profile": "desk",
        "verdict": "agrees",
    },
    {
        "id": "TOY-2",
        "origin": "published",
        "source": "amit1985",
        "where": "fig. 2",
        "statement": "Both shares are a half.",
        "published": {"value": "0.5", "known": "read"},
        "test": {"parts": {"a": VALUE, "b": VALUE}},
        "chapter": "memory/toy",
        "profile": "desk",
        "verdict": "partly",
        "remark": "The second is not.",
    },
    {
        "id": "TOY-3",
        "origin": "ours",
        "source": "amit1985",
        "where": "fig. 3",
        "statement": "The large network does it.",
        "published": None,
        "test": {"kind": "count", "target": 7, "reason": "exact"},
        "chapter": "memory/toy",
        "profile": "paper",
        "verdict": "out of reach",
        "remark": "Takes a large GPU.",
    },
]
MEASURED = {"TOY-1": 0.503, "TOY-2": {"a": 0.5, "b": 0.9}, "TOY-3": None}
RESULT = {"claim": "TOY-3", "measured": 7, "device": "NVIDIA H100", "commit": "0123456789abcdef", "command": "make"}


class Tree:
    """A small book with one chapter and a ledger, which a test changes."""

    def __init__(self, root: Path):
        self.root = root
        self.rows = copy.deepcopy(ROWS)
        (root / "chapters/memory").mkdir(parents=True)
        (root / "claims").mkdir()
        (root / "pyproject.toml").touch()
        (root / "chapters/references.bib").write_text(BIBLIOGRAPHY, encoding="utf-8")

    def save(self):
        text = yaml.safe_dump(self.rows, sort_keys=False)
        (self.root / "claims/memory.yml").write_text(text, encoding="utf-8")
        return self

    def result(self, **changes):
        path = self.root / "results/paper/TOY-3.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(RESULT | changes), encoding="utf-8")
        return self

    def check(self, claim, measured=None, **options):
        options = {"chapter": "memory/toy", "reference": True, "root": self.root} | options
        ledger.check(claim, measured, **options)

    def store(self, shown, prose="", chapter="memory/toy"):
        """Write the chapter that stores these outputs."""
        outputs = [new_output("display_data", data=data, metadata=metadata) for data, metadata in shown]
        cell = new_code_cell("run.check(...)", execution_count=1, outputs=outputs)
        path = self.root / f"chapters/{chapter}.ipynb"
        path.parent.mkdir(exist_ok=True)
        nbformat.write(new_notebook(cells=[new_markdown_cell(prose), cell]), path)


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path).save()


@pytest.fixture
def shown(monkeypatch):
    """What a chapter would display, as (data, metadata) pairs."""
    found = []
    monkeypatch.setattr(ledger, "display", lambda data, raw, metadata: found.append((data, metadata)))
    return found


@pytest.fixture
def book(tree, shown):
    """A tree whose chapter is executed and in order, and the outputs it stores."""
    for claim, measured in MEASURED.items():
        tree.check(claim, measured)
    tree.store(shown)
    return tree


def test_a_check_shows_the_row_and_stores_the_raw_data(tree, shown):
    tree.check("TOY-2", {"a": 0.5, "b": 0.9}, interval={"b": (0.895, 0.905)})
    data, metadata = shown[0]
    assert data["text/plain"].replace(MARK, "≈") == (
        "TOY-2: partly\n"
        "  a: measured ≈0.5, expected 0.5 ± 0.01 ✓\n"
        "  b: measured ≈0.9 [≈0.895, ≈0.905], expected 0.5 ± 0.01 ✗"
    )
    assert 'id="claim-TOY-2"' in data["text/html"]
    assert "Amit et al. 1985, fig. 2" in data["text/html"]
    assert "Published: 0.5 (read in the source)<" in data["text/html"]
    assert "The second is not." in data["text/html"]
    assert metadata == {"memscape": {
        "claim": "TOY-2", "verdict": "partly", "exploratory": False, "measured": {"a": 0.5, "b": 0.9},
        "interval": {"b": (0.895, 0.905)}, "device": "",
    }}  # fmt: skip


def test_text_is_escaped_and_mathematics_marked(tree, shown):
    tree.check("TOY-1", 0.5)
    assert r"The share is a half for \(N &lt; 10\)." in shown[0][0]["text/html"]


def test_an_unverified_value_is_never_shown(tree, shown):
    tree.check("TOY-1", 0.5)
    assert "Published: value not verified" in shown[0][0]["text/html"]
    assert "0.4711" not in json.dumps(shown)


def test_drift_raises_at_reference_parameters_after_showing_the_row(tree, shown):
    with pytest.raises(ledger.LedgerDrift) as caught:
        tree.check("TOY-1", 0.52)
    assert shown[0][0]["text/plain"].startswith("TOY-1: not reproduced")
    message = str(caught.value)
    assert message.startswith("TOY-1: the ledger records 'agrees', this run finds 'not reproduced'.")
    assert f"measured {MARK}0.52, expected 0.5 ± 0.01 ✗" in message
    assert message.endswith("otherwise mend the code. The row is in claims/memory.yml.")


def test_a_better_verdict_is_drift_as_well(tree, shown):
    with pytest.raises(ledger.LedgerDrift, match="records 'partly', this run finds 'reproduced'"):
        tree.check("TOY-2", {"a": 0.5, "b": 0.5})


def test_a_measurement_without_the_power_to_decide_is_drift(tree, shown):
    with pytest.raises(
        ledger.LedgerDrift, match=rf"finds 'undecided'(.|\n)*\[{MARK}0.4, {MARK}0.6\](.|\n)*more trials"
    ):
        tree.check("TOY-1", 0.5, interval=(0.4, 0.6))


def test_other_parameters_explore_and_never_drift(tree, shown):
    tree.check("TOY-1", 0.9, reference=False)
    assert shown[0][0]["text/plain"].startswith("TOY-1: not reproduced (exploratory: not at reference parameters)")
    assert shown[0][1]["memscape"]["exploratory"] is True


def test_a_claim_too_large_for_a_desk_is_out_of_reach_until_a_result_is_stored(tree, shown):
    tree.check("TOY-3")
    assert shown[0][0]["text/plain"] == "TOY-3: out of reach\n  expected exactly 7"
    assert "Takes a large GPU." in shown[0][0]["text/html"]
    tree.result()
    with pytest.raises(ledger.LedgerDrift, match="records 'out of reach', this run finds 'holds'"):
        tree.check("TOY-3")
    assert "Computed on NVIDIA H100 at commit 0123456789<" in shown[1][0]["text/html"]
    tree.rows[2] |= {"verdict": "holds"}
    tree.save().check("TOY-3")
    tree.result(measured=6)
    with pytest.raises(ledger.LedgerDrift, match="records 'holds', this run finds 'fails'"):
        tree.check("TOY-3")


def test_a_recorded_verdict_without_its_stored_result_drifts(tree, shown):
    tree.rows[2] |= {"verdict": "holds"}
    with pytest.raises(ledger.LedgerDrift, match="records 'holds', this run finds 'not run'"):
        tree.save().check("TOY-3")


def test_a_large_run_measures_a_claim_of_its_profile(tree, shown):
    tree.check("TOY-3", 7, reference=False)
    assert shown[0][0]["text/plain"].startswith("TOY-3: holds (exploratory")


@pytest.mark.parametrize(
    ("claim", "measured", "options", "error", "message"),
    [
        ("TOY-11", 0.5, {}, claims.LedgerError, "TOY-11: not a claim of the ledger. Did you mean 'TOY-1'?"),
        ("XYZ", 0.5, {}, claims.LedgerError, "XYZ: not a claim of the ledger."),
        ("TOY-1", 0.5, {"chapter": "memory/hopfield"}, claims.LedgerError, "belongs to memory/toy, not to memory/hopf"),
        ("TOY-1", None, {}, ArgumentError, "measured: expected a measurement of TOY-1; got None"),
        ("TOY-1", None, {"reference": False}, ArgumentError, "measured: expected a measurement of TOY-1; got None"),
        ("TOY-1", float("nan"), {"reference": False}, ArgumentError, "measured: expected a finite number; got nan"),
        ("TOY-2", {"a": 0.5}, {"reference": False}, ArgumentError, "a value for every part of TOY-2; got none for 'b'"),
        ("TOY-3", 7, {}, ArgumentError, "none at reference parameters, since TOY-3 is of the profile paper; got 7"),
    ],
)  # fmt: skip
def test_a_wrong_check_is_refused_and_nothing_is_shown(tree, shown, claim, measured, options, error, message):
    with pytest.raises(error) as caught:
        tree.check(claim, measured, **options)
    assert message in str(caught.value)
    assert shown == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"claim": "TOY-1"}, "TOY-3.json: holds a result of TOY-1, not of TOY-3"),
        ({"measured": None}, "TOY-3.json: not a stored result"),
        ({"when": "today"}, "TOY-3.json: not a stored result(.|\n)*when"),
    ],
)
def test_a_broken_stored_result_is_refused(tree, shown, change, message):
    with pytest.raises(claims.LedgerError, match=message):
        tree.result(**change).check("TOY-3")


def test_a_claim_is_checked_once_a_run_but_a_cell_may_run_again(tree, shown, monkeypatch):
    cell = ("cell 1", 1)
    monkeypatch.setattr(ledger, "_checked", {})
    monkeypatch.setattr(ledger, "_cell", lambda: cell)
    tree.check("TOY-1", 0.5)
    with pytest.raises(claims.LedgerError, match="TOY-1: checked before in this run"):
        tree.check("TOY-1", 0.5)
    cell = ("cell 1", 2)
    tree.check("TOY-1", 0.5)
    cell = ("cell 2", 3)
    with pytest.raises(claims.LedgerError, match="TOY-1: checked before in this run"):
        tree.check("TOY-1", 0.5)


def test_rows_and_summary_are_plain_data(book):
    found = {row.id: (outcome, link) for row, outcome, link in ledger.rows(book.root)}
    assert [outcome.verdict for outcome, _ in found.values()] == ["agrees", "partly", "out of reach"]
    assert found["TOY-2"][0].measured == {"a": 0.5, "b": 0.9}
    assert found["TOY-2"][1] == "memory/toy.html#claim-TOY-2"


KEPT = {"kind": "count", "target": 7, "reason": "exact", "pinned": True}
PINNED = {
    **ROWS[2],
    "id": "TOY-4",
    "profile": "desk",
    "verdict": "unchanged",
    "test": KEPT,
}


def test_what_others_published_and_what_we_ask_are_tallied_apart():
    rows = [claims.Row.model_validate(row) for row in (*ROWS, PINNED)]
    assert ledger.tally(rows) == ledger.Tally(
        {"reproduced": 0, "agrees": 1, "partly": 1, "not reproduced": 0, "refuted": 0, "not run": 0, "out of reach": 0},
        {"holds": 0, "partly": 0, "fails": 0, "undecided": 0, "not run": 0, "out of reach": 1},
        regression=1,
        pinned=1,
    )


def test_two_works_of_one_year_are_told_apart(tree):
    more = "@book{amit1985b, author = {Amit, D. and Gut, H. and X, Y.}, title = {}, publisher = {}, year = {1985}}"
    (tree.root / "chapters/references.bib").write_text(BIBLIOGRAPHY + more)
    keys = ("hopfield1982", "amit1985", "amit1985b")
    assert [ledger.label(tree.root, key) for key in keys] == ["Hopfield 1982", "Amit et al. 1985a", "Amit et al. 1985b"]


def test_a_row_of_ours_stands_under_nobodys_name(tree, shown):
    tree.check("TOY-3")
    assert "Our question, about Amit et al. 1985: fig. 3<" in shown[0][0]["text/html"]
    assert "Published" not in shown[0][0]["text/html"]
    assert 'data-origin="ours"' in shown[0][0]["text/html"]


def test_a_number_pinned_from_an_earlier_run_is_called_a_regression_check():
    outcome = ledger._judged(claims.Row.model_validate(PINNED), 7, None, exploratory=False, device="")
    assert outcome.text() == (
        "TOY-4: unchanged\n  measured 7, expected exactly 7 ✓ (regression check: our own earlier count)"
    )


def test_a_row_says_that_its_test_was_changed_after_a_run_and_why_its_bounds_are_what_they_are():
    def html(row):
        measured = dict.fromkeys(row["test"]["parts"], 0.5)
        return ledger._judged(claims.Row.model_validate(row), measured, None, exploratory=False, device="").html("")

    parts = {"a": VALUE, "b": {**VALUE, "reason": "ten runs of $N$"}, "c": VALUE}
    changed = html({**ROWS[1], "test": {"parts": parts}, "changed": "The third part is new."})
    assert "Changed after a run: The third part is new." in changed
    assert "<li>a; c: rounding</li>\n<li>b: ten runs of \\(N\\)</li>" in changed
    assert "<li>rounding</li>" in html(ROWS[1])
    assert "Changed after a run" not in html(ROWS[1])


def test_rows_do_not_need_an_executed_chapter(tree, book):
    book.rows[0]["test"] = {"parts": {"a": VALUE, "b": VALUE}}
    assert next(ledger.rows(book.save().root))[1] is None
    (book.root / "chapters/memory/toy.ipynb").unlink()
    assert [outcome for _, outcome, _ in ledger.rows(book.root)] == [None, None, None]


def test_a_book_in_order_has_no_problems(book):
    assert ledger.problems(book.root) == []


def edit(shown, position, **changes):
    """Change the raw data of one stored check."""
    shown[position][1]["memscape"] |= changes


def claim_of_nobody(tree, shown):
    edit(shown, 0, claim="TOY-9")


def missing(tree, shown):
    del shown[1]


def twice(tree, shown):
    shown.append(shown[0])


def drifted_value(tree, shown):
    edit(shown, 0, measured=0.6)


def drifted_verdict(tree, shown):
    edit(shown, 0, verdict="refuted")


def drifted_ledger(tree, shown):
    tree.rows[0]["test"] = VALUE | {"target": 0.6}


def rewritten_row(tree, shown):
    tree.rows[0]["statement"] = "Something else."


def changed_kind(tree, shown):
    tree.rows[0]["test"] = {"kind": "count", "target": 1, "reason": "exact"}


def unverified_shown(tree, shown):
    page = shown[0][0]["text/html"]
    shown[0][0]["text/html"] = page.replace("value not verified", "0.4711")


def unverified_since(tree, shown):
    tree.rows[1]["published"]["known"] = "unverified"


def exploratory(tree, shown):
    edit(shown, 0, exploratory=True)


def no_source(tree, shown):
    tree.rows[0]["source"] = "hopfeld1982"


def moved(tree, shown):
    tree.rows[0]["chapter"] = "memory/other"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (claim_of_nobody, "TOY-9: memory/toy checks it, but it is not in the ledger"),
        (claim_of_nobody, "TOY-1: memory/toy stores no checks of it, expected one"),
        (missing, "TOY-2: memory/toy stores no checks of it, expected one"),
        (twice, "TOY-1: memory/toy stores 2 checks of it, expected one"),
        (drifted_value, "TOY-1: the ledger records 'agrees', memory/toy stores 'agrees', and its measurement "
                        "earns 'not reproduced'"),
        (drifted_verdict, "TOY-1: the ledger records 'agrees', memory/toy stores 'refuted'"),
        (drifted_ledger, "and its measurement earns 'not reproduced'"),
        (rewritten_row, "TOY-1: the row stored in memory/toy is not what the ledger says now"),
        (changed_kind, "TOY-1: the stored measurement does not fit the test: measured: expected an integer; got 0.503"),
        (unverified_shown, "TOY-1: memory/toy shows ['0.4711'] as published, and only ['value not verified'] may be"),
        (unverified_since, "TOY-2: memory/toy shows ['0.5 (read in the source)'] as published, and only ['value not"),
        (exploratory, "TOY-1: memory/toy was stored at other than reference parameters"),
        (no_source, "TOY-1: source 'hopfeld1982' is not in chapters/references.bib. Did you mean 'hopfield1982'?"),
        (moved, "TOY-1: memory/toy checks it, but it belongs to memory/other"),
        (moved, "TOY-1: memory/other stores no checks of it, expected one"),
    ],
)  # fmt: skip
def test_every_damage_is_found_and_named(book, shown, damage, message):
    damage(book, shown)
    book.save().store(shown)
    assert any(message in problem for problem in ledger.problems(book.root)), ledger.problems(book.root)


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ("A share of 0.4711 was reported.", True),
        ("We load it to 0.3. The published share is 0.4711, about a half.", True),
        ("We load it to 0.4711. That is as published.", False),
        ("A share of 0.47112 was reported.", False),
        ("A share of 10.4711 was reported.", False),
        ("A share of 0.5 was reported.", False),
    ],
)
def test_prose_does_not_present_an_unverified_number_as_published(book, shown, prose, found):
    book.store(shown, prose)
    problems = ledger.problems(book.root)
    assert len(problems) == found
    if found:
        assert problems[0].startswith("TOY-1: memory/toy writes of 0.4711 as published; nobody verified it: ")


CELLS = {
    "first": "from pathlib import Path\nfrom memscape.book import ledger\nhome = Path({root!r})",
    "check": "ledger.check('TOY-1', 0.503, chapter='memory/toy', reference=True, root=home)",
}


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A notebook that checks a claim, as a kernel really leaves it."""
    tree = Tree(tmp_path_factory.mktemp("book")).save()
    cells = [new_code_cell(CELLS["first"].format(root=str(tree.root))), new_code_cell(CELLS["check"])]
    notebook = new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    NotebookClient(notebook, **PATIENT).execute()
    path = tree.root / "chapters/memory/toy.ipynb"
    nbformat.write(notebook, path)
    return path


def tool(name, *arguments):
    command = [Path(sys.executable).with_name(name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def nbval(path, root):
    return tool("pytest", "-p", "no:cacheprovider", "-c", "/dev/null", "--nbval", "--nbval-current-env",
                "--nbval-sanitize-with", str(root / "tests/nbval_sanitize.cfg"), str(path))  # fmt: skip


def test_normalising_keeps_the_raw_data(executed, tmp_path):
    path = tmp_path / "toy.ipynb"
    shutil.copy(executed, path)
    done = tool("nbstripout", "--keep-output", "--keep-count", "--keep-id", str(path))
    assert done.returncode == 0, done.stderr
    stored = json.loads(path.read_text(encoding="utf-8"))["cells"][1]["outputs"][0]["metadata"]["memscape"]
    assert stored["measured"] == 0.503


def test_nbval_compares_what_is_shown_and_not_what_depends_on_the_processor(executed, root, tmp_path):
    text = executed.read_text(encoding="utf-8")
    for change, passes in [
        ({'"measured": 0.503': '"measured": 0.5029999', MARK + "0.503": MARK + "0.502"}, True),
        ({"TOY-1: agrees": "TOY-1: partly"}, False),
    ]:
        changed = text
        for before, after in change.items():
            assert before in changed
            changed = changed.replace(before, after)
        path = tmp_path / "toy.ipynb"
        path.write_text(changed, encoding="utf-8")
        done = nbval(path, root)
        assert (done.returncode == 0) == passes, done.stdout


def test_a_kernel_refuses_a_second_check(executed):
    cells = [*nbformat.read(executed, as_version=4).cells, new_code_cell(CELLS["check"] + "  # again")]
    with pytest.raises(CellExecutionError, match="TOY-1: checked before in this run"):
        NotebookClient(new_notebook(cells=cells), kernel_name="python3", **PATIENT).execute()


def test_book_and_ledger_agree(root):
    assert ledger.problems(root) == []
