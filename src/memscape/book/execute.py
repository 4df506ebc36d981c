"""Executing a chapter with papermill: to a file of its own at any parameters, or in place at the committed ones.

Whatever fails, nothing that was there before is touched. A notebook grows beside its goal as a partial one, cell by
cell, and takes its place in one step when it is complete; the partial notebook of a failed run stays where it is.
"""

from __future__ import annotations

import ast
import copy
import functools
import json
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import nbformat
import papermill
import psutil
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient.exceptions import DeadKernelError
from nbformat import NotebookNode
from nbstripout import strip_output
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError

from memscape.arguments import ArgumentError
from memscape.book import chapters, digest, parameters
from memscape.book.chapters import Chapter

OnCell = Callable[[int, int], None]
"""Called before each cell with its position and the number of cells, to show progress."""

OnProgress = Callable[[int, int, int], None]
"""Called as a job begins a cell: the job's number, the cell's position, the number of cells."""

STATUS = Path("results/desk/status.json")
"""What the last execution of each committed chapter cost, for the site's status page."""

_KERNEL = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "PASSIVE",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # a caller's Agg would swallow every figure
    # What a user has at home: a kernel would run the one, as it would a profile of IPython, and draw by the other.
    "PYTHONSTARTUP": "",
    "PYTHONUTF8": "1",  # whatever the locale: a chapter's files and prints are UTF-8
    "MATPLOTLIBRC": os.devnull,
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or the debugger prints a warning at every start
}
_KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
_OURS = {"notebook": {"kernelspec", "memscape"}, "cell": {"tags", "mystnb"}}
"""The metadata that say something; all else is the front end's: times, the state of widgets, what is folded."""

_STARTS = 3  # attempts to start a kernel
_SOCKET = 90  # characters: the name of a socket has at most 103 on every Unix, of which its end takes some
_SAVED = 1.0  # seconds from one save of the partial notebook to the next
_PATIENCE = 600  # seconds: a kernel that lives may be slow where the machine is busy, and one that dies is seen at once
_FACTS = "from memscape.book.facts import facts\nprint(facts())"
_PAPERMILLS = {"injected-parameters", "papermill-error-cell-tag"}
_ADDRESS = re.compile(r"\bat 0x[0-9a-f]{6,}")


@dataclass(frozen=True)
class Execution:
    """A chapter executed: its name, where the notebook lies, and what it took (`memscape.book.facts` and seconds)."""

    chapter: str
    path: Path
    facts: dict[str, Any]


@dataclass(frozen=True)
class Limits:
    """What one run may take; a kernel that takes more is stopped.

    Parameters
    ----------
    seconds
        Wall time from the start of the kernel, or None for no limit.
    mib
        Resident memory of the kernel and the processes it started, in MiB, or None for no limit.
    """

    seconds: float | None = None
    mib: float | None = None


class ChapterFailed(RuntimeError):
    """A chapter that stopped with an error; the notebook as far as it came is kept."""

    def __init__(self, chapter: str, error: str, partial: Path) -> None:
        self.chapter, self.error, self.partial = chapter, error, partial
        super().__init__(chapter, error, partial)  # what a process that rebuilds the exception passes

    def __str__(self) -> str:
        return f"{self.chapter}: {self.error}\nThe notebook as far as it came: {self.partial}"


def in_place(chapter: Chapter, on_cell: OnCell | None = None) -> Execution:
    """Execute the committed notebook at its own parameters, normalise and stamp it, and put it back.

    Raises
    ------
    ChapterFailed
        With the committed notebook as it was and the partial one under ``out/failed/``.
    """
    before = chapter.path.read_bytes()
    notebook = _bare(chapter.read())
    stamp = stamp_of(chapter, notebook)
    parameters.declared(stamp["parameters"])  # refused here, a slip costs no kernel
    partial = chapter.home / "out" / "failed" / f"{chapter.name}.ipynb"
    executed, facts = _execute(
        chapter, notebook, partial, on_cell=on_cell, cwd=chapter.path.parent, environment={chapters.AUTHOR: "1"}
    )
    if chapter.path.read_bytes() != before:
        raise ChapterFailed(chapter.name, "the committed notebook was edited while it ran", partial)
    executed = normalised(executed)
    executed.metadata["memscape"] = stamp | {"outputs": digest.outputs(executed)}
    replace(chapter.path, text(executed))
    partial.unlink()
    return Execution(chapter.name, chapter.path, facts)


