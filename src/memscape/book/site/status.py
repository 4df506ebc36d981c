"""The status page: what the last execution of each committed chapter took, and on what; and what each test takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from docutils import nodes

from memscape.book import chapters
from memscape.book.site.directive import PageDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

STATUS = "results/desk/status.json"
TIMES = "results/desk/test_times.json"


class Status(PageDirective):
    """``{status}``: one line a chapter with seconds of one core, peak memory, processor and versions."""

    def run(self) -> list[nodes.Node]:
        """Write the table, a chapter that was never recorded included."""
        self.reads(STATUS)
        path = self.root / STATUS
        known: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        lines = ["| chapter | seconds of one core | peak memory | ran on | versions |", "|:--|--:|--:|:--|:--|"]
        for chapter in chapters.every(self.root):
            link = f"[{chapter.name}]({chapter.name}.ipynb)"
            took = known.get(chapter.name)
            lines.append(
                f"| {link} | not recorded | | | |" if took is None else f"| {link} | {' | '.join(_cells(took))} |"
            )
        return self.parse(*lines)


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
        rows = [f"| `{name}` | {found:.1f} |" for name, found in ordered]
        return self.parse("| tests | seconds of one core |", "|:--|--:|", *rows)


def _cells(took: dict[str, Any]) -> list[str]:
    memory, place = f"{took['peak_mib']:,} MiB", f"Python {took['python']}, {took['processor']}"
    if "gpu" in took:
        memory += f" (GPU {took['gpu_peak_mib']:,} MiB)"
        place += f", {took['gpu']}"
    versions = ", ".join(f"{package} {version}" for package, version in took["versions"].items())
    return [f"{took.get('user_seconds', took['seconds']):.1f}", memory, place, versions]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("status", Status)
    app.add_directive("test-times", Times)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
