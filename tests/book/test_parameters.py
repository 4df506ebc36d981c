"""The parameters cell is read as it is written, and nothing passes that it does not declare."""

import re
from fractions import Fraction

import pytest
from papermill.inspection import inspect_notebook

from memscape.arguments import ArgumentError
from memscape.book.parameters import Parameter, declared, numbers, profile_values, require_known, resolve

from .conftest import PARAMETERS

NEURONS = Parameter("neurons", "int", 20, low=10, high=5000)
LOAD = Parameter("load", "float", 0.1, low=0.0, high=1.0)
CLAMP = Parameter("clamp", "bool", False)
LOADS = Parameter("loads", "list[float]", [0.1], low=0.0, high=1.0)
SIZES = Parameter("sizes", "list[int]", [1])
RULE = Parameter("rule", "str", "hebbian", choices=("hebbian", "inverse"))
NAMES = Parameter("names", "list[str]", ["a"])
POWER = Parameter("power", "int", 2, choices=(2, 3, 4))


def test_a_cell_declares_names_types_values_help_and_limits():
    parameters = declared(PARAMETERS)
    assert list(parameters) == ["neurons", "load", "clamp", "loads", "rule", "seed", "device"]
    assert parameters["neurons"] == Parameter("neurons", "int", 20, "N: units in the network", low=10, high=5000)
    assert parameters["clamp"] == Parameter("clamp", "bool", False, "whether the first unit is held")
    assert parameters["loads"] == Parameter(
        "loads", "list[float]", [0.05, 0.1], "alpha: loads to compare", low=0.0, high=1.0
    )
    assert parameters["rule"].choices == ("hebbian", "inverse")
    assert parameters["rule"].limits == "{hebbian, inverse}"
    assert parameters["neurons"].limits == "[10, 5000]"
    assert parameters["clamp"].limits == ""


def test_a_value_may_stand_on_several_lines_and_a_whole_number_for_a_float():
    parameters = declared("loads: list[float] = [\n    1,\n    2.5,\n]  # alpha [0, 3e0]\nstep: float = -1  # dt")
    assert parameters["loads"].reference == [1.0, 2.5]
    assert isinstance(parameters["loads"].reference[0], float)
    assert parameters["loads"].help == "alpha"
    assert parameters["step"].reference == -1.0
    assert isinstance(parameters["step"].reference, float)


