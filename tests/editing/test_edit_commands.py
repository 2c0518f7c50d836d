"""fmt and drift --write over a real sandbox: what is written, what is said, and the exit codes."""

from __future__ import annotations

import difflib
import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.test_durable import disk_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Json, Project

MANIFEST = """\
# our bots
version: 1
workflows:
  bot:                       # the first
    description: Answers   # kept
    type: custom
    metrics:
      completeness: 0.80     # agreed in May
      # correctness: not yet
    improvement_action: fixit
  triage: {type: automatic, tolerance: low, metrics: [correctness, completeness], improvement_action: none}
"""


def declare(project: Project, text: str, name: str = "all.yaml") -> Path:
    path = project.root / "workflows" / name
    path.write_bytes(text.encode())
    return path


def changed(before: str, after: str) -> list[str]:
    """The lines that differ, with their signs."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


@pytest.fixture
def bound(project: Project) -> Project:
    declare(project, MANIFEST)
    project.apply()
    return project


def edit(project: Project, address: str, **values: Json) -> None:
    project.server.edit(project.bound(address), **values)


WRITTEN: list[tuple[str, Json, list[str]]] = [
    (
        "bot",
        {"description": "Bills"},
        ["-    description: Answers   # kept", "+    description: Bills   # kept"],
    ),
    (
        "bot",
        {"metrics": {"completeness": 0.6}},
        ["-      completeness: 0.80     # agreed in May", "+      completeness: 0.6     # agreed in May"],
    ),
    ("bot", {"metrics": {"completeness": 0.8, "correctness": 0.5}}, ["+      correctness: 0.5"]),
    ("bot", {"name": "say: #1"}, ['+    name: "say: #1"']),
    ("bot", {"web_search": True}, ["+    web_search: true"]),
    ("bot", {"file_search": ["file_b", "file_a"]}, ["+    file_search: [file_a, file_b]"]),
    (
        "triage",
        {"metrics": {"correctness": "low"}},
        [
            "-  triage: {type: automatic, tolerance: low, metrics: [correctness, completeness], "
            "improvement_action: none}",
            "+  triage: {type: automatic, tolerance: low, metrics: [correctness], improvement_action: none}",
        ],
    ),
    (
        "triage",
        {"metrics": {"correctness": "high", "completeness": "high"}},
        [
            "-  triage: {type: automatic, tolerance: low, metrics: [correctness, completeness], "
            "improvement_action: none}",
            "+  triage: {type: automatic, tolerance: high, metrics: [correctness, completeness], "
            "improvement_action: none}",
        ],
    ),
]


def test_each_edit_in_the_console_is_one_line_and_then_the_plan_is_empty(bound: Project) -> None:
    file = bound.root / "workflows" / "all.yaml"
    for address, values, lines in WRITTEN:
        file.write_bytes(MANIFEST.encode())
        bound.apply()
        edit(bound, address, **values)
        ran = bound.json("drift", "--write")
        assert ran.err == ""
        assert changed(MANIFEST, file.read_text()) == lines
        bound.assert_settled()
        assert bound.json("drift").json["drifted"] is False


def test_what_was_written_is_told_with_its_line(bound: Project) -> None:
    edit(bound, "bot", metrics={"completeness": 0.6})
    ran = bound.ok("drift", "--write")
    assert "0.8 -> 0.6" in ran.out
    assert "declared: 0.8; written to workflows/all.yaml:8" in ran.out
    assert "1 value written into 1 file." in ran.out


LEFT: list[tuple[Json, str, str]] = [
    ({"status": "inactive"}, "status", "only the console can change it"),
    (
        {"type": "automatic", "metrics": {"completeness": "low"}},
        "type",
        "a type cannot be changed line",
    ),
    ({"metrics": {"completeness": 0.8, "tone": 0.5}}, "metrics.tone", "list it under `custom_metrics` first"),
    ({"metrics": {}}, "metrics.completeness", "no metric is live any more"),
    ({"metrics": {"completeness": 7.5}}, "metrics.completeness", "no manifest can hold this value"),
    ({"name": " "}, "name", "no manifest can hold this value"),
]


@pytest.mark.parametrize(("values", "path", "why"), LEFT, ids=[path for _, path, _ in LEFT])
def test_what_no_manifest_can_say_is_said_and_the_exit_code_stays(
    bound: Project, values: Json, path: str, why: str
) -> None:
    edit(bound, "bot", description="written", **values)
    ran = bound.json("drift", "--write", code=2)
    [entry] = ran.json["workflows"]
    fates = {field["path"]: field for field in entry["fields"]}
    assert why in fates[path]["not_written"]
    assert fates[path]["written"] is None
    assert fates["description"]["written"] == {"file": "workflows/all.yaml", "line": 5, "column": 18}
    assert f"bot {path} was not written: " in ran.err
    assert why in ran.err
    text = (bound.root / "workflows" / "all.yaml").read_text()
    assert changed(MANIFEST, text)[1:] == ["+    description: written   # kept"]


def test_levels_that_differ_do_not_fit_a_list(bound: Project) -> None:
    edit(bound, "triage", metrics={"correctness": "low", "completeness": "high"})
    ran = bound.ok("drift", "--write", code=2)
    assert "make `metrics` a mapping of metric to level" in ran.err
    assert (bound.root / "workflows" / "all.yaml").read_text() == MANIFEST


def test_a_conflict_is_shown_and_written_only_when_it_is_named(bound: Project) -> None:
    file = declare(bound, MANIFEST.replace("0.80", "0.70"))
    edit(bound, "bot", metrics={"completeness": 0.6})
    ran = bound.ok("drift", "--write", code=2)
    assert "not written: git changed too" in ran.out
    assert "completeness: 0.70" in file.read_text()
    bound.ok("drift", "--write", "--overwrite", "bot")
    assert "completeness: 0.6     # agreed in May" in file.read_text()
    bound.assert_settled()


def test_an_address_that_is_declared_no_more_has_no_line(bound: Project) -> None:
    declare(bound, MANIFEST[: MANIFEST.index("  triage")])
    edit(bound, "triage", description="x")
    ran = bound.ok("drift", "--write", code=2)
    assert "triage description was not written: no manifest declares this address any more" in ran.err


def test_with_f_only_that_file_is_written(bound: Project) -> None:
    declare(
        bound,
        'version: 1\nworkflows:\n  other: {"type": "custom", "metrics": {"correctness": 1}, '
        '"improvement_action": "none"}\n',
        "other.yaml",
    )
    bound.apply()
    for address in ("bot", "other"):
        edit(bound, address, description="x")
    bound.json("drift", "--write", "-f", "workflows/other.yaml")
    assert (bound.root / "workflows" / "all.yaml").read_text() == MANIFEST
    assert '  other: {"description": "x", "type"' in (bound.root / "workflows" / "other.yaml").read_text()
    assert [one["address"] for one in bound.json("drift", code=2).json["workflows"]] == ["bot"]


def test_an_alias_is_overridden_where_it_stands(project: Project) -> None:
    text = textwrap.dedent("""\
        version: 1
        x-metrics: &m {completeness: 0.5, correctness: 0.5}
        workflows:
          a: &a
            type: custom
            metrics: *m
            improvement_action: none
          b:
            <<: *a
            name: b  # again
    """)
    file = declare(project, text)
    project.apply()
    edit(project, "b", metrics={"completeness": 0.4, "correctness": 0.5}, description="new")
    project.ok("drift", "--write")
    assert changed(text, file.read_text()) == [
        "+    description: new",
        "+    metrics: {completeness: 0.4, correctness: 0.5}",
    ]
    edit(project, "a", improvement_action="fixit")
    ran = project.ok("drift", "--write", code=2)
    assert "this workflow shares an anchor with others, which would change too" in ran.err


def test_names_from_the_api_stay_text(bound: Project) -> None:
    name = "\x1b[2J *a: {no} # c"
    edit(bound, "bot", description=name, name="null")
    bound.ok("drift", "--write")
    text = (bound.root / "workflows" / "all.yaml").read_text()
    assert '    description: "\\u001b[2J *a: {no} # c"   # kept' in text
    assert '    name: "null"' in text
    bound.assert_settled()


def test_ignore_and_fail_on(bound: Project) -> None:
    edit(bound, "bot", description="x", metrics={"completeness": 0.9})
    [entry] = bound.json("drift", "--ignore", "metrics", code=2).json["workflows"]
    assert [field["path"] for field in entry["fields"]] == ["description"]
    assert entry["direction"] == "none"
    both = ("--ignore", "metrics.completeness", "--ignore", "description")
    assert bound.json("drift", *both).json["drifted"] is False
    assert bound.json("drift", "--fail-on", "loosens").json["drifted"] is True
    bound.json("drift", "--fail-on", "indeterminate")
    edit(bound, "bot", web_search=True)
    bound.json("drift", "--fail-on", "loosens")
    bound.json("drift", "--fail-on", "indeterminate", code=2)
    edit(bound, "bot", status="inactive")
    bound.json("drift", "--fail-on", "loosens", code=2)
    bound.json("drift", "--fail-on", "loosens", "--ignore", "status")


MISTAKES = [
    (
        ["--ignore", "descripton"],
        "'descripton': there is no such field or path. Did you mean \"description\"?",
    ),
    (["--ignore", "metrics.completness"], 'Did you mean "metrics.completeness"?'),
    (["--ignore", "zzz"], "There are: name, type, metrics"),
    (["--overwrite", "bot"], "--overwrite needs --write"),
    (["--write", "--overwrite", "bott"], "--overwrite 'bott': no conflict was found there. There is none."),
    (["--fail-on", "lateral"], "'lateral' is not one of 'any', 'indeterminate', 'loosens'"),
]


@pytest.mark.parametrize(("arguments", "said"), MISTAKES, ids=[" ".join(a) for a, _ in MISTAKES])
def test_mistakes_on_the_command_line(bound: Project, arguments: list[str], said: str) -> None:
    assert said in bound.ok("drift", *arguments, code=64).err


def test_a_workflow_that_is_gone_is_exit_1_and_the_others_are_written(bound: Project) -> None:
    bound.server.remove(bound.bound("triage"))
    edit(bound, "bot", description="x")
    bound.ok("drift", "--write", "--fail-on", "loosens", code=1)
    assert "description: x   # kept" in (bound.root / "workflows" / "all.yaml").read_text()


def test_a_file_that_is_read_only_stops_all_of_them(bound: Project) -> None:
    declare(bound, MANIFEST.replace("bot:", "b:").replace("triage:", "c:"), "b.yaml")
    bound.apply()
    for address in ("bot", "b"):
        edit(bound, address, description="x")
    (bound.root / "workflows" / "b.yaml").chmod(0o444)
    before = bound.files()
    ran = bound.ok("drift", "--write", code=1)
    assert "nothing was written:\n  workflows/b.yaml is read-only" in ran.err
    assert bound.files() == before


def test_the_mode_the_link_the_mark_and_the_line_ends_stay(bound: Project) -> None:
    file, real = bound.root / "workflows" / "all.yaml", bound.root / "real.txt"
    text = "\ufeff" + MANIFEST.replace("\n", "\r\n")
    file.unlink()
    real.write_bytes(text.encode())
    real.chmod(0o640)
    file.symlink_to("../real.txt")
    edit(bound, "bot", description="x", name="n. n.")
    bound.ok("drift", "--write")
    assert file.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o640
    after = real.read_bytes().decode()
    assert after == text.replace("Answers", "x").replace(
        "    description", "    name: n. n.\r\n    description"
    )


def test_fmt_names_what_it_changes_and_check_writes_nothing(bound: Project) -> None:
    file = bound.root / "workflows" / "all.yaml"
    bound.env["DEEP_RAILS_BASE_URL"] = "http://127.0.0.1:9"
    ran = bound.ok("fmt", "--check", code=2)
    assert (ran.out, file.read_text()) == ("workflows/all.yaml\n", MANIFEST)
    assert bound.ok("fmt").out == "workflows/all.yaml\n"
    assert changed(MANIFEST, file.read_text()) == [
        "-      completeness: 0.80     # agreed in May",
        "+      completeness: 0.8     # agreed in May",
    ]
    assert bound.ok("fmt", "--check").out == ""
    assert bound.ok("fmt").out == ""


def test_fmt_touches_nothing_if_one_is_invalid(bound: Project) -> None:
    declare(bound, "version: 1\nworkflows:\n  b: {type: customm}\n", "b.yaml")
    before = bound.files()
    ran = bound.ok("fmt", code=1)
    assert "workflows/b.yaml:3:13: error: `type` must be custom or automatic" in ran.err
    assert bound.files() == before
    assert bound.ok("fmt", "workflows/all.yaml").out == "workflows/all.yaml\n"
    ran = bound.ok("fmt", "workflows/none.yaml", code=1)
    assert "workflows/none.yaml: error: There is no such file" in ran.err


def test_fmt_says_what_it_leaves(bound: Project) -> None:
    text = MANIFEST.replace("bot:", "b:").replace("    type: custom", "    ? type\n    : custom")
    text = (
        text[: text.index("  triage")]
        .replace("0.80", "0.8")
        .replace("    desc", "    web_search: true\n    desc")
    )
    file = declare(bound, text, "b.yaml")
    ran = bound.ok("fmt", "--check", "workflows/b.yaml")
    assert "workflows/b.yaml:5: the keys here keep their order, because of their layout" in ran.err
    assert file.read_text() == text


def test_fmt_read_only(bound: Project) -> None:
    (bound.root / "workflows" / "all.yaml").chmod(0o444)
    assert "workflows/all.yaml is read-only" in bound.ok("fmt", code=1).err


def test_what_init_writes_and_the_examples_are_formatted(project: Project) -> None:
    from tests.test_readme import ROOT

    (project.root / "workflows").rmdir()
    project.ok("init")
    project.ok("fmt", "--check")
    for example in sorted((ROOT / "examples").glob("*/workflows")):
        project.ok("fmt", "--check", str(example))


@pytest.mark.slow
def test_thirty_edits_of_a_thousand_workflows_are_thirty_lines(project: Project) -> None:
    texts = {}
    for n in range(1000):
        text = (
            f"# owner: team {n % 7}\nversion: 1\nworkflows:\n  bot-{n}:\n    description: Bot {n}  # shown\n"
            "    type: custom\n    metrics:\n      completeness: 0.8  # agreed\n      correctness: 0.7\n"
            "    improvement_action: fixit  # or none\n"
        )
        texts[declare(project, text, f"{n:04}.yaml")] = text
    project.apply("--parallelism", "30")
    edits: tuple[Json, ...] = (
        {"description": "By hand"},
        {"metrics": {"completeness": 0.5, "correctness": 0.7}},
        {"web_search": True},
    )
    ids = project.json("outputs").json["outputs"]
    for n in range(30):
        project.server.edit(ids[f"bot-{n * 33}"], **edits[n % 3])
    project.ok("drift", "--write")
    lines = [line for path, text in texts.items() for line in changed(text, path.read_text())]
    assert len([line for line in lines if line[0] == "+"]) == 30
    assert len([line for line in lines if line[0] == "-"]) == 20
    assert all(text.count("#") == path.read_text().count("#") for path, text in texts.items())
    project.assert_settled()


def fleet(project: Project) -> None:
    """Two environments; prod lays a file over what both have."""
    project.settings(
        environments={
            "staging": {"state": {"path": "staging.json"}},
            "prod": {"state": {"path": "prod.json"}, "overlays": ["overlays/prod.yaml"]},
        }
    )
    declare(project, FLEET)
    (project.root / "overlays").mkdir()
    (project.root / "overlays" / "prod.yaml").write_text(OVERLAY)
    project.env["DEFENDCTL_ENV"] = "prod"
    project.apply()


FLEET = """\
version: 1
defaults:
  type: custom
  metrics: {correctness: 0.5, completeness: 0.4}  # for all
  improvement_action: fixit
