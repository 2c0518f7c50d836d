"""import --from: every mistake of a list at once, and a list taken whole or not at all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import GENERATIONS, KEY, custom

if TYPE_CHECKING:
    from tests.conftest import Project, Ran, World


def listed(project: Project, text: str | bytes, name: str = "ids.csv") -> str:
    (project.root / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return name


def in_console(project: Project, name: str = "made by hand", **more: Any) -> str:
    """A workflow that somebody made without us."""
    body = {
        "name": name,
        "threshold_type": "custom",
        "custom_hallucination_threshold_values": {"completeness": 0.7},
        "improvement_action": "fixit",
        **more,
    }
    answer = project.server.client.post(
        f"{project.server.url}/defend", json=body, headers={"Authorization": f"Bearer {KEY}"}
    )
    return str(answer.json()["workflow_id"])


def refused(project: Project, *arguments: str, code: int = 1) -> Ran:
    """Nothing at all was done."""
    before = project.files()
    ran = project.ok("import", "--from", *arguments, code=code)
    assert project.files() == before
    return ran


def test_a_list_becomes_manifests_and_bindings(project: Project) -> None:
    ids = {f"bot-{n}": in_console(project, f"Bot {n}", description=f"n° {n}: [x") for n in range(3)}
    rows = "".join(f'"{a}", {i} ,note\r\n' for a, i in ids.items())
    name = listed(project, b"\xef\xbb\xbf" + f"address,workflow_id,comment\r\n\r\n{rows},,\r\n".encode())
    ran = project.ok("import", "--from", name, "--write", "workflows/adopted")
    assert ran.out.endswith("Imported: 3 bound, 3 files written.\n")
    assert "max_retries cannot be read back; they are assumed" in ran.err
    assert sorted(p.name for p in (project.root / "workflows/adopted").iterdir()) == [
        f"{a}.yaml" for a in ids
    ]
    assert {a: project.bound(a) for a in ids} == ids
    project.ok("validate")
    project.assert_settled()
    before = project.files()
    again = project.ok("import", "--from", name, "--write", "workflows/adopted")
    assert again.out == "Imported: 0 bound, 3 bound already.\n"
    assert project.files() == before


@pytest.mark.parametrize("written", [["--write", "workflows/adopted"], []], ids=["written", "printed"])
def test_a_folder_without_manifests_yet_is_filled(project: Project, written: list[str]) -> None:
    """As `init` leaves it, once its example was deleted."""
    project.settings(manifests=["workflows"])
    name = listed(project, f"address,workflow_id\na,{in_console(project, 'A')}\n")
    ran = project.ok("import", "--from", name, *written, code=0 if written else 1)
    assert "no manifest" not in ran.err
    assert ("1 bound" if written else 'name: "A"') in ran.out


def test_the_manifest_of_one_is_printed_where_there_is_none_yet(project: Project) -> None:
    project.settings(manifests=["workflows"])
    ran = project.ok("import", "a", in_console(project, "A"), code=1)
    assert '  a:\n    name: "A"' in ran.out
    assert "a is not declared" in ran.err


@pytest.mark.parametrize("entry", ["nowhere", "more/*.yaml"])
def test_an_entry_that_is_no_folder_is_none_for_import_either(project: Project, entry: str) -> None:
    project.settings(manifests=["workflows", entry])
    assert "[not-found]" in project.ok("import", "a", "wkfl_1", code=1).err


@pytest.mark.parametrize("command", ["validate", "plan", "apply"])
def test_other_commands_say_how_a_folder_is_filled(project: Project, command: str) -> None:
    project.settings(manifests=["workflows"])
    ran = project.ok(command, code=1)
    assert "There is no manifest (*.yaml or *.yml) in `workflows`." in ran.out + ran.err
    assert "`defendctl import ADDRESS WORKFLOW_ID` prints one" in ran.out + ran.err


def test_one_file_for_all(project: Project) -> None:
    ids = {a: in_console(project, a) for a in ("b", "a")}
    (project.root / "schemas").mkdir()
    (project.root / "schemas/manifest.schema.json").write_text("{}")
    name = listed(project, json.dumps(ids, indent="\t"), "ids.json")
    project.ok("import", "--from", name, "--write", "workflows/all/adopted.yaml")
    text = (project.root / "workflows/all/adopted.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=../../schemas/manifest.schema.json\nversion: 1\n")
    assert text.index("  a:") < text.index("  b:")
    project.assert_settled()


@pytest.mark.parametrize(
    "form",
    [
        lambda i: {"a": i},
        lambda i: [{"workflow_id": i, "address": "a", "more": [1, {"x": None}]}],
        lambda i: {"format_version": "1.0", "kind": "outputs", "outputs": {"a": i}},
    ],
)
def test_json_in_each_form(project: Project, form: Any) -> None:
    project.declare({"a": custom()})
    made = in_console(project, 'a"\\')
    project.ok("import", "--from", listed(project, json.dumps(form(made))))
    assert project.bound("a") == made


def test_every_mistake_is_told_at_its_line_and_nothing_is_done(project: Project) -> None:
    project.settings()
    project.declare({"bound": custom(), "lost": custom()})
    project.server.fault("lost", "POST", times=1)
    project.apply("--target", "lost", code=7)
    project.apply("--target", "bound", code=0)
    (project.root / "workflows/late.yaml").write_text("")
    fine, other, other2, off, tone = (in_console(project, n) for n in ("fine", "o", "o2", "off", "tone"))
    project.server.edit(off, status="inactive")
    project.server.edit(tone, metrics={"tone": 0.5, "brand voice": 0.1}, improvement_action="rewrite")
    rows = [
        f"fine,{fine}",
        f"twice,{fine}",
        f"fine,{other}",
        f"Not an address,{other}x",
        "spaces,a b",
        "gone,wkfl_gone",
        f"off,{off}",
        f"bound,{other}y",
        f"taken,{project.bound('bound')}",
        "lost,wkfl_lost",
        "alone",
        "much,too,much",
        f"tone,{tone}",
        f"late,{other2}",
    ]
    name = listed(project, "\n".join(["address,workflow_id", *rows]))
    ran = refused(project, name, "--write", "workflows", code=7)
    told = {int(line.split(":")[1]): line for line in ran.err.splitlines() if line.startswith("ids.csv:")}
    expected = {
        3: "is already in line 2, for another address. [duplicate-id]",
        4: "fine is already in line 2. [duplicate-address]",
        5: "This cannot be an address",
        6: "A workflow id has 1 to 256 characters without blanks. [unusable-id]",
        7: "The API answers 404 for wkfl_gone. [missing]",
        8: "has the status inactive: activate it in the console, or leave this line out. [inactive]",
        9: "bound is bound to wkfl_",
        10: "is bound to bound already. [bound-already]",
        11: "lost has a create with an unknown outcome; `defendctl state resolve lost --id wkfl_lost` settles it",  # noqa: E501
        12: "This line has no `workflow_id`. [not-a-pair]",
        13: "This line has 3 cells, the header 2. [not-a-pair]",
        15: "workflows/late.yaml exists already. [in-the-way]",
    }
    for line, words in expected.items():
        assert words in told[line], (line, told[line])
    assert 'put `custom_metrics: ["brand voice", "tone"]` into defendctl.yaml. [unknown-metric]' in ran.err
    assert 'must be fixit, regenerate or none, found the text "rewrite"' in ran.err
    assert "ids.csv:2:" not in ran.err


@pytest.fixture
def swapped(project: Project) -> Project:
    """billing and drafting are in the console, and ids.csv has the id of each for the other."""
    names = {"billing": "Billing", "drafting": "Drafting"}
    project.declare({a: custom(name=n, metrics={"completeness": 0.7}) for a, n in names.items()})
    ids = {address: in_console(project, name) for address, name in names.items()}
    listed(project, json.dumps(ids), "right.json")
    listed(project, f"address,workflow_id\nbilling,{ids['drafting']}\ndrafting,{ids['billing']}\n")
    return project


def test_swapped_ids_are_refused(swapped: Project) -> None:
    ran = refused(swapped, "ids.csv", code=6)
    lines = [line for line in ran.err.splitlines() if "[name-of-another]" in line]
    assert len(lines) == 2
    assert 'is named "Drafting", which is the name of drafting and not of billing; if you looked' in lines[0]
    assert lines[0].startswith("ids.csv:2:")
    ran = swapped.ok("import", "--from", "right.json")
    assert "named" not in ran.err


def test_swapped_ids_are_bound_if_they_are_meant(swapped: Project) -> None:
    ran = swapped.ok("import", "--from", "ids.csv", "--now")
    assert 'is named "Drafting", but billing is declared as "Billing"' in ran.err
    assert 'is named "Billing", but drafting is declared as "Drafting"' in ran.err
    assert "`defendctl state rm billing` takes this back" in ran.err


def test_one_id_of_another_is_refused(swapped: Project) -> None:
    drafting = json.loads((swapped.root / "right.json").read_text())["drafting"]
    before = swapped.files()
    ran = swapped.ok("import", "billing", drafting, code=6)
    assert f'{drafting} is named "Drafting", which is the name of drafting and not of billing' in ran.err
    assert "add --now" in ran.err
    assert swapped.files() == before
    ran = swapped.ok("import", "billing", drafting, "--now")
    assert 'is named "Drafting", but billing is declared as "Billing"' in ran.err


def test_another_name_is_told(project: Project) -> None:
    """It is nobody else's: it may be a rename, or a mistake."""
    project.declare({"a": custom(name="A"), "b": custom(name="B")})
    made = {name: in_console(project, name) for name in ("Old a", "B")}
    ran = project.ok("import", "a", made["Old a"])
    assert (
        f'{made["Old a"]} is named "Old a", but a is declared as "A": the next apply would rename' in ran.err
    )
    assert "named" not in project.ok("import", "b", made["B"]).err


