"""The atlas of capacities: its numbers are the ledger's, its formulas those of the chapters, its sentences true."""

import json
import math
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import comb
from scipy.stats import norm

from memscape.arguments import ArgumentError
from memscape.book import ledger, yml
from memscape.book.chapters import Chapter
from memscape.book.numbers import MARK
from memscape.book.site import atlas
from memscape.capacity import hybrid
from memscape.capacity.forgetting import decay_lifetime, decay_time
from memscape.capacity.linear_memory import pairs_at

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def groups():
    return atlas.read(ROOT)


@pytest.fixture(scope="module")
def named(groups):
    return {(group.question, filled.entry.memory): filled for group, entries in groups for filled in entries}


@pytest.fixture
def spoiled(tmp_path):
    """A book like this one whose atlas can be spoiled: ``spoiled(old, new)`` is its root."""

    def make(old: str, new: str) -> Path:
        (tmp_path / "chapters" / "capacity").mkdir(parents=True)
        (tmp_path / "claims").symlink_to(ROOT / "claims")
        for each in (ROOT / "chapters").iterdir():
            if each.name != "capacity":
                (tmp_path / "chapters" / each.name).symlink_to(each)
        for each in (ROOT / "chapters" / "capacity").iterdir():
            shutil.copy(each, tmp_path / "chapters" / "capacity" / each.name)
        path = tmp_path / atlas.FILE
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return tmp_path

    return make


def test_every_number_is_the_ledgers(groups):
    held = {row.id: outcome for row, outcome, _ in ledger.rows(ROOT)}
    for _, entries in groups:
        for filled in entries:
            for letter, reference in filled.entry.values.items():
                value = held[reference.claim].measured[reference.part]
                assert filled.numbers[letter] == (value[reference.place] if isinstance(value, list) else value)


def test_the_page_has_a_table_for_every_question_and_types_no_result(groups):
    page = (ROOT / "chapters" / "capacity" / "atlas.md").read_text(encoding="utf-8")
    for group, _ in groups:
        assert f"## {group.question}\n" in page
        assert f"```{{atlas}} {group.question}\n```" in page
    assert "```{atlas-chart}\n```" in page
    assert "```{atlas-summary}\n```" in page
    # What a formula may hold are counts, one half, and what the question itself says: no decimals of a measurement.
    for each in yml.read(ROOT / atlas.FILE):
        for entry in each["entries"]:
            formulas = [entry.get("patterns", ""), entry.get("bits", ""), entry.get("weights", ""), entry["law"]]
            assert not any(
                digits in re.sub(r"0\.3\*\*|0\.9|m = ", "", formula) for formula in formulas for digits in ("0.", "1.6")
            )


def test_bits_and_patterns_of_a_hopfield_network_by_hand(named):
    found = named["One step, one bit in two hundred wrong", "Hopfield network"]
    load = found.numbers["a"] * found.numbers["r"]
    error = 0.005
    told = 1 + error * math.log2(error) + (1 - error) * math.log2(1 - error)
    assert found.patterns(1000) == pytest.approx(1000 * load)
    assert found.bits() == pytest.approx(2 * load * told * 1000 / 999)


def test_bits_and_patterns_of_simplices_by_hand(named):
    found = named["No wrong bit in most patterns", "All pairs, triangles and tetrahedra of neurons"]
    inputs = sum(comb(999, d, exact=True) for d in (1, 2, 3))
    weights = sum(comb(1000, d + 1, exact=True) for d in (1, 2, 3))
    patterns = found.numbers["r"] * inputs / (2 * math.log(1000))
    assert found.patterns(1000) == pytest.approx(patterns)
    assert found.bits() == pytest.approx(1000 * patterns / weights)


def test_the_cliques_are_as_many_as_the_ledger_says(groups):
    (found,) = (filled for _, entries in groups for filled in entries if "cliques" in filled.entry.memory)
    assert found.patterns(496) == pytest.approx(comb(32, 16, exact=True))
    assert atlas._patterns(found) == f"{MARK}601,080,390 at 496 neurons"


def test_an_exponential_number_is_an_order(named):
    found = named["One step, one bit in two hundred wrong", "Exponential memory"]
    order = round(1000 * found.numbers["c"] * math.log10(2))
    assert atlas._patterns(found) == f"about {MARK}10{str(order).translate(str.maketrans('0123456789', '⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
    assert not found.holds_at(499)


