"""The house holds its shape: three mirrored trees, imports that run one way, nothing loaded before it is needed."""

import ast
import io
import os
import shutil
import subprocess
import sys
import tokenize
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/memscape"
MOST_CODE = 400  # lines of code in a science module; to be lowered, never raised
NOT_SCIENCE = {"book", "tools"}  # folders that no part of the book is named after


def science_parts(package: Path) -> list[str]:
    return sorted(path.parent.name for path in package.glob("*/__init__.py") if path.parent.name not in NOT_SCIENCE)


def missing_mirrors(root: Path) -> list[str]:
    """What a chapter, a science module or its test lacks in the other two trees."""
    missing = []
    for chapter in root.glob("chapters/*/*.ipynb"):
        part, name = chapter.parent.name, chapter.stem
        missing += [f"chapters/{part}/{name}.ipynb has no src/memscape/{part}/{name}.py"] * (
            not (root / f"src/memscape/{part}/{name}.py").is_file()
        )
        missing += [f"chapters/{part}/{name}.ipynb has no tests/{part}/test_{name}.py"] * (
            not (root / f"tests/{part}/test_{name}.py").is_file()
        )
    for part in science_parts(root / "src/memscape"):
        missing += [f"src/memscape/{part} has no folder chapters/{part}"] * (not (root / f"chapters/{part}").is_dir())
    for part in [*science_parts(root / "src/memscape"), "tools"]:
        for module in (root / f"src/memscape/{part}").glob("*.py"):
            test = root / f"tests/{part}/test_{module.stem}.py"
            if module.stem != "__init__" and not test.is_file():
                missing.append(f"src/memscape/{part}/{module.name} has no tests/{part}/{test.name}")
    return sorted(missing)


def test_the_trees_mirror_each_other():
    assert missing_mirrors(ROOT) == []


def test_a_broken_mirror_is_named(tmp_path):
    for name in [
        "chapters/memory/a.ipynb",
        "src/memscape/memory/__init__.py",
        "src/memscape/memory/b.py",
        "src/memscape/tools/__init__.py",
        "src/memscape/tools/c.py",
    ]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert missing_mirrors(tmp_path) == [
        "chapters/memory/a.ipynb has no src/memscape/memory/a.py",
        "chapters/memory/a.ipynb has no tests/memory/test_a.py",
        "src/memscape/memory/b.py has no tests/memory/test_b.py",
        "src/memscape/tools/c.py has no tests/tools/test_c.py",
    ]


