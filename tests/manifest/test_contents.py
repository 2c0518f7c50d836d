"""Files of the repository that manifests name: which may be sent, and what is said of the others."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from defendctl.diagnostics import DefendctlError
from defendctl.manifest import contents
from defendctl.manifest.contents import MAX_BYTES, read
from defendctl.manifest.resolve import resolve
from defendctl.model import LocalFile
from defendctl.project.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from defendctl.manifest.desired import Desired

HEAD = "version: 1\nworkflows:\n"
WORKFLOW = "  {}:\n    type: custom\n    metrics: {{completeness: 0.8}}\n    improvement_action: none\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    (root / "docs").mkdir(parents=True)
    (root / "docs" / "policy.pdf").write_bytes(b"policy")
    (root / "docs" / "same.pdf").write_bytes(b"policy")
    (root / "docs" / "empty.pdf").touch()
    (root / "docs" / "link.pdf").symlink_to("policy.pdf")
    (root / "docs" / "loop.pdf").symlink_to("loop.pdf")
    os.mkfifo(root / "docs" / "pipe.pdf")
    (tmp_path / "outside.pdf").write_bytes(b"outside")
    (root / "docs" / "out.pdf").symlink_to("../../outside.pdf")
    (root / "out").symlink_to("..")
    for hidden in (".env", ".git/config", "docs/.notes/policy.pdf"):
        (root / hidden).parent.mkdir(exist_ok=True)
        (root / hidden).write_bytes(b"secret")
    (root / "docs" / "env.pdf").symlink_to("../.env")
    (root / "git").symlink_to(".git")
    with (root / "docs" / "large.pdf").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    return root


def resolved(root: Path, **items: list[str]) -> Desired:
    """Each address with these lines under its `file_search`."""
    text = HEAD
    for address, lines in items.items():
        text += (
            WORKFLOW.format(address) + "    file_search:\n" + "".join(f"      - {line}\n" for line in lines)
        )
    (root / "all.yaml").write_text(text)
    project = Project(root, root / "defendctl.yaml", root / "state.json", uploads=True)
    return resolve(project, [root / "all.yaml"], root)


def said(desired: Desired) -> list[tuple[int | None, int | None, str, str]]:
    return [
        (d.span.line if d.span else None, d.span.column if d.span else None, d.code, d.message)
        for d in desired.diagnostics
    ]


def test_what_a_file_holds_stands_for_its_id(root: Path) -> None:
    desired = resolved(root, a=["file_x", "path: docs/policy.pdf"], b=["path: ./docs/../docs/link.pdf"])
    digest = hashlib.sha256(b"policy").hexdigest()
    assert not desired.diagnostics
    assert desired.workflows["a"].file_search == ("file_x", f"sha256:{digest}")
    assert desired.workflows["b"].file_search == (f"sha256:{digest}",)
    assert desired.files == {f"sha256:{digest}": LocalFile("docs/policy.pdf", digest, 6)}


@pytest.mark.parametrize(
    ("path", "code", "message"),
    [
        ("docs/gone.pdf", "not-found", "There is no file `docs/gone.pdf` (paths are relative to"),
        ("docs/policy.pdf/x", "unreadable", "Not a directory"),
        ("docs", "not-a-regular-file", "`docs` is not a regular file."),
        ("docs/pipe.pdf", "not-a-regular-file", "is not a regular file."),
        ("docs/empty.pdf", "empty-file", "is empty, so there is nothing to search in it."),
        ("docs/large.pdf", "file-too-large", "is larger than 32 MiB, the most that is uploaded"),
        ("../outside.pdf", "outside-project", "must be in the project"),
        ("/etc/passwd", "outside-project", "must be in the project"),
        (".", "outside-project", "must be in the project"),
        ("docs/out.pdf", "outside-project", "is a link that leads out of the project."),
        ("out/outside.pdf", "outside-project", "is a link that leads out of the project."),
        (".env", "hidden-file", "`.env` is a hidden file (a name on its path begins with a dot)"),
        (".git/config", "hidden-file", "those are never sent."),
        ("docs/.notes/policy.pdf", "hidden-file", "is a hidden file"),
        ("docs/../.env", "hidden-file", "is a hidden file"),
        ("docs/.gone", "hidden-file", "is a hidden file"),
        ("docs/env.pdf", "hidden-file", "is a link to a hidden file"),
        ("git/config", "hidden-file", "is a link to a hidden file"),
        ("docs/loop.pdf", "unreadable", "cannot be read"),
        (f"docs/{'x' * 300}", "unreadable", "File name too long"),
        ('"docs/\\0.pdf"', "invalid-value", "must not hold control or invisible characters"),
        ('"docs/\\u202e.pdf"', "invalid-value", "must not hold control or invisible characters"),
    ],
)
def test_what_cannot_be_sent(root: Path, path: str, code: str, message: str) -> None:
    (found,) = said(resolved(root, a=["file_x", f"path: {path}"]))
    assert found[:3] == (9, 15, code)
    assert message in found[3]
    assert all(c.isprintable() for c in found[3])


def test_a_project_in_a_hidden_folder_is_not_hidden(root: Path) -> None:
    hidden = root.rename(root.with_name(".project"))
    assert not said(resolved(hidden, a=["path: ./docs/policy.pdf"]))


def test_a_file_stands_once_in_a_list(root: Path) -> None:
    desired = resolved(root, a=[f"path: docs/{name}.pdf" for name in ("policy", "policy", "same", "gone")])
    assert [found[:3] for found in said(desired)] == [
        (9, 15, "duplicate-item"), (10, 15, "duplicate-item"), (11, 15, "not-found"),
    ]  # fmt: skip
    assert [found[3] for found in said(desired)][:2] == [
        "`docs/policy.pdf` is listed twice in `file_search`.",
        "`docs/same.pdf` holds the same as `docs/policy.pdf`, which is listed already.",
    ]


def test_each_file_is_read_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    whole = contents._blocks

    def noted(root: Path, path: str) -> Iterator[bytes]:
        asked.append(path)
        return whole(root, path)

    monkeypatch.setattr(contents, "_blocks", noted)
    resolved(root, a=["path: docs/policy.pdf"], b=["path: docs/policy.pdf"], c=["path: docs/gone.pdf"] * 2)
    assert asked == ["docs/policy.pdf", "docs/gone.pdf"]


def test_what_is_read_for_the_upload_is_what_was_planned(root: Path) -> None:
    file = LocalFile("docs/policy.pdf", hashlib.sha256(b"policy").hexdigest(), 6)
    assert read(root, file) == b"policy"
    for content, why in ((b"other", "was changed since the plan was made"), (b"", "is empty")):
        (root / "docs" / "policy.pdf").write_bytes(content)
        with pytest.raises(DefendctlError, match=why):
            read(root, file)
    (root / "docs" / "policy.pdf").unlink()
    with pytest.raises(DefendctlError, match="There is no file"):
        read(root, file)
