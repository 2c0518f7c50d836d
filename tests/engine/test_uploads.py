"""Files of the repository: uploaded once, before they are named, and sent again only when they changed."""

from __future__ import annotations

import hashlib
import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import custom

if TYPE_CHECKING:
    from tests.conftest import Project, World

MARK = b"planted-marker: what the policy says"
ON = {"uploads": True}


def wants(*paths: str, ids: tuple[str, ...] = (), **changes: Any) -> Any:
    return custom(file_search=[*ids, *({"path": path} for path in paths)], **changes)


def write(project: Project, path: str, content: bytes = MARK) -> str:
    """Returns what stands for its id."""
    file = project.root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return "sha256:" + hashlib.sha256(content).hexdigest()


def uploads(project: Project) -> int:
    return sum(each["path"] == "/files/upload" for each in project.server.requests())


@pytest.fixture
def ready(project: Project) -> Project:
    """A project in which uploads are on, with one file."""
    project.settings(api=ON)
    write(project, "docs/policy.pdf")
    return project


def test_a_file_is_uploaded_once_and_a_changed_one_anew(ready: Project) -> None:
    content = write(ready, "docs/policy.pdf")
    ready.declare({"a": wants("docs/policy.pdf", ids=("file_x",)), "b": wants("./docs/policy.pdf")})
    planned = ready.plan()
    assert planned.field("a", "file_search")["after"] == ["file_x", content]
    named = {"path": "docs/policy.pdf", "content": content, "size": len(MARK), "file_id": None}
    assert planned.json["files"] == [named]
    assert "docs/policy.pdf (36 bytes), which is uploaded first" in ready.ok("plan").out
    assert uploads(ready) == 0, "a plan sends nothing but GET"

    ready.apply()
    (stored,) = ready.server.files()
    assert (stored["name"], stored["size"]) == ("policy.pdf", len(MARK))
    assert "sha256:" + stored["sha256"] == content
    for address, ids in (("a", ["file_x", stored["file_id"]]), ("b", [stored["file_id"]])):
        assert ready.server.workflow(ready.bound(address))["file_search"] == sorted(ids)
    assert ready.state["uploads"] == {stored["sha256"]: stored["file_id"]}

    ready.assert_settled()
    before = ready.state_bytes()
    ready.apply()
    assert (uploads(ready), ready.state_bytes()) == (1, before)
    assert ready.json("drift").json["drifted"] is False
    shown = {row["path"]: row for row in ready.json("show", "b").json["fields"]}["file_search"]
    assert shown["desired"] == shown["live"] == shown["applied"] == [stored["file_id"]]

    newer = write(ready, "docs/policy.pdf", b"another policy")
    change = ready.plan().change("b")
    assert (change["action"], change["direction"]) == ("update", "indeterminate")
    assert change["fields"][0]["after"] == [newer]
    ready.apply()
    ready.assert_settled()
    assert uploads(ready) == 2

    write(ready, "docs/policy.pdf")
    assert ready.plan().field("b", "file_search")["after"] == [stored["file_id"]]
    assert f"{stored['file_id']} is docs/policy.pdf (sha256:" in ready.ok("plan").out
    ready.apply()
    assert uploads(ready) == 2, "it is known already"


def test_it_is_off_unless_the_project_says_so(project: Project) -> None:
    write(project, "docs/policy.pdf")
    (project.root / "workflows" / "a.yaml").write_text(
        "version: 1\nworkflows:\n  a:\n    type: custom\n    metrics: {completeness: 0.8}\n"
        "    improvement_action: none\n    file_search:\n      - file_x\n      - path: docs/policy.pdf\n"
    )
    (found,) = project.json("validate", code=1).json["diagnostics"]
    assert (found["code"], found["line"], found["column"]) == ("uploads-off", 9, 15)
    assert "`api.uploads` of defendctl.yaml" in found["message"]
    assert project.ok("apply", "--yes", code=1).err.count("uploads-off") == 1
    assert project.server.requests() == []


def test_what_was_reviewed_is_what_is_sent(ready: Project) -> None:
    ready.declare({"a": wants("docs/policy.pdf")})
    ready.ok("plan", "--out", "plan.json")
    write(ready, "docs/policy.pdf", b"not what was reviewed")
    assert "the plan is stale" in ready.ok("apply", "plan.json", code=6).err
    assert ready.server.requests() == []


def test_a_file_that_changes_after_the_plan_is_not_sent(ready: Project) -> None:
    """The manifests are read first, so a slow answer to a GET leaves the time for it."""
    ready.declare({"a": custom()})
    ready.apply()
    ready.declare({"a": wants("docs/policy.pdf"), "b": custom()})
    ready.server.forget_requests()
    ready.server.fault("slow", "GET", seconds=0.5)
    process = ready.spawn("apply", "--yes", "--format", "json")
    while not ready.server.requests():
        time.sleep(0.01)
    write(ready, "docs/policy.pdf", b"not what was planned")
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 4
    failed, done = json.loads(out)["results"]
    assert (failed["outcome"], done["outcome"]) == ("failed", "done")
    assert "was changed since the plan was made" in failed["error"]
    assert uploads(ready) == 0
    ready.apply()
    ready.assert_settled()