workflows:
  bot:
    description: Bills  # both
    metrics: {comprehensive_safety: 0.9}
  other: {description: Others}
"""
OVERLAY = """\
version: 1
workflows:
  bot:
    max_improvement_attempts: 3  # prod
    metrics:
      correctness: 0.70  # stricter
"""


def test_a_value_goes_where_it_stands_and_defaults_are_overridden(project: Project) -> None:
    fleet(project)
    metrics = {"correctness": 0.6, "completeness": 0.8, "comprehensive_safety": 0.9, "context_adherence": 0.1}
    edit(project, "bot", description="B", web_search=True, metrics=metrics)
    edit(project, "other", improvement_action="regen", metrics={"completeness": 0.4})
    ran = project.json("drift", "--write")
    assert "workflows/all.yaml was written, and applies in other environments too" in ran.err
    assert changed(FLEET, (project.root / "workflows" / "all.yaml").read_text()) == [
        "-    description: Bills  # both",
        "-    metrics: {comprehensive_safety: 0.9}",
        "-  other: {description: Others}",
        "+    description: B  # both",
        "+    metrics: {comprehensive_safety: 0.9, completeness: 0.8}",
        "+  other: {description: Others, metrics: {correctness: null}, improvement_action: regenerate}",
    ]
    assert changed(OVERLAY, (project.root / "overlays" / "prod.yaml").read_text()) == [
        "-      correctness: 0.70  # stricter",
        "+      correctness: 0.6  # stricter",
        "+      context_adherence: 0.1",
        "+    web_search: true",
    ]
    project.assert_settled()


def test_a_metric_that_goes_is_hidden_where_defaults_would_show(project: Project) -> None:
    fleet(project)
    edit(project, "bot", metrics={"completeness": 0.4, "comprehensive_safety": 0.9})
    project.json("drift", "--write")
    assert changed(OVERLAY, (project.root / "overlays" / "prod.yaml").read_text()) == [
        "-      correctness: 0.70  # stricter",
        "+      correctness: null  # stricter",
    ]
    project.assert_settled()


LAYERS = {
    "workflows/all.yaml": """\
