"""The gate: no chapter is committed whose outputs are old, broken, half executed or not normalised."""

from pathlib import Path

import pytest

from memscape.book import chapters, digest, execute

from .conftest import PARAMETERS

CHAPTERS = chapters.every(Path(__file__).parents[2])


@pytest.mark.parametrize("page", CHAPTERS, ids=[page.name for page in CHAPTERS])
def test_a_chapter_is_fresh_and_sound(page):
    problems = [f"stale: {reason}" for reason in digest.stale(page)] + execute.faults(page)
    assert problems == [], f"{page.name}: run `memscape execute {page.name}`"


@pytest.mark.parametrize("page", CHAPTERS, ids=[page.name for page in CHAPTERS])
def test_a_chapter_declares_its_parameters(page):
    assert {"seed", "device"} <= page.parameters().keys()


def test_the_gate_knows_a_chapter_that_was_never_executed(home):
    page = chapters.find("memory/toy")
    assert digest.stale(page) == ["never executed"]
    assert any("not executed from top to bottom" in fault for fault in execute.faults(page))
    assert page.read().cells[1].source == PARAMETERS
