"""One environment, written down three times: pyproject.toml, requirements.lock and environment.yml agree."""

import ast
import os
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import nbformat
import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
NOT_LOCKED = re.compile(r"torch|triton|nvidia-.*|cuda-.*")
UNWANTED = {"nbdime", "jupyter-server", "jupyterlab"}  # 2.5 s more at every start of jupyter-book
CONDA_NAMES = {"jupyter_client": "jupyter-client", "pytorch": "torch"}
# The machines that the lock promises to serve.
MACHINES = [(python, platform) for python in ("3.11", "3.12", "3.13", "3.14") for platform in ("linux", "darwin")]


def pyproject() -> dict:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)


def declared(*extras: str) -> dict[str, Requirement]:
    """The requirements of pyproject.toml with some extras, of which one may ask for another, by canonical name."""
    project = pyproject()["project"]
    texts = project["dependencies"] + [one for extra in extras for one in project["optional-dependencies"][extra]]
    found = {}
    for requirement in map(Requirement, texts):
        if requirement.name == project["name"]:
            found |= declared(*requirement.extras)
        else:
            found[canonicalize_name(requirement.name)] = requirement
    return found


def machine(python: str, platform: str) -> dict[str, str]:
    """What a marker sees on that machine."""
    return default_environment() | {
        "python_version": python,
        "python_full_version": f"{python}.9",
        "sys_platform": platform,
        "platform_system": {"linux": "Linux", "darwin": "Darwin"}[platform],
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }


def read_lock(text: str) -> list[tuple[Requirement, list[str]]]:
    """Every entry of a lock: the requirement with its marker, and the hashes it admits."""
    joined = re.sub(
        r"\\\n\s*", "", "".join(line for line in text.splitlines(True) if not line.lstrip().startswith("#"))
    )
    entries = []
    for line in joined.splitlines():
        if line.strip():
            requirement, *hashes = re.split(r"\s*--hash=", line)
            entries.append((Requirement(requirement), [found.strip() for found in hashes]))
    return entries


LOCK = read_lock((ROOT / "requirements.lock").read_text())


def locked(python: str, platform: str) -> dict[str, str]:
    """The versions that the lock installs on a machine; a name that comes twice there is an error."""
    versions: dict[str, str] = {}
    for requirement, _ in LOCK:
        if requirement.marker is None or requirement.marker.evaluate(machine(python, platform)):
            (specifier,) = requirement.specifier
            assert specifier.operator == "=="
            name = canonicalize_name(requirement.name)
            assert name not in versions, f"{name} is locked twice for Python {python} on {platform}"
            versions[name] = specifier.version
    return versions


def torch_of_the_makefile() -> str:
    (version,) = re.findall(r"^TORCH \?= torch==(\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    return version


def environment_yml() -> tuple[dict[str, str], dict[str, str]]:
    """What environment.yml takes from conda and what from pip: versions by the canonical names of Python packages."""
    content = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [entry["pip"] for entry in content["dependencies"] if isinstance(entry, dict)]
    conda = [entry for entry in content["dependencies"] if isinstance(entry, str)]
    assert len(set(conda)) == len(conda)
    assert pip.pop() == "--editable ."
    from_conda = dict(entry.partition("=")[::2] for entry in conda)
    from_pip = dict(entry.split("==") for entry in pip)
    return {CONDA_NAMES.get(name, name): version for name, version in from_conda.items()}, from_pip


def test_every_entry_of_the_lock_is_hashed():
    assert len(LOCK) > 100
    for requirement, hashes in LOCK:
        assert hashes, f"{requirement.name} has no hash"
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in hashes), requirement.name


def test_torch_and_the_packages_of_its_build_are_not_locked():
    assert [requirement.name for requirement, _ in LOCK if NOT_LOCKED.fullmatch(requirement.name)] == []


def test_what_slows_every_build_is_kept_out():
    assert UNWANTED.isdisjoint(requirement.name for requirement, _ in LOCK)


def test_the_lock_names_no_package_index():
    assert re.findall(r"https?://|--(?:extra-)?index-url|--find-links", (ROOT / "requirements.lock").read_text()) == []


@pytest.mark.parametrize(("python", "platform"), MACHINES)
def test_the_lock_serves_every_machine(python, platform):
    versions = locked(python, platform)
    for name, requirement in declared("test").items():
        if name != "torch" and (requirement.marker is None or requirement.marker.evaluate(machine(python, platform))):
            assert name in versions, f"{name} is not locked"
            assert requirement.specifier.contains(versions[name]), f"{requirement}, but {versions[name]} is locked"
    assert ("appnope" in versions) == (platform == "darwin")  # so the markers of platforms are really kept


def test_the_lock_was_made_from_these_requirements():
    text = (ROOT / "requirements.lock").read_text()
    direct = {name for name in declared("test") if name != "torch"}
    found = re.findall(r"^([a-z0-9._-]+)==[^#]*?(?:^ +# .*\n)*?^ +#(?: via)? +memscape \(pyproject", text, re.MULTILINE)
    assert {canonicalize_name(name) for name in found} == direct


def test_the_build_uses_the_locked_setuptools():
    (build,) = map(Requirement, pyproject()["build-system"]["requires"])
    versions = {locked(python, platform)["setuptools"] for python, platform in MACHINES}
    assert {str(build.specifier)} == {f"=={version}" for version in versions}


