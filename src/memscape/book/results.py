"""Recording what a run too large for a desk measured: from its notebook into ``results/``, where the ledger finds it.

A run at the parameters of a large profile leaves its measurements in the outputs of its notebook. `record` writes each
measurement of a claim of that profile into a file of its own, with the device, the commit and the command that repeats
it. It refuses a notebook whose code is not that of the commit: a number must be traceable to the code that gave it.
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

from memscape.arguments import ArgumentError
from memscape.book import chapters, claims, digest, execute, ledger, parameters
from memscape.book.chapters import Chapter


def record(home: Path, notebook: Path) -> list[Path]:
    """Write ``results/<profile>/<claim>.json`` for every claim of a large profile that a run measured.

    Parameters
    ----------
    home
        The root of the book, a clone in git.
    notebook
        What ``memscape run CHAPTER --profile PROFILE`` wrote.

    Returns
    -------
    list of Path
        The files written, in the order of the notebook.

    Raises
    ------
    ArgumentError
        Before anything is written: where the notebook is not such a run, was run by other code than stands in the
        book, that code is not committed, or no claim of the run's profile was measured in it.
    """
    if not notebook.is_file():
        raise ArgumentError("notebook", "the notebook of a run", f"no file {notebook}")
    content = chapters.load(notebook)
    stamp = chapters.stamp(content)
    measured = execute.checks(content)
    if "profile" not in stamp or not measured:
        raise ArgumentError(
            "notebook",
            "a finished run with checks of the ledger",
            str(notebook),
            "Write one with `memscape run CHAPTER --profile paper -o FILE`.",
        )
    rows = claims.load(home)
    large = [
        check
        for check in measured
        if check["measured"] is not None
        and (row := rows.get(check["claim"])) is not None
        and row.profile == stamp["profile"] != "desk"
    ]
    if not large:
        expected = "a measurement of a claim of the run's own, large profile"
        raise ArgumentError("notebook", expected, f"none of the profile {stamp['profile']}")
    page = chapters.find(rows[large[0]["claim"]].chapter, home)
    _require_same_code(page, stamp["digest"])
    origin = {
        "device": stamp["facts"].get("gpu", f"one core ({stamp['facts']['processor']})"),
        "commit": _commit(page),
        "command": _command(page, stamp["profile"], stamp["values"]),
    }
    paths = []
    for check in large:
        result = ledger.Result(claim=check["claim"], measured=check["measured"], interval=check["interval"], **origin)
        path = home / "results" / stamp["profile"] / f"{result.claim}.json"
        execute.replace(path, result.model_dump_json(indent=1, exclude_none=True) + "\n")
        paths.append(path)
    return paths


def _require_same_code(page: Chapter, then: dict[str, Any]) -> None:
    now = digest.of(page)
    changed = digest.changes({**now, "cells": then["cells"], "modules": then["modules"]}, now)
    if changed:
        raise ArgumentError(
            "notebook", f"a run by the code of {page.name} as it stands", "; ".join(changed), "Run it again."
        )


def _commit(page: Chapter) -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(page.home), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    changed = git("status", "--porcelain", "--", "src", str(page.path))
    if changed:
        raise ArgumentError("notebook", "a run by committed code", f"changes in {changed.split()[-1]}", "Commit first.")
    return git("rev-parse", "HEAD")


def _command(page: Chapter, profile: str, values: dict[str, Any]) -> str:
    declared = page.parameters()
    usual = parameters.resolve(declared, parameters.profile_values(page.home, profile, page.name), page.name)
    own = [("-p", name, str(value)) for name, value in values.items() if value != usual[name] and name != "device"]
    return shlex.join(["memscape", "run", page.name, "--profile", profile, *(word for each in own for word in each)])
