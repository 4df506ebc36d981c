"""The ledger at work: a chapter holds a measurement against a claim, and book and ledger are held together.

`check` is what a chapter calls. It judges the measurement by the claim's row (`memscape.book.claims`), shows the row,
stores the raw numbers in the metadata of that output, and raises where a run at reference parameters finds another
verdict than the recorded one. `stored` reads those outputs back from the committed chapters; `rows`, `tally` and
`problems` serve the ledger page, the command line and the tests.

A claim of the profile ``paper`` is too large for a desk. Its chapter calls ``run.check("KH16-6")`` without a
measurement: the verdict is then computed from ``results/paper/KH16-6.json`` (a `Result`), or is ``out of reach`` as
long as there is no such file.
"""

from __future__ import annotations

import html
import itertools
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from IPython.core.getipython import get_ipython
from IPython.display import display
from pydantic import BaseModel, ConfigDict, ValidationError

from memscape.arguments import ArgumentError, nearest
from memscape.book import chapters
from memscape.book.claims import (
    BY_ORIGIN,
    ORIGINS,
    LedgerError,
    Measured,
    Pair,
    Parts,
    Row,
    Verdict,
    judge,
    load,
    take,
    verdict_of,
)

KEY = "memscape"
"""Where a stored check lies in the metadata of its output."""

_SYMBOLS = {True: "✓", False: "✗", None: "?"}
_PUBLISHED = re.compile(r'<p class="claim-published">(.*?)</p>', re.DOTALL)
_IN_PRINT = re.compile(r"\b(publish|print|report|quote)", re.IGNORECASE)
_checked: dict[str, tuple[str, int]] = {}


class LedgerDrift(LedgerError):
    """A run at reference parameters found another verdict than the ledger records."""


