"""What a reader sees of a chapter: the question, its best picture, and the lines of code that are the idea."""

import ast
import re
import statistics

import pytest

from memscape.book import chapters

CHAPTERS = chapters.every()
FOLDED, OPENING = "hide-input", "opening"
COLUMNS = 88
"""What a box of code shows at a width of 1400 px without scrolling sideways."""
IDEA = 6
LONGEST = 12
# What serves the page and not the idea: drawing of one's own, numbers for the prose, rows of the ledger.
PLUMBING = re.compile(r"\b(run\.(glue|check|recorded)|book\.begin|plt\.|sns\.|ax\w*(\[.*?\])?\.\w+\(|figure\.\w+\()")

# Chapters that are still to be mended: none may be added.
UNFINISHED: set[str] = {
    "capacity/capacity",
}


def pages():
    return [
        pytest.param(
            chapter, id=chapter.name, marks=pytest.mark.xfail(strict=True) if chapter.name in UNFINISHED else []
        )
        for chapter in CHAPTERS
    ]


def tags(cell):
    return cell.metadata.get("tags", [])


def faults(notebook):
    """Name all that a reader should not have to see, and what is missing."""
    code = [cell for cell in chapters.code_cells(notebook) if "remove-cell" not in tags(cell)]
    shown = [cell for cell in code if FOLDED not in tags(cell)]
    for cell in shown:
        first = cell.source.split("\n", 1)[0]
        if "parameters" in tags(cell):
            yield "the parameters cell is not folded"
        if any(isinstance(statement, ast.Import | ast.ImportFrom) for statement in ast.parse(cell.source).body):
            yield f"an open cell imports: {first}"
        if found := PLUMBING.search(cell.source):
            yield f"an open cell holds {found[0]}: {first}"
        if wide := [line for line in cell.source.splitlines() if len(line) > COLUMNS]:
            yield f"an open cell is wider than {COLUMNS} columns: {wide[0]}"
        if len(cell.source.splitlines()) > LONGEST:
            yield f"an open cell is longer than {LONGEST} lines: {first}"
    lengths = [len(cell.source.splitlines()) for cell in shown]
    if len(lengths) < 3:
        yield f"{len(lengths)} open cells: the idea itself should be seen"
    elif statistics.median(lengths) > IDEA:
        yield f"open cells have a median of {statistics.median(lengths):g} lines"
    opening = [cell for cell in code if OPENING in tags(cell)]
    if len(opening) != 1:
        yield f"{len(opening)} cells tagged `{OPENING}`: expected one, whose picture stands above the words"
    elif not any(pictures(output) for output in opening[0].get("outputs", [])):
        yield f"the cell tagged `{OPENING}` shows no picture"
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not first.source.startswith("# ") or "\n## " in first.source:
        yield "the first cell is not a title with the question under it"
    elif len(first.source.split()) > 120:
        yield f"{len(first.source.split())} words before the first picture"
    for cell in code:
        for output in cell.get("outputs", []):
            yield from dumps(output)


def pictures(output):
    return any(kind.startswith(("image/", "application/vnd.plotly")) for kind in output.get("data", {}))


def dumps(output):
    """What was printed as the program holds it, or is too wide to be read without scrolling."""
    text = output.get("text", "")
    if set(output.get("data", {})) == {"text/plain"}:
        text = output["data"]["text/plain"]
    for line in text.splitlines():
        if re.search(r"[{\[(]'|\{\d|\[\d+, |tensor\(|array\(|: \{", line):
            yield f"an output is no sentence and no table: {line[:60]}"
        if len(line) > COLUMNS:
            yield f"an output is wider than {COLUMNS} columns: {line[:60]}"


@pytest.mark.parametrize("chapter", pages())
def test_a_chapter_shows_the_idea_before_the_plumbing(chapter):
    assert list(faults(chapter.read())) == []


def test_the_list_of_chapters_to_mend_names_chapters():
    assert {chapter.name for chapter in CHAPTERS} >= UNFINISHED
