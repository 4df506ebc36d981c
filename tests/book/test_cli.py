"""The command says what it does, refuses what it must before anything starts, and exits accordingly."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import nbformat
import pandas as pd
import psutil
import pytest
import torch
from rich.console import Console

from memscape.book import chapters, claims, cli, digest, execute, outcomes, yml

from .conftest import BEGIN, BODY, CLAIMS, PARAMETERS, chapter, write

PLAIN = "started = 1"  # instead of book.begin, where torch need not be loaded
CHECK = "from memscape.book import ledger\nledger.check('TOY-1', 40, chapter='memory/toy', reference=True)"


@pytest.fixture
def memscape(home, monkeypatch, capsys):
    """Run the command in this process; return its exit status and what it printed."""
    monkeypatch.setattr(cli, "console", Console(width=200, markup=False, highlight=False))

    def command(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        return ended.value.code, capsys.readouterr().out

    return command


def test_run_writes_a_notebook_of_its_own_named_by_its_values(memscape, add, home):
    path = add("memory/toy", "(neurons, loads)", begin=PLAIN)
    before = path.read_bytes()
    status, text = memscape("run", "toy", "-p", "neurons", "50", "-p", "loads", "[0.1, 0.3]")
    out = home / "out/desk/memory/toy,neurons=50,loads=0.1_0.3.ipynb"
    assert status == 0
    assert re.search(rf"✓ [\d.]+ s, \d+ MiB: {re.escape(str(out.relative_to(home)))}\n", text)
    assert "(50, [0.1, 0.3])" in out.read_text()
    assert path.read_bytes() == before


def test_run_takes_a_profile_and_values_before_it(memscape, add, home):
    add("memory/toy", "(neurons, load)", begin=PLAIN)
    assert memscape("run", "memory/toy", "--profile", "large", "-p", "neurons", "40", "-o", "mine.ipynb")[0] == 0
    notebook = nbformat.read("mine.ipynb", 4)
    assert notebook.cells[-1].outputs[0].data["text/plain"] == "(40, 1.0)"
    assert chapters.stamp(notebook)["profile"] == "large"


def test_runs_at_different_values_do_not_take_each_others_place(home):
    page = chapters.Chapter(home, "memory/toy")
    long = [{"loads": [i + j / 100 for i in range(40)]} for j in range(2)]
    paths = {cli._default_out(page, values, "desk") for values in [{}, {"load": 0.1}, {"load": 0.2}, *long]}
    assert len(paths) == 5
    assert cli._default_out(page, {}, "large") == Path("out/large/memory/toy.ipynb")
    assert max(len(path.name) for path in paths) < 120


def test_a_failed_run_says_what_failed_and_where_it_came_to(memscape, add, home):
    add("memory/toy", "1 / 0", begin=PLAIN)
    status, text = memscape("run", "toy")
    assert status == 1
    assert "✗ memory/toy: ZeroDivisionError: division by zero" in text
    assert str(home / "out/desk/memory/toy.partial.ipynb") in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "toy", "-p", "neurns", "500"], "neurns: expected a parameter of memory/toy"),
        (["run", "toy", "-p", "neurns", "500"], "got an unknown name. Did you mean 'neurons'?"),
        (["run", "toy", "-p", "neurons", "5"], "neurons: expected an integer in [10, 5000]; got 5."),
        (["run", "toy", "-p", "neurons", "many"], "neurons: expected an integer in [10, 5000]; got 'many'."),
        (["run", "toy", "-p", "load", "-0.5"], "load: expected a finite number in [0, 1]; got -0.5."),
        (["run", "toy", "-p", "neurons"], "-p: expected a name and a value; got 'neurons'. Write -p NAME VALUE or"),
        (["run", "toy", "-p", "neurons", "--profile", "large"], "-p: expected a name and a value; got 'neurons'."),
        (["run", "toy", "-p"], "-p: expected a name and a value; got ''."),
        (["run", "toy", "-p", "=7"], "-p: expected a name and a value; got '=7'."),
        (["run", "toy", "-p", "seed", "5", "-p=seed=6"], "-p: expected each parameter once; got seed twice."),
        (["run", "toy", "-p", "loads", "[0.05"], "loads: expected brackets and quotes that are closed; got '[0.05'."),
        (["run", "toy", "-p", "loads", "0.05"], "loads: expected a list in brackets, '[0.05, 0.1]'; got '0.05'."),
        (
            ["run", "toy", "-p", "device", "cuda"],
            "device: expected a GPU that this torch can use, for 'cuda'; got none",
        ),
        (
            ["run", "toy", "-o", "profiles"],
            "out: expected a notebook to write, NAME.ipynb; got profiles, a folder. Name",
        ),
        (["run", "toy", "-o", "profiles"], "Name a file in it: profiles/toy.ipynb."),
        (["run", "toy", "-o", "toy.txt"], "out: expected a notebook to write, NAME.ipynb; got toy.txt."),
        (["run", "toy", "-o", "pyproject.toml/a.ipynb"], "out: expected a folder that can be written to; got /"),
        (["run", "memory"], "chapter: expected one of memory/toy; got 'memory', a part of the book."),
        (["run", "toi"], "chapter: expected one of memory/toy; got 'toi'. Did you mean 'toy'?"),
        (["run", "toy", "--profile", "huge"], "profile: expected one of 'large'; got 'huge'"),
        (["run", "toy", "-o", "chapters/memory/toy.ipynb"], "out: expected an .ipynb file outside chapters/"),
        (["execute", "toi"], "chapter: expected one of memory/toy; got 'toi'."),
        (["status", "toi"], "chapter: expected one of memory/toy; got 'toi'."),
        (["parameters", "toi"], "chapter: expected one of memory/toy; got 'toi'."),
        (["sweep", "toi", "-g", "neurons=20", "-o", "out"], "chapter: expected one of memory/toy; got 'toi'."),
        (["sweep", "toy", "-g", "neurns=20", "-o", "out"], "neurns: expected a parameter of memory/toy"),
        (["sweep", "toy", "-g", "neurons=20,5", "-o", "out"], "neurons: expected an integer in [10, 5000]; got 5."),
        (
            ["sweep", "toy", "-g", "seed=0:2", "-p", "load", "2", "-o", "out"],
            "load: expected a finite number in [0, 1]",
        ),
        (
            ["sweep", "toy", "-g", "seed=0:2", "-o", "out", "--scheduler", "tcp://a:1", "--slurm", "b.yml"],
            "scheduler: expected one of --scheduler and --slurm; got both.",
        ),
        (
            ["sweep", "toy", "-g", "seed=0:2", "-o", "out", "--scheduler", "nonsense"],
            "scheduler: expected the address of a scheduler, tcp://host:8786; got 'nonsense'.",
        ),
        (
            ["sweep", "toy", "-g", "seed=0:2", "-o", "out", "--scheduler", "tcp://a:99999"],
            "scheduler: expected the address of a scheduler, tcp://host:8786; got 'tcp://a:99999'.",
        ),
        (["sweep", "toy", "-g", "seed=0:2", "-o", "out", "--gpu"], "device: expected a GPU that this torch can use"),
        (["sweep", "toy", "-g", "device=cpu,cuda", "-o", "out"], "device: expected a GPU that this torch can use"),
        (
            ["sweep", "toy", "-g", "seed=0:2", "-o", "out", "--slurm", "b.yml"],
            "slurm: expected a YAML file; got no b.yml",
        ),
        (["table", "nowhere"], "out: expected the folder of a sweep; got no nowhere/sweep.json."),
        (["ledger", "--verdict", "refutd"], "verdict: expected one of 'reproduced'"),
        (["ledger", "--origin", "others"], "origin: expected one of 'published', 'ours'; got 'others'"),
        (["ledger", "--part", "capacty"], "part: expected one of 'memory'; got 'capacty'"),
    ],
)
def test_what_is_wrong_is_refused_before_a_kernel_starts(memscape, home, monkeypatch, arguments, message):
    monkeypatch.setattr(execute, "_execute", lambda *_, **__: pytest.fail("a kernel was started"))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    status, text = memscape(*arguments)
    assert status == 2
    assert message in text
    assert not (home / "out").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        "run toy -p seed 7 -p load 0.5 -o a.ipynb",
        "run toy -p seed=7 -p load=0.5 -o a.ipynb",
        "run -p seed=7 toy -p load 0.5 --out a.ipynb",
        "run --parameter seed=7 -p=load=0.5 -o a.ipynb toy",
        "run -pseed=7 --parameter=load=0.5 toy -o a.ipynb",
    ],
)
def test_a_value_follows_its_name_or_an_equals_sign_anywhere_on_the_line(memscape, monkeypatch, arguments):
    taken = []
    monkeypatch.setattr(cli, "_carry_out", lambda jobs: (taken.extend(jobs) or [], []))
    assert memscape(*arguments.split())[0] == 0
    (job,) = taken
    assert (job.values, job.path) == ({"seed": 7, "load": 0.5}, Path("a.ipynb"))


def test_a_negative_number_and_a_text_with_an_equals_sign_are_values():
    assert cli._paired(["-p", "load", "-0.5"]) == ["-p", "load=-0.5"]
    assert cli._paired(["-p", "label", "a=b", "x"]) == ["-p", "label=a=b", "x"]
    assert cli._paired(["--profile", "large", "--part", "memory"]) == ["--profile", "large", "--part", "memory"]


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_marks_that_a_terminal_cannot_show_are_replaced(home, encoding):
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    command = [sys.executable, "-m", "memscape"]
    done = subprocess.run(
        [*command, "run", "toy", "-p", "seed", "-1"], capture_output=True, check=False, env=environment
    )
    assert (done.returncode, done.stderr) == (2, b"")
    mark = "✗" if encoding == "utf-8" else "x"
    assert done.stdout.decode(encoding).startswith(f"{mark} seed: expected an integer in [0, 1000]; got -1.")
    write(home, "memory/toy", chapter(*BODY, parameters=PARAMETERS.replace("N: units", "α: units")))
    shown = subprocess.run([*command, "parameters", "toy"], capture_output=True, check=True, env=environment)
    assert ("α: units" if encoding == "utf-8" else "?: units") in shown.stdout.decode(encoding)


def test_a_sweep_is_run_tabulated_and_drawn(memscape, add, home):
    check = (
        "from memscape.book import ledger\nledger.check('TOY-1', neurons + seed, chapter='memory/toy', reference=False)"
    )
    add("memory/toy", check, begin=PLAIN)
    grid = ["-g", "neurons=20,30", "-g", "seed=0:3", "--profile", "large", "-o", "out/grid", "-w", "2"]
    status, text = memscape("sweep", "toy", *grid)
    assert status == 0, text
    assert "6 of 6 runs to do in out/grid\n" in text, text
    assert len(re.findall(r"✓ [\d.]+ s: neurons=\d0,load=1.0,seed=\d \(\d of 6", text)) == 6, text  # no terminal
    assert re.search(r"\(5 of 6, about \d+ (s|min) left\)\n", text), text
    assert "(6 of 6)\n" in text, text
    assert re.search(r"Dask's dashboard: http://127.0.0.1:\d+/status", text), text
    assert "out/grid/table.csv\n✓ 6 runs done, 0 failed" in text, text
    stamp = chapters.stamp(nbformat.read(home / "out/grid/runs/neurons=30,load=1.0,seed=2.ipynb", 4))
    assert (stamp["profile"], stamp["values"]["load"], stamp["values"]["seed"]) == ("large", 1.0, 2)
    status, text = memscape("table", "out/grid")
    assert status == 0
    assert "6 runs: 6 done, 0 failed, 0 missing\n" in text
    assert re.search(r"Value +neurons +Mean +95 % interval +Runs", text)
    assert re.search(r"TOY-1 +30 +31 +± 2.48 +3", text)
    assert "✓ out/grid/table.png" in text
    assert (home / "out/grid/table.png").read_bytes().startswith(b"\x89PNG")
    for arguments, message in [
        (["--x", "neurns"], "x: expected one of 'neurons', 'load'"),
        (["--y", "TOY-9"], "y: expected one of 'TOY-1'; got 'TOY-9'"),
    ]:
        status, text = memscape("table", "out/grid", *arguments)
        assert status == 2
        assert message in text
    assert memscape("sweep", "toy", *grid)[0] == 2  # the folder is taken
    assert "0 of 6 runs to do" in memscape("sweep", "toy", *grid, "--resume")[1]


LONG = "HOP82-1: mean share of wrong bits at 0.15 N, units 0 and 1"


@pytest.fixture
def stored(home):
    """The folder of a sweep of which only the table is kept, over seeds, with a failure and a value of noise."""
    folder = home / "kept"
    rows = [{"neurons": 20, "seed": seed, "state": "done", "reason": "", "seconds": 1.0} for seed in range(3)]
    for seed, row in enumerate(rows):
        row |= {LONG: 0.25 + 1e-3 * seed, "TOY-2": 1e-14 * seed}
    rows.append({"neurons": 20, "seed": 3, "state": "failed", "reason": "took longer than its limit of 3 s"})
    outcomes.begin(folder, chapters.find("toy"), [{"seed": seed} for seed in range(4)], "desk", resume=False)
    (folder / "runs").rmdir()
    pd.DataFrame(rows).to_parquet(folder / "table.parquet")
    return folder


@pytest.mark.parametrize("width", [200, 80, 50])
def test_a_table_has_a_row_a_value_at_any_width(memscape, monkeypatch, stored, width):
    monkeypatch.setattr(cli, "console", Console(width=width, markup=False, highlight=False))
    status, text = memscape("table", str(stored))
    assert status == 0
    assert "4 runs: 3 done, 1 failed, 0 missing\n✗ 1 of them: took longer than its limit of 3 s\n" in text
    assert re.search(r"HOP82-1: .* +0.251 +± 0.00248 +3", text)
    assert "neurons" not in text  # which was not swept
    assert "Left out as rounding noise, below 1e-09: TOY-2. Ask for one with --y.\n" in text
    assert max(map(len, text.partition("Left")[0].splitlines())) <= width
    assert re.search(r"TOY-.* 1e-14 ", memscape("table", str(stored), "--y", "TOY-2")[1])


def test_a_second_sweep_in_a_folder_is_refused(memscape, home):
    with outcomes.alone(home / "out"):
        status, text = memscape("sweep", "toy", "-g", "seed=0:2", "-o", "out", "--resume")
    assert status == 2
    assert "✗ out: expected a folder that no other sweep is at work in" in text


@pytest.mark.parametrize(("seconds", "text"), [(0.2, "1 s"), (89, "89 s"), (90, "2 min"), (5400, "1 h 30 min")])
def test_a_time_is_shown_as_a_reader_takes_it_in(seconds, text):
    assert cli._duration(seconds) == text


@pytest.mark.parametrize("command", [["run", "toy"], ["sweep", "toy", "-g", "seed=0:2", "-w", "1", "-o", "out"]])
def test_an_interrupt_ends_in_one_line_and_leaves_no_process(home, command):
    write(
        home, "memory/toy", chapter("import pathlib, time\npathlib.Path('busy').touch()\ntime.sleep(300)", begin=PLAIN)
    )
    code = "from memscape.book.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, *command],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 300
    while not (home / "busy").exists():
        assert time.monotonic() < end
        time.sleep(0.1)
    started = psutil.Process(process.pid).children(recursive=True)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 130, text
    assert text.count("✗ Stopped; what was complete is kept.\n") == 1
    assert "Traceback" not in text
    assert len(text.splitlines()) < 10
    _, alive = psutil.wait_procs(started, timeout=60)
    assert not alive


def test_notes_that_are_broken_are_named_before_a_chapter_is_executed(memscape, home, monkeypatch):
    monkeypatch.setattr(execute, "_execute", lambda *_, **__: pytest.fail("a kernel was started"))
    (home / execute.STATUS).parent.mkdir(parents=True)
    (home / execute.STATUS).write_text("<<<<<<< HEAD")
    status, text = memscape("execute")
    assert status == 2
    assert "✗ results/desk/status.json: expected what `memscape execute` notes" in text


def test_normalise_mends_what_an_editor_has_saved(memscape, add, home):
    path = add("memory/toy", CHECK, begin=PLAIN)
    status, text = memscape("normalise")
    assert status == 2
    assert "✗ memory/toy: expected a fresh chapter; got never executed. memscape execute memory/toy" in text
    execute.in_place(chapters.find("toy"))
    once = path.read_bytes()
    assert memscape("normalise") == (0, "Nothing to mend: 1 of 1 chapters are as they were executed.\n")
    path.write_bytes(once.replace(b"\n ", b"\n  "))
    assert memscape("normalise", "toy") == (0, "✓ chapters/memory/toy.ipynb\n")
    assert path.read_bytes() == once


def test_execute_takes_the_stale_chapters_and_status_knows_them(memscape, add, home):
    add("memory/toy", CHECK, begin=PLAIN)
    assert re.search(r"memory/toy +stale +never executed", memscape("status")[1])
    status, text = memscape("execute")
    assert status == 0
    assert "chapters/memory/toy.ipynb" in text
    assert re.search(r"memory/toy +fresh", memscape("status")[1])
    assert '"memory/toy"' in (home / execute.STATUS).read_text()
    once = (home / "chapters/memory/toy.ipynb").read_bytes()
    assert memscape("execute") == (0, "Nothing to execute: 1 of 1 chapters are fresh.\n")
    assert memscape("execute", "--force")[0] == 0
    assert (home / "chapters/memory/toy.ipynb").read_bytes() == once
    add("memory/toy", CHECK + "  # anew", begin=PLAIN)
    notebook = chapters.find("toy").read()
    notebook.metadata["memscape"] = chapters.stamp(nbformat.reads(once, 4))
    write(home, "memory/toy", notebook)
    assert re.search(r"memory/toy +stale +code cells changed", memscape("status")[1])


def test_execute_goes_on_after_a_failure_and_says_so(memscape, add, home):
    add("memory/toy", "1 + 1", begin=PLAIN)
    add("memory/bad", "1 / 0", begin=PLAIN)
    status, text = memscape("execute", "--workers", "2")
    assert status == 1
    assert "✗ memory/bad: ZeroDivisionError" in text
    assert re.search(r"✓ .*chapters/memory/toy\.ipynb", text)
    assert list(execute.json.loads((home / execute.STATUS).read_text())) == ["memory/toy"]


@pytest.mark.parametrize("workers", [1, 2])
def test_chapters_are_executed_here_or_by_as_many_processes_as_were_asked_for(memscape, add, home, workers):
    names = ["memory/one", "memory/two"]
    for name in names:
        # Each waits for the other where there are two processes, so that neither of these can take both.
        wait = f"end = time.monotonic() + {30 * (workers - 1)}\n"
        wait += "while time.monotonic() < end and len(list(home.glob('*.begun'))) < 2:\n    time.sleep(0.05)"
        begun = (
            "import os, pathlib, time\nhome = pathlib.Path(os.environ['MEMSCAPE_HOME'])\n"
            f"(home / '{name.replace('/', '-')}.begun').touch()"
        )
        add(name, f"{begun}\n{wait}\nos.getppid()", begin=PLAIN)
    assert memscape("execute", *names, "--workers", str(workers))[0] == 0
    notebooks = [chapters.find(name).read() for name in names]
    parents = {int(notebook.cells[-1].outputs[0].data["text/plain"]) for notebook in notebooks}
    assert (parents == {os.getpid()}) == (workers == 1)
    assert len(parents) == workers


def test_a_run_by_itself_does_not_wait_for_dask(home, add):
    add("memory/toy", "1 + 1", begin=PLAIN)
    code = (
        "import sys\nfrom memscape.book import cli\ntry:\n    cli.main(['run', 'toy'])\n"
        "except SystemExit as ended:\n    print(ended.code, 'distributed' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("0 False\n")


def test_reproduce_executes_all_from_scratch_and_leaves_the_committed_alone(memscape, add, home):
    path = add("memory/toy", CHECK, begin=PLAIN)
    before = path.read_bytes()
    status, text = memscape("reproduce", "--workers", "1")
    assert status == 0
    assert "1 chapters reproduced; no claim has drifted." in text
    assert "reproduced" in (home / "out/reproduce/memory/toy.ipynb").read_text()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("claims", "cell", "message"),
    [
        (CLAIMS.replace("target: 40", "target: 41"), CHECK, "this run finds 'not reproduced'"),
        (CLAIMS, "1 + 1", "TOY-1: the ledger records 'reproduced', memory/toy finds 'nothing'"),
    ],
)
def test_reproduce_fails_on_a_claim_that_drifts(memscape, add, home, claims, cell, message):
    (home / "claims/memory.yml").write_text(claims)
    add("memory/toy", cell, begin=PLAIN)
    status, text = memscape("reproduce", "--workers", "1")
    assert status == 1
    assert message in text
    assert "no claim has drifted" not in text


OURS = """\
- id: TOY-3
  origin: ours
  source: toy1982
  where: eq. 2
  statement: It is even.
  published: null
  test:
    parts:
      once: {kind: count, target: 0, reason: arithmetic}
      twice: {kind: count, target: 0, reason: our own run, pinned: true}
  chapter: memory/toy
  profile: desk
  verdict: holds
