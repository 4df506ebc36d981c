"""The site: a small book is built as `make book` builds the real one, and its pages are compared with its files."""

import base64
import io
import json
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import plotly
import pytest
import yaml
from docutils.core import publish_doctree
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from PIL import Image
from scipy.optimize import brentq, minimize_scalar
from scipy.special import erf, erfc

from memscape.arguments import ArgumentError
from memscape.book import chapters, claims, ledger, parameters
from memscape.book.numbers import MARK
from memscape.book.site import check, head, icons, panel, pictures, plots
from memscape.book.site import claims as site_claims

ROOT = Path(__file__).parents[2]

CLAIMS = r"""
- id: TOY-1
  origin: published
  source: toy1982
  where: eq. 1
  statement: The load is $\alpha = P/N$ at most.
  published: {value: "0.138", known: read}
  test: {kind: value, target: 0.138, tolerance: 0.001, reason: arithmetic}
  chapter: memory/toy
  profile: desk
  verdict: reproduced
- id: TOY-2
  origin: published
  source: toy1982
  where: eq. 2
  statement: Two things hold.
  published: {value: "987654", known: unverified}
  test:
    parts:
      first: {kind: count, target: 2, reason: arithmetic}
      second: {kind: count, target: 3, reason: arithmetic}
  chapter: memory/toy
  profile: desk
  verdict: partly
  remark: Only the *first* holds.
- id: TOY-3
  origin: ours
  where: sizes of toys
  statement: Far too large.
  published: null
  test: {kind: count, target: 2, reason: arithmetic}
  chapter: memory/toy
  profile: paper
  verdict: out of reach
  remark: Takes a large GPU.
  unprinted: A toy that is far too large has $N > 9$.
"""
PARAMETERS = """\
neurons: int = 20  # N: units in the network [10, 5000]
loads: list[float] = [0.05, 0.1]  # alpha: loads to compare [0, 1], two or more
rule: str = "hebbian"  # how the weights are learned {hebbian, inverse}
seed: int = 3  # seed of every random draw [0, 1000]
device: str = "auto"  # where tensors live {auto, cpu, cuda}
# requires 2 * neurons * min(loads) >= 1: a network stores a pattern"""
LIBRARY = '''\
"""Toys to play with.

More about `Toy`.
"""

from collections.abc import Sequence

import torch

from memscape.other import lend

LIMIT = 3
"""Toys: so many and no more."""


class Toy:
    """A toy.

    Attributes
    ----------
    size
        How large it is.
    """

    size: int

    @property
    def price(self) -> float:
        """The price: what it costs."""
        return 1.0


def play(toys: Sequence[Toy], weights: torch.Tensor) -> None:
    """Play with some toys.

    Parameters
    ----------
    toys
        The toys.

    Raises
    ------
    ValueError
        If there is none.
    """


def _hide() -> None:
    """Hide a toy."""
'''
STATUS = {
    "memory/toy": {
        "seconds": 12.34,
        "peak_mib": 4321,
        "python": "3.11.7",
        "versions": {"torch": "2.13.0"},
        "processor": "x86_64, AVX2",
        "gpu": "Toy GPU",
        "gpu_peak_mib": 99,
    }
}
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
PLOT = {"data": [{"y": [1, 2]}], "layout": {"title": {"text": "</script><b>"}}}
MEASURED = {"TOY-1": 0.1379, "TOY-2": {"first": 2, "second": 4}, "TOY-3": None}


def figure(name: str, alt: str) -> dict:
    return {"mystnb": {"figure": {"caption": "A caption.", "name": name}, "image": {"alt": alt}}}