def to(
    chapter: Chapter,
    path: Path,
    values: Mapping[str, Any] | None = None,
    *,
    profile: str = "desk",
    limits: Limits = Limits(),
    stamp: Mapping[str, Any] | None = None,
    on_cell: OnCell | None = None,
) -> Execution:
    """Execute a chapter at the given values and write the notebook to ``path``, stamped with both.

    Parameters
    ----------
    chapter
        The chapter; its committed notebook is only read.
    path
        Where the result goes. What is there stays until a complete run replaces it.
    values
        Values of some parameters; the others keep their reference values.
    profile
        The name of the profile the values come from, for the stamp.
    limits
        What the run may take.
    stamp
        What `stamp` returned for the chapter as it stands, to save the work where many runs follow each other.
    on_cell
        Shows progress.

    Raises
    ------
    ArgumentError
        On a refused parameter, before a kernel starts, and on a path among the committed chapters.
    ChapterFailed
        With the partial notebook beside ``path``, as ``<name>.partial.ipynb``.
    """
    path = require_out(chapter, path)
    values = {} if values is None else values
    resolved = parameters.resolve(chapter.parameters(), values, chapter.name)
    notebook = _bare(chapter.read())
    chapters.parameters_cell(notebook, chapter.name).source = chapter.declaration()
    provenance = {**(stamp_of(chapter, notebook) if stamp is None else stamp), "values": resolved, "profile": profile}
    executed, facts = _execute(
        chapter,
        notebook,
        path.with_suffix(".partial.ipynb"),
        on_cell=on_cell,
        cwd=Path.cwd(),
        values={name: resolved[name] for name in values},
        limits=limits,
    )
    executed = normalised(executed)
    executed.metadata["memscape"] = provenance | {"facts": facts, "outputs": digest.outputs(executed)}
    replace(path, text(executed))
    path.with_suffix(".partial.ipynb").unlink()
    return Execution(chapter.name, path, facts)


@dataclass(frozen=True)
class Job:
    """One execution: a chapter, where its notebook goes (None: in place), and the values to run it at."""

    chapter: Chapter
    path: Path | None = None
    values: dict[str, Any] = field(default_factory=dict)
    profile: str = "desk"
    limits: Limits = field(default_factory=Limits)
    stamp: Mapping[str, Any] | None = None

    def run(self, on_cell: OnCell | None = None) -> Execution:
        """Carry the job out in this process."""
        if self.path is None:
            return in_place(self.chapter, on_cell)
        return to(
            self.chapter,
            self.path,
            self.values,
            profile=self.profile,
            limits=self.limits,
            stamp=self.stamp,
            on_cell=on_cell,
        )


def in_turn(
    jobs: Sequence[Job], on_progress: OnProgress = lambda number, position, count: None
) -> Iterator[tuple[int, Execution | Exception]]:
    """Carry jobs out in this process, one after the other, and yield the number of each with how it ended.

    One that fails does not stop the others.
    """
    for number, job in enumerate(jobs):
        try:
            yield number, job.run(functools.partial(on_progress, number))
        except Exception as error:
            yield number, error


def require_out(chapter: Chapter, path: Path) -> Path:
    """Return where a notebook may be written, resolved, and otherwise raise ArgumentError: no folder, no chapter."""
    whole = path.resolve()
    if whole.is_dir():
        cure = f"Name a file in it: {path / chapter.path.name}."
        raise ArgumentError("out", "a notebook to write, NAME.ipynb", f"{path}, a folder", cure)
    if whole.suffix != ".ipynb":
        raise ArgumentError("out", "a notebook to write, NAME.ipynb", str(path))
    if whole.is_relative_to(chapter.home / "chapters"):
        cure = "Committed notebooks change by `memscape execute` only."
        raise ArgumentError("out", "an .ipynb file outside chapters/", str(whole), cure)
    try:
        # Asking is not enough: a full disk and the folders of a running system say no only to whoever tries.
        whole.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=whole.parent) as file:
            file.write(b"a notebook")
    except OSError as error:
        got = f"{whole.parent}: {error.strerror}"
        raise ArgumentError("out", "a folder that can be written to", got, "Name another one with -o.") from None
    return whole


