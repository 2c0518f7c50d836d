"""The workflows of GitHub: plan each request, apply to each environment in order, look for drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.pipelines.template import fill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from defendctl.pipelines.wanted import JobsWanted, Stage

STRICT: Final = "Without the key: it belongs to an environment that only the default branch may use."
TRUSTING: Final = "With the key: whoever may push a branch can have it printed."


def workflows(wanted: JobsWanted) -> dict[str, str]:
    """Path from the top of the repository → text."""
    made = {
        "plan": _plan(wanted),
        "apply": _file(wanted, "apply", [_apply(wanted, place) for place in range(len(wanted.stages))]),
        "drift": _file(wanted, "drift", [_drift(wanted, stage) for stage in wanted.stages]),
    }
    return {f".github/workflows/guardrails{wanted.dash}-{name}.yml": text for name, text in made.items()}


def _plan(wanted: JobsWanted) -> str:
    offline, keys = ("", wanted.keys) if wanted.trusting else (" --offline", ())
    plan, check = (
        _run(wanted, name + offline, keys=keys, condition=f"if: github.event_name == '{event}'")
        for name, event in (("plan", "pull_request"), ("check", "merge_group"))
    )
    return fill(
        "github-plan.yml",
        why=TRUSTING if wanted.trusting else STRICT,
        dash=wanted.dash,
        defaults=_defaults(wanted),
        checkout=_checkout(wanted, "read"),
        install=_install(wanted),
        plan=plan,
        check=check,
    )


def _file(wanted: JobsWanted, name: str, jobs: list[str]) -> str:
    return fill(
        f"github-{name}.yml",
        dash=wanted.dash,
        defaults=_defaults(wanted),
        branch=wanted.branch,
        choice=_choice(wanted),
        jobs="\n".join(jobs),
    )


def _choice(wanted: JobsWanted) -> str:
    if wanted.stages[0].name is None:
        return ""
    return fill("github-choice.yml", environments=", ".join(stage.job for stage in wanted.stages))


def _apply(wanted: JobsWanted, place: int) -> str:
    stage = wanted.stages[place]
    return fill(
        "github-apply-job.yml",
        **_common(wanted, stage, "read and pushed"),
        run=_run(wanted, "apply --wait-lock 10m", keys=(stage.key_variable,), stage=stage),
        order=_order(wanted, place),
        contents="write # to push the ref of the state" if wanted.in_git else "read",
        queue="queue: max # a run that waits is not dropped for a newer one" if wanted.queue else "",
    )


def _order(wanted: JobsWanted, place: int) -> str:
    """After the environment before it, or alone where it was chosen by hand."""
    stage = wanted.stages[place]
    if stage.name is None:
        return ""
    chosen = f"inputs.environment == '{stage.job}'"
    if not place:
        return f"if: github.event_name == 'push' || {chosen}"
    before = wanted.stages[place - 1].job
    pushed = f"github.event_name == 'push' && needs.{before}.result == 'success'"
    return f"needs: {before}\nif: ${{{{ !cancelled() && ({pushed} || {chosen}) }}}}"


def _drift(wanted: JobsWanted, stage: Stage) -> str:
    run = _run(wanted, "drift --issue", keys=(stage.key_variable,), stage=stage)
    return fill("github-drift-job.yml", **_common(wanted, stage, "read"), run=run)


def _common(wanted: JobsWanted, stage: Stage, used: str) -> dict[str, str]:
    return {
        "job": stage.job,
        "dash": wanted.dash,
        "environment": stage.job,
        "checkout": _checkout(wanted, used),
        "install": _install(wanted),
    }


def _checkout(wanted: JobsWanted, used: str) -> str:
    persist = f"true # the ref of the state is {used} with them" if wanted.in_git else "false"
    return fill("github-checkout.yml", persist=persist)


def _install(wanted: JobsWanted) -> str:
    """The action installs by itself."""
    return "" if wanted.pin else fill("github-install.yml")


def _run(
    wanted: JobsWanted, command: str, *, keys: Sequence[str], stage: Stage | None = None, condition: str = ""
) -> str:
    """The step of `defendctl ci COMMAND`, in this environment; an apply takes what a person approves."""
    name = command.split()[0]
    variables = [f"{key}: ${{{{ secrets.{key} }}}}" for key in keys]
    approve = ["approve: ${{ inputs.approve }}"] if name == "apply" else []
    if wanted.pin:
        inputs = [f"environment: {stage.name}"] if stage and stage.name else []
        below = [f"working-directory: {wanted.folder}"] if wanted.folder else []
        return fill(
            "github-action.yml",
            **{"name": name, "condition": condition, "pin": wanted.pin, "command": command},
            inputs="\n".join([*inputs, *approve, *below]),
            variables="\n".join(["env:", *(f"  {one}" for one in variables)]) if variables else "",
        )
    return fill(
        "github-run.yml",
        **{"name": name, "condition": condition, "command": command, "env": stage.option if stage else ""},
        approve=' ${APPROVE:+--approve "$APPROVE"}' if approve else "",
        variables="\n".join([*(one.replace("approve", "APPROVE", 1) for one in approve), *variables]),
    )


def _defaults(wanted: JobsWanted) -> str:
    return f"defaults:\n  run:\n    working-directory: {wanted.folder}" if wanted.folder else ""
