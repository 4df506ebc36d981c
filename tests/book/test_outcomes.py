"""A sweep's folder knows what was asked, what is done and what failed; nothing runs where it could not be kept."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from memscape.arguments import ArgumentError
from memscape.book import chapters, execute, outcomes

from .conftest import chapter, write

PLAIN = "started = 1"  # instead of book.begin, where torch need not be loaded
CHECK = "from memscape.book import ledger\nledger.check('TOY-1', neurons + seed, chapter='memory/toy', reference=False)"
POINTS = [{"neurons": n, "seed": s} for n in (20, 30) for s in (0, 1)]


@pytest.fixture
def page(add):
    add("memory/toy", CHECK, begin=PLAIN)
    return chapters.find("memory/toy")


@pytest.fixture
def ran(page, tmp_path):
    """A notebook of a finished run, to be put in place without a kernel: (values, path) to nothing."""
    path = tmp_path / "ran.ipynb"
    execute.to(page, path, POINTS[0])

    def put(sweep, values):
        notebook = nbformat.read(path, as_version=4)
        notebook.metadata["memscape"]["values"] |= values
        nbformat.write(notebook, sweep.path(values))

    return put


def begin(page, out, points=POINTS, resume=False, profile="desk"):
    return outcomes.begin(out, page, points, profile, resume=resume)


def test_what_is_missing_is_what_has_no_finished_run_by_this_code(page, tmp_path, ran, home):
    sweep = begin(page, tmp_path / "out")
    assert sweep.missing() == POINTS
    ran(sweep, POINTS[0])
    ran(sweep, POINTS[2])
    assert sweep.missing() == [POINTS[1], POINTS[3]]
    again = begin(page, tmp_path / "out", [*POINTS[2:], {"neurons": 40, "seed": 0}], resume=True)
    assert again.points == (*POINTS, {"neurons": 40, "seed": 0})
    assert again.missing() == [POINTS[1], POINTS[3], {"neurons": 40, "seed": 0}]
    # Another code, another result.
    write(home, "memory/toy", chapter(CHECK + "\nneurons", begin=PLAIN))
    assert begin(page, tmp_path / "out", resume=True).missing() == list(again.points)


def test_the_table_has_a_row_a_run_and_the_reason_of_each_failure(page, tmp_path, ran):
    sweep = begin(page, tmp_path / "out")
    ran(sweep, POINTS[0])
    ran(sweep, POINTS[3])
    sweep.failed(POINTS[1], "took longer than its limit of 3 s")
    sweep.failed(POINTS[3], "an earlier attempt")
    sweep.succeeded(POINTS[3])
    found = outcomes.table(sweep.folder)
    assert found["neurons"].tolist() == [20, 20, 30, 30]
    assert found["state"].tolist() == ["done", "failed", "missing", "done"]
    assert found["reason"].tolist() == ["", "took longer than its limit of 3 s", "", ""]
    assert found["TOY-1"].tolist()[0] == 20
    assert found["rule"].tolist() == ["hebbian"] * 4
    assert (found["seconds"].dropna() > 0).all()
    parquet, csv = sweep.save_table()
    back = pd.read_parquet(parquet)
    assert back.drop(columns="loads").equals(found.drop(columns="loads"))
    assert [list(loads) for loads in back["loads"]] == [[0.05, 0.1]] * 4
    assert pd.read_csv(csv)["reason"].fillna("").tolist() == found["reason"].tolist()
    assert not list(sweep.folder.glob(".table*"))


def test_values_of_a_trend_have_a_column_each():
    data = {"claim": "A-1", "measured": {"a": 1.5, "b": [1, 2]}}
    cell = nbformat.v4.new_code_cell("x", outputs=[nbformat.v4.new_output("display_data", metadata={"memscape": data})])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    assert dict(outcomes._measured(notebook)) == {"A-1: a": 1.5, "A-1: b[0]": 1, "A-1: b[1]": 2}


def test_different_values_never_share_a_notebook():
    long = [{"loads": [i + j / 100 for i in range(40)]} for j in range(2)]
    points = [{}, {"load": 0.1}, {"load": 0.2}, {"neurons": 20, "seed": 1}, *long]
    texts = ["a b", "a_b", "a/b", "A_b", "a", "a.partial", "", "a,neurons=12", "..", "ä", "a\u0308", "\udc80"]
    points += [{"label": text} for text in texts] + [{"label": "a", "neurons": 12}]
    points += [{"labels": labels} for labels in (["a", "b"], ["a_b"], ["a, b"], ["a"], [])]
    names = [outcomes.name_of(values) for values in points]
    assert len({name.lower() for name in names}) == len(points)
    assert max(map(len, names)) <= 80
    assert all(re.fullmatch(r"[\w=,.+~-]*", name, re.ASCII) for name in names)


def test_plain_values_stand_in_the_name_as_they_are():
    values = {"neurons": 20, "load": -0.1, "small": 1e-20, "clamp": True, "rule": "hebbian", "loads": [0.1, 0.25]}
    name = "neurons=20,load=-0.1,small=1e-20,clamp=True,rule=hebbian,loads=0.1_0.25"
    assert outcomes.name_of(values) == name


def test_two_sweeps_do_not_work_in_one_folder(page, tmp_path):
    out = tmp_path / "new/out"
    with outcomes.alone(out):
        with pytest.raises(ArgumentError, match=r"no other sweep is at work in; got .*/out, where `a sweep` \(process"):
            outcomes.alone(out).__enter__()
        outcomes.begin(out, page, POINTS, "desk", resume=False, command="memscape sweep toy -g seed=0:2")
        with pytest.raises(ArgumentError) as refused:
            outcomes.alone(out).__enter__()
        whom = f"`memscape sweep toy -g seed=0:2` (process {os.getpid()} on {socket.gethostname()})"
        assert whom in str(refused.value)
        with outcomes.alone(tmp_path / "other"):
            pass
    with outcomes.alone(out):
        assert begin(page, out, resume=True).missing() == POINTS
    assert sorted(path.name for path in out.iterdir()) == ["runs", "sweep.json"]


def test_the_lock_of_a_sweep_that_was_killed_is_taken_over_and_that_of_another_host_is_not(tmp_path):
    code = f"""import os, pathlib; from memscape.book import outcomes
