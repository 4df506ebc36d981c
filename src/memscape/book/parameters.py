"""A chapter's parameters: what its tagged cell declares, and the strict check of what a run brings.

A cell of a chapter is tagged ``parameters`` and declares one parameter a line, as a typed literal with
a comment::

    neurons: int = 200  # N: units in the network [10, 5000]
    loads: list[float] = [0.05, 0.10]  # alpha: patterns per unit [0, 1]
    rule: str = "hebbian"  # how the weights are learned {hebbian, pseudo-inverse}
    seed: int = 0  # seed of every random draw [0, 1000000]
    device: str = "auto"  # where tensors live {auto, cpu, cuda}

The annotation is the type: int, float, bool, str, or a list of int, float or str. The value is the reference value:
the ledger holds the chapter to its verdicts there. The comment is the help; it may end in an inclusive range
``[low, high]`` or a set of choices ``{a, b}``, which for a list bind every element. What a list must be as a whole
stands behind them: ``[1, 9], two or more, rising``; the words are ``N or more`` and ``exactly N``, with N from two to
ten, ``rising`` (strictly), ``different`` and ``prime``. Papermill's own ``--help-notebook`` reads the same lines, so a
comment must not contain an equals sign, which it cannot parse.

What must hold between parameters stands in lines of its own below, an expression of Python and the reason::

    # requires neurons * min(loads) >= 1: a network stores a pattern or more

It may call ``len``, ``min``, ``max``, ``all``, ``any``, ``zip``, ``map``, ``comb`` (of the module math) and
``numbers``, which reads the numbers in a text as fractions.
"""

from __future__ import annotations

import ast
import io
import math
import re
import tokenize
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from memscape.arguments import ArgumentError, nearest, require_choice, require_integer, require_number

KINDS = ("int", "float", "bool", "str", "list[int]", "list[float]", "list[str]")
"""The types a parameter may have, as written in its annotation."""

_LIMITS = re.compile(
    r"(?P<help>.*?)\s*(?:\[(?P<range>[^\[\]]*)\]|\{(?P<choices>[^{}]*)\})(?P<shape>(?:, [a-z]+(?: [a-z]+){0,2})*)$"
)
_RELATION = re.compile(r"requires (?P<expression>.+): (?P<reason>[^:]+)$")
_COUNTS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10}
_EXPECTED = {"int": "an integer", "float": "a finite number", "bool": "a bool", "str": "text"}
_TYPED: dict[str, Callable[[str], Any]] = {
    "int": int,
    "float": float,
    "str": str,
    "bool": lambda text: {"true": True, "false": False}[text.lower()],
}
_NOT_TEXT = {
    "int": "Give a number, not text.",
    "float": "Give a number, not text; in YAML 1e-3 is text and 1.0e-3 a number.",
    "bool": "Give True or False, not text: papermill's -p takes them capitalised.",
    "list": "Give a list, not text: papermill takes one as -y '{name}: [first, second]'.",
}


