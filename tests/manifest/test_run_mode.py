"""`run_mode:` of a workflow is advice for the application: checked, handed out, and never sent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, get_args

import pytest

from defendctl.api.connection import Direct
from defendctl.api.dialects import DIALECTS
from defendctl.model import NEWEST_RUN_MODES, RUN_MODES
from defendctl.schema.fields import RunMode
from tests.conftest import custom

if TYPE_CHECKING:
    from defendctl.api.answer import Answer
    from defendctl.api.connection import Request, Trace
    from tests.conftest import Project, World

MODE = "precision_max_codex"
OVERLAY = "over/prod.yaml"


def advised(project: Project) -> dict[str, str]:
    return dict(project.json("outputs").json["run_modes"])


def linted(project: Project) -> list[tuple[str, str]]:
    found = project.json("validate").json["diagnostics"]
    return [(one["code"], one["message"]) for one in found if one["code"].startswith("run-mode")]


def test_the_words_are_those_of_the_api() -> None:
    assert get_args(RunMode) == NEWEST_RUN_MODES
    assert {name: one.run_modes for name, one in DIALECTS.items()} == {
        **dict.fromkeys(DIALECTS, RUN_MODES),
        "2025-12-07": NEWEST_RUN_MODES,
    }


def test_outputs_hand_it_out(project: Project) -> None:
    project.declare({"a": custom(run_mode="fast"), "b": custom()})
    project.apply()
    assert advised(project) == {"a": "fast"}
    a, b = project.bound("a"), project.bound("b")
    assert project.ok("outputs", "--format", "text").out == f"a  {a}  (run mode fast)\nb  {b}\n"


def test_what_is_not_bound_has_no_advice(project: Project) -> None:
    project.declare({"a": custom(run_mode="fast")})
    project.apply()
    project.declare({"a": custom(run_mode="fast"), "b": custom(run_mode="fast")})
    assert advised(project) == {"a": "fast"}


def test_layers_say_it_as_any_other_field(project: Project) -> None:
    environments: dict[str, Any] = {"prod": {"overlays": [OVERLAY]}, "test": {}}
    project.settings(environments=environments)
    manifest = {"version": 1, "defaults": {"run_mode": "fast"}, "workflows": {}}
    manifest["workflows"] = {"a": custom(), "b": custom(run_mode="smart"), "c": custom()}
    path = project.root / "workflows" / "all.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(manifest))
    project.declare({"a": {"run_mode": "precision"}, "c": {"run_mode": None}}, OVERLAY)
    found = {}
    for environment in environments:
        project.env["DEFENDCTL_ENV"] = environment
        project.apply()
        found[environment] = advised(project)
    assert found == {
        "prod": {"a": "precision", "b": "smart"},
        "test": {"a": "fast", "b": "smart", "c": "fast"},
    }


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Of each request that may have one, as it leaves."""
    found: list[str] = []
    send = Direct.send

    def noted(self: Direct, request: Request, trace: Trace) -> Answer:
        assert isinstance(request.content, bytes)
        if request.method != "GET":
            found.append(request.content.decode())
        return send(self, request, trace)

    monkeypatch.setattr(Direct, "send", noted)
    return found


@pytest.mark.parametrize("generation", DIALECTS)
def test_it_is_never_sent_and_no_change(world: World, bodies: list[str], generation: str) -> None:
    project = world(generation=generation)
    project.pin(generation)
    project.declare({"a": custom(run_mode=MODE)})
    project.apply()
    for described in ("", "another"):
        project.declare({"a": custom(description=described)})
        assert project.json("plan").json["summary"]["update"] == bool(described)
        project.declare({"a": custom(description=described, run_mode=MODE)})
        project.apply()
        assert project.json("plan").json["changes"] == []
        assert not project.json("drift").json["drifted"]
    assert len(bodies) == 2
    told = "".join(bodies) + project.state_file.read_text()
    assert MODE not in told
    assert "run_mode" not in told


@pytest.mark.parametrize(
    ("fields", "generation", "expected"),
    [
        ({"run_mode": "super_fast"}, "auto", []),
        ({"run_mode": "fast", "web_search": True}, "auto", []),
        ({"web_search": True}, "auto", []),
        (
            {"run_mode": "ultra_fast", "web_search": True, "file_search": ["file_1"]},
            "auto",
            ["`web_search` and `file_search` cannot work in the run mode `ultra_fast`"],
        ),
        (
            {"run_mode": "super_fast", "file_search": [{"path": "policy.pdf"}]},
            "auto",
            ["`file_search` cannot work in the run mode `super_fast`"],
        ),
        ({"run_mode": "fast"}, "2025-11-10", ["Generation 2025-11-10 does not have the run mode `fast`"]),
        ({"run_mode": "smart"}, "2025-11-10", []),
        ({"run_mode": "fast"}, "2025-12-07", []),
    ],
)
def test_it_is_held_against_the_rest(
    project: Project, fields: dict[str, Any], generation: str, expected: list[str]
) -> None:
    (project.root / "policy.pdf").write_bytes(b"%PDF")
    project.settings(api={"generation": generation, "uploads": True})
    project.declare({"a": custom(**fields)})
    told = [message for _, message in linted(project)]
    assert [message.partition(", which")[0].partition("; it has")[0] for message in told] == expected


def test_ids_are_told_beside_manifests_that_are_wrong(project: Project) -> None:
    """A document without `run_modes` says that nobody knows; an empty one that nothing is advised."""
    project.declare({"a": custom(run_mode="fast")})
    project.apply()
    project.declare({"a": custom(run_mode="quick")})
    ran = project.json("outputs")
    assert list(ran.json["outputs"]) == ["a"]
    assert "run_modes" not in ran.json
    assert "run modes are left out" in ran.err
    project.declare({"a": custom(max_retries=-1)})
    assert project.json("outputs").json["run_modes"] == {}


def test_a_key_may_be_spelt_with_escapes(project: Project) -> None:
    project.declare({"a": custom(run_mode="fast")})
    project.apply()
    path = project.root / "workflows" / "all.yaml"
    path.write_text(path.read_text().replace("run_mode", "run\\u005fmode"))
    assert advised(project) == {"a": "fast"}