with outcomes.alone(pathlib.Path({str(tmp_path)!r})):
    os._exit(9)"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    lock = tmp_path / outcomes._LOCK
    left = lock.read_text()
    with outcomes.alone(tmp_path):
        assert lock.read_text() != left
    lock.write_text(left.replace(socket.gethostname(), "elsewhere"))
    with pytest.raises(
        ArgumentError, match=r"on elsewhere\) is. Wait until it ends; if that host is gone, remove .*lock"
    ):
        outcomes.alone(tmp_path).__enter__()


@pytest.mark.parametrize("content", ["", "garbage", "\0"])
def test_a_lock_that_is_no_lock_is_named(tmp_path, content):
    (tmp_path / outcomes._LOCK).write_text(content)
    with pytest.raises(ArgumentError, match="where `a sweep` .process .* on an unknown host. is. Wait"):
        outcomes.alone(tmp_path).__enter__()


def test_a_folder_that_cannot_be_locked_is_refused(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match="out: expected a folder that can be written to; got .*file: "):
        outcomes.alone(tmp_path / "file").__enter__()


def test_a_file_that_is_no_notebook_of_a_run_is_a_run_that_is_missing(page, tmp_path, ran):
    sweep = begin(page, tmp_path / "out")
    ran(sweep, POINTS[0])
    (sweep.folder / "runs/._seed=1.ipynb").write_bytes(b"\0\5\x16\7")  # macOS's
    sweep.path(POINTS[2]).mkdir()
    foreign = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'
    for content in ("", "{}", "[]", '{"cells": [', "<<<<<<< HEAD\n", foreign):
        sweep.path(POINTS[1]).write_text(content)
        assert sweep.missing() == POINTS[1:]
        found = outcomes.table(sweep.folder)
        assert found["state"].tolist() == ["done", "missing", "missing", "missing"]
        assert sweep.path(POINTS[1]).name in found["reason"][1]
        assert found["TOY-1"].tolist()[0] == 20