@dataclass(frozen=True)
class Parameter:
    """One declared parameter of a chapter.

    Parameters
    ----------
    name
        The variable's name.
    kind
        Its type, one of `KINDS`.
    reference
        The value in the committed notebook.
    help
        The comment behind it, without range or choices.
    low, high
        Inclusive bounds of the value, or of each element of a list; None where unbounded.
    choices
        The admissible values, or elements of a list; empty where anything of the type will do.
    shape
        What a list must be as a whole, in the words of the comment: ``("two or more", "rising")``.
    """

    name: str
    kind: str
    reference: Any
    help: str = ""
    low: Any = None
    high: Any = None
    choices: tuple[Any, ...] = ()
    shape: tuple[str, ...] = ()

    @property
    def admitted(self) -> str:
        """The range or the choices and the shape of a list, as they stand in the comment, or an empty string."""
        return ", ".join(filter(None, [self.limits, *self.shape]))

    @property
    def limits(self) -> str:
        """The range or the choices as they stand in the comment, or an empty string."""
        if self.choices:
            return "{" + ", ".join(map(str, self.choices)) + "}"
        return "" if self.low is None else f"[{self.low:.12g}, {self.high:.12g}]"

    def check(self, value: Any) -> Any:
        """Return ``value`` in the declared type, otherwise raise.

        An int will do for a float and becomes one. Nothing else is converted: a bool is no int, and text that looks
        like a number is text.

        Raises
        ------
        ArgumentError
            On a wrong type, a value out of range or not among the choices, an infinity, a NaN, an empty list or one
            of another shape.
        """
        if not self.kind.startswith("list"):
            return self._check_one(self.name, self.kind, value)
        if not isinstance(value, list) or not value:
            cure = _NOT_TEXT["list"].format(name=self.name) if isinstance(value, str) else ""
            raise ArgumentError(self.name, f"a non-empty {self.kind}", _show(value), cure)
        items = [self._check_one(f"{self.name}[{i}]", self._element, item) for i, item in enumerate(value)]
        for word in self.shape:
            if not _SHAPES[word](items):
                raise ArgumentError(self.name, f"a {self.kind}, {', '.join(self.shape)}", repr(items))
        return items

    @property
    def _element(self) -> str:
        return self.kind.removeprefix("list[").removesuffix("]")

    def _check_one(self, name: str, kind: str, value: Any) -> Any:
        if isinstance(value, str) != (kind == "str"):
            expected = _EXPECTED[kind] + (f" in {self.limits}" if self.limits else "")
            raise ArgumentError(name, expected, _show(value), _NOT_TEXT.get(kind, "Put it in quotes."))
        if kind == "int":
            value = require_integer(name, value, at_least=self.low, at_most=self.high)
        elif kind == "float":
            value = require_number(name, value, at_least=self.low, at_most=self.high)
        elif kind == "bool" and not isinstance(value, bool):
            raise ArgumentError(name, _EXPECTED[kind], _show(value), "Give True or False.")
        if self.choices and value not in self.choices:
            options = list(map(str, self.choices))
            raise ArgumentError(name, f"{_EXPECTED[kind]} in {self.limits}", _show(value), nearest(str(value), options))
        return value

    def read(self, text: str) -> Any:
        """Return the value that ``text`` from a command line stands for, checked.

        Here the declared type settles what text means: ``true`` is a bool for a bool, ``1e-3`` a number for a float,
        and ``[0.1, 0.2]`` a list for a list, in which quotes hold commas together.
        """
        if not self.kind.startswith("list"):
            return self.take(text)
        found = sequence(self.name, text) if text.strip().startswith("[") else [text]
        return self.take(found[0] if len(found) == 1 else text)

    def take(self, found: Any) -> Any:
        """As `read`, of a value that `sequence` has found: a text, or for a list a list of texts."""
        if not self.kind.startswith("list"):
            return self.check(self._read_one(self.name, found))
        if not isinstance(found, list):
            example = ", ".join(map(str, self.reference or ()))
            raise ArgumentError(self.name, f"a list in brackets, '[{example}]'", repr(found))
        return self.check([self._read_one(f"{self.name}[{i}]", item) for i, item in enumerate(found)])

    def _read_one(self, name: str, text: Any) -> Any:
        """Read one value of the parameter's type, and say what is wrong with what was typed."""
        try:
            if isinstance(text, str):
                return _TYPED[self._element](text)
            raise ValueError("a list in a list")
        except (ValueError, KeyError):
            expected = _EXPECTED[self._element] + (f" in {self.limits}" if self.limits else "")
            raise ArgumentError(name, expected, repr(text), _cure(self._element, text)) from None


def _cure(kind: str, text: Any) -> str:
    if not isinstance(text, str) or text.strip().startswith("["):
        return "Give one value, not a list."
    if kind == "bool":
        return "Write true or false."
    try:
        number = float(text)
    except ValueError:
        return "Write it in digits."
    return "Write it in digits, without point or exponent." if math.isfinite(number) else "Write it in digits."


