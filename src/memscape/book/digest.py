"""Provenance: what a chapter's stored outputs came from, and whether that has changed since.

Executing a chapter stamps its metadata with one hash for each thing the outputs depend on: its code cells, every module
of the package it reaches, the data it reads, the lock of the environment, and its own rows of the ledger. A chapter is
stale when one of them has changed, and because the hashes are kept apart the stamp can say which.

The outputs themselves are stamped, too: what was cleared or edited since is not what the run gave.

Prose does not count. Text cells are left out, and a module is hashed without comments and docstrings, so that a
better explanation never costs a run.
"""

from __future__ import annotations

import ast
import bisect
import functools
import hashlib
import itertools
import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grimp

import memscape
from memscape.arguments import ArgumentError
from memscape.book import chapters, claims
from memscape.book.chapters import Chapter

if TYPE_CHECKING:
    from nbformat import NotebookNode

Digest = dict[str, Any]
"""Hashes by component: one each under ``cells`` and ``lock``; by name under ``modules``, ``data`` and ``claims``."""

# A triple quote before a single one, and a comment only where no string has begun. Within the braces of an f-string
# Python 3.11, the oldest that the package serves, takes neither the quotes around it nor a comment.
_STRING_OR_COMMENT = re.compile(
    r"""\"{3}(?:[^\\]|\\.)*?\"{3}|'{3}(?:[^\\]|\\.)*?'{3}|"(?:[^\\"]|\\.)*"|'(?:[^\\']|\\.)*'|\#[^\n]*""", re.DOTALL
)

_LEAVES = (ast.Constant, ast.Name, ast.expr_context, ast.operator, ast.unaryop, ast.cmpop, ast.alias)

_DATA = {  # the module that reads the files, and where they or their sums are
    "memscape.book.data": "data/*/SHA256SUMS",
    "memscape.book.tables": "results/desk/sweeps/*/table.parquet",
}


@dataclass(frozen=True)
class Shared:
    """What the digests of several chapters have in common, each read once, when it is first asked for.

    It stands for one moment: whoever wants to see a later change makes a new one.
    """

    home: Path

    @cached_property
    def imports(self) -> grimp.ImportGraph:
        """Who imports whom in the package."""
        return grimp.build_graph("memscape", exclude_type_checking_imports=True, cache_dir=None)

    @cached_property
    def claims(self) -> dict[str, list[claims.Row]]:
        """The rows of the ledger by chapter."""
        found: dict[str, list[claims.Row]] = {}
        for row in claims.load(self.home).values():
            found.setdefault(row.chapter, []).append(row)
        return found

    @cached_property
    def lock(self) -> str:
        """The hash of the locked environment."""
        return _hash(_lock(self.home))


def of(chapter: Chapter, notebook: NotebookNode | None = None, shared: Shared | None = None) -> Digest:
    """Return the digest of a chapter as it stands now.

    Parameters
    ----------
    chapter
        The chapter.
    notebook
        Its notebook, where that is at hand; by default the committed one.
    shared
        What other digests of the same book need too, to save the work; by default it is read anew.
    """
    notebook = chapter.read() if notebook is None else notebook
    shared = Shared(chapter.home) if shared is None else shared
    sources = [cell.source for cell in chapters.code_cells(notebook)]
    modules = reached("\n".join(sources), chapter.name, shared.imports)
    rows = shared.claims.get(chapter.name, [])
    data = [path for module, pattern in _DATA.items() if module in modules for path in chapter.home.glob(pattern)]
    # A claim too large for a desk is judged by the result that a larger run has stored for it.
    data += [path for row in rows if (path := chapter.home / "results" / row.profile / f"{row.id}.json").is_file()]
    return {
        "cells": _hash("\0".join(sources).encode()),
        "modules": {module: _hash(code_only(_source(module))) for module in modules},
        "data": {path.relative_to(chapter.home).as_posix(): _hash(_content(path)) for path in sorted(data)},
        "lock": shared.lock,
        "claims": {row.id: _hash(json.dumps(row.model_dump(), sort_keys=True).encode()) for row in rows},
    }


def changes(then: Digest | None, now: Digest) -> list[str]:
    """Return what makes a chapter stale, one phrase for each component that changed; nothing where it is fresh."""
    if not then:
        return ["never executed"]
    found = []
    for key, label in (("cells", "code cells"), ("lock", "locked environment")):
        if then.get(key) != now[key]:
            found.append(f"{label} changed")
    for key, label in (("modules", ""), ("data", ""), ("claims", "claim ")):
        before, after = then.get(key, {}), now[key]
        for name in sorted(before.keys() | after.keys()):
            if before.get(name) != after.get(name):
                verb = "changed" if name in before and name in after else "added" if name in after else "removed"
                found.append(f"{label}{name} {verb}")
    return found


def stale(chapter: Chapter, shared: Shared | None = None) -> list[str]:
    """Return why the committed outputs of a chapter are out of date; nothing where they are fresh."""
    notebook = chapter.read(checked=False)
    stamp = chapters.stamp(notebook)
    found = changes(stamp.get("digest"), of(chapter, notebook, shared))
    if stamp.get("digest") and stamp.get("outputs") != outputs(notebook):
        shown = any(cell.outputs for cell in chapters.code_cells(notebook))
        edited = "outputs edited" if "outputs" in stamp else "outputs not stamped"
        found.append(edited if shown or "outputs" not in stamp else "outputs cleared")
    return found


