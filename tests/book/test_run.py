"""``book.begin`` refuses the same parameters from papermill, from nbval and from cells typed into Jupyter."""

import re
import subprocess
import sys

import nbclient
import nbformat
import numpy as np
import papermill
import pytest
import torch
from nbformat.v4 import new_output
from papermill.exceptions import PapermillExecutionError

from memscape.arguments import ArgumentError
from memscape.book import chapters
from memscape.book.numbers import MARK
from memscape.book.run import Run

from .conftest import BEGIN, PARAMETERS, chapter, write


@pytest.fixture
def namespace(home):
    """What a kernel holds once it has run the parameters cell."""
    names: dict = {}
    exec(PARAMETERS, names)
    return names


def begin(namespace: dict) -> Run:
    exec(BEGIN, namespace)
    return namespace["run"]


def test_the_reference_run(namespace):
    run = begin(namespace)
    assert run.chapter == "memory/toy"
    assert run.reference
    assert run.seed == 3
    assert run.parameters == {name: namespace[name] for name in run.parameters}
    assert torch.get_num_threads() == 1


def test_other_values_make_another_run(namespace):
    namespace["neurons"] = 30
    run = begin(namespace)
    assert not run.reference
    assert run.parameters["neurons"] == 30


def test_the_device_does_not_make_another_run(namespace):
    namespace["device"] = "cpu"
    run = begin(namespace)
    assert run.reference
    assert run.device == torch.device("cpu")


def test_auto_takes_a_gpu_where_there_is_one(namespace, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert begin(namespace).device == torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert begin(namespace).device == torch.device("cpu")


def test_an_absent_gpu_is_refused(namespace, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    namespace["device"] = "cuda"
    with pytest.raises(ArgumentError, match=r"^device: expected a GPU that this torch can use.*Take 'cpu' or 'auto'"):
        begin(namespace)


def test_a_whole_number_given_for_a_float_is_one_from_there_on(namespace):
    namespace["load"] = 1
    begin(namespace)
    assert isinstance(namespace["load"], float)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("neurons", "20", "neurons: expected an integer in [10, 5000]; got '20' (str)."),
        ("neurons", 20.0, "neurons: expected an integer in [10, 5000]; got 20.0 (float)."),
        ("clamp", 1, "clamp: expected a bool; got 1 (int)."),
        ("load", 1.5, "load: expected a finite number in [0, 1]; got 1.5."),
        ("device", "gpu", "device: expected text in {auto, cpu, cuda}; got 'gpu' (str)."),
        ("seed", -1, "seed: expected an integer in [0, 1000]; got -1."),
    ],
)
def test_a_bad_value_in_the_kernel_is_refused(namespace, name, value, message):
    namespace[name] = value
    with pytest.raises(ArgumentError, match=re.escape(message)):
        begin(namespace)
    assert "run" not in namespace


def test_a_name_the_kernel_does_not_hold_is_refused(namespace):
    del namespace["load"]
    with pytest.raises(
        ArgumentError, match="^load: expected a value, float; got none. Run the parameters cell of memory/toy"
    ):
        begin(namespace)


def test_an_unknown_chapter_is_refused(namespace):
    with pytest.raises(ArgumentError, match="^chapter: expected one of 'memory/toy'; got 'memory/toi'.*Did you mean"):
        exec("from memscape import book\nbook.begin('memory/toi')", namespace)


def test_values_that_do_not_go_together_are_refused(add):
    cell = PARAMETERS + "# requires neurons * load >= 1: a network stores a pattern\n"
    add("memory/toy", parameters=cell)
    names: dict = {}
    exec(cell, names)
    assert begin(names).reference
    names["load"] = 0.01
    with pytest.raises(
        ArgumentError, match=r"^neurons, load: expected neurons \* load >= 1 .* got neurons = 20, load = 0"
    ):
        begin(names)


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (
            "neurons: int = 20  # N\nseed: int = 1  # seed",
            "device: expected a parameter `device: str` in every chapter; got none",
        ),
        (
            "seed: float = 1.0  # s\ndevice: str = 'cpu'  # where",
            "seed: expected a parameter `seed: int` in every chapter; got float",
        ),
    ],
)
def test_every_chapter_has_a_seed_and_a_device(add, cell, message):
    add("memory/toy", parameters=cell)
    names: dict = {}
    exec(cell, names)
    with pytest.raises(ArgumentError, match=re.escape(message)):
        begin(names)


def test_streams_are_repeatable_and_apart(namespace):
    run = begin(namespace)
    first = torch.rand(5, generator=run.generator())
    assert torch.equal(first, torch.rand(5, generator=run.generator()))
    assert not torch.equal(first, torch.rand(5, generator=run.generator(1)))
    assert run.rng().normal() == run.rng().normal() != run.rng(1).normal()
    later = Run("memory/toy", {}, True, run.seed + 1, run.device)
    assert not torch.equal(torch.rand(5, generator=run.generator(1)), torch.rand(5, generator=later.generator()))
    assert run.rng(1).normal() != later.rng().normal()


