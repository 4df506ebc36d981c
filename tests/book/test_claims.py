"""A row of the ledger is read strictly, and a measurement earns the verdict that its test says, and no other."""

import copy
import itertools
import math

import numpy as np
import pytest
import torch
import yaml
from hypothesis import given
from hypothesis import strategies as st

from memscape.arguments import ArgumentError
from memscape.book import claims
from memscape.book.numbers import MARK

READ = {"value": "1", "known": "read"}
VALUE = {"kind": "value", "target": 0.5, "tolerance": 0.01, "reason": "why"}
SETTLED = {known: {"verdict": "reproduced"} for known in ("read", "authors' code")}
SETTLED |= {known: {"verdict": "agrees"} for known in ("secondary", "unverified")} | {None: {}}
RANGE = {"kind": "interval", "low": 1.0, "high": 2.0, "reason": "why"}
COUNT = {"kind": "count", "target": 4, "reason": "why"}
BELOW = {"kind": "inequality", "op": "<", "bound": 1.0, "reason": "why"}
TREND = {"kind": "trend", "direction": "increasing", "slack": 0.1, "reason": "why"}
ROW = {
    "id": "TOY-1",
    "source": "hopfield1982",
    "origin": "published",
    "where": "p. 1",
    "statement": "Something falsifiable.",
    "published": READ,
    "test": VALUE,
    "chapter": "memory/toy",
    "profile": "desk",
    "verdict": "reproduced",
}


OURS = {"origin": "ours", "published": None, "verdict": "holds"}


def row(test=VALUE, **fields):
    return claims.Row.model_validate({**copy.deepcopy(ROW), "test": test, **fields})


def verdict(test, measured, interval=None, **fields):
    claim = row(test, **fields)
    return claims.verdict_of(claim, claims.judge(claim, *claims.take(claim, measured, interval)).values())


@pytest.mark.parametrize(
    ("test", "measured", "passes"),
    [
        (VALUE, 0.5099, True), (VALUE, 0.4901, True), (VALUE, 0.5101, False), (VALUE, 0.4899, False),
        (RANGE, 1, True), (RANGE, 2, True), (RANGE, 0.999, False), (RANGE, 2.001, False),
        (COUNT, 4, True), (COUNT, 3, False), (COUNT, 5, False),
        (BELOW, 0.9, True), (BELOW, 1.0, False), (BELOW, 1.1, False),
        ({**BELOW, "op": "<="}, 1.0, True), ({**BELOW, "op": "<="}, 1.1, False),
        ({**BELOW, "op": ">"}, 1.1, True), ({**BELOW, "op": ">"}, 1.0, False), ({**BELOW, "op": ">"}, 0.9, False),
        ({**BELOW, "op": ">="}, 1.0, True), ({**BELOW, "op": ">="}, 0.9, False),
        (TREND, [0, 1, 2], True), (TREND, [0, 1, 0.9, 2], True), (TREND, [0, 1, 0.8, 2], False),
        (TREND, [0, 0.1], False), (TREND, [2, 1, 0], False), (TREND, [1, 1, 1], False),
        ({**TREND, "direction": "decreasing"}, [2, 1, 0], True),
        ({**TREND, "direction": "decreasing"}, [0, 1, 2], False),
        ({**TREND, "slack": 0.0}, [0.0, 0.0], False), ({**TREND, "slack": 0.0}, [0.0, 1e-9], True),
    ],
)  # fmt: skip
def test_each_kind_of_test_passes_and_fails_where_it_should(test, measured, passes):
    assert verdict(test, measured) == ("reproduced" if passes else "not reproduced")


