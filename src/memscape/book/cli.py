"""The ``memscape`` command: run a chapter, execute the committed ones, and see what is fresh and what holds."""

from __future__ import annotations

import contextlib
import io
import itertools
import logging
import math
import os
import re
import shlex
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

import memscape
from memscape.arguments import ArgumentError, require_choice
from memscape.book import chapters, parameters

if TYPE_CHECKING:
    from distributed import Client
    from rich.table import Table

    from memscape.book.chapters import Chapter
    from memscape.book.execute import Execution, Job

app = typer.Typer(
    name="memscape",
    epilog="All but `table` works on a clone of the book: the folder that holds chapters/, claims/ and data/.",
    no_args_is_help=True,
    rich_markup_mode=None,  # boxes around the help would double what it takes
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
console = Console(markup=False, highlight=False)  # brackets in our texts are ranges, not markup
if not console.width:
    console.width = 80  # a terminal that does not know its size says 0, on which nothing would be printed

_PLAIN = {"✓": "+", "✗": "x"}
"""Marks for a terminal that cannot show ours."""

CORES = os.cpu_count() or 1
_COLOURS = {
    "reproduced": "green",
    "agrees": "cyan",
    "holds": "cyan",
    "partly": "yellow",
    "not reproduced": "red",
    "fails": "red",
    "refuted": "magenta",
    "undecided": "bright_black",
    "unchanged": "bright_black",
    "not run": "bright_black",
    "out of reach": "bright_black",
}


def _names(incomplete: str) -> list[str]:
    """Return the chapters that a shell may complete a word to."""
    try:
        return [page.name for page in chapters.every() if page.name.startswith(incomplete)]
    except ArgumentError:
        return []  # not in a clone


OneChapter = Annotated[
    str,
    typer.Argument(metavar="CHAPTER", help="memory/hopfield, hopfield, or a notebook's path.", autocompletion=_names),
]
SomeChapters = Annotated[
    list[str] | None, typer.Argument(metavar="[CHAPTER]...", help="Default: all.", autocompletion=_names)
]
Values = Annotated[
    list[str] | None,
    typer.Option("--parameter", "-p", metavar="NAME VALUE", help="A value, also as NAME=VALUE; repeat for more."),
]
Profile = Annotated[str | None, typer.Option(help="Values of profiles/PROFILE.yml; those of -p go before.")]
Workers = Annotated[int, typer.Option("--workers", "-w", min=1, help="Chapters at a time, each in its own process.")]


def _version(asked: bool) -> None:
    if asked:
        console.print(f"memscape {memscape.__version__}")
        raise typer.Exit


@app.callback()
def _memscape(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Run the chapters of Memscape, and see which are fresh and which published claims hold."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise ArgumentError("working directory", "one that exists", "one that was removed") from None


@app.command()
def run(
    chapter: OneChapter,
    parameter: Values = None,
    profile: Profile = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="The notebook to write. Default: under ./out.")
    ] = None,
) -> None:
    """Run a chapter at values of your own, in a notebook of its own."""
    page = chapters.find(chapter)
    declared = page.parameters()
    given = {} if profile is None else parameters.profile_values(page.home, profile, page.name)
    given |= _given(parameter, page)
    # What is refused here costs no kernel.
    values = parameters.resolve(declared, given, page.name)
    _require_gpu(values["device"])

    from memscape.book import execute as execution

    given = {name: values[name] for name in given}
    path = out if out is not None else _default_out(page, given, profile or "desk")
    execution.require_out(page, path)
    _, failed = _carry_out([execution.Job(page, path, given, profile or "desk")])
    raise typer.Exit(1 if failed else 0)


