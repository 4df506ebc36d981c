"""A row of the ledger and the verdict that a measurement earns it.

``claims/<part>.yml`` holds one row a claim: who says it (``origin``: ``published``, somebody printed it, or ``ours``, a
question, control or count of this book), where, the statement in our words, the test that a measurement must pass, and
the verdict that every run must keep finding. This module reads those files strictly and judges; `memscape.book.ledger`
shows the judgement in a chapter and holds book and ledger together.

How a verdict comes about (`verdict_of`). The two origins have words of their own, which are never counted together:

========================  ==================  ============
what a run finds          published           ours
========================  ==================  ============
every part passes         ``reproduced``,     ``holds``
                          ``agrees``
some parts pass           ``partly``          ``partly``
no part passes            ``not reproduced``  ``fails``
a part of a universal     ``refuted``         ``fails``
statement fails
an interval sticks out    ``undecided``       ``undecided``
nothing was measured      ``not run``,        ``not run``,
                          ``out of reach``    ``out of reach``
========================  ==================  ============

* ``reproduced`` is for what was read in the source or is the authors' code or data; what is known at second hand or was
  not read can only *agree* with what we computed.
* ``undecided``: a row with a published value may not record it; more trials decide, or it is out of reach.
* ``not run`` takes hours on a desk, ``out of reach`` more than the book has; only a row of a profile larger than the
  desk may record them.
* a row of ours whose every number is pinned from an earlier run is a regression check: it is ``unchanged`` or it fails.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from memscape.arguments import ArgumentError, nearest, require_integer, require_number
from memscape.book import numbers, yml

Origin = Literal["published", "ours"]
Known = Literal["read", "authors' code", "secondary", "unverified"]
Verdict = Literal[
    "reproduced", "agrees", "partly", "not reproduced", "refuted",
    "holds", "fails", "undecided", "unchanged", "not run", "out of reach",
]  # fmt: skip
UNMEASURED: tuple[Verdict, ...] = ("not run", "out of reach")
BY_ORIGIN: dict[Origin, tuple[Verdict, ...]] = {
    "published": ("reproduced", "agrees", "partly", "not reproduced", "refuted", *UNMEASURED),
    "ours": ("holds", "partly", "fails", "undecided", "unchanged", *UNMEASURED),
}
"""What a row of each origin may record, best first."""
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
ORIGINS: tuple[Origin, ...] = get_args(Origin)
KNOWN: tuple[Known, ...] = get_args(Known)
NOT_VERIFIED = "value not verified"
SAID = {"read": "read in the source", "secondary": "quoted elsewhere", "authors' code": "authors' code"}
_SIGNS = {"<=": "≤", ">=": "≥"}
Measured = float | int | list[float]
Pair = tuple[float, float]
Text = Annotated[str, Field(min_length=1)]


class LedgerError(Exception):
    """The ledger itself, or the way a chapter uses it, is wrong."""


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)


class _Test(_Strict):
    """What the tests have in common; `show` marks a number that depends on the processor.

    ``pinned`` says that the number to be found again is that of an earlier run of ours: a regression check.
    """

    reason: Text
    pinned: bool = False

    def take(self, name: str, measured: Any) -> Measured:
        """Return ``measured`` if this test can judge it, otherwise raise ArgumentError with ``name``."""
        return require_number(name, measured)

    def show(self, measured: Any) -> str:
        """Return ``measured`` as text, to the digits that matter for this test."""
        return numbers.measured(measured)


class Value(_Test):
    """Passes when ``|measured - target| <= tolerance``; an interval must lie within that range or beside it."""

    kind: Literal["value"]
    target: float
    tolerance: Annotated[float, Field(gt=0)]

    def passes(self, measured: Any, interval: Pair | None) -> bool | None:
        """Return whether ``measured`` passes; None where its interval is too wide to tell."""
        if interval is not None:
            edges = (self.target - self.tolerance, self.target + self.tolerance)
            if any(interval[0] < edge < interval[1] for edge in edges):
                return None
        return bool(abs(measured - self.target) <= self.tolerance)

    def show(self, measured: Any) -> str:
        """Return ``measured`` as text, to the digits that matter for this test."""
        digits = max(0, 1 - math.floor(math.log10(self.tolerance)))
        return numbers.measured(round(measured, digits), 10)

    def __str__(self) -> str:
        return f"{numbers.exact(self.target)} ± {numbers.exact(self.tolerance)}"


class Interval(_Test):
    """Passes when ``low <= measured <= high``; an interval must not contain either end."""

    kind: Literal["interval"]
    low: float
    high: float

    def passes(self, measured: Any, interval: Pair | None) -> bool | None:
        """Return whether ``measured`` passes; None where its interval is too wide to tell."""
        if interval is not None and any(interval[0] < end < interval[1] for end in (self.low, self.high)):
            return None
        return bool(self.low <= measured <= self.high)

    def __str__(self) -> str:
        return f"between {numbers.exact(self.low)} and {numbers.exact(self.high)}"


class Count(_Test):
    """Passes when an integer equals ``target``; an exact count has no interval."""

    kind: Literal["count"]
    target: int

    def take(self, name: str, measured: Any) -> int:
        """Return ``measured`` if it is an integer, otherwise raise ArgumentError with ``name``."""
        return require_integer(name, measured)

    def passes(self, measured: Any, interval: Pair | None) -> bool | None:
        """Return whether ``measured`` passes; None where its interval is too wide to tell."""
        _no_interval("a count", interval)
        return bool(measured == self.target)

    def show(self, measured: Any) -> str:
        """Return ``measured`` as text, to the digits that matter for this test."""
        return numbers.exact(measured)

    def __str__(self) -> str:
        return f"exactly {numbers.exact(self.target)}"


class Inequality(_Test):
    """Passes when ``measured op bound``; an interval must lie on one side of ``bound``."""

    kind: Literal["inequality"]
    op: Literal["<", "<=", ">", ">="]
    bound: float

    def passes(self, measured: Any, interval: Pair | None) -> bool | None:
        """Return whether ``measured`` passes; None where its interval is too wide to tell."""
        if interval is not None and interval[0] < self.bound < interval[1]:
            return None
        if measured == self.bound:
            return "=" in self.op
        return bool(measured < self.bound) == ("<" in self.op)

    def __str__(self) -> str:
        return f"{_SIGNS.get(self.op, self.op)} {numbers.exact(self.bound)}"


class Trend(_Test):
    """Passes when a sequence moves in ``direction`` overall, no step going back by more than ``slack``.

    The move from first to last must exceed ``slack``. The slack stands for the statistical error: no interval.
    """

    kind: Literal["trend"]
    direction: Literal["increasing", "decreasing"]
    slack: Annotated[float, Field(ge=0)]

    def take(self, name: str, measured: Any) -> list[float]:
        """Return ``measured`` if it is a list of two or more numbers, otherwise raise ArgumentError with ``name``."""
        if not isinstance(measured, list) or len(measured) < 2:
            raise ArgumentError(name, "a sequence of two or more numbers", repr(measured))
        return [require_number(f"{name}[{i}]", value) for i, value in enumerate(measured)]

    def passes(self, measured: Any, interval: Pair | None) -> bool | None:
        """Return whether ``measured`` passes; None where its interval is too wide to tell."""
        _no_interval("a trend", interval)
        sign = 1 if self.direction == "increasing" else -1
        steps = [sign * (after - before) for before, after in itertools.pairwise(measured)]
        return bool(min(steps) >= -self.slack and sign * (measured[-1] - measured[0]) > self.slack)

    def show(self, measured: Any) -> str:
        """Return ``measured`` as text, to the digits that matter for this test."""
        return ", ".join(map(numbers.measured, measured))

    def __str__(self) -> str:
        return self.direction + (f", steps back up to {numbers.exact(self.slack)}" if self.slack else "")


Test = Annotated[Value | Interval | Count | Inequality | Trend, Field(discriminator="kind")]


class Parts(_Strict):
    """Several tests under names; the chapter brings a measurement for each."""

    parts: Annotated[dict[Text, Test], Field(min_length=2)]


def _which(test: Any) -> str:
    return "parts" if isinstance(test, Parts) or (isinstance(test, dict) and "parts" in test) else "one"


class Published(_Strict):
    """What stands in the source, and how we know. An ``unverified`` value is kept for the record and never shown."""

    value: Text
    known: Known


class Row(_Strict):
    """One claim of the ledger.

    Parameters
    ----------
    id
        Capital letters, digits and hyphens: ``AGS-1``.
    origin
        Who says it: somebody in print, or this book.
    source, where
        A key of ``chapters/references.bib``, and the place in it; for a row of ours, what it is about, which may be
        nobody's: then there is no source.
    statement
        One or two falsifiable sentences in our words; inline mathematics between dollar signs.
    published
        What stands in print and how we know; None for a row of ours, and for no other.
    test
        What a measurement must pass: one test, or several by name.
    universal
        Whether the statement says "for all", so that one failing part refutes it.
    chapter, profile
        Where it is checked, ``memory/hopfield``, and whether that fits a desk or takes the large run.
    verdict
        What every run must keep finding.
    remark
        What was found, the counterexample, or what it would take: required where not everything passes.
    changed
        Where the test was changed after a run: what was changed, and why.
    unprinted
        One sentence on what a row of ours shows, where we have not seen it in print: it is listed on the landing page.
    """

    id: Annotated[str, Field(pattern=r"^[A-Z0-9]+(-[A-Z0-9]+)+$")]
    origin: Origin
    source: Text | None = None
    where: Text
    statement: Text
    published: Published | None
    test: Annotated[Annotated[Test, Tag("one")] | Annotated[Parts, Tag("parts")], Discriminator(_which)]
    universal: bool = False
    chapter: Annotated[str, Field(pattern=r"^[a-z_]+/[a-z_]+$")]
    profile: Literal["desk", "paper"]
    verdict: Verdict
    remark: Text | None = None
    changed: Text | None = None
    unprinted: Text | None = None

    @model_validator(mode="after")
    def _coherent(self) -> Row:
        if (self.origin == "published") != (self.published is not None):
            raise ValueError("a published claim says what was published, and one of ours has nothing to say there")
        if self.origin == "published" and (self.source is None or self.unprinted is not None):
            raise ValueError("a published claim names its source, and is not unprinted")
        if self.verdict not in (allowed := BY_ORIGIN[self.origin]):
            raise ValueError(f"a claim of origin '{self.origin}' is {', '.join(allowed)}; not '{self.verdict}'")
        if self.verdict != self.best and self.verdict in ("reproduced", "agrees", "holds", "unchanged"):
            raise ValueError(f"it can be '{self.best}', not '{self.verdict}': {self._why}")
        if self.verdict != self.best and self.remark is None:
            raise ValueError(f"a verdict '{self.verdict}' needs a remark: what was found, or what it would take")
        if self.verdict in UNMEASURED and self.profile == "desk":
            raise ValueError("a claim of the desk profile is measured in every run")
        failing = self.verdict in ("refuted", "partly", "not reproduced")
        if self.origin == "published" and failing and (self.verdict == "refuted") != self.universal:
            raise ValueError("a failing universal statement is refuted, any other is partly or not reproduced")
        if self.verdict == "partly" and (self.universal or not isinstance(self.test, Parts)):
            raise ValueError("a universal statement, or a test without parts, cannot come out partly")
        return self

    @property
    def regression(self) -> bool:
        """Whether nothing is tested but numbers pinned from an earlier run of ours."""
        return all(test.pinned for test in self.tests.values())

    @property
    def best(self) -> Verdict:
        """The verdict where everything passes."""
        if self.published is not None:
            return "reproduced" if self.published.known in ("read", "authors' code") else "agrees"
        return "unchanged" if self.regression else "holds"

    @property
    def _why(self) -> str:
        if self.published is not None:
            return f"what was published is known by '{self.published.known}'"
        return "its numbers are" + (" all" if self.regression else " not all") + " pinned from an earlier run"

    @property
    def tests(self) -> dict[str, Test]:
        """The tests by part; a test without parts stands under the empty name."""
        return dict(self.test.parts) if isinstance(self.test, Parts) else {"": self.test}

    @property
    def published_text(self) -> str:
        """What may be shown as published: the value if we know it, a plain admission if not, nothing if none exists."""
        if self.published is None:
            return ""
        if self.published.known == "unverified":
            return NOT_VERIFIED
        return f"{self.published.value} ({SAID[self.published.known]})"

    @property
    def link(self) -> str:
        """Where the claim is checked, relative to the root of the site."""
        return f"{self.chapter}.html#claim-{self.id}"


def load(root: Path) -> dict[str, Row]:
    """Read every ``claims/<part>.yml`` under ``root`` and return its rows by id, in the order of the files.

    Raises
    ------
    LedgerError
        Naming file, claim and field, where a file is no YAML, a row is not as it must be, an id stands twice, or a
        chapter belongs to another part than its file.
    """
    rows: dict[str, Row] = {}
    for path in sorted((root / "claims").glob("*.yml")):
        for position, raw in enumerate(_listed(path)):
            name = raw.get("id", f"row {position + 1}") if isinstance(raw, dict) else f"row {position + 1}"
            where = f"claims/{path.name}: {name}"
            try:
                row = Row.model_validate(raw)
            except ValidationError as error:
                raise LedgerError(f"{where}: {_explain(error)}") from None
            if row.id in rows:
                raise LedgerError(f"{where}: this id stands twice in the ledger")
            if not row.chapter.startswith(f"{path.stem}/"):
                raise LedgerError(f"{where}: chapter {row.chapter} belongs into claims/{row.chapter.split('/')[0]}.yml")
            rows[row.id] = row
    return rows


def _listed(path: Path) -> list[Any]:
    try:
        content = yml.read(path) or []
    except ArgumentError as error:
        raise LedgerError(f"claims/{error}") from None
    if not isinstance(content, list):
        raise LedgerError(f"claims/{path.name}: expected a list of claims; got {type(content).__name__}")
    return content


def take(row: Row, measured: Any, interval: Any = None) -> tuple[dict[str, Measured], dict[str, Pair]]:
    """Return what was measured and its intervals by part, as plain numbers that the row's tests can judge.

    numpy and torch scalars and arrays become Python numbers and lists. Of a row with parts every part must be there.

    Raises
    ------
    ArgumentError
        On a missing or unknown part, a value that is not finite or not of the kind the test judges, and an interval
        that is not a pair ``(low, high)`` around the measured value.
    """
    tests = row.tests
    values = _by_part(row, "measured", measured)
    if missing := [part for part in tests if part not in values]:
        got = "none for " + ", ".join(map(repr, missing))
        raise ArgumentError("measured", f"a value for every part of {row.id}", got)
    taken = {part: test.take(_name("measured", part), _plain(values[part])) for part, test in tests.items()}
    pairs = {} if interval is None else _by_part(row, "interval", interval)
    return taken, {part: _pair(_name("interval", part), _plain(pair), taken[part]) for part, pair in pairs.items()}


def judge(row: Row, measured: dict[str, Measured], intervals: dict[str, Pair]) -> dict[str, bool | None]:
    """Return for each part whether it passes; None where its interval is too wide to tell."""
    return {part: test.passes(measured[part], intervals.get(part)) for part, test in row.tests.items()}


def verdict_of(row: Row, passed: Iterable[bool | None]) -> Verdict:
    """Return the verdict that a row's parts amount to; without parts nothing was measured. The module says how."""
    parts, published = list(passed), row.origin == "published"
    if not parts:
        return row.verdict if row.verdict in UNMEASURED else "not run"
    if row.universal and False in parts:
        return "refuted" if published else "fails"
    if None in parts:
        return "undecided"
    if all(parts):
        return row.best
    if any(parts):
        return "partly"
    return "not reproduced" if published else "fails"


