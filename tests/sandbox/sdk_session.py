"""Runs inside a virtual environment with one version of the vendor's SDK, and prints what it got as JSON.

Usage: sdk_session.py BASE_URL, with {"create": …, "update": …, "event": …} on stdin.
"""

import json
import sys
import time

import deeprails


def dump(model):
    return json.loads(model.model_dump_json())


def finished(event):
    """Older generations show no status; there the verdict is the sign."""
    return event.filtered is not None and getattr(event, "status", "Completed") == "Completed"


def completed(client, workflow_id, event_id):
    for _ in range(100):
        event = client.defend.retrieve_event(event_id, workflow_id=workflow_id)
        if finished(event):
            return event
        time.sleep(0.05)
    raise SystemExit("the event was never completed")


def main():
    arguments = json.load(sys.stdin)
    kind = getattr(deeprails, "DeepRails", None) or deeprails.Deeprails
    client = kind(api_key="sk_test", base_url=sys.argv[1], max_retries=0)
    created = client.defend.create_workflow(**arguments["create"])
    workflow_id = created.workflow_id
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