def test_pairs_of_a_linear_memory_solve_their_law(named):
    question = "The right answer among all that are stored"
    half, every, share = (filled for (asked, _), filled in named.items() if asked == question)
    for found in (half, every):
        pairs = found.patterns(1000)
        assert pairs * math.log(pairs) == pytest.approx(found.numbers["c"] * 1000**2)
    # Away from the million dimensions of its constant, the law moves by less than a tenth.
    assert half.patterns(1000) == pytest.approx(pairs_at(1000), rel=0.1)
    assert every.patterns(1000) == pytest.approx(pairs_at(1000, all_pairs=True), rel=0.1)
    # An answer among P is worth ln P / ln 2 bits, and there are N^2 weights.
    assert every.bits() == pytest.approx(every.patterns(1000) * math.log2(every.patterns(1000)) / 1000**2)
    assert atlas._patterns(share) == ""


def test_a_stream_by_hand(named):
    question = "The newest, when patterns never stop coming"
    fading, settled, coarse = (filled for (asked, _), filled in named.items() if asked == question)
    load = fading.numbers["a"]
    wrong = norm.sf(load**-0.5)
    told = 1 + wrong * math.log2(wrong) + (1 - wrong) * math.log2(1 - wrong)
    assert fading.patterns(1000) == pytest.approx(
        fading.numbers["r"] * decay_lifetime(1000, decay_time(1000, wrong), wrong)
    )
    assert fading.bits() == pytest.approx(fading.patterns(1000) * 1000 * told / math.comb(1000, 2))
    assert settled.patterns(1000) == pytest.approx(1000 * settled.numbers["a"])
    # The best q of ln(q sqrt N) / -ln(1 - q), by trying many.
    tried = [math.log(q * 1000) / -math.log1p(-q) for q in np.geomspace(1e-3, 1e-1, 2000)]
    assert coarse.patterns(1000**2) == pytest.approx(max(tried), rel=0.01)


def test_few_and_coarse_synapses_by_hand(named):
    rest = "Still there at rest"
    clipped = next(found for (asked, name), found in named.items() if asked == rest and "clipped" in name)
    few = next(found for (asked, name), found in named.items() if asked == rest and "one synapse in twenty" in name)
    lone = next(found for (asked, name), found in named.items() if asked == rest and "One-way" in name)
    assert clipped.patterns(1000) == pytest.approx(1000 * clipped.numbers["a"])
    assert few.patterns(1000) == pytest.approx(50 * few.numbers["a"])  # fifty synapses a neuron
    assert atlas._patterns(lone) == f"{MARK}13 at 4,000 neurons"


def test_states_of_its_own_are_as_many_as_the_chapters_build(named):
    question = "States of the network's own choice"
    circuit = next(filled for (asked, name), filled in named.items() if asked == question and "circuit" in name)
    parameters = Chapter(ROOT, "capacity/constrained").parameters()
    for groups, neurons in zip(parameters["groups"].reference, circuit.sizes, strict=True):
        synapses = torch.zeros(groups * 32, groups * 128)
        if groups <= 8:
            assert len(hybrid.circuit(synapses, groups)) == neurons
        assert circuit.patterns(neurons) == pytest.approx(circuit.numbers["s"] * 32.0**groups)
    scaffold = next(filled for (asked, name), filled in named.items() if asked == question and "scaffold" in name)
    places = Chapter(ROOT, "capacity/forgetting").parameters()["places"].reference
    assert scaffold.sizes == [3**2 + 4**2 + 5**2 + places[-1]]
    assert atlas._patterns(scaffold) == f"{MARK}3,600 at 1,650 neurons"


def test_the_summary_has_a_column_for_every_family(groups):
    short = {group.short: {filled.entry.family for filled in entries} - {""} for group, entries in groups}
    assert short["newest of a stream"] == {"Hopfield", "one bit"}
    assert short["right answer of all"] == {"linear"}
    assert {"Hopfield", "one bit"} <= short["at rest"]
    # A cell holds one number: no two entries of a question are of one family.
    for _, entries in groups:
        families = [filled.entry.family for filled in entries if filled.entry.family]
        assert len(families) == len(set(families))


def test_chapters_that_answer_are_in_the_atlas(groups):
    claimed = {reference.claim for _, entries in groups for each in entries for reference in each.entry.values.values()}
    assert {"FOR-2", "FOR-4", "FOR-10-MANY", "CON-1", "CON-5", "CON-6", "CON-7", "CON-HYBRID"} <= claimed
    assert {"SCA-5", "SCA-5-CROSS"} <= claimed


