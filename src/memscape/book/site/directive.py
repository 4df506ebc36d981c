"""What the directives of the site share: they read the book's files and write MyST, which the page then parses."""

from __future__ import annotations

from pathlib import Path

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective


class PageDirective(SphinxDirective):
    """A directive whose content is computed at build time."""

    @property
    def root(self) -> Path:
        """The root of the book, from which ``jupyter-book build .`` reads."""
        return Path(self.env.srcdir)

    def reads(self, *patterns: str) -> None:
        """Have the page rebuilt when one of the book's files that match changes."""
        for pattern in patterns:
            for path in sorted(self.root.glob(pattern)):
                self.env.note_dependency(str(path))

    def relative(self, docname: str) -> str:
        """Return the address of another page of the book as seen from this one."""
        return self.env.app.builder.get_relative_uri(self.env.docname, docname)

    def parse(self, *lines: str) -> list[nodes.Node]:
        """Parse lines of MyST at this place of the page."""
        parent = nodes.Element()
        parent.document = self.state.document
        source, _ = self.get_source_info()
        self.state.nested_parse(
            StringList([part for line in lines for part in line.split("\n")], source),
            self.content_offset,
            parent,
            match_titles=True,
        )
        return parent.children
