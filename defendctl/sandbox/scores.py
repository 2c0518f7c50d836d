"""Scripted scores, from a YAML or JSON file that maps a text to the scores of the events it fits.

    refund policy:                                # events whose output, prompt or nametag has this text
      completeness: 0.4
      comprehensive_safety: true                  # a verdict instead of a number: true passes, false fails
      correctness: null                           # not scored, as are metrics that are left out
    "How are you?":                               # a list: the initial evaluation, then each attempt
      - {completeness: 0.4, instruction_adherence: 0.9}
      - {completeness: 0.9}                       # an attempt evaluates only what failed before

The first text in the file that fits wins; the last map of a list stands for all later attempts. What gets no
score cannot fail, so an attempt in which no failed metric gets one is the last. Events that no text fits keep
their synthetic scores.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from defendctl.sandbox.bodies import Invalid, Loc, list_of, map_of, number, problem

Script = list[dict[str, float | bool | None]]
Scripts = Mapping[str, Script]
_PROMPTS = ("user_prompt", "system_prompt", "prompt")


class BadScores(ValueError):
    """The file of scripted scores cannot be used; says every reason, a line each, and quotes nothing."""


def read_scores(path: Path) -> Scripts:
    content: object = None
    try:
        content = _parsed(path.read_text(encoding="utf-8-sig"), path.suffix.lower())
        return parse_scores(content)
    except Invalid as error:
        texts = list(content) if isinstance(content, dict) else []
        reasons = "\n".join(_reason(each["loc"][1:], each["msg"], texts) for each in error.problems)
        raise BadScores(f"{path} holds no scores:\n{reasons}") from None
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise BadScores(f"{path} cannot be read: {_first_line(error)}") from None


def parse_scores(content: object) -> Scripts:
    """`{text: {metric: score}}`, or a list of such maps instead of one. Raises Invalid."""
    scripts: Scripts = map_of(_script)(content, ())
    return scripts


def script_for(scripts: Scripts, submission: dict[str, Any]) -> Script:
    """The script of the first text that the output, a prompt or the nametag contains; empty without one."""
    prompts = [submission["model_input"].get(name) for name in _PROMPTS]
    said = [
        text
        for text in (submission["model_output"], *prompts, submission.get("nametag"))
        if isinstance(text, str)
    ]
    return next((script for text, script in scripts.items() if any(text in each for each in said)), [])


def _script(value: object, loc: Loc) -> Script:
    if isinstance(value, list) and not value:
        raise Invalid(problem(loc, "too_short", "List should have at least 1 item"))
    attempts: Script = list_of(_SCORES)(value, loc) if isinstance(value, list) else [_SCORES(value, loc)]
    return attempts


def _score(value: object, loc: Loc) -> float | bool | None:
    if value is None or isinstance(value, bool):
        return value
    if not isinstance(value, int | float) or not 0 <= number(value, loc) <= 1:
        message = "Input should be a number from 0 to 1, true, false or null"
        raise Invalid(problem(loc, "score_type", message))
    return value


_SCORES = map_of(_score)


def _parsed(text: str, suffix: str) -> object:
    if suffix == ".json":
        return json.loads(text, object_pairs_hook=_without_twins)
    return yaml.load(text, _Loader)


class _Loader(yaml.SafeLoader):
    """Refuses what YAML otherwise takes in silence: a key that stands twice, or is no text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        pairs = [[self.construct_object(each, deep=True) for each in pair] for pair in node.value]
        try:
            return _without_twins(pairs)
        except ValueError as error:
            raise yaml.constructor.ConstructorError(None, None, str(error), node.start_mark) from None


def _without_twins(pairs: Iterable[Sequence[Any]]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    for name, value in pairs:
        if not isinstance(name, str):
            raise ValueError("a key must be a text in quotes")
        if name in content:
            raise ValueError("a key appears twice")
        content[name] = value
    return content


def _reason(loc: list[str], message: str, texts: list[str]) -> str:
    """A text is a part of an output or a prompt: it is told by its number."""
    place = f"text {texts.index(loc[0]) + 1}" if loc and loc[0] in texts else "the file"
    return f"{place}: {message}"


def _first_line(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        problem = re.sub(r"'[^']*'", "…", error.problem or "")
        return f"line {error.problem_mark.line + 1}: {problem}"
    return str(error).partition("\n")[0] or type(error).__name__