@app.command()
def sweep(
    chapter: OneChapter,
    grid: Annotated[
        list[str], typer.Option("--grid", "-g", metavar="NAME=VALUES", help="neurons=64,128 or seed=0:20; repeat.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the sweep.")],
    parameter: Values = None,
    profile: Profile = None,
    workers: Annotated[int, typer.Option("--workers", "-w", min=1, help="Processes, or jobs of Slurm.")] = CORES,
    scheduler: Annotated[str | None, typer.Option(help="A running Dask scheduler, tcp://host:8786.")] = None,
    slurm: Annotated[Path | None, typer.Option(help="YAML: arguments of dask_jobqueue.SLURMCluster.")] = None,
    gpu: Annotated[bool, typer.Option("--gpu", help="Only on workers with Dask's resource GPU.")] = False,
    time_limit: Annotated[float | None, typer.Option(min=0, help="Seconds that one run may take.")] = None,
    memory_limit: Annotated[float | None, typer.Option(min=0, help="MiB that one run may take.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on in OUT: only what is missing runs.")] = False,
) -> None:
    """Run a chapter over a grid of values, here or on a cluster.

    The folder OUT gets a notebook a run, and one table of it all.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from memscape.book import execute as execution
    from memscape.book import grid as grids
    from memscape.book import outcomes, sweeps

    page = chapters.find(chapter)
    declared = page.parameters()
    fixed = {} if profile is None else parameters.profile_values(page.home, profile, page.name)
    points = grids.points(grid, declared, page.name, fixed | _given(parameter, page))
    if scheduler is not None and slurm is not None:
        raise ArgumentError("scheduler", "one of --scheduler and --slurm", "both")
    if scheduler is not None:
        sweeps.require_address(scheduler)
    elif slurm is None:
        devices = {point.get("device", declared["device"].reference) for point in points}
        _require_gpu("cuda" if gpu or "cuda" in devices else "cpu")
    settings = None if slurm is None else sweeps.slurm_settings(slurm)
    options = [*(("-g", axis) for axis in grid), *(("-p", *pair.split("=", 1)) for pair in parameter or [])]
    options += [("--profile", profile)] if profile else []
    command = shlex.join(["memscape", "sweep", page.name, *itertools.chain(*options), "-o", str(out)])

    def connect(count: int) -> contextlib.AbstractContextManager[Client]:
        return sweeps.cluster(min(workers, count), scheduler, settings, gpu=gpu, on_dashboard=announce)

    def announce(address: str) -> None:
        _say("Dask's dashboard: ", address)

    def lost(reason: str) -> None:
        _say(("! ", "bold yellow"), f"The scheduler cannot be reached, trying again: {reason}")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("runs,"))
    clocks = (TimeElapsedColumn(), TextColumn("gone,"), TimeRemainingColumn(), TextColumn("left"))
    failed = 0
    with outcomes.alone(out):
        asked = outcomes.begin(out, page, points, profile or "desk", resume=resume, command=command)
        todo = asked.missing()
        limits = execution.Limits(time_limit, memory_limit)
        jobs = [execution.Job(page, asked.path(values), values, asked.profile, limits, asked.stamp) for values in todo]
        _say(f"{len(todo)} of {len(asked.points)} runs to do in {os.path.relpath(asked.folder)}")
        runs = sweeps.persistently(
            jobs, lambda: connect(len(jobs)), resources={"GPU": 1.0} if gpu else None, on_lost=lost
        )
        left = _Left(len(jobs))
        try:
            with Progress(*columns, *clocks, console=console, transient=True, speed_estimate_period=3600) as bars:
                bar = bars.add_task(page.name, total=len(jobs))
                for number, result in runs:
                    bars.advance(bar)
                    left.one_ended()
                    if isinstance(result, Exception):
                        failed += 1
                        reason = result.error if isinstance(result, execution.ChapterFailed) else repr(result)
                        asked.failed(todo[number], reason)
                        _say(("✗ ", "bold red"), str(result), left.text)
                    else:
                        asked.succeeded(todo[number])
                        if not console.is_terminal:
                            name = outcomes.name_of(todo[number])
                            _say(("✓ ", "bold green"), f"{result.facts['seconds']} s: {name}", left.text)
        finally:
            # Whatever ends the sweep, the table says what there is.
            for path in asked.save_table():
                _say(os.path.relpath(path))
    mark = ("✗ ", "bold red") if failed else ("✓ ", "bold green")
    _say(mark, f"{len(todo) - failed} runs done, {failed} failed")
    raise typer.Exit(1 if failed else 0)


@app.command()
def table(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of a sweep.")],
    across: Annotated[str | None, typer.Option("--x", help="The parameter drawn across.")] = None,
    up: Annotated[
        list[str] | None, typer.Option("--y", help="A measured value; repeat for more. Default: all.")
    ] = None,
) -> None:
    """Print what a sweep measured, a row a value, and draw it.

    It is set against what was swept, with intervals over seeds. The runs one by one are in OUT/table.csv.
    """
    from memscape.book import outcomes, plots

    found = outcomes.table(out)
    count = found["state"].value_counts()
    _say(
        f"{len(found)} runs: " + ", ".join(f"{count.get(state, 0)} {state}" for state in ("done", "failed", "missing"))
    )
    for reason, runs in found[found["reason"] != ""].groupby("reason"):
        _say(("✗ ", "bold red"), f"{len(runs)} of them: {reason}")
    by = plots.swept(found)
    shown = _table("Value", *by, "Mean", "95 % interval", "Runs")
    shown.columns[0].min_width = 14
    for column in shown.columns[1:]:
        column.no_wrap = True  # the value's name gives way where a terminal is narrow: numbers are never broken
    for row in plots.summary(found, by, up).to_dict("records"):
        half = row["high"] - row["mean"]
        interval = "" if math.isnan(half) else f"± {half if half > plots.NOISE * abs(row['mean']) else 0:.3g}"
        shown.add_row(
            row["value"], *(_shown(row[name]) for name in by), _shown(row["mean"]), interval, str(row["runs"])
        )
    console.print(shown)
    noise = [] if up else plots.measured(found)[1]
    if noise:
        _say(f"Left out as rounding noise, below {plots.NOISE:g}: {', '.join(noise)}. Ask for one with --y.")
    path = out / "table.png"
    plots.against(found, across, up, path)
    _say(("✓ ", "bold green"), os.path.relpath(path))


@app.command()
def execute(
    chapter: SomeChapters = None,
    force: Annotated[bool, typer.Option("--force", help="Execute fresh chapters too.")] = False,
    workers: Workers = 1,
) -> None:
    """Execute the committed chapters that are stale, in place."""
    from memscape.book import digest
    from memscape.book import execute as execution

    pages = _chosen(chapter)
    stale = pages if force else [page for page, reasons in digest.all_stale(pages) if reasons]
    if not stale:
        console.print(f"Nothing to execute: {len(pages)} of {len(pages)} chapters are fresh.")
        return
    home = chapters.home()
    execution.recorded(home)  # notes that are broken are refused before hours of work
    executed, failed = _carry_out([execution.Job(page) for page in stale], workers)
    if executed:
        execution.record(home, executed)
    raise typer.Exit(1 if failed else 0)


@app.command()
def normalise(chapter: SomeChapters = None) -> None:
    """Mend chapters that an editor has saved, without running them.

    Code and outputs must be those of the last execution.
    """
    from memscape.book import execute as execution

    pages = _chosen(chapter)
    mended = [page for page in pages if execution.normalise(page)]
    for page in mended:
        _say(("✓ ", "bold green"), os.path.relpath(page.path))
    if not mended:
        console.print(f"Nothing to mend: {len(pages)} of {len(pages)} chapters are as they were executed.")


@app.command()
def status(chapter: SomeChapters = None) -> None:
    """Show which chapters are fresh, and what has changed since.

    What a chapter depends on is compared with what it was when the chapter was executed.
    """
    from memscape.book import digest

    table = _table("Chapter", "State", "Why")
    for page, reasons in digest.all_stale(_chosen(chapter)):
        state = Text("stale", "red") if reasons else Text("fresh", "green")
        table.add_row(page.name, state, "\n".join(reasons))
    console.print(table)


@app.command()
def ledger(
    summary: Annotated[bool, typer.Option("--summary", help="Only count the claims by verdict.")] = False,
    verdict: Annotated[str | None, typer.Option(help="Only claims with this verdict.")] = None,
    part: Annotated[str | None, typer.Option(help="Only claims of this part of the book.")] = None,
    origin: Annotated[str | None, typer.Option(help="Only 'published' claims, or only 'ours'.")] = None,
) -> None:
    """Show the claims, and the verdict that every run must find."""
    from memscape.book.claims import ORIGINS, VERDICTS
    from memscape.book.ledger import rows, tally

    found = [(row, outcome, row.chapter.partition("/")[0]) for row, outcome, _ in rows(chapters.home())]
    if verdict is not None:
        require_choice("verdict", verdict, VERDICTS)
    if part is not None:
        require_choice("part", part, sorted({of for _, _, of in found}))
    if origin is not None:
        require_choice("origin", origin, ORIGINS)
    found = [
        (row, outcome, of)
        for row, outcome, of in found
        if verdict in (None, row.verdict) and part in (None, of) and origin in (None, row.origin)
    ]
    if not summary:
        table = _table("Claim", "Said by", "Verdict", "Statement", "Test", "Chapter")
        for row, outcome, _ in found:
            tests = [f"{name}: {test}" if name else str(test) for name, test in row.tests.items()]
            table.add_row(
                row.id,
                row.origin,
                Text(row.verdict, _COLOURS[row.verdict]),
                row.statement.strip(),
                "\n".join(tests if outcome is None else outcome.lines),
                row.chapter,
            )
        console.print(table)
    counted = tally(row for row, _, _ in found)
    for heading, counts in (("Published results", counted.published), ("Questions of ours", counted.ours)):
        entries = [Text(f"{count} {name}", _COLOURS[name]) for name, count in counts.items() if count]
        if entries:
            console.print(Text(f"{heading} ({sum(counts.values())}): ") + Text(", ").join(entries))
    if counted.pinned:
        console.print(
            f"Regression checks, numbers pinned from earlier runs: {counted.pinned}; "
            f"rows that hold nothing else: {counted.regression}"
        )


@app.command("parameters")
def show_parameters(chapter: OneChapter) -> None:
    """Show each parameter's type, default, range and meaning."""
    page = chapters.find(chapter)
    table = _table("Parameter", "Type", "Default", "Range", "Meaning")
    declared = page.parameters()
    for parameter in declared.values():
        table.add_row(parameter.name, parameter.kind, repr(parameter.reference), parameter.admitted, parameter.help)
    console.print(table)
    for relation in declared.relations:
        console.print(f"{relation.expression}: {relation.reason}", soft_wrap=True)
    profiles = parameters.profiles_of(page.home, page.name)
    choice = f" [--profile {'|'.join(profiles)}]" if profiles else ""
    console.print(f"memscape run {page.name}{choice} -p NAME VALUE", style="bold", soft_wrap=True)


