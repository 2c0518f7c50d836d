"""events list, show, submit and watch over a real sandbox: sent once, followed, and nothing said."""

from __future__ import annotations

import json
import signal
import time
from typing import TYPE_CHECKING, Any

import pytest

from defendctl.event import Evaluation, Event, Score, ShownEvent
from defendctl.render.text import events as events_text
from tests.conftest import GENERATIONS, KEY, custom

if TYPE_CHECKING:
    from tests.conftest import Project, Ran, World

Json = Any
MARK = "planted-marker"
NASTY = "\x1b[31m\u202e::error::##[group]"
OUTPUT = {
    "user_prompt": f"{MARK}-prompt {NASTY}",
    "system_prompt": f"{MARK}-system",
    "ground_truth": f"{MARK}-truth",
    "model_output": f"{MARK}-output",
    "model_used": f"{MARK}-model",
    "nametag": f"{MARK}-tag",
}
SCORES = {f"{MARK}-output": [{"completeness": 0.4, "correctness": 0.9}, {"completeness": 0.9}]}


def ready(world: World, **options: Any) -> Project:
    """A project with one bound workflow and an event to submit."""
    options = {"scores": SCORES, "delay": 0.0, **options}
    project = world(**options)
    if "generation" in options:
        project.pin(options["generation"])
    project.declare({"a": custom(metrics={"completeness": 0.8, "correctness": 0.5}, max_retries=2)})
    project.apply()
    return give(project, OUTPUT)


def give(project: Project, event: Json) -> Project:
    (project.root / "event.json").write_text(json.dumps(event))
    return project


def submit(project: Project, *more: str, code: int = 0) -> Ran:
    return project.ok("events", "submit", "a", "--input", "event.json", *more, code=code)


def posts(project: Project) -> int:
    return len([seen for seen in project.server.requests("POST") if seen["path"].endswith("/events")])


@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_event_of_each_generation(world: World, generation: str) -> None:
    project = ready(world, generation=generation)
    event_id = submit(project).out.strip()
    event = project.json("events", "watch", "a", event_id).json
    assert (event["kind"], event["status"], event["event_id"]) == ("event", "completed", event_id)
    assert (event["flagged"], event["filtered"], event["attempts"]) == (True, False, 1)
    [stored] = project.server.events(project.bound("a"))
    assert stored["submission"]["model_input"]["user_prompt"] == OUTPUT["user_prompt"]
    if generation >= "2025-11-10":
        told = [[score["score"] for score in one["scores"]] for one in event["evaluations"]]
        assert told == [[0.4, 0.9], [0.9, 0.9]]
        [listed] = project.json("events", "list", "a").json["events"]
        assert listed["evaluations"] == event["evaluations"]
        assert listed["flagged"] is True
    else:
        assert event["evaluations"] == []
        assert "lists no events" in project.ok("events", "list", "a", code=1).err


@pytest.mark.parametrize("generation", GENERATIONS)
def test_nothing_that_an_event_says_is_shown_unless_that_is_asked_for(world: World, generation: str) -> None:
    project = ready(world, generation=generation)
    sent = submit(project, "--format", "json")
    event_id = sent.json["event_id"]
    project.server.fault("status", "GET", status=400, body=MARK, skip=2)
    commands = [
        *(["events", "show", "a", event_id, *form] for form in ([], ["--format", "json"], ["-v"])),
        *(["events", "list", "a", *form] for form in ([], ["--format", "json"], ["-v"])),
        ["events", "watch", "a", event_id, "-v"],
    ]
    ran = [sent, *(project.run(*command) for command in commands)]
    said = "".join(one.out + one.err for one in ran)
    assert MARK not in said
    assert KEY not in said
    kept = {name: content for name, content in project.files().items() if name != "event.json"}
    assert not [name for name, content in kept.items() if MARK.encode() in content]


def test_fewer_events_than_were_wanted_are_said(world: World) -> None:
    project = ready(world)
    project.server.give(project.bound("a"), *[{}] * 60)
    for form in ("text", "json"):
        project.server.fault("status", "GET", status=422, path="/defend/[^/]+$")
        ran = project.ok("events", "list", "a", "--limit", "100", "--format", form)
        if form == "json":
            assert (ran.json["wanted"], ran.json["asked"], len(ran.json["events"])) == (100, 50, 50)
        else:
            assert "50 events (100 were wanted, the API gives 50 at once)" in ran.out


@pytest.mark.parametrize("form", ["text", "json"])
def test_content_is_inert(world: World, form: str) -> None:
    project = ready(world)
    event_id = submit(project).out.strip()
    for command in (["show", "a", event_id], ["list", "a"], ["watch", "a", event_id]):
        out = project.ok("events", *command, "--show-content", "--format", form).out
        assert f"{MARK}-prompt" in out
        assert "rationales" in out
        for line in out.splitlines():
            assert line.isprintable(), line
            assert not line.lstrip().startswith("::")
            assert "##[" not in line


