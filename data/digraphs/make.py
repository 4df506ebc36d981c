"""Write the tables of this folder and their hashes: ``python data/digraphs/make.py``.

Every digraph on one to five nodes up to isomorphism, with the supports of the fixed points of its network at three
pairs of parameters. The chapter polytopes/graph_rules recomputes the tables and holds them against the files.
"""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

from memscape.polytopes.digraphs import adjacency, automorphisms, classes
from memscape.polytopes.graph_rules import Parameters, fixed_points
from memscape.polytopes.threshold_linear import written

HERE = Path(__file__).parent
PAIRS = (("0.25", "0.5"), ("0.51", "1.76"), ("0.1", "0.12"))


def table(nodes: int) -> str:
    """The table of the digraphs on ``nodes`` nodes as text; neurons are numbered from 1."""
    codes = classes(nodes)
    matrices, symmetries = adjacency(codes, nodes), automorphisms(codes, nodes)
    columns = []
    for pair in PAIRS:
        points = fixed_points(codes, nodes, Parameters(*pair))
        columns.append((points.exists, points.stable))
    lines = [",".join(["code", "edges", "automorphisms", *map(" ".join, PAIRS)])]
    for graph, code in enumerate(codes):
        edges = " ".join(f"{j + 1}>{i + 1}" for i, j in zip(*matrices[graph].nonzero(), strict=True))
        cells = [written(exists[graph], stable[graph]) for exists, stable in columns]
        lines.append(",".join([str(code), edges, str(symmetries[graph]), *cells]))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    hashes = []
    for nodes in range(1, 6):
        content = table(nodes).encode()
        packed = gzip.compress(content, compresslevel=9, mtime=0)
        (HERE / f"n{nodes}.csv.gz").write_bytes(packed)
        hashes.append(f"{hashlib.sha256(packed).hexdigest()}  n{nodes}.csv.gz")
        hashes.append(f"{hashlib.sha256(content).hexdigest()}  n{nodes}.csv")
    for name in ("published.csv", "published_classes.csv"):  # read in the n5-graphs-package, not computed
        hashes.append(f"{hashlib.sha256((HERE / name).read_bytes()).hexdigest()}  {name}")
    (HERE / "SHA256SUMS").write_text("\n".join(hashes) + "\n")