@app.command()
def reproduce(workers: Workers = CORES) -> None:
    """Execute every chapter from scratch; fail if a claim drifts.

    The notebooks go to out/reproduce.
    """
    from memscape.book.execute import Job, drift

    home = chapters.home()
    jobs = [Job(page, home / "out" / "reproduce" / f"{page.name}.ipynb") for page in chapters.every(home)]
    executed, failed = _carry_out(jobs, workers)
    drifted = [sentence for one in executed for sentence in drift(chapters.find(one.chapter, home), one.path)]
    for sentence in drifted:
        _say(("✗ ", "bold red"), sentence)
    if failed or drifted:
        raise typer.Exit(1)
    _say(("✓ ", "bold green"), f"{len(executed)} chapters reproduced; no claim has drifted.")


@app.command()
def record(
    notebook: Annotated[Path, typer.Argument(metavar="NOTEBOOK", help="What `memscape run --profile paper` wrote.")],
) -> None:
    """Record what a run too large for a desk measured.

    Each claim gets a file of its own in results/.
    """
    from memscape.book import results

    for path in results.record(chapters.home(), notebook):
        _say(("✓ ", "bold green"), os.path.relpath(path))


@app.command("site-check")
def site_check() -> None:
    """Look through _build/html for what a reader would trip over."""
    from memscape.book.site import check

    home = chapters.home()
    found = check.problems(home / "_build" / "html", home)
    for problem in found:
        _say(("✗ ", "bold red"), problem)
    if found:
        raise typer.Exit(1)
    _say(("✓ ", "bold green"), f"{len(check.pages(home))} pages built and checked.")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; what it refuses ends it with a message and status 2, not with a traceback."""
    for stream in (sys.stdout, sys.stderr):
        # Greek letters and the like that a terminal cannot show are no reason to fail.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        with _interruptible():
            app(args=_paired(sys.argv[1:] if arguments is None else list(arguments)), prog_name="memscape")
    except _Interrupted:
        _say(("✗ ", "bold red"), "Stopped; what was complete is kept.")
        raise SystemExit(128 + signal.SIGINT) from None
    except Exception as error:
        from memscape.book.claims import LedgerError

        if not isinstance(error, ArgumentError | LedgerError | OSError):
            raise
        # What the system refuses, a full disk or a folder without permission, it says in a sentence of its own.
        _say(("✗ ", "bold red"), f"{type(error).__name__}: {error}" if isinstance(error, OSError) else str(error))
        raise SystemExit(2) from None


class _Interrupted(SystemExit):
    """Ctrl-C. An interrupt by its usual name typer would catch, and asyncio would hide any that is no exit."""


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Turn the first Ctrl-C into an exit that ends kernels and workers in order; a second one acts as everywhere."""

    def stop(*_: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        # What kernels and workers were asked is left unanswered, and asyncio would print a traceback for each.
        logging.disable()
        raise _Interrupted

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _paired(arguments: list[str]) -> list[str]:
    """Join ``-p name value``, papermill's form, into one ``-p name=value``: typer's repeated options take one value."""
    joined: list[str] = []
    rest = arguments[::-1]
    while rest:
        option = re.match(r"(-p|--parameter)(?:=|$)|-p(?!=)", rest[-1])
        if option is None:
            joined.append(rest.pop())
            continue
        first = rest.pop()[option.end() :] or (rest.pop() if rest else "")
        # A word with an equals sign is whole; an option behind a name is no value, a negative number is one.
        if "=" not in first and rest and not re.match(r"--?[A-Za-z]", rest[-1]):
            first = f"{first}={rest.pop()}"
        joined += ["-p", first]
    return joined


def _given(pairs: list[str] | None, page: Chapter) -> dict[str, Any]:
    """Return the values of ``-p name value``, read as the chapter declares them."""
    declared, given = page.parameters(), {}
    for pair in pairs or []:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise ArgumentError("-p", "a name and a value", repr(pair), "Write -p NAME VALUE or -p NAME=VALUE.")
        if name in given:
            raise ArgumentError("-p", "each parameter once", f"{name} twice")
        given[name] = parameters.require_known(name, declared, page.name).read(text)
    return given


def _require_gpu(device: str) -> None:
    """Refuse a GPU that is not there; torch is loaded only where one is asked for."""
    if device == "cuda":
        from memscape.book.run import require_gpu

        require_gpu()


def _default_out(page: Chapter, values: dict[str, Any], profile: str) -> Path:
    """Return a path that tells one set of values from another, so that no run takes the place of a different one."""
    folder = Path("out") / profile / page.name.partition("/")[0]
    from memscape.book.outcomes import name_of

    name = ",".join(filter(None, [page.path.stem, name_of(values)]))
    return folder / f"{name}.ipynb"


def _chosen(names: list[str] | None) -> list[Chapter]:
    return [chapters.find(name) for name in names] if names else chapters.every()


def _carry_out(jobs: list[Job], workers: int = 1) -> tuple[list[Execution], list[Exception]]:
    """Carry jobs out, with a bar for each on the terminal, and say of each how it ended."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from memscape.book.execute import ChapterFailed, in_turn

    executed: list[Execution] = []
    failed: list[Exception] = []
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("cells"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars, contextlib.ExitStack() as stack:
        tasks = [bars.add_task(job.chapter.name, total=None) for job in jobs]

        def show(number: int, position: int, count: int) -> None:
            bars.update(tasks[number], completed=position, total=count)

        left = _Left(len(jobs))
        if workers > 1 < len(jobs):
            from memscape.book import sweeps  # and with it Dask, which a run by itself need not wait for

            client = stack.enter_context(sweeps.cluster(min(workers, len(jobs))))
            results = sweeps.execute(jobs, client, show)
        else:
            results = in_turn(jobs, show)
        for number, result in results:
            bars.remove_task(tasks[number])
            left.one_ended()
            if isinstance(result, Exception):
                failed.append(result)
                known = isinstance(result, ChapterFailed)  # which names its chapter
                name = jobs[number].chapter.name
                text = str(result) if known else f"{name}: {type(result).__name__}: {result}"
                _say(("✗ ", "bold red"), text, left.text)
            else:
                executed.append(result)
                path = os.path.relpath(result.path)
                _say(("✓ ", "bold green"), "{seconds} s, {peak_mib} MiB: ".format_map(result.facts), path, left.text)
    return executed, failed


class _Left:
    """How many of several runs have ended and how long the others will take, for a log in which no bar grows."""

    def __init__(self, count: int) -> None:
        self._begin, self._count, self._ended = time.monotonic(), count, 0

    def one_ended(self) -> None:
        self._ended += 1

    @property
    def text(self) -> str:
        """What a line of the log ends in; nothing on a terminal, which has a bar, and for a single run."""
        if console.is_terminal or self._count == 1:
            return ""
        seconds = (time.monotonic() - self._begin) / self._ended * (self._count - self._ended)
        left = f", about {_duration(seconds)} left" if self._ended < self._count else ""
        return f" ({self._ended} of {self._count}{left})"


def _duration(seconds: float) -> str:
    """Return a time as a reader takes it in: ``40 s``, ``12 min``, ``5 h 30 min``."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.6g}"
    return str(value)


def _say(*parts: str | tuple[str, str]) -> None:
    text = Text.assemble(*parts)
    try:
        text.plain[:1].encode(console.encoding)
    except UnicodeEncodeError:
        text = Text.assemble(_PLAIN.get(text.plain[:1], "?"), text[1:])
    console.print(text, soft_wrap=True)


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
