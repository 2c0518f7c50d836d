"""A report as one HTML file: no script, no request, nothing that a reader could be led away by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.html.blocks import MOST_PICTURES, Drawing
from defendctl.render.html.markup import safe
from defendctl.render.html.style import POLICY, STYLE
from defendctl.render.json.plan import plan as plan_document
from defendctl.render.json.results import drift as drift_document
from defendctl.render.json.suite import suite as suite_document
from defendctl.render.page.blocks import Part
from defendctl.render.page.drift import drift as drift_page
from defendctl.render.page.kinds import pages
from defendctl.render.page.plan import plan as plan_page
from defendctl.render.page.suite import suite as suite_page
from defendctl.render.page.tune import tune as tune_page
from defendctl.render.setting import PLAIN
from defendctl.render.tune.tune_json import tune as tune_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from defendctl.evidence.tuning import Tuned
    from defendctl.plan.drift import Drifted
    from defendctl.render.page.blocks import Block, Page
    from defendctl.render.page.saved import Saved
    from defendctl.render.setting import Setting
    from defendctl.review import Review
    from defendctl.suite.models import Suite


def plan(result: Review, setting: Setting = PLAIN) -> str:
    return html("plan", [plan_page(plan_document(result, setting))])


def drift(entries: Sequence[Drifted], setting: Setting = PLAIN) -> str:
    return html("drift", [drift_page(drift_document(entries, setting))])


def suite(done: Suite, setting: Setting = PLAIN) -> str:
    return html("test-results", [suite_page(suite_document(done, setting))])


def tune(found: Tuned, setting: Setting = PLAIN) -> str:
    return html("tune", [tune_page(tune_document(found, setting))])


def report(result: Saved, setting: Setting = PLAIN) -> str:
    return html("report", pages(result.documents))


def html(kind: str, pages: Sequence[Page]) -> str:
    """One file of one or several documents; `kind` is what another such file may take its place as."""
    drawing = Drawing()
    told = "".join(_document(each, drawing) for each in pages)
    title = " · ".join(dict.fromkeys(each.title for each in pages))
    return (
        f"<!DOCTYPE html>\n<!-- defendctl:{kind} -->\n"
        '<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><meta name="robots" content="noindex">'
        f"<title>{safe(title)}</title><style>{STYLE}</style></head><body><main>{told}</main>"
        f"<footer>{_footer(drawing)}</footer></body></html>\n"
    )


def _document(one: Page, drawing: Drawing) -> str:
    name = drawing.names.new()
    drawing.names.begin(_sections(one.blocks))
    return (
        f'<article aria-labelledby="{name}"><header><h1 id="{name}">{safe(one.title)}</h1>'
        f'<p class="lead">{drawing.words(one.headline)}</p></header>'
        f"{drawing.blocks(one.blocks, 2)}</article>"
    )


def _footer(drawing: Drawing) -> str:
    left = ""
    if drawing.left_out:
        left = (
            f"<p>{drawing.left_out} more metrics move. A page has {MOST_PICTURES} pictures at most: "
            "the numbers of the others are in their tables, and <code>--target</code> draws them.</p>"
        )
    how = (
        "Bars: scores of recent events. Curve: the share of them that a threshold would flag; its band is "
        "Clopper and Pearson&#x27;s, 95 %, for one threshold that was chosen before looking."
    )
    return left + (f"<p>{how}</p>" if drawing.pictures else "")


def _sections(blocks: Iterable[Block]) -> Iterator[str]:
    for block in blocks:
        if isinstance(block, Part):
            yield from [block.name] if block.name else []
            yield from _sections(block.blocks)