def test_an_event_for_people(world: World) -> None:
    project = ready(world)
    event_id = submit(project).out.strip()
    out = project.ok("events", "show", "a", event_id).out
    assert "  completed, flagged by completeness, improved, not filtered, 1 improvement attempt, cost" in out
    assert "completeness  [########........|...]  0.4   below 0.8" in out
    assert "correctness   [##########|#######..]  0.9   passes 0.5, carried over" in out
    project.server.give(
        project.bound("a"),
        {"event_id": "odd", "scores": [{"x\x1b": True, "y": None, "z": False}]},
        {"event_id": "broken", "scores": [{"completeness": 0.1}], "status": "failed"},
        {"event_id": "on", "status": "in_progress", "created_at": "2020-01-01T00:00:00Z"},
    )
    out = project.ok("events", "list", "a").out
    assert "broken  an evaluation broke off, not known, cost" in out
    assert "on  in progress" in out
    out = project.ok("events", "show", "a", "odd").out
    for said in ('"x\\u001b"', "passes by verdict", "fails by verdict", "not scored"):
        assert said in out
    rows = project.ok("events", "show", "a", "broken").out.splitlines()
    assert [row.split()[-2:] for row in rows[-2:]] == [["not", "scored"]] * 2, "each metric of its settings"
    assert "broken" in project.ok("events", "watch", "a", "broken", code=1).out


def test_no_event_passes_by_what_failed() -> None:
    """Its own word says that nothing failed, and its evaluation that `x` did: then it is not known."""
    told = Evaluation({"x": Score(0.1, 0.8), "y": Score(0.9, 0.8)})
    for filtered, attempts, said in (
        (False, 0, "completed, not known, not filtered"),
        (True, 0, "completed, flagged by x, filtered"),
        (False, 1, "completed, flagged by x, not filtered"),
    ):
        event = Event("evt_1", "completed", filtered, None, attempts, (told,))
        assert f"  {said}" in events_text.event(ShownEvent("a", "wkfl_1", event))


# --- sent at most once ---

UNKNOWN = ["lost", "lost-after", "truncated", "not-json", "oversized", "body"]


@pytest.mark.parametrize("kind", UNKNOWN)
def test_a_submission_whose_outcome_is_unknown_is_not_repeated(world: World, kind: str) -> None:
    project = ready(world)
    project.server.fault(kind, "POST", path="/events$", times=None, bytes=9_000_000)
    ran = submit(project, "--format", "json", code=1)
    assert (ran.json["outcome"], ran.json["event_id"], posts(project)) == ("unknown", None, 1)
    assert "not sent again" in ran.err


@pytest.mark.parametrize("status", [301, 408, 409, 500, 503])
def test_what_a_status_says_of_a_submission(world: World, status: int) -> None:
    project = ready(world)
    project.server.fault("status", "POST", path="/events$", times=None, status=status)
    assert submit(project, "--format", "json", code=1).json["outcome"] == "unknown"
    assert posts(project) == 1


@pytest.mark.parametrize(("status", "code"), [(401, 3), (403, 3), (404, 1), (422, 1), (307, 1)])
def test_a_submission_that_is_refused(world: World, status: int, code: int) -> None:
    project = ready(world)
    detail = {"detail": [{"loc": ["body", "run_mode"], "type": "literal_error", "msg": MARK}]}
    body = json.dumps(detail)
    project.server.fault("status", "POST", path="/events$", times=None, status=status, body=body)
    ran = submit(project, "--format", "json", code=code)
    assert (ran.json["outcome"], posts(project)) == ("refused", 1)
    assert "refused" in ran.err
    if status == 422:
        assert "run_mode has a value that the API does not know" in ran.err


def test_a_429_may_wait(world: World) -> None:
    project = ready(world)
    wait = {"status": 429, "headers": {"retry-after": "0"}}
    project.server.fault("status", "POST", path="/events$", times=2, **wait)
    submit(project)
    assert posts(project) == 3
    project.server.fault("status", "POST", path="/events$", times=None, **wait)
    assert "429" in submit(project, code=1).err
    assert posts(project) == 6


def test_what_never_left_is_no_unknown(world: World, unused_port: int) -> None:
    project = ready(world)
    project.env["DEEP_RAILS_BASE_URL"] = project.server.url
    project.server.fault("status", "GET", times=None, status=500)
    assert "reading" in submit(project, code=1).err
    assert posts(project) == 0


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_input_may_stand_as_in_the_requests_of_the_vendor(world: World, generation: str) -> None:
    given = {key: OUTPUT[key] for key in ("user_prompt", "system_prompt", "ground_truth")}
    rest = {key: value for key, value in OUTPUT.items() if key not in given}
    first = ready(world, generation=generation)
    submit(first)
    second = give(ready(world, generation=generation), {**rest, "model_input": given})
    submit(second)
    [[one], [other]] = [each.server.events(each.bound("a")) for each in (first, second)]
    assert one["submission"] == other["submission"]
    assert other["submission"]["model_input"]["user_prompt"] == OUTPUT["user_prompt"]


