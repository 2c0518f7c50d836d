"""What may go wrong between a review and what is live, and the tests that show what becomes of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
THREATS = {
    "a comment that is stale": [
        "ci/test_flow.py::test_a_request_is_planned_merged_and_applied",
        "ci/test_jobs.py::test_the_record_is_of_the_head_though_the_merge_is_checked_out",
        "ci/test_threats.py::test_what_is_no_review",
    ],
    "a plan that fails": [
        "ci/test_threats.py::test_a_plan_that_cannot_be_made_is_told_too",
        "ci/test_jobs.py::test_a_plan_that_the_api_refuses_takes_the_review_away",
        "ci/test_gitlab.py::test_a_plan_that_fails_takes_the_review_away",
    ],
    "the base moved": [
        "ci/test_flow.py::test_the_base_moved_beside_what_was_seen",
        "ci/test_flow.py::test_the_base_moved_under_what_was_seen",
        "ci/test_flow.py::test_a_merge_queue_asks_the_same",
        "ci/test_flow.py::test_a_merge_queue_that_squashes",
        "pipelines/test_act.py::test_a_merge_queue_asks_whether_all_of_it_was_looked_at",
    ],
    "a console edit between plan and apply": [
        "ci/test_flow.py::test_a_console_edit_during_the_review",
        "ci/test_gitlab.py::test_a_console_edit_during_the_review",
        "pipelines/test_act.py::test_a_console_edit_is_refused_and_applied_once_it_is_approved",
    ],
    "a console edit between the plan of an apply and its write": [
        "ci/test_jobs.py::test_an_edit_between_the_plan_of_an_apply_and_its_write",
        "engine/test_actions.py::test_live_moved_between_plan_and_put",
    ],
    "an approval that is older than the plan, or nobody's": [
        "ci/test_flow.py::test_an_approval_after_the_plan",
        "ci/test_jobs.py::test_what_is_no_approval",
        "ci/test_jobs.py::test_an_approval_is_taken_back",
        "ci/test_gitlab.py::test_an_approval_after_the_plan",
    ],
    "a job that is cancelled": [
        "pipelines/story.py::half_an_apply",
        "ci/test_flow.py::test_a_run_again_after_half_was_done",
        "ci/test_other.py::test_a_lock_is_waited_for",
    ],
    "a run that is dropped": [
        "ci/test_flow.py::test_two_requests_and_a_dropped_run",
        "ci/test_flow.py::test_one_of_them_was_never_planned",
        "pipelines/test_act.py::test_a_run_that_was_dropped_is_made_up_for",
        "pipelines/test_examples_ci.py::test_environments_are_applied_in_their_order_and_one_at_a_time",
    ],
    "runs out of order": [
        "ci/test_flow.py::test_an_old_job_again_is_superseded",
        "pipelines/story.py::two_requests",
    ],
    "a protected default branch": [
        "pipelines/test_examples_ci.py::test_github_gets_no_more_than_it_needs",
        "pipelines/test_act.py::test_a_request_reaches_production",
    ],
    "an old job that is run again": [
        "ci/test_flow.py::test_an_old_job_again_is_superseded",
        "ci/test_flow.py::test_a_revert_of_the_revert_needs_its_own_review",
        "ci/test_gitlab.py::test_an_old_job_that_is_started_again_is_superseded",
        "pipelines/test_act.py::test_an_old_job_that_is_run_again_is_superseded",
    ],
    "a checkout whose place in the history is not known": [
        "ci/test_flow.py::test_a_diverged_checkout",
        "ci/test_jobs.py::test_half_a_clone_asks_the_forge_which_commit_is_the_older",
        "ci/test_jobs.py::test_a_forge_that_does_not_know_the_commit_either",
    ],
    "after `state resolve`": ["ci/test_jobs.py::test_after_a_create_is_settled_the_job_is_run_by_hand"],
    "a fork": [
        "ci/test_threats.py::test_a_fork_writes_nothing_and_needs_no_key",
        "ci/test_jobs.py::test_what_a_fork_brought_is_applied_once_somebody_looked_at_it",
        "ci/test_jobs.py::test_or_a_maintainer_makes_a_branch_of_it",
        "ci/test_gitlab.py::test_a_fork_writes_nothing",
        "pipelines/test_act.py::test_a_fork_writes_nothing_and_sees_no_key",
        "pipelines/test_examples_ci.py::test_github_gets_no_more_than_it_needs",
    ],
    "Dependabot": [
        "ci/test_jobs.py::test_a_request_of_dependabot_is_planned_without_the_key",
        "ci/test_threats.py::test_a_token_that_may_not_write",
    ],
    "the key in a job of a request": [
        "ci/test_flow.py::test_an_offline_plan_is_a_review_too",
        "pipelines/test_examples_ci.py::test_github_gets_no_more_than_it_needs",
        "pipelines/test_examples_ci.py::test_gitlab_applies_what_is_on_the_default_branch",
    ],
    "a push that no request brought": ["ci/test_flow.py::test_a_push_that_no_request_brought"],
    "a policy that is weakened in the same request": [
        "ci/test_threats.py::test_the_policy_is_weakened_in_the_same_request"
    ],
    "a state that is lost, and so many creates": [
        "ci/test_jobs.py::test_what_is_created_is_in_the_headline",
        "ci/test_threats.py::test_many_creates_on_an_empty_state",
        "ci/test_threats.py::test_no_pipeline_begins_a_state",
    ],
    "a job that is started from any branch": [
        "ci/test_threats.py::test_nothing_is_applied_from_elsewhere",
        "ci/test_gitlab.py::test_nothing_is_applied_from_elsewhere",
        "parts/test_component.py::test_other_pipelines_apply_nothing",
    ],
    "a record that is old, or forged": [
        "ci/test_threats.py::test_what_is_no_review",
        "ci/test_threats.py::test_one_changed_character_is_no_other_review",
        "ci/test_gitlab.py::test_what_is_no_review",
    ],
    "another project of the same repository": ["ci/test_jobs.py::test_two_projects_in_one_repository"],
    "a forge that cannot be asked": [
        "ci/test_faults.py::test_a_forge_that_cannot_be_asked_is_never_no_review",
        "ci/test_gitlab.py::test_a_forge_that_cannot_be_asked_is_never_no_review",
    ],
}


@pytest.mark.parametrize("threat", THREATS)
def test_each_threat_has_tests(threat: str) -> None:
    for named in THREATS[threat]:
        file, _, name = named.partition("::")
        assert re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.MULTILINE), named
