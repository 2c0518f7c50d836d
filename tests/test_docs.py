"""docs/reliability.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "reliability.md").read_text()))
    sources = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    missing = {name for name in named if f"def {name}(" not in sources}
    assert len(named) > 20
    assert not missing


def test_every_setting_of_the_network_is_told() -> None:
    text = (ROOT / "docs" / "network.md").read_text()
    sources = "\n".join(
        (ROOT / "defendctl" / "api" / f"{name}.py").read_text() for name in ("network", "proxy")
    )
    read = set(re.findall(r'"((?:SSL|REQUESTS|CURL)_[A-Z_]+|SSLKEYLOGFILE|[a-z]+_proxy)"', sources))
    assert {"https_proxy", "no_proxy", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "SSLKEYLOGFILE"} <= read
    assert {name for name in read if f"`{name}`" not in text} == set()