def test_papermill_reads_the_same_cell(home):
    seen = inspect_notebook(home / "chapters/memory/toy.ipynb")
    for name, parameter in declared(PARAMETERS).items():
        assert seen[name]["inferred_type_name"] == parameter.kind
        assert seen[name]["help"] == f"{parameter.help} {parameter.limits}".strip()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("neurons = 200  # N", "one typed literal a line"),
        ("import os", "got import os"),
        ("neurons: int", "one typed literal a line"),
        ("neurons: int = ", "parameters cell: expected Python; got line 1"),
        ("neurons: complex = 2  # N", "type of neurons: expected one of 'int', 'float'"),
        ("neurons: list[bool] = [True]  # N", "type of neurons: expected one of"),
        ("neurons: int = 200", "neurons: expected a comment without an equals sign behind its value; got none"),
        ("neurons: int = 200  # N = 200", "neurons: expected a comment without an equals sign behind its value; got N"),
        ("neurons: int = 2 * size  # N", "neurons: expected a literal; got 2 * size"),
        ("neurons: int = 2.0  # N", "neurons: expected an integer; got 2.0 (float)"),
        ("neurons: int = 2  # N [10, 20]", "neurons: expected an integer in [10, 20]; got 2"),
        (
            "neurons: int = 2  # N [1, 2, 3]",
            "limits of neurons: expected a range [low, high] of numbers; got [1, 2, 3]",
        ),
        ("neurons: int = 2  # N [3, 1]", "limits of neurons: expected a range [low, high] of numbers; got [3, 1]"),
        ("neurons: int = 2  # N [one, two]", "limits of neurons[0]: expected an integer; got 'one'"),
        ('rule: str = "a"  # which [a, b]', "limits of rule: expected a range"),
        ('rule: str = "c"  # which {a, b}', "rule: expected text in {a, b}; got 'c'"),
        ("neurons: int = 2  # N\nneurons: int = 3  # N", "neurons: expected one declaration; got two"),
        ("neurons: int = 2  # N [1, 3], rising", "neurons: expected no shape behind the limits of one int; got rising"),
        ("sizes: list[int] = [2]  # N [1, 3], one or more of them", "sizes: expected a range or choices at the end of"),
        ("sizes: list[int] = [2]  # N {1, 2} to choose", "no words but those for a list; got N {1, 2} to choose"),
        ("sizes: list[int] = [2]  # N [1, 3], risen", "shape of sizes: expected one of 'two or more'"),
        ("sizes: list[int] = [2]  # N [1, 3], two or more", "sizes: expected a list[int], two or more; got [2]"),
        ("neurons: int = 2  # N\n# more of it", "expected `# requires EXPRESSION: reason` in a line without a"),
        ("neurons: int = 2  # N\n# requires neurons > size: so", "behind `requires` (neurons); got size"),
        ("neurons: int = 2  # N\n# requires neurons >: so", "an expression of Python behind `requires`"),
        ("neurons: int = 2  # N\n# requires neurons > 2: so", "neurons: expected neurons > 2 (so); got neurons = 2"),
    ],
)
def test_a_cell_that_declares_badly_is_refused(source, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        declared(source)


@pytest.mark.parametrize(
    ("parameter", "value", "taken"),
    [
        (NEURONS, 10, 10),
        (NEURONS, 5000, 5000),
        (LOAD, 1, 1.0),
        (LOAD, 0.5, 0.5),
        (CLAMP, True, True),
        (LOADS, [0, 0.5], [0.0, 0.5]),
        (SIZES, [3, 2], [3, 2]),
        (RULE, "inverse", "inverse"),
        (POWER, 3, 3),
    ],
)
def test_a_good_value_is_taken_in_its_type(parameter, value, taken):
    found = parameter.check(value)
    assert found == taken
    assert type(found) is type(taken)


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        (NEURONS, 9, "neurons: expected an integer in [10, 5000]; got 9."),
        (NEURONS, 5001, "neurons: expected an integer in [10, 5000]; got 5001."),
        (NEURONS, 20.0, "neurons: expected an integer in [10, 5000]; got 20.0 (float)."),
        (NEURONS, True, "neurons: expected an integer in [10, 5000]; got True (bool)."),
        (NEURONS, None, "neurons: expected an integer in [10, 5000]; got None (NoneType)."),
        (NEURONS, "20", "neurons: expected an integer in [10, 5000]; got '20' (str). Give a number, not text."),
        (LOAD, 1.01, "load: expected a finite number in [0, 1]; got 1.01."),
        (LOAD, float("nan"), "load: expected a finite number in [0, 1]; got nan (float)."),
        (LOAD, float("inf"), "load: expected a finite number in [0, 1]; got inf (float)."),
        (LOAD, True, "load: expected a finite number in [0, 1]; got True (bool)."),
        (LOAD, "1e-3", "got '1e-3' (str). Give a number, not text; in YAML 1e-3 is text and 1.0e-3 a number."),
        (CLAMP, "true", "clamp: expected a bool; got 'true' (str). Give True or False, not text"),
        (CLAMP, 1, "clamp: expected a bool; got 1 (int). Give True or False."),
        (LOADS, 0.1, "loads: expected a non-empty list[float]; got 0.1 (float)."),
        (LOADS, [], "loads: expected a non-empty list[float]; got [] (list)."),
        (
            LOADS,
            "[0.1]",
            "got '[0.1]' (str). Give a list, not text: papermill takes one as -y 'loads: [first, second]'.",
        ),
        (LOADS, [0.1, 2.0], "loads[1]: expected a finite number in [0, 1]; got 2."),
        (LOADS, [0.1, "1e-3"], "loads[1]: expected a finite number in [0, 1]; got '1e-3' (str)."),
        (SIZES, [1, 2.5], "sizes[1]: expected an integer; got 2.5 (float)."),
        (RULE, "hebbain", "rule: expected text in {hebbian, inverse}; got 'hebbain' (str). Did you mean 'hebbian'?"),
        (RULE, 3, "rule: expected text in {hebbian, inverse}; got 3 (int). Put it in quotes."),
        (POWER, 5, "power: expected an integer in {2, 3, 4}; got 5 (int)."),
    ],
)
def test_a_bad_value_is_refused_with_what_was_expected_and_what_came(parameter, value, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        parameter.check(value)


@pytest.mark.parametrize(
    ("parameter", "text", "value"),
    [
        (NEURONS, "500", 500),
        (LOAD, "1e-3", 0.001),
        (CLAMP, "true", True),
        (CLAMP, "False", False),
        (LOADS, "[0.1, 0.2]", [0.1, 0.2]),
        (LOADS, " [1e-3] ", [0.001]),
        (RULE, "inverse", "inverse"),
        (NAMES, "['a', b]", ["a", "b"]),
        (NAMES, "['a', 'b,c', \"d\"]", ["a", "b,c", "d"]),
        (NAMES, "[4:34, 1/12 11/120]", ["4:34", "1/12 11/120"]),
    ],
)
def test_text_from_the_command_line_is_read_by_the_declared_type(parameter, text, value):
    assert parameter.read(text) == value


@pytest.mark.parametrize(
    ("parameter", "text", "message"),
    [
        (NEURONS, "5e2", "an integer in [10, 5000]; got '5e2'. Write it in digits, without point or exponent."),
        (NEURONS, "500.5", "an integer in [10, 5000]; got '500.5'. Write it in digits, without point or exponent."),
        (NEURONS, "nan", "neurons: expected an integer in [10, 5000]; got 'nan'. Write it in digits."),
        (NEURONS, "many", "neurons: expected an integer in [10, 5000]; got 'many'. Write it in digits."),
        (NEURONS, "[500]", "neurons: expected an integer in [10, 5000]; got '[500]'. Give one value, not a list."),
        (LOAD, "low", "load: expected a finite number in [0, 1]; got 'low'. Write it in digits."),
        (LOAD, "nan", "load: expected a finite number in [0, 1]; got nan (float)."),
        (CLAMP, "1", "clamp: expected a bool; got '1'. Write true or false."),
        (RULE, "no", "rule: expected text in {hebbian, inverse}; got 'no'"),
        (LOADS, "", "loads: expected a list in brackets, '[0.1]'; got ''."),
        (LOADS, "0.1", "loads: expected a list in brackets, '[0.1]'; got '0.1'."),
        (LOADS, "0.1,0.2", "loads: expected a list in brackets, '[0.1]'; got '0.1,0.2'."),
        (LOADS, "[]", "loads: expected a non-empty list[float]; got [] (list)."),
        (LOADS, "[0.05", "loads: expected brackets and quotes that are closed; got '[0.05'."),
        (LOADS, "[0.05]]", "loads: expected brackets and quotes that are closed; got '[0.05]]'."),
        (LOADS, "[0.05],[0.1]", "loads: expected a list in brackets, '[0.1]'; got '[0.05],[0.1]'."),
        (LOADS, "[[0.05]]", "loads[0]: expected a finite number in [0, 1]; got ['0.05']. Give one value, not a list."),
        (LOADS, "[0.05, low]", "loads[1]: expected a finite number in [0, 1]; got 'low'. Write it in digits."),
        (LOADS, "[a: b]", "loads[0]: expected a finite number in [0, 1]; got {'a': 'b'}."),
        (NAMES, "['a]", 'names: expected brackets and quotes that are closed; got "[\'a]".'),
    ],
)
def test_what_is_wrong_with_a_text_is_said(parameter, text, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        parameter.read(text)


SHAPED = """\
sizes: list[int] = [2, 3, 5]  # n: sizes [2, 99], two or more, rising, prime
place: list[float] = [0.0, 1.0, 0.0]  # where [0, 1], exactly three
names: list[str] = ["a"]  # which {a, b}, different
loads: list[float] = [0.1]  # alpha [0, 1]
neurons: int = 10  # N [1, 20]
# requires neurons * min(loads) >= 1: a network stores a pattern or more
# requires all(n <= 5 * m for n, m in zip(sizes, sizes)) and len(place) == 3: nothing
"""


def test_a_list_has_a_shape_and_parameters_relations():
    found = declared(SHAPED)
    assert found["sizes"].shape == ("two or more", "rising", "prime")
    assert found["sizes"].admitted == "[2, 99], two or more, rising, prime"
    assert found["names"].admitted == "{a, b}, different"
    assert found["sizes"].help == "n: sizes"
    assert [relation.names for relation in found.relations] == [["neurons", "loads"], ["sizes", "place"]]
    assert found.relations[0].reason == "a network stores a pattern or more"
    assert resolve(found, {"neurons": 20, "loads": [0.05]}, "memory/toy")["sizes"] == [2, 3, 5]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sizes": [3]}, "sizes: expected a list[int], two or more, rising, prime; got [3]."),
        ({"sizes": [3, 2]}, "sizes: expected a list[int], two or more, rising, prime; got [3, 2]."),
        ({"sizes": [3, 3]}, "sizes: expected a list[int], two or more, rising, prime; got [3, 3]."),
        ({"sizes": [7, 9]}, "sizes: expected a list[int], two or more, rising, prime; got [7, 9]."),
        ({"place": [0, 1]}, "place: expected a list[float], exactly three; got [0.0, 1.0]."),
        ({"place": [0, 1, 0, 1]}, "place: expected a list[float], exactly three; got [0.0, 1.0, 0.0, 1.0]."),
        ({"names": ["a", "a"]}, "names: expected a list[str], different; got ['a', 'a']."),
        (
            {"loads": [0.5, 0.05]},
            "neurons, loads: expected neurons * min(loads) >= 1 (a network stores a pattern or more); "
            "got neurons = 10, loads = [0.5, 0.05].",
        ),
        ({"neurons": 9}, "got neurons = 9, loads = [0.1]."),
    ],
)
def test_a_list_of_another_shape_and_values_that_do_not_go_together_are_refused(given, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        resolve(declared(SHAPED), given, "memory/toy")


def test_numbers_in_a_text_are_fractions():
    assert numbers("1/12  0.5") == (Fraction(1, 12), Fraction(1, 2))
    assert numbers("1/12 half") == numbers("1/0") == numbers("") == ()


def test_papermill_reads_shapes_and_passes_over_relations(home, add):
    add("memory/shaped", parameters=SHAPED)
    seen = inspect_notebook(home / "chapters/memory/shaped.ipynb")
    assert list(seen) == ["sizes", "place", "names", "loads", "neurons"]
    assert seen["sizes"]["help"] == "n: sizes [2, 99], two or more, rising, prime"


def test_given_values_go_before_reference_values():
    parameters = declared(PARAMETERS)
    values = resolve(parameters, {"load": 1}, "memory/toy")
    assert values == {name: p.reference for name, p in parameters.items()} | {"load": 1.0}


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(
        ArgumentError, match=r"^neurns: expected a parameter of memory/toy \(neurons, load, .*'neurons'"
    ):
        require_known("neurns", declared(PARAMETERS), "memory/toy")
    with pytest.raises(ArgumentError, match="^neurns: "):
        resolve(declared(PARAMETERS), {"neurns": 3}, "memory/toy")


def test_a_profile_gives_the_values_of_a_chapter(home):
    assert profile_values(home, "large", "memory/toy") == {"neurons": 30, "load": 1}


@pytest.mark.parametrize(
    ("profile", "name", "message"),
    [
        ("larg", "memory/toy", "profile: expected one of 'large'; got 'larg' (str). Did you mean 'large'?"),
        (
            "large",
            "memory/toi",
            "profile: expected a profile that memory/toi has (none); got 'large', which is for memory/toy.",
        ),
    ],
)
def test_an_unknown_profile_or_chapter_is_refused(home, profile, name, message):
    with pytest.raises(ArgumentError, match=re.escape(message)):
        profile_values(home, profile, name)


def test_a_number_that_yaml_takes_for_text_is_refused_where_it_is_used(home):
    (home / "profiles/large.yml").write_text("memory/toy: {load: 1e-3}\n")
    values = profile_values(home, "large", "memory/toy")
    with pytest.raises(ArgumentError, match="in YAML 1e-3 is text"):
        resolve(declared(PARAMETERS), values, "memory/toy")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("memory/toy:\n", "memory/toy in profiles/large.yml: expected a mapping.*; got None"),
        ("memory/toy: 5\n", "memory/toy in profiles/large.yml: expected a mapping.*; got 5"),
        ("- memory/toy\n", "profiles/large.yml: expected a mapping"),
        ("memory/toy: {a: [}\n", "large.yml: expected a YAML file; got .*line 1"),
    ],
)
def test_a_broken_profile_is_refused_in_a_sentence(home, text, message):
    (home / "profiles/large.yml").write_text(text)
    with pytest.raises(ArgumentError, match=message):
        profile_values(home, "large", "memory/toy")
