"""`examples/ci` is what `init --ci` writes, and the linters that people have find nothing in it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.parts.tools import tool
from tests.pipelines.declared import ALONE, ENVIRONMENTS, repository, written

EXAMPLES = Path(__file__).parents[2] / "examples" / "ci"
WRITTEN = {
    "github": ["github"],
    "github-trusting": ["github", "--trusting"],
    "gitlab": ["gitlab"],
    "gitlab-trusting": ["gitlab", "--trusting"],
}
OPTIONS = [*WRITTEN.values(), ["github", "--no-queue"], ["github", "--pin", "a" * 40]]
GITHUB = [one for one in OPTIONS if one[0] == "github"]
GITLAB = [one for one in OPTIONS if one[0] == "gitlab"]
ON_THE_DEFAULT_BRANCH = re.compile(
    r"\$CI_COMMIT_BRANCH == \$CI_DEFAULT_BRANCH && "
    r'\$CI_PIPELINE_SOURCE (== "push"|=~ /\^\((push\|)?web\|api\)\$/)( && \$(ENVIRONMENT == "\w+"|APPROVE))?'
)


def jobs(root: Path) -> list[Path]:
    return sorted(p for p in root.rglob("*.yml") if p.parts[-2] in ("workflows", ".gitlab"))


@pytest.mark.parametrize("name", WRITTEN)
def test_an_example_is_what_is_written(name: str, tmp_path: Path) -> None:
    written(repository(tmp_path), *WRITTEN[name])
    made = {path.name: path.read_text() for path in jobs(tmp_path)}
    folder = EXAMPLES / name
    if os.environ.get("UPDATE_GOLDEN"):
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in made.items():
            (folder / file).write_text(text)
    assert {path.name: path.read_text() for path in folder.iterdir()} == made


@pytest.mark.parametrize("options", GITHUB, ids=" ".join)
@pytest.mark.parametrize("project", [ENVIRONMENTS, ALONE], ids=["environments", "alone"])
def test_github_gets_no_more_than_it_needs(options: list[str], project: str, tmp_path: Path) -> None:
    """Only variables reach a shell, nobody may write unless the job says so, and what is used is pinned."""
    written(repository(tmp_path, project), *options)
    for path in jobs(tmp_path):
        content = yaml.safe_load(path.read_text())
        assert content["permissions"] == {}
        assert "pull_request_target" not in content[True]
        assert "paths" not in path.read_text().replace("`paths:`", "")
        for job in content["jobs"].values():
            assert "${{" not in "".join(step.get("run", "") for step in job["steps"])
            assert all(len(step["uses"].split("@")[1]) == 40 for step in job["steps"] if "uses" in step)
            [checkout] = [step for step in job["steps"] if "actions/checkout" in step.get("uses", "")]
            assert checkout["with"] == {"fetch-depth": 0, "persist-credentials": project == ENVIRONMENTS}
            pushes = project == ENVIRONMENTS and "apply" in path.name  # the ref of the state, never a branch
            assert job["permissions"]["contents"] == ("write" if pushes else "read")
            secret = "secrets." in str(job["steps"])
            assert secret == ("environment" in job or "--trusting" in options)


def test_environments_are_applied_in_their_order_and_one_at_a_time(tmp_path: Path) -> None:
    three = ENVIRONMENTS + '  canada: {state: {url: "git+origin?key=canada"}}\n'
    written(repository(tmp_path, three), "github")
    apply = yaml.safe_load((tmp_path / ".github" / "workflows" / "guardrails-apply.yml").read_text())["jobs"]
    assert [(name, job.get("needs")) for name, job in apply.items()] == [
        ("staging", None),
        ("production", "staging"),
        ("canada", "production"),
    ]
    groups = {job["concurrency"]["group"] for job in apply.values()}
    assert len(groups) == 3
    assert not any(job["concurrency"]["cancel-in-progress"] for job in apply.values())
    assert {job["concurrency"]["queue"] for job in apply.values()} == {"max"}


@pytest.mark.parametrize("options", GITLAB, ids=" ".join)
@pytest.mark.parametrize("project", [ENVIRONMENTS, ALONE], ids=["environments", "alone"])
def test_gitlab_applies_what_is_on_the_default_branch(
    options: list[str], project: str, tmp_path: Path
) -> None:
    """The sources are named: "not on a schedule" would let in the pipeline of a merge request."""
    written(repository(tmp_path, project), *options)
    [path] = jobs(tmp_path)
    content = yaml.safe_load(path.read_text())
    assert content[".guardrails"]["variables"]["GIT_DEPTH"] == "0"
    assert content[".guardrails"]["interruptible"] is False
    applies = {name: job for name, job in content.items() if " apply" in name}
    assert applies
    for job in applies.values():
        assert all(ON_THE_DEFAULT_BRANCH.fullmatch(rule["if"]) for rule in job["rules"])
        assert job["resource_group"]
    plan = content["guardrails plan"]
    assert ("environment" in plan, "--offline" in str(plan["script"])) == (False, "--trusting" not in options)


@pytest.mark.slow
@pytest.mark.parametrize("options", GITHUB, ids=" ".join)
@pytest.mark.parametrize("below", [".", "teams/bots"])
def test_zizmor_finds_nothing(options: list[str], below: str, tmp_path: Path) -> None:
    written(repository(tmp_path, below=below), *options)
    zizmor = [str(tool("zizmor")), "--offline", "--no-progress", str(tmp_path)]
    ran = subprocess.run(zizmor, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert "No findings to report" in ran.stdout + ran.stderr


@pytest.mark.slow
@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
@pytest.mark.parametrize("project", [ENVIRONMENTS, ALONE], ids=["environments", "alone"])
def test_it_is_of_the_form_that_the_forges_publish(options: list[str], project: str, tmp_path: Path) -> None:
    written(repository(tmp_path, project), *options)
    schema = "vendor.github-workflows" if options[0] == "github" else "vendor.gitlab-ci"
    program = Path(sys.executable).with_name("check-jsonschema")
    check = [str(program), "--builtin-schema", schema, *map(str, jobs(tmp_path))]
    ran = subprocess.run(check, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