def outputs(notebook: NotebookNode) -> str:
    """Return the hash of what the cells of a notebook have put out, whatever counts they bear."""
    found = {
        cell.get("id", number): [{key: each[key] for key in each if key != "execution_count"} for each in cell.outputs]
        for number, cell in enumerate(chapters.code_cells(notebook))
        if cell.outputs
    }
    return _hash(json.dumps(found, sort_keys=True).encode())


def all_stale(pages: Sequence[Chapter]) -> Iterator[tuple[Chapter, list[str]]]:
    """Yield each chapter with why it is out of date; what they share is read once, however many they are."""
    shared = {page.home: Shared(page.home) for page in pages}
    for page in pages:
        yield page, stale(page, shared[page.home])


def reached(source: str, name: str, graph: grimp.ImportGraph | None = None) -> list[str]:
    """Return the modules of the package that a chapter's code reaches, directly or through others, sorted."""
    graph = Shared(Path()).imports if graph is None else graph
    found: set[str] = set()
    frontier = _named(source, name, graph.modules)
    while frontier:
        found |= frontier
        # Importing a module runs the packages it lies in and whatever it imports itself.
        steps = {target for module in frontier for target in graph.find_modules_directly_imported_by(module)}
        steps |= {module.rpartition(".")[0] for module in frontier if "." in module}
        frontier = steps - found
    return sorted(found)


@functools.lru_cache(maxsize=512)  # chapters share most of their modules
def code_only(source: str) -> bytes:
    """Return a module's source without comments, docstrings, blank lines and trailing blanks.

    Both are cut out by position, and what is left is the text as written: unlike a dump of the syntax tree it does
    not change from one Python to the next.
    """
    text = source.split("\n")
    lines = [line.encode() for line in text]
    begins = list(itertools.accumulate((len(line) + 1 for line in text), initial=0))
    literal: set[int] = set()  # lines that end inside a string, where blanks count
    for match in _STRING_OR_COMMENT.finditer(source):
        row = bisect.bisect_right(begins, match.start()) - 1
        if match[0].startswith("#"):
            lines[row] = text[row][: match.start() - begins[row]].encode()
        else:
            literal.update(range(row, row + match[0].count("\n")))
    for prose in _prose(ast.parse(source)):
        first, last = prose.lineno - 1, _end(prose) - 1
        before, after = lines[first][: prose.col_offset], lines[last][prose.end_col_offset :]
        lines[first : last + 1] = [before + b" " + after, *[b""] * (last - first)]
        literal.difference_update(range(first, last))
    return b"\n".join(
        line if row in literal else line.rstrip() for row, line in enumerate(lines) if row in literal or line.strip()
    )


def _prose(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield each string that stands as a statement and has no effect: the docstring of a module, a function, ..."""
    blocks: list[Any] = [tree]
    while blocks:
        block = blocks.pop()
        for name in ("body", "orelse", "finalbody", "handlers", "cases"):  # statements lie in no other field
            blocks += getattr(block, name, [])
        if isinstance(block, ast.Expr) and isinstance(block.value, ast.Constant) and isinstance(block.value.value, str):
            yield block.value


def _end(node: ast.expr) -> int:
    return node.lineno if node.end_lineno is None else node.end_lineno


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree that may lie above others, as `ast.walk` does for all in three times the time."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list):
                waiting += [each for each in value if isinstance(each, ast.AST) and not isinstance(each, _LEAVES)]
            elif isinstance(value, ast.AST) and not isinstance(value, _LEAVES):
                waiting.append(value)


def _named(source: str, name: str, modules: set[str]) -> set[str]:
    """Return the modules that a chapter's code imports, or takes as attributes of an imported package."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ArgumentError(name, "code cells of plain Python", f"{error.msg}: {error.text}".strip()) from None
    bound: dict[str, str] = {}  # what a name stands for in the code
    named: set[str] = set()
    attributes: list[ast.Attribute] = []
    for node in _nodes(tree):
        if isinstance(node, ast.Attribute):
            attributes.append(node)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                bound[alias.asname or alias.name.partition(".")[0]] = (
                    alias.name if alias.asname else alias.name.partition(".")[0]
                )
                named.add(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            bound |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
            named |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    # A package hands out its parts when asked: after `from memscape import book`, book.data is memscape.book.data.
    for attribute in attributes:
        path: list[str] = []
        root: ast.expr = attribute
        while isinstance(root, ast.Attribute):
            path.append(root.attr)
            root = root.value
        if isinstance(root, ast.Name):
            named.add(".".join([bound.get(root.id, root.id), *reversed(path)]))
    return named & modules


def _package() -> Path:
    return Path(memscape.__path__[0])


def _source(module: str) -> str:
    stem = _package().joinpath(*module.split(".")[1:])
    return (stem / "__init__.py" if stem.is_dir() else stem.with_suffix(".py")).read_text(encoding="utf-8")


def _lock(home: Path) -> bytes:
    # torch stands apart from the lock: its build is the reader's choice, its version is pinned in pyproject.toml.
    project = tomllib.loads((home / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    torch = [requirement for requirement in project.get("dependencies", []) if requirement.startswith("torch")]
    lock = home / "requirements.lock"
    lines = lock.read_text(encoding="utf-8").splitlines() if lock.exists() else []
    # The comments of the lock say who asked for a package; what is installed does not hang on that.
    return "\n".join([line for line in lines if not line.lstrip().startswith("#")] + torch).encode()


def _content(path: Path) -> bytes:
    # Git or an editor may have turned the line ends of a text; those of a table are numbers.
    content = path.read_bytes()
    return content if path.suffix == ".parquet" else content.replace(b"\r\n", b"\n")


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
