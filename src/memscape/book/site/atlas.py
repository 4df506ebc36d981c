"""The atlas of capacities: every answer of the book to "how much does it store", side by side.

``chapters/capacity/atlas.yml`` says which claims answer, to which question, and how a number of patterns or of bits
follows from what they measured. The numbers themselves are read from what the chapters store, so that none is typed.
"""

from __future__ import annotations

import html
import itertools
import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from docutils import nodes
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from memscape.arguments import ArgumentError, nearest
from memscape.book import claims, ledger, numbers, yml
from memscape.book.chapters import Chapter
from memscape.book.site.claims import badge
from memscape.book.site.directive import PageDirective
from memscape.book.site.plots import plot

if TYPE_CHECKING:
    import sympy
    from sphinx.application import Sphinx

FILE = "chapters/capacity/atlas.yml"
SIZE = 1000
"""The number of neurons for which bits a synapse are given where they depend on it."""

_HEADS = ("memory and law", "patterns", "bits a synapse", "found")
_COLOURS = (
    *("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"),
    *("#7b8794", "#a6761d", "#8a63d2", "#8f9a00", "#c2185b", "#00897b"),
)
_SIZES = (10, 10_000)  # neurons, from the left to the right of the figure
_TOP = 1e12  # patterns, the upper end of the figure
_POINTS = 61
_LARGE = 1e15  # patterns; beyond, only the order is printed
_Text = Annotated[str, Field(min_length=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Reference(_Strict):
    """A measured number of the ledger: the claim, the part of its test, and which of several numbers."""

    claim: _Text
    part: str = ""
    place: int = -1


class Entry(_Strict):
    """One capacity.

    Parameters
    ----------
    memory, family, law
        What is filled and how, in words; its row in the summary, if it has one; and the law in TeX.
    measures
        What the first of the values is and how it was found, in words: "counted over the law".
    values
        Numbers of the ledger by the letter under which they stand in the formulas.
    constants
        Symbols of the law, in TeX, whose values are shown beside it, with their letters.
    patterns
        How many patterns: a formula in N, the number of neurons, and the letters of ``values``.
    weights, error
        How many weights the rule sets, a formula in N; and the formula of the share of wrong bits. From them follow the
        bits told a synapse, P N [1 - H2(error)] / weights.
    bits
        The same as a formula of its own, where what was measured is bits already.
    sizes
        The numbers of neurons at which it was measured, or the parameter of the chapter that holds them; none for a
        limit.
    begins, ends
        From which and up to which number of neurons the law is continued.
    """

    memory: _Text
    family: str = ""
    law: _Text
    measures: _Text
    values: Annotated[dict[str, Reference], Field(min_length=1)]
    constants: dict[str, str] = {}
    patterns: str | None = None
    weights: str | None = None
    error: str = "0"
    bits: str | None = None
    sizes: str | list[int] = []
    begins: int = 1
    ends: int | None = None


class Group(_Strict):
    """A question, in full and as the head of a column, and the capacities that answer it."""

    question: _Text
    short: _Text
    entries: Annotated[list[Entry], Field(min_length=1)]


@dataclass(frozen=True)
class Filled:
    """An entry with the numbers that the ledger holds for it.

    Parameters
    ----------
    entry
        What stands in the file.
    outcome, shown
        The check of the first of its values, and that value as text, with its interval and what was expected.
    numbers
        The measured numbers by letter.
    sizes
        The numbers of neurons at which they were measured.
    """

    entry: Entry
    outcome: ledger.Outcome
    shown: str
    numbers: dict[str, float]
    sizes: list[int]

    def patterns(self, neurons: float) -> float:
        """Return how many patterns so many neurons hold; infinite beyond the largest float."""
        return _evaluated(self.entry.patterns or "nan", self.numbers | {"N": neurons})

    def bits(self) -> float | None:
        """Return the bits told a synapse, at `SIZE` neurons where they depend on it, or None where none are given."""
        if self.entry.bits:
            return _evaluated(self.entry.bits, self.numbers | {"N": SIZE})
        if self.entry.weights is None:
            return None
        patterns, error = self.patterns(SIZE), _evaluated(self.entry.error, self.numbers)
        told = 1 + sum(share * math.log2(share) for share in (error, 1 - error) if share)
        return patterns * SIZE * told / _evaluated(self.entry.weights, self.numbers | {"N": SIZE})

    def holds_at(self, neurons: float) -> bool:
        """Return whether the law is continued to so many neurons."""
        return self.entry.begins <= neurons <= (self.entry.ends or math.inf)


def read(root: Path) -> list[tuple[Group, list[Filled]]]:
    """Return the groups of the file, each with its entries filled from the ledger.

    Raises
    ------
    ArgumentError
        Naming the entry, where the file is not as it must be, a claim or a part is not in the ledger, a chapter stores
        no check of it, or a formula holds a letter that has no value.
    """
    raw = yml.read(root / FILE)
    outcomes = {row.id: (row, outcome) for row, outcome, _ in ledger.rows(root)}
    found = []
    for position, each in enumerate(raw if isinstance(raw, list) else []):
        try:
            group = Group.model_validate(each)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise ArgumentError(f"{FILE}: group {position + 1}: {where}", first["msg"], repr(first["input"])) from None
        found.append((group, [_filled(root, entry, outcomes) for entry in group.entries]))
    if not found:
        raise ArgumentError(FILE, "a list of questions", repr(raw))
    return found


def _filled(root: Path, entry: Entry, outcomes: dict[str, tuple[claims.Row, ledger.Outcome | None]]) -> Filled:
    taken = {letter: _taken(entry, reference, outcomes) for letter, reference in entry.values.items()}
    found = {letter: value for letter, (value, _, _) in taken.items()}
    for formula in filter(None, (entry.patterns, entry.weights, entry.error, entry.bits)):
        strange = {symbol.name for symbol in _formula(formula).free_symbols} - {"N", *found}
        if strange:
            raise ArgumentError(f"{FILE}: {entry.memory}", f"N, {', '.join(found)} in '{formula}'", min(strange))
    _, outcome, shown = next(iter(taken.values()))
    return Filled(entry, outcome, shown, found, _sizes(root, entry, outcome.row.chapter))


def _sizes(root: Path, entry: Entry, chapter: str) -> list[int]:
    if isinstance(entry.sizes, list):
        return entry.sizes
    declared = Chapter(root, chapter).parameters()
    if entry.sizes not in declared:
        raise ArgumentError(f"{FILE}: {entry.memory}", f"a parameter of {chapter}", entry.sizes)
    value = declared[entry.sizes].reference
    return value if isinstance(value, list) else [value]


def _taken(
    entry: Entry, reference: Reference, outcomes: dict[str, tuple[claims.Row, ledger.Outcome | None]]
) -> tuple[float, ledger.Outcome, str]:
    where = f"{FILE}: {entry.memory}"
    if reference.claim not in outcomes:
        raise ArgumentError(where, "a claim of the ledger", reference.claim, nearest(reference.claim, list(outcomes)))
    row, outcome = outcomes[reference.claim]
    if reference.part not in row.tests:
        expected = f"a part of {row.id}: {', '.join(map(repr, row.tests))}"
        raise ArgumentError(where, expected, repr(reference.part), nearest(reference.part, list(row.tests)))
    if outcome is None or not outcome.measured:
        raise ArgumentError(where, f"a measurement of {row.id}", f"none in {row.chapter}", "Execute the chapter.")
    test, value = row.tests[reference.part], outcome.measured[reference.part]
    if isinstance(value, list):
        number = value[reference.place]
        return number, outcome, numbers.measured(number)
    shown = test.show(value)
    if (pair := outcome.intervals.get(reference.part)) is not None:
        shown += f" [{test.show(pair[0])}, {test.show(pair[1])}]"
    return float(value), outcome, f"{shown}, expected {test}"


@cache
def _formula(text: str) -> sympy.Expr:
    import sympy

    # Single letters are numbers of ours, whatever they stand for elsewhere.
    return sympy.sympify(text, locals={letter: sympy.Symbol(letter) for letter in "abcdefghmnprstuvwxyzNP"})


def _evaluated(text: str, values: dict[str, float]) -> float:
    found = _formula(text).evalf(subs=values)
    return math.inf if found > 1e300 else float(found)


class _AtlasDirective(PageDirective):
    """What the directives of the page have in common: the file, read once a page."""

    def groups(self) -> list[tuple[Group, list[Filled]]]:
        """Return what `read` does."""
        self.reads(FILE, "claims/*.yml", "chapters/*/*.ipynb")
        if FILE not in self.env.temp_data:  # which Sphinx clears before every page
            self.env.temp_data[FILE] = read(self.root)
        return list(self.env.temp_data[FILE])


class Table(_AtlasDirective):
    """``{atlas} QUESTION``: a row a memory with law, patterns, bits a synapse and what was measured."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        """Write the table of one question."""
        groups = {group.question: entries for group, entries in self.groups()}
        question = self.arguments[0]
        if question not in groups:
            raise self.error(f"{question}: not a question of {FILE}. {nearest(question, list(groups))}".rstrip())
        rows = "".join(map(self._row, groups[question]))
        head = "".join(f'<th scope="col">{name}</th>' for name in _HEADS)
        table = f'<table class="atlas tex2jax_process mathjax_process"><thead><tr>{head}</tr></thead>'
        return [nodes.raw("", f"{table}<tbody>{rows}</tbody></table>", format="html")]

    def _row(self, filled: Filled) -> str:
        entry, row, bits = filled.entry, filled.outcome.row, filled.bits()
        link = f'<a href="{self.relative(f"chapters/{row.chapter}")}#claim-{row.id}">{row.id}</a>'
        law = ",\\ ".join(
            [entry.law, *(f"{symbol} = {filled.numbers[letter]:.3g}" for symbol, letter in entry.constants.items())]
        )
        cells = (
            f"{html.escape(entry.memory)}<br>\\({html.escape(law)}\\)",
            _patterns(filled),
            "" if bits is None else numbers.measured(bits, 3),
            f"{html.escape(entry.measures)}: {html.escape(filled.shown)} {link} {badge(filled.outcome.verdict)}",
        )
        named = zip(_HEADS, cells, strict=True)
        return "<tr>" + "".join(f'<td data-head="{name}">{cell}</td>' for name, cell in named) + "</tr>"


class Summary(_AtlasDirective):
    """``{atlas-summary}``: a row a question, a column a memory, and how many patterns `SIZE` neurons hold."""

    def run(self) -> list[nodes.Node]:
        """Write the table: the memories that have a family, and the questions that one of them answers."""
        cells = {
            group.short: {filled.entry.family: _patterns(filled) for filled in entries if filled.entry.family}
            for group, entries in self.groups()
        }
        families = list(dict.fromkeys(family for found in cells.values() for family in found))
        return self.parse(
            f"|  | {' | '.join(families)} |",
            f"|:--|{'--:|' * len(families)}",
            *(
                f"| {short} | {' | '.join(found.get(family, '') for family in families)} |"
                for short, found in cells.items()
                if found
            ),
        )


def _patterns(filled: Filled) -> str:
    """Return how many patterns `SIZE` neurons hold as text, or so many as the law goes up to; nothing without a law.

    Three digits, and whole; of an exponential number the order alone, since its exponent is known to three digits.
    """
    if filled.entry.patterns is None:
        return ""
    size = SIZE if filled.holds_at(SIZE) else filled.entry.ends or filled.entry.begins
    number = filled.patterns(size)
    at = "" if size == SIZE else f" at {numbers.exact(size)} neurons"
    if number > _LARGE:
        return f"about {numbers.measured(10.0 ** round(math.log10(number)))}{at}"
    digits = 3 if number >= 100 and size == SIZE else len(str(round(number)))
    return numbers.measured(number, digits) + at


class Chart(_AtlasDirective):
    """``{atlas-chart}``: the number of patterns against the number of neurons, one line a memory."""

    def run(self) -> list[nodes.Node]:
        """Write an interactive figure; the table is its text alternative."""
        figure = chart(self.groups())
        alt = "Patterns against neurons, on logarithmic axes, a line a memory; the tables below say the same in words."
        return [plot(spec=json.dumps(figure, separators=(",", ":")), alt=alt)]


def chart(groups: list[tuple[Group, list[Filled]]]) -> dict[str, Any]:
    """Return the figure's specification: thin where a law is continued, bold between the sizes that were measured."""
    import plotly.graph_objects as go

    from memscape.book import figures

    low, high = _SIZES
    grid = [low * (high / low) ** (step / (_POINTS - 1)) for step in range(_POINTS)]
    figure = go.Figure()
    for colour, (group, entries) in zip(itertools.cycle(_COLOURS), groups, strict=False):
        drawn = [filled for filled in entries if filled.entry.patterns is not None]
        for filled in drawn:
            bold = _within(filled, grid)
            thin = [size for size in grid if filled.holds_at(size)]
            for sizes, width in ((thin, 1.5), *([(bold, 5)] if bold else [])):
                kept = [(n, y) for n in sizes if 1 <= (y := filled.patterns(n)) <= _TOP]
                if not kept:
                    continue
                figure.add_scatter(
                    x=[n for n, _ in kept],
                    y=[y for _, y in kept],
                    mode="lines" if len(kept) > 1 else "markers",
                    line={"color": colour, "width": width},
                    marker={"color": colour, "size": 9},
                    name=group.question,
                    legendgroup=group.question,
                    showlegend=width < 2 and filled is drawn[0],
                    hovertemplate=f"<b>{filled.entry.memory}</b><br>{group.question}<br>"
                    "%{x:,.0f} neurons: %{y:.3~g} patterns<br>"
                    f"{filled.entry.measures}: {filled.shown}<extra></extra>",
                )
    figure.update_layout(
        height=640,
        xaxis={"type": "log", "title": "neurons", "dtick": 1},
        yaxis={"type": "log", "title": "patterns", "dtick": 2, "exponentformat": "power"},
        # On a phone its lines stand one below the other, and all of them must be seen.
        legend={"y": -0.3, "yanchor": "top", "maxheight": 1.0, "font": {"size": 11}},
    )
    return dict(json.loads(figures.interactive(figure).to_json()))


def _within(filled: Filled, grid: list[float]) -> list[float]:
    """Return the sizes at which an entry was measured, with those of the grid between them, within the figure."""
    if not filled.sizes:
        return []
    low, high = max(min(filled.sizes), _SIZES[0]), min(max(filled.sizes), _SIZES[1])
    return sorted({float(low), float(high), *(size for size in grid if low < size < high)})


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("atlas", Table)
    app.add_directive("atlas-summary", Summary)
    app.add_directive("atlas-chart", Chart)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
