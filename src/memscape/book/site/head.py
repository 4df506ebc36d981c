"""What other sites and readers of feeds are told of a page: a description, a picture, an icon."""

from __future__ import annotations

import html
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

LENGTH = 200
"""Letters of a description that a search page shows."""


def description(doctree: nodes.document) -> str:
    """Return the first sentences of a page, cut at a word."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 60:
            return text if len(text) <= LENGTH else text[:LENGTH].rsplit(" ", 1)[0] + " …"
    return ""


def _describe(app: Sphinx, page: str, _template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    if doctree is None:
        return
    tags = {"og:title": f"{context['title']} · {app.config.html_title}", "og:type": "article"}
    if text := description(doctree):
        tags |= {"description": text, "og:description": text}
    base = app.config.html_baseurl.rstrip("/")
    for image in doctree.findall(nodes.image):
        if app.builder.imagedir in (path := PurePosixPath(image["uri"])).parts:  # a picture of the theme is elsewhere
            tags |= {"og:image": f"{base}/{app.builder.imagedir}/{path.name}", "og:image:alt": image.get("alt", "")}
            break
    context["metatags"] += "".join(
        f'<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{html.escape(content)}" />\n'
        for name, content in tags.items()
    )


def _icon(_app: Sphinx, config: Config) -> None:
    """Put an icon where browsers ask for one on a page that names none, as the page that leads to the first one."""
    config.html_extra_path.append(str(Path(__file__).parent / "static" / "favicon.ico"))


def setup(app: Sphinx) -> dict[str, Any]:
    """Describe every page."""
    app.connect("html-page-context", _describe)
    app.connect("config-inited", _icon)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
