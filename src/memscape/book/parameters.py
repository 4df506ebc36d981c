"""A chapter's parameters: what its tagged cell declares, and the strict check of what a run brings.

The first code cell of a chapter is tagged ``parameters`` and declares one parameter a line, as a typed literal with
a comment::

    neurons: int = 200  # N: units in the network [10, 5000]
    loads: list[float] = [0.05, 0.10]  # alpha: patterns per unit [0, 1]
    rule: str = "hebbian"  # how the weights are learned {hebbian, pseudo-inverse}
    seed: int = 0  # seed of every random draw [0, 1000000]
    device: str = "auto"  # where tensors live {auto, cpu, cuda}

The annotation is the type: int, float, bool, str, or a list of int, float or str. The value is the reference value:
the ledger holds the chapter to its verdicts there. The comment is the help; it may end in an inclusive range
``[low, high]`` or a set of choices ``{a, b}``, which for a list bind every element. Papermill's own
``--help-notebook`` reads the same lines, so a comment must not contain an equals sign, which it cannot parse.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from memscape.arguments import ArgumentError, nearest, require_choice, require_integer, require_number

KINDS = ("int", "float", "bool", "str", "list[int]", "list[float]", "list[str]")
"""The types a parameter may have, as written in its annotation."""

_LIMITS = re.compile(r"(?P<help>.*?)\s*(?:\[(?P<range>[^\[\]]*)\]|\{(?P<choices>[^{}]*)\})$")
_EXPECTED = {"int": "an integer", "float": "a finite number", "bool": "a bool", "str": "text"}
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
    """

    name: str
    kind: str
    reference: Any
    help: str = ""
    low: Any = None
    high: Any = None
    choices: tuple[Any, ...] = ()

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
            On a wrong type, a value out of range or not among the choices, an infinity, a NaN or an empty list.
        """
        if not self.kind.startswith("list"):
            return self._check_one(self.name, self.kind, value)
        if not isinstance(value, list) or not value:
            cure = _NOT_TEXT["list"].format(name=self.name) if isinstance(value, str) else ""
            raise ArgumentError(self.name, f"a non-empty {self.kind}", _show(value), cure)
        return [self._check_one(f"{self.name}[{i}]", self._element, item) for i, item in enumerate(value)]

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
        ``0.1,0.2`` or ``[0.1, 0.2]`` a list for a list.
        """
        if not self.kind.startswith("list"):
            return self.check(_read_one(self.kind, text))
        items = text.strip().removeprefix("[").removesuffix("]").split(",")
        return self.check([_read_one(self._element, item.strip(" '\"")) for item in items])


def declared(source: str) -> dict[str, Parameter]:
    """Read the parameters that the source of a parameters cell declares, in order.

    Raises
    ------
    ArgumentError
        Where a line is anything but a typed literal with a comment, or a reference value breaks its own limits.
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
    return found


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
    if limits is None:
        parameter = Parameter(name, kind, reference, comment)
    elif limits["range"] is not None:
        low, high = _elements(name, kind, limits["range"], count=2)
        parameter = Parameter(name, kind, reference, limits["help"], low=low, high=high)
    else:
        parameter = Parameter(name, kind, reference, limits["help"], choices=_elements(name, kind, limits["choices"]))
    return replace(parameter, reference=parameter.check(reference))


def _elements(name: str, kind: str, text: str, count: int | None = None) -> tuple[Any, ...]:
    """Read the bounds or choices in a comment as values of the parameter's own type."""
    plain = Parameter(f"limits of {name}", kind if kind.startswith("list") else f"list[{kind}]", None)
    values = tuple(plain.read(text))
    if count is not None and (len(values) != count or "str" in kind or values[0] > values[1]):
        raise ArgumentError(plain.name, "a range [low, high] of numbers", f"[{text}]")
    return values


def resolve(parameters: Mapping[str, Parameter], given: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """Return a value for every parameter: the one given, checked, or else its reference value.

    Raises
    ------
    ArgumentError
        Naming an unknown parameter, with the nearest known one, or a refused value.
    """
    for name in given:
        require_known(name, parameters, owner)
    return {name: p.check(given[name]) if name in given else p.reference for name, p in parameters.items()}


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
    require_choice(f"chapter in profiles/{profile}.yml", chapter, list(content))
    return _mapping(f"{chapter} in profiles/{profile}.yml", content[chapter])


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ArgumentError(name, "a mapping, {neurons: 500, seed: 1}", repr(value))
    return value


def _read_one(kind: str, text: str) -> Any:
    try:
        if kind == "bool":
            return {"true": True, "false": False}[text.lower()]
        return {"int": int, "float": float, "str": str}[kind](text)
    except (ValueError, KeyError):
        return text  # not of the type: check says so, with the parameter's name


def _show(value: Any) -> str:
    return f"{value!r} ({type(value).__name__})"
