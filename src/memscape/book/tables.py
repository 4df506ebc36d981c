"""Sweeps that the book keeps for a figure: what one measured, and whether it was measured by the models as they stand.

``results/desk/sweeps/<name>`` holds the table of a sweep beside its ``sweep.json``, which says what was asked for and
by which code it was answered. A chapter reads it here. How runs are started, watched and gathered is the business of
`memscape.book.outcomes`, which no chapter needs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from memscape.arguments import ArgumentError
from memscape.book import chapters, digest

STORED = Path("results/desk/sweeps")
"""Where the sweeps lie that figures of the book are made of; git keeps their tables and not their notebooks."""

_BOOK = "memscape.book"
_ASKED = {"command": str, "chapter": str, "profile": str, "code": dict, "reference": dict, "points": list}


@dataclass(frozen=True)
class Stored:
    """A sweep that the book keeps for a figure: its table and the command that made it."""

    command: str
    table: pd.DataFrame


def stored(name: str, home: Path | None = None) -> Stored:
    """Return a sweep that lies in ``results/desk/sweeps``, where only its table is kept.

    Raises
    ------
    ArgumentError
        If there is none of that name, or its chapter's models have changed since.
    """
    home = chapters.home() if home is None else home
    folder = home / STORED / name
    asked = asked_for(folder)
    page = chapters.find(asked["chapter"], home)
    then, now = asked["code"], science(digest.of(page))
    changed = sorted(module for module in then.keys() | now.keys() if then.get(module) != now.get(module))
    if changed:
        expected = f"a sweep by the models of {page.name} as they stand"
        cure = f"Run again: {asked['command']}"
        raise ArgumentError(name, expected, f"one from before {', '.join(changed)} changed", cure)
    return Stored(asked["command"], kept(folder))


def kept(folder: Path) -> pd.DataFrame:
    """Return the ``table.parquet`` of a sweep.

    Raises
    ------
    ArgumentError
        If there is none, or it is no table.
    """
    path = folder / "table.parquet"
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise ArgumentError("out", "the table of a sweep", f"no {path}", "Make one with `memscape sweep`.") from None
    except ValueError as error:  # pyarrow's own are such
        raise ArgumentError(str(path), "the table of a sweep", str(error)[:80]) from None


def asked_for(folder: Path) -> dict[str, Any]:
    """Return the ``sweep.json`` of a sweep: ``command``, ``chapter``, ``profile``, ``code``, ``reference``, ``points``.

    Raises
    ------
    ArgumentError
        If there is none, or it is not what `memscape sweep` writes.
    """
    path = folder / "sweep.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        broken = [name for name, kind in _ASKED.items() if not isinstance(found[name], kind)]
    except FileNotFoundError:
        raise ArgumentError("out", "the folder of a sweep", f"no {path}", "Make one with `memscape sweep`.") from None
    except (ValueError, LookupError, TypeError) as error:
        broken = [f"{type(error).__name__}: {str(error)[:80]}"]
    if broken:
        cure = "Without it the same command with --resume begins anew and keeps every run that is there."
        raise ArgumentError(str(path), "what `memscape sweep` writes", f"one that is not: {', '.join(broken)}", cure)
    return dict(found)


def science(of: Mapping[str, Any]) -> dict[str, str]:
    """Return the hashes of the modules of science in a chapter's digest: what decides the numbers of its runs."""
    return {name: hash_ for name, hash_ in of["modules"].items() if not name.startswith(_BOOK)}
