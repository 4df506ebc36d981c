"""The page "Use a model in your own code": its blocks run one after the other and print what the page shows."""

import re
import subprocess
import sys
from pathlib import Path

import memscape

PAGE = (Path(__file__).parents[1] / "chapters/use.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(python|text)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
MARK = "-" * 20


def test_every_block_prints_what_the_page_shows(tmp_path):
    code = "".join(text if kind == "python" else f'print("{MARK}")\n' for kind, text in BLOCKS)
    found = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    shown = [text for kind, text in BLOCKS if kind == "text"]
    assert len(shown) > 5
    assert found.stdout.split(MARK + "\n") == [*shown, ""]


def test_every_name_that_the_package_offers_is_there_and_types_know_it():
    for name in memscape.__all__:
        assert getattr(memscape, name).__name__ == name
        assert name in dir(memscape)
    stub = Path(memscape.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    pairs = {
        (name, home) for home, name in re.findall(r"^from memscape\.([\w.]+) import (\w+) as \2$", stub, re.MULTILINE)
    }
    assert pairs == set(memscape._HOMES.items())
    assert not hasattr(memscape, "nothing")
