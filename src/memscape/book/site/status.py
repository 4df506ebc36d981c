"""The status page: what the last execution of each committed chapter took, and on what; and what each test takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

from memscape.book import chapters
from memscape.book.site.directive import PageDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

STATUS = "results/desk/status.json"
TIMES = "results/desk/test_times.json"


class Status(PageDirective):
    """``{status}``: one line a chapter with seconds of one core and peak memory; processors and versions below."""

    def run(self) -> list[nodes.Node]:
        """Write the table, a chapter that was never recorded included."""
        self.reads(STATUS)
        known = noted(self.root)
        # A line for each machine and not for each chapter: most have one in common, and a phone has no room for it.
        machines = list(dict.fromkeys(_machine(took) for took in known.values()))
        lines = ["| chapter | seconds | peak memory | ran on |", "|:--|--:|--:|--:|"]
        for chapter in chapters.every(self.root):
            took = known.get(chapter.name)
            cells = ["not recorded", "", ""]
            if took is not None:
                cells = [f"{core_seconds(took):.1f}", memory(took), str(machines.index(_machine(took)) + 1)]
            lines.append(f"| [{chapter.name}]({chapter.name}.ipynb) | {' | '.join(cells)} |")
        total = sum(map(core_seconds, known.values()))
        lines.append(f"| all | {total:,.1f} | | |")
        return self.parse(*lines, "", *(f"{number}. {machine}" for number, machine in enumerate(machines, start=1)))


class Times(PageDirective):
    """``{test-times}``: one line a test file with the seconds of one core that its tests take, the longest first."""

    def run(self) -> list[nodes.Node]:
        """Write the table, or that nothing was recorded."""
        self.reads(TIMES)
        path = self.root / TIMES
        seconds: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        if not seconds:
            return self.parse("No times are recorded: `make times` records them.")
        ordered = sorted(seconds.items(), key=lambda entry: -entry[1])
        rows = [f"| {found:.1f} | `{name}` |" for name, found in ordered]  # a phone shows the first column whole
        return self.parse("| seconds | tests |", "|--:|:--|", *rows)


def noted(root: Path) -> dict[str, dict[str, Any]]:
    """Return what the last execution of each chapter took, by chapter; nothing where none is noted."""
    path = root / STATUS
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def core_seconds(took: dict[str, Any]) -> float:
    """Return the seconds of one core that a run took."""
    return float(took.get("user_seconds", took["seconds"]))


def memory(took: dict[str, Any]) -> str:
    """Return the peak memory of a run, and that of a GPU where it used one."""
    return f"{took['peak_mib']:,} MiB" + (f" (GPU {took['gpu_peak_mib']:,} MiB)" if "gpu" in took else "")


def _machine(took: dict[str, Any]) -> str:
    versions = (f"{package} {version}" for package, version in took["versions"].items())
    gpu = [took["gpu"]] if "gpu" in took else []
    return ", ".join([took["processor"], *gpu, f"Python {took['python']}", *versions])


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("status", Status)
    app.add_directive("test-times", Times)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
