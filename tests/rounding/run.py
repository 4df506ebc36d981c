"""`make rounding`: chapters and science tests under rounding noise, with three seeds.

Without a name it takes what has changed since the branch left main (on main: since the commit before), with the test
file and the chapter of every module that has. `--all` takes everything. A name is `memory/dense` or a path.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
STARTUP = Path(__file__).parent / "startup"
SEEDS = (1, 2, 3)
NOT_SCIENCE = {"book", "rounding"}  # no float of a reader's is computed there


def named(path, root=ROOT):
    """Tests and chapter of one name, or of one file of the three trees that mirror each other."""
    parts = Path(path).with_suffix("").parts
    parts = parts[2:] if parts[:2] == ("src", "memscape") else parts[1:] if parts[0] in ("tests", "chapters") else parts
    if len(parts) < 2 or parts[0] in NOT_SCIENCE:
        return []
    name = parts[-1].removeprefix("test_")
    folder = Path(*parts[:-1])
    both = [Path("tests", folder, f"test_{name}.py"), Path("chapters", folder, f"{name}.ipynb")]
    return [each for each in both if (root / each).is_file()]


def everything(root=ROOT):
    """All test files and chapters of science."""
    files = [*(root / "tests").glob("*/test_*.py"), *(root / "chapters").glob("*/*.ipynb")]
    files = [each.relative_to(root) for each in files]
    return [each for each in files if each.parts[1] not in NOT_SCIENCE]


def changed(root=ROOT):
    """Paths that differ from where the branch left main, from the commit before if it has not."""

    def git(*words):
        found = subprocess.run(["git", *words], cwd=root, capture_output=True, text=True, check=False)
        return found.stdout.split() if found.returncode == 0 else []

    head = git("rev-parse", "HEAD")
    bases = [git("merge-base", "HEAD", main) for main in ("main", "origin/main")]
    base = next((each for each in bases if each and each != head), None) or git("rev-parse", "HEAD~")
    return [*git("diff", "--name-only", *base), *git("ls-files", "--others", "--exclude-standard")]


def commands(files, workers):
    """The calls of pytest: one for the tests, one for the chapters."""
    few = ["-n", workers, "--dist", "loadfile", "-o", "timeout=7200"]
    tests = [str(each) for each in files if each.suffix == ".py"]
    chapters = [str(each) for each in files if each.suffix == ".ipynb"]
    pytest = [sys.executable, "-m", "pytest", "-q"]
    nbval = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "3600"]
    nbval += ["--nbval-sanitize-with", "tests/nbval_sanitize.cfg"]
    return [[*pytest, *few, *tests]] * bool(tests) + [[*pytest, *few, *nbval, *chapters]] * bool(chapters)


def environment(seed):
    """What a process of the test finds: the start-up file, and a seed for it."""
    path = os.pathsep.join(filter(None, [str(STARTUP), os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path, "ROUNDING_SEED": str(seed)}


def main():
    """Run, and say by the exit code whether all passed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--workers", default="2")
    given = parser.parse_args()
    if given.all:
        files = everything()
    else:
        files = sorted({each for path in given.names or changed() for each in named(path)})
        unknown = [name for name in given.names if not named(name)]
        if unknown:
            parser.error(f"no test file and no chapter of the name {', '.join(unknown)}; a name is like memory/dense")
    if not files:
        print("No chapter and no test file of science has changed. ALL=1 takes all, NAMES='memory/dense ...' some.")
    failed = False
    for seed in SEEDS:
        for command in commands(files, given.workers):
            print(f"Rounding noise, seed {seed}: {len(files)} files", flush=True)
            failed |= subprocess.run(command, cwd=ROOT, env=environment(seed), check=False).returncode != 0
    sys.exit(failed)


if __name__ == "__main__":
    main()
