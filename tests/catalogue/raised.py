"""Every code that a diagnostic of the package can have, as its source says."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from tests.house import folder, modules, place, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_CODE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_CALLS = {"Diagnostic": 1, "Unread": 1, "Stop": 0, "Unusable": 0, "error": 0, "_error": 0}
"""What makes a diagnostic → which of its arguments is the code."""
_FAULTS = re.compile(r"\b(Fault|Found)\b|^tuple\[str, str\]( \| None)?$|^tuple\[str, str\] \| None$")
"""What a function returns that leaves the making to its caller: its code stands before its message."""
_READERS = ("manifest", "operations", "policy", "project", "replay", "schema", "yamltext")


def raised() -> dict[str, set[str]]:
    """Code → the files that raise it."""
    constants = _constants()
    found: dict[str, set[str]] = {}
    for path in modules():
        at = folder(path)
        if at != "sandbox":
            for node in ast.walk(tree_of(path)):
                for value in _values(node, reader=at in _READERS):
                    code = constants.get(value.id) if isinstance(value, ast.Name) else _text(value)
                    if code and _CODE.fullmatch(code):
                        found.setdefault(code, set()).add(place(path))
    return found


def _constants() -> dict[str, str]:
    """Names in capitals that stand for a text, wherever they are written."""
    found = {}
    for path in modules():
        for node in tree_of(path).body:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)))
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)))
                ) if name.isupper() and folder(path) in (*_READERS, "."):
                    found[name] = text
    return found


def _text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _values(node: ast.AST, *, reader: bool) -> Iterator[ast.AST]:
    match node:
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=args) if name in _CALLS:
            yield from args[_CALLS[name] : _CALLS[name] + 1]
        case ast.Assign(
            targets=[ast.Name(id="code") | ast.Tuple(elts=[ast.Name(id="code"), *_])], value=given
        ):
            yield from _chosen(given)
        case ast.FunctionDef(returns=returns) if reader and returns and _FAULTS.search(ast.unparse(returns)):
            for inner in ast.walk(node):
                match inner:
                    case ast.Return(value=ast.Tuple(elts=parts)) | ast.Yield(value=ast.Tuple(elts=parts)):
                        yield parts[-2]


def _chosen(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.IfExp(body=body, orelse=other):
            yield from (body, other)
        case ast.Tuple(elts=[first, *_]):
            yield first
        case ast.Constant():
            yield node