def stamp_of(chapter: Chapter, notebook: NotebookNode | None = None) -> dict[str, Any]:
    """Return what a run of the chapter is stamped with: its digest and the declaration of its parameters."""
    notebook = chapter.read() if notebook is None else notebook
    # Hashed before the kernel starts: what is edited while it runs makes the outputs stale, not fresh.
    cell = chapters.parameters_cell(notebook, chapter.name)
    return {"digest": digest.of(chapter, notebook), "parameters": cell.source}


def normalised(notebook: NotebookNode) -> NotebookNode:
    """Return a copy without anything that differs from one run to the next: times, machines, front-end state."""
    notebook = strip_output(copy.deepcopy(notebook), keep_output=True, keep_count=True, keep_id=True)
    notebook.metadata["kernelspec"] = dict(_KERNELSPEC)
    _keep(notebook.metadata, _OURS["notebook"])
    for cell in notebook.cells:
        _keep(cell.metadata, _OURS["cell"])
        if not cell.metadata.get("tags", True):
            del cell.metadata["tags"]  # papermill leaves an empty list everywhere
    return notebook


def _keep(metadata: NotebookNode, names: set[str]) -> None:
    for name in metadata.keys() - names:
        del metadata[name]


def normalise(chapter: Chapter) -> bool:
    """Write a committed notebook anew as its execution left it, where an editor has saved it; whether that was needed.

    Nothing runs: the code cells and the outputs must be those that were stamped.

    Raises
    ------
    ArgumentError
        If the chapter is stale.
    """
    stale = digest.stale(chapter)
    if stale:
        raise ArgumentError(chapter.name, "a fresh chapter", "; ".join(stale), f"memscape execute {chapter.name}")
    notebook = normalised(chapter.read())
    # The outputs are those of a run from top to bottom, so the counts are, too.
    for count, cell in enumerate(chapters.code_cells(notebook), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    if text(notebook) == chapter.path.read_text(encoding="utf-8"):
        return False
    replace(chapter.path, text(notebook))
    return True


def text(notebook: NotebookNode) -> str:
    """Return a notebook as it is written: sorted keys, one space of indent, a line feed at the end."""
    return f"{nbformat.writes(notebook)}\n"


def faults(chapter: Chapter) -> list[str]:
    """Return what makes a committed notebook unfit to be published, one sentence each; nothing if it is sound."""
    notebook = chapter.read()
    cells = chapters.code_cells(notebook)
    found = []
    if text(normalised(notebook)) != chapter.path.read_text(encoding="utf-8"):
        found.append("not normalised")
    for position, cell in enumerate(cells, start=1):
        if cell.execution_count != position:
            found.append(
                f"not executed from top to bottom: code cell {position} bears the count {cell.execution_count}"
            )
            break
    found += [f"code cell {n}: {fault}" for n, cell in enumerate(cells, start=1) for fault in _cell_faults(cell)]
    return found


def _cell_faults(cell: NotebookNode) -> Iterator[str]:
    if _PAPERMILLS.intersection(cell.metadata.get("tags", [])):
        yield "papermill's injected parameters; run other values with `memscape run`"
    for output in cell.outputs:
        if output.output_type == "error":
            yield f"stores an error, {output.ename}: {output.evalue}"
        elif output.get("name") == "stderr":
            yield f"stores text on stderr, {output.text.strip()[:60]!r}"
        elif _ADDRESS.search(output.get("text", "") + output.get("data", {}).get("text/plain", "")):
            yield "prints a memory address, which no two runs share"


def drift(chapter: Chapter, path: Path) -> list[str]:
    """Return where the verdicts in an executed notebook are not those of the ledger, one sentence each."""
    from memscape.book import claims

    recorded = {row.id: row.verdict for row in claims.load(chapter.home).values() if row.chapter == chapter.name}
    found = {check["claim"]: check["verdict"] for check in checks(chapters.load(path))}
    return [
        f"{claim}: the ledger records '{recorded.get(claim, 'no such claim')}', "
        f"{chapter.name} finds '{found.get(claim, 'nothing')}'"
        for claim in sorted(recorded.keys() | found.keys())
        if recorded.get(claim) != found.get(claim)
    ]


def checks(notebook: NotebookNode) -> list[dict[str, Any]]:
    """Return what the checks in an executed notebook stored, in order (`memscape.book.ledger.Outcome.data`)."""
    from memscape.book import ledger

    return [
        output.metadata[ledger.KEY]
        for cell in chapters.code_cells(notebook)
        for output in cell.outputs
        if ledger.KEY in output.get("metadata", {})
    ]


def record(home: Path, executions: list[Execution]) -> None:
    """Note what executing committed chapters took, for the status page."""
    path, known = home / STATUS, recorded(home)
    known |= {done.chapter: done.facts | {"profile": "desk"} for done in executions}
    replace(path, json.dumps(dict(sorted(known.items())), indent=1) + "\n")


def recorded(home: Path) -> dict[str, Any]:
    """Return what `record` has noted, by chapter.

    Raises
    ------
    ArgumentError
        If the file is broken: with the marks of a merge in it, for one.
    """
    path = home / STATUS
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}
    except (ValueError, TypeError) as error:
        cure = "Mend it, or remove it and execute the chapters that it should name."
        raise ArgumentError(STATUS.as_posix(), "what `memscape execute` notes", str(error)[:80], cure) from None


