"""The jobs of GitLab.

Strict: a plan without the key under each request; on the default branch a plan of each environment, and a job
that somebody starts, which applies that very plan. Trusting: what was reviewed under the request is applied.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.pipelines.template import fill

if TYPE_CHECKING:
    from defendctl.pipelines.wanted import JobsWanted, Stage

STRICT: Final = """\
On a merge request: a plan without the key. On the default branch: a plan of each environment, and a job that
# applies that very plan once somebody who looked at it starts it. On a schedule: a look for drift."""
TRUSTING: Final = """\
On a merge request: a plan with the key, which whoever may push a branch can have printed. On the default
# branch: what was looked at under a request is applied. On a schedule: a look for drift."""


def gitlab_jobs(wanted: JobsWanted) -> dict[str, str]:
    """Path from the top of the repository → text."""
    made = fill(
        "gitlab.yml",
        why=TRUSTING if wanted.trusting else STRICT,
        dash=wanted.dash,
        enter=f"- cd {wanted.folder}" if wanted.folder else "",
        offline="" if wanted.trusting else " --offline --no-comment --no-check",
        below=_below(wanted),
        jobs="\n".join([*_applies(wanted), *(_drift(wanted, stage) for stage in wanted.stages)]),
    )
    return {f".gitlab/guardrails{wanted.dash}.yml": made}


def _applies(wanted: JobsWanted) -> list[str]:
    make = _reviewed if wanted.trusting else _manual
    return [make(wanted, place) for place in range(len(wanted.stages))]


def _manual(wanted: JobsWanted, place: int) -> str:
    stage = wanted.stages[place]
    needs = [f'"guardrails{wanted.dash} plan {stage.job}"', *_before(wanted, place)]
    return fill(
        "gitlab-manual-job.yml", **_common(wanted, stage), needs=", ".join(needs), below=_below(wanted)
    )


def _reviewed(wanted: JobsWanted, place: int) -> str:
    stage = wanted.stages[place]
    before = "".join(f"\n  - {{job: {job}, optional: true}}" for job in _before(wanted, place))
    return fill(
        "gitlab-reviewed-job.yml",
        **_common(wanted, stage),
        needs=f"needs:{before}" if before else "needs: []",
        variables="ENVIRONMENT and APPROVE" if stage.name else "APPROVE",
        chosen=f' && $ENVIRONMENT == "{stage.name}"' if stage.name else " && $APPROVE",
    )


def _before(wanted: JobsWanted, place: int) -> list[str]:
    return [f'"guardrails{wanted.dash} apply {wanted.stages[place - 1].job}"'] if place else []


def _drift(wanted: JobsWanted, stage: Stage) -> str:
    issue = " --issue" if wanted.trusting else ""
    return fill("gitlab-drift-job.yml", **_common(wanted, stage), issue=issue)


def _common(wanted: JobsWanted, stage: Stage) -> dict[str, str]:
    return {"dash": wanted.dash, "job": stage.job, "environment": stage.job, "env": stage.option}


def _below(wanted: JobsWanted) -> str:
    return f"{wanted.folder}/" if wanted.folder else ""
