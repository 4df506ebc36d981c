"""Equations without an outside host: MathJax and its fonts stand beside the pages."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.util.fileutil import copy_asset

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.config import Config

_BUNDLE = "tex-chtml-full.js"
_FONTS = "output/chtml/fonts/woff-v2"


def _distribution() -> Path:
    """Folder of MathJax in the carrier package, whose name (with hyphens) cannot be imported."""
    found = [
        Path(str(metadata.distribution("sphinx-mathjax-offline").locate_file(file)))
        for file in metadata.files("sphinx-mathjax-offline") or []
        if file.name == _BUNDLE
    ]
    return found[0].parent


def _configure(_app: Sphinx, config: Config) -> None:
    config.mathjax_path = f"mathjax/{_BUNDLE}"
    config.mathjax3_config = {
        # The menu would load further parts of MathJax that are not shipped; formulas stay readable aloud without it.
        "options": {"enableMenu": False},
    }


def _copy(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        source, target = _distribution(), Path(app.outdir) / "_static" / "mathjax"
        target.mkdir(parents=True, exist_ok=True)
        copy_asset(source / _BUNDLE, target)
        copy_asset(source / _FONTS, target / _FONTS)


def setup(app: Sphinx) -> dict[str, Any]:
    """Point Sphinx to the local MathJax and copy the one bundle and the fonts that pages use (1.7 MB)."""
    app.connect("config-inited", _configure)
    app.connect("build-finished", _copy)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