def _execute(
    chapter: Chapter,
    notebook: NotebookNode,
    partial: Path,
    *,
    cwd: Path,
    on_cell: OnCell | None,
    values: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    limits: Limits = Limits(),
) -> tuple[NotebookNode, dict[str, Any]]:
    """Run a bare notebook in a kernel of its own, with the partial one on disk; return it and what it took."""
    replace(partial, text(notebook))
    count = len(notebook.cells) + bool(values)
    start = time.perf_counter()
    try:
        with TemporaryDirectory(prefix="memscape-", ignore_cleanup_errors=True) as profile:
            executed = papermill.execute_notebook(
                str(partial),
                str(partial),
                parameters=dict(values or {}),
                engine_name=_Engine.name,
                progress_bar=False,
                start_timeout=_PATIENCE,
                environment={
                    **os.environ,
                    **_KERNEL,
                    "MEMSCAPE_HOME": str(chapter.home),
                    "IPYTHONDIR": profile,
                    **(environment or {}),
                },
                folder=str(cwd),
                coalesce_streams=True,
                limits=limits,
                on_cell_start=on_cell and (lambda cell, cell_index: on_cell(cell_index, count)),
            )
    except PapermillExecutionError as error:
        raise ChapterFailed(chapter.name, f"{error.ename}: {error.evalue}", partial) from None
    except _Exceeded as error:
        raise ChapterFailed(chapter.name, str(error), partial) from None
    except DeadKernelError as error:
        raise ChapterFailed(chapter.name, f"the kernel died, perhaps for want of memory: {error}", partial) from None
    seconds = round(time.perf_counter() - start, 1)
    return executed, {"seconds": seconds, **executed.metadata.papermill["facts"]}


class _Exceeded(RuntimeError):
    """A run that took more than its limits allow."""


@contextmanager
def _held_to(limits: Limits, kernel: int) -> Iterator[None]:
    """Stop a kernel, with all that it started, as soon as it exceeds its limits, and say so."""
    if limits == Limits():
        yield
        return
    exceeded: list[str] = []
    over = threading.Event()
    begin = time.monotonic()

    def watch() -> None:
        while not over.wait(0.1):
            with suppress(psutil.NoSuchProcess):
                processes = [psutil.Process(kernel)]
                processes += processes[0].children(recursive=True)
                mib = sum(process.memory_info().rss for process in processes) / 2**20
                if limits.seconds is not None and time.monotonic() - begin > limits.seconds:
                    exceeded.append(f"took longer than its limit of {limits.seconds:g} s")
                elif limits.mib is not None and mib > limits.mib:
                    exceeded.append(f"took {mib:.0f} MiB, more than its limit of {limits.mib:g} MiB")
                else:
                    continue
                for process in processes:
                    process.kill()
                return

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except DeadKernelError:
        if exceeded:
            raise _Exceeded(exceeded[0]) from None
        raise
    finally:
        over.set()
        watcher.join()


