"""A chapter reads the table of a stored sweep as long as the sweep was run by the models as they stand."""

import json

import pandas as pd
import pytest

from memscape.arguments import ArgumentError
from memscape.book import chapters, outcomes, tables

POINTS = [{"neurons": n, "seed": s} for n in (20, 30) for s in (0, 1)]


@pytest.fixture
def folder(home):
    """The folder of a stored sweep called "jump" of memory/toy: what was asked for, and the table."""
    folder = home / tables.STORED / "jump"
    outcomes.begin(folder, chapters.find("memory/toy"), POINTS, "desk", resume=False, command="memscape sweep")
    pd.DataFrame(POINTS).to_parquet(folder / "table.parquet")
    return folder


def test_a_stored_sweep_is_its_table_and_its_command(folder):
    found = tables.stored("jump")
    assert found.command == "memscape sweep"
    assert found.table["seed"].tolist() == [0, 1, 0, 1]
    assert tables.stored("jump", folder.parents[3]).table.equals(found.table)


def test_a_sweep_by_other_models_is_refused(folder):
    path = folder / "sweep.json"
    content = json.loads(path.read_text())
    code = content["code"] | {"memscape.memory.dense": "before"}  # the toy reaches no model
    path.write_text(json.dumps(content | {"code": code}))
    expected = "jump: .*; got one from before memscape.memory.dense changed. Run again: memscape sweep"
    with pytest.raises(ArgumentError, match=expected):
        tables.stored("jump")


def test_a_sweep_that_is_not_there_is_refused(home):
    with pytest.raises(ArgumentError, match="out: expected the folder of a sweep"):
        tables.stored("none")


@pytest.mark.parametrize(
    "content",
    ["", "[]", "3", '{"chapter": "memory/toy"}', "<<<<<<< HEAD\n{}", '{"command": "a", "chapter": 3, "points": {}}'],
)
def test_what_was_asked_for_is_named_where_it_is_broken(folder, content):
    (folder / "sweep.json").write_text(content)
    with pytest.raises(ArgumentError, match=r"sweep\.json: expected what `memscape sweep` writes; got .*--resume"):
        tables.stored("jump")


@pytest.mark.parametrize("content", [b"", b"PAR1 not quite"])
def test_a_table_that_is_none_is_named(folder, content):
    path = folder / "table.parquet"
    path.write_bytes(content)
    with pytest.raises(ArgumentError, match=r"table\.parquet: expected the table of a sweep; got "):
        tables.stored("jump")
    path.unlink()
    with pytest.raises(ArgumentError, match=r"out: expected the table of a sweep; got no .*table\.parquet"):
        tables.stored("jump")


def test_only_modules_of_science_decide_the_numbers_of_a_sweep():
    modules = {"memscape.memory.dense": "a", "memscape.tools.exact": "b", "memscape.book.run": "c"}
    assert tables.science({"modules": modules}) == {"memscape.memory.dense": "a", "memscape.tools.exact": "b"}