def test_torch_is_pinned_once_and_its_needs_are_locked():
    # The floor of the range is the version in use, so that a new one changes pyproject.toml and every chapter's digest.
    assert f">={torch_of_the_makefile()}" in {str(part) for part in declared()["torch"].specifier}
    (assumed,) = pyproject()["tool"]["uv"]["dependency-metadata"]
    needed = [Requirement(text) for text in metadata.requires("torch") or []]
    plain = {
        canonicalize_name(found.name)
        for found in needed
        if (found.marker is None or found.marker.evaluate({"extra": ""})) and not NOT_LOCKED.fullmatch(found.name)
    }
    assert plain == {canonicalize_name(Requirement(text).name) for text in assumed["requires-dist"]}
    assert plain <= set(locked("3.11", "linux"))


def test_environment_yml_is_the_lock_under_its_conda_names():
    from_conda, from_pip = environment_yml()
    python = from_conda.pop("python")
    assert (python, "linux") in MACHINES
    assert from_conda.pop("pip") == ""
    assert set(from_conda).isdisjoint(from_pip)
    expected = locked(python, "linux") | {"torch": torch_of_the_makefile()}
    assert from_conda | from_pip == {name: expected[name] for name in declared("test")}


def imports(source: str) -> set[str]:
    """The packages from outside the standard library that a piece of Python code imports, by their top module."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"memscape"}


def code_of(path: Path) -> str:
    if path.suffix == ".py":
        return path.read_text()
    cells = nbformat.read(path, as_version=4).cells
    return "\n".join(cell.source for cell in cells if cell.cell_type == "code")


def distributions(folders: tuple[str, ...]) -> dict[str, set[str]]:
    """For each package imported by the code in some folders, the names of the distributions that provide it."""
    paths = [path for folder in folders for kind in ("*.py", "*.ipynb") for path in (ROOT / folder).rglob(kind)]
    providers = metadata.packages_distributions()
    tops = {top for path in paths for top in imports(code_of(path))}
    return {top: {canonicalize_name(name) for name in providers.get(top, [])} for top in tops}


def test_every_imported_package_is_declared():
    found = distributions(("src", "chapters"))
    assert {"torch", "numpy"} <= found.keys()
    assert [top for top, names in found.items() if not names & declared("book").keys()] == []


def test_the_models_need_what_a_plain_install_brings_and_nothing_else():
    parts = [path.parent for path in (ROOT / "src/memscape").glob("*/__init__.py") if path.parent.name != "book"]
    paths = [path.relative_to(ROOT) for path in parts]
    found = distributions((*map(str, paths),)) | {
        top: {canonicalize_name(name) for name in metadata.packages_distributions().get(top, [])}
        for path in (ROOT / "src/memscape").glob("*.py")
        for top in imports(code_of(path))
    }
    assert [top for top, names in found.items() if not names & declared().keys()] == []
    assert declared().keys() == set().union(*found.values()) & declared("book", "test").keys()


# What is used without an import: by a file that names it in these words.
USED_BY_NAME = {
    "bokeh": ("src/memscape/book/sweeps.py", "Dask's dashboard"),
    "check-jsonschema": ("tests/test_workflows.py", "check-jsonschema"),
    "import-linter": ("Makefile", "lint-imports"),
    "ipykernel": ("src/memscape/book/execute.py", '"python3"'),
    "jupyter-book": ("Makefile", "jupyter-book build"),
    "mypy": ("Makefile", "$(BIN)/mypy"),
    "pyarrow": ("src/memscape/book/tables.py", "parquet"),
    "pytest-benchmark": ("benchmarks/pytest.ini", "--benchmark"),
    "pytest-timeout": ("pyproject.toml", "\ntimeout = "),
    "pytest-xdist": ("Makefile", "--dist loadfile"),
    "ruff": ("Makefile", "ruff check"),
    "scipy-stubs": ("Makefile", "$(BIN)/mypy"),
    "sphinx-autoapi": ("_config.yml", "autoapi.extension"),
    "sphinx-book-theme": ("_config.yml", "sphinx_book_theme"),
    "sphinx-mathjax-offline": ("src/memscape/book/site/mathjax.py", "sphinx-mathjax-offline"),
    "sphinx-proof": ("_config.yml", "sphinx_proof"),
    "types-psutil": ("Makefile", "$(BIN)/mypy"),
    "types-pyyaml": ("Makefile", "$(BIN)/mypy"),
    "zizmor": ("tests/test_workflows.py", "zizmor"),
}


def test_every_declared_package_is_of_use():
    imported = set().union(*distributions(("src", "chapters", "tests")).values())
    named = {name for name, (path, words) in USED_BY_NAME.items() if words in (ROOT / path).read_text()}
    assert declared("test").keys() - imported - named == set()


@pytest.mark.skipif(bool(os.environ.get("COLD")), reason="a cold run takes the newest versions, not the locked ones")
def test_the_environment_in_use_is_the_locked_one():
    platform = "darwin" if sys.platform == "darwin" else "linux"
    expected = locked(f"{sys.version_info.major}.{sys.version_info.minor}", platform)
    found = {name: metadata.version(name) for name in expected}
    assert found == expected
    assert metadata.version("torch").split("+")[0] == torch_of_the_makefile()


def test_a_lock_without_hashes_or_with_two_versions_is_seen(monkeypatch):
    entries = read_lock(
        "a==1 ; sys_platform == 'linux' \\\n    --hash=sha256:0\n    # via b\na==2 ; python_version >= '3.12'\n"
    )
    assert [(str(requirement.specifier), hashes) for requirement, hashes in entries] == [
        ("==1", ["sha256:0"]),
        ("==2", []),
    ]
    monkeypatch.setitem(globals(), "LOCK", entries)
    assert locked("3.11", "linux") == {"a": "1"}
    with pytest.raises(AssertionError, match=r"a is locked twice for Python 3\.12 on linux"):
        locked("3.12", "linux")