@contextmanager
def _saved_seldom(notebook: Any) -> Iterator[None]:
    """Save papermill's notebook once a second at most while its cells run, where it would twice a cell, text or code.

    A notebook of a hundred cells with its pictures takes seconds to write two hundred times. Papermill itself saves it
    once more at the end, whether or not the run failed.
    """
    save, last = notebook.save, time.monotonic()

    def seldom(**named: Any) -> None:
        nonlocal last
        if time.monotonic() - last >= _SAVED:
            save(**named)
            last = time.monotonic()

    notebook.save = seldom
    try:
        yield
    finally:
        notebook.save = save


class _OwnKernel(KernelSpecManager):
    """Knows one kernel, that of the Python that runs here, whatever else a machine has under the name python3."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        return KernelSpec(**get_kernel_dict())


class _Client(PapermillNotebookClient):
    """Papermill's client, which at the end asks the kernel what the run took."""

    def execute(self, limits: Limits, **kernel: Any) -> NotebookNode:
        self.reset_execution_trackers()
        with ExitStack() as stack:
            stack.enter_context(_saved_seldom(self.nb_man))
            self._start(stack, kernel)
            stack.enter_context(_held_to(limits, self._ipykernel()))
            self.papermill_execute_cells()
            if not self.nb.metadata.papermill.get("exception"):
                self.nb.metadata.papermill["facts"] = ast.literal_eval(self._ask(_FACTS))
        return self.nb

    def _start(self, stack: ExitStack, kernel: dict[str, Any]) -> None:
        """Start a kernel that is spoken to by sockets in a folder of its own.

        Ports would be chosen first and bound later, when another kernel may have taken one. They are used where the
        folder's name is too long for a socket, and then a kernel is tried again.
        """
        sockets = Path(stack.enter_context(TemporaryDirectory(prefix="memscape-"))) / "kernel"
        for attempt in range(1, _STARTS + 1):
            manager = self.create_kernel_manager()  # a new one chooses new ports
            manager.kernel_spec_manager = _OwnKernel()
            if len(str(sockets)) <= _SOCKET:
                manager.transport, manager.ip = "ipc", str(sockets)
            try:
                stack.enter_context(self.setup_kernel(**kernel))
                return
            except RuntimeError:
                if attempt == _STARTS:
                    raise

    def _ipykernel(self) -> int:
        """Return the number of the kernel's process."""
        assert self.km is not None  # `_start` made it
        return self.km.provisioner.pid

    def _ask(self, source: str) -> str:
        """Execute one more cell, which is not kept, and return what it prints."""
        # A cell and no bare request: its end is waited for, and a kernel stopped earlier complains on the terminal.
        self.nb.cells.append(nbformat.v4.new_code_cell(source))
        answer = self.execute_cell(self.nb.cells[-1], len(self.nb.cells) - 1, store_history=False)
        self.nb.cells.pop()
        return answer.outputs[-1].text


class _Engine(NBClientEngine):
    """Papermill's own engine, with an environment and a working folder for the kernel alone."""

    name = "memscape"

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        environment: dict[str, str],
        folder: str,
        coalesce_streams: bool,
        limits: Limits,
        on_cell_start: Any,
        start_timeout: int,
        **_: Any,
    ) -> NotebookNode:
        client = _Client(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            iopub_timeout=_PATIENCE,  # a cell's output may come later than the word that it has ended
            timeout=None,
            coalesce_streams=coalesce_streams,
            on_cell_start=on_cell_start,
        )
        return client.execute(limits, env=environment, cwd=folder)


papermill_engines.register(_Engine.name, _Engine)


def _bare(notebook: NotebookNode) -> NotebookNode:
    """Return the notebook as its author wrote it: no outputs, no stamp, none of papermill's own cells."""
    notebook = strip_output(normalised(notebook), keep_output=False, keep_count=False, keep_id=True)
    notebook.cells = [cell for cell in notebook.cells if not _PAPERMILLS.intersection(cell.metadata.get("tags", []))]
    notebook.metadata.pop("memscape", None)
    return notebook


def replace(path: Path, content: str) -> None:
    """Write a file in one step: readers see the old content or the new, never half of it."""
    with drafted(path) as draft:
        draft.write_text(content, encoding="utf-8")


@contextmanager
def drafted(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which takes the place of ``path`` in one step, or is gone where writing fails.

    A file that is there keeps its permissions, and a symbolic link leads on to what has been written.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield draft
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
