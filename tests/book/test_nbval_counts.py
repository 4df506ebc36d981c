"""nbval runs every cell, but what does it compare? Count it, and fail where the answer is nothing."""

import inspect
import re
from collections import defaultdict
from pathlib import Path

import nbformat
import pytest
from nbval.plugin import IPyNbFile, find_comment_markers, find_metadata_tags, get_sanitize_patterns

ROOT = Path(__file__).parents[2]
NOTEBOOKS = sorted((ROOT / "chapters").rglob("*.ipynb"))
SANITIZE = get_sanitize_patterns((ROOT / "tests/nbval_sanitize.cfg").read_text())

# What nbval passes over in an output (in a `data` bundle, too).
NEVER_COMPARED = {
    "metadata", "traceback", "prompt_number", "output_type", "name", "execution_count", "image/png", "image/jpeg",
    "application/vnd.jupyter.widget-view+json",
}  # fmt: skip


def masked(text: str) -> str:
    for pattern, replacement in SANITIZE:
        text = re.sub(pattern, replacement, text)
    return text


def says_something(output: nbformat.NotebookNode) -> bool:
    """Whether nbval compares more of an output than masked numbers or the text that stands for a picture."""
    if output.output_type == "stream":
        texts = [output.text]
    else:
        data = output.get("data", {})
        texts = [value for kind, value in data.items() if kind not in NEVER_COMPARED]
        if {"image/png", "image/jpeg"} & data.keys():
            texts = [value for kind, value in data.items() if kind not in NEVER_COMPARED | {"text/plain"}]
    return any(masked(str(text)).replace("\u2060(masked)", "").strip() for text in texts)


def compared(notebook: nbformat.NotebookNode) -> list[int]:
    """The positions, among the code cells, of those whose outputs nbval really compares."""
    found = []
    for position, cell in enumerate(cell for cell in notebook.cells if cell.cell_type == "code"):
        options = defaultdict(bool, {"check": True} | dict(find_metadata_tags(cell.metadata)))
        options.update(find_comment_markers(cell.source))
        run = not options["skip"] and options["check"] and cell.execution_count is not None
        if run and any(says_something(output) for output in cell.outputs):
            found.append(position)
    return found


def executed_top_to_bottom(notebook: nbformat.NotebookNode) -> bool:
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    return bool(counts) and counts == list(range(1, len(counts) + 1))


@pytest.mark.parametrize("number", ["0", "1,234.5", "-3.2e-05", "4.33\u00a0×\u00a010⁻¹⁵", "93.1%", "12,000"])
def test_a_mask_covers_the_number_and_not_the_sentence(number):
    assert masked(f"measured \u2060{number}, expected 1") == "measured \u2060(masked), expected 1"


def test_there_are_chapters():
    assert NOTEBOOKS


@pytest.fixture(params=NOTEBOOKS, ids=lambda path: str(path.relative_to(ROOT / "chapters").with_suffix("")))
def notebook(request) -> nbformat.NotebookNode:
    return nbformat.read(request.param, as_version=4)


def test_every_notebook_is_executed_top_to_bottom(notebook):
    assert executed_top_to_bottom(notebook)


def test_every_chapter_compares_something(notebook):
    assert compared(notebook)


def test_every_verdict_is_compared(notebook):
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    checks = [position for position, cell in enumerate(code) if "run.check(" in cell.source]
    assert set(checks) <= set(compared(notebook))


def test_nbval_still_passes_over_the_same_fields():
    source = inspect.getsource(IPyNbFile.__init__)
    quoted = set(re.findall(r"'([a-z][\w/.+-]*)'", re.sub(r"#.*", "", source)))
    assert quoted == NEVER_COMPARED


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("overlap \u20600.967 at load \u20601.4e-1", "overlap \u2060(masked) at load \u2060(masked)"),
        ("<td>\u2060-3.2%</td><td>reproduced</td>", "<td>\u2060(masked)</td><td>reproduced</td>"),
        ("\u20600.967, \u2060\u22121.5, done", "\u2060(masked), \u2060(masked), done"),
        ("\u206012,757 of 20,000", "\u2060(masked) of 20,000"),
        ("\u20602.5\u00a0×\u00a010⁻⁷, \u206010⁻⁶ ✓", "\u2060(masked), \u2060(masked) ✓"),
        ("137 of 200, 0.967", "137 of 200, 0.967"),
        ("\u2060nan", "\u2060nan"),
    ],
)
def test_only_marked_numbers_are_masked(text, expected):
    assert masked(text) == expected


def cell(source: str, *outputs: nbformat.NotebookNode, count: int | None = 1, tags: tuple[str, ...] = ()):
    return nbformat.v4.new_code_cell(
        source, outputs=list(outputs), execution_count=count, metadata={"tags": list(tags)}
    )


def book(*cells: nbformat.NotebookNode) -> nbformat.NotebookNode:
    return nbformat.v4.new_notebook(cells=list(cells))


PRINTED = nbformat.v4.new_output("stream", text="3 of 4")
MASKED = nbformat.v4.new_output("stream", text="\u20600.25\n")
PICTURE = nbformat.v4.new_output("display_data", {"image/png": "aaaa", "text/plain": "<Figure size 640x480>"})
ROW = nbformat.v4.new_output("display_data", {"text/html": "<td>reproduced</td>"})


@pytest.mark.parametrize(
    ("cells", "positions"),
    [
        ([cell("print(a)", PRINTED), cell("row", ROW, count=2)], [0, 1]),
        ([cell("a = 1")], []),
        ([cell("print(a)", MASKED)], []),
        ([cell("plot(a)", PICTURE)], []),
        ([cell("print(a)", PRINTED, tags=("nbval-ignore-output",))], []),
        ([cell("print(a)", PRINTED, tags=("nbval-skip",))], []),
        ([cell("# NBVAL_IGNORE_OUTPUT\nprint(a)", PRINTED)], []),
        ([cell("print(a)", PRINTED, count=None)], []),
    ],
)
def test_the_count_sees_what_is_not_compared(cells, positions):
    assert compared(book(*cells)) == positions


@pytest.mark.parametrize(
    ("counts", "expected"), [([1, 2, 3], True), ([1, 3, 2], False), ([2, 3], False), ([1, None], False), ([], False)]
)
def test_the_order_of_execution_is_seen(counts, expected):
    assert executed_top_to_bottom(book(*(cell("a", count=count) for count in counts))) is expected