class Result(BaseModel):
    """What a run too large for a desk measured for one claim: the content of ``results/<profile>/<id>.json``.

    Parameters
    ----------
    claim
        The claim's id, as in the file's name.
    measured, interval
        As `check` takes them, with lists for tuples.
    device
        What it ran on, in words: ``"NVIDIA H100"``.
    commit, command
        The commit it ran at and the command that repeats it.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    claim: str
    # An int must stay one: a count is exact.
    measured: int | float | list[int | float] | dict[str, int | float | list[int | float]]
    interval: list[int | float] | dict[str, list[int | float]] | None = None
    device: str
    commit: str
    command: str


@dataclass(frozen=True)
class Outcome:
    """A claim's row with what was measured and the verdict it earns.

    Parameters
    ----------
    row
        The claim.
    measured, intervals
        Values and confidence intervals by part (under the empty name where the test has no parts); both empty where
        nothing was measured.
    passed
        Whether each part passes; None where its interval is too wide to tell.
    verdict
        One of `claims.VERDICTS`.
    exploratory
        Whether the run was at other than reference parameters, so that nothing is held against the ledger.
    device
        What the stored result of a large run was computed on; empty for a measurement made in the chapter.
    """

    row: Row
    measured: dict[str, Measured]
    intervals: dict[str, Pair]
    passed: dict[str, bool | None]
    verdict: str
    exploratory: bool = False
    device: str = ""

    @property
    def title(self) -> str:
        """The verdict as shown, marked where the run is exploratory."""
        return self.verdict + (" (exploratory: not at reference parameters)" if self.exploratory else "")

    @property
    def lines(self) -> list[str]:
        """One line a part: what was measured, what was expected, and whether it passes."""
        found = []
        for part, test in self.row.tests.items():
            expected = f"expected {test}"
            if self.measured:
                value, pair = test.show(self.measured[part]), self.intervals.get(part)
                if pair is not None:
                    value += f" [{test.show(pair[0])}, {test.show(pair[1])}]"
                expected = f"measured {value}, {expected} {_SYMBOLS[self.passed[part]]}"
            if test.pinned:
                expected += " (regression check: our own earlier count)"
            found.append(f"{part}: {expected}" if part else expected)
        return found

    def text(self) -> str:
        """Return the row as plain text."""
        return "\n  ".join([f"{self.row.id}: {self.title}", *self.lines])

    def _reasons(self) -> list[str]:
        """The reasons of the tests, each with the parts it stands for; the names are left out where it is for all."""
        parts: dict[str, list[str]] = {}
        for part, test in self.row.tests.items():
            parts.setdefault(test.reason, []).append(part)
        if len(parts) == 1:
            return list(parts)
        return [f"{'; '.join(names)}: {reason}" for reason, names in parts.items()]

    def html(self, label: str) -> str:
        """Return the row as HTML that can be linked to, with the source called ``label``."""
        row, escape = self.row, html.escape
        found = [
            f'<div class="claim tex2jax_process mathjax_process" id="claim-{row.id}" data-verdict="{self.verdict}" '
            f'data-origin="{row.origin}">',
            f'<p><a class="claim-id" href="#claim-{row.id}"><strong>{row.id}</strong></a> '
            f'<span class="claim-badge">{escape(self.title)}</span> '
            f'<span class="claim-source">{escape(said_by(row, label))}</span></p>',
            f'<p class="claim-statement">{_mathematics(row.statement)}</p>',
            *(
                [f'<p class="claim-published">Published: {_mathematics(row.published_text)}</p>']
                if row.published_text
                else []
            ),
            '<ul class="claim-parts">',
            *(f"<li>{escape(line)}</li>" for line in self.lines),
            "</ul>",
            '<details class="claim-reasons"><summary>Why these bounds</summary><ul>',
            *(f"<li>{_mathematics(reason)}</li>" for reason in self._reasons()),
            "</ul></details>",
            *([f'<p class="claim-device">Computed on {escape(self.device)}</p>'] if self.device else []),
            *([f'<p class="claim-remark">{_mathematics(row.remark)}</p>'] if row.remark else []),
            *(
                [f'<p class="claim-changed">Changed after a run: {_mathematics(row.changed)}</p>']
                if row.changed
                else []
            ),
            *(
                [f'<p class="claim-unprinted">Not seen in print: {_mathematics(row.unprinted)}</p>']
                if row.unprinted
                else []
            ),
            "</div>",
        ]
        return "\n".join(found)

    def data(self) -> dict[str, Any]:
        """Return what an output stores of it: plain data, from which `stored` builds the outcome again."""
        single = not isinstance(self.row.test, Parts)
        return {
            "claim": self.row.id,
            "verdict": self.verdict,
            "exploratory": self.exploratory,
            "measured": (self.measured[""] if single else self.measured) if self.measured else None,
            "interval": (self.intervals[""] if single else self.intervals) if self.intervals else None,
            "device": self.device,
        }


@dataclass(frozen=True)
class Stored:
    """One check as a committed chapter stores it: the chapter, the raw data, and the HTML the reader sees."""

    chapter: str
    claim: str
    data: dict[str, Any]
    html: str


def check(
    claim_id: str,
    measured: Any = None,
    *,
    chapter: str,
    reference: bool,
    interval: Any = None,
    root: Path | None = None,
) -> None:
    r"""Hold a measurement against a claim, show the claim's row, and raise where the verdict has drifted.

    Parameters
    ----------
    claim_id
        The claim's id in the ledger.
    measured
        A number; a sequence of numbers for a trend; for a test in parts a dictionary with one of these a part. Scalars
        and arrays of numpy and torch will do. At reference parameters nothing for a claim of the profile ``paper``.
    chapter
        The chapter that checks, ``memory/hopfield``.
    reference
        Whether all parameters have their reference values. If not, the row is shown as exploratory and its verdict is
        held against nothing.
    interval
        A confidence interval ``(low, high)`` around a measured number, or a dictionary of such by part. It decides
        nothing by itself: whether the test passes depends on the measured value. It says whether the measurement has
        the power to decide, and where it does not, the verdict is ``undecided`` and the ledger drifts:

        * for a bound, a range, or a target with its tolerance, the interval must not have the bound, or an end of what
          is allowed, in its interior: it lies within or beside it;
        * counts and trends take none: the one is exact, the other has its slack.
    root
        The book's folder; by default the one that `chapters.home` finds.

    Raises
    ------
    LedgerDrift
        At reference parameters, after showing the row, where the verdict is not the recorded one.
    LedgerError
        On an unknown claim, a claim of another chapter, and one checked before in this run.
    ArgumentError
        On a missing or unknown part, a value that is not finite, and a broken interval.
    """
    root = chapters.home() if root is None else root
    row = _row_of(claim_id, chapter, root)
    _once(row)
    outcome = _outcome(row, measured, interval, reference, root)
    display(
        {"text/plain": outcome.text(), "text/html": outcome.html(label(root, row.source))},
        raw=True,
        metadata={KEY: outcome.data()},
    )
    if reference and outcome.verdict != row.verdict:
        raise LedgerDrift(_drift(outcome))


def recorded(claim_id: str, *, chapter: str, root: Path | None = None) -> Result | None:
    """Return what a run too large for a desk has stored for a claim of a chapter, or None where nothing was.

    Raises
    ------
    LedgerError
        On an unknown claim, a claim of another chapter, and a file that holds no result of the claim.
    """
    root = chapters.home() if root is None else root
    return _result(root, _row_of(claim_id, chapter, root))


def stored(root: Path) -> list[Stored]:
    """Return every check that the committed chapters under ``root`` store, in the order of the book."""
    found = []
    for chapter in chapters.every(root):
        for cell in chapter.read().cells:
            for output in cell.get("outputs", []):
                data = output.get("metadata", {}).get(KEY)
                if data is not None:
                    page = "".join(output.get("data", {}).get("text/html", ""))
                    found.append(Stored(chapter.name, data["claim"], dict(data), page))
    return found


def rows(root: Path) -> Iterator[tuple[Row, Outcome | None, str]]:
    """Yield each claim, what its chapter stores for it, and the link to it.

    The outcome is None where the chapter stores none, or one that the claim's test no longer fits: execute it. The link
    is relative to the root of the site: ``memory/hopfield.html#claim-AGS-1``.
    """
    checks = {check.claim: check for check in stored(root)}
    for row in load(root).values():
        outcome = None
        if row.id in checks:
            with suppress(ArgumentError):
                outcome = _rebuilt(row, checks[row.id].data)
        yield row, outcome, row.link


@dataclass(frozen=True)
class Tally:
    """How the ledger stands; what others published and what we ask ourselves are never counted together.

    Parameters
    ----------
    published
        Number of published results by recorded verdict, every verdict named.
    ours
        Number of our own questions by answer, every answer named.
    regression
        Number of rows of ours that hold nothing but numbers of an earlier run; they stand in neither tally.
    pinned
        Number of such numbers in all rows.
    """

    published: dict[Verdict, int]
    ours: dict[Verdict, int]
    regression: int
    pinned: int


def tally(rows: Iterable[Row]) -> Tally:
    """Count claims by origin and recorded verdict."""
    rows = list(rows)
    asked = [row for row in rows if not row.regression]
    count = Counter((row.origin, row.verdict) for row in asked)
    published, ours = ({verdict: count[origin, verdict] for verdict in BY_ORIGIN[origin]} for origin in ORIGINS)
    del ours["unchanged"]  # the answer of regression checks alone
    return Tally(published, ours, len(rows) - len(asked), sum(t.pinned for row in rows for t in row.tests.values()))


def said_by(row: Row, label: str) -> str:
    """Return who says it: the source with the place in it, or that we ask, and about what."""
    if row.origin == "published":
        return f"{label}, {row.where}"
    return f"Our question, about {label}: {row.where}" if label else f"Our question: {row.where}"


def problems(root: Path) -> list[str]:
    """Return what is wrong between the ledger and the committed chapters, one sentence each; nothing if all is well.

    Every claim is checked by its chapter exactly once, at reference parameters, and every check belongs to a claim; the
    stored measurement earns the recorded verdict; the stored row reads as the ledger would show it now; no value
    that was not verified is shown as published, in a row or in prose; every source is in the bibliography.
    """
    ledger, checks = load(root), stored(root)
    sources = _bibliography(root / "chapters" / "references.bib")
    found = [
        f"{row.id}: source '{row.source}' is not in chapters/references.bib. {nearest(row.source, [*sources])}".rstrip()
        for row in ledger.values()
        if row.source is not None and row.source not in sources
    ]
    counts = Counter((check.claim, check.chapter) for check in checks)
    for row in ledger.values():
        if counts[row.id, row.chapter] != 1:
            times = counts[row.id, row.chapter] or "no"
            found.append(f"{row.id}: {row.chapter} stores {times} checks of it, expected one. Execute the chapter.")
    for check in checks:
        found += _problems_of(check, ledger, root)
    return found + _unverified_in_prose(ledger, root)


def _problems_of(check: Stored, ledger: dict[str, Row], root: Path) -> list[str]:
    row = ledger.get(check.claim)
    if row is None:
        return [f"{check.claim}: {check.chapter} checks it, but it is not in the ledger"]
    if row.chapter != check.chapter:
        return [f"{row.id}: {check.chapter} checks it, but it belongs to {row.chapter}"]
    try:
        outcome = _rebuilt(row, check.data)
    except ArgumentError as error:
        return [f"{row.id}: the stored measurement does not fit the test: {error}. Execute {row.chapter}."]
    found = []
    if outcome.exploratory:
        found.append(f"{row.id}: {row.chapter} was stored at other than reference parameters")
    elif not outcome.verdict == check.data["verdict"] == row.verdict:
        found.append(
            f"{row.id}: the ledger records '{row.verdict}', {row.chapter} stores '{check.data['verdict']}', "
            f"and its measurement earns '{outcome.verdict}'"
        )
    shown = [text.removeprefix("Published: ") for text in _PUBLISHED.findall(check.html)]
    allowed = [_mathematics(row.published_text)] if row.published_text else []
    if shown != allowed:
        found.append(f"{row.id}: {row.chapter} shows {shown} as published, and only {allowed} may be shown")
    elif check.html != outcome.html(label(root, row.source)):
        found.append(f"{row.id}: the row stored in {row.chapter} is not what the ledger says now. Execute the chapter.")
    return found


def _unverified_in_prose(ledger: dict[str, Row], root: Path) -> list[str]:
    """Name the sentences of the chapters that present a number nobody verified as one that stands in print."""
    found = []
    for row in ledger.values():
        if row.published is None or row.published.known != "unverified":
            continue
        # Numbers with two or more decimals; "1" or "0.5" may stand in a sentence for many reasons.
        for number in re.findall(r"\d*\.\d{2,}", row.published.value):
            standing = re.compile(rf"(?<![\d.]){re.escape(number)}(?!\d)")
            found += [
                f"{row.id}: {chapter.name} writes of {number} as published; nobody verified it: {sentence.strip()!r}"
                for chapter in chapters.every(root)
                for cell in chapter.read().cells
                if cell.cell_type == "markdown"
                for sentence in re.split(r"(?<=[.!?])\s", cell.source)
                if standing.search(sentence) and _IN_PRINT.search(sentence)
            ]
    return found


@lru_cache(maxsize=1)
def _ledger(root: Path, files: tuple[bytes, ...]) -> dict[str, Row]:
    """Return the ledger, read again only where its files have changed: a chapter has a dozen checks."""
    return load(root)


def _row_of(claim_id: str, chapter: str, root: Path) -> Row:
    ledger = _ledger(root, tuple(path.read_bytes() for path in sorted((root / "claims").glob("*.yml"))))
    if claim_id not in ledger:
        raise LedgerError(f"{claim_id}: not a claim of the ledger. {nearest(claim_id, list(ledger))}".rstrip())
    row = ledger[claim_id]
    if row.chapter != chapter:
        raise LedgerError(f"{claim_id}: belongs to {row.chapter}, not to {chapter}. Check it there, or move the row.")
    return row


def _once(row: Row) -> None:
    """Refuse a claim that another cell, or this execution of the cell, has checked; a cell may be run again."""
    cell, execution = _cell()
    before = _checked.get(row.id, (cell, execution - 1))
    if execution and (before[0] != cell or before[1] == execution):
        raise LedgerError(f"{row.id}: checked before in this run. A claim has one measurement; take one check out.")
    _checked[row.id] = cell, execution


def _cell() -> tuple[str, int]:
    """Which cell is running and the number of its execution; 0 outside a notebook, where there are no runs."""
    shell = get_ipython()
    if shell is None or not hasattr(shell, "get_parent"):
        return "", 0
    # JupyterLab names the cell, so that an edited one is still itself; elsewhere its source stands for it.
    name = (shell.get_parent() or {}).get("metadata", {}).get("cellId")
    return name or shell.user_ns["In"][-1], shell.execution_count


def _outcome(row: Row, measured: Any, interval: Any, reference: bool, root: Path) -> Outcome:
    device = ""
    if row.profile == "desk" and measured is None:
        raise ArgumentError("measured", f"a measurement of {row.id}", "None")
    if row.profile != "desk" and reference:
        if measured is not None:
            expected = f"none at reference parameters, since {row.id} is of the profile {row.profile}"
            raise ArgumentError(
                "measured", expected, repr(measured), f"Its value comes from results/{row.profile}/{row.id}.json."
            )
        result = _result(root, row)
        if result is not None:
            measured, interval = result.measured, result.interval
            device = f"{result.device} at commit {result.commit[:10]}"
    return _judged(row, measured, interval, exploratory=not reference, device=device)


def _judged(row: Row, measured: Any, interval: Any, *, exploratory: bool, device: str) -> Outcome:
    if measured is None:
        return Outcome(row, {}, {}, {}, verdict_of(row, []), exploratory)
    values, pairs = take(row, measured, interval)
    passed = judge(row, values, pairs)
    return Outcome(row, values, pairs, passed, verdict_of(row, passed.values()), exploratory, device)


def _rebuilt(row: Row, data: dict[str, Any]) -> Outcome:
    return _judged(row, data["measured"], data["interval"], exploratory=data["exploratory"], device=data["device"])


def _result(root: Path, row: Row) -> Result | None:
    path = root / "results" / row.profile / f"{row.id}.json"
    if not path.exists():
        return None
    try:
        result = Result.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except (ValidationError, json.JSONDecodeError) as error:
        raise LedgerError(f"{path.name}: not a stored result: {error}") from None
    if result.claim != row.id:
        raise LedgerError(f"{path.name}: holds a result of {result.claim}, not of {row.id}")
    return result


def _drift(outcome: Outcome) -> str:
    row = outcome.row
    cure = (
        "Give the measurement more trials."
        if outcome.verdict == "undecided"
        else ("If the code is right, record the new verdict with a remark that explains it; otherwise mend the code.")
    )
    lines = "".join(f"\n  {line}" for line in outcome.lines)
    return (
        f"{row.id}: the ledger records '{row.verdict}', this run finds '{outcome.verdict}'.{lines}\n"
        f"{cure} The row is in claims/{row.chapter.partition('/')[0]}.yml."
    )


def _mathematics(text: str) -> str:
    r"""Return ``text`` as HTML, with ``$...$`` turned into ``\(...\)``, which the site's MathJax sets."""
    return re.sub(r"\$(.+?)\$", r"\\(\1\\)", html.escape(text, quote=False), flags=re.DOTALL)


def label(root: Path, key: str | None) -> str:
    """Return how a source is called in running text: ``Krotov and Hopfield 2016``; the key if it is unknown.

    A row without a source has no label: the empty string.
    """
    if key is None:
        return ""
    return _bibliography(root / "chapters" / "references.bib").get(key, key)


@cache
def _bibliography(path: Path) -> dict[str, str]:
    from pybtex.database import parse_file

    labels = {}
    for key, entry in parse_file(str(path)).entries.items():
        names = [" ".join([*person.prelast_names, *person.last_names]) for person in entry.persons["author"]]
        authors = " and ".join(names) if len(names) < 3 else f"{names[0]} et al."
        labels[key] = f"{_plain_letters(authors)} {entry.fields['year']}"
    # Two works of the same authors in one year are told apart by a letter.
    twice = Counter(labels.values())
    letters = {text: itertools.count() for text in twice}
    return {
        key: text + (chr(ord("a") + next(letters[text])) if twice[text] > 1 else "") for key, text in labels.items()
    }


def _plain_letters(text: str) -> str:
    from pybtex.richtext import Text

    return str(Text.from_latex(text))