def test_a_run_whose_outputs_were_edited_is_missing(page, tmp_path, ran):
    sweep = begin(page, tmp_path / "out")
    ran(sweep, POINTS[0])
    path = sweep.path(POINTS[0])
    assert sweep.missing() == POINTS[1:]
    path.write_text(path.read_text().replace('"measured": 20', '"measured": 21'))
    assert sweep.missing() == POINTS


def test_a_reason_that_was_cut_short_is_still_a_failure(page, tmp_path):
    sweep = begin(page, tmp_path / "out")
    sweep.failed(POINTS[0], "a reason")
    (path,) = (sweep.folder / "runs").glob("*.failed.json")
    path.write_text('{"reas')
    found = outcomes.table(sweep.folder)
    assert (found["state"][0], found["reason"][0]) == ("failed", f"unknown: {path} cannot be read")


def test_hidden_files_do_not_make_a_folder_one_in_use(page, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/.DS_Store").touch()
    assert begin(page, tmp_path / "out").missing() == POINTS


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda out: out.write_text("a file"), "out: expected a new or empty folder; got .*out, which is not"),
        (lambda out: (out.mkdir(), (out / "notes").touch()), "out: expected a new or empty folder; .*--resume"),
    ],
)
def test_a_folder_in_use_is_refused(page, tmp_path, spoil, message):
    spoil(tmp_path / "out")
    with pytest.raises(ArgumentError, match=message):
        begin(page, tmp_path / "out")


def test_a_sweep_goes_on_with_its_own_chapter_only(page, add, tmp_path):
    begin(page, tmp_path / "out")
    add("memory/other", "1", begin=PLAIN)
    with pytest.raises(
        ArgumentError, match="out: expected a sweep of memory/other with the profile desk; got a sweep of"
    ):
        begin(chapters.find("memory/other"), tmp_path / "out", resume=True)
    with pytest.raises(ArgumentError, match="got a sweep of memory/toy with the profile desk"):
        begin(page, tmp_path / "out", resume=True, profile="large")
    with pytest.raises(ArgumentError, match="out: expected the folder of a sweep; got no "):
        outcomes.table(tmp_path)


def test_a_folder_that_cannot_be_written_to_is_refused_before_anything_runs(page):
    # Root may write into any folder of a disk, but nobody makes folders in /proc.
    with pytest.raises(ArgumentError, match="out: expected a folder that takes 4 notebooks.*; got /proc/out: "):
        begin(page, Path("/proc/out"))


@pytest.fixture
def tiny_disk(tmp_path):
    """A disk of 64 KiB, where this machine lets us mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no permission to mount a small disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_disk_without_room_is_refused_before_anything_runs(page, tiny_disk):
    points = [{"seed": seed} for seed in range(1000)]
    with pytest.raises(ArgumentError, match="out: .*1000 notebooks, about .* MiB; got .*: No space left on device"):
        begin(page, tiny_disk / "out", points)
    assert not (tiny_disk / "out/sweep.json").exists()
    begin(page, tiny_disk / "small", points[:2])


def test_readers_never_see_half_a_file(page, tmp_path, monkeypatch):
    sweep = begin(page, tmp_path / "out")
    before = (sweep.folder / "sweep.json").read_text()
    monkeypatch.setattr(os, "replace", lambda *_: pytest.fail("not in one step"))
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("killed here")))
    with pytest.raises(OSError, match="killed here"):
        begin(page, tmp_path / "out", [{"neurons": 99}], resume=True)
    assert (sweep.folder / "sweep.json").read_text() == before
    assert json.loads(before)["points"] == POINTS