def test_an_undeclared_address_with_the_name_of_a_declared_one(project: Project) -> None:
    project.declare({"a": custom(name="A")})
    name = listed(project, json.dumps({"b": in_console(project, "A")}))
    assert "which is the name of a and not of b" in refused(project, name, "--write", "workflows", code=6).err


def test_faults_of_the_api_are_told_for_each(project: Project) -> None:
    project.declare({"a": custom(), "b": custom()})
    a, b = in_console(project), in_console(project)
    name = listed(project, f"workflow_id,ADDRESS\n{a},a\n{b},b\n")
    project.server.fault("wrong-id", "GET", times=2)
    assert refused(project, name).err.count("with another workflow_id, ") == 2
    project.server.heal()
    project.server.fault("status", "GET", status=418, times=2)
    assert refused(project, name).err.count("[unreadable]") == 2
    project.server.heal()
    project.server.fault("status", "GET", status=401)
    refused(project, name, code=3)
    project.server.heal()
    nowhere = listed(project, "address,workflow_id\na,wkfl_x\nb,wkfl_y\n", "nowhere.csv")
    assert refused(project, nowhere).err.count("Is this the right key and the right host?") == 2


def test_without_write_the_undeclared_are_printed(project: Project) -> None:
    project.declare({"a": custom(metrics={"completeness": 0.7})})
    ids = {n: in_console(project, n) for n in ("a", "b", "c")}
    name = listed(project, json.dumps(ids))
    ran = refused(project, name)
    assert "2 of these addresses are not declared, so nothing was bound" in ran.err
    (project.root / "workflows/pasted.yaml").write_text(ran.out)
    project.ok("import", "--from", name)
    project.assert_settled()


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_cannot_be_read_back_is_never_made_up(world: World, generation: str) -> None:
    project = world(generation=generation)
    project.pin(generation)
    made = project.server.add(name="x")
    name = listed(project, json.dumps({"a": made}))
    if generation < "2025-11-10":
        ran = refused(project, name, "--write", "workflows")
        assert "type, metrics cannot be read back; declare it yourself" in ran.err
        for arguments in (["--from", name], ["a", made]):
            ran = project.ok("import", *arguments, code=1)
            assert "fill in type, metrics, and import again" in ran.err
            (project.root / "workflows/pasted.yaml").write_text(ran.out)
            told = project.json("validate", code=1).json["diagnostics"]
            errors = [each["message"] for each in told if each["severity"] == "error"]
            assert [message.split("`")[1] for message in errors] == ["type"]
            (project.root / "workflows/pasted.yaml").unlink()
        assert project.server.count("POST") == 0
        return
    project.ok("import", "--from", name, "--write", "workflows")
    project.ok("fmt", "--check")
    project.assert_settled()


