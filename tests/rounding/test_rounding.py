"""The noise moves what differs between processors and leaves the rest; and it finds what it was made for."""

import importlib.util
import math
import os
import platform
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
import torch.nn.functional as functional
from torch._subclasses.fake_tensor import FakeTensorMode

from memscape.memory.patterns import random_patterns
from memscape.polytopes import polygons, splines

ROOT = Path(__file__).parents[2]
STARTUP = Path(__file__).parent / "startup"
F64 = torch.float64


def loaded(path: Path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Noise = loaded(STARTUP / "rounding_noise.py").Noise
runner = loaded(Path(__file__).parent / "run.py")


def normal(*shape: int, dtype: torch.dtype = F64) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).normal(size=shape)).to(dtype)


def units(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    whole = torch.int64 if first.dtype == F64 else torch.int32
    return (first.view(whole).to(torch.int64) - second.view(whole).to(torch.int64)).abs()


MOVED = {
    "matmul": lambda x: x @ x.mT,
    "linear": lambda x: functional.linear(x, x),
    "einsum": lambda x: torch.einsum("ij,kj->ik", x, x),
    "batched": lambda x: torch.stack((x, x)) @ x,
    "sum": lambda x: x.sum(dim=1),
    "mean": lambda x: x.mean(dim=0),
    "norm": lambda x: torch.linalg.vector_norm(x, dim=1),
    "solve": lambda x: torch.linalg.solve(x, x[0]),
    "eigenvalues": lambda x: torch.linalg.eigvalsh(x + x.mT),
    "singular values": lambda x: torch.linalg.svdvals(x),
    "softmax": lambda x: torch.softmax(x, dim=1),
    "logsumexp": lambda x: torch.logsumexp(x, dim=1),
    "exp": lambda x: x.exp(),
    "tanh": lambda x: x.tanh(),
    "log in place": lambda x: x.abs().log_(),
    "out": lambda x: torch.exp(x, out=torch.empty_like(x)),
    "pow": lambda x: x.abs() ** 1.7,
    "gradient": lambda x: torch.func.grad(lambda y: y.exp().sum())(x),
    "vmap": lambda x: torch.vmap(lambda row: row.logsumexp(0))(x),
}


@pytest.mark.parametrize("dtype", [F64, torch.float32], ids=str)
@pytest.mark.parametrize("name", MOVED)
def test_what_a_library_may_round_otherwise_moves(name, dtype):
    x = normal(20, 20, dtype=dtype)
    quiet = MOVED[name](x)
    with Noise(1).mode():
        moved = MOVED[name](x)
    with Noise(1).mode():
        again = MOVED[name](x)
    with Noise(2).mode():
        other = MOVED[name](x)
    assert torch.equal(moved, again)
    assert not torch.equal(moved, other)
    apart = units(moved, quiet).flatten()
    # Where a function calls others, their noise is in its arguments.
    assert apart.max() <= (4 if name in ("matmul", "sum", "exp", "tanh", "log in place", "out", "pow") else 4000)
    assert (apart > 0).double().mean() > 0.6, "eight of nine, less those whose last bits are zero"


LEFT = {
    "arithmetic": lambda x: (x + x.roll(1)) * x / (x - 3) - x,
    "square root": lambda x: x.abs().sqrt(),
    "square": lambda x: x**2,
    "sums of whole numbers": lambda x: (100 * x).round().sum(dim=1),
    "products of whole numbers": lambda x: (100 * x).round() @ (100 * x).round().mT,
    "sums of quarters": lambda x: (100 * x).round().div(4).sum(dim=1),
    "means of whole numbers": lambda x: (100 * x).round().mean(dim=1) + (x > 0).to(x.dtype).mean(),
    "a sum of two": lambda x: x[:, :2].sum(dim=1),
    "a sum of one": lambda x: x[:, :1].sum(dim=1),
    "outer products": lambda x: x[:, :1] @ x[:1],
    "integers": lambda x: x.to(torch.int64).sum(),
    "order": lambda x: x.sort(dim=1).values.amax(dim=0),
    "zero, one and infinity": lambda x: torch.exp(torch.tensor([0.0, math.inf, -math.inf], dtype=x.dtype)),
}


@pytest.mark.parametrize("dtype", [F64, torch.float32], ids=str)
@pytest.mark.parametrize("name", LEFT)
def test_what_is_the_same_everywhere_stays(name, dtype):
    x = normal(20, 20, dtype=dtype)
    quiet = LEFT[name](x)
    for seed in (1, 2, 3):
        with Noise(seed, 16).mode():
            assert torch.equal(LEFT[name](x), quiet)


def test_a_function_of_equal_arguments_stays_equal():
    x = normal(8).repeat(5, 1)
    with Noise(1).mode():
        for found in (x.exp(), x.sum(dim=1), x @ normal(8, 3), x.softmax(dim=1)):
            assert torch.equal(found[0].expand_as(found), found)


def test_a_sum_depends_on_the_batch_it_stands_in_and_a_function_does_not():
    x = normal(50, 8)
    with Noise(1).mode():
        assert not torch.equal(x.sum(dim=1)[:10], x[:10].sum(dim=1))
        assert not torch.equal((x @ x.mT)[:10, :10], x[:10] @ x[:10].mT)
        assert torch.equal(x.exp()[:10], x[:10].exp())


def test_nothing_passes_one_that_cannot():
    x = torch.linspace(1, 40, 4001, dtype=F64)
    with Noise(1, 1000).mode():
        assert x.tanh().max() <= 1
        assert x.sin().abs().max() <= 1


def test_tensors_without_bits_are_left_alone():
    with Noise(1).mode():
        assert torch.ones(3, 4, device="meta").exp().shape == (3, 4)
        with FakeTensorMode():
            assert torch.ones(3, 4).exp().sum().shape == ()


# numpy, scipy and math can only be changed for a whole process.
SCRIPT = """
import math
import numpy as np, scipy.linalg, scipy.optimize, scipy.special, scipy.stats, torch
x = np.random.default_rng(1).normal(size=(20, 20))
whole = np.round(100 * x)
found = {
    "moved": [x @ x.T, x.sum(axis=1), x.mean(axis=0), x.std(axis=0), np.sum(x, axis=0), np.float32(x).sum(axis=0),
              np.exp(x), list(map(np.exp, x[0])), np.dot(x, x), np.linalg.eigvals(x), np.linalg.solve(x, x[0]),
              scipy.linalg.inv(x), scipy.special.ndtr(x), scipy.stats.norm.cdf(x), scipy.optimize.nnls(x, x[0])[0],
              scipy.optimize.linprog([1, 1], -abs(x[:, :2]), -np.ones(20)).x, torch.from_numpy(x).exp().numpy(),
              [math.exp(each) for each in x[0]]],
    "left": [whole @ whole.T, whole.sum(axis=1), whole[:7].mean(axis=0), x * x + x, np.sqrt(abs(x)), x.max(),
             math.log2(8), math.exp(0), np.exp(np.zeros(3)), np.exp(x, out=np.empty_like(x)).shape],
}
try:
    x @ x[0, :3]
except (TypeError, ValueError):
    found["left"].append(np.array("refused"))
import hashlib
for kind, values in found.items():
    print(kind, *(hashlib.sha256(np.ascontiguousarray(each).tobytes()).hexdigest()[:8] for each in values))
"""


def process(*command: str, **more: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROUNDING")}
    return subprocess.run(command, env=environment | more, cwd=ROOT, capture_output=True, text=True, check=False)


def bits(**more: str) -> dict[str, list[str]]:
    found = process(sys.executable, "-W", "error", "-c", SCRIPT, **more)
    assert found.returncode == 0, found.stderr
    return {line.split()[0]: line.split()[1:] for line in found.stdout.splitlines()}


def test_a_process_with_the_start_up_file_has_noise_in_numpy_scipy_and_math_too():
    path = os.pathsep.join(filter(None, [str(STARTUP), os.environ.get("PYTHONPATH")]))
    quiet, without = bits(), bits(PYTHONPATH=path)
    first, second = (bits(PYTHONPATH=path, ROUNDING_SEED=seed) for seed in ("1", "2"))
    assert quiet == without, "the folder alone does nothing"
    assert quiet["left"] == first["left"] == second["left"]
    for one, other in ((quiet, first), (first, second)):
        assert [i for i, (a, b) in enumerate(zip(one["moved"], other["moved"], strict=True)) if a == b] == []


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors have one arithmetic only")
def test_the_other_arithmetic_of_the_chapters_is_another_one():
    (line,) = re.findall(r"^PLAIN := (.*)$", (ROOT / "Makefile").read_text().replace("\\\n", ""), re.MULTILINE)
    assert "-m" not in line
    words = dict(re.findall(r"(\w+)='?([^\s']+(?: [^\s'=]+)*)'?(?=\s|$)", line))
    assert set(words) >= {"MKL_CBWR", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE"}
    script = (
        "import hashlib, math, numpy as np, torch; x = np.random.default_rng(1).normal(size=(90, 90));"
        "t = torch.from_numpy(x); y = [x @ x, t @ t, torch.addcmul(t, t, t.mT), [math.exp(v) for v in x.ravel()]];"
        "print(*(hashlib.sha256(np.ascontiguousarray(v).tobytes()).hexdigest() for v in y))"
    )
    quiet, plain = (process(sys.executable, "-W", "error", "-c", script, **more) for more in ({}, words))
    assert quiet.returncode == plain.returncode == 0, plain.stderr
    both = list(zip(quiet.stdout.split(), plain.stdout.split(), strict=True))
    assert len(both) == 4
    assert sum(one != other for one, other in both) >= 2, "products of matrices at least, in both libraries"


def spins() -> torch.Tensor:
    state = np.random.SeedSequence([0, 46]).generate_state(1, np.uint64)
    return random_patterns(40, 64, generator=torch.Generator().manual_seed(int(state[0])), dtype=F64)


def rounded_lines(xi: torch.Tensor) -> torch.Tensor:
    """The lines of forty memories on the plane through three of them, in coordinates that are rounded."""
    origin, directions, _ = splines.plane(xi[:3])
    return torch.cat((xi @ directions.T, (xi @ origin)[:, None]), dim=1)


def whole_lines(xi: torch.Tensor) -> torch.Tensor:
    overlaps = xi @ xi[:3].T
    return torch.cat((overlaps[:, 1:] - overlaps[:, :1], overlaps[:, :1]), dim=1)


# Six of the memories: in whole numbers they make three lines, each twice.
PAIRS = [5, 27, 20, 33, 24, 29]


def test_noise_finds_a_count_that_a_rounding_decides_and_whole_numbers_mend_it():
    # Whether two lines that coincide but for a rounding cross in the window, the rounding decides. That is how a page
    # said 527 cells on one processor and 528 on another.
    xi = spins()
    counts: dict[str, set[int]] = {"rounded": set(), "whole": set()}
    for seed in range(12):
        with Noise(seed).mode():
            counts["rounded"].add(len(polygons.arrange(polygons.square(9.0), rounded_lines(xi)[PAIRS]).polygons))
            counts["whole"].add(len(polygons.arrange(polygons.square(9.0), whole_lines(xi)[PAIRS]).polygons))
    assert len(counts["rounded"]) > 1
    assert counts["whole"] == {rational_count(whole_lines(xi)[PAIRS[::2]], 9)}


def rational_count(lines: torch.Tensor, half: int) -> int:
    exact = [tuple(map(Fraction, line)) for line in lines.tolist()]
    corners = [(x, y) for x in (-half, half) for y in (-half, half)]
    inside = [(a, b, c) for a, b, c in exact if len({a * x + b * y + c > 0 for x, y in corners}) == 2]
    count = 1 + len(inside)
    for i, (a, b, c) in enumerate(inside):
        places = set()
        for d, e, f in inside[:i]:
            if meet := a * e - b * d:
                x, y = (b * f - c * e) / meet, (c * d - a * f) / meet
                places.add((x, y) if max(abs(x), abs(y)) < half else None)
        count += len(places - {None})
    return count


@pytest.mark.parametrize("units", [4, 16, 64])
def test_an_arrangement_of_nearly_degenerate_lines_is_right_under_noise(units):
    # Three pairs of lines that coincide but for a rounding, and nine that meet them: a wrong sign at one vertex would
    # lose or add regions.
    lines = rounded_lines(spins())[[*PAIRS, 0, 1, 2, 7, 11, 13]]
    lines = lines * (1 + 2.2e-16 * torch.from_numpy(np.random.default_rng(0).integers(-2, 3, size=(12, 3))))
    for seed in range(3):
        with Noise(seed, units).mode():
            found = len(polygons.arrange(polygons.square(9.0), lines).polygons)
        assert found == rational_count(lines, 9)


def test_a_chapter_that_depends_on_a_rounding_fails_and_one_that_does_not_passes(tmp_path):
    setup = (
        "import numpy as np\nx = np.random.default_rng(1).normal(size=300)\ntotal = float(x.sum() + np.exp(x).sum())"
    )
    exec(setup, names := {})
    total = names["total"]
    said = {"print(repr(total))": f"{total!r}\n", "print(f'\u2060{total!r} of {len(x)}')": f"\u2060{total!r} of 300\n"}
    for number, (source, text) in enumerate(said.items()):
        cells = [
            nbformat.v4.new_code_cell(setup, execution_count=1),
            nbformat.v4.new_code_cell(
                source, execution_count=2, outputs=[nbformat.v4.new_output("stream", name="stdout", text=text)]
            ),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells)
        notebook.metadata["kernelspec"] = {"display_name": "Python 3", "language": "python", "name": "python3"}
        path = tmp_path / f"{number}.ipynb"
        nbformat.write(notebook, path)
        (command,) = runner.commands([path], "0")
        for seed in ("", "1"):
            path_of = os.pathsep.join(filter(None, [str(STARTUP) if seed else "", os.environ.get("PYTHONPATH")]))
            more = {"PYTHONPATH": path_of} | ({"ROUNDING_SEED": seed} if seed else {})
            found = process(*command, "-p", "no:cacheprovider", **more)
            assert found.returncode == (1 if seed and number == 0 else 0), found.stdout + found.stderr


def test_a_changed_file_stands_for_its_tests_and_its_chapter():
    both = [Path("tests/memory/test_dense.py"), Path("chapters/memory/dense.ipynb")]
    for path in ("memory/dense", "src/memscape/memory/dense.py", *map(str, both)):
        assert runner.named(path) == both
    assert runner.named("src/memscape/memory/dynamics.py") == [Path("tests/memory/test_dynamics.py")]
    for path in (
        "Makefile",
        "tests/conftest.py",
        "src/memscape/book/run.py",
        "memory/nothing",
        "tests/rounding/run.py",
    ):
        assert runner.named(path) == []
    assert set(both) < set(runner.everything())
    assert not [each for each in runner.everything() if each.parts[1] in ("book", "rounding")]


def test_what_has_changed_is_asked_of_git(tmp_path):
    def git(*words: str) -> None:
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)

    git("init", "-q", "-b", "main")
    for number, name in enumerate(("first", "second", "third", "fourth")):
        if number == 2:
            git("checkout", "-q", "-b", "side")
        (tmp_path / name).write_text(name)
        git("add", name)
        git("commit", "-q", "-m", name)
    (tmp_path / "fifth").write_text("")
    assert runner.changed(tmp_path) == ["fourth", "third", "fifth"]
    git("checkout", "-q", "main")
    assert runner.changed(tmp_path) == ["second", "fifth"]


def test_an_unknown_name_is_refused():
    found = process(sys.executable, "tests/rounding/run.py", "memory/nothing")
    assert found.returncode == 2
    assert "no test file and no chapter of the name memory/nothing" in found.stderr
