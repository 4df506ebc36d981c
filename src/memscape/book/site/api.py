"""The reference pages: every public module of the library, read from its sources and never imported."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from astroid.exceptions import AstroidImportError
from astroid.manager import AstroidManager
from docutils import nodes

from memscape.book.site.directive import PageDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def members(module: Any) -> list[str]:
    """Return the names that a module, as sphinx-autoapi has read it, defines and documents."""
    return [
        child.short_name
        for child in module.children
        if child.docstring and not child.imported and not child.short_name.startswith("_")
    ]


class Api(PageDirective):
    """``{api} memscape.memory.dense``: what a module says of itself, and its public classes and functions."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the reference; a module that changes rebuilds the page."""
        name = self.arguments[0]
        module = self.env.autoapi_objects.get(name)  # type: ignore[attr-defined]
        if module is None:
            raise self.error(f"there is no module {name!r}")
        self.env.note_dependency(module.obj["file_path"])
        return self.parse(
            "```{eval-rst}",
            f".. autoapimodule:: {name}",
            f"   :members: {', '.join(members(module))}",
            "   :member-order: bysource",
            "```",
        )


class ApiIndex(PageDirective):
    """``{api-index} memscape.memory``: a table of the public modules of a package, with what each is for."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Write the table."""
        package = self.arguments[0]
        lines = ["| module | what it is for |", "|---|---|"]
        for name, module in sorted(self.env.autoapi_objects.items()):  # type: ignore[attr-defined]
            if name.startswith(f"{package}.") and members(module) and "._" not in name:
                self.env.note_dependency(module.obj["file_path"])
                short = name.removeprefix("memscape.")
                lines.append(f"| {{py:mod}}`{short} <{name}>` | {_summary(module)} |")
        return self.parse(*lines)


def _summary(module: Any) -> str:
    """Return the first paragraph of a module's docstring, on one line."""
    return " ".join(module.docstring.strip().split("\n\n")[0].split())


def _skip(_app: Sphinx, _what: str, _name: str, member: Any, skip: bool, _options: Any) -> bool | None:
    """Leave out fields without a text of their own: their class describes them."""
    return True if getattr(member, "docstring", None) == "" else None


def _keep_docstrings_of_fields(app: Sphinx) -> None:
    """Undo what napoleon does to "The limit: nothing is stored above it", which it takes for a type and a text."""
    before: dict[str, list[str]] = {}

    def keep(_app: Sphinx, what: str, name: str, _member: Any, _options: Any, lines: list[str]) -> None:
        if what in ("attribute", "data", "property"):
            before[name] = list(lines)

    def restore(_app: Sphinx, _what: str, name: str, _member: Any, _options: Any, lines: list[str]) -> None:
        original = before.pop(name, lines)
        if any(line.startswith(":type:") for line in lines):
            lines[:] = original

    app.connect("autodoc-process-docstring", keep, priority=400)
    app.connect("autodoc-process-docstring", restore, priority=600)


@contextmanager
def _without_imports() -> Iterator[None]:
    """Keep astroid, which reads the sources, from following our imports into torch and numpy.

    It would parse two thousand of their modules, half of the time of a build, for the inheritance of a few classes.
    """
    follow = AstroidManager.ast_from_module_name

    def stay(self: AstroidManager, modname: str | None, *args: Any, **options: Any) -> Any:
        if modname is None or modname.partition(".")[0] not in ("memscape", "builtins"):
            raise AstroidImportError(f"{modname} is not read", modname=modname)
        return follow(self, modname, *args, **options)

    AstroidManager.ast_from_module_name = stay
    try:
        yield
    finally:
        AstroidManager.ast_from_module_name = follow


def _let_drafts_go(_app: Sphinx, page: nodes.document) -> None:
    """Make each node the page's own.

    What was parsed for itself remembers the draft that it was parsed in, and through it the whole environment of the
    build: eight megabytes in the stored form of each page, which is read and written several times.
    """
    for node in page.findall():
        node.document = page


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the two directives."""
    app.add_directive("api", Api)
    app.add_directive("api-index", ApiIndex)
    app.connect("autodoc-skip-member", _skip)
    app.connect("doctree-read", _let_drafts_go)
    _keep_docstrings_of_fields(app)
    # sphinx-autoapi reads the sources at the same event, with the priority in between.
    reading = ExitStack()
    app.connect("builder-inited", lambda _app: reading.enter_context(_without_imports()), priority=400)
    app.connect("builder-inited", lambda _app: reading.close(), priority=600)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