def test_what_is_written_is_formatted(project: Project) -> None:
    project.settings(custom_metrics=["tone"])
    for n, name in enumerate(("plain", "Say: 'no'\n", "yes", "\u202e")):
        made = in_console(project, name, description=name, max_improvement_attempts=n, web_search=True)
        project.server.edit(made, metrics={"tone": 1e-7, "completeness": 1})
        name = listed(project, json.dumps({f"a{n}": made, f"b{n}": in_console(project, name)}))
        project.ok("import", "--from", name, "--write", "workflows/all.yaml" if n == 0 else f"workflows/{n}")
    assert project.ok("fmt", "--check").err == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfea\x00", "is not UTF-8"),
        ("a;b\nx;y\n", "does not name the columns"),
        ("address,address,workflow_id\na,b,c\n", "does not name the columns"),
        ('address,workflow_id\na,"b\n', "is not CSV"),
        ("address,workflow_id\na," + "x" * 200_000, "is not CSV"),
        ("\n\n", "is empty"),
        ("{}", "names no workflow"),
        ("[]", "names no workflow"),
        ("address,workflow_id\n\n,\n", "names no workflow"),
        ('{"kind": "outputs", "outputs": {}}', "names no workflow"),
        ('{"a": ', "is not JSON at line 1"),
        ("[" * 200_000, "it is nested too deep"),
        ('{"a":' + "9" * 5_000 + "}", "thousands of digits"),
        (b"a" * (8 * 1024 * 1024 + 1), "is larger than 8 MiB"),
        ('{"a":\n 1}', "ids.csv:1:2: error: The workflow id must be text. [not-a-pair]"),
        ('{"kind": "outputs",\n "outputs": [1]}', "ids.csv:2:2: error: The workflow id must be text."),
        ('[\n {"address": "a"}, 7, {}]', "ids.csv:2:3: error: Item 1 lacks the text"),
        ("[7]", "ids.csv: error: Item 1 lacks the text"),
        (
            '[{"address": "a", "workflow_id": "x", "address": "b"}]',
            "Item 1 names `address` or `workflow_id` twice",
        ),
        ('{"a": "x", "a": "y"}', "a is already in line 1"),
        ('{"\\u001b[31m": "\\u202e"}', "This cannot be an address"),
        ("address,workflow_id\na,\x1b\n", "A workflow id has 1 to 256 characters"),
        ("address,workflow_id\na,.\0.\n", "A workflow id has 1 to 256 characters"),
    ],
)
def test_hostile_lists(project: Project, content: str | bytes, words: str) -> None:
    project.declare({"a": custom()})
    assert words in refused(project, listed(project, content)).err
    assert project.server.count("GET") <= 1


