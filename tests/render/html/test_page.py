"""What every page keeps to, whatever stands in it: nothing runs, nothing is fetched, nothing leads away."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings

from defendctl.render.html.page import drift as drift_html
from defendctl.render.html.page import html, plan, suite
from defendctl.render.html.style import STYLE
from defendctl.render.inert import inert
from defendctl.render.json.plan import plan as plan_document
from defendctl.render.json.results import drift as drift_document
from defendctl.render.json.suite import suite as suite_document
from defendctl.render.page.kinds import PAGES
from defendctl.render.tune.tune_json import tune as tune_document
from tests.cases import built
from tests.conftest import few_quick
from tests.render.examples import EXAMPLES
from tests.render.html.given import ELEMENTS, loosening, parsed, traffic
from tests.render.strange import drifts, reviews

if TYPE_CHECKING:
    from collections.abc import Iterator

    from defendctl.plan.drift import Drifted
    from defendctl.review import Review

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "' style='background:url(//evil.example)",
    "</code></td></table></style><style>*{display:none}</style>",
    "&lt;script&gt;&#60;b&#62;",
    "<!-- --><![CDATA[ ]]><?php",
    "javascript:alert(1)",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "\x1b[31m\u202egnp.exe\u2028\ud800\x00\r\n::error::x",
    "<iframe srcdoc='<p>'></iframe><form action=x><input>",
    "{{7*7}}${7*7}#{7}" + "A" * 5000,
]
UNSEEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def check(page: str) -> None:
    found = parsed(page)
    assert set(found.elements) <= ELEMENTS
    assert found.elements.count("style") == 1
    names = {name for _, name, _ in found.attributes}
    assert not {name for name in names if name.startswith("on")} | names & {
        "src",
        "style",
        "srcdoc",
        "action",
    }
    ids = found.values("id")
    assert len(ids) == len(set(ids))
    for reference in [*found.values("href"), *found.values("xlink:href")]:
        assert reference.startswith("#")
        assert reference[1:] in ids
    for reference in [*found.values("aria-labelledby"), *found.values("aria-describedby")]:
        assert reference in ids
    for value in (value or "" for _, _, value in found.attributes):
        assert all(
            each[1:-1] in {f"#{name}" for name in ids} for each in re.findall(r"url(\([^)]*\))", value)
        )
    digest = base64.b64encode(hashlib.sha256(found.style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in found.values("content")[0]
    assert found.values("content")[0].startswith("default-src 'none'")
    assert not UNSEEN.search(page)


def strings(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Every text of a document and every key that is one, with the way there."""
    if isinstance(node, str):
        yield path, node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from strings(value, (*path, key))
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from strings(value, (*path, at))


OURS = {
    *("kind", "format_version", "direction", "action", "basis", "origin", "verdict", "severity", "of"),
    *("held", "submitted", "stopped", "improvement", "state", "status", "today_is"),
}
"""Words of ours, which a document that was checked has no others of."""


def with_text(document: Any, path: tuple[Any, ...], text: str) -> Any:
    """A copy of what is on the way there; the rest is shared, for nobody changes a document."""
    if not path:
        return text
    made = copy.copy(document)
    made[path[0]] = with_text(document[path[0]], path[1:], text)
    return made


def a_rich_plan() -> Review:
    made = loosening(traffic(n=30))
    everything = built.waived()
    return built.a_plan(
        *made.plan.changes,
        *(each for each in built.every_action().plan.changes if each.address != "drafting"),
        findings=(*made.findings, *everything.findings),
        replays=made.replays,
        diagnostics=built.comment().diagnostics or built.every_action().diagnostics,
        environment="production",
    )


DOCUMENTS: dict[str, Any] = {
    "plan": json.loads(json.dumps(plan_document(a_rich_plan()))),
    "test-results": json.loads(json.dumps(suite_document(EXAMPLES["test-results"]))),
    "tune": json.loads(json.dumps(tune_document(EXAMPLES["tune"]))),
}


def page_of(document: Any) -> str:
    return html("report", [PAGES[document["kind"]](document)])


def test_a_plain_page() -> None:
    page = plan(loosening(traffic()))
    check(page)
    assert "http" not in page.replace("http-equiv", "")
    for word in ("src=", "style=", "<script", "javascript"):
        assert word not in page
    assert re.findall(r"url\((?!#)", page) == []
    assert page.count(STYLE) == 1


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("text", few_quick(HOSTILE, *HOSTILE[:3], HOSTILE[9]), ids=range(len(HOSTILE)))
def test_no_text_of_any_field_is_more_than_text(kind: str, text: str) -> None:
    document = DOCUMENTS[kind]
    fields = {_field(path): path for path, _ in strings(document) if not OURS & {path[-1]}}
    assert len(fields) > 12
    for path in fields.values():
        check(page_of(with_text(document, path, text)))


def _field(path: tuple[Any, ...]) -> tuple[Any, ...]:
    """Of all the places in lists, one is enough."""
    return tuple(step for step in path if isinstance(step, str))


def test_all_texts_at_once_are_hostile_and_shown_as_they_are() -> None:
    for text in HOSTILE[:-1]:
        document = DOCUMENTS["plan"]
        for path, _ in strings(document):
            document = document if OURS & {path[-1]} else with_text(document, path, text)
        page = page_of(document)
        check(page)
        assert inert(text.split("\n")[0][:6]) in parsed(page).text


@given(reviews())
@settings(max_examples=40, deadline=None)
def test_strange_plans(review: Review) -> None:
    check(plan(review))


@given(drifts())
@settings(max_examples=30, deadline=None)
def test_strange_drift(entries: list[Drifted]) -> None:
    page = drift_html(entries)
    check(page)
    assert page == html("drift", [PAGES["drift"](drift_document(entries))])


def test_results_of_tests() -> None:
    check(suite(EXAMPLES["test-results"]))


def test_several_documents_share_a_page_and_no_name() -> None:
    """Two plans have the same addresses, and each links to its own."""
    document = DOCUMENTS["plan"]
    page = html("report", [PAGES["plan"](document), PAGES["plan"](document)])
    check(page)
    links = parsed(page).values("href")
    assert len(links) == len(set(links)) == 2 * len(document["changes"])


def test_the_same_bytes_twice() -> None:
    assert plan(loosening(traffic())) == plan(loosening(traffic()))


def test_a_page_is_a_function_of_the_document() -> None:
    review = loosening(traffic())
    saved = json.loads(json.dumps(plan_document(review)))
    assert plan(review) == html("plan", [PAGES["plan"](saved)])
