"""Uploads as the sandbox takes them: under the names that a generation's SDKs give the files."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .conftest import Sandbox

CONTENT = b"--\r\n\r\n--x\r\n\x00\xff"


def form(content: bytes) -> dict[str, Any]:
    return {"content": content, "headers": {"content-type": "multipart/form-data; boundary=x"}}


@pytest.mark.parametrize(
    ("generation", "part", "status"),
    [
        ("2025-10-07", "file", 404),
        ("2025-10-22", "file", 200),
        ("2025-10-22", "files", 422),
        ("2025-11-10", "file", 200),
        ("2025-11-10", "files", 200),
        ("2025-12-07", "files", 200),
        ("2025-12-07", "file", 422),
    ],
)
def test_the_part_of_each_generation(sandbox: Sandbox, generation: str, part: str, status: int) -> None:
    client = sandbox(generation=generation)
    answer = client.post("/files/upload", files={part: ("a.bin", CONTENT)})
    assert answer.status_code == status
    stored = client.get("/_sandbox/files").json()
    if status == 200:
        assert answer.json()["file_name"] == "a.bin"
        expected = {"name": "a.bin", "size": len(CONTENT), "sha256": hashlib.sha256(CONTENT).hexdigest()}
        assert stored[0].items() >= expected.items()
    else:
        assert stored == []


@pytest.mark.parametrize("part", ["files", "files[]", "files[0]", "files.0", "files.12"])
def test_how_sdks_write_a_list(sandbox: Sandbox, part: str) -> None:
    """Python and TypeScript, Go, Ruby: each in a way of its own."""
    assert sandbox().post("/files/upload", files={part: ("a.bin", CONTENT)}).is_success


def test_several_files_are_stored_and_the_first_is_told(sandbox: Sandbox) -> None:
    client = sandbox()
    parts = [("files.0", ("a", b"a")), ("files.1", ("b", b"b")), ("files", ("c", b"c"))]
    answer = client.post("/files/upload", files=parts)
    stored = client.get("/_sandbox/files").json()
    assert [each["name"] for each in stored] == ["a", "b", "c"]
    assert answer.json()["file_id"] == stored[0]["file_id"]


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({"files": [("files.a", ("a", b"a"))]}, "extra_forbidden"),
        ({"files": [("other", ("a", b"a"))]}, "extra_forbidden"),
        (form(b"--x--\r\n"), "missing"),
        (form(b"--x\r\n"), "multipart"),
        (form(b"--x\r\nodd\r\n\r\n\r\n--x--"), "extra_forbidden"),
        ({"content": b"", "headers": {"content-type": "multipart/form-data"}}, "multipart"),
        ({"json": {}}, "multipart"),
    ],
)
def test_what_is_no_upload(sandbox: Sandbox, request_: dict[str, Any], kind: str) -> None:
    answer = sandbox().post("/files/upload", **request_)
    assert answer.status_code == 422
    assert {each["type"] for each in answer.json()["detail"]} == {kind}