def test_a_lost_answer_is_harmless(ready: Project) -> None:
    """What it made is a file that nothing names; no create and no update is repeated for it."""
    ready.declare({"a": wants("docs/policy.pdf")})
    ready.server.fault("lost-after", "POST", path="/files/upload")
    ready.apply()
    ready.assert_settled()
    assert (uploads(ready), len(ready.server.files()), len(ready.server.workflows())) == (2, 2, 1)
    assert list(ready.state["uploads"].values()) == [ready.server.files()[1]["file_id"]]


REFUSALS = [
    ({"kind": "status", "status": 422, "body": '{"detail": [{"loc": ["body", "files"], "type": "missing"}]}'},
     4, "the API answered 422: files is missing"),
    ({"kind": "status", "status": 413, "body": "planted-marker"}, 4, "the API answered 413"),
    ({"kind": "status", "status": 307, "headers": {"location": "http://127.0.0.1:9/"}}, 4, "a redirect, and"),
    ({"kind": "body", "body": '{"file_id": null}'}, 4, "without a usable file_id"),
    ({"kind": "body", "body": json.dumps({"file_id": f"sha256:{'0' * 64}"})}, 4, "without a usable file_id"),
    ({"kind": "body", "body": '[{"file_id": "file_1"}]'}, 4, "without a usable file_id"),
    ({"kind": "not-json"}, 4, "without a usable file_id"),
    ({"kind": "status", "status": 403}, 3, "the API refused the key (403)"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "code", "why"), REFUSALS, ids=lambda value: str(value)[:40])
def test_a_failure_is_of_those_that_need_the_file(ready: Project, fault: Any, code: int, why: str) -> None:
    ready.declare({"a": wants("docs/policy.pdf"), "b": wants("docs/policy.pdf"), "c": custom()})
    ready.server.fault(method="POST", path="/files/upload", times=None, **fault)
    ran = ready.apply("--parallelism", "1", code=code)
    told = {r["address"]: r for r in ran.json["results"]}
    assert why in told["a"]["error"]
    assert "planted" not in ran.out + ran.err
    assert told["a"]["outcome"] == "failed"
    if code == 4:
        assert (told["b"]["outcome"], told["c"]["outcome"]) == ("failed", "done")
        assert uploads(ready) == 1, "one file is asked for once"
    ready.server.heal()
    ready.apply()
    ready.assert_settled()


def test_an_id_of_another_file_is_not_believed(ready: Project) -> None:
    """A cache that answers for the API would make every file the first one."""
    write(ready, "other.pdf", b"other")
    ready.server.fault("body", "POST", path="/files/upload", times=None, body='{"file_id": "file_1"}')
    ready.declare({"a": wants("docs/policy.pdf"), "b": wants("other.pdf")})
    ran = ready.apply("--parallelism", "1", code=4)
    assert "the API answered with the id of another file" in ran.out
    ready.server.heal()
    ready.apply()
    ready.assert_settled()


def test_a_killed_run_loses_nothing(ready: Project) -> None:
    """Killed while the answer to an upload is awaited: it is sent again, and nothing else is."""
    write(ready, "other.pdf", b"other")
    ready.declare({"a": wants("docs/policy.pdf"), "b": wants("other.pdf")})
    ready.server.fault("slow-after", "POST", path="/files/upload", skip=1, seconds=30)
    process = ready.spawn("apply", "--yes", "--parallelism", "1")
    while uploads(ready) < 2:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    assert ready.journal.exists()
    ready.server.heal()
    ready.server.forget_requests()
    ready.apply()
    ready.assert_settled()
    assert (uploads(ready), len(ready.server.files()), len(ready.server.workflows())) == (1, 3, 2)


def test_a_signal_lets_nothing_hang(ready: Project) -> None:
    ready.declare({"a": wants("docs/policy.pdf"), "b": wants("docs/policy.pdf"), "c": custom()})
    ready.server.fault(
        "status", "POST", path="/files/upload", times=None, status=429, headers={"Retry-After": "50"}
    )
    process = ready.spawn("apply", "--yes", "--format", "json")
    while uploads(ready) < 1:
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    outcomes = {r["address"]: r["outcome"] for r in json.loads(out)["results"]}
    assert (outcomes["a"], outcomes["b"]) == ("not_attempted", "not_attempted")


@pytest.mark.parametrize(
    ("generation", "code", "part"),
    [("2025-10-07", 5, None), ("2025-10-22", 0, "file"), ("2025-11-10", 0, "files")],
)
def test_every_generation(world: World, generation: str, code: int, part: str | None) -> None:
    project = world(generation=generation)
    project.settings(api={"generation": generation, "uploads": True})
    write(project, "docs/policy.pdf")
    project.declare({"a": wants("docs/policy.pdf")})
    project.apply(code=code)
    assert uploads(project) == (part is not None)
    if part:
        project.assert_settled()