def test_what_the_page_says_of_the_numbers_is_so(named):
    step, most, every, rest = (
        "One step, one bit in two hundred wrong",
        "No wrong bit in most patterns",
        "No wrong bit in any pattern",
        "Still there at rest",
    )
    settled = named[rest, "Hopfield network"]
    wrong = (1 - settled.numbers["m"]) / 2
    assert round(100 * wrong, 1) == 1.6
    once = 1 / norm.ppf(wrong) ** 2
    assert (round(once, 2), round(settled.numbers["a"], 2)) == (0.22, 0.14)
    assert 1 / 3 < 1 - settled.numbers["a"] / once < 0.4
    assert round(named[step, "Hopfield network"].numbers["a"], 2) == 0.15
    learned = next(filled for (_, memory), filled in named.items() if "probability flow" in memory)
    assert 27 < learned.patterns(100) / named[every, "Hopfield network"].patterns(100) < 30
    clipped = [filled for (_, memory), filled in named.items() if "clipped" in memory]
    full = (named[step, "Hopfield network"], settled)
    costs = [1 - part.patterns(1000) / whole.patterns(1000) for part, whole in zip(clipped, full, strict=True)]
    assert 1 / 3 < costs[0] < 0.4
    assert 0.2 < costs[1] < 1 / 4
    free, signs = (filled for (question, _), filled in named.items() if question == "The best weights there are")
    assert 2 * signs.patterns(1000) == free.patterns(1000)
    fading = [filled.patterns(1000) for (question, _), filled in named.items() if question.startswith("The newest")]
    assert all(0.3 < held / settled.patterns(1000) < 0.37 for held in fading[:2])
    assert round(fading[2]) == 12
    quadratic, cubic, quartic = (
        named[step, name] for name in ("Hopfield network", "Dense memory, power 3", "Dense memory, power 4")
    )
    assert 100 < quadratic.patterns(1000) < 200
    assert quartic.patterns(1000) == pytest.approx(1e7, rel=0.02)
    assert quadratic.bits() > cubic.bits() > quartic.bits()
    # n!/(2n-3)!! a weight, as the page's law has it for any power: 0.05 of what it is at 2 for the power 10.
    share = [math.factorial(n) / math.prod(range(1, 2 * n - 2, 2)) for n in (2, 3, 4, 10)]
    assert share[1] == share[0] > share[2]
    assert share[3] < 0.06 * share[0]
    for size, name in (
        (2, "All pairs and triangles of neurons"),
        (3, "All pairs, triangles and tetrahedra of neurons"),
    ):
        assert named[most, name].bits() == pytest.approx((size + 1) / (2 * math.log(1000)), rel=0.01)
    biased = next(filled for (_, memory), filled in named.items() if "plain Hebb" in memory)
    assert round(biased.patterns(1000)) == 38


def test_the_figure_has_a_thin_line_for_every_law_and_a_bold_one_where_it_was_measured(groups):
    figure = atlas.chart(groups)
    laws = [filled for _, entries in groups for filled in entries if filled.entry.patterns]
    thin = [trace for trace in figure["data"] if trace["line"]["width"] < 2]
    bold = [trace for trace in figure["data"] if trace["line"]["width"] > 2]
    # All but the two whose laws begin where there are more patterns than the figure has room for.
    # And the scaffold, of which there is one.
    assert len(thin) == len(laws) - 3
    assert len(bold) == sum(bool(filled.sizes) for filled in laws)
    shown = [trace["name"] for trace in figure["data"] if trace["showlegend"]]
    assert shown == [group.question for group, entries in groups if any(f.entry.patterns for f in entries)]
    # Neighbouring questions, and all of one figure, differ in colour.
    assert len({trace["line"]["color"] for trace in thin}) == len(shown)
    dot = [trace for trace in bold if len(trace["x"]) == 1]
    assert all(trace["mode"] == "markers" for trace in dot)
    assert dot
    assert all(1 <= y <= 1e12 for trace in figure["data"] for y in trace["y"])
    assert all(10 <= round(x) <= 10_000 for trace in figure["data"] for x in trace["x"])
    json.dumps(figure, allow_nan=False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("claim: AGS-3", "claim: AGS-33", r"Hopfield network whose patterns are the deepest valleys.*AGS-33.*AGS-3"),
        ('part: "load at sharpness 1, 100 units"', 'part: "load at sharpness"', "a part of BEY-8"),
        ("patterns: exp(a*N)", "patterns: exp(b*N)", r"N, a in 'exp\(b\*N\)'.*b"),
        ("sizes: neurons", "sizes: neurones", "a parameter of capacity/capacity.*neurones"),
        ("measures: counted", "measure: counted", "group 1.*measure"),
        ("claim: DEM-LIMIT", "claim: ET-2", "a part of ET-2|a measurement of ET-2"),
    ],
)
def test_a_broken_atlas_says_what_is_wrong(spoiled, old, new, message):
    with pytest.raises(ArgumentError, match=message):
        atlas.read(spoiled(old, new))


def test_an_empty_atlas_is_refused(spoiled):
    root = spoiled("- question", "- question")
    (root / atlas.FILE).write_text("", encoding="utf-8")
    with pytest.raises(ArgumentError, match="a list of questions"):
        atlas.read(root)
