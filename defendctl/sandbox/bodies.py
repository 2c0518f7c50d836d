"""Checks for request bodies. A refusal lists every problem in FastAPI's form and echoes no value."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

Loc = tuple[str, ...]
Check = Callable[[object, Loc], Any]
Problem = dict[str, Any]


class Invalid(Exception):
    def __init__(self, *problems: Problem) -> None:
        super().__init__()
        self.problems = problems


@dataclass(frozen=True)
class Field:
    """A field of a body: the canonical name it is read into, and the check that reads it."""

    into: str
    check: Check
    required: bool = False


def problem(loc: Loc, kind: str, message: str) -> Problem:
    return {"loc": ["body", *loc], "msg": message, "type": kind}


def missing(*loc: str) -> Problem:
    return problem(loc, "missing", "Field required")


def parse_json(raw: bytes) -> object:
    try:
        body: object = json.loads(raw, parse_constant=_refuse_constant)
        json.dumps(body, ensure_ascii=False).encode()  # a lone surrogate could never be answered
    except (ValueError, RecursionError):
        raise Invalid(problem((), "json_invalid", "JSON decode error")) from None
    return body


def _refuse_constant(_: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def read_object(
    body: object, fields: Mapping[str, Field], loc: Loc = (), open_: bool = False
) -> dict[str, Any]:
    """The body's values under their canonical names; `open_` lets other fields pass as they are."""
    given = mapping(body, loc)
    problems = [missing(*loc, name) for name, field in fields.items() if field.required and name not in given]
    values = {}
    for name, value in given.items():
        with _collecting(problems):
            field = fields.get(name) or (Field(name, anything) if open_ else _unknown((*loc, name)))
            values[field.into] = field.check(value, (*loc, name))
    if problems:
        raise Invalid(*problems)
    return values


@contextmanager
def _collecting(problems: list[Problem]) -> Iterator[None]:
    try:
        yield
    except Invalid as error:
        problems.extend(error.problems)


def _unknown(loc: Loc) -> Field:
    raise Invalid(problem(loc, "extra_forbidden", "Extra inputs are not permitted"))


def anything(value: object, loc: Loc) -> object:
    return value


def mapping(value: object, loc: Loc) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(problem(loc, "dict_type", "Input should be a valid dictionary"))
    return value


def text(value: object, loc: Loc) -> str:
    if not isinstance(value, str):
        raise Invalid(problem(loc, "string_type", "Input should be a valid string"))
    return value


def filled_text(value: object, loc: Loc) -> str:
    if not text(value, loc):
        raise Invalid(problem(loc, "string_too_short", "String should have at least 1 character"))
    return text(value, loc)


def flag(value: object, loc: Loc) -> bool:
    if not isinstance(value, bool):
        raise Invalid(problem(loc, "bool_type", "Input should be a valid boolean"))
    return value


def count(value: object, loc: Loc) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Invalid(problem(loc, "int_type", "Input should be a valid integer"))
    if value < 0:
        raise Invalid(problem(loc, "greater_than_equal", "Input should be greater than or equal to 0"))
    return value


def number(value: object, loc: Loc) -> int | float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Invalid(problem(loc, "float_type", "Input should be a valid number"))
    if not _is_finite(value):
        raise Invalid(problem(loc, "finite_number", "Input should be a finite number"))
    return value


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer may be larger than any float
        return False


def threshold(value: object, loc: Loc) -> float:
    if not 0 <= number(value, loc) <= 1:
        raise Invalid(problem(loc, "value_error", "Input should be between 0.0 and 1.0"))
    return float(number(value, loc))


def choice(*options: str) -> Check:
    return renamed({option: option for option in options})


def renamed(names: Mapping[Any, str]) -> Check:
    """One of these spellings (strings, or null), read as its canonical name."""
    allowed = " or ".join("null" if name is None else f"'{name}'" for name in names)

    def check(value: object, loc: Loc) -> str:
        if not (value is None or isinstance(value, str)) or value not in names:
            raise Invalid(problem(loc, "literal_error", f"Input should be {allowed}"))
        return names[value]

    return check


def map_of(check: Check) -> Check:
    """An open map: any name that is not empty, but at least one."""

    def check_map(value: object, loc: Loc) -> dict[str, Any]:
        if not mapping(value, loc):
            raise Invalid(problem(loc, "too_short", "Dictionary should have at least 1 item"))
        if "" in mapping(value, loc):
            raise Invalid(problem((*loc, ""), "string_too_short", "String should have at least 1 character"))
        return read_object(value, {name: Field(name, check) for name in mapping(value, loc)}, loc)

    return check_map


def list_of(check: Check) -> Check:
    def check_list(value: object, loc: Loc) -> list[Any]:
        if not isinstance(value, list):
            raise Invalid(problem(loc, "list_type", "Input should be a valid list"))
        return [check(item, (*loc, str(index))) for index, item in enumerate(value)]

    return check_list
