"""Figures are drawn as the house draws, say what their bars are, and are captioned and described for every reader."""

import base64
import itertools
import json
import re

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook, new_output
from plotly import graph_objects

from memscape.arguments import ArgumentError
from memscape.book import chapters, figures

from .conftest import PATIENT

IMAGES = {"image/png", "image/jpeg", "image/svg+xml", "application/vnd.plotly.v1+json"}


@pytest.fixture(autouse=True)
def canvas():
    """A canvas without a window, and the house style; both undone afterwards."""
    plt.switch_backend("agg")
    with mpl.rc_context():
        figures.style()
        yield
    plt.close("all")


def untold(root):
    """What the figures of the committed chapters do not tell, one sentence each."""
    found, names = [], {}
    for chapter in chapters.every(root):
        for position, cell in enumerate(chapter.read().cells):
            drawn = [output for output in cell.get("outputs", []) if IMAGES & output.get("data", {}).keys()]
            where = f"{chapter.name}, cell {position}"
            if len(drawn) > 1:
                found.append(f"{where}: {len(drawn)} images in one cell, and one caption")
            if drawn and any(output.output_type == "execute_result" for output in cell.outputs):
                found.append(f"{where}: ends with a value, which is shown beside the image")
            if drawn:
                told = cell.metadata.get("mystnb", {})
                figure, alt = told.get("figure", {}), told.get("image", {}).get("alt", "")
                name, caption = figure.get("name", ""), figure.get("caption", "")
                if not re.fullmatch(r"fig-[a-z0-9-]+", name):
                    found.append(f"{where}: name {name!r} is not of the form fig-...")
                elif names.setdefault(name, where) != where:
                    found.append(f"{where}: name {name!r} is that of {names[name]}")
                if len(caption.split()) < 8:
                    found.append(f"{where}: caption {caption!r} has fewer than 8 words")
                if len(alt.split()) < 12 or alt == caption:
                    found.append(f"{where}: alt text {alt!r} is no description of its own, 12 words or more")
    return found


def test_every_figure_of_the_book_is_captioned_and_described(root):
    assert untold(root) == []


CAPTION = "Share of patterns recalled against the load, for three sizes of network."
ALT = "Three curves fall from one to zero as the load grows from 0.05 to 0.25; larger networks fall more steeply."


def tree_with(folder, *cells, values=0):
    (folder / "chapters/memory").mkdir(parents=True)
    (folder / "pyproject.toml").touch()
    stored = []
    for kind, count, metadata in cells:
        outputs = [new_output("display_data", data={kind: "", "text/plain": "x"}) for _ in range(count)]
        outputs += [new_output("execute_result", data={"text/plain": "x"}) for _ in range(values)]
        stored.append(new_code_cell("draw()", outputs=outputs, metadata=metadata))
    nbformat.write(new_notebook(cells=stored), folder / "chapters/memory/toy.ipynb")
    return folder


def told(name="fig-recall", caption=CAPTION, alt=ALT):
    return {"mystnb": {"figure": {"name": name, "caption": caption}, "image": {"alt": alt}}}


@pytest.mark.parametrize("kind", sorted(IMAGES))
def test_a_told_figure_is_in_order(tmp_path, kind):
    assert untold(tree_with(tmp_path, (kind, 1, told()), ("text/html", 2, {}))) == []


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([("image/png", 1, {})], "memory/toy, cell 0: name '' is not of the form"),
        ([("application/vnd.plotly.v1+json", 1, {})], "memory/toy, cell 0: caption '' has fewer than 8 words"),
        ([("image/png", 1, told(name="recall"))], "cell 0: name 'recall' is not of the form"),
        ([("image/png", 1, told(caption="Recall."))], "cell 0: caption 'Recall.' has fewer"),
        ([("image/png", 1, told(alt="A plot."))], "cell 0: alt text 'A plot.' is no description"),
        ([("image/png", 1, told(caption=ALT))], "is no description of its own"),
        ([("image/png", 2, told())], "cell 0: 2 images in one cell"),
        ([("image/png", 1, told()), ("image/png", 1, told())], "name 'fig-recall' is that of memory/toy, cell 0"),
    ],
)
def test_an_untold_figure_is_named(tmp_path, cells, message):
    assert any(message in sentence for sentence in untold(tree_with(tmp_path, *cells)))


