"""Write the table of README.md from results/desk/benchmarks.json.

Run ``python benchmarks/table.py`` after a benchmark run; a test holds the two files together.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results" / "desk" / "benchmarks.json"
README = ROOT / "benchmarks" / "README.md"
BEGIN, END = "<!-- written by table.py: begin -->", "<!-- written by table.py: end -->"
PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def render(results: dict[str, Any]) -> str:
    """Two Markdown tables: ratios to the peers, and bounds."""
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    lines = [
        f"Processor: {results['processor']}, one thread; {versions}.",
        "",
        "| kernel | size | peer | ratio (quartiles) | target |",
        "|---|---|---|---|---|",
    ]
    for record in results["kernels"]:
        for name, peer in record["peers"].items():
            target = "-" if peer["target"] is None else f">= {peer['target']:g}"
            ratio = f"**{peer['ratio']:g}** ({peer['low']:g} to {peer['high']:g})"
            lines.append(f"| {record['kernel']} | {record['size']} | {name} | {ratio} | {target} |")
    lines += [
        "",
        "| kernel | bound: amount / measured rate | what it counts | our time, in bounds |",
        "|---|---|---|---|",
    ]
    for record in results["kernels"]:
        amounts = "; ".join(f"{entry['resource']}: {fraction(**entry)}" for entry in record["bound"])
        lines.append(f"| {record['kernel']} | {amounts or '-'} | {record['why']} | {record['times_the_bound']:g} |")
    return "\n".join(lines)


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


if __name__ == "__main__":
    README.write_text(replaced(README.read_text(), render(json.loads(RESULTS.read_text()))))
