"""What an environment declares in the end, as one manifest: rendering what was rendered is the same."""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from defendctl.model import ADDRESS
from defendctl.render.inert import inert
from defendctl.render.json.results import document
from defendctl.render.setting import PLAIN
from defendctl.render.yaml import scalar
from defendctl.schema.texts import WORKFLOW
from defendctl.yamltext.node import span_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from defendctl.diagnostics import Span
    from defendctl.manifest.desired import Desired
    from defendctl.policy.findings import Waiver
    from defendctl.render.setting import Setting
    from defendctl.yamltext.node import Document, Node

_ORDER = {key: place for place, key in enumerate(WORKFLOW)}
_SORTED = frozenset({"metrics", "labels"})
"""What is a set: the order in which layers filled it says nothing."""


def yaml(desired: Desired, setting: Setting = PLAIN) -> str:
    """With origins, a comment after each value says the file and the line that it comes from."""
    origins = setting.origins
    lines = [f"# environment {setting.environment}"] if setting.environment else []
    lines += ["version: 1", "workflows:" if desired.documents else "workflows: {}"]
    for address, one in sorted(desired.documents.items()):
        at = one.span(("workflows", address), key=True)
        lines.append(_line(f"  {_key(address)}:", at, origins))
        lines += _mapping(one.root.items["workflows"].items[address], one, 4, origins, _known_first)
    if desired.waivers:
        lines.append("waivers:")
        lines += [line for waiver in _in_order(desired.waivers) for line in _waiver(waiver, origins)]
    return "\n".join(lines) + "\n"


def json(desired: Desired, setting: Setting = PLAIN) -> str:
    bodies = {address: one.data["workflows"][address] for address, one in sorted(desired.documents.items())}
    manifest: dict[str, Any] = {"version": 1, "workflows": bodies}
    if desired.waivers:
        manifest["waivers"] = [_waiver_data(waiver) for waiver in _in_order(desired.waivers)]
    places: dict[str, Any] = {}
    for (address, path), span in desired.places.items() if setting.origins else ():
        at = {"file": span.file, "line": span.line, "column": span.column}
        places.setdefault(address, {})[path] = at
    more = {"origins": places} if setting.origins else {}
    return document("manifest", setting.environment, manifest=manifest, **more)


def _mapping(node: Node, one: Document, indent: int, origins: bool, order: Any = None) -> Iterator[str]:
    for key in sorted(node.items, key=order) if order else node.items:
        name, inner = f"{' ' * indent}{_key(key)}:", node.items[key]
        at = span_of(one.file, inner.place, one.others)
        if isinstance(inner.data, dict) and inner.data:
            yield name
            yield from _mapping(inner, one, indent + 2, origins, str if key in _SORTED else None)
        elif isinstance(inner.data, list) and inner.data:
            yield name
            items = inner.items.values()
            for item in sorted(items, key=lambda item: str(item.data)) if key in _SORTED else items:
                place = span_of(one.file, item.place, one.others)
                yield _line(f"{' ' * indent}  - {scalar(item.data)}", place, origins)
        else:
            yield _line(f"{name} {scalar(inner.data)}", at, origins)


def _known_first(key: str) -> tuple[int, str]:
    return _ORDER.get(key, len(_ORDER)), key


def _line(text: str, at: Span | None, origins: bool) -> str:
    return f"{text}  # {inert(at.file)}:{at.line}" if origins and at else text


def _key(name: str) -> str:
    plain = ADDRESS.fullmatch(name) and name not in ("true", "false", "null")
    return name if plain else scalar(name)


def _in_order(waivers: Iterable[Waiver]) -> list[Waiver]:
    return sorted(waivers, key=lambda one: (one.address, one.rule, one.field, dumps(one.to)))


def _waiver_data(waiver: Waiver) -> dict[str, Any]:
    to = list(waiver.to) if isinstance(waiver.to, tuple) else waiver.to
    return {
        "address": waiver.address,
        "rule": waiver.rule,
        "field": waiver.field,
        "to": to,
        "reason": waiver.reason,
        "approver": waiver.approver,
        "expires": waiver.expires.isoformat(),
    }


def _waiver(waiver: Waiver, origins: bool) -> list[str]:
    first, *rest = (f"{key}: {scalar(value)}" for key, value in _waiver_data(waiver).items())
    return [_line(f"  - {first}", waiver.span, origins), *(f"    {line}" for line in rest)]