def test_a_value_beside_a_figure_is_named(tmp_path):
    (sentence,) = untold(tree_with(tmp_path, ("image/png", 1, told()), values=1))
    assert sentence == "memory/toy, cell 0: ends with a value, which is shown beside the image"


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def seen(colour, kind):
    """A colour as somebody without one kind of cone sees it (Vienot, Brettel and Mollon 1999), in linear RGB."""
    linear = np.array([c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)])
    red, green, blue = linear
    if kind == "protan":
        return np.array([0.11238 * red + 0.88762 * green] * 2 + [0.00401 * red - 0.00401 * green + blue])
    if kind == "deutan":
        return np.array([0.29275 * red + 0.70725 * green] * 2 + [-0.02234 * red + 0.02234 * green + blue])
    return linear


@pytest.mark.parametrize("kind", ["all cones", "protan", "deutan"])
def test_colours_differ_for_every_eye(kind):
    for one, other in itertools.combinations(figures.COLOURS.values(), 2):
        assert np.abs(seen(one, kind) - seen(other, kind)).max() > 0.08, (one, other)


def test_lines_stand_out_from_the_page():
    for role, colour in figures.COLOURS.items():
        contrast = 1.05 / (luminance(colour) + 0.05)
        assert contrast > (2.9 if role == "third" else 3), role


@pytest.mark.parametrize("count", [1, 2, 5, 9])
def test_a_series_of_colours_runs_from_dark_to_light(count):
    shades = [luminance(colour) for colour in figures.series(count)]
    assert len(shades) == count
    assert shades == sorted(shades)
    assert 1.05 / (shades[-1] + 0.05) > 3  # or it fades on the page


def test_type_is_legible_on_a_phone():
    shrink = 350 / (figures.WIDTH * 96)  # a phone 390 pixels wide leaves about 350 to a figure
    sizes = [mpl.rcParams[name] for name in ("font.size", "xtick.labelsize", "ytick.labelsize", "legend.fontsize")]
    assert min(sizes) * 96 / 72 * shrink > 9


def pixels(figure):
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


def test_the_ground_is_transparent():
    figure, _ = plt.subplots()
    assert (pixels(figure)[[0, 0, -1, -1], [0, -1, 0, -1], 3] == 0).all()


def grid():
    return [one for one in plt.gcf().axes if one.images]


def labels():
    (axes,) = plt.gcf().axes
    return [(label.get_text(), label.xy) for label in axes.texts]


def test_digits_are_ink_on_paper_on_one_scale():
    figures.digits(np.arange(24.0).reshape(6, 2, 2), columns=4, titles=list("abcdef"))
    (axes,) = grid()
    assert {image.get_clim() for image in axes.images} == {(0.0, 23.0)}
    corners = [image.get_extent()[0::3] for image in axes.images]
    assert corners[4][0] == corners[0][0] < corners[1][0] < corners[2][0]
    assert corners[0][1] == corners[3][1] < corners[4][1]
    assert labels() == [(name, (left + 0.5, top)) for name, (left, top) in zip("abcdef", corners, strict=True)]
    colours = axes.images[0].get_cmap()
    assert colours(0.0)[3] == 0
    assert mpl.colors.to_hex(colours(1.0)) == figures.COLOURS["theory"]


def test_signed_images_are_symmetric_about_zero():
    figures.digits(np.array([[[-3.0, 1.0], [0.0, 2.0]]]), signed=True)
    (one,) = grid()
    assert one.images[0].get_clim() == (-3.0, 3.0)
    colours = one.images[0].get_cmap()
    assert mpl.colors.to_hex(colours(0.0)) == figures.COLOURS["contrast"]
    assert mpl.colors.to_hex(colours(1.0)) == figures.COLOURS["measured"]
    assert colours(0.5)[3] < 0.01


