"""Runs inside a virtual environment with one version of the vendor's SDK, and prints what it got as JSON.

Usage: sdk_session.py BASE_URL, with {"create": …, "update": …, "event": …} on stdin.
"""

import json
import sys
import time
from importlib import import_module
from typing import Any

deeprails: Any = import_module("deeprails")


def dump(model: Any) -> dict[str, Any]:
    """What the SDK made of an answer, and under `invalid` where that breaks the SDK's own types.

    The SDK itself never checks.
    """
    content: dict[str, Any] = json.loads(model.model_dump_json())
    return {**content, "invalid": invalid(model)}


def invalid(model: Any) -> list[str]:
    try:
        type(model).model_validate(model.model_dump(by_alias=True))
    except ValueError as error:
        return [".".join(map(str, each["loc"])) for each in error.errors()]  # type: ignore[attr-defined]
    return []


def finished(event: Any) -> bool:
    """Older generations show no status; there the verdict is the sign."""
    return event.filtered is not None and getattr(event, "status", "Completed") == "Completed"


def completed(client: Any, workflow_id: str, event_id: str) -> Any:
    for _ in range(100):
        event = client.defend.retrieve_event(event_id, workflow_id=workflow_id)
        if finished(event):
            return event
        time.sleep(0.05)
    raise SystemExit("the event was never completed")


def upload(client: Any, argument: str) -> dict[str, Any]:
    """One file, as this SDK sends it: a real one under `file`, its text in a list under `files`."""
    content = b"a policy" if argument == "file" else ["a policy"]
    return dump(client.files.upload(**{argument: content}))


def main() -> None:
    arguments = json.load(sys.stdin)
    kind = getattr(deeprails, "DeepRails", None) or deeprails.Deeprails
    client = kind(api_key="sk_test", base_url=sys.argv[1], max_retries=0)
    if "upload" in arguments:
        uploaded = upload(client, arguments["upload"])
        json.dump({"version": deeprails.__version__, "uploaded": uploaded}, sys.stdout)
        return
    created = client.defend.create_workflow(**arguments["create"])
    workflow_id = created.workflow_id
    if "stream" in arguments:
        heard = list(client.defend.submit_and_stream_event(workflow_id, stream=True, **arguments["stream"]))
        json.dump({"version": deeprails.__version__, "heard": {"invalid": [], "all": heard}}, sys.stdout)
        return
    answers = {"version": deeprails.__version__, "created": dump(created)}
    answers["retrieved"] = dump(client.defend.retrieve_workflow(workflow_id))
    answers["updated"] = dump(client.defend.update_workflow(workflow_id, **arguments["update"]))
    answers["retrieved_again"] = dump(client.defend.retrieve_workflow(workflow_id))
    submitted = client.defend.submit_event(workflow_id, **arguments["event"])
    answers["submitted"] = dump(submitted)
    answers["event"] = dump(completed(client, workflow_id, submitted.event_id))
    answers["retrieved_last"] = dump(client.defend.retrieve_workflow(workflow_id))
    json.dump(answers, sys.stdout)


main()