version: 1
defaults:
  type: automatic
  tolerance: low  # all
  metrics: [completeness, context_adherence]
  improvement_action: fixit
workflows:
  a: {metrics: {context_adherence: null}}  # few
  b:
    metrics: [correctness]  # and
  c:
    type: custom
    metrics:
      completeness: 0.8  # both
      correctness: 0.7
      context_adherence: null
    improvement_action: none
    description: C
  e: {metrics: {correctness: high, completeness: low, context_adherence: null}}
""",
    "overlays/one.yaml": """\
version: 1
workflows:
  b:
    tolerance: high  # strict
  c:
    metrics:
      correctness: null  # not here
    description: null
    max_retries: 3
  d:  # only here
    type: custom
    metrics: {completeness: 0.5}
    improvement_action: none
  e: {metrics: [correctness], tolerance: medium}
""",
    "overlays/two.yaml": "version: 1\nworkflows:\n  c:\n    web_search: true\n",
}
HOMES: list[tuple[str, Json, str, list[str]]] = [
    ("a", {"improvement_action": "none"}, "all", [
        "-  a: {metrics: {context_adherence: null}}  # few",
        "+  a: {metrics: {context_adherence: null}, improvement_action: none}  # few",
    ]),
    ("a", {"metrics": {"completeness": "low", "context_adherence": "low"}}, "all", [
        "-  a: {metrics: {context_adherence: null}}  # few",
        "+  a: {metrics: {context_adherence: low}}  # few",
    ]),
    ("b", {"description": "x"}, "one", ["+    description: x"]),
    ("b", {"metrics": dict.fromkeys(("completeness", "context_adherence"), "high")}, "one", [
        "+    metrics: {correctness: null}",
    ]),
    ("b", {"metrics": dict.fromkeys(("completeness", "correctness", "context_adherence"), "medium")}, "one", [
        "+    metrics: {completeness: medium, context_adherence: medium, correctness: medium}",
    ]),
    ("c", {"metrics": {"completeness": 0.8, "correctness": 0.2}}, "one", [
        "-      correctness: null  # not here", "+      correctness: 0.2  # not here",
    ]),
    ("c", {"description": "new"}, "one", ["-    description: null", "+    description: new"]),
    ("c", {"web_search": False}, "two", ["-    web_search: true", "+    web_search: false"]),
    ("c", {"metrics": {"completeness": 0.9}}, "all", [
        "-      completeness: 0.8  # both", "+      completeness: 0.9  # both",
    ]),
    ("d", {"metrics": {"completeness": 0.6}, "name": "D"}, "one", [
        "+    name: D",
        "-    metrics: {completeness: 0.5}",
        "+    metrics: {completeness: 0.6}",
    ]),
    ("e", {"metrics": {"correctness": "medium", "completeness": "high"}}, "all", [
        "-  e: {metrics: {correctness: high, completeness: low, context_adherence: null}}",
        "+  e: {metrics: {correctness: high, completeness: high, context_adherence: null}}",
    ]),
]  # fmt: skip


def test_each_value_goes_into_the_one_file_that_owns_it(project: Project) -> None:
    """Nulls and a tolerance of an overlay are its own, though no value of the plan stands there."""
    laid = [name for name in LAYERS if name.startswith("overlays/")]
    project.settings(environments={"staging": None, "prod": {"overlays": laid}})
    (project.root / "overlays").mkdir()
    project.env["DEFENDCTL_ENV"] = "prod"
    for address, values, home, lines in HOMES:
        for name, text in LAYERS.items():
            (project.root / name).write_text(text)
        project.apply()
        edit(project, address, **values)
        ran = project.json("drift", "--write")
        assert ("applies in other environments too" in ran.err) == (home == "all")
        for name, text in LAYERS.items():
            said = lines if f"/{home}." in name else []
            assert changed(text, (project.root / name).read_text()) == said, (address, values)
        project.assert_settled()


BASE = """\
version: 1
workflows:
  bot:
    type: custom
    metrics:
      completeness: 0.8
      correctness: 0.7
    improvement_action: none
  other: {type: custom, metrics: {completeness: 0.5}, improvement_action: none}