@pytest.mark.parametrize(
    ("test", "measured", "interval", "expected"),
    [
        # A target with its tolerance: neither end of what is allowed may lie inside the interval, touching is none.
        (VALUE, 0.5, (0.4901, 0.5099), "reproduced"),
        ({**VALUE, "tolerance": 0.25}, 0.5, (0.25, 0.75), "reproduced"),
        (VALUE, 0.509, (0.5, 0.519), "undecided"),
        (VALUE, 0.491, (0.481, 0.5), "undecided"),
        (VALUE, 0.52, (0.511, 0.53), "not reproduced"),
        (VALUE, 0.52, (0.509, 0.531), "undecided"),
        ({**VALUE, "target": 1.6, "tolerance": 0.1}, 1.53, (1.5, 1.6), "reproduced"),
        (VALUE, 0.5, (0.489, 0.511), "undecided"),
        # A bound: it must not lie inside the interval.
        (BELOW, 0.9, (0.8, 1.0), "reproduced"),
        (BELOW, 0.9, (0.8, 1.01), "undecided"),
        (BELOW, 1.1, (0.99, 1.2), "undecided"),
        (BELOW, 1.1, (1.0, 1.2), "not reproduced"),
        # A range: neither end may lie inside.
        (RANGE, 1.5, (1.0, 2.0), "reproduced"),
        (RANGE, 1.5, (0.9, 1.9), "undecided"),
        (RANGE, 1.5, (1.1, 2.1), "undecided"),
        (RANGE, 3.0, (2.5, 3.5), "not reproduced"),
    ],
)
def test_an_interval_must_be_narrow_enough_to_decide(test, measured, interval, expected):
    assert verdict(test, measured, interval) == expected


@pytest.mark.parametrize("universal", [True, False])
@pytest.mark.parametrize("known", [*claims.KNOWN, None])
@pytest.mark.parametrize("parts", list(itertools.product([True, False, None], repeat=2)))
def test_the_verdict_of_parts(parts, known, universal):
    claim = row(**(OURS if known is None else {"published": {"value": "1", "known": known}}) | SETTLED[known])
    claim = claim.model_copy(update={"universal": universal})
    if universal and False in parts:
        expected = "refuted" if known else "fails"
    elif None in parts:
        expected = "undecided"
    else:
        best = {"read": "reproduced", "authors' code": "reproduced", None: "holds"}.get(known, "agrees")
        expected = {2: best, 1: "partly", 0: "not reproduced" if known else "fails"}[sum(parts)]
    assert claims.verdict_of(claim, parts) == expected


def test_what_was_not_measured_is_not_run_unless_the_ledger_says_more():
    large = {"profile": "paper", "remark": "what it would take"}
    assert claims.verdict_of(row(verdict="out of reach", **large), []) == "out of reach"
    assert claims.verdict_of(row(verdict="not run", **large), []) == "not run"
    assert claims.verdict_of(row(profile="paper"), []) == "not run"


def test_a_row_of_pinned_numbers_alone_is_a_regression_check():
    pinned = {**COUNT, "pinned": True}
    check = row(pinned, **OURS | {"verdict": "unchanged"})
    assert check.regression
    assert claims.verdict_of(check, [True]) == "unchanged"
    assert claims.verdict_of(check, [False]) == "fails"
    assert not row({"parts": {"a": pinned, "b": VALUE}}, **OURS).regression


def test_parts_are_judged_by_name():
    test = {"parts": {"a": VALUE, "b": COUNT}}
    assert verdict(test, {"b": 4, "a": 0.5}) == "reproduced"
    assert verdict(test, {"a": 0.5, "b": 5}) == "partly"
    assert verdict(test, {"a": 0.9, "b": 5}) == "not reproduced"
    assert verdict(test, {"a": 0.9, "b": 4}, universal=True) == "refuted"
    assert verdict(test, {"a": 0.5, "b": 4}, {"a": (0.3, 0.7)}) == "undecided"


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3), st.floats(1e-6, 10))
def test_a_value_passes_exactly_within_its_tolerance(measured, target, tolerance):
    test = {**VALUE, "target": target, "tolerance": tolerance}
    assert (verdict(test, measured) == "reproduced") == (abs(measured - target) <= tolerance)