def test_a_list_with_too_many_problems_ends(project: Project) -> None:
    project.declare({"a": custom()})
    ran = refused(project, listed(project, "address,workflow_id\n" + "A,b\n" * 5_000))
    assert "This file has 1,000 problems and perhaps more" in ran.err


def test_a_list_that_is_no_file(project: Project) -> None:
    project.declare({"a": custom()})
    for name, words in (
        ("nothing", "cannot read nothing"),
        (".", "not a regular"),
        ("/dev/zero", "not a regular"),
    ):
        assert words in project.ok("import", "--from", name, code=1).err


def test_the_command_line(project: Project) -> None:
    project.declare({"a": custom()})
    name = listed(project, "address,workflow_id\n")
    for arguments in (
        (),
        ("a",),
        ("a", "b", "--from", name),
        ("a", "b", "--write", "workflows"),
        ("--write", "x"),
    ):
        assert "import takes ADDRESS" in project.ok("import", *arguments, code=64).err
    assert (
        "the next plan would retire" in project.ok("import", "--from", name, "--write", "away", code=64).err
    )
    project.ok("import", "--from", name, "--write", "workflows/.hidden", code=64)
    name = listed(project, json.dumps({"a": in_console(project, "a")}))
    assert project.ok("import", "--from", name).out.endswith("Imported: 1 bound.\n")
    assert project.ok("import", "--from", name).out == "Imported: 0 bound, 1 bound already.\n"
    project.settings(manifests=["teams/*/defend/*.yaml", "one.yaml", "workflows"])
    for there in ("teams/x/defend", "one.yaml"):
        (project.root / "one.yaml").write_text("")
        (project.root / "teams/x/defend").mkdir(parents=True, exist_ok=True)
        (project.root / "teams/x/defend/empty.yaml").write_text("")
        project.ok("import", "--from", name, "--write", there)


def test_what_is_written_would_contradict_a_rename(project: Project) -> None:
    project.declare({"new": custom(renamed_from="a")})
    name = listed(project, json.dumps({"a": in_console(project)}))
    ran = refused(project, name, "--write", "workflows")
    assert "new is declared as renamed from a: import it under that address. [invalid-rename]" in ran.err


