"""The body of an upload: parts of a form (RFC 7578), from a browser's form or from a vendor's SDK."""

import re
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import HeaderParser
from email.policy import HTTP

from defendctl.sandbox.bodies import Invalid, missing, problem

UNNAMED = "upload"
_LISTED = re.compile(r"\[[0-9]*\]$|\.[0-9]+$")


@dataclass(frozen=True)
class Part:
    field: str
    name: str  # of the file; the vendor's newer SDKs send none
    content: bytes


def files_of(content_type: str, body: bytes, fields: tuple[str, ...]) -> list[Part]:
    """At least one, by one of these names, plain or as SDKs write lists: `files[]`, `files[0]`, `files.0`."""
    parts = _parts(content_type, body)
    strange = [part.field for part in parts if _LISTED.sub("", part.field) not in fields]
    if strange:
        raise Invalid(
            *(problem((field,), "extra_forbidden", "Extra inputs are not permitted") for field in strange)
        )
    if not parts:
        raise Invalid(missing(fields[0]))
    return parts


def _parts(content_type: str, body: bytes) -> list[Part]:
    header = _headers(f"Content-Type: {content_type}")
    boundary = header.get_boundary()
    if header.get_content_type() != "multipart/form-data" or not boundary:
        raise Invalid(problem((), "multipart", "Input should be multipart/form-data with a boundary"))
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Invalid(problem((), "multipart", "The form does not end"))
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, _, content = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    headers = _headers(head.decode("utf-8", "replace"))
    field = headers.get_param("name", header="content-disposition")
    return Part(str(field), headers.get_filename() or UNNAMED, content)


def _headers(text: str) -> EmailMessage:
    parsed = HeaderParser(policy=HTTP).parsestr(text)
    assert isinstance(parsed, EmailMessage)
    return parsed
