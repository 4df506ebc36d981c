"""The Sphinx extension that makes the executed chapters a site which needs no outside host.

It reads what is stored (notebook outputs, the ledger, the record of the last execution) and imports no science, so that
a site build takes seconds. Each concern is a module of its own; this one puts them together and dresses the theme.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memscape import __version__
from memscape.book.site import api, atlas, claims, head, icons, mathjax, panel, pictures, plots, status

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_STATIC = Path(__file__).parent / "static"


def _static(_app: Sphinx, config: Config) -> None:
    config.html_static_path.append(str(_STATIC))


def _footer(app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object) -> None:
    """State which commit the page was built from; the publishing workflow sets the variable."""
    commit = os.environ.get("MEMSCAPE_COMMIT", "")
    built = f"Memscape {__version__}"
    if commit:
        link = f"{app.config.html_theme_options['repository_url']}/tree/{commit}"
        built += f' · built from commit <a href="{link}"><code>{commit[:10]}</code></a>'
    context["theme_extra_footer"] = (
        f"<p>{built} · code: MIT · text and figures: "
        '<a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a></p>'
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("config-inited", _static)
    app.connect("html-page-context", _footer)
    app.add_css_file("memscape.css")
    app.add_js_file("memscape.js", loading_method="defer")
    for part in (api, atlas, claims, head, icons, mathjax, panel, pictures, plots, status):
        part.setup(app)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
