"""What became of a state that was put elsewhere, which versions and which files of it there are, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

from defendctl.render.json.documents import AnyDocument
from defendctl.render.json.dump import FORMAT_VERSION, named
from defendctl.render.setting import PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.inspection.transfer import Migrated, Pushed
    from defendctl.render.setting import Setting
    from defendctl.state.backend import Version


class MigrationDocument(AnyDocument):
    kind: Literal["migration"]
    before: str
    now: str
    lineage: str
    project_file: str
    branches: list[str]


class PushDocument(AnyDocument):
    kind: Literal["push"]
    where: str
    serial: int
    forgotten: list[str]


class VersionDocument(TypedDict):
    serial: int
    at: str | None
    writer: str
    place: str
    restore: str


class VersionsDocument(AnyDocument):
    kind: Literal["versions"]
    versions: list[VersionDocument]


class PathsDocument(AnyDocument):
    kind: Literal["paths"]
    paths: list[str]


def migrated(value: Migrated, setting: Setting = PLAIN) -> MigrationDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "migration",
        **named(setting.environment),
        "before": value.before,
        "now": value.now,
        "lineage": value.lineage,
        "project_file": value.lines,
        "branches": list(value.branches),
    }


def pushed(value: Pushed, setting: Setting = PLAIN) -> PushDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "push",
        **named(setting.environment),
        "where": value.where,
        "serial": value.serial,
        "forgotten": list(value.forgotten),
    }


def versions(value: Sequence[Version], setting: Setting = PLAIN) -> VersionsDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "versions",
        **named(setting.environment),
        "versions": [_version(one) for one in value],
    }


def _version(one: Version) -> VersionDocument:
    at = one.at or None
    return {"serial": one.serial, "at": at, "writer": one.writer, "place": one.place, "restore": one.restore}


def paths(value: Sequence[str], setting: Setting = PLAIN) -> PathsDocument:
    return {
        "format_version": FORMAT_VERSION,
        "kind": "paths",
        **named(setting.environment),
        "paths": list(value),
    }
