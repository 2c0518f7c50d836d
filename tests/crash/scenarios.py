"""Projects just before the command that will be ended, and an arena that sets one up again and again."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import defendctl
from tests.conftest import Project, Ran, Server, custom, environment_for
from tests.operations import jobs

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

APPLY = ("apply", "--yes", "--parallelism", "1")
CREATES = 3
HERE = Path(__file__).parent


@dataclass
class Subject(Project):
    """A project whose processes run a copy of the package, and if `alone`, its every command does."""

    package: Path = HERE
    alone: bool = False

    @property
    def temporary(self) -> Path:
        """Not the machine's: one run's operations are named as the next one's."""
        return self.root.with_name("temporary")

    def run(self, *arguments: str) -> Ran:
        if not self.alone:
            with patch.object(tempfile, "tempdir", str(self.temporary)):
                return super().run(*arguments)
        process = self.spawn(*arguments)
        out, err = process.communicate(timeout=120)
        return Ran(process.returncode, out, err)

    @property
    def process_env(self) -> dict[str, str]:
        """Compiled modules are kept beside the copy, which makes a run a third shorter."""
        python = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONHASHSEED": "0", "PYTHONPATH": str(self.package)}
        return {**self.env, **python, "TMPDIR": str(self.temporary)}

    def spawn(self, *arguments: str, **env: str) -> subprocess.Popen[str]:
        return super().spawn(*arguments, **{**self.process_env, **env})


