"""Stored figures at other places of the site, and pictures that are light to load.

A chapter opens with its question and its best picture: the cell tagged ``opening`` is copied to the place under the
first cell. ``{picture} memory/hopfield fig-hopfield-two`` shows a figure of a chapter on another page.
"""

from __future__ import annotations

import base64
import copy
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from PIL import Image
from sphinx.transforms.post_transforms.images import ImageConverter

from memscape.book.chapters import Chapter, code_cells
from memscape.book.site.directive import PageDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

OPENING = "opening"
"""The tag of the cell whose picture stands above the words."""

_LIGHT = 60_000  # bytes; below, another format saves nothing that a reader would notice
_QUALITY = 90
_SIZES = re.compile(r'style="width: (\d+)px; height: (\d+)px;"')  # as docutils writes them


def opened(notebook: dict[str, Any]) -> dict[str, Any]:
    """Return a notebook as its page shows it: with a copy of the opening picture under the first cell.

    The copy has neither code nor number nor caption; the figure itself stays where the text speaks of it.
    """
    for cell in notebook["cells"]:
        if OPENING in cell["metadata"].get("tags", []):
            first = copy.deepcopy(cell)
            first["metadata"] = {
                "tags": ["remove-input"],
                "mystnb": {"image": cell["metadata"].get("mystnb", {}).get("image", {})},
            }
            first["outputs"] = [output for output in first["outputs"] if is_picture(output)]
            if "id" in first:
                first["id"] = "opening-picture"
            return {**notebook, "cells": [notebook["cells"][0], first, *notebook["cells"][1:]]}
    return notebook


def is_picture(output: dict[str, Any]) -> bool:
    """Whether an output of a cell can be seen: a picture or a plot."""
    return any(kind.startswith(("image/", "application/vnd.plotly")) for kind in output.get("data", {}))


class Picture(PageDirective):
    """``{picture} memory/hopfield fig-hopfield-two``: a stored figure of a chapter, as a link to where it stands."""

    required_arguments = 2

    def run(self) -> list[nodes.Node]:
        """Write the picture with the text alternative that its cell gives."""
        name, label = self.arguments
        chapter = Chapter(self.root, name)
        self.env.note_dependency(str(chapter.path))
        for cell in code_cells(chapter.read()):
            shown = cell.metadata.get("mystnb", {})
            if shown.get("figure", {}).get("name") == label:
                for output in cell.outputs:
                    for kind in ("image/png", "image/webp"):
                        if kind in output.get("data", {}):
                            size = {side: f"{px}px" for side, px in output.metadata.get(kind, {}).items()}
                            more = {"alt": shown["image"]["alt"], **size}
                            return [self._node(name, label, output["data"][kind], kind, more)]
        raise self.error(f"{name} stores no picture called {label}")

    def _node(self, chapter: str, label: str, data: str, kind: str, more: dict[str, str]) -> nodes.Node:
        content = base64.b64decode(data)
        folder = Path(self.env.doctreedir).parent / "pictures"
        path = folder / f"{sha256(content).hexdigest()[:16]}.{kind.partition('/')[2]}"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        image = nodes.image(uri=f"/{os.path.relpath(path, self.root)}", **more)
        target = f"{self.relative(f'chapters/{chapter}')}#{label}"
        return nodes.reference("", "", image, refuri=target, internal=True, classes=["picture-link"])


class Lighter(ImageConverter):
    """Turn PNG pictures into WebP, which every browser of the last years reads, at a third of the bytes."""

    default_priority = 190  # after the images are collected and before the builder copies them
    conversion_rules = [("image/png", "image/webp")]  # noqa: RUF012

    def match(self, node: nodes.image) -> bool:
        """Whether a picture is a PNG that weighs something, on its way to a web page."""
        if self.app.builder.format != "html" or "image/png" not in self.guess_mimetypes(node):
            return False
        path = self.app.srcdir / node["uri"]
        return path.is_file() and path.stat().st_size > _LIGHT

    def get_conversion_rule(self, node: nodes.image) -> tuple[str, str]:
        """From PNG to WebP, though a builder can show both."""
        return self.conversion_rules[0]

    def convert(self, _from: str, _to: str) -> bool:
        """Write the WebP, and say whether it is the smaller of the two."""
        with Image.open(_from) as picture:
            picture.save(_to, "WEBP", quality=_QUALITY)
        return Path(_to).stat().st_size < Path(_from).stat().st_size


def _patient(app: Sphinx, doctree: nodes.document, _docname: str) -> None:
    """Have all pictures but the first of a page loaded when they come into view."""
    if app.builder.format == "html":
        for image in list(doctree.findall(nodes.image))[1:]:
            image["loading"] = "lazy"


def _sized(_app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: nodes.document | None) -> None:
    """Give the sizes of pictures as attributes, from which a browser knows their shape before it has loaded them."""
    if "body" in context:
        context["body"] = _SIZES.sub(r'width="\1" height="\2"', context["body"])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and the transform."""
    app.add_directive("picture", Picture)
    app.add_post_transform(Lighter)
    app.connect("doctree-resolved", _patient)
    app.connect("html-page-context", _sized)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
