"""The built site in a real browser: desktop and phone, light and dark, from disk and over HTTP on this machine only.

It looks at ``_build/html`` as the last build left it; `make test` builds before it comes here.
"""

import functools
import http.server
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from memscape.book import claims
from memscape.book.site import check

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build/html"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desktop": {"width": 1400, "height": 900}, "phone": {"width": 390, "height": 844}}
# A page is loaded in the first mode and turned into the others, as a reader turns a phone or the day ends.
MODES = {
    "http": [("desktop", "light"), ("desktop", "dark"), ("phone", "dark"), ("phone", "light")],
    "file": [("phone", "dark"), ("desktop", "light")],
}
PAGES = [*check.pages(ROOT), "search"]
ROWS = claims.load(ROOT)
CHAPTERS = sorted({row.chapter for row in ROWS.values()})

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no browser: install Chromium to test the site in it")

# What a page looks like to its reader, asked for once everything that moves has come to rest.
LOOK = """async () => {
    await document.fonts.ready;
    if (window.MathJax?.startup?.promise) await window.MathJax.startup.promise;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await new Promise((done) => setTimeout(done, 50));
    const all = (query) => [...document.querySelectorAll(query)];
    for (const plot of all(".plot")) {  // drawn when it comes near to view
        for (let wait = 0; wait < 600 && !plot.querySelector(".main-svg"); wait++) {
            plot.scrollIntoView({ behavior: "instant" });  // again: pictures above it load, and move it
            await new Promise((done) => setTimeout(done, 100));
        }
    }
    const visible = (element) => element.checkVisibility();
    return {
        theme: document.documentElement.dataset.theme,
        background: getComputedStyle(document.body).backgroundColor,
        overflow: document.documentElement.scrollWidth - window.innerWidth,
        wide: all("article *").filter((e) => {
            if (e.getBoundingClientRect().right <= innerWidth + 1) return false;
            for (let up = e; up; up = up.parentElement) if (getComputedStyle(up).overflowX !== "visible") return false;
            return true;
        }).map((e) => e.outerHTML.slice(0, 120)),
        broken: all("img").filter((e) => e.complete && !e.naturalWidth).map((e) => e.src),
        // A picture that has loaded has its own shape, whatever place was kept for it.
        squeezed: all("article img").filter((e) => {
            if (!e.complete || !e.naturalWidth || !visible(e) || getComputedStyle(e).objectFit !== "fill") return false;
            const style = getComputedStyle(e);
            const [wide, high] = [["Left", "Right", "width"], ["Top", "Bottom", "height"]].map(([one, other, size]) =>
                parseFloat(style[size]) - (style.boxSizing !== "border-box" ? 0 :
                    parseFloat(style["padding" + one]) + parseFloat(style["padding" + other])));
            return Math.abs(wide / high / (e.naturalWidth / e.naturalHeight) - 1) > 0.03;
        }).map((e) => e.src),
        unset: all(".math").filter((e) => !e.querySelector("mjx-container")).map((e) => e.textContent),
        left: all(".claim").map((e) => e.textContent).filter((text) => text.includes("\\\\(")),
        errors: all("mjx-merror, [data-mjx-error]").map((e) => e.textContent),
        // What a reader at a desk would have to move sideways; signatures in the library's pages may be long.
        sideways: innerWidth < 1400 || location.pathname.includes("/api/") ? [] :
            all("article pre, article mjx-container[display=true], article .cell_output table").filter((e) => {
                if (!visible(e)) return false;
                for (let up = e; up.tagName !== "ARTICLE"; up = up.parentElement) {
                    if (getComputedStyle(up).overflowX === "auto") return up.scrollWidth > up.clientWidth + 1;
                }
                return false;
            }).map((e) => e.textContent.trim().slice(0, 80)),
        undrawn: all(".plot").filter((e) => !e.querySelector(".main-svg")).length,
        heading: document.querySelector("h1")?.textContent,
    };
}"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def origins() -> Iterator[dict[str, str]]:
    """The two ways to the site: a folder on disk, and a server that only this machine can reach."""
    if not (SITE / "index.html").is_file():
        pytest.fail("there is no built site: run `make book` or `make test`")
    handler = functools.partial(_Quiet, directory=str(SITE))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield {"file": SITE.as_uri(), "http": f"http://127.0.0.1:{server.server_port}"}
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser():
    """One Chromium for all tests."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=300_000)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """A tab at one size and theme, and everything it complained about or asked of the outside."""

    page: object
    base: str
    complaints: list[str] = field(default_factory=list)

    def go(self, name: str, query: str = "") -> None:
        """Go to a page."""
        self.page.goto(f"{self.base}/{name}.html{query}", wait_until="load")

    def visit(self, name: str, query: str = "") -> dict:
        """Go to a page and return what it looks like, once all its plots are drawn."""
        self.go(name, query)
        return self.page.evaluate(LOOK)

    def turn(self, size: str, theme: str) -> dict:
        """Give the page another size and theme and return what it looks like."""
        self.page.set_viewport_size(SIZES[size])
        self.page.emulate_media(color_scheme=theme)
        self.page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
        return self.page.evaluate(LOOK)


@pytest.fixture
def visitor(browser, origins) -> Iterator[functools.partial]:
    """A way to open a tab at an origin, size and theme."""
    contexts = []

    def open_tab(origin: str, size: str = "desktop", theme: str = "light") -> Visitor:
        context = browser.new_context(viewport=SIZES[size], color_scheme=theme)
        context.set_default_timeout(300_000)  # milliseconds: a busy machine is no fault
        contexts.append(context)
        tab = Visitor(context.new_page(), origins[origin])
        ours = urlsplit(tab.base).netloc

        def requested(request) -> None:
            address = urlsplit(request.url)
            if address.scheme not in ("data", "blob") and (address.scheme, address.netloc) != (origin, ours):
                tab.complaints.append(f"asks {request.url}")

        def failed(request) -> None:
            # Leaving a page cancels what it still asks for. A file that is missing fails in another way.
            if request.failure != "net::ERR_ABORTED":
                tab.complaints.append(f"does not get {request.url}")

        tab.page.on("request", requested)
        tab.page.on("requestfailed", failed)
        tab.page.on("pageerror", lambda error: tab.complaints.append(f"raises {error}"))
        tab.page.on(
            "console",
            lambda message: message.type == "error" and tab.complaints.append(f"logs {message.text}"),
        )
        return tab

    yield open_tab
    for context in contexts:
        context.close()


def test_every_page_of_the_table_of_contents_is_there_and_can_be_reached(visitor):
    tab = visitor("file")
    tab.visit("chapters/index")
    linked = tab.page.evaluate("() => [...document.querySelectorAll('.bd-links a')].map((e) => e.href)")
    site = SITE.as_uri()
    reached = {link.split("#")[0].removeprefix(f"{site}/").removesuffix(".html") for link in linked}
    assert set(check.pages(ROOT)) - reached == {"chapters/index"}
    home = tab.page.get_attribute(".navbar-brand", "href")
    assert (SITE / "chapters" / home.split("#")[0]).resolve() == SITE / "chapters/index.html" or home == "#"
    tab.page.goto(f"{site}/index.html")
    tab.page.wait_for_url("**/chapters/index.html")


def faults(seen: dict, theme: str) -> dict:
    """What a reader would stumble over on a page that looks like this."""
    light = sum(map(int, seen["background"].removeprefix("rgb(").removesuffix(")").split(","))) > 3 * 128
    faults = ("wide", "sideways", "squeezed", "broken", "unset", "left", "errors", "undrawn")
    found = {key: seen[key] for key in faults if seen[key]}
    if seen["overflow"] > 0:
        found["overflow"] = seen["overflow"]
    if seen["theme"] != theme or light != (theme == "light"):
        found["theme"] = (seen["theme"], seen["background"])
    if not seen["heading"]:
        found["heading"] = "none"
    return found


@pytest.mark.parametrize("origin", MODES)
def test_every_page_looks_right(origin, visitor):
    (size, theme), *others = MODES[origin]
    tab = visitor(origin, size, theme)
    wrong = {}
    for name in PAGES:
        tab.page.set_viewport_size(SIZES[size])
        tab.page.emulate_media(color_scheme=theme)
        wrong[name, size, theme] = faults(tab.visit(name), theme)
        if not name.startswith("chapters/api/") or origin == "file":  # written by one template: two modes say it all
            wrong |= {(name, *mode): faults(tab.turn(*mode), mode[1]) for mode in others}
        if tab.complaints:
            wrong[name, size, theme]["complaints"] = list(tab.complaints)
            tab.complaints.clear()
    assert {mode: found for mode, found in wrong.items() if found} == {}


@pytest.mark.parametrize("origin", ["http", "file"])
@pytest.mark.parametrize("word", ["energy", "AGS", "Krotov"])
def test_search_finds(word, origin, visitor):
    tab = visitor(origin)
    tab.visit("search", f"?q={word}")
    tab.page.wait_for_selector("#search-results li a")
    tab.page.wait_for_function("() => /found \\d+ page/.test(document.querySelector('.search-summary').innerText)")
    titles = tab.page.locator("#search-results li").all_inner_texts()
    assert len(titles) >= 1
    assert tab.complaints == []


@pytest.mark.parametrize(
    ("word", "part", "first"),
    [("spin glass", "chapters/", 1), ("AGS-1", "chapters/ledger", 4), ("energy transformer", "energy_transformer", 1)],
)
def test_search_ranks_the_book_before_the_library(word, part, first, visitor):
    tab = visitor("http")
    tab.visit("search", f"?q={word}")
    tab.page.wait_for_function("() => /found \\d+ page/.test(document.querySelector('.search-summary').innerText)")
    found = tab.page.locator("#search-results li a").evaluate_all("all => all.map((e) => e.getAttribute('href'))")
    assert any(part in link for link in found[:first])
    assert not any("/api/" in link for link in found[:first])


def test_search_does_not_find_what_is_not_there(visitor):
    tab = visitor("file")
    tab.visit("search", "?q=xyzzyplugh")
    tab.page.wait_for_function("() => /did not match/.test(document.querySelector('.search-summary').innerText)")
    assert tab.page.locator("#search-results li").count() == 0


def shown(tab: Visitor) -> list[str]:
    return tab.page.evaluate(
        "() => [...document.querySelectorAll('.ledger-row')].filter((e) => e.checkVisibility())"
        ".map((e) => e.querySelector('.claim').id.replace('claim-', ''))"
    )


def test_the_ledger_filters_by_verdict_part_profile_and_text(visitor):
    tab = visitor("file")
    tab.visit("chapters/ledger")
    rows = list(ROWS.values())
    assert shown(tab) == []
    assert tab.page.evaluate("document.body.scrollHeight") < 2 * SIZES["desktop"]["height"]
    assert tab.page.inner_text(".ledger-count") == f"{len(rows)} of {len(rows)} claims"
    # What a closed group says of its rows: how many have which verdict.
    groups = tab.page.locator(".ledger-group").evaluate_all(
        """all => all.map((group) => ({
            said: [...group.querySelectorAll("summary .verdict")].map((e) => e.textContent),
            held: [...group.querySelectorAll(".ledger-row")].map((e) => e.dataset.verdict),
        }))"""
    )
    for group in groups:
        assert sorted(group["said"]) == sorted(f"{many} {verdict}" for verdict, many in Counter(group["held"]).items())
    values = {
        "verdict": lambda row: row.verdict,
        "origin": lambda row: row.origin,
        "known": lambda row: row.published.known if row.published else None,
        "part": lambda row: row.chapter.partition("/")[0],
        "profile": lambda row: row.profile,
    }
    for name, value_of in values.items():
        for value in sorted({value_of(row) for row in rows} - {None}):
            tab.page.select_option(f"select[name={name}]", value)
            expected = sorted(row.id for row in rows if value_of(row) == value)
            assert sorted(shown(tab)) == expected
            assert tab.page.inner_text(".ledger-count") == f"{len(expected)} of {len(rows)} claims"
        tab.page.select_option(f"select[name={name}]", "")
    tab.page.fill("input[name=text]", "kh16 memory")
    found = shown(tab)
    assert found
    told = tab.page.evaluate(
        "() => Object.fromEntries([...document.querySelectorAll('.ledger-row')].map((e) =>"
        " [e.querySelector('.claim').id.replace('claim-', ''), e.textContent.toLowerCase()]))"
    )
    assert sorted(found) == sorted(row for row, text in told.items() if "kh16" in text and "memory" in text)
    assert {"KH16-1", "KH16-7"} <= set(found) < set(told)
    tab.page.fill("input[name=text]", "xyzzyplugh")
    assert shown(tab) == []
    assert tab.page.is_visible(".ledger-none")
    assert tab.complaints == []


def test_the_ledger_is_sorted_and_comes_back(visitor):
    tab = visitor("file")
    tab.visit("chapters/ledger")
    before = tab.page.locator(".ledger-group").evaluate_all("all => all.map((e) => e.dataset.name)")
    rows = list(ROWS.values())
    tab.page.select_option("select[name=order]", "by verdict")
    found = [claims.VERDICTS.index(ROWS[claim].verdict) for claim in shown(tab)]
    assert len(found) == len(rows)
    assert found == sorted(found)
    tab.page.select_option("select[name=order]", "by id")
    assert {claim.partition("-")[0] for claim in shown(tab)[:3]} == {"AGS"}
    tab.page.select_option("select[name=order]", "by year")
    names = tab.page.locator(".ledger-group").evaluate_all("all => all.map((e) => e.dataset.name)")
    years = [int(name[-4:]) for name in names if name[-4:].isdigit()]
    assert years == sorted(years)
    tab.page.select_option("select[name=order]", "")
    assert tab.page.locator(".ledger-group").evaluate_all("all => all.map((e) => e.dataset.name)") == before
    assert shown(tab) == []
    tab.page.locator(".ledger-group summary").first.click()
    assert shown(tab)
    assert tab.complaints == []


def test_a_number_on_the_landing_page_leads_to_its_claims(visitor):
    tab = visitor("http")
    tab.visit("chapters/index")
    for position in range(tab.page.locator(".tally").count()):
        tally = tab.page.locator(".tally").nth(position)
        count = int(tally.locator("strong").inner_text())
        tally.click()
        tab.page.wait_for_function("() => document.querySelector('.ledger-count')?.textContent")
        assert len(shown(tab)) == count
        tab.page.go_back(wait_until="load")


def test_a_link_to_a_claim_opens_its_group(visitor):
    tab = visitor("file")
    row = next(iter(ROWS.values()))
    tab.visit("chapters/ledger", f"?verdict=nothing#claim-{row.id}")
    assert row.id in shown(tab)
    assert len(shown(tab)) < len(ROWS)
    assert tab.page.evaluate(
        f"() => document.getElementById('claim-{row.id}').getBoundingClientRect().top < innerHeight"
    )
    tab.page.click(f"#claim-{row.id} + .claim-foot a")
    tab.page.wait_for_url(f"**/chapters/{row.chapter}.html#claim-{row.id}")
    assert tab.page.is_visible(f"#claim-{row.id}")


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_the_run_panel_opens_and_its_commands_can_be_copied(chapter, visitor):
    tab = visitor("file", "phone")
    assert tab.visit(f"chapters/{chapter}")["overflow"] <= 0
    assert not tab.page.is_visible(".run-panel table")
    tab.page.click(".run-panel summary")
    assert tab.page.is_visible(".run-panel table")
    assert f"memscape run {chapter} -p " in tab.page.inner_text(".run-panel")
    assert tab.page.locator(".run-panel button.copybtn").count() == 3
    assert tab.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_figures_turn_dark_with_the_page_and_back(visitor):
    tab = visitor("file", "desktop", "dark")
    for chapter in CHAPTERS:
        tab.go(f"chapters/{chapter}")
        filters = "() => [...document.querySelectorAll('.cell_output figure img:not(.picture), .plot')]"
        filters += ".map((e) => getComputedStyle(e).filter)"
        dark = tab.page.evaluate(filters)
        assert dark
        assert set(dark) == {"invert(1) hue-rotate(180deg)"}
        tab.page.evaluate("() => document.documentElement.setAttribute('data-theme', 'light')")
        assert set(tab.page.evaluate(filters)) == {"none"}