"""
ALL = {"completeness": 0.8, "correctness": 0.7}
OWN = "\n    metrics:\n      ground_truth_adherence: 0.9"
JUDGED: list[tuple[str, str, Json, str]] = [
    # overlay of prod, overlay of staging, what prod has live, whose manifests would not be valid
    (" {metrics: {ground_truth_adherence: 0.9}}", " {}", ALL, "prod"),
    (OWN, " {}", ALL, "prod"),
    (" {}", " {metrics: {correctness: null}}", {"completeness": 0.8}, "staging"),
    (" {}", " {metrics: {completeness: null}}", {"correctness": 0.7}, "staging"),
]


@pytest.mark.parametrize(("prod", "staging", "live", "whose"), JUDGED)
@pytest.mark.parametrize("named", [(), ("-f", "workflows")])
def test_what_would_not_validate_in_any_environment_is_left_and_said(
    project: Project, prod: str, staging: str, live: Json, whose: str, named: tuple[str, ...]
) -> None:
    laid = {"prod": prod, "staging": staging}
    project.settings(
        environments={e: {"state": {"path": f"{e}.json"}, "overlays": [f"over/{e}.yaml"]} for e in laid}
    )
    declare(project, BASE)
    (project.root / "over").mkdir()
    for name, body in laid.items():
        (project.root / f"over/{name}.yaml").write_text(f"version: 1\nworkflows:\n  bot:{body}\n")
    project.env["DEFENDCTL_ENV"] = "prod"
    project.apply()
    edit(project, "bot", metrics=live)
    edit(project, "other", metrics={"completeness": 0.6})
    ran = project.ok("drift", "--write", *named, code=2)
    assert f"the manifests of {whose} would not be valid with it (nothing-to-remove)" in ran.err
    lines = [line for file in project.root.glob("*/*.yaml") for line in file.read_text().splitlines()]
    assert sum("completeness: 0.6" in line for line in lines) == 1, (
        "what does no harm is written all the same"
    )
    del project.env["DEFENDCTL_ENV"]
    assert project.json("validate").json["valid"]


def test_what_was_invalid_before_in_another_environment_stops_nothing(project: Project) -> None:
    fleet(project)
    project.settings(
        environments={
            "staging": {"state": {"path": "staging.json"}, "overlays": ["overlays/staging.yaml"]},
            "prod": {"state": {"path": "prod.json"}, "overlays": ["overlays/prod.yaml"]},
        }
    )
    (project.root / "overlays/staging.yaml").write_text("version: 1\nworkflows: {gone: {max_retries: 1}}\n")
    edit(project, "bot", description="B")
    project.ok("drift", "--write")
    assert "description: B  # both" in (project.root / "workflows/all.yaml").read_text()


def test_fmt_formats_the_overlays_of_every_environment(project: Project) -> None:
    fleet(project)
    del project.env["DEFENDCTL_ENV"]
    assert project.ok("fmt", "--check", code=2).out == "overlays/prod.yaml\n"
    assert project.ok("fmt", "--check", "overlays/prod.yaml", code=2).out == "overlays/prod.yaml\n"
    project.ok("fmt")
    text = (project.root / "overlays" / "prod.yaml").read_text()
    assert changed(OVERLAY, text) == [
        "-    max_improvement_attempts: 3  # prod",
        "-      correctness: 0.70  # stricter",
        "+      correctness: 0.7  # stricter",
        "+    max_retries: 3  # prod",
    ]
    assert "nowhere.yaml: error: There is no such file" in project.ok("fmt", "nowhere.yaml", code=1).err
    (project.root / "overlays" / "prod.yaml").write_text(OVERLAY)
    for environment in ("prod", "staging"):
        project.env["DEFENDCTL_ENV"] = environment
        for path in ((), ("overlays/prod.yaml",)):
            assert project.ok("fmt", "--check", *path, code=2).out == "overlays/prod.yaml\n"
    assert "there is no environment" in project.ok("fmt", "--env", "pro", code=64).err


def test_a_file_whose_name_cannot_be_shown_is_said(bound: Project) -> None:
    declare(bound, MANIFEST.replace("bot:", "b:").replace("triage:", "c:"), "b\x1b.yaml")
    bound.apply()
    for address in ("bot", "b"):
        edit(bound, address, description="x")
    ran = bound.ok("drift", "--write", code=2)
    assert "b description was not written: the name of its file holds characters" in ran.err
    assert "description: x   # kept" in (bound.root / "workflows" / "all.yaml").read_text()


def test_a_disk_that_fails_leaves_all_files_as_they_were(bound: Project) -> None:
    declare(bound, MANIFEST.replace("bot:", "b:").replace("triage:", "c:"), "b.yaml")
    before = bound.files()
    with disk_of(150):
        ran = bound.ok("fmt", code=1)
    assert "workflows/all.yaml cannot be written: File too large; nothing was written" in ran.err
    assert bound.files() == before
