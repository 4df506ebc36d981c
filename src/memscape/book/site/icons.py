"""The theme's icons as a style sheet of the few that are used, in place of a script of 1.5 MB that holds them all.

The theme marks an icon as ``<i class="fa-solid fa-bars">`` and has a script replace it by a drawing. Here the drawings
that the pages use are taken out of that script once the site is built, and the style sheet ``icons.css`` shows them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from sphinx.application import Sphinx

SHEET = "icons.css"
_SCRIPT = "scripts/fontawesome.js"
_STYLES = {"fab": "brands", "fa-brands": "brands", "far": "regular", "fa-regular": "regular"}
_TAG = re.compile(r'\s*<script src="[^"]*fontawesome\.js[^"]*"></script>')
_USED = re.compile(r'<i\b[^>]*?class="([^"]*\bfa-[^"]*)"')
_SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}"><path d="{}"/></svg>'
_RULES = """\
i[class*="fa-"] { display: inline-block; width: 1em; height: 1em; vertical-align: -0.125em; background: currentColor;
  mask: var(--icon) center / contain no-repeat; }
"""


def drawings(script: str) -> dict[tuple[str, str], tuple[int, int, str]]:
    """Return width, height and path of every icon in the theme's script, by style and name.

    The script holds one table of icons for each style, and ends each by registering it under the style's name.
    """
    entry = re.compile(r'[{,]"?([\w-]+)"?:\[(\d+),(\d+),\[([^\]]*)\],"[0-9a-f]+","([^"]*)"\]')
    found: dict[tuple[str, str], tuple[int, int, str]] = {}
    start = 0
    for style, end in (("brands", '"fa-brands",'), ("regular", '"fa-regular",'), ("solid", '"fa-solid",')):
        stop = next(m.start() for m in re.finditer(rf"\w\({end}\w+\)", script) if m.start() > start)
        for name, width, height, others, path in entry.findall(script, start, stop):
            for called in (name, *re.findall(r'"([\w-]+)"', others)):
                found.setdefault((style, called), (int(width), int(height), path))
        start = stop
    return found


def sheet(pages: list[str], script: str) -> str:
    """Return the style sheet for the icons on some pages.

    Raises
    ------
    KeyError
        Where a page shows an icon that the script does not hold.
    """
    known, rules = drawings(script), {}
    for marks in {marks for page in pages for marks in _USED.findall(page)}:
        style = next((_STYLES[mark] for mark in marks.split() if mark in _STYLES), "solid")
        for mark in marks.split():
            if mark.startswith("fa-") and (style, mark[3:]) in known:
                width, height, path = known[style, mark[3:]]
                drawing = quote(_SVG.format(width, height, path), safe=" =/:,")
                rules[f"i.{mark}"] = f'--icon: url("data:image/svg+xml,{drawing}")'
                break
        else:
            raise KeyError(f"no drawing for {marks!r}")
    return _RULES + "".join(f"{selector} {{ {rule}; }}\n" for selector, rule in sorted(rules.items()))


def _replace(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir) / "_static"
    script = static / _SCRIPT
    texts = {path: path.read_text(encoding="utf-8") for path in Path(app.outdir).rglob("*.html")}
    (static / SHEET).write_text(sheet(list(texts.values()), script.read_text(encoding="utf-8")), encoding="utf-8")
    for path, text in texts.items():
        if (light := _TAG.sub("", text)) != text:
            path.write_text(light, encoding="utf-8")
    script.unlink()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the style sheet, which is written when the pages are."""
    app.add_css_file(SHEET)
    app.connect("build-finished", _replace, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
