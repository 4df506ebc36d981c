"""Write the tables of README.md from results/desk/benchmarks, which holds one run a processor.

Run ``python benchmarks/table.py`` after a benchmark run: it moves the run to the file of its processor. A run of some
benchmarks replaces these alone. A test holds the page and the files together.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "desk" / "benchmarks"
README = ROOT / "benchmarks" / "README.md"
BEGIN, END = "<!-- written by table.py: begin -->", "<!-- written by table.py: end -->"
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def kept(results: dict[str, Any]) -> str:
    """The name of the file that keeps a run: its processor's, ``amd-epyc-avx2.json``."""
    return re.sub(r"[^a-z0-9]+", "-", results["processor"].lower()).strip("-") + ".json"


def stored(folder: Path) -> list[dict[str, Any]]:
    """The runs in a folder, in the order of their files' names."""
    return [json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))]


def joined(before: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """A run, with what an earlier one has of other files; if a package has another version there is nothing to keep.

    Packages that only one of both runs knew, because a peer came or went between, are no hindrance.
    """
    old, now = before["versions"], run["versions"]
    if any(old[name] != now[name] for name in old.keys() & now.keys()):
        return run
    new = {record["file"] for record in run["kernels"]}
    kernels = run["kernels"] + [record for record in before["kernels"] if record["file"] not in new]
    return run | {"versions": old | now, "kernels": sorted(kernels, key=lambda record: record["file"])}


def render(runs: list[dict[str, Any]]) -> str:
    """Markdown tables: ratios to the peers with a column a processor, and bounds with a table a processor."""
    lines = []
    for results in runs:
        versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
        lines.append(f"* {results['processor']}, one thread; {versions}.")
    rows: dict[tuple[str, str, str], list[str]] = {}
    for column, results in enumerate(runs):
        for record in results["kernels"]:
            for name, peer in record["peers"].items():
                row = rows.setdefault((record["kernel"], record["size"], name), ["-"] * len(runs))
                target = "" if peer["target"] is None else f", target {peer['target']:g}"
                row[column] = f"**{peer['ratio']:g}** ({peer['low']:g} to {peer['high']:g}{target})"
    processors = [results["processor"] for results in runs]
    lines += ["", _row("kernel", "size", "peer", *(f"ratio on {name} (quartiles, target)" for name in processors))]
    lines += [_row(*["---"] * (3 + len(runs))), *(_row(*labels, *cells) for labels, cells in rows.items())]
    for results in runs:
        bounded = f"{results['processor']}: amount / measured rate"
        lines += ["", _row("kernel", bounded, "what it counts", "our time, in bounds"), _row(*["---"] * 4)]
        for record in results["kernels"]:
            amounts = "; ".join(f"{entry['resource']}: {fraction(**entry)}" for entry in record["bound"])
            lines.append(_row(record["kernel"], amounts or "-", record["why"], f"{record['times_the_bound']:g}"))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def fraction(amount: float, rate: float, unit: str, **_: str) -> str:
    """``0.4 Gflop / 90 Gflop/s``."""
    return f"{quantity(amount, unit)} / {quantity(rate, unit)}/s"


def quantity(value: float, unit: str) -> str:
    """``2.05e+09, "flop"`` as ``2.05 Gflop``; a unit that is not one word stands apart from the prefix."""
    scale, prefix = next(((scale, prefix) for scale, prefix in PREFIXES if value >= scale), (1.0, ""))
    gap = "" if unit.isalpha() else " "
    return f"{value / scale:.3g} {prefix}{gap}{unit}"


def replaced(text: str, table: str) -> str:
    """``text`` with what stands between the two markers replaced by the table."""
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    return f"{head}{BEGIN}\n\n{table}\n\n{END}{tail}"


def main(run: Path | None = None) -> None:
    """Move a run to its processor's file, if one is given, and write the page anew."""
    if run is not None:
        RESULTS.mkdir(exist_ok=True)
        results = json.loads(run.read_text())
        path = RESULTS / kept(results)
        if path.exists():
            results = joined(json.loads(path.read_text()), results)
        path.write_text(json.dumps(results, indent=2) + "\n")
        run.unlink()
    README.write_text(replaced(README.read_text(), render(stored(RESULTS))))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
