"""A CSV or JSON file → pairs of an address and a workflow id, each with its line."""

from __future__ import annotations

import csv
import io
import json
import re
import stat
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from defendctl.diagnostics import DefendctlError, Span
from defendctl.state.bounded import parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from defendctl.yamltext.report import Report

LARGEST: Final = 8 * 1024 * 1024
COLUMNS: Final = ("address", "workflow_id")
FORMS: Final = (
    "CSV with the header `address,workflow_id`; JSON as {address: workflow_id}, as a list of "
    '{"address": …, "workflow_id": …}, or what `outputs --format json` prints'
)
_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True, slots=True)
class Pair:
    address: str
    workflow_id: str
    span: Span


@dataclass(frozen=True, slots=True)
class Pairs:
    """`sure`: whether the file itself says that it holds addresses and ids; any JSON object of texts could be
    read as pairs, also one of secrets."""

    pairs: list[Pair]
    sure: bool


class _Object(list[tuple[str, Any]]):
    """A JSON object: its members in order, so that none hides another."""


def read_pairs(path: Path, report: Report) -> Pairs:
    """Every pair of the file; what is none is in the report. Raises DefendctlError for a file of no form."""
    text = _text(path)
    if not text.strip():
        raise DefendctlError(f"{path} is empty", f"it may be {FORMS}")
    if text.lstrip()[0] in "{[":
        return _of_json(text, path, report)
    return Pairs(list(_of_csv(text, path, report)), sure=True)


def _text(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # before opening: a pipe would hang
            raise DefendctlError(f"{path} is not a regular file")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise DefendctlError(f"{path} is larger than {LARGEST >> 20} MiB: cut it into several files")
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DefendctlError(f"{path} is not UTF-8", "save it as CSV UTF-8 or as JSON") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no file has such a name"
        raise DefendctlError(f"cannot read {path}: {why}") from error


def _of_csv(text: str, path: Path, report: Report) -> Iterator[Pair]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header = [cell.strip().lower() for cell in _rows(reader, path, report)[1]]
    if any(header.count(name) != 1 for name in COLUMNS):
        raise DefendctlError(f"the first line of {path} does not name the columns", f"it may be {FORMS}")
    at = [header.index(name) for name in COLUMNS]
    while row := _rows(reader, path, report):
        line, cells = row
        given = [cells[i].strip() if i < len(cells) else "" for i in at]
        span = Span(report.file, line, 1)
        if len(cells) > len(header):
            report.error("not-a-pair", f"This line has {len(cells)} cells, the header {len(header)}.", span)
        elif all(given):
            yield Pair(given[0], given[1], span)
        elif any(cell.strip() for cell in cells):
            missing = " and ".join(f"`{n}`" for n, value in zip(COLUMNS, given, strict=True) if not value)
            report.error("not-a-pair", f"This line has no {missing}.", span)


def _rows(reader: Any, path: Path, report: Report) -> Any:
    """The next line that is not blank, with its number; None at the end."""
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise DefendctlError(f"{path}:{line} is not CSV: {error}", f"it may be {FORMS}") from None
        if cells is None or cells:
            return None if cells is None else (line, cells)


@dataclass(frozen=True, slots=True)
class _Places:
    """The strings of a JSON text in order, and where each begins."""

    strings: list[str]
    offsets: list[int]
    lines: list[int]
    file: str

    def text(self, index: Any) -> str | None:
        """What stands there, where it is a string."""
        return self.strings[int(index)] if isinstance(index, str) else None

    def span(self, index: str) -> Span:
        offset = self.offsets[int(index)]
        line = bisect_left(self.lines, offset)
        return Span(self.file, line + 1, offset - (self.lines[line - 1] if line else -1))


def _of_json(text: str, path: Path, report: Report) -> Pairs:
    try:
        parse(text, LARGEST)
    except ValueError as error:
        raise DefendctlError(f"{path} cannot be taken: {error}", f"it may be {FORMS}") from None
    data, places = _placed(text, report.file)
    if isinstance(data, _Object):
        members = _outputs(data, places)
        return Pairs(list(_members(members, places, report)), sure=members is not data)
    return Pairs(list(_items(data, places, report)), sure=True)


def _placed(text: str, file: str) -> tuple[Any, _Places]:
    """The same data with the number of each string in its place, for Python's parser tells no places."""
    found = list(_STRING.finditer(text))
    numbers = iter(range(len(found)))
    data = json.loads(_STRING.sub(lambda _: f'"{next(numbers)}"', text), object_pairs_hook=_Object)
    newlines = [match.start() for match in re.finditer("\n", text)]
    return data, _Places([json.loads(m[0]) for m in found], [m.start() for m in found], newlines, file)


def _outputs(data: _Object, places: _Places) -> _Object:
    """The addresses in what `outputs --format json` prints; of anything else the object itself."""
    members = {places.text(key): value for key, value in data}
    kind, inner = places.text(members.get("kind")), members.get("outputs")
    return inner if kind == "outputs" and isinstance(inner, _Object) else data


def _members(data: _Object, places: _Places, report: Report) -> Iterator[Pair]:
    for key, value in data:
        address, workflow_id = places.text(key), places.text(value)
        if address is not None and workflow_id is not None:
            yield Pair(address, workflow_id, places.span(key))
        else:
            report.error("not-a-pair", "The workflow id must be text.", places.span(key))


def _items(data: list[Any], places: _Places, report: Report) -> Iterator[Pair]:
    for number, item in enumerate(data, 1):
        members = {places.text(key): value for key, value in item} if isinstance(item, _Object) else {}
        address, workflow_id = (places.text(members.get(name)) for name in COLUMNS)
        span = places.span(item[0][0]) if members else Span(report.file)
        names = [places.text(key) for key, _ in item] if members else []
        if any(names.count(name) > 1 for name in COLUMNS):
            report.error("not-a-pair", f"Item {number} names `address` or `workflow_id` twice.", span)
        elif address is not None and workflow_id is not None:
            yield Pair(address, workflow_id, places.span(members["address"]))
        else:
            report.error("not-a-pair", f"Item {number} lacks the text `address` or `workflow_id`.", span)