@pytest.mark.parametrize("measured", [0.5, np.float32(0.5), np.array(0.5), torch.tensor(0.5, dtype=torch.float64)])
def test_scalars_of_numpy_and_torch_are_numbers(measured):
    values, _ = claims.take(row(), measured)
    assert values == {"": 0.5}
    assert type(values[""]) is float


@pytest.mark.parametrize("measured", [(0, 1, 2), np.arange(3), torch.arange(3), [np.float64(0), 1, torch.tensor(2)]])
def test_sequences_of_any_sort_are_trends(measured):
    values, _ = claims.take(row(TREND), measured)
    assert values == {"": [0.0, 1.0, 2.0]}
    assert all(type(value) is float for value in values[""])


PARTS = {"parts": {"power n = 2": VALUE, "power n = 3": VALUE}}


@pytest.mark.parametrize(
    ("test", "measured", "interval", "message"),
    [
        (VALUE, math.nan, None, "measured: expected a finite number; got nan"),
        (VALUE, math.inf, None, "measured: expected a finite number; got inf"),
        (VALUE, torch.tensor(math.nan), None, "measured: expected a finite number; got nan"),
        (VALUE, "0.5", None, "measured: expected a finite number; got '0.5' \\(str\\)"),
        (VALUE, True, None, "measured: expected a finite number; got True"),
        (VALUE, [0.5], None, "measured: expected a finite number; got \\[0.5\\]"),
        (VALUE, {"a": 0.5}, None, "measured: expected a finite number; got {'a': 0.5}"),
        (COUNT, 4.0, None, "measured: expected an integer; got 4.0 \\(float\\)"),
        (COUNT, True, None, "measured: expected an integer; got True"),
        (COUNT, 4, (3, 5), "interval: expected none for a count"),
        (TREND, 0.5, None, "measured: expected a sequence of two or more numbers; got 0.5"),
        (TREND, [0.5], None, "measured: expected a sequence of two or more numbers; got \\[0.5\\]"),
        (TREND, [0.5, math.nan], None, "measured\\[1\\]: expected a finite number; got nan"),
        (TREND, [0, 1], (0, 1), "interval: expected a pair \\(low, high\\) around one measured number"),
        (PARTS, 0.5, None, "measured: expected a dictionary from each part of TOY-1 to its value; got float"),
        (PARTS, {"power n = 2": 0.5}, None, "every part of TOY-1; got none for 'power n = 3'"),
        (PARTS, {"power n = 2": 0.5, "power n=3": 0.5}, None, "got 'power n=3'. Did you mean 'power n = 3'\\?"),
        (PARTS, {"power n = 2": 0.5, "power n = 3": math.nan}, None, "measured\\['power n = 3'\\]: expected a finite"),
        (VALUE, 0.5, (0.6, 0.7), "interval: expected low <= 0.5 <= high; got \\(0.6, 0.7\\)"),
        (VALUE, 0.5, (0.6, 0.4), "interval: expected low <= 0.5 <= high"),
        (VALUE, 0.5, (0.4, math.inf), "interval: expected a finite number; got inf"),
        (VALUE, 0.5, 0.1, "interval: expected a pair \\(low, high\\) around one measured number; got 0.1"),
        (VALUE, 0.5, (0.4, 0.5, 0.6), "interval: expected a pair"),
    ],
)
def test_a_measurement_that_cannot_be_judged_is_refused(test, measured, interval, message):
    with pytest.raises(ArgumentError, match=message):
        verdict(test, measured, interval)


