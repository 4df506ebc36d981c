"""What a run took is measured where it ran, and says nothing about the machine's name."""

import platform
import subprocess
import sys

import numpy as np
import torch

from memscape.book.facts import ORDINARY, PACKAGES, facts


def test_facts_name_versions_and_processor_and_not_the_machine():
    found = facts()
    assert found["python"] == platform.python_version()
    assert found["versions"]["numpy"] == np.__version__
    assert set(found["versions"]) == set(PACKAGES)
    assert found["processor"].startswith(platform.machine())
    assert platform.node() not in repr(found)


def test_the_peak_is_that_of_the_process_and_stays_after_the_memory_is_given_back():
    code = """
import numpy as np
from memscape.book.facts import facts
before = facts()["peak_mib"]
np.ones(100 * 2**17).sum()
print(before, facts()["peak_mib"])
"""
    ballast = np.ones(200 * 2**17)  # a child must not inherit the peak of its parent
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    before, after = map(int, text.split())
    assert 95 <= after - before <= 105
    assert before < ballast.nbytes / 2**20


def test_user_time_is_that_of_the_process_and_its_children_and_not_of_waiting():
    code = """
import subprocess, sys, time
from memscape.book.facts import facts
busy = "import time\\nwhile time.process_time() < 1: sum(range(10**6))"
before = facts()["user_seconds"]
exec(busy.replace("< 1", f"< {time.process_time() + 1}"))
subprocess.run([sys.executable, "-c", busy])
time.sleep(2)
print(facts()["user_seconds"] - before)
"""
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert 1.5 < float(text) < 3


def test_the_pace_is_that_of_the_core(monkeypatch):
    assert 0.1 < facts()["pace"] < 20  # whatever runs this
    clock = iter((5.0, 5.0 + 3 * ORDINARY))
    monkeypatch.setattr("memscape.book.facts.time.process_time", lambda: next(clock))
    assert facts()["pace"] == 3


def test_a_gpu_that_was_used_is_named_with_its_memory(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Some GPU")
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 3 * 2**20)
    found = facts()
    assert found["gpu"] == "Some GPU"
    assert found["gpu_peak_mib"] == 3
    assert found["processor"] == f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"


def test_a_gpu_that_was_not_used_is_not_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)
    assert "gpu" not in facts()
