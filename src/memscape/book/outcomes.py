"""The folder of a sweep: what was asked for, what is done, what failed and why, and one table of it all.

``OUT/sweep.json`` says which chapter runs at which values. Every run has its own notebook ``OUT/runs/<values>.ipynb``,
which takes its place in one step when it is complete, and a run that failed has a ``<values>.failed.json`` with the
reason. So the folder itself knows what is missing: nothing is counted twice, and nothing has to be remembered
elsewhere. `table` reads it into one row a run.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import filelock
import nbformat
import pandas as pd

from memscape.arguments import ArgumentError
from memscape.book import chapters, digest, execute, parameters, tables
from memscape.book.chapters import Chapter

_LOCK = ".lock"  # in the folder of a sweep: process and host of who is at work there

ROOM = 2
"""A run is taken to need this many times the size of the committed notebook on the disk."""


@dataclass(frozen=True)
class Sweep:
    """A sweep and its folder.

    Parameters
    ----------
    folder
        Where everything lies.
    chapter
        What runs.
    profile
        Where values come from that are not swept.
    points
        The values given for each run, by parameter; the others keep their reference values.
    command
        The command that asked for it, in the folder that holds ``chapters/``.
    """

    folder: Path
    chapter: Chapter
    profile: str
    points: tuple[dict[str, Any], ...]
    command: str = ""

    @cached_property
    def stamp(self) -> dict[str, Any]:
        """What every run is stamped with; hashing the chapter takes longer than all else here, so it is done once."""
        return execute.stamp_of(self.chapter)

    def path(self, values: Mapping[str, Any]) -> Path:
        """Return where the notebook of the run at these values goes."""
        return _path(self.folder, values, self.chapter.path.stem)

    def missing(self) -> list[dict[str, Any]]:
        """Return the points without a finished run by the code as it stands, in order."""
        now, declared = self.stamp["digest"], self.chapter.parameters()
        return [values for values in self.points if not self._done(values, now, declared)]

    def _done(self, values: Mapping[str, Any], now: digest.Digest, declared: parameters.Declaration) -> bool:
        path = self.path(values)
        if not path.is_file():
            return False
        try:
            notebook = chapters.load(path)
        except ArgumentError:
            return False  # cut short by a full disk, or not ours: the run takes its place
        stamp = chapters.stamp(notebook)
        wanted = parameters.resolve(declared, values, self.chapter.name)
        same = stamp.get("values") == wanted and stamp.get("outputs") == digest.outputs(notebook)
        return same and not digest.changes(stamp.get("digest"), now)

    def failed(self, values: Mapping[str, Any], reason: str) -> None:
        """Note why the run at these values failed."""
        execute.replace(
            _failure(self.path(values)), json.dumps({"values": dict(values), "reason": reason}, indent=1) + "\n"
        )

    def succeeded(self, values: Mapping[str, Any]) -> None:
        """Forget an earlier failure at these values."""
        _failure(self.path(values)).unlink(missing_ok=True)

    def save_table(self) -> list[Path]:
        """Write the table as ``table.parquet`` and ``table.csv``, each in one step, and return both paths."""
        found, paths = table(self.folder), []
        for suffix, write in ((".parquet", found.to_parquet), (".csv", found.to_csv)):
            path = self.folder / f"table{suffix}"
            with execute.drafted(path) as draft:
                write(draft, index=False)
            paths.append(path)
        return paths


def name_of(values: Mapping[str, Any]) -> str:
    """Return a file's name that tells one set of values from another, on disks that ignore case, too.

    Numbers stand as they are. Text that a file's name cannot hold, or not tell apart, and names longer than 80
    characters are cut and end in ``~`` and a hash of the values.
    """
    text = ",".join(f"{name}={_text_of(value)}" for name, value in values.items())
    if len(text) <= 80 and all(_told_apart(value) for value in values.values()):
        return text
    known = hashlib.sha256(repr(sorted(values.items())).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return re.sub(r"[^\w=,.+-]+", "_", text, flags=re.ASCII)[:60] + f"~{known}"


def _text_of(value: Any) -> str:
    return "_".join(map(str, value)) if isinstance(value, list) else str(value)


def _told_apart(value: Any) -> bool:
    if isinstance(value, list):
        return all(_told_apart(each) and "_" not in str(each) for each in value)
    # No capital letters, and no point: x.partial is what an unfinished run of x is called.
    return not isinstance(value, str) or re.fullmatch(r"[a-z0-9_+-]+", value) is not None


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other sweeps out of a folder while this one is at work in it.

    The folder is made where there is none. A lock that another process of this host has left behind when it ended is
    taken over.

    Raises
    ------
    ArgumentError
        Naming the other's command, process and host; or if the folder cannot be made or written to.
    """
    folder = folder.resolve()
    lock = filelock.SoftFileLock(folder / _LOCK, timeout=0)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except filelock.Timeout:
        raise ArgumentError(
            "out",
            "a folder that no other sweep is at work in",
            f"{folder}, where {_holder(folder)} is",
            f"Wait until it ends; if that host is gone, remove {folder / _LOCK}.",
        ) from None
    except OSError as error:
        raise ArgumentError("out", "a folder that can be written to", f"{folder}: {error.strerror}") from None
    try:
        yield
    finally:
        lock.release()


def _holder(folder: Path) -> str:
    """Return who holds the lock of a folder: its command, process and host, as far as they can be read."""
    try:
        command = str(tables.asked_for(folder)["command"])
    except ArgumentError:
        command = "a sweep"  # which has not yet written what it was asked for
    process, host, *_ = [*(folder / _LOCK).read_text(encoding="utf-8", errors="replace").split("\n"), "", ""]
    return f"`{command}` (process {process or 'unknown'} on {host or 'an unknown host'})"


