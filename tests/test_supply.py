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
LOCK = (ROOT / "requirements-dev.lock").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]

ENTRY = re.compile(
    r"^(\S+==\S+(?: ; .+)?) \\\n"  # name==version, perhaps where it applies
    r"(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+"
    r"(?:    #.*\n)*",  # who asks for it
    re.MULTILINE,
)


def direct() -> list[Requirement]:
    asked = [*PROJECT["project"]["dependencies"], *chain.from_iterable(EXTRAS.values())]
    return [Requirement(line) for line in [*asked, *PROJECT["build-system"]["requires"]]]


def pins() -> list[Requirement]:
    return [Requirement(pin) for pin in ENTRY.findall(LOCK)]


def pinned(pin: Requirement) -> str:
    return next(iter(pin.specifier)).version


@pytest.mark.parametrize("asked", direct(), ids=str)
def test_every_dependency_has_a_lower_bound(asked: Requirement) -> None:
    assert ">=" in {bound.operator for bound in asked.specifier}


@pytest.mark.parametrize("asked", direct(), ids=str)
def test_every_direct_dependency_is_locked_within_its_bounds(asked: Requirement) -> None:
    locked = [pinned(pin) for pin in pins() if pin.name == canonicalize_name(asked.name)]
    assert locked, "is not in the lock: make lock"
    assert all(asked.specifier.contains(found) for found in locked), f"{locked}: make lock"


def test_the_lock_holds_pins_with_hashes_and_nothing_else() -> None:
    """No address of an index, no option, no pin without a hash: any index may serve it."""
    assert ENTRY.sub("", LOCK) == ""


def test_what_is_installed_is_what_is_locked() -> None:
    here = [pin for pin in pins() if pin.marker is None or pin.marker.evaluate()]
    assert {pin.name: version(pin.name) for pin in here} == {pin.name: pinned(pin) for pin in here}
