"""The ledger on the site: its page, the two tallies and the findings on the landing page, and links to single claims.

Everything is computed from ``claims/*.yml`` and from what the executed chapters store, so that none of it can be stale.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

from memscape.arguments import nearest
from memscape.book import claims, ledger
from memscape.book.chapters import Chapter
from memscape.book.site.directive import PageDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

LEDGER = "chapters/ledger"
PARTS = ("memory", "capacity", "polytopes", "homotopy", "categorical")
"""The parts in the order of the book."""

_SOURCES = ("claims/*.yml", "chapters/*/*.ipynb", "chapters/references.bib")
_SHOWN = claims.SAID | {"ours": "this book", "unverified": "not read"}
_LOG = logging.getLogger(__name__)


def by_id(root: Path) -> Mapping[str, claims.Row]:
    """Return the ledger by id, read once for as long as its files stay as they are.

    A page may name fifty rows, and to read them all takes the better part of a second.
    """
    files = sorted((root / "claims").glob("*.yml"))
    return _read(root, tuple((path, path.stat().st_mtime_ns) for path in files))


@lru_cache(maxsize=1)
def _read(root: Path, _files: tuple[tuple[Path, int], ...]) -> Mapping[str, claims.Row]:
    return claims.load(root)


def badge(verdict: str) -> str:
    """Return the HTML of a verdict as it is shown everywhere: a word, with a colour that is not needed to read it."""
    return f'<span class="verdict" data-verdict="{verdict}">{html.escape(verdict)}</span>'


def command(row: claims.Row) -> str:
    """Return the command that computes a claim again."""
    return f"memscape run {row.chapter}" + ("" if row.profile == "desk" else f" --profile {row.profile}")


class LedgerPage(PageDirective):
    """``{ledger}``: every claim with its verdict, its test and what was measured, under filters.

    Published results stand under their source, questions of this book under the chapter that asks. Groups are closed
    until a reader opens one or filters.
    """

    def run(self) -> list[nodes.Node]:
        """Write the filters and the groups, in the order of the book."""
        self.reads(*_SOURCES)
        entries = sorted(ledger.rows(self.root), key=lambda each: PARTS.index(_part(each[0])))
        found: list[nodes.Node] = [_html(_filters([row for row, _, _ in entries]))]
        groups: dict[tuple[claims.Origin, str], list[tuple[claims.Row, ledger.Outcome]]] = {}
        for row, outcome, _ in entries:
            if outcome is None:
                _LOG.warning("%s stores no check of %s: execute it", row.chapter, row.id, location=self.get_location())
                continue
            key = row.source if row.origin == "published" and row.source else row.chapter
            groups.setdefault((row.origin, key), []).append((row, outcome))
        for origin, heading in zip(claims.ORIGINS, ("Published results", "Questions of this book"), strict=True):
            groups_of = f'<div class="ledger-groups" data-origin="{origin}">'
            found.append(_html(f'<p class="ledger-heading">{heading}</p>{groups_of}'))
            for (of, key), members in groups.items():
                if of == origin:
                    found += self._group(key, members)
            found.append(_html("</div>"))
        return [*found, _html('<div class="ledger-flat"></div><p class="ledger-none" hidden>No claim matches.</p>')]

    def _group(self, key: str, members: list[tuple[claims.Row, ledger.Outcome]]) -> list[nodes.Node]:
        first = members[0][0]
        name = ledger.label(self.root, key) if first.origin == "published" else self._title(first.chapter)
        verdicts = Counter(outcome.verdict for _, outcome in members)
        badges = " ".join(
            f'<span class="verdict" data-verdict="{verdict}" title="{verdict}">{verdicts[verdict]}'
            f'<span class="visually-hidden"> {verdict}</span></span>'
            for verdict in claims.VERDICTS
            if verdicts[verdict]
        )
        summary = f"<summary><span>{html.escape(name)}</span> <span>{badges}</span></summary>"
        found = [_html(f'<details class="ledger-group" data-name="{html.escape(name)}">{summary}')]
        for row, outcome in members:
            found += self._entry(row, outcome)
        return [*found, _html("</details>")]

    def _entry(self, row: claims.Row, outcome: ledger.Outcome) -> list[nodes.Node]:
        target = f"{self.relative(f'chapters/{row.chapter}')}#claim-{row.id}"
        return [
            _html(
                f'<div class="ledger-row" data-verdict="{outcome.verdict}" data-origin="{row.origin}" '
                f'data-known="{_known(row)}" data-part="{_part(row)}" data-profile="{row.profile}">'
                f"{outcome.html(ledger.label(self.root, row.source))}"
                f'<div class="claim-foot"><p><a href="{target}">Where it is computed</a>'
            ),
            *(self.parse(f"· {{cite:t}}`{row.source}`")[0].children if row.source else []),
            _html("</p>"),
            *self.parse(f"```bash\n{command(row)}\n```"),
            _html("</div></div>"),
        ]

    def _title(self, chapter: str) -> str:
        """Return the title of a chapter: the first line of its notebook."""
        source = Chapter(self.root, chapter).read(checked=False).cells[0].source
        return source.partition("\n")[0].removeprefix("# ")


def _part(row: claims.Row) -> str:
    return row.chapter.partition("/")[0]


def _known(row: claims.Row) -> str:
    return row.published.known if row.published else ""


def _filters(rows: list[claims.Row]) -> str:
    def select(name: str, label: str, values: Iterable[str], first: str = "all") -> str:
        options = "".join(f'<option value="{value}">{_SHOWN.get(value, value)}</option>' for value in values)
        return f'<label>{label} <select name="{name}"><option value="">{first}</option>{options}</select></label>'

    verdicts = [verdict for verdict in claims.VERDICTS if any(row.verdict == verdict for row in rows)]
    return (
        '<form class="ledger-filters pst-js-only" role="search" aria-label="Filter the claims">'
        + select(
            "origin", "Who says it", [origin for origin in claims.ORIGINS if any(r.origin == origin for r in rows)]
        )
        + select("verdict", "Verdict", verdicts)
        + select("known", "How known", [known for known in claims.KNOWN if known in set(map(_known, rows))])
        + select("part", "Part", list(dict.fromkeys(map(_part, rows))))
        + select("profile", "Profile", list(dict.fromkeys(row.profile for row in rows)))
        + select("order", "Order", ["by year", "by verdict", "by id"], first="by source")
        + '<label>Text <input type="search" name="text" placeholder="id, source, word"></label>'
        '<output class="ledger-count" aria-live="polite"></output></form>'
    )


class Summary(PageDirective):
    """``{ledger-summary}``: how the ledger stands, published results and our own questions apart.

    Every figure is a link to the ledger under that filter.
    """

    def run(self) -> list[nodes.Node]:
        """Write one figure a verdict in each of the two tallies, and say how many regression checks there are."""
        self.reads("claims/*.yml")
        found = ledger.tally(by_id(self.root).values())
        rest = (
            f'<p class="tally-rest">Numbers pinned from earlier runs of this book: {found.pinned}. They are regression '
            f"checks, which say only that nothing has changed. Rows that hold nothing else, counted in neither tally: "
            f"{found.regression}.</p>"
        )
        return [
            _html(self._tally("published", "Published results", found.published)),
            _html(self._tally("ours", "Questions of this book", found.ours)),
            *([_html(rest)] if found.pinned else []),
        ]

    def _tally(self, origin: str, heading: str, counts: dict[claims.Verdict, int]) -> str:
        target = self.relative(LEDGER)
        items = [
            f'<a class="tally" data-verdict="{verdict}" '
            f'href="{target}?origin={origin}&amp;verdict={verdict.replace(" ", "+")}">'
            f"<strong>{count}</strong> <span>{verdict}</span></a>"
            for verdict, count in counts.items()
            if count
        ]
        if not items:
            return ""
        return f'<p class="tally-heading">{sum(counts.values())} {heading}</p><p class="tallies">{"".join(items)}</p>'


class Finding(PageDirective):
    """``{finding} KH16-3 memory/dense fig-dense-ladder``: a claim in plain words, beside a figure of its chapter."""

    required_arguments = 3
    has_content = True

    def run(self) -> list[nodes.Node]:
        """Write the picture, the words, and under them the verdict and who says it."""
        self.reads("claims/*.yml")
        claim, *figure = self.arguments
        rows = by_id(self.root)
        if claim not in rows:
            raise self.error(f"{claim}: not a claim of the ledger. {nearest(claim, list(rows))}".rstrip())
        row = rows[claim]
        who = "" if row.origin == "published" else "our question, about " if row.source else "our question"
        return self.parse(
            ":::::{div} finding",
            f"```{{picture}} {' '.join(figure)}\n```",
            "::::{div} finding-words",
            *self.content,
            "",
            f"{{verdict}}`{row.verdict}` {{claim}}`{row.id}` · {who}"
            + (f"{{cite:t}}`{row.source}`\n" if row.source else "\n"),
            "::::",
            ":::::",
        )


class Unprinted(PageDirective):
    """``{unprinted}``: what rows of ours show and we have not seen in print, in the order of the book."""

    def run(self) -> list[nodes.Node]:
        """Write a list of sentences, each with the link to its claim."""
        self.reads("claims/*.yml")
        rows = [row for row in by_id(self.root).values() if row.unprinted]
        return self.parse(
            *(
                f"* {' '.join(str(row.unprinted).split())} {{verdict}}`{row.verdict}` {{claim}}`{row.id}`"
                for row in sorted(rows, key=lambda row: PARTS.index(_part(row)))
            )
        )


class ClaimRole(SphinxRole):
    """``{claim}`AGS-1```: a link to the claim's entry on the ledger page."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the link, or a warning for an id that the ledger does not hold."""
        if self.text not in by_id(Path(self.env.srcdir)):
            _LOG.warning("%s: not a claim of the ledger", self.text, location=self.get_location())
        uri = f"{self.env.app.builder.get_relative_uri(self.env.docname, LEDGER)}#claim-{self.text}"
        return [nodes.reference(self.rawtext, self.text, refuri=uri, internal=True, classes=["claim-link"])], []


class VerdictRole(SphinxRole):
    """``{verdict}`partly```: a verdict as a badge."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return the badge, or a warning for a word that is no verdict."""
        if self.text not in claims.VERDICTS:
            _LOG.warning("%r: not a verdict", self.text, location=self.get_location())
        return [_html(badge(self.text))], []


def _html(text: str) -> nodes.raw:
    return nodes.raw("", text, format="html")


def _load_mathjax(app: Sphinx, document: nodes.document) -> None:
    """Have MathJax loaded where a stored row holds formulas: Sphinx notices those in MyST, but not those in HTML."""
    if any("tex2jax_process" in raw.astext() for raw in document.findall(nodes.raw)):
        app.env.domaindata["math"]["has_equations"][app.env.docname] = True


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives and roles."""
    app.add_directive("ledger", LedgerPage)
    app.add_directive("ledger-summary", Summary)
    app.add_directive("finding", Finding)
    app.add_directive("unprinted", Unprinted)
    app.connect("doctree-read", _load_mathjax)
    app.add_role("claim", ClaimRole())
    app.add_role("verdict", VerdictRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
