"""What libyaml says about text that is no YAML → words for people."""

from __future__ import annotations

import re

import yaml

from defendctl.diagnostics import Span
from defendctl.yamltext.report import Stop

_AT_CONTEXT = {
    "found unexpected end of stream": "The quoted text that begins here is never closed.",
    "found unexpected document indicator": "The quoted text that begins here is never closed.",
    "could not find expected ':'": 'This key has no ":" after it.',
}
"""Problems whose cause stands where the construct began, not where libyaml gave up."""

_INDENTATION = (
    "check the indentation against the lines above, and that text with quotes in it is quoted whole"
)
_AT_PROBLEM = {
    "mapping values are not allowed in this context": (
        'A ":" cannot stand here: the line is indented wrongly, or text that holds ": " needs quotes.'
    ),
    "did not find expected key": f"A key is expected here: {_INDENTATION}.",
    "did not find expected '-' indicator": 'The list goes on here, so a "-" is expected; or indent less.',
    "block sequence entries are not allowed in this context": 'A list item ("- …") needs its own line.',
    "did not find expected ',' or ']'": 'A "," or the closing "]" is missing before this place.',
    "did not find expected ',' or '}'": 'A "," or the closing "}" is missing before this place.',
    "did not find expected node content": "A value is missing here.",
    "did not find expected <document start>": "The document has ended here; begin another with `---`.",
    "found incompatible YAML document": "Only YAML 1.1 and 1.2 are read.",
    "found unknown escape character": (
        'No such escape exists; inside double quotes write a backslash as "\\\\", or use single quotes.'
    ),
    "found invalid Unicode character escape code": "This escape names no Unicode character.",
    "did not find expected hexdecimal number": "This escape needs hexadecimal digits.",
    "did not find expected alphabetic or numeric character": (
        'A name must follow "*" and "&"; text that begins with one of them needs quotes.'
    ),
    "did not find expected comment or line break": "The text of a block must begin on the next line.",
    "found undefined tag handle": "Tags (!…) are not supported; write the value without it.",
}
_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)
_START = "found character that cannot start any token"


def refusal(error: Exception, text: str, last: Span) -> Stop:
    """The Stop for what the parser raised; `last` is the last place that could be read."""
    conflict = _CONFLICT.search(text)
    if conflict:
        message = "A git merge conflict begins here; keep one side, or both as YAML."
        return Stop("yaml-syntax", message, Span(last.file, text.count("\n", 0, conflict.start()) + 1, 1))
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Stop("yaml-syntax", "The YAML after this place cannot be read.", last)
    problem, mark = error.problem or "this is not YAML", error.problem_mark
    if problem in _AT_CONTEXT and error.context_mark is not None:
        mark = error.context_mark
    span = Span(last.file, mark.line + 1, mark.column + 1)
    code = "yaml-tag" if "tag" in problem or "tag" in (error.context or "") else "yaml-syntax"
    return Stop(code, _words(problem, text, mark) + _began(error), span)


def _began(error: yaml.MarkedYAMLError) -> str:
    """Where a list or mapping in brackets began: the cause is often there."""
    if "flow" not in (error.context or "") or error.context_mark is None:
        return ""
    return f" The bracket was opened on line {error.context_mark.line + 1}."


def _words(problem: str, text: str, mark: yaml.error.Mark) -> str:
    if problem == _START:
        character = text[mark.index : mark.index + 1]
        return (
            "A tab cannot indent YAML; use spaces."
            if character == "\t"
            else f'Text that begins with "{character}" needs quotes.'
        )
    known = _AT_CONTEXT.get(problem) or _AT_PROBLEM.get(problem)
    return known or f"This is not valid YAML: {problem}."