def lines_of_code(text: str) -> int:
    """Lines that hold code: blank lines, comments and docstrings left out."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in layout:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        # A string that stands alone is a docstring: of a module, a class, a function, or of the name above it.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


def too_long(package: Path, most: int = MOST_CODE) -> list[str]:
    """Science modules with more lines of code than a reader can keep in mind."""
    found = {
        module.relative_to(package): lines_of_code(module.read_text(encoding="utf-8"))
        for part in [*science_parts(package), "tools"]
        for module in (package / part).glob("*.py")
    }
    return sorted(f"{module} has {count} lines of code" for module, count in found.items() if count > most)


def test_no_science_module_is_too_long():
    assert too_long(PACKAGE) == [], "move what a second chapter could use to tools/ or memory/"


def test_a_long_module_is_named_and_only_code_counts(tmp_path):
    for part in ("memory", "tools", "book"):
        (tmp_path / part).mkdir()
        (tmp_path / part / "__init__.py").touch()
        (tmp_path / part / "long.py").write_text("x = 1\n" * 5)
    wordy = '"""Head.\n\nMore.\n"""\n\n# why\nLEAST = 2\n"""Of a name."""\n\n'
    wordy += 'def f():\n    r"""Body."""\n    return """a\nb"""\n'
    (tmp_path / "memory/wordy.py").write_text(wordy)
    assert lines_of_code(wordy) == 4
    assert too_long(tmp_path, 4) == ["memory/long.py has 5 lines of code", "tools/long.py has 5 lines of code"]


def lint_imports(source: Path) -> subprocess.CompletedProcess[str]:
    command = [
        Path(sys.executable).with_name("lint-imports"),
        "--no-cache",
        "--no-logo",
        "--config",
        ROOT / "pyproject.toml",
    ]
    environment = os.environ | {"PYTHONPATH": str(source), "NO_COLOR": "1"}
    return subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)


def test_imports_run_one_way():
    found = lint_imports(ROOT / "src")
    assert found.returncode == 0, found.stdout
    assert " 0 broken" in found.stdout


ORDER = "arguments <- tools <- memory <- polytopes <- homotopy <- categorical"
NO_PAGES = "Science knows nothing of notebooks, plots, tables or files"
ONE_TOOL = "Of the tools the book imports statistics alone"
MODELS = "Inside memory: models <- dynamics <- what uses both"


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("memory/patterns.py", "import memscape.book", "Science never imports the book"),
        ("tools/pieces.py", "import memscape.book", "Science never imports the book"),
        ("categorical/new.py", "import memscape.book", "Science never imports the book"),
        ("book/__init__.py", "import memscape.memory.patterns", "The book imports no science"),
        ("book/__init__.py", "import memscape.tools.pieces", ONE_TOOL),
        ("memory/patterns.py", "import matplotlib.pyplot", NO_PAGES),
        ("tools/pieces.py", "import matplotlib.pyplot", NO_PAGES),
        ("tools/pieces.py", "import memscape.homotopy", "Tools know no part"),
        ("memory/patterns.py", "import memscape.capacity", "memory <- capacity, and nothing else needs capacity"),
        ("homotopy/storage.py", "import memscape.categorical", ORDER),
        ("memory/hopfield.py", "import memscape.memory.dynamics", MODELS),
        ("memory/lagrangians.py", "import memscape.memory.recall", MODELS),
        ("memory/dynamics.py", "import memscape.memory.recall", MODELS),
        ("memory/dynamics.py", "import memscape.memory.completion", MODELS),
        ("memory/dynamics.py", "import memscape.memory.anomalies", MODELS),
        ("arguments.py", "import memscape.tools", ORDER),
    ],
)
def test_a_forbidden_import_is_seen(tmp_path, module, line, contract):
    shutil.copytree(PACKAGE, tmp_path / "memscape", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "memscape/categorical").mkdir(exist_ok=True)
    (tmp_path / "memscape/categorical/__init__.py").touch()
    with (tmp_path / "memscape" / module).open("a") as file:
        file.write(f"\n{line}\n")
    found = lint_imports(tmp_path)
    assert found.returncode == 1
    assert f"{contract} BROKEN" in found.stdout


def test_the_book_may_measure_with_intervals(tmp_path):
    shutil.copytree(PACKAGE, tmp_path / "memscape", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "memscape/tools/statistics.py").touch()
    with (tmp_path / "memscape/book/__init__.py").open("a") as file:
        file.write("\nimport memscape.tools.statistics\n")
    found = lint_imports(tmp_path)
    assert found.returncode == 0, found.stdout


def test_every_part_of_science_is_under_every_contract():
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    by_id = {contract["id"]: contract for contract in contracts}
    # The part that is still to come is there from its first file.
    parts = {f"memscape.{part}" for part in {*science_parts(PACKAGE), "categorical"}}
    assert len(parts) == 5
    for contract, modules, needed in [
        ("science-knows-no-book", "source_modules", {*parts, "memscape.tools"}),
        ("science-knows-no-pages", "source_modules", {*parts, "memscape.tools"}),
        ("book-knows-no-science", "forbidden_modules", parts),
        ("tools-know-no-part", "forbidden_modules", parts),
    ]:
        assert needed <= {module.removesuffix(".**") for module in by_id[contract][modules]}, contract
    layered = " ".join(layer for contract in by_id.values() for layer in contract.get("layers", []))
    assert all(part in layered for part in parts)


LOADED = "; import sys; print('torch' in sys.modules)"


@pytest.mark.parametrize(
    "code",
    [
        "import memscape",
        "import memscape.arguments",
        "import memscape.book.site",
        "from typer.testing import CliRunner; from memscape.book.cli import app; "
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0",
    ],
)
def test_torch_is_not_loaded_before_it_is_needed(code):
    found = subprocess.run([sys.executable, "-c", code + LOADED], capture_output=True, text=True, check=False)
    assert found.stderr == ""
    assert found.stdout.splitlines()[-1] == "False"


STEP = (
    "import torch; from memscape.polytopes.splines import Network, train; one = torch.ones(1, 1); "
    "train(Network((one, one), (one[0], one[0])), one, torch.tensor([0]), epochs=1, batch=1, rate=0.1, "
    "generator=torch.Generator())"
)
NETWORK = (
    "import torch; from memscape.polytopes import threshold_linear as t; "
    "t.trajectories(t.ThresholdLinear(-torch.ones(2, 2), torch.ones(2)), torch.ones(2), duration=1.0, step=0.5)"
)


@pytest.mark.parametrize("code", [STEP, NETWORK], ids=["a step of training", "a network and its flow"])
def test_what_need_not_be_compiled_loads_no_compiler(code):
    loaded = "; import sys; print({'sympy', 'torch._dynamo'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code + loaded], capture_output=True, text=True, check=False)
    assert found.stderr == ""
    assert found.stdout == "set()\n"


def test_the_command_is_installed():
    found = subprocess.run(
        [Path(sys.executable).with_name("memscape"), "--help"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "execute" in found.stdout


def test_a_clone_is_the_same_to_the_byte_where_git_turns_line_feeds_into_two_characters(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.autocrlf=true"]
        subprocess.run(["git", *identity, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init", "-q", "first")
    shutil.copy(ROOT / ".gitattributes", tmp_path / "first")
    (tmp_path / "first/SHA256SUMS").write_bytes(b"abc  digits.gz\n")
    git("-C", "first", "add", ".")
    git("-C", "first", "commit", "-qm", "a")
    git("clone", "-q", "first", "second")
    assert (tmp_path / "second/SHA256SUMS").read_bytes() == b"abc  digits.gz\n"
