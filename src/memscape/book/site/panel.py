"""The panel *Run this chapter* that every chapter's page shows above its parameters cell, made from it."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Any

from docutils import nodes

from memscape.arguments import ArgumentError
from memscape.book.chapters import Chapter
from memscape.book.parameters import Declaration, Parameter, profiles_of, resolve
from memscape.book.site import pictures
from memscape.book.site.directive import PageDirective
from memscape.book.site.status import STATUS, core_seconds, memory, noted

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_GREEK = ("alpha", "beta", "gamma", "delta", "epsilon", "eta", "theta", "lambda", "mu", "rho", "sigma", "tau")


def _meaning(parameter: Parameter) -> str:
    """Return the help with the symbol it may open with, ``N: units``, set as mathematics."""
    symbol, colon, rest = parameter.help.partition(": ")
    if colon and (len(symbol) == 1 or symbol in _GREEK):
        return f"${symbol if len(symbol) == 1 else chr(92) + symbol}$: {rest}"
    return parameter.help


def _example(declared: Declaration) -> tuple[str, int]:
    """Return a parameter and another admissible value to try: half of its own where that will do, which is quick."""
    for name, parameter in declared.items():
        if parameter.kind == "int" and name != "seed":
            reference = parameter.reference
            for value in (reference // 2, 2 * reference, reference + 1, reference - 1):
                with contextlib.suppress(ArgumentError):
                    if value != reference:
                        resolve(declared, {name: value}, "")
                        return name, value
    return "seed", declared["seed"].reference + 1


class RunPanel(PageDirective):
    """``{run-panel}``: the parameters with type, default, range and meaning, the cost, commands, and the notebook."""

    def run(self) -> list[nodes.Node]:
        """Write the panel."""
        chapter = Chapter(self.root, self.env.docname.removeprefix("chapters/"))
        parameters = chapter.parameters()
        name, value = _example(parameters)
        theme = self.env.app.config.html_theme_options
        repository, branch = theme["repository_url"].partition("github.com/")[2], theme["repository_branch"]
        colab = f"{theme['launch_buttons']['colab_url']}/github/{repository}/blob/{branch}/{self.env.docname}.ipynb"
        source = f"{'../' * self.env.docname.count('/')}_sources/{self.env.docname}.ipynb"
        rows = [
            f"| `{each.name}` | `{each.kind}` | `{each.reference!r}` | {f'`{each.admitted}`' if each.admitted else ''} "
            f"| {_meaning(each)} |"
            for each in parameters.values()
        ]
        return self.parse(
            "`````{dropdown} Run this chapter\n:class-container: run-panel\n:icon: play\n",
            "| parameter | type | default | range | meaning |\n|---|---|---|---|---|",
            *rows,
            "",
            *(f"* `{relation.expression}`: {relation.reason}" for relation in parameters.relations),
            "",
            *self._cost(chapter),
            "Every value is checked before anything runs. The result is a notebook of its own:",
            f"```bash\nmemscape run {chapter.name} -p {name} {value}\n```",
            "The same with papermill alone:",
            f"```bash\npapermill chapters/{chapter.name}.ipynb out.ipynb -p {name} {value}\n```",
            f'<a href="{source}" download>Download the notebook</a> · <a href="{colab}">Open it in Colab</a>',
            "`````",
        )

    def _cost(self, chapter: Chapter) -> list[str]:
        """What the run at the default values took, and the command of a quicker one where there is a profile for it."""
        self.reads(STATUS, "profiles/*.yml")
        took, lines = noted(self.root).get(chapter.name), []
        if took is not None:
            cost = f"{core_seconds(took):.0f} seconds of one core and {memory(took)} of memory"
            lines += [f"At these values it takes {cost}.", ""]
        if "fast" in profiles_of(self.root, chapter.name):
            lines += ["Small values, for a first try in less time:"]
            lines += [f"```bash\nmemscape run {chapter.name} --profile fast\n```"]
        return lines


def _insert(_app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the best picture under the first cell of every chapter and the directive where the parameters are.

    The notebook on disk knows nothing of it.
    """
    folder, _, name = docname.rpartition("/")
    if folder.startswith("chapters/") and name and source[0].lstrip().startswith("{"):
        notebook = pictures.opened(json.loads(source[0]))
        position = next(
            (i for i, cell in enumerate(notebook["cells"]) if "parameters" in cell["metadata"].get("tags", [])), 1
        )
        panel = {"cell_type": "markdown", "metadata": {}, "id": "run-panel", "source": "```{run-panel}\n```"}
        notebook["cells"].insert(position, panel)
        source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive and put it on the chapters' pages."""
    app.add_directive("run-panel", RunPanel)
    app.connect("source-read", _insert)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
