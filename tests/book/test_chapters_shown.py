"""What a reader sees of a chapter: the question, its best picture, and the lines of code that are the idea."""

import ast
import copy
import re
import statistics
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from memscape.book import chapters
from memscape.book.site import plots
from memscape.book.site.pictures import OPENING, is_picture

FOLDED = "hide-input"
COLUMNS = 88
"""What a box of code shows at a width of 1400 px without scrolling sideways."""
IDEA = 6
LONGEST = 12
# What serves the page and not the idea: drawing of one's own, numbers for the prose, rows of the ledger.
PLUMBING = re.compile(r"\b(run\.(glue|check|recorded)|book\.begin|plt\.|sns\.|ax\w*(\[.*?\])?\.\w+\(|figure\.\w+\()")

# The kinds of plot that the site's script can draw. Of any other it makes a line through points, without a word.
DRAWABLE = set(
    re.findall(
        r'moduleType:"trace",name:"(\w+)"',
        (Path(plots.__file__).parent / "static" / plots.BUNDLE).read_text(encoding="utf-8"),
    )
)


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
    elif not any(is_picture(output) for output in opening[0].get("outputs", [])):
        yield f"the cell tagged `{OPENING}` shows no picture"
    first = notebook.cells[0]
    if first.cell_type != "markdown" or not first.source.startswith("# ") or "\n## " in first.source:
        yield "the first cell is not a title with the question under it"
    elif len(first.source.split()) > 120:
        yield f"{len(first.source.split())} words before the first picture"
    for cell in code:
        for output in cell.get("outputs", []):
            yield from dumps(output)


def dumps(output):
    """What was printed as the program holds it, or is too wide to be read without scrolling."""
    text = output.get("text", "")
    if set(output.get("data", {})) == {"text/plain"}:
        text = output["data"]["text/plain"]
        if text.startswith(("'", '"')):
            yield f"an output is a string as the program holds it: {text[:60]}"
    for line in text.splitlines():
        if re.search(r"[{\[(]'|\{\d|\[\d+, |tensor\(|array\(|: \{", line):
            yield f"an output is no sentence and no table: {line[:60]}"
        if len(line) > COLUMNS:
            yield f"an output is wider than {COLUMNS} columns: {line[:60]}"
    plot = output.get("data", {}).get(plots.MIME, {})
    for trace in [*plot.get("data", []), *(trace for each in plot.get("frames", []) for trace in each["data"])]:
        if (kind := trace.get("type", "scatter")) not in DRAWABLE:
            yield f"an interactive figure is of a kind that the site cannot draw: {kind}"
    table = output.get("data", {}).get("text/html", "")
    if 'class="dataframe"' in table and (raw := re.search(r">([^<]*\$[^<]*)<", table)):
        yield f"a table holds a formula, which the page prints as it is: {raw[1]}"


@pytest.mark.parametrize("chapter", chapters.every(), ids=lambda chapter: chapter.name)
def test_a_chapter_shows_the_idea_before_the_plumbing(chapter):
    assert list(faults(chapter.read())) == []


def spoiled(cell, source=None, tags=None, output=None, table=None, value=None, kind=None):
    """A copy of a notebook's cell with one thing changed."""
    cell = copy.deepcopy(cell)
    cell.source = cell.source if source is None else source
    if tags is not None:
        cell.metadata["tags"] = tags
    if output is not None:
        cell.outputs = [new_output("stream", text=output)]
    if table is not None:
        cell.outputs = [new_output("execute_result", data={"text/html": table})]
    if value is not None:
        cell.outputs = [new_output("execute_result", data={"text/plain": value})]
    if kind is not None:
        cell.outputs = [new_output("display_data", data={plots.MIME: {"data": [{"type": kind}]}})]
    return cell


SPOILED = {
    "the parameters cell is not folded": (1, {"tags": ["parameters"]}),
    "an open cell imports: import os": (2, {"source": "import os"}),
    "an open cell holds run.glue": (2, {"source": "run.glue('x', 1)"}),
    "an open cell holds ax.plot(": (2, {"source": "ax.plot(1)"}),
    "an open cell is wider than 88 columns": (2, {"source": "a = " + "1 + " * 22 + "1"}),
    "an open cell is longer than 12 lines": (2, {"source": "a = 1\n" * 13}),
    "2 open cells": (2, {"tags": ["hide-input"]}),
    "open cells have a median of 7 lines": ((2, 3), {"source": "a = 1\n" * 6 + "a = 1"}),
    "0 cells tagged `opening`": (5, {"tags": ["hide-input"]}),
    "shows no picture": (5, {"output": "none"}),
    "not a title with the question under it": (0, {"source": "# Title\n\n## Part"}),
    "words before the first picture": (0, {"source": "# Title\n\n" + "word " * 120}),
    "an output is no sentence and no table: {'a': 1}": (2, {"output": "{'a': 1}"}),
    "an output is no sentence and no table: [1, 2, 3]": (2, {"output": "[1, 2, 3]"}),
    "an output is a string as the program holds it": (2, {"value": "'0.89'"}),
    "an output is wider than 88 columns": (2, {"output": "word " * 18}),
    "the site cannot draw: mesh3d": (2, {"kind": "mesh3d"}),
    "a table holds a formula": (2, {"table": '<table class="dataframe"><th>$x_1$</th></table>'}),
}


@pytest.mark.parametrize("message", SPOILED)
def test_what_should_not_be_seen_is_named(message):
    picture = new_output("display_data", data={"image/png": "aaaa"})
    cells = [
        new_markdown_cell("# Title\n\nA question."),
        new_code_cell("seed: int = 0", metadata={"tags": ["parameters", FOLDED]}),
        *(new_code_cell("a = 1", outputs=[new_output("stream", text="A sentence.")]) for _ in range(3)),
        new_code_cell("draw()", metadata={"tags": [FOLDED, OPENING]}, outputs=[picture]),
        new_code_cell("import os", metadata={"tags": ["remove-cell"]}),
    ]
    assert list(faults(new_notebook(cells=cells))) == []
    positions, change = SPOILED[message]
    for position in [positions] if isinstance(positions, int) else positions:
        cells[position] = spoiled(cells[position], **change)
    found = list(faults(new_notebook(cells=cells)))
    assert any(message in fault for fault in found), found
