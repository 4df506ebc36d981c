"""Whatever a chapter accepts runs to the end: at the least of its values, and at a corner between them and the desk's.

The least values are run with all other tests. The corners take as long as the chapters themselves: `make corners` runs
them, and so does the weekly cold run.
"""

import math
import os
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from memscape.arguments import ArgumentError
from memscape.book import chapters, execute, ledger, parameters, yml

ROOT = Path(__file__).parents[2]
BOOK = chapters.every(ROOT)
COUNT = re.compile(r"(?:exactly )?(\w+)(?: or more)?$")

every_chapter = pytest.mark.parametrize("page", BOOK, ids=lambda page: page.name)


@pytest.fixture(autouse=True)
def author(monkeypatch):
    """The declarations count as they stand in the cells, executed or not."""
    monkeypatch.setenv(chapters.AUTHOR, "1")


def least(parameter):
    """The least value: the lowest number, the first choice, the shortest list of the lowest elements."""
    if parameter.name in ("seed", "device"):
        return parameter.reference
    if not parameter.kind.startswith("list"):
        if parameter.choices:
            return parameter.choices[0]
        return parameter.reference if parameter.low is None else parameter.low
    lengths = [parameters._COUNTS.get(COUNT.match(word)[1], 1) for word in parameter.shape]
    length = max(lengths, default=1)
    if parameter.choices or parameter.low is None:
        return list(parameter.choices or parameter.reference)[:length]
    step = 1 if parameter.kind == "list[int]" else (parameter.high - parameter.low) / 100
    apart = {"rising", "different"}.intersection(parameter.shape)
    found, value = [], parameter.low
    while len(found) < length:
        if "prime" not in parameter.shape or parameters._prime(value):
            found.append(value)
        value += step if apart else 0
    return found


def together(declared, values):
    """The values; where some do not go together, the desk's in their place."""
    for relation in declared.relations:
        try:
            relation.require(values)
        except ArgumentError:
            values |= {name: declared[name].reference for name in relation.names}
    declared.require(values)
    return values


def least_values(declared):
    return together(declared, {name: least(parameter) for name, parameter in declared.items()})


def mixed_values(declared):
    """Least values and the desk's by turns."""
    lowest = {name: least(parameter) for name, parameter in declared.items()}
    return together(
        declared,
        {name: lowest[name] if k % 2 else each.reference for k, (name, each) in enumerate(declared.items())},
    )


def impossible(notebook):
    """What no run may show: a number that is none, an interval beside its value, a share beyond 0 and 1."""
    found = []
    for number, cell in enumerate(chapters.code_cells(notebook), start=1):
        for output in cell.outputs:
            shown = output.get("text", "") + "".join(map(str, output.get("data", {}).get("text/plain", "")))
            found += [f"cell {number} shows {word}" for word in re.findall(r"(?<![\w.])[-−]?(?:nan|inf)\b", shown)]
            if output.get("name") == "stderr":
                found.append(f"cell {number} complains: {output.text.strip()[:200]}")
    for check in execute.checks(notebook):
        measured, interval = check["measured"], check.get("interval")
        parts = measured if isinstance(measured, dict) else {"": measured}
        ends = interval if isinstance(interval, dict) else {"": interval}
        for part, values in parts.items():
            name = f"{check['claim']} {part}".strip()
            numbers = [] if values is None else values if isinstance(values, list) else [values]
            bounds = list(ends.get(part) or [])
            if not all(math.isfinite(value) for value in [*numbers, *bounds]):
                found.append(f"{name}: {values} {bounds}")
            elif bounds and not bounds[0] <= values <= bounds[1]:
                found.append(f"{name}: {values} outside of {bounds}")
            elif part.startswith("share") and not all(0 <= value <= 1 for value in [*numbers, *bounds]):
                found.append(f"{name}: a share of {values} {bounds}")
    return found


