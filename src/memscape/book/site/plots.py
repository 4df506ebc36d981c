"""Interactive plotly figures from stored outputs, drawn by one shared script when they come into view."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MIME = "application/vnd.plotly.v1+json"
SCRIPT = "plots.js"
BUNDLE = "plotly-cartesian.min.js"
"""Plotly.js for charts with axes, a third of the whole; of the release that the Python package is made for."""


class plot(nodes.General, nodes.Element):
    """A plotly figure in the doctree: its JSON specification and its text alternative."""


class PlotRenderer:
    """MyST-NB plug-in (entry point ``myst_nb.mime_renderers``) that turns plotly's stored output into a `plot`."""

    mime_priority_overrides = (("*", MIME, 1),)

    @staticmethod
    def handle_mime(renderer: NbElementRenderer, data: MimeData, inline: bool) -> list[nodes.Element] | None:
        """Return the node for a plotly output, or None for any other."""
        if inline or data.mime_type != MIME:
            return None
        image = renderer.renderer.get_cell_level_config("render_image_options", data.cell_metadata, line=data.line)
        return [plot(spec=json.dumps(data.content, separators=(",", ":")), alt=image.get("alt", ""))]


def _visit(translator: Any, node: plot) -> None:
    height = json.loads(node["spec"]).get("layout", {}).get("height", 420)
    # "</" would end the script element early if a label held it.
    spec = node["spec"].replace("</", "<\\/")
    label = translator.attval(node["alt"])
    translator.body.append(
        f'<div class="plot" role="img" aria-label="{label}" style="min-height:{height}px">'
        f'<script type="application/json">{spec}</script></div>\n'
    )
    raise nodes.SkipNode


def _skip(_translator: Any, _node: plot) -> None:
    raise nodes.SkipNode


def _scripts(app: Sphinx, _page: str, _template: str, _context: dict[str, Any], doctree: nodes.document | None) -> None:
    """Have plots drawn on the pages that hold one; the script loads `BUNDLE` when the first comes near to view."""
    if doctree is not None and next(iter(doctree.findall(plot)), None) is not None:
        app.add_js_file(SCRIPT, loading_method="defer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the node and its scripts."""
    app.add_node(plot, html=(_visit, None), latex=(_skip, None), text=(_skip, None))
    app.connect("html-page-context", _scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