"""


def test_the_ledger_is_shown_counted_and_filtered(memscape, home):
    (home / "claims/memory.yml").write_text(
        CLAIMS
        + CLAIMS.replace("TOY-1", "TOY-2").replace(
            "verdict: reproduced", "verdict: not reproduced\n  remark: it is not"
        )
        + OURS
    )
    text = memscape("ledger")[1]
    assert re.search(r"TOY-1 +published +reproduced +Twice the number of units. +exactly 40 +memory/toy", text)
    assert re.search(r"TOY-3 +ours +holds ", text)
    counted = (
        "Published results (2): 1 reproduced, 1 not reproduced\n"
        "Questions of ours (1): 1 holds\n"
        "Regression checks, numbers pinned from earlier runs: 1; rows that hold nothing else: 0\n"
    )
    assert counted in text
    assert memscape("ledger", "--summary") == (0, counted)
    assert memscape("ledger", "--summary", "--origin", "published") == (0, counted[: counted.index("Questions")])
    text = memscape("ledger", "--verdict", "not reproduced", "--part", "memory")[1]
    assert "TOY-2" in text
    assert "TOY-1" not in text


def test_the_help_is_short_and_cut_nowhere(memscape, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    status, text = memscape("--help")
    assert status == 0
    assert not re.search(r"[a-z,.]\.\.\.", text)
    assert set(re.findall(r"^  ([a-z-]+)  +[A-Z]", text.partition("Commands:")[2], re.MULTILINE)) == {
        *("run", "sweep", "table", "execute", "normalise", "status", "ledger"),
        *("parameters", "reproduce", "record", "site-check"),
    }


def test_forty_chapters_cost_no_more_than_forty_times_one(memscape, home, monkeypatch):
    """What chapters share is read once, and each notebook once: the cost is not chapters times claims."""
    count = Counter()

    def counted(name, work):
        def counting(*arguments, **options):
            count[name] += 1
            return work(*arguments, **options)

        return counting

    names = [f"memory/toy{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(40)]
    rows = [
        CLAIMS.replace("TOY-1", f"TOY-{n}-{i}").replace("memory/toy", name)
        for n, name in enumerate(names)
        for i in range(10)
    ]
    (home / "claims/memory.yml").write_text("".join(rows))
    (home / "chapters/memory/toy.ipynb").unlink()
    for name in names:
        write(home, name, chapter(*BODY, begin=PLAIN))
    monkeypatch.setattr(yml, "read", counted("parsed", yml.read))
    monkeypatch.setattr(claims.Row, "model_validate", counted("rows", claims.Row.model_validate))
    monkeypatch.setattr(digest.grimp, "build_graph", counted("graphs", digest.grimp.build_graph))
    monkeypatch.setattr(digest, "_lock", counted("locks", digest._lock))
    monkeypatch.setattr(nbformat, "validate", counted("checked", nbformat.validate))
    monkeypatch.setattr(nbformat.reader, "parse_json", counted("notebooks", nbformat.reader.parse_json))
    monkeypatch.setattr(digest, "_named", counted("searched", digest._named))
    digest.code_only.cache_clear()
    status, text = memscape("status")
    assert status == 0
    assert text.count("never executed") == 40
    assert count == {"parsed": 1, "rows": 400, "graphs": 1, "locks": 1, "notebooks": 40, "searched": 40}
    assert digest.code_only.cache_info().misses < 30  # a module is stripped once, however many chapters reach it


def test_what_the_system_refuses_is_said_in_a_sentence_and_nothing_is_recorded(memscape, add, home):
    add("memory/toy", CHECK, begin=PLAIN)
    (home / "out").touch()  # a file where a folder is wanted: what a full disk is to root too
    status, text = memscape("execute")
    assert status == 1
    assert "✗ memory/toy: NotADirectoryError: [Errno 20] Not a directory" in text or "FileExistsError" in text
    assert not (home / execute.STATUS).exists()
    (home / execute.STATUS.parent).parent.mkdir()
    (home / execute.STATUS.parent).touch()
    (home / "out").unlink()
    status, text = memscape("execute")
    assert status == 2
    assert re.search(r"✗ (NotADirectory|FileExists)Error: .*results/desk", text)


@pytest.mark.parametrize("command", [["status"], ["ledger"], ["run", "toy"]])
def test_a_working_directory_that_was_removed_is_named(memscape, home, command):
    (home / "gone").mkdir()
    os.chdir(home / "gone")
    (home / "gone").rmdir()
    status, text = memscape(*command)
    assert (status, text) == (2, "✗ working directory: expected one that exists; got one that was removed.\n")


def test_a_terminal_without_a_width_is_written_to():
    code = "from memscape.book import cli; cli.console.print('these words')"
    environment = os.environ | {"COLUMNS": "0"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "these words\n"


def test_a_broken_ledger_is_named_without_a_traceback(memscape, home):
    (home / "claims/memory.yml").write_text(CLAIMS.replace("verdict: reproduced", "verdict: maybe"))
    status, text = memscape("status")
    assert status == 2
    assert "✗ claims/memory.yml: TOY-1: verdict:" in text


def test_parameters_are_shown_with_type_default_range_and_meaning(memscape, add):
    status, text = memscape("parameters", "memory/toy")
    assert status == 0
    assert re.search(r"neurons +int +20 +\[10, 5000\] +N: units in the network", text)
    assert re.search(r"loads +list\[float\] +\[0.05, 0.1\] +\[0, 1\] +alpha: loads to compare", text)
    assert re.search(r"device +str +'auto' +\{auto, cpu, cuda\} +where tensors live", text)
    assert "\nmemscape run memory/toy [--profile large] -p NAME VALUE\n" in text
    relation = "# requires neurons * load >= 1: a network stores a pattern\n"
    add("memory/toy", parameters=PARAMETERS.replace("compare [0, 1]", "compare [0, 1], two or more") + relation)
    status, text = memscape("parameters", "memory/toy")
    assert re.search(r"loads +.* \[0, 1\], two or more +alpha: loads", text)
    assert "\nneurons * load >= 1: a network stores a pattern\n" in text


def test_the_installed_command_runs_a_chapter_and_keeps_torch_out_of_its_help(home):
    command = [Path(sys.executable).with_name("memscape")]
    code = "import sys; from memscape.book import cli; print({'torch', 'matplotlib', 'papermill'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
    figure = "import matplotlib.pyplot as plt\n\nplt.plot([1, 2]);"
    write(home, "memory/toy", chapter(*BODY, figure, parameters=PARAMETERS, begin=BEGIN))
    done = subprocess.run(
        [*command, "run", "toy", "-p", "neurons", "30"],
        capture_output=True, text=True, check=True, env=os.environ | {"MPLBACKEND": "Agg"},
    )  # fmt: skip
    assert done.stdout.startswith("✓ ")
    assert done.stderr == ""
    text = (home / "out/desk/memory/toy,neurons=30.ipynb").read_text()
    assert "exploratory" in text
    assert '"image/png"' in text


def test_the_site_check_names_what_is_wrong(memscape, home):
    status, text = memscape("site-check")
    assert status == 2
    assert "Run `make book`." in text
    site = home / "_build/html"
    (home / "_toc.yml").write_text("format: jb-book\nroot: chapters/index\n")
    (site / "chapters").mkdir(parents=True)
    for name in ("index.html", "chapters/index.html"):
        (site / name).touch()
    assert memscape("site-check") == (0, "✓ 1 pages built and checked.\n")
    (site / "chapters/index.html").rename(site / "other.html")
    (site / "other.html").write_text('<img src="index.html">')
    status, text = memscape("site-check")
    assert status == 1
    assert "✗ chapters/index.html: missing, though _toc.yml names it" in text
    assert "✗ other.html: index.html has no text alternative" in text
