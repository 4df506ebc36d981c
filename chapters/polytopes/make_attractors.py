"""Draw the animation of the chapter graph_rules: ``python chapters/polytopes/make_attractors.py``.

Three networks run from the same kind of start. On the left the digraph, each neuron as large as it is active; on the
right the last moments of the trajectory, in the plane that shows most of it. The ground is transparent and all colours
are legible on white and on near-black, since dark mode turns over only the images that cells put out.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import torch
from matplotlib.animation import PillowWriter

from memscape.book import figures
from memscape.polytopes.digraphs import adjacency
from memscape.polytopes.graph_rules import Parameters, network
from memscape.polytopes.threshold_linear import trajectories

GRAPHS = ((25, 3, "3-cycle"), (24985, 5, "three 3-cycles"), (91525, 5, "four 3-cycles"))
FRAMES, EVERY, TRAIL = 56, 10, 90  # a frame is half a time constant, the trail nine frames
COLOURS = [figures.COLOURS[role] for role in ("measured", "contrast", "second", "third", "bound")]


class Lossless(PillowWriter):
    """Few colours on flat ground pack better without loss."""

    def finish(self) -> None:
        """Write what was grabbed."""
        first, *others = [frame.quantize(28, method=2).convert("RGBA") for frame in self._frames]
        first.save(
            self.outfile,
            save_all=True,
            append_images=others,
            duration=1000 // self.fps,
            loop=0,
            lossless=True,
            quality=90,
            method=6,
            minimize_size=True,
        )


def course(code: int, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Activities every twentieth of a time constant after the transient, and their projection on two axes."""
    model = network(np.array(code), nodes, Parameters(0.25, 0.5))
    start = torch.linspace(0.1, 0.3, nodes, dtype=torch.float64)
    path = trajectories(model, start, duration=300, step=0.05)[2000:].numpy()
    centred = path - path.mean(axis=0)
    return path, centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T


def main() -> None:
    """Write attractors.webp beside this file."""
    figures.style()
    courses = [course(code, nodes) for code, nodes, _ in GRAPHS]
    figure, rows = plt.subplots(len(GRAPHS), 2, figsize=(5.0, 6.6), layout="constrained")
    figure.patch.set_alpha(0)
    writer = Lossless(fps=12)
    with writer.saving(figure, str(Path(__file__).with_name("attractors.webp")), dpi=80):
        for frame in range(FRAMES):
            for (code, nodes, name), (path, plane), (left, right) in zip(GRAPHS, courses, rows, strict=True):
                left.clear()
                right.clear()
                now = TRAIL + frame * EVERY
                graph = nx.DiGraph((j, i) for i, j in np.argwhere(adjacency(np.array(code), nodes)).tolist())
                place = nx.circular_layout(sorted(graph))
                nx.draw_networkx_edges(
                    graph, place, ax=left, node_size=900, connectionstyle="arc3,rad=0.08", edge_color="#7b8794"
                )
                sizes = [60 + 1600 * path[now, neuron] for neuron in sorted(graph)]
                left.scatter(*np.array([place[n] for n in sorted(graph)]).T, s=sizes, c=COLOURS[:nodes], zorder=3)
                left.set(xlim=(-1.4, 1.4), ylim=(-1.4, 1.4), aspect="equal")
                left.set_title(name, color="#767676")
                right.plot(*plane[:2000].T, color="#7b8794", linewidth=0.4, alpha=0.5)
                right.plot(*plane[now - TRAIL : now].T, color=COLOURS[0], linewidth=2)
                right.plot(*plane[now], "o", color=COLOURS[1], markersize=9)
                right.margins(0.08)
                right.set_aspect("equal")
                left.axis("off")
                right.axis("off")
            writer.grab_frame()
    plt.close(figure)


if __name__ == "__main__":
    main()
