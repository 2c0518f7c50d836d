"""The workflows of GitHub: plan each request, apply to each environment in order, look for drift."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from defendctl.pipelines.template import fill

if TYPE_CHECKING:
    from defendctl.pipelines.wanted import Stage, Wanted

STRICT: Final = "Without the key: it belongs to an environment that only the default branch may use."
TRUSTING: Final = "With the key: whoever may push a branch can have it printed."


def workflows(wanted: Wanted) -> dict[str, str]:
    """Path from the top of the repository → text."""
    made = {
        "plan": _plan(wanted),
        "apply": _file(wanted, "apply", [_apply(wanted, place) for place in range(len(wanted.stages))]),
        "drift": _file(wanted, "drift", [_drift(wanted, stage) for stage in wanted.stages]),
    }
    return {f".github/workflows/guardrails{wanted.dash}-{name}.yml": text for name, text in made.items()}


def _plan(wanted: Wanted) -> str:
    return fill(
        "github-plan.yml",
        why=TRUSTING if wanted.trusting else STRICT,
        dash=wanted.dash,
        defaults=_defaults(wanted),
        checkout=_checkout(wanted, "read"),
        install=_install(wanted),
        offline="" if wanted.trusting else " --offline",
        keys="\n".join(map(_secret, wanted.keys)) if wanted.trusting else "",
    )


def _file(wanted: Wanted, name: str, jobs: list[str]) -> str:
    return fill(
        f"github-{name}.yml",
        dash=wanted.dash,
        defaults=_defaults(wanted),
        branch=wanted.branch,
        choice=_choice(wanted),
        jobs="\n".join(jobs),
    )


def _choice(wanted: Wanted) -> str:
    if wanted.stages[0].name is None:
        return ""
    return fill("github-choice.yml", environments=", ".join(stage.job for stage in wanted.stages))


def _apply(wanted: Wanted, place: int) -> str:
    stage = wanted.stages[place]
    return fill(
        "github-apply-job.yml",
        **_common(wanted, stage, "read and pushed"),
        order=_order(wanted, place),
        contents="write # to push the ref of the state" if wanted.in_git else "read",
        queue="queue: max # a run that waits is not dropped for a newer one" if wanted.queue else "",
    )


def _order(wanted: Wanted, place: int) -> str:
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


def _drift(wanted: Wanted, stage: Stage) -> str:
    return fill("github-drift-job.yml", **_common(wanted, stage, "read"))


def _common(wanted: Wanted, stage: Stage, used: str) -> dict[str, str]:
    return {
        "job": stage.job,
        "dash": wanted.dash,
        "environment": stage.job,
        "env": stage.option,
        "key": _secret(stage.key_variable),
        "checkout": _checkout(wanted, used),
        "install": _install(wanted),
    }


def _checkout(wanted: Wanted, used: str) -> str:
    persist = f"true # the ref of the state is {used} with them" if wanted.in_git else "false"
    return fill("github-checkout.yml", persist=persist)


def _install(wanted: Wanted) -> str:
    return fill("github-action.yml", pin=wanted.pin) if wanted.pin else fill("github-install.yml")


def _secret(variable: str) -> str:
    return f"{variable}: ${{{{ secrets.{variable} }}}}"


def _defaults(wanted: Wanted) -> str:
    return f"defaults:\n  run:\n    working-directory: {wanted.folder}" if wanted.folder else ""