def noise() -> str:
    """A picture that weighs more than 60 kB as PNG and less as WebP."""
    across = np.random.default_rng(0).normal(size=(200, 200, 3)).cumsum(axis=0).cumsum(axis=1)
    file = io.BytesIO()
    Image.fromarray(np.uint8(128 + across % 100)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def toy(book: Path) -> nbformat.NotebookNode:
    """A chapter with an equation, a picture, a plot and its rows of the ledger, as an execution stores them."""
    shown = {"image/png": PNG, "text/plain": "<Figure>"}
    size = {"image/png": {"width": 548, "height": 356}}
    cells = [
        new_markdown_cell("# Toy\n\nA chapter {cite}`toy1982` with\n\n```{math}\n:label: eq-toy\nE = -s^T s\n```\n"),
        new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]}, execution_count=1),
        new_code_cell(
            "picture()",
            metadata=figure("fig-toy", "A single dot") | {"tags": ["opening", "hide-input"]},
            execution_count=2,
            outputs=[new_output("display_data", data=shown)],
        ),
        new_code_cell(
            "heavy()",
            metadata=figure("fig-heavy", "Many dots"),
            execution_count=3,
            outputs=[new_output("display_data", data={"image/png": noise(), "text/plain": "<Figure>"}, metadata=size)],
        ),
        new_code_cell(
            "plot()",
            metadata=figure("fig-plot", 'A line called "up"'),
            execution_count=3,
            outputs=[new_output("display_data", data={"application/vnd.plotly.v1+json": PLOT})],
        ),
    ]
    for row in claims.load(book).values():
        outcome = ledger._judged(row, MEASURED[row.id], None, exploratory=False, device="")
        data = {"text/plain": outcome.text(), "text/html": outcome.html(ledger.label(book, row.source))}
        stored = new_output("display_data", data=data, metadata={ledger.KEY: outcome.data()})
        cells.append(new_code_cell(f'run.check("{row.id}")', execution_count=len(cells), outputs=[stored]))
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": KERNEL})


def write_book(book: Path) -> None:
    """A book of six pages with the real configuration and style sheet, a library of one module, and toy content."""
    (book / "src/memscape/book/site").mkdir(parents=True)
    (book / "src/memscape/book/site/static").symlink_to(ROOT / "src/memscape/book/site/static")
    (book / "src/memscape/__init__.py").touch()
    (book / "src/memscape/toy.py").write_text(LIBRARY)
    (book / "src/memscape/other.py").write_text('"""Others."""\n\n\ndef lend():\n    """Lend a toy."""\n')
    shutil.copy(ROOT / "_config.yml", book)
    (book / "pyproject.toml").touch()
    pages = {
        "index": "# Book\n\n```{ledger-summary}\n```\n\n````{finding} TOY-2 memory/toy fig-toy\n"
        "Only one of *two* things holds.\n````\n{verdict}`refuted`, {claim}`TOY-1`\n"
        "\n```{picture} memory/toy fig-heavy\n```\n\n## Unprinted\n\n```{unprinted}\n```\n",
        "ledger": "# The ledger\n\n```{ledger}\n```\n",
        "status": "# Status\n\n```{status}\n```\n",
        "reference": "# API\n\n```{api-index} memscape\n```\n```{api} memscape.toy\n```\n```{api} memscape.other\n```",
        "bibliography": "# Bibliography\n\n```{bibliography}\n```\n",
    }
    for folder in ("chapters/memory", "claims", "profiles", "results/desk"):
        (book / folder).mkdir(parents=True)
    for name, text in pages.items():
        (book / f"chapters/{name}.md").write_text(text, encoding="utf-8")
    (book / "chapters/references.bib").write_text(
        "@article{toy1982, author = {Toy, Ada}, title = {Toys}, journal = {J}, year = {1982}}\n"
    )
    (book / "claims/memory.yml").write_text(CLAIMS, encoding="utf-8")
    (book / "profiles/fast.yml").write_text("memory/toy: {neurons: 11}\n")
    (book / "results/desk/status.json").write_text(json.dumps(STATUS))
    nbformat.write(toy(book), book / "chapters/memory/toy.ipynb")
    files = ["memory/toy", "ledger", "status", "reference", "bibliography"]
    toc = {"format": "jb-book", "root": "chapters/index", "chapters": [{"file": f"chapters/{name}"} for name in files]}
    (book / "_toc.yml").write_text(yaml.safe_dump(toc))