def begin(
    folder: Path, chapter: Chapter, points: Sequence[dict[str, Any]], profile: str, *, resume: bool, command: str = ""
) -> Sweep:
    """Set up the folder of a sweep, or go on with the one that is there.

    Parameters
    ----------
    folder
        New or empty, unless ``resume``.
    chapter, points, profile, command
        As in `Sweep`. What is there already may hold fewer or other points of the same chapter and profile.
    resume
        Whether to go on with a sweep.

    Raises
    ------
    ArgumentError
        Before anything runs: if the folder holds something else, cannot be written to, or lies on a disk without room
        for the runs.
    """
    folder = folder.resolve()
    sweep = Sweep(folder, chapter, profile, tuple(points), command)
    # Hidden files are of the lock, or of a file manager.
    if folder.exists() and not resume and (not folder.is_dir() or any(folder.glob("[!.]*"))):
        cure = "Add --resume to go on with a sweep, or name another folder."
        raise ArgumentError("out", "a new or empty folder", f"{folder}, which is not", cure)
    if resume and (folder / "sweep.json").exists():
        there = read(folder, chapter.home)
        if (there.chapter.name, there.profile) != (chapter.name, profile):
            got = f"a sweep of {there.chapter.name} with the profile {there.profile}"
            raise ArgumentError("out", f"a sweep of {chapter.name} with the profile {profile}", got)
        more = (point for point in points if point not in there.points)
        sweep = Sweep(folder, chapter, profile, (*there.points, *more), command)
    _require_room(sweep)
    content = {
        "command": command,
        "chapter": chapter.name,
        "profile": profile,
        "code": tables.science(sweep.stamp["digest"]),
        "reference": {name: each.reference for name, each in chapter.parameters().items()},
        "points": list(sweep.points),
    }
    execute.replace(folder / "sweep.json", json.dumps(content, indent=1) + "\n")
    return sweep


def _require_room(sweep: Sweep) -> None:
    """Find out by doing it whether the folder can be written to, and whether there is room for what is missing."""
    size = ROOM * sweep.chapter.path.stat().st_size * max(len(sweep.points), 1)
    try:
        (sweep.folder / "runs").mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=sweep.folder) as file:
            # The blocks are really taken, so that quotas and reserved blocks count.
            os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        expected = f"a folder that takes {len(sweep.points)} notebooks, about {size / 2**20:.1f} MiB"
        raise ArgumentError("out", expected, f"{sweep.folder}: {error.strerror}") from None


def read(folder: Path, home: Path | None = None) -> Sweep:
    """Return the sweep that lies in a folder.

    Raises
    ------
    ArgumentError
        If there is none.
    """
    content = tables.asked_for(folder)
    page = chapters.find(content["chapter"], home)
    return Sweep(folder, page, content["profile"], tuple(content["points"]), content["command"])


def table(folder: Path) -> pd.DataFrame:
    """Return a sweep as one tidy table, a row a run; all that it needs is in the folder.

    Columns: every parameter; ``state`` (``done``, ``failed`` or ``missing``) and the ``reason`` of a failure;
    ``seconds`` and ``peak_mib``; and each value that the run measured for a claim of the ledger, named ``AGS-1`` or
    ``AGS-1: part``, with ``[0]``, ``[1]``, ... behind the values of a trend.
    """
    asked = tables.asked_for(folder)
    if not (folder / "runs").is_dir() and (folder / "table.parquet").is_file():
        return tables.kept(folder)  # the book keeps no more of a sweep
    stem = asked["chapter"].partition("/")[2]
    return pd.DataFrame([_row(_path(folder, values, stem), asked["reference"] | values) for values in asked["points"]])


def _path(folder: Path, values: Mapping[str, Any], stem: str) -> Path:
    """Return where the notebook of the run at some values of the chapter called ``stem`` goes."""
    return folder / "runs" / f"{name_of(values) or stem}.ipynb"


def _failure(path: Path) -> Path:
    """Return where the reason stands why the run that should have written this notebook failed."""
    return path.with_suffix(".failed.json")


def _row(path: Path, row: dict[str, Any]) -> dict[str, Any]:
    failure = _failure(path)
    if failure.is_file():
        return row | {"state": "failed", "reason": _reason(failure)}
    if not path.is_file():
        return row | {"state": "missing", "reason": ""}
    try:
        notebook = chapters.load(path)
        facts = chapters.stamp(notebook)["facts"]
        measured = dict(_measured(notebook))
    except ArgumentError as error:
        return row | {"state": "missing", "reason": str(error)}
    except (LookupError, TypeError) as error:  # a notebook of somebody else's
        return row | {"state": "missing", "reason": f"{path}: expected the notebook of a run; got one without {error}."}
    row |= {"state": "done", "reason": "", "seconds": facts["seconds"], "peak_mib": facts["peak_mib"]}
    return row | measured


def _reason(failure: Path) -> str:
    """Return why a run failed; its file may have been cut short by what ended the run, a full disk."""
    try:
        return str(json.loads(failure.read_text(encoding="utf-8"))["reason"])
    except (ValueError, LookupError, TypeError):
        return f"unknown: {failure} cannot be read"


def _measured(notebook: nbformat.NotebookNode) -> Iterator[tuple[str, float]]:
    for check in execute.checks(notebook):
        found = check["measured"]
        if found is None:
            continue
        for part, value in found.items() if isinstance(found, dict) else [("", found)]:
            name = f"{check['claim']}: {part}" if part else check["claim"]
            if isinstance(value, list):
                yield from ((f"{name}[{i}]", each) for i, each in enumerate(value))
            else:
                yield name, value
