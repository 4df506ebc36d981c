"""The commands of the page "Rerun and extend" do what the page says: they are read from it and run."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import yaml

from memscape.book import chapters, outcomes

from .conftest import chapter, write
from .test_faults import port, scheduler, worker  # noqa: F401  (port is a fixture)
from .test_slurm import slurm  # noqa: F401

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "chapters/rerun.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(bash|python|yaml)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
COMMANDS = [line for kind, block in BLOCKS if kind == "bash" for line in block.replace("\\\n", " ").splitlines()]
PYTHON = [block for kind, block in BLOCKS if kind == "python"]
HOPFIELD = "memory/hopfield"


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder in which the page's relative paths lead to the book, and its outputs do not."""
    (tmp_path / "chapters").symlink_to(ROOT / "chapters")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MEMSCAPE_HOME", str(ROOT))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


def taken(*words):
    """The commands of the page with all of these words, in order."""
    found = [line for line in COMMANDS if all(word in line for word in words)]
    assert found, f"the page has no command with {words}"
    return found


def cheaply(line):
    """A command of the page at the least values, with half the grid: its form is tested here, not the chapter."""
    less = line.replace("neurons=400,800", "neurons=400").replace(" -p networks 10", "")
    return less + " -p networks 2 -p small 20 -p sweeps 5"


def carry_out(*lines):
    for line in lines:
        done = subprocess.run(shlex.split(line), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        yield done.stdout


def test_every_command_of_the_page_is_carried_out_by_a_test():
    by_other_means = {
        "make book": "the build that every test of the site needs",
        "make test": "this",
    }
    here = [*taken("memscape parameters"), *taken("-p neurons 500"), *taken("out/hopfield")]
    here += [*taken("--scheduler"), *taken("--slurm"), *taken("memory/parrot")]
    large = [
        *taken("--profile paper"),
        *taken("memscape record"),
    ]  # see test_results.py, and below where there is a GPU
    rest = [line for line in COMMANDS if line not in here + large and line.split("#")[0].strip() not in by_other_means]
    assert rest == []


def test_one_chapter_at_other_values(desk):
    (shown,) = carry_out(*taken("memscape parameters"))
    assert "neurons" in shown
    list(carry_out(*map(cheaply, taken("-p neurons 500"))))
    assert "exploratory" in (desk / "out.ipynb").read_text()
    assert list(desk.glob("out/desk/memory/hopfield,neurons=500,*.ipynb"))


def test_a_sweep_at_the_desk_its_table_and_its_growth(desk):
    first, table, drawn, grown = taken("out/hopfield")
    swept, printed, _, more = carry_out(cheaply(first), table, drawn, cheaply(grown))
    assert "✓ 2 runs done, 0 failed" in swept
    assert "AGS-9" in printed
    assert (desk / "out/hopfield/table.png").exists()
    assert "1 of 3 runs to do" in more
    assert outcomes.table(desk / "out/hopfield")["state"].tolist() == ["done"] * 3


def test_a_sweep_by_a_running_scheduler(desk, port):  # noqa: F811
    (line,) = taken("--scheduler")
    with scheduler(port), worker(port), worker(port):
        (said,) = carry_out(cheaply(line.replace("localhost:8786", f"127.0.0.1:{port}")))
    assert "✓ 2 runs done, 0 failed" in said


def test_a_sweep_by_slurm(desk, slurm):  # noqa: F811
    (line,) = taken("--slurm")
    (settings,) = [yaml.safe_load(block) for kind, block in BLOCKS if kind == "yaml"]
    # What the page cannot know: where the packages are and that this Slurm lives on loopback.
    own = {"interface": "lo", "python": sys.executable, "log_directory": str(desk / "logs")}
    (desk / "slurm.yml").write_text(yaml.safe_dump(settings | own))
    (said,) = carry_out(cheaply(line))
    assert "✓ 2 runs done, 0 failed" in said


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine")
def test_a_sweep_on_a_gpu(desk):
    (line,) = taken("--gpu")
    (said,) = carry_out(f"{line} -p epochs 10 -p memories 100")
    assert "✓ 4 runs done, 0 failed" in said


def test_the_model_of_the_page_has_the_energy_it_says():
    space: dict = {}
    (source,) = [block for block in PYTHON if "class " in block]
    exec(source, space)
    draw = torch.Generator().manual_seed(0)
    patterns = 2.0 * torch.randint(2, (5, 12), generator=draw) - 1
    states = 2.0 * torch.randint(2, (200, 12), generator=draw) - 1
    model = space["Nearest"](patterns)
    after = model.update(states)
    assert (model.energy(after) <= model.energy(states)).all()
    assert (model.energy(after) == -12).all()
    assert all((patterns == one).all(dim=1).any() for one in after)


def test_the_chapter_of_the_page_is_a_chapter(home, capsys):
    declared, begin, body = [block for block in PYTHON if "class " not in block]
    write(home, "memory/parrot", chapter(body, parameters=declared, begin=begin))
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for line in taken("memory/parrot"):
        done = subprocess.run(shlex.split(line), capture_output=True, text=True, check=False, env=environment)
        assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"memory/parrot +fresh", done.stdout)
    assert "50" in chapters.find("parrot").path.read_text()
