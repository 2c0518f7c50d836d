"""fmt: the meaning and every comment stay, and there is nothing left to do afterwards."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given, settings

from defendctl.editing.fmt import BODY, TOP, formatted, rank
from defendctl.yamltext.loader import loads
from defendctl.yamltext.marks import compose
from defendctl.yamltext.splice import comments
from tests.editing.layouts import manifests, workflows


@given(manifests())
@settings(max_examples=80)
def test_it_means_the_same_and_is_done_once(text: str) -> None:
    done = formatted(text)
    assert workflows(done.text) == workflows(text)
    assert formatted(done.text) == done
    assert sorted(comments(done.text, compose(done.text))) == sorted(comments(text, compose(text)))


@given(manifests(tied=False))
@settings(max_examples=50)
def test_what_is_not_tied_is_in_order_and_in_our_words(text: str) -> None:
    done = formatted(text)
    [document], _ = loads(done.text, "")
    ordered = done.notes == () and "|+" not in text
    for keys, order in [
        (document.data, TOP),
        *((body, BODY) for body in document.data["workflows"].values()),
    ]:
        ranks = [rank(key, order) for key in keys]
        assert ranks == sorted(ranks) or not ordered
        assert "max_improvement_attempts" not in keys
        assert keys.get("improvement_action", "none") in ("fixit", "regenerate", "none")
        assert keys.get("description", "") is not None


BEFORE = """\
# yaml-language-server: $schema=x
# stays on top
workflows:
  a:
    # of the body

    # about action
    improvement_action: regen # why
    metrics:
      completeness: .80 # c
      # correctness: later

    # about it
    description: null
    type: custom
    max_improvement_attempts: 0x5
    # the foot
  b: {"improvement_action": null, "type": automatic, tolerance: low, metrics: [correctness]}
version: 1.0
x-it: &y {}
# the end
"""
AFTER = """\
# yaml-language-server: $schema=x
# stays on top
version: 1
workflows:
  a:
    # of the body

    # about it
    description: ''
    type: custom

    metrics:
      completeness: 0.8 # c
      # correctness: later
    # about action
    improvement_action: regenerate # why
    max_retries: 5
    # the foot
  b: {"type": automatic, tolerance: low, metrics: [correctness], "improvement_action": "none"}
x-it: &y {}
# the end
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_whole_file(end: str) -> None:
    before, after = (each.replace("\n", end) for each in (BEFORE, AFTER))
    done = formatted(before)
    assert done.text == after
    assert done.notes == ()


LEFT = [
    ("a comment in brackets", "{improvement_action: none, # why\n    type: custom}", "keep their order"),
    ("question marks", "\n    ? type\n    : custom\n    name: a", "keep their order"),
]


@pytest.mark.parametrize(("body", "why"), [row[1:] for row in LEFT], ids=[row[0] for row in LEFT])
def test_what_is_left_is_said(body: str, why: str) -> None:
    text = f"version: 1\nworkflows:\n  a: {body}\n"
    done = formatted(text)
    assert done.text == text
    [(line, said)] = done.notes
    assert line in (3, 4)
    assert why in said


def test_what_holds_an_anchor_or_an_alias_keeps_its_place() -> None:
    text = textwrap.dedent("""\
        workflows:
          a: &a
            improvement_action: &none none
            name: a
            type: custom
          b:
            max_retries: 3
            <<: *a
            name: b
        version: 1
    """)
    lines = ["    max_retries: 3", "    <<: *a", "    name: b"]
    wanted = text.replace("\n".join(lines), "\n".join(reversed(lines)))
    assert formatted(text).text == wanted


def test_what_would_mean_something_else_is_not_done() -> None:
    """With another name of the one key, the other would not be hidden by it any more."""
    text = textwrap.dedent("""\
        version: 1
        workflows:
          a: &a
            max_improvement_attempts: 3
          b:
            <<: *a
            &k max_improvement_attempts: 4
    """)
    done = formatted(text)
    assert done.text == text
    assert done.notes == ((1, "another spelling would change what this file means"),)