def test_a_stream_is_the_same_on_every_machine(namespace):
    run = begin(namespace)
    assert torch.randint(1000, (3,), generator=run.generator()).tolist() == [766, 272, 443]
    assert run.rng().integers(1000, size=3).tolist() == [811, 85, 179]


@pytest.mark.parametrize(
    ("value", "options", "text"),
    [
        (0.13790563, {}, "≈0.138"),
        (0.13790563, {"digits": 5}, "≈0.13791"),
        (-12757.2, {"digits": 5}, "≈−12,757"),
        (0.5, {"exact": True}, "0.5"),
        (2000, {}, "2,000"),
        (np.float32(0.25), {}, "≈0.25"),
        (torch.tensor(7), {}, "7"),
        ("reproduced", {}, "reproduced"),
    ],
)
def test_glued_numbers_bear_the_mark_that_the_tests_mask(namespace, monkeypatch, value, options, text):
    kept = {}
    monkeypatch.setattr("myst_nb.glue", lambda name, value, display: kept.update({name: (repr(value), display)}))
    begin(namespace).glue("x", value, **options)
    assert {name: (shown.replace(MARK, "≈"), display) for name, (shown, display) in kept.items()} == {
        "x": (text, False)
    }


@pytest.mark.parametrize("value", [True, None, [1.0], 1j])
def test_only_numbers_and_text_are_glued(namespace, value):
    with pytest.raises(ArgumentError, match="^value: expected a number or text; got"):
        begin(namespace).glue("x", value)


# Papermill


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"neurns": 500}, "neurns: expected a parameter of memory/toy (neurons, load, "),
        ({"clamp": "true"}, "clamp: expected a bool; got 'true' (str)."),
        ({"neurons": 5001}, "neurons: expected an integer in [10, 5000]; got 5001."),
    ],
)
def test_papermill_is_stopped_before_anything_is_computed(home, given, message):
    with pytest.raises(PapermillExecutionError, match=re.escape(message)):
        papermill.execute_notebook("chapters/memory/toy.ipynb", "out.ipynb", given, progress_bar=False)
    cells = [cell for cell in nbformat.read("out.ipynb", 4).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in cells] == [1, 2, 3, None, None, None]


def test_papermill_without_a_parameters_cell_is_stopped(add):
    add("memory/toy", tags=())
    with pytest.raises(
        PapermillExecutionError, match="memory/toy: expected one code cell tagged `parameters`; got none"
    ):
        papermill.execute_notebook("chapters/memory/toy.ipynb", "out.ipynb", {"neurons": 500}, progress_bar=False)


# nbval


def test_nbval_passes_a_good_chapter_and_fails_a_bad_one(add, home):
    good = chapter("neurons * 2")
    for count, cell in enumerate(chapters.code_cells(good), start=1):
        cell.execution_count = count
    good.cells[-1].outputs = [new_output("execute_result", {"text/plain": "40"}, execution_count=3)]
    write(home, "memory/toy", good)
    add("memory/bad", "neurons * 2", begin=BEGIN.replace("toy", "bad"), parameters=PARAMETERS.replace("= 20", "= 5"))
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-p", "no:cacheprovider", "chapters"]
    text = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    assert "neurons: expected an integer in [10, 5000]; got 5." in text
    assert re.findall(r"FAILED .*?(\w+)\.ipynb", text) == ["bad"]
    assert "4 passed, 1 failed" in text or "1 failed, 5 passed" in text


# Jupyter


def test_jupyter_is_stopped_whatever_the_order_of_cells(home):
    """One kernel, as a reader uses it: the cells of the committed notebook, edited, run and run again."""
    notebook = chapter()
    with (client := nbclient.NotebookClient(notebook)).setup_kernel():

        def run(source: str) -> str:
            notebook.cells[2].source = source
            try:
                client.execute_cell(notebook.cells[2], 2)
            except nbclient.exceptions.CellExecutionError as error:
                return f"{error.ename}: {error.evalue}"
            return "".join(output.data["text/plain"] for output in notebook.cells[2].outputs)

        shown = f"{BEGIN}\n(run.reference, neurons)"
        # The first time: a misspelt name, a new one, and then as it should be.
        run(PARAMETERS.replace("neurons", "neurns"))
        assert "neurns: expected a parameter" in run(shown)
        assert "Did you mean 'neurons'?" in run(shown)
        run(PARAMETERS + "extra: int = 3  # one more")
        assert "extra: expected a parameter" in run(shown)
        run(PARAMETERS)
        assert run(shown) == "(True, 20)"
        # Later: old values are still there, and names of the reader's own besides.
        run("neuron = 3\nthreshold: float = 2.0")
        assert run(shown) == "(True, 20)"
        run(PARAMETERS.replace("neurons", "neurns"))
        assert "neurns: expected a parameter" in run(shown)
        run(PARAMETERS.replace("= 20", "= 5"))
        assert "neurons: expected an integer in [10, 5000]; got 5." in run(shown)
        run(PARAMETERS.replace("= 20", "= 50"))
        assert run(shown) == "(False, 50)"
        # A single value typed anywhere counts as well.
        run("neurons = '50'")
        assert "neurons: expected an integer" in run(shown)
