"""A chapter at work: what ``book.begin`` checks before anything is computed, and what it hands the notebook.

Three things run a chapter, and `begin` treats them alike. Papermill adds a cell of its own behind the parameters cell;
nbval runs the committed cells; in Jupyter the reader edits the parameters cell and runs cells in any order. What they
share is the kernel: the values are those in its namespace, and the names set are read from the cells it has executed.
"""

from __future__ import annotations

import ast
import os
import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from memscape.arguments import ArgumentError, require_choice
from memscape.book import chapters, numbers, parameters

if TYPE_CHECKING:
    import numpy as np
    import torch

    from memscape.book.chapters import Chapter
    from memscape.book.ledger import Result
    from memscape.book.parameters import Parameter

DEVICES = ("auto", "cpu", "cuda")
"""What a chapter's parameter ``device`` may be; ``auto`` takes a GPU where there is one."""

_INJECTED = "# Parameters"  # the first line of the cell that papermill adds


@dataclass(frozen=True)
class Run:
    """One run of a chapter, as `begin` found it in order.

    Parameters
    ----------
    chapter
        The chapter's name.
    parameters
        The value of each declared parameter.
    reference
        Whether all of them, ``device`` aside, are those of the committed notebook: only then the ledger is held to its
        verdicts.
    seed
        The parameter ``seed``.
    device
        Where tensors live: the parameter ``device``, with ``auto`` settled.
    """

    chapter: str
    parameters: dict[str, Any]
    reference: bool
    seed: int
    device: torch.device

    def generator(self, offset: int = 0) -> torch.Generator:
        """Return a fresh CPU generator for torch; each offset opens a stream of its own.

        Draw on the CPU and move the result to `device`: the same seed then gives the same numbers everywhere.
        """
        import numpy as np
        import torch

        # SeedSequence scatters (seed, offset), so that seed 0 with offset 1 is not seed 1 with offset 0.
        state = np.random.SeedSequence([self.seed, offset]).generate_state(1, np.uint64)
        return torch.Generator().manual_seed(int(state[0]))

    def rng(self, offset: int = 0) -> np.random.Generator:
        """Return a fresh numpy generator, for Gaussian numbers above all; each offset opens a stream of its own."""
        import numpy as np

        return np.random.default_rng([self.seed, offset])

    def check(self, claim: str, measured: Any = None, interval: Any = None) -> None:
        """Hold a measurement against a claim of the ledger and show its row; see `memscape.book.ledger.check`.

        At reference parameters a verdict other than the recorded one raises `LedgerDrift`; at others the row is shown
        as exploratory.
        """
        from memscape.book import ledger

        ledger.check(claim, measured, chapter=self.chapter, reference=self.reference, interval=interval)

    def recorded(self, claim: str) -> Result | None:
        """Return what a run too large for a desk has stored for a claim, or None: `memscape.book.ledger.recorded`."""
        from memscape.book import ledger

        return ledger.recorded(claim, chapter=self.chapter)

    def measured(self, value: float, digits: int = 3) -> str:
        """Return a float as text for a sentence or a table: `memscape.book.numbers.measured`."""
        return numbers.measured(value, digits)

    def glue(self, name: str, value: float | str, digits: int = 3, exact: bool = False) -> None:
        """Store a number under a name for the prose to show.

        A float may differ in its last digits from one processor to the next. It is printed to ``digits`` significant
        digits behind `numbers.MARK`, and the tests do not compare it, unless it is ``exact``. Integers and text
        are always exact.
        """
        from myst_nb import glue

        glue(name, _Glued(_printed(value, digits, exact)), display=False)


class _Glued(str):
    """Text that shows without quotation marks."""

    __slots__ = ()
    __repr__ = str.__str__


def _printed(value: Any, digits: int, exact: bool) -> str:
    if isinstance(value, str):
        return value
    value = value.item() if hasattr(value, "item") else value  # a scalar of numpy or torch
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ArgumentError("value", "a number or text", f"{value!r} ({type(value).__name__})")
    if exact or isinstance(value, int):
        return numbers.exact(value, digits)
    return numbers.measured(value, digits)


def begin(chapter: str) -> Run:
    """Check the parameters this kernel holds, settle threads, device and figure style, and open the run.

    Parameters
    ----------
    chapter
        The chapter's name: a kernel does not know which notebook it runs.

    Raises
    ------
    ArgumentError
        Before anything is computed, on an unknown or missing name, a wrong type, a value out of range, values that do
        not go together, an absent GPU or a notebook without a parameters cell: what was expected, what came, and the
        nearest name.
    """
    namespace = sys._getframe(1).f_globals
    declared = _chapter(chapter).parameters()
    _require_common(declared, chapter)
    for name in _names_set(declared):
        parameters.require_known(name, declared, chapter)
    missing = [name for name in declared if name not in namespace]
    if missing:
        raise ArgumentError(
            missing[0], f"a value, {declared[missing[0]].kind}", "none", f"Run the parameters cell of {chapter} first."
        )
    values = {name: parameter.check(namespace[name]) for name, parameter in declared.items()}
    declared.require(values)
    namespace.update(values)  # an int given for a float is a float from here on
    device = _settle(values["device"])
    reference = all(values[name] == p.reference for name, p in declared.items() if name != "device")
    return Run(chapter, values, reference, values["seed"], device)


def _chapter(name: str) -> Chapter:
    known = {chapter.name: chapter for chapter in chapters.every()}
    return known[require_choice("chapter", name, list(known))]


def _require_common(declared: dict[str, Parameter], chapter: str) -> None:
    for name, kind in (("seed", "int"), ("device", "str")):
        if name not in declared or declared[name].kind != kind:
            got = declared[name].kind if name in declared else "none"
            raise ArgumentError(name, f"a parameter `{name}: {kind}` in every chapter", f"{got} in {chapter}")


def _names_set(declared: Collection[str]) -> list[str]:
    """Return the names assigned by the parameters cell and by papermill's, as this kernel last executed them.

    The kernel sees sources and no tags, so both are known by what they are: cells of nothing but assignments, of which
    the one sets most of the declared names and the other opens with papermill's comment.
    """
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is None or shell.history_manager is None:
        return []
    injected: list[str] = []
    for source in reversed(shell.history_manager.input_hist_parsed[1:]):
        assigned = _assigned(source)
        if source.startswith(_INJECTED):
            injected = injected or assigned
        elif 2 * len(set(assigned) & set(declared)) >= len(declared):
            return assigned + injected
    return injected


def _assigned(source: str) -> list[str]:
    """Return the names that a cell assigns if it does nothing else, otherwise nothing."""
    try:
        statements = ast.parse(source).body
    except SyntaxError:
        return []
    names = []
    for statement in statements:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                names.append(name)
            case _:
                return []
    return names


def _settle(device: str) -> torch.device:
    """Fix threads and figure style, and return the device asked for."""
    # One thread: sums in another order differ in their last digits, and parallelism comes from processes.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import torch

    from memscape.book import figures

    torch.set_num_threads(1)
    figures.style()
    require_choice("device", device, DEVICES)
    if device == "cuda":
        require_gpu()
    return torch.device("cuda" if device != "cpu" and torch.cuda.is_available() else "cpu")


def require_gpu() -> None:
    """Raise ArgumentError unless there is a GPU that this torch can use."""
    import torch

    if not torch.cuda.is_available():
        raise ArgumentError(
            "device",
            "a GPU that this torch can use, for 'cuda'",
            f"none (torch {torch.__version__})",
            "Take 'cpu' or 'auto', or install a CUDA build of torch.",
        )