def _by_part(row: Row, name: str, value: Any) -> dict[str, Any]:
    if not isinstance(row.test, Parts):
        return {"": value}
    if not isinstance(value, dict):
        raise ArgumentError(name, f"a dictionary from each part of {row.id} to its value", type(value).__name__)
    for part in value:
        if part not in row.test.parts:
            raise ArgumentError(
                name,
                f"parts of {row.id}: {', '.join(map(repr, row.test.parts))}",
                repr(part),
                nearest(str(part), list(row.test.parts)),
            )
    return value


def _plain(value: Any) -> Any:
    value = value.tolist() if hasattr(value, "tolist") else value
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _pair(name: str, pair: Any, measured: Any) -> Pair:
    if not isinstance(pair, list) or len(pair) != 2 or isinstance(measured, list):
        raise ArgumentError(name, "a pair (low, high) around one measured number", repr(pair))
    low, high = (require_number(name, end) for end in pair)
    if not low <= measured <= high:
        raise ArgumentError(name, f"low <= {measured} <= high", f"({low}, {high})")
    return low, high


def _no_interval(what: str, interval: Pair | None) -> None:
    if interval is not None:
        raise ArgumentError("interval", f"none for {what}", repr(interval))


def _name(argument: str, part: str) -> str:
    return f"{argument}[{part!r}]" if part else argument


def _explain(error: ValidationError) -> str:
    # Below "test", pydantic names the alternatives it tried on the way to a field; a reader knows only the field.
    tried = {"one", "parts", "value", "interval", "count", "inequality", "trend"}
    found = []
    for detail in error.errors():
        keys = [str(key) for key in detail["loc"] if detail["loc"][0] != "test" or key not in tried]
        found.append(f"{'.'.join(keys) or 'row'}: {detail['msg']}")
    return "; ".join(found)