def copy_package(folder: Path) -> Path:
    """A copy to run, which nobody edits meanwhile, and which a test may change."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(defendctl.__file__).parent, folder / "defendctl", ignore=ignored)
    return folder


@dataclass(frozen=True)
class Scenario:
    name: str
    build: Callable[[Subject], Sequence[str]]
    """Makes the project, and says which command is to be ended."""
    replaced: frozenset[str] = frozenset()
    """Names that may live twice, for a new one was asked for."""
    code: int = 0
    """How the command ends if it is left alone."""
    again: bool = False
    """Whether the same command once more does the rest; else it is for `plan` and `apply` to tell and do."""
    holds: Callable[[Project], None] = lambda project: None
    """What must be true in the end. Raises AssertionError."""


@dataclass
class Arena:
    """One scenario, one folder, one server: `fresh` puts all back to the moment before the command."""

    scenario: Scenario
    folder: Path
    server: Server
    package: Path
    alone: bool = False
    command: list[str] = field(init=False)
    bound: set[str] = field(init=False)
    """The ids that were known before."""
    there: set[str] = field(init=False)
    """The ids that the API held before."""
    before: dict[str, bytes] = field(init=False)
    """The files of the project, but not of the state, before the command."""
    after: dict[str, bytes] = field(init=False)
    """And when it was left alone."""
    written: set[Path] = field(init=False)
    """Every path that is there before or after."""

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True)
        self.project.temporary.mkdir()
        self.server.forget_requests()
        self.command = list(self.scenario.build(self.project))
        self.server.heal()
        self._workflows = self.server.workflows()
        self.there = {each["workflow_id"] for each in self._workflows}
        shutil.copytree(self.root, self.folder / "template")
        self.keep()
        listed = self.project.run("state", "list", "--format", "json")
        known = [*listed.json["bindings"], *listed.json["retired"]] if listed.code == 0 else []
        self.bound = {each["workflow_id"] for each in known}
        self._leave_alone()

    def _leave_alone(self) -> None:
        self.before, self.written = jobs.content(self.fresh()), set(self.root.rglob("*"))
        self.project.spawn(*self.command).communicate(timeout=120)
        self.after = jobs.content(self.project)
        self.written |= set(self.root.rglob("*"))

    @property
    def root(self) -> Path:
        return self.folder / "project"

    @property
    def project(self) -> Subject:
        env = environment_for(self.server.url)
        return Subject(self.root, self.server, env, package=self.package, alone=self.alone)

    def clear(self) -> None:
        for folder in (self.root, self.project.temporary):
            shutil.rmtree(folder)
            folder.mkdir()

    def keep(self) -> None:
        """What stands outside of the folder and belongs to that moment."""

    def fresh(self) -> Subject:
        self.clear()
        shutil.copytree(self.folder / "template", self.root, dirs_exist_ok=True)
        self.restore(self._workflows)
        return self.project

    def restore(self, workflows: list[dict[str, Any]]) -> None:
        """Make the API hold just these."""
        self.server.heal()
        for each in self.server.workflows():
            self.server.remove(each["workflow_id"])
        for each in workflows:
            self.server.add(**each)
        self.server.forget_requests()


def _first(project: Subject) -> Sequence[str]:
    """No state and no lineage yet."""
    project.declare({name: custom() for name in ("new-0", "new-1")})
    return *APPLY, "--new-state"


def _elsewhere(project: Subject) -> Sequence[str]:
    """The state goes into folders that are not there yet."""
    project.settings(state={"path": "var/lib/state.json"})
    return _first(project)


def _mixed(project: Subject) -> Sequence[str]:
    """A settled project, then manifests that update, retire, adopt and create."""
    names = ("updated", "retired", "adopted", "kept")
    project.declare({name: custom() for name in names})
    project.ok("apply", "--yes")
    project.declare({name: custom() for name in names if name != "adopted"})
    project.ok("apply", "--yes")
    changed = {"updated": custom(description="new", max_retries=3), "adopted": custom(max_retries=7)}
    project.declare({**changed, "kept": custom(), **{f"new-{n}": custom() for n in range(CREATES)}})
    return APPLY


def _leftover(project: Subject) -> Sequence[str]:
    """The journal of a run that was killed while the API made the third workflow."""
    project.declare({f"new-{n}": custom() for n in range(4)})
    project.server.fault("slow-after", "POST", skip=2, seconds=10)
    process = project.spawn(*APPLY)
    while project.server.count("POST") < 3:
        time.sleep(0.01)
    process.kill()
    process.communicate()
    assert project.journal.exists()
    return APPLY


def _resolve(project: Subject) -> Sequence[str]:
    project.declare({f"new-{n}": custom() for n in range(2)})
    project.server.fault("lost-after", "POST")
    project.ok(*APPLY, code=7)
    made = next(w["workflow_id"] for w in project.server.workflows() if w["name"] == "new-0")
    return ("state", "resolve", "new-0", "--id", made)


def _replace(project: Subject) -> Sequence[str]:
    project.declare({name: custom() for name in ("new-0", "kept")})
    project.ok("apply", "--yes")
    project.declare({"new-0": custom(max_retries=3), "kept": custom()})
    return (*APPLY, "--replace", "new-0")


def _creates(project: Subject) -> Sequence[str]:
    """A settled project, and new manifests."""
    project.declare({"kept": custom()})
    project.ok("apply", "--yes")
    project.declare({"kept": custom(), **{f"new-{n}": custom() for n in range(CREATES)}})
    return APPLY


def _hidden(project: Subject) -> Sequence[str]:
    """An update of what cannot be read back."""
    project.declare({"new-0": custom(max_retries=10)})
    project.ok("apply", "--yes")
    project.declare({"new-0": custom(max_retries=3)})
    return APPLY


def _begun(project: Subject) -> Sequence[str]:
    """The lineage of the new state is pinned in the project file."""
    project.settings()
    return _first(project)


def _renamed(project: Subject) -> Sequence[str]:
    project.declare({name: custom() for name in ("old", "kept")})
    project.ok("apply", "--yes")
    names = {"new": custom(renamed_from="old"), "kept": custom(), "new-0": custom()}
    project.declare(names)
    return APPLY


def _moved(project: Subject) -> Sequence[str]:
    project.declare({name: custom(name="Bot") for name in ("old", "kept")})
    project.ok("apply", "--yes")
    project.declare({name: custom(name="Bot") for name in ("new", "kept")})
    return ("state", "mv", "old", "new")


def _uploaded(project: Subject) -> Sequence[str]:
    """One workflow is made with files of the repository, and one gets one."""
    project.settings(api={"uploads": True})
    for name in ("one", "two"):
        (project.root / f"{name}.txt").write_text(name)
    project.declare({"kept": custom()})
    project.ok("apply", "--yes")
    project.settings(api={"uploads": True})
    files = [{"path": "one.txt"}, {"path": "two.txt"}]
    project.declare({"kept": custom(file_search=files[:1]), "new-0": custom(file_search=files)})
    return APPLY


def _files_are_there(project: Project) -> None:
    there = {each["file_id"] for each in project.server.files()}
    for each in project.server.workflows():
        assert set(each["file_search"] or ()) <= there, each


def _canary(project: Subject) -> Sequence[str]:
    project.declare({"kept": custom()})
    project.ok("apply", "--yes")
    return ("test", "--create-canary")


def _one_canary(project: Project) -> None:
    """If it had not come so far, the next one makes it."""
    if "canary" not in project.json("state", "list").json:
        project.ok("test", "--create-canary")
    assert sum("canary" in name for name in project.server.names()) == 1


def _environment(project: Subject) -> Sequence[str]:
    staging = {"api": {"base_url": project.server.url}, "state": {"path": "staging.state.json"}}
    project.settings(environments={"staging": staging})
    project.declare({"kept": custom()})
    return ("init", "--env", "staging")


def _written(job: jobs.Job) -> Callable[[Subject], Sequence[str]]:
    def build(project: Subject) -> Sequence[str]:
        (project.root / "workflows").mkdir()
        job.prepare(project)
        return job.command

    return build


def _all_bound(project: Project) -> None:
    bound = project.json("outputs").json["outputs"].values()
    assert {each["workflow_id"] for each in project.server.workflows()} == {*bound}


def _moved_once(project: Project) -> None:
    project.assert_settled()
    assert {each["address"] for each in project.json("state", "list").json["bindings"]} == {"new", "kept"}


MIXED = Scenario("mixed", _mixed)
FIRST = Scenario("first", _first)
ELSEWHERE = Scenario("elsewhere", _elsewhere)
LEFTOVER = Scenario("leftover", _leftover, code=7)
RESOLVE = Scenario("resolve", _resolve)
REPLACE = Scenario("replace", _replace, frozenset({"new-0"}))
CREATE = Scenario("creates", _creates)
HIDDEN = Scenario("hidden", _hidden)
DEEP = (MIXED, FIRST, ELSEWHERE, LEFTOVER, RESOLVE, REPLACE)
"""How apply and the state come through it."""
IN_THE_END = {"drift --write": Project.assert_settled, "import --write": _all_bound}
WRITING = (
    Scenario("begin", _begun),
    Scenario("renamed_from", _renamed),
    Scenario("state mv", _moved, frozenset({"Bot"}), again=True, holds=_moved_once),
    Scenario("uploads", _uploaded, holds=_files_are_there),
    Scenario("canary", _canary, holds=_one_canary),
    Scenario("init --env", _environment, again=True),
    *(
        Scenario(
            name,
            _written(job),
            code=job.code,
            again=True,
            holds=IN_THE_END.get(name, Scenario.holds),
        )
        for name, job in jobs.JOBS.items()
    ),
)
"""And every other command that writes."""
KILLED = (*DEEP, *WRITING)
SCENARIOS = {s.name: s for s in (*KILLED, CREATE, HIDDEN)}