@pytest.mark.parametrize(
    ("test", "measured", "shown", "expected"),
    [
        (VALUE, 0.50123, "≈0.501", "0.5 ± 0.01"),
        ({**VALUE, "target": 0.1379056, "tolerance": 1e-5}, 0.13790557, "≈0.137906", "0.1379056 ± 10⁻⁵"),
        ({**VALUE, "target": 11, "tolerance": 5}, -1e-9, "≈0", "11 ± 5"),
        (RANGE, 1.23456, "≈1.235", "between 1 and 2"),
        (COUNT, 4, "4", "exactly 4"),
        (BELOW, 0.98765, "≈0.9877", "< 1"),
        ({**BELOW, "op": "<=", "bound": 2.5e-7}, 0.0, "≈0", "≤ 2.5\u00a0×\u00a010⁻⁷"),
        ({**COUNT, "target": 12757}, 12757, "12,757", "exactly 12,757"),
        (TREND, [0.0, 1 / 3], "≈0, ≈0.3333", "increasing, steps back up to 0.1"),
        ({**TREND, "slack": 0.0}, [0.0, 1.0], "≈0, ≈1", "increasing"),
    ],
)
def test_what_depends_on_the_processor_is_shown_behind_the_mark(test, measured, shown, expected):
    (single,) = row(test).tests.values()
    assert single.show(measured).replace(MARK, "≈") == shown
    assert str(single) == expected


@pytest.mark.parametrize(
    ("published", "text"),
    [
        ({"value": "0.138", "known": "read"}, "0.138 (read in the source)"),
        ({"value": "0.138", "known": "authors' code"}, "0.138 (authors' code)"),
        ({"value": "0.138", "known": "secondary"}, "0.138 (quoted elsewhere)"),
        ({"value": "0.138", "known": "unverified"}, "value not verified"),
    ],
)
def test_only_a_known_value_may_be_shown_as_published(published, text):
    assert row(published=published, **SETTLED[published["known"]]).published_text == text
    assert row(**OURS).published_text == ""


def write(folder, part, *rows):
    (folder / "claims").mkdir(exist_ok=True)
    (folder / "claims" / f"{part}.yml").write_text(yaml.safe_dump(list(rows)), encoding="utf-8")
    return folder


def test_rows_come_by_id_in_the_order_of_the_files(tmp_path):
    write(tmp_path, "memory", {**ROW, "id": "B-1"}, {**ROW, "id": "A-1"})
    write(tmp_path, "capacity", {**ROW, "id": "C-1", "chapter": "capacity/toy"})
    assert list(claims.load(tmp_path)) == ["C-1", "B-1", "A-1"]
    assert claims.load(tmp_path)["A-1"].link == "memory/toy.html#claim-A-1"