def sequence(name: str, text: str) -> list[Any]:
    """Return the values between the commas of a text, lists in brackets among them; all that is no list stays text.

    Raises
    ------
    ArgumentError
        Where brackets or quotes are not closed.
    """
    import yaml  # not above: a parser of YAML takes long to load

    try:
        found = yaml.load(f"[{text}]", Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        raise ArgumentError(name, "brackets and quotes that are closed", repr(text)) from None
    assert isinstance(found, list)
    return found


@dataclass(frozen=True)
class Relation:
    """What must hold between parameters: an expression of Python, and the reason."""

    expression: str
    reason: str

    @property
    def names(self) -> list[str]:
        """The parameters in the expression, each once, in order."""
        nodes = [node for node in ast.walk(ast.parse(self.expression, mode="eval")) if isinstance(node, ast.Name)]
        own = {node.id for node in nodes if isinstance(node.ctx, ast.Store)} | _FUNCTIONS.keys()
        places = sorted((node.col_offset, node.id) for node in nodes)
        return list(dict.fromkeys(name for _, name in places if name not in own))

    def require(self, values: Mapping[str, Any]) -> None:
        """Raise ArgumentError naming the parameters, unless the relation holds at these values."""
        # What stands here is a line of the notebook, as trusted as its code.
        if not eval(self.expression, {"__builtins__": {}} | _FUNCTIONS | dict(values)):
            got = ", ".join(f"{name} = {values[name]!r}" for name in self.names)
            raise ArgumentError(", ".join(self.names), f"{self.expression} ({self.reason})", got)


class Declaration(dict[str, Parameter]):
    """What a parameters cell declares: the parameters by name, and the relations between them."""

    def __init__(self, parameters: Mapping[str, Parameter], relations: Iterable[Relation] = ()) -> None:
        super().__init__(parameters)
        self.relations = tuple(relations)

    def require(self, values: Mapping[str, Any]) -> None:
        """Raise ArgumentError unless every relation holds between the values of all parameters."""
        for relation in self.relations:
            relation.require(values)


def numbers(text: str) -> tuple[Fraction, ...]:
    """Return the numbers that stand in a text, apart by blanks, as fractions; none where one is no number."""
    try:
        return tuple(Fraction(word) for word in text.split())
    except (ValueError, ZeroDivisionError):
        return ()


_FUNCTIONS: dict[str, Any] = {each.__name__: each for each in (len, min, max, all, any, zip, map, math.comb, numbers)}


def _prime(number: int) -> bool:
    return number > 1 and all(number % divisor for divisor in range(2, math.isqrt(number) + 1))


def _long(items: Sequence[Any], least: float, most: float) -> bool:
    return least <= len(items) <= most


_SHAPES: dict[str, Callable[[Sequence[Any]], bool]] = {
    **{f"{word} or more": partial(_long, least=count, most=math.inf) for word, count in _COUNTS.items()},
    **{f"exactly {word}": partial(_long, least=count, most=count) for word, count in _COUNTS.items()},
    "rising": lambda items: all(low < high for low, high in pairwise(items)),
    "different": lambda items: len(set(items)) == len(items),
    "prime": lambda items: all(map(_prime, items)),
}


def declared(source: str) -> Declaration:
    """Read the parameters that the source of a parameters cell declares, in order, and the relations between them.

    Raises
    ------
    ArgumentError
        Where a line is anything but a typed literal with a comment or a relation, or the reference values break their
        own limits.
    """
    try:
        statements = ast.parse(source).body
    except SyntaxError as error:
        raise ArgumentError("parameters cell", "Python", f"line {error.lineno}: {error.msg}") from None
    comments = {
        token.start[0]: token.string.lstrip("# ").rstrip()
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found: dict[str, Parameter] = {}
    for statement in statements:
        parameter = _parameter(statement, comments.get(statement.end_lineno or 0, ""))
        if parameter.name in found:
            raise ArgumentError(parameter.name, "one declaration", "two")
        found[parameter.name] = parameter
    taken = {line for each in statements for line in range(each.lineno, (each.end_lineno or each.lineno) + 1)}
    relations = [_relation(comment, found) for line, comment in comments.items() if line not in taken]
    declaration = Declaration(found, relations)
    declaration.require({name: parameter.reference for name, parameter in found.items()})
    return declaration


def _relation(comment: str, found: Mapping[str, Parameter]) -> Relation:
    match = _RELATION.match(comment)
    if match is None:
        raise ArgumentError("parameters cell", "`# requires EXPRESSION: reason` in a line without a parameter", comment)
    relation = Relation(match["expression"], match["reason"])
    try:
        unknown = [name for name in relation.names if name not in found]
    except SyntaxError:
        raise ArgumentError("parameters cell", "an expression of Python behind `requires`", comment) from None
    if unknown:
        raise ArgumentError("parameters cell", f"parameters behind `requires` ({', '.join(found)})", unknown[0])
    return relation


def _parameter(statement: ast.stmt, comment: str) -> Parameter:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as literal):
            kind = ast.unparse(annotation)
        case _:
            raise ArgumentError(
                "parameters cell", "one typed literal a line, `neurons: int = 200  # N: units`", ast.unparse(statement)
            )
    require_choice(f"type of {name}", kind, KINDS)
    if not comment or "=" in comment:
        raise ArgumentError(name, "a comment without an equals sign behind its value", comment or "none")
    try:
        reference = ast.literal_eval(literal)
    except ValueError:
        raise ArgumentError(name, "a literal", ast.unparse(literal)) from None
    limits = _LIMITS.match(comment)
    if limits is None and re.search(r"\[.*\]|\{.*\}", comment):
        expected = "a range or choices at the end of the comment, and behind them no words but those for a list"
        raise ArgumentError(name, expected, comment)
    shape = tuple(filter(None, limits["shape"].split(", "))) if limits else ()
    for word in shape:
        require_choice(f"shape of {name}", word, tuple(_SHAPES))
    if shape and not kind.startswith("list"):
        raise ArgumentError(name, f"no shape behind the limits of one {kind}", ", ".join(shape))
    if limits is None:
        parameter = Parameter(name, kind, reference, comment)
    elif limits["range"] is not None:
        low, high = _elements(name, kind, limits["range"], count=2)
        parameter = Parameter(name, kind, reference, limits["help"], low=low, high=high, shape=shape)
    else:
        choices = _elements(name, kind, limits["choices"])
        parameter = Parameter(name, kind, reference, limits["help"], choices=choices, shape=shape)
    return replace(parameter, reference=parameter.check(reference))


def _elements(name: str, kind: str, text: str, count: int | None = None) -> tuple[Any, ...]:
    """Read the bounds or choices in a comment as values of the parameter's own type."""
    plain = Parameter(f"limits of {name}", kind if kind.startswith("list") else f"list[{kind}]", None)
    items = [plain._read_one(f"{plain.name}[{i}]", item.strip()) for i, item in enumerate(text.split(","))]
    values = tuple(plain.check(items))
    if count is not None and (len(values) != count or "str" in kind or values[0] > values[1]):
        raise ArgumentError(plain.name, "a range [low, high] of numbers", f"[{text}]")
    return values


def resolve(parameters: Declaration, given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return a value for every parameter: the one given, checked, or else its reference value.

    Raises
    ------
    ArgumentError
        Naming an unknown parameter, with the nearest known one, a refused value, or values that do not go together.
    """
    for name in given:
        require_known(name, parameters, owner)
    values = {name: p.check(given[name]) if name in given else p.reference for name, p in parameters.items()}
    parameters.require(values)
    return values


def require_known(name: str, parameters: Mapping[str, Parameter], owner: str) -> Parameter:
    """Return the parameter called ``name``, or raise ArgumentError suggesting the nearest."""
    if name in parameters:
        return parameters[name]
    expected = f"a parameter of {owner} ({', '.join(parameters)})"
    raise ArgumentError(name, expected, "an unknown name", nearest(name, list(parameters)))


def profile_values(home: Path, profile: str, chapter: str) -> dict[str, Any]:
    """Return the values that ``profiles/<profile>.yml`` gives for one chapter, as they stand there.

    The file maps chapters to parameters: ``memory/dense: {memories: 2000, epochs: 3000}``.

    Raises
    ------
    ArgumentError
        If there is no such profile, it says nothing of the chapter, or what it says is no mapping.
    """
    from memscape.book import yml  # not above: a parser of YAML takes long to load

    require_choice("profile", profile, sorted(path.stem for path in (home / "profiles").glob("*.yml")))
    content = _mapping(f"profiles/{profile}.yml", yml.read(home / "profiles" / f"{profile}.yml") or {})
    if chapter not in content:
        expected = f"a profile that {chapter} has ({', '.join(profiles_of(home, chapter)) or 'none'})"
        raise ArgumentError("profile", expected, f"{profile!r}, which is for {', '.join(content)}")
    return _mapping(f"{chapter} in profiles/{profile}.yml", content[chapter])


def profiles_of(home: Path, chapter: str) -> list[str]:
    """Return the names of the profiles that say something of a chapter."""
    from memscape.book import yml  # not above: a parser of YAML takes long to load

    found = {path.stem: yml.read(path) for path in sorted((home / "profiles").glob("*.yml"))}
    return [name for name, content in found.items() if isinstance(content, dict) and chapter in content]


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ArgumentError(name, "a mapping, {neurons: 500, seed: 1}", repr(value))
    return value


def _show(value: Any) -> str:
    return f"{value!r} ({type(value).__name__})"
