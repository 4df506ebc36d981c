"""The house style of figures and the few drawings that chapters share.

Figures are drawn dark on a transparent ground, at twice the resolution they are shown at, with type that stays legible
on a phone 390 pixels wide. In dark mode the site inverts every image and turns its hue back, so that blue stays blue:
this also suits digits, which are drawn as ink on paper. An image that must stay as it is (a photograph) opts out with
the class ``picture`` in its cell's metadata, ``mystnb: {image: {classes: picture}}``.

A figure cell draws with pyplot and ends without a value (``_ = axes.legend()`` keeps one back), so that its one image
is shown once.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import seaborn as sns
from IPython.core.getipython import get_ipython
from matplotlib.colors import Colormap, LinearSegmentedColormap, to_rgb
from matplotlib.patches import Rectangle

from memscape.arguments import ArgumentError, nearest, require_integer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from plotly.graph_objects import Figure

Array = npt.NDArray[np.float64]

COLOURS = MappingProxyType(
    {
        "theory": "#1f2933",  # ink: lines that were calculated
        "measured": "#0072b2",  # blue: what a run found
        "contrast": "#d55e00",  # vermilion: what it is set against
        "second": "#009e73",  # green
        "third": "#cc79a7",  # purple
        "bound": "#7b8794",  # grey: limits, published values, guides for the eye
    }
)
"""Colours by role, from the palette of Okabe and Ito, which readers with any common colour blindness can tell apart."""

WIDTH = 5.6
"""Width of a figure in inches; at 96 pixels an inch it shrinks to about two thirds on a phone."""

_CYCLE = ("measured", "contrast", "second", "third")  # roles, as colours are taken where none is named

_MID_GREY = "#767676"  # legible on white and on near-black


def style() -> None:
    """Set the house style for every figure of this kernel; `memscape.book.begin` calls it."""
    sns.set_theme(
        style="ticks",
        font="DejaVu Sans",  # comes with matplotlib, so every machine draws the same
        palette=[COLOURS[role] for role in _CYCLE],
        rc={
            "figure.figsize": (WIDTH, 3.6),
            "figure.dpi": 96,
            "figure.facecolor": "none",
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "none",
            "axes.facecolor": "none",
            "axes.edgecolor": COLOURS["theory"],
            "axes.labelcolor": COLOURS["theory"],
            "axes.linewidth": 0.8,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": 12,
            "axes.titlecolor": COLOURS["theory"],
            "font.size": 12,
            "text.color": COLOURS["theory"],
            "xtick.color": COLOURS["theory"],
            "ytick.color": COLOURS["theory"],
            "xtick.labelsize": 11,
            "ytick.labelsize": 11,
            "legend.fontsize": 11,
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "lines.markersize": 5,
            "errorbar.capsize": 2,
            "image.cmap": "cividis",
        },
    )
    shell = get_ipython()
    if shell is not None:
        from matplotlib_inline.config import InlineBackend

        backend = mpl.get_backend()
        if "inline" in backend:
            # Pyplot draws what a cell has left for a window, and then the notebook draws it for the page.
            plt.switch_backend(backend)  # which is when pyplot asks to draw
            plt.uninstall_repl_displayhook()
        inline = InlineBackend.instance(parent=shell)
        inline.figure_formats = {"retina"}  # PNG at twice the resolution; nbval compares SVG to the letter
        # No version of matplotlib in the file: the bytes depend on the picture alone.
        keywords: Any = {"bbox_inches": "tight", "metadata": {"Software": None}}
        inline.print_figure_kwargs = keywords


def series(count: int) -> list[tuple[float, float, float]]:
    """Return ``count`` colours that read as an order (``n`` = 2, 3, 4, ...), dark to light, colour-blind safe.

    The lightest still has three times the luminance contrast to the page, white or dark, that a line needs.
    """
    require_integer("count", count, at_least=1)
    return [to_rgb(colour) for colour in mpl.colormaps["viridis"](np.linspace(0.0, 0.59, count))]


def digits(
    images: npt.ArrayLike,
    *,
    columns: int | None = None,
    titles: Sequence[str] = (),
    rows: Sequence[str] = (),
    signed: bool = False,
) -> None:
    """Draw images in a grid, as ink on paper, on one common scale.

    Parameters
    ----------
    images
        (images, height, width), filled row by row; or (rows, columns, height, width), one row a stage.
    columns
        Images in a row, for the first form; by default all, up to ten.
    titles
        What stands above the images: one an image for the first form, one a column for the second.
    rows
        What stands before the rows of the second form.
    signed
        Whether values have a sign that matters: the scale is then symmetric about zero, blue for positive and vermilion
        for negative. Otherwise the smallest value is bare paper and the largest full ink.

    Raises
    ------
    ArgumentError
        On another shape, values that are not finite, or labels that do not count up.
    """
    grid = np.asarray(images, dtype=np.float64)
    if grid.ndim not in (3, 4) or 0 in grid.shape:
        raise ArgumentError(
            "images", "axes (images, height, width) or (rows, columns, height, width)", f"shape {grid.shape}"
        )
    if not np.isfinite(grid).all():
        raise ArgumentError("images", "finite values", "NaN or infinity")
    if grid.ndim == 4:
        if columns is not None:
            raise ArgumentError("columns", "none, since images have an axis of columns", str(columns))
        columns = grid.shape[1]
        _require_labels("titles", titles, columns)
        _require_labels("rows", rows, grid.shape[0])
    else:
        columns = min(len(grid), 10) if columns is None else require_integer("columns", columns, at_least=1)
        _require_labels("titles", titles, len(grid))
        _require_labels("rows", rows, 0)
    flat = grid.reshape(-1, *grid.shape[-2:])
    lines = -(-len(flat) // columns)
    largest = float(np.abs(flat).max())
    low, high = (-largest, largest) if signed else (float(flat.min()), float(flat.max()))
    tile = (WIDTH - 0.1 * max(map(len, rows), default=0)) / columns  # about a tenth of an inch a letter
    ratio, gap = grid.shape[-2] / grid.shape[-1], 0.08 / tile  # lengths in the axes are in tiles
    titled = 0 if not titles else 1 if grid.ndim == 4 else lines
    down = ratio + gap + (0.3 / tile if titled > 1 else 0)
    # One axes for all: a layout of fifty would take longer than most runs.
    _, axes = plt.subplots(figsize=(WIDTH, lines * (tile * ratio + 0.05) + 0.3 * titled))
    colours = _signed_ink() if signed else _ink()
    for position, image in enumerate(flat):
        line, column = divmod(position, columns)
        left, top = column * (1 + gap), line * down
        place = (left, left + 1, top + ratio, top)
        axes.imshow(image, cmap=colours, vmin=low, vmax=high, extent=place)
        frame = {"fill": False, "edgecolor": COLOURS["bound"], "linewidth": 0.4, "clip_on": False}
        axes.add_patch(Rectangle((left, top), 1, ratio, **frame))  # type: ignore[arg-type]
        if position < len(titles):
            _beside(axes, titles[position], (left + 0.5, top), (0, 6), ha="center", va="bottom")
    for line, name in enumerate(rows):
        _beside(axes, name, (0, line * down + ratio / 2), (-4, 0), ha="right", va="center")
    axes.set(xlim=(0, columns * (1 + gap) - gap), ylim=((lines - 1) * down + ratio, 0))
    axes.set_axis_off()


def points(
    axes: Axes,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    bars: str,
    **drawing: Any,
) -> None:
    """Draw measured points with error bars from ``low`` to ``high`` and write above the axes what the bars are.

    Parameters
    ----------
    axes
        The axes to draw into.
    x, y, low, high
        One-dimensional, of one length, finite, with ``low <= y <= high``.
    bars
        What the bars are and how many trials they come from: ``"95 % Wilson intervals, 1000 trials"``. Written once
        however many sets of points share it.
    **drawing
        Further arguments of `matplotlib.axes.Axes.errorbar`, such as ``label`` and ``color``.
    """
    across, middle, bottom, top = _columns(x=x, y=y, low=low, high=high)
    if (bottom > middle).any() or (middle > top).any():
        raise ArgumentError("low, high", "low <= y <= high at every point", "others")
    axes.errorbar(across, middle, yerr=[middle - bottom, top - middle], **{"fmt": "o", **drawing})
    _state(axes, bars)


def band(
    axes: Axes,
    x: npt.ArrayLike,
    low: npt.ArrayLike,
    high: npt.ArrayLike,
    *,
    bars: str,
    **drawing: Any,
) -> None:
    """Shade from ``low`` to ``high`` and write above the axes what the band is; arguments as for `points`."""
    across, bottom, top = _columns(x=x, low=low, high=high)
    if (bottom > top).any():
        raise ArgumentError("low, high", "low <= high at every point", "others")
    axes.fill_between(across, bottom, top, **{"alpha": 0.2, "linewidth": 0, **drawing})
    _state(axes, bars)


def road_map(
    axes: Axes,
    places: Mapping[str, tuple[float, float]],
    roads: Sequence[tuple[str, str, bool]],
    *,
    regions: Mapping[str, Iterable[str]] = MappingProxyType({}),
) -> None:
    """Draw places, numbered roads between them, and regions that some of them share.

    Parameters
    ----------
    axes
        The axes to draw into; they lose frame and ticks.
    places
        Where the middle of each name stands, in one unit across and upwards.
    roads
        From where, to where, and whether the road only approaches its end: such a road is dashed. Roads are numbered
        1, 2, ... in their order, each number in a circle on its road.
    regions
        Names of regions and the places in them; each is shaded, and named above.

    Raises
    ------
    ArgumentError
        If there is no place, or a road or a region names a place that is not there.
    """
    if not places:
        raise ArgumentError("places", "at least one place", "none")
    for name, wanted in (
        ("roads", [end for source, target, _ in roads for end in (source, target)]),
        ("regions", [place for members in regions.values() for place in members]),
    ):
        for place in wanted:
            if place not in places:
                raise ArgumentError(name, "names of places", repr(place), nearest(place, list(places)))
    axes.set_axis_off()
    grey, ink = COLOURS["bound"], COLOURS["theory"]
    across, up = zip(*places.values(), strict=True)
    axes.set(xlim=(min(across) - 1.1, max(across) + 1.1), ylim=(min(up) - 0.7, max(up) + 1.1))
    boxes = {}
    for name, (x, y) in places.items():
        outline = {"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": COLOURS["measured"]}
        written = axes.text(x, y, textwrap.fill(name, 15), ha="center", va="center", fontsize=9, bbox=outline, zorder=3)
        boxes[name] = written.get_bbox_patch()
    for region, members in regions.items():
        inside, margin = np.array([places[member] for member in members]), np.array([1.3, 0.6])
        (left, low), (right, top) = inside.min(axis=0) - margin, inside.max(axis=0) + margin
        axes.fill([left, right, right, left], [low, low, top, top], color=grey, alpha=0.2, linewidth=0, zorder=0)
        axes.text((left + right) / 2, top + 0.1, region, ha="center", va="bottom", fontsize=10, color=ink)
    # Roads are drawn after the boxes, whose edges are known only once they are drawn: there roads begin and end.
    for number, (source, target, limit) in enumerate(roads, 1):
        arrow = {
            **{"arrowstyle": "-|>", "color": ink, "linewidth": 1.2, "linestyle": (0, (4, 2)) if limit else "-"},
            **{"patchA": boxes[source], "patchB": boxes[target], "shrinkA": 0, "shrinkB": 1},
        }
        axes.annotate("", places[target], places[source], arrowprops=arrow, zorder=4)
        x, y = np.mean([places[source], places[target]], axis=0)
        circle = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": ink, "linewidth": 0.8}
        axes.text(x, y, str(number), ha="center", va="center", fontsize=8, bbox=circle, zorder=5)


def interactive(figure: Figure) -> Figure:
    """Give a plotly figure the house template, round its data to four digits, and return it for display.

    The site redraws the figure in the colours of its theme; elsewhere mid-grey type on a transparent ground is legible
    on light and dark alike. Measured figures go into a cell tagged ``nbval-ignore-output``.
    """
    import plotly.io

    axis = {"gridcolor": "rgba(118,118,118,0.3)", "zerolinecolor": "rgba(118,118,118,0.5)", "automargin": True}
    layout = {
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "xaxis": axis,
        "yaxis": axis,
        "colorway": [COLOURS[role] for role in _CYCLE],
        "font": {"family": "sans-serif", "size": 14, "color": _MID_GREY},
        "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.02},
        "hovermode": "closest",
    }
    figure.layout.template = {"layout": layout}
    figure.layout.height = figure.layout.height or 420
    for trace in figure.data:
        for name in ("x", "y", "z"):
            values = getattr(trace, name, None)
            if values is not None and np.issubdtype(np.asarray(values).dtype, np.floating):
                trace[name] = _rounded(np.asarray(values))
    plotly.io.renderers.default = "plotly_mimetype"  # the figure's data alone, no copy of the library
    return figure


def _rounded(values: Array) -> list[Any]:
    # Lists, not arrays: plotly would store an array as base64, which rounding does not shorten.
    if values.ndim > 1:
        return [_rounded(row) for row in values]
    return [float(f"{value:.4g}") for value in values]


def _state(axes: Axes, bars: str) -> None:
    if not bars:
        raise ArgumentError("bars", "what the bars are and how many trials they come from", "nothing")
    stated = axes.get_title("right")
    if bars not in stated:
        axes.set_title(f"{stated}; {bars}" if stated else bars, loc="right", fontsize=10, color=COLOURS["bound"])


def _beside(axes: Axes, label: str, place: tuple[float, float], away: tuple[float, float], **aligned: Any) -> None:
    axes.annotate(label, place, away, textcoords="offset points", fontsize=11, **aligned)


def _columns(**arrays: npt.ArrayLike) -> list[Array]:
    found = {name: np.asarray(values, dtype=np.float64) for name, values in arrays.items()}
    length = found["x"].shape
    for name, values in found.items():
        if values.ndim != 1 or not values.size or values.shape != length:
            raise ArgumentError(name, "one axis, as long as x and not empty", f"shape {values.shape}")
        if not np.isfinite(values).all():
            raise ArgumentError(name, "finite values", "NaN or infinity")
    return list(found.values())


def _require_labels(name: str, labels: Sequence[str], count: int) -> None:
    if labels and len(labels) != count:
        raise ArgumentError(name, f"{count} labels or none", str(len(labels)))


def _ink() -> Colormap:
    colour = to_rgb(COLOURS["theory"])
    return LinearSegmentedColormap.from_list("ink", [(*colour, 0.0), (*colour, 1.0)])


def _signed_ink() -> Colormap:
    negative, positive = to_rgb(COLOURS["contrast"]), to_rgb(COLOURS["measured"])
    return LinearSegmentedColormap.from_list(
        "signed ink", [(*negative, 1.0), (*negative, 0.0), (*positive, 0.0), (*positive, 1.0)]
    )
