"""What must be true of the built pages, whatever Sphinx says: `make book` and `make test` look after every build.

Nothing is fetched and no browser is needed; what only a browser can tell is in ``tests/test_site_browser.py``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from memscape.arguments import ArgumentError
from memscape.book import claims, numbers, yml

KNOWN = ("AGS-1", f"{numbers.MARK}0.1379")
"""A claim and how its measured number begins: the critical load of the Hopfield network, wherever it is computed."""

WEIGHTS = {"chapters/index": 1_000_000, "": 2_000_000}
"""Bytes that a page and its pictures may have, by name; the empty name stands for all others. Scripts, styles and fonts
of the theme, which a reader loads once, are not counted, nor is what only loads when it comes into view."""

_LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "input": "src",
    "track": "src",
}
_LOADED_LINKS = {"stylesheet", "icon", "shortcut icon", "apple-touch-icon", "manifest"} | {
    "preload",
    "prefetch",
    "modulepreload",
    "preconnect",
    "dns-prefetch",
}
_CSS_ADDRESS = re.compile(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)")
_FILE_NAME = re.compile(r"\.(png|svg|jpe?g|gif)$", re.IGNORECASE)


@dataclass
class _Page(HTMLParser):
    """One page: what it loads, where it links to, its anchors, and its pictures with their text alternatives."""

    loaded: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=set)
    pictures: list[tuple[str, str | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if anchor := found.get("id"):
            self.anchors.add(anchor)
        if tag in _LOADED and (address := found.get(_LOADED[tag])):
            self.loaded.append(address)
        if tag == "link" and (found.get("rel") or "").lower() in _LOADED_LINKS:
            self.loaded.append(found.get("href") or "")
        if tag == "a" and (address := found.get("href")):
            self.links.append(address)
        if tag == "img":
            self.pictures.append((found.get("src") or "", found.get("alt")))
        if "plot" in (found.get("class") or "").split():
            self.pictures.append(("an interactive figure", found.get("aria-label")))
        self.loaded += _in_css(found.get("style") or "")


def problems(site: Path, root: Path) -> list[str]:
    """Return what is wrong with the pages in ``site``, built from the book in ``root``; nothing if all is well.

    Every page of the table of contents is there; every claim has its row on the ledger page and in its chapter; a
    known number stands where it is computed; nothing is loaded from an outside host; every link within the site,
    anchors included, leads somewhere; every picture has a text alternative that is not its file name; no page weighs
    more than its `WEIGHTS`.

    Raises
    ------
    ArgumentError
        Where ``site`` holds no pages.
    """
    if not (site / "index.html").is_file():
        raise ArgumentError("site", "a folder with a built site", str(site), "Run `make book`.")
    found = [f"{name}.html: missing, though _toc.yml names it" for name in pages(root) if not _built(site, name)]
    found += _claims(site, root)
    for path in sorted(site.rglob("*.html")):
        if "_static" not in path.parts:
            found += [f"{path.relative_to(site)}: {problem}" for problem in _of_page(path, site)]
            allowed = WEIGHTS.get(str(path.relative_to(site).with_suffix("")), WEIGHTS[""])
            if (weight := _weight(path)) > allowed:
                found.append(f"{path.relative_to(site)}: weighs {weight:,} bytes with its pictures, over {allowed:,}")
    for path in sorted(site.rglob("*.css")):
        outside = [address for address in _in_css(path.read_text(encoding="utf-8")) if _is_outside(address)]
        found += [f"{path.relative_to(site)}: loads {address} from outside" for address in outside]
    return found


def pages(root: Path) -> list[str]:
    """Return the pages that the table of contents names, without suffix."""

    def names(entry: object) -> Iterator[str]:
        if isinstance(entry, dict):
            for key, value in entry.items():
                if key in ("root", "file"):
                    yield value.removesuffix(".md").removesuffix(".ipynb")
                elif key == "glob":
                    yield from sorted(str(path.relative_to(root).with_suffix("")) for path in root.glob(value))
                else:
                    yield from names(value)
        elif isinstance(entry, list):
            for item in entry:
                yield from names(item)

    return list(names(yml.read(root / "_toc.yml")))


def _built(site: Path, name: str) -> bool:
    return (site / f"{name}.html").is_file()


def _claims(site: Path, root: Path) -> Iterator[str]:
    for row in claims.load(root).values():
        for name in ("chapters/ledger", f"chapters/{row.chapter}"):
            if _built(site, name) and f"claim-{row.id}" not in _parsed(site / f"{name}.html").anchors:
                yield f"{name}.html: has no row for {row.id}"
        if row.id == KNOWN[0] and _built(site, f"chapters/{row.chapter}"):
            text = (site / f"chapters/{row.chapter}.html").read_text(encoding="utf-8")
            if KNOWN[1] not in text:
                yield f"chapters/{row.chapter}.html: does not show {KNOWN[1]}, which {row.id} is known to measure"


def _of_page(path: Path, site: Path) -> Iterator[str]:
    page = _parsed(path)
    for address in page.loaded:
        if _is_outside(address):
            yield f"loads {address} from outside"
        elif not address.startswith("data:") and not _target(path, address).exists():
            yield f"loads {address}, which is not there"
    for address in page.links:
        if urlsplit(address).scheme or address.startswith("//"):
            continue
        target, anchor = _target(path, address), unquote(urlsplit(address).fragment)
        if not target.exists():
            yield f"links to {address}, which is not there"
        elif anchor and target.suffix == ".html" and anchor not in _parsed(target).anchors:
            yield f"links to {address}, and there is no such place on that page"
    for source, alternative in page.pictures:
        if not alternative or _FILE_NAME.search(alternative):
            yield f"{source} has no text alternative"


def _weight(path: Path) -> int:
    pictures = {_target(path, source) for source, _ in _parsed(path).pictures if not source.startswith("data:")}
    return sum(file.stat().st_size for file in {path, *pictures} if file.is_file() and "_static" not in file.parts)


@cache
def _parsed(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def _target(path: Path, address: str) -> Path:
    name = unquote(urlsplit(address).path)
    return (path.parent / name).resolve() if name else path


def _in_css(text: str) -> list[str]:
    return [first or second for first, second in _CSS_ADDRESS.findall(text)]


def _is_outside(address: str) -> bool:
    return address.startswith("//") or urlsplit(address).scheme in ("http", "https", "ws", "wss", "ftp")