REMARK = {"remark": "what we found"}
SECOND, UNREAD = ({"value": "1", "known": known} for known in ("secondary", "unverified"))
TWO = {"parts": {"a": VALUE, "b": VALUE}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"test": {**VALUE, "tolerance": "1e-5"}}, "TOY-1: test.tolerance: Input should be a valid number"),
        ({"test": {**VALUE, "tolerance": 0.0}}, "test.tolerance: Input should be greater than 0"),
        ({"test": {**VALUE, "target": math.nan}}, "test.target: Input should be a finite number"),
        ({"test": {**VALUE, "reason": ""}}, "test.reason: String should have at least 1 character"),
        ({"test": {k: v for k, v in VALUE.items() if k != "reason"}}, "test.reason: Field required"),
        ({"test": {**VALUE, "kind": "guess"}}, "test: Input tag 'guess'"),
        ({"test": {**COUNT, "target": 4.5}}, "test.target: Input should be a valid integer"),
        ({"test": {**BELOW, "op": "=="}}, "test.op: Input should be '<', '<=', '>' or '>='"),
        ({"test": {"parts": {"a": VALUE}}}, "test: Dictionary should have at least 2 items|test.parts: Dictionary"),
        ({"colour": "blue"}, "colour: Extra inputs are not permitted"),
        ({"id": "toy 1"}, "id: String should match pattern"),
        ({"chapter": "toy"}, "chapter: String should match pattern"),
        ({"chapter": "capacity/toy"}, "chapter capacity/toy belongs into claims/capacity.yml"),
        ({"verdict": "proved"}, "verdict: Input should be 'reproduced'"),
        ({"published": {"value": "1", "known": "heard"}}, "published.known: Input should be 'read'"),
        ({"published": {"value": 1.0, "known": "read"}}, "published.value: Input should be a valid string"),
        ({"verdict": "not reproduced"}, "a verdict 'not reproduced' needs a remark"),
        ({"verdict": "out of reach", "profile": "paper"}, "a verdict 'out of reach' needs a remark"),
        ({"verdict": "partly", "test": TWO}, "a verdict 'partly' needs a remark"),
        ({"verdict": "refuted", "universal": True}, "a verdict 'refuted' needs a remark"),
        (
            {"verdict": "undecided", **REMARK},
            "a claim of origin 'published' is reproduced, agrees, .*; not 'undecided'",
        ),
        ({"verdict": "holds"}, "a claim of origin 'published' is reproduced, .*; not 'holds'"),
        ({**OURS, "verdict": "reproduced"}, "a claim of origin 'ours' is holds, partly, fails, .*; not 'reproduced'"),
        ({"published": SECOND}, "it can be 'agrees', not 'reproduced': what was published is known by 'secondary'"),
        ({"published": UNREAD}, "it can be 'agrees', not 'reproduced': what was published is known by 'unverified'"),
        ({**OURS, "verdict": "unchanged"}, "it can be 'holds', not 'unchanged': its numbers are not all pinned"),
        ({**OURS, "test": {**COUNT, "pinned": True}}, "it can be 'unchanged', not 'holds': its numbers are all pinned"),
        ({"published": None}, "a published claim says what was published, and one of ours has nothing to say there"),
        ({**OURS, "published": READ}, "a published claim says what was published, and one of ours has nothing"),
        ({"source": None}, "a published claim names its source, and is not unprinted"),
        ({"unprinted": "Toys."}, "a published claim names its source, and is not unprinted"),
        ({"origin": "hearsay"}, "origin: Input should be 'published' or 'ours'"),
        ({"verdict": "out of reach", **REMARK}, "a claim of the desk profile is measured in every run"),
        ({"verdict": "not run", **REMARK}, "a claim of the desk profile is measured in every run"),
        ({"verdict": "partly", **REMARK}, "a test without parts, cannot come out partly"),
        ({**OURS, "verdict": "partly", "test": TWO, "universal": True, **REMARK}, "a universal statement, or"),
        ({"verdict": "refuted", **REMARK}, "a failing universal statement is refuted"),
        ({"verdict": "partly", "test": TWO, "universal": True, **REMARK}, "a failing universal statement is refuted"),
        ({"remark": ""}, "remark: String should have at least 1 character"),
    ],
)
def test_a_row_that_is_not_as_it_must_be_is_named(tmp_path, change, message):
    with pytest.raises(claims.LedgerError, match=message) as caught:
        claims.load(write(tmp_path, "memory", {**ROW, **change}))
    assert str(caught.value).startswith("claims/memory.yml: ")


def test_an_id_stands_once(tmp_path):
    with pytest.raises(claims.LedgerError, match=r"claims/memory.yml: TOY-1: this id stands twice"):
        claims.load(write(tmp_path, "memory", ROW, ROW))


def test_the_ledger_of_the_book_can_be_read(root):
    rows = claims.load(root)
    assert {row.chapter for row in rows.values()} >= {"memory/hopfield", "memory/dense", "capacity/capacity"}
    asked = """HOP82-1 HOP84-1 AGS-1 AGS-2 AGS-3 AGS-4 AGS-5 AGS-6 AGS-7 AGS-8 AGS-9 KH16-1 KH16-2 KH16-3 KH16-4 KH16-5
        KH16-6 KH16-7 KH16-8 KH16-9 KH16-10 KH16-RECT DEM-1 DEM-2 DEM-STORE SMK-DAM"""
    assert set(asked.split()) <= set(rows)


def test_what_a_row_prints_as_it_is_holds_no_formula(root):
    rows = claims.load(root).values()
    printed = [(row.id, text) for row in rows for text in (row.where or "", *getattr(row.test, "parts", ()))]
    assert [named for named in printed if "$" in named[1]] == []
