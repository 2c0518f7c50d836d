"""Reports in Chromium, from a file: axe-core finds nothing, nothing is fetched, said or too wide.

axe-core and playwright-core are installed with npm from the lock in `browser/`, into `.cache/browser`, and
Chromium with apt where this runs as root. Where that cannot be done the tests are skipped, and say why.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from defendctl.render.html.page import html, plan, suite
from defendctl.render.page.kinds import PAGES
from defendctl.render.registry import draw
from defendctl.render.setting import PLAIN
from tests.render.examples import EXAMPLES
from tests.render.html.given import loosening, traffic
from tests.render.html.test_page import DOCUMENTS, HOSTILE, OURS, strings, with_text
from tests.render.html.test_size import many

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent / "browser"
ROOT = Path(__file__).parents[3]
CACHE = ROOT / ".cache" / "browser"
SHOTS = ROOT / "docs" / "images"
LOOKS: Final = (
    {"scheme": "light", "width": 1100, "height": 900, "axe": True},
    {"scheme": "dark", "width": 1100, "height": 900, "axe": True},
    {"scheme": "light", "width": 390, "height": 844, "axe": True},
    {"scheme": "light", "width": 390, "height": 844},
)
"""The last one under the page's own policy, which keeps axe-core out."""


@pytest.fixture(scope="module")
def look() -> Callable[..., Any]:
    """Of a page and what to look at it with: one answer each."""
    chromium = _chromium()
    _install()

    def looked(page: str, looks: Any = LOOKS) -> Any:
        file = CACHE / f"page-{os.getpid()}.html"
        file.write_bytes(page.encode())
        words = ["node", "look.mjs", str(file), json.dumps(looks), chromium]
        done = subprocess.run(words, cwd=CACHE, capture_output=True, text=True, timeout=300, check=False)
        file.unlink()
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return looked


def _chromium() -> str:
    found = shutil.which("chromium")
    if found is None and os.geteuid() == 0 and shutil.which("apt-get"):
        words = ["apt-get", "install", "--yes", "--quiet", "chromium"]
        subprocess.run(words, capture_output=True, timeout=900, check=False)
        found = shutil.which("chromium")
    return found or pytest.skip("Chromium is not installed, and could not be: `apt-get install chromium`")


def _install() -> None:
    lock = (HERE / "package-lock.json").read_bytes()
    done = CACHE / ".installed"
    CACHE.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "look.mjs", CACHE / "look.mjs")
    if done.exists() and done.read_bytes() == lock:
        return
    if not shutil.which("npm"):
        pytest.skip("axe-core cannot be installed: npm is not there")
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(HERE / name, CACHE / name)
    run = subprocess.run(["npm", "ci"], cwd=CACHE, capture_output=True, text=True, timeout=300, check=False)
    if run.returncode:
        pytest.skip(f"axe-core cannot be installed: npm ci said {run.stderr[-500:]}")
    done.write_bytes(lock)


def all_hostile() -> str:
    """Every text of a plan is one that would like to be more."""
    document = DOCUMENTS["plan"]
    for at, (path, _) in enumerate(strings(document)):
        if not OURS & {path[-1]}:
            document = with_text(document, path, HOSTILE[at % len(HOSTILE)])
    return html("plan", [PAGES["plan"](document)])


REPORTS: Final[dict[str, Callable[[], str]]] = {
    "plan": lambda: plan(loosening(traffic())),
    "hostile": all_hostile,
    "tests": lambda: suite(EXAMPLES["test-results"]),
    "tune": lambda: html("report", [PAGES["tune"](DOCUMENTS["tune"])]),
    "fleet and drift": lambda: draw("report", "html", EXAMPLES["report"], PLAIN),
    "500 workflows": lambda: plan(many(12, 500)),
}


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_in_a_browser(look: Callable[..., Any], name: str) -> None:
    for seen in look(REPORTS[name]()):
        assert seen["violations"] == []
        assert seen["requests"] == ["file"]
        assert seen["messages"] == []
        assert seen["overflow"] <= 0


def test_paper_shows_what_is_folded(look: Callable[..., Any]) -> None:
    base = {"scheme": "light", "width": 1100, "height": 900}
    screen, paper = look(REPORTS["plan"](), [base, {**base, "print": True}])
    assert (screen["unfolded"], paper["unfolded"]) == (0, 2)


def test_the_policy_holds_where_escaping_failed(look: Callable[..., Any]) -> None:
    """The second wall: with markup put into the page on purpose nothing runs and nothing is fetched."""
    bad = "<script>alert(1)</script><img src=x.png onerror=alert(2)><iframe src=y.html></iframe>"
    page = REPORTS["plan"]().replace("<footer>", f"{bad}<footer>")
    (seen,) = look(page, [{"scheme": "light", "width": 800, "height": 600}])
    assert seen["answered"] == ["file"]
    assert seen["messages"]
    assert all("Content Security Policy" in message for message in seen["messages"])


def test_the_screenshots_of_the_docs(look: Callable[..., Any]) -> None:
    """Drawn anew where they are asked for or missing: pixels differ from one machine to the next."""
    wanted = [
        ({"scheme": "light", "width": 1100, "height": 900, "full": True}, "report-plan.png"),
        ({"scheme": "dark", "width": 1100, "height": 900, "part": ".plots"}, "report-picture-dark.png"),
        ({"scheme": "light", "width": 1100, "height": 900, "part": ".plots"}, "report-picture-light.png"),
    ]
    SHOTS.mkdir(exist_ok=True)
    missing = [
        {**how, "shot": str(SHOTS / name)}
        for how, name in wanted
        if os.environ.get("UPDATE_GOLDEN") or not (SHOTS / name).exists()
    ]
    look(REPORTS["plan"](), missing)
    for _, name in wanted:
        assert (SHOTS / name).read_bytes().startswith(b"\x89PNG")
        assert (SHOTS / name).stat().st_size < 400_000