def test_stages_stand_in_rows():
    figures.digits(np.arange(24.0).reshape(2, 3, 2, 2), rows=["noisy", "recalled"], titles=list("abc"))
    (axes,) = grid()
    assert [image.get_array().min() for image in axes.images] == [0, 4, 8, 12, 16, 20]
    (left, top), (_, below) = (axes.images[number].get_extent()[0::3] for number in (0, 3))
    assert labels()[0] == ("a", (left + 0.5, top))
    assert labels()[3:] == [("noisy", (0, top + 0.5)), ("recalled", (0, below + 0.5))]


def test_points_have_bars_and_say_what_they_are():
    _, axes = plt.subplots()
    for shift in (0, 1):
        figures.points(axes, [1, 2], np.array([3, 4]) + shift, np.array([2, 3.5]) + shift, np.array([5, 4]) + shift,
                       bars="95 % Wilson intervals, 100 trials", label="measured")  # fmt: skip
    assert axes.get_title("right") == "95 % Wilson intervals, 100 trials"
    segments = axes.containers[0].lines[2][0].get_segments()
    assert np.allclose(segments, [[[1, 2], [1, 5]], [[2, 3.5], [2, 4]]])
    figures.band(axes, [1, 2], [0, 0], [1, 1], bars="band: theory ± 1 %")
    assert axes.get_title("right") == "95 % Wilson intervals, 100 trials; band: theory ± 1 %"


def draw_points(**changes):
    arguments = {"x": [1, 2], "y": [3, 4], "low": [2, 3], "high": [4, 5], "bars": "intervals"} | changes
    figures.points(plt.figure().gca(), **arguments)


def draw_band(**changes):
    figures.band(plt.figure().gca(), **{"x": [1, 2], "low": [2, 3], "high": [4, 5], "bars": "intervals"} | changes)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: figures.series(0), "count: expected an integer >= 1; got 0"),
        (lambda: figures.digits(np.zeros((2, 2))), r"images: expected axes .* got shape \(2, 2\)"),
        (lambda: figures.digits(np.zeros((0, 2, 2))), r"images: expected axes .* got shape \(0, 2, 2\)"),
        (lambda: figures.digits(np.full((1, 2, 2), np.nan)), "images: expected finite values"),
        (lambda: figures.digits(np.zeros((2, 2, 2)), columns=0), "columns: expected an integer >= 1; got 0"),
        (lambda: figures.digits(np.zeros((2, 2, 2, 2)), columns=2), "columns: expected none"),
        (lambda: figures.digits(np.zeros((2, 2, 2)), titles=["a"]), "titles: expected 2 labels or none; got 1"),
        (lambda: figures.digits(np.zeros((2, 3, 2, 2)), titles=["a"]), "titles: expected 3 labels or none; got 1"),
        (lambda: figures.digits(np.zeros((2, 3, 2, 2)), rows=["a"]), "rows: expected 2 labels or none; got 1"),
        (lambda: figures.digits(np.zeros((2, 2, 2)), rows=["a"]), "rows: expected 0 labels or none; got 1"),
        (lambda: draw_points(y=[3]), r"y: expected one axis, as long as x and not empty; got shape \(1,\)"),
        (lambda: draw_points(x=[], y=[], low=[], high=[]), "x: expected one axis, as long as x and not empty"),
        (lambda: draw_points(low=[2, np.nan]), "low: expected finite values"),
        (lambda: draw_points(low=[3.5, 3]), "low, high: expected low <= y <= high"),
        (lambda: draw_points(bars=""), "bars: expected what the bars are"),
        (lambda: draw_band(high=[1, 5]), "low, high: expected low <= high"),
        (lambda: draw_band(bars=""), "bars: expected what the bars are"),
    ],
)
def test_a_wrong_argument_is_refused(call, message):
    with pytest.raises(ArgumentError, match=message):
        call()