def test_an_import_assumes_no_file_that_is_not_there(world: World) -> None:
    """Where files cannot be read back, a manifest's word is taken for them; not for one that nobody has."""
    project = world(generation="2025-10-22")
    project.settings(api={"generation": "2025-10-22", "uploads": True})
    write(project, "docs/policy.pdf")
    project.declare({"a": wants("docs/policy.pdf", name="n", improvement_action="none")})
    project.ok("import", "a", project.server.add(name="n", improvement_action="none"))
    assert "file_search" not in project.state["bindings"]["a"]["assumed"]
    project.declare({"b": custom()})
    project.apply()
    project.declare({"a": wants("docs/policy.pdf", name="n", improvement_action="none"), "b": custom()})
    project.apply()
    assert "file_search" not in project.state["bindings"]["a"]["assumed"]
    assert uploads(project) == 0


def test_a_waiver_means_the_file_before_and_after_its_upload(ready: Project) -> None:
    content = write(ready, "docs/policy.pdf")
    rule = {"id": "sure", "level": "deny", "no_indeterminate": True}
    waiver = {"address": "a", "rule": "sure", "field": "file_search", "to": [content]}
    waiver |= {"reason": "reviewed", "approver": "Jane", "expires": "2999-01-01"}
    ready.declare({"a": custom()})
    ready.apply()
    ready.settings(api=ON, policy={"rules": [rule]})
    manifest = {"version": 1, "workflows": {"a": wants("docs/policy.pdf")}}
    (ready.root / "workflows" / "all.yaml").write_text(json.dumps(manifest))
    assert f'to: ["{content}"]' in ready.ok("plan", code=5).out
    (ready.root / "workflows" / "all.yaml").write_text(json.dumps({**manifest, "waivers": [waiver]}))
    ready.server.fault("status", "GET", skip=1, status=400)
    ready.apply(code=1)
    assert uploads(ready) == 1
    ready.apply()
    ready.assert_settled()


def test_what_a_file_holds_appears_nowhere(ready: Project) -> None:
    ready.declare({"a": wants("docs/policy.pdf")})
    said = [ready.run("-v", *command) for command in COMMANDS]
    content = write(ready, "docs/policy.pdf", MARK + b" 2")
    said += [ready.run("-v", *command) for command in COMMANDS]
    assert content in "".join(ran.out for ran in said), "the commands did speak of it"
    files = {name: data for name, data in ready.files().items() if name != "docs/policy.pdf"}
    assert "planted-marker" not in "".join(ran.out + ran.err for ran in said)
    assert not [name for name, data in files.items() if b"planted-marker" in data]


COMMANDS = (
    ["validate"],
    ["plan"],
    ["plan", "--out", "plan.json", "--format", "markdown"],
    ["apply", "--yes"],
    ["drift"],
    ["show", "a"],
    ["state", "list"],
    ["--sandbox", "plan"],
    ["--sandbox", "apply", "--yes"],
)


@pytest.mark.parametrize("name", ['a "b"; x=y.pdf', "Bücher.pdf", "no-ending", "%41\\.txt"])
def test_names_of_files(ready: Project, name: str) -> None:
    write(ready, f"docs/{name}")
    ready.declare({"a": wants(f"docs/{name}")})
    ready.apply()
    ready.assert_settled()
    assert len(ready.server.files()[0]["name"]) >= len(name)


def test_the_console_does_not_push_a_file_out_of_the_manifest(ready: Project) -> None:
    """Ids in its place would be right today, and would not follow the file any more."""
    ready.declare({"a": wants("docs/policy.pdf")})
    ready.apply()
    ready.server.edit(ready.bound("a"), file_search=["file_z"], description="edited")
    before = (ready.root / "workflows" / "all.yaml").read_bytes()
    (entry,) = ready.json("drift", code=2).json["workflows"]
    assert [f["path"] for f in entry["fields"]] == ["description", "file_search"]
    said = ready.run("drift", "--write")
    assert "it names files of the repository" in said.out + said.err
    after = (ready.root / "workflows" / "all.yaml").read_bytes()
    assert (b"edited" in after, b"docs/policy.pdf" in after, b"edited" in before) == (True, True, False)
    ready.apply()
    ready.assert_settled()
    assert uploads(ready) == 1


def test_many_imports_know_what_was_uploaded(world: World) -> None:
    project = world(generation="2025-10-22")
    project.settings(api={"generation": "2025-10-22", "uploads": True})
    write(project, "docs/policy.pdf")
    project.declare({"a": wants("docs/policy.pdf")})
    project.apply()
    project.declare({"a": wants("docs/policy.pdf"), "b": wants("docs/policy.pdf")})
    (project.root / "ids.json").write_text(json.dumps({"b": project.server.add(name="b")}))
    project.ok("import", "--from", "ids.json")
    assert project.state["bindings"]["b"]["assumed"]["file_search"] == [*project.state["uploads"].values()]