def build(book: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    start = (
        "import atexit, sys; from jupyter_book.cli.main import main; sys.argv[0] = 'jupyter-book';"
        "atexit.register(lambda: print('modules:', *sys.modules)); main()"
    )
    return subprocess.run(
        [sys.executable, "-c", start, "build", ".", "--all", "-W", "--keep-going", "-n"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | environment,
        cwd=book,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A built toy book, and the log of its build, which ends with every module imported."""
    book = tmp_path_factory.mktemp("book")
    write_book(book)
    done = build(book, MEMSCAPE_COMMIT="0123456789abcdef")
    log = done.stdout + done.stderr
    assert done.returncode == 0, log.partition("modules:")[0][-3000:]
    return book, log


@pytest.fixture(scope="module")
def site(built: tuple[Path, str]) -> Path:
    return built[0] / "_build/html"


def page(site: Path, name: str) -> str:
    return (site / f"chapters/{name}.html").read_text(encoding="utf-8")


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def text(html: str) -> str:
    """What a reader sees of some HTML, with single spaces."""
    parser = _Text()
    parser.feed(html)
    return " ".join("".join(parser.found).split())


def test_the_ledger_is_read_once_for_as_long_as_it_stays_as_it_is(tmp_path):
    (tmp_path / "claims").mkdir()
    path = tmp_path / "claims/memory.yml"
    path.write_text(CLAIMS, encoding="utf-8")
    first = site_claims.by_id(tmp_path)
    assert site_claims.by_id(tmp_path) is first
    path.write_text(CLAIMS.replace("TOY-1", "TOY-9"), encoding="utf-8")
    os.utime(path, ns=(1, 1))
    assert "TOY-9" in site_claims.by_id(tmp_path)


def test_no_stored_page_holds_the_environment_of_the_build(site):
    stored = sorted((site.parent / ".doctrees").rglob("*.doctree"))
    assert len(stored) > 5
    assert [path.name for path in stored if b"BuildEnvironment" in path.read_bytes()] == []


def test_a_build_imports_neither_torch_nor_science(built):
    imported = set(re.search("modules: (.*)", built[1])[1].split())
    assert "memscape.book.site" in imported
    assert not {name for name in imported if name.split(".")[0] in ("torch", "matplotlib")}
    assert not {name for name in imported if name.startswith(("memscape.memory", "memscape.capacity"))}


def test_a_sound_site_has_no_problems(built, site, monkeypatch):
    monkeypatch.setattr(check, "KNOWN", ("TOY-1", f"{MARK}0.1379"))
    assert check.problems(site, built[0]) == []


def test_the_ledger_page_shows_every_claim_with_its_verdict_link_and_command(site):
    html = page(site, "ledger")
    rows = re.split(r'<div class="ledger-row"', html)[1:]
    assert [re.search(r'data-verdict="([^"]+)"', row)[1] for row in rows] == ["reproduced", "partly", "out of reach"]
    for claim, row in zip(("TOY-1", "TOY-2", "TOY-3"), rows, strict=True):
        assert f'id="claim-{claim}"' in row
        assert f'href="memory/toy.html#claim-{claim}"' in row
        assert ("Toy [1982]" in text(row)) == (claim != "TOY-3")
    assert f"measured {MARK}0.1379, expected 0.138 ± 0.001 ✓" in text(rows[0])
    assert "second: measured 4, expected exactly 3 ✗" in text(rows[1])
    assert "memscape run memory/toy" in text(rows[0])
    assert "memscape run memory/toy --profile paper" in text(rows[2])
    assert "value not verified" in rows[1]
    assert "987654" not in html
    assert [option for option in re.findall(r'<option value="([^"]+)"', html)] == [
        *("published", "ours"),
        *("reproduced", "partly", "out of reach"),
        *("read", "unverified"),
        "memory",
        *("desk", "paper"),
        *("by year", "by verdict", "by id"),
    ]
    groups = re.findall(r'<details class="ledger-group" data-name="([^"]+)"><summary>(.*?)</summary>', html)
    assert [(name, text(summary)) for name, summary in groups] == [
        ("Toy 1982", "Toy 1982 1 reproduced 1 partly"),
        ("Toy", "Toy 1 out of reach"),
    ]
    assert text(html).index("Published results") < text(html).index("Questions of this book")
    assert "Our question: sizes of toys" in text(rows[2])
    assert "Not seen in print: A toy that is far too large has" in text(rows[2])


def test_numbers_on_the_landing_page_come_from_the_ledger(site):
    html = page(site, "index")
    tallies = re.findall(r'class="tally" data-verdict="([^"]+)" href="([^"]+)"><strong>(\d+)</strong>', html)
    assert tallies == [
        ("reproduced", "ledger.html?origin=published&amp;verdict=reproduced", "1"),
        ("partly", "ledger.html?origin=published&amp;verdict=partly", "1"),
        ("out of reach", "ledger.html?origin=ours&amp;verdict=out+of+reach", "1"),
    ]
    assert "2 Published results" in text(html)
    assert "1 Questions of this book" in text(html)
    assert "pinned" not in text(html)
    finding = html[html.index("finding docutils") :]
    assert "Only one of two things holds. partly TOY-2 · Toy [1982]" in text(finding)
    assert 'href="memory/toy.html#fig-toy"' in finding
    assert 'href="ledger.html#claim-TOY-2"' in finding
    assert '<span class="verdict" data-verdict="refuted">refuted</span>' in html
    unprinted = html[html.index('id="unprinted"') :]
    assert text(unprinted[: unprinted.index("</section>")]).endswith("out of reach TOY-3")
    assert 'href="ledger.html#claim-TOY-3"' in unprinted


@pytest.mark.parametrize(
    ("cell", "example"),
    [
        ("clique: int = 4  # k [4, 9]\nneurons: int = 8  # N [2, 99]\n", ("clique", 8)),
        ("clique: int = 4  # k [4, 9]\n# requires clique < 8: so\nneurons: int = 8  # N [2, 99]\n", ("clique", 5)),
        ("size: int = 4  # k {4, 7}\nneurons: int = 8  # N [2, 99]\n", ("neurons", 4)),
        ("size: int = 4  # k {4, 7}\nseed: int = 0  # seed [0, 9]\n", ("seed", 1)),
    ],
)
def test_the_value_that_the_panel_tries_is_admitted(cell, example):
    assert panel._example(parameters.declared(cell)) == example


def test_the_panel_lists_the_parameters_and_the_commands(site):
    html = page(site, "memory/toy")
    shown = html[html.index("run-panel") : html.index("</details>")]
    rows = [[text(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in shown.split("<tr")[2:]]
    assert rows == [
        ["neurons", "int", "20", "[10, 5000]", r"\(N\): units in the network"],
        ["loads", "list[float]", "[0.05, 0.1]", "[0, 1], two or more", r"\(\alpha\): loads to compare"],
        ["rule", "str", "'hebbian'", "{hebbian, inverse}", "how the weights are learned"],
        ["seed", "int", "3", "[0, 1000]", "seed of every random draw"],
        ["device", "str", "'auto'", "{auto, cpu, cuda}", "where tensors live"],
    ]
    assert "2 * neurons * min(loads) >= 1: a network stores a pattern" in text(shown)
    assert "At these values it takes 12 seconds of one core and 4,321 MiB (GPU 99 MiB) of memory." in text(shown)
    assert "for a first try in less time: memscape run memory/toy --profile fast" in text(shown)
    assert "memscape run memory/toy -p neurons 10" in text(shown)
    assert "papermill chapters/memory/toy.ipynb out.ipynb -p neurons 10" in text(shown)
    assert "https://colab.research.google.com/github/memscape/memscape/blob/main/chapters/memory/toy.ipynb" in shown
    (download,) = re.findall(r'href="([^"]+)" download', shown)
    # The reader gets the notebook as committed, without the panel.
    downloaded = (site / "chapters/memory" / download).resolve()
    assert downloaded.read_bytes() == (site.parents[1] / "chapters/memory/toy.ipynb").read_bytes()


def test_a_chapter_opens_with_its_best_picture_and_the_parameters_come_after_the_words(site):
    html = page(site, "memory/toy")
    places = [html.index(what) for what in ("A chapter", 'alt="A single dot"', "run-panel", "A caption.")]
    assert places == sorted(places)
    assert html.count('alt="A single dot"') == 2
    assert len(re.findall(r"<figcaption", html)) == 3
    first, second = re.findall(r'<img[^>]*alt="A single dot"[^>]*>', html)
    assert re.search('src="([^"]+)"', first)[1] == re.search('src="([^"]+)"', second)[1]
    assert "lazy" not in first
    assert 'loading="lazy"' in second


def test_the_shape_of_a_picture_is_known_before_it_has_loaded(site):
    for name in ("index", "memory/toy"):
        (tag,) = re.findall(r'<img[^>]*alt="Many dots"[^>]*>', page(site, name))
        assert 'width="548" height="356"' in tag
        assert "style" not in tag


def test_a_chapter_without_an_opening_picture_stays_as_it_is():
    notebook = {"cells": [{"metadata": {}, "cell_type": "markdown"}, {"metadata": {"tags": ["hide-input"]}}]}
    assert pictures.opened(notebook) is notebook


def test_a_heavy_picture_becomes_lighter_and_is_shown_on_another_page(site):
    for name in ("memory/toy", "index"):
        (picture,) = [tag for tag in re.findall(r"<img[^>]*>", page(site, name)) if 'alt="Many dots"' in tag]
        path = (site / "chapters" / name).parent / re.search('src="([^"]+)"', picture)[1]
        assert path.suffix == ".webp"
        assert path.stat().st_size < 0.7 * len(base64.b64decode(noise()))
    assert re.search(r'<a class="[^"]*picture-link[^"]*" href="memory/toy.html#fig-heavy">\s*<img', page(site, "index"))


def test_the_status_page_shows_what_each_chapter_took(site):
    cells = [text(cell) for cell in re.findall(r"<td.*?</td>", page(site, "status"), re.DOTALL)]
    assert cells == [
        "memory/toy",
        "12.3",
        "4,321 MiB (GPU 99 MiB)",
        "1",
        *("all", "12.3", "", ""),
    ]
    machines = re.findall(r"<li><p>(.*?)</p>", page(site, "status"))
    assert machines == ["x86_64, AVX2, Toy GPU, Python 3.11.7, torch 2.13.0"]


def test_the_reference_shows_what_a_module_defines_and_nothing_it_imports(site):
    html = page(site, "reference")
    names = set(re.findall(r'id="memscape\.toy\.([^"]+)"', html))
    assert names == {"LIMIT", "Toy", "Toy.price", "play"}
    for words in (
        "Toys to play with.",
        "More about Toy.",
        "Toys: so many and no more.",
        "size – How large it is.",
        "The price: what it costs.",
        "play(toys, weights)",
        "toys – The toys.",
        "ValueError – If there is none.",
    ):
        assert words in text(html)
    table = html[html.index("<table") : html.index("</table>")]
    cells = [text(cell) for cell in re.findall("<td.*?</td>", table, re.DOTALL)]
    assert cells == ["other", "Others.", "toy", "Toys to play with."]
    assert 'href="#module-memscape.toy"' in table


def test_plots_are_drawn_by_one_local_script_that_only_their_pages_load(site):
    html = page(site, "memory/toy")
    (plot,) = re.findall(r'<div class="plot".*?</div>', html, re.DOTALL)
    assert 'aria-label="A line called &quot;up&quot;"' in plot
    # A label cannot end the script element early.
    assert json.loads(re.search(r'json">(.*)</script>', plot, re.DOTALL)[1]) == PLOT
    assert plot.count("</script>") == 1
    assert 1e6 < (site / "_static" / plots.BUNDLE).stat().st_size < 1.6e6
    for name in ("index", "ledger", "memory/toy"):
        assert ("plots.js" in page(site, name)) == (name == "memory/toy")
        assert plots.BUNDLE not in page(site, name)


def test_the_small_bundle_is_of_the_release_that_stored_the_figures():
    small = (ROOT / "src/memscape/book/site/static" / plots.BUNDLE).read_text(encoding="utf-8")
    whole = (Path(plotly.__file__).parent / "package_data/plotly.min.js").read_text(encoding="utf-8")
    (kind, release) = re.search(r"plotly\.js \((\w+) - minified\) v([\d.]+)", small).groups()
    assert kind == "cartesian"
    assert f"plotly.js v{release}\n" in whole


def test_icons_are_a_light_sheet_of_those_in_use(site):
    sheet = (site / "_static/icons.css").read_text(encoding="utf-8")
    assert len(sheet) < 40_000
    assert not list(site.rglob("fontawesome.js"))
    for name in ("index", "ledger", "memory/toy"):
        assert "fontawesome.js" not in page(site, name)
        assert "_static/icons.css" in page(site, name)
        for marks in re.findall(r'<i\b[^>]*class="([^"]*)"', page(site, name)):
            assert any(f"i.{mark} {{" in sheet for mark in marks.split()), marks
    assert "i.fa-sun {" in sheet


def test_an_icon_without_a_drawing_stops_the_build():
    script = (
        'p={a:[1,2,[],"f0","M0"]};d("fab",p),d("fa-brands",p)p={b:[1,2,["c"],"f0","M1"]};d("far",p),d("fa-regular",p)'
    )
    script += 'p={b:[3,4,[],"f0","M2"]};d("fas",p),d("fa-solid",p)'
    assert icons.drawings(script) == {
        ("brands", "a"): (1, 2, "M0"),
        ("regular", "b"): (1, 2, "M1"),
        ("regular", "c"): (1, 2, "M1"),
        ("solid", "b"): (3, 4, "M2"),
    }
    assert 'i.fa-c { --icon: url("data:image/svg+xml,' in icons.sheet(['<i title="x" class="y far fa-c">'], script)
    with pytest.raises(KeyError, match="no drawing for 'fas fa-c'"):
        icons.sheet(['<i class="fas fa-c">'], script)


def test_equations_are_set_by_the_local_mathjax(site):
    for name in ("memory/toy", "ledger", "status"):
        assert ("tex-chtml-full.js" in page(site, name)) == (name != "status")
    assert (site / "_static/mathjax/tex-chtml-full.js").is_file()
    assert (site / "_static/mathjax/output/chtml/fonts/woff-v2/MathJax_Main-Regular.woff").is_file()
    assert "\\(\\alpha = P/N\\)" in page(site, "ledger")


def test_a_page_says_what_it_is_to_those_who_link_to_it(site):
    tags = dict(re.findall(r'<meta (?:name|property)="([^"]+)" content="([^"]*)"', page(site, "memory/toy")))
    assert tags["og:title"] == "Toy · Memscape"
    assert tags["og:image"].startswith("https://memscape.github.io/memscape/_images/")
    assert (site / "_images" / tags["og:image"].rsplit("/", 1)[1]).is_file()
    assert tags["og:image:alt"] == "A single dot"
    assert "og:image" not in page(site, "ledger")
    assert (site / "favicon.ico").stat().st_size < 20_000


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A word.\n\n" + "Many words. " * 6, ("Many words. " * 6).strip()),
        ("word " * 60, "word " * 39 + "word …"),
        ("A word.", ""),
    ],
)
def test_a_description_is_the_first_paragraph_that_says_something(text, found):
    assert head.description(publish_doctree(text)) == found


def test_the_footer_names_the_commit(site):
    link = "https://github.com/memscape/memscape/tree/0123456789abcdef"
    assert f'<a href="{link}"><code>0123456789</code></a>' in page(site, "index")


def test_what_does_not_fit_the_ledger_stops_the_build(tmp_path):
    write_book(tmp_path)
    page = tmp_path / "chapters/index.md"
    page.write_text(
        "# Book\n\n````{finding} TOY-9 memory/toy fig-toy\nA.\n````\n\n{verdict}`perhaps` {claim}`TOY-8`\n"
        "\n```{api} memscape.nothing\n```\n"
        "\n```{picture} memory/toy fig-none\n```\n"
    )
    notebook = nbformat.read(tmp_path / "chapters/memory/toy.ipynb", as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "TOY-3" not in cell.source]
    nbformat.write(notebook, tmp_path / "chapters/memory/toy.ipynb")
    done = build(tmp_path)
    assert done.returncode != 0
    for message in (
        "memory/toy stores no picture called fig-none",
        "TOY-9: not a claim of the ledger",
        "TOY-8: not a claim of the ledger",
        "'perhaps': not a verdict",
        "there is no module 'memscape.nothing'",
        "memory/toy stores no check of TOY-3: execute it",
    ):
        assert message in done.stderr


BREAKS = {
    "a page is missing": (None, None, "chapters/status.html: missing, though _toc.yml names it"),
    "a row is missing": ('id="claim-TOY-2"', "", "chapters/memory/toy.html: has no row for TOY-2"),
    "a number is missing": (
        f"{MARK}0.1379",
        f"{MARK}0.2",
        f"does not show {MARK}0.1379, which TOY-1 is known to measure",
    ),
    "an outside script": (
        "</body>",
        '<script src="https://a.org/b.js"></script></body>',
        "loads https://a.org/b.js from",
    ),
    "an outside style": ("</body>", '<link rel="stylesheet" href="//a.org/b.css"></body>', "loads //a.org/b.css from"),
    "an outside background": (
        "</body>",
        '<p style="background:url(http://a.org/c)"></body>',
        "loads http://a.org/c from",
    ),
    "a lost file": ("</body>", '<script src="lost.js"></script></body>', "loads lost.js, which is not there"),
    "a lost page": ("</body>", '<a href="lost.html">x</a></body>', "links to lost.html, which is not there"),
    "a lost place": ("</body>", '<a href="toy.html#lost">x</a></body>', "links to toy.html#lost, and there is no such"),
    "a picture without alt": ('alt="A single dot"', "", "has no text alternative"),
    "a picture called by its file": ("A single dot", "../../_images/a.png", "has no text alternative"),
    "a plot without a label": ('aria-label="A line called &quot;up&quot;"', "", "has no text alternative"),
}


@pytest.mark.parametrize("case", BREAKS)
def test_the_check_sees(case, built, site, tmp_path, monkeypatch):
    monkeypatch.setattr(check, "KNOWN", ("TOY-1", f"{MARK}0.1379"))
    broken = tmp_path / "html"
    shutil.copytree(site, broken)
    before, after, problem = BREAKS[case]
    if before is None:
        (broken / "chapters/status.html").unlink()
    else:
        path = broken / "chapters/memory/toy.html"
        html = path.read_text(encoding="utf-8")
        assert before in html
        path.write_text(html.replace(before, after), encoding="utf-8")
    found = check.problems(broken, built[0])
    assert any(problem in line for line in found), found


def test_the_check_weighs_pages_with_their_pictures(built, site, monkeypatch):
    name = "chapters/memory/toy"
    pictures = {path for path in (site / "_images").iterdir() if path.name in page(site, "memory/toy")}
    assert len(pictures) == 2
    weight = (site / f"{name}.html").stat().st_size + sum(path.stat().st_size for path in pictures)
    monkeypatch.setattr(check, "KNOWN", ("TOY-1", f"{MARK}0.1379"))
    monkeypatch.setattr(check, "WEIGHTS", {name: weight, "": 10**9})
    assert check.problems(site, built[0]) == []
    monkeypatch.setattr(check, "WEIGHTS", {name: weight - 1, "": 10**9})
    message = f"{name}.html: weighs {weight:,} bytes with its pictures, over {weight - 1:,}"
    assert check.problems(site, built[0]) == [message]


def test_the_check_reads_style_sheets(built, site, tmp_path):
    broken = tmp_path / "html"
    shutil.copytree(site, broken)
    (broken / "_static/x.css").write_text('@import "https://a.org/d.css"; p { background: url("data:,x") }')
    found = [line for line in check.problems(broken, built[0]) if "x.css" in line]
    assert found == ["_static/x.css: loads https://a.org/d.css from outside"]


def test_a_folder_without_a_site_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match=r"site: expected a folder with a built site; .* Run `make book`"):
        check.problems(tmp_path, ROOT)


# ---- the real book, before it is built ----


def test_every_chapter_and_page_is_in_the_table_of_contents():
    named = set(check.pages(ROOT))
    there = {str(path.relative_to(ROOT).with_suffix("")) for path in ROOT.glob("chapters/**/*.ipynb")}
    there |= {str(path.relative_to(ROOT).with_suffix("")) for path in ROOT.glob("chapters/**/*.md")}
    assert {name for name in there if "/." not in name} - named == set()


def test_every_module_of_the_library_has_a_page():
    modules = {path.relative_to(ROOT / "src/memscape").with_suffix("") for path in ROOT.glob("src/memscape/*/*.py")}
    modules = {module for module in modules if module.name != "__init__"} | {Path("arguments")}
    for module in modules:
        page = ROOT / f"chapters/api/{module}.md"
        assert page.is_file(), f"{page.relative_to(ROOT)} is missing: write it like its neighbours"
        assert f"{{api}} memscape.{'.'.join(module.parts)}\n" in page.read_text(encoding="utf-8")
    pages = {path.relative_to(ROOT / "chapters/api").with_suffix("") for path in ROOT.glob("chapters/api/*/*.md")}
    assert pages <= modules


def test_there_is_one_bibliography():
    texts = [
        path.read_text(encoding="utf-8") for kind in ("md", "ipynb") for path in ROOT.glob(f"chapters/**/*.{kind}")
    ]
    assert sum(text.count("{bibliography}") for text in texts) == 1


def test_the_landing_page_types_no_number_of_the_ledger():
    page = (ROOT / "chapters/index.md").read_text(encoding="utf-8")
    found = page[page.index("## What was found") : page.index("```{ledger-summary}")]
    assert not re.search(r"\d", re.sub(r"\{finding\}.*", "", found))
    assert found.count("{finding}") == 3


def test_the_landing_page_names_every_chapter_and_the_sidebar_what_it_is_about():
    page = (ROOT / "chapters/index.md").read_text(encoding="utf-8")
    named = {
        entry["file"]: entry
        for part in yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
        for entry in part["chapters"]
    }
    for chapter in chapters.every(ROOT):
        title = chapter.read(checked=False).cells[0].source.partition("\n")[0].removeprefix("# ")
        assert re.search(rf"^\* \[{re.escape(title)}\]\({chapter.name}\.ipynb\): \w+", page, re.MULTILINE), chapter.name
        assert named[f"chapters/{chapter.name}"]["title"].startswith(title)
        assert len(named[f"chapters/{chapter.name}"]["title"]) > len(title) + 5


def test_numbers_on_the_notation_page_follow_from_their_formulas():
    page = (ROOT / "chapters/notation.md").read_text(encoding="utf-8")
    critical = -minimize_scalar(
        lambda y: -0.5 * (erf(y) / y - 2 / 3.141592653589793**0.5 * 2.718281828459045 ** (-(y**2))) ** 2,
        bounds=(0.5, 3),
        method="bounded",
    ).fun
    # A unit of one pattern among P is unstable in one step where Gaussian noise of variance P/N exceeds the signal 1.
    exact = brentq(lambda load: 0.5 * erfc((2 * load) ** -0.5) - 0.005, 0.05, 0.5)
    asymptotic = brentq(
        lambda load: (load / (2 * 3.141592653589793)) ** 0.5 * 2.718281828459045 ** (-1 / (2 * load)) - 0.005, 0.05, 0.5
    )
    for number in (f"{critical:.4f}", f"{exact:.3f}", f"{asymptotic:.3f}"):
        assert number in page
