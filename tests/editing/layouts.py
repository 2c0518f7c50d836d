"""Manifests as people write them: the same values in every layout that YAML has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import strategies as st

from defendctl.manifest.validate import validate
from defendctl.yamltext.loader import loads
from defendctl.yamltext.report import Report

if TYPE_CHECKING:
    from defendctl.model import Workflow

comment_texts = st.sampled_from(["# agreed in May", "#", "# a: {b", "# 'x", "## → x"])
after = st.sampled_from(["", "", "", " # why", "   #", "  "])
above = st.lists(st.sampled_from(["", "{i}# above", "# far left", "{i}  # deeper", "   "]), max_size=2)
thresholds = st.sampled_from([".5", "0.80", "1", "0", "8e-1", "0.25", "1."])
levels = st.sampled_from(["low", "'medium'", "high"])
names = st.permutations(["completeness", "correctness", "context_adherence", "comprehensive_safety"])
descriptions = st.sampled_from(
    [
        "null",
        "",
        "~",
        "Plain text",
        "'it''s'",
        '"say \\"x\\" # no"',
        "two\n{i}  lines",
        "|{a}\n{i}  one\n\n{i}  # no comment\n",
        ">-{a}\n{i}   folded\n{i}   text\n",
        "|+\n{i}  kept\n\n",
        '"over\n\n{i}  lines"',
    ]
)
actions = st.sampled_from(["fixit", "regen", "'regen'", '"do_nothing"', "null", "", "none", "regenerate"])
small = {
    "name": st.sampled_from(["Bot", "'A: b'", "null-bot"]),
    "web_search": st.sampled_from(["true", "False", "TRUE"]),
    "context_awareness": st.sampled_from(["true", "false"]),
    "max_retries": st.sampled_from(["5", "0x5", "1e1", "7.0", "+3"]),
    "max_improvement_attempts": st.sampled_from(["5", "0o7"]),
    "labels": st.just("{tier: critical}"),
}


@st.composite
def metrics(draw: st.DrawFn, indent: str, *, custom: bool) -> str:
    """What follows `metrics:`."""
    chosen = draw(names)[: draw(st.integers(1, 3))]
    values = [(name, draw(thresholds if custom else levels)) for name in chosen]
    shape = draw(st.sampled_from(["block", "flow", "tall"]))
    if shape == "flow":
        return " {" + ", ".join(f"{n}: {v}" for n, v in values) + draw(st.sampled_from(["", ","])) + "}"
    if shape == "tall":
        rows = [f"{indent}  {n}: {v}" for n, v in values]
        ends = [draw(st.sampled_from([",", ", # why"])) for _ in rows[:-1]] + [draw(after)]
        return " {\n" + "\n".join(r + e for r, e in zip(rows, ends, strict=True)) + f"\n{indent}}}"
    lines = []
    for n, v in values:
        lines += [one.format(i=indent + "  ") for one in draw(above)]
        lines.append(f"{indent}  {n}: {v}{draw(after)}")
    return "\n" + "\n".join(lines)


@st.composite
def fields(draw: st.DrawFn, indent: str) -> list[tuple[str, str]]:
    """Key and what follows its colon, in any order."""
    kind = draw(st.sampled_from(["custom", "levels", "list"]))
    found = [("type", " custom" if kind == "custom" else " automatic")]
    found.append(("improvement_action", " " + draw(actions)))
    if kind == "list":
        chosen = draw(names)[: draw(st.integers(1, 3))]
        block = "".join(f"\n{indent}- {name}{draw(after)}" for name in chosen)
        found += [("tolerance", " " + draw(levels))]
        found += [("metrics", draw(st.sampled_from([f" [{', '.join(chosen)}]", block])))]
    else:
        found.append(("metrics", draw(metrics(indent, custom=kind == "custom"))))
    extra = draw(st.sets(st.sampled_from(sorted(small))))
    extra -= {"max_retries"} if "max_improvement_attempts" in extra else set()
    found += [(key, " " + draw(small[key])) for key in sorted(extra)]
    if draw(st.booleans()):
        text = draw(descriptions).format(i=indent, a=draw(st.sampled_from(["", " # about"])))
        found.append(("description", " " + text))
    ids = draw(st.sampled_from([None, " []", " [file_a, 'file_b']", "\n{i}- file_a\n{i}- file_b # why"]))
    found += [("file_search", ids.format(i=indent))] if ids else []
    return draw(st.permutations(found))


@st.composite
def block_bodies(draw: st.DrawFn, indent: str) -> str:
    lines = []
    for key, text in draw(fields(indent)):
        lines += [one.format(i=indent) for one in draw(above)]
        whole = text.endswith("\n") or "\n" in text or text.strip()[:1] in ("|", ">")
        lines.append(f"{indent}{key}:{text}{'' if whole else draw(after)}".removesuffix("\n"))
    return "\n" + "\n".join(lines)


@st.composite
def flow_bodies(draw: st.DrawFn) -> str:
    """On one line, as JSON has it or with bare words."""
    quote = draw(st.sampled_from(["", '"']))
    pairs = [
        ("type", f"{quote}custom{quote}"),
        ("metrics", f"{{{quote}{draw(names)[0]}{quote}: 0.50}}"),
        (
            "improvement_action",
            draw(st.sampled_from(["null", f"{quote}regen{quote}", f"{quote}none{quote}"])),
        ),
    ]
    if draw(st.booleans()):
        pairs.append((draw(st.sampled_from(["max_retries", "max_improvement_attempts"])), "5"))
    spaced = draw(st.sampled_from([", ", ",", ",\n     "]))
    return " {" + spaced.join(f"{quote}{k}{quote}: {v}" for k, v in draw(st.permutations(pairs))) + "}"


@st.composite
def manifests(draw: st.DrawFn, *, tied: bool = True) -> str:
    """Valid text; with `tied` some of it holds anchors, aliases and `<<`."""
    indent = draw(st.sampled_from(["  ", "    "]))
    bodies = {}
    for address in draw(st.sampled_from([["a"], ["b", "a"], ["c", "a", "b"]])):
        style = draw(st.sampled_from(["block", "block", "flow"]))
        bodies[address] = draw(block_bodies(indent * 2) if style == "block" else flow_bodies())
    base = draw(st.booleans()) if tied else False
    if base:
        bodies["z-like"] = draw(
            st.sampled_from(
                [
                    f"\n{indent * 2}<<: *base{draw(after)}\n{indent * 2}name: Z",
                    f"\n{indent * 2}metrics: *m\n{indent * 2}type: custom\n{indent * 2}improvement_action:",
                    " {<<: *base, improvement_action: regen}",
                    " *base",
                ]
            )
        )
    lines = [f"{indent}{address}:{body}" for address, body in bodies.items()]
    tops = ["version: " + draw(st.sampled_from(["1", "1.0", "0x1"])), "workflows:\n" + "\n".join(lines)]
    tops = draw(st.permutations(tops))
    if base:
        tops.insert(
            0,
            "x-base: &base {metrics: &m {correctness: .5}, type: custom, improvement_action: null}",
        )
    head = draw(st.sampled_from(["", "# yaml-language-server: $schema=x.json\n", "# ours\n\n", "---\n"]))
    text = head + "\n".join(f"{draw(st.sampled_from(['', '', '# top' + chr(10)]))}{top}" for top in tops)
    text += draw(st.sampled_from(["", "\n", "\n\n", "\n# the end", "\n...\n"]))
    return text.replace("\n", draw(st.sampled_from(["\n", "\n", "\r\n"])))


def workflows(text: str) -> dict[str, Workflow]:
    """What a valid manifest declares."""
    documents, wrong = loads(text, "x.yaml")
    report = Report("x.yaml")
    declared = [one for each in documents for _, one in validate(each, (), report)]
    found = {one.address: one.workflow for one in declared}
    assert not wrong + report.diagnostics, (text, wrong, report.diagnostics)
    assert all(found.values())
    return {address: workflow for address, workflow in found.items() if workflow}
