"""What pyproject.toml asks for, what the lock pins, and what is installed agree."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
LOCKS = {path.name: path.read_text() for path in sorted(ROOT.glob("requirements*.lock"))}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
ELSEWHERE = {"tools": "requirements-tools.lock"}
"""Group → its lock, where it is none of what developers install."""

ENTRY = re.compile(
    r"^(\S+==\S+(?: ; .+)?) \\\n"  # name==version, perhaps where it applies
    r"(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+"
    r"(?:    #.*\n)*",  # who asks for it
    re.MULTILINE,
)


def direct() -> list[tuple[str, Requirement]]:
    """Lock, and what is asked for there."""
    runs = [*PROJECT["project"]["dependencies"], *chain.from_iterable(EXTRAS.values())]
    builds = PROJECT["build-system"]["requires"]
    asked = [("requirements.lock", line) for line in runs]
    asked += [("requirements-build.lock", line) for line in builds]
    asked += [("requirements-dev.lock", line) for line in [*runs, *builds]]
    for group, lines in GROUPS.items():
        lock = ELSEWHERE.get(group, "requirements-dev.lock")
        asked += [(lock, line) for line in lines if isinstance(line, str)]
    return [(lock, Requirement(line)) for lock, line in asked]


def pins(lock: str) -> list[Requirement]:
    return [Requirement(pin) for pin in ENTRY.findall(LOCKS[lock])]


def pinned(pin: Requirement) -> str:
    return next(iter(pin.specifier)).version


@pytest.mark.parametrize(("lock", "asked"), direct(), ids=str)
def test_every_dependency_has_a_lower_bound(lock: str, asked: Requirement) -> None:
    assert ">=" in {bound.operator for bound in asked.specifier}


@pytest.mark.parametrize(("lock", "asked"), direct(), ids=str)
def test_every_direct_dependency_is_locked_within_its_bounds(lock: str, asked: Requirement) -> None:
    locked = [pinned(pin) for pin in pins(lock) if pin.name == canonicalize_name(asked.name)]
    assert locked, f"is not in {lock}: make lock"
    assert all(asked.specifier.contains(found) for found in locked), f"{locked}: make lock"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_with_hashes_and_nothing_else(lock: str) -> None:
    """No address of an index, no option, no pin without a hash: any index may serve it."""
    assert ENTRY.sub("", LOCKS[lock]) == ""


@pytest.mark.parametrize("lock", LOCKS)
def test_what_is_shipped_is_what_was_tested(lock: str) -> None:
    """Each lock pins what another pins too in the version of the developers' lock."""
    tested = {pin.name: pinned(pin) for pin in pins("requirements-dev.lock")}
    assert {
        pin.name: pinned(pin) for pin in pins(lock) if tested.get(pin.name, pinned(pin)) != pinned(pin)
    } == {}


def test_nothing_that_only_developers_need_is_published() -> None:
    assert set(EXTRAS) == {"postgres", "sandbox", "objects"}


def test_what_is_installed_is_what_is_locked() -> None:
    here = [pin for pin in pins("requirements-dev.lock") if pin.marker is None or pin.marker.evaluate()]
    assert {pin.name: version(pin.name) for pin in here} == {pin.name: pinned(pin) for pin in here}