def test_interactive_figures_are_rounded_and_legible_on_light_and_dark():
    trace = graph_objects.Scatter(x=np.array([0.123456, 2e-7]), y=[1, 2])
    surface = graph_objects.Heatmap(z=np.array([[0.123456, 1.0]]))
    figure = figures.interactive(graph_objects.Figure([trace, surface]))
    stored = json.loads(figure.to_json())
    assert stored["data"][0]["x"] == [0.1235, 2e-7]
    assert stored["data"][0]["y"] == [1, 2]
    assert stored["data"][1]["z"] == [[0.1235, 1.0]]
    layout = stored["layout"]["template"]["layout"]
    assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
    ink = luminance(layout["font"]["color"])
    assert 1.05 / (ink + 0.05) > 4.5
    assert (ink + 0.05) / (luminance("#121212") + 0.05) > 3.5
    assert stored["layout"]["height"] == 420


@pytest.fixture(scope="module")
def executed():
    """The outputs of a kernel that draws one figure twice, one interactive figure, digits, and counts its drawing."""
    draw = "plt.plot([0, 1], [0, 1]);"
    count = (
        "from matplotlib.figure import Figure\ndraw, drawn = Figure.draw, []\n"
        "Figure.draw = lambda figure, pen: drawn.append(figure) or draw(figure, pen)\nplt.plot([0, 1]);"
    )
    sources = ["import matplotlib.pyplot as plt\nfrom memscape.book import figures\nfigures.style()", draw, draw,
               "import plotly.graph_objects as go\nfigures.interactive(go.Figure(go.Scatter(y=[1, 2])))",
               "figures.digits([[[0, 1], [1, 0]]])", count, "print(len(drawn))"]  # fmt: skip
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    NotebookClient(notebook, kernel_name="python3", **PATIENT).execute()
    return [cell.outputs for cell in notebook.cells]


def test_a_kernel_stores_one_image_a_cell_at_twice_the_resolution(executed):
    for outputs in (executed[1], executed[4]):
        (output,) = outputs
        png = base64.b64decode(output.data["image/png"])
        width = int.from_bytes(png[16:20], "big")
        assert width == pytest.approx(2 * 96 * figures.WIDTH, rel=0.1)
        assert output.metadata["image/png"]["width"] == pytest.approx(width / 2, abs=1)


def test_the_same_figure_has_the_same_bytes(executed):
    first, second = (outputs[0].data["image/png"] for outputs in (executed[1], executed[2]))
    assert first == second
    assert b"Software" not in base64.b64decode(first)


def test_a_figure_is_laid_out_once_and_drawn_once(executed):
    assert executed[6][0].text == "2\n"


def test_an_interactive_figure_is_stored_as_data_alone(executed):
    (output,) = executed[3]
    assert set(output.data) <= {"application/vnd.plotly.v1+json", "text/plain"}


def test_a_map_has_every_place_and_a_numbered_road_between_them():
    _, axes = plt.subplots()
    places = {"a": (0.0, 0.0), "a long name of two lines": (3.0, 0.0), "b": (3.0, 4.0)}
    roads = [("a", "b", False), ("b", "a long name of two lines", True)]
    figures.road_map(axes, places, roads, regions={"land": ["a", "b"]})
    written = {text.get_text(): text for text in axes.texts if text.get_text()}
    assert list(written) == ["a", "a long name of\ntwo lines", "b", "land", "1", "2"]
    assert written["1"].get_position() == (1.5, 2.0)
    assert [text.arrow_patch.get_linestyle() for text in axes.texts if not text.get_text()] == ["-", (0, (4, 2))]
    assert not axes.axison
    # A road ends at the edge of a box, and where that is is known once the box is drawn.
    assert min(text.zorder for text in axes.texts if not text.get_text()) > written["a"].zorder
    (low, high), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert all(low < x < high and bottom < y < top for x, y in places.values())


@pytest.mark.parametrize(
    ("places", "roads", "regions", "message"),
    [
        ({}, [], {}, "places: expected at least one place; got none."),
        ({"here": (0, 0)}, [("here", "hare", False)], {}, "roads: expected names of places; got 'hare'. Did you mean"),
        ({"here": (0, 0)}, [], {"land": ["there"]}, "regions: expected names of places; got 'there'."),
    ],
)
def test_a_map_without_places_or_with_roads_to_nowhere_is_refused(places, roads, regions, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        figures.road_map(plt.subplots()[1], places, roads, regions=regions)
