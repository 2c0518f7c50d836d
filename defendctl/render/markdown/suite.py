"""The results of a test suite as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from defendctl.render.markdown.markup import code, marker, table
from defendctl.render.plural import count
from defendctl.render.setting import PLAIN
from defendctl.render.text.suite import MOST_REASONS, ROOM, STOPPED, WORDS, counts, header, money, said_of
from defendctl.suite.models import VERDICTS

if TYPE_CHECKING:
    from defendctl.render.setting import Setting
    from defendctl.suite.models import Suite


def suite(done: Suite, setting: Setting = PLAIN) -> str:
    """A comment of at most 65,536 characters: what did not pass, the worst first, and the rest by number."""
    head = marker("test", done.environment) + f"## Guardrail tests: {counts(done)}\n\n"
    head += f"{header(done)[:-1]}; {money(done)}, {done.seconds:.1f} s.\n\n"
    head += f"{STOPPED[done.stopped]}\n\n" if done.stopped else ""
    rows, room = [], ROOM
    worst = [r for verdict in VERDICTS[:-1] for r in done.results if r.verdict == verdict]
    for result in worst:
        why = "<br>".join(code(said) for said in list(said_of(result))[:MOST_REASONS])
        rows.append([WORDS[result.verdict].lower(), code(result.case.name), code(result.case.address), why])
        room -= len("".join(rows[-1]).encode()) + 20
        if room < 0:
            rows.pop()
            break
    told = table(["result", "test", "workflow", "why"], rows) if rows else ""
    more = (
        f"\nAnd {count(len(worst) - len(rows), 'case')} more that did not pass.\n"
        if len(worst) > len(rows)
        else ""
    )
    return head + told + more