def test_into_one_environment(project: Project) -> None:
    environments = {
        e: {"state": {"path": f"{e}.json"}, "overlays": [f"overlays/{e}"]} for e in ("prod", "staging")
    }
    project.settings(environments=environments)
    for folder in environments:
        project.declare({}, f"overlays/{folder}/base.yaml")
    ids = {a: in_console(project, a) for a in ("a", "b")}
    one = listed(project, json.dumps({"a": ids["a"]}), "a.json")
    ran = project.ok("import", "--env", "prod", "--from", one, "--write", "overlays/prod")
    assert "every environment" not in ran.err
    assert project.plan("--env", "prod", "--detailed-exitcode").json["changes"] == []
    assert project.plan("--env", "staging", "--detailed-exitcode").json["changes"] == []
    two = listed(project, json.dumps({"b": ids["b"]}), "b.json")
    project.ok("import", "--env", "prod", "--from", two, "--write", "overlays/staging", code=64)
    ran = project.ok("import", "--env", "prod", "--from", two, "--write", "workflows")
    assert "workflows is read in every environment" in ran.err
    assert project.plan("--env", "staging").actions() == {"b": "create"}


def test_a_file_where_the_folder_should_be(project: Project) -> None:
    (project.root / "workflows/x").write_text("")
    name = listed(project, json.dumps({"a": in_console(project)}))
    assert "workflows/x is not a folder. [in-the-way]" in refused(project, name, "--write", "workflows/x").err


def test_a_full_disk_before_the_bindings_leaves_nothing(project: Project) -> None:
    """The manifests fit, the state does not."""
    project.settings()
    ids = {f"bot-{n}": in_console(project, f"bot-{n}") for n in range(3)}
    name = listed(project, json.dumps(ids))
    before = project.files()
    code = (
        "import resource, signal, sys; from defendctl.cli.main import run; "
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)); "
        "sys.exit(run(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "import", "--new-state", "--from", name, "--write", "workflows"]
    env = {**os.environ, **project.env}
    ran = subprocess.run(command, cwd=project.root, env=env, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (1, ""), ran
    assert "File too large" in ran.stderr
    assert project.files() == before, "not even a state was begun"


def test_what_a_kill_after_the_bindings_leaves_is_completed(project: Project) -> None:
    """Manifests under temporary names, some with their own; nothing that could be created twice."""
    project.settings()
    ids = {a: in_console(project, a) for a in ("a", "b", "c")}
    name = listed(project, json.dumps(ids))
    command = ("import", "--from", name, "--write", "workflows")
    project.ok(*command)
    whole = project.files()
    for address in ("b", "c"):
        waiting = f"workflows/.defendctl-{ord(address):016x}.tmp"
        (project.root / f"workflows/{address}.yaml").rename(project.root / waiting)
    assert project.plan().actions() == {"b": "retire", "c": "retire"}
    assert project.ok(*command).out == "Imported: 0 bound, 3 bound already, 2 files written.\n"
    assert project.files() == whole
    project.assert_settled()


@pytest.mark.slow
@pytest.mark.parametrize("sign", [".tmp", "state.json", ".yaml"])
def test_a_run_that_is_killed(project: Project, sign: str) -> None:
    """At the first temporary manifest, the bindings, the first manifest: never one without a binding."""
    ids = {f"bot-{n:03}": in_console(project, f"Bot {n}") for n in range(150)}
    name = listed(project, json.dumps(ids))
    running = project.spawn("import", "--from", name, "--write", "workflows")
    while running.poll() is None:
        files = [*(project.root / "workflows").iterdir(), *project.root.iterdir()]
        if any(file.name.endswith(sign) for file in files):
            running.kill()
    running.communicate()
    assert project.state_file.exists() or not list((project.root / "workflows").glob("*.yaml"))
    project.ok("import", "--from", name, "--write", "workflows")
    assert {each.name for each in (project.root / "workflows").iterdir()} == {f"{a}.yaml" for a in ids}
    project.assert_settled()


@pytest.mark.slow
def test_a_thousand_made_in_the_console(project: Project) -> None:
    ids = {
        f"bot-{n:04}": in_console(project, f"Bot {n}", max_improvement_attempts=n % 7) for n in range(1_000)
    }
    name = listed(project, "address,workflow_id\n" + "".join(f"{a},{i}\n" for a, i in ids.items()))
    project.ok("import", "--from", name, "--write", "workflows")
    project.assert_settled()
    assert project.json("outputs").json["outputs"] == ids


@pytest.mark.parametrize(("name", "code"), [("DEFENDCTL_IMPORT_FROM", 0), ("DEFENDCTL_IMPORT_SOURCE", 64)])
def test_its_variable_has_the_name_of_the_option(project: Project, name: str, code: int) -> None:
    project.declare({"a": custom()})
    project.env[name] = listed(project, f"address,workflow_id\na,{project.server.add(**custom(name='a'))}\n")
    project.ok("import", code=code)
