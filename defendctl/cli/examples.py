"""What a person would type, for `--help` and the reference. Addresses and files are those of `init`."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "init": ("defendctl init", "defendctl init --env production", "defendctl init --ci github"),
    "validate": ("defendctl validate", "defendctl validate --format github --report sarif:found.sarif"),
    "fmt": ("defendctl fmt", "defendctl fmt --check"),
    "plan": ("defendctl plan", "defendctl plan --out plan.json --report markdown:plan.md"),
    "apply": ("defendctl apply", "defendctl apply plan.json"),
    "drift": ("defendctl drift", "defendctl drift --write", "defendctl drift --fail-on loosens"),
    "ci plan": ("defendctl ci plan", "defendctl ci plan --env staging --offline"),
    "ci apply": ("defendctl ci apply --env staging", "defendctl ci apply --approve sha256:8a1f…@42"),
    "ci check": ("defendctl ci check",),
    "ci drift": ("defendctl ci drift --issue",),
    "ci keep-state": (
        "defendctl ci keep-state --branch main --begin",
        "defendctl ci keep-state --branch main",
    ),
    "ci comment": ("defendctl ci comment --marker evaluation results.md",),
    "show": ("defendctl show support-bot", "defendctl show support-bot --provenance"),
    "import": (
        "defendctl import support-bot wkfl_8a1f",
        "defendctl import --from ids.csv --write workflows/adopted",
    ),
    "outputs": ("defendctl outputs", "defendctl outputs --format dotenv"),
    "verify": ("defendctl verify support-bot", "defendctl verify support-bot --canary"),
    "state list": ("defendctl state list",),
    "state resolve": (
        "defendctl state resolve support-bot --id wkfl_8a1f",
        "defendctl state resolve support-bot --not-created",
    ),
    "state mv": ("defendctl state mv support-bot billing-bot",),
    "state rm": ("defendctl state rm support-bot",),
    "state unlock": ("defendctl state unlock 8a1f",),
    "state pull": ("defendctl state pull --output state.json",),
    "state push": ("defendctl state push state.json",),
    "state migrate": ("defendctl state migrate --to git+origin?key=checkout",),
    "state versions": ("defendctl state versions",),
    "state schema": ("defendctl state schema | psql --single-transaction defend",),
    "state paths": ("defendctl state paths --all-envs",),
    "events list": ("defendctl events list support-bot --limit 20",),
    "events sample": ("defendctl events sample support-bot --count 100 > labels/support-bot.yaml",),
    "events show": ("defendctl events show support-bot evt_8a1f",),
    "events submit": ("defendctl events submit support-bot --input event.yaml",),
    "events watch": ("defendctl events watch support-bot evt_8a1f",),
    "report": ("defendctl report plan.json --report html:plan.html", "defendctl report --fleet"),
    "test": ("defendctl test --max-cost 0.10", "defendctl test --candidate --out results.json"),
    "tune": (
        "defendctl tune support-bot --metric completeness --max-flag-rate 20%",
        "defendctl tune support-bot --metric completeness --catch tests --tests results.json",
    ),
    "render": ("defendctl render --env staging --origins",),
    "compare": ("defendctl compare staging production", "defendctl compare --against origin/main"),
    "schema": ("defendctl schema manifest --output schemas/manifest.schema.json",),
    "explain": ("defendctl explain unknown-metric", "defendctl explain"),
    "sandbox serve": ("defendctl sandbox serve --port 8080",),
    "doctor": ("defendctl doctor",),
    "completion": ("defendctl completion bash > ~/.local/share/bash-completion/completions/defendctl",),
}
"""Whole name of a command → lines. A command without any has no help."""


def examples_of(path: str) -> tuple[str, ...]:
    """Of a command; of a group one of each of its first commands; of the program itself, how to begin."""
    if not path:
        return ("defendctl init", "defendctl --sandbox plan")
    inner = [lines[0] for name, lines in EXAMPLES.items() if name.startswith(f"{path} ")]
    return EXAMPLES.get(path) or tuple(inner[:3])