# --- before anything is sent ---

BARE = {"model_output": "o", "model_used": "m"}
WRONG: list[tuple[Json, str]] = [
    ([], "found an empty list"),
    ({}, "lacks `model_output`"),
    ({**OUTPUT, "run_mode": "fsat"}, "does not have this run mode"),
    ({**OUTPUT, "context": 3}, "`context` must be a text"),
    ({**OUTPUT, "context": [{"role": "user"}]}, "An item of `context`"),
    ({"model_output": "o", "model_used": "m"}, "neither a `user_prompt` nor"),
    ({"model_output": "o", "model_used": "m", "system_prompt": "s"}, "needs a `user_prompt`"),
    (
        {**OUTPUT, "model_input": {}},
        "`user_prompt` belongs in `model_input`, which is there: move it in.",
    ),
    ({**BARE, "model_input": {}}, "neither a `user_prompt` nor"),
    ({**BARE, "model_input": ["p"]}, "found a list"),
    ({**BARE, "model_input": {"user_prompt": "p", "context": [{"role": "user"}]}}, "An item of `context`"),
    ({**BARE, "model_input": {"user_promt": "p"}}, "`user_promt` is not known"),
    ({**BARE, "model_input": {"system_prompt": "s"}}, "needs a `user_prompt`"),
]


@pytest.mark.parametrize(("event", "said"), WRONG)
def test_a_wrong_event_has_a_place(world: World, event: Json, said: str) -> None:
    project = give(ready(world), event)
    err = submit(project, code=1).err
    assert "event.json:1:" in err
    assert said in err
    assert posts(project) == 0


def test_an_event_file_that_is_none(world: World) -> None:
    project = ready(world)
    for content in ("", "--- {a: 1}\n--- {b: 2}\n", "{", "a: &a [*a]"):
        (project.root / "event.json").write_text(content)
        assert "event.json:" in submit(project, code=1).err
    (project.root / "event.json").unlink()
    assert "There is no such file" in submit(project, code=1).err


def test_who_takes_no_events(world: World) -> None:
    project = ready(world)
    workflow_id = project.bound("a")
    assert 'Did you mean "a"?' not in project.ok("events", "list", "zzz", code=1).err
    assert "is not an id" in project.ok("events", "show", "a", "a b", code=64).err
    assert "no event nope" in project.ok("events", "show", "a", "nope", code=1).err
    project.server.edit(workflow_id, status="inactive")
    assert "inactive" in submit(project, code=1).err
    project.server.remove(workflow_id)
    assert "404" in submit(project, code=1).err
    assert "404" in project.ok("events", "list", "a", code=1).err
    assert posts(project) == 0


def test_an_unresolved_address_is_named(project: Project) -> None:
    project.declare({"a": custom()})
    project.server.fault("lost", "POST")
    project.apply(code=7)
    err = project.ok("events", "list", "a", code=1).err
    assert "unknown outcome" in err
    assert "not bound" in err


# --- reading ---


def test_an_answer_about_another_event_is_none(world: World) -> None:
    project = ready(world)
    event_id = submit(project).out.strip()
    for body, said in (("{}", "another event"), ("[]", "not a JSON object")):
        project.server.fault("body", "GET", path="/events/", body=body)
        assert said in project.ok("events", "show", "a", event_id, code=1).err
    many = json.dumps(
        {
            "event_id": event_id,
            "threshold_type": "custom",
            "custom_hallucination_threshold_values": {str(n): 0.5 for n in range(1001)},
        }
    )
    project.server.fault("body", "GET", path="/events/", body=many)
    assert "metrics" in project.ok("events", "show", "a", event_id, code=1).err
    project.server.fault("status", "GET", path="/events/", status=400)
    assert "400" in project.ok("events", "show", "a", event_id, code=1).err


def test_watching_is_bounded(world: World) -> None:
    project = ready(world, delay=60.0)
    event_id = submit(project).out.strip()
    ran = project.ok("events", "watch", "a", event_id, "--wait", "0.3", code=1)
    assert "in progress" in ran.out
    assert "did not end within 0.3 s" in ran.err
    polls = [seen for seen in project.server.requests("GET") if "/events/" in seen["path"]]
    assert 1 <= len(polls) <= 4  # how many there is time for is the machine's


def test_watching_is_interrupted(world: World) -> None:
    project = ready(world, delay=60.0)
    event_id = submit(project).out.strip()
    running = project.spawn("events", "watch", "a", event_id)
    while not [seen for seen in project.server.requests("GET") if "/events/" in seen["path"]]:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=10)
    assert running.returncode == 130


def test_an_interrupted_submission_may_be_paid_for(world: World) -> None:
    project = ready(world)
    project.server.fault("slow-after", "POST", path="/events$", seconds=30)
    running = project.spawn("events", "submit", "a", "--input", "event.json")
    while not posts(project):
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=10)
    assert running.returncode == 130
    assert "may have been submitted; if it was, it is paid for" in err