@every_chapter
def test_there_are_values_for_a_first_try_and_all_that_profiles_say_is_taken(page):
    profiles = parameters.profiles_of(ROOT, page.name)
    assert "fast" in profiles
    for profile in profiles:
        parameters.resolve(page.parameters(), parameters.profile_values(ROOT, profile, page.name), page.name)


def test_profiles_speak_of_chapters_alone():
    for path in (ROOT / "profiles").glob("*.yml"):
        assert yml.read(path).keys() <= {page.name for page in BOOK}


@every_chapter
def test_a_chapter_runs_through_at_the_least_of_its_values(page, tmp_path):
    executed = execute.to(page, tmp_path / "least.ipynb", least_values(page.parameters()))
    assert impossible(nbformat.read(executed.path, 4)) == []


@pytest.mark.skipif("CORNERS" not in os.environ, reason="takes as long as the chapters: make corners")
@every_chapter
def test_a_chapter_runs_through_at_a_mixed_corner(page, tmp_path):
    executed = execute.to(page, tmp_path / "corner.ipynb", mixed_values(page.parameters()))
    assert impossible(nbformat.read(executed.path, 4)) == []


def test_the_least_values_are_the_lowest_that_go_together():
    cell = (
        "neurons: int = 50  # N [10, 90]\nsizes: list[int] = [5, 7, 11]  # n [4, 99], two or more, rising, prime\n"
        "loads: list[float] = [0.5]  # a [0, 1], exactly three\nrule: str = 'b'  # which {a, b}\nseed: int = 7  # s\n"
        "few: int = 5  # k [2, 9]\nshares: list[float] = [0.1, 0.2, 0.4]  # a [0, 2], rising\nname: str = 'x'  # any\n"
    )
    with pytest.raises(ArgumentError, match="exactly three"):
        parameters.declared(cell)
    cell = cell.replace("[0.5]", "[0.5, 0.5, 0.5]")
    lowest = {"neurons": 10, "sizes": [5, 7], "loads": [0.0] * 3, "rule": "a", "seed": 7, "few": 2, "shares": [0.0]}
    assert least_values(parameters.declared(cell)) == lowest | {"name": "x"}
    related = parameters.declared(cell + "# requires neurons * few > 20: so\n")
    assert least_values(related) == lowest | {"name": "x", "neurons": 50, "few": 5}
    mixed = mixed_values(parameters.declared(cell))
    assert (mixed["neurons"], mixed["sizes"], mixed["loads"], mixed["rule"]) == (50, [5, 7], [0.5] * 3, "a")


def test_what_no_run_may_show_is_found():
    def shown(text="", measured=None, interval=None, name="stdout"):
        data = {"claim": "A-1", "verdict": "holds", "exploratory": True, "measured": measured, "interval": interval}
        outputs = [
            new_output("stream", name=name, text=text),
            new_output("display_data", data={"text/plain": "row"}, metadata={ledger.KEY: data}),
        ]
        return impossible(new_notebook(cells=[new_code_cell("1", outputs=outputs)]))

    assert shown("12 nano, info: 0.5", 0.5, [0.4, 0.6]) == shown("", {"share of bits": [0, 1]}) == shown() == []
    assert shown("a nan b -inf") == ["cell 1 shows nan", "cell 1 shows -inf"]
    assert shown("RuntimeWarning: mean", name="stderr") == ["cell 1 complains: RuntimeWarning: mean"]
    assert shown(measured=math.nan) == ["A-1: nan []"]
    assert shown(measured={"gap": 0.5}, interval={"gap": [0.4, math.inf]}) == ["A-1 gap: 0.5 [0.4, inf]"]
    assert shown(measured=0.7, interval=[0.4, 0.6]) == ["A-1: 0.7 outside of [0.4, 0.6]"]
    assert shown(measured={"share": 0.9}, interval={"share": [0.7, 1.1]}) == ["A-1 share: a share of 0.9 [0.7, 1.1]"]
